//! Keys that were opened, kept in memory: to open a lane or a grant takes longer than to open a record with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::encoding::ids::RecordId;
use crate::seal::{Grant, LaneKey};

/// Lanes by the `lanes` statement that gives them, and grants by their record. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Keys>>);

#[derive(Debug, Default)]
struct Keys {
    lanes: BTreeMap<RecordId, LaneKey>,
    grants: BTreeMap<RecordId, Arc<Grant>>,
}

impl Kept {
    /// More lanes than these are not kept: a member may log as many `lanes` statements as its quota lets it.
    const LANES_MAX: usize = 4096;
    /// More grants than these are not kept: a large one has half a megabyte.
    const GRANTS_MAX: usize = 16;

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lane(&self, id: &RecordId) -> Option<LaneKey> {
        self.keys().lanes.get(id).cloned()
    }

    pub(super) fn keep_lane(&self, id: RecordId, lane: &LaneKey) {
        let lanes = &mut self.keys().lanes;
        if lanes.len() >= Self::LANES_MAX {
            lanes.clear();
        }
        lanes.insert(id, lane.clone());
    }

    /// Forgets what a record gave: it was erased.
    pub(super) fn forget(&self, id: &RecordId) {
        let keys = &mut *self.keys();
        keys.lanes.remove(id);
        keys.grants.remove(id);
    }

    pub(super) fn grant(&self, id: &RecordId) -> Option<Arc<Grant>> {
        self.keys().grants.get(id).cloned()
    }

    pub(super) fn keep_grant(&self, id: RecordId, grant: &Arc<Grant>) {
        let grants = &mut self.keys().grants;
        if grants.len() >= Self::GRANTS_MAX {
            grants.clear();
        }
        grants.insert(id, Arc::clone(grant));
    }
}
