//! One sealed compartment: a `COSE_Encrypt` object (RFC 9052 §5.1) with one `A256KW` recipient (RFC 9053 §6.2.1) per reader.
//!
//! ```text
//! 96([ << {1: 24} >>, {5: nonce}, ciphertext, [ [ h'', {1: -5, 4: recipient}, wrapped content key ], … ] ])
//! ```
//! The recipients stand in the order of their names, which are derived from each reader's lane key for this compartment
//! alone and tell nobody else anything.

use std::collections::BTreeMap;
use std::fmt;

use aes_kw::{KeyInit as _, KwAes256};
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305};
use zeroize::Zeroizing;

use super::head::CompartmentLabel;
use super::lane::{LaneKey, RecipientKid, WrapKey};
use super::{SealContext, SealError};
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::cose::label;
use crate::encoding::random::Randomness;
use crate::identity::charter::MEMBERS_MAX;

const TAG_ENCRYPT: u64 = 96;
/// `ChaCha20/Poly1305` in the registry of COSE algorithms.
const ALG_CHACHA20_POLY1305: i64 = 24;
/// `A256KW` in the registry of COSE algorithms.
const ALG_A256KW: i64 = -5;
/// `direct` in the registry of COSE algorithms: the recipient holds the content key itself.
const ALG_DIRECT: i64 = -6;
/// Bytes of a content key under A256KW.
const WRAPPED_BYTES: usize = 40;

/// The key of one compartment. Whoever has it can open this compartment and nothing else: it may be disclosed to a court.
#[derive(Clone)]
pub struct ContentKey(Zeroizing<[u8; 32]>);

/// A `COSE_Encrypt` taken apart.
pub(super) struct Encrypted {
    nonce: [u8; 12],
    ciphertext: Vec<u8>,
    recipients: BTreeMap<RecipientKid, [u8; WRAPPED_BYTES]>,
}

impl ContentKey {
    /// The key with these bytes, as they were disclosed.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes to disclose.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        chacha20poly1305::KeyInit::new(&(*self.0).into())
    }
}

impl Encrypted {
    /// Wraps a fresh content key for every reader; what is to be encrypted follows with [`Self::encrypt`].
    pub(super) fn for_readers(
        context: &SealContext,
        label: &CompartmentLabel,
        readers: &[&LaneKey],
        random: &mut Randomness,
    ) -> Result<(Self, ContentKey), SealError> {
        let key = ContentKey(Zeroizing::new(random.array()));
        let nonce = random.array();
        let recipients: BTreeMap<_, _> = readers
            .iter()
            .map(|lane| {
                let kid = lane.recipient_kid(&context.record, label);
                (kid, wrap(&lane.wrap_key(&context.record, label), &key))
            })
            .collect();
        if recipients.is_empty() || recipients.len() > MEMBERS_MAX {
            return Err(SealError::Bounds { what: "number of readers" });
        }
        Ok((Self { nonce, ciphertext: Vec::new(), recipients }, key))
    }

    /// Bytes of the object besides the ciphertext and its head.
    pub(super) fn around(&self) -> usize {
        const EMPTY_HEAD: usize = 1;
        Self { nonce: self.nonce, ciphertext: Vec::new(), recipients: self.recipients.clone() }.encode().len()
            - EMPTY_HEAD
    }

    /// Encrypts `plaintext`, once.
    pub(super) fn encrypt(
        mut self,
        context: &SealContext,
        label: &CompartmentLabel,
        key: &ContentKey,
        mut plaintext: Zeroizing<Vec<u8>>,
    ) -> Self {
        let tag = key
            .cipher()
            .encrypt_inout_detached(
                &self.nonce.into(),
                &associated_data(context, label),
                plaintext.as_mut_slice().into(),
            )
            .expect("a compartment is far below the 256 GiB that the cipher can take");
        self.ciphertext = [plaintext.as_slice(), tag.as_slice()].concat();
        self
    }

    /// The content key, as this lane's reader unwraps it.
    pub(super) fn content_key(
        &self,
        context: &SealContext,
        label: &CompartmentLabel,
        lane: &LaneKey,
    ) -> Result<ContentKey, SealError> {
        let wrapped = self.recipients.get(&lane.recipient_kid(&context.record, label)).ok_or(SealError::NotAReader)?;
        unwrap(&lane.wrap_key(&context.record, label), wrapped)
    }

    /// Decrypts.
    pub(super) fn decrypt(
        &self,
        context: &SealContext,
        label: &CompartmentLabel,
        key: &ContentKey,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let at = self.ciphertext.len().checked_sub(super::padding::TAG_BYTES).ok_or(SealError::DoesNotOpen)?;
        let (ciphertext, tag) = self.ciphertext.split_at(at);
        let tag: [u8; super::padding::TAG_BYTES] = tag.try_into().map_err(|_| SealError::DoesNotOpen)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        key.cipher()
            .decrypt_inout_detached(
                &self.nonce.into(),
                &associated_data(context, label),
                plaintext.as_mut_slice().into(),
                &tag.into(),
            )
            .map_err(|_| SealError::DoesNotOpen)?;
        Ok(plaintext)
    }

    /// The tagged `COSE_Encrypt`.
    pub(super) fn encode(&self) -> Vec<u8> {
        let recipient = |(kid, wrapped): (&RecipientKid, &[u8; WRAPPED_BYTES])| {
            let header = Map::new().with(label::ALG, ALG_A256KW).with(label::KID, kid.0);
            Value::from(vec![Value::Bytes(Vec::new()), Value::Map(header), Value::from(*wrapped)])
        };
        self.encode_with(self.recipients.iter().map(recipient).collect())
    }

    /// The same ciphertext for whoever holds the content key: one `direct` recipient, named by the compartment's label.
    pub(super) fn encode_direct(&self, label: &CompartmentLabel) -> Vec<u8> {
        let header = Map::new().with(label::ALG, ALG_DIRECT).with(label::KID, label.0);
        let recipient = vec![Value::Bytes(Vec::new()), Value::Map(header), Value::Bytes(Vec::new())];
        self.encode_with(vec![Value::from(recipient)])
    }

    fn encode_with(&self, recipients: Vec<Value>) -> Vec<u8> {
        let parts = vec![
            Value::Bytes(protected()),
            Value::Map(Map::new().with(label::IV, self.nonce)),
            Value::from(self.ciphertext.as_slice()),
            Value::from(recipients),
        ];
        cbor::encode(&Value::Tag(TAG_ENCRYPT, Box::new(Value::from(parts))))
    }

    /// Reads what [`Self::encode`] writes, and nothing else.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        const SHAPE: CborError = CborError::Shape { object: "COSE_Encrypt" };
        let Value::Tag(TAG_ENCRYPT, inner) = cbor::decode(bytes)? else { return Err(SHAPE.into()) };
        let Value::Array(parts) = *inner else { return Err(SHAPE.into()) };
        let [header, unprotected, ciphertext, recipients] = <[Value; 4]>::try_from(parts).map_err(|_| SHAPE)?;
        if header.as_bytes() != Some(&protected()) {
            return Err(SHAPE.into());
        }
        let mut fields = Fields::of(unprotected, "COSE_Encrypt")?;
        let nonce = fields.array(label::IV)?;
        fields.end()?;
        let (Value::Bytes(ciphertext), Value::Array(listed)) = (ciphertext, recipients) else {
            return Err(SHAPE.into());
        };
        if listed.is_empty() || listed.len() > MEMBERS_MAX {
            return Err(SealError::Bounds { what: "number of readers" });
        }
        let mut recipients: BTreeMap<RecipientKid, _> = BTreeMap::new();
        for item in listed {
            let (kid, wrapped) = read_recipient(item)?;
            if recipients.last_key_value().is_some_and(|(last, _)| *last >= kid) {
                return Err(SHAPE.into());
            }
            recipients.insert(kid, wrapped);
        }
        Ok(Self { nonce, ciphertext, recipients })
    }
}

fn read_recipient(item: Value) -> Result<(RecipientKid, [u8; WRAPPED_BYTES]), CborError> {
    const SHAPE: CborError = CborError::Shape { object: "COSE_recipient" };
    let Value::Array(parts) = item else { return Err(SHAPE) };
    let [protected, unprotected, wrapped] = <[Value; 3]>::try_from(parts).map_err(|_| SHAPE)?;
    let mut fields = Fields::of(unprotected, "COSE_recipient")?;
    if protected.as_bytes() != Some(&[]) || fields.i64(label::ALG)? != ALG_A256KW {
        return Err(SHAPE);
    }
    let kid = RecipientKid(fields.array(label::KID)?);
    fields.end()?;
    Ok((kid, wrapped.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?))
}

/// The protected header: the algorithm, and nothing else.
fn protected() -> Vec<u8> {
    cbor::encode(&Value::Map(Map::new().with(label::ALG, ALG_CHACHA20_POLY1305)))
}

/// What ties a compartment to its place, as `external_aad` of COSE: the federation id (32 bytes), the record id as text, the
/// compartment's label (16 bytes), one after the other.
#[must_use]
pub fn external_aad(context: &SealContext, label: &CompartmentLabel) -> Vec<u8> {
    [&context.federation.0.0[..], context.record.to_string().as_bytes(), &label.0].concat()
}

/// `Enc_structure` (RFC 9052 §5.3).
fn associated_data(context: &SealContext, label: &CompartmentLabel) -> Vec<u8> {
    cbor::encode(&Value::from(vec![
        Value::from("Encrypt"),
        Value::Bytes(protected()),
        Value::Bytes(external_aad(context, label)),
    ]))
}

fn wrap(wrap_key: &WrapKey, key: &ContentKey) -> [u8; WRAPPED_BYTES] {
    let mut wrapped = [0; WRAPPED_BYTES];
    KwAes256::new(&(*wrap_key.0).into()).wrap_key(key.as_bytes(), &mut wrapped).expect("32 bytes are wrapped in 40");
    wrapped
}

fn unwrap(wrap_key: &WrapKey, wrapped: &[u8; WRAPPED_BYTES]) -> Result<ContentKey, SealError> {
    let mut key = Zeroizing::new([0; 32]);
    KwAes256::new(&(*wrap_key.0).into()).unwrap_key(wrapped, key.as_mut_slice()).map_err(|_| SealError::DoesNotOpen)?;
    Ok(ContentKey(key))
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ContentKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hash::Digest;
    use crate::encoding::ids::FederationId;

    const LABEL: CompartmentLabel = CompartmentLabel([7; 16]);

    fn context() -> SealContext {
        SealContext { federation: FederationId(Digest([9; 32])), record: "GE-1".parse().unwrap() }
    }

    fn for_readers(count: usize) -> Result<(Encrypted, ContentKey), SealError> {
        let mut random = Randomness::new([2; 32]);
        let lanes: Vec<LaneKey> = (0..count).map(|_| LaneKey::from_bytes(random.array())).collect();
        Encrypted::for_readers(&context(), &LABEL, &lanes.iter().collect::<Vec<_>>(), &mut random)
    }

    #[test]
    fn a_compartment_has_a_reader_and_no_more_than_a_federation_has_members() {
        for (count, refused) in [(0, true), (1, false), (MEMBERS_MAX, false), (MEMBERS_MAX + 1, true)] {
            let refused = refused.then_some(SealError::Bounds { what: "number of readers" });
            assert_eq!(for_readers(count).err(), refused);
            let recipient = |number: usize| (RecipientKid((number as u128).to_be_bytes()), [0; WRAPPED_BYTES]);
            let recipients = (0..count).map(recipient).collect();
            let object = Encrypted { nonce: [1; 12], ciphertext: vec![0; 16], recipients }.encode();
            assert_eq!(Encrypted::decode(&object).err(), refused);
        }
    }

    /// The numbers are those of RFC 9052 and RFC 9053, so that any COSE tool reads them.
    #[test]
    fn a_compartment_is_a_cose_encrypt_for_its_readers_or_for_whoever_has_its_key() {
        let (encrypted, key) = for_readers(2).unwrap();
        let encrypted = encrypted.encrypt(&context(), &LABEL, &key, Zeroizing::new(b"content".to_vec()));
        let recipient = |algorithm: i64, kid: [u8; 16], wrapped: &[u8]| {
            let header = Map::new().with(1, algorithm).with(4, kid);
            Value::from(vec![Value::Bytes(Vec::new()), Value::Map(header), Value::from(wrapped)])
        };
        let object = |recipients: Vec<Value>| {
            let parts = vec![
                Value::from(&[0xa1, 0x01, 0x18, 24][..]),
                Value::Map(Map::new().with(5, encrypted.nonce)),
                Value::from(encrypted.ciphertext.as_slice()),
                Value::from(recipients),
            ];
            Ok(Value::Tag(96, Box::new(Value::from(parts))))
        };
        let readers = encrypted.recipients.iter().map(|(kid, wrapped)| recipient(-5, kid.0, wrapped)).collect();
        assert_eq!(cbor::decode(&encrypted.encode()), object(readers));
        assert_eq!(cbor::decode(&encrypted.encode_direct(&LABEL)), object(vec![recipient(-6, LABEL.0, &[])]));
    }

    #[test]
    fn a_content_key_is_not_shown() {
        assert_eq!(format!("{:?}", ContentKey::from_bytes([1; 32])), "ContentKey([redacted])");
    }
}
