//! What a node can be asked of its alerts, and what officers do with them.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;

/// Which cases are listed. Empty fields: those that are open now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertFilter {
    /// Only where they stand so: `open`, `acknowledged`, `snoozed`, `closed`. Empty for open ones.
    pub status: Vec<String>,
    /// Only this urgent or more: `red`, `amber`, `info`.
    pub severity: Option<String>,
    /// Only with an alert of this rule.
    pub rule: Option<String>,
    /// Only this officer's.
    pub assigned_to: Option<String>,
    /// At most so many; 0 for as many as a list holds.
    pub limit: u64,
}

/// What an officer does with a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertAct {
    /// Has seen it.
    Acknowledge,
    /// Puts it aside until then.
    Snooze {
        /// When it comes back.
        until: UnixTime,
    },
    /// Gives it to somebody; empty for nobody.
    Assign {
        /// Whose it is now.
        to: String,
    },
    /// Is done with it.
    Close {
        /// `confirmed`, `irregular`, `false-alarm` or `explained`.
        outcome: String,
    },
    /// Is not done with it after all.
    Reopen,
    /// Shows another band of risk: `green`, `amber`, `red`.
    Override {
        /// The band.
        band: String,
    },
}

/// One line of a list of cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLine {
    /// The case: the consignment, or the record that belongs to none.
    pub case: RecordId,
    /// The reference of the consignment, if that can be read here.
    pub ucr: Option<String>,
    /// Where the goods come from, if that is known.
    pub exporting: Option<MemberCode>,
    /// Where they are meant to go.
    pub importing: Option<MemberCode>,
    /// How urgent: `red`, `amber`, `info`.
    pub severity: String,
    /// Where it stands.
    pub status: String,
    /// When a snoozed case comes back.
    pub until: Option<UnixTime>,
    /// When the oldest of its alerts was raised.
    pub since: Option<UnixTime>,
    /// Whose it is.
    pub assigned_to: Option<String>,
    /// Its alerts: rule and words.
    pub alerts: Vec<AlertWords>,
}

/// One alert in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertWords {
    /// The rule.
    pub rule: String,
    /// How urgent.
    pub severity: String,
    /// Whether what caused it is still so.
    pub holds: bool,
    /// What it is.
    pub words: String,
    /// How often the rule was worth its alerts.
    pub rate: String,
}

/// One case with everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertView {
    /// The same as in a list.
    pub line: AlertLine,
    /// All its alerts, and everything that happened to it.
    pub case: Json,
    /// The risk of its consignment, with the reasons; none if it belongs to no consignment.
    pub assessment: Option<Json>,
}

/// An alert that was raised since the node started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedLine {
    /// Its number among all that this node ever raised.
    pub number: u64,
    /// The case.
    pub case: RecordId,
    /// The rule.
    pub rule: String,
    /// How urgent.
    pub severity: String,
    /// When.
    pub at: UnixTime,
    /// What it is.
    pub words: String,
}
