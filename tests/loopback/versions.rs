//! Data of other versions: what the first one wrote is read for ever, and what a later one wrote is left alone, politely.

use std::fs;
use std::path::Path;

use shieldwall::disk::DiskStore;
use shieldwall::encoding::ids::LogId;
use shieldwall::encoding::merkle;
use shieldwall::ledger::{Key, KeyKind, SignedRoot, Store as _};

use super::recover::copy;
use super::{Federation, program, success};

/// A folder as a node of format version 1 left it: three members, killed in an import. The index is not part of what is kept.
const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data-1");

#[test]
fn what_format_version_1_holds_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first");
    copy(Path::new(FIRST), &first);
    let federation = shieldwall::node::open::federation(&first.join("charter.cose")).unwrap();
    let (store, report) = DiskStore::open(&first.join("data"), 0, &mut |_, _| {}).unwrap();
    assert!(report.damage.is_empty() && report.cut.is_empty(), "{report:?}");
    let sizes: Vec<(String, u64)> = store.logs().iter().map(|log| (log.to_string(), store.size(log))).collect();
    assert_eq!(sizes, [("GE".to_owned(), 4), ("MZ".to_owned(), 2), ("TR".to_owned(), 2)]);
    for log in store.logs() {
        // The statements give the very root that their owner signed then.
        let frame = store.get(&Key::Checkpoint(log)).unwrap().unwrap();
        let signed = SignedRoot::decode(&frame.bytes).unwrap().verify(&federation).unwrap();
        let statements = store.statements(&log, 0, 100, usize::MAX).unwrap();
        let leaves: Vec<_> = statements.iter().map(|statement| merkle::leaf_hash(statement)).collect();
        assert_eq!(merkle::root(&leaves), signed.root, "{log}");
    }
    let heads = store.keys(KeyKind::Head).unwrap();
    assert!(!heads.is_empty() && heads.iter().all(|key| store.get(key).unwrap().is_some()), "bodies too");
    drop(store);
    let mut command = program();
    command.arg("--config").arg(first.join("shieldwall.toml")).args(["ledger", "--json"]);
    let ledger: serde_json::Value = serde_json::from_slice(&success(&mut command).stdout).unwrap();
    assert_eq!(ledger["logs"].as_array().map(Vec::len), Some(3), "{ledger}");
}

#[test]
fn data_of_a_later_version_are_refused_and_left_as_they_are() {
    let federation = Federation::of(&["GE", "TR"]);
    let nodes = federation.start_all();
    federation.converge();
    drop(nodes);
    let data = federation.path("GE").join("data");
    let log: LogId = "GE".parse().unwrap();
    let segment = data.join("segments/statements-00000001.seg");
    let guard = data.join(format!("guard/{log}.guard"));
    for (path, what) in [(segment, "statements-00000001.seg has format version 7"), (guard, "format version 7")] {
        let before = fs::read(&path).unwrap();
        let later = of_version(7, &before);
        fs::write(&path, &later).unwrap();
        let output = federation.command("GE").arg("run").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(31), "{told}");
        assert!(told.contains(what) && told.contains("use the version of the program that wrote it"), "{told}");
        assert_eq!(fs::read(&path).unwrap(), later, "nothing was written");
        fs::write(&path, before).unwrap();
    }
    let _nodes = federation.start_all();
    federation.converge();
}

/// The same file with another version in each copy of its header, under a good checksum: 64 bytes, of which the last four are that.
fn of_version(version: u16, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let magic = bytes[..8].to_vec();
    let second = bytes.windows(8).skip(1).position(|window| window == magic).map(|at| at + 1);
    let length = second.unwrap_or(64);
    for start in std::iter::once(0).chain(second) {
        let header = &mut bytes[start..start + length];
        header[8..10].copy_from_slice(&version.to_be_bytes());
        let checksum = crc32c::crc32c(&header[..length - 4]);
        header[length - 4..].copy_from_slice(&checksum.to_be_bytes());
    }
    bytes
}
