//! The requests that we are serving: who asked, and where the answer goes.

use std::collections::BTreeMap;

use libp2p::request_response::{InboundRequestId, ResponseChannel};

use super::limits::{SERVED_PER_PEER, SERVED_TOTAL};
use super::{ResponseId, TransportKey};

/// Where an answer goes.
pub(super) type Channel = ResponseChannel<Vec<u8>>;

/// The requests being served.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    last: u64,
    served: BTreeMap<InboundRequestId, Served>,
    channels: BTreeMap<ResponseId, (InboundRequestId, Channel)>,
}

#[derive(Debug)]
struct Served {
    from: TransportKey,
    id: ResponseId,
}

impl Inbox {
    /// Whether one more request of this peer may be served: never more than half as many as there are places left, so that peers
    /// that fill all of theirs, and read their answers slowly, always leave some to the others.
    pub(super) fn has_room(&self, from: &TransportKey) -> bool {
        has_place(self.served.len(), self.served.values().filter(|served| served.from == *from).count())
    }

    /// Takes in a request; the answer is owed under the id returned.
    pub(super) fn insert(&mut self, from: TransportKey, request: InboundRequestId, channel: Channel) -> ResponseId {
        self.last += 1;
        let id = ResponseId(self.last);
        self.served.insert(request, Served { from, id });
        self.channels.insert(id, (request, channel));
        id
    }

    /// The channel for an answer; `None` if the peer no longer waits for it.
    pub(super) fn answer(&mut self, id: ResponseId) -> Option<Channel> {
        self.channels.remove(&id).map(|(_, channel)| channel)
    }

    /// Gives up a request: the peer sees its stream closed without an answer.
    pub(super) fn drop_request(&mut self, id: ResponseId) {
        if let Some((request, _)) = self.channels.remove(&id) {
            self.served.remove(&request);
        }
    }

    /// The answer has been sent, or can no longer be.
    pub(super) fn done(&mut self, request: &InboundRequestId) {
        if let Some(served) = self.served.remove(request) {
            self.channels.remove(&served.id);
        }
    }
}

/// Whether a peer with so many of all these places may have one more.
fn has_place(taken: usize, own: usize) -> bool {
    let free = SERVED_TOTAL.saturating_sub(taken);
    free > 0 && own < SERVED_PER_PEER && own <= free / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many places each of so many peers gets that all want as many as they can have.
    fn shares(peers: usize) -> Vec<usize> {
        let mut shares = vec![0; peers];
        while let Some(next) =
            (0..peers).filter(|peer| has_place(shares.iter().sum(), shares[*peer])).min_by_key(|peer| shares[*peer])
        {
            shares[next] += 1;
        }
        shares
    }

    #[test]
    fn greedy_peers_leave_places_to_others() {
        assert_eq!(shares(1), [SERVED_PER_PEER]);
        for peers in [2, 5, 8, 12, 20] {
            let taken: usize = shares(peers).iter().sum();
            assert!(has_place(taken, 0), "{peers} peers leave nothing");
            assert!(shares(peers).iter().all(|share| *share >= 2), "{:?}", shares(peers));
        }
        // With as many as there are places, each has one at most and no more.
        assert_eq!(shares(100).iter().sum::<usize>(), SERVED_TOTAL);
    }
}
