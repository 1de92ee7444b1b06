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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::time::UnixTime;
    use crate::identity::fixture;
    use crate::ledger::Root;

    const MEMBERS: [&str; 4] = ["GE", "LB", "MZ", "TR"];

    /// The leaves of one history of Georgia's log; two histories part at `fork`.
    fn leaves(size: u64, fork: u64, branch: &[u8]) -> Vec<Digest> {
        let leaf = |position: u64| if position < fork { vec![1] } else { branch.to_vec() };
        (0..size)
            .map(|position| merkle::leaf_hash(&[position.to_be_bytes().to_vec(), leaf(position)].concat()))
            .collect()
    }

    fn checkpoint(leaves: &[Digest], commitments: u8) -> SignedRoot {
        signed(Claim::Checkpoint { log: log(), size: leaves.len() as u64, commitments: [commitments; 32] }, leaves)
    }

    fn signed(claim: Claim, leaves: &[Digest]) -> SignedRoot {
        let purpose = if matches!(claim, Claim::Checkpoint { .. }) { "log" } else { "witness" };
        let key = fixture::key("GE", purpose);
        let root = Root {
            claim,
            root: merkle::root(leaves),
            by: fixture::code("GE"),
            kid: key.public().kid(),
            issued_at: fixture::at(1),
            federation: fixture::federation(&MEMBERS).id(),
        };
        root.signed(key.sign(&root.to_be_signed()))
    }

    fn log() -> LogId {
        LogId::first(fixture::code("GE"))
    }

    /// The proof that a node makes of another's checkpoint over `lesser` and the history that it holds itself. A consistency path
    /// starts with the root of the lesser tree where that is a whole subtree; the proof always states it.
    fn proof(lesser: &[Digest], greater: &[Digest]) -> ForkProof {
        let old = lesser.len() as u64;
        let mut path = merkle::consistency_proof(greater, old);
        if old.is_power_of_two() {
            path.insert(0, merkle::root(&greater[..lesser.len()]));
        }
        let path = if old == greater.len() as u64 { Vec::new() } else { path };
        ForkProof { lesser: checkpoint(lesser, 5), greater: checkpoint(greater, 5), path }
    }

    #[test]
    fn two_roots_of_one_size_accuse_their_signer() {
        let federation = fixture::federation(&MEMBERS);
        let proof = proof(&leaves(6, 4, b"one"), &leaves(6, 4, b"other"));
        assert_eq!(proof.verify(&federation), Ok((log(), 6)));
        assert_eq!(ForkProof::decode(&proof.encode()), Ok(proof.clone()));
        // So does one root with two commitments.
        let one = leaves(6, 6, b"");
        let proof = ForkProof { lesser: checkpoint(&one, 5), greater: checkpoint(&one, 6), path: Vec::new() };
        assert_eq!(proof.verify(&federation), Ok((log(), 6)));
    }

    #[test]
    fn two_histories_of_different_sizes_accuse_their_signer() {
        let federation = fixture::federation(&MEMBERS);
        for old in 1..9 {
            for size in old + 1..12 {
                let fork = old - 1;
                let proof = proof(&leaves(old, fork, b"one"), &leaves(size, fork, b"other"));
                assert_eq!(proof.verify(&federation), Ok((log(), old)), "{old} and {size}");
                let decoded = ForkProof::decode(&proof.encode()).unwrap();
                assert_eq!(decoded.verify(&federation), Ok((log(), old)));
            }
        }
    }

    #[test]
    fn honest_growth_accuses_nobody() {
        let federation = fixture::federation(&MEMBERS);
        for old in 1..9 {
            for size in old..12 {
                let proof = proof(&leaves(old, size, b""), &leaves(size, size, b""));
                assert_eq!(proof.verify(&federation), Err(ForkFault::NoContradiction), "{old} and {size}");
                // Nor does a path that was made up for it.
                for at in 0..proof.path.len() {
                    let mut forged = proof.clone();
                    forged.path[at] = Digest([9; 32]);
                    assert_eq!(
                        forged.verify(&federation),
                        Err(ForkFault::NoContradiction),
                        "{old} and {size}, hash {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_same_said_twice_at_different_times_accuses_nobody() {
        let leaves = leaves(6, 6, b"");
        let first = checkpoint(&leaves, 5);
        let root = Root { issued_at: UnixTime::MAX, ..first.claim().unwrap() };
        let again = root.signed(fixture::key("GE", "log").sign(&root.to_be_signed()));
        assert_ne!(first, again);
        let proof = ForkProof { lesser: first, greater: again, path: Vec::new() };
        assert_eq!(proof.verify(&fixture::federation(&MEMBERS)), Err(ForkFault::NoContradiction));
    }

    #[test]
    fn only_an_owners_own_signatures_accuse_it() {
        let federation = fixture::federation(&MEMBERS);
        let (one, other) = (leaves(6, 4, b"one"), leaves(6, 4, b"other"));
        let cosigned = signed(Claim::Cosignature { log: log(), size: 6 }, &one);
        let witness = ForkProof { lesser: cosigned, ..proof(&one, &other) };
        assert_eq!(witness.verify(&federation), Err(ForkFault::NoContradiction));
        let mut bytes = proof(&one, &other).encode();
        let last_of_first_signature = bytes.len() / 2 - 40;
        bytes[last_of_first_signature] ^= 1;
        assert!(ForkProof::decode(&bytes).and_then(|forged| forged.verify(&federation)).is_err());
    }
}
