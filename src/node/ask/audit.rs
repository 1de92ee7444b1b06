//! How the audit log of a running node is.

use serde::{Deserialize, Serialize};

use crate::audit::Anchor;

/// How the audit log of a running node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// Entries, those of files that were moved away included.
    pub entries: u64,
    /// What the node has last said of it in its log; none if it has not yet.
    pub anchor: Option<Anchor>,
    /// Whether the entries that anchors name are at hand and the same, as far as the node has looked since its start.
    pub anchor_holds: bool,
    /// Why nothing can be written to it, so that the node refuses what it is asked.
    pub failed: Option<String>,
}
