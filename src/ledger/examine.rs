//! What a signer is asked to sign, read by itself: it signs nothing that it does not understand, whatever the rest of the node says it is.
//!
//! The key of a log signs statements of that log, each at the position and with the digest that go into the guard, and checkpoints of that log
//! over no more than the guard knows. The witness key signs what its member has checked of logs, and never a log's own claim.

use super::{Claim, Root, SignedRoot, Statement};
use crate::encoding::cbor::Map;
use crate::encoding::cose::Sign1;
use crate::encoding::hash::{Digest, Kid, sha256};
use crate::encoding::ids::{LogId, MemberCode};

/// What the key of a log was asked to sign.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// The next statements of the log, or some that were signed before.
    Statements(Vec<Statement>),
    /// Checkpoints over what was signed.
    Checkpoints(Vec<Root>),
}

/// Reads what the log's key is to sign, with these entries for the guard, which knows of the first `known` statements.
///
/// # Errors
/// Why the key may not sign it, in words.
pub fn for_log(
    log: LogId,
    kid: Kid,
    known: u64,
    messages: &[Vec<u8>],
    guard: &[(u64, Digest)],
) -> Result<Asked, String> {
    if guard.is_empty() {
        let roots = messages.iter().map(|message| checkpoint(log, kid, known, message));
        return roots.collect::<Result<_, _>>().map(Asked::Checkpoints);
    }
    if messages.len() != guard.len() {
        return Err(format!("{} messages with {} entries for the guard", messages.len(), guard.len()));
    }
    let statements = messages.iter().zip(guard).map(|(message, (position, digest))| {
        let statement = statement(message).ok_or("what is to be signed is no statement")?;
        if statement.id.log != log || statement.id.position != *position {
            return Err(format!("a statement {} is to be signed as {log}-{position}", statement.id));
        }
        if statement.kid != kid {
            return Err(format!("{} names another key", statement.id));
        }
        if sha256(message) != *digest {
            return Err(format!("the guard is told another digest than that of {}", statement.id));
        }
        Ok(statement)
    });
    statements.collect::<Result<_, _>>().map(Asked::Statements)
}

fn checkpoint(log: LogId, kid: Kid, known: u64, message: &[u8]) -> Result<Root, String> {
    let root = root(message).ok_or("what is to be signed is no checkpoint")?;
    let Claim::Checkpoint { log: of, size, .. } = root.claim else {
        return Err("the key of a log signs no cosignature".to_owned());
    };
    if of != log || root.kid != kid {
        return Err(format!("a checkpoint of {of} is to be signed by the key of {log}"));
    }
    if size > known {
        return Err(format!("a checkpoint over {size} statements of {log}, of which the guard knows {known}"));
    }
    Ok(root)
}

/// Whether the witness key of `member` may sign these messages.
///
/// # Errors
/// What is wrong, in words.
pub fn for_witness(member: MemberCode, kid: Kid, messages: &[Vec<u8>]) -> Result<(), String> {
    messages.iter().try_for_each(|message| {
        let root = root(message).ok_or("what is to be signed is no cosignature")?;
        match root.claim {
            Claim::Checkpoint { log, .. } => Err(format!("the witness key signs no checkpoint of {log}")),
            Claim::Cosignature { .. } | Claim::Frontier { .. } if root.by != member || root.kid != kid => {
                Err(format!("a cosignature of {} is to be signed by the witness key of {member}", root.by))
            }
            Claim::Cosignature { .. } | Claim::Frontier { .. } => Ok(()),
        }
    })
}

/// The object that the signature would be of, with another in its place.
fn object(message: &[u8]) -> Option<(Sign1, Vec<u8>)> {
    let (protected, payload) = Sign1::read_to_be_signed(message).ok()?;
    Some((Sign1 { protected, unprotected: Map::new(), payload: None, signature: [0; 64] }, payload))
}

fn statement(message: &[u8]) -> Option<Statement> {
    let (object, payload) = object(message)?;
    let (statement, _) = Statement::read(&Sign1 { payload: Some(payload), ..object }.encode()).ok()?;
    // Byte for byte, so that no other reading of the message is signed.
    (statement.to_be_signed() == message).then_some(statement)
}

fn root(message: &[u8]) -> Option<Root> {
    let (object, payload) = object(message)?;
    let root = SignedRoot::new(object, Digest(payload.try_into().ok()?)).claim().ok()?;
    (root.to_be_signed() == message).then_some(root)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::encoding::ids::{FederationId, RecordId};
    use crate::encoding::time::UnixTime;
    use crate::identity::SecretKey;
    use crate::ledger::Binds;

    const KNOWN: u64 = 7;

    fn log(text: &str) -> LogId {
        text.parse().unwrap()
    }

    fn key(seed: u8) -> Kid {
        SecretKey::from_seed(&[seed; 32]).public().kid()
    }

    fn at() -> UnixTime {
        UnixTime::from_seconds(1_700_000_000).unwrap()
    }

    pub(crate) fn statement_of(name: &str, position: u64, kid: Kid) -> Statement {
        Statement {
            id: RecordId { log: log(name), position },
            kid,
            federation: FederationId(Digest([1; 32])),
            issued_at: at(),
            // The first statement of a log has its lanes.
            binds: if position == 0 { Binds::Lanes } else { Binds::Body },
            digest: Digest([9; 32]),
            lanes: 0,
            tags: vec![[1; 16], [2; 16]],
            size_class: 1,
        }
    }

    pub(crate) fn root_of(claim: Claim, by: &str, kid: Kid) -> Root {
        let federation = FederationId(Digest([1; 32]));
        Root { claim, root: Digest([3; 32]), by: by.parse().unwrap(), kid, issued_at: at(), federation }
    }

    pub(crate) fn checkpoint_of(name: &str, size: u64) -> Claim {
        Claim::Checkpoint { log: log(name), size, commitments: [5; 32] }
    }

    pub(crate) fn entries(messages: &[Vec<u8>], from: u64) -> Vec<(u64, Digest)> {
        (from..).zip(messages.iter().map(|message| sha256(message))).collect()
    }

    fn judged(messages: &[Vec<u8>], guard: &[(u64, Digest)]) -> Result<(), String> {
        for_log(log("GE"), key(1), KNOWN, messages, guard).map(drop)
    }

    #[test]
    fn a_log_key_signs_statements_of_its_log_where_the_guard_has_them() {
        let messages: Vec<_> = (7..9).map(|at| statement_of("GE", at, key(1)).to_be_signed()).collect();
        assert_eq!(judged(&messages, &entries(&messages, 7)), Ok(()));
        let says = |messages: &[Vec<u8>], guard: &[(u64, Digest)]| judged(messages, guard).unwrap_err();
        assert!(says(&messages, &entries(&messages, 8)).contains("a statement GE-7 is to be signed as GE-8"));
        assert!(says(&messages, &entries(&messages[..1], 7)).contains("2 messages with 1 entries"));
        let mut other = entries(&messages, 7);
        other[1].1 = Digest([0; 32]);
        assert!(says(&messages, &other).contains("another digest than that of GE-8"));
        let strange = [statement_of("TR", 7, key(1)).to_be_signed()];
        assert!(says(&strange, &entries(&strange, 7)).contains("a statement TR-7 is to be signed as GE-7"));
        let strange = [statement_of("GE.2", 7, key(1)).to_be_signed()];
        assert!(says(&strange, &entries(&strange, 7)).contains("GE.2-7"));
        let strange = [statement_of("GE", 7, key(2)).to_be_signed()];
        assert!(says(&strange, &entries(&strange, 7)).contains("names another key"));
        // Without an entry for the guard, a statement is none.
        assert!(says(&messages[..1], &[]).contains("no checkpoint"));
    }

    #[test]
    fn a_log_key_signs_checkpoints_of_what_the_guard_knows() {
        let judged = |claim, by, kid| judged(&[root_of(claim, by, kid).to_be_signed()], &[]);
        assert_eq!(judged(checkpoint_of("GE", 0), "GE", key(1)), Ok(()));
        assert_eq!(judged(checkpoint_of("GE", KNOWN), "GE", key(1)), Ok(()));
        assert!(
            judged(checkpoint_of("GE", KNOWN + 1), "GE", key(1)).unwrap_err().contains("of which the guard knows 7")
        );
        assert!(judged(checkpoint_of("TR", 3), "TR", key(1)).unwrap_err().contains("a checkpoint of TR"));
        assert!(judged(checkpoint_of("GE", 3), "GE", key(2)).is_err());
        for claim in [Claim::Frontier { logs: 2 }, Claim::Cosignature { log: log("TR"), size: 3 }] {
            assert!(judged(claim, "GE", key(1)).unwrap_err().contains("signs no cosignature"));
        }
    }

    #[test]
    fn a_witness_key_signs_cosignatures_of_its_member_alone() {
        let member = "GE".parse().unwrap();
        let judged = |claim, by, kid| for_witness(member, key(3), &[root_of(claim, by, kid).to_be_signed()]);
        assert_eq!(judged(Claim::Frontier { logs: 2 }, "GE", key(3)), Ok(()));
        assert_eq!(judged(Claim::Cosignature { log: log("TR"), size: 3 }, "GE", key(3)), Ok(()));
        assert!(judged(Claim::Frontier { logs: 2 }, "TR", key(3)).is_err());
        assert!(judged(Claim::Frontier { logs: 2 }, "GE", key(1)).is_err());
        assert!(judged(checkpoint_of("GE", 3), "GE", key(3)).unwrap_err().contains("signs no checkpoint of GE"));
        let statement = statement_of("GE", 7, key(3)).to_be_signed();
        assert!(for_witness(member, key(3), &[statement]).unwrap_err().contains("no cosignature"));
    }

    #[test]
    fn nothing_else_is_signed() {
        let message = statement_of("GE", 7, key(1)).to_be_signed();
        let digest = |message: &[u8]| vec![(7, sha256(message))];
        for at in 0..message.len() {
            let cut = message[..at].to_vec();
            assert!(judged(std::slice::from_ref(&cut), &digest(&cut)).is_err(), "cut at {at}");
        }
        let longer = [&message[..], &[0]].concat();
        assert!(judged(std::slice::from_ref(&longer), &digest(&longer)).is_err());
        // A charter, a manifest or a text: the key of a log has no business with them.
        let empty = Sign1::to_be_signed(&Map::new(), b"pay the bearer");
        for other in [b"".to_vec(), b"pay the bearer".to_vec(), empty] {
            assert!(judged(std::slice::from_ref(&other), &digest(&other)).is_err());
            assert!(judged(std::slice::from_ref(&other), &[]).is_err());
            assert!(for_witness("GE".parse().unwrap(), key(3), &[other]).is_err());
        }
    }
}
