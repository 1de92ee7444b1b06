//! `shieldwall charter export`.

use std::path::PathBuf;

use serde_json::json;

use super::{Context, Outcome, files, newest, present};
use crate::cli::report::Exit;

/// Writes the charter file as the node holds it: with what other members have told since it was started.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let held = present(context, None)?;
    let charter = newest(&held.published).0;
    let (version, digest) = (charter.charter().version(), charter.digest());
    files::write_new(&args.out, &held.published.encode()?)?;
    let value = json!({ "charter": args.out, "version": version, "digest": digest });
    context.ui.result(&value, format!("{}: version {version}, digest {digest}", args.out.display()))?;
    Ok(Exit::Success)
}
