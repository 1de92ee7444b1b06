//! How far a record of this member has come into others' hands, as `record show` says it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value as Json, json};

use crate::cli::show::counted;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::node::ask::RecordView;
use crate::node::config::{Custody, CustodyPolicy};

/// How far a record of this member has come into others' hands.
pub(super) struct Judged {
    state: Custody,
    met_at: Option<UnixTime>,
    holders: String,
}

impl Judged {
    /// By what the node knows, and what its config asks for.
    pub(super) fn of(record: &RecordView, policy: &CustodyPolicy) -> Self {
        let others = &record.held_since;
        let count = counted(others.len() as u64, "other member");
        let regions = counted(policy.regions(others.keys()).len() as u64, "region");
        let holders = match (policy.members, policy.regions) {
            (0, _) => count,
            (members, 0) => format!("{count}; {members} are asked for"),
            (members, wanted) => format!("{count} in {regions}; {members} in {wanted} are asked for"),
        };
        Self { state: policy.judge(others, !record.acknowledged_by.is_empty()), met_at: policy.met_at(others), holders }
    }

    /// For programs: `{"state","witnessed_at"}`.
    pub(super) fn to_json(&self) -> Json {
        json!({ "state": self.state.name(), "witnessed_at": self.met_at })
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.met_at.map_or_else(String::new, |at| format!(" since {at}"));
        // Whoever acknowledges a record is known by name, and when.
        let since = if self.state == Custody::Witnessed { since.as_str() } else { "" };
        write!(f, "{}{since}: {}", self.state.name(), self.holders)
    }
}

/// Members, each with a time.
pub(super) fn since(members: &BTreeMap<MemberCode, UnixTime>) -> Option<String> {
    let one = |(member, at): (&MemberCode, &UnixTime)| format!("{member} since {at}");
    (!members.is_empty()).then(|| members.iter().map(one).collect::<Vec<_>>().join(", "))
}
