//! Checkpoints held against a log: what is kept, who is challenged, and how often a proof is told.

use super::*;
use crate::ledger::Key;
use crate::protocol::limits;

fn hello() -> Request {
    Request::Hello { published: federation().digest(), frontier: Digest([1; 32]) }
}

/// A member comes and says that it holds logs of these sizes; what is done.
fn greeted(bench: &mut Bench, peer: &str, sizes: &Sizes) -> Vec<Effect> {
    bench.greeted(peer, Digest([9; 32]), sizes)
}

/// The checkpoints of a log that are told without statements.
fn challenges(effects: &[Effect]) -> Vec<SignedRoot> {
    let checkpoint = |gossip| match gossip {
        Gossip::News { checkpoint, statements, .. } if statements.is_empty() => Some(checkpoint),
        _ => None,
    };
    gossiped(effects).into_iter().filter_map(checkpoint).collect()
}

fn proofs(effects: &[Effect]) -> usize {
    gossiped(effects).iter().filter(|gossip| matches!(gossip, Gossip::Fork(_))).count()
}

#[test]
fn who_holds_another_history_is_shown_the_checkpoint_and_not_too_often() {
    let (one, other) = (Owner::with("TR", 5, 1), Owner::with("TR", 5, 2));
    let mut bench = Bench::new();
    bench.gossip("TR", one.news(0));
    let said = |owner: &Owner, size: usize| BTreeMap::from([(log("TR"), (size as u64, owner.root(size, 2).root))]);
    for size in [0, 3, 5] {
        assert_eq!(challenges(&greeted(&mut bench, "MZ", &said(&one, size))), [], "the same history");
    }
    let beyond = BTreeMap::from([(log("TR"), (6, Digest([9; 32])))]);
    assert_eq!(challenges(&greeted(&mut bench, "MZ", &beyond)), [], "more than is held says nothing");
    assert_eq!(challenges(&greeted(&mut bench, "MZ", &said(&other, 3))), [one.checkpoint(5)]);
    bench.now += 9_999;
    assert_eq!(challenges(&greeted(&mut bench, "W1", &said(&other, 5))), [], "it was just told");
    bench.now += 1;
    assert_eq!(challenges(&greeted(&mut bench, "W1", &said(&other, 5))), [one.checkpoint(5)]);
    // A clock that was set back does not keep it quiet.
    bench.now -= 100_000;
    assert_eq!(challenges(&greeted(&mut bench, "W1", &said(&other, 5))), [one.checkpoint(5)]);
    // Once it is proved, the proof is what is told.
    bench.gossip("MZ", other.news(0));
    bench.now += 100_000;
    assert_eq!(challenges(&greeted(&mut bench, "W1", &said(&other, 5))), []);
}

#[test]
fn a_proof_of_two_histories_is_told_again_after_a_while_to_who_may_not_know() {
    let (one, other) = (Owner::with("TR", 5, 1), Owner::with("TR", 4, 2));
    let mut bench = Bench::new();
    bench.gossip("TR", one.news(0));
    assert_eq!(proofs(&bench.gossip("MZ", other.news(0)).1), 1);
    let again = |bench: &mut Bench| proofs(&bench.gossip("MZ", one.news(0)).1);
    assert_eq!(again(&mut bench), 0);
    bench.now += limits::TELL_FORK_MS - 1;
    assert_eq!(again(&mut bench), 0);
    bench.now += 1;
    assert_eq!(again(&mut bench), 1);
    assert_eq!(again(&mut bench), 0);
    bench.now -= 10 * limits::TELL_FORK_MS;
    assert_eq!(again(&mut bench), 1, "a clock that was set back does not keep it quiet");
    // Who greets with another ledger may not know either.
    bench.now += limits::TELL_FORK_MS;
    assert_eq!(proofs(&bench.ask_all("MZ", &hello()).1), 1);
}

#[test]
fn a_sign_of_life_is_kept_in_memory_and_a_longer_log_on_the_disk() {
    let mut bench = Bench::new();
    let owner = Owner::with("TR", 3, 1);
    bench.gossip("TR", owner.news(0));
    let on_disk = |bench: &Bench| bench.disk.get(&Key::Checkpoint(log("TR"))).unwrap().unwrap().bytes;
    let served = |bench: &mut Bench| match bench.ask("MZ", &Request::Range { log: log("TR"), from: 0 }) {
        Response::Chunk { checkpoint, .. } => checkpoint,
        other => panic!("{other:?}"),
    };
    let news = |checkpoint: &SignedRoot, from| {
        Gossip::News { checkpoint: checkpoint.clone(), from, statements: Vec::new() }.encode()
    };
    assert_eq!(on_disk(&bench), owner.checkpoint(3).encode());
    // Later, of the same size: it is what others are given, and nothing to store.
    let later = owner.checkpoint_at(3, 50);
    bench.gossip("TR", news(&later, 3));
    assert_eq!((served(&mut bench), on_disk(&bench)), (later.clone(), owner.checkpoint(3).encode()));
    // Earlier, or of less: nothing.
    bench.gossip("TR", news(&owner.checkpoint_at(3, 20), 3));
    bench.gossip("TR", news(&owner.checkpoint_at(2, 90), 2));
    assert_eq!(served(&mut bench), later);
    let longer = Owner::with("TR", 4, 1);
    bench.gossip("TR", longer.news(3));
    assert_eq!((served(&mut bench), on_disk(&bench)), (longer.checkpoint(4), longer.checkpoint(4).encode()));
}

#[test]
fn a_statement_longer_than_the_charter_allows_is_not_taken() {
    let mut bench = Bench::new();
    let limit = usize::try_from(federation().parameters().statement_bytes_max).unwrap();
    for (bytes, taken) in [(limit, 2), (limit + 1, 0)] {
        let mut bench = Bench::new();
        let mut owner = Owner::with("TR", 1, 1);
        owner.statements.push(vec![1; bytes]);
        bench.gossip("TR", owner.news(0));
        assert_eq!(bench.node.store().size(&log("TR")), taken, "{bytes} bytes of gossip");
    }
    // Nor as an answer.
    let mut owner = Owner::with("TR", 1, 1);
    owner.statements.push(vec![1; limit + 1]);
    bench.connect("TR");
    let told = Gossip::News { checkpoint: owner.checkpoint(2), from: 2, statements: Vec::new() };
    let (_, effects) = bench.gossip("TR", told.encode());
    let is_range = |request: &Request| matches!(request, Request::Range { .. });
    let (_, id, _) = requests(&effects).into_iter().find(|(_, _, request)| is_range(request)).unwrap();
    let effects = bench.answer("TR", id, &owner.chunk(0, 2));
    assert!(events(&effects).iter().any(|event| matches!(event, Event::Refused { .. })));
    assert_eq!(bench.node.store().size(&log("TR")), 0);
}

#[test]
fn of_several_logs_that_of_which_least_is_missing_is_fetched_first() {
    let mut bench = Bench::new();
    bench.settle(vec![Input::Room(true)]);
    let sizes = BTreeMap::from([
        (log("MZ"), (90, Digest([1; 32]))),
        (log("TR"), (7, Digest([1; 32]))),
        (log("W1"), (30, Digest([1; 32]))),
    ]);
    let effects = greeted(&mut bench, "MZ", &sizes);
    let asked: Vec<LogId> = requests(&effects)
        .into_iter()
        .filter_map(|(_, _, request)| match request {
            Request::Range { log, .. } => Some(log),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["TR", "W1", "MZ"].map(log));
}

#[test]
fn an_answer_without_statements_or_with_too_many_is_refused() {
    let mut owner = Owner::with("TR", 1, 1);
    owner.statements.extend((0..5_000_u16).map(|number| number.to_be_bytes().to_vec()));
    let told = Gossip::News { checkpoint: owner.checkpoint(5_001), from: 5_001, statements: Vec::new() }.encode();
    for (chunk, size) in [(0, 0), (limits::CHUNK_STATEMENTS_MAX, 4_096), (limits::CHUNK_STATEMENTS_MAX + 1, 0)] {
        let mut bench = Bench::new();
        bench.connect("MZ");
        let (_, effects) = bench.gossip("MZ", told.clone());
        let is_range = |request: &Request| matches!(request, Request::Range { .. });
        let (_, number, _) = requests(&effects).into_iter().find(|(_, _, request)| is_range(request)).unwrap();
        let effects = bench.answer("MZ", number, &owner.chunk(0, chunk));
        let is_refused = events(&effects).iter().any(|event| matches!(event, Event::Refused { .. }));
        assert_eq!((is_refused, bench.node.store().size(&log("TR"))), (size == 0, size), "{chunk} statements");
    }
    // One that would fit, of what is held already, brings nothing.
    let mut bench = Bench::new();
    bench.connect("MZ");
    bench.gossip("TR", Owner::with("TR", 3, 1).news(0));
    let owner = Owner::with("TR", 5, 1);
    let told = Gossip::News { checkpoint: owner.checkpoint(5), from: 5, statements: Vec::new() }.encode();
    let (_, effects) = bench.gossip("MZ", told);
    let (_, number, _) = requests(&effects)
        .into_iter()
        .find(|(_, _, request)| *request == Request::Range { log: log("TR"), from: 3 })
        .unwrap();
    let effects = bench.answer("MZ", number, &owner.chunk(3, 3));
    assert!(events(&effects).iter().any(|event| matches!(event, Event::Refused { .. })));
}

#[test]
fn without_room_nothing_is_taken_in() {
    let owner = Owner::with("TR", 3, 1);
    let mut bench = Bench::ready();
    bench.settle(vec![Input::Room(false)]);
    assert_eq!(bench.gossip("TR", owner.news(0)).0, Verdict::Ignore);
    let body = crate::protocol::message::WireBody { head: vec![1], compartments: vec![vec![2]] };
    assert_eq!(bench.ask("TR", &Request::Push { id: id("TR-1"), body: body.clone() }), Response::Nothing);
    assert_eq!((bench.node.store().size(&log("TR")), bench.node.inbox.early.len()), (0, 0));
    // Nor is an answer to what was asked before.
    let mut full = Bench::new();
    full.connect("MZ");
    let told = Gossip::News { checkpoint: owner.checkpoint(3), from: 3, statements: Vec::new() }.encode();
    let asked = requests(&full.gossip("MZ", told).1);
    let is_range = |request: &Request| matches!(request, Request::Range { .. });
    let (_, number, _) = asked.into_iter().find(|(_, _, request)| is_range(request)).unwrap();
    full.settle(vec![Input::Room(false)]);
    full.answer("MZ", number, &owner.chunk(0, 3));
    assert_eq!(full.node.store().size(&log("TR")), 0);
    bench.settle(vec![Input::Room(true)]);
    assert_eq!(bench.gossip("TR", owner.news(0)).0, Verdict::Accept);
    assert_eq!(bench.node.store().size(&log("TR")), 3);
    let mut bench = Bench::ready();
    assert_eq!(bench.ask("TR", &Request::Push { id: id("TR-1"), body }), Response::Done);
    assert_eq!(bench.node.inbox.early.len(), 1);
}

#[test]
fn two_histories_of_anothers_log_do_not_end_ones_own_and_are_not_forgotten() {
    let (one, other) = (Owner::with("TR", 5, 1), Owner::with("TR", 4, 2));
    let mut bench = Bench::ready();
    bench.gossip("TR", one.news(0));
    let (_, effects) = bench.gossip("MZ", other.news(0));
    assert_eq!(bench.node.status().signing, crate::protocol::Signing::Ready);
    // Who holds nothing of that log keeps the proof, also over a restart, and takes neither history.
    let proof = gossiped(&effects).into_iter().find(|gossip| matches!(gossip, Gossip::Fork(_))).unwrap();
    let mut late = Bench::ready();
    assert_eq!(late.gossip("MZ", proof.encode()).0, Verdict::Accept);
    let mut late = late.restarted();
    for history in [&one, &other] {
        late.gossip("MZ", history.news(0));
        assert_eq!(late.node.store().size(&log("TR")), 0);
    }
}

#[test]
fn what_is_being_checked_is_not_checked_twice() {
    let mut bench = Bench::new();
    let news = Input::Gossip { from: code("TR"), id: 77, bytes: Owner::with("TR", 3, 1).news(0) };
    let orders = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Check { .. })).count();
    assert_eq!(orders(&bench.feed(vec![news])), 1);
    assert_eq!(orders(&bench.feed(vec![Input::Tick])), 0);
}
