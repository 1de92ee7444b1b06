//! What may lie in a node's files after a fault.

use shieldwall::disk::probe;
use shieldwall::encoding::ids::LogId;
use shieldwall::ledger::{Key, Mark};

use super::{told, tried};

/// A stretch of a segment, its header, and keys.
pub fn segment(bytes: &[u8]) {
    tried(probe::has_good_header(bytes));
    let (frames, holes) = probe::scan(bytes);
    if holes == 0 {
        assert_eq!(probe::stretch(&frames).len(), bytes.len(), "frames without a hole between are all of it");
    }
    if let Some(key) = Key::from_bytes(bytes) {
        assert_eq!(key.to_bytes(), bytes);
    }
    if let Some(mark) = Mark::from_bytes(bytes) {
        assert_eq!(mark.to_bytes(), bytes);
    }
}

/// The file of a signer's guard.
pub fn guard(bytes: &[u8]) {
    let log: LogId = "GE".parse().expect("a log id");
    match probe::open_guard(bytes, log) {
        Ok(highest) => assert!(highest.is_none_or(|position| position < bytes.len() as u64 / 44)),
        Err(refusal) => told(&refusal),
    }
}
