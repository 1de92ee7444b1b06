//! Checks of what a node starts from: key files and charter.

use super::facts::Facts;
use super::finding::{Check, Finding};
use crate::identity::MemberStatus;

pub(super) const KEYS: Check = Check { id: "D002", title: "the keys are there, and for this user alone" };
pub(super) const ENCRYPTED: Check = Check { id: "D003", title: "the keys are encrypted" };
pub(super) const ROOTS: Check = Check { id: "D004", title: "no root lies beside the node's keys" };
pub(super) const CHARTER: Check = Check { id: "D010", title: "the charter names this member as active" };
pub(super) const LOG: Check = Check { id: "D011", title: "the manifest has an open log" };
pub(super) const SEALED: Check = Check { id: "D012", title: "others can seal to this member" };

/// Within so many seconds before the last seal key's time is over, an operator is told.
const SEALED_SOON_S: i64 = 30 * 86_400;

pub(super) fn keys(facts: &Facts) -> Finding {
    let folder = facts.keys.folder.display();
    match facts.keys.faults.as_slice() {
        [] => KEYS.pass(),
        [fault] => {
            KEYS.fail(fault, "shieldwall fsck; a backup has all keys but that of the log: shieldwall backup list")
        }
        [fault, more @ ..] => KEYS.fail(
            format!("{fault}; and {} more in {folder}", more.len()),
            "shieldwall fsck; a backup has all keys but that of the log: shieldwall backup list",
        ),
    }
}

pub(super) fn encrypted(facts: &Facts) -> Finding {
    if facts.insecure_dev_keys {
        ENCRYPTED.warn(
            "insecure_dev_keys = true: keys lie on the disk as they are",
            "only for tests: make the member anew with `shieldwall init` and a passphrase",
        )
    } else {
        ENCRYPTED.pass()
    }
}

pub(super) fn roots(facts: &Facts) -> Finding {
    let roots: Vec<String> = facts.keys.roots.iter().map(ToString::to_string).collect();
    if roots.is_empty() {
        return ROOTS.pass();
    }
    let folder = facts.keys.folder.display();
    let files: Vec<String> = roots.iter().map(|root| format!("{folder}/{root}.pem")).collect();
    ROOTS.warn(
        format!("{} in {folder}: whoever takes the machine takes the member", roots.join(" and ")),
        format!("shieldwall root backup, then move away: {}", files.join(" ")),
    )
}

pub(super) fn charter(facts: &Facts) -> Finding {
    let member = facts.member;
    let charter = match &facts.charter {
        Err(why) => {
            return CHARTER.fail(why, "shieldwall join, or put the signed charter's file where the config says");
        }
        Ok(charter) => charter,
    };
    let version = format!("version {}", charter.version);
    match charter.status {
        Some(MemberStatus::Active) => CHARTER.pass_with(version),
        Some(MemberStatus::Suspended) => CHARTER.fail(
            format!("{version} of the charter suspends {member}"),
            "the others readmit: shieldwall charter propose --readmit; until then nothing is logged",
        ),
        Some(MemberStatus::Removed) => {
            CHARTER.fail(format!("{version} of the charter has removed {member}"), "shieldwall charter show")
        }
        None => CHARTER.fail(
            format!("{version} of the charter does not name {member}"),
            "send the manifest to a member: shieldwall charter propose --admit",
        ),
    }
}

pub(super) fn log(facts: &Facts) -> Finding {
    let Ok(charter) = &facts.charter else { return LOG.unknown("there is no good charter") };
    match charter.own_log {
        Some(log) => LOG.pass_with(log.to_string()),
        None => LOG
            .fail("every log of this member is closed", "shieldwall log open, with the root at hand (docs/backup.md)"),
    }
}

pub(super) fn sealed(facts: &Facts) -> Finding {
    let Ok(charter) = &facts.charter else { return SEALED.unknown("there is no good charter") };
    let (Some(until), Some(last)) = (charter.sealed_until, charter.last_epoch) else {
        return SEALED.fail(
            "the manifest has no seal key: nobody can send anything here",
            "shieldwall manifest sign --seal-until 12, then shieldwall charter publish",
        );
    };
    let fix =
        format!("shieldwall manifest sign --seal-until {}, then shieldwall charter publish", last.saturating_add(12));
    match until.since(facts.now) {
        left if left <= 0 => SEALED.fail(format!("the last seal key was for the time until {until}"), fix),
        left if left <= SEALED_SOON_S => SEALED
            .warn(format!("the last seal key is for the time until {until}, {} days from now", left / 86_400), fix),
        _ => SEALED.pass_with(format!("until {until}")),
    }
}
