//! What one consignment gives to the figures: small, made from its records, and enough to be put in and taken out again.

use std::collections::{BTreeMap, BTreeSet};

use super::figures::{Figures, Gram, Sum, Tally};
use super::month::{Month, Pair};
use crate::encoding::hash::sha256_of;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::record::{Date, Declared, Draft, Kind, Party, Release, Terms, Verification};
use crate::watch::balance::{UNSPECIFIED, amounts};
use crate::watch::clock::last_day_to_object;
use crate::watch::consignment::{Event, Shipment};
use crate::watch::course::LATE_AFTER_S;
use crate::watch::{Dossier, Flag, State};

/// The most names and identifiers of one party that are compared.
const MARKS_MAX: usize = 4;

/// What one consignment gives to the figures.
#[derive(Clone, PartialEq, Eq)]
pub struct Contribution {
    pub(super) pair: Pair,
    /// The month of the notification, or of the record that opened it.
    pub(super) month: Month,
    pub(super) substances: BTreeSet<String>,
    /// Whether this node's country is at one of its ends, so that all of its records are addressed to it.
    pub(super) is_ours: bool,
    pub(super) unannounced: bool,
    pub(super) cancelled: bool,
    pub(super) acknowledged: bool,
    pub(super) reply: Reply,
    pub(super) closing: Closing,
    pub(super) masses: Vec<Posting>,
    /// Whose reports of which month: how many, and how many of them late.
    pub(super) reports: Vec<(MemberCode, Month, u32, u32)>,
    /// The names and identifiers of exporter and consignee, as digests.
    pub(super) traders: [Vec<u64>; 2],
}

/// A mass.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Posting {
    pub(super) substance: String,
    pub(super) month: Month,
    pub(super) gram: Gram,
    pub(super) grams: u128,
    /// Whether there is more to it that this node cannot read.
    pub(super) unread: bool,
}

/// What the importing country says to the present version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Nothing was asked of it.
    NotAsked,
    /// This node does not see its replies.
    Unknown,
    /// It replied after so many hours; in time or not, if there was a day for it.
    Given { hours: u32, in_time: Option<bool> },
    /// It has not replied, and should by this day, if there is one.
    Awaited(Option<Date>),
}

/// Whether it is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// It was cancelled.
    Never,
    /// This node does not see it.
    Unknown,
    Open,
    Closed,
    /// It is closed once this day has passed.
    After(Date),
}

/// Masses by substance, month and what they are, while they are gathered.
type Postings = BTreeMap<(String, Month, Gram), (u128, bool)>;

impl Contribution {
    /// What a consignment gives to the figures of this member's node; none while the record that opened it is not held or has no time.
    ///
    /// `terms` are those of the policy that it cites ([`Consignment::policy`]); they tell on which day a proposed closure holds.
    ///
    /// [`Consignment::policy`]: crate::watch::Consignment::policy
    #[must_use]
    pub fn of(dossier: &Dossier<'_>, terms: Option<&Terms>, me: MemberCode) -> Option<Self> {
        let consignment = dossier.consignment;
        consignment.state?;
        let opener = consignment.timeline.iter().find(|event| event.id == consignment.id)?;
        let month = month_of(opener, dossier.declared(opener.id)?)?;
        let countries = &consignment.countries;
        let pair = Pair { exporting: countries.exporting, importing: countries.importing };
        let ends = [pair.exporting, pair.importing].into_iter().flatten().chain(countries.diverted_to.iter().copied());
        let is_ours = ends.into_iter().any(|end| end == me);
        let amended = consignment.flags.contains(&Flag::Amended).then(|| dossier.announced()).flatten();
        let announced = amended.as_ref().or_else(|| dossier.notification());
        let unannounced = opener.kind != Kind::ExportNotification;
        let gather = Gather { dossier, month, is_ours };
        let masses = gather.masses(announced.filter(|_| !unannounced));
        let named = masses.keys().map(|(substance, _, _)| substance.clone());
        let traders = announced.map(|announced| [&announced.exporter, &announced.consignee].map(marks));
        Some(Self {
            pair,
            month,
            substances: consignment.substances.iter().cloned().chain(named).collect(),
            is_ours,
            unannounced,
            cancelled: consignment.state == Some(State::Cancelled),
            acknowledged: pair.importing.is_some_and(|member| consignment.acknowledged_by.contains(&member)),
            reply: gather.reply(unannounced),
            closing: gather.closing(terms),
            masses: masses.into_iter().map(Posting::from).collect(),
            reports: gather.reports(),
            traders: traders.unwrap_or_default(),
        })
    }

    /// The figures that it gives, by substance and month: under none all substances together, where it counts once.
    pub(super) fn spread(&self) -> BTreeMap<(Option<String>, Month), Figures> {
        let mut spread: BTreeMap<(Option<String>, Month), Figures> = BTreeMap::new();
        let counted = self.counted();
        for substance in self.substances.iter().cloned().map(Some).chain([None]) {
            let unread =
                |posting: &Posting| posting.unread && substance.as_ref().is_none_or(|one| *one == posting.substance);
            let mut figures = counted.clone();
            figures.unread = u64::from(self.masses.iter().any(unread));
            spread.insert((substance.clone(), self.month), figures);
            for (member, month, made, late) in &self.reports {
                let figures = spread.entry((substance.clone(), *month)).or_default();
                let reports = figures.reports.entry(*member).or_default();
                (reports.made, reports.late) = (reports.made + u64::from(*made), reports.late + u64::from(*late));
            }
        }
        for posting in &self.masses {
            for substance in [Some(posting.substance.clone()), None] {
                let figures = spread.entry((substance, posting.month)).or_default();
                let sum = &mut figures.grams[posting.gram as usize];
                *sum = Sum { grams: sum.grams + posting.grams, unread: sum.unread + u64::from(posting.unread) };
            }
        }
        spread
    }

    /// What is counted in the month of the notification.
    fn counted(&self) -> Figures {
        let mut figures = Figures {
            consignments: u64::from(!self.unannounced),
            unannounced: u64::from(self.unannounced),
            cancelled: u64::from(self.cancelled),
            ..Figures::default()
        };
        if !self.unannounced {
            figures.acknowledged = tally(self.is_ours, self.acknowledged);
        }
        match self.reply {
            Reply::NotAsked | Reply::Awaited(None) => {}
            Reply::Unknown => figures.replies_unknown = 1,
            Reply::Given { hours, in_time } => {
                figures.reply_hours.put_one(hours);
                figures.in_time = u64::from(in_time == Some(true));
                figures.late = u64::from(in_time == Some(false));
            }
            Reply::Awaited(Some(day)) => drop(figures.waiting.insert(day, 1)),
        }
        match self.closing {
            Closing::Never => {}
            Closing::Unknown => figures.closed = tally(false, false),
            Closing::Open => figures.closed = tally(true, false),
            Closing::Closed => figures.closed = tally(true, true),
            Closing::After(day) => {
                figures.closed = tally(true, false);
                figures.closing.insert(day, 1);
            }
        }
        figures
    }
}

fn tally(is_known: bool, yes: bool) -> Tally {
    Tally { yes: u64::from(is_known && yes), of: u64::from(is_known), unknown: u64::from(!is_known) }
}

impl From<((String, Month, Gram), (u128, bool))> for Posting {
    fn from(((substance, month, gram), (grams, unread)): ((String, Month, Gram), (u128, bool))) -> Self {
        Self { substance, month, gram, grams, unread }
    }
}

/// Gathers what one consignment gives.
struct Gather<'a> {
    dossier: &'a Dossier<'a>,
    month: Month,
    is_ours: bool,
}

impl Gather<'_> {
    fn masses(&self, announced: Option<&Draft>) -> Postings {
        let mut postings = Postings::new();
        if let Some(announced) = announced {
            self.declared(&mut postings, announced, self.month, Gram::Notified);
        }
        let shipments = self.dossier.consignment.shipments.iter().enumerate();
        shipments.for_each(|(at, shipment)| self.shipment(&mut postings, at, shipment));
        for (event, declared) in self.dossier.events(&Kind::Seizure) {
            if let Some(month) = month_of(event, declared) {
                self.declared(&mut postings, declared, month, Gram::Seized);
            }
        }
        // What others were told and this node was not may have happened all the same.
        if !self.is_ours && self.dossier.consignment.state != Some(State::Cancelled) {
            for gram in Gram::ALL {
                if !postings.keys().any(|(_, _, posted)| *posted == gram) {
                    self.unread(&mut postings, &[], self.month, gram);
                }
            }
        }
        postings
    }

    /// The goods of a record, or that they cannot be read.
    fn declared(&self, postings: &mut Postings, declared: &Draft, month: Month, gram: Gram) {
        if declared.goods.is_empty() {
            self.unread(postings, &declared.substances, month, gram);
        }
        for (substance, amount) in amounts(&declared.goods) {
            post(postings, substance, month, gram, (amount.net, amount.unread));
        }
    }

    fn unread(&self, postings: &mut Postings, named: &[String], month: Month, gram: Gram) {
        let known = &self.dossier.consignment.substances;
        let named: BTreeSet<&str> =
            named.iter().chain(known.iter().filter(|_| named.is_empty())).map(String::as_str).collect();
        let named = if named.is_empty() { BTreeSet::from([UNSPECIFIED]) } else { named };
        named.into_iter().for_each(|substance| post(postings, substance.to_owned(), month, gram, (0, true)));
    }

    fn shipment(&self, postings: &mut Postings, at: usize, shipment: &Shipment) {
        let of =
            |kind: Kind| self.dossier.events(&kind).filter(|(event, _)| event.shipment == Some(at)).collect::<Vec<_>>();
        // Goods that were refused were not received.
        let mut imports = of(Kind::ImportConfirmation);
        imports.retain(|(_, declared)| declared.release != Some(Declared::Valid(Release::Refused)));
        let reads_imports = imports.iter().all(|(_, declared)| !declared.goods.is_empty());
        let departure = shipment.departure.and_then(|id| Some((self.event(id)?, self.dossier.declared(id)?)));
        let left = departure.and_then(|(event, declared)| Some((month_of(event, declared)?, declared)));
        if let Some((month, declared)) = left {
            let fates = [Gram::InTransit, Gram::Delivered, Gram::Explained, Gram::Unexplained];
            if declared.goods.is_empty() {
                fates
                    .into_iter()
                    .chain([Gram::Departed])
                    .for_each(|gram| self.unread(postings, &declared.substances, month, gram));
            } else {
                for (substance, carried) in &shipment.carried {
                    let sums = carried.sums;
                    post(postings, substance.clone(), month, Gram::Departed, (sums.notified, carried.unread));
                    // What became of it, only who is told of arrivals knows.
                    let told = self.is_ours && reads_imports && !carried.unread;
                    let grams = [sums.in_transit, sums.received, sums.explained, sums.unexplained];
                    for (gram, grams) in fates.into_iter().zip(grams) {
                        post(postings, substance.clone(), month, gram, if told { (grams, false) } else { (0, true) });
                    }
                }
            }
        }
        let arrived = imports.last().and_then(|(event, declared)| month_of(event, declared));
        if let Some(month) = arrived {
            self.came(postings, shipment, reads_imports, month, Gram::Arrived);
        }
        if shipment.end_use == Some(Declared::Valid(Verification::Verified)) {
            let verified = of(Kind::EndUseVerification);
            if let Some(month) = verified.last().and_then(|(event, declared)| month_of(event, declared)) {
                self.came(postings, shipment, reads_imports, month, Gram::Verified);
            }
        }
    }

    /// What was received of a shipment.
    fn came(&self, postings: &mut Postings, shipment: &Shipment, is_read: bool, month: Month, gram: Gram) {
        if !is_read {
            self.unread(postings, &[], month, gram);
        }
        for (substance, carried) in &shipment.carried {
            post(postings, substance.clone(), month, gram, (carried.sums.received, carried.unread));
        }
    }

    fn reply(&self, unannounced: bool) -> Reply {
        let consignment = self.dossier.consignment;
        if unannounced {
            return Reply::NotAsked;
        } else if !self.is_ours {
            return Reply::Unknown;
        }
        let mut events = consignment.timeline.iter().skip_while(|event| event.id != consignment.version);
        let Some(version) = events.next() else { return Reply::NotAsked };
        let reply = events.find(|event| {
            matches!(event.kind, Kind::NoObjection | Kind::Objection)
                && event.illegal.is_none()
                && Some(event.id.log.member) == consignment.countries.importing
        });
        match reply {
            Some(reply) => {
                let hours = reply.issued_at.since(version.issued_at).max(0) / 3_600;
                let day = Date::of(reply.issued_at).ok();
                Reply::Given {
                    hours: u32::try_from(hours).unwrap_or(u32::MAX),
                    in_time: consignment.reply_by.zip(day).map(|(reply_by, day)| day <= reply_by),
                }
            }
            None if consignment.state == Some(State::Cancelled) => Reply::NotAsked,
            None => Reply::Awaited(consignment.reply_by),
        }
    }

    fn closing(&self, terms: Option<&Terms>) -> Closing {
        let consignment = self.dossier.consignment;
        if consignment.state == Some(State::Cancelled) {
            return Closing::Never;
        } else if !self.is_ours {
            return Closing::Unknown;
        } else if consignment.state == Some(State::Closed) {
            return Closing::Closed;
        }
        let last = last_day_to_object(consignment, terms).filter(|_| consignment.state >= Some(State::Imported));
        last.map_or(Closing::Open, Closing::After)
    }

    fn reports(&self) -> Vec<(MemberCode, Month, u32, u32)> {
        let mut reports: BTreeMap<(MemberCode, Month), (u32, u32)> = BTreeMap::new();
        let told = self.dossier.consignment.timeline.iter();
        for event in told.filter(|event| event.illegal.is_none() && event.withdrawn_by.is_none()) {
            if let (Some(happened_at), Some(month)) = (event.happened_at, month_at(event.issued_at)) {
                let (made, late) = reports.entry((event.id.log.member, month)).or_default();
                *made += 1;
                *late += u32::from(event.issued_at.since(happened_at) > LATE_AFTER_S);
            }
        }
        reports.into_iter().map(|((member, month), (made, late))| (member, month, made, late)).collect()
    }

    fn event(&self, id: crate::encoding::ids::RecordId) -> Option<&Event> {
        self.dossier.consignment.timeline.iter().find(|event| event.id == id)
    }
}

fn post(postings: &mut Postings, substance: String, month: Month, gram: Gram, (grams, unread): (u128, bool)) {
    if grams == 0 && !unread {
        return;
    }
    let posted = postings.entry((substance, month, gram)).or_default();
    *posted = (posted.0 + grams, posted.1 || unread);
}

/// The month that a record's summary names; else that of what it tells.
fn month_of(event: &Event, declared: &Draft) -> Option<Month> {
    let named = declared.month.as_deref().and_then(|month| month.parse().ok());
    named.or_else(|| month_at(event.happened_at.unwrap_or(event.issued_at)))
}

fn month_at(time: UnixTime) -> Option<Month> {
    Date::of(time).ok().and_then(Month::of)
}

/// What a party is known by: its name without case, blanks and signs, and its identifiers.
fn marks(party: &Option<Party>) -> Vec<u64> {
    let Some(party) = party else { return Vec::new() };
    let bare =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let name = party.name.as_deref().map(bare).filter(|name| !name.is_empty());
    let ids = party.ids.iter().map(|id| format!("{}:{}", bare(&id.scheme), bare(&id.value)));
    let digest = |text: String| {
        let digest = sha256_of(&[b"shieldwall trader 1\0", text.as_bytes()]);
        digest.0.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    name.into_iter().chain(ids).take(MARKS_MAX).map(digest).collect()
}
