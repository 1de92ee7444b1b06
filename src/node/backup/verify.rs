//! Checking a backup without restoring it: every byte is read again, and every log proved by its owner's checkpoint.

use std::fs;
use std::path::Path;

use super::{BackupError, CHARTER, Inventory, SUMS, Sums, prove};
use crate::disk;
use crate::encoding::hash::sha256;
use crate::node::open;

/// What a check has found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What the backup says of itself.
    pub inventory: Inventory,
    /// Files read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is not as it was written, or not there, in words.
    pub damaged: Vec<String>,
    /// What is whole and does not prove what it should, in words.
    pub unproved: Vec<String>,
}

impl Verified {
    /// Whether all is as it was written, and proves what it should.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.damaged.is_empty() && self.unproved.is_empty()
    }
}

/// Checks the backup at `path`. `progress` is told bytes read and bytes to read.
///
/// # Errors
/// [`BackupError`] if it is no backup, or cannot be read.
pub fn verify(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Verified, BackupError> {
    let inventory = Inventory::read(path)?;
    let sums = Sums::read(path)?;
    let mut verified = Verified { inventory, files: 0, bytes: 0, damaged: Vec::new(), unproved: Vec::new() };
    let total = verified.inventory.bytes;
    for (name, digest) in &sums.0 {
        match fs::read(path.join(name)) {
            Ok(bytes) if sha256(&bytes) == *digest => {
                verified.files += 1;
                verified.bytes += bytes.len() as u64;
            }
            Ok(_) => verified.damaged.push(format!("{name}: is not as it was written")),
            Err(error) => verified.damaged.push(format!("{name}: {error}")),
        }
        progress(verified.bytes.min(total), total);
    }
    for name in files(path, "")? {
        if name != SUMS && !sums.0.contains_key(&name) {
            verified.damaged.push(format!("{name}: does not belong to the backup"));
        }
    }
    if verified.damaged.is_empty() {
        logs(path, &mut verified, progress)?;
    }
    Ok(verified)
}

/// The segments as whoever restores them will read them, against the inventory and against what the owners have signed.
fn logs(path: &Path, verified: &mut Verified, progress: &mut dyn FnMut(u64, u64)) -> Result<(), BackupError> {
    let (store, report) = disk::backup::open(&path.join("data"), progress)?;
    let federation = open::federation(&path.join(CHARTER))?;
    let read = prove::read_again(&store, &report, &federation, &verified.inventory)?;
    verified.damaged.extend(read.damaged);
    verified.unproved.extend(read.unproved);
    if federation.id() != verified.inventory.federation {
        verified.unproved.push(format!("{CHARTER} is of another federation than the inventory says"));
    }
    if read.logs != verified.inventory.logs {
        verified.unproved.push("the logs do not go as far as the inventory says".to_owned());
    }
    Ok(())
}

/// The names of all files below a folder of the backup.
fn files(path: &Path, below: &str) -> Result<Vec<String>, BackupError> {
    let folder = path.join(below);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(BackupError::io("read", &folder))? {
        let entry = entry.map_err(BackupError::io("read", &folder))?;
        let own = entry.file_name().to_string_lossy().into_owned();
        let name = if below.is_empty() { own } else { format!("{below}/{own}") };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.extend(files(path, &name)?);
        } else {
            names.push(name);
        }
    }
    Ok(names)
}
