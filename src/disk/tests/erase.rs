//! Erasing: no byte of a body is left in any file, whatever happens in between, and nothing else is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::*;
use crate::disk::fsck::Heals;

/// So small that the frames fill several segments.
const ROLL: u32 = 1_500;

fn id(position: u64) -> RecordId {
    RecordId::new(logs()[0], position)
}

/// What is written under a key: bytes that are nowhere else.
fn content(key: Key, version: u8) -> Vec<u8> {
    let mut bytes = vec![0; 150];
    Randomness::new(sha256(&[key.to_bytes(), vec![version]].concat()).0).fill(&mut bytes);
    bytes
}

fn body(position: u64) -> [Key; 4] {
    [
        Key::Head(id(position)),
        Key::Compartment(id(position), 0),
        Key::Compartment(id(position), 255),
        Key::Lanes(id(position)),
    ]
}

/// Six records with their bodies, those of 1 and 2 written twice.
fn write(disk: &mut DiskStore) {
    for position in 0..6 {
        for key in body(position) {
            disk.stage(frame(key, &content(key, 0))).unwrap();
        }
        disk.stage(statement(logs()[0], position, &[u8::try_from(position).unwrap(); 60])).unwrap();
        disk.flush().unwrap();
    }
    for key in [1, 2].into_iter().flat_map(body) {
        disk.stage(frame(key, &content(key, 1))).unwrap();
    }
    disk.flush().unwrap();
}

fn written() -> FaultFs {
    let fs = FaultFs::default();
    write(&mut open(&fs).0);
    fs
}

fn open(fs: &FaultFs) -> (DiskStore, Report) {
    fs.open_store_rolling(0, ROLL).unwrap()
}

fn note(position: u64) -> Frame {
    frame(Key::Erased(id(position)), b"by order")
}

/// The files in which any piece of the body lies.
fn found(files: &BTreeMap<PathBuf, Vec<u8>>, position: u64) -> Vec<PathBuf> {
    const PIECE: usize = 10;
    let versions = body(position).into_iter().flat_map(|key| [0, 1].map(|version| content(key, version)));
    let pieces: BTreeSet<Vec<u8>> =
        versions.flat_map(|bytes| bytes.chunks_exact(PIECE).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect();
    let holds = |bytes: &Vec<u8>| bytes.windows(PIECE).any(|window| pieces.contains(window));
    files.iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path.clone()).collect()
}

fn files(fs: &FaultFs) -> BTreeMap<PathBuf, Vec<u8>> {
    fs.paths().into_iter().map(|path| (path.clone(), fs.content(&path))).collect()
}

/// All bodies but those of these positions are as they were, and so are all statements.
fn assert_others(disk: &DiskStore, erased: &[u64]) {
    for position in 0..6 {
        for key in body(position) {
            let version = u8::from([1, 2].contains(&position));
            let expected = (!erased.contains(&position)).then(|| content(key, version));
            assert_eq!(disk.get(&key).unwrap().map(|frame| frame.bytes), expected, "{key}");
            assert_eq!(disk.has(&key).unwrap(), expected.is_some(), "{key}");
        }
    }
    assert_eq!(disk.statements(&logs()[0], 0, 99, usize::MAX).unwrap().len(), 6);
    assert!(disk.damaged().is_empty());
}

fn is_whole(fs: &FaultFs) -> bool {
    let checked = fs.check(None).unwrap();
    checked.is_whole() && checked.faults.is_empty()
}

#[test]
fn no_byte_is_left_and_nothing_else_is_touched() {
    let fs = written();
    let (mut disk, _) = open(&fs);
    assert!(found(&files(&fs), 1).len() > 1, "it lies in several segments");
    let before = files(&fs);
    disk.stage(note(1)).unwrap();
    disk.stage(note(5)).unwrap();
    assert_others(&disk, &[1, 5]);
    disk.flush().unwrap();
    for fs in [fs.clone(), {
        let cut = fs.fork();
        cut.lose_power(|_| false);
        cut
    }] {
        assert!(found(&files(&fs), 1).is_empty() && found(&files(&fs), 5).is_empty());
        assert_eq!(found(&files(&fs), 2), found(&before, 2));
        assert!(is_whole(&fs));
    }
    // Files keep their lengths, and headers and heads of frames their bytes.
    for (path, bytes) in &before {
        let now = fs.content(path);
        assert!(now.len() >= bytes.len());
    }
    while !disk.scrub(1 << 20).unwrap() {}
    assert_others(&disk, &[1, 5]);
    drop(disk);
    for keep_index in [true, false] {
        if !keep_index {
            fs.drop_index();
        }
        let (mut disk, report) = open(&fs);
        assert!(report.damage.is_empty() && report.cut.is_empty() && report.erased == 0, "{report:?}");
        assert_eq!(report.rebuilt.is_none(), keep_index);
        assert_others(&disk, &[1, 5]);
        assert_eq!(disk.keys(KeyKind::Erased).unwrap(), [Key::Erased(id(1)), Key::Erased(id(5))]);
        // And life goes on, in the new segment.
        let key = Key::Compartment(id(3), 7);
        disk.stage(frame(key, &content(key, 0))).unwrap();
        disk.flush().unwrap();
        assert_eq!(disk.get(&key).unwrap().unwrap().bytes, content(key, 0));
        assert!(is_whole(&fs));
    }
}

#[test]
fn what_is_staged_and_erased_in_one_group_is_gone_as_well() {
    let fs = written();
    let (mut disk, _) = open(&fs);
    let key = Key::Slot(id(4));
    disk.stage(frame(key, &content(key, 0))).unwrap();
    disk.stage(note(4)).unwrap();
    let late = Key::Compartment(id(3), 9);
    disk.stage(frame(late, &content(late, 0))).unwrap();
    disk.stage(note(3)).unwrap();
    disk.flush().unwrap();
    for key in [key, late] {
        let bytes = content(key, 0);
        assert!(files(&fs).values().all(|file| !file.windows(20).any(|window| window == &bytes[..20])), "{key}");
    }
    assert_others(&disk, &[3, 4]);
    assert!(is_whole(&fs));
}

/// Opens what a crash has left, and holds it against what may be there.
fn judge(fs: &FaultFs, case: &str) {
    let (disk, report) = open(fs);
    assert!(report.damage.is_empty(), "{case}: {report:?}");
    let erased: Vec<u64> =
        [1, 5].into_iter().filter(|position| disk.has(&Key::Erased(id(*position))).unwrap()).collect();
    assert_others(&disk, &erased);
    for position in &erased {
        assert_eq!(found(&files(fs), *position), Vec::<PathBuf>::new(), "{case}: {report:?}");
    }
    drop(disk);
    assert!(is_whole(fs), "{case}: {:?}", fs.check(None).unwrap().faults);
    fs.lose_power(|_| false);
    for position in &erased {
        assert_eq!(found(&files(fs), *position), Vec::<PathBuf>::new(), "{case}, after another loss of power");
    }
}

#[test]
fn a_crash_at_any_operation_leaves_the_body_or_nothing_of_it() {
    let base = written();
    let begin = |fs: &FaultFs| {
        let (mut disk, _) = open(fs);
        disk.stage(note(1)).unwrap();
        disk.stage(note(5)).unwrap();
        disk
    };
    let trial = base.fork();
    let mut disk = begin(&trial);
    let before = trial.operations();
    disk.flush().unwrap();
    let operations = trial.operations() - before;
    assert!(operations > 20, "{operations}");
    let (mut completed, mut recoveries) = (0, 0);
    for operation in 0..operations {
        // None, four of five pieces, or all: then the process alone has ended.
        for survivors in [0, 5, 7_u32] {
            for keep_index in [true, false] {
                let case = format!("operation {operation}, survivors {survivors}, index {keep_index}");
                let fs = base.fork();
                let mut disk = begin(&fs);
                fs.arm(Fault::at(operation, Kind::CrashBefore));
                assert!(disk.flush().is_err(), "{case}");
                drop(disk);
                let mut random = Randomness::new([u8::try_from(operation).unwrap(); 32]);
                match survivors {
                    7 => fs.restart(),
                    _ => fs.lose_power(|_| survivors > 0 && random.below(survivors) > 0),
                }
                fs.disarm();
                if !keep_index {
                    fs.drop_index();
                }
                // A second crash, while the first is recovered from.
                let again = fs.fork();
                let start = again.operations();
                let (_, report) = open(&again);
                completed += u64::from(report.erased > 0);
                let recovery = again.operations() - start;
                for second in (0..recovery).skip(operation % 17).step_by(17).filter(|_| survivors == 5) {
                    let fs = fs.fork();
                    fs.arm(Fault::at(second, Kind::CrashAfter));
                    drop(fs.open_store_rolling(0, ROLL));
                    fs.lose_power(|piece| (piece + second) % 2 == 0);
                    recoveries += 1;
                    judge(&fs, &format!("{case}, then {second}"));
                }
                judge(&fs, &case);
            }
        }
    }
    assert!(completed > 20 && recoveries > 50, "{completed} {recoveries}");
}

#[test]
fn a_note_beside_a_body_that_is_still_there_erases_it_at_the_next_start() {
    // As in a copy that was made in between, and put back.
    let fs = written();
    let bodies = files(&fs);
    let (mut disk, _) = open(&fs);
    disk.stage(note(1)).unwrap();
    disk.flush().unwrap();
    drop(disk);
    let is_body = |path: &PathBuf| path.to_string_lossy().contains("bodies");
    for path in fs.paths().iter().filter(|path| is_body(path)) {
        fs.delete(path);
    }
    for (path, bytes) in bodies.iter().filter(|(path, _)| is_body(path)) {
        fs.set_content(path, bytes);
    }
    fs.drop_index();
    let checked = fs.check(None).unwrap();
    let named: Vec<Option<Key>> = checked.faults.iter().map(|fault| fault.frame).collect();
    assert_eq!(named.len(), 8, "{checked:?}");
    assert!(checked.faults.iter().all(|fault| fault.heals == Heals::Itself && !fault.is_harmless), "{checked:?}");
    assert!(body(1).into_iter().all(|key| named.contains(&Some(key))));
    // Who only reads sees nothing of it, and changes nothing.
    let reader =
        open::open(Arc::new(fs.clone()), Path::new(DIR), Mode::ReadOnly, IndexKind::Memory, ROLL, &mut |_, _| ());
    let (reader, report) = reader.unwrap();
    assert_eq!(report.erased, 1);
    assert_others(&reader, &[1]);
    assert!(!found(&files(&fs), 1).is_empty());
    let (disk, report) = open(&fs);
    assert_eq!((report.erased, report.damage.len()), (8, 0));
    assert_others(&disk, &[1]);
    assert!(found(&files(&fs), 1).is_empty() && is_whole(&fs));
}

#[test]
fn what_is_damaged_is_erased_as_well() {
    let base = written();
    let (path, offset) = {
        let first = content(Key::Compartment(id(1), 0), 0);
        let all = files(&base);
        let (path, bytes) = all.iter().find(|(_, bytes)| bytes.windows(150).any(|window| window == first)).unwrap();
        (path.clone(), bytes.windows(150).position(|window| window == first).unwrap())
    };
    // A bit of the content, of the key, of the place, of the length, of the checksum.
    for at in [offset + 70, offset - 3, offset - 30, offset - 40, offset + 150] {
        for keep_index in [true, false] {
            let fs = base.fork();
            fs.flip_bit(&path, at * 8);
            if !keep_index {
                fs.drop_index();
            }
            let (mut disk, _) = open(&fs);
            disk.stage(note(1)).unwrap();
            disk.flush().unwrap();
            assert_eq!(found(&files(&fs), 1), Vec::<PathBuf>::new(), "bit at {at}, index {keep_index}");
            drop(disk);
            let (disk, _) = open(&fs);
            for position in [0, 2, 3, 4] {
                assert!(body(position).iter().all(|key| disk.get(key).unwrap().is_some()), "{position}");
            }
        }
    }
}

fn files_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(std::fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn on_real_files_with_sled_the_marks_stay() {
    let dir = tempfile::tempdir().unwrap();
    let open = || DiskStore::open(dir.path(), 0, &mut |_, _| ()).unwrap();
    let (mut disk, _) = open();
    write(&mut disk);
    let mark = Mark::Audited(logs()[0]);
    disk.mark(mark, Some(b"six")).unwrap();
    let line = Mark::Source(sha256(b"a line that was erased"));
    disk.mark(line, Some(b"GE-1")).unwrap();
    disk.flush().unwrap();
    disk.mark(line, None).unwrap();
    disk.stage(note(1)).unwrap();
    disk.flush().unwrap();
    drop(disk);
    let on_disk = || -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = dir.path().join("segments");
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    };
    assert!(found(&on_disk(), 1).is_empty() && !found(&on_disk(), 2).is_empty());
    // The index holds no content, but the digest of a line; and sled forgets late.
    let indexes = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.file_stem().is_some_and(|stem| stem == "index")).collect()
    };
    let digest = sha256(b"a line that was erased").0;
    let is_known = || {
        let files = files_below(&dir.path().join("index"));
        files.iter().any(|bytes| bytes.windows(20).any(|window| window == &digest[8..28]))
    };
    assert!(is_known());
    let (disk, report) = open();
    assert_eq!(report, Report::default());
    assert_eq!(disk.marked(&line).unwrap(), None);
    assert_eq!(disk.marked(&mark).unwrap().as_deref(), Some(&b"six"[..]));
    assert_others(&disk, &[1]);
    drop(disk);
    assert!(!is_known());
    assert_eq!(indexes(), [dir.path().join("index")]);
    let (disk, report) = open();
    assert_eq!((report, disk.marked(&mark).unwrap().as_deref()), (Report::default(), Some(&b"six"[..])));
    drop(disk);
    let checked = crate::disk::fsck::check(dir.path(), None, &mut |_, _| ()).unwrap();
    assert!(checked.is_whole() && checked.faults.is_empty(), "{checked:?}");
}
