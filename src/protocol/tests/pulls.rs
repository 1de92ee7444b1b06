//! Fetching logs: what is proved is kept, and nobody can keep a node from fetching, or make it ask without end.

use super::*;

fn ranges(effects: &[Effect]) -> Vec<(MemberCode, u64, LogId, u64)> {
    requests(effects)
        .into_iter()
        .filter_map(|(to, id, request)| match request {
            Request::Range { log, from } => Some((to, id, log, from)),
            _ => None,
        })
        .collect()
}

/// A bench that knows of five statements of Turkey by gossip from `source`, and the request for them.
fn behind(source: &str, owner: &Owner) -> (Bench, u64) {
    let mut bench = Bench::new();
    bench.connect(source);
    let size = owner.statements.len();
    let news = Gossip::News { checkpoint: owner.checkpoint(size), from: size as u64, statements: Vec::new() };
    let (verdict, effects) = bench.gossip(source, news.encode());
    assert_eq!(verdict, Verdict::Accept);
    let [(to, id, log, 0)] = ranges(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((to, log), (code(source), owner.log));
    (bench, id)
}

#[test]
fn a_range_is_served_with_its_proof_and_nothing_beyond() {
    let mut bench = Bench::ready();
    let Response::Chunk { checkpoint, from: 0, statements, consistency } =
        bench.ask("TR", &Request::Range { log: log("GE"), from: 0 })
    else {
        panic!("a chunk")
    };
    let root = checkpoint.verify(bench.node.federation()).unwrap();
    assert_eq!((statements.len(), consistency.len()), (1, 0));
    assert_eq!(root.root, merkle::root(&[merkle::leaf_hash(&statements[0])]));
    for (log, from) in [("GE", 1), ("GE", u64::MAX), ("TR", 0), ("FR.9", 0)] {
        assert_eq!(bench.ask("TR", &Request::Range { log: log.parse().unwrap(), from }), Response::Nothing);
    }
}

#[test]
fn a_chunk_is_kept_as_far_as_it_is_proved() {
    let owner = Owner::with("TR", 5, 1);
    let (mut bench, id) = behind("MZ", &owner);
    let effects = bench.answer("MZ", id, &owner.chunk(0, 3));
    assert_eq!(bench.node.store().size(&log("TR")), 3);
    let [(_, id, _, 3)] = ranges(&effects)[..] else { panic!("goes on where it was: {effects:?}") };
    bench.answer("MZ", id, &owner.chunk(3, 5));
    assert_eq!(bench.node.store().size(&log("TR")), 5);
    assert!(bench.node.status().behind.is_empty());
}

#[test]
fn a_chunk_that_is_not_proved_is_not_kept() {
    let owner = Owner::with("TR", 5, 1);
    let other = Owner::with("TR", 5, 2);
    let mut wrong = Vec::new();
    let Response::Chunk { checkpoint, from, statements, consistency } = owner.chunk(0, 3) else { panic!() };
    let chunk = |checkpoint: &SignedRoot, from, statements: &[Vec<u8>], consistency: &[Digest]| Response::Chunk {
        checkpoint: checkpoint.clone(),
        from,
        statements: statements.to_vec(),
        consistency: consistency.to_vec(),
    };
    wrong.push(chunk(&checkpoint, from, &other.statements[..3], &consistency));
    wrong.push(chunk(&checkpoint, from, &statements[..2], &consistency));
    wrong.push(chunk(&checkpoint, from, &[], &[]));
    wrong.push(chunk(&checkpoint, from, &statements, &[]));
    wrong.push(chunk(&checkpoint, from, &vec![vec![1]; 6], &[]));
    wrong.push(chunk(&Owner::with("MZ", 5, 1).checkpoint(5), from, &statements, &consistency));
    wrong.push(chunk(&checkpoint, 1, &statements, &consistency));
    wrong.push(Response::Done);
    for response in wrong {
        let (mut bench, id) = behind("MZ", &owner);
        let effects = bench.answer("MZ", id, &response);
        assert_eq!(bench.node.store().logs(), [], "{response:?}");
        assert!(ranges(&effects).is_empty(), "and is not asked for again at once");
    }
}

#[test]
fn an_old_checkpoint_as_an_answer_does_not_hold_a_log_up_or_make_a_loop() {
    let owner = Owner::with("TR", 5, 1);
    let (mut bench, id) = behind("MZ", &owner);
    bench.answer("MZ", id, &owner.chunk(0, 5));
    // W1 says that there is more, and answers with what is known.
    let sizes = BTreeMap::from([(log("TR"), (9, Digest([9; 32])))]);
    bench.connect("W1");
    let (_, effects) = bench.gossip("W1", Owner::cosigned("W1", &sizes, 3));
    let mut asked = ranges(&effects);
    assert_eq!(asked.len(), 1);
    let mut total = 0;
    for _ in 0..20 {
        let Some((to, id, ..)) = asked.pop() else { break };
        total += 1;
        asked = ranges(&bench.answer(to.as_str(), id, &owner.chunk(0, 5)));
    }
    assert_eq!(total, 1, "an answer without news ends the asking");
    assert!(bench.node.status().behind.is_empty());
}

#[test]
fn who_did_not_deliver_is_not_taken_at_its_word_again() {
    let owner = Owner::with("TR", 5, 1);
    let (mut bench, id) = behind("W1", &owner);
    bench.answer("W1", id, &Response::Nothing);
    bench.connect("MZ");
    let held = BTreeMap::from([(log("TR"), (5, Digest([1; 32])))]);
    bench.gossip("MZ", Owner::cosigned("MZ", &held, 3));
    let lie = BTreeMap::from([(log("TR"), (500, Digest([9; 32])))]);
    bench.now += 20_000;
    let (_, effects) = bench.gossip("W1", Owner::cosigned("W1", &lie, 4));
    let asked: Vec<MemberCode> = ranges(&effects).into_iter().map(|(to, ..)| to).collect();
    assert_eq!(asked, [code("MZ")], "who cosigned the log is asked, and not who failed");
}

#[test]
fn lies_about_many_logs_are_asked_about_at_a_bounded_pace() {
    let owner = Owner::with("TR", 5, 1);
    let (mut bench, id) = behind("W1", &owner);
    let mut asked = ranges(&bench.answer("W1", id, &Response::Nothing)).len();
    for number in 0..100 {
        bench.now += 100;
        let lie = BTreeMap::from([(log("TR"), (u64::MAX, Digest([9; 32])))]);
        let (_, effects) = bench.gossip("W1", Owner::cosigned("W1", &lie, 10 + number));
        for (to, id, ..) in ranges(&effects) {
            asked += 1;
            bench.answer(to.as_str(), id, &Response::Nothing);
        }
    }
    assert!(asked <= 6, "{asked} requests in ten seconds");
}

#[test]
fn a_checkpoint_that_contradicts_a_half_fetched_log_is_not_kept() {
    let owner = Owner::with("TR", 5, 1);
    let (mut bench, id) = behind("MZ", &owner);
    bench.answer("MZ", id, &owner.chunk(0, 3));
    let other = Owner::with("TR", 2, 2);
    bench.gossip("MZ", other.news(2));
    assert!(bench.node.view().checkpoint(log("TR")).unwrap().is_none());
    assert_eq!(bench.ask("TR", &Request::Range { log: log("TR"), from: 0 }), Response::Nothing);
}
