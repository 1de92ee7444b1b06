//! What the network has turned away since it started, for metrics: events say it only at a bounded rate, or not at all.

use std::sync::atomic::{AtomicU64, Ordering};

/// What has been turned away so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Inbound connections that were denied: outsiders, and those over a limit.
    pub connections_refused: u64,
    /// Gossip messages dropped, because a peer sent too many or the node did not keep up.
    pub gossip_dropped: u64,
    /// Requests closed without an answer, because a peer sent too many or the node did not keep up.
    pub requests_dropped: u64,
}

/// The counting side, shared between the task and its handles.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) connections_refused: AtomicU64,
    pub(super) gossip_dropped: AtomicU64,
    pub(super) requests_dropped: AtomicU64,
}

impl Tally {
    pub(super) fn read(&self) -> Counters {
        // The counts stand for themselves; no order between them is promised.
        Counters {
            connections_refused: self.connections_refused.load(Ordering::Relaxed),
            gossip_dropped: self.gossip_dropped.load(Ordering::Relaxed),
            requests_dropped: self.requests_dropped.load(Ordering::Relaxed),
        }
    }
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
