//! Records in, consignments out.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::encoding::cbor::Value;
use crate::encoding::time::UnixTime;
use crate::record::{Compartment, Context, Draft, Strictness};

mod declarations;
mod guards;
mod invariants;
mod links;
mod mirror;
mod reconciliation;
mod scenarios;
mod statistics;
mod views;

const DAY: i64 = 86_400;

const NOTIFICATION: &str = r#"{"kind": "E02", "ucr": "3GE204567890-AN2750", "destination": "MZ",
    "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Synthetic Mining Supplies"},
    "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
    "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"}}]}"#;

const UNANNOUNCED: &str = r#"{"kind": "E19", "to": ["GE"], "export_country": "GE", "mrn": "06DE586600006143E1",
    "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "1", "unit": "TNE"}}]}"#;

type Records = Vec<(RecordId, PartialRecord)>;

fn id(text: &str) -> RecordId {
    text.parse().expect("a record id")
}

/// A record with this id, issued `at` seconds after the first.
fn record(name: &str, at: i64, json: &str) -> (RecordId, PartialRecord) {
    let draft: Draft = serde_json::from_str(json).expect("a draft");
    let context = Context {
        strictness: Strictness::Own,
        author: Some(id(name).log.member),
        now: UnixTime::from_seconds(1_379_900_000 + at).expect("in range"),
        foreign_exports: false,
    };
    (id(name), PartialRecord::from(&draft.check(&context).expect("a sound draft").record))
}

fn reply(name: &str, at: i64, kind: &str, answers: &str) -> (RecordId, PartialRecord) {
    let reason = if kind == "E07" { r#","reason_code": "importer-unknown""# } else { "" };
    record(name, at, &format!(r#"{{"kind": "{kind}", "to": ["GE"], "answers": "{answers}" {reason}}}"#))
}

fn goods(name: &str, at: i64, kind: &str, answers: &str, tonnes: &str) -> (RecordId, PartialRecord) {
    let readers = if kind == "E13" { r#""destination": "MZ""# } else { r#""to": ["GE"]"# };
    record(
        name,
        at,
        &format!(
            r#"{{"kind": "{kind}", {readers}, "answers": "{answers}", "goods": [{{"substance": "ammonium-nitrate",
                "hs6": "310230", "net": {{"value": "{tonnes}", "unit": "TNE"}}}}]}}"#
        ),
    )
}

fn amendment(name: &str, at: i64, path: &str, value: &str) -> (RecordId, PartialRecord) {
    record(
        name,
        at,
        &format!(
            r#"{{"kind": "E10", "destination": "MZ", "answers": "GE-1", "reason": "typing error",
                "changes": [{{"path": "{path}", "value": {value}}}]}}"#
        ),
    )
}

fn one(records: Records) -> Consignment {
    let mut all = consignments(records);
    let consignment = all.remove(&id("GE-1")).expect("the consignment");
    assert!(all.is_empty(), "{all:?}");
    consignment
}

fn illegal(consignment: &Consignment) -> Vec<(String, Illegal)> {
    let events = consignment.timeline.iter();
    events.filter_map(|event| Some((event.id.to_string(), event.illegal?))).collect()
}

#[track_caller]
fn check(records: Records, state: State, flags: &[Flag], faults: &[(&str, Illegal)]) -> Consignment {
    let count = records.len();
    let consignment = one(records);
    assert_eq!(consignment.state, Some(state));
    assert_eq!(consignment.flags, flags.iter().copied().collect());
    assert_eq!(illegal(&consignment), faults.iter().map(|(id, why)| ((*id).to_owned(), *why)).collect::<Vec<_>>());
    assert_eq!(consignment.timeline.len(), count, "every record is told");
    consignment
}

fn whole_life() -> Records {
    vec![
        record("GE-1", 0, NOTIFICATION),
        record("MZ-1", 1, r#"{"kind": "E03", "to": ["GE"], "acknowledges": ["GE-1"], "level": "delivered"}"#),
        reply("MZ-2", 2, "E06", "GE-1"),
        goods("GE-2", 3, "E13", "GE-1", "2750"),
        reply("MZ-3", 4, "E18", "GE-2"),
        goods("MZ-4", 5, "E19", "GE-2", "2749.95"),
    ]
}

#[test]
fn a_consignment_from_announcement_to_import() {
    let states = [State::Notified, State::Notified, State::Cleared, State::Departed, State::Arrived, State::Reconciled];
    for (count, state) in (1..).zip(states) {
        check(whole_life().into_iter().take(count).collect(), state, &[], &[]);
    }
    let json = one(whole_life()).to_json();
    assert_eq!(json["state"], "RECONCILED");
    assert_eq!((&json["exporting"], &json["importing"]), (&"GE".into(), &"MZ".into()));
    assert_eq!(json["transit"], serde_json::json!(["TR"]));
    assert_eq!(json["acknowledged_by"], serde_json::json!(["MZ"]));
    let masses = serde_json::json!({
        "notified_g": 2_750_000_000_u64, "departed_g": 2_750_000_000_u64, "received_g": 2_749_950_000_u64,
    });
    assert_eq!(json["masses"]["ammonium-nitrate"], masses);
}

#[test]
fn only_the_parties_speak_for_themselves() {
    let strangers = vec![
        record("GE-1", 0, NOTIFICATION),
        reply("LB-1", 1, "E06", "GE-1"),
        reply("TR-1", 1, "E06", "GE-1"),
        goods("MZ-1", 2, "E13", "GE-1", "2750"),
        goods("TR-2", 3, "E19", "GE-1", "2750"),
        amendment("LB-2", 4, "/destination", "\"LB\""),
    ];
    let faults = [
        ("LB-1", Illegal::NotAParty),
        ("MZ-1", Illegal::NotAParty),
        ("TR-2", Illegal::NotAParty),
        ("LB-2", Illegal::NotAParty),
    ];
    let consignment = check(strangers, State::Notified, &[], &faults);
    assert_eq!(consignment.masses["ammonium-nitrate"].departed, 0);
}

#[test]
fn a_reply_counts_for_one_version() {
    let heavier = || amendment("GE-2", 2, "/goods/0/net/value", "\"2800\"");
    let amended = vec![record("GE-1", 0, NOTIFICATION), reply("MZ-1", 1, "E06", "GE-1"), heavier()];
    let consignment = check(amended.clone(), State::Notified, &[Flag::Amended], &[]);
    assert_eq!(consignment.masses["ammonium-nitrate"].notified, 2_800_000_000);
    assert_eq!(consignment.version, id("GE-2"));

    let mut late = amended.clone();
    late.push(reply("MZ-2", 3, "E06", "GE-1"));
    check(late, State::Notified, &[Flag::Amended], &[("MZ-2", Illegal::EarlierVersion)]);
    let mut right = amended;
    right.push(reply("MZ-2", 3, "E06", "GE-2"));
    check(right, State::Cleared, &[Flag::Amended], &[]);
}

#[test]
fn a_change_that_says_nothing_new_voids_no_consent() {
    let less = amendment("GE-2", 2, "/goods/0/net_mass_g", "2740000000");
    let records = vec![record("GE-1", 0, NOTIFICATION), reply("MZ-1", 1, "E06", "GE-1"), less];
    let consignment = check(records, State::Cleared, &[Flag::Amended], &[]);
    assert_eq!(consignment.masses["ammonium-nitrate"].notified, 2_740_000_000);
    for path in ["/kind", "/export_country", "/goods/7/net", "goods", "/no_such_field", ""] {
        let records = vec![record("GE-1", 0, NOTIFICATION), bad_amendment(path)];
        check(records, State::Notified, &[], &[("GE-2", Illegal::BadAmendment)]);
    }
}

/// An amendment that a careful node would not have made.
fn bad_amendment(path: &str) -> (RecordId, PartialRecord) {
    let (id, good) = amendment("GE-2", 1, "/lrn", "\"x\"");
    let mut content = good.content().clone();
    let change = [("path", path), ("value", "x")].map(|(name, text)| (Value::from(name), Value::from(text)));
    let value = Value::Array(vec![Value::Map(change.into_iter().collect())]);
    content.entry(Compartment::TRADE).or_default().insert("changes".to_owned(), value);
    (id, PartialRecord::from_content(&content))
}

#[test]
fn an_objection_that_crosses_the_departure_is_seen() {
    let records =
        vec![record("GE-1", 0, NOTIFICATION), goods("GE-2", 1, "E13", "GE-1", "2750"), reply("MZ-1", 2, "E07", "GE-1")];
    check(records, State::Departed, &[Flag::Objected, Flag::UnclearedDeparture], &[]);
}

#[test]
fn more_than_was_announced_is_seen_and_half_a_percent_is_not() {
    for (tonnes, flags) in [("2760", vec![]), ("2764", vec![Flag::OverShipped])] {
        let records = vec![
            record("GE-1", 0, NOTIFICATION),
            reply("MZ-1", 1, "E06", "GE-1"),
            goods("GE-2", 2, "E13", "GE-1", "1000"),
            goods(
                "GE-3",
                3,
                "E13",
                "GE-1",
                &tonnes.parse::<u32>().map(|all| (all - 1000).to_string()).expect("a number"),
            ),
        ];
        check(records, State::Departed, &flags, &[]);
    }
}

#[test]
fn nothing_but_warnings_follows_a_cancellation() {
    let cancellation = r#"{"kind": "E11", "destination": "MZ", "answers": "GE-1", "reason": "not sold"}"#;
    let warning =
        r#"{"kind": "A03", "to": ["MZ"], "consignment": "GE-1", "subject": "x", "requested_action": "inspect"}"#;
    let records = vec![
        record("GE-1", 0, NOTIFICATION),
        record("GE-2", 1, cancellation),
        goods("GE-3", 2, "E13", "GE-1", "2750"),
        record("LB-1", 3, warning),
        record("MZ-1", 4, r#"{"kind": "A04", "to": ["LB"], "answers": "LB-1", "result": "no-result"}"#),
        record("TR-1", 4, r#"{"kind": "A04", "to": ["LB"], "answers": "LB-1", "result": "no-result"}"#),
    ];
    let faults = [("GE-3", Illegal::AfterCancellation), ("TR-1", Illegal::NotAddressed)];
    check(records, State::Cancelled, &[Flag::Warned], &faults);
    let mut late = whole_life();
    late.push(record("GE-3", 9, cancellation));
    check(late, State::Reconciled, &[], &[("GE-3", Illegal::AfterDeparture)]);
}

#[test]
fn an_import_without_departure_and_a_late_report_are_flagged() {
    let late = format!(
        r#"{{"kind": "E18", "to": ["GE"], "answers": "GE-1", "happened_at": "{}"}}"#,
        UnixTime::from_seconds(1_379_900_000).expect("in range")
    );
    let records = vec![record("GE-1", 0, NOTIFICATION), record("MZ-1", 2 * DAY + 1, &late)];
    check(records, State::Arrived, &[Flag::ArrivedUnannounced, Flag::LateReport], &[]);
}

#[test]
fn what_is_said_of_an_unknown_consignment_waits_for_it() {
    let mut records = whole_life();
    records.remove(0);
    let cleared = records.remove(1);
    let unknown = consignments([cleared]);
    assert!(unknown.is_empty(), "it names no consignment, and what it answers is not here");
    let stop = r#"{"kind": "E08", "to": ["MZ"], "consignment": "GE-1", "answers": "GE-1", "reason": "x", "requested_action": "hold"}"#;
    let consignment = one(vec![record("TR-1", 1, stop)]);
    assert_eq!(consignment.state, None);
    assert_eq!(illegal(&consignment), [("TR-1".to_owned(), Illegal::NotificationNotHeld)]);
}

#[test]
fn a_kind_of_tomorrow_is_told_and_changes_nothing() {
    let (_, mut record) = reply("MZ-1", 1, "E06", "GE-1");
    let mut content = record.content().clone();
    let summary = content.get_mut(&Compartment::SUMMARY).expect("a summary");
    summary.insert("kind".to_owned(), "E99".into());
    record = PartialRecord::from_content(&content);
    let records = vec![self::record("GE-1", 0, NOTIFICATION), (id("MZ-1"), record)];
    check(records, State::Notified, &[], &[("MZ-1", Illegal::UnknownKind)]);
}

#[test]
fn a_transit_country_sees_the_state_without_the_goods() {
    let transit = |(id, record): (RecordId, PartialRecord)| {
        let readable = ["summary", "transport"];
        let content = record.content().iter().filter(|(name, _)| readable.contains(&name.as_str()));
        (id, PartialRecord::from_content(&content.map(|(name, fields)| (name.clone(), fields.clone())).collect()))
    };
    let consignment = check(whole_life().into_iter().map(transit).collect(), State::Imported, &[], &[]);
    assert_eq!(consignment.substances, BTreeSet::from(["ammonium-nitrate".to_owned()]));
    assert!(consignment.masses.is_empty());
}

#[test]
fn a_transit_country_does_not_judge_what_it_is_not_told() {
    // The consent is between the pair: at the country on the way the departure is neither cleared nor uncleared.
    let seen = [record("GE-1", 0, NOTIFICATION), goods("GE-2", 2, "E13", "GE-1", "2750")].map(|(id, record)| {
        let mut content = record.content().clone();
        content.retain(|name, _| *name == Compartment::SUMMARY || *name == Compartment::TRANSPORT);
        (id, PartialRecord::from_content(&content))
    });
    check(seen.into(), State::Departed, &[], &[]);
    let told = vec![record("GE-1", 0, NOTIFICATION), goods("GE-2", 2, "E13", "GE-1", "2750")];
    check(told, State::Departed, &[Flag::UnclearedDeparture], &[]);
}

#[test]
fn the_order_is_causal_before_it_is_that_of_clocks() {
    // The reply's clock runs a day slow; the departure names it.
    let mut departure = goods("GE-2", 3, "E13", "MZ-1", "2750");
    let records = || vec![record("GE-1", DAY, NOTIFICATION), reply("MZ-1", 0, "E06", "GE-1"), departure.clone()];
    check(records(), State::Departed, &[], &[]);
    // Two that name each other are still taken in, in the order of their times.
    departure = goods("GE-2", 3, "E13", "MZ-1", "2750");
    let answer = r#"{"kind": "E06", "to": ["GE"], "consignment": "GE-1", "answers": "GE-2"}"#;
    let circle = vec![record("GE-1", 0, NOTIFICATION), record("MZ-1", 1, answer), departure];
    check(circle, State::Departed, &[Flag::UnclearedDeparture], &[("MZ-1", Illegal::NoVersion)]);
}

/// Records of two consignments, legal ones and others, some of them naming what is not there or comes later.
fn tangle() -> Records {
    let mut records = whole_life();
    records.extend([
        record("TR-1", 0, NOTIFICATION),
        amendment("GE-3", 4, "/consignee/name", "\"Another\""),
        reply("MZ-5", 4, "E07", "TR-1"),
        reply("MZ-6", 4, "E06", "GE-3"),
        reply("TR-2", 4, "E07", "MZ-6"),
        goods("GE-4", 2, "E13", "GE-1", "9"),
        goods("LB-1", 2, "E13", "LB-9", "9"),
        record(
            "W1-1",
            7,
            r#"{"kind": "A06", "to": ["GE"], "consignment": "GE-1", "happened_at": "2013-09-20T00:00:00Z",
            "goods": [{"substance": "urea", "hs6": "310210", "net": {"value": "1", "unit": "TNE"}}]}"#,
        ),
        record("MZ-7", 3, UNANNOUNCED),
        reply("MZ-8", 4, "E06", "MZ-7"),
        goods("GE-5", 5, "E13", "MZ-7", "1"),
    ]);
    records
}

proptest! {
    #[test]
    fn any_order_of_arrival_gives_the_same_result(records in Just(tangle()).prop_shuffle(), kept in 0_usize..19) {
        let some: Records = records.into_iter().take(kept).collect();
        let mut sorted = some.clone();
        sorted.sort_by_key(|(id, _)| *id);
        prop_assert_eq!(consignments(some), consignments(sorted));
    }

    #[test]
    fn an_illegal_event_changes_nothing(records in Just(tangle()).prop_shuffle()) {
        let before = consignments(records.clone());
        let illegal: BTreeSet<RecordId> = before.values().flat_map(|consignment| &consignment.timeline)
            .filter(|event| event.illegal.is_some()).map(|event| event.id).collect();
        prop_assert!(!illegal.is_empty());
        let legal = consignments(records.into_iter().filter(|(id, _)| !illegal.contains(id)));
        let without_timeline = |all: BTreeMap<RecordId, Consignment>| -> Vec<Consignment> {
            all.into_values().map(|mut consignment| { consignment.timeline.clear(); consignment }).collect()
        };
        prop_assert_eq!(without_timeline(before), without_timeline(legal));
    }
}
