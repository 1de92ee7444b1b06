//! `shieldwall charter publish`.

use std::path::PathBuf;

use serde_json::json;

use super::{Context, Outcome, Tally, diff, files, newest, read};
use crate::cli::approval;
use crate::cli::context::unexpected;
use crate::cli::report::Exit;
use crate::identity::published::FILE_BYTES_MAX;
use crate::node::ask::{Bytes, CharterRequest, PublishedView, Request, Response};

/// Hands a charter file to the running node, which checks it, keeps it, and tells every member within reach at once.
///
/// For a new version of the charter, and for a new manifest of this member. Answered when it is durable. A version that lacks
/// signatures, is older, of another federation, or contradicts the one that is held is refused with the reason. Two properly signed
/// charters of one version are kept as proof, and freeze membership: the members must speak with each other, and each operator says
/// with --settle which of the two stands. Where the config of the node wants a second person for it, it waits for one and this ends
/// with 15.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The charter file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Two charters of one version were signed, and the one in this file stands
    #[arg(long)]
    settle: bool,
    /// Show what would be published, and publish nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let published = read(&args.file)?;
    let (version, tally) = (newest(&published).0.charter().version(), Tally::of(&published));
    if args.dry_run {
        let review = diff::Review::of(&published)?;
        context.ui.say(review.text());
        context.ui.result(&review.json(), format!("version {version} {}", tally.text()))?;
        return Ok(if tally.complete { Exit::Success } else { Exit::Pending });
    }
    if args.settle {
        let digest = newest(&published).0.digest();
        let consequence = format!("From now on this node goes by the charter in {}, {digest}.", args.file.display());
        context.confirm_by_typing(&consequence, digest.short())?;
    }
    // The bytes as they are: what is signed is not written anew.
    let file = Bytes(files::read_plain(&args.file, FILE_BYTES_MAX)?);
    let request = Request::Charter(CharterRequest::Publish { file, settle: args.settle });
    let answer = context.ask(&request)?;
    if let Response::Pending(view) = answer {
        return Err(approval::pending(context, &[*view])?);
    }
    let Response::Published(view) = answer else { return Err(unexpected()) };
    tell(context, &view, args.settle)
}

/// Tells what a charter file that was published has changed.
pub(in crate::cli) fn tell(context: &Context, view: &PublishedView, settle: bool) -> Outcome {
    let told = view.told.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let value = json!({ "version": view.version, "news": view.is_news, "told": view.told });
    let text = match (view.is_news, view.told.is_empty()) {
        _ if settle => format!("version {} stands at this node from now on", view.version),
        (false, _) => format!("version {}: the node knew all of it already", view.version),
        (true, true) => format!("version {} is published; no member is within reach now", view.version),
        (true, false) => format!("version {} is published; told at once: {told}", view.version),
    };
    context.ui.result(&value, text)?;
    Ok(Exit::Success)
}
