//! Who may speak: keys, the header of everything signed, the charter and the members' manifests.
//!
//! Keys enter only through a charter or manifest and are checked there. [`charter`] says who the members are and how that
//! changes, [`manifest`] which keys and addresses each of them uses, [`published`] how both travel in one file. Only
//! [`Published::verify`] makes a [`Federation`], the checked view that the rest of the node works with.
//!
//! Nothing here decides what a statement means, opens a body, keeps a file or signs by itself in a running node: signing
//! there is an effect.
//!
//! Start with [`federation`], then [`profile`], on which every signed object of the other modules is built.

pub mod application;
pub mod charter;
pub mod federation;
#[cfg(test)]
pub(crate) mod fixture;
pub mod key;
#[cfg(feature = "simulate")]
pub mod known;
pub mod manifest;
pub mod profile;
pub mod published;
pub mod seal_key;
pub mod split;

pub use application::{Application, ApplicationError};
pub use charter::{
    Change, Charter, CharterChain, CharterDraft, CharterError, Member, MemberKind, MemberStatus, Parameters, Quorum,
    SignedCharter, Weight, changes,
};
pub use federation::{Federation, FederationError, Transport};
pub use key::{BadSignature, KeyError, PublicKey, SecretKey};
pub use manifest::{LogEntry, Manifest, ManifestDraft, ManifestError, SignedManifest, TransportEntry};
pub use profile::{Header, ObjectKind, ProfileError};
pub use published::{Published, PublishedError};
pub use seal_key::{SealPublicKey, SealSecretKey};
pub use split::{CharterSplit, ManifestSplit, SplitError, Splits};
