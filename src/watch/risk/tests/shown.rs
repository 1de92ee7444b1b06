//! What an officer makes of a score, and that nothing else comes of it.

use super::*;

fn risky() -> (World, String) {
    let mut world = World::new();
    world.give("watch", json!([{"party": {"name": "Rustavi Test Nitrogen", "country": "GE"}, "reason": "case 7"}]));
    let changes =
        json!({"consignee": {"name": "Global Logistics", "country": "MZ", "address": "PO Box 1", "sector": "mining"}});
    let notified = world.say("GE", "2026-01-05", "E02", with(plain(), changes));
    (world, notified)
}

#[test]
fn an_officer_changes_the_band_and_never_the_score() {
    let (mut world, notified) = risky();
    let assessment = world.assess(&notified, "2026-01-06");
    assert_eq!((assessment.score, assessment.band), (50, Band::Red), "{}", assessment.to_json());
    let mut word = Override {
        band: Band::Green,
        reason: "inspected on the 6th".to_owned(),
        by: "A. Officer".to_owned(),
        at: noon("2026-01-06"),
        seen: assessment.codes(),
    };
    let shown = assessment.shown(Some(&word));
    assert_eq!((shown.score, shown.band, shown.overridden), (50, Band::Green, true));
    assert_eq!(assessment.shown(None).band, Band::Red);

    // What the officer did not see is not covered.
    world.say(
        "GE",
        "2026-01-07",
        "E13",
        json!({"answers": notified, "consignment": notified, "goods": plain()["goods"]}),
    );
    let later = world.assess(&notified, "2026-01-08");
    assert!(later.codes().contains(&Code::R15));
    assert_eq!((later.shown(Some(&word)).band, later.shown(Some(&word)).overridden), (Band::Red, false));
    word.band = Band::Red;
    assert_eq!(later.shown(Some(&word)).band, Band::Red);
}

#[test]
fn every_score_is_the_sum_of_its_reasons() {
    let (world, notified) = risky();
    let assessment = world.assess(&notified, "2026-01-06");
    assert_eq!(assessment.score, assessment.hits.iter().map(|hit| hit.points).sum::<u32>());
    assert!(assessment.hits.iter().all(|hit| !hit.words.is_empty() && !hit.facts.is_empty()));
    let json = assessment.to_json();
    assert_eq!((&json["score"], &json["band"], &json["policy"]), (&json!(50), &json!("red"), &json!("default-1")));
    assert_eq!(json["hits"].as_array().map(Vec::len), Some(assessment.hits.len()));
}

#[test]
fn no_debug_print_shows_content() {
    let (world, notified) = risky();
    let assessment = world.assess(&notified, "2026-01-06");
    let history = world.history("2026-01-06");
    let printed = format!("{assessment:?} {:?} {history:?} {:?}", assessment.hits, world.lists);
    assert!(!printed.contains("Rustavi") && !printed.contains("case 7") && !printed.contains("50"), "{printed}");
}

/// A record can say nothing of a score: it has no field for one, and no kind that is about one.
#[test]
fn no_record_has_room_for_a_score() {
    let listing = serde_json::from_str::<Draft>(r#"{"no_such_field":1}"#).expect_err("no such field").to_string();
    let fields: Vec<&str> = listing.split('`').skip(3).step_by(2).collect();
    assert!(fields.len() > 60);
    let kinds: Vec<&str> = Kind::all().map(Kind::name).collect();
    for word in ["score", "risk", "band", "points", "assessment", "indicator", "override"] {
        assert!(!fields.iter().chain(&kinds).any(|name| name.contains(word)), "{word}");
    }
}
