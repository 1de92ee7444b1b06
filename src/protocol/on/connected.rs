//! Connections come and go, and time passes: with whom to compare frontiers.

use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::ledger::Store;
use crate::protocol::message::Request;
use crate::protocol::peers::What;
use crate::protocol::{Node, Turn, limits};

pub(super) fn connected<S: Store>(node: &mut Node<S>, peer: MemberCode) {
    let entry = node.peers.entry(peer);
    (entry.connected, entry.told) = (true, None);
    node.hasten(peer);
    // It may have been away when a proof of equivocation was sent: if it holds another ledger, the proof is sent again.
    node.logs.values_mut().for_each(|state| state.fork_told = None);
    node.say_hello(peer);
}

pub(super) fn disconnected<S: Store>(node: &mut Node<S>, peer: MemberCode) {
    let entry = node.peers.entry(peer);
    entry.connected = false;
    entry.body_requests = 0;
    entry.greeted = None;
    // Nobody waits for these answers any more.
    entry.waiting.clear();
}

/// Gives up what nobody answers, and compares with one peer per interval, chosen by chance: what gossip missed is found this way,
/// whoever kept it back. Every second time the choice is among those that are not known to hold the same ledger, if there are such.
pub(super) fn tick<S: Store>(node: &mut Node<S>, turn: &mut Turn) {
    for id in node.peers.overdue(turn.now) {
        super::response::failed(node, turn, id);
    }
    if !node.room {
        return;
    }
    for peer in node.peers.connected() {
        // Its answer decides whether one's own log may be signed. On a bad network the question is not left to one message in half a minute.
        let asked = |node: &Node<S>| node.peers.is_asked_within(peer, What::Hello, turn.now, limits::GREET_AGAIN_MS);
        if node.author.listens_to(peer) && !asked(node) {
            node.greet(peer);
        }
    }
    let due =
        node.peers.compared.is_none_or(|at| turn.now.since(at) >= node.settings.sync_interval_ms || turn.now < at);
    if due && let Some(peer) = node.peers.to_compare_with(&node.frontier.root(), &mut turn.random) {
        node.peers.compared = Some(turn.now);
        node.say_hello(peer);
    }
}

impl<S: Store> Node<S> {
    /// Greets a peer that greeted, because it seems to know something else. The same greeting is answered once: whatever it had
    /// to tell was asked for then, and two nodes that cannot agree must not greet each other for ever.
    pub(super) fn greet_back(&mut self, turn: &Turn, peer: MemberCode, theirs: [Digest; 2]) {
        let entry = self.peers.entry(peer);
        let again = entry
            .greeted
            .is_some_and(|(at, last)| last == theirs || (at <= turn.now && turn.now.since(at) < limits::GREET_BACK_MS));
        if !again {
            entry.greeted = Some((turn.now, theirs));
            self.say_hello(peer);
        }
    }

    /// Greets a peer once what is staged is durable, also if an earlier greeting is under way: that one told less.
    pub(in crate::protocol) fn say_hello_durable(&mut self, to: MemberCode) {
        let hello = Request::Hello { published: self.published_digest(), frontier: self.frontier.root() };
        self.ask_durable(to, What::Hello, &hello);
    }

    pub(super) fn say_hello(&mut self, to: MemberCode) {
        if !self.peers.is_asked(to, What::Hello) {
            self.greet(to);
        }
    }

    /// Greets a peer, also if an earlier greeting is under way.
    fn greet(&mut self, to: MemberCode) {
        let hello = Request::Hello { published: self.published_digest(), frontier: self.frontier.root() };
        self.ask(to, What::Hello, &hello);
    }
}
