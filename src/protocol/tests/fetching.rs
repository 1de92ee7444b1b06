//! Bodies, slots and acknowledgements over time: how often something is asked for, of whom, and when it is given up.

use super::inbox::deliver;
use super::*;
use crate::protocol::inbox::Delivery;
use crate::protocol::limits;
use crate::protocol::message::WireBody;

/// Georgia with so many records for Türkiye.
fn georgia(records: usize) -> Bench {
    let mut bench = Bench::ready();
    let records = (1..=records).map(|number| notification("TR", number)).collect();
    bench.settle(vec![Input::Submit { id: 1, records }]);
    bench
}

fn is_body(request: &Request) -> bool {
    matches!(request, Request::Body { .. })
}

fn is_slot(request: &Request) -> bool {
    matches!(request, Request::Slot { .. })
}

/// Those of the questions that are of one kind.
fn of(effects: &[Effect], kind: fn(&Request) -> bool) -> Vec<(MemberCode, u64, Request)> {
    requests(effects).into_iter().filter(|(_, _, request)| kind(request)).collect()
}

/// Answers what `to` asks `from`, but for questions of one kind, which it gives back.
fn deliver_but(from: &mut Bench, to: &mut Bench, kind: fn(&Request) -> bool) -> Vec<(MemberCode, u64, Request)> {
    let (author, reader) = (from.me.as_str().to_owned(), to.me.as_str().to_owned());
    let mut effects = to.connect(&author);
    let mut kept = Vec::new();
    while !requests(&effects).is_empty() {
        kept.extend(of(&effects, kind));
        let asked = requests(&effects);
        effects = Vec::new();
        for (to_whom, id, request) in asked.into_iter().filter(|(_, _, request)| !kind(request)) {
            assert_eq!(to_whom, from.me);
            let response = from.ask(&reader, &request);
            effects.extend(to.answer(&author, id, &response));
        }
    }
    kept
}

fn turkey() -> Bench {
    Bench::of("TR", MemoryStore::default(), true)
}

#[test]
fn a_mark_says_how_far_a_record_has_come() {
    let all = [
        Delivery::Wanted,
        Delivery::Opened,
        Delivery::Unreadable,
        Delivery::TakingUp { acknowledge: true },
        Delivery::TakingUp { acknowledge: false },
        Delivery::Ordered,
        Delivery::Forgotten,
    ];
    assert_eq!(all.map(|delivery| Delivery::from_bytes(delivery.to_bytes())), all);
    assert_eq!(Delivery::from_bytes(b"of another version"), Delivery::Wanted, "it is fetched once more");
}

#[test]
fn a_body_that_does_not_come_is_asked_for_less_and_less_often_and_once_at_a_time() {
    let mut turkey = turkey();
    assert!(!turkey.node.is_fetching());
    let [(_, mut number, _)] = deliver_but(&mut georgia(1), &mut turkey, is_body)[..] else { panic!("one question") };
    assert!(turkey.node.is_fetching());
    // While the answer is awaited, it is not asked for.
    (0..20).for_each(|_| assert_eq!(of(&turkey.tick(1_000), is_body), []));
    let mut waits = Vec::new();
    for _ in 0..6 {
        let mut effects = turkey.settle(vec![Input::Failed { id: number }]);
        let mut waited = 0;
        number = loop {
            if let [(_, next, _)] = of(&effects, is_body)[..] {
                break next;
            }
            waited += 500;
            assert!(waited < 60_000, "it is asked for again");
            effects = turkey.tick(500);
        };
        waits.push(waited);
    }
    // The first wait was over before the answer failed.
    assert_eq!(waits[0], 0, "{waits:?}");
    assert!(waits[1..].is_sorted() && *waits.last().unwrap() <= limits::RETRY_MAX_MS, "{waits:?}");
    assert!(waits[1] >= 2 * limits::RETRY_MS && waits[5] == limits::RETRY_MAX_MS, "{waits:?}");
}

#[test]
fn so_many_bodies_are_asked_of_one_peer_at_a_time() {
    let mut georgia = georgia(12);
    let mut turkey = turkey();
    let first = deliver_but(&mut georgia, &mut turkey, is_body);
    assert_eq!(first.len(), limits::BODY_REQUESTS_PER_PEER);
    assert_eq!(turkey.node.outstanding(log("GE")), 12);
    assert_eq!(turkey.node.outstanding(log("MZ")), 0);
    // Each that comes makes room for one more; one that fails as well.
    let (_, number, request) = &first[0];
    let response = georgia.ask("TR", request);
    assert_eq!(of(&turkey.answer("GE", *number, &response), is_body).len(), 1);
    let (_, number, _) = &first[1];
    assert_eq!(of(&turkey.settle(vec![Input::Failed { id: *number }]), is_body).len(), 1);
    assert_eq!(turkey.node.outstanding(log("GE")), 11);
}

#[test]
fn a_member_that_comes_back_is_asked_at_once() {
    let mut turkey = turkey();
    let [(_, mut number, _)] = deliver_but(&mut georgia(1), &mut turkey, is_body)[..] else { panic!("one question") };
    for _ in 0..5 {
        turkey.settle(vec![Input::Failed { id: number }]);
        turkey.now += limits::RETRY_MAX_MS;
        let [(_, next, _)] = of(&turkey.tick(0), is_body)[..] else { panic!("asked again") };
        number = next;
    }
    turkey.settle(vec![Input::Disconnected { peer: code("GE") }, Input::Failed { id: number }]);
    assert_eq!(of(&turkey.tick(10), is_body), []);
    // Another one's coming hastens nothing.
    assert_eq!(of(&turkey.connect("MZ"), is_body), []);
    assert_eq!(of(&turkey.connect("GE"), is_body).len(), 1);
}

/// Türkiye, where W1 is a custodian that Georgia's manifest names.
fn turkey_with_custodian() -> Bench {
    let federation = fixture::federation_where(&MEMBERS, |draft| {
        draft.members.get_mut(&code("W1")).unwrap().custodian = true;
    });
    let first = federation.manifest(code("GE")).unwrap().digest();
    let draft = crate::identity::ManifestDraft {
        version: 2,
        predecessor: Some(first),
        issued_at: fixture::at(10),
        custodians: [code("W1")].into(),
        ..fixture::manifest("GE")
    };
    let manifest = fixture::signed_manifest(draft, federation.id());
    let mut bench = turkey();
    bench.node.federation = federation.with_manifest(manifest).unwrap().unwrap();
    bench
}

#[test]
fn a_custodian_is_asked_now_and_then_and_while_the_author_is_away() {
    let mut bench = turkey_with_custodian();
    let (georgia, w1) = (Some(code("GE")), Some(code("W1")));
    let asked = |bench: &Bench| [0, 1, 2, 3, 4, 7].map(|tries| bench.node.holder(id("GE-1"), tries));
    assert_eq!(asked(&bench), [None; 6], "nobody is in reach");
    bench.connect("MZ");
    assert_eq!(asked(&bench), [None; 6], "Mozambique is none of its custodians");
    bench.connect("GE");
    assert_eq!(asked(&bench), [georgia; 6], "no custodian is in reach");
    bench.connect("W1");
    assert_eq!(asked(&bench), [georgia, georgia, georgia, w1, georgia, w1]);
    bench.settle(vec![Input::Disconnected { peer: code("GE") }]);
    assert_eq!(asked(&bench), [w1; 6]);
    assert_eq!(bench.node.holder(id("TR-1"), 0), None, "it is no custodian of another");
    // Who has enough to do is not asked for more.
    bench.node.peers.entry(code("W1")).body_requests = limits::BODY_REQUESTS_PER_PEER;
    assert_eq!(asked(&bench), [None; 6]);
}

fn junk(bytes: usize) -> WireBody {
    WireBody { head: vec![1], compartments: vec![vec![2; bytes]] }
}

fn push(bench: &mut Bench, position: u64, body: WireBody) {
    let id = RecordId { log: log("GE"), position };
    assert_eq!(bench.ask("GE", &Request::Push { id, body }), Response::Done);
}

#[test]
fn bodies_that_come_early_are_kept_for_a_minute_and_no_more_of_them_than_fit() {
    let mut turkey = turkey();
    for position in 0..limits::EARLY_BODIES_MAX as u64 + 3 {
        push(&mut turkey, 1 + position, junk(10));
        turkey.now += 10;
    }
    assert_eq!(turkey.node.inbox.early.len(), limits::EARLY_BODIES_MAX);
    assert_eq!(turkey.node.shed(Now(turkey.now)).bodies_dropped, 3);
    turkey.tick(limits::EARLY_BODY_MS - 10_000);
    assert_eq!(turkey.node.inbox.early.len(), limits::EARLY_BODIES_MAX, "not yet");
    turkey.tick(10_000);
    assert_eq!((turkey.node.inbox.early.len(), turkey.node.inbox.early_bytes), (0, 0));
    // By size as well; the same one again takes no more room.
    let half = limits::EARLY_BODIES_BYTES_MAX / 2;
    for position in [1, 1, 2, 3] {
        push(&mut turkey, position, junk(half - 100));
    }
    assert_eq!(turkey.node.inbox.early.len(), 2);
    assert_eq!(turkey.node.inbox.early_bytes, 2 * junk(half - 100).bytes());
    assert_eq!(turkey.node.shed(Now(turkey.now)).bodies_dropped, 4);
}

#[test]
fn a_body_that_was_not_wanted_is_not_kept() {
    let mut georgia = georgia(1);
    let mut turkey = turkey();
    deliver(&mut georgia, &mut turkey);
    let dropped = turkey.node.shed(Now(turkey.now)).bodies_dropped;
    // It came already; and Türkiye's log is not Georgia's to push.
    push(&mut turkey, 1, junk(1));
    let foreign = Request::Push { id: id("MZ-5"), body: junk(1) };
    let (_, effects) = turkey.ask_all("GE", &foreign);
    assert!(events(&effects).iter().any(|event| matches!(event, Event::Refused { .. })));
    let unknown = Request::Push { id: id("GE.9-5"), body: junk(1) };
    turkey.ask("GE", &unknown);
    assert!(turkey.node.inbox.early.is_empty());
    assert_eq!(turkey.node.shed(Now(turkey.now)).bodies_dropped, dropped);
}

#[test]
fn an_early_body_that_is_not_the_signed_one_is_refused_and_the_right_one_fetched() {
    let mut georgia = georgia(1);
    let mut turkey = turkey();
    push(&mut turkey, 1, junk(1));
    deliver(&mut georgia, &mut turkey);
    assert!(!turkey.node.view().open(id("GE-1")).unwrap().unwrap().content.is_empty());
    assert_eq!((turkey.node.inbox.early.len(), turkey.node.inbox.early_bytes), (0, 0));
}

#[test]
fn a_slot_that_the_author_does_not_have_is_believed_after_some_tries() {
    let mut turkey = turkey();
    let [(_, mut number, _)] = deliver_but(&mut georgia(1), &mut turkey, is_slot)[..] else { panic!("one question") };
    let mut tries = 1;
    let told = loop {
        let mut effects = turkey.answer("GE", number, &Response::Nothing);
        effects.extend(turkey.tick(limits::RETRY_MAX_MS));
        match of(&effects, is_slot)[..] {
            [(_, next, _)] => number = next,
            _ => break events(&effects),
        }
        tries += 1;
    };
    assert_eq!(tries, limits::SLOT_TRIES);
    let gave_up = |event: &Event| matches!(event, Event::NotOpened { id: of, .. } if *of == id("GE-0"));
    assert!(told.iter().any(gave_up), "{told:?}");
    // The log is searched on: nothing in it is for this node.
    assert_eq!(turkey.node.view().scan(&log("GE")).unwrap().done, 2);
    assert_eq!(turkey.node.view().totals().unwrap().sealed, 1);
}

#[test]
fn a_slot_must_be_ones_own_and_the_signed_one() {
    let mut georgia = georgia(1);
    let Response::Slot(of_mozambique) = georgia.ask("MZ", &Request::Slot { id: id("GE-0") }) else { panic!("a slot") };
    let Response::Slot(own) = georgia.ask("TR", &Request::Slot { id: id("GE-0") }) else { panic!("a slot") };
    let mut spoilt = own.clone();
    *spoilt.last_mut().unwrap() ^= 1;
    let mut turkey = turkey();
    let [(_, mut number, _)] = deliver_but(&mut georgia, &mut turkey, is_slot)[..] else { panic!("one question") };
    for wrong in [vec![1], spoilt] {
        let mut effects = turkey.answer("GE", number, &Response::Slot(wrong));
        assert!(events(&effects).iter().any(|event| matches!(event, Event::Refused { .. })));
        effects.extend(turkey.tick(limits::RETRY_MAX_MS));
        let [(_, next, _)] = of(&effects, is_slot)[..] else { panic!("it is asked for again") };
        number = next;
    }
    let effects = turkey.answer("GE", number, &Response::Slot(own));
    assert_eq!(of(&effects, is_body).len(), 1, "the body is what is asked for next");
    // That of another member is signed as well, and opens nothing here: it is not asked for without end.
    let mut other = self::turkey();
    let [(_, number, _)] = deliver_but(&mut georgia, &mut other, is_slot)[..] else { panic!("one question") };
    let effects = other.answer("GE", number, &Response::Slot(of_mozambique));
    assert!(events(&effects).iter().any(|event| matches!(event, Event::NotOpened { .. })));
    assert_eq!(of(&other.tick(60_000), is_slot), []);
}

/// The records that Türkiye's own log acknowledges, statement by statement.
fn acknowledged(bench: &Bench) -> Vec<Vec<RecordId>> {
    let own = log("TR");
    (0..bench.node.store().size(&own))
        .filter_map(|position| bench.node.view().open(RecordId { log: own, position }).unwrap())
        .map(|body| record::PartialRecord::from_content(&body.content).declared().acknowledges.clone())
        .collect()
}

#[test]
fn what_was_opened_within_a_while_is_acknowledged_together_and_acknowledgements_are_not() {
    let mut georgia = georgia(3);
    let mut turkey = turkey();
    turkey.tick(0);
    turkey.tick(3_000);
    let asked = deliver_but(&mut georgia, &mut turkey, is_body);
    assert_eq!(asked.len(), 3);
    for (_, number, request) in asked {
        let response = georgia.ask("TR", &request);
        turkey.answer("GE", number, &response);
        turkey.tick(300);
    }
    assert_eq!(acknowledged(&turkey), Vec::<Vec<RecordId>>::new(), "not before the first has waited for a second");
    turkey.tick(200);
    let expected: Vec<RecordId> = ["GE-1", "GE-2", "GE-3"].map(id).into();
    assert_eq!(acknowledged(&turkey), [expected]);
    // The author reads it and says nothing to it.
    let size = georgia.node.store().size(&log("GE"));
    (0..2).for_each(|_| drop(georgia.tick(60_000)));
    deliver(&mut turkey, &mut georgia);
    georgia.tick(60_000);
    assert!(!georgia.node.view().open(id("TR-1")).unwrap().unwrap().content.is_empty());
    assert_eq!(georgia.node.store().size(&log("GE")), size);
}
