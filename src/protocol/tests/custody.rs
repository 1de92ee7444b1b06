//! Since when other members hold one's own records.

use super::*;
use crate::ledger::memory::MemoryStore;
use crate::protocol::limits;

/// Georgia with so many records for Türkiye, one after another.
fn georgia(records: usize) -> Bench {
    let mut georgia = Bench::ready();
    (1..=records).for_each(|number| log_one(&mut georgia, number));
    georgia
}

fn log_one(georgia: &mut Bench, number: usize) {
    georgia.settle(vec![Input::Submit { id: number as u64, records: vec![notification("TR", number)] }]);
}

/// A member cosigns Georgia's log at this size, so many seconds after the founding.
fn cosigns(bench: &mut Bench, by: &str, size: u64, seconds: i64) {
    let sizes = BTreeMap::from([(log("GE"), (size, Digest([1; 32])))]);
    bench.gossip(by, Owner::cosigned(by, &sizes, seconds));
    bench.tick(1);
}

fn since(bench: &Bench, record: &str) -> Vec<(String, i64)> {
    let held = bench.node.view().held_since(id(record)).unwrap();
    held.into_iter().map(|(member, at)| (member.to_string(), at.seconds() - fixture::FOUNDED)).collect()
}

fn holders(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(member, at)| ((*member).to_owned(), *at)).collect()
}

#[test]
fn the_first_cosignature_that_covers_a_record_counts_and_no_later_one() {
    let mut bench = georgia(3);
    assert_eq!(since(&bench, "GE-1"), []);
    cosigns(&mut bench, "TR", 2, 10);
    assert_eq!((since(&bench, "GE-1"), since(&bench, "GE-2")), (holders(&[("TR", 10)]), Vec::new()));
    cosigns(&mut bench, "MZ", 4, 20);
    cosigns(&mut bench, "TR", 3, 30);
    cosigns(&mut bench, "TR", 4, 40);
    cosigns(&mut bench, "TR", 4, 50);
    cosigns(&mut bench, "MZ", 4, 60);
    assert_eq!(since(&bench, "GE-1"), holders(&[("MZ", 20), ("TR", 10)]));
    assert_eq!(since(&bench, "GE-2"), holders(&[("MZ", 20), ("TR", 30)]));
    assert_eq!(since(&bench, "GE-3"), holders(&[("MZ", 20), ("TR", 40)]));
    // The newest of each is kept now and then; what came before it counts all the same.
    bench.tick(limits::KEEP_COSIGNATURE_MS);
    assert_eq!(since(&bench, "GE-1"), holders(&[("MZ", 20), ("TR", 10)]));
    // It is on the disk, and a restart changes nothing of it, nor what is said after it.
    bench.settle(vec![Input::Tick]);
    let now = bench.now;
    let mut bench = Bench { now, ..bench.restarted() };
    cosigns(&mut bench, "TR", 4, 70);
    assert_eq!(since(&bench, "GE-1"), holders(&[("MZ", 20), ("TR", 10)]));
    assert_eq!(since(&bench, "GE-3"), holders(&[("MZ", 20), ("TR", 40)]));
}

#[test]
fn of_what_was_not_noted_the_newest_cosignature_tells() {
    let mut bench = georgia(2);
    cosigns(&mut bench, "TR", 3, 10);
    cosigns(&mut bench, "TR", 3, 90);
    bench.tick(limits::KEEP_COSIGNATURE_MS);
    let mut disk = bench.disk.clone();
    disk.forget_marks();
    let bench = Bench { now: bench.now, ..Bench::of("GE", disk, true) };
    assert_eq!(since(&bench, "GE-1"), holders(&[("TR", 90)]), "at the latest then");
    // Of others' records nothing is noted.
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    cosigns(&mut turkey, "MZ", 3, 10);
    cosigns(&mut turkey, "MZ", 3, 20);
    turkey.tick(limits::KEEP_COSIGNATURE_MS);
    assert_eq!(since(&turkey, "GE-1"), holders(&[("MZ", 20)]));
    assert_eq!(turkey.node.store().marks(crate::ledger::MarkKind::Covered, None, 9).unwrap(), []);
}

#[test]
fn who_holds_another_log_of_ones_own_does_not_hold_this_one() {
    let mut bench = georgia(1);
    let sizes = BTreeMap::from([(log("GE"), (1, Digest([1; 32]))), (log("GE.2"), (5, Digest([1; 32])))]);
    bench.gossip("TR", Owner::cosigned("TR", &sizes, 10));
    bench.tick(1);
    assert_eq!(since(&bench, "GE.2-4"), holders(&[("TR", 10)]));
    assert_eq!((since(&bench, "GE-0"), since(&bench, "GE-1")), (holders(&[("TR", 10)]), Vec::new()));
}
