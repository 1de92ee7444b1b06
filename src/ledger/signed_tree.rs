//! The tree that a log's key has signed, as a signer goes by it: so that it signs the one checkpoint that belongs to what it has signed.
//!
//! A guard alone allows no second statement at a position, but a checkpoint could still claim a tree that nobody signed. The right edge of the tree is
//! some hundred bytes. Whoever keeps it writes it to the disk before statements go out, and what was claimed of it before a checkpoint does.

use serde::{Deserialize, Serialize};

use super::{Claim, Root, Statement};
use crate::encoding::hash::Digest;
use crate::encoding::ids::RecordId;
use crate::encoding::merkle::{self, CompactTree};
use crate::encoding::time::UnixTime;

/// What was signed of one log: its tree, what the newest checkpoint claims, and the latest date that was signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct SignedTree {
    tree: CompactTree,
    claimed: Option<Claimed>,
    latest: UnixTime,
}

/// What a checkpoint claims. A second one of this size must claim the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claimed {
    size: u64,
    root: Digest,
    commitments: Digest,
}

/// The form in which it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    size: u64,
    edge: Vec<Digest>,
    claimed: Option<Claimed>,
    latest: UnixTime,
}

/// Why something does not belong to what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// What stands before it was never signed.
    #[error("only {size} statements were signed before {id}")]
    Gap {
        /// What was to be signed.
        id: RecordId,
        /// How many there are.
        size: u64,
    },
    /// It is over fewer or more statements than were signed.
    #[error("a checkpoint over {asked} statements, of which {size} were signed")]
    Size {
        /// What it claims.
        asked: u64,
        /// How many there are.
        size: u64,
    },
    /// It claims another tree.
    #[error("a checkpoint over {0} statements with another root than they have")]
    Root(u64),
    /// It claims other commitments than the one before it.
    #[error("a second checkpoint over {0} statements with other commitments")]
    Commitments(u64),
    /// It is no checkpoint at all.
    #[error("the key of a log signs no cosignature")]
    NoCheckpoint,
}

impl SignedTree {
    /// The tree of a log that was signed already, of which `newest` is the newest checkpoint and `latest` the date of the last statement.
    #[must_use]
    pub fn of(tree: CompactTree, newest: Option<&Root>, latest: UnixTime) -> Self {
        let latest = newest.map_or(latest, |root| root.issued_at.max(latest));
        let claimed = newest.and_then(Claimed::of).filter(|claimed| claimed.size == tree.size());
        Self { tree, claimed, latest }
    }

    /// The number of statements.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The latest date that was signed: what follows may bear it, however the clock stands.
    #[must_use]
    pub fn latest(&self) -> UnixTime {
        self.latest
    }

    /// Takes a statement that is signed; what it has already, it has.
    ///
    /// # Errors
    /// [`NotSigned::Gap`].
    pub fn grow(&mut self, statement: &Statement, signature: &[u8; 64]) -> Result<(), NotSigned> {
        let size = self.size();
        if statement.id.position > size {
            return Err(NotSigned::Gap { id: statement.id, size });
        }
        if statement.id.position == size {
            self.tree.push(merkle::leaf_hash(&statement.signed(*signature)));
            self.latest = self.latest.max(statement.issued_at);
        }
        Ok(())
    }

    /// Takes a checkpoint that is to be signed, if it is of the tree as it is, or says what the newest one says.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn claim(&mut self, root: &Root) -> Result<(), NotSigned> {
        let claimed = Claimed::of(root).ok_or(NotSigned::NoCheckpoint)?;
        let (asked, size) = (claimed.size, self.size());
        if self.claimed != Some(claimed) {
            if asked != size {
                return Err(NotSigned::Size { asked, size });
            }
            if claimed.root != self.tree.root() {
                return Err(NotSigned::Root(size));
            }
            if self.claimed.is_some_and(|before| before.size == size) {
                return Err(NotSigned::Commitments(size));
            }
            self.claimed = Some(claimed);
        }
        self.latest = self.latest.max(root.issued_at);
        Ok(())
    }
}

impl Claimed {
    fn of(root: &Root) -> Option<Self> {
        let Claim::Checkpoint { size, commitments, .. } = root.claim else { return None };
        Some(Self { size, root: root.root, commitments: Digest(commitments) })
    }
}

impl From<SignedTree> for Kept {
    fn from(SignedTree { tree, claimed, latest }: SignedTree) -> Self {
        Self { size: tree.size(), edge: tree.edge().to_vec(), claimed, latest }
    }
}

impl TryFrom<Kept> for SignedTree {
    type Error = &'static str;

    fn try_from(Kept { size, edge, claimed, latest }: Kept) -> Result<Self, Self::Error> {
        let tree = CompactTree::of_edge(size, edge).ok_or("no edge of so many statements")?;
        Ok(Self { tree, claimed, latest })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::examine::tests::{checkpoint_of, root_of, statement_of};
    use super::*;
    use crate::identity::SecretKey;

    pub(crate) fn signed(positions: std::ops::Range<u64>) -> Vec<(Statement, [u8; 64])> {
        let key = SecretKey::from_seed(&[1; 32]);
        let one = |at| {
            let statement = statement_of("GE", at, key.public().kid());
            let signature = key.sign(&statement.to_be_signed());
            (statement, signature)
        };
        positions.map(one).collect()
    }

    pub(crate) fn checkpoint(size: u64, root: Digest, commitments: u8) -> Root {
        let key = SecretKey::from_seed(&[1; 32]).public().kid();
        let base = root_of(checkpoint_of("GE", size), "GE", key);
        let log = "GE".parse().unwrap();
        Root { root, claim: Claim::Checkpoint { log, size, commitments: [commitments; 32] }, ..base }
    }

    pub(crate) fn root(leaves: &[(Statement, [u8; 64])]) -> Digest {
        let leaves: Vec<_> = leaves.iter().map(|(one, signature)| merkle::leaf_hash(&one.signed(*signature))).collect();
        merkle::root(&leaves)
    }

    fn grow(tree: &mut SignedTree, statements: &[(Statement, [u8; 64])]) -> Result<(), NotSigned> {
        statements.iter().try_for_each(|(statement, signature)| tree.grow(statement, signature))
    }

    #[test]
    fn a_checkpoint_claims_the_tree_that_was_signed_and_nothing_else() {
        let all = signed(0..9);
        let mut tree = SignedTree::default();
        grow(&mut tree, &all[..5]).unwrap();
        assert_eq!(tree.claim(&checkpoint(4, root(&all[..4]), 5)), Err(NotSigned::Size { asked: 4, size: 5 }));
        assert_eq!(tree.claim(&checkpoint(6, root(&all[..6]), 5)), Err(NotSigned::Size { asked: 6, size: 5 }));
        assert_eq!(tree.claim(&checkpoint(5, root(&all[..6]), 5)), Err(NotSigned::Root(5)));
        tree.claim(&checkpoint(5, root(&all[..5]), 5)).unwrap();
        // The sign of life of a node without news.
        tree.claim(&checkpoint(5, root(&all[..5]), 5)).unwrap();
        assert_eq!(tree.claim(&checkpoint(5, root(&all[..5]), 6)), Err(NotSigned::Commitments(5)));
        // A group whose answer was lost is asked for again; what is claimed meanwhile is what was claimed before.
        grow(&mut tree, &all[5..8]).unwrap();
        tree.claim(&checkpoint(5, root(&all[..5]), 5)).unwrap();
        grow(&mut tree, &all[5..9]).unwrap();
        assert_eq!(tree.size(), 9);
        tree.claim(&checkpoint(9, root(&all), 5)).unwrap();
        assert_eq!(tree.claim(&checkpoint(5, root(&all[..5]), 5)), Err(NotSigned::Size { asked: 5, size: 9 }));
        let other = root_of(Claim::Frontier { logs: 1 }, "GE", SecretKey::from_seed(&[1; 32]).public().kid());
        assert_eq!(tree.claim(&other), Err(NotSigned::NoCheckpoint));
    }

    #[test]
    fn it_has_no_gap_and_is_read_as_it_was_kept() {
        let all = signed(0..6);
        let mut tree = SignedTree::default();
        assert!(matches!(grow(&mut tree, &all[1..2]), Err(NotSigned::Gap { size: 0, .. })));
        grow(&mut tree, &all).unwrap();
        tree.claim(&checkpoint(6, root(&all), 5)).unwrap();
        assert_eq!(tree.latest(), all[5].0.issued_at);
        let text = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<SignedTree>(&text).unwrap(), tree);
        assert!(serde_json::from_str::<SignedTree>(&text.replace("\"size\":6,\"edge", "\"size\":4,\"edge")).is_err());
    }
}
