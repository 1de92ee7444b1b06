//! What the records mean together: the state of every consignment, derived from the records that this node can read.
//!
//! ```text
//! NOTIFIED ⇄ QUERY ─▶ CLEARED | OBJECTED | NO_REPLY* ─▶ DECIDED ─▶ DEPARTED ─▶ IN_TRANSIT ─▶ ARRIVED ─▶ IMPORTED
//!     │                                                                │                                    │
//!     └─ CANCELLED, EXPIRED*          OVERDUE* ─▶ MISSING ─▶ FOUND | INCIDENT        RECONCILED | DISCREPANT ◀┘
//!                                                                                    └▶ END_USE_PENDING ─▶ CLOSED
//! ```
//!
//! A pure fold: the records are put into one causal order and taken in one after the other. Two nodes with the same records come to
//! the same result, on every platform, in whatever order the records reached them. Nothing here is truth: it can be deleted and
//! derived again, and it never leaves the node. It never refuses a record: an event that may not happen is kept with the reason
//! and changes nothing. It signs, stores and sends nothing, and it does not know the time: the states with a star are those that
//! [`standing`] adds when it is told the time.
//!
//! Joint operations have a fold of their own, [`operations`].
//!
//! Start reading at [`consignments`], then `fold.rs`, where every kind of event has its rule, then `course.rs` and `voyage.rs`.

pub mod alert;
mod amendment;
mod balance;
pub mod calendar;
mod clock;
mod consignment;
mod course;
mod dossier;
pub mod erasure;
mod fold;
mod membership;
mod operation;
mod order;
pub mod reconcile;
pub mod risk;
mod state;
pub mod statistics;
mod timeline;
mod tolerance;
mod views;
mod voyage;

#[cfg(test)]
mod tests;

pub use amendment::amended;
pub use balance::{Balance, Sums};
pub use clock::{Lateness, Standing, standing};
pub use consignment::{Carried, Closure, Consignment, Countries, Event, Masses, Shipment};
pub use dossier::{Dossier, Records};
pub use operation::{Operation, Unlawful, is_of_operation, operations};
pub use state::{Flag, Illegal, State};
pub use timeline::words;
pub use tolerance::Band;
pub use views::Views;

use std::collections::BTreeMap;

use crate::encoding::ids::RecordId;
use crate::record::PartialRecord;

/// The state of every consignment that the given records tell of, by the id of the notification that opened it.
///
/// Each record comes with its id; its author is the member of the log that it stands in. Records without a readable summary say
/// nothing and are passed over, as are those that belong to no consignment, such as a warning about a ship. The policies that the
/// notifications cite have to be among the records: a deadline or a transit country's demand that is not given does not count.
pub fn consignments(records: impl IntoIterator<Item = (RecordId, PartialRecord)>) -> BTreeMap<RecordId, Consignment> {
    fold::fold(&records.into_iter().collect(), |_| false)
}
