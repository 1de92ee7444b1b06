//! Whether the federation in a bundle is the one that the verifier has in mind.
//!
//! The verifier brings a charter file from a source it trusts. The chain in the bundle must be of the same federation, and
//! one of the two chains must continue the other: the bundle may be older than the file, or newer, but never contradict it.
//! A newer version in the bundle counts because the members of the trusted one signed it.

use super::check::{Facts, cosignature_claim, receipt_claim};
use super::report::Claims;
use crate::identity::{Federation, Published};

const SENTENCE: &str =
    "The charter that you trust and the one in the folder are of one federation and one chain of versions.";

/// Reads and checks the verifier's charter file.
pub(super) fn read(trusted: &[u8], claims: &mut Claims) -> Option<Federation> {
    let federation = Published::decode(trusted)
        .map_err(|error| error.to_string())
        .and_then(|published| published.verify().map_err(|error| error.to_string()));
    match federation {
        Ok(federation) => Some(federation),
        Err(reason) => {
            claims.failed("trusted charter", "The charter file that you trust is good.", reason);
            None
        }
    }
}

/// Holds what was found under the bundle's own charter against the trusted one.
/// `found` are the claims made there; those that do not hold under the trusted charter are withdrawn.
pub(super) fn compare(facts: &Facts, trusted: &Federation, found: &mut Claims, claims: &mut Claims) {
    let Some(newest) = join(&facts.federation, trusted, claims) else { return };
    look_for_changed_keys(facts, &newest, found);
    look_for_a_cut(facts, &newest, claims);
}

/// The newer of the bundle's charter and the trusted one, with the newest manifests of both; `None`, and a failed claim, if they contradict.
pub(super) fn join(own: &Federation, theirs: &Federation, claims: &mut Claims) -> Option<Federation> {
    // Each way round, so that whichever of two charters or manifests is newer must follow the other.
    let joined = if own == theirs {
        Ok(theirs.clone())
    } else {
        theirs.with_published(own.published()).and_then(|news| {
            own.with_published(theirs.published())?;
            Ok(news.unwrap_or_else(|| theirs.clone()))
        })
    };
    match joined {
        Ok(newest) => {
            let versions =
                format!("Yours is version {}, that in the folder version {}.", version(theirs), version(own));
            claims.proved("trusted charter", format!("{SENTENCE} {versions}"));
            Some(newest)
        }
        Err(error) => {
            claims.failed("trusted charter", SENTENCE, error);
            None
        }
    }
}

/// A witness key that was replaced since cannot be told from one that was stolen and replaced for that reason.
fn look_for_changed_keys(facts: &Facts, newest: &Federation, found: &mut Claims) {
    let author = facts.statement.id.log.member;
    for member in facts.witnesses().into_keys().filter(|member| *member != author) {
        if newest.witness_key(member) != facts.federation.witness_key(member) {
            let why =
                format!("the manifest of {member} that goes with the charter you trust lists another witness key.");
            found.withdraw(&receipt_claim(member), &why);
            found.withdraw(&cosignature_claim(member), &why);
            found.withdraw("witnesses", &why);
        }
    }
}

/// A log that its member closed before the record: the member disowns it.
fn look_for_a_cut(facts: &Facts, newest: &Federation, claims: &mut Claims) {
    let id = facts.statement.id;
    let closed =
        newest.manifest(id.log.member).and_then(|manifest| manifest.log(&id.log)).and_then(|entry| entry.closed);
    match closed {
        Some(size) if size <= id.position => claims.not_claimed(
            "standing",
            format!(
                "That {} stands by the record: it has closed its log {} at {size} statements and disowns what is beyond. The \
                 cosignatures of other members show what they held all the same.",
                id.log.member, id.log
            ),
        ),
        Some(_) | None => claims.proved(
            "standing",
            format!("As far as the newest manifest here tells, {} has not disowned the record.", id.log.member),
        ),
    }
}

fn version(federation: &Federation) -> u64 {
    federation.charter().version()
}
