//! What holds for every event and flag, likely or not, in whatever order the records come. 256 cases each; `PROPTEST_CASES=10000` for more.
//!
//! The rules stand here a second time, as the table of events has them and apart from the fold.

use serde_json::json;

use super::invariants::{Saying, bytes, mixed, records_of, sayings};
use super::*;
use crate::record::{Decision, Declared, Kind};

/// The column *who* of the table of events: X, M, T, any of these, or `*` for anybody.
fn column(kind: &Kind) -> &'static str {
    match kind.code().unwrap_or_default() {
        "E02" | "E05" | "E09" | "E10" | "E11" | "E13" => "X",
        "E04" | "E06" | "E07" => "MT",
        "E14" | "E15" => "T",
        "E16" | "A05" => "XT",
        "E08" | "E17" => "XMT",
        "E18" | "E19" | "E21" => "M",
        "E20" | "E22" | "E23" | "A01" | "A02" => "XM",
        "E03" | "A03" | "A04" | "A06" | "A07" | "A08" => "*",
        other => panic!("{other} has no column"),
    }
}

/// The letters of a member. Who was an importing country once, before goods were sent elsewhere, has been one.
fn letters(consignment: &Consignment, member: &str) -> String {
    let countries = &consignment.countries;
    let is = |other: &crate::encoding::ids::MemberCode| other.as_str() == member;
    let importing = member == "MZ" || countries.importing.iter().any(is) || countries.diverted_to.iter().any(is);
    let transit = countries.transit.iter().any(is);
    let of = [("X", countries.exporting.iter().any(is)), ("M", importing), ("T", transit), ("*", true)];
    of.into_iter().filter_map(|(letter, holds)| holds.then_some(letter)).collect()
}

fn releases(records: &Records, id: RecordId) -> bool {
    let declared = records.iter().find(|(of, _)| *of == id).map(|(_, record)| record.declared());
    let decision = declared.and_then(|declared| declared.decision.clone());
    [Decision::ReleasedWithoutReply, Decision::ReleasedOverObjection]
        .map(|word| Some(Declared::Valid(word)))
        .contains(&decision)
}

fn all(sayings: &[Saying], seed: u64) -> (Records, Consignment) {
    let records = mixed(records_of(sayings), seed);
    (records.clone(), one(records))
}

const MAX_LATE_S: i64 = 48 * 3600;

proptest! {
    /// Only the column of the table may say it: whatever anybody else says is kept and changes nothing.
    #[test]
    fn only_who_has_the_part_says_it(sayings in sayings(), seed in any::<u64>()) {
        let (_, consignment) = all(&sayings, seed);
        for event in consignment.timeline.iter().filter(|event| event.illegal.is_none()) {
            let own = letters(&consignment, event.id.log.member.as_str());
            prop_assert!(column(&event.kind).chars().any(|part| own.contains(part)), "{} by {}", event.kind, event.id);
        }
    }

    /// Goods that left without the flag had, before they left, a consent of the importing country or a lawful decision to do without.
    #[test]
    fn a_departure_without_leave_is_always_flagged(sayings in sayings(), seed in any::<u64>()) {
        let (records, consignment) = all(&sayings, seed);
        if consignment.flags.contains(&Flag::UnclearedDeparture) { return Ok(()); }
        let legal: Vec<&Event> = consignment.timeline.iter().filter(|event| event.illegal.is_none()).collect();
        for (at, departure) in legal.iter().enumerate().filter(|(_, event)| event.kind == Kind::Departure) {
            let leave = legal[..at].iter().any(|event| {
                let importing = || letters(&consignment, event.id.log.member.as_str()).contains('M');
                (event.kind == Kind::NoObjection && importing())
                    || (event.kind == Kind::ExportDecision && releases(&records, event.id))
            });
            prop_assert!(leave, "{}", departure.id);
        }
    }

    /// More than was announced, beyond the half percent that is borne with, or more than any consent allows is flagged, and nothing else is.
    #[test]
    fn what_is_above_announcement_or_consent_is_flagged(
        shipments in prop::collection::vec(1_u64..20_000, 1..5),
        most in prop::option::of(1_u64..60_000),
        seed in any::<u64>(),
    ) {
        let lines = |grams: u64| json!([{"substance": "urea", "hs6": "310210", "net_mass_g": grams}]);
        let announced = json!({"kind": "E02", "ucr": "3GE204567890-1", "destination": "MZ", "exporter": {"name": "A"},
            "consignee": {"name": "B"}, "goods": lines(30_000)});
        let mut consent = json!({"kind": "E06", "to": ["GE"], "answers": "GE-1"});
        if let Some(most) = most { consent["max_net_mass_g"] = most.into(); }
        let mut records = vec![record("GE-1", 0, &announced.to_string()), record("MZ-1", 1, &consent.to_string())];
        for (at, grams) in (2..).zip(&shipments) {
            let departure = json!({"kind": "E13", "destination": "MZ", "answers": "GE-1", "goods": lines(*grams),
                "shipment": {"number": at - 1, "of": shipments.len()}});
            records.push(record(&format!("GE-{at}"), at, &departure.to_string()));
        }
        let sum: u64 = shipments.iter().sum();
        let above = sum > 30_150 || most.is_some_and(|most| sum > most);
        prop_assert_eq!(one(mixed(records, seed)).flags.contains(&Flag::OverShipped), above, "{} of {:?}", sum, most);
    }

    /// The last day for an answer is that of the policy that the notification cites, whenever it came; one that is not cited changes nothing.
    #[test]
    fn only_the_cited_policy_sets_the_clock(
        sayings in sayings(), cited in 1_i32..60, others in prop::collection::vec((0_usize..3, 1_u16..60, 0_i64..80), 1..4),
        seed in any::<u64>(), later in 0_i64..80,
    ) {
        let mut records = records_of(&sayings);
        let before = one(records.clone());
        for (by, days, at) in others {
            let by = ["MZ", "GE", "TR"][by];
            let position = records.iter().filter(|(id, _)| id.log.member.as_str() == by).count() + 1;
            let policy = json!({"kind": "G03", "terms": {"reply_days": days, "reply_counting": "calendar", "silence": "refusal"}});
            records.push(record(&format!("{by}-{position}"), at * DAY, &policy.to_string()));
        }
        let after = one(mixed(records, seed));
        let at = UnixTime::from_seconds(1_379_900_000 + later * DAY).expect("in range");
        prop_assert_eq!(standing(&after, None, at), standing(&before, None, at));
        prop_assert_eq!(after, before);

        let policy = json!({"kind": "G03", "terms": {"reply_days": cited, "reply_counting": "calendar"}}).to_string();
        let mut notification: serde_json::Value = serde_json::from_str(NOTIFICATION).expect("JSON");
        notification["policies"] = json!(["MZ-1"]);
        let records = vec![record("MZ-1", -DAY, &policy), record("GE-1", 0, &notification.to_string())];
        let notified = crate::record::Date::of(UnixTime::from_seconds(1_379_900_000).expect("in range")).expect("a day");
        prop_assert_eq!(one(mixed(records, seed)).reply_by, notified.plus(cited));
    }

    /// What is recorded more than 48 hours after it happened is flagged, and nothing else is.
    #[test]
    fn what_is_told_late_is_flagged(delays in prop::collection::vec(0_i64..6 * DAY, 0..5), exact in any::<bool>(), seed in any::<u64>()) {
        let mut records = vec![record("GE-1", 0, NOTIFICATION), goods("GE-2", 1, "E13", "GE-1", "2750")];
        let delays: Vec<i64> = delays.into_iter().chain(exact.then_some(MAX_LATE_S)).collect();
        for (number, delay) in (1..).zip(&delays) {
            let happened = UnixTime::from_seconds(1_379_900_000 + 10 * DAY - delay).expect("in range");
            let entry = json!({"kind": "E14", "to": ["GE", "MZ"], "answers": "GE-2", "place": {"unlocode": "TRIST"},
                "happened_at": happened});
            records.push(record(&format!("TR-{number}"), 10 * DAY, &entry.to_string()));
        }
        let late = delays.iter().any(|delay| *delay > MAX_LATE_S);
        prop_assert_eq!(one(mixed(records, seed)).flags.contains(&Flag::LateReport), late, "{:?}", delays);
    }

    /// The same records give the same bytes however often and in how many parts they come: what was told twice is told once.
    #[test]
    fn what_comes_twice_counts_once(sayings in sayings(), seed in any::<u64>()) {
        let records = records_of(&sayings);
        let twice: Records = mixed(records.clone(), seed).into_iter().chain(mixed(records.clone(), seed.wrapping_add(1))).collect();
        prop_assert_eq!(bytes(&consignments(twice)), bytes(&consignments(records)));
    }
}
