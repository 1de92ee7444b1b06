//! What the signed files of a bundle show, by themselves: the one set of checks for export and verification.
//!
//! "By themselves" means: under the charter in the bundle. Whether that is the charter of the federation that the verifier
//! has in mind is for `trust`.

mod body;
mod roots;

use std::collections::BTreeMap;

use super::lane;
use super::parts::Parts;
use super::report::Claims;
use crate::encoding::cose::Sign1;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::identity::{Federation, FederationError, Published, SignedCharter, SignedManifest};
use crate::ledger::statement::Unverified;
use crate::ledger::{FrontierEntry, Root, Statement};
use crate::seal::CompartmentLabel;

/// What was checked and found good.
pub(super) struct Facts {
    pub(super) federation: Federation,
    pub(super) statement: Statement,
    /// The statement's envelope.
    pub(super) object: Sign1,
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
    let federation = check_federation(&parts.charters, &parts.manifests, claims)?;
    let (statement, object) = check_statement(parts, &federation, claims)?;
    let receipts = roots::check_receipts(parts, &federation, &statement, claims);
    let cosignatures = roots::check_cosignatures(parts, &federation, &statement, claims);
    let mut facts = Facts {
        federation,
        statement,
        object,
        receipts,
        cosignatures,
        compartments: BTreeMap::new(),
        direct: BTreeMap::new(),
    };
    roots::check_one_history(&facts, claims);
    roots::sum_up_witnesses(&facts, claims);
    body::check_body(parts, &mut facts, claims);
    if let Some(lane) = &parts.lane {
        lane::check(lane, &parts.statement, &facts, claims);
    }
    disclaim(&facts, claims);
    Some(facts)
}

/// Checks the charter and the manifests of a bundle.
pub(super) fn check_federation(
    charters: &[SignedCharter],
    manifests: &BTreeMap<MemberCode, SignedManifest>,
    claims: &mut Claims,
) -> Option<Federation> {
    let published = Published { charters: charters.to_vec(), manifests: manifests.clone() };
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
                FederationError::Charter(_) => (
                    "charter",
                    "The charter in the folder is signed by the quorum that it and its predecessors demand.",
                ),
                FederationError::Manifest(_)
                | FederationError::ManifestMissing { .. }
                | FederationError::KeyShared { .. }
                | FederationError::AnotherFederation { .. } => {
                    ("manifests", "Every member's keys are listed in a manifest signed with its root key.")
                }
            };
            claims.failed(name, sentence, error);
            None
        }
    }
}

fn check_statement(parts: &Parts, federation: &Federation, claims: &mut Claims) -> Option<(Statement, Sign1)> {
    const SENTENCE: &str = "The statement is signed with the key of the log that it names.";
    let (statement, object) = match Statement::read(&parts.statement) {
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
    Some((statement, object))
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
        let author = self.statement.id.log.member;
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
