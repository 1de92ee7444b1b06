//! `shieldwall charter sign`.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use super::{Context, Failure, Outcome, Tally, diff, file_or_config, files, newest, read};
use crate::cli::report::Exit;
use crate::cli::root::keys::{self, Roots};
use crate::identity::{Published, SecretKey};

/// Signs the newest version of a charter with this member's root, and writes it back.
///
/// What it changes is shown first, the gravest first. The member's own entry must name its root and the digest of its next root; a
/// version that changes its root is signed by both. Works without a node and without a config, on the machine where the root is
/// kept: --keys DIR --member CODE. Send the file there and back.
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
    #[command(flatten)]
    roots: keys::RootsArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let path = file_or_config(context, args.file.as_ref())?;
    let mut published = read(&path)?;
    // The keys come last: nothing is opened for a version that no node would take up.
    let review = diff::Review::of(&published)?;
    let roots = Roots::open(context, &args.roots)?;
    let member = roots.member;
    let (charter, earlier) = newest(&published);
    let version = charter.charter().version();
    let own = charter.charter().member(member);
    let own =
        own.ok_or_else(|| Failure::new(Exit::Usage, format!("{member} is not in version {version} of the charter")))?;
    let (root, next_root_is_here) = roots.check(own)?;
    // The root that gives way signs as well, if it is here: whoever lacks it votes with the announced one.
    let before = earlier.last().and_then(|before| before.charter().member(member));
    let former = before.filter(|before| before.root != own.root).and_then(|before| roots.secret(&before.root));
    if next_root_is_here {
        context.ui.detail("the next root is the one that the charter announces");
    } else {
        context.ui.say("next-root.pem is kept elsewhere, as it should be: compare its digest there.");
    }
    context.ui.say(review.text());
    context.ui.say(super::show::text(&published));
    if args.dry_run {
        context.ui.result(&review.json(), String::new())?;
        return Ok(Exit::Success);
    }
    if io::stdin().is_terminal() && !context.global.no_input {
        context.confirm(&format!("Sign version {version} as {member}?"))?;
    }
    sign(&mut published, &roots, [Some(root), former].into_iter().flatten());

    let bytes = published.encode()?;
    let written = args.out.clone().unwrap_or(path);
    files::replace(&written, &bytes)?;
    let tally = Tally::of(&published);
    let value = serde_json::json!({
        "charter": written, "version": version, "signed": tally.signed, "needed": tally.needed,
        "missing": tally.missing, "complete": tally.complete,
    });
    context.ui.result(&value, format!("{}: version {version} {}", written.display(), tally.text()))?;
    if !tally.complete {
        context.ui.say("Next: send the file to a member that has not signed.");
    }
    Ok(Exit::Success)
}

fn sign<'a>(published: &mut Published, roots: &Roots, with: impl Iterator<Item = &'a SecretKey>) {
    if let Some(newest) = published.charters.last_mut() {
        with.for_each(|root| newest.sign(roots.member, root));
    }
}
