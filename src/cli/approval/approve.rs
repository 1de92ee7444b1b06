//! `shieldwall approval approve`.

use super::show::Shown;
use super::wanted::Wanted;
use super::{ApprovalRequest, ask, pending};
use crate::cli::charter::publish;
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::{peers, submit};
use crate::node::ask::Response;

/// Agrees to what somebody else has asked for. If nobody else is needed it is done now, and this command ends as theirs would have.
///
/// Shows what would be done, and asks. Whoever has asked for it cannot agree to it, and --yes changes nothing about that: it answers the question
/// alone, and needs the whole id.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    wanted: Wanted,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    if context.global.yes && !args.wanted.is_whole() {
        return Err(Failure::new(
            Exit::Usage,
            "--yes needs the whole id: nobody looks whether it is the one that is meant",
        ));
    }
    let shown = Shown::of(context, &args.wanted)?;
    if shown.view.closed.is_none() {
        context.ui.say(shown.text(false)?);
        context.confirm(&format!("Agree to {}?", shown.view.id))?;
    }
    // What was shown, and nothing else.
    let answer = ask(context, ApprovalRequest::Approve { id: shown.view.digest })?;
    if let Response::Pending(view) = answer {
        Err(pending(context, &[*view])?)
    } else if let Response::Published(view) = answer {
        publish::tell(context, &view, shown.view.act == "charter-settle")
    } else if let Response::Submitted(results) = answer {
        submit::tell(context, &results)
    } else if let Response::Bans(bans) = answer {
        peers::tell(context, &bans)
    } else {
        Err(unexpected())
    }
}
