//! One member's machine: what survives a crash, and the process that may be running on it.

use std::collections::BTreeMap;

use crate::encoding::ids::{LogId, MemberCode};
use crate::identity::Federation;
use crate::ledger::SignedTree;
use crate::protocol::{Event, Myself, Node, Outcome};
use crate::record::Record;

use super::federation::Keys;
use super::liar::Liar;
use super::medium::Medium;

/// One member's machine.
#[derive(Debug)]
pub(super) struct Machine<M: Medium> {
    pub(super) keys: Keys,
    pub(super) medium: M,
    /// The operator's charter file.
    pub(super) federation: Federation,
    /// The signer guard went with the disk.
    pub(super) guard_lost: bool,
    /// What was signed of its logs, as a signer that is a process of its own would know it.
    pub(super) signed: BTreeMap<LogId, SignedTree>,
    /// The log that its node signs.
    pub(super) log: LogId,
    pub(super) node: Option<Node<M::Store>>,
    /// A flush is under way.
    pub(super) flushing: bool,
    pub(super) pace: Pace,
    /// How far its clock is ahead of the true time.
    pub(super) clock_ahead_ms: i64,
    pub(super) events: Vec<Event>,
    pub(super) outcomes: BTreeMap<u64, Vec<Outcome>>,
    /// What was submitted and is not answered yet.
    pub(super) submitted: BTreeMap<u64, Vec<Record>>,
    /// Why its node has ended itself or could not start.
    pub(super) faults: Vec<String>,
    pub(super) liar: Liar,
}

/// How often a node ticks.
#[derive(Debug)]
pub(super) struct Pace {
    /// The only tick that counts: those of other times were overtaken.
    pub(super) tick_at: i64,
    wait: i64,
}

impl Pace {
    /// Between two ticks of a node to which things happen.
    pub(super) const BUSY_MS: i64 = 100;
    /// By which the wait grows at each tick that brings nothing.
    const GROWTH: i64 = 6;

    /// Something is to be done that takes several ticks.
    #[cfg(test)]
    pub(super) fn wake(&mut self) {
        self.wait = Self::BUSY_MS / Self::GROWTH;
    }

    /// When the next tick should be, if that changes.
    pub(super) fn next(&mut self, is_tick: bool, busy: bool, longest: i64) -> Option<i64> {
        if busy {
            self.wait = Self::BUSY_MS;
        } else if is_tick {
            self.wait = (self.wait * Self::GROWTH).clamp(Self::BUSY_MS, longest);
        } else {
            return None;
        }
        Some(self.wait)
    }
}

impl<M: Medium> Machine<M> {
    /// What its node is told about itself.
    pub(super) fn myself(&self) -> Myself {
        Myself { guard_intact: !self.guard_lost, log: self.log, ..self.keys.myself() }
    }

    pub(super) fn new(code: MemberCode, medium: M, federation: Federation) -> Self {
        Self {
            keys: Keys::of(code),
            medium,
            federation,
            guard_lost: false,
            signed: BTreeMap::new(),
            log: LogId::first(code),
            node: None,
            flushing: false,
            pace: Pace { tick_at: 0, wait: Pace::BUSY_MS },
            clock_ahead_ms: 0,
            events: Vec::new(),
            outcomes: BTreeMap::new(),
            submitted: BTreeMap::new(),
            faults: Vec::new(),
            liar: Liar::default(),
        }
    }
}
