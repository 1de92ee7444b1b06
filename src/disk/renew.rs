//! The rows of an index in a new folder: sled keeps what it replaces until it needs the room, and what was erased may be among it.
//!
//! A row holds places, lengths and marks, and no content; but the mark of a document line is a digest that tells who guesses the line that the
//! guess is right. So at the first start after an erasure the rows that count are copied, marks and all, and the old files removed. Whatever goes
//! wrong costs no more than an index: it is built anew from the segments.

use std::fs;
use std::path::Path;

use super::index::{self, Changes, Index as _, STALE, STATE, State};
use super::sled_index::SledIndex;
use crate::ledger::StoreError;

/// Rows copied at once.
const BATCH: usize = 4096;

/// Puts the rows of the index in `folder` into a new one, if something was erased since that was last done.
pub(super) fn renew(folder: &Path) {
    let [fresh, old] = ["new", "old"].map(|ending| folder.with_extension(ending));
    // What an earlier attempt has left; none of it counts.
    drop(fs::remove_dir_all(&fresh));
    drop(fs::remove_dir_all(&old));
    if !folder.exists() || !copy(folder, &fresh).unwrap_or(false) {
        drop(fs::remove_dir_all(&fresh));
        return;
    }
    if fs::rename(folder, &old).is_ok() {
        drop(fs::rename(&fresh, folder));
        drop(fs::remove_dir_all(&old));
    }
}

/// Copies all rows but the one that asks for it; whether it was there.
fn copy(held: &Path, fresh: &Path) -> Result<bool, StoreError> {
    let from = SledIndex::open(held)?;
    let state = from.get(&STATE)?.and_then(|state| State::from_bytes(&state));
    let (Some(state), Some(stale)) = (state, from.get(&STALE)?) else { return Ok(false) };
    let to = SledIndex::open(fresh)?;
    let mut batch = Changes::new();
    for row in from.range(&[STATE[0] + 1], &[u8::MAX]) {
        let (key, value) = row?;
        if key != STALE {
            batch.insert(key, Some(value));
        }
        if batch.len() >= BATCH {
            to.apply(&std::mem::take(&mut batch))?;
        }
    }
    let sum = state.sum.wrapping_sub(index::sum_of(&STALE, &stale));
    batch.insert(STATE.to_vec(), Some(State { sum, ..state }.to_bytes()));
    to.apply(&batch)?;
    to.flush()?;
    drop(to);
    // sled lets go of its files a moment later: once they can be opened again, it has.
    SledIndex::open(fresh)?;
    Ok(true)
}
