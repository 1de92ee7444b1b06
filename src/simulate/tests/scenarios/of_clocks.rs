//! Scenarios about deadlines and the turn of the year.

use super::*;
use crate::encoding::ids::MemberCode;
use crate::watch::reconcile::{Mirror, Outcome, Share};
use crate::watch::statistics::{Dimension, Figures, Gram, Query, Span};

/// I: silent M under a policy "silence = consent" and under one "silence = refusal". E09 is legal or not, by the same events.
#[test]
fn i_silence_is_consent_or_refusal() {
    let mut told = Vec::new();
    for (silence, why, flags) in
        [("consent", None, vec![]), ("refusal", Some(Illegal::SilenceIsRefusal), vec!["UNCLEARED_DEPARTURE"])]
    {
        let mut stage = Stage::set("2026-01-05", &["GE", "MZ"]);
        let terms = json!({"reply_days": 15, "reply_counting": "calendar", "silence": silence});
        let policy = stage.says("MZ", json!({"kind": "policy", "terms": terms}));
        let announced = stage.says("GE", with(notification(nitrate("20")), json!({"policies": [policy]})));
        let release = json!({"kind": "export-decision", "destination": "MZ", "answers": announced,
                             "decision": "released-without-reply", "legal_basis": "Order 7"});
        stage.day("2026-01-20");
        let early = stage.says("GE", release.clone());
        stage.day("2026-01-21");
        assert_eq!([stage.state("GE", announced), stage.state("MZ", announced)], [State::NoReply; 2]);
        let decision = stage.says("GE", release);
        stage.day("2026-01-22");
        stage.says("GE", departure(announced, nitrate("20")));
        for member in ["GE", "MZ"] {
            assert_eq!(stage.why(member, announced, early), why.or(Some(Illegal::BeforeDeadline)), "{member}");
            assert_eq!(stage.why(member, announced, decision), why, "{member}: silence is {silence}");
            assert_eq!(stage.state(member, announced), State::Departed, "{member}");
            assert_eq!(stage.flags(member, announced), flags, "{member}");
            let alarm = stage.alerts(member, announced).contains("uncleared-departure red");
            assert_eq!(alarm, silence == "refusal", "{member}");
        }
        stage.agree(&["GE", "MZ"], announced, false);
        let timeline = stage.consignment("MZ", announced).timeline;
        told.push(timeline.into_iter().map(|event| (event.id, event.kind, event.issued_at)).collect::<Vec<_>>());
    }
    assert_eq!(told[0], told[1], "the same events");
}

/// J: over the end of the year: left in December, arrives in January. Both calendar years reconcile.
#[test]
fn j_over_the_end_of_the_year() {
    let mut stage = Stage::set("2026-12-01", &["GE", "MZ"]);
    let announced = stage.says("GE", notification(nitrate("20")));
    stage.says("MZ", consent(announced));
    stage.day("2026-12-28");
    let left = stage.says("GE", departure(announced, nitrate("20")));
    stage.day("2027-01-09");
    stage.says("MZ", import(left, nitrate("20")));
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, announced), State::Reconciled, "{member}");
        let year = |year| {
            let desk = stage.desk(member);
            let query =
                Query { by: BTreeSet::from([Dimension::Year]), span: Some(Span::Year(year)), ..Query::default() };
            let figures: Figures = desk.views.statistics().expect("they are kept").total(&query);
            [Gram::Departed, Gram::Delivered, Gram::InTransit, Gram::Unexplained, Gram::Arrived]
                .map(|gram| figures.grams(gram).known().expect("all is readable"))
        };
        // What left in a year is accounted for in it, whenever it came; what came is counted in the year in which it came.
        assert_eq!(year(2026), [20_000_000, 20_000_000, 0, 0, 0], "{member}");
        assert_eq!(year(2027), [0, 0, 0, 0, 20_000_000], "{member}");
        // And beside each other both sides' totals are the same, in the month in which it left.
        let share =
            stage.desk(member).with_dossier(announced, |dossier, _, standing| Share::of(dossier, &standing.shipments));
        let mut mirror = Mirror::default();
        mirror.put(announced, share);
        let rows: Vec<_> =
            mirror.rows().map(|(cell, row)| (cell.month.as_str(), cell.importing, row.outcome())).collect();
        assert_eq!(rows, [("2026-12", "MZ".parse::<MemberCode>().ok(), Outcome::Matched)], "{member}");
    }
    stage.agree(&["GE", "MZ"], announced, false);
}
