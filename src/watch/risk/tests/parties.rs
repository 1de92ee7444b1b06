//! R02, R03, R07, R08, R18, R20 and R21.

use super::*;

const DAY: &str = "2026-03-01";

fn carried(carrier: &str) -> Json {
    json!({"carrier": {"name": carrier}})
}

#[test]
fn r02_and_r03_somebody_new() {
    let mut world = World::new();
    let first = world.say("GE", "2026-01-05", "E02", plain());
    assert!(matches!(found(&world, &first, DAY, Code::R02), Found::Unknown(_)), "everybody is new to a new node");
    assert!(matches!(found(&world, &first, DAY, Code::R03), Found::Unknown(_)));
    world.closed("2026-01-06", plain(), carried("Known Line"));
    let (again, _) = world.left("2026-02-05", plain(), carried("KNOWN LINE"));
    check(&world, &again, DAY, Code::R02, None);
    check(&world, &again, DAY, Code::R03, None);

    let stranger = with(plain(), json!({"consignee": {"name": "Somebody New", "country": "MZ"}}));
    let to_stranger = world.say("GE", "2026-02-06", "E02", stranger);
    check(&world, &to_stranger, DAY, Code::R02, Some("No consignment to this consignee has come to a good end yet."));
    let pair = "No consignment of this exporter to this consignee has come to a good end yet.";
    check(&world, &to_stranger, DAY, Code::R03, Some(pair));
    let from_stranger = with(plain(), json!({"exporter": {"name": "Another Plant", "country": "GE"}}));
    let from_stranger = world.say("GE", "2026-02-06", "E02", from_stranger);
    check(&world, &from_stranger, DAY, Code::R02, None);
    check(&world, &from_stranger, DAY, Code::R03, Some(pair));
    let (by_stranger, _) = world.left("2026-02-07", plain(), carried("Unknown Line"));
    check(&world, &by_stranger, DAY, Code::R03, Some("No consignment with this carrier has come to a good end yet."));
}

#[test]
fn r07_who_may_receive() {
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-05", "E02", plain());
    check(&world, &notified, DAY, Code::R07, Some("The consignee is not a registered end user."));
    let register = |licences: Json| json!([{"party": {"name": "SYNTHETIC MINING SUPPLIES", "country": "MZ"}, "licences": licences}]);
    world.give("end_users", register(json!([{"substance": "ammonium-nitrate", "until": DAY}])));
    check(&world, &notified, DAY, Code::R07, None);
    let ended = "The consignee's licence for ammonium-nitrate ended on 2026-03-01.";
    check(&world, &notified, "2026-03-02", Code::R07, Some(ended));
    world.give("end_users", register(json!([{"substance": "urea"}])));
    check(&world, &notified, DAY, Code::R07, Some("The consignee has no licence for ammonium-nitrate."));
    world.lists = Lists::default();
    assert_eq!(found(&world, &notified, DAY, Code::R07), Found::Unknown("the register of end users".to_owned()));
    world.own = member("GE");
    check(&world, &notified, DAY, Code::R07, None);
}

#[test]
fn r08_no_premises_at_the_end() {
    let of = |consignee: Json| {
        let mut world = World::new();
        let notified = world.say("GE", "2026-01-05", "E02", with(plain(), json!({"consignee": consignee})));
        found(&world, &notified, DAY, Code::R08)
    };
    let at = |name: &str, address: &str| of(json!({"name": name, "country": "MZ", "address": address}));
    assert_eq!(at("Synthetic Mining Supplies", "Rua Um 1, Beira"), Found::Clear);
    assert_eq!(
        at("Global Logistics Ltd", "Rua Um 1"),
        Found::Hit("The final consignee only forwards goods.".to_owned())
    );
    assert_eq!(at("Synthetic", "P.O. Box 77, Beira"), Found::Hit("The final destination is a postal box.".to_owned()));
    assert_eq!(
        at("Synthetic", "Plot 5, Free Zone"),
        Found::Hit("The final destination lies in a free zone.".to_owned())
    );
    assert_eq!(of(json!({"name": "Synthetic"})), Found::Unknown("the address of the consignee".to_owned()));

    let mut world = World::new();
    let (notified, left) = world.left("2026-01-05", plain(), json!({}));
    let import = json!({"answers": left, "consignment": notified, "goods": plain()["goods"], "release": "free-zone"});
    world.say("MZ", "2026-02-05", "E19", import);
    check(&world, &notified, DAY, Code::R08, Some("The goods were released into a free zone."));
}

#[test]
fn r18_a_trade_or_season_that_does_not_fit() {
    let of = |sector: Json, lists: Json| {
        let mut world = World::new();
        world.lists = serde_json::from_value(lists).expect("lists");
        let consignee = with(plain()["consignee"].clone(), sector);
        let changes = json!({"consignee": consignee, "arrival": {"latest": "2026-02-20"}});
        let notified = world.say("GE", "2026-01-05", "E02", with(plain(), changes));
        found(&world, &notified, DAY, Code::R18)
    };
    let none = || json!({});
    for sector in ["mining", "Agricultural cooperative", "0811", "01.11"] {
        assert_eq!(of(json!({"sector": sector}), none()), Found::Clear, "{sector}");
    }
    let words = "The consignee's sector has no known use for ammonium-nitrate.";
    for sector in ["textiles", "5610"] {
        assert_eq!(of(json!({"sector": sector}), none()), Found::Hit(words.to_owned()), "{sector}");
    }
    assert_eq!(of(json!({"sector": null}), none()), Found::Unknown("the sector of the consignee".to_owned()));
    let season = |months: Json| json!({"seasons": {"ammonium-nitrate": months}});
    assert_eq!(of(json!({}), season(json!([1, 2]))), Found::Clear);
    let late = "It arrives outside of the season of ammonium-nitrate.";
    assert_eq!(of(json!({}), season(json!([8, 9]))), Found::Hit(late.to_owned()));
}

#[test]
fn r20_a_party_that_is_watched_or_had_to_do_with_an_incident() {
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-05", "E02", plain());
    check(&world, &notified, DAY, Code::R20, None);
    world.give("watch", json!([{"party": {"name": "Rustavi Test Nitrogen", "country": "GE"}, "reason": "case 7"}]));
    check(&world, &notified, DAY, Code::R20, Some("The exporter is on the watch list."));
    assert_eq!(fact(&world.assess(&notified, DAY), Code::R20, "reason").as_deref(), Some("case 7"));
    world.lists = Lists::default();
    assert_eq!(found(&world, &notified, DAY, Code::R20), Found::Unknown("the watch list".to_owned()));

    let (other, left) = world.left("2026-01-06", plain(), json!({}));
    let seizure = json!({"to": ["GE"], "answers": left, "consignment": other, "happened_at": "2026-01-20T00:00:00Z",
        "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "1", "unit": "TNE"}}]});
    let seizure = world.say("MZ", "2026-01-20", "A06", seizure);
    assert!(
        matches!(found(&world, &notified, DAY, Code::R20), Found::Hit(words) if words.contains("The consignee had to do with an earlier seizure."))
    );
    assert!(!matches!(found(&world, &other, DAY, Code::R20), Found::Hit(_)), "its own seizure is no earlier one");
    world.say("MZ", "2026-01-21", "A08", json!({"answers": seizure, "consignment": other, "reason": "mistaken"}));
    assert!(!matches!(found(&world, &notified, DAY, Code::R20), Found::Hit(_)));
}

#[test]
fn r21_a_stop_request_for_the_same_party() {
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-05", "E02", plain());
    let (other, left) = world.left("2026-01-06", plain(), json!({}));
    check(&world, &notified, DAY, Code::R21, None);
    let stop =
        json!({"to": ["GE", "MZ"], "answers": left, "consignment": other, "reason": "x", "requested_action": "hold"});
    world.say("TR", "2026-01-07", "E08", stop);
    let words = "The exporter has another consignment that a country asked to stop. \
                 The consignee has another consignment that a country asked to stop.";
    check(&world, &notified, DAY, Code::R21, Some(words));
    check(&world, &other, DAY, Code::R21, None);
}
