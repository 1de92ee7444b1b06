//! The disk that fails: that it does so alike each time, and forgets what it should.

use std::path::PathBuf;

use super::*;
use crate::encoding::hash::Digest;

/// A store and a guard under faults; gives what is on the disk at the end, and all that was done.
fn lived(seed: u8) -> (Vec<(PathBuf, Vec<u8>)>, Vec<crate::disk::fault::Done>) {
    let (fs, mut memory) = (FaultFs::new(seed.into()), MemoryStore::default());
    let mut random = Randomness::new([seed; 32]);
    fs.operations_done();
    let mut done = Vec::new();
    for _ in 0..6 {
        let kind = Kind::ALL[random.below(9) as usize];
        fs.arm(Fault::at(random.below(60) as usize, kind));
        let opened = fs.open_store_rolling(0, ROLL);
        if let Ok((mut disk, _)) = opened {
            for _ in 0..20 {
                if let Step::Stage(frame) = step(&mut random, &memory) {
                    if !matches!(frame.key, Key::Statement(_)) && disk.stage(frame.clone()).is_err() {
                        break;
                    }
                    memory.stage(frame).unwrap();
                }
                if disk.flush().is_err() {
                    break;
                }
            }
        }
        if let Ok(mut guard) = fs.open_guard(logs()[0]) {
            drop(guard.check_and_record(&[(0, Digest([1; 32]))]));
        }
        fs.disarm();
        fs.lose_power(|_| random.below(2) == 0);
        done.extend(fs.operations_done());
    }
    (fs.paths().into_iter().map(|path| (path.clone(), fs.content(&path))).collect(), done)
}

#[test]
fn the_same_seed_and_calls_give_the_same_bytes_and_errors() {
    for seed in 0..40 {
        let (first, second) = (lived(seed), lived(seed));
        assert_eq!(first, second, "seed {seed}");
    }
    assert_ne!(lived(0).0, lived(1).0);
}

#[test]
fn an_index_keeps_marks_and_may_go_back() {
    let fs = FaultFs::default();
    let (mut disk, _) = fs.open_store(0).unwrap();
    let marks = (0..10_u8).map(|number| Mark::Source(Digest([number; 32]))).collect::<Vec<_>>();
    for mark in &marks {
        disk.stage(frame(Key::Published, b"charter")).unwrap();
        disk.mark(*mark, Some(b"value")).unwrap();
        disk.flush().unwrap();
    }
    let held = |fs: &FaultFs| {
        let (disk, report) = fs.open_store(0).unwrap();
        assert_eq!(report.rebuilt, None);
        disk.marks(MarkKind::Source, None, 99).unwrap().len()
    };
    drop(disk);
    assert_eq!(held(&fs), 10);
    let back = fs.fork();
    // The fourth question is about the fourth group: files are synced, and so not asked for.
    back.lose_power(|number| number < 4);
    assert_eq!(held(&back), 3);
    assert_eq!(held(&fs), 10, "the fork goes its own way");
    fs.drop_index();
    assert_eq!(fs.open_store(0).unwrap().0.marks(MarkKind::Source, None, 99).unwrap(), []);
}

#[test]
fn what_does_not_fit_is_refused_and_what_was_there_stays() {
    let fs = FaultFs::default();
    let (mut disk, _) = fs.open_store(0).unwrap();
    disk.stage(frame(Key::Published, &[1; 200])).unwrap();
    disk.flush().unwrap();
    fs.set_free(100);
    disk.stage(frame(Key::Published, &[2; 200])).unwrap();
    assert!(disk.flush().is_err());
    drop(disk);
    let (disk, report) = fs.open_store(0).unwrap();
    assert_eq!(report.cut.len(), 1, "{report:?}");
    assert_eq!(disk.get(&Key::Published).unwrap().unwrap().bytes, [1; 200]);
}

#[test]
fn a_lost_frame_is_found_by_the_scrub_and_put_back_for_good() {
    let fs = FaultFs::default();
    let log = logs()[0];
    let (mut disk, _) = fs.open_store_rolling(0, ROLL).unwrap();
    let key = |position| Key::Statement(RecordId::new(log, position));
    for position in 0..70_u8 {
        disk.stage(statement(log, position.into(), &[position; 60])).unwrap();
        disk.stage(frame(Key::Checkpoint(log), &[position; 30])).unwrap();
        disk.flush().unwrap();
    }
    let root = disk.node(&log, 6, 0).unwrap();
    // Rot in the third and the sixty-fifth statement.
    for path in fs.paths() {
        let content = fs.content(&path);
        for rotten in [3_u8, 65] {
            if let Some(at) = content.windows(60).position(|bytes| bytes == [rotten; 60]) {
                fs.flip_bit(&path, at * 8 + 5);
            }
        }
    }
    while !disk.scrub(1_000).unwrap() {}
    assert_eq!(disk.damaged(), [key(3), key(65)]);
    assert_eq!((disk.scrubbed().frames, disk.scrubbed().passes), (71, 1));
    assert!(disk.damage().iter().all(|(_, what)| what.starts_with("segments/statements-")));
    assert_eq!(disk.get(&key(3)).unwrap(), None);
    assert_eq!(disk.statements(&log, 0, 99, usize::MAX).unwrap().len(), 3);
    assert_eq!(disk.node(&log, 6, 0).unwrap(), root, "the tree does not need it");
    assert!(disk.replace(statement(log, 3, &[9; 60])).is_err(), "another statement is not taken");
    for position in [3, 65] {
        disk.replace(statement(log, u64::from(position), &[position; 60])).unwrap();
    }
    disk.flush().unwrap();
    drop(disk);
    // With the index, and without it, when the statements behind the holes wait for those that were put back.
    for _ in 0..2 {
        let (disk, report) = fs.open_store_rolling(0, ROLL).unwrap();
        assert!(report.damage.iter().all(|damage| damage.what.contains("no whole frame")), "{report:?}");
        let all: Vec<_> = (0..70_u8).map(|position| vec![position; 60]).collect();
        assert_eq!(disk.statements(&log, 0, 99, usize::MAX).unwrap(), all);
        assert_eq!(disk.node(&log, 6, 0).unwrap(), root);
        assert_eq!(disk.damaged(), []);
        fs.drop_index();
    }
}

#[test]
fn a_bit_that_flipped_in_memory_is_named_although_the_checksum_is_right() {
    let fs = FaultFs::default();
    let log = logs()[0];
    let key = |position| Key::Statement(RecordId::new(log, position));
    let (mut disk, _) = fs.open_store(0).unwrap();
    for position in 0..5_u8 {
        disk.stage(statement(log, position.into(), &[position + 100; 60])).unwrap();
    }
    disk.flush().unwrap();
    // As if it had flipped after the leaf was known and before the frame's checksum was computed.
    let path = fs.paths().into_iter().find(|path| path.ends_with("statements-00000001.seg")).unwrap();
    let mut content = fs.content(&path);
    let salt = u32::from_be_bytes(*content[16..].first_chunk().unwrap());
    let at = content.windows(60).position(|bytes| bytes == [103; 60]).unwrap();
    content[at] ^= 8;
    let (start, end) = (at - 38, at + 60);
    let checksum = crc32c::crc32c_append(salt, &content[start..end]);
    content[end..end + 4].copy_from_slice(&checksum.to_be_bytes());
    fs.set_content(&path, &content);
    let checked = fs.check(None).unwrap();
    let [fault] = &checked.faults[..] else { panic!("{checked:?}") };
    assert_eq!((fault.frame, fault.what.as_str()), (Some(key(3)), "another statement than the tree has"));
    // The first read names it, and no other bytes are given out in its place.
    assert_eq!(disk.statements(&log, 0, 9, usize::MAX).unwrap().len(), 3);
    assert_eq!(disk.get(&key(3)).unwrap(), None);
    assert_eq!(disk.damaged(), [key(3)]);
    disk.replace(statement(log, 3, &[103; 60])).unwrap();
    disk.flush().unwrap();
    assert_eq!(disk.statements(&log, 0, 9, usize::MAX).unwrap().len(), 5);
}

#[test]
fn a_bit_that_flips_between_checksum_and_disk_is_named() {
    let fs = FaultFs::default();
    let (mut disk, _) = fs.open_store(0).unwrap();
    fs.arm(Fault::on(Op::Write, 1, Kind::Rot));
    for position in 0..3_u8 {
        disk.stage(statement(logs()[0], position.into(), &[position; 60])).unwrap();
    }
    disk.flush().unwrap();
    assert!(!fs.check(None).unwrap().is_whole());
    while !disk.scrub(1_000).unwrap() {}
    assert_eq!(disk.damaged().len(), 1);
}
