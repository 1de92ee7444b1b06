//! How messages travel: who is parted from whom, what is under way, and which gossip has reached whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::MemberCode;

/// Gossip messages remembered, for handing them on and judging them; older ones have arrived or never will.
const MESSAGES_MAX: usize = 4096;

/// How the network treats messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Messages lost, in percent. Lost requests fail at their sender.
    pub loss: u32,
    /// Messages delivered twice, in percent.
    pub twice: u32,
    /// The longest delay, in milliseconds: messages overtake each other within it.
    pub delay_ms: u32,
}

/// The network between all members.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) link: Link,
    /// From whom nothing comes to whom, and both know it.
    apart: BTreeSet<(MemberCode, MemberCode)>,
    /// From whom nothing comes to whom, unknown to both.
    muted: BTreeSet<(MemberCode, MemberCode)>,
    /// Requests under way, by the number that the answerer knows them by.
    questions: BTreeMap<u64, Question>,
    messages: BTreeMap<u64, Message>,
    /// What passed from whom to whom.
    carried: BTreeMap<(MemberCode, MemberCode), Traffic>,
    next: u64,
}

/// The bytes of messages that passed from one member to another and were not lost: what the core hands to the transport, before it
/// frames, encrypts and acknowledges them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages of every kind.
    pub messages: u64,
    /// Bytes of gossip.
    pub gossip: u64,
    /// Bytes of requests.
    pub requests: u64,
    /// Bytes of responses.
    pub responses: u64,
}

/// What a message is, for counting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carried {
    Gossip,
    Request,
    Response,
}

impl Traffic {
    /// Bytes of all kinds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.gossip + self.requests + self.responses
    }

    /// This and other traffic together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            gossip: self.gossip + other.gossip,
            requests: self.requests + other.requests,
            responses: self.responses + other.responses,
        }
    }

    /// What came on top of an earlier count.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            messages: self.messages - earlier.messages,
            gossip: self.gossip - earlier.gossip,
            requests: self.requests - earlier.requests,
            responses: self.responses - earlier.responses,
        }
    }

    fn add(&mut self, kind: Carried, bytes: usize) {
        self.messages += 1;
        *match kind {
            Carried::Gossip => &mut self.gossip,
            Carried::Request => &mut self.requests,
            Carried::Response => &mut self.responses,
        } += bytes as u64;
    }
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct Question {
    asker: MemberCode,
    number: u64,
    answerer: MemberCode,
}

/// A gossip message.
#[derive(Debug)]
pub(super) struct Message {
    /// Who sent it first.
    pub(super) origin: MemberCode,
    pub(super) bytes: Vec<u8>,
    /// Whom it reached.
    pub(super) reached: BTreeSet<MemberCode>,
}

impl Network {
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            apart: BTreeSet::new(),
            muted: BTreeSet::new(),
            questions: BTreeMap::new(),
            messages: BTreeMap::new(),
            carried: BTreeMap::new(),
            next: 0,
        }
    }

    /// A message is on its way and will arrive.
    pub(super) fn carry(&mut self, from: MemberCode, to: MemberCode, kind: Carried, bytes: usize) {
        self.carried.entry((from, to)).or_default().add(kind, bytes);
    }

    /// What has come to a member from all others, and what from it to them.
    pub(super) fn traffic_of(&self, member: MemberCode) -> (Traffic, Traffic) {
        self.carried.iter().fold(Default::default(), |(to, from): (Traffic, Traffic), ((sender, receiver), traffic)| {
            (
                if *receiver == member { to.plus(traffic) } else { to },
                if *sender == member { from.plus(traffic) } else { from },
            )
        })
    }

    pub(super) fn is_apart(&self, from: MemberCode, to: MemberCode) -> bool {
        self.apart.contains(&(from, to))
    }

    pub(super) fn is_muted(&self, from: MemberCode, to: MemberCode) -> bool {
        self.muted.contains(&(from, to))
    }

    /// Whether that changed anything.
    pub(super) fn part(&mut self, from: MemberCode, to: MemberCode, parted: bool) -> bool {
        if parted { self.apart.insert((from, to)) } else { self.apart.remove(&(from, to)) }
    }

    pub(super) fn mute(&mut self, from: MemberCode, to: MemberCode, muted: bool) {
        if muted {
            self.muted.insert((from, to));
        } else {
            self.muted.remove(&(from, to));
        }
    }

    /// All can reach all.
    pub(super) fn unmute_all(&mut self) {
        self.muted.clear();
    }

    pub(super) fn ask(&mut self, asker: MemberCode, number: u64, answerer: MemberCode) -> u64 {
        self.next += 1;
        self.questions.insert(self.next, Question { asker, number, answerer });
        self.next
    }

    pub(super) fn answered(&mut self, id: u64) -> Option<(MemberCode, u64)> {
        self.questions.remove(&id).map(|question| (question.asker, question.number))
    }

    /// Questions that `code` owes an answer.
    pub(super) fn owed_by(&self, code: MemberCode) -> usize {
        self.questions.values().filter(|question| question.answerer == code).count()
    }

    /// Who asked what of a member that will not answer any more.
    pub(super) fn forget_answers_of(&mut self, code: MemberCode) -> Vec<(MemberCode, u64)> {
        let gone: Vec<u64> =
            self.questions.iter().filter(|(_, question)| question.answerer == code).map(|(id, _)| *id).collect();
        gone.into_iter().filter_map(|id| self.answered(id)).collect()
    }

    pub(super) fn publish(&mut self, origin: MemberCode, bytes: &[u8]) -> u64 {
        self.next += 1;
        let reached = BTreeSet::from([origin]);
        self.messages.insert(self.next, Message { origin, bytes: bytes.to_vec(), reached });
        while self.messages.len() > MESSAGES_MAX {
            self.messages.pop_first();
        }
        self.next
    }

    /// A message to one member alone, that is not handed on.
    pub(super) fn whispered(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn reached(&mut self, message: u64, member: MemberCode) {
        if let Some(message) = self.messages.get_mut(&message) {
            message.reached.insert(member);
        }
    }

    pub(super) fn message(&self, message: u64) -> Option<&Message> {
        self.messages.get(&message)
    }
}
