//! What others grant to this node: records that were not addressed to it, with a ticket and keys for each.
//!
//! Only a mark is kept, from each record to the grants about it; the keys are read from the grants again. Nobody can grant but its own
//! records, with a ticket that the record's statement signs; whether a key is good shows when the body is here.

use crate::encoding::ids::{LogId, RecordId};
use crate::ledger::{Binds, Mark, Store, StoreError};
use crate::seal::Granted;

use super::effect::Event;
use super::inbox::Delivery;
use super::{Node, Turn, limits};

impl<S: Store> Node<S> {
    /// Takes up one grant, if there is room for the bodies that it makes this node ask for.
    pub(super) fn take_up_grant(&mut self, turn: &Turn) -> Result<(), StoreError> {
        let next = self.inbox.grants.iter().find(|(id, _)| self.has_room_for_bodies(id)).map(|(id, mode)| (*id, *mode));
        let Some((grant, acknowledge)) = next else { return Ok(()) };
        self.inbox.grants.remove(&grant);
        match self.view().grant(grant)? {
            Some(Ok(keys)) => {
                let mut refused: Option<(RecordId, &'static str)> = None;
                for (id, granted) in keys.records() {
                    if let Err(why) = self.take_granted(turn, grant, *id, granted)? {
                        refused.get_or_insert((*id, why));
                    }
                }
                if let Some((id, why)) = refused {
                    let reason = format!("it cannot grant {id}: {why}");
                    self.out.push_durable(super::Effect::Event(Event::NotGranted { id: grant, reason }));
                }
            }
            Some(Err(fault)) => {
                let reason = fault.to_string();
                self.out.push_durable(super::Effect::Event(Event::NotGranted { id: grant, reason }));
            }
            None => {}
        }
        self.deliver(turn, grant, acknowledge.then_some(Delivery::Opened))
    }

    /// Whether so few bodies of a grant's author are outstanding that a grant may add to them.
    fn has_room_for_bodies(&self, grant: &RecordId) -> bool {
        let mut logs = self.logs.keys().filter(|log| log.member == grant.log.member);
        logs.all(|log| self.outstanding(*log) < limits::WANTED_PER_LOG_MAX)
    }

    /// Takes up what a grant gives of one record, or says why not.
    fn take_granted(
        &mut self,
        turn: &Turn,
        grant: RecordId,
        id: RecordId,
        granted: &Granted,
    ) -> Result<Result<(), &'static str>, StoreError> {
        // Records of one member are in the order of its logs and positions.
        if id.log.member != grant.log.member {
            return Ok(Err("it is another member's"));
        }
        if id >= grant {
            return Ok(Err("it is not earlier than the grant"));
        }
        if self.is_erased(&id)? {
            return Ok(Ok(()));
        }
        let statement = self.view().statement(id)?;
        let mut addressed = false;
        if let Some(statement) = &statement {
            if statement.binds != Binds::Body || self.store.marked(&Mark::Flag(id))?.is_some() {
                return Ok(Err("it has no body that counts"));
            }
            if !statement.tags.contains(&granted.ticket.tag().0) {
                return Ok(Err("the ticket is behind none of its tags"));
            }
            let lane = self.view().lane(RecordId { log: id.log, position: statement.lanes })?;
            addressed = lane.is_some_and(|lane| statement.tags.contains(&lane.tag(&id).0));
        }
        let is_first = self.note_granted(id, grant)?;
        self.inbox.has_grants = true;
        let searched = self.logs.get(&id.log).is_some_and(|state| id.position < state.scan.done);
        if !searched {
            return Ok(Ok(()));
        }
        if is_first && !addressed {
            self.count_granted(id.log)?;
        }
        if self.held_body(id)?.is_none() {
            if !self.inbox.wanted.contains_key(&id) {
                self.want_body(id)?;
            }
            return Ok(Ok(()));
        }
        let before = self.store.marked(&Mark::Inbox(id))?.map(|bytes| Delivery::from_bytes(&bytes));
        let lane = match &statement {
            Some(statement) => self.view().lane(RecordId { log: id.log, position: statement.lanes })?,
            None => None,
        };
        // Here already: by an earlier grant, by its own lane, or because the marks were lost.
        match before {
            None => self.open_held(turn, id, lane.as_ref(), false)?,
            Some(Delivery::Unreadable | Delivery::Wanted) => self.open_held(turn, id, lane.as_ref(), true)?,
            Some(Delivery::Opened | Delivery::TakingUp { .. } | Delivery::Ordered | Delivery::Forgotten) => {}
        }
        Ok(Ok(()))
    }

    /// Notes that a grant is about a record; whether it is the first. Of one's own records too: whoever was let in is to be asked when they
    /// are erased.
    pub(super) fn note_granted(&mut self, id: RecordId, grant: RecordId) -> Result<bool, StoreError> {
        let mark = self.store.marked(&Mark::Granted(id))?;
        let mut grants = mark.as_deref().map(grants_of_mark).unwrap_or_default();
        let is_first = grants.is_empty();
        grants.extend((!grants.contains(&grant)).then_some(grant));
        grants.sort();
        let too_many = grants.len().saturating_sub(limits::GRANTS_PER_RECORD_MAX);
        self.store.mark(Mark::Granted(id), Some(&mark_of(&grants[too_many..])))?;
        Ok(is_first)
    }

    /// One more record of a log is for this node.
    fn count_granted(&mut self, log: LogId) -> Result<(), StoreError> {
        self.count(log, |scan| scan.mine += 1);
        if let Some(state) = self.logs.get(&log) {
            self.store.mark(Mark::Scanned(log), Some(&state.scan.to_bytes()))?;
        }
        Ok(())
    }
}

/// The grants in a [`Mark::Granted`]: ids in order, with spaces between them.
pub(super) fn grants_of_mark(bytes: &[u8]) -> Vec<RecordId> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.split(' ').filter_map(|id| id.parse().ok()).collect()
}

fn mark_of(grants: &[RecordId]) -> Vec<u8> {
    grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ").into_bytes()
}
