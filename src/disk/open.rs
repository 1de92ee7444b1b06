//! Opening: lock, check the index, replay what it has not seen, or rebuild it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::edge::Edge;
use super::erase;
use super::files::{Access, Doing as _, FileSystem};
use super::flush::Writer;
use super::frame::{self, Context, Found, Parsed, Place};
use super::index::{self, Index, MapIndex, Row, STATE, Seen, State, View};
use super::segment::{Family, HEADER, Header, Segments};
use super::sled_index::SledIndex;
use super::store::{DiskStore, Mode, admit, append, damaged_index, hashes};
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::merkle;
use crate::ledger::{Key, KeyKind, StoreError};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the data directory {dir} is in use by another process")]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// There is no store to read.
    #[error("there is no ledger in {dir}")]
    Absent {
        /// The data directory.
        dir: PathBuf,
    },
    /// Another version of the program wrote it.
    #[error("{file} has format version {found}, which this program does not know")]
    OtherVersion {
        /// The segment, relative to the data directory.
        file: String,
        /// Its format version.
        found: u16,
    },
    /// A newer version of the program wrote it.
    #[error("{dir} was written by {program} in format {found}; this is shieldwall {own}, which knows format {known}", own = env!("CARGO_PKG_VERSION"))]
    Newer {
        /// The data directory.
        dir: PathBuf,
        /// Its format.
        found: u16,
        /// The newest format that this program knows.
        known: u16,
        /// What wrote it.
        program: String,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What opening found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Ends that a crash tore: they were never acknowledged, and were cut off.
    pub cut: Vec<Cut>,
    /// What was lost of that which had been on the disk. Nothing of it was changed.
    pub damage: Vec<Damage>,
    /// Why the index was rebuilt, if it was. Then there are no marks.
    pub rebuilt: Option<String>,
    /// Frames that were read because the index had not seen them.
    pub replayed: u64,
    /// Frames of erased bodies that were still there, because a crash came between the note and its end, and that were overwritten now.
    /// Where nothing is written: bodies of which frames are still there.
    pub erased: u64,
}

/// A torn end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment, relative to the data directory.
    pub file: String,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, relative to the data directory.
    pub file: String,
    /// Where in it.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}: {}", self.file, self.offset, self.what)
    }
}

/// Which index to use.
#[derive(Clone, Debug)]
pub(crate) enum IndexKind {
    Sled(PathBuf),
    Memory,
    #[cfg(any(test, feature = "simulate"))]
    Fault(super::fault::FaultIndex),
}

/// Changes that a rebuild gathers before the index is told.
const GROUP: usize = 8192;

/// Takes the lock of a data directory for a node.
pub(crate) fn lock(dir: &Path) -> Result<fs::File, OpenError> {
    let path = dir.join("LOCK");
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path).doing("opening", &path)?;
    taken(file.try_lock(), file, dir, &path)
}

/// Takes the lock for reading, beside others that only read.
pub(crate) fn lock_shared(dir: &Path) -> Result<fs::File, OpenError> {
    let path = dir.join("LOCK");
    let file = match fs::File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::Absent { dir: dir.to_owned() });
        }
        opened => opened.doing("opening", &path)?,
    };
    taken(file.try_lock_shared(), file, dir, &path)
}

/// Whether another process has the data directory for writing.
#[must_use]
pub fn is_locked(dir: &Path) -> bool {
    matches!(lock_shared(dir), Err(OpenError::Locked { .. }))
}

/// Opens the store, with the lock held.
pub(crate) fn open(
    fs: Arc<dyn FileSystem>,
    dir: &Path,
    mode: Mode,
    kind: IndexKind,
    roll: u32,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(DiskStore, Report), OpenError> {
    let access = if mode == Mode::ReadOnly { Access::Read } else { Access::Write };
    let segments = Family::ALL.map(|family| Arc::new(Segments::new(Arc::clone(&fs), dir, family, access)));
    let mut report = Report::default();
    if access == Access::Write {
        let folder = dir.join("segments");
        fs.create_dir(&folder).doing("creating", &folder)?;
        fs.sync_dir(&folder).doing("syncing", &folder)?;
        fs.sync_dir(dir).doing("syncing", dir)?;
    }
    let numbers = [present(&segments[0], access, &mut report)?, present(&segments[1], access, &mut report)?];

    let checked = open_checked(&kind, &segments);
    let (index, state, logs) = match checked.outcome {
        Ok(loaded) => loaded,
        Err(reason) => {
            if numbers.iter().any(|numbers| !numbers.is_empty()) && !matches!(kind, IndexKind::Memory) {
                report.rebuilt = Some(reason);
            }
            (fresh(&kind)?, State::default(), BTreeMap::new())
        }
    };
    let mut replay = Replay {
        access,
        view: View::new(index, state.sum),
        logs,
        seen: state.seen,
        known: checked.known,
        strays: BTreeMap::new(),
        knows_erased: false,
        erasing: BTreeSet::new(),
        report,
        total: 0,
        done: 0,
        progress,
    };
    let writers = replay.run(&segments, &numbers, roll)?;
    let Replay { view, logs, report, .. } = replay;
    let store = DiskStore {
        fs,
        dir: dir.to_owned(),
        access: mode,
        writers,
        view,
        logs,
        flushing: false,
        failed: None,
        lock: None,
        damaged: Default::default(),
        scrub: Default::default(),
        erasing: BTreeSet::new(),
    };
    Ok((store, report))
}

/// The numbers of a family's segments. Removes the last if a crash left it without a header, and so without a frame.
pub(super) fn present(segments: &Segments, access: Access, report: &mut Report) -> Result<Vec<u32>, OpenError> {
    let mut numbers = segments.numbers()?;
    if let Some(last) = numbers.last().copied() {
        let (length, header) = segments.inspect(last)?;
        if header == Header::Damaged && length <= u64::from(HEADER) {
            if access == Access::Write {
                segments.remove(last)?;
            }
            report.cut.push(Cut { file: segments.name(last), offset: 0, bytes: length });
            numbers.pop();
        }
    }
    for number in 1..=numbers.last().copied().unwrap_or(0) {
        if numbers.binary_search(&number).is_err() {
            report.damage.push(damage(segments, number, 0, "the segment is missing"));
        }
    }
    Ok(numbers)
}

pub(super) type Loaded = (Arc<dyn Index>, State, BTreeMap<LogId, Edge>);

/// What came of the index that was found.
struct Checked {
    outcome: Result<Loaded, String>,
    /// How far it had seen, if its rows are to be believed: all before that was on the disk.
    known: [Place; 2],
}

/// The index that is there, if its rows are to be believed.
pub(super) fn found(kind: &IndexKind) -> Option<Result<Loaded, StoreError>> {
    match kind {
        IndexKind::Sled(path) if path.exists() => Some(SledIndex::open(path).and_then(|index| load(Arc::new(index)))),
        #[cfg(any(test, feature = "simulate"))]
        IndexKind::Fault(index) if !index.is_empty() => Some(load(Arc::new(index.clone()))),
        _ => None,
    }
}

fn open_checked(kind: &IndexKind, segments: &[Arc<Segments>; 2]) -> Checked {
    let Some(loaded) = found(kind) else {
        return Checked { outcome: Err("there is none".to_owned()), known: Default::default() };
    };
    match loaded {
        Err(error) => Checked { outcome: Err(error.to_string()), known: Default::default() },
        Ok(loaded) => {
            let seen = loaded.1.seen;
            let known = seen.map(|seen| seen.next);
            let differs = segments.iter().zip(seen).find_map(|(segments, seen)| differs(segments, seen));
            Checked { outcome: differs.map_or(Ok(loaded), Err), known }
        }
    }
}

/// Reads the whole index: every row must have a form that this program writes, statements must be without a gap, and the sum
/// of all must be the one that the last batch left.
fn load(index: Arc<dyn Index>) -> Result<Loaded, StoreError> {
    let state = index.get(&STATE)?.ok_or_else(|| damaged_index("it has no state"))?;
    let state = State::from_bytes(&state).ok_or_else(|| damaged_index("its state is of another form"))?;
    let mut sum = 0_u64;
    let mut sizes: BTreeMap<LogId, u64> = BTreeMap::new();
    for row in index.range(&[STATE[0] + 1], &[u8::MAX]) {
        let (key, value) = row?;
        if !index::is_well_formed(&key, &value) {
            return Err(damaged_index("a row is of another form"));
        }
        if let Some(Key::Statement(id)) = Key::from_bytes(&key) {
            let size = sizes.entry(id.log).or_default();
            if id.position != *size {
                return Err(damaged_index("a statement has no row"));
            }
            *size += index::page_rows(&value).map_or(0, |rows| rows.len() as u64);
        }
        sum = sum.wrapping_add(index::sum_of(&key, &value));
    }
    if sum != state.sum {
        return Err(damaged_index("its sum is wrong"));
    }
    let view = View::new(Arc::clone(&index), sum);
    let edge = |log, size| Edge::load(size, |level, from, to| hashes(&view, log, level, from, to));
    let logs = sizes.iter().map(|(log, size)| Ok((*log, edge(log, *size)?))).collect::<Result<_, StoreError>>()?;
    Ok((index, state, logs))
}

/// What the index has seen and the segments do not have.
pub(super) fn differs(segments: &Segments, seen: Seen) -> Option<String> {
    let Seen { next, last, checksum } = seen;
    if next.segment == 0 {
        return None;
    }
    let name = segments.name(next.segment);
    match segments.inspect(next.segment) {
        Ok((length, Header::Good { .. })) if length >= u64::from(next.offset) => {}
        _ => return Some(format!("it has seen more of {name} than there is")),
    }
    let read = || {
        let place = Place { offset: last, ..next };
        let (bytes, context) = segments.read(place, next.offset.checked_sub(last)?).ok()?;
        Some(frame::read(&bytes, context, last).ok()?.checksum)
    };
    (last != 0 && read() != Some(checksum)).then(|| format!("it has seen another end of {name} than there is"))
}

fn fresh(kind: &IndexKind) -> Result<Arc<dyn Index>, StoreError> {
    match kind {
        IndexKind::Memory => Ok(Arc::new(MapIndex::default())),
        #[cfg(any(test, feature = "simulate"))]
        IndexKind::Fault(index) => {
            index.clear();
            Ok(Arc::new(index.clone()))
        }
        IndexKind::Sled(path) => {
            match fs::remove_dir_all(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                    fs::remove_file(path).doing("removing", path)?;
                }
                removed => removed.doing("removing", path)?,
            }
            Ok(Arc::new(SledIndex::open(path)?))
        }
    }
}

/// Reading what the index has not seen.
struct Replay<'a> {
    access: Access,
    view: View,
    logs: BTreeMap<LogId, Edge>,
    seen: [Seen; 2],
    known: [Place; 2],
    /// Statements that others before them are missing for; these may come later in the segments, where they were put back.
    strays: BTreeMap<LogId, BTreeMap<u64, Row>>,
    /// Whether any body was ever erased here.
    knows_erased: bool,
    /// Erased bodies of which something is still there.
    erasing: BTreeSet<RecordId>,
    report: Report,
    total: u64,
    done: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Replay<'_> {
    fn run(
        &mut self,
        segments: &[Arc<Segments>; 2],
        numbers: &[Vec<u32>; 2],
        roll: u32,
    ) -> Result<[Writer; 2], OpenError> {
        for (segments, (numbers, seen)) in segments.iter().zip(numbers.iter().zip(self.seen)) {
            for number in numbers.iter().filter(|number| **number >= seen.next.segment) {
                self.total += segments.inspect(*number)?.0 - start_in(*number, seen);
            }
        }
        let (first, end) = ([KeyKind::Erased as u8], [KeyKind::Erased as u8 + 1]);
        self.knows_erased = !self.view.range(&first, &end, 1)?.is_empty();
        let statements = self.family(0, &segments[0], &numbers[0])?;
        let mut bodies = self.family(1, &segments[1], &numbers[1])?;
        self.group(1)?;
        self.report.erased = self.erasing.len() as u64;
        self.erasing.extend(index::erasing(&self.view)?);
        if self.access == Access::Write && !self.erasing.is_empty() {
            bodies = self.erase(&segments[1], bodies)?;
        }
        for (log, waiting) in std::mem::take(&mut self.strays) {
            let size = self.logs.get(&log).map_or(0, Edge::size);
            if let Some((highest, _)) = waiting.range(size..).next_back() {
                let what = format!("statement {size} of log {log} is missing; those held up to {highest} wait for it");
                self.report.damage.push(Damage { file: "segments".to_owned(), offset: 0, what });
            }
        }
        let writer = |at: usize, current| Writer::new(Arc::clone(&segments[at]), roll, current, self.seen[at]);
        Ok([writer(0, statements), writer(1, bodies)])
    }

    /// Completes what a crash has interrupted; gives the segment that may be written on.
    fn erase(&mut self, segments: &Segments, bodies: Option<Context>) -> Result<Option<Context>, OpenError> {
        let Place { segment, offset } = self.seen[1].next;
        let mut current = bodies;
        if segment > 0 && offset > HEADER {
            let next = segments.create(segment + 1, segments.salt()?)?;
            self.seen[1] = Seen { next: Place { segment: segment + 1, offset: HEADER }, ..Seen::default() };
            current = Some(next.context);
        }
        let confirms = |key: &Key, place| Ok(erase::is_at(self.view.get(&key.to_bytes())?, place));
        self.report.erased = erase::blank(segments, &self.erasing, &confirms)?;
        for id in std::mem::take(&mut self.erasing) {
            self.view.put(index::erasing_key(id), None)?;
        }
        self.group(1)?;
        Ok(current)
    }

    /// Whether a body was erased.
    fn is_erased(&self, id: &RecordId) -> Result<bool, StoreError> {
        Ok(self.knows_erased && self.view.get(&Key::Erased(*id).to_bytes())?.is_some())
    }

    /// Replays one family; gives the segment that may be written on.
    fn family(&mut self, at: usize, segments: &Segments, numbers: &[u32]) -> Result<Option<Context>, OpenError> {
        let before = self.seen[at];
        let mut current = None;
        for number in numbers.iter().copied().filter(|number| *number >= before.next.segment) {
            let is_last = numbers.last() == Some(&number);
            current = None;
            match segments.inspect(number)?.1 {
                Header::Good { .. } => {}
                Header::OtherVersion(found) => {
                    return Err(OpenError::OtherVersion { file: segments.name(number), found });
                }
                Header::Damaged => {
                    self.report.damage.push(damage(segments, number, 0, "the header and its copy are damaged"));
                    self.seen[at] = Seen { next: Place { segment: number, offset: HEADER }, ..Seen::default() };
                    continue;
                }
            }
            current = Some(self.segment(at, segments, number, is_last)?);
        }
        let (known, held) = (self.known[at], self.seen[at].next);
        if known > held {
            let what = format!("all up to byte {} of {} was there", known.offset, segments.name(known.segment));
            self.report.damage.push(damage(segments, held.segment.max(1), held.offset, &what));
        }
        Ok(current)
    }

    fn segment(&mut self, at: usize, segments: &Segments, number: u32, is_last: bool) -> Result<Context, OpenError> {
        let start = u32::try_from(start_in(number, self.seen[at])).expect("an offset is a u32");
        let segment = segments.get(number)?;
        let (bytes, context) = stretch(segments, number, start)?;
        let length = start + u32::try_from(bytes.len()).expect("a segment is shorter than 4 GiB");
        let mut found = frame::scan(&bytes, context, start);
        let mut end = length;
        if is_last && let Some(cut) = torn(&found, self.known[at], number) {
            if self.access == Access::Write {
                segment.file.truncate(u64::from(cut)).doing("cutting", &segment.path)?;
                segment.file.sync().doing("syncing", &segment.path)?;
            }
            self.report.cut.push(Cut { file: segments.name(number), offset: cut.into(), bytes: (end - cut).into() });
            found.holes.retain(|hole| hole.start < cut);
            found.frames.retain(|frame| frame.offset < cut);
            end = cut;
        }
        if is_last && self.access == Access::Write {
            let group = found.frames.last().map_or(start, |last| last.group.max(start));
            segments.write_again(&segment, group, &bytes[(group - start) as usize..(end - start) as usize])?;
        }
        for hole in &found.holes {
            let stretch = &bytes[(hole.start - start) as usize..(hole.end - start) as usize];
            let pieces = frame::pieces(stretch, context, hole.start);
            let erased = pieces.iter().filter_map(|(_, key)| key.and_then(|key| key.body_of()));
            let mut half = BTreeSet::new();
            let mut others = pieces.len();
            for id in erased {
                if self.is_erased(&id)? {
                    half.insert(id);
                    others -= 1;
                }
            }
            self.erasing.extend(half);
            if others == 0 {
                continue;
            }
            let what = format!("{} bytes are no whole frame", hole.end - hole.start);
            self.report.damage.push(damage(segments, number, hole.start, &what));
        }
        if number != self.seen[at].next.segment {
            self.seen[at] = Seen { next: Place { segment: number, offset: HEADER }, ..Seen::default() };
        }
        for frame in &found.frames {
            self.admit(segments, number, frame)?;
            let next = Place { segment: number, offset: frame.offset + frame.length };
            self.seen[at] = Seen { next, last: frame.offset, checksum: frame.checksum };
            self.group(GROUP)?;
            (self.progress)(self.done + u64::from(next.offset - start), self.total);
        }
        // A damaged end stays where it is; what comes next lies behind it.
        self.seen[at].next.offset = end;
        self.done += u64::from(length - start);
        (self.progress)(self.done, self.total);
        Ok(context)
    }

    fn admit(&mut self, segments: &Segments, number: u32, frame: &Parsed<'_>) -> Result<(), StoreError> {
        self.report.replayed += 1;
        if frame.erased {
            // What lies under the same key before it is gone as well, or goes.
            return self.view.put(frame.key.to_bytes(), None);
        }
        if let Key::Erased(id) = frame.key {
            self.knows_erased = true;
            self.view.forget_body(id)?;
            self.view.put(index::erasing_key(id), Some(Vec::new()))?;
            self.view.put(index::STALE.to_vec(), Some(Vec::new()))?;
        }
        if let Some(id) = frame.key.body_of()
            && self.is_erased(&id)?
        {
            self.erasing.insert(id);
            return Ok(());
        }
        let row = Row { place: Place { segment: number, offset: frame.offset }, length: frame.length, leaf: None };
        if let Key::Statement(id) = frame.key {
            let size = self.logs.get(&id.log).map_or(0, Edge::size);
            if id.position > size {
                let row = Row { leaf: Some(merkle::leaf_hash(frame.content)), ..row };
                self.strays.entry(id.log).or_default().entry(id.position).or_insert(row);
                return Ok(());
            }
            if id.position < size {
                // Fetched again after damage; or, if it differs, a fault of this program.
                let held = hashes(&self.view, &id.log, 0, id.position, id.position + 1)?;
                if held != [merkle::leaf_hash(frame.content)] {
                    let what = format!("another statement {id} than the first");
                    self.report.damage.push(damage(segments, number, frame.offset, &what));
                }
                return Ok(());
            }
        }
        admit(&mut self.view, &mut self.logs, &frame.key, row, frame.content)?;
        if let Key::Statement(id) = frame.key {
            self.follow(id.log)?;
        }
        Ok(())
    }

    /// Admits the statements that waited for the one that was admitted last.
    fn follow(&mut self, log: LogId) -> Result<(), StoreError> {
        while let Some(waiting) = self.strays.get_mut(&log) {
            let size = self.logs.get(&log).map_or(0, Edge::size);
            let Some(row) = waiting.remove(&size) else { break };
            append(&mut self.view, &mut self.logs, RecordId::new(log, size), row)?;
        }
        Ok(())
    }

    /// Tells the index, once there are so many changes.
    fn group(&mut self, size: usize) -> Result<(), StoreError> {
        if self.view.staged() >= size {
            let changes = self.view.begin(self.seen);
            self.view.index.apply(&changes)?;
            self.view.finish();
        }
        Ok(())
    }
}

/// The bytes of a segment from `start` on.
pub(super) fn stretch(segments: &Segments, number: u32, start: u32) -> Result<(Vec<u8>, Context), StoreError> {
    let segment = segments.get(number)?;
    let length = segment.file.length().doing("reading", &segment.path)?;
    let too_long = || segments.damaged(Place { segment: number, offset: 0 }, "longer than 4 GiB");
    let length = u32::try_from(length).map_err(|_| too_long())?;
    let read = || segments.read(Place { segment: number, offset: start }, length - start);
    let (bytes, context) = read()?;
    if frame::scan(&bytes, context, start).holes.is_empty() {
        return Ok((bytes, context));
    }
    // A bit may have flipped on its way here alone: nothing is cut or called damaged for that.
    read()
}

/// Where to cut the last segment of a family: at the first hole that no later group vouches for. All before `known` was on
/// the disk.
pub(super) fn torn(found: &Found<'_>, known: Place, segment: u32) -> Option<u32> {
    let vouched = found.frames.last().map_or(0, |frame| frame.group);
    let is_torn = |offset: &u32| *offset >= vouched && Place { segment, offset: *offset } >= known;
    found.holes.iter().map(|hole| hole.start).find(is_torn)
}

fn start_in(segment: u32, seen: Seen) -> u64 {
    u64::from(if segment == seen.next.segment { seen.next.offset } else { HEADER })
}

fn damage(segments: &Segments, number: u32, offset: u32, what: &str) -> Damage {
    Damage { file: segments.name(number), offset: offset.into(), what: what.to_owned() }
}

fn taken(result: Result<(), TryLockError>, file: fs::File, dir: &Path, path: &Path) -> Result<fs::File, OpenError> {
    match result {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Ok(Err(error).doing("locking", path)?),
    }
}
