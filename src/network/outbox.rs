//! Requests that wait for a free place, and the count of those under way. Pure bookkeeping.
//!
//! Bulk sync is bounded here and not by a rate: so many requests in flight per peer, so many altogether, and the peers
//! take turns.

use std::collections::{BTreeMap, VecDeque};

use super::TransportKey;
use super::limits::{IN_FLIGHT_PER_PEER, IN_FLIGHT_TOTAL, WAITING_BYTES, WAITING_PER_PEER};

/// The requests to all peers.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    peers: BTreeMap<TransportKey, Lane>,
    waiting_bytes: usize,
    in_flight: usize,
    /// Whose turn was last.
    last: Option<TransportKey>,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    in_flight: usize,
}

/// A request that waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: u64,
    pub(super) bytes: Vec<u8>,
}

impl Outbox {
    /// Puts a request in the queue of its peer. Returns `false` if there is no room.
    #[must_use]
    pub(super) fn push(&mut self, to: TransportKey, id: u64, bytes: Vec<u8>) -> bool {
        if self.waiting_bytes.saturating_add(bytes.len()) > WAITING_BYTES {
            return false;
        }
        let lane = self.peers.entry(to).or_default();
        if lane.waiting.len() >= WAITING_PER_PEER {
            return false;
        }
        self.waiting_bytes += bytes.len();
        lane.waiting.push_back(Waiting { id, bytes });
        true
    }

    /// The next request to send, peers taking turns. It counts as in flight until [`Outbox::done`].
    pub(super) fn next(&mut self) -> Option<(TransportKey, Waiting)> {
        if self.in_flight >= IN_FLIGHT_TOTAL {
            return None;
        }
        let ready = |(peer, lane): (&TransportKey, &Lane)| {
            (!lane.waiting.is_empty() && lane.in_flight < IN_FLIGHT_PER_PEER).then_some(*peer)
        };
        let after = self.last.and_then(|last| {
            use std::ops::Bound::{Excluded, Unbounded};
            self.peers.range((Excluded(last), Unbounded)).find_map(ready)
        });
        let peer = after.or_else(|| self.peers.iter().find_map(ready))?;
        let lane = self.peers.get_mut(&peer)?;
        let request = lane.waiting.pop_front()?;
        lane.in_flight += 1;
        self.in_flight += 1;
        self.waiting_bytes -= request.bytes.len();
        self.last = Some(peer);
        Some((peer, request))
    }

    /// A request of this peer has been answered or has failed.
    pub(super) fn done(&mut self, peer: &TransportKey) {
        if let Some(lane) = self.peers.get_mut(peer)
            && lane.in_flight > 0
        {
            lane.in_flight -= 1;
            self.in_flight -= 1;
            if lane.in_flight == 0 && lane.waiting.is_empty() {
                self.peers.remove(peer);
            }
        }
    }

    /// Takes out all requests that wait for a peer, because it is gone.
    pub(super) fn take_waiting(&mut self, peer: &TransportKey) -> Vec<u64> {
        let Some(lane) = self.peers.get_mut(peer) else { return Vec::new() };
        let waiting = std::mem::take(&mut lane.waiting);
        if lane.in_flight == 0 {
            self.peers.remove(peer);
        }
        self.waiting_bytes -= waiting.iter().map(|request| request.bytes.len()).sum::<usize>();
        waiting.into_iter().map(|request| request.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: TransportKey = TransportKey([1; 32]);
    const B: TransportKey = TransportKey([2; 32]);

    fn drain(outbox: &mut Outbox) -> Vec<(u8, u64)> {
        std::iter::from_fn(|| outbox.next()).map(|(peer, request)| (peer.0[0], request.id)).collect()
    }

    #[test]
    fn peers_take_turns_and_each_has_four_in_flight() {
        let mut outbox = Outbox::default();
        for id in 0..10 {
            assert!(outbox.push(A, id, vec![0; 3]));
        }
        assert!(outbox.push(B, 100, Vec::new()));
        assert!(outbox.push(B, 101, Vec::new()));
        assert_eq!(drain(&mut outbox), [(1, 0), (2, 100), (1, 1), (2, 101), (1, 2), (1, 3)]);
        outbox.done(&A);
        assert_eq!(drain(&mut outbox), [(1, 4)]);
        assert_eq!(outbox.take_waiting(&A), [5, 6, 7, 8, 9]);
        for _ in 0..4 {
            outbox.done(&A);
        }
        outbox.done(&B);
        outbox.done(&B);
        outbox.done(&B);
        assert!(outbox.peers.is_empty());
        assert_eq!((outbox.waiting_bytes, outbox.in_flight), (0, 0));
    }

    #[test]
    fn the_queue_is_bounded_in_number_and_in_bytes() {
        let mut outbox = Outbox::default();
        for id in 0..WAITING_PER_PEER as u64 {
            assert!(outbox.push(A, id, Vec::new()));
        }
        assert!(!outbox.push(A, 1000, Vec::new()));
        assert!(outbox.push(B, 0, vec![0; WAITING_BYTES]));
        assert!(!outbox.push(B, 1, vec![0; 1]));
    }

    #[test]
    fn the_total_in_flight_is_bounded() {
        let mut outbox = Outbox::default();
        for peer in 0..40 {
            for id in 0..4 {
                assert!(outbox.push(TransportKey([peer; 32]), id, Vec::new()));
            }
        }
        assert_eq!(drain(&mut outbox).len(), IN_FLIGHT_TOTAL);
    }
}
