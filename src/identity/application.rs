//! What a member brings to be admitted, or to change its root: a manifest, with what the charter is to say of it.
//!
//! The file is the manifest's `COSE_Sign1` itself; name, kind, root and the digest of the next root stand in its
//! unprotected header. They become binding when the charter that repeats them is signed; until then they are what the
//! bearer says, and the fingerprint of the root is compared by another way.

use super::charter::{Member, MemberKind, MemberStatus};
use super::key::{KeyError, PublicKey};
use super::manifest::{ManifestError, SignedManifest};
use crate::encoding::cbor::{CborError, Fields, Map};
use crate::encoding::cose::{Sign1, label};
use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;

/// A manifest, verified under the root that it names: a newcomer's first, or the one with which a member changes its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    manifest: SignedManifest,
    name: String,
    kind: MemberKind,
    root: PublicKey,
    next_root: Digest,
}

/// Why a file is no application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationError {
    /// Not a manifest with an application in its unprotected header.
    #[error(transparent)]
    Form(#[from] CborError),
    /// The manifest is not good under the root that stands beside it.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The root is no acceptable key.
    #[error("root key of an application")]
    Root(#[from] KeyError),
    /// A member is admitted with its first manifest.
    #[error("the manifest of {member} has version {version}: a member is admitted with its first")]
    NotFirst {
        /// Whose.
        member: MemberCode,
        /// The version.
        version: u64,
    },
}

/// Keys of the map in the unprotected header.
mod field {
    pub(super) const NAME: i64 = 1;
    pub(super) const KIND: i64 = 2;
    pub(super) const ROOT: i64 = 3;
    pub(super) const NEXT_ROOT: i64 = 4;
}

impl Application {
    /// Puts an application together.
    ///
    /// # Errors
    /// [`ApplicationError`] if `manifest` is not signed by `root`.
    pub fn new(
        manifest: SignedManifest,
        name: String,
        kind: MemberKind,
        root: PublicKey,
        next_root: Digest,
    ) -> Result<Self, ApplicationError> {
        // Which federation it must be of is seen where it is used.
        manifest.verify(&root, manifest.federation())?;
        Ok(Self { manifest, name, kind, root, next_root })
    }

    /// The same, if it is a newcomer's.
    ///
    /// # Errors
    /// [`ApplicationError::NotFirst`] if the manifest is not version 1.
    pub fn first(self) -> Result<Self, ApplicationError> {
        let (member, version) = (self.code(), self.manifest.manifest().version());
        if version == 1 { Ok(self) } else { Err(ApplicationError::NotFirst { member, version }) }
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &SignedManifest {
        &self.manifest
    }

    /// Who applies.
    #[must_use]
    pub fn code(&self) -> MemberCode {
        self.manifest.manifest().member()
    }

    /// The entry that a charter would have for it.
    #[must_use]
    pub fn member(&self) -> Member {
        Member {
            name: self.name.clone(),
            kind: self.kind,
            status: MemberStatus::Active,
            root: self.root,
            next_root: self.next_root,
            custodian: false,
            statements_per_day: None,
        }
    }

    /// The file: a tagged `COSE_Sign1`.
    ///
    /// # Errors
    /// None in practice: the manifest's own bytes are read again.
    pub fn encode(&self) -> Result<Vec<u8>, ApplicationError> {
        let mut object = Sign1::decode(&self.manifest.encode())?;
        let said = Map::new()
            .with(field::NAME, self.name.as_str())
            .with(field::KIND, self.kind.as_str())
            .with(field::ROOT, &self.root)
            .with(field::NEXT_ROOT, self.next_root);
        object.unprotected = Map::new().with(label::APPLICATION, said);
        Ok(object.encode())
    }

    /// Reads what [`Self::encode`] writes, and verifies the manifest.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ApplicationError> {
        let mut object = Sign1::decode(bytes)?;
        let mut header = Fields::of_map(std::mem::take(&mut object.unprotected), "application");
        let mut said = Fields::of(header.value(label::APPLICATION)?, "application")?;
        header.end()?;
        let name = said.text(field::NAME)?;
        let kind = MemberKind::named(&said.text(field::KIND)?).ok_or_else(|| said.bad(field::KIND))?;
        let root = PublicKey::from_bytes(&said.array(field::ROOT)?)?;
        let next_root = Digest(said.array(field::NEXT_ROOT)?);
        said.end()?;
        Self::new(SignedManifest::decode(&object.encode())?, name, kind, root, next_root)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::encoding::ids::FederationId;
    use crate::encoding::time::UnixTime;
    use crate::identity::key::SecretKey;
    use crate::identity::manifest::{LogEntry, ManifestDraft, TransportEntry};

    fn secret(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    fn application() -> Application {
        of_version(1)
    }

    fn of_version(version: u64) -> Application {
        let manifest = ManifestDraft {
            member: "GE".parse().unwrap(),
            version,
            predecessor: (version > 1).then_some(Digest::ZERO),
            issued_at: UnixTime::ZERO,
            logs: vec![LogEntry { key: secret(3).public(), opened: UnixTime::ZERO, closed: None }],
            witness: secret(4).public(),
            seal_keys: BTreeMap::new(),
            transports: vec![TransportEntry { key: secret(5).public(), addresses: Vec::new() }],
            custodians: BTreeSet::new(),
        };
        let signed = SignedManifest::sign(manifest.check().unwrap(), FederationId::NONE, &secret(1));
        let name = "Georgia".to_owned();
        Application::new(signed, name, MemberKind::Country, secret(1).public(), secret(2).public().digest()).unwrap()
    }

    #[test]
    fn comes_back_as_it_was_written() {
        let application = application();
        let bytes = application.encode().unwrap();
        assert_eq!(Application::decode(&bytes), Ok(application));
    }

    #[test]
    fn another_root_is_refused() {
        let good = application();
        let other = Application { root: secret(9).public(), ..good };
        assert!(matches!(Application::decode(&other.encode().unwrap()), Err(ApplicationError::Manifest(_))));
    }

    #[test]
    fn a_plain_manifest_is_no_application() {
        let bytes = application().manifest().encode();
        assert!(matches!(Application::decode(&bytes), Err(ApplicationError::Form(_))));
    }

    #[test]
    fn a_newcomer_comes_with_its_first_manifest() {
        assert_eq!(application().first(), Ok(application()));
        let member = "GE".parse().unwrap();
        assert_eq!(of_version(2).first(), Err(ApplicationError::NotFirst { member, version: 2 }));
    }
}
