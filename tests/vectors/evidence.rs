//! The files of an evidence folder: text as it is, all others in hexadecimal. Manifests have vectors of their own.

use serde_json::{Map, Value};
use shieldwall::evidence::{ExportOptions, export};

use super::{check, hex};
use crate::evidence_fixture::World;

#[test]
fn evidence() {
    let options = ExportOptions { redact: ["trade/ucr".to_owned()].into(), disclose_keys: true };
    let bundle = export(&World::new().material(1), &options).unwrap();
    let files = bundle.into_iter().filter(|(path, _)| !path.starts_with("manifests/"));
    let made: Map<String, Value> = files
        .map(|(path, bytes)| {
            let is_text = [".md", ".json", ".pem", ".hex", ".key"].iter().any(|ending| path.ends_with(ending));
            let shown = if is_text { Value::String(String::from_utf8(bytes).unwrap()) } else { hex(bytes) };
            (path, shown)
        })
        .collect();
    check("evidence.json", &Value::Object(made));
}
