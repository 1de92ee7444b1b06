//! Holds `Cargo.lock` against the minimum versions in `deny.toml`, without network: most of the advisories behind them
//! are in no database that an audit tool reads.

use std::fs;
use std::path::Path;

#[test]
fn no_locked_crate_is_below_its_floor() {
    let floors = floors(&read("deny.toml"));
    assert!(floors.len() >= 15, "deny.toml lost its floors: only {} left", floors.len());

    let locked = locked(&read("Cargo.lock"));
    assert!(locked.iter().any(|(name, _)| name == "shieldwall"), "Cargo.lock could not be read");

    let below: Vec<String> = locked
        .iter()
        .flat_map(|(name, version)| {
            floors
                .iter()
                .filter(move |floor| floor.name == *name && parse(version) < floor.version)
                .map(move |floor| format!("{name} {version}: {}", floor.reason))
        })
        .collect();
    assert!(below.is_empty(), "raise these in Cargo.lock:\n{}", below.join("\n"));
}

#[test]
fn versions_compare_by_number() {
    assert!(parse("0.9.20") > parse("0.9.3"));
    assert!(parse("3") <= parse("3.0.0"));
    assert!(parse("0.50.1-alpha.2") <= parse("0.50.1"));
}

struct Floor {
    name: String,
    version: [u64; 3],
    reason: String,
}

/// The entries of `[bans] deny` that name a first good version, such as `yamux:<0.14.1`.
fn floors(deny: &str) -> Vec<Floor> {
    let deny: toml::Table = deny.parse().expect("deny.toml is TOML");
    let entries = deny["bans"]["deny"].as_array().expect("bans.deny is a list");
    entries
        .iter()
        .filter_map(|entry| {
            let (name, version) = entry["crate"].as_str()?.split_once(":<")?;
            let reason = entry["reason"].as_str().expect("every entry carries a reason");
            Some(Floor { name: name.to_owned(), version: parse(version), reason: reason.to_owned() })
        })
        .collect()
}

/// Name and version of every package in the lock.
fn locked(lock: &str) -> Vec<(String, String)> {
    let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("Cargo.lock lists packages");
    let text = |package: &toml::Value, key: &str| package[key].as_str().expect("a string").to_owned();
    packages.iter().map(|package| (text(package, "name"), text(package, "version"))).collect()
}

/// Major, minor and patch; what follows a `-` or `+` does not count, and missing parts are zero.
fn parse(version: &str) -> [u64; 3] {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = core.split('.').map(|part| part.parse().expect("a version is made of numbers"));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
