//! Clocks that are wrong by a year, run ten times too fast, and jump back: real processes under libfaketime, where it is installed.

use std::fs;

use serde_json::Value;

use super::federation::Node;
use super::{Federation, success, wait_for};

/// Where Debian's package `faketime` puts the library that tells another time.
pub(super) fn library() -> Option<String> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    folders.into_iter().find(|path| path.exists()).map(|path| path.display().to_string())
}

fn start(federation: &Federation, member: &str, library: &str, time: &str) -> Node {
    start_with(federation, member, library, time, &[])
}

/// Starts a node at another time, with more in its environment.
pub(super) fn start_with(
    federation: &Federation,
    member: &str,
    library: &str,
    time: &str,
    more: &[(&str, &str)],
) -> Node {
    // The clock that only counts up is left alone: so it is with a clock that somebody sets.
    let faked = [("LD_PRELOAD", library), ("FAKETIME", time), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let node = federation.spawn_with(member, &[&faked, more].concat());
    wait_for(&format!("the node of {member}"), || federation.is_up(member));
    node
}

fn import(federation: &Federation, numbers: std::ops::Range<usize>) {
    let table = federation.path("declarations.csv");
    fs::write(&table, super::federation::table(numbers)).unwrap();
    success(federation.command("GE").args(["--timeout", "40"]).arg("import").arg(&table));
}

/// What is listed of Georgia's log; nothing while its node does not answer.
fn records(federation: &Federation) -> Vec<Value> {
    let listed = federation.json("GE", &["record", "list", "--log", "GE", "--limit", "0"]);
    listed.and_then(|listed| listed.as_array().cloned()).unwrap_or_default()
}

fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

#[test]
fn clocks_that_jump_invalidate_nothing_and_end_no_node() {
    let Some(library) = library() else {
        eprintln!("skipped: libfaketime is not installed");
        return;
    };
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let mut nodes = federation.start_all();
    import(&federation, 0..10);
    federation.converge();

    // A reader that is a year behind cannot believe what is new, and loses nothing; one that is too fast goes on.
    nodes.remove(1).kill();
    nodes.insert(1, start(&federation, "TR", &library, "-400d"));
    nodes.remove(2).kill();
    nodes.push(start(&federation, "MZ", &library, "+0 x10"));
    import(&federation, 10..20);
    wait_for("what is new at the fast reader", || federation.audited("MZ", "GE") >= 21);
    assert!(federation.audited("TR", "GE") >= 11, "what it held it holds");
    nodes.remove(1).kill();
    nodes.insert(1, federation.start("TR"));
    nodes.remove(2).kill();
    nodes.push(federation.start("MZ"));
    federation.converge();

    // The author's own clock goes back by more than a year, and comes back again: along its log time never falls.
    nodes.remove(0).kill();
    nodes.insert(0, start(&federation, "GE", &library, "-400d"));
    import(&federation, 20..30);
    wait_for("the audit log anchored under a clock that went back", || {
        !of_kind(&records(&federation), "audit-anchor").is_empty()
    });
    nodes.remove(0).kill();
    nodes.insert(0, federation.start("GE"));
    import(&federation, 30..40);
    federation.converge();
    let listed = records(&federation);
    assert_eq!(of_kind(&listed, "export-notification").len(), 40, "every record, once");
    // A day seems to have passed with each leap: the audit log is anchored then, and not once a minute for 400 days.
    assert!((1..=2).contains(&of_kind(&listed, "audit-anchor").len()), "{listed:?}");
    let times: Vec<&str> = listed.iter().map(|line| line["issued_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|later, earlier| later >= earlier), "{times:?}");
    for member in ["GE", "TR", "MZ"] {
        assert!(!federation.log(member).contains("panicked"), "{}", federation.log(member));
    }
}
