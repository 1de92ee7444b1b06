//! Alerts at real nodes: raised at both ends without a message, kept over a crash, raised once.

use serde_json::Value;

use super::{Federation, success, wait_for};

/// A shipment that should have arrived long ago, and nobody says that it did.
const ANNOUNCED: &str = r#"{"kind": "export-notification", "ucr": "6GE204567890-LATE", "export_country": "GE", "destination": "TR",
    "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Samsun Sample Fertilisers"}, "mode": 3,
    "goods": [{"substance": "urea", "hs6": "310210", "net": {"value": "24", "unit": "TNE"}}]}"#;

fn departure(announced: &str) -> String {
    format!(
        r#"{{"kind": "departure", "consignment": "{announced}", "answers": "{announced}", "destination": "TR", "mode": 3,
        "happened_at": "2026-01-05T08:00:00Z", "arrival": {{"latest": "2026-01-09"}},
        "goods": [{{"substance": "urea", "hs6": "310210", "net": {{"value": "24", "unit": "TNE"}}}}]}}"#
    )
}

fn submit(federation: &Federation, member: &str, json: &str) -> String {
    let file = federation.path("record.json");
    std::fs::write(&file, json).unwrap();
    let output = success(federation.command(member).arg("submit").arg(&file));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The rules of the alerts of the only case, as words; nothing while there is none.
fn rules(federation: &Federation, member: &str, status: &str) -> Vec<String> {
    let Some(cases) = federation.json(member, &["alerts", "list", "--status", status]) else { return Vec::new() };
    let alerts = cases[0]["alerts"].as_array().into_iter().flatten();
    alerts.filter_map(|alert| alert["rule"].as_str().map(str::to_owned)).collect()
}

fn raised(federation: &Federation, member: &str) -> usize {
    federation.log(member).matches("an alert was raised").count()
}

#[test]
fn an_alert_is_raised_once_and_what_an_officer_did_outlives_a_crash() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    let announced = submit(&federation, "GE", ANNOUNCED);
    submit(&federation, "GE", &departure(&announced));
    for member in ["GE", "TR"] {
        wait_for(&format!("an overdue shipment at {member}"), || {
            rules(&federation, member, "open").contains(&"overdue".to_owned())
        });
    }
    let list: Value = federation.json("TR", &["consignment", "list", "--state", "OVERDUE"]).unwrap();
    assert_eq!(list["consignments"][0]["id"], announced.as_str(), "{list}");
    let act = ["alerts", "ack", &announced, "--officer", "A. Memur", "--note", "Calling Tbilisi."];
    success(federation.command("TR").args(act));
    assert!(rules(&federation, "TR", "open").is_empty());
    let told = raised(&federation, "TR");
    assert!(told > 0);

    nodes.remove(1).kill();
    nodes.push(federation.start("TR"));
    wait_for("the consignments at TR after the crash", || {
        rules(&federation, "TR", "acknowledged").contains(&"overdue".to_owned())
    });
    assert!(rules(&federation, "TR", "open").is_empty());
    assert_eq!(raised(&federation, "TR"), told, "nothing is raised twice");
    let case = federation.json("TR", &["alerts", "show", &announced]).unwrap();
    let history = case["case"]["history"].as_array().unwrap();
    assert!(history.iter().any(|event| event["by"] == "A. Memur" && event["note"] == "Calling Tbilisi."), "{case}");

    // What was kept up to date is what is built anew.
    let built = federation.json("TR", &["reindex"]).unwrap();
    assert!(built["before"].is_string() && built["before"] == built["after"], "{built}");

    // Nobody says anything of this to anybody: not one byte of it is on the other's disk.
    assert!(super::files_with(&federation.path("GE"), b"Calling Tbilisi.").is_empty());
}

#[test]
fn an_arrival_that_nobody_announced_is_seen_by_both() {
    let federation = Federation::of(&["GE", "TR"]);
    let _nodes = federation.start_all();
    let arrived = submit(
        &federation,
        "TR",
        r#"{"kind": "import-confirmation", "to": ["GE"], "export_country": "GE", "ucr": "6GE204567890-GHOST", "release": "free-circulation",
            "goods": [{"substance": "urea", "hs6": "310210", "net": {"value": "24", "unit": "TNE"}}]}"#,
    );
    for member in ["TR", "GE"] {
        wait_for(&format!("the arrival at {member}"), || {
            rules(&federation, member, "open").contains(&"arrived-unannounced".to_owned())
        });
    }
    // Georgia finds what it had forgotten to announce.
    let announced = submit(&federation, "GE", &ANNOUNCED.replace("-LATE", "-GHOST"));
    wait_for("the link at TR", || {
        federation.json("TR", &["reconcile", "links"]).is_some_and(|links| links[0]["hold"] == "certain")
    });
    let reject = ["reconcile", "reject", &arrived, &announced, "--officer", "A. Memur", "--reason", "Another lorry."];
    success(federation.command("TR").args(reject));
    let links = federation.json("TR", &["reconcile", "links"]).unwrap();
    assert_eq!(links[0]["hold"], "rejected", "{links}");
    let links = federation.json("GE", &["reconcile", "links"]).unwrap();
    assert_eq!(links[0]["hold"], "certain", "each country decides for itself");
}
