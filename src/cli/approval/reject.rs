//! `shieldwall approval reject`.

use super::wanted::Wanted;
use super::{ApprovalRequest, ask};
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Outcome};
use crate::node::ask::Response;

/// Does not agree to what somebody has asked for, or takes back what you have asked for yourself. It is not done, and can be asked for again.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    wanted: Wanted,
    /// Why; kept with the request
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let id = args.wanted.find(context)?.digest;
    let answer = ask(context, ApprovalRequest::Reject { id, reason: args.reason.clone() })?;
    let Response::Approval(view) = answer else { return Err(unexpected()) };
    context.ui.result(&view, format!("{}: {}, asked for by {}", view.stands, view.about, view.asked_by))?;
    Ok(Exit::Success)
}
