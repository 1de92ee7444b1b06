//! What the statement binds: the head, the fields shown, the compartments disclosed.

use std::collections::BTreeSet;

use super::Facts;
use crate::encoding::hash::sha256;
use crate::evidence::parts::Parts;
use crate::evidence::report::Claims;
use crate::ledger::{Binds, Statement};
use crate::seal::{BodyHead, CompartmentHead, CompartmentLabel, FieldProof, LanesHead, SealContext};

pub(super) fn check_body(parts: &Parts, facts: &mut Facts, claims: &mut Claims) {
    let head = match read_head(parts, &facts.statement, claims) {
        Some(head) => head,
        None => {
            let orphans = parts.fields.keys().chain(parts.sealed.keys()).chain(parts.keys.keys());
            for label in orphans.collect::<BTreeSet<_>>() {
                claims.failed(
                    format!("fields {label}"),
                    "The compartment belongs to the record.",
                    "there is no body head that it could belong to",
                );
            }
            return;
        }
    };
    for (label, proofs) in &parts.fields {
        let name = format!("fields {label}");
        match read_fields(&head, label, proofs) {
            Ok((compartment, size)) => {
                claims.proved(
                    name,
                    format!(
                        "{} of {size} fields of the compartment \"{compartment}\" are what the author bound with its signature.",
                        proofs.len()
                    ),
                );
                facts.compartments.insert(*label, compartment);
            }
            Err(reason) => {
                claims.failed(name, "The fields are what the author bound with its signature.", reason);
            }
        }
    }
    let context = SealContext { federation: facts.federation.id(), record: facts.statement.id };
    for label in parts.sealed.keys().chain(parts.keys.keys()).collect::<BTreeSet<_>>() {
        let name = format!("compartment {label}");
        match open_disclosed(parts, &head, &context, label) {
            Ok(direct) => {
                claims.proved(name, "The compartment, as it was sealed, opens with the disclosed key to these fields.");
                facts.direct.insert(*label, direct);
            }
            Err(reason) => claims.failed(name, "The compartment opens with the disclosed key to these fields.", reason),
        }
    }
}

/// The compartments of the body; `None` if the head is not there or not good.
fn read_head(parts: &Parts, statement: &Statement, claims: &mut Claims) -> Option<Vec<CompartmentHead>> {
    const SENTENCE: &str = "head.cbor is what the statement binds.";
    let Some(bytes) = &parts.head else {
        claims.not_claimed("head", "What the record says: the head of its body is not part of this folder.");
        return None;
    };
    if sha256(bytes) != statement.digest {
        claims.failed("head", SENTENCE, "its SHA-256 is not the statement's payload");
        return None;
    }
    match statement.binds {
        Binds::Lanes => match LanesHead::decode(bytes) {
            Ok(head) => {
                claims.proved(
                    "head",
                    format!(
                        "The statement binds the keys of {} lanes of the author's log for epoch {}, each sealed to its member. \
                         There is nothing in it to be opened for others.",
                        head.slots, head.epoch
                    ),
                );
                Some(Vec::new())
            }
            Err(error) => {
                claims.failed("head", SENTENCE, error);
                None
            }
        },
        Binds::Body => match BodyHead::decode(bytes) {
            Ok(head) if head.size_class() == Some(statement.size_class) => {
                claims.proved(
                    "head",
                    format!(
                        "The statement binds a sealed body of {} compartments by its head.",
                        head.compartments().len()
                    ),
                );
                Some(head.compartments().to_vec())
            }
            Ok(_) => {
                claims.failed("head", SENTENCE, "the body has another size class than the statement says");
                None
            }
            Err(error) => {
                claims.failed("head", SENTENCE, error);
                None
            }
        },
    }
}

fn find<'a>(head: &'a [CompartmentHead], label: &CompartmentLabel) -> Result<&'a CompartmentHead, String> {
    head.iter().find(|compartment| compartment.label == *label).ok_or("the body has no such compartment".to_owned())
}

/// The compartment's name and how many fields it has in all.
fn read_fields(
    head: &[CompartmentHead],
    label: &CompartmentLabel,
    proofs: &[FieldProof],
) -> Result<(String, u64), String> {
    let compartment = find(head, label)?;
    let first = proofs.first().ok_or("there is no field")?;
    for proof in proofs {
        proof.verify(&compartment.fields_root).map_err(|error| error.to_string())?;
        if proof.compartment != first.compartment || proof.size != first.size {
            return Err("the fields are of different compartments".to_owned());
        }
    }
    if !proofs.is_sorted_by(|a, b| a.index < b.index && a.field.name < b.field.name) {
        return Err("the fields are not in their order, each once".to_owned());
    }
    Ok((first.compartment.clone(), first.size))
}

/// Opens a compartment with its disclosed key; gives it with one `direct` recipient.
fn open_disclosed(
    parts: &Parts,
    head: &[CompartmentHead],
    context: &SealContext,
    label: &CompartmentLabel,
) -> Result<Vec<u8>, String> {
    let compartment = find(head, label)?;
    let (Some(sealed), Some(key)) = (parts.sealed.get(label), parts.keys.get(label)) else {
        return Err("the sealed compartment and its key come together".to_owned());
    };
    let opened = compartment.open_with(context, sealed, key).map_err(|error| error.to_string())?;
    let proofs = opened.fields().iter().map(|field| opened.field_proof(&field.name)).collect::<Option<Vec<_>>>();
    if proofs.as_deref() != parts.fields.get(label).map(Vec::as_slice) {
        return Err("it holds other fields than those shown".to_owned());
    }
    compartment.with_direct_recipient(sealed).map_err(|error| error.to_string())
}
