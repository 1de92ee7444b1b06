//! Copies of a folder that is in use: what was whole is in them, what was being written is not, and nothing that signs.

use std::fs;

use super::super::backup;
use super::index::{open_real, written};
use super::*;

fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_copy_of_a_store_in_use_holds_all_that_was_flushed() {
    let (dir, mut memory) = written(300);
    let guard = crate::disk::Guard::open(dir.path(), logs()[0]).unwrap();
    // The store is open, has the lock, and has staged more than is on the disk.
    let (mut disk, _) = open_real(dir.path());
    let mut random = Randomness::new([5; 32]);
    let mut ahead = memory.clone();
    for _ in 0..20 {
        let step = step(&mut random, &ahead);
        take(&mut disk, &step);
        take(&mut ahead, &step);
    }
    let to = tempfile::tempdir().unwrap();
    let copied = backup::copy(dir.path(), to.path(), &mut |_, _| ()).unwrap();
    assert!(copied.damage.is_empty() && copied.files.len() == segments(dir.path()).len(), "{copied:?}");
    let names: Vec<_> = fs::read_dir(to.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["segments"], "neither guard nor index nor lock");
    let (copy, report) = backup::open(to.path(), &mut |_, _| ()).unwrap();
    assert!(report.cut.is_empty() && report.damage.is_empty(), "{report:?}");
    memory.forget_marks();
    assert_equal(&copy, &memory);
    for (name, length, digest) in &copied.files {
        let bytes = fs::read(to.path().join(name)).unwrap();
        assert_eq!((bytes.len() as u64, sha256(&bytes)), (*length, *digest), "{name}");
    }
    drop((disk, guard));
}

#[test]
fn what_is_being_written_is_left_out_and_what_is_damaged_is_copied_and_named() {
    let (dir, mut memory) = written(200);
    memory.forget_marks();
    let last = segments(dir.path()).pop().unwrap();
    let whole = fs::read(&last).unwrap();
    let copy = |bytes: &[u8]| {
        fs::write(&last, bytes).unwrap();
        let to = tempfile::tempdir().unwrap();
        let copied = backup::copy(dir.path(), to.path(), &mut |_, _| ()).unwrap();
        let opened = backup::open(to.path(), &mut |_, _| ()).unwrap();
        (copied, opened, fs::read(to.path().join("segments").join(last.file_name().unwrap())).unwrap())
    };
    // The beginning of a frame, of any length, as whoever reads while a group is written may find it.
    let next = &whole[64..];
    for more in [1, 30, 200] {
        let (copied, (store, report), bytes) = copy(&[&whole[..], &next[..more]].concat());
        assert!(copied.damage.is_empty() && report.cut.is_empty(), "{copied:?} {report:?}");
        assert_eq!(bytes, whole);
        assert_equal(&store, &memory);
    }
    // A bit that has rotted in an earlier group.
    let mut rotten = whole.clone();
    rotten[100] ^= 1;
    let (copied, (_, report), bytes) = copy(&rotten);
    assert_eq!((copied.damage.len(), bytes), (1, rotten));
    assert!(report.damage.contains(&copied.damage[0]), "whoever reads the copy finds the same: {report:?}");
}
