//! Grants: who gets to read what by them, in whatever order things come, and what a dishonest member cannot do with one.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::inbox::deliver;
use super::*;
use crate::evidence::{ExportOptions, export, verify_under};
use crate::ledger::{Key, Mark};
use crate::protocol::author::Gathering;
use crate::protocol::{Delivery, Extent, Outcome, Refused, limits};
use crate::record::{Compartment, Context, Draft, Strictness};
use crate::seal::{CompartmentLabel, ContentKey, Grant, Granted, Ticket};

/// A record of `author`, checked.
pub(super) fn record(author: &str, json: Json) -> Record {
    let draft: Draft = serde_json::from_value(json).unwrap();
    let context = Context {
        strictness: Strictness::Own,
        author: Some(code(author)),
        now: fixture::at(100),
        foreign_exports: false,
    };
    draft.check(&context).unwrap_or_else(|refused| panic!("{:?}", refused.errors)).record
}

pub(super) fn departure(answers: &str) -> Record {
    let goods = json!([{"line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "net_mass_g": 25_000_000}]);
    record(
        "GE",
        json!({"kind": "departure", "destination": "TR", "answers": answers, "goods": goods,
               "conveyance": {"name": "MV Sample"}}),
    )
}

pub(super) fn grant(author: &str, consignment: &str, compartments: &[&str]) -> Record {
    let json = json!({"kind": "audience-grant", "consignment": consignment, "new_readers": ["W1"], "to": ["MZ"],
                      "compartments": compartments, "reason": "it lies there"});
    record(author, json)
}

pub(super) fn submit(bench: &mut Bench, records: Vec<Record>) -> Vec<Outcome> {
    let mut effects = bench.settle(vec![Input::Submit { id: 9, records }]);
    for _ in 0..40 {
        let answered = effects.iter().find_map(|effect| match effect {
            Effect::Submitted { id: 9, outcomes } => Some(outcomes.clone()),
            _ => None,
        });
        if let Some(outcomes) = answered {
            return outcomes;
        }
        effects = bench.tick(100);
    }
    panic!("no answer")
}

pub(super) fn logged(outcomes: &[Outcome]) -> Vec<RecordId> {
    let id = |outcome: &Outcome| match outcome {
        Outcome::Logged { id, .. } => *id,
        other => panic!("{other:?}"),
    };
    outcomes.iter().map(id).collect()
}

pub(super) fn reader(member: &str) -> Bench {
    Bench::of(member, MemoryStore::default(), true)
}

/// The compartments of a record that a node opens.
pub(super) fn opens(bench: &Bench, record: &str) -> BTreeSet<String> {
    let body = bench.node.view().open(id(record)).unwrap().unwrap_or_default();
    assert_eq!(body.fault, None, "{record}");
    body.content.keys().map(ToString::to_string).collect()
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(ToString::to_string).collect()
}

/// Georgia with a consignment for Türkiye (GE-1, left in GE-3) and another one (GE-2).
fn georgia() -> Bench {
    let mut bench = Bench::ready();
    submit(&mut bench, vec![notification("TR", 1), notification("TR", 2)]);
    assert_eq!(logged(&submit(&mut bench, vec![departure("GE-1")])), [id("GE-3")]);
    bench
}

/// The same, with its consignment granted to W1: its summary and transport.
pub(super) fn granted() -> Bench {
    let mut bench = georgia();
    let outcomes = submit(&mut bench, vec![grant("GE", "GE-1", &["summary", "transport"])]);
    let extent = Extent { readers: vec![code("W1")], records: 2, parts: 1, unread: 0 };
    assert_eq!(outcomes, [Outcome::Logged { id: id("GE-4"), outside: Vec::new(), granted: Some(extent) }]);
    bench
}

#[test]
fn a_new_reader_reads_what_was_granted_and_nothing_else() {
    let mut georgia = georgia();
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    for record in ["GE-1", "GE-2", "GE-3"] {
        assert_eq!(w1.node.view().body(id(record)).unwrap(), None);
    }
    submit(&mut georgia, vec![grant("GE", "GE-1", &["summary", "transport"])]);
    deliver(&mut georgia, &mut w1);
    assert_eq!(opens(&w1, "GE-1"), names(&["summary"]));
    assert_eq!(opens(&w1, "GE-3"), names(&["summary", "transport"]));
    assert!(opens(&w1, "GE-2").is_empty());
    assert_eq!(opens(&w1, "GE-4"), names(&["summary", "trade"]), "the grant itself, without its keys");
    // Whoever else the grant is addressed to learns of it, and reads nothing by it.
    let mut mozambique = reader("MZ");
    deliver(&mut georgia, &mut mozambique);
    assert_eq!(opens(&mozambique, "GE-4"), names(&["summary", "trade"]));
    assert!(mozambique.node.view().grant(id("GE-4")).unwrap().is_none());
    assert!(opens(&mozambique, "GE-1").is_empty() && opens(&mozambique, "GE-3").is_empty());
    assert_eq!(mozambique.node.view().body(id("GE-1")).unwrap(), None);
    // It counts, and is acknowledged once.
    let totals = w1.node.view().totals().unwrap();
    assert_eq!((w1.node.view().scan(&log("GE")).unwrap().mine, totals.sealed, totals.outstanding), (3, 1, 0));
    w1.tick(3_000);
    let acknowledged: Vec<RecordId> = (1..w1.node.store().size(&log("W1")))
        .filter_map(|position| w1.node.view().open(RecordId { log: log("W1"), position }).unwrap())
        .flat_map(|body| record::PartialRecord::from_content(&body.content).declared().acknowledges.clone())
        .collect();
    for record in ["GE-1", "GE-3", "GE-4"] {
        assert_eq!(acknowledged.iter().filter(|of| **of == id(record)).count(), 1, "{record}: {acknowledged:?}");
    }
}

#[test]
fn what_is_logged_after_the_grant_is_not_granted() {
    let mut georgia = georgia();
    submit(&mut georgia, vec![grant("GE", "GE-1", &["summary"]), departure("GE-1")]);
    submit(&mut georgia, vec![departure("GE-1")]);
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    let read: Vec<u64> = (1..georgia.node.store().size(&log("GE")))
        .filter(|position| !opens(&w1, &format!("GE-{position}")).is_empty())
        .collect();
    let kind = |position: &u64| {
        let body = georgia.node.view().open(RecordId { log: log("GE"), position: *position }).unwrap().unwrap();
        record::PartialRecord::from_content(&body.content).kind().cloned()
    };
    let kinds: Vec<_> = read.iter().filter_map(kind).collect();
    let departures = kinds.iter().filter(|kind| **kind == record::Kind::Departure).count();
    assert_eq!((read.len(), departures), (3, 1), "{read:?} {kinds:?}");
}

#[test]
fn a_party_grants_what_it_logged_itself() {
    let (mut georgia, mut turkey) = (georgia(), reader("TR"));
    deliver(&mut georgia, &mut turkey);
    let arrival = json!({"kind": "arrival", "to": ["GE"], "answers": "GE-3", "condition": "1"});
    let arrival = logged(&submit(&mut turkey, vec![record("TR", arrival)]))[0];
    let outcomes = submit(&mut turkey, vec![grant("TR", "GE-1", &["summary", "trade"])]);
    let [Outcome::Logged { granted: Some(extent), .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(extent.records, 1, "the arrival, whose consignment shows by what it answers");
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    deliver(&mut turkey, &mut w1);
    assert_eq!(opens(&w1, &arrival.to_string()), names(&["summary"]));
    assert!(opens(&w1, "GE-1").is_empty(), "what Georgia said is not Türkiye's to grant");
}

#[test]
fn a_grant_of_nothing_or_to_nobody_is_refused() {
    let mut georgia = georgia();
    let nothing =
        |consignment: &str| Outcome::Refused { reason: Refused::NothingToGrant { consignment: id(consignment) } };
    assert_eq!(submit(&mut georgia, vec![grant("GE", "TR-1", &["summary"])]), [nothing("TR-1")]);
    assert_eq!(submit(&mut georgia, vec![grant("GE", "GE-1", &["price"])]), [nothing("GE-1")]);
    let mut to = |members: Json| {
        let json = json!({"kind": "audience-grant", "consignment": "GE-1", "new_readers": members,
                          "compartments": ["summary"], "reason": "help"});
        submit(&mut georgia, vec![record("GE", json)])
    };
    let nobody = |named: &str| Outcome::Refused { reason: Refused::NoNewReader { named: named.to_owned() } };
    assert_eq!(to(json!(["GE", "BR"])), [nobody("BR, GE")]);
    assert!(matches!(&to(json!(["BR", "MZ"]))[..], [Outcome::Logged { outside, .. }] if outside == &["BR"]));
    // All is as before.
    assert_eq!(logged(&submit(&mut georgia, vec![notification("TR", 3)])), [id("GE-5")]);
}

#[test]
fn a_large_grant_is_several_records() {
    let mut georgia = Bench::ready();
    submit(&mut georgia, vec![notification("TR", 1)]);
    let count = limits::GRANT_PART_MAX + limits::GRANT_BATCH;
    let remarks = json!({"kind": "info-response", "destination": "TR", "answers": "GE-1", "responses": ["x"]});
    submit(&mut georgia, (0..count).map(|_| record("GE", remarks.clone())).collect());
    // While it is being gathered, other records are signed, and another grant waits.
    georgia.feed(vec![Input::Submit { id: 8, records: vec![grant("GE", "GE-1", &["summary"])] }]);
    let others = vec![notification("TR", 2), grant("GE", "GE-1", &["price"])];
    let mut effects = georgia.settle(vec![Input::Submit { id: 9, records: others }]);
    (0..40).for_each(|_| effects.extend(georgia.tick(100)));
    let outcomes = |of: u64| {
        let submitted = |effect: &Effect| match effect {
            Effect::Submitted { id, outcomes } if *id == of => Some(outcomes.clone()),
            _ => None,
        };
        effects.iter().find_map(submitted).expect("an answer")
    };
    let next = RecordId { log: log("GE"), position: count as u64 + 2 };
    let [Outcome::Logged { id: first, .. }, Outcome::Refused { reason: Refused::NothingToGrant { .. } }] =
        outcomes(9)[..]
    else {
        panic!("{:?}", outcomes(9))
    };
    assert_eq!(first, next);
    let [Outcome::Logged { granted: Some(extent), .. }] = &outcomes(8)[..] else { panic!("{:?}", outcomes(8)) };
    assert_eq!((extent.records, extent.parts), (count as u64 + 1, 3));
    let mut w1 = reader("W1");
    deliver_told(&mut georgia, &mut w1);
    let view = w1.node.view();
    let opened = |position: &u64| {
        let body = view.open(RecordId { log: log("GE"), position: *position }).unwrap().unwrap_or_default();
        body.content.contains_key(&Compartment::SUMMARY)
    };
    let size = georgia.node.store().size(&log("GE"));
    assert_eq!((0..size).filter(opened).count(), count + 1 + 3);
}

#[test]
fn a_grant_outlasts_restarts_and_lost_marks() {
    let mut georgia = granted();
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    w1.tick(3_000);
    let size = w1.node.store().size(&log("W1"));
    let totals = w1.node.view().totals().unwrap();
    let mut w1 = w1.restarted();
    assert_eq!(opens(&w1, "GE-3"), names(&["summary", "transport"]));
    (0..10).for_each(|_| drop(w1.tick(2_000)));
    // The index is lost: everything is derived again, asked of nobody, and acknowledged no more.
    let mut disk = w1.disk.clone();
    disk.forget_marks();
    let mut w1 = Bench { now: w1.now, ..Bench::of("W1", disk, true) };
    let mut asked = Vec::new();
    for _ in 0..10 {
        let effects = w1.tick(2_000);
        asked.extend(requests(&effects).into_iter().filter(|(_, _, request)| matches!(request, Request::Body { .. })));
    }
    assert!(asked.is_empty());
    assert_eq!(opens(&w1, "GE-1"), names(&["summary"]));
    assert_eq!(w1.node.view().totals().unwrap(), totals);
    assert_eq!(w1.node.store().size(&log("W1")), size);
    // And a lost body comes back by the granted ticket.
    let lost = Key::Compartment(id("GE-3"), 0);
    let mut disk = w1.disk.clone();
    disk.damage(lost);
    let mut w1 = Bench { now: w1.now, ..Bench::of("W1", disk, true) };
    deliver(&mut georgia, &mut w1);
    assert_eq!(opens(&w1, "GE-3"), names(&["summary", "transport"]));
}

#[test]
fn a_granted_reader_exports_evidence_and_no_keys_of_the_grant() {
    let mut georgia = granted();
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    for disclose_keys in [false, true] {
        let options = ExportOptions { disclose_keys, ..ExportOptions::default() };
        let material = w1.node.view().material(id("GE-3")).unwrap();
        let bundle = export(&material, &options).unwrap();
        assert!(verify_under(&bundle, w1.node.federation()).proved);
        for bench in [&w1, &georgia] {
            let material = bench.node.view().material(id("GE-4")).unwrap();
            let shown: Vec<&str> = material.opened.iter().map(|opened| opened.content.compartment()).collect();
            assert_eq!(shown.iter().copied().collect::<BTreeSet<_>>(), ["summary", "trade"].into());
            let secret = georgia.node.view().grant(id("GE-4")).unwrap().unwrap().unwrap();
            let (_, granted) = secret.records().next().unwrap();
            let hex = data_encoding::HEXLOWER.encode(granted.ticket.as_bytes());
            for bytes in export(&material, &options).unwrap().values() {
                assert!(!bytes.windows(32).any(|part| part == granted.ticket.as_bytes()));
                assert!(!bytes.windows(64).any(|part| part == hex.as_bytes()));
            }
        }
    }
}

type Keys = Vec<(CompartmentLabel, ContentKey)>;

/// Georgia logs a grant that says anything.
fn grant_anything(georgia: &mut Bench, entries: Vec<(&str, Ticket, Keys)>) {
    let mut found = Grant::default();
    for (record, ticket, keys) in entries {
        found.insert(id(record), Granted { ticket, keys: keys.into_iter().collect() });
    }
    georgia.node.author.gathering = Some(Gathering::of_anything(grant("GE", "GE-1", &["summary"]), found));
    georgia.tick(10);
}

/// The good ticket and keys of one of Georgia's records.
fn good(georgia: &Bench, record: &str) -> (Ticket, Keys) {
    let view = georgia.node.view();
    let statement = view.statement(id(record)).unwrap().unwrap();
    let lane = view.lane(RecordId { log: log("GE"), position: statement.lanes }).unwrap().unwrap();
    let parts = view.parts(id(record)).unwrap().unwrap();
    let keys = parts.open.iter().map(|(_, head, _, key)| (head.label, key.clone())).collect();
    (lane.ticket(&id(record)), keys)
}

fn not_granted(effects: &[Effect]) -> Vec<(RecordId, String)> {
    let told = |event: Event| match event {
        Event::NotGranted { id, reason } => Some((id, reason)),
        _ => None,
    };
    events(effects).into_iter().filter_map(told).collect()
}

/// As `deliver`, until nothing is asked any more; with everything that the reader does.
fn deliver_told(from: &mut Bench, to: &mut Bench) -> Vec<Effect> {
    let (author, reader) = (from.me.as_str().to_owned(), to.me.as_str().to_owned());
    let (mut effects, mut all) = (to.connect(&author), Vec::new());
    let mut quiet = 0;
    for _ in 0..400 {
        let asked = requests(&effects);
        quiet =
            if asked.iter().any(|(_, _, request)| !matches!(request, Request::Hello { .. })) { 0 } else { quiet + 1 };
        if quiet > 5 {
            break;
        }
        all.append(&mut effects);
        for (_, id, request) in asked {
            let response = from.ask(&reader, &request);
            effects.extend(to.answer(&author, id, &response));
        }
        effects.extend(to.tick(1_000));
    }
    all
}

#[test]
fn what_a_member_cannot_grant_is_refused_and_shown() {
    let (ticket, keys) = good(&georgia(), "GE-1");
    let noise = || Ticket::from_bytes([7; 32]);
    let cases = [
        ("TR-0", ticket.clone(), "it cannot grant TR-0: it is another member's"),
        ("GE-4", ticket.clone(), "it cannot grant GE-4: it is not earlier than the grant"),
        ("GE-999999999", ticket.clone(), "it cannot grant GE-999999999: it is not earlier than the grant"),
        ("GE.2-0", ticket.clone(), "it cannot grant GE.2-0: it is not earlier than the grant"),
        ("GE-0", ticket.clone(), "it cannot grant GE-0: it has no body that counts"),
        ("GE-1", noise(), "it cannot grant GE-1: the ticket is behind none of its tags"),
        ("GE-2", ticket, "it cannot grant GE-2: the ticket is behind none of its tags"),
    ];
    for (record, ticket, why) in cases {
        let mut georgia = georgia();
        grant_anything(&mut georgia, vec![(record, ticket, keys.clone())]);
        let mut w1 = reader("W1");
        let effects = deliver_told(&mut georgia, &mut w1);
        assert_eq!(not_granted(&effects), [(id("GE-4"), why.to_owned())]);
        let asked = requests(&effects).into_iter().filter_map(|(_, _, request)| match request {
            Request::Body { id, .. } => Some(id),
            _ => None,
        });
        assert_eq!(asked.collect::<Vec<_>>(), [id("GE-4")], "{record}: the grant alone is asked for");
        assert_eq!(w1.node.store().marked(&Mark::Granted(id(record))).unwrap(), None);
        assert!(!opens(&w1, "GE-4").is_empty(), "what it says is read all the same");
    }
}

#[test]
fn a_wrong_key_opens_nothing_and_spoils_nothing_else() {
    let mut georgia = georgia();
    let ((ticket, keys), (other_ticket, other_keys)) = (good(&georgia, "GE-1"), good(&georgia, "GE-3"));
    let wrong =
        |keys: &Keys| -> Keys { keys.iter().map(|(label, _)| (*label, ContentKey::from_bytes([9; 32]))).collect() };
    let strange = vec![(CompartmentLabel([1; 16]), ContentKey::from_bytes([9; 32]))];
    // Noise for one record, the keys of another record for the other, and labels that there are not.
    grant_anything(&mut georgia, vec![("GE-1", ticket.clone(), wrong(&keys)), ("GE-3", other_ticket.clone(), strange)]);
    let mut w1 = reader("W1");
    let told = events(&deliver_told(&mut georgia, &mut w1));
    for record in ["GE-1", "GE-3"] {
        let reason = told.iter().find_map(|event| match event {
            Event::NotOpened { id: of, reason } if *of == id(record) => Some(reason),
            _ => None,
        });
        let is_for_nobody = reason.unwrap().contains("none of its compartments");
        assert_eq!(is_for_nobody, record == "GE-3", "a key that does not fit, and none for what there is");
        let body = w1.node.view().open(id(record)).unwrap().unwrap();
        assert!(body.content.is_empty());
        let delivery = w1.node.view().record(id(record)).unwrap().unwrap().delivery;
        assert_eq!(delivery, Some(Delivery::Unreadable));
    }
    assert_eq!(w1.node.view().totals().unwrap().outstanding, 2);
    // A reader by its own lane reads as before, whatever it is granted.
    let mut turkey = reader("TR");
    deliver(&mut georgia, &mut turkey);
    assert!(opens(&turkey, "GE-1").len() > 2);
    // A good grant makes it good.
    grant_anything(&mut georgia, vec![("GE-1", ticket, keys), ("GE-3", other_ticket, other_keys)]);
    deliver(&mut georgia, &mut w1);
    let all = |bench: &Bench, record: &str| bench.node.view().open(id(record)).unwrap().unwrap().content;
    for record in ["GE-1", "GE-3"] {
        assert_eq!(all(&w1, record), all(&georgia, record));
    }
    assert_eq!(w1.node.view().totals().unwrap().outstanding, 0);
}

#[test]
fn many_large_grants_of_withheld_bodies_cost_bounded_memory() {
    let mut georgia = Bench::ready();
    let lines: Vec<Record> = (0..1_000).map(|number| notification("TR", number)).collect();
    submit(&mut georgia, lines);
    let tickets: Vec<(String, Ticket)> = (1..=1_000)
        .map(|position| {
            let record = format!("GE-{position}");
            let ticket = good(&georgia, &record).0;
            (record, ticket)
        })
        .collect();
    let key = || vec![(CompartmentLabel([1; 16]), ContentKey::from_bytes([9; 32]))];
    for _ in 0..8 {
        let entries = tickets.iter().map(|(record, ticket)| (record.as_str(), ticket.clone(), key())).collect();
        grant_anything(&mut georgia, entries);
    }
    let mut w1 = reader("W1");
    let mut effects = w1.connect("GE");
    let mut most = 0;
    for _ in 0..60 {
        let asked = requests(&effects);
        effects = Vec::new();
        for (_, id, request) in asked {
            // The bodies of the grants are given, and no other.
            let response = match &request {
                Request::Body { id, .. } if id.position <= 1_000 => Response::Nothing,
                _ => georgia.ask("W1", &request),
            };
            effects.extend(w1.answer("GE", id, &response));
        }
        effects.extend(w1.tick(1_000));
        most = most.max(w1.node.status().bodies_wanted);
    }
    assert!((1_000..=limits::WANTED_PER_LOG_MAX + 1_024).contains(&most), "{most}");
    let mark = w1.node.store().marked(&Mark::Granted(id("GE-1"))).unwrap().unwrap();
    assert!(super::super::grant::grants_of_mark(&mark).len() <= limits::GRANTS_PER_RECORD_MAX);
}

/// What happens to a reader next.
#[derive(Clone, Debug)]
enum Happening {
    /// The question in this place is answered.
    Answered(usize),
    /// It comes to nothing.
    Failed(usize),
    /// A body is pushed.
    Pushed(u64),
    Tick,
    Restart,
    LosesMarks,
}

fn any_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => any::<usize>().prop_map(Happening::Answered),
        1 => any::<usize>().prop_map(Happening::Failed),
        1 => (1_u64..7).prop_map(Happening::Pushed),
        2 => Just(Happening::Tick),
        1 => Just(Happening::Restart),
        1 => Just(Happening::LosesMarks),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Two grants, the second of more than the first, and garbage between them.
    #[test]
    fn any_order_of_arrival_opens_the_same(happenings in prop::collection::vec(any_happening(), 0..60)) {
        let mut georgia = granted();
        let ticket = good(&georgia, "GE-1").0;
        let garbage = vec![(CompartmentLabel([1; 16]), ContentKey::from_bytes([9; 32]))];
        grant_anything(&mut georgia, vec![("GE-1", ticket, garbage)]);
        submit(&mut georgia, vec![grant("GE", "GE-1", &["summary", "trade"])]);
        let mut w1 = reader("W1");
        let mut open = requests(&w1.connect("GE"));
        for happening in happenings {
            let effects = match happening {
                Happening::Answered(at) | Happening::Failed(at) if open.is_empty() => { let _ = at; Vec::new() }
                Happening::Answered(at) => {
                    let (_, id, request) = open.remove(at % open.len());
                    let response = georgia.ask("W1", &request);
                    w1.answer("GE", id, &response)
                }
                Happening::Failed(at) => {
                    let (_, id, _) = open.remove(at % open.len());
                    w1.settle(vec![Input::Failed { id }])
                }
                Happening::Pushed(position) => {
                    let record = RecordId { log: log("GE"), position };
                    let body = georgia.node.view().body(record).unwrap();
                    body.map_or_else(Vec::new, |body| w1.ask_all("GE", &Request::Push { id: record, body }).1)
                }
                Happening::Tick => w1.tick(1_000),
                Happening::Restart => {
                    open.clear();
                    w1 = w1.restarted();
                    w1.connect("GE")
                }
                Happening::LosesMarks => {
                    open.clear();
                    let mut disk = w1.disk.clone();
                    disk.forget_marks();
                    w1 = Bench { now: w1.now, ..Bench::of("W1", disk, true) };
                    w1.connect("GE")
                }
            };
            open.extend(requests(&effects));
        }
        let mut w1 = w1.restarted();
        deliver(&mut georgia, &mut w1);
        deliver(&mut georgia, &mut w1);
        prop_assert_eq!(opens(&w1, "GE-1"), names(&["summary", "trade"]));
        prop_assert_eq!(opens(&w1, "GE-3"), names(&["summary", "trade", "transport"]));
        prop_assert!(opens(&w1, "GE-2").is_empty());
        prop_assert_eq!(w1.node.view().scan(&log("GE")).unwrap().mine, 5);
        let totals = w1.node.view().totals().unwrap();
        prop_assert_eq!((totals.sealed, totals.outstanding), (1, 0));
    }
}

#[test]
fn a_grant_that_names_any_record_of_a_consignment_covers_it_and_says_what_could_not_be_read() {
    let mut georgia = georgia();
    let outcomes = submit(&mut georgia, vec![grant("GE", "GE-3", &["summary"])]);
    let [Outcome::Logged { granted: Some(extent), .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((extent.records, extent.unread), (2, 0));
    // The body of another record is lost, and nobody is in reach to give it back.
    georgia.disk.damage(Key::Head(id("GE-2")));
    let mut georgia = Bench { now: georgia.now, ..Bench::of("GE", georgia.disk.clone(), true) };
    (0..3).for_each(|_| drop(georgia.tick(3_000)));
    let outcomes = submit(&mut georgia, vec![grant("GE", "GE-1", &["summary"])]);
    let [Outcome::Logged { granted: Some(extent), .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((extent.records, extent.unread), (2, 1));
}

#[test]
fn a_grant_covers_what_was_handed_in_before_it_with_the_same_submission() {
    let mut georgia = georgia();
    let outcomes = submit(&mut georgia, vec![departure("GE-1"), grant("GE", "GE-1", &["summary"])]);
    let [Outcome::Logged { .. }, Outcome::Logged { granted: Some(extent), .. }] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(extent.records, 3);
}

#[test]
fn for_a_grant_of_anothers_consignment_ones_log_is_read_from_about_its_day_on() {
    let (mut georgia, mut turkey) = (Bench::ready(), reader("TR"));
    for number in 0..6 {
        georgia.now += limits::DAY_MS;
        submit(&mut georgia, vec![notification("MZ", number)]);
    }
    turkey.now = georgia.now;
    turkey.tick(0);
    turkey.tick(3_000);
    let of_turkey = |to: &str, number| record::fixture::notification_from(code("TR"), to, number, fixture::at(100));
    submit(&mut turkey, (0..30).map(|number| of_turkey("MZ", number)).collect());
    let consignment = logged(&submit(&mut turkey, vec![of_turkey("GE", 30)]))[0].to_string();
    deliver(&mut turkey, &mut georgia);
    let arrival = json!({"kind": "arrival", "to": ["TR"], "answers": consignment, "condition": "1"});
    submit(&mut georgia, vec![record("GE", arrival)]);
    // Of what was logged days before, what the disk has lost is not looked for; of what may belong to it, it is told.
    let mut extent = |lost: Key| {
        georgia.node.store_mut().damage(lost);
        let outcomes = submit(&mut georgia, vec![grant("GE", &consignment, &["summary"])]);
        let [Outcome::Logged { granted: Some(extent), .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
        (extent.records, extent.unread)
    };
    assert_eq!(extent(Key::Statement(id("GE-2"))), (1, 0));
    assert_eq!(extent(Key::Statement(id("GE-6"))), (1, 1));
    assert_eq!(extent(Key::Statement(id("GE-7"))), (1, 2));
}

#[test]
fn a_record_of_ones_own_that_does_not_open_any_more_is_named_by_a_grant() {
    let mut georgia = georgia();
    for index in 0..3 {
        let key = Key::Compartment(id("GE-2"), index);
        let mut frame = georgia.node.store().get(&key).unwrap().expect("a compartment");
        frame.bytes[40] ^= 1;
        georgia.node.store_mut().stage(crate::ledger::Frame { key, ..frame }).unwrap();
    }
    let outcomes = submit(&mut georgia, vec![grant("GE", "GE-1", &["summary"])]);
    let [Outcome::Logged { granted: Some(extent), .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((extent.records, extent.unread), (2, 1));
}

#[test]
fn what_was_granted_is_found_again_when_its_log_is_searched_once_more_and_nothing_else_is() {
    let mut georgia = granted();
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    submit(&mut georgia, vec![notification("TR", 3)]);
    let effects = deliver_told(&mut georgia, &mut w1);
    let is_body = |request: &Request| matches!(request, Request::Body { .. });
    assert!(!requests(&effects).iter().any(|(_, _, request)| is_body(request)), "that is for Türkiye alone");
    let scan = |bench: &Bench| bench.node.view().scan(&log("GE")).unwrap();
    let before = scan(&w1);
    assert_eq!(before.mine, 3);
    let mut disk = w1.disk.clone();
    disk.mark(Mark::Scanned(log("GE")), None).unwrap();
    let mut again = Bench { now: w1.now, ..Bench::of("W1", disk, true) };
    assert_ne!(scan(&again), before);
    (0..4).for_each(|_| drop(again.tick(2_000)));
    assert_eq!(scan(&again), before);
}

#[test]
fn a_granted_record_that_was_not_searched_yet_is_counted_once() {
    let mut georgia = granted();
    let mut w1 = reader("W1");
    deliver(&mut georgia, &mut w1);
    // The search stands at the first of two records when the grant is taken up.
    let scan = |bench: &Bench| bench.node.logs[&log("GE")].scan;
    let before = scan(&w1);
    let at_the_first = crate::protocol::state::ScanState { done: 1, bodiless: 1, mine: 0 };
    w1.node.logs.get_mut(&log("GE")).unwrap().scan = at_the_first;
    for record in ["GE-1", "GE-3"] {
        w1.node.store_mut().mark(Mark::Granted(id(record)), None).unwrap();
    }
    w1.node.inbox.grants.insert(id("GE-4"), false);
    let random = crate::encoding::random::Randomness::new([1; 32]);
    w1.node.take_up_grant(&crate::protocol::Turn { now: Now(w1.now), random }).unwrap();
    assert_eq!(scan(&w1), at_the_first);
    w1.tick(1_000);
    assert_eq!(scan(&w1), before);
}
