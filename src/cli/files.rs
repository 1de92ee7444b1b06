//! Public files that commands read and write: charters, manifests, configs, evidence.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::OFlags;

use super::report::{Exit, Failure};

/// Reads a whole file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
}

/// Reads a document that somebody else has made: a plain file of at most so many bytes. A pipe would never end, and some devices
/// neither.
///
/// # Errors
/// If it is something else, is longer, or cannot be read.
pub(super) fn read_plain(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // Without waiting: opening a pipe that nobody writes to would not return.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut bytes = Vec::new();
    // One more than is allowed: it may grow while it is read.
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Writes a file that must not be there.
///
/// # Errors
/// With [`Exit::Initialised`] if it is.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    if opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        return Err(Failure::new(Exit::Initialised, format!("{} exists already", path.display())));
    }
    let written = opened.and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    Ok(written.with_context(|| format!("cannot write {}", path.display()))?)
}

/// Puts a new content in place of a file's, in one step: a reader sees the old one or the new one.
///
/// # Errors
/// If it cannot be written.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    put(path, content, OpenOptions::new().write(true).create(true).truncate(true))
}

/// As [`replace`], for what only this user should read: it was sealed before.
///
/// # Errors
/// If it cannot be written.
pub(super) fn replace_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    put(path, content, OpenOptions::new().write(true).create_new(true).mode(0o600))
}

fn put(path: &Path, content: &[u8], options: &OpenOptions) -> Result<(), Failure> {
    let beside = beside(path);
    let written = options.open(&beside).and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    let replaced = written.and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        // The write error is what counts.
        drop(fs::remove_file(&beside));
    }
    Ok(replaced.with_context(|| format!("cannot write {}", path.display()))?)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}
