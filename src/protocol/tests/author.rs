//! One's own log: what is told when, what a crash leaves behind, and when it is never signed again.

use super::*;
use crate::identity::PublicKey;
use crate::ledger::{Frame, Key, KeyKind, Mark};
use crate::protocol::{Outcome, Signing, limits};

fn submit(id: u64, records: Vec<Record>) -> Vec<Input> {
    vec![Input::Submit { id, records }]
}

fn outcomes(effects: &[Effect], of: u64) -> Option<Vec<Outcome>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Submitted { id, outcomes } if *id == of => Some(outcomes.clone()),
        _ => None,
    })
}

#[test]
fn nothing_that_rests_on_staged_data_leaves_before_it_is_durable() {
    let mut bench = Bench::ready();
    bench.connect("TR");
    let key = fixture::key("GE", "log").public();
    let (mut inputs, mut told) = (submit(1, vec![notification("TR", 1)]), 0);
    while !inputs.is_empty() {
        let effects = bench.feed(std::mem::take(&mut inputs));
        for effect in effects {
            told += usize::from(assert_durable(&bench, &key, &effect));
            inputs.extend(bench.serve(&effect));
        }
        // A peer that asks at every moment gets nothing more either.
        bench.questions += 1;
        let request = Request::Range { log: log("GE"), from: 1 }.encode();
        inputs.push(Input::Request { from: code("TR"), id: bench.questions, bytes: request });
        if bench.questions > 40 {
            break;
        }
    }
    assert!(told >= 4, "signed, gossiped, pushed, answered: {told}");
}

/// Asserts that what an effect rests on is on the disk; `false` if it rests on nothing.
fn assert_durable(bench: &Bench, key: &PublicKey, effect: &Effect) -> bool {
    let has = |key: Key| bench.disk.get(&key).unwrap().is_some();
    match effect {
        Effect::Sign { guard, .. } if !guard.is_empty() => {
            guard.iter().for_each(|(position, _)| {
                let id = RecordId { log: log("GE"), position: *position };
                assert!(has(Key::Intent(id)), "{id} is ordered before its intent is durable");
                assert!(has(Key::Lanes(id)) || has(Key::Head(id)), "{id} is ordered before its body is durable");
            });
            true
        }
        Effect::Gossip(bytes) => {
            if let Gossip::News { checkpoint, .. } = Gossip::decode(bytes).unwrap() {
                let (_, size) = checkpoint.verify_by(key).unwrap().claim.log_and_size().unwrap();
                assert!(bench.disk.size(&log("GE")) >= size);
            }
            true
        }
        Effect::Submitted { outcomes, .. } => {
            let logged = outcomes.iter().filter_map(|outcome| match outcome {
                Outcome::Logged { id, .. } => Some(*id),
                _ => None,
            });
            logged.for_each(|id| assert!(has(Key::Statement(id)) && has(Key::Checkpoint(id.log))));
            true
        }
        Effect::Respond { bytes, .. } => {
            if let Response::Chunk { statements, from, .. } = Response::decode(bytes).unwrap() {
                assert!(bench.disk.size(&log("GE")) >= from + statements.len() as u64);
            }
            false
        }
        Effect::Request { bytes, .. } => match Request::decode(bytes).unwrap() {
            Request::Push { id, .. } => {
                assert!(has(Key::Statement(id)) && has(Key::Head(id)));
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[test]
fn a_submission_is_answered_for_every_record_in_order() {
    let mut bench = Bench::ready();
    let effects = bench.settle(submit(1, vec![notification("TR", 1), notification("TR", 1), notification("BR", 2)]));
    let [first, again, outside] = &outcomes(&effects, 1).unwrap()[..] else { panic!() };
    assert_eq!(*first, Outcome::Logged { id: id("GE-1"), outside: Vec::new(), granted: None });
    assert!(matches!(again, Outcome::Refused { .. }));
    assert_eq!(*outside, Outcome::Logged { id: id("GE-2"), outside: vec!["BR".to_owned()], granted: None });
    let effects = bench.settle(submit(2, vec![notification("TR", 1)]));
    assert_eq!(outcomes(&effects, 2).unwrap(), [Outcome::AlreadyLogged { id: id("GE-1") }]);
    assert_eq!(outcomes(&bench.settle(submit(3, Vec::new())), 3), Some(Vec::new()));
}

/// A node that started after a crash left a line half logged, and was given that line again.
fn half_logged_and_given_again() -> Bench {
    let mut bench = Bench::ready();
    // The intent is durable, the order to sign leaves, and then the power goes.
    bench.feed(submit(1, vec![notification("TR", 1)]));
    bench.disk = bench.node.store().clone();
    let mut bench = bench.restarted();
    bench.tick(0);
    bench.feed(submit(2, vec![notification("TR", 1)]));
    bench
}

#[test]
fn a_line_that_a_crash_left_half_logged_is_not_logged_twice() {
    let mut bench = half_logged_and_given_again();
    let effects = bench.tick(3_000);
    assert_eq!(outcomes(&effects, 2).unwrap(), [Outcome::AlreadyLogged { id: id("GE-1") }]);
    assert_eq!(bench.node.store().size(&log("GE")), 2);
}

#[test]
fn a_line_that_a_crash_left_half_logged_is_not_logged_twice_while_its_signature_is_being_checked() {
    let mut bench = half_logged_and_given_again();
    bench.now += 3_000;
    // The checker answers only when there is nothing else to do: until then the line is not known to be in the log.
    let (mut inputs, mut checks, mut told) = (vec![Input::Tick], Vec::new(), Vec::new());
    while !inputs.is_empty() {
        for effect in bench.feed(std::mem::take(&mut inputs)) {
            let answer = bench.serve(&effect);
            let later = if matches!(effect, Effect::Check { .. }) { &mut checks } else { &mut inputs };
            later.extend(answer);
            told.push(effect);
        }
        if inputs.is_empty() {
            inputs.append(&mut checks);
        }
    }
    assert_eq!(outcomes(&told, 2).unwrap(), [Outcome::AlreadyLogged { id: id("GE-1") }]);
    assert_eq!(bench.node.store().size(&log("GE")), 2);
}

#[test]
fn a_crash_at_any_moment_of_logging_makes_no_second_history() {
    let mut steps = 0;
    let mut published: Vec<(u64, Digest)> = Vec::new();
    for crash_after in 0..30 {
        let mut bench = Bench::ready();
        let mut inputs = submit(1, vec![notification("TR", 1), notification("TR", 2)]);
        for _ in 0..crash_after {
            let effects = bench.feed(std::mem::take(&mut inputs));
            note_roots(&effects, &mut published);
            inputs.extend(effects.iter().filter_map(|effect| bench.serve(effect)));
            steps = steps.max(if inputs.is_empty() { 0 } else { crash_after });
        }
        let durable = bench.disk.size(&log("GE"));
        let mut bench = bench.restarted();
        bench.tick(0);
        note_roots(&bench.tick(3_000), &mut published);
        assert_eq!(bench.node.status().signing, Signing::Ready);
        assert!(bench.node.store().size(&log("GE")) >= durable);
        let view = bench.node.view();
        let checkpoint = view.checkpoint(log("GE")).unwrap().unwrap().claim().unwrap();
        let size = bench.node.store().size(&log("GE"));
        assert_eq!(checkpoint.claim.log_and_size().unwrap().1, size, "the newest checkpoint is kept");
    }
    assert!(steps > 5);
    published.sort_unstable();
    published.dedup();
    // Records are sealed with chance, but every bench has the same: two roots for one size would be two histories.
    let sizes: std::collections::BTreeSet<u64> = published.iter().map(|(size, _)| *size).collect();
    assert_eq!(sizes.len(), published.len(), "{published:?}");
}

fn note_roots(effects: &[Effect], published: &mut Vec<(u64, Digest)>) {
    for gossip in gossiped(effects) {
        if let Gossip::News { checkpoint, .. } = gossip {
            published.push((checkpoint.claim().unwrap().claim.log_and_size().unwrap().1, checkpoint.root()));
        }
    }
}

#[test]
fn an_intent_without_its_body_is_not_signed() {
    let mut bench = Bench::ready();
    bench.feed(submit(1, vec![notification("TR", 1), notification("TR", 2)]));
    let whole = bench.node.store().clone();
    // Of the bodies nothing came to the disk.
    let mut torn = bench.disk.clone();
    for key in whole.keys(KeyKind::Intent).unwrap() {
        let frame: Frame = whole.get(&key).unwrap().unwrap();
        torn.stage(frame).unwrap();
    }
    bench.disk = torn;
    let mut bench = bench.restarted();
    bench.tick(0);
    bench.tick(3_000);
    assert_eq!(bench.node.store().size(&log("GE")), 1);
    let effects = bench.settle(submit(2, vec![notification("TR", 1)]));
    assert_eq!(
        outcomes(&effects, 2).unwrap(),
        [Outcome::Logged { id: id("GE-1"), outside: Vec::new(), granted: None }]
    );
    bench.tick(1_000);
    assert_eq!(bench.node.view().totals().unwrap().flagged, 0);
}

fn intent(store: &MemoryStore, record: &str) -> Statement {
    let frame = store.get(&Key::Intent(id(record))).unwrap().expect("an intent");
    Statement::read(&frame.bytes).unwrap().0
}

#[test]
fn an_intent_is_signed_as_it_stands_if_nothing_later_was_signed() {
    let mut bench = Bench::ready();
    bench.now += 5_000;
    bench.feed(submit(1, vec![notification("TR", 1), notification("TR", 2)]));
    let whole = bench.node.store().clone();
    let mut again = Bench { now: bench.now + 60_000, ..Bench::of("GE", whole.clone(), true) };
    again.tick(0);
    again.tick(3_000);
    for record in ["GE-1", "GE-2"] {
        assert_eq!(again.node.view().statement(id(record)).unwrap().unwrap(), intent(&whole, record));
    }
    // Of the first not everything came to the disk: another is signed in its place, and the second is older than that.
    let mut torn = whole;
    torn.damage(Key::Head(id("GE-1")));
    let mut again = Bench { now: bench.now + 60_000, ..Bench::of("GE", torn, true) };
    again.tick(0);
    again.tick(3_000);
    assert_eq!(again.node.store().size(&log("GE")), 1);
    let logged = |number: u64, record: &str| {
        (number, Some(vec![Outcome::Logged { id: id(record), outside: Vec::new(), granted: None }]))
    };
    for (number, outcome) in [logged(3, "GE-1"), logged(4, "GE-2")] {
        let record = notification("TR", usize::try_from(number).unwrap());
        assert_eq!(outcomes(&again.settle(submit(number, vec![record])), number), outcome);
    }
    assert_eq!((again.node.store().size(&log("GE")), again.node.view().totals().unwrap().flagged), (3, 0));
}

#[test]
fn lanes_that_a_crash_interrupted_are_taken_up_and_no_others_are_made() {
    for crash_after in 0..8 {
        let mut bench = Bench::new();
        bench.tick(0);
        bench.now += 3_000;
        let mut inputs = vec![Input::Tick];
        for _ in 0..crash_after {
            let effects = bench.feed(std::mem::take(&mut inputs));
            inputs.extend(effects.iter().filter_map(|effect| bench.serve(effect)));
        }
        let mut bench = bench.restarted();
        bench.tick(0);
        (0..3).for_each(|_| drop(bench.tick(3_000)));
        assert_eq!(bench.node.store().size(&log("GE")), 1, "{crash_after}");
        assert!(bench.node.newest_commitments().is_some(), "{crash_after}: its checkpoint commits to them");
    }
}

#[test]
fn when_one_line_is_given_up_the_others_are_still_under_way() {
    let mut bench = Bench::ready();
    let effects = bench.feed(submit(1, vec![notification("TR", 1)]));
    let (given_up, other) = (notification("TR", 2), notification("TR", 3));
    let [source, other_source] = [&given_up, &other].map(|record| record.declared().source_digest.unwrap());
    bench.feed(submit(2, vec![given_up, other]));
    // The line of the first is learnt while it waits.
    bench.node.store_mut().mark(Mark::Source(source), Some(b"GE-77")).unwrap();
    let mut inputs: Vec<Input> = effects.iter().filter_map(|effect| bench.serve(effect)).collect();
    while !bench.node.author.queue.is_empty() {
        let effects = bench.feed(std::mem::take(&mut inputs));
        inputs.extend(effects.iter().filter_map(|effect| bench.serve(effect)));
    }
    assert_eq!(bench.node.author.under_way.iter().collect::<Vec<_>>(), [&other_source]);
    let outside = Vec::new();
    let expected =
        [Outcome::AlreadyLogged { id: id("GE-77") }, Outcome::Logged { id: id("GE-2"), outside, granted: None }];
    assert_eq!(outcomes(&bench.settle(inputs), 2).unwrap(), expected);
}

#[test]
fn one_peer_that_is_behind_itself_does_not_open_the_log() {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    for (peer, opens) in [("MZ", false), ("TR", false), ("W1", true)] {
        bench.greeted(peer, Digest([1; 32]), &Sizes::new());
        assert_eq!(bench.node.status().signing == Signing::Ready, opens, "{peer}");
    }
}

#[test]
fn without_guard_and_peers_nothing_is_signed() {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    (0..10).for_each(|_| drop(bench.tick(10_000)));
    assert_eq!(bench.node.status().signing, Signing::Starting);
}

#[test]
fn a_log_of_which_peers_prove_more_is_ended() {
    let mut bench = Bench::of("GE", MemoryStore::default(), true);
    bench.connect("TR");
    let more = Owner::with("GE", 3, 1);
    let (verdict, effects) = bench.gossip("TR", more.news(0));
    assert_eq!(verdict, Verdict::Accept);
    assert!(events(&effects).iter().any(|event| matches!(event, Event::LogEnded { .. })));
    let effects = bench.settle(submit(1, vec![notification("TR", 1)]));
    assert!(matches!(outcomes(&effects, 1).unwrap()[..], [Outcome::Refused { .. }]));
}

#[test]
fn a_log_of_which_a_longer_checkpoint_is_signed_is_ended_also_if_no_statement_comes() {
    let news = |size: usize| {
        let checkpoint = Owner::with("GE", 3, 1).checkpoint(size);
        Gossip::News { checkpoint, from: size as u64, statements: Vec::new() }.encode()
    };
    for mut bench in [Bench::new(), Bench::of("GE", MemoryStore::default(), false), Bench::ready()] {
        bench.connect("TR");
        let (_, effects) = bench.gossip("TR", news(3));
        assert!(matches!(bench.node.status().signing, Signing::Ended(_)));
        let (to, number) = range(&effects, "GE").expect("what is missing is asked for all the same");
        bench.answer(to.as_str(), number, &Response::Nothing);
        bench.tick(limits::PEER_SILENCE_MS);
        assert!(matches!(bench.node.status().signing, Signing::Ended(_)));
    }
    // Another's is only longer.
    let mut bench = Bench::ready();
    let checkpoint = Owner::with("TR", 3, 1).checkpoint(3);
    bench.gossip("TR", Gossip::News { checkpoint, from: 3, statements: Vec::new() }.encode());
    assert_eq!(bench.node.status().signing, Signing::Ready);
}

#[test]
fn a_clock_that_is_years_behind_hides_no_end_of_ones_own_log() {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    bench.now -= 1_000 * limits::DAY_MS;
    bench.connect("TR");
    let (verdict, effects) = bench.gossip("TR", Owner::with("GE", 3, 1).news(0));
    assert_eq!(verdict, Verdict::Accept);
    assert!(events(&effects).iter().any(|event| matches!(event, Event::LogEnded { .. })));
    // Another's log of that time is put aside, as ever.
    assert_eq!(bench.gossip("TR", Owner::with("MZ", 3, 1).news(0)).0, Verdict::Ignore);
}

#[test]
fn a_lie_about_ones_own_log_does_not_end_it() {
    let mut bench = Bench::ready();
    bench.connect("TR");
    let lie = BTreeMap::from([(log("GE"), (900, Digest([9; 32])))]);
    let (_, effects) = bench.gossip("TR", Owner::cosigned("TR", &lie, 200));
    for (to, id, request) in requests(&effects) {
        if matches!(request, Request::Range { .. }) {
            bench.answer(to.as_str(), id, &Owner::with("TR", 3, 1).chunk(0, 3));
        }
    }
    assert_eq!(bench.node.status().signing, Signing::Ready);
}

#[test]
fn a_second_signer_of_ones_own_log_ends_it() {
    let mut bench = Bench::ready();
    let other = Owner::with("GE", 1, 9);
    let (verdict, effects) = bench.gossip("TR", other.news(0));
    assert_eq!(verdict, Verdict::Accept);
    assert!(events(&effects).iter().any(|event| matches!(event, Event::Fork { .. })));
    assert!(matches!(bench.node.status().signing, Signing::Ended(_)));
}

#[test]
fn a_signer_that_refuses_cosignatures_is_not_asked_without_end() {
    let mut bench = Bench::ready();
    bench.settle(submit(1, vec![notification("TR", 1)]));
    bench.now += 2_000;
    let (mut inputs, mut asked) = (vec![Input::Tick], 0);
    for _ in 0..30 {
        for effect in bench.feed(std::mem::take(&mut inputs)) {
            match effect {
                Effect::Sign { id, with: SigningKey::Witness, .. } => {
                    asked += 1;
                    inputs.push(Input::NotSigned { id, reason: "away".to_owned() });
                }
                other => inputs.extend(bench.serve(&other)),
            }
        }
    }
    assert_eq!(asked, 1);
    // When the interval has passed, it is.
    bench.now += 2_000;
    let (mut inputs, mut again) = (vec![Input::Tick], 0);
    while !inputs.is_empty() {
        for effect in bench.feed(std::mem::take(&mut inputs)) {
            again += usize::from(matches!(effect, Effect::Sign { with: SigningKey::Witness, .. }));
            inputs.extend(bench.serve(&effect));
        }
    }
    assert_eq!(again, 1);
}

#[test]
fn a_signer_that_will_not_sign_the_log_ends_it_and_whoever_waits_is_told() {
    // Of the statement, or of the checkpoint over it.
    for at in 0..2 {
        let mut bench = Bench::ready();
        let (mut inputs, mut orders, mut told) = (submit(1, vec![notification("TR", 1)]), 0, Vec::new());
        while !inputs.is_empty() {
            for effect in bench.feed(std::mem::take(&mut inputs)) {
                match effect {
                    Effect::Sign { id, with: SigningKey::Log(_), .. } if orders == at => {
                        orders += 1;
                        // Answers to what was not ordered change nothing.
                        bench.feed(vec![Input::NotSigned { id: id + 500, reason: "another".to_owned() }]);
                        bench.feed(vec![Input::Signed { id: id + 500, signatures: vec![[0; 64]] }]);
                        assert_eq!(bench.node.status().signing, Signing::Ready);
                        assert_eq!(bench.node.store().size(&log("GE")), 1 + at);
                        inputs.push(Input::NotSigned { id, reason: "locked".to_owned() });
                    }
                    other => {
                        orders += u64::from(matches!(other, Effect::Sign { with: SigningKey::Log(_), .. }));
                        match bench.serve(&other) {
                            Some(input) => inputs.push(input),
                            None => told.push(other),
                        }
                    }
                }
            }
        }
        assert_eq!(bench.node.status().signing, Signing::Ended("locked".to_owned()));
        let ended = Event::LogEnded { log: log("GE"), reason: "locked".to_owned() };
        assert!(events(&told).contains(&ended), "{told:?}");
        assert!(matches!(outcomes(&told, 1).unwrap()[..], [Outcome::Refused { .. }]), "{told:?}");
    }
}

#[test]
fn a_claim_to_hold_more_of_ones_own_log_holds_up_its_signing_for_a_while_and_not_for_ever() {
    for (claim, until) in [(false, limits::PEER_ECHO_MS), (true, limits::PEER_SILENCE_MS)] {
        let mut bench = Bench::new();
        bench.tick(0);
        let lie = BTreeMap::from([(log("GE"), (900, Digest([9; 32])))]);
        if claim {
            bench.gossip("TR", Owner::cosigned("TR", &lie, 50));
        }
        bench.tick(until - 1);
        assert_eq!(bench.node.status().signing, Signing::Starting, "{claim}");
        bench.tick(1);
        assert_eq!(bench.node.status().signing, Signing::Ready, "{claim}");
    }
}

#[test]
fn what_a_peer_said_of_ones_own_log_counts_no_more_when_the_next_question_comes_to_nothing() {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    let nothing = Sizes::new();
    bench.greeted("MZ", Digest([1; 32]), &nothing);
    let second = greeting(&bench.tick(0), "MZ").expect("it is compared with again");
    let mut effects = bench.settle(vec![Input::Failed { id: second }]);
    for peer in ["TR", "W1"] {
        bench.greeted(peer, Digest([1; 32]), &nothing);
    }
    assert_eq!(bench.node.status().signing, Signing::Starting, "two have said what they hold");
    let third = (0..40).find_map(|_| {
        let found = greeting(&effects, "MZ");
        effects = bench.tick(1_000);
        found
    });
    bench.answer("MZ", third.expect("it is asked again"), &hello_of(Digest([1; 32]), &nothing));
    assert_eq!(bench.node.status().signing, Signing::Ready);
}

#[test]
fn a_peer_that_holds_more_of_ones_own_log_has_not_said_that_it_may_be_signed() {
    let is_ready = |mut bench: Bench, held: Sizes| {
        for peer in ["MZ", "TR", "W1"] {
            bench.greeted(peer, Digest([1; 32]), &held);
        }
        bench.node.status().signing == Signing::Ready
    };
    let empty = || Bench::of("GE", MemoryStore::default(), false);
    let of = |size, root| Sizes::from([(log("GE"), (size, root))]);
    assert!(is_ready(empty(), Sizes::new()));
    assert!(!is_ready(empty(), of(5, Digest([1; 32]))));
    // As much as is held here is no more. Without the guard a restarted node asks again.
    let bench = Bench::ready();
    let root = bench.node.logs[&log("GE")].tree.root();
    assert!(is_ready(Bench { now: bench.now, ..Bench::of("GE", bench.disk, false) }, of(1, root)));
}

/// The number of the question for a log, if it is asked.
fn range(effects: &[Effect], of: &str) -> Option<(MemberCode, u64)> {
    let is_of = |request: &Request| matches!(request, Request::Range { log: asked, .. } if *asked == log(of));
    requests(effects).into_iter().find(|(_, _, request)| is_of(request)).map(|(to, number, _)| (to, number))
}

fn of_georgia(size: u64) -> Sizes {
    Sizes::from([(log("GE"), (size, Digest([1; 32])))])
}

#[test]
fn of_peers_that_claim_more_of_ones_own_log_only_who_shows_none_of_it_has_said_that_it_may_be_signed() {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    let mut effects = Vec::new();
    for peer in ["MZ", "TR", "W1"] {
        effects.extend(bench.greeted(peer, Digest([1; 32]), &of_georgia(5)));
    }
    let mut denied = std::collections::BTreeSet::new();
    for _ in 0..60 {
        for (to, number, request) in requests(&std::mem::take(&mut effects)) {
            match request {
                Request::Range { .. } => {
                    effects.extend(bench.answer(to.as_str(), number, &Response::Nothing));
                    denied.insert(to);
                    assert_eq!(bench.node.status().signing == Signing::Ready, denied.len() == 3, "{denied:?}");
                }
                Request::Hello { .. } if !denied.contains(&to) => {
                    let claim = hello_of(Digest([1; 32]), &of_georgia(5));
                    effects.extend(bench.answer(to.as_str(), number, &claim));
                }
                _ => {}
            }
        }
        effects.extend(bench.tick(1_000));
    }
    assert_eq!(denied.len(), 3);
}

#[test]
fn a_peer_that_has_come_to_hold_more_of_ones_own_log_takes_back_what_it_said() {
    // It says so when it is greeted, or by a cosignature.
    for is_greeted in [true, false] {
        takes_back(is_greeted);
    }
}

fn takes_back(is_greeted: bool) {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    for peer in ["MZ", "TR"] {
        bench.greeted(peer, Digest([1; 32]), &Sizes::new());
    }
    // One has nothing of what it claims, and is asked; meanwhile another has learnt of more.
    let asked = range(&bench.greeted("W1", Digest([1; 32]), &of_georgia(900)), "GE");
    let (to, number) = asked.expect("more is asked for");
    assert_eq!(to, code("W1"));
    if is_greeted {
        bench.greeted("MZ", Digest([1; 32]), &of_georgia(5));
    } else {
        bench.gossip("MZ", Owner::cosigned("MZ", &of_georgia(5), 50));
    }
    bench.answer("W1", number, &Response::Nothing);
    assert_eq!(bench.node.status().signing, Signing::Starting);
    // It is asked again what it holds, and shows it; nobody else can.
    let mut effects = Vec::new();
    for _ in 0..20 {
        for (to, number, request) in requests(&std::mem::take(&mut effects)) {
            let response = match request {
                Request::Range { .. } if to == code("MZ") => Owner::with("GE", 5, 1).chunk(0, 5),
                Request::Hello { .. } if to == code("MZ") => hello_of(Digest([1; 32]), &of_georgia(5)),
                _ => Response::Nothing,
            };
            effects.extend(bench.answer(to.as_str(), number, &response));
        }
        effects.extend(bench.tick(1_000));
        assert_ne!(bench.node.status().signing, Signing::Ready);
    }
    assert!(matches!(bench.node.status().signing, Signing::Ended(_)));
}

#[test]
fn a_question_that_came_to_nothing_takes_back_what_a_peer_said_of_ones_own_log_if_it_was_about_that() {
    for (about, is_ready) in [("TR", true), ("GE", false)] {
        let mut bench = Bench::of("GE", MemoryStore::default(), false);
        bench.greeted("MZ", Digest([1; 32]), &Sizes::new());
        let more = Sizes::from([(log(about), (5, Digest([1; 32])))]);
        let (_, effects) = bench.gossip("MZ", Owner::cosigned("MZ", &more, 50));
        let (_, number) = range(&effects, about).expect("more is asked for");
        bench.settle(vec![Input::Failed { id: number }, Input::Disconnected { peer: code("MZ") }]);
        for peer in ["TR", "W1"] {
            bench.greeted(peer, Digest([1; 32]), &Sizes::new());
        }
        // Nobody who is left has any of it.
        if let Some((to, number)) = range(&bench.tick(limits::RETRY_MAX_MS), about) {
            bench.answer(to.as_str(), number, &Response::Nothing);
        }
        assert_eq!(bench.node.status().signing == Signing::Ready, is_ready, "{about}");
    }
}

#[test]
fn who_does_not_give_what_it_claims_of_anothers_log_has_said_nothing_of_ones_own() {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    for (peer, of) in [("MZ", "TR"), ("TR", "W1"), ("W1", "MZ")] {
        bench.connect(peer);
        let more = Sizes::from([(log(of), (5, Digest([1; 32])))]);
        let (_, effects) = bench.gossip(peer, Owner::cosigned(peer, &more, 50));
        let (to, number) = range(&effects, of).expect("more is asked for");
        assert_eq!(to, code(peer));
        bench.answer(peer, number, &Response::Nothing);
    }
    assert_eq!(bench.node.status().signing, Signing::Starting);
}

#[test]
fn who_asks_in_the_moment_in_which_a_checkpoint_is_signed_waits_until_it_is_durable() {
    let mut bench = Bench::ready();
    let (mut inputs, mut asked) = (submit(1, vec![notification("TR", 1)]), false);
    while !inputs.is_empty() {
        let is_signed = inputs.iter().any(|input| matches!(input, Input::Signed { .. }));
        if is_signed && bench.node.store().size(&log("GE")) == 2 {
            let bytes = Request::Range { log: log("GE"), from: 0 }.encode();
            inputs.push(Input::Request { from: code("TR"), id: 700, bytes });
            let effects = bench.feed(std::mem::take(&mut inputs));
            assert!(effects.iter().any(|effect| matches!(effect, Effect::Flush)));
            assert!(!effects.iter().any(|effect| matches!(effect, Effect::Respond { .. } | Effect::Gossip(_))));
            asked = true;
            break;
        }
        for effect in bench.feed(std::mem::take(&mut inputs)) {
            inputs.extend(bench.serve(&effect));
        }
    }
    assert!(asked);
}
