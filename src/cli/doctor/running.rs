//! Checks of the running node: whether it is up, signs, and is in touch with the others.

use super::facts::{Facts, Running};
use super::finding::{Check, Finding};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

pub(super) const RUNS: Check = Check { id: "D020", title: "the node runs" };
pub(super) const SIGNS: Check = Check { id: "D021", title: "the node signs its log" };
pub(super) const PEERS: Check = Check { id: "D022", title: "the others are connected" };
pub(super) const NETWORK: Check = Check { id: "D023", title: "the network is up" };
pub(super) const CLOCK: Check = Check { id: "D024", title: "nothing of the others is from the future" };
pub(super) const FRESH: Check = Check { id: "D025", title: "every member's log is fresh" };
pub(super) const TOLD: Check = Check { id: "D026", title: "alerts reach those who are told" };
pub(super) const AGREED: Check = Check { id: "D027", title: "nothing waits for a second person" };

/// A checkpoint so many seconds ahead of this clock says that one of the two is wrong.
const AHEAD_S: i64 = 120;
/// So many signs of life may be missing before it is called silence.
const HEARTBEATS: i64 = 3;

pub(super) const NOT_RUNNING: &str = "the node does not run";

pub(super) fn runs(facts: &Facts) -> Finding {
    match &facts.node {
        Ok(running) => RUNS.pass_with(running.status.started_at.map(|at| format!("since {at}")).unwrap_or_default()),
        Err(why) => {
            RUNS.fail(why, "systemctl start shieldwall, or shieldwall run; journalctl -u shieldwall says why it ended")
        }
    }
}

pub(super) fn signs(facts: &Facts, node: &Running) -> Finding {
    let status = &node.status;
    if let Some(standing) = &status.standing {
        return SIGNS.fail(format!("{standing}: nothing is logged"), "shieldwall charter show");
    }
    match &status.read_only {
        None => SIGNS.pass_with(status.log.to_string()),
        Some(why) if status.next_log => {
            SIGNS.fail(why, "shieldwall log open (docs/backup.md; `shieldwall status` has the steps)")
        }
        Some(why) if status.signer_away_since.is_some() && facts.apart => SIGNS.fail(
            why,
            "systemctl start shieldwall-signer; journalctl -u shieldwall-signer says why it ended (docs/signer.md)",
        ),
        Some(why) if status.signer_away_since.is_some() => {
            SIGNS.fail(why, "look at the disk of data_dir, or the token; then systemctl restart shieldwall")
        }
        Some(why) => SIGNS.warn(why, "shieldwall peers; shieldwall status"),
    }
}

pub(super) fn peers(facts: &Facts, node: &Running) -> Finding {
    let connected = |member: &&MemberCode| node.peers.iter().any(|peer| peer.member == **member && peer.connected);
    let banned = |member: &MemberCode| node.status.bans.iter().any(|ban| ban.member == *member);
    let others: Vec<MemberCode> = others(facts).iter().copied().filter(|member| !banned(member)).collect();
    let away: Vec<String> = others.iter().filter(|member| !connected(member)).map(ToString::to_string).collect();
    let (all, here) = (others.len(), others.len() - away.len());
    let fix = "shieldwall peers; are their addresses reachable from here, and this node's from outside?";
    match (all, here) {
        (0, _) => PEERS.pass_with("there are no others"),
        (_, 0) => PEERS.fail("no other member is connected", fix),
        _ if away.is_empty() => PEERS.pass_with(format!("{here} of {all}")),
        // A few may be away for maintenance; that is their own matter.
        _ => PEERS.warn(format!("{here} of {all} connected; away: {}", away.join(" ")), fix),
    }
}

/// Members that are active, without this one; none if there is no good charter.
fn others(facts: &Facts) -> &[MemberCode] {
    facts.charter.as_ref().map_or(&[], |charter| &charter.others)
}

pub(super) fn network(_: &Facts, node: &Running) -> Finding {
    let Some(load) = &node.status.load else { return NETWORK.unknown("the node does not say") };
    let barred: Vec<String> = load.barred.iter().map(ToString::to_string).collect();
    if !load.network_up {
        NETWORK.fail("the network has ended by itself, and is started again after a wait", "journalctl -u shieldwall")
    } else if !barred.is_empty() {
        NETWORK.warn(
            format!("shut out for a while, because what they send makes the network end: {}", barred.join(" ")),
            "journalctl -u shieldwall; report it as in SECURITY.md",
        )
    } else {
        NETWORK.pass()
    }
}

/// The newest checkpoint of each other member, over all its logs.
fn newest(facts: &Facts, node: &Running) -> Vec<(MemberCode, Option<UnixTime>)> {
    let newest = node.ledger.newest_checkpoints();
    others(facts).iter().map(|member| (*member, newest.get(member).copied())).collect()
}

pub(super) fn clock(facts: &Facts, node: &Running) -> Finding {
    let ahead = newest(facts, node).into_iter().filter_map(|(member, at)| Some((member, at?.since(facts.now))));
    let ahead: Vec<(MemberCode, i64)> = ahead.filter(|(_, seconds)| *seconds > AHEAD_S).collect();
    match ahead.as_slice() {
        [] => CLOCK.pass(),
        [(member, seconds)] => CLOCK.warn(
            format!("{member} has signed {seconds} s after this machine's time: its clock or this one is wrong"),
            "timedatectl",
        ),
        several => CLOCK.fail(
            format!("{} members have signed after this machine's time: this clock is behind", several.len()),
            "timedatectl; chronyc tracking",
        ),
    }
}

pub(super) fn fresh(facts: &Facts, node: &Running) -> Finding {
    let limit = i64::from(facts.heartbeat_s) * HEARTBEATS;
    let stale = |at: Option<UnixTime>| at.is_none_or(|at| facts.now.since(at) > limit);
    let all = newest(facts, node);
    let silent: Vec<String> = all
        .iter()
        .filter(|(_, at)| stale(*at))
        .map(|(member, at)| at.map_or_else(|| format!("{member} never"), |at| format!("{member} {at}")))
        .collect();
    if silent.is_empty() {
        return FRESH.pass_with(format!("{} s", limit));
    }
    FRESH.warn(
        format!("nothing new for more than {limit} s, last: {}", silent.join(", ")),
        "shieldwall peers; ask them by another way whether their node runs",
    )
}

pub(super) fn told(_: &Facts, node: &Running) -> Finding {
    let Some(told) = node.status.work.as_ref().and_then(|work| work.told) else {
        return TOLD.pass_with("nobody is told, as the config says");
    };
    match told.dropped + told.undelivered {
        0 => TOLD.pass_with(format!("{} mailed, {} posted", told.mailed, told.posted)),
        lost => TOLD.fail(
            format!("{lost} mails or webhook events did not get through since the node started"),
            "undelivered.jsonl in the data folder has them; shieldwall config check; shieldwall alerts list",
        ),
    }
}

pub(super) fn agreed(facts: &Facts, node: &Running) -> Finding {
    if let Some((known, persons)) = facts.too_few {
        let what =
            format!("{known} of those who may agree are known to this machine, of {persons} persons that it takes");
        return AGREED
            .warn(what, "shieldwall config show: approvals.users, approvals.group; getent passwd, getent group");
    }
    match node.status.approvals {
        0 => AGREED.pass(),
        waiting => AGREED.warn(format!("{} for a second person", counted_waits(waiting)), "shieldwall approval list"),
    }
}

fn counted_waits(waiting: u64) -> String {
    if waiting == 1 { "1 request waits".to_owned() } else { format!("{waiting} requests wait") }
}
