//! What must always hold, remembered from step to step: what was promised, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::protocol::{Event, Outcome};
use crate::record::Content;

use super::export::Export;

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which, such as `I3`.
    pub invariant: &'static str,
    /// When, in milliseconds since the federation was founded.
    pub at_ms: i64,
    /// At which member.
    pub member: MemberCode,
    /// What was seen.
    pub what: String,
}

/// Remembers what honest nodes have shown and promised.
#[derive(Debug, Default)]
pub(super) struct Watchman {
    /// Whether anything is checked.
    pub(super) active: bool,
    /// Whether any clock was wrong at any time.
    pub(super) clocks_jumped: bool,
    dishonest: BTreeSet<MemberCode>,
    /// Members whose disks were taken back in time or lost: what they promised before is not asked of them any more.
    forgiven: BTreeSet<MemberCode>,
    /// How much of each log a running node has shown.
    seen: BTreeMap<(MemberCode, LogId), u64>,
    /// How much of each log is durable at a member.
    promised: BTreeMap<(MemberCode, LogId), u64>,
    /// What the flush under way will promise.
    flushing: BTreeMap<MemberCode, Vec<(LogId, u64)>>,
    /// The one statement at each position of an honest member's log.
    statements: BTreeMap<RecordId, Digest>,
    /// What was acknowledged to submitters.
    acknowledged: BTreeMap<MemberCode, BTreeMap<RecordId, Digest>>,
    /// What each acknowledged record says.
    contents: BTreeMap<RecordId, Content>,
    /// Who may read each acknowledged record.
    readers: BTreeMap<RecordId, BTreeSet<MemberCode>>,
    /// Who may have been let in by a grant of which nobody knows whether it was logged.
    perhaps: BTreeSet<(RecordId, MemberCode)>,
    /// The charter version that each member has shown to hold.
    versions: BTreeMap<MemberCode, u64>,
    /// Which logs each member has told to be forked.
    forks: BTreeMap<MemberCode, BTreeSet<LogId>>,
    violation: Option<Violation>,
    /// How often something was compared.
    pub(super) checks: u64,
}

impl Watchman {
    pub(super) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Notes the first thing that went wrong; all later ones may follow from it.
    pub(super) fn accuse(&mut self, invariant: &'static str, now: i64, member: MemberCode, what: String) {
        if self.active && self.violation.is_none() {
            let at_ms = now - super::world::FOUNDED * 1000;
            self.violation = Some(Violation { invariant, at_ms, member, what });
        }
    }

    pub(super) fn distrust(&mut self, member: MemberCode) {
        self.dishonest.insert(member);
    }

    pub(super) fn trusts(&self, member: MemberCode) -> bool {
        !self.dishonest.contains(&member)
    }

    pub(super) fn has_forgiven(&self, member: MemberCode) -> bool {
        self.forgiven.contains(&member)
    }

    pub(super) fn forgive(&mut self, member: MemberCode) {
        self.forgiven.insert(member);
        self.promised.retain(|(of, _), _| *of != member);
        self.forks.remove(&member);
        self.versions.remove(&member);
    }

    /// What a member has named as lost of others' logs is not silently lost; that it comes back is checked at the end.
    pub(super) fn excuse(&mut self, member: MemberCode) {
        self.promised.retain(|(of, log), _| *of != member || log.member == member);
    }

    pub(super) fn acknowledged(&self, member: MemberCode) -> BTreeSet<RecordId> {
        self.acknowledged.get(&member).into_iter().flat_map(BTreeMap::keys).copied().collect()
    }

    /// All that was acknowledged by honest members: the record and its statement's leaf hash.
    pub(super) fn all_acknowledged(&self) -> impl Iterator<Item = (RecordId, Digest)> + '_ {
        self.acknowledged.values().flatten().map(|(id, digest)| (*id, *digest))
    }

    pub(super) fn acknowledged_by(&self, member: MemberCode) -> Vec<(RecordId, Digest)> {
        self.acknowledged.get(&member).into_iter().flatten().map(|(id, digest)| (*id, *digest)).collect()
    }

    pub(super) fn expect_content(&mut self, id: RecordId, content: Content) {
        self.contents.insert(id, content);
    }

    pub(super) fn content(&self, id: RecordId) -> Option<&Content> {
        self.contents.get(&id)
    }

    pub(super) fn expect_readers(&mut self, id: RecordId, readers: BTreeSet<MemberCode>) {
        self.readers.insert(id, readers);
    }

    /// A grant was submitted: its reader may read the record from now on.
    pub(super) fn allow_reader(&mut self, id: RecordId, reader: MemberCode) {
        self.perhaps.insert((id, reader));
    }

    /// The grant was logged: its reader must be able to read the record.
    pub(super) fn expect_reader(&mut self, id: RecordId, reader: MemberCode) {
        self.readers.entry(id).or_default().insert(reader);
    }

    /// Nobody knows any more who reads a record.
    pub(super) fn forget_readers(&mut self, id: RecordId) {
        self.readers.remove(&id);
    }

    /// Whether a member must be able to read a record, or must not; none if that is not known.
    pub(super) fn reads(&self, id: RecordId, member: MemberCode) -> Option<bool> {
        let reads = self.readers.get(&id)?.contains(&member);
        (reads || !self.perhaps.contains(&(id, member))).then_some(reads)
    }

    pub(super) fn acknowledge(&mut self, member: MemberCode, id: RecordId, digest: Digest) {
        self.acknowledged.entry(member).or_default().insert(id, digest);
    }

    pub(super) fn flush_begins(&mut self, member: MemberCode, sizes: Vec<(LogId, u64)>) {
        self.flushing.insert(member, sizes);
    }

    pub(super) fn flushed(&mut self, member: MemberCode) {
        for (log, size) in self.flushing.remove(&member).unwrap_or_default() {
            self.promised.insert((member, log), size);
        }
    }

    /// What a node that has just started holds of a log, against what it had promised.
    pub(super) fn started(&mut self, now: i64, member: MemberCode, sizes: &BTreeMap<LogId, u64>) {
        self.flushing.remove(&member);
        let fallen: Vec<(LogId, u64, u64)> = self
            .promised
            .iter()
            .filter(|((of, _), _)| *of == member)
            .filter_map(|((_, log), promised)| {
                let held = sizes.get(log).copied().unwrap_or(0);
                (held < *promised).then_some((*log, *promised, held))
            })
            .collect();
        for (log, promised, held) in fallen {
            let what = format!("{promised} statements of log {log} were durable, {held} are left after a start");
            self.accuse(if log.member == member { "I3" } else { "I14" }, now, member, what);
        }
        self.seen.retain(|(of, _), _| *of != member);
        self.seen.extend(sizes.iter().map(|(log, size)| ((member, *log), *size)));
    }

    /// How much of a log a node had shown before, given what it shows now.
    pub(super) fn grew(&mut self, now: i64, member: MemberCode, log: LogId, size: u64) -> u64 {
        self.checks += 1;
        let before = self.seen.insert((member, log), size).unwrap_or(0);
        if size < before {
            self.accuse("I14", now, member, format!("log {log} had {before} statements, now it has {size}"));
        }
        before
    }

    /// A statement of an honest member's log, as one honest node holds it.
    pub(super) fn met(&mut self, now: i64, member: MemberCode, id: RecordId, leaf: Digest) {
        let first = *self.statements.entry(id).or_insert(leaf);
        if first != leaf {
            let what = format!("{id} is {} here and was {} elsewhere", leaf.short(), first.short());
            self.accuse("I8", now, member, what);
        }
    }

    /// What a node tells its operator.
    pub(super) fn told(&mut self, now: i64, member: MemberCode, event: &Event) {
        if !self.active || !self.trusts(member) {
            return;
        }
        match event {
            Event::Fork { log, .. } => {
                self.forks.entry(member).or_default().insert(*log);
                if self.trusts(log.member) {
                    self.accuse("I8", now, member, format!("the honest log {log} is told to have two histories"));
                }
            }
            Event::Flagged { id, flaw } if self.trusts(id.log.member) => {
                let invariant = if self.clocks_jumped { "I13" } else { "I1" };
                self.accuse(invariant, now, member, format!("the honest statement {id} has no effect: {flaw}"));
            }
            Event::NotOpened { id, reason } if self.trusts(id.log.member) => {
                self.accuse("I12", now, member, format!("{id} cannot be opened: {reason}"));
            }
            Event::NotGranted { id, reason } if self.trusts(id.log.member) => {
                self.accuse("I12", now, member, format!("what {id} grants is refused: {reason}"));
            }
            Event::LaneDiffers { lanes, size, .. } if self.trusts(lanes.log.member) => {
                self.accuse("I16", now, member, format!("the honest lanes {lanes} are said to differ at {size}"));
            }
            Event::NotErased { id, reason } if self.trusts(id.log.member) => {
                self.accuse("I12", now, member, format!("what {id} orders is refused: {reason}"));
            }
            Event::Members { version, changed: _ } => {
                let held = self.versions.entry(member).or_insert(0);
                if *version < *held {
                    let what = format!("charter version {version} after {held}");
                    self.accuse("I14", now, member, what);
                } else {
                    *held = *version;
                }
            }
            Event::Flagged { .. }
            | Event::Split { .. }
            | Event::LaneDiffers { .. }
            | Event::NotOpened { .. }
            | Event::NotGranted { .. }
            | Event::Erased { .. }
            | Event::NotErased { .. }
            | Event::Logged { .. }
            | Event::Verified { .. }
            | Event::Opened { .. }
            | Event::Agrees { .. }
            | Event::LogEnded { .. }
            | Event::Ready { .. }
            | Event::Healed { .. }
            | Event::Refused { .. } => {}
        }
    }

    /// A message was called bad that its sender could have known to be bad.
    pub(super) fn rejected(&mut self, now: i64, member: MemberCode, origin: MemberCode) {
        if self.trusts(member) && self.trusts(origin) {
            self.accuse("I11", now, member, format!("rejected what the honest {origin} said"));
        }
    }

    pub(super) fn forks_told(&self) -> BTreeSet<LogId> {
        self.forks.values().flatten().copied().collect()
    }

    /// A node that was stopped in good order shows the same when it is started again.
    pub(super) fn check_restart(&mut self, now: i64, member: MemberCode, before: &Export, after: &Export) {
        self.checks += 1;
        if self.trusts(member) && before != after {
            self.accuse("I7", now, member, format!("showed {before:?} before a restart and {after:?} after it"));
        }
    }
}

/// The record ids of what was logged.
pub(super) fn logged(outcomes: &[Outcome]) -> impl Iterator<Item = RecordId> + '_ {
    outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Logged { id, .. } => Some(*id),
        Outcome::AlreadyLogged { .. } | Outcome::Refused { .. } => None,
    })
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.at_ms / 86_400_000, self.at_ms % 86_400_000 / 1000);
        write!(formatter, "{} at {}, day {days}, second {seconds}: {}", self.invariant, self.member, self.what)
    }
}
