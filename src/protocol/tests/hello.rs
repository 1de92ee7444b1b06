//! Greetings: what is compared, and that no two nodes greet each other for ever.

use super::*;
use crate::protocol::limits;

fn hello(frontier: u8) -> Request {
    Request::Hello { published: federation().digest(), frontier: Digest([frontier; 32]) }
}

fn answer(frontier: u8) -> Response {
    hello_of(Digest([frontier; 32]), &Sizes::new())
}

fn greetings(effects: &[Effect]) -> usize {
    requests(effects).iter().filter(|(_, _, request)| matches!(request, Request::Hello { .. })).count()
}

#[test]
fn a_greeting_is_answered_with_the_frontier_if_it_differs() {
    let mut bench = Bench::ready();
    let Response::Hello { entries, frontier, .. } = bench.ask("TR", &hello(1)) else { panic!() };
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].log, entries[0].size), (log("GE"), 1));
    let same = Request::Hello { published: federation().digest(), frontier };
    let (answer, effects) = bench.ask_all("TR", &same);
    let Response::Hello { entries, .. } = answer else { panic!() };
    assert!(entries.is_empty());
    assert_eq!(greetings(&effects), 0, "who knows the same is not asked");
}

#[test]
fn two_nodes_that_cannot_agree_do_not_greet_each_other_for_ever() {
    let mut bench = Bench::ready();
    let [(_, id, _)] = requests(&bench.connect("TR"))[..] else { panic!("one greeting") };
    bench.answer("TR", id, &answer(1));
    let mut asked = 0;
    for _ in 0..50 {
        let (_, effects) = bench.ask_all("TR", &hello(1));
        for (to, id, _) in requests(&effects) {
            asked += 1;
            bench.answer(to.as_str(), id, &answer(1));
        }
    }
    assert_eq!(asked, 1, "the same greeting is answered with a greeting once");
}

#[test]
fn a_peer_that_always_has_another_frontier_does_not_set_the_pace() {
    let mut bench = Bench::ready();
    bench.connect("TR");
    let mut asked = 0;
    for number in 0..100 {
        bench.now += 10;
        let (_, effects) = bench.ask_all("TR", &hello(number));
        for (_, id, _) in requests(&effects) {
            asked += 1;
            bench.feed(vec![Input::Failed { id }]);
        }
    }
    assert!(asked <= 3, "{asked} greetings within a second");
}

#[test]
fn requests_that_nobody_answers_are_given_up() {
    let mut bench = Bench::ready();
    assert_eq!(greetings(&bench.connect("TR")), 1);
    assert_eq!(bench.node.status().requests, 1);
    let mut later = 0;
    for _ in 0..6 {
        later += greetings(&bench.tick(10_000));
    }
    assert!(later >= 1, "a peer is compared with again, although it never answered");
    assert!(bench.node.status().requests <= 1);
}

#[test]
fn a_member_with_two_manifests_does_not_keep_others_from_sharing_theirs() {
    let second = |member: &str, seconds: i64| {
        let first = fixture::signed_manifest(fixture::manifest(member), crate::encoding::ids::FederationId::NONE);
        let draft = crate::identity::ManifestDraft {
            version: 2,
            predecessor: Some(first.digest()),
            issued_at: fixture::at(seconds),
            ..fixture::manifest(member)
        };
        fixture::signed_manifest(draft, federation().id())
    };
    let with = |manifests: Vec<crate::identity::SignedManifest>| {
        let federation = manifests
            .into_iter()
            .fold(federation(), |federation, manifest| federation.with_manifest(manifest).unwrap().unwrap());
        federation.published().encode().unwrap()
    };
    let mut bench = Bench::new();
    let mut give = |file: Vec<u8>| {
        let greeting = Request::Hello { published: Digest([1; 32]), frontier: Digest([1; 32]) };
        bench.now += 5_000;
        bench.connect("TR");
        let (_, effects) = bench.ask_all("TR", &greeting);
        let asked = requests(&effects);
        let (_, id, _) = asked.iter().find(|(_, _, request)| matches!(request, Request::Published { .. })).unwrap();
        let size = file.len() as u64;
        bench.answer("TR", *id, &Response::Published { size, from: 0, part: file });
        let version = |member: &str| bench.node.federation().manifest(code(member)).unwrap().version();
        (version("MZ"), version("TR"))
    };
    assert_eq!(give(with(vec![second("MZ", 10)])), (2, 1));
    assert_eq!(give(with(vec![second("MZ", 20), second("TR", 10)])), (2, 2));
}

#[test]
fn until_a_peer_has_said_how_much_it_holds_it_is_asked_again_and_again() {
    let mut bench = Bench::of("GE", MemoryStore::default(), false);
    assert_eq!(greetings(&bench.connect("TR")), 1);
    assert_eq!(greetings(&bench.tick(0)), 0);
    assert_eq!(greetings(&bench.tick(limits::GREET_AGAIN_MS - 1)), 0);
    // The first was not answered and not given up, and another one goes out.
    let again = requests(&bench.tick(1));
    let [(_, number, Request::Hello { .. })] = again[..] else { panic!("one greeting: {again:?}") };
    bench.tick(0);
    bench.answer("TR", number, &answer(1));
    assert_eq!(greetings(&bench.tick(limits::GREET_AGAIN_MS)), 0, "what it holds is known");
}

#[test]
fn a_greeting_is_greeted_back_at_once_if_it_is_news_and_not_more_often_than_once_a_second() {
    let mut bench = Bench::ready();
    let [(_, number, _)] = requests(&bench.connect("TR"))[..] else { panic!("one greeting") };
    bench.answer("TR", number, &answer(1));
    let mut greeted_back = |later: i64, frontier: u8| {
        bench.now += later;
        let (_, effects) = bench.ask_all("TR", &hello(frontier));
        let asked: Vec<_> =
            requests(&effects).into_iter().filter(|(_, _, request)| matches!(request, Request::Hello { .. })).collect();
        for (_, number, _) in &asked {
            bench.answer("TR", *number, &answer(frontier));
        }
        asked.len()
    };
    assert_eq!(greeted_back(0, 1), 1);
    assert_eq!(greeted_back(limits::GREET_BACK_MS - 1, 2), 0);
    assert_eq!(greeted_back(1, 2), 1);
    assert_eq!(greeted_back(5 * limits::GREET_BACK_MS, 2), 0, "the same as last time");
    assert_eq!(greeted_back(0, 3), 1);
    assert_eq!(greeted_back(-50 * limits::GREET_BACK_MS, 4), 1, "a clock that was set back does not keep it quiet");
}

#[test]
fn frontiers_are_compared_once_per_interval_whatever_becomes_of_the_clock() {
    let mut bench = Bench::ready();
    let interval = Settings::default().sync_interval_ms;
    let mut is_greeted = |later: Option<i64>| {
        let effects = if let Some(later) = later { bench.tick(later) } else { bench.connect("TR") };
        let number = greeting(&effects, "TR");
        number.inspect(|number| drop(bench.answer("TR", *number, &answer(1)))).is_some()
    };
    assert!(is_greeted(None) && is_greeted(Some(0)));
    assert!(!is_greeted(Some(0)), "it was just compared with");
    assert!(!is_greeted(Some(interval - 1)));
    assert!(is_greeted(Some(1)));
    assert!(is_greeted(Some(-3_600_000)), "the clock was set back");
    assert!(!is_greeted(Some(0)) && !is_greeted(Some(interval - 1)));
    assert!(is_greeted(Some(1)));
}

#[test]
fn half_of_all_comparisons_are_with_those_that_have_not_cosigned_the_same() {
    let mut random = crate::encoding::random::Randomness::new([5; 32]);
    let mut peers = crate::protocol::peers::Peers::default();
    let signed = Owner::with("TR", 1, 1).checkpoint(1);
    let held = signed.claim().unwrap().root;
    for (member, connected, agrees) in
        [("AZ", true, true), ("LB", true, true), ("MZ", true, false), ("W1", false, false)]
    {
        let root = Root { root: if agrees { held } else { Digest([9; 32]) }, ..signed.claim().unwrap() };
        let peer = peers.entry(code(member));
        (peer.connected, peer.cosignature) = (connected, Some((signed.clone(), root)));
    }
    let mut chosen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..600 {
        let member = peers.to_compare_with(&held, &mut random).expect("somebody is within reach");
        *chosen.entry(member.to_string()).or_default() += 1;
    }
    // Two thirds: a half, and a third of the other half.
    assert!((360..440).contains(&chosen["MZ"]), "{chosen:?}");
    assert_eq!(chosen.len(), 3, "{chosen:?}");
    // If all agree, anybody will do.
    peers.entry(code("MZ")).connected = false;
    assert!(peers.to_compare_with(&held, &mut random).is_some());
}

#[test]
fn a_charter_file_in_parts_is_taken_if_they_are_of_one_file_and_in_order() {
    let mut draft = federation().charter().next_draft(fixture::at(50));
    draft.name = "New".to_owned();
    let mut published = federation().published();
    published.charters.push(fixture::signed(draft, federation().id(), &["GE", "MZ", "TR"]));
    let file = published.encode().unwrap();
    let (size, half) = (file.len() as u64, file.len() / 2);
    let asked = |effects: &[Effect]| {
        requests(effects).into_iter().find_map(|(_, number, request)| match request {
            Request::Published { from } => Some((number, from)),
            _ => None,
        })
    };
    let begun = || {
        let mut bench = Bench::new();
        bench.connect("TR");
        let (_, effects) =
            bench.ask_all("TR", &Request::Hello { published: Digest([1; 32]), frontier: Digest([1; 32]) });
        let (number, from) = asked(&effects).expect("what it knows is asked for");
        assert_eq!(from, 0);
        (bench, number)
    };
    let part =
        |size: u64, from: usize, bytes: &[u8]| Response::Published { size, from: from as u64, part: bytes.to_vec() };
    for (second, taken) in [
        (part(size, half, &file[half..]), true),
        (part(size, half + 1, &file[half..]), false),
        (part(size + 1, half, &file[half..]), false),
        (part(size, half, &[&file[half..], &[0][..]].concat()), false),
    ] {
        let (mut bench, number) = begun();
        let effects = bench.answer("TR", number, &part(size, 0, &file[..half]));
        let (number, from) = asked(&effects).expect("the rest is asked for");
        assert_eq!(from, half as u64);
        bench.answer("TR", number, &second);
        assert_eq!(bench.node.federation().charter().version(), if taken { 2 } else { 1 });
    }
    // Nothing at all, or more than there may be, is told.
    for wrong in [part(size, 0, &[]), part(crate::identity::published::FILE_BYTES_MAX as u64 + 1, 0, &file[..half])] {
        let (mut bench, number) = begun();
        let effects = bench.answer("TR", number, &wrong);
        let refused = Event::Refused { peer: code("TR"), refusal: crate::protocol::Refusal::TooLarge };
        assert_eq!(events(&effects), [refused]);
    }
}
