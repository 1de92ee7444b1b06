//! One running node: its config, its key files, its clock, and the loop that feeds the core and carries out its effects.
//!
//! Everything that decides is in the core; this module only connects it to files, sockets and time. It never judges a
//! record, and nothing from an opened body passes through its log.
//!
//! Start with [`ask`]: what a node can be asked; then [`config`]: what an operator can choose; then [`engine`]: the loop.

pub mod answer;
pub mod ask;
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
mod signer;
mod supervisor;
pub mod views;
#[cfg(test)]
mod tests;

pub use signer::SigningKeys;
