//! Random operations on both stores, in files in memory and in real ones.

use std::path::Path;
use std::sync::Arc;

use super::super::files::FileSystem as _;
use super::*;
use crate::disk::OpenError;
use crate::encoding::merkle::{self, Nodes as _};
use crate::ledger::LogNodes;

#[test]
fn the_same_operations_give_the_same_answers() {
    for seed in 0..40 {
        let mut random = Randomness::new([seed; 32]);
        let (fs, mut memory) = (FaultFs::default(), MemoryStore::default());
        let (mut disk, _) = open_memory(&fs);
        for _ in 0..3 {
            let mut running = None;
            for _ in 0..60 {
                let step = step(&mut random, &memory);
                take(&mut disk, &step);
                take(&mut memory, &step);
                // Flushes begin, run and end at any moment, with steps in between.
                match random.array::<1>()[0] % 16 {
                    0 if running.is_none() => running = disk.begin_flush().map(Ok),
                    1 => running = running.map(|job| Err(job.map_or_else(|flushed| flushed, |job| job.run()))),
                    2 => match running.take() {
                        Some(Err(flushed)) => disk.finish_flush(flushed).unwrap(),
                        unfinished => running = unfinished,
                    },
                    _ => {}
                }
            }
            assert_equal(&disk, &memory);
            assert_equal_marks(&disk, &memory);
            if let Some(job) = running {
                disk.finish_flush(job.map_or_else(|flushed| flushed, |job| job.run())).unwrap();
            }
            disk.flush().unwrap();
            assert!(!disk.is_staged());
            fs.lose_power(|_| false);
            let (reopened, report) = open_memory(&fs);
            assert!(report.cut.is_empty() && report.damage.is_empty(), "{report:?}");
            memory.forget_marks();
            assert_equal(&reopened, &memory);
            disk = reopened;
        }
    }
}

#[test]
fn real_files_with_sled_keep_everything_marks_included() {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = MemoryStore::default();
    let mut random = Randomness::new([9; 32]);
    for round in 0..6_u64 {
        let (mut disk, report) = open_real(dir.path());
        assert_eq!(report, Report::default(), "round {round}");
        assert_equal(&disk, &memory);
        assert_equal_marks(&disk, &memory);
        for number in 0..200 {
            let step = step(&mut random, &memory);
            take(&mut disk, &step);
            take(&mut memory, &step);
            if number % 37 == 0 {
                disk.flush().unwrap();
            }
        }
        disk.flush().unwrap();
        assert_equal(&disk, &memory);
    }
    let (reader, _) = {
        assert!(open_real(dir.path()).0.writable().unwrap());
        DiskStore::open_read_only(dir.path(), &mut |_, _| ()).unwrap()
    };
    assert_equal(&reader, &memory);
    assert!(!reader.writable().unwrap());
}

#[test]
fn one_process_has_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let read_only = || DiskStore::open_read_only(dir.path(), &mut |_, _| ()).map(|(store, _)| store);
    assert!(matches!(read_only(), Err(OpenError::Absent { .. })));
    let (node, _) = open_real(dir.path());
    let second = DiskStore::open(dir.path(), 0, &mut |_, _| ());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    assert!(matches!(read_only(), Err(OpenError::Locked { .. })));
    drop(node);
    let mut reader = read_only().unwrap();
    let beside = read_only().unwrap();
    assert!(reader.stage(frame(Key::Published, b"charter")).is_err());
    assert!(matches!(DiskStore::open(dir.path(), 0, &mut |_, _| ()), Err(OpenError::Locked { .. })));
    drop((reader, beside));
    open_real(dir.path());
}

#[test]
fn reading_changes_no_file() {
    let fs = FaultFs::default();
    let (mut disk, _) = open_memory(&fs);
    for position in 0..20 {
        disk.stage(statement(logs()[0], position, &[7; 150])).unwrap();
    }
    disk.flush().unwrap();
    let last = fs.paths().pop().unwrap();
    let torn = fs.content(&last);
    fs.set_content(&last, &torn[..torn.len() - 5]);
    fs.operations_done();
    let all: Vec<_> = fs.paths().iter().map(|path| fs.content(path)).collect();
    let opened =
        open::open(Arc::new(fs.clone()), Path::new(DIR), Mode::ReadOnly, IndexKind::Memory, ROLL, &mut |_, _| ());
    let (reader, report) = opened.unwrap();
    assert_eq!(report.cut.len(), 1);
    assert_eq!(reader.size(&logs()[0]), 19);
    assert_eq!(fs.paths().iter().map(|path| fs.content(path)).collect::<Vec<_>>(), all);
    let read = [Op::Open, Op::List, Op::Length, Op::Read];
    assert!(fs.operations_done().iter().all(|done| read.contains(&done.op)));
}

#[test]
fn proofs_are_those_of_the_whole_tree() {
    let log = logs()[0];
    let (mut disk, _) = open_memory(&FaultFs::default());
    let mut leaves = Vec::new();
    for position in 0..1_050_u64 {
        let bytes = position.to_be_bytes();
        leaves.push(merkle::leaf_hash(&bytes));
        disk.stage(statement(log, position, &bytes)).unwrap();
        let size = position + 1;
        if size % 97 == 0 || (1_020..1_030).contains(&size) || (254..260).contains(&size) {
            let nodes = LogNodes { store: &disk, log };
            assert_eq!(merkle::root_of(&nodes, size).unwrap(), merkle::root(&leaves));
            for index in [0, 1, size / 3, size / 2, size - 1] {
                let path = merkle::inclusion_proof_of(&nodes, index, size).unwrap();
                assert_eq!(path, merkle::inclusion_proof(&leaves, index));
                let path = merkle::consistency_proof_of(&nodes, index, size).unwrap();
                assert_eq!(path, merkle::consistency_proof(&leaves, index));
            }
        }
    }
}

#[test]
fn a_log_of_seventy_thousand_has_nodes_at_two_stored_levels() {
    let log = logs()[0];
    let fs = FaultFs::default();
    let open = || {
        open::open(Arc::new(fs.clone()), Path::new(DIR), WRITABLE, IndexKind::Memory, 64 << 20, &mut |_, _| ())
            .unwrap()
            .0
    };
    let mut disk = open();
    let mut leaves = Vec::new();
    let mut add = |disk: &mut DiskStore, range: std::ops::Range<u64>| {
        for position in range {
            leaves.push(merkle::leaf_hash(&position.to_be_bytes()));
            disk.stage(statement(log, position, &position.to_be_bytes())).unwrap();
        }
        disk.flush().unwrap();
        assert_eq!(
            merkle::root_of(&LogNodes { store: &*disk, log }, leaves.len() as u64).unwrap(),
            merkle::root(&leaves)
        );
        let Ok(expected) = leaves.node(11, 5);
        assert_eq!(disk.node(&log, 11, 5).unwrap(), expected);
    };
    add(&mut disk, 0..65_000);
    // Opened again, the edge is loaded from the index and goes on to complete a node of level 16.
    let mut disk = open();
    add(&mut disk, 65_000..70_000);
    assert!(disk.node(&log, 16, 0).is_ok());
    assert!(disk.node(&log, 16, 1).is_err());
    assert!(disk.node(&log, 70, 0).is_err());
}

#[test]
fn below_the_low_water_mark_it_says_so() {
    let fs = FaultFs::default();
    let mode = Mode::Writable { low_water: 1_000 };
    let opened = open::open(Arc::new(fs.clone()), Path::new(DIR), mode, IndexKind::Memory, ROLL, &mut |_, _| ());
    let (disk, _) = opened.unwrap();
    assert!(disk.writable().unwrap());
    fs.set_free(999);
    assert!(!disk.writable().unwrap());
    assert_eq!(fs.free(Path::new(DIR)).unwrap(), 999);
}

fn open_real(dir: &Path) -> (DiskStore, Report) {
    DiskStore::open(dir, 0, &mut |_, _| ()).unwrap()
}
