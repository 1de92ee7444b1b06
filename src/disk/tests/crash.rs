//! Crashes, torn writes and flipped bits: what was acknowledged is there, or its loss is named.

use super::super::files::FileSystem as _;
use super::*;

/// Two groups in the first segment and more in the next; gives the memory twin as well.
fn written() -> (FaultFs, MemoryStore) {
    let (fs, mut memory) = (FaultFs::default(), MemoryStore::default());
    let (mut disk, _) = open_memory(&fs);
    let mut random = Randomness::new([3; 32]);
    for number in 1..=90 {
        let step = step(&mut random, &memory);
        if let Step::Stage(_) = step {
            take(&mut disk, &step);
            take(&mut memory, &step);
        }
        if number % 15 == 0 {
            disk.flush().unwrap();
        }
    }
    disk.flush().unwrap();
    (fs, memory)
}

#[test]
fn a_torn_last_frame_is_cut_at_every_byte() {
    let fs = FaultFs::default();
    let (mut disk, _) = open_memory(&fs);
    let log = logs()[0];
    disk.stage(statement(log, 0, &[1; 100])).unwrap();
    disk.flush().unwrap();
    let path = fs.paths().pop().unwrap();
    let before = fs.content(&path).len();
    disk.stage(statement(log, 1, &[2; 100])).unwrap();
    disk.flush().unwrap();
    let whole = fs.content(&path);
    for length in before..whole.len() {
        fs.set_content(&path, &whole[..length]);
        let (mut disk, report) = open_memory(&fs);
        assert_eq!(disk.size(&log), 1);
        assert!(report.damage.is_empty());
        assert_eq!(report.cut.len(), usize::from(length > before));
        disk.stage(statement(log, 1, &[3; 50])).unwrap();
        disk.flush().unwrap();
        let (disk, report) = open_memory(&fs);
        assert_eq!(disk.statements(&log, 0, 9, usize::MAX).unwrap(), [vec![1; 100], vec![3; 50]]);
        assert_eq!(report.cut, []);
    }
}

#[test]
fn a_torn_beginning_of_a_segment_is_no_damage() {
    let (fs, memory) = written();
    let path = fs.paths().into_iter().rfind(|path| path.to_string_lossy().contains("statements")).unwrap();
    let whole = fs.content(&path);
    for length in 0..=64 {
        let fork = fs.fork();
        let number: u32 = path.file_stem().unwrap().to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
        let next = path.with_file_name(format!("statements-{:08}.seg", number + 1));
        fork.create(&next).unwrap();
        fork.set_content(&next, &vec![0; length]);
        let (disk, report) = open_memory(&fork);
        assert_eq!(report.cut.len(), 1);
        assert!(report.damage.is_empty());
        assert_equal(&disk, &memory);
        assert_eq!(fork.content(&path), whole);
    }
}

#[test]
fn every_flipped_bit_is_named_or_cut_and_nothing_else_changes() {
    let (fs, memory) = written();
    for path in fs.paths() {
        let whole = fs.content(&path);
        for at in 0..whole.len() {
            let fork = fs.fork();
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fork.set_content(&path, &bytes);
            let (disk, report) = open_memory(&fork);
            if at < 64 {
                assert_eq!(report, Report { replayed: report.replayed, ..Report::default() }, "a header has a copy");
                assert_equal(&disk, &memory);
                continue;
            }
            assert!(report.cut.len() + report.damage.len() >= 1, "{} at {at}", path.display());
            for damage in &report.damage {
                assert!(damage.offset <= at as u64);
            }
            // Whatever is still held of the statements is what was written.
            for log in logs() {
                let held = disk.statements(&log, 0, usize::MAX, usize::MAX).unwrap();
                assert_eq!(held, memory.statements(&log, 0, held.len(), usize::MAX).unwrap());
            }
        }
    }
}

#[test]
fn a_bit_that_flips_while_the_store_is_open_is_named_when_read() {
    let (fs, memory) = written();
    let (disk, _) = open_memory(&fs);
    let keys: Vec<Key> =
        (1..=11).flat_map(|number| memory.keys(KeyKind::from_number(number).unwrap()).unwrap()).collect();
    for path in fs.paths() {
        let whole = fs.content(&path);
        for at in (64..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs.set_content(&path, &bytes);
            for key in &keys {
                match disk.get(key) {
                    Ok(None) => {
                        let (_, what) = disk.damage().into_iter().find(|(damaged, _)| damaged == key).unwrap();
                        assert!(what.starts_with("segments/"), "{what}");
                    }
                    Ok(frame) => assert_eq!(frame, memory.get(key).unwrap()),
                    Err(other) => panic!("{other}"),
                }
            }
        }
        fs.set_content(&path, &whole);
    }
}

#[test]
fn what_is_fetched_again_after_damage_takes_its_place() {
    let fs = FaultFs::default();
    let log = logs()[0];
    let (mut disk, _) = open_memory(&fs);
    for position in 0..6_u8 {
        disk.stage(statement(log, position.into(), &[position; 40])).unwrap();
        disk.flush().unwrap();
    }
    let path = fs.paths().pop().unwrap();
    let mut bytes = fs.content(&path);
    bytes[64 + 2 * 87] ^= 1;
    fs.set_content(&path, &bytes);
    let (mut disk, report) = open_memory(&fs);
    assert_eq!(disk.size(&log), 2);
    assert_eq!(report.damage.len(), 2, "the hole, and the statements that wait: {report:?}");
    for position in 2..6_u8 {
        disk.stage(statement(log, position.into(), &[position; 40])).unwrap();
    }
    disk.flush().unwrap();
    let (disk, report) = open_memory(&fs);
    assert_eq!(report.damage.len(), 1, "the hole stays: {report:?}");
    let all = disk.statements(&log, 0, 99, usize::MAX).unwrap();
    assert_eq!(all, (0..6_u8).map(|position| vec![position; 40]).collect::<Vec<_>>());
}

#[test]
fn a_missing_segment_is_named() {
    let (fs, _) = written();
    let first = fs.paths().into_iter().find(|path| path.to_string_lossy().contains("statements")).unwrap();
    fs.remove(&first).unwrap();
    let (_, report) = open_memory(&fs);
    assert!(report.damage.iter().any(|damage| damage.what.contains("missing") && first.ends_with(&damage.file)));
}

#[test]
fn power_lost_at_any_operation_loses_nothing_acknowledged() {
    // First without a crash, to count the operations.
    let run = |fs: &FaultFs| -> (MemoryStore, MemoryStore) {
        let (mut acknowledged, mut memory) = (MemoryStore::default(), MemoryStore::default());
        let opened =
            open::open(Arc::new(fs.clone()), Path::new(DIR), WRITABLE, IndexKind::Memory, ROLL, &mut |_, _| ());
        let Ok((mut disk, _)) = opened else { return (acknowledged, memory) };
        let mut random = Randomness::new([5; 32]);
        for number in 1..=60 {
            let Step::Stage(frame) = step(&mut random, &memory) else { continue };
            if disk.stage(frame.clone()).is_err() {
                break;
            }
            memory.stage(frame).unwrap();
            if number % 7 == 0 {
                if disk.flush().is_err() {
                    assert!(disk.get(&Key::Published).is_err(), "a store that failed goes on failing");
                    assert!(disk.flush().is_err());
                    break;
                }
                acknowledged = memory.clone();
            }
        }
        (acknowledged, memory)
    };
    let fs = FaultFs::default();
    run(&fs);
    let operations = fs.operations();
    assert!(operations > 30);
    for crash in 0..operations {
        for survivors in 0..6_u32 {
            let fs = FaultFs::default();
            fs.arm(Fault::at(crash, Kind::CrashBefore));
            let (acknowledged, memory) = run(&fs);
            // None, all, the first, the last, or some of what was not synced is on the disk.
            let mut random = Randomness::new([u8::try_from(crash % 251).unwrap(); 32]);
            fs.lose_power_in_pieces(16, |piece| match survivors {
                0 => false,
                1 => true,
                2 => piece < 20,
                3 => piece > 20,
                _ => random.below(3) > 0,
            });
            let (disk, report) = open_memory(&fs);
            assert!(report.damage.is_empty(), "crash {crash}, survivors {survivors}: {report:?}");
            for log in logs() {
                assert!(disk.size(&log) >= acknowledged.size(&log), "crash {crash}, survivors {survivors}");
                let held = disk.statements(&log, 0, usize::MAX, usize::MAX).unwrap();
                assert_eq!(held, memory.statements(&log, 0, held.len(), usize::MAX).unwrap());
            }
            for number in 1..KeyKind::END {
                for key in acknowledged.keys(KeyKind::from_number(number).unwrap()).unwrap() {
                    // What was erased since is not there, and need not be.
                    let erased = key.body_of().map(Key::Erased).is_some_and(|note| disk.has(&note).unwrap());
                    assert!(disk.has(&key).unwrap() != erased);
                }
            }
            // Opening has made durable what it shows.
            let frames: Vec<_> = logs().map(|log| disk.size(&log)).into();
            drop(disk);
            fs.lose_power(|_| false);
            let (disk, report) = open_memory(&fs);
            assert_eq!(logs().map(|log| disk.size(&log)).to_vec(), frames);
            assert!(report.cut.is_empty() && report.damage.is_empty());
        }
    }
}

#[test]
fn a_failed_sync_is_the_end() {
    let fs = FaultFs::default();
    let (mut disk, _) = open_memory(&fs);
    disk.stage(frame(Key::Published, b"first")).unwrap();
    disk.flush().unwrap();
    disk.stage(frame(Key::Published, b"second")).unwrap();
    fs.arm(Fault::on(Op::Sync, 0, Kind::ErrorForever));
    assert!(disk.flush().is_err());
    fs.disarm();
    assert!(disk.flush().is_err());
    assert!(disk.stage(frame(Key::Published, b"third")).is_err());
    assert!(disk.get(&Key::Published).is_err());
    assert!(!disk.writable().unwrap());
}

#[test]
fn what_is_shown_after_a_failed_sync_is_made_durable_first() {
    for before in 0..3 {
        let fs = FaultFs::default();
        let (mut disk, _) = open_memory(&fs);
        for number in 0..before {
            disk.stage(statement(logs()[0], number, &[1; 100])).unwrap();
            disk.flush().unwrap();
        }
        disk.stage(statement(logs()[0], before, &[2; 100])).unwrap();
        fs.arm(Fault::on(Op::Sync, 0, Kind::ErrorForever));
        assert!(disk.flush().is_err());
        fs.disarm();
        // The process ends and begins again; the page cache still has what the disk has not.
        drop(disk);
        let (mut disk, _) = open_memory(&fs);
        let shown = disk.size(&logs()[0]);
        disk.stage(statement(logs()[0], shown, &[3; 100])).unwrap();
        disk.flush().unwrap();
        fs.lose_power(|_| false);
        let (disk, report) = open_memory(&fs);
        assert_eq!(report, Report { replayed: shown + 1, ..Report::default() });
        assert_eq!(disk.size(&logs()[0]), shown + 1);
    }
}
