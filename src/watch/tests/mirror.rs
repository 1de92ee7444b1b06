//! Both sides' monthly totals.

use serde_json::{Value as Json, json};

use super::scenarios::{World, goods, nitrate, noon};
use super::*;
use crate::watch::reconcile::{Mirror, Outcome, Share};

fn mirror(world: &World, today: &str) -> Mirror {
    let records = world.records.iter().cloned().collect();
    let mut mirror = Mirror::default();
    for consignment in consignments(world.records.clone()).values() {
        let late = standing(consignment, None, noon(today)).shipments;
        mirror.put(consignment.id, Share::of(&Dossier { consignment, records: &records }, &late));
    }
    mirror
}

fn rows(mirror: &Mirror) -> Vec<(String, Outcome, String)> {
    let code =
        |member: Option<crate::encoding::ids::MemberCode>| member.map_or("?".to_owned(), |code| code.to_string());
    let of = |cell: &crate::watch::reconcile::Cell| {
        format!("{} {} {} {}", cell.month, code(cell.exporting), code(cell.importing), cell.hs6)
    };
    mirror.rows().map(|(cell, row)| (of(cell), row.outcome(), row.words())).collect()
}

/// The day and the goods of an export, and of its import, if there is one.
type Trade<'a> = (&'a str, Json, Option<(&'a str, Json)>);

/// Departures from Georgia to Mozambique on these days, and what came of them.
fn trade(trades: &[Trade<'_>]) -> World {
    let mut world = World::default();
    for (left_on, left, came) in trades {
        let notification = world.notify("2025-11-05", left.clone(), json!({}));
        let of = |answers: &str, goods: &Json| json!({"answers": answers, "consignment": notification, "goods": goods});
        let departure = world.say("GE", left_on, "E13", of(&notification, left));
        if let Some((came_on, came)) = came {
            world.say("MZ", came_on, "E19", of(&departure, came));
        }
    }
    world
}

#[test]
fn four_outcomes_and_one_that_waits() {
    let mut world = trade(&[
        ("2026-01-07", nitrate("20"), Some(("2026-02-01", nitrate("19.9")))),
        ("2026-02-07", nitrate("20"), Some(("2026-03-01", nitrate("15")))),
        ("2026-03-07", nitrate("20"), None),
        ("2026-08-07", nitrate("20"), None),
    ]);
    let orphan = json!({"to": ["GE"], "export_country": "GE", "ucr": "x", "goods": nitrate("7")});
    world.say("MZ", "2026-05-01", "E19", orphan);
    let expected = [
        ("2026-01", Outcome::Matched, "matched: 20 t left in 1 shipment, 19.9 t came in 1"),
        ("2026-02", Outcome::MatchedWithDifference, "matched with difference: 20 t left in 1 shipment, 15 t came in 1"),
        ("2026-03", Outcome::LostExports, "lost exports: 20 t left in 1 shipment, 0 g came in 0"),
        ("2026-05", Outcome::OrphanedImports, "orphaned imports: 0 g left in 0 shipments, 7 t came in 1"),
        ("2026-08", Outcome::Awaited, "awaited: 0 g left in 0 shipments, 0 g came in 0; 20 t may still come in 1"),
    ];
    let expected: Vec<_> =
        expected.map(|(month, outcome, words)| (format!("{month} GE MZ 310230"), outcome, words.to_owned())).into();
    assert_eq!(rows(&mirror(&world, "2026-09-01")), expected);
    assert_eq!(rows(&mirror(&world, "2027-09-01"))[4].1, Outcome::LostExports, "it never came");
}

#[test]
fn j_a_voyage_over_the_end_of_the_year_is_no_difference() {
    let world = trade(&[("2025-12-28", nitrate("20"), Some(("2026-01-09", nitrate("20"))))]);
    let rows = rows(&mirror(&world, "2026-02-01"));
    assert_eq!(
        rows.iter().map(|(cell, outcome, _)| (cell.as_str(), *outcome)).collect::<Vec<_>>(),
        [("2025-12 GE MZ 310230", Outcome::Matched)]
    );
}

#[test]
fn units_and_subheadings_are_brought_together() {
    let of = |hs6, value, unit| goods("calcium-ammonium-nitrate", hs6, value, unit);
    let world = trade(&[("2026-01-07", of("310240", "50", "TNE"), Some(("2026-02-01", of("310260", "50000", "KGM"))))]);
    let rows = rows(&mirror(&world, "2026-09-01"));
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].0.as_str(), rows[0].1), ("2026-01 GE MZ 310260", Outcome::Matched));
}

#[test]
fn the_freight_is_no_difference() {
    let value = |minor: i64| json!([{"amount": {"minor": minor, "currency": "USD"}}]);
    for (cif, band) in [(1_080_000, Band::Green), (1_300_000, Band::Amber), (2_000_000, Band::Red)] {
        let mut world = World::default();
        world.notify("2026-01-05", nitrate("20"), json!({}));
        world.say(
            "GE",
            "2026-01-07",
            "E13",
            json!({"answers": "GE-1", "goods": nitrate("20"), "values": value(1_000_000)}),
        );
        world.say("MZ", "2026-02-07", "E19", json!({"answers": "GE-2", "goods": nitrate("20"), "values": value(cif)}));
        let mirror = mirror(&world, "2026-09-01");
        let (_, row) = mirror.rows().next().expect("a row");
        assert_eq!(row.values(), Some((u64::try_from(cif).expect("positive"), band)));
        assert_eq!(mirror.to_json()[0]["value_band"], band.name());
        assert!(row.words().contains("times that at departure"));
    }
}

proptest! {
    #[test]
    fn what_is_taken_out_is_counted_no_more(steps in prop::collection::vec((0_usize..4, any::<bool>()), 0..40)) {
        let value = json!([{"amount": {"minor": 5, "currency": "USD"}}]);
        let mut world = trade(&[
            ("2026-01-07", nitrate("20"), Some(("2026-02-01", nitrate("19.9")))),
            ("2026-01-08", nitrate("30"), Some(("2026-02-02", nitrate("30")))),
            ("2026-01-09", nitrate("40"), None),
        ]);
        world.say("MZ", "2026-01-30", "E19", json!({"to": ["GE"], "export_country": "GE", "goods": nitrate("7"), "values": value}));
        let records = world.records.iter().cloned().collect();
        let shares: Vec<_> = consignments(world.records.clone()).values()
            .map(|consignment| (consignment.id, Share::of(&Dossier { consignment, records: &records }, &[]))).collect();
        let (mut mirror, mut left) = (Mirror::default(), BTreeSet::new());
        for (at, put) in steps {
            let (id, share) = &shares[at];
            if put {
                mirror.put(*id, share.clone());
                left.insert(at);
            } else {
                mirror.remove(*id);
                left.remove(&at);
            }
        }
        let mut fresh = Mirror::default();
        left.iter().for_each(|at| fresh.put(shares[*at].0, shares[*at].1.clone()));
        prop_assert!(mirror == fresh);
    }
}
