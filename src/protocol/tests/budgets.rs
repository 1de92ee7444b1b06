//! Who takes more than its share is delayed; everybody else is not, and nothing is skipped.

use super::*;
use crate::protocol::limits;

/// A federation in which Turkey may log `per_day` statements a day.
fn bench_with_quota(per_day: u64) -> Bench {
    let me = code("GE");
    let seal_keys = (0..2).map(|epoch| (epoch, fixture::seal_key("GE", epoch))).collect();
    let myself = Myself { member: me, log: LogId::first(me), seal_keys, guard_intact: true };
    let federation = fixture::federation_where(&MEMBERS, |draft| {
        draft.members.get_mut(&code("TR")).unwrap().statements_per_day = Some(per_day);
    });
    let node = Node::load(MemoryStore::default(), federation, myself, Settings::default()).unwrap();
    Bench { me, node, now: (fixture::FOUNDED + 100) * 1000, disk: MemoryStore::default(), questions: 0 }
}

fn asked_for(effects: &[Effect]) -> Vec<(LogId, u64, u64)> {
    requests(effects)
        .into_iter()
        .filter_map(|(_, id, request)| match request {
            Request::Range { log, from } => Some((log, from, id)),
            _ => None,
        })
        .collect()
}

#[test]
fn over_quota_a_log_is_fetched_more_slowly_and_no_leaf_is_skipped() {
    // 864 a day are one in 100 seconds.
    let mut bench = bench_with_quota(864);
    let mut turkey = Owner::of("TR", bench.node.federation().clone());
    (0..910).for_each(|_| turkey.push(1));
    bench.connect("MZ");
    let tells = |owner: &Owner| Gossip::News {
        checkpoint: owner.checkpoint(owner.statements.len()),
        from: owner.statements.len() as u64,
        statements: Vec::new(),
    };
    let (_, effects) = bench.gossip("MZ", tells(&turkey).encode());
    let [(_, 0, id)] = asked_for(&effects)[..] else { panic!("{effects:?}") };
    // The whole of a day's quota and a bit more comes in one chunk, and is kept.
    let effects = bench.answer("MZ", id, &turkey.chunk(0, 900));
    assert_eq!(bench.node.store().size(&turkey.log), 900);
    assert_eq!(asked_for(&effects), [], "the rest waits");
    assert_eq!(bench.node.shed(Now(bench.now)).over_quota, [code("TR")]);
    // Another member's log is fetched meanwhile.
    let mut mozambique = Owner::of("MZ", bench.node.federation().clone());
    (0..3).for_each(|_| mozambique.push(1));
    let (verdict, _) = bench.gossip("MZ", mozambique.news(0));
    assert_eq!((verdict, bench.node.store().size(&mozambique.log)), (Verdict::Accept, 3));
    // News of the log are not taken from gossip either, and nobody is blamed.
    let (verdict, _) = bench.gossip("MZ", turkey.news(900));
    assert_eq!((verdict, bench.node.store().size(&turkey.log)), (Verdict::Ignore, 900));
    // The overdraft of 36 and the hundred seconds since the founding: after that it goes on where it was.
    let mut passed = 0;
    let id = loop {
        let effects = bench.tick(10_000);
        passed += 10;
        if let [(_, 900, id)] = asked_for(&effects)[..] {
            break id;
        }
        assert!(passed < 4_000, "it is only delayed");
    };
    assert!((3_400..=3_700).contains(&passed), "{passed} s");
    bench.answer("MZ", id, &turkey.chunk(900, 910));
    assert_eq!(bench.node.store().size(&turkey.log), 910, "no leaf was skipped");
}

#[test]
fn honest_history_of_years_is_fetched_at_full_speed() {
    let mut bench = bench_with_quota(2);
    let mut turkey = Owner::of("TR", bench.node.federation().clone());
    // Two a day, for 300 days.
    (0..600).for_each(|n| turkey.push_at(1, n * 43_200));
    bench.now += 300 * limits::DAY_MS;
    bench.connect("MZ");
    let checkpoint = turkey.checkpoint_at(600, 300 * 86_400);
    let news = Gossip::News { checkpoint, from: 600, statements: Vec::new() };
    let (_, effects) = bench.gossip("MZ", news.encode());
    let [(_, 0, mut id)] = asked_for(&effects)[..] else { panic!("{effects:?}") };
    for from in (0..600).step_by(100) {
        let Response::Chunk { from, statements, consistency, .. } = turkey.chunk(from, from + 100) else { panic!() };
        let checkpoint = turkey.checkpoint_at(600, 300 * 86_400);
        let effects = bench.answer("MZ", id, &Response::Chunk { checkpoint, from, statements, consistency });
        if let Some((_, _, next)) = asked_for(&effects).first() {
            id = *next;
        }
    }
    assert_eq!(bench.node.store().size(&turkey.log), 600, "nothing of it waited");
    assert_eq!(bench.node.shed(Now(bench.now)).over_quota, []);
}

#[test]
fn a_log_that_gossips_too_much_is_pulled_instead() {
    let mut bench = Bench::new();
    bench.connect("MZ");
    let mut owner = Owner::new("TR");
    let mut taken = 0;
    for _ in 0..limits::NEWS_TAKEN.burst + 20 {
        owner.push(1);
        let (verdict, _) = bench.gossip("MZ", owner.news(owner.statements.len() - 1));
        match verdict {
            Verdict::Accept => taken += 1,
            Verdict::Ignore => break,
            Verdict::Reject => panic!("nobody is blamed"),
        }
    }
    assert_eq!(taken, limits::NEWS_TAKEN.burst);
    assert_eq!(bench.node.shed(Now(bench.now)).gossip_over_budget, 1);
    assert_eq!(bench.node.status().behind, [owner.log], "what was not taken is fetched");
    // What is repeated uses up nothing of anybody's share.
    bench.tick(1_000);
    for _ in 0..200 {
        assert_eq!(bench.gossip("MZ", owner.news(owner.statements.len() - 1)).0, Verdict::Accept);
    }
}

#[test]
fn an_author_tells_ten_news_a_second_and_all_of_it_is_told() {
    let mut bench = Bench::ready();
    bench.connect("TR");
    let mut told = 0;
    let mut newest = 0;
    let mut count = |effects: &[Effect]| {
        for gossip in gossiped(effects) {
            if let Gossip::News { checkpoint, .. } = gossip {
                told += 1;
                newest = checkpoint.claim().unwrap().claim.log_and_size().unwrap().1;
            }
        }
        (told, newest)
    };
    // Two hundred records, each a group of its own, within two seconds.
    for number in 0..200 {
        let records = vec![notification("MZ", number)];
        count(&bench.settle(vec![Input::Submit { id: number as u64, records }]));
        bench.now += 10;
        count(&bench.tick(0));
    }
    let (told, _) = count(&bench.tick(200));
    let most = limits::NEWS_TOLD.burst + 3 * limits::NEWS_TOLD.units;
    assert!((60..=most).contains(&told), "{told} of at most {most}");
    let (_, newest) = count(&[]);
    assert_eq!(newest, 201, "the last of them told of everything");
}

#[test]
fn too_many_cosignatures_of_one_member_are_not_passed_on() {
    let mut bench = Bench::new();
    let sizes = |n: u64| Sizes::from([(log("TR"), (n, Digest([n as u8; 32])))]);
    let verdicts: Vec<Verdict> = (1..=limits::COSIGNATURES_TAKEN.burst + 5)
        .map(|n| bench.gossip("MZ", Owner::cosigned("TR", &sizes(n), 50)).0)
        .collect();
    let accepted = verdicts.iter().filter(|verdict| **verdict == Verdict::Accept).count() as u64;
    assert_eq!(accepted, limits::COSIGNATURES_TAKEN.burst);
    assert!(!verdicts.contains(&Verdict::Reject));
    assert_eq!(bench.gossip("MZ", Owner::cosigned("W1", &sizes(1), 50)).0, Verdict::Accept, "another's are");
}

#[test]
fn who_hands_on_a_cosignature_with_a_wrong_list_uses_up_nothing_of_its_author() {
    let mut bench = Bench::new();
    let sizes = |n: u64| Sizes::from([(log("TR"), (n, Digest([n as u8; 32])))]);
    for n in 1..=2 * limits::COSIGNATURES_TAKEN.burst {
        let good = Gossip::decode(&Owner::cosigned("TR", &sizes(n), 50)).unwrap();
        let Gossip::Cosigned { cosignature, mut changed } = good else { panic!("{good:?}") };
        changed[0].size += 1;
        let verdict = bench.gossip("MZ", Gossip::Cosigned { cosignature, changed }.encode()).0;
        assert_ne!(verdict, Verdict::Reject, "it may have missed what came before");
    }
    assert_eq!(bench.node.shed(Now(bench.now)).gossip_over_budget, 0);
    // The author's own is taken after all that.
    bench.gossip("MZ", Owner::cosigned("TR", &sizes(3), 60));
    assert!(bench.node.peers.entry(code("TR")).cosignature.is_some());
}

#[test]
fn who_asks_for_too_much_work_is_answered_late_and_others_at_once() {
    let mut bench = Bench::ready();
    let question = Request::Range { log: log("GE"), from: 0 }.encode();
    let ask = |bench: &mut Bench, from: &str, id| {
        bench.settle(vec![Input::Request { from: code(from), id, bytes: question.clone() }])
    };
    let answers = |effects: &[Effect]| effects.iter().filter(|e| matches!(e, Effect::Respond { .. })).count() as u64;
    let at_once = limits::WORK.burst / limits::WORK_PER_QUESTION;
    let answered: u64 = (0..at_once).map(|id| answers(&ask(&mut bench, "TR", id))).sum();
    assert_eq!(answered, at_once);
    assert_eq!(answers(&ask(&mut bench, "TR", at_once)), 0, "then the budget is empty");
    assert_eq!(answers(&ask(&mut bench, "MZ", at_once + 1)), 1, "another's is not");
    let late = bench.tick(100);
    assert_eq!(answers(&late), 1, "it is answered when there is budget again");
    assert_eq!(bench.node.shed(Now(bench.now)).questions_delayed, 1);
    // What waits is bounded, and every question is answered in the end.
    let waiting = limits::QUESTIONS_WAITING_PER_PEER as u64;
    bench.node.peers.entry(code("TR")).work = crate::protocol::budget::Budget::default();
    bench.node.peers.entry(code("TR")).work.pass(limits::WORK, Now(bench.now));
    bench.node.peers.entry(code("TR")).work.spend(limits::WORK, 2 * limits::WORK.burst);
    let answered: u64 = (0..waiting + 3).map(|n| answers(&ask(&mut bench, "TR", 2 * at_once + n))).sum();
    assert_eq!(answered, 3, "beyond the bound the answer is nothing");
    let answered: u64 = (0..30).map(|_| answers(&bench.tick(100))).sum();
    assert_eq!(answered, waiting);
}

#[test]
fn without_room_nothing_is_taken_in_and_with_room_all_is_fetched() {
    let mut bench = Bench::ready();
    bench.connect("TR");
    let mut turkey = Owner::with("TR", 3, 1);
    bench.settle(vec![Input::Room(false)]);
    let disk = bench.disk.clone();
    let (verdict, effects) = bench.gossip("TR", turkey.news(0));
    assert_eq!((verdict, bench.node.store().size(&turkey.log)), (Verdict::Ignore, 0), "nobody is blamed");
    assert!(matches!(events(&effects)[..], [Event::Refused { refusal: crate::protocol::Refusal::NoRoom, .. }]));
    // It can be asked, and begins nothing of its own: neither records nor a heartbeat.
    let frontier = crate::encoding::hash::Digest([0; 32]);
    let hello = Request::Hello { published: bench.node.federation().digest(), frontier };
    assert!(matches!(bench.ask("TR", &hello), Response::Hello { .. }));
    let effects = bench.settle(vec![Input::Submit { id: 1, records: vec![notification("TR", 1)] }]);
    assert!(effects.is_empty(), "{effects:?}");
    assert!(gossiped(&bench.tick(700_000)).is_empty());
    assert_eq!(format!("{:?}", bench.disk), format!("{disk:?}"), "nothing was written");

    let effects = bench.settle(vec![Input::Room(true)]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Submitted { id: 1, .. })), "{effects:?}");
    turkey.push(1);
    let (verdict, effects) = bench.gossip("TR", turkey.news(3));
    let [(0, id)] = asked_for(&effects).iter().map(|(_, from, id)| (*from, *id)).collect::<Vec<_>>()[..] else {
        panic!("{verdict:?} {effects:?}")
    };
    bench.answer("TR", id, &turkey.chunk(0, 4));
    assert_eq!(bench.node.store().size(&turkey.log), 4, "what was turned away is here");
}
