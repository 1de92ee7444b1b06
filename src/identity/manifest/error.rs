//! Why a manifest is refused.

use super::SignedManifest;
use crate::encoding::cbor::CborError;
use crate::encoding::ids::{LogId, MemberCode};
use crate::identity::key::KeyError;
use crate::identity::profile::ProfileError;

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
