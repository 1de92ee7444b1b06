//! `docs/governance.md` as a test: a federation of real nodes changes who belongs to it, with the time until every node has acted.
//!
//! The page is played as [`page`] says. `systemctl start` and `restart` start the node of the desk. After a publication the test
//! waits until every node that shall has acted, and reads from the nodes' own logs when they did.

use std::collections::BTreeMap;
use std::fs;

use shieldwall::encoding::time::UnixTime;

use super::federation::{Federation, Node, declarations, table};
use super::page::{self, Player};
use super::wait_for;

const PAGE: &str = "docs/governance.md";
const FOUNDERS: [&str; 5] = ["GE", "TR", "MZ", "LB", "AZ"];
const ALL: [&str; 6] = ["GE", "TR", "MZ", "LB", "AZ", "KE"];

/// From the publication at one node to the last node that has acted on it. It is a fraction of a second where nothing else is to be done; machines that run tests are busy.
const WITHIN_S: f64 = 20.0;

#[test]
fn the_governance_page_says_what_the_nodes_do() {
    let federation = Federation::of(&FOUNDERS);
    federation.init_apart("KE");
    declarations(&federation.path("GE").join("declarations.csv"), 4);
    let of_mozambique = table(0..1).replace(",GE,", ",MZ,");
    fs::write(federation.path("MZ").join("declarations.csv"), of_mozambique).unwrap();
    fs::write(federation.path("GE").join("more.csv"), table(10..12)).unwrap();
    fs::write(federation.path("GE").join("later.csv"), table(12..15)).unwrap();
    fs::write(federation.path("GE").join("last.csv"), table(15..17)).unwrap();
    let mut desks = Desks { nodes: BTreeMap::new(), took: Vec::new(), federation };
    for member in FOUNDERS {
        desks.nodes.insert(member, desks.federation.start(member));
    }
    desks.federation.converge();
    let written = page::play(&mut desks, &page::read(PAGE));
    for (what, seconds) in &desks.took {
        eprintln!("{what}: {seconds:.3} s");
    }
    let slow: Vec<_> = desks.took.iter().filter(|(_, seconds)| *seconds > WITHIN_S).collect();
    page::compare(PAGE, &written);
    assert!(slow.is_empty(), "{slow:?}");
}

#[test]
fn who_is_not_admitted_or_is_told_a_wrong_digest_joins_nothing() {
    let federation = Federation::of(&["GE", "TR"]);
    federation.init_apart("KE");
    let _node = federation.start("GE");
    let (address, digest) = federation.address_and_digest("GE");
    let join = |digest: &str, address: &str, more: &[&str]| {
        let arguments = [&["join", "--charter", digest, "--address", address][..], more].concat();
        let output = federation.command("KE").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // No charter has it: the connection is closed before anything is read.
    let (code, said) = join(&digest, &address, &["--timeout", "30s"]);
    assert!(code == Some(1) && said.contains("closes the connection") || code == Some(124), "{code:?}: {said}");
    // Nobody is there.
    let nobody = address.replace(&federation.port("GE").to_string(), &super::federation::free_port().to_string());
    let (code, said) = join(&digest, &nobody, &["--timeout", "2s"]);
    assert_eq!(code, Some(124), "{said}");
    let (code, said) = join(&digest, "/ip4/127.0.0.1/tcp/4310", &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(!federation.path("KE").join("charter.cose").exists());

    // A member that is told another federation's digest.
    let other = "00".repeat(32);
    let output = federation.command("TR").args(["join", "--charter", &other, "--address", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(10), "it has a charter already");
    fs::rename(federation.path("charter.cose"), federation.path("elsewhere.cose")).unwrap();
    let output = federation.command("TR").args(["join", "--charter", &other, "--address", &address]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(20), "{said}");
    let right = ["join", "--charter", &digest, "--address", &address];
    super::success(federation.command("TR").args(right));
    let [came, was] = ["charter.cose", "elsewhere.cose"].map(|name| fs::read(federation.path(name)).unwrap());
    assert!(came == was, "the very bytes");
}

struct Desks {
    nodes: BTreeMap<&'static str, Node>,
    /// What was measured.
    took: Vec<(String, f64)>,
    federation: Federation,
}

impl Player for Desks {
    const DESKS: &'static [&'static str] = &ALL;

    fn file(&mut self, name: &str, _text: &str) {
        panic!("the page has a file {name}");
    }

    fn run(&mut self, member: &'static str, command: &str) -> Vec<String> {
        match command {
            "systemctl start shieldwall" | "systemctl restart shieldwall" => {
                if let Some(node) = self.nodes.remove(member) {
                    node.kill();
                }
                self.nodes.insert(member, self.federation.start(member));
                self.settle();
                Vec::new()
            }
            _ => {
                let before = self.logs();
                let said = shell(&self.federation, member, command);
                let done = said.first().is_none_or(|line| !line.starts_with("? "));
                // Who chooses does so for its own node.
                let is_told = command.starts_with("shieldwall charter publish") && !command.contains("--settle");
                if said.first().is_some_and(|line| line == "? 21") && command.contains(" publish ") {
                    self.alarmed(member, command, &before);
                }
                if done && is_told {
                    self.measure(member, command, &before);
                }
                if done && (command.contains(" import ") || command.contains(" publish ")) {
                    self.settle();
                }
                said
            }
        }
    }
}

impl Desks {
    fn logs(&self) -> BTreeMap<&'static str, usize> {
        ALL.iter().map(|member| (*member, self.federation.log(member).len())).collect()
    }

    /// Waits until every node that takes part has taken up what was published at one, and until whoever takes no part any more is cut
    /// everywhere; keeps how long that took after the publication.
    fn measure(&mut self, at: &'static str, command: &str, before: &BTreeMap<&'static str, usize>) {
        let federation = &self.federation;
        let news = |member: &str| federation.log(member)[before[member]..].to_owned();
        let taken_up = |member: &str| time_of(&news(member), "charter or manifests changed");
        let active = active(federation, at);
        let running = |member: &&&str| self.nodes.contains_key(**member);
        let members: Vec<&str> =
            ALL.iter().filter(running).copied().filter(|member| active.contains(&(*member).to_owned())).collect();
        let own_is_active = members.contains(&at);
        // Published at a member that takes no part, it tells nobody.
        let acting: Vec<&str> = if own_is_active { members.clone() } else { vec![at] };
        for member in &acting {
            wait_for(&format!("{command} at {member}"), || taken_up(member).is_some());
        }
        let start = taken_up(at).unwrap();
        let last = |times: Vec<f64>| times.into_iter().fold(start, f64::max) - start;
        let what = command.rsplit('/').next().unwrap_or_default().to_owned();
        self.took.push((
            format!("{what} taken up by {} nodes", acting.len()),
            last(acting.iter().filter_map(|member| taken_up(member)).collect()),
        ));
        if !own_is_active {
            return;
        }
        for gone in ALL.iter().filter(running).filter(|member| !active.contains(&(**member).to_owned())) {
            let cut = |member: &str| time_of(&news(member), &format!("disconnected member={gone}"));
            // Who was cut before is not cut again.
            if members.iter().all(|member| {
                !federation.log(member)[..before[member]].ends_with("\n")
                    || was_cut(federation, member, gone, before[member])
            }) {
                continue;
            }
            for member in &members {
                wait_for(&format!("{gone} is cut at {member}"), || cut(member).is_some());
            }
            self.took.push((
                format!("{what}: {gone} is cut at {} nodes", members.len()),
                last(members.iter().filter_map(|member| cut(member)).collect()),
            ));
        }
    }

    /// Waits until every node that takes part knows of two charters of one version.
    fn alarmed(&mut self, at: &'static str, command: &str, before: &BTreeMap<&'static str, usize>) {
        let federation = &self.federation;
        let active = active(federation, at);
        let members: Vec<&str> = ALL.iter().filter(|member| active.contains(&(**member).to_owned())).copied().collect();
        for member in &members {
            wait_for(&format!("the alarm at {member}"), || {
                said(federation, member, "status")["splits"].as_array().is_some_and(|splits| !splits.is_empty())
            });
        }
        let alarm = |member: &str| time_of(&federation.log(member)[before[member]..], "are properly signed");
        // Who is refused a later one was alarmed before.
        let Some(start) = alarm(at) else { return };
        let last = members.iter().filter_map(|member| alarm(member)).fold(start, f64::max) - start;
        let what = command.rsplit('/').next().unwrap_or_default();
        self.took.push((format!("{what}: two charters known to {} nodes", members.len()), last));
    }

    /// Waits until all that take part hold the same.
    fn settle(&self) {
        let active = active(&self.federation, "GE");
        let members: Vec<&str> = ALL
            .iter()
            .filter(|member| self.nodes.contains_key(**member) && active.contains(&(**member).to_owned()))
            .copied()
            .collect();
        wait_for("the same ledger everywhere", || {
            let all: Vec<_> = members.iter().map(|member| said(&self.federation, member, "status")).collect();
            all.len() == members.len()
                && all.iter().all(|status| status["frontier"] == all[0]["frontier"] && status["bodies_missing"] == 0)
                && all.iter().all(|status| status["peers_connected"] == members.len() - 1)
        });
    }
}

/// Whether the last that one node said of another before is that it is disconnected.
fn was_cut(federation: &Federation, member: &str, gone: &str, before: usize) -> bool {
    let log = federation.log(member);
    let log = &log[..before];
    let last = |what: &str| log.rfind(&format!("{what} member={gone}"));
    last(" connected") < last("disconnected")
}

/// The members that take part, as one node has it.
fn active(federation: &Federation, at: &str) -> Vec<String> {
    let shown = said(federation, at, "charter show");
    let members = shown["members"].as_object().unwrap();
    members.iter().filter(|(_, member)| member["status"] == "active").map(|(code, _)| code.clone()).collect()
}

/// What a command prints as JSON, whatever its exit code: that of an alarm is 21.
fn said(federation: &Federation, member: &str, command: &str) -> serde_json::Value {
    let output = federation.command(member).args(command.split(' ')).arg("--json").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// When a log first says something, in seconds since 1970.
fn time_of(log: &str, what: &str) -> Option<f64> {
    let plain = |line: &str| {
        // Colours, if there are any.
        let mut text = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            text += before;
            rest = after.split_once('m').map_or("", |(_, after)| after);
        }
        text + rest
    };
    let line = log.lines().map(plain).find(|line| line.contains(what))?;
    let stamp = line.split_whitespace().next()?;
    let (whole, fraction) = stamp.trim_end_matches('Z').split_once('.')?;
    let whole: UnixTime = format!("{whole}Z").parse().ok()?;
    #[allow(clippy::cast_precision_loss, reason = "seconds of this century")]
    Some(whole.seconds() as f64 + format!("0.{fraction}").parse::<f64>().ok()?)
}

/// What a command prints at one member.
fn shell(federation: &Federation, member: &str, command: &str) -> Vec<String> {
    let (address, digest) = federation.address_and_digest("LB");
    let mut shell = page::shell(&federation.path(member), command);
    shell.env("SHIELDWALL_CONFIG", federation.config(member));
    let output = shell.env("FEDERATION", digest).env("ADDRESS_OF_LB", address).output().unwrap();
    page::printed(&output, str::to_owned)
}
