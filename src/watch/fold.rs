//! The fold: every kind of event with who may say it, when, and what it changes.

use std::collections::{BTreeMap, BTreeSet};

use super::amendment::{add, amended, countries, exceeds, is_material, masses};
use super::consignment::{Consignment, Countries, Event, Flag, Illegal, Masses, State};
use super::order::causal;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Mass, PartialRecord};

/// An event recorded longer after it happened than this, in seconds, is late.
const LATE_AFTER_S: i64 = 48 * 3600;

/// One consignment with what is needed to go on.
struct Course {
    shown: Consignment,
    /// The announcement in its present version; none while the notification is not held.
    announced: Option<Draft>,
    /// The present version and the amendments since that changed nothing material: a reply to any of them counts.
    current: BTreeSet<RecordId>,
    /// What they replaced.
    replaced: BTreeSet<RecordId>,
    /// The newest reply of each party to the present version.
    replies: BTreeMap<MemberCode, Reply>,
    /// How far the goods got.
    progress: Option<State>,
    /// Whether any departure is known.
    departed: bool,
    cancelled: bool,
    /// Whom each warning and stop request is addressed to.
    asked: BTreeMap<RecordId, BTreeSet<MemberCode>>,
}

/// What a party says to an announcement.
struct Reply {
    consents: bool,
    at_most: Option<Mass>,
}

pub(super) fn fold(records: &BTreeMap<RecordId, PartialRecord>) -> BTreeMap<RecordId, Consignment> {
    let mut courses: BTreeMap<RecordId, Course> = BTreeMap::new();
    let mut belongs: BTreeMap<RecordId, RecordId> = BTreeMap::new();
    for id in causal(records) {
        let declared = records[&id].declared();
        let (Some(kind), Some(issued_at)) = (&declared.kind, declared.issued_at) else { continue };
        for (consignment, fault) in consignments_of(id, kind, declared, &belongs) {
            if *kind != Kind::Acknowledgement {
                belongs.insert(id, consignment);
            }
            let course = courses.entry(consignment).or_insert_with(|| Course::new(consignment));
            let illegal = fault.map_or_else(|| course.take(id, kind, declared).err(), Some);
            course.note(Event { id, kind: kind.clone(), issued_at, happened_at: declared.happened_at, illegal });
        }
    }
    courses.into_iter().map(|(id, course)| (id, course.finish())).collect()
}

/// The consignments that a record is about: one, or for an acknowledgement as many as it names.
fn consignments_of(
    id: RecordId,
    kind: &Kind,
    declared: &Draft,
    belongs: &BTreeMap<RecordId, RecordId>,
) -> BTreeMap<RecordId, Option<Illegal>> {
    let known = |id: &RecordId| belongs.get(id).copied();
    if *kind == Kind::ExportNotification {
        return BTreeMap::from([(id, None)]);
    }
    if *kind == Kind::Acknowledgement {
        return declared.acknowledges.iter().filter_map(known).map(|id| (id, None)).collect();
    }
    let answered = declared.answers.as_ref().and_then(known);
    let named = declared.consignment.map(|named| known(&named).unwrap_or(named));
    let contradicts = named.zip(answered).is_some_and(|(named, answered)| named != answered);
    let fault = contradicts.then_some(Illegal::OtherConsignment);
    named.or(answered).map(|id| (id, fault)).into_iter().collect()
}

impl Course {
    fn new(id: RecordId) -> Self {
        let countries = Countries { exporting: id.log.member, importing: None, transit: BTreeSet::new() };
        Self {
            shown: Consignment {
                id,
                state: None,
                flags: BTreeSet::new(),
                countries,
                substances: BTreeSet::new(),
                masses: BTreeMap::new(),
                version: id,
                acknowledged_by: BTreeSet::new(),
                timeline: Vec::new(),
            },
            announced: None,
            current: BTreeSet::from([id]),
            replaced: BTreeSet::new(),
            replies: BTreeMap::new(),
            progress: None,
            departed: false,
            cancelled: false,
            asked: BTreeMap::new(),
        }
    }

    /// Takes an event in, or says why it changes nothing. What is refused leaves no trace.
    fn take(&mut self, id: RecordId, kind: &Kind, declared: &Draft) -> Result<(), Illegal> {
        let by = id.log.member;
        match kind {
            Kind::ExportNotification => self.announce(declared.clone()),
            Kind::Acknowledgement => {
                if declared.acknowledges.contains(&self.shown.id) {
                    self.shown.acknowledged_by.insert(by);
                }
            }
            Kind::NoObjection | Kind::Objection => {
                self.guard(self.is_importing(by) || self.is_transit(by))?;
                self.reply(by, kind, declared)?;
            }
            Kind::StopRequest => {
                self.guard(self.is_party(by))?;
                self.asked.insert(id, declared.to.iter().copied().collect());
                self.shown.flags.insert(Flag::Stopped);
            }
            Kind::Amendment => {
                self.guard(self.is_exporting(by))?;
                self.amend(id, declared)?;
            }
            Kind::Cancellation => {
                self.guard(self.is_exporting(by))?;
                if self.progress.is_some() {
                    return Err(Illegal::AfterDeparture);
                }
                self.cancelled = true;
            }
            Kind::Departure => {
                self.guard(self.is_exporting(by))?;
                self.depart(declared);
            }
            Kind::Arrival => {
                self.guard(self.is_importing(by))?;
                self.progress = self.progress.max(Some(State::Arrived));
            }
            Kind::ImportConfirmation => {
                self.guard(self.is_importing(by))?;
                self.progress = Some(State::Imported);
                add(&mut self.shown.masses, &declared.goods, |mass| &mut mass.received);
            }
            // Anybody may warn and report, also about what was cancelled or is not known here.
            Kind::Warning => {
                self.asked.insert(id, declared.to.iter().copied().collect());
                self.shown.flags.insert(Flag::Warned);
            }
            Kind::Feedback => {
                let asked = declared.answers.as_ref().and_then(|answered| self.asked.get(answered));
                if !asked.is_some_and(|members| members.contains(&by)) {
                    return Err(Illegal::NotAddressed);
                }
            }
            Kind::Seizure => {
                self.shown.flags.insert(Flag::Seized);
            }
            // Told in the timeline; what they change is not derived yet.
            Kind::InfoRequest
            | Kind::InfoResponse
            | Kind::ExportDecision
            | Kind::TransitEntry
            | Kind::TransitExit
            | Kind::Transshipment
            | Kind::Diversion
            | Kind::DiscrepancyNote
            | Kind::EndUseVerification
            | Kind::Closure
            | Kind::Reopening
            | Kind::OverdueInquiry
            | Kind::Missing
            | Kind::StopAnswer
            | Kind::Incident
            | Kind::Withdrawal
            | Kind::OperationOpening
            | Kind::OperationInvitation
            | Kind::OperationMessage
            | Kind::OperationJoining
            | Kind::OperationClosing
            | Kind::Policy
            | Kind::CodeList
            | Kind::AudienceGrant => {}
            Kind::Other(_) => return Err(Illegal::UnknownKind),
        }
        Ok(())
    }

    /// What holds for every event of the parties.
    fn guard(&self, is_its_part: bool) -> Result<(), Illegal> {
        if self.announced.is_none() {
            Err(Illegal::NotificationNotHeld)
        } else if !is_its_part {
            Err(Illegal::NotAParty)
        } else if self.cancelled {
            Err(Illegal::AfterCancellation)
        } else {
            Ok(())
        }
    }

    /// The notification, or its next version.
    fn announce(&mut self, announced: Draft) {
        let notified = masses(&announced.goods);
        self.shown.countries = countries(&announced, self.shown.id.log.member);
        // Without the goods, which not everybody reads, the summary names the substances.
        self.shown.substances = if announced.goods.is_empty() {
            announced.substances.iter().cloned().collect()
        } else {
            announced.goods.iter().filter_map(|line| line.substance.clone()).collect()
        };
        self.shown.masses.values_mut().for_each(|mass| mass.notified = 0);
        for (substance, grams) in notified {
            self.shown.masses.entry(substance).or_default().notified = grams;
        }
        self.shown.masses.retain(|_, mass| *mass != Masses::default());
        self.announced = Some(announced);
    }

    fn reply(&mut self, by: MemberCode, kind: &Kind, declared: &Draft) -> Result<(), Illegal> {
        let answered = declared.answers.ok_or(Illegal::NoVersion)?;
        if self.replaced.contains(&answered) {
            return Err(Illegal::EarlierVersion);
        }
        if !self.current.contains(&answered) {
            return Err(Illegal::NoVersion);
        }
        let consents = *kind == Kind::NoObjection;
        self.replies.insert(by, Reply { consents, at_most: declared.max_net_mass_g });
        Ok(())
    }

    fn amend(&mut self, id: RecordId, declared: &Draft) -> Result<(), Illegal> {
        let old = self.announced.as_ref().ok_or(Illegal::NotificationNotHeld)?;
        // A reader without the changes knows that there are some, and has to reckon with the worst.
        let material = if declared.changes.is_empty() {
            true
        } else {
            let new = amended(old, &declared.changes, self.progress.is_some()).ok_or(Illegal::BadAmendment)?;
            let material = is_material(old, &new, self.shown.id.log.member);
            self.announce(new);
            material
        };
        if material {
            self.replaced.append(&mut self.current);
            self.replies.clear();
            self.shown.version = id;
        }
        self.current.insert(id);
        self.shown.flags.insert(Flag::Amended);
        Ok(())
    }

    fn depart(&mut self, declared: &Draft) {
        if !self.is_cleared() {
            self.shown.flags.insert(Flag::UnclearedDeparture);
        }
        self.departed = true;
        self.progress = self.progress.max(Some(State::Departed));
        add(&mut self.shown.masses, &declared.goods, |mass| &mut mass.departed);
        let total = self.shown.masses.values().fold(0_u64, |sum, mass| sum.saturating_add(mass.departed));
        let above_consent = self.replies.values().filter_map(|reply| reply.at_most).any(|most| total > most.grams());
        let announced = self.announced.as_ref().is_some_and(|announced| !announced.goods.is_empty());
        let above_announced = announced && self.shown.masses.values().any(|mass| exceeds(mass.departed, mass.notified));
        if above_consent || above_announced {
            self.shown.flags.insert(Flag::OverShipped);
        }
    }

    fn is_exporting(&self, member: MemberCode) -> bool {
        self.shown.countries.exporting == member
    }

    fn is_importing(&self, member: MemberCode) -> bool {
        self.shown.countries.importing == Some(member)
    }

    fn is_transit(&self, member: MemberCode) -> bool {
        self.shown.countries.transit.contains(&member)
    }

    fn is_party(&self, member: MemberCode) -> bool {
        self.is_exporting(member) || self.is_importing(member) || self.is_transit(member)
    }

    fn is_objected(&self) -> bool {
        self.replies.values().any(|reply| !reply.consents)
    }

    /// The importing country consents to the present version, and nobody objects.
    fn is_cleared(&self) -> bool {
        let importing = self.shown.countries.importing.and_then(|member| self.replies.get(&member));
        importing.is_some_and(|reply| reply.consents) && !self.is_objected()
    }

    fn state(&self) -> State {
        if self.cancelled {
            State::Cancelled
        } else if let Some(progress) = self.progress {
            progress
        } else if self.is_objected() {
            State::Objected
        } else if self.is_cleared() {
            State::Cleared
        } else {
            State::Notified
        }
    }

    fn note(&mut self, event: Event) {
        let late = |happened: UnixTime| event.issued_at.since(happened) > LATE_AFTER_S;
        if event.illegal.is_none() && event.happened_at.is_some_and(late) {
            self.shown.flags.insert(Flag::LateReport);
        }
        self.shown.timeline.push(event);
    }

    /// The consignment as it stands at the end.
    fn finish(mut self) -> Consignment {
        if self.progress.is_some() && self.is_objected() {
            self.shown.flags.insert(Flag::Objected);
        }
        if self.progress.is_some() && !self.departed {
            self.shown.flags.insert(Flag::ArrivedUnannounced);
        }
        self.shown.state = self.announced.is_some().then(|| self.state());
        self.shown
    }
}
