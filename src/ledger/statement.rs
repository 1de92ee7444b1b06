//! Statements: the signed, public envelopes of records, on their way from received bytes to a member's word.
//!
//! ```text
//! bytes ──read──▶ Unverified ──confirm──▶ Verified
//!           │                     │
//!           └──────── Flaw ◀──────┘   the leaf stays, its effect does not
//! ```
//!
//! A statement is a SCITT signed statement (RFC 9943): a `COSE_Sign1` whose payload is the digest of a body head, marked as a
//! hash envelope. What stands in its header is all that members outside the audience learn.

use crate::encoding::cbor::{CborError, Fields, Map, Value};
use crate::encoding::cose::{ALG_SHA_256, Sign1, label};
use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::{FederationId, LogId, RecordId};
use crate::encoding::time::UnixTime;
use crate::identity::{Header, ObjectKind, ProfileError, PublicKey};
use crate::seal::{BODY_HEAD_TYPE, LANES_HEAD_TYPE};

/// A statement is never longer than this, whatever a charter says: 17 bytes a tag leave room for more readers than a charter has members.
pub const STATEMENT_BYTES_MAX: usize = 16 * 1024;

/// What a statement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binds {
    /// The head of a record's sealed body.
    Body,
    /// The list of lane keys of an epoch, one slot per member; readable as such by everyone.
    Lanes,
}

/// What a statement says to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The record's id: its log and its position there.
    pub id: RecordId,
    /// The key of the log.
    pub kid: Kid,
    /// The federation.
    pub federation: FederationId,
    /// When its author says that it was made.
    pub issued_at: UnixTime,
    /// What the digest is of.
    pub binds: Binds,
    /// SHA-256 of the body's head.
    pub digest: Digest,
    /// Position of the author's newest `lanes` statement; its own for such a statement.
    pub lanes: u64,
    /// By which readers find what is for them; sorted, unique, padded with random ones.
    pub tags: Vec<[u8; 16]>,
    /// The body is padded to 512·2ⁿ bytes; this is n.
    pub size_class: u8,
}

/// Why a statement has no effect. It stays a leaf of its log and is flagged for ever, alike on all honest nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not a statement in deterministic form, or with a header outside the profile.
    #[error("not a well-formed statement: {0}")]
    Form(#[from] ProfileError),
    /// It says that it stands elsewhere.
    #[error("signed for another place in the ledger")]
    Place,
    /// It was made for another federation.
    #[error("signed for another federation")]
    Federation,
    /// Its key is not that of the log.
    #[error("signed by a key that is not the log's")]
    Key,
    /// Earlier than the statement before it.
    #[error("dated before the statement ahead of it")]
    Time,
    /// Its signature does not verify.
    #[error("its signature does not verify")]
    Signature,
}

/// A statement that was read, but whose signature has not been checked.
#[derive(Clone, Debug)]
pub struct Unverified {
    statement: Statement,
    check: SignatureCheck,
}

/// A statement that its log's key signed. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    statement: Statement,
}

/// One signature to be checked, apart from everything else, so that the world can check many on all cores.
#[derive(Clone, Debug)]
pub struct SignatureCheck {
    /// The key that must have signed.
    pub key: PublicKey,
    /// What was signed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: [u8; 64],
}

impl SignatureCheck {
    /// Whether the signature is good, by the one strict rule.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.key.verify(&self.message, &self.signature).is_ok()
    }
}

impl Statement {
    /// What its author's key signs.
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        Sign1::to_be_signed(&self.protected(), &self.digest.0)
    }

    /// The statement's exact bytes: the leaf.
    #[must_use]
    pub fn signed(&self, signature: [u8; 64]) -> Vec<u8> {
        Sign1 { protected: self.protected(), unprotected: Map::new(), payload: Some(self.digest.0.to_vec()), signature }
            .encode()
    }

    fn protected(&self) -> Map {
        let header = Header {
            kid: self.kid,
            issuer: self.id.log.member,
            subject: self.id.to_string(),
            issued_at: self.issued_at,
            federation: self.federation,
        };
        let preimage = match self.binds {
            Binds::Body => BODY_HEAD_TYPE,
            Binds::Lanes => LANES_HEAD_TYPE,
        };
        let tags: Vec<Value> = self.tags.iter().map(Value::from).collect();
        header.encode(
            ObjectKind::Statement,
            Map::new()
                .with(label::PAYLOAD_HASH_ALG, ALG_SHA_256)
                .with(label::PREIMAGE_CONTENT_TYPE, preimage)
                .with(label::LOG, self.id.log)
                .with(label::POSITION, self.id.position)
                .with(label::LANES, self.lanes)
                .with(label::TAGS, tags)
                .with(label::SIZE_CLASS, u64::from(self.size_class)),
        )
    }

    /// Reads a statement's bytes without asking who signed it or where it stands.
    ///
    /// # Errors
    /// [`Flaw::Form`].
    pub fn read(bytes: &[u8]) -> Result<(Self, Sign1), Flaw> {
        let form = |error: CborError| Flaw::Form(ProfileError::Labels(error));
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(form(CborError::Shape { object: "statement" }));
        }
        let object = Sign1::decode(bytes).map_err(form)?;
        if !object.unprotected.is_empty() {
            return Err(Flaw::Form(ProfileError::Unprotected));
        }
        let digest: [u8; 32] = object
            .payload
            .as_deref()
            .and_then(|payload| payload.try_into().ok())
            .ok_or(Flaw::Form(ProfileError::Payload))?;
        let (header, own) = Header::decode(ObjectKind::Statement, object.protected.clone())?;
        let statement = Self::from_header(header, own, Digest(digest)).map_err(form)?;
        Ok((statement, object))
    }

    fn from_header(header: Header, own: Map, digest: Digest) -> Result<Self, CborError> {
        let mut fields = Fields::of_map(own, "statement");
        if fields.i64(label::PAYLOAD_HASH_ALG)? != ALG_SHA_256 {
            return Err(fields.bad(label::PAYLOAD_HASH_ALG));
        }
        let binds = match fields.text(label::PREIMAGE_CONTENT_TYPE)?.as_str() {
            BODY_HEAD_TYPE => Binds::Body,
            LANES_HEAD_TYPE => Binds::Lanes,
            _ => return Err(fields.bad(label::PREIMAGE_CONTENT_TYPE)),
        };
        let log: LogId = fields.parse(label::LOG)?;
        let position = fields.u64(label::POSITION)?;
        let id = RecordId { log, position };
        if header.subject != id.to_string() || header.issuer != log.member {
            return Err(fields.bad(label::LOG));
        }
        let lanes = fields.u64(label::LANES)?;
        let lanes_fits = match binds {
            Binds::Body => lanes < position,
            Binds::Lanes => lanes == position,
        };
        if !lanes_fits {
            return Err(fields.bad(label::LANES));
        }
        let tags = fields
            .items(label::TAGS)?
            .iter()
            .map(|tag| tag.as_bytes().and_then(|bytes| bytes.try_into().ok()))
            .collect::<Option<Vec<[u8; 16]>>>()
            .filter(|tags| tags.is_sorted_by(|a, b| a < b))
            .ok_or_else(|| fields.bad(label::TAGS))?;
        let size_class = u8::try_from(fields.u64(label::SIZE_CLASS)?).map_err(|_| fields.bad(label::SIZE_CLASS))?;
        fields.end()?;
        Ok(Self {
            id,
            kid: header.kid,
            federation: header.federation,
            issued_at: header.issued_at,
            binds,
            digest,
            lanes,
            tags,
            size_class,
        })
    }
}

impl Unverified {
    /// Reads the leaf at `id` and holds it against its place: log, position, federation, key and the time of the leaf before.
    ///
    /// # Errors
    /// A [`Flaw`] that can be seen without checking the signature.
    pub fn read(
        bytes: &[u8],
        id: RecordId,
        federation: FederationId,
        key: &PublicKey,
        not_before: UnixTime,
    ) -> Result<Self, Flaw> {
        let (statement, object) = Statement::read(bytes)?;
        if statement.id != id {
            return Err(Flaw::Place);
        }
        if statement.federation != federation {
            return Err(Flaw::Federation);
        }
        if statement.kid != key.kid() {
            return Err(Flaw::Key);
        }
        if statement.issued_at < not_before {
            return Err(Flaw::Time);
        }
        let message = Sign1::to_be_signed(&object.protected, &statement.digest.0);
        Ok(Self { statement, check: SignatureCheck { key: *key, message, signature: object.signature } })
    }

    /// What is left to be checked.
    #[must_use]
    pub fn check(&self) -> &SignatureCheck {
        &self.check
    }

    /// What the statement claims.
    #[must_use]
    pub fn claim(&self) -> &Statement {
        &self.statement
    }

    /// Takes the outcome of [`SignatureCheck::holds`] for [`Self::check`].
    ///
    /// # Errors
    /// [`Flaw::Signature`] if it does not hold.
    pub fn confirm(self, holds: bool) -> Result<Verified, Flaw> {
        if holds { Ok(Verified { statement: self.statement }) } else { Err(Flaw::Signature) }
    }

    /// Checks the signature here and now.
    ///
    /// # Errors
    /// [`Flaw::Signature`] if it does not hold.
    pub fn verify(self) -> Result<Verified, Flaw> {
        let holds = self.check.holds();
        self.confirm(holds)
    }
}

impl Verified {
    /// What the log's key signed.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

impl Flaw {
    /// The word by which a flaw is kept and shown.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Form(_) => "form",
            Self::Place => "place",
            Self::Federation => "federation",
            Self::Key => "key",
            Self::Time => "time",
            Self::Signature => "signature",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SecretKey;

    fn example(key: &SecretKey) -> Statement {
        Statement {
            id: "GE-7".parse().unwrap(),
            kid: key.public().kid(),
            federation: FederationId(Digest([1; 32])),
            issued_at: UnixTime::from_seconds(1_800_000_000).unwrap(),
            binds: Binds::Body,
            digest: Digest([2; 32]),
            lanes: 3,
            tags: vec![[1; 16], [2; 16], [3; 16], [9; 16]],
            size_class: 2,
        }
    }

    fn read(bytes: &[u8], key: &SecretKey, statement: &Statement) -> Result<Unverified, Flaw> {
        Unverified::read(bytes, statement.id, statement.federation, &key.public(), statement.issued_at)
    }

    #[test]
    fn a_signed_statement_is_read_and_verified() {
        let key = SecretKey::from_seed(&[7; 32]);
        let statement = example(&key);
        let leaf = statement.signed(key.sign(&statement.to_be_signed()));
        assert!(leaf.len() < 480, "a statement comes to about 400 bytes, this one to {}", leaf.len());
        let verified = read(&leaf, &key, &statement).unwrap().verify().unwrap();
        assert_eq!(verified.statement(), &statement);
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let key = SecretKey::from_seed(&[7; 32]);
        let statement = example(&key);
        let leaf = statement.signed(key.sign(&statement.to_be_signed()));
        for at in 0..leaf.len() {
            let mut changed = leaf.clone();
            changed[at] ^= 1;
            assert!(read(&changed, &key, &statement).and_then(Unverified::verify).is_err(), "byte {at}");
        }
    }

    #[test]
    fn each_misplaced_statement_is_told_apart() {
        let key = SecretKey::from_seed(&[7; 32]);
        let statement = example(&key);
        let leaf = statement.signed(key.sign(&statement.to_be_signed()));
        let other = SecretKey::from_seed(&[8; 32]);
        let word = |result: Result<Unverified, Flaw>| result.map(|_| ()).unwrap_err().word();
        let (id, federation, time) = (statement.id, statement.federation, statement.issued_at);
        let later = time.plus(1);
        let elsewhere = RecordId::new(id.log, 8);
        assert_eq!(word(Unverified::read(&leaf, elsewhere, federation, &key.public(), time)), "place");
        assert_eq!(word(Unverified::read(&leaf, id, FederationId::NONE, &key.public(), time)), "federation");
        assert_eq!(word(Unverified::read(&leaf, id, federation, &other.public(), time)), "key");
        assert_eq!(word(Unverified::read(&leaf, id, federation, &key.public(), later)), "time");
        assert_eq!(word(Unverified::read(&leaf[1..], id, federation, &key.public(), time)), "form");
    }

    #[test]
    fn a_statement_of_more_than_16_kib_is_not_even_read() {
        let too_long = Flaw::Form(ProfileError::Labels(CborError::Shape { object: "statement" }));
        assert_ne!(Statement::read(&[0; STATEMENT_BYTES_MAX]).err(), Some(too_long.clone()));
        assert_eq!(Statement::read(&[0; STATEMENT_BYTES_MAX + 1]).err(), Some(too_long));
    }

    #[test]
    fn subject_and_issuer_are_those_of_the_place() {
        let key = SecretKey::from_seed(&[7; 32]);
        let statement = example(&key);
        let read_with = |claim: i64, text: &str| {
            let (_, mut object) = Statement::read(&statement.signed([0; 64])).unwrap();
            let claims = object.protected.remove(&Value::from(label::CWT_CLAIMS)).unwrap();
            let mut claims = claims.as_map().unwrap().clone();
            claims.remove(&Value::from(claim)).unwrap();
            object.protected.insert(label::CWT_CLAIMS, claims.with(claim, text));
            Statement::read(&object.encode()).map(|(read, _)| read)
        };
        let (issuer, subject) = (1, 2);
        assert_eq!(read_with(subject, "GE-7"), Ok(statement.clone()));
        assert!(matches!(read_with(subject, "GE-8"), Err(Flaw::Form(_))));
        assert!(matches!(read_with(issuer, "TR"), Err(Flaw::Form(_))));
    }

    #[test]
    fn tags_are_sorted_and_unique_and_lanes_lie_before_the_record() {
        let key = SecretKey::from_seed(&[7; 32]);
        let good = example(&key);
        for bad in [
            Statement { tags: vec![[2; 16], [1; 16]], ..good.clone() },
            Statement { tags: vec![[1; 16], [1; 16]], ..good.clone() },
            Statement { lanes: 7, ..good.clone() },
            Statement { binds: Binds::Lanes, ..good.clone() },
        ] {
            let leaf = bad.signed(key.sign(&bad.to_be_signed()));
            assert!(matches!(read(&leaf, &key, &good), Err(Flaw::Form(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_statement_of_lanes_comes_back_as_one() {
        let key = SecretKey::from_seed(&[7; 32]);
        let statement = Statement { binds: Binds::Lanes, lanes: 7, tags: Vec::new(), ..example(&key) };
        let leaf = statement.signed(key.sign(&statement.to_be_signed()));
        assert_eq!(read(&leaf, &key, &statement).unwrap().verify().unwrap().statement(), &statement);
    }
}
