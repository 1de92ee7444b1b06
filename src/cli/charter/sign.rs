//! `shieldwall charter sign`.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use super::{Context, Failure, Outcome, Tally, file_or_config, files, founded, newest, read};
use crate::cli::report::Exit;
use crate::encoding::ids::MemberCode;
use crate::identity::{Member, Published, SecretKey};
use crate::node::config::Config;
use crate::node::keys::{KeyFolder, KeyName};

/// Signs the newest version of a charter with this member's root, and writes it back.
///
/// What is signed is shown first. The member's own entry must name its root and the digest of its next root. Works without
/// a node, on the machine where the root is kept: send the file there and back.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The charter [default: the config's]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write the signed charter here instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show what would be signed, and sign nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    let path = file_or_config(context, args.file.as_ref())?;
    let mut published = read(&path)?;
    let (charter, earlier) = newest(&published);
    founded(earlier)?;
    let version = charter.charter().version();
    let own = charter.charter().member(config.member).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{} is not in version {version} of the charter", config.member))
    })?;

    let root = check_own_entry(context, &config, own)?;
    context.ui.say(super::show::text(&published));
    if args.dry_run {
        return Ok(Exit::Success);
    }
    if io::stdin().is_terminal() && !context.global.no_input {
        context.confirm(&format!("Sign version {version} as {}?", config.member))?;
    }
    sign(&mut published, config.member, &root);

    let bytes = published.encode()?;
    let written = args.out.clone().unwrap_or(path);
    files::replace(&written, &bytes)?;
    let tally = Tally::of(&published);
    let value = serde_json::json!({
        "charter": written, "version": version, "signed": tally.signed, "needed": tally.needed, "complete": tally.complete,
    });
    context.ui.result(&value, format!("{}: version {version} {}", written.display(), tally.text()))?;
    if !tally.complete {
        context.ui.say("Next: send the file to a member that has not signed.");
    }
    Ok(Exit::Success)
}

fn sign(published: &mut Published, member: MemberCode, root: &SecretKey) {
    if let Some(newest) = published.charters.last_mut() {
        newest.sign(member, root);
    }
}

/// Opens the root and compares the member's entry with it: whoever carried the manifest could have changed what stands
/// beside it, and the member itself is the one to notice.
fn check_own_entry(context: &Context, config: &Config, own: &Member) -> Result<SecretKey, Failure> {
    let next_root_is_here = KeyFolder::open(&config.keys_dir)?.holds(&KeyName::NextRoot);
    let names: &[KeyName] = if next_root_is_here { &[KeyName::Root, KeyName::NextRoot] } else { &[KeyName::Root] };
    let seeds = context.open_keys(config, names)?;
    let mut keys = seeds.iter().map(|seed| SecretKey::from_seed(seed.expose()));
    let root = keys.next().expect("one key at least was asked for");
    let strange = |what: &str| {
        let message =
            format!("the charter names another {what} for {} than {}", config.member, config.keys_dir.display());
        Failure::new(Exit::Verification, message)
    };
    if own.root != root.public() {
        return Err(strange("root"));
    }
    match keys.next() {
        Some(next) if own.next_root != next.public().digest() => return Err(strange("next root")),
        Some(_) => {}
        None => context.ui.say("next-root.pem is kept elsewhere, as it should be: compare its digest there."),
    }
    Ok(root)
}
