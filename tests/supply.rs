//! Where the code of others comes from, under which licences, and whether the bill of materials names all of it. What a package may be
//! is written in `deny.toml`; these tests hold it without a tool to install.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

#[allow(dead_code, unreachable_pub, reason = "a program of its own: its `main`, and what it shows to this file")]
#[path = "../examples/sbom.rs"]
mod sbom;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

fn locked() -> Vec<toml::Value> {
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    lock["package"].as_array().unwrap().clone()
}

/// Cargo's view of the packages; none where cargo has not fetched them all, as in a build from another tool.
#[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
fn metadata() -> Option<Value> {
    sbom::metadata(ROOT).inspect_err(|fault| println!("skipped: {fault}")).ok()
}

#[test]
fn every_package_comes_from_the_one_registry_with_its_checksum() {
    let mut sources = BTreeSet::new();
    for package in locked() {
        let name = package["name"].as_str().unwrap();
        let Some(source) = package.get("source").and_then(toml::Value::as_str) else {
            assert_eq!(name, "shieldwall", "a package without a source");
            continue;
        };
        assert!(source.starts_with("registry+"), "{name} comes from {source}");
        assert_eq!(package["checksum"].as_str().map(str::len), Some(64), "{name} has no checksum");
        sources.insert(source.to_owned());
    }
    assert_eq!(sources.len(), 1, "{sources:?}");
}

#[test]
fn every_licence_is_on_the_list() {
    let deny: toml::Table = read("deny.toml").parse().unwrap();
    let allowed: Vec<String> =
        deny["licenses"]["allow"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    let Some(metadata) = metadata() else { return };
    let used = sbom::used(ROOT, "normal,build,dev").unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let packages: Vec<&Value> = packages.filter(|package| used.contains(&sbom::purl(package))).collect();
    assert!(packages.len() > 100, "{} packages", packages.len());
    let mut refused = Vec::new();
    for package in packages {
        let (name, license) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or("none"));
        if !allows(&sbom::spdx(license), &|id| allowed.iter().any(|one| one == id)) {
            refused.push(format!("{name}: {license}"));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

/// Whether a licence expression holds if these licences may be used.
fn allows(expression: &str, may: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "~WITH~");
    let words: Vec<String> = spaced.split_whitespace().map(|word| word.replace("~WITH~", " WITH ")).collect();
    let mut at = 0;
    let holds = any_of(&words, &mut at, may);
    assert_eq!(at, words.len(), "not an expression: {expression}");
    holds
}

fn any_of(words: &[String], at: &mut usize, may: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = all_of(words, at, may);
    while words.get(*at).is_some_and(|word| word == "OR") {
        *at += 1;
        holds |= all_of(words, at, may);
    }
    holds
}

fn all_of(words: &[String], at: &mut usize, may: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = one(words, at, may);
    while words.get(*at).is_some_and(|word| word == "AND") {
        *at += 1;
        holds &= one(words, at, may);
    }
    holds
}

fn one(words: &[String], at: &mut usize, may: &dyn Fn(&str) -> bool) -> bool {
    *at += 1;
    if words[*at - 1] != "(" {
        return may(&words[*at - 1]);
    }
    let holds = any_of(words, at, may);
    *at += 1;
    holds
}

#[test]
fn licence_expressions_are_understood() {
    let may = |id: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&id);
    for good in ["MIT", "GPL-3.0 OR MIT", "ISC AND (GPL-3.0 OR MIT)", "Apache-2.0 WITH LLVM-exception OR GPL-3.0"] {
        assert!(allows(good, &may), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "ISC AND (GPL-3.0 OR Apache-2.0)", "(MIT OR ISC) AND GPL-3.0", "none"] {
        assert!(!allows(bad, &may), "{bad}");
    }
}

#[test]
fn the_bill_of_materials_names_every_package_of_the_release() {
    if metadata().is_none() {
        return;
    }
    let bill = sbom::bill(ROOT).unwrap();
    assert_eq!(
        (&bill["bomFormat"], &bill["specVersion"], &bill["version"]),
        (&"CycloneDX".into(), &"1.5".into(), &1.into())
    );
    assert_eq!(bill["metadata"]["component"]["name"], "shieldwall");
    let locked: BTreeSet<(String, String, String)> = locked()
        .iter()
        .filter_map(|package| {
            let text = |name: &str| package.get(name).and_then(toml::Value::as_str).map(str::to_owned);
            Some((text("name")?, text("version")?, text("checksum")?))
        })
        .collect();
    let mut named = BTreeSet::new();
    for component in bill["components"].as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (name, version) = (text(&component["name"]), text(&component["version"]));
        assert_eq!(component["type"], "library", "{name}");
        assert_eq!(component["purl"], format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")));
        assert!(!text(&component["licenses"][0]["expression"]).is_empty(), "{name}");
        assert_eq!(component["hashes"][0]["alg"], "SHA-256", "{name}");
        let checksum = text(&component["hashes"][0]["content"]);
        assert!(locked.contains(&(name.clone(), version, checksum)), "{name} is not as locked");
        assert!(named.insert(text(&component["bom-ref"])), "{name} stands twice");
    }
    // Neither less than is built, nor what only tests need, nor what no feature of ours brings.
    let released = sbom::used(ROOT, "normal,build").unwrap();
    let missing: Vec<_> = released.difference(&named).filter(|url| !url.contains("/shieldwall@")).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let names = |name: &str| named.iter().any(|url| url.starts_with(&format!("pkg:cargo/{name}@")));
    assert!(names("sled") && names("libp2p") && names("cc"), "what builds the program counts too");
    assert!(!names("proptest") && !names("trycmd") && !names("attohttpc"), "{named:?}");
}

#[test]
fn no_target_of_ours_may_be_unsafe() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    // The lints of the manifest hold for the library, the program, tests and examples alike, and `forbid` cannot be taken back.
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    // The fuzzer is a package of its own whose entry points come from a macro of the engine: what we write there has none.
    for entry in fs::read_dir(Path::new(ROOT).join("fuzz/fuzz_targets")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("unsafe"), "{}", path.display());
    }
}
