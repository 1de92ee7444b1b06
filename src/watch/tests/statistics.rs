//! What each figure counts, shown on small worlds; and that figures kept up to date are those made afresh.

use serde_json::{Value as Json, json};

use super::invariants::{Saying, records_of, sayings};
use super::scenarios::{World, noon};
use super::*;
use crate::encoding::ids::MemberCode;
use crate::record::Date;
use crate::watch::statistics::{Contribution, Dimension, Figures, Gram, Month, Query, Statistics};
use crate::watch::{Dossier, Records as ById};

const CODES: [&str; 4] = ["GE", "MZ", "TR", "LB"];

fn member(code: &str) -> MemberCode {
    code.parse().expect("a member")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// What the node of a member makes of these records.
fn seen_by(me: &str, records: &Records) -> Statistics {
    let by_id: ById = records.iter().cloned().collect();
    let mut statistics = Statistics::default();
    for (id, consignment) in consignments(records.clone()) {
        let dossier = Dossier { consignment: &consignment, records: &by_id };
        statistics.put(id, Contribution::of(&dossier, None, member(me)));
    }
    statistics
}

fn query(span: &str) -> Query {
    Query { span: Some(span.parse().expect("a span")), ..Query::default() }
}

fn grams(figures: &Figures, gram: Gram) -> Option<u128> {
    figures.grams(gram).known()
}

fn tonnes(substance: &str, tonnes: u32) -> Json {
    let hs6 = if substance == "urea" { "310210" } else { "310230" };
    json!([{"substance": substance, "hs6": hs6, "net": {"value": tonnes.to_string(), "unit": "TNE"}}])
}

/// Dispatched in December, arrived in January: J of the acceptance scenarios.
fn over_the_year() -> World {
    let mut world = World::default();
    world.notify(
        "2026-12-10",
        tonnes("urea", 24),
        json!({"reply_by": "2026-12-15", "dispatch": {"earliest": "2026-12-20"}}),
    );
    world.say("MZ", "2026-12-10", "E03", json!({"acknowledges": ["GE-1"], "level": "delivered"}));
    world.say("MZ", "2026-12-12", "E06", json!({"answers": "GE-1"}));
    world.say(
        "GE",
        "2026-12-29",
        "E13",
        json!({"answers": "GE-1", "happened_at": "2026-12-28T08:00:00Z", "goods": tonnes("urea", 24)}),
    );
    world.say("MZ", "2027-01-20", "E18", json!({"answers": "GE-2", "happened_at": "2027-01-19T08:00:00Z"}));
    world.say(
        "MZ",
        "2027-01-27",
        "E19",
        json!({"answers": "GE-2", "happened_at": "2027-01-20T08:00:00Z", "goods": tonnes("urea", 24)}),
    );
    world
}

#[test]
fn both_years_reconcile_what_left_in_one_and_came_in_the_other() {
    let world = over_the_year();
    let whole = Some(24_000_000);
    for me in ["GE", "MZ"] {
        let statistics = seen_by(me, &world.records);
        let (old, new) = (statistics.total(&query("2026")), statistics.total(&query("2027")));
        assert_eq!((old.consignments, new.consignments), (1, 0), "counted where it was notified");
        let of = |figures: &Figures| {
            [Gram::Notified, Gram::Departed, Gram::Delivered, Gram::Unexplained, Gram::Arrived]
                .map(|gram| grams(figures, gram))
        };
        assert_eq!(of(&old), [whole, whole, whole, Some(0), Some(0)], "all that left in 2026 was delivered");
        assert_eq!(of(&new), [Some(0), Some(0), Some(0), Some(0), whole], "and arrived in 2027");
        let total = statistics.total(&Query::default());
        assert_eq!(grams(&total, Gram::Departed), grams(&total, Gram::Arrived));
        assert_eq!(statistics.total(&query("2026-12")), old);
    }
}

#[test]
fn replies_are_timed_from_the_present_version_and_late_reports_are_told_by_country() {
    let statistics = seen_by("GE", &over_the_year().records);
    let total = statistics.total(&Query::default());
    assert_eq!((total.reply_hours.median(), total.reply_hours.count()), (Some(48), 1));
    let answered = total.answered(day("2027-02-01"));
    assert_eq!((answered.yes, answered.of, answered.permille()), (1, 1, Some(1_000)));
    assert_eq!((total.acknowledged.yes, total.acknowledged.of), (1, 1));
    let reports = |code: &str| total.reports.get(&member(code)).map(|reports| (reports.made, reports.late));
    // The import was told after a week.
    assert_eq!((reports("GE"), reports("MZ"), reports("TR")), (Some((1, 0)), Some((2, 1)), None));

    let mut world = World::default();
    world.notify("2026-12-10", tonnes("urea", 24), json!({"reply_by": "2026-12-15"}));
    let waiting = seen_by("MZ", &world.records).total(&Query::default());
    assert_eq!(waiting.answered(day("2026-12-15")).of, 0, "it may still come");
    let missed = waiting.answered(day("2026-12-16"));
    assert_eq!((missed.yes, missed.of), (0, 1), "what never comes does not come in time");
    world.say("MZ", "2026-12-17", "E07", json!({"answers": "GE-1", "reason_code": "importer-unknown"}));
    let late = seen_by("MZ", &world.records).total(&Query::default());
    assert_eq!((late.answered(day("2026-12-01")).yes, late.answered(day("2026-12-01")).of), (0, 1));
    world.say(
        "GE",
        "2026-12-18",
        "E10",
        json!({"answers": "GE-1", "reason": "more", "reply_by": "2026-12-30",
        "changes": [{"path": "/goods/0/net/value", "value": "48"}]}),
    );
    let anew = seen_by("MZ", &world.records).total(&Query::default());
    assert_eq!((anew.reply_hours.count(), anew.answered(day("2026-12-30")).of), (0, 0), "a new version, a new clock");
    assert_eq!(grams(&anew, Gram::Notified), Some(48_000_000));
}

#[test]
fn a_closure_counts_when_both_sides_agree_or_its_days_have_passed() {
    let mut world = over_the_year();
    world.say("MZ", "2027-02-01", "E22", json!({"answers": "MZ-4", "closing_state": "reconciled"}));
    let proposed = seen_by("GE", &world.records).total(&Query::default());
    let closed = |figures: &Figures, today: &str| (figures.closed(day(today)).yes, figures.closed(day(today)).of);
    assert_eq!(closed(&proposed, "2027-03-03"), (0, 1));
    assert_eq!(closed(&proposed, "2027-03-04"), (1, 1), "after thirty days");
    world.say("GE", "2027-02-03", "E22", json!({"answers": "MZ-5", "closing_state": "reconciled"}));
    assert_eq!(closed(&seen_by("GE", &world.records).total(&Query::default()), "2027-02-03"), (1, 1));
}

#[test]
fn what_is_seized_verified_and_unexplained_has_its_own_month() {
    let mut world = World::default();
    world.notify("2026-10-01", tonnes("ammonium-nitrate", 100), json!({}));
    world.say("MZ", "2026-10-02", "E06", json!({"answers": "GE-1"}));
    world.say("GE", "2026-10-05", "E13", json!({"answers": "GE-1", "goods": tonnes("ammonium-nitrate", 100)}));
    world.say("MZ", "2026-11-10", "E19", json!({"answers": "GE-2", "goods": tonnes("ammonium-nitrate", 90)}));
    world.say(
        "TR",
        "2026-12-01",
        "A06",
        json!({"answers": "GE-2", "to": ["GE", "MZ"],
        "happened_at": "2026-12-01T00:00:00Z", "goods": tonnes("ammonium-nitrate", 4)}),
    );
    world.say("MZ", "2027-01-10", "E21", json!({"answers": "MZ-2", "verification": "verified"}));
    let statistics = seen_by("GE", &world.records);
    let month = |span: &str| statistics.total(&query(span));
    assert_eq!(grams(&month("2026-10"), Gram::Departed), Some(100_000_000));
    assert_eq!(grams(&month("2026-10"), Gram::Delivered), Some(90_000_000));
    assert_eq!(grams(&month("2026-10"), Gram::Unexplained), Some(6_000_000));
    assert_eq!(grams(&month("2026-11"), Gram::Arrived), Some(90_000_000));
    assert_eq!(grams(&month("2026-12"), Gram::Seized), Some(4_000_000));
    assert_eq!(grams(&month("2027-01"), Gram::Verified), Some(90_000_000));
}

#[test]
fn a_consignment_of_two_substances_counts_once_in_the_total() {
    let mut world = World::default();
    let mut goods = tonnes("urea", 10).as_array().cloned().unwrap_or_default();
    goods.extend(tonnes("ammonium-nitrate", 5).as_array().cloned().unwrap_or_default());
    world.notify("2026-10-01", json!(goods), json!({}));
    let statistics = seen_by("GE", &world.records);
    let by = |by: &[Dimension]| Query { by: by.iter().copied().collect(), ..Query::default() };
    let rows = statistics.rows(&by(&[Dimension::Substance, Dimension::Month]));
    let told: Vec<_> = rows
        .iter()
        .map(|(group, figures)| {
            (group.substance.clone().expect("a substance"), figures.consignments, grams(figures, Gram::Notified))
        })
        .collect();
    assert_eq!(told, [("ammonium-nitrate".to_owned(), 1, Some(5_000_000)), ("urea".to_owned(), 1, Some(10_000_000))]);
    let total = statistics.total(&Query::default());
    assert_eq!((total.consignments, grams(&total, Gram::Notified)), (1, Some(15_000_000)));
    let urea = Query { substance: Some("urea".to_owned()), ..by(&[Dimension::Partner]) };
    assert_eq!(
        statistics.rows(&urea).values().map(|figures| grams(figures, Gram::Notified)).collect::<Vec<_>>(),
        [Some(10_000_000)]
    );
    for (partner, found) in [("GE", 1), ("MZ", 1), ("TR", 0), ("GE-MZ", 1), ("MZ-GE", 0)] {
        let query = Query { partner: Some(partner.parse().expect("a partner")), ..Query::default() };
        assert_eq!(statistics.total(&query).consignments, found, "{partner}");
    }
}

#[test]
fn goods_that_nobody_announced_are_counted_apart() {
    let records = vec![record("MZ-1", 0, UNANNOUNCED)];
    let total = seen_by("MZ", &records).total(&Query::default());
    assert_eq!((total.consignments, total.unannounced, total.acknowledged.of), (0, 1, 0));
    assert_eq!((grams(&total, Gram::Arrived), grams(&total, Gram::Departed)), (Some(1_000_000), Some(0)));
}

/// The same records as a country on the way reads them: what every reader needs, and the transport.
fn on_the_way(records: &Records) -> Records {
    let shown = [Compartment::SUMMARY, Compartment::TRANSPORT];
    let part = |record: &PartialRecord| {
        let mut content = record.content().clone();
        content.retain(|compartment, _| shown.contains(compartment));
        PartialRecord::from_content(&content)
    };
    let exported = |id: &RecordId| id.log.member.as_str() == "GE";
    records.iter().filter(|(id, _)| exported(id)).map(|(id, record)| (*id, part(record))).collect()
}

#[test]
fn what_cannot_be_read_is_unknown_and_never_nothing() {
    let total = seen_by("TR", &on_the_way(&over_the_year().records)).total(&Query::default());
    assert_eq!((total.consignments, total.unread), (1, 1), "that there is one can be read");
    for gram in Gram::ALL {
        assert_eq!(grams(&total, gram), None, "{}", gram.name());
    }
    let today = day("2027-06-01");
    assert!(total.acknowledged.is_unknown() && total.answered(today).is_unknown() && total.closed(today).is_unknown());
    // Litres without a density are no mass.
    let mut world = World::default();
    world.notify("2026-10-01", tonnes("urea", 24), json!({}));
    let (_, notification) = &mut world.records[0];
    let mut content = notification.content().clone();
    let map = |fields: Vec<(&str, Value)>| {
        Value::Map(fields.into_iter().map(|(name, value)| (Value::from(name), value)).collect())
    };
    let net = map(vec![("value", "500".into()), ("unit", "LTR".into())]);
    let goods = Value::Array(vec![map(vec![("substance", "urea".into()), ("net", net)])]);
    content.entry(Compartment::TRADE).or_default().insert("goods".to_owned(), goods);
    *notification = PartialRecord::from_content(&content);
    let total = seen_by("GE", &world.records).total(&Query::default());
    assert_eq!((grams(&total, Gram::Notified), total.unread), (None, 1));
}

proptest! {
    /// Figures that follow the records are those that are made afresh, whatever came in between.
    #[test]
    fn figures_kept_up_to_date_are_those_made_afresh(
        steps in prop::collection::vec((0_u64..4, prop::option::weighted(0.8, sayings()), 0..CODES.len()), 1..8),
    ) {
        let place = |at: u64| RecordId { log: "LB".parse().expect("a log"), position: at };
        let of = |sayings: &[Saying], me: &str| {
            let records = records_of(sayings);
            let by_id: ById = records.iter().cloned().collect();
            let all = consignments(records);
            all.get(&id("GE-1")).and_then(|consignment| Contribution::of(&Dossier { consignment, records: &by_id }, None, member(me)))
        };
        let mut kept = Statistics::default();
        let mut last: BTreeMap<u64, Option<Contribution>> = BTreeMap::new();
        for (at, sayings, me) in &steps {
            let contribution = sayings.as_ref().and_then(|sayings| of(sayings, CODES[*me]));
            kept.put(place(*at), contribution.clone());
            last.insert(*at, contribution);
        }
        let mut fresh = Statistics::default();
        last.into_iter().rev().for_each(|(at, contribution)| fresh.put(place(at), contribution));
        prop_assert!(kept == fresh);
        (0..4).for_each(|at| kept.put(place(at), None));
        prop_assert!(kept == Statistics::default(), "nothing is left behind");
    }

    /// What left is somewhere, in the books of both ends: the four fates of what left, with what was seized of it, make it up.
    #[test]
    fn what_left_is_delivered_seized_or_accounted_for(sayings in sayings()) {
        let records = records_of(&sayings);
        for consignment in consignments(records.clone()).values() {
            for carried in consignment.shipments.iter().flat_map(|shipment| shipment.carried.values()) {
                prop_assert!(carried.sums.adds_up());
            }
        }
        let total = seen_by("GE", &records).total(&Query::default());
        let sum = |gram| total.grams(gram).grams;
        let fates = sum(Gram::InTransit) + sum(Gram::Delivered) + sum(Gram::Explained) + sum(Gram::Unexplained);
        prop_assert!(fates <= sum(Gram::Departed) + sum(Gram::Arrived), "{} of {}", fates, sum(Gram::Departed));
        prop_assert!(sum(Gram::Delivered) <= sum(Gram::Arrived));
    }
}

#[test]
fn months_years_and_medians() {
    let months: Vec<Month> = ["2026-12", "2027-01"].map(|text| text.parse().expect("a month")).into();
    assert!(months[0] < months[1]);
    assert_eq!(
        (months[0].to_string(), months[1].to_string(), months[1].year()),
        ("2026-12".into(), "2027-01".into(), 2027)
    );
    for text in ["2026-13", "2026-00", "26-12", "2026-1", "2026", "2026-12-01", "+026-12", ""] {
        assert!(text.parse::<Month>().is_err(), "{text}");
    }
    let query = Query {
        span: "2026".parse().ok(),
        partner: "GE-TR".parse().ok(),
        by: [Dimension::Month].into(),
        ..Query::default()
    };
    let json = serde_json::to_value(&query).expect("JSON");
    assert_eq!(json, json!({"by": ["month"], "substance": null, "partner": "GE-TR", "span": "2026"}));
    assert_eq!(serde_json::from_value::<Query>(json).expect("a query"), query);
    let at = noon("2026-12-31");
    assert_eq!(Month::of(Date::of(at).expect("a day")), Some(months[0]));
}
