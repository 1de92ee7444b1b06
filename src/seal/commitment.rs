//! What a checkpoint commits to: for each lane of the newest `lanes` statement, the list of the statements that carry its tag.
//!
//! ```text
//! list        = RFC 6962 tree over the lane's statements since the `lanes` statement, in their order
//! blind       = HKDF-Expand(lane key, "shieldwall/1 commitment" 00 ∥ log ∥ 00 ∥ size)
//! leaf        = "shieldwall/1 lane commitment" 00 ∥ blind ∥ number of statements ∥ root of the list, hashed
//! commitments = RFC 6962 root over the leaves, one for each slot, in the slots' order
//! ```
//! The lane's reader makes its own leaf and is given the path alone; to everybody else a leaf is 32 random-looking bytes, another at
//! each size, whether the lane has a million statements or none. `docs/decisions/0033-lane-commitments.md` says why.

use std::fmt;

use super::SealError;
use crate::encoding::cbor::{Fields, Map, Value};
use crate::encoding::hash::{Digest, sha256_of};
use crate::encoding::merkle::{self, CompactTree};
use crate::identity::charter::MEMBERS_MAX;

const LEAF: &[u8] = b"shieldwall/1 lane commitment\0";

/// The statements of one lane since its `lanes` statement: their number and the edge of their tree, a few hundred bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneList(CompactTree);

/// What keeps a leaf from being guessed: of one lane, one log and one size. Who has it can check that leaf and nothing else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Blind(pub [u8; 32]);

/// What one leaf is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneOpening {
    /// What hides it.
    pub blind: Blind,
    /// How many statements the lane has since its `lanes` statement.
    pub count: u64,
    /// The RFC 6962 root over their leaf hashes in the log.
    pub root: Digest,
}

/// The leaves of one checkpoint, in the order of the slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitments(Vec<Digest>);

/// The way from one lane's leaf to a checkpoint's commitments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanePath {
    /// The place of the lane's slot.
    pub index: u64,
    /// How many slots there are.
    pub slots: u64,
    /// The hashes beside the way, from the leaf's sibling upwards.
    pub path: Vec<Digest>,
}

impl LaneList {
    /// The list with this number of statements and this edge of its tree; none if the two do not belong together.
    #[must_use]
    pub fn of_edge(count: u64, edge: Vec<Digest>) -> Option<Self> {
        CompactTree::of_edge(count, edge).map(Self)
    }

    /// Adds a statement by its leaf hash in the log.
    pub fn push(&mut self, leaf: Digest) {
        self.0.push(leaf);
    }

    /// How many statements there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.size()
    }

    /// The roots of the complete subtrees, largest first, as [`Self::of_edge`] takes them.
    #[must_use]
    pub fn edge(&self) -> &[Digest] {
        self.0.edge()
    }

    /// What the lane's leaf is made of.
    #[must_use]
    pub fn opening(&self, blind: Blind) -> LaneOpening {
        LaneOpening { blind, count: self.count(), root: self.0.root() }
    }
}

impl LaneOpening {
    /// The leaf: of the same length and looks for every lane.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        merkle::leaf_hash(&sha256_of(&[LEAF, &self.blind.0, &self.count.to_be_bytes(), &self.root.0]).0)
    }
}

impl Commitments {
    /// The commitments to these lanes, in the order of their slots.
    #[must_use]
    pub fn of(openings: impl IntoIterator<Item = LaneOpening>) -> Self {
        Self(openings.into_iter().map(|opening| opening.leaf()).collect())
    }

    /// What stands in the checkpoint.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        merkle::root(&self.0).0
    }

    /// The way from a slot's leaf to the root.
    #[must_use]
    pub fn path(&self, index: u64) -> Option<LanePath> {
        let slots = self.0.len() as u64;
        (index < slots).then(|| LanePath { index, slots, path: merkle::inclusion_proof(&self.0, index) })
    }

    /// As CBOR: the leaves.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Array(self.0.iter().map(Value::from).collect())
    }

    /// Reads what [`Self::to_value`] gave; none if it is not that, or there are more slots than a charter has members.
    #[must_use]
    pub fn from_value(value: Value) -> Option<Self> {
        let Value::Array(items) = value else { return None };
        if items.len() > MEMBERS_MAX {
            return None;
        }
        items.iter().map(|item| item.as_bytes()?.try_into().ok().map(Digest)).collect::<Option<_>>().map(Self)
    }
}

impl LanePath {
    /// The commitments to which this way leads from a leaf made of `opening`; none if it is no way from its place.
    #[must_use]
    pub fn leads_to(&self, opening: &LaneOpening) -> Option<[u8; 32]> {
        merkle::root_from_inclusion(&opening.leaf(), self.index, self.slots, &self.path).map(|root| root.0)
    }

    /// As a map: 1 the place, 2 the number of slots, 3 the path.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let path = self.path.iter().map(Value::from).collect::<Vec<_>>();
        Value::Map(Map::new().with(1, self.index).with(2, self.slots).with(3, path))
    }

    /// Reads what [`Self::to_value`] gave. Nothing is verified.
    ///
    /// # Errors
    /// [`SealError::Form`] if it is not that.
    pub fn from_value(value: Value) -> Result<Self, SealError> {
        let mut fields = Fields::of(value, "path of a lane")?;
        let (index, slots) = (fields.u64(1)?, fields.u64(2)?);
        let path = super::digests(fields.items(3)?).ok_or_else(|| fields.bad(3))?;
        fields.end()?;
        Ok(Self { index, slots, path })
    }
}

impl fmt::Debug for Blind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Blind([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::cbor;
    use crate::encoding::ids::{LogId, MemberCode};
    use crate::seal::LaneSecret;

    fn log() -> LogId {
        "GE".parse().unwrap()
    }

    fn member(number: usize) -> MemberCode {
        let letter = |at: usize| char::from(b'A' + u8::try_from(at % 26).unwrap());
        format!("{}{}", letter(number / 26), letter(number)).parse().unwrap()
    }

    fn secret(seed: u8) -> LaneSecret {
        LaneSecret::from_bytes([seed; 32])
    }

    fn list(count: u64) -> LaneList {
        let mut list = LaneList::default();
        (0..count).for_each(|number| list.push(merkle::leaf_hash(&number.to_be_bytes())));
        list
    }

    /// The commitments at a size to lanes with so many statements.
    fn commitments(secret: &LaneSecret, size: u64, counts: &[u64]) -> Commitments {
        let lanes = counts.iter().enumerate();
        Commitments::of(lanes.map(|(at, count)| list(*count).opening(secret.lane_key(member(at)).blind(log(), size))))
    }

    #[test]
    fn the_reader_proves_what_it_holds_and_nothing_less_or_other() {
        let (secret, counts) = (secret(1), [3, 0, 10, 1, 7]);
        let made = commitments(&secret, 30, &counts);
        for (at, count) in counts.iter().enumerate() {
            let (path, lane) = (made.path(at as u64).unwrap(), secret.lane_key(member(at)));
            let holds =
                |list: &LaneList, size| path.leads_to(&list.opening(lane.blind(log(), size))) == Some(made.root());
            assert!(holds(&list(*count), 30));
            // One that was left out, one too many, another in its place, another size, another lane's key.
            assert!(!holds(&list(count + 1), 30));
            assert!(*count == 0 || !holds(&list(count - 1), 30));
            let mut other = list(count.saturating_sub(1));
            other.push(Digest([9; 32]));
            assert!(!holds(&other, 30));
            assert!(!holds(&list(*count), 31));
            let elsewhere = secret.lane_key(member(at + 1)).blind(log(), 30);
            assert_ne!(path.leads_to(&list(*count).opening(elsewhere)), Some(made.root()));
        }
        assert_eq!(made.path(5), None);
    }

    #[test]
    fn the_number_of_statements_is_signed_too() {
        // The root of one statement alone is its leaf, so the number must tell a list from the tree of another.
        let (blind, root) = (Blind([1; 32]), Digest([2; 32]));
        let leaf = |count| LaneOpening { blind, count, root }.leaf();
        assert_ne!(leaf(1), leaf(2));
    }

    #[test]
    fn a_blind_is_of_one_lane_one_log_and_one_size() {
        let lane = secret(1).lane_key(member(0));
        let blind = lane.blind(log(), 7);
        assert_ne!(blind, lane.blind(log(), 8));
        assert_ne!(blind, lane.blind("GE.2".parse().unwrap(), 7));
        assert_ne!(blind, secret(1).lane_key(member(1)).blind(log(), 7));
        assert_eq!(format!("{blind:?}"), "Blind([redacted])");
    }

    /// Of lanes of all lengths, equal ones included, over many sizes: every leaf is another, every path as long as the others, and
    /// the bits of the leaves, and of what changes from one checkpoint to the next, are as even for empty lanes as for long ones. An outsider
    /// that has to tell an empty lane from one with statements by any single bit guesses.
    #[test]
    fn an_outsider_sees_nothing_in_the_leaves() {
        const SIZES: u64 = 500;
        let (secret, counts) = (secret(2), [0, 0, 1, 1000, 1000, 3, 0, 12]);
        let mut seen = std::collections::BTreeSet::new();
        let mut ones = [[0_u32; 256]; 2];
        let mut changes = [0_u32; 2];
        let mut before: Option<Commitments> = None;
        for size in 1..=SIZES {
            let made = commitments(&secret, size, &counts);
            for (at, leaf) in made.0.iter().enumerate() {
                assert!(seen.insert(leaf.0), "slot {at} at {size}");
                assert_eq!(made.path(at as u64).unwrap().path.len(), 3);
                let kind = usize::from(counts[at] > 0);
                for (bit, ones) in ones[kind].iter_mut().enumerate() {
                    *ones += u32::from(leaf.0[bit / 8] >> (bit % 8) & 1);
                }
                if let Some(before) = &before {
                    changes[kind] += leaf.0.iter().zip(&before.0[at].0).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
                }
            }
            before = Some(made);
        }
        // Six standard deviations, squared: chance alone goes beyond once in five hundred million times, and there are 514.
        let is_even = |ones: u32, of: u64| (2 * i64::from(ones) - of as i64).pow(2) < 36 * of as i64;
        let samples = [3, 5].map(|lanes| lanes * SIZES);
        for (kind, ones) in ones.iter().enumerate() {
            assert!(ones.iter().all(|ones| is_even(*ones, samples[kind])), "bits of kind {kind}: {ones:?}");
            let bits = samples[kind] / SIZES * (SIZES - 1) * 256;
            assert!(is_even(changes[kind], bits), "what changes, of kind {kind}: {} of {bits}", changes[kind]);
        }
        // Whatever single bit the outsider takes, it tells empty lanes from others in less than one case of twenty more than a guess does.
        for (bit, (empty, other)) in ones[0].iter().zip(&ones[1]).enumerate() {
            let (empty, other) = (u64::from(*empty) * samples[1], u64::from(*other) * samples[0]);
            assert!(empty.abs_diff(other) * 10 < samples[0] * samples[1], "bit {bit}");
        }
    }

    #[test]
    fn a_proof_is_as_long_for_ten_statements_as_for_a_million() {
        let mut lengths = Vec::new();
        for count in [0, 10, 10_000, 1_000_000] {
            let mut counts = vec![0; 60];
            counts[17] = count;
            let made = commitments(&secret(3), 2_000_000, &counts);
            let path = made.path(17).unwrap();
            lengths.push((path.path.len(), cbor::encode(&path.to_value()).len()));
        }
        assert_eq!(lengths, [(6, 212); 4]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(count in 0_u64..300, slots in 1_usize..40, at in any::<prop::sample::Index>()) {
            let counts = vec![count % 5; slots];
            let made = commitments(&secret(4), 9, &counts);
            prop_assert_eq!(Commitments::from_value(made.to_value()), Some(made.clone()));
            let path = made.path(at.index(slots) as u64).unwrap();
            prop_assert_eq!(LanePath::from_value(path.to_value()), Ok(path));
            let list = list(count);
            prop_assert_eq!(LaneList::of_edge(count, list.edge().to_vec()), Some(list.clone()));
            prop_assert_eq!(LaneList::of_edge(count + 1, list.edge().to_vec()).is_some_and(|read| read == list), false);
        }

        #[test]
        fn a_changed_path_leads_nowhere(slots in 2_usize..40, at in any::<prop::sample::Index>(), bit in 0_usize..256) {
            let counts = vec![2; slots];
            let made = commitments(&secret(5), 9, &counts);
            let index = at.index(slots);
            let opening = list(2).opening(secret(5).lane_key(member(index)).blind(log(), 9));
            let mut path = made.path(index as u64).unwrap();
            prop_assert_eq!(path.leads_to(&opening), Some(made.root()));
            let place = at.index(path.path.len());
            path.path[place].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(path.leads_to(&opening), Some(made.root()));
        }
    }
}
