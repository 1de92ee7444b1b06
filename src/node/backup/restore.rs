//! Putting a backup back, onto a machine that lost what it had.

use std::fs;
use std::path::{Path, PathBuf};

use super::{BackupError, CHARTER, Inventory, Sums, check_room};
use crate::encoding::hash::{Digest, sha256};
use crate::node::config::Config;
use crate::node::keys::KeyFolder;
use crate::node::private;

/// The segments stand under this name until all of them are there.
const UNFINISHED: &str = "segments.unfinished";

/// What was put back.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub inventory: Inventory,
    /// Files written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Keys and charter that were there already, and were left as they are.
    pub kept: Vec<PathBuf>,
}

/// Puts the backup at `path` back where `config` says: the data into a folder that must be empty, keys and charter where there are none.
/// Each file is checked as it is read. There is no guard and no key of a log in it: what is restored signs nothing before its member's
/// next log is opened.
///
/// # Errors
/// [`BackupError`]. What an interruption leaves is no data folder: it has no segments.
pub fn restore(path: &Path, config: &Config, progress: &mut dyn FnMut(u64, u64)) -> Result<Restored, BackupError> {
    let inventory = Inventory::read(path)?;
    let sums = Sums::read(path)?;
    if inventory.member != config.member {
        let (found, wanted) = (inventory.member, config.member);
        return Err(BackupError::OtherMember { path: path.to_owned(), found, wanted });
    }
    let data = &config.data_dir;
    make_empty(data)?;
    check_room(data, inventory.bytes)?;
    let segments = data.join(UNFINISHED);
    private::create_folder(&segments)?;
    let mut restored = Restored { inventory, files: 0, bytes: 0, kept: Vec::new() };
    let total = restored.inventory.bytes;
    for (name, digest) in sums.below("data") {
        let to = match name.strip_prefix("segments/") {
            Some(segment) => segments.join(segment),
            None => data.join(name),
        };
        if let Some(folder) = to.parent() {
            private::create_folder(folder)?;
        }
        restored.put(&path.join("data").join(name), &to, digest)?;
        progress(restored.bytes.min(total), total);
    }
    for (name, digest) in sums.below("keys") {
        KeyFolder::create(&config.keys_dir)?;
        restored.put_if_absent(&path.join("keys").join(name), &config.keys_dir.join(name), digest)?;
    }
    if let Some(digest) = sums.0.get(CHARTER) {
        restored.put_if_absent(&path.join(CHARTER), &config.charter, digest)?;
    }
    let policies = [(&config.watch.risk_policy, "risk.toml"), (&config.watch.lists, "lists.toml")];
    for (to, name) in policies {
        if let (Some(to), Some(digest)) = (to, sums.0.get(&format!("config/{name}"))) {
            restored.put_if_absent(&path.join("config").join(name), to, digest)?;
        }
    }
    private::move_file(&segments, &data.join("segments"))?;
    Ok(restored)
}

impl Restored {
    fn put(&mut self, from: &Path, to: &Path, digest: &Digest) -> Result<(), BackupError> {
        let bytes = fs::read(from).map_err(BackupError::io("read", from))?;
        if sha256(&bytes) != *digest {
            return Err(BackupError::Changed(from.to_owned()));
        }
        private::write_new(to, &bytes)?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn put_if_absent(&mut self, from: &Path, to: &Path, digest: &Digest) -> Result<(), BackupError> {
        if to.symlink_metadata().is_ok() {
            self.kept.push(to.to_owned());
            return Ok(());
        }
        if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(BackupError::io("make", folder))?;
        }
        self.put(from, to, digest)
    }
}

/// Makes the data folder, or takes one that is there and has nothing in it.
fn make_empty(dir: &Path) -> Result<(), BackupError> {
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(BackupError::io("make", parent))?;
    }
    private::create_folder(dir)?;
    let mut entries = fs::read_dir(dir).map_err(BackupError::io("read", dir))?;
    if entries.next().is_some() { Err(BackupError::NotEmpty(dir.to_owned())) } else { Ok(()) }
}
