//! Each source of alerts, both ways.

use super::*;

fn stop(answers: &str, consignment: &str) -> serde_json::Value {
    json!({"to": ["GE", "MZ"], "answers": answers, "consignment": consignment, "reason": "x", "requested_action": "hold"})
}

#[test]
fn an_orderly_consignment_gives_none() {
    let mut world = World::new();
    let closed = world.closed("2026-01-05", plain(), json!({}));
    assert_eq!(rules(&of(&world, &closed, "2026-03-05")), [""; 0]);
    let (left, _) = world.left("2026-01-05", plain(), json!({"arrival": {"latest": "2026-02-01"}}));
    assert_eq!(rules(&of(&world, &left, "2026-02-15")), [""; 0]);
}

#[test]
fn flags_of_the_fold() {
    let mut world = World::new();
    let goods = plain()["goods"].clone();
    let notified = world.say("GE", "2026-01-05", "E02", plain());
    let mut more = goods.clone();
    more[0]["net"]["value"] = "200".into();
    world.say("GE", "2026-01-06", "E13", json!({"answers": notified, "consignment": notified, "goods": more}));
    let day = "2026-01-07";
    assert_eq!(rules(&of(&world, &notified, day)), ["over-shipped red", "uncleared-departure red"]);
    world.say("MZ", day, "E07", json!({"answers": notified, "reason_code": "importer-unknown"}));
    let told = ["over-shipped red", "uncleared-departure red", "objected info", "stop-answer-due amber"];
    assert_eq!(rules(&of(&world, &notified, day)), told, "our own objection is no news to us");
    world.own = member("GE");
    let told = ["over-shipped red", "uncleared-departure red", "objected red", "stop-answer-due red"];
    assert_eq!(rules(&of(&world, &notified, day)), told, "and it waits for the exporting country");
}

#[test]
fn goods_that_nobody_announced() {
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-05", "E02", plain());
    world.say("MZ", "2026-01-06", "E18", json!({"answers": notified, "consignment": notified}));
    assert_eq!(rules(&of(&world, &notified, "2026-01-07")), ["arrived-unannounced red"]);
}

#[test]
fn demands_to_stop_and_their_answers() {
    let mut world = World::new();
    let (notified, left) = world.left("2026-01-05", plain(), json!({}));
    let demand = world.say("TR", "2026-01-06", "E08", stop(&left, &notified));
    let day = "2026-01-07";
    assert_eq!(rules(&of(&world, &notified, day)), ["stop-requested amber", "stop-answer-due red"]);
    assert_eq!(
        rules(&of(&world, &notified, "2026-01-08")),
        ["stop-requested amber", "stop-answer-due red", "stop-answer-late red"]
    );
    let answer = json!({"to": ["TR", "MZ"], "answers": demand, "consignment": notified, "stop_reply": "held"});
    world.say("GE", day, "A05", answer);
    assert_eq!(rules(&of(&world, &notified, day)), ["stop-requested amber"]);
    world.own = member("TR");
    assert_eq!(rules(&of(&world, &notified, day)), ["stop-requested info"]);
}

/// As far as the node of one country sees it: MV Rhosus, from Batumi to Beira, which never arrived.
#[test]
fn a_rhosus_is_raised_once_and_never_lost() {
    let mut world = World::new();
    let (notified, left) = world.left("2013-09-23", plain(), json!({"arrival": {"latest": "2013-11-10"}}));
    let mut alerts = Alerts::default();
    let mut raised_on = |world: &World, day: &str| -> Vec<String> {
        let told =
            |raised: &Raised| matches!(raised.rule, Rule::Risk(_)).then(String::new).unwrap_or(raised.rule.to_string());
        let raised = alerts.refresh(id(&notified), &of(world, &notified, day), noon(day));
        raised.iter().map(told).filter(|rule| !rule.is_empty()).collect()
    };
    assert_eq!(raised_on(&world, "2013-11-24"), [""; 0]);
    assert_eq!(raised_on(&world, "2013-11-25"), ["overdue"]);
    assert_eq!(raised_on(&world, "2013-12-01"), [""; 0]);
    let missing = json!({"to": ["GE"], "answers": left, "consignment": notified, "goods": plain()["goods"]});
    world.say("MZ", "2013-12-02", "A02", missing);
    assert_eq!(raised_on(&world, "2013-12-02"), ["missing"]);
    assert_eq!(raised_on(&world, "2020-08-04"), [""; 0]);
    let open =
        alerts.list(&Filter { severity: Some(Severity::Red), holding: true, ..Filter::default() }, noon("2020-08-04"));
    assert_eq!(open.iter().map(|case| case.id).collect::<Vec<_>>(), [id(&notified)]);
}

#[test]
fn seizures_incidents_diversions_and_missing_goods() {
    let mut world = World::new();
    let (notified, left) = world.left("2026-01-05", plain(), json!({"arrival": {"latest": "2026-02-01"}}));
    let day = "2026-02-10";
    let about =
        |more: serde_json::Value| with(json!({"to": ["GE", "MZ"], "answers": left, "consignment": notified}), more);
    world.say("TR", day, "A06", about(json!({"happened_at": "2026-02-01T00:00:00Z", "goods": plain()["goods"]})));
    assert_eq!(rules(&of(&world, &notified, day)), ["seized red"]);
    let diversion = json!({"diversion": "observed", "new_destination": "ZA", "reason": "x"});
    world.say("TR", day, "E17", about(diversion));
    assert_eq!(rules(&of(&world, &notified, day)), ["diverted red", "seized red"]);
    let incident =
        json!({"incident": "theft", "detected_at": "2026-02-01T00:00:00Z", "reported_at": "2026-02-01T01:00:00Z"});
    let incident = world.say("MZ", day, "A07", with(about(incident), json!({"to": ["GE"]})));
    assert_eq!(rules(&of(&world, &notified, day)), ["diverted red", "seized red", "incident info"]);
    world.say("MZ", day, "A08", json!({"answers": incident, "consignment": notified, "reason": "mistaken"}));
    world.say("MZ", day, "A02", with(about(json!({"goods": plain()["goods"]})), json!({"to": ["GE"]})));
    assert_eq!(rules(&of(&world, &notified, day)), ["diverted red", "seized red", "missing red"]);
    world.say("MZ", day, "E18", json!({"answers": left, "consignment": notified}));
    assert_eq!(rules(&of(&world, &notified, day)), ["diverted red", "seized red"], "they were found");
}

#[test]
fn differences_and_disputes() {
    let mut world = World::new();
    let (notified, left) = world.left("2026-01-05", plain(), json!({}));
    let mut less = plain()["goods"].clone();
    less[0]["net"]["value"] = "90".into();
    let import = world.say("MZ", "2026-02-05", "E19", json!({"answers": left, "consignment": notified, "goods": less}));
    let day = "2026-02-06";
    assert_eq!(rules(&of(&world, &notified, day)), ["discrepant red"]);
    world.say("MZ", day, "E20", json!({"answers": import, "consignment": notified, "cause": "theft"}));
    world.say("GE", day, "E20", json!({"to": ["MZ"], "answers": import, "consignment": notified, "cause": "units"}));
    assert_eq!(rules(&of(&world, &notified, day)), ["disputed amber", "discrepant red"]);
}

/// A third of a percent of a ship is tonnes, and no news to anybody who weighs ships.
#[test]
fn what_scales_explain_waits_for_the_digest() {
    let mut world = World::new();
    let heavy = |tonnes: &str| {
        let mut goods = plain()["goods"].clone();
        goods[0]["net"] = json!({"value": tonnes, "unit": "TNE"});
        json!({ "goods": goods })
    };
    let (notified, left) = world.left("2026-01-05", with(plain(), heavy("60000")), heavy("60000"));
    let import = json!({"answers": left, "consignment": notified, "goods": heavy("59800")["goods"]});
    world.say("MZ", "2026-02-05", "E19", import);
    let causes = of(&world, &notified, "2026-02-06");
    let discrepant = causes.iter().find(|cause| cause.rule == Rule::Discrepant).expect("200 t are gone");
    assert_eq!(discrepant.severity, Severity::Amber, "{}", discrepant.words);
    assert!(discrepant.words.contains("200 t"), "{}", discrepant.words);
}

#[test]
fn clocks() {
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-05", "E02", with(plain(), json!({"reply_by": "2026-01-20"})));
    let on = |world: &World, day: &str| rules(&of(world, &notified, day));
    assert_eq!(on(&world, "2026-01-16"), [""; 0]);
    assert_eq!(on(&world, "2026-01-17"), ["answer-due amber"]);
    assert_eq!(on(&world, "2026-01-21"), ["no-reply amber"]);
    world.own = member("GE");
    assert_eq!(on(&world, "2026-01-17"), [""; 0], "it is not ours to answer");
    assert_eq!(on(&world, "2026-01-21"), ["no-reply amber"]);
}

#[test]
fn a_new_day_of_arrival_is_a_new_expectation() {
    let mut world = World::new();
    let (notified, _) = world.left("2026-01-05", plain(), json!({"arrival": {"latest": "2026-02-01"}}));
    let overdue = |world: &World, day: &str| -> Vec<Cause> {
        of(world, &notified, day).into_iter().filter(|cause| cause.rule == Rule::Overdue).collect()
    };
    assert_eq!(overdue(&world, "2026-02-15"), []);
    let first = overdue(&world, "2026-02-16");
    assert_eq!(first[0].words, "A shipment should have been here by 2026-02-15.");
    assert_eq!(overdue(&world, "2026-03-30"), first, "from day to day it is the same cause");
    let changes = json!([{"path": "/arrival", "value": {"latest": "2026-04-01"}}]);
    world.say(
        "GE",
        "2026-02-17",
        "E10",
        json!({"answers": notified, "consignment": notified, "reason": "storm", "changes": changes}),
    );
    assert_eq!(overdue(&world, "2026-03-30"), []);
    assert!(!overdue(&world, "2026-04-16").is_empty() && overdue(&world, "2026-04-16") != first);
}

#[test]
fn warnings_for_us() {
    let mut world = World::new();
    let (notified, _) = world.left("2026-01-05", plain(), json!({}));
    let warning = |to: &str, urgency: &str| json!({"to": [to], "consignment": notified, "subject": "x", "requested_action": "inspect", "urgency": urgency});
    let day = "2026-01-06";
    world.say("LB", day, "A03", warning("GE", "immediate"));
    assert_eq!(rules(&of(&world, &notified, day)), [""; 0]);
    let ours = world.say("LB", day, "A03", warning("MZ", "immediate"));
    world.say("LB", day, "A03", warning("MZ", "routine"));
    assert_eq!(rules(&of(&world, &notified, day)), ["warned red", "warned amber"]);
    world.say("MZ", day, "A04", json!({"to": ["LB"], "answers": ours, "consignment": notified, "result": "no-result"}));
    assert_eq!(rules(&of(&world, &notified, day)), ["warned amber"], "answered");
}

#[test]
fn a_warning_of_no_consignment_and_a_body_withheld_are_cases_of_their_own() {
    let mut world = World::new();
    let free = json!({"to": ["MZ"], "subject": "x", "requested_action": "inspect", "valid_until": "2026-02-01"});
    let warning = id(&world.say("LB", "2026-01-06", "A03", free));
    let declared =
        |world: &World| world.records.get(&warning).map(PartialRecord::declared).cloned().expect("the warning");
    let draft = declared(&world);
    let on = |day: &str, own: &str| of_warning(warning, &draft, member(own), noon(day));
    let cause = on("2026-02-01", "MZ").expect("it holds");
    assert_eq!(
        (cause.rule, cause.severity, cause.words.as_str()),
        (Rule::Warned, Severity::Amber, "LB warns us and asks to inspect (LB-1).")
    );
    assert!(on("2026-02-02", "MZ").is_none() && on("2026-01-06", "GE").is_none());
    assert_ne!(draft.kind, Some(Kind::Feedback));

    let mut alerts = Alerts::default();
    assert_eq!(alerts.refresh(warning, &BTreeSet::from([cause]), noon("2026-01-06")).len(), 1);
    let withheld = of_withheld(id("GE-7"));
    assert_eq!(withheld.words, "The body of GE-7 is for us, and no node gives it out.");
    assert_eq!(alerts.refresh(id("GE-7"), &BTreeSet::from([withheld]), noon("2026-01-06")).len(), 1);
    assert_eq!(alerts.cases().count(), 2);
}

#[test]
fn risk_raises_what_the_band_shows() {
    let mut world = World::new();
    world.lists = serde_json::from_value(json!({
        "end_users": [], "watch": [{"party": {"name": "Rustavi Test Nitrogen", "country": "GE"}, "reason": "case 7"}],
    }))
    .expect("lists");
    let notified = world.say("GE", "2026-01-05", "E02", plain());
    let risk = |causes: &BTreeSet<Cause>| -> Vec<String> {
        let risk = causes.iter().filter(|cause| matches!(cause.rule, Rule::Risk(_)));
        risk.map(|cause| format!("{} {}", cause.rule, cause.severity)).collect()
    };
    let day = "2026-01-06";
    assert_eq!(risk(&of(&world, &notified, day)), ["R07 red", "R20 red"], "25 and 40 points");
    world.policy.r20.on = false;
    assert_eq!(risk(&of(&world, &notified, day)), ["R07 amber"]);
    world.policy.bands.amber = 26;
    assert_eq!(risk(&of(&world, &notified, day)), [""; 0]);
}
