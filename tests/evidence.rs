//! Evidence: what is exported verifies, and whatever is done to it is refused by name.
#![expect(clippy::unwrap_used, reason = "what cannot be built fails the test")]

mod structure;

use std::collections::{BTreeMap, BTreeSet};

use shieldwall::encoding::ids::FederationId;
use shieldwall::evidence::{Bundle, ExportError, ExportOptions, Outcome, Report, export, verify, verify_under};
use shieldwall::identity::Published;
use shieldwall::ledger::Claim;

use crate::evidence_fixture::{World, code, key, manifest, next_charter, published, sign_manifest};

fn charter_file(published: &Published) -> Vec<u8> {
    published.encode().unwrap()
}

/// The bundle with everything in it, and the charter to be trusted.
fn full() -> (World, Bundle, Vec<u8>) {
    let world = World::new();
    let options = ExportOptions { disclose_keys: true, ..ExportOptions::default() };
    let bundle = export(&world.material(1), &options).unwrap();
    let trusted = charter_file(&world.federation.published());
    (world, bundle, trusted)
}

fn outcome<'a>(report: &'a Report, name: &str) -> &'a Outcome {
    &report.claims.iter().find(|claim| claim.name == name).unwrap_or_else(|| panic!("no claim {name}")).outcome
}

fn failures(report: &Report) -> Vec<&str> {
    report.failures().map(|claim| claim.name.as_str()).collect()
}

#[test]
fn what_is_exported_verifies() {
    let (world, bundle, trusted) = full();
    let report = verify(&bundle, &trusted);
    assert!(report.proved, "{}", report.to_text());
    assert_eq!(report.record.unwrap().to_string(), "GE-1");
    let names: BTreeSet<&str> = report.claims.iter().map(|claim| claim.name.as_str()).collect();
    for name in
        ["trusted charter", "receipt GE", "receipt TR", "receipt W1", "receipt MZ", "cosignature LB", "cosignature TR"]
    {
        assert!(names.contains(name), "{name}");
    }
    assert!(report.to_text().starts_with("GE-1: PROVED\n"));
    assert_eq!(report.to_json()["proved"], true);
    let again = export(&world.material(1), &ExportOptions { disclose_keys: true, ..ExportOptions::default() }).unwrap();
    assert_eq!(again, bundle, "an export depends on nothing but its material");
    let plain = export(&world.material(1), &ExportOptions::default()).unwrap();
    assert!(
        !plain.keys().any(|path| path.starts_with("compartments/")),
        "content keys are disclosed only if asked for"
    );
}

#[test]
fn the_earliest_cosignature_of_each_member_counts() {
    let (_, bundle, trusted) = full();
    let text = verify(&bundle, &trusted).to_text();
    assert!(
        text.contains("receipt TR: TR signed that it had verified and stored 5 statements of the log GE"),
        "{text}"
    );
}

#[test]
fn a_lanes_statement_can_be_exported_too() {
    let world = World::new();
    let bundle = export(&world.material(0), &ExportOptions::default()).unwrap();
    assert!(bundle.contains_key("head.cbor") && !bundle.contains_key("body.json"));
    let report = verify(&bundle, &charter_file(&world.federation.published()));
    assert!(report.proved, "{}", report.to_text());
}

#[test]
fn without_body_and_witnesses_the_authors_word_is_left() {
    let world = World::new();
    let mut material = world.material(6);
    material.cosignatures.clear();
    material.frontiers.clear();
    let bundle = export(&material, &ExportOptions::default()).unwrap();
    let report = verify(&bundle, &charter_file(&world.federation.published()));
    assert!(report.proved);
    assert_eq!(outcome(&report, "witnesses"), &Outcome::NotClaimed);
    assert_eq!(outcome(&report, "head"), &Outcome::NotClaimed);
}

#[test]
fn what_is_redacted_is_nowhere() {
    let world = World::new();
    let redact = BTreeSet::from(["parties".to_owned(), "trade/ucr".to_owned()]);
    let bundle = export(&world.material(1), &ExportOptions { redact, disclose_keys: true }).unwrap();
    for (path, bytes) in &bundle {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("Explosivos") && !text.contains("5GE12345678"), "{path}");
        assert!(!text.contains("parties") && !text.contains("consignee"), "{path}");
    }
    assert_eq!(bundle.keys().filter(|path| path.starts_with("fields/")).count(), 2);
    assert_eq!(bundle.keys().filter(|path| path.ends_with(".key")).count(), 1, "a key would open all fields of trade");
    assert!(String::from_utf8_lossy(&bundle["body.json"]).contains("blasting"));
    assert!(verify(&bundle, &charter_file(&world.federation.published())).proved);
    for name in ["partys", "trade/nothing", "price", ""] {
        let options = ExportOptions { redact: BTreeSet::from([name.to_owned()]), disclose_keys: false };
        let refused = export(&world.material(1), &options);
        assert!(matches!(refused, Err(ExportError::NothingToRedact { .. })), "{name}");
    }
}

#[test]
fn no_flipped_bit_in_any_file_goes_unnoticed() {
    let (world, bundle, _) = full();
    let mut kinds = BTreeMap::new();
    for (path, bytes) in &bundle {
        // Charter and manifests have tests of their own, a sealed compartment is bound by its digest, and what is derived is
        // compared as a whole: there some bytes stand for all. Everywhere else every byte is tried.
        let step = match path.split('/').next() {
            Some("charter.cose") => 7,
            Some("manifests" | "compartments") => 47,
            Some("README.md" | "transparent.cose" | "leaf.hex" | "body.json" | "keys") => 53,
            _ => 1,
        };
        for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            let mut changed = bundle.clone();
            changed.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
            let report = verify_under(&changed, &world.federation);
            assert!(!report.proved, "{path}, byte {at}");
            let failed = failures(&report);
            assert!(!failed.is_empty(), "{path}, byte {at}");
            *kinds.entry(format!("{}: {}", path.split('/').next().unwrap(), failed[0])).or_insert(0) += 1;
        }
    }
    assert!(kinds.len() > 10, "{kinds:#?}");
}

#[test]
fn the_claim_that_fails_is_that_of_the_file() {
    let (_, bundle, trusted) = full();
    for (path, expected) in [
        ("README.md", "derived files"),
        ("transparent.cose", "derived files"),
        ("leaf.hex", "derived files"),
        ("body.json", "derived files"),
        ("keys/TR.pem", "derived files"),
        ("charter.cose", "charter"),
        ("manifests/TR.cose", "manifests"),
        ("statement.cose", "statement"),
        ("receipts/GE.cose", "receipt GE"),
        ("receipts/TR.cose", "receipt TR"),
        ("cosignatures/LB.cbor", "cosignature LB"),
        ("head.cbor", "head"),
    ] {
        let mut changed = bundle.clone();
        *changed.get_mut(path).unwrap().last_mut().unwrap() ^= 1;
        let report = verify(&changed, &trusted);
        assert!(failures(&report).contains(&expected), "{path}: {}", report.to_text());
    }
    for (folder, claim) in [("fields/", "fields "), ("compartments/", "compartment ")] {
        for path in bundle.keys().filter(|path| path.starts_with(folder)) {
            let mut changed = bundle.clone();
            *changed.get_mut(path).unwrap().last_mut().unwrap() ^= 1;
            let report = verify(&changed, &trusted);
            let claim = if path.ends_with(".direct.cose") { "derived files" } else { claim };
            assert!(failures(&report).iter().any(|name| name.starts_with(claim)), "{path}: {}", report.to_text());
        }
    }
}

#[test]
fn no_file_can_be_taken_away_added_renamed_or_swapped() {
    let (_, bundle, trusted) = full();
    let refused = |changed: &Bundle, what: &str| {
        let report = verify(changed, &trusted);
        assert!(!report.proved && !failures(&report).is_empty(), "{what}: {}", report.to_text());
    };
    for path in bundle.keys() {
        let mut changed = bundle.clone();
        let bytes = changed.remove(path).unwrap();
        refused(&changed, &format!("{path} taken away"));
        let renamed = path.replace("GE", "LB").replace("TR", "W1").replace("README.md", "README.txt");
        if renamed != *path {
            changed.insert(renamed, bytes);
            refused(&changed, &format!("{path} renamed"));
        }
    }
    let label = "00112233445566778899aabbccddeeff";
    for path in ["notes.txt", "receipts/LB.cose", "keys/ZZ.pem", "keys/../x", &format!("fields/{label}.cbor")] {
        for bytes in [&b""[..], &bundle["receipts/TR.cose"], &bundle["head.cbor"]] {
            let mut changed = bundle.clone();
            changed.insert(path.to_owned(), bytes.to_vec());
            refused(&changed, &format!("{path} added"));
        }
    }
    for (one, other) in [
        ("receipts/TR.cose", "receipts/W1.cose"),
        ("receipts/GE.cose", "receipts/TR.cose"),
        ("cosignatures/LB.cbor", "cosignatures/TR.cbor"),
        ("keys/TR.pem", "keys/W1.pem"),
        ("manifests/TR.cose", "manifests/GE.cose"),
    ] {
        let mut changed = bundle.clone();
        changed.insert(one.to_owned(), bundle[other].clone());
        changed.insert(other.to_owned(), bundle[one].clone());
        refused(&changed, &format!("{one} and {other} swapped"));
    }
    refused(&Bundle::new(), "nothing at all");
}

#[test]
fn files_beyond_the_bounds_are_not_read() {
    let (_, mut bundle, trusted) = full();
    for number in 0..shieldwall::evidence::FILES_MAX {
        bundle.insert(format!("a{number}"), Vec::new());
    }
    assert!(!verify(&bundle, &trusted).proved);
    let (_, mut bundle, trusted) = full();
    bundle.get_mut("README.md").unwrap().resize(shieldwall::evidence::FILE_BYTES_MAX + 1, b' ');
    assert_eq!(failures(&verify(&bundle, &trusted)), ["files"]);
}

#[test]
fn evidence_of_another_record_does_not_take_this_ones_receipts() {
    let (world, bundle, trusted) = full();
    let mut other = export(&world.material(2), &ExportOptions::default()).unwrap();
    other.insert("receipts/GE.cose".to_owned(), bundle["receipts/GE.cose"].clone());
    assert!(failures(&verify(&other, &trusted)).contains(&"receipt GE"));
}

#[test]
fn the_folder_does_not_vouch_for_itself() {
    let (_, bundle, _) = full();
    assert_eq!(failures(&verify(&bundle, &bundle["charter.cose"])), ["trusted charter"]);
}

#[test]
fn an_outsider_does_not_learn_what_other_members_log() {
    let (_, bundle, _) = full();
    // The text "MZ" as CBOR, which the list of logs would hold.
    let name = [0x62, b'M', b'Z'];
    assert!(!bundle["cosignatures/TR.cbor"].windows(3).any(|window| window == name));
}

#[test]
fn another_federations_charter_refuses_it() {
    let (_, bundle, _) = full();
    let report = verify(&bundle, &charter_file(&published("Another wall")));
    assert_eq!(failures(&report), ["trusted charter"]);
    assert_eq!(failures(&verify(&bundle, b"no charter")), ["trusted charter"]);
}

#[test]
fn either_charter_may_be_newer_if_it_follows_the_other() {
    let (world, bundle, trusted) = full();
    let newer = world.federation.with_charter(next_charter(&world.federation, &["GE", "LB", "TR"])).unwrap().unwrap();
    let newer_file = charter_file(&newer.published());
    assert!(verify(&bundle, &newer_file).proved);
    let mut material = world.material(1);
    material.federation = newer;
    let newer_bundle = export(&material, &ExportOptions::default()).unwrap();
    assert!(verify(&newer_bundle, &trusted).proved);
    // A version that no quorum signed counts on neither side.
    let mut forged = world.federation.published();
    forged.charters.push(next_charter(&world.federation, &["GE", "LB"]));
    assert_eq!(failures(&verify(&newer_bundle, &charter_file(&forged))), ["trusted charter"]);
}

#[test]
fn a_witness_key_replaced_since_is_not_counted() {
    let (world, bundle, _) = full();
    let mut draft = manifest("TR");
    draft.version = 2;
    draft.predecessor = Some(world.federation.manifests()[&code("TR")].digest());
    draft.witness = key("TR", "new witness").public();
    let signed = sign_manifest(draft, world.federation.id());
    let newer = world.federation.with_manifest(signed).unwrap().unwrap();
    let report = verify(&bundle, &charter_file(&newer.published()));
    assert!(report.proved, "{}", report.to_text());
    assert_eq!(outcome(&report, "receipt TR"), &Outcome::NotClaimed);
    assert_eq!(outcome(&report, "cosignature TR"), &Outcome::NotClaimed);
    assert_eq!(outcome(&report, "receipt MZ"), &Outcome::Proved);
    // The node itself leaves such a cosignature out.
    let mut material = world.material(1);
    material.federation = newer;
    let bundle = export(&material, &ExportOptions::default()).unwrap();
    assert!(!bundle.contains_key("receipts/TR.cose") && bundle.contains_key("receipts/MZ.cose"));
}

#[test]
fn a_log_closed_before_the_record_is_said_to_be_disowned() {
    let (world, bundle, trusted) = full();
    assert_eq!(outcome(&verify(&bundle, &trusted), "standing"), &Outcome::Proved);
    let mut draft = manifest("GE");
    draft.version = 2;
    draft.predecessor = Some(world.federation.manifests()[&code("GE")].digest());
    draft.logs[0].closed = Some(1);
    let newer = world.federation.with_manifest(sign_manifest(draft, world.federation.id())).unwrap().unwrap();
    let report = verify(&bundle, &charter_file(&newer.published()));
    assert_eq!(outcome(&report, "standing"), &Outcome::NotClaimed);
    assert_eq!(outcome(&report, "receipt TR"), &Outcome::Proved);
}

#[test]
fn rival_manifests_of_one_version_refuse_it() {
    let (_, bundle, _) = full();
    let mut rival = published("Wall");
    let mut draft = manifest("TR");
    draft.witness = key("TR", "another witness").public();
    rival.manifests.insert(code("TR"), sign_manifest(draft, FederationId::NONE));
    assert_eq!(failures(&verify(&bundle, &charter_file(&rival))), ["trusted charter"]);
}

#[test]
fn what_a_node_holds_must_be_good_to_be_exported() {
    let world = World::new();
    let options = ExportOptions::default();
    let mut material = world.material(1);
    material.checkpoint = world.inclusion(1, "GE", 1, 120);
    assert_eq!(export(&material, &options), Err(ExportError::TooShort { size: 1 }));
    let mut material = world.material(1);
    material.checkpoint.path[0].0[0] ^= 1;
    assert!(
        matches!(export(&material, &options), Err(ExportError::NotProvable { claim, .. }) if claim == "receipt GE")
    );
    let mut material = world.material(1);
    material.head = Some(b"another".to_vec());
    assert!(matches!(export(&material, &options), Err(ExportError::NotProvable { claim, .. }) if claim == "head"));
    let mut material = world.material(1);
    material.statement = world.leaves[2].clone();
    assert!(matches!(export(&material, &options), Err(ExportError::NotProvable { .. })));
    // A cosignature that cannot serve is passed over.
    let mut material = world.material(6);
    material
        .cosignatures
        .retain(|held| !matches!(held.root.claim().unwrap().claim, Claim::Cosignature { size: 7, .. }));
    let bundle = export(&material, &options).unwrap();
    assert_eq!(bundle.keys().filter(|path| path.starts_with("receipts/")).count(), 1);
}

/// A hostile author can have a cosignature of another history held; it must not stand in the way.
#[test]
fn a_cosignature_of_another_history_is_passed_over() {
    let world = World::new();
    let mut material = world.material(1);
    material.frontiers[0].path[0].0[0] ^= 1;
    material.cosignatures[2].path[0].0[0] ^= 1;
    let bundle = export(&material, &ExportOptions::default()).unwrap();
    assert!(!bundle.contains_key("cosignatures/LB.cbor") && !bundle.contains_key("receipts/W1.cose"));
    assert!(bundle.contains_key("cosignatures/TR.cbor") && bundle.contains_key("receipts/TR.cose"));
    assert!(verify_under(&bundle, &world.federation).proved);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn reading_any_bytes_never_panics(at: proptest::sample::Index, bytes: Vec<u8>) {
        static FULL: std::sync::LazyLock<(World, Bundle, Vec<u8>)> = std::sync::LazyLock::new(full);
        let (world, bundle, _) = &*FULL;
        let mut changed = bundle.clone();
        let path = bundle.keys().nth(at.index(bundle.len())).unwrap();
        changed.insert(path.clone(), bytes);
        proptest::prop_assert!(!verify_under(&changed, &world.federation).proved);
    }
}
