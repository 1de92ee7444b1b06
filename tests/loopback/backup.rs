//! Backups of nodes that work: what is in them, what is never in them, and what comes of putting one back.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::federation::files;
use super::{Federation, declarations, files_with, success, wait_for};

/// The answer of a command with its exit code, and what it said.
fn told(federation: &Federation, args: &[&str]) -> (Option<i32>, Value, String) {
    let output = federation.command("GE").args(args).arg("--json").output().unwrap();
    let value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), value, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_backup_of_a_working_node_is_checked_to_the_last_byte_and_put_back() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    let table = federation.path("declarations.csv");
    declarations(&table, 120);
    // While an import is under way.
    let importing = {
        let mut import = federation.command("GE");
        import.arg("import").arg(&table);
        std::thread::spawn(move || success(&mut import))
    };
    wait_for("some records", || federation.audited("GE", "GE") > 10);
    let (code, early, said) =
        told(&federation, &["backup", "create", "--to", federation.path("early").to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    importing.join().unwrap();
    let ledger = federation.converge();
    // Somebody keeps a passphrase and a key where they do not belong.
    for name in ["passphrase", "log-GE.pem"] {
        fs::write(federation.path("GE/data").join(name), "secret").unwrap();
    }
    let (code, made, said) = told(&federation, &["backup", "create"]);
    assert_eq!(code, Some(0), "{said}");
    let size = |made: &Value| made["backup"]["logs"][0]["size"].as_u64().unwrap();
    assert!((10..=121).contains(&size(&early)) && size(&made) == 121, "{early} {made}");
    assert_eq!(made["backup"]["logs"][0]["root"], ledger["logs"][0]["root"]);
    for which in [early["path"].as_str().unwrap(), "latest"] {
        let (code, told, said) = told(&federation, &["backup", "verify", which]);
        assert!(code == Some(0) && told["good"] == true, "{which}: {told} {said}");
    }

    // Nothing in it signs: no key of a log, no root, no guard, under whatever name.
    let backup = PathBuf::from(made["path"].as_str().unwrap());
    for secret in ["log-GE.pem", "root.pem", "next-root.pem"] {
        let pem = fs::read_to_string(federation.path("GE/keys").join(secret)).unwrap();
        let line = pem.lines().nth(1).unwrap();
        assert!(files_with(&backup, line.as_bytes()).is_empty(), "{secret}");
    }
    let names: Vec<String> =
        files(&backup).iter().map(|path| path.strip_prefix(&backup).unwrap().display().to_string()).collect();
    assert!(
        names.iter().all(|name| !["guard", "log-GE", "passphrase"].iter().any(|secret| name.contains(secret))),
        "{names:?}"
    );
    let audited = federation.path("GE/data/audit").is_dir().then_some("data/audit/");
    for here in ["keys/seal-0000.pem", "data/cases.log"].into_iter().chain(audited) {
        assert!(names.iter().any(|name| name.starts_with(here)), "{here} is not in {names:?}");
    }
    let mut sums = std::process::Command::new("sha256sum");
    success(sums.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&backup));

    // One bit in any of its files is found.
    for path in files(&backup) {
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let at = bytes.len() / 2;
        match bytes.get_mut(at) {
            Some(byte) => *byte ^= 1,
            None => bytes.push(0),
        }
        fs::write(&path, &bytes).unwrap();
        let (code, told, _) = told(&federation, &["backup", "verify"]);
        assert!(code.is_some_and(|code| code != 0), "{}: {told}", path.display());
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(told(&federation, &["backup", "verify"]).0, Some(0));

    // A backup of a later version is refused, politely, and so is one of somebody else.
    let inventory = backup.join("backup.json");
    let text = fs::read_to_string(&inventory).unwrap();
    fs::write(&inventory, text.replace("\"format\": 1", "\"format\": 2").replace("\"0.1.0\"", "\"7.3.0\"")).unwrap();
    let (code, _, said) = told(&federation, &["backup", "verify", backup.to_str().unwrap()]);
    assert!(code == Some(31) && said.contains("was made by shieldwall 7.3.0 in format 2"), "{said}");
    fs::write(&inventory, text).unwrap();
    let other = federation.command("TR").args(["backup", "restore"]).arg(&backup).output().unwrap();
    assert_eq!(other.status.code(), Some(30), "{other:?}");

    // Not over anything; and where the machine is gone, with its keys of logs, into nothing.
    assert_eq!(told(&federation, &["backup", "restore"]).0, Some(10));
    nodes.remove(0).kill();
    let away = federation.path("away");
    fs::rename(federation.path("GE"), &away).unwrap();
    let backup = away.join("backups").join(backup.file_name().unwrap());
    let (code, restored, said) = told(&federation, &["backup", "restore", backup.to_str().unwrap()]);
    assert!(code == Some(0) && restored["config_restored"] == true, "{restored} {said}");
    assert!(said.contains("This node signs nothing") && said.contains("log open --charter next.cose"), "{said}");
    assert!(!federation.path("GE/keys/log-GE.pem").exists() && !federation.path("GE/data/guard").exists());
    let back = federation.json("GE", &["ledger"]).unwrap();
    assert_eq!(back["logs"][0]["size"], 121, "{back}");
}
