//! The lists of one's own lanes, to which every checkpoint commits ([`crate::seal::commitment`]).
//!
//! What a checkpoint over so many statements commits to follows from the log and from the secret of its lanes, so that it comes out the same after
//! a crash. The lists are kept in memory; a mark now and then keeps a start from reading all that was logged under the newest lanes.

use std::collections::VecDeque;

use crate::encoding::cbor::{self, Value};
use crate::encoding::hash::{Digest, sha256_of};
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle;
use crate::ledger::{Claim, Frame, Key, Mark, Root, SignedRoot, Statement, Store, StoreError};
use crate::protocol::message::Response;
use crate::protocol::{Node, Turn, limits};
use crate::seal::{Commitments, LaneKey, LaneList};

use super::OwnLanes;

/// The lists of the newest lanes of one's own log.
#[derive(Debug)]
pub(in crate::protocol) struct Lists {
    /// The position of the `lanes` statement.
    lanes: u64,
    /// The lanes in the order of their slots.
    slots: Vec<(MemberCode, LaneKey, LaneList)>,
    /// The log's statements before this position were gone through.
    done: u64,
    /// The same when the mark was written last.
    marked: u64,
    /// The newest checkpoints, with their leaves: readers ask a moment later, when the log has grown.
    recent: VecDeque<(u64, SignedRoot, Commitments)>,
}

impl Lists {
    /// The lists of new lanes, which are empty.
    fn new(lanes: &OwnLanes) -> Self {
        let slots = lanes.slots.keys().map(|member| (*member, lanes.secret.lane_key(*member), LaneList::default()));
        let done = lanes.position + 1;
        Self { lanes: lanes.position, slots: slots.collect(), done, marked: done, recent: VecDeque::new() }
    }

    /// Adds the statement at the position that comes next.
    fn push(&mut self, statement: &Statement, leaf: Digest) {
        self.done += 1;
        if statement.lanes != self.lanes || statement.tags.is_empty() {
            return;
        }
        for (_, key, list) in &mut self.slots {
            if statement.tags.contains(&key.tag(&statement.id).0) {
                list.push(leaf);
            }
        }
    }

    fn commitments(&self, log: LogId) -> Commitments {
        Commitments::of(self.slots.iter().map(|(_, key, list)| list.opening(key.blind(log, self.done))))
    }

    /// As a mark: how far they go, and number and edge of each list.
    fn to_bytes(&self) -> Vec<u8> {
        let list = |list: &LaneList| {
            let edge = list.edge().iter().map(Value::from).collect::<Vec<_>>();
            Value::from(vec![Value::from(list.count()), Value::from(edge)])
        };
        let lists = self.slots.iter().map(|(_, _, one)| list(one)).collect::<Vec<_>>();
        cbor::encode(&Value::from(vec![Value::from(self.done), Value::from(lists)]))
    }

    /// Takes up what a mark holds; `None` if it is not of these lanes, or of more than the log has.
    fn take_up(mut self, bytes: &[u8], size: u64) -> Option<Self> {
        let [done, lists] = items(cbor::decode(bytes).ok()?)?;
        let (done, Value::Array(lists)) = (done.as_u64()?, lists) else { return None };
        if done < self.done || done > size || lists.len() != self.slots.len() {
            return None;
        }
        for ((_, _, list), value) in self.slots.iter_mut().zip(lists) {
            let [count, edge] = items(value)?;
            let Value::Array(edge) = edge else { return None };
            let edge = edge.iter().map(|hash| hash.as_bytes()?.try_into().ok().map(Digest)).collect::<Option<_>>()?;
            *list = LaneList::of_edge(count.as_u64()?, edge)?;
        }
        (self.done, self.marked) = (done, done);
        Some(self)
    }
}

impl<S: Store> Node<S> {
    /// Goes through what was logged under the newest lanes. `false` while there is more than one call may read.
    pub(super) fn catch_up_lists(&mut self) -> Result<bool, StoreError> {
        let log = self.me.log;
        let size = self.logs.get(&log).map_or(0, |state| state.tree.size());
        let Some(lanes) = &self.author.lanes else {
            self.author.lists = None;
            return Ok(true);
        };
        if self.author.lists.as_ref().is_none_or(|lists| lists.lanes != lanes.position) {
            let mark = self.store.marked(&Mark::Lists(RecordId { log, position: lanes.position }))?;
            let marked = mark.and_then(|bytes| Lists::new(lanes).take_up(&bytes, size));
            self.author.lists = Some(marked.unwrap_or_else(|| Lists::new(lanes)));
        }
        let Some(lists) = &mut self.author.lists else { return Ok(true) };
        let count = usize::try_from(size.saturating_sub(lists.done)).unwrap_or(usize::MAX);
        if count == 0 {
            return Ok(true);
        }
        let mut whole = true;
        let statements = self.store.statements(&log, lists.done, count.min(limits::SCAN_BATCH), usize::MAX)?;
        whole &= !statements.is_empty();
        for bytes in statements {
            // Nothing that is signed may rest on half a list, nor on one of other bytes than were signed.
            let leaf = merkle::leaf_hash(&bytes);
            whole &= self.store.node(&log, 0, lists.done)? == leaf;
            match Statement::read(&bytes) {
                Ok((statement, _)) => lists.push(&statement, leaf),
                Err(_) => lists.done += 1,
            }
        }
        if !whole {
            // The disk has lost a statement, and nobody may be in reach to give it back: what is logged from now on gets new lanes.
            (self.author.lanes, self.author.lists, self.author.lanes_settled) = (None, None, None);
            return Ok(true);
        }
        if lists.done >= lists.marked.saturating_add(limits::LISTS_MARKED_EVERY) {
            lists.marked = lists.done;
            let mark = Mark::Lists(RecordId { log, position: lists.lanes });
            self.store.mark(mark, Some(&lists.to_bytes()))?;
        }
        Ok(lists.done >= size)
    }

    /// The lists, if they cover the whole log.
    fn whole_lists(&self) -> Option<&Lists> {
        let size = self.logs.get(&self.me.log).map_or(0, |state| state.tree.size());
        self.author.lists.as_ref().filter(|lists| lists.done == size)
    }

    /// What the checkpoint over the whole log commits to. Two values for one size would be two histories: what was signed before is said
    /// again.
    pub(super) fn commitments(&self, size: u64) -> [u8; 32] {
        let signed = self.logs.get(&self.me.log).and_then(|state| state.complete.as_ref());
        if let Some((_, commitments)) = signed.and_then(|(_, root)| committed(root)).filter(|(of, _)| *of == size) {
            return commitments;
        }
        match self.whole_lists() {
            Some(lists) => lists.commitments(self.me.log).root(),
            // The lanes of what a crash interrupted went with the disk. No path leads here, and the next statement has new lanes.
            None => sha256_of(&[b"shieldwall/1 no commitments\0", &size.to_be_bytes()]).0,
        }
    }

    /// Whether a checkpoint is due before new lanes: what was logged under the old ones since the last would be committed to by none.
    pub(super) fn must_close_lanes(&self) -> bool {
        let own = self.logs.get(&self.me.log);
        let signed = own.and_then(|state| state.complete.as_ref()).and_then(|(_, root)| root.claim.log_and_size());
        self.whole_lists().is_some_and(|lists| signed.map_or(0, |(_, size)| size) < lists.done)
    }

    /// The newest checkpoint with its leaves, if it is over the whole log and commits to the lists.
    pub(in crate::protocol) fn newest_commitments(&self) -> Option<(SignedRoot, Commitments)> {
        let lists = self.whole_lists()?;
        let (checkpoint, root) = self.logs.get(&self.me.log)?.complete.as_ref()?;
        let leaves = lists.commitments(self.me.log);
        (committed(root)? == (lists.done, leaves.root())).then(|| (checkpoint.clone(), leaves))
    }

    /// Keeps what the last checkpoint under the lanes that now end commits to, for readers that ask later.
    pub(super) fn close_lanes(&mut self, turn: &Turn) -> Result<(), StoreError> {
        let Some((checkpoint, leaves)) = self.newest_commitments() else { return Ok(()) };
        let Some(lanes) = self.author.lists.as_ref().map(|lists| lists.lanes) else { return Ok(()) };
        let lanes = RecordId { log: self.me.log, position: lanes };
        let bytes = cbor::encode(&Value::from(vec![checkpoint.to_value(), leaves.to_value()]));
        self.store.stage(Frame { key: Key::Commitments(lanes), at: turn.now.time(), bytes })?;
        self.store.mark(Mark::Lists(lanes), None)
    }

    /// Keeps the leaves of the checkpoint that was just signed, for a while.
    pub(super) fn note_commitments(&mut self) {
        let Some((checkpoint, leaves)) = self.newest_commitments() else { return };
        let Some(lists) = &mut self.author.lists else { return };
        lists.recent.retain(|(size, ..)| *size != lists.done);
        if lists.recent.len() == limits::COMMITMENTS_KEPT {
            lists.recent.pop_front();
        }
        lists.recent.push_back((lists.done, checkpoint, leaves));
    }

    /// Answers a member that asks for the way from its own leaf to what a checkpoint over `size` statements of one's own log commits to.
    pub(in crate::protocol) fn lane_path(
        &self,
        from: MemberCode,
        lanes: RecordId,
        size: u64,
    ) -> Result<Response, StoreError> {
        if lanes.log.member != self.me.member {
            return Ok(Response::Nothing);
        }
        let newest =
            self.author.lists.as_ref().filter(|lists| lanes.log == self.me.log && lists.lanes == lanes.position);
        if let Some(lists) = newest {
            let Some(slot) = lists.slots.iter().position(|(member, ..)| *member == from) else {
                return Ok(Response::Nothing);
            };
            let kept = lists.recent.iter().find(|(of, ..)| *of == size);
            let kept = kept.map(|(_, checkpoint, leaves)| (checkpoint.clone(), leaves.clone()));
            let found = kept.or_else(|| self.newest_commitments().filter(|_| lists.done == size));
            return Ok(found.map_or(Response::Nothing, |(checkpoint, leaves)| answer(checkpoint, &leaves, slot as u64)));
        }
        // Under lanes that have ended only the last checkpoint is answered for.
        let (Some(frame), Some(body)) =
            (self.store.get(&Key::Commitments(lanes))?, self.store.get(&Key::Lanes(lanes))?)
        else {
            return Ok(Response::Nothing);
        };
        let slot = crate::seal::LanesBody::decode(&body.bytes).ok().and_then(|body| body.slot(from));
        let closed = cbor::decode(&frame.bytes).ok().and_then(items).and_then(|[checkpoint, leaves]| {
            let checkpoint = SignedRoot::from_value(checkpoint).ok()?;
            let (of, _) = committed(&checkpoint.claim().ok()?)?;
            Some((checkpoint, Commitments::from_value(leaves)?)).filter(|_| of == size)
        });
        Ok(slot
            .zip(closed)
            .map_or(Response::Nothing, |(slot, (checkpoint, leaves))| answer(checkpoint, &leaves, slot.index)))
    }
}

fn answer(checkpoint: SignedRoot, leaves: &Commitments, slot: u64) -> Response {
    leaves.path(slot).map_or(Response::Nothing, |path| Response::LanePath { checkpoint, path })
}

/// The size and the commitments of a checkpoint.
fn committed(root: &Root) -> Option<(u64, [u8; 32])> {
    let Claim::Checkpoint { size, commitments, .. } = root.claim else { return None };
    Some((size, commitments))
}

fn items<const N: usize>(value: Value) -> Option<[Value; N]> {
    let Value::Array(items) = value else { return None };
    items.try_into().ok()
}
