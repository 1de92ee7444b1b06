//! `shieldwall peers`: the other members' nodes, whether they answer, and who is kept away for a while.

mod ban;
mod list;
mod ping;
mod unban;

use super::approval;
use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use crate::encoding::ids::MemberCode;
use crate::node::ask::{BanView, PeerRequest, Request, Response};

/// The other members' nodes; alone: which are connected, and which hold the same ledger.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Show which are connected, and which hold the same ledger
    List,
    /// Ask a member's node something, and tell how long the answer took
    Ping(ping::Args),
    /// Keep no connection to a member for a while
    Ban(ban::Args),
    /// Connect to a member again
    Unban(unban::Args),
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    match &args.command {
        None | Some(Command::List) => list::run(context),
        Some(Command::Ping(args)) => ping::run(context, args),
        Some(Command::Ban(args)) => ban::run(context, args),
        Some(Command::Unban(args)) => unban::run(context, args),
    }
}

/// Asks for a change of who is kept away.
fn change(context: &Context, request: PeerRequest) -> Result<Vec<BanView>, Failure> {
    let answer = context.connect()?.ask(&Request::Peer(request), |_| {})?;
    if let Response::Pending(view) = answer {
        return Err(approval::pending(context, &[*view])?);
    }
    let Response::Bans(bans) = answer else { return Err(unexpected()) };
    Ok(bans)
}

/// Tells who is kept away.
pub(super) fn tell(context: &Context, bans: &[BanView]) -> Outcome {
    let line = |ban: &BanView| format!("{} is kept away until {}", ban.member, ban.until);
    context.ui.result(&bans, bans.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    Ok(Exit::Success)
}

/// Which member.
#[derive(clap::Args, Debug)]
struct Which {
    /// The member's code
    member: MemberCode,
}
