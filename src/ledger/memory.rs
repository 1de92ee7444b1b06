//! A [`Store`] in memory: for tests and the simulator, and the reference that the store on disk is compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::store::{Frame, Key, KeyKind, Mark, MarkKind, Store, StoreError};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::encoding::merkle::{self, Nodes as _};
#[cfg(any(test, feature = "simulate"))]
use crate::encoding::random::Randomness;

/// Frames and marks in ordered maps.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    frames: BTreeMap<Key, Frame>,
    marks: BTreeMap<Mark, Vec<u8>>,
    leaves: BTreeMap<LogId, Vec<Digest>>,
    damaged: BTreeSet<Key>,
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

    fn whole(&self, key: &Key) -> Option<&Frame> {
        self.frames.get(key).filter(|_| !self.damaged.contains(key))
    }
}

/// Harm without a trace, for faults that the simulator must find. No other store could do this to itself.
#[cfg(any(test, feature = "simulate"))]
impl MemoryStore {
    /// Changes one statement.
    pub fn spoil_statement(&mut self, random: &mut Randomness, spoil: impl FnOnce(&mut Vec<u8>)) {
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
        let logs: Vec<LogId> = self.leaves.keys().copied().collect();
        let chosen = logs.get(random.below(u32::try_from(logs.len()).unwrap_or(u32::MAX)) as usize);
        if let Some(log) = chosen
            && let Some(leaves) = self.leaves.get_mut(log)
        {
            leaves.pop();
            let position = leaves.len() as u64;
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
            let leaf = self.leaves.get(&id.log).and_then(|leaves| leaves.get(usize::try_from(id.position).ok()?));
            if leaf != Some(&merkle::leaf_hash(&frame.bytes)) {
                return Err(StoreError::Missing { what: format!("the leaf of {id}") });
            }
        }
        self.damaged.remove(&frame.key);
        self.frames.insert(frame.key, frame);
        Ok(())
    }

    fn stage(&mut self, frame: Frame) -> Result<(), StoreError> {
        if let Key::Statement(id) = frame.key {
            let leaves = self.leaves.entry(id.log).or_default();
            assert_eq!(id.position, leaves.len() as u64, "statements are appended in order");
            leaves.push(merkle::leaf_hash(&frame.bytes));
        }
        self.damaged.remove(&frame.key);
        self.frames.insert(frame.key, frame);
        Ok(())
    }

    fn get(&self, key: &Key) -> Result<Option<Frame>, StoreError> {
        Ok(self.whole(key).cloned())
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.frames.contains_key(key))
    }

    fn keys(&self, kind: KeyKind) -> Result<Vec<Key>, StoreError> {
        Ok(self.frames.keys().filter(|key| key.kind() == kind).copied().collect())
    }

    fn size(&self, log: &LogId) -> u64 {
        self.leaves.get(log).map_or(0, |leaves| leaves.len() as u64)
    }

    fn logs(&self) -> Vec<LogId> {
        self.leaves.keys().copied().collect()
    }

    fn statements(&self, log: &LogId, from: u64, count: usize, bytes: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut taken = 0;
        Ok((from..self.size(log))
            .take(count)
            .map_while(|position| {
                let frame = self.whole(&Key::Statement(crate::encoding::ids::RecordId { log: *log, position }))?;
                let fits = taken == 0 || taken + frame.bytes.len() <= bytes;
                taken += frame.bytes.len();
                fits.then(|| frame.bytes.clone())
            })
            .collect())
    }

    fn node(&self, log: &LogId, level: u32, index: u64) -> Result<Digest, StoreError> {
        let leaves = self.leaves.get(log).map_or(&[][..], Vec::as_slice);
        let Ok(node) = leaves.node(level, index);
        Ok(node)
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
    use crate::encoding::time::UnixTime;

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
    fn marks_are_forgotten_and_frames_are_not() {
        let mut store = store(&[1]);
        store.mark(Mark::Audited(log()), Some(b"x")).unwrap();
        assert_eq!(store.marks(MarkKind::Audited, None, 9).unwrap().len(), 1);
        store.forget_marks();
        assert_eq!(store.marked(&Mark::Audited(log())).unwrap(), None);
        assert_eq!(store.size(&log()), 1);
    }
}
