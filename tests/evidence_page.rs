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
use shieldwall::evidence::equivocation::FILE;
use shieldwall::evidence::{Bundle, Equivocation, export_equivocation, verify};
use shieldwall::ledger::ForkProof;

use crate::evidence_fixture::World;
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
    let mut good = 2;
    let trusted = World::new().federation.published().encode().unwrap();
    for (what, bundle, holds) in signed_twice() {
        cases.add(&what, &bundle, &trusted);
        good += usize::from(holds);
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
    assert_eq!(result["refused"], count - good);
}

#[test]
fn evidence_of_what_was_signed_twice_is_refused_after_every_change() {
    let trusted = World::new().federation.published().encode().unwrap();
    let all = signed_twice();
    for (what, bundle, holds) in &all {
        let report = verify(bundle, &trusted);
        assert_eq!(report.proved, *holds, "{what}: {}", report.to_text());
        assert_eq!(report.failures().next().is_none(), *holds, "{what}");
    }
    assert!(all.iter().filter(|(_, _, holds)| *holds).count() == 4 && all.len() > 150, "{}", all.len());
}

/// Evidence that a statement, and the history of a log, were signed twice: as a folder and as one file, good, and changed in each file; and whether
/// it holds.
fn signed_twice() -> Vec<(String, Bundle, bool)> {
    let (one, other) = (World::new(), World::saying("Wall", "demolition", &[]));
    let [lesser, greater] = [&one, &other].map(|world| world.material(1).checkpoint.root);
    let proofs = [
        ("statement", Equivocation::Statements([one.leaves[1].clone(), other.leaves[1].clone()])),
        ("log", Equivocation::Log(Box::new(ForkProof { lesser, greater, path: Vec::new() }))),
    ];
    let mut all = Vec::new();
    for (name, proof) in proofs {
        let folder = export_equivocation(&proof, &one.federation).unwrap();
        let alone = Bundle::from([(FILE.to_owned(), proof.encode())]);
        for (form, good) in [("folder", folder), ("alone", alone)] {
            all.push((format!("{name}, {form}"), good.clone(), true));
            for (path, bytes) in &good {
                let changed = |how: &str, bytes: Option<Vec<u8>>| {
                    let mut bundle = good.clone();
                    drop(bundle.remove(path));
                    bundle.extend(bytes.map(|bytes| (path.clone(), bytes)));
                    (format!("{name}, {form}: {path} {how}"), bundle, false)
                };
                let flipped = |place: usize| {
                    let mut bytes = bytes.clone();
                    bytes[place] ^= 1;
                    Some(bytes)
                };
                // Without the proof, a folder is no evidence of anything, and says that of evidence about a record.
                all.push(changed("taken away", None));
                all.push(changed("emptied", Some(Vec::new())));
                all.push(changed("made longer", Some([&bytes[..], b"\n"].concat())));
                all.push(changed("cut", Some(bytes[..bytes.len() / 2].to_vec())));
                all.push(changed("changed at its beginning", flipped(0)));
                all.push(changed("changed in its middle", flipped(bytes.len() / 2)));
                all.push(changed("changed at its end", flipped(bytes.len() - 1)));
            }
        }
    }
    all
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
