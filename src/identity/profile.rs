//! The one closed profile of protected headers for everything that is signed.
//!
//! Every signed object states its kind, its key, who speaks about what and when, and for which federation. The labels of
//! each kind are an exact list: one missing, added, or moved to another header is refused, so that no signature can
//! be taken for one over another kind of object. Kinds with labels of their own (log, position, size …) hand them in
//! and get them back as a map that holds exactly the labels of [`ObjectKind::labels`].

use crate::encoding::cbor::{CborError, Fields, Map, Value};
use crate::encoding::cose::{ALG_EDDSA, Sign1, label};
use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::{FederationId, MemberCode};
use crate::encoding::time::UnixTime;

use super::key::PublicKey;

/// What a member's URI begins with; its code follows.
const MEMBER_URI: &str = "urn:shieldwall:member:";

/// CWT claim keys (RFC 8392 §4).
const ISS: i64 = 1;
const SUB: i64 = 2;
const IAT: i64 = 6;

/// The kinds of signed objects. Each has a media type, which stands in the header label `typ` (RFC 9596).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A record's public envelope, signed by its log's key.
    Statement,
    /// A log owner's signature over size and root of its log.
    Checkpoint,
    /// Another member's signature over size and root of a log.
    Cosignature,
    /// A member's signature over the root of all logs that it holds.
    FrontierCosignature,
    /// Who the members are; a `COSE_Sign`, so split in two headers.
    Charter,
    /// A member's keys and addresses, signed by its root.
    Manifest,
    /// The end of a log at a size, signed by its member's root.
    Closing,
    /// A member's decision between two histories of its log, signed by its root.
    Settlement,
    /// A member's declaration that bodies and keys were destroyed.
    Erasure,
}

/// The labels that every signed object carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The key that signs.
    pub kid: Kid,
    /// The member that speaks (`iss`).
    pub issuer: MemberCode,
    /// What it speaks about (`sub`): a record id for a statement.
    pub subject: String,
    /// When it says so (`iat`): a claim.
    pub issued_at: UnixTime,
    /// The federation in which it says so.
    pub federation: FederationId,
}

/// Why a protected header is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A label is missing, of another type, or not one of this kind's.
    #[error(transparent)]
    Labels(#[from] CborError),
    /// The object is of another kind.
    #[error("signed as another kind of object than {expected:?}")]
    Kind {
        /// The kind that was asked for.
        expected: ObjectKind,
    },
    /// An algorithm other than `EdDSA`.
    #[error("signed with an algorithm other than EdDSA")]
    Algorithm,
    /// The unprotected header must be empty for this kind.
    #[error("unexpected labels in the unprotected header")]
    Unprotected,
    /// The payload must be there, or must be detached.
    #[error("the payload is not where this kind of object has it")]
    Payload,
    /// The header names another key than the one that must sign.
    #[error("signed by another key than the one expected")]
    Key,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Statement,
        Self::Checkpoint,
        Self::Cosignature,
        Self::FrontierCosignature,
        Self::Charter,
        Self::Manifest,
        Self::Closing,
        Self::Settlement,
        Self::Erasure,
    ];

    /// The media type of the whole object.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Statement => "application/vnd.shieldwall.statement+cose",
            Self::Checkpoint => "application/vnd.shieldwall.checkpoint+cose",
            Self::Cosignature => "application/vnd.shieldwall.cosignature+cose",
            Self::FrontierCosignature => "application/vnd.shieldwall.frontier-cosignature+cose",
            Self::Charter => "application/vnd.shieldwall.charter+cose",
            Self::Manifest => "application/vnd.shieldwall.manifest+cose",
            Self::Closing => "application/vnd.shieldwall.closing+cose",
            Self::Settlement => "application/vnd.shieldwall.settlement+cose",
            Self::Erasure => "application/vnd.shieldwall.erasure+cose",
        }
    }

    /// The labels that this kind has besides those of [`Header`]: all of them, and no others.
    #[must_use]
    pub fn labels(self) -> &'static [i64] {
        match self {
            Self::Statement => &[
                label::PAYLOAD_HASH_ALG,
                label::PREIMAGE_CONTENT_TYPE,
                label::LOG,
                label::POSITION,
                label::LANES,
                label::TAGS,
                label::SIZE_CLASS,
            ],
            Self::Checkpoint => &[label::VDS, label::LOG, label::SIZE, label::COMMITMENTS],
            Self::Cosignature => &[label::VDS, label::LOG, label::SIZE],
            Self::FrontierCosignature => &[label::FRONTIER],
            Self::Charter | Self::Manifest => &[],
            Self::Closing | Self::Settlement | Self::Erasure => &[label::LOG, label::SIZE],
        }
    }
}

impl Header {
    /// The protected header of an object of `kind`, with the labels that only this kind has.
    ///
    /// # Panics
    /// If `extra` does not hold exactly the labels of [`ObjectKind::labels`]: that would be our own mistake.
    #[must_use]
    pub fn encode(&self, kind: ObjectKind, extra: Map) -> Map {
        assert!(has_exactly(&extra, kind.labels()), "labels of a {kind:?} are a closed list");
        let claims =
            Map::new().with(ISS, member_uri(self.issuer)).with(SUB, self.subject.as_str()).with(IAT, self.issued_at);
        extra
            .with(label::ALG, ALG_EDDSA)
            .with(label::TYP, kind.media_type())
            .with(label::KID, self.kid)
            .with(label::CWT_CLAIMS, claims)
            .with(label::FEDERATION, self.federation.0)
    }

    /// Reads the protected header of an object of `kind`; gives the labels that only this kind has as a map, in which
    /// all of them and no others are.
    ///
    /// # Errors
    /// [`ProfileError`] for another kind or algorithm, and for a label missing, added or of another type.
    pub fn decode(kind: ObjectKind, protected: Map) -> Result<(Self, Map), ProfileError> {
        let mut fields = Fields::of_map(protected, kind.media_type());
        if fields.text(label::TYP)? != kind.media_type() {
            return Err(ProfileError::Kind { expected: kind });
        }
        if fields.i64(label::ALG)? != ALG_EDDSA {
            return Err(ProfileError::Algorithm);
        }
        let kid = Kid(fields.array(label::KID)?);
        let federation = FederationId(Digest(fields.array(label::FEDERATION)?));
        let mut claims = Fields::of_map(fields.map(label::CWT_CLAIMS)?, "CWT claims");
        let issuer = issuer_claim(&mut claims)?;
        let subject = claims.text(SUB)?;
        let issued_at = time_claim(&mut claims)?;
        claims.end()?;
        let header = Self { kid, issuer, subject, issued_at, federation };
        let extra = own_labels(fields, kind)?;
        Ok((header, extra))
    }
}

/// Checks all of a `COSE_Sign1` that does not depend on its kind's own labels: header, empty unprotected header, key and
/// signature over the attached payload. Gives the header and the kind's own labels.
///
/// # Errors
/// [`ProfileError`], naming what is wrong.
pub fn verify_sign1(object: &Sign1, kind: ObjectKind, key: &PublicKey) -> Result<(Header, Map), ProfileError> {
    if !object.unprotected.is_empty() {
        return Err(ProfileError::Unprotected);
    }
    let payload = object.payload.as_deref().ok_or(ProfileError::Payload)?;
    verify_sign1_detached(object, payload, kind, key)
}

/// As [`verify_sign1`], with the payload given apart and whatever unprotected header the kind has: for receipts.
///
/// # Errors
/// [`ProfileError`], naming what is wrong.
pub fn verify_sign1_detached(
    object: &Sign1,
    payload: &[u8],
    kind: ObjectKind,
    key: &PublicKey,
) -> Result<(Header, Map), ProfileError> {
    let (header, extra) = Header::decode(kind, object.protected.clone())?;
    if header.kid != key.kid() {
        return Err(ProfileError::Key);
    }
    let message = Sign1::to_be_signed(&object.protected, payload);
    key.verify(&message, &object.signature).map_err(|_| ProfileError::Signature)?;
    Ok((header, extra))
}

/// The URI of a member, as `iss` has it.
#[must_use]
pub fn member_uri(member: MemberCode) -> String {
    format!("{MEMBER_URI}{member}")
}

/// The member whose URI this is.
#[must_use]
pub fn member_of_uri(uri: &str) -> Option<MemberCode> {
    uri.strip_prefix(MEMBER_URI)?.parse().ok()
}

/// What all signers of a charter sign: kind, subject, time and federation. The rest of the profile is each signer's own.
pub(super) fn charter_header(subject: &str, issued_at: UnixTime, federation: FederationId) -> Map {
    Map::new()
        .with(label::TYP, ObjectKind::Charter.media_type())
        .with(label::CWT_CLAIMS, Map::new().with(SUB, subject).with(IAT, issued_at))
        .with(label::FEDERATION, federation.0)
}

/// What each signer of a charter adds: algorithm, key and who it is.
pub(super) fn charter_signer_header(signer: MemberCode, kid: Kid) -> Map {
    Map::new()
        .with(label::ALG, ALG_EDDSA)
        .with(label::KID, kid)
        .with(label::CWT_CLAIMS, Map::new().with(ISS, member_uri(signer)))
}

/// Reads what [`charter_header`] writes: subject, time, federation.
pub(super) fn read_charter_header(protected: Map) -> Result<(String, UnixTime, FederationId), ProfileError> {
    let mut fields = Fields::of_map(protected, ObjectKind::Charter.media_type());
    if fields.text(label::TYP)? != ObjectKind::Charter.media_type() {
        return Err(ProfileError::Kind { expected: ObjectKind::Charter });
    }
    let federation = FederationId(Digest(fields.array(label::FEDERATION)?));
    let mut claims = Fields::of_map(fields.map(label::CWT_CLAIMS)?, "CWT claims");
    let subject = claims.text(SUB)?;
    let issued_at = time_claim(&mut claims)?;
    claims.end()?;
    fields.end()?;
    Ok((subject, issued_at, federation))
}

/// Reads what [`charter_signer_header`] writes.
pub(super) fn read_charter_signer_header(protected: Map) -> Result<(MemberCode, Kid), ProfileError> {
    let mut fields = Fields::of_map(protected, "charter signer");
    if fields.i64(label::ALG)? != ALG_EDDSA {
        return Err(ProfileError::Algorithm);
    }
    let kid = Kid(fields.array(label::KID)?);
    let mut claims = Fields::of_map(fields.map(label::CWT_CLAIMS)?, "CWT claims");
    let signer = issuer_claim(&mut claims)?;
    claims.end()?;
    fields.end()?;
    Ok((signer, kid))
}

fn issuer_claim(claims: &mut Fields) -> Result<MemberCode, CborError> {
    let uri = claims.text(ISS)?;
    member_of_uri(&uri).ok_or_else(|| claims.bad(ISS))
}

fn time_claim(claims: &mut Fields) -> Result<UnixTime, CborError> {
    let seconds = claims.i64(IAT)?;
    UnixTime::from_seconds(seconds).map_err(|_| claims.bad(IAT))
}

/// The labels that are left must be exactly the kind's own.
fn own_labels(mut fields: Fields, kind: ObjectKind) -> Result<Map, CborError> {
    let mut own = Map::new();
    for label in kind.labels() {
        own.insert(*label, fields.value(*label)?);
    }
    fields.end()?;
    Ok(own)
}

fn has_exactly(map: &Map, labels: &[i64]) -> bool {
    map.len() == labels.len() && labels.iter().all(|label| map.get(&Value::from(*label)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::fixture::{at, code, key};

    fn header() -> Header {
        Header {
            kid: key("GE", "log").public().kid(),
            issuer: code("GE"),
            subject: "GE-1".to_owned(),
            issued_at: at(0),
            federation: FederationId(Digest([9; 32])),
        }
    }

    fn extra(kind: ObjectKind) -> Map {
        kind.labels().iter().map(|label| (*label, *label)).collect()
    }

    #[test]
    fn every_kind_reads_back_and_is_no_other() {
        for kind in ObjectKind::ALL {
            let protected = header().encode(kind, extra(kind));
            assert_eq!(Header::decode(kind, protected.clone()), Ok((header(), extra(kind))));
            for other in ObjectKind::ALL.into_iter().filter(|other| *other != kind) {
                let expected = ProfileError::Kind { expected: other };
                assert_eq!(Header::decode(other, protected.clone()), Err(expected));
            }
        }
    }

    #[test]
    fn labels_are_a_closed_list() {
        for kind in ObjectKind::ALL {
            let protected = header().encode(kind, extra(kind));
            for (label, _) in protected.clone() {
                let mut missing = protected.clone();
                missing.remove(&label);
                assert!(Header::decode(kind, missing).is_err(), "{kind:?} without {label:?}");
            }
            for label in [label::CONTENT_TYPE, label::VDP, -65_699, 2] {
                assert!(Header::decode(kind, protected.clone().with(label, 1)).is_err(), "{kind:?} with {label}");
            }
        }
    }

    #[test]
    fn claims_are_a_closed_list() {
        let good = header().encode(ObjectKind::Manifest, Map::new());
        let claims = good.get(&Value::from(label::CWT_CLAIMS)).and_then(Value::as_map).unwrap().clone();
        let with = |claims: Map| Header::decode(ObjectKind::Manifest, good.clone().with(label::CWT_CLAIMS, claims));
        assert!(with(claims.clone()).is_ok());
        assert!(with(claims.clone().with(4, 0)).is_err(), "an expiry");
        assert!(with(claims.clone().with(ISS, "urn:shieldwall:member:ge")).is_err());
        assert!(with(claims.with(IAT, -1)).is_err());
    }

    #[test]
    fn a_signature_needs_its_key_its_payload_and_an_empty_unprotected_header() {
        let secret = key("GE", "log");
        let protected = header().encode(ObjectKind::Manifest, Map::new());
        let signature = secret.sign(&Sign1::to_be_signed(&protected, b"payload"));
        let good = Sign1 { protected, unprotected: Map::new(), payload: Some(b"payload".to_vec()), signature };
        let verify = |object: &Sign1, key: &PublicKey| verify_sign1(object, ObjectKind::Manifest, key).map(|_| ());
        assert_eq!(verify(&good, &secret.public()), Ok(()));
        assert_eq!(verify(&good, &key("TR", "log").public()), Err(ProfileError::Key));
        let detached = Sign1 { payload: None, ..good.clone() };
        assert_eq!(verify(&detached, &secret.public()), Err(ProfileError::Payload));
        let other = Sign1 { payload: Some(b"another".to_vec()), ..good.clone() };
        assert_eq!(verify(&other, &secret.public()), Err(ProfileError::Signature));
        let extra = Sign1 { unprotected: Map::new().with(label::KID, 1), ..good };
        assert_eq!(verify(&extra, &secret.public()), Err(ProfileError::Unprotected));
    }

    #[test]
    fn members_have_uris() {
        assert_eq!(member_uri(code("GE")), "urn:shieldwall:member:GE");
        assert_eq!(member_of_uri("urn:shieldwall:member:W1"), Some(code("W1")));
        assert_eq!(member_of_uri("urn:shieldwall:member:"), None);
    }

    #[test]
    #[should_panic(expected = "labels of a Checkpoint are a closed list")]
    fn an_object_of_our_own_with_a_label_too_many_is_not_made() {
        let kind = ObjectKind::Checkpoint;
        drop(header().encode(kind, extra(kind).with(-65_699, 1)));
    }

    #[test]
    #[should_panic(expected = "labels of a Checkpoint are a closed list")]
    fn an_object_of_our_own_with_another_label_is_not_made() {
        let kind = ObjectKind::Checkpoint;
        let mut other = extra(kind);
        other.remove(&Value::from(kind.labels()[0]));
        drop(header().encode(kind, other.with(-65_699, 1)));
    }
}
