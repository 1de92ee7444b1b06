//! One case: what was raised about a consignment, and what officers made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value as Json, json};

use super::cause::{Cause, Mark};
use super::event::{Act, CaseError, CaseEvent, Outcome};
use super::rates::Rates;
use super::rule::{Rule, Severity};
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::watch::risk::Override;

/// Where a case stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Somebody should look at it.
    Open,
    /// Somebody has.
    Acknowledged,
    /// Put aside until then.
    Snoozed(UnixTime),
    /// Done.
    Closed(Outcome),
}

impl Status {
    /// The word: `snoozed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed(_) => "snoozed",
            Self::Closed(_) => "closed",
        }
    }
}

/// One alert of a case.
#[derive(Clone, PartialEq, Eq)]
pub struct Alert {
    /// When it was raised, by the clock of the node.
    pub raised_at: UnixTime,
    /// How urgent.
    pub severity: Severity,
    /// Whether what caused it is still so. Taken for true until the consignment is looked at again after a start.
    pub holds: bool,
    /// What it is, in a sentence; empty if it holds no more, and until the consignment is looked at again after a start.
    pub words: String,
    /// The closure that it was closed in, counted from 1; none while it is current.
    pub closed_in: Option<u32>,
}

/// One case: that of a consignment, or of a record that belongs to none.
#[derive(Clone, PartialEq, Eq)]
pub struct Case {
    /// The consignment or record.
    pub id: RecordId,
    /// Its alerts, by rule and mark.
    pub alerts: BTreeMap<(Rule, Mark), Alert>,
    /// Whose it is to look into.
    pub assigned_to: Option<String>,
    /// The newest word of an officer on the band of risk.
    pub word: Option<Override>,
    /// Everything that happened to it, in order.
    pub history: Vec<CaseEvent>,
    /// Where it stands, a snooze being over or not.
    status: Status,
    /// How many closures there were that nobody took back.
    closures: u32,
}

impl Case {
    pub(super) fn new(id: RecordId) -> Self {
        let (alerts, history) = (BTreeMap::new(), Vec::new());
        Self { id, alerts, assigned_to: None, word: None, history, status: Status::Open, closures: 0 }
    }

    /// Where it stands: a snooze that is over has come back.
    #[must_use]
    pub fn status(&self, now: UnixTime) -> Status {
        match self.status {
            Status::Snoozed(until) if until <= now => Status::Open,
            status @ (Status::Open | Status::Acknowledged | Status::Snoozed(_) | Status::Closed(_)) => status,
        }
    }

    /// Whether anything was raised. A case without is only the place of an officer's word on the band.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        !self.alerts.is_empty()
    }

    /// The alerts since the last closure; of a closed case, those that it closed.
    pub fn current(&self) -> impl Iterator<Item = (&(Rule, Mark), &Alert)> {
        let wanted = matches!(self.status, Status::Closed(_)).then_some(self.closures);
        self.alerts.iter().filter(move |(_, alert)| alert.closed_in == wanted)
    }

    /// How urgent: as the most urgent of its current alerts that still hold; for information if none does.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let holding = self.current().filter(|(_, alert)| alert.holds);
        holding.map(|(_, alert)| alert.severity).max().unwrap_or(Severity::Info)
    }

    /// When the oldest of its current alerts was raised.
    #[must_use]
    pub fn since(&self) -> Option<UnixTime> {
        self.current().map(|(_, alert)| alert.raised_at).min()
    }

    /// Takes a checked event in. What may not follow leaves no trace.
    pub(super) fn take(&mut self, event: CaseEvent, rates: &mut Rates) -> Result<(), CaseError> {
        let closed = matches!(self.status, Status::Closed(_));
        match &event.act {
            Act::Raised { rule, mark, severity } => {
                let key = (*rule, mark.clone());
                if self.alerts.contains_key(&key) {
                    return Ok(());
                }
                let (raised_at, severity) = (event.at, *severity);
                let alert = Alert { raised_at, severity, holds: true, words: String::new(), closed_in: None };
                self.alerts.insert(key, alert);
                self.status = Status::Open;
            }
            Act::Overridden { .. } => self.word = event.word(),
            _ if !self.is_raised() => return Err(CaseError::NoCase(self.id)),
            Act::Reopened { .. } => {
                let Status::Closed(outcome) = self.status else { return Err(CaseError::NotClosed(self.id)) };
                // What the closure counted, it counts no more.
                rates.count(&self.rules(), outcome, false);
                for alert in self.alerts.values_mut().filter(|alert| alert.closed_in == Some(self.closures)) {
                    alert.closed_in = None;
                }
                self.closures -= 1;
                self.status = Status::Open;
            }
            _ if closed => return Err(CaseError::Closed(self.id)),
            Act::Acknowledged { .. } => self.status = Status::Acknowledged,
            Act::Snoozed { until, .. } => self.status = Status::Snoozed(*until),
            Act::Assigned { to } => self.assigned_to = (!to.trim().is_empty()).then(|| to.clone()),
            Act::Closed { outcome, .. } => {
                rates.count(&self.rules(), *outcome, true);
                self.closures += 1;
                for alert in self.alerts.values_mut().filter(|alert| alert.closed_in.is_none()) {
                    alert.closed_in = Some(self.closures);
                }
                self.status = Status::Closed(*outcome);
            }
        }
        self.history.push(event);
        Ok(())
    }

    /// The rules of the current alerts.
    fn rules(&self) -> BTreeSet<Rule> {
        self.current().map(|((rule, _), _)| *rule).collect()
    }

    /// Which of its alerts hold now, and in which words.
    pub(super) fn look(&mut self, causes: &BTreeSet<Cause>) {
        let mut now: BTreeMap<(Rule, &Mark), &Cause> = BTreeMap::new();
        for cause in causes {
            now.insert((cause.rule, &cause.mark), cause);
        }
        for ((rule, mark), alert) in &mut self.alerts {
            match now.get(&(*rule, mark)) {
                Some(cause) => {
                    alert.holds = true;
                    alert.words.clone_from(&cause.words);
                }
                None => {
                    alert.holds = false;
                    alert.words.clear();
                }
            }
        }
    }

    /// As JSON, for this country's own screens; with the hit rate of each rule beside it.
    #[must_use]
    pub fn to_json(&self, rates: &Rates, now: UnixTime) -> Json {
        let status = self.status(now);
        let alerts = self.alerts.iter().map(|((rule, mark), alert)| {
            json!({
                "rule": rule.name(), "about": rule.about(), "mark": mark.as_str(), "severity": alert.severity.name(),
                "asks": alert.severity.asks(), "raised_at": alert.raised_at, "holds": alert.holds, "words": alert.words,
                "closed": alert.closed_in.is_some(), "hit_rate": rates.of(*rule).to_string(),
            })
        });
        let mut shown = json!({
            "case": self.id,
            "status": status.name(),
            "severity": self.severity().name(),
            "since": self.since(),
            "assigned_to": self.assigned_to,
            "alerts": alerts.collect::<Vec<Json>>(),
            "history": self.history.iter().map(CaseEvent::to_json).collect::<Vec<Json>>(),
        });
        match status {
            Status::Snoozed(until) => shown["until"] = json!(until),
            Status::Closed(outcome) => shown["outcome"] = json!(outcome.name()),
            Status::Open | Status::Acknowledged => {}
        }
        shown
    }
}

impl CaseEvent {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut shown = json!({ "at": self.at, "by": self.by, "act": self.act.name() });
        let said = match &self.act {
            Act::Raised { rule, mark, severity } => {
                json!({ "rule": rule.name(), "mark": mark.as_str(), "severity": severity.name() })
            }
            Act::Acknowledged { note } => json!({ "note": note }),
            Act::Snoozed { until, note } => json!({ "until": until, "note": note }),
            Act::Assigned { to } => json!({ "to": to }),
            Act::Closed { outcome, note } => json!({ "outcome": outcome.name(), "note": note }),
            Act::Reopened { note } => json!({ "note": note }),
            Act::Overridden { band, reason, seen } => {
                let seen: Vec<&str> = seen.iter().map(|code| code.name()).collect();
                json!({ "band": band.name(), "reason": reason, "seen": seen })
            }
        };
        for (name, value) in said.as_object().into_iter().flatten() {
            shown[name] = value.clone();
        }
        shown
    }
}

/// Shows no content: words and notes must not reach a log through a debug print.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alert").field("severity", &self.severity).finish_non_exhaustive()
    }
}
