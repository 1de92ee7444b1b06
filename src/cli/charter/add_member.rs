//! `shieldwall charter add-member`.

use std::path::PathBuf;

use super::{Context, Failure, Outcome, Tally, file_or_config, files, founded, newest, read, read_application};
use crate::cli::report::Exit;
use crate::cli::show;
use crate::identity::SignedCharter;
use crate::node::clock;

/// Draws up the next version of the charter, with one member more. It takes effect when a quorum of the countries of the
/// present version, and of its own, has signed it.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The newcomer's first manifest
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// The present charter [default: the config's]
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    /// The charter to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The member may keep other members' bodies for them
    #[arg(long)]
    custodian: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let mut published = read(&file_or_config(context, args.charter.as_ref())?)?;
    let federation = founded(&published.charters).map_err(|failure| {
        failure
            .context("the present charter is not complete")
            .hint("the version before must be signed before the next is drawn up")
    })?;
    let application = read_application(&args.manifest)?;
    let code = application.code();
    let mut draft = newest(&published).0.charter().next_draft(clock::now());
    let mut member = application.member();
    member.custodian = args.custodian;
    if draft.members.insert(code, member).is_some() {
        return Err(Failure::new(Exit::Usage, format!("{code} is in the charter already")));
    }
    let next = SignedCharter::unsigned(draft.check()?, federation);
    let version = next.charter().version();
    published.charters.push(next);
    published.manifests.insert(code, application.manifest().clone());
    files::write_new(&args.out, &published.encode()?)?;

    let value = serde_json::json!({ "charter": args.out, "version": version, "added": code });
    context.ui.result(&value, format!("{}: version {version}, with {code}", args.out.display()))?;
    context.ui.say(format!("{code}  root {}", show::fingerprint(&application.member().root)));
    context.ui.say(Tally::of(&published).text());
    Ok(Exit::Success)
}
