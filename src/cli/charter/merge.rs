//! `shieldwall charter merge`.

use std::path::PathBuf;

use super::{Context, Failure, Outcome, Tally, files, newest, read};
use crate::cli::report::Exit;
use crate::identity::{Published, SignedCharter};

/// Puts copies of one charter together that were signed in several places at the same time.
///
/// Every signature is checked. All copies must be of the same version with the same digest.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The copies
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The charter to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let mut copies = Vec::new();
    for path in &args.files {
        copies.push((path, read(path)?));
    }
    let mut copies = copies.into_iter();
    let (_, mut all) = copies.next().expect("two files at least were named");
    for (path, copy) in copies {
        merge(&mut all, &copy).map_err(|failure| failure.context(format!("{} does not fit", path.display())))?;
    }
    files::write_new(&args.out, &all.encode()?)?;
    let version = newest(&all).0.charter().version();
    let tally = Tally::of(&all);
    let value = serde_json::json!({
        "charter": args.out, "version": version, "signed": tally.signed, "needed": tally.needed,
        "missing": tally.missing, "complete": tally.complete,
    });
    context.ui.result(&value, format!("{}: version {version} {}", args.out.display(), tally.text()))?;
    Ok(if tally.complete { Exit::Success } else { Exit::Pending })
}

/// Takes in the signatures of a copy, and what manifests are newer there.
fn merge(all: &mut Published, copy: &Published) -> Result<(), Failure> {
    let earlier = |published: &Published| newest(published).1.iter().map(SignedCharter::digest).collect::<Vec<_>>();
    let before = newest(all).1.last().map(|before| before.charter().clone());
    let same = earlier(all) == earlier(copy) && newest(all).0.digest() == newest(copy).0.digest();
    if !same {
        return Err(Failure::new(Exit::Verification, "it is another version, or another charter of the same one")
            .hint("`shieldwall charter diff FILE --against OTHER` tells where they differ"));
    }
    if let Some(charter) = all.charters.last_mut() {
        charter.merge(newest(copy).0, before.as_ref())?;
    }
    for (member, manifest) in &copy.manifests {
        let held = all.manifests.get(member).map_or(0, |held| held.manifest().version());
        if manifest.manifest().version() > held {
            all.manifests.insert(*member, manifest.clone());
        }
    }
    Ok(())
}
