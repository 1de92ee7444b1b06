//! The seeds in `fuzz/seeds/`: real objects, so that the fuzzer begins deep inside.
//!
//! Those that the golden vectors and fixtures give are made again and compared by the test below; `UPDATE_SEEDS=1` writes
//! them. All others, such as inputs that once broke something, stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use shieldwall::encoding::cbor::{self, Map, Value};
use shieldwall::encoding::hash::{Digest, sha256};
use shieldwall::encoding::ids::{LogId, RecordId};
use shieldwall::evidence::{Equivocation, ExportOptions, export};
use shieldwall::identity::{Application, MemberKind, Published, SignedManifest};
use shieldwall::ledger::{Erased, ForkProof, Hold, LaneProof, SignedRoot, Why};
use shieldwall::record::{Context, Draft, Strictness};
use shieldwall::seal::{Blind, LaneOpening, LanePath, LanesBody, probe};

use super::targets::proofs;
use crate::evidence_fixture as world;

type Seeds = BTreeMap<String, Vec<u8>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The seeds of a target that are in the repository, with their names.
pub(super) fn held(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/seeds").join(target);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn the_seeds_are_those_that_the_vectors_give() {
    let update = std::env::var_os("UPDATE_SEEDS").is_some();
    for (name, bytes) in made() {
        let path = root().join("fuzz/seeds").join(&name);
        if update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert!(
            fs::read(&path).is_ok_and(|held| held == bytes),
            "{name} is another: run the tests with UPDATE_SEEDS=1"
        );
    }
}

fn made() -> Seeds {
    let mut seeds = Seeds::new();
    objects(&mut seeds);
    messages(&mut seeds);
    bodies(&mut seeds);
    evidence(&mut seeds);
    machine(&mut seeds);
    text(&mut seeds);
    #[cfg(feature = "node")]
    files(&mut seeds);
    seeds
}

fn lanes_and_notes(seeds: &mut Seeds) {
    let commitments = vector("commitments.json");
    let log: LogId = "GE".parse().unwrap();
    let proof = LaneProof {
        lanes: RecordId::new(log, 0),
        opening: LaneOpening {
            blind: Blind(hex(&commitments["blinds"][0]).try_into().unwrap()),
            count: 4,
            root: Digest([4; 32]),
        },
        checkpoint: SignedRoot::decode(&hex(&vector("ledger.json")["checkpoint_GE"])).unwrap(),
        path: LanePath::from_value(cbor::decode(&hex(&commitments["path_TR"])).unwrap()).unwrap(),
    };
    put(seeds, &["lane_proof"], "one", &proof.encode());
    let order = RecordId::new(log, 7);
    let readers = ["TR", "MZ"].iter().map(|code| code.parse().unwrap()).collect();
    for (name, why) in [("ordered", Why::Ordered(order)), ("own_law", Why::OwnLaw), ("unneeded", Why::Unneeded)] {
        let note = Erased { why, was_reader: true, readers: BTreeSet::clone(&readers) };
        put(seeds, &["note"], name, &note.encode());
    }
    let hold = Hold { is_on: true, reference: "case 12/26".to_owned(), ordered_by: Some(order) };
    put(seeds, &["note"], "hold", &hold.encode());
}

fn put(seeds: &mut Seeds, targets: &[&str], name: &str, bytes: &[u8]) {
    for target in targets {
        seeds.insert(format!("{target}/{name}"), bytes.to_vec());
    }
}

pub(crate) fn vector(file: &str) -> Json {
    let path = root().join("tests/vectors").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn hex(json: &Json) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(json.as_str().unwrap().as_bytes()).unwrap()
}

fn objects(seeds: &mut Seeds) {
    let ledger = vector("ledger.json");
    for (at, statement) in ledger["statements"].as_array().unwrap().iter().enumerate() {
        put(seeds, &["statement"], &format!("{at}"), &hex(statement));
    }
    put(seeds, &["cose", "cbor"], "statement", &hex(&ledger["statements"][0]));
    put(seeds, &["checkpoint"], "owner", &hex(&ledger["checkpoint_GE"]));
    put(seeds, &["cosignature"], "log", &hex(&ledger["cosignature_TR"]));
    put(seeds, &["cosignature"], "frontier", &hex(&ledger["frontier_cosignature_TR"]));
    for (at, receipt) in ledger["receipts_GE_then_TR"].as_array().unwrap().iter().enumerate().step_by(2) {
        put(seeds, &["receipt"], &format!("{at}"), &hex(receipt));
    }
    let identity = vector("identity.json");
    put(seeds, &["charter"], "payload", &hex(&identity["charter_1_payload"]));
    put(seeds, &["charter", "cose"], "first", &hex(&identity["charter_1"]));
    put(seeds, &["charter"], "second", &hex(&identity["charter_2"]));
    for name in ["manifest_GE_1", "manifest_GE_2"] {
        let signed = SignedManifest::decode(&hex(&identity[name])).unwrap();
        put(seeds, &["manifest"], name, &signed.encode());
        put(seeds, &["manifest"], &format!("{name}_payload"), &signed.manifest().encode());
    }
    // Without the keys of X-Wing, which are long and checked early.
    let short = world::sign_manifest(world::manifest("GE"), shieldwall::encoding::ids::FederationId::NONE);
    put(seeds, &["manifest"], "short", &short.encode());
    let published = world::published("Seeds");
    put(seeds, &["published"], "first", &published.encode().unwrap());
    let next = world::next_charter(&published.clone().verify().unwrap(), &["GE", "LB", "TR"]);
    let two = Published { charters: vec![published.charters[0].clone(), next], manifests: BTreeMap::new() };
    put(seeds, &["published"], "two_without_manifests", &two.encode().unwrap());
    let (key, next) = (world::key("GE", "root").public(), world::key("GE", "next").public().digest());
    let application = Application::new(short, "Georgia".to_owned(), MemberKind::Country, key, next).unwrap();
    put(seeds, &["application"], "first", &application.encode().unwrap());
}

fn messages(seeds: &mut Seeds) {
    let messages = vector("messages.json");
    for (list, target) in [("gossip", "gossip"), ("requests", "request"), ("responses", "response")] {
        for (name, bytes) in messages[list].as_object().unwrap() {
            put(seeds, &[target], name, &hex(bytes));
        }
    }
    let fork = hex(&messages["fork_proof"]);
    put(seeds, &["fork"], "equal_sizes", &fork);
    let proof = Equivocation::Log(Box::new(ForkProof::decode(&fork).unwrap()));
    put(seeds, &["equivocation"], "log", &proof.encode());
    let statements = &vector("ledger.json")["statements"];
    let both = Equivocation::Statements([hex(&statements[0]), hex(&statements[1])]);
    put(seeds, &["equivocation"], "statements", &both.encode());
    lanes_and_notes(seeds);
    put(seeds, &["cbor"], "news", &hex(&messages["gossip"]["news"]));
}

fn bodies(seeds: &mut Seeds) {
    let body = vector("body.json");
    let head = hex(&body["head"]);
    let mut listed = Vec::new();
    for compartment in body["compartments"].as_array().unwrap() {
        let name = compartment["name"].as_str().unwrap();
        let sealed = hex(&compartment["cose_encrypt"]);
        put(seeds, &["compartment"], name, &sealed);
        put(seeds, &["field_proof"], name, &hex(&compartment["proof_of_the_first_field"]));
        listed.push(Value::from(sealed));
    }
    let whole = Value::from(vec![cbor::decode(&head).unwrap(), Value::from(listed)]);
    put(seeds, &["body"], "two_compartments", &cbor::encode(&whole));
    put(seeds, &["head"], "body", &head);

    let grant = vector("grant.json");
    put(seeds, &["grant"], "two_records", &hex(&grant["plaintext"]));
    put(
        seeds,
        &["grant", "fields"],
        "no_record",
        &probe::plaintext("keys", &[("GE-1".to_owned(), Value::Null)].into(), (3, 5)).unwrap(),
    );

    let lanes = vector("lanes.json");
    let slots: Vec<Value> =
        lanes["slots"].as_array().unwrap().iter().map(|slot| cbor::decode(&hex(slot)).unwrap()).collect();
    let whole = cbor::encode(&Value::from(vec![Value::from(0), Value::from(slots)]));
    put(seeds, &["head"], "lanes", &hex(&lanes["head"]));
    put(seeds, &["slot"], "TR", &LanesBody::decode(&whole).unwrap().slot("TR".parse().unwrap()).unwrap().encode());
    put(seeds, &["lanes"], "three", &whole);

    for (number, text) in DRAFTS.iter().enumerate() {
        let draft: Draft = serde_json::from_str(text).unwrap();
        let now = "2026-11-18T10:26:40Z".parse().unwrap();
        let context =
            Context { strictness: Strictness::Imported, author: Some(world::code("GE")), now, foreign_exports: true };
        let record = draft.check(&context).unwrap().record;
        let mut whole = Map::new();
        for (name, fields) in record.content() {
            let plain = probe::plaintext(name.as_str(), fields, (3, 5)).unwrap();
            put(seeds, &["fields"], &format!("{number}_{name}"), &plain);
            whole.insert(
                name.as_str(),
                Value::Map(fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect::<Map>()),
            );
        }
        put(seeds, &["content"], &format!("{number}"), &cbor::encode(&Value::Map(whole)));
        put(seeds, &["json"], &format!("{number}"), text.as_bytes());
    }
}

/// Drafts with a word in them that must show nowhere.
const DRAFTS: [&str; 3] = [
    r#"{"kind": "export-notification", "ucr": "3GE204567890-1", "export_country": "GE", "destination": "TR", "mode": 1,
 "exporter": {"name": "QZ7CANARY Nitrogen", "country": "GE"}, "consignee": {"name": "QZ7CANARY Fertiliser", "country": "TR"},
 "goods": [{"line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "description": "QZ7CANARY", "net": {"value": "24.5", "unit": "TNE"}}]}"#,
    r#"{"kind": "acknowledgement", "level": "delivered", "to": ["TR"], "acknowledges": ["TR-4", "TR-5"]}"#,
    r#"{"kind": "departure", "consignment": "GE-1", "answers": "GE-1", "export_country": "GE", "destination": "MZ", "person_details": "QZ7CANARY",
 "goods": [{"line": 1, "substance": "urea", "hs6": "310210", "net_mass_g": 1000}]}"#,
];

fn evidence(seeds: &mut Seeds) {
    let made = world::World::new();
    let options = ExportOptions { redact: ["trade/ucr".to_owned()].into(), disclose_keys: true };
    let bundle = export(&made.material(1), &options).unwrap();
    let trusted = made.federation.published().encode().unwrap();
    put(seeds, &["evidence"], "folder", &proofs::pack(&bundle, &trusted));
    // File, kind of edit, place, length, content.
    put(seeds, &["evidence"], "edit_flip", &[20, 4, 9, 1, 0x40]);
    put(seeds, &["evidence"], "edit_two", &[3, 0x84, 9, 1, 1, 7, 2, 100, 0]);
    put(seeds, &["evidence"], "edit_name", &[1, 6, 0, 8, b'n', b'o', b't', b'e', b's', b'.', b'm', b'd']);
    let digests: Vec<u8> = (0..9_u8).flat_map(|number| sha256(&[number]).0).collect();
    let mut numbers = [0; 24];
    (numbers[7], numbers[15], numbers[23]) = (2, 5, 7);
    put(seeds, &["merkle"], "nine", &[numbers.to_vec(), digests].concat());
    let tree = &vector("merkle.json")["trees"][5];
    let path: Vec<u8> = tree["consistency_with_1_to_size"][2].as_array().unwrap().iter().flat_map(hex).collect();
    put(seeds, &["merkle"], "consistency", &[numbers.to_vec(), vec![0; 32], hex(&tree["root"]), path].concat());
}

/// Programs: what happens, step by step. See `fuzz/src/targets/machine.rs`.
fn machine(seeds: &mut Seeds) {
    let quiet: Vec<u8> = [0].into_iter().chain([8, 2, 0, 7].repeat(12)).collect();
    put(seeds, &["machine"], "quiet", &quiet);
    let busy: Vec<u8> = [0].into_iter().chain([12, 0, 1, 8, 0, 0, 7, 12, 1, 2, 8, 2, 0, 7].repeat(6)).collect();
    put(seeds, &["machine"], "busy", &busy);
    let late: Vec<u8> = [0].into_iter().chain([12, 0, 1, 8, 2, 3, 4, 3, 2, 7, 1, 8, 3].repeat(8)).collect();
    put(seeds, &["machine"], "late_and_twice", &late);
    let changed: Vec<u8> = [0].into_iter().chain([12, 0, 3, 8, 2, 4, 1, 1, 1, 0, 60, 0, 3, 0, 2].repeat(8)).collect();
    put(seeds, &["machine"], "changed", &changed);
    let crashes: Vec<u8> = [0].into_iter().chain([12, 0, 2, 8, 2, 0, 3, 14, 0, 1, 8, 3, 0, 7].repeat(8)).collect();
    put(seeds, &["machine"], "crashes", &crashes);
    let clock: Vec<u8> = [0, 9, 0, 0, 0, 7, 9, 3, 1, 0, 7, 9, 4, 0, 8, 3, 13, 0, 1, 1, 15, 1, 0].to_vec();
    put(seeds, &["machine"], "clock", &clock);
    let request = hex(&vector("messages.json")["requests"]["hello"]);
    let strange = [&[0, 10, 0, 1, 1, u8::try_from(request.len()).unwrap()][..], &request, &[0, 7, 8, 2, 0, 7]].concat();
    put(seeds, &["machine"], "strange", &strange);
}

fn text(seeds: &mut Seeds) {
    let names = [
        "GE",
        "FR.2",
        "GE-1042",
        "2026-11-18T10:26:40Z",
        "2026-11-18",
        "trade",
        "3GE204567890-1",
        "26GE12345678901234",
        "CSQU3054383",
        "6484-52-2",
        "UN1942",
        "310230",
        "3102.30.90",
        "9074729",
        "GEPTI",
        "24.5",
        "1,200.50",
        "0.000001",
        "18446744073709551615",
    ];
    for (at, name) in names.iter().enumerate() {
        put(seeds, &["names"], &format!("{at}"), name.as_bytes());
    }
    put(seeds, &["names"], "digest", Digest([0xab; 32]).to_string().as_bytes());
    let read = |path: &str| fs::read(root().join(path)).unwrap();
    put(seeds, &["config"], "example", &read("node-config/example.toml"));
    put(
        seeds,
        &["config"],
        "short",
        b"member = \"GE\"\ndata_dir = \"/var/lib/shieldwall\"\n[log]\nlevel = \"info,libp2p=warn\"\n",
    );
    put(seeds, &["csv"], "sample", &read("src/cli/demo/samples/chemicals-november-2026.csv"));
    put(
        seeds,
        &["csv"],
        "short",
        b"ucr;destination;exporter_name;consignee_name;commodity_code;net_mass;net_unit\n3GE1-A;TR;QZ7CANARY;QZ7CANARY;31023090;12,5;TNE\n",
    );
    put(seeds, &["xml"], "sample", &read("src/cli/demo/samples/rhosus-2013.xml"));
    put(
        seeds,
        &["xml"],
        "short",
        b"<MetaData><Declaration><TypeCode>EXA</TypeCode><GoodsShipment><Consignee><Name>QZ7CANARY</Name></Consignee>\
          <Destination><CountryCode>TR</CountryCode></Destination><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>\
          <Commodity><Classification><ID>31023090</ID></Classification><GoodsMeasure><NetNetWeightMeasure unitCode='TNE'>12.5\
          </NetNetWeightMeasure></GoodsMeasure></Commodity></GovernmentAgencyGoodsItem></GoodsShipment></Declaration></MetaData>",
    );
    put(seeds, &["json"], "list", format!("[{},\n {}]", DRAFTS[1], DRAFTS[2]).as_bytes());
    let requests = [
        r#"{"submit":{"drafts":[{"kind":"export-notification","ucr":"QZ7CANARY"}],"imported":false,"skip_bad":true}}"#,
        r#"{"record-list":{"log":"GE","kind":"departure","consignment":"GE-1","opened":true,"limit":5}}"#,
        r#"{"record-show":{"id":"GE-1"}}"#,
        r#"{"evidence":{"id":"GE.2-1","redact":["parties","trade/ucr"],"disclose_keys":true}}"#,
        r#""status""#,
        r#"{"failed":{"kind":"busy","message":"too many"}}"#,
    ];
    for (at, request) in requests.iter().enumerate() {
        put(seeds, &["api"], &format!("{at}"), request.as_bytes());
    }
}

#[cfg(feature = "node")]
fn files(seeds: &mut Seeds) {
    use shieldwall::disk::probe;
    use shieldwall::ledger::{Frame, Key};
    let statement = hex(&vector("ledger.json")["statements"][0]);
    let at = "2026-12-01T00:00:00Z".parse().unwrap();
    let frame = |key, bytes: &[u8]| Frame { key, at, bytes: bytes.to_vec() };
    let log = "GE".parse().unwrap();
    let frames = [
        frame(Key::Statement("GE-0".parse().unwrap()), &statement),
        frame(Key::Checkpoint(log), b"checkpoint"),
        frame(Key::Fork(log, 1), b"fork"),
    ];
    put(seeds, &["segment"], "three_frames", &probe::stretch(&frames));
    put(seeds, &["segment"], "header", &probe::segment_header());
    put(seeds, &["segment"], "key", &frames[0].key.to_bytes());
    put(seeds, &["guard"], "empty", &probe::guard_file(log, &[]));
    put(seeds, &["guard"], "three", &probe::guard_file(log, &[Digest([1; 32]), Digest([2; 32]), Digest([3; 32])]));
}
