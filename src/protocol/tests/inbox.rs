//! Bodies, slots and cosignatures: given to whom they are for, and taken from whom they are asked of.

use crate::record::{Context, Draft, Strictness};

use super::*;
use crate::ledger::Key;
use crate::protocol::limits;
use crate::protocol::message::WireBody;

/// A bench of Georgia with one record for Turkey.
fn with_record() -> Bench {
    let mut bench = Bench::ready();
    bench.settle(vec![Input::Submit { id: 1, records: vec![notification("TR", 1)] }]);
    bench
}

/// Hands everything that `from` logged to `to`, with answers to its questions, until it asks nothing more.
pub(super) fn deliver(from: &mut Bench, to: &mut Bench) {
    let (author, reader) = (from.me.as_str().to_owned(), to.me.as_str().to_owned());
    let mut effects = to.connect(&author);
    for _ in 0..20 {
        let asked = requests(&effects);
        effects = Vec::new();
        for (_, id, request) in asked {
            let response = from.ask(&reader, &request);
            effects.extend(to.answer(&author, id, &response));
        }
        effects.extend(to.tick(1_000));
    }
}

#[test]
fn a_body_is_served_for_a_ticket_and_for_nothing_else() {
    let mut georgia = with_record();
    for ticket in [[0; 32], [7; 32]] {
        assert_eq!(georgia.ask("TR", &Request::Body { id: id("GE-1"), ticket }), Response::Nothing);
    }
    assert_eq!(georgia.ask("TR", &Request::Body { id: id("GE-9"), ticket: [0; 32] }), Response::Nothing);
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    deliver(&mut georgia, &mut turkey);
    let opened = turkey.node.view().open(id("GE-1")).unwrap().unwrap();
    assert!(!opened.content.is_empty());
    // Mozambique holds the statement, and neither asks for the body nor could have it.
    let mut mozambique = Bench::of("MZ", MemoryStore::default(), true);
    deliver(&mut georgia, &mut mozambique);
    assert_eq!(mozambique.node.store().size(&log("GE")), georgia.node.store().size(&log("GE")));
    assert_eq!(mozambique.node.view().body(id("GE-1")).unwrap(), None);
}

#[test]
fn a_policy_is_opened_by_every_member() {
    let mut georgia = Bench::ready();
    let draft: Draft = serde_json::from_str(r#"{"kind": "policy", "terms": {"reply_days": 15}}"#).unwrap();
    let context = Context {
        strictness: Strictness::Own,
        author: Some(code("GE")),
        now: fixture::at(100),
        foreign_exports: false,
    };
    let policy = draft.check(&context).expect("a sound policy").record;
    georgia.settle(vec![Input::Submit { id: 1, records: vec![policy.clone()] }]);
    for member in ["TR", "MZ", "W1"] {
        let mut reader = Bench::of(member, MemoryStore::default(), true);
        deliver(&mut georgia, &mut reader);
        assert_eq!(&reader.node.view().open(id("GE-1")).unwrap().unwrap().content, policy.content(), "{member}");
    }
}

#[test]
fn what_was_acknowledged_is_not_acknowledged_after_a_restart() {
    let mut georgia = with_record();
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    deliver(&mut georgia, &mut turkey);
    turkey.tick(3_000);
    let size = turkey.node.store().size(&log("TR"));
    assert_eq!(size, 2, "lanes and one acknowledgement");
    let mut turkey = turkey.restarted();
    (0..10).for_each(|_| drop(turkey.tick(2_000)));
    assert_eq!(turkey.node.store().size(&log("TR")), size);
}

#[test]
fn every_member_can_acknowledge_every_other() {
    for (author, reader) in [("GE", "W1"), ("W1", "GE"), ("W1", "W2")] {
        let draft = Draft::delivered(code(author), vec![id(&format!("{author}-1")), id(&format!("{author}.2-7"))]);
        let context = Context {
            strictness: Strictness::Own,
            author: Some(code(reader)),
            now: fixture::at(100),
            foreign_exports: false,
        };
        assert!(draft.check(&context).is_ok(), "{reader} acknowledges {author}");
    }
}

#[test]
fn a_slot_is_for_its_member_alone() {
    let mut georgia = Bench::ready();
    for member in ["MZ", "TR"] {
        let Response::Slot(slot) = georgia.ask(member, &Request::Slot { id: id("GE-0") }) else { panic!() };
        assert_eq!(crate::seal::SlotProof::decode(&slot).unwrap().slot.member(), code(member));
    }
    assert_eq!(georgia.ask("FR", &Request::Slot { id: id("GE-0") }), Response::Nothing);
    assert_eq!(georgia.ask("TR", &Request::Slot { id: id("GE-1") }), Response::Nothing);
}

#[test]
fn a_body_that_comes_before_its_statement_waits_for_it() {
    let mut georgia = with_record();
    let body = georgia.node.view().body(id("GE-1")).unwrap().unwrap();
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    assert_eq!(turkey.ask("GE", &Request::Push { id: id("GE-1"), body }), Response::Done);
    assert!(turkey.node.store().keys(crate::ledger::KeyKind::Head).unwrap().is_empty());
    deliver(&mut georgia, &mut turkey);
    assert!(turkey.node.view().open(id("GE-1")).unwrap().is_some());
}

#[test]
fn another_than_the_author_cannot_take_the_place_of_its_body() {
    let mut georgia = with_record();
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    let junk = WireBody { head: vec![1], compartments: vec![vec![2]] };
    assert_eq!(turkey.ask("MZ", &Request::Push { id: id("GE-1"), body: junk }), Response::Done);
    let body = georgia.node.view().body(id("GE-1")).unwrap().unwrap();
    turkey.ask("GE", &Request::Push { id: id("GE-1"), body });
    let mut asked_for_bodies = 0;
    let mut effects = turkey.connect("GE");
    for _ in 0..20 {
        let asked = requests(&effects);
        effects = Vec::new();
        for (_, id, request) in asked {
            asked_for_bodies += usize::from(matches!(request, Request::Body { .. }));
            let response = georgia.ask("TR", &request);
            effects.extend(turkey.answer("GE", id, &response));
        }
        effects.extend(turkey.tick(1_000));
    }
    assert!(turkey.node.view().open(id("GE-1")).unwrap().is_some());
    assert_eq!(asked_for_bodies, 0, "the pushed one was there");
}

#[test]
fn an_author_that_withholds_slots_costs_one_request_at_a_time() {
    let mut bench = Bench::new();
    bench.connect("TR");
    let mut owner = Owner::new("TR");
    for position in 0..40 {
        owner.push_statement(Binds::Lanes, position, Digest([1; 32]), Vec::new());
    }
    let (_, effects) = bench.gossip("TR", owner.news(20.min(owner.statements.len())));
    let mut slots = 0;
    let mut effects = effects;
    for _ in 0..6 {
        let asked = requests(&effects);
        effects = Vec::new();
        for (to, id, request) in asked {
            match request {
                Request::Range { from, .. } => {
                    effects.extend(bench.answer(to.as_str(), id, &owner.chunk(from as usize, 40)));
                }
                Request::Slot { .. } => slots += 1,
                _ => {}
            }
        }
        effects.extend(bench.tick(10));
    }
    assert_eq!(bench.node.store().size(&log("TR")), 40);
    assert!(slots <= 1, "{slots} slots asked for at once");
}

#[test]
fn a_receipt_is_made_once_and_only_for_what_is_held() {
    let mut bench = Bench::new();
    bench.gossip("TR", Owner::with("TR", 3, 1).news(0));
    let cosign = |size| Request::Cosign { log: log("TR"), size };
    let Response::Cosignature(first) = bench.ask("TR", &cosign(3)) else { panic!("a receipt") };
    let root = first.verify(bench.node.federation()).unwrap();
    assert_eq!((root.by, root.claim), (code("GE"), Claim::Cosignature { log: log("TR"), size: 3 }));
    bench.now += 5_000;
    assert_eq!(bench.ask("MZ", &cosign(1)), Response::Cosignature(first), "the same to whoever asks");
    assert_eq!(bench.ask("MZ", &cosign(4)), Response::Nothing);
    assert_eq!(bench.ask("MZ", &Request::Cosign { log: log("MZ"), size: 0 }), Response::Nothing);
    // While the log grows, so many in a minute.
    let mut made = 1;
    for size in 4..20 {
        bench.gossip("TR", Owner::with("TR", size, 1).news(0));
        made += u32::from(matches!(bench.ask("MZ", &cosign(size)), Response::Cosignature(_)));
    }
    assert_eq!(made, limits::COSIGN_PER_MINUTE);
    assert!(bench.disk.get(&Key::Statement(id("TR-18"))).unwrap().is_some());
}

#[test]
fn a_reader_that_takes_a_pushed_body_is_not_complained_of() {
    let mut bench = Bench::ready();
    bench.greeted("TR", Digest([1; 32]), &Sizes::new());
    let effects = bench.settle(vec![Input::Submit { id: 1, records: vec![notification("TR", 1)] }]);
    let is_push = |request: &Request| matches!(request, Request::Push { .. });
    let (_, number, _) = requests(&effects).into_iter().find(|(_, _, request)| is_push(request)).unwrap();
    assert_eq!(events(&bench.answer("TR", number, &Response::Done)), []);
}

#[test]
fn of_each_log_one_slot_is_wanted_at_a_time() {
    let mut bench = Bench::new();
    for lanes in ["MZ-0", "TR-0", "TR-5", "TR-5"] {
        bench.node.want_slot(id(lanes));
    }
    assert_eq!(bench.node.inbox.slots.keys().collect::<Vec<_>>(), [&id("MZ-0"), &id("TR-5")]);
}

#[test]
fn what_names_another_statement_than_lanes_is_for_nobody_and_holds_up_nothing() {
    let mut bench = Bench::new();
    bench.connect("TR");
    let mut owner = Owner::new("TR");
    // The first names no earlier one and cannot be read; the others name that, and one that is no lanes either.
    for lanes in [0, 0, 1] {
        owner.push_statement(Binds::Body, lanes, Digest([1; 32]), Vec::new());
    }
    bench.gossip("TR", owner.news(0));
    let asked = requests(&bench.tick(1_000));
    assert!(!asked.iter().any(|(_, _, request)| matches!(request, Request::Slot { .. })), "{asked:?}");
    let scan = bench.node.logs[&log("TR")].scan;
    assert_eq!((scan.done, scan.bodiless, scan.mine), (3, 1, 0));
}
