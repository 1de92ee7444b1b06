//! The folder of a backup: finding it, and the digests of its files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{BackupError, FORMAT, INVENTORY, Inventory, SUMS};
use crate::encoding::hash::Digest;

/// The name that stands for the newest backup.
pub const LATEST: &str = "latest";

/// A backup in a folder of backups.
#[derive(Debug)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself, or why that cannot be read.
    pub inventory: Result<Inventory, BackupError>,
}

/// The digests of the files of a backup, by their names in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(pub BTreeMap<String, Digest>);

impl Sums {
    /// In the form of `sha256sum`.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
    }

    /// Reads them, of the backup at `path`. A name leads nowhere outside of it.
    ///
    /// # Errors
    /// [`BackupError::NotABackup`] if they are not there, or are none.
    pub fn read(path: &Path) -> Result<Self, BackupError> {
        let none = |what: String| BackupError::NotABackup { path: path.to_owned(), what };
        let text = fs::read_to_string(path.join(SUMS)).map_err(|error| none(format!("{SUMS}: {error}")))?;
        let mut sums = BTreeMap::new();
        for line in text.lines() {
            let read = line.split_once("  ").and_then(|(digest, name)| Some((name.to_owned(), digest.parse().ok()?)));
            let is_inside = |name: &str| name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
            let (name, digest) = read
                .filter(|(name, _)| is_inside(name))
                .ok_or_else(|| none(format!("{SUMS} has a line that is none")))?;
            sums.insert(name, digest);
        }
        Ok(Self(sums))
    }

    /// The names below a folder of the backup, with the folder left off.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Digest)> {
        let strip = move |name: &'a str| name.strip_prefix(folder)?.strip_prefix('/');
        self.0.iter().filter_map(move |(name, digest)| Some((strip(name)?, digest)))
    }
}

impl Inventory {
    /// Reads the inventory of the backup at `path`.
    ///
    /// # Errors
    /// [`BackupError::NotABackup`], or [`BackupError::Newer`] if a newer version of the program made it.
    pub fn read(path: &Path) -> Result<Self, BackupError> {
        let none = |what: String| BackupError::NotABackup { path: path.to_owned(), what };
        let bytes = fs::read(path.join(INVENTORY)).map_err(|error| none(format!("{INVENTORY}: {error}")))?;
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| none(format!("{INVENTORY}: {error}")))?;
        // What a later version says besides is its own matter.
        let found = value["format"].as_u64().and_then(|format| u16::try_from(format).ok());
        if let Some(found) = found.filter(|found| *found > FORMAT) {
            let program = value["program"].as_str().unwrap_or("of a later version").to_owned();
            return Err(BackupError::Newer { path: path.to_owned(), found, program });
        }
        serde_json::from_value(value).map_err(|error| none(format!("{INVENTORY}: {error}")))
    }
}

/// The backups in a folder, the oldest first; those that cannot be read come before all others. What is still being made has a name with a
/// point before it, and is none yet.
///
/// # Errors
/// [`BackupError::Io`] if the folder cannot be read. A folder that is not there has none.
pub fn list(dir: &Path) -> Result<Vec<Found>, BackupError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BackupError::io("read", dir))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(BackupError::io("read", dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') {
            found.push(Found { inventory: Inventory::read(&path), name, path });
        }
    }
    let made = |found: &Found| found.inventory.as_ref().ok().map(|inventory| inventory.created_at);
    found.sort_by(|a, b| made(a).cmp(&made(b)).then_with(|| a.name.cmp(&b.name)));
    Ok(found)
}

/// The backup of this name in a folder, the newest, or the one at this path.
///
/// # Errors
/// [`BackupError::Absent`] if there is none.
pub fn find(dir: &Path, name: &str) -> Result<PathBuf, BackupError> {
    let absent = |what: &str| BackupError::Absent { what: what.to_owned(), dir: dir.to_owned() };
    if name == LATEST {
        let newest = list(dir)?.into_iter().rev().find(|found| found.inventory.is_ok());
        return newest.map(|found| found.path).ok_or_else(|| absent("that can be read"));
    }
    let places = [dir.join(name), PathBuf::from(name)];
    places.into_iter().find(|path| path.is_dir()).ok_or_else(|| absent(name))
}
