//! `shieldwall fsck` on folders that real nodes have written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::federation::files;
use super::{Federation, declarations, success};

/// The answer of fsck, with its exit code.
fn check(federation: &Federation) -> (Option<i32>, Value) {
    let output = federation.command("GE").args(["fsck", "--json"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}")))
}

/// Every file of a member with its content.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| (path.clone(), fs::read(path).unwrap());
    files(folder).into_iter().map(read).collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

/// Where the frame of a record lies: its key is the kind, the log, and the position.
fn frame(segment: &Path, kind: u8, position: u64) -> usize {
    let mut key = vec![13, kind, b'G', b'E', 0, 1];
    key.extend(position.to_be_bytes());
    let bytes = fs::read(segment).unwrap();
    bytes.windows(key.len()).position(|bytes| bytes == key).unwrap() - 24
}

#[test]
fn every_kind_of_file_is_checked_and_a_node_heals_what_fsck_says_that_it_heals() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    let table = federation.path("declarations.csv");
    declarations(&table, 30);
    success(federation.command("GE").arg("import").arg(&table));
    let before = federation.converge();
    let statements = |ledger: &Value| {
        let size = ledger["logs"][0]["size"].as_u64().unwrap();
        let shown = |at| federation.json("GE", &["record", "show", &format!("GE-{at}")]).unwrap()["statement"].clone();
        (0..size).map(shown).collect::<Vec<_>>()
    };
    let signed = statements(&before);
    // While the node runs, nothing is read.
    let refused = federation.command("GE").arg("fsck").output().unwrap();
    assert_eq!(refused.status.code(), Some(11), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stop the node first"), "{refused:?}");
    nodes.remove(0).kill();

    let folder = federation.path("GE");
    let whole = snapshot(&folder);
    let (code, told) = check(&federation);
    assert_eq!(code, Some(0), "{told}");
    assert!(told["whole"] == true && told["indexed_frames"].as_u64().unwrap() > 60, "{told}");
    assert!(told["guards"]["GE"].as_u64() == Some(31) && told["keys"].as_u64().unwrap() > 3, "{told}");
    assert!(snapshot(&folder) == whole, "nothing is changed");

    let segment = folder.join("data/segments/statements-00000001.seg");
    let at = frame(&segment, 2, 5);
    let head = frame(&folder.join("data/segments/bodies-00000001.seg"), 8, 6);
    let files = [
        ("data/segments/statements-00000001.seg", at + 60, "peer"),
        ("data/segments/bodies-00000001.seg", head + 60, "peer"),
        ("data/guard/GE.guard", 70, "nothing"),
        ("charter.cose", 3_000, "nothing"),
        // What lies within the armour, only the passphrase tells.
        ("keys/transport.pem", 8, "nothing"),
    ];
    for (name, at, heals) in files {
        // A charter lies where the config says.
        let path = if name == "charter.cose" { federation.path(name) } else { folder.join(name) };
        let bytes = fs::read(&path).unwrap();
        flip(&path, at);
        let harmed = snapshot(&folder);
        let (code, told) = check(&federation);
        assert_eq!(code, Some(23), "{name}: {told}");
        let file = path.file_name().unwrap().to_str().unwrap();
        let faults = told["faults"].as_array().unwrap();
        let fault = faults.iter().find(|fault| fault["file"].as_str().unwrap().ends_with(file));
        let fault = fault.unwrap_or_else(|| panic!("{name}: {told}"));
        assert!(fault["heals"] == heals && fault["harmless"] == false, "{name}: {fault}");
        if file.starts_with("statements") {
            assert_eq!(fault["frame"]["name"], "statement GE-5", "{fault}");
            assert_eq!((fault["frame"]["log"].as_str(), fault["frame"]["position"].as_u64()), (Some("GE"), Some(5)));
            assert_eq!(fault["offset"].as_u64(), Some((at - 60) as u64), "{fault}");
        }
        assert!(snapshot(&folder) == harmed, "{name}: nothing is changed");
        fs::write(&path, bytes).unwrap();
    }
    let key = folder.join("keys/transport.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, told) = check(&federation);
    assert!(code == Some(23) && told["faults"][0]["what"].as_str().unwrap().contains("mode 0644"), "{told}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    // A statement that a peer holds, and a torn end: told, and then healed by the node.
    flip(&segment, at + 60);
    let mut torn = fs::read(&segment).unwrap();
    torn.extend([1; 50]);
    fs::write(&segment, torn).unwrap();
    let (code, told) = check(&federation);
    let harmless: Vec<_> = told["faults"].as_array().unwrap().iter().map(|fault| fault["harmless"].clone()).collect();
    assert!(code == Some(23) && harmless.len() == 2 && harmless.contains(&Value::Bool(true)), "{told}");
    nodes.insert(0, federation.start("GE"));
    let after = federation.converge();
    super::wait_for("the lost statement", || federation.log("GE").contains("statement GE-5"));
    // What was there, byte by byte. A node that signs before the peer has given the statement back begins new lanes: one statement more.
    let now = statements(&after);
    assert_eq!(&now[..signed.len()], &signed[..]);
    match now.len() - signed.len() {
        0 => assert_eq!(after["logs"][0]["root"], before["logs"][0]["root"]),
        more => assert_eq!(more, 1, "{after}"),
    }
    let damaged = || federation.json("GE", &["status"]).map(|status| status["scrub"]["damaged"].clone());
    super::wait_for("its healing", || damaged() == Some(serde_json::json!([])));
    success(federation.command("GE").arg("drain"));
    drop(nodes);
    let (code, told) = check(&federation);
    assert!(code == Some(0) && told["faults"][0]["heals"] == "unneeded", "{told}");
}
