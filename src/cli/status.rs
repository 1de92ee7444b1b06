//! `shieldwall status`.

use std::fmt::Write as _;

use super::context::{Context, unexpected};
use super::ledger;
use super::report::{Exit, Outcome};
use super::show::counted;
use crate::node::ask::{LoadView, Request, Response, StatusView};

/// Tells on one screen whether the node is well.
///
/// Ends with 21 if two histories of a log were signed, or two charters or manifests of one version.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let Response::Status(status) = context.ask(&Request::Status)? else { return Err(unexpected()) };
    context.ui.result(&status, text(&status))?;
    let split = status.splits.iter().any(|split| !split.settled);
    Ok(if status.equivocations.is_empty() && !split { Exit::Success } else { Exit::Equivocation })
}

/// Memory, and what was shed, if anything was.
fn load_text(load: &LoadView) -> String {
    let shed: Vec<String> =
        load.shed.iter().filter(|(_, count)| **count > 0).map(|(what, count)| format!("{what} {count}")).collect();
    let shed = if shed.is_empty() { "nothing shed".to_owned() } else { format!("shed: {}", shed.join(", ")) };
    format!("{} MiB in memory, {shed}", load.memory_bytes / (1024 * 1024))
}

fn text(status: &StatusView) -> String {
    let codes = |list: &[crate::encoding::ids::MemberCode]| match list {
        [] => "nobody yet".to_owned(),
        list => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let state = match (status.running, status.started_at) {
        (true, Some(since)) => format!("running since {since}"),
        (true, None) => "running".to_owned(),
        (false, _) => "stopped; this is what its data folder says".to_owned(),
    };
    let StatusView { statements, statements_verified, statements_flagged, .. } = status;
    let mut rows = vec![
        ("node", format!("{}, {}: {state}", status.member, status.name)),
        ("charter", format!("version {}, {}", status.charter_version, counted(status.members, "member"))),
        ("federation", status.federation.to_string()),
        ("ledger", format!("{statements} statements, {statements_verified} verified, {statements_flagged} flagged")),
        (
            "frontier",
            match status.frontier_known() {
                true => format!("{}, cosigned by {}", status.frontier.short(), codes(&status.cosigned_by)),
                false => ledger::NOTHING_AUDITED.to_owned(),
            },
        ),
        (
            "bodies",
            format!(
                "{} opened, {} for others, {} not here yet",
                status.bodies_opened, status.bodies_sealed, status.bodies_missing
            ),
        ),
        ("own log", status.log.to_string()),
    ];
    if status.running {
        rows.push(("peers", format!("{} of {} connected", status.peers_connected, status.members.saturating_sub(1))));
        rows.push(("listening", status.listening.join(" ")));
    }
    if let Some(work) = &status.work {
        let [red, amber, info] = work.open;
        let known = match work.reading {
            Some((done, total)) => format!("has read {done} of {total} records since its start"),
            None => counted(work.consignments, "consignment"),
        };
        rows.push(("work", format!("{known}; open alerts: {red} red, {amber} amber, {info} for information")));
        if let Some(told) = work.told {
            rows.push(("told", format!("{} mailed, {} posted", told.mailed, told.posted)));
            if told.dropped + told.undelivered > 0 {
                let text = format!("{} given up, {} not tried: see undelivered.jsonl", told.undelivered, told.dropped);
                rows.push(("NOT TOLD", text));
            }
        }
    }
    if let Some(load) = &status.load {
        rows.push(("load", load_text(load)));
        let codes = |list: &[crate::encoding::ids::MemberCode]| codes(list);
        if !load.network_up {
            let times = counted(load.network_crashes, "time");
            rows.push(("NETWORK DOWN", format!("it has ended by itself {times}; it is started again after a wait")));
        } else if load.network_crashes > 0 {
            rows.push(("network", format!("started again {}", counted(load.network_crashes, "time"))));
        }
        if !load.barred.is_empty() {
            rows.push(("SHUT OUT", format!("{}: what they send makes the network end", codes(&load.barred))));
        }
        for ban in &status.bans {
            rows.push(("kept away", format!("{} until {}: {}", ban.member, ban.until, ban.reason)));
        }
        if !load.over_quota.is_empty() {
            rows.push(("over quota", format!("{}: their logs are fetched more slowly", codes(&load.over_quota))));
        }
    }
    if let Some(scrub) = &status.scrub {
        if let Some(at) = scrub.completed_at {
            rows.push(("scrub", format!("read all frames again at {at}")));
        }
        for damaged in scrub.damaged.iter().take(3) {
            rows.push(("DAMAGED", format!("{damaged}; asking peers for it")));
        }
    }
    if let Some(audit) = &status.audit {
        let anchor = audit.anchor.map_or("not anchored yet".to_owned(), |anchor| {
            format!("anchored to {} by {} of {}", anchor.entries, anchor.record, anchor.at)
        });
        rows.push(("audit log", format!("{} entries, {anchor}", audit.entries)));
        if !audit.anchor_holds {
            rows.push((
                "ALTERED",
                "the audit log is not the one that was anchored: shieldwall audit verify".to_owned(),
            ));
        }
        if let Some(failed) = &audit.failed {
            rows.push(("NOT AUDITED", format!("{failed}; what is asked is refused")));
        }
    }
    if status.approvals > 0 {
        let waits = if status.approvals == 1 { "waits" } else { "wait" };
        let what = counted(status.approvals, "request");
        rows.push(("approvals", format!("{what} {waits} for a second person: shieldwall approval list")));
    }
    if let Some(reason) = &status.read_only {
        rows.push(("READ ONLY", reason.clone()));
    }
    if let Some(standing) = &status.standing {
        rows.push(("TAKES NO PART", format!("{standing}: nothing is logged")));
    }
    for split in &status.splits {
        rows.push((if split.settled { "signed twice" } else { "TWO VERSIONS" }, split.text()));
    }
    if !status.equivocations.is_empty() {
        let logs = status.equivocations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        rows.push(("TWO HISTORIES", format!("of {logs}: the proofs are kept")));
    }
    let mut text = String::new();
    for (label, value) in rows {
        writeln!(text, "{label:<13} {value}").expect("writing to a string cannot fail");
    }
    if status.next_log {
        writeln!(text, "{}", super::recovery::next_log("this node logs nothing"))
            .expect("writing to a string cannot fail");
    }
    text
}
