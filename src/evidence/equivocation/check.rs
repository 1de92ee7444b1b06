//! What a proof shows by itself, under the members whose keys it names.

use super::{Equivocation, SignedTwice};
use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::time::UnixTime;
use crate::evidence::report::Claims;
use crate::identity::{CharterSplit, Federation, ManifestSplit, PublicKey};
use crate::ledger::statement::Unverified;
use crate::ledger::{Claim, ForkProof, Root, Statement};

/// A proof that holds.
pub(super) struct Proved {
    pub(super) what: SignedTwice,
    /// What was signed, each in its own envelope.
    pub(super) signed: Vec<Vec<u8>>,
    /// How the two contradict each other, in words.
    pub(super) how: String,
    /// The key of a log that signed both, and its member.
    pub(super) key: Option<(MemberCode, PublicKey)>,
}

/// Whether a proof holds.
///
/// # Errors
/// Why it accuses nobody, in words.
pub(super) fn proves(proof: &Equivocation, federation: &Federation) -> Result<Proved, String> {
    match proof {
        Equivocation::Log(proof) => of_log(proof, federation),
        Equivocation::Statements(both) => of_statements(both, federation),
        Equivocation::Charters(split) => of_charters(split, federation),
        Equivocation::Manifests(split) => of_manifests(split, federation),
    }
}

fn of_log(proof: &ForkProof, federation: &Federation) -> Result<Proved, String> {
    let (log, size) = proof.verify(federation).map_err(|error| error.to_string())?;
    let roots = [&proof.lesser, &proof.greater].map(|root| root.claim().map_err(|error| error.to_string()));
    let [lesser, greater] = roots;
    let (lesser, greater) = (lesser?, greater?);
    let (one, other) = (checkpoint(&lesser), checkpoint(&greater));
    let how = match (&lesser.claim, &greater.claim) {
        (Claim::Checkpoint { size: a, .. }, Claim::Checkpoint { size: b, .. }) if a != b => format!(
            "{one}, and {other}. No tree of {b} statements with the second root had the first at {a}: the path in the proof gives the second, and \
             at {a} another than the first."
        ),
        _ if lesser.root == greater.root => {
            format!("{one}, and {other}: one root, and two different commitments to what was addressed to whom.")
        }
        _ => format!("{one}, and {other}: two roots of one size."),
    };
    Ok(Proved {
        what: SignedTwice::Log { log, size },
        signed: vec![proof.lesser.encode(), proof.greater.encode()],
        how,
        key: key_of(log, federation),
    })
}

fn checkpoint(root: &Root) -> String {
    let size = root.claim.log_and_size().map_or(0, |(_, size)| size);
    format!("a checkpoint over {size} statements with the root {}, dated {}", root.root, root.issued_at)
}

fn of_statements(both: &[Vec<u8>; 2], federation: &Federation) -> Result<Proved, String> {
    let mut read = Vec::new();
    for bytes in both {
        let (statement, _) = Statement::read(bytes).map_err(|flaw| flaw.to_string())?;
        let id = statement.id;
        let key = federation.log_key(&id.log).ok_or_else(|| format!("no manifest lists the log {}", id.log))?;
        let unverified = Unverified::read(bytes, id, federation.id(), key, UnixTime::ZERO);
        unverified.and_then(Unverified::verify).map_err(|flaw| flaw.to_string())?;
        read.push(statement);
    }
    let [one, other] = <[Statement; 2]>::try_from(read).map_err(|_| "not two statements".to_owned())?;
    if one.id != other.id {
        return Err(format!("they are of two records, {} and {}", one.id, other.id));
    }
    if one == other {
        return Err("they say the same".to_owned());
    }
    let how = format!(
        "one dated {} that binds {}, and one dated {} that binds {}.",
        one.issued_at, one.digest, other.issued_at, other.digest
    );
    Ok(Proved { what: SignedTwice::Statement(one.id), signed: both.to_vec(), how, key: key_of(one.id.log, federation) })
}

fn of_charters(split: &[u8], federation: &Federation) -> Result<Proved, String> {
    let split = CharterSplit::verify(split, federation.chain()).map_err(|error| error.to_string())?;
    if split.settled().is_some() {
        return Err("it says what somebody has chosen, which proves nothing".to_owned());
    }
    let digests = split.digests().map(|digest| digest.to_string()).collect::<Vec<_>>().join(" and ");
    Ok(Proved {
        what: SignedTwice::Charter { version: split.version() },
        signed: split.rivals().map(crate::identity::SignedCharter::encode).collect(),
        how: format!("the quorum of version {} has signed {digests}.", split.version().saturating_sub(1)),
        key: None,
    })
}

fn of_manifests(split: &[u8], federation: &Federation) -> Result<Proved, String> {
    let split = ManifestSplit::verify(split, federation).map_err(|error| error.to_string())?;
    let member = split.member().ok_or("a proof about nobody")?;
    let digests = split.digests().map(|digest| digest.to_string()).collect::<Vec<_>>().join(" and ");
    Ok(Proved {
        what: SignedTwice::Manifest { member, version: split.version() },
        signed: split.rivals().map(crate::identity::SignedManifest::encode).collect(),
        how: format!("the root key of {member} has signed {digests}."),
        key: None,
    })
}

fn key_of(log: LogId, federation: &Federation) -> Option<(MemberCode, PublicKey)> {
    federation.log_key(&log).map(|key| (log.member, *key))
}

/// Says what the proof shows, and what it does not.
pub(super) fn claim(proved: &Proved, newest: &Federation, claims: &mut Claims) {
    let Proved { what, how, .. } = proved;
    claims.proved("equivocation", format!("Signed twice: {what}. Signed are {how}"));
    match *what {
        SignedTwice::Log { log, size } => {
            claims.proved("key", signed_with(log, newest));
            settlement(log, size, newest, claims);
            claims.not_claimed("history", format!("Which of the two histories of {log} is the one that others hold."));
            claims.not_claimed(
                "before",
                format!(
                    "Anything against what other members cosigned of {log} before they parted: that stands as it did, and evidence about it verifies."
                ),
            );
        }
        SignedTwice::Statement(id) => {
            claims.proved("key", signed_with(id.log, newest));
            settlement(id.log, id.position, newest, claims);
            claims.not_claimed(
                "history",
                format!("Which of the two is in the log {}: a receipt of each shows that.", id.log),
            );
        }
        SignedTwice::Charter { version } => {
            claims.not_claimed("settlement", format!(
                "Which charter of version {version} stands: the operators of the nodes choose, after their members have spoken."
            ));
        }
        SignedTwice::Manifest { member, version } => {
            match newest.manifest(member).filter(|held| held.version() > version) {
                Some(held) => claims.proved(
                    "settlement",
                    format!("{member} has signed a later manifest since, version {}; that one holds.", held.version()),
                ),
                None => claims.not_claimed("settlement", format!("That {member} has signed a later manifest.")),
            }
        }
    }
    claims.not_claimed(
        "who",
        "Who did it: a signature shows that the key was used, be it by its member, by whoever has stolen it, or by a copy of its machine.",
    );
}

fn signed_with(log: LogId, federation: &Federation) -> String {
    let kid = federation.log_key(&log).map_or_else(String::new, |key| key.kid().to_string());
    let member = log.member;
    format!(
        "Both are signed with the key of the log {log} ({kid}), which a manifest of {member} lists that its root key has signed."
    )
}

/// Whether the member's root has said where its log ends.
fn settlement(log: LogId, size: u64, newest: &Federation, claims: &mut Claims) {
    let member = log.member;
    match newest.manifest(member).and_then(|manifest| manifest.log(&log)).and_then(|entry| entry.closed) {
        Some(closed) if closed <= size => claims.proved(
            "settlement",
            format!("With its root key {member} has closed the log {log} at {closed} statements, and disowns what is beyond, in either history."),
        ),
        Some(closed) => claims.not_claimed(
            "settlement",
            format!(
                "What {member} stands by: with its root key it has closed the log {log} at {closed} statements, beyond the {size} at which two histories \
                 are signed."
            ),
        ),
        None => claims.not_claimed(
            "settlement",
            format!("What {member} stands by: as far as the newest manifest here tells, it has not closed the log {log}."),
        ),
    }
}
