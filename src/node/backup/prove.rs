//! How far each log in a store goes, and that it is its owner's.

use serde::{Deserialize, Serialize};

use super::Inventory;
use crate::disk::{DiskStore, Report};
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::LogId;
use crate::encoding::merkle;
use crate::identity::Federation;
use crate::ledger::{Claim, Key, LogNodes, SignedRoot, Store as _, StoreError};

/// How far one log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAt {
    /// The log.
    pub log: LogId,
    /// Its statements.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// How many of them are proved: up to here a checkpoint that its owner signed is held, and the statements give its root.
    pub proved: u64,
}

/// A copy that was read again, beside what the backup says of itself.
pub(super) struct ReadAgain {
    /// How far its logs go.
    pub(super) logs: Vec<LogAt>,
    /// What is damaged, in words; nothing if the backup was made of a damaged folder, because its digests tell what has changed since.
    pub(super) damaged: Vec<String>,
    /// Which checkpoints do not fit their statements, but for those that did not when the backup was made.
    pub(super) unproved: Vec<String>,
}

/// Proves the logs of a copy, and leaves out what the backup knows of itself.
pub(super) fn read_again(
    store: &DiskStore,
    report: &Report,
    federation: &Federation,
    inventory: &Inventory,
) -> Result<ReadAgain, StoreError> {
    let known = &inventory.damage;
    let (logs, mut unproved) = logs(store, federation)?;
    unproved.retain(|fault| !known.contains(fault));
    let damage = report.damage.iter().filter(|_| known.is_empty());
    Ok(ReadAgain { logs, damaged: damage.map(ToString::to_string).collect(), unproved })
}

/// How far each log goes, in their order; and in words, which checkpoints do not fit their statements.
pub(super) fn logs(store: &DiskStore, federation: &Federation) -> Result<(Vec<LogAt>, Vec<String>), StoreError> {
    let (mut logs, mut faults) = (Vec::new(), Vec::new());
    for log in store.logs() {
        let size = store.size(&log);
        let nodes = LogNodes { store, log };
        let root = merkle::root_of(&nodes, size)?;
        let proved = match proved(store, federation, log, size)? {
            Ok(proved) => proved,
            Err(fault) => {
                faults.push(format!("log {log}: {fault}"));
                0
            }
        };
        logs.push(LogAt { log, size, root, proved });
    }
    Ok((logs, faults))
}

fn proved(
    store: &DiskStore,
    federation: &Federation,
    log: LogId,
    held: u64,
) -> Result<Result<u64, &'static str>, StoreError> {
    let Some(frame) = store.get(&Key::Checkpoint(log))? else { return Ok(Ok(0)) };
    let Ok(signed) = SignedRoot::decode(&frame.bytes) else { return Ok(Err("what should be a checkpoint is none")) };
    let Ok(root) = signed.verify(federation) else { return Ok(Err("a checkpoint does not verify")) };
    let size = match root.claim {
        Claim::Checkpoint { log: of, size, .. } if of == log => size,
        Claim::Checkpoint { .. } | Claim::Cosignature { .. } | Claim::Frontier { .. } => {
            return Ok(Err("a checkpoint is of something else"));
        }
    };
    if size > held {
        return Ok(Err("a checkpoint covers more statements than there are"));
    }
    let found = merkle::root_of(&LogNodes { store, log }, size)?;
    Ok(if found == root.root { Ok(size) } else { Err("the statements do not give the root that its owner has signed") })
}

/// One digest for how far all logs go.
pub(super) fn ledger(logs: &[LogAt]) -> Digest {
    let lines: String = logs.iter().map(|at| format!("{} {} {}\n", at.log, at.size, at.root)).collect();
    sha256(lines.as_bytes())
}
