//! Backups: what only this node has, copied while it works, into a folder that says what is in it and can be checked without being restored.
//!
//! ```text
//! GE-20261127T013000Z/
//!   backup.json      whose, when, by which program, how far each log goes
//!   SHA256SUMS       a digest for every other file, in the form of `sha256sum`
//!   charter.cose     the charter and the manifests, as the node knew them
//!   config/          the config, the risk policy and the lists
//!   data/            segments, what officers did, the audit log
//!   keys/            keys that open, cosign and connect, encrypted as they lie on the disk
//! ```
//!
//! Never in it: a key that signs a log, the signer guard, a root, the passphrase, passwords. So no backup can sign a second history; what is
//! restored goes on in the member's next log.
//!
//! Start with [`create`]; [`Inventory`] is `backup.json`.

mod create;
mod drill;
mod folder;
mod prove;
mod restore;
mod verify;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::keys::KeyFileError;
use super::open::OpenNodeError;
use super::private::PrivateError;
use crate::disk::OpenError;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{FederationId, LogId, MemberCode};
use crate::encoding::time::UnixTime;
use crate::ledger::StoreError;

pub use create::{Created, Wanted, create};
pub use drill::{Rehearsed, Scratch, rehearse};
pub use folder::{Found, LATEST, Sums, find, list};
pub use prove::LogAt;
pub use restore::{Restored, restore};
pub use verify::{Verified, verify};

/// The form of backups that this program makes, and the newest that it reads.
pub const FORMAT: u16 = 1;

/// The name of the inventory.
pub const INVENTORY: &str = "backup.json";
/// The name of the list of digests.
pub const SUMS: &str = "SHA256SUMS";
/// The name of the charter's file.
pub const CHARTER: &str = "charter.cose";
/// The name of the config's file, in the folder `config`.
pub const CONFIG: &str = "config/shieldwall.toml";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The form of the backup.
    pub format: u16,
    /// The version of the program that made it.
    pub program: String,
    /// Whose it is.
    pub member: MemberCode,
    /// Of which federation.
    pub federation: FederationId,
    /// When it was begun, by this machine's clock.
    pub created_at: UnixTime,
    /// The version of the charter in it.
    pub charter_version: u64,
    /// The log that the node signed then; none if all were closed.
    pub own_log: Option<LogId>,
    /// How far each log goes.
    pub logs: Vec<LogAt>,
    /// Bytes in all files but this and the digests.
    pub bytes: u64,
    /// The files of the keys in it.
    pub keys: Vec<String>,
    /// What was damaged when it was copied, in words.
    pub damage: Vec<String>,
}

impl Inventory {
    /// Statements in it.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.logs.iter().map(|log| log.size).sum()
    }

    /// One digest for how far all logs go.
    #[must_use]
    pub fn ledger(&self) -> Digest {
        prove::ledger(&self.logs)
    }
}

/// Why a backup cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is none, or none of this name.
    #[error("there is no backup {what} in {}", .dir.display())]
    Absent {
        /// Which.
        what: String,
        /// Where.
        dir: PathBuf,
    },
    /// The folder is none.
    #[error("{} is no backup: {what}", .path.display())]
    NotABackup {
        /// The folder.
        path: PathBuf,
        /// Why not.
        what: String,
    },
    /// A newer version of the program made it.
    #[error(
        "{} was made by shieldwall {program} in format {found}; this is shieldwall {own}, which knows format {known}",
        .path.display(), own = env!("CARGO_PKG_VERSION"), known = FORMAT
    )]
    Newer {
        /// The backup.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The version of the program that made it.
        program: String,
    },
    /// It is another member's.
    #[error("{} is a backup of {found}, not of {wanted}", .path.display())]
    OtherMember {
        /// The backup.
        path: PathBuf,
        /// Whose it is.
        found: MemberCode,
        /// Whose it should be.
        wanted: MemberCode,
    },
    /// Something stands where it would be restored.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A file in it is not as it was written.
    #[error("{} is not as it was written", .0.display())]
    Changed(PathBuf),
    /// There is too little room.
    #[error("{} has room for {free} bytes, {needed} are needed", .dir.display())]
    NoRoom {
        /// The folder.
        dir: PathBuf,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The node's folder cannot be read.
    #[error(transparent)]
    Node(#[from] OpenNodeError),
    /// The segments cannot be read.
    #[error(transparent)]
    Disk(#[from] OpenError),
    /// The data cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key's file cannot be copied.
    #[error("a key cannot be backed up")]
    Key(#[from] KeyFileError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The system failed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl BackupError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Refuses to write what does not fit.
fn check_room(dir: &Path, needed: u64) -> Result<(), BackupError> {
    let space =
        rustix::fs::statvfs(dir).map_err(|error| BackupError::io("ask for the free space of", dir)(error.into()))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if free < needed { Err(BackupError::NoRoom { dir: dir.to_owned(), needed, free }) } else { Ok(()) }
}
