//! What a disk has lost: asked for of whoever has it, believed if it is what it was, and named until it is back.

use super::inbox::deliver;
use super::*;
use crate::ledger::{Key, KeyKind};
use crate::protocol::limits;
use crate::protocol::message::WireBody;

/// Georgia with a record for Türkiye, and Türkiye, which has it.
fn both() -> (Bench, Bench) {
    let mut georgia = Bench::ready();
    georgia.settle(vec![Input::Submit { id: 1, records: vec![notification("TR", 1)] }]);
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    deliver(&mut georgia, &mut turkey);
    (georgia, turkey)
}

fn damage(bench: &mut Bench, keys: &[Key]) {
    for key in keys {
        bench.node.store_mut().damage(*key);
    }
    assert_eq!(bench.node.store().damaged(), keys, "they were held");
}

/// What was healed, as the operator is told.
fn healed(effects: &[Effect]) -> Vec<String> {
    let what = |event| match event {
        Event::Healed { what } => Some(what),
        _ => None,
    };
    events(effects).into_iter().filter_map(what).collect()
}

fn refused(effects: &[Effect]) -> bool {
    events(effects).iter().any(|event| matches!(event, Event::Refused { .. }))
}

/// What was asked, without greetings.
fn asked(effects: &[Effect]) -> Vec<(MemberCode, u64, Request)> {
    requests(effects).into_iter().filter(|(_, _, request)| !matches!(request, Request::Hello { .. })).collect()
}

#[test]
fn a_lost_statement_is_fetched_and_must_be_the_leaf_that_it_was() {
    let (mut georgia, mut turkey) = both();
    let key = Key::Statement(id("GE-1"));
    let before = turkey.node.store().get(&key).unwrap().unwrap().bytes;
    damage(&mut turkey, &[key]);
    let [(to, number, request)] = &asked(&turkey.tick(1_000))[..] else { panic!("one question") };
    assert_eq!((*to, request), (code("GE"), &Request::Range { log: log("GE"), from: 1 }));
    let good = georgia.ask("TR", request);
    let Response::Chunk { checkpoint, from, consistency, .. } = good.clone() else { panic!("a chunk") };
    let wrong = Response::Chunk { checkpoint, from, statements: vec![vec![1]], consistency };
    let effects = turkey.answer("GE", *number, &wrong);
    assert!(refused(&effects) && healed(&effects).is_empty());
    assert_eq!(turkey.node.store().damaged(), [key]);
    // It is asked for again, and not at once.
    assert_eq!(asked(&turkey.tick(10)), []);
    let again = asked(&turkey.tick(1_000));
    let [(_, number, _)] = &again[..] else { panic!("the same question: {again:?}") };
    let effects = turkey.answer("GE", *number, &good);
    assert_eq!((healed(&effects), refused(&effects)), (vec![key.to_string()], false));
    assert_eq!(turkey.disk.get(&key).unwrap().unwrap().bytes, before, "and it is on the disk");
    assert!(turkey.node.store().damaged().is_empty());
    assert_eq!(asked(&turkey.tick(60_000)), []);
}

#[test]
fn what_nobody_can_be_asked_for_is_asked_for_as_soon_as_somebody_can() {
    let (_, mut turkey) = both();
    turkey.settle(vec![Input::Disconnected { peer: code("GE") }]);
    damage(&mut turkey, &[Key::Statement(id("GE-0")), Key::Head(id("GE-1"))]);
    for _ in 0..8 {
        assert_eq!(asked(&turkey.tick(1_000)), []);
    }
    let effects = turkey.connect("GE");
    let now: Vec<Request> = asked(&effects).into_iter().map(|(_, _, request)| request).collect();
    assert!(now.contains(&Request::Range { log: log("GE"), from: 0 }), "{now:?}");
    assert!(now.iter().any(|request| matches!(request, Request::Body { .. })), "{now:?}");
}

#[test]
fn a_body_of_which_parts_are_lost_is_fetched_once_and_must_be_the_signed_one() {
    let (mut georgia, mut turkey) = both();
    let lost = [Key::Head(id("GE-1")), Key::Compartment(id("GE-1"), 0), Key::Compartment(id("GE-1"), 1)];
    let body = turkey.node.view().body(id("GE-1")).unwrap().unwrap();
    damage(&mut turkey, &lost);
    let first = asked(&turkey.tick(1_000));
    let [(to, number, request)] = &first[..] else { panic!("one question for all of it: {first:?}") };
    assert_eq!(*to, code("GE"));
    let Response::Body(served) = georgia.ask("TR", request) else { panic!("a body") };
    let mut swapped = served.clone();
    swapped.compartments.swap(0, 1);
    let mut short = served.clone();
    short.compartments.pop();
    let mut number = *number;
    georgia.settle(vec![Input::Submit { id: 2, records: vec![notification("TR", 2)] }]);
    let another = georgia.node.view().body(id("GE-2")).unwrap().unwrap();
    for wrong in [WireBody { head: vec![1], ..served.clone() }, swapped, short, another] {
        let effects = turkey.answer("GE", number, &Response::Body(wrong));
        assert!(refused(&effects) && healed(&effects).is_empty());
        assert_eq!(turkey.node.store().damaged(), lost);
        let again = asked(&turkey.tick(limits::RETRY_MAX_MS));
        let [(_, next, _)] = &again[..] else { panic!("asked again: {again:?}") };
        number = *next;
    }
    let effects = turkey.answer("GE", number, &Response::Body(served));
    assert_eq!(healed(&effects), lost.map(|key| key.to_string()));
    assert_eq!(turkey.node.view().body(id("GE-1")).unwrap(), Some(body));
}

#[test]
fn of_two_bodies_only_the_one_that_came_is_healed() {
    let (mut georgia, mut turkey) = both();
    georgia.settle(vec![Input::Submit { id: 2, records: vec![notification("TR", 2)] }]);
    deliver(&mut georgia, &mut turkey);
    let lost = [Key::Head(id("GE-1")), Key::Head(id("GE-2")), Key::Compartment(id("GE-2"), 0)];
    damage(&mut turkey, &lost);
    let questions = asked(&turkey.tick(1_000));
    assert_eq!(questions.len(), 2);
    let of = |record: &str| {
        let about = |request: &Request| matches!(request, Request::Body { id: of, .. } if *of == id(record));
        questions.iter().find(|(_, _, request)| about(request)).unwrap()
    };
    let (_, number, request) = of("GE-1");
    let response = georgia.ask("TR", request);
    assert_eq!(healed(&turkey.answer("GE", *number, &response)), [lost[0].to_string()]);
    assert_eq!(turkey.node.store().damaged(), lost[1..]);
}

#[test]
fn a_lost_body_of_ones_own_is_asked_of_its_readers() {
    let (mut georgia, mut turkey) = both();
    let body = georgia.node.view().body(id("GE-1")).unwrap();
    ["MZ", "TR", "W1"].iter().for_each(|peer| drop(georgia.connect(peer)));
    damage(&mut georgia, &[Key::Head(id("GE-1"))]);
    let questions = asked(&georgia.tick(1_000));
    let bodies: Vec<_> = questions.iter().filter(|(_, _, request)| matches!(request, Request::Body { .. })).collect();
    let [(to, number, request)] = bodies[..] else { panic!("one question: {questions:?}") };
    assert_eq!(*to, code("TR"), "nobody else has it");
    let response = turkey.ask("GE", request);
    assert!(matches!(response, Response::Body(_)), "the ticket is the reader's own");
    assert_eq!(healed(&georgia.answer("TR", *number, &response)).len(), 1);
    assert_eq!(georgia.node.view().body(id("GE-1")).unwrap(), body);
}

#[test]
fn of_several_readers_one_after_another_is_asked() {
    let mut georgia = Bench::ready();
    let draft: record::Draft = serde_json::from_str(r#"{"kind": "policy", "terms": {"reply_days": 15}}"#).unwrap();
    let context = record::Context {
        strictness: record::Strictness::Own,
        author: Some(code("GE")),
        now: fixture::at(100),
        foreign_exports: false,
    };
    let policy = draft.check(&context).expect("a sound policy").record;
    georgia.settle(vec![Input::Submit { id: 1, records: vec![policy] }]);
    ["MZ", "TR", "W1"].iter().for_each(|peer| drop(georgia.connect(peer)));
    damage(&mut georgia, &[Key::Head(id("GE-1"))]);
    let mut readers = Vec::new();
    for _ in 0..4 {
        let questions = asked(&georgia.tick(limits::RETRY_MAX_MS));
        let body = questions.iter().find(|(_, _, request)| matches!(request, Request::Body { .. }));
        let (to, number, _) = body.expect("it is asked for again");
        readers.push(to.to_string());
        georgia.answer(to.as_str(), *number, &Response::Nothing);
    }
    assert_eq!(readers, ["MZ", "TR", "W1", "MZ"]);
}

#[test]
fn a_lost_slot_is_asked_of_its_author() {
    let (mut georgia, mut turkey) = both();
    let key = Key::Slot(id("GE-0"));
    damage(&mut turkey, &[key]);
    let questions = asked(&turkey.tick(1_000));
    let [(to, number, request)] = &questions[..] else { panic!("one question: {questions:?}") };
    assert_eq!((*to, request), (code("GE"), &Request::Slot { id: id("GE-0") }));
    let response = georgia.ask("TR", request);
    turkey.answer("GE", *number, &response);
    assert!(turkey.node.store().damaged().is_empty());
}

#[test]
fn what_is_in_memory_still_is_written_anew() {
    let (mut georgia, mut turkey) = both();
    let receipt = Request::Cosign { log: log("GE"), size: 1 };
    assert!(matches!(turkey.ask("GE", &receipt), Response::Cosignature(_)));
    let sizes = BTreeMap::from([(log("GE"), (1, Digest([1; 32])))]);
    turkey.gossip("W1", Owner::cosigned("W1", &sizes, 3));
    turkey.tick(limits::KEEP_COSIGNATURE_MS);
    let kinds = [KeyKind::Checkpoint, KeyKind::FrontierCosignature];
    let keys: Vec<Key> = kinds.iter().flat_map(|kind| turkey.node.store().keys(*kind).unwrap()).collect();
    for member in ["TR", "W1"] {
        assert!(keys.contains(&Key::FrontierCosignature(code(member))), "{keys:?}");
    }
    assert!(keys.contains(&Key::Checkpoint(log("GE"))) && keys.contains(&Key::Checkpoint(log("TR"))), "{keys:?}");
    for key in keys {
        let before = turkey.node.store().get(&key).unwrap().unwrap().bytes;
        damage(&mut turkey, &[key]);
        let effects = turkey.tick(1_000);
        assert_eq!(healed(&effects), [key.to_string()]);
        assert_eq!(asked(&effects), [], "{key}: nobody is asked");
        assert_eq!(turkey.disk.get(&key).unwrap().unwrap().bytes, before, "{key}");
    }
    // One's own lanes nobody else has: they stay named, and what needs them waits.
    let lanes = Key::Lanes(id("GE-0"));
    damage(&mut georgia, &[lanes]);
    georgia.connect("TR");
    for _ in 0..5 {
        assert_eq!(asked(&georgia.tick(20_000)), []);
    }
    assert_eq!(georgia.node.store().damaged(), [lanes]);
}

#[test]
fn a_few_frames_are_asked_for_at_a_time() {
    let owner = Owner::with("TR", 60, 1);
    let mut bench = Bench::new();
    for from in [0, 30] {
        let part = Owner { statements: owner.statements[..from + 30].to_vec(), ..Owner::new("TR") };
        bench.gossip("TR", part.news(from));
    }
    bench.connect("MZ");
    let lost: Vec<Key> = (10..50).map(|position| Key::Statement(RecordId { log: log("TR"), position })).collect();
    damage(&mut bench, &lost);
    let first = asked(&bench.tick(1_000));
    assert_eq!(first.len(), limits::HEAL_MAX);
    // What is there again makes room for the next.
    let (_, number, request) = &first[0];
    assert_eq!(request, &Request::Range { log: log("TR"), from: 10 });
    let effects = bench.answer("MZ", *number, &owner.chunk(10, 12));
    assert_eq!(healed(&effects).len(), 2);
    let more: Vec<Request> = asked(&effects).into_iter().map(|(_, _, request)| request).collect();
    let from = |from| Request::Range { log: log("TR"), from };
    assert_eq!(more, [from(26), from(27)]);
}

#[test]
fn the_body_of_an_intent_that_was_never_signed_is_not_that_of_what_the_others_hold_there() {
    let mut georgia = Bench::ready();
    let backup = georgia.disk.clone();
    georgia.settle(vec![Input::Submit { id: 1, records: vec![notification("TR", 1)] }]);
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    deliver(&mut georgia, &mut turkey);
    let body = georgia.node.view().body(id("GE-1")).unwrap().unwrap();
    // The backup is put back, another record is about to be signed at that place, and the power goes.
    let mut restored = Bench { now: georgia.now, ..Bench::of("GE", backup, true) };
    restored.tick(0);
    restored.tick(3_000);
    restored.feed(vec![Input::Submit { id: 2, records: vec![notification("MZ", 2)] }]);
    let staged = restored.node.store().clone();
    assert!(staged.has(&Key::Head(id("GE-1"))).unwrap() && staged.size(&log("GE")) == 1);
    let mut restored = Bench { now: georgia.now, ..Bench::of("GE", staged, false) };
    assert_ne!(restored.node.view().body(id("GE-1")).unwrap(), Some(body.clone()));
    deliver(&mut turkey, &mut restored);
    let view = restored.node.view();
    let bytes = |bench: &Bench| bench.node.store().get(&Key::Statement(id("GE-1"))).unwrap().map(|frame| frame.bytes);
    assert!(bytes(&restored).is_some() && bytes(&restored) == bytes(&georgia));
    assert_eq!(view.body(id("GE-1")).unwrap(), Some(body));
    assert!(!view.open(id("GE-1")).unwrap().unwrap().content.is_empty());
}

#[test]
fn the_body_of_an_intent_is_neither_shown_nor_served_while_the_signed_one_is_away() {
    let mut georgia = Bench::ready();
    let backup = georgia.disk.clone();
    georgia.settle(vec![Input::Submit { id: 1, records: vec![notification("TR", 1)] }]);
    let mut other = Bench { now: georgia.now, ..Bench::of("GE", backup, true) };
    other.tick(0);
    other.tick(3_000);
    other.feed(vec![Input::Submit { id: 2, records: vec![notification("TR", 2)] }]);
    let mut disk = other.node.store().clone();
    // The statement is there, of the body nothing.
    let statement = georgia.node.store().get(&Key::Statement(id("GE-1"))).unwrap().unwrap();
    disk.stage(statement).unwrap();
    let mut restored = Bench { now: georgia.now, ..Bench::of("GE", disk, false) };
    assert!(restored.node.store().has(&Key::Head(id("GE-1"))).unwrap(), "the intent's");
    assert_eq!(restored.node.view().body(id("GE-1")).unwrap(), None);
    assert!(restored.node.view().open(id("GE-1")).unwrap().is_none());
    let lanes = georgia.node.view().own_lanes(id("GE-0")).unwrap().unwrap();
    let ticket = *lanes.secret.lane_key(code("TR")).ticket(&id("GE-1")).as_bytes();
    let request = Request::Body { id: id("GE-1"), ticket };
    assert!(matches!(georgia.ask("TR", &request), Response::Body(_)));
    assert_eq!(restored.ask("TR", &request), Response::Nothing);
}
