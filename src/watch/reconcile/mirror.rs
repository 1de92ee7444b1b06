//! Both sides' monthly totals of a country pair and a subheading: where single consignments say nothing, totals give a hint.
//!
//! A shipment counts in the month in which it left, on both sides, so that a voyage over the end of a month or year is no difference; what
//! came and is not known to have left counts in the month in which it came. What may still come is counted apart. Subheadings of one
//! substance count as its usual one.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::words::{shown, times};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Date, Draft, Goods, Hs6, SubstanceList, closed_debug};
use crate::watch::Lateness;
use crate::watch::balance::amounts;
use crate::watch::consignment::Shipment;
use crate::watch::dossier::Dossier;
use crate::watch::tolerance::Band;

/// Totals that differ by no more than this share of what left are the same, in percent.
const SAME_PERCENT: u128 = 5;
const PARTS: i128 = 1_000_000;

/// A month, a pair of countries and a subheading.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The month: `2026-01`; empty if no time is known.
    pub month: String,
    /// Where goods come from, if that is known.
    pub exporting: Option<MemberCode>,
    /// Where they go to.
    pub importing: Option<MemberCode>,
    /// Subheading, or `unknown`.
    pub hs6: String,
}

/// What one side says of a cell.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many shipments.
    pub shipments: u64,
    /// Net grams.
    pub net_g: u128,
    /// How many shipments state a quantity that is no mass.
    pub unread: u64,
    /// Values in minor units, by currency.
    pub values: BTreeMap<String, i128>,
}

/// Both sides of a cell.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// What left and should have come.
    pub exported: Totals,
    /// What came.
    pub imported: Totals,
    /// What left and may still come.
    pub awaited: Totals,
}

/// What a cell comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As much came as left, within 5 %.
    Matched,
    /// Both sides report, and not the same.
    MatchedWithDifference,
    /// Something came, and nothing is said to have left.
    OrphanedImports,
    /// Something left, and nothing is said to have come.
    LostExports,
    /// Something left and may still come.
    Awaited,
}

/// What one consignment adds to the totals.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Share(Vec<(Cell, Side, Totals)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Exported,
    Imported,
    Awaited,
}

/// The totals of all consignments, kept one consignment at a time.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mirror {
    rows: BTreeMap<Cell, Row>,
    shares: BTreeMap<RecordId, Share>,
}

closed_debug!(Cell, Totals, Row, Share, Mirror);

impl Share {
    /// What a consignment adds. `lateness` is that of its shipments ([`crate::watch::Standing::shipments`]): what may still come is no loss.
    #[must_use]
    pub fn of(dossier: &Dossier<'_>, lateness: &[Lateness]) -> Self {
        let mut share = Self::default();
        let countries = &dossier.consignment.countries;
        for (at, shipment) in dossier.consignment.shipments.iter().enumerate() {
            let month = month_of(dossier, shipment);
            let cell = |importing, hs6| Cell { month: month.clone(), exporting: countries.exporting, importing, hs6 };
            let waits = matches!(lateness.get(at), Some(Lateness::Expected(_) | Lateness::Due(_)));
            let side = if waits && shipment.imports.is_empty() { Side::Awaited } else { Side::Exported };
            if let Some(departure) = shipment.departure.and_then(|id| dossier.declared(id)) {
                share.add(departure, side, |hs6| cell(countries.importing, hs6));
            }
            for import in &shipment.imports {
                if let Some(declared) = dossier.declared(*import) {
                    share.add(declared, Side::Imported, |hs6| cell(Some(import.log.member), hs6));
                }
            }
        }
        share
    }

    fn add(&mut self, declared: &Draft, side: Side, cell: impl Fn(String) -> Cell) {
        let mut lines: BTreeMap<String, Vec<Goods>> = BTreeMap::new();
        for line in &declared.goods {
            lines.entry(subheading(line)).or_default().push(line.clone());
        }
        let alone = lines.len() == 1;
        for (hs6, lines) in lines {
            let mut totals = Totals { shipments: 1, ..Totals::default() };
            for amount in amounts(&lines).into_values() {
                totals.net_g += amount.net;
                totals.unread = totals.unread.max(amount.unread.into());
            }
            // A value without a line is that of all of them.
            let belongs =
                |line: Option<u32>| line.map_or(alone, |line| lines.iter().any(|goods| goods.line == Some(line)));
            for value in declared.values.iter().filter(|value| belongs(value.line)) {
                let currency = value.amount.currency.as_str().to_owned();
                *totals.values.entry(currency).or_default() += i128::from(value.amount.minor);
            }
            self.0.push((cell(hs6), side, totals));
        }
    }
}

/// The month in which a shipment left; if that is not known, in which it came.
fn month_of(dossier: &Dossier<'_>, shipment: &Shipment) -> String {
    let came = || {
        let first = shipment.arrivals.iter().chain(&shipment.imports).filter_map(|id| dossier.declared(*id)).next()?;
        first.happened_at.or(first.issued_at)
    };
    let at: Option<UnixTime> = shipment.departed_at.or_else(came);
    at.and_then(|at| Date::of(at).ok()).map(Date::month).unwrap_or_default()
}

/// The usual subheading of the substance that is declared under one of its subheadings, else the one declared.
fn subheading(line: &Goods) -> String {
    let list = SubstanceList::current();
    let substance = line.substance.as_deref().and_then(|code| list.get(code));
    let usual = substance.and_then(|substance| substance.hs6.first()).map(Hs6::as_str);
    let declared = line.hs6.as_ref().map(|hs6| hs6.as_str());
    let of_substance =
        |code: &str| substance.is_some_and(|substance| substance.hs6.iter().any(|hs6| hs6.as_str() == code));
    match declared {
        Some(code) if !of_substance(code) => code.to_owned(),
        Some(_) | None => usual.or(declared).unwrap_or("unknown").to_owned(),
    }
}

impl Mirror {
    /// Puts a consignment in, in place of what was counted of it.
    pub fn put(&mut self, consignment: RecordId, share: Share) {
        self.remove(consignment);
        for (cell, side, totals) in &share.0 {
            self.rows.entry(cell.clone()).or_default().side(*side).add(totals);
        }
        self.shares.insert(consignment, share);
    }

    /// Takes a consignment out.
    pub fn remove(&mut self, consignment: RecordId) {
        for (cell, side, totals) in self.shares.remove(&consignment).unwrap_or_default().0 {
            if let Some(row) = self.rows.get_mut(&cell) {
                row.side(side).subtract(&totals);
                if *row == Row::default() {
                    self.rows.remove(&cell);
                }
            }
        }
    }

    /// The totals, by month, pair and subheading.
    pub fn rows(&self) -> impl Iterator<Item = (&Cell, &Row)> {
        self.rows.iter()
    }

    /// All rows as JSON: masses in grams, values in minor units, ratios in parts per million.
    #[must_use]
    pub fn to_json(&self) -> Json {
        self.rows().map(|(cell, row)| row.to_json(cell)).collect()
    }
}

impl Row {
    fn side(&mut self, side: Side) -> &mut Totals {
        match side {
            Side::Exported => &mut self.exported,
            Side::Imported => &mut self.imported,
            Side::Awaited => &mut self.awaited,
        }
    }

    /// What it comes to. Where a quantity is no mass, the values tell, if they can.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let (left, came) = (self.exported.net_g, self.imported.net_g);
        match (self.exported.shipments, self.imported.shipments) {
            (0, 0) => Outcome::Awaited,
            (0, _) => Outcome::OrphanedImports,
            (_, 0) => Outcome::LostExports,
            (_, _) => {
                let unread = self.exported.unread > 0 || self.imported.unread > 0;
                let same = if unread {
                    self.values().is_some_and(|(_, band)| band == Band::Green)
                } else {
                    left.abs_diff(came) * 100 <= left * SAME_PERCENT
                };
                if same { Outcome::Matched } else { Outcome::MatchedWithDifference }
            }
        }
    }

    /// The value at import (CIF) by that at departure (FOB) in parts per million, where both sides state it in one currency: usual up to
    /// 1.20, to be looked at between 0.90 and 1.40.
    #[must_use]
    pub fn values(&self) -> Option<(u64, Band)> {
        let (fob, cif) = (&self.exported.values, &self.imported.values);
        let (currency, fob) = fob.iter().next().filter(|(_, sum)| fob.len() == 1 && **sum > 0)?;
        let cif = *cif.get(currency).filter(|sum| cif.len() == 1 && **sum >= 0)?;
        let ratio = cif.checked_mul(PARTS)? / fob;
        let band = match ratio {
            1_000_000..=1_200_000 => Band::Green,
            900_000..=1_400_000 => Band::Amber,
            _ => Band::Red,
        };
        Some((u64::try_from(ratio).unwrap_or(u64::MAX), band))
    }

    /// In words: `matched: 60 t left in 3 shipments, 59.9 t came in 3`.
    #[must_use]
    pub fn words(&self) -> String {
        let (left, came) = (&self.exported, &self.imported);
        let mut words = format!(
            "{}: {} left in {} shipment{}, {} came in {}",
            self.outcome().words(),
            shown(left.net_g),
            left.shipments,
            if left.shipments == 1 { "" } else { "s" },
            shown(came.net_g),
            came.shipments
        );
        if self.awaited.shipments > 0 {
            words.push_str(&format!("; {} may still come in {}", shown(self.awaited.net_g), self.awaited.shipments));
        }
        if let Some((ratio, _)) = self.values() {
            words.push_str(&format!("; the value at import is {} times that at departure", times(ratio.into())));
        }
        words
    }

    fn to_json(&self, cell: &Cell) -> Json {
        json!({
            "month": cell.month, "exporting": cell.exporting, "importing": cell.importing, "hs6": cell.hs6,
            "outcome": self.outcome().name(),
            "exported": self.exported.to_json(),
            "imported": self.imported.to_json(),
            "awaited": self.awaited.to_json(),
            "value_ratio_ppm": self.values().map(|(ratio, _)| ratio),
            "value_band": self.values().map(|(_, band)| band.name()),
        })
    }
}

impl Totals {
    fn add(&mut self, more: &Self) {
        self.shipments += more.shipments;
        self.net_g += more.net_g;
        self.unread += more.unread;
        for (currency, minor) in &more.values {
            *self.values.entry(currency.clone()).or_default() += minor;
        }
        self.values.retain(|_, sum| *sum != 0);
    }

    /// Takes away what was added before.
    fn subtract(&mut self, less: &Self) {
        self.shipments -= less.shipments;
        self.net_g -= less.net_g;
        self.unread -= less.unread;
        for (currency, minor) in &less.values {
            *self.values.entry(currency.clone()).or_default() -= minor;
        }
        self.values.retain(|_, sum| *sum != 0);
    }

    fn to_json(&self) -> Json {
        let number = |sum: u128| u64::try_from(sum).map_or_else(|_| Json::String(sum.to_string()), Json::from);
        let minor = |sum: &i128| i64::try_from(*sum).map_or_else(|_| Json::String(sum.to_string()), Json::from);
        let values: serde_json::Map<String, Json> =
            self.values.iter().map(|(currency, sum)| (currency.clone(), minor(sum))).collect();
        json!({ "shipments": self.shipments, "net_g": number(self.net_g), "unread": self.unread, "values": values })
    }
}

impl Outcome {
    /// The name: `orphaned-imports`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::MatchedWithDifference => "matched-with-difference",
            Self::OrphanedImports => "orphaned-imports",
            Self::LostExports => "lost-exports",
            Self::Awaited => "awaited",
        }
    }

    /// In words: `matched with difference`.
    #[must_use]
    pub fn words(self) -> String {
        self.name().replace('-', " ")
    }
}
