//! What a node keeps in memory about one log; a few hundred bytes, however long the log is.

use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::encoding::merkle::CompactTree;
use crate::encoding::time::UnixTime;
use crate::ledger::{Flaw, Root, SignedRoot, Unverified};

use super::input::Now;
use super::limits;

/// One log, one's own or another's.
#[derive(Debug)]
pub(super) struct LogState {
    /// The tree over all statements held.
    pub tree: CompactTree,
    /// The newest checkpoint whose statements are all held.
    pub complete: Option<(SignedRoot, Root)>,
    /// The size of the newest checkpoint seen; beyond `tree` if statements are still to be fetched.
    pub target: u64,
    /// The request that is fetching statements.
    pub pulling: Option<u64>,
    /// The member to ask first: whoever showed that it holds more.
    pub source: Option<MemberCode>,
    /// The member that was asked last in vain: its word alone does not make it the one to ask.
    pub failed: Option<MemberCode>,
    /// Not to be asked for before this, after so many answers in a row that brought nothing.
    pub pull_after: Now,
    /// How many.
    pub misses: u32,
    /// How far signatures have been checked.
    pub audit: AuditState,
    /// How far audited statements have been searched for what is addressed to this node.
    pub scan: ScanState,
    /// The lowest size at which the owner signed two histories. Nothing is accepted beyond.
    pub fork: Option<u64>,
    /// When the proof of it was last sent to everybody.
    pub fork_told: Option<Now>,
    /// When one's own checkpoint was last told to everybody because somebody seems to hold another history.
    pub challenged: Option<Now>,
    /// The newest receipt-form cosignature that this node made.
    pub cosigned: Option<(u64, SignedRoot)>,
    /// When cosignatures of this log were made within the last minute.
    pub cosigned_at: Vec<Now>,
}

/// The tree over what has been audited: what this node vouches for.
#[derive(Debug, Default)]
pub(super) struct AuditState {
    /// The tree.
    pub tree: CompactTree,
    /// The time that the last of its statements claims.
    pub last_time: UnixTime,
    /// The batch whose signatures are being checked.
    pub batch: Option<AuditBatch>,
}

/// Statements whose signatures are being checked.
#[derive(Debug)]
pub(super) struct AuditBatch {
    /// The order, as in the effect.
    pub id: u64,
    /// Each statement's leaf hash and what is known of it so far.
    pub items: Vec<(Digest, Result<Unverified, Flaw>)>,
    /// The time that the last of them claims.
    pub last_time: UnixTime,
}

/// The search for what is addressed to this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ScanState {
    /// Statements searched.
    pub done: u64,
    /// Of these: `lanes` statements and flagged ones, which have no body for anybody to open.
    pub bodiless: u64,
    /// Of these: addressed to this node.
    pub mine: u64,
}

impl LogState {
    /// A log of which nothing is held.
    pub(super) fn empty() -> Self {
        Self {
            tree: CompactTree::default(),
            complete: None,
            target: 0,
            pulling: None,
            source: None,
            failed: None,
            pull_after: Now(0),
            misses: 0,
            audit: AuditState::default(),
            scan: ScanState::default(),
            fork: None,
            fork_told: None,
            challenged: None,
            cosigned: None,
            cosigned_at: Vec::new(),
        }
    }

    /// Statements were asked for in vain: nothing is asked for until somebody tells of more, and not at once.
    pub(super) fn missed(&mut self, now: Now, by: MemberCode) {
        self.target = self.tree.size();
        self.source = None;
        self.failed = Some(by);
        self.unanswered(now);
    }

    /// Statements were asked for, and no answer came: they are asked for again, every other time of somebody else.
    pub(super) fn unanswered(&mut self, now: Now) {
        self.pull_after = Now(now.0.saturating_add(limits::backoff_ms(self.misses)));
        self.misses = self.misses.saturating_add(1);
    }

    /// Whether statements are still to be fetched.
    pub(super) fn is_behind(&self) -> bool {
        self.target > self.tree.size() && self.fork.is_none()
    }
}

impl ScanState {
    /// As a mark.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.done, self.bodiless, self.mine].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// From a mark; anything else starts the search anew.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let number =
            |at: usize| bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map_or(0, u64::from_be_bytes);
        Self { done: number(0), bodiless: number(8), mine: number(16) }
    }
}
