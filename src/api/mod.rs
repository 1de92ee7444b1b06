//! The running node, reached from the same machine: a Unix socket that only its owner can open.
//!
//! One request is one line of JSON; the answer is lines of progress and one last line. What can be asked is
//! [`crate::node::ask`]; nothing is decided here. There is no network access, no password and no role: whoever may open the
//! socket is the operator.
//!
//! Start with [`server`]; [`client`] is the other end.

pub mod client;
pub mod server;

pub use client::{Client, ClientError};
pub use server::{Server, ServerError};

/// Bytes of one line at most: [`crate::node::ask::DRAFTS_MAX`] long records, or the evidence of one.
pub const LINE_BYTES_MAX: u64 = 32 << 20;

#[cfg(test)]
mod tests;
