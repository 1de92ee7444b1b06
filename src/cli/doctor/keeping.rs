//! Checks of what the node keeps: the ledger, its bodies, the disk below them, backups, the audit log.

use super::facts::{Facts, Running};
use super::finding::{Check, Finding};

pub(super) const AUDITED: Check = Check { id: "D030", title: "every statement is checked and sound" };
pub(super) const HISTORIES: Check = Check { id: "D031", title: "every log has one history" };
pub(super) const VERSIONS: Check =
    Check { id: "D032", title: "every version of charter and manifests was signed once" };
pub(super) const BODIES: Check = Check { id: "D033", title: "every body that is for this member is here" };
pub(super) const LANES: Check = Check { id: "D034", title: "every author has shown what it addressed to this member" };
pub(super) const SPACE: Check = Check { id: "D040", title: "there is room on the disk" };
pub(super) const DAMAGE: Check = Check { id: "D041", title: "what lies on the disk is as it was written" };
pub(super) const BACKUP: Check = Check { id: "D042", title: "there is a fresh backup" };
pub(super) const AUDIT: Check =
    Check { id: "D043", title: "the audit log is written, and is the one that was anchored" };

/// A backup older than this is not fresh.
const BACKUP_WARN_S: i64 = 2 * 86_400;
const BACKUP_FAIL_S: i64 = 7 * 86_400;

pub(super) fn audited(_: &Facts, node: &Running) -> Finding {
    let status = &node.status;
    if status.statements_flagged > 0 {
        return AUDITED.warn(
            format!("{} statements are flagged: they are kept, and have no effect", status.statements_flagged),
            "shieldwall ledger; shieldwall record list",
        );
    }
    if status.statements_verified < status.statements {
        let left = status.statements - status.statements_verified;
        return AUDITED.pass_with(format!("{left} of {} are being checked", status.statements));
    }
    AUDITED.pass_with(format!("{} statements", status.statements))
}

pub(super) fn histories(_: &Facts, node: &Running) -> Finding {
    let forked: Vec<String> = node.status.equivocations.iter().map(ToString::to_string).collect();
    if forked.is_empty() {
        return HISTORIES.pass();
    }
    HISTORIES.fail(
        format!("two histories were signed of {}", forked.join(" ")),
        "shieldwall ledger; speak with the member; the proofs are kept",
    )
}

pub(super) fn versions(_: &Facts, node: &Running) -> Finding {
    match node.status.splits.iter().find(|split| !split.settled) {
        None => VERSIONS.pass(),
        Some(split) => VERSIONS.fail(split.text(), "shieldwall charter publish FILE --settle (docs/governance.md)"),
    }
}

pub(super) fn bodies(_: &Facts, node: &Running) -> Finding {
    match node.status.bodies_missing {
        0 => BODIES.pass_with(format!("{} opened", node.status.bodies_opened)),
        missing => BODIES.warn(
            format!("{missing} bodies that are for this member have not come"),
            "shieldwall record list; ask their authors, if that stays so",
        ),
    }
}

pub(super) fn lanes(_: &Facts, node: &Running) -> Finding {
    match node.status.lanes_differing.as_slice() {
        [] => LANES.pass(),
        [first, ..] => LANES.warn(
            format!("the author of {first} has not shown that it committed to just what is here"),
            "shieldwall lane list; speak with that member",
        ),
    }
}

pub(super) fn space(facts: &Facts) -> Finding {
    let Some((free, all)) = facts.space else { return SPACE.unknown("the data folder's volume cannot be asked") };
    let (mib, min) = (free >> 20, facts.free_min >> 20);
    let fix = format!("make room on the volume of {}", facts.data_dir.display());
    if free < facts.free_min {
        SPACE.fail(format!("{mib} MiB are free, less than limits.free_space_min_mb = {min}: nothing is written"), fix)
    } else if free < facts.free_min.saturating_mul(4).max(all / 10) {
        SPACE.warn(format!("{mib} MiB are free; below {min} MiB nothing is written any more"), fix)
    } else {
        SPACE.pass_with(format!("{mib} MiB free"))
    }
}

pub(super) fn damage(_: &Facts, node: &Running) -> Finding {
    let Some(scrub) = &node.status.scrub else { return DAMAGE.unknown("the node does not say") };
    match scrub.damaged.as_slice() {
        [] => DAMAGE.pass_with(
            scrub
                .completed_at
                .map_or_else(|| format!("{} frames read so far", scrub.frames), |at| format!("all read again at {at}")),
        ),
        [first, ..] => DAMAGE.fail(
            format!("{} frames are damaged, the first {first}; peers are asked for them", scrub.damaged.len()),
            "look after the disk: smartctl -a; with the node stopped, shieldwall fsck names every place",
        ),
    }
}

pub(super) fn backup(facts: &Facts) -> Finding {
    let fix = "shieldwall backup create && shieldwall backup verify";
    let newest = match &facts.backup {
        Err(why) => {
            return BACKUP.fail(why, format!("is {} there? backup_dir in the config", facts.backup_dir.display()));
        }
        Ok(None) => return BACKUP.fail(format!("there is no backup in {}", facts.backup_dir.display()), fix),
        Ok(Some(newest)) => newest,
    };
    let age = facts.now.since(newest.at);
    let text = format!("the newest backup, {}, is {} days old", newest.name, age / 86_400);
    match age {
        _ if !newest.damage.is_empty() => {
            BACKUP.warn(format!("{} is of data that were damaged then", newest.name), fix)
        }
        age if age > BACKUP_FAIL_S => BACKUP.fail(text, fix),
        age if age > BACKUP_WARN_S => BACKUP.warn(text, fix),
        age => BACKUP.pass_with(format!("{} hours old", age.max(0) / 3600)),
    }
}

pub(super) fn audit(_: &Facts, node: &Running) -> Finding {
    let Some(audit) = &node.status.audit else { return AUDIT.unknown("the node keeps none") };
    if let Some(failed) = &audit.failed {
        return AUDIT
            .fail(format!("{failed}; what is asked is refused"), "mend the disk, then systemctl restart shieldwall");
    }
    if !audit.anchor_holds {
        return AUDIT.fail("the audit log is not the one that was anchored", "shieldwall audit verify");
    }
    AUDIT.pass_with(format!("{} entries", audit.entries))
}
