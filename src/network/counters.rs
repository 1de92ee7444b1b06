//! What the network has turned away since it started, for `status` and metrics: events say it only at a bounded rate, or not at all.

use std::sync::atomic::{AtomicU64, Ordering};

use libp2p::swarm::ListenError;
use libp2p::{allow_block_list, memory_connection_limits};

/// What has been turned away so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Inbound connections of who is no member.
    pub outsiders_refused: u64,
    /// Inbound connections over a limit of number.
    pub connections_over_limit: u64,
    /// Inbound connections refused because memory is short.
    pub connections_no_memory: u64,
    /// Gossip messages dropped because a peer sent too many.
    pub gossip_over_rate: u64,
    /// Gossip messages dropped because the node did not keep up.
    pub gossip_not_kept_up: u64,
    /// Requests closed without an answer because a peer sent too many.
    pub requests_over_rate: u64,
    /// Requests closed without an answer because a peer, or all of them, had too many under way.
    pub requests_no_room: u64,
    /// Requests closed without an answer because the node did not keep up.
    pub requests_not_kept_up: u64,
}

/// The counting side, shared between the task and its handles.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) outsiders_refused: AtomicU64,
    pub(super) connections_over_limit: AtomicU64,
    pub(super) connections_no_memory: AtomicU64,
    pub(super) gossip_over_rate: AtomicU64,
    pub(super) gossip_not_kept_up: AtomicU64,
    pub(super) requests_over_rate: AtomicU64,
    pub(super) requests_no_room: AtomicU64,
    pub(super) requests_not_kept_up: AtomicU64,
}

impl Counters {
    /// Every inbound connection that was denied.
    pub fn connections_refused(&self) -> u64 {
        self.outsiders_refused + self.connections_over_limit + self.connections_no_memory
    }

    /// These and others together, as over several starts of the network.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Counters {
            outsiders_refused: self.outsiders_refused + other.outsiders_refused,
            connections_over_limit: self.connections_over_limit + other.connections_over_limit,
            connections_no_memory: self.connections_no_memory + other.connections_no_memory,
            gossip_over_rate: self.gossip_over_rate + other.gossip_over_rate,
            gossip_not_kept_up: self.gossip_not_kept_up + other.gossip_not_kept_up,
            requests_over_rate: self.requests_over_rate + other.requests_over_rate,
            requests_no_room: self.requests_no_room + other.requests_no_room,
            requests_not_kept_up: self.requests_not_kept_up + other.requests_not_kept_up,
        }
    }
}

impl Tally {
    /// The counter of a denied connection.
    pub(super) fn of_refusal(&self, error: &ListenError) -> &AtomicU64 {
        let ListenError::Denied { cause } = error else { return &self.connections_over_limit };
        if cause.downcast_ref::<allow_block_list::NotAllowed>().is_some() {
            &self.outsiders_refused
        } else if cause.downcast_ref::<memory_connection_limits::MemoryUsageLimitExceeded>().is_some() {
            &self.connections_no_memory
        } else {
            &self.connections_over_limit
        }
    }

    pub(super) fn read(&self) -> Counters {
        // The counts stand for themselves; no order between them is promised.
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            outsiders_refused: read(&self.outsiders_refused),
            connections_over_limit: read(&self.connections_over_limit),
            connections_no_memory: read(&self.connections_no_memory),
            gossip_over_rate: read(&self.gossip_over_rate),
            gossip_not_kept_up: read(&self.gossip_not_kept_up),
            requests_over_rate: read(&self.requests_over_rate),
            requests_no_room: read(&self.requests_no_room),
            requests_not_kept_up: read(&self.requests_not_kept_up),
        }
    }
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
