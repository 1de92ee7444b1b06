//! What a checkpoint commits to, and how a reader holds it against what it was sent.

use super::inbox::deliver;
use super::*;
use crate::ledger::{Key, LaneProof, Mark};
use crate::protocol::limits;
use crate::seal::{LaneList, LanePath};

/// Georgia with so many records for Türkiye, and one for Mozambique.
fn georgia(records: usize) -> Bench {
    let mut bench = Bench::ready();
    log_for(&mut bench, "MZ", 1000);
    (1..=records).for_each(|number| log_for(&mut bench, "TR", number));
    bench
}

fn log_for(bench: &mut Bench, reader: &str, number: usize) {
    bench.settle(vec![Input::Submit { id: number as u64, records: vec![notification(reader, number)] }]);
    // What it holds itself it tells once it has checked it.
    bench.tick(1_000);
}

fn turkey() -> Bench {
    Bench::of("TR", MemoryStore::default(), true)
}

/// The commitments of Georgia's newest checkpoint.
fn committed(bench: &Bench) -> (u64, [u8; 32]) {
    let root = bench.node.logs[&log("GE")].complete.as_ref().unwrap().1.clone();
    let Claim::Checkpoint { size, commitments, .. } = root.claim else { panic!("a checkpoint") };
    (size, commitments)
}

fn proof(reader: &Bench, lanes: &str) -> Option<LaneProof> {
    reader.node.view().lane_proof(id(lanes)).unwrap()
}

fn is_path(request: &Request) -> bool {
    matches!(request, Request::LanePath { .. })
}

/// Delivers all but the paths of lanes, which it gives back with their numbers.
fn deliver_but_paths(from: &mut Bench, to: &mut Bench, mut effects: Vec<Effect>) -> Vec<(u64, Request)> {
    let (author, reader) = (from.me.as_str().to_owned(), to.me.as_str().to_owned());
    let mut kept = Vec::new();
    for _ in 0..20 {
        let asked = requests(&effects);
        effects = Vec::new();
        for (_, number, request) in asked {
            if is_path(&request) {
                kept.push((number, request));
            } else {
                let response = from.ask(&reader, &request);
                effects.extend(to.answer(&author, number, &response));
            }
        }
        effects.extend(to.tick(1_000));
    }
    kept
}

/// Time passes, in which nobody is in reach.
fn alone(bench: &mut Bench, milliseconds: i64) {
    bench.settle(["GE", "TR"].map(|peer| Input::Disconnected { peer: code(peer) }).into());
    let asked = requests(&bench.tick(milliseconds));
    bench.settle(asked.into_iter().map(|(_, id, _)| Input::Failed { id }).collect());
}

/// Lets an epoch pass at both.
fn next_epoch(benches: [&mut Bench; 2]) {
    let seconds = i64::try_from(federation().parameters().epoch_seconds).unwrap();
    benches.into_iter().for_each(|bench| alone(bench, seconds * 1000));
}

#[test]
fn a_reader_holds_what_it_was_sent_against_the_authors_checkpoint() {
    let (mut georgia, mut turkey) = (georgia(3), turkey());
    deliver(&mut georgia, &mut turkey);
    let shown = proof(&turkey, "GE-0").expect("asked for and answered");
    assert_eq!(shown.opening.count, 3);
    let root = shown.verify(&federation()).unwrap();
    assert_eq!(root.claim.log_and_size(), Some((log("GE"), 5)));
    // It is the list of the very leaves of the log.
    let mut list = LaneList::default();
    let statements = turkey.node.store().statements(&log("GE"), 2, 3, usize::MAX).unwrap();
    statements.iter().for_each(|bytes| list.push(merkle::leaf_hash(bytes)));
    assert_eq!(shown.opening, list.opening(shown.opening.blind));
    // A lane without anything is proved as well, by a path as long.
    let mut observer = Bench::of("W1", MemoryStore::default(), true);
    deliver(&mut georgia, &mut observer);
    let empty = proof(&observer, "GE-0").unwrap();
    assert_eq!((empty.opening.count, empty.path.path.len()), (0, shown.path.path.len()));
    assert!(empty.verify(&federation()).is_ok());
}

#[test]
fn a_path_is_asked_for_once_a_day_and_not_for_what_is_proved() {
    let (mut georgia, mut turkey) = (georgia(1), turkey());
    deliver(&mut georgia, &mut turkey);
    let asked = |bench: &mut Bench| {
        let effects = bench.connect("GE");
        requests(&effects).into_iter().map(|(.., request)| request).filter(is_path).collect::<Vec<_>>()
    };
    alone(&mut turkey, limits::DAY_MS);
    let effects = turkey.connect("GE");
    assert!(deliver_but_paths(&mut georgia, &mut turkey, effects).is_empty(), "nothing is new");
    alone(&mut turkey, 60_000);
    log_for(&mut georgia, "TR", 2);
    let effects = turkey.connect("GE");
    let [(number, request)] = &deliver_but_paths(&mut georgia, &mut turkey, effects)[..] else { panic!("once") };
    assert_eq!(*request, Request::LanePath { lanes: id("GE-0"), size: 4 });
    let response = georgia.ask("TR", request);
    turkey.answer("GE", *number, &response);
    log_for(&mut georgia, "TR", 3);
    alone(&mut turkey, 60_000);
    let effects = turkey.connect("GE");
    assert!(deliver_but_paths(&mut georgia, &mut turkey, effects).is_empty(), "a second time on one day");
    assert_eq!(turkey.node.store().size(&log("GE")), 5);
    alone(&mut turkey, limits::DAY_MS);
    assert_eq!(asked(&mut turkey), [Request::LanePath { lanes: id("GE-0"), size: 5 }]);
}

#[test]
fn an_author_that_commits_to_another_list_is_told_of() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    let effects = turkey.connect("GE");
    let asked = deliver_but_paths(&mut georgia, &mut turkey, effects);
    let [(number, request)] = &asked[..] else { panic!("asked once: {asked:?}") };
    let Response::LanePath { checkpoint, path } = georgia.ask("TR", request) else { panic!("a path") };
    let mut other = path.clone();
    other.path[0].0[0] ^= 1;
    let effects = turkey.answer("GE", *number, &Response::LanePath { checkpoint, path: other });
    assert_eq!(events(&effects), [Event::LaneDiffers { lanes: id("GE-0"), size: 4, count: 2 }]);
    let kept = proof(&turkey, "GE-0").unwrap();
    assert!(kept.verify(&federation()).is_err(), "what it gave is kept");
    // The next day it is asked again, and may put it right.
    log_for(&mut georgia, "TR", 3);
    alone(&mut turkey, limits::DAY_MS);
    deliver(&mut georgia, &mut turkey);
    assert!(proof(&turkey, "GE-0").unwrap().verify(&federation()).is_ok());
}

#[test]
fn only_the_path_that_was_asked_for_is_taken() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    let effects = turkey.connect("GE");
    let asked = deliver_but_paths(&mut georgia, &mut turkey, effects);
    let [(number, request)] = &asked[..] else { panic!("asked once") };
    let Response::LanePath { checkpoint, path } = georgia.ask("TR", request) else { panic!("a path") };
    let elsewhere = LanePath { index: path.index ^ 1, ..path };
    let effects = turkey.answer("GE", *number, &Response::LanePath { checkpoint, path: elsewhere });
    assert!(matches!(events(&effects)[..], [Event::Refused { .. }]), "the place of another's slot");
    assert_eq!(proof(&turkey, "GE-0"), None);
    // Nobody is shown another's path, or one of a size that was not signed, or of no lanes.
    assert_eq!(georgia.ask("FR", request), Response::Nothing);
    for (lanes, size) in [("GE-0", 3000), ("GE-1", 4), ("TR-0", 4), ("GE.2-0", 4)] {
        assert_eq!(
            georgia.ask("TR", &Request::LanePath { lanes: id(lanes), size }),
            Response::Nothing,
            "{lanes} {size}"
        );
    }
}

#[test]
fn an_author_that_gives_no_path_is_asked_again_and_never_accused() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    let effects = turkey.connect("GE");
    let asked = deliver_but_paths(&mut georgia, &mut turkey, effects);
    let [(number, _)] = &asked[..] else { panic!("asked once") };
    let effects = turkey.answer("GE", *number, &Response::Nothing);
    assert!(events(&effects).is_empty());
    let again = |effects: &[Effect]| requests(effects).iter().filter(|(.., request)| is_path(request)).count();
    assert_eq!(again(&turkey.tick(limits::LANE_PATH_RETRY_MS - 1_000)), 0);
    assert_eq!(again(&turkey.tick(1_000)), 1);
}

#[test]
fn lanes_that_end_are_proved_by_the_last_checkpoint_under_them() {
    let (mut georgia, mut turkey) = (georgia(3), turkey());
    deliver(&mut georgia, &mut turkey);
    log_for(&mut georgia, "TR", 4);
    let ended = committed(&georgia);
    next_epoch([&mut georgia, &mut turkey]);
    log_for(&mut georgia, "TR", 5);
    assert_eq!(georgia.node.store().size(&log("GE")), 8, "new lanes are the seventh");
    // The author has forgotten all that it had in memory.
    let mut georgia = georgia.restarted();
    georgia.tick(0);
    georgia.tick(3_000);
    deliver(&mut georgia, &mut turkey);
    let shown = proof(&turkey, "GE-0").unwrap();
    assert_eq!(
        (shown.opening.count, shown.verify(&federation()).unwrap().claim.log_and_size()),
        (4, Some((log("GE"), 6)))
    );
    let Claim::Checkpoint { size, commitments, .. } = shown.checkpoint.claim().unwrap().claim else { panic!() };
    assert_eq!((size, commitments), ended);
    let newest = proof(&turkey, "GE-6").unwrap();
    assert_eq!((newest.opening.count, newest.verify(&federation()).is_ok()), (1, true));
    assert_eq!(turkey.node.store().marked(&Mark::Lane(id("GE-0"))).unwrap(), None, "nothing is left to be asked for");
}

#[test]
fn what_is_to_be_proved_is_not_forgotten_by_a_start() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    next_epoch([&mut georgia, &mut turkey]);
    let effects = turkey.connect("GE");
    let asked = deliver_but_paths(&mut georgia, &mut turkey, effects);
    assert_eq!(asked.len(), 2, "of the lanes that have ended, and of the newest");
    let mut turkey = turkey.restarted();
    deliver(&mut georgia, &mut turkey);
    for (lanes, count) in [("GE-0", 2), ("GE-4", 0)] {
        let shown = proof(&turkey, lanes).expect(lanes);
        assert_eq!((shown.opening.count, shown.verify(&federation()).is_ok()), (count, true), "{lanes}");
    }
}

#[test]
fn a_reader_in_the_middle_of_a_lane_goes_on_after_a_start() {
    let (mut georgia, mut turkey) = (georgia(3), turkey());
    deliver(&mut georgia, &mut turkey);
    let mut turkey = turkey.restarted();
    log_for(&mut georgia, "TR", 4);
    alone(&mut turkey, limits::DAY_MS);
    georgia.now = turkey.now;
    deliver(&mut georgia, &mut turkey);
    let shown = proof(&turkey, "GE-0").unwrap();
    assert_eq!((shown.opening.count, shown.verify(&federation()).is_ok()), (4, true));
}

#[test]
fn one_size_has_one_commitment_also_after_a_crash() {
    let mut first = georgia(3);
    let signed = committed(&first);
    first.tick(600_000);
    assert_eq!(committed(&first), signed, "a sign of life");
    let mut again = first.restarted();
    (0..4).for_each(|_| drop(again.tick(3_000)));
    again.tick(600_000);
    assert_eq!(committed(&again), signed, "after a start");
    // Without the checkpoint it is made anew from the statements, and is the same.
    again.disk.damage(Key::Checkpoint(log("GE")));
    again.disk.forget_marks();
    let mut again = again.restarted();
    (0..8).for_each(|_| drop(again.tick(3_000)));
    again.tick(600_000);
    assert_eq!(committed(&again), signed, "made anew");
    // Every size has another, whatever was logged.
    log_for(&mut again, "MZ", 2000);
    assert_ne!(committed(&again).1, signed.1);
}

#[test]
fn an_author_that_has_lost_a_statement_begins_new_lanes() {
    let mut georgia = georgia(3);
    georgia.disk.damage(Key::Statement(id("GE-3")));
    let mut georgia = georgia.restarted();
    (0..4).for_each(|_| drop(georgia.tick(3_000)));
    log_for(&mut georgia, "TR", 9);
    assert_eq!(committed(&georgia).0, 7, "lanes and a record");
    let statement = georgia.node.view().statement(id("GE-6")).unwrap().unwrap();
    assert_eq!(statement.lanes, 5);
}

#[test]
fn lists_go_on_from_a_mark() {
    let mut georgia = Bench::ready();
    let records = |from: usize| (from..from + 256).map(|number| notification("TR", number)).collect::<Vec<_>>();
    for from in 0..5 {
        georgia.settle(vec![Input::Submit { id: from as u64, records: records(from * 256) }]);
    }
    let mark = georgia.node.store().marked(&Mark::Lists(id("GE-0"))).unwrap();
    assert!(mark.is_some(), "more than a thousand statements");
    let signed = committed(&georgia);
    assert_eq!(signed.0, 1281);
    let with_mark = georgia.disk.clone();
    let mut without = with_mark.clone();
    without.mark(Mark::Lists(id("GE-0")), None).unwrap();
    let mut spoilt = with_mark.clone();
    spoilt.mark(Mark::Lists(id("GE-0")), Some(b"spoilt")).unwrap();
    for disk in [with_mark, without, spoilt] {
        let mut bench = Bench { now: georgia.now, ..Bench::of("GE", disk, true) };
        (0..6).for_each(|_| drop(bench.tick(3_000)));
        assert_eq!(bench.node.newest_commitments().map(|(_, leaves)| leaves.root()), Some(signed.1));
    }
}
