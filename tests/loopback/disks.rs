//! What disks do to a running node: an index that is gone, a data folder that is gone or used twice, no space, read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{Federation, declarations, success, wait_for};

/// More than the space below which a node stops writing, which is 16 MiB at least.
const SPACE_MIB: usize = 24;

#[test]
fn an_index_that_is_lost_or_spoilt_is_rebuilt_at_the_next_start() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    let table = federation.path("declarations.csv");
    declarations(&table, 60);
    success(federation.command("GE").arg("import").arg(&table));
    let before = federation.converge();
    let held = federation.records("GE", "GE");
    let index = federation.path("GE").join("data/index");
    for (round, harm) in [lose, cut, overwrite, take_its_place].into_iter().enumerate() {
        nodes.remove(0).kill();
        harm(&index);
        nodes.insert(0, federation.start("GE"));
        assert_eq!(federation.converge()["logs"][0]["root"], before["logs"][0]["root"]);
        assert_eq!(federation.records("GE", "GE"), held);
        let rebuilt = federation.log("GE").matches("rebuilt the index").count();
        assert!(rebuilt > round, "{}", federation.log("GE"));
        // What was logged is known as logged, though the marks were in the index.
        let output = success(federation.command("GE").arg("import").arg(&table).arg("--json"));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["already_logged"].as_array().map(Vec::len), Some(60), "{report}");
    }
}

fn lose(index: &Path) {
    fs::remove_dir_all(index).unwrap();
}

fn cut(index: &Path) {
    let file = fs::OpenOptions::new().write(true).open(index.join("db")).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

fn overwrite(index: &Path) {
    for entry in fs::read_dir(index).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let length = usize::try_from(path.metadata().unwrap().len()).unwrap();
            fs::write(&path, b"not an index ".repeat(length / 13 + 1)).unwrap();
        }
    }
}

fn take_its_place(index: &Path) {
    fs::remove_dir_all(index).unwrap();
    fs::write(index, b"a file where a folder was").unwrap();
}

#[test]
fn a_second_process_on_one_data_folder_is_refused() {
    let federation = Federation::of(&["GE", "TR"]);
    let _nodes = federation.start_all();
    federation.converge();
    // With the same config, and with a socket of its own.
    let elsewhere = federation.path("GE").join("second.toml");
    let config = fs::read_to_string(federation.config("GE")).unwrap();
    fs::write(&elsewhere, format!("socket = \"data/second.sock\"\n{config}")).unwrap();
    for config in [federation.config("GE"), elsewhere] {
        let output = super::program().arg("--config").arg(&config).arg("run").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(11), "{told}");
        assert!(told.contains("in use by another process"), "{told}");
    }
    let table = federation.path("declarations.csv");
    declarations(&table, 10);
    success(federation.command("GE").arg("import").arg(&table));
    assert_eq!(federation.converge()["logs"][0]["size"], 11);
}

#[test]
fn a_node_that_has_lost_all_its_data_reads_on_and_never_signs_again() {
    const RECORDS: usize = 40;
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let mut nodes = federation.start_all();
    let table = federation.path("declarations.csv");
    declarations(&table, RECORDS);
    success(federation.command("GE").arg("import").arg(&table));
    let before = federation.converge();
    nodes.remove(0).kill();
    fs::remove_dir_all(federation.path("GE").join("data")).unwrap();

    nodes.insert(0, federation.start("GE"));
    let georgia = |ledger: &serde_json::Value| {
        let logs = ledger["logs"].as_array().unwrap();
        logs.iter().find(|log| log["log"] == "GE").map(|log| (log["size"].clone(), log["root"].clone()))
    };
    wait_for("the old log, fetched from the others", || {
        federation.ledger("GE").is_some_and(|ledger| georgia(&ledger) == georgia(&before))
    });
    wait_for("the end of the old log", || {
        let status = federation.json("GE", &["status"]).unwrap_or_default();
        status["read_only"].as_str().is_some_and(|reason| reason.contains("not signed any more"))
    });
    let more = federation.path("more.csv");
    declarations(&more, RECORDS + 5);
    let output = federation.command("GE").arg("import").arg(&more).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("not signed any more"), "{told}");
    // Not after another start either, with what it has fetched on its disk.
    nodes.remove(0).kill();
    nodes.insert(0, federation.start("GE"));
    let output = federation.command("GE").arg("import").arg(&more).output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    for member in ["TR", "MZ"] {
        let ledger = federation.ledger(member).unwrap();
        assert_eq!(georgia(&ledger), georgia(&before), "{member}");
        assert!(federation.is_sound(member));
    }
    // It reads on: what others log still arrives.
    let size = |ledger: &serde_json::Value| ledger["frontier"].clone();
    wait_for("one frontier", || {
        let frontiers: Vec<_> = ["GE", "TR", "MZ"].iter().filter_map(|member| federation.ledger(member)).collect();
        frontiers.len() == 3 && frontiers.iter().all(|ledger| size(ledger) == size(&frontiers[0]))
    });
}

#[test]
fn a_full_disk_stops_writing_and_space_brings_it_back() {
    let Some((federation, volume)) = with_volume("tmpfs", &format!("size={SPACE_MIB}m")) else { return };
    let mut nodes = federation.start_all();
    let mut logged = import(&federation, 0..20);
    federation.converge();

    // Somebody else fills the disk: first to below the mark, then to the last byte.
    let balloon = volume.path.join("balloon");
    fs::write(&balloon, vec![0; (SPACE_MIB - 14) << 20]).unwrap();
    let told = refused_import(&federation);
    assert!(told.contains("too little free space"), "{told}");
    fill(&balloon);
    let told = refused_import(&federation);
    assert!(told.contains("too little free space"), "{told}");
    let status = federation.json("GE", &["status"]).expect("it can still be asked");
    assert_eq!(status["read_only"], "too little free space");
    assert_eq!(federation.records("GE", "GE").len(), logged + 1);
    // Killed on a full disk, it starts, is read, and writes nothing.
    nodes.remove(0).kill();
    nodes.insert(0, federation.start("GE"));
    assert_eq!(federation.records("GE", "GE").len(), logged + 1);
    refused_import(&federation);

    fs::remove_file(&balloon).unwrap();
    logged += import(&federation, 100..130);
    let ledger = federation.converge();
    assert_eq!(ledger["logs"][0]["size"], logged as u64 + 1);
}

#[test]
fn a_reader_with_a_full_disk_keeps_what_it_has_and_catches_up() {
    let Some((federation, volume)) = with_volume("tmpfs", &format!("size={SPACE_MIB}m")) else { return };
    // The volume is Georgia's; here Türkiye imports.
    let _nodes = federation.start_all();
    federation.converge();
    let balloon = volume.path.join("balloon");
    fs::write(&balloon, b"").unwrap();
    fill(&balloon);
    let table = federation.path("turkish.csv");
    fs::write(&table, super::federation::table(0..200).replace(",GE,TR,", ",TR,GE,").replace(",GE,MZ,", ",TR,GE,"))
        .unwrap();
    success(federation.command("TR").arg("import").arg(&table));
    thread::sleep(Duration::from_secs(3));
    assert!(federation.json("GE", &["status"]).is_some(), "it can still be asked: {}", federation.log("GE"));
    fs::remove_file(&balloon).unwrap();
    let ledger = federation.converge();
    assert!(ledger["logs"].as_array().unwrap().iter().any(|log| log["log"] == "TR" && log["size"] == 201), "{ledger}");
}

#[test]
fn a_volume_that_turns_read_only_ends_the_node_and_loses_nothing() {
    let Some((federation, volume)) = with_volume("ext4", "loop") else { return };
    let mut nodes = federation.start_all();
    let logged = import(&federation, 0..20);
    let before = federation.converge();
    // As after an error of the device: the running node's own files can no longer be written.
    volume.remount("abort");
    let told = refused_import(&federation);
    assert!(!told.contains("panicked"), "{told}");
    wait_for("the end of the node", || nodes[0].ended().is_some());
    let log = federation.log("GE");
    assert!(log.contains("storage failed") && !log.contains("panicked"), "{log}");
    // It does not start on a volume that cannot be written, and says why.
    let output = federation.command("GE").arg("run").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("Read-only file system"), "{:?} {told}", output.status);

    nodes.remove(0);
    volume.mount_again();
    nodes.insert(0, federation.start("GE"));
    let after = federation.converge();
    assert_eq!(after["logs"][0]["root"], before["logs"][0]["root"]);
    assert_eq!(federation.records("GE", "GE").len(), logged + 1);
    import(&federation, 100..110);
    federation.converge();
}

/// Imports the declarations with these numbers at Georgia; gives how many.
fn import(federation: &Federation, numbers: std::ops::Range<usize>) -> usize {
    let table = federation.path("declarations.csv");
    let count = numbers.len();
    fs::write(&table, super::federation::table(numbers)).unwrap();
    success(federation.command("GE").arg("import").arg(&table));
    count
}

/// Tries to import at Georgia what cannot be logged now; gives what the operator is told.
fn refused_import(federation: &Federation) -> String {
    let table = federation.path("refused.csv");
    fs::write(&table, super::federation::table(900..905)).unwrap();
    let output = federation.command("GE").args(["--timeout", "20"]).arg("import").arg(&table).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{told}");
    told
}

/// Fills the volume on which this file lies.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
    for size in [1 << 20, 4_096, 512, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// A volume of its own for Georgia's data folder. Unmounted when dropped.
struct Volume {
    path: PathBuf,
    kind: &'static str,
    options: String,
    image: PathBuf,
}

/// A federation whose first member has its data folder on such a volume; none where this user may not mount.
fn with_volume(kind: &'static str, options: &str) -> Option<(Federation, Volume)> {
    let mut volume = None;
    let federation = Federation::prepared(&["GE", "TR"], |federation| {
        let path = federation.path("GE").join("data");
        fs::create_dir_all(&path).unwrap();
        let new = Volume { path, kind, options: options.to_owned(), image: federation.path("image") };
        volume = new.make().then_some(new);
    });
    if volume.is_none() {
        eprintln!("skipped: this user may not mount a {kind} volume");
    }
    // In this order: a volume is unmounted before the folder of the federation is removed.
    volume.map(|volume| (federation, volume))
}

impl Volume {
    fn make(&self) -> bool {
        if self.kind == "ext4" {
            let file = fs::File::create(&self.image).unwrap();
            file.set_len(64 << 20).unwrap();
            if !Command::new("mkfs.ext4").arg("-q").arg(&self.image).status().is_ok_and(|status| status.success()) {
                return false;
            }
        }
        self.mount() && fs::set_permissions(&self.path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).is_ok()
    }

    fn mount(&self) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", self.kind, "-o", &self.options]).arg(&self.image).arg(&self.path);
        mount.output().is_ok_and(|output| output.status.success())
    }

    fn remount(&self, option: &str) {
        success(Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.path));
    }

    fn mount_again(&self) {
        success(Command::new("umount").arg(&self.path));
        assert!(self.mount());
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Lazily: a node of a test that failed may still use it.
        drop(Command::new("umount").arg("-l").arg(&self.path).output());
    }
}
