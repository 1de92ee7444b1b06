//! `doctor` at a node that works, at one that is alone, and at one that does not run.

use std::fs;

use super::{Federation, success, wait_for};

/// The exit code, and the ids of the findings that are not well, with their levels.
fn doctor(federation: &Federation, member: &str) -> (Option<i32>, Vec<String>) {
    let output = federation.command(member).args(["doctor", "--json"]).output().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = value["findings"].as_array().unwrap();
    // How much room there is, is this machine's own matter.
    let ill = findings.iter().filter(|finding| finding["level"] != "pass" && finding["id"] != "D040");
    let told = ill.map(|finding| format!("{} {}", finding["level"].as_str().unwrap(), finding["id"].as_str().unwrap()));
    (output.status.code(), told.collect())
}

#[test]
fn the_doctor_finds_what_is_wrong_and_nothing_else() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    federation.converge();
    // Keys of tests are not encrypted, and the roots lie beside them.
    let of_tests = ["warn D003", "warn D004"];
    let with = |more: &[&str]| {
        let mut all: Vec<String> = of_tests.iter().chain(more).map(|text| (*text).to_owned()).collect();
        all.sort_by(|a, b| a[5..].cmp(&b[5..]));
        all
    };
    // A node that has just started still asks its peers how long its log is.
    let wait = |what: &str, expected: (Option<i32>, Vec<String>)| {
        let mut seen = None;
        wait_for(&format!("{what}: {expected:?}"), || {
            let told = doctor(&federation, "GE");
            if seen.as_ref() != Some(&told) {
                eprintln!("{told:?}");
            }
            let fits = told == expected;
            seen = Some(told);
            fits
        });
    };
    wait("no backup", (Some(41), with(&["fail D042"])));
    success(federation.command("GE").args(["backup", "create"]));
    wait("a backup", (Some(40), with(&[])));
    let line = federation.command("GE").args(["doctor", "--nagios"]).output().unwrap();
    let said = String::from_utf8(line.stdout).unwrap();
    // How much room this machine has may be a warning more.
    assert!(line.status.code() == Some(1) && said.starts_with("SHIELDWALL WARNING - 24 checks: "), "{said}");

    nodes.remove(1).kill();
    wait("the other is missed", (Some(41), with(&["fail D022"])));
    nodes.clear();
    let unknown = [
        "D021", "D022", "D023", "D024", "D025", "D026", "D027", "D030", "D031", "D032", "D033", "D034", "D041", "D043",
    ];
    let unknown: Vec<String> = unknown.iter().map(|id| format!("unknown {id}")).collect();
    let (code, told) = doctor(&federation, "GE");
    let (guessed, known): (Vec<String>, Vec<String>) = told.into_iter().partition(|told| told.starts_with("unknown"));
    assert_eq!((code, guessed, known), (Some(41), unknown, with(&["fail D020"])));

    fs::remove_file(federation.path("GE/keys/transport.pem")).unwrap();
    assert!(doctor(&federation, "GE").1.contains(&"fail D002".to_owned()));
    fs::write(federation.config("GE"), "member = 7\n").unwrap();
    assert_eq!(doctor(&federation, "GE"), (Some(41), vec!["fail D001".to_owned()]));
}
