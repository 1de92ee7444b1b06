//! Checking a bundle offline, against a charter file that the verifier trusts.

use super::Bundle;
use super::check::{Facts, check};
use super::parts::Parts;
use super::report::{Claims, Report};
use super::summary::Summary;
use super::{derived, equivocation, trust};
use crate::identity::Federation;
use crate::ledger::Statement;

/// Checks everything that a bundle claims. `trusted_charter` is a charter file (as a node reads it) that the verifier has
/// from a source it trusts, never from the bundle.
///
/// The report is refused if any claim fails: after one changed byte, and after a file is added, taken away or renamed.
#[must_use]
pub fn verify(bundle: &Bundle, trusted_charter: &[u8]) -> Report {
    let mut claims = Claims::default();
    let trusted = trust::read(trusted_charter, &mut claims);
    judge(bundle, trusted.as_ref(), claims).0
}

/// As [`verify`], and what the bundle proves as values, if no claim failed.
#[must_use]
pub fn summarize(bundle: &Bundle, trusted_charter: &[u8]) -> (Report, Option<Summary>) {
    let mut claims = Claims::default();
    let trusted = trust::read(trusted_charter, &mut claims);
    let (report, checked) = judge(bundle, trusted.as_ref(), claims);
    let summary = checked.filter(|_| report.proved).map(|(parts, facts)| Summary::new(&parts, &facts, &report));
    (report, summary)
}

/// As [`verify`], for a federation whose charter and manifests have been checked before, such as the node's own.
#[must_use]
pub fn verify_under(bundle: &Bundle, trusted: &Federation) -> Report {
    judge(bundle, Some(trusted), Claims::default()).0
}

fn judge(bundle: &Bundle, trusted: Option<&Federation>, mut claims: Claims) -> (Report, Option<(Parts, Facts)>) {
    if bundle.contains_key(equivocation::FILE) {
        return (equivocation::verify(bundle, trusted, claims), None);
    }
    let mut checked = None;
    let parts = Parts::read(bundle, &mut claims);
    let record =
        parts.as_ref().and_then(|parts| Statement::read(&parts.statement).ok()).map(|(statement, _)| statement.id);
    if let Some(parts) = parts {
        let mut found = Claims::default();
        let facts = check(&parts, &mut found);
        let holds = !found.any_failed();
        if let (Some(facts), true) = (&facts, holds) {
            let mut compared = Claims::default();
            compare_derived(bundle, &parts, facts, &found, &mut compared);
            if let Some(trusted) = trusted {
                trust::compare(facts, trusted, &mut found, &mut claims);
            }
            claims.append(found);
            claims.append(compared);
        } else {
            claims.append(found);
        }
        checked = facts.map(|facts| (parts, facts));
    }
    (Report::new(record, claims), checked)
}

/// Derives all files once more and compares them byte by byte with those in the bundle.
fn compare_derived(bundle: &Bundle, parts: &Parts, facts: &Facts, found: &Claims, claims: &mut Claims) {
    const SENTENCE: &str =
        "README.md, keys, leaf.hex, body.json and whatever else is derived is exactly what the signed files give.";
    let derived = derived::files(parts, facts, found);
    let signed = match parts.files() {
        Ok(files) => files,
        Err(reason) => return claims.failed("derived files", SENTENCE, reason),
    };
    compare_files(bundle, &derived.into_iter().chain(signed).collect(), SENTENCE, claims);
}

/// Compares the files of a bundle with those that there must be, and no others.
pub(super) fn compare_files(bundle: &Bundle, expected: &Bundle, sentence: &str, claims: &mut Claims) {
    let mut faults = Vec::new();
    for (path, bytes) in expected {
        match bundle.get(path) {
            Some(found) if found == bytes => {}
            Some(_) => faults.push(format!("{path} is another than the signed files give")),
            None => faults.push(format!("{path} is missing")),
        }
    }
    faults.extend(
        bundle.keys().filter(|path| !expected.contains_key(*path)).map(|path| format!("{path} belongs to nothing")),
    );
    if faults.is_empty() {
        claims.proved("derived files", sentence);
    } else {
        claims.failed("derived files", sentence, faults.join("; "));
    }
}
