//! The [`Store`](crate::ledger::Store) on files: append-only segments, which are the truth, and an index beside them,
//! which derives from them.
//!
//! **Segments** (`segment`) hold frames (`frame`): length, own place, key, time of receipt, content, checksum. Each read checks
//! all of it. A group of frames is written and fsynced before anything that rests on it leaves the node. When an fsync fails,
//! the store fails for good: what the page cache holds after that is not what the disk holds.
//!
//! **The index** (`index`) is one sled tree: where each frame lies, the leaf hash of each statement, one Merkle node per 64
//! leaves, and the marks. It is never fsynced and need not be. Every group changes it in one atomic batch, together with a row
//! that says how far into the segments it has seen and the *sum* of a digest of every row. At open the whole index is
//! read and its sum compared, so that of all states that a power cut may leave only a true earlier state is used; what
//! the segments have beyond it is replayed. On any doubt (a panic, an error, a wrong sum, a place that the segments do not have)
//! the folder is deleted and rebuilt from the segments, and then the marks are gone, all of them.
//!
//! **The scrub** reads every frame again, a few at a time. What is found damaged, by it or by any read, is named and as good as absent
//! until the core has put the frame back, which it fetches from peers.
//!
//! **Erasing** (`erase`) overwrites the frames of a body where they lie, once the note of it is on the disk. An erased frame says so, and is
//! neither damage nor put back.
//!
//! **The audit log** (`audit_log`) has files of its own: lines, synced one by one.
//!
//! **backup** copies the segments of a node that works, and reads such a copy.
//!
//! **fsck** reads all of a stopped node's folder, changes nothing, and says of each fault what heals it.
//!
//! What this module never does: fetch, decide, or sign. It does not repair what is damaged by guessing; it names it.
//!
//! Start with [`store`], then [`open`]. The bytes are in `docs/disk.md`. [`guard`] is a file of its own and needs none of the rest.

pub mod audit_log;
pub mod backup;
#[cfg(any(test, feature = "simulate"))]
pub mod fault;
pub mod fsck;
pub mod guard;
pub mod open;
pub mod store;
#[cfg(any(test, feature = "simulate"))]
pub mod sweep;
pub mod version;

mod edge;
mod erase;
mod files;
mod flush;
mod frame;
mod index;
#[cfg(any(test, feature = "simulate"))]
pub mod probe;
mod renew;
mod scrub;
mod segment;
#[cfg(any(test, feature = "simulate"))]
pub mod simulated;
mod sled_index;
#[cfg(test)]
mod tests;

pub use audit_log::AuditLog;
pub use flush::{FlushJob, Flushed};
pub use guard::{Guard, GuardRefusal};
pub use open::{Cut, Damage, OpenError, Report, is_locked};
pub use scrub::Scrub;
pub use store::DiskStore;
