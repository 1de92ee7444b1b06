//! Charter, manifest and the published file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use shieldwall::encoding::ids::FederationId;
use shieldwall::identity::{
    CharterDraft, LogEntry, ManifestDraft, Member, MemberKind, MemberStatus, Published, SignedCharter, SignedManifest,
    TransportEntry,
};

use super::{check, code, founded, hex, key, seal_key};

#[test]
fn charter_manifest_and_published_file() {
    let first =
        charter(CharterDraft { members: members(), ..CharterDraft::new("Vectors", founded()) }, FederationId::NONE);
    let federation = FederationId(first.digest());
    let mut draft = first.charter().next_draft(founded().plus(3600));
    draft.members.get_mut(&code("TR")).unwrap().custodian = true;
    let second = charter(draft, federation);

    let manifests: BTreeMap<_, _> =
        ["GE", "TR", "W1"].into_iter().map(|owner| (code(owner), manifest(owner))).collect();
    let ge = manifests[&code("GE")].clone();
    let mut draft = ge.manifest().next_draft(founded().plus(7200));
    draft.logs[0].closed = Some(12);
    draft.logs.push(LogEntry { key: key("GE", "log 2").public(), opened: founded().plus(7200), closed: None });
    draft.custodians = BTreeSet::from([code("TR")]);
    let renewed = SignedManifest::sign(draft.check().unwrap(), federation, &key("GE", "root"));

    let published = Published { charters: vec![first.clone(), second.clone()], manifests };
    let file = published.encode().unwrap();
    let view = Published::decode(&file).unwrap().verify().unwrap();
    let view = view.with_manifest(renewed.clone()).unwrap().unwrap();
    assert_eq!(view.id(), federation);
    assert_eq!(SignedCharter::decode(&second.encode()), Ok(second.clone()));
    assert_eq!(SignedManifest::decode(&renewed.encode()), Ok(renewed.clone()));

    let roots: BTreeMap<_, _> = ["GE", "TR", "W1"]
        .into_iter()
        .map(|owner| {
            let root = key(owner, "root");
            (owner, json!({ "seed": hex(root.seed()), "public": hex(root.public().as_bytes()), "kid": hex(root.public().kid().0), "pem": root.public().to_pem() }))
        })
        .collect();
    check(
        "identity.json",
        &json!({
            "roots": roots,
            "federation": federation.to_string(),
            "charter_1": hex(first.encode()),
            "charter_1_payload": hex(first.charter().encode()),
            "charter_1_to_be_signed_by_GE": hex(first.to_be_signed(code("GE"), key("GE", "root").public().kid())),
            "charter_2": hex(second.encode()),
            "manifest_GE_1": hex(ge.encode()),
            "manifest_GE_2": hex(renewed.encode()),
            "published": hex(file),
            "digest_with_manifest_GE_2": hex(view.digest().0),
        }),
    );
}

fn members() -> BTreeMap<shieldwall::encoding::ids::MemberCode, Member> {
    [("GE", MemberKind::Country), ("TR", MemberKind::Country), ("W1", MemberKind::Observer)]
        .into_iter()
        .map(|(owner, kind)| {
            let member = Member {
                name: format!("Member {owner}"),
                kind,
                status: MemberStatus::Active,
                root: key(owner, "root").public(),
                next_root: key(owner, "next root").public().digest(),
                custodian: false,
                statements_per_day: (kind == MemberKind::Observer).then_some(1000),
            };
            (code(owner), member)
        })
        .collect()
}

fn charter(draft: CharterDraft, federation: FederationId) -> SignedCharter {
    let mut charter = SignedCharter::unsigned(draft.check().unwrap(), federation);
    ["GE", "TR"].into_iter().for_each(|owner| charter.sign(code(owner), &key(owner, "root")));
    charter
}

fn manifest(owner: &str) -> SignedManifest {
    let draft = ManifestDraft {
        member: code(owner),
        version: 1,
        predecessor: None,
        issued_at: founded(),
        logs: vec![LogEntry { key: key(owner, "log").public(), opened: founded(), closed: None }],
        witness: key(owner, "witness").public(),
        seal_keys: [(0, seal_key(owner).public())].into(),
        transports: vec![TransportEntry {
            key: key(owner, "transport").public(),
            addresses: vec!["/dns4/node.example/udp/4001/quic-v1".to_owned()],
        }],
        custodians: BTreeSet::new(),
    };
    SignedManifest::sign(draft.check().unwrap(), FederationId::NONE, &key(owner, "root"))
}
