//! Equivocation: two checkpoints of one log that cannot both be true, as a proof that anyone can check offline.

use crate::encoding::cbor::{self, CborError, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::encoding::merkle;
use crate::identity::Federation;

use super::signed_root::{Claim, RootFault, SignedRoot};

/// Two checkpoints of one log that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProof {
    /// The checkpoint of the lesser or equal size.
    pub lesser: SignedRoot,
    /// The checkpoint of the greater or equal size.
    pub greater: SignedRoot,
    /// For different sizes: a consistency path, its seed first, that rebuilds the greater root and, for the lesser size, another root
    /// than the one signed. Empty for equal sizes.
    pub path: Vec<Digest>,
}

/// Why something is not a proof of equivocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkFault {
    /// Not of this form.
    #[error("not a well-formed proof: {0}")]
    Form(#[from] CborError),
    /// One of the two is not a checkpoint that its owner signed.
    #[error("one of the checkpoints is not good: {0}")]
    Root(#[from] RootFault),
    /// Both can be true.
    #[error("the two checkpoints do not contradict each other")]
    NoContradiction,
}

impl ForkProof {
    /// Checks both signatures and the contradiction; gives the log, and the lowest size at which its owner signed two histories.
    ///
    /// # Errors
    /// [`ForkFault`] if it accuses nobody.
    pub fn verify(&self, federation: &Federation) -> Result<(LogId, u64), ForkFault> {
        let (lesser, greater) = (self.lesser.verify(federation)?, self.greater.verify(federation)?);
        let (
            Claim::Checkpoint { log, size, commitments },
            Claim::Checkpoint { log: other_log, size: other_size, commitments: other_commitments },
        ) = (lesser.claim, greater.claim)
        else {
            return Err(ForkFault::NoContradiction);
        };
        let contradiction = log == other_log
            && if size == other_size {
                self.path.is_empty() && (lesser.root != greater.root || commitments != other_commitments)
            } else {
                self.path.split_first().is_some_and(|(seed, rest)| {
                    merkle::roots_from_consistency(size, other_size, seed, rest)
                        .is_some_and(|(old, new)| new == greater.root && old != lesser.root)
                })
            };
        if contradiction { Ok((log, size)) } else { Err(ForkFault::NoContradiction) }
    }

    /// The proof's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let path: Vec<Value> = self.path.iter().map(Value::from).collect();
        cbor::encode(&Value::Array(vec![self.lesser.to_value(), self.greater.to_value(), path.into()]))
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`ForkFault::Form`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ForkFault> {
        const SHAPE: CborError = CborError::Shape { object: "fork proof" };
        let Value::Array(parts) = cbor::decode(bytes)? else { return Err(SHAPE.into()) };
        let [lesser, greater, path] = <[Value; 3]>::try_from(parts).map_err(|_| SHAPE)?;
        let path = path
            .as_array()
            .ok_or(SHAPE)?
            .iter()
            .map(|hash| hash.as_bytes().and_then(|bytes| bytes.try_into().ok()).map(Digest))
            .collect::<Option<_>>()
            .ok_or(SHAPE)?;
        Ok(Self { lesser: SignedRoot::from_value(lesser)?, greater: SignedRoot::from_value(greater)?, path })
    }
}
