//! fsck: whatever is flipped, it is named, and no file is changed by looking.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::*;
use crate::disk::fsck::{self, Checked, Heals};
use crate::disk::{Guard, OpenError};
use crate::encoding::hash::Digest;

/// So small that both families have several segments.
const ROLL: u32 = 1_000;

fn log() -> LogId {
    logs()[0]
}

/// Frames of every kind, some of them twice, in groups; and a guard that knows of all statements.
fn write(disk: &mut DiskStore, guard: &mut Guard) {
    let id = |position| RecordId::new(log(), position);
    for position in 0..8_u8 {
        let at = u64::from(position);
        guard.check_and_record(&[(at, Digest([position; 32]))]).unwrap();
        let bytes = [position; 40];
        disk.stage(frame(Key::Head(id(at)), &bytes)).unwrap();
        disk.stage(frame(Key::Compartment(id(at), 1), &bytes)).unwrap();
        disk.stage(statement(log(), at, &bytes)).unwrap();
        disk.stage(frame(Key::Checkpoint(log()), &bytes)).unwrap();
        if position % 4 == 0 {
            let member = log().member;
            for key in [
                Key::Published,
                Key::Cosignature(log(), member),
                Key::FrontierCosignature(member),
                Key::Fork(log(), 0),
                Key::Intent(id(at)),
                Key::Lanes(id(at)),
                Key::Slot(id(at)),
                Key::CharterSplit,
                Key::ManifestSplit(member),
                Key::Commitments(id(at)),
                Key::LaneProof(id(at)),
            ] {
                disk.stage(frame(key, &bytes)).unwrap();
            }
        }
        disk.flush().unwrap();
    }
}

fn written() -> FaultFs {
    let fs = FaultFs::default();
    let (mut disk, _) = fs.open_store_rolling(0, ROLL).unwrap();
    write(&mut disk, &mut fs.open_guard(log()).unwrap());
    fs
}

fn check(fs: &FaultFs) -> Checked {
    fs.check(Some(log())).unwrap()
}

/// Where each frame lies, by the store's own reading.
fn frames(fs: &FaultFs) -> Vec<(PathBuf, std::ops::Range<usize>, Key)> {
    let mut all = Vec::new();
    for path in fs.paths().into_iter().filter(|path| path.extension().is_some_and(|name| name == "seg")) {
        let bytes = fs.content(&path);
        let mut at = 64;
        while at < bytes.len() {
            let length = u32::from_be_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
            let key = &bytes[at + 25..][..usize::from(bytes[at + 24])];
            all.push((path.clone(), at..at + length, Key::from_bytes(key).unwrap()));
            at += length;
        }
    }
    all
}

fn name(path: &Path) -> String {
    path.strip_prefix(DIR).unwrap().to_str().unwrap().to_owned()
}

fn contains(fault: &fsck::Fault, at: usize) -> bool {
    let at = at as u64;
    fault.offset <= at && at < fault.offset + fault.bytes
}

#[test]
fn what_is_whole_is_called_whole() {
    let fs = written();
    let checked = check(&fs);
    assert!(checked.is_whole() && checked.faults.is_empty() && checked.unchecked.is_empty(), "{checked:?}");
    assert_eq!(checked.frames, 8 * 4 + 2 * 11);
    assert_eq!(checked.indexed, Some(8 * 3 + 1 + 6 + 2 * 5));
    assert_eq!(checked.guards, [(log(), 8)]);
    fs.drop_index();
    let checked = check(&fs);
    assert!(checked.is_whole() && checked.faults.is_empty() && checked.indexed.is_none(), "{checked:?}");
}

#[test]
fn every_flipped_bit_is_named_by_fsck_and_nothing_changes() {
    let fs = written();
    let frames = frames(&fs);
    let mut newest = std::collections::BTreeMap::new();
    for (path, range, key) in &frames {
        newest.insert(*key, (path.clone(), range.clone()));
    }
    let mut random = Randomness::new([5; 32]);
    for path in fs.paths() {
        for at in 0..fs.content(&path).len() {
            let fs = fs.fork();
            fs.flip_bit(&path, at * 8 + random.below(8) as usize);
            let all: Vec<_> = fs.paths().iter().map(|path| fs.content(path)).collect();
            for indexed in [true, false] {
                let place = format!("{} at {at}, index {indexed}", path.display());
                if !indexed {
                    fs.drop_index();
                }
                let checked = check(&fs);
                let named = checked.faults.iter().find(|fault| fault.file == name(&path) && contains(fault, at));
                let fault = named.unwrap_or_else(|| panic!("{place}: {checked:?}"));
                if path.extension().is_some_and(|name| name == "guard") {
                    assert!(fault.heals == Heals::Nothing && !checked.is_whole(), "{place}: {fault:?}");
                    continue;
                }
                let frame = frames.iter().find(|(of, range, _)| *of == path && range.contains(&at));
                let Some((_, range, key)) = frame else {
                    assert!(at < 64 && checked.is_whole(), "{place}: one copy of the header is enough, {checked:?}");
                    continue;
                };
                let counts = newest[key] == (path.clone(), range.clone());
                if indexed {
                    // The index also knows the end of the segments, and is built anew if that is another.
                    let beside = checked.faults.iter().filter(|fault| fault.file != "index").count();
                    assert_eq!(beside, 1, "{place}: {checked:?}");
                    assert_eq!(checked.is_whole(), !counts, "{place}: {fault:?}");
                    if counts {
                        assert!(fault.is_sure && fault.frame == Some(*key), "{place}: {fault:?}");
                        assert_eq!((fault.offset, fault.bytes), (range.start as u64, range.len() as u64), "{place}");
                    } else {
                        assert_eq!(fault.heals, Heals::Unneeded, "{place}: {fault:?}");
                    }
                } else {
                    // Only a torn end passes for harmless: without an index nobody knows better.
                    let is_torn = fault.heals == Heals::Itself && fault.what.starts_with("a crash tore");
                    assert!(!fault.is_sure || is_torn, "{place}: {fault:?}");
                    assert!(!checked.is_whole() || is_torn, "{place}: {checked:?}");
                    let in_key_or_before = at < range.start + 25 + key.to_bytes().len();
                    assert!(is_torn || in_key_or_before || fault.frame == Some(*key), "{place}: {fault:?}");
                }
            }
            assert_eq!(fs.paths().iter().map(|path| fs.content(path)).collect::<Vec<_>>(), all);
        }
    }
}

#[test]
fn what_was_put_back_is_harmless_and_what_was_not_is_named_by_position() {
    let fs = written();
    let key = |position| Key::Statement(RecordId::new(log(), position));
    for position in [3, 5] {
        let (path, range, _) = frames(&fs).into_iter().find(|(_, _, found)| *found == key(position)).unwrap();
        fs.flip_bit(&path, (range.end - 6) * 8);
    }
    let checked = check(&fs);
    assert_eq!(checked.faults.iter().map(|fault| fault.frame).collect::<Vec<_>>(), [Some(key(3)), Some(key(5))]);
    assert!(checked.faults.iter().all(|fault| fault.heals == Heals::Peer && fault.advice.contains("peer")));
    let (mut disk, _) = fs.open_store_rolling(0, ROLL).unwrap();
    while !disk.scrub(1_000).unwrap() {}
    disk.replace(statement(log(), 3, &[3; 40])).unwrap();
    disk.flush().unwrap();
    drop(disk);
    let checked = check(&fs);
    let healed: Vec<_> = checked.faults.iter().map(|fault| (fault.heals, fault.is_harmless)).collect();
    assert_eq!(healed, [(Heals::Unneeded, true), (Heals::Peer, false)], "{checked:?}");
    // Without the index the healed frame still says what it was, but that is not sure.
    fs.drop_index();
    let checked = check(&fs);
    let healed: Vec<_> = checked.faults.iter().map(|fault| (fault.heals, fault.is_sure)).collect();
    assert_eq!(healed, [(Heals::Unneeded, false), (Heals::Peer, false)], "{checked:?}");
}

#[test]
fn files_that_are_missing_or_cut_short_are_named() {
    let fs = written();
    let (path, range, key) = frames(&fs).pop().unwrap();
    // The index has seen beyond: not torn, but lost.
    fs.set_content(&path, &fs.content(&path)[..range.start]);
    let checked = check(&fs);
    let lost = checked.faults.iter().find(|fault| fault.frame == Some(key)).unwrap();
    assert!(lost.is_sure && !lost.is_harmless && lost.offset == range.start as u64, "{checked:?}");
    assert!(checked.faults.iter().any(|fault| fault.file == "index"), "{checked:?}");
    assert!(checked.faults.iter().any(|fault| fault.what.starts_with("all up to byte")), "{checked:?}");
    // A log may be shorter than its guard; only a guard that is shorter than its log is a fault.
    assert!(checked.faults.iter().all(|fault| !fault.file.starts_with("guard/")), "{checked:?}");

    let fs = written();
    let path = Path::new(DIR).join("guard/GE.guard");
    fs.set_content(&path, &fs.content(&path)[..64 + 44 * 5]);
    let checked = check(&fs);
    let [fault] = &checked.faults[..] else { panic!("{checked:?}") };
    assert!(fault.file == "guard/GE.guard" && fault.heals == Heals::Nothing && fault.advice.contains("new manifest"));
    assert_eq!(fault.offset, 64 + 44 * 5);
}

/// All files below a folder with what is in them and when they were changed.
fn snapshot(dir: &Path) -> Vec<(PathBuf, Option<Vec<u8>>, SystemTime)> {
    let mut all = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.metadata().unwrap();
            let content = metadata.is_file().then(|| fs::read(&path).unwrap());
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            all.push((path, content, metadata.modified().unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_real_folder_stays_as_it_is_torn_end_and_index_included() {
    let dir = tempfile::tempdir().unwrap();
    let real = |own| fsck::check(dir.path(), own, &mut |_, _| ());
    assert!(matches!(real(None), Err(OpenError::Absent { .. })));
    let (mut disk, _) = DiskStore::open(dir.path(), 0, &mut |_, _| ()).unwrap();
    write(&mut disk, &mut Guard::open(dir.path(), log()).unwrap());
    assert!(matches!(real(None), Err(OpenError::Locked { .. })), "a node has it");
    drop(disk);
    let segment = dir.path().join("segments/statements-00000001.seg");
    let whole = fs::read(&segment).unwrap();
    // A group that a crash tore: the index has not seen it.
    let mut torn = whole.clone();
    torn.extend([7; 33]);
    fs::write(&segment, &torn).unwrap();
    let before = snapshot(dir.path());
    for _ in 0..2 {
        let checked = real(Some(log())).unwrap();
        assert!(checked.is_whole() && checked.unchecked.is_empty(), "{checked:?}");
        let [fault] = &checked.faults[..] else { panic!("{checked:?}") };
        assert_eq!((fault.offset, fault.bytes, fault.is_harmless), (whole.len() as u64, 33, true), "{fault:?}");
        assert!(checked.indexed.is_some_and(|frames| frames > 0));
        assert_eq!(snapshot(dir.path()), before);
    }
    // A folder that holds no index, and something else in its place.
    let index = dir.path().join("index");
    let spoil = || fs::write(index.join("db"), [9; 5_000]).unwrap();
    let take_its_place = || {
        fs::remove_dir_all(&index).unwrap();
        fs::write(&index, b"a file where a folder was").unwrap();
    };
    for harm in [&spoil as &dyn Fn(), &take_its_place] {
        harm();
        let before = snapshot(dir.path());
        let checked = real(Some(log())).unwrap();
        let fault = checked.faults.iter().find(|fault| fault.file == "index").unwrap();
        assert!(fault.heals == Heals::Itself && !checked.is_whole(), "{checked:?}");
        assert_eq!(snapshot(dir.path()), before);
    }
    // An ordinary start cuts.
    drop(DiskStore::open(dir.path(), 0, &mut |_, _| ()).unwrap());
    assert_eq!(fs::read(&segment).unwrap(), whole);
}

#[test]
fn a_segment_that_cannot_be_read_is_named_and_the_rest_is_read() {
    let fs = written();
    fs.drop_index();
    let whole = check(&fs);
    // The first read of a segment as a whole.
    fs.operations_done();
    check(&fs);
    let reads: Vec<_> = fs.operations_done().into_iter().filter(|done| done.op == Op::Read).collect();
    let first = reads.iter().position(|done| done.length > 64).unwrap();
    fs.arm(Fault::on(Op::Read, first, Kind::Error));
    let checked = check(&fs);
    let named = checked.faults.iter().find(|fault| fault.what.starts_with("it cannot be read")).unwrap();
    assert_eq!(Some(named.file.clone()), reads.get(first).map(|done| name(&done.path)));
    assert_eq!(checked.segments, whole.segments);
    assert!(checked.frames > whole.frames / 2 && !checked.is_whole(), "{checked:?}");
}

#[test]
#[ignore = "measures, and writes half a gigabyte"]
#[allow(clippy::print_stdout, reason = "a measurement")]
fn how_much_memory_a_long_check_takes() {
    let dir = tempfile::tempdir().unwrap();
    let peak = || {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:").map(str::to_owned));
        line.unwrap_or_default().trim().to_owned()
    };
    let (mut disk, _) = DiskStore::open(dir.path(), 0, &mut |_, _| ()).unwrap();
    for position in 0..200_000_u64 {
        disk.stage(statement(log(), position, &[7; 300])).unwrap();
        if position % 40 == 0 {
            disk.stage(frame(Key::Compartment(RecordId::new(log(), position), 0), &[8; 100_000])).unwrap();
        }
        if position % 500 == 0 {
            disk.flush().unwrap();
        }
    }
    disk.flush().unwrap();
    drop(disk);
    println!("written: {}", peak());
    let checked = fsck::check(dir.path(), None, &mut |_, _| ()).unwrap();
    println!("{} bytes, {} frames, {:?} indexed: {}", checked.bytes, checked.frames, checked.indexed, peak());
    assert!(checked.is_whole(), "{:?}", checked.faults);
}
