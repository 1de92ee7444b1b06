//! One's own slots of others' `lanes` statements: the keys by which records are found and opened.

use crate::encoding::ids::{LogId, RecordId};
use crate::ledger::{Binds, Frame, Key, Statement, Store, StoreError};
use crate::seal::{LaneKey, OpenedSlot, SealContext, SealError, SlotProof};

use super::effect::Event;
use super::inbox::Attempt;
use super::message::Request;
use super::peers::What;
use super::refusal::Refusal;
use super::{Node, Turn, limits};

/// What is known of a lane.
pub(super) enum Lane {
    Known(LaneKey),
    /// There is none to this node.
    None,
    /// Its slot has not come yet.
    Missing,
}

impl<S: Store> Node<S> {
    /// The lane of `log` whose `lanes` statement is at `position`.
    pub(super) fn lane(&mut self, log: LogId, position: u64) -> Result<Lane, StoreError> {
        if log == self.me.log
            && let Some(own) = self.author.lanes.as_ref().filter(|own| own.position == position)
        {
            return Ok(Lane::Known(own.secret.lane_key(self.me.member)));
        }
        if let Some((_, lane)) = self.inbox.lanes.get(&log).filter(|(held, _)| *held == position) {
            return Ok(lane.clone().map_or(Lane::None, Lane::Known));
        }
        let id = RecordId { log, position };
        if let Some(key) = self.view().lane(id)? {
            self.inbox.lanes.insert(log, (position, Some(key.clone())));
            return Ok(Lane::Known(key));
        }
        let held = self.store.get(&Key::Statement(id))?;
        let is_another = log.member != self.me.member;
        if is_another && held.is_none() && self.logs.get(&log).is_some_and(|state| position < state.audit.tree.size()) {
            // The disk has lost it. Nobody can be asked for the slot before it is here again, and what names it waits.
            return Ok(Lane::Missing);
        }
        let names_lanes = held
            .and_then(|frame| Statement::read(&frame.bytes).ok())
            .is_some_and(|(statement, _)| statement.binds == Binds::Lanes);
        // Of one's own log nobody has the slot with the secret: lanes that went with the disk do not come back.
        if !names_lanes || !is_another || self.is_erased(&id)? {
            return Ok(Lane::None);
        }
        self.want_slot(id);
        Ok(Lane::Missing)
    }

    /// A slot is to be fetched. One per log: an earlier one that the search needs after all, it finds missing again.
    pub(super) fn want_slot(&mut self, id: RecordId) {
        self.inbox.slots.retain(|other, _| *other == id || other.log != id.log);
        self.inbox.slots.entry(id).or_insert_with(Attempt::new);
    }

    pub(super) fn ask_for_slots(&mut self, turn: &Turn) {
        let due: Vec<RecordId> = self
            .inbox
            .slots
            .iter()
            .filter(|(id, attempt)| attempt.is_due(turn.now) && self.peers.is_connected(id.log.member))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            if let Some(attempt) = self.inbox.slots.get_mut(&id) {
                attempt.asked(turn.now);
            }
            self.ask(id.log.member, What::Slot(id), &Request::Slot { id });
        }
    }

    /// Takes one's own slot, as its author sent it.
    pub(super) fn take_slot(
        &mut self,
        turn: &Turn,
        id: RecordId,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, StoreError> {
        let Some(frame) = self.store.get(&Key::Statement(id))? else { return Ok(Err(Refusal::Unasked)) };
        let Ok((statement, _)) = Statement::read(&frame.bytes) else { return Ok(Err(Refusal::Unasked)) };
        let opened = SlotProof::decode(bytes).and_then(|proof| {
            proof.verify(&statement.digest)?;
            let key = self.me.seal_keys.get(&proof.head.epoch);
            let key = key.ok_or(SealError::SlotDoesNotOpen { member: self.me.member })?;
            let context = SealContext { federation: self.federation.id(), record: id };
            proof.slot.open(&context, key)
        });
        match opened {
            Ok(OpenedSlot::Lane(key)) => {
                self.store.stage(Frame { key: Key::Slot(id), at: turn.now.time(), bytes: bytes.to_vec() })?;
                self.out.touch();
                self.inbox.slots.remove(&id);
                self.kept.keep_lane(id, &key);
                self.inbox.lanes.insert(id.log, (id.position, Some(key)));
                Ok(Ok(()))
            }
            Ok(OpenedSlot::Own(_)) => Ok(Err(Refusal::Unasked)),
            Err(error @ SealError::SlotDoesNotOpen { .. }) => {
                // It is the one that was signed, so no other will come: what lies under it cannot be read here.
                self.inbox.slots.remove(&id);
                self.inbox.lanes.insert(id.log, (id.position, None));
                self.out.event(Event::NotOpened { id, reason: error.to_string() });
                Ok(Ok(()))
            }
            Err(_) => {
                self.release_slot(id);
                Ok(Err(Refusal::Body))
            }
        }
    }

    /// The author says that it has no slot for this node. If it says so again and again, what lies under that `lanes` statement is not
    /// addressed to this node; an author whose charter is old for a moment says so too.
    pub(super) fn no_slot(&mut self, id: RecordId) {
        if self.inbox.slots.get(&id).is_some_and(|attempt| attempt.tries < limits::SLOT_TRIES) {
            return self.release_slot(id);
        }
        self.inbox.slots.remove(&id);
        self.inbox.lanes.insert(id.log, (id.position, None));
        self.out.event(Event::NotOpened { id, reason: "the author has no lane to this member".to_owned() });
    }

    /// A request for a slot came to nothing: it may be asked for again.
    pub(super) fn release_slot(&mut self, id: RecordId) {
        if let Some(attempt) = self.inbox.slots.get_mut(&id) {
            attempt.asked = false;
        }
    }
}
