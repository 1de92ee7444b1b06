//! What is made is as the plan says: the same each time, checkable, and wrong as often as the error model says.

use std::collections::BTreeMap;

use super::goods::grams;
use super::*;
use crate::encoding::ids::{LogId, RecordId};
use crate::record::{Context, Kind, Strictness};

fn plan(consignments: u32) -> Plan {
    Plan { seed: 7, countries: 8, consignments, from: UnixTime::from_seconds(1_767_225_600).unwrap(), days: 365 }
}

fn net(event: &Event) -> u64 {
    event.draft.goods.iter().map(grams).sum()
}

fn sum(life: &Life, kind: &Kind) -> u64 {
    life.events.iter().filter(|event| event.draft.kind.as_ref() == Some(kind)).map(net).sum()
}

#[test]
fn the_same_plan_gives_the_same_lives_and_another_seed_others() {
    let lives: Vec<Life> = Generator::new(plan(200)).collect();
    assert_eq!(lives, Generator::new(plan(200)).collect::<Vec<_>>());
    assert_eq!(lives.len(), 200);
    let other = Plan { seed: 8, ..plan(200) };
    assert_ne!(lives, Generator::new(other).collect::<Vec<_>>());
    // A longer run begins with the shorter one.
    assert_eq!(lives, Generator::new(plan(300)).take(200).collect::<Vec<_>>());
}

#[test]
fn every_record_passes_the_check_of_its_author() {
    for life in Generator::new(plan(1_000)) {
        for event in &life.events {
            let mut draft = event.draft.clone();
            draft.answers = event.answers.map(|at| RecordId::new(LogId::first(life.events[at].author), at as u64));
            let context = Context {
                strictness: Strictness::Own,
                author: Some(event.author),
                now: event.at,
                foreign_exports: false,
            };
            let checked = draft.check(&context);
            assert!(checked.is_ok(), "{} {:?}: {:?}", life.number, event.draft.kind, checked.err().map(|e| e.errors));
        }
    }
}

#[test]
fn times_go_forward_and_answers_point_back() {
    for life in Generator::new(plan(1_000)) {
        for (at, event) in life.events.iter().enumerate() {
            let Some(answered) = event.answers else { continue };
            assert!(answered < at, "life {}", life.number);
            assert!(life.events[answered].at <= event.at, "life {}: {at} answers {answered}", life.number);
        }
    }
}

#[test]
fn what_goes_wrong_goes_wrong_as_often_as_the_model_says() {
    let mut causes: BTreeMap<Cause, u32> = BTreeMap::new();
    let count = 40_000;
    for life in Generator::new(plan(count)) {
        if let Some(truth) = &life.truth {
            *causes.entry(truth.cause).or_default() += 1;
        }
    }
    // In thousandths: five standard deviations on either side.
    for (cause, low, high) in [
        (Cause::NotReportedByImporter, 20, 29),
        (Cause::NotReportedByExporter, 20, 29),
        (Cause::UnitSlip, 25, 35),
        (Cause::Split, 16, 24),
        (Cause::Diverted, 3, 7),
        (Cause::Stolen, 0, 2),
        (Cause::Structuring, 5, 20),
    ] {
        let seen = causes.get(&cause).copied().unwrap_or(0) * 1_000;
        assert!((low * count..=high * count).contains(&seen) && seen > 0, "{cause}: {seen} of {count} thousand");
    }
}

#[test]
fn masses_tell_what_was_done() {
    let (mut errors, mut lives) = (Vec::new(), 0);
    for life in Generator::new(plan(5_000)) {
        let [notified, departed, received] =
            [Kind::ExportNotification, Kind::Departure, Kind::ImportConfirmation].map(|kind| sum(&life, &kind));
        match life.truth.as_ref().map(|truth| truth.cause) {
            None | Some(Cause::Split | Cause::Structuring) => {
                errors.push((i128::from(received) - i128::from(departed)) * 1_000_000 / i128::from(departed));
                assert!(departed.abs_diff(notified) < notified / 40, "life {}", life.number);
                lives += 1;
            }
            Some(Cause::NotReportedByImporter) => assert_eq!(received, 0),
            Some(Cause::NotReportedByExporter) => assert_eq!((notified, departed), (0, 0)),
            Some(Cause::UnitSlip) => {
                let factor = received.max(departed) / received.min(departed).max(1);
                assert!((950..1_060).contains(&factor), "life {}: {factor}", life.number);
            }
            Some(Cause::Diverted) => {
                let truth = life.truth.as_ref().unwrap();
                assert_eq!(life.events.last().map(|event| Some(event.author)), Some(truth.to));
            }
            Some(Cause::Stolen) => assert!(received < departed / 100 * 85, "life {}", life.number),
        }
    }
    // Two scales of 0.3 % each: 0.42 % together.
    let variance = errors.iter().map(|error| error * error).sum::<i128>() / lives;
    assert!((3_900 * 3_900..4_600 * 4_600).contains(&variance), "{variance}");
}

#[test]
fn who_stays_below_a_threshold_does_it_within_a_month() {
    let mut rows: BTreeMap<String, Vec<UnixTime>> = BTreeMap::new();
    for life in Generator::new(plan(5_000)) {
        if life.truth.as_ref().is_some_and(|truth| truth.cause == Cause::Structuring) {
            let first = &life.events[0];
            let consignee = first.draft.consignee.as_ref().unwrap().label().to_owned();
            rows.entry(format!("{} {consignee} {:?}", first.author, first.draft.goods[0].substance))
                .or_default()
                .push(first.at);
        }
    }
    assert!(rows.len() > 5);
    for (who, mut times) in rows {
        times.sort();
        assert!(times.len() >= 3, "{who}");
        let within_a_month = |three: &[UnixTime]| three[2].since(three[0]) <= 30 * 86_400;
        assert!(times.windows(3).any(within_a_month), "{who}");
    }
}
