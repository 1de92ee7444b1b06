//! Who can be reached, what was asked of them, and what they are known to hold.

use std::collections::{BTreeMap, VecDeque};

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::random::Randomness;
use crate::ledger::{Frontier, Root, SignedRoot};

use super::budget::Budget;
use super::input::Now;
use super::limits;

/// All members that were heard of since the start.
#[derive(Debug, Default)]
pub(super) struct Peers {
    /// By member.
    pub by_member: BTreeMap<MemberCode, Peer>,
    /// Requests under way, by their number.
    pub requests: BTreeMap<u64, Asked>,
    /// A charter file of which parts have come.
    pub incoming: Option<super::on::published::Incoming>,
    /// When frontiers were last compared with somebody.
    pub compared: Option<Now>,
}

/// One member.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// Whether it can be reached.
    pub connected: bool,
    /// Bodies asked of it and not yet answered.
    pub body_requests: usize,
    /// The logs that it is known to have verified and stored.
    pub frontier: Frontier,
    /// Its newest frontier cosignature.
    pub cosignature: Option<(SignedRoot, Root)>,
    /// When its cosignature was last written to disk.
    pub kept: Option<Now>,
    /// Whether a newer cosignature than the one on disk is held.
    pub to_keep: bool,
    /// When it was last greeted in answer to its own greeting, and what that one said: the same again is no news.
    pub greeted: Option<(Now, [Digest; 2])>,
    /// What is left of the times that it is asked for its charter file.
    pub files: Budget,
    /// What it said to know of charter and manifests when it was asked for that.
    pub asking: Option<Digest>,
    /// What it said then, and what was known here after all of it had come: the same again is no news.
    pub told: Option<[Digest; 2]>,
    /// What is left of the statements that it may log, by the charter's quota.
    pub quota: Budget,
    /// What is left of its share of gossip about its logs.
    pub news: Budget,
    /// The same for its frontier cosignatures.
    pub cosignatures: Budget,
    /// What is left of the work that it may ask for.
    pub work: Budget,
    /// Its questions that wait for that.
    pub waiting: VecDeque<(u64, Vec<u8>)>,
}

/// One request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Of whom.
    pub to: MemberCode,
    /// What.
    pub what: What,
    /// Since when, as the first tick after it saw it.
    pub since: Option<Now>,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// To compare frontiers.
    Hello,
    /// For the charter and manifests.
    Published,
    /// For statements of a log from a position on.
    Range(LogId, u64),
    /// For statements that the disk has lost, from a position on.
    LostRange(LogId, u64),
    /// For a body of which the disk has lost something.
    LostBody(RecordId),
    /// For a body.
    Body(RecordId),
    /// To take a body.
    Push,
    /// For a slot of a `lanes` statement.
    Slot(RecordId),
    /// For a receipt-form cosignature.
    Cosign(LogId),
    /// For a member's frontier cosignature, with the list behind it.
    Frontier(MemberCode),
    /// For proofs that a version was signed twice.
    Splits,
    /// For the way from one's own lane of this `lanes` statement to what a checkpoint commits to.
    LanePath(RecordId),
}

impl Peers {
    /// The member's entry, made if there is none.
    pub(super) fn entry(&mut self, member: MemberCode) -> &mut Peer {
        self.by_member.entry(member).or_default()
    }

    /// Whether the member can be reached.
    pub(super) fn is_connected(&self, member: MemberCode) -> bool {
        self.by_member.get(&member).is_some_and(|peer| peer.connected)
    }

    /// Everybody who can be reached, in order.
    pub(super) fn connected(&self) -> Vec<MemberCode> {
        self.by_member.iter().filter(|(_, peer)| peer.connected).map(|(member, _)| *member).collect()
    }

    /// With whom to compare frontiers: by chance, every second time among those who have not cosigned `frontier`.
    pub(super) fn to_compare_with(&self, frontier: &Digest, random: &mut Randomness) -> Option<MemberCode> {
        let differs = |peer: &Peer| peer.cosignature.as_ref().is_none_or(|(_, root)| root.root != *frontier);
        let differing: Vec<MemberCode> = self
            .by_member
            .iter()
            .filter(|(_, peer)| peer.connected && differs(peer))
            .map(|(member, _)| *member)
            .collect();
        let count = u32::try_from(differing.len()).ok().filter(|count| *count > 0 && random.below(2) == 0);
        match count {
            Some(count) => differing.get(random.below(count) as usize).copied(),
            None => self.any(random),
        }
    }

    /// Requests that nobody has answered or failed for so long that nobody will. Those not yet dated are dated `now`.
    pub(super) fn overdue(&mut self, now: Now) -> Vec<u64> {
        let late = |asked: &mut Asked| {
            // A clock that was set back starts the wait anew.
            let since = asked.since.filter(|since| *since <= now).unwrap_or(now);
            asked.since = Some(since);
            now.since(since) >= limits::REQUEST_TIMEOUT_MS
        };
        self.requests.iter_mut().filter_map(|(id, asked)| late(asked).then_some(*id)).collect()
    }

    /// Whether such a question to the member is under way.
    pub(super) fn is_asked(&self, to: MemberCode, what: What) -> bool {
        self.requests.values().any(|asked| asked.to == to && asked.what == what)
    }

    /// Whether such a question to the member went out within so many milliseconds, and is not answered.
    pub(super) fn is_asked_within(&self, to: MemberCode, what: What, now: Now, milliseconds: i64) -> bool {
        let lately = |since: Option<Now>| since.is_none_or(|since| now.since(since) < milliseconds);
        self.requests.values().any(|asked| asked.to == to && asked.what == what && lately(asked.since))
    }

    /// One of those who can be reached, by chance.
    pub(super) fn any(&self, random: &mut Randomness) -> Option<MemberCode> {
        Self::one_of(&self.connected(), random)
    }

    /// One of these, by chance.
    pub(super) fn one_of(members: &[MemberCode], random: &mut Randomness) -> Option<MemberCode> {
        let count = u32::try_from(members.len()).ok()?;
        members.get(random.below(count) as usize).copied()
    }
}
