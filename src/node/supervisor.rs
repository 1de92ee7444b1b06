//! The network's task, supervised: when it ends by itself, which is a fault of it or of a library below it, the node goes on
//! without it and starts it anew, with a growing wait. The ledger is not touched.
//!
//! A peer that makes it end again and again is shut out for a while; the wait then starts small again for all others. If nobody can be
//! blamed, the wait grows to a minute, and `status` says so.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::network::{self, Command, Config, Counters, Event, Handle, NetworkError, TransportKey};

/// Before the network is started again; doubled at every fault.
const WAIT: Duration = Duration::from_secs(1);
/// The longest such wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// A network that ran for so long is not in a crash loop, and crashes so long ago are no part of one.
const STEADY: Duration = Duration::from_secs(300);
/// Crashes in a row of which one peer is suspected before it is shut out: one or two may be chance, and others' fault.
const CRASHES_TO_BAR: usize = 3;
/// How long such a peer is shut out: long enough for the members to talk, short enough to come back by itself after a mistake.
const BARRED_FOR: Duration = Duration::from_secs(900);

/// A network that is started again when it ends.
#[derive(Debug)]
pub(super) struct Supervisor {
    config: Config,
    handle: Handle,
    running: Option<Running>,
    /// When it is started again, if it has ended.
    due: Instant,
    wait: Duration,
    /// The last crashes, the newest at the end.
    crashes: VecDeque<Crash>,
    /// Peers that are shut out, and until when.
    barred: BTreeMap<TransportKey, Instant>,
    /// How often it ended by itself.
    ended: u64,
    /// What earlier runs of it turned away.
    before: Counters,
}

#[derive(Debug)]
struct Running {
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
    since: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Crash {
    at: Instant,
    suspect: Option<TransportKey>,
}

/// How the network does, for `status`.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    /// Whether it runs.
    pub up: bool,
    /// How often it ended by itself.
    pub crashes: u64,
    /// Peers that are shut out because they make it end.
    pub barred: Vec<TransportKey>,
    /// What was turned away since the node started.
    pub counters: Counters,
}

impl Supervisor {
    /// Starts the network.
    ///
    /// # Errors
    /// [`NetworkError`]: at the first start, a fault is the operator's to mend.
    pub(super) fn start(config: Config) -> Result<Self, NetworkError> {
        let (handle, events, task) = network::start(&config)?;
        let now = Instant::now();
        Ok(Self {
            config,
            handle,
            running: Some(Running { events, task, since: now }),
            due: now,
            wait: WAIT,
            crashes: VecDeque::new(),
            barred: BTreeMap::new(),
            ended: 0,
            before: Counters::default(),
        })
    }

    /// Where commands go. While the network is down they are refused.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// How it does.
    pub(super) fn health(&self) -> Health {
        let counters = match self.running {
            Some(_) => self.before.plus(self.handle.counters()),
            None => self.before,
        };
        Health { up: self.running.is_some(), crashes: self.ended, barred: self.barred().collect(), counters }
    }

    /// The peers that are shut out.
    pub(super) fn barred(&self) -> impl Iterator<Item = TransportKey> {
        self.barred.keys().copied()
    }

    /// The next event; `None` once, when the network has ended by itself. While it is down, nothing comes.
    pub(super) async fn next(&mut self) -> Option<Event> {
        match &mut self.running {
            None => std::future::pending().await,
            Some(running) => {
                let event = running.events.recv().await;
                if event.is_none() {
                    self.note_end();
                }
                event
            }
        }
    }

    /// An event that is there already.
    pub(super) fn try_next(&mut self) -> Option<Event> {
        self.running.as_mut()?.events.try_recv().ok()
    }

    /// Starts the network again if it is down and the wait is over, and lets those in again who were shut out for long enough.
    /// Whether anything changed: then members must be admitted anew.
    pub(super) fn revive(&mut self) -> bool {
        let now = Instant::now();
        let barred = self.barred.len();
        self.barred.retain(|_, until| now < *until);
        let released = self.barred.len() < barred;
        if self.running.is_some() || now < self.due {
            return released && self.running.is_some();
        }
        match network::start(&self.config) {
            Ok((handle, events, task)) => {
                self.handle = handle;
                self.running = Some(Running { events, task, since: now });
                true
            }
            Err(error) => {
                tracing::error!(%error, "the network cannot start; it is tried again");
                self.postpone(now);
                false
            }
        }
    }

    /// Ends the network: connections are closed.
    pub(super) async fn stop(&mut self, within: Duration) {
        let Some(mut running) = self.running.take() else { return };
        super::links::send(&self.handle, Command::Shutdown);
        if tokio::time::timeout(within, &mut running.task).await.is_err() {
            running.task.abort();
        }
    }

    fn note_end(&mut self) {
        let Some(Running { task, since, .. }) = self.running.take() else { return };
        let now = Instant::now();
        self.ended += 1;
        self.before = self.before.plus(self.handle.counters());
        if since.elapsed() > STEADY {
            self.wait = WAIT;
        }
        let suspect = self.handle.suspect();
        self.crashes.retain(|crash| now.duration_since(crash.at) < STEADY);
        self.crashes.push_back(Crash { at: now, suspect });
        if let Some(peer) = self.culprit() {
            tracing::error!(%peer, minutes = BARRED_FOR.as_secs() / 60, "this peer makes the network fail; it is shut out");
            self.barred.insert(peer, now + BARRED_FOR);
            self.crashes.clear();
            self.wait = WAIT;
        }
        self.postpone(now);
        let again_in = self.due.duration_since(now).as_secs();
        drop(tokio::spawn(async move {
            let suspect = suspect.map(|peer| peer.to_string());
            let fault = task.await.err().map_or_else(|| "it ended by itself".to_owned(), |error| error.to_string());
            tracing::error!(fault, suspect, again_in, "the network failed; it is started again");
        }));
    }

    /// The peer that is suspected of the last crashes, all of them.
    fn culprit(&self) -> Option<TransportKey> {
        let mut last = self.crashes.iter().rev().take(CRASHES_TO_BAR);
        let suspect = last.next()?.suspect?;
        let again = last.filter(|crash| crash.suspect == Some(suspect)).count();
        (again + 1 == CRASHES_TO_BAR).then_some(suspect)
    }

    fn postpone(&mut self, now: Instant) {
        self.due = now + self.wait;
        self.wait = (self.wait * 2).min(WAIT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_that_ends_is_told_once_and_started_again() {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let config = Config::new(zeroize::Zeroizing::new([7; 32]), [1; 32], listen);
        let mut network = Supervisor::start(config).unwrap();
        assert!(matches!(network.next().await, Some(Event::Listening(_))));
        // Ended from within, as after a panic in it: nobody called `stop`.
        network.handle().send(Command::Shutdown).await.unwrap();
        assert!(network.next().await.is_none());
        assert!(network.try_next().is_none() && !network.revive(), "not before the wait is over");
        assert!(network.handle().try_send(Command::Publish(Vec::new())).is_err());
        tokio::time::sleep(WAIT + Duration::from_millis(100)).await;
        assert!(network.revive());
        assert!(matches!(network.next().await, Some(Event::Listening(_))));
        network.stop(Duration::from_secs(2)).await;
    }

    const WIRE: &[u8] = b"the network of a node falls over this";

    fn config(n: u8) -> Config {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let config = Config::new(zeroize::Zeroizing::new([n; 32]), [1; 32], listen);
        Config { exempt_loopback: true, trip_wire: Some(WIRE), ..config }
    }

    fn peer_of(n: u8, addresses: Vec<String>) -> crate::network::Peer {
        crate::network::Peer { key: TransportKey::of_secret(&[n; 32]), addresses }
    }

    /// Two peers of which one sends what makes the network panic, whenever it is connected.
    async fn the_one_who_trips_it_is_shut_out(wire: Vec<u8>) {
        let (good, bad) = (TransportKey::of_secret(&[2; 32]), TransportKey::of_secret(&[3; 32]));
        let mut node = Supervisor::start(config(1)).unwrap();
        let Some(Event::Listening(address)) = node.next().await else { panic!("an address") };
        // The same port again after each start.
        node.config.listen = vec![address.clone()];
        let mut others = Vec::new();
        for n in [2, 3] {
            let (handle, events, _) = network::start(&config(n)).unwrap();
            handle.try_send(Command::SetPeers(vec![peer_of(1, vec![address.clone()])])).unwrap();
            others.push((n, handle, events));
        }
        let [(_, good_handle, mut good_events), (_, bad_handle, mut bad_events)] =
            <[_; 2]>::try_from(others).expect("two of them");
        let attack = tokio::spawn(async move {
            while let Some(event) = bad_events.recv().await {
                if matches!(event, Event::Connected { .. }) {
                    let to = TransportKey::of_secret(&[1; 32]);
                    drop(bad_handle.try_send(Command::Request { to, id: 1, bytes: wire.clone() }));
                }
            }
        });
        let heard = tokio::spawn(async move {
            while good_events.recv().await.is_some() {}
            drop(good_handle);
        });
        let admit = |node: &Supervisor| {
            let barred: Vec<TransportKey> = node.barred().collect();
            let peers = [2, 3].map(|n| peer_of(n, Vec::new()));
            let peers = peers.into_iter().filter(|peer| !barred.contains(&peer.key)).collect();
            super::super::links::send(node.handle(), Command::SetPeers(peers));
        };
        admit(&node);
        let mut ends = 0;
        let mut good_is_there = false;
        let begun = Instant::now();
        while ends < CRASHES_TO_BAR || !good_is_there {
            assert!(begun.elapsed() < Duration::from_secs(60), "{ends} ends, {:?}", node.health());
            match tokio::time::timeout(Duration::from_millis(100), node.next()).await {
                Ok(None) => {
                    ends += 1;
                    good_is_there = false;
                }
                Ok(Some(Event::Connected { peer, .. })) => {
                    assert!(ends < CRASHES_TO_BAR || peer == good);
                    good_is_there |= peer == good;
                }
                Ok(Some(_)) | Err(_) => {}
            }
            if node.revive() {
                admit(&node);
            }
        }
        let health = node.health();
        assert_eq!((health.up, health.crashes, health.barred), (true, CRASHES_TO_BAR as u64, vec![bad]));
        // It knocks in vain, and nothing falls over any more.
        let quiet = tokio::time::timeout(Duration::from_secs(2), async { while node.next().await.is_some() {} }).await;
        assert!(quiet.is_err(), "the network has ended again");
        attack.abort();
        heard.abort();
        // After its time it is let in again.
        node.barred.insert(bad, Instant::now());
        assert!(node.revive() && node.barred().next().is_none());
        node.stop(Duration::from_secs(2)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_peer_that_makes_the_network_task_panic_is_shut_out() {
        the_one_who_trips_it_is_shut_out(WIRE.to_vec()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_peer_that_makes_the_task_of_its_connection_panic_is_shut_out() {
        the_one_who_trips_it_is_shut_out([b"codec ", WIRE].concat()).await;
    }

    #[tokio::test]
    async fn crashes_of_different_peers_bar_nobody() {
        let mut network = Supervisor::start(config(1)).unwrap();
        let suspect = |n: u8| Crash { at: Instant::now(), suspect: Some(TransportKey([n; 32])) };
        for crash in [suspect(1), suspect(1), suspect(2), suspect(1), Crash { suspect: None, ..suspect(1) }] {
            network.crashes.push_back(crash);
            assert_eq!(network.culprit(), None);
        }
        for _ in 0..2 {
            network.crashes.push_back(suspect(1));
            assert_eq!(network.culprit(), None);
        }
        network.crashes.push_back(suspect(1));
        assert_eq!(network.culprit(), Some(TransportKey([1; 32])));
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                let now = Instant::now();
                network.postpone(now);
                network.due.duration_since(now).as_secs()
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60], "without anybody to blame the wait grows");
        network.stop(Duration::from_secs(2)).await;
    }
}
