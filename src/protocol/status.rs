//! How a running node does, beyond what its store tells: for `status` and `peers`.

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::time::UnixTime;
use crate::ledger::Store;

use super::author::Phase;
use super::{Node, Settings};

/// Whether one's own log can be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Waiting to hear from peers how long the log is known to be.
    Starting,
    /// It can.
    Ready,
    /// Never again.
    Ended(String),
}

/// One member, as a running node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// The member.
    pub member: MemberCode,
    /// Whether it can be reached now.
    pub connected: bool,
    /// The time of its newest frontier cosignature.
    pub cosigned_at: Option<UnixTime>,
    /// The root of the frontier that it is over.
    pub frontier: Option<Digest>,
    /// Whether that is the very frontier that this node holds.
    pub agrees: bool,
}

/// The running part of a node's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// The log that this node signs.
    pub log: LogId,
    /// Whether it can be signed.
    pub signing: Signing,
    /// Records that wait to be signed.
    pub waiting: usize,
    /// Bodies addressed to this node that have not come.
    pub bodies_wanted: usize,
    /// Logs of which peers hold more.
    pub behind: Vec<LogId>,
    /// Statements held whose signatures have not been checked yet.
    pub unaudited: u64,
    /// Every other active member.
    pub peers: Vec<PeerStatus>,
    /// Members, this one included, whose frontier cosignature is over the very frontier that this node holds.
    pub agreeing: usize,
    /// Whether this node's own newest cosignature is over the frontier that it holds.
    pub own_agrees: bool,
    /// Requests under way.
    pub requests: usize,
    /// Of these, requests for receipt-form cosignatures, and for what authors have addressed to this node.
    pub receipts_asked: usize,
}

impl<S: Store> Node<S> {
    /// Whether bodies are on their way here that were asked for.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        self.peers.by_member.values().any(|peer| peer.body_requests > 0)
    }

    /// How often things are done from now on.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Whether its log is signed.
    #[must_use]
    pub fn signing(&self) -> Signing {
        match &self.author.phase {
            Phase::Starting { .. } => Signing::Starting,
            Phase::Idle | Phase::Signing { .. } | Phase::Checkpointing { .. } => Signing::Ready,
            Phase::Ended { reason } => Signing::Ended(reason.clone()),
        }
    }

    /// How the node does.
    #[must_use]
    pub fn status(&self) -> NodeStatus {
        let frontier = self.frontier.root();
        let peers: Vec<PeerStatus> = self
            .federation
            .active_members()
            .filter(|(member, _)| *member != self.me.member)
            .map(|(member, _)| {
                let peer = self.peers.by_member.get(&member);
                let cosignature = peer.and_then(|peer| peer.cosignature.as_ref());
                PeerStatus {
                    member,
                    connected: peer.is_some_and(|peer| peer.connected),
                    cosigned_at: cosignature.map(|(_, root)| root.issued_at),
                    frontier: cosignature.map(|(_, root)| root.root),
                    agrees: cosignature.is_some_and(|(_, root)| root.root == frontier),
                }
            })
            .collect();
        let own = self.witness.newest.as_ref().is_some_and(|(signed, _)| signed.root() == frontier);
        NodeStatus {
            log: self.me.log,
            signing: self.signing(),
            waiting: self.author.queue.len(),
            bodies_wanted: self.inbox.wanted.len(),
            behind: self.logs.iter().filter(|(_, state)| state.is_behind()).map(|(log, _)| *log).collect(),
            unaudited: self.logs.values().map(|state| state.tree.size() - state.audit.tree.size()).sum(),
            own_agrees: own,
            agreeing: peers.iter().filter(|peer| peer.agrees).count() + usize::from(own),
            peers,
            requests: self.peers.requests.len(),
            receipts_asked: self
                .peers
                .requests
                .values()
                .filter(|asked| matches!(asked.what, super::peers::What::Cosign(_) | super::peers::What::LanePath(_)))
                .count(),
        }
    }
}
