//! What an officer has to look at: one case for each consignment, with the alerts that were raised about it.
//!
//! ```text
//! consignment, standing, assessment ─▶ causes ─▶ Alerts::refresh ─▶ Raised ─▶ pushed, mailed, posted
//!                                                    ▲                 │
//!            officer: ack, snooze, assign, close ─▶ Alerts::apply      ▼
//!                                                    └───────────── CaseEvent: kept on the disk, append-only
//! ```
//!
//! A cause is a rule with a mark, such as *overdue, the shipment of GE-2, due on 2013-11-24*. It is derived anew from the records, and it is
//! raised once: raising it is an event that is kept. So everything can be derived again, and nothing is raised twice, and
//! nothing that was acknowledged comes back. A snooze ends, by time or by a new cause. A closed case opens again for a new cause only.
//!
//! Everything here is this country's own: no record and no message carries it. What leaves for mailboxes and webhooks says how much there is
//! and nothing of what. Pure: no clock, no disk; the node keeps the events and tells the time.
//!
//! Start reading at [`causes`], then [`Alerts`], then `case.rs`.

mod case;
mod cause;
mod codec;
mod event;
mod message;
mod rates;
mod rule;
#[cfg(test)]
mod tests;

pub use case::{Alert, Case, Status};
pub use cause::{Cause, Mark, Signs, causes, of_warning, of_withheld};
pub use event::{Act, BadOutcome, CaseError, CaseEvent, Outcome, SNOOZE_MAX_S};
pub use message::{Digest, cloud_event, notification, pushed};
pub use rates::{Rate, Rates};
pub use rule::{BadRule, BadSeverity, Rule, Severity};

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;

/// All cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    cases: BTreeMap<RecordId, Case>,
    rates: Rates,
    /// How many causes were raised ever.
    raised: u64,
}

/// An alert that was just raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Its number among all that this node raised, from 1.
    pub number: u64,
    /// The case.
    pub case: RecordId,
    /// The rule.
    pub rule: Rule,
    /// How urgent. Red is pushed, the rest waits for the digest.
    pub severity: Severity,
    /// When.
    pub at: UnixTime,
    /// What to keep on the disk before anybody is told.
    pub event: CaseEvent,
}

/// Which cases to list. Empty: those that are open now.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only with these words of [`Status::name`]; empty for open ones.
    pub status: BTreeSet<String>,
    /// Only this urgent or more.
    pub severity: Option<Severity>,
    /// Only with a current alert of this rule.
    pub rule: Option<Rule>,
    /// Only this officer's.
    pub assigned_to: Option<String>,
    /// Only those of which something still holds.
    pub holding: bool,
}

impl Alerts {
    /// The cases that kept events tell of, in the order in which they were kept. What may not follow what was before it is passed over and
    /// told with its place; nothing that this version wrote is.
    pub fn replay(events: impl IntoIterator<Item = CaseEvent>) -> (Self, Vec<(usize, CaseError)>) {
        let mut alerts = Self::default();
        let mut passed = Vec::new();
        for (at, event) in events.into_iter().enumerate() {
            if let Err(error) = alerts.take(event) {
                passed.push((at, error));
            }
        }
        (alerts, passed)
    }

    /// Holds a case against all the causes that its consignment gives now. Gives what is new; the node keeps each [`Raised::event`] before it
    /// tells anybody. Causes that are no more stay in the case, marked so.
    pub fn refresh(&mut self, case: RecordId, causes: &BTreeSet<Cause>, now: UnixTime) -> Vec<Raised> {
        let held = |cause: &&Cause| {
            let alerts = self.cases.get(&case).map(|case| &case.alerts);
            alerts.is_some_and(|alerts| alerts.contains_key(&(cause.rule, cause.mark.clone())))
        };
        let new: Vec<Cause> = causes.iter().filter(|cause| !held(cause)).cloned().collect();
        let mut raised = Vec::new();
        for Cause { rule, mark, severity, .. } in new {
            let event = CaseEvent { case, at: now, by: None, act: Act::Raised { rule, mark, severity } };
            let before = self.raised;
            // Two causes that differ in words or severity alone are one.
            if self.take(event.clone()).is_ok() && self.raised > before {
                raised.push(Raised { number: self.raised, case, rule, severity, at: now, event });
            }
        }
        if let Some(case) = self.cases.get_mut(&case) {
            case.look(causes);
        }
        raised
    }

    /// Takes in what an officer does. The node keeps the event before it says that it is done.
    ///
    /// # Errors
    /// [`CaseError`] if it may not follow; then nothing changes.
    pub fn apply(&mut self, event: CaseEvent) -> Result<(), CaseError> {
        if matches!(event.act, Act::Raised { .. }) {
            return Err(CaseError::By(event.case));
        }
        self.take(event)
    }

    /// Whether an event may follow; nothing changes.
    ///
    /// # Errors
    /// [`CaseError`], as [`Self::apply`] gives it.
    pub fn check(&self, event: &CaseEvent) -> Result<(), CaseError> {
        let case = self.cases.get(&event.case).map(|case| (event.case, case.clone()));
        Self { cases: case.into_iter().collect(), rates: self.rates.clone(), raised: self.raised }.apply(event.clone())
    }

    fn take(&mut self, event: CaseEvent) -> Result<(), CaseError> {
        event.check()?;
        let id = event.case;
        let opens = matches!(event.act, Act::Raised { .. } | Act::Overridden { .. });
        if !opens && !self.cases.contains_key(&id) {
            return Err(CaseError::NoCase(id));
        }
        let case = self.cases.entry(id).or_insert_with(|| Case::new(id));
        let before = case.alerts.len();
        case.take(event, &mut self.rates)?;
        self.raised += u64::from(case.alerts.len() > before);
        Ok(())
    }

    /// The cases that pass a filter: the most urgent first, of those the oldest.
    #[must_use]
    pub fn list(&self, filter: &Filter, now: UnixTime) -> Vec<&Case> {
        let passes = |case: &&Case| {
            let status = case.status(now).name();
            let wanted = if filter.status.is_empty() { status == "open" } else { filter.status.contains(status) };
            wanted
                && filter.severity.is_none_or(|least| case.severity() >= least)
                && filter.rule.is_none_or(|rule| case.current().any(|((own, _), _)| *own == rule))
                && filter.assigned_to.as_ref().is_none_or(|officer| case.assigned_to.as_ref() == Some(officer))
                && (!filter.holding || case.current().any(|(_, alert)| alert.holds))
        };
        let mut cases: Vec<&Case> = self.cases().filter(passes).collect();
        cases.sort_by_key(|case| (std::cmp::Reverse(case.severity()), case.since(), case.id));
        cases
    }

    /// One case.
    #[must_use]
    pub fn show(&self, id: RecordId) -> Option<&Case> {
        self.cases.get(&id)
    }

    /// Every case about which something was raised.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values().filter(|case| case.is_raised())
    }

    /// The newest word of an officer on a consignment's band of risk.
    #[must_use]
    pub fn word(&self, id: RecordId) -> Option<&crate::watch::risk::Override> {
        self.cases.get(&id).and_then(|case| case.word.as_ref())
    }

    /// How often each rule was worth its alerts.
    #[must_use]
    pub fn rates(&self) -> &Rates {
        &self.rates
    }
}
