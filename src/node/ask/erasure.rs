//! What is asked of erasures and holds, and wanted of bodies that lie on this node.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;

/// Records in one request at most: as many as one order names.
pub const ERASURE_RECORDS_MAX: usize = crate::protocol::limits::ERASES_MAX;

/// What is asked of erasures, or wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureRequest {
    /// The orders, who has answered them and who has not, and what is held.
    List,
    /// What an order that names these records would do.
    Plan {
        /// The records.
        records: Vec<RecordId>,
    },
    /// Keep bodies here whatever is ordered.
    Hold {
        /// The records.
        records: Vec<RecordId>,
        /// What the matter is called.
        reference: String,
    },
    /// Hold them no more.
    Release {
        /// The records.
        records: Vec<RecordId>,
    },
    /// Erase this node's copies of other members' records.
    Forget {
        /// The records.
        records: Vec<RecordId>,
    },
}

/// All erasures and holds that a node knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasuresView {
    /// The orders of all members, the newest first.
    pub orders: Vec<OrderView>,
    /// Other members' records that this member erased by its own decision, in the order of their ids.
    pub by_own_law: Vec<ErasedView>,
    /// Records that are held here.
    pub holds: Vec<HoldView>,
    /// What other members say that they have erased of this member's records by their own decision: records by member.
    pub told_by_others: BTreeMap<MemberCode, BTreeSet<RecordId>>,
}

/// An order to erase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// Its record.
    pub id: RecordId,
    /// When its author says that it was made.
    pub at: UnixTime,
    /// By what law.
    pub legal_basis: String,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it names.
    pub records: Vec<RecordId>,
    /// Which of these are erased here.
    pub erased_here: u64,
    /// Of one's own order: what its readers have answered.
    pub answers: BTreeMap<MemberCode, AnswerView>,
    /// Of one's own order: who could read one of the records and has not answered for all of them.
    pub silent: Vec<MemberCode>,
}

/// What a reader has answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// Its receipts.
    pub receipts: Vec<RecordId>,
    /// What it has erased.
    pub erased: BTreeSet<RecordId>,
    /// What it holds.
    pub held: BTreeSet<RecordId>,
}

/// What became of a body here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedView {
    /// The record.
    pub id: RecordId,
    /// When this node erased it.
    pub at: UnixTime,
    /// The order; none if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<RecordId>,
    /// Why, in words.
    pub why: String,
}

/// A body that is kept here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// The record.
    pub id: RecordId,
    /// Since when, or since when its order is known.
    pub since: UnixTime,
    /// What the matter is called.
    pub reference: String,
    /// The order that it keeps from being carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_by: Option<RecordId>,
}

/// What an order would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// The records, with who else can read each.
    pub records: Vec<PlannedView>,
    /// Grants of this member that still hold a key of one of them, and how many other records each opens.
    pub grants: BTreeMap<RecordId, u64>,
}

/// One record of a [`PlanView`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedView {
    /// The record.
    pub id: RecordId,
    /// What it says that it is, if it opens.
    pub kind: Option<String>,
    /// The other members that can read it.
    pub readers: BTreeSet<MemberCode>,
    /// Whether it is held here.
    pub held: bool,
}
