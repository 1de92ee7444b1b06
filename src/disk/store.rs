//! The store: staging, reading, and the group commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::edge::{Edge, STEP};
use super::files::{Doing as _, FileSystem, RealFs};
use super::flush::{self, FlushJob, Flushed, Writer};
use super::frame::{self, Context, Parsed};
use super::index::{self, PAGE, Row, View};
use super::open::{self, OpenError, Report};
use super::renew;
use super::scrub::Scrub;
use super::segment::{Family, Segments};
use super::version;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::merkle;
use crate::ledger::{Frame, Key, KeyKind, Mark, MarkKind, Store, StoreError};

/// A [`Store`] in a data directory. See the [module](super) for what lies there.
///
/// What was staged is on the disk once [`DiskStore::finish_flush`] has returned without an error. After any error of a flush
/// every later call fails, and the directory has to be opened anew.
#[derive(Debug)]
pub struct DiskStore {
    pub(crate) fs: Arc<dyn FileSystem>,
    pub(crate) dir: PathBuf,
    pub(crate) access: Mode,
    pub(crate) writers: [Writer; 2],
    pub(crate) view: View,
    pub(crate) logs: BTreeMap<LogId, Edge>,
    pub(crate) flushing: bool,
    /// What went wrong in a flush.
    pub(crate) failed: Option<String>,
    pub(crate) lock: Option<fs::File>,
    /// Frames that were found damaged and not replaced since, and where.
    pub(crate) damaged: Mutex<BTreeMap<Key, String>>,
    pub(crate) scrub: Scrub,
    /// Bodies that are erased with the next flush.
    pub(crate) erasing: BTreeSet<RecordId>,
}

/// What the store was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    ReadOnly,
    /// Not writable below so many free bytes.
    Writable {
        low_water: u64,
    },
}

impl DiskStore {
    /// Opens the store in `dir`, and makes it if there is none. Torn ends are cut back, the index is brought up to date or
    /// rebuilt; the report says so, and names what is damaged. `progress` is told bytes read and bytes to read.
    ///
    /// Below `low_water` free bytes the store calls itself not [writable](Self::writable).
    ///
    /// # Errors
    /// [`OpenError::Locked`] if another process has it open; else see there.
    pub fn open(dir: &Path, low_water: u64, progress: &mut dyn FnMut(u64, u64)) -> Result<(Self, Report), OpenError> {
        fs::create_dir_all(dir).doing("creating", dir)?;
        let lock = open::lock(dir)?;
        version::check_and_note(dir)?;
        renew::renew(&dir.join("index"));
        let kind = open::IndexKind::Sled(dir.join("index"));
        let mode = Mode::Writable { low_water };
        let (mut store, report) = open::open(Arc::new(RealFs), dir, mode, kind, super::segment::ROLL, progress)?;
        store.lock = Some(lock);
        Ok((store, report))
    }

    /// Opens the store of a node that is not running, without changing anything: the segments are read into an index in memory.
    /// There are no marks.
    ///
    /// # Errors
    /// [`OpenError::Locked`] if the node runs, [`OpenError::Absent`] if there is no store; else see there.
    pub fn open_read_only(dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(Self, Report), OpenError> {
        let lock = open::lock_shared(dir)?;
        version::check(dir)?;
        let kind = open::IndexKind::Memory;
        let (mut store, report) =
            open::open(Arc::new(RealFs), dir, Mode::ReadOnly, kind, super::segment::ROLL, progress)?;
        store.lock = Some(lock);
        Ok((store, report))
    }

    /// Whether there is room: the store was opened for writing and the low-water mark of free space is not reached. What
    /// is staged below it is still written if it fits.
    ///
    /// # Errors
    /// [`StoreError`] if the free space cannot be had.
    pub fn writable(&self) -> Result<bool, StoreError> {
        match self.access {
            Mode::ReadOnly => Ok(false),
            Mode::Writable { low_water } => {
                let free = self.fs.free(&self.dir).doing("asking for the free space of", &self.dir)?;
                Ok(self.failed.is_none() && free >= low_water)
            }
        }
    }

    /// From now on the store calls itself not [writable](Self::writable) below so many free bytes. One that is only read stays so.
    pub fn set_low_water(&mut self, bytes: u64) {
        if let Mode::Writable { low_water } = &mut self.access {
            *low_water = bytes;
        }
    }

    /// Whether something is staged that no flush was begun for.
    #[must_use]
    pub fn is_staged(&self) -> bool {
        self.view.is_changed() || self.writers.iter().any(Writer::is_staged)
    }

    /// Closes the group: what is staged up to now, as a job for any thread. None if nothing is staged or a flush is under way.
    pub fn begin_flush(&mut self) -> Option<FlushJob> {
        if self.flushing || self.failed.is_some() || !self.is_staged() {
            return None;
        }
        self.flushing = true;
        let changes = self.view.begin(self.writers.each_ref().map(|writer| writer.seen));
        let [statements, bodies] = self.writers.each_mut().map(Writer::begin);
        let erasing = std::mem::take(&mut self.erasing);
        let erasing =
            (!erasing.is_empty()).then(|| (Arc::clone(&self.writers[Family::Bodies as usize].segments), erasing));
        Some(flush::job((statements, bodies), erasing, &self.view.index, changes))
    }

    /// Takes note of how the job went. Without an error, all that was staged before [`Self::begin_flush`] is durable.
    ///
    /// # Errors
    /// The error of the job. The store is of no use after it.
    pub fn finish_flush(&mut self, flushed: Flushed) -> Result<(), StoreError> {
        self.flushing = false;
        if let Err(error) = &flushed.0 {
            self.failed = Some(error.to_string());
            return flushed.0;
        }
        self.view.finish();
        self.writers.iter_mut().for_each(Writer::finish);
        Ok(())
    }

    /// Brings everything staged to the disk, here and now. A flush that is under way elsewhere must be finished first.
    ///
    /// # Errors
    /// As [`Self::finish_flush`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.check()?;
        match self.begin_flush() {
            Some(job) => self.finish_flush(job.run()),
            None => Ok(()),
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        match &self.failed {
            None => Ok(()),
            Some(failed) => Err(StoreError::Io {
                doing: "using a store that failed before".to_owned(),
                source: io::Error::other(failed.clone()),
            }),
        }
    }

    fn check_writable(&self, doing: &str) -> Result<(), StoreError> {
        self.check()?;
        match self.access {
            Mode::Writable { .. } => Ok(()),
            Mode::ReadOnly => {
                let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
                Err(StoreError::Io { doing: doing.to_owned(), source })
            }
        }
    }

    fn row(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        self.check()?;
        if let Key::Statement(id) = key {
            if id.position >= self.size(&id.log) {
                return Ok(None);
            }
            return Ok(statement_rows(&self.view, &id.log, id.position, id.position + 1)?.pop());
        }
        let damaged = || damaged_index(&format!("the row of {key:?}"));
        self.view.get(&key.to_bytes())?.map(|value| Row::from_bytes(&value).ok_or_else(damaged)).transpose()
    }

    /// The frame that a row points to, after all checks.
    fn frame(&self, key: &Key, row: Row) -> Result<Frame, StoreError> {
        let writer = &self.writers[Family::of(key) as usize];
        let (bytes, context) = writer.read(row)?;
        checked(&writer.segments, key, row, (&bytes, context))
    }

    /// The frame that a row points to. In a node's store one that is damaged is noted, and is as good as absent.
    pub(crate) fn whole(&self, key: &Key, row: Row) -> Result<Option<Frame>, StoreError> {
        // Read once more before it is called damaged: a bit may flip on its way here alone.
        match self.frame(key, row).or_else(|_| self.frame(key, row)) {
            Ok(frame) => Ok(Some(frame)),
            Err(StoreError::Damaged { what })
                if self.access != Mode::ReadOnly && self.damages().len() < DAMAGED_MAX =>
            {
                self.damages().insert(*key, what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Frames that were found damaged and not replaced since, and where they lie.
    #[must_use]
    pub fn damage(&self) -> Vec<(Key, String)> {
        self.damages().iter().map(|(key, what)| (*key, what.clone())).collect()
    }

    pub(crate) fn damages(&self) -> MutexGuard<'_, BTreeMap<Key, String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `count` stored hashes of a level that is a multiple of [`STEP`].
    fn hashes(&self, log: &LogId, level: u32, from: u64, count: u64) -> Result<Vec<Digest>, StoreError> {
        hashes(&self.view, log, level, from, from + count)
    }
}

impl Store for DiskStore {
    fn damaged(&self) -> Vec<Key> {
        self.damages().keys().copied().collect()
    }

    fn replace(&mut self, frame: Frame) -> Result<(), StoreError> {
        let Key::Statement(id) = frame.key else { return self.stage(frame) };
        self.check_writable("replacing a frame")?;
        let leaf = merkle::leaf_hash(&frame.bytes);
        if self.row(&frame.key)?.and_then(|row| row.leaf) != Some(leaf) {
            return Err(StoreError::Missing { what: format!("the leaf of {id}") });
        }
        let row = self.writers[Family::Statements as usize].push(&frame)?;
        self.view.replace(id, Row { leaf: Some(leaf), ..row })?;
        self.damages().remove(&frame.key);
        Ok(())
    }

    fn stage(&mut self, frame: Frame) -> Result<(), StoreError> {
        self.check_writable("staging a frame")?;
        self.damages().remove(&frame.key);
        if let Key::Erased(id) = frame.key {
            for key in self.view.forget_body(id)? {
                self.damages().remove(&key);
            }
            self.view.put(index::STALE.to_vec(), Some(Vec::new()))?;
            self.writers[Family::Bodies as usize].roll_on()?;
            self.erasing.insert(id);
        }
        if let Key::Statement(id) = frame.key {
            assert_eq!(id.position, self.size(&id.log), "statements are appended in order");
        }
        let row = self.writers[Family::of(&frame.key) as usize].push(&frame)?;
        admit(&mut self.view, &mut self.logs, &frame.key, row, &frame.bytes)
    }

    fn get(&self, key: &Key) -> Result<Option<Frame>, StoreError> {
        match self.row(key)? {
            Some(row) => self.whole(key, row),
            None => Ok(None),
        }
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.row(key)?.is_some())
    }

    fn keys(&self, kind: KeyKind) -> Result<Vec<Key>, StoreError> {
        self.check()?;
        if kind == KeyKind::Statement {
            let positions = |(log, edge): (&LogId, &Edge)| {
                let log = *log;
                (0..edge.size()).map(move |position| Key::Statement(RecordId::new(log, position)))
            };
            return Ok(self.logs.iter().flat_map(positions).collect());
        }
        let rows = self.view.range(&[kind as u8], &[kind as u8 + 1], usize::MAX)?;
        rows.iter()
            .map(|(key, _)| Key::from_bytes(key).ok_or_else(|| damaged_index("a row has no frame's key")))
            .collect()
    }

    fn size(&self, log: &LogId) -> u64 {
        self.logs.get(log).map_or(0, Edge::size)
    }

    fn logs(&self) -> Vec<LogId> {
        self.logs.keys().copied().collect()
    }

    fn statements(&self, log: &LogId, from: u64, count: usize, bytes: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.check()?;
        let end = from.saturating_add(u64::try_from(count).unwrap_or(u64::MAX)).min(self.size(log));
        let mut statements = Vec::new();
        let mut taken = 0;
        // The index is asked for a few hundred rows at a time: how many fit is known only after reading them.
        for start in (from..end).step_by(PIECE) {
            let stop = end.min(start + PIECE as u64);
            let rows = statement_rows(&self.view, log, start, stop)?;
            for (position, row) in (start..stop).zip(rows) {
                let Some(frame) = self.whole(&Key::Statement(RecordId::new(*log, position)), row)? else {
                    return Ok(statements);
                };
                taken += frame.bytes.len();
                if !statements.is_empty() && taken > bytes {
                    return Ok(statements);
                }
                statements.push(frame.bytes);
            }
        }
        Ok(statements)
    }

    fn node(&self, log: &LogId, level: u32, index: u64) -> Result<Digest, StoreError> {
        self.check()?;
        let span = 1_u64.checked_shl(level).filter(|span| {
            index.checked_add(1).and_then(|next| next.checked_mul(*span)).is_some_and(|end| end <= self.size(log))
        });
        if span.is_none() {
            return Err(StoreError::Missing { what: format!("node {index} at level {level} of log {log}") });
        }
        let above = level % STEP;
        let hashes = self.hashes(log, level - above, index << above, 1 << above)?;
        Ok(merkle::complete_root(&hashes))
    }

    fn mark(&mut self, mark: Mark, value: Option<&[u8]>) -> Result<(), StoreError> {
        self.check_writable("setting a mark")?;
        self.view.put(index::mark_key(&mark), value.map(<[u8]>::to_vec))
    }

    fn marked(&self, mark: &Mark) -> Result<Option<Vec<u8>>, StoreError> {
        self.check()?;
        self.view.get(&index::mark_key(mark))
    }

    fn marks(&self, kind: MarkKind, after: Option<&Mark>, count: usize) -> Result<Vec<(Mark, Vec<u8>)>, StoreError> {
        self.check()?;
        let (mut from, to) = index::mark_range(kind);
        if let Some(after) = after {
            // The least key above that of `after`.
            let mut next = index::mark_key(after);
            next.push(0);
            from = from.max(next);
        }
        let rows = self.view.range(&from, &to, count)?;
        rows.into_iter()
            .map(|(key, value)| {
                Ok((index::mark_of(&key).ok_or_else(|| damaged_index("a row has no mark's key"))?, value))
            })
            .collect()
    }
}

/// Damaged frames that a node goes on with. More than so many, and it is the disk that fails: the node stops.
const DAMAGED_MAX: usize = 10_000;
/// Rows asked of the index at once: whole pages if `from` begins one.
const PIECE: usize = 4 * PAGE as usize;

/// The frame in the bytes that a row points to, after all checks.
pub(super) fn checked(
    segments: &Segments,
    key: &Key,
    row: Row,
    (bytes, context): (&[u8], Context),
) -> Result<Frame, StoreError> {
    let parsed: Parsed<'_> =
        frame::read(bytes, context, row.place.offset).map_err(|what| segments.damaged(row.place, what))?;
    if parsed.erased {
        return Err(segments.damaged(row.place, "it was erased"));
    }
    if parsed.key != *key || parsed.length != row.length {
        return Err(segments.damaged(row.place, "another frame than the index says"));
    }
    // The checksum is of the bytes that were to be written; the leaf is of those that were proved.
    if row.leaf.is_some_and(|leaf| leaf != merkle::leaf_hash(parsed.content)) {
        return Err(segments.damaged(row.place, "another statement than the tree has"));
    }
    Ok(Frame { key: parsed.key, at: parsed.at, bytes: parsed.content.to_vec() })
}

/// Tells the view of a frame that is new, and of the Merkle nodes that are complete with it.
pub(crate) fn admit(
    view: &mut View,
    logs: &mut BTreeMap<LogId, Edge>,
    key: &Key,
    row: Row,
    content: &[u8],
) -> Result<(), StoreError> {
    let Key::Statement(id) = key else { return view.put(key.to_bytes(), Some(row.to_bytes())) };
    append(view, logs, *id, Row { leaf: Some(merkle::leaf_hash(content)), ..row })
}

/// Tells the view of the next statement of a log; its row has the leaf hash.
pub(crate) fn append(
    view: &mut View,
    logs: &mut BTreeMap<LogId, Edge>,
    id: RecordId,
    row: Row,
) -> Result<(), StoreError> {
    let leaf = row.leaf.ok_or_else(|| damaged_index("a statement's row has no leaf hash"))?;
    view.append(id, row)?;
    logs.entry(id.log).or_default().push(leaf, |level, index, hash| {
        view.put_new(index::node_key(id.log, level, index), hash.0.to_vec());
    });
    Ok(())
}

/// The rows of the statements `from .. to`, all of which are held.
fn statement_rows(view: &View, log: &LogId, from: u64, to: u64) -> Result<Vec<Row>, StoreError> {
    let start = from - from % PAGE;
    let mut rows = Vec::new();
    for first in (start..to).step_by(PAGE as usize) {
        let page = view.get(&index::page_key(RecordId::new(*log, first)))?;
        rows.extend(page.and_then(|page| index::page_rows(&page)).unwrap_or_default());
    }
    let within = |position: u64| usize::try_from(position - start).ok();
    let wanted = within(from).zip(within(to)).and_then(|(from, to)| rows.get(from..to));
    wanted.map(<[Row]>::to_vec).ok_or_else(|| damaged_index("a statement has no row"))
}

/// The stored hashes `from .. to` of a level that is a multiple of [`STEP`].
pub(crate) fn hashes(view: &View, log: &LogId, level: u32, from: u64, to: u64) -> Result<Vec<Digest>, StoreError> {
    if level == 0 {
        return Ok(statement_rows(view, log, from, to)?.into_iter().filter_map(|row| row.leaf).collect());
    }
    let (first, end) = (index::node_key(*log, level, from), index::node_key(*log, level, to));
    let rows = view.range(&first, &end, usize::MAX)?;
    let hashes: Option<Vec<Digest>> = rows.into_iter().map(|(_, value)| Some(Digest(value.try_into().ok()?))).collect();
    hashes.filter(|hashes| hashes.len() as u64 == to - from).ok_or_else(|| damaged_index("a Merkle node has no row"))
}

pub(crate) fn damaged_index(what: &str) -> StoreError {
    StoreError::Damaged { what: format!("the index: {what}") }
}
