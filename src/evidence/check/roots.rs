//! Who signed a tree with the statement in it: receipts and frontier cosignatures.

use std::collections::BTreeMap;

use super::{Facts, cosignature_claim, list, receipt_claim};
use crate::encoding::ids::MemberCode;
use crate::encoding::merkle;
use crate::evidence::material::FrontierCosignature;
use crate::evidence::parts::Parts;
use crate::evidence::report::Claims;
use crate::identity::Federation;
use crate::ledger::{Claim, Frontier, FrontierEntry, Receipt, Root, Statement};

pub(super) fn check_receipts(
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

pub(super) fn check_cosignatures(
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
pub(super) fn check_one_history(facts: &Facts, claims: &mut Claims) {
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

pub(super) fn sum_up_witnesses(facts: &Facts, claims: &mut Claims) {
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
