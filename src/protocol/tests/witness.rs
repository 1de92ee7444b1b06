//! Cosignatures: when they are made, what of others' is taken, and what of it is kept.

use super::*;
use crate::ledger::Key;
use crate::protocol::limits;

/// A member's receipt-form cosignature of a log, over a root.
fn receipt(by: &str, log: LogId, size: u64, root: Digest) -> SignedRoot {
    let key = fixture::key(by, "witness");
    let root = Root {
        claim: Claim::Cosignature { log, size },
        root,
        by: code(by),
        kid: key.public().kid(),
        issued_at: fixture::at(5),
        federation: federation().id(),
    };
    root.signed(key.sign(&root.to_be_signed()))
}

fn refusals(effects: &[Effect]) -> Vec<crate::protocol::Refusal> {
    let refusal = |event| match event {
        Event::Refused { refusal, .. } => Some(refusal),
        _ => None,
    };
    events(effects).into_iter().filter_map(refusal).collect()
}

/// The cosignatures that are gossiped, with the sizes that changed.
fn cosigned(effects: &[Effect]) -> Vec<(SignedRoot, Vec<(LogId, u64)>)> {
    let cosignature = |gossip| match gossip {
        Gossip::Cosigned { cosignature, changed } => {
            Some((cosignature, changed.iter().map(|entry| (entry.log, entry.size)).collect()))
        }
        _ => None,
    };
    gossiped(effects).into_iter().filter_map(cosignature).collect()
}

/// Who is asked for the list behind the cosignature of W1.
fn asks_for_list(effects: &[Effect]) -> Vec<(MemberCode, u64)> {
    let wanted = Request::Frontier { of: code("W1") };
    requests(effects).into_iter().filter(|(_, _, request)| *request == wanted).map(|(to, id, _)| (to, id)).collect()
}

#[test]
fn a_receipt_is_kept_if_it_is_for_what_is_held_and_from_whom_it_was_asked() {
    use crate::protocol::Refusal;
    let owner = Owner::with("TR", 4, 1);
    let mut bench = Bench::new();
    bench.connect("W1");
    assert_eq!(requests(&bench.settle(vec![Input::CollectReceipts])), [], "there is nothing to ask about");
    bench.gossip("TR", owner.news(0));
    let asked = |bench: &mut Bench| {
        let [(to, id, request)] = &requests(&bench.settle(vec![Input::CollectReceipts]))[..] else { panic!("one") };
        assert_eq!((*to, request), (code("W1"), &Request::Cosign { log: log("TR"), size: 4 }));
        *id
    };
    let root = |size: usize| owner.root(size, 2).root;
    let wrong = [
        (receipt("W1", log("MZ"), 4, root(4)), Refusal::Unasked),
        (receipt("MZ", log("TR"), 4, root(4)), Refusal::Unasked),
        (receipt("W1", log("TR"), 4, root(3)), Refusal::Unproved),
        (receipt("W1", log("TR"), 5, root(4)), Refusal::Unproved),
        (receipt("W1", log("TR"), 0, merkle::empty_root()), Refusal::Unproved),
        (owner.checkpoint(4), Refusal::Form),
    ];
    for (cosignature, refusal) in wrong {
        let id = asked(&mut bench);
        let effects = bench.answer("W1", id, &Response::Cosignature(cosignature));
        assert_eq!(refusals(&effects), [refusal]);
        assert_eq!(bench.node.view().receipts(log("TR")).unwrap(), []);
    }
    // The one over most is kept, in whatever order they come.
    for (size, kept) in [(2, 2), (4, 4), (3, 4)] {
        let id = asked(&mut bench);
        bench.answer("W1", id, &Response::Cosignature(receipt("W1", log("TR"), size, root(size as usize))));
        let held = receipt("W1", log("TR"), kept, root(kept as usize));
        assert_eq!(bench.node.view().receipts(log("TR")).unwrap(), [held]);
    }
    let key = Key::Cosignature(log("TR"), code("W1"));
    assert!(bench.disk.get(&key).unwrap().is_some(), "and is on the disk");
}

#[test]
fn a_frontier_is_cosigned_when_it_changed_and_an_interval_after_the_last() {
    let mut bench = Bench::new();
    assert_eq!(cosigned(&bench.tick(0)), [], "there is nothing to vouch for");
    let (turkey, mozambique) = (Owner::with("TR", 2, 1), Owner::with("MZ", 1, 1));
    let (_, effects) = bench.gossip("TR", turkey.news(0));
    let [(first, changed)] = &cosigned(&effects)[..] else { panic!("at once") };
    assert_eq!(changed, &[(log("TR"), 2)]);
    let root = first.verify(bench.node.federation()).unwrap();
    assert_eq!((root.by, root.claim), (code("GE"), Claim::Frontier { logs: 1 }));
    bench.gossip("MZ", mozambique.news(0));
    assert_eq!(cosigned(&bench.tick(999)), [], "the interval is a second");
    let [(second, changed)] = &cosigned(&bench.tick(1))[..] else { panic!("when it has passed") };
    assert_eq!(changed, &[(log("MZ"), 1)], "what is known already is not said again");
    assert_eq!(cosigned(&bench.tick(1_500)), [], "nothing changed");
    // A clock that was set back holds nothing up, and the newest is not dated before the last.
    bench.now -= 600_000;
    let (_, effects) = bench.gossip("TR", Owner::with("TR", 3, 1).news(2));
    let [(third, _)] = &cosigned(&effects)[..] else { panic!("at once") };
    let issued_at = |signed: &SignedRoot| signed.claim().unwrap().issued_at;
    assert_eq!(issued_at(third), issued_at(second));
    // Whoever asks gets the whole list.
    let Response::Frontier { cosignature, entries } = bench.ask("W1", &Request::Frontier { of: code("GE") }) else {
        panic!("a list")
    };
    assert_eq!(&cosignature, third);
    assert_eq!(
        entries.iter().map(|entry| (entry.log, entry.size)).collect::<Vec<_>>(),
        [(log("MZ"), 1), (log("TR"), 3)]
    );
}

#[test]
fn a_date_far_ahead_that_nobody_took_does_not_bind_the_next() {
    let mut bench = Bench::new();
    bench.now += 86_400_000;
    bench.gossip("TR", Owner::with("TR", 1, 1).news(0));
    bench.now -= 86_400_000;
    let (_, effects) = bench.gossip("TR", Owner::with("TR", 2, 1).news(0));
    let [(cosignature, _)] = &cosigned(&effects)[..] else { panic!("one") };
    assert_eq!(cosignature.claim().unwrap().issued_at, Now(bench.now).time());
}

#[test]
fn two_questions_for_one_cosignature_are_answered_by_one_signature() {
    let mut bench = Bench::new();
    bench.gossip("TR", Owner::with("TR", 3, 1).news(0));
    let question = |id, from: &str| {
        let bytes = Request::Cosign { log: log("TR"), size: 3 }.encode();
        Input::Request { from: code(from), id, bytes }
    };
    let effects = bench.settle(vec![question(501, "MZ"), question(502, "W1")]);
    let answers: Vec<(u64, Response)> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Respond { id, bytes } => Some((*id, Response::decode(bytes).unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [501, 502]);
    assert_eq!(answers[0].1, answers[1].1);
    assert!(matches!(answers[0].1, Response::Cosignature(_)));
    // Of a log with two histories nobody gets one.
    bench.gossip("MZ", Owner::with("TR", 2, 2).news(0));
    assert_eq!(bench.ask("W1", &Request::Cosign { log: log("TR"), size: 3 }), Response::Nothing);
}

#[test]
fn a_minute_later_more_cosignatures_of_a_log_are_made() {
    let mut bench = Bench::new();
    let made = |size, bench: &mut Bench| {
        bench.gossip("TR", Owner::with("TR", size, 1).news(0));
        matches!(bench.ask("MZ", &Request::Cosign { log: log("TR"), size }), Response::Cosignature(_))
    };
    for size in 1..=u64::from(limits::COSIGN_PER_MINUTE) {
        assert!(made(size, &mut bench));
    }
    bench.now += 59_999;
    assert!(!made(20, &mut bench));
    bench.now += 1;
    assert!(made(20, &mut bench));
}

#[test]
fn a_cosignature_whose_list_does_not_fit_is_asked_for_whole() {
    let (one, two) = ((log("TR"), (3, Digest([1; 32]))), (log("MZ"), (2, Digest([2; 32]))));
    let (all, part) = (BTreeMap::from([one, two]), BTreeMap::from([two]));
    let mut bench = Bench::new();
    let (_, effects) = bench.gossip("TR", Owner::cosigned_since("W1", &all, &part, 3));
    assert_eq!(asks_for_list(&effects), [], "neither its author nor who handed it on is in reach");
    bench.connect("W1");
    let (verdict, effects) = bench.gossip("W1", Owner::cosigned_since("W1", &all, &part, 4));
    let [(to, id)] = asks_for_list(&effects)[..] else { panic!("the list is asked for") };
    assert_eq!((verdict, to), (Verdict::Accept, code("W1")));
    let (_, effects) = bench.gossip("W1", Owner::cosigned_since("W1", &all, &part, 5));
    assert_eq!(asks_for_list(&effects), [], "it is asked for already");
    let list = |sizes: &Sizes| {
        let Gossip::Cosigned { cosignature, changed } =
            Gossip::decode(&Owner::cosigned_since("W1", &all, sizes, 6)).unwrap()
        else {
            panic!("a cosignature")
        };
        Response::Frontier { cosignature, entries: changed }
    };
    assert_eq!(refusals(&bench.answer("W1", id, &list(&part))), [crate::protocol::Refusal::Unproved]);
    assert!(bench.node.peers.entry(code("W1")).cosignature.is_none());
    let (_, effects) = bench.gossip("W1", Owner::cosigned_since("W1", &all, &part, 7));
    let [(_, id)] = asks_for_list(&effects)[..] else { panic!("it is asked for again") };
    assert_eq!(refusals(&bench.answer("W1", id, &list(&all))), []);
    assert_eq!(bench.node.peers.entry(code("W1")).frontier.get(&log("TR")), Some((3, Digest([1; 32]))));
    // From now on what changed is enough.
    let more = BTreeMap::from([one, (log("MZ"), (4, Digest([3; 32])))]);
    let changed = BTreeMap::from([(log("MZ"), (4, Digest([3; 32])))]);
    let (_, effects) = bench.gossip("TR", Owner::cosigned_since("W1", &more, &changed, 8));
    assert_eq!(asks_for_list(&effects), []);
    assert_eq!(bench.node.peers.entry(code("W1")).frontier.get(&log("MZ")), Some((4, Digest([3; 32]))));
}

#[test]
fn a_list_whose_author_is_out_of_reach_is_asked_of_who_handed_it_on() {
    let (one, two) = ((log("TR"), (3, Digest([1; 32]))), (log("MZ"), (2, Digest([2; 32]))));
    let (all, part) = (BTreeMap::from([one, two]), BTreeMap::from([two]));
    let mut bench = Bench::new();
    bench.connect("MZ");
    let answer = |by: &str| {
        let bytes = Owner::cosigned_since(by, &all, &all, 6);
        let Ok(Gossip::Cosigned { cosignature, changed }) = Gossip::decode(&bytes) else { panic!("a cosignature") };
        Response::Frontier { cosignature, entries: changed }
    };
    let (_, effects) = bench.gossip("MZ", Owner::cosigned_since("W1", &all, &part, 4));
    let [(to, id)] = asks_for_list(&effects)[..] else { panic!("the list is asked for") };
    assert_eq!(to, code("MZ"));
    assert_eq!(refusals(&bench.answer("MZ", id, &answer("TR"))), [crate::protocol::Refusal::Unasked], "another's");
    let (_, effects) = bench.gossip("MZ", Owner::cosigned_since("W1", &all, &part, 5));
    let [(_, id)] = asks_for_list(&effects)[..] else { panic!("it is asked for again") };
    assert_eq!(refusals(&bench.answer("MZ", id, &answer("W1"))), []);
    assert_eq!(bench.node.peers.entry(code("W1")).frontier.get(&log("TR")), Some((3, Digest([1; 32]))));
    // And so it is handed on.
    assert_eq!(bench.ask("TR", &Request::Frontier { of: code("W1") }), answer("W1"));
    assert_eq!(bench.ask("TR", &Request::Frontier { of: code("MZ") }), Response::Nothing);
}

#[test]
fn the_newest_cosignature_counts_and_none_from_the_future() {
    let at = |size: u64| BTreeMap::from([(log("TR"), (size, Digest([size as u8; 32])))]);
    let mut bench = Bench::new();
    let held = |bench: &mut Bench| bench.node.peers.entry(code("W1")).frontier.get(&log("TR")).map(|(size, _)| size);
    let now = 100;
    for (size, seconds, verdict, expected) in [
        (5, now, Verdict::Accept, 5),
        (4, now - 1, Verdict::Accept, 5),
        (6, now, Verdict::Accept, 6),
        (7, now + limits::CLOCK_AHEAD_S + 1, Verdict::Ignore, 6),
        (8, now + limits::CLOCK_AHEAD_S, Verdict::Accept, 8),
    ] {
        assert_eq!(bench.gossip("TR", Owner::cosigned("W1", &at(size), seconds)).0, verdict, "{size}");
        assert_eq!(held(&mut bench), Some(expected));
    }
    // One's own, come back from others, is nothing that a peer said.
    bench.gossip("TR", Owner::cosigned("GE", &at(9), 99));
    assert!(bench.node.peers.entry(code("GE")).cosignature.is_none());
}

#[test]
fn others_cosignatures_are_written_now_and_then_and_the_newest_in_the_end() {
    let at = |size: u64| BTreeMap::from([(log("TR"), (size, Digest([size as u8; 32])))]);
    let mut bench = Bench::new();
    let on_disk = |bench: &Bench| {
        let node = Bench::of("GE", bench.disk.clone(), true);
        let cosignatures = node.node.view().cosignatures().unwrap();
        cosignatures
            .iter()
            .find(|(member, ..)| *member == code("W1"))
            .and_then(|(.., frontier)| frontier.get(&log("TR")))
            .map(|(size, _)| size)
    };
    bench.gossip("W1", Owner::cosigned("W1", &at(1), 3));
    assert_eq!(on_disk(&bench), Some(1), "the first at once");
    bench.gossip("W1", Owner::cosigned("W1", &at(2), 4));
    bench.tick(limits::KEEP_COSIGNATURE_MS - 1);
    assert_eq!(on_disk(&bench), Some(1));
    bench.tick(1);
    assert_eq!(on_disk(&bench), Some(2));
    bench.gossip("W1", Owner::cosigned("W1", &at(3), 5));
    bench.settle(vec![Input::Ending]);
    assert_eq!(on_disk(&bench), Some(3), "and before the end");
}

#[test]
fn who_holds_the_same_ledger_is_told_and_who_holds_another_is_not() {
    let owner = Owner::with("TR", 2, 1);
    let mut bench = Bench::new();
    bench.gossip("TR", owner.news(0));
    let agrees = |effects: &[Effect]| {
        events(effects).iter().any(|event| matches!(event, Event::Agrees { member, .. } if *member == code("W1")))
    };
    let said = |size: usize| BTreeMap::from([(log("TR"), (size as u64, owner.root(size, 2).root))]);
    assert!(!agrees(&bench.gossip("W1", Owner::cosigned("W1", &said(1), 3)).1));
    assert!(agrees(&bench.gossip("W1", Owner::cosigned("W1", &said(2), 4)).1));
}

/// A greeting of W1 is answered with this frontier; whether its cosignature is then asked for.
fn asks_after_greeting(bench: &mut Bench, frontier: Digest) -> Vec<u64> {
    let effects = bench.greeted("W1", frontier, &Sizes::new());
    asks_for_list(&effects).into_iter().map(|(_, number)| number).collect()
}

#[test]
fn a_cosignature_that_gossip_lost_is_asked_for_once() {
    let mut bench = Bench::new();
    let asked = asks_after_greeting(&mut bench, Digest([1; 32]));
    assert_eq!(asked.len(), 1);
    assert_eq!(asks_after_greeting(&mut bench, Digest([1; 32])).len(), 0, "it is under way");
    bench.settle(vec![Input::Failed { id: asked[0] }]);
    let sizes = BTreeMap::from([(log("TR"), (3, Digest([3; 32])))]);
    bench.gossip("W1", Owner::cosigned("W1", &sizes, 50));
    let held = bench.node.status().peers.into_iter().find(|peer| peer.member == code("W1")).unwrap();
    assert_eq!(asks_after_greeting(&mut bench, held.frontier.unwrap()).len(), 0, "that is the one it holds");
    assert_eq!(asks_after_greeting(&mut bench, Digest([1; 32])).len(), 1);
}

#[test]
fn who_asks_for_a_receipt_while_it_is_being_signed_gets_the_same() {
    let mut bench = Bench::new();
    bench.gossip("TR", Owner::with("TR", 3, 1).news(0));
    let ask = |from: &str, id| {
        let bytes = Request::Cosign { log: log("TR"), size: 3 }.encode();
        Input::Request { from: code(from), id, bytes }
    };
    let effects = bench.feed(vec![ask("MZ", 501), ask("W1", 502)]);
    let mut inputs: Vec<Input> = effects.iter().filter_map(|effect| bench.serve(effect)).collect();
    let (mut orders, mut answers) = (0, Vec::new());
    while !inputs.is_empty() {
        for effect in bench.feed(std::mem::take(&mut inputs)) {
            match &effect {
                Effect::Sign { with: SigningKey::Witness, .. } => orders += 1,
                Effect::Respond { id, bytes } => answers.push((*id, Response::decode(bytes).unwrap())),
                _ => {}
            }
            inputs.extend(bench.serve(&effect));
        }
    }
    let [(501, Response::Cosignature(one)), (502, Response::Cosignature(other))] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert_eq!((orders, one), (1, other));
}

#[test]
fn a_status_tells_who_agrees_and_what_is_still_to_be_checked_also_after_a_start() {
    let mut bench = Bench::ready();
    bench.gossip("TR", Owner::with("TR", 3, 1).news(0));
    bench.tick(2_000);
    let held: Sizes =
        bench.node.view().frontier().unwrap().entries().map(|entry| (entry.log, (entry.size, entry.root))).collect();
    bench.gossip("MZ", Owner::cosigned("MZ", &held, 50));
    bench.gossip("W1", Owner::cosigned("W1", &BTreeMap::from([(log("TR"), (2, Digest([1; 32])))]), 60));
    let shown = |bench: &Bench| {
        let status = bench.node.status();
        let peers: Vec<_> =
            status.peers.iter().map(|peer| (peer.member.to_string(), peer.cosigned_at, peer.agrees)).collect();
        (status.agreeing, status.own_agrees, peers)
    };
    let peers = vec![
        ("MZ".to_owned(), Some(fixture::at(50)), true),
        ("TR".to_owned(), None, false),
        ("W1".to_owned(), Some(fixture::at(60)), false),
    ];
    assert_eq!(shown(&bench), (2, true, peers.clone()));
    bench.tick(limits::KEEP_COSIGNATURE_MS);
    bench.settle(vec![Input::Ending]);
    let mut bench = bench.restarted();
    assert_eq!(shown(&bench), (2, true, peers));
    // Two more have come, and their signatures are being checked.
    assert_eq!(bench.node.status().unaudited, 0);
    let bytes = Owner::with("TR", 5, 1).news(3);
    bench.feed(vec![Input::Gossip { from: code("TR"), id: 77, bytes }]);
    assert_eq!(bench.node.status().unaudited, 2);
}
