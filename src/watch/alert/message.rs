//! What leaves for an officer's mailbox or another system of this country: counts and words that say nothing of any consignment.

use serde_json::{Value as Json, json};

use super::rule::Severity;
use super::{Alerts, Raised, Status};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

/// How much is open, by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Open cases by severity: red, amber, for information.
    pub open: [usize; 3],
    /// Cases that somebody has seen and not closed.
    pub acknowledged: usize,
    /// Cases put aside.
    pub snoozed: usize,
    /// When the oldest open one was raised.
    pub oldest: Option<UnixTime>,
}

impl Digest {
    /// What is open at a moment.
    #[must_use]
    pub fn of(alerts: &Alerts, now: UnixTime) -> Self {
        let mut digest = Self::default();
        for case in alerts.cases() {
            match case.status(now) {
                Status::Open => {
                    let at = Severity::ALL.iter().position(|severity| *severity == case.severity());
                    if let Some(count) = at.and_then(|at| digest.open.get_mut(at)) {
                        *count += 1;
                    }
                    digest.oldest = [digest.oldest, case.since()].into_iter().flatten().min();
                }
                Status::Acknowledged => digest.acknowledged += 1,
                Status::Snoozed(_) => digest.snoozed += 1,
                Status::Closed(_) => {}
            }
        }
        digest
    }

    /// The text of the digest.
    #[must_use]
    pub fn text(&self) -> String {
        let [red, amber, info] = self.open;
        let oldest = self.oldest.map_or_else(String::new, |at| format!(" The oldest was raised at {at}."));
        format!(
            "Open: {red} red, {amber} amber, {info} for information. Acknowledged: {}. Snoozed: {}.{oldest} Log in to see them.",
            self.acknowledged, self.snoozed
        )
    }

    /// The digest as JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let [red, amber, info] = self.open;
        json!({
            "open": { "red": red, "amber": amber, "info": info },
            "acknowledged": self.acknowledged,
            "snoozed": self.snoozed,
            "oldest": self.oldest,
        })
    }
}

/// The text that is pushed when alerts were raised: `1 red item, log in`. Nothing unless one of them is red; amber waits for the digest.
#[must_use]
pub fn notification(raised: &[Raised]) -> Option<String> {
    let red = raised.iter().filter(|raised| raised.severity == Severity::Red);
    let cases: std::collections::BTreeSet<_> = red.map(|raised| raised.case).collect();
    pushed(cases.len())
}

/// The text that is pushed for as many red cases: what [`notification`] says once they are counted.
#[must_use]
pub fn pushed(red_cases: usize) -> Option<String> {
    match red_cases {
        0 => None,
        1 => Some("1 red item, log in".to_owned()),
        count => Some(format!("{count} red items, log in")),
    }
}

/// The body of a webhook for one raised alert: a CloudEvents 1.0 event in JSON without `data`.
///
/// `number` is [`Raised::number`]: with the source it makes the id, so that a receiver knows a repetition. The consignment and the rule are
/// not named, not even by a digest, which a list of record ids would undo.
#[must_use]
pub fn cloud_event(own: MemberCode, raised: &Raised) -> Json {
    json!({
        "specversion": "1.0",
        "id": raised.number.to_string(),
        "source": format!("/shieldwall/{own}"),
        "type": "shieldwall.alert.raised",
        "time": raised.at,
        "severity": raised.severity.name(),
    })
}
