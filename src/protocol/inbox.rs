//! What is addressed to this node: found by tags, fetched by tickets, opened by lane keys, acknowledged by a record.
//!
//! Audited statements are searched in order, one hash each. A log whose lane key is still missing waits there, and so does one of
//! which too many bodies are outstanding; everything else goes on.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::{Binds, Frame, Key, Mark, Statement, Store, StoreError};
use crate::record::{Compartment, Content, Context, Draft, Kind, PartialRecord, Strictness};
use crate::seal::{LaneKey, Tag, Ticket};

use super::author::{Phase, Queued};
use super::effect::{Effect, Event};
use super::erasure::settled_by;
use super::input::Now;
use super::message::{Request, Response, WireBody};
use super::peers::What;
use super::refusal::Refusal;
use super::slots::Lane;
use super::view::{OpenedBody, View};
use super::{Node, Turn, limits};

/// How far a record that is addressed to this node has come, as kept in [`Mark::Inbox`]. A record of which nothing is left to do
/// has no mark, so that the marks do not grow with history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Its body is not here.
    Wanted,
    /// Its body is here and was opened; the acknowledgement is still to be made.
    Opened,
    /// Its body is here and does not open.
    Unreadable,
    /// Its body is here and was opened, and is a grant; what it grants is still to be taken up.
    TakingUp {
        /// Whether the acknowledgement is then still to be made.
        acknowledge: bool,
    },
    /// It is an order to erase, which is to be carried out, or of which the receipt is still to be logged.
    Ordered,
    /// Its body was erased by this member's own decision, and its author is still to be told.
    Forgotten,
}

/// The receiving part of a node.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// The newest lane of each log; `None` where the author says that there is no slot for this node.
    pub lanes: BTreeMap<LogId, (u64, Option<LaneKey>)>,
    /// Slots to be fetched.
    pub slots: BTreeMap<RecordId, Attempt>,
    /// Bodies to be fetched.
    pub wanted: BTreeMap<RecordId, Attempt>,
    /// Bodies that came before their statement, with the time at which they are given up.
    pub early: BTreeMap<RecordId, (Now, WireBody)>,
    /// Total size of these.
    pub early_bytes: usize,
    /// Grants to be taken up, and whether they are to be acknowledged then.
    pub grants: BTreeMap<RecordId, bool>,
    /// Whether there is a record that a grant lets this node read.
    pub has_grants: bool,
    /// Records to be acknowledged, by author.
    pub acknowledge: BTreeMap<MemberCode, Vec<RecordId>>,
    /// Since when there are such.
    pub acknowledge_since: Option<Now>,
    /// Records that this node has opened, its own included.
    pub opened: u64,
    /// Own records below this position were not logged by this run: their document lines are learnt by opening them.
    pub relearn_below: u64,
}

/// Something that is asked for again until it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// When to ask next.
    pub at: Now,
    /// How often it was asked for.
    pub tries: u32,
    /// Whether an answer is awaited.
    pub asked: bool,
}

/// What stopped the search of a log.
enum Search {
    /// The statement was searched.
    Done,
    /// The lane key is missing.
    Waiting,
}

impl Delivery {
    /// As a mark.
    pub(super) fn to_bytes(self) -> &'static [u8] {
        match self {
            Self::Wanted => b"w",
            Self::Opened => b"o",
            Self::Unreadable => b"x",
            Self::TakingUp { acknowledge: true } => b"g",
            Self::TakingUp { acknowledge: false } => b"h",
            Self::Ordered => b"e",
            Self::Forgotten => b"f",
        }
    }

    /// From a mark; anything else is as good as nothing.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        match bytes {
            b"o" => Self::Opened,
            b"x" => Self::Unreadable,
            b"g" => Self::TakingUp { acknowledge: true },
            b"h" => Self::TakingUp { acknowledge: false },
            b"e" => Self::Ordered,
            b"f" => Self::Forgotten,
            _ => Self::Wanted,
        }
    }
}

impl Attempt {
    pub(super) fn new() -> Self {
        Self { at: Now(0), tries: 0, asked: false }
    }

    pub(super) fn is_due(&self, now: Now) -> bool {
        !self.asked && limits::is_over(self.at, now)
    }

    pub(super) fn asked(&mut self, now: Now) {
        let wait = limits::backoff_ms(self.tries);
        *self = Self { at: Now(now.0.saturating_add(wait)), tries: self.tries.saturating_add(1), asked: true };
    }
}

impl<S: Store> Node<S> {
    /// Searches what was audited, asks for what is missing, acknowledges what was opened.
    pub(super) fn advance_inbox(&mut self, turn: &Turn) -> Result<(), StoreError> {
        for log in self.logs.keys().copied().collect::<Vec<_>>() {
            self.search(turn, log)?;
        }
        self.take_up_grant(turn)?;
        self.advance_erasing(turn)?;
        self.forget_early(turn);
        self.ask_for_slots(turn);
        self.ask_for_bodies(turn)?;
        self.acknowledge(turn);
        Ok(())
    }

    /// Searches the audited statements of a log that have not been searched.
    fn search(&mut self, turn: &Turn, log: LogId) -> Result<(), StoreError> {
        let Some(state) = self.logs.get(&log) else { return Ok(()) };
        let (from, audited) = (state.scan.done, state.audit.tree.size());
        if from >= audited || self.outstanding(log) >= limits::WANTED_PER_LOG_MAX {
            return Ok(());
        }
        let count = usize::try_from(audited - from).unwrap_or(usize::MAX).min(limits::SCAN_BATCH);
        let statements = self.store.statements(&log, from, count, limits::CHUNK_BYTES_MAX)?;
        for (position, bytes) in (from..).zip(statements) {
            if let Search::Waiting = self.search_one(turn, RecordId { log, position }, &bytes)? {
                break;
            }
            if let Some(state) = self.logs.get_mut(&log) {
                state.scan.done = position + 1;
            }
        }
        if let Some(state) = self.logs.get(&log).filter(|state| state.scan.done > from) {
            self.store.mark(Mark::Scanned(log), Some(&state.scan.to_bytes()))?;
        }
        Ok(())
    }

    fn search_one(&mut self, turn: &Turn, id: RecordId, bytes: &[u8]) -> Result<Search, StoreError> {
        let read = Statement::read(bytes).ok().map(|(statement, _)| statement);
        let flagged = self.store.marked(&Mark::Flag(id))?.is_some();
        let Some(statement) = read.filter(|_| !flagged) else {
            self.count(id.log, |scan| scan.bodiless += 1);
            return Ok(Search::Done);
        };
        if statement.binds == Binds::Lanes {
            // Its lane is known before the search goes on, also if nothing is addressed to this node: that is to be shown as well.
            if id.log.member != self.me.member && matches!(self.lane(id.log, id.position)?, Lane::Missing) {
                return Ok(Search::Waiting);
            }
            self.look_at_lanes_before(id)?;
            self.count(id.log, |scan| scan.bodiless += 1);
            return Ok(Search::Done);
        }
        let lane = match self.lane(id.log, statement.lanes)? {
            Lane::Known(lane) => Some(lane),
            Lane::None => None,
            Lane::Missing => return Ok(Search::Waiting),
        };
        let addressed = lane.as_ref().is_some_and(|lane| statement.tags.contains(&lane.tag(&id).0));
        // Granted before it was searched: it is in another log than the grant, or is searched once more.
        let granted = !addressed && self.inbox.has_grants && self.store.marked(&Mark::Granted(id))?.is_some();
        if self.is_erased(&id)? {
            self.count(id.log, |scan| scan.bodiless += 1);
            if addressed || granted {
                self.was_reader_after_all(id)?;
            }
            return Ok(Search::Done);
        }
        if !addressed && !granted {
            return Ok(Search::Done);
        }
        self.count(id.log, |scan| scan.mine += 1);
        if id.log.member == self.me.member {
            // Of a record that was logged after the backup that this machine was restored from, the body is at its readers alone.
            if self.view().holds_head_of(&statement)? {
                self.note_own(id, lane.as_ref())?;
            } else {
                self.want_body(id)?;
            }
        } else if self.held_body(id)?.is_some() {
            // The marks were lost and are derived anew: what was acknowledged then is not acknowledged again.
            self.open_held(turn, id, lane.as_ref(), false)?;
        } else {
            self.want_body(id)?;
            if let Some((_, body)) = self.inbox.early.remove(&id) {
                self.inbox.early_bytes -= body.bytes();
                if let Err(refusal) = self.take_body(turn, id, &body)? {
                    self.out.event(Event::Refused { peer: id.log.member, refusal });
                }
            }
        }
        Ok(Search::Done)
    }

    pub(super) fn count(&mut self, log: LogId, change: impl FnOnce(&mut super::state::ScanState)) {
        if let Some(state) = self.logs.get_mut(&log) {
            change(&mut state.scan);
        }
    }

    /// One's own record: it is opened only to learn again which document line it came from, and what it acknowledged.
    fn note_own(&mut self, id: RecordId, lane: Option<&LaneKey>) -> Result<(), StoreError> {
        self.inbox.opened += 1;
        if id.log == self.me.log && id.position >= self.inbox.relearn_below { Ok(()) } else { self.relearn(id, lane) }
    }

    fn relearn(&mut self, id: RecordId, lane: Option<&LaneKey>) -> Result<(), StoreError> {
        if let Some(body) = self.view().open_with(id, lane)? {
            let record = PartialRecord::from_content(&body.content);
            if let Some(source) = record.declared().source_digest {
                self.store.mark(Mark::Source(source), Some(id.to_string().as_bytes()))?;
            }
            self.acknowledged(&settled_by(record.declared()))?;
            self.learn_of_erasures(id, &record)?;
        }
        Ok(())
    }

    /// A body is to be fetched.
    pub(super) fn want_body(&mut self, id: RecordId) -> Result<(), StoreError> {
        self.store.mark(Mark::Inbox(id), Some(Delivery::Wanted.to_bytes()))?;
        self.inbox.wanted.insert(id, Attempt::new());
        Ok(())
    }

    /// Asks for what is due, log by log. Where nobody can be asked now, what is wanted is not gone through: it may be much, and this is
    /// called for every input.
    fn ask_for_bodies(&mut self, turn: &Turn) -> Result<(), StoreError> {
        let mut next = self.inbox.wanted.keys().next().map(|id| id.log);
        while let Some(log) = next {
            let mut from = Some(0);
            while let Some(position) = from.filter(|_| self.somebody_is_free(log.member)) {
                let rest = RecordId { log, position }..=last_of(log);
                let mut due = self.inbox.wanted.range(rest).filter(|(_, attempt)| attempt.is_due(turn.now));
                let Some((id, tries)) = due.next().map(|(id, attempt)| (*id, attempt.tries)) else { break };
                self.ask_for_body(turn, id, tries)?;
                from = id.position.checked_add(1);
            }
            let beyond = (Bound::Excluded(last_of(log)), Bound::Unbounded);
            next = self.inbox.wanted.range(beyond).next().map(|(id, _)| id.log);
        }
        Ok(())
    }

    fn ask_for_body(&mut self, turn: &Turn, id: RecordId, tries: u32) -> Result<(), StoreError> {
        let found = self.who_has(id, tries)?.filter(|(to, _)| self.is_free(*to));
        let Some((to, ticket)) = found else {
            if id.log.member == self.me.member
                && let Some(attempt) = self.inbox.wanted.get_mut(&id)
            {
                // None of its readers is within reach. To find that out again at every input would be much work.
                attempt.asked(turn.now);
                attempt.asked = false;
            }
            return Ok(());
        };
        if let Some(attempt) = self.inbox.wanted.get_mut(&id) {
            attempt.asked(turn.now);
        }
        self.peers.entry(to).body_requests += 1;
        self.ask(to, What::Body(id), &Request::Body { id, ticket: *ticket.as_bytes() });
        Ok(())
    }

    /// A member came within reach: what only it may have, and of one's own what it may, is asked for at once.
    pub(super) fn hasten(&mut self, member: MemberCode) {
        let of = [member, self.me.member];
        let attempts = self.inbox.wanted.iter_mut().chain(self.inbox.slots.iter_mut());
        attempts.filter(|(id, _)| of.contains(&id.log.member)).for_each(|(_, attempt)| {
            (attempt.at, attempt.tries) = (Now(0), 0);
        });
    }

    /// Whom to ask for another member's body: its author, or now and then, and while that is away, a custodian that the author's manifest names. Nobody
    /// else: to show a ticket is to say who reads the record.
    pub(super) fn holder(&self, id: RecordId, tries: u32) -> Option<MemberCode> {
        let author = id.log.member;
        let free = |member: &MemberCode| self.is_free(*member);
        let custodians: Vec<MemberCode> = self.custodians(author).collect();
        let author_is_in_reach = self.peers.is_connected(author);
        if author_is_in_reach && (tries % 4 != 3 || custodians.is_empty()) {
            return Some(author).filter(free);
        }
        custodians.get(tries as usize % custodians.len().max(1)).copied().filter(free)
    }

    /// The members within reach that may hold bodies of this author, besides itself.
    fn custodians(&self, author: MemberCode) -> impl Iterator<Item = MemberCode> {
        let named =
            self.federation.manifest(author).into_iter().flat_map(|manifest| manifest.custodians().iter().copied());
        named.filter(move |member| *member != author && self.peers.is_connected(*member))
    }

    /// Whether one more body may be asked of a member now.
    fn is_free(&self, member: MemberCode) -> bool {
        let peer = self.peers.by_member.get(&member);
        peer.is_some_and(|peer| peer.connected && peer.body_requests < limits::BODY_REQUESTS_PER_PEER)
    }

    /// Whether one more body of this author may be asked of anybody now.
    fn somebody_is_free(&self, author: MemberCode) -> bool {
        if author == self.me.member {
            return self.peers.connected().into_iter().any(|member| self.is_free(member));
        }
        self.is_free(author) || self.custodians(author).any(|member| self.is_free(member))
    }

    /// How many bodies of a log are wanted.
    pub(super) fn outstanding(&self, log: LogId) -> usize {
        self.inbox.wanted.range(RecordId { log, position: 0 }..=last_of(log)).count()
    }

    /// The ticket by which this node may have a body: that of its lane, or one that was granted. It is behind a tag of the statement.
    pub(super) fn ticket(&mut self, id: RecordId) -> Result<Option<Ticket>, StoreError> {
        let Some(frame) = self.store.get(&Key::Statement(id))? else { return Ok(None) };
        let Ok((statement, _)) = Statement::read(&frame.bytes) else { return Ok(None) };
        let is_good = |ticket: &Ticket| statement.tags.contains(&ticket.tag().0);
        if let Lane::Known(lane) = self.lane(id.log, statement.lanes)?
            && let Some(ticket) = Some(lane.ticket(&id)).filter(is_good)
        {
            return Ok(Some(ticket));
        }
        let grants = self.view().grants_of(id)?;
        Ok(grants.iter().filter_map(|grant| Some(grant.of(&id)?.ticket.clone())).find(is_good))
    }

    /// Takes a body that was pushed, now or when its statement is here.
    pub(super) fn take_push(
        &mut self,
        turn: &Turn,
        from: MemberCode,
        id: RecordId,
        body: WireBody,
    ) -> Result<Result<(), Refusal>, StoreError> {
        if self.inbox.wanted.contains_key(&id) {
            return self.take_body(turn, id, &body);
        }
        if self.is_erased(&id)? {
            return Ok(Ok(()));
        }
        if from != id.log.member {
            // Whether it is the signed one cannot be told yet, and only its author pushes a body.
            return Ok(Err(Refusal::Unasked));
        }
        let searched = self.logs.get(&id.log).is_some_and(|state| id.position < state.scan.done);
        let room = self.inbox.early.len() < limits::EARLY_BODIES_MAX
            && self.inbox.early_bytes + body.bytes() <= limits::EARLY_BODIES_BYTES_MAX;
        if !searched && room && self.federation.log_key(&id.log).is_some() && !self.inbox.early.contains_key(&id) {
            self.inbox.early_bytes += body.bytes();
            self.inbox.early.insert(id, (Now(turn.now.0.saturating_add(limits::EARLY_BODY_MS)), body));
        } else if !searched && !room {
            self.shed.bodies_dropped += 1;
        }
        Ok(Ok(()))
    }

    /// Gives up bodies whose statement has not come.
    fn forget_early(&mut self, turn: &Turn) {
        let late: Vec<RecordId> =
            self.inbox.early.iter().filter(|(_, (until, _))| turn.now >= *until).map(|(id, _)| *id).collect();
        for id in late {
            if let Some((_, body)) = self.inbox.early.remove(&id) {
                self.inbox.early_bytes -= body.bytes();
            }
        }
    }

    /// Takes a body that is wanted: it must be the one that the statement signs.
    pub(super) fn take_body(
        &mut self,
        turn: &Turn,
        id: RecordId,
        body: &WireBody,
    ) -> Result<Result<(), Refusal>, StoreError> {
        if !self.inbox.wanted.contains_key(&id) {
            return Ok(Ok(()));
        }
        let Some(frame) = self.store.get(&Key::Statement(id))? else { return Ok(Err(Refusal::Unasked)) };
        let Ok((statement, _)) = Statement::read(&frame.bytes) else { return Ok(Err(Refusal::Unasked)) };
        if !super::heal::is_signed(&statement, body) {
            self.release_body(id);
            return Ok(Err(Refusal::Body));
        }
        self.stage_body(turn.now.time(), id, body)?;
        self.inbox.wanted.remove(&id);
        let lane = match self.lane(id.log, statement.lanes)? {
            Lane::Known(lane) => Some(lane),
            Lane::None | Lane::Missing => None,
        };
        let is_own = id.log.member == self.me.member;
        if is_own {
            self.relearn(id, lane.as_ref())?;
        }
        self.open_held(turn, id, lane.as_ref(), !is_own)?;
        Ok(Ok(()))
    }

    /// A request for a body came to nothing: it may be asked for again.
    pub(super) fn release_body(&mut self, id: RecordId) {
        if let Some(attempt) = self.inbox.wanted.get_mut(&id) {
            attempt.asked = false;
        }
    }

    /// Opens a body that is here.
    pub(super) fn open_held(
        &mut self,
        turn: &Turn,
        id: RecordId,
        lane: Option<&LaneKey>,
        acknowledge: bool,
    ) -> Result<(), StoreError> {
        let opened = self.view().open_with(id, lane)?;
        let delivery = match opened {
            Some(OpenedBody { fault: Some(fault), .. }) => {
                self.out.push_durable(Effect::Event(Event::NotOpened { id, reason: fault.to_string() }));
                Some(Delivery::Unreadable)
            }
            Some(body) if !body.content.is_empty() => {
                let compartments = body.content.len();
                self.inbox.opened += 1;
                self.out.push_durable(Effect::Event(Event::Opened { id, compartments }));
                let kind = kind_of(&body.content);
                let is_own = id.log.member == self.me.member;
                if kind == Some(Kind::AudienceGrant) && !is_own && self.view().grant(id)?.is_some() {
                    self.inbox.grants.insert(id, acknowledge);
                    Some(Delivery::TakingUp { acknowledge })
                } else if kind == Some(Kind::Erasure) {
                    self.erasing.orders.insert(id);
                    Some(Delivery::Ordered)
                } else {
                    // An anchor is witnessed by the cosignatures; one record for each at each member would be a flood.
                    let is_told =
                        matches!(kind, Some(Kind::Acknowledgement | Kind::AuditAnchor | Kind::ErasureReceipt));
                    (acknowledge && !is_told).then_some(Delivery::Opened)
                }
            }
            _ => {
                let reason = "none of its compartments is for this member".to_owned();
                self.out.push_durable(Effect::Event(Event::NotOpened { id, reason }));
                Some(Delivery::Unreadable)
            }
        };
        self.deliver(turn, id, delivery)
    }

    /// Notes how far a record has come.
    pub(super) fn deliver(&mut self, turn: &Turn, id: RecordId, delivery: Option<Delivery>) -> Result<(), StoreError> {
        self.store.mark(Mark::Inbox(id), delivery.map(Delivery::to_bytes))?;
        if delivery == Some(Delivery::Opened) {
            self.inbox.acknowledge.entry(id.log.member).or_default().push(id);
            self.inbox.acknowledge_since.get_or_insert(turn.now);
        }
        Ok(())
    }

    /// Records of which one's own log holds the acknowledgement: nothing is left to do about them, unless the body went with a disk since and
    /// is wanted again.
    pub(super) fn acknowledged(&mut self, ids: &[RecordId]) -> Result<(), StoreError> {
        for id in ids {
            if !self.inbox.wanted.contains_key(id) {
                self.store.mark(Mark::Inbox(*id), None)?;
            }
            if let Some(waiting) = self.inbox.acknowledge.get_mut(&id.log.member) {
                waiting.retain(|waiting| waiting != id);
            }
        }
        Ok(())
    }

    /// Logs one acknowledgement per author for everything that was opened since the last, and none for acknowledgements.
    fn acknowledge(&mut self, turn: &Turn) {
        let due = self
            .inbox
            .acknowledge_since
            .is_some_and(|since| turn.now.since(since) >= self.settings.acknowledge_after_ms || turn.now < since);
        // Until one's own log has been searched after a start, it may hold acknowledgements that are not known yet.
        let searched = self.logs.get(&self.me.log).is_none_or(|own| own.scan.done == own.tree.size());
        let ended = matches!(self.author.phase, Phase::Ended { .. });
        if !due || !searched || ended {
            return;
        }
        self.inbox.acknowledge_since = None;
        for (author, ids) in std::mem::take(&mut self.inbox.acknowledge) {
            // An empty list has no chunks.
            for ids in ids.chunks(limits::ACKNOWLEDGE_MAX) {
                let draft = Draft::delivered(author, ids.to_vec());
                let context = Context {
                    strictness: Strictness::Own,
                    author: Some(self.me.member),
                    now: turn.now.time(),
                    foreign_exports: false,
                };
                let checked = draft.check(&context).expect("an acknowledgement made here has all that it needs");
                self.author.queue.push_back(Queued::internal(checked.record));
            }
        }
    }

    /// Puts a body's frames into the store.
    pub(super) fn stage_body(&mut self, at: UnixTime, id: RecordId, body: &WireBody) -> Result<(), StoreError> {
        for (index, bytes) in (0_u8..).zip(&body.compartments) {
            self.store.stage(Frame { key: Key::Compartment(id, index), at, bytes: bytes.clone() })?;
        }
        self.store.stage(Frame { key: Key::Head(id), at, bytes: body.head.clone() })?;
        self.out.touch();
        Ok(())
    }

    /// A body that is held whole.
    pub(super) fn held_body(&self, id: RecordId) -> Result<Option<WireBody>, StoreError> {
        self.view().body(id)
    }

    /// Answers a request for a body: only to who shows the ticket behind a tag of the statement.
    pub(super) fn serve_body(&self, id: RecordId, ticket: [u8; 32]) -> Result<Response, StoreError> {
        let Some(frame) = self.store.get(&Key::Statement(id))? else { return Ok(Response::Nothing) };
        let Ok((statement, _)) = Statement::read(&frame.bytes) else { return Ok(Response::Nothing) };
        let Tag(tag) = Ticket::from_bytes(ticket).tag();
        if !statement.tags.contains(&tag) || self.is_held_back(&id)? {
            return Ok(Response::Nothing);
        }
        Ok(self.held_body(id)?.map_or(Response::Nothing, Response::Body))
    }

    /// What can be read in this node's store with its keys.
    #[must_use]
    pub fn view(&self) -> View<'_, S> {
        View::new(&self.store, &self.federation, &self.me).with_kept(&self.kept)
    }
}

/// The last record that a log could have.
fn last_of(log: LogId) -> RecordId {
    RecordId { log, position: u64::MAX }
}

/// What a record says, by its summary alone.
pub(super) fn kind_of(content: &Content) -> Option<Kind> {
    let summary: Content = content
        .get_key_value(&Compartment::SUMMARY)
        .map(|(name, fields)| (name.clone(), fields.clone()))
        .into_iter()
        .collect();
    PartialRecord::from_content(&summary).kind().cloned()
}
