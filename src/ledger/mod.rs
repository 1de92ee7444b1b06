//! The ledger: every member's log of signed statements, as one node holds and proves it.
//!
//! A log is an RFC 6962 Merkle tree over the exact bytes of its statements. This module knows signatures, positions, trees
//! and proofs. It never opens a body and does not know `record`; what a statement binds is a digest to it. Only here a
//! [`Verified`] statement is made.
//!
//! Start with [`statement`] (a leaf), then [`signed_root`] (who vouches for a tree), [`receipt`] (the proof for one leaf),
//! [`frontier`] (all trees at once) and [`store`] (what is kept, and under which names).

pub mod erased;
pub mod examine;
pub mod fork;
pub mod frontier;
pub mod lane_proof;
pub mod memory;
pub mod receipt;
pub mod signed_root;
pub mod signed_tree;
pub mod statement;
pub mod store;

pub use erased::{Erased, Hold, Why};
pub use fork::{ForkFault, ForkProof};
pub use frontier::{Frontier, FrontierEntry};
pub use lane_proof::{LaneFault, LaneProof};
pub use receipt::Receipt;
pub use signed_root::{Claim, Root, RootFault, SignedRoot};
pub use signed_tree::{NotSigned, SignedTree};
pub use statement::{Binds, Flaw, SignatureCheck, Statement, Unverified, Verified};
pub use store::{Frame, Key, KeyKind, LogNodes, Mark, MarkKind, Store, StoreError};
