//! A disk in memory that fails on request: for tests and the simulator.
//!
//! [`FaultFs`] stands where the operating system's files do. It knows what is only in the page cache and what is on the disk, so it can
//! lose power; and any operation can be made to fail in any of the ways of [`Kind`]. A [`DiskStore`] and a [`Guard`]
//! are opened over it with [`FaultFs::open_store`] and [`FaultFs::open_guard`].
//!
//! It is deterministic: the same seed and the same calls give the same bytes and the same errors. There is no clock, no thread
//! and no randomness of the system in it.
//!
//! ```
//! use shieldwall::disk::fault::{Fault, FaultFs, Kind, Op};
//!
//! let fs = FaultFs::new(7);
//! let (store, report) = fs.open_store(0)?;
//! assert!(report.damage.is_empty());
//! fs.arm(Fault::on(Op::Sync, 2, Kind::Error)); // the third fsync from now on fails, once
//! drop(store); // the process ends …
//! fs.lose_power(|_piece| false); // … and everything that was not synced is gone
//! let (_store, _report) = fs.open_store(0)?; // the machine starts again
//! # Ok::<(), shieldwall::disk::OpenError>(())
//! ```
//!
//! **The life of a machine.** A process that dies leaves the page cache: drop the store, call [`FaultFs::restart`], open again. A loss of
//! power takes what was not synced: [`FaultFs::lose_power`] asks for each piece of 512 bytes, each name and each change
//! of length whether it had reached the disk, as a disk may write them in any order. Both end a crash ([`Kind::CrashBefore`],
//! [`Kind::CrashAfter`]), in which every operation fails.
//!
//! **A failed fsync** leaves its pages looking clean, as on Linux: they are read, a later fsync does not write them, and a loss
//! of power may or may not take them.
//!
//! **The index** of such a store is kept here too. It is what sled is after its sum was found to be right: its state after some
//! group. A loss of power takes it back to an earlier one; [`FaultFs::drop_index`] takes it away.
//!
//! **Damage at rest** is made with [`FaultFs::flip_bit`] and [`FaultFs::set_content`]. [`FaultFs::fork`] gives an independent copy of everything.

mod index;
mod state;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::audit_log::{AuditLog, Found};
use super::files::{Access, File, FileSystem};
use super::fsck::{self, Checked};
use super::guard::{self, Guard, GuardRefusal};
use super::open::{self, IndexKind, OpenError, Report};
use super::segment::ROLL;
use super::store::{DiskStore, Mode};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::ledger::StoreError;

pub(crate) use index::FaultIndex;
use state::{Ruling, State};

/// What a disk writes as a whole or not at all.
pub const SECTOR: usize = 512;

/// Where the store lies.
pub(super) const DIR: &str = "/data";
/// What guards are bound to here.
const MACHINE: Digest = Digest([1; 32]);

/// A file system in memory. Clones show the same files.
#[derive(Clone, Debug)]
pub struct FaultFs(Arc<Mutex<State>>);

/// The operations that are counted and can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Making a directory.
    CreateDir,
    /// Making a file.
    Create,
    /// Opening a file.
    Open,
    /// Listing a directory.
    List,
    /// Removing a file.
    Remove,
    /// Bringing the names of a directory to the disk.
    SyncDir,
    /// Asking for the free space.
    Free,
    /// Asking for the length of a file.
    Length,
    /// Reading from a file.
    Read,
    /// Writing to a file.
    Write,
    /// Cutting a file.
    Truncate,
    /// Bringing a file to the disk.
    Sync,
    /// A group of changes to the index.
    Index,
}

/// What happens in place of an operation that goes well. Where a kind has no meaning for an operation, it is [`Kind::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It fails with EIO, once.
    Error,
    /// It and all after it of the same [`Op`] fail with EIO.
    ErrorForever,
    /// No byte more fits on the disk, from here on; files can still be read, synced, cut and removed.
    NoSpace,
    /// A part of it is done, and then it fails with EIO; a read ends early.
    Short,
    /// The machine stops before it: it and all after it fail until [`FaultFs::restart`] or [`FaultFs::lose_power`].
    CrashBefore,
    /// The machine stops after it: it is done, and all after it fail.
    CrashAfter,
    /// A write or fsync is reported as done and is not done.
    Lost,
    /// A write is reported as done and lands somewhere else: at another offset of the file or in another file.
    Misdirected,
    /// A write is done with one bit flipped; a read gives one bit flipped, once.
    Rot,
}

/// A fault that waits for its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which operations it waits for; all if none is named.
    pub op: Option<Op>,
    /// How many of them it lets through.
    pub after: usize,
    /// What it does.
    pub kind: Kind,
}

/// One operation, for [`FaultFs::operations_done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What was done.
    pub op: Op,
    /// To which file or directory.
    pub path: PathBuf,
    /// Where, for reads and writes.
    pub offset: u64,
    /// How many bytes, for reads and writes.
    pub length: usize,
    /// The fault that struck.
    pub fault: Option<Kind>,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::CreateDir,
        Self::Create,
        Self::Open,
        Self::List,
        Self::Remove,
        Self::SyncDir,
        Self::Free,
        Self::Length,
        Self::Read,
        Self::Write,
        Self::Truncate,
        Self::Sync,
        Self::Index,
    ];
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Error,
        Self::ErrorForever,
        Self::NoSpace,
        Self::Short,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Lost,
        Self::Misdirected,
        Self::Rot,
    ];

    /// Whether the program is told nothing, and later reads something else than it wrote.
    #[must_use]
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Lost | Self::Misdirected | Self::Rot)
    }
}

impl Fault {
    /// Strikes the operation `after` operations from now, whatever it is: 0 is the next.
    #[must_use]
    pub fn at(after: usize, kind: Kind) -> Self {
        Self { op: None, after, kind }
    }

    /// Strikes the operation `after` such operations from now: 0 is the next.
    #[must_use]
    pub fn on(op: Op, after: usize, kind: Kind) -> Self {
        Self { op: Some(op), after, kind }
    }
}

impl FaultFs {
    /// An empty disk. The seed decides what is left open by a [`Kind`]: which bit, how short, where to.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State::new(seed))))
    }

    /// Opens the store on this disk, as [`DiskStore::open`] does. The lock is not part of it: drop the store before.
    ///
    /// # Errors
    /// As [`DiskStore::open`].
    pub fn open_store(&self, low_water: u64) -> Result<(DiskStore, Report), OpenError> {
        self.open_store_rolling(low_water, ROLL)
    }

    /// As [`Self::open_store`], with segments that end at `roll` bytes: a few frames fill a small one.
    ///
    /// # Errors
    /// As [`DiskStore::open`].
    pub fn open_store_rolling(&self, low_water: u64, roll: u32) -> Result<(DiskStore, Report), OpenError> {
        let index = IndexKind::Fault(FaultIndex::of(self));
        let mode = Mode::Writable { low_water };
        open::open(Arc::new(self.clone()), Path::new(DIR), mode, index, roll, &mut |_, _| ())
    }

    /// Opens the guard of a log on this disk, as [`Guard::open`] does. The machine is always the same.
    ///
    /// # Errors
    /// As [`Guard::open`].
    pub fn open_guard(&self, log: LogId) -> Result<Guard, GuardRefusal> {
        guard::open(self, Path::new(DIR), log, &MACHINE, false)
    }

    /// Opens the audit log on this disk, as [`AuditLog::open`] does, with files that end at `roll` bytes.
    ///
    /// # Errors
    /// As [`AuditLog::open`].
    pub fn open_audit_log(&self, roll: u64) -> Result<(AuditLog, Found), StoreError> {
        AuditLog::open_on(Arc::new(self.clone()), Path::new(DIR), roll)
    }

    /// Checks the store and the guards on this disk as [`fsck::check`] does. It changes nothing.
    ///
    /// # Errors
    /// As [`fsck::check`].
    pub fn check(&self, own: Option<LogId>) -> Result<Checked, OpenError> {
        let index = IndexKind::Fault(FaultIndex::of(self));
        fsck::check_with(Arc::new(self.clone()), Path::new(DIR), &index, own, &MACHINE, &mut |_, _| ())
    }

    /// Lets a fault wait for its operation. Several may wait at once; the count begins now.
    pub fn arm(&self, fault: Fault) {
        self.state().arm(fault);
    }

    /// Takes back all faults that wait or last. A crash goes on.
    pub fn disarm(&self) {
        self.state().disarm();
    }

    /// Gives so much room, in bytes: each byte that makes a file longer takes from it. `None` is no bound, as at first.
    pub fn set_free(&self, bytes: impl Into<Option<u64>>) {
        self.state().room = bytes.into();
    }

    /// Whether every operation fails because of a crash.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.state().crashed
    }

    /// The process ends and may begin again: a crash is over, and the page cache is as it was.
    pub fn restart(&self) {
        self.state().crashed = false;
    }

    /// The machine loses power: of what was not synced only that is left for which `survives` says yes. It is given a running
    /// number for each sector, each name and each change of length. Ends a crash.
    pub fn lose_power(&self, survives: impl FnMut(usize) -> bool) {
        self.lose_power_in_pieces(SECTOR, survives);
    }

    /// As [`Self::lose_power`], with pieces of another length than [`SECTOR`].
    pub fn lose_power_in_pieces(&self, piece: usize, mut survives: impl FnMut(usize) -> bool) {
        self.state().lose_power(piece, &mut survives);
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.state().operations
    }

    /// Begins to remember operations, or takes what was remembered.
    pub fn operations_done(&self) -> Vec<Done> {
        self.state().done.replace(Vec::new()).unwrap_or_default()
    }

    /// All files.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// What a file holds, the page cache included; nothing if it is not there.
    #[must_use]
    pub fn content(&self, path: &Path) -> Vec<u8> {
        self.state().content(path)
    }

    /// Puts something else in a file's place, on the disk at once.
    pub fn set_content(&self, path: &Path, bytes: &[u8]) {
        self.state().set_content(path, bytes);
    }

    /// Flips one bit of a file, on the disk and for every read. Bits count from the first of the first byte; beyond the end
    /// nothing happens.
    pub fn flip_bit(&self, path: &Path, bit: usize) {
        let mut content = self.content(path);
        if let Some(byte) = content.get_mut(bit / 8) {
            *byte ^= 0x80 >> (bit % 8);
            self.set_content(path, &content);
        }
    }

    /// Removes a file, on the disk at once.
    pub fn delete(&self, path: &Path) {
        self.state().delete(path);
    }

    /// Takes the index away, as an operator may while the node is stopped.
    pub fn drop_index(&self) {
        self.state().index.clear();
    }

    /// A disk with the same content, the same faults and the same future, that goes its own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rule(&self, op: Op, path: &Path) -> io::Result<(MutexGuard<'_, State>, Ruling)> {
        let mut state = self.state();
        let ruling = state.rule(op, path, 0, 0)?;
        Ok((state, ruling))
    }
}

impl Default for FaultFs {
    fn default() -> Self {
        Self::new(0)
    }
}

/// An open file: it stays the same whatever becomes of its name.
#[derive(Debug)]
struct Handle {
    fs: FaultFs,
    path: PathBuf,
    inode: u64,
}

impl FileSystem for FaultFs {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.rule(Op::CreateDir, dir)?.1.plain()
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let (mut state, ruling) = self.rule(Op::Create, path)?;
        ruling.plain()?;
        let inode = state.create(path)?;
        Ok(Arc::new(Handle { fs: self.clone(), path: path.to_owned(), inode }))
    }

    fn open(&self, path: &Path, _: Access) -> io::Result<Option<Arc<dyn File>>> {
        let (state, ruling) = self.rule(Op::Open, path)?;
        ruling.plain()?;
        let handle = |inode: &u64| Handle { fs: self.clone(), path: path.to_owned(), inode: *inode };
        Ok(state.names.get(path).map(|inode| Arc::new(handle(inode)) as Arc<dyn File>))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let (state, ruling) = self.rule(Op::List, dir)?;
        ruling.plain()?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let (mut state, ruling) = self.rule(Op::Remove, path)?;
        ruling.plain()?;
        state.names.remove(path);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let (mut state, ruling) = self.rule(Op::SyncDir, dir)?;
        if ruling != Ruling::Lost {
            ruling.plain()?;
            state.sync_names(dir);
        }
        Ok(())
    }

    fn free(&self, dir: &Path) -> io::Result<u64> {
        let (state, ruling) = self.rule(Op::Free, dir)?;
        ruling.plain()?;
        Ok(state.room.unwrap_or(u64::MAX))
    }

    fn salt(&self) -> io::Result<u32> {
        Ok(self.state().salt())
    }

    fn is_parallel(&self) -> bool {
        false
    }
}

impl Handle {
    fn rule(&self, op: Op, offset: u64, length: usize) -> io::Result<(MutexGuard<'_, State>, Ruling)> {
        let mut state = self.fs.state();
        let ruling = state.rule(op, &self.path, offset, length)?;
        Ok((state, ruling))
    }
}

impl File for Handle {
    fn length(&self) -> io::Result<u64> {
        let (state, ruling) = self.rule(Op::Length, 0, 0)?;
        ruling.plain()?;
        Ok(state.length(self.inode) as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let (mut state, ruling) = self.rule(Op::Read, offset, buffer.len())?;
        state.read(self.inode, buffer, offset, ruling)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (mut state, ruling) = self.rule(Op::Write, offset, bytes.len())?;
        state.write(self.inode, bytes, offset, ruling)
    }

    /// Here a full disk is full.
    fn reserve(&self, _offset: u64, _length: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let (mut state, ruling) = self.rule(Op::Truncate, length, 0)?;
        ruling.plain()?;
        state.truncate(self.inode, length)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.fs.state();
        match state.rule(Op::Sync, &self.path, 0, 0) {
            Ok(Ruling::Lost) => Ok(()),
            Ok(ruling) if ruling.plain().is_ok() => {
                state.sync(self.inode);
                Ok(())
            }
            failed => {
                // A machine that has stopped does not write pages back, and so does not forget them.
                if !state.crashed {
                    state.fail_sync(self.inode);
                }
                failed.and_then(Ruling::plain)
            }
        }
    }
}
