//! `shieldwall peers unban`.

use super::{Which, change};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::node::ask::PeerRequest;

/// Connects to a member again that was kept away.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let member = args.which.member;
    let bans = change(context, PeerRequest::Unban { member })?;
    context.ui.result(&bans, format!("{member} is connected again"))?;
    Ok(Exit::Success)
}
