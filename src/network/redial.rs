//! When to dial whom. Pure bookkeeping: time and chance are given.
//!
//! Every peer that is not connected and has an address is dialled, again and again, after waits that double from half a
//! second to half a minute; each is shortened by chance by up to half, so that two members do not dial in step.

use std::collections::BTreeMap;
use std::time::Duration;

use super::TransportKey;
use super::limits::{DIAL_COURTESY, REDIAL_FIRST, REDIAL_LONGEST, REDIAL_STABLE};

/// The state of every peer, as far as dialling is concerned.
#[derive(Debug)]
pub(super) struct Redial {
    own: TransportKey,
    peers: BTreeMap<TransportKey, Slot>,
}

#[derive(Debug)]
struct Slot {
    /// Whether there is an address to dial. Some members only dial out.
    dialable: bool,
    /// Failures since the last good connection.
    failures: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting { due: Duration },
    Dialling,
    Connected { since: Duration },
}

impl Redial {
    pub(super) fn new(own: TransportKey) -> Self {
        Redial { own, peers: BTreeMap::new() }
    }

    /// Takes in a peer, or a change of its addresses; the latter is tried at once.
    pub(super) fn insert(&mut self, peer: TransportKey, dialable: bool, changed: bool, now: Duration) {
        let courtesy = if self.own > peer { DIAL_COURTESY } else { Duration::ZERO };
        let slot = self.peers.entry(peer).or_insert(Slot {
            dialable,
            failures: 0,
            state: State::Waiting { due: now + courtesy },
        });
        slot.dialable = dialable;
        if changed && let State::Waiting { due } = &mut slot.state {
            slot.failures = 0;
            *due = (*due).min(now + courtesy);
        }
    }

    pub(super) fn remove(&mut self, peer: &TransportKey) {
        self.peers.remove(peer);
    }

    pub(super) fn on_connected(&mut self, peer: &TransportKey, now: Duration) {
        if let Some(slot) = self.peers.get_mut(peer) {
            slot.state = State::Connected { since: now };
        }
    }

    /// The last connection to the peer is gone.
    pub(super) fn on_disconnected(&mut self, peer: &TransportKey, now: Duration, chance: u64) {
        let Some(slot) = self.peers.get_mut(peer) else { return };
        match slot.state {
            State::Connected { since } if now.saturating_sub(since) >= REDIAL_STABLE => slot.failures = 0,
            State::Connected { .. } | State::Waiting { .. } | State::Dialling => {}
        }
        slot.wait(now, chance);
    }

    /// A dial failed. Without effect if the peer has dialled us in the meantime.
    pub(super) fn on_failed(&mut self, peer: &TransportKey, now: Duration, chance: u64) {
        if let Some(slot) = self.peers.get_mut(peer)
            && slot.state == State::Dialling
        {
            slot.wait(now, chance);
        }
    }

    /// The peers to dial now, the most overdue first, so that `places` dials at most are under way.
    pub(super) fn take_due(&mut self, now: Duration, places: usize) -> Vec<TransportKey> {
        let free = places.saturating_sub(self.dialling());
        let mut due: Vec<_> = self
            .peers
            .iter()
            .filter_map(|(peer, slot)| slot.due().filter(|due| *due <= now).map(|due| (due, *peer)))
            .collect();
        due.sort_unstable();
        due.truncate(free);
        let due: Vec<_> = due.into_iter().map(|(_, peer)| peer).collect();
        for peer in &due {
            if let Some(slot) = self.peers.get_mut(peer) {
                slot.state = State::Dialling;
            }
        }
        due
    }

    /// When to ask again, if nothing else happens. `None` while all places are taken or nobody waits.
    pub(super) fn next_due(&self, places: usize) -> Option<Duration> {
        if self.dialling() >= places {
            return None;
        }
        self.peers.values().filter_map(Slot::due).min()
    }

    fn dialling(&self) -> usize {
        self.peers.values().filter(|slot| slot.state == State::Dialling).count()
    }
}

impl Slot {
    fn due(&self) -> Option<Duration> {
        match self.state {
            State::Waiting { due } if self.dialable => Some(due),
            State::Waiting { .. } | State::Dialling | State::Connected { .. } => None,
        }
    }

    fn wait(&mut self, now: Duration, chance: u64) {
        let longest = REDIAL_FIRST.saturating_mul(1 << self.failures.min(16)).min(REDIAL_LONGEST);
        let half_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX) / 2;
        let wait = Duration::from_millis(half_ms + chance % (half_ms + 1));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { due: now + wait };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: TransportKey = TransportKey([5; 32]);
    const PEER: TransportKey = TransportKey([9; 32]);
    const PLACES: usize = 2;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn with_peer() -> Redial {
        let mut redial = Redial::new(OWN);
        redial.insert(PEER, true, false, ms(0));
        redial
    }

    /// Lets every dial fail and returns the waits, with the least or the most of chance.
    fn waits(chance: u64) -> Vec<u64> {
        let mut redial = with_peer();
        let mut now = ms(0);
        (0..9)
            .map(|_| {
                assert_eq!(redial.take_due(now, PLACES), [PEER]);
                assert_eq!(redial.next_due(PLACES), None);
                redial.on_failed(&PEER, now, chance);
                let due = redial.next_due(PLACES).unwrap();
                let wait = due - now;
                now = due;
                u64::try_from(wait.as_millis()).unwrap()
            })
            .collect()
    }

    #[test]
    fn waits_double_to_half_a_minute() {
        assert_eq!(waits(0), [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
        // Chance adds up to the other half: the largest remainder of each.
        let mut redial = with_peer();
        redial.take_due(ms(0), PLACES);
        redial.on_failed(&PEER, ms(0), 250);
        assert_eq!(redial.next_due(PLACES), Some(ms(500)));
    }

    #[test]
    fn a_good_connection_resets_the_wait_and_a_short_one_does_not() {
        let mut redial = with_peer();
        for at in [0, 1_000, 3_000] {
            redial.take_due(ms(at), PLACES);
            redial.on_failed(&PEER, ms(at), 0);
        }
        redial.on_connected(&PEER, ms(10_000));
        assert_eq!(redial.next_due(PLACES), None);
        redial.on_disconnected(&PEER, ms(10_100), 0);
        assert_eq!(redial.next_due(PLACES), Some(ms(10_100 + 2_000)));
        redial.on_connected(&PEER, ms(20_000));
        redial.on_disconnected(&PEER, ms(40_000), 0);
        assert_eq!(redial.next_due(PLACES), Some(ms(40_250)));
    }

    #[test]
    fn the_larger_key_waits_at_first() {
        let mut redial = Redial::new(OWN);
        redial.insert(TransportKey([1; 32]), true, false, ms(0));
        assert_eq!(redial.next_due(PLACES), Some(DIAL_COURTESY));
        assert_eq!(with_peer().next_due(PLACES), Some(ms(0)));
    }

    #[test]
    fn places_are_bounded_and_the_longest_due_goes_first() {
        let mut redial = Redial::new(TransportKey([0; 32]));
        for (n, at) in [(1, 30), (2, 10), (3, 20)] {
            redial.insert(TransportKey([n; 32]), true, false, ms(at));
        }
        assert_eq!(redial.take_due(ms(50), PLACES), [TransportKey([2; 32]), TransportKey([3; 32])]);
        assert_eq!(redial.take_due(ms(50), PLACES), []);
        redial.remove(&TransportKey([2; 32]));
        assert_eq!(redial.take_due(ms(50), PLACES), [TransportKey([1; 32])]);
    }

    #[test]
    fn who_has_no_address_is_not_dialled_until_it_has_one() {
        let mut redial = Redial::new(OWN);
        redial.insert(PEER, false, false, ms(0));
        assert_eq!(redial.next_due(PLACES), None);
        redial.insert(PEER, true, true, ms(70));
        assert_eq!(redial.take_due(ms(70), PLACES), [PEER]);
        // A dial that fails after the peer has dialled us changes nothing.
        redial.on_connected(&PEER, ms(80));
        redial.on_failed(&PEER, ms(90), 0);
        assert_eq!(redial.next_due(PLACES), None);
    }
}
