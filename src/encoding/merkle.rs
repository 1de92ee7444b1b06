//! The SHA-256 Merkle tree of RFC 6962 §2 (RFC 9162 §2.1): roots, inclusion and consistency proofs.
//!
//! Proofs are computed against a [`Nodes`] source that gives the hash of any complete subtree, so that a log of millions
//! of leaves is proved without touching more than a few of them. [`CompactTree`] holds just the right edge, which is all
//! that appending needs.

use super::hash::{Digest, sha256, sha256_of};

/// The hash of a leaf: SHA-256 of a zero byte and the leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    sha256_of(&[&[0], leaf])
}

/// The hash of an inner node: SHA-256 of a one byte and both children.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256_of(&[&[1], &left.0, &right.0])
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// Gives hashes of complete subtrees.
pub trait Nodes {
    /// Why a hash could not be had.
    type Error;

    /// The hash over the leaves `index·2^level .. (index+1)·2^level`, all of which exist.
    ///
    /// # Errors
    /// Whatever keeps the source from giving it.
    fn node(&self, level: u32, index: u64) -> Result<Digest, Self::Error>;
}

/// Leaf hashes in memory as a source of nodes; for short lists, such as the fields of a compartment.
impl Nodes for [Digest] {
    type Error = std::convert::Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Digest, Self::Error> {
        let start = usize::try_from(index << level).expect("a list in memory has no index beyond usize");
        Ok(complete_root(&self[start..start + (1_usize << level)]))
    }
}

/// The root over a number of hashes that is a power of two.
#[must_use]
pub fn complete_root(hashes: &[Digest]) -> Digest {
    assert!(hashes.len().is_power_of_two(), "a complete subtree has a power of two of leaves");
    match hashes {
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&complete_root(left), &complete_root(right))
        }
    }
}

/// The root over leaf hashes in memory.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    let Ok(root) = root_of(leaves, leaves.len() as u64);
    root
}

/// The proof that leaf `index` is in the tree over `leaves`.
///
/// # Panics
/// If `index` is not below the number of leaves.
#[must_use]
pub fn inclusion_proof(leaves: &[Digest], index: u64) -> Vec<Digest> {
    let Ok(path) = inclusion_proof_of(leaves, index, leaves.len() as u64);
    path
}

/// The proof that the tree over `leaves` continues the one over its first `old_size`.
///
/// # Panics
/// If `old_size` is beyond the number of leaves.
#[must_use]
pub fn consistency_proof(leaves: &[Digest], old_size: u64) -> Vec<Digest> {
    let Ok(path) = consistency_proof_of(leaves, old_size, leaves.len() as u64);
    path
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// Those of `nodes`.
pub fn root_of<N: Nodes + ?Sized>(nodes: &N, size: u64) -> Result<Digest, N::Error> {
    if size == 0 { Ok(empty_root()) } else { range_root(nodes, 0, size) }
}

/// The inclusion proof of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1), from the leaf's sibling upwards.
///
/// # Errors
/// Those of `nodes`.
///
/// # Panics
/// If `index` is not below `size`.
pub fn inclusion_proof_of<N: Nodes + ?Sized>(nodes: &N, index: u64, size: u64) -> Result<Vec<Digest>, N::Error> {
    assert!(index < size, "a proof is for a leaf of the tree");
    let (mut start, mut length) = (0, size);
    let mut path = Vec::new();
    while length > 1 {
        let left = split(length);
        if index - start < left {
            path.push(range_root(nodes, start + left, length - left)?);
            length = left;
        } else {
            path.push(range_root(nodes, start, left)?);
            start += left;
            length -= left;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `size` leaves continues that of `old_size` (RFC 6962 §2.1.2); empty if the sizes are equal or
/// the old tree is empty.
///
/// # Errors
/// Those of `nodes`.
///
/// # Panics
/// If `old_size` is beyond `size`.
pub fn consistency_proof_of<N: Nodes + ?Sized>(nodes: &N, old_size: u64, size: u64) -> Result<Vec<Digest>, N::Error> {
    assert!(old_size <= size, "a tree does not shrink");
    let mut path = Vec::new();
    if old_size == 0 || old_size == size {
        return Ok(path);
    }
    let (mut start, mut length, mut old) = (0, size, old_size);
    // While the old tree ends exactly at a subtree on the left edge, its root is known to the verifier.
    let mut old_root_is_known = true;
    while old != length {
        let left = split(length);
        if old <= left {
            path.push(range_root(nodes, start + left, length - left)?);
            length = left;
        } else {
            path.push(range_root(nodes, start, left)?);
            start += left;
            length -= left;
            old -= left;
            old_root_is_known = false;
        }
    }
    if !old_root_is_known {
        path.push(range_root(nodes, start, length)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` proves that `leaf` is number `index` of the tree with `size` leaves and `root` (RFC 9162 §2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, path: &[Digest], root: &Digest) -> bool {
    root_from_inclusion(leaf, index, size, path).is_some_and(|computed| computed == *root)
}

/// The root that `path` leads to from `leaf`, or `None` if the path is not one of this index and size.
#[must_use]
pub fn root_from_inclusion(leaf: &Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut fnode, mut snode) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if snode == 0 {
            return None;
        }
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(sibling, &hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    (snode == 0).then_some(hash)
}

/// Whether `path` proves that the tree (`size`, `root`) continues the tree (`old_size`, `old_root`) (RFC 9162 §2.1.4.2).
#[must_use]
pub fn verify_consistency(old_size: u64, old_root: &Digest, size: u64, root: &Digest, path: &[Digest]) -> bool {
    if old_size == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    if old_size >= size {
        return old_size == size && path.is_empty() && old_root == root;
    }
    let (seed, rest) = if old_size.is_power_of_two() {
        (old_root, path)
    } else if let Some((first, rest)) = path.split_first() {
        (first, rest)
    } else {
        return false;
    };
    roots_from_consistency(old_size, size, seed, rest) == Some((*old_root, *root))
}

/// The old and the new root that a consistency path leads to from `seed`, or `None` if it is none for these sizes. With the
/// seed given apart the old root is computed and not assumed, so that a path can also prove that another old root was signed.
#[must_use]
pub fn roots_from_consistency(old_size: u64, size: u64, seed: &Digest, rest: &[Digest]) -> Option<(Digest, Digest)> {
    if old_size == 0 || old_size >= size {
        return None;
    }
    let (mut fnode, mut snode) = (old_size - 1, size - 1);
    while fnode & 1 == 1 {
        fnode >>= 1;
        snode >>= 1;
    }
    let (mut old_hash, mut hash) = (*seed, *seed);
    for sibling in rest {
        if snode == 0 {
            return None;
        }
        if fnode & 1 == 1 || fnode == snode {
            old_hash = node_hash(sibling, &old_hash);
            hash = node_hash(sibling, &hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    (snode == 0).then_some((old_hash, hash))
}

/// The right edge of a growing tree: one hash per complete subtree, at most 64 in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactTree {
    size: u64,
    /// The roots of the complete subtrees, largest first.
    edge: Vec<Digest>,
}

impl CompactTree {
    /// The edge of the tree of `size` leaves in `nodes`.
    ///
    /// # Errors
    /// Those of `nodes`.
    pub fn load<N: Nodes + ?Sized>(nodes: &N, size: u64) -> Result<Self, N::Error> {
        let edge = (0..u64::BITS)
            .rev()
            .filter(|level| size >> level & 1 == 1)
            .map(|level| nodes.node(level, (size >> level) - 1))
            .collect::<Result<_, _>>()?;
        Ok(Self { size, edge })
    }

    /// The tree with this edge, as [`Self::edge`] gave it; none if it is no edge of `size` leaves.
    #[must_use]
    pub fn of_edge(size: u64, edge: Vec<Digest>) -> Option<Self> {
        (edge.len() == size.count_ones() as usize).then_some(Self { size, edge })
    }

    /// The roots of the complete subtrees, largest first: one per one bit of the size.
    #[must_use]
    pub fn edge(&self) -> &[Digest] {
        &self.edge
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.edge.pop().expect("the edge has one subtree per one bit of the size");
            hash = node_hash(&left, &hash);
        }
        self.edge.push(hash);
        self.size += 1;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.edge.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}

/// The size of the left subtree of a tree with `length` ≥ 2 leaves: the largest power of two below it.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The root over `length` ≥ 1 leaves from `start` on, where `start` is a multiple of the left subtree's size.
fn range_root<N: Nodes + ?Sized>(nodes: &N, start: u64, length: u64) -> Result<Digest, N::Error> {
    if length.is_power_of_two() {
        let level = length.trailing_zeros();
        return nodes.node(level, start >> level);
    }
    let left = split(length);
    Ok(node_hash(&range_root(nodes, start, left)?, &range_root(nodes, start + left, length - left)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    /// The definition of RFC 6962 §2.1, word for word.
    fn root_by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn every_small_tree_is_proved_and_no_other_claim_is() {
        let all = leaves(33);
        for size in 1..=33_u64 {
            let tree = &all[..size as usize];
            let tree_root = root(tree);
            assert_eq!(tree_root, root_by_definition(tree));
            for index in 0..size {
                let path = inclusion_proof(tree, index);
                let leaf = &tree[index as usize];
                for claimed in 0..size + 2 {
                    let holds = verify_inclusion(leaf, claimed, size, &path, &tree_root);
                    assert_eq!(holds, claimed == index, "leaf {index} of {size} claimed at {claimed}");
                }
            }
            for old in 0..=size {
                let old_root = root(&all[..old as usize]);
                let path = consistency_proof(tree, old);
                assert!(verify_consistency(old, &old_root, size, &tree_root, &path), "{old} to {size}");
                if old > 0 && old < size {
                    assert!(!verify_consistency(old, &tree_root, size, &tree_root, &path));
                    assert!(!verify_consistency(old, &old_root, size, &old_root, &path));
                    assert!(!verify_consistency(old, &old_root, size, &tree_root, &path[1..]));
                    assert!(!verify_consistency(old, &old_root, size, &tree_root, &[&path[..], &[old_root]].concat()));
                }
            }
        }
    }

    #[test]
    fn the_compact_tree_has_the_same_root_and_can_be_loaded_at_any_size() {
        let all = leaves(130);
        let mut tree = CompactTree::default();
        for size in 0..=130 {
            assert_eq!(tree.root(), root_by_definition(&all[..size]));
            assert_eq!(CompactTree::of_edge(size as u64, tree.edge().to_vec()).as_ref(), Some(&tree));
            assert_eq!(CompactTree::of_edge(size as u64 ^ 1, tree.edge().to_vec()), None);
            let Ok(loaded) = CompactTree::load(all.as_slice(), size as u64);
            assert_eq!(loaded, tree);
            if let Some(leaf) = all.get(size) {
                tree.push(*leaf);
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_path_proves_nothing(size in 2_u64..200, index in 0_u64..200, at in 0_usize..8, bit in 0_usize..256) {
            let index = index % size;
            let tree = leaves(size);
            let mut path = inclusion_proof(&tree, index);
            let at = at % path.len();
            path[at].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify_inclusion(&tree[index as usize], index, size, &path, &root(&tree)));
        }
    }
}
