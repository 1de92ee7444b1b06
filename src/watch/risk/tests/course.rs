//! R11 to R15 and R19.

use super::*;

#[test]
fn r11_overdue_counts_more_with_every_day() {
    let mut world = World::new();
    let (notified, _) = world.left("2026-01-05", plain(), json!({"arrival": {"latest": "2026-02-01"}}));
    // Fourteen days of grace by sea.
    let points = |day: &str| hit(&world.assess(&notified, day), Code::R11).map(|hit| hit.points);
    let grown = ["2026-02-15", "2026-02-16", "2026-03-02", "2026-03-17", "2027-01-01"].map(points);
    assert_eq!(grown, [None, Some(15), Some(27), Some(40), Some(40)]);
    let assessment = world.assess(&notified, "2026-03-02");
    assert_eq!(fact(&assessment, Code::R11, "due by").as_deref(), Some("2026-02-15"));
    assert_eq!(fact(&assessment, Code::R11, "days overdue").as_deref(), Some("15"));
}

fn tonnes(tonnes: &str) -> Json {
    json!([{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": tonnes, "unit": "TNE"},
        "packages": [{"type": "BG", "count": 4000}]}])
}

fn received(goods: Json, terms: Option<Json>) -> (World, String) {
    let mut world = World::new();
    let mut notification = plain();
    if let Some(terms) = terms {
        let policy =
            world.say("MZ", "2026-01-01", "G03", json!({"terms": terms, "effective_from": "2026-01-01", "to": []}));
        notification["policies"] = json!([policy]);
    }
    let (notified, left) = world.left("2026-01-05", notification, json!({}));
    world.say("MZ", "2026-02-05", "E19", json!({"answers": left, "consignment": notified, "goods": goods}));
    (world, notified)
}

#[test]
fn r12_what_came_is_not_what_left() {
    let of = |goods: Json, terms: Option<Json>| {
        let (world, notified) = received(goods, terms);
        found(&world, &notified, "2026-02-06", Code::R12)
    };
    let differs =
        || Found::Hit("What was received is not what left, beyond what the importing country bears with.".to_owned());
    assert_eq!(of(tonnes("100"), None), Found::Clear);
    assert_eq!(of(tonnes("99.950"), None), Found::Clear);
    assert_eq!(of(tonnes("97"), None), differs());
    assert_eq!(of(tonnes("103"), None), differs());
    let bears = json!({"tolerances": {"packaged": {"green_ppm": 20_000, "amber_ppm": 30_000}},
        "floors": [{"substance": "ammonium-nitrate", "pure_mass_g": 5_000_000}]});
    assert_eq!(of(tonnes("98"), Some(bears.clone())), Found::Clear);
    assert_eq!(of(tonnes("96"), Some(bears)), differs());
    let (world, notified) = received(tonnes("97"), None);
    let assessment = world.assess(&notified, "2026-02-06");
    assert_eq!(fact(&assessment, Code::R12, "received").as_deref(), Some("97 t"));
}

/// A shipment is discrepant by a tonne in a hundred, and an officer is told so; that scales differ makes nobody suspect.
#[test]
fn r12_and_r19_pass_over_what_scales_differ_by() {
    let (world, notified) = received(tonnes("99"), None);
    let consignments = world.consignments();
    let consignment = &consignments[&id(&notified)];
    assert_eq!(consignment.shipments[0].state, crate::watch::State::Discrepant);
    assert_eq!(found(&world, &notified, "2026-02-06", Code::R12), Found::Clear);
    // Bags that are missing are no matter of scales.
    let mut goods = tonnes("99");
    goods[0]["packages"][0]["count"] = json!(3_960);
    assert!(matches!(r12_of(goods), Found::Hit(_)));
    let world = pair(10, "99");
    assert_eq!(found(&world, "GE-21", "2026-01-08", Code::R19), Found::Clear);
}

fn r12_of(goods: Json) -> Found {
    let (world, notified) = received(goods, None);
    found(&world, &notified, "2026-02-06", Code::R12)
}

/// Ten consignments of a pair, so many of which came with another weight, and the notification `GE-21`.
fn pair(wrong: usize, came: &str) -> World {
    let mut world = World::new();
    for number in 0..10 {
        let (notified, left) = world.left("2026-01-05", plain(), json!({}));
        let goods = tonnes(if number < wrong { came } else { "100" });
        world.say("MZ", "2026-01-06", "E19", json!({"answers": left, "consignment": notified, "goods": goods}));
    }
    world.say("GE", "2026-01-07", "E02", plain());
    world
}

#[test]
fn r12_a_solution_that_lost_its_strength() {
    let of = |came_ppm: u32| {
        let goods = |ppm: u32| {
            json!([{"substance": "hydrogen-peroxide", "hs6": "284700", "concentration_ppm": ppm,
            "net": {"value": "20", "unit": "TNE"}}])
        };
        let mut world = World::new();
        let (notified, left) = world.left("2026-01-05", with(plain(), json!({"goods": goods(350_000)})), json!({}));
        world.say(
            "MZ",
            "2026-02-05",
            "E19",
            json!({"answers": left, "consignment": notified, "goods": goods(came_ppm)}),
        );
        found(&world, &notified, "2026-02-06", Code::R12)
    };
    assert_eq!(of(350_000), Found::Clear);
    assert!(matches!(of(70_000), Found::Hit(_)));
}

#[test]
fn r13_nobody_looked_at_the_end_use() {
    let (mut world, notified) = received(tonnes("100"), None);
    check(&world, &notified, "2026-04-06", Code::R13, None);
    check(&world, &notified, "2026-04-07", Code::R13, Some("Nobody has verified the end use in time."));
    let import = world.records.keys().filter(|id| id.log.member == member("MZ")).max().expect("the import").to_string();
    let verified = json!({"answers": import, "consignment": notified, "verification": "verified"});
    world.say("MZ", "2026-04-08", "E21", verified);
    check(&world, &notified, "2026-06-01", Code::R13, None);
    let (world, notified) = received(tonnes("100"), Some(json!({"end_use_days": 10})));
    check(&world, &notified, "2026-02-16", Code::R13, Some("Nobody has verified the end use in time."));
}

fn amend(world: &mut World, notified: &str, path: &str, value: Json) {
    let changes = json!([{"path": path, "value": value}]);
    let json = json!({"answers": notified, "consignment": notified, "reason": "typing error", "changes": changes});
    world.say("GE", "2026-01-06", "E10", json);
}

#[test]
fn r14_amended_again_and_again() {
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-05", "E02", plain());
    amend(&mut world, &notified, "/consignee/name", json!("Another"));
    amend(&mut world, &notified, "/remarks", json!("hello"));
    check(&world, &notified, "2026-01-07", Code::R14, None);
    amend(&mut world, &notified, "/goods/0/net/value", json!("120"));
    let words = "Consignee, destination or goods changed again and again.";
    check(&world, &notified, "2026-01-07", Code::R14, Some(words));

    let (left, _) = world.left("2026-01-05", plain(), json!({}));
    amend(&mut world, &left, "/unloading", json!({"unlocode": "MZMPM"}));
    check(&world, &left, "2026-01-07", Code::R14, None);
    amend(&mut world, &left, "/consignee/name", json!("Another"));
    let words = "Consignee, destination or goods were to change after the departure.";
    check(&world, &left, "2026-01-07", Code::R14, Some(words));
}

#[test]
fn r15_left_without_a_reply() {
    let mut world = World::new();
    let (cleared, _) = world.left("2026-01-05", plain(), json!({}));
    check(&world, &cleared, "2026-01-07", Code::R15, None);
    let early = world.say("GE", "2026-01-05", "E02", plain());
    world.say("GE", "2026-01-06", "E13", json!({"answers": early, "consignment": early, "goods": tonnes("100")}));
    let words = "The goods left without the consent of the importing country, or against an objection.";
    check(&world, &early, "2026-01-07", Code::R15, Some(words));
    let silent = world.say("GE", "2026-01-05", "E02", with(plain(), json!({"reply_by": "2026-01-10"})));
    let decision =
        json!({"answers": silent, "consignment": silent, "decision": "released-without-reply", "legal_basis": "law"});
    world.say("GE", "2026-01-11", "E09", decision);
    check(&world, &silent, "2026-01-12", Code::R15, None);
    world.say("GE", "2026-01-12", "E13", json!({"answers": silent, "consignment": silent, "goods": tonnes("100")}));
    let words = "The goods left, and the importing country has not answered.";
    check(&world, &silent, "2026-01-13", Code::R15, Some(words));
}

#[test]
fn r19_a_pair_that_often_disagrees() {
    let of = |wrong: usize| found(&pair(wrong, "90"), "GE-21", "2026-01-08", Code::R19);
    assert_eq!(of(2), Found::Clear);
    assert_eq!(of(3), Found::Hit("What arrives between these two countries is often not what left.".to_owned()));
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-07", "E02", plain());
    assert!(matches!(found(&world, &notified, "2026-01-08", Code::R19), Found::Unknown(_)));
}
