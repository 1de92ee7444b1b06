//! What is known of one consignment, and its JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value as Json, json};

use super::balance::{Balance, Sums};
use super::state::{Flag, Illegal, State};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{ClosingState, Date, Declared, Kind, Verification};

/// The countries with a part in a consignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countries {
    /// The author of the notification. Of goods that nobody announced: the country that they are said to come from; none if that was
    /// not said. None also while the record that opened the consignment is not held.
    pub exporting: Option<MemberCode>,
    /// The destination; none if that is no country code. Of goods that nobody announced: the country that recorded them.
    pub importing: Option<MemberCode>,
    /// Countries of the itinerary that are neither.
    pub transit: BTreeSet<MemberCode>,
    /// Countries that goods were diverted to: each speaks as an importing country does.
    pub diverted_to: BTreeSet<MemberCode>,
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
    /// The record by which its author took it back.
    pub withdrawn_by: Option<RecordId>,
    /// Which of the shipments it is about, as its place in [`Consignment::shipments`].
    pub shipment: Option<usize>,
}

/// One of the shipments of a consignment.
#[derive(Clone, PartialEq, Eq)]
pub struct Shipment {
    /// The departure; none if goods came and no departure is known.
    pub departure: Option<RecordId>,
    /// Which of how many.
    pub number: Option<crate::record::Shipment>,
    /// Where it stands.
    pub state: State,
    /// When it left.
    pub departed_at: Option<UnixTime>,
    /// The last day on which it should arrive, if that was said.
    pub expected: Option<Date>,
    /// Mode of transport.
    pub mode: Option<u8>,
    /// The records of its arrival.
    pub arrivals: Vec<RecordId>,
    /// The records of its import, except for what was refused.
    pub imports: Vec<RecordId>,
    /// When it was imported.
    pub imported_at: Option<UnixTime>,
    /// Whether what left is what came, or both sides hold the difference to be explained.
    pub accounted: bool,
    /// What the newest end-use verification found.
    pub end_use: Option<Declared<Verification>>,
    /// What became of each substance of it.
    pub carried: BTreeMap<String, Carried>,
}

/// What became of one substance of a shipment, as far as this node may read it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// Net grams. What left counts as notified; of goods whose departure nobody has told, that is what came.
    pub sums: Sums,
    /// Whether a line states a quantity that is no mass here, such as litres without a density; it counts as nothing.
    pub unread: bool,
}

/// A closure that the importing country proposed.
#[derive(Clone, PartialEq, Eq)]
pub struct Closure {
    /// The proposal.
    pub proposal: RecordId,
    /// When it was made.
    pub proposed_at: UnixTime,
    /// How the consignment ends.
    pub closing_state: Option<Declared<ClosingState>>,
    /// The record by which the exporting country agreed.
    pub confirmed_by: Option<RecordId>,
}

/// What is known of one consignment.
#[derive(Clone, PartialEq, Eq)]
pub struct Consignment {
    /// The notification that opened it; of goods that nobody announced, the record of their arrival or import.
    pub id: RecordId,
    /// Where it stands; none while the record that opened it is not held here.
    pub state: Option<State>,
    /// What else is to be known.
    pub flags: BTreeSet<Flag>,
    /// The unique consignment reference, as far as this node may read it.
    pub ucr: Option<String>,
    /// Who has a part in it.
    pub countries: Countries,
    /// The substances, by code.
    pub substances: BTreeSet<String>,
    /// Masses by substance, as far as this node may read them. Lines that name none stand under `unspecified`.
    pub masses: BTreeMap<String, Masses>,
    /// The record that a reply has to answer: the notification, or the newest amendment that changed something material.
    pub version: RecordId,
    /// The policy of the importing country that the present version cites.
    pub policy: Option<RecordId>,
    /// Every policy that a version of the announcement cites.
    pub policies: BTreeSet<RecordId>,
    /// The last day for an answer to the present version, by that policy or as the notification says.
    pub reply_by: Option<Date>,
    /// The last day on which the consents to the present version all hold.
    pub valid_until: Option<Date>,
    /// The shipments, in the order in which they became known.
    pub shipments: Vec<Shipment>,
    /// Where the grams of each substance are, as far as this node may read them.
    pub balance: BTreeMap<String, Balance>,
    /// The closure that was proposed, if any.
    pub closure: Option<Closure>,
    /// Records that wait for another, and for which kind: a stop request for its answer.
    pub due: BTreeMap<RecordId, Kind>,
    /// Members that have acknowledged the notification.
    pub acknowledged_by: BTreeSet<MemberCode>,
    /// Every record of it, in causal order.
    pub timeline: Vec<Event>,
}

impl Consignment {
    /// The flags that a country can stand behind; all of them for nobody in particular. Replies are addressed to the countries of the announcement: to whoever reads by a
    /// grant, or comes in by a diversion, their absence says nothing, and that goods left without consent is a guess unless it reads
    /// an objection.
    pub fn flags_known_to(&self, member: Option<MemberCode>) -> impl Iterator<Item = Flag> {
        let countries = &self.countries;
        let is_party = |member| {
            [countries.exporting, countries.importing].contains(&Some(member)) || countries.transit.contains(&member)
        };
        let is_told = member.is_none_or(is_party) || self.flags.contains(&Flag::Objected);
        self.flags.iter().copied().filter(move |flag| is_told || *flag != Flag::UnclearedDeparture)
    }

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
        let balance: serde_json::Map<String, Json> =
            self.balance.iter().map(|(substance, balance)| (substance.clone(), balance.to_json())).collect();
        json!({
            "consignment": self.id,
            "state": self.state.map(State::name),
            "flags": self.flags.iter().map(|flag| flag.name()).collect::<Vec<_>>(),
            "ucr": self.ucr,
            "exporting": self.countries.exporting,
            "importing": self.countries.importing,
            "transit": self.countries.transit,
            "diverted_to": self.countries.diverted_to,
            "substances": self.substances,
            "masses": masses,
            "version": self.version,
            "policy": self.policy,
            "reply_by": self.reply_by,
            "valid_until": self.valid_until,
            "shipments": self.shipments.iter().map(Shipment::to_json).collect::<Vec<_>>(),
            "balance": balance,
            "closure": self.closure.as_ref().map(Closure::to_json),
            "due": self.due.iter().map(|(id, kind)| (id.to_string(), kind.name().into())).collect::<serde_json::Map<_, Json>>(),
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
        if let Some(by) = self.withdrawn_by {
            event["withdrawn_by"] = json!(by);
        }
        event
    }
}

impl Shipment {
    fn to_json(&self) -> Json {
        json!({
            "departure": self.departure,
            "number": self.number,
            "state": self.state.name(),
            "departed_at": self.departed_at,
            "expected": self.expected,
            "mode": self.mode,
            "arrivals": self.arrivals,
            "imports": self.imports,
            "imported_at": self.imported_at,
            "accounted": self.accounted,
            "end_use": self.end_use,
        })
    }
}

impl Closure {
    fn to_json(&self) -> Json {
        json!({
            "proposal": self.proposal,
            "proposed_at": self.proposed_at,
            "closing_state": self.closing_state,
            "confirmed_by": self.confirmed_by,
        })
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

impl fmt::Debug for Shipment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shipment").field("departure", &self.departure).finish_non_exhaustive()
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carried { .. }")
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closure").field("proposal", &self.proposal).finish_non_exhaustive()
    }
}

impl fmt::Debug for Masses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masses { .. }")
    }
}
