//! What officers do to cases, and what leaves the node.

use super::*;

const CASE: &str = "GE-1";

fn opened(causes: &[Cause]) -> Alerts {
    let mut alerts = Alerts::default();
    alerts.refresh(id(CASE), &causes.iter().cloned().collect(), noon("2026-01-01"));
    alerts
}

fn two() -> [Cause; 2] {
    [cause(Rule::Overdue, "GE-2 2026-01-01", Severity::Red), cause(Rule::NoReply, "GE-1 2026-01-01", Severity::Amber)]
}

fn status(alerts: &Alerts, day: &str) -> Status {
    alerts.show(id(CASE)).expect("the case").status(noon(day))
}

#[test]
fn an_acknowledged_case_stays_so_until_something_new() {
    let mut alerts = opened(&two());
    let all: BTreeSet<Cause> = two().into();
    alerts.apply(act(CASE, "2026-01-02", Act::Acknowledged { note: note() })).expect("it is open");
    assert_eq!(alerts.refresh(id(CASE), &all, noon("2026-01-03")), []);
    assert_eq!(status(&alerts, "2026-01-03"), Status::Acknowledged);
    let mut more = all.clone();
    more.insert(cause(Rule::Missing, "MZ-3", Severity::Red));
    assert_eq!(alerts.refresh(id(CASE), &more, noon("2026-01-04")).len(), 1);
    assert_eq!(status(&alerts, "2026-01-04"), Status::Open);
}

#[test]
fn a_cause_that_is_no_more_stays_and_is_marked() {
    let mut alerts = opened(&two());
    assert_eq!(alerts.show(id(CASE)).map(Case::severity), Some(Severity::Red));
    let [_, amber] = two();
    alerts.refresh(id(CASE), &BTreeSet::from([amber]), noon("2026-01-02"));
    let case = alerts.show(id(CASE)).expect("the case");
    assert_eq!((case.severity(), case.alerts.len()), (Severity::Amber, 2));
    alerts.refresh(id(CASE), &BTreeSet::new(), noon("2026-01-03"));
    assert_eq!(alerts.show(id(CASE)).map(Case::severity), Some(Severity::Info));
    let holding = Filter { holding: true, ..Filter::default() };
    assert_eq!(alerts.list(&holding, noon("2026-01-03")).len(), 0);
    assert_eq!(alerts.list(&Filter::default(), noon("2026-01-03")).len(), 1, "an officer closes it");
    assert_eq!(alerts.refresh(id(CASE), &two().into(), noon("2026-01-04")), [], "and it is not raised again");
    assert_eq!(alerts.show(id(CASE)).map(Case::severity), Some(Severity::Red));
}

#[test]
fn a_snooze_comes_back() {
    let mut alerts = opened(&two());
    let until = noon("2026-01-10");
    alerts.apply(act(CASE, "2026-01-02", Act::Snoozed { until, note: note() })).expect("it is open");
    assert_eq!(status(&alerts, "2026-01-09"), Status::Snoozed(until));
    assert_eq!(status(&alerts, "2026-01-10"), Status::Open);
    for end in ["2026-01-01", "2026-01-02", "2026-04-03"] {
        let snooze = act(CASE, "2026-01-02", Act::Snoozed { until: noon(end), note: note() });
        assert_eq!(alerts.apply(snooze), Err(CaseError::Snooze(id(CASE))), "{end}");
    }
    alerts.refresh(id(CASE), &BTreeSet::from([cause(Rule::Missing, "MZ-3", Severity::Red)]), noon("2026-01-05"));
    assert_eq!(status(&alerts, "2026-01-05"), Status::Open, "or earlier, for something new");
}

#[test]
fn a_closed_case_opens_for_something_new_only() {
    let mut alerts = opened(&two());
    let close = |day: &str, outcome| act(CASE, day, Act::Closed { outcome, note: note() });
    alerts.apply(act(CASE, "2026-01-02", Act::Assigned { to: "B. Officer".to_owned() })).expect("it is open");
    alerts.apply(close("2026-01-03", Outcome::Irregular)).expect("it is open");
    assert_eq!(alerts.refresh(id(CASE), &two().into(), noon("2026-01-04")), []);
    assert_eq!(status(&alerts, "2026-01-04"), Status::Closed(Outcome::Irregular));
    let refused = alerts.apply(act(CASE, "2026-01-04", Act::Acknowledged { note: note() }));
    assert_eq!(refused, Err(CaseError::Closed(id(CASE))));
    assert_eq!(refused.expect_err("closed").to_string(), "case GE-1 is closed; reopen it first");

    let mut more: BTreeSet<Cause> = two().into();
    more.insert(cause(Rule::Overdue, "GE-2 2026-02-01", Severity::Red));
    assert_eq!(alerts.refresh(id(CASE), &more, noon("2026-02-02")).len(), 1);
    assert_eq!(status(&alerts, "2026-02-02"), Status::Open);
    assert_eq!(alerts.show(id(CASE)).map(|case| case.current().count()), Some(1));
    alerts.apply(close("2026-02-03", Outcome::Explained)).expect("it is open");
    assert_eq!(alerts.rates().of(Rule::Overdue).to_string(), "1 of 2 irregular (50 %)");
    assert_eq!(alerts.rates().of(Rule::NoReply).to_string(), "1 of 1 irregular (100 %)");
    assert_eq!(alerts.rates().of(Rule::Missing).to_string(), "no case closed yet");
}

#[test]
fn a_closure_can_be_taken_back() {
    let mut alerts = opened(&two());
    let reopen = || act(CASE, "2026-01-04", Act::Reopened { note: note() });
    assert_eq!(alerts.apply(reopen()), Err(CaseError::NotClosed(id(CASE))));
    alerts.apply(act(CASE, "2026-01-03", Act::Closed { outcome: Outcome::FalseAlarm, note: note() })).expect("open");
    assert_eq!(alerts.rates().of(Rule::Overdue).count(Outcome::FalseAlarm), 1);
    alerts.apply(reopen()).expect("it is closed");
    assert_eq!((status(&alerts, "2026-01-04"), alerts.rates()), (Status::Open, &Rates::default()));
    assert_eq!(alerts.show(id(CASE)).map(Case::severity), Some(Severity::Red));
}

#[test]
fn an_act_has_a_name_and_a_case() {
    let mut alerts = opened(&two());
    let acknowledge = || Act::Acknowledged { note: note() };
    assert_eq!(alerts.apply(act("GE-9", "2026-01-02", acknowledge())), Err(CaseError::NoCase(id("GE-9"))));
    for by in [None, Some(String::new()), Some(" ".to_owned())] {
        let event = CaseEvent { by, ..act(CASE, "2026-01-02", acknowledge()) };
        assert_eq!(alerts.apply(event), Err(CaseError::By(id(CASE))));
    }
    let forged = Act::Raised { rule: Rule::Missing, mark: Mark(String::new()), severity: Severity::Red };
    assert_eq!(alerts.apply(act(CASE, "2026-01-02", forged)), Err(CaseError::By(id(CASE))));
    let hidden = act(CASE, "2026-01-02", Act::Acknowledged { note: "a\u{202e}b".to_owned() });
    let refused = alerts.apply(hidden).expect_err("it deceives the eye").to_string();
    assert_eq!(refused, "case GE-1: note: the text holds the invisible or control character U+202E");
}

#[test]
fn an_override_is_kept_and_makes_no_case() {
    let mut alerts = Alerts::default();
    let over = |reason: &str| Act::Overridden {
        band: Band::Green,
        reason: reason.to_owned(),
        seen: BTreeSet::from([Code::R04, Code::R20]),
    };
    assert_eq!(alerts.apply(act(CASE, "2026-01-02", over(" "))), Err(CaseError::NoReason(id(CASE))));
    alerts.apply(act(CASE, "2026-01-02", over("known customer"))).expect("a reason");
    let word = alerts.word(id(CASE)).expect("the word");
    assert_eq!((word.band, word.by.as_str(), word.seen.len()), (Band::Green, "A. Officer", 2));
    assert_eq!((alerts.cases().count(), alerts.list(&Filter::default(), noon("2026-01-03")).len()), (0, 0));
    let refused = alerts.apply(act(CASE, "2026-01-03", Act::Acknowledged { note: note() }));
    assert_eq!(refused, Err(CaseError::NoCase(id(CASE))));
}

#[test]
fn lists_are_filtered_and_in_the_order_of_concern() {
    let mut alerts = opened(&[cause(Rule::NoReply, "", Severity::Amber)]);
    let red = BTreeSet::from([cause(Rule::Overdue, "", Severity::Red)]);
    alerts.refresh(id("GE-3"), &red, noon("2026-01-03"));
    alerts.refresh(id("GE-2"), &red, noon("2026-01-04"));
    alerts.apply(act("GE-2", "2026-01-05", Act::Assigned { to: "B. Officer".to_owned() })).expect("it is open");
    let list = |filter: Filter| -> Vec<String> {
        alerts.list(&filter, noon("2026-01-06")).iter().map(|case| case.id.to_string()).collect()
    };
    assert_eq!(list(Filter::default()), ["GE-3", "GE-2", "GE-1"]);
    assert_eq!(list(Filter { severity: Some(Severity::Red), ..Filter::default() }), ["GE-3", "GE-2"]);
    assert_eq!(list(Filter { rule: Some(Rule::NoReply), ..Filter::default() }), ["GE-1"]);
    assert_eq!(list(Filter { assigned_to: Some("B. Officer".to_owned()), ..Filter::default() }), ["GE-2"]);
    assert_eq!(list(Filter { status: BTreeSet::from(["closed".to_owned()]), ..Filter::default() }), [""; 0]);
}

#[test]
fn what_leaves_the_node_says_how_much_and_not_what() {
    let mut alerts = Alerts::default();
    let raised = alerts.refresh(id("GE-4711"), &two().into(), noon("2026-01-01"));
    assert_eq!(notification(&raised).as_deref(), Some("1 red item, log in"));
    let mut more = raised.clone();
    more.extend(alerts.refresh(id("GE-4712"), &two().into(), noon("2026-01-01")));
    assert_eq!(notification(&more).as_deref(), Some("2 red items, log in"));
    let amber: Vec<Raised> = raised.iter().filter(|raised| raised.severity == Severity::Amber).cloned().collect();
    assert_eq!((amber.len(), notification(&amber)), (1, None), "amber waits for the digest");

    let first = raised.iter().find(|raised| raised.severity == Severity::Red).expect("one is red");
    let event = cloud_event(member("MZ"), first);
    assert_eq!(
        event,
        json!({"specversion": "1.0", "id": first.number.to_string(), "source": "/shieldwall/MZ", "type": "shieldwall.alert.raised",
            "time": "2026-01-01T12:00:00Z", "severity": "red"})
    );
    let digest = Digest::of(&alerts, noon("2026-01-02"));
    let text = digest.text();
    assert_eq!(
        text,
        "Open: 2 red, 0 amber, 0 for information. Acknowledged: 0. Snoozed: 0. The oldest was raised at 2026-01-01T12:00:00Z. Log in to see them."
    );
    for told in [text, digest.to_json().to_string(), event.to_string()] {
        assert!(!["GE", "471", "overdue", "Overdue"].iter().any(|word| told.contains(word)), "{told}");
    }
    assert_eq!(Digest::of(&Alerts::default(), noon("2026-01-02")), Digest::default());
}

#[test]
fn a_case_is_shown_whole_with_the_rate_of_each_rule() {
    let mut alerts = opened(&two());
    alerts.refresh(id(CASE), &two().into(), noon("2026-01-01"));
    let until = noon("2026-01-10");
    alerts.apply(act(CASE, "2026-01-02", Act::Snoozed { until, note: note() })).expect("it is open");
    let shown = alerts.show(id(CASE)).expect("the case").to_json(alerts.rates(), noon("2026-01-03"));
    assert_eq!(
        (&shown["status"], &shown["severity"], &shown["until"]),
        (&json!("snoozed"), &json!("red"), &json!(until))
    );
    let alert = &shown["alerts"][0];
    assert_eq!(
        (&alert["rule"], &alert["asks"], &alert["hit_rate"]),
        (&json!("no-reply"), &json!("look at it this week"), &json!("no case closed yet"))
    );
    assert_eq!(shown["history"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        shown["history"][2],
        json!({"at": "2026-01-02T12:00:00Z", "by": "A. Officer", "act": "snoozed", "until": until, "note": "seen"})
    );
    assert!(!format!("{alerts:?}").contains("seen"));
}

#[test]
fn names_of_rules_are_unique_and_read_back() {
    let names: BTreeSet<&str> = Rule::all().map(Rule::name).collect();
    assert_eq!(names.len(), Rule::all().count());
    assert!(Rule::all().all(|rule| rule.name().parse() == Ok(rule) && !rule.about().is_empty()));
    assert!("R99".parse::<Rule>().is_err());
    let documentation = include_str!("../../../../docs/alerts.md");
    let missing: Vec<&str> = names
        .into_iter()
        .filter(|name| !name.starts_with('R') && !documentation.contains(&format!("| `{name}` |")))
        .collect();
    assert_eq!(missing, [""; 0], "docs/alerts.md has a row for every rule");
}
