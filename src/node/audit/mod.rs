//! The audit log of a running node: who asked for what, and what came of it.
//!
//! ```text
//! socket ─call─▶ gate ─call─▶ loop        what changes something: a line before, and one with what came of it
//!    ◀──answer── gate ◀─answer─┘          what only reads: a line before the answer leaves
//!                  └─▶ writer: one thread, one synced line at a time
//! ```
//!
//! No request reaches the loop past the gate, and the loop never waits for a line. What an entry says is decided in `acts`; nothing of an
//! opened body gets into it, but the ids.

mod acts;
mod gate;
mod writer;

pub use crate::audit::{Act, Outcome};
pub use gate::gate;
pub use writer::{Auditor, NotWritten};

use std::path::Path;

use crate::disk::AuditLog;
use crate::disk::audit_log::Found;
use crate::ledger::StoreError;

use super::clock;

/// Opens the audit log in a data folder and writes down that the node starts, and what it found of the log.
///
/// # Errors
/// [`StoreError`] if it cannot be read or written: then a node does not start, because nothing could be asked of it.
pub fn open(folder: &Path) -> Result<AuditLog, StoreError> {
    let (mut log, found) = AuditLog::open(folder)?;
    let version = format!("version {}", env!("CARGO_PKG_VERSION"));
    let note = match found {
        Found::Whole => version,
        Found::Torn { file, bytes } => {
            tracing::warn!(%file, bytes, "cut a torn line off the audit log; it was never acknowledged");
            format!("{version}; cut {bytes} bytes off {file}, which were never acknowledged")
        }
        Found::Damaged { file, line } => {
            tracing::error!(%file, line, "the audit log is not as it was written; it goes on in a new file");
            let note = format!("line {line} of {file} is not as it was written");
            log.append(Act::of_node(Act::RESUMED, Outcome::Done).note(note), clock::now())?;
            version
        }
    };
    log.append(Act::of_node("node-started", Outcome::Done).note(note), clock::now())?;
    Ok(log)
}

#[cfg(test)]
mod tests;
