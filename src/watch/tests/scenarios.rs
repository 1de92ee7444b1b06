//! The acceptance scenarios of the domain, as far as the fold and the clock alone can show them. Everything is synthetic, except
//! what is public of the *Rhosus*.

use serde_json::{Value as Json, json};

use super::*;
use crate::record::{Date, Kind, Terms};

/// What members said, in the order in which they said it.
#[derive(Default)]
pub(super) struct World {
    pub(super) records: Records,
}

pub(super) fn noon(day: &str) -> UnixTime {
    day.parse::<Date>().expect("a day").start().expect("in range").plus(12 * 3600)
}

impl World {
    /// A member says something at noon of a day; gives the id of the record.
    pub(super) fn say(&mut self, by: &str, day: &str, kind: &str, mut json: Json) -> String {
        let said = self.records.iter().filter(|(id, _)| id.log.member.as_str() == by).count();
        let name = format!("{by}-{}", said + 1);
        json["kind"] = kind.into();
        if json.get("destination").is_none() && ["E02", "E05", "E09", "E10", "E11", "E13"].contains(&kind) {
            json["destination"] = "MZ".into();
        }
        if json.get("to").is_none() && json.get("destination").is_none() {
            json["to"] = json!([if by == "GE" { "MZ" } else { "GE" }]);
        }
        // Who gives a UCR in place of an answer has heard of no consignment.
        let unannounced = ["E18", "E19"].contains(&kind) && json.get("answers").is_none();
        if json.get("consignment").is_none() && kind != "E02" && kind != "G03" && !unannounced {
            json["consignment"] = "GE-1".into();
        }
        let draft: Draft = serde_json::from_value(json).expect("a draft");
        let context =
            Context { strictness: Strictness::Own, author: by.parse().ok(), now: noon(day), foreign_exports: false };
        let checked = draft.check(&context).unwrap_or_else(|refused| panic!("{name}: {}", refused.errors[0]));
        self.records.push((id(&name), PartialRecord::from(&checked.record)));
        name
    }

    pub(super) fn notify(&mut self, day: &str, goods: Json, more: Json) -> String {
        let mut json = json!({
            "ucr": "3GE204567890-1", "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Synthetic Mining Supplies"},
            "goods": goods,
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            json[field] = value.clone();
        }
        self.say("GE", day, "E02", json)
    }

    pub(super) fn now(&self) -> Consignment {
        consignments(self.records.clone()).remove(&id("GE-1")).expect("the consignment")
    }

    pub(super) fn at(&self, day: &str) -> State {
        standing(&self.now(), self.terms().as_ref(), noon(day)).state.expect("the notification is held")
    }

    fn terms(&self) -> Option<Terms> {
        let cited = self.now().policy?;
        self.records.iter().find(|(id, _)| *id == cited).and_then(|(_, record)| record.declared().terms.clone())
    }

    pub(super) fn why(&self, name: &str) -> Option<Illegal> {
        let consignment = self.now();
        let event = consignment.timeline.iter().find(|event| event.id == id(name)).expect("it is told");
        event.illegal
    }

    #[track_caller]
    pub(super) fn stands(&self, state: State, flags: &[Flag]) {
        let consignment = self.now();
        assert_eq!((consignment.state, consignment.flags), (Some(state), flags.iter().copied().collect()));
    }
}

pub(super) fn goods(substance: &str, hs6: &str, value: &str, unit: &str) -> Json {
    json!([{"substance": substance, "hs6": hs6, "net": {"value": value, "unit": unit}}])
}

pub(super) fn nitrate(tonnes: &str) -> Json {
    goods("ammonium-nitrate", "310230", tonnes, "TNE")
}

pub(super) fn net(consignment: &Consignment, substance: &str) -> Sums {
    consignment.balance[substance].net
}

/// MV Rhosus: 2,750 t of ammonium nitrate from Batumi to Beira, stopped at Beirut in November 2013.
#[test]
fn a_rhosus() {
    let mut world = World::default();
    world.notify(
        "2013-09-01",
        nitrate("2750"),
        json!({"mode": 1, "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}]}),
    );
    world.say("MZ", "2013-09-10", "E06", json!({"answers": "GE-1"}));
    world.say(
        "GE",
        "2013-09-23",
        "E13",
        json!({"answers": "GE-1", "goods": nitrate("2750"), "arrival": {"latest": "2013-11-10"},
        "conveyance": {"name": "Rhosus"}}),
    );
    world.stands(State::Departed, &[]);
    assert!(!world.now().countries.transit.contains(&"LB".parse().expect("a member")), "Lebanon is in no audience");

    // Overdue is computed at both ends, without a message.
    assert_eq!(world.at("2013-11-10"), State::Departed);
    assert_eq!(
        standing(&world.now(), None, noon("2013-11-11")).shipments,
        [Lateness::Due("2013-11-24".parse().expect("a day"))]
    );
    assert_eq!(world.at("2013-11-24"), State::Departed);
    assert_eq!(world.at("2013-11-25"), State::Overdue);

    world.say("MZ", "2013-11-25", "A01", json!({"answers": "GE-2"}));
    let missing = world.say("MZ", "2013-12-02", "A02", json!({"answers": "GE-2", "goods": nitrate("2750")}));
    world.say("GE", "2013-12-03", "A03", json!({"to": ["LB"], "subject": "MV Rhosus", "requested_action": "inspect"}));
    world.stands(State::Missing, &[Flag::Warned]);
    assert_eq!(net(&world.now(), "ammonium-nitrate").unexplained, 2_750_000_000);

    // It never closes: neither by proposal nor by time.
    let closure = world.say("MZ", "2014-01-10", "E22", json!({"answers": missing, "closing_state": "lost"}));
    assert_eq!(world.why(&closure), Some(Illegal::NotAccountedFor));
    assert_eq!(world.at("2020-08-04"), State::Missing);
}

#[test]
fn b_tonnes_and_kilograms() {
    let mut world = World::default();
    let of = |unit| goods("urea", "310210", "25", unit);
    world.notify("2026-01-05", of("TNE"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": of("TNE")}));
    let import = world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": of("KGM")}));
    world.stands(State::Discrepant, &[]);
    assert_eq!(net(&world.now(), "urea").unexplained, 24_975_000);
    // The importing country corrects its own figure.
    world.say("MZ", "2026-02-09", "E20", json!({"answers": import, "cause": "units", "goods": of("TNE")}));
    world.stands(State::Reconciled, &[]);
    assert_eq!((net(&world.now(), "urea").received, net(&world.now(), "urea").unexplained), (25_000_000, 0));
}

#[test]
fn d_an_objection_crosses_the_departure() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("GE", "2026-01-20", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    let objection =
        world.say("MZ", "2026-01-19", "E07", json!({"answers": "GE-1", "reason_code": "importer-denies-order"}));
    world.stands(State::Departed, &[Flag::Objected, Flag::UnclearedDeparture]);
    assert!(world.now().timeline.iter().all(|event| event.illegal.is_none()), "both are valid");
    assert_eq!(world.now().due, BTreeMap::from([(id(&objection), Kind::StopAnswer)]), "an answer is demanded");
    let stop = world.say(
        "MZ",
        "2026-01-21",
        "E08",
        json!({"answers": "GE-1", "reason": "not ordered", "requested_action": "return"}),
    );
    world.say("GE", "2026-01-21", "A05", json!({"answers": objection, "stop_reply": "already-left"}));
    assert_eq!(world.now().due.keys().collect::<Vec<_>>(), [&id(&stop)]);
    world.say("GE", "2026-01-22", "A05", json!({"answers": stop, "stop_reply": "held"}));
    assert!(world.now().due.is_empty());
}

#[test]
fn e_an_import_without_departure() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("MZ", "2026-02-01", "E19", json!({"answers": "GE-1", "goods": nitrate("20")}));
    world.stands(State::Imported, &[Flag::ArrivedUnannounced]);
    let sums = net(&world.now(), "ammonium-nitrate");
    assert_eq!((sums.received, sums.not_shipped, sums.excess), (20_000_000, 0, 0));
    // The exporting country learns of it, and tells late what it had not told.
    world.say("GE", "2026-02-03", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    world.stands(State::Reconciled, &[Flag::UnclearedDeparture]);
}

pub(super) fn with_policy(world: &mut World, terms: Json) {
    assert_eq!(world.say("MZ", "2025-12-01", "G03", json!({"terms": terms})), "MZ-1");
}

#[test]
fn g_another_consignee_after_the_consent() {
    let mut world = World::default();
    with_policy(
        &mut world,
        json!({"reply_days": 5, "calendar": {"weekend": ["saturday", "sunday"], "holidays": ["2026-01-12"]}}),
    );
    world.notify("2026-01-05", nitrate("20"), json!({"policies": ["MZ-1"]}));
    assert_eq!(world.now().reply_by, "2026-01-13".parse().ok(), "five working days");
    let consent = world.say("MZ", "2026-01-07", "E06", json!({"answers": "GE-1"}));
    world.stands(State::Cleared, &[]);
    let amendment = world.say(
        "GE",
        "2026-01-15",
        "E10",
        json!({"answers": "GE-1", "reason": "sold on",
        "changes": [{"path": "/consignee/name", "value": "Another Supplies"}]}),
    );
    world.stands(State::Notified, &[Flag::Amended]);
    assert_eq!(world.why(&consent), None, "the voided consent stays visible");
    assert_eq!(world.now().reply_by, "2026-01-22".parse().ok(), "a new clock");
    let late = world.say("MZ", "2026-01-16", "E06", json!({"answers": "GE-1"}));
    assert_eq!(world.why(&late), Some(Illegal::EarlierVersion));
    world.say("MZ", "2026-01-16", "E06", json!({"answers": amendment}));
    world.stands(State::Cleared, &[Flag::Amended]);
}

#[test]
fn h_a_diversion_to_a_country_that_nobody_named() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    let early = world.say("LB", "2026-01-15", "E18", json!({"answers": "GE-2"}));
    assert_eq!(world.why(&early), Some(Illegal::NotAParty));
    world.say(
        "GE",
        "2026-01-20",
        "E17",
        json!({"answers": "GE-2", "to": ["MZ"], "diversion": "authorised", "new_destination": "LB",
        "reason": "sold on at sea"}),
    );
    world.stands(State::Departed, &[Flag::Diverted]);
    world.say("LB", "2026-01-21", "E07", json!({"answers": "GE-1", "reason_code": "no-import-permit"}));
    world.say("LB", "2026-01-25", "E19", json!({"answers": "GE-2", "goods": nitrate("20")}));
    world.stands(State::Reconciled, &[Flag::Diverted, Flag::Objected]);
    assert_eq!(world.now().to_json()["diverted_to"], json!(["LB"]));
}

#[test]
fn i_silence_is_consent_or_refusal() {
    for (silence, why, flags) in
        [("consent", None, vec![]), ("refusal", Some(Illegal::SilenceIsRefusal), vec![Flag::UnclearedDeparture])]
    {
        let mut world = World::default();
        with_policy(&mut world, json!({"reply_days": 15, "reply_counting": "calendar", "silence": silence}));
        world.notify("2026-01-05", nitrate("20"), json!({"policies": ["MZ-1"]}));
        assert_eq!((world.at("2026-01-20"), world.at("2026-01-21")), (State::Notified, State::NoReply));
        let release = json!({"answers": "GE-1", "decision": "released-without-reply", "legal_basis": "Order 7"});
        let early = world.say("GE", "2026-01-20", "E09", release.clone());
        assert_eq!(world.why(&early), why.or(Some(Illegal::BeforeDeadline)));
        let decision = world.say("GE", "2026-01-21", "E09", release);
        assert_eq!(world.why(&decision), why, "silence is {silence}");
        world.say("GE", "2026-01-22", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
        world.stands(State::Departed, &flags);
    }
}

#[test]
fn j_over_the_end_of_the_year() {
    let mut world = World::default();
    world.notify("2026-12-01", nitrate("20"), json!({}));
    world.say("MZ", "2026-12-05", "E06", json!({"answers": "GE-1", "valid_until": "2026-12-31"}));
    world.say("GE", "2026-12-28", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    world.say("MZ", "2027-01-09", "E19", json!({"answers": "GE-2", "goods": nitrate("20")}));
    world.stands(State::Reconciled, &[]);
    assert_eq!(world.at("2027-06-01"), State::Reconciled);
}

#[test]
fn k_two_subheadings_of_one_substance() {
    let mut world = World::default();
    let of = |hs6| goods("calcium-ammonium-nitrate", hs6, "50", "TNE");
    world.notify("2026-01-05", of("310240"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": of("310240")}));
    world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": of("310260")}));
    world.stands(State::Reconciled, &[]);
}

#[test]
fn l_the_same_litres_and_less_of_the_substance() {
    let mut world = World::default();
    let of = |un: &str, ppm: u32| {
        json!([{"substance": "hydrogen-peroxide", "hs6": "284700", "un_number": un, "concentration_ppm": ppm,
            "density_g_per_l": 1_000, "net": {"value": "20000", "unit": "LTR"}}])
    };
    world.notify("2026-01-05", of("2014", 350_000), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": of("2014", 350_000)}));
    world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": of("2984", 70_000)}));
    world.stands(State::Discrepant, &[]);
    let balance = world.now().balance["hydrogen-peroxide"];
    assert_eq!((balance.net.unexplained, balance.pure.unexplained), (0, 5_600_000));
}

#[test]
fn o_one_of_eleven_shipments_is_missing() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("110"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    for number in 1..=11 {
        world.say(
            "GE",
            "2026-01-10",
            "E13",
            json!({"answers": "GE-1", "goods": nitrate("10"), "mode": 3,
            "shipment": {"number": number, "of": 11}, "arrival": {"latest": "2026-01-20"}}),
        );
    }
    for number in (1..=11).filter(|number| *number != 3) {
        world.say(
            "MZ",
            "2026-01-19",
            "E19",
            json!({"answers": "GE-1", "goods": nitrate("10"),
            "shipment": {"number": number, "of": 11}}),
        );
    }
    assert_eq!((world.at("2026-01-23"), world.at("2026-01-24")), (State::Departed, State::Overdue));
    let late = standing(&world.now(), None, noon("2026-01-24")).shipments;
    let overdue: Vec<usize> =
        (1..).zip(&late).filter(|(_, late)| matches!(late, Lateness::Overdue(_))).map(|(at, _)| at).collect();
    assert_eq!(overdue, [3], "each shipment has its own clock");
    let sums = net(&world.now(), "ammonium-nitrate");
    assert_eq!(
        (sums.notified, sums.received, sums.in_transit, sums.unexplained),
        (110_000_000, 100_000_000, 10_000_000, 0)
    );

    let missing = world.say("MZ", "2026-01-26", "A02", json!({"answers": "GE-4", "goods": nitrate("10")}));
    world.stands(State::Missing, &[]);
    assert_eq!(
        (net(&world.now(), "ammonium-nitrate").in_transit, net(&world.now(), "ammonium-nitrate").unexplained),
        (0, 10_000_000)
    );
    // It turns up after all, and half of it was stolen: both say so.
    world.say("MZ", "2026-02-02", "E18", json!({"answers": missing}));
    world.stands(State::Found, &[]);
    let import = world.say("MZ", "2026-02-03", "E19", json!({"answers": "GE-4", "goods": nitrate("5")}));
    world.stands(State::Discrepant, &[]);
    let theft = |answers: &str| json!({"answers": answers, "cause": "theft", "goods": nitrate("5")});
    world.say("GE", "2026-02-05", "E20", theft(&import));
    assert_eq!(net(&world.now(), "ammonium-nitrate").unexplained, 5_000_000, "one side's word explains nothing");
    world.say("MZ", "2026-02-06", "E20", theft(&import));
    world.stands(State::Reconciled, &[]);
    let sums = net(&world.now(), "ammonium-nitrate");
    assert_eq!((sums.received, sums.explained, sums.unexplained), (105_000_000, 5_000_000, 0));
}

#[test]
fn from_the_question_to_the_closure_and_back() {
    let mut world = World::default();
    with_policy(
        &mut world,
        json!({"reply_days": 10, "reply_counting": "calendar", "extension_days": 7, "closure_days": 30}),
    );
    world.notify("2026-01-05", nitrate("20"), json!({"policies": ["MZ-1"]}));
    let question = world.say(
        "MZ",
        "2026-01-07",
        "E04",
        json!({"answers": "GE-1", "questions": ["What for?"], "extend_reply_by": "2026-03-01"}),
    );
    world.stands(State::Query, &[]);
    assert_eq!(world.now().reply_by, "2026-01-22".parse().ok(), "put off, and no further than the policy allows");
    let again = world.say(
        "MZ",
        "2026-01-08",
        "E04",
        json!({"answers": "GE-1", "questions": ["Who?"], "extend_reply_by": "2026-03-01"}),
    );
    assert_eq!(world.now().reply_by, "2026-01-22".parse().ok(), "and once");
    let response = |answers: &str| json!({"answers": answers, "responses": ["A quarry."]});
    world.say("GE", "2026-01-09", "E05", response(&question));
    world.stands(State::Query, &[]);
    world.say("GE", "2026-01-09", "E05", response(&again));
    world.stands(State::Notified, &[]);
    world.say("MZ", "2026-01-10", "E06", json!({"answers": "GE-1", "valid_until": "2026-01-31"}));
    assert_eq!((world.at("2026-01-31"), world.at("2026-02-01")), (State::Cleared, State::Expired));
    world.say("GE", "2026-01-11", "E09", json!({"answers": "GE-1", "decision": "released", "legal_basis": "Order 7"}));
    world.stands(State::Decided, &[]);
    let departure = world.say("GE", "2026-01-12", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    world.say("GE", "2026-01-14", "E16", json!({"answers": departure, "conveyance": {"name": "MV Second"}}));
    world.stands(State::InTransit, &[]);
    world.say("MZ", "2026-01-20", "E18", json!({"answers": departure}));
    world.stands(State::Arrived, &[]);
    let import = world.say("MZ", "2026-01-22", "E19", json!({"answers": departure, "goods": nitrate("19.95")}));
    world.stands(State::Reconciled, &[]);
    let check = |result: &str| json!({"answers": import, "verification": result});
    world.say("MZ", "2026-02-22", "E21", check("pending"));
    world.stands(State::EndUsePending, &[]);
    world.say("MZ", "2026-03-22", "E21", check("verified"));
    world.stands(State::Reconciled, &[]);
    let proposal = world.say("MZ", "2026-04-01", "E22", json!({"answers": import, "closing_state": "reconciled"}));
    assert_eq!(
        (world.at("2026-05-01"), world.at("2026-05-02")),
        (State::Reconciled, State::Closed),
        "nobody disputes it"
    );
    world.say("GE", "2026-04-02", "E22", json!({"answers": proposal, "closing_state": "discrepant"}));
    world.stands(State::Reconciled, &[Flag::Disputed]);
    assert_eq!(world.at("2026-05-02"), State::Reconciled, "now somebody does");
    world.say("GE", "2026-04-03", "E22", json!({"answers": proposal, "closing_state": "reconciled"}));
    world.stands(State::Closed, &[]);
    world.say("GE", "2026-04-04", "E23", json!({"answers": proposal, "reason": "a bag was found"}));
    world.stands(State::Reconciled, &[]);
}

#[test]
fn after_the_end_there_are_notes_alerts_grants_and_the_reopening() {
    let endings: [fn(&mut World); 2] = [
        |world| drop(world.say("GE", "2026-02-01", "E11", json!({"answers": "GE-1", "reason": "not sold"}))),
        |world| {
            world.say("GE", "2026-01-12", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
            world.say("MZ", "2026-01-22", "E19", json!({"answers": "GE-1", "goods": nitrate("20")}));
            let proposal =
                world.say("MZ", "2026-02-01", "E22", json!({"answers": "GE-1", "closing_state": "reconciled"}));
            world.say("GE", "2026-02-01", "E22", json!({"answers": proposal, "closing_state": "reconciled"}));
        },
    ];
    for (end, why) in endings.into_iter().zip([Illegal::AfterCancellation, Illegal::AfterClosure]) {
        let mut world = World::default();
        world.notify("2026-01-05", nitrate("20"), json!({}));
        world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
        end(&mut world);
        let state = world.now().state;
        let late = [
            ("MZ", "E04", json!({"questions": ["?"]})),
            ("MZ", "E06", json!({})),
            ("MZ", "E07", json!({"reason_code": "other"})),
            ("MZ", "E08", json!({"reason": "x", "requested_action": "hold"})),
            ("GE", "E09", json!({"decision": "refused", "legal_basis": "x"})),
            ("GE", "E10", json!({"reason": "x", "changes": [{"path": "/lrn", "value": "x"}]})),
            ("GE", "E11", json!({"reason": "x"})),
            ("GE", "E13", json!({"goods": nitrate("1")})),
            ("MZ", "E18", json!({})),
            ("MZ", "E19", json!({"goods": nitrate("1")})),
            ("MZ", "E22", json!({"closing_state": "lost"})),
        ];
        for (by, kind, mut json) in late {
            json["answers"] = "GE-1".into();
            let name = world.say(by, "2026-02-02", kind, json);
            assert_eq!(world.why(&name), Some(why), "{kind}");
        }
        let alert =
            world.say("LB", "2026-02-03", "A06", json!({"goods": nitrate("1"), "happened_at": "2026-02-03T00:00:00Z"}));
        let grant = world.say(
            "MZ",
            "2026-02-03",
            "G05",
            json!({"new_readers": ["LB"], "compartments": ["summary"], "reason": "found there"}),
        );
        assert_eq!((world.why(&alert), world.why(&grant)), (None, None));
        assert_eq!(world.now().state, state);
        let reopening = world.say("MZ", "2026-02-04", "E23", json!({"answers": "GE-1", "reason": "found"}));
        assert_eq!(world.why(&reopening), None);
        assert_ne!(world.now().state, state);
        let twice = world.say("MZ", "2026-02-05", "E23", json!({"answers": "GE-1", "reason": "found"}));
        assert_eq!(world.why(&twice), Some(Illegal::NotClosed));
    }
}

#[test]
fn an_alert_is_taken_back_by_who_raised_it() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    let missing = world.say("MZ", "2026-02-07", "A02", json!({"answers": "GE-2"}));
    let seizure = world.say(
        "LB",
        "2026-02-07",
        "A06",
        json!({"answers": "GE-2", "goods": nitrate("3"), "happened_at": "2026-02-07T00:00:00Z"}),
    );
    world.stands(State::Missing, &[Flag::Seized]);
    assert_eq!(
        (net(&world.now(), "ammonium-nitrate").seized, net(&world.now(), "ammonium-nitrate").unexplained),
        (3_000_000, 17_000_000)
    );
    let others = world.say("GE", "2026-02-08", "A08", json!({"answers": missing, "reason": "no"}));
    assert_eq!(world.why(&others), Some(Illegal::NoOwnAlert));
    let own = world.say("MZ", "2026-02-08", "A08", json!({"answers": missing, "reason": "it lay in another shed"}));
    world.say("LB", "2026-02-08", "A08", json!({"answers": seizure, "reason": "other goods"}));
    world.stands(State::Departed, &[]);
    assert_eq!(net(&world.now(), "ammonium-nitrate").in_transit, 20_000_000);
    let marked =
        world.now().timeline.iter().find(|event| event.id == id(&missing)).and_then(|event| event.withdrawn_by);
    assert_eq!(marked, Some(id(&own)), "it stays, and is marked");
}

#[test]
fn a_transit_country_that_demands_it_has_to_consent() {
    let mut world = World::default();
    world.say("TR", "2025-12-01", "G03", json!({"terms": {"transit": "required"}}));
    world.notify("2026-01-05", nitrate("20"), json!({"policies": ["TR-1"], "itinerary": [{"unlocode": "TRIST"}]}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.stands(State::Notified, &[]);
    world.say("TR", "2026-01-07", "E06", json!({"answers": "GE-1"}));
    world.stands(State::Cleared, &[]);
}

#[test]
fn an_incident_on_the_way_is_a_state() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    let incident = |what: &str| json!({"answers": "GE-2", "incident": what, "detected_at": "2026-01-20T08:00:00Z", "reported_at": "2026-01-20T09:00:00Z"});
    world.say("LB", "2026-01-20", "A07", incident("theft"));
    world.stands(State::Departed, &[]);
    world.say("MZ", "2026-01-20", "A07", incident("suspicious-transaction"));
    world.stands(State::Departed, &[]);
    world.say("MZ", "2026-01-21", "A07", incident("theft"));
    world.stands(State::Incident, &[]);
    world.say("MZ", "2026-02-01", "E19", json!({"answers": "GE-2", "goods": nitrate("20")}));
    world.stands(State::Reconciled, &[]);
}

#[test]
fn a_new_route_after_the_departure_voids_no_objection() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    let objection = world.say("MZ", "2026-01-06", "E07", json!({"answers": "GE-1", "reason_code": "no-import-permit"}));
    let decision = world.say(
        "GE",
        "2026-01-07",
        "E09",
        json!({"answers": objection, "decision": "released-over-objection", "legal_basis": "x"}),
    );
    assert_eq!(world.why(&decision), None, "a decision may answer a reply");
    world.stands(State::Decided, &[]);
    world.say("GE", "2026-01-08", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    world.stands(State::Departed, &[Flag::Objected]);
    let route = json!([{"path": "/itinerary", "value": [{"unlocode": "TRIST"}]}]);
    world.say("GE", "2026-01-09", "E10", json!({"answers": "GE-1", "reason": "weather", "changes": route}));
    world.stands(State::Departed, &[Flag::Amended, Flag::Objected]);
    assert_eq!((world.now().version, world.now().due.len()), (id("GE-1"), 1));
    assert!(
        world.now().countries.transit.contains(&"TR".parse().expect("a member")),
        "and who is passed through is a party"
    );
    let trade = json!([{"path": "/consignee/name", "value": "Another"}]);
    let late = world.say("GE", "2026-01-10", "E10", json!({"answers": "GE-1", "reason": "sold on", "changes": trade}));
    assert_eq!(world.why(&late), Some(Illegal::BadAmendment));
}

#[test]
fn misuse_wants_a_report() {
    let mut world = World::default();
    world.notify("2026-01-05", nitrate("20"), json!({}));
    world.say("MZ", "2026-01-06", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-01-07", "E13", json!({"answers": "GE-1", "goods": nitrate("20")}));
    let early = world.say("MZ", "2026-01-08", "E21", json!({"answers": "GE-2", "verification": "verified"}));
    assert_eq!(world.why(&early), Some(Illegal::NotImported));
    let import = world.say("MZ", "2026-02-01", "E19", json!({"answers": "GE-2", "goods": nitrate("20")}));
    let found = world.say("MZ", "2026-03-01", "E21", json!({"answers": import, "verification": "diverted"}));
    world.stands(State::EndUsePending, &[Flag::Diverted]);
    assert_eq!(world.now().due, BTreeMap::from([(id(&found), Kind::Incident)]));
    world.say(
        "MZ",
        "2026-03-01",
        "A07",
        json!({"answers": found, "incident": "diversion", "detected_at": "2026-03-01T08:00:00Z",
        "reported_at": "2026-03-01T09:00:00Z"}),
    );
    assert!(world.now().due.is_empty());
}
