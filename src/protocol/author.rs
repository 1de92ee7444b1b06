//! One's own log: from a record to a signed statement under a signed checkpoint.
//!
//! ```text
//! Starting ─▶ Idle ─▶ Intended ──flush──▶ Signing ─▶ Checkpointing ──flush──▶ Idle
//!     └──────────────────────────▶ Ended: this log is never signed again
//! ```
//!
//! What is to be signed is on disk before it is signed, and the guard remembers its digest. After a crash the same intents are signed
//! again, to the same bytes; anything else at their positions is refused. So a restart never makes a second history.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::encoding::hash::{Digest, Kid, sha256, sha256_of};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::merkle::CompactTree;
use crate::encoding::time::UnixTime;
use crate::ledger::{Binds, Claim, Frame, Key, Mark, Root, Statement, Store, StoreError};
use crate::record::Record;
use crate::seal::{self, CompartmentDraft, LaneKey, LaneSecret, LanesBody, SealContext, SealedBody};

use super::chain::extend;
use super::effect::{Effect, Event, Outcome, Refused, SigningKey};
use super::input::Now;
use super::message::{Gossip, Request, WireBody};
use super::peers::What;
use super::state::LogState;
use super::{Node, Turn, limits};

/// The author's part of a node.
#[derive(Debug)]
pub(super) struct Author {
    pub phase: Phase,
    /// Records that wait to be signed.
    pub queue: VecDeque<Queued>,
    /// Submissions that are not fully answered.
    pub submissions: BTreeMap<u64, Submission>,
    /// The lanes of the newest `lanes` statement.
    pub lanes: Option<OwnLanes>,
    /// Document lines on their way into the log.
    pub under_way: BTreeSet<Digest>,
    /// The time that the last statement claims: the next is not earlier.
    pub last_time: UnixTime,
    /// When a checkpoint was last signed.
    pub checkpoint_at: Now,
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
        source: Option<Digest>,
        acknowledges: Vec<RecordId>,
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
            submissions: BTreeMap::new(),
            lanes: None,
            under_way: BTreeSet::new(),
            last_time: UnixTime::ZERO,
            checkpoint_at: Now(0),
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
        if let Some(id) = self.logged_before(record)? {
            return Ok(Some(Outcome::AlreadyLogged { id }));
        }
        if record.declared().source_digest.is_some_and(|source| self.author.under_way.contains(&source)) {
            return Ok(Some(Outcome::Refused { reason: Refused::UnderWay }));
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
        if !matches!(self.author.phase, Phase::Idle) {
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
        let group = self.intents_found()?;
        if !group.statements.is_empty() {
            self.reload_lanes(&group)?;
            self.order_statements(group);
        } else if self.lanes_are_due(turn) {
            self.intend_lanes(turn)?;
        } else if !self.author.queue.is_empty() && self.knows_its_sources() {
            self.intend_records(turn)?;
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

    /// Intents beyond the log's size: what a crash interrupted. They are signed as they stand, up to the first of which not everything
    /// came to the disk: that one was never signed, because an order to sign leaves after the flush only.
    fn intents_found(&self) -> Result<Group, StoreError> {
        let mut group = Group::default();
        let mut position = self.logs.get(&self.me.log).map_or(0, |state| state.tree.size());
        while group.statements.len() < limits::GROUP_RECORDS_MAX {
            let id = RecordId { log: self.me.log, position };
            let Some(frame) = self.store.get(&Key::Intent(id))? else { break };
            let (statement, _) = Statement::read(&frame.bytes)
                .map_err(|_| StoreError::Damaged { what: format!("the intent to sign {id}") })?;
            let is_whole = match statement.binds {
                Binds::Body => self.held_body(id)?.is_some_and(|body| sha256(&body.head) == statement.digest),
                Binds::Lanes => self.view().own_lanes(id)?.is_some(),
            };
            // One that is older than what was signed meanwhile stood behind one that was not whole: it would be flagged for its time.
            if !is_whole || statement.issued_at < self.author.last_time {
                break;
            }
            group.statements.push(statement);
            group.origins.push(Origin::Node);
            position += 1;
        }
        Ok(group)
    }

    /// Takes up the lanes of an interrupted `lanes` statement, so that its checkpoint comes out the same.
    fn reload_lanes(&mut self, group: &Group) -> Result<(), StoreError> {
        if let Some(lanes) = group.statements.iter().rev().find(|statement| statement.binds == Binds::Lanes) {
            self.author.lanes = self.view().own_lanes(lanes.id)?;
        }
        Ok(())
    }

    /// Whether a `lanes` statement is due: at the start of an epoch, and when members or their seal keys changed.
    fn lanes_are_due(&self, turn: &Turn) -> bool {
        let epoch = self.federation.epoch_at(turn.now.time());
        let wanted = self.lane_recipients(epoch);
        if !wanted.contains_key(&self.me.member) {
            return false;
        }
        let wanted: BTreeMap<MemberCode, Kid> = wanted.iter().map(|(member, key)| (*member, key.kid())).collect();
        self.author.lanes.as_ref().is_none_or(|lanes| lanes.epoch != epoch || lanes.slots != wanted)
    }

    fn lane_recipients(&self, epoch: u32) -> BTreeMap<MemberCode, &crate::identity::SealPublicKey> {
        self.federation
            .active_members()
            .filter_map(|(member, _)| Some((member, self.federation.seal_key(member, epoch)?)))
            .collect()
    }

    fn intend_lanes(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        let epoch = self.federation.epoch_at(turn.now.time());
        let id = self.next_record(0);
        let context = SealContext { federation: self.federation.id(), record: id };
        let secret = LaneSecret::generate(&mut turn.random);
        let recipients = self.lane_recipients(epoch);
        let slots = recipients.iter().map(|(member, key)| (*member, key.kid())).collect();
        let body = LanesBody::seal(&context, epoch, &secret, &recipients, &mut turn.random)
            .expect("a charter bounds its members, and this node is one of them");
        let bytes = body.encode();
        let statement = Statement {
            binds: Binds::Lanes,
            digest: body.head().digest(),
            lanes: id.position,
            tags: Vec::new(),
            size_class: seal::size_class(bytes.len() as u64),
            ..self.blank(turn, id)
        };
        self.store.stage(Frame { key: Key::Lanes(id), at: turn.now.time(), bytes })?;
        self.author.lanes = Some(OwnLanes { position: id.position, epoch, secret, slots });
        self.intend(turn, Group { statements: vec![statement], origins: vec![Origin::Node] })
    }

    fn intend_records(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        let Some(lanes) = &self.author.lanes else { return Ok(()) };
        let (position, secret) = (lanes.position, lanes.secret.clone());
        let mut group = Group::default();
        while group.statements.len() < limits::GROUP_RECORDS_MAX {
            let Some(queued) = self.author.queue.pop_front() else { break };
            // Its line may have been learnt while it waited.
            if let Some(id) = self.logged_before(&queued.record)? {
                self.settle(queued.submission, queued.index, Outcome::AlreadyLogged { id });
                let source = queued.record.declared().source_digest;
                self.author.under_way.retain(|digest| Some(*digest) != source);
                continue;
            }
            let id = self.next_record(group.statements.len() as u64);
            let (body, tags, readers, outside) = self.seal_record(turn, id, &secret, &queued.record);
            let size = body.head.compartments().iter().map(|compartment| compartment.length).sum::<u64>();
            // A body travels in one message, whatever the charter allows.
            let limit = self.federation.parameters().body_bytes_max.min(limits::CHUNK_BYTES_MAX as u64);
            let source = queued.record.declared().source_digest;
            if size > limit {
                self.settle(
                    queued.submission,
                    queued.index,
                    Outcome::Refused { reason: Refused::TooLarge { size, limit } },
                );
                self.author.under_way.retain(|digest| Some(*digest) != source);
                continue;
            }
            let statement = Statement {
                binds: Binds::Body,
                digest: body.head.digest(),
                lanes: position,
                tags,
                size_class: body.size_class,
                ..self.blank(turn, id)
            };
            self.stage_body(
                turn.now.time(),
                id,
                &WireBody { head: body.head.encode(), compartments: body.compartments },
            )?;
            let pushes = readers.into_iter().filter(|member| *member != self.me.member).collect();
            group.origins.push(Origin::Record {
                submission: queued.submission,
                index: queued.index,
                outside,
                source,
                acknowledges: queued.record.declared().acknowledges.clone(),
                pushes,
            });
            group.statements.push(statement);
        }
        if group.statements.is_empty() {
            return Ok(());
        }
        self.intend(turn, group)
    }

    /// Seals a record for its readers among the active members; gives tags, readers, and the readers that are no members.
    fn seal_record(
        &self,
        turn: &mut Turn,
        id: RecordId,
        secret: &LaneSecret,
        record: &Record,
    ) -> (SealedBody, Vec<[u8; 16]>, BTreeSet<MemberCode>, Vec<String>) {
        let by_compartment = record.readers(self.me.member);
        let named: BTreeSet<MemberCode> = by_compartment.values().flatten().copied().collect();
        let (readers, outside): (BTreeSet<MemberCode>, BTreeSet<MemberCode>) =
            named.into_iter().partition(|member| *member == self.me.member || self.federation.is_active(*member));
        let lanes: BTreeMap<MemberCode, LaneKey> =
            readers.iter().map(|member| (*member, secret.lane_key(*member))).collect();
        let drafts: Vec<CompartmentDraft<'_>> = record
            .content()
            .iter()
            .map(|(compartment, fields)| CompartmentDraft {
                name: compartment.as_str(),
                fields,
                readers: by_compartment
                    .get(compartment)
                    .into_iter()
                    .flatten()
                    .filter_map(|member| lanes.get(member))
                    .collect(),
            })
            .collect();
        let context = SealContext { federation: self.federation.id(), record: id };
        let body = seal::seal_body(&context, &drafts, &mut turn.random)
            .expect("a checked record is within the bounds of a body");
        let tags = seal::tags(lanes.values().map(|lane| lane.tag(&id)), &mut turn.random);
        let tags = tags.into_iter().map(|tag| tag.0).collect();
        (body, tags, readers, outside.iter().map(ToString::to_string).collect())
    }

    /// Puts intents on disk and orders their signatures for when they are there.
    fn intend(&mut self, turn: &Turn, group: Group) -> Result<(), StoreError> {
        for statement in &group.statements {
            // A statement without a signature: zeros stand in its place until the signer has answered.
            let bytes = statement.signed([0; 64]);
            self.store.stage(Frame { key: Key::Intent(statement.id), at: turn.now.time(), bytes })?;
        }
        self.order_statements(group);
        Ok(())
    }

    fn order_statements(&mut self, group: Group) {
        let order = self.out.next_id();
        let messages: Vec<Vec<u8>> = group.statements.iter().map(Statement::to_be_signed).collect();
        let guard = group
            .statements
            .iter()
            .zip(&messages)
            .map(|(statement, message)| (statement.id.position, sha256(message)))
            .collect();
        if let Some(last) = group.statements.last() {
            self.author.last_time = self.author.last_time.max(last.issued_at);
        }
        self.author.phase = Phase::Signing { order, group };
        let with = SigningKey::Log(self.me.log);
        self.out.push_durable(Effect::Sign { id: order, with, messages, guard });
    }

    fn append_signed(&mut self, turn: &Turn, group: &Group, signatures: &[[u8; 64]]) -> Result<(), StoreError> {
        assert_eq!(signatures.len(), group.statements.len(), "the signer answers every message of an order");
        let leaves: Vec<Vec<u8>> = group
            .statements
            .iter()
            .zip(signatures)
            .map(|(statement, signature)| statement.signed(*signature))
            .collect();
        let log = self.me.log;
        let tree = self.logs.get(&log).map_or_else(CompactTree::default, |state| state.tree.clone());
        let (tree, hashes) = extend(&tree, &leaves);
        // With the statements and not with their checkpoint, or a crash between the two would forget the lines.
        for (statement, origin) in group.statements.iter().zip(&group.origins) {
            if let Origin::Record { source: Some(source), .. } = origin {
                self.store.mark(Mark::Source(*source), Some(statement.id.to_string().as_bytes()))?;
            }
        }
        self.append(turn, log, tree, &hashes, &leaves)
    }

    /// Orders a checkpoint over the log as it is.
    fn order_checkpoint(&mut self, turn: &Turn, group: Group) {
        let log = self.me.log;
        let tree = self.logs.entry(log).or_insert_with(LogState::empty).tree.clone();
        let (Some(key), size) = (self.federation.log_key(&log), tree.size()) else { return };
        // Time never falls as size grows, also when the clock does.
        let issued_at = turn.now.time().max(self.author.last_time);
        let root = Root {
            claim: Claim::Checkpoint { log, size, commitments: self.commitments(size) },
            root: tree.root(),
            by: self.me.member,
            kid: key.kid(),
            issued_at,
            federation: self.federation.id(),
        };
        self.author.last_time = issued_at;
        let order = self.out.next_id();
        let messages = vec![root.to_be_signed()];
        self.author.phase = Phase::Checkpointing { order, group, root };
        // No flush before it: until the statements are on disk, a crash signs the same ones again and gets the same root.
        self.out.push(Effect::Sign { id: order, with: SigningKey::Log(log), messages, guard: Vec::new() });
    }

    /// The 32 bytes reserved for commitments to lanes. They look random, but are the same for one size: two values for one size would
    /// be two histories.
    fn commitments(&self, size: u64) -> [u8; 32] {
        let ticket = self.author.lanes.as_ref().map(|lanes| {
            let id = RecordId { log: self.me.log, position: lanes.position };
            lanes.secret.lane_key(self.me.member).ticket(&id)
        });
        let key = ticket.as_ref().map_or(&[0; 32], |ticket| ticket.as_bytes());
        sha256_of(&[b"shieldwall/1 commitments\0", key, &size.to_be_bytes()]).0
    }

    /// Stages the checkpoint; everything that may be told leaves with the flush.
    fn publish(&mut self, turn: &Turn, group: Group, root: Root, signature: [u8; 64]) -> Result<(), StoreError> {
        let signed = root.signed(signature);
        let log = self.me.log;
        self.author.checkpoint_at = turn.now;
        let state = self.logs.entry(log).or_insert_with(LogState::empty);
        state.target = state.tree.size();
        let held = state.complete.as_ref().and_then(|(_, held)| held.claim.log_and_size());
        // A sign of life is not worth a frame, unless a crash took the checkpoint of this size.
        let is_news = held.map_or(0, |(_, size)| size) < state.tree.size();
        state.complete = Some((signed.clone(), root));
        if is_news {
            self.store.stage(Frame { key: Key::Checkpoint(log), at: turn.now.time(), bytes: signed.encode() })?;
        }
        let first = group.statements.first().map(|statement| statement.id);
        let from = first.map_or_else(|| self.logs[&log].tree.size(), |first| first.position);
        let statements = self.store.statements(&log, from, group.statements.len(), usize::MAX)?;
        let news = if statements.iter().map(Vec::len).sum::<usize>() <= limits::GOSSIP_STATEMENTS_BYTES_MAX {
            Gossip::News { checkpoint: signed, from, statements }
        } else {
            Gossip::News { checkpoint: signed, from: from + statements.len() as u64, statements: Vec::new() }
        };
        self.out.push_durable(Effect::Gossip(news.encode()));
        let count = group.statements.len() as u64;
        let push_bodies = group.statements.len() <= limits::PUSH_GROUP_MAX;
        for (statement, origin) in group.statements.iter().zip(group.origins) {
            if let Origin::Record { submission, index, outside, source, acknowledges, pushes } = origin {
                self.acknowledged(&acknowledges)?;
                if let Some(source) = source {
                    self.author.under_way.remove(&source);
                }
                if push_bodies {
                    self.push_body(statement.id, &pushes)?;
                }
                self.settle(submission, index, Outcome::Logged { id: statement.id, outside });
            }
        }
        if let Some(first) = first {
            self.out.push_durable(Effect::Event(Event::Logged { first, count }));
        }
        Ok(())
    }

    /// Hands a body to those of its readers who can be reached, so that they need not ask.
    fn push_body(&mut self, id: RecordId, readers: &[MemberCode]) -> Result<(), StoreError> {
        let Some(body) = self.held_body(id)? else { return Ok(()) };
        for to in readers.iter().filter(|member| self.peers.is_connected(**member)).copied().collect::<Vec<_>>() {
            self.ask_durable(to, What::Push, &Request::Push { id, body: body.clone() });
        }
        Ok(())
    }

    /// Notes what became of a record.
    fn settle(&mut self, submission: u64, index: usize, outcome: Outcome) {
        if let Some(slot) = self.author.submissions.get_mut(&submission).and_then(|s| s.outcomes.get_mut(index)) {
            *slot = Some(outcome);
        }
        self.answer_if_done(submission);
    }

    /// Answers a submission once every record of it is settled.
    fn answer_if_done(&mut self, id: u64) {
        let done = self.author.submissions.get(&id).is_some_and(|s| s.outcomes.iter().all(Option::is_some));
        if done && let Some(submission) = self.author.submissions.remove(&id) {
            let outcomes = submission.outcomes.into_iter().flatten().collect();
            self.out.push_durable(Effect::Submitted { id, outcomes });
        }
    }

    fn heartbeat_is_due(&self, turn: &Turn) -> bool {
        self.author.lanes.is_some() && turn.now.since(self.author.checkpoint_at) >= self.settings.heartbeat_ms
    }

    /// The id of the statement `ahead` places after the end of the log.
    fn next_record(&self, ahead: u64) -> RecordId {
        let size = self.logs.get(&self.me.log).map_or(0, |state| state.tree.size());
        RecordId { log: self.me.log, position: size + ahead }
    }

    /// A statement's fields that are the same for every kind.
    fn blank(&self, turn: &Turn, id: RecordId) -> Statement {
        let key = self.federation.log_key(&self.me.log).expect("only a log with a key is signed");
        Statement {
            id,
            kid: key.kid(),
            federation: self.federation.id(),
            issued_at: turn.now.time().max(self.author.last_time),
            binds: Binds::Body,
            digest: Digest::ZERO,
            lanes: 0,
            tags: Vec::new(),
            size_class: 0,
        }
    }
}

/// Reads the id in a [`Mark::Source`].
pub(super) fn record_id_of_mark(bytes: &[u8]) -> Option<RecordId> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
