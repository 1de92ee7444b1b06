//! Decoders of what members sign, seal and send to each other.

use std::sync::LazyLock;

use shieldwall::encoding::cbor::{self, Value};
use shieldwall::encoding::cose::{Sign, Sign1};
use shieldwall::encoding::hash::Digest;
use shieldwall::encoding::ids::{FederationId, LogId, MemberCode, RecordId};
use shieldwall::encoding::time::UnixTime;
use shieldwall::evidence::Equivocation;
use shieldwall::identity::{
    Application, Charter, Manifest, PublicKey, Published, SecretKey, SignedCharter, SignedManifest,
};
use shieldwall::ledger::{Erased, ForkProof, Frontier, Hold, LaneProof, Receipt, SignedRoot, Statement, Unverified};
use shieldwall::protocol::message::{Gossip, Request, Response, subject};
use shieldwall::record::{Compartment, Content, Country, Date, Mrn, PartialRecord, Record, Ucr};
use shieldwall::seal::probe;
use shieldwall::seal::{
    BodyHead, Field, FieldProof, Grant, LaneKey, LaneSecret, LanesBody, LanesHead, SealContext, SealedBody, SlotProof,
    tags_are_well_formed,
};

use super::{CANARY, discreet, exact, shown, silent, told, tried};

static KEY: LazyLock<PublicKey> = LazyLock::new(|| SecretKey::from_seed(&[7; 32]).public());
static LANE: LazyLock<LaneKey> = LazyLock::new(|| LaneSecret::from_bytes([1; 32]).lane_key(member("TR")));

fn member(text: &str) -> MemberCode {
    text.parse().expect("a member code")
}

/// Deterministic CBOR.
pub fn cbor(bytes: &[u8]) {
    exact(bytes, cbor::decode(bytes), cbor::encode);
}

/// The two COSE envelopes.
pub fn cose(bytes: &[u8]) {
    exact(bytes, Sign1::decode(bytes), Sign1::encode);
    exact(bytes, Sign::decode(bytes), Sign::encode);
}

/// A statement, at its place and elsewhere.
pub fn statement(bytes: &[u8]) {
    let read = Statement::read(bytes);
    let Some((statement, object)) = exact(bytes, read, |(_, object)| object.encode()) else { return };
    assert_eq!(statement.signed(object.signature), bytes, "a statement is written in one way");
    assert_eq!(statement.to_be_signed(), Sign1::to_be_signed(&object.protected, &statement.digest.0));
    assert!(statement.tags.is_sorted());
    tried(tags_are_well_formed(&statement.tags.iter().copied().map(shieldwall::seal::Tag).collect::<Vec<_>>()));
    let at_home = Unverified::read(bytes, statement.id, statement.federation, &KEY, statement.issued_at);
    // By its own word all is well, but for the key; the signature is somebody else's.
    match at_home {
        Ok(unverified) => assert_eq!(unverified.check().message, statement.to_be_signed()),
        Err(flaw) => assert_eq!(flaw.word(), "key"),
    }
    let elsewhere = RecordId::new(statement.id.log, statement.id.position ^ 1);
    let flaw = Unverified::read(bytes, elsewhere, statement.federation, &KEY, UnixTime::ZERO).map(|_| ());
    assert_eq!(flaw.expect_err("it stands elsewhere").word(), "place");
}

fn signed_root(bytes: &[u8]) {
    let Some(signed) = exact(bytes, SignedRoot::decode(bytes), SignedRoot::encode) else { return };
    match signed.claim() {
        Ok(root) => {
            shown(&root);
            assert_eq!(root.signed(signed.object().signature), signed, "a root is written in one way");
            // A key that is not the one named is refused before anything is computed.
            assert!(root.kid == KEY.kid() || signed.verify_by(&KEY).is_err());
        }
        Err(error) => told(&error),
    }
}

/// An owner's checkpoint.
pub fn checkpoint(bytes: &[u8]) {
    signed_root(bytes);
}

/// Cosignatures of one log and of a frontier.
pub fn cosignature(bytes: &[u8]) {
    signed_root(bytes);
}

/// A receipt.
pub fn receipt(bytes: &[u8]) {
    let Some(receipt) = exact(bytes, Receipt::decode(bytes), Receipt::encode) else { return };
    if let Ok(root) = receipt.signed_root(b"some statement") {
        let size = root.claim().ok().and_then(|root| root.claim.log_and_size()).map(|(_, size)| size);
        assert_eq!(size, Some(receipt.size()));
        assert!(receipt.index() < receipt.size());
    }
}

/// A proof of equivocation.
pub fn fork(bytes: &[u8]) {
    exact(bytes, ForkProof::decode(bytes), ForkProof::encode);
}

/// A proof that something was signed twice, as it is handed out.
pub fn equivocation(bytes: &[u8]) {
    exact(bytes, Equivocation::decode(bytes), Equivocation::encode);
}

/// What an author has shown of a lane.
pub fn lane_proof(bytes: &[u8]) {
    if let Some(proof) = exact(bytes, LaneProof::decode(bytes), LaneProof::encode) {
        // It may lead anywhere, and must not panic on the way.
        shown(&proof.path.leads_to(&proof.opening));
    }
}

/// Notes that a body was erased, or is held.
pub fn note(bytes: &[u8]) {
    exact(bytes, Erased::decode(bytes), Erased::encode);
    exact(bytes, Hold::decode(bytes), Hold::encode);
}

fn context() -> SealContext {
    SealContext { federation: FederationId(Digest([9; 32])), record: RecordId::new(LogId::first(member("GE")), 1) }
}

/// A sealed body.
pub fn body(bytes: &[u8]) {
    let Some(body) = exact(bytes, SealedBody::decode(bytes), SealedBody::encode) else { return };
    let size: usize = body.compartments.iter().map(Vec::len).sum();
    assert_eq!(size, 512 << body.size_class);
    match body.open(&context(), &LANE) {
        Ok(opened) => opened.iter().for_each(silent),
        Err(error) => discreet(&error),
    }
}

/// Heads of bodies and of lanes.
pub fn head(bytes: &[u8]) {
    if let Some(head) = exact(bytes, BodyHead::decode(bytes), BodyHead::encode) {
        assert!(!head.compartments().is_empty());
        tried(head.size_class());
    }
    exact(bytes, LanesHead::decode(bytes), LanesHead::encode);
}

/// A compartment as it is sealed.
pub fn compartment(bytes: &[u8]) {
    exact(bytes, probe::recode_compartment(bytes), Clone::clone);
}

/// What is inside a compartment, once it is decrypted.
pub fn fields(bytes: &[u8]) {
    match probe::read_plaintext(bytes) {
        Ok((opened, again)) => {
            silent(&opened);
            let (same, _) = probe::read_plaintext(&again).expect("what was written without padding is read");
            assert!(same == opened, "fields are written in one way");
            for field in opened.fields().iter().take(4) {
                let proof = opened.field_proof(&field.name).expect("the field is there");
                assert_eq!(proof.verify(&opened.root()), Ok(()));
                assert!(FieldProof::decode(&proof.encode()) == Ok(proof));
            }
            let record = PartialRecord::from_content(&contents(opened.compartment(), opened.content()));
            silent(&record);
        }
        Err(error) => discreet(&error),
    }
}

/// The keys in a grant, once they are decrypted.
pub fn grant(bytes: &[u8]) {
    let Ok((opened, _)) = probe::read_plaintext(bytes) else { return };
    match Grant::from_opened(&opened) {
        Ok(grant) => {
            silent(&grant);
            assert_eq!(grant.len(), opened.fields().len());
            assert!(grant.fields() == opened.content(), "a grant is written in one way");
        }
        Err(error) => discreet(&error),
    }
}

fn contents(name: &str, fields: std::collections::BTreeMap<String, Value>) -> Content {
    name.parse::<Compartment>().map(|name| [(name, fields)].into()).unwrap_or_default()
}

/// One field with its proof.
pub fn field_proof(bytes: &[u8]) {
    match FieldProof::decode(bytes) {
        Ok(proof) => {
            assert_eq!(proof.encode(), bytes);
            silent(&proof);
            tried(proof.verify(&Digest::ZERO));
            let value = Value::from(CANARY);
            let other = FieldProof { field: Field { value, ..proof.field.clone() }, ..proof.clone() };
            assert_eq!(format!("{proof:?}"), format!("{other:?}"), "a value is shown");
        }
        Err(error) => discreet(&error),
    }
}

/// All slots of an epoch.
pub fn lanes(bytes: &[u8]) {
    let Some(lanes) = exact(bytes, LanesBody::decode(bytes), LanesBody::encode) else { return };
    let proof = lanes.slot(member("TR"));
    if let Some(proof) = proof {
        assert_eq!(proof.verify(&lanes.head().digest()), Ok(()));
        assert_eq!(SlotProof::decode(&proof.encode()), Ok(proof));
    }
}

/// One slot with its proof.
pub fn slot(bytes: &[u8]) {
    if let Some(proof) = exact(bytes, SlotProof::decode(bytes), SlotProof::encode) {
        tried(proof.verify(&proof.head.digest()));
    }
}

/// A charter: what it says, and signed.
pub fn charter(bytes: &[u8]) {
    exact(bytes, Charter::decode(bytes), Charter::encode);
    exact(bytes, SignedCharter::decode(bytes), SignedCharter::encode);
}

/// A manifest: what it says, and signed.
pub fn manifest(bytes: &[u8]) {
    exact(bytes, Manifest::decode(bytes), Manifest::encode);
    exact(bytes, SignedManifest::decode(bytes), SignedManifest::encode);
}

/// The charter file.
pub fn published(bytes: &[u8]) {
    let again = |published: &Published| published.encode().expect("what was read fits");
    if let Some(published) = exact(bytes, Published::decode(bytes), again) {
        match published.verify() {
            Ok(federation) => assert_eq!(federation.published().encode().as_deref(), Ok(bytes)),
            Err(error) => told(&error),
        }
    }
}

/// What a member brings to be admitted.
pub fn application(bytes: &[u8]) {
    let again = |application: &Application| application.encode().expect("what was read is written");
    exact(bytes, Application::decode(bytes), again);
}

/// Gossip.
pub fn gossip(bytes: &[u8]) {
    match exact(bytes, Gossip::decode(bytes), Gossip::encode) {
        Some(Gossip::Cosigned { changed, .. }) => assert!(Frontier::is_ordered(&changed)),
        Some(Gossip::News { .. } | Gossip::Fork(_)) | None => {}
    }
}

/// Questions.
pub fn request(bytes: &[u8]) {
    if let Some(request) = exact(bytes, Request::decode(bytes), Request::encode) {
        tried(subject(&request));
    }
}

/// Answers.
pub fn response(bytes: &[u8]) {
    exact(bytes, Response::decode(bytes), Response::encode);
}

/// Names, times and identifiers in text.
pub fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    one_way::<MemberCode>(text);
    one_way::<LogId>(text);
    one_way::<RecordId>(text);
    // Read with any offset, written in UTC.
    if let Ok(time) = text.parse::<UnixTime>() {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
    one_way::<Date>(text);
    one_way::<Compartment>(text);
    tried(text.parse::<Country>());
    tried(text.parse::<Ucr>());
    tried(text.parse::<Mrn>());
    tried(text.parse::<shieldwall::record::Container>());
    tried(text.parse::<shieldwall::record::Cas>());
    tried(text.parse::<shieldwall::record::UnNumber>());
    tried(text.parse::<shieldwall::record::Hs6>());
    tried(text.parse::<shieldwall::record::ImoNumber>());
    tried(text.parse::<shieldwall::record::Unlocode>());
    tried(shieldwall::record::Hs6::of_national(text));
    tried(text.parse::<Digest>());
    if let Ok(decimal) = text.parse::<shieldwall::record::Decimal>() {
        for places in 0..12 {
            tried(decimal.scaled(places));
        }
        let again = decimal.to_string().parse::<shieldwall::record::Decimal>();
        assert_eq!(again.map(|again| again.scaled(9)), Ok(decimal.scaled(9)), "a number is another when written");
    }
}

/// A name that is read is written in one way.
fn one_way<T: std::str::FromStr + std::fmt::Display>(text: &str) {
    if let Ok(name) = text.parse::<T>() {
        assert_eq!(name.to_string(), text);
    }
}

/// The content of a record as its readers see it: compartments and fields in CBOR.
pub fn content(bytes: &[u8]) {
    let Ok(Value::Map(compartments)) = cbor::decode(bytes) else { return };
    let mut content = Content::new();
    for (name, fields) in compartments.iter() {
        let (Some(Ok(name)), Some(fields)) = (name.as_text().map(str::parse::<Compartment>), fields.as_map()) else {
            return;
        };
        let fields = fields.iter().filter_map(|(name, value)| Some((name.as_text()?.to_owned(), value.clone())));
        content.insert(name, fields.collect());
    }
    let partial = PartialRecord::from_content(&content);
    silent(&partial);
    assert_eq!(partial.content(), &content, "what is not known is kept");
    tried(partial.to_json());
    match Record::from_content(&content) {
        Ok(record) => {
            silent(&record);
            tried(record.readers(member("GE"), [member("TR")]));
            tried(record.transit());
            tried(record.to_json());
            let id = RecordId::new(LogId::first(member("GE")), 1);
            silent(&shieldwall::watch::consignments([(id, PartialRecord::from(&record))]).len());
        }
        Err(error) => discreet(&error),
    }
}
