//! The fuzzer's twin: the same targets, in plain `cargo test`, over their seeds, over noise, and over what becomes of the
//! seeds when they are cut, spliced, flipped and blown up.
//!
//! Everything comes from one number: the same run every time. `FUZZ_TWIN_SEED` gives another run, `FUZZ_TWIN_TIMES` a longer
//! one. What makes a target panic is printed; it belongs into `fuzz/seeds/` once the fault is mended.

mod mutate;
mod seeds;
#[allow(unreachable_pub, reason = "it is a library's, for the fuzzer's binaries")]
#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};

use shieldwall::encoding::hash::sha256;
use shieldwall::encoding::random::Randomness;

use mutate::{mutated, noise};

/// Cases of noise and of changed seeds each, for a target whose cases take microseconds.
const CASES: u32 = 2_000;

/// Targets whose cases take longer: signatures by the dozen, or whole nodes.
const FEWER: [(&str, u32); 8] = [
    ("evidence", 60),
    ("machine", 40),
    ("published", 400),
    ("application", 600),
    ("body", 1_000),
    ("config", 300),
    ("csv", 300),
    ("xml", 400),
];

macro_rules! twins {
    ($($name:ident)*) => {
        const TWINS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                twin(stringify!($name));
            }
        )*
    };
}

twins! {
    cbor cose statement checkpoint cosignature receipt fork equivocation lane_proof note body head compartment fields field_proof grant lanes slot charter manifest
    published application gossip request response names content evidence merkle machine
}

#[cfg(feature = "node")]
mod world {
    use super::twin;
    twins! { csv xml json config api segment guard }

    #[test]
    fn every_target_of_the_world_has_a_twin() {
        assert!(super::targets::WORLD.iter().map(|(name, _)| *name).eq(TWINS.iter().copied()));
    }
}

#[test]
fn every_target_of_the_core_has_a_twin() {
    assert!(targets::CORE.iter().map(|(name, _)| *name).eq(TWINS.iter().copied()));
}

/// Each target has its binary, so that the fuzzer runs what the twin runs.
#[test]
fn every_target_has_a_binary_and_seeds() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let bins = manifest["bin"].as_array().unwrap();
    for (name, _) in targets::all() {
        assert!(bins.iter().any(|bin| bin["name"].as_str() == Some(name)), "fuzz/Cargo.toml has no binary {name}");
        let body = std::fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(body.contains(&format!("::{name}(bytes)")), "fuzz_targets/{name}.rs runs another target");
        assert!(!seeds::held(name).is_empty(), "{name} has no seed");
    }
}

fn twin(name: &str) {
    let (_, target) = targets::all().find(|(known, _)| *known == name).expect("a target of that name");
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let times = u32::try_from(number("FUZZ_TWIN_TIMES").unwrap_or(1)).unwrap();
    let cases = FEWER.iter().find(|(fewer, _)| *fewer == name).map_or(CASES, |(_, cases)| *cases) * times;
    let seed = number("FUZZ_TWIN_SEED").unwrap_or(0);
    let mut random = Randomness::new(sha256(format!("twin {name} {seed}").as_bytes()).0);
    let seeds = seeds::held(name);
    seeds.iter().for_each(|(file, bytes)| run(name, target, bytes, file));
    for case in 0..cases {
        run(name, target, &noise(&mut random), &format!("noise {case}"));
        run(name, target, &mutated(&seeds, &mut random), &format!("changed seed {case}"));
    }
}

fn run(name: &str, target: fn(&[u8]), bytes: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(bytes))).is_err() {
        panic!("{name}, {what}: a panic over {} bytes: {}", bytes.len(), data_encoding::HEXLOWER.encode(bytes));
    }
}
