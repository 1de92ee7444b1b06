//! `shieldwall audit anchors`.

use crate::audit::Anchor;
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::ui::table;
use crate::encoding::ids::MemberCode;
use crate::node::ask::{Request, Response};

/// What a member has said in its log of its audit log: how many entries, and the digest of the last.
///
/// Every member's node has them. Whoever inspects a node takes them from another one's: `shieldwall audit anchors --of GE --json`, for
/// `shieldwall audit verify --anchors FILE`.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Which member [default: this one]
    #[arg(long, value_name = "MEMBER")]
    of: Option<MemberCode>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let member = args.of.map_or_else(|| Ok::<_, Failure>(context.config()?.member), Ok)?;
    let anchors = of(context, member)?;
    let row = |anchor: &Anchor| {
        [anchor.record.to_string(), anchor.at.to_string(), anchor.entries.to_string(), anchor.head.short()]
    };
    let rows: Vec<[String; 4]> = anchors.iter().map(row).collect();
    context.ui.result(&anchors, table(["RECORD", "AT", "ENTRIES", "HEAD"], rows))?;
    Ok(Exit::Success)
}

/// The anchors of a member, in the order of its records; by the running node, or from its data folder.
pub(super) fn of(context: &Context, member: MemberCode) -> Result<Vec<Anchor>, Failure> {
    let Response::Anchors(anchors) = context.ask(&Request::Anchors { member })? else { return Err(unexpected()) };
    Ok(anchors)
}
