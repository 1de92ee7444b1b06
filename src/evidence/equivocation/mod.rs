//! Evidence that something was signed twice: a folder, or one file, that accuses whoever holds a key, offline.
//!
//! ```text
//! equivocation.cbor = [ form, proof ]       1 two histories of a log     proof of equivocation (`ForkProof`)
//!                                           2 two statements of one id   [ statement, statement ]
//!                                           3 two charters of a version  proof of a split (`CharterSplit`)
//!                                           4 two manifests of a version proof of a split (`ManifestSplit`)
//! ```
//! In a folder it stands with the charter and the manifests that say whose the keys are. The file alone is enough for whoever has a charter
//! file with manifests, as every node has.

mod check;
mod folder;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Value as Json, json};

use crate::encoding::cbor::{self, CborError, Value};
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::identity::{CharterSplit, Federation, ManifestSplit};
use crate::ledger::ForkProof;

pub(super) use folder::verify;
pub use folder::{FILE, export_equivocation};

/// A proof that something was signed twice. Nothing in it needs to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Equivocation {
    /// Two checkpoints of one log that cannot both be true.
    Log(Box<ForkProof>),
    /// Two statements with one id.
    Statements([Vec<u8>; 2]),
    /// [`CharterSplit::encode_open`].
    Charters(Vec<u8>),
    /// [`ManifestSplit::encode`].
    Manifests(Vec<u8>),
}

/// What was signed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignedTwice {
    /// Two histories of a log, which part at this size or below.
    Log {
        /// The log.
        log: LogId,
        /// The lowest size of which two roots, or two commitments, are signed.
        size: u64,
    },
    /// Two statements under one id.
    Statement(RecordId),
    /// Two charters of one version.
    Charter {
        /// The version.
        version: u64,
    },
    /// Two manifests of one member and version.
    Manifest {
        /// Whose.
        member: MemberCode,
        /// The version.
        version: u64,
    },
}

impl Equivocation {
    /// A proof that a charter was signed twice, without what this node has chosen.
    #[must_use]
    pub fn of_charters(split: &CharterSplit) -> Self {
        Self::Charters(split.encode_open())
    }

    /// A proof that a manifest was signed twice.
    #[must_use]
    pub fn of_manifests(split: &ManifestSplit) -> Self {
        Self::Manifests(split.encode())
    }

    /// The bytes of `equivocation.cbor`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (form, proof): (u64, Value) = match self {
            Self::Log(proof) => (1, proof.encode().as_slice().into()),
            Self::Statements(both) => {
                let both = both.iter().map(|bytes| Value::from(bytes.as_slice())).collect::<Vec<_>>();
                (2, cbor::encode(&Value::Array(both)).as_slice().into())
            }
            Self::Charters(split) => (3, split.as_slice().into()),
            Self::Manifests(split) => (4, split.as_slice().into()),
        };
        cbor::encode(&Value::Array(vec![form.into(), proof]))
    }

    /// Reads what [`Self::encode`] wrote. Nothing is verified.
    ///
    /// # Errors
    /// What it is not, in words.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        const SHAPE: CborError = CborError::Shape { object: "proof that something was signed twice" };
        let read = |bytes: &[u8]| -> Result<(u64, Vec<u8>), CborError> {
            let Value::Array(parts) = cbor::decode(bytes)? else { return Err(SHAPE) };
            let [form, proof] = <[Value; 2]>::try_from(parts).map_err(|_| SHAPE)?;
            Ok((form.as_u64().ok_or(SHAPE)?, proof.as_bytes().ok_or(SHAPE)?.to_vec()))
        };
        let two = |bytes: &[u8]| -> Result<[Vec<u8>; 2], CborError> {
            let Value::Array(parts) = cbor::decode(bytes)? else { return Err(SHAPE) };
            let parts: Option<Vec<Vec<u8>>> = parts.iter().map(|part| part.as_bytes().map(<[u8]>::to_vec)).collect();
            parts.and_then(|parts| <[Vec<u8>; 2]>::try_from(parts).ok()).ok_or(SHAPE)
        };
        let (form, proof) = read(bytes).map_err(|error| error.to_string())?;
        match form {
            1 => ForkProof::decode(&proof).map(Box::new).map(Self::Log).map_err(|error| error.to_string()),
            2 => two(&proof).map(Self::Statements).map_err(|error| error.to_string()),
            3 => Ok(Self::Charters(proof)),
            4 => Ok(Self::Manifests(proof)),
            form => Err(format!("a proof of form {form}, which this version does not know")),
        }
    }

    /// What it proves, if it does under these members.
    #[must_use]
    pub fn proves(&self, federation: &Federation) -> Option<SignedTwice> {
        check::proves(self, federation).ok().map(|proved| proved.what)
    }
}

impl SignedTwice {
    /// Whose key signed, if it is one member's.
    #[must_use]
    pub fn member(&self) -> Option<MemberCode> {
        match self {
            Self::Log { log, .. } => Some(log.member),
            Self::Statement(id) => Some(id.log.member),
            Self::Manifest { member, .. } => Some(*member),
            Self::Charter { .. } => None,
        }
    }

    /// By which an operator names it: `log:GE`, `statement:GE-7`, `charter:5`, `manifest:GE`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Log { log, .. } => format!("log:{log}"),
            Self::Statement(id) => format!("statement:{id}"),
            Self::Charter { version } => format!("charter:{version}"),
            Self::Manifest { member, .. } => format!("manifest:{member}"),
        }
    }

    /// For programs: `{"what","member","sentence"}`.
    pub(super) fn to_json(self) -> Json {
        json!({ "what": self.name(), "member": self.member(), "sentence": self.to_string() })
    }
}

impl fmt::Display for SignedTwice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log { log, size } => write!(formatter, "two histories of the log {log}, from {size} statements on"),
            Self::Statement(id) => write!(formatter, "two statements under the id {id}"),
            Self::Charter { version } => write!(formatter, "two charters of version {version}"),
            Self::Manifest { member, version } => write!(formatter, "two manifests of {member} of version {version}"),
        }
    }
}
