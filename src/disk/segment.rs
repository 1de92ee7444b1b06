//! Segment files: their names, headers and handles. Statements and everything small are one family, bodies another.
//!
//! A segment begins with its header, twice, so that one flipped bit does not lose the salt, and with it all frames. A segment
//! is begun only after the one before is on the disk; so only the last of a family can have a torn end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{Access, Doing as _, File, FileSystem};
use super::frame::{Context, Place};
use crate::ledger::{Key, StoreError};

/// Bytes before the first frame: the header and its copy.
pub(crate) const HEADER: u32 = 64;
/// A frame that would make a segment longer than this begins the next one.
pub(crate) const ROLL: u32 = 64 << 20;

const COPY: usize = HEADER as usize / 2;
const MAGIC: [u8; 8] = *b"SHIELDWS";
const VERSION: u16 = 1;
/// Handles kept open; far below the usual limit of 1,024.
const HANDLES: usize = 256;

/// The two kinds of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Statements,
    Bodies,
}

/// What the header of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Good { salt: u32 },
    OtherVersion(u16),
    Damaged,
}

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) file: Arc<dyn File>,
    pub(crate) path: PathBuf,
    pub(crate) context: Context,
}

/// The segments of one family.
#[derive(Debug)]
pub(crate) struct Segments {
    pub(crate) fs: Arc<dyn FileSystem>,
    pub(crate) family: Family,
    dir: PathBuf,
    access: Access,
    open: Mutex<BTreeMap<u32, Arc<Segment>>>,
}

impl Family {
    pub(crate) const ALL: [Self; 2] = [Self::Statements, Self::Bodies];

    pub(crate) fn of(key: &Key) -> Self {
        if key.is_body() { Self::Bodies } else { Self::Statements }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Statements => "statements",
            Self::Bodies => "bodies",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Statements => 1,
            Self::Bodies => 2,
        }
    }
}

impl Segments {
    pub(crate) fn new(fs: Arc<dyn FileSystem>, dir: &Path, family: Family, access: Access) -> Self {
        Self { fs, family, dir: dir.join("segments"), access, open: Mutex::default() }
    }

    /// The name of a segment's file, relative to the data directory.
    pub(crate) fn name(&self, number: u32) -> String {
        format!("segments/{}-{number:08}.seg", self.family.name())
    }

    pub(crate) fn path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("{}-{number:08}.seg", self.family.name()))
    }

    /// The numbers of the segments that exist, in order.
    pub(crate) fn numbers(&self) -> Result<Vec<u32>, StoreError> {
        let names = self.fs.list(&self.dir).doing("listing", &self.dir)?;
        let number = |name: &String| {
            let digits = name.strip_prefix(self.family.name())?.strip_prefix('-')?.strip_suffix(".seg")?;
            digits.parse().ok().filter(|number| self.path(*number).ends_with(name))
        };
        let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The length of a segment's file, and what its header says.
    pub(crate) fn inspect(&self, number: u32) -> Result<(u64, Header), StoreError> {
        let (file, path) = self.file(number)?;
        let length = file.length().doing("reading", &path)?;
        if length < u64::from(HEADER) {
            return Ok((length, Header::Damaged));
        }
        let mut bytes = [0; HEADER as usize];
        file.read_at(&mut bytes, 0).doing("reading", &path)?;
        Ok((length, self.header(&bytes, number)))
    }

    /// Where the copy of a good header lies that is not as it was written, if one is not.
    pub(crate) fn spoilt_copy(&self, number: u32, salt: u32) -> Result<Option<u32>, StoreError> {
        let (file, path) = self.file(number)?;
        let mut bytes = [0; HEADER as usize];
        file.read_at(&mut bytes, 0).doing("reading", &path)?;
        let whole = self.header_bytes(number, salt);
        let mut copies = bytes.chunks_exact(COPY).zip(whole.chunks_exact(COPY)).zip([0, HEADER / 2]);
        Ok(copies.find(|((found, whole), _)| found != whole).map(|(_, offset)| offset))
    }

    pub(crate) fn get(&self, number: u32) -> Result<Arc<Segment>, StoreError> {
        let known = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some(segment) = known {
            return Ok(segment);
        }
        let (_, header) = self.inspect(number)?;
        let Header::Good { salt } = header else {
            return Err(StoreError::Damaged { what: format!("the header of {}", self.name(number)) });
        };
        let (file, path) = self.file(number)?;
        Ok(self.keep(file, path, number, salt))
    }

    /// The salt of a new segment.
    pub(crate) fn salt(&self) -> Result<u32, StoreError> {
        let doing = || "asking for a random number".to_owned();
        self.fs.salt().map_err(|source| StoreError::Io { doing: doing(), source })
    }

    /// Makes the segment `number` with its header alone, on the disk when this returns.
    pub(crate) fn create(&self, number: u32, salt: u32) -> Result<Arc<Segment>, StoreError> {
        let path = self.path(number);
        let file = self.fs.create(&path).doing("creating", &path)?;
        file.write_at(&self.header_bytes(number, salt), 0).doing("writing", &path)?;
        file.sync().doing("syncing", &path)?;
        self.fs.sync_dir(&self.dir).doing("syncing", &self.dir)?;
        Ok(self.keep(file, path, number, salt))
    }

    /// Removes a segment that has no frame; it stays away after a loss of power.
    pub(crate) fn remove(&self, number: u32) -> Result<(), StoreError> {
        let path = self.path(number);
        self.fs.remove(&path).doing("removing", &path)?;
        self.fs.sync_dir(&self.dir).doing("syncing", &self.dir)
    }

    /// Writes the last group of a segment once more, from `start` on, with the header if nothing comes before it.
    ///
    /// The group may be known to the page cache alone: its process was killed, or its fsync failed and left pages that pass
    /// for clean. So to fsync it without writing it would not do.
    pub(crate) fn write_again(&self, segment: &Segment, start: u32, group: &[u8]) -> Result<(), StoreError> {
        if start == HEADER {
            let header = self.header_bytes(segment.context.segment, segment.context.salt);
            segment.file.write_at(&header, 0).doing("writing", &segment.path)?;
        }
        segment.file.write_at(group, u64::from(start)).doing("writing", &segment.path)?;
        segment.file.sync().doing("syncing", &segment.path)
    }

    /// The bytes of a stretch.
    pub(crate) fn read(&self, place: Place, length: u32) -> Result<(Vec<u8>, Context), StoreError> {
        let segment = self.get(place.segment)?;
        let mut bytes = vec![0; length as usize];
        match segment.file.read_at(&mut bytes, u64::from(place.offset)) {
            Ok(()) => Ok((bytes, segment.context)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(place, "the file ends"))
            }
            Err(error) => Err(error).doing("reading", &segment.path),
        }
    }

    pub(crate) fn damaged(&self, place: Place, what: &str) -> StoreError {
        StoreError::Damaged { what: format!("{} at byte {}: {what}", self.name(place.segment), place.offset) }
    }

    fn file(&self, number: u32) -> Result<(Arc<dyn File>, PathBuf), StoreError> {
        let path = self.path(number);
        let file = self.fs.open(&path, self.access).doing("opening", &path)?;
        Ok((file.ok_or_else(|| StoreError::Missing { what: self.name(number) })?, path))
    }

    fn keep(&self, file: Arc<dyn File>, path: PathBuf, number: u32, salt: u32) -> Arc<Segment> {
        let segment = Arc::new(Segment { file, path, context: Context { family: self.family, segment: number, salt } });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= HANDLES {
            open.clear();
        }
        open.insert(number, Arc::clone(&segment));
        segment
    }

    pub(super) fn header_bytes(&self, number: u32, salt: u32) -> Vec<u8> {
        let mut copy = Vec::with_capacity(HEADER as usize);
        copy.extend(MAGIC);
        copy.extend(VERSION.to_be_bytes());
        copy.extend([self.family.number(), 0]);
        copy.extend(number.to_be_bytes());
        copy.extend(salt.to_be_bytes());
        copy.resize(COPY - 4, 0);
        copy.extend(crc32c::crc32c(&copy).to_be_bytes());
        copy.extend_from_within(..);
        copy
    }

    fn header(&self, bytes: &[u8; HEADER as usize], number: u32) -> Header {
        for copy in bytes.chunks_exact(COPY) {
            let (covered, checksum) = copy.split_at(COPY - 4);
            if crc32c::crc32c(covered).to_be_bytes() != checksum || covered[..8] != MAGIC {
                continue;
            }
            let version = u16::from_be_bytes([covered[8], covered[9]]);
            if version != VERSION {
                return Header::OtherVersion(version);
            }
            let salt = u32::from_be_bytes([covered[16], covered[17], covered[18], covered[19]]);
            if covered == &self.header_bytes(number, salt)[..COPY - 4] {
                return Header::Good { salt };
            }
        }
        Header::Damaged
    }
}
