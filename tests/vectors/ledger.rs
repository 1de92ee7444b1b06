//! Statements, checkpoints, cosignatures and receipts.

use serde_json::{Value as Json, json};
use shieldwall::encoding::hash::{Digest, sha256};
use shieldwall::encoding::ids::{FederationId, LogId, RecordId};
use shieldwall::encoding::merkle;
use shieldwall::identity::SecretKey;
use shieldwall::ledger::{Binds, Claim, Frontier, Receipt, Root, SignedRoot, Statement, Unverified};

use super::{check, code, founded, hex, key};

/// Tree sizes up to this have their root and every proof's digest in the file.
const SIZES: u64 = 9;

#[test]
fn statements_and_signed_roots() {
    let leaves: Vec<Vec<u8>> = (0..3).map(statement).collect();
    let hashes: Vec<Digest> = leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    let (root, size, log) = (merkle::root(&hashes), hashes.len() as u64, LogId::first(code("GE")));

    let checkpoint = signed(Claim::Checkpoint { log, size, commitments: [6; 32] }, root, "GE", "log");
    let cosignature = signed(Claim::Cosignature { log, size }, root, "TR", "witness");
    let mut frontier = Frontier::default();
    frontier.set(log, size, root);
    frontier.set(LogId::first(code("TR")), 0, merkle::empty_root());
    let over_all = signed(Claim::Frontier { logs: frontier.len() as u64 }, frontier.root(), "TR", "witness");

    let receipts: Vec<Json> = [&checkpoint, &cosignature]
        .into_iter()
        .flat_map(|signed| {
            let hashes = &hashes;
            (0..size).map(move |index| Receipt::new(signed, size, index, merkle::inclusion_proof(hashes, index)))
        })
        .map(|receipt| {
            let read = Receipt::decode(&receipt.encode()).unwrap();
            let leaf = &leaves[usize::try_from(receipt.index()).unwrap()];
            let signer =
                if receipt.signed_root(leaf).unwrap() == checkpoint { key("GE", "log") } else { key("TR", "witness") };
            read.signed_root(leaf).unwrap().verify_by(&signer.public()).unwrap();
            hex(receipt.encode())
        })
        .collect();

    check(
        "ledger.json",
        &json!({
            "federation": hex(federation().0.0),
            "log_key_GE": key("GE", "log").public().to_pem(),
            "witness_key_TR": key("TR", "witness").public().to_pem(),
            "statements": leaves.iter().map(hex).collect::<Vec<_>>(),
            "root": hex(root.0),
            "checkpoint_GE": hex(checkpoint.encode()),
            "cosignature_TR": hex(cosignature.encode()),
            "receipts_GE_then_TR": receipts,
            "frontier_root": hex(frontier.root().0),
            "frontier_cosignature_TR": hex(over_all.encode()),
        }),
    );
}

#[test]
fn trees_and_proofs_of_rfc_6962() {
    let leaf = |index: u64| merkle::leaf_hash(format!("leaf {index}").as_bytes());
    let trees: Vec<Json> = (0..=SIZES)
        .map(|size| {
            let leaves: Vec<Digest> = (0..size).map(leaf).collect();
            let root = merkle::root(&leaves);
            let inclusion: Vec<_> = (0..size).map(|index| merkle::inclusion_proof(&leaves, index)).collect();
            let consistency: Vec<_> = (1..=size).map(|old| merkle::consistency_proof(&leaves, old)).collect();
            for (index, path) in (0..).zip(&inclusion) {
                assert!(merkle::verify_inclusion(&leaf(index), index, size, path, &root));
            }
            for (old, path) in (1..).zip(&consistency) {
                let old_root = merkle::root(&leaves[..usize::try_from(old).unwrap()]);
                assert!(merkle::verify_consistency(old, &old_root, size, &root, path));
            }
            let listed = |paths: &[Vec<Digest>]| -> Vec<Vec<Json>> {
                paths.iter().map(|path| path.iter().map(|digest| hex(digest.0)).collect()).collect()
            };
            json!({
                "size": size,
                "root": hex(root.0),
                "inclusion_of_0_to_size_minus_1": listed(&inclusion),
                "consistency_with_1_to_size": listed(&consistency),
            })
        })
        .collect();
    check("merkle.json", &json!({ "leaf_n": "the text `leaf n`", "trees": trees }));
}

fn statement(position: u64) -> Vec<u8> {
    let key = key("GE", "log");
    let statement = Statement {
        id: RecordId::new(LogId::first(code("GE")), position),
        kid: key.public().kid(),
        federation: federation(),
        issued_at: founded().plus(60 * i64::try_from(position).unwrap()),
        binds: if position == 0 { Binds::Lanes } else { Binds::Body },
        digest: sha256(format!("head {position}").as_bytes()),
        lanes: 0,
        tags: if position == 0 { Vec::new() } else { (1..=4).map(|tag| [tag; 16]).collect() },
        size_class: 1,
    };
    let leaf = statement.signed(key.sign(&statement.to_be_signed()));
    let read = Unverified::read(&leaf, statement.id, federation(), &key.public(), founded()).unwrap();
    assert_eq!(read.verify().unwrap().statement(), &statement);
    leaf
}

fn signed(claim: Claim, root: Digest, by: &str, purpose: &str) -> SignedRoot {
    let key: SecretKey = key(by, purpose);
    let root = Root {
        claim,
        root,
        by: code(by),
        kid: key.public().kid(),
        issued_at: founded().plus(600),
        federation: federation(),
    };
    let signed = root.signed(key.sign(&root.to_be_signed()));
    assert_eq!(signed.verify_by(&key.public()), Ok(root));
    assert_eq!(SignedRoot::decode(&signed.encode()), Ok(signed.clone()));
    signed
}

fn federation() -> FederationId {
    FederationId(sha256(b"vector federation"))
}
