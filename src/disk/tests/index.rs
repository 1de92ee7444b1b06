//! What can happen to sled's folder: whatever it is, the store is the same, and the marks are there all or none.

use std::fs;
use std::path::PathBuf;

use super::super::frame::Place;
use super::super::index::{self, Changes, Index as _};
use super::super::sled_index::SledIndex;
use super::*;

pub(super) fn open_real(dir: &Path) -> (DiskStore, Report) {
    DiskStore::open(dir, 0, &mut |_, _| ()).unwrap()
}

/// A directory with a store of a few groups, and its twin in memory.
pub(super) fn written(steps: usize) -> (tempfile::TempDir, MemoryStore) {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = MemoryStore::default();
    let mut random = Randomness::new([4; 32]);
    let (mut disk, _) = open_real(dir.path());
    for number in 0..steps {
        let step = step(&mut random, &memory);
        take(&mut disk, &step);
        take(&mut memory, &step);
        if number % 50 == 0 {
            disk.flush().unwrap();
        }
    }
    disk.flush().unwrap();
    (dir, memory)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn a_deleted_index_is_rebuilt_without_marks() {
    let (dir, mut memory) = written(300);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let mut told = (0, 0);
    let (disk, report) = DiskStore::open(dir.path(), 0, &mut |done, total| told = (done, total)).unwrap();
    assert_eq!(report.rebuilt.as_deref(), Some("there is none"));
    assert!(told.0 == told.1 && told.1 > 0, "{told:?}");
    memory.forget_marks();
    assert_equal(&disk, &memory);
    assert_equal_marks(&disk, &memory);
}

#[test]
fn an_older_index_is_brought_up_to_date() {
    let (dir, mut memory) = written(300);
    let older = tempfile::tempdir().unwrap();
    copy(&dir.path().join("index"), older.path());
    let marks = memory.clone();
    let mut random = Randomness::new([6; 32]);
    let (mut disk, _) = open_real(dir.path());
    for _ in 0..100 {
        let step = step(&mut random, &memory);
        take(&mut disk, &step);
        take(&mut memory, &step);
    }
    disk.flush().unwrap();
    drop(disk);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    copy(older.path(), &dir.path().join("index"));
    let (disk, report) = open_real(dir.path());
    assert_eq!(report.rebuilt, None);
    assert!(report.replayed > 0);
    assert_equal(&disk, &memory);
    // The marks are those of the moment that the index is from: all of them.
    assert_equal_marks(&disk, &marks);
}

#[test]
fn an_index_that_knows_more_than_the_segments_is_rebuilt_and_the_loss_named() {
    let (dir, memory) = written(300);
    let segment = dir.path().join("segments/statements-00000001.seg");
    let whole = fs::read(&segment).unwrap();
    fs::write(&segment, &whole[..whole.len() - 3]).unwrap();
    let (disk, report) = open_real(dir.path());
    assert!(report.rebuilt.is_some());
    assert_eq!(report.cut, [], "it had been acknowledged, so it is not a torn end");
    assert_eq!(report.damage.len(), 2, "the incomplete frame, and what was there once: {report:?}");
    let lost: u64 = logs().iter().map(|log| memory.size(log) - disk.size(log)).sum();
    assert!(lost <= 1);
    drop(disk);
    let (disk, report) = open_real(dir.path());
    assert_eq!(report, Report::default());
    drop(disk);
    // A whole segment gone leaves no incomplete frame.
    fs::remove_file(&segment).unwrap();
    let (disk, report) = open_real(dir.path());
    assert_eq!(report.damage.len(), 1, "{report:?}");
    assert_eq!(disk.logs(), []);
}

#[test]
fn an_index_of_another_store_is_not_believed() {
    let (dir, mut memory) = written(300);
    let (other, _) = written(250);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    copy(&other.path().join("index"), &dir.path().join("index"));
    let (disk, report) = open_real(dir.path());
    assert!(report.rebuilt.is_some());
    memory.forget_marks();
    assert_equal(&disk, &memory);
    assert_equal_marks(&disk, &memory);
}

#[test]
fn a_row_that_is_missing_or_other_is_noticed_by_the_sum() {
    let (dir, mut memory) = written(300);
    let (log, mark) = (logs()[0], memory.marks(MarkKind::Inbox, None, 1).unwrap()[0].0);
    let page = index::page_key(RecordId::new(log, 0));
    let row = index::Row { place: Place { segment: 1, offset: 64 }, length: 99, leaf: None };
    let other_leaf = |mut page: Vec<u8>| {
        page[20] ^= 1;
        Some(page)
    };
    type Change<'a> = (Vec<u8>, &'a dyn Fn(Vec<u8>) -> Option<Vec<u8>>);
    let changes: [Change<'_>; 5] = [
        (index::mark_key(&mark), &|_| None),
        (index::mark_key(&mark), &|_| Some(b"another value".to_vec())),
        (Key::Checkpoint(log).to_bytes(), &|_| None),
        (Key::Checkpoint(log).to_bytes(), &|_| Some(row.to_bytes())),
        (page, &other_leaf),
    ];
    for (key, change) in &changes {
        let work = tempfile::tempdir().unwrap();
        copy(dir.path(), work.path());
        let sled = SledIndex::open(&work.path().join("index")).unwrap();
        let value = sled.get(key).unwrap().expect("the row is there");
        sled.apply(&Changes::from([(key.clone(), change(value))])).unwrap();
        drop(sled);
        let (disk, report) = open_real(work.path());
        assert_eq!(report.rebuilt.as_deref(), Some("stored data is damaged: the index: its sum is wrong"));
        memory.forget_marks();
        assert_equal(&disk, &memory);
        assert_equal_marks(&disk, &memory);
    }
}

#[test]
fn whatever_happens_to_its_files_the_answers_are_right() {
    let (dir, memory) = written(400);
    let mut bare = memory.clone();
    bare.forget_marks();
    let mut random = Randomness::new([8; 32]);
    let mut rebuilt = 0;
    for round in 0..48_u32 {
        let work = tempfile::tempdir().unwrap();
        copy(dir.path(), work.path());
        let files: Vec<PathBuf> = files(&work.path().join("index"));
        let [which, kind, a, b, c] = random.array::<5>();
        let path = &files[usize::from(which) % files.len()];
        let mut bytes = fs::read(path).unwrap();
        // Most of sled's file is empty at this size: aim at what is written.
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1).min(bytes.len().max(1));
        let at = u32::from_be_bytes([0, a, b, c]) as usize % used;
        if bytes.is_empty() {
            continue;
        }
        match kind % 4 {
            0 | 1 => bytes[at] ^= 1 << (round % 8),
            2 => bytes.truncate(at),
            _ => bytes[at..used.min(at + 512)].fill(0),
        }
        fs::write(path, &bytes).unwrap();
        let (disk, report) = open_real(work.path());
        assert!(report.damage.is_empty() && report.cut.is_empty(), "round {round}: {report:?}");
        assert_equal(&disk, &memory);
        if report.rebuilt.is_some() {
            rebuilt += 1;
            assert_equal_marks(&disk, &bare);
        } else if report.replayed == 0 {
            assert_equal_marks(&disk, &memory);
        }
    }
    assert!(rebuilt > 0, "some of it must have hurt");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
