//! R06, R16 and R17.

use super::*;

const DAY: &str = "2026-01-20";

fn by(places: &[&str]) -> Json {
    let itinerary: Vec<Json> = places.iter().map(|place| json!({"unlocode": place})).collect();
    json!({"itinerary": itinerary})
}

#[test]
fn r06_a_country_at_risk_a_detour_and_no_port() {
    let of = |places: &[&str]| {
        let mut world = World::new();
        let lists = json!({
            "high_risk_countries": ["SY"],
            "places": {
                "GEBUS": {"functions": "1-345---", "position": {"latitude": 2499, "longitude": 2498}},
                "GETBS": {"functions": "--345---", "position": {"latitude": 2503, "longitude": 2688}},
                "SYLTK": {"functions": "1-------", "position": {"latitude": 2131, "longitude": 2147}},
                "TRIST": {"functions": "12345---", "position": {"latitude": 2461, "longitude": 1738}},
                "SGSIN": {"functions": "12345---", "position": {"latitude": 77, "longitude": 6231}},
                "MZBEW": {"functions": "1--45---", "position": {"latitude": -1190, "longitude": 2090}},
            },
        });
        world.lists = serde_json::from_value(lists).expect("lists");
        let notified = world.say("GE", "2026-01-05", "E02", with(plain(), by(places)));
        let assessment = world.assess(&notified, DAY);
        (found(&world, &notified, DAY, Code::R06), fact(&assessment, Code::R06, "percent of the straight way"))
    };
    assert_eq!(of(&["GEBUS", "TRIST", "MZBEW"]).0, Found::Clear);
    assert_eq!(
        of(&["GEBUS", "SYLTK", "MZBEW"]).0,
        Found::Hit("The goods pass through a high-risk country.".to_owned())
    );
    let (detour, percent) = of(&["GEBUS", "SGSIN", "MZBEW"]);
    assert_eq!(detour, Found::Hit("The route is a long detour.".to_owned()));
    assert_eq!(percent.as_deref(), Some("225"), "7,640 km and 7,871 km in place of 6,872");
    assert_eq!(of(&["GEBUS", "GETBS", "MZBEW"]).0, Found::Hit("A place on the way by sea has no port.".to_owned()));
    assert!(matches!(of(&["GEBUS", "EGPSD", "MZBEW"]).0, Found::Unknown(_)));
}

fn boxed(container: &str, seal: &str, bill: &str) -> Json {
    json!({"containers": [{"number": container, "seals": [seal]}], "bill_of_lading": bill})
}

#[test]
fn r16_one_container_in_two_consignments_under_way() {
    let mut world = World::new();
    let (one, left) = world.left("2026-01-05", plain(), boxed("CSQU3054383", "S-1", "BL 1"));
    let (two, _) = world.left("2026-01-06", plain(), boxed("CSQU3054383", "S-2", "BL 2"));
    let (three, _) = world.left("2026-01-06", plain(), boxed("MSKU1234565", "S 3", "BL 3"));
    let (four, _) = world.left("2026-01-06", plain(), json!({}));
    let words = "Another consignment under way has the same container, seal or bill of lading.";
    check(&world, &one, DAY, Code::R16, Some(words));
    check(&world, &two, DAY, Code::R16, Some(words));
    check(&world, &three, DAY, Code::R16, None);
    assert!(matches!(found(&world, &four, DAY, Code::R16), Found::Unknown(_)));
    let (five, _) = world.left("2026-01-07", plain(), boxed("CSQU3054385", "S3", "bl-3"));
    assert!(matches!(found(&world, &five, DAY, Code::R16), Found::Hit(_)), "bill 3 however it is typed");
    // What has arrived gives its container back.
    world.say("MZ", "2026-01-15", "E18", json!({"answers": left, "consignment": one}));
    check(&world, &two, DAY, Code::R16, None);
}

#[test]
fn r16_a_seal_that_changed_on_the_way() {
    let seen = |seal: &str, opened: bool| {
        let mut world = World::new();
        let (notified, left) = world.left("2026-01-05", plain(), boxed("CSQU3054383", "S-1", "BL 1"));
        if opened {
            let entry =
                json!({"answers": left, "consignment": notified, "to": ["GE", "MZ"], "place": {"unlocode": "TRIST"}});
            world.say("TR", "2026-01-08", "E14", entry);
        }
        let containers = json!([{"number": "CSQU3054383", "seals": [seal]}]);
        world.say(
            "MZ",
            "2026-01-15",
            "E18",
            json!({"answers": left, "consignment": notified, "containers": containers}),
        );
        found(&world, &notified, DAY, Code::R16)
    };
    let words = "The seal of a container changed, and nobody says that it was opened on the way.";
    assert_eq!(seen("X 9", false), Found::Hit(words.to_owned()));
    assert_eq!(seen("s1", false), Found::Clear);
    assert_eq!(seen("X 9", true), Found::Clear);
}

#[test]
fn r17_seen_where_nobody_announced_it() {
    let seen = |who: &str, itinerary: Json| {
        let mut world = World::new();
        let (notified, left) = world.left("2026-01-05", with(plain(), itinerary), json!({}));
        let entry = json!({"answers": left, "consignment": notified, "to": ["GE", "MZ"], "place": {"country": who}});
        world.say(who, "2026-01-08", "E14", entry);
        found(&world, &notified, DAY, Code::R17)
    };
    let words = "The goods were seen in a country that was not announced.";
    assert_eq!(seen("TR", json!({})), Found::Clear);
    assert_eq!(seen("LB", json!({})), Found::Hit(words.to_owned()));
    assert_eq!(seen("LB", json!({"itinerary": []})), Found::Unknown("the itinerary".to_owned()));
    let mut world = World::new();
    let (notified, _) = world.left("2026-01-05", plain(), by(&["GEBUS", "LBBEY", "MZBEW"]));
    check(&world, &notified, DAY, Code::R17, Some("The goods left by a route that was not announced."));
}
