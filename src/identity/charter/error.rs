//! Why a charter is refused.

use super::SignedCharter;
use crate::encoding::cbor::CborError;
use crate::encoding::hash::Kid;
use crate::encoding::ids::MemberCode;
use crate::identity::key::KeyError;
use crate::identity::profile::ProfileError;

/// Why a charter is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CharterError {
    /// Not the CBOR of a charter.
    #[error(transparent)]
    Form(#[from] CborError),
    /// Not signed in the profile of a charter.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A value is out of its bounds.
    #[error("{field} of the charter is out of bounds")]
    Bounds {
        /// Which value.
        field: &'static str,
    },
    /// A root key is not acceptable.
    #[error("root key of {member}")]
    Key {
        /// Whose key.
        member: MemberCode,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A member's entry contradicts itself, another member's or that of the version before.
    #[error("member {member}: {fault}")]
    Member {
        /// Which member.
        member: MemberCode,
        /// What is wrong.
        fault: MemberFault,
    },
    /// A signature is by nobody who may sign, stands twice or out of order, or does not verify.
    #[error("signature of {signer} with key {kid} is not acceptable")]
    Signature {
        /// Who is said to have signed.
        signer: MemberCode,
        /// With which key.
        kid: Kid,
    },
    /// Too few of the active countries have signed.
    #[error(
        "charter version {version} is signed by {signed} of {countries} active countries of version {of_version}, which is too few; not signed by {}",
        .missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    )]
    Quorum {
        /// The version signed.
        version: u64,
        /// The version whose countries are counted.
        of_version: u64,
        /// How many have signed.
        signed: u64,
        /// How many there are.
        countries: u64,
        /// Those that have not signed.
        missing: Vec<MemberCode>,
    },
    /// Bound to another federation than the one at hand, or a first version bound to any.
    #[error("charter version {version} belongs to another federation")]
    Federation {
        /// The version.
        version: u64,
    },
    /// Not the version that follows, or it names another predecessor.
    #[error("charter version {version} does not follow version {newest}")]
    NotNext {
        /// The version at hand.
        version: u64,
        /// The newest version known.
        newest: u64,
    },
    /// An older version than the newest known.
    #[error("charter version {version} is older than version {newest}")]
    Older {
        /// The version at hand.
        version: u64,
        /// The newest version known.
        newest: u64,
    },
    /// Drawn up before the version that it follows.
    #[error("charter version {version} is dated before its predecessor")]
    Time {
        /// The version at hand.
        version: u64,
    },
    /// The length of epochs, which numbers them, was changed.
    #[error("the length of epochs cannot change")]
    EpochLength,
    /// Two charters of one version, both properly signed: proof of a split, to be kept.
    #[error("two different charters of version {} are properly signed", .0.0.charter().version())]
    Rival(Box<(SignedCharter, SignedCharter)>),
}

/// What is wrong with a member's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberFault {
    /// A country's code is two letters.
    #[error("the code of a country is two letters")]
    Code,
    /// The next root must be another key.
    #[error("the next root is the present one")]
    NextRootIsRoot,
    /// Each root belongs to one member and is used once.
    #[error("its root was used before or by another member")]
    RootReused,
    /// Entries are never deleted.
    #[error("missing; a member that leaves stays listed as removed")]
    Missing,
    /// A removed member does not come back; its code is spent.
    #[error("removed for good")]
    Returned,
    /// Countries and observers do not turn into each other.
    #[error("changed between country and observer")]
    KindChanged,
    /// The new root is not the one announced.
    #[error("its new root is not the one announced")]
    RootNotAnnounced,
    /// The next root is announced once, and changes only together with the root.
    #[error("its next root was changed without its root")]
    NextRootChanged,
    /// The new root has not signed.
    #[error("its new root has not signed")]
    RootNotSigned,
}
