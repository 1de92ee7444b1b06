//! `shieldwall metrics`.
//!
//! The text is made here and not by a library: it is a dozen lines, and every name and label comes from a fixed list, so that
//! nothing that a peer says can get into it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::context::{Context, unexpected};
use super::report::{Exit, Outcome};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::node::ask::{LedgerView, LoadView, Request, Response, StatusView, ToldView};
use crate::node::clock;

/// Prints the node's figures in the text form of Prometheus
///
/// For a collector that reads files or runs commands; there is no open port. Works on a stopped node's data folder too.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let Response::Status(status) = context.ask(&Request::Status)? else { return Err(unexpected()) };
    let Response::Ledger(ledger) = context.ask(&Request::Ledger)? else { return Err(unexpected()) };
    context.ui.result(&status, figures(&status, &ledger, clock::now()))?;
    Ok(Exit::Success)
}

/// The figures of a node.
pub(super) fn figures(status: &StatusView, ledger: &LedgerView, now: UnixTime) -> String {
    text(status, &ages(ledger, status.member, now))
}

/// How many seconds ago each other member signed its newest checkpoint; 0 for one that is ahead of this clock.
fn ages(ledger: &LedgerView, own: MemberCode, now: UnixTime) -> BTreeMap<MemberCode, u64> {
    let others = ledger.newest_checkpoints().into_iter().filter(|(member, _)| *member != own);
    others.map(|(member, at)| (member, u64::try_from(now.since(at)).unwrap_or(0))).collect()
}

fn text(status: &StatusView, ages: &BTreeMap<MemberCode, u64>) -> String {
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        let lines = samples.iter().map(|(labels, value)| format!("shieldwall_{name}{labels} {value}\n"));
        let lines: String = lines.collect();
        write!(text, "# HELP shieldwall_{name} {help}\n# TYPE shieldwall_{name} {kind}\n{lines}")
            .expect("writing to a string cannot fail");
    };
    let one = |value: u64| vec![(String::new(), value)];
    put("up", "gauge", "1 if the node runs", &one(status.running.into()));
    put("read_only", "gauge", "1 if nothing is logged at present", &one(status.read_only.is_some().into()));
    put("charter_version", "gauge", "Version of the charter", &one(status.charter_version));
    put("members", "gauge", "Active members", &one(status.members));
    put("peers_connected", "gauge", "Connected members", &one(status.peers_connected));
    let ages: Vec<(&str, u64)> = ages.iter().map(|(member, age)| (member.as_str(), *age)).collect();
    put("checkpoint_age_seconds", "gauge", "Since a member's newest checkpoint", &labelled("member", &ages));
    let states = [("verified", status.statements_verified), ("flagged", status.statements_flagged)];
    put("statements", "gauge", "Statements held, by outcome of the audit", &labelled("state", &states));
    put("statements_unaudited", "gauge", "Statements held and not audited yet", &one(status.unaudited));
    let states = [("opened", status.bodies_opened), ("missing", status.bodies_missing)];
    put("bodies", "gauge", "Bodies addressed to this node", &labelled("state", &states));
    put("records_waiting", "gauge", "Records that wait to be signed", &one(status.waiting));
    put("approvals_waiting", "gauge", "Requests that wait for a second person", &one(status.approvals));
    put("equivocations", "gauge", "Logs of which two histories were signed", &one(status.equivocations.len() as u64));
    put(
        "lanes_differing",
        "gauge",
        "Lanes of which the author has not shown that it committed to what is here",
        &one(status.lanes_differing.len() as u64),
    );
    let open = |manifest: bool| {
        status.splits.iter().filter(move |split| !split.settled && split.manifest.is_some() == manifest)
    };
    let open = [("charter", open(false).count() as u64), ("manifest", open(true).count() as u64)];
    put("splits", "gauge", "Versions that were signed twice, and are not settled", &labelled("what", &open));
    put(
        "active",
        "gauge",
        "1 if this member takes part, 0 if it is suspended or removed",
        &one(status.standing.is_none().into()),
    );
    if let Some(LoadView { network_up, network_crashes, barred, over_quota, memory_bytes, shed }) = &status.load {
        put("network_up", "gauge", "1 if the network runs", &one((*network_up).into()));
        put("network_crashes_total", "counter", "Times the network ended by itself", &one(*network_crashes));
        put("peers_barred", "gauge", "Members shut out for making it end", &one(barred.len() as u64));
        put("members_over_quota", "gauge", "Members over their statements per day", &one(over_quota.len() as u64));
        put("memory_bytes", "gauge", "Resident memory", &one(*memory_bytes));
        let shed: Vec<(&str, u64)> = shed.iter().map(|(what, count)| (what.as_str(), *count)).collect();
        put("shed_total", "counter", "What was turned away or put off", &labelled("what", &shed));
    }
    if let Some(work) = &status.work {
        put("consignments", "gauge", "Consignments known", &one(work.consignments));
        let [red, amber, info] = work.open;
        let open = [("red", red), ("amber", amber), ("info", info)];
        put("alerts_open", "gauge", "Cases of alerts that are open", &labelled("severity", &open));
        if let Some(ToldView { mailed, posted, dropped, undelivered }) = work.told {
            let told = [("mailed", mailed), ("posted", posted), ("dropped", dropped), ("undelivered", undelivered)];
            put("alerts_told_total", "counter", "What became of mails and webhook events", &labelled("outcome", &told));
        }
    }
    if let Some(audit) = &status.audit {
        put("audit_entries", "gauge", "Entries of the audit log", &one(audit.entries));
        if let Some(anchor) = audit.anchor {
            put("audit_anchored_entries", "gauge", "Entries when it was last anchored", &one(anchor.entries));
            let at = u64::try_from(anchor.at.seconds()).unwrap_or(0);
            put("audit_anchored_seconds", "gauge", "When it was last anchored, in seconds since 1970", &one(at));
        }
        put("audit_altered", "gauge", "1 if it is not the one that was anchored", &one((!audit.anchor_holds).into()));
        put("audit_failed", "gauge", "1 if it cannot be written", &one(audit.failed.is_some().into()));
    }
    text
}

fn labelled(label: &str, samples: &[(&str, u64)]) -> Vec<(String, u64)> {
    samples.iter().map(|(word, value)| (format!("{{{label}=\"{word}\"}}"), *value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture;

    #[test]
    fn alert_rules_and_their_page_name_figures_that_there_are() {
        let text = text(&fixture::status(), &BTreeMap::from([("TR".parse().unwrap(), 4)]));
        let rules = include_str!("../../node-config/alerts.yml");
        let page = include_str!("../../docs/monitoring.md");
        let runbook = include_str!("../../docs/doctor.md");
        let names = |text: &str| -> Vec<String> {
            let words = text.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '_'));
            words.filter(|word| word.starts_with("shieldwall_")).map(str::to_owned).collect()
        };
        let known: std::collections::BTreeSet<String> = names(&text).into_iter().collect();
        for name in names(rules).iter().chain(&names(page)) {
            assert!(known.contains(name), "{name} is no figure");
        }
        for name in &known {
            assert!(names(page).contains(name), "docs/monitoring.md lacks {name}");
        }
        let runbooks: Vec<&str> =
            rules.lines().filter_map(|line| line.trim().strip_prefix("runbook: docs/doctor.md ")).collect();
        assert_eq!(runbooks.len(), rules.matches("- alert:").count());
        runbooks.iter().for_each(|id| assert!(runbook.contains(&format!("## {id} ")), "{id}"));
    }

    #[test]
    fn the_newest_checkpoint_of_any_log_counts() {
        let ledger = fixture::ledger(&[("GE", -1), ("TR", -50), ("TR.2", -7), ("MZ", 9)]);
        let ages = ages(&ledger, "GE".parse().unwrap(), fixture::at(0));
        let ages: Vec<(String, u64)> = ages.into_iter().map(|(member, age)| (member.to_string(), age)).collect();
        assert_eq!(ages, [("MZ".to_owned(), 0), ("TR".to_owned(), 7)]);
    }
}
