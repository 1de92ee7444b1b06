//! `shieldwall policy`: how a country answers, reckons and tolerates, for all members to read.

use super::context::{Context, unexpected};
use super::entry::{content, show};
use super::report::Failure;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{RecordFilter, Request, Response};
use crate::node::clock;
use crate::record::{Date, Draft, Kind};

/// The newest policies of one member that are looked through for the one that holds today.
const POLICIES_MAX: u64 = 20;

/// The policy of a member that holds today: the newest whose first day has come.
///
/// # Errors
/// If the node cannot be asked.
pub(super) fn in_force(context: &Context, member: MemberCode) -> Result<Option<(RecordId, Draft)>, Failure> {
    let filter = RecordFilter {
        log: Some(crate::encoding::ids::LogId::first(member)),
        kind: Some(Kind::Policy.name().to_owned()),
        limit: POLICIES_MAX,
        ..RecordFilter::default()
    };
    let Response::Records(found) = context.ask(&Request::RecordList(filter))? else { return Err(unexpected()) };
    let today = Date::of(clock::now()).ok();
    for line in found.iter().filter(|line| line.flagged.is_none()) {
        let policy = content(&show(context, line.id)?);
        if policy.terms.is_some() && policy.effective_from.is_none_or(|first| Some(first) <= today) {
            return Ok(Some((line.id, policy)));
        }
    }
    Ok(None)
}
