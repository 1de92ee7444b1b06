//! The index: rows in key order that all derive from the segments, but for the marks.
//!
//! | first byte | rest of the key | value |
//! |---|---|---|
//! | 0 | | [`State`] |
//! | 1–17, not 2 | the rest of [`Key::to_bytes`] | [`Row`]: where the newest frame lies |
//! | 2 | log, first position | a page: up to 64 rows of statements, each with its leaf hash |
//! | 64 | log, level, index | a Merkle node over 64, 4,096 … complete leaves |
//! | 66 | record | empty: its body is still to be erased, because a crash came between |
//! | 67 | | empty: something was erased since the rows were last put into a new folder |
//! | 128 | [`Mark::to_bytes`](crate::ledger::Mark::to_bytes) | the mark's value |
//!
//! Statements stand in pages because sled needs about a kilobyte of memory for each row, however small.
//!
//! [`View`] lays what is staged over it and keeps the sum.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use super::edge::STEP;
use super::frame::Place;
use crate::encoding::hash::{Digest, sha256_of};
use crate::encoding::ids::{LogId, RecordId};
use crate::ledger::{Key, KeyKind, Mark, MarkKind, StoreError};

/// The key of the one row that the sum does not cover, because it holds it.
pub(crate) const STATE: [u8; 1] = [0];

/// Statements in a page.
pub(crate) const PAGE: u64 = 1 << STEP;

/// Bytes of a statement's row.
const ENTRY: usize = 44;
const NODE: u8 = 64;
const ERASING: u8 = 66;
const MARK: u8 = 128;

/// The key of the row that says that the index's own files may still hold rows of what was erased.
pub(crate) const STALE: [u8; 1] = [67];

/// Changes to rows: the new value, or `None` to remove.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
/// A key with its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);
/// Rows in order.
pub(crate) type Pairs<'a> = Box<dyn Iterator<Item = Result<Pair, StoreError>> + 'a>;

/// Rows somewhere.
pub(crate) trait Index: Debug + Send + Sync {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The rows from `from` up to but without `to`.
    fn range(&self, from: &[u8], to: &[u8]) -> Pairs<'_>;
    /// All changes, or none of them.
    fn apply(&self, changes: &Changes) -> Result<(), StoreError>;
}

/// How far into a family's segments the index has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where the next frame begins; all zero if there is no segment.
    pub(crate) next: Place,
    /// Where the last whole frame of that segment lies; 0 if there is none.
    pub(crate) last: u32,
    /// That frame's checksum.
    pub(crate) checksum: u32,
}

/// The row that says what the index stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The wrapping sum of [`digest`] over all other rows; over the single rows of a page.
    pub(crate) sum: u64,
    /// Statements, bodies.
    pub(crate) seen: [Seen; 2],
}

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) length: u32,
    /// Of statements alone.
    pub(crate) leaf: Option<Digest>,
}

/// Rows in memory.
#[derive(Debug, Default)]
pub(crate) struct MapIndex(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

/// An index with the changes that are not in it yet: those of a running flush, and over them those for the next.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) index: Arc<dyn Index>,
    flushing: Arc<Changes>,
    staged: Changes,
    sum: u64,
}

/// What a row, other than a page, adds to the sum.
pub(crate) fn digest(key: &[u8], value: &[u8]) -> u64 {
    let length = u64::try_from(key.len()).expect("a key is a few bytes long");
    let digest = sha256_of(&[&length.to_be_bytes(), key, value]);
    u64::from_be_bytes(*digest.0.first_chunk().expect("a digest has 32 bytes"))
}

/// The key of a stored Merkle node, at a level above 0.
pub(crate) fn node_key(log: LogId, level: u32, index: u64) -> Vec<u8> {
    let mut key = vec![NODE];
    key.extend(log.member.as_str().bytes());
    key.extend(log.ordinal.to_be_bytes());
    key.push(u8::try_from(level).expect("a level is below 64"));
    key.extend(index.to_be_bytes());
    key
}

/// The key of the row that says that a body is still to be erased.
pub(crate) fn erasing_key(id: RecordId) -> Vec<u8> {
    let mut key = Key::Erased(id).to_bytes();
    key[0] = ERASING;
    key
}

/// The bodies that are still to be erased.
pub(crate) fn erasing(view: &View) -> Result<Vec<RecordId>, StoreError> {
    let rows = view.range(&[ERASING], &[ERASING + 1], usize::MAX)?;
    Ok(rows.into_iter().filter_map(|(key, _)| erasing_of(&key)).collect())
}

fn erasing_of(key: &[u8]) -> Option<RecordId> {
    let (kind, rest) = key.split_first()?;
    match Key::from_bytes(&[&[KeyKind::Erased as u8], rest].concat()) {
        Some(Key::Erased(id)) if *kind == ERASING => Some(id),
        Some(_) | None => None,
    }
}

pub(crate) fn mark_key(mark: &Mark) -> Vec<u8> {
    let mut key = vec![MARK];
    key.extend(mark.to_bytes());
    key
}

/// The range of all marks of a kind.
pub(crate) fn mark_range(kind: MarkKind) -> (Vec<u8>, Vec<u8>) {
    (vec![MARK, kind as u8], vec![MARK, kind as u8 + 1])
}

/// The mark that a row's key names.
pub(crate) fn mark_of(key: &[u8]) -> Option<Mark> {
    Mark::from_bytes(key.strip_prefix(&[MARK])?)
}

/// The key of the page with a statement's row.
pub(crate) fn page_key(id: RecordId) -> Vec<u8> {
    Key::Statement(RecordId { position: id.position - id.position % PAGE, ..id }).to_bytes()
}

/// The rows of a page.
pub(crate) fn page_rows(page: &[u8]) -> Option<Vec<Row>> {
    page.chunks(ENTRY).map(|entry| Row::from_bytes(entry).filter(|row| row.leaf.is_some())).collect()
}

/// What a row adds to the sum.
pub(crate) fn sum_of(key: &[u8], value: &[u8]) -> u64 {
    let Some(Key::Statement(id)) = Key::from_bytes(key) else { return digest(key, value) };
    let entries = (id.position..).zip(value.chunks(ENTRY));
    entries.fold(0, |sum, (position, entry)| {
        sum.wrapping_add(digest(&Key::Statement(RecordId { position, ..id }).to_bytes(), entry))
    })
}

/// Whether a row has a form that this module writes.
pub(crate) fn is_well_formed(key: &[u8], value: &[u8]) -> bool {
    match key.first() {
        Some(&NODE) => key.len() == 14 && value.len() == 32,
        Some(&ERASING) => erasing_of(key).is_some() && value.is_empty(),
        Some(&MARK) => mark_of(key).is_some(),
        Some(_) if key == STALE => value.is_empty(),
        _ => match Key::from_bytes(key) {
            Some(Key::Statement(id)) => {
                let rows = page_rows(value).map_or(0, |rows| rows.len() as u64);
                id.position.is_multiple_of(PAGE) && (1..=PAGE).contains(&rows)
            }
            Some(_) => Row::from_bytes(value).is_some_and(|row| row.leaf.is_none()),
            None => false,
        },
    }
}

impl State {
    const VERSION: u8 = 1;

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![Self::VERSION];
        bytes.extend(self.sum.to_be_bytes());
        for seen in self.seen {
            for number in [seen.next.segment, seen.next.offset, seen.last, seen.checksum] {
                bytes.extend(number.to_be_bytes());
            }
        }
        bytes.extend(crc32c::crc32c(&bytes).to_be_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (covered, checksum) = bytes.split_last_chunk()?;
        let whole = covered.len() == 41 && covered[0] == Self::VERSION;
        if !whole || crc32c::crc32c(covered) != u32::from_be_bytes(*checksum) {
            return None;
        }
        let number = |at: usize| covered[at..].first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let seen = |at: usize| {
            Some(Seen {
                next: Place { segment: number(at)?, offset: number(at + 4)? },
                last: number(at + 8)?,
                checksum: number(at + 12)?,
            })
        };
        Some(Self { sum: u64::from_be_bytes(*covered[1..].first_chunk()?), seen: [seen(9)?, seen(25)?] })
    }
}

impl Row {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENTRY);
        for number in [self.place.segment, self.place.offset, self.length] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.leaf.iter().flat_map(|leaf| leaf.0));
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, leaf) = bytes.split_at_checked(12)?;
        let number = |at: usize| numbers[at..].first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let leaf = if leaf.is_empty() { None } else { Some(Digest(leaf.try_into().ok()?)) };
        Some(Self { place: Place { segment: number(0)?, offset: number(4)? }, length: number(8)?, leaf })
    }
}

impl View {
    /// A view of an index whose rows have this sum.
    pub(crate) fn new(index: Arc<dyn Index>, sum: u64) -> Self {
        Self { index, flushing: Arc::default(), staged: Changes::new(), sum }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.staged.get(key).or_else(|| self.flushing.get(key)) {
            Some(value) => Ok(value.clone()),
            None => self.index.get(key),
        }
    }

    /// Sets or removes a row.
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        if let Some(old) = self.get(&key)? {
            self.sum = self.sum.wrapping_sub(digest(&key, &old));
        }
        self.put_fresh(key, value);
        Ok(())
    }

    /// Takes away the rows of all frames of a body; gives their keys.
    pub(crate) fn forget_body(&mut self, id: RecordId) -> Result<Vec<Key>, StoreError> {
        let (from, to) = (Key::Compartment(id, 0).to_bytes(), Key::Compartment(id, u8::MAX).to_bytes());
        // The greatest index is its own upper end.
        let to = [to, vec![0]].concat();
        let parts = self.range(&from, &to, usize::MAX)?.into_iter().filter_map(|(key, _)| Key::from_bytes(&key));
        let mut keys = Vec::new();
        for key in parts.chain([Key::Head(id), Key::Lanes(id), Key::Slot(id)]) {
            let row = key.to_bytes();
            if self.get(&row)?.is_some() {
                self.put(row, None)?;
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Sets a row whose key is known to be free.
    pub(crate) fn put_new(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.put_fresh(key, Some(value));
    }

    /// Adds the row of a statement, which is the next of its log.
    pub(crate) fn append(&mut self, id: RecordId, row: Row) -> Result<(), StoreError> {
        let entry = row.to_bytes();
        self.sum = self.sum.wrapping_add(digest(&Key::Statement(id).to_bytes(), &entry));
        let key = page_key(id);
        if let Some(Some(page)) = self.staged.get_mut(&key) {
            page.extend(entry);
            return Ok(());
        }
        let mut page = self.get(&key)?.unwrap_or_default();
        page.extend(entry);
        self.staged.insert(key, Some(page));
        Ok(())
    }

    /// Changes the row of a statement that is held.
    pub(crate) fn replace(&mut self, id: RecordId, row: Row) -> Result<(), StoreError> {
        let (key, own) = (page_key(id), Key::Statement(id).to_bytes());
        let mut page = self.get(&key)?.unwrap_or_default();
        let at = usize::try_from(id.position % PAGE).unwrap_or_default() * ENTRY;
        let missing = StoreError::Missing { what: format!("the row of {id}") };
        let place = page.get_mut(at..at + ENTRY).ok_or(missing)?;
        let entry = row.to_bytes();
        self.sum = self.sum.wrapping_sub(digest(&own, place)).wrapping_add(digest(&own, &entry));
        place.copy_from_slice(&entry);
        self.staged.insert(key, Some(page));
        Ok(())
    }

    /// The first `limit` rows from `from` up to but without `to`.
    pub(crate) fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let mut changes: BTreeMap<&[u8], Option<&Vec<u8>>> = BTreeMap::new();
        for layer in [&*self.flushing, &self.staged] {
            changes.extend(layer.range::<[u8], _>(bounds).map(|(key, value)| (key.as_slice(), value.as_ref())));
        }
        let mut changes = changes.into_iter().peekable();
        let mut rows = Vec::new();
        for row in self.index.range(from, to) {
            let (key, value) = row?;
            while let Some((changed, new)) = changes.next_if(|(changed, _)| *changed < key.as_slice()) {
                rows.extend(new.map(|new| (changed.to_vec(), new.clone())));
            }
            match changes.next_if(|(changed, _)| *changed == key.as_slice()) {
                Some((_, new)) => rows.extend(new.map(|new| (key, new.clone()))),
                None => rows.push((key, value)),
            }
            if rows.len() >= limit {
                rows.truncate(limit);
                return Ok(rows);
            }
        }
        rows.extend(changes.filter_map(|(key, new)| Some((key.to_vec(), new?.clone()))));
        rows.truncate(limit);
        Ok(rows)
    }

    pub(crate) fn is_changed(&self) -> bool {
        !self.staged.is_empty()
    }

    /// How many rows are staged.
    pub(crate) fn staged(&self) -> usize {
        self.staged.len()
    }

    /// Closes the group: its changes, with the state that the index then stands for.
    pub(crate) fn begin(&mut self, seen: [Seen; 2]) -> Arc<Changes> {
        self.staged.insert(STATE.to_vec(), Some(State { sum: self.sum, seen }.to_bytes()));
        self.flushing = Arc::new(std::mem::take(&mut self.staged));
        Arc::clone(&self.flushing)
    }

    /// The changes of the running flush are in the index.
    pub(crate) fn finish(&mut self) {
        self.flushing = Arc::default();
    }

    fn put_fresh(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        if let Some(value) = &value {
            self.sum = self.sum.wrapping_add(digest(&key, value));
        }
        self.staged.insert(key, value);
    }
}

impl Index for MapIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = rows.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let found: Vec<_> = found.map(|(key, value)| Ok((key.clone(), value.clone()))).collect();
        Box::new(found.into_iter())
    }

    fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in changes {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_view_shows_what_one_map_would(
            changes in prop::collection::vec((0..40_u8, prop::option::of(0..9_u8), 0..12_u8), 0..200),
            from in 0..40_u8, to in 0..40_u8, limit in 0..20_usize,
        ) {
            let index = Arc::new(MapIndex::default());
            let mut view = View::new(index.clone(), 0);
            let (mut map, mut running) = (BTreeMap::new(), None);
            for (key, value, then) in changes {
                let (key, value) = (vec![1, key], value.map(|value| vec![value]));
                view.put(key.clone(), value.clone()).unwrap();
                match value {
                    Some(value) => map.insert(key, value),
                    None => map.remove(&key),
                };
                // A flush is begun, reaches the index, and is finished, with changes in between.
                if then == 0 && running.is_none() {
                    running = Some(view.begin([Seen::default(); 2]));
                } else if then <= 2 && let Some(changes) = &running {
                    index.apply(changes).unwrap();
                    if then == 2 {
                        view.finish();
                        running = None;
                    }
                }
            }
            let (from, to) = ([1, from], [1, to]);
            let expected: Vec<_> = map.iter().filter(|(key, _)| key[..] >= from[..] && key[..] < to[..]).take(limit)
                .map(|(key, value)| (key.clone(), value.clone())).collect();
            prop_assert_eq!(view.range(&from, &to, limit).unwrap(), expected);
            let sum = map.iter().fold(0_u64, |sum, (key, value)| sum.wrapping_add(digest(key, value)));
            prop_assert_eq!(view.sum, sum);
        }

        #[test]
        fn states_and_rows_survive_the_round_trip(sum in any::<u64>(), numbers in any::<[u32; 8]>(), leaf in prop::option::of(any::<[u8; 32]>())) {
            let seen = |at: usize| Seen {
                next: Place { segment: numbers[at], offset: numbers[at + 1] }, last: numbers[at + 2], checksum: numbers[at + 3],
            };
            let state = State { sum, seen: [seen(0), seen(4)] };
            prop_assert_eq!(State::from_bytes(&state.to_bytes()), Some(state));
            let row = Row { place: seen(0).next, length: numbers[7], leaf: leaf.map(Digest) };
            prop_assert_eq!(Row::from_bytes(&row.to_bytes()), Some(row));
        }
    }
}
