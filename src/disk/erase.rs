//! Erasing: the frames of a body are overwritten where they lie, and stay as frames that say so.
//!
//! 1. The note ([`Key::Erased`]) is on the disk before a byte of the body is touched. From then on nothing takes it back: whoever opens the
//!    store finds the note and does the rest.
//! 2. A new segment is begun behind the one that the body may lie in. So no frame that is being overwritten lies in the last segment of its
//!    family, where a torn frame would pass for a write that was never acknowledged, and cost what lies behind it.
//! 3. All segments of bodies are read, and every frame of the body is overwritten ([`frame::erased`]), older ones under the same key too.
//!    So is what is damaged, unless the index confirms that it was something else: nobody can read it, and its key may be what is damaged.
//!    Frames that are erased already are written once more: a process that was killed may have left them in the page cache alone.
//! 4. The segments are fsynced; then the index is told, in the batch that has the note.
//!
//! A crash at any point leaves the note and not the end, or both.

use std::collections::BTreeSet;

use super::files::Doing as _;
use super::frame::{self, Place};
use super::index::Row;
use super::open;
use super::segment::{HEADER, Header, Segments};
use crate::encoding::ids::RecordId;
use crate::ledger::{Key, StoreError};

/// Whether the index says that a frame lies at a place.
pub(super) type Confirms<'a> = &'a dyn Fn(&Key, Place) -> Result<bool, StoreError>;

/// Overwrites what lies in the segments of these bodies, and brings that to the disk; gives how many frames were still there. Nothing may be
/// written to the segments meanwhile but behind their ends.
pub(super) fn blank(
    segments: &Segments,
    records: &BTreeSet<RecordId>,
    confirms: Confirms<'_>,
) -> Result<u64, StoreError> {
    let mut frames = 0;
    for number in segments.numbers()? {
        // In a segment without a readable header no frame can be told from any other byte; it is named as damage.
        if matches!(segments.inspect(number)?.1, Header::Good { .. }) {
            frames += blank_one(segments, number, records, confirms)?;
        }
    }
    Ok(frames)
}

fn blank_one(
    segments: &Segments,
    number: u32,
    records: &BTreeSet<RecordId>,
    confirms: Confirms<'_>,
) -> Result<u64, StoreError> {
    let (bytes, context) = open::stretch(segments, number, HEADER)?;
    let within = |offset: u32| (offset - HEADER) as usize;
    let is_wanted = |key: &Key| key.body_of().is_some_and(|id| records.contains(&id));
    let found = frame::scan(&bytes, context, HEADER);
    let mut blanks: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut frames = 0;
    for one in found.frames.iter().filter(|frame| is_wanted(&frame.key)) {
        let bytes = &bytes[within(one.offset)..within(one.offset + one.length)];
        blanks.extend(frame::erased(bytes, context, one.offset, &one.key).map(|blank| (one.offset, blank)));
        frames += u64::from(!one.erased);
    }
    for hole in found.holes {
        for (place, key) in frame::pieces(&bytes[within(hole.start)..within(hole.end)], context, hole.start) {
            let wanted = key.filter(is_wanted);
            if let Some(key) = key.filter(|_| wanted.is_none())
                && confirms(&key, Place { segment: number, offset: place.start })?
            {
                continue;
            }
            let bytes = &bytes[within(place.start)..within(place.end)];
            let blank = wanted.and_then(|key| frame::erased(bytes, context, place.start, &key));
            blanks.push((place.start, blank.unwrap_or_else(|| vec![0; bytes.len()])));
            frames += u64::from(wanted.is_some());
        }
    }
    let segment = segments.get(number)?;
    for (offset, blank) in &blanks {
        segment.file.write_at(blank, u64::from(*offset)).doing("erasing in", &segment.path)?;
    }
    if !blanks.is_empty() {
        segment.file.sync().doing("syncing", &segment.path)?;
    }
    Ok(frames)
}

/// Asks an index, for [`blank`].
pub(super) fn is_at(row: Option<Vec<u8>>, place: Place) -> bool {
    row.and_then(|row| Row::from_bytes(&row)).is_some_and(|row| row.place == place)
}
