//! `shieldwall peers ban`.

use std::time::Duration;

use super::{Which, change};
use crate::cli::context::{Context, duration};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::node::ask::PeerRequest;

/// Cuts the connections to a member and makes none for a while: for this node alone, and only by its operator.
///
/// What the member signs still comes, through the others, and counts as before; but contents that the two seal for each other wait until they
/// are connected again, unless a custodian has them. Who is to be heard no more is suspended by the charter (`charter propose --suspend`). The
/// ban outlives a restart and ends by itself.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// For how long, such as 30m, 24h or 7d; a year at most
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    lasts: Duration,
    /// Why, for who looks at it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let member = args.which.member;
    let seconds = u32::try_from(args.lasts.as_secs())
        .map_err(|_| Failure::new(Exit::Usage, "a ban lasts a year at most; for good, the charter suspends"))?;
    context
        .confirm(&format!("Cut the connections to {member} for {seconds} s? What the two seal for each other waits"))?;
    let bans = change(context, PeerRequest::Ban { member, seconds, reason: args.reason.clone() })?;
    let until = bans.iter().find(|ban| ban.member == member).map(|ban| ban.until.to_string()).unwrap_or_default();
    context.ui.result(&bans, format!("{member} is kept away until {until}"))?;
    context.ui.say("Statements still come through the others. Contents that the two seal for each other wait until the ban is over.");
    Ok(Exit::Success)
}
