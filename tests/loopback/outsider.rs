//! Somebody whose key is in no manifest of the charter: the connection is closed, and nothing is learnt.

use std::thread;
use std::time::Duration;

use super::{Federation, declarations, program, success, wait_for};

#[test]
fn an_outsider_is_refused_and_learns_nothing() {
    let federation = Federation::of(&["GE", "TR"]);
    let _nodes = federation.start_all();
    let table = federation.path("declarations.csv");
    declarations(&table, 20);
    success(federation.command("GE").arg("import").arg(&table));
    federation.converge();

    // The outsider has read a manifest of Georgia somewhere, and puts it into a charter of its own making, which it signs as two
    // of three countries.
    federation.init("AM");
    federation.init("AZ");
    let forged = federation.path("AM").join("charter.cose");
    let mut create = program();
    create.args(["charter", "create", "--name", "Of one's own", "--quorum", "1/2", "--out"]).arg(&forged);
    success(create.args(["AM", "AZ", "GE"].map(|member| federation.manifest(member))));
    for member in ["AM", "AZ"] {
        success(federation.command(member).args(["charter", "sign", "--no-input"]).arg(&forged));
    }
    let config = std::fs::read_to_string(federation.config("AM")).unwrap();
    std::fs::write(federation.config("AM"), config.replace("../charter.cose", "charter.cose")).unwrap();
    let _outsider = federation.start("AM");

    wait_for("a refusal", || federation.log("GE").contains("refused a connection"));
    thread::sleep(Duration::from_secs(2));
    assert_eq!(federation.audited("AM", "GE"), 0);
    let peers = federation.json("AM", &["peers"]).unwrap();
    let georgia = peers.as_array().unwrap().iter().find(|peer| peer["member"] == "GE").unwrap();
    assert_eq!((&georgia["connected"], &georgia["frontier"]), (&false.into(), &serde_json::Value::Null));
    let records = federation.json("AM", &["record", "list", "--limit", "0"]).unwrap();
    let foreign = records.as_array().unwrap().iter().filter(|line| !line["id"].as_str().unwrap().starts_with("AM-"));
    assert_eq!(foreign.count(), 0, "{records}");
    // And it is no business of the members: they know of no such peer.
    let peers = federation.json("GE", &["peers"]).unwrap();
    assert_eq!(peers.as_array().unwrap().len(), 1, "{peers}");
    assert!(super::files_with(&federation.path("AM").join("data"), b"6GE420000333-L").is_empty());
}
