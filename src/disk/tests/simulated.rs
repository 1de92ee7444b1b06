//! Whole federations over real segments: the simulator's seeds, with this store and guard for disks.

use crate::disk::simulated::Disk;
use crate::simulate::trial;

/// Seeds with much trouble for disks in them, among them: a power loss and rot at once, which takes leaves from the index.
const SEEDS: [u64; 3] = [3, 4, 5];

#[test]
fn every_invariant_holds_over_segments_that_tear_rot_and_fill() {
    let mut happened = std::collections::BTreeMap::new();
    for seed in SEEDS {
        let outcome = trial::run::<Disk>(seed, None);
        assert_eq!(outcome.violation, None, "seed {seed}");
        for (what, times) in outcome.happened {
            *happened.entry(what).or_insert(0) += times;
        }
    }
    for what in ["power losses", "bit rot", "misdirected writes", "indexes lost", "full disks", "failed fsyncs"] {
        assert!(happened.contains_key(what), "none of the seeds has {what}: {happened:?}");
    }
}

#[test]
fn the_same_seed_over_segments_has_the_same_trace() {
    let [one, two] = [(); 2].map(|()| trial::run::<Disk>(9, None).trace);
    assert_eq!(one, two);
}
