//! What is asked before statements of a log are disowned, and what it would touch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RecordLine;
use crate::encoding::ids::{LogId, MemberCode, RecordId};

/// What hangs on the statements of a log from a position on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpactView {
    /// The log.
    pub log: LogId,
    /// The first position that was looked at: the size at which the log would be closed.
    pub from: u64,
    /// The statements that are held of it.
    pub size: u64,
    /// The statements from there on, oldest first; lanes among them. Bounded: see `left_out`.
    pub records: Vec<RecordLine>,
    /// Statements behind these that were not looked at.
    pub left_out: u64,
    /// How many of the records say something that this node cannot read: whom they are for and what they are about is not known here.
    pub sealed: u64,
    /// Members that can read some of what these records say, as far as this node can tell, each with the number of records. Of another member's
    /// log this node sees those readers only that its own compartments name.
    pub readers: BTreeMap<MemberCode, u64>,
    /// Members whose checkpoint, cosignature or receipt covers at least one of the statements: they hold them.
    pub holders: Vec<MemberCode>,
    /// The consignments that the records are about.
    pub consignments: Vec<ImpactLine>,
}

/// A consignment that records of the log are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpactLine {
    /// The record that opened it.
    pub id: RecordId,
    /// Its reference, if that can be read here.
    pub ucr: Option<String>,
    /// Where it stands now, those records included as far as they have effect.
    pub state: Option<String>,
    /// The other country of it, or both if this member is neither.
    pub countries: Vec<MemberCode>,
    /// Which of the records are about it.
    pub records: Vec<RecordId>,
}
