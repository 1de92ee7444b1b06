//! The views that are kept up to date say what the fold over all records says.

use std::convert::Infallible;

use super::invariants::{records_of, sayings};
use super::*;
use crate::watch::Views;

/// Derives all that is stale, from `held`.
fn refresh(views: &mut Views, held: &BTreeMap<RecordId, PartialRecord>, records_max: usize) {
    let read = |id: RecordId| Ok::<_, Infallible>(held.get(&id).cloned());
    views.refresh(records_max, read, |_, _| {}).expect("reading a map does not fail");
}

fn same(views: &Views, held: &BTreeMap<RecordId, PartialRecord>) -> Result<(), TestCaseError> {
    let all = consignments(held.clone());
    let bytes = |all: &BTreeMap<RecordId, Consignment>| -> Vec<String> {
        all.values().map(|consignment| consignment.to_json().to_string()).collect()
    };
    prop_assert_eq!(bytes(views.consignments()), bytes(&all));
    Ok(())
}

proptest! {
    /// Whatever the order of arrival, and wherever in between something is derived or turns out to have no effect.
    #[test]
    fn kept_up_to_date_they_are_what_the_fold_says(
        sayings in sayings(),
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..60),
    ) {
        let mut waiting = records_of(&sayings);
        let counting = || Views::counting_for("GE".parse().expect("a member"));
        let (mut views, mut held) = (counting(), BTreeMap::new());
        for (which, step) in steps {
            if step == 0 && !held.is_empty() {
                let id = *which.get(&held.keys().copied().collect::<Vec<_>>());
                waiting.push((id, held.remove(&id).expect("it is held")));
                views.remove(id);
            } else if step == 1 {
                refresh(&mut views, &held, 3);
            } else if !waiting.is_empty() {
                let (id, record) = waiting.swap_remove(which.index(waiting.len()));
                views.take(id, &record);
                // The same again changes nothing.
                views.take(id, &record);
                held.insert(id, record);
            }
        }
        refresh(&mut views, &held, usize::MAX);
        same(&views, &held)?;
        for (id, record) in waiting {
            views.take(id, &record);
            held.insert(id, record);
        }
        refresh(&mut views, &held, usize::MAX);
        same(&views, &held)?;

        let mut again = counting();
        held.iter().rev().for_each(|(id, record)| again.take(*id, record));
        refresh(&mut again, &held, usize::MAX);
        prop_assert_eq!(again.digest(), views.digest());
        prop_assert!(again.statistics().is_some() && again.statistics() == views.statistics(), "the figures are the same");
    }
}

#[test]
fn a_policy_that_comes_late_moves_the_deadline() {
    let notification = r#"{"kind": "E02", "ucr": "3GE204567890-1", "destination": "MZ", "exporter": {"name": "A"},
        "consignee": {"name": "B"}, "policies": ["MZ-1"], "goods": [{"substance": "urea", "net_mass_g": 30000}]}"#;
    let mut held = BTreeMap::from([record("GE-1", 0, notification)]);
    let mut views = Views::default();
    views.take(id("GE-1"), &held[&id("GE-1")]);
    refresh(&mut views, &held, usize::MAX);
    assert_eq!(views.get(id("GE-1")).expect("held").reply_by, None);
    assert_eq!(views.by_ucr("3GE204567890-1").collect::<Vec<_>>(), [id("GE-1")]);

    let (policy, published) =
        record("MZ-1", 0, r#"{"kind": "G03", "terms": {"reply_days": 5, "reply_counting": "calendar"}}"#);
    views.take(policy, &published);
    held.insert(policy, published);
    assert_eq!(views.stale(), 1);
    refresh(&mut views, &held, usize::MAX);
    assert!(views.get(id("GE-1")).expect("held").reply_by.is_some());
}
