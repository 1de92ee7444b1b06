//! The ledger: every member's log of signed statements, as one node holds and proves it.
//!
//! A log is an RFC 6962 Merkle tree over the exact bytes of its statements. This module knows signatures, positions, trees
//! and proofs. It never opens a body and does not know `record`; what a statement binds is a digest to it.
//!
//! Start with [`store`]: what is kept, and under which names.

pub mod memory;
pub mod store;

pub use store::{Frame, Key, KeyKind, LogNodes, Mark, MarkKind, Store, StoreError};
