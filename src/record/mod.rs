//! What an officer declares: from a [`Draft`] that came from outside to a [`Record`] that can be signed and sealed.
//!
//! ```text
//! JSON, XML, CSV ──▶ Draft ──check──▶ Record ──content──▶ compartments ──▶ (seal) … (open) ──▶ PartialRecord / Record
//! ```
//!
//! It knows substances, quantities, identifiers and kinds of record, and which role reads which compartment. It never
//! signs, encrypts, reads a clock or decides what records mean together. Nothing here uses floating point: masses are
//! whole grams, concentrations parts per million, amounts of money minor units.
//!
//! Start reading at [`Draft`], then `check.rs`, then `view.rs`.

mod check;
mod check_digit;
pub mod content;
mod date;
mod declared;
mod draft;
mod finding;
mod goods;
mod identifier;
mod kind;
mod kinds;
mod parts;
mod policy;
mod quantity;
mod rules;
mod substances;
mod survey;
mod text;
mod view;
mod words;

#[cfg(any(test, feature = "simulate"))]
pub mod fixture;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_kinds;

pub(crate) use parts::closed_debug;

pub use check::{Checked, Context, MAX_ENTRIES, MAX_GOODS, MAX_PARENTS, Refused, Strictness};
pub use content::{Compartment, Content};
pub use date::{Date, NotADay, Window};
pub use declared::Declared;
pub use draft::Draft;
pub use finding::{Fault, Finding};
pub use identifier::{Cas, Container, Country, Currency, Hs6, ImoNumber, Malformed, Mrn, Ucr, UnNumber, Unlocode};
pub use kind::Kind;
pub use parts::{
    Attachment, Change, Conveyance, Goods, OtherMembers, Packages, Party, PartyId, Place, SealedContainer, Shipment,
    Value,
};
pub use policy::{Calendar, Grace, Limit, MAX_STOP_HOURS, MAX_TERM_DAYS, Terms, Tolerance, Tolerances};
pub use quantity::{
    Decimal, MAX_MASS_G, Mass, Measure, Money, MoreThanTheWhole, Ppm, Quantity, QuantityError, UnitCode,
};
pub use substances::{State, Substance, SubstanceList};
pub use text::{MAX_FREE_TEXT, MAX_LINE, TextFault, fault as text_fault};
pub use view::{ContentError, PartialRecord, Record};
pub use words::{
    Cause, ClosingState, ConsigneeStatus, ControlResult, ControlType, Counting, Decision, DiversionKind, IncidentKind,
    Level, ReasonCode, Release, RequestedAction, Silence, StopReply, TransitConsent, Urgency, Verification, Weekday,
};
