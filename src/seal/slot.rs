//! The body of a `lanes` statement: the keys of an epoch's lanes, one sealed slot for every member.
//!
//! ```text
//! statement.payload = SHA-256(head)      head = [epoch, number of slots, root]
//!                                        root = RFC 6962 tree over the slots' bytes
//! slot = [member, kid of its seal key, encapsulated key, ciphertext]
//! ```
//! The author's own slot carries the secret from which all lane keys come, so that all slots look alike and a node needs
//! to keep no further secret.

use std::collections::BTreeMap;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use zeroize::Zeroizing;

use super::lane::{LaneKey, LaneSecret};
use super::{SealContext, SealError};
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::{Digest, Kid, sha256};
use crate::encoding::ids::MemberCode;
use crate::encoding::merkle;
use crate::encoding::random::Randomness;
use crate::identity::charter::MEMBERS_MAX;
use crate::identity::{SealPublicKey, SealSecretKey};

/// Bytes of an encapsulated X-Wing key.
const ENCAPSULATED_BYTES: usize = 1120;
/// Bytes of a sealed lane key: 32 and the authentication tag.
const CIPHERTEXT_BYTES: usize = 48;
/// Bytes in the proof of a slot: what a peer may be asked to read.
pub const SLOT_PROOF_BYTES_MAX: usize = 2048;

/// What a `lanes` statement signs the digest of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanesHead {
    /// The epoch of the lanes.
    pub epoch: u32,
    /// How many slots there are.
    pub slots: u64,
    /// The Merkle root over the slots' bytes.
    pub root: Digest,
}

/// All slots of a `lanes` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanesBody {
    head: LanesHead,
    slots: Vec<Slot>,
}

/// One member's slot: its lane key, sealed to its seal key of the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    member: MemberCode,
    kid: Kid,
    encapsulated: Box<[u8; ENCAPSULATED_BYTES]>,
    ciphertext: [u8; CIPHERTEXT_BYTES],
}

/// A slot with the proof that it is one of the statement's: what a member fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// What the statement signs.
    pub head: LanesHead,
    /// The slot.
    pub slot: Slot,
    /// Its place among the slots.
    pub index: u64,
    /// The hashes beside its way to the root.
    pub path: Vec<Digest>,
}

/// What was in a slot.
#[derive(Clone, Debug)]
pub enum OpenedSlot {
    /// The key of the lane from the author to this member.
    Lane(LaneKey),
    /// The author's own: the secret from which all its lane keys come.
    Own(LaneSecret),
}

impl LanesBody {
    /// Seals the lane keys of `secret` to `recipients`. `context.record` is the `lanes` statement itself; its log's member
    /// is the author, who should be among the recipients.
    ///
    /// # Errors
    /// [`SealError::Bounds`] without recipients or with more than a charter has members.
    pub fn seal(
        context: &SealContext,
        epoch: u32,
        secret: &LaneSecret,
        recipients: &BTreeMap<MemberCode, &SealPublicKey>,
        random: &mut Randomness,
    ) -> Result<Self, SealError> {
        if recipients.is_empty() || recipients.len() > MEMBERS_MAX {
            return Err(SealError::Bounds { what: "number of slots" });
        }
        let slots = recipients
            .iter()
            .map(|(member, key)| Slot::seal(context, *member, key, secret, random))
            .collect::<Vec<_>>();
        Ok(Self::assemble(epoch, slots))
    }

    fn assemble(epoch: u32, slots: Vec<Slot>) -> Self {
        let root = merkle::root(&leaves(&slots));
        Self { head: LanesHead { epoch, slots: slots.len() as u64, root }, slots }
    }

    /// What the statement signs the digest of.
    #[must_use]
    pub fn head(&self) -> &LanesHead {
        &self.head
    }

    /// The slots in the order of their members' codes.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// A member's slot with its proof.
    #[must_use]
    pub fn slot(&self, member: MemberCode) -> Option<SlotProof> {
        let at = self.slots.binary_search_by_key(&member, |slot| slot.member).ok()?;
        let path = merkle::inclusion_proof(&leaves(&self.slots), at as u64);
        Some(SlotProof { head: self.head, slot: self.slots[at].clone(), index: at as u64, path })
    }

    /// The body as it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let slots = self.slots.iter().map(Slot::to_value).collect::<Vec<_>>();
        cbor::encode(&Value::from(vec![Value::from(u64::from(self.head.epoch)), Value::from(slots)]))
    }

    /// Reads what [`Self::encode`] writes. Whether it is the one that was signed is told by its head's digest.
    ///
    /// # Errors
    /// [`SealError::Form`] if it is not of the form of a `lanes` body.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        const SHAPE: CborError = CborError::Shape { object: "lanes body" };
        let [epoch, slots] = array(cbor::decode(bytes)?, SHAPE)?;
        let epoch = epoch.as_u64().and_then(|epoch| u32::try_from(epoch).ok()).ok_or(SHAPE)?;
        let Value::Array(items) = slots else { return Err(SHAPE.into()) };
        if items.is_empty() || items.len() > MEMBERS_MAX {
            return Err(SealError::Bounds { what: "number of slots" });
        }
        let slots = items.into_iter().map(Slot::from_value).collect::<Result<Vec<_>, _>>()?;
        if !slots.is_sorted_by(|a, b| a.member < b.member) {
            return Err(SHAPE.into());
        }
        Ok(Self::assemble(epoch, slots))
    }
}

impl LanesHead {
    /// SHA-256 of the encoded head: the payload of the statement.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&self.encode())
    }

    /// The head's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&self.to_value())
    }

    /// Reads what [`Self::encode`] writes.
    ///
    /// # Errors
    /// [`SealError::Form`] if it is not the form of a `lanes` head.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        Ok(Self::from_value(cbor::decode(bytes)?)?)
    }

    fn to_value(self) -> Value {
        Value::from(vec![Value::from(u64::from(self.epoch)), Value::from(self.slots), Value::from(self.root)])
    }

    fn from_value(value: Value) -> Result<Self, CborError> {
        const SHAPE: CborError = CborError::Shape { object: "lanes head" };
        let [epoch, slots, root] = array(value, SHAPE)?;
        Ok(Self {
            epoch: epoch.as_u64().and_then(|epoch| u32::try_from(epoch).ok()).ok_or(SHAPE)?,
            slots: slots.as_u64().ok_or(SHAPE)?,
            root: Digest(root.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?),
        })
    }
}

impl Slot {
    fn seal(
        context: &SealContext,
        member: MemberCode,
        key: &SealPublicKey,
        secret: &LaneSecret,
        random: &mut Randomness,
    ) -> Self {
        let lane = secret.lane_key(member);
        let content = if member == context.record.log.member { secret.as_bytes() } else { lane.as_bytes() };
        let kid = key.kid();
        let public =
            <XWing as Kem>::PublicKey::from_bytes(key.as_bytes()).expect("a seal key is checked when it is made");
        let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &public,
            &info(context, member, kid),
            content,
            b"",
            random,
        )
        .expect("sealing 32 bytes to a checked key cannot fail");
        let slot = Self {
            member,
            kid,
            encapsulated: Box::new(
                encapsulated.to_bytes().as_slice().try_into().expect("X-Wing encapsulates to 1120 bytes"),
            ),
            ciphertext: ciphertext.try_into().expect("32 bytes are sealed to 48"),
        };
        #[cfg(feature = "simulate")]
        crate::identity::known::note_sealed(|| kid, &info(context, member, kid), slot.sealed(), content);
        slot
    }

    /// Whose slot it is.
    #[must_use]
    pub fn member(&self) -> MemberCode {
        self.member
    }

    /// The id of the seal key to which it is sealed.
    #[must_use]
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// Opens the slot. `context.record` is the `lanes` statement that it belongs to.
    ///
    /// # Errors
    /// [`SealError::SlotDoesNotOpen`], which is a reason for an alert: the author has cut this member off, or its own seal
    /// key is not the one in its manifest.
    pub fn open(&self, context: &SealContext, key: &SealSecretKey) -> Result<OpenedSlot, SealError> {
        #[cfg(feature = "simulate")]
        if let Some(content) = crate::identity::known::sealed_in(
            key.seed(),
            || key.public().kid(),
            &info(context, self.member, self.kid),
            self.sealed(),
        ) {
            return Ok(self.content(context, content));
        }
        let bytes = self.decrypt(context, key)?;
        #[cfg(feature = "simulate")]
        crate::identity::known::note_sealed(
            || key.public().kid(),
            &info(context, self.member, self.kid),
            self.sealed(),
            &bytes,
        );
        Ok(self.content(context, bytes))
    }

    fn decrypt(&self, context: &SealContext, key: &SealSecretKey) -> Result<[u8; 32], SealError> {
        let refused = |_| SealError::SlotDoesNotOpen { member: self.member };
        let secret = <XWing as Kem>::PrivateKey::from_bytes(key.seed()).map_err(refused)?;
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(self.encapsulated.as_slice()).map_err(refused)?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &secret,
            &encapsulated,
            &info(context, self.member, self.kid),
            &self.ciphertext,
            b"",
        )
        .map_err(refused)?;
        let opened = Zeroizing::new(opened);
        opened.as_slice().try_into().map_err(|_| SealError::SlotDoesNotOpen { member: self.member })
    }

    fn content(&self, context: &SealContext, bytes: [u8; 32]) -> OpenedSlot {
        if self.member == context.record.log.member {
            OpenedSlot::Own(LaneSecret::from_bytes(bytes))
        } else {
            OpenedSlot::Lane(LaneKey::from_bytes(bytes))
        }
    }

    #[cfg(feature = "simulate")]
    fn sealed(&self) -> [&[u8]; 2] {
        [self.encapsulated.as_slice(), &self.ciphertext]
    }

    /// The slot's bytes, which are a leaf of the tree.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&self.to_value())
    }

    fn to_value(&self) -> Value {
        Value::from(vec![
            Value::from(self.member),
            Value::from(self.kid),
            Value::from(self.encapsulated.as_slice()),
            Value::from(self.ciphertext),
        ])
    }

    fn from_value(value: Value) -> Result<Self, CborError> {
        const SHAPE: CborError = CborError::Shape { object: "lane slot" };
        let [member, kid, encapsulated, ciphertext] = array(value, SHAPE)?;
        Ok(Self {
            member: member.as_text().and_then(|text| text.parse().ok()).ok_or(SHAPE)?,
            kid: Kid(kid.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?),
            encapsulated: Box::new(encapsulated.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?),
            ciphertext: ciphertext.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(SHAPE)?,
        })
    }
}

impl OpenedSlot {
    /// The key of the lane to `member`, whose slot it was; the author derives its own like all others.
    #[must_use]
    pub fn lane_key(&self, member: MemberCode) -> LaneKey {
        match self {
            Self::Lane(key) => key.clone(),
            Self::Own(secret) => secret.lane_key(member),
        }
    }
}

impl SlotProof {
    /// Checks that the slot is one of those of a statement with this payload.
    ///
    /// # Errors
    /// [`SealError::NotTheSigned`] if the head is another, or the path does not lead from the slot to its root.
    pub fn verify(&self, payload: &Digest) -> Result<(), SealError> {
        let leaf = merkle::leaf_hash(&self.slot.encode());
        let is_signed = self.head.digest() == *payload
            && merkle::verify_inclusion(&leaf, self.index, self.head.slots, &self.path, &self.head.root);
        if is_signed { Ok(()) } else { Err(SealError::NotTheSigned { what: "lane slot" }) }
    }

    /// The proof as it is sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let path = self.path.iter().map(Value::from).collect::<Vec<_>>();
        let map =
            Map::new().with(1, self.head.to_value()).with(2, self.slot.to_value()).with(3, self.index).with(4, path);
        cbor::encode(&Value::Map(map))
    }

    /// Reads what [`Self::encode`] writes. Nothing is verified.
    ///
    /// # Errors
    /// [`SealError::Form`] or [`SealError::Bounds`] if it is not the form of such a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        if bytes.len() > SLOT_PROOF_BYTES_MAX {
            return Err(SealError::Bounds { what: "proof of a lane slot" });
        }
        let mut fields = Fields::of(cbor::decode(bytes)?, "proof of a lane slot")?;
        let head = LanesHead::from_value(fields.value(1)?)?;
        let slot = Slot::from_value(fields.value(2)?)?;
        let index = fields.u64(3)?;
        let path = super::digests(fields.items(4)?).ok_or_else(|| fields.bad(4))?;
        fields.end()?;
        Ok(Self { head, slot, index, path })
    }
}

/// What ties a slot to its place: it opens nowhere else.
fn info(context: &SealContext, member: MemberCode, kid: Kid) -> Vec<u8> {
    cbor::encode(&Value::from(vec![
        Value::from(context.federation.0),
        Value::from(context.record.log),
        Value::from(context.record.position),
        Value::from(member),
        Value::from(kid),
    ]))
}

fn leaves(slots: &[Slot]) -> Vec<Digest> {
    slots.iter().map(|slot| merkle::leaf_hash(&slot.encode())).collect()
}

fn array<const N: usize>(value: Value, shape: CborError) -> Result<[Value; N], CborError> {
    if let Value::Array(items) = value { items.try_into().map_err(|_| shape) } else { Err(shape) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::ids::FederationId;

    fn context(record: &str) -> SealContext {
        SealContext { federation: FederationId(Digest([9; 32])), record: record.parse().unwrap() }
    }

    fn code(text: &str) -> MemberCode {
        text.parse().unwrap()
    }

    fn keys() -> BTreeMap<MemberCode, SealSecretKey> {
        [("GE", 1), ("MZ", 2), ("TR", 3)]
            .into_iter()
            .map(|(member, seed)| (code(member), SealSecretKey::from_seed(&[seed; 32])))
            .collect()
    }

    fn body(secret: &LaneSecret) -> LanesBody {
        let public: BTreeMap<MemberCode, SealPublicKey> =
            keys().iter().map(|(code, key)| (*code, key.public())).collect();
        let recipients = public.iter().map(|(code, key)| (*code, key)).collect();
        LanesBody::seal(&context("GE-0"), 3, secret, &recipients, &mut Randomness::new([4; 32])).unwrap()
    }

    #[test]
    fn every_member_opens_its_own_slot_and_no_other() {
        let secret = LaneSecret::from_bytes([5; 32]);
        let body = body(&secret);
        assert_eq!(body.slots().len(), keys().len());
        for (member, key) in keys() {
            for slot in body.slots() {
                let opened = slot.open(&context("GE-0"), &key);
                assert_eq!(opened.is_ok(), slot.member() == member);
            }
            let opened = body.slot(member).unwrap().slot.open(&context("GE-0"), &key).unwrap();
            assert_eq!(matches!(opened, OpenedSlot::Own(_)), member == code("GE"));
            assert_eq!(opened.lane_key(member).as_bytes(), secret.lane_key(member).as_bytes());
        }
    }

    #[test]
    fn a_slot_opens_at_its_own_place_only() {
        let body = body(&LaneSecret::from_bytes([5; 32]));
        let slot = body.slot(code("TR")).unwrap().slot;
        let key = &keys()[&code("TR")];
        assert!(slot.open(&context("GE-1"), key).is_err());
        assert!(slot.open(&context("GE.2-0"), key).is_err());
    }

    #[test]
    fn proofs_hold_for_the_signed_head_only() {
        let body = body(&LaneSecret::from_bytes([5; 32]));
        let payload = body.head().digest();
        for member in keys().keys() {
            let proof = body.slot(*member).unwrap();
            assert_eq!(SlotProof::decode(&proof.encode()), Ok(proof.clone()));
            assert_eq!(proof.verify(&payload), Ok(()));
            assert!(proof.verify(&Digest::ZERO).is_err());
            let moved = SlotProof { index: proof.index ^ 1, ..proof };
            assert!(moved.verify(&payload).is_err());
        }
        assert_eq!(body.slot(code("LB")), None);
    }

    /// A body that is only read, never opened.
    fn unsealed(members: &[MemberCode]) -> LanesBody {
        let slot = |member: &MemberCode| Slot {
            member: *member,
            kid: Kid([1; 16]),
            encapsulated: Box::new([2; ENCAPSULATED_BYTES]),
            ciphertext: [3; CIPHERTEXT_BYTES],
        };
        LanesBody::assemble(3, members.iter().map(slot).collect())
    }

    #[test]
    fn slots_stand_in_the_order_of_their_members_each_once() {
        let read = |members: &[&str]| {
            let members: Vec<MemberCode> = members.iter().map(|member| code(member)).collect();
            LanesBody::decode(&unsealed(&members).encode()).is_ok()
        };
        assert!(read(&["GE", "MZ", "TR"]));
        assert!(!read(&["GE", "TR", "MZ"]));
        assert!(!read(&["GE", "GE", "TR"]));
    }

    #[test]
    fn there_are_slots_for_one_member_to_as_many_as_a_federation_has() {
        let codes: Vec<MemberCode> =
            ('A'..='Z').flat_map(|letter| (0..10).map(move |digit| code(&format!("{letter}{digit}")))).collect();
        let key = SealSecretKey::from_seed(&[1; 32]).public();
        for (count, refused) in [(0, true), (MEMBERS_MAX, false), (MEMBERS_MAX + 1, true)] {
            let refused = refused.then_some(SealError::Bounds { what: "number of slots" });
            let recipients = codes[..count].iter().map(|code| (*code, &key)).collect();
            let (secret, mut random) = (LaneSecret::from_bytes([5; 32]), Randomness::new([4; 32]));
            let sealed = LanesBody::seal(&context("GE-0"), 3, &secret, &recipients, &mut random);
            assert_eq!(sealed.err(), refused, "{count}");
            assert_eq!(LanesBody::decode(&unsealed(&codes[..count]).encode()).err(), refused, "{count}");
        }
    }

    #[test]
    fn a_proof_of_more_than_2048_bytes_is_not_even_read() {
        let refused = Err(SealError::Bounds { what: "proof of a lane slot" });
        assert!(matches!(SlotProof::decode(&[0; SLOT_PROOF_BYTES_MAX]), Err(SealError::Form(_))));
        assert_eq!(SlotProof::decode(&[0; SLOT_PROOF_BYTES_MAX + 1]), refused);
    }

    #[test]
    fn bodies_survive_the_round_trip() {
        let body = body(&LaneSecret::from_bytes([5; 32]));
        assert_eq!(LanesBody::decode(&body.encode()), Ok(body.clone()));
        assert_eq!(LanesHead::decode(&body.head().encode()), Ok(*body.head()));
    }
}
