//! The charter file: one `COSE_Sign` from which a node can start.
//!
//! The newest charter is the object itself; its unprotected header carries the earlier versions and every member's
//! newest manifest, each a complete signed object in a byte string.

use std::collections::BTreeMap;

use super::charter::{CharterError, SignedCharter};
use super::federation::{Federation, FederationError};
use super::manifest::{ManifestError, SignedManifest};
use crate::encoding::cbor::{CborError, Fields, Map, Value};
use crate::encoding::cose::{Sign, label};
use crate::encoding::ids::MemberCode;

/// Bytes in a charter file: 250 members, each with seal keys for two years, and the earlier charters.
pub const FILE_BYTES_MAX: usize = 8 << 20;

/// Charters and manifests as read from a file or received, each of the right form and nothing verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// All versions of the charter, the first first.
    pub charters: Vec<SignedCharter>,
    /// Newest manifests.
    pub manifests: BTreeMap<MemberCode, SignedManifest>,
}

/// Why bytes are not a charter file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishedError {
    /// Larger than any charter file.
    #[error("a charter file has at most {FILE_BYTES_MAX} bytes, not {bytes}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// No charter to write.
    #[error("a charter file holds at least one charter")]
    Empty,
    /// Not the `COSE_Sign` of a charter file.
    #[error(transparent)]
    Form(#[from] CborError),
    /// One of the charters is not of its form.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// One of the manifests is not of its form.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl Published {
    /// The charter file.
    ///
    /// # Errors
    /// [`PublishedError::Empty`] without a charter, [`PublishedError::TooLarge`] beyond [`FILE_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, PublishedError> {
        let (newest, earlier) = self.charters.split_last().ok_or(PublishedError::Empty)?;
        let earlier = earlier.iter().map(|charter| Value::Bytes(charter.encode())).collect::<Vec<_>>();
        let manifests = self.manifests.values().map(|manifest| Value::Bytes(manifest.encode())).collect::<Vec<_>>();
        let unprotected = Map::new().with(label::CHARTERS, earlier).with(label::MANIFESTS, manifests);
        let bytes = newest.to_sign(unprotected).encode();
        if bytes.len() > FILE_BYTES_MAX {
            return Err(PublishedError::TooLarge { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads a charter file. No signature is checked.
    ///
    /// # Errors
    /// [`PublishedError`] if the bytes are not the one encoding of a charter file.
    pub fn decode(bytes: &[u8]) -> Result<Self, PublishedError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(PublishedError::TooLarge { bytes: bytes.len() });
        }
        let mut sign = Sign::decode(bytes)?;
        let mut fields = Fields::of_map(std::mem::take(&mut sign.unprotected), "charter file");
        let mut charters = Vec::new();
        for item in fields.items(label::CHARTERS)? {
            charters.push(SignedCharter::decode(item.as_bytes().ok_or_else(|| fields.bad(label::CHARTERS))?)?);
        }
        let mut manifests = BTreeMap::new();
        for item in fields.items(label::MANIFESTS)? {
            let manifest = SignedManifest::decode(item.as_bytes().ok_or_else(|| fields.bad(label::MANIFESTS))?)?;
            let member = manifest.manifest().member();
            if manifests.last_key_value().is_some_and(|(last, _)| *last >= member) {
                return Err(fields.bad(label::MANIFESTS).into());
            }
            manifests.insert(member, manifest);
        }
        fields.end()?;
        charters.push(SignedCharter::from_sign(sign)?);
        Ok(Self { charters, manifests })
    }

    /// Checks everything: the chain of charters, and each manifest under its member's root.
    ///
    /// # Errors
    /// [`FederationError`], naming the first thing that is wrong.
    pub fn verify(self) -> Result<Federation, FederationError> {
        Federation::verify(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::fixture::published;

    #[test]
    fn one_file_carries_everything() {
        let published = published(&["GE", "TR", "W1"]);
        let bytes = published.encode().unwrap();
        assert_eq!(Published::decode(&bytes), Ok(published.clone()));
        assert_eq!(published.verify().unwrap().published().encode(), Ok(bytes));
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let refused = |bytes: usize| Published::decode(&vec![0; bytes]);
        assert_eq!(refused(FILE_BYTES_MAX + 1), Err(PublishedError::TooLarge { bytes: FILE_BYTES_MAX + 1 }));
        assert!(matches!(refused(FILE_BYTES_MAX), Err(PublishedError::Form(_))), "for another reason");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn no_flipped_bit_goes_unnoticed(at: proptest::sample::Index, bit in 0..8) {
            let mut bytes = published(&["GE", "TR"]).encode().unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            let accepted = Published::decode(&bytes).is_ok_and(|published| published.verify().is_ok());
            proptest::prop_assert!(!accepted);
        }

        #[test]
        fn reading_any_bytes_never_panics(bytes: Vec<u8>) {
            drop(Published::decode(&bytes));
            drop(SignedCharter::decode(&bytes));
            drop(SignedManifest::decode(&bytes));
            drop(crate::identity::Charter::decode(&bytes));
            drop(crate::identity::Manifest::decode(&bytes));
        }
    }
}
