//! The acceptance scenarios A to O, each through the nodes of at least two members: what one member's officer signs is sealed, travels, and is
//! opened by others, and each derives what it means from what it can read. The comment of each test is its row of the table. Everything is
//! synthetic, except what is public of the *Rhosus*.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::encoding::ids::RecordId;
use crate::record::Kind;
use crate::simulate::stage::Stage;
use crate::watch::reconcile::{Cause, reconcile};
use crate::watch::{Band, Illegal, Lateness, State};

mod of_clocks;
mod of_nodes;

/// Two JSON objects in one.
fn with(mut one: Json, other: Json) -> Json {
    other.as_object().into_iter().flatten().for_each(|(field, value)| one[field] = value.clone());
    one
}

fn goods(substance: &str, hs6: &str, value: &str, unit: &str) -> Json {
    json!([{"substance": substance, "hs6": hs6, "net": {"value": value, "unit": unit}}])
}

fn nitrate(tonnes: &str) -> Json {
    goods("ammonium-nitrate", "310230", tonnes, "TNE")
}

/// What Georgia announces to Mozambique.
fn notification(goods: Json) -> Json {
    json!({
        "kind": "export-notification", "ucr": "3GE204567890-1", "destination": "MZ", "goods": goods,
        "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Synthetic Mining Supplies"},
    })
}

fn consent(answers: RecordId) -> Json {
    json!({"kind": "no-objection", "to": ["GE"], "answers": answers})
}

fn departure(answers: RecordId, goods: Json) -> Json {
    json!({"kind": "departure", "destination": "MZ", "answers": answers, "goods": goods})
}

fn import(answers: RecordId, goods: Json) -> Json {
    json!({"kind": "import-confirmation", "to": ["GE"], "answers": answers, "goods": goods})
}

/// Announced, cleared, and gone a few days later: the announcement and the departure.
fn sent(stage: &mut Stage, goods: Json) -> [RecordId; 2] {
    let announced = stage.says("GE", notification(goods.clone()));
    stage.says("MZ", consent(announced));
    [announced, stage.says("GE", departure(announced, goods))]
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(ToString::to_string).collect()
}

/// A: *Rhosus*: 2,750 t of ammonium nitrate 3102.30 from Batumi (GE) to Beira (MZ), left in September 2013, calls at Istanbul and Beirut; LB
/// is in no audience; no arrival.
///
/// Overdue is computed locally at MZ and at GE, in a partition too; inquiry; A02; LB gets A03 when it is let in; unexplained are
/// 2.75e9 g; it never closes.
#[test]
fn a_rhosus() {
    let mut stage = Stage::set("2013-09-01", &["GE", "MZ", "TR", "LB", "W1"]);
    let route = json!([{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}]);
    let announced = stage.says("GE", with(notification(nitrate("2750")), json!({"mode": 1, "itinerary": route})));
    stage.day("2013-09-10");
    stage.says("MZ", consent(announced));
    stage.day("2013-09-23");
    let voyage =
        json!({"mode": 1, "conveyance": {"name": "Rhosus"}, "arrival": {"latest": "2013-11-10"}, "itinerary": route});
    let left = stage.says("GE", with(departure(announced, nitrate("2750")), voyage));
    for member in ["GE", "MZ", "TR"] {
        assert_eq!(stage.state(member, announced), State::Departed, "{member}");
    }
    stage.agree(&["GE", "MZ"], announced, true);
    let masses = stage.consignment("TR", announced).masses;
    assert!(masses.values().all(|mass| mass.notified == 0), "whom the goods pass reads the transport and not how much");

    // Nothing passes between Mozambique and the others, and both come to the same on the same day.
    stage.cut("MZ");
    for (day, state) in [("2013-11-24", State::Departed), ("2013-11-25", State::Overdue)] {
        stage.day(day);
        assert_eq!([stage.state("GE", announced), stage.state("MZ", announced)], [state, state], "{day}");
    }
    assert!(
        stage.alerts("MZ", announced).contains("overdue red") && stage.alerts("GE", announced).contains("overdue red")
    );
    stage.join("MZ");

    stage.says("MZ", json!({"kind": "overdue-inquiry", "to": ["GE"], "answers": left}));
    stage.day("2013-12-02");
    let missing = json!({"kind": "missing", "to": ["GE", "TR"], "answers": left, "goods": nitrate("2750")});
    let missing = stage.says("MZ", missing);
    assert_eq!([stage.state("GE", announced), stage.state("MZ", announced)], [State::Missing; 2]);
    assert!(!stage.knows("LB", announced) && !stage.knows("W1", announced), "who is not in the audience sees nothing");

    // Each party lets Lebanon read what it has signed itself; from now on Lebanon is addressed.
    stage.day("2013-12-03");
    for (party, other) in [("GE", "MZ"), ("MZ", "GE")] {
        let grant = json!({"kind": "audience-grant", "consignment": announced, "new_readers": ["LB"], "to": [other],
                           "compartments": ["summary", "transport", "trade"], "reason": "the ship lies in Beirut"});
        stage.says(party, grant);
    }
    let warning = json!({"kind": "warning", "consignment": announced, "to": ["LB", "MZ"], "subject": "MV Rhosus",
                         "requested_action": "inspect", "urgency": "urgent"});
    stage.says("GE", warning);
    assert_eq!(stage.state("LB", announced), State::Missing);
    assert_eq!(stage.flags("LB", announced), ["WARNED"]);
    assert!(stage.alerts("LB", announced).is_superset(&words(&["missing red", "warned red"])));
    assert!(!stage.knows("W1", announced), "a grant lets in whom it names and nobody else");
    for member in ["GE", "MZ", "LB"] {
        assert_eq!(stage.unexplained(member, announced, "ammonium-nitrate"), 2_750_000_000, "{member}");
    }

    // It never closes: neither by proposal nor by time.
    stage.day("2014-01-10");
    let closure = json!({"kind": "closure", "to": ["GE"], "answers": missing, "closing_state": "lost"});
    let closure = stage.says("MZ", closure);
    for member in ["GE", "MZ"] {
        assert_eq!(stage.why(member, announced, closure), Some(Illegal::NotAccountedFor), "{member}");
        assert_eq!(stage.state_on(member, announced, "2020-08-04"), State::Missing, "{member}");
    }
    stage.agree(&["GE", "MZ"], announced, true);
}

/// What a difference may come from, as a member sees it.
fn suggested(stage: &Stage, member: &str, id: RecordId) -> Vec<Cause> {
    stage.look(member, id, |dossier, terms| {
        reconcile(dossier, terms).suggestions().map(|(_, suggestion)| suggestion.cause).collect()
    })
}

/// B: unit error: X notifies 25 TNE, M confirms 25 KGM. DISCREPANT, the suggested cause is the units, and it is no theft alarm.
#[test]
fn b_tonnes_and_kilograms() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ"]);
    let of = |unit| goods("urea", "310210", "25", unit);
    let [announced, left] = sent(&mut stage, of("TNE"));
    stage.day("2026-02-07");
    let came = stage.says("MZ", import(left, of("KGM")));
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, announced), State::Discrepant, "{member}");
        assert_eq!(suggested(&stage, member, announced), [Cause::Units], "{member}");
        let alerts = stage.alerts(member, announced);
        assert!(alerts.contains("discrepant red"), "{member}: {alerts:?}");
        assert!(
            !alerts.iter().any(|alert| alert.starts_with("missing") || alert.starts_with("incident")),
            "{alerts:?}"
        );
    }
    // The importing country corrects its own figure.
    let note = json!({"kind": "discrepancy-note", "to": ["GE"], "answers": came, "cause": "units", "goods": of("TNE")});
    stage.says("MZ", note);
    assert_eq!([stage.state("GE", announced), stage.state("MZ", announced)], [State::Reconciled; 2]);
    stage.agree(&["GE", "MZ"], announced, false);
}

/// C: structuring: 6 x 95 L acetone in 20 days, threshold 100 L. R04 at M after the third.
#[test]
fn c_many_just_below_the_threshold() {
    let mut stage = Stage::set("2026-01-01", &["GE", "MZ"]);
    let mut announced = Vec::new();
    for number in 1..=6 {
        stage.day(&format!("2026-01-{:02}", number * 4 - 3));
        let net = json!({"value": "95", "unit": "LTR"});
        let litres = json!([{"substance": "acetone", "hs6": "291411", "density_g_per_l": 791, "net": net}]);
        let ucr = json!({"ucr": format!("3GE204567890-{number}")});
        announced.push(stage.says("GE", with(notification(litres), ucr)));
        let suspect = |id: &RecordId| stage.alerts("MZ", *id).iter().any(|alert| alert.starts_with("R04"));
        let suspected = announced.iter().filter(|id| suspect(id)).count();
        assert_eq!(suspected, if number < 3 { 0 } else { number }, "after {number}");
    }
    for id in announced {
        stage.agree(&["GE", "MZ"], id, false);
    }
}

/// D: an objection crosses the departure (partition). Both events are valid; DEPARTED with the flag OBJECTED; A05 is demanded.
#[test]
fn d_an_objection_crosses_the_departure() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ", "TR"]);
    let announced = stage.says("GE", notification(nitrate("20")));
    stage.cut("MZ");
    stage.day("2026-01-20");
    let left = stage.says("GE", departure(announced, nitrate("20")));
    let objection =
        json!({"kind": "objection", "to": ["GE"], "answers": announced, "reason_code": "importer-denies-order"});
    let objection = stage.says("MZ", objection);
    assert_eq!([stage.state("GE", announced), stage.state("MZ", announced)], [State::Departed, State::Objected]);
    stage.join("MZ");
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, announced), State::Departed, "{member}");
        assert_eq!(stage.flags(member, announced), ["OBJECTED", "UNCLEARED_DEPARTURE"], "{member}");
        assert_eq!([left, objection].map(|record| stage.why(member, announced, record)), [None; 2], "both are valid");
        assert_eq!(stage.consignment(member, announced).due, BTreeMap::from([(objection, Kind::StopAnswer)]));
    }
    assert!(stage.alerts("GE", announced).is_superset(&words(&["objected red", "stop-answer-due red"])));
    assert!(stage.alerts("MZ", announced).is_superset(&words(&["stop-answer-due amber", "uncleared-departure red"])));
    stage.says("GE", json!({"kind": "stop-answer", "to": ["MZ"], "answers": objection, "stop_reply": "already-left"}));
    for member in ["GE", "MZ"] {
        assert!(stage.consignment(member, announced).due.is_empty(), "{member}");
    }
    stage.agree(&["GE", "MZ"], announced, false);
}

/// E: import without notification. ARRIVED_UNANNOUNCED at M; X learns.
#[test]
fn e_an_import_that_nobody_announced() {
    let mut stage = Stage::set("2026-02-01", &["GE", "MZ", "TR"]);
    let came = json!({"kind": "import-confirmation", "to": ["GE"], "export_country": "GE", "goods": nitrate("20"),
                      "mrn": "06DE586600006143E1"});
    let came = stage.says("MZ", came);
    for member in ["MZ", "GE"] {
        assert_eq!(stage.flags(member, came), ["ARRIVED_UNANNOUNCED"], "{member}");
        assert!(stage.alerts(member, came).contains("arrived-unannounced red"), "{member}");
    }
    stage.agree(&["GE", "MZ"], came, false);
    assert!(!stage.knows("TR", came));
}

/// G: amendment of the consignee after the no-objection. The E06 is void, and there is a new clock.
#[test]
fn g_another_consignee_after_the_consent() {
    let mut stage = Stage::set("2026-01-02", &["GE", "MZ"]);
    let terms = json!({"reply_days": 5, "calendar": {"weekend": ["saturday", "sunday"], "holidays": ["2026-01-12"]}});
    let policy = stage.says("MZ", json!({"kind": "policy", "terms": terms}));
    stage.day("2026-01-05");
    let announced = stage.says("GE", with(notification(nitrate("20")), json!({"policies": [policy]})));
    stage.day("2026-01-07");
    let first = stage.says("MZ", consent(announced));
    let deadline = |stage: &Stage| ["GE", "MZ"].map(|member| stage.consignment(member, announced).reply_by);
    assert_eq!(deadline(&stage), ["2026-01-13".parse().ok(); 2], "five working days");
    assert_eq!([stage.state("GE", announced), stage.state("MZ", announced)], [State::Cleared; 2]);

    stage.day("2026-01-15");
    let change = json!([{"path": "/consignee/name", "value": "Another Supplies"}]);
    let amendment = json!({"kind": "amendment", "destination": "MZ", "answers": announced, "reason": "sold on",
                           "changes": change});
    let amendment = stage.says("GE", amendment);
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, announced), State::Notified, "{member}: the consent is void");
        assert_eq!(stage.why(member, announced, first), None, "{member}: and stays visible");
    }
    assert_eq!(deadline(&stage), ["2026-01-22".parse().ok(); 2], "a new clock");
    let late = stage.says("MZ", consent(announced));
    for member in ["GE", "MZ"] {
        assert_eq!(stage.why(member, announced, late), Some(Illegal::EarlierVersion), "{member}");
        assert_eq!(stage.state(member, announced), State::Notified, "{member}");
    }
    stage.says("MZ", consent(amendment));
    assert_eq!([stage.state("GE", announced), stage.state("MZ", announced)], [State::Cleared; 2]);
    stage.agree(&["GE", "MZ"], announced, false);
}

/// H: diversion to an undeclared country. The new M gets the data by grant; the old M sees the status.
#[test]
fn h_a_diversion_to_a_country_that_nobody_named() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ", "LB"]);
    let [announced, left] = sent(&mut stage, nitrate("20"));
    assert!(!stage.knows("LB", announced));
    stage.day("2026-01-20");
    let diversion = json!({"kind": "diversion", "to": ["MZ"], "answers": left, "consignment": announced,
                           "diversion": "authorised", "new_destination": "LB", "reason": "sold on at sea"});
    stage.says("GE", diversion);
    let told = stage.consignment("LB", announced);
    assert_eq!((told.state, told.masses.len()), (None, 0), "of what, Lebanon cannot tell yet");
    let grant = |to: &str| {
        let all = ["summary", "transport", "trade", "parties"];
        json!({"kind": "audience-grant", "consignment": announced, "new_readers": ["LB"], "to": [to], "compartments": all,
               "reason": "it goes there now"})
    };
    stage.says("GE", grant("MZ"));
    assert_eq!(stage.state("LB", announced), State::Departed);
    assert_eq!(
        stage.flags("LB", announced),
        ["DIVERTED"],
        "the consent is Mozambique's to show: nothing is said of it"
    );
    stage.says("MZ", grant("GE"));
    for member in ["GE", "MZ", "LB"] {
        assert_eq!(stage.state(member, announced), State::Departed, "{member}");
        assert_eq!(stage.flags(member, announced), ["DIVERTED"], "{member}");
        assert_eq!(stage.consignment(member, announced).masses["ammonium-nitrate"].departed, 20_000_000, "{member}");
    }
    // The new country replies and receives; the old one sees what becomes of it.
    let objection =
        json!({"kind": "objection", "to": ["GE", "MZ"], "answers": announced, "reason_code": "no-import-permit"});
    let objection = stage.says("LB", objection);
    stage.day("2026-01-25");
    let came = stage.says("LB", with(import(left, nitrate("20")), json!({"to": ["GE", "MZ"]})));
    for member in ["GE", "MZ", "LB"] {
        assert_eq!([objection, came].map(|record| stage.why(member, announced, record)), [None; 2], "{member}");
        assert_eq!(stage.state(member, announced), State::Reconciled, "{member}");
        assert_eq!(stage.flags(member, announced), ["DIVERTED", "OBJECTED"], "{member}");
        assert_eq!(stage.unexplained(member, announced, "ammonium-nitrate"), 0, "{member}");
    }
    stage.agree(&["GE", "MZ", "LB"], announced, true);
}

/// K: CAN declared as 3102.40 by X and as 3102.60 by M. A match and a note, no alarm.
#[test]
fn k_two_subheadings_of_one_substance() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ"]);
    let of = |hs6| goods("calcium-ammonium-nitrate", hs6, "50", "TNE");
    let [announced, left] = sent(&mut stage, of("310240"));
    stage.day("2026-02-07");
    stage.says("MZ", import(left, of("310260")));
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, announced), State::Reconciled, "{member}");
        let (band, notes) = stage.look(member, announced, |dossier, terms| {
            let compared = reconcile(dossier, terms);
            (compared.band(), compared.shipments[0].lines[0].notes.join(" "))
        });
        assert_eq!(band, Band::Green, "{member}");
        assert!(notes.contains("310240") && notes.contains("310260"), "{member}: {notes}");
        assert_eq!(stage.alerts(member, announced), words(&[]), "{member}");
    }
    stage.agree(&["GE", "MZ"], announced, false);
}

/// L: concentration: 35 % hydrogen peroxide UN 2014 left, 7 % UN 2984 was imported, the same litres. Alarm for the loss of pure mass.
#[test]
fn l_the_same_litres_and_less_of_the_substance() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ"]);
    let of = |un: &str, ppm: u32| {
        json!([{"substance": "hydrogen-peroxide", "hs6": "284700", "un_number": un, "concentration_ppm": ppm,
            "density_g_per_l": 1_000, "net": {"value": "20000", "unit": "LTR"}}])
    };
    let [announced, left] = sent(&mut stage, of("2014", 350_000));
    stage.day("2026-02-07");
    stage.says("MZ", import(left, of("2984", 70_000)));
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, announced), State::Discrepant, "{member}");
        let balance = stage.consignment(member, announced).balance["hydrogen-peroxide"];
        assert_eq!((balance.net.unexplained, balance.pure.unexplained), (0, 5_600_000), "{member}");
        let floor =
            stage.look(member, announced, |dossier, terms| reconcile(dossier, terms).shipments[0].lines[0].floor);
        assert_eq!(floor, Band::Red, "{member}");
        assert_eq!(suggested(&stage, member, announced), [Cause::Concentration], "{member}");
        assert!(stage.alerts(member, announced).contains("discrepant red"), "{member}");
    }
    stage.agree(&["GE", "MZ"], announced, false);
}

/// O: partial shipments, "3 of 11" is missing. Overdue by shipment, the mass balance is exact.
#[test]
fn o_one_of_eleven_shipments_is_missing() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ"]);
    let announced = stage.says("GE", notification(nitrate("110")));
    stage.says("MZ", consent(announced));
    stage.day("2026-01-10");
    let numbered = |number: usize| json!({"shipment": {"number": number, "of": 11}, "mode": 3});
    let mut left = Vec::new();
    for number in 1..=11 {
        let arrival = json!({"arrival": {"latest": "2026-01-20"}});
        left.push(stage.says("GE", with(with(departure(announced, nitrate("10")), numbered(number)), arrival)));
    }
    stage.day("2026-01-19");
    for number in (1..=11).filter(|number| *number != 3) {
        stage.says("MZ", with(import(announced, nitrate("10")), numbered(number)));
    }
    let sums = |stage: &Stage, member: &str| stage.consignment(member, announced).balance["ammonium-nitrate"].net;
    for (day, overdue) in [("2026-01-23", false), ("2026-01-24", true)] {
        stage.day(day);
        for member in ["GE", "MZ"] {
            let late: Vec<bool> = stage.desk(member).with_dossier(announced, |_, _, standing| {
                standing.shipments.iter().map(|late| matches!(late, Lateness::Overdue(_))).collect()
            });
            let wanted: Vec<bool> = (1..=11).map(|number| overdue && number == 3).collect();
            assert_eq!(late, wanted, "{member} on {day}: each shipment has its own clock");
            let sums = sums(&stage, member);
            assert_eq!((sums.notified, sums.received, sums.in_transit), (110_000_000, 100_000_000, 10_000_000));
            assert!(sums.adds_up() && sums.unexplained == 0);
        }
    }
    stage.day("2026-01-26");
    let missing = json!({"kind": "missing", "to": ["GE"], "answers": left[2], "goods": nitrate("10")});
    stage.says("MZ", missing);
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, announced), State::Missing, "{member}");
        let sums = sums(&stage, member);
        assert_eq!((sums.received, sums.in_transit, sums.unexplained), (100_000_000, 0, 10_000_000), "{member}");
        assert!(sums.adds_up(), "{member}");
    }
    stage.agree(&["GE", "MZ"], announced, false);
}
