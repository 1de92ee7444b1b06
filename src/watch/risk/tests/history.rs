//! What a node remembers: the same whatever the order, and nothing of what was taken out.

use proptest::prelude::*;

use super::*;

/// Consignments of a few parties in every state, with the contribution of each.
fn contributions() -> Vec<(RecordId, Contribution)> {
    let mut world = World::new();
    world.own = member("GE");
    for number in 0..4 {
        let named = json!({"consignee": {"name": format!("Consignee {}", number % 2), "country": "MZ", "address": "Rua 1"},
            "values": [{"line": 1, "amount": {"minor": 100_000 + number, "currency": "EUR"}}]});
        let container = json!({"containers": [{"number": "CSQU3054383", "seals": ["S"]}], "carrier": {"name": "Line"}});
        world.closed("2026-01-05", with(plain(), named.clone()), container.clone());
        let (notified, left) = world.left("2026-01-06", with(plain(), named.clone()), container);
        let stop = json!({"to": ["GE", "MZ"], "answers": left, "consignment": notified, "reason": "x", "requested_action": "hold"});
        world.say("TR", "2026-01-07", "E08", stop);
        let called_off = world.say("GE", "2026-01-08", "E02", with(plain(), named));
        world.say(
            "GE",
            "2026-01-09",
            "E11",
            json!({"answers": called_off, "consignment": called_off, "reason": "not sold"}),
        );
    }
    let all = world.consignments();
    let of = |(id, consignment): (&RecordId, &Consignment)| {
        let dossier = Dossier { consignment, records: &world.records };
        (*id, Contribution::of(&dossier, &standing(consignment, None, noon("2026-02-01")), None, world.own))
    };
    all.iter().map(of).collect()
}

fn history(contributions: impl IntoIterator<Item = (RecordId, Contribution)>) -> History {
    let mut history = History::default();
    for (id, contribution) in contributions {
        history.put(id, contribution, 30);
    }
    history
}

#[test]
fn what_is_taken_out_leaves_no_trace() {
    let all = contributions();
    let mut history = history(all.clone());
    assert_eq!(history.len(), 12);
    all.iter().for_each(|(id, _)| history.remove(*id));
    assert!(history.is_empty() && history == History::default());
}

#[test]
fn those_that_a_change_concerns_are_named() {
    let all = contributions();
    let of = |id: &str| all.iter().find(|(own, _)| own.to_string() == id).expect("it is there").1.clone();
    let mut history = history(all.clone());
    let (id, _) = all[0];
    let own = history.put(id, Contribution::default(), 30);
    assert!(own.is_empty(), "what says nothing concerns nobody");
    let again = history.put(id, of(&id.to_string()), 30);
    assert!(!again.is_empty() && !again.contains(&id));
    assert!(history.put(id, of(&id.to_string()), 30).is_empty(), "nothing changed");
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_gives_the_same_history(
        all in Just(contributions()).prop_shuffle(), again in prop::collection::vec((0_usize..12, 0_usize..12), 0..8),
    ) {
        let straight = history(contributions());
        let mut shuffled = history(all.clone());
        // One under the id of another, one taken out: then everything as it should be.
        for (one, other) in again {
            shuffled.put(all[one].0, all[other].1.clone(), 30);
            shuffled.remove(all[other].0);
        }
        for (id, contribution) in all {
            shuffled.put(id, contribution, 30);
        }
        prop_assert!(shuffled == straight);
    }
}
