//! `shieldwall root rotate`.

use std::path::PathBuf;

use super::keys::{self, Roots};
use crate::cli::charter;
use crate::cli::context::Context;
use crate::cli::files;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::{fingerprint, groups};
use crate::identity::{Application, SecretKey, SignedManifest};
use crate::node::clock;
use crate::node::keys::{KeyName, Seed};

/// Draws the root that will follow the next one, and writes a file for `charter propose --change-root`.
///
/// The file holds the next root, which the charter announced by its digest, the digest of the root after that, and the member's
/// manifest, signed by the next root. Nothing in it is secret. Works on the machine where the roots are kept.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The present charter [default: the config's]
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    roots: keys::RootsArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let path = charter::file_or_config(context, args.charter.as_ref())?;
    let federation = charter::read(&path)?.verify()?;
    let roots = Roots::open(context, &args.roots)?;
    let member = roots.member;
    let missing = || Failure::new(Exit::Usage, format!("{member} is not in {}", path.display()));
    let entry = federation.member(member).ok_or_else(missing)?;
    let held = federation.manifest(member).ok_or_else(missing)?;
    let next = roots.key(KeyName::NextRoot).filter(|next| next.public().digest() == entry.next_root);
    let next = next.ok_or_else(|| {
        Failure::new(Exit::Verification, format!("the next root that the charter announces for {member} is not here"))
            .hint("next-root.pem is needed; after `root adopt` it is the one that was later-root.pem")
    })?;
    // Drawn once: who does this again changes to the same keys.
    let later = match roots.key(KeyName::LaterRoot) {
        Some(later) => later.public(),
        None => {
            let seed = Seed::random()?;
            let later = SecretKey::from_seed(seed.expose()).public();
            roots.folder.write(&KeyName::LaterRoot, &seed, Context::protection(roots.passphrase()))?;
            later
        }
    };
    let manifest = SignedManifest::sign(held.next_draft(clock::now()).check()?, federation.id(), next);
    let (name, kind) = (entry.name.clone(), entry.kind);
    let rotation = Application::new(manifest, name, kind, next.public(), later.digest())?;
    files::write_new(&args.out, &rotation.encode()?)?;

    let value = serde_json::json!({
        "file": args.out, "member": member, "root": next.public().digest(), "next_root": later.digest(),
    });
    let text = format!("{}: the root of {member} becomes {}", args.out.display(), fingerprint(&next.public()));
    context.ui.result(&value, text)?;
    context.ui.say(format!("then announced  {}", groups(&later.digest())));
    context.ui.say("Next: shieldwall charter propose --change-root FILE, at any member; this member signs as well.");
    Ok(Exit::Success)
}
