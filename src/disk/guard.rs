//! The signer guard: a file of its own that says which statement a log's key was asked to sign at which position.
//!
//! It is written and fsynced before a signature is made. A key that is asked again for the same position gets the same
//! answer for the same bytes, and none for others. So neither a crash nor segments that went back in time, as when a backup was
//! restored, can make a second history; Ed25519 is deterministic, so the digests fix the log's root.
//!
//! The guard is bound to its machine (machine id) and directory (inode): a copy elsewhere is refused until somebody
//! decides. A clone of a whole virtual machine looks the same from inside; against that only the peers help.
//!
//! ```text
//! header   magic 8 · version u16 · member 2 · ordinal u16 · zero 2 · binding 32 · zero 12 · CRC32C u32
//! frame    position u64 · SHA-256 of what is to be signed · CRC32C u32      (44 bytes; frame N lies at 64 + 44·N)
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Access, Doing as _, File, FileSystem, RealFs};
use crate::encoding::hash::{Digest, sha256_of};
use crate::encoding::ids::{LogId, RecordId};
use crate::ledger::StoreError;

/// Why the guard does not allow a signature.
#[derive(Debug, thiserror::Error)]
pub enum GuardRefusal {
    /// Something else was signed, or was about to be, at this position.
    #[error("the guard holds {recorded} for {id}, not {asked}")]
    Conflict {
        /// The position.
        id: RecordId,
        /// What the key was asked to sign before.
        recorded: Digest,
        /// What it was asked to sign now.
        asked: Digest,
    },
    /// The guard does not know what was signed before this position.
    #[error("the guard ends before {expected}, so it does not allow {asked}")]
    Gap {
        /// The next position by the guard.
        expected: RecordId,
        /// The position asked for.
        asked: RecordId,
    },
    /// The guard was made on another machine or in another directory.
    #[error("the guard {path} belongs to another machine or directory", path = path.display())]
    Moved {
        /// The guard's file.
        path: PathBuf,
    },
    /// The guard is not as it was written; the log must not be signed again.
    #[error("the guard {path} is damaged at byte {offset}: {what}", path = path.display())]
    Damaged {
        /// The guard's file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Another version of the program wrote it.
    #[error("the guard {path} has format version {found}, which this program does not know", path = path.display())]
    OtherVersion {
        /// The guard's file.
        path: PathBuf,
        /// Its format version.
        found: u16,
    },
    /// The file could not be read or written.
    #[error(transparent)]
    Storage(#[from] StoreError),
}

/// The guard of one log. The data directory must be locked by whoever has it.
#[derive(Debug)]
pub struct Guard {
    file: Arc<dyn File>,
    path: PathBuf,
    log: LogId,
    /// The number of frames, and so the next position.
    next: u64,
    failed: bool,
}

const MAGIC: [u8; 8] = *b"SHIELDWG";
const VERSION: u16 = 1;
const HEADER: usize = 64;
const FRAME: usize = 44;
/// What a disk writes as a whole or not at all.
const SECTOR: usize = 512;
/// So many zeros where a digest should be are no chance.
const PROOF: usize = 8;
/// A torn group is no longer than this: a node signs at most some hundreds of statements at once.
const TORN_MAX: usize = 1 << 20;
/// Frames read at once when all are checked.
const PIECE: u64 = 4096;

impl Guard {
    /// Opens the guard of `log` in the data directory `dir`, or begins one that knows of nothing signed. An incomplete frame at the
    /// end is cut off: no signature was made on it.
    ///
    /// # Errors
    /// [`GuardRefusal::Moved`], [`GuardRefusal::Damaged`] or [`GuardRefusal::Storage`].
    pub fn open(dir: &Path, log: LogId) -> Result<Self, GuardRefusal> {
        open(&RealFs, dir, log, &binding(dir)?, false)
    }

    /// Opens the guard and binds it to this machine and directory. Only for an operator who knows that no copy of it is in
    /// use elsewhere.
    ///
    /// # Errors
    /// As [`Self::open`], without [`GuardRefusal::Moved`].
    pub fn rebind(dir: &Path, log: LogId) -> Result<Self, GuardRefusal> {
        open(&RealFs, dir, log, &binding(dir)?, true)
    }

    /// Moves the guard of `log`, which must be bound to `from`, into another directory of this machine, and binds it to that. Done again after an
    /// interruption, it goes on where it was. At no time are there two.
    ///
    /// # Errors
    /// As [`Self::open`]; [`GuardRefusal::Storage`] if there is none in `from`, one in `to` already, or both do not lie on one file system. Then it
    /// is where and as it was.
    pub fn move_to(from: &Path, to: &Path, log: LogId) -> Result<(), GuardRefusal> {
        let (source, target) = (path(from, log), path(to, log));
        let refuse = |kind: io::ErrorKind, at: &Path| -> GuardRefusal {
            StoreError::Io { doing: format!("moving the guard to {}", at.display()), source: kind.into() }.into()
        };
        if !source.exists() {
            return Err(refuse(io::ErrorKind::NotFound, &source));
        }
        if target.exists() {
            return Err(refuse(io::ErrorKind::AlreadyExists, &target));
        }
        let (here, there) = (binding(from)?, binding(to)?);
        let folder = to.join("guard");
        fs::create_dir_all(&folder).doing("creating", &folder)?;
        let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).doing("reading", path);
        if device(&source)? != device(&folder)? {
            return Err(refuse(io::ErrorKind::CrossesDevices, &target));
        }
        // It is bound before it is moved; a crash between the two leaves it bound to where it was to go.
        let guard = match open(&RealFs, from, log, &here, false) {
            Err(GuardRefusal::Moved { .. }) => open(&RealFs, from, log, &there, false)?,
            opened => opened?,
        };
        guard.write_header(&header(log, &there))?;
        if let Err(error) = fs::rename(&source, &target).doing("moving", &source) {
            guard.write_header(&header(log, &here))?;
            return Err(error.into());
        }
        for folder in [folder.as_path(), to, &from.join("guard")] {
            RealFs.sync_dir(folder).doing("syncing", folder)?;
        }
        Ok(())
    }

    /// Whether there is a guard of `log` in the data directory `dir`. `init` begins one; where it is missing later, nothing on
    /// this machine tells what was signed.
    #[must_use]
    pub fn exists(dir: &Path, log: LogId) -> bool {
        path(dir, log).exists()
    }

    /// The highest position that may have been signed.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// Whether it knows of a log's first `size` statements. A guard that does not has lost what it was told: a disk may say that it
    /// has written and not have.
    #[must_use]
    pub fn covers(&self, size: u64) -> bool {
        self.next >= size
    }

    /// What the key was asked to sign at `position`.
    ///
    /// # Errors
    /// [`GuardRefusal::Damaged`] or [`GuardRefusal::Storage`].
    pub fn recorded(&self, position: u64) -> Result<Option<Digest>, GuardRefusal> {
        if position >= self.next {
            return Ok(None);
        }
        let mut bytes = [0; FRAME];
        let offset = offset(position);
        self.file.read_at(&mut bytes, offset).doing("reading", &self.path)?;
        let damaged = |what| GuardRefusal::Damaged { path: self.path.clone(), offset, what };
        parse(&bytes, position).map(Some).map_err(damaged)
    }

    /// Allows signing the bytes with these digests at these positions, all or none. What is new is on the disk when this
    /// returns. Positions are in rising order; those that the guard knows may be asked for again.
    ///
    /// # Errors
    /// [`GuardRefusal`]; then nothing may be signed.
    pub fn check_and_record(&mut self, group: &[(u64, Digest)]) -> Result<(), GuardRefusal> {
        if self.failed {
            let source = io::Error::other("a write to it failed before");
            return Err(StoreError::Io { doing: format!("using the guard {}", self.path.display()), source }.into());
        }
        let mut bytes = Vec::new();
        let mut next = self.next;
        for (position, asked) in group {
            if let Some(recorded) = self.recorded(*position)? {
                if recorded != *asked {
                    let id = RecordId::new(self.log, *position);
                    return Err(GuardRefusal::Conflict { id, recorded, asked: *asked });
                }
            } else if *position == next {
                bytes.extend(frame(*position, asked));
                next += 1;
            } else {
                let (expected, asked) = (RecordId::new(self.log, next), RecordId::new(self.log, *position));
                return Err(GuardRefusal::Gap { expected, asked });
            }
        }
        if !bytes.is_empty() {
            self.append(&bytes)?;
            self.next = next;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let end = offset(self.next);
        let written = self.file.write_at(bytes, end).doing("writing", &self.path);
        let synced = written.and_then(|()| self.file.sync().doing("syncing", &self.path));
        if synced.is_err() {
            self.failed = true;
            // Else the page cache might show, after a restart, frames that the disk will never have. If this fails too, the
            // error before it is the one to tell.
            drop(self.file.truncate(end));
        }
        synced
    }

    /// Checks every frame, and cuts off a torn end.
    fn check(&mut self) -> Result<(), GuardRefusal> {
        let length = self.file.length().doing("reading", &self.path)?;
        self.count(length)?;
        if length != offset(self.next) {
            self.file.truncate(offset(self.next)).doing("cutting", &self.path)?;
        }
        // A process that was killed may have left frames that are read from the page cache and are not on the disk yet.
        self.file.sync().doing("syncing", &self.path)?;
        Ok(())
    }

    /// Counts the whole frames; a torn end does not count.
    fn count(&mut self, length: u64) -> Result<(), GuardRefusal> {
        let body = length - HEADER as u64;
        self.next = body / FRAME as u64;
        // Read once more before anything is cut for it: a bit may flip on its way here alone.
        if self.first_bad()?.is_some()
            && let Some((position, what)) = self.first_bad()?
        {
            if !self.is_torn(offset(position), length)? {
                return Err(GuardRefusal::Damaged { path: self.path.clone(), offset: offset(position), what });
            }
            self.next = position;
        }
        Ok(())
    }

    /// The first frame that is not whole, and what is wrong with it.
    fn first_bad(&self) -> Result<Option<(u64, &'static str)>, StoreError> {
        for start in (0..self.next).step_by(PIECE as usize) {
            let count = PIECE.min(self.next - start);
            let mut bytes = vec![0; count as usize * FRAME];
            self.file.read_at(&mut bytes, offset(start)).doing("reading", &self.path)?;
            for (position, frame) in (start..).zip(bytes.chunks_exact(FRAME)) {
                if let Err(what) = parse(frame, position) {
                    return Ok(Some((position, what)));
                }
            }
        }
        Ok(None)
    }

    /// Whether what is wrong from `start` on is a group that a loss of power tore: each frame that is not whole lies in a sector that was
    /// never written, and so is zero from `start` on. A group that was not fsynced was not signed. Rot leaves no such sector.
    fn is_torn(&self, start: u64, length: u64) -> Result<bool, StoreError> {
        let group = usize::try_from(length - start).unwrap_or(usize::MAX);
        if group > TORN_MAX {
            return Ok(false);
        }
        let mut bytes = vec![0; group];
        self.file.read_at(&mut bytes, start).doing("reading", &self.path)?;
        let first = SECTOR - usize::try_from(start % SECTOR as u64).unwrap_or(0);
        let sector = |at: usize| if at < first { 0 } else { (at - first) / SECTOR + 1 };
        let mut unwritten = std::collections::BTreeMap::new();
        for (at, byte) in bytes.iter().enumerate() {
            *unwritten.entry(sector(at)).or_insert(true) &= *byte == 0;
        }
        // A few zeros prove nothing: a position begins with them, and a checksum may end with one.
        let explains = |at: usize, expected: &[u8; 8], within: std::ops::Range<usize>| {
            let lost: Vec<usize> = within.filter(|byte| unwritten[&sector(at + byte)]).collect();
            let of_position = lost.iter().any(|byte| expected.get(*byte).is_some_and(|expected| *expected != 0));
            of_position || lost.iter().filter(|byte| **byte >= 8).count() >= PROOF
        };
        let position = (start - HEADER as u64) / FRAME as u64;
        Ok((position..).zip(bytes.chunks_exact(FRAME)).enumerate().all(|(number, (position, frame))| {
            parse(frame, position).is_ok() || explains(number * FRAME, &position.to_be_bytes(), 0..FRAME)
        }))
    }
}

pub(super) fn path(dir: &Path, log: LogId) -> PathBuf {
    dir.join(name(log))
}

/// The name of a guard's file, relative to the data directory.
pub(super) fn name(log: LogId) -> String {
    format!("guard/{log}.guard")
}

pub(super) fn open(
    fs: &dyn FileSystem,
    dir: &Path,
    log: LogId,
    binding: &Digest,
    rebind: bool,
) -> Result<Guard, GuardRefusal> {
    let folder = dir.join("guard");
    let path = path(dir, log);
    let header = header(log, binding);
    let existing = fs.open(&path, Access::Write).doing("opening", &path)?;
    let file = match existing {
        Some(file) => file,
        None => {
            fs.create_dir(&folder).doing("creating", &folder)?;
            fs.create(&path).doing("creating", &path)?
        }
    };
    let mut guard = Guard { file, path, log, next: 0, failed: false };
    let length = guard.file.length().doing("reading", &guard.path)?;
    if length < HEADER as u64 {
        // New, or a crash came between making the file and its header.
        guard.write_header(&header)?;
        fs.sync_dir(&folder).doing("syncing", &folder)?;
        fs.sync_dir(dir).doing("syncing", dir)?;
        return Ok(guard);
    }
    if !guard.is_bound(&header)? {
        if !rebind {
            return Err(GuardRefusal::Moved { path: guard.path });
        }
        guard.check()?;
        guard.write_header(&header)?;
        return Ok(guard);
    }
    guard.check()?;
    Ok(guard)
}

/// What a guard's file holds, for who must not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inspected {
    /// Whole frames, and so statements of the log that it knows of.
    pub(super) frames: u64,
    /// Bytes behind them that a crash tore; opening the guard cuts them off.
    pub(super) torn: u64,
}

/// Reads a guard as opening it does, and leaves it as it is; none if there is no file.
pub(super) fn inspect(
    fs: &dyn FileSystem,
    dir: &Path,
    log: LogId,
    binding: &Digest,
) -> Result<Option<Inspected>, GuardRefusal> {
    let path = path(dir, log);
    let Some(file) = fs.open(&path, Access::Read).doing("opening", &path)? else { return Ok(None) };
    let mut guard = Guard { file, path, log, next: 0, failed: false };
    let length = guard.file.length().doing("reading", &guard.path)?;
    if length < HEADER as u64 {
        return Ok(Some(Inspected { frames: 0, torn: length }));
    }
    if !guard.is_bound(&header(log, binding))? {
        return Err(GuardRefusal::Moved { path: guard.path });
    }
    guard.count(length)?;
    Ok(Some(Inspected { frames: guard.next, torn: length - offset(guard.next) }))
}

impl Guard {
    /// Whether the header is this one; if not, it differs in the binding alone.
    fn is_bound(&self, header: &[u8; HEADER]) -> Result<bool, GuardRefusal> {
        let mut stored = [0; HEADER];
        self.file.read_at(&mut stored, 0).doing("reading", &self.path)?;
        let (covered, checksum) = stored.split_at(HEADER - 4);
        let damaged = |what| GuardRefusal::Damaged { path: self.path.clone(), offset: 0, what };
        if crc32c::crc32c(covered).to_be_bytes() != checksum {
            return Err(damaged("the header's checksum is wrong"));
        }
        let version = u16::from_be_bytes([stored[8], stored[9]]);
        if stored[..8] == MAGIC && version != VERSION {
            return Err(GuardRefusal::OtherVersion { path: self.path.clone(), found: version });
        }
        if stored[..16] != header[..16] {
            return Err(damaged("the header is of another log"));
        }
        Ok(stored == *header)
    }

    fn write_header(&self, header: &[u8; HEADER]) -> Result<(), StoreError> {
        self.file.write_at(header, 0).doing("writing", &self.path)?;
        self.file.sync().doing("syncing", &self.path)
    }
}

/// What a guard is bound to: machine id and inode of the data directory. Without a machine id, as in some containers, the
/// inode alone.
fn binding(dir: &Path) -> Result<Digest, StoreError> {
    fs::create_dir_all(dir).doing("creating", dir)?;
    binding_of(dir)
}

/// The same for a directory that is there.
pub(super) fn binding_of(dir: &Path) -> Result<Digest, StoreError> {
    let inode = fs::metadata(dir).doing("reading", dir)?.ino();
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    Ok(sha256_of(&[machine.trim().as_bytes(), b" ", &inode.to_be_bytes()]))
}

pub(super) fn header(log: LogId, binding: &Digest) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..10].copy_from_slice(&VERSION.to_be_bytes());
    header[10..12].copy_from_slice(log.member.as_str().as_bytes());
    header[12..14].copy_from_slice(&log.ordinal.to_be_bytes());
    header[16..48].copy_from_slice(&binding.0);
    let checksum = crc32c::crc32c(&header[..HEADER - 4]);
    header[HEADER - 4..].copy_from_slice(&checksum.to_be_bytes());
    header
}

pub(super) fn frame(position: u64, digest: &Digest) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    frame[..8].copy_from_slice(&position.to_be_bytes());
    frame[8..40].copy_from_slice(&digest.0);
    let checksum = crc32c::crc32c(&frame[..40]);
    frame[40..].copy_from_slice(&checksum.to_be_bytes());
    frame
}

fn parse(bytes: &[u8], position: u64) -> Result<Digest, &'static str> {
    let (covered, checksum) = bytes.split_last_chunk().ok_or("a frame is cut short")?;
    if crc32c::crc32c(covered) != u32::from_be_bytes(*checksum) {
        return Err("a frame's checksum is wrong");
    }
    let (own, digest) = covered.split_first_chunk().ok_or("a frame is cut short")?;
    if u64::from_be_bytes(*own) != position {
        return Err("a frame is not where it says that it is");
    }
    digest.try_into().map(Digest).map_err(|_| "a frame is cut short")
}

/// How many bytes of header or frame begin at `offset`.
pub(super) fn bytes_at(offset: u64) -> u64 {
    if offset == 0 { HEADER as u64 } else { FRAME as u64 }
}

/// Where the frame of a position lies.
pub(super) fn offset(position: u64) -> u64 {
    HEADER as u64 + position * FRAME as u64
}

#[cfg(test)]
mod tests {
    use super::super::fault::{Fault, FaultFs, Kind, Op};
    use super::*;
    use crate::encoding::hash::sha256;

    const DIR: &str = "/data";
    const HERE: Digest = Digest([1; 32]);

    fn log() -> LogId {
        "GE".parse().unwrap()
    }

    fn guard(fs: &FaultFs) -> Result<Guard, GuardRefusal> {
        open(fs, Path::new(DIR), log(), &HERE, false)
    }

    fn digests(range: std::ops::Range<u64>) -> Vec<(u64, Digest)> {
        range.map(|position| (position, sha256(&position.to_be_bytes()))).collect()
    }

    #[test]
    fn one_position_is_signed_with_one_content() {
        let fs = FaultFs::default();
        let mut own = guard(&fs).unwrap();
        assert_eq!(own.highest(), None);
        own.check_and_record(&digests(0..5)).unwrap();
        // After a crash that came before the statements were written, the same again and more is allowed.
        fs.lose_power(|_| false);
        let mut own = guard(&fs).unwrap();
        assert_eq!(own.highest(), Some(4));
        own.check_and_record(&digests(3..8)).unwrap();
        assert_eq!(own.recorded(7).unwrap(), Some(sha256(&7_u64.to_be_bytes())));
        let other = [(7, sha256(b"another statement")), (8, sha256(b"next"))];
        assert!(matches!(own.check_and_record(&other), Err(GuardRefusal::Conflict { id, .. }) if id.position == 7));
        assert!(matches!(own.check_and_record(&digests(9..10)), Err(GuardRefusal::Gap { .. })));
        assert_eq!(own.highest(), Some(7), "a refused group leaves nothing behind");
    }

    #[test]
    fn a_guard_that_is_moved_is_in_one_place_and_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to, third] = ["from", "to", "third"].map(|name| folder.path().join(name));
        assert!(Guard::move_to(&from, &to, log()).is_err(), "there is none");
        Guard::open(&from, log()).unwrap().check_and_record(&digests(0..3)).unwrap();
        // Interrupted between binding and moving.
        drop(open(&RealFs, &from, log(), &binding(&to).unwrap(), true).unwrap());
        assert!(matches!(Guard::open(&from, log()), Err(GuardRefusal::Moved { .. })));
        assert!(
            matches!(Guard::move_to(&from, &third, log()), Err(GuardRefusal::Moved { .. })),
            "it is for another place"
        );
        Guard::move_to(&from, &to, log()).unwrap();
        assert!(!Guard::exists(&from, log()));
        assert_eq!(Guard::open(&to, log()).unwrap().highest(), Some(2));
        // Where there is one already, none is put in its place; and the other stays usable.
        drop(Guard::open(&third, log()).unwrap());
        assert!(Guard::move_to(&to, &third, log()).is_err());
        assert_eq!(Guard::open(&to, log()).unwrap().highest(), Some(2));
    }

    #[test]
    fn a_torn_frame_is_cut_and_any_other_damage_refused() {
        let fs = FaultFs::default();
        guard(&fs).unwrap().check_and_record(&digests(0..3)).unwrap();
        let path = Path::new(DIR).join("guard/GE.guard");
        let whole = fs.content(&path);
        for length in HEADER..whole.len() {
            fs.set_content(&path, &whole[..length]);
            let mut own = guard(&fs).unwrap();
            assert_eq!(own.highest(), ((length - HEADER) / FRAME).checked_sub(1).map(|last| last as u64));
            own.check_and_record(&digests(0..3)).unwrap();
            assert_eq!(fs.content(&path), whole);
        }
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs.set_content(&path, &bytes);
            assert!(matches!(guard(&fs), Err(GuardRefusal::Damaged { .. })), "bit {bit}");
        }
    }

    #[test]
    fn a_group_torn_at_a_sector_is_cut_and_one_that_was_signed_never() {
        let fs = FaultFs::default();
        guard(&fs).unwrap().check_and_record(&digests(0..3)).unwrap();
        let mut own = guard(&fs).unwrap();
        fs.arm(Fault::on(Op::Sync, 0, Kind::CrashBefore));
        assert!(own.check_and_record(&digests(3..40)).is_err());
        for lost in 1..=4 {
            let torn = fs.fork();
            torn.lose_power(|piece| piece != lost);
            let mut own = guard(&torn).unwrap();
            let whole = own.highest().unwrap();
            assert!((2..40).contains(&whole), "piece {lost}: {whole}");
            assert!(own.covers(3) && !own.covers(whole + 2));
            own.check_and_record(&digests(0..40)).unwrap();
        }
        fs.lose_power(|_| true);
        let path = Path::new(DIR).join("guard/GE.guard");
        let signed = fs.content(&path);
        for at in HEADER..signed.len() {
            let mut bytes = signed.clone();
            bytes[at] ^= 0x20;
            fs.set_content(&path, &bytes);
            assert!(matches!(guard(&fs), Err(GuardRefusal::Damaged { .. })), "byte {at}");
        }
    }

    #[test]
    fn a_guard_elsewhere_is_refused_until_it_is_bound_again() {
        let fs = FaultFs::default();
        guard(&fs).unwrap().check_and_record(&digests(0..3)).unwrap();
        let there = Digest([2; 32]);
        let moved = |rebind| open(&fs, Path::new(DIR), log(), &there, rebind);
        assert!(matches!(moved(false), Err(GuardRefusal::Moved { .. })));
        assert_eq!(moved(true).unwrap().highest(), Some(2));
        assert_eq!(moved(false).unwrap().highest(), Some(2));
        assert!(matches!(guard(&fs), Err(GuardRefusal::Moved { .. })));
    }

    #[test]
    fn after_a_failed_sync_nothing_is_allowed_and_nothing_is_left() {
        let fs = FaultFs::default();
        let mut own = guard(&fs).unwrap();
        own.check_and_record(&digests(0..3)).unwrap();
        fs.arm(Fault::on(Op::Sync, 0, Kind::ErrorForever));
        assert!(matches!(own.check_and_record(&digests(3..4)), Err(GuardRefusal::Storage(_))));
        fs.disarm();
        assert!(matches!(own.check_and_record(&digests(0..1)), Err(GuardRefusal::Storage(_))));
        assert_eq!(guard(&fs).unwrap().highest(), Some(2));
    }

    #[test]
    fn the_guard_of_a_real_directory_is_bound_to_it() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut own = Guard::open(here.path(), log()).unwrap();
        own.check_and_record(&digests(0..2)).unwrap();
        fs::create_dir(there.path().join("guard")).unwrap();
        fs::copy(here.path().join("guard/GE.guard"), there.path().join("guard/GE.guard")).unwrap();
        assert_eq!(Guard::open(here.path(), log()).unwrap().highest(), Some(1));
        assert!(matches!(Guard::open(there.path(), log()), Err(GuardRefusal::Moved { .. })));
        assert_eq!(Guard::rebind(there.path(), log()).unwrap().highest(), Some(1));
    }
}
