//! What holds for every set of records, likely or not. 256 cases each; `PROPTEST_CASES=10000` for more.

use serde_json::json;

use super::*;
use crate::record::Kind;
use crate::watch::fold::fold;

/// What somebody says: who, of which kind, in answer to which of the records before, when, and how much.
pub(super) type Saying = (usize, usize, usize, i64, u64, usize);

const MEMBERS: [&str; 5] = ["GE", "MZ", "TR", "LB", "W1"];
const KINDS: [&str; 27] = [
    "E03", "E04", "E05", "E06", "E07", "E08", "E09", "E10", "E11", "E13", "E14", "E15", "E16", "E17", "E18", "E19",
    "E20", "E21", "E22", "E23", "A02", "A03", "A04", "A05", "A06", "A07", "A08",
];

pub(super) fn sayings() -> impl Strategy<Value = Vec<Saying>> {
    prop::collection::vec((0..3 * MEMBERS.len(), 0..KINDS.len(), 0_usize..30, 0_i64..40, 0_u64..40, 0_usize..12), 0..30)
}

/// The records of these sayings, after a notification of 30 kg of urea and a policy. Those that no officer could make are left out.
pub(super) fn records_of(sayings: &[Saying]) -> Records {
    let policy = r#"{"kind": "G03", "terms": {"reply_days": 5, "reply_counting": "calendar"}}"#;
    let notification = r#"{"kind": "E02", "ucr": "3GE204567890-1", "destination": "MZ", "exporter": {"name": "A"}, "consignee": {"name": "B"},
        "itinerary": [{"country": "TR"}], "policies": ["MZ-1"],
        "goods": [{"substance": "urea", "hs6": "310210", "net_mass_g": 30000}]}"#;
    let mut records = vec![record("MZ-1", 0, policy), record("GE-1", 0, notification)];
    for (author, kind, answers, day, grams, word) in sayings {
        let by = MEMBERS.get(*author).copied().unwrap_or_else(|| usual_author(KINDS[*kind], *answers));
        let position = records.iter().filter(|(id, _)| id.log.member.as_str() == by).count() + 1;
        let name = format!("{by}-{position}");
        if let Some(partial) = said(&name, KINDS[*kind], *answers, *day, *grams, *word, &records) {
            records.push((id(&name), partial));
        }
    }
    records
}

/// Who most often says this. The others say it too, now and then.
fn usual_author(kind: &str, choice: usize) -> &'static str {
    match kind {
        "E05" | "E09" | "E10" | "E11" | "E13" | "A05" => "GE",
        "E14" | "E15" => "TR",
        "E20" | "E22" => ["MZ", "GE"][choice % 2],
        _ => "MZ",
    }
}

/// What this most often answers; nothing in one case of four.
fn usual_answer(name: &str, kind: &str, choice: usize, before: &Records) -> Option<RecordId> {
    let wanted: &[&str] = match kind {
        "E04" | "E06" | "E07" | "E09" | "E10" => &["E02", "E10"],
        "E05" => &["E04"],
        "E18" | "E19" | "E14" | "A02" => &["E13"],
        "E20" | "E21" => &["E19"],
        "E22" | "E23" => &["E22", "E19"],
        "A04" => &["A03"],
        "A05" => &["E08", "E07"],
        "A08" => &["A02", "A03", "A06", "A07"],
        _ => &[],
    };
    let own = |id: &RecordId| kind != "A08" || id.log == self::id(name).log;
    let fits = |(id, record): &&(RecordId, PartialRecord)| {
        own(id) && record.kind().and_then(Kind::code).is_some_and(|code| wanted.contains(&code))
    };
    before.iter().rev().find(fits).map(|(id, _)| *id).filter(|_| !choice.is_multiple_of(4))
}

fn said(
    name: &str,
    kind: &str,
    answers: usize,
    day: i64,
    grams: u64,
    word: usize,
    before: &Records,
) -> Option<PartialRecord> {
    let any = before[answers % before.len()].0;
    let answered = usual_answer(name, kind, answers, before).unwrap_or(any).to_string();
    let pick = |words: &str| {
        let words: Vec<&str> = words.split(", ").collect();
        words[word % words.len()].to_owned()
    };
    let goods = json!([{"substance": if word == 11 { "acetone" } else { "urea" }, "net_mass_g": if grams > 15 { 30_000 } else { grams * 1000 }, "concentration_ppm": if word < 8 { 1_000_000 } else { 900_000 }}]);
    let paths = ["/lrn", "/consignee/name", "/destination", "/end_use", "/arrival"];
    let value = [json!("x"), json!("x"), json!("LB"), json!("x"), json!({"latest": "2013-10-01"})];
    let mut json = json!({
        "kind": kind, "to": ["GE", "MZ", "TR", "LB", "W1"], "answers": answered, "consignment": "GE-1",
        "reason": "x",
    });
    let more = match kind {
        "E03" => json!({"acknowledges": ["GE-1"], "level": "opened"}),
        "E04" => json!({"questions": ["?"], "extend_reply_by": "2013-10-09"}),
        "E05" => json!({"destination": "MZ", "responses": ["!"]}),
        "E06" if grams > 20 => json!({"max_net_mass_g": grams * 1000}),
        "E07" => json!({"reason_code": "other"}),
        "E08" | "A03" => json!({"requested_action": "hold", "subject": "x"}),
        "E09" => json!({"destination": "MZ", "decision": pick(crate::record::Decision::LIST), "legal_basis": "x"}),
        "E10" => json!({"destination": "MZ", "changes": [{"path": paths[word % 5], "value": value[word % 5]}]}),
        "E11" => json!({"destination": "MZ"}),
        "E13" if word < 6 => json!({"destination": "MZ", "goods": goods, "shipment": {"number": word + 1, "of": 6}}),
        "E13" => json!({"destination": "MZ", "goods": goods}),
        "E14" | "E15" => json!({"place": {"country": "TR"}}),
        "E16" => json!({"conveyance": {"name": "x"}}),
        "E17" => json!({"diversion": "observed", "new_destination": "LB"}),
        "E19" | "A02" => json!({"goods": goods}),
        "A06" => json!({"goods": goods, "happened_at": "2013-09-24T00:00:00Z"}),
        "E20" => json!({"cause": pick(crate::record::Cause::LIST), "goods": goods, "settles": word == 7}),
        "E21" => json!({"verification": pick(crate::record::Verification::LIST)}),
        "E22" => json!({"closing_state": if word < 9 { "reconciled" } else { "discrepant" }}),
        "A04" => json!({"result": "no-result"}),
        "A05" => json!({"stop_reply": "held"}),
        "A07" => json!({"incident": pick(crate::record::IncidentKind::LIST), "detected_at": "2013-09-24T00:00:00Z",
            "reported_at": "2013-09-24T01:00:00Z"}),
        _ => json!({}),
    };
    more.as_object()?.iter().for_each(|(field, value)| json[field] = value.clone());
    let draft: Draft = serde_json::from_value(json).expect("a draft");
    let context = Context {
        strictness: Strictness::Imported,
        author: Some(id(name).log.member),
        now: UnixTime::from_seconds(1_379_900_000 + day * DAY / 2).expect("in range"),
        foreign_exports: true,
    };
    draft.check(&context).ok().map(|checked| PartialRecord::from(&checked.record))
}

fn without_timeline(all: BTreeMap<RecordId, Consignment>) -> Vec<Consignment> {
    let bare = |mut consignment: Consignment| {
        consignment.timeline.clear();
        consignment
    };
    all.into_values().map(bare).collect()
}

/// The same records, delivered in another order.
pub(super) fn mixed(mut records: Records, seed: u64) -> Records {
    let len = records.len();
    (0..len).for_each(|at| records.swap(at, usize::try_from(seed.rotate_left(at as u32) % len as u64).expect("small")));
    records
}

pub(super) fn bytes(all: &BTreeMap<RecordId, Consignment>) -> String {
    all.values().map(|consignment| consignment.to_json().to_string()).collect()
}

proptest! {
    /// The same records give the same state, to the byte, in whatever order they came.
    #[test]
    fn the_order_of_arrival_does_not_matter(sayings in sayings(), seed in any::<u64>()) {
        let records = records_of(&sayings);
        prop_assert_eq!(bytes(&consignments(mixed(records.clone(), seed))), bytes(&consignments(records)));
    }

    /// What is illegal is told with its reason and changes nothing: without it everything else is the same.
    #[test]
    fn what_is_illegal_changes_nothing(sayings in sayings()) {
        let records: BTreeMap<_, _> = records_of(&sayings).into_iter().collect();
        let all = fold(&records, |_| false);
        let illegal: BTreeSet<RecordId> = all.values().flat_map(|consignment| &consignment.timeline)
            .filter(|event| event.illegal.is_some()).map(|event| event.id).collect();
        let legal = fold(&records, |id| illegal.contains(id));
        prop_assert_eq!(without_timeline(all), without_timeline(legal));
    }

    /// Every gram is somewhere, net and pure, and an orderly consignment has none in excess.
    #[test]
    fn every_balance_adds_up(sayings in sayings()) {
        for consignment in consignments(records_of(&sayings)).values() {
            for (substance, balance) in &consignment.balance {
                prop_assert!(balance.net.adds_up(), "net of {}", substance);
                prop_assert!(balance.pure.adds_up(), "pure of {}", substance);
                // And the consignment's is what its shipments carried.
                let carried = consignment.shipments.iter().filter_map(|shipment| shipment.carried.get(substance));
                let mut sums = [0; 4];
                for carried in carried {
                    prop_assert!(carried.sums.adds_up());
                    let parts = [carried.sums.in_transit, carried.sums.received, carried.sums.explained, carried.sums.unexplained];
                    (0..4).for_each(|at| sums[at] += parts[at]);
                }
                let net = balance.net;
                prop_assert_eq!(sums, [net.in_transit, net.received, net.explained, net.unexplained], "{}", substance);
            }
        }
    }

    /// Only who has the part may say it; strangers warn, report and acknowledge.
    #[test]
    fn strangers_only_raise_alerts(sayings in sayings()) {
        for consignment in consignments(records_of(&sayings)).into_values() {
            let stranger = |event: &&Event| event.id.log.member.as_str() == "W1" && event.illegal.is_none();
            for event in consignment.timeline.iter().filter(stranger) {
                let may = [Kind::Acknowledgement, Kind::Warning, Kind::Feedback, Kind::Seizure, Kind::Incident, Kind::Withdrawal];
                prop_assert!(may.contains(&event.kind), "{}", event.kind);
            }
        }
    }

    /// A material amendment voids what was said before it, and nothing said of an earlier version clears it.
    #[test]
    fn replies_to_an_older_version_clear_nothing(sayings in sayings(), repliers in prop::collection::vec((1_usize..3, 0_usize..30), 0..8)) {
        let mut records = records_of(&sayings);
        let count = records.iter().filter(|(id, _)| id.log.member.as_str() == "GE").count();
        let older: Vec<RecordId> = records.iter().map(|(id, _)| *id).collect();
        records.push(amendment(&format!("GE-{}", count + 1), 30 * DAY, "/importer", r#"{"name": "Another"}"#));
        let newest = records[older.len()].0;
        let before = one(records.clone());
        for (by, answered) in repliers {
            let by = MEMBERS[by];
            let position = records.iter().filter(|(id, _)| id.log.member.as_str() == by).count() + 1;
            records.push(reply(&format!("{by}-{position}"), 31 * DAY, "E06", &older[answered % older.len()].to_string()));
        }
        let after = one(records);
        let amended = before.timeline.iter().any(|event| event.kind == Kind::Amendment && event.illegal.is_none() && event.id == newest)
            && before.version == newest;
        if amended {
            prop_assert_ne!(before.state, Some(State::Cleared));
            prop_assert_eq!((after.state, after.flags), (before.state, before.flags));
        }
    }

    /// After the end nothing follows but notes, reopening, alerts, grants and acknowledgements.
    #[test]
    fn little_follows_the_end(sayings in sayings()) {
        let records = records_of(&sayings);
        let consignment = one(records.clone());
        if !matches!(consignment.state, Some(State::Cancelled | State::Closed)) { return Ok(()); }
        let mut late = records.clone();
        for by in MEMBERS {
            let mut position = records.iter().filter(|(id, _)| id.log.member.as_str() == by).count();
            for kind in KINDS {
                position += 1;
                let name = format!("{by}-{position}");
                let said = said(&name, kind, 1, 90, 5, 0, &records).filter(|_| kind != "E23");
                late.extend(said.map(|partial| (id(&name), partial)));
            }
        }
        let after = one(late);
        prop_assert_eq!(after.state, consignment.state);
        for event in after.timeline.iter().skip(consignment.timeline.len()).filter(|event| event.illegal.is_none()) {
            let code = event.kind.code().unwrap_or_default();
            prop_assert!(code.starts_with('A') || ["E03", "E20"].contains(&code), "{}", code);
        }
    }

    /// Goods that come without a departure are always seen.
    #[test]
    fn an_unannounced_arrival_is_always_flagged(sayings in sayings()) {
        let consignment = one(records_of(&sayings));
        let came = consignment.shipments.iter().any(|shipment| {
            let here = shipment.imported_at.is_some() || matches!(shipment.state, State::Arrived | State::Found);
            shipment.departure.is_none() && here
        });
        prop_assert!(!came || consignment.flags.contains(&Flag::ArrivedUnannounced));
    }

    /// Time alone brings the states with a star, never before their day, and takes nothing back.
    #[test]
    fn time_only_adds(sayings in sayings(), first in 0_i64..200, more in 0_i64..200) {
        let consignment = one(records_of(&sayings));
        let at = |days: i64| standing(&consignment, None, UnixTime::from_seconds(1_379_900_000 + days * DAY).expect("in range")).state;
        let (early, late) = (at(first), at(first + more));
        prop_assert!(early == consignment.state || early == late, "{:?} {:?} {:?}", consignment.state, early, late);
        let derived = [State::NoReply, State::Expired, State::Overdue];
        prop_assert!(consignment.state.is_none_or(|state| !derived.contains(&state)), "the fold knows no time");
    }
}
