//! Charters that are handed in, told on, refused, or contradict each other; members that are suspended and come back.

use super::*;
use crate::encoding::random::Randomness;
use crate::identity::charter::{CharterError, MemberFault};
use crate::identity::{
    CharterDraft, CharterSplit, FederationError, ManifestDraft, ManifestSplit, MemberStatus, SignedCharter,
    SignedManifest,
};
use crate::protocol::{NotTakenUp, Refused, TakenUp, Turn};

const COUNTRIES: [&str; 3] = ["GE", "MZ", "TR"];

/// The version that follows, with what `change` changes, signed by the roots of `signers`.
fn next(federation: &Federation, signers: &[&str], change: impl FnOnce(&mut CharterDraft)) -> SignedCharter {
    let mut draft = federation.charter().next_draft(fixture::at(50));
    change(&mut draft);
    fixture::signed(draft, federation.id(), signers)
}

fn named(name: &'static str) -> impl FnOnce(&mut CharterDraft) {
    move |draft| draft.name = name.to_owned()
}

fn standing(member: &'static str, status: MemberStatus) -> impl FnOnce(&mut CharterDraft) {
    move |draft| draft.members.get_mut(&code(member)).unwrap().status = status
}

/// What is held, and this version after it, whether or not that holds.
fn file(federation: &Federation, charter: SignedCharter) -> Vec<u8> {
    let mut published = federation.published();
    published.charters.push(charter);
    published.encode().unwrap()
}

fn with(federation: &Federation, charter: SignedCharter) -> Federation {
    federation.with_charter(charter).unwrap().unwrap()
}

fn manifest(federation: &Federation, member: &str, seconds: i64) -> SignedManifest {
    let draft = federation.manifest(code(member)).unwrap().next_draft(fixture::at(seconds));
    fixture::signed_manifest(draft, federation.id())
}

fn outcome(effects: &[Effect]) -> Result<TakenUp, NotTakenUp> {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Published { outcome, .. } => Some(outcome.clone()),
        _ => None,
    });
    found.expect("what is handed in is answered")
}

impl Bench {
    fn publish(&mut self, file: Vec<u8>) -> (Result<TakenUp, NotTakenUp>, Vec<Effect>) {
        let effects = self.settle(vec![Input::Publish { id: 1, file, settle: false }]);
        (outcome(&effects), effects)
    }

    fn choose(&mut self, file: Vec<u8>) -> Result<TakenUp, NotTakenUp> {
        outcome(&self.settle(vec![Input::Publish { id: 1, file, settle: true }]))
    }

    fn version(&self) -> (u64, String) {
        let charter = self.node.federation().charter();
        (charter.version(), charter.name().to_owned())
    }
}

/// Several nodes whose messages arrive at once.
struct Net(BTreeMap<MemberCode, Bench>);

impl Net {
    fn new(members: &[&str]) -> Self {
        let nodes = members.iter().map(|member| (code(member), Bench::of(member, MemoryStore::default(), true)));
        let mut net = Self(nodes.collect());
        for member in members {
            for other in members.iter().filter(|other| *other != member) {
                net.run(member, vec![Input::Connected { peer: code(other) }]);
            }
        }
        net
    }

    /// Feeds one node, and carries messages until nobody has anything to say; gives how many there were.
    fn run(&mut self, member: &str, inputs: Vec<Input>) -> usize {
        let mut agenda = std::collections::VecDeque::from([(code(member), inputs)]);
        let mut asked: BTreeMap<u64, (MemberCode, u64)> = BTreeMap::new();
        let mut count = 0;
        while let Some((at, inputs)) = agenda.pop_front() {
            let Some(bench) = self.0.get_mut(&at) else { continue };
            for effect in bench.settle(inputs) {
                match effect {
                    Effect::Request { to, id, bytes } => {
                        count += 1;
                        let question = 1_000 + asked.len() as u64;
                        asked.insert(question, (at, id));
                        agenda.push_back((to, vec![Input::Request { from: at, id: question, bytes }]));
                    }
                    Effect::Respond { id, bytes } => {
                        let (asker, number) = asked[&id];
                        agenda.push_back((asker, vec![Input::Response { from: at, id: number, bytes }]));
                    }
                    _ => {}
                }
            }
            assert!(count < 2_000, "they never come to an end");
        }
        count
    }

    fn publish(&mut self, at: &str, file: Vec<u8>) -> usize {
        self.run(at, vec![Input::Publish { id: 1, file, settle: false }])
    }

    fn versions(&self) -> Vec<(u64, String)> {
        self.0.values().map(Bench::version).collect()
    }
}

#[test]
fn a_charter_that_is_handed_in_is_durable_before_it_is_acknowledged_and_told_at_once() {
    let mut bench = Bench::ready();
    bench.connect("TR");
    bench.connect("MZ");
    let charter = next(&federation(), &COUNTRIES, named("New"));
    let publish = Input::Publish { id: 7, file: file(&federation(), charter.clone()), settle: false };
    let first = bench.feed(vec![publish]);
    assert!(matches!(first[..], [Effect::Flush]), "{first:?}");
    bench.disk = bench.node.store().clone();
    let effects = bench.settle(vec![Input::Flushed]);
    let told = vec![code("MZ"), code("TR")];
    assert_eq!(outcome(&effects), Ok(TakenUp { version: 2, is_news: true, told: told.clone() }));
    let greeted: Vec<MemberCode> = requests(&effects).iter().map(|(to, _, _)| *to).collect();
    assert_eq!(greeted, told);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Members)));
    assert_eq!(bench.restarted().version(), (2, "New".to_owned()));
}

#[test]
fn every_node_acts_on_a_charter_without_any_time_passing() {
    let mut net = Net::new(&["GE", "MZ", "TR", "W1"]);
    let charter = next(&federation(), &COUNTRIES, named("New"));
    let messages = net.publish("MZ", file(&federation(), charter));
    assert!(net.versions().iter().all(|version| *version == (2, "New".to_owned())), "{:?}", net.versions());
    assert!(messages < 100, "{messages} questions");
}

#[test]
fn what_does_not_hold_is_refused_by_every_node_with_the_reason() {
    let old = federation();
    let other = fixture::federation(&["GE", "MZ", "TR"]);
    let changed_root = |root: &str| {
        let root = fixture::key("TR", root).public();
        let mut charter = next(&old, &COUNTRIES, |draft| {
            let member = draft.members.get_mut(&code("TR")).unwrap();
            (member.root, member.next_root) = (root, fixture::key("TR", "after").public().digest());
        });
        charter.sign(code("TR"), &fixture::key("TR", "stolen"));
        charter
    };
    let stranger = {
        let mut charter = next(&old, &["GE", "MZ"], named("New"));
        charter.sign(code("TR"), &fixture::key("TR", "stolen"));
        charter
    };
    let cases = [
        ("a missing signature", next(&old, &["GE", "MZ"], named("New"))),
        ("a wrong root", stranger),
        ("a wrong pre-rotation", changed_root("stolen")),
        ("a new root that has not signed", changed_root("next")),
        (
            "a key announced by others",
            next(&old, &COUNTRIES, |draft| {
                draft.members.get_mut(&code("TR")).unwrap().next_root = fixture::key("GE", "own").public().digest();
            }),
        ),
    ];
    for (what, charter) in cases {
        for member in MEMBERS {
            let mut bench = Bench::of(member, MemoryStore::default(), true);
            let (refused, effects) = bench.publish(file(&old, charter.clone()));
            let refused = refused.unwrap_err();
            let NotTakenUp::Refused(FederationError::Charter(error)) = &refused else { panic!("{what}: {refused}") };
            let fits = match what {
                "a missing signature" => {
                    matches!(error, CharterError::Quorum { missing, .. } if *missing == [code("TR")])
                }
                "a wrong root" => matches!(error, CharterError::Signature { signer, .. } if *signer == code("TR")),
                "a wrong pre-rotation" => {
                    matches!(error, CharterError::Member { fault: MemberFault::RootNotAnnounced, .. })
                }
                "a new root that has not signed" => {
                    matches!(error, CharterError::Member { fault: MemberFault::RootNotSigned, .. })
                }
                _ => matches!(error, CharterError::Member { fault: MemberFault::NextRootChanged, .. }),
            };
            assert!(fits, "{what}: {error}");
            assert!(!effects.iter().any(|effect| matches!(effect, Effect::Members)), "{what}");
            assert_eq!(bench.version(), (1, "Fixture".to_owned()));
        }
    }
    let mut bench = Bench::new();
    let (refused, _) = bench.publish(other.published().encode().unwrap());
    assert!(matches!(refused, Err(NotTakenUp::Refused(FederationError::AnotherFederation { .. }))));
    assert!(matches!(bench.publish(vec![0xa0]).0, Err(NotTakenUp::Form(_))));
    // An older charter once more.
    let new = with(&old, next(&old, &COUNTRIES, named("New")));
    bench.publish(new.published().encode().unwrap()).0.unwrap();
    let (refused, _) = bench.publish(old.published().encode().unwrap());
    assert_eq!(refused, Err(NotTakenUp::Older { version: 1, newest: 2 }));
    let (again, effects) = bench.publish(new.published().encode().unwrap());
    assert!(!again.unwrap().is_news);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Members)));
}

#[test]
fn a_replayed_older_charter_changes_nothing_anywhere() {
    let mut net = Net::new(&["GE", "MZ", "TR"]);
    let old = federation();
    let new = with(&old, next(&old, &COUNTRIES, standing("W1", MemberStatus::Suspended)));
    net.publish("GE", new.published().encode().unwrap());
    for member in COUNTRIES {
        net.publish(member, old.published().encode().unwrap());
    }
    assert!(net.0.values().all(|bench| bench.version().0 == 2 && bench.node.splits.is_empty()));
}

#[test]
fn two_charters_of_one_version_alarm_every_node_and_freeze_membership_while_data_flow() {
    let mut net = Net::new(&["GE", "MZ", "TR"]);
    let old = federation();
    let (one, other) = (next(&old, &COUNTRIES, named("One")), next(&old, &COUNTRIES, named("Other")));
    net.publish("GE", file(&old, one.clone()));
    net.publish("TR", file(&old, other.clone()));
    for bench in net.0.values_mut() {
        assert_eq!(bench.version(), (2, "One".to_owned()), "what was held is held on");
        assert!(bench.node.splits.freeze(), "{}", bench.me);
        // Nothing later is taken up, of neither.
        let of_one = with(&old, one.clone());
        let later = next(&of_one, &COUNTRIES, standing("W1", MemberStatus::Removed));
        assert_eq!(bench.publish(file(&of_one, later)).0, Err(NotTakenUp::Frozen { version: 2 }));
        let of_other = with(&old, other.clone());
        let later = next(&of_other, &COUNTRIES, standing("W1", MemberStatus::Removed));
        let (refused, _) = bench.publish(file(&of_other, later));
        assert!(matches!(refused, Err(NotTakenUp::Refused(FederationError::Charter(CharterError::Rival(_))))));
        assert_eq!(bench.version(), (2, "One".to_owned()));
    }
    // Manifests are taken: logs go on.
    let held = net.0[&code("GE")].node.federation().clone();
    let news = held.with_manifest(manifest(&held, "MZ", 60)).unwrap().unwrap();
    net.publish("MZ", news.published().encode().unwrap());
    assert!(net.0.values().all(|bench| bench.node.federation().manifest(code("MZ")).unwrap().version() == 2));
    // The proof outlives a restart.
    let bench = net.0.remove(&code("GE")).unwrap().restarted();
    assert!(bench.node.splits.freeze());
}

#[test]
fn whoever_holds_the_one_tells_who_has_never_seen_the_other() {
    let old = federation();
    let (one, other) = (next(&old, &COUNTRIES, named("One")), next(&old, &COUNTRIES, named("Other")));
    let mut net = Net::new(&["GE", "MZ"]);
    net.publish("GE", file(&old, one.clone()));
    net.publish("GE", file(&old, other));
    assert!(net.0[&code("MZ")].node.splits.freeze(), "MZ has met nobody who holds the other");
    assert_eq!(net.versions(), vec![(2, "One".to_owned()); 2]);
}

#[test]
fn an_operator_settles_a_split_at_its_own_node_for_good() {
    let old = federation();
    let (one, other) = (next(&old, &COUNTRIES, named("One")), next(&old, &COUNTRIES, named("Other")));
    let (of_one, of_other) = (with(&old, one.clone()), with(&old, other.clone()));
    let mut bench = Bench::new();
    assert_eq!(bench.choose(file(&old, one.clone())), Err(NotTakenUp::NothingToSettle));
    bench.publish(file(&old, one.clone())).0.unwrap();
    bench.publish(file(&old, other.clone())).0.unwrap_err();
    assert_eq!(bench.choose(old.published().encode().unwrap()), Err(NotTakenUp::NothingToSettle));
    bench.choose(of_other.published().encode().unwrap()).unwrap();
    assert_eq!(bench.version(), (2, "Other".to_owned()));
    // The one that was not chosen is passed over from now on, with all that follows it.
    let later = next(&of_one, &COUNTRIES, named("Three of One"));
    bench.publish(file(&of_one, later)).0.unwrap_err();
    assert_eq!(bench.version(), (2, "Other".to_owned()));
    assert!(!bench.node.splits.freeze());
    let later = next(&of_other, &COUNTRIES, named("Three of Other"));
    bench.publish(file(&of_other, later)).0.unwrap();
    assert_eq!(bench.version(), (3, "Three of Other".to_owned()));
    let bench = bench.restarted();
    assert_eq!(bench.version(), (3, "Three of Other".to_owned()));
    assert!(!bench.node.splits.is_empty() && !bench.node.splits.freeze(), "the proof is kept for ever");
}

#[test]
fn a_member_with_two_manifests_is_known_to_all_and_goes_on_with_a_later_one() {
    let mut net = Net::new(&["GE", "MZ", "TR"]);
    let old = federation();
    let of = |seconds| old.with_manifest(manifest(&old, "TR", seconds)).unwrap().unwrap();
    let (one, other) = (of(60), of(70));
    net.publish("GE", one.published().encode().unwrap());
    net.publish("MZ", other.published().encode().unwrap());
    for bench in net.0.values() {
        assert_eq!(bench.node.splits.manifests.keys().collect::<Vec<_>>(), [&code("TR")], "{}", bench.me);
        assert!(!bench.node.splits.freeze(), "membership is the others' matter too");
    }
    // Its next one names the one that these nodes do not hold.
    let later: ManifestDraft = other.manifest(code("TR")).unwrap().next_draft(fixture::at(80));
    let later = other.with_manifest(fixture::signed_manifest(later, old.id())).unwrap().unwrap();
    net.publish("MZ", later.published().encode().unwrap());
    assert!(net.0.values().all(|bench| bench.node.federation().manifest(code("TR")).unwrap().version() == 3));
}

#[test]
fn a_suspended_member_is_neither_asked_nor_answered_and_comes_back() {
    let old = federation();
    let suspended = with(&old, next(&old, &COUNTRIES, standing("TR", MemberStatus::Suspended)));
    let mut bench = Bench::ready();
    bench.connect("TR");
    bench.connect("MZ");
    let (taken, effects) = bench.publish(suspended.published().encode().unwrap());
    assert_eq!(taken.unwrap().told, [code("MZ")]);
    let asked: Vec<MemberCode> = requests(&effects).iter().map(|(to, _, _)| *to).collect();
    assert_eq!(asked, [code("MZ")]);
    assert_eq!(bench.ask("TR", &Request::Range { log: log("GE"), from: 0 }), Response::Nothing);
    assert_eq!(bench.ask("TR", &Request::Published { from: 0 }), Response::Nothing);
    // What it signs now is not taken from gossip; what a member in good standing holds of it is pulled.
    let owner = Owner::with("TR", 2, 0);
    let (verdict, _) = bench.gossip("MZ", owner.news(0));
    assert_eq!((verdict, bench.node.store().size(&log("TR"))), (Verdict::Ignore, 0));
    // Readmitted by those who have a vote, and by itself: it will have one again.
    let back = next(&suspended, &COUNTRIES, standing("TR", MemberStatus::Active));
    bench.publish(file(&suspended, back)).0.unwrap();
    let (verdict, _) = bench.gossip("MZ", owner.news(0));
    assert_eq!((verdict, bench.node.store().size(&log("TR"))), (Verdict::Accept, 2));
}

#[test]
fn a_node_whose_member_is_suspended_logs_nothing_until_it_is_readmitted() {
    let old = federation();
    let suspended = with(&old, next(&old, &COUNTRIES, standing("GE", MemberStatus::Suspended)));
    let mut bench = Bench::ready();
    bench.publish(suspended.published().encode().unwrap()).0.unwrap();
    let submitted = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Submitted { outcomes, .. } => Some(outcomes.clone()),
            _ => None,
        })
    };
    let submit = || vec![Input::Submit { id: 5, records: vec![notification("TR", 1)] }];
    let outcomes = submitted(&bench.settle(submit())).unwrap();
    let refused = &outcomes[0];
    assert!(
        matches!(refused, crate::protocol::Outcome::Refused { reason: Refused::Inactive { version: 2, .. } }),
        "{refused:?}"
    );
    let back = next(&suspended, &COUNTRIES, standing("GE", MemberStatus::Active));
    bench.publish(file(&suspended, back)).0.unwrap();
    let outcomes = submitted(&bench.settle(submit())).unwrap();
    assert!(matches!(outcomes[0], crate::protocol::Outcome::Logged { .. }), "{outcomes:?}");
}

#[test]
fn a_removed_member_stays_in_history_and_cannot_come_back() {
    let old = federation();
    let mut bench = Bench::ready();
    bench.gossip("MZ", Owner::with("TR", 2, 0).news(0));
    let removed = with(&old, next(&old, &COUNTRIES, standing("TR", MemberStatus::Removed)));
    bench.publish(removed.published().encode().unwrap()).0.unwrap();
    assert_eq!(bench.node.store().size(&log("TR")), 2);
    assert!(bench.node.federation().log_key(&log("TR")).is_some());
    let back = next(&removed, &["GE", "MZ"], standing("TR", MemberStatus::Active));
    let (refused, _) = bench.publish(file(&removed, back));
    let expected = CharterError::Member { member: code("TR"), fault: MemberFault::Returned };
    assert_eq!(refused, Err(NotTakenUp::Refused(FederationError::Charter(expected))));
}

#[test]
fn what_its_member_disowns_is_kept_and_has_no_effect() {
    let mut bench = Bench::ready();
    bench.gossip("MZ", Owner::with("TR", 3, 0).news(0));
    let flaw = |bench: &Bench, record: &str| bench.node.view().record(id(record)).unwrap().unwrap().flaw;
    assert_eq!(flaw(&bench, "TR-2"), None);
    let mut draft = federation().manifest(code("TR")).unwrap().next_draft(fixture::at(60));
    draft.logs[0].closed = Some(2);
    let closed = federation().with_manifest(fixture::signed_manifest(draft, federation().id())).unwrap().unwrap();
    let (taken, effects) = bench.publish(closed.published().encode().unwrap());
    assert!(taken.unwrap().is_news);
    let told = Event::Members { version: 1, changed: vec![code("TR")] };
    assert!(events(&effects).contains(&told), "whoever derives something from its logs reads them again");
    assert_eq!((flaw(&bench, "TR-1"), flaw(&bench, "TR-2")), (None, Some("disowned".to_owned())));
    assert_eq!(bench.node.store().size(&log("TR")), 3);
}

#[test]
fn a_charter_file_that_contradicts_what_was_held_is_found_at_the_start() {
    let old = federation();
    let (one, other) = (next(&old, &COUNTRIES, named("One")), next(&old, &COUNTRIES, named("Other")));
    let mut bench = Bench::new();
    bench.publish(file(&old, one)).0.unwrap();
    let of_other = with(&old, other);
    let myself = |member: &str| Myself {
        member: code(member),
        log: log(member),
        seal_keys: BTreeMap::new(),
        guard_intact: true,
    };
    let node = Node::load(bench.disk.clone(), of_other.clone(), myself("GE"), Settings::default()).unwrap();
    bench.node = node;
    assert_eq!(bench.version(), (2, "One".to_owned()), "what was held counts");
    assert!(bench.node.splits.freeze());
    let told = events(&bench.tick(100));
    assert!(told.contains(&Event::Split { manifest: None, version: 2 }), "{told:?}");
    // The operator may choose what is in that file.
    bench.choose(of_other.published().encode().unwrap()).unwrap();
    let node = Node::load(bench.disk.clone(), of_other, myself("GE"), Settings::default()).unwrap();
    assert_eq!(node.federation().charter().name(), "Other");
    assert!(!node.splits.freeze());
}

#[test]
fn a_peer_that_always_knows_another_charter_is_not_asked_for_it_for_ever() {
    let mut bench = Bench::ready();
    bench.connect("TR");
    let mut asked = 0;
    for number in 0..200 {
        bench.now += 10;
        let hello = Request::Hello { published: Digest([number; 32]), frontier: Digest([1; 32]) };
        let (_, effects) = bench.ask_all("TR", &hello);
        for (_, id, request) in requests(&effects) {
            asked += usize::from(matches!(request, Request::Published { .. }));
            bench.feed(vec![Input::Failed { id }]);
        }
    }
    assert!((1..=10).contains(&asked), "{asked} times within two seconds");
}

/// Georgia with charter version 2 "One" and 3 "Three" of it; `One` was signed beside `Other` and `Third`, `Three` beside `Fourth`.
struct Branches {
    old: Federation,
    of_one: Federation,
    one: SignedCharter,
    other: SignedCharter,
    third: SignedCharter,
    three: SignedCharter,
    fourth: SignedCharter,
}

impl Branches {
    fn new() -> Self {
        let old = federation();
        let [one, other, third] = ["One", "Other", "Third"].map(|name| next(&old, &COUNTRIES, named(name)));
        let of_one = with(&old, one.clone());
        let [three, fourth] = ["Three", "Fourth"].map(|name| next(&of_one, &COUNTRIES, named(name)));
        Self { old, of_one, one, other, third, three, fourth }
    }

    fn held(&self) -> Bench {
        let mut bench = Bench::new();
        bench.publish(file(&self.old, self.one.clone())).0.unwrap();
        bench.publish(file(&self.of_one, self.three.clone())).0.unwrap();
        bench
    }
}

/// The version of which charters contradict each other, and how many they are.
fn rivals(bench: &Bench) -> (u64, usize) {
    let split = bench.node.splits.charter.as_ref().expect("a proof");
    (split.version(), split.digests().count())
}

/// A peer shows proofs; what the operator is told of them.
fn shown(bench: &mut Bench, charters: Option<[&SignedCharter; 2]>, manifests: &[[&SignedManifest; 2]]) -> Vec<Event> {
    let charters = charters.map(|[one, other]| CharterSplit::new(one.clone(), other.clone()).encode());
    let manifests: Vec<Vec<u8>> =
        manifests.iter().map(|[one, other]| ManifestSplit::new((*one).clone(), (*other).clone()).encode()).collect();
    let turn = Turn { now: Now(bench.now), random: Randomness::new([1; 32]) };
    assert_eq!(bench.node.take_splits(&turn, &charters.unwrap_or_default(), &manifests).unwrap(), Ok(()));
    events(&bench.tick(1)).into_iter().filter(|event| matches!(event, Event::Split { .. })).collect()
}

#[test]
fn a_third_charter_of_a_version_joins_the_proof() {
    let all = Branches::new();
    let mut bench = Bench::new();
    bench.publish(file(&all.old, all.one.clone())).0.unwrap();
    for (charter, count) in [(&all.other, 2), (&all.other, 2), (&all.third, 3)] {
        bench.publish(file(&all.old, charter.clone())).0.unwrap_err();
        assert_eq!(rivals(&bench), (2, count));
    }
}

#[test]
fn of_two_versions_signed_twice_the_first_that_was_found_counts_until_it_is_settled() {
    let all = Branches::new();
    let mut bench = all.held();
    bench.publish(file(&all.of_one, all.fourth.clone())).0.unwrap_err();
    bench.publish(file(&all.old, all.other.clone())).0.unwrap_err();
    assert_eq!(rivals(&bench), (3, 2));
    bench.choose(file(&all.of_one, all.three.clone())).unwrap();
    bench.publish(file(&all.old, all.other.clone())).0.unwrap_err();
    assert_eq!(rivals(&bench), (2, 2));
    assert!(bench.node.splits.freeze());
}

#[test]
fn who_chooses_the_side_that_is_held_keeps_what_followed_it() {
    let all = Branches::new();
    for (chosen, version) in [(&all.one, (3, "Three")), (&all.other, (2, "Other"))] {
        let mut bench = all.held();
        bench.publish(file(&all.old, all.other.clone())).0.unwrap_err();
        bench.choose(file(&all.old, chosen.clone())).unwrap();
        assert_eq!(bench.version(), (version.0, version.1.to_owned()));
        assert!(!bench.node.splits.freeze());
    }
}

#[test]
fn newer_manifests_beside_a_charter_that_is_held_are_taken_up_also_while_membership_is_frozen() {
    let all = Branches::new();
    let mut bench = Bench::new();
    bench.publish(file(&all.old, all.one.clone())).0.unwrap();
    bench.publish(file(&all.old, all.other.clone())).0.unwrap_err();
    let newer = all.of_one.with_manifest(manifest(&all.of_one, "MZ", 60)).unwrap().unwrap();
    let of_mozambique = |federation: &Federation| federation.manifest(code("MZ")).unwrap().version();
    // The operator's charter file has it at the start, beside a charter that is not taken up now.
    let later = with(&newer, all.three.clone());
    let myself = Myself { member: code("GE"), log: log("GE"), seal_keys: BTreeMap::new(), guard_intact: true };
    let node = Node::load(bench.disk.clone(), later, myself, Settings::default()).unwrap();
    assert_eq!((node.federation().charter().version(), of_mozambique(node.federation())), (2, 2));
    // Or that by which the charter that is held is chosen.
    bench.choose(newer.published().encode().unwrap()).unwrap();
    assert_eq!((bench.version().1.as_str(), of_mozambique(bench.node.federation())), ("One", 2));
}

#[test]
fn proofs_that_peers_show_are_put_together_and_the_first_that_is_open_counts() {
    let all = Branches::new();
    let told = |version| vec![Event::Split { manifest: None, version }];
    let mut bench = all.held();
    assert_eq!(shown(&mut bench, Some([&all.one, &all.other]), &[]), told(2));
    assert_eq!(shown(&mut bench, Some([&all.one, &all.third]), &[]), told(2));
    assert_eq!(shown(&mut bench, Some([&all.one, &all.other]), &[]), [], "that is known");
    assert_eq!(rivals(&bench), (2, 3));
    assert_eq!(shown(&mut bench, Some([&all.three, &all.fourth]), &[]), [], "a later one waits");
    assert_eq!(rivals(&bench), (2, 3));
    bench.choose(file(&all.old, all.one.clone())).unwrap();
    assert_eq!(shown(&mut bench, Some([&all.three, &all.fourth]), &[]), told(3), "that one is settled");
    assert_eq!(rivals(&bench), (3, 2));
    assert_eq!(shown(&mut bench, Some([&all.one, &all.third]), &[]), [], "an earlier one waits as well");
    bench.choose(file(&all.of_one, all.three.clone())).unwrap();
    assert_eq!(shown(&mut bench, Some([&all.one, &all.third]), &[]), [], "one before what is settled changes nothing");
    assert_eq!(rivals(&bench), (3, 2));
}

#[test]
fn while_membership_is_frozen_a_charter_file_changes_nothing_at_the_start_either() {
    let all = Branches::new();
    let mut bench = Bench::new();
    bench.publish(file(&all.old, all.one.clone())).0.unwrap();
    bench.publish(file(&all.old, all.other.clone())).0.unwrap_err();
    let later = with(&all.of_one, all.three.clone());
    let myself = |member: &str| Myself {
        member: code(member),
        log: log(member),
        seal_keys: BTreeMap::new(),
        guard_intact: true,
    };
    let node = Node::load(bench.disk.clone(), later, myself("GE"), Settings::default()).unwrap();
    assert_eq!(node.federation().charter().version(), 2);
}

#[test]
fn two_manifests_of_one_version_are_told_once_whether_a_peer_or_the_charter_file_has_the_second() {
    let old = federation();
    let [one, other] = [60, 70].map(|seconds| manifest(&old, "TR", seconds));
    let split = Event::Split { manifest: Some(code("TR")), version: 2 };
    let mut bench = Bench::new();
    assert_eq!(shown(&mut bench, None, &[[&one, &other]]), std::slice::from_ref(&split));
    assert_eq!(shown(&mut bench, None, &[[&one, &other]]), []);
    let of = |manifest: &SignedManifest| old.with_manifest(manifest.clone()).unwrap().unwrap();
    let mut bench = Bench::new();
    bench.publish(of(&one).published().encode().unwrap()).0.unwrap();
    for told in [true, false] {
        let seal_keys = BTreeMap::new();
        let myself = Myself { member: code("GE"), log: log("GE"), seal_keys, guard_intact: true };
        bench.node = Node::load(bench.disk.clone(), of(&other), myself, Settings::default()).unwrap();
        assert_eq!(events(&bench.tick(100)).contains(&split), told);
        assert_eq!(bench.node.splits.manifests.len(), 1);
    }
}

#[test]
fn when_a_member_is_suspended_the_others_get_new_lanes_and_it_gets_none() {
    let old = federation();
    let mut bench = Bench::ready();
    let slots = |bench: &Bench, lanes: &str| {
        let lanes = bench.node.view().own_lanes(id(lanes)).unwrap().unwrap();
        lanes.slots.into_keys().map(|member| member.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(slots(&bench, "GE-0"), MEMBERS);
    bench.publish(file(&old, next(&old, &COUNTRIES, standing("W1", MemberStatus::Suspended)))).0.unwrap();
    bench.tick(1_000);
    assert_eq!(slots(&bench, "GE-1"), COUNTRIES);
    let statement = bench.node.view().statement(id("GE-1")).unwrap().unwrap();
    let body = bench.node.store().get(&crate::ledger::Key::Lanes(id("GE-1"))).unwrap().unwrap().bytes;
    assert_eq!((statement.binds, statement.lanes), (Binds::Lanes, 1));
    assert_eq!(statement.size_class, crate::seal::size_class(body.len() as u64));
}
