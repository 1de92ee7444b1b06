//! A node that is well, for the tests of commands that show one.

use serde_json::{Value, json};

use crate::encoding::time::UnixTime;
use crate::node::ask::{LedgerView, StatusView};

/// A moment, so many seconds from a fixed one.
pub(super) fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(1_800_000_000 + seconds).unwrap()
}

/// The status of Georgia's node.
pub(super) fn status() -> StatusView {
    status_with(|_| {})
}

/// The same with something changed in its JSON.
pub(super) fn status_with(change: impl FnOnce(&mut Value)) -> StatusView {
    let zero = "00".repeat(32);
    let mut value = json!({
        "member": "GE", "name": "Georgia", "version": "0.1.0", "running": true, "started_at": at(-60), "federation": zero,
        "charter_version": 3, "members": 3, "listening": [], "log": "GE", "frontier": zero, "cosigned_by": ["TR"], "statements": 7,
        "statements_verified": 7, "statements_flagged": 0, "bodies_opened": 2, "bodies_sealed": 0, "bodies_missing": 0,
        "peers_connected": 2, "equivocations": [], "read_only": null, "waiting": 0, "unaudited": 0,
        "load": { "network_up": true, "network_crashes": 0, "barred": [], "over_quota": [], "memory_bytes": 0, "shed": { "body-early": 0 } },
        "scrub": { "frames": 7, "passes": 1, "completed_at": at(-5), "damaged": [] },
        "work": {
            "reading": null, "consignments": 2, "open": [0, 1, 0],
            "told": { "mailed": 5, "posted": 0, "dropped": 0, "undelivered": 0 },
        },
        "audit": {
            "entries": 4, "anchor": { "record": "GE-1", "at": at(-60), "entries": 3, "head": zero }, "anchor_holds": true, "failed": null,
        },
    });
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

/// A ledger with logs of these names, whose checkpoints were signed so many seconds from [`at`]'s moment.
pub(super) fn ledger(logs: &[(&str, i64)]) -> LedgerView {
    let zero = "00".repeat(32);
    let log = |(name, seconds): &(&str, i64)| {
        json!({
            "log": name, "size": 2, "root": zero, "checkpoint_at": at(*seconds), "audited": 2, "flagged": 0, "state": "open",
            "receipts": {},
        })
    };
    let logs: Vec<Value> = logs.iter().map(log).collect();
    serde_json::from_value(json!({ "frontier": zero, "cosigned_by": [], "logs": logs })).unwrap()
}
