//! One shipment of a consignment: what left, what came, and what both sides say of the difference.

use std::collections::{BTreeMap, BTreeSet};

use super::balance::{Amount, Amounts, Share, Sums};
use super::consignment::{Carried, Shipment};
use super::state::State;
use super::tolerance::{Band, judge};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Cause, Date, Declared, Draft, Terms, Verification};

/// One shipment while the events are taken in.
#[derive(Default)]
pub(super) struct Voyage {
    pub(super) departure: Option<RecordId>,
    /// Number and count, if it is one of several.
    pub(super) number: Option<crate::record::Shipment>,
    pub(super) departed_at: Option<UnixTime>,
    pub(super) expected: Option<Date>,
    pub(super) mode: Option<u8>,
    pub(super) shipped: Amounts,
    pub(super) received: Amounts,
    /// Records of its arrival and of its import.
    pub(super) arrivals: Vec<RecordId>,
    pub(super) imports: Vec<RecordId>,
    pub(super) seized: BTreeMap<RecordId, (MemberCode, Amounts)>,
    /// Seen on the way.
    pub(super) in_transit: bool,
    pub(super) arrived: bool,
    pub(super) imported: bool,
    pub(super) imported_at: Option<UnixTime>,
    /// Arrived after it had been declared missing.
    pub(super) found: bool,
    pub(super) missing: BTreeSet<RecordId>,
    pub(super) incidents: BTreeSet<RecordId>,
    /// The newest note of each side.
    pub(super) exporting_note: Option<Note>,
    pub(super) importing_note: Option<Note>,
    pub(super) end_use: Option<Declared<Verification>>,
}

/// What one side says of a difference.
pub(super) struct Note {
    cause: Option<Cause>,
    goods: Amounts,
    settles: bool,
}

impl Note {
    pub(super) fn of(declared: &Draft, goods: Amounts) -> Self {
        let cause = declared.cause.as_ref().and_then(|cause| cause.valid().copied());
        Self { cause, goods, settles: declared.settles == Some(true) }
    }

    /// A loss takes goods away; any other cause says what was really there.
    fn is_loss(&self) -> bool {
        matches!(self.cause, Some(Cause::Moisture | Cause::Theft | Cause::LossAtSea))
    }

    fn is_correction(&self) -> bool {
        !self.is_loss() && !matches!(self.cause, None | Some(Cause::Unexplained)) && !self.goods.is_empty()
    }
}

impl Voyage {
    /// Goods came into the importing country.
    pub(super) fn arrive(&mut self) {
        self.found |= !self.missing.is_empty();
        self.missing.clear();
        self.arrived = true;
    }

    /// Whether both sides name one cause, or the importing country has settled the difference.
    pub(super) fn is_agreed(&self) -> bool {
        let Some(ours) = &self.importing_note else { return false };
        let same = |theirs: &Note| theirs.cause == ours.cause && !matches!(ours.cause, None | Some(Cause::Unexplained));
        ours.settles || self.exporting_note.as_ref().is_some_and(same)
    }

    /// Whether both sides explain the difference, and not alike.
    pub(super) fn is_disputed(&self) -> bool {
        self.exporting_note.is_some() && self.importing_note.is_some() && !self.is_agreed()
    }

    /// Whether more may still come of it.
    pub(super) fn is_open(&self) -> bool {
        !self.imported && self.missing.is_empty() && !self.is_agreed()
    }

    /// What left: as declared, or as corrected with the consent of the other side.
    fn left(&self) -> &Amounts {
        let note = self.exporting_note.as_ref().filter(|note| note.is_correction() && self.is_agreed());
        note.map_or(&self.shipped, |note| &note.goods)
    }

    /// What came: as declared, or as corrected by who declared it.
    fn came(&self) -> &Amounts {
        let note = self.importing_note.as_ref().filter(|note| note.is_correction() && self.imported);
        note.map_or(&self.received, |note| &note.goods)
    }

    /// What was lost, as both sides say; everything that is missing, if they do not say how much.
    fn lost(&self, substance: &str, of: fn(&Amount) -> u128) -> u128 {
        let Some(note) = self.importing_note.as_ref().filter(|note| note.is_loss() && self.is_agreed()) else {
            return 0;
        };
        let theirs = self.exporting_note.iter().filter(|note| note.is_loss()).map(|note| &note.goods);
        let stated = [&note.goods].into_iter().chain(theirs).find(|goods| !goods.is_empty());
        stated.map_or(u128::MAX, |goods| goods.get(substance).map_or(0, of))
    }

    /// The substances that anything is said of.
    pub(super) fn substances(&self) -> impl Iterator<Item = &String> {
        let seized = self.seized.values().flat_map(|(_, amounts)| amounts.keys());
        self.left().keys().chain(self.came().keys()).chain(seized)
    }

    /// Its part in the balance of one substance.
    pub(super) fn share(
        &self,
        substance: &str,
        importing: &dyn Fn(MemberCode) -> bool,
        of: fn(&Amount) -> u128,
    ) -> Share {
        let grams = |amounts: &Amounts| amounts.get(substance).map_or(0, of);
        let seized = |at_home: bool| {
            self.seized.values().filter(|(by, _)| importing(*by) == at_home).map(|(_, amounts)| grams(amounts)).sum()
        };
        Share {
            shipped: self.departure.map(|_| grams(self.left())),
            received: grams(self.came()),
            lost: self.lost(substance, of),
            seized_at_home: seized(true),
            seized_elsewhere: seized(false),
            open: self.is_open(),
        }
    }

    /// Where it stands, by the terms of the importing country.
    pub(super) fn state(&self, terms: Option<&Terms>) -> State {
        let settled = self.imported || self.is_agreed();
        let looked_into = self.end_use.as_ref().is_some_and(|found| found.valid() != Some(&Verification::Verified));
        if !self.arrived && !settled && !self.incidents.is_empty() {
            State::Incident
        } else if !self.missing.is_empty() && !settled {
            State::Missing
        } else if settled && looked_into {
            State::EndUsePending
        } else if self.is_agreed() {
            State::Reconciled
        } else if self.imported {
            self.compared(terms)
        } else if self.arrived {
            if self.found { State::Found } else { State::Arrived }
        } else if self.in_transit {
            State::InTransit
        } else {
            State::Departed
        }
    }

    /// Compares what left and what came, if both can be read.
    fn compared(&self, terms: Option<&Terms>) -> State {
        let (left, came) = (self.left(), self.came());
        let unread = || left.values().chain(came.values()).any(|amount| amount.unread);
        if self.departure.is_none() || left.is_empty() || came.is_empty() || unread() {
            return State::Imported;
        }
        let nothing = Amount { assumed: true, ..Amount::default() };
        let mut substances = left.keys().chain(came.keys());
        let differs = substances.any(|substance| {
            let of = |amounts: &Amounts| *amounts.get(substance).unwrap_or(&nothing);
            judge(substance, of(left), of(came), terms).band() > Band::Green
        });
        if differs { State::Discrepant } else { State::Reconciled }
    }

    /// What became of each substance.
    fn carried(&self, importing: &dyn Fn(MemberCode) -> bool) -> BTreeMap<String, Carried> {
        let carried = |substance: &String| {
            let share = self.share(substance, importing, |amount| amount.net);
            let left = share.shipped.unwrap_or(share.received + share.seized_at_home + share.seized_elsewhere);
            let amounts =
                [self.left(), self.came()].into_iter().chain(self.seized.values().map(|(_, amounts)| amounts));
            let unread = amounts.filter_map(|amounts| amounts.get(substance)).any(|amount| amount.unread);
            (substance.clone(), Carried { sums: Sums::of(left, false, 0, &[share]), unread })
        };
        self.substances().map(carried).collect()
    }

    pub(super) fn shown(&self, terms: Option<&Terms>, importing: &dyn Fn(MemberCode) -> bool) -> Shipment {
        Shipment {
            departure: self.departure,
            number: self.number,
            state: self.state(terms),
            departed_at: self.departed_at,
            expected: self.expected,
            mode: self.mode,
            arrivals: self.arrivals.clone(),
            imports: self.imports.clone(),
            imported_at: self.imported_at,
            accounted: self.is_agreed() || (self.imported && self.compared(terms) == State::Reconciled),
            end_use: self.end_use.clone(),
            carried: self.carried(importing),
        }
    }
}
