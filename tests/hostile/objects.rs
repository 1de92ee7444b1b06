//! Hostile objects: what members sign, seal and publish.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use shieldwall::encoding::cbor::{self, Map, Value};
use shieldwall::encoding::cose::{Sign, Sign1, label};
use shieldwall::encoding::hash::Digest;
use shieldwall::encoding::ids::{FederationId, LogId};
use shieldwall::encoding::merkle;
use shieldwall::evidence::{Bundle, ExportOptions, export};
use shieldwall::identity::{Application, MemberKind, SignedManifest};
use shieldwall::ledger::{Claim, ForkProof, Receipt, Root, SignedRoot};
use shieldwall::seal::probe;

use super::bytes::{entries, faults, map_of};
use super::judge::{WORLD, log_root};
use super::signed::{BAD_POINTS, Wrong, header_bytes, labels, signatures};
use super::{Case, case, repeated};
use crate::evidence_fixture as world;

type Kind = (&'static str, Vec<Case>);

static FOLDER: LazyLock<(Bundle, Vec<u8>)> = LazyLock::new(|| {
    let options = ExportOptions { redact: ["trade/ucr".to_owned()].into(), disclose_keys: true };
    let bundle = export(&WORLD.material(1), &options).unwrap();
    (bundle, WORLD.federation.published().encode().unwrap())
});

/// The good evidence folder, and the charter file that its verifier trusts.
pub(super) fn folder() -> (Bundle, Vec<u8>) {
    FOLDER.clone()
}

fn log() -> LogId {
    "GE".parse().unwrap()
}

fn root(claim: Claim, root: Digest, by: &str, purpose: &str, federation: FederationId) -> SignedRoot {
    let key = world::key(by, purpose);
    let issued_at = "2026-12-01T00:00:00Z".parse().unwrap();
    let root = Root { claim, root, by: world::code(by), kid: key.public().kid(), issued_at, federation };
    root.signed(key.sign(&root.to_be_signed()))
}

fn checkpoint() -> SignedRoot {
    root(
        Claim::Checkpoint { log: log(), size: 7, commitments: [5; 32] },
        log_root(7),
        "GE",
        "log",
        WORLD.federation.id(),
    )
}

fn cosignature() -> SignedRoot {
    root(Claim::Cosignature { log: log(), size: 7 }, log_root(7), "TR", "witness", WORLD.federation.id())
}

fn frontier() -> SignedRoot {
    root(Claim::Frontier { logs: 5 }, Digest([3; 32]), "TR", "witness", WORLD.federation.id())
}

fn path(index: u64, size: usize) -> Vec<Digest> {
    let hashes: Vec<Digest> = WORLD.leaves[..size].iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    merkle::inclusion_proof(&hashes, index)
}

fn receipt() -> Receipt {
    Receipt::new(&cosignature(), 7, 1, path(1, 7))
}

fn fork() -> ForkProof {
    let other = root(
        Claim::Checkpoint { log: log(), size: 7, commitments: [5; 32] },
        Digest([8; 32]),
        "GE",
        "log",
        WORLD.federation.id(),
    );
    ForkProof { lesser: checkpoint(), greater: other, path: Vec::new() }
}

fn plaintext() -> Vec<u8> {
    let fields: BTreeMap<String, Value> =
        [("end_use".to_owned(), Value::from("blasting")), ("ucr".to_owned(), Value::from("5GE12345678-1"))].into();
    probe::plaintext("trade", &fields, (2, 3)).unwrap()
}

/// What a grant gives of GE-1: a ticket, and the keys of two compartments.
fn granted() -> Value {
    let key = |number: u8| Value::from(vec![Value::from([number; 16]), Value::from([9; 32])]);
    Value::from(vec![Value::from([3; 32]), Value::from(vec![key(1), key(2)])])
}

fn grant_of(compartment: &str, fields: &[(&str, Value)]) -> Vec<u8> {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    probe::plaintext(compartment, &fields, (2, 3)).unwrap()
}

fn field_proof() -> Vec<u8> {
    let material = WORLD.material(1);
    let opened = material.opened.iter().find(|opened| opened.content.compartment() == "trade").unwrap();
    opened.content.field_proof("ucr").unwrap().encode()
}

fn manifest() -> SignedManifest {
    world::sign_manifest(world::manifest("GE"), FederationId::NONE)
}

fn application() -> Vec<u8> {
    let (key, next) = (world::key("GE", "root").public(), world::key("GE", "next").public().digest());
    Application::new(manifest(), "Georgia".to_owned(), MemberKind::Country, key, next).unwrap().encode().unwrap()
}

/// One good object of each kind.
pub(super) fn good() -> Vec<(&'static str, Vec<u8>)> {
    let published = WORLD.federation.published();
    vec![
        ("statement", WORLD.leaves[1].clone()),
        ("checkpoint", checkpoint().encode()),
        ("cosignature", cosignature().encode()),
        ("frontier", frontier().encode()),
        ("receipt", receipt().encode()),
        ("fork", fork().encode()),
        ("body", WORLD.body.encode()),
        ("compartment", WORLD.body.compartments[0].clone()),
        ("fields", plaintext()),
        ("field-proof", field_proof()),
        ("grant", grant_of("keys", &[("GE-1", granted())])),
        ("lanes", WORLD.lanes.encode()),
        ("slot", WORLD.lanes.slot(world::code("TR")).unwrap().encode()),
        ("charter", published.charters[0].encode()),
        ("manifest", manifest().encode()),
        ("published", published.encode().unwrap()),
        ("application", application()),
        ("key", world::key("GE", "root").public().as_bytes().to_vec()),
        ("evidence", Vec::new()),
    ]
}

/// All cases: the faults of form of every kind, then what only this kind can get wrong.
pub(super) fn cases() -> Vec<Kind> {
    let no_form = ["key", "evidence", "grant"];
    let mut all: Vec<Kind> = good()
        .into_iter()
        .filter(|(kind, _)| !no_form.contains(kind))
        .map(|(kind, bytes)| (kind, shortened(kind, faults(&bytes))))
        .collect();
    for (kind, cases) in &mut all {
        // The value of a field may be tagged: what fields mean is not decided where they are sealed.
        cases.retain(|fault| *kind != "fields" || fault.rule != "a tag around a field");
    }
    all.extend([
        ("statement", statements()),
        ("checkpoint", roots(&checkpoint(), "GE", "log", &checkpoint_labels())),
        ("cosignature", roots(&cosignature(), "TR", "witness", &cosignature_labels())),
        (
            "frontier",
            roots(&frontier(), "TR", "witness", &[("a negative number of logs", label::FRONTIER, Value::from(-1))]),
        ),
        ("checkpoint", elsewhere()),
        ("receipt", receipts()),
        ("fork", forks()),
        ("body", bodies()),
        ("fields", plaintexts()),
        ("field-proof", field_proofs()),
        ("grant", grants()),
        ("charter", charters()),
        ("manifest", manifests()),
        ("key", keys()),
        ("evidence", evidence()),
    ]);
    all
}

/// Long objects are worth their bytes a few times only: the faults of their form are those of all others.
fn shortened(kind: &str, faults: Vec<Case>) -> Vec<Case> {
    let most = if ["body", "lanes", "slot", "published", "manifest"].contains(&kind) { 14 } else { usize::MAX };
    let step = faults.len().div_ceil(most.min(faults.len()));
    faults.into_iter().step_by(step.max(1)).collect()
}

fn statements() -> Vec<Case> {
    let key = world::key("GE", "log");
    let object = Sign1::decode(&WORLD.leaves[1]).unwrap();
    let tag = |bytes: &[u8]| Value::from(bytes);
    let tags = |tags: Vec<Value>| Value::from(tags);
    let wrong: [Wrong; 19] = [
        ("another log", label::LOG, Value::from("LB")),
        ("a second log by number 1", label::LOG, Value::from("GE.1")),
        ("a log with a leading zero", label::LOG, Value::from("GE.02")),
        ("a log by number 1000", label::LOG, Value::from("GE.1000")),
        ("another position", label::POSITION, Value::from(2)),
        ("a negative position", label::POSITION, Value::from(-1)),
        ("position 2^64-1", label::POSITION, Value::from(u64::MAX)),
        ("lanes at its own position", label::LANES, Value::from(1)),
        ("lanes behind it", label::LANES, Value::from(9)),
        ("tags out of order", label::TAGS, tags(vec![tag(&[2; 16]), tag(&[1; 16])])),
        ("a tag twice", label::TAGS, tags(vec![tag(&[1; 16]), tag(&[1; 16])])),
        ("a tag of 15 bytes", label::TAGS, tags(vec![tag(&[1; 15])])),
        ("a tag of 17 bytes", label::TAGS, tags(vec![tag(&[1; 17])])),
        ("a tag that is text", label::TAGS, tags(vec![Value::from("tag")])),
        ("size class 256", label::SIZE_CLASS, Value::from(256)),
        ("a negative size class", label::SIZE_CLASS, Value::from(-1)),
        ("hashed with SHA-512", label::PAYLOAD_HASH_ALG, Value::from(-44)),
        ("binding something unknown", label::PREIMAGE_CONTENT_TYPE, Value::from("application/json")),
        (
            "binding lanes, but with a record's lanes",
            label::PREIMAGE_CONTENT_TYPE,
            Value::from(shieldwall::seal::LANES_HEAD_TYPE),
        ),
    ];
    let mut cases = labels(&object, &[], &key, &wrong, |object| object.encode());
    cases.extend(signatures(&object, &[], |object| object.encode()));
    cases.extend(header_bytes(&cbor::decode(&WORLD.leaves[1]).unwrap(), 0));
    for (rule, payload) in [("31 bytes", vec![1; 31]), ("33 bytes", vec![1; 33]), ("no byte", vec![])] {
        let other = Sign1 { payload: Some(payload.clone()), ..object.clone() };
        let signature = key.sign(&Sign1::to_be_signed(&object.protected, &payload));
        cases.push(case(format!("a payload of {rule}"), Sign1 { signature, ..other }.encode()));
    }
    let other = Sign1 { payload: Some(vec![1; 32]), ..object.clone() };
    cases.push(case("another payload under the signature", other.encode()));
    cases.push(case("the statement before", &WORLD.leaves[0]));
    cases.push(case("the statement behind", &WORLD.leaves[2]));
    cases.push(case("a checkpoint in its place", checkpoint().object().encode()));
    let dated = |seconds: i64| {
        let claims = object.protected.get(&Value::from(label::CWT_CLAIMS)).and_then(Value::as_map).unwrap();
        let protected = object.protected.clone().with(label::CWT_CLAIMS, claims.clone().with(6, seconds));
        super::signed::sign(&object, protected, &[], &key).encode()
    };
    cases.push(case("dated before the statement ahead", dated(1_795_000_099)));
    cases.push(case("dated 1970", dated(0)));
    let mut many = object.protected.clone();
    many.insert(
        label::TAGS,
        (0..1200_u16).map(|n| [&n.to_be_bytes()[..], &[0; 14]].concat().into()).collect::<Vec<Value>>(),
    );
    let bytes = super::signed::sign(&object, many, &[], &key).encode();
    // Twelve hundred tags are twenty kilobytes: what is refused is the length, so zeros do as well.
    cases.push(repeated("longer than a statement may be", &[(&bytes[..64], 1), (&[0], bytes.len() - 64)]));
    cases
}

fn checkpoint_labels() -> Vec<Wrong> {
    let mut wrong = cosignature_labels();
    wrong.push(("commitments of 31 bytes", label::COMMITMENTS, Value::from(vec![1; 31])));
    wrong.push(("commitments of 33 bytes", label::COMMITMENTS, Value::from(vec![1; 33])));
    wrong
}

fn cosignature_labels() -> Vec<Wrong> {
    vec![
        ("another tree", label::VDS, Value::from(2)),
        ("another log than its subject", label::LOG, Value::from("LB")),
        ("no log id", label::LOG, Value::from("ge")),
        ("a negative size", label::SIZE, Value::from(-1)),
        ("a size that is text", label::SIZE, Value::from("7")),
    ]
}

fn wrapped(root: Digest) -> impl Fn(Sign1) -> Vec<u8> {
    move |object| cbor::encode(&Value::from(vec![object.to_value(), Value::from(root)]))
}

fn roots(signed: &SignedRoot, by: &str, purpose: &str, wrong: &[Wrong]) -> Vec<Case> {
    let (object, over, key) = (signed.object(), signed.root().0, world::key(by, purpose));
    let mut cases = labels(object, &over, &key, wrong, wrapped(signed.root()));
    cases.extend(signatures(object, &over, wrapped(signed.root())));
    cases.push(case("another root under the signature", wrapped(Digest([1; 32]))(object.clone())));
    cases.extend(header_bytes(&object.to_value(), 0).into_iter().map(|fault| {
        let bytes = fault.input.whole();
        // The envelope within the pair of envelope and root.
        let pair = [&[0x82][..], &bytes, &cbor::encode(&Value::from(signed.root()))].concat();
        case(fault.rule, pair)
    }));
    let value = cbor::decode(&signed.encode()).unwrap();
    let parts = value.as_array().unwrap();
    for (rule, made) in [
        ("without a root", vec![parts[0].clone()]),
        ("with two roots", vec![parts[0].clone(), parts[1].clone(), parts[1].clone()]),
        ("a root of 31 bytes", vec![parts[0].clone(), Value::from(vec![1; 31])]),
        ("root and envelope exchanged", vec![parts[1].clone(), parts[0].clone()]),
    ] {
        cases.push(case(rule, cbor::encode(&Value::from(made))));
    }
    cases
}

/// Signed well, but by or for somebody else.
fn elsewhere() -> Vec<Case> {
    let (id, other) = (WORLD.federation.id(), FederationId(Digest([7; 32])));
    let claim = |log: &str| Claim::Checkpoint { log: log.parse().unwrap(), size: 7, commitments: [5; 32] };
    let at = log_root(7);
    vec![
        case("of another federation", root(claim("GE"), at, "GE", "log", other).encode()),
        case("of a log that is not known", root(claim("GE.2"), at, "GE", "log", id).encode()),
        case("of a member that is not known", root(claim("FR"), at, "FR", "log", id).encode()),
        case("signed with the witness key", root(claim("GE"), at, "GE", "witness", id).encode()),
        case("signed with the root key", root(claim("GE"), at, "GE", "root", id).encode()),
        case("a log of Lebanon signed by Georgia", root(claim("LB"), at, "GE", "log", id).encode()),
        case("a cosignature in its place", cosignature().encode()),
        case("a frontier in its place", frontier().encode()),
    ]
}

fn receipts() -> Vec<Case> {
    let of = |size, index, path| Receipt::new(&cosignature(), size, index, path).encode();
    let good = path(1, 7);
    let reversed: Vec<Digest> = good.iter().rev().copied().collect();
    let longer = [good.as_slice(), &[Digest::ZERO]].concat();
    let mut cases = vec![
        case("of another size than the signed one", of(5, 1, path(1, 5))),
        case("of a greater size", of(8, 1, good.clone())),
        case("of size 0", of(0, 0, Vec::new())),
        case("of size 2^64-1", of(u64::MAX, 1, vec![Digest::ZERO; 64])),
        case("of another index", of(7, 2, path(2, 7))),
        case("index at the size", of(7, 7, good.clone())),
        case("index 2^64-1", of(7, u64::MAX, good.clone())),
        case("a path cut short", of(7, 1, good[1..].to_vec())),
        case("no path", of(7, 1, Vec::new())),
        case("a path too long", of(7, 1, longer)),
        case("a path in reverse", of(7, 1, reversed)),
        case("a path of zeros", of(7, 1, vec![Digest::ZERO; good.len()])),
        case("a path of 65 hashes", of(7, 1, vec![Digest::ZERO; 65])),
        case("over a frontier", Receipt::new(&frontier(), 7, 1, good).encode()),
    ];
    let object = Sign1::decode(&receipt().encode()).unwrap();
    let proof = |unprotected: Map| Sign1 { unprotected, ..object.clone() }.encode();
    let inclusion = |proofs: Value| proof(Map::new().with(label::VDP, Map::new().with(-1, proofs)));
    cases.extend([
        case("without proofs", proof(Map::new())),
        case("proofs of another type", proof(Map::new().with(label::VDP, 1))),
        case(
            "a consistency proof in its place",
            proof(Map::new().with(label::VDP, Map::new().with(-2, Vec::<Value>::new()))),
        ),
        case("no inclusion proof", inclusion(Value::from(Vec::<Value>::new()))),
        case("two inclusion proofs", inclusion(Value::from(vec![Value::from(vec![0x80]), Value::from(vec![0x80])]))),
        case("a proof that is no CBOR", inclusion(Value::from(vec![Value::from(vec![0xff])]))),
        case("a proof that is text", inclusion(Value::from(vec![Value::from("proof")]))),
        case("a proof of two parts", inclusion(Value::from(vec![Value::from(vec![0x82, 7, 1])]))),
        case(
            "a proof with a hash of 1 byte",
            inclusion(Value::from(vec![Value::from(vec![0x83, 7, 1, 0x81, 0x41, 0])])),
        ),
        case("a proof in wide numbers", inclusion(Value::from(vec![Value::from(vec![0x83, 0x18, 7, 1, 0x80])]))),
        case("another label beside the proofs", proof(object.unprotected.clone().with(1, -8))),
    ]);
    let unsigned = object.unprotected.clone();
    cases.extend(signatures(&object, &log_root(7).0, |signed| {
        Sign1 { unprotected: unsigned.clone(), ..signed }.encode()
    }));
    cases
}

fn forks() -> Vec<Case> {
    let good = fork();
    let of = |lesser: &SignedRoot, greater: &SignedRoot, path: Vec<Digest>| {
        ForkProof { lesser: lesser.clone(), greater: greater.clone(), path }.encode()
    };
    let claim = |size| Claim::Checkpoint { log: log(), size, commitments: [5; 32] };
    let smaller = root(claim(5), log_root(5), "GE", "log", WORLD.federation.id());
    let hashes: Vec<Digest> = WORLD.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    let honest = merkle::consistency_proof(&hashes, 5);
    let foreign = root(claim(7), Digest([8; 32]), "GE", "log", FederationId(Digest([7; 32])));
    vec![
        case("the same checkpoint twice", of(&good.lesser, &good.lesser, Vec::new())),
        case("two sizes of one history", of(&smaller, &good.lesser, honest.clone())),
        case("two sizes without a path", of(&smaller, &good.lesser, Vec::new())),
        case("two sizes with a path of zeros", of(&smaller, &good.lesser, vec![Digest::ZERO; honest.len()])),
        case("two sizes with a path too long", of(&smaller, &good.lesser, vec![Digest::ZERO; 200])),
        case("a path for equal sizes", of(&good.lesser, &good.greater, vec![Digest::ZERO])),
        case("the greater ahead of the lesser", of(&good.lesser, &smaller, honest)),
        case("a cosignature among them", of(&good.lesser, &cosignature(), Vec::new())),
        case("a frontier among them", of(&frontier(), &good.greater, Vec::new())),
        case("one of another federation", of(&good.lesser, &foreign, Vec::new())),
        case("one with a signature of zeros", of(&good.lesser, &forged(&good.greater), Vec::new())),
        case("an accusation that nobody signed", of(&forged(&good.lesser), &forged(&good.greater), Vec::new())),
    ]
}

fn forged(signed: &SignedRoot) -> SignedRoot {
    SignedRoot::new(Sign1 { signature: [0; 64], ..signed.object().clone() }, signed.root())
}

fn bodies() -> Vec<Case> {
    let value = cbor::decode(&WORLD.body.encode()).unwrap();
    let [head, listed] = value.as_array().unwrap() else { panic!("head and compartments") };
    let listed = listed.as_array().unwrap();
    let made = |head: &Value, listed: Vec<Value>| cbor::encode(&Value::from(vec![head.clone(), Value::from(listed)]));
    let mut exchanged = listed.to_vec();
    exchanged.swap(0, 1);
    let mut changed = listed.to_vec();
    let mut bytes = changed[0].as_bytes().unwrap().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    changed[0] = Value::from(bytes);
    vec![
        case("a compartment missing", made(head, listed[1..].to_vec())),
        case("compartments exchanged", made(head, exchanged)),
        case("a compartment changed", made(head, changed)),
        case("a compartment that is text", made(head, vec![Value::from("x"); listed.len()])),
        case("without a head", made(&Value::Null, listed.to_vec())),
    ]
}

fn plaintexts() -> Vec<Case> {
    let map = map_of(&plaintext());
    let encoded = |map: Map| cbor::encode(&Value::Map(map));
    let mut cases: Vec<Case> = entries(&map).into_iter().map(|(rule, map)| case(rule, encoded(map))).collect();
    let field = |name: &str, value: Value| Value::from(vec![Value::from([1; 16]), Value::from(name), value]);
    let with = |fields: Vec<Value>| encoded(map.clone().with(2, fields));
    let deep = (0..20).fold(Value::Null, |inner, _| Value::from(vec![inner]));
    cases.extend([
        case("no fields", with(Vec::new())),
        case("fields out of order", with(vec![field("b", Value::Null), field("a", Value::Null)])),
        case("a field twice", with(vec![field("a", Value::Null), field("a", Value::Null)])),
        case("a field without a name", with(vec![field("", Value::Null)])),
        case("a name with a slash", with(vec![field("a/b", Value::Null)])),
        case("a name with a space", with(vec![field("a b", Value::Null)])),
        case("a name that is not ASCII", with(vec![field("é", Value::Null)])),
        case("a name of 65 bytes", with(vec![field(&"a".repeat(65), Value::Null)])),
        case("a value nested too deep", with(vec![field("a", deep)])),
        case(
            "a salt of 15 bytes",
            with(vec![Value::from(vec![Value::from(vec![1; 15]), Value::from("a"), Value::Null])]),
        ),
        case("a field of two parts", with(vec![Value::from(vec![Value::from([1; 16]), Value::from("a")])])),
        case("a compartment without a name", encoded(map.clone().with(1, ""))),
        case("a compartment of 65 bytes", encoded(map.clone().with(1, "a".repeat(65)))),
        case("a compartment with a slash", encoded(map.clone().with(1, "a/b"))),
        case(
            "padding that is not zero",
            encoded(map.clone().with(3, vec![Value::from(vec![0]), Value::from(vec![1])])),
        ),
        case("padding of one part", encoded(map.clone().with(3, vec![Value::from(vec![0])]))),
        case("padding of three parts", encoded(map.clone().with(3, vec![Value::from(vec![0]); 3]))),
        case("padding that is text", encoded(map.with(3, vec![Value::from(""); 2]))),
    ]);
    cases
}

fn grants() -> Vec<Case> {
    let bytes = |length: usize| Value::from(vec![3_u8; length]);
    let list = |items: Vec<Value>| Value::Array(items);
    let key = |label: Value, key: Value| list(vec![label, key]);
    let good = || key(bytes(16), bytes(32));
    let numbered = |number: u8| key(Value::from([number; 16]), bytes(32));
    let values = [
        ("nothing of a record", Value::Null),
        ("a record without a list", list(vec![bytes(32)])),
        ("a record of three parts", list(vec![bytes(32), list(vec![good()]), Value::Null])),
        ("a ticket of 31 bytes", list(vec![bytes(31), list(vec![good()])])),
        ("a ticket that is text", list(vec![Value::from("3".repeat(32)), list(vec![good()])])),
        ("a record without a key", list(vec![bytes(32), list(Vec::new())])),
        ("seventeen keys", list(vec![bytes(32), list((0..17).map(numbered).collect())])),
        ("keys out of order", list(vec![bytes(32), list(vec![numbered(2), numbered(1)])])),
        ("a key twice", list(vec![bytes(32), list(vec![numbered(1), numbered(1)])])),
        ("a label of 15 bytes", list(vec![bytes(32), list(vec![key(bytes(15), bytes(32))])])),
        ("a key of 33 bytes", list(vec![bytes(32), list(vec![key(bytes(16), bytes(33))])])),
        ("a key without a label", list(vec![bytes(32), list(vec![list(vec![bytes(32)])])])),
        ("a key of three parts", list(vec![bytes(32), list(vec![list(vec![bytes(16), bytes(32), Value::Null])])])),
        ("keys by name", list(vec![bytes(32), Value::Map(Map::new().with(1, bytes(32)))])),
    ];
    let mut cases: Vec<Case> =
        values.into_iter().map(|(rule, value)| case(rule, grant_of("keys", &[("GE-1", value)]))).collect();
    for (rule, name) in [
        ("a grant of no record", "kind"),
        ("a record with leading zeros", "GE-01"),
        ("a first log with an ordinal", "GE.1-1"),
        ("a record of no log", "ge-1"),
    ] {
        cases.push(case(rule, grant_of("keys", &[("GE-1", granted()), (name, granted())])));
    }
    cases.push(case("keys in another compartment", grant_of("trade", &[("GE-1", granted())])));
    cases
}

fn field_proofs() -> Vec<Case> {
    let map = map_of(&field_proof());
    let encoded = |map: Map| cbor::encode(&Value::Map(map));
    let mut cases: Vec<Case> = entries(&map).into_iter().map(|(rule, map)| case(rule, encoded(map))).collect();
    for (rule, key, value) in [
        ("another value", 4, Value::from("5GE12345678-2")),
        ("another name", 3, Value::from("end_use")),
        ("another compartment", 1, Value::from("parties")),
        ("another salt", 2, Value::from([0; 16])),
        ("another index", 5, Value::from(0)),
        ("an index at the size", 5, Value::from(2)),
        ("an index of 2^64-1", 5, Value::from(u64::MAX)),
        ("another size", 6, Value::from(3)),
        ("a size of 0", 6, Value::from(0)),
        ("a size of 2^64-1", 6, Value::from(u64::MAX)),
        ("no path", 7, Value::from(Vec::<Value>::new())),
        ("a path of 65 hashes", 7, Value::from(vec![Value::from([0; 32]); 65])),
        ("a hash of 31 bytes", 7, Value::from(vec![Value::from(vec![0; 31])])),
        ("a name without a letter", 3, Value::from("")),
    ] {
        cases.push(case(rule, encoded(map.clone().with(key, value))));
    }
    cases
}

/// Another payload or header, signed again by all who signed.
fn charter_with(payload: Vec<u8>, protected: impl Fn(Map) -> Map) -> Vec<u8> {
    let mut sign = Sign::decode(&WORLD.federation.published().charters[0].encode()).unwrap();
    sign.payload = payload;
    sign.protected = protected(sign.protected);
    for (entry, signer) in sign.signatures.iter_mut().zip(["GE", "LB", "MZ", "TR"]) {
        let message = Sign::to_be_signed(&sign.protected, &entry.protected, &sign.payload);
        entry.signature = world::key(signer, "root").sign(&message);
    }
    sign.encode()
}

fn charters() -> Vec<Case> {
    let sign = Sign::decode(&WORLD.federation.published().charters[0].encode()).unwrap();
    let payload = map_of(&sign.payload);
    let encoded = |map: Map| cbor::encode(&Value::Map(map));
    let same = |map: Map| map;
    let mut cases: Vec<Case> = entries(&payload)
        .into_iter()
        .map(|(rule, map)| case(format!("payload: {rule}"), charter_with(encoded(map), same)))
        .collect();
    let (members_key, members) = payload
        .iter()
        .find(|(_, value)| value.as_map().is_some_and(|map| map.get(&Value::from("GE")).is_some()))
        .unwrap();
    let with_members = |members: Map| charter_with(encoded(payload.clone().with(members_key.clone(), members)), same);
    let members = members.as_map().unwrap();
    let georgia = members.get(&Value::from("GE")).unwrap().as_map().unwrap();
    for (rule, map) in entries(georgia) {
        cases.push(case(format!("member: {rule}"), with_members(members.clone().with("GE", map))));
    }
    for (rule, code) in [("in small letters", "fr"), ("of three letters", "FRA"), ("that begins with a digit", "1F")] {
        cases.push(case(format!("a member code {rule}"), with_members(members.clone().with(code, georgia.clone()))));
    }
    cases.push(case("one root for two members", with_members(members.clone().with("FR", georgia.clone()))));
    cases.push(case("no members", with_members(Map::new())));
    let (root_key, _) = georgia
        .iter()
        .find(|(_, value)| value.as_bytes() == Some(world::key("GE", "root").public().as_bytes()))
        .unwrap();
    for (rule, point) in BAD_POINTS {
        let point = data_encoding::HEXLOWER.decode(point.as_bytes()).unwrap();
        let georgia = georgia.clone().with(root_key.clone(), point);
        cases.push(case(format!("a root key that is {rule}"), with_members(members.clone().with("GE", georgia))));
    }
    let resigned = |protected: Map| charter_with(sign.payload.clone(), |_| protected.clone());
    for (rule, map) in entries(&sign.protected) {
        cases.push(case(format!("label {rule}"), resigned(map)));
    }
    let part = |count: usize| Sign { signatures: sign.signatures[..count].to_vec(), ..sign.clone() }.encode();
    cases.extend([
        case("without signatures", part(0)),
        case("one signature of four countries", part(1)),
        case("two signatures of four countries", part(2)),
        case("a signer twice", Sign { signatures: vec![sign.signatures[0].clone(); 4], ..sign.clone() }.encode()),
    ]);
    let mut exchanged = sign.clone();
    exchanged.signatures.swap(0, 1);
    cases.push(case("signers out of order", exchanged.encode()));
    let mut forged = sign.clone();
    forged.signatures[2].signature = [0; 64];
    cases.push(case("a signature of zeros", forged.encode()));
    let mut taken = sign.clone();
    taken.signatures[2].signature = sign.signatures[1].signature;
    cases.push(case("another's signature", taken.encode()));
    let mut moved = sign;
    moved.unprotected = Map::new().with(1, 1);
    cases.push(case("an unprotected label", moved.encode()));
    cases
}

fn manifests() -> Vec<Case> {
    let key = world::key("GE", "root");
    let object = Sign1::decode(&manifest().encode()).unwrap();
    let payload = map_of(object.payload.as_ref().unwrap());
    let with = |map: Map| {
        let payload = cbor::encode(&Value::Map(map));
        let signature = key.sign(&Sign1::to_be_signed(&object.protected, &payload));
        Sign1 { payload: Some(payload), signature, ..object.clone() }.encode()
    };
    let mut cases: Vec<Case> =
        entries(&payload).into_iter().map(|(rule, map)| case(format!("payload: {rule}"), with(map))).collect();
    let witness = world::key("GE", "witness").public();
    let (witness_key, _) = payload.iter().find(|(_, value)| value.as_bytes() == Some(witness.as_bytes())).unwrap();
    for (rule, point) in BAD_POINTS {
        let point = data_encoding::HEXLOWER.decode(point.as_bytes()).unwrap();
        cases.push(case(
            format!("a witness key that is {rule}"),
            with(payload.clone().with(witness_key.clone(), point)),
        ));
    }
    let log = world::key("GE", "log").public();
    cases.push(case("one key for log and witness", with(payload.clone().with(witness_key.clone(), *log.as_bytes()))));
    // A first manifest is made before there is a federation, and names none.
    let faulty = labels(&object, &[], &key, &[], |object| object.encode()).into_iter();
    cases.extend(faulty.filter(|fault| fault.rule != "no federation"));
    cases.extend(signatures(&object, &[], |object| object.encode()));
    cases.push(case(
        "the manifest of Lebanon",
        world::sign_manifest(world::manifest("LB"), FederationId::NONE).encode(),
    ));
    cases
}

fn keys() -> Vec<Case> {
    let mut cases: Vec<Case> = BAD_POINTS
        .iter()
        .map(|(rule, point)| case(*rule, data_encoding::HEXLOWER.decode(point.as_bytes()).unwrap()))
        .collect();
    cases.push(case("31 bytes", [1; 31]));
    cases.push(case("33 bytes", [1; 33]));
    cases.push(case("no byte", []));
    cases
}

/// Edits of a folder: each of its files changed, and removed where another depends on it; files that are none of a folder's.
fn evidence() -> Vec<Case> {
    let (bundle, _) = folder();
    let edit = |path: &str, bytes: &[u8]| [path.as_bytes(), b"\n", bytes].concat();
    let mut cases = Vec::new();
    for (path, bytes) in &bundle {
        // The readme is long and derived; its beginning is enough.
        let bytes = if path == "README.md" { &bytes[..200] } else { bytes.as_slice() };
        let mut changed = bytes.to_vec();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        cases.push(case(format!("{path} with a bit flipped"), edit(path, &changed)));
        cases.push(case(format!("{path} emptied"), edit(path, b"")));
    }
    for path in
        ["statement.cose", "charter.cose", "receipts/GE.cose", "leaf.hex", "transparent.cose", "body.json", "head.cbor"]
    {
        cases.push(case(format!("{path} removed"), edit(path, b"removed")));
    }
    for path in [
        "notes.txt",
        "../statement.cose",
        "/etc/passwd",
        "receipts/ge.cose",
        "receipts/GE.cose.bak",
        "receipts/FR.cose",
        "keys/FR.pem",
        "fields/00.cbor",
        "compartments/../statement.cose",
        "C:\\statement.cose",
        "statement.cose ",
        "STATEMENT.COSE",
        "",
        "receipts//GE.cose",
    ] {
        cases.push(case(format!("a file by the name {path:?}"), edit(path, b"x")));
    }
    cases.push(case("the statement of another record", edit("statement.cose", &WORLD.leaves[2])));
    cases.push(case("another's receipt", edit("receipts/TR.cose", &bundle["receipts/W1.cose"])));
    cases
}
