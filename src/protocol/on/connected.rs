//! Connections come and go, and time passes: with whom to compare frontiers.

use crate::encoding::ids::MemberCode;
use crate::ledger::Store;
use crate::protocol::message::Request;
use crate::protocol::peers::What;
use crate::protocol::{Node, Turn};

pub(super) fn connected<S: Store>(node: &mut Node<S>, peer: MemberCode) {
    node.peers.entry(peer).connected = true;
    node.hasten(peer);
    node.say_hello(peer);
}

pub(super) fn disconnected<S: Store>(node: &mut Node<S>, peer: MemberCode) {
    let entry = node.peers.entry(peer);
    entry.connected = false;
    entry.body_requests = 0;
}

/// Compares with one peer per interval, chosen by chance: what gossip missed is found this way, whoever kept it back. Every
/// second time the choice is among those that are not known to hold the same ledger, if there are such.
pub(super) fn tick<S: Store>(node: &mut Node<S>, turn: &mut Turn) {
    let due =
        node.peers.compared.is_none_or(|at| turn.now.since(at) >= node.settings.sync_interval_ms || turn.now < at);
    let frontier = node.frontier().root();
    if due && let Some(peer) = node.peers.to_compare_with(&frontier, &mut turn.random) {
        node.peers.compared = Some(turn.now);
        node.say_hello(peer);
    }
}

impl<S: Store> Node<S> {
    pub(super) fn say_hello(&mut self, to: MemberCode) {
        let already = self.peers.requests.values().any(|asked| asked.to == to && asked.what == What::Hello);
        if !already {
            let hello = Request::Hello { published: self.federation.digest(), frontier: self.frontier().root() };
            self.ask(to, What::Hello, &hello);
        }
    }
}
