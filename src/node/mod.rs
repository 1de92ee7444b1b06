//! One running node: its config, its key files, its clock, and the loop that feeds the core and carries out its effects.
//!
//! Everything that decides is in the core; this module only connects it to files, sockets and time. It never judges a
//! record, and nothing from an opened body passes through its log.
//!
//! Start with [`ask`]: what a node can be asked; then [`config`]: what an operator can choose; then [`engine`]: the loop.

pub mod answer;
pub mod approvals;
pub mod ask;
pub mod audit;
pub mod backup;
pub mod bans;
pub mod case_file;
pub mod cases;
pub mod clock;
pub mod config;
pub mod consignments;
mod desk;
pub mod engine;
pub mod join;
pub mod keys;
mod links;
pub mod matcher;
pub mod notify;
pub mod open;
pub mod private;
pub mod rebuild;
pub mod signer;
pub mod socket;
mod supervisor;
pub mod token;
pub mod views;
#[cfg(test)]
mod tests;

pub use signer::{Caps, LogKey, LogSigner, SigningKeys};
