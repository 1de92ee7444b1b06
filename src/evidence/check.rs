//! What the signed files of a bundle show, by themselves: the one set of checks for export and verification.
//!
//! "By themselves" means: under the charter in the bundle. Whether that is the charter of the federation that the verifier
//! has in mind is for [`super::trust`].

use std::collections::{BTreeMap, BTreeSet};

use super::material::FrontierCosignature;
use super::parts::Parts;
use super::report::Claims;
use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::merkle;
use crate::encoding::time::UnixTime;
use crate::identity::{Federation, Published};
use crate::ledger::statement::Unverified;
use crate::ledger::{Binds, Claim, Frontier, FrontierEntry, Receipt, Root, Statement};
use crate::seal::{BodyHead, CompartmentHead, CompartmentLabel, FieldProof, LanesHead, SealContext};

/// What was checked and found good.
pub(super) struct Facts {
    pub(super) federation: Federation,
    pub(super) statement: Statement,
    /// The author's checkpoint and the others' per-log cosignatures.
    pub(super) receipts: BTreeMap<MemberCode, Root>,
    /// The frontier cosignatures, each with the place that the record's log has in it.
    pub(super) cosignatures: BTreeMap<MemberCode, (Root, FrontierEntry)>,
    /// The name of each compartment of which fields are shown.
    pub(super) compartments: BTreeMap<CompartmentLabel, String>,
    /// The disclosed compartments as any holder of their key opens them.
    pub(super) direct: BTreeMap<CompartmentLabel, Vec<u8>>,
}

/// The names of claims whose key belongs to a member other than the author.
pub(super) fn receipt_claim(member: MemberCode) -> String {
    format!("receipt {member}")
}

/// As [`receipt_claim`], for frontier cosignatures.
pub(super) fn cosignature_claim(member: MemberCode) -> String {
    format!("cosignature {member}")
}

/// Checks everything that does not depend on whom the verifier trusts. `None` if a claim failed on which others rest;
/// otherwise facts, which hold only if no claim failed.
pub(super) fn check(parts: &Parts, claims: &mut Claims) -> Option<Facts> {
    let federation = check_federation(parts, claims)?;
    let statement = check_statement(parts, &federation, claims)?;
    let receipts = check_receipts(parts, &federation, &statement, claims);
    let cosignatures = check_cosignatures(parts, &federation, &statement, claims);
    let mut facts =
        Facts { federation, statement, receipts, cosignatures, compartments: BTreeMap::new(), direct: BTreeMap::new() };
    check_one_history(&facts, claims);
    sum_up_witnesses(&facts, claims);
    check_body(parts, &mut facts, claims);
    disclaim(&facts, claims);
    Some(facts)
}

fn check_federation(parts: &Parts, claims: &mut Claims) -> Option<Federation> {
    let published = Published { charters: parts.charters.clone(), manifests: parts.manifests.clone() };
    match published.verify() {
        Ok(federation) => {
            let charter = federation.charter();
            claims.proved(
                "charter",
                format!(
                    "Version {} of the charter of \"{}\" is signed by the quorum that it and its predecessors demand. The \
                     federation's id is {}.",
                    charter.version(),
                    charter.name(),
                    federation.id()
                ),
            );
            claims.proved(
                "manifests",
                format!(
                    "The keys of {} are listed in manifests, each signed with the root key that the charter gives the member.",
                    list(federation.manifests().keys())
                ),
            );
            Some(federation)
        }
        Err(error) => {
            let (name, sentence) = match error {
                crate::identity::FederationError::Charter(_) => (
                    "charter",
                    "The charter in the folder is signed by the quorum that it and its predecessors demand.",
                ),
                crate::identity::FederationError::Manifest(_)
                | crate::identity::FederationError::ManifestMissing { .. }
                | crate::identity::FederationError::KeyShared { .. }
                | crate::identity::FederationError::AnotherFederation { .. } => {
                    ("manifests", "Every member's keys are listed in a manifest signed with its root key.")
                }
            };
            claims.failed(name, sentence, error);
            None
        }
    }
}

fn check_statement(parts: &Parts, federation: &Federation, claims: &mut Claims) -> Option<Statement> {
    const SENTENCE: &str = "The statement is signed with the key of the log that it names.";
    let (statement, _) = match Statement::read(&parts.statement) {
        Ok(read) => read,
        Err(flaw) => {
            claims.failed("statement", SENTENCE, flaw);
            return None;
        }
    };
    let id = statement.id;
    let Some(key) = federation.log_key(&id.log) else {
        claims.failed("statement", SENTENCE, format!("no manifest lists the log {}", id.log));
        return None;
    };
    let read = Unverified::read(&parts.statement, id, federation.id(), key, UnixTime::ZERO);
    if let Err(flaw) = read.and_then(Unverified::verify) {
        claims.failed("statement", SENTENCE, flaw);
        return None;
    }
    claims.proved(
        "statement",
        format!(
            "{} signed the statement {id} with the key of its log {} ({}) and dated it {}.",
            id.log.member,
            id.log,
            key.kid(),
            statement.issued_at
        ),
    );
    Some(statement)
}

fn check_receipts(
    parts: &Parts,
    federation: &Federation,
    statement: &Statement,
    claims: &mut Claims,
) -> BTreeMap<MemberCode, Root> {
    let author = statement.id.log.member;
    let mut roots = BTreeMap::new();
    if !parts.receipts.contains_key(&author) {
        claims.failed(
            receipt_claim(author),
            format!("{author} signed that {} stands in its log.", statement.id),
            "there is no receipt by the author",
        );
    }
    for (member, receipt) in &parts.receipts {
        let name = receipt_claim(*member);
        let id = statement.id;
        match read_receipt(receipt, *member, &parts.statement, federation, statement) {
            Ok((root, size)) => {
                let log = id.log;
                let says = if *member == author {
                    format!("its log {log} has {size} statements")
                } else {
                    format!("it had verified and stored {size} statements of the log {log}")
                };
                claims.proved(
                    name,
                    format!(
                        "{member} signed that {says}, {id} among them at position {}; dated {}.",
                        id.position, root.issued_at
                    ),
                );
                roots.insert(*member, root);
            }
            Err(reason) => {
                claims.failed(
                    name,
                    format!("{member} signed a tree of the log {} in which {id} stands.", id.log),
                    reason,
                );
            }
        }
    }
    roots
}

fn read_receipt(
    receipt: &Receipt,
    member: MemberCode,
    leaf: &[u8],
    federation: &Federation,
    statement: &Statement,
) -> Result<(Root, u64), String> {
    let root = receipt
        .signed_root(leaf)
        .map_err(|fault| fault.to_string())?
        .verify(federation)
        .map_err(|fault| fault.to_string())?;
    let (log, size) = root.claim.log_and_size().ok_or("it is about no log")?;
    if root.by != member {
        return Err(format!("it is signed by {}", root.by));
    }
    let is_owners = matches!(root.claim, Claim::Checkpoint { .. });
    if is_owners != (member == log.member) {
        return Err("an author signs checkpoints of its own log, and other members cosignatures".to_owned());
    }
    if log != statement.id.log || receipt.index() != statement.id.position {
        return Err(format!("it is for position {} of the log {log}", receipt.index()));
    }
    Ok((root, size))
}

fn check_cosignatures(
    parts: &Parts,
    federation: &Federation,
    statement: &Statement,
    claims: &mut Claims,
) -> BTreeMap<MemberCode, (Root, FrontierEntry)> {
    let id = statement.id;
    let mut found = BTreeMap::new();
    for (member, held) in &parts.cosignatures {
        let name = cosignature_claim(*member);
        match read_cosignature(held, *member, &parts.statement, federation, statement) {
            Ok((root, entry)) => {
                claims.proved(
                    name,
                    format!(
                        "{member} signed that it had verified and stored {} logs, among them {} with {} statements, {id} \
                         at position {}; dated {}.",
                        held.entries.len(),
                        id.log,
                        entry.size,
                        id.position,
                        root.issued_at
                    ),
                );
                found.insert(*member, (root, entry));
            }
            Err(reason) => {
                claims.failed(
                    name,
                    format!("{member} signed a list of logs, one of them {} with {id}.", id.log),
                    reason,
                );
            }
        }
    }
    found
}

fn read_cosignature(
    held: &FrontierCosignature,
    member: MemberCode,
    leaf: &[u8],
    federation: &Federation,
    statement: &Statement,
) -> Result<(Root, FrontierEntry), String> {
    let root = held.root.verify(federation).map_err(|fault| fault.to_string())?;
    let Claim::Frontier { logs } = root.claim else { return Err("it is not over a list of logs".to_owned()) };
    if root.by != member {
        return Err(format!("it is signed by {}", root.by));
    }
    if member == statement.id.log.member {
        return Err("an author is no witness of its own log".to_owned());
    }
    if !Frontier::is_ordered(&held.entries) || held.entries.len() as u64 != logs {
        return Err("the list is not the one that was signed".to_owned());
    }
    if held.entries.iter().copied().collect::<Frontier>().root() != root.root {
        return Err("the list does not give the signed root".to_owned());
    }
    let log = statement.id.log;
    let entry =
        held.entries.iter().find(|entry| entry.log == log).ok_or(format!("the log {log} is not in the list"))?;
    let leaf = merkle::leaf_hash(leaf);
    if !merkle::verify_inclusion(&leaf, statement.id.position, entry.size, &held.path, &entry.root) {
        return Err(format!("the path does not lead from the statement to the root of the log {log} in the list"));
    }
    Ok((root, *entry))
}

/// Two roots for one size would mean that two histories of the log were signed.
fn check_one_history(facts: &Facts, claims: &mut Claims) {
    const SENTENCE: &str = "All signatures over one size of the log are over one root.";
    let of_receipts = facts.receipts.values().filter_map(|root| Some((root.claim.log_and_size()?.1, root.root)));
    let of_frontiers = facts.cosignatures.values().map(|(_, entry)| (entry.size, entry.root));
    let mut roots = BTreeMap::new();
    for (size, root) in of_receipts.chain(of_frontiers) {
        if *roots.entry(size).or_insert(root) != root {
            claims.failed("one history", SENTENCE, format!("there are two roots for size {size}"));
            return;
        }
    }
    claims.proved("one history", SENTENCE);
    if roots.len() > 1 {
        claims.not_claimed(
            "consistency",
            format!(
                "That the log only grew between the {} sizes that are signed here. The record is shown to stand at its position in \
                 each of them, and that is all that it takes.",
                roots.len()
            ),
        );
    }
}

fn sum_up_witnesses(facts: &Facts, claims: &mut Claims) {
    let witnesses = facts.witnesses();
    let Some(since) = witnesses.values().min() else {
        claims.not_claimed(
            "witnesses",
            "That any other member held the statement: no cosignature is part of this folder. Its date and place rest on the \
             author's word alone.",
        );
        return;
    };
    claims.proved(
        "witnesses",
        format!(
            "Besides the author, {} signed that the statement was held; the earliest of these signatures is dated {since}. Whoever \
             believes one of these members about its date knows that the statement is no younger.",
            list(witnesses.keys())
        ),
    );
}

fn check_body(parts: &Parts, facts: &mut Facts, claims: &mut Claims) {
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
    if crate::encoding::hash::sha256(bytes) != statement.digest {
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

/// What evidence never shows, so that nobody reads it into it.
fn disclaim(facts: &Facts, claims: &mut Claims) {
    claims.not_claimed("truth", "That what the record says is true: a signature shows who said it.");
    claims.not_claimed("dates", "The dates: each is what its signer states.");
    claims.not_claimed(
        "reception",
        "That another member received or opened the body: only that member's own acknowledgement record shows it.",
    );
    claims.not_claimed(
        "completeness",
        format!("That {} is the last word: later records may amend, withdraw or contradict it.", facts.statement.id),
    );
}

impl Facts {
    /// The other members that vouch, each with the earliest date at which it did.
    pub(super) fn witnesses(&self) -> BTreeMap<MemberCode, UnixTime> {
        let LogId { member: author, .. } = self.statement.id.log;
        let mut witnesses: BTreeMap<MemberCode, UnixTime> = BTreeMap::new();
        let roots = self.receipts.values().chain(self.cosignatures.values().map(|(root, _)| root));
        for root in roots.filter(|root| root.by != author) {
            let earliest = witnesses.entry(root.by).or_insert(root.issued_at);
            *earliest = (*earliest).min(root.issued_at);
        }
        witnesses
    }
}

fn list<'a>(members: impl Iterator<Item = &'a MemberCode>) -> String {
    members.map(MemberCode::as_str).collect::<Vec<_>>().join(", ")
}
