//! `docs/approvals.md` as a test: several persons at one real node, each a user of their own; and the ways around that lead nowhere.
//!
//! To be several users takes root, and then needs no names in the list of users: the page's persons are numbers that nobody has, and are put
//! back into what is printed. Ids are those of the page by turns, because they depend on keys.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use super::federation::{Federation, Node, path_of_program};
use super::page::{self, Player};
use super::{success, wait_for};

const PAGE: &str = "docs/approvals.md";
/// The persons of the page, the users of the system that they are, and the numbers that the page has for these.
const PERSONS: [(&str, &str, &str); 4] = [
    ("anton", "61001", "10001"),
    ("berta", "61002", "10002"),
    ("chris", "61003", "10003"),
    ("doris", "61004", "10004"),
];
/// The ids of the page in the order in which requests are made.
const IDS: [&str; 3] =
    ["5f0c1ab2d1c2e3f4a5b6c7d8e9f0a1b2", "7d1e0b2c4f6a8b9c0d1e2f3a4b5c6d7e", "90ab12cd34ef56a7b8c9d0e1f2a3b4c5"];
/// A group that every system has.
const GROUP: (&str, &str) = ("users", "shieldwall-desk");

const WRONG: &str = r#"{"kind": "export-notification", "ucr": "6GE204567890-EYES", "export_country": "GE", "destination": "TR",
    "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Samsun Sample Fertilisers"}, "mode": 3,
    "goods": [{"substance": "urea", "hs6": "310210", "net": {"value": "240", "unit": "TNE"}}]}"#;

#[test]
fn the_page_of_four_eyes_says_what_a_node_does() {
    let Some(mut desk) = Desk::new() else { return };
    let written = page::play(&mut desk, &page::read(PAGE));
    drop(desk);
    page::compare(PAGE, &written);
}

/// What somebody agrees to is judged when it is carried out: what the federation has gone past meanwhile is refused as it always was.
#[test]
fn what_fits_no_more_is_refused_and_is_over() {
    let Some(mut desk) = Desk::new() else { return };
    for (name, text) in blocks(&page::read(PAGE)) {
        desk.file(&name, &text.replace("records = true", "records = false").replace("persons = 2", "persons = 3"));
    }
    assert_eq!(desk.run("anton", "shieldwall --quiet charter publish v2.cose")[0], "? 15");
    let id = IDS[0];
    let agree = format!("shieldwall --quiet --yes approval approve {id}");
    // Three persons: berta alone is not enough, nor is she twice.
    let said = desk.run("berta", &agree);
    assert!(said[0] == "? 15" && said.iter().any(|line| line == "who may agree: chris"), "{said:?}");
    assert_eq!(desk.run("berta", &agree)[0], "? 14");
    // Meanwhile another member has published that version and the one after it.
    let federation = &desk.federation;
    let (v2, v3) = (federation.path("v2.cose"), federation.path("v3.cose"));
    let propose = ["charter", "propose", "--name", "Loopback, once more", "--charter"];
    success(federation.command("TR").args(propose).arg(&v2).arg("--out").arg(&v3));
    for member in &federation.members {
        success(federation.command(member).args(["charter", "sign", "--no-input"]).arg(&v3));
    }
    success(federation.command("TR").args(["charter", "publish"]).arg(&v3));
    wait_for("GE to go by version 3, which nobody had to agree to here", || {
        desk.run("chris", "shieldwall status --json").concat().contains("\"charter_version\":3")
    });
    let said = desk.run("chris", &agree);
    assert_eq!(said, ["? 20", "error: charter version 2 is older than version 3, which this node holds"]);
    let said = desk.run("anton", "shieldwall approval list --all --json").concat();
    let list: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(list[0]["stands"], "failed", "{list}");
    assert_eq!(list[0]["closed"]["note"], "charter version 2 is older than version 3, which this node holds");
    let agreed: Vec<&str> =
        list[0]["agreed"].as_array().unwrap().iter().map(|one| one["by"].as_str().unwrap()).collect();
    assert_eq!(agreed, ["berta", "chris"]);
    // To ask for it again is told at once.
    assert_eq!(desk.run("anton", "shieldwall --quiet charter publish v2.cose")[0], "? 20");
    // Records need nobody here.
    let said = desk.run("doris", "shieldwall --quiet submit record.json");
    assert!(said.last().unwrap().starts_with("GE-"), "{said:?}");
}

/// The configs of the page.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut lines = page.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("```toml ") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push((name.to_owned(), text));
        }
    }
    blocks
}

/// One person alone: neither the files nor a restart nor the node's own user lead past the second.
#[test]
fn no_way_around_a_second_person_leads_through_the_files() {
    let federation = Federation::of(&["GE", "TR"]);
    next_charter(&federation, "v2.cose", "Loopback, renamed");
    let v2 = federation.path("v2.cose");
    let v2 = v2.to_str().unwrap();
    // Who runs the test is on the list, and is the one who asks.
    let own = own_uid().to_string();
    let among = [("SHIELDWALL_APPROVALS_USERS", "61002"), ("SHIELDWALL_APPROVALS_CHARTERS", "true")];
    let alone = [("SHIELDWALL_APPROVALS_USERS", own.as_str()), ("SHIELDWALL_APPROVALS_CHARTERS", "true")];
    let run = |args: &[&str]| -> (Option<i32>, String) {
        let output = federation.command("GE").args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let version = || federation.json("GE", &["status"]).map(|status| status["charter_version"].as_u64().unwrap());
    let start = |more: &[(&str, &str)]| {
        let node = federation.spawn_with("GE", more);
        wait_for("the node of GE", || federation.is_up("GE"));
        node
    };

    let node = start(&alone);
    let (code, said) = run(&["--yes", "charter", "publish", v2]);
    assert!(code == Some(15) && said.contains("nothing is done yet: charter version 2"), "{code:?} {said}");
    let waiting = federation.json("GE", &["approval"]).unwrap();
    let id = waiting[0]["id"].as_str().unwrap().to_owned();
    let (code, said) = run(&["--yes", "approval", "approve", &id]);
    assert!(code == Some(14) && said.contains("asked for it yourself"), "{code:?} {said}");
    assert_eq!(version(), Some(1));
    assert_eq!(federation.json("GE", &["status"]).unwrap()["approvals"], 1);
    assert!(run(&["--yes", "approval", "approve", &id[..12]]).0 == Some(2), "a part of an id is looked at, or refused");
    node.kill();

    // A stopped node takes nothing up.
    assert_eq!(run(&["charter", "publish", v2]).0, Some(13));
    assert_eq!(run(&["--yes", "approval", "approve", &id]).0, Some(13));
    // Nor does it at its next start, from the file from which it started first.
    let charter = federation.path("charter.cose");
    let first = fs::read(&charter).unwrap();
    fs::copy(v2, &charter).unwrap();
    let node = start(&among);
    assert_eq!(version(), Some(1));
    wait_for("GE to say so", || federation.log("GE").contains("is not taken up"));
    assert_eq!(federation.json("GE", &["approval"]).unwrap()[0]["id"], id.as_str(), "it waits still");
    assert_eq!(run(&["--yes", "approval", "approve", &id]).0, Some(14), "the author");
    node.kill();
    // What is left is to say in the config that nobody is needed, and that is written down.
    let node = start(&[("SHIELDWALL_APPROVALS_CHARTERS", "false")]);
    assert_eq!(version(), Some(2));
    node.kill();
    fs::write(&charter, first).unwrap();
    let entries = federation.json("GE", &["audit", "list", "--last", "0"]).unwrap();
    let of = |act: &str| -> Vec<serde_json::Value> {
        entries.as_array().unwrap().iter().filter(|entry| entry["act"] == act).cloned().collect()
    };
    let changes: Vec<String> =
        of("approvals-changed").iter().map(|entry| entry["note"].as_str().unwrap().to_owned()).collect();
    assert!(
        changes.last().unwrap().starts_with("nothing needs a second person; before: charters need 2"),
        "{changes:?}"
    );
    let outcomes: Vec<_> = of("charter-publish").iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes, ["asked", "waiting"]);
    let refused = of("approval-approve");
    assert!(refused.iter().any(|entry| entry["outcome"] == "refused" && entry["note"].as_str().unwrap().contains(&id)));
}

/// Draws up the next version of the charter, signed by every member.
fn next_charter(federation: &Federation, file: &str, name: &str) {
    let out = federation.path(file);
    let propose = ["charter", "propose", "--name", name, "--charter"];
    success(federation.command("GE").args(propose).arg(federation.path("charter.cose")).arg("--out").arg(&out));
    for member in &federation.members {
        success(federation.command(member).args(["charter", "sign", "--no-input"]).arg(&out));
    }
}

fn own_uid() -> u32 {
    tempfile::NamedTempFile::new().unwrap().as_file().metadata().unwrap().uid()
}

/// A node, and a folder that every user may enter.
struct Desk {
    federation: Federation,
    _turkey: Node,
    node: Option<Node>,
    folder: tempfile::TempDir,
    /// What the node is started with, as the page has it.
    settings: Vec<(String, String)>,
    /// The ids that were seen, in order.
    ids: Vec<String>,
}

impl Desk {
    /// `None`, with the reason, where one cannot be several users.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Who has logged in stays the same person, whatever user they become.
        let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|uid| uid.trim().parse().ok());
        if let Some(login) = login.filter(|login: &u32| *login != u32::MAX) {
            eprintln!(
                "left out: the system knows that user {login} has logged in, and takes all of this for one person"
            );
            return None;
        }
        let other = as_user("61001", folder.path()).arg(path_of_program()).arg("--version").output();
        if own_uid() != 0 || !other.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("left out: to be several users takes root, setpriv, and a program that all may read: {other:?}");
            return None;
        }
        let federation = Federation::of(&["GE", "TR"]);
        let turkey = federation.start("TR");
        next_charter(&federation, "v2.cose", "Loopback, renamed");
        let desk = folder.path().join("desk");
        fs::create_dir(&desk).unwrap();
        fs::copy(federation.path("v2.cose"), desk.join("v2.cose")).unwrap();
        fs::write(desk.join("record.json"), WRONG).unwrap();
        fs::write(desk.join("right.json"), WRONG.replace("\"240\"", "\"24\"")).unwrap();
        for file in fs::read_dir(&desk).unwrap() {
            fs::set_permissions(file.unwrap().path(), fs::Permissions::from_mode(0o644)).unwrap();
        }
        Some(Self { federation, _turkey: turkey, node: None, folder, settings: Vec::new(), ids: Vec::new() })
    }

    fn start(&mut self) {
        drop(self.node.take());
        let settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.node = Some(self.federation.spawn_with("GE", &settings));
        let socket = self.folder.path().join("run/node.sock");
        wait_for("the node of GE", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        wait_for("GE to log, and TR to be there", || {
            let output = self.node_shell("shieldwall status --json").output().unwrap();
            let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            status["read_only"].is_null() && status["peers_connected"] == 1
        });
    }

    /// A shell of the node's own user.
    fn node_shell(&self, command: &str) -> Command {
        let mut shell = page::shell(&self.federation.path("GE"), command);
        shell.env("SHIELDWALL_CONFIG", self.federation.config("GE"));
        shell.env("SHIELDWALL_SOCKET", self.folder.path().join("run/node.sock"));
        shell
    }

    /// A text of the page with the numbers, names and places of this machine.
    fn on_system(&self, text: &str) -> String {
        let mut text = text.replace("/run/shieldwall", self.folder.path().join("run").to_str().unwrap());
        for (name, uid, _) in PERSONS {
            text = text.replace(name, uid);
        }
        for (page, id) in IDS.iter().zip(&self.ids) {
            // As much of it as the page types.
            let typed = (8..=32).rev().find(|length| text.contains(&page[..*length]));
            if let Some(length) = typed {
                text = text.replace(&page[..length], &id[..length]);
            }
        }
        text.replace(GROUP.1, GROUP.0)
    }

    /// A text of this machine with the names and ids of the page.
    fn on_page(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, uid, page) in PERSONS {
            text = text.replace(&format!("uid {uid}"), &format!("uid {page}")).replace(uid, name);
        }
        let is_id = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seen: Vec<String> =
            text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_id).map(str::to_owned).collect();
        for id in seen {
            if !self.ids.contains(&id) {
                self.ids.push(id);
            }
        }
        for (page, id) in IDS.iter().zip(&self.ids) {
            text = text.replace(id, page);
        }
        text
    }
}

impl Player for Desk {
    const DESKS: &'static [&'static str] = &["node", PERSONS[0].0, PERSONS[1].0, PERSONS[2].0, PERSONS[3].0];

    /// Takes a config of the page: the node's as what overrides its own, the desk's as a file.
    fn file(&mut self, name: &str, text: &str) {
        let text = self.on_system(text);
        if name == "desk.toml" {
            let file = self.folder.path().join("desk").join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
            return;
        }
        let table: toml::Table = text.parse().unwrap();
        self.settings = flat("SHIELDWALL", &table);
        self.start();
    }

    fn run(&mut self, who: &'static str, command: &str) -> Vec<String> {
        if command == "systemctl restart shieldwall" {
            self.start();
            return Vec::new();
        }
        let command = self.on_system(command);
        let mut shell = match PERSONS.iter().find(|(name, _, _)| *name == who) {
            Some((_, uid, _)) => {
                let mut shell = as_user(uid, &self.folder.path().join("desk"));
                shell.args(["sh", "-c", &format!("exec 2>&1\n{command}")]).env("PATH", page::search_path());
                shell.env("SHIELDWALL_CONFIG", "desk.toml");
                shell
            }
            None => self.node_shell(&command),
        };
        let output = shell.output().unwrap();
        page::printed(&output, |text| self.on_page(text))
    }
}

/// A command of another user, in a folder.
fn as_user(uid: &str, folder: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", uid, "--regid", GROUP.0, "--clear-groups"]).current_dir(folder).env_clear();
    command.stdin(std::process::Stdio::null());
    command
}

/// A config as environment variables.
fn flat(start: &str, table: &toml::Table) -> Vec<(String, String)> {
    let mut all = BTreeMap::new();
    for (name, value) in table {
        let name = format!("{start}_{}", name.to_ascii_uppercase());
        match value {
            toml::Value::Table(inner) => all.extend(flat(&name, inner)),
            toml::Value::Array(items) => {
                let items: Vec<&str> = items.iter().map(|item| item.as_str().unwrap()).collect();
                all.insert(name, items.join(","));
            }
            toml::Value::String(text) => drop(all.insert(name, text.clone())),
            toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => {
                drop(all.insert(name, value.to_string()));
            }
        }
    }
    all.into_iter().collect()
}
