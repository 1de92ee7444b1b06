//! A frontier cosignature as it stands in a bundle: with the record's log alone, not the list of all.
//!
//! The list would tell an outsider how much every member logs. A path from the one entry to the signed root proves as much
//! about the record and tells nothing about the others but hashes.

use super::material::FrontierCosignature;
use crate::encoding::cbor::{self, CborError, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::RecordId;
use crate::encoding::merkle;
use crate::identity::Federation;
use crate::ledger::{Claim, Frontier, FrontierEntry, Root, SignedRoot};

/// Hashes on the way from a leaf to a root: a tree has at most 2⁶⁴ leaves.
const PATH_MAX: usize = 64;

/// The signature, the place of the record's log in the list that it is over, and the way from the record to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Witnessed {
    root: SignedRoot,
    entry: FrontierEntry,
    /// The entry's place in the list.
    index: u64,
    list_path: Vec<Digest>,
    log_path: Vec<Digest>,
}

impl Witnessed {
    /// `None` if the record's log is not in the list.
    pub(super) fn new(held: &FrontierCosignature, record: RecordId) -> Option<Self> {
        let frontier: Frontier = held.entries.iter().copied().collect();
        let (index, entry) = frontier.entries().enumerate().find(|(_, entry)| entry.log == record.log)?;
        let leaves: Vec<Digest> = frontier.entries().map(|entry| leaf(&entry)).collect();
        Some(Self {
            root: held.root.clone(),
            entry,
            index: index as u64,
            list_path: merkle::inclusion_proof(&leaves, index as u64),
            log_path: held.path.clone(),
        })
    }

    /// Checks the signature and both paths; gives what is signed, and the log's place in it.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn check(
        &self,
        statement: &[u8],
        record: RecordId,
        federation: &Federation,
    ) -> Result<(Root, FrontierEntry), String> {
        let root = self.root.verify(federation).map_err(|fault| fault.to_string())?;
        let Claim::Frontier { logs } = root.claim else { return Err("it is not over a list of logs".to_owned()) };
        if self.entry.log != record.log {
            return Err(format!("it is about the log {}", self.entry.log));
        }
        if root.by == record.log.member {
            return Err("an author is no witness of its own log".to_owned());
        }
        if !merkle::verify_inclusion(&leaf(&self.entry), self.index, logs, &self.list_path, &root.root) {
            return Err(format!("the path does not lead from the log {} to the signed root", record.log));
        }
        let FrontierEntry { size, root: log_root, .. } = self.entry;
        if !merkle::verify_inclusion(&merkle::leaf_hash(statement), record.position, size, &self.log_path, &log_root) {
            return Err(format!("the path does not lead from the statement to the root of the log {}", record.log));
        }
        Ok((root, self.entry))
    }

    /// `[[COSE_Sign1, root], [log, size, root], index, path to the signed root, path in the log]`.
    pub(super) fn encode(&self) -> Vec<u8> {
        let path = |hashes: &[Digest]| Value::from(hashes.iter().map(Value::from).collect::<Vec<_>>());
        cbor::encode(&Value::Array(vec![
            self.root.to_value(),
            self.entry.to_value(),
            self.index.into(),
            path(&self.list_path),
            path(&self.log_path),
        ]))
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`CborError`] if it is not that.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        const SHAPE: CborError = CborError::Shape { object: "frontier cosignature" };
        let Value::Array(parts) = cbor::decode(bytes)? else { return Err(SHAPE) };
        let [root, entry, index, list_path, log_path] = <[Value; 5]>::try_from(parts).map_err(|_| SHAPE)?;
        let path = |value: &Value| {
            let hashes = value.as_array().filter(|hashes| hashes.len() <= PATH_MAX)?;
            hashes.iter().map(|hash| hash.as_bytes()?.try_into().ok().map(Digest)).collect::<Option<Vec<_>>>()
        };
        Ok(Self {
            root: SignedRoot::from_value(root)?,
            entry: FrontierEntry::from_value(entry)?,
            index: index.as_u64().ok_or(SHAPE)?,
            list_path: path(&list_path).ok_or(SHAPE)?,
            log_path: path(&log_path).ok_or(SHAPE)?,
        })
    }
}

/// As [`Frontier::root`] hashes an entry.
fn leaf(entry: &FrontierEntry) -> Digest {
    merkle::leaf_hash(&cbor::encode(&entry.to_value()))
}
