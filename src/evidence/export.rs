//! Making a bundle out of what a node holds.

use std::collections::{BTreeMap, BTreeSet};

use super::check::check;
use super::derived;
use super::material::{Inclusion, Material};
use super::parts::Parts;
use super::report::Claims;
use super::witnessed::Witnessed;
use super::{Bundle, FILE_BYTES_MAX, FILES_MAX};
use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::encoding::merkle;
use crate::encoding::time::UnixTime;
use crate::ledger::{Claim, Receipt};

/// Trees below this size have receipts with an empty path, which not every verifier takes.
const RECEIPT_SIZE_MIN: u64 = 2;

/// What is to be shown of an opened body.
#[derive(Clone, Debug, Default)]
pub struct ExportOptions {
    /// Compartments (`parties`) and fields (`trade/ucr`) to be left out, everywhere.
    pub redact: BTreeSet<String>,
    /// Add the sealed compartments with their content keys, so that independent tools can open them. A compartment of
    /// which a field is left out is not added.
    pub disclose_keys: bool,
}

/// Why no evidence can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// There is nothing of that name to be left out: perhaps it was meant to be another.
    #[error("no opened compartment or field {name:?} to leave out; there are: {known}")]
    NothingToRedact {
        /// What was asked for.
        name: String,
        /// The compartments that there are.
        known: String,
    },
    /// The log is still too short for a receipt.
    #[error("the checkpoint covers {size} statements; receipts begin at {RECEIPT_SIZE_MIN}, beyond the record")]
    TooShort {
        /// Its size.
        size: u64,
    },
    /// What the node holds does not prove the record; it would not be accepted.
    #[error("the evidence would not be accepted: {claim}: {reason}")]
    NotProvable {
        /// The claim that fails.
        claim: String,
        /// Why it fails.
        reason: String,
    },
    /// More or larger files than are read again.
    #[error("the evidence would have more than {FILES_MAX} files or one of more than {FILE_BYTES_MAX} bytes")]
    TooLarge,
}

/// Makes the bundle for a record. The same material and options give the same bytes.
///
/// # Errors
/// [`ExportError`]; what is returned is always accepted by [`super::verify()`] under the charter of the material.
pub fn export(material: &Material, options: &ExportOptions) -> Result<Bundle, ExportError> {
    let parts = select(material, options)?;
    let mut claims = Claims::default();
    let facts = check(&parts, &mut claims);
    let not_provable =
        |claim: &str, reason: &str| ExportError::NotProvable { claim: claim.to_owned(), reason: reason.to_owned() };
    if let Some((claim, reason)) = claims.first_failure() {
        return Err(not_provable(claim, reason));
    }
    let facts = facts.ok_or_else(|| not_provable("files", "incomplete"))?;
    if facts.statement.id != material.id {
        return Err(not_provable("statement", "it is of another record"));
    }
    let mut bundle = parts.files().map_err(|_| ExportError::TooLarge)?;
    bundle.extend(derived::files(&parts, &facts, &claims));
    if bundle.len() > FILES_MAX || bundle.values().any(|bytes| bytes.len() > FILE_BYTES_MAX) {
        return Err(ExportError::TooLarge);
    }
    Ok(bundle)
}

/// The part of the material that goes into the bundle.
fn select(material: &Material, options: &ExportOptions) -> Result<Parts, ExportError> {
    let redaction = Redaction::new(material, &options.redact)?;
    let published = material.federation.published();
    let author = material.id.log.member;
    let mut receipts: BTreeMap<MemberCode, Receipt> =
        select_cosignatures(material).into_iter().map(|(member, held)| (member, receipt(material, held))).collect();
    let size = size_of(&material.checkpoint);
    if size < RECEIPT_SIZE_MIN || size <= material.id.position {
        return Err(ExportError::TooShort { size });
    }
    receipts.insert(author, receipt(material, &material.checkpoint));
    let mut parts = Parts {
        charters: published.charters,
        manifests: published.manifests,
        statement: material.statement.clone(),
        receipts,
        cosignatures: select_frontiers(material),
        head: material.head.clone(),
        fields: BTreeMap::new(),
        sealed: BTreeMap::new(),
        keys: BTreeMap::new(),
        lane: material.lane.clone(),
    };
    for opened in &material.opened {
        let content = &opened.content;
        let shown = content.fields().iter().filter(|field| !redaction.hides(content.compartment(), &field.name));
        let proofs: Vec<_> = shown.filter_map(|field| content.field_proof(&field.name)).collect();
        let whole = proofs.len() == content.fields().len();
        if proofs.is_empty() {
            continue;
        }
        parts.fields.insert(opened.label, proofs);
        if let (true, true, Some((bytes, key))) = (options.disclose_keys, whole, &opened.sealed) {
            parts.sealed.insert(opened.label, bytes.clone());
            parts.keys.insert(opened.label, key.clone());
        }
    }
    Ok(parts)
}

fn receipt(material: &Material, held: &Inclusion) -> Receipt {
    Receipt::new(&held.root, size_of(held), material.id.position, held.path.clone())
}

fn size_of(held: &Inclusion) -> u64 {
    held.root.claim().ok().and_then(|root| root.claim.log_and_size()).map_or(0, |(_, size)| size)
}

/// Of each other member the earliest per-log cosignature that covers the record.
fn select_cosignatures(material: &Material) -> BTreeMap<MemberCode, &Inclusion> {
    let usable = material.cosignatures.iter().filter_map(|held| {
        let root = held.root.verify(&material.federation).ok()?;
        let Claim::Cosignature { log, size } = root.claim else { return None };
        let covers = log == material.id.log && size >= RECEIPT_SIZE_MIN;
        (covers && root.by != log.member && leads(material, size, &held.path, &root.root)).then_some((
            root.by,
            root.issued_at,
            held,
        ))
    });
    earliest(usable)
}

/// Of each other member the earliest frontier cosignature that covers the record.
fn select_frontiers(material: &Material) -> BTreeMap<MemberCode, Witnessed> {
    let witnessed: Vec<Witnessed> =
        material.frontiers.iter().filter_map(|held| Witnessed::new(held, material.id)).collect();
    let usable = witnessed.iter().filter_map(|held| {
        let (root, _) = held.check(&material.statement, material.id, &material.federation).ok()?;
        Some((root.by, root.issued_at, held))
    });
    earliest(usable).into_iter().map(|(member, held)| (member, held.clone())).collect()
}

/// Whether the path leads from the record to the root. A cosignature for which it does not is of another history than the one
/// held here; it must not stand in the way of evidence for this one.
fn leads(material: &Material, size: u64, path: &[Digest], root: &Digest) -> bool {
    merkle::verify_inclusion(&merkle::leaf_hash(&material.statement), material.id.position, size, path, root)
}

fn earliest<'a, T>(usable: impl Iterator<Item = (MemberCode, UnixTime, &'a T)>) -> BTreeMap<MemberCode, &'a T> {
    let mut chosen: BTreeMap<MemberCode, (UnixTime, &T)> = BTreeMap::new();
    for (member, time, held) in usable {
        if chosen.get(&member).is_none_or(|(before, _)| time < *before) {
            chosen.insert(member, (time, held));
        }
    }
    chosen.into_iter().map(|(member, (_, held))| (member, held)).collect()
}

/// What is to be left out.
struct Redaction<'a>(&'a BTreeSet<String>);

impl<'a> Redaction<'a> {
    /// Refuses names that hide nothing: whoever mistypes a name would show what was to be hidden.
    fn new(material: &Material, names: &'a BTreeSet<String>) -> Result<Self, ExportError> {
        let redaction = Self(names);
        for name in names {
            let alone = BTreeSet::from([name.clone()]);
            let hides = |opened: &super::OpenedCompartment| {
                let compartment = opened.content.compartment();
                opened.content.fields().iter().any(|field| Redaction(&alone).hides(compartment, &field.name))
            };
            if !material.opened.iter().any(hides) {
                let known: BTreeSet<&str> = material.opened.iter().map(|opened| opened.content.compartment()).collect();
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                return Err(ExportError::NothingToRedact { name: name.clone(), known });
            }
        }
        Ok(redaction)
    }

    fn hides(&self, compartment: &str, field: &str) -> bool {
        self.0.contains(compartment) || self.0.contains(&format!("{compartment}/{field}"))
    }
}
