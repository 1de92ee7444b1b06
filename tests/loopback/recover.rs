//! Accidents of a machine with real nodes: an old backup put back, a clone started beside the original, a lost disk, a lost machine. Each ends
//! with the member logging again, one ledger everywhere, and no log with two histories.
//!
//! Used by the tests of this folder once each, and by `examples/drills` in a loop.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::federation::{Federation, Node, free_port, now, success, table, wait_for};

pub(super) const MEMBERS: [&str; 3] = ["GE", "TR", "MZ"];

/// What an accident came to.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// Statements of all logs in the end.
    pub(super) statements: u64,
    /// Records of the member by which its machine was behind.
    pub(super) behind: u64,
    /// Seconds until the ledger was whole again at the member, or until a clone was refused.
    pub(super) seconds: f64,
    /// The log in which the member goes on.
    pub(super) log: String,
    /// Own records that open again, of those logged before.
    pub(super) readable: (usize, usize),
}

/// What happens to a machine of a federation, with so many records before and after.
pub(super) type Accident = fn(&Federation, usize) -> Recovered;

/// The kinds of accidents, by name.
pub(super) const ALL: [(&str, Accident); 4] =
    [("old backup", old_backup), ("clone", a_clone), ("lost disk", lost_disk), ("lost machine", lost_machine)];

/// The data of yesterday are put in the place of today's, by hand; guard and keys stay. `many` records before the backup, and as many after.
pub(super) fn old_backup(federation: &Federation, many: usize) -> Recovered {
    let mut nodes = federation.start_all();
    let backup = work_and_back_up(federation, many);
    nodes.remove(0).kill();
    let data = federation.path("GE/data");
    for folder in ["segments", "index"] {
        fs::remove_dir_all(data.join(folder)).unwrap();
    }
    copy(&backup.join("data/segments"), &data.join("segments"));
    let begun = now();
    nodes.insert(0, federation.start("GE"));
    refused(federation, "GE", "not signed any more");
    go_on_in_the_next_log(federation, &mut nodes, begun, many, 2 * many)
}

/// The whole folder is copied and started beside the original, which works on: with its guard, then without.
pub(super) fn a_clone(federation: &Federation, many: usize) -> Recovered {
    let nodes = federation.start_all();
    log(federation, 0..many);
    federation.converge();
    let folder = federation.path("clone");
    copy(&federation.path("GE"), &folder);
    let mut command = super::federation::program();
    command.arg("--config").arg(folder.join("shieldwall.toml"));
    command.env("SHIELDWALL_LISTEN", format!("/ip4/127.0.0.1/tcp/{}", free_port()));
    let begun = now();
    let output = command.arg("run").output().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "the clone ran: {said}");
    assert!(said.contains("belongs to another machine or directory"), "{said}");
    assert!(said.contains("open the member's next log"), "{said}");
    // Without its guard it runs, and logs nothing.
    fs::remove_dir_all(folder.join("data/guard")).unwrap();
    let clone = federation.spawn_at(&folder, "clone");
    wait_for("the clone", || std::os::unix::net::UnixStream::connect(folder.join("data/shieldwall.sock")).is_ok());
    let file = federation.path("more.csv");
    fs::write(&file, table(5_000..5_003)).unwrap();
    let mut import = super::federation::program();
    let output = import.arg("--config").arg(folder.join("shieldwall.toml")).arg("import").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("not signed any more"), "{said}");
    clone.kill();
    // The original has not noticed.
    log(federation, many..2 * many);
    let ledger = federation.converge();
    sound(federation);
    drop(nodes);
    Recovered { statements: statements(&ledger), behind: 0, seconds, log: "GE".into(), readable: (2 * many, 2 * many) }
}

/// The disk is lost, with the key of the log; all of the ledger comes from the others.
pub(super) fn lost_disk(federation: &Federation, many: usize) -> Recovered {
    let mut nodes = federation.start_all();
    log(federation, 0..2 * many);
    let before = federation.converge();
    nodes.remove(0).kill();
    fs::remove_dir_all(federation.path("GE/data")).unwrap();
    fs::remove_file(federation.path("GE/keys/log-GE.pem")).unwrap();
    let begun = now();
    let restored = federation.json("GE", &["restore", "--from-peers", "--timeout", "60"]).expect("it is rebuilt");
    assert!(restored["equal"] == true && restored["agreed"].as_array().unwrap().len() == 2, "{restored}");
    let root =
        |logs: &Value| logs["logs"].as_array().unwrap().iter().find(|log| log["log"] == "GE").unwrap()["root"].clone();
    assert_eq!(root(&restored), root(&before), "statement by statement");
    nodes.insert(0, federation.start("GE"));
    refused(federation, "GE", "not signed any more");
    // The lanes were on the disk: nothing of its own opens again without a backup.
    go_on_in_the_next_log(federation, &mut nodes, begun, 2 * many, 0)
}

/// The machine is lost with everything on it; a backup is put back on another one, and the root is fetched from its safe place.
pub(super) fn lost_machine(federation: &Federation, many: usize) -> Recovered {
    let mut nodes = federation.start_all();
    let backup = work_and_back_up(federation, many);
    nodes.remove(0).kill();
    let safe = federation.path("safe");
    fs::rename(federation.path("GE"), &safe).unwrap();
    let backup = safe.join("backups").join(backup.file_name().unwrap());
    let begun = now();
    success(federation.command("GE").args(["backup", "restore"]).arg(backup));
    nodes.insert(0, federation.start("GE"));
    // Either because the key is not there, or because the others have told meanwhile that they hold more.
    refused(federation, "GE", "not signed any more");
    for key in ["root.pem", "next-root.pem"] {
        fs::copy(safe.join("keys").join(key), federation.path("GE/keys").join(key)).unwrap();
    }
    let recovered = go_on_in_the_next_log(federation, &mut nodes, begun, many, 2 * many);
    // What was declared before the accident is not declared again.
    let again = federation.json("GE", &["import", federation.path("records.csv").to_str().unwrap()]).unwrap();
    assert_eq!(again["logged"].as_array().map(Vec::len), Some(0), "{again}");
    recovered
}

/// Records, a backup while the node works, and as many records again; gives the backup.
fn work_and_back_up(federation: &Federation, many: usize) -> PathBuf {
    log(federation, 0..many);
    federation.converge();
    let made = federation.json("GE", &["backup", "create"]).expect("a backup");
    log(federation, many..2 * many);
    federation.converge();
    PathBuf::from(made["path"].as_str().unwrap())
}

fn log(federation: &Federation, numbers: std::ops::Range<usize>) {
    let file = federation.path("records.csv");
    fs::write(&file, table(numbers)).unwrap();
    success(federation.command("GE").arg("import").arg(&file));
}

/// An officer tries to log something, and is told why not.
fn refused(federation: &Federation, member: &str, why: &str) {
    let file = federation.path("refused.csv");
    fs::write(&file, table(7_000..7_002)).unwrap();
    let output = federation.command(member).args(["--timeout", "60"]).arg("import").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(why), "{said}");
    let status = federation.command(member).arg("status").output().unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("READ ONLY") && status.contains("log open --charter next.cose"), "{status}");
}

/// The operator does what `status` says; the member logs again, and everybody holds the same.
fn go_on_in_the_next_log(
    federation: &Federation,
    nodes: &mut Vec<Node>,
    begun: Instant,
    behind: usize,
    readable: usize,
) -> Recovered {
    wait_for("the same ledger at all", || {
        let frontiers: Vec<_> = MEMBERS
            .iter()
            .filter_map(|member| federation.ledger(member))
            .map(|ledger| ledger["frontier"].clone())
            .collect();
        frontiers.len() == MEMBERS.len() && frontiers.iter().all(|frontier| *frontier == frontiers[0])
    });
    let seconds = begun.elapsed().as_secs_f64();
    let file = federation.path("next.cose");
    let step = |args: &[&str]| {
        success(federation.command("GE").args(args).arg("--no-input"));
    };
    let name = file.to_str().unwrap();
    step(&["charter", "export", "--out", name]);
    step(&["log", "open", "--charter", name]);
    step(&["charter", "publish", name]);
    nodes.remove(0).kill();
    nodes.insert(0, federation.start("GE"));
    let opens = || federation.records("GE", "GE").into_iter().filter(|(_, ucr)| ucr.is_some()).count();
    wait_for("its own records", || opens() >= readable);
    let file = federation.path("later.csv");
    fs::write(&file, table(8_000..8_005)).unwrap();
    success(federation.command("GE").args(["--timeout", "60"]).arg("import").arg(&file));
    let ledger = federation.converge();
    let next =
        ledger["logs"].as_array().unwrap().iter().find(|log| log["log"] == "GE.2").expect("the next log").clone();
    assert!(next["size"].as_u64().unwrap() >= 6, "{next}");
    sound(federation);
    Recovered {
        statements: statements(&ledger),
        behind: behind as u64,
        seconds,
        log: "GE.2".into(),
        readable: (opens(), readable),
    }
}

fn statements(ledger: &Value) -> u64 {
    ledger["logs"].as_array().unwrap().iter().filter_map(|log| log["size"].as_u64()).sum()
}

/// Nobody has seen two histories of anything.
fn sound(federation: &Federation) {
    for member in MEMBERS {
        // An acknowledgement may have come a moment ago, and is checked now.
        wait_for(&format!("a sound ledger at {member}"), || federation.is_sound(member));
        assert!(!federation.log(member).contains("two signed histories"), "{member}");
    }
}

/// Copies a folder with its rights. What vanishes meanwhile, because a node works in it, is left out.
pub(super) fn copy(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            match fs::copy(entry.path(), &target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }
}
