//! The fold: every kind of event with who may say it, when, and what it changes.

use std::collections::BTreeMap;

use super::balance::{add, amounts};
use super::consignment::{Closure, Consignment, Event};
use super::course::{Course, Policies};
use super::membership::Membership;
use super::order::causal;
use super::state::{Illegal, State};
use super::voyage::Note;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::record::{ClosingState, Declared, Draft, IncidentKind, Kind, PartialRecord, Release, Terms, Verification};

/// The consignments that the records tell of. What `is_left_out` is told in the timeline as it would be and is not taken in: for tests.
pub(super) fn fold(
    records: &BTreeMap<RecordId, PartialRecord>,
    is_left_out: impl Fn(&RecordId) -> bool,
) -> BTreeMap<RecordId, Consignment> {
    let policies: Policies =
        records.iter().filter_map(|(id, record)| Some((*id, published_terms(record)?.clone()))).collect();
    let mut membership = Membership::default();
    for (id, record) in records {
        membership.take(*id, record.declared());
    }
    let consignment = |id: RecordId| {
        let of_it = membership.records(id).filter_map(|record| Some((record, records.get(&record)?))).collect();
        let consignment = course(id, &of_it, &membership, &policies, &is_left_out);
        (!consignment.timeline.is_empty()).then_some((id, consignment))
    };
    membership.consignments().filter_map(consignment).collect()
}

/// One consignment by its records. `policies` are at least those that they cite, as far as they are held.
pub(super) fn course(
    id: RecordId,
    records: &BTreeMap<RecordId, &PartialRecord>,
    membership: &Membership,
    policies: &Policies,
    is_left_out: impl Fn(&RecordId) -> bool,
) -> Consignment {
    let mut course = Course::new(id, policies);
    for id in causal(records) {
        if is_left_out(&id) {
            continue;
        }
        let declared = records[&id].declared();
        let (Some(kind), Some(issued_at)) = (&declared.kind, declared.issued_at) else { continue };
        let fault = membership.contradicts_itself(id).then_some(Illegal::OtherConsignment);
        let illegal = fault.map_or_else(|| course.take(id, kind, declared).err(), Some);
        let happened_at = declared.happened_at;
        course.note(Event {
            id,
            kind: kind.clone(),
            issued_at,
            happened_at,
            illegal,
            withdrawn_by: None,
            shipment: None,
        });
    }
    course.finish()
}

/// The terms that a record publishes, if it is a policy.
pub(super) fn published_terms(record: &PartialRecord) -> Option<&Terms> {
    record.declared().terms.as_ref().filter(|_| record.kind() == Some(&Kind::Policy))
}

impl Course<'_> {
    /// Takes an event in, or says why it changes nothing. What is refused leaves no trace.
    fn take(&mut self, id: RecordId, kind: &Kind, declared: &Draft) -> Result<(), Illegal> {
        let by = id.log.member;
        match kind {
            Kind::ExportNotification => self.announce(declared.clone(), declared.issued_at),
            Kind::Acknowledgement => {
                if declared.acknowledges.contains(&self.id) {
                    self.acknowledged_by.insert(by);
                }
            }
            Kind::InfoRequest => {
                self.guard(self.is_importing(by) || self.is_transit(by))?;
                self.question(id, declared)?;
            }
            Kind::InfoResponse => {
                self.guard(self.is_exporting(by))?;
                let answered = declared.answers.ok_or(Illegal::NoQuestion)?;
                if !self.questions.remove(&answered) {
                    return Err(Illegal::NoQuestion);
                }
            }
            Kind::NoObjection | Kind::Objection => {
                self.guard(self.is_importing(by) || self.is_transit(by))?;
                self.check_announced()?;
                self.reply(id, *kind == Kind::NoObjection, declared)?;
                if *kind == Kind::Objection {
                    self.asked.insert(id, declared.to.iter().copied().collect());
                }
            }
            Kind::StopRequest => {
                self.guard(self.is_party(by))?;
                self.asked.insert(id, declared.to.iter().copied().collect());
                self.stops.insert(id);
            }
            Kind::ExportDecision => {
                self.guard(self.is_exporting(by))?;
                self.check_announced()?;
                self.decide(declared)?;
            }
            Kind::Amendment => {
                self.guard(self.is_exporting(by))?;
                self.check_announced()?;
                self.amend(id, declared)?;
            }
            Kind::Cancellation => {
                self.guard(self.is_exporting(by))?;
                self.check_announced()?;
                if !self.voyages.is_empty() {
                    return Err(Illegal::AfterDeparture);
                }
                self.cancelled = true;
            }
            Kind::Departure
            | Kind::TransitEntry
            | Kind::TransitExit
            | Kind::Transshipment
            | Kind::Diversion
            | Kind::Arrival
            | Kind::ImportConfirmation => self.take_movement(id, kind, declared)?,
            Kind::DiscrepancyNote | Kind::EndUseVerification | Kind::Closure | Kind::Reopening => {
                self.take_settlement(id, kind, declared)?;
            }
            Kind::OverdueInquiry
            | Kind::Missing
            | Kind::Warning
            | Kind::Feedback
            | Kind::StopAnswer
            | Kind::Seizure
            | Kind::Incident
            | Kind::Withdrawal => self.take_alert(id, kind, declared)?,
            Kind::AudienceGrant => self.party(self.is_party(by))?,
            // They belong to no consignment; who names one all the same changes nothing of it.
            Kind::OperationOpening
            | Kind::OperationInvitation
            | Kind::OperationMessage
            | Kind::OperationJoining
            | Kind::OperationClosing
            | Kind::Policy
            | Kind::CodeList
            | Kind::AuditAnchor
            | Kind::Erasure
            | Kind::ErasureReceipt => {}
            Kind::Other(_) => return Err(Illegal::UnknownKind),
        }
        Ok(())
    }

    /// The goods move.
    fn take_movement(&mut self, id: RecordId, kind: &Kind, declared: &Draft) -> Result<(), Illegal> {
        let by = id.log.member;
        if *kind == Kind::Departure {
            self.guard(self.is_exporting(by))?;
            self.depart(id, declared);
        } else if *kind == Kind::Diversion {
            self.guard(self.is_party(by))?;
            self.divert(id, declared);
        } else if matches!(kind, Kind::Arrival | Kind::ImportConfirmation) {
            if id == self.id && declared.opens_unannounced() {
                self.open_unannounced(declared);
            }
            self.guard(self.is_importing(by))?;
            self.name_substances(declared);
            let imported = *kind == Kind::ImportConfirmation;
            let waits = if imported {
                |voyage: &super::voyage::Voyage| !voyage.imported
            } else {
                |voyage: &super::voyage::Voyage| !voyage.arrived
            };
            let voyage = self.voyage_or_new(id, declared, waits);
            voyage.arrive();
            if !imported {
                voyage.arrivals.push(id);
            }
            // Goods that were refused are here, and not received.
            if imported && declared.release != Some(Declared::Valid(Release::Refused)) {
                voyage.imported = true;
                voyage.imports.push(id);
                voyage.imported_at = declared.happened_at.or(declared.issued_at);
                add(&mut voyage.received, &amounts(&declared.goods));
            }
        } else {
            // Into a transit country, out of it, or from ship to ship.
            let exporting = *kind == Kind::Transshipment && self.is_exporting(by);
            self.guard(self.is_transit(by) || exporting)?;
            self.voyage_or_new(id, declared, |voyage| !voyage.arrived).in_transit = true;
        }
        Ok(())
    }

    /// What left and what came is compared, and the consignment comes to its end.
    fn take_settlement(&mut self, id: RecordId, kind: &Kind, declared: &Draft) -> Result<(), Illegal> {
        let by = id.log.member;
        let (exporting, importing) = (self.is_exporting(by), self.is_importing(by));
        if *kind == Kind::DiscrepancyNote {
            self.party(exporting || importing)?;
            let note = Note::of(declared, amounts(&declared.goods));
            let voyage = self.voyage_mut(id, declared, |voyage| voyage.imported)?;
            *(if exporting { &mut voyage.exporting_note } else { &mut voyage.importing_note }) = Some(note);
        } else if *kind == Kind::EndUseVerification {
            self.guard(importing)?;
            let voyage = self.voyage(declared, |voyage| voyage.imported).ok_or(Illegal::NotImported)?;
            if !self.voyages[voyage].imported {
                return Err(Illegal::NotImported);
            }
            self.voyage_mut(id, declared, |voyage| voyage.imported)?.end_use.clone_from(&declared.verification);
            if declared.verification == Some(Declared::Valid(Verification::Diverted)) {
                self.misuse.insert(id);
            }
        } else if *kind == Kind::Closure {
            self.guard(exporting || importing)?;
            if importing { self.propose_closure(id, declared)? } else { self.confirm_closure(id, declared)? }
        } else {
            self.party(exporting || importing)?;
            if !self.cancelled && !self.is_closed() {
                return Err(Illegal::NotClosed);
            }
            self.cancelled = false;
            self.closure = None;
            self.closing_disputed = false;
        }
        Ok(())
    }

    fn propose_closure(&mut self, id: RecordId, declared: &Draft) -> Result<(), Illegal> {
        let states: Vec<State> = self.shipment_states();
        let accounted = !states.is_empty() && states.iter().all(|state| *state >= State::Imported);
        let reconciled = declared.closing_state == Some(Declared::Valid(ClosingState::Reconciled));
        if !accounted || (reconciled && states.contains(&State::Discrepant)) {
            return Err(Illegal::NotAccountedFor);
        }
        self.closing_disputed = false;
        self.closure = Some(Closure {
            proposal: id,
            proposed_at: declared.issued_at.unwrap_or(crate::encoding::time::UnixTime::ZERO),
            closing_state: declared.closing_state.clone(),
            confirmed_by: None,
        });
        Ok(())
    }

    fn confirm_closure(&mut self, id: RecordId, declared: &Draft) -> Result<(), Illegal> {
        let closure = self.closure.as_mut().ok_or(Illegal::NoProposal)?;
        if closure.closing_state == declared.closing_state {
            closure.confirmed_by = Some(id);
            self.closing_disputed = false;
        } else {
            self.closing_disputed = true;
        }
        Ok(())
    }

    /// Anybody may warn and report, also about what was cancelled, closed or is not known here.
    fn take_alert(&mut self, id: RecordId, kind: &Kind, declared: &Draft) -> Result<(), Illegal> {
        let by = id.log.member;
        let party = self.is_held() && self.is_party(by);
        if *kind == Kind::OverdueInquiry {
            self.party(self.is_exporting(by) || self.is_importing(by))?;
        } else if *kind == Kind::Missing {
            self.party(self.is_exporting(by) || self.is_importing(by))?;
            let voyage = self.voyage_mut_if(id, declared, |voyage| !voyage.arrived)?;
            voyage.missing.insert(id);
        } else if *kind == Kind::Warning {
            self.asked.insert(id, declared.to.iter().copied().collect());
        } else if *kind == Kind::Feedback {
            let asked = declared.answers.as_ref().filter(|answered| !self.has_objection(answered));
            if !asked.is_some_and(|answered| self.is_asked(answered, by)) {
                return Err(Illegal::NotAddressed);
            }
        } else if *kind == Kind::StopAnswer {
            self.party(self.is_exporting(by) || self.is_transit(by))?;
            let demand = declared.answers.filter(|id| self.stops.contains(id) || self.has_objection(id));
            let demand = demand.filter(|answered| self.is_asked(answered, by)).ok_or(Illegal::NotAddressed)?;
            self.stop_answers.entry(demand).or_default().insert(id);
        } else if *kind == Kind::Seizure {
            let seized = amounts(&declared.goods);
            match self.voyage(declared, |voyage| !voyage.imported) {
                Some(at) => drop(self.voyages[at].seized.insert(id, (by, seized))),
                None => drop(self.loose.insert(id, seized)),
            }
        } else if *kind == Kind::Incident {
            let what = declared.incident.as_ref().and_then(|incident| incident.valid().copied());
            if party && what == Some(IncidentKind::Diversion) {
                self.diversions.insert(id);
            }
            // A stranger's word changes no state; without the word itself a party is believed to mean the goods.
            if party
                && what != Some(IncidentKind::SuspiciousTransaction)
                && let Ok(voyage) = self.voyage_mut_if(id, declared, |voyage| !voyage.arrived)
            {
                voyage.incidents.insert(id);
            }
        } else {
            return self.withdraw(id, declared);
        }
        self.alerts.insert(id, kind.clone());
        Ok(())
    }

    /// As [`Course::voyage_mut`], for a shipment that has not arrived.
    fn voyage_mut_if(
        &mut self,
        id: RecordId,
        declared: &Draft,
        waits: fn(&super::voyage::Voyage) -> bool,
    ) -> Result<&mut super::voyage::Voyage, Illegal> {
        let at = self.voyage(declared, waits);
        let at = at.ok_or(if self.voyages.is_empty() { Illegal::NothingShipped } else { Illegal::HasArrived })?;
        if !waits(&self.voyages[at]) {
            return Err(Illegal::HasArrived);
        }
        self.voyage_mut(id, declared, waits)
    }

    /// Takes an alert back: it stays in the timeline, and what it changed is undone.
    fn withdraw(&mut self, id: RecordId, declared: &Draft) -> Result<(), Illegal> {
        let alert = declared.answers.filter(|alert| alert.log.member == id.log.member);
        let alert = alert.filter(|alert| self.alerts.contains_key(alert)).ok_or(Illegal::NoOwnAlert)?;
        self.alerts.remove(&alert);
        self.asked.remove(&alert);
        self.loose.remove(&alert);
        self.diversions.remove(&alert);
        for voyage in &mut self.voyages {
            voyage.missing.remove(&alert);
            voyage.incidents.remove(&alert);
            voyage.seized.remove(&alert);
        }
        for answers in self.stop_answers.values_mut() {
            answers.remove(&alert);
        }
        self.withdrawn.insert(alert, id);
        Ok(())
    }

    fn is_asked(&self, record: &RecordId, member: MemberCode) -> bool {
        self.asked.get(record).is_some_and(|members| members.contains(&member))
    }

    /// What holds for every event of the parties, while the consignment is open.
    fn guard(&self, is_its_part: bool) -> Result<(), Illegal> {
        self.party(is_its_part)?;
        if self.cancelled {
            Err(Illegal::AfterCancellation)
        } else if self.is_closed() {
            Err(Illegal::AfterClosure)
        } else {
            Ok(())
        }
    }

    /// What holds for the events of the parties that may follow a cancellation or closure too.
    fn party(&self, is_its_part: bool) -> Result<(), Illegal> {
        if !self.is_held() {
            Err(Illegal::NotificationNotHeld)
        } else if !is_its_part {
            Err(Illegal::NotAParty)
        } else {
            Ok(())
        }
    }
}
