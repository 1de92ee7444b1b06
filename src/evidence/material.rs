//! What an export is made from, as the node has it in its store.

use super::lane::LaneEvidence;
use crate::encoding::hash::Digest;
use crate::encoding::ids::RecordId;
use crate::identity::Federation;
use crate::ledger::{FrontierEntry, SignedRoot};
use crate::seal::{CompartmentLabel, ContentKey, Opened};

/// Everything that a node holds about one record. Nothing in it needs to be good: [`super::export()`] checks all of it.
#[derive(Clone, Debug)]
pub struct Material {
    /// The record.
    pub id: RecordId,
    /// Its statement: the exact leaf.
    pub statement: Vec<u8>,
    /// Charter chain and manifests.
    pub federation: Federation,
    /// The newest checkpoint of its log. It covers at least two statements.
    pub checkpoint: Inclusion,
    /// Per-log cosignatures of its log by other members. Those that cannot serve are passed over: size below 2 or not beyond
    /// the record, a root that the path does not lead to, or a key that the member's newest manifest no longer lists. Of several by one member the earliest
    /// counts, as it says most about *since when*.
    pub cosignatures: Vec<Inclusion>,
    /// Frontier cosignatures by other members, chosen alike.
    pub frontiers: Vec<FrontierCosignature>,
    /// The body's head, if it is held: `BodyHead::encode`, or `LanesHead::encode` for a `lanes` statement.
    pub head: Option<Vec<u8>>,
    /// The compartments that the node may open.
    pub opened: Vec<OpenedCompartment>,
    /// What is to be shown of a lane, if the bundle is about one; the record is then the last statement under its checkpoint.
    pub lane: Option<LaneEvidence>,
}

/// A signature over a root of the record's log, and the way to that root.
#[derive(Clone, Debug)]
pub struct Inclusion {
    /// Checkpoint or per-log cosignature; it says for which size.
    pub root: SignedRoot,
    /// Inclusion path of the statement in the tree of that size.
    pub path: Vec<Digest>,
}

/// A signature over the root of all logs.
#[derive(Clone, Debug)]
pub struct FrontierCosignature {
    /// The signature.
    pub root: SignedRoot,
    /// The whole list that it is over, in order.
    pub entries: Vec<FrontierEntry>,
    /// Inclusion path of the statement in its log, at the size which that log has in the list.
    pub path: Vec<Digest>,
}

/// A compartment as its reader has it.
#[derive(Clone, Debug)]
pub struct OpenedCompartment {
    /// Its label in the body's head.
    pub label: CompartmentLabel,
    /// Its fields.
    pub content: Opened,
    /// The sealed bytes and the key that opens them: only used if they are to be disclosed.
    pub sealed: Option<(Vec<u8>, ContentKey)>,
}
