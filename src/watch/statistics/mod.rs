//! Figures of many consignments: how many, how many grams, how fast they were answered, and how late they were reported; by substance, pair
//! of countries and month.
//!
//! ```text
//! Dossier ──▶ Contribution ──put──▶ Statistics ──▶ rows, totals │ aggregate for observers
//! ```
//!
//! Kept up to date without going through history: what one consignment gives is taken out and put in again whenever a record of it comes.
//! Whole numbers only, so that any order of coming and going leaves the same figures. It knows no clock: what depends on the day, such as
//! answers that are overdue, is asked for with the day. What a node cannot read is unknown in its figures and never nothing.
//!
//! `docs/statistics.md` defines every figure. Start reading at [`Statistics`], then `contribution.rs`.

mod aggregate;
mod contribution;
mod figures;
mod month;

#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, AggregateRow, Among, Published, Rule};
pub use contribution::Contribution;
pub use figures::{Figures, Gram, Hours, Reports, Sum, Tally};
pub use month::{Month, NoMonth, NoPartner, Pair, Partner, Span};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::encoding::ids::RecordId;

/// What figures are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// The substance. A consignment of two stands under both, and once in the total.
    Substance,
    /// The pair of countries.
    Partner,
    /// The month.
    Month,
    /// The year.
    Year,
}

/// Which figures are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// One row for each of what.
    pub by: BTreeSet<Dimension>,
    /// Only of this substance.
    pub substance: Option<String>,
    /// Only with this partner.
    pub partner: Option<Partner>,
    /// Only of this time.
    pub span: Option<Span>,
}

/// What the figures of a row are of. Empty fields hold everything that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The substance.
    pub substance: Option<String>,
    /// The pair.
    pub pair: Option<Pair>,
    /// The month.
    pub month: Option<Month>,
    /// The year.
    pub year: Option<u16>,
}

/// Where figures are kept: without a substance those of all substances together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    substance: Option<String>,
    pair: Pair,
    month: Month,
}

/// Figures that follow the consignments.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    contributions: BTreeMap<RecordId, Contribution>,
    by_month: BTreeMap<Month, BTreeSet<RecordId>>,
    cells: BTreeMap<Key, Figures>,
}

impl Statistics {
    /// Puts what a consignment gives in place of what it gave before. The work depends on this consignment alone.
    pub fn put(&mut self, id: RecordId, contribution: Option<Contribution>) {
        if let Some(old) = self.contributions.remove(&id) {
            for (key, figures) in keyed(&old) {
                if let Some(cell) = self.cells.get_mut(&key) {
                    cell.take(&figures);
                    if *cell == Figures::default() {
                        self.cells.remove(&key);
                    }
                }
            }
            if let Some(ids) = self.by_month.get_mut(&old.month) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_month.remove(&old.month);
                }
            }
        }
        if let Some(new) = contribution {
            keyed(&new).for_each(|(key, figures)| self.cells.entry(key).or_default().put(&figures));
            self.by_month.entry(new.month).or_default().insert(id);
            self.contributions.insert(id, new);
        }
    }

    /// How many consignments have given something.
    pub fn len(&self) -> usize {
        self.contributions.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.contributions.is_empty()
    }

    /// The figures for a question, a row for each group, in order.
    pub fn rows(&self, query: &Query) -> BTreeMap<Group, Figures> {
        let by = |dimension| query.by.contains(&dimension);
        let every_substance = by(Dimension::Substance) && query.substance.is_none();
        let mut rows: BTreeMap<Group, Figures> = BTreeMap::new();
        for (key, figures) in &self.cells {
            let level = if every_substance { key.substance.is_some() } else { key.substance == query.substance };
            let partner = query.partner.is_none_or(|partner| partner.holds(key.pair));
            if !level || !partner || !query.span.is_none_or(|span| span.holds(key.month)) {
                continue;
            }
            let group = Group {
                substance: key.substance.clone().filter(|_| by(Dimension::Substance)),
                pair: by(Dimension::Partner).then_some(key.pair),
                month: by(Dimension::Month).then_some(key.month),
                year: by(Dimension::Year).then_some(key.month.year()),
            };
            rows.entry(group).or_default().put(figures);
        }
        rows
    }

    /// The figures of everything that was asked for, each consignment once.
    pub fn total(&self, query: &Query) -> Figures {
        let whole = Query { by: BTreeSet::new(), ..query.clone() };
        self.rows(&whole).remove(&Group::default()).unwrap_or_default()
    }
}

fn keyed(contribution: &Contribution) -> impl Iterator<Item = (Key, Figures)> {
    let pair = contribution.pair;
    contribution
        .spread()
        .into_iter()
        .map(move |((substance, month), figures)| (Key { substance, pair, month }, figures))
}

impl std::fmt::Debug for Statistics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statistics").field("consignments", &self.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Contribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contribution { .. }")
    }
}
