//! What the nodes hold in the end, and whether that is all that it should be.

use std::collections::BTreeMap;

use super::missing::Ending;
use super::watch::Snapshot;
use crate::cli::report::Exit;
use crate::cli::show::counted;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{BodyState, RecordLine};
use crate::record::Kind;

/// The end of the show.
#[derive(Debug)]
pub(super) struct Scene {
    /// Every node that answered, in the order of the members.
    pub(super) nodes: Vec<Snapshot>,
    /// Georgia's records with what each node can see of them; empty if there are too many to show.
    pub(super) records: Vec<Shown>,
    /// What is still lacking; nothing if all have converged.
    pub(super) lacking: Vec<String>,
    /// What became of the ship that does not come, if it was among the records.
    pub(super) ending: Option<Ending>,
    /// Milliseconds since the demo began.
    pub(super) milliseconds: u128,
}

/// One record with what each node can see of it.
#[derive(Debug)]
pub(super) struct Shown {
    /// The record, as its author sees it.
    pub(super) line: RecordLine,
    /// What the others see.
    pub(super) seen: BTreeMap<MemberCode, BodyState>,
}

impl Scene {
    /// Whether all ledgers are equal, everything verified, every cosignature and receipt held.
    pub(super) fn has_converged(&self) -> bool {
        self.lacking.is_empty()
    }

    /// How the demo ends.
    pub(super) fn exit(&self) -> Exit {
        if self.nodes.iter().any(|node| !node.status.equivocations.is_empty()) {
            Exit::Equivocation
        } else if self.nodes.iter().any(|node| node.status.statements_flagged > 0) {
            Exit::Verification
        } else if self.has_converged() {
            Exit::Success
        } else {
            Exit::Behind
        }
    }

    /// The frontier, if it is the same everywhere.
    pub(super) fn frontier(&self) -> Option<Digest> {
        let first = self.nodes.first()?.ledger.frontier;
        self.nodes.iter().all(|node| node.ledger.frontier == first).then_some(first)
    }
}

/// What is lacking before the ledgers of `members` are the same, checked, opened and cosigned. Receipts are another matter.
pub(super) fn lacking(nodes: &[Snapshot], members: &[MemberCode]) -> Vec<String> {
    let mut lacking = Vec::new();
    for member in members {
        let Some(node) = nodes.iter().find(|node| node.member == *member) else {
            lacking.push(format!("{member} does not answer"));
            continue;
        };
        let status = &node.status;
        let unverified = status.statements.saturating_sub(status.statements_verified);
        if unverified > 0 {
            lacking.push(format!("{member} has not verified {}", counted(unverified, "statement")));
        }
        let empty = node.ledger.logs.iter().filter(|log| log.size == 0).count() + members.len();
        if empty > node.ledger.logs.len() {
            lacking.push(format!(
                "{member} holds no statement of {}",
                counted((empty - node.ledger.logs.len()) as u64, "member")
            ));
        }
        if status.bodies_missing > 0 {
            lacking.push(format!("{member} waits for bodies ({})", status.bodies_missing));
        }
        if let Some(reason) = &status.read_only {
            lacking.push(format!("{member} does not write: {reason}"));
        }
        let silent = members.iter().filter(|other| !node.ledger.cosigned_by.contains(other)).map(ToString::to_string);
        let silent: Vec<String> = silent.collect();
        if !silent.is_empty() {
            lacking.push(format!("{member} lacks cosignatures of {}", silent.join(" ")));
        }
    }
    let mut frontiers: Vec<Digest> = nodes.iter().map(|node| node.ledger.frontier).collect();
    frontiers.sort();
    frontiers.dedup();
    if frontiers.len() > 1 {
        lacking.push(format!("{} different frontiers", frontiers.len()));
    }
    lacking
}

/// Receipts that are lacking: at every node, of every log at its final size, by every member other than the node itself and
/// the log's owner, whose checkpoint is the receipt.
pub(super) fn lacking_receipts(nodes: &[Snapshot], members: &[MemberCode]) -> Vec<String> {
    let mut lacking = Vec::new();
    for node in nodes {
        for log in &node.ledger.logs {
            let others = members.iter().filter(|member| **member != node.member && **member != log.log.member);
            let silent = others.filter(|member| log.receipts.get(*member) != Some(&log.size)).map(ToString::to_string);
            let silent: Vec<String> = silent.collect();
            if !silent.is_empty() {
                lacking.push(format!("{} lacks receipts over {} of {}", node.member, log.log, silent.join(" ")));
            }
        }
    }
    lacking
}

/// Puts together what each node can see of the first one's notifications, oldest first.
pub(super) fn together(seen: Vec<(MemberCode, Vec<RecordLine>)>) -> Vec<Shown> {
    let mut lists = seen.into_iter();
    let Some((_, own)) = lists.next() else { return Vec::new() };
    let others: Vec<(MemberCode, BTreeMap<RecordId, BodyState>)> =
        lists.map(|(member, lines)| (member, lines.into_iter().map(|line| (line.id, line.body)).collect())).collect();
    let mut records: Vec<Shown> = own
        .into_iter()
        .filter(|line| line.kind.as_deref() == Some(Kind::ExportNotification.name()))
        .map(|line| {
            let seen = others.iter().filter_map(|(member, states)| Some((*member, *states.get(&line.id)?))).collect();
            Shown { line, seen }
        })
        .collect();
    records.sort_by_key(|record| record.line.id);
    records
}
