//! What signs a log: its key, behind its guard, its pace and, in a process of its own, its tree.

use std::path::Path;

use super::LogKey;
use super::fault::Fault;
use super::pace::{Caps, Pace};
use super::tree::{Tree, TreeError};
use crate::disk::{Guard, GuardRefusal};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::encoding::time::UnixTime;
use crate::identity::PublicKey;
use crate::ledger::SignedTree;
use crate::ledger::examine::{self, Asked};
use crate::node::clock;

/// Seconds that a date may be ahead of the clock of a signer that is a process of its own. What was signed can never be followed by an earlier date, so
/// a node that was taken over could spoil a log for years.
const AHEAD_S: i64 = 15 * 60;

/// Milliseconds before such a date is looked at again.
const LATER_MS: i64 = 60_000;

/// The means to sign one log. There is one of them at a time: whoever has it holds the lock of its folder.
#[derive(Debug)]
pub(super) struct Vault {
    log: LogId,
    guard: Guard,
    key: LogKey,
    pace: Pace,
    tree: Option<Tree>,
}

/// What became of an order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A signature for each message.
    Signed(Vec<[u8; 64]>),
    /// It is not signed, and never will be.
    NotSigned(String),
    /// It is held back until this time, in milliseconds since 1970: by the caps, or because it is dated ahead of the clock.
    Later(i64),
    /// It cannot be signed now: whatever signs is not there, or its disk or token fails. The order is to be given again.
    Away(String),
}

/// Why there is nothing that signs.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The guard cannot be used.
    #[error(transparent)]
    Guard(#[from] GuardRefusal),
    /// The tree cannot be used.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The tree of what was signed is not there.
    #[error("the tree of log {0} is not there; `shieldwall signer adopt` makes it from the ledger")]
    NoTree(LogId),
    /// The guard has lost what the tree has.
    #[error("the signer guard of log {log} knows of {guard} statements, and {tree} were signed")]
    Behind {
        /// The log.
        log: LogId,
        /// Statements that the guard knows of.
        guard: u64,
        /// Statements in the tree.
        tree: u64,
    },
}

impl Vault {
    /// Opens the guard that is there, for a signer that is a thread of the node. Whoever trusts the node with the key trusts its tree.
    ///
    /// # Errors
    /// [`GuardRefusal`].
    pub(super) fn open(dir: &Path, log: LogId, key: LogKey, caps: Caps, size: u64) -> Result<Self, GuardRefusal> {
        let guard = Guard::open(dir, log)?;
        let pace = Pace::open(dir, log, caps, clock::now_ms(), size);
        Ok(Self { log, guard, key, pace, tree: None })
    }

    /// Opens guard and tree, for a signer that is a process of its own.
    ///
    /// # Errors
    /// [`VaultError`].
    pub(super) fn open_apart(dir: &Path, log: LogId, key: LogKey, caps: Caps) -> Result<Self, VaultError> {
        let guard = Guard::open(dir, log)?;
        let tree = Tree::open(dir, log)?.ok_or(VaultError::NoTree(log))?;
        let size = tree.signed().size();
        if !guard.covers(size) {
            return Err(VaultError::Behind { log, guard: known(&guard), tree: size });
        }
        let pace = Pace::open(dir, log, caps, clock::now_ms(), size);
        Ok(Self { log, guard, key, pace, tree: Some(tree) })
    }

    /// Statements that the guard knows of.
    pub(super) fn known(&self) -> u64 {
        known(&self.guard)
    }

    /// The public half of its key.
    pub(super) fn key(&self) -> PublicKey {
        self.key.public()
    }

    /// Whether the tree has a log's first `size` statements, where there is a tree. The guard tells what may be signed; the tree can be made again.
    pub(super) fn has_tree(&self, size: u64) -> bool {
        self.tree.as_ref().is_none_or(|tree| tree.signed().size() >= size)
    }

    /// Signs what the key is for; for statements, position and digest of each are on the disk before.
    pub(super) fn sign(&mut self, messages: &[Vec<u8>], entries: &[(u64, Digest)]) -> Verdict {
        let known = self.known();
        let asked = match examine::for_log(self.log, self.key.public().kid(), known, messages, entries) {
            Ok(asked) => asked,
            Err(reason) => return Verdict::NotSigned(reason),
        };
        if let Some(date) = self.tree.as_ref().and_then(|tree| ahead(tree.signed(), &asked, clock::now())) {
            tracing::warn!(log = %self.log, %date, "held back: it is dated ahead of the signer's clock");
            return Verdict::Later(clock::now_ms() + LATER_MS);
        }
        let new = entries.iter().filter(|(position, _)| *position >= known).count() as u64;
        match self.pace.admit(clock::now_ms(), known, new) {
            Ok(Ok(())) => {}
            Ok(Err(until_ms)) => return Verdict::Later(until_ms),
            Err(error) => return Verdict::Away(error.to_string()),
        }
        match self.make(asked, messages, entries) {
            Ok(signatures) => Verdict::Signed(signatures),
            Err(Fault::Refused(reason)) => Verdict::NotSigned(reason),
            Err(Fault::Failed(reason)) => Verdict::Away(reason),
        }
    }

    fn make(&mut self, asked: Asked, messages: &[Vec<u8>], entries: &[(u64, Digest)]) -> Result<Vec<[u8; 64]>, Fault> {
        self.guard.check_and_record(entries)?;
        if let (Some(tree), Asked::Checkpoints(roots)) = (&mut self.tree, &asked) {
            tree.claim(roots)?;
        }
        let signatures: Result<Vec<_>, _> = messages.iter().map(|message| self.key.sign(message)).collect();
        let signatures = signatures.map_err(|error| Fault::Failed(format!("{:#}", anyhow::Error::from(error))))?;
        if let (Some(tree), Asked::Statements(statements)) = (&mut self.tree, asked) {
            let signed: Vec<_> = statements.into_iter().zip(signatures.iter().copied()).collect();
            tree.grow(&signed)?;
        }
        Ok(signatures)
    }
}

fn known(guard: &Guard) -> u64 {
    guard.highest().map_or(0, |highest| highest + 1)
}

/// The date of what is too far ahead of the clock, and of what was signed before.
fn ahead(signed: &SignedTree, asked: &Asked, now: UnixTime) -> Option<UnixTime> {
    let latest = match asked {
        Asked::Statements(statements) => statements.iter().map(|statement| statement.issued_at).max(),
        Asked::Checkpoints(roots) => roots.iter().map(|root| root.issued_at).max(),
    };
    latest.filter(|date| *date > signed.latest() && date.since(now) > AHEAD_S)
}
