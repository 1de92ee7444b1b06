//! Between the core, which knows members, and the network, which knows transport keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::MemberCode;
use crate::identity::Federation;
use crate::network::{Command, Event, GossipId, Handle, Peer, RequestFailure, ResponseId, TransportKey, Verdict};
use crate::protocol::{self, Input};

/// Connections by member, and the numbers of what is under way.
#[derive(Debug, Default)]
pub(super) struct Links {
    members: BTreeMap<TransportKey, MemberCode>,
    connected: BTreeMap<MemberCode, BTreeSet<TransportKey>>,
    questions: BTreeMap<u64, ResponseId>,
    gossip: BTreeMap<u64, GossipId>,
    next: u64,
    /// Where this node can be reached, as the network says.
    pub listening: BTreeSet<String>,
}

impl Links {
    /// Takes the members' transport keys, and gives the network the set of those who may connect.
    /// Without those that are shut out, and those that the operator keeps away.
    pub(super) fn set_members(
        &mut self,
        federation: &Federation,
        own: MemberCode,
        barred: &[TransportKey],
        away: &dyn Fn(MemberCode) -> bool,
    ) -> Command {
        self.members.clear();
        let mut peers = Vec::new();
        for transport in federation.transports().filter(|transport| federation.is_active(transport.member)) {
            let key = TransportKey(*transport.key.as_bytes());
            self.members.insert(key, transport.member);
            if transport.member != own && !barred.contains(&key) && !away(transport.member) {
                peers.push(Peer { key, addresses: transport.addresses.to_vec() });
            }
        }
        Command::SetPeers(peers)
    }

    /// Whose transport key it is.
    pub(super) fn member(&self, key: &TransportKey) -> Option<MemberCode> {
        self.members.get(key).copied()
    }

    /// What the core is told of an event of the network.
    pub(super) fn input(&mut self, event: Event) -> Option<Input> {
        match event {
            Event::Listening(address) => {
                tracing::info!(%address, "listening");
                self.listening.insert(address);
                None
            }
            Event::Connected { peer, address, outbound } => {
                let member = *self.members.get(&peer)?;
                tracing::info!(%member, %address, outbound, "connected");
                let links = self.connected.entry(member).or_default();
                let first = links.is_empty();
                links.insert(peer);
                first.then_some(Input::Connected { peer: member })
            }
            Event::Disconnected { peer } => {
                let (member, links) = self.connected.iter_mut().find(|(_, links)| links.contains(&peer))?;
                let member = *member;
                links.remove(&peer);
                if !links.is_empty() {
                    return None;
                }
                self.connected.remove(&member);
                tracing::info!(%member, "disconnected");
                Some(Input::Disconnected { peer: member })
            }
            Event::Gossip { from, id, bytes } => {
                let from = *self.members.get(&from)?;
                self.next += 1;
                self.gossip.insert(self.next, id);
                Some(Input::Gossip { from, id: self.next, bytes })
            }
            Event::Request { from, id, bytes } => {
                let from = *self.members.get(&from)?;
                self.next += 1;
                self.questions.insert(self.next, id);
                Some(Input::Request { from, id: self.next, bytes })
            }
            Event::Response { from, id, bytes } => {
                let from = *self.members.get(&from)?;
                Some(Input::Response { from, id, bytes })
            }
            Event::RequestFailed { to, id, reason } => {
                if !matches!(reason, RequestFailure::NotConnected) {
                    tracing::debug!(peer = %to, ?reason, "a request failed");
                }
                Some(Input::Failed { id })
            }
            Event::Refused { address, reason } => {
                tracing::warn!(%address, %reason, "refused a connection");
                None
            }
            Event::DialFailed { peer, reason } => {
                tracing::debug!(%peer, %reason, "could not connect");
                None
            }
        }
    }

    /// All connections are gone: the network was started anew.
    pub(super) fn reset(&mut self) -> Vec<Input> {
        self.questions.clear();
        self.gossip.clear();
        self.listening.clear();
        std::mem::take(&mut self.connected).into_keys().map(|peer| Input::Disconnected { peer }).collect()
    }

    /// Sends a request; what cannot be sent has failed.
    pub(super) fn request(&self, network: &Handle, to: MemberCode, id: u64, bytes: Vec<u8>) -> Option<Input> {
        let failed = Some(Input::Failed { id });
        let Some(to) = self.connected.get(&to).and_then(|links| links.first()).copied() else { return failed };
        network.try_send(Command::Request { to, id, bytes }).err().and(failed)
    }

    /// Answers a question. One that cannot be answered is told to the asker by the network, sooner or later.
    pub(super) fn respond(&mut self, network: &Handle, id: u64, bytes: Vec<u8>) {
        if let Some(id) = self.questions.remove(&id) {
            send(network, Command::Respond { id, bytes });
        }
    }

    /// Gives the verdict on a gossip message.
    pub(super) fn verdict(&mut self, network: &Handle, id: u64, verdict: protocol::Verdict) {
        let verdict = match verdict {
            protocol::Verdict::Accept => Verdict::Accept,
            protocol::Verdict::Ignore => Verdict::Ignore,
            protocol::Verdict::Reject => Verdict::Reject,
        };
        if let Some(message) = self.gossip.remove(&id) {
            send(network, Command::Verdict { message, verdict });
        }
    }
}

/// Sends a command that may be lost: the protocol comes back to everything by itself.
pub(super) fn send(network: &Handle, command: Command) {
    if network.try_send(command).is_err() {
        tracing::debug!("the network is busy: a command was dropped");
    }
}
