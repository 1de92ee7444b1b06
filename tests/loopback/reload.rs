//! A node that reads its config again, and one that is ended while it works.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use serde_json::{Value, json};

use super::federation::{Node, table};
use super::{Federation, success, wait_for};

/// Adds an option to a member's config; one that is in a section comes with its heading.
fn add(federation: &Federation, member: &str, lines: &str) {
    let config = federation.config(member);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n{lines}\n")).unwrap();
}

/// Changes the value of an option that stands in the config.
fn change(federation: &Federation, member: &str, from: &str, to: &str) {
    let config = federation.config(member);
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&config, text.replacen(from, to, 1)).unwrap();
}

fn reload(federation: &Federation, member: &str) -> Value {
    let output = success(federation.command(member).args(["config", "reload", "--json"]));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_config_is_read_again_and_what_needs_a_restart_is_told() {
    let federation = Federation::of(&["GE", "TR"]);
    let nodes = federation.start_all();
    federation.converge();
    assert_eq!(reload(&federation, "GE"), json!({ "applied": [], "restart": [] }));
    assert!(!federation.log("GE").contains("DEBUG"));
    change(&federation, "GE", "level = \"info\"", "level = \"debug\"");
    change(&federation, "GE", "answer_due_days = 3", "answer_due_days = 5");
    assert_eq!(reload(&federation, "GE"), json!({ "applied": ["log.level"], "restart": ["watch.answer_due_days"] }));
    wait_for("the log is louder", || federation.log("GE").contains("DEBUG"));
    // What waits for a restart goes on being told.
    assert_eq!(reload(&federation, "GE"), json!({ "applied": [], "restart": ["watch.answer_due_days"] }));

    // A config that is not valid changes nothing, and says what is wrong with it.
    change(&federation, "GE", "level = \"debug\"", "level = \"info\"");
    add(&federation, "GE", "[limits.more]\nfoo = 1");
    let refused = federation.command("GE").args(["config", "reload"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("limits.more"), "{said}");
    let text = fs::read_to_string(federation.config("GE")).unwrap();
    fs::write(federation.config("GE"), text.replace("[limits.more]\nfoo = 1", "")).unwrap();

    // A service manager sends a signal.
    success(std::process::Command::new("kill").args(["-HUP", &nodes[0].id().to_string()]));
    wait_for("the signal", || federation.log("GE").matches("the config was read again").count() == 4);
    assert_eq!(reload(&federation, "GE"), json!({ "applied": [], "restart": ["watch.answer_due_days"] }));

    // All of what tells of alerts holds at once, its secrets too.
    for (name, key) in [("hook.key", "1".repeat(32)), ("next.key", "2".repeat(32))] {
        let file = federation.path("GE").join(name);
        fs::write(&file, key).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    change(&federation, "GE", "webhooks = []", "webhooks = [\"http://127.0.0.1:9/\"]");
    change(&federation, "GE", "webhook_hosts = []", "webhook_hosts = [\"internal:127.0.0.1\"]");
    change(&federation, "GE", "# webhook_key_file = \"webhook-key\"", "webhook_key_file = \"hook.key\"");
    let all = ["alerts.webhooks", "alerts.webhook_hosts", "alerts.webhook_key_file"];
    assert_eq!(reload(&federation, "GE"), json!({ "applied": all, "restart": ["watch.answer_due_days"] }));
    change(&federation, "GE", "hook.key", "next.key");
    let alone = ["alerts.webhook_key_file"];
    assert_eq!(reload(&federation, "GE"), json!({ "applied": alone, "restart": ["watch.answer_due_days"] }));
    federation.converge();
    let acts = String::from_utf8(success(federation.command("GE").args(["audit", "list", "--json"])).stdout).unwrap();
    assert!(acts.contains("config-reload"), "{acts}");
}

#[test]
fn a_node_that_is_drained_under_load_loses_nothing_that_it_acknowledged() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    federation.converge();
    let file = federation.path("many.csv");
    fs::write(&file, table(0..3_000)).unwrap();
    let mut import = federation.command("GE");
    import.args(["import", "--json"]).arg(&file);
    let importing = thread::spawn(move || import.output().unwrap());
    wait_for("the import is under way", || federation.audited("GE", "GE") > 500);
    let drained = federation.json("GE", &["drain", "--deadline", "30s"]).expect("it ends in time");
    assert_eq!(drained["ended"], true);
    wait_for("the process has ended", || nodes[0].ended().is_some());
    let ended: &mut Node = &mut nodes[0];
    assert!(ended.ended().unwrap().success(), "a service manager that restarts on failure leaves it alone");
    let said = importing.join().unwrap();
    let told: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
    let acknowledged = told["logged"].as_array().map_or(0, Vec::len);
    let again = federation.command("GE").arg("drain").output().unwrap();
    assert_eq!(again.status.code(), Some(13), "it does not run any more");

    nodes[0] = federation.start("GE");
    federation.converge();
    let held = federation.records("GE", "GE").iter().filter(|(_, ucr)| ucr.is_some()).count();
    assert!(held >= acknowledged && held > 400 && held < 3_000, "{acknowledged} were acknowledged, {held} are held");
    success(federation.command("GE").args(["--timeout", "120"]).arg("import").arg(&file));
    assert_eq!(federation.records("GE", "GE").iter().filter(|(_, ucr)| ucr.is_some()).count(), 3_000);
}
