//! Signatures over roots: a log owner's checkpoints, and other members' cosignatures of one log or of all.
//!
//! Each is a `COSE_Sign1` with the root as detached payload, so that with an inclusion proof added it is a receipt (RFC 9942,
//! see [`super::receipt`]) for every statement under the root.

use crate::encoding::cbor::{CborError, Fields, Map, Value};
use crate::encoding::cose::{Sign1, label};
use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::{FederationId, LogId, MemberCode};
use crate::encoding::time::UnixTime;
use crate::identity::{Federation, Header, ObjectKind, ProfileError, PublicKey};

/// The verifiable data structure of our logs: the SHA-256 Merkle tree of RFC 9162 (RFC 9942 §5).
const VDS_RFC9162_SHA256: i64 = 1;
/// What a frontier cosignature speaks about (`sub`).
const FRONTIER_SUBJECT: &str = "frontier";

/// What a root is the root of, and in what capacity it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The owner: "my log has this size and root".
    Checkpoint {
        /// The log.
        log: LogId,
        /// Its number of statements.
        size: u64,
        /// Commitments to lanes; random-looking until they are defined, but always the same for one size.
        commitments: [u8; 32],
    },
    /// Another member: "I have verified and stored this log up to this size".
    Cosignature {
        /// The log.
        log: LogId,
        /// The number of statements.
        size: u64,
    },
    /// A member: "I have verified and stored these logs up to these sizes"; the root is over the list.
    Frontier {
        /// The number of logs in the list.
        logs: u64,
    },
}

/// A root and everything that is signed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// What it is the root of.
    pub claim: Claim,
    /// The root.
    pub root: Digest,
    /// Who signs.
    pub by: MemberCode,
    /// The key that signs.
    pub kid: Kid,
    /// When.
    pub issued_at: UnixTime,
    /// The federation.
    pub federation: FederationId,
}

/// A root with its signature, not (or no longer) known to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRoot {
    object: Sign1,
    root: Digest,
}

/// Why a signed root is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootFault {
    /// Its header is outside the profile.
    #[error("not a well-formed signed root: {0}")]
    Form(#[from] ProfileError),
    /// This node knows no key of that log or member; its charter or manifests may be old.
    #[error("signed for a log or member that is not known here")]
    Unknown,
    /// Made for another federation.
    #[error("signed for another federation")]
    Federation,
    /// The key is another, or the signature is not good.
    #[error("the signature over a root does not verify")]
    Signature,
}

impl Root {
    /// What the signer signs.
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        Sign1::to_be_signed(&self.protected(), &self.root.0)
    }

    /// The root with its signature.
    #[must_use]
    pub fn signed(&self, signature: [u8; 64]) -> SignedRoot {
        let object = Sign1 { protected: self.protected(), unprotected: Map::new(), payload: None, signature };
        SignedRoot { object, root: self.root }
    }

    fn protected(&self) -> Map {
        let header = Header {
            kid: self.kid,
            issuer: self.by,
            subject: self.claim.subject(),
            issued_at: self.issued_at,
            federation: self.federation,
        };
        let own = match self.claim {
            Claim::Checkpoint { log, size, commitments } => Map::new()
                .with(label::VDS, VDS_RFC9162_SHA256)
                .with(label::LOG, log)
                .with(label::SIZE, size)
                .with(label::COMMITMENTS, commitments),
            Claim::Cosignature { log, size } => {
                Map::new().with(label::VDS, VDS_RFC9162_SHA256).with(label::LOG, log).with(label::SIZE, size)
            }
            Claim::Frontier { logs } => Map::new().with(label::FRONTIER, logs),
        };
        header.encode(self.claim.kind(), own)
    }
}

impl Claim {
    /// The kind of object that carries it.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::Checkpoint { .. } => ObjectKind::Checkpoint,
            Self::Cosignature { .. } => ObjectKind::Cosignature,
            Self::Frontier { .. } => ObjectKind::FrontierCosignature,
        }
    }

    /// The log and size, for all but frontiers.
    #[must_use]
    pub fn log_and_size(&self) -> Option<(LogId, u64)> {
        match *self {
            Self::Checkpoint { log, size, .. } | Self::Cosignature { log, size } => Some((log, size)),
            Self::Frontier { .. } => None,
        }
    }

    fn subject(&self) -> String {
        self.log_and_size().map_or(FRONTIER_SUBJECT.to_owned(), |(log, _)| log.to_string())
    }
}

impl SignedRoot {
    /// From a `COSE_Sign1` and the root that it has as detached payload; whatever unprotected header it had is dropped.
    #[must_use]
    pub fn new(object: Sign1, root: Digest) -> Self {
        Self { object: Sign1 { unprotected: Map::new(), payload: None, ..object }, root }
    }

    /// The root that it says to be signed.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.root
    }

    /// The `COSE_Sign1`, without the detached root.
    #[must_use]
    pub fn object(&self) -> &Sign1 {
        &self.object
    }

    /// As it is sent and kept: the object and its root.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Array(vec![self.object.to_value(), self.root.into()])
    }

    /// The bytes of [`Self::to_value`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        crate::encoding::cbor::encode(&self.to_value())
    }

    /// Reads what [`Self::to_value`] gave.
    ///
    /// # Errors
    /// [`CborError`] if it is not that.
    pub fn from_value(value: Value) -> Result<Self, CborError> {
        const SHAPE: CborError = CborError::Shape { object: "signed root" };
        let Value::Array(parts) = value else { return Err(SHAPE) };
        let [object, root] = <[Value; 2]>::try_from(parts).map_err(|_| SHAPE)?;
        let object = Sign1::from_value(object)?;
        if object.payload.is_some() || !object.unprotected.is_empty() {
            return Err(SHAPE);
        }
        Ok(Self { object, root: Digest(root.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?) })
    }

    /// Reads the bytes of [`Self::encode`].
    ///
    /// # Errors
    /// [`CborError`] if they are not that.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        Self::from_value(crate::encoding::cbor::decode(bytes)?)
    }

    /// What it claims, before its signature is checked.
    ///
    /// # Errors
    /// [`ProfileError`] if its header is outside the profile.
    pub fn claim(&self) -> Result<Root, ProfileError> {
        let kind = ObjectKind::ALL
            .into_iter()
            .find(|kind| self.object.protected.get(&Value::from(label::TYP)) == Some(&Value::from(kind.media_type())))
            .unwrap_or(ObjectKind::Checkpoint);
        let (header, own) = Header::decode(kind, self.object.protected.clone())?;
        let mut fields = Fields::of_map(own, kind.media_type());
        let claim = match kind {
            ObjectKind::Checkpoint => {
                expect_vds(&mut fields)?;
                Claim::Checkpoint {
                    log: fields.parse(label::LOG)?,
                    size: fields.u64(label::SIZE)?,
                    commitments: fields.array(label::COMMITMENTS)?,
                }
            }
            ObjectKind::Cosignature => {
                expect_vds(&mut fields)?;
                Claim::Cosignature { log: fields.parse(label::LOG)?, size: fields.u64(label::SIZE)? }
            }
            ObjectKind::FrontierCosignature => Claim::Frontier { logs: fields.u64(label::FRONTIER)? },
            ObjectKind::Statement
            | ObjectKind::Charter
            | ObjectKind::Manifest
            | ObjectKind::Closing
            | ObjectKind::Settlement
            | ObjectKind::Erasure => return Err(ProfileError::Kind { expected: ObjectKind::Checkpoint }),
        };
        let owner = matches!(claim, Claim::Checkpoint { log, .. } if log.member != header.issuer);
        if header.subject != claim.subject() || owner {
            return Err(ProfileError::Labels(fields.bad(label::LOG)));
        }
        Ok(Root {
            claim,
            root: self.root,
            by: header.issuer,
            kid: header.kid,
            issued_at: header.issued_at,
            federation: header.federation,
        })
    }

    /// Checks it against the key that must have signed it: the log's for a checkpoint, the witness key of its member for a cosignature.
    ///
    /// # Errors
    /// [`RootFault`], naming what is wrong.
    pub fn verify(&self, federation: &Federation) -> Result<Root, RootFault> {
        let claim = self.claim()?;
        if claim.federation != federation.id() {
            return Err(RootFault::Federation);
        }
        let key = match claim.claim {
            Claim::Checkpoint { log, .. } => federation.log_key(&log),
            Claim::Cosignature { .. } | Claim::Frontier { .. } => federation.witness_key(claim.by),
        };
        self.verify_by(key.ok_or(RootFault::Unknown)?)
    }

    /// Checks it against a given key.
    ///
    /// # Errors
    /// [`RootFault`], naming what is wrong.
    pub fn verify_by(&self, key: &PublicKey) -> Result<Root, RootFault> {
        let claim = self.claim()?;
        if claim.kid != key.kid() {
            return Err(RootFault::Signature);
        }
        let message = Sign1::to_be_signed(&self.object.protected, &self.root.0);
        key.verify(&message, &self.object.signature).map_err(|_| RootFault::Signature)?;
        Ok(claim)
    }
}

fn expect_vds(fields: &mut Fields) -> Result<(), ProfileError> {
    if fields.i64(label::VDS)? == VDS_RFC9162_SHA256 { Ok(()) } else { Err(fields.bad(label::VDS).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SecretKey;

    fn claims() -> [Claim; 3] {
        let log = LogId::first("GE".parse().unwrap());
        [
            Claim::Checkpoint { log, size: 12, commitments: [5; 32] },
            Claim::Cosignature { log, size: 12 },
            Claim::Frontier { logs: 5 },
        ]
    }

    fn root(claim: Claim, key: &SecretKey) -> Root {
        Root {
            claim,
            root: Digest([3; 32]),
            by: "GE".parse().unwrap(),
            kid: key.public().kid(),
            issued_at: UnixTime::from_seconds(1_800_000_000).unwrap(),
            federation: FederationId(Digest([1; 32])),
        }
    }

    #[test]
    fn every_claim_survives_the_round_trip_and_no_changed_byte_does() {
        let key = SecretKey::from_seed(&[7; 32]);
        for claim in claims() {
            let root = root(claim, &key);
            let bytes = root.signed(key.sign(&root.to_be_signed())).encode();
            let read = SignedRoot::decode(&bytes).unwrap();
            assert_eq!(read.verify_by(&key.public()), Ok(root));
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                let accepted = SignedRoot::decode(&changed).is_ok_and(|root| root.verify_by(&key.public()).is_ok());
                assert!(!accepted, "{claim:?}, byte {at}");
            }
        }
    }

    #[test]
    fn a_claim_names_its_log_or_that_it_is_about_all() {
        assert_eq!(claims().map(|claim| claim.subject()), ["GE", "GE", "frontier"]);
    }

    #[test]
    fn a_checkpoint_is_its_owners_alone() {
        let key = SecretKey::from_seed(&[7; 32]);
        let mut root = root(claims()[0], &key);
        root.by = "TR".parse().unwrap();
        let signed = root.signed(key.sign(&root.to_be_signed()));
        assert!(matches!(signed.verify_by(&key.public()), Err(RootFault::Form(_))));
    }

    #[test]
    fn each_claim_is_held_against_the_key_that_must_have_signed_it() {
        use crate::identity::fixture;
        let federation = fixture::federation(&["GE", "TR"]);
        let sign = |claim, by: &str, purpose: &str, federation: FederationId| {
            let key = fixture::key(by, purpose);
            let root = Root { by: by.parse().unwrap(), federation, ..root(claim, &key) };
            (root.signed(key.sign(&root.to_be_signed())), root)
        };
        let id = federation.id();
        let purposes = ["log", "witness", "witness"];
        for (claim, purpose) in claims().into_iter().zip(purposes) {
            let (signed, root) = sign(claim, "GE", purpose, id);
            assert_eq!(signed.verify(&federation), Ok(root));
            let (foreign, _) = sign(claim, "GE", purpose, FederationId(Digest([1; 32])));
            assert_eq!(foreign.verify(&federation), Err(RootFault::Federation));
            let (wrong, _) = sign(claim, "GE", "root", id);
            assert_eq!(wrong.verify(&federation), Err(RootFault::Signature));
        }
        let (stranger, _) = sign(Claim::Frontier { logs: 5 }, "LB", "witness", id);
        assert_eq!(stranger.verify(&federation), Err(RootFault::Unknown));
        let log = "GE.2".parse().unwrap();
        let (unknown, _) = sign(Claim::Checkpoint { log, size: 12, commitments: [5; 32] }, "GE", "log", id);
        assert_eq!(unknown.verify(&federation), Err(RootFault::Unknown));
    }

    #[test]
    fn the_root_is_detached_and_nothing_is_unprotected() {
        let key = SecretKey::from_seed(&[7; 32]);
        let root = root(claims()[0], &key);
        let signed = root.signed(key.sign(&root.to_be_signed()));
        let attached = Sign1 { payload: Some(root.root.0.to_vec()), ..signed.object.clone() };
        let labelled = Sign1 { unprotected: Map::new().with(1, -8), ..signed.object.clone() };
        for object in [attached, labelled] {
            let refused = SignedRoot { object, root: root.root };
            assert_eq!(SignedRoot::decode(&refused.encode()), Err(CborError::Shape { object: "signed root" }));
        }
    }

    #[test]
    fn no_other_kind_of_tree_is_read() {
        let key = SecretKey::from_seed(&[7; 32]);
        for claim in [claims()[0], claims()[1]] {
            let root = root(claim, &key);
            let mut object = root.signed(key.sign(&root.to_be_signed())).object;
            object.protected.insert(label::VDS, 2);
            assert!(SignedRoot::new(object, root.root).claim().is_err(), "{claim:?}");
        }
    }
}
