//! The store on disk beside the one in memory: whatever happens to it, it gives the same answers, or says why not.

use std::path::Path;
use std::sync::Arc;

use super::fault::{Fault, FaultFs, Kind, Op};
use super::open::{self, IndexKind, Report};
use super::store::{DiskStore, Mode};
use crate::encoding::hash::sha256;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::ledger::memory::MemoryStore;
use crate::ledger::{Frame, Key, KeyKind, Mark, MarkKind, Store};

mod audit_log;
mod backup;
mod crash;
mod erase;
mod equal;
mod faults;
mod fsck;
mod golden;
mod index;
mod simulated;
mod speed;

const DIR: &str = "/data";
const WRITABLE: Mode = Mode::Writable { low_water: 0 };
/// Small segments, so that a few frames fill them.
const ROLL: u32 = 2_000;

/// Opens a store of files in memory; its index is gone each time.
fn open_memory(fs: &FaultFs) -> (DiskStore, Report) {
    open::open(Arc::new(fs.clone()), Path::new(DIR), WRITABLE, IndexKind::Memory, ROLL, &mut |_, _| ()).unwrap()
}

fn logs() -> [LogId; 3] {
    ["GE", "GE.2", "TR"].map(|log| log.parse().unwrap())
}

fn statement(log: LogId, position: u64, bytes: &[u8]) -> Frame {
    frame(Key::Statement(RecordId::new(log, position)), bytes)
}

fn frame(key: Key, bytes: &[u8]) -> Frame {
    Frame { key, at: UnixTime::from_seconds(1_800_000_000).unwrap(), bytes: bytes.to_vec() }
}

/// One thing that can be done to a store.
#[derive(Clone, Debug)]
enum Step {
    Stage(Frame),
    Mark(Mark, Option<Vec<u8>>),
}

/// A random step; statements are the next of their log, by what `store` holds.
fn step(random: &mut Randomness, store: &MemoryStore) -> Step {
    let [kind, log, small, length] = random.array::<4>();
    let log = logs()[usize::from(log) % 3];
    let id = RecordId::new(log, u64::from(small % 5));
    let mut bytes = vec![0; usize::from(length.max(1))];
    random.fill(&mut bytes);
    // Rarely, and what is erased does not come back.
    let is_erased = store.has(&Key::Erased(id)).unwrap();
    let key = match kind % 24 {
        0..10 => Key::Statement(RecordId::new(log, store.size(&log))),
        16..20 if is_erased => Key::Hold(id),
        16..20 if length % 32 == 7 => Key::Erased(id),
        10 => Key::Published,
        11 => Key::Checkpoint(log),
        12 => Key::Cosignature(log, logs()[2].member),
        13 => Key::FrontierCosignature(log.member),
        14 => Key::Fork(log, small % 4),
        15 => Key::Intent(id),
        16 => Key::Head(id),
        17 => Key::Compartment(id, small % 3),
        18 => Key::Lanes(id),
        19 => Key::Slot(id),
        rest => {
            let mark = match rest {
                20 => Mark::Audited(log),
                21 => Mark::Flag(id),
                22 => Mark::Inbox(id),
                _ => Mark::Source(sha256(&[small])),
            };
            return Step::Mark(mark, (length % 3 > 0).then_some(bytes));
        }
    };
    Step::Stage(frame(key, &bytes))
}

fn take(store: &mut impl Store, step: &Step) {
    match step {
        Step::Stage(frame) => store.stage(frame.clone()).unwrap(),
        Step::Mark(mark, value) => store.mark(*mark, value.as_deref()).unwrap(),
    }
}

/// Asks both stores everything, but for marks.
fn assert_equal(disk: &impl Store, memory: &impl Store) {
    assert_eq!(disk.logs(), memory.logs());
    for kind in (1..KeyKind::END).map(|number| KeyKind::from_number(number).unwrap()) {
        let keys = memory.keys(kind).unwrap();
        assert_eq!(disk.keys(kind).unwrap(), keys);
        for key in keys {
            assert_eq!(disk.get(&key).unwrap(), memory.get(&key).unwrap());
            assert!(disk.has(&key).unwrap());
        }
    }
    for log in logs() {
        let size = memory.size(&log);
        assert_eq!(disk.size(&log), size);
        let beyond = Key::Statement(RecordId::new(log, size));
        assert_eq!(disk.get(&beyond).unwrap(), None);
        assert!(!disk.has(&beyond).unwrap());
        for (from, count, bytes) in
            [(0, usize::MAX, usize::MAX), (1, 3, 200), (size / 2, 7, 1), (0, 0, 9), (size, 9, 9)]
        {
            let expected = memory.statements(&log, from, count, bytes).unwrap();
            assert_eq!(disk.statements(&log, from, count, bytes).unwrap(), expected);
        }
        for level in 0..=size.checked_ilog2().unwrap_or(0) {
            for index in 0..size >> level {
                assert_eq!(disk.node(&log, level, index).unwrap(), memory.node(&log, level, index).unwrap());
            }
            assert!(disk.node(&log, level, size >> level).is_err());
        }
    }
}

fn assert_equal_marks(disk: &impl Store, memory: &impl Store) {
    for kind in [MarkKind::Audited, MarkKind::Flag, MarkKind::Inbox, MarkKind::Source] {
        let all = memory.marks(kind, None, usize::MAX).unwrap();
        assert_eq!(disk.marks(kind, None, usize::MAX).unwrap(), all);
        for (mark, value) in &all {
            assert_eq!(disk.marked(mark).unwrap().as_ref(), Some(value));
            let expected = memory.marks(kind, Some(mark), 2).unwrap();
            assert_eq!(disk.marks(kind, Some(mark), 2).unwrap(), expected);
        }
    }
    assert_eq!(disk.marked(&Mark::Source(sha256(b"never set"))).unwrap(), None);
}
