//! What may raise an alert, and how urgent it is.

use std::fmt;
use std::str::FromStr;

use crate::watch::risk::Code;

/// How urgent something is. The word is shown always, a colour only beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To be known.
    Info,
    /// To be looked at this week: it goes into the digest.
    Amber,
    /// To be looked at now: it is pushed.
    Red,
}

/// A text that is no severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a severity is red, amber or info")]
pub struct BadSeverity;

impl Severity {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Red, Self::Amber, Self::Info];

    /// The word: `amber`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }

    /// What it asks for.
    #[must_use]
    pub fn asks(self) -> &'static str {
        match self {
            Self::Info => "for information",
            Self::Amber => "look at it this week",
            Self::Red => "look at it now",
        }
    }
}

impl FromStr for Severity {
    type Err = BadSeverity;

    fn from_str(text: &str) -> Result<Self, BadSeverity> {
        Self::ALL.into_iter().find(|severity| severity.name() == text).ok_or(BadSeverity)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, $about:literal;)*) => {
        /// What raises an alert.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
            /// An indicator of risk that applies while the band is amber or red.
            Risk(Code),
        }

        impl Rule {
            /// All of them.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$rule),*].into_iter().chain(Code::ALL.iter().map(|code| Self::Risk(*code)))
            }

            /// The name: `over-shipped`, `R04`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                    Self::Risk(code) => code.name(),
                }
            }

            /// What it is about, in a few words.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$rule => $about,)*
                    Self::Risk(code) => code.about(),
                }
            }
        }
    };
}

rules! {
    /// Goods came, and no departure is known.
    ArrivedUnannounced = "arrived-unannounced", "goods that nobody announced";
    /// More left than was announced or allowed.
    OverShipped = "over-shipped", "more left than was announced";
    /// Goods left without the consent that they need.
    UnclearedDeparture = "uncleared-departure", "departure without consent";
    /// Goods went elsewhere.
    Diverted = "diverted", "goods went elsewhere";
    /// A party objects to what has left.
    Objected = "objected", "objection after the departure";
    /// A party asked to stop it.
    StopRequested = "stop-requested", "request to stop";
    /// A request to stop, or an objection to what has left, waits for its answer.
    StopAnswerDue = "stop-answer-due", "stop answer due";
    /// It has waited for too long.
    StopAnswerLate = "stop-answer-late", "stop answer late";
    /// Misuse was found and nobody has reported it.
    IncidentReportDue = "incident-report-due", "incident report due";
    /// Goods were seized.
    Seized = "seized", "seizure";
    /// Goods were declared missing.
    Missing = "missing", "goods declared missing";
    /// Something happened to goods.
    Incident = "incident", "incident";
    /// The two countries explain a difference, and not alike.
    Disputed = "disputed", "disputed difference";
    /// What came is not what left.
    Discrepant = "discrepant", "quantity discrepancy";
    /// We have to answer soon.
    AnswerDue = "answer-due", "our answer is due";
    /// The day for an answer has passed.
    NoReply = "no-reply", "no reply by the deadline";
    /// A shipment should have arrived.
    Overdue = "overdue", "overdue shipment";
    /// A warning for us, without feedback of ours.
    Warned = "warned", "warning addressed to us";
    /// A body that we may read is not given out.
    BodyWithheld = "body-withheld", "body withheld";
}

/// A text that is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such rule; docs/alerts.md lists them")]
pub struct BadRule;

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        Self::all().find(|rule| rule.name() == text).ok_or(BadRule)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
