//! The demo, as a visitor and as a script run it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use super::{files_with, program, success, wait_for};

/// How many bodies each member may open at least: its own, those addressed to it, and the acknowledgements of its own. How many
/// acknowledgements there are depends on how fast records come.
const OPENED: [(&str, u64); 5] = [("GE", 16), ("TR", 13), ("LB", 9), ("MZ", 8), ("W1", 0)];

#[test]
fn five_nodes_converge_and_only_the_audience_opens() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let output = success(program().args(["demo", "--once", "--json", "--dir"]).arg(&dir));
    let page: Value = serde_json::from_slice(&output.stdout).expect("one object");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(page["converged"], true, "{told}");
    assert!(page["seconds"].is_f64(), "{page}");

    let nodes: BTreeMap<&str, &Value> =
        page["nodes"].as_array().unwrap().iter().map(|node| (node["member"].as_str().unwrap(), node)).collect();
    assert_eq!(nodes.len(), 5);
    for (member, opened) in OPENED {
        let node = nodes[member];
        assert_eq!(node["frontier"], nodes["GE"]["frontier"], "{member}");
        assert!(
            node["logs"]["GE"].as_u64().unwrap() >= 12,
            "nine announcements, a departure and a grant behind the lanes"
        );
        let held: u64 = node["logs"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(node["statements_verified"], json!(held), "{member}");
        let (open, sealed) = (node["bodies_opened"].as_u64().unwrap(), node["bodies_sealed"].as_u64().unwrap());
        assert!(open >= opened && (member != "W1" || open == 0), "{member} opened {open}");
        // The rest of what is held are the five logs' lanes.
        assert_eq!(open + sealed + 5, held, "{member}");
        assert_eq!(node["cosignatures"], 5, "{member}");
    }

    // The ship that does not come: seen by both ends, and by Lebanon only after it was let in.
    let missing = &page["missing"];
    assert_eq!((&missing["consignment"], &missing["known_before_grant"]), (&json!("GE-1"), &json!(false)));
    for country in ["GE", "MZ", "LB"] {
        let seen = &missing["seen"][country];
        assert_eq!(
            (&seen["state"], &seen["unexplained_g"]),
            (&json!("MISSING"), &json!(2_750_000_000_u64)),
            "{country}"
        );
        let rules: Vec<&str> = seen["alerts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(rules.contains(&"missing") && rules.contains(&"overdue"), "{country}: {rules:?}");
    }

    // The bodies of the Rhosus and of Lebanon's paint are sealed, at those too who may open them.
    for name in ["Explosivos de Mo", "Cedar Sample Paints"] {
        assert_eq!(files_with(&dir, name.as_bytes()), Vec::<std::path::PathBuf>::new(), "{name}");
    }

    // What is kept answers as a running node does.
    let at = |member: &str, args: &[&str]| {
        let config = dir.join(member).join("shieldwall.toml");
        success(program().arg("--config").arg(config).args(args).arg("--json")).stdout
    };
    let ledger: Value = serde_json::from_slice(&at("W1", &["ledger"])).unwrap();
    assert_eq!(ledger["frontier"], nodes["W1"]["frontier"]);
    for log in ledger["logs"].as_array().unwrap() {
        let receipts = log["receipts"].as_object().unwrap();
        let others = ["GE", "TR", "LB", "MZ"].into_iter().filter(|member| log["log"] != *member);
        others.for_each(|member| assert_eq!(receipts.get(member), Some(&log["size"]), "{member} over {}", log["log"]));
    }
    let consignee = |member: &str| {
        let record: Value = serde_json::from_slice(&at(member, &["record", "show", "GE-1"])).unwrap();
        record["content"]["consignee"]["name"].as_str().map(str::to_owned)
    };
    assert_eq!(consignee("MZ").as_deref(), Some("Fábrica Exemplo de Explosivos de Moçambique, Lda"));
    // Türkiye lies on the way: it reads the transport and not the parties.
    assert_eq!((consignee("TR"), consignee("LB"), consignee("W1")), (None, None, None));

    // What the author knows of who holds it: everybody, and who may read that all whom it is for have it.
    let own: Value = serde_json::from_slice(&at("GE", &["record", "show", "GE-1"])).unwrap();
    let members = |field: &str| own[field].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members("held_since"), ["LB", "MZ", "TR", "W1"]);
    assert_eq!(
        (members("acknowledged_by"), &own["custody"]["state"]),
        (vec!["LB".into(), "MZ".into(), "TR".into()], &"acknowledged".into())
    );

    // Evidence from a node that is not the author's, verified without one.
    let evidence = folder.path().join("evidence");
    at("TR", &["evidence", "export", "GE-1", "--out", &evidence.to_string_lossy()]);
    success(program().args(["evidence", "verify"]).arg(&evidence).arg("--charter").arg(dir.join("charter.cose")));

    // What Georgia has addressed to Mozambique, by Georgia's own checkpoint, and which consignments are not among it.
    let lanes: Value = serde_json::from_slice(&at("MZ", &["lane", "list"])).unwrap();
    let lanes = lanes.as_array().unwrap();
    assert_eq!(lanes.len(), 4, "one of each other member: {lanes:?}");
    assert!(lanes.iter().all(|lane| lane["shown"]["agrees"] == true), "{lanes:?}");
    let folder = folder.path().join("lane");
    at("MZ", &["lane", "export", "GE-0", "--notified", "--out", &folder.to_string_lossy()]);
    let verify = success(
        program()
            .args(["evidence", "verify"])
            .arg(&folder)
            .arg("--charter")
            .arg(dir.join("charter.cose"))
            .arg("--json"),
    );
    let report: Value = serde_json::from_slice(&verify.stdout).unwrap();
    let claim = |name: &str| {
        let all = report["claims"].as_array().unwrap();
        all.iter()
            .find(|claim| claim["name"] == name && claim["outcome"] == "proved")
            .map(|claim| claim["sentence"].clone())
    };
    assert!(claim("list").is_some() && claim("lane").is_some(), "{report}");
    assert!(claim("not notified").is_some(), "{report}");

    // Both on paper, and the ledgers compared by the code that one screen shows another.
    for (evidence, name) in [(&evidence, "GE-1.pdf"), (&folder, "lane.pdf")] {
        let out = dir.join(name);
        let mut certify = program();
        certify.args(["evidence", "certificate"]).arg(evidence).arg("--charter").arg(dir.join("charter.cose"));
        success(certify.arg("--out").arg(&out));
        assert!(std::fs::read(&out).unwrap().starts_with(b"%PDF-1.7"), "{name}");
    }
    let shown: Value = serde_json::from_slice(&at("GE", &["ledger", "--qr"])).unwrap();
    assert_eq!(shown["frontier"], nodes["GE"]["frontier"]);
    let compared: Value =
        serde_json::from_slice(&at("TR", &["ledger", "--compare", shown["qr"].as_str().unwrap()])).unwrap();
    assert_eq!(compared["equal"], true, "{compared}");

    // What is not there: a statement beyond the end of a log, and a frontier whose index is lost.
    let said = |args: &[&str]| {
        let config = dir.join("W1/shieldwall.toml");
        let output = program().arg("--config").arg(config).args(args).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), stdout.into_owned() + &stderr)
    };
    let last =
        ledger["logs"].as_array().unwrap().iter().find(|log| log["log"] == "GE").unwrap()["size"].as_u64().unwrap() - 1;
    let (code, text) = said(&["record", "show", "GE-999"]);
    assert!(code == Some(1) && text.contains(&format!("the last of the log GE is GE-{last}")), "{text}");
    std::fs::rename(dir.join("W1/data/index"), dir.join("lost")).unwrap();
    let (code, text) = said(&["ledger"]);
    assert!(code == Some(0) && text.contains("frontier unknown"), "{text}");
    for args in
        [&["ledger", "--words"][..], &["ledger", "--qr"], &["ledger", "--compare", shown["qr"].as_str().unwrap()]]
    {
        let (code, text) = said(args);
        assert!(code == Some(22) && text.contains("is unknown"), "{args:?}: {text}");
    }
}

/// Whoever kills the demo leaves no node behind.
#[test]
fn nodes_end_with_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut demo = program();
    demo.args(["demo", "--dir"]).arg(&dir).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut demo = demo.spawn().unwrap();
    let lines = BufReader::new(demo.stderr.take().unwrap()).lines();
    let up = lines.map_while(Result::ok).filter(|line| line.contains("is up, process")).take(5).count();
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert_eq!(up, 5);
    wait_for("the end of all nodes", || {
        ["GE", "TR", "LB", "MZ", "W1"].iter().all(|member| {
            let log = std::fs::read_to_string(dir.join(member).join("node.log")).unwrap_or_default();
            log.trim_end().ends_with("ended")
        })
    });
}

#[test]
fn a_folder_is_used_for_one_demo_only() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("charter.cose"), b"").unwrap();
    let output = program().args(["demo", "--once", "--dir"]).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(10));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
}
