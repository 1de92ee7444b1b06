//! Reconciliation: what one country says that it sent beside what the other says that it received.
//!
//! ```text
//! records ─▶ consignments ─▶ reconcile(dossier)   shipped and received, band, what the difference may come from
//!                       ├──▶ Keys ─▶ Links        which announcement an arrival belongs to that nobody announced
//!                       └──▶ Mirror               both sides' monthly totals: matched, orphaned imports, lost exports
//! ```
//!
//! The first two look at single consignments, which is the core; totals are a hint and no more. It decides nothing: the state of a
//! consignment is the fold's, and which links hold beyond plain references is for an officer, whose decision is given as data
//! ([`LinkDecision`]). No clock, no floating point; the same records give the same result.
//!
//! Start reading at [`reconcile`], then `cause.rs`.

mod cause;
mod compare;
mod declaration;
mod keys;
mod links;
mod mirror;
mod words;

pub use cause::{Cause, Suggestion};
pub use compare::{Compared, Line, Reconciliation, Values, beyond_scales, reconcile};
pub use declaration::Declaration;
#[cfg(test)]
pub(super) use declaration::declarations;
pub use keys::Keys;
pub use links::{Hold, Level, Link, LinkDecision, LinkDecisions, Links, Meaning};
pub use mirror::{Cell, Mirror, Outcome, Row, Share, Totals};
pub(super) use words::shown;
