//! Where a consignment or shipment stands, what else is to be known of it, and why an event changes nothing.

use std::fmt;

/// Where a consignment stands, or one of its shipments. The order is that of a life, from the announcement on.
///
/// With several shipments the consignment stands where the one stands that is least far; a missing one comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Announced, and not answered in its present version.
    Notified,
    /// A country asked something before it answers.
    Query,
    /// The day for an answer has passed without one. Derived from the time, see [`super::standing`].
    NoReply,
    /// The importing country has no objection, nor has any other party.
    Cleared,
    /// A party objects.
    Objected,
    /// The exporting country has decided on the present version.
    Decided,
    /// A consent ran out before anything left. Derived from the time.
    Expired,
    /// It will not take place.
    Cancelled,
    /// Goods have left.
    Departed,
    /// They were seen on the way.
    InTransit,
    /// They should have arrived. Derived from the time.
    Overdue,
    /// An officer declared them missing.
    Missing,
    /// They were stolen, disappeared, or went elsewhere.
    Incident,
    /// They arrived after they had been declared missing.
    Found,
    /// Goods have arrived.
    Arrived,
    /// Goods were imported, and one of the two declarations cannot be read here.
    Imported,
    /// What was received is not what left.
    Discrepant,
    /// What was received is what left, or both sides agree why not.
    Reconciled,
    /// Whether they are used as was said is being looked into.
    EndUsePending,
    /// Both sides hold it to be done.
    Closed,
}

/// Something about a consignment that does not replace its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// The announcement was changed.
    Amended,
    /// Goods arrived or were imported, and no departure is known.
    ArrivedUnannounced,
    /// Both sides explain a difference, and not alike; or one of them does not agree to close.
    Disputed,
    /// Goods went to another country than announced.
    Diverted,
    /// An event was recorded more than 48 hours after it happened.
    LateReport,
    /// Goods left, and a party objects.
    Objected,
    /// More left than was announced, or than a consent allows.
    OverShipped,
    /// Goods were seized.
    Seized,
    /// A party asked to stop it.
    Stopped,
    /// Goods left without the consent of the importing country, or against an objection.
    UnclearedDeparture,
    /// Somebody warned of it.
    Warned,
}

/// Why an event is kept and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Illegal {
    /// Without the record that opened it nobody can tell who may say what. It counts as soon as that is here.
    #[error("the notification is not held here")]
    NotificationNotHeld,
    /// The goods came, and nobody had announced them: there is nothing to reply to, to decide or to amend.
    #[error("nothing was announced")]
    NotAnnounced,
    /// The consignment that it names is not the one of the record that it answers.
    #[error("it answers a record of another consignment")]
    OtherConsignment,
    /// Only certain parties may say this.
    #[error("its author has no such part in the consignment")]
    NotAParty,
    /// Little follows a cancellation.
    #[error("the consignment was cancelled")]
    AfterCancellation,
    /// Little follows a closure.
    #[error("the consignment was closed")]
    AfterClosure,
    /// What is open needs no opening.
    #[error("the consignment was neither closed nor cancelled")]
    NotClosed,
    /// Goods that left can neither be called off nor be described anew.
    #[error("the goods had left")]
    AfterDeparture,
    /// A reply has to name the version that it is about.
    #[error("it answers neither the notification nor an amendment")]
    NoVersion,
    /// A reply to what was replaced since never counts for what replaced it.
    #[error("it answers a version that an amendment replaced")]
    EarlierVersion,
    /// The changes name fields that are not there or that cannot be changed, or values that do not have their form.
    #[error("its changes do not fit the notification")]
    BadAmendment,
    /// Feedback and stop answers are for who was asked to act.
    #[error("it answers no warning or stop request to its author")]
    NotAddressed,
    /// A response needs a question.
    #[error("it answers no open question")]
    NoQuestion,
    /// Silence counts when the day for an answer is over.
    #[error("the day for an answer had not passed")]
    BeforeDeadline,
    /// The receiver's policy says what its silence means.
    #[error("by its policy the silence of the importing country is a refusal")]
    SilenceIsRefusal,
    /// Nothing to override.
    #[error("nobody objects to this version")]
    NotObjected,
    /// The decision is none of those that this version knows.
    #[error("a decision that this version does not know")]
    UnknownDecision,
    /// What has not left can be neither missing nor differ.
    #[error("nothing has left or arrived")]
    NothingShipped,
    /// What has arrived is not missing.
    #[error("the goods had arrived")]
    HasArrived,
    /// The end use of what was not imported cannot be looked into.
    #[error("nothing was imported")]
    NotImported,
    /// What is on its way or missing is not done, and what differs is not reconciled.
    #[error("goods are on their way or not accounted for")]
    NotAccountedFor,
    /// The exporting country agrees to a closure; it does not propose one.
    #[error("the importing country has not proposed to close it")]
    NoProposal,
    /// Only who raised an alert can take it back.
    #[error("it takes back no alert of its author")]
    NoOwnAlert,
    /// A later version of the program may know it.
    #[error("a kind of record that this version does not know")]
    UnknownKind,
}

impl State {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 20] = [
        Self::Notified,
        Self::Query,
        Self::NoReply,
        Self::Cleared,
        Self::Objected,
        Self::Decided,
        Self::Expired,
        Self::Cancelled,
        Self::Departed,
        Self::InTransit,
        Self::Overdue,
        Self::Missing,
        Self::Incident,
        Self::Found,
        Self::Arrived,
        Self::Imported,
        Self::Discrepant,
        Self::Reconciled,
        Self::EndUsePending,
        Self::Closed,
    ];

    /// The name: `NOTIFIED`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notified => "NOTIFIED",
            Self::Query => "QUERY",
            Self::NoReply => "NO_REPLY",
            Self::Cleared => "CLEARED",
            Self::Objected => "OBJECTED",
            Self::Decided => "DECIDED",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::Departed => "DEPARTED",
            Self::InTransit => "IN_TRANSIT",
            Self::Overdue => "OVERDUE",
            Self::Missing => "MISSING",
            Self::Incident => "INCIDENT",
            Self::Found => "FOUND",
            Self::Arrived => "ARRIVED",
            Self::Imported => "IMPORTED",
            Self::Discrepant => "DISCREPANT",
            Self::Reconciled => "RECONCILED",
            Self::EndUsePending => "END_USE_PENDING",
            Self::Closed => "CLOSED",
        }
    }
}

/// Where a consignment stands whose shipments stand so; `None` without any.
pub(super) fn of_shipments(states: &[State]) -> Option<State> {
    let urgent = [State::Missing, State::Incident].into_iter().find(|state| states.contains(state));
    urgent.or_else(|| states.iter().min().copied())
}

impl Flag {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Amended,
        Self::ArrivedUnannounced,
        Self::Disputed,
        Self::Diverted,
        Self::LateReport,
        Self::Objected,
        Self::OverShipped,
        Self::Seized,
        Self::Stopped,
        Self::UnclearedDeparture,
        Self::Warned,
    ];

    /// The name: `LATE_REPORT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amended => "AMENDED",
            Self::ArrivedUnannounced => "ARRIVED_UNANNOUNCED",
            Self::Disputed => "DISPUTED",
            Self::Diverted => "DIVERTED",
            Self::LateReport => "LATE_REPORT",
            Self::Objected => "OBJECTED",
            Self::OverShipped => "OVER_SHIPPED",
            Self::Seized => "SEIZED",
            Self::Stopped => "STOPPED",
            Self::UnclearedDeparture => "UNCLEARED_DEPARTURE",
            Self::Warned => "WARNED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
