//! A [`Store`] in memory: for tests and the simulator, and the reference that the store on disk is compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::store::{Frame, Key, KeyKind, Mark, MarkKind, Store, StoreError};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::encoding::merkle;
#[cfg(any(test, feature = "simulate"))]
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;

/// Frames and marks in ordered maps.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    frames: BTreeMap<Key, Held>,
    marks: BTreeMap<Mark, Vec<u8>>,
    trees: BTreeMap<LogId, Levels>,
    damaged: BTreeSet<Key>,
    /// A frame of which a bit flips on its way in.
    #[cfg(any(test, feature = "simulate"))]
    flips: Option<Key>,
}

/// A frame without its key. A ledger of millions is held in little room.
#[derive(Clone, Debug)]
struct Held {
    at: UnixTime,
    bytes: Box<[u8]>,
}

/// The hashes over the statements of a log, of all complete subtrees: the leaves first, then those over two, over four. Like that
/// no root or proof goes through the whole log.
#[derive(Clone, Debug, Default)]
struct Levels(Vec<Vec<Digest>>);

impl Levels {
    fn leaves(&self) -> &[Digest] {
        self.0.first().map_or(&[], Vec::as_slice)
    }

    fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for level in 0.. {
            if self.0.len() == level {
                self.0.push(Vec::new());
            }
            let row = &mut self.0[level];
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => hash = merkle::node_hash(left, right),
                _ => break,
            }
        }
    }

    #[cfg(any(test, feature = "simulate"))]
    fn pop(&mut self) {
        let left = self.leaves().len().saturating_sub(1);
        for (level, row) in self.0.iter_mut().enumerate() {
            row.truncate(left >> level);
        }
    }
}

impl MemoryStore {
    /// Forgets all marks, as a store does whose index was lost.
    pub fn forget_marks(&mut self) {
        self.marks.clear();
    }
}

impl MemoryStore {
    /// Damages a frame, as rot on a disk does.
    pub fn damage(&mut self, key: Key) {
        if self.frames.contains_key(&key) {
            self.damaged.insert(key);
        }
    }

    fn whole(&self, key: &Key) -> Option<&Held> {
        self.frames.get(key).filter(|_| !self.damaged.contains(key))
    }

    fn put(&mut self, frame: Frame) {
        if let Key::Erased(id) = frame.key {
            let parts = self.frames.range(Key::Compartment(id, 0)..=Key::Compartment(id, u8::MAX)).map(|(key, _)| *key);
            for key in parts.chain([Key::Head(id), Key::Lanes(id), Key::Slot(id)]).collect::<Vec<_>>() {
                self.frames.remove(&key);
                self.damaged.remove(&key);
            }
        }
        self.damaged.remove(&frame.key);
        self.frames.insert(frame.key, Held { at: frame.at, bytes: frame.bytes.into_boxed_slice() });
    }
}

/// Harm without a trace, for faults that the simulator must find. No other store could do this to itself.
#[cfg(any(test, feature = "simulate"))]
impl MemoryStore {
    /// Lets a bit of the frame under this key flip when it is staged, once, as in memory that fails.
    pub fn flip_when_staged(&mut self, key: Key) {
        self.flips = Some(key);
    }

    fn flipped(&mut self, mut frame: Frame) -> Frame {
        if self.flips.take_if(|key| *key == frame.key).is_some()
            && let Some(byte) = frame.bytes.last_mut()
        {
            *byte ^= 4;
        }
        frame
    }

    /// Changes one statement.
    pub fn spoil_statement(&mut self, random: &mut Randomness, spoil: impl FnOnce(&mut [u8])) {
        if let Some(frame) = self.any_statement(random, None).and_then(|key| self.frames.get_mut(&key)) {
            spoil(&mut frame.bytes);
        }
    }

    /// Takes one statement away, and tells nobody.
    pub fn lose_statement(&mut self, random: &mut Randomness) {
        if let Some(key) = self.any_statement(random, None) {
            self.frames.remove(&key);
        }
    }

    /// Takes the newest statement of one log away, as if it had never come.
    pub fn cut_log(&mut self, random: &mut Randomness) {
        let logs: Vec<LogId> = self.trees.keys().copied().collect();
        let chosen = logs.get(random.below(u32::try_from(logs.len()).unwrap_or(u32::MAX)) as usize);
        if let Some(log) = chosen
            && let Some(tree) = self.trees.get_mut(log)
        {
            tree.pop();
            let position = tree.leaves().len() as u64;
            self.frames.remove(&Key::Statement(crate::encoding::ids::RecordId { log: *log, position }));
        }
    }

    /// The key of one statement, by chance; none of the log `but`.
    #[must_use]
    pub fn any_statement(&self, random: &mut Randomness, but: Option<LogId>) -> Option<Key> {
        let fits = |key: &&Key| matches!(key, Key::Statement(id) if Some(id.log) != but);
        let keys: Vec<Key> = self.frames.keys().filter(fits).copied().collect();
        keys.get(random.below(u32::try_from(keys.len()).unwrap_or(u32::MAX)) as usize).copied()
    }
}

impl Store for MemoryStore {
    fn damaged(&self) -> Vec<Key> {
        self.damaged.iter().copied().collect()
    }

    fn replace(&mut self, frame: Frame) -> Result<(), StoreError> {
        if let Key::Statement(id) = frame.key {
            let tree = self.trees.get(&id.log);
            let leaf = tree.and_then(|tree| tree.leaves().get(usize::try_from(id.position).ok()?));
            if leaf != Some(&merkle::leaf_hash(&frame.bytes)) {
                return Err(StoreError::Missing { what: format!("the leaf of {id}") });
            }
        }
        self.put(frame);
        Ok(())
    }

    fn stage(&mut self, frame: Frame) -> Result<(), StoreError> {
        #[cfg(any(test, feature = "simulate"))]
        let frame = self.flipped(frame);
        if let Key::Statement(id) = frame.key {
            let tree = self.trees.entry(id.log).or_default();
            assert_eq!(id.position, tree.leaves().len() as u64, "statements are appended in order");
            tree.push(merkle::leaf_hash(&frame.bytes));
        }
        self.put(frame);
        Ok(())
    }

    fn get(&self, key: &Key) -> Result<Option<Frame>, StoreError> {
        Ok(self.whole(key).map(|held| Frame { key: *key, at: held.at, bytes: held.bytes.to_vec() }))
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.frames.contains_key(key))
    }

    fn keys(&self, kind: KeyKind) -> Result<Vec<Key>, StoreError> {
        Ok(self.frames.keys().filter(|key| key.kind() == kind).copied().collect())
    }

    fn size(&self, log: &LogId) -> u64 {
        self.trees.get(log).map_or(0, |tree| tree.leaves().len() as u64)
    }

    fn logs(&self) -> Vec<LogId> {
        self.trees.keys().copied().collect()
    }

    fn statements(&self, log: &LogId, from: u64, count: usize, bytes: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut taken = 0;
        Ok((from..self.size(log))
            .take(count)
            .map_while(|position| {
                let frame = self.whole(&Key::Statement(crate::encoding::ids::RecordId { log: *log, position }))?;
                let fits = taken == 0 || taken + frame.bytes.len() <= bytes;
                taken += frame.bytes.len();
                fits.then(|| frame.bytes.to_vec())
            })
            .collect())
    }

    fn node(&self, log: &LogId, level: u32, index: u64) -> Result<Digest, StoreError> {
        let row = self.trees.get(log).and_then(|tree| tree.0.get(usize::try_from(level).ok()?));
        let node = row.and_then(|row| row.get(usize::try_from(index).ok()?));
        node.copied().ok_or_else(|| StoreError::Missing { what: format!("node {index} of level {level} of log {log}") })
    }

    fn mark(&mut self, mark: Mark, value: Option<&[u8]>) -> Result<(), StoreError> {
        match value {
            Some(value) => self.marks.insert(mark, value.to_vec()),
            None => self.marks.remove(&mark),
        };
        Ok(())
    }

    fn marked(&self, mark: &Mark) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.marks.get(mark).cloned())
    }

    fn marks(&self, kind: MarkKind, after: Option<&Mark>, count: usize) -> Result<Vec<(Mark, Vec<u8>)>, StoreError> {
        Ok(self
            .marks
            .iter()
            .filter(|(mark, _)| mark.kind() == kind && after.is_none_or(|after| *mark > after))
            .take(count)
            .map(|(mark, value)| (*mark, value.clone()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::ids::RecordId;

    fn store(sizes: &[usize]) -> MemoryStore {
        let mut store = MemoryStore::default();
        for (position, size) in (0..).zip(sizes) {
            let key = Key::Statement(RecordId::new(log(), position));
            store.stage(Frame { key, at: UnixTime::ZERO, bytes: vec![1; *size] }).unwrap();
        }
        store
    }

    fn log() -> LogId {
        "GE".parse().unwrap()
    }

    fn lengths(store: &MemoryStore, from: u64, count: usize, bytes: usize) -> Vec<usize> {
        store.statements(&log(), from, count, bytes).unwrap().iter().map(Vec::len).collect()
    }

    #[test]
    fn statements_are_bounded_by_count_and_bytes_but_the_first_always_comes() {
        let store = store(&[10, 20, 30]);
        assert_eq!(lengths(&store, 0, 9, 1_000), [10, 20, 30]);
        assert_eq!(lengths(&store, 1, 1, 1_000), [20]);
        assert_eq!(lengths(&store, 0, 9, 30), [10, 20]);
        assert_eq!(lengths(&store, 0, 9, 29), [10]);
        assert_eq!(lengths(&store, 2, 9, 5), [30]);
        assert!(lengths(&store, 3, 9, 5).is_empty());
    }

    #[test]
    fn keys_are_told_by_their_kind() {
        let mut store = store(&[1, 1]);
        let key = Key::Checkpoint(log());
        store.stage(Frame { key, at: UnixTime::ZERO, bytes: Vec::new() }).unwrap();
        assert_eq!(store.keys(KeyKind::Checkpoint).unwrap(), [key]);
        assert_eq!(store.keys(KeyKind::Statement).unwrap().len(), 2);
        assert!(store.has(&key).unwrap() && !store.has(&Key::Published).unwrap());
    }

    #[test]
    fn nodes_of_every_level_are_those_over_the_leaves_also_when_the_last_is_gone() {
        let mut store = store(&(1..38).collect::<Vec<_>>());
        for size in [37, 36, 35] {
            let leaves = store.trees[&log()].leaves().to_vec();
            assert_eq!(leaves.len(), size);
            for level in 0..6_u32 {
                let width = 1_usize << level;
                for (index, part) in (0..).zip(leaves.chunks_exact(width)) {
                    assert_eq!(store.node(&log(), level, index).unwrap(), merkle::complete_root(part));
                }
                assert!(store.node(&log(), level, (size / width) as u64).is_err());
            }
            store.cut_log(&mut Randomness::new([0; 32]));
        }
    }

    #[test]
    fn marks_are_forgotten_and_frames_are_not() {
        let mut store = store(&[1]);
        store.mark(Mark::Audited(log()), Some(b"x")).unwrap();
        assert_eq!(store.marks(MarkKind::Audited, None, 9).unwrap().len(), 1);
        store.forget_marks();
        assert_eq!(store.marked(&Mark::Audited(log())).unwrap(), None);
        assert_eq!(store.size(&log()), 1);
    }
}
