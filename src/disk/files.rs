//! The few file operations that everything here is made of, behind a trait so that tests can make each of them fail.

use std::fmt::Debug;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::ledger::StoreError;

/// An open file.
pub(crate) trait File: Debug + Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Fills `buffer` from `offset` on; an error if the file ends before.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Keeps room on the disk for `length` bytes from `offset` on, without making the file longer. An error where that is not to be had.
    fn reserve(&self, offset: u64, length: u64) -> io::Result<()>;
    /// Cuts the file to `length`.
    fn truncate(&self, length: u64) -> io::Result<()>;
    /// Returns once content and length are on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// A place where files are.
pub(crate) trait FileSystem: Debug + Send + Sync {
    /// Makes a directory with those above it, unless it is there.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes a file that is not there yet.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens a file; `None` if there is none.
    fn open(&self, path: &Path, access: Access) -> io::Result<Option<Arc<dyn File>>>;
    /// The names in a directory, in order; none if it is not there.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Returns once the names in the directory are on the disk.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that may still be written.
    fn free(&self, dir: &Path) -> io::Result<u64>;
    /// A number that nobody outside can foresee.
    fn salt(&self) -> io::Result<u32>;
    /// Whether two files may be written at once. Tests want one order of things.
    fn is_parallel(&self) -> bool;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RealFs;

impl FileSystem for RealFs {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Arc::new(file))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Option<Arc<dyn File>>> {
        match fs::OpenOptions::new().read(true).write(access == Access::Write).open(path) {
            Ok(file) => Ok(Some(Arc::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn free(&self, dir: &Path) -> io::Result<u64> {
        let space = rustix::fs::statvfs(dir)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn salt(&self) -> io::Result<u32> {
        getrandom::u32().map_err(io::Error::other)
    }

    fn is_parallel(&self) -> bool {
        true
    }
}

impl File for fs::File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    #[cfg(target_os = "linux")]
    fn reserve(&self, offset: u64, length: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        Ok(fallocate(self, FallocateFlags::KEEP_SIZE, offset, length)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn reserve(&self, _offset: u64, _length: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Says what was being done when the operating system refused.
pub(crate) trait Doing<T> {
    fn doing(self, what: &str, path: &Path) -> Result<T, StoreError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { doing: format!("{what} {}", path.display()), source })
    }
}
