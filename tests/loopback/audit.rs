//! The audit log at real nodes: written, anchored, witnessed; altered in each way that an administrator has, and found.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use shieldwall::audit::{Entry, Link};

use super::{Federation, success, wait_for};

const ANNOUNCED: &str = r#"{"kind": "export-notification", "ucr": "6GE204567890-SEEN", "export_country": "GE", "destination": "TR",
    "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Samsun Sample Fertilisers"}, "mode": 3,
    "goods": [{"substance": "urea", "hs6": "310210", "net": {"value": "24", "unit": "TNE"}}]}"#;

/// As soon as there is something new.
const SOON: (&str, &str) = ("SHIELDWALL_INTERVALS_AUDIT_ANCHOR_S", "5");

/// Exit code, and what was printed.
fn verify(federation: &Federation, args: &[&str]) -> (Option<i32>, Value) {
    let output = federation.command("GE").args(["audit", "verify", "--json"]).args(args).output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report)
}

/// What is wrong first.
fn first_fault(report: &Value) -> (Option<u64>, u64, String) {
    let fault = &report["faults"][0];
    (fault["line"].as_u64(), fault["entry"].as_u64().unwrap(), fault["what"].as_str().unwrap().to_owned())
}

fn anchors(federation: &Federation, at: &str) -> Vec<Value> {
    let anchors = federation.json(at, &["audit", "anchors", "--of", "GE"]);
    anchors.and_then(|anchors| anchors.as_array().cloned()).unwrap_or_default()
}

fn file(federation: &Federation) -> PathBuf {
    federation.path("GE").join("data/audit/000000000001.jsonl")
}

/// Every line from the `at`th on written anew after the one at `at` was made to say that nothing was asked.
fn rewritten(text: &str, at: usize) -> String {
    let mut lines: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
    for number in at..lines.len() {
        let mut entry = Entry::read(&lines[number]).unwrap();
        if number == at {
            entry.ids.clear();
            entry.act = "status".to_owned();
        } else {
            entry.previous = Link::read(&lines[number - 1]).unwrap().digest;
        }
        lines[number] = entry.line().0.trim_ascii_end().to_vec();
    }
    lines.into_iter().map(|line| String::from_utf8(line).unwrap() + "\n").collect()
}

#[test]
fn what_an_administrator_alters_is_named() {
    let federation = Federation::of(&["GE", "TR"]);
    let _turkey = federation.start("TR");
    let georgia = federation.spawn_with("GE", &[SOON]);
    wait_for("the node of GE", || federation.is_up("GE"));
    let json = federation.path("record.json");
    fs::write(&json, ANNOUNCED).unwrap();
    let output = success(federation.command("GE").arg("submit").arg(&json));
    let announced = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    success(federation.command("GE").args(["record", "show", &announced]));
    success(federation.command("GE").args(["consignment", "show", "6GE204567890-SEEN"]));

    // Who opened what, and nothing of what stood in it.
    let list = federation.json("GE", &["audit", "list"]).unwrap();
    let told: Vec<(&str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["act"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    let expected = [
        ("node-started", "done"),
        ("submit", "asked"),
        ("submit", "done"),
        ("record-show", "done"),
        ("consignment-show", "done"),
    ];
    assert_eq!(told[..5], expected, "{list}");
    for line in &list.as_array().unwrap()[2..5] {
        assert_eq!(line["ids"][0], announced.as_str(), "{line}");
        assert_eq!(line["uid"], own_uid(), "{line}");
    }
    let text = fs::read_to_string(file(&federation)).unwrap();
    assert!(!text.contains("SEEN") && !text.contains("Rustavi"), "{text}");

    // It is anchored by itself, and the other member holds the anchor.
    wait_for("an anchor that counts all of it, at both", || {
        let (own, other) = (anchors(&federation, "GE"), anchors(&federation, "TR"));
        own == other && own.last().is_some_and(|anchor| anchor["entries"].as_u64() >= Some(5))
    });
    let held = anchors(&federation, "TR");
    let (exit, report) = verify(&federation, &[]);
    assert_eq!((exit, &report["holds_to"]), (Some(0), held.last().unwrap()), "{report}");
    let status = federation.json("GE", &["status"]).unwrap();
    assert_eq!(status["audit"]["anchor"], *held.last().unwrap(), "{status}");
    // The operator cannot say it in the node's place.
    fs::write(&json, format!(r#"{{"kind": "audit-anchor", "audit_entries": 1, "audit_head": "{}"}}"#, "0".repeat(64)))
        .unwrap();
    assert!(!federation.command("GE").arg("submit").arg(&json).output().unwrap().status.success());

    // A copy that left in time.
    let kept = success(federation.command("GE").args(["audit", "export"])).stdout;
    assert_eq!(String::from_utf8(kept).unwrap(), fs::read_to_string(file(&federation)).unwrap());

    // The administrator stops the node and goes to work.
    georgia.kill();
    let elsewhere = federation.path("anchors.json");
    fs::write(&elsewhere, serde_json::to_vec(&held).unwrap()).unwrap();
    let elsewhere = elsewhere.to_str().unwrap();
    let whole = fs::read_to_string(file(&federation)).unwrap();
    assert_eq!(verify(&federation, &[]).0, Some(0), "without a node it is checked as well");
    let altered = |text: &str, args: &[&str]| {
        fs::write(file(&federation), text).unwrap();
        let (exit, report) = verify(&federation, args);
        assert_eq!(exit, Some(20), "{report}");
        first_fault(&report)
    };
    let (line, entry, what) = altered(&whole.replacen("record-show", "record-list", 1), &[]);
    assert_eq!((line, entry), (Some(4), 4), "{what}");
    let without: String =
        whole.lines().enumerate().filter(|(at, _)| *at != 3).map(|(_, line)| format!("{line}\n")).collect();
    let (line, entry, what) = altered(&without, &[]);
    assert_eq!((line, entry, what.as_str()), (Some(4), 4, "entry 4 is missing"));
    // A whole chain of lies holds by itself, and not against what the node has said before.
    let lies = rewritten(&whole, 3);
    fs::write(file(&federation), &lies).unwrap();
    assert_eq!(verify(&federation, &["--chain-only"]).0, Some(0));
    for args in [[].as_slice(), &["--anchors", elsewhere]] {
        let (line, entry, what) = altered(&lies, args);
        assert!(line.is_none() && entry <= 4 && what.contains("does not hold"), "{entry}: {what}");
    }
    let cut: String = whole.lines().take(3).map(|line| format!("{line}\n")).collect();
    let (line, entry, what) = altered(&cut, &["--anchors", elsewhere]);
    assert!(line.is_none() && what.contains("cut off") && entry == 4, "{entry}: {what}");

    // The node itself notices when it starts on it.
    fs::write(file(&federation), &lies).unwrap();
    let _georgia = federation.start("GE");
    wait_for("GE to notice", || {
        federation.json("GE", &["status"]).is_some_and(|status| status["audit"]["anchor_holds"] == false)
    });
    wait_for("GE to say so in its log", || federation.log("GE").contains("not the one that was anchored"));
}

fn own_uid() -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    // Whoever runs the test owns what it has just made.
    tempfile::NamedTempFile::new().unwrap().as_file().metadata().unwrap().uid().into()
}
