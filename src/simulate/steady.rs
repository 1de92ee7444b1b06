//! A medium with which nothing goes wrong, for runs that are about something else: it holds one copy of a ledger and not two.

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::random::Randomness;
use crate::ledger::StoreError;
use crate::ledger::memory::MemoryStore;

use super::medium::{self, Harm, Medium, Signed};

/// Keeps everything that is staged, also when the process ends. No harm is done to it. While a node runs on it, what it holds is the
/// node's: a clone is then a backup of the guard alone.
#[derive(Clone, Debug, Default)]
pub struct Steady {
    held: MemoryStore,
    guard: Signed,
}

impl Medium for Steady {
    type Store = MemoryStore;

    fn new(_: u64) -> Self {
        Self::default()
    }

    fn open(&mut self) -> Result<MemoryStore, StoreError> {
        Ok(std::mem::take(&mut self.held))
    }

    fn begin_flush(&mut self, _: &mut MemoryStore) -> Result<(), StoreError> {
        Ok(())
    }

    fn finish_flush(&mut self, _: &mut MemoryStore) -> Result<(), StoreError> {
        Ok(())
    }

    fn end(&mut self, store: MemoryStore, _: Option<&mut Randomness>) {
        self.held = store;
    }

    fn guard(&mut self, log: LogId, frames: &[(u64, Digest)]) -> Result<(), String> {
        self.guard.allow(log, frames)
    }

    fn rewind_guard(&mut self, log: LogId, position: u64) {
        self.guard.rewind(log, position);
    }

    fn restore(&mut self, backup: &Self) {
        self.held = backup.held.clone();
    }

    fn mend(&mut self) {}

    fn hurt(&mut self, _: Harm, _: &mut Randomness) {}

    fn lost(&self) -> Vec<(RecordId, Digest)> {
        Vec::new()
    }

    fn holds(&self, id: RecordId, leaf: &Digest) -> bool {
        medium::is_in(&self.held, id, leaf)
    }
}
