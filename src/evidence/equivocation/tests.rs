//! Each form of proof: made, checked, and refused after every change.

use super::*;
use crate::encoding::hash::Digest;
use crate::encoding::merkle;
use crate::evidence::{Bundle, Outcome, Report, verify, verify_under};
use crate::identity::fixture::{at, code, federation, key, signed, signed_manifest};
use crate::identity::{Published, SignedCharter, SignedManifest};
use crate::ledger::{Binds, Claim, Root, SignedRoot, Statement};

const MEMBERS: [&str; 4] = ["GE", "LB", "MZ", "TR"];

fn members() -> Federation {
    federation(&MEMBERS)
}

fn log() -> LogId {
    LogId::first(code("GE"))
}

/// The leaves of one history of Georgia's log; two histories part at `fork`.
fn leaves(size: u64, fork: u64, branch: u8) -> Vec<Digest> {
    (0..size)
        .map(|position| merkle::leaf_hash(&[position.to_be_bytes()[7], u8::from(position >= fork) * branch]))
        .collect()
}

fn checkpoint(leaves: &[Digest], commitments: u8) -> SignedRoot {
    let key = key("GE", "log");
    let root = Root {
        claim: Claim::Checkpoint { log: log(), size: leaves.len() as u64, commitments: [commitments; 32] },
        root: merkle::root(leaves),
        by: code("GE"),
        kid: key.public().kid(),
        issued_at: at(1),
        federation: members().id(),
    };
    root.signed(key.sign(&root.to_be_signed()))
}

fn of_log(lesser: &[Digest], greater: &[Digest], commitments: [u8; 2]) -> Equivocation {
    let old = lesser.len() as u64;
    let mut path = if old == greater.len() as u64 { Vec::new() } else { merkle::consistency_proof(greater, old) };
    if old.is_power_of_two() && !path.is_empty() {
        path.insert(0, merkle::root(&greater[..lesser.len()]));
    }
    let [one, other] = commitments;
    Equivocation::Log(Box::new(ForkProof {
        lesser: checkpoint(lesser, one),
        greater: checkpoint(greater, other),
        path,
    }))
}

fn statement(position: u64, digest: u8, by: &str) -> Vec<u8> {
    let key = key(by, "log");
    let statement = Statement {
        id: RecordId { log: log(), position },
        kid: key.public().kid(),
        federation: members().id(),
        issued_at: at(5),
        binds: Binds::Body,
        digest: Digest([digest; 32]),
        lanes: 0,
        tags: Vec::new(),
        size_class: 0,
    };
    statement.signed(key.sign(&statement.to_be_signed()))
}

fn charter(name: &str) -> SignedCharter {
    let mut draft = members().charter().next_draft(at(50));
    draft.name = name.to_owned();
    signed(draft, members().id(), &["GE", "LB", "MZ"])
}

fn manifest(seconds: i64) -> SignedManifest {
    signed_manifest(members().manifest(code("TR")).unwrap().next_draft(at(seconds)), members().id())
}

/// One proof of each form, with what it proves.
fn proofs() -> Vec<(Equivocation, &'static str)> {
    vec![
        (of_log(&leaves(6, 4, 1), &leaves(6, 4, 2), [5, 5]), "two histories of the log GE, from 6 statements on"),
        (of_log(&leaves(6, 6, 1), &leaves(6, 6, 1), [5, 6]), "two histories of the log GE, from 6 statements on"),
        (of_log(&leaves(6, 4, 1), &leaves(9, 4, 2), [5, 5]), "two histories of the log GE, from 6 statements on"),
        (of_log(&leaves(4, 3, 1), &leaves(9, 3, 2), [5, 5]), "two histories of the log GE, from 4 statements on"),
        (Equivocation::Statements([statement(7, 1, "GE"), statement(7, 2, "GE")]), "two statements under the id GE-7"),
        (Equivocation::of_charters(&CharterSplit::new(charter("One"), charter("Other"))), "two charters of version 2"),
        (
            Equivocation::of_manifests(&ManifestSplit::new(manifest(60), manifest(70))),
            "two manifests of TR of version 2",
        ),
    ]
}

fn trusted() -> Vec<u8> {
    members().published().encode().unwrap()
}

fn outcome<'a>(report: &'a Report, name: &str) -> &'a Outcome {
    &report
        .claims
        .iter()
        .find(|claim| claim.name == name)
        .unwrap_or_else(|| panic!("{name}: {}", report.to_text()))
        .outcome
}

#[test]
fn every_form_is_proved_as_a_folder_and_as_one_file() {
    for (proof, sentence) in proofs() {
        assert_eq!(Equivocation::decode(&proof.encode()), Ok(proof.clone()));
        let folder = export_equivocation(&proof, &members()).unwrap();
        let report = verify(&folder, &trusted());
        assert!(report.proved, "{}", report.to_text());
        assert!(report.to_text().starts_with(&format!("{sentence}: PROVED\n")), "{}", report.to_text());
        assert_eq!(report.to_json()["equivocation"]["sentence"], sentence);
        assert_eq!(outcome(&report, "equivocation"), &Outcome::Proved);
        assert_eq!(outcome(&report, "who"), &Outcome::NotClaimed, "a key was used, by whomever");
        let alone = Bundle::from([(FILE.to_owned(), proof.encode())]);
        let report = verify(&alone, &trusted());
        assert!(report.proved && report.equivocation == proof.proves(&members()), "{}", report.to_text());
        assert_eq!(folder, export_equivocation(&proof, &members()).unwrap(), "the same bytes each time");
    }
}

#[test]
fn a_proof_about_a_million_statements_takes_about_a_kilobyte() {
    let many = leaves(1_000_000, 400_000, 2);
    let proof = of_log(&leaves(700_001, 400_000, 1), &many, [5, 5]);
    assert!(proof.proves(&members()).is_some());
    let bytes = proof.encode().len();
    assert!((900..1_400).contains(&bytes), "{bytes}");
}

#[test]
fn a_folder_that_was_changed_anywhere_is_refused() {
    let (mut refused, members) = (0, members());
    for (proof, _) in proofs() {
        let folder = export_equivocation(&proof, &members).unwrap();
        let mut check = |changed: Bundle, what: String| {
            let report = verify_under(&changed, &members);
            assert!(!report.proved, "{what}: {}", report.to_text());
            assert!(report.failures().next().is_some(), "{what}: no claim says why");
            refused += 1;
        };
        for (path, bytes) in &folder {
            for place in (0..bytes.len()).step_by(bytes.len() / 12 + 1) {
                let mut changed = folder.clone();
                changed.get_mut(path).unwrap()[place] ^= 1;
                check(changed, format!("byte {place} of {path}"));
            }
            let mut changed = folder.clone();
            let bytes = changed.remove(path).unwrap();
            if path != FILE {
                check(changed.clone(), format!("without {path}"));
            }
            changed.insert(format!("{path}x"), bytes.clone());
            check(changed, format!("{path} renamed"));
            let mut changed = folder.clone();
            changed.insert(path.clone(), [&bytes[..], b"\n"].concat());
            check(changed, format!("{path} with a line end more"));
        }
        for (path, bytes) in [("statement.cose", &b"x"[..]), ("signed/9.cose", b"x"), ("keys/LB.pem", b"x")] {
            let mut changed = folder.clone();
            changed.insert(path.to_owned(), bytes.to_vec());
            check(changed, format!("with {path}"));
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn a_proof_alone_that_was_changed_in_any_byte_is_refused() {
    let members = members();
    for (proof, sentence) in proofs() {
        let good = proof.encode();
        // Every byte, but of charters and manifests, which are long and slow to check.
        for place in (0..good.len()).step_by(good.len() / 1_500 + 1) {
            let mut bytes = good.clone();
            bytes[place] ^= 1;
            let report = verify_under(&Bundle::from([(FILE.to_owned(), bytes)]), &members);
            assert!(!report.proved, "{sentence}, byte {place}: {}", report.to_text());
            assert!(matches!(outcome(&report, "equivocation"), Outcome::Failed(_)));
        }
    }
}

#[test]
fn what_does_not_contradict_itself_accuses_nobody() {
    let same = leaves(6, 6, 1);
    let twice = Equivocation::of_manifests(&ManifestSplit::new(manifest(60), manifest(60)));
    let mut chosen = CharterSplit::new(charter("One"), charter("Other"));
    chosen.settle(charter("One").digest());
    let innocent = [
        of_log(&same, &same, [5, 5]),
        of_log(&leaves(6, 9, 1), &leaves(9, 9, 1), [5, 6]),
        Equivocation::Statements([statement(7, 1, "GE"), statement(7, 1, "GE")]),
        Equivocation::Statements([statement(7, 1, "GE"), statement(8, 2, "GE")]),
        // Signed by somebody else in Georgia's name.
        Equivocation::Statements([statement(7, 1, "GE"), statement(7, 2, "TR")]),
        Equivocation::Charters(CharterSplit::new(charter("One"), charter("One")).encode()),
        Equivocation::Charters(chosen.encode()),
        twice,
    ];
    for proof in innocent {
        assert_eq!(proof.proves(&members()), None, "{proof:?}");
        assert!(export_equivocation(&proof, &members()).is_err());
        assert!(!verify(&Bundle::from([(FILE.to_owned(), proof.encode())]), &trusted()).proved);
    }
    // Of another federation.
    let (proof, _) = proofs().remove(0);
    let folder = export_equivocation(&proof, &members()).unwrap();
    assert!(!verify_under(&folder, &federation(&["GE", "LB", "MZ"])).proved);
    assert!(!verify(&folder, b"no charter").proved);
}

#[test]
fn what_the_members_root_has_settled_since_is_said() {
    let (proof, _) = proofs().remove(0);
    let folder = export_equivocation(&proof, &members()).unwrap();
    let open = verify_under(&folder, &members());
    assert_eq!(outcome(&open, "settlement"), &Outcome::NotClaimed);
    for (closed, settled) in [(4, true), (6, true), (7, false)] {
        let mut draft = members().manifest(code("GE")).unwrap().next_draft(at(90));
        draft.logs[0].closed = Some(closed);
        let newer = members().with_manifest(signed_manifest(draft, members().id())).unwrap().unwrap();
        let report = verify(&folder, &newer.published().encode().unwrap());
        assert!(report.proved, "{}", report.to_text());
        assert_eq!(outcome(&report, "settlement") == &Outcome::Proved, settled, "{closed}");
        // Proved for ever: whoever holds the newer manifest makes the same accusation.
        assert!(proof.proves(&newer).is_some());
    }
}

#[test]
fn a_charter_file_without_the_members_keys_does_not_carry_the_file_alone() {
    let (proof, _) = proofs().remove(0);
    let charters = Published { charters: members().published().charters, manifests: Default::default() };
    let alone = Bundle::from([(FILE.to_owned(), proof.encode())]);
    let report = verify(&alone, &charters.encode().unwrap());
    assert!(!report.proved);
    assert!(matches!(outcome(&report, "trusted charter"), Outcome::Failed(_)));
}

proptest::proptest! {
    #[test]
    fn reading_any_bytes_never_panics(bytes: Vec<u8>, form in 0_u64..6) {
        drop(Equivocation::decode(&bytes));
        let framed = cbor::encode(&Value::Array(vec![form.into(), Value::from(bytes.as_slice())]));
        if let Ok(proof) = Equivocation::decode(&framed) {
            assert_eq!(proof.proves(&members()), None);
        }
    }
}
