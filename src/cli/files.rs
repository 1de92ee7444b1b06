//! Public files that commands read and write: charters, manifests, configs, evidence.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::report::{Exit, Failure};

/// Reads a whole file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
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
    let beside = beside(path);
    let written = File::create(&beside).and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
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
