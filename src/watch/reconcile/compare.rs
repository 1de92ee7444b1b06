//! What left and what came, side by side: one shipment and one substance at a time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::cause::{Case, Cause, Suggestion, suggest};
use super::declaration::{Declaration, Declarations, declarations};
use super::words::times;
use crate::encoding::ids::RecordId;
use crate::record::{Draft, Money, Shipment as Number, SubstanceList, Terms, closed_debug};
use crate::watch::balance::Amount;
use crate::watch::consignment::Shipment;
use crate::watch::dossier::Dossier;
use crate::watch::state::State;
use crate::watch::tolerance::{Band, Judgement, judge};

const PARTS: i128 = 1_000_000;

/// A consignment with both sides' declarations compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// The consignment.
    pub consignment: RecordId,
    /// Its shipments, in the order of the consignment's.
    pub shipments: Vec<Compared>,
}

/// One shipment as it left and as it came. Declarations stand as they were made: what notes correct since is in the state.
#[derive(Clone, PartialEq, Eq)]
pub struct Compared {
    /// The departure, if it is known.
    pub departure: Option<RecordId>,
    /// The records of its import.
    pub imports: Vec<RecordId>,
    /// Which of how many.
    pub number: Option<Number>,
    /// Where it stands.
    pub state: State,
    /// Whether nothing differs, or both sides hold the difference to be explained.
    pub accounted: bool,
    /// Each substance that left or came.
    pub lines: Vec<Line>,
    /// The values, where both can be read in one currency.
    pub value: Option<Values>,
}

/// One substance of a shipment.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The substance, or `unspecified`.
    pub substance: String,
    /// What left; none if no departure is known or it cannot be read.
    pub shipped: Option<Declaration>,
    /// What came; none until it did, or if that cannot be read.
    pub received: Option<Declaration>,
    /// Net mass, by its share. All bands are green until both sides have declared.
    pub net: Band,
    /// Concentration, if both sides state one.
    pub concentration: Option<Band>,
    /// Packages, if both sides count packages of one type.
    pub packages: Option<Band>,
    /// Red if the loss of pure substance is above what any share excuses.
    pub floor: Band,
    /// What the difference may come from; none where there is none.
    pub suggestion: Option<Suggestion>,
    /// What else an officer should know, and need not be alarmed of.
    pub notes: Vec<String>,
}

/// The value as it left and as it came, in minor units of one currency.
#[derive(Clone, PartialEq, Eq)]
pub struct Values {
    /// Without freight and insurance, as exporting countries declare.
    pub fob: i64,
    /// With them, as importing countries do.
    pub cif: i64,
    /// ISO 4217.
    pub currency: String,
    /// The second by the first, in parts per million.
    pub ratio_ppm: u64,
    /// Usual between 1.00 and 1.20, to be looked at between 0.90 and 1.40.
    pub band: Band,
}

closed_debug!(Reconciliation, Compared, Line, Values);

/// Compares all shipments of a consignment. `terms` are those of the policy that it cites of the importing country
/// ([`crate::watch::Consignment::policy`]); without them the usual ones hold.
#[must_use]
pub fn reconcile(dossier: &Dossier<'_>, terms: Option<&Terms>) -> Reconciliation {
    let sides: Vec<Sides<'_>> =
        dossier.consignment.shipments.iter().map(|shipment| Sides::of(dossier, shipment)).collect();
    let shipments = sides.iter().enumerate().map(|(at, _)| compared(dossier, &sides, at, terms)).collect();
    Reconciliation { consignment: dossier.consignment.id, shipments }
}

/// The shipments of a consignment that differ by more than scales do. Nothing is compared where the fold found nothing discrepant.
#[must_use]
pub fn beyond_scales<'a>(dossier: &Dossier<'a>, terms: Option<&Terms>) -> Vec<&'a Shipment> {
    let shipments = &dossier.consignment.shipments;
    if shipments.iter().all(|shipment| shipment.state != State::Discrepant) {
        return Vec::new();
    }
    let compared = reconcile(dossier, terms).shipments;
    let discrepant = shipments.iter().zip(&compared).filter(|(shipment, _)| shipment.state == State::Discrepant);
    discrepant.filter(|(_, compared)| !compared.is_weighing()).map(|(shipment, _)| shipment).collect()
}

/// What both sides declare of one shipment.
pub(super) struct Sides<'a> {
    pub(super) shipment: &'a Shipment,
    pub(super) departure: Option<&'a Draft>,
    pub(super) imports: Vec<&'a Draft>,
    /// Records of the arrival and of the import.
    pub(super) coming: Vec<&'a Draft>,
    pub(super) left: Declarations,
    pub(super) came: Declarations,
}

impl<'a> Sides<'a> {
    fn of(dossier: &Dossier<'a>, shipment: &'a Shipment) -> Self {
        let all = |ids: &[RecordId]| ids.iter().filter_map(|id| dossier.declared(*id)).collect::<Vec<&Draft>>();
        let departure = shipment.departure.and_then(|id| dossier.declared(id));
        let imports = all(&shipment.imports);
        let coming = all(&shipment.arrivals).into_iter().chain(imports.iter().copied()).collect();
        let left = departure.map(|departure| departure.goods.as_slice()).unwrap_or_default();
        let came: Vec<_> = imports.iter().flat_map(|import| &import.goods).cloned().collect();
        let (left, came) = declarations(left, &came);
        Self { shipment, departure, imports, coming, left, came }
    }

    /// Whether both sides have said what left and what came.
    pub(super) fn is_told(&self) -> bool {
        !self.left.is_empty() && !self.came.is_empty()
    }
}

fn compared(dossier: &Dossier<'_>, all: &[Sides<'_>], at: usize, terms: Option<&Terms>) -> Compared {
    let sides = &all[at];
    let substances: BTreeSet<&String> = sides.left.keys().chain(sides.came.keys()).collect();
    let line = |substance: &&String| line(all, at, substance, terms);
    Compared {
        departure: sides.shipment.departure,
        imports: sides.shipment.imports.clone(),
        number: sides.shipment.number,
        state: sides.shipment.state,
        accounted: sides.shipment.accounted,
        lines: substances.iter().map(line).collect(),
        value: values(dossier, sides, all.len()),
    }
}

fn line(all: &[Sides<'_>], at: usize, substance: &str, terms: Option<&Terms>) -> Line {
    let sides = &all[at];
    let (shipped, received) = (sides.left.get(substance), sides.came.get(substance));
    let nothing = Amount { assumed: true, ..Amount::default() };
    let amount = |side: Option<&Declaration>| side.map_or(nothing, |side| side.amount);
    let (left, came) = (amount(shipped), amount(received));
    let comparable = sides.is_told() && !left.unread && !came.unread;
    let judged = if comparable { judge(substance, left, came, terms) } else { Judgement::default() };
    let suggestion = (judged.band() > Band::Green).then(|| suggest(&Case { all, at, substance, left, came, judged }));
    Line {
        substance: substance.to_owned(),
        shipped: shipped.cloned(),
        received: received.cloned(),
        net: judged.net,
        concentration: judged.concentration,
        packages: judged.packages,
        floor: judged.floor,
        suggestion,
        notes: notes(substance, shipped, received),
    }
}

/// What is different and wrong with nobody.
fn notes(substance: &str, shipped: Option<&Declaration>, received: Option<&Declaration>) -> Vec<String> {
    let mut notes: Vec<String> =
        [shipped, received].into_iter().flatten().flat_map(|side| side.notes.clone()).collect();
    let (Some(shipped), Some(received)) = (shipped, received) else { return notes };
    if !shipped.hs6.is_empty() && !received.hs6.is_empty() && shipped.hs6 != received.hs6 {
        let list = |codes: &BTreeSet<String>| codes.iter().cloned().collect::<Vec<_>>().join(" ");
        let known = SubstanceList::current().get(substance);
        let usual = |code: &String| known.is_some_and(|known| known.hs6.iter().any(|hs6| hs6.as_str() == code));
        let both = shipped.hs6.iter().chain(&received.hs6).all(usual);
        notes.push(format!(
            "declared under {} at departure and under {} at import{}",
            list(&shipped.hs6),
            list(&received.hs6),
            if both { ": both are subheadings of the substance" } else { ", which is not usual for the substance" },
        ));
    }
    notes
}

/// Both values. What a notification says of the value is that of a shipment if there is but one.
fn values(dossier: &Dossier<'_>, sides: &Sides<'_>, shipments: usize) -> Option<Values> {
    let announced = dossier.notification().filter(|_| shipments == 1).map(sum_of);
    let left = sides.departure.map(sum_of).filter(|sums| !sums.is_empty()).or(announced)?;
    let mut came: BTreeMap<String, i64> = BTreeMap::new();
    for (currency, minor) in sides.imports.iter().flat_map(|import| sum_of(import)) {
        let sum = came.entry(currency).or_default();
        *sum = sum.saturating_add(minor);
    }
    // In several currencies there is no one value.
    let (currency, fob) = left.iter().next().filter(|(_, fob)| left.len() == 1 && **fob > 0)?;
    let cif = *came.get(currency).filter(|cif| came.len() == 1 && **cif >= 0)?;
    let ratio = i128::from(cif) * PARTS / i128::from(*fob);
    let band = match ratio {
        1_000_000..=1_200_000 => Band::Green,
        900_000..=1_400_000 => Band::Amber,
        _ => Band::Red,
    };
    let ratio_ppm = u64::try_from(ratio).unwrap_or(u64::MAX);
    Some(Values { fob: *fob, cif, currency: currency.clone(), ratio_ppm, band })
}

/// The values in a record by currency.
fn sum_of(declared: &Draft) -> BTreeMap<String, i64> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for Money { minor, currency } in declared.values.iter().map(|value| &value.amount) {
        let sum = sums.entry(currency.as_str().to_owned()).or_default();
        *sum = sum.saturating_add(*minor);
    }
    sums
}

impl Reconciliation {
    /// The worst difference that is not accounted for.
    #[must_use]
    pub fn band(&self) -> Band {
        let open = self.shipments.iter().filter(|shipment| !shipment.accounted);
        open.map(Compared::band).max().unwrap_or_default()
    }

    /// The suggestions for what is not accounted for.
    pub fn suggestions(&self) -> impl Iterator<Item = (&Line, &Suggestion)> {
        let open = self.shipments.iter().filter(|shipment| !shipment.accounted);
        open.flat_map(|shipment| &shipment.lines).filter_map(|line| Some((line, line.suggestion.as_ref()?)))
    }

    /// The comparison as JSON: masses in grams, shares in parts per million.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "consignment": self.consignment,
            "band": self.band().name(),
            "shipments": self.shipments.iter().map(Compared::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Compared {
    /// The worst difference of its goods. The value is apart: not everybody reads it.
    #[must_use]
    pub fn band(&self) -> Band {
        self.lines.iter().map(Line::band).max().unwrap_or_default()
    }

    /// Whether something differs, and all of it by no more than two scales do, be it many kilograms.
    #[must_use]
    pub fn is_weighing(&self) -> bool {
        let by_weighing =
            |line: &Line| line.suggestion.as_ref().is_some_and(|suggestion| suggestion.cause == Cause::Weighing);
        let mut differing = self.lines.iter().filter(|line| line.band() > Band::Green).peekable();
        differing.peek().is_some() && differing.all(by_weighing)
    }

    fn to_json(&self) -> Json {
        json!({
            "departure": self.departure,
            "imports": self.imports,
            "number": self.number,
            "state": self.state.name(),
            "accounted": self.accounted,
            "band": self.band().name(),
            "lines": self.lines.iter().map(Line::to_json).collect::<Vec<_>>(),
            "value": self.value.as_ref().map(Values::to_json),
        })
    }
}

impl Line {
    /// The worst of it.
    #[must_use]
    pub fn band(&self) -> Band {
        let stated = [self.concentration, self.packages].into_iter().flatten();
        stated.fold(self.net.max(self.floor), Band::max)
    }

    fn to_json(&self) -> Json {
        let name = |band: Option<Band>| band.map(Band::name);
        json!({
            "substance": self.substance,
            "shipped": self.shipped.as_ref().map(Declaration::to_json),
            "received": self.received.as_ref().map(Declaration::to_json),
            "band": self.band().name(),
            "net": self.net.name(),
            "concentration": name(self.concentration),
            "packages": name(self.packages),
            "floor": self.floor.name(),
            "suggestion": self.suggestion.as_ref().map(Suggestion::to_json),
            "notes": self.notes,
        })
    }
}

impl Values {
    /// In words: `the value at import is 1.08 times that at departure`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("the value at import is {} times that at departure", times(self.ratio_ppm.into()))
    }

    fn to_json(&self) -> Json {
        json!({
            "fob_minor": self.fob, "cif_minor": self.cif, "currency": self.currency,
            "ratio_ppm": self.ratio_ppm, "band": self.band.name(),
        })
    }
}
