//! Files of evidence that are still CBOR, with one item exchanged, left out, doubled or changed: each is refused, by the claim of its file.
//!
//! A flipped bit mostly breaks the encoding or a signature. What is here can be read, and could be what somebody makes of a folder on
//! purpose: one signature fewer, two fields with each other's salts, a path with its steps turned.

use std::collections::BTreeSet;
use std::thread;

use shieldwall::encoding::cbor::{self, Map, Value};
use shieldwall::evidence::{Bundle, verify};

use super::full;

/// A bundle with one file changed.
struct Mutant {
    what: String,
    bundle: Bundle,
    /// Claims of which at least one must fail.
    claims: BTreeSet<String>,
}

#[test]
fn whatever_else_a_file_could_say_is_refused_by_its_claim() {
    let (_, bundle, trusted) = full();
    let mutants: Vec<Mutant> = bundle.keys().flat_map(|path| mutants(&bundle, path)).collect();
    assert!(mutants.len() >= 1_000, "{} bundles", mutants.len());
    let (one, other) = mutants.split_at(mutants.len() / 2);
    let faults: Vec<String> = thread::scope(|scope| {
        let other = scope.spawn(|| faults(other, &trusted));
        faults(one, &trusted).into_iter().chain(other.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), mutants.len(), faults.join("\n"));
}

/// Those that are not refused, or not by one of the claims that must fail.
fn faults(mutants: &[Mutant], trusted: &[u8]) -> Vec<String> {
    let judge = |mutant: &Mutant| {
        let report = verify(&mutant.bundle, trusted);
        let failed: BTreeSet<String> = report.failures().map(|claim| claim.name.clone()).collect();
        let refused = !report.proved && !failed.is_disjoint(&mutant.claims);
        (!refused).then(|| format!("{}: failed {failed:?}, expected {:?}", mutant.what, mutant.claims))
    };
    mutants.iter().filter_map(judge).collect()
}

fn mutants(bundle: &Bundle, path: &str) -> Vec<Mutant> {
    let bytes = &bundle[path];
    let Ok(value) = cbor::decode(bytes) else { return Vec::new() };
    let mut changed = variants(&value);
    if let (true, Value::Array(fields)) = (path.starts_with("fields/"), &value) {
        changed.extend(with_parts_of_the_next(fields));
    }
    let changed = changed.iter().map(cbor::encode).filter(|changed| changed != bytes);
    changed
        .enumerate()
        .map(|(number, changed)| {
            let mut bundle = bundle.clone();
            bundle.insert(path.to_owned(), changed);
            Mutant { what: format!("{path}, change {number}"), bundle, claims: claims_of(path) }
        })
        .collect()
}

/// The claims that may fall with a file, written down here once more so that the verifier is not its own judge.
fn claims_of(path: &str) -> BTreeSet<String> {
    let (folder, file) = path.split_once('/').unwrap_or(("", path));
    let stem = file.split('.').next().unwrap_or(file);
    let claims = match (folder, file) {
        // A signature that the quorum can do without is missed by README.md alone, which has the digest of the file.
        ("", "charter.cose") => vec!["charter".to_owned(), "derived files".to_owned()],
        ("", "statement.cose") => vec!["statement".to_owned()],
        ("", "head.cbor") => vec!["head".to_owned()],
        ("manifests", _) => vec!["manifests".to_owned()],
        ("receipts", _) => vec![format!("receipt {stem}")],
        ("cosignatures", _) => vec![format!("cosignature {stem}")],
        // A field left out is what redaction does: it is only that the disclosed compartment has more.
        ("fields", _) => vec![format!("fields {stem}"), format!("compartment {stem}")],
        ("compartments", _) if !file.ends_with(".direct.cose") => vec![format!("compartment {stem}")],
        _ => vec!["derived files".to_owned()],
    };
    claims.into_iter().collect()
}

/// The fields with one item of each taken from the one after it.
fn with_parts_of_the_next(fields: &[Value]) -> Vec<Value> {
    let mut all = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        for changed in exchanged(field, &fields[(at + 1) % fields.len()]) {
            let mut fields = fields.to_vec();
            fields[at] = changed;
            all.push(Value::Array(fields));
        }
    }
    all
}

/// The item with one thing in it changed, for each thing in it.
fn variants(value: &Value) -> Vec<Value> {
    match value {
        Value::Int(number) => vec![Value::Int(number + 1)],
        Value::Bytes(bytes) => {
            let mut reversed = bytes.clone();
            reversed.reverse();
            vec![Value::Bytes([&bytes[..], &[0]].concat()), Value::Bytes(reversed)]
        }
        Value::Text(text) => vec![Value::Text(format!("{text}x"))],
        Value::Bool(truth) => vec![Value::Bool(!truth)],
        Value::Null => vec![Value::Int(0)],
        Value::Tag(tag, inner) => {
            let within = variants(inner).into_iter().map(|changed| Value::Tag(*tag, Box::new(changed)));
            within.chain([Value::Tag(tag + 1, inner.clone()), (**inner).clone()]).collect()
        }
        Value::Array(items) => {
            let mut all = Vec::new();
            for at in 0..items.len() {
                let with = |changed: Value| {
                    let mut items = items.clone();
                    items[at] = changed;
                    Value::Array(items)
                };
                all.extend(variants(&items[at]).into_iter().map(with));
                let (mut fewer, mut more, mut turned) = (items.clone(), items.clone(), items.clone());
                fewer.remove(at);
                more.insert(at, items[at].clone());
                turned.swap(at, (at + 1) % items.len());
                all.extend([fewer, more, turned].map(Value::Array));
            }
            all
        }
        Value::Map(map) => {
            let mut all = Vec::new();
            for (key, inner) in map.iter() {
                let with = |changed: Option<Value>| {
                    let entries =
                        map.iter().filter(|(other, _)| *other != key).map(|(key, inner)| (key.clone(), inner.clone()));
                    Value::Map(entries.chain(changed.map(|changed| (key.clone(), changed))).collect::<Map>())
                };
                all.extend(variants(inner).into_iter().map(|changed| with(Some(changed))));
                all.push(with(None));
            }
            all
        }
    }
}

/// `one` with each of its items taken from `other`, one at a time.
fn exchanged(one: &Value, other: &Value) -> Vec<Value> {
    match (one, other) {
        (Value::Array(items), Value::Array(others)) => (0..items.len().min(others.len()))
            .map(|at| {
                let mut items = items.clone();
                items[at] = others[at].clone();
                Value::Array(items)
            })
            .collect(),
        (Value::Map(items), Value::Map(others)) => items
            .iter()
            .filter_map(|(key, _)| {
                let theirs = others.get(key)?.clone();
                let rest =
                    items.iter().filter(|(other, _)| *other != key).map(|(key, inner)| (key.clone(), inner.clone()));
                Some(Value::Map(rest.chain([(key.clone(), theirs)]).collect::<Map>()))
            })
            .collect(),
        _ => Vec::new(),
    }
}
