//! What becomes of a machine that was restored, cloned, or lost, each accident once; `examples/drills` has them in a loop.

use super::recover::{self, MEMBERS, Recovered};
use super::{Federation, declarations, success};

const RECORDS: usize = 20;

fn after(accident: recover::Accident) -> Recovered {
    let recovered = accident(&Federation::of(&MEMBERS), RECORDS);
    eprintln!("{recovered:?}");
    recovered
}

#[test]
fn a_node_on_an_old_backup_logs_nothing_before_its_next_log_is_opened() {
    assert_eq!(
        after(recover::old_backup).readable,
        (2 * RECORDS, 2 * RECORDS),
        "what came since, its readers gave back"
    );
}

#[test]
fn a_clone_beside_the_original_signs_nothing() {
    assert_eq!(after(recover::a_clone).log, "GE");
}

#[test]
fn a_ledger_on_a_lost_disk_is_rebuilt_from_peers() {
    assert_eq!(after(recover::lost_disk).log, "GE.2");
}

#[test]
fn a_lost_machine_is_put_back_from_its_backup_and_declares_nothing_twice() {
    assert_eq!(after(recover::lost_machine).readable, (2 * RECORDS, 2 * RECORDS));
}

#[test]
fn what_is_rebuilt_from_peers_needs_peers_and_an_empty_folder() {
    let federation = Federation::of(&["GE", "TR"]);
    let refused = federation.command("GE").args(["restore", "--from-peers"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(10) && said.contains("has a signer guard"), "{said}");
    std::fs::remove_dir_all(federation.path("GE/data")).unwrap();
    let alone = federation.command("GE").args(["restore", "--from-peers", "--timeout", "2"]).output().unwrap();
    let told = String::from_utf8_lossy(&alone.stdout).into_owned();
    assert!(alone.status.code() == Some(22) && told.contains("NOT YET   0 of 1 members agree"), "{told}");
}

#[test]
fn a_rehearsal_tells_time_and_loss_and_touches_nothing() {
    let federation = Federation::of(&["GE", "TR"]);
    let _nodes = federation.start_all();
    let drill = |more: &[&str]| {
        let output = federation.command("GE").args(["drill", "restore"]).args(more).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let none = federation.command("GE").args(["drill", "restore"]).output().unwrap();
    assert!(String::from_utf8_lossy(&none.stderr).contains("there is no backup"), "{none:?}");
    let table = federation.path("declarations.csv");
    declarations(&table, 30);
    success(federation.command("GE").arg("import").arg(&table));
    federation.converge();
    success(federation.command("GE").args(["backup", "create"]));
    declarations(&table, 37);
    success(federation.command("GE").arg("import").arg(&table));
    let before = federation.converge();
    let (code, told) = drill(&["--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(code == Some(0) && told["pass"] == true, "{told}");
    assert_eq!((told["loss"]["own"].as_u64(), told["opened"].as_u64()), (Some(7), Some(30)), "{told}");
    let (_, text) = drill(&[]);
    assert!(text.ends_with("PASS\n") && text.contains("loss ") && text.contains(": 7 records of GE"), "{text}");
    assert_eq!(federation.converge()["logs"][0]["root"], before["logs"][0]["root"], "nothing was logged");

    // Somebody has exchanged a whole segment, and the digests with it: the owners' checkpoints do not fit.
    let backups = federation.path("GE/backups");
    let backup = std::fs::read_dir(&backups).unwrap().next().unwrap().unwrap().path();
    let segment = backup.join("data/segments/statements-00000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes.truncate(bytes.len() * 2 / 3);
    std::fs::write(&segment, &bytes).unwrap();
    let sums = std::fs::read_to_string(backup.join("SHA256SUMS")).unwrap();
    let digest = shieldwall::encoding::hash::sha256(&bytes).to_string();
    let line = |line: &str| {
        if line.ends_with("statements-00000001.seg") {
            format!("{digest}  data/segments/statements-00000001.seg\n")
        } else {
            format!("{line}\n")
        }
    };
    std::fs::write(backup.join("SHA256SUMS"), sums.lines().map(line).collect::<String>()).unwrap();
    let (code, told) = drill(&[]);
    assert!(code == Some(23) && told.contains("FAULT") && told.ends_with("FAIL\n"), "{told}");
    let verified = federation.command("GE").args(["backup", "verify"]).output().unwrap();
    assert_eq!(verified.status.code(), Some(20), "{verified:?}");
}
