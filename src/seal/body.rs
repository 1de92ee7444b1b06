//! A record's body: its compartments, each sealed singly, and how they are padded together.

use std::collections::{BTreeMap, BTreeSet};

use super::compartment::Encrypted;
use super::fields::Opened;
use super::head::{BodyHead, COMPARTMENTS_MAX, CompartmentHead, CompartmentLabel, SIZE_CLASS_MAX, UNIT, size_class};
use super::lane::LaneKey;
use super::padding::Shape;
use super::{SealContext, SealError};
use crate::encoding::cbor::{self, CborError, Value};
use crate::encoding::hash::sha256;
use crate::encoding::random::Randomness;

/// Compartments are padded to a multiple of this, save the one that fills the body up.
const COMPARTMENT_UNIT: usize = 64;

/// What goes into one compartment, and who may read it.
pub struct CompartmentDraft<'a> {
    /// Its name, such as `summary`.
    pub name: &'a str,
    /// Its fields.
    pub fields: &'a BTreeMap<String, Value>,
    /// The lanes to its readers, the author's own among them.
    pub readers: Vec<&'a LaneKey>,
}

/// A body ready to be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBody {
    /// What the statement signs the digest of.
    pub head: BodyHead,
    /// The sealed compartments (`COSE_Encrypt`), in the order of the head.
    pub compartments: Vec<Vec<u8>>,
    /// n, where all compartments together have exactly 512·2ⁿ bytes.
    pub size_class: u8,
}

/// Seals a record's compartments, each for its readers, and pads them so that together they have 512·2ⁿ bytes.
///
/// # Errors
/// [`SealError::Bounds`] for names, numbers or sizes beyond what is possible, and for a compartment without readers or fields.
pub fn seal_body(
    context: &SealContext,
    drafts: &[CompartmentDraft<'_>],
    random: &mut Randomness,
) -> Result<SealedBody, SealError> {
    if drafts.is_empty() || drafts.len() > COMPARTMENTS_MAX {
        return Err(SealError::Bounds { what: "number of compartments" });
    }
    if !all_different(drafts.iter().map(|draft| draft.name)) {
        return Err(SealError::TwoOfOneName);
    }
    let mut prepared = BTreeMap::new();
    for draft in drafts {
        let label = CompartmentLabel(random.array());
        let content = Opened::salted(draft.name, draft.fields, random)?;
        let (encrypted, key) = Encrypted::for_readers(context, &label, &draft.readers, random)?;
        prepared.insert(label, (content, encrypted, key));
    }
    let shapes = prepared
        .values()
        .map(|(content, encrypted, _)| Shape {
            around: encrypted.around(),
            plaintext: content.to_plaintext((0, 0)).len(),
        })
        .collect::<Vec<_>>();
    let (size_class, paddings) = pad(&shapes)?;

    let mut heads = Vec::with_capacity(prepared.len());
    let mut compartments = Vec::with_capacity(prepared.len());
    for ((label, (content, encrypted, key)), padding) in prepared.into_iter().zip(paddings) {
        let bytes = encrypted.encrypt(context, &label, &key, content.to_plaintext(padding)).encode();
        heads.push(CompartmentHead {
            label,
            digest: sha256(&bytes),
            length: bytes.len() as u64,
            fields_root: content.root(),
        });
        compartments.push(bytes);
    }
    let body = SealedBody { head: BodyHead::new(heads), compartments, size_class };
    assert_eq!(body.head.size_class(), Some(size_class), "padding must come out exactly");
    Ok(body)
}

impl SealedBody {
    /// Head and compartments as one object.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let compartments = self.compartments.iter().map(|bytes| Value::from(bytes.as_slice())).collect::<Vec<_>>();
        cbor::encode(&Value::from(vec![self.head.to_value(), Value::from(compartments)]))
    }

    /// Reads what [`Self::encode`] writes; every compartment must be the one that the head names.
    ///
    /// # Errors
    /// [`SealError`] if it is not of that form, or a compartment is another.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        const SHAPE: CborError = CborError::Shape { object: "sealed body" };
        let Value::Array(parts) = cbor::decode(bytes)? else { return Err(SHAPE.into()) };
        let [head, listed] = <[Value; 2]>::try_from(parts).map_err(|_| SHAPE)?;
        let head = BodyHead::from_value(head)?;
        let Value::Array(items) = listed else { return Err(SHAPE.into()) };
        if items.len() != head.compartments().len() {
            return Err(SHAPE.into());
        }
        let mut compartments = Vec::with_capacity(items.len());
        for (item, compartment) in items.into_iter().zip(head.compartments()) {
            let Value::Bytes(bytes) = item else { return Err(SHAPE.into()) };
            compartment.check(&bytes)?;
            compartments.push(bytes);
        }
        let size_class = head.size_class().ok_or(SealError::Bounds { what: "size of the compartments" })?;
        Ok(Self { head, compartments, size_class })
    }

    /// All compartments that are for this lane.
    ///
    /// # Errors
    /// [`SealError`] if one that is for this lane does not open: it was sealed wrongly; also if two have one name, since they
    /// might contradict each other.
    pub fn open(&self, context: &SealContext, lane: &LaneKey) -> Result<Vec<Opened>, SealError> {
        let mut opened = Vec::new();
        for (head, bytes) in self.head.compartments().iter().zip(&self.compartments) {
            match head.open(context, bytes, lane) {
                Ok(content) => opened.push(content),
                Err(SealError::NotAReader) => {}
                Err(error) => return Err(error),
            }
        }
        if !all_different(opened.iter().map(Opened::compartment)) {
            return Err(SealError::TwoOfOneName);
        }
        Ok(opened)
    }
}

fn all_different<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = BTreeSet::new();
    names.into_iter().all(|name| seen.insert(name))
}

/// Two lengths of padding for each compartment, and the size class that they give. Labels are random and so is, therefore,
/// which compartment comes last and fills the body up.
fn pad(shapes: &[Shape]) -> Result<(u8, Vec<(usize, usize)>), SealError> {
    let (last, others) = shapes.split_last().ok_or(SealError::Bounds { what: "number of compartments" })?;
    let mut used = 0;
    let mut paddings = Vec::with_capacity(shapes.len());
    for shape in others {
        let mut target = shape.least().next_multiple_of(COMPARTMENT_UNIT);
        let padding = loop {
            match shape.fit(target) {
                Some(padding) => break padding,
                None => target += COMPARTMENT_UNIT,
            }
        };
        used += target;
        paddings.push(padding);
    }
    let smallest = size_class((used + last.least()) as u64);
    for class in smallest..=SIZE_CLASS_MAX {
        if let Some(padding) = last.fit((UNIT << class) - used) {
            paddings.push(padding);
            return Ok((class, paddings));
        }
    }
    Err(SealError::Bounds { what: "size of the body" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hash::Digest;
    use crate::encoding::ids::FederationId;
    use crate::seal::ContentKey;
    use crate::seal::LaneSecret;

    fn context(record: &str) -> SealContext {
        SealContext { federation: FederationId(Digest([9; 32])), record: record.parse().unwrap() }
    }

    fn lane(member: &str) -> LaneKey {
        LaneSecret::from_bytes([1; 32]).lane_key(member.parse().unwrap())
    }

    fn fields(entries: &[(&str, &str)]) -> BTreeMap<String, Value> {
        entries.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    }

    /// A `summary` for Türkiye and Mozambique and the `parties` for Mozambique alone, both for the author, Georgia.
    fn sealed(seed: u8) -> SealedBody {
        let (author, tr, mz) = (lane("GE"), lane("TR"), lane("MZ"));
        let summary = fields(&[("kind", "N01"), ("month", "2026-11")]);
        let parties = fields(&[("consignee", "Fábrica de Explosivos"), ("consignor", "Rustavi Azot")]);
        let drafts = [
            CompartmentDraft { name: "summary", fields: &summary, readers: vec![&author, &tr, &mz] },
            CompartmentDraft { name: "parties", fields: &parties, readers: vec![&author, &mz] },
        ];
        seal_body(&context("GE-1"), &drafts, &mut Randomness::new([seed; 32])).unwrap()
    }

    fn names(body: &SealedBody, record: &str, member: &str) -> Vec<String> {
        let mut names: Vec<_> = body
            .open(&context(record), &lane(member))
            .unwrap()
            .iter()
            .map(|opened| opened.compartment().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn each_reader_opens_its_compartments_and_no_other() {
        let body = sealed(1);
        assert_eq!(names(&body, "GE-1", "GE"), ["parties", "summary"]);
        assert_eq!(names(&body, "GE-1", "MZ"), ["parties", "summary"]);
        assert_eq!(names(&body, "GE-1", "TR"), ["summary"]);
        assert!(names(&body, "GE-1", "LB").is_empty());
        assert!(names(&body, "GE-2", "MZ").is_empty(), "another record has other recipients");
        let other = SealContext { federation: FederationId(Digest::ZERO), ..context("GE-1") };
        assert_eq!(body.open(&other, &lane("MZ")), Err(SealError::DoesNotOpen), "another federation");
    }

    #[test]
    fn a_disclosed_content_key_opens_one_compartment() {
        let body = sealed(1);
        let [first, second] = body.head.compartments() else { panic!("two compartments") };
        let key = first.content_key(&context("GE-1"), &body.compartments[0], &lane("MZ")).unwrap();
        let key = ContentKey::from_bytes(*key.as_bytes());
        assert!(first.open_with(&context("GE-1"), &body.compartments[0], &key).is_ok());
        assert_eq!(second.open_with(&context("GE-1"), &body.compartments[1], &key), Err(SealError::DoesNotOpen));
        let direct = first.with_direct_recipient(&body.compartments[0]);
        assert_eq!(direct, Ok(Encrypted::decode(&body.compartments[0]).unwrap().encode_direct(&first.label)));
        assert!(first.with_direct_recipient(&body.compartments[1]).is_err(), "not the signed bytes");
    }

    #[test]
    fn one_field_can_be_shown_alone() {
        let body = sealed(1);
        for (head, bytes) in body.head.compartments().iter().zip(&body.compartments) {
            let opened = head.open(&context("GE-1"), bytes, &lane("MZ")).unwrap();
            assert_eq!(opened.fields().len(), 2);
            for field in opened.fields() {
                let proof = opened.field_proof(&field.name).unwrap();
                assert_eq!(crate::seal::FieldProof::decode(&proof.encode()), Ok(proof.clone()));
                assert_eq!(proof.verify(&head.fields_root), Ok(()));
                let mut other = proof.clone();
                other.field.value = Value::from("another");
                assert!(other.verify(&head.fields_root).is_err());
                let mut other = proof;
                other.compartment = "intel".to_owned();
                assert!(other.verify(&head.fields_root).is_err());
            }
        }
    }

    #[test]
    fn bodies_of_every_length_come_out_as_a_size_class() {
        let author = lane("GE");
        for length in (0..1200).chain([65_000, 65_300, 131_000]) {
            let content: BTreeMap<_, _> = [("text".to_owned(), Value::from("x".repeat(length)))].into();
            let draft = |name| CompartmentDraft { name, fields: &content, readers: vec![&author] };
            for drafts in [vec![draft("summary")], vec![draft("summary"), draft("trade")]] {
                let body = seal_body(&context("GE-1"), &drafts, &mut Randomness::new([2; 32])).unwrap();
                let bytes: usize = body.compartments.iter().map(Vec::len).sum();
                assert_eq!(bytes, UNIT << body.size_class);
                assert_eq!(body.open(&context("GE-1"), &author).unwrap()[0].content(), content);
            }
        }
    }

    #[test]
    fn a_compartment_whose_fields_give_another_root_is_refused() {
        let body = sealed(1);
        let mut head = body.head.compartments()[0];
        head.fields_root = Digest::ZERO;
        let opened = head.open(&context("GE-1"), &body.compartments[0], &lane("MZ"));
        assert_eq!(opened, Err(SealError::NotTheSigned { what: "content of the compartment" }));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_sealed() {
        let author = lane("GE");
        let deep = (0..16).fold(Value::Null, |inner, _| Value::from(vec![inner]));
        for (name, value) in [("deep", deep), ("no space", Value::Null), ("a/b", Value::Null), ("", Value::Null)] {
            let content = [(name.to_owned(), value)].into();
            let draft = CompartmentDraft { name: "summary", fields: &content, readers: vec![&author] };
            assert!(seal_body(&context("GE-1"), &[draft], &mut Randomness::new([2; 32])).is_err(), "{name}");
        }
    }

    #[test]
    fn two_compartments_of_one_name_are_refused() {
        let author = lane("GE");
        let content = fields(&[("a", "b")]);
        let draft = |name| CompartmentDraft { name, fields: &content, readers: vec![&author] };
        let mut random = Randomness::new([2; 32]);
        let refused = seal_body(&context("GE-1"), &[draft("trade"), draft("trade")], &mut random);
        assert_eq!(refused, Err(SealError::TwoOfOneName));
    }

    #[test]
    fn a_body_has_1_to_16_compartments() {
        let author = lane("GE");
        let content = fields(&[("a", "b")]);
        let names: Vec<String> = (0..=COMPARTMENTS_MAX).map(|number| format!("c{number}")).collect();
        for (count, good) in [(0, false), (COMPARTMENTS_MAX, true), (COMPARTMENTS_MAX + 1, false)] {
            let draft = |name| CompartmentDraft { name, fields: &content, readers: vec![&author] };
            let drafts: Vec<_> = names[..count].iter().map(|name| draft(name.as_str())).collect();
            let sealed = seal_body(&context("GE-1"), &drafts, &mut Randomness::new([2; 32]));
            assert_eq!(sealed.is_ok(), good, "{count}");
        }
    }

    #[test]
    fn a_compartment_that_cannot_have_the_next_length_is_padded_to_the_one_after() {
        let first = Shape { around: 62, plaintext: 200 };
        assert_eq!((first.least(), first.fit(320)), (280, None));
        let last = Shape { around: 90, plaintext: 100 };
        let (class, paddings) = pad(&[first, last]).unwrap();
        assert_eq!(class, 1);
        assert_eq!(paddings.into_iter().map(Some).collect::<Vec<_>>(), [first.fit(384), last.fit(1024 - 384)]);
    }

    #[test]
    fn size_classes_are_powers_of_two_times_512() {
        for (bytes, class) in [(0, 0), (1, 0), (512, 0), (513, 1), (1024, 1), (1025, 2), (1 << 24, 15)] {
            assert_eq!(size_class(bytes), class, "{bytes}");
        }
    }

    #[test]
    fn nothing_is_sealed_without_readers_or_fields() {
        let author = lane("GE");
        let (none, some) = (fields(&[]), fields(&[("a", "b")]));
        for (fields, readers) in [(&some, vec![]), (&none, vec![&author])] {
            let draft = CompartmentDraft { name: "summary", fields, readers };
            assert!(seal_body(&context("GE-1"), &[draft], &mut Randomness::new([2; 32])).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn bodies_survive_the_round_trip_and_no_flipped_bit_does(seed: u8, at: proptest::sample::Index, bit in 0..8) {
            let body = sealed(seed);
            let mut bytes = body.encode();
            proptest::prop_assert_eq!(SealedBody::decode(&bytes), Ok(body.clone()));
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            // A head whose digests or roots were changed is of the right form, but another head.
            let changed = SealedBody::decode(&bytes).is_ok_and(|other| other.head.digest() == body.head.digest());
            proptest::prop_assert!(!changed);
        }

        #[test]
        fn reading_any_bytes_never_panics(bytes: Vec<u8>) {
            drop(SealedBody::decode(&bytes));
            drop(BodyHead::decode(&bytes));
            drop(Encrypted::decode(&bytes));
            drop(Opened::from_plaintext(&bytes));
            drop(crate::seal::FieldProof::decode(&bytes));
            drop(crate::seal::SlotProof::decode(&bytes));
            drop(crate::seal::LanesBody::decode(&bytes));
        }
    }
}
