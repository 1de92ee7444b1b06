//! Each check with facts that are well, and with facts that are not; the page that explains them.

use serde_json::{Value, json};

use super::facts::{Charter, Facts, Keys, Newest, Running};
use super::finding::{Finding, Level};
use super::{ASKED, CONFIG, HERE, examine, text};
use crate::cli::fixture::{at, ledger, status_with};
use crate::identity::MemberStatus;
use crate::node::ask::PeerView;
use crate::node::keys::KeyName;

fn peer(name: &str, connected: bool) -> PeerView {
    serde_json::from_value(json!({
        "member": name, "name": name, "connected": connected, "addresses": [], "frontier": null, "in_step": true,
    }))
    .unwrap()
}

fn running(change: impl FnOnce(&mut Value)) -> Running {
    Running {
        status: status_with(change),
        ledger: ledger(&[("GE", -5), ("MZ", -700), ("TR", -9)]),
        peers: vec![peer("MZ", true), peer("TR", true)],
    }
}

/// A node with which nothing is wrong.
fn well() -> Facts {
    Facts {
        now: at(0),
        member: "GE".parse().unwrap(),
        data_dir: "data".into(),
        config_path: "shieldwall.toml".into(),
        insecure_dev_keys: false,
        heartbeat_s: 600,
        free_min: 256 << 20,
        backup_dir: "backups".into(),
        apart: false,
        too_few: None,
        keys: Keys { folder: "keys".into(), ..Keys::default() },
        charter: Ok(Charter {
            version: 3,
            status: Some(MemberStatus::Active),
            own_log: Some("GE".parse().unwrap()),
            sealed_until: Some(at(200 * 86_400)),
            last_epoch: Some(12),
            others: vec!["MZ".parse().unwrap(), "TR".parse().unwrap()],
        }),
        node: Ok(running(|_| {})),
        backup: Ok(Some(Newest { name: "b1".into(), at: at(-3600), damage: Vec::new() })),
        space: Some((50 << 30, 100 << 30)),
    }
}

/// What one check says of `facts`.
fn finding(facts: &Facts, id: &str) -> Finding {
    let found = examine(facts).into_iter().filter(|finding| finding.id == id).collect::<Vec<_>>();
    assert_eq!(found.len(), 1, "{id}");
    found.into_iter().next().unwrap()
}

#[track_caller]
fn expect(facts: &Facts, id: &str, level: Level, says: &str) {
    let finding = finding(facts, id);
    assert!(finding.level == level && finding.text.contains(says), "{finding:?}");
    assert_eq!(
        finding.fix.is_some(),
        level >= Level::Warn,
        "what is not well has a command that mends it: {finding:?}"
    );
    // Nothing else is blamed for it.
    let others = examine(facts).into_iter().filter(|other| other.id != id && other.level >= Level::Warn);
    assert_eq!(others.map(|other| other.id).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_sound_node_passes_every_check() {
    let findings = examine(&well());
    assert!(findings.iter().all(|finding| finding.level == Level::Pass), "{findings:?}");
    assert_eq!(findings.len(), HERE.len() + ASKED.len() + 1);
    let shown = text(&findings, "the summary");
    assert!(shown.starts_with("PASS D001 the config is valid (shieldwall.toml)\n") && shown.ends_with("the summary"));
    assert!(!shown.contains("fix:"), "{shown}");
}

#[test]
fn what_a_node_starts_from_is_looked_at() {
    let mut facts = well();
    facts.keys.faults = vec!["keys/transport.pem is open to others".into(), "there is no keys/seal-0001.pem".into()];
    expect(&facts, "D002", Level::Fail, "transport.pem is open to others; and 1 more in keys");
    expect(&Facts { insecure_dev_keys: true, ..well() }, "D003", Level::Warn, "insecure_dev_keys");
    let mut facts = well();
    facts.keys.roots = vec![KeyName::Root, KeyName::NextRoot];
    expect(&facts, "D004", Level::Warn, "root and next-root in keys");
    let charter = |change: fn(&mut Charter)| {
        let mut facts = well();
        change(facts.charter.as_mut().unwrap());
        facts
    };
    expect(
        &charter(|charter| charter.status = Some(MemberStatus::Suspended)),
        "D010",
        Level::Fail,
        "version 3 of the charter suspends GE",
    );
    expect(&charter(|charter| charter.status = Some(MemberStatus::Removed)), "D010", Level::Fail, "has removed GE");
    expect(&charter(|charter| charter.status = None), "D010", Level::Fail, "does not name GE");
    expect(&charter(|charter| charter.own_log = None), "D011", Level::Fail, "every log of this member is closed");
    expect(&charter(|charter| charter.sealed_until = Some(at(-1))), "D012", Level::Fail, "the last seal key was for");
    expect(&charter(|charter| charter.sealed_until = Some(at(30 * 86_400))), "D012", Level::Warn, "30 days from now");
    expect(&charter(|charter| charter.last_epoch = None), "D012", Level::Fail, "no seal key");
    let fix = finding(&charter(|charter| charter.sealed_until = Some(at(86_400))), "D012").fix.unwrap();
    assert!(fix.contains("--seal-until 24"), "{fix}");
    let none = Facts { charter: Err("there is no charter.cose".into()), ..well() };
    assert_eq!(finding(&none, "D010").level, Level::Fail);
    assert_eq!(finding(&none, "D012").level, Level::Unknown, "nothing is guessed");
}

#[test]
fn a_node_that_does_not_run_leaves_unknown_what_only_it_knows() {
    let facts = Facts { node: Err("no node answers on data/shieldwall.sock".into()), ..well() };
    expect(&facts, "D020", Level::Fail, "no node answers");
    for (check, _) in ASKED {
        let finding = finding(&facts, check.id);
        assert!(
            finding.level == Level::Unknown && finding.text.ends_with("unknown, the node does not run"),
            "{finding:?}"
        );
    }
}

#[test]
fn a_running_node_is_asked() {
    let with = |change: fn(&mut Value)| Facts { node: Ok(running(change)), ..well() };
    let standing = with(|status| status["standing"] = json!("GE is suspended by version 3 of the charter"));
    expect(&standing, "D021", Level::Fail, "nothing is logged");
    let ended = with(|status| {
        status["read_only"] = json!("log GE is not signed any more: its guard is lost");
        status["next_log"] = json!(true);
    });
    expect(&ended, "D021", Level::Fail, "its guard is lost");
    expect(&with(|status| status["read_only"] = json!("asking peers")), "D021", Level::Warn, "asking peers");
    expect(&with(|status| status["load"]["network_up"] = json!(false)), "D023", Level::Fail, "ended by itself");
    expect(&with(|status| status["load"]["barred"] = json!(["TR"])), "D023", Level::Warn, "TR");
    let untold = with(|status| {
        status["work"]["told"] = json!({ "mailed": 5, "posted": 0, "dropped": 2, "undelivered": 1 });
    });
    expect(&untold, "D026", Level::Fail, "3 mails or webhook events");
    expect(&with(|status| status["approvals"] = json!(2)), "D027", Level::Warn, "2 requests wait");
    let waits = |apart| {
        let status = with(|status| {
            status["read_only"] = json!("nothing is signed since noon");
            status["signer_away_since"] = json!("2026-11-27T12:00:00Z");
        });
        Facts { apart, ..status }
    };
    expect(&waits(true), "D021", Level::Fail, "nothing is signed");
    assert!(finding(&waits(true), "D021").fix.unwrap().contains("systemctl start shieldwall-signer"));
    assert!(finding(&waits(false), "D021").fix.unwrap().contains("the token"), "it is the node's own disk or token");
    let alone = Facts { too_few: Some((0, 2)), ..well() };
    expect(&alone, "D027", Level::Warn, "0 of those who may agree are known to this machine, of 2 persons");
    expect(&with(|status| status["statements_flagged"] = json!(1)), "D030", Level::Warn, "1 statements are flagged");
    let busy = with(|status| status["statements_verified"] = json!(5));
    assert!(finding(&busy, "D030").text.contains("2 of 7 are being checked"));
    expect(
        &with(|status| status["equivocations"] = json!(["TR"])),
        "D031",
        Level::Fail,
        "two histories were signed of TR",
    );
    let split = json!([{ "manifest": null, "version": 3, "rivals": [], "held": null, "settled": false }]);
    let mut node = running(|_| {});
    node.status.splits = serde_json::from_value(split).unwrap();
    expect(&Facts { node: Ok(node), ..well() }, "D032", Level::Fail, "two charters of version 3");
    expect(&with(|status| status["bodies_missing"] = json!(4)), "D033", Level::Warn, "4 bodies");
    expect(&with(|status| status["lanes_differing"] = json!(["TR-0"])), "D034", Level::Warn, "the author of TR-0");
    expect(
        &with(|status| status["scrub"]["damaged"] = json!(["a", "b"])),
        "D041",
        Level::Fail,
        "2 frames are damaged, the first a",
    );
    expect(&with(|status| status["audit"]["failed"] = json!("no space left")), "D043", Level::Fail, "no space left");
    expect(
        &with(|status| status["audit"]["anchor_holds"] = json!(false)),
        "D043",
        Level::Fail,
        "not the one that was anchored",
    );
}

#[test]
fn the_others_are_looked_at() {
    let with = |peers: Vec<PeerView>, logs: &[(&str, i64)]| {
        let mut node = running(|_| {});
        node.peers = peers;
        if !logs.is_empty() {
            node.ledger = ledger(logs);
        }
        Facts { node: Ok(node), ..well() }
    };
    let both = || vec![peer("MZ", true), peer("TR", true)];
    expect(&with(vec![peer("MZ", false), peer("TR", true)], &[]), "D022", Level::Warn, "1 of 2 connected; away: MZ");
    expect(&with(vec![peer("MZ", false)], &[]), "D022", Level::Fail, "no other member is connected");
    let silent = with(both(), &[("MZ", -1801), ("TR", -1800)]);
    expect(&silent, "D025", Level::Warn, "nothing new for more than 1800 s, last: MZ 2");
    expect(&with(both(), &[("TR", 0)]), "D025", Level::Warn, "MZ never");
    // A newer log of the same member is a sign of life too.
    let next = with(both(), &[("MZ", -90_000), ("MZ.2", -5), ("TR", 0)]);
    assert_eq!(finding(&next, "D025").level, Level::Pass);
    expect(&with(both(), &[("MZ", 121), ("TR", 0)]), "D024", Level::Warn, "MZ has signed 121 s after");
    expect(&with(both(), &[("MZ", 121), ("TR", 300)]), "D024", Level::Fail, "2 members");
}

#[test]
fn room_and_backups_are_looked_at() {
    let space = |free: u64, all: u64| Facts { space: Some((free << 20, all << 20)), ..well() };
    expect(&space(255, 100_000), "D040", Level::Fail, "255 MiB are free");
    expect(&space(1_023, 5_000), "D040", Level::Warn, "below 256 MiB");
    expect(&space(9_000, 100_000), "D040", Level::Warn, "9000 MiB");
    assert_eq!(finding(&space(10_001, 100_000), "D040").level, Level::Pass);
    assert_eq!(finding(&Facts { space: None, ..well() }, "D040").level, Level::Unknown);
    let backup = |age: i64, damage: &[&str]| {
        let damage = damage.iter().map(|text| (*text).to_owned()).collect();
        Facts { backup: Ok(Some(Newest { name: "b1".into(), at: at(-age), damage })), ..well() }
    };
    expect(&backup(3 * 86_400, &[]), "D042", Level::Warn, "b1, is 3 days old");
    expect(&backup(8 * 86_400, &[]), "D042", Level::Fail, "8 days");
    expect(&backup(60, &["a frame"]), "D042", Level::Warn, "damaged");
    expect(&Facts { backup: Ok(None), ..well() }, "D042", Level::Fail, "no backup in backups");
    expect(&Facts { backup: Err("cannot read backups".into()), ..well() }, "D042", Level::Fail, "cannot read");
}

#[test]
fn the_page_has_a_section_for_each_check_and_no_other() {
    let page = include_str!("../../../docs/doctor.md");
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## D")).collect();
    let checks = examine(&well());
    assert_eq!(sections.len(), checks.len());
    for finding in &checks {
        let title = finding.text.split(" (").next().unwrap();
        let heading = format!("## {} {title}\n", finding.id);
        assert!(page.contains(&heading), "docs/doctor.md lacks `{}`", heading.trim());
    }
    assert!(checks.is_sorted_by(|a, b| a.id < b.id), "each number once");
    assert_eq!(checks[0].id, CONFIG.id);
}
