//! What was done to a consignment, so that whoever looks for it can be scored.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::encoding::ids::MemberCode;

/// What went wrong with one consignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The consignment's number.
    pub consignment: u32,
    /// What.
    pub cause: Cause,
    /// Its reference, as all its records name it.
    pub ucr: String,
    /// The grams concerned: those that never arrived, that went elsewhere or that were declared in a wrong unit.
    pub grams: u64,
    /// Where diverted goods went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<MemberCode>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// It was announced and left, and the importing country never said that it came.
    NotReportedByImporter,
    /// It came, and nobody had announced it.
    NotReportedByExporter,
    /// The importing country declared what it received a thousand times too high or too low.
    UnitSlip,
    /// It went in several shipments, as announced. Nothing is wrong with that, and nobody should be alarmed.
    Split,
    /// It came to another country than the one that it was announced to.
    Diverted,
    /// A part of it, or all, disappeared on the way.
    Stolen,
    /// One of several just below a threshold, to one consignee within a month.
    Structuring,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NotReportedByImporter,
        Self::NotReportedByExporter,
        Self::UnitSlip,
        Self::Split,
        Self::Diverted,
        Self::Stolen,
        Self::Structuring,
    ];

    /// The name in files: `unit-slip`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotReportedByImporter => "not-reported-by-importer",
            Self::NotReportedByExporter => "not-reported-by-exporter",
            Self::UnitSlip => "unit-slip",
            Self::Split => "split",
            Self::Diverted => "diverted",
            Self::Stolen => "stolen",
            Self::Structuring => "structuring",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
