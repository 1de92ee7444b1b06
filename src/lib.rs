//! Shieldwall: the node that each country runs to share its precursor-chemical exports with the countries that need to know.
//!
//! The modules, in order; each may use those above it and none below (`tests/tidy.rs` checks). The first half is the pure core:
//! no socket, file, clock or randomness. The second half is the world around it, behind the feature `node`.
//!
//! The walk of one record: [`formats`] or an officer's JSON gives a [`record::Draft`], the check a [`record::Record`]; [`protocol`] has it
//! sealed by [`seal`] and bound by a [`ledger::Statement`]; `disk` makes it durable, `network` carries it; at the peer the same way back:
//! proved and verified by [`ledger`], opened by [`seal`], told apart by [`watch`]; and [`evidence`] proves it to an outsider.
#![warn(missing_docs)]

// The pure core.
pub mod encoding;
pub mod record;
pub mod identity;
pub mod seal;
pub mod ledger;
pub mod evidence;
pub mod audit;
pub mod watch;
pub mod generate;
pub mod protocol;
#[cfg(any(test, feature = "simulate"))]
pub mod simulate;

// The world around it.
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
