//! One's own log: from a record to a signed statement under a signed checkpoint.
//!
//! ```text
//! Starting ─▶ Idle ──intents, flush──▶ Signing ──statements──▶ Checkpointing ──flush──▶ Idle
//!     └──────────────────────────▶ Ended: this log is never signed again
//! ```
//!
//! What is to be signed is on disk before it is signed, and the guard remembers its digest. After a crash the same intents are signed
//! again, to the same bytes; anything else at their positions is refused. So a restart never makes a second history.
//!
//! Here: the phases, and how submissions come in. `intend` prepares what is to be signed, `publish` takes what was; `lists` is what its
//! checkpoints commit to.

mod grant;
mod intend;
mod lists;
mod publish;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::identity::MemberStatus;
use crate::ledger::{Mark, Root, Statement, Store, StoreError};
use crate::record::Record;
use crate::seal::LaneSecret;

use super::budget::Budget;
use super::effect::{Event, Extent, Outcome, Refused};
use super::input::Now;
use super::state::LogState;
use super::{Node, Turn, limits};

pub(super) use grant::Gathering;
pub(super) use lists::Lists;

/// The author's part of a node.
#[derive(Debug)]
pub(super) struct Author {
    pub phase: Phase,
    /// Records that wait to be signed.
    pub queue: VecDeque<Queued>,
    /// The grant for which this log is being read.
    pub gathering: Option<Gathering>,
    /// Submissions that are not fully answered.
    pub submissions: BTreeMap<u64, Submission>,
    /// The lanes of the newest `lanes` statement.
    pub lanes: Option<OwnLanes>,
    /// What was logged to each of them.
    pub lists: Option<Lists>,
    /// The epoch for which the lanes are known to be as they should; forgotten when members change.
    pub lanes_settled: Option<u32>,
    /// Document lines on their way into the log.
    pub under_way: BTreeSet<Digest>,
    /// The time that the last statement claims: the next is not earlier.
    pub last_time: UnixTime,
    /// When a checkpoint was last signed.
    pub checkpoint_at: Now,
    /// What is left of the gossip about it.
    pub news: Budget,
    /// The size of the log that gossip has told of since the start.
    pub told: Option<u64>,
    /// Whether a checkpoint is still to be told, because the budget did not allow it.
    pub untold: bool,
}

/// Where the log stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// Waiting to hear from a peer how long this log is known to be.
    Starting {
        /// Since when.
        since: Option<Now>,
        /// The members that have told, and hold no more of it than this disk does.
        heard: BTreeSet<MemberCode>,
    },
    /// Nothing is being signed.
    Idle,
    /// Intents are staged; the order to sign leaves with the flush.
    Signing {
        /// The order.
        order: u64,
        /// What is being signed.
        group: Group,
    },
    /// Statements are signed; their checkpoint is not.
    Checkpointing {
        /// The order.
        order: u64,
        /// What was signed.
        group: Group,
        /// What the checkpoint says.
        root: Root,
    },
    /// This log is never signed again.
    Ended {
        /// Why.
        reason: String,
    },
}

/// Statements signed together, under one checkpoint. Empty for a sign of life.
#[derive(Debug, Default)]
pub(super) struct Group {
    statements: Vec<Statement>,
    origins: Vec<Origin>,
}

/// Where a statement of a group comes from.
#[derive(Debug)]
enum Origin {
    /// A submitted record.
    Record {
        submission: u64,
        index: usize,
        outside: Vec<String>,
        granted: Option<Extent>,
        source: Option<Digest>,
        /// Records about which nothing is left to do once it is logged.
        settles: Vec<RecordId>,
        /// Of a grant: the records whose keys it carries.
        covers: Vec<RecordId>,
        /// Whether it is an order to erase.
        is_order: bool,
        pushes: Vec<MemberCode>,
    },
    /// The node itself: lanes, or an intent found after a crash.
    Node,
}

/// A record that waits.
#[derive(Debug)]
pub(super) struct Queued {
    submission: u64,
    index: usize,
    record: Record,
}

impl Queued {
    /// A record that the node itself makes; nobody waits for an answer.
    pub(super) fn internal(record: Record) -> Self {
        Self { submission: u64::MAX, index: 0, record }
    }
}

/// A submission that is being worked on.
#[derive(Debug)]
pub(super) struct Submission {
    outcomes: Vec<Option<Outcome>>,
}

/// The lanes of this log for one epoch.
#[derive(Debug)]
pub(super) struct OwnLanes {
    /// Position of the `lanes` statement.
    pub position: u64,
    /// The epoch.
    pub epoch: u32,
    /// The secret from which all lane keys come.
    pub secret: LaneSecret,
    /// To whose seal keys slots were sealed.
    pub slots: BTreeMap<MemberCode, Kid>,
}

impl Author {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Starting { since: None, heard: BTreeSet::new() },
            queue: VecDeque::new(),
            gathering: None,
            submissions: BTreeMap::new(),
            lanes: None,
            lists: None,
            lanes_settled: None,
            under_way: BTreeSet::new(),
            last_time: UnixTime::ZERO,
            checkpoint_at: Now(0),
            news: Budget::default(),
            told: None,
            untold: false,
        }
    }

    /// A member has told how long this log is, or could not show that it is any longer: not longer than this disk knows.
    pub(super) fn heard(&mut self, from: MemberCode) {
        if let Phase::Starting { heard, .. } = &mut self.phase {
            heard.insert(from);
        }
    }

    /// Whether it is still of interest what a member tells of this log.
    pub(super) fn listens_to(&self, member: MemberCode) -> bool {
        matches!(&self.phase, Phase::Starting { heard, .. } if !heard.contains(&member))
    }

    /// What a member told is not known, or not any more.
    pub(super) fn unheard(&mut self, from: MemberCode) {
        if let Phase::Starting { heard, .. } = &mut self.phase {
            heard.remove(&from);
        }
    }
}

impl<S: Store> Node<S> {
    /// Takes records in, or answers at once why not.
    pub(super) fn submit(&mut self, id: u64, records: Vec<Record>) -> Result<(), StoreError> {
        let mut outcomes = Vec::with_capacity(records.len());
        let room = limits::QUEUE_RECORDS_MAX.saturating_sub(self.author.queue.len());
        for (index, record) in records.into_iter().enumerate() {
            let outcome = match self.admission(&record, index < room)? {
                Some(outcome) => Some(outcome),
                None => {
                    self.author.under_way.extend(record.declared().source_digest);
                    self.author.queue.push_back(Queued { submission: id, index, record });
                    None
                }
            };
            outcomes.push(outcome);
        }
        self.author.submissions.insert(id, Submission { outcomes });
        self.answer_if_done(id);
        Ok(())
    }

    /// Why a record is not queued, if it is not.
    fn admission(&self, record: &Record, room: bool) -> Result<Option<Outcome>, StoreError> {
        if let Phase::Ended { reason } = &self.author.phase {
            return Ok(Some(Outcome::Refused { reason: Refused::LogEnded(reason.clone()) }));
        }
        if let Some(member) =
            self.federation.member(self.me.member).filter(|member| member.status != MemberStatus::Active)
        {
            let (member, standing) = (self.me.member, member.status.as_str());
            let version = self.federation.charter().version();
            return Ok(Some(Outcome::Refused { reason: Refused::Inactive { member, standing, version } }));
        }
        if let Some(id) = self.logged_before(record)? {
            return Ok(Some(Outcome::AlreadyLogged { id }));
        }
        if record.declared().source_digest.is_some_and(|source| self.author.under_way.contains(&source)) {
            return Ok(Some(Outcome::Refused { reason: Refused::UnderWay }));
        }
        if let Some(reason) = self.refused_order(record)? {
            return Ok(Some(Outcome::Refused { reason }));
        }
        Ok((!room).then_some(Outcome::Refused { reason: Refused::Busy }))
    }

    /// The record in which the same document line was logged.
    fn logged_before(&self, record: &Record) -> Result<Option<RecordId>, StoreError> {
        let Some(source) = record.declared().source_digest else { return Ok(None) };
        Ok(self.store.marked(&Mark::Source(source))?.and_then(|bytes| record_id_of_mark(&bytes)))
    }

    /// Moves one's own log on, if nothing is being signed.
    pub(super) fn advance_author(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        if self.may_begin(turn) {
            self.become_ready();
        }
        self.tell_news(turn, None)?;
        self.gather()?;
        if !matches!(self.author.phase, Phase::Idle) || !self.room {
            return Ok(());
        }
        let Some(entry) = self.federation.manifest(self.me.member).and_then(|manifest| manifest.log(&self.me.log))
        else {
            return Ok(());
        };
        if entry.closed.is_some() {
            self.end_log("its member has closed it");
            return Ok(());
        }
        if !self.federation.is_active(self.me.member) {
            // Nobody would take it.
            return Ok(());
        }
        if !self.catch_up_lists()? {
            return Ok(());
        }
        let group = self.intents_found()?;
        if !group.statements.is_empty() {
            self.reload_lanes(&group)?;
            self.order_statements(group);
        } else if self.lanes_are_due(turn) {
            if self.must_close_lanes() {
                self.order_checkpoint(turn, Group::default());
            } else {
                self.intend_lanes(turn)?;
            }
        } else if self.has_gathered() {
            self.intend_grant(turn)?;
        } else if self.has_records_to_sign() && self.knows_its_sources() {
            self.intend_records(turn)?;
            if self.has_gathered() && matches!(self.author.phase, Phase::Idle) {
                self.intend_grant(turn)?;
            }
        } else if self.heartbeat_is_due(turn) {
            self.order_checkpoint(turn, Group::default());
        }
        Ok(())
    }

    /// Whether peers, or the lack of them, have shown that the log may be signed: enough of them hold no more of it than this disk
    /// does. One alone may be behind itself. With the guard on this machine fewer do, if no more answer.
    fn may_begin(&mut self, turn: &Turn) -> bool {
        let connected = self.peers.connected();
        let others = self.federation.active_members().filter(|(member, _)| *member != self.me.member).count();
        let is_behind = self.logs.get(&self.me.log).is_some_and(LogState::is_behind);
        let Phase::Starting { since, heard } = &mut self.author.phase else { return false };
        let waited = turn.now.since(*since.get_or_insert(turn.now));
        if is_behind && waited < limits::PEER_SILENCE_MS {
            // Somebody has told of more, and it is being fetched. Who only says so does not keep the log from being signed for ever.
            return false;
        }
        let enough = heard.len() >= others.min(limits::PEER_ECHOES) && !heard.is_empty();
        let all = connected.iter().all(|member| heard.contains(member));
        enough || self.me.guard_intact && (waited >= limits::PEER_ECHO_MS && all || waited >= limits::PEER_SILENCE_MS)
    }

    /// Whether the document lines of all that an earlier run logged are known. What a crash interrupted is found as an intent, whose
    /// line shows only when the signed statement has been searched: until then, the same line could be logged again.
    fn knows_its_sources(&self) -> bool {
        // An intent of which not everything came to the disk is never signed: the log may end before `relearn_below`.
        let is_searched = |own: &LogState| own.scan.done >= self.inbox.relearn_below.min(own.tree.size());
        self.logs.get(&self.me.log).is_none_or(is_searched)
    }

    /// The log may be signed.
    fn become_ready(&mut self) {
        self.author.phase = Phase::Idle;
        let size = self.logs.get(&self.me.log).map_or(0, |state| state.tree.size());
        self.out.event(Event::Ready { log: self.me.log, size });
    }

    /// The log will not be signed again; everything that waits is told so.
    pub(super) fn end_log(&mut self, reason: &str) {
        self.author.phase = Phase::Ended { reason: reason.to_owned() };
        self.out.event(Event::LogEnded { log: self.me.log, reason: reason.to_owned() });
        self.author.queue.clear();
        self.author.gathering = None;
        self.author.under_way.clear();
        let refused = Outcome::Refused { reason: Refused::LogEnded(reason.to_owned()) };
        for id in self.author.submissions.keys().copied().collect::<Vec<_>>() {
            if let Some(submission) = self.author.submissions.get_mut(&id) {
                submission.outcomes.iter_mut().for_each(|outcome| {
                    outcome.get_or_insert_with(|| refused.clone());
                });
            }
            self.answer_if_done(id);
        }
    }

    /// Takes the signer's answer. `false` if the order was not one of the author's.
    pub(super) fn finish_signing(
        &mut self,
        turn: &Turn,
        order: u64,
        signatures: &[[u8; 64]],
    ) -> Result<bool, StoreError> {
        match std::mem::replace(&mut self.author.phase, Phase::Idle) {
            Phase::Signing { order: expected, group } if expected == order => {
                self.append_signed(turn, &group, signatures)?;
                // A group is no more than one call goes through.
                self.catch_up_lists()?;
                self.order_checkpoint(turn, group);
                Ok(true)
            }
            Phase::Checkpointing { order: expected, group, root } if expected == order => {
                if let [signature] = signatures {
                    self.publish(turn, group, root, *signature)?;
                }
                Ok(true)
            }
            other @ (Phase::Starting { .. }
            | Phase::Idle
            | Phase::Signing { .. }
            | Phase::Checkpointing { .. }
            | Phase::Ended { .. }) => {
                self.author.phase = other;
                Ok(false)
            }
        }
    }

    /// The signer would not sign. `false` if the order was not one of the author's.
    pub(super) fn fail_signing(&mut self, order: u64, reason: &str) -> bool {
        let own = match &self.author.phase {
            Phase::Signing { order: expected, .. } | Phase::Checkpointing { order: expected, .. } => *expected == order,
            Phase::Starting { .. } | Phase::Idle | Phase::Ended { .. } => false,
        };
        if own {
            self.end_log(reason);
        }
        own
    }
}

/// Reads the id in a [`Mark::Source`].
pub(super) fn record_id_of_mark(bytes: &[u8]) -> Option<RecordId> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
