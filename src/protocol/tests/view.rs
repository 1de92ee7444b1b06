//! What is shown of logs, records and totals, against what was received.

use super::inbox::deliver;
use super::*;
use crate::ledger::{Key, Mark};
use crate::protocol::Delivery;

/// A member's receipt-form cosignature of a log.
fn receipt(by: &str, of: &Owner, size: usize) -> SignedRoot {
    let key = fixture::key(by, "witness");
    let root = Root {
        claim: Claim::Cosignature { log: of.log, size: size as u64 },
        root: of.root(size, 2).root,
        by: code(by),
        kid: key.public().kid(),
        issued_at: fixture::at(5),
        federation: federation().id(),
    };
    root.signed(key.sign(&root.to_be_signed()))
}

fn frontier(logs: &[(&Owner, usize)]) -> Sizes {
    logs.iter().map(|(owner, size)| (owner.log, (*size as u64, owner.root(*size, 2).root))).collect()
}

/// Georgia holds three statements of Türkiye and two of Mozambique. W1 and Georgia cosigned all of it, Mozambique all but one.
fn cosigned() -> (Bench, Owner, Owner) {
    let mut bench = Bench::new();
    let (turkey, mozambique) = (Owner::with("TR", 3, 1), Owner::with("MZ", 2, 1));
    bench.gossip("TR", turkey.news(0));
    bench.gossip("MZ", mozambique.news(0));
    bench.gossip("W1", Owner::cosigned("W1", &frontier(&[(&turkey, 3), (&mozambique, 2)]), 3));
    bench.gossip("MZ", Owner::cosigned("MZ", &frontier(&[(&turkey, 2), (&mozambique, 2)]), 4));
    bench.tick(2_000);
    (bench, turkey, mozambique)
}

#[test]
fn a_log_is_shown_with_what_its_owner_and_others_signed_of_it() {
    let (mut bench, turkey, mozambique) = cosigned();
    bench.connect("W1");
    let effects = bench.settle(vec![Input::CollectReceipts]);
    let asked = |log| {
        let wanted = |request: &Request| matches!(request, Request::Cosign { log: of, .. } if *of == log);
        requests(&effects).into_iter().find(|(_, _, request)| wanted(request)).unwrap()
    };
    let (to, id, request) = asked(turkey.log);
    assert_eq!((to, request), (code("W1"), Request::Cosign { log: turkey.log, size: 3 }));
    bench.answer("W1", id, &Response::Cosignature(receipt("W1", &turkey, 3)));
    let view = bench.node.view();
    let logs = view.logs().unwrap();
    let shown = |log: LogId| logs.iter().find(|shown| shown.log == log).unwrap();
    let of_turkey = shown(turkey.log);
    assert_eq!((of_turkey.size, of_turkey.audited, of_turkey.fork), (3, 3, None));
    assert_eq!(of_turkey.root, turkey.root(3, 2).root);
    assert_eq!(of_turkey.checkpoint, Some((3, fixture::at(2))));
    assert_eq!(of_turkey.cosigned_by, [code("GE"), code("W1")]);
    assert_eq!(of_turkey.receipts, [(code("W1"), 3)]);
    let of_mozambique = shown(mozambique.log);
    assert_eq!((of_mozambique.size, of_mozambique.checkpoint), (2, Some((2, fixture::at(2)))));
    assert_eq!(of_mozambique.cosigned_by, [code("GE"), code("MZ"), code("W1")]);
    assert_eq!(of_mozambique.receipts, []);
    assert_eq!(view.receipts(turkey.log).unwrap(), [receipt("W1", &turkey, 3)]);
    assert_eq!(view.receipts(mozambique.log).unwrap(), []);
    assert_eq!(view.me().member, code("GE"));
    assert_eq!(view.federation().digest(), federation().digest());
}

#[test]
fn who_holds_a_record_is_told_by_the_newest_cosignatures() {
    let (bench, ..) = cosigned();
    let held_by = |record: &str| bench.node.view().held_by(id(record)).unwrap();
    let members = |record: &str| held_by(record).into_iter().map(|(member, _)| member).collect::<Vec<_>>();
    assert_eq!(members("TR-1"), ["GE", "MZ", "W1"].map(code));
    assert_eq!(members("TR-2"), ["GE", "W1"].map(code), "Mozambique cosigned the first two");
    assert_eq!(members("TR-3"), []);
    assert_eq!(members("FR-0"), []);
    assert!(held_by("TR-1").contains(&(code("MZ"), fixture::at(4))));
}

#[test]
fn a_log_with_two_histories_is_shown_and_not_vouched_for() {
    let (mut bench, turkey, mozambique) = cosigned();
    let of = |bench: &Bench| bench.node.view().frontier().unwrap();
    assert_eq!(of(&bench).get(&turkey.log), Some((3, turkey.root(3, 2).root)));
    bench.gossip("W1", Owner::with("TR", 2, 2).news(0));
    let logs = bench.node.view().logs().unwrap();
    let fork = |log: LogId| logs.iter().find(|shown| shown.log == log).unwrap().fork;
    assert_eq!((fork(turkey.log), fork(mozambique.log)), (Some(2), None));
    assert_eq!(of(&bench).get(&turkey.log), None);
    assert_eq!(of(&bench).get(&mozambique.log), Some((2, mozambique.root(2, 2).root)));
}

#[test]
fn a_statement_is_proved_at_every_size_that_holds_it() {
    let (bench, turkey, _) = cosigned();
    let view = bench.node.view();
    for size in 1..=3 {
        for position in 0..size {
            let path = view.inclusion(RecordId { log: turkey.log, position }, size).unwrap().unwrap();
            let leaf = merkle::leaf_hash(&turkey.statements[position as usize]);
            let root = turkey.root(size as usize, 2).root;
            assert!(merkle::verify_inclusion(&leaf, position, size, &path, &root), "{position} of {size}");
        }
        assert_eq!(view.inclusion(RecordId { log: turkey.log, position: size }, size).unwrap(), None);
    }
    assert_eq!(view.inclusion(id("TR-0"), 4).unwrap(), None, "no more than three are held");
}

#[test]
fn statements_without_effect_are_counted_log_by_log() {
    let mut bench = Bench::new();
    let mut turkey = Owner::with("TR", 1, 1);
    // More than are counted at a time, and none of them can be read.
    turkey.statements.extend((0..1_500_u16).map(|number| number.to_be_bytes().to_vec()));
    bench.gossip("TR", turkey.news(0));
    let mut mozambique = Owner::with("MZ", 2, 1);
    mozambique.statements.push(vec![1]);
    bench.gossip("MZ", mozambique.news(0));
    let view = bench.node.view();
    assert_eq!(view.flagged(Some(log("TR"))).unwrap(), 1_500);
    assert_eq!(view.flagged(Some(log("MZ"))).unwrap(), 1);
    assert_eq!(view.flagged(Some(log("W1"))).unwrap(), 0);
    assert_eq!(view.flagged(None).unwrap(), 1_501);
    assert_eq!(view.totals().unwrap().flagged, 1_501);
}

#[test]
fn a_record_is_shown_as_far_as_it_has_come() {
    let mut georgia = Bench::ready();
    let records = vec![notification("TR", 1), notification("TR", 2), notification("MZ", 3)];
    georgia.settle(vec![Input::Submit { id: 1, records }]);
    let mut turkey = Bench::of("TR", MemoryStore::default(), true);
    // Everything is answered but the second record's body.
    let mut effects = turkey.connect("GE");
    for _ in 0..6 {
        let asked = requests(&effects);
        effects = Vec::new();
        for (_, number, request) in asked {
            let withheld = matches!(&request, Request::Body { id: record, .. } if *record == id("GE-2"));
            let response = if withheld { Response::Nothing } else { georgia.ask("TR", &request) };
            effects.extend(turkey.answer("GE", number, &response));
        }
    }
    let shown = |record: &str| turkey.node.view().record(id(record)).unwrap().unwrap();
    let (lanes, first, second, other) = (shown("GE-0"), shown("GE-1"), shown("GE-2"), shown("GE-3"));
    assert!(lanes.is_lanes() && !first.is_lanes());
    for record in [&lanes, &first, &second, &other] {
        assert_eq!((record.audited, &record.flaw), (true, &None));
        assert_eq!(record.received_at, Now(turkey.now).time());
    }
    assert_eq!([lanes.delivery, other.delivery], [None, None]);
    assert_eq!((first.delivery, second.delivery), (Some(Delivery::Opened), Some(Delivery::Wanted)));
    assert_eq!(&first.body.content, notification("TR", 1).content());
    assert!(first.body.head.is_some() && first.body.fault.is_none());
    assert!(second.body.head.is_none() && second.body.content.is_empty());
    assert!(turkey.node.view().record(id("GE-4")).unwrap().is_none());
    let totals = turkey.node.view().totals().unwrap();
    assert_eq!((totals.opened, totals.outstanding, totals.sealed, totals.verified), (1, 1, 1, 4));
    // The author itself reads all three.
    let own = georgia.node.view();
    for number in 1..=3 {
        assert!(!own.open(RecordId { log: log("GE"), position: number }).unwrap().unwrap().content.is_empty());
    }
    assert_eq!((own.totals().unwrap().opened, own.totals().unwrap().sealed), (3, 0));
}

#[test]
fn a_statement_whose_signature_was_not_checked_yet_is_shown_as_that() {
    let mut bench = Bench::new();
    let news = Owner::with("TR", 2, 1).news(0);
    bench.feed(vec![Input::Gossip { from: code("TR"), id: 77, bytes: news.clone() }]);
    assert!(!bench.node.view().record(id("TR-0")).unwrap().unwrap().audited);
    let mut bench = Bench::new();
    bench.gossip("TR", news);
    assert!(bench.node.view().record(id("TR-1")).unwrap().unwrap().audited);
}

/// Georgia, and Türkiye that has fetched the one record of it.
fn delivered() -> (Bench, Bench) {
    let (mut georgia, mut turkey) = (Bench::ready(), Bench::of("TR", MemoryStore::default(), true));
    georgia.settle(vec![Input::Submit { id: 1, records: vec![notification("TR", 1)] }]);
    deliver(&mut georgia, &mut turkey);
    (georgia, turkey)
}

#[test]
fn a_body_that_does_not_open_is_outstanding_and_says_why() {
    let (_, mut turkey) = delivered();
    assert_eq!(turkey.node.view().totals().unwrap().outstanding, 0);
    // One that was fetched and found to be unreadable.
    turkey.node.store_mut().mark(Mark::Inbox(id("GE-1")), Some(Delivery::Unreadable.to_bytes())).unwrap();
    assert_eq!(turkey.node.view().totals().unwrap().outstanding, 1);
    // One of which a part is not held is not opened.
    let mut parts = turkey.node.store().clone();
    parts.damage(Key::Compartment(id("GE-1"), 1));
    let without = Bench::of("TR", parts, true);
    assert_eq!(without.node.view().body(id("GE-1")).unwrap(), None);
    assert!(without.node.view().open(id("GE-1")).unwrap().is_none());
}

#[test]
fn what_was_signed_twice_is_listed_with_its_proof() {
    let (mut bench, turkey, _) = cosigned();
    assert_eq!(bench.node.view().equivocations().unwrap(), []);
    bench.gossip("W1", Owner::with("TR", 2, 2).news(0));
    let found = bench.node.view().equivocations().unwrap();
    let [kept] = &found[..] else { panic!("{found:?}") };
    assert_eq!(kept.proof.proves(&federation()).as_ref(), Some(&kept.what));
    assert_eq!(kept.since.seconds(), bench.now / 1000);
    assert!(format!("{:?}", kept.what).contains(&format!("{:?}", turkey.log.member)), "{:?}", kept.what);
}

#[test]
fn evidence_about_lanes_has_what_their_statement_signs() {
    let (georgia, turkey) = delivered();
    let signed = turkey.node.view().statement(id("GE-0")).unwrap().unwrap().digest;
    for bench in [&georgia, &turkey] {
        let head = bench.node.view().material(id("GE-0")).unwrap().head.expect("it is held");
        assert_eq!(crate::encoding::hash::sha256(&head), signed, "{}", bench.me);
    }
}
