//! Golden bytes: the canonical form of everything that is signed, sealed or stored. A changed vector is a protocol change.
//!
//! Each JSON file beside this one is made again by the test of the same name, from seeds, and compared. To write them
//! anew after a deliberate change, run the tests with `UPDATE_VECTORS=1`.
//!
//! Seeds of keys are `SHA-256("vector " ‖ owner ‖ " " ‖ purpose)`; every key in the files is derived so.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use shieldwall::encoding::hash::sha256;
use shieldwall::encoding::ids::MemberCode;
use shieldwall::encoding::time::UnixTime;
use shieldwall::identity::{SealSecretKey, SecretKey};

mod ed25519;
mod evidence;
mod identity;
mod ledger;
mod messages;
mod seal;

/// Compares what was made with the file that holds it.
fn check(name: &str, made: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = serde_json::to_string_pretty(made).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    for (line, (held, made)) in held.lines().zip(text.lines()).enumerate() {
        assert_eq!(held, made, "{name}, line {}: a changed vector is a protocol change", line + 1);
    }
    assert_eq!(held.lines().count(), text.lines().count(), "{name}: a changed vector is a protocol change");
}

fn hex(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(data_encoding::HEXLOWER.encode(bytes.as_ref()))
}

fn seed(owner: &str, purpose: &str) -> [u8; 32] {
    sha256(format!("vector {owner} {purpose}").as_bytes()).0
}

fn key(owner: &str, purpose: &str) -> SecretKey {
    SecretKey::from_seed(&seed(owner, purpose))
}

fn seal_key(owner: &str) -> SealSecretKey {
    SealSecretKey::from_seed(&seed(owner, "seal 0"))
}

fn code(text: &str) -> MemberCode {
    text.parse().unwrap()
}

fn founded() -> UnixTime {
    "2026-12-01T00:00:00Z".parse().unwrap()
}
