//! The one task that owns the network: takes commands, drives libp2p, keeps the peers connected.
//!
//! What libp2p reports is handled in `swarm/incoming.rs`.

mod incoming;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::{MessageId, TopicHash};
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, Swarm};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::behaviour::{Behaviour, connection_limits};
use super::bucket::Bucket;
use super::counters::Tally;
use super::error::causes;
use super::inbox::Inbox;
use super::outbox::Outbox;
use super::outlet::Outlet;
use super::redial::Redial;
use super::trace::Trace;
use super::{
    Command, Config, Event, Limits, Peer, RequestFailure, ResponseId, TransportKey, Verdict, gossip, limits, peer_id,
    transport,
};

/// The state of the network.
pub(super) struct Task {
    swarm: Swarm<Behaviour>,
    own: TransportKey,
    topic: TopicHash,
    limits: Limits,
    commands: mpsc::Receiver<Command>,
    outlet: Outlet,
    /// Who may be connected.
    peers: BTreeMap<TransportKey, Member>,
    /// Who is connected, and by which connections, the oldest first.
    connected: BTreeMap<TransportKey, VecDeque<ConnectionId>>,
    redial: Redial,
    outbox: Outbox,
    /// Requests under way, by the number libp2p gave them.
    asked: BTreeMap<OutboundRequestId, (TransportKey, u64)>,
    inbox: Inbox,
    /// How often refused outsiders are reported.
    refusals: Bucket,
    tally: Arc<Tally>,
    trace: Trace,
    /// What makes this task panic, in tests.
    #[cfg(any(test, feature = "simulate"))]
    pub(super) trip_wire: Option<&'static [u8]>,
    started: Instant,
}

/// A peer that may be connected.
struct Member {
    addresses: Vec<Multiaddr>,
    gossip: Bucket,
    requests: Bucket,
}

impl Task {
    pub(super) fn new(
        config: &Config,
        swarm: Swarm<Behaviour>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
        tally: Arc<Tally>,
        trace: Trace,
    ) -> Self {
        let own = TransportKey::of_secret(&config.transport_secret);
        Task {
            swarm,
            own,
            topic: gossip::topic(&config.federation).hash(),
            limits: config.limits.clone(),
            commands,
            outlet: Outlet::new(events),
            peers: BTreeMap::new(),
            connected: BTreeMap::new(),
            redial: Redial::new(own),
            outbox: Outbox::default(),
            asked: BTreeMap::new(),
            inbox: Inbox::default(),
            refusals: Bucket::new(limits::REFUSALS_PER_SECOND, limits::REFUSAL_BURST, Duration::ZERO),
            tally,
            trace,
            #[cfg(any(test, feature = "simulate"))]
            trip_wire: config.trip_wire,
            started: Instant::now(),
        }
    }

    /// Runs until the node wants no more.
    pub(super) async fn run(mut self) {
        let node_gone = self.outlet.closed();
        tokio::pin!(node_gone);
        loop {
            let due = self.redial.next_due(self.limits.pending_outbound as usize).map(|due| self.started + due);
            let wake = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = self.commands.recv(), if !self.outlet.is_backed_up() => match command {
                    None | Some(Command::Shutdown) => break,
                    Some(command) => self.on_command(command),
                },
                () = self.outlet.flush(), if self.outlet.has_backlog() => {}
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                () = wake => {}
                () = self.trace.crashed() => {
                    tracing::error!("the task of a connection has panicked");
                    return;
                }
                () = &mut node_gone => break,
            }
            self.dial_who_is_due();
            self.send_what_may_be_sent();
        }
        self.close().await;
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::SetPeers(peers) => self.set_peers(peers),
            Command::Publish(bytes) => self.publish(bytes),
            Command::Verdict { message, verdict } => self.give_verdict(&message.hash, &message.from, verdict),
            Command::Request { to, id, bytes } => self.request(to, id, bytes),
            Command::Respond { id, bytes } => self.respond(id, bytes),
            Command::Decline(id) => self.inbox.drop_request(id),
            Command::Disconnect(peer) => self.disconnect(&peer),
            // Ends the loop before it comes here.
            Command::Shutdown => {}
        }
    }

    fn set_peers(&mut self, peers: Vec<Peer>) {
        let mut wanted: BTreeMap<_, Vec<Multiaddr>> = BTreeMap::new();
        for peer in peers {
            if peer.key == self.own {
                continue;
            }
            if let Err(error) = peer_id::check(&peer.key) {
                tracing::warn!(%error, "peer left out");
                continue;
            }
            let addresses = wanted.entry(peer.key).or_default();
            for text in peer.addresses {
                match transport::parse(&text) {
                    Ok(address) => addresses.push(address),
                    Err(error) => tracing::warn!(peer = %peer.key, %error, "address left out"),
                }
            }
        }
        let gone: Vec<_> = self.peers.keys().filter(|peer| !wanted.contains_key(peer)).copied().collect();
        for peer in gone {
            self.remove_peer(&peer);
        }
        for (peer, addresses) in wanted {
            self.insert_peer(peer, addresses);
        }
        let behaviour = self.swarm.behaviour_mut();
        *behaviour.limits.limits_mut() = connection_limits(&self.limits, self.peers.len());
        behaviour.address_cap.set_known(self.peers.values().flat_map(|member| &member.addresses));
    }

    /// Cuts the peer's connections: libp2p closes them when it is no longer allowed.
    fn remove_peer(&mut self, peer: &TransportKey) {
        self.peers.remove(peer);
        self.redial.remove(peer);
        self.swarm.behaviour_mut().allowed.disallow_peer(peer_id::peer_id(peer));
        self.fail_waiting(peer);
    }

    fn insert_peer(&mut self, peer: TransportKey, addresses: Vec<Multiaddr>) {
        let now = self.now();
        self.swarm.behaviour_mut().allowed.allow_peer(peer_id::peer_id(&peer));
        let member = self.peers.entry(peer).or_insert_with(|| Member {
            addresses: Vec::new(),
            gossip: Bucket::new(limits::GOSSIP_PER_SECOND, limits::GOSSIP_BURST, now),
            requests: Bucket::new(limits::REQUESTS_PER_SECOND, limits::REQUEST_BURST, now),
        });
        let changed = member.addresses != addresses;
        member.addresses = addresses;
        self.redial.insert(peer, !member.addresses.is_empty(), changed, now);
    }

    fn publish(&mut self, bytes: Vec<u8>) {
        if bytes.len() > limits::GOSSIP_BYTES {
            tracing::error!(length = bytes.len(), "message too long for gossip, not published");
            return;
        }
        if let Err(error) = self.swarm.behaviour_mut().gossip.publish(self.topic.clone(), bytes) {
            // Nobody is listening, or it was said before; sync brings it to those who come later.
            tracing::debug!(%error, "not published");
        }
    }

    fn give_verdict(&mut self, hash: &[u8], from: &TransportKey, verdict: Verdict) {
        let acceptance = gossip::acceptance(verdict);
        self.swarm.behaviour_mut().gossip.report_message_validation_result(
            &MessageId::new(hash),
            &peer_id::peer_id(from),
            acceptance,
        );
    }

    fn request(&mut self, to: TransportKey, id: u64, bytes: Vec<u8>) {
        let reason = if bytes.len() > self.limits.frame_bytes {
            RequestFailure::TooLong
        } else if !self.connected.contains_key(&to) || !self.peers.contains_key(&to) {
            RequestFailure::NotConnected
        } else if self.outbox.push(to, id, bytes) {
            return;
        } else {
            RequestFailure::Busy
        };
        self.outlet.deliver(Event::RequestFailed { to, id, reason });
    }

    fn respond(&mut self, id: ResponseId, bytes: Vec<u8>) {
        if bytes.len() > self.limits.frame_bytes {
            tracing::error!(length = bytes.len(), "answer too long, not sent");
            self.inbox.drop_request(id);
            return;
        }
        if let Some(channel) = self.inbox.answer(id) {
            // An error means that the peer no longer waits.
            self.swarm.behaviour_mut().server.send_response(channel, bytes).ok();
        }
    }

    fn disconnect(&mut self, peer: &TransportKey) {
        // An error means that it is not connected.
        self.swarm.disconnect_peer_id(peer_id::peer_id(peer)).ok();
    }

    fn dial_who_is_due(&mut self) {
        let now = self.now();
        for peer in self.redial.take_due(now, self.limits.pending_outbound as usize) {
            let Some(member) = self.peers.get(&peer) else { continue };
            let options = DialOpts::peer_id(peer_id::peer_id(&peer))
                .addresses(member.addresses.clone())
                // A port of its own: two members that dial each other from their listening ports at the same moment
                // would meet in one TCP connection in which both are the client.
                .allocate_new_port()
                .build();
            match self.swarm.dial(options) {
                Ok(()) => {}
                // The peer has dialled us, and we are about to hear of it.
                Err(DialError::DialPeerConditionFalse(_)) => self.redial.on_failed(&peer, now, chance()),
                Err(error) => self.dial_failed(peer, causes(&error)),
            }
        }
    }

    fn dial_failed(&mut self, peer: TransportKey, reason: String) {
        tracing::debug!(%peer, %reason, "dial failed");
        self.redial.on_failed(&peer, self.now(), chance());
        // The node can do without: the peer is dialled again.
        let _told = self.outlet.offer(Event::DialFailed { peer, reason });
    }

    fn send_what_may_be_sent(&mut self) {
        while let Some((to, request)) = self.outbox.next() {
            if self.connected.contains_key(&to) {
                let asked = self.swarm.behaviour_mut().client.send_request(&peer_id::peer_id(&to), request.bytes);
                self.asked.insert(asked, (to, request.id));
            } else {
                self.outbox.done(&to);
                self.outlet.deliver(Event::RequestFailed { to, id: request.id, reason: RequestFailure::NotConnected });
            }
        }
    }

    fn fail_waiting(&mut self, peer: &TransportKey) {
        for id in self.outbox.take_waiting(peer) {
            self.outlet.deliver(Event::RequestFailed { to: *peer, id, reason: RequestFailure::NotConnected });
        }
    }

    /// Lets the peers know that this node goes, for as long as the grace lasts.
    async fn close(mut self) {
        self.set_peers(Vec::new());
        let end = Instant::now() + limits::SHUTDOWN_GRACE;
        while !self.connected.is_empty() {
            match timeout_at(end, self.swarm.select_next_some()).await {
                Ok(event) => self.on_swarm_event(event),
                Err(_) => break,
            }
        }
        while self.outlet.has_backlog() && !self.outlet.is_closed() {
            if timeout_at(end, self.outlet.flush()).await.is_err() {
                break;
            }
        }
        // QUIC says good-bye from a task of its own.
        sleep(Duration::from_millis(20)).await;
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The key of a peer, if it may be connected at this moment. Asked at every message, and not only at connecting.
    fn member(&self, peer: &PeerId) -> Option<TransportKey> {
        peer_id::key(peer).filter(|key| self.peers.contains_key(key))
    }
}

/// Chance for the waits between dials; nothing depends on its quality.
fn chance() -> u64 {
    getrandom::u64().unwrap_or_default()
}
