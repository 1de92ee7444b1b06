//! `shieldwall evidence verify` as a filter, for where there are no folders: a browser.
//!
//! Reads one JSON document from standard input, `{"charter": base64, "files": {path: base64}}`, and writes to standard output what
//! `evidence verify --json` prints, together with the text that it prints for people:
//! `{"report", "text"}`. What cannot be read is `{"error"}`.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use data_encoding::BASE64;
use serde_json::{Value as Json, json};
use shieldwall::evidence::{Bundle, layout, verify};

/// What the page hands over.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    charter: String,
    files: BTreeMap<String, String>,
}

fn main() -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let answer = match judge(&text) {
        Ok(answer) => answer,
        Err(reason) => json!({ "error": reason }),
    };
    let mut out = io::stdout();
    out.write_all(answer.to_string().as_bytes())?;
    out.flush()
}

fn judge(text: &[u8]) -> Result<Json, String> {
    let input: Input = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let bytes = |text: &str| BASE64.decode(text.as_bytes()).map_err(|error| error.to_string());
    let charter = bytes(&input.charter)?;
    let mut bundle = Bundle::new();
    for (name, text) in &input.files {
        // As the command: attachments of a certificate lie side by side.
        let path = layout::from_flat(name).unwrap_or_else(|| name.clone());
        if bundle.insert(path, bytes(text)?).is_some() {
            return Err(format!("{name} is there under two names"));
        }
    }
    let report = verify(&bundle, &charter);
    Ok(json!({ "report": report.to_json(), "text": report.to_text() }))
}
