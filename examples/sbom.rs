//! Writes a CycloneDX 1.5 bill of materials of the release: each package that goes into the program or builds it, with version,
//! licence, package URL and checksum.
//!
//! ```text
//! cargo run --quiet --locked --example sbom > sbom.cdx.json
//! ```
//!
//! It is made from `cargo metadata` and `Cargo.lock` alone, for the platform that builds it, so that nothing needs to be installed. The
//! same sources give the same bytes: there is no time and no random serial number in it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

type Fault = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout, reason = "its output is the bill")]
fn main() -> Result<(), Fault> {
    let bill = bill(env!("CARGO_MANIFEST_DIR"))?;
    println!("{}", serde_json::to_string_pretty(&bill)?);
    Ok(())
}

/// The bill of materials of the project in a folder.
pub fn bill(folder: &str) -> Result<Value, Fault> {
    let metadata = metadata(folder)?;
    let checksums = checksums(&std::fs::read_to_string(format!("{folder}/Cargo.lock"))?)?;
    let root = text(&metadata["resolve"]["root"]);
    let used = used(folder, "normal,build")?;
    let graph = release_graph(&metadata, &root, &used);
    let packages: BTreeMap<String, &Value> =
        list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), package)).collect();
    let find = |id: &String| packages.get(id).copied().ok_or_else(|| format!("{id} is in no list of packages"));
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for (id, needs) in &graph {
        let package = find(id)?;
        let needs: Vec<String> = needs.iter().map(|need| find(need).map(purl)).collect::<Result<_, _>>()?;
        dependencies.push(json!({ "ref": purl(package), "dependsOn": needs }));
        if *id != root {
            components.push(component(package, &checksums));
        }
    }
    let mut own = component(find(&root)?, &checksums);
    own["type"] = json!("application");
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": own },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// What cargo knows of the packages for this platform.
pub fn metadata(folder: &str) -> Result<Value, Fault> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let version = Command::new("rustc").arg("-vV").output()?;
    let version = String::from_utf8(version.stdout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc tells no host")?;
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host]);
    let output = command.current_dir(folder).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The package URLs of what is built along these edges, for this platform and with the features of the release.
pub fn used(folder: &str, edges: &str) -> Result<BTreeSet<String>, Fault> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["tree", "--locked", "--edges", edges, "--prefix", "none", "--no-dedupe", "--format", "{p}"]);
    let output = command.current_dir(folder).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let lines = String::from_utf8(output.stdout)?;
    let url = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        Some(format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")))
    };
    Ok(lines.lines().filter_map(url).collect())
}

/// The packages that the program needs, to run or to be built, each with those that it needs itself.
fn release_graph(metadata: &Value, root: &str, used: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let nodes: BTreeMap<String, &Value> =
        list(&metadata["resolve"]["nodes"]).iter().map(|node| (text(&node["id"]), node)).collect();
    // The resolution names more than is built: what only a feature that nobody asks for would bring.
    let packages = list(&metadata["packages"]).iter();
    let built: BTreeSet<String> =
        packages.filter(|package| used.contains(&purl(package))).map(|package| text(&package["id"])).collect();
    let mut graph = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(id) = waiting.pop() {
        let Some(node) = nodes.get(&id) else { continue };
        let is_released = |need: &&Value| list(&need["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
        let needs: BTreeSet<String> = list(&node["deps"])
            .iter()
            .filter(is_released)
            .map(|need| text(&need["pkg"]))
            .filter(|id| built.contains(id))
            .collect();
        waiting.extend(needs.iter().filter(|need| !graph.contains_key(*need)).cloned());
        graph.insert(id, needs);
    }
    graph
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (text(&package["name"]), text(&package["version"]));
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": name,
        "version": version,
        "purl": purl(package),
        "licenses": [{ "expression": spdx(&text(&package["license"])) }],
    });
    if let Some(checksum) = checksums.get(&(name, version)) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

/// The name of a package that is the same everywhere.
pub fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]).replace('+', "%2B"))
}

/// A licence as an SPDX expression: older packages write a slash for OR.
pub fn spdx(license: &str) -> String {
    license.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

/// The checksums of `Cargo.lock` by name and version.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>, Fault> {
    let lock: toml::Table = lock.parse()?;
    let packages = lock["package"].as_array().ok_or("Cargo.lock lists no packages")?;
    let entry = |package: &toml::Value| {
        let field = |name: &str| package.get(name).and_then(toml::Value::as_str).map(str::to_owned);
        Some(((field("name")?, field("version")?), field("checksum")?))
    };
    Ok(packages.iter().filter_map(entry).collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
