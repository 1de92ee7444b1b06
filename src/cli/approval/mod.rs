//! `shieldwall approval`: what waits for a second person. The node decides who may; a command only asks it.

mod approve;
mod list;
mod reject;
mod show;
mod wanted;

use super::context::{Context, unexpected};
use super::report::{Failure, Outcome};
use super::show::counted;
use crate::node::ask::{ApprovalRequest, ApprovalView, Request, Response};

/// What waits for a second person: lists it, shows it, agrees to it, or does not.
///
/// What needs one is set in the config of the node, under [approvals]. Without a further word it lists what waits.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// List what waits, or what became of it
    List(list::Args),
    /// Show what would be done
    Show(show::Args),
    /// Agree to it; it is done if nobody else is needed
    Approve(approve::Args),
    /// Do not agree to it, or take back what you have asked for
    Reject(reject::Args),
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    match args.command {
        None => list::run(context, &list::Args::default()),
        Some(Command::List(args)) => list::run(context, &args),
        Some(Command::Show(args)) => show::run(context, &args),
        Some(Command::Approve(args)) => approve::run(context, &args),
        Some(Command::Reject(args)) => reject::run(context, &args),
    }
}

/// How a command ends whose requests wait for a second person: what waits, who may agree, and the next command, on stderr.
pub(super) fn pending(context: &Context, waiting: &[ApprovalView]) -> Result<Failure, Failure> {
    if context.ui.json {
        context.ui.result(&waiting, "")?;
    }
    Ok(Failure::pending(waiting.iter().map(told).collect::<Vec<_>>().join("\n")))
}

/// What waits, who may agree, and what to do next.
fn told(view: &ApprovalView) -> String {
    let ApprovalView { id, about, asked_by, missing, until, .. } = view;
    let who = match view.may.as_slice() {
        [] => "nobody whom this machine knows: see [approvals] in the config of the node".to_owned(),
        names => names.join(", "),
    };
    format!(
        "nothing is done yet: {about}, asked for by {asked_by}, waits for {} until {until}\n\
         who may agree: {who}\n\
         next, one of them: shieldwall approval approve {id}\n\
         to take it back: shieldwall approval reject {id} --reason TEXT",
        counted((*missing).into(), "more person")
    )
}

fn ask(context: &Context, request: ApprovalRequest) -> Result<Response, Failure> {
    context.ask(&Request::Approval(request))
}

fn all(context: &Context, all: bool) -> Result<Vec<ApprovalView>, Failure> {
    let Response::Approvals(views) = ask(context, ApprovalRequest::List { all })? else { return Err(unexpected()) };
    Ok(views)
}
