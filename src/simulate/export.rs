//! What a node holds, in a form in which two nodes, or one before and after a restart, can be compared.

use std::collections::BTreeMap;

use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::ledger::{Store, StoreError};
use crate::protocol::view::View;

/// What a node holds of all logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// By log: statements held and audited, the root over the audited ones, and how many have no effect.
    pub logs: BTreeMap<LogId, LogExport>,
    /// The root of the frontier.
    pub frontier: Digest,
}

/// What a node holds of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogExport {
    /// Statements held.
    pub size: u64,
    /// Statements audited.
    pub audited: u64,
    /// The root over these.
    pub root: Digest,
    /// How many of these have no effect.
    pub flagged: u64,
    /// Where two histories of it part, as far as is known.
    pub fork: Option<u64>,
}

impl Export {
    /// Reads it out of a node's store.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub fn of<S: Store>(view: &View<'_, S>) -> Result<Self, StoreError> {
        let mut logs = BTreeMap::new();
        for log in view.logs()? {
            let flagged = view.flagged(Some(log.log))?;
            let export = LogExport { size: log.size, audited: log.audited, root: log.root, flagged, fork: log.fork };
            logs.insert(log.log, export);
        }
        Ok(Self { logs, frontier: view.frontier()?.root() })
    }
}
