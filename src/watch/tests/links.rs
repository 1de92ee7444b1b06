//! Arrivals that nobody announced, and the announcements that they belong to.

use serde_json::{Value as Json, json};

use super::scenarios::{World, nitrate};
use super::*;
use crate::watch::reconcile::{Hold, Keys, Level, Link, LinkDecision, LinkDecisions, Links, Meaning};

fn links(world: &World) -> Links {
    let records = world.records.iter().cloned().collect();
    let mut links = Links::default();
    for consignment in consignments(world.records.clone()).values() {
        links.put(Keys::of(&Dossier { consignment, records: &records }).expect("it is held"));
    }
    links
}

/// An announced consignment of 20 t from Georgia to Mozambique that left on 7 January.
fn announced() -> World {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say(
        "GE",
        "2026-01-07",
        "E13",
        json!({"answers": "GE-1", "goods": nitrate("20"), "mrn": "06DE586600006143E1", "bill_of_lading": "BL 77",
        "containers": [{"number": "CSQU3054383", "seals": ["S1"]}]}),
    );
    world
}

/// Nothing that an arrival could be found by.
fn bare(tonnes: &str) -> Json {
    json!({"to": ["GE"], "export_country": "GE", "goods": nitrate(tonnes)})
}

fn with(mut json: Json, more: Json) -> Json {
    more.as_object().into_iter().flatten().for_each(|(field, value)| json[field] = value.clone());
    json
}

/// The links of an import that `by` records and nobody announced.
fn found(by: &str, import: Json) -> Vec<(Level, Hold, Meaning, String)> {
    let mut world = announced();
    let arrival = id(&world.say(by, "2026-02-10", "E19", import));
    let of = |link: Link| {
        assert_eq!((link.arrival, link.announced), (arrival, id("GE-1")));
        (link.level, link.hold, link.meaning, link.words)
    };
    links(&world).of(arrival, &LinkDecisions::default()).into_iter().map(of).collect()
}

#[test]
fn references_hold_and_likeness_is_proposed() {
    let consignee = json!({"consignee": {"name": "SYNTHETIC MINING SUPPLIES Ltd", "country": "MZ"}});
    for (more, level, hold, words) in [
        (json!({"parents": ["GE-1"]}), Level::Named, Hold::Certain, "the arrival names GE-1"),
        (json!({"ucr": "3ge204567890-1"}), Level::Reference, Hold::Certain, "UCR 3GE204567890-1 from GE"),
        (json!({"mrn": "06DE586600006143E1"}), Level::Movement, Hold::Certain, "MRN 06DE586600006143E1"),
        (
            json!({"containers": [{"number": "CSQU3054383"}], "bill_of_lading": "bl77"}),
            Level::Carriage,
            Hold::Proposed,
            "container CSQU3054383 and bill of lading BL77",
        ),
        (consignee.clone(), Level::Likeness, Hold::Proposed, "ammonium-nitrate, 20 t and 19.9 t, 1 of the parties"),
    ] {
        let links = found("MZ", with(bare("19.9"), more.clone()));
        assert_eq!(links, [(level, hold, Meaning::Arrival, words.to_owned())], "{more}");
    }
    for nothing in [
        json!({"ucr": "3GE204567890-2", "bill_of_lading": "BL77"}),
        with(consignee, json!({"goods": nitrate("18.9")})),
        json!({"consignee": {"name": "Synthetic Mining Supplies", "country": "LB"}}),
        json!({"export_country": "TR", "ucr": "3GE204567890-1", "mrn": "06DE586600006143E1"}),
    ] {
        assert_eq!(found("MZ", with(bare("20"), nothing.clone())), [], "{nothing}");
    }
}

#[test]
fn an_arrival_elsewhere_is_a_diversion() {
    let links = found("LB", with(bare("20"), json!({"ucr": "3GE204567890-1"})));
    assert_eq!((links[0].1, links[0].2), (Hold::Certain, Meaning::Diversion));
    // Nobody says where it comes from: then the reference alone does not do.
    let links = found("LB", json!({"to": ["GE"], "goods": nitrate("20"), "ucr": "3GE204567890-1"}));
    assert_eq!((links[0].0, links[0].1, links[0].2), (Level::Reference, Hold::Proposed, Meaning::Diversion));
}

#[test]
fn a_reference_of_two_announcements_is_proposed_and_what_came_already_comes_again() {
    let mut world = announced();
    let arrival = world.say("MZ", "2026-02-10", "E19", with(bare("20"), json!({"ucr": "3GE204567890-1"})));
    world.notify("2026-01-05", nitrate("35"), json!({}));
    let seen = links(&world).of(id(&arrival), &LinkDecisions::default());
    assert_eq!(seen.iter().map(|link| link.hold).collect::<Vec<_>>(), [Hold::Proposed, Hold::Proposed]);

    let mut world = announced();
    world.say("MZ", "2026-02-09", "E19", json!({"answers": "GE-2", "goods": nitrate("20")}));
    let arrival = world.say("MZ", "2026-02-10", "E19", with(bare("20"), json!({"ucr": "3GE204567890-1"})));
    let link = links(&world).held(id(&arrival), &LinkDecisions::default()).expect("a reference");
    assert_eq!((link.meaning, link.to_json()["meaning"].clone()), (Meaning::Again, json!("again")));
}

#[test]
fn an_officer_has_the_last_word() {
    let mut world = announced();
    let consignee = json!({"consignee": {"name": "Synthetic Mining Supplies"}});
    let like = id(&world.say("MZ", "2026-02-10", "E19", with(bare("20"), consignee)));
    let sure = id(&world.say("MZ", "2026-02-11", "E19", with(bare("20"), json!({"ucr": "3GE204567890-1"}))));
    let lost = id(&world.say("MZ", "2026-02-12", "E19", bare("3")));
    let links = links(&world);
    assert_eq!(links.arrivals().collect::<Vec<_>>(), [like, sure, lost]);
    let decide = |arrival, holds, day: &str| LinkDecision {
        arrival,
        announced: id("GE-1"),
        holds,
        officer: "officer 7".to_owned(),
        reason: "papers seen".to_owned(),
        at: super::scenarios::noon(day),
    };
    let none = LinkDecisions::default();
    assert_eq!((links.held(like, &none), links.held(lost, &none)), (None, None));
    let decisions: LinkDecisions = [
        decide(like, true, "2026-02-12"),
        decide(like, false, "2026-02-11"),
        decide(sure, false, "2026-02-12"),
        decide(lost, true, "2026-02-12"),
    ]
    .into_iter()
    .collect();
    let level = |arrival| links.held(arrival, &decisions).map(|link| (link.level, link.hold));
    assert_eq!(level(like), Some((Level::Likeness, Hold::Confirmed)), "the newer decision counts");
    assert_eq!(level(lost), Some((Level::Officer, Hold::Confirmed)));
    assert_eq!(level(sure), None);
    assert_eq!(links.of(sure, &decisions)[0].hold, Hold::Rejected);
    let kept = serde_json::to_value(decide(like, true, "2026-02-12")).expect("a decision is kept as JSON");
    assert_eq!(serde_json::from_value::<LinkDecision>(kept).ok(), Some(decide(like, true, "2026-02-12")));
}

#[test]
fn likeness_is_bounded_in_time() {
    for (day, is_found) in [("2026-01-04", false), ("2026-01-05", true), ("2026-05-07", true), ("2026-05-08", false)] {
        let mut world = announced();
        let consignee = json!({"consignee": {"name": "Synthetic Mining Supplies"}});
        let arrival = id(&world.say("MZ", day, "E19", with(bare("20"), consignee)));
        assert_eq!(links(&world).of(arrival, &LinkDecisions::default()).len(), usize::from(is_found), "{day}");
    }
}

proptest! {
    /// Put in, taken out and put in anew in any order: what is left is as if nothing else had ever been there.
    #[test]
    fn what_was_taken_out_leaves_nothing(steps in prop::collection::vec((0_usize..6, any::<bool>()), 0..40)) {
        let mut world = announced();
        world.say("MZ", "2026-02-10", "E19", with(bare("20"), json!({"ucr": "3GE204567890-1"})));
        world.notify("2026-01-06", nitrate("20"), json!({"ucr": "3GE204567890-2"}));
        world.say("LB", "2026-02-10", "E19", with(bare("20"), json!({"consignee": {"name": "Synthetic Mining Supplies", "country": "MZ"}})));
        world.notify("2026-01-06", nitrate("21"), json!({"ucr": "3GE204567890-1"}));
        world.say("LB", "2026-02-10", "E19", with(bare("20"), json!({"mrn": "06DE586600006143E1"})));
        let records = world.records.iter().cloned().collect();
        let all = consignments(world.records.clone());
        prop_assert_eq!(all.len(), 6);
        let keys: Vec<Keys> =
            all.values().map(|consignment| Keys::of(&Dossier { consignment, records: &records }).expect("held")).collect();
        let mut links = Links::default();
        let mut left = BTreeSet::new();
        for (at, put) in steps {
            if put {
                links.put(keys[at].clone());
                left.insert(at);
            } else {
                links.remove(keys[at].consignment);
                left.remove(&at);
            }
        }
        let mut fresh = Links::default();
        left.iter().for_each(|at| fresh.put(keys[*at].clone()));
        prop_assert!(links == fresh);
    }
}
