//! A member's manifest: its logs, keys and addresses, signed by its root.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{KeyError, PublicKey, SecretKey};
use super::profile::{Header, ObjectKind, ProfileError, verify_sign1};
use super::seal_key::SealPublicKey;
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::cose::Sign1;
use crate::encoding::hash::{Digest, Kid, sha256};
use crate::encoding::ids::{FederationId, LogId, MemberCode};
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

/// A manifest with the signature of its member's root (`COSE_Sign1`). The signature is checked by [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedManifest {
    manifest: Manifest,
    federation: FederationId,
    kid: Kid,
    signature: [u8; 64],
}

/// Why a manifest is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not the CBOR of a manifest.
    #[error(transparent)]
    Form(#[from] CborError),
    /// Not signed in the profile of a manifest, or not by the member's root.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A value is out of its bounds.
    #[error("{field} of the manifest of {member} is out of bounds")]
    Bounds {
        /// Whose manifest it is.
        member: MemberCode,
        /// Which value.
        field: &'static str,
    },
    /// A key is not acceptable.
    #[error("{field} of a manifest")]
    Key {
        /// Which key.
        field: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
    /// One key for two purposes.
    #[error("the manifest of {member} uses one key for two purposes")]
    KeyUsedTwice {
        /// Whose manifest it is.
        member: MemberCode,
    },
    /// The charter does not list the member.
    #[error("{member} is not a member")]
    NotAMember {
        /// Who it is.
        member: MemberCode,
    },
    /// Bound to another federation.
    #[error("manifest version {version} of {member} belongs to another federation")]
    Federation {
        /// Whose manifest it is.
        member: MemberCode,
        /// Its version.
        version: u64,
    },
    /// It names another predecessor than the version before.
    #[error("manifest version {version} of {member} names another predecessor")]
    Predecessor {
        /// Whose manifest it is.
        member: MemberCode,
        /// Its version.
        version: u64,
    },
    /// An older version than the newest known.
    #[error("manifest version {version} of {member} is older than version {newest}")]
    Older {
        /// Whose manifest it is.
        member: MemberCode,
        /// Its version.
        version: u64,
        /// The newest version known.
        newest: u64,
    },
    /// A log vanished, changed its key, or was reopened.
    #[error("log {log}: vanished, changed its key or opening, or was closed before")]
    LogChanged {
        /// Which log.
        log: LogId,
    },
    /// Two manifests of one version, both signed by the root: proof of a split, to be kept.
    #[error("two different manifests of {}, version {}, are properly signed", .0.0.manifest().member(), .0.0.manifest().version())]
    Rival(Box<(SignedManifest, SignedManifest)>),
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

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let draft = &self.0;
        let logs = draft.logs.iter().map(|log| Value::from(encode_log(log))).collect::<Vec<_>>();
        let seal_keys: Map =
            draft.seal_keys.iter().map(|(epoch, key)| (Value::from(*epoch), Value::from(key))).collect();
        let transports =
            draft.transports.iter().map(|transport| Value::from(encode_transport(transport))).collect::<Vec<_>>();
        let custodians = draft.custodians.iter().map(|code| Value::from(*code)).collect::<Vec<_>>();
        let mut map = Map::new()
            .with(field::MEMBER, draft.member)
            .with(field::VERSION, draft.version)
            .with(field::ISSUED_AT, draft.issued_at)
            .with(field::LOGS, logs)
            .with(field::WITNESS, &draft.witness)
            .with(field::SEAL_KEYS, seal_keys)
            .with(field::TRANSPORTS, transports)
            .with(field::CUSTODIANS, custodians);
        if let Some(predecessor) = draft.predecessor {
            map.insert(field::PREDECESSOR, predecessor);
        }
        cbor::encode(&Value::Map(map))
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// [`ManifestError`] if the bytes are not the one encoding of a manifest that passes [`ManifestDraft::check`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "manifest")?;
        let member: MemberCode = fields.parse(field::MEMBER)?;
        let version = fields.u64(field::VERSION)?;
        let predecessor =
            if fields.has(field::PREDECESSOR) { Some(Digest(fields.array(field::PREDECESSOR)?)) } else { None };
        let issued_at = time(&mut fields, field::ISSUED_AT)?;
        let logs = fields.items(field::LOGS)?.into_iter().map(decode_log).collect::<Result<_, _>>()?;
        let witness = key(fields.array(field::WITNESS)?, "witness key")?;
        let listed = fields.map(field::SEAL_KEYS)?;
        if listed.len() > SEAL_KEYS_MAX {
            return Err(ManifestError::Bounds { member, field: "number of seal keys" });
        }
        let mut seal_keys = BTreeMap::new();
        for (epoch, bytes) in listed {
            let epoch = epoch.as_u64().and_then(|epoch| u32::try_from(epoch).ok());
            let (Some(epoch), Some(bytes)) = (epoch, bytes.as_bytes()) else {
                return Err(fields.bad(field::SEAL_KEYS).into());
            };
            let key =
                SealPublicKey::from_bytes(bytes).map_err(|source| ManifestError::Key { field: "seal key", source })?;
            seal_keys.insert(epoch, key);
        }
        let transports =
            fields.items(field::TRANSPORTS)?.into_iter().map(decode_transport).collect::<Result<_, _>>()?;
        let mut custodians = BTreeSet::new();
        for code in fields.items(field::CUSTODIANS)? {
            let code: MemberCode =
                code.as_text().and_then(|text| text.parse().ok()).ok_or_else(|| fields.bad(field::CUSTODIANS))?;
            if custodians.last().is_some_and(|last| *last >= code) {
                return Err(fields.bad(field::CUSTODIANS).into());
            }
            custodians.insert(code);
        }
        fields.end()?;
        ManifestDraft { member, version, predecessor, issued_at, logs, witness, seal_keys, transports, custodians }
            .check()
    }
}

impl SignedManifest {
    /// Signs with the member's root. `federation` is the one that exists already; it does not matter for version 1.
    #[must_use]
    pub fn sign(manifest: Manifest, federation: FederationId, root: &SecretKey) -> Self {
        let federation = binds(&manifest, federation);
        let kid = root.public().kid();
        let signature = root.sign(&to_be_signed(&manifest, federation, kid));
        Self { manifest, federation, kid, signature }
    }

    /// The manifest; not to be believed before [`Self::verify`].
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the payload.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.manifest.digest()
    }

    /// The key that is said to have signed.
    #[must_use]
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// Checks that `root` signed it, for this federation or, version 1, for any.
    ///
    /// # Errors
    /// [`ManifestError`], naming what is wrong.
    pub fn verify(&self, root: &PublicKey, federation: FederationId) -> Result<(), ManifestError> {
        let (member, version) = (self.manifest.member(), self.manifest.version());
        if self.federation != binds(&self.manifest, federation) {
            return Err(ManifestError::Federation { member, version });
        }
        verify_sign1(&self.to_sign1(), ObjectKind::Manifest, root)?;
        if self.manifest.signing_keys().any(|key| key == root) {
            return Err(ManifestError::KeyUsedTwice { member });
        }
        Ok(())
    }

    /// Whether it may follow `held`, both verified. `Ok(false)` if it is the same once more.
    pub(super) fn follows(&self, held: &Self) -> Result<bool, ManifestError> {
        let (member, version, newest) = (self.manifest.member(), self.manifest.version(), held.manifest.version());
        if version < newest {
            return Err(ManifestError::Older { member, version, newest });
        }
        if version == newest {
            if self.manifest == held.manifest {
                return Ok(false);
            }
            return Err(ManifestError::Rival(Box::new((held.clone(), self.clone()))));
        }
        // Only the newest manifest travels, so versions in between may never have been seen here.
        if version == newest + 1 && self.manifest.predecessor() != Some(held.digest()) {
            return Err(ManifestError::Predecessor { member, version });
        }
        for (log, was) in held.manifest.logs() {
            let kept = self.manifest.log(&log).is_some_and(|is| {
                is.key == was.key && is.opened == was.opened && (was.closed.is_none() || is.closed == was.closed)
            });
            if !kept {
                return Err(ManifestError::LogChanged { log });
            }
        }
        Ok(true)
    }

    /// The tagged `COSE_Sign1`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_sign1().encode()
    }

    /// Reads what [`Self::encode`] writes. The signature is not checked.
    ///
    /// # Errors
    /// [`ManifestError`] if the bytes are not in the profile of a manifest.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let object = Sign1::decode(bytes)?;
        if !object.unprotected.is_empty() {
            return Err(ProfileError::Unprotected.into());
        }
        let (header, _) = Header::decode(ObjectKind::Manifest, object.protected)?;
        let manifest = Manifest::decode(&object.payload.ok_or(ProfileError::Payload)?)?;
        let signed = Self { manifest, federation: header.federation, kid: header.kid, signature: object.signature };
        if header_of(&signed.manifest, signed.federation, signed.kid) != header {
            return Err(ManifestError::Bounds { member: signed.manifest.member(), field: "header" });
        }
        Ok(signed)
    }

    fn to_sign1(&self) -> Sign1 {
        Sign1 {
            protected: protected(&self.manifest, self.federation, self.kid),
            unprotected: Map::new(),
            payload: Some(self.manifest.encode()),
            signature: self.signature,
        }
    }
}

/// Version 1 is made by `init`, which may run before there is a federation.
fn binds(manifest: &Manifest, federation: FederationId) -> FederationId {
    if manifest.version() == 1 { FederationId::NONE } else { federation }
}

fn header_of(manifest: &Manifest, federation: FederationId, kid: Kid) -> Header {
    Header {
        kid,
        issuer: manifest.member(),
        subject: format!("manifest:{}:{}", manifest.member(), manifest.version()),
        issued_at: manifest.issued_at(),
        federation,
    }
}

fn protected(manifest: &Manifest, federation: FederationId, kid: Kid) -> Map {
    header_of(manifest, federation, kid).encode(ObjectKind::Manifest, Map::new())
}

fn to_be_signed(manifest: &Manifest, federation: FederationId, kid: Kid) -> Vec<u8> {
    Sign1::to_be_signed(&protected(manifest, federation, kid), &manifest.encode())
}

/// Keys of the payload's maps.
mod field {
    pub(super) const MEMBER: i64 = 1;
    pub(super) const VERSION: i64 = 2;
    pub(super) const PREDECESSOR: i64 = 3;
    pub(super) const ISSUED_AT: i64 = 4;
    pub(super) const LOGS: i64 = 5;
    pub(super) const WITNESS: i64 = 6;
    pub(super) const SEAL_KEYS: i64 = 7;
    pub(super) const TRANSPORTS: i64 = 8;
    pub(super) const CUSTODIANS: i64 = 9;

    pub(super) const LOG_KEY: i64 = 1;
    pub(super) const LOG_OPENED: i64 = 2;
    pub(super) const LOG_CLOSED: i64 = 3;

    pub(super) const TRANSPORT_KEY: i64 = 1;
    pub(super) const TRANSPORT_ADDRESSES: i64 = 2;
}

fn encode_log(log: &LogEntry) -> Map {
    let mut map = Map::new().with(field::LOG_KEY, &log.key).with(field::LOG_OPENED, log.opened);
    if let Some(size) = log.closed {
        map.insert(field::LOG_CLOSED, size);
    }
    map
}

fn decode_log(entry: Value) -> Result<LogEntry, ManifestError> {
    let mut fields = Fields::of(entry, "log in a manifest")?;
    let key = key(fields.array(field::LOG_KEY)?, "log key")?;
    let opened = time(&mut fields, field::LOG_OPENED)?;
    let closed = if fields.has(field::LOG_CLOSED) { Some(fields.u64(field::LOG_CLOSED)?) } else { None };
    fields.end()?;
    Ok(LogEntry { key, opened, closed })
}

fn encode_transport(transport: &TransportEntry) -> Map {
    let addresses = transport.addresses.iter().map(|address| Value::from(address.as_str())).collect::<Vec<_>>();
    Map::new().with(field::TRANSPORT_KEY, &transport.key).with(field::TRANSPORT_ADDRESSES, addresses)
}

fn decode_transport(entry: Value) -> Result<TransportEntry, ManifestError> {
    let mut fields = Fields::of(entry, "transport in a manifest")?;
    let key = key(fields.array(field::TRANSPORT_KEY)?, "transport key")?;
    let addresses = fields
        .items(field::TRANSPORT_ADDRESSES)?
        .into_iter()
        .map(
            |address| {
                if let Value::Text(text) = address { Ok(text) } else { Err(fields.bad(field::TRANSPORT_ADDRESSES)) }
            },
        )
        .collect::<Result<_, _>>()?;
    fields.end()?;
    Ok(TransportEntry { key, addresses })
}

fn key(bytes: [u8; 32], field: &'static str) -> Result<PublicKey, ManifestError> {
    PublicKey::from_bytes(&bytes).map_err(|source| ManifestError::Key { field, source })
}

fn time(fields: &mut Fields, key: i64) -> Result<UnixTime, CborError> {
    let seconds = fields.i64(key)?;
    UnixTime::from_seconds(seconds).map_err(|_| fields.bad(key))
}

/// The form of a multiaddress, as far as it can be told without the network's code: printable ASCII that begins with a slash.
fn is_address(address: &str) -> bool {
    address.len() <= ADDRESS_BYTES_MAX
        && address.starts_with('/')
        && address.bytes().all(|byte| byte.is_ascii_graphic())
}
