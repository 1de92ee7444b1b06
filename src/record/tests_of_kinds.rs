//! Every kind of record: one sound draft of each, what each refuses, and who reads it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::encoding::cbor::{decode, encode};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

fn member(code: &str) -> MemberCode {
    code.parse().expect("a member code")
}

/// Who speaks in the examples.
fn author(kind: &str) -> MemberCode {
    let exporting = ["E02", "E05", "E09", "E10", "E11", "E13", "E16"];
    member(if exporting.contains(&kind) { "GE" } else { "MZ" })
}

fn context(kind: &str, strictness: Strictness) -> Context {
    let now = UnixTime::from_seconds(1_795_338_842).expect("in range");
    Context { strictness, author: Some(author(kind)), now, foreign_exports: false }
}

fn goods() -> Json {
    json!([{"substance": "urea", "hs6": "310210", "net": {"value": "24", "unit": "TNE"}}])
}

#[test]
fn an_arrival_that_nobody_announced_says_how_to_find_it() {
    let check = |json: Json| {
        let draft: Draft = serde_json::from_value(json).expect("a draft");
        let checked = draft.check(&context("E18", Strictness::Own)).expect("no more than warnings");
        let opens = checked.record.declared().opens_unannounced();
        let warned = checked.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
        (
            opens,
            warned
                .iter()
                .filter(|text| text.starts_with("answers") || text.contains("to: ") || text.contains("export"))
                .cloned()
                .collect::<Vec<_>>(),
        )
    };
    let bare = json!({"kind": "E18", "to": ["GE"]});
    let (opens, warned) = check(bare.clone());
    assert!(opens);
    assert_eq!(
        warned,
        [
            "answers: missing, and there is no UCR, MRN, bill of lading, container or seal by which to find what it belongs to",
            "export_country: missing",
        ]
    );
    let with = |field: &str, value: Json| {
        let mut json = bare.clone();
        json[field] = value;
        json["export_country"] = "GE".into();
        check(json).1
    };
    for (field, value) in [
        ("ucr", json!("3GE204567890-9")),
        ("mrn", json!("06DE586600006143E1")),
        ("bill_of_lading", json!("B1")),
        ("containers", json!([{"number": "CSQU3054383"}])),
        ("seals", json!(["S1"])),
    ] {
        assert!(with(field, value).is_empty(), "{field}");
    }
    assert_eq!(
        with("to", json!(["LB"]))[1],
        "to: does not name GE, where the goods come from: it does not learn that they came"
    );
    for (field, value) in [("answers", "GE-2"), ("consignment", "GE-1")] {
        let mut json = bare.clone();
        json[field] = value.into();
        assert_eq!(check(json), (false, vec![]), "{field}");
    }
}

/// One sound draft of every kind, by its code.
fn drafts() -> Vec<(&'static str, Json)> {
    let digest = "ab".repeat(32);
    let sample = json!([{"name": "permit.pdf", "digest": digest}]);
    vec![
        (
            "E02",
            json!({"destination": "MZ", "ucr": "3GE204567890-1", "goods": goods(), "policies": ["MZ-4", "TR-9"],
            "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Synthetic Mining Supplies"}}),
        ),
        ("E03", json!({"to": ["GE"], "acknowledges": ["GE-1"], "level": "opened"})),
        (
            "E04",
            json!({"to": ["GE"], "answers": "GE-1", "questions": ["Who uses it?"], "extend_reply_by": "2026-12-20"}),
        ),
        ("E05", json!({"destination": "MZ", "answers": "MZ-1", "responses": ["A mine."], "attachments": sample})),
        (
            "E06",
            json!({"to": ["GE"], "answers": "GE-1", "conditions": ["daylight"], "max_net_mass_g": 5,
            "consignee_status": "licensed"}),
        ),
        ("E07", json!({"to": ["GE"], "answers": "GE-1", "reason_code": "importer-unknown", "reason": "no such firm"})),
        (
            "E08",
            json!({"to": ["GE"], "answers": "GE-1", "reason": "recalled", "requested_action": "hold", "urgency": "urgent"}),
        ),
        (
            "E09",
            json!({"destination": "MZ", "answers": "GE-1", "decision": "released", "legal_basis": "Order 7, article 3"}),
        ),
        (
            "E10",
            json!({"destination": "MZ", "answers": "GE-1", "reason": "typing error",
            "changes": [{"path": "/goods/0/net/value", "value": "2700"}, {"path": "/lrn"}]}),
        ),
        ("E11", json!({"destination": "MZ", "answers": "GE-1", "reason": "not sold"})),
        ("E13", json!({"destination": "MZ", "answers": "GE-1", "goods": goods(), "shipment": {"number": 1, "of": 2}})),
        ("E14", json!({"to": ["GE", "MZ"], "answers": "GE-2", "place": {"unlocode": "TRIST"}, "seals_intact": true})),
        ("E15", json!({"to": ["GE", "MZ"], "answers": "GE-2", "place": {"unlocode": "TRIST"}, "seals_intact": false})),
        (
            "E16",
            json!({"to": ["MZ"], "answers": "GE-2", "conveyance": {"name": "MV Second"},
            "former_conveyance": {"name": "MV First", "imo": "IMO9074729"}}),
        ),
        (
            "E17",
            json!({"to": ["GE"], "answers": "GE-2", "diversion": "observed", "new_destination": "LB", "reason": "seen there"}),
        ),
        ("E18", json!({"to": ["GE"], "answers": "GE-2", "place": {"unlocode": "MZBEW"}, "condition": "107"})),
        ("E19", json!({"to": ["GE"], "answers": "GE-2", "goods": goods(), "release": "warehouse"})),
        ("E20", json!({"to": ["GE"], "answers": "MZ-4", "cause": "units", "goods": goods(), "settles": true})),
        (
            "E21",
            json!({"to": ["GE"], "answers": "MZ-4", "verification": "verified", "method": "visit", "remaining_stock_g": 7}),
        ),
        ("E22", json!({"to": ["GE"], "answers": "MZ-4", "closing_state": "reconciled"})),
        ("E23", json!({"to": ["GE"], "answers": "MZ-9", "reason": "found again", "attachments": sample})),
        (
            "A01",
            json!({"to": ["GE"], "answers": "GE-2", "place": {"unlocode": "LBBEY"}, "last_seen_at": "2026-11-20T10:00:00Z"}),
        ),
        ("A02", json!({"to": ["GE", "W1"], "answers": "GE-2", "goods": goods(), "reason": "never came"})),
        (
            "A03",
            json!({"to": ["LB", "W1"], "subject": "MV Sample", "requested_action": "inspect", "urgency": "urgent"}),
        ),
        (
            "A04",
            json!({"to": ["GE"], "answers": "GE-3", "result": "no-result", "control_type": "x-ray", "action_taken": "opened"}),
        ),
        ("A05", json!({"to": ["TR"], "answers": "TR-3", "stop_reply": "refused", "reason": "no ground"})),
        ("A06", json!({"to": ["GE"], "goods": goods(), "happened_at": "2026-11-20T10:00:00Z", "persons": 2})),
        (
            "A07",
            json!({"to": ["GE"], "incident": "theft", "detected_at": "2026-11-20T10:00:00Z",
            "reported_at": "2026-11-21T10:00:00Z"}),
        ),
        ("A08", json!({"to": ["GE"], "answers": "MZ-7", "reason": "found in the next shed"})),
        (
            "J01",
            json!({"members": ["KE", "TZ"], "operation_name": "Operation Sample", "period": {"earliest": "2026-12-01",
            "latest": "2026-12-14"}, "substances": ["urea"], "templates": ["seizure"]}),
        ),
        ("J02", json!({"to": ["KE"], "members": ["UG"], "operation": "MZ-7", "operation_name": "Operation Sample"})),
        ("J03", json!({"to": ["KE"], "operation": "MZ-7", "message": "Two trucks.\nBoth white."})),
        ("J04", json!({"to": ["KE"], "operation": "KE-7"})),
        ("J05", json!({"to": ["KE"], "operation": "MZ-7"})),
        ("G03", json!({"effective_from": "2026-12-01", "terms": terms()})),
        (
            "G04",
            json!({"list_id": "substances", "list_version": "pgs-2026-1", "effective_from": "2027-01-01",
            "content_digest": digest}),
        ),
        (
            "G05",
            json!({"consignment": "GE-1", "new_readers": ["LB"], "compartments": ["summary", "transport"],
            "reason": "it lies there"}),
        ),
        ("G07", json!({"audit_entries": 41_200, "audit_head": digest})),
        ("G08", json!({"erases": ["MZ-4", "MZ-7"], "legal_basis": "Data Protection Act, section 12"})),
        ("G09", json!({"to": ["GE"], "answers": "GE-9", "erased": ["GE-1"], "held": ["GE-2"]})),
    ]
}

fn terms() -> Json {
    json!({
        "reply_days": 15, "reply_counting": "working", "extension_days": 10,
        "calendar": {"weekend": ["friday", "saturday"], "holidays": ["2026-12-25", "2027-01-01"]},
        "silence": "refusal", "transit": "required", "stop_hours": 24,
        "tolerances": {"packaged": {"green_ppm": 5_000, "amber_ppm": 20_000}},
        "floors": [{"substance": "urea", "pure_mass_g": 100_000}],
        "thresholds": [{"substance": "acetone", "pure_mass_g": 79_000}],
        "grace": [{"mode": 1, "days": 14}, {"mode": 4, "days": 2}],
        "voyage_days": 45, "end_use_days": 60, "closure_days": 30,
    })
}

fn read(code: &str, json: &Json) -> Draft {
    let mut json = json.clone();
    json["kind"] = code.into();
    serde_json::from_value(json).expect("a draft")
}

fn example(code: &str) -> Json {
    drafts().into_iter().find(|(of, _)| *of == code).expect("an example").1
}

/// The example of a kind with one field changed, or taken out if the value is null.
fn changed(code: &str, field: &str, value: Json) -> Draft {
    let mut json = example(code);
    if value.is_null() {
        json.as_object_mut().expect("an object").remove(field);
    } else {
        json[field] = value;
    }
    read(code, &json)
}

fn record(code: &str, draft: Draft) -> Record {
    draft
        .check(&context(code, Strictness::Own))
        .unwrap_or_else(|refused| panic!("{code}: {:?}", shown(&refused.errors)))
        .record
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

/// Refused as an own entry; kept as a document, with the same words as a warning.
#[track_caller]
fn doubtful(code: &str, draft: Draft, expected: &str) {
    let refused = draft.clone().check(&context(code, Strictness::Own)).expect_err("a fault");
    assert_eq!(shown(&refused.errors), [expected]);
    let kept = draft.check(&context(code, Strictness::Imported)).expect("kept");
    assert!(shown(&kept.warnings).contains(&expected.to_owned()), "{:?}", shown(&kept.warnings));
    assert!(Record::from_content(kept.record.content()).is_ok(), "a signed record is never refused for a word");
}

/// Whose codes stand among the readers of a compartment.
fn readers(record: &Record, by: &str, compartment: &Compartment) -> Vec<String> {
    let members = ["GE", "KE", "LB", "MZ", "TR", "W1"].map(member);
    let readers = record.readers(member(by), members);
    readers.get(compartment).into_iter().flatten().map(ToString::to_string).collect()
}

#[test]
fn every_kind_can_be_declared() {
    let kinds: Vec<Kind> = drafts()
        .iter()
        .map(|(code, json)| {
            let record = record(code, read(code, json));
            assert_eq!(Record::from_content(record.content()).as_ref(), Ok(&record), "{code}");
            let summary = readers(&record, author(code).as_str(), &Compartment::SUMMARY);
            assert!(summary.len() > 1, "{code} reaches nobody");
            record.kind().clone()
        })
        .collect();
    assert!(kinds.iter().eq(Kind::all()));
}

#[test]
fn what_is_shown_can_be_submitted_again() {
    for (code, json) in drafts() {
        let record = record(code, read(code, &json));
        let again: Draft = serde_json::from_value(record.to_json()).expect("the names are those of a draft");
        assert_eq!(self::record(code, again), record, "{code}");
        for (field, value) in json.as_object().expect("an object").iter().filter(|(field, _)| *field != "goods") {
            assert_eq!(&record.to_json()[field], value, "{code} {field}");
        }
    }
}

#[test]
fn every_required_field_is_required() {
    for (code, _) in drafts() {
        for field in Kind::read(code).required().iter().filter(|field| **field != "export_country") {
            let refused =
                changed(code, field, Json::Null).check(&context(code, Strictness::Imported)).expect_err(field);
            assert!(shown(&refused.errors).contains(&format!("{field}: missing")), "{code} {field}");
        }
    }
}

#[test]
fn an_unknown_word_is_refused_with_the_list_and_kept_in_a_document() {
    let words = [
        ("E03", "level", Level::LIST),
        ("E06", "consignee_status", ConsigneeStatus::LIST),
        ("E07", "reason_code", ReasonCode::LIST),
        ("E08", "urgency", Urgency::LIST),
        ("E08", "requested_action", RequestedAction::LIST),
        ("E09", "decision", Decision::LIST),
        ("E17", "diversion", DiversionKind::LIST),
        ("E19", "release", Release::LIST),
        ("E20", "cause", Cause::LIST),
        ("E21", "verification", Verification::LIST),
        ("E22", "closing_state", ClosingState::LIST),
        ("A04", "result", ControlResult::LIST),
        ("A04", "control_type", ControlType::LIST),
        ("A05", "stop_reply", StopReply::LIST),
        ("A07", "incident", IncidentKind::LIST),
    ];
    for (code, field, list) in words {
        doubtful(code, changed(code, field, "whatever".into()), &format!("{field}: \"whatever\": not one of {list}"));
    }
    let mut strange = example("G03");
    strange["terms"]["silence"] = "golden".into();
    doubtful("G03", read("G03", &strange), "terms/silence: \"golden\": not one of consent, refusal");
}

#[test]
fn suspicion_is_for_the_addressees() {
    for (code, json) in drafts() {
        let kind = Kind::read(code);
        let mut json = json;
        json["reason"] = "a reason".into();
        json["destination"] = "AL".into();
        json["to"] = json!(["W1"]);
        json["itinerary"] = json!([{"country": "TR"}]);
        let record = record(code, read(code, &json));
        let by = author(code);
        let of = |compartment| readers(&record, by.as_str(), &compartment);
        let home = if kind.is_confidential() { Compartment::INTEL } else { Compartment::TRADE };
        assert!(record.content()[&home].contains_key("reason"), "{code}");
        if kind.is_for_all_members() {
            assert!(of(home).len() > 6, "{code}");
            continue;
        }
        assert_eq!(of(home).contains(&"AL".to_owned()), !kind.is_confidential(), "{code}: the destination");
        assert!(of(Compartment::SUMMARY).contains(&"AL".to_owned()), "{code}");
        assert!(of(Compartment::SUMMARY).contains(&"TR".to_owned()), "{code}");
        assert!(!of(Compartment::INTEL).contains(&"TR".to_owned()), "{code}: a transit country");
    }
}

#[test]
fn each_kind_reaches_those_it_is_for() {
    let of = |code, by, compartment| readers(&record(code, read(code, &example(code))), by, &compartment);
    assert_eq!(of("E17", "MZ", Compartment::SUMMARY), ["GE", "LB", "MZ"], "the new destination knows of the diversion");
    assert_eq!(of("E17", "MZ", Compartment::INTEL), ["GE", "MZ"], "and not of the suspicion");
    assert_eq!(of("J02", "MZ", Compartment::INTEL), ["KE", "MZ", "UG"]);
    assert_eq!(of("G05", "GE", Compartment::SUMMARY), ["GE", "LB"]);
    for code in ["G03", "G04", "G07", "G08"] {
        assert_eq!(of(code, "MZ", Compartment::SUMMARY), ["GE", "KE", "LB", "MZ", "TR", "W1"], "{code}");
    }
}

#[test]
fn an_incident_is_reported_within_a_day() {
    let late = |at: &str| changed("A07", "reported_at", at.into());
    let warned = late("2026-11-21T10:00:01Z").check(&context("A07", Strictness::Own)).expect("only a warning").warnings;
    assert!(shown(&warned).contains(&"reported_at: more than 24 hours after the detection".to_owned()));
    doubtful("A07", late("2026-11-20T09:59:59Z"), "reported_at: lies before the detection");
    let in_time = late("2026-11-21T10:00:00Z").check(&context("A07", Strictness::Own)).expect("in time").warnings;
    assert!(in_time.iter().all(|finding| finding.field != "reported_at"));
}

#[test]
fn what_one_record_alone_shows() {
    doubtful("A05", changed("A05", "reason", Json::Null), "reason: missing");
    let home = changed("E17", "destination", "LB".into());
    doubtful("E17", home, "new_destination: not one of the other countries: the goods were meant for this one");
    let backwards = json!({"earliest": "2026-12-14", "latest": "2026-12-01"});
    doubtful("J01", changed("J01", "period", backwards), "period: the window is empty or ends before it begins");
    doubtful(
        "J01",
        changed("J01", "substances", json!(["flour"])),
        "substances/0: \"flour\" is not on the substance list",
    );
    let persons =
        changed("G05", "compartments", json!(["person"])).check(&context("G05", Strictness::Own)).expect("a warning");
    let for_ever = "new_readers: who has been let in has read: what is granted cannot be taken back";
    let names = "compartments/0: names persons, and what is granted cannot be taken back";
    assert_eq!(shown(&persons.warnings), [names, for_ever]);
    let keys = changed("G05", "compartments", json!(["keys"])).check(&context("G05", Strictness::Imported));
    let not_granted = "compartments/0: not one of the compartments that can be granted";
    assert_eq!(shown(&keys.expect_err("keys are no content").errors), [not_granted]);
    let bad = changed("G05", "compartments", json!(["../etc"])).check(&context("G05", Strictness::Imported));
    assert_eq!(shown(&bad.expect_err("no name").errors), ["compartments/0: not one of the names of compartments"]);
}

#[test]
fn an_order_to_erase_is_final_and_a_receipt_says_something() {
    let warned = record_warnings("G08", &example("G08"));
    assert_eq!(warned, ["erases: what is erased cannot be had back from anybody"]);
    let mut nothing = example("G09");
    nothing["erased"] = Json::Array(Vec::new());
    nothing["held"] = Json::Array(Vec::new());
    let refused = read("G09", &nothing).check(&context("G09", Strictness::Imported)).expect_err("it says nothing");
    assert_eq!(shown(&refused.errors), ["erased: missing"]);
    let twice = record("G08", changed("G08", "erases", json!(["MZ-7", "MZ-4", "MZ-7"])));
    assert_eq!(twice.to_json()["erases"], json!(["MZ-4", "MZ-7"]));
    let all: Vec<String> = (1..=MAX_ENTRIES + 1).map(|position| format!("MZ-{position}")).collect();
    assert!(changed("G08", "erases", json!(all)).check(&context("G08", Strictness::Imported)).is_err());
    assert!(Kind::all().filter(|kind| !kind.can_be_erased()).eq([&Kind::Erasure, &Kind::ErasureReceipt]));
}

fn record_warnings(code: &str, json: &Json) -> Vec<String> {
    shown(&read(code, json).check(&context(code, Strictness::Own)).expect("sound").warnings)
}

#[test]
fn the_terms_of_a_policy_have_bounds() {
    let with = |path: &str, value: Json| {
        let mut json = example("G03");
        let last = path.rsplit('/').next().expect("a path");
        let parent = json.pointer_mut(&path[..path.len() - last.len() - 1]).expect("a parent");
        match last.parse::<usize>() {
            Ok(at) => parent[at] = value,
            Err(_) => parent[last] = value,
        }
        read("G03", &json)
    };
    let days = "not one of the terms of at most 366 days";
    doubtful("G03", with("/terms/reply_days", 0.into()), &format!("terms/reply_days: {days}"));
    doubtful("G03", with("/terms/voyage_days", 367.into()), &format!("terms/voyage_days: {days}"));
    doubtful("G03", with("/terms/stop_hours", 721.into()), "terms/stop_hours: not one of 1 to 720 hours");
    doubtful(
        "G03",
        with("/terms/grace/1/mode", 1.into()),
        "terms/grace/1/mode: not one of 0 to 9 (UN/ECE Recommendation 19), each once",
    );
    doubtful(
        "G03",
        with("/terms/floors/0/substance", "flour".into()),
        "terms/floors/0/substance: \"flour\" is not on the substance list",
    );
    doubtful(
        "G03",
        with("/terms/tolerances/packaged/green_ppm", 30_000.into()),
        "terms/tolerances/packaged: not one of the pairs whose green is not above their amber",
    );
    let week: Vec<&str> = Weekday::ALL.iter().map(Weekday::as_str).collect();
    let idle =
        with("/terms/calendar/weekend", json!(week)).check(&context("G03", Strictness::Imported)).expect_err("idle");
    assert_eq!(shown(&idle.errors), ["terms/calendar/weekend: not one of the weekends that leave a day to work on"]);
    let typo = with("/terms/reply_day", 15.into()).check(&context("G03", Strictness::Own)).expect_err("a typing error");
    assert_eq!(shown(&typo.errors), ["terms/reply_day: not a field of this kind of object"]);
    let sorted = record("G03", with("/terms/calendar/holidays", json!(["2027-01-01", "2026-12-25", "2027-01-01"])));
    assert_eq!(sorted.to_json()["terms"]["calendar"]["holidays"], json!(["2026-12-25", "2027-01-01"]));
}

#[test]
fn later_members_of_a_policy_are_carried() {
    let mut json = example("G03");
    json["terms"]["appeal_days"] = 9.into();
    let draft = read("G03", &json);
    assert_eq!(draft.terms.as_ref().map(|terms| terms.other["appeal_days"].clone()), Some(json!(9)));
}

proptest! {
    #[test]
    fn any_record_survives_its_encoding(at in 0_usize..40, text in "[a-z -]{0,12}", code in "[A-Z]{2}", number in any::<u16>()) {
        let (kind, mut json) = drafts().remove(at);
        for (field, value) in json.as_object_mut().expect("an object") {
            match value {
                Json::String(old) if !field.ends_with("_at") && !["answers", "consignment", "operation", "content_digest",
                    "audit_head", "effective_from", "extend_reply_by"].contains(&field.as_str()) => *old = text.clone(),
                Json::Number(old) if number > 0 => *old = number.into(),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {}
            }
        }
        json["to"] = json!([code]);
        let author = author(kind);
        if let Ok(checked) = read(kind, &json).check(&context(kind, Strictness::Imported)) {
            let mut content = checked.record.content().clone();
            for value in content.values_mut().flat_map(|fields| fields.values_mut()) {
                *value = decode(&encode(value)).expect("own encoding");
            }
            let again = Record::from_content(&content).expect("whole");
            prop_assert_eq!(&again, &checked.record);
            let all: BTreeSet<MemberCode> = checked.record.readers(author, [author]).into_values().flatten().collect();
            prop_assert!(all.contains(&author));
        }
    }
}
