//! Machines that are restored, cloned, or lose their disk: `examples/sim --drills` has a thousand of them.

use crate::simulate::drill;
use crate::simulate::medium::Memory;
use crate::simulate::plant::Plant;

#[test]
fn no_accident_of_a_machine_makes_a_second_history_and_every_ledger_comes_back() {
    // Each kind of accident once.
    for seed in 0..5 {
        let drilled = drill::run::<Memory>(seed, None);
        assert!(drilled.violation.is_none(), "{drilled:#?}");
    }
}

#[test]
fn a_signer_without_guard_and_a_machine_that_nobody_warns_are_found_by_the_drills() {
    // Old backups, and snapshots.
    for (plant, first) in [(Plant::NoGuard, 0), (Plant::NoEcho, 2)] {
        let found = (first..).step_by(5).take(4).find_map(|seed| drill::run::<Memory>(seed, Some(plant)).violation);
        assert_eq!(found.map(|violation| violation.invariant), Some("I8"), "{plant}");
    }
}

#[test]
fn the_same_seed_of_a_drill_gives_the_same_trace() {
    let [one, two] = [(); 2].map(|()| drill::run::<Memory>(3, None).trace);
    assert_eq!(one, two);
}
