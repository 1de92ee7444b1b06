//! The verifier for a browser says word for word what the one here says, of good folders and of all changed ones.
//!
//! `SHIELDWALL_VERIFIER` names the program that `examples/verifier/build.sh` made, `SHIELDWALL_BROWSER` a Chromium; without both the
//! test says that it was skipped.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use data_encoding::BASE64;
use serde_json::{Value as Json, json};
use shieldwall::evidence::{Bundle, verify};

use crate::evidence_mutations::{Mutation, Originals};

#[test]
fn the_page_says_what_the_verifier_here_says() {
    let (Some(program), Some(browser)) = (env::var_os("SHIELDWALL_VERIFIER"), env::var_os("SHIELDWALL_BROWSER")) else {
        say("skipped: SHIELDWALL_VERIFIER and SHIELDWALL_BROWSER do not name the program and a browser");
        return;
    };
    let originals = Originals::new();
    let mutations = originals.mutations();
    let mut cases = Cases::default();
    for (what, bundle) in [("full", &originals.full), ("plain", &originals.plain)] {
        cases.add(what, bundle, &originals.trusted);
    }
    for Mutation { what, bundle, trusted, .. } in &mutations {
        cases.add(what, bundle, trusted);
    }
    let count = cases.cases.len();
    let folder = tempfile::tempdir().unwrap();
    let (written, page) = (folder.path().join("cases.json"), folder.path().join("page.html"));
    // Inside a page, `<` could end the script that it stands in.
    let text = json!({ "blobs": cases.blobs, "cases": cases.cases }).to_string().replace('<', "\\u003c");
    fs::write(&written, text).unwrap();
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verifier/pack.py");
    let packed = Command::new("python3")
        .arg(pack)
        .args([Path::new(&program), Path::new(env!("CARGO_PKG_VERSION")), &page, &written])
        .status();
    assert!(packed.unwrap().success());
    let shown = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout);
    let result = shown.split_once("TRIED ").and_then(|(_, rest)| rest.split_once(" END"));
    let result =
        result.unwrap_or_else(|| panic!("the page did not come to an end: {}", &shown[..shown.len().min(2_000)])).0;
    say(result);
    let result: Json =
        serde_json::from_str(&result.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).unwrap();
    assert_eq!(result["differing"], 0, "{result}");
    assert_eq!(result["cases"], count);
    assert_eq!(result["refused"], count - 2);
}

/// Each different file once, and the cases that are made of them.
#[derive(Default)]
struct Cases {
    blobs: Vec<String>,
    known: BTreeMap<Vec<u8>, usize>,
    cases: Vec<Json>,
}

impl Cases {
    fn add(&mut self, what: &str, bundle: &Bundle, trusted: &[u8]) {
        let report = verify(bundle, trusted);
        let files: BTreeMap<&String, usize> = bundle.iter().map(|(path, bytes)| (path, self.blob(bytes))).collect();
        let charter = self.blob(trusted);
        self.cases.push(json!({
            "what": what, "files": files, "charter": charter, "report": report.to_json(), "text": report.to_text(),
        }));
    }

    fn blob(&mut self, bytes: &[u8]) -> usize {
        if let Some(known) = self.known.get(bytes) {
            return *known;
        }
        self.blobs.push(BASE64.encode(bytes));
        self.known.insert(bytes.to_vec(), self.blobs.len() - 1);
        self.blobs.len() - 1
    }
}

#[expect(clippy::print_stderr, reason = "figures are worth reading, and so is that there are none")]
fn say(text: &str) {
    eprintln!("{text}");
}
