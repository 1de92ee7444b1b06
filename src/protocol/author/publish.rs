//! What was signed: the statements under their checkpoint, and what may be told of them once they are on the disk.

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::merkle::CompactTree;
use crate::ledger::{Claim, Frame, Key, Mark, Root, Store, StoreError};
use crate::protocol::chain::extend;
use crate::protocol::effect::{Effect, Event, Outcome, SigningKey};
use crate::protocol::message::{Gossip, Request};
use crate::protocol::peers::What;
use crate::protocol::state::LogState;
use crate::protocol::{Node, Turn, limits};

use super::{Group, Origin, Phase};

impl<S: Store> Node<S> {
    pub(super) fn append_signed(
        &mut self,
        turn: &Turn,
        group: &Group,
        signatures: &[[u8; 64]],
    ) -> Result<(), StoreError> {
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
            let Origin::Record { source, covers, is_order, .. } = origin else { continue };
            if let Some(source) = source {
                self.store.mark(Mark::Source(*source), Some(statement.id.to_string().as_bytes()))?;
            }
            for id in covers {
                self.note_granted(*id, statement.id)?;
            }
            if *is_order {
                self.take_own_order(statement.id)?;
            }
        }
        self.append(turn, log, tree, &hashes, &leaves)
    }

    /// Orders a checkpoint over the log as it is.
    pub(super) fn order_checkpoint(&mut self, turn: &Turn, group: Group) {
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

    /// Stages the checkpoint; everything that may be told leaves with the flush.
    pub(super) fn publish(
        &mut self,
        turn: &Turn,
        group: Group,
        root: Root,
        signature: [u8; 64],
    ) -> Result<(), StoreError> {
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
        self.note_commitments();
        // Told or not, the checkpoint is to be durable.
        self.out.touch();
        let first = group.statements.first().map(|statement| statement.id);
        self.author.untold = true;
        self.tell_news(turn, first.map(|first| first.position))?;
        let count = group.statements.len() as u64;
        let push_bodies = group.statements.len() <= limits::PUSH_GROUP_MAX;
        for (statement, origin) in group.statements.iter().zip(group.origins) {
            if let Origin::Record { submission, index, outside, granted, source, settles, pushes, .. } = origin {
                self.acknowledged(&settles)?;
                if let Some(source) = source {
                    self.author.under_way.remove(&source);
                }
                if push_bodies {
                    self.push_body(statement.id, &pushes)?;
                }
                self.settle(submission, index, Outcome::Logged { id: statement.id, outside, granted });
            }
        }
        if let Some(first) = first {
            self.out.push_durable(Effect::Event(Event::Logged { first, count }));
        }
        Ok(())
    }

    /// Gossips the newest checkpoint with the statements since the last that was gossiped, if they fit and the budget allows; else it
    /// waits, and everything that was signed meanwhile is told with it or fetched.
    pub(in crate::protocol) fn tell_news(&mut self, turn: &Turn, first: Option<u64>) -> Result<(), StoreError> {
        let log = self.me.log;
        if !self.author.untold || !self.author.news.take(limits::NEWS_TOLD, turn.now) {
            return Ok(());
        }
        self.author.untold = false;
        let complete = self.logs.get(&log).and_then(|state| state.complete.clone());
        let Some((checkpoint, root)) = complete else { return Ok(()) };
        let Some((_, size)) = root.claim.log_and_size() else { return Ok(()) };
        let from = self.author.told.or(first).unwrap_or(size).min(size);
        self.author.told = Some(size);
        let count = usize::try_from(size - from).unwrap_or(usize::MAX);
        // No statement is so short that more than a group's worth would fit.
        let mut statements = Vec::new();
        if count <= limits::GROUP_RECORDS_MAX {
            statements = self.store.statements(&log, from, count, usize::MAX)?;
        }
        let fit = statements.len() == count
            && statements.iter().map(Vec::len).sum::<usize>() <= limits::GOSSIP_STATEMENTS_BYTES_MAX;
        let news = if fit {
            Gossip::News { checkpoint, from, statements }
        } else {
            Gossip::News { checkpoint, from: size, statements: Vec::new() }
        };
        self.out.push_settled(Effect::Gossip(news.encode()));
        Ok(())
    }

    /// Hands a body to those of its readers who can be reached, so that they need not ask.
    pub(super) fn push_body(&mut self, id: RecordId, readers: &[MemberCode]) -> Result<(), StoreError> {
        let Some(body) = self.held_body(id)? else { return Ok(()) };
        for to in readers.iter().filter(|member| self.peers.is_connected(**member)).copied().collect::<Vec<_>>() {
            self.ask_durable(to, What::Push, &Request::Push { id, body: body.clone() });
        }
        Ok(())
    }

    /// Notes what became of a record.
    pub(super) fn settle(&mut self, submission: u64, index: usize, outcome: Outcome) {
        if let Some(slot) = self.author.submissions.get_mut(&submission).and_then(|s| s.outcomes.get_mut(index)) {
            *slot = Some(outcome);
        }
        self.answer_if_done(submission);
    }

    /// Answers a submission once every record of it is settled.
    pub(super) fn answer_if_done(&mut self, id: u64) {
        let done = self.author.submissions.get(&id).is_some_and(|s| s.outcomes.iter().all(Option::is_some));
        if done && let Some(submission) = self.author.submissions.remove(&id) {
            let outcomes = submission.outcomes.into_iter().flatten().collect();
            self.out.push_durable(Effect::Submitted { id, outcomes });
        }
    }

    pub(super) fn heartbeat_is_due(&self, turn: &Turn) -> bool {
        self.author.lanes.is_some() && turn.now.since(self.author.checkpoint_at) >= self.settings.heartbeat_ms
    }
}
