//! From a config to a node that could run: the charter is verified, the store opened, the core loaded.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::{DiskStore, OpenError, Report};
use crate::encoding::ids::{LogId, MemberCode};
use crate::identity::published::PublishedError;
use crate::identity::{Federation, FederationError, MemberStatus, Published, SealSecretKey};
use crate::ledger::StoreError;
use crate::protocol::{self, Myself};

use super::approvals::kept_charter;
use super::config::Config;
use super::keys::{KeyFolder, KeyName, Seed};

/// Why a node cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenNodeError {
    /// The charter's file cannot be read.
    #[error("cannot read the charter {}", .path.display())]
    NoCharter {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The charter's file is not one.
    #[error("{} is not a charter file", .path.display())]
    NotACharter {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: PublishedError,
    },
    /// The charter or a manifest in its file does not verify.
    #[error("the charter in {} does not verify", .path.display())]
    BadCharter {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: FederationError,
    },
    /// The config's member is not one of the federation.
    #[error("{member} is not a member in {}, or was removed", .path.display())]
    NotAMember {
        /// The member.
        member: MemberCode,
        /// The charter's file.
        path: PathBuf,
    },
    /// The manifest lists no open log of the member.
    #[error("the manifest of {0} lists no log that is still open; sign a manifest that opens the next one")]
    NoLog(MemberCode),
    /// The data folder cannot be opened.
    #[error(transparent)]
    Disk(#[from] OpenError),
    /// The data cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The federation as the charter's file gives it.
///
/// # Errors
/// [`OpenNodeError`] if there is none, or it does not verify.
pub fn federation(path: &Path) -> Result<Federation, OpenNodeError> {
    let path = path.to_owned();
    let bytes = fs::read(&path).map_err(|source| OpenNodeError::NoCharter { path: path.clone(), source })?;
    let published =
        Published::decode(&bytes).map_err(|source| OpenNodeError::NotACharter { path: path.clone(), source })?;
    published.verify().map_err(|source| OpenNodeError::BadCharter { path, source })
}

/// The log that the member signs: its newest that is not closed.
///
/// # Errors
/// [`OpenNodeError::NotAMember`] or [`OpenNodeError::NoLog`].
pub fn own_log(config: &Config, federation: &Federation) -> Result<LogId, OpenNodeError> {
    let member = config.member;
    let not_a_member = || OpenNodeError::NotAMember { member, path: config.charter.clone() };
    // A suspended member's node runs on: it can be read, and is readmitted without a restart.
    if federation.member(member).is_none_or(|member| member.status == MemberStatus::Removed) {
        return Err(not_a_member());
    }
    let manifest = federation.manifest(member).ok_or_else(not_a_member)?;
    let open = manifest.logs().filter(|(_, entry)| entry.closed.is_none()).map(|(log, _)| log).last();
    open.ok_or(OpenNodeError::NoLog(member))
}

/// Opens the data folder for a node, and takes its lock.
///
/// # Errors
/// [`OpenError`].
pub fn store(config: &Config, mut progress: impl FnMut(u64, u64)) -> Result<(DiskStore, Report), OpenError> {
    let low_water = u64::from(config.limits.free_space_min_mb) << 20;
    DiskStore::open(&config.data_dir, low_water, &mut progress)
}

/// The newest knowledge of the federation: the charter's file, and what peers have told since. Where publishing a charter needs a second person,
/// what the node went by takes the place of the file: whoever could put another one there would need nobody.
///
/// # Errors
/// [`OpenNodeError`].
pub fn current_federation(config: &Config, store: &DiskStore) -> Result<Federation, OpenNodeError> {
    let kept = Some(&config.data_dir).filter(|_| config.approvals.charters).and_then(|data| kept_charter(data));
    let kept = kept.and_then(|file| Published::decode(&file).ok()?.verify().ok());
    let Some(kept) = kept else { return Ok(protocol::current_federation(store, federation(&config.charter)?)?) };
    let held = protocol::current_federation(store, kept)?;
    if federation(&config.charter).is_ok_and(|file| file.id() != held.id() || is_news(&held, &file)) {
        tracing::warn!(
            file = %config.charter.display(),
            "the charter's file is not what this node goes by; it is not taken up: `shieldwall charter publish`, and a second person"
        );
    }
    Ok(held)
}

/// Whether a charter's file holds anything that is not held.
fn is_news(held: &Federation, file: &Federation) -> bool {
    !matches!(held.with_published(file.published()), Ok(None))
}

/// The names of the seal keys that the member's manifest lists.
#[must_use]
pub fn seal_key_names(federation: &Federation, member: MemberCode) -> Vec<KeyName> {
    let manifest = federation.manifest(member).into_iter();
    manifest.flat_map(|manifest| manifest.seal_keys().keys().copied().map(KeyName::Seal)).collect()
}

/// The key files that a node must have: those of the log that it signs and of the member's seal keys as far as these are known.
#[must_use]
pub fn key_files(
    config: &Config,
    federation: Option<&Federation>,
    own: Option<LogId>,
    folder: &KeyFolder,
) -> Vec<KeyName> {
    let mut names = vec![KeyName::Transport, KeyName::Witness(config.member)];
    let here = |log: &LogId| config.signer.is_none() && !is_in_token(config, *log, folder);
    names.extend(own.filter(here).map(KeyName::Log));
    names.extend(federation.into_iter().flat_map(|federation| seal_key_names(federation, config.member)));
    names
}

/// Whether a log's key has no file because it lies in the token; only the token can try it.
#[must_use]
pub fn is_in_token(config: &Config, log: LogId, folder: &KeyFolder) -> bool {
    config.hsm.is_some() && config.signer.is_none() && !folder.holds(&KeyName::Log(log))
}

/// Who the node is, with the keys that open lanes.
#[must_use]
pub fn myself(member: MemberCode, log: LogId, names: &[KeyName], seeds: &[Seed], guard_intact: bool) -> Myself {
    let seal_keys: BTreeMap<u32, SealSecretKey> = names
        .iter()
        .zip(seeds)
        .filter_map(|(name, seed)| Some((name.seal_epoch()?, SealSecretKey::from_seed(seed.expose()))))
        .collect();
    Myself { member, log, seal_keys, guard_intact }
}
