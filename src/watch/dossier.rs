//! One consignment with the records that tell of it: what reconciliation, risk and the timeline look into.

use std::collections::BTreeMap;

use super::amendment::amended;
use super::consignment::{Consignment, Event};
use crate::encoding::ids::RecordId;
use crate::record::{Draft, Kind, PartialRecord};

/// Records by id, as far as this node can read them.
pub type Records = BTreeMap<RecordId, PartialRecord>;

/// A consignment and its records.
///
/// Events that change nothing, and alerts that were withdrawn, are left out of every answer but [`Dossier::declared`].
#[derive(Clone, Copy, Debug)]
pub struct Dossier<'a> {
    /// Where it stands.
    pub consignment: &'a Consignment,
    /// Its records, at least those of the timeline. Others may be among them.
    pub records: &'a Records,
}

impl<'a> Dossier<'a> {
    /// What a record declares, if it is here.
    #[must_use]
    pub fn declared(&self, id: RecordId) -> Option<&'a Draft> {
        self.records.get(&id).map(PartialRecord::declared)
    }

    /// The events of a kind that count, in causal order, each with what it declares.
    pub fn events(&self, kind: &Kind) -> impl Iterator<Item = (&'a Event, &'a Draft)> {
        let records = self.records;
        let events = self.consignment.timeline.iter().filter(move |event| event.kind == *kind);
        let counting = events.filter(|event| event.illegal.is_none() && event.withdrawn_by.is_none());
        counting.filter_map(move |event| Some((event, records.get(&event.id)?.declared())))
    }

    /// What the notification announced, before any amendment. None of goods that nobody announced.
    #[must_use]
    pub fn notification(&self) -> Option<&'a Draft> {
        let opening = self.declared(self.consignment.id);
        opening.filter(|opening| opening.kind == Some(Kind::ExportNotification))
    }

    /// What is announced now: the notification with every amendment that counts.
    #[must_use]
    pub fn announced(&self) -> Option<Draft> {
        let mut announced = self.notification()?.clone();
        let departed = |at: usize| {
            let earlier = self.consignment.timeline.iter().take(at);
            earlier.into_iter().any(|event| event.kind == Kind::Departure && event.illegal.is_none())
        };
        for (at, event) in self.consignment.timeline.iter().enumerate() {
            if event.kind != Kind::Amendment || event.illegal.is_some() {
                continue;
            }
            let changes = self.declared(event.id).map(|amendment| amendment.changes.as_slice());
            if let Some(changed) = changes.and_then(|changes| amended(&announced, changes, departed(at))) {
                announced = changed;
            }
        }
        Some(announced)
    }
}
