//! Greetings: what is compared, and that no two nodes greet each other for ever.

use super::*;
use crate::protocol::limits;

fn hello(frontier: u8) -> Request {
    Request::Hello { published: federation().digest(), frontier: Digest([frontier; 32]) }
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
    let answer = |frontier: u8| Response::Hello {
        published: federation().digest(),
        frontier: Digest([frontier; 32]),
        entries: Vec::new(),
    };
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
    let hello = Response::Hello { published: federation().digest(), frontier: Digest([1; 32]), entries: Vec::new() };
    bench.answer("TR", number, &hello);
    assert_eq!(greetings(&bench.tick(limits::GREET_AGAIN_MS)), 0, "what it holds is known");
}
