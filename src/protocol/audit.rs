//! The audit: every statement's own signature is checked, at once when it is live, right behind the download in bulk.
//!
//! A statement that fails stays a leaf and is flagged for ever; its effect is gone, nothing else. What a node vouches for, its
//! frontier, goes only as far as its audit.

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::merkle;
use crate::encoding::time::UnixTime;
use crate::identity::PublicKey;
use crate::ledger::{Flaw, Mark, Statement, Store, StoreError, Unverified};

use super::effect::{Effect, Event};
use super::state::AuditBatch;
use super::{Node, limits};

impl<S: Store> Node<S> {
    /// Starts a batch for every log that has statements to be audited and no batch under way; the shortest go first, so that live
    /// records do not wait behind bulk.
    pub(super) fn advance_audit(&mut self) -> Result<(), StoreError> {
        let mut due: Vec<(u64, LogId)> = self
            .logs
            .iter()
            .filter(|(_, state)| state.audit.batch.is_none() && state.audit.tree.size() < state.tree.size())
            .map(|(log, state)| (state.tree.size() - state.audit.tree.size(), *log))
            .collect();
        due.sort_unstable();
        for (_, log) in due {
            self.start_audit(log)?;
        }
        Ok(())
    }

    fn start_audit(&mut self, log: LogId) -> Result<(), StoreError> {
        let Some(key) = self.federation.log_key(&log).copied() else { return Ok(()) };
        let Some(state) = self.logs.get_mut(&log) else { return Ok(()) };
        let from = state.audit.tree.size();
        let statements = self.store.statements(&log, from, limits::AUDIT_BATCH, limits::CHUNK_BYTES_MAX)?;
        if statements.is_empty() {
            // The disk has lost it; it is being fetched again.
            return Ok(());
        }
        let mut last_time = state.audit.last_time;
        let mut items = Vec::with_capacity(statements.len());
        let mut checks = Vec::with_capacity(statements.len());
        for (position, bytes) in (from..).zip(&statements) {
            let id = RecordId { log, position };
            let (read, time) = read_leaf(bytes, id, &self.federation, &key, last_time);
            last_time = time.unwrap_or(last_time);
            if let Ok(unverified) = &read {
                checks.push(unverified.check().clone());
            }
            items.push((merkle::leaf_hash(bytes), read));
        }
        let id = self.out.next_id();
        state.audit.batch = Some(AuditBatch { id, items, last_time });
        self.out.push(Effect::Check { id, checks });
        Ok(())
    }

    /// Takes the outcome of a batch.
    pub(super) fn finish_audit(&mut self, id: u64, hold: Vec<bool>) -> Result<(), StoreError> {
        let Some((log, state)) =
            self.logs.iter_mut().find(|(_, state)| state.audit.batch.as_ref().is_some_and(|batch| batch.id == id))
        else {
            return Ok(());
        };
        let log = *log;
        let batch = state.audit.batch.take().expect("the batch was just found");
        let mut hold = hold.into_iter();
        let mut flags: Vec<(RecordId, Flaw)> = Vec::new();
        for (leaf, read) in batch.items {
            let position = state.audit.tree.size();
            let outcome = read.and_then(|unverified| {
                let holds = hold.next().expect("every signature asked for is answered");
                unverified.confirm(holds)
            });
            if let Err(flaw) = outcome {
                flags.push((RecordId { log, position }, flaw));
            }
            state.audit.tree.push(leaf);
        }
        state.audit.last_time = batch.last_time;
        let size = state.audit.tree.size();
        let mark = audit_mark(size, batch.last_time);
        for (id, flaw) in flags {
            self.store.mark(Mark::Flag(id), Some(flaw.word().as_bytes()))?;
            self.out.event(Event::Flagged { id, flaw: flaw.word().to_owned() });
        }
        self.store.mark(Mark::Audited(log), Some(&mark))?;
        self.note_frontier(log);
        self.out.event(Event::Verified { log, size });
        Ok(())
    }

    /// Brings a log's place in the frontier up to date. A quarantined log has none: which of its histories a node holds is chance, and
    /// honest members must be able to agree about all the rest.
    pub(super) fn note_frontier(&mut self, log: LogId) {
        let tree = self.logs.get(&log).filter(|state| state.fork.is_none()).map(|state| &state.audit.tree);
        let (size, root) = tree.map_or((0, Digest::ZERO), |tree| (tree.size(), tree.root()));
        self.frontier.set(log, size, root);
    }
}

/// Reads one leaf for its place, and the time that it claims if it can be read at all: the next leaf must not be earlier than that,
/// whether or not this one's signature is good, so that all nodes flag the same leaves in whatever batches they check them.
fn read_leaf(
    bytes: &[u8],
    id: RecordId,
    federation: &crate::identity::Federation,
    key: &PublicKey,
    not_before: UnixTime,
) -> (Result<Unverified, Flaw>, Option<UnixTime>) {
    match Unverified::read(bytes, id, federation.id(), key, not_before) {
        Ok(unverified) => {
            let time = unverified.claim().issued_at;
            (Ok(unverified), Some(time))
        }
        Err(flaw) => (Err(flaw), Statement::read(bytes).ok().map(|(statement, _)| statement.issued_at)),
    }
}

/// The mark of an audit: how far, and the time that the last statement claims.
fn audit_mark(size: u64, last_time: UnixTime) -> Vec<u8> {
    [size.to_be_bytes(), last_time.seconds().to_be_bytes()].concat()
}

/// Reads [`audit_mark`]; anything else starts the audit anew.
pub(super) fn read_audit_mark(bytes: &[u8]) -> (u64, UnixTime) {
    let part = |at: usize| bytes.get(at..at + 8).and_then(|part| <[u8; 8]>::try_from(part).ok());
    match (part(0), part(8)) {
        (Some(size), Some(time)) => {
            (u64::from_be_bytes(size), UnixTime::from_seconds(i64::from_be_bytes(time)).unwrap_or_default())
        }
        _ => (0, UnixTime::ZERO),
    }
}
