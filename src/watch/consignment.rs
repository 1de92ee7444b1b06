//! What is known of one consignment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value as Json, json};

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::Kind;

/// Where a consignment stands. With partial shipments, as far as the first of them got: the masses tell the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Announced, and not answered in its present version.
    Notified,
    /// The importing country has no objection, nor has any other party.
    Cleared,
    /// A party objects.
    Objected,
    /// It will not take place.
    Cancelled,
    /// Goods have left.
    Departed,
    /// Goods have arrived.
    Arrived,
    /// Goods were imported.
    Imported,
}

/// Something about a consignment that does not replace its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// The announcement was changed.
    Amended,
    /// Goods arrived or were imported, and no departure is known.
    ArrivedUnannounced,
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
    /// Without the notification nobody can tell who may say what. It counts as soon as the notification is here.
    #[error("the notification is not held here")]
    NotificationNotHeld,
    /// The consignment that it names is not the one of the record that it answers.
    #[error("it answers a record of another consignment")]
    OtherConsignment,
    /// Only certain parties may say this.
    #[error("its author has no such part in the consignment")]
    NotAParty,
    /// Nothing but warnings and seizures follows a cancellation.
    #[error("the consignment was cancelled")]
    AfterCancellation,
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
    /// Feedback is for who was asked to act.
    #[error("it answers no warning or stop request to its author")]
    NotAddressed,
    /// A later version of the program may know it.
    #[error("a kind of record that this version does not know")]
    UnknownKind,
}

/// The countries with a part in a consignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countries {
    /// The author of the notification.
    pub exporting: MemberCode,
    /// The destination; none while the notification is not held, or if its destination is no country code.
    pub importing: Option<MemberCode>,
    /// Countries of the itinerary that are neither.
    pub transit: BTreeSet<MemberCode>,
}

/// Net masses of one substance, in grams. Sums stop at the largest number.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Masses {
    /// Announced, in the present version.
    pub notified: u64,
    /// Left the exporting country.
    pub departed: u64,
    /// Received by the importing country.
    pub received: u64,
}

/// One record in the life of a consignment.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The record.
    pub id: RecordId,
    /// What it says.
    pub kind: Kind,
    /// When it was made, as its author says.
    pub issued_at: UnixTime,
    /// When what it tells took place, as its author says.
    pub happened_at: Option<UnixTime>,
    /// Why it changes nothing, if that is so.
    pub illegal: Option<Illegal>,
}

/// What is known of one consignment.
#[derive(Clone, PartialEq, Eq)]
pub struct Consignment {
    /// The notification that opened it.
    pub id: RecordId,
    /// Where it stands; none while the notification is not held here.
    pub state: Option<State>,
    /// What else is to be known.
    pub flags: BTreeSet<Flag>,
    /// Who has a part in it.
    pub countries: Countries,
    /// The substances, by code.
    pub substances: BTreeSet<String>,
    /// Masses by substance, as far as this node may read them. Lines that name none stand under `unspecified`.
    pub masses: BTreeMap<String, Masses>,
    /// The record that a reply has to answer: the notification, or the newest amendment that changed something material.
    pub version: RecordId,
    /// Members that have acknowledged the notification.
    pub acknowledged_by: BTreeSet<MemberCode>,
    /// Every record of it, in causal order.
    pub timeline: Vec<Event>,
}

impl State {
    /// The name: `NOTIFIED`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notified => "NOTIFIED",
            Self::Cleared => "CLEARED",
            Self::Objected => "OBJECTED",
            Self::Cancelled => "CANCELLED",
            Self::Departed => "DEPARTED",
            Self::Arrived => "ARRIVED",
            Self::Imported => "IMPORTED",
        }
    }
}

impl Flag {
    /// The name: `LATE_REPORT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amended => "AMENDED",
            Self::ArrivedUnannounced => "ARRIVED_UNANNOUNCED",
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

impl Consignment {
    /// The consignment as JSON: masses in grams, times as RFC 3339.
    pub fn to_json(&self) -> Json {
        let masses: serde_json::Map<String, Json> = self
            .masses
            .iter()
            .map(|(substance, mass)| {
                let grams = json!({
                    "notified_g": mass.notified, "departed_g": mass.departed, "received_g": mass.received,
                });
                (substance.clone(), grams)
            })
            .collect();
        json!({
            "consignment": self.id,
            "state": self.state.map(State::name),
            "flags": self.flags.iter().map(|flag| flag.name()).collect::<Vec<_>>(),
            "exporting": self.countries.exporting,
            "importing": self.countries.importing,
            "transit": self.countries.transit,
            "substances": self.substances,
            "masses": masses,
            "version": self.version,
            "acknowledged_by": self.acknowledged_by,
            "timeline": self.timeline.iter().map(Event::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Event {
    fn to_json(&self) -> Json {
        let mut event = json!({ "id": self.id, "kind": self.kind.name(), "issued_at": self.issued_at });
        if let Some(at) = self.happened_at {
            event["happened_at"] = json!(at);
        }
        if let Some(reason) = self.illegal {
            event["illegal"] = json!(reason.to_string());
        }
        event
    }
}

/// Shows no content: what sealed records say must not reach a log through a debug print.
impl fmt::Debug for Consignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consignment").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Masses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masses { .. }")
    }
}
