//! The scrub: every frame that counts is read again and again, a few at a time, so that rot is found while a peer still has the data.

use super::index::{self, PAGE, Row};
use super::segment::Segments;
use super::store::{self, DiskStore};
use crate::encoding::ids::RecordId;
use crate::ledger::{Key, KeyKind, StoreError};

/// How far the scrub has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrub {
    /// Frames read since the store was opened.
    pub frames: u64,
    /// Whole passes since then.
    pub passes: u64,
    /// The index row to go on with; the beginning if empty.
    next: Vec<u8>,
}

impl DiskStore {
    /// Reads the next frames in the order of their keys, about `bytes` of them, and checks them. What is damaged is noted as any read
    /// notes it. Whether a pass is complete with this.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn scrub(&mut self, bytes: usize) -> Result<bool, StoreError> {
        let end = [KeyKind::END];
        let mut read = 0;
        while read < bytes {
            let from =
                if self.scrub.next.is_empty() { vec![KeyKind::Published as u8] } else { self.scrub.next.clone() };
            let Some((row_key, value)) = self.view.range(&from, &end, 1)?.pop() else {
                self.scrub.next.clear();
                self.scrub.passes += 1;
                return Ok(true);
            };
            for (key, row) in frames(&row_key, &value) {
                read += row.length as usize;
                self.scrub.frames += 1;
                // What is not whole is noted there.
                self.whole(&key, row)?;
            }
            // The least key above this one.
            self.scrub.next = row_key;
            self.scrub.next.push(0);
        }
        Ok(false)
    }

    /// How far the scrub has come.
    #[must_use]
    pub fn scrubbed(&self) -> &Scrub {
        &self.scrub
    }
}

/// Reads the frame of a row from its segment, as the scrub does, for who has no store open; what is wrong with it.
pub(super) fn examine(segments: &Segments, key: &Key, row: Row) -> Option<String> {
    let read = || {
        let (bytes, context) = segments.read(row.place, row.length)?;
        store::checked(segments, key, row, (&bytes, context))
    };
    // Read once more before it is called damaged: a bit may flip on its way here alone.
    match read().or_else(|_| read()) {
        Ok(_) => None,
        Err(StoreError::Damaged { what } | StoreError::Missing { what }) => Some(what),
        Err(StoreError::Io { source, .. }) => Some(format!("it cannot be read: {source}")),
    }
}

/// The frames of an index row.
pub(super) fn frames(key: &[u8], value: &[u8]) -> Vec<(Key, Row)> {
    match Key::from_bytes(key) {
        Some(Key::Statement(first)) => {
            let rows = index::page_rows(value).unwrap_or_default();
            let position = first.position - first.position % PAGE;
            (position..).zip(rows).map(|(at, row)| (Key::Statement(RecordId::new(first.log, at)), row)).collect()
        }
        Some(key) => Row::from_bytes(value).map(|row| (key, row)).into_iter().collect(),
        None => Vec::new(),
    }
}
