//! The running node, reached from the same machine: a Unix socket that only its owner can open, and the members of a group, if the config names one.
//!
//! One request is one line of JSON; the answer is lines of progress and one last line. What can be asked is
//! [`crate::node::ask`]; nothing is decided here. There is no network access, no password and no role: whoever may open the
//! socket is the operator. Only what needs a second person asks who it is ([`crate::node::approvals`]).
//!
//! Start with [`server`]; [`client`] is the other end.

pub mod client;
pub mod server;

pub use client::{Client, ClientError};
pub use server::Server;

/// Bytes of one line at most: [`crate::node::ask::DRAFTS_MAX`] long records, or the evidence of one.
pub const LINE_BYTES_MAX: u64 = 32 << 20;

#[cfg(test)]
mod tests;
