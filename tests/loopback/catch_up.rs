//! A node that was away comes back to what the others did meanwhile.

use super::{Federation, declarations, success, wait_for};

#[test]
fn a_killed_node_catches_up_by_itself() {
    const RECORDS: usize = 1_000;
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let mut nodes = federation.start_all();
    federation.converge();
    nodes.remove(1).kill();

    let table = federation.path("declarations.csv");
    declarations(&table, RECORDS);
    success(federation.command("GE").arg("import").arg(&table));

    let started = super::now();
    let _back = federation.start("TR");
    let ledger = federation.converge();
    eprintln!("{RECORDS} records caught up in {:?}", started.elapsed());
    let log = &ledger["logs"][0];
    assert_eq!((&log["log"], &log["size"]), (&"GE".into(), &(RECORDS as u64 + 1).into()));
    // Half of them are addressed to it, and opened.
    let opened = || federation.records("TR", "GE").into_iter().filter(|(_, ucr)| ucr.is_some()).count();
    wait_for("all bodies", || opened() == RECORDS / 2);
}
