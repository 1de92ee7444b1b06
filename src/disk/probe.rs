//! Doors to what reads the bytes of files, for fuzzing: any bytes at all may lie in a file after a fault.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{Access, File, FileSystem};
use super::frame::{self, Context};
use super::guard::{self, Guard, GuardRefusal};
use super::segment::{Family, HEADER, Segments};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::ledger::Frame;

const CONTEXT: Context = Context { family: Family::Statements, segment: 1, salt: 0x5a17_5a17 };

/// The frames found in a stretch of a segment, and how many stretches are none.
#[must_use]
pub fn scan(bytes: &[u8]) -> (Vec<Frame>, usize) {
    let found = frame::scan(bytes, CONTEXT, HEADER);
    let frames = found.frames.iter();
    let owned = frames.map(|parsed| Frame { key: parsed.key, at: parsed.at, bytes: parsed.content.to_vec() });
    (owned.collect(), found.holes.len())
}

/// The same frames one after the other, as [`scan`] finds them.
#[must_use]
pub fn stretch(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        let offset = HEADER + u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        frame::write(&mut bytes, CONTEXT, offset, HEADER, frame);
    }
    bytes
}

/// Whether a segment's file begins with a good header.
#[must_use]
pub fn has_good_header(bytes: &[u8]) -> bool {
    let fs = Arc::new(One::new(bytes));
    let segments = Segments::new(fs, Path::new("/"), Family::Statements, Access::Read);
    segments.get(1).is_ok()
}

/// The header of such a file.
#[must_use]
pub fn segment_header() -> Vec<u8> {
    let segments = Segments::new(Arc::new(One::new(&[])), Path::new("/"), Family::Statements, Access::Read);
    segments.header_bytes(1, CONTEXT.salt)
}

/// Opens a guard's file; gives the highest position in it.
///
/// # Errors
/// [`GuardRefusal`] if it is not as a guard was written.
pub fn open_guard(bytes: &[u8], log: LogId) -> Result<Option<u64>, GuardRefusal> {
    let opened: Result<Guard, GuardRefusal> = guard::open(&One::new(bytes), Path::new("/"), log, &Digest::ZERO, false);
    let guard = opened?;
    let highest = guard.highest();
    if let Some(position) = highest {
        guard.recorded(position)?;
    }
    Ok(highest)
}

/// The file of a guard that has allowed these.
#[must_use]
pub fn guard_file(log: LogId, digests: &[Digest]) -> Vec<u8> {
    let mut bytes = guard::header(log, &Digest::ZERO).to_vec();
    for (position, digest) in (0_u64..).zip(digests) {
        bytes.extend(guard::frame(position, digest));
    }
    bytes
}

/// A file system of one file in memory, whatever its path.
#[derive(Debug)]
struct One(Arc<InMemory>);

#[derive(Debug)]
struct InMemory(Mutex<Vec<u8>>);

impl One {
    fn new(bytes: &[u8]) -> Self {
        Self(Arc::new(InMemory(Mutex::new(bytes.to_vec()))))
    }
}

impl FileSystem for One {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, _: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.0.clone())
    }

    fn open(&self, _: &Path, _: Access) -> io::Result<Option<Arc<dyn File>>> {
        Ok(Some(self.0.clone()))
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn salt(&self) -> io::Result<u32> {
        Ok(CONTEXT.salt)
    }

    fn is_parallel(&self) -> bool {
        false
    }
}

impl InMemory {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl File for InMemory {
    fn length(&self) -> io::Result<u64> {
        Ok(self.with(|bytes| bytes.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.with(|bytes| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let end = start.saturating_add(buffer.len());
            let part = bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(part);
            Ok(())
        })
    }

    fn write_at(&self, part: &[u8], offset: u64) -> io::Result<()> {
        self.with(|bytes| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            bytes.resize(bytes.len().max(start + part.len()), 0);
            bytes[start..start + part.len()].copy_from_slice(part);
        });
        Ok(())
    }

    fn reserve(&self, _offset: u64, _length: u64) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.with(|bytes| bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX)));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
