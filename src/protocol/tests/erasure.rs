//! Erasures: what is gone where, what is told of it, and that nothing brings it back.

use std::collections::BTreeSet;

use serde_json::json;

use super::grants::{departure, granted, logged, opens, reader, record, submit};
use super::*;
use crate::ledger::{Erased, Frame, Key, KeyKind, Mark, Why};
use crate::protocol::author::Queued;
use crate::protocol::message::WireBody;
use crate::protocol::{Keeping, NotKept, Outcome, Refused, limits};
use crate::record::{Kind, PartialRecord};

fn order(author: &str, records: &[&str]) -> Record {
    record(author, json!({"kind": "erasure", "erases": records, "legal_basis": "Order 7"}))
}

/// Georgia with GE-1 and GE-2 for Türkiye, which has both and has said so.
fn both() -> (Bench, Bench) {
    let mut georgia = Bench::ready();
    submit(&mut georgia, vec![notification("TR", 1), notification("TR", 2)]);
    let mut turkey = reader("TR");
    deliver(&mut georgia, &mut turkey);
    assert!(!opens(&turkey, "GE-1").is_empty() && !opens(&turkey, "GE-2").is_empty());
    (georgia, turkey)
}

/// As in the tests of the inbox, to a node that has just been started: nothing that was asked before is outstanding.
fn deliver(from: &mut Bench, to: &mut Bench) {
    let before = std::mem::replace(to, Bench::new());
    *to = before.restarted();
    super::inbox::deliver(from, to);
}

/// The frames of a body that are on a disk.
fn frames(bench: &Bench, record: &str) -> Vec<Key> {
    let kinds = [KeyKind::Head, KeyKind::Compartment, KeyKind::Lanes, KeyKind::Slot];
    let all = kinds.into_iter().flat_map(|kind| bench.disk.keys(kind).unwrap());
    all.filter(|key| key.body_of() == Some(id(record))).collect()
}

/// The order of a receipt, what it says to be erased, and what to be held.
type Receipt = (Option<RecordId>, Vec<RecordId>, Vec<RecordId>);

/// The receipts that a member has logged, as `by` can read them.
fn receipts(by: &Bench, of: &str) -> Vec<Receipt> {
    let open = |position| by.node.view().open(RecordId { log: log(of), position }).unwrap();
    let records =
        (0..by.node.store().size(&log(of))).filter_map(open).map(|body| PartialRecord::from_content(&body.content));
    records
        .filter(|record| record.kind() == Some(&Kind::ErasureReceipt))
        .map(|record| (record.declared().answers, record.declared().erased.clone(), record.declared().held.clone()))
        .collect()
}

fn why(bench: &Bench, record: &str) -> Option<Why> {
    bench.node.view().erased(id(record)).unwrap().map(|(note, _)| note.why)
}

fn keep(bench: &mut Bench, records: &[&str], act: Keeping) -> Result<(), NotKept> {
    let records = records.iter().map(|record| id(record)).collect();
    let effects = bench.settle(vec![Input::Keep { id: 5, records, act }]);
    let mut kept = effects.into_iter().filter_map(|effect| match effect {
        Effect::Kept { id: 5, outcome } => Some(outcome),
        _ => None,
    });
    kept.next().expect("an answer")
}

fn hold() -> Keeping {
    Keeping::Hold { reference: "case 12/26".to_owned() }
}

#[test]
fn an_order_takes_the_body_from_the_author_and_every_reader_who_says_so() {
    let (mut georgia, mut turkey) = both();
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    let statement = georgia.node.store().get(&Key::Statement(id("GE-1"))).unwrap();
    assert!(frames(&georgia, "GE-1").len() > 2 && frames(&turkey, "GE-1").len() > 2);
    let ordered = logged(&submit(&mut georgia, vec![order("GE", &["GE-1"])]))[0];
    georgia.tick(100);
    assert_eq!((why(&georgia, "GE-1"), frames(&georgia, "GE-1")), (Some(Why::Ordered(ordered)), Vec::new()));
    assert_eq!(georgia.node.view().erased(id("GE-1")).unwrap().unwrap().0.readers, BTreeSet::from([code("TR")]));
    for node in [&mut turkey, &mut w1] {
        deliver(&mut georgia, node);
        node.tick(1_000);
        assert_eq!((why(node, "GE-1"), frames(node, "GE-1")), (Some(Why::Ordered(ordered)), Vec::new()));
        assert_eq!(
            node.node.store().get(&Key::Statement(id("GE-1"))).unwrap().unwrap().bytes,
            statement.as_ref().unwrap().bytes
        );
    }
    assert!(!opens(&turkey, "GE-2").is_empty() && !opens(&georgia, "GE-2").is_empty());
    // Who could read it answers, once; who could not has nothing to say.
    let expected: Vec<Receipt> = vec![(Some(ordered), vec![id("GE-1")], Vec::new())];
    assert_eq!(receipts(&turkey, "TR"), expected);
    assert_eq!(receipts(&w1, "W1"), []);
    deliver(&mut turkey, &mut georgia);
    assert_eq!(receipts(&georgia, "TR"), expected);
    // Nothing is left to do, and it is neither missing nor sealed.
    for node in [&turkey, &georgia, &w1] {
        assert_eq!(node.node.view().totals().unwrap().outstanding, 0);
        assert!(node.disk.marks(crate::ledger::MarkKind::Inbox, None, 9).unwrap().is_empty());
    }
    // The document line can be logged anew: it is nowhere any more.
    assert_eq!(logged(&submit(&mut georgia, vec![notification("TR", 1)])).len(), 1);
}

#[test]
fn nothing_brings_an_erased_body_back() {
    let (mut georgia, mut turkey) = both();
    let body: WireBody = turkey.node.view().body(id("GE-1")).unwrap().unwrap();
    let before = turkey.disk.clone();
    submit(&mut georgia, vec![order("GE", &["GE-1"])]);
    deliver(&mut georgia, &mut turkey);
    turkey.tick(1_000);
    let totals = turkey.node.view().totals().unwrap();
    let scan = turkey.node.view().scan(&log("GE")).unwrap();
    // It is pushed, by its author and by others.
    for from in ["GE", "MZ"] {
        turkey.ask(from, &Request::Push { id: id("GE-1"), body: body.clone() });
        turkey.tick(1_000);
        assert_eq!(frames(&turkey, "GE-1"), []);
    }
    // It is asked for with a good ticket.
    let ticket =
        georgia.node.view().own_lanes(id("GE-0")).unwrap().unwrap().secret.lane_key(code("TR")).ticket(&id("GE-1"));
    let request = Request::Body { id: id("GE-1"), ticket: *ticket.as_bytes() };
    for node in [&mut georgia, &mut turkey] {
        assert_eq!(node.ask("MZ", &request), Response::Nothing);
    }
    // The index is lost, and everything is searched again: nothing is asked for, and nothing is told twice.
    let size = turkey.node.store().size(&log("TR"));
    let mut disk = turkey.disk.clone();
    disk.forget_marks();
    let mut again = Bench { now: turkey.now, ..Bench::of("TR", disk, true) };
    deliver(&mut georgia, &mut again);
    for _ in 0..20 {
        let asked = requests(&again.tick(2_000));
        assert!(!asked.iter().any(|(_, _, request)| matches!(request, Request::Body { .. })), "{asked:?}");
    }
    assert_eq!(frames(&again, "GE-1"), []);
    assert_eq!(again.node.store().size(&log("TR")), size);
    assert_eq!((again.node.view().totals().unwrap(), again.node.view().scan(&log("GE")).unwrap()), (totals, scan));
    // A disk of before is put back: the order is found again, and carried out again.
    let mut restored = Bench { now: turkey.now, ..Bench::of("TR", before, false) };
    assert!(!frames(&restored, "GE-1").is_empty());
    deliver(&mut georgia, &mut restored);
    restored.tick(1_000);
    assert_eq!(frames(&restored, "GE-1"), []);
}

#[test]
fn a_crash_at_any_moment_loses_no_receipt_and_makes_no_second() {
    let (mut georgia, turkey) = both();
    let before = turkey.disk.clone();
    let ordered = logged(&submit(&mut georgia, vec![order("GE", &["GE-1", "GE-2"])]))[0];
    georgia.tick(100);
    let mut crashes = 0;
    for moment in 0..60 {
        let mut turkey = Bench { now: turkey.now, ..Bench::of("TR", before.clone(), true) };
        // The order comes; the process ends after so many effects were served.
        let mut left = moment;
        let mut inputs = vec![Input::Connected { peer: code("GE") }];
        'life: for _ in 0..60 {
            let effects = turkey.feed(std::mem::take(&mut inputs));
            for effect in effects {
                if left == 0 {
                    crashes += 1;
                    break 'life;
                }
                left -= 1;
                if let Effect::Request { to, id, bytes } = &effect {
                    let bytes = georgia.ask("TR", &Request::decode(bytes).unwrap()).encode();
                    inputs.push(Input::Response { from: *to, id: *id, bytes });
                } else {
                    inputs.extend(turkey.serve(&effect));
                }
            }
            if inputs.is_empty() {
                turkey.now += 1_000;
                inputs.push(Input::Tick);
            }
        }
        let mut turkey = turkey.restarted();
        deliver(&mut georgia, &mut turkey);
        for _ in 0..10 {
            turkey.tick(2_000);
        }
        let told = receipts(&turkey, "TR");
        assert_eq!(told, [(Some(ordered), vec![id("GE-1"), id("GE-2")], Vec::new())], "moment {moment}");
        assert_eq!((frames(&turkey, "GE-1"), frames(&turkey, "GE-2")), (Vec::new(), Vec::new()), "moment {moment}");
    }
    assert!(crashes > 20, "{crashes}");
}

#[test]
fn the_order_of_an_interrupted_author_is_carried_out_after_its_restart() {
    let (mut georgia, _) = both();
    // The statement is signed, and no more is done.
    let effects = georgia.feed(vec![Input::Submit { id: 1, records: vec![order("GE", &["GE-1"])] }]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Flush)));
    let flushed = georgia.serve(&Effect::Flush).unwrap();
    georgia.feed(vec![flushed]);
    let mut georgia = georgia.restarted();
    assert!(!frames(&georgia, "GE-1").is_empty());
    for _ in 0..5 {
        georgia.tick(3_000);
    }
    assert_eq!((why(&georgia, "GE-1"), frames(&georgia, "GE-1")), (Some(Why::Ordered(id("GE-3"))), Vec::new()));
}

#[test]
fn an_order_that_cannot_be_carried_out_is_refused() {
    let (mut georgia, mut turkey) = both();
    let turkish = logged(&submit(&mut turkey, vec![notification_of_turkey()]))[0];
    deliver(&mut turkey, &mut georgia);
    let ordered = logged(&submit(&mut georgia, vec![order("GE", &["GE-1"])]))[0];
    georgia.tick(100);
    let refused = |bench: &mut Bench, record: &str| match &submit(bench, vec![order("GE", &[record])])[..] {
        [Outcome::Refused { reason: Refused::NotErasable { id: of, why } }] if *of == id(record) => *why,
        other => panic!("{record}: {other:?}"),
    };
    assert!(refused(&mut georgia, &turkish.to_string()).contains("its own records alone"));
    assert!(refused(&mut georgia, "GE-0").contains("no body"));
    assert!(refused(&mut georgia, "GE-99").contains("no such record"));
    assert!(refused(&mut georgia, "GE-1").contains("already"));
    assert!(refused(&mut georgia, &ordered.to_string()).contains("stay"));
    let many: Vec<String> = (99..=99 + limits::ERASES_MAX).map(|position| format!("GE-{position}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let outcomes = submit(&mut georgia, vec![order("GE", &many[1..])]);
    assert!(matches!(&outcomes[..], [Outcome::Refused { reason: Refused::NotErasable { .. } }]), "{outcomes:?}");
    let outcomes = submit(&mut georgia, vec![order("GE", &many)]);
    assert!(matches!(&outcomes[..], [Outcome::Refused { reason: Refused::TooManyToErase { .. } }]), "{outcomes:?}");
}

fn notification_of_turkey() -> Record {
    record::fixture::notification_from(code("TR"), "GE", 1, fixture::at(100))
}

#[test]
fn what_a_member_cannot_order_is_refused_by_all_and_shown() {
    let (georgia, mut turkey) = both();
    let own = logged(&submit(&mut turkey, vec![notification_of_turkey()]))[0].to_string();
    // Past its own check, as a dishonest member would: Georgia's record, its own lanes, one of its own, one that is not yet there.
    let bad = order("TR", &["GE-1", "TR-0", &own, "TR-99"]);
    turkey.node.author.queue.push_back(Queued::internal(bad));
    turkey.tick(100);
    turkey.tick(100);
    let ordered = turkey.node.store().size(&log("TR")) - 1;
    let mut georgia = georgia.restarted();
    let effects = {
        let mut effects = georgia.connect("TR");
        let mut told = Vec::new();
        for _ in 0..20 {
            let asked = requests(&effects);
            told.append(&mut effects);
            for (_, number, request) in asked {
                let response = turkey.ask("GE", &request);
                effects.extend(georgia.answer("TR", number, &response));
            }
            effects.extend(georgia.tick(1_000));
        }
        told
    };
    let told: Vec<Event> =
        events(&effects).into_iter().filter(|event| matches!(event, Event::NotErased { .. })).collect();
    let order = RecordId { log: log("TR"), position: ordered };
    assert_eq!(told, [Event::NotErased { id: order, reason: "GE-1: it is another member's".to_owned() }]);
    assert!(!opens(&georgia, "GE-1").is_empty() && why(&georgia, "GE-1").is_none());
    assert_eq!(
        (why(&georgia, &own), why(&georgia, "TR-0"), why(&georgia, "TR-99")),
        (Some(Why::Ordered(order)), None, None)
    );
    assert_eq!(receipts(&georgia, "GE"), [(Some(order), vec![id(&own)], Vec::new())]);
}

#[test]
fn what_is_held_stays_is_not_handed_on_and_goes_when_it_is_released() {
    let (mut georgia, mut turkey) = both();
    assert_eq!(keep(&mut turkey, &["GE-1"], hold()), Ok(()));
    let ordered = logged(&submit(&mut georgia, vec![order("GE", &["GE-1", "GE-2"])]))[0];
    deliver(&mut georgia, &mut turkey);
    turkey.tick(1_000);
    assert!(!opens(&turkey, "GE-1").is_empty() && opens(&turkey, "GE-2").is_empty());
    let first: Receipt = (Some(ordered), vec![id("GE-2")], vec![id("GE-1")]);
    assert_eq!(receipts(&turkey, "TR"), std::slice::from_ref(&first));
    let lane = turkey.node.view().lane(id("GE-0")).unwrap().unwrap();
    let request = Request::Body { id: id("GE-1"), ticket: *lane.ticket(&id("GE-1")).as_bytes() };
    assert_eq!(turkey.ask("MZ", &request), Response::Nothing);
    // It outlives a restart, with and without marks.
    let mut turkey = turkey.restarted();
    assert!(!opens(&turkey, "GE-1").is_empty());
    assert_eq!(keep(&mut turkey, &["GE-1"], Keeping::Release), Ok(()));
    turkey.tick(4_000);
    turkey.tick(4_000);
    assert_eq!((why(&turkey, "GE-1"), frames(&turkey, "GE-1")), (Some(Why::Ordered(ordered)), Vec::new()));
    let told = receipts(&turkey, "TR");
    assert_eq!((told.len(), &told[0]), (2, &first));
    assert!(told[1].1.contains(&id("GE-1")) && told[1].2.is_empty(), "{told:?}");
    // What is held without an order stays when it is released.
    assert_eq!(
        keep(&mut turkey, &["GE-1"], hold()),
        Err(NotKept { id: id("GE-1"), why: "its body is erased already" })
    );
    let (_, mut other) = both();
    assert_eq!(keep(&mut other, &["GE-1"], hold()), Ok(()));
    assert_eq!(keep(&mut other, &["GE-1", "GE-2"], Keeping::Release).unwrap_err().id, id("GE-2"));
    assert!(other.node.view().hold(id("GE-1")).unwrap().is_some(), "all of it is done, or nothing");
    assert_eq!(keep(&mut other, &["GE-1"], Keeping::Release), Ok(()));
    assert!(!opens(&other, "GE-1").is_empty());
}

#[test]
fn a_reader_may_erase_its_own_copy_and_tells_the_author() {
    let (mut georgia, mut turkey) = both();
    assert!(keep(&mut georgia, &["GE-1"], Keeping::Forget).unwrap_err().why.contains("order its erasure"));
    assert!(keep(&mut turkey, &["GE-9"], Keeping::Forget).unwrap_err().why.contains("no such statement"));
    assert_eq!(keep(&mut turkey, &["GE-1"], Keeping::Forget), Ok(()));
    turkey.tick(100);
    assert_eq!((why(&turkey, "GE-1"), frames(&turkey, "GE-1")), (Some(Why::OwnLaw), Vec::new()));
    assert_eq!(receipts(&turkey, "TR"), [(None, vec![id("GE-1")], Vec::new())]);
    deliver(&mut turkey, &mut georgia);
    assert_eq!(receipts(&georgia, "TR"), [(None, vec![id("GE-1")], Vec::new())]);
    assert!(!opens(&georgia, "GE-1").is_empty(), "the author keeps it");
    // It does not come back, and is told once.
    let mut disk = turkey.disk.clone();
    disk.forget_marks();
    let mut again = Bench { now: turkey.now, ..Bench::of("TR", disk, true) };
    deliver(&mut georgia, &mut again);
    for _ in 0..5 {
        again.tick(3_000);
    }
    assert_eq!((frames(&again, "GE-1"), receipts(&again, "TR").len()), (Vec::new(), 1));
}

#[test]
fn whoever_was_granted_a_record_is_to_answer_and_the_grant_is_named() {
    let mut georgia = granted();
    let (mut turkey, mut w1) = (reader("TR"), reader("W1"));
    for node in [&mut turkey, &mut w1] {
        deliver(&mut georgia, node);
    }
    assert!(!opens(&w1, "GE-1").is_empty());
    let readers = georgia.node.view().readers_of(id("GE-1")).unwrap();
    assert_eq!(readers, BTreeSet::from([code("TR"), code("W1")]));
    let grants = georgia.node.view().grants_about(id("GE-1")).unwrap();
    assert_eq!(grants, [(id("GE-4"), BTreeSet::from([id("GE-1"), id("GE-3")]))]);
    let ordered = logged(&submit(&mut georgia, vec![order("GE", &["GE-1", "GE-3", "GE-4"])]))[0];
    georgia.tick(100);
    for node in [&mut turkey, &mut w1] {
        deliver(&mut georgia, node);
        node.tick(1_000);
        assert!(["GE-1", "GE-3", "GE-4"].iter().all(|record| frames(node, record).is_empty()));
    }
    assert_eq!(receipts(&w1, "W1"), [(Some(ordered), vec![id("GE-1"), id("GE-3"), id("GE-4")], Vec::new())]);
    // The marks of grants are found again when the index is lost.
    let mut georgia = granted();
    let mut disk = georgia.disk.clone();
    disk.forget_marks();
    let mut again = Bench { now: georgia.now, ..Bench::of("GE", disk, true) };
    georgia.tick(100);
    for _ in 0..5 {
        again.tick(3_000);
    }
    assert_eq!(again.node.view().readers_of(id("GE-1")).unwrap(), readers);
    let erased = submit(&mut again, vec![departure("GE-1")]);
    assert_eq!(logged(&erased).len(), 1);
}

#[test]
fn lanes_go_when_others_have_followed_and_all_that_they_opened_is_erased() {
    let (mut georgia, mut turkey) = both();
    let next_epoch = 31 * 86_400_000;
    submit(&mut georgia, vec![order("GE", &["GE-1"])]);
    for node in [&mut georgia, &mut turkey] {
        node.now += next_epoch;
        node.tick(4_000);
    }
    deliver(&mut georgia, &mut turkey);
    let lanes = georgia.node.store().size(&log("GE")) - 1;
    assert_eq!(
        georgia.node.view().statement(RecordId { log: log("GE"), position: lanes }).unwrap().unwrap().binds,
        Binds::Lanes
    );
    assert!(!frames(&georgia, "GE-0").is_empty() && !frames(&turkey, "GE-0").is_empty(), "GE-2 needs them");
    // The order in the first epoch needs them as well: it stays, and so they do.
    submit(&mut georgia, vec![order("GE", &["GE-2"])]);
    for _ in 0..5 {
        georgia.tick(1_000);
    }
    deliver(&mut georgia, &mut turkey);
    assert!(!frames(&georgia, "GE-0").is_empty() && !frames(&turkey, "GE-0").is_empty());
    assert!(!opens(&turkey, "GE-3").is_empty(), "the order can be read");

    let (mut georgia, mut turkey) = both();
    for node in [&mut georgia, &mut turkey] {
        node.now += next_epoch;
        node.tick(4_000);
    }
    deliver(&mut georgia, &mut turkey);
    submit(&mut georgia, vec![order("GE", &["GE-1", "GE-2"])]);
    for _ in 0..5 {
        georgia.tick(1_000);
    }
    deliver(&mut georgia, &mut turkey);
    turkey.tick(4_000);
    for node in [&mut georgia, &mut turkey] {
        assert_eq!((why(node, "GE-0"), frames(node, "GE-0")), (Some(Why::Unneeded), Vec::new()));
    }
    // All else goes on, also when everything is searched again.
    let ordered = receipts(&turkey, "TR");
    assert_eq!(ordered.len(), 1);
    let mut disk = turkey.disk.clone();
    disk.forget_marks();
    let mut again = Bench { now: turkey.now, ..Bench::of("TR", disk, true) };
    submit(&mut georgia, vec![notification("TR", 5)]);
    deliver(&mut georgia, &mut again);
    let newest = georgia.node.store().size(&log("GE")) - 1;
    assert!(!opens(&again, &format!("GE-{newest}")).is_empty());
    assert_eq!((frames(&again, "GE-0"), receipts(&again, "TR")), (Vec::new(), ordered));
}

#[test]
fn a_note_that_the_disk_has_lost_is_written_anew_and_the_body_stays_away() {
    let (mut georgia, mut turkey) = both();
    submit(&mut georgia, vec![order("GE", &["GE-1"])]);
    deliver(&mut georgia, &mut turkey);
    turkey.tick(1_000);
    turkey.node.store_mut().damage(Key::Erased(id("GE-1")));
    turkey.tick(1_000);
    assert_eq!(why(&turkey, "GE-1"), Some(Why::Unknown));
    assert_eq!(turkey.node.store().damaged(), []);
    let note = turkey.disk.get(&Key::Erased(id("GE-1"))).unwrap().unwrap();
    assert_eq!(Erased::decode(&note.bytes).unwrap().readers, BTreeSet::new());
    assert_eq!(turkey.disk.marked(&Mark::Inbox(id("GE-1"))).unwrap(), None);
}

#[test]
fn what_an_operator_cannot_keep_or_forget_is_refused_with_the_reason() {
    let (mut georgia, mut turkey) = both();
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    let refused = |bench: &mut Bench, act: Keeping| keep(bench, &["GE-1"], act).unwrap_err().why;
    for act in [hold(), Keeping::Forget] {
        assert!(refused(&mut w1, act).contains("not for this member"));
    }
    let long = |bytes: usize| Keeping::Hold { reference: "x".repeat(bytes) };
    let max = crate::ledger::erased::REFERENCE_MAX;
    assert!(refused(&mut turkey, long(max + 1)).contains("too long"));
    assert!(refused(&mut turkey, Keeping::Release).contains("not held"));
    assert_eq!(keep(&mut turkey, &["GE-1"], long(max)), Ok(()));
    assert!(refused(&mut turkey, Keeping::Forget).contains("release it first"));
    assert!(!opens(&turkey, "GE-1").is_empty());
    // One's own may be held as well; and a reader may hold what has not come yet.
    assert_eq!(keep(&mut georgia, &["GE-1"], hold()), Ok(()));
    let mut early = reader("TR");
    let mut effects = early.connect("GE");
    for _ in 0..8 {
        let asked = requests(&effects);
        effects = Vec::new();
        for (_, number, request) in asked.into_iter().filter(|(_, _, asked)| !matches!(asked, Request::Body { .. })) {
            let response = georgia.ask("TR", &request);
            effects.extend(early.answer("GE", number, &response));
        }
        effects.extend(early.tick(100));
    }
    assert_eq!(frames(&early, "GE-1"), []);
    assert_eq!(keep(&mut early, &["GE-1"], hold()), Ok(()));
}

#[test]
fn who_turns_out_to_have_been_a_reader_answers_after_all_and_nobody_answers_twice() {
    let (mut georgia, mut turkey) = both();
    let mut w1 = reader("W1");
    let ordered = logged(&submit(&mut georgia, vec![order("GE", &["GE-1"])]))[0];
    for node in [&mut turkey, &mut w1] {
        deliver(&mut georgia, node);
        node.tick(1_000);
    }
    let expected: Vec<Receipt> = vec![(Some(ordered), vec![id("GE-1")], Vec::new())];
    assert_eq!((receipts(&turkey, "TR"), receipts(&w1, "W1")), (expected.clone(), Vec::new()));
    for node in [&mut turkey, &mut w1] {
        node.node.was_reader_after_all(id("GE-1")).unwrap();
        (0..3).for_each(|_| drop(node.tick(1_000)));
    }
    assert_eq!((receipts(&turkey, "TR"), receipts(&w1, "W1")), (expected.clone(), expected));
    assert!(w1.node.view().erased(id("GE-1")).unwrap().unwrap().0.was_reader);
}

#[test]
fn what_is_erased_before_it_was_acknowledged_is_not_acknowledged() {
    let mut georgia = Bench::ready();
    submit(&mut georgia, vec![notification("TR", 1), notification("TR", 2)]);
    let mut turkey = reader("TR");
    turkey.node.set_settings(Settings { acknowledge_after_ms: 100_000, ..Settings::default() });
    super::inbox::deliver(&mut georgia, &mut turkey);
    assert!(!opens(&turkey, "GE-1").is_empty() && !opens(&turkey, "GE-2").is_empty());
    let before = turkey.node.store().size(&log("TR"));
    assert_eq!(keep(&mut turkey, &["GE-1"], Keeping::Forget), Ok(()));
    turkey.tick(100_000);
    turkey.tick(1_000);
    let view = turkey.node.view();
    let acknowledged: Vec<RecordId> = (before..turkey.node.store().size(&log("TR")))
        .filter_map(|position| view.open(RecordId { log: log("TR"), position }).unwrap())
        .flat_map(|body| PartialRecord::from_content(&body.content).declared().acknowledges.clone())
        .collect();
    assert_eq!(acknowledged, [id("GE-2")]);
}

#[test]
fn lanes_go_when_the_next_ones_come_if_all_that_they_opened_is_gone_already() {
    let (mut georgia, mut turkey) = both();
    assert_eq!(keep(&mut turkey, &["GE-1", "GE-2"], Keeping::Forget), Ok(()));
    (0..3).for_each(|_| drop(turkey.tick(1_000)));
    assert!(!frames(&turkey, "GE-0").is_empty(), "more may come under them");
    for node in [&mut georgia, &mut turkey] {
        node.now += 31 * 86_400_000;
        node.tick(4_000);
    }
    deliver(&mut georgia, &mut turkey);
    (0..3).for_each(|_| drop(turkey.tick(4_000)));
    assert_eq!((why(&turkey, "GE-0"), frames(&turkey, "GE-0")), (Some(Why::Unneeded), Vec::new()));
    assert!(turkey.node.view().lane(id("GE-0")).unwrap().is_none(), "nor is the key in memory");
    // What is under the next lanes is read as ever.
    submit(&mut georgia, vec![notification("TR", 3)]);
    let newest = georgia.node.store().size(&log("GE")) - 1;
    deliver(&mut georgia, &mut turkey);
    assert!(!opens(&turkey, &format!("GE-{newest}")).is_empty());
}

#[test]
fn a_body_that_came_early_and_is_for_nobody_here_goes_when_it_is_erased() {
    let (mut georgia, _) = both();
    let mut w1 = reader("W1");
    let bodies = ["GE-1", "GE-2"].map(|record| (id(record), georgia.node.view().body(id(record)).unwrap().unwrap()));
    for (id, body) in &bodies {
        assert_eq!(w1.ask("GE", &Request::Push { id: *id, body: body.clone() }), Response::Done);
    }
    let ordered = logged(&submit(&mut georgia, vec![order("GE", &["GE-1"])]))[0];
    super::inbox::deliver(&mut georgia, &mut w1);
    assert_eq!(why(&w1, "GE-1"), Some(Why::Ordered(ordered)));
    assert_eq!((w1.node.inbox.early.len(), w1.node.inbox.early_bytes), (1, bodies[1].1.bytes()));
}

#[test]
fn a_record_that_is_found_after_its_erasure_was_for_this_member() {
    let (mut georgia, _) = both();
    let mut turkey = reader("TR");
    // The order was carried out before the record was searched.
    let note = Erased { why: Why::Ordered(id("GE-3")), was_reader: false, readers: BTreeSet::new() };
    let frame = Frame { key: Key::Erased(id("GE-1")), at: fixture::at(100), bytes: note.encode() };
    turkey.node.store_mut().stage(frame).unwrap();
    turkey.node.erasing.known = true;
    assert_eq!(logged(&submit(&mut georgia, vec![order("GE", &["GE-1"])])), [id("GE-3")]);
    super::inbox::deliver(&mut georgia, &mut turkey);
    assert_eq!(receipts(&turkey, "TR"), [(Some(id("GE-3")), vec![id("GE-1")], Vec::new())]);
}
