//! The index in sled 0.34: a tree that is never trusted.
//!
//! sled may panic on damage, and what it says is on the disk may not be. So every call is guarded, an error means no more
//! than "this index is of no use", and `flush` is left to its own devices: nothing rests on it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::index::{Changes, Index, Pairs};
use crate::ledger::StoreError;

/// Memory for pages, in bytes as sled counts them; what they take is four to five times that. Rows are small and mostly read in order.
const CACHE: u64 = 16 << 20;

/// A sled database with a single tree.
#[derive(Debug)]
pub(crate) struct SledIndex(sled::Db);

impl SledIndex {
    /// Opens or makes the database in `dir`.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE).flush_every_ms(None);
        // A database that was closed in this very process lets go of its files a moment later.
        for _ in 0..100 {
            match guarded("opening", || config.open()) {
                Err(StoreError::Io { source, .. }) if is_held(&source) => {
                    thread::sleep(Duration::from_millis(10));
                }
                opened => return opened.map(Self),
            }
        }
        guarded("opening", || config.open()).map(Self)
    }
}

impl SledIndex {
    /// Hands everything to the operating system, as far as sled does.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        guarded("flushing", || self.0.flush()).map(drop)
    }
}

impl Index for SledIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(guarded("reading", || self.0.get(key))?.map(|value| value.to_vec()))
    }

    fn range(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        let mut rows = self.0.range(from..to);
        let mut failed = false;
        Box::new(std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let row = guarded("reading", || rows.next().transpose()).transpose()?;
            failed = row.is_err();
            Some(row.map(|(key, value)| (key.to_vec(), value.to_vec())))
        }))
    }

    fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        guarded("writing", || self.0.apply_batch(batch))
    }
}

/// Whether somebody holds the files. sled wraps the operating system's answer into an error of no kind, with this text.
fn is_held(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WouldBlock || error.to_string().starts_with("could not acquire lock")
}

/// Turns whatever sled does into an error that names the index.
fn guarded<T>(doing: &str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(source))) => Err(StoreError::Io { doing: format!("{doing} the index"), source }),
        Ok(Err(error)) => Err(StoreError::Damaged { what: format!("the index, found when {doing}: {error}") }),
        Err(_) => Err(StoreError::Damaged { what: format!("the index, found when {doing}: sled panicked") }),
    }
}
