//! Lanes: the keys that run from one log to each member for an epoch, and what is derived from them.
//!
//! Every derivation is HKDF-Expand with SHA-256 (RFC 5869 §2.3) from a uniformly random 32-byte key; the labels are
//! listed in `docs/protocol-seal.md`.

use std::collections::BTreeSet;
use std::fmt;

use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::commitment::Blind;
use super::head::CompartmentLabel;
use crate::encoding::cbor::Value;
use crate::encoding::hash::sha256;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::random::Randomness;

/// The least number of tags in a statement.
pub const TAGS_MIN: usize = 4;

const LANE: &[u8] = b"shieldwall/1 lane\0";
const TICKET: &[u8] = b"shieldwall/1 ticket\0";
const WRAP: &[u8] = b"shieldwall/1 wrap\0";
const RECIPIENT: &[u8] = b"shieldwall/1 recipient\0";
const COMMITMENT: &[u8] = b"shieldwall/1 commitment\0";

/// What an author draws for one of its logs and one epoch; all lane keys come from it.
#[derive(Clone)]
pub struct LaneSecret(Zeroizing<[u8; 32]>);

/// The key of the lane from one log to one member for an epoch.
#[derive(Clone)]
pub struct LaneKey(Zeroizing<[u8; 32]>);

/// What a reader of a record shows to whoever holds its body.
#[derive(Clone)]
pub struct Ticket(Zeroizing<[u8; 32]>);

/// A ticket's public hash, which stands in the statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub [u8; 16]);

/// The key under which a content key is wrapped for one reader of one compartment.
pub(super) struct WrapKey(pub(super) Zeroizing<[u8; 32]>);

/// A reader's name inside one compartment; another in every compartment, so that readers are not recognised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecipientKid(pub(super) [u8; 16]);

impl LaneSecret {
    /// A fresh secret.
    #[must_use]
    pub fn generate(random: &mut Randomness) -> Self {
        Self(Zeroizing::new(random.array()))
    }

    /// The secret with these bytes, out of the author's own slot.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key of the lane to `member`; the author has one as well.
    #[must_use]
    pub fn lane_key(&self, member: MemberCode) -> LaneKey {
        LaneKey(expand(&self.0, &[LANE, member.as_str().as_bytes()]))
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl LaneKey {
    /// The key with these bytes, out of a slot.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The ticket for a record's body.
    #[must_use]
    pub fn ticket(&self, record: &RecordId) -> Ticket {
        Ticket(expand(&self.0, &[TICKET, record.to_string().as_bytes()]))
    }

    /// The tag by which this lane's reader finds a record. The same as `ticket(record).tag()`.
    #[must_use]
    pub fn tag(&self, record: &RecordId) -> Tag {
        self.ticket(record).tag()
    }

    /// What hides this lane's leaf in the commitments of a checkpoint over the first `size` statements of `log`.
    #[must_use]
    pub fn blind(&self, log: LogId, size: u64) -> Blind {
        Blind(*expand(&self.0, &[COMMITMENT, log.to_string().as_bytes(), &[0], &size.to_be_bytes()]))
    }

    pub(super) fn wrap_key(&self, record: &RecordId, label: &CompartmentLabel) -> WrapKey {
        WrapKey(expand(&self.0, &[WRAP, record.to_string().as_bytes(), &label.0]))
    }

    pub(super) fn recipient_kid(&self, record: &RecordId, label: &CompartmentLabel) -> RecipientKid {
        let bytes = expand(&self.0, &[RECIPIENT, record.to_string().as_bytes(), &label.0]);
        RecipientKid(first_16(&bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Ticket {
    /// The ticket with these bytes, as a peer shows it.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes to be shown to a holder.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of the ticket, the first 16 bytes.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag(first_16(&sha256(self.as_bytes()).0))
    }
}

/// The tags of a statement: the readers' own, padded with random ones to the next of 4, 8, 16 …, in ascending order and
/// each once, so that neither their number nor their order tells who reads.
#[must_use]
pub fn tags(real: impl IntoIterator<Item = Tag>, random: &mut Randomness) -> Vec<Tag> {
    let mut tags: BTreeSet<Tag> = real.into_iter().collect();
    let target = tags.len().max(TAGS_MIN).next_power_of_two();
    while tags.len() < target {
        tags.insert(Tag(random.array()));
    }
    tags.into_iter().collect()
}

/// Whether tags are as [`tags`] makes them: ascending, each once, 4, 8, 16 … of them.
#[must_use]
pub fn tags_are_well_formed(tags: &[Tag]) -> bool {
    tags.len() >= TAGS_MIN && tags.len().is_power_of_two() && tags.is_sorted_by(|a, b| a < b)
}

fn expand(key: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::from_prk(key)
        .expect("32 bytes are a pseudorandom key for SHA-256")
        .expand_multi_info(info, bytes.as_mut_slice())
        .expect("32 bytes are one block of output");
    bytes
}

fn first_16(bytes: &[u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&bytes[..16]);
    first
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )*};
}
redacted!(LaneSecret, LaneKey, Ticket);

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl From<Tag> for Value {
    fn from(tag: Tag) -> Self {
        Self::from(tag.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(member: &str) -> LaneKey {
        LaneSecret::from_bytes([1; 32]).lane_key(member.parse().unwrap())
    }

    #[test]
    fn every_member_record_and_compartment_has_keys_of_its_own() {
        let (first, second): (RecordId, RecordId) = ("GE-1".parse().unwrap(), "GE-11".parse().unwrap());
        let (one, other) = (CompartmentLabel([1; 16]), CompartmentLabel([2; 16]));
        assert_ne!(lane("TR").as_bytes(), lane("MZ").as_bytes());
        assert_ne!(lane("TR").tag(&first), lane("TR").tag(&second));
        assert_ne!(lane("TR").tag(&first), lane("MZ").tag(&first));
        assert_ne!(*lane("TR").wrap_key(&first, &one).0, *lane("TR").wrap_key(&first, &other).0);
        assert!(lane("TR").recipient_kid(&first, &one) != lane("TR").recipient_kid(&first, &other));
    }

    #[test]
    fn tags_are_padded_sorted_and_unique() {
        let mut random = Randomness::new([3; 32]);
        for (readers, expected) in [(0, 4), (1, 4), (4, 4), (5, 8), (9, 16)] {
            let real: Vec<Tag> = (0..readers).map(|reader| Tag([reader; 16])).collect();
            let tags = tags(real.iter().copied().chain(real.first().copied()), &mut random);
            assert_eq!(tags.len(), expected);
            assert!(tags_are_well_formed(&tags));
            assert!(real.iter().all(|tag| tags.contains(tag)));
        }
        for count in 0..=17 {
            let ascending: Vec<Tag> = (0..count).map(|tag| Tag([tag; 16])).collect();
            assert_eq!(tags_are_well_formed(&ascending), [4, 8, 16].contains(&count), "{count}");
        }
        assert!(!tags_are_well_formed(&[Tag([0; 16]); 4]));
    }

    #[test]
    fn tags_are_shown_in_hexadecimal() {
        assert_eq!(Tag([0x0f; 16]).to_string(), "0f".repeat(16));
        assert_eq!(format!("{:?}", Tag([0x0f; 16])), "0f".repeat(16));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", lane("TR")), "LaneKey([redacted])");
    }
}
