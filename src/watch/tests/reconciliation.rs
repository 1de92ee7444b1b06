//! What left beside what came, and what a difference may come from.

use serde_json::{Value as Json, json};

use super::scenarios::{World, goods, nitrate};
use super::*;
use crate::watch::reconcile::{Cause, Reconciliation, reconcile};

/// A consignment that left and came as said, with more fields of both records.
fn world(left: Json, came: Json, departure: Json, import: Json) -> World {
    let with = |mut base: Json, more: Json| {
        more.as_object().into_iter().flatten().for_each(|(field, value)| base[field] = value.clone());
        base
    };
    let mut world = World::default();
    world.notify("2026-01-05", left.clone(), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", with(json!({"answers": "GE-1", "goods": left}), departure));
    world.say("MZ", "2026-02-07", "E19", with(json!({"answers": "GE-2", "goods": came}), import));
    world
}

fn compared(world: &World) -> Reconciliation {
    let (consignment, records) = (world.now(), world.records.iter().cloned().collect());
    reconcile(&Dossier { consignment: &consignment, records: &records }, None)
}

/// Compares, and gives the band, the suggested cause and its words.
fn judged(left: Json, came: Json) -> (Band, Option<Cause>, String) {
    of(&world(left, came, json!({}), json!({})))
}

fn of(world: &World) -> (Band, Option<Cause>, String) {
    let compared = compared(world);
    let suggestion = compared.suggestions().next().map(|(_, suggestion)| suggestion.clone());
    let state = world.now().state;
    let discrepant = compared.band() > Band::Green;
    assert_eq!(state == Some(State::Discrepant), discrepant, "the fold says the same: {state:?}");
    (
        compared.band(),
        suggestion.as_ref().map(|found| found.cause),
        suggestion.map(|found| found.words).unwrap_or_default(),
    )
}

fn line(substance: &str, value: &str, unit: &str, more: Json) -> Json {
    let mut line = json!({"substance": substance, "net": {"value": value, "unit": unit}});
    more.as_object().into_iter().flatten().for_each(|(field, value)| line[field] = value.clone());
    json!([line])
}

#[test]
fn b_tonnes_against_kilograms() {
    let of = |value, unit| goods("urea", "310210", value, unit);
    for (left, came, words) in [
        (of("25", "TNE"), of("25", "KGM"), "25 TNE left and 25 KGM came: the numbers are alike and the units are not"),
        (
            of("25", "TNE"),
            of("24.98", "KGM"),
            "25 TNE left and 24.98 KGM came: the numbers are alike and the units are not",
        ),
        (
            of("25000", "KGM"),
            of("25000", "TNE"),
            "25000 KGM left and 25000 TNE came: the numbers are alike and the units are not",
        ),
        (of("25", "TNE"), of("25000", "TNE"), "25 TNE left and 25000 TNE came: 25 t and 25000 t, 1000 times apart"),
        (
            of("55115", "LBR"),
            of("55115", "KGM"),
            "55115 LBR left and 55115 KGM came: the numbers are alike and the units are not",
        ),
    ] {
        assert_eq!(judged(left, came), (Band::Red, Some(Cause::Units), words.to_owned()));
    }
    assert_eq!(judged(of("25", "TNE"), of("25000", "KGM")).0, Band::Green);
    assert_eq!(judged(of("25", "TNE"), of("25", "DTN")).1, Some(Cause::Units));
}

#[test]
fn litres_with_and_without_a_density() {
    let litres = |more| line("hydrogen-peroxide", "20000", "LTR", more);
    let dense = || litres(json!({"density_g_per_l": 1130, "concentration_ppm": 350_000}));
    let kilograms = |value| line("hydrogen-peroxide", value, "KGM", json!({"concentration_ppm": 350_000}));
    assert_eq!(judged(dense(), kilograms("22600")).0, Band::Green);
    assert_eq!(
        judged(
            dense(),
            line("hydrogen-peroxide", "20", "MTQ", json!({"density_g_per_l": 1130, "concentration_ppm": 350_000}))
        )
        .0,
        Band::Green
    );
    // The number of litres taken for kilograms.
    let words = "20000 LTR left and 20000 KGM came: the numbers are alike and the units are not";
    assert_eq!(judged(dense(), kilograms("20000")), (Band::Red, Some(Cause::Units), words.to_owned()));
    let cubic =
        line("hydrogen-peroxide", "20000", "MTQ", json!({"density_g_per_l": 1130, "concentration_ppm": 350_000}));
    assert_eq!(judged(dense(), cubic).1, Some(Cause::Units));
    // A litre without a density is no mass, whoever says it.
    let (left, came) = (dense(), litres(json!({})));
    let read = |json: Json| serde_json::from_value::<Vec<crate::record::Goods>>(json).expect("goods");
    let (shipped, received) = crate::watch::reconcile::declarations(&read(left), &read(came.clone()));
    assert_eq!(shipped["hydrogen-peroxide"].net_g, received["hydrogen-peroxide"].net_g);
    assert!(
        received["hydrogen-peroxide"].notes[0].contains("1130 g/l"),
        "the other side's density is taken, and that is said"
    );
    let (shipped, received) = crate::watch::reconcile::declarations(&read(kilograms("20000")), &read(came.clone()));
    assert_eq!((shipped["hydrogen-peroxide"].net_g, received["hydrogen-peroxide"].net_g), (Some(20_000_000), None));
    let (shipped, received) = crate::watch::reconcile::declarations(&read(came.clone()), &read(came));
    assert_eq!(shipped["hydrogen-peroxide"].net_g, received["hydrogen-peroxide"].net_g);
}

#[test]
fn k_one_substance_under_two_subheadings() {
    let of = |hs6| goods("calcium-ammonium-nitrate", hs6, "50", "TNE");
    let world = world(of("310240"), of("310260"), json!({}), json!({}));
    assert_eq!(self::of(&world), (Band::Green, None, String::new()));
    let notes = compared(&world).shipments[0].lines[0].notes.clone();
    assert_eq!(
        notes,
        ["declared under 310240 at departure and under 310260 at import: both are subheadings of the substance"]
    );
}

#[test]
fn l_a_strong_solution_against_a_weak_one() {
    let of = |ppm: u32| {
        line("hydrogen-peroxide", "20000", "LTR", json!({"density_g_per_l": 1000, "concentration_ppm": ppm}))
    };
    let words = "35 % at departure and 7 % at import, of about the same mass: 5.6 t less of the pure substance";
    assert_eq!(judged(of(350_000), of(70_000)), (Band::Red, Some(Cause::Concentration), words.to_owned()));
    assert_eq!(judged(of(350_000), of(345_000)).0, Band::Red, "100 kg of the pure substance less");
    let little =
        |ppm: u32| line("hydrogen-peroxide", "200", "LTR", json!({"density_g_per_l": 1000, "concentration_ppm": ppm}));
    assert_eq!(judged(little(350_000), little(341_000)).0, Band::Green);
    assert_eq!(judged(little(350_000), little(330_000)).0, Band::Amber);
    let diluted = judged(of(350_000), line("hydrogen-peroxide", "100000", "KGM", json!({"concentration_ppm": 70_000})));
    assert_eq!(
        (diluted.0, diluted.1),
        (Band::Red, Some(Cause::Concentration)),
        "five times the mass, as much of the substance"
    );
}

#[test]
fn typing_errors() {
    let (band, cause, words) = judged(nitrate("24950"), nitrate("29450"));
    assert_eq!(
        (band, cause, words.as_str()),
        (Band::Red, Some(Cause::Typo), "24950 TNE left and 29450 TNE came: two digits are swapped")
    );
    assert_eq!(
        judged(nitrate("249.5"), nitrate("245.9")).1,
        Some(Cause::Typo),
        "also where two scales might differ by that"
    );
    let (_, cause, words) = judged(nitrate("2750"), nitrate("2150"));
    assert_eq!((cause, words.as_str()), (Some(Cause::Typo), "2750 TNE left and 2150 TNE came: one digit differs"));
    assert_eq!(judged(nitrate("2753"), nitrate("273")).1, Some(Cause::Typo));
    assert_eq!(judged(nitrate("2500"), nitrate("250")).1, Some(Cause::Typo));
    assert_eq!(judged(nitrate("25"), nitrate("24")).1, Some(Cause::Loss), "of two digits one is too little to go by");
    assert_eq!(judged(nitrate("1234.5"), nitrate("987.6")).1, Some(Cause::Loss));
}

#[test]
fn losses_and_gains() {
    let bags = |tonnes, count: u32| {
        line("ammonium-nitrate", tonnes, "TNE", json!({"packages": [{"type": "BG", "count": count}]}))
    };
    let (band, cause, words) = judged(bags("20", 800), bags("15.4", 616));
    assert_eq!((band, cause), (Band::Red, Some(Cause::Loss)));
    assert_eq!(words, "4.6 t of 20 t less came than left, 23 %; 184 of 800 packages fewer");
    assert_eq!(judged(bags("20", 800), bags("20", 799)).1, Some(Cause::Loss));
    let (band, cause, words) = judged(nitrate("1000"), nitrate("997"));
    assert_eq!((band, cause), (Band::Red, Some(Cause::Weighing)));
    assert_eq!(words, "3 t less, 0.3 %: two scales may differ by that; it is 3 t of the pure substance");
    assert_eq!(judged(nitrate("10"), nitrate("9.9")).1, Some(Cause::Weighing));
    assert_eq!(
        judged(nitrate("10"), nitrate("12.34")),
        (Band::Red, Some(Cause::Unexplained), "2.34 t more came than the 10 t that left".into())
    );
    assert_eq!(judged(bags("20", 800), bags("20", 810)).1, Some(Cause::Unexplained));
}

#[test]
fn whole_seals_say_that_it_was_never_loaded() {
    let sealed = |seal: &str| json!({"containers": [{"number": "CSQU3054383", "seals": [seal]}]});
    let seen = |departure, import| of(&world(nitrate("20"), nitrate("15.4"), departure, import)).1;
    assert_eq!(seen(sealed("S1"), sealed("S1")), Some(Cause::NotLoaded));
    assert_eq!(seen(sealed("S1"), sealed("S2")), Some(Cause::Loss));
    assert_eq!(seen(sealed("S1"), json!({"seals_intact": true})), Some(Cause::NotLoaded));
    let mut broken = sealed("S1");
    broken["seals_intact"] = false.into();
    assert_eq!(seen(sealed("S1"), broken), Some(Cause::Loss));
}

#[test]
fn what_came_with_another_shipment() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    for number in 1..=2 {
        let departure = json!({"answers": "GE-1", "goods": nitrate("10"), "shipment": {"number": number, "of": 2}});
        world.say("GE", "2026-01-07", "E13", departure);
    }
    world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": nitrate("20")}));
    let first = &compared(&world).shipments[0].lines[0];
    let suggestion = first.suggestion.as_ref().expect("twice as much came");
    assert_eq!(suggestion.cause, Cause::Split);
    assert_eq!(suggestion.words, "20 t came, as much as left with the shipments of which no import is known");

    world.say("MZ", "2026-02-08", "E19", json!({"answers": "GE-3", "goods": nitrate("0.003")}));
    let causes: Vec<Cause> = compared(&world).suggestions().map(|(_, suggestion)| suggestion.cause).collect();
    assert_eq!(causes, [Cause::Split, Cause::Split], "together they are as much as left");

    let part = self::world(nitrate("20"), nitrate("6.1"), json!({}), json!({"shipment": {"number": 1, "of": 3}}));
    assert_eq!(of(&part).1, Some(Cause::Split));
}

#[test]
fn values_with_and_without_the_freight() {
    let money = |minor: i64, currency: &str| json!({"values": [{"amount": {"minor": minor, "currency": currency}}]});
    let seen = |fob, cif| compared(&world(nitrate("20"), nitrate("20"), fob, cif)).shipments[0].value.clone();
    let band = |cif| seen(money(1_000_000, "USD"), money(cif, "USD")).expect("both are known").band;
    let bands = [890_000, 950_000, 1_000_000, 1_200_000, 1_200_001, 1_400_001].map(band);
    assert_eq!(bands, [Band::Red, Band::Amber, Band::Green, Band::Green, Band::Amber, Band::Red]);
    assert_eq!(band(1_250_000), Band::Amber);
    let values = seen(money(1_000_000, "USD"), money(1_084_000, "USD")).expect("both are known");
    assert_eq!(
        (values.ratio_ppm, values.words()),
        (1_084_000, "the value at import is 1.08 times that at departure".into())
    );
    assert!(seen(money(1_000_000, "USD"), money(1_000_000, "EUR")).is_none());
    assert!(seen(json!({}), money(1_000_000, "EUR")).is_none());
}

#[test]
fn what_notes_explain_is_no_difference_any_more() {
    let mut world = world(nitrate("25"), line("ammonium-nitrate", "25", "KGM", json!({})), json!({}), json!({}));
    assert_eq!(compared(&world).band(), Band::Red);
    world.say("MZ", "2026-02-09", "E20", json!({"answers": "MZ-2", "cause": "units", "goods": nitrate("25")}));
    let after = compared(&world);
    assert_eq!((after.band(), after.suggestions().count()), (Band::Green, 0));
    assert_eq!(after.shipments[0].band(), Band::Red, "the declarations stay as they were made");
    let json = after.to_json();
    assert_eq!(
        (&json["band"], &json["shipments"][0]["lines"][0]["shipped"]["net_g"]),
        (&json!("green"), &json!(25_000_000))
    );
    assert!(!format!("{after:?}").contains("25"), "a debug print shows nothing");
}
