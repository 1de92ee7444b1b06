//! Charters on a bad network: all act on the newest within seconds, and two of one version are known to all.

use super::*;
use crate::identity::{CharterDraft, Federation, MemberStatus, SignedCharter};

const COUNTRIES: [&str; 4] = ["GE", "TR", "LB", "MZ"];
const BAD: Link = Link { loss: 10, twice: 5, delay_ms: 300 };

/// The version that follows, signed by all countries.
fn next(federation: &Federation, change: impl FnOnce(&mut CharterDraft)) -> SignedCharter {
    let mut draft = federation.charter().next_draft(federation.founded_at().plus(60));
    change(&mut draft);
    let mut charter = SignedCharter::unsigned(draft.check().unwrap(), federation.id());
    COUNTRIES.iter().for_each(|member| charter.sign(code(member), &Keys::of(code(member)).root));
    charter
}

fn with(federation: &Federation, charter: SignedCharter) -> Federation {
    federation.with_charter(charter).unwrap().unwrap()
}

fn file(federation: &Federation) -> Vec<u8> {
    federation.published().encode().unwrap()
}

fn suspends(member: &'static str) -> impl FnOnce(&mut CharterDraft) {
    move |draft| draft.members.get_mut(&code(member)).unwrap().status = MemberStatus::Suspended
}

/// Runs until it holds, and gives the seconds that took.
fn seconds_until(world: &mut World, holds: impl Fn(&World) -> bool) -> i64 {
    let start = world.now();
    while !holds(world) {
        world.run(100);
        assert!(world.now().since(start) < 120_000, "not within two minutes");
    }
    world.now().since(start) / 1000
}

#[test]
fn a_suspension_is_acted_on_everywhere_within_seconds_on_a_bad_network() {
    let mut took = Vec::new();
    for seed in 0..12 {
        let mut world = World::new(seed, &MEMBERS, BAD);
        world.run(5_000 + i64::try_from(seed).unwrap() * 97);
        let old = world.node(code("GE")).federation().clone();
        world.publish(code("GE"), file(&with(&old, next(&old, suspends("TR")))));
        let acts = |world: &World| {
            let others = MEMBERS.iter().filter(|member| **member != "TR");
            others.into_iter().all(|member| !world.node(code(member)).federation().is_active(code("TR")))
        };
        took.push(seconds_until(&mut world, acts));
        // Every older charter once more, at everybody.
        for member in MEMBERS {
            world.publish(code(member), file(&old));
        }
        world.run(30_000);
        assert!(acts(&world), "seed {seed}");
        let split = |event: &Event| matches!(event, Event::Split { .. });
        assert!(MEMBERS.iter().all(|member| !world.events(code(member)).iter().any(split)), "seed {seed}");
    }
    took.sort_unstable();
    assert!(took[took.len() / 2] <= 3 && took[took.len() - 1] <= 30, "seconds: {took:?}");
}

#[test]
fn two_charters_of_one_version_are_known_to_all_and_freeze_all_whatever_the_network_does() {
    for seed in 100..108 {
        let mut world = World::new(seed, &MEMBERS, BAD);
        world.run(5_000);
        let old = world.node(code("GE")).federation().clone();
        let one = with(&old, next(&old, |draft| draft.name = "One".to_owned()));
        let other = with(&old, next(&old, |draft| draft.name = "Other".to_owned()));
        world.publish(code("GE"), file(&one));
        world.publish(code("MZ"), file(&other));
        let split = |event: &Event| matches!(event, Event::Split { manifest: None, version: 2 });
        let alarmed = |world: &World| MEMBERS.iter().all(|member| world.events(code(member)).iter().any(split));
        seconds_until(&mut world, alarmed);
        let names = |world: &World| -> Vec<String> {
            MEMBERS.iter().map(|member| world.node(code(member)).federation().charter().name().to_owned()).collect()
        };
        let before = names(&world);
        for (member, federation) in [("TR", &one), ("LB", &other), ("W1", &one)] {
            world.publish(code(member), file(&with(federation, next(federation, suspends("TR")))));
        }
        world.submit(code("GE"), 7, vec![notification("MZ", 1)]);
        world.run(60_000);
        assert_eq!(names(&world), before, "seed {seed}: who holds what does not change");
        assert!(MEMBERS.iter().all(|member| world.node(code(member)).federation().charter().version() == 2));
        let outcomes = world.outcomes(code("GE"), 7).expect("answered");
        assert!(matches!(outcomes[..], [Outcome::Logged { .. }]), "{outcomes:?}");
        assert_equal_ledgers(&world);
    }
}
