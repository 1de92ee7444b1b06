//! What an operator wants of the connections to other members: whether one answers, and who is kept away for a while.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{Engine, EngineError};
use crate::encoding::ids::{LogId, MemberCode};
use crate::ledger::Store as _;
use crate::network::Event;
use crate::node::ask::{
    BAN_REASON_MAX, BAN_S_MAX, BanView, PeerRequest, PingView, Problem, ProblemKind, Reply, Response,
};
use crate::node::bans::Bans;
use crate::node::clock;
use crate::protocol::message;

/// Pings that may be under way.
const PINGS_MAX: usize = 16;

/// Who is kept away, and which pings are under way.
#[derive(Debug)]
pub(super) struct Peering {
    pub bans: Bans,
    pings: BTreeMap<u64, Ping>,
    /// The core numbers its questions from 1 upwards, pings are numbered from the other end.
    next: u64,
}

#[derive(Debug)]
struct Ping {
    member: MemberCode,
    asked_at: Instant,
    reply: Reply,
}

impl Peering {
    pub(super) fn new(bans: Bans) -> Self {
        Self { bans, pings: BTreeMap::new(), next: u64::MAX }
    }
}

impl Engine {
    pub(super) fn peering(&mut self, request: PeerRequest, reply: Reply) {
        match request {
            PeerRequest::Ping { member } => self.ping(member, reply),
            PeerRequest::Ban { member, seconds, reason } => {
                let answer = self.ban(member, seconds, reason);
                super::finish(reply, answer);
            }
            PeerRequest::Unban { member } => {
                let answer = match self.peering.bans.unban(member) {
                    Ok(true) => {
                        tracing::info!(%member, "connected again, as the operator wants");
                        self.admit_members();
                        Ok(Response::Bans(self.peering.bans.iter().collect()))
                    }
                    Ok(false) => Err(refused(ProblemKind::NotFound, format!("{member} is not kept away"))),
                    Err(error) => Err(refused(ProblemKind::Failure, error.to_string())),
                };
                super::finish(reply, answer);
            }
        }
    }

    /// Whether a member can be kept away so.
    pub(super) fn may_ban(&self, member: MemberCode, seconds: u32, reason: &str) -> Result<(), Problem> {
        let bad = |what: String| Err(refused(ProblemKind::BadRequest, what));
        if member == self.node.view().me().member {
            return bad(format!("{member} is this node's own member"));
        }
        if !self.node.federation().is_active(member) {
            return bad(format!("{member} is no active member, and not connected"));
        }
        if !(1..=BAN_S_MAX).contains(&seconds) {
            return bad(format!("{seconds} s: from a second to a year; for good, the charter suspends"));
        }
        if reason.trim().is_empty() || reason.chars().count() > BAN_REASON_MAX || reason.chars().any(char::is_control) {
            return bad(format!("a reason of 1 to {BAN_REASON_MAX} characters on one line is needed"));
        }
        Ok(())
    }

    fn ban(&mut self, member: MemberCode, seconds: u32, reason: String) -> Result<Response, Problem> {
        self.may_ban(member, seconds, &reason)?;
        let until = clock::now().plus(i64::from(seconds));
        let written = self.peering.bans.ban(BanView { member, until, reason });
        written.map_err(|error| refused(ProblemKind::Failure, error.to_string()))?;
        tracing::warn!(%member, %until, "kept away, as the operator wants");
        self.admit_members();
        Ok(Response::Bans(self.peering.bans.iter().collect()))
    }

    /// Connects again to those whose time is over.
    pub(super) fn expire_bans(&mut self) -> Result<(), EngineError> {
        if self.peering.bans.expire(clock::now())? {
            self.admit_members();
        }
        Ok(())
    }

    fn ping(&mut self, member: MemberCode, reply: Reply) {
        if self.peering.pings.len() >= PINGS_MAX {
            return reply.fail(ProblemKind::Busy, format!("{PINGS_MAX} pings are under way"));
        }
        let id = self.peering.next;
        let question = message::Request::Frontier { of: member }.encode();
        if self.links.request(&self.network, member, id, question).is_some() {
            return reply.fail(ProblemKind::NotFound, format!("{member} is not connected"));
        }
        self.peering.next -= 1;
        self.peering.pings.insert(id, Ping { member, asked_at: Instant::now(), reply });
    }

    /// Takes the answer to a ping out of what the network tells; everything else comes back.
    pub(super) fn pong(&mut self, event: Event) -> Option<Event> {
        let (id, bytes) = match &event {
            Event::Response { id, bytes, .. } => (id, Some(bytes)),
            Event::RequestFailed { id, .. } => (id, None),
            Event::Listening(_)
            | Event::Connected { .. }
            | Event::Disconnected { .. }
            | Event::Gossip { .. }
            | Event::Request { .. }
            | Event::Refused { .. }
            | Event::DialFailed { .. } => return Some(event),
        };
        let Some(Ping { member, asked_at, reply }) = self.peering.pings.remove(id) else { return Some(event) };
        let micros = u64::try_from(asked_at.elapsed().as_micros()).unwrap_or(u64::MAX);
        let Some(bytes) = bytes else {
            reply.fail(ProblemKind::Timeout, format!("{member} is connected and did not answer"));
            return None;
        };
        let (frontier, entries) = match message::Response::decode(bytes) {
            Ok(message::Response::Frontier { cosignature, entries }) => {
                (cosignature.claim().ok().map(|root| root.root), entries)
            }
            _ => (None, Vec::new()),
        };
        // What it says of itself: nothing of it is believed further than to be shown.
        let theirs: BTreeMap<LogId, u64> = entries.into_iter().map(|entry| (entry.log, entry.size)).collect();
        let store = self.node.store();
        let own: BTreeMap<LogId, u64> = store.logs().into_iter().map(|log| (log, store.size(&log))).collect();
        let more = |of: &BTreeMap<LogId, u64>, than: &BTreeMap<LogId, u64>| {
            of.iter().map(|(log, size)| size.saturating_sub(than.get(log).copied().unwrap_or(0))).sum()
        };
        let (ahead, behind) = (more(&theirs, &own), more(&own, &theirs));
        reply.done(Response::Pinged(PingView { member, micros, frontier, ahead, behind }));
        None
    }
}

fn refused(kind: ProblemKind, message: impl Into<String>) -> Problem {
    Problem { kind, message: message.into() }
}
