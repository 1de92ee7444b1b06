//! What is kept of a case: that a cause was raised, and what officers did. Append-only; the state of a case is a fold over it.

use std::collections::BTreeSet;
use std::fmt;

use super::cause::Mark;
use super::rule::{Rule, Severity};
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::record::{MAX_FREE_TEXT, MAX_LINE, TextFault, text_fault};
use crate::watch::risk::{Band, Code, Override};

/// The longest that a case may be put aside, in seconds: 90 days. After that it comes back.
pub const SNOOZE_MAX_S: i64 = 90 * 86_400;

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was so, and in order.
    Confirmed,
    /// It was so, and not in order: the alert was worth it.
    Irregular,
    /// It was not so.
    FalseAlarm,
    /// It was so, for a reason that explains it.
    Explained,
}

/// A text that is no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an outcome is confirmed, irregular, false-alarm or explained")]
pub struct BadOutcome;

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Confirmed, Self::Irregular, Self::FalseAlarm, Self::Explained];

    /// The word: `false-alarm`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Irregular => "irregular",
            Self::FalseAlarm => "false-alarm",
            Self::Explained => "explained",
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = BadOutcome;

    fn from_str(text: &str) -> Result<Self, BadOutcome> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == text).ok_or(BadOutcome)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What happened to a case.
#[derive(Clone, PartialEq, Eq)]
pub enum Act {
    /// The node raised a cause. Nobody else says this.
    Raised {
        /// The rule.
        rule: Rule,
        /// Which of its causes.
        mark: Mark,
        /// How urgent.
        severity: Severity,
    },
    /// An officer has seen it.
    Acknowledged {
        /// A word on it.
        note: String,
    },
    /// An officer put it aside for a while.
    Snoozed {
        /// Until then; at most [`SNOOZE_MAX_S`] ahead.
        until: UnixTime,
        /// A word on it.
        note: String,
    },
    /// It is somebody's to look into; empty for nobody's.
    Assigned {
        /// Whose.
        to: String,
    },
    /// An officer is done with it.
    Closed {
        /// How it ended.
        outcome: Outcome,
        /// A word on it.
        note: String,
    },
    /// An officer was not done with it.
    Reopened {
        /// Why.
        note: String,
    },
    /// An officer shows another band of risk. The score stays.
    Overridden {
        /// The band.
        band: Band,
        /// Why; never empty.
        reason: String,
        /// The hits that the officer saw.
        seen: BTreeSet<Code>,
    },
}

/// Something that happened to a case.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseEvent {
    /// The consignment, or the record that belongs to none.
    pub case: RecordId,
    /// When.
    pub at: UnixTime,
    /// The officer; none for the node itself.
    pub by: Option<String>,
    /// What.
    pub act: Act,
}

/// Why an act is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// Nothing was ever raised about it.
    #[error("there is no case {0}: nothing was raised about it")]
    NoCase(RecordId),
    /// It is closed.
    #[error("case {0} is closed; reopen it first")]
    Closed(RecordId),
    /// It is not closed.
    #[error("case {0} is not closed")]
    NotClosed(RecordId),
    /// A snooze that is over before it begins, or too long.
    #[error("case {0}: a snooze ends after now and within 90 days")]
    Snooze(RecordId),
    /// The node alone raises causes, and an officer's act has an officer's name.
    #[error("case {0}: an officer's act needs a name, and only the node raises causes")]
    By(RecordId),
    /// A band is overridden with a reason.
    #[error("case {0}: a band is overridden with a reason")]
    NoReason(RecordId),
    /// A name, note or reason that cannot be kept.
    #[error("case {case}: {field}: {fault}")]
    Text {
        /// The case.
        case: RecordId,
        /// Which text.
        field: &'static str,
        /// What is wrong with it.
        fault: TextFault,
    },
}

impl Act {
    /// The word for it: `acknowledged`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Raised { .. } => "raised",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Snoozed { .. } => "snoozed",
            Self::Assigned { .. } => "assigned",
            Self::Closed { .. } => "closed",
            Self::Reopened { .. } => "reopened",
            Self::Overridden { .. } => "overridden",
        }
    }
}

impl CaseEvent {
    /// Checks what the event alone shows.
    pub(super) fn check(&self) -> Result<(), CaseError> {
        let case = self.case;
        let raised = matches!(self.act, Act::Raised { .. });
        if self.by.as_ref().is_none_or(|by| by.trim().is_empty()) != raised || (raised && self.by.is_some()) {
            return Err(CaseError::By(case));
        }
        let line = |field, text: &str| check(case, field, text, MAX_LINE);
        let free = |field, text: &str| check(case, field, text, MAX_FREE_TEXT);
        line("name", self.by.as_deref().unwrap_or_default())?;
        match &self.act {
            Act::Raised { .. } => Ok(()),
            Act::Acknowledged { note } | Act::Closed { note, .. } | Act::Reopened { note } => free("note", note),
            Act::Snoozed { until, note } => {
                let ahead = until.since(self.at);
                if !(1..=SNOOZE_MAX_S).contains(&ahead) {
                    return Err(CaseError::Snooze(case));
                }
                free("note", note)
            }
            Act::Assigned { to } => line("assignee", to),
            Act::Overridden { reason, .. } if reason.trim().is_empty() => Err(CaseError::NoReason(case)),
            Act::Overridden { reason, .. } => free("reason", reason),
        }
    }

    /// The officer's word on the band, if the event is one.
    pub(super) fn word(&self) -> Option<Override> {
        let Act::Overridden { band, reason, seen } = &self.act else { return None };
        let by = self.by.clone().unwrap_or_default();
        Some(Override { band: *band, reason: reason.clone(), by, at: self.at, seen: seen.clone() })
    }
}

fn check(case: RecordId, field: &'static str, text: &str, limit: usize) -> Result<(), CaseError> {
    text_fault(text, limit).map_or(Ok(()), |fault| Err(CaseError::Text { case, field, fault }))
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Shows no content: notes must not reach a log through a debug print.
impl fmt::Debug for CaseEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaseEvent").field("case", &self.case).field("at", &self.at).finish_non_exhaustive()
    }
}
