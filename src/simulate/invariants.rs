//! The invariants, checked on what honest nodes hold: what grew after every step, everything when the trouble is over.
//!
//! | | promise | checked |
//! |---|---|---|
//! | I1 | what is stored verifies from its bytes | each new statement at each step; all at the end |
//! | I2 | two histories are proved at every honest node | at the end |
//! | I3 | what was acknowledged or flushed survives every crash | at each start, and at the end everywhere |
//! | I4 | no gap below what is held | at the end, each log rebuilt from its leaves |
//! | I5 | honest nodes hold the same | at the end, frontiers |
//! | I6 | nobody else has a body, or finds its content | at the end, heads, and the bytes of statements, intents and bodies |
//! | I7 | stopping and starting changes nothing shown | at each restart in good order |
//! | I8 | no honest log has two histories, nobody says so | at each step |
//! | I10 | queues stay within their bounds | at each 16th step |
//! | I11 | no honest node calls an honest message bad | at each verdict |
//! | I12 | every record arrives and opens for its readers | at the end |
//! | I13 | clocks that jump change none of these | at each flag while clocks are wrong |
//! | I14 | sizes and charter versions never fall | at each step and start, but where a start names what is lost |
//! | I16 | an honest author's checkpoints commit to just what it addressed to each member | when a path is given; all at the end |
//!
//! I9 (what is revoked does not count) is checked by the tests of governance, I15 (the audit log verifies) by those of the audit log.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle;
use crate::encoding::time::UnixTime;
use crate::ledger::{Key, KeyKind, Statement, Store, StoreError, Unverified};
use crate::protocol::{Event, LaneStanding, Outcome, limits};
use crate::record::fixture::CANARY;
use crate::record::{Content, Kind};

use super::World;
use super::medium::Medium;
use super::plant::Plant;
use super::watchman::{Violation, logged};

/// Statements read at once.
const PAGE: usize = 1024;
/// Questions that a node may owe answers to: a member asks at most one thing of each kind and log, eight bodies, and pushes one group.
const OWED_PER_PEER: usize = 64;

impl<M: Medium> World<M> {
    /// Checks from now on.
    pub fn watch(&mut self) {
        self.watchman.active = true;
    }

    /// The first invariant that did not hold.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.watchman.violation()
    }

    /// How often something was compared.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.watchman.checks
    }

    fn is_watched(&self, code: MemberCode) -> bool {
        self.watchman.active && self.watchman.trusts(code) && self.is_running(code)
    }

    /// After each step of a node.
    pub(super) fn check_step(&mut self, code: MemberCode) {
        if !self.is_watched(code) {
            return;
        }
        let now = self.now;
        let node = self.machines[&code].node.as_ref().expect("it runs, as was checked");
        let sizes: Vec<(LogId, u64)> =
            node.store().logs().into_iter().map(|log| (log, node.store().size(&log))).collect();
        for (log, size) in sizes {
            let before = self.watchman.grew(now, code, log, size);
            if size > before {
                self.check_statements(code, log, before);
            }
        }
        if self.steps().is_multiple_of(16) {
            self.check_budgets(code);
        }
    }

    /// Statements of an honest log verify from their bytes, and are the same everywhere.
    fn check_statements(&mut self, code: MemberCode, log: LogId, from: u64) {
        if !self.watchman.trusts(log.member) {
            return;
        }
        let now = self.now;
        let Some(key) = self.federation.log_key(&log).copied() else { return };
        let federation = self.federation.id();
        let node = self.machines[&code].node.as_ref().expect("it runs, as was checked");
        let statements = match node.store().statements(&log, from, usize::MAX, usize::MAX) {
            Ok(statements) => statements,
            Err(error) => return self.watchman.accuse("I1", now, code, error.to_string()),
        };
        for (position, bytes) in (from..).zip(statements) {
            let id = RecordId { log, position };
            let read = Unverified::read(&bytes, id, federation, &key, UnixTime::ZERO);
            if let Err(flaw) = read.and_then(Unverified::verify) {
                self.watchman.accuse("I1", now, code, format!("{id} as it is held: {}", flaw.word()));
            }
            self.watchman.met(now, code, id, merkle::leaf_hash(&bytes));
        }
    }

    fn check_budgets(&mut self, code: MemberCode) {
        let (now, members) = (self.now, self.machines.len());
        let status = self.machines[&code].node.as_ref().expect("it runs, as was checked").status();
        let owed = self.network.owed_by(code);
        let bounds = [
            ("records waiting", status.waiting, limits::QUEUE_RECORDS_MAX + limits::GROUP_RECORDS_MAX),
            ("bodies wanted", status.bodies_wanted, members * limits::WANTED_PER_LOG_MAX),
            ("answers owed", owed, members * OWED_PER_PEER),
        ];
        for (what, held, bound) in bounds {
            if held > bound {
                self.watchman.accuse("I10", now, code, format!("{held} {what}, at most {bound} may be"));
            }
        }
    }

    /// After a node has started.
    pub(super) fn check_start(&mut self, code: MemberCode) {
        if !self.is_watched(code) {
            return;
        }
        let now = self.now;
        let node = self.machines[&code].node.as_ref().expect("it runs, as was checked");
        let sizes: BTreeMap<LogId, u64> =
            node.store().logs().into_iter().map(|log| (log, node.store().size(&log))).collect();
        self.watchman.started(now, code, &sizes);
        if self.watchman.has_forgiven(code) {
            return;
        }
        for (id, leaf) in self.watchman.acknowledged_by(code) {
            let store = self.machines[&code].node.as_ref().expect("it runs, as was checked").store();
            let fault = match leaf_of(store, id) {
                Ok(Some(held)) if held == leaf => continue,
                Ok(Some(_)) => ("I1", format!("{id} was acknowledged and is another statement after a start")),
                Ok(None) if store.size(&id.log) > id.position => ("I4", format!("{id} is missing within its log")),
                Ok(None) => ("I3", format!("{id} was acknowledged and is not there after a start")),
                Err(error) => ("I1", format!("{id}: {error}")),
            };
            self.watchman.accuse(fault.0, now, code, fault.1);
        }
    }

    /// A flush begins: what it covers.
    pub(super) fn note_flush(&mut self, code: MemberCode) {
        if self.is_watched(code) {
            let store = self.machines[&code].node.as_ref().expect("it runs, as was checked").store();
            let sizes = store.logs().into_iter().map(|log| (log, store.size(&log))).collect();
            self.watchman.flush_begins(code, sizes);
        }
    }

    /// Submitters were answered.
    pub(super) fn note_outcomes(&mut self, code: MemberCode, submission: u64, outcomes: &[Outcome]) {
        for (outcome, record) in
            outcomes.iter().zip(self.machine(code).submitted.remove(&submission).unwrap_or_default())
        {
            // The node adds the keys to a grant.
            if let Outcome::Logged { id, .. } = outcome
                && *record.kind() != Kind::AudienceGrant
            {
                self.watchman.expect_content(*id, record.content().clone());
            }
        }
        for id in logged(outcomes) {
            let store = self.machines[&code].node.as_ref().expect("it runs, as was checked").store();
            match leaf_of(store, id) {
                Ok(Some(leaf)) => self.watchman.acknowledge(code, id, leaf),
                Ok(None) | Err(_) => {
                    self.watchman.accuse("I3", self.now, code, format!("{id} is acknowledged and not held"));
                }
            }
        }
    }

    /// Everything, once the trouble is over and there was time to make good.
    pub fn check_everything(&mut self) {
        let honest: Vec<MemberCode> =
            self.members().into_iter().filter(|member| self.watchman.trusts(*member)).collect();
        for code in &honest {
            if !self.is_running(*code) {
                let why = self.machines[code].faults.last().cloned().unwrap_or_default();
                self.watchman.accuse("I3", self.now, *code, format!("cannot be started: {why}"));
                return;
            }
        }
        for code in &honest {
            self.check_whole_logs(*code);
            // What it holds for ever must be on its disk: it is started once more, and has not heard of anybody yet.
            self.restart(*code);
            self.check_proofs(*code);
            self.check_lanes(*code);
        }
        self.check_frontiers(&honest);
        for code in &honest {
            self.check_records(*code);
            self.check_secrecy(*code);
        }
    }

    /// What honest authors have shown of their lanes.
    fn check_lanes(&mut self, code: MemberCode) {
        let (now, federation) = (self.now, self.federation.clone());
        let lanes = self.with_view(code, |view| view.lanes());
        for LaneStanding { lanes, proof, .. } in lanes.into_iter().flatten() {
            let fault = proof.and_then(|proof| proof.verify(&federation).err());
            if let Some(fault) = fault.filter(|_| self.watchman.trusts(lanes.log.member)) {
                self.watchman.accuse("I16", now, code, format!("the lanes {lanes}: {fault}"));
            }
        }
    }

    /// Every log that is held, rebuilt from its leaves.
    fn check_whole_logs(&mut self, code: MemberCode) {
        let now = self.now;
        let store = self.machines[&code].node.as_ref().expect("it runs, as was checked").store();
        let mut faults = Vec::new();
        for log in store.logs() {
            let size = store.size(&log);
            let mut leaves: Vec<Digest> = Vec::new();
            while (leaves.len() as u64) < size {
                match store.statements(&log, leaves.len() as u64, PAGE, usize::MAX) {
                    Ok(page) if page.is_empty() => break,
                    Ok(page) => leaves.extend(page.iter().map(|bytes| merkle::leaf_hash(bytes))),
                    Err(error) => {
                        faults.push(("I1", format!("log {log}: {error}")));
                        break;
                    }
                }
            }
            if leaves.len() as u64 != size {
                faults.push(("I4", format!("log {log} has {size} statements, and ends at {}", leaves.len())));
                continue;
            }
            let nodes = crate::ledger::LogNodes { store, log };
            if merkle::root_of(&nodes, size).ok() != Some(merkle::root(&leaves)) {
                faults.push(("I1", format!("the leaves of log {log} do not give its root")));
            }
        }
        for (invariant, what) in faults {
            self.watchman.accuse(invariant, now, code, what);
        }
    }

    /// Whoever knows of two histories has the proof, and so has everybody.
    fn check_proofs(&mut self, code: MemberCode) {
        for log in self.watchman.forks_told() {
            let store = self.machines[&code].node.as_ref().expect("it runs, as was checked").store();
            if !store.has(&Key::Fork(log, 0)).unwrap_or(false) {
                self.watchman.accuse("I2", self.now, code, format!("has no proof that log {log} is forked"));
            }
        }
    }

    fn check_frontiers(&mut self, honest: &[MemberCode]) {
        let mut first: Option<(MemberCode, crate::ledger::Frontier)> = None;
        for code in honest {
            let frontier = match self.with_view(*code, |view| view.frontier()) {
                Ok(frontier) => frontier,
                Err(error) => return self.watchman.accuse("I1", self.now, *code, error.to_string()),
            };
            match &first {
                None => first = Some((*code, frontier)),
                Some((other, theirs)) if theirs.root() != frontier.root() => {
                    let differ = |log: &LogId| theirs.get(log) != frontier.get(log);
                    let logs = theirs.entries().chain(frontier.entries()).map(|entry| entry.log);
                    let log = logs.into_iter().find(differ);
                    let log = log.map_or_else(String::new, |log| {
                        let size = |frontier: &crate::ledger::Frontier| frontier.get(&log).map(|(size, _)| size);
                        format!(": log {log} has {:?} here and {:?} there", size(&frontier), size(theirs))
                    });
                    return self.watchman.accuse(
                        "I5",
                        self.now,
                        *code,
                        format!("holds another ledger than {other}{log}"),
                    );
                }
                Some(_) => {}
            }
        }
    }

    /// Every acknowledged record is here, checked, and opens for its readers.
    fn check_records(&mut self, code: MemberCode) {
        let counts = |author| self.watchman.trusts(author) && !self.watchman.has_forgiven(author);
        let wanted: Vec<(RecordId, Digest)> =
            self.watchman.all_acknowledged().filter(|(id, _)| counts(id.log.member)).collect();
        // One view for all: it opens each lane once.
        let found = self.with_view(code, |view| {
            let look = |(id, leaf): (RecordId, Digest)| -> (RecordId, Result<Held, StoreError>) {
                let held = || {
                    let record = view.record(id)?;
                    Ok(Held {
                        same: leaf_of(view.store(), id)? == Some(leaf),
                        counts: record.is_some_and(|record| record.audited && record.flaw.is_none()),
                        opens: view.open(id)?.is_some_and(|body| !body.content.is_empty()),
                    })
                };
                (id, held())
            };
            wanted.into_iter().map(look).collect::<Vec<_>>()
        });
        self.check_contents(code);
        for (id, held) in found {
            let reads = self.watchman.reads(id, code);
            let (invariant, what) = match held {
                Err(error) => ("I1", format!("{id}: {error}")),
                Ok(Held { same: false, .. }) => ("I3", format!("{id} was acknowledged and is not here")),
                Ok(Held { counts: false, .. }) => ("I12", format!("{id} has no effect here")),
                Ok(Held { opens: true, .. }) if reads == Some(false) => {
                    ("I6", format!("{id} opens for somebody whom it is not for"))
                }
                Ok(Held { opens: false, .. }) if reads == Some(true) => {
                    ("I12", format!("{id} does not open for one of its readers"))
                }
                Ok(Held { .. }) => continue,
            };
            self.watchman.accuse(invariant, self.now, code, what);
        }
    }

    /// Where the statement that was acknowledged is held, whatever opens of it is what was submitted, also after a disk was put back.
    fn check_contents(&mut self, code: MemberCode) {
        let acknowledged: Vec<(RecordId, Digest)> =
            self.watchman.all_acknowledged().filter(|(id, _)| self.watchman.trusts(id.log.member)).collect();
        let opened: Vec<(RecordId, Content)> = self.with_view(code, |view| {
            let same = |(id, leaf): &(RecordId, Digest)| is_held_as(view.store(), *id, *leaf);
            let open = |(id, _)| Some((id, view.open(id).ok()??.content));
            acknowledged.into_iter().filter(same).filter_map(open).collect()
        });
        for (id, content) in opened {
            let Some(submitted) = self.watchman.content(id) else { continue };
            if content.iter().any(|(name, fields)| submitted.get(name) != Some(fields)) {
                self.watchman.accuse("I1", self.now, code, format!("{id} says something else than what was submitted"));
            }
        }
    }

    /// No body for others is held, and nothing of any record stands in the open.
    fn check_secrecy(&mut self, code: MemberCode) {
        let now = self.now;
        let store = self.machines[&code].node.as_ref().expect("it runs, as was checked").store();
        let mut faults = Vec::new();
        for kind in [KeyKind::Head, KeyKind::Compartment, KeyKind::Intent, KeyKind::Statement] {
            for key in store.keys(kind).unwrap_or_default() {
                // Where a disk was put back, the body of an intent that was never signed may lie: it is of no record.
                if let Key::Head(id) = key
                    && self.watchman.reads(id, code) == Some(false)
                    && self.binds(store, id, key)
                {
                    faults.push(format!("holds the body of {id}, which is not for it"));
                }
                let Ok(Some(frame)) = store.get(&key) else { continue };
                if contains(&frame.bytes, CANARY.as_bytes()) {
                    faults.push(format!("{key:?} shows what is in a record"));
                }
            }
        }
        for what in faults {
            self.watchman.accuse("I6", now, code, what);
        }
    }

    /// Whether the statement that was acknowledged is held, and binds this head.
    fn binds(&self, store: &M::Store, id: RecordId, head: Key) -> bool {
        let statement = store.get(&Key::Statement(id)).ok().flatten();
        let bound =
            statement.and_then(|frame| Statement::read(&frame.bytes).ok()).map(|(statement, _)| statement.digest);
        let head = store.get(&head).ok().flatten().map(|frame| sha256(&frame.bytes));
        bound.is_some() && bound == head
    }

    /// Who may read a record that is submitted: its author and its destination. The planted fault sends it elsewhere.
    pub(super) fn destination_of(&self, named: MemberCode, other: MemberCode) -> MemberCode {
        if self.plant == Some(Plant::WrongReader) { other } else { named }
    }

    /// Notes who may read what a submission has logged.
    pub(super) fn note_readers(&mut self, code: MemberCode, submission: u64, destinations: &[MemberCode]) {
        let outcomes = self.machines[&code].outcomes.get(&submission).cloned().unwrap_or_default();
        for (outcome, destination) in outcomes.iter().zip(destinations) {
            if let Outcome::Logged { id, .. } = outcome {
                self.watchman.expect_readers(*id, BTreeSet::from([code, *destination]));
            }
        }
    }
}

impl<M: Medium> World<M> {
    /// Notes that a grant of a record was submitted.
    pub(super) fn note_grant(&mut self, id: RecordId, reader: MemberCode) {
        self.watchman.allow_reader(id, reader);
    }

    /// Whether a record of a member is one that it can have erased, and no grant: with that, what it grants is gone for its readers as well.
    pub(super) fn is_erasable(&self, code: MemberCode, id: RecordId) -> bool {
        self.is_running(code)
            && self.with_view(code, |view| {
                let kind = view
                    .open(id)
                    .ok()
                    .flatten()
                    .and_then(|body| crate::record::PartialRecord::from_content(&body.content).kind().cloned());
                kind.is_some_and(|kind| kind.can_be_erased() && kind != crate::record::Kind::AudienceGrant)
            })
    }

    /// Whether a member that lost its slot is told that there is none, because all that the lanes opened is erased, and they with it.
    pub(super) fn is_of_erased_lanes(&self, event: &Event) -> bool {
        let Event::NotOpened { id, .. } = event else { return false };
        let author = self.machines.get(&id.log.member).and_then(|machine| machine.node.as_ref());
        author.is_some_and(|node| node.store().has(&Key::Erased(*id)).unwrap_or(false))
    }

    /// Notes that nobody reads a record any more, and everybody the order, if it was logged. If nobody knows whether it was, its author may keep
    /// the order from others, or it was lost with the disk of an author whom a backup put back, nothing is known of its readers.
    pub(super) fn note_order(&mut self, code: MemberCode, submission: u64, erased: RecordId) {
        let outcomes = self.machines[&code].outcomes.get(&submission).cloned();
        match outcomes.as_deref() {
            Some([Outcome::Logged { id, .. }]) if self.watchman.trusts(code) && self.is_still_held(code, *id) => {
                let all = self.members().into_iter().collect();
                self.watchman.expect_readers(*id, all);
                self.watchman.expect_readers(erased, BTreeSet::new());
            }
            // What a log that ends refuses may be signed already.
            Some(_) | None => self.watchman.forget_readers(erased),
        }
    }

    /// Whether the statement that was acknowledged is held by its author.
    fn is_still_held(&self, code: MemberCode, id: RecordId) -> bool {
        let acknowledged = self.watchman.all_acknowledged().find(|(of, _)| *of == id);
        self.is_running(code)
            && acknowledged.is_some_and(|(_, leaf)| self.with_view(code, |view| is_held_as(view.store(), id, leaf)))
    }

    /// Notes who reads a record by a grant, if it was logged and covers it.
    pub(super) fn note_granted(&mut self, code: MemberCode, submission: u64, id: RecordId, reader: MemberCode) {
        let outcomes = self.machines[&code].outcomes.get(&submission).map_or(&[][..], Vec::as_slice);
        let covers = |outcome: &Outcome| matches!(outcome, Outcome::Logged { granted: Some(_), .. });
        if outcomes.iter().any(covers) {
            self.watchman.expect_reader(id, reader);
        }
    }
}

/// What a node holds of a record.
struct Held {
    /// The very statement that was acknowledged.
    same: bool,
    /// It was audited and has an effect.
    counts: bool,
    /// Something of its body opens.
    opens: bool,
}

/// The leaf hash of a statement that is held.
fn leaf_of<S: Store>(store: &S, id: RecordId) -> Result<Option<Digest>, StoreError> {
    Ok(store.get(&Key::Statement(id))?.map(|frame| merkle::leaf_hash(&frame.bytes)))
}

/// Whether a statement is held, and is the one of this leaf.
fn is_held_as<S: Store>(store: &S, id: RecordId, leaf: Digest) -> bool {
    leaf_of(store, id).is_ok_and(|held| held == Some(leaf))
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    let first = what[0];
    bytes.iter().enumerate().any(|(at, byte)| *byte == first && bytes[at..].starts_with(what))
}
