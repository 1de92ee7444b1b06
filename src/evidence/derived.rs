//! The files that follow from the signed ones: PEM, hexadecimal, JSON, the README and what other tools open.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde_json::Value as Json;

use super::Bundle;
use super::check::Facts;
use super::layout::Place;
use super::parts::Parts;
use super::readme;
use super::report::Claims;
use crate::encoding::cbor::{Map, Value};
use crate::encoding::cose::{Sign1, label};
use crate::encoding::ids::MemberCode;
use crate::identity::PublicKey;
use crate::record::{Content, PartialRecord};

/// All derived files. `claims` are those of the check that gave `facts`, and of nothing else.
pub(super) fn files(parts: &Parts, facts: &Facts, claims: &Claims) -> Bundle {
    let mut files: BTreeMap<Place, Vec<u8>> = BTreeMap::new();
    files.insert(Place::Transparent, transparent(parts, facts));
    files.insert(Place::Leaf, format!("{}\n", HEXLOWER.encode(&parts.statement)).into_bytes());
    files.extend(keys(facts).into_iter().map(|(member, key)| (Place::Key(member), key.to_pem().into_bytes())));
    files.extend(facts.direct.iter().map(|(label, bytes)| (Place::Direct(*label), bytes.clone())));
    if !parts.fields.is_empty() {
        files.insert(Place::Body, body(parts).into_bytes());
    }
    files.insert(Place::Readme, readme::readme(parts, facts, claims).into_bytes());
    files.into_iter().map(|(place, bytes)| (place.to_string(), bytes)).collect()
}

/// The statement with all receipts, the author's first (RFC 9943).
fn transparent(parts: &Parts, facts: &Facts) -> Vec<u8> {
    let author = facts.statement.id.log.member;
    let others = parts.receipts.iter().filter(|(member, _)| **member != author).map(|(_, receipt)| receipt);
    let receipts = parts.receipts.get(&author).into_iter().chain(others);
    let receipts = receipts.map(|receipt| Value::Bytes(receipt.encode())).collect::<Vec<_>>();
    Sign1 { unprotected: Map::new().with(label::RECEIPTS, receipts), ..facts.object.clone() }.encode()
}

/// The key that each signature of a member here verifies with: the author's log key, the others' witness keys.
pub(super) fn keys(facts: &Facts) -> BTreeMap<MemberCode, PublicKey> {
    let log = facts.statement.id.log;
    let witnesses =
        facts.witnesses().into_keys().filter_map(|member| Some((member, *facts.federation.witness_key(member)?)));
    witnesses.chain(facts.federation.log_key(&log).map(|key| (log.member, *key))).collect()
}

/// The shown fields in the record's JSON view, its names in alphabetical order.
fn body(parts: &Parts) -> String {
    let view = sorted(PartialRecord::from_content(&content(parts)).to_json());
    format!("{view:#}\n")
}

/// The shown fields by compartment.
pub(super) fn content(parts: &Parts) -> Content {
    let mut content = Content::new();
    for proof in parts.fields.values().flatten() {
        // A compartment that this version cannot name is shown by its proofs alone.
        if let Ok(compartment) = proof.compartment.parse() {
            let fields = content.entry(compartment).or_default();
            fields.entry(proof.field.name.clone()).or_insert_with(|| proof.field.value.clone());
        }
    }
    content
}

/// Whatever order the JSON library keeps, features of other crates change it.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let ordered: BTreeMap<String, Json> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Json::Object(ordered.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => json,
    }
}
