//! A manifest with its root's signature, and the rule by which one version follows another.

use std::collections::BTreeSet;

use super::{Manifest, ManifestError};
use crate::encoding::cbor::Map;
use crate::encoding::cose::Sign1;
use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::FederationId;
use crate::identity::key::{PublicKey, SecretKey};
use crate::identity::profile::{Header, ObjectKind, ProfileError, verify_sign1};

/// A manifest with the signature of its member's root (`COSE_Sign1`). The signature is checked by [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedManifest {
    manifest: Manifest,
    federation: FederationId,
    kid: Kid,
    signature: [u8; 64],
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

    /// The federation that its signature binds; none in version 1.
    pub(in crate::identity) fn federation(&self) -> FederationId {
        self.federation
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
    pub(in crate::identity) fn follows(&self, held: &Self) -> Result<bool, ManifestError> {
        self.follows_one_of(held, &BTreeSet::new())
    }

    /// The same, where the version before may also be one of `rivals`, which the same root has signed as well.
    pub(in crate::identity) fn follows_one_of(
        &self,
        held: &Self,
        rivals: &BTreeSet<Digest>,
    ) -> Result<bool, ManifestError> {
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
        let before = self.manifest.predecessor();
        let is_known = before == Some(held.digest()) || before.is_some_and(|before| rivals.contains(&before));
        if version == newest + 1 && !is_known {
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
