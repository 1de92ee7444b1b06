//! Who signed a tree with the statement in it: receipts and frontier cosignatures.

use std::collections::BTreeMap;

use super::{Facts, cosignature_claim, list, receipt_claim};
use crate::encoding::ids::MemberCode;
use crate::evidence::parts::Parts;
use crate::evidence::report::Claims;
use crate::identity::Federation;
use crate::ledger::{Claim, FrontierEntry, Receipt, Root, Statement};

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
        let checked = held.check(&parts.statement, id, federation);
        match checked.and_then(|(root, entry)| {
            if root.by == *member { Ok((root, entry)) } else { Err(format!("it is signed by {}", root.by)) }
        }) {
            Ok((root, entry)) => {
                claims.proved(
                    name,
                    format!(
                        "{member} signed that it had verified and stored {} statements of the log {}, {id} among them at position {}; \
                         dated {}. One signature of it is over all logs that it held.",
                        entry.size, id.log, id.position, root.issued_at
                    ),
                );
                found.insert(*member, (root, entry));
            }
            Err(reason) => {
                claims.failed(
                    name,
                    format!("{member} signed a list of logs, among them {} with {id}.", id.log),
                    reason,
                );
            }
        }
    }
    found
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
