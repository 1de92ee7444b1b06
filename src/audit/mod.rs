//! The audit log of one node: who did and read what, line by line, each line with the digest of the one before.
//!
//! ```text
//! entry ──line──▶ file of lines ──Verifier──▶ Report: the first line that is not as it was written
//!   └ number and digest of the last one ──▶ Anchor, a record in the node's own log ──┘
//! ```
//!
//! Not the same as the audit of statements, in which a node checks the signature of each. Nothing here reads or writes a file; an entry
//! holds no content of a record, only its id.
//!
//! Start with [`Entry`]; then [`Verifier`].

mod entry;
mod verify;

pub use entry::{Act, Entry, IDS_MAX, LINE_MAX, Link, NotAnEntry, Outcome, TEXT_MAX, bounded};
pub use verify::{Anchor, FAULTS_MAX, Fault, Flaw, Place, Report, Standing, Verifier};
