//! Frames that the disk has lost are fetched again from whoever holds them, and what is in memory still is written anew.
//!
//! The store names them ([`Store::damaged`]) and treats them as absent; until they are back, an audit waits before such a statement and a
//! peer that asks is told that there is nothing. A statement is believed by its leaf hash, which the tree holds; a body by the digest that its
//! statement signs. An intent, one's own lanes and a proof of equivocation cannot be asked for: they stay named.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::hash::sha256;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle;
use crate::identity::{CharterSplit, ManifestSplit};
use crate::ledger::{Erased, Frame, Hold, Key, Statement, Store, StoreError, Why};
use crate::seal::{BodyHead, Ticket};

use super::effect::Event;
use super::inbox::Attempt;
use super::message::{Request, WireBody};
use super::peers::{Peers, What};
use super::refusal::Refusal;
use super::{Node, Turn, limits};

/// What is under way to get back what was lost.
#[derive(Debug, Default)]
pub(super) struct Heal {
    attempts: BTreeMap<Key, Attempt>,
}

impl<S: Store> Node<S> {
    /// Asks for what the store has lost, a few frames at a time.
    pub(super) fn advance_heal(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        let damaged = self.store.damaged();
        if damaged.is_empty() && self.heal.attempts.is_empty() {
            return Ok(());
        }
        self.heal.attempts.retain(|key, _| damaged.binary_search(key).is_ok());
        for key in damaged {
            let full = self.heal.attempts.len() >= limits::HEAL_MAX;
            if full && !self.heal.attempts.contains_key(&key) {
                continue;
            }
            let attempt = *self.heal.attempts.entry(key).or_insert_with(Attempt::new);
            if !limits::is_over(attempt.at, turn.now) {
                continue;
            }
            if self.heal_one(turn, key, attempt.tries)?
                && let Some(attempt) = self.heal.attempts.get_mut(&key)
            {
                attempt.asked(turn.now);
                attempt.asked = false;
            }
        }
        Ok(())
    }

    /// Does what can be done about one frame; whether something was done.
    fn heal_one(&mut self, turn: &mut Turn, key: Key, tries: u32) -> Result<bool, StoreError> {
        let held = match key {
            Key::Statement(id) => {
                let Some(to) = Peers::one_of(&self.peers.connected(), &mut turn.random) else { return Ok(false) };
                self.ask(to, What::LostRange(id.log, id.position), &Request::Range { log: id.log, from: id.position });
                return Ok(true);
            }
            Key::Head(id) | Key::Compartment(id, _) => {
                let Some((to, ticket)) = self.who_has(id, tries)? else { return Ok(false) };
                if !self.peers.is_asked(to, What::LostBody(id)) {
                    self.ask(to, What::LostBody(id), &Request::Body { id, ticket: *ticket.as_bytes() });
                }
                return Ok(true);
            }
            Key::Slot(id) => {
                self.want_slot(id);
                return Ok(true);
            }
            Key::Checkpoint(log) => {
                self.logs.get(&log).and_then(|state| state.complete.as_ref()).map(|(signed, _)| signed.encode())
            }
            Key::Published => self.federation.published().encode().ok(),
            Key::CharterSplit => self.splits.charter.as_ref().map(CharterSplit::encode),
            Key::ManifestSplit(member) => self.splits.manifests.get(&member).map(ManifestSplit::encode),
            Key::FrontierCosignature(member) => self
                .newest_cosignature(member)
                .map(|(signed, frontier)| super::witness::encode_cosignature(signed, frontier)),
            Key::Intent(id) => self.view().statement(id)?.map(|statement| statement.signed([0; 64])),
            Key::Erased(_) => Some(Erased { why: Why::Unknown, was_reader: false, readers: BTreeSet::new() }.encode()),
            // Rather held for nothing than erased against the law.
            Key::Hold(_) => Some(Hold { is_on: true, reference: String::new(), ordered_by: None }.encode()),
            // Others' receipts are collected anew with the next export; the rest nobody else has, or tells by itself.
            Key::Cosignature(..) | Key::Fork(..) | Key::Lanes(_) | Key::Commitments(_) | Key::LaneProof(_) => None,
        };
        match held {
            Some(bytes) => self.put_back(turn, key, bytes),
            None => Ok(false),
        }
    }

    fn put_back(&mut self, turn: &Turn, key: Key, bytes: Vec<u8>) -> Result<bool, StoreError> {
        self.store.replace(Frame { key, at: turn.now.time(), bytes })?;
        self.out.push_durable(super::Effect::Event(Event::Healed { what: key.to_string() }));
        Ok(true)
    }

    /// Takes statements in the place of lost ones: each must be the leaf that it was.
    pub(super) fn take_lost_statements(
        &mut self,
        turn: &Turn,
        log: LogId,
        from: u64,
        statements: &[Vec<u8>],
    ) -> Result<Result<(), Refusal>, StoreError> {
        let lost = self.store.damaged();
        let mut refused = false;
        for (position, bytes) in (from..).zip(statements) {
            let key = Key::Statement(RecordId { log, position });
            if lost.binary_search(&key).is_err() {
                continue;
            }
            if self.store.node(&log, 0, position)? == merkle::leaf_hash(bytes) {
                self.put_back(turn, key, bytes.clone())?;
            } else {
                refused = true;
            }
        }
        Ok(if refused { Err(Refusal::Unproved) } else { Ok(()) })
    }

    /// Takes a body of which something was lost: it must be the one that the statement signs.
    pub(super) fn take_lost_body(
        &mut self,
        turn: &Turn,
        id: RecordId,
        body: &WireBody,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let Some(statement) = self.view().statement(id)? else { return Ok(Ok(())) };
        if !is_signed(&statement, body) {
            return Ok(Err(Refusal::Body));
        }
        for key in self.store.damaged() {
            match key {
                Key::Head(lost) if lost == id => {
                    self.put_back(turn, key, body.head.clone())?;
                }
                Key::Compartment(lost, index) if lost == id => {
                    let Some(bytes) = body.compartments.get(usize::from(index)) else { continue };
                    self.put_back(turn, key, bytes.clone())?;
                }
                Key::Published
                | Key::Statement(_)
                | Key::Checkpoint(_)
                | Key::Cosignature(..)
                | Key::FrontierCosignature(_)
                | Key::Fork(..)
                | Key::Intent(_)
                | Key::Head(_)
                | Key::Compartment(..)
                | Key::Lanes(_)
                | Key::Slot(_)
                | Key::CharterSplit
                | Key::ManifestSplit(_)
                | Key::Commitments(_)
                | Key::LaneProof(_)
                | Key::Erased(_)
                | Key::Hold(_) => {}
            }
        }
        Ok(Ok(()))
    }

    /// Somebody within reach who may hold a body, and the ticket to show. Of one's own record that is a reader, who is shown the
    /// ticket that is its own; of another's, whoever is asked for it at first.
    pub(super) fn who_has(&mut self, id: RecordId, tries: u32) -> Result<Option<(MemberCode, Ticket)>, StoreError> {
        if id.log.member != self.me.member {
            let Some(to) = self.holder(id, tries) else { return Ok(None) };
            return Ok(self.ticket(id)?.map(|ticket| (to, ticket)));
        }
        let Some(statement) = self.view().statement(id)? else { return Ok(None) };
        let lanes = self.view().own_lanes(RecordId { log: id.log, position: statement.lanes })?;
        let Some(lanes) = lanes else { return Ok(None) };
        let readers: Vec<(MemberCode, Ticket)> = self
            .peers
            .connected()
            .into_iter()
            .map(|member| (member, lanes.secret.lane_key(member).ticket(&id)))
            .filter(|(_, ticket)| statement.tags.contains(&ticket.tag().0))
            .collect();
        let count = readers.len().max(1);
        Ok(readers.into_iter().nth(tries as usize % count))
    }
}

/// Whether a body is the one that a statement signs.
pub(super) fn is_signed(statement: &Statement, body: &WireBody) -> bool {
    BodyHead::decode(&body.head).is_ok_and(|head| {
        sha256(&body.head) == statement.digest
            && head.size_class() == Some(statement.size_class)
            && head.compartments().len() == body.compartments.len()
            && head.compartments().iter().zip(&body.compartments).all(|(head, bytes)| head.check(bytes).is_ok())
    })
}
