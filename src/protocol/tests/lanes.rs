//! What a checkpoint commits to, and how a reader holds it against what it was sent.

use super::inbox::deliver;
use super::*;
use crate::encoding::cbor::{self, Value};
use crate::evidence::{self, Material};
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

/// The one path that a reader asks for when it first comes.
fn the_path_asked_for(from: &mut Bench, to: &mut Bench) -> (u64, Request) {
    let effects = to.connect(from.me.as_str());
    let asked = deliver_but_paths(from, to, effects);
    <[_; 1]>::try_from(asked).map(|[one]| one).expect("one is asked for")
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
    let (number, request) = the_path_asked_for(&mut georgia, &mut turkey);
    let Response::LanePath { checkpoint, path } = georgia.ask("TR", &request) else { panic!("a path") };
    let mut other = path.clone();
    other.path[0].0[0] ^= 1;
    let effects = turkey.answer("GE", number, &Response::LanePath { checkpoint, path: other });
    assert_eq!(events(&effects), [Event::LaneDiffers { lanes: id("GE-0"), size: 4, count: 2 }]);
    let kept = proof(&turkey, "GE-0").unwrap();
    assert!(kept.verify(&federation()).is_err(), "what it gave is kept");
    let standing = |bench: &Bench| {
        let lanes = bench.node.view().lanes().unwrap();
        lanes.iter().map(|lane| (lane.lanes, lane.differs(), lane.asked.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(standing(&turkey), [(id("GE-0"), true, false)]);
    // The next day it is asked again, and may put it right.
    log_for(&mut georgia, "TR", 3);
    alone(&mut turkey, limits::DAY_MS);
    deliver(&mut georgia, &mut turkey);
    assert!(proof(&turkey, "GE-0").unwrap().verify(&federation()).is_ok());
    assert_eq!(standing(&turkey), [(id("GE-0"), false, false)]);
}

#[test]
fn only_the_path_that_was_asked_for_is_taken() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    let (number, request) = the_path_asked_for(&mut georgia, &mut turkey);
    let Response::LanePath { checkpoint, path } = georgia.ask("TR", &request) else { panic!("a path") };
    let elsewhere = LanePath { index: path.index ^ 1, ..path };
    let effects = turkey.answer("GE", number, &Response::LanePath { checkpoint, path: elsewhere });
    assert!(matches!(events(&effects)[..], [Event::Refused { .. }]), "the place of another's slot");
    assert_eq!(proof(&turkey, "GE-0"), None);
    // Nobody is shown another's path, or one of a size that was not signed, or of no lanes.
    assert_eq!(georgia.ask("FR", &request), Response::Nothing);
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
    let (number, _) = the_path_asked_for(&mut georgia, &mut turkey);
    let effects = turkey.answer("GE", number, &Response::Nothing);
    assert!(events(&effects).is_empty());
    let again = |effects: &[Effect]| requests(effects).iter().filter(|(.., request)| is_path(request)).count();
    assert_eq!(again(&turkey.tick(limits::LANE_PATH_RETRY_MS - 1_000)), 0);
    assert_eq!(again(&turkey.tick(1_000)), 1);
}

/// Türkiye is answered that there is no path, with a clock that is so far ahead; gives how many paths it asks for once the right time is so much later.
fn paths_asked_for(ahead: i64, later: i64) -> usize {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    next_epoch([&mut georgia, &mut turkey]);
    let effects = turkey.connect("GE");
    let asked = deliver_but_paths(&mut georgia, &mut turkey, effects);
    assert_eq!(asked.len(), 2, "of the lanes that have ended, and of the newest");
    let right = turkey.now;
    turkey.now = right + ahead;
    asked.iter().for_each(|(number, _)| drop(turkey.answer("GE", *number, &Response::Nothing)));
    turkey.now = right + later;
    requests(&turkey.tick(0)).iter().filter(|(.., request)| is_path(request)).count()
}

#[test]
fn a_clock_that_ran_fast_puts_off_no_path() {
    assert_eq!(paths_asked_for(0, 1_000), 0);
    assert_eq!(paths_asked_for(0, limits::LANE_PATH_RETRY_MS), 2);
    assert_eq!(paths_asked_for(365 * limits::DAY_MS, 0), 2, "the clock was set back");
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
    let [standing] = &turkey.node.view().lanes().unwrap()[..] else { panic!("the one that has ended") };
    assert_eq!((standing.lanes, standing.differs(), &standing.proof), (id("GE-0"), false, &None));
    assert_eq!(standing.asked.map(|lane| (lane.size, lane.count)), Some((4, 2)));
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

/// A mark of lists that go up to `done` and are of so many lanes, and in which there is what never was logged.
fn mark_of_others(done: u64, lanes: usize) -> Vec<u8> {
    let list = Value::from(vec![Value::from(1_u64), Value::from(vec![Value::from(&Digest([9; 32]))])]);
    cbor::encode(&Value::from(vec![Value::from(done), Value::from(vec![list; lanes])]))
}

#[test]
fn a_mark_of_the_lists_counts_if_it_is_of_these_lanes_and_of_no_more_than_the_log_has() {
    let georgia = georgia(3);
    assert_eq!(committed(&georgia).0, 5);
    for (done, lanes, counts) in
        [(0, 4, false), (1, 4, true), (3, 4, true), (5, 4, true), (6, 4, false), (3, 3, false), (3, 5, false)]
    {
        let mut disk = georgia.disk.clone();
        disk.mark(Mark::Lists(id("GE-0")), Some(&mark_of_others(done, lanes))).unwrap();
        let mut bench = Bench { now: georgia.now, ..Bench::of("GE", disk, true) };
        (0..3).for_each(|_| drop(bench.tick(3_000)));
        // What it says was not committed to: if it counts, no path can be shown.
        assert_eq!(bench.node.newest_commitments().is_none(), counts, "up to {done}, of {lanes} lanes");
    }
}

#[test]
fn an_author_of_which_a_statement_has_changed_on_the_disk_begins_new_lanes() {
    use crate::encoding::random::Randomness;
    let georgia = georgia(3);
    let random = |seed| Randomness::new([seed; 32]);
    let is_a_record =
        |seed: &u8| georgia.disk.any_statement(&mut random(*seed), None) == Some(Key::Statement(id("GE-3")));
    let mut disk = georgia.disk.clone();
    disk.spoil_statement(&mut random((0..).find(is_a_record).unwrap()), |bytes| *bytes.last_mut().unwrap() ^= 1);
    let mut bench = Bench { now: georgia.now, ..Bench::of("GE", disk, true) };
    (0..4).for_each(|_| drop(bench.tick(3_000)));
    assert_eq!(bench.node.store().size(&log("GE")), 6);
    assert_eq!(bench.node.view().statement(id("GE-5")).unwrap().unwrap().binds, Binds::Lanes);
}

#[test]
fn a_statement_in_ones_own_log_that_cannot_be_read_is_in_no_list() {
    let georgia = georgia(1);
    let mut owner = Owner::new("GE");
    owner.statements = georgia.node.store().statements(&log("GE"), 0, 9, usize::MAX).unwrap();
    owner.statements.push(vec![1]);
    owner.push_statement(Binds::Body, 0, Digest([1; 32]), vec![[1; 16]]);
    // Peers hold that, and this disk does as well from now on.
    let mut bench = Bench { now: georgia.now, ..Bench::of("GE", georgia.disk.clone(), true) };
    bench.gossip("TR", owner.news(3));
    let mut bench = bench.restarted();
    (0..4).for_each(|_| drop(bench.tick(3_000)));
    assert_eq!(bench.node.status().signing, crate::protocol::Signing::Ready);
    assert_eq!(bench.node.store().size(&log("GE")), 5, "no new lanes are made");
    log_for(&mut bench, "TR", 2);
    assert_eq!(bench.node.view().statement(id("GE-5")).unwrap().unwrap().lanes, 0);
    assert!(bench.node.newest_commitments().is_some());
}

#[test]
fn what_was_logged_under_lanes_that_end_is_committed_to_first_also_after_a_crash() {
    let mut georgia = georgia(2);
    let signed = committed(&georgia);
    // The checkpoint went with the crash, and an epoch passes before the start.
    georgia.disk.damage(Key::Checkpoint(log("GE")));
    georgia.now += i64::try_from(federation().parameters().epoch_seconds).unwrap() * 1000;
    let mut georgia = georgia.restarted();
    (0..4).for_each(|_| drop(georgia.tick(3_000)));
    assert_eq!(georgia.node.store().size(&log("GE")), 5);
    assert_eq!(georgia.node.view().statement(id("GE-4")).unwrap().unwrap().binds, Binds::Lanes);
    let asked = Request::LanePath { lanes: id("GE-0"), size: 4 };
    let Response::LanePath { checkpoint, .. } = georgia.ask("TR", &asked) else { panic!("it can be shown") };
    let Claim::Checkpoint { size, commitments, .. } = checkpoint.claim().unwrap().claim else { panic!() };
    assert_eq!((size, commitments), signed);
}

#[test]
fn ones_own_records_under_earlier_lanes_are_found_again_when_the_marks_are_lost() {
    let mut georgia = georgia(2);
    // The secret of the next lanes is another, as it is wherever chance is real.
    georgia.now += i64::try_from(federation().parameters().epoch_seconds).unwrap() * 1000;
    let effects = georgia.node.handle(Now(georgia.now), [8; 32], vec![Input::Tick]).unwrap();
    let inputs = effects.iter().filter_map(|effect| georgia.serve(effect)).collect();
    georgia.settle(inputs);
    log_for(&mut georgia, "TR", 3);
    let scan = |bench: &Bench| bench.node.view().scan(&log("GE")).unwrap();
    let before = scan(&georgia);
    assert_eq!((before.done, before.mine), (6, 4));
    let mut disk = georgia.disk.clone();
    disk.forget_marks();
    let mut again = Bench { now: georgia.now, ..Bench::of("GE", disk, true) };
    (0..4).for_each(|_| drop(again.tick(3_000)));
    assert_eq!(scan(&again), before);
}

#[test]
fn of_all_lanes_that_have_ended_a_path_is_asked_for() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    next_epoch([&mut georgia, &mut turkey]);
    log_for(&mut georgia, "TR", 3);
    // Within the epoch others follow, as when a member is suspended.
    georgia.node.author.lanes.as_mut().unwrap().slots.remove(&code("W1"));
    georgia.node.author.lanes_settled = None;
    log_for(&mut georgia, "TR", 4);
    assert_eq!(georgia.node.store().size(&log("GE")), 8);
    let effects = turkey.connect("GE");
    let asked = deliver_but_paths(&mut georgia, &mut turkey, effects);
    // All are shown, whatever was to be asked for next.
    for (number, request) in asked {
        let response = georgia.ask("TR", &request);
        turkey.answer("GE", number, &response);
    }
    for (lanes, size) in [("GE-0", 4), ("GE-4", 6), ("GE-6", 8)] {
        let root = proof(&turkey, lanes).expect(lanes).verify(&federation()).unwrap();
        assert_eq!(root.claim.log_and_size(), Some((log("GE"), size)), "{lanes}");
    }
}

#[test]
fn an_export_has_paths_asked_for_at_once() {
    let (mut georgia, mut turkey) = (georgia(1), turkey());
    deliver(&mut georgia, &mut turkey);
    log_for(&mut georgia, "TR", 2);
    alone(&mut turkey, 60_000);
    let asked = |bench: &mut Bench, input: Input| {
        let effects = bench.settle(vec![input]);
        let paths = requests(&effects).into_iter().filter(|(.., request)| is_path(request));
        paths.map(|(_, number, request)| (number, request)).collect::<Vec<_>>()
    };
    let effects = turkey.connect("GE");
    assert_eq!(deliver_but_paths(&mut georgia, &mut turkey, effects), [], "it was shown today");
    let paths = asked(&mut turkey, Input::CollectReceipts);
    let [(number, Request::LanePath { size: 4, .. })] = paths[..] else { panic!("{paths:?}") };
    turkey.answer("GE", number, &Response::Nothing);
    assert_eq!(asked(&mut turkey, Input::Tick), []);
    assert_eq!(asked(&mut turkey, Input::CollectReceipts).len(), 1, "nor does it wait for the next try");
}

#[test]
fn records_under_lanes_that_the_disk_has_lost_wait_until_they_are_back() {
    let (mut georgia, mut turkey) = (georgia(1), turkey());
    deliver(&mut georgia, &mut turkey);
    turkey.disk.damage(Key::Statement(id("GE-0")));
    turkey.disk.damage(Key::Slot(id("GE-0")));
    let mut turkey = turkey.restarted();
    log_for(&mut georgia, "TR", 2);
    let news = gossiped(&georgia.tick(600_000)).into_iter().find(|one| matches!(one, Gossip::News { .. })).unwrap();
    let statements = georgia.node.store().statements(&log("GE"), 3, 1, usize::MAX).unwrap();
    let Gossip::News { checkpoint, .. } = news else { unreachable!() };
    turkey.gossip("MZ", Gossip::News { checkpoint, from: 3, statements }.encode());
    turkey.tick(1_000);
    let searched = |bench: &Bench| bench.node.logs[&log("GE")].scan.done;
    assert_eq!((turkey.node.store().size(&log("GE")), searched(&turkey)), (4, 3), "it waits");
    deliver(&mut georgia, &mut turkey);
    assert_eq!(searched(&turkey), 4);
    assert!(turkey.node.view().open(id("GE-3")).unwrap().is_some_and(|body| !body.content.is_empty()));
}

/// Georgia and Türkiye, which was sent two notifications of consignments, and what it can show of that.
fn shown(notified: bool) -> (Bench, Material) {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    deliver(&mut georgia, &mut turkey);
    // Mozambique has cosigned all that there is of Georgia's log.
    let size = georgia.node.store().size(&log("GE"));
    let root = georgia.node.logs[&log("GE")].tree.root();
    turkey.gossip("MZ", Owner::cosigned("MZ", &BTreeMap::from([(log("GE"), (size, root))]), 200));
    let material = turkey.node.view().lane_material(id("GE-0"), notified).unwrap();
    (turkey, material)
}

/// The claims of a bundle that is made from this and checked.
fn claims(material: &Material) -> BTreeMap<String, String> {
    let bundle = evidence::export(material, &evidence::ExportOptions::default()).unwrap();
    let report = evidence::verify_under(&bundle, &federation());
    assert!(report.proved, "{}", report.to_text());
    let proved = report.claims.into_iter().filter(|claim| claim.outcome == evidence::Outcome::Proved);
    proved.map(|claim| (claim.name, claim.sentence)).collect()
}

#[test]
fn what_was_sent_to_a_member_is_proved_to_an_outsider() {
    let (_, material) = shown(false);
    assert_eq!(material.id, id("GE-3"), "the last under the checkpoint");
    assert!(material.head.is_none() && material.opened.is_empty(), "of whose body nothing is shown");
    let found = claims(&material);
    assert!(found["lane"].contains("had addressed 2 statements to TR since GE-0"), "{}", found["lane"]);
    assert!(found["list"].contains("All 2 statements of the lane are here, from GE-2 to GE-3"), "{}", found["list"]);
    assert!(found["slot"].contains("is that of TR"), "{}", found["slot"]);
    assert!(found["until"].contains("MZ on"), "{}", found["until"]);
    assert!(!found.contains_key("notified"), "nothing of what they say is shown");
    // Of a member to which nothing was addressed, the same.
    let (mut georgia, mut observer) = (georgia(2), Bench::of("W1", MemoryStore::default(), true));
    deliver(&mut georgia, &mut observer);
    let found = claims(&observer.node.view().lane_material(id("GE-0"), true).unwrap());
    assert!(found["lane"].contains("had addressed 0 statements to W1"), "{}", found["lane"]);
    assert!(
        found["notified"].contains("0 consignments were notified to W1, by their UCR: none"),
        "{}",
        found["notified"]
    );
    assert!(found.contains_key("not notified"));
}

#[test]
fn which_consignments_were_not_notified_is_proved_by_those_that_were() {
    let (_, material) = shown(true);
    let found = claims(&material);
    let ucrs = "2 consignments were notified to TR, by their UCR: 7GE123456789-1, 7GE123456789-2.";
    assert!(found["notified"].contains(ucrs), "{}", found["notified"]);
    assert!(found.contains_key("not notified"), "{found:?}");
    let everything = material.lane.as_ref().unwrap();
    let fields = everything.notified.as_ref().unwrap().iter().flat_map(|one| &one.fields);
    let names: std::collections::BTreeSet<_> = fields.map(|field| field.field.name.as_str()).collect();
    assert_eq!(names, ["kind", "ucr"].into(), "and no other field is opened");
    // One that does not say what it notifies may be about anything.
    let mut silent = material;
    silent.lane.as_mut().unwrap().notified.as_mut().unwrap()[0] = evidence::Notified::default();
    let found = claims(&silent);
    assert!(!found.contains_key("not notified") && found["notified"].contains("1 do not show"), "{found:?}");
}

#[test]
fn a_lane_that_is_shown_otherwise_is_refused_and_the_claim_named() {
    let (_, good) = shown(true);
    let refused = |change: &dyn Fn(&mut evidence::LaneEvidence)| {
        let mut material = good.clone();
        change(material.lane.as_mut().unwrap());
        match evidence::export(&material, &evidence::ExportOptions::default()) {
            Err(evidence::ExportError::NotProvable { claim, .. }) => claim,
            other => panic!("{other:?}"),
        }
    };
    let list = |change: fn(&mut Vec<Vec<u8>>)| {
        move |lane: &mut evidence::LaneEvidence| change(lane.statements.as_mut().unwrap())
    };
    assert_eq!(refused(&list(|all| drop(all.pop()))), "list", "one is left out");
    assert_eq!(refused(&list(|all| all.swap(0, 1))), "list", "another order");
    assert_eq!(refused(&list(|all| all.push(all[0].clone()))), "list", "one twice");
    assert_eq!(refused(&list(|all| *all[0].last_mut().unwrap() ^= 1)), "list", "a signature that does not hold");
    assert_eq!(refused(&|lane| lane.proof.opening.count = 1), "lane");
    assert_eq!(refused(&|lane| lane.proof.opening.blind.0[0] ^= 1), "lane");
    assert_eq!(refused(&|lane| lane.proof.path.path[0].0[0] ^= 1), "lane");
    assert_eq!(refused(&|lane| lane.proof.lanes = id("GE-1")), "lanes");
    assert_eq!(refused(&|lane| lane.lanes = lane.statements.as_ref().unwrap()[0].clone()), "lanes");
    assert_eq!(refused(&|lane| lane.lanes_path[0].0[0] ^= 1), "lanes");
    assert_eq!(refused(&|lane| lane.last_path[0].0[0] ^= 1), "lanes");
    assert_eq!(refused(&|lane| *lane.slot.last_mut().unwrap() ^= 1), "slot");
    let notified = |change: fn(&mut Vec<evidence::Notified>)| {
        move |lane: &mut evidence::LaneEvidence| change(lane.notified.as_mut().unwrap())
    };
    assert_eq!(refused(&notified(|all| drop(all.pop()))), "notified", "one is left out");
    assert_eq!(refused(&notified(|all| all.swap(0, 1))), "notified", "another's");
    assert_eq!(refused(&notified(|all| all[0].fields[0].field.value = "E05".into())), "notified", "another kind");
    assert_eq!(refused(&notified(|all| all[0].head.clear())), "notified");
    // The slot of another member, under its own path, does not lead from this lane's leaf.
    let mut georgia = georgia(2);
    let Response::Slot(slot) = georgia.ask("MZ", &Request::Slot { id: id("GE-0") }) else { panic!("a slot") };
    assert_eq!(refused(&|lane| lane.slot.clone_from(&slot)), "slot");
    // The bundle of another record than the last under the checkpoint.
    let (turkey, material) = shown(false);
    let elsewhere = Material { lane: material.lane, ..turkey.node.view().material(id("GE-2")).unwrap() };
    let error = evidence::export(&elsewhere, &evidence::ExportOptions::default()).unwrap_err();
    assert!(matches!(error, evidence::ExportError::NotProvable { claim, .. } if claim == "lane"));
}

#[test]
fn a_changed_byte_of_a_lane_is_refused() {
    let (_, material) = shown(true);
    let bundle = evidence::export(&material, &evidence::ExportOptions::default()).unwrap();
    let bytes = bundle["lane.cbor"].clone();
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bundle.clone();
        changed.get_mut("lane.cbor").unwrap()[at] ^= 1;
        let report = evidence::verify_under(&changed, &federation());
        assert!(!report.proved && report.failures().count() > 0, "byte {at}");
    }
    let mut without = bundle;
    without.remove("lane.cbor");
    assert!(!evidence::verify_under(&without, &federation()).proved, "the README says that it is there");
}

#[test]
fn a_path_to_a_checkpoint_of_another_history_is_not_taken() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    let (number, request) = the_path_asked_for(&mut georgia, &mut turkey);
    let Response::LanePath { checkpoint, path } = georgia.ask("TR", &request) else { panic!("a path") };
    let root = Root { root: Digest([9; 32]), ..checkpoint.claim().unwrap() };
    let checkpoint = root.signed(fixture::key("GE", "log").sign(&root.to_be_signed()));
    let effects = turkey.answer("GE", number, &Response::LanePath { checkpoint, path });
    assert!(events(&effects).iter().any(|event| matches!(event, Event::Refused { .. })), "{effects:?}");
    assert_eq!(proof(&turkey, "GE-0"), None);
}

#[test]
fn of_lanes_that_have_ended_a_path_is_asked_for_later_and_later() {
    let (mut georgia, mut turkey) = (georgia(2), turkey());
    next_epoch([&mut georgia, &mut turkey]);
    let effects = turkey.connect("GE");
    let asked = deliver_but_paths(&mut georgia, &mut turkey, effects);
    let of_ended = |asked: Vec<(u64, Request)>| {
        let ended = |request: &Request| matches!(request, Request::LanePath { lanes, .. } if *lanes == id("GE-0"));
        asked.into_iter().find(|(_, request)| ended(request)).map(|(number, _)| number)
    };
    let mut number = of_ended(asked).expect("it is asked for");
    for factor in [1, 2, 4] {
        turkey.answer("GE", number, &Response::Nothing);
        let mut later = |milliseconds| {
            let asked = requests(&turkey.tick(milliseconds));
            of_ended(asked.into_iter().map(|(_, number, request)| (number, request)).collect())
        };
        assert_eq!(later(factor * limits::LANE_PATH_RETRY_MS - 1_000), None, "{factor}");
        number = later(1_000).expect("the time has passed");
    }
}

#[test]
fn a_reader_that_asks_a_moment_later_is_shown_the_checkpoint_that_it_holds() {
    let mut georgia = georgia(2);
    (0..3).for_each(|number| log_for(&mut georgia, "MZ", 2000 + number));
    for size in [4, 5, 7] {
        let request = Request::LanePath { lanes: id("GE-0"), size };
        let Response::LanePath { checkpoint, .. } = georgia.ask("TR", &request) else { panic!("{size}") };
        assert_eq!(checkpoint.claim().unwrap().claim.log_and_size(), Some((log("GE"), size)));
    }
}
