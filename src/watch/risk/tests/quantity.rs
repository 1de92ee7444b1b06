//! R01 and R04.

use super::*;

fn of(tonnes: &str) -> Json {
    let goods = json!([{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": tonnes, "unit": "TNE"}}]);
    with(plain(), json!({"goods": goods}))
}

#[test]
fn r01_far_more_than_this_importer_was_sent() {
    let mut world = World::new();
    for (day, tonnes) in [("2026-01-05", "90"), ("2026-02-05", "100"), ("2026-03-05", "110"), ("2026-04-05", "105")] {
        world.say("GE", day, "E02", of(tonnes));
    }
    let fifth = world.say("GE", "2026-05-05", "E02", of("5000"));
    let few = found(&world, &fifth, "2026-05-06", Code::R01);
    assert_eq!(few, Found::Unknown("5 earlier consignments of ammonium-nitrate".to_owned()));
    world.say("GE", "2026-05-04", "E02", of("95"));
    let words = "Far more ammonium-nitrate than usual, held against what this importer was sent before.";
    check(&world, &fifth, "2026-05-06", Code::R01, Some(words));
    let usual = world.say("GE", "2026-06-05", "E02", of("120"));
    check(&world, &usual, "2026-06-06", Code::R01, None);
    let assessment = world.assess(&fifth, "2026-05-06");
    assert_eq!(fact(&assessment, Code::R01, "amount").as_deref(), Some("5000 t"));
    assert_eq!(fact(&assessment, Code::R01, "consignments compared").as_deref(), Some("5"));
    // After two years nothing of it is remembered.
    let late = world.say("GE", "2028-07-05", "E02", of("5000"));
    assert!(matches!(found(&world, &late, "2028-07-06", Code::R01), Found::Unknown(_)));
}

#[test]
fn r01_falls_back_to_what_the_country_was_sent() {
    let mut world = World::new();
    for (day, tonnes) in [
        ("2026-01-05", "90"),
        ("2026-02-05", "100"),
        ("2026-03-05", "110"),
        ("2026-04-05", "105"),
        ("2026-04-06", "95"),
    ] {
        world.say("GE", day, "E02", of(tonnes));
    }
    let other = json!({"consignee": {"name": "Somebody New", "country": "MZ"}});
    let notified = world.say("GE", "2026-05-05", "E02", with(of("5000"), other));
    let words = "Far more ammonium-nitrate than usual, held against what this country was sent by the exporting country before.";
    check(&world, &notified, "2026-05-06", Code::R01, Some(words));
}

/// 95 litres, declared by volume or by mass.
fn acetone(consignee: Json, by_mass: bool) -> Json {
    let amount = if by_mass {
        json!({"net": {"value": "74.48", "unit": "KGM"}})
    } else {
        json!({"net": {"value": "95", "unit": "LTR"}, "density_g_per_l": 784})
    };
    let goods = json!([with(json!({"substance": "acetone", "hs6": "291411"}), amount)]);
    with(plain(), json!({"goods": goods, "consignee": consignee}))
}

fn one() -> Json {
    json!({"name": "Small Solvents", "country": "MZ", "address": "Rua Dois 2, Maputo"})
}

/// Scenario C: six times 95 litres of acetone in twenty days, with a threshold of 100. Some are declared by mass.
#[test]
fn r04_c_six_times_just_below_the_threshold() {
    let mut world = World::new();
    let days = ["2026-01-01", "2026-01-05", "2026-01-09", "2026-01-13", "2026-01-17", "2026-01-20"];
    for (number, day) in (1..).zip(days) {
        let notified = world.say("GE", day, "E02", acetone(one(), number % 2 == 0));
        let words = format!(
            "{number} notifications of acetone to one consignee, address or telephone within 30 days stay just below the threshold, \
             and are above it together."
        );
        check(&world, &notified, day, Code::R04, (number >= 3).then_some(words.as_str()));
    }
    let third = world.assess("GE-3", "2026-01-20");
    assert_eq!(fact(&third, Code::R04, "threshold").as_deref(), Some("100 L"));
    assert_eq!(fact(&third, Code::R04, "together, in percent of the threshold").as_deref(), Some("570"));
    // The first of them belongs to it as well, once the others are known.
    assert!(hit(&world.assess("GE-1", "2026-01-20"), Code::R04).is_some());
}

#[test]
fn r04_needs_one_receiver_a_short_time_and_amounts_just_below() {
    let thrice = |consignees: [Json; 3], days: [&str; 3], litres: &str| {
        let mut world = World::new();
        let mut last = String::new();
        for (consignee, day) in consignees.into_iter().zip(days) {
            let mut json = acetone(consignee, false);
            json["goods"][0]["net"]["value"] = litres.into();
            last = world.say("GE", day, "E02", json);
        }
        matches!(found(&world, &last, days[2], Code::R04), Found::Hit(_))
    };
    let named = |name: &str, address: &str| json!({"name": name, "country": "MZ", "address": address});
    let near = ["2026-01-01", "2026-01-05", "2026-01-09"];
    assert!(thrice([one(), one(), one()], near, "95"));
    assert!(thrice([one(), one(), one()], near, "100"), "the threshold itself is not above it");
    assert!(!thrice([one(), one(), one()], near, "101"));
    assert!(!thrice([one(), one(), one()], near, "79"));
    assert!(!thrice([one(), one(), one()], ["2026-01-01", "2026-01-05", "2026-02-01"], "95"));
    let at = |name: &str| named(name, "RUA DOIS, 2 - MAPUTO");
    assert!(thrice([at("One"), at("Two"), at("Three")], near, "95"), "one address under three names");
    let others = [named("One", "Rua 1"), named("Two", "Rua 2"), named("Three", "Rua 3")];
    assert!(!thrice(others, near, "95"));
}

#[test]
fn r04_holds_what_the_importing_country_published() {
    let mut world = World::new();
    let terms = json!({"terms": {"thresholds": [{"substance": "urea", "pure_mass_g": 1_000_000}]}});
    world.say("MZ", "2026-01-01", "G03", with(terms, json!({"effective_from": "2026-01-01", "to": []})));
    let urea = |kilograms: &str| {
        let goods = json!([{"substance": "urea", "hs6": "310210", "net": {"value": kilograms, "unit": "KGM"}}]);
        with(plain(), json!({"goods": goods, "policies": ["MZ-1"]}))
    };
    for day in ["2026-01-02", "2026-01-03"] {
        world.say("GE", day, "E02", urea("900"));
    }
    let third = world.say("GE", "2026-01-04", "E02", urea("990"));
    assert!(matches!(found(&world, &third, "2026-01-05", Code::R04), Found::Hit(_)));
    world.say("GE", "2026-01-04", "E11", json!({"answers": "GE-1", "consignment": "GE-1", "reason": "not sold"}));
    check(&world, &third, "2026-01-05", Code::R04, None);
}
