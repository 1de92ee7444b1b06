//! The index of a store on this disk: what sled is after its sum was found to be right.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::path::Path;

use super::{FaultFs, Op};
use crate::disk::files::Doing as _;
use crate::disk::index::{Changes, Index, Pairs};
use crate::ledger::StoreError;

/// Groups that may still be lost; the operating system has written those before.
const PENDING: usize = 32;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// The rows, and those that a loss of power leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct IndexState {
    now: Rows,
    durable: Rows,
    pending: VecDeque<Changes>,
}

/// The index on a disk in memory.
#[derive(Clone, Debug)]
pub(crate) struct FaultIndex(FaultFs);

impl FaultIndex {
    pub(super) fn of(fs: &FaultFs) -> Self {
        Self(fs.clone())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.state().index.now.is_empty()
    }

    pub(crate) fn clear(&self) {
        self.0.state().index.clear();
    }
}

impl IndexState {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Goes back to the state before the first group that does not survive.
    pub(super) fn lose_power(&mut self, survives: &mut dyn FnMut() -> bool) {
        for changes in std::mem::take(&mut self.pending) {
            if !survives() {
                break;
            }
            apply(&mut self.durable, &changes);
        }
        self.now.clone_from(&self.durable);
    }

    fn apply(&mut self, changes: &Changes) {
        apply(&mut self.now, changes);
        self.pending.push_back(changes.clone());
        if self.pending.len() > PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            apply(&mut self.durable, &oldest);
        }
    }
}

impl Index for FaultIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.state().index.now.get(key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        let state = self.0.state();
        let found = state.index.now.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let found: Vec<_> = found.map(|(key, value)| Ok((key.clone(), value.clone()))).collect();
        Box::new(found.into_iter())
    }

    fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let path = Path::new("index");
        let (mut state, ruling) = self.0.rule(Op::Index, path).doing("writing", path)?;
        ruling.plain().doing("writing", path)?;
        state.index.apply(changes);
        Ok(())
    }
}

fn apply(rows: &mut Rows, changes: &Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => rows.insert(key.clone(), value.clone()),
            None => rows.remove(key),
        };
    }
}
