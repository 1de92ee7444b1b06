//! A rehearsal: a backup is put back into a scratch folder, opened as a node opens it, proved, and its newest records are read.

use std::fs;
use std::path::{Path, PathBuf};

use super::{BackupError, Inventory, LogAt, prove, restore};
use crate::disk::DiskStore;
use crate::encoding::ids::RecordId;
use crate::ledger::Store as _;
use crate::node::config::Config;
use crate::node::keys::{Access, KeyFolder, KeyName, Passphrase};
use crate::node::{open, private};
use crate::protocol::view::View;

/// Own records that are opened: the newest.
const RECORDS: u64 = 100;

/// What the rehearsal has shown.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// What the backup says of itself.
    pub inventory: Inventory,
    /// Bytes put back.
    pub bytes: u64,
    /// How far the logs go that were put back.
    pub logs: Vec<LogAt>,
    /// Newest own records that were opened with the keys of the backup, and how many were tried; none if there was no passphrase, or no
    /// keys.
    pub opened: Option<(u64, u64)>,
    /// What is not as it must be, in words.
    pub faults: Vec<String>,
}

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty folder in `dir`.
    ///
    /// # Errors
    /// [`BackupError`] if it cannot be made.
    pub fn new(dir: &Path) -> Result<Self, BackupError> {
        let random =
            getrandom::u64().map_err(|error| BackupError::io("name a folder in", dir)(std::io::Error::other(error)))?;
        let path = dir.join(format!("shieldwall-drill-{random:016x}"));
        private::create_folder(&path)?;
        Ok(Self { path })
    }

    /// `config` with everything that is restored in this folder.
    #[must_use]
    pub fn of(&self, config: &Config) -> Config {
        let watch = crate::node::config::Watch { risk_policy: None, lists: None, ..config.watch.clone() };
        Config {
            data_dir: self.path.join("data"),
            keys_dir: self.path.join("keys"),
            charter: self.path.join("charter.cose"),
            watch,
            ..config.clone()
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Puts the backup at `path` back where `scratch` says, which is nowhere near the node's own folders, and looks at what came of it.
///
/// # Errors
/// [`BackupError`] if it cannot be put back or opened at all.
pub fn rehearse(
    path: &Path,
    scratch: &Config,
    passphrase: Option<&Passphrase>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rehearsed, BackupError> {
    let restored = restore(path, scratch, progress)?;
    let (store, report) = DiskStore::open(&scratch.data_dir, 0, progress)?;
    let federation = open::federation(&scratch.charter)?;
    let read = prove::read_again(&store, &report, &federation, &restored.inventory)?;
    let (logs, mut faults) = (read.logs, read.unproved);
    faults.extend(read.damaged);
    if logs != restored.inventory.logs {
        faults.push("the logs that were put back do not go as far as the inventory says".to_owned());
    }
    let opened = opened(&store, scratch, &federation, passphrase, &restored.inventory)?;
    if let Some((opened, tried)) = opened.filter(|(opened, tried)| opened < tried) {
        faults.push(format!("of the newest {tried} own records {opened} open"));
    }
    Ok(Rehearsed { inventory: restored.inventory, bytes: restored.bytes, logs, opened, faults })
}

/// Whether the keys of the backup open what they should: the newest records of the own log.
fn opened(
    store: &DiskStore,
    scratch: &Config,
    federation: &crate::identity::Federation,
    passphrase: Option<&Passphrase>,
    inventory: &Inventory,
) -> Result<Option<(u64, u64)>, BackupError> {
    let names = open::seal_key_names(federation, scratch.member);
    let (Some(log), false) = (inventory.own_log, inventory.keys.is_empty()) else { return Ok(None) };
    let folder = KeyFolder::open(&scratch.keys_dir)?;
    let needs = folder.needs_passphrase(&names)?;
    if needs && passphrase.is_none() {
        return Ok(None);
    }
    let access = Access { passphrase, allow_unprotected: scratch.insecure_dev_keys };
    // These as well: a restored node does not start without them.
    let more = [KeyName::Witness(scratch.member), KeyName::Transport];
    folder.read_all(&more, access)?;
    let seeds = folder.read_all(&names, access)?;
    let me = open::myself(scratch.member, log, &names, &seeds, false);
    let view = View::new(store, federation, &me);
    let (mut opened, mut tried) = (0, 0);
    for position in (0..store.size(&log)).rev().take(usize::try_from(RECORDS).unwrap_or(usize::MAX)) {
        let id = RecordId::new(log, position);
        // A record whose body is not in the backup has none to open: one may have been fetched as a statement alone.
        let Some(record) = view.record(id)?.filter(|record| !record.is_lanes()) else { continue };
        if view.body(id)?.is_some() {
            tried += 1;
            opened += u64::from(!record.body.content.is_empty());
        }
    }
    Ok(Some((opened, tried)))
}
