//! The consignments of a node, built from its ledger at the start and kept up to date from what the core tells.
//!
//! Nothing of it is on the disk: what was opened stays in memory, and a node that starts reads its records again, a few at each tick, so
//! that peers and officers are served meanwhile.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::ops::Range;

use hashlink::LruCache;

use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::ledger::{Store, StoreError};
use crate::protocol::Event;
use crate::protocol::view::View;
use crate::record::{Kind, PartialRecord, Terms};
use crate::watch::{Dossier, Views};

/// Records kept as they were opened, some 4 KiB each: with each new record its consignment is derived from all of its records, which
/// were needed a moment ago if many come at once. To open one costs a third of a millisecond.
const RECORDS_KEPT: usize = 8_192;

/// Keeps the views of a node.
pub struct Keeper {
    views: Views,
    /// What is still to be read of what was held at the start.
    backlog: VecDeque<(LogId, Range<u64>)>,
    /// Records of which something has changed since.
    changed: BTreeSet<RecordId>,
    /// Records to be read, and read, since the start.
    total: u64,
    done: u64,
    recent: Recent,
}

/// Records that were opened of late. What changes is forgotten at once, so that what is here is as it would be read now.
struct Recent(RefCell<LruCache<RecordId, PartialRecord>>);

/// Who is told what the keeper comes across.
pub trait Watcher {
    /// A consignment was derived again.
    fn derived(&mut self, dossier: &Dossier<'_>, terms: Option<&Terms>);
    /// A warning belongs to no consignment; or a record was `settled`, because this member has reported back about it or its author took it
    /// back.
    fn warned(&mut self, id: RecordId, settled: bool);
}

/// Who only wants the views.
#[derive(Debug)]
pub struct Nobody;

impl Watcher for Nobody {
    fn derived(&mut self, _: &Dossier<'_>, _: Option<&Terms>) {}
    fn warned(&mut self, _: RecordId, _: bool) {}
}

impl Keeper {
    /// Everything that is held is still to be read.
    #[must_use]
    pub fn new<S: Store>(view: &View<'_, S>) -> Self {
        let logs = view.store().logs().into_iter().map(|log| (log, 0..view.store().size(&log)));
        let backlog: VecDeque<_> = logs.collect();
        let total = backlog.iter().map(|(_, range)| range.end).sum();
        let views = Views::counting_for(view.me().member);
        let recent = Recent(RefCell::new(LruCache::new(RECORDS_KEPT)));
        Self { views, backlog, changed: BTreeSet::new(), total, done: 0, recent }
    }

    /// A record as far as it can be read now, as [`read`] gives it; from memory if it was read of late and has not changed since.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn record<S: Store>(&self, view: &View<'_, S>, id: RecordId) -> Result<Option<PartialRecord>, StoreError> {
        self.recent.record(view, id)
    }

    /// The views of everything that is held, all at once.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn read<S: Store>(view: &View<'_, S>) -> Result<Self, StoreError> {
        let mut keeper = Self::new(view);
        while keeper.is_behind() {
            keeper.work(view, usize::MAX, &mut Nobody)?;
        }
        Ok(keeper)
    }

    /// The views. They are not whole while [`Self::is_behind`].
    #[must_use]
    pub fn views(&self) -> &Views {
        &self.views
    }

    /// Whether something is still to be read or derived.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.backlog.is_empty() || !self.changed.is_empty() || self.views.stale() > 0
    }

    /// Records read since the start, and how many there were then; `None` once all were.
    #[must_use]
    pub fn progress(&self) -> Option<(u64, u64)> {
        (!self.backlog.is_empty()).then_some((self.done, self.total))
    }

    /// About how many records are still to be read for what has changed since all was read once.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.changed.len() + self.views.stale()
    }

    /// How many records have been read since the start.
    #[must_use]
    pub fn records_read(&self) -> u64 {
        self.done
    }

    /// Takes note of what the core tells.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Logged { first, count } => {
                let positions = first.position..first.position.saturating_add(*count);
                positions.for_each(|position| self.change(RecordId { log: first.log, position }));
            }
            Event::Opened { id, .. }
            | Event::NotOpened { id, .. }
            | Event::Flagged { id, .. }
            | Event::Erased { id, .. } => {
                self.change(*id);
            }
            Event::Verified { .. }
            | Event::NotGranted { .. }
            | Event::LaneDiffers { .. }
            | Event::NotErased { .. }
            | Event::Healed { .. }
            | Event::Agrees { .. }
            | Event::Fork { .. }
            | Event::LogEnded { .. }
            | Event::Ready { .. }
            | Event::Refused { .. }
            | Event::Split { .. }
            | Event::Members { .. } => {}
        }
    }

    /// Logs were closed, or opened again to what is above: what is above their closing sizes is read again.
    pub fn read_again<S: Store>(&mut self, view: &View<'_, S>, members: &[MemberCode]) {
        let manifests = members.iter().filter_map(|member| view.federation().manifest(*member));
        for (log, entry) in manifests.flat_map(|manifest| manifest.logs()) {
            if let Some(size) = entry.closed {
                let above = size..view.store().size(&log);
                above.for_each(|position| self.change(RecordId { log, position }));
            }
        }
    }

    fn change(&mut self, id: RecordId) {
        self.recent.0.get_mut().remove(&id);
        self.changed.insert(id);
    }

    /// Reads and derives, until about `records_max` records were read. Gives whether the last of what was held at the start has just been
    /// read.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn work<S: Store>(
        &mut self,
        view: &View<'_, S>,
        records_max: usize,
        watcher: &mut impl Watcher,
    ) -> Result<bool, StoreError> {
        let mut left = records_max;
        while left > 0
            && let Some(id) = self.changed.pop_first()
        {
            self.take(view, id, watcher)?;
            left -= 1;
        }
        let was_behind = !self.backlog.is_empty();
        while left > 0
            && let Some((log, range)) = self.backlog.front_mut()
        {
            let log = *log;
            match range.next() {
                Some(position) => {
                    self.take(view, RecordId { log, position }, watcher)?;
                    self.done += 1;
                    left -= 1;
                }
                None => drop(self.backlog.pop_front()),
            }
        }
        // Until everything was read once, a consignment would be derived again for each of its records.
        if !self.backlog.is_empty() {
            return Ok(false);
        }
        let Self { views, recent, .. } = self;
        let read = |id| recent.record(view, id);
        views.refresh(left.max(1), read, |dossier, terms| watcher.derived(dossier, terms))?;
        Ok(was_behind)
    }

    fn take<S: Store>(
        &mut self,
        view: &View<'_, S>,
        id: RecordId,
        watcher: &mut impl Watcher,
    ) -> Result<(), StoreError> {
        match self.record(view, id)? {
            Some(record) => {
                self.views.take(id, &record);
                if record.kind() == Some(&Kind::Warning) && self.views.consignments_of(id).is_empty() {
                    watcher.warned(id, false);
                }
                // We have reported back, or who warned has taken it back.
                let own = id.log.member == view.me().member;
                let settles = |warning: &RecordId| match record.kind() {
                    Some(Kind::Feedback) => own,
                    Some(Kind::Withdrawal) => warning.log.member == id.log.member,
                    Some(_) | None => false,
                };
                if let Some(warning) = record.declared().answers.filter(settles) {
                    watcher.warned(warning, true);
                }
            }
            None => self.views.remove(id),
        }
        Ok(())
    }
}

impl Recent {
    /// A record that is kept; else it is read, and kept.
    fn record<S: Store>(&self, view: &View<'_, S>, id: RecordId) -> Result<Option<PartialRecord>, StoreError> {
        if let Some(record) = self.0.borrow_mut().get(&id) {
            return Ok(Some(record.clone()));
        }
        let record = read(view, id)?;
        if let Some(record) = &record {
            self.0.borrow_mut().insert(id, record.clone());
        }
        Ok(record)
    }
}

/// Shows no content.
impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("total", &self.total).field("done", &self.done).finish_non_exhaustive()
    }
}

/// A record as far as it can be read now; `None` if it cannot, or has no effect.
///
/// # Errors
/// [`StoreError`] if storage failed. A damaged frame is as good as none: it is named in `status`, and peers heal it.
pub fn read<S: Store>(view: &View<'_, S>, id: RecordId) -> Result<Option<PartialRecord>, StoreError> {
    match view.record(id) {
        Ok(Some(record)) if record.flaw.is_none() && !record.body.content.is_empty() => {
            Ok(Some(PartialRecord::from_content(&record.body.content)).filter(|record| record.kind().is_some()))
        }
        Ok(_) | Err(StoreError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
