//! Erasing: a body goes because its author orders it, or because this member decides so for its own copy. Statements stay.
//!
//! ```text
//! order (G08) ─▶ of its author's own, earlier records? ─┬─ held here ─▶ kept, not handed on ─┐
//!                                                       └─ note, body gone, durable ─────────┴▶ receipt (G09) to the author
//! ```
//!
//! The note ([`Key::Erased`]) is what keeps a body away for ever: nothing that it stands for is wanted, taken, opened or served again. It says
//! why, and of a member's own record who could read it and is to answer. A mark keeps an order until its receipt is logged.
//!
//! Lanes open many records: the keys of a `lanes` statement go when others have followed it and all that they opened here is erased.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::encoding::ids::{MemberCode, RecordId};
use crate::ledger::{Binds, Erased, Frame, Hold, Key, Mark, Statement, Store, StoreError, Why};
use crate::record::{Context, Draft, Kind, PartialRecord, Record, Strictness};

use super::author::{Phase, Queued};
use super::effect::{Effect, Event, Refused};
use super::inbox::Delivery;
use super::input::Keeping;
use super::view::OpenedBody;
use super::{Node, Turn, limits};

/// What is under way of erasures.
#[derive(Debug, Default)]
pub(super) struct Erasing {
    /// Whether any body was ever erased here: if not, nothing is looked up.
    pub known: bool,
    /// Orders that are to be carried out, or whose receipts are still to be logged.
    pub orders: BTreeSet<RecordId>,
    /// What authors are to be told: of an order, or of what this member has decided.
    receipts: BTreeMap<(MemberCode, Option<RecordId>), Receipt>,
    /// What one's own log has told already, by order and record, and whether it was that it is held: read again after the marks were lost.
    told: BTreeMap<(RecordId, RecordId), Fate>,
    /// `lanes` statements whose keys may be needed no more, and how far the records under them were looked at.
    lanes: VecDeque<(RecordId, u64)>,
}

/// What an author is to be told.
#[derive(Debug, Default)]
struct Receipt {
    erased: BTreeSet<RecordId>,
    held: BTreeSet<RecordId>,
}

/// What has become of a body that was to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Erased,
    Held,
}

/// Why nothing was done about bodies that an operator has decided about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{id}: {why}")]
pub struct NotKept {
    /// The record.
    pub id: RecordId,
    /// Why.
    pub why: &'static str,
}

impl Erasing {
    /// A body was erased by this member's own decision, and its author is to be told.
    pub(super) fn forgotten(&mut self, id: RecordId) {
        self.receipts.entry((id.log.member, None)).or_default().erased.insert(id);
    }
}

impl<S: Store> Node<S> {
    /// Whether a body was erased here.
    pub(super) fn is_erased(&self, id: &RecordId) -> Result<bool, StoreError> {
        Ok(self.erasing.known && self.store.has(&Key::Erased(*id))?)
    }

    /// Whether a body is here only because a hold keeps its erasure from being carried out: it is not handed on.
    pub(super) fn is_held_back(&self, id: &RecordId) -> Result<bool, StoreError> {
        Ok(self.view().hold(*id)?.is_some_and(|(hold, _)| hold.ordered_by.is_some()))
    }

    /// Carries out an order, tells of what was done, looks at lanes: a little of each.
    pub(super) fn advance_erasing(&mut self, turn: &Turn) -> Result<(), StoreError> {
        if let Some(order) = self.erasing.orders.pop_first() {
            self.carry_out(turn, order)?;
        }
        self.tell_of_erasures(turn)?;
        self.look_at_lanes(turn)
    }

    /// An order of one's own is in the log.
    pub(super) fn take_own_order(&mut self, order: RecordId) -> Result<(), StoreError> {
        self.store.mark(Mark::Inbox(order), Some(Delivery::Ordered.to_bytes()))?;
        self.erasing.orders.insert(order);
        Ok(())
    }

    /// What a record of one's own says of erasures, after a crash or after the marks were lost.
    pub(super) fn learn_of_erasures(&mut self, id: RecordId, record: &PartialRecord) -> Result<(), StoreError> {
        let declared = record.declared();
        match (record.kind(), declared.answers) {
            (Some(Kind::Erasure), _) => self.take_own_order(id)?,
            (Some(Kind::ErasureReceipt), Some(order)) => {
                self.erasing.told.extend(declared.erased.iter().map(|of| ((order, *of), Fate::Erased)));
                self.erasing.told.extend(declared.held.iter().map(|of| ((order, *of), Fate::Held)));
            }
            (Some(Kind::AudienceGrant), _) => {
                if let Some(Ok(grant)) = self.view().grant(id)? {
                    for (of, _) in grant.records() {
                        self.note_granted(*of, id)?;
                    }
                }
            }
            (Some(_) | None, _) => {}
        }
        Ok(())
    }

    /// Why a record of one's own is refused, if it is an order that could not be carried out.
    pub(super) fn refused_order(&self, record: &Record) -> Result<Option<Refused>, StoreError> {
        if *record.kind() != Kind::Erasure {
            return Ok(None);
        }
        let erases = &record.declared().erases;
        if erases.len() > limits::ERASES_MAX {
            return Ok(Some(Refused::TooManyToErase { limit: limits::ERASES_MAX }));
        }
        for id in erases {
            let why = if id.log.member != self.me.member {
                Some("a member orders the erasure of its own records alone")
            } else if self.view().statement(*id)?.is_none() {
                Some("there is no such record")
            } else if self.is_erased(id)? {
                Some("it is erased already")
            } else {
                self.not_erasable(*id)?
            };
            if let Some(why) = why {
                return Ok(Some(Refused::NotErasable { id: *id, why }));
            }
        }
        Ok(None)
    }

    /// Why nobody can have a record erased, as far as this node can tell.
    fn not_erasable(&self, id: RecordId) -> Result<Option<&'static str>, StoreError> {
        if self.view().statement(id)?.is_some_and(|statement| statement.binds != Binds::Body) {
            return Ok(Some("it has no body; lanes go with the last record under them"));
        }
        let stays = self.kind_here(id)?.is_some_and(|kind| !kind.can_be_erased());
        Ok(stays.then_some("orders to erase, and receipts of them, stay"))
    }

    /// What a record is, if its body is here and opens.
    fn kind_here(&self, id: RecordId) -> Result<Option<Kind>, StoreError> {
        Ok(self.view().open(id)?.and_then(|body| PartialRecord::from_content(&body.content).kind().cloned()))
    }

    fn carry_out(&mut self, turn: &Turn, order: RecordId) -> Result<(), StoreError> {
        let record = self.view().open(order)?.map(|body| PartialRecord::from_content(&body.content));
        let Some(record) = record.filter(|record| record.kind() == Some(&Kind::Erasure)) else { return Ok(()) };
        let mut receipt = Receipt::default();
        let mut refused: Option<(RecordId, &'static str)> = None;
        for id in &record.declared().erases {
            match self.carry_out_one(turn, order, *id)? {
                Ok(Some(Fate::Erased)) => drop(receipt.erased.insert(*id)),
                Ok(Some(Fate::Held)) => drop(receipt.held.insert(*id)),
                Ok(None) => {}
                Err(why) => drop(refused.get_or_insert((*id, why))),
            }
        }
        if let Some((id, why)) = refused {
            let reason = format!("{id}: {why}");
            self.out.push_durable(Effect::Event(Event::NotErased { id: order, reason }));
        }
        let author = order.log.member;
        if author == self.me.member || receipt.erased.is_empty() && receipt.held.is_empty() {
            self.store.mark(Mark::Inbox(order), None)?;
            self.out.touch();
            return Ok(());
        }
        let due = self.erasing.receipts.entry((author, Some(order))).or_default();
        due.erased.extend(receipt.erased);
        due.held.extend(receipt.held);
        Ok(())
    }

    /// Carries out an order as far as one record goes; what is to be told of it, if this member could read it, or why the order does not count.
    fn carry_out_one(
        &mut self,
        turn: &Turn,
        order: RecordId,
        id: RecordId,
    ) -> Result<Result<Option<Fate>, &'static str>, StoreError> {
        if id.log.member != order.log.member {
            return Ok(Err("it is another member's"));
        }
        if id >= order {
            return Ok(Err("it is not earlier than the order"));
        }
        if let Some((note, _)) = self.view().erased(id)? {
            return Ok(Ok(note.was_reader.then_some(Fate::Erased)));
        }
        if let Some(why) = self.not_erasable(id)? {
            return Ok(Err(why));
        }
        let was_reader = self.is_reader(id)?;
        if let Some((hold, _)) = self.view().hold(id)? {
            if hold.ordered_by.is_none() {
                self.stage_hold(turn, id, &Hold { ordered_by: Some(order), ..hold })?;
            }
            return Ok(Ok(was_reader.then_some(Fate::Held)));
        }
        self.erase(turn, id, Why::Ordered(order))?;
        Ok(Ok(was_reader.then_some(Fate::Erased)))
    }

    /// Whether a record is for this member, by its lane or by a grant.
    fn is_reader(&self, id: RecordId) -> Result<bool, StoreError> {
        let Some(statement) = self.view().statement(id)? else { return Ok(false) };
        let lane = self.view().lane(RecordId { log: id.log, position: statement.lanes })?;
        let is_addressed = lane.is_some_and(|lane| statement.tags.contains(&lane.tag(&id).0));
        Ok(is_addressed || self.store.marked(&Mark::Granted(id))?.is_some())
    }

    /// Erases a body: the note is staged, the frames go with the next flush, and nothing of the record is under way any more.
    fn erase(&mut self, turn: &Turn, id: RecordId, why: Why) -> Result<(), StoreError> {
        let is_own = id.log.member == self.me.member;
        let (is_reader, readers) =
            (self.is_reader(id)?, if is_own { self.view().readers_of(id)? } else { BTreeSet::new() });
        if is_own && let Some(source) = self.source_of(id)? {
            self.store.mark(Mark::Source(source), None)?;
        }
        let statement = self.view().statement(id)?;
        self.stage_note(turn, id, &Erased { why, was_reader: is_reader || is_own, readers })?;
        self.store.mark(Mark::Inbox(id), None)?;
        self.store.mark(Mark::Granted(id), None)?;
        self.inbox.wanted.remove(&id);
        self.inbox.grants.remove(&id);
        if let Some((_, body)) = self.inbox.early.remove(&id) {
            self.inbox.early_bytes -= body.bytes();
        }
        if let Some(waiting) = self.inbox.acknowledge.get_mut(&id.log.member) {
            waiting.retain(|waiting| *waiting != id);
        }
        if let Some(state) = self.logs.get_mut(&id.log).filter(|state| id.position < state.scan.done) {
            state.scan.bodiless += 1;
            state.scan.mine = state.scan.mine.saturating_sub(u64::from(is_reader));
            self.store.mark(Mark::Scanned(id.log), Some(&state.scan.to_bytes()))?;
        }
        if let Some(statement) = statement {
            let lanes = RecordId { log: id.log, position: statement.lanes };
            self.look_at(lanes);
        }
        Ok(())
    }

    /// The document line that a record of one's own was made of.
    fn source_of(&self, id: RecordId) -> Result<Option<crate::encoding::hash::Digest>, StoreError> {
        let content = self.view().open(id)?.map(|OpenedBody { content, .. }| PartialRecord::from_content(&content));
        let source = content.and_then(|record| record.declared().source_digest);
        // A line that was logged again since is not this record's.
        let Some(source) = source else { return Ok(None) };
        let of = self.store.marked(&Mark::Source(source))?;
        Ok(of.is_some_and(|of| of == id.to_string().as_bytes()).then_some(source))
    }

    fn stage_note(&mut self, turn: &Turn, id: RecordId, note: &Erased) -> Result<(), StoreError> {
        self.store.stage(Frame { key: Key::Erased(id), at: turn.now.time(), bytes: note.encode() })?;
        self.kept.forget(&id);
        self.erasing.known = true;
        self.out.push_durable(Effect::Event(Event::Erased { id, why: note.why }));
        Ok(())
    }

    fn stage_hold(&mut self, turn: &Turn, id: RecordId, hold: &Hold) -> Result<(), StoreError> {
        self.store.stage(Frame { key: Key::Hold(id), at: turn.now.time(), bytes: hold.encode() })?;
        self.out.touch();
        Ok(())
    }

    /// A record is found that was erased before it was known that this member could read it: its author waits for an answer.
    pub(super) fn was_reader_after_all(&mut self, id: RecordId) -> Result<(), StoreError> {
        let Some((note, at)) = self.view().erased(id)? else { return Ok(()) };
        if let Why::Ordered(order) = note.why
            && !note.was_reader
        {
            let bytes = Erased { was_reader: true, ..note }.encode();
            self.store.stage(Frame { key: Key::Erased(id), at, bytes })?;
            self.take_own_order(order)?;
        }
        Ok(())
    }

    /// Logs what authors are to be told of erasures: the flush before its signature is also that of the erasure.
    fn tell_of_erasures(&mut self, turn: &Turn) -> Result<(), StoreError> {
        if self.erasing.receipts.is_empty() || !self.knows_its_receipts() {
            return Ok(());
        }
        for ((author, order), Receipt { erased, held }) in std::mem::take(&mut self.erasing.receipts) {
            let told = |id: &RecordId| order.and_then(|order| self.erasing.told.get(&(order, *id)).copied());
            let erased: Vec<RecordId> = erased.into_iter().filter(|id| told(id) != Some(Fate::Erased)).collect();
            let held: Vec<RecordId> = held.into_iter().filter(|id| told(id) != Some(Fate::Held)).collect();
            if erased.is_empty() && held.is_empty() {
                if let Some(order) = order {
                    self.store.mark(Mark::Inbox(order), None)?;
                    self.out.touch();
                }
                continue;
            }
            let parts = erased.len().max(held.len()).div_ceil(limits::ERASES_MAX);
            let part = |all: &[RecordId], number: usize| {
                all.chunks(limits::ERASES_MAX).nth(number).map(<[RecordId]>::to_vec).unwrap_or_default()
            };
            for number in 0..parts {
                let draft = Draft::erasure_receipt(author, order, part(&erased, number), part(&held, number));
                let context = Context {
                    strictness: Strictness::Own,
                    author: Some(self.me.member),
                    now: turn.now.time(),
                    foreign_exports: false,
                };
                let checked = draft.check(&context).expect("a receipt made here has all that it needs");
                self.author.queue.push_back(Queued::internal(checked.record));
            }
        }
        Ok(())
    }

    /// Whether all receipts that an earlier run has logged, or was about to sign when it was interrupted, are known; never in a log that has ended.
    fn knows_its_receipts(&self) -> bool {
        let own = self.logs.get(&self.me.log);
        let size = own.map_or(0, |own| own.tree.size());
        let is_searched = own.is_none_or(|own| own.scan.done == size);
        match &self.author.phase {
            Phase::Starting { .. } | Phase::Ended { .. } => false,
            // An intent of which not everything came to the disk is never signed: then the log is idle before it.
            Phase::Idle => is_searched,
            Phase::Signing { .. } | Phase::Checkpointing { .. } => is_searched && size >= self.inbox.relearn_below,
        }
    }

    /// Does what an operator has decided about bodies: all of it, or nothing.
    pub(super) fn keep(
        &mut self,
        turn: &Turn,
        order: u64,
        records: &[RecordId],
        act: &Keeping,
    ) -> Result<(), StoreError> {
        let mut refused = None;
        for id in records {
            if let Some(why) = self.not_kept(*id, act)? {
                refused.get_or_insert(NotKept { id: *id, why });
            }
        }
        let outcome = refused.map_or(Ok(()), Err);
        if outcome.is_ok() {
            for id in records {
                self.keep_one(turn, *id, act)?;
            }
        }
        self.out.push_durable(Effect::Kept { id: order, outcome });
        Ok(())
    }

    fn not_kept(&self, id: RecordId, act: &Keeping) -> Result<Option<&'static str>, StoreError> {
        let Some(statement) = self.view().statement(id)? else { return Ok(Some("no such statement is held here")) };
        if statement.binds != Binds::Body {
            return Ok(Some("it has no body"));
        }
        if self.is_erased(&id)? {
            return Ok(Some("its body is erased already"));
        }
        let is_held = self.view().hold(id)?.is_some();
        let is_here = self.is_reader(id)? || self.store.has(&Key::Head(id))?;
        Ok(match act {
            Keeping::Hold { .. } if !is_here => Some("it is not for this member, so nothing of it is here"),
            Keeping::Hold { reference } if reference.len() > crate::ledger::erased::REFERENCE_MAX => {
                Some("the reference is too long")
            }
            Keeping::Hold { .. } => None,
            Keeping::Release => (!is_held).then_some("it is not held"),
            Keeping::Forget if id.log.member == self.me.member => {
                Some("it is this member's own: order its erasure, so that its readers erase it as well")
            }
            Keeping::Forget if !is_here => Some("it is not for this member, so nothing of it is here"),
            Keeping::Forget if is_held => Some("it is held; release it first"),
            Keeping::Forget => self.not_erasable(id)?,
        })
    }

    fn keep_one(&mut self, turn: &Turn, id: RecordId, act: &Keeping) -> Result<(), StoreError> {
        match act {
            Keeping::Hold { reference } => {
                let ordered_by = self.view().hold(id)?.and_then(|(hold, _)| hold.ordered_by);
                let hold = Hold { is_on: true, reference: reference.clone(), ordered_by };
                self.stage_hold(turn, id, &hold)
            }
            Keeping::Release => {
                let ordered_by = self.view().hold(id)?.and_then(|(hold, _)| hold.ordered_by);
                self.stage_hold(turn, id, &Hold { is_on: false, reference: String::new(), ordered_by: None })?;
                match ordered_by {
                    Some(order) => self.take_own_order(order),
                    None => Ok(()),
                }
            }
            Keeping::Forget => {
                self.erase(turn, id, Why::OwnLaw)?;
                self.store.mark(Mark::Inbox(id), Some(Delivery::Forgotten.to_bytes()))?;
                self.erasing.forgotten(id);
                Ok(())
            }
        }
    }

    /// Other lanes have followed: those before may be needed no more.
    pub(super) fn look_at_lanes_before(&mut self, lanes: RecordId) -> Result<(), StoreError> {
        let before = lanes.position.checked_sub(1).filter(|_| self.erasing.known);
        if let Some(position) = before
            && let Some(statement) = self.view().statement(RecordId { position, ..lanes })?
        {
            self.look_at(RecordId { position: statement.lanes, ..lanes });
        }
        Ok(())
    }

    fn look_at(&mut self, lanes: RecordId) {
        if !self.erasing.lanes.iter().any(|(waiting, _)| *waiting == lanes) {
            self.erasing.lanes.push_back((lanes, lanes.position + 1));
        }
    }

    /// Looks at some of the records under one `lanes` statement. At the first that still needs them it is over; if others have followed and none
    /// was found, their keys are erased.
    fn look_at_lanes(&mut self, turn: &Turn) -> Result<(), StoreError> {
        let Some((lanes, from)) = self.erasing.lanes.pop_front() else { return Ok(()) };
        // Its author is still to show that it has sent all of it: that needs the key.
        if self.store.marked(&Mark::Lane(lanes))?.is_some() {
            self.erasing.lanes.push_back((lanes, from));
            return Ok(());
        }
        let is_own = lanes.log.member == self.me.member;
        let here = if is_own { Key::Lanes(lanes) } else { Key::Slot(lanes) };
        let Some(searched) = self.logs.get(&lanes.log).map(|state| state.scan.done) else { return Ok(()) };
        if !self.store.has(&here)? {
            return Ok(());
        }
        let lane = self.view().lane(lanes)?;
        let statements = self.store.statements(&lanes.log, from, limits::SCAN_BATCH, limits::CHUNK_BYTES_MAX)?;
        let mut position = from;
        for bytes in statements {
            let id = RecordId { log: lanes.log, position };
            if position >= searched {
                return Ok(());
            }
            position += 1;
            let Ok((statement, _)) = Statement::read(&bytes) else { continue };
            if statement.binds == Binds::Lanes {
                let note = Erased { why: Why::Unneeded, was_reader: false, readers: BTreeSet::new() };
                self.stage_note(turn, lanes, &note)?;
                self.inbox.lanes.retain(|log, (held, _)| *log != lanes.log || *held != lanes.position);
                return Ok(());
            }
            let is_for_me = is_own || lane.as_ref().is_some_and(|lane| statement.tags.contains(&lane.tag(&id).0));
            if is_for_me && !self.is_erased(&id)? && self.store.marked(&Mark::Flag(id))?.is_none() {
                return Ok(());
            }
        }
        if position > from {
            self.erasing.lanes.push_back((lanes, position));
        }
        Ok(())
    }
}

/// The records about which nothing is left to do once a record of one's own is in the log.
pub(super) fn settled_by(declared: &Draft) -> Vec<RecordId> {
    let mut settled = declared.acknowledges.clone();
    if declared.kind == Some(Kind::ErasureReceipt) {
        settled.extend(declared.answers);
        if declared.answers.is_none() {
            settled.extend(&declared.erased);
        }
    }
    settled
}
