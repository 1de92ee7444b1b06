//! Tells the locked packages that were published less than 14 days ago. A hijacked package is mostly found within hours or days: who
//! waits is not hit.
//!
//! ```text
//! cargo run --quiet --locked --example cooldown
//! ```
//!
//! The times of publication are those that cargo itself was told with the index, and keeps in its own folder. Where that folder holds
//! none, nothing can be said: then it says so, and that is not a failure.

#![allow(clippy::print_stdout, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "it asks how old something is today")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::Value;

/// How old a package must be, in days.
const DAYS: i64 = 14;

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Fault> {
    let lock: toml::Table = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"))?.parse()?;
    let packages = lock["package"].as_array().ok_or("Cargo.lock lists no packages")?;
    let field = |package: &toml::Value, name: &str| package.get(name).and_then(toml::Value::as_str).map(str::to_owned);
    let locked: Vec<(String, String)> = packages
        .iter()
        .filter(|package| package.get("source").is_some())
        .filter_map(|package| Some((field(package, "name")?, field(package, "version")?)))
        .collect();
    let caches = caches();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let now = i64::try_from(now)?;
    let (mut known, mut young) = (0_usize, Vec::new());
    for (name, version) in &locked {
        let Some(published) = caches.iter().find_map(|cache| published(cache, name, version)) else { continue };
        known += 1;
        let days = (now - published.as_second()) / 86_400;
        if days < DAYS {
            young.push(format!("{name} {version}: published {days} days ago"));
        }
    }
    if known == 0 {
        println!("skipped: cargo's folder tells of no package when it was published");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{known} of {} locked packages have a time of publication, {} are below {DAYS} days",
        locked.len(),
        young.len()
    );
    young.iter().for_each(|line| println!("{line}"));
    Ok(if young.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where cargo keeps what the indexes told.
fn caches() -> Vec<PathBuf> {
    let own = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = own.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let indexes = home.map(|home| home.join("registry/index")).and_then(|folder| fs::read_dir(folder).ok());
    indexes.into_iter().flatten().flatten().map(|entry| entry.path().join(".cache")).collect()
}

/// When a version was published, if this cache tells it. Its entries are lines of JSON between zero bytes.
fn published(cache: &Path, name: &str, version: &str) -> Option<Timestamp> {
    let lower = name.to_lowercase();
    let folder = match lower.len() {
        1 => "1".to_owned(),
        2 => "2".to_owned(),
        3 => format!("3/{}", lower.get(..1)?),
        _ => format!("{}/{}", lower.get(..2)?, lower.get(2..4)?),
    };
    let bytes = fs::read(cache.join(folder).join(&lower)).ok()?;
    bytes.split(|byte| *byte == 0).find_map(|line| {
        let entry: Value = serde_json::from_slice(line).ok()?;
        (entry["vers"] == version).then(|| entry["pubtime"].as_str()?.parse().ok())?
    })
}
