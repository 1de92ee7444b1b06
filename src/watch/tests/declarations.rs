//! What two countries declare of the same goods: what nobody announced, and what difference is borne with.

use serde_json::{Value as Json, json};

use super::scenarios::{World, net, nitrate, with_policy};
use super::*;

#[test]
fn e_an_import_of_which_nobody_heard() {
    let mut world = World::default();
    let import = world.say(
        "MZ",
        "2026-02-01",
        "E19",
        json!({"to": ["GE"], "export_country": "GE", "ucr": "3GE204567890-9", "goods": nitrate("20")}),
    );
    let now = |world: &World, name: &str| consignments(world.records.clone()).remove(&id(name)).expect("a consignment");
    let stands = |world: &World| {
        let consignment = now(world, "MZ-1");
        (consignment.state, consignment.flags.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(stands(&world), (Some(State::Imported), vec![Flag::ArrivedUnannounced]));
    let unannounced = now(&world, "MZ-1");
    let countries = (unannounced.countries.exporting, unannounced.countries.importing);
    assert_eq!(countries, ("GE".parse().ok(), "MZ".parse().ok()));
    assert_eq!(unannounced.substances, BTreeSet::from(["ammonium-nitrate".to_owned()]));
    let sums = net(&unannounced, "ammonium-nitrate");
    assert_eq!((sums.notified, sums.received, sums.excess), (0, 20_000_000, 20_000_000));

    // The exporting country reads it, and can be asked; there is nothing to reply to or to call off.
    let readers = |name: &str| {
        let record = &world.records.iter().find(|(record, _)| *record == id(name)).expect("it is there").1;
        let whole = crate::record::Record::from_content(record.content()).expect("a whole record");
        whole.readers("MZ".parse().expect("a member"), [])
    };
    let both = ["GE", "MZ"].map(|code| code.parse().expect("a member")).into_iter().collect();
    assert_eq!(readers("MZ-1")[&Compartment::TRADE], both);
    let question = world.say(
        "MZ",
        "2026-02-02",
        "E04",
        json!({"answers": import, "consignment": import, "questions": ["What left?"]}),
    );
    let consent = world.say("MZ", "2026-02-02", "E06", json!({"answers": import, "consignment": import}));
    world.say(
        "GE",
        "2026-02-03",
        "E05",
        json!({"answers": question, "consignment": import, "responses": ["We look into it."]}),
    );
    let faults: Vec<_> = illegal(&now(&world, "MZ-1"));
    assert_eq!(faults, [(consent, Illegal::NotAnnounced)]);
    world.say("GE", "2026-02-04", "E13", json!({"answers": import, "consignment": import, "goods": nitrate("20")}));
    assert_eq!(stands(&world), (Some(State::Reconciled), vec![Flag::UnclearedDeparture]), "it is told late");
}

#[test]
fn e_an_arrival_from_a_country_that_nobody_knows() {
    let mut world = World::default();
    let container = json!([{"number": "CSQU3054383", "seals": ["S1"]}]);
    let arrival = world.say("MZ", "2026-02-01", "E18", json!({"to": ["GE"], "containers": container}));
    let import = json!({"to": ["GE"], "answers": arrival, "consignment": arrival, "goods": nitrate("20")});
    world.say("MZ", "2026-02-03", "E19", import);
    let all = consignments(world.records.clone());
    let consignment = &all[&id("MZ-1")];
    assert_eq!((all.len(), consignment.timeline.len()), (1, 2));
    assert_eq!((consignment.state, consignment.countries.exporting), (Some(State::Imported), None));
    assert_eq!(consignment.to_json()["exporting"], Json::Null);
    assert_eq!(consignment.substances, BTreeSet::from(["ammonium-nitrate".to_owned()]));
    // Nobody is the exporting country, so nobody speaks as one.
    world.say("GE", "2026-02-04", "E13", json!({"answers": arrival, "consignment": arrival, "goods": nitrate("20")}));
    let told = consignments(world.records.clone());
    assert_eq!(illegal(&told[&id("MZ-1")]), [("GE-1".to_owned(), Illegal::NotAParty)]);
}

/// What is borne with is for the importing country to say, and counts if the announcement cites it.
#[test]
fn tolerances_and_floors_are_those_of_the_cited_policy() {
    let terms = json!({
        "tolerances": {"bulk_solid": {"green_ppm": 20_000, "amber_ppm": 50_000}},
        "floors": [{"substance": "ammonium-nitrate", "pure_mass_g": 10_000_000}],
    });
    for (cited, left, came, state) in [
        (json!([]), "1000", "999.9", State::Discrepant),
        (json!([]), "1000", "999.901", State::Reconciled),
        (json!([]), "10", "9.949", State::Discrepant),
        (json!([]), "10", "9.95", State::Reconciled),
        (json!([]), "1000", "1006", State::Discrepant),
        (json!(["MZ-1"]), "1000", "990.1", State::Reconciled),
        (json!(["MZ-1"]), "1000", "990", State::Discrepant),
        (json!(["MZ-1"]), "10", "9.8", State::Reconciled),
        (json!(["MZ-1"]), "10", "9.7", State::Discrepant),
    ] {
        let mut world = World::default();
        with_policy(&mut world, terms.clone());
        world.notify("2026-01-05", nitrate(left), json!({"policies": cited}));
        world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
        world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": nitrate(left)}));
        world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": nitrate(came)}));
        assert_eq!(world.now().state, Some(state), "{left} t and {came} t, citing {cited}");
    }
}

#[test]
fn a_missing_bag_is_a_difference_and_litres_without_a_density_are_none() {
    let bags = |count: u32| {
        let mut goods = nitrate("20");
        goods[0]["packages"] = json!([{"type": "BG", "count": count}]);
        goods
    };
    for (came, state) in [(800, State::Reconciled), (799, State::Discrepant)] {
        let mut world = World::default();
        world.notify("2026-01-05", bags(800), json!({}));
        world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
        world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": bags(800)}));
        world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": bags(came)}));
        world.stands(state, &[]);
    }
    // A careful node makes no such record; another may.
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": nitrate("20")}));
    let (_, import) = world.records.last_mut().expect("the import");
    let mut content = import.content().clone();
    let map = |fields: Vec<(&str, Value)>| {
        Value::Map(fields.into_iter().map(|(name, value)| (Value::from(name), value)).collect())
    };
    let net = map(vec![("value", "20000".into()), ("unit", "LTR".into())]);
    let goods = Value::Array(vec![map(vec![("substance", "ammonium-nitrate".into()), ("net", net)])]);
    content.entry(Compartment::TRADE).or_default().insert("goods".to_owned(), goods);
    *import = PartialRecord::from_content(&content);
    world.stands(State::Imported, &[]);
}
