//! What can be shown of the lanes to this node.

use serde::{Deserialize, Serialize};

use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;

/// One lane from another's log to this node: what an author has addressed to it under one `lanes` statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneView {
    /// The `lanes` statement.
    pub lanes: RecordId,
    /// What the author has shown last.
    pub shown: Option<ShownLane>,
    /// What it is asked to show, if its lanes have ended and it has not.
    pub asked: Option<AskedLane>,
}

/// What an author has shown of a lane, by its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLane {
    /// The number of statements of the log under the checkpoint.
    pub size: u64,
    /// How many of them, since the `lanes` statement, are addressed to this node and are here.
    pub count: u64,
    /// When the author signed the checkpoint, as it says.
    pub checkpoint_at: UnixTime,
    /// Whether the checkpoint commits to just these. If not, the author may show others another list.
    pub agrees: bool,
}

/// What an author is asked to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLane {
    /// The number of statements of the log.
    pub size: u64,
    /// How many of them, since the `lanes` statement, are addressed to this node and are here.
    pub count: u64,
    /// Since when it is asked.
    pub since: UnixTime,
}
