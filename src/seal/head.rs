//! The head of a body, of which the statement signs the digest: what every holder sees and checks without a key.

use std::fmt;

use data_encoding::HEXLOWER;

use super::compartment::{ContentKey, Encrypted};
use super::fields::Opened;
use super::lane::LaneKey;
use super::{SealContext, SealError};
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::{Digest, sha256};

/// Media type of a body head: what the statement's hash envelope says that it hashed.
pub const BODY_HEAD_TYPE: &str = "application/vnd.shieldwall.body-head+cbor";
/// Media type of the head of a `lanes` body.
pub const LANES_HEAD_TYPE: &str = "application/vnd.shieldwall.lanes+cbor";
/// Compartments in a body.
pub const COMPARTMENTS_MAX: usize = 16;
/// The largest size class, 16 MiB; a charter may allow less.
pub const SIZE_CLASS_MAX: u8 = 15;
/// Size class 0, in bytes.
pub(super) const UNIT: usize = 512;

/// The name of a compartment outside its seal: random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CompartmentLabel(pub [u8; 16]);

/// What the statement signs the digest of: every compartment by digest and by the root over its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyHead {
    compartments: Vec<CompartmentHead>,
}

/// One compartment in a [`BodyHead`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompartmentHead {
    /// Its name outside the seal.
    pub label: CompartmentLabel,
    /// SHA-256 of the sealed bytes.
    pub digest: Digest,
    /// How many sealed bytes there are.
    pub length: u64,
    /// The Merkle root over its salted fields.
    pub fields_root: Digest,
}

/// The smallest size class whose bodies have room for so many bytes.
#[must_use]
pub fn size_class(bytes: u64) -> u8 {
    let units = bytes.div_ceil(UNIT as u64).max(1).next_power_of_two();
    u8::try_from(units.trailing_zeros()).expect("a logarithm of 64 bits")
}

impl BodyHead {
    /// The head of compartments that are in the order of their labels.
    pub(super) fn new(compartments: Vec<CompartmentHead>) -> Self {
        Self { compartments }
    }

    /// The compartments in the order of their labels.
    #[must_use]
    pub fn compartments(&self) -> &[CompartmentHead] {
        &self.compartments
    }

    /// n, if all compartments together have exactly 512·2ⁿ bytes; it must be the class that the statement signs.
    #[must_use]
    pub fn size_class(&self) -> Option<u8> {
        let bytes = self.compartments.iter().map(|compartment| compartment.length).sum::<u64>();
        let class = size_class(bytes);
        (class <= SIZE_CLASS_MAX && (UNIT as u64) << class == bytes).then_some(class)
    }

    /// SHA-256 of the encoded head: the payload of the statement.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&self.encode())
    }

    /// The head's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&self.to_value())
    }

    /// Reads what [`Self::encode`] writes. Whether it is the one that was signed is told by its digest.
    ///
    /// # Errors
    /// [`SealError`] if it is not the form of a body head, or its lengths do not make up a size class.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        Self::from_value(cbor::decode(bytes)?)
    }

    pub(super) fn to_value(&self) -> Value {
        Value::from(self.compartments.iter().map(|compartment| Value::from(compartment.to_map())).collect::<Vec<_>>())
    }

    pub(super) fn from_value(value: Value) -> Result<Self, SealError> {
        let Value::Array(items) = value else { return Err(CborError::Shape { object: "body head" }.into()) };
        if items.is_empty() || items.len() > COMPARTMENTS_MAX {
            return Err(SealError::Bounds { what: "number of compartments" });
        }
        let compartments = items.into_iter().map(CompartmentHead::from_value).collect::<Result<Vec<_>, _>>()?;
        let head = Self { compartments };
        if !head.compartments.is_sorted_by(|a, b| a.label < b.label) || head.size_class().is_none() {
            return Err(SealError::Bounds { what: "order or size of the compartments" });
        }
        Ok(head)
    }
}

impl CompartmentHead {
    /// Whether these sealed bytes are the ones that were signed: what a holder checks before it stores or serves them.
    ///
    /// # Errors
    /// [`SealError::NotTheSigned`] otherwise.
    pub fn check(&self, bytes: &[u8]) -> Result<(), SealError> {
        let is_signed = bytes.len() as u64 == self.length && sha256(bytes) == self.digest;
        if is_signed { Ok(()) } else { Err(SealError::NotTheSigned { what: "compartment" }) }
    }

    /// The content key, as this lane's reader finds it: for a grant, or to be disclosed to a court.
    ///
    /// # Errors
    /// [`SealError::NotAReader`] if the compartment is not for this lane, any other [`SealError`] if it is not the signed one
    /// or was sealed wrongly.
    pub fn content_key(&self, context: &SealContext, bytes: &[u8], lane: &LaneKey) -> Result<ContentKey, SealError> {
        self.check(bytes)?;
        Encrypted::decode(bytes)?.content_key(context, &self.label, lane)
    }

    /// Opens the compartment as this lane's reader.
    ///
    /// # Errors
    /// As [`Self::content_key`]; also if the content does not give the signed root.
    pub fn open(&self, context: &SealContext, bytes: &[u8], lane: &LaneKey) -> Result<Opened, SealError> {
        let key = self.content_key(context, bytes, lane)?;
        self.open_with(context, bytes, &key)
    }

    /// Opens the compartment with its content key.
    ///
    /// # Errors
    /// [`SealError`] if the bytes are not the signed ones, do not open, or do not give the signed root.
    pub fn open_with(&self, context: &SealContext, bytes: &[u8], key: &ContentKey) -> Result<Opened, SealError> {
        self.check(bytes)?;
        let plaintext = Encrypted::decode(bytes)?.decrypt(context, &self.label, key)?;
        let opened = Opened::from_plaintext(&plaintext)?;
        if opened.root() != self.fields_root {
            return Err(SealError::NotTheSigned { what: "content of the compartment" });
        }
        Ok(opened)
    }

    /// The compartment for whoever is given its content key: the signed ciphertext with one `direct` recipient (RFC 9053
    /// §6.1.1) in place of the readers, so that any COSE tool opens it with that key and the [`external_aad`].
    ///
    /// [`external_aad`]: super::compartment::external_aad
    ///
    /// # Errors
    /// [`SealError`] if the bytes are not the signed ones.
    pub fn with_direct_recipient(&self, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        self.check(bytes)?;
        Ok(Encrypted::decode(bytes)?.encode_direct(&self.label))
    }

    fn to_map(self) -> Map {
        Map::new().with(1, self.label.0).with(2, self.digest).with(3, self.length).with(4, self.fields_root)
    }

    fn from_value(value: Value) -> Result<Self, CborError> {
        let mut fields = Fields::of(value, "compartment in a body head")?;
        let head = Self {
            label: CompartmentLabel(fields.array(1)?),
            digest: Digest(fields.array(2)?),
            length: fields.u64(3)?,
            fields_root: Digest(fields.array(4)?),
        };
        if head.length > (UNIT as u64) << SIZE_CLASS_MAX {
            return Err(fields.bad(3));
        }
        fields.end()?;
        Ok(head)
    }
}

impl fmt::Display for CompartmentLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for CompartmentLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compartment(label: u8, length: u64) -> CompartmentHead {
        let label = CompartmentLabel([label; 16]);
        CompartmentHead { label, digest: Digest::ZERO, length, fields_root: Digest::ZERO }
    }

    fn head(compartments: &[(u8, u64)]) -> BodyHead {
        BodyHead::new(compartments.iter().map(|(label, length)| compartment(*label, *length)).collect())
    }

    #[test]
    fn only_compartments_that_fill_a_size_class_have_one() {
        for (length, class) in [(511, None), (512, Some(0)), (513, None), (1 << 24, Some(15)), (1 << 25, None)] {
            assert_eq!(head(&[(1, length)]).size_class(), class, "{length}");
        }
        assert_eq!(head(&[(1, 200), (2, 312)]).size_class(), Some(0));
    }

    #[test]
    fn a_head_is_read_if_its_compartments_are_in_order_and_fill_a_size_class() {
        let sixteen: Vec<(u8, u64)> = (0..16).map(|label| (label, 32)).collect();
        for good in [head(&[(1, 1 << 24)]), head(&[(1, 256), (2, 256)]), head(&sixteen)] {
            assert_eq!(BodyHead::decode(&good.encode()), Ok(good));
        }
        let unordered = head(&[(2, 256), (1, 256)]);
        let twice = head(&[(1, 256), (1, 256)]);
        let not_full = head(&[(1, 256)]);
        let endless = head(&[(1, u64::MAX), (2, u64::MAX)]);
        let seventeen = head(&[&sixteen[..], &[(16, 512)]].concat());
        for bad in [head(&[]), unordered, twice, not_full, endless, seventeen] {
            assert!(BodyHead::decode(&bad.encode()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn labels_are_shown_in_hexadecimal() {
        let label = CompartmentLabel([0x0f; 16]);
        assert_eq!(label.to_string(), "0f".repeat(16));
        assert_eq!(format!("{label:?}"), "0f".repeat(16));
    }
}
