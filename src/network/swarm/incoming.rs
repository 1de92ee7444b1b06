//! What libp2p reports: connections, gossip, requests, answers.

use libp2p::core::ConnectedPoint;
use libp2p::gossipsub;
use libp2p::request_response::{self, InboundRequestId, Message, OutboundFailure, OutboundRequestId};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId};

use super::{Task, chance};
use crate::network::behaviour::BehaviourEvent;
use crate::network::counters::count;
use crate::network::error::causes;
use crate::network::inbox::Channel;
use crate::network::{Event, GossipId, RequestFailure, Verdict, gossip, limits, peer_id};

type Exchange = request_response::Event<Vec<u8>, Vec<u8>>;

impl Task {
    pub(super) fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        self.take_swarm_event(event);
        self.trace.handling(None);
    }

    fn take_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::NewListenAddr { address, .. } => self.outlet.deliver(Event::Listening(address.to_string())),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(&peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => self.on_closed(&peer_id, connection_id),
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                self.on_incoming_error(&send_back_addr, &error);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => self.on_dial_error(&peer, &error),
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::warn!(?addresses, ?reason, "no longer listening");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listening is disturbed"),
            SwarmEvent::OutgoingConnectionError { peer_id: None, .. }
            | SwarmEvent::IncomingConnection { .. }
            | SwarmEvent::ExpiredListenAddr { .. }
            | SwarmEvent::Dialing { .. }
            | SwarmEvent::NewExternalAddrCandidate { .. }
            | SwarmEvent::ExternalAddrConfirmed { .. }
            | SwarmEvent::ExternalAddrExpired { .. }
            | SwarmEvent::NewExternalAddrOfPeer { .. }
            | _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Trace(never) | BehaviourEvent::AddressCap(never) => match never {},
            BehaviourEvent::Allowed(never) | BehaviourEvent::Limits(never) | BehaviourEvent::Memory(never) => {
                match never {}
            }
            BehaviourEvent::Ping(ping) => {
                if let Err(error) = ping.result {
                    tracing::debug!(peer = %ping.peer, %error, "connection is dead");
                    self.swarm.close_connection(ping.connection);
                }
            }
            BehaviourEvent::Gossip(event) => self.on_gossip_event(event),
            BehaviourEvent::Server(event) => self.on_server_event(event),
            BehaviourEvent::Client(event) => self.on_client_event(event),
        }
    }

    fn on_established(&mut self, peer: &PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(key) = self.member(peer) else {
            self.swarm.close_connection(connection);
            return;
        };
        let connections = self.connected.entry(key).or_default();
        connections.push_back(connection);
        // The newest are those that surely live: the peer may have been restarted.
        for oldest in connections.iter().rev().skip(limits::CONNECTIONS_PER_PEER) {
            self.swarm.close_connection(*oldest);
        }
        if connections.len() == 1 {
            self.redial.on_connected(&key, self.started.elapsed());
            self.outlet.deliver(Event::Connected {
                peer: key,
                address: endpoint.get_remote_address().to_string(),
                outbound: endpoint.is_dialer(),
            });
        }
    }

    fn on_closed(&mut self, peer: &PeerId, connection: ConnectionId) {
        let Some(key) = peer_id::key(peer) else { return };
        let Some(connections) = self.connected.get_mut(&key) else { return };
        connections.retain(|id| *id != connection);
        if !connections.is_empty() {
            return;
        }
        self.connected.remove(&key);
        self.redial.on_disconnected(&key, self.now(), chance());
        self.fail_waiting(&key);
        self.outlet.deliver(Event::Disconnected { peer: key });
    }

    fn on_incoming_error(&mut self, address: &Multiaddr, error: &ListenError) {
        let reason = causes(error);
        tracing::debug!(%address, %reason, "inbound connection refused");
        if !matches!(error, ListenError::Denied { .. }) {
            return;
        }
        count(self.tally.of_refusal(error));
        if self.refusals.take(self.now()) {
            let _told = self.outlet.offer(Event::Refused { address: address.to_string(), reason });
        }
    }

    fn on_dial_error(&mut self, peer: &PeerId, error: &DialError) {
        if let Some(key) = self.member(peer) {
            self.dial_failed(key, causes(error));
        }
    }

    fn on_gossip_event(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source, message_id, message } = event else { return };
        let Some(from) = peer_id::key(&propagation_source) else { return };
        self.trace.handling(Some(from));
        let hash = gossip::message_id(message.topic.as_str(), &message.data);
        debug_assert_eq!(message_id.0, hash);
        let now = self.now();
        let in_time =
            message.topic == self.topic && self.peers.get_mut(&from).is_some_and(|member| member.gossip.take(now));
        if !in_time {
            count(&self.tally.gossip_over_rate);
        } else if !self.outlet.offer(Event::Gossip { from, id: GossipId { hash, from }, bytes: message.data }) {
            count(&self.tally.gossip_not_kept_up);
        } else {
            return;
        }
        // Too much, or the node is busy: nobody's fault, and sync brings it later.
        self.give_verdict(&hash, &from, Verdict::Ignore);
    }

    fn on_server_event(&mut self, event: Exchange) {
        match event {
            Exchange::Message { peer, message: Message::Request { request_id, request, channel }, .. } => {
                self.on_request(&peer, request_id, request, channel);
            }
            Exchange::ResponseSent { request_id, .. } | Exchange::InboundFailure { request_id, .. } => {
                self.inbox.done(&request_id);
            }
            // The server asks nothing.
            Exchange::Message { message: Message::Response { .. }, .. } | Exchange::OutboundFailure { .. } => {}
        }
    }

    /// A request that is not taken is dropped with its channel: the peer sees its stream closed.
    fn on_request(&mut self, peer: &PeerId, request: InboundRequestId, bytes: Vec<u8>, channel: Channel) {
        let Some(from) = self.member(peer) else { return };
        self.trace.handling(Some(from));
        #[cfg(any(test, feature = "simulate"))]
        assert!(self.trip_wire.is_none_or(|wire| bytes != wire), "the trip wire of a test");
        let now = self.now();
        let in_time = self.peers.get_mut(&from).is_some_and(|member| member.requests.take(now));
        if !in_time || !self.inbox.has_room(&from) {
            tracing::debug!(%from, "request dropped, too many");
            count(if in_time { &self.tally.requests_no_room } else { &self.tally.requests_over_rate });
            return;
        }
        let id = self.inbox.insert(from, request, channel);
        if !self.outlet.offer(Event::Request { from, id, bytes }) {
            tracing::debug!(%from, "request dropped, the node is busy");
            count(&self.tally.requests_not_kept_up);
            self.inbox.drop_request(id);
        }
    }

    fn on_client_event(&mut self, event: Exchange) {
        match event {
            Exchange::Message { message: Message::Response { request_id, response }, .. } => {
                self.on_answer(&request_id, Ok(response));
            }
            Exchange::OutboundFailure { request_id, error, .. } => {
                self.on_answer(&request_id, Err(failure(&error)));
            }
            // The client is asked nothing.
            Exchange::Message { message: Message::Request { .. }, .. }
            | Exchange::InboundFailure { .. }
            | Exchange::ResponseSent { .. } => {}
        }
    }

    fn on_answer(&mut self, request: &OutboundRequestId, answer: Result<Vec<u8>, RequestFailure>) {
        let Some((peer, id)) = self.asked.remove(request) else { return };
        self.trace.handling(Some(peer));
        self.outbox.done(&peer);
        // An answer of a peer that has been removed meanwhile is not used.
        let answer =
            answer.and_then(
                |bytes| {
                    if self.peers.contains_key(&peer) { Ok(bytes) } else { Err(RequestFailure::NotConnected) }
                },
            );
        self.outlet.deliver(match answer {
            Ok(bytes) => Event::Response { from: peer, id, bytes },
            Err(reason) => Event::RequestFailed { to: peer, id, reason },
        });
    }
}

fn failure(error: &OutboundFailure) -> RequestFailure {
    match error {
        OutboundFailure::DialFailure => RequestFailure::NotConnected,
        OutboundFailure::Timeout => RequestFailure::Timeout,
        OutboundFailure::ConnectionClosed => RequestFailure::ConnectionLost,
        OutboundFailure::UnsupportedProtocols => RequestFailure::Unsupported,
        OutboundFailure::Io(error) => RequestFailure::NoAnswer(error.to_string()),
    }
}
