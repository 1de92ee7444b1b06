//! The disk of a simulated machine as it is in production: this store and this guard, over files that fail on request.
//!
//! It stands where the simulator's medium in memory does ([`Medium`]), so that the same seeds run over real segments: what a loss of
//! power leaves are sectors, what rots are bytes of frames, and what a start finds is what the files say.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::{DIR, Fault, FaultFs, Kind, Op};
use super::flush::FlushJob;
use super::guard::{self, Guard};
use super::index::Row;
use super::scrub;
use super::segment::Family;
use super::store::DiskStore;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::random::Randomness;
use crate::ledger::{Key, KeyKind, StoreError};
use crate::simulate::medium::{self, Harm, Medium};

/// Segments end here: a simulated month fills several of them.
const ROLL: u32 = 16 * 1024;
/// Bytes that the scrub reads at once.
const SCRUB: usize = 1 << 20;
/// Operations among which one is chosen for a crash in the middle of a flush; a group of both families has six.
const FLUSH_OPERATIONS: usize = 6;

/// A disk with the files of a node. A clone is a copy of it.
#[derive(Debug)]
pub struct Disk {
    fs: FaultFs,
    /// The flush under way: what is done of it when the process dies is decided then.
    job: Option<FlushJob>,
    guard: Option<Guard>,
    /// How the next flushes fail.
    faults: VecDeque<Fault>,
    /// The last start has named damage.
    damaged: bool,
}

impl Clone for Disk {
    fn clone(&self) -> Self {
        Self { fs: self.fs.fork(), job: None, guard: None, faults: self.faults.clone(), damaged: self.damaged }
    }
}

impl Medium for Disk {
    type Store = DiskStore;

    fn new(seed: u64) -> Self {
        Self { fs: FaultFs::new(seed), job: None, guard: None, faults: VecDeque::new(), damaged: false }
    }

    /// Opens the store and reads all of it once, as the scrub does in the course of a day.
    fn open(&mut self) -> Result<DiskStore, StoreError> {
        let opened = self.fs.open_store_rolling(0, ROLL);
        let (mut store, report) =
            opened.map_err(|error| StoreError::Io { doing: "opening".to_owned(), source: io::Error::other(error) })?;
        self.damaged = !report.damage.is_empty();
        while !store.scrub(SCRUB)? {}
        Ok(store)
    }

    fn has_named_losses(&self) -> bool {
        self.damaged
    }

    fn begin_flush(&mut self, store: &mut DiskStore) -> Result<(), StoreError> {
        self.job = store.begin_flush();
        Ok(())
    }

    fn finish_flush(&mut self, store: &mut DiskStore) -> Result<(), StoreError> {
        let Some(job) = self.job.take() else { return Ok(()) };
        if let Some(fault) = self.faults.pop_front() {
            self.fs.arm(fault);
        }
        let flushed = job.run();
        self.fs.disarm();
        store.finish_flush(flushed)
    }

    /// A flush under way is done in part: up to one of its operations.
    fn end(&mut self, store: DiskStore, power: Option<&mut Randomness>) {
        if let Some(job) = self.job.take() {
            let after = self.fs.operations() % FLUSH_OPERATIONS;
            self.fs.arm(Fault::at(after, Kind::CrashAfter));
            // It ends in an error, which nobody is there to be told.
            drop(job.run());
        }
        drop(store);
        self.guard = None;
        match power {
            Some(random) => {
                let share = random.below(4);
                self.fs.lose_power(|_| random.below(3) < share);
            }
            None => self.fs.restart(),
        }
        self.fs.disarm();
    }

    fn guard(&mut self, log: LogId, frames: &[(u64, Digest)]) -> Result<(), String> {
        let guard = match &mut self.guard {
            Some(guard) => guard,
            none => none.insert(self.fs.open_guard(log).map_err(|refusal| refusal.to_string())?),
        };
        guard.check_and_record(frames).map_err(|refusal| refusal.to_string())
    }

    fn rewind_guard(&mut self, log: LogId, position: u64) {
        let path = guard::path(DIR.as_ref(), log);
        let mut content = self.fs.content(&path);
        content.truncate(usize::try_from(guard::offset(position)).unwrap_or(usize::MAX));
        if !content.is_empty() {
            self.fs.set_content(&path, &content);
        }
    }

    fn restore(&mut self, backup: &Self) {
        let folder = Path::new(DIR).join("guard");
        let is_guard = |path: &PathBuf| path.parent() == Some(&folder);
        let disk = backup.fs.fork();
        disk.paths().iter().filter(|path| is_guard(path)).for_each(|path| disk.delete(path));
        for path in self.fs.paths().iter().filter(|path| is_guard(path)) {
            disk.set_content(path, &self.fs.content(path));
        }
        self.fs = disk;
    }

    fn mend(&mut self) {
        self.faults.clear();
        self.fs.disarm();
    }

    fn hurt(&mut self, harm: Harm, random: &mut Randomness) {
        match harm {
            Harm::Full(times) => self.faults.extend((0..times).map(|_| Fault::on(Op::Write, 0, Kind::NoSpace))),
            Harm::FailedSync => self.faults.push_back(Fault::on(Op::Sync, random.below(2) as usize, Kind::Error)),
            Harm::LostIndex => self.fs.drop_index(),
            Harm::LostDisk => *self = Self::new(u64::from(random.below(u32::MAX))),
            Harm::Rot => self.spoil(random, |bytes, at, _| bytes[at] ^= 1 << (at % 8)),
            // A sector of something else lies where a piece of the frame was.
            Harm::Misdirected => self.spoil(random, |bytes, at, length| {
                let end = bytes.len().min(at + length);
                bytes[at..end].iter_mut().rev().zip((0..=u8::MAX).cycle()).for_each(|(byte, other)| *byte = other);
            }),
            // No checksum fails to show what these do: they are for the medium in memory.
            Harm::UnseenRot | Harm::UnseenHole | Harm::UnseenCut => {}
        }
    }

    fn lost(&self) -> Vec<(RecordId, Digest)> {
        self.clone().open().map_or_else(|_| Vec::new(), |store| medium::lost_in(&store))
    }

    fn holds(&self, id: RecordId, leaf: &Digest) -> bool {
        self.clone().open().is_ok_and(|store| medium::is_in(&store, id, leaf))
    }
}

impl Disk {
    /// Does something to the bytes of one frame, at an offset in the file and over the rest of the frame's length.
    fn spoil(&mut self, random: &mut Randomness, harm: impl FnOnce(&mut [u8], usize, usize)) {
        let chosen = self.frames_of_others();
        let Some((path, row)) = chosen.get(random.below(u32::try_from(chosen.len()).unwrap_or(u32::MAX)) as usize)
        else {
            return;
        };
        let within = random.below(row.length);
        let mut bytes = self.fs.content(path);
        harm(&mut bytes, (row.place.offset + within) as usize, (row.length - within) as usize);
        self.fs.set_content(path, &bytes);
    }

    /// The files and places of frames that somebody else has too: of one's own log a statement may be the only copy, and what nobody
    /// holds, nobody can heal.
    fn frames_of_others(&self) -> Vec<(PathBuf, Row)> {
        let guards = self.fs.paths().into_iter().filter(|path| path.extension().is_some_and(|end| end == "guard"));
        let own: Vec<LogId> = guards.filter_map(|path| path.file_stem()?.to_str()?.parse().ok()).collect();
        // A copy is opened, so that nothing here changes.
        let Ok((store, _)) = self.fs.fork().open_store_rolling(0, ROLL) else { return Vec::new() };
        let rows = store.view.range(&[KeyKind::Published as u8], &[KeyKind::END], usize::MAX);
        let frames = rows.into_iter().flatten().flat_map(|(key, value)| scrub::frames(&key, &value));
        let healed = |key: &Key| match key {
            Key::Statement(id) => !own.contains(&id.log),
            Key::Published | Key::Checkpoint(_) | Key::FrontierCosignature(_) => true,
            Key::Cosignature(..)
            | Key::Fork(..)
            | Key::Intent(_)
            | Key::Head(_)
            | Key::Compartment(..)
            | Key::Lanes(_)
            | Key::Slot(_)
            | Key::CharterSplit
            | Key::ManifestSplit(_)
            | Key::Commitments(_)
            | Key::LaneProof(_)
            | Key::Erased(_)
            | Key::Hold(_) => false,
        };
        let path = |key: &Key, row: &Row| store.writers[Family::of(key) as usize].segments.path(row.place.segment);
        frames.filter(|(key, _)| healed(key)).map(|(key, row)| (path(&key, &row), row)).collect()
    }
}
