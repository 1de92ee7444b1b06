//! What an operator wants of the connections to other members.

use std::fs;

use serde_json::Value;

use super::{Federation, success, wait_for};

fn peer(federation: &Federation, at: &str, member: &str) -> Value {
    let peers = federation.json(at, &["peers"]).unwrap();
    peers.as_array().unwrap().iter().find(|peer| peer["member"] == member).unwrap().clone()
}

fn is_connected(federation: &Federation, at: &str, member: &str) -> bool {
    peer(federation, at, member)["connected"] == true
}

#[test]
fn a_member_is_asked_and_kept_away_and_let_back() {
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let mut nodes = federation.start_all();
    federation.converge();
    let ping = |count: &str| federation.json("GE", &["peers", "ping", "TR", "--count", count]).unwrap();
    let answers = ping("2");
    let answers = answers.as_array().unwrap();
    assert!(answers.len() == 2 && answers.iter().all(|answer| answer["micros"].as_u64() > Some(0)), "{answers:?}");
    // The third may have begun its log a moment ago.
    wait_for("the same ledger at the other", || ping("1")[0]["ahead"] == 0 && ping("1")[0]["behind"] == 0);

    let ban = |lasts: &str| {
        let args = ["peers", "ban", "TR", "--for", lasts, "--reason", "malformed records", "--yes"];
        federation.command("GE").args(args).output().unwrap()
    };
    let refused = ban("367d");
    assert!(refused.status.code() == Some(2) || refused.status.code() == Some(1), "{refused:?}");
    assert!(ban("1h").status.success());
    wait_for("the cut", || !is_connected(&federation, "GE", "TR"));
    assert_eq!(peer(&federation, "GE", "TR")["ban"]["reason"], "malformed records");
    let silent = federation.command("GE").args(["peers", "ping", "TR"]).output().unwrap();
    let said = String::from_utf8_lossy(&silent.stderr).into_owned();
    assert!(!silent.status.success() && said.contains("TR is not connected"), "{said}");
    let third = |member: &str| is_connected(&federation, member, "MZ");
    wait_for("the third, who is not meant", || third("GE") && third("TR"));

    // What one signs still reaches the other, by way of the third; and a restart changes nothing.
    nodes.remove(0).kill();
    nodes.insert(0, federation.start("GE"));
    wait_for("the third", || is_connected(&federation, "GE", "MZ"));
    let table = federation.path("declarations.csv");
    fs::write(&table, super::federation::table(0..10)).unwrap();
    success(federation.command("GE").args(["--timeout", "60"]).arg("import").arg(&table));
    wait_for("the statements at the member that is kept away", || federation.audited("TR", "GE") >= 11);
    assert!(!is_connected(&federation, "GE", "TR"));

    success(federation.command("GE").args(["peers", "unban", "TR"]));
    wait_for("the connection", || is_connected(&federation, "GE", "TR"));
    let opened = || federation.records("TR", "GE").iter().filter(|(_, ucr)| ucr.is_some()).count();
    wait_for("the contents, which nobody else has", || opened() == 5);
    federation.converge();
    let again = federation.command("GE").args(["peers", "unban", "TR"]).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("TR is not kept away"), "{again:?}");
    // A ban ends by itself.
    assert!(ban("3s").status.success());
    wait_for("the cut", || !is_connected(&federation, "GE", "TR"));
    wait_for("the end of the ban", || is_connected(&federation, "GE", "TR"));
    let acts = String::from_utf8(success(federation.command("GE").args(["audit", "list", "--json"])).stdout).unwrap();
    assert!(acts.contains("peer-ban") && acts.contains("TR for 3600 s") && acts.contains("peer-unban"), "{acts}");

    // Where the config wants a second person for it, one alone cuts nobody.
    nodes.remove(0).kill();
    let config = federation.config("GE");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("\nbans = false") && text.contains("\nusers = []"), "{text}");
    let text = text.replacen("\nbans = false", "\nbans = true", 1).replacen("\nusers = []", "\nusers = [\"4711\"]", 1);
    fs::write(&config, text).unwrap();
    nodes.insert(0, federation.start("GE"));
    wait_for("the connection", || is_connected(&federation, "GE", "TR"));
    let waits = ban("1h");
    assert_eq!(waits.status.code(), Some(15), "{waits:?}");
    let waiting = federation.json("GE", &["approval"]).unwrap();
    assert_eq!(waiting[0]["about"], "no connection to TR for 3600 s: malformed records", "{waiting}");
    assert!(is_connected(&federation, "GE", "TR") && peer(&federation, "GE", "TR")["ban"].is_null());

    let own = federation
        .command("GE")
        .args(["peers", "ban", "GE", "--for", "1h", "--reason", "x", "--yes"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&own.stderr).contains("own member"), "{own:?}");
}
