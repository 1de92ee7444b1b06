//! Every operation of a standard workload with every fault: what was acknowledged is there afterwards, or its loss is named.
//!
//! The [`Plan`] holds the workload once without a fault, and so its operations. A [`Case`] repeats it with a fault at one of them, lets
//! the process or the machine die, and opens what is left: in good order, or with a second fault while it recovers. What is found is held
//! against what was acknowledged. A test runs a part of all cases, `examples/sweep.rs` all of them.
//!
//! Faults that a program can notice (an error, a crash, a torn write, a full disk) must cost nothing. Those that it cannot
//! ([`Kind::is_silent`]) must be named, with one exception that no program on one disk can do better: the disk reports the
//! newest group as written, and after a loss of power it is as if it had never been asked.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Done, Fault, FaultFs, Kind, Op};
use super::{DiskStore, Guard, GuardRefusal, Report};
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::ledger::{Frame, Key, Mark, Store, StoreError};

/// Small segments, so that a few groups fill them.
const ROLL: u32 = 4_000;
/// Groups that the workload writes.
const GROUPS: u8 = 10;
/// The group before which bodies are erased.
const ERASES: u8 = 8;
/// After so many groups the store is closed and opened again.
const REOPEN: u8 = 6;

/// How the process or machine ends after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The process ends: the page cache stays.
    Process,
    /// Power is lost, and of what was not synced nothing is left.
    Nothing,
    /// Everything is.
    Everything,
    /// Only the first so many pieces are: a write torn there.
    First(usize),
    /// Only this piece is.
    Only(usize),
    /// Only this piece is not.
    Without(usize),
    /// Half of the pieces, by this seed.
    Some(u8),
}

/// One life: a fault at an operation, an end, and perhaps a second fault in the recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The operation of the workload.
    pub operation: usize,
    /// What happens to it.
    pub kind: Kind,
    /// How it ends.
    pub end: End,
    /// An operation of the recovery, and what happens to it; the machine loses power then.
    pub again: Option<(usize, Kind)>,
}

/// What became of a case in which nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All that was acknowledged is there.
    Kept,
    /// Something is lost to a silent fault, and named.
    Named,
    /// The disk said that the newest group was written, and after the loss of power it was not.
    Lied,
}

/// The workload, once without a fault.
#[derive(Debug)]
pub struct Plan {
    operations: Vec<Done>,
}

/// What was staged, acknowledged and signed.
#[derive(Clone, Debug, Default)]
struct Truth {
    /// Everything ever staged under a key, in order; and how much of it was acknowledged.
    frames: BTreeMap<Key, (Vec<Vec<u8>>, usize)>,
    /// What was staged since the last flush.
    pending: Vec<Key>,
    /// Bodies that were erased, and whether that was acknowledged.
    erased: BTreeMap<RecordId, bool>,
    signed: BTreeMap<u64, Digest>,
    /// Whether a fault struck that the program is not told of.
    silent: bool,
    /// Whether an opening has named damage.
    named: bool,
}

impl Plan {
    /// Runs the workload.
    #[must_use]
    pub fn new() -> Self {
        let fs = FaultFs::new(1);
        fs.operations_done();
        let (_, ended) = live(&fs);
        assert!(ended.is_ok(), "without a fault nothing fails");
        Self { operations: fs.operations_done() }
    }

    /// The operations of the workload.
    #[must_use]
    pub fn operations(&self) -> &[Done] {
        &self.operations
    }

    /// All ends that make a difference after a fault at an operation: for a crash, a tear at every piece that was not synced.
    #[must_use]
    pub fn ends(&self, operation: usize, kind: Kind) -> Vec<End> {
        let mut ends = vec![End::Process, End::Nothing, End::Everything, End::Some(1), End::Some(2)];
        if matches!(kind, Kind::CrashBefore | Kind::CrashAfter) {
            let (fs, _) = self.first_life(operation, kind);
            let mut pieces = 0;
            fs.lose_power(|number| {
                pieces = number;
                false
            });
            for piece in 1..=pieces {
                ends.extend([End::First(piece), End::Only(piece), End::Without(piece)]);
            }
        }
        ends
    }

    /// How many operations the recovery after a case has.
    #[must_use]
    pub fn recovery(&self, case: Case) -> usize {
        let (fs, _) = self.first_life(case.operation, case.kind);
        end(&fs, case.end);
        let before = fs.operations();
        drop(open(&fs));
        fs.operations() - before
    }

    /// Runs a case.
    ///
    /// # Errors
    /// What is wrong: a bug, or a promise that does not hold.
    pub fn run(&self, case: Case) -> Result<Verdict, String> {
        let (fs, mut truth) = self.first_life(case.operation, case.kind);
        end(&fs, case.end);
        if let Some((operation, kind)) = case.again {
            fs.arm(Fault::at(operation, kind));
            // Whether it goes well or not, what it acknowledges counts.
            drop(open(&fs));
            truth.silent |= kind.is_silent();
            fs.disarm();
            fs.lose_power(|number| (number + operation).is_multiple_of(2));
        }
        judge(&fs, &truth, case)
    }

    fn first_life(&self, operation: usize, kind: Kind) -> (FaultFs, Truth) {
        let fs = FaultFs::new(operation as u64);
        fs.arm(Fault::at(operation, kind));
        let (mut truth, _) = live(&fs);
        // What was read wrongly once is read again, and must cost nothing.
        truth.silent = kind.is_silent() && self.operations[operation].op != Op::Read;
        fs.disarm();
        (fs, truth)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

fn logs() -> [LogId; 2] {
    ["GE", "TR"].map(|log| log.parse().expect("a log"))
}

fn open(fs: &FaultFs) -> Result<(DiskStore, Report, Result<Guard, GuardRefusal>), String> {
    let (store, report) = fs.open_store_rolling(0, ROLL).map_err(|error| error.to_string())?;
    Ok((store, report, fs.open_guard(logs()[0])))
}

/// The workload, until something fails.
fn live(fs: &FaultFs) -> (Truth, Result<(), String>) {
    let mut truth = Truth::default();
    let ended = live_on(fs, &mut truth);
    (truth, ended)
}

fn live_on(fs: &FaultFs, truth: &mut Truth) -> Result<(), String> {
    let mut random = Randomness::new([7; 32]);
    let mut group = 0;
    while group < GROUPS {
        let (mut store, report, guard) = open(fs)?;
        truth.named |= !report.damage.is_empty();
        let mut guard = guard.map_err(|refusal| refusal.to_string())?;
        let until = if group < REOPEN { REOPEN } else { GROUPS };
        while group < until {
            one_group(&mut store, &mut guard, truth, &mut random, group)?;
            group += 1;
        }
    }
    Ok(())
}

/// What a node does for a group: intents and bodies, the guard, statements and checkpoint; each durable before the next.
fn one_group(
    store: &mut DiskStore,
    guard: &mut Guard,
    truth: &mut Truth,
    random: &mut Randomness,
    group: u8,
) -> Result<(), String> {
    let [own, other] = logs();
    let from = store.size(&own);
    // Big enough at times that the guard's group crosses the end of a sector.
    let count = if group.is_multiple_of(3) { 14 } else { 2 };
    let ids: Vec<RecordId> = (from..from + count).map(|position| RecordId::new(own, position)).collect();
    for id in &ids {
        truth.stage(store, Key::Intent(*id), content(random, 60))?;
    }
    if group == ERASES {
        // In the middle of the segments, at the end of the last, and lanes.
        let before = |back: u64| RecordId::new(own, from.saturating_sub(back));
        for id in [RecordId::new(own, 0), before(2), before(2 + 14)] {
            truth.erase(store, id)?;
        }
        truth.flush(store)?;
    }
    let id = ids[0];
    truth.stage(store, Key::Head(id), content(random, 120))?;
    truth.stage(store, Key::Compartment(id, 0), content(random, 900))?;
    if group.is_multiple_of(4) {
        truth.stage(store, Key::Lanes(id), content(random, 200))?;
        truth.stage(store, Key::Published, content(random, 300))?;
    }
    truth.flush(store)?;
    let digests: Vec<(u64, Digest)> = ids.iter().map(|id| (id.position, sha256(&id.position.to_be_bytes()))).collect();
    guard.check_and_record(&digests).map_err(|refusal| refusal.to_string())?;
    truth.signed.extend(digests);
    for id in &ids {
        truth.stage(store, Key::Statement(*id), content(random, 100))?;
    }
    truth.stage(store, Key::Checkpoint(own), content(random, 80))?;
    let position = store.size(&other);
    truth.stage(store, Key::Statement(RecordId::new(other, position)), content(random, 150))?;
    truth.stage(store, Key::FrontierCosignature(other.member), content(random, 90))?;
    truth.stage(store, Key::Slot(RecordId::new(other, 0)), content(random, 70))?;
    let mark = Mark::Audited(other);
    store.mark(mark, Some(&position.to_be_bytes())).map_err(|error| error.to_string())?;
    truth.flush(store)
}

/// Bytes that are never twice the same.
fn content(random: &mut Randomness, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes
}

impl Truth {
    fn stage(&mut self, store: &mut DiskStore, key: Key, bytes: Vec<u8>) -> Result<(), String> {
        let at = UnixTime::from_seconds(1_800_000_000).expect("a moment in 2027");
        store.stage(Frame { key, at, bytes: bytes.clone() }).map_err(|error| error.to_string())?;
        self.frames.entry(key).or_default().0.push(bytes);
        self.pending.push(key);
        Ok(())
    }

    fn erase(&mut self, store: &mut DiskStore, id: RecordId) -> Result<(), String> {
        self.erased.insert(id, false);
        self.stage(store, Key::Erased(id), b"why".to_vec())
    }

    /// What must be in no file: of bodies whose erasure was acknowledged, and of those whose note has come to the disk.
    fn gone(&self, store: &DiskStore) -> Result<impl Iterator<Item = &Vec<u8>>, String> {
        let mut gone = BTreeSet::new();
        for (id, acknowledged) in &self.erased {
            if *acknowledged || store.has(&Key::Erased(*id)).map_err(|error| error.to_string())? {
                gone.insert(*id);
            }
        }
        let is_gone = move |key: &Key| key.body_of().is_some_and(|id| gone.contains(&id));
        Ok(self.frames.iter().filter(move |(key, _)| is_gone(key)).flat_map(|(_, (versions, _))| versions))
    }

    fn flush(&mut self, store: &mut DiskStore) -> Result<(), String> {
        store.flush().map_err(|error| error.to_string())?;
        for key in self.pending.drain(..) {
            if let Key::Erased(id) = key {
                self.erased.insert(id, true);
            }
            self.frames.entry(key).and_modify(|(versions, acknowledged)| *acknowledged = versions.len());
        }
        Ok(())
    }
}

fn end(fs: &FaultFs, end: End) {
    match end {
        End::Process => fs.restart(),
        End::Nothing => fs.lose_power(|_| false),
        End::Everything => fs.lose_power(|_| true),
        End::First(pieces) => fs.lose_power(|number| number <= pieces),
        End::Only(piece) => fs.lose_power(|number| number == piece),
        End::Without(piece) => fs.lose_power(|number| number != piece),
        End::Some(seed) => {
            let mut random = Randomness::new([seed; 32]);
            fs.lose_power(|_| random.below(2) == 0);
        }
    }
}

/// Opens what is left, twice, and goes on with it.
fn judge(fs: &FaultFs, truth: &Truth, case: Case) -> Result<Verdict, String> {
    let (store, report, guard) = open(fs).map_err(|error| format!("it does not open: {error}"))?;
    let mut verdict = look(fs, &store, &report, truth, can_lie(case))?;
    verdict = verdict.max(look_at_guard(guard, store.size(&logs()[0]), truth)?);
    drop(store);
    // A second opening finds what the first one left, even if power was lost in between.
    fs.lose_power(|_| false);
    let (mut store, second, guard) = open(fs).map_err(|error| format!("it does not open again: {error}"))?;
    if !second.cut.is_empty() && !truth.silent {
        return Err(format!("cut again: {:?}", second.cut));
    }
    let again = look(fs, &store, &second, truth, truth.silent)?;
    if again == Verdict::Lied && verdict != Verdict::Lied && !truth.silent {
        return Err("the second opening shows less than the first".to_owned());
    }
    // And life goes on.
    let mut random = Randomness::new([8; 32]);
    let mut later = truth.clone();
    later.pending.clear();
    for log in logs() {
        let id = RecordId::new(log, store.size(&log));
        later.frames.remove(&Key::Statement(id));
        for beyond in id.position..id.position + 20 {
            later.frames.remove(&Key::Statement(RecordId::new(log, beyond)));
        }
        later.stage(&mut store, Key::Statement(id), content(&mut random, 100))?;
    }
    later.stage(&mut store, Key::Published, content(&mut random, 100))?;
    later.flush(&mut store)?;
    drop((store, guard));
    fs.lose_power(|_| false);
    let (store, third, _) = open(fs).map_err(|error| format!("it does not open the third time: {error}"))?;
    look(fs, &store, &third, &later, truth.silent)?;
    Ok(verdict.max(again))
}

/// Holds a store against what was acknowledged.
fn look(fs: &FaultFs, store: &DiskStore, report: &Report, truth: &Truth, can_lie: bool) -> Result<Verdict, String> {
    // A disk that says that it has overwritten something and has not cannot be found out.
    if !truth.silent {
        look_for_what_is_gone(fs, store, truth)?;
    }
    let mut verdict = if truth.named { Verdict::Named } else { Verdict::Kept };
    if !report.damage.is_empty() || truth.named {
        if !truth.silent {
            return Err(format!("damage: {:?}", report.damage));
        }
        verdict = Verdict::Named;
    }
    for (key, (versions, acknowledged)) in &truth.frames {
        let erased = key.body_of().and_then(|id| Some((id, *truth.erased.get(&id)?)));
        let acknowledged = if erased.is_some() { &0 } else { acknowledged };
        let held = match store.get(key) {
            Ok(None) if truth.silent && store.damaged().contains(key) => {
                verdict = verdict.max(Verdict::Named);
                continue;
            }
            Ok(held) => held,
            Err(StoreError::Damaged { .. }) if truth.silent => {
                verdict = verdict.max(Verdict::Named);
                continue;
            }
            Err(error) => return Err(format!("{key:?}: {error}")),
        };
        if let Some((id, acknowledged)) = erased
            && held.is_some()
            && (acknowledged && !truth.silent || store.has(&Key::Erased(id)).map_err(|error| error.to_string())?)
        {
            return Err(format!("{key:?} is there again"));
        }
        let version = held.as_ref().and_then(|frame| versions.iter().position(|bytes| *bytes == frame.bytes));
        if held.is_some() && version.is_none() {
            return Err(format!("{key:?} holds what was never written"));
        }
        let is_kept = version.map_or(0, |version| version + 1) >= *acknowledged;
        if is_kept {
            continue;
        }
        if !truth.silent {
            return Err(format!("{key:?} is lost or old"));
        }
        if report.damage.is_empty() && verdict == Verdict::Kept {
            verdict = Verdict::Lied;
        }
    }
    if verdict == Verdict::Lied && !can_lie {
        return Err("something is lost and not named".to_owned());
    }
    Ok(verdict)
}

/// Searches every file for what was erased.
fn look_for_what_is_gone(fs: &FaultFs, store: &DiskStore, truth: &Truth) -> Result<(), String> {
    const PIECE: usize = 24;
    let mut pieces = BTreeSet::new();
    for bytes in truth.gone(store)? {
        pieces.extend([0, bytes.len() / 2, bytes.len() - PIECE].map(|at| bytes[at..at + PIECE].to_vec()));
    }
    if pieces.is_empty() {
        return Ok(());
    }
    for path in fs.paths() {
        if fs.content(&path).windows(PIECE).any(|window| pieces.contains(window)) {
            return Err(format!("{} holds what was erased", path.display()));
        }
    }
    Ok(())
}

/// Holds the guard against what was signed.
fn look_at_guard(guard: Result<Guard, GuardRefusal>, size: u64, truth: &Truth) -> Result<Verdict, String> {
    let mut guard = match guard {
        Ok(guard) => guard,
        Err(GuardRefusal::Damaged { .. } | GuardRefusal::Moved { .. }) if truth.silent => return Ok(Verdict::Named),
        Err(refusal) => return Err(format!("the guard refuses: {refusal}")),
    };
    // The signer does not use such a guard.
    if !guard.covers(size) {
        return if truth.silent { Ok(Verdict::Named) } else { Err("the guard is behind the log".to_owned()) };
    }
    for (position, digest) in &truth.signed {
        match guard.recorded(*position) {
            Ok(Some(recorded)) if recorded == *digest => {}
            Ok(Some(_)) => return Err(format!("the guard holds another digest at {position}")),
            // Nothing of it has left the node, and the intents have it signed alike again.
            Ok(None) if truth.silent && *position >= size => return Ok(Verdict::Lied),
            Ok(None) => return Err(format!("the guard has forgotten {position}")),
            Err(refusal) => return Err(refusal.to_string()),
        }
        let other = [(*position, sha256(b"another"))];
        if guard.check_and_record(&other).is_ok() {
            return Err(format!("the guard allows a second signature at {position}"));
        }
    }
    Ok(Verdict::Kept)
}

/// Whether a disk could make this program believe that something was written, and then show that it was never asked: only where a fault
/// was silent and power was lost since.
fn can_lie(case: Case) -> bool {
    let loses_power = case.end != End::Process || case.again.is_some();
    case.kind.is_silent() && loses_power
}

/// The kinds of faults that mean something for an operation.
#[must_use]
pub fn kinds(op: Op) -> Vec<Kind> {
    let all = [Kind::Error, Kind::ErrorForever, Kind::CrashBefore, Kind::CrashAfter];
    let more: &[Kind] = match op {
        Op::Write => &[Kind::NoSpace, Kind::Short, Kind::Lost, Kind::Misdirected, Kind::Rot],
        Op::Read => &[Kind::Short, Kind::Rot],
        Op::Sync | Op::SyncDir => &[Kind::Short, Kind::Lost],
        Op::Create => &[Kind::NoSpace],
        Op::CreateDir | Op::Open | Op::List | Op::Remove | Op::Free | Op::Length | Op::Truncate | Op::Index => &[],
    };
    all.iter().chain(more).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All cases at every so many operations; `examples/sweep.rs` runs all.
    const STRIDE: usize = 23;

    #[test]
    fn every_operation_may_fail_in_every_way() {
        let stride = std::env::var("SHIELDWALL_SWEEP_STRIDE").ok().and_then(|stride| stride.parse().ok());
        let stride: usize = stride.unwrap_or(STRIDE);
        let plan = Plan::new();
        let mut ended = BTreeMap::new();
        for operation in (0..plan.operations().len()).step_by(stride) {
            for kind in kinds(plan.operations()[operation].op) {
                for end in plan.ends(operation, kind) {
                    let mut case = Case { operation, kind, end, again: None };
                    *ended.entry(plan.run(case).unwrap_or_else(|fault| panic!("{case:?}: {fault}"))).or_insert(0) += 1;
                    if end == End::Everything {
                        for second in (0..plan.recovery(case)).step_by(stride) {
                            case.again = Some((second, Kind::CrashAfter));
                            plan.run(case).unwrap_or_else(|fault| panic!("{case:?}: {fault}"));
                        }
                    }
                }
            }
        }
        assert!(ended[&Verdict::Kept] > 150 && ended[&Verdict::Named] > 3, "{ended:?}");
    }

    #[test]
    fn a_crash_after_each_operation_loses_nothing() {
        let plan = Plan::new();
        for operation in 0..plan.operations().len() {
            let case = Case { operation, kind: Kind::CrashAfter, end: End::Nothing, again: None };
            assert_eq!(plan.run(case), Ok(Verdict::Kept), "{case:?}");
        }
    }
}
