//! What the passing of time makes of a consignment: no reply, expired, overdue, closed because nobody objected.
//!
//! A pure function of the consignment, the receiver's policy and the time. It needs no message, so both sides come to the same in a
//! partition too. Nothing of it is ever a record: *missing* is an officer's signed decision. Days are those of UTC.

use super::calendar::{closure_days, expected, grace_days};
use super::consignment::{Consignment, Shipment};
use super::state::{Flag, State};
use crate::encoding::time::UnixTime;
use crate::record::{Date, Terms};

/// Where a consignment stands at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The state, with what only time brings about. None while the notification is not held.
    pub state: Option<State>,
    /// How late each shipment is, in the order of the consignment's.
    pub shipments: Vec<Lateness>,
}

/// How late a shipment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// It is here, or nobody waits for it any more.
    Arrived,
    /// Nobody knows when it left or should come.
    Unknown,
    /// It is expected until this day.
    Expected(Date),
    /// It should be here; after this day it is overdue.
    Due(Date),
    /// It is overdue since this day.
    Overdue(Date),
}

/// Where a consignment stands at `now`. `terms` are those of the policy that it cites of the importing country
/// ([`Consignment::policy`]); without them the usual ones hold.
pub fn standing(consignment: &Consignment, terms: Option<&Terms>, now: UnixTime) -> Standing {
    let Ok(today) = Date::of(now) else { return Standing { state: consignment.state, shipments: Vec::new() } };
    let shipments: Vec<Lateness> =
        consignment.shipments.iter().map(|shipment| lateness(shipment, terms, today)).collect();
    let passed = |day: Option<Date>| day.is_some_and(|day| day < today);
    let overdue = shipments.iter().any(|late| matches!(late, Lateness::Overdue(_)));
    let state = consignment.state.map(|state| {
        if matches!(state, State::Notified | State::Query) && passed(consignment.reply_by) {
            State::NoReply
        } else if state == State::Cleared && passed(consignment.valid_until) {
            State::Expired
        } else if matches!(state, State::Departed | State::InTransit) && overdue {
            State::Overdue
        } else if state >= State::Imported && closes(consignment, terms, today) {
            State::Closed
        } else {
            state
        }
    });
    Standing { state, shipments }
}

fn lateness(shipment: &Shipment, terms: Option<&Terms>, today: Date) -> Lateness {
    if !matches!(shipment.state, State::Departed | State::InTransit | State::Missing | State::Incident) {
        return Lateness::Arrived;
    }
    let departed = shipment.departed_at.and_then(|at| Date::of(at).ok());
    let Some(expected) = expected(terms, shipment.expected, departed) else { return Lateness::Unknown };
    let Some(due) = expected.plus(grace_days(terms, shipment.mode).into()) else { return Lateness::Unknown };
    if today > due {
        Lateness::Overdue(due)
    } else if today > expected {
        Lateness::Due(due)
    } else {
        Lateness::Expected(expected)
    }
}

/// Whether a proposed closure stood long enough.
fn closes(consignment: &Consignment, terms: Option<&Terms>, today: Date) -> bool {
    last_day_to_object(consignment, terms).is_some_and(|last| today > last)
}

/// The last day on which the exporting country can dispute the closure that was proposed, if nobody has.
pub(super) fn last_day_to_object(consignment: &Consignment, terms: Option<&Terms>) -> Option<Date> {
    let closure = consignment.closure.as_ref().filter(|_| !consignment.flags.contains(&Flag::Disputed))?;
    Date::of(closure.proposed_at).ok()?.plus(closure_days(terms).into())
}
