//! Alerts from a few flags: where are the goods, stop them, control this, this was found. One file each.
//!
//! What they say is about suspicion: its reason reaches the members that they are addressed to, and nobody else.

pub(super) mod answer_stop;
pub(super) mod feedback;
pub(super) mod incident;
pub(super) mod inquire;
pub(super) mod missing;
pub(super) mod seizure;
pub(super) mod stop;
pub(super) mod warn;
pub(super) mod withdraw;

use super::context::Context;
use super::entry::{Entry, Known, Name, needed};
use super::report::Failure;
use crate::record::{Draft, Kind};

/// The consignment that an alert may be about.
fn known(context: &Context, name: Option<&Name>) -> Result<Option<Known>, Failure> {
    name.map(|name| Known::find_with_departures(context, name)).transpose()
}

/// An alert about a consignment, for the others with a part in it; or about none, for those who are named.
fn draft(kind: Kind, known: Option<&Known>, entry: &Entry) -> Result<Draft, Failure> {
    if let Some(known) = known {
        return Ok(Draft { answers: None, ..known.to_others(kind, entry) });
    }
    if entry.to.is_empty() {
        return Err(needed("--to", "without a consignment, say for whom it is, such as --to TR,LB"));
    }
    Ok(Draft { kind: Some(kind), to: entry.to.clone(), ..Draft::default() })
}
