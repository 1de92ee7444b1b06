//! Figures, not tests: `cargo test --release disk::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use super::*;
use crate::encoding::merkle::inclusion_proof_of;
use crate::ledger::LogNodes;

const COUNT: u64 = 200_000;

#[test]
#[ignore = "prints figures"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn appends_reads_and_opening() {
    let dir = tempfile::tempdir().unwrap();
    let log = logs()[0];
    let open = || DiskStore::open(dir.path(), 0, &mut |_, _| ()).unwrap().0;
    let mut disk = open();
    let report = |what: &str, count: u64, start: Instant| {
        let micros = start.elapsed().as_micros().max(1);
        println!("{what}: {} per second", u128::from(count) * 1_000_000 / micros);
    };
    for (batch, count) in [(1_000, COUNT), (1, 500)] {
        let start = Instant::now();
        let first = disk.size(&log);
        for position in first..first + count {
            disk.stage(statement(log, position, &[7; 600])).unwrap();
            if (position + 1) % batch == 0 {
                disk.flush().unwrap();
            }
        }
        report(&format!("statements of 600 bytes durable in groups of {batch}"), count, start);
    }
    let size = disk.size(&log);
    let (start, mut from) = (Instant::now(), 0);
    while from < size {
        from += disk.statements(&log, from, usize::MAX, 1 << 20).unwrap().len() as u64;
    }
    report("statements read in order", size, start);
    let start = Instant::now();
    for number in 0..1_000 {
        inclusion_proof_of(&LogNodes { store: &disk, log }, number * 7_919 % size, size).unwrap();
    }
    report("inclusion proofs", 1_000, start);
    drop(disk);
    let start = Instant::now();
    drop(open());
    report("statements checked when opening", size, start);
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let start = Instant::now();
    drop(open());
    report("statements indexed anew", size, start);
}
