//! What a bundle that holds proves, as values: for a page that says it in its own words.

use super::check::{Facts, cosignature_claim, receipt_claim};
use super::derived;
use super::parts::Parts;
use super::report::{Outcome, Report};
use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::encoding::merkle;
use crate::encoding::time::UnixTime;
use crate::identity::Federation;
use crate::ledger::{Binds, Root, Statement};
use crate::record::PartialRecord;
use crate::seal::BodyHead;

/// The facts of a bundle, all of them proved under the charter that the verifier trusts. Made by [`super::summarize`] only.
///
/// It holds no more of the body than the bundle opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Summary {
    /// The federation under the bundle's own charter.
    pub federation: Federation,
    /// The record's statement.
    pub statement: Statement,
    /// Its leaf in the log's tree.
    pub leaf: Digest,
    /// The author's own checkpoint.
    pub checkpoint: Held,
    /// Of each other member the earliest signature that counts, by date and then by member.
    pub witnesses: Vec<Held>,
    /// The newest date of all signatures of the bundle over the log.
    pub newest: UnixTime,
    /// How many compartments the body has; `None` if its head is not shown or it has no body.
    pub compartments: Option<u64>,
    /// The compartments of which fields are shown.
    pub opened: Vec<Opened>,
    /// The fields shown.
    pub shown: PartialRecord,
}

/// That a member signed a tree of the log in which the record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// When, as the member says.
    pub at: UnixTime,
    /// Who.
    pub by: MemberCode,
    /// Statements in that tree.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

/// A compartment of which fields are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its name.
    pub name: String,
    /// Fields shown.
    pub shown: u64,
    /// Fields in all.
    pub fields: u64,
}

impl Summary {
    /// `report` is that of the same bundle, and has no claim that failed.
    pub(super) fn new(parts: &Parts, facts: &Facts, report: &Report) -> Self {
        let author = facts.statement.id.log.member;
        let counts =
            |name: String| report.claims.iter().any(|claim| claim.name == name && claim.outcome == Outcome::Proved);
        let held =
            |root: &Root, size: u64, log_root: Digest| Held { at: root.issued_at, by: root.by, size, root: log_root };
        let of_receipts = facts.receipts.iter().filter(|(member, _)| counts(receipt_claim(**member)));
        let of_receipts =
            of_receipts.map(|(_, root)| held(root, root.claim.log_and_size().map_or(0, |(_, size)| size), root.root));
        let of_frontiers = facts.cosignatures.iter().filter(|(member, _)| counts(cosignature_claim(**member)));
        let of_frontiers = of_frontiers.map(|(_, (root, entry))| held(root, entry.size, entry.root));
        let mut all: Vec<Held> = of_receipts.chain(of_frontiers).collect();
        all.sort();
        let newest = all.last().map_or(facts.statement.issued_at, |held| held.at.max(facts.statement.issued_at));
        let checkpoint =
            all.iter().find(|held| held.by == author).copied().expect("every good bundle has the author's checkpoint");
        let mut witnesses: Vec<Held> = Vec::new();
        for held in all.into_iter().filter(|held| held.by != author) {
            if !witnesses.iter().any(|known| known.by == held.by) {
                witnesses.push(held);
            }
        }
        let head = parts.head.as_deref().filter(|_| facts.statement.binds == Binds::Body);
        let opened = parts.fields.iter().filter_map(|(label, proofs)| {
            let name = facts.compartments.get(label)?.clone();
            Some(Opened { name, shown: proofs.len() as u64, fields: proofs.first()?.size })
        });
        let mut opened: Vec<Opened> = opened.collect();
        opened.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            federation: facts.federation.clone(),
            statement: facts.statement.clone(),
            leaf: merkle::leaf_hash(&parts.statement),
            checkpoint,
            witnesses,
            newest,
            compartments: head
                .and_then(|head| BodyHead::decode(head).ok())
                .map(|head| head.compartments().len() as u64),
            opened,
            shown: PartialRecord::from_content(&derived::content(parts)),
        }
    }
}
