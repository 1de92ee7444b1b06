//! A member's manifest: its logs, keys and addresses, signed by its root.
//!
//! ```text
//! ManifestDraft ─check─▶ Manifest ─root's signature─▶ SignedManifest ─follows the version held─▶ Federation
//! ```
//! A manifest never makes a member, which is the charter's matter, and never lets go of a log: entries stay for ever.
//!
//! Start with [`ManifestDraft`].

mod codec;
mod error;
mod signed;

pub use error::ManifestError;
pub use signed::SignedManifest;

use std::collections::{BTreeMap, BTreeSet};

use super::key::PublicKey;
use super::seal_key::SealPublicKey;
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::time::UnixTime;

/// Epochs for which one manifest may list a seal key; keeps a full charter file within its 8 MiB.
pub const SEAL_KEYS_MAX: usize = 24;
/// Transport keys of a member.
pub const TRANSPORTS_MAX: usize = 8;
/// Addresses of one transport key.
pub const ADDRESSES_MAX: usize = 8;
/// Bytes in an address.
pub const ADDRESS_BYTES_MAX: usize = 128;
/// Custodians that a member may name.
pub const CUSTODIANS_MAX: usize = 16;

/// A checked manifest. Made from a [`ManifestDraft`] or from signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest(ManifestDraft);

/// What goes into a manifest, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestDraft {
    /// Whose manifest it is.
    pub member: MemberCode,
    /// 1 for the first, then counted up by one.
    pub version: u64,
    /// SHA-256 of the payload of the version before; none in version 1.
    pub predecessor: Option<Digest>,
    /// When this version was drawn up.
    pub issued_at: UnixTime,
    /// The member's logs, in the order of their ordinals from 1 on. Entries stay for ever.
    pub logs: Vec<LogEntry>,
    /// The key that signs cosignatures.
    pub witness: PublicKey,
    /// The keys to which lanes are sealed, by epoch.
    pub seal_keys: BTreeMap<u32, SealPublicKey>,
    /// Transport keys with their addresses.
    pub transports: Vec<TransportEntry>,
    /// Members that may hold this member's bodies for it.
    pub custodians: BTreeSet<MemberCode>,
}

/// One log of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The only key that ever signs in it.
    pub key: PublicKey,
    /// When it was opened.
    pub opened: UnixTime,
    /// The size at which it was closed.
    pub closed: Option<u64>,
}

/// One network identity of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportEntry {
    /// The Ed25519 key of its libp2p identity.
    pub key: PublicKey,
    /// Multiaddresses as text, without the peer id; how they are reached is the network's matter.
    pub addresses: Vec<String>,
}

impl ManifestDraft {
    /// Checks everything that can be checked in one version by itself.
    ///
    /// # Errors
    /// [`ManifestError`], naming the first value that is out of bounds.
    pub fn check(self) -> Result<Manifest, ManifestError> {
        let member = self.member;
        let bounds = |field, good: bool| if good { Ok(()) } else { Err(ManifestError::Bounds { member, field }) };
        bounds("version", self.version >= 1 && self.version < 1 << 32)?;
        bounds("predecessor", self.predecessor.is_some() == (self.version > 1))?;
        bounds("number of logs", self.logs.len() <= usize::from(LogId::ORDINAL_MAX))?;
        bounds("number of seal keys", self.seal_keys.len() <= SEAL_KEYS_MAX)?;
        bounds("number of transports", self.transports.len() <= TRANSPORTS_MAX)?;
        for transport in &self.transports {
            bounds("number of addresses", transport.addresses.len() <= ADDRESSES_MAX)?;
            bounds("address", transport.addresses.iter().all(|address| is_address(address)))?;
        }
        bounds("custodians", self.custodians.len() <= CUSTODIANS_MAX && !self.custodians.contains(&member))?;
        let manifest = Manifest(self);
        let mut keys = BTreeSet::new();
        if !manifest.signing_keys().all(|key| keys.insert(*key)) {
            return Err(ManifestError::KeyUsedTwice { member });
        }
        let mut seal_keys = BTreeSet::new();
        if !manifest.seal_keys().values().all(|key| seal_keys.insert(key)) {
            return Err(ManifestError::KeyUsedTwice { member });
        }
        Ok(manifest)
    }
}

impl Manifest {
    /// Whose manifest it is.
    #[must_use]
    pub fn member(&self) -> MemberCode {
        self.0.member
    }

    /// The version, from 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// SHA-256 of the payload of the version before.
    #[must_use]
    pub fn predecessor(&self) -> Option<Digest> {
        self.0.predecessor
    }

    /// When this version was drawn up.
    #[must_use]
    pub fn issued_at(&self) -> UnixTime {
        self.0.issued_at
    }

    /// The member's logs with their ids, the closed ones included.
    pub fn logs(&self) -> impl Iterator<Item = (LogId, &LogEntry)> {
        (1..).zip(&self.0.logs).map(|(ordinal, entry)| (LogId { member: self.0.member, ordinal }, entry))
    }

    /// One log.
    #[must_use]
    pub fn log(&self, log: &LogId) -> Option<&LogEntry> {
        if log.member != self.0.member {
            return None;
        }
        self.0.logs.get(usize::from(log.ordinal).checked_sub(1)?)
    }

    /// The key that signs cosignatures.
    #[must_use]
    pub fn witness(&self) -> &PublicKey {
        &self.0.witness
    }

    /// The keys to which lanes are sealed, by epoch.
    #[must_use]
    pub fn seal_keys(&self) -> &BTreeMap<u32, SealPublicKey> {
        &self.0.seal_keys
    }

    /// Transport keys with their addresses.
    #[must_use]
    pub fn transports(&self) -> &[TransportEntry] {
        &self.0.transports
    }

    /// Members that may hold this member's bodies for it.
    #[must_use]
    pub fn custodians(&self) -> &BTreeSet<MemberCode> {
        &self.0.custodians
    }

    /// All Ed25519 keys in it: logs, witness, transports.
    pub(super) fn signing_keys(&self) -> impl Iterator<Item = &PublicKey> {
        let logs = self.0.logs.iter().map(|log| &log.key);
        let transports = self.0.transports.iter().map(|transport| &transport.key);
        logs.chain([&self.0.witness]).chain(transports)
    }

    /// A draft of the version that follows, as yet without changes.
    #[must_use]
    pub fn next_draft(&self, issued_at: UnixTime) -> ManifestDraft {
        ManifestDraft { version: self.0.version + 1, predecessor: Some(self.digest()), issued_at, ..self.0.clone() }
    }

    /// SHA-256 of the payload; the next version names it as its predecessor.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&self.encode())
    }
}

/// The form of a multiaddress, as far as it can be told without the network's code: printable ASCII that begins with a slash.
fn is_address(address: &str) -> bool {
    address.len() <= ADDRESS_BYTES_MAX
        && address.starts_with('/')
        && address.bytes().all(|byte| byte.is_ascii_graphic())
}
