//! Shieldwall: the node that each country runs to share its precursor-chemical exports with the countries that need to know.
//!
//! The modules, in order; each may use those above it and none below (`tests/tidy.rs` checks):
#![warn(missing_docs)]

pub mod encoding;
pub mod record;
pub mod identity;
pub mod seal;
pub mod ledger;
pub mod evidence;
#[cfg(feature = "node")]
pub mod disk;
#[cfg(feature = "node")]
pub mod network;
#[cfg(feature = "node")]
pub mod formats;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "node")]
pub mod api;
#[cfg(feature = "node")]
pub mod cli;
