//! Questions about figures, and what answers them.

use serde::{Deserialize, Serialize};

use crate::formats::export::Table;
use crate::watch::statistics::Query;

/// A question about figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsQuestion {
    /// Which table.
    pub wanted: StatsWanted,
    /// Of what.
    #[serde(default)]
    pub query: Query,
}

/// Which table of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatsWanted {
    /// Every figure, by the groups of the query.
    Figures,
    /// Who reported how much, and how much of it late.
    Reports,
    /// What observers get. The query may name a month or year and nothing else.
    Aggregate,
}

/// Figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsView {
    /// A row for each group.
    pub rows: Table,
    /// Everything together, each consignment once; without rows in the table for observers.
    pub total: Table,
    /// Months of which observers get nothing, because too little happened.
    pub withheld: Vec<String>,
}
