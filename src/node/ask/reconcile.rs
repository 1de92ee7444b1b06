//! What a node can be asked of both sides' declarations, and what it answers.

use serde::{Deserialize, Serialize};

use crate::encoding::ids::{MemberCode, RecordId};

/// Which differences are listed. Empty fields: all that are not accounted for, amber and red.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReconcileFilter {
    /// Only of consignments whose first shipment left in this month: `2026-10`.
    pub month: Option<String>,
    /// Only with this country.
    pub partner: Option<MemberCode>,
    /// Only in this band or a worse one: `green`, `amber`, `red`.
    pub band: Option<String>,
    /// Only with this suggested cause.
    pub cause: Option<String>,
    /// At most so many; 0 for as many as a list holds.
    pub limit: u64,
}

/// How far both sides agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileView {
    /// By pair of countries.
    pub pairs: Vec<PairCount>,
    /// Where they do not.
    pub differences: Vec<Difference>,
    /// How many differences there are, listed or not.
    pub total: u64,
}

/// The consignments of one pair of countries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairCount {
    /// Where the goods come from, if that is known.
    pub exporting: Option<MemberCode>,
    /// Where they go to.
    pub importing: Option<MemberCode>,
    /// What came is what left, or both agree why not.
    pub matched: u64,
    /// One side has not declared yet, or there is nothing to compare.
    pub open: u64,
    /// What came is not what left.
    pub differing: u64,
}

/// One consignment in which the sides differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The consignment.
    pub consignment: RecordId,
    /// Its reference.
    pub ucr: Option<String>,
    /// Where it comes from.
    pub exporting: Option<MemberCode>,
    /// Where it goes to.
    pub importing: Option<MemberCode>,
    /// Where it stands, but for time.
    pub state: Option<String>,
    /// The worst band.
    pub band: String,
    /// What the differences may come from.
    pub suggested: Vec<Suggested>,
}

/// What one difference may come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggested {
    /// The substance.
    pub substance: String,
    /// The band.
    pub band: String,
    /// The cause, by its name.
    pub cause: String,
    /// The facts.
    pub words: String,
}

/// Both sides' totals of one month, pair and subheading. Masses are texts: they may be above what JSON numbers hold exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorRow {
    /// The month.
    pub month: String,
    /// Where goods come from.
    pub exporting: Option<MemberCode>,
    /// Where they go to.
    pub importing: Option<MemberCode>,
    /// The subheading.
    pub hs6: String,
    /// What it comes to.
    pub outcome: String,
    /// The same in words.
    pub words: String,
    /// Net grams that left.
    pub exported_g: String,
    /// Net grams that came.
    pub imported_g: String,
    /// Net grams that left and may still come.
    pub awaited_g: String,
}

/// An arrival that nobody announced, and an announcement that it may belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkLine {
    /// The arrival.
    pub arrival: RecordId,
    /// The announcement.
    pub announced: RecordId,
    /// By what they were found.
    pub level: String,
    /// Whether it holds: `certain`, `proposed`, `confirmed`, `rejected`.
    pub hold: String,
    /// What it says, if it holds.
    pub meaning: String,
    /// The facts.
    pub words: String,
}
