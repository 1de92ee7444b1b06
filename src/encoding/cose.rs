//! COSE envelopes (RFC 9052) in the closed profile of Shieldwall: `COSE_Sign1` and `COSE_Sign`, Ed25519 only.
//!
//! These types hold an envelope's parts and give the bytes to be signed; which header labels an object must carry is
//! decided in `identity::profile`, and whether a signature is good by the key it must come from.
//! Sealed compartments (`COSE_Encrypt`) are in `seal`.

use super::cbor::{self, CborError, Map, Value};

/// Header labels: the registered ones by the names of their RFCs, and Shieldwall's own for private use (RFC 9052 §16.2).
pub mod label {
    /// Algorithm (RFC 9052 §3.1).
    pub const ALG: i64 = 1;
    /// Content type (RFC 9052 §3.1).
    pub const CONTENT_TYPE: i64 = 3;
    /// Key id (RFC 9052 §3.1).
    pub const KID: i64 = 4;
    /// Initialisation vector (RFC 9052 §3.1).
    pub const IV: i64 = 5;
    /// CWT claims (RFC 9597): a map with `iss` (1), `sub` (2) and `iat` (6).
    pub const CWT_CLAIMS: i64 = 15;
    /// Type of the whole object (RFC 9596).
    pub const TYP: i64 = 16;
    /// Hash algorithm of a payload that is a digest (COSE hash envelope).
    pub const PAYLOAD_HASH_ALG: i64 = 258;
    /// Content type of what was hashed (COSE hash envelope).
    pub const PREIMAGE_CONTENT_TYPE: i64 = 259;
    /// Receipts of a SCITT transparent statement (RFC 9942), in the unprotected header.
    pub const RECEIPTS: i64 = 394;
    /// Verifiable data structure (RFC 9942); 1 is the SHA-256 Merkle tree of RFC 9162.
    pub const VDS: i64 = 395;
    /// Proofs of the verifiable data structure (RFC 9942), in the unprotected header.
    pub const VDP: i64 = 396;

    /// Federation id, 32 bytes.
    pub const FEDERATION: i64 = -65_601;
    /// Log id, text.
    pub const LOG: i64 = -65_602;
    /// Position of a statement in its log.
    pub const POSITION: i64 = -65_603;
    /// Tree size that a checkpoint or cosignature signs.
    pub const SIZE: i64 = -65_604;
    /// Position of the author's newest `lanes` statement.
    pub const LANES: i64 = -65_605;
    /// Tags, by which readers find what is for them.
    pub const TAGS: i64 = -65_606;
    /// Size class of the body: n for 512·2ⁿ bytes.
    pub const SIZE_CLASS: i64 = -65_607;
    /// Commitments to lanes, 32 bytes.
    pub const COMMITMENTS: i64 = -65_608;
    /// Number of logs in a frontier.
    pub const FRONTIER: i64 = -65_609;
    /// Unprotected, in a charter file: the earlier versions of the charter.
    pub const CHARTERS: i64 = -65_610;
    /// Unprotected, in a charter file: every member's newest manifest.
    pub const MANIFESTS: i64 = -65_611;
    /// Unprotected, in the file of a first manifest: what the charter is to say of the member.
    pub const APPLICATION: i64 = -65_612;
}

/// `EdDSA` in the registry of COSE algorithms.
pub const ALG_EDDSA: i64 = -8;
/// `SHA-256` in the registry of COSE algorithms.
pub const ALG_SHA_256: i64 = -16;

const TAG_SIGN1: u64 = 18;
const TAG_SIGN: u64 = 98;

/// A `COSE_Sign1` object (RFC 9052 §4.2), tagged 18.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign1 {
    /// The signed header.
    pub protected: Map,
    /// The header that nothing protects.
    pub unprotected: Map,
    /// The payload; `None` if it is detached.
    pub payload: Option<Vec<u8>>,
    /// The Ed25519 signature.
    pub signature: [u8; 64],
}

/// A `COSE_Sign` object (RFC 9052 §4.1), tagged 98: one payload, many signers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// The header that all signers sign.
    pub protected: Map,
    /// The header that nothing protects.
    pub unprotected: Map,
    /// The payload.
    pub payload: Vec<u8>,
    /// One entry per signer.
    pub signatures: Vec<SignSignature>,
}

/// One signer's entry in a [`Sign`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignSignature {
    /// This signer's signed header.
    pub protected: Map,
    /// The Ed25519 signature.
    pub signature: [u8; 64],
}

impl Sign1 {
    /// The bytes that a signer signs: `Sig_structure` with context `Signature1` and no external data (RFC 9052 §4.4).
    #[must_use]
    pub fn to_be_signed(protected: &Map, payload: &[u8]) -> Vec<u8> {
        cbor::encode(&Value::from(vec![
            Value::from("Signature1"),
            Value::Bytes(protected_bytes(protected)),
            Value::Bytes(Vec::new()),
            Value::from(payload),
        ]))
    }

    /// What [`Self::to_be_signed`] was made of: the signed header and the payload, as whoever is asked to sign has to see them.
    ///
    /// # Errors
    /// [`CborError`] if the bytes are not a deterministic `Sig_structure` with context `Signature1` and no external data.
    pub fn read_to_be_signed(bytes: &[u8]) -> Result<(Map, Vec<u8>), CborError> {
        const SHAPE: CborError = CborError::Shape { object: "Sig_structure" };
        let Value::Array(parts) = cbor::decode(bytes)? else { return Err(SHAPE) };
        let [context, protected, external, payload] = <[Value; 4]>::try_from(parts).map_err(|_| SHAPE)?;
        if context != Value::from("Signature1") || external != Value::Bytes(Vec::new()) {
            return Err(SHAPE);
        }
        Ok((protected_map(&protected, SHAPE)?, bytes_of(payload, SHAPE)?))
    }

    /// The tagged object.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&self.to_value())
    }

    /// The tagged object as a value, to be placed inside another.
    #[must_use]
    pub fn to_value(&self) -> Value {
        tagged(
            TAG_SIGN1,
            vec![
                Value::Bytes(protected_bytes(&self.protected)),
                Value::Map(self.unprotected.clone()),
                self.payload.clone().map_or(Value::Null, Value::Bytes),
                Value::from(self.signature),
            ],
        )
    }

    /// Reads a tagged object.
    ///
    /// # Errors
    /// [`CborError`] if the bytes are not one deterministic `COSE_Sign1`.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        Self::from_value(cbor::decode(bytes)?)
    }

    /// Reads a tagged object out of a value.
    ///
    /// # Errors
    /// [`CborError`] if the value is not a `COSE_Sign1` with deterministic headers.
    pub fn from_value(value: Value) -> Result<Self, CborError> {
        const SHAPE: CborError = CborError::Shape { object: "COSE_Sign1" };
        let [protected, unprotected, payload, signature] = untagged(TAG_SIGN1, value, SHAPE)?;
        Ok(Self {
            protected: protected_map(&protected, SHAPE)?,
            unprotected: if let Value::Map(map) = unprotected { map } else { return Err(SHAPE) },
            payload: match payload {
                Value::Null => None,
                other => Some(bytes_of(other, SHAPE)?),
            },
            signature: bytes_of(signature, SHAPE)?.try_into().map_err(|_| SHAPE)?,
        })
    }
}

impl Sign {
    /// The bytes that one signer signs: `Sig_structure` with context `Signature` and no external data (RFC 9052 §4.4).
    #[must_use]
    pub fn to_be_signed(protected: &Map, signer: &Map, payload: &[u8]) -> Vec<u8> {
        cbor::encode(&Value::from(vec![
            Value::from("Signature"),
            Value::Bytes(protected_bytes(protected)),
            Value::Bytes(protected_bytes(signer)),
            Value::Bytes(Vec::new()),
            Value::from(payload),
        ]))
    }

    /// The tagged object.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let signatures = self
            .signatures
            .iter()
            .map(|entry| {
                Value::from(vec![
                    Value::Bytes(protected_bytes(&entry.protected)),
                    Value::Map(Map::new()),
                    Value::from(entry.signature),
                ])
            })
            .collect::<Vec<_>>();
        cbor::encode(&tagged(
            TAG_SIGN,
            vec![
                Value::Bytes(protected_bytes(&self.protected)),
                Value::Map(self.unprotected.clone()),
                Value::Bytes(self.payload.clone()),
                Value::from(signatures),
            ],
        ))
    }

    /// Reads a tagged object. The signers' unprotected headers must be empty.
    ///
    /// # Errors
    /// [`CborError`] if the bytes are not one deterministic `COSE_Sign`.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        const SHAPE: CborError = CborError::Shape { object: "COSE_Sign" };
        let [protected, unprotected, payload, signatures] = untagged(TAG_SIGN, cbor::decode(bytes)?, SHAPE)?;
        let Value::Array(entries) = signatures else { return Err(SHAPE) };
        let signatures = entries
            .into_iter()
            .map(|entry| {
                let Value::Array(parts) = entry else { return Err(SHAPE) };
                let [protected, unprotected, signature] = <[Value; 3]>::try_from(parts).map_err(|_| SHAPE)?;
                if unprotected != Value::Map(Map::new()) {
                    return Err(SHAPE);
                }
                Ok(SignSignature {
                    protected: protected_map(&protected, SHAPE)?,
                    signature: bytes_of(signature, SHAPE)?.try_into().map_err(|_| SHAPE)?,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            protected: protected_map(&protected, SHAPE)?,
            unprotected: if let Value::Map(map) = unprotected { map } else { return Err(SHAPE) },
            payload: bytes_of(payload, SHAPE)?,
            signatures,
        })
    }
}

/// A protected header as it is carried: the encoded map, or nothing for an empty one (RFC 9052 §3).
#[must_use]
pub fn protected_bytes(map: &Map) -> Vec<u8> {
    if map.is_empty() { Vec::new() } else { cbor::encode(&Value::Map(map.clone())) }
}

fn protected_map(value: &Value, shape: CborError) -> Result<Map, CborError> {
    match value.as_bytes().ok_or(shape.clone())? {
        [] => Ok(Map::new()),
        bytes => match cbor::decode(bytes)? {
            Value::Map(map) if !map.is_empty() => Ok(map),
            _ => Err(shape),
        },
    }
}

fn tagged(tag: u64, parts: Vec<Value>) -> Value {
    Value::Tag(tag, Box::new(Value::Array(parts)))
}

fn untagged<const N: usize>(tag: u64, value: Value, shape: CborError) -> Result<[Value; N], CborError> {
    match value {
        Value::Tag(found, inner) if found == tag => match *inner {
            Value::Array(parts) => parts.try_into().map_err(|_| shape),
            _ => Err(shape),
        },
        _ => Err(shape),
    }
}

fn bytes_of(value: Value, shape: CborError) -> Result<Vec<u8>, CborError> {
    if let Value::Bytes(bytes) = value { Ok(bytes) } else { Err(shape) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Sign1 {
        Sign1 {
            protected: Map::new().with(label::ALG, ALG_EDDSA),
            unprotected: Map::new(),
            payload: Some(b"payload".to_vec()),
            signature: [7; 64],
        }
    }

    #[test]
    fn sign1_survives_the_round_trip_and_detached_payload_is_null() {
        let mut object = example();
        assert_eq!(Sign1::decode(&object.encode()), Ok(object.clone()));
        object.payload = None;
        assert_eq!(Sign1::decode(&object.encode()), Ok(object));
    }

    #[test]
    fn sign_survives_the_round_trip() {
        let object = Sign {
            protected: Map::new().with(label::TYP, "x"),
            unprotected: Map::new(),
            payload: vec![1, 2],
            signatures: vec![SignSignature { protected: Map::new().with(label::ALG, ALG_EDDSA), signature: [9; 64] }],
        };
        assert_eq!(Sign::decode(&object.encode()), Ok(object));
    }

    #[test]
    fn an_empty_protected_header_is_an_empty_string_and_nothing_else() {
        let mut object = example();
        object.protected = Map::new();
        let bytes = object.encode();
        assert_eq!(bytes[..3], [0xd2, 0x84, 0x40]);
        assert_eq!(Sign1::decode(&bytes), Ok(object));
        // The same header as an encoded empty map would be a second way to write it.
        let second = [&bytes[..2], &[0x41, 0xa0], &bytes[3..]].concat();
        assert!(Sign1::decode(&second).is_err());
    }

    #[test]
    fn another_tag_or_another_number_of_parts_is_refused() {
        let bytes = example().encode();
        assert!(Sign1::decode(&bytes[1..]).is_err(), "without its tag");
        assert!(Sign::decode(&bytes).is_err(), "as another object");
    }
}
