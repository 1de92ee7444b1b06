//! One consignment with what is needed to take in the next event: the announcement, the replies, the shipments, the alerts.

use std::collections::{BTreeMap, BTreeSet};

use super::amendment::{amended, countries, countries_of_arrival, is_material};
use super::balance::{Amount, Amounts, Balance, Sums, amounts};
use super::calendar;
use super::consignment::{Closure, Consignment, Countries, Event, Masses};
use super::state::{Flag, Illegal, State, of_shipments};
use super::tolerance::exceeds;
use super::voyage::Voyage;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Date, Decision, Draft, Kind, Mass, Terms, TransitConsent};

/// An event recorded longer after it happened than this, in seconds, is late.
pub(super) const LATE_AFTER_S: i64 = 48 * 3600;

/// The policies among the records held.
pub(super) type Policies = BTreeMap<RecordId, Terms>;

/// One consignment with what is needed to go on.
pub(super) struct Course<'a> {
    pub(super) id: RecordId,
    policies: &'a Policies,
    ucr: Option<String>,
    /// Every policy that a version cites, whether it is held or not.
    cited: BTreeSet<RecordId>,
    countries: Countries,
    diverted_to: BTreeSet<MemberCode>,
    /// Whether the record that opened it is held.
    held: bool,
    /// The announcement in its present version; none while the notification is not held, or where there is none.
    pub(super) announced: Option<Draft>,
    /// What the records of goods name that nobody announced.
    named: BTreeSet<String>,
    version: RecordId,
    /// When the present version was made, as its author says.
    version_at: Option<UnixTime>,
    /// The present version and the amendments since that changed nothing material: a reply to any of them counts.
    current: BTreeSet<RecordId>,
    /// What they replaced.
    replaced: BTreeSet<RecordId>,
    /// The newest reply of each party to the present version.
    replies: BTreeMap<MemberCode, Reply>,
    /// Questions to the present version that wait for a response.
    pub(super) questions: BTreeSet<RecordId>,
    /// The day to which a question has put the answer off.
    extended: Option<Date>,
    pub(super) decision: Option<Decision>,
    pub(super) voyages: Vec<Voyage>,
    /// The shipment that a record is about.
    voyage_of: BTreeMap<RecordId, usize>,
    pub(super) cancelled: bool,
    pub(super) closure: Option<Closure>,
    pub(super) closing_disputed: bool,
    /// Whom each warning and stop request is addressed to.
    pub(super) asked: BTreeMap<RecordId, BTreeSet<MemberCode>>,
    /// Stop requests.
    pub(super) stops: BTreeSet<RecordId>,
    /// Objections, whether they still count or not.
    objections: BTreeSet<RecordId>,
    /// The answers to stop requests and objections, by what they answer.
    pub(super) stop_answers: BTreeMap<RecordId, BTreeSet<RecordId>>,
    /// Alerts that were not withdrawn, with their kind.
    pub(super) alerts: BTreeMap<RecordId, Kind>,
    /// What was seized without any shipment.
    pub(super) loose: BTreeMap<RecordId, Amounts>,
    /// Records that tell of a diversion.
    pub(super) diversions: BTreeSet<RecordId>,
    /// End-use verifications that found a diversion.
    pub(super) misuse: BTreeSet<RecordId>,
    pub(super) withdrawn: BTreeMap<RecordId, RecordId>,
    flags: BTreeSet<Flag>,
    pub(super) acknowledged_by: BTreeSet<MemberCode>,
    timeline: Vec<Event>,
}

/// What a party says to an announcement.
struct Reply {
    id: RecordId,
    consents: bool,
    at_most: Option<Mass>,
    valid_until: Option<Date>,
}

impl<'a> Course<'a> {
    pub(super) fn new(id: RecordId, policies: &'a Policies) -> Self {
        Self {
            id,
            policies,
            ucr: None,
            cited: BTreeSet::new(),
            countries: Countries {
                exporting: None,
                importing: None,
                transit: BTreeSet::new(),
                diverted_to: BTreeSet::new(),
            },
            diverted_to: BTreeSet::new(),
            held: false,
            announced: None,
            named: BTreeSet::new(),
            version: id,
            version_at: None,
            current: BTreeSet::from([id]),
            replaced: BTreeSet::new(),
            replies: BTreeMap::new(),
            questions: BTreeSet::new(),
            extended: None,
            decision: None,
            voyages: Vec::new(),
            voyage_of: BTreeMap::new(),
            cancelled: false,
            closure: None,
            closing_disputed: false,
            asked: BTreeMap::new(),
            stops: BTreeSet::new(),
            objections: BTreeSet::new(),
            stop_answers: BTreeMap::new(),
            alerts: BTreeMap::new(),
            loose: BTreeMap::new(),
            diversions: BTreeSet::new(),
            misuse: BTreeSet::new(),
            withdrawn: BTreeMap::new(),
            flags: BTreeSet::new(),
            acknowledged_by: BTreeSet::new(),
            timeline: Vec::new(),
        }
    }

    /// The notification, or its next version.
    pub(super) fn announce(&mut self, announced: Draft, at: Option<UnixTime>) {
        self.held = true;
        self.countries = countries(&announced, self.id.log.member);
        self.version_at = at.or(self.version_at);
        self.cited.extend(&announced.policies);
        self.ucr = announced.ucr.as_ref().map(|ucr| ucr.as_str().to_owned());
        self.announced = Some(announced);
    }

    /// Goods that nobody announced: what their arrival or import says of where they come from is all that is known.
    pub(super) fn open_unannounced(&mut self, declared: &Draft) {
        self.held = true;
        self.countries = countries_of_arrival(declared, self.id.log.member);
        self.ucr = declared.ucr.as_ref().map(|ucr| ucr.as_str().to_owned());
    }

    /// Takes note of the substances that a record names of goods that nobody announced.
    pub(super) fn name_substances(&mut self, declared: &Draft) {
        if self.held && self.announced.is_none() {
            self.named.extend(declared.substances.iter().cloned());
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// What only an announcement can have: a reply, a decision, an amendment, a cancellation.
    pub(super) fn check_announced(&self) -> Result<(), Illegal> {
        if self.held && self.announced.is_none() { Err(Illegal::NotAnnounced) } else { Ok(()) }
    }

    /// Whether a reply or question is about the present version.
    pub(super) fn check_version(&self, declared: &Draft) -> Result<(), Illegal> {
        let answered = declared.answers.ok_or(Illegal::NoVersion)?;
        if self.replaced.contains(&answered) {
            Err(Illegal::EarlierVersion)
        } else if self.current.contains(&answered) {
            Ok(())
        } else {
            Err(Illegal::NoVersion)
        }
    }

    pub(super) fn reply(&mut self, id: RecordId, consents: bool, declared: &Draft) -> Result<(), Illegal> {
        self.check_version(declared)?;
        let reply = Reply {
            id,
            consents,
            at_most: declared.max_net_mass_g,
            valid_until: declared.valid_until.filter(|_| consents),
        };
        self.replies.insert(id.log.member, reply);
        if !consents {
            self.objections.insert(id);
        }
        Ok(())
    }

    /// A question: the importing country's first puts the answer off, once for each version.
    pub(super) fn question(&mut self, id: RecordId, declared: &Draft) -> Result<(), Illegal> {
        self.check_version(declared)?;
        self.questions.insert(id);
        if self.is_importing(id.log.member)
            && self.extended.is_none()
            && let (Some(asked), Some(reply_by)) = (declared.extend_reply_by, self.reply_by())
        {
            self.extended = Some(calendar::extended(self.importing_terms(), reply_by, asked));
        }
        Ok(())
    }

    pub(super) fn amend(&mut self, id: RecordId, declared: &Draft) -> Result<(), Illegal> {
        let old = self.announced.as_ref().ok_or(Illegal::NotificationNotHeld)?;
        // What has left is not replied to anew: an objection stays, whatever the route becomes.
        let before_departure = self.voyages.is_empty();
        // A reader without the changes knows that there are some, and has to reckon with the worst.
        let material = if declared.changes.is_empty() {
            before_departure
        } else {
            let mut new = amended(old, &declared.changes, !before_departure).ok_or(Illegal::BadAmendment)?;
            let material = before_departure && is_material(old, &new, self.id.log.member, self.importing_terms());
            if material && declared.reply_by.is_some() {
                new.reply_by = declared.reply_by;
            }
            if declared.changes.iter().any(|change| change.path.starts_with("/arrival")) {
                let expected = new.arrival.and_then(|window| window.latest.or(window.earliest));
                let coming = self.voyages.iter_mut().filter(|voyage| !voyage.arrived && !voyage.imported);
                coming.for_each(|voyage| voyage.expected = expected);
            }
            self.announce(new, None);
            material
        };
        if material {
            self.replaced.append(&mut self.current);
            self.replies.clear();
            self.questions.clear();
            self.extended = None;
            self.decision = None;
            self.version = id;
            self.version_at = declared.issued_at;
        }
        self.current.insert(id);
        self.flags.insert(Flag::Amended);
        Ok(())
    }

    /// The exporting country's decision: its own, within what the receiver's policy makes of silence.
    pub(super) fn decide(&mut self, declared: &Draft) -> Result<(), Illegal> {
        let reply = self.replies.values().any(|reply| Some(reply.id) == declared.answers);
        if !reply {
            self.check_version(declared)?;
        }
        let decision = declared.decision.as_ref().and_then(|decision| decision.valid().copied());
        let decision = decision.ok_or(Illegal::UnknownDecision)?;
        match decision {
            Decision::Released | Decision::Refused => {}
            Decision::ReleasedOverObjection if !self.is_objected() => return Err(Illegal::NotObjected),
            Decision::ReleasedOverObjection => {}
            Decision::ReleasedWithoutReply => {
                let silence = self.importing_terms().and_then(|terms| terms.silence.as_ref());
                if silence.and_then(|silence| silence.valid()) == Some(&crate::record::Silence::Refusal) {
                    return Err(Illegal::SilenceIsRefusal);
                }
                // Who cannot read the trade fields does not know the day, and believes the exporting country.
                let reads_day = self.announced.as_ref().is_some_and(|announced| announced.ucr.is_some());
                let today = declared.issued_at.and_then(|at| Date::of(at).ok());
                let passed = self.reply_by().zip(today).is_some_and(|(reply_by, today)| today > reply_by);
                if reads_day && !passed {
                    return Err(Illegal::BeforeDeadline);
                }
            }
        }
        self.decision = Some(decision);
        Ok(())
    }

    pub(super) fn depart(&mut self, id: RecordId, declared: &Draft) {
        let left_at = declared.happened_at.or(declared.issued_at);
        // Who does not read the trade fields is not told the replies either, and cannot judge.
        let judges = self.announced.as_ref().is_none_or(|announced| announced.ucr.is_some()) || self.is_objected();
        if judges && !self.may_leave(left_at.and_then(|at| Date::of(at).ok())) {
            self.flags.insert(Flag::UnclearedDeparture);
        }
        let announced = self.announced.as_ref();
        let window = declared.arrival.or_else(|| announced?.arrival);
        // What came before its departure was known is this shipment's.
        let unannounced = |voyage: &Voyage| voyage.departure.is_none() && voyage.number == declared.shipment;
        let at = self.voyages.iter().position(unannounced).unwrap_or(self.voyages.len());
        if at == self.voyages.len() {
            self.voyages.push(Voyage::default());
        }
        self.voyage_of.insert(id, at);
        let mode = declared.mode.or_else(|| announced?.mode);
        if let Some(voyage) = self.voyages.get_mut(at) {
            voyage.departure = Some(id);
            voyage.number = declared.shipment;
            voyage.departed_at = left_at;
            voyage.expected = window.and_then(|window| window.latest.or(window.earliest));
            voyage.mode = mode;
            voyage.shipped = amounts(&declared.goods);
        }
        if self.is_over_shipped() {
            self.flags.insert(Flag::OverShipped);
        }
    }

    /// Whether the importing country and every transit country that demands it consent, or the exporting country has decided in law
    /// without them.
    fn may_leave(&self, day: Option<Date>) -> bool {
        match self.decision {
            Some(Decision::Refused) => false,
            Some(Decision::ReleasedOverObjection) => true,
            Some(Decision::ReleasedWithoutReply) if !self.is_objected() => true,
            Some(Decision::Released | Decision::ReleasedWithoutReply) | None => {
                let lapsed = |reply: &Reply| day.zip(reply.valid_until).is_some_and(|(day, last)| day > last);
                self.is_cleared() && !self.replies.values().any(lapsed)
            }
        }
    }

    fn is_over_shipped(&self) -> bool {
        let departed = self.departed();
        let total: u128 = departed.values().map(|amount| amount.net).sum();
        let above_consent =
            self.replies.values().filter_map(|reply| reply.at_most).any(|most| total > u128::from(most.grams()));
        let Some(announced) = self.announced.as_ref().filter(|announced| !announced.goods.is_empty()) else {
            return above_consent;
        };
        let (notified, terms) = (amounts(&announced.goods), self.importing_terms());
        let above = |(substance, amount): (&String, &Amount)| {
            exceeds(substance, *amount, notified.get(substance).copied().unwrap_or_default(), terms)
        };
        above_consent || departed.iter().any(above)
    }

    fn departed(&self) -> Amounts {
        let mut sum = Amounts::new();
        self.voyages.iter().for_each(|voyage| super::balance::add(&mut sum, &voyage.shipped));
        sum
    }

    /// The shipment that a record is about: of the record that it answers, by its number, the only one, else the first that `waits`.
    pub(super) fn voyage(&self, declared: &Draft, waits: fn(&Voyage) -> bool) -> Option<usize> {
        let answered = declared.answers.as_ref().and_then(|answered| self.voyage_of.get(answered).copied());
        let number = declared.shipment;
        answered.or_else(|| match number {
            Some(_) => self.voyages.iter().position(|voyage| voyage.number == number),
            None if self.voyages.len() == 1 => Some(0),
            None => self.voyages.iter().position(waits),
        })
    }

    /// As [`Self::voyage`]; goods whose departure nobody has told are a shipment too.
    pub(super) fn voyage_or_new(&mut self, id: RecordId, declared: &Draft, waits: fn(&Voyage) -> bool) -> &mut Voyage {
        let at = self.voyage(declared, waits).unwrap_or(self.voyages.len());
        if at == self.voyages.len() {
            self.voyages.push(Voyage { number: declared.shipment, ..Voyage::default() });
        }
        self.voyage_of.insert(id, at);
        &mut self.voyages[at]
    }

    /// As [`Self::voyage`], or why there is none.
    pub(super) fn voyage_mut(
        &mut self,
        id: RecordId,
        declared: &Draft,
        waits: fn(&Voyage) -> bool,
    ) -> Result<&mut Voyage, Illegal> {
        let at = self.voyage(declared, waits).ok_or(Illegal::NothingShipped)?;
        self.voyage_of.insert(id, at);
        self.voyages.get_mut(at).ok_or(Illegal::NothingShipped)
    }

    pub(super) fn divert(&mut self, id: RecordId, declared: &Draft) {
        self.diversions.insert(id);
        let to: Option<MemberCode> =
            declared.new_destination.as_ref().and_then(|country| country.as_str().parse().ok());
        self.diverted_to.extend(to);
    }

    pub(super) fn is_exporting(&self, member: MemberCode) -> bool {
        self.countries.exporting == Some(member)
    }

    pub(super) fn is_importing(&self, member: MemberCode) -> bool {
        self.countries.importing == Some(member) || self.diverted_to.contains(&member)
    }

    pub(super) fn is_transit(&self, member: MemberCode) -> bool {
        self.countries.transit.contains(&member)
    }

    pub(super) fn is_party(&self, member: MemberCode) -> bool {
        self.is_exporting(member) || self.is_importing(member) || self.is_transit(member)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closure.as_ref().is_some_and(|closure| closure.confirmed_by.is_some())
    }

    /// Whether this is an objection to the present version, or was one to an earlier.
    pub(super) fn has_objection(&self, id: &RecordId) -> bool {
        self.objections.contains(id)
    }

    fn is_objected(&self) -> bool {
        self.replies.values().any(|reply| !reply.consents)
    }

    /// The importing country consents to the present version, so does every transit country that demands it, and nobody objects.
    fn is_cleared(&self) -> bool {
        let consents = |member: &MemberCode| self.replies.get(member).is_some_and(|reply| reply.consents);
        let demands = |member: &MemberCode| {
            let transit = self.terms_of(*member).and_then(|(_, terms)| terms.transit.as_ref());
            transit.and_then(|transit| transit.valid()) == Some(&TransitConsent::Required)
        };
        let demanding = self.countries.transit.iter().filter(|member| demands(member));
        self.countries.importing.as_ref().is_some_and(consents)
            && demanding.into_iter().all(consents)
            && !self.is_objected()
    }

    /// The policy of a country that the present version cites, if it is held.
    fn terms_of(&self, member: MemberCode) -> Option<(RecordId, &'a Terms)> {
        let cited = self.announced.iter().flat_map(|announced| &announced.policies);
        let held = cited.filter_map(|id| Some((*id, self.policies.get(id)?)));
        held.filter(|(id, _)| id.log.member == member).max_by_key(|(id, _)| *id)
    }

    fn importing_terms(&self) -> Option<&'a Terms> {
        self.terms_of(self.countries.importing?).map(|(_, terms)| terms)
    }

    /// The last day for an answer: by the receiver's policy that is cited, else as the notification says.
    fn reply_by(&self) -> Option<Date> {
        let made = self.version_at.and_then(|at| Date::of(at).ok());
        let by_policy = self.importing_terms().zip(made).and_then(|(terms, made)| calendar::reply_by(terms, made));
        let stated = || self.announced.as_ref().and_then(|announced| announced.reply_by);
        self.extended.or(by_policy).or_else(stated)
    }

    /// Where each shipment stands.
    pub(super) fn shipment_states(&self) -> Vec<State> {
        let terms = self.importing_terms();
        self.voyages.iter().map(|voyage| voyage.state(terms)).collect()
    }

    fn state(&self) -> State {
        let shipments = self.shipment_states();
        if self.cancelled {
            State::Cancelled
        } else if self.is_closed() {
            State::Closed
        } else if let Some(state) = of_shipments(&shipments) {
            state
        } else if self.is_objected() && self.decision != Some(Decision::ReleasedOverObjection) {
            State::Objected
        } else if self.decision.is_some() {
            State::Decided
        } else if self.is_cleared() {
            State::Cleared
        } else if !self.questions.is_empty() {
            State::Query
        } else {
            State::Notified
        }
    }

    pub(super) fn note(&mut self, event: Event) {
        let late = |happened: UnixTime| event.issued_at.since(happened) > LATE_AFTER_S;
        if event.illegal.is_none() && event.happened_at.is_some_and(late) {
            self.flags.insert(Flag::LateReport);
        }
        self.timeline.push(event);
    }

    /// The consignment as it stands at the end.
    pub(super) fn finish(mut self) -> Consignment {
        self.raise_flags();
        self.countries.diverted_to = self.diverted_to.clone();
        let terms = self.importing_terms();
        for event in &mut self.timeline {
            event.withdrawn_by = self.withdrawn.get(&event.id).copied();
            event.shipment = self.voyage_of.get(&event.id).copied();
        }
        Consignment {
            id: self.id,
            state: self.held.then(|| self.state()),
            ucr: self.ucr.clone(),
            countries: self.countries.clone(),
            substances: self.substances(),
            masses: self.masses(),
            balance: self.balance(),
            version: self.version,
            policy: self.countries.importing.and_then(|member| self.terms_of(member)).map(|(id, _)| id),
            policies: self.cited.clone(),
            reply_by: self.reply_by(),
            valid_until: self.replies.values().filter_map(|reply| reply.valid_until).min(),
            shipments: self
                .voyages
                .iter()
                .map(|voyage| voyage.shown(terms, &|member| self.is_importing(member)))
                .collect(),
            due: self.due(),
            flags: self.flags,
            closure: self.closure,
            acknowledged_by: self.acknowledged_by,
            timeline: self.timeline,
        }
    }

    /// The flags that follow from everything together.
    fn raise_flags(&mut self) {
        let alerted = |kind: &Kind| self.alerts.values().any(|alert| alert == kind);
        let came = |voyage: &Voyage| voyage.departure.is_none() && (voyage.arrived || voyage.imported);
        let raised = [
            (Flag::Objected, !self.voyages.is_empty() && self.is_objected()),
            (Flag::ArrivedUnannounced, self.voyages.iter().any(came)),
            (Flag::Disputed, self.closing_disputed || self.voyages.iter().any(Voyage::is_disputed)),
            (Flag::Diverted, !self.diversions.is_empty() || !self.misuse.is_empty()),
            (Flag::Stopped, !self.stops.is_empty()),
            (Flag::Warned, alerted(&Kind::Warning)),
            (Flag::Seized, alerted(&Kind::Seizure)),
        ];
        self.flags.extend(raised.into_iter().filter(|(_, holds)| *holds).map(|(flag, _)| flag));
    }

    /// What waits for an answer: stop requests, objections to what has left, and misuse that nobody has reported.
    fn due(&self) -> BTreeMap<RecordId, Kind> {
        if self.cancelled || self.is_closed() {
            return BTreeMap::new();
        }
        let objected = self.replies.values().filter(|reply| !reply.consents && !self.voyages.is_empty());
        let demands = self.stops.iter().copied().chain(objected.map(|reply| reply.id));
        let unanswered = demands.filter(|id| self.stop_answers.get(id).is_none_or(BTreeSet::is_empty));
        let reported = self.alerts.values().any(|alert| *alert == Kind::Incident);
        let misuse = self.misuse.iter().filter(|_| !reported).map(|id| (*id, Kind::Incident));
        unanswered.map(|id| (id, Kind::StopAnswer)).chain(misuse).collect()
    }

    fn substances(&self) -> BTreeSet<String> {
        let Some(announced) = &self.announced else { return self.named.clone() };
        // Without the goods, which not everybody reads, the summary names the substances.
        if announced.goods.is_empty() {
            announced.substances.iter().cloned().collect()
        } else {
            announced.goods.iter().filter_map(|line| line.substance.clone()).collect()
        }
    }

    fn notified(&self) -> Amounts {
        self.announced.as_ref().map(|announced| amounts(&announced.goods)).unwrap_or_default()
    }

    /// The masses as they were declared.
    fn masses(&self) -> BTreeMap<String, Masses> {
        let mut received = Amounts::new();
        self.voyages.iter().for_each(|voyage| super::balance::add(&mut received, &voyage.received));
        let mut masses: BTreeMap<String, Masses> = BTreeMap::new();
        let mut put = |amounts: &Amounts, of: fn(&mut Masses) -> &mut u64| {
            for (substance, amount) in amounts {
                *of(masses.entry(substance.clone()).or_default()) = narrow(amount.net);
            }
        };
        put(&self.notified(), |mass| &mut mass.notified);
        put(&self.departed(), |mass| &mut mass.departed);
        put(&received, |mass| &mut mass.received);
        masses
    }

    fn balance(&self) -> BTreeMap<String, Balance> {
        let notified = self.notified();
        let loose = self.loose.values().flat_map(BTreeMap::keys);
        let named = self.voyages.iter().flat_map(Voyage::substances);
        let substances: BTreeSet<String> = notified.keys().chain(named).chain(loose).cloned().collect();
        let sums = |substance: &str, of: fn(&Amount) -> u128| {
            let grams = |amounts: &Amounts| amounts.get(substance).map_or(0, of);
            let importing = |member| self.is_importing(member);
            let shares: Vec<_> = self.voyages.iter().map(|voyage| voyage.share(substance, &importing, of)).collect();
            Sums::of(grams(&notified), self.cancelled, self.loose.values().map(grams).sum(), &shares)
        };
        let balance = |substance: String| {
            let (net, pure) = (sums(&substance, |amount| amount.net), sums(&substance, |amount| amount.pure));
            (substance, Balance { net, pure })
        };
        substances.into_iter().map(balance).collect()
    }
}

/// A sum for a place of 64 bits: it stops at the largest number.
fn narrow(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
