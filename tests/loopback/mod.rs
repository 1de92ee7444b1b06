//! End to end with real processes on loopback: what no test inside one process can show.
//!
//! A [`federation::Federation`] is set up as operators do it, with `init`, `charter create` and `charter sign`; its nodes are processes
//! that a test starts, kills and starts again. Start with `demo`, then `crash`.

#![allow(clippy::print_stderr, reason = "what a test that waits has measured belongs into its output")]

mod alerts;
mod approvals;
mod audit;
mod backup;
mod canary;
mod catch_up;
mod clock;
mod crash;
mod demo;
mod disks;
mod doctor;
mod erasure;
mod everyday;
#[allow(dead_code, reason = "shared with `examples/kill`, which uses more of it")]
mod federation;
mod fsck;
mod governance;
mod hsm;
mod liars;
mod limits;
mod outsider;
mod page;
mod peers;
mod reload;
#[allow(dead_code, reason = "shared with `examples/drills`, which uses more of it")]
mod recover;
mod restore;
mod signer;
mod slow;
mod versions;

use federation::{Federation, declarations, files_with, now, program, success, wait_for};
