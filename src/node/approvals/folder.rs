//! The folder `approvals` in the data folder: one file for each request that waits or is over, and beside those that wait what is asked.
//!
//! ```text
//! 0000000017.json      who asked, who agreed, where it stands
//! 0000000017.request   what is asked, byte for byte; gone once it is over
//! policy               what needs a second person, in words, when the node last started
//! charter.cose         the charter that the node goes by, where publishing one needs a second person
//! ```
//!
//! Each file is written beside its place, synced, and moved there. What is damaged is put aside and counts as nothing: nobody agreed to it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::state::{How, Item, Stands};
use crate::encoding::hash::sha256;
use crate::encoding::time::UnixTime;
use crate::node::private::{self, PrivateError};

/// The name of the folder in the data folder.
pub const FOLDER: &str = "approvals";
const CHARTER: &str = "charter.cose";
const POLICY: &str = "policy";
/// Of a file that says where a request stands: names and a reason.
const ITEM_MAX: u64 = 64 << 10;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not private, or cannot be made.
    #[error("the folder of what needs a second person must belong to the node alone")]
    Private(#[from] PrivateError),
    /// A file in it cannot be written.
    #[error(transparent)]
    Write(PrivateError),
    /// The file system failed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// The open folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens the folder in a data folder; makes it if `make` says so. `None` if there is none.
    pub(super) fn open(data: &Path, make: bool) -> Result<Option<Self>, FolderError> {
        let path = data.join(FOLDER);
        if !make && path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        private::create_folder(&path)?;
        sync_folder(data)?;
        Ok(Some(Self { path }))
    }

    /// Reads what is kept. Of what waits, what is asked must be there as it was asked; what was being carried out when the node ended is over.
    /// Gives also those that are to be written anew.
    pub(super) fn load(&self, now: UnixTime) -> Result<(Vec<Item>, Vec<Item>), FolderError> {
        let (mut items, mut anew) = (Vec::new(), Vec::new());
        let listed = fs::read_dir(&self.path).map_err(|source| fault("list", &self.path, source))?;
        let mut paths = Vec::new();
        for entry in listed {
            paths.push(entry.map_err(|source| fault("list", &self.path, source))?.path());
        }
        paths.sort();
        for path in paths {
            let ending = path.extension().and_then(|ending| ending.to_str());
            if ending == Some("new") {
                remove(&path)?;
                continue;
            }
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let Some(number) = stem.and_then(|stem| stem.parse::<u64>().ok()) else { continue };
            match ending {
                Some("json") => match self.item(&path, number)? {
                    Some(item) => {
                        let over = |note: &str| item.closed(How::Failed, now, note.to_owned());
                        let kept = match &item.stands {
                            Stands::Closed { .. } => None,
                            Stands::Running => Some(item.closed(
                                How::Unknown,
                                now,
                                "the node ended while it was carried out; the ledger shows whether it was".to_owned(),
                            )),
                            Stands::Waiting if self.request(&item)?.is_none() => {
                                Some(over("what was asked is not on the disk any more as it was"))
                            }
                            Stands::Waiting => None,
                        };
                        anew.extend(kept.clone());
                        items.push(kept.unwrap_or(item));
                    }
                    None => {
                        let aside = path.with_extension("json.damaged");
                        tracing::error!(file = %aside.display(), "a request that waited for a second person is damaged and put aside");
                        fs::rename(&path, &aside).map_err(|source| fault("put aside", &path, source))?;
                    }
                },
                // Nobody was told that it waits, or it is over.
                Some("request") if !path.with_extension("json").exists() => remove(&path)?,
                Some(_) | None => {}
            }
        }
        Ok((items, anew))
    }

    /// Keeps where a request stands: when this returns, it is on the disk. What is asked goes once it is over.
    pub(super) fn keep(&self, item: &Item) -> Result<(), FolderError> {
        let bytes = serde_json::to_vec(item).map_err(|error| fault("write", &self.path, io::Error::other(error)))?;
        self.write(&format!("{:010}.json", item.number), &bytes)?;
        if item.is_closed() { remove(&self.request_path(item.number)) } else { Ok(()) }
    }

    /// Keeps what is asked, before anything says that it waits.
    pub(super) fn keep_request(&self, number: u64, bytes: &[u8]) -> Result<(), FolderError> {
        self.write(&format!("{number:010}.request"), bytes)
    }

    /// What is asked; `None` if that is not what was asked, or not there.
    pub(super) fn request(&self, item: &Item) -> Result<Option<Vec<u8>>, FolderError> {
        let path = self.request_path(item.number);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() == item.bytes => {}
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(fault("examine", &path, source)),
        }
        let bytes = fs::read(&path).map_err(|source| fault("read", &path, source))?;
        Ok(Some(bytes).filter(|bytes| sha256(bytes) == item.digest))
    }

    /// Forgets one that is over.
    pub(super) fn forget(&self, number: u64) -> Result<(), FolderError> {
        remove(&self.path.join(format!("{number:010}.json")))
    }

    /// What needed a second person when the node last started.
    pub(super) fn policy(&self) -> Option<String> {
        fs::read_to_string(self.path.join(POLICY)).ok()
    }

    /// Keeps what needs one now.
    pub(super) fn keep_policy(&self, text: &str) -> Result<(), FolderError> {
        self.write(POLICY, text.as_bytes())
    }

    /// Keeps the charter that the node goes by.
    pub(super) fn keep_charter(&self, file: &[u8]) -> Result<(), FolderError> {
        let path = self.path.join(CHARTER);
        // It is written after every start, and changes once in months.
        if fs::read(&path).is_ok_and(|held| held == file) { Ok(()) } else { self.write(CHARTER, file) }
    }

    fn item(&self, path: &Path, number: u64) -> Result<Option<Item>, FolderError> {
        let length = fs::metadata(path).map_err(|source| fault("examine", path, source))?.len();
        if length > ITEM_MAX {
            return Ok(None);
        }
        let bytes = fs::read(path).map_err(|source| fault("read", path, source))?;
        Ok(serde_json::from_slice(&bytes).ok().filter(|item: &Item| item.number == number))
    }

    fn request_path(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:010}.request"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        private::replace(&self.path.join(name), bytes).map_err(FolderError::Write)
    }
}

/// The charter file that a node went by when publishing one needed a second person; `None` if it never did.
#[must_use]
pub fn kept_charter(data: &Path) -> Option<Vec<u8>> {
    fs::read(data.join(FOLDER).join(CHARTER)).ok()
}

fn remove(path: &Path) -> Result<(), FolderError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|source| fault("remove", path, source)),
    }
}

fn sync_folder(path: &Path) -> Result<(), FolderError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|source| fault("sync", path, source))
}

fn fault(action: &'static str, path: &Path, source: io::Error) -> FolderError {
    FolderError::Io { action, path: path.to_owned(), source }
}
