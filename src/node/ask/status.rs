//! How a node is: what `status` and `metrics` show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AuditView, BanView, SplitView};
use crate::encoding::hash::Digest;
use crate::encoding::ids::{FederationId, LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// Whose node.
    pub member: MemberCode,
    /// The member's name in the charter.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// Whether it runs; if not, this was read from its data folder.
    pub running: bool,
    /// Since when.
    pub started_at: Option<UnixTime>,
    /// Which federation.
    pub federation: FederationId,
    /// The version of the charter it goes by.
    pub charter_version: u64,
    /// Active members.
    pub members: u64,
    /// Where others can reach it.
    pub listening: Vec<String>,
    /// The log it signs now.
    pub log: LogId,
    /// The digest over all logs.
    pub frontier: Digest,
    /// Members whose cosignature over exactly this frontier is held.
    pub cosigned_by: Vec<MemberCode>,
    /// Statements held, of all logs.
    pub statements: u64,
    /// Of these, with their own signature checked and good.
    pub statements_verified: u64,
    /// Of these, flagged.
    pub statements_flagged: u64,
    /// Bodies that are for this node and open.
    pub bodies_opened: u64,
    /// Bodies that are not for this node.
    pub bodies_sealed: u64,
    /// Bodies that are for this node and have not come.
    pub bodies_missing: u64,
    /// Connected members.
    pub peers_connected: u64,
    /// Logs of which two histories were signed.
    pub equivocations: Vec<LogId>,
    /// `lanes` statements of which the author has not shown that it committed to just what it addressed to this node.
    #[serde(default)]
    pub lanes_differing: Vec<RecordId>,
    /// Versions of the charter, or of manifests, that were signed twice.
    #[serde(default)]
    pub splits: Vec<SplitView>,
    /// Why this member takes no part at present: it is suspended or removed.
    #[serde(default)]
    pub standing: Option<String>,
    /// Members that its operator keeps away, while it runs.
    #[serde(default)]
    pub bans: Vec<BanView>,
    /// Why it does not write at present.
    pub read_only: Option<String>,
    /// Whether its own log is never signed again, so that the member's next one is to be opened.
    #[serde(default)]
    pub next_log: bool,
    /// Since when nothing is signed, because the signer is not there or its disk or token fails.
    #[serde(default)]
    pub signer_away_since: Option<UnixTime>,
    /// Records that wait to be signed.
    pub waiting: u64,
    /// Requests that wait for a second person, while it runs.
    #[serde(default)]
    pub approvals: u64,
    /// Statements held whose own signatures are not checked yet.
    pub unaudited: u64,
    /// What it turns away or puts off, while it runs.
    pub load: Option<LoadView>,
    /// How far it has read its disk again, while it runs.
    pub scrub: Option<ScrubView>,
    /// What there is to do, while it runs.
    #[serde(default)]
    pub work: Option<WorkView>,
    /// How its audit log is, while it runs.
    #[serde(default)]
    pub audit: Option<AuditView>,
}

impl StatusView {
    /// Whether the frontier says anything of what is held, as [`LedgerView::frontier_known`](super::LedgerView::frontier_known).
    #[must_use]
    pub fn frontier_known(&self) -> bool {
        self.statements == 0 || self.statements_verified > 0 || self.statements_flagged > 0
    }
}

/// What there is to do for officers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkView {
    /// Records read since the start, and how many there were then; none once all were.
    pub reading: Option<(u64, u64)>,
    /// Consignments known.
    pub consignments: u64,
    /// Open cases by severity: red, amber, for information.
    pub open: [u64; 3],
    /// What became of mails and webhook events, where alerts leave the node.
    #[serde(default)]
    pub told: Option<ToldView>,
}

/// What became of the mails and webhook events that alerts made, since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldView {
    /// Mails that a server took, one for each recipient.
    pub mailed: u64,
    /// Events that a webhook took.
    pub posted: u64,
    /// What was not even tried, because too much waited already.
    pub dropped: u64,
    /// What was given up; it stands in `undelivered.jsonl`.
    pub undelivered: u64,
}

/// How far a running node has read its disk again, and what it found damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubView {
    /// Frames read since the start.
    pub frames: u64,
    /// Whole passes since the start.
    pub passes: u64,
    /// When the last pass ended.
    pub completed_at: Option<UnixTime>,
    /// Frames that are damaged and not healed yet, and where they lie.
    pub damaged: Vec<String>,
}

/// What a running node turns away or puts off, so that it stays up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadView {
    /// Whether the network runs; if not, it is started again after a wait.
    pub network_up: bool,
    /// How often it ended by itself.
    pub network_crashes: u64,
    /// Members that are shut out for a while, because what they send makes it end.
    pub barred: Vec<MemberCode>,
    /// Members whose logs are fetched more slowly, because they are over the charter's statements per day.
    pub over_quota: Vec<MemberCode>,
    /// Resident memory of the process.
    pub memory_bytes: u64,
    /// How often what was shed since the start, by a fixed list of words.
    pub shed: BTreeMap<String, u64>,
}
