//! Lanes, slots, tickets, tags, body head and compartments.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use shieldwall::encoding::cbor::{self, Value};
use shieldwall::encoding::hash::sha256;
use shieldwall::encoding::ids::{FederationId, RecordId};
use shieldwall::encoding::random::Randomness;
use shieldwall::seal::compartment::external_aad;
use shieldwall::seal::grant::KEYS;
use shieldwall::seal::{
    Commitments, CompartmentDraft, CompartmentLabel, ContentKey, Grant, Granted, LaneKey, LaneList, LaneSecret,
    LanesBody, OpenedSlot, SealContext, SealedBody, SlotProof, Tag, probe, seal_body, tags,
};

use super::{check, code, hex, seal_key};

const MEMBERS: [&str; 3] = ["GE", "TR", "W1"];

#[test]
fn lanes_and_slots() {
    let context = context("GE-0");
    let public: BTreeMap<_, _> = MEMBERS.iter().map(|member| (code(member), seal_key(member).public())).collect();
    let recipients = public.iter().map(|(member, key)| (*member, key)).collect();
    let lanes = LanesBody::seal(&context, 0, &secret(), &recipients, &mut Randomness::new([2; 32])).unwrap();
    let proof = lanes.slot(code("TR")).unwrap();
    let read = SlotProof::decode(&proof.encode()).unwrap();
    read.verify(&lanes.head().digest()).unwrap();
    let OpenedSlot::Lane(lane) = read.slot.open(&context, &seal_key("TR")).unwrap() else { panic!("not the author") };
    let record: RecordId = "GE-1".parse().unwrap();
    assert_eq!(lane.tag(&record), self::lane("TR").tag(&record));

    check(
        "lanes.json",
        &json!({
            "federation": hex(context.federation.0.0),
            "record": "GE-0",
            "epoch": 0,
            "lane_secret": hex([1; 32]),
            "seal_key_seed_TR": hex(seal_key("TR").seed()),
            "head": hex(lanes.head().encode()),
            "payload": hex(lanes.head().digest().0),
            "slots": lanes.slots().iter().map(|slot| hex(slot.encode())).collect::<Vec<_>>(),
            "body_sha256": hex(sha256(&lanes.encode()).0),
            "proof_TR_sha256": hex(sha256(&proof.encode()).0),
        }),
    );
}

#[test]
fn commitments_to_lanes() {
    let log = "GE".parse().unwrap();
    let size = 1_043;
    let mut list = LaneList::default();
    let empty = list.opening(lane("W1").blind(log, size));
    ["GE-1040", "GE-1042"].iter().for_each(|id| list.push(sha256(id.as_bytes())));
    let openings = [list.opening(lane("GE").blind(log, size)), list.opening(lane("TR").blind(log, size)), empty];
    let made = Commitments::of(openings);
    let path = made.path(1).unwrap();
    assert_eq!(path.leads_to(&openings[1]), Some(made.root()));
    check(
        "commitments.json",
        &json!({
            "log": "GE",
            "size": size,
            "lane_secret": hex([1; 32]),
            "statements": (["GE-1040", "GE-1042"].map(|id| hex(sha256(id.as_bytes()).0))),
            "blinds": (["GE", "TR", "W1"].map(|member| hex(lane(member).blind(log, size).0))),
            "leaves": (openings.map(|opening| hex(opening.leaf().0))),
            "commitments": hex(made.root()),
            "path_TR": hex(cbor::encode(&path.to_value())),
        }),
    );
}

#[test]
fn tickets_and_tags() {
    let record: RecordId = "GE-1042".parse().unwrap();
    let real: Vec<Tag> = MEMBERS.iter().map(|member| lane(member).tag(&record)).collect();
    let by_member: BTreeMap<_, _> = MEMBERS
        .iter()
        .map(|member| {
            let ticket = lane(member).ticket(&record);
            (*member, json!({ "ticket": hex(ticket.as_bytes()), "tag": hex(ticket.tag().0) }))
        })
        .collect();
    let padded = tags(real, &mut Randomness::new([3; 32]));
    check(
        "tags.json",
        &json!({
            "record": "GE-1042",
            "lane_secret": hex([1; 32]),
            "members": by_member,
            "tags": padded.iter().map(|tag| hex(tag.0)).collect::<Vec<_>>(),
        }),
    );
}

#[test]
fn body_head_and_compartments() {
    let context = context("GE-1");
    let summary = fields(&[("kind", Value::from("N01")), ("month", Value::from("2026-12"))]);
    let parties = fields(&[("consignee", Value::from("Fábrica de Explosivos Moçambique"))]);
    let (author, tr, w1) = (lane("GE"), lane("TR"), lane("W1"));
    let drafts = [
        CompartmentDraft { name: "summary", fields: &summary, readers: vec![&author, &tr, &w1] },
        CompartmentDraft { name: "parties", fields: &parties, readers: vec![&author, &tr] },
    ];
    let body = seal_body(&context, &drafts, &mut Randomness::new([4; 32])).unwrap();
    assert_eq!(SealedBody::decode(&body.encode()), Ok(body.clone()));
    assert_eq!(body.open(&context, &tr).unwrap().len(), 2);
    assert_eq!(body.open(&context, &w1).unwrap()[0].content(), summary);

    let compartments: Vec<Json> = body
        .head
        .compartments()
        .iter()
        .zip(&body.compartments)
        .map(|(head, bytes)| {
            let opened = head.open(&context, bytes, &tr).unwrap();
            let proof = opened.field_proof(&opened.fields()[0].name).unwrap();
            proof.verify(&head.fields_root).unwrap();
            json!({
                "name": opened.compartment(),
                "label": hex(head.label.0),
                "external_aad": hex(external_aad(&context, &head.label)),
                "content_key": hex(head.content_key(&context, bytes, &tr).unwrap().as_bytes()),
                "fields_root": hex(head.fields_root.0),
                "cose_encrypt": hex(bytes),
                "cose_encrypt_direct": hex(head.with_direct_recipient(bytes).unwrap()),
                "proof_of_the_first_field": hex(proof.encode()),
            })
        })
        .collect();
    check(
        "body.json",
        &json!({
            "federation": hex(context.federation.0.0),
            "record": "GE-1",
            "lane_secret": hex([1; 32]),
            "size_class": body.size_class,
            "head": hex(body.head.encode()),
            "payload": hex(body.head.digest().0),
            "compartments": compartments,
        }),
    );
}

/// What Georgia grants of GE-1 and GE-3, in GE-7.
#[test]
fn keys_of_a_grant() {
    let context = context("GE-7");
    let mut grant = Grant::default();
    for (record, compartments) in [("GE-1", 2_u8), ("GE-3", 1)] {
        let id: RecordId = record.parse().unwrap();
        let key = |number: u8| (CompartmentLabel([number; 16]), ContentKey::from_bytes([0x10 | number; 32]));
        grant.insert(id, Granted { ticket: lane("GE").ticket(&id), keys: (1..=compartments).map(key).collect() });
    }
    let (author, w1, keys) = (lane("GE"), lane("W1"), grant.fields());
    let drafts = [CompartmentDraft { name: KEYS, fields: &keys, readers: vec![&author, &w1] }];
    let body = seal_body(&context, &drafts, &mut Randomness::new([5; 32])).unwrap();
    assert!(body.open(&context, &lane("TR")).unwrap().is_empty());
    let opened = body.open(&context, &w1).unwrap();
    assert_eq!(Grant::from_opened(&opened[0]).unwrap().fields(), keys);
    let fields: BTreeMap<_, _> = keys.iter().map(|(name, value)| (name.as_str(), hex(cbor::encode(value)))).collect();
    check(
        "grant.json",
        &json!({
            "federation": hex(context.federation.0.0),
            "record": "GE-7",
            "lane_secret": hex([1; 32]),
            "fields": fields,
            "plaintext": hex(probe::plaintext(KEYS, &keys, (0, 0)).unwrap()),
            "head": hex(body.head.encode()),
            "cose_encrypt": hex(&body.compartments[0]),
        }),
    );
}

fn context(record: &str) -> SealContext {
    SealContext { federation: FederationId(sha256(b"vector federation")), record: record.parse().unwrap() }
}

fn secret() -> LaneSecret {
    LaneSecret::from_bytes([1; 32])
}

fn lane(member: &str) -> LaneKey {
    secret().lane_key(code(member))
}

fn fields(entries: &[(&str, Value)]) -> BTreeMap<String, Value> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}
