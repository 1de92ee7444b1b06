//! What a node can be asked of its consignments, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::Date;

/// Which consignments are listed. Empty fields leave everything in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsignmentFilter {
    /// Only in these states, by their names; at any of them.
    pub states: Vec<String>,
    /// Only with this flag.
    pub flag: Option<String>,
    /// Only with this substance.
    pub substance: Option<String>,
    /// Only with this member as one of the countries.
    pub partner: Option<MemberCode>,
    /// Only with this reference.
    pub ucr: Option<String>,
    /// Only in this band of risk: `green`, `amber`, `red`.
    pub risk: Option<String>,
    /// Only with grams that nobody can explain.
    pub unexplained: bool,
    /// Only those of which something is due within so many days, or was.
    pub due_within_days: Option<u16>,
    /// In which order.
    pub order: ConsignmentOrder,
    /// After this one, in the same order: the next page.
    pub after: Option<RecordId>,
    /// At most so many; 0 for as many as a list holds.
    pub limit: u64,
}

/// The order of a list of consignments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "node", derive(clap::ValueEnum))]
pub enum ConsignmentOrder {
    /// The one changed last first.
    #[default]
    Changed,
    /// The one with the nearest day on which something is due first; those without one last.
    Due,
    /// By the id of the record that opened it.
    Id,
}

/// How a consignment is named in a request: by the record that opened it, or by its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsignmentName {
    /// Any record of it.
    Record(RecordId),
    /// Its unique consignment reference.
    Ucr(String),
}

/// One line of a list of consignments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsignmentLine {
    /// The record that opened it.
    pub id: RecordId,
    /// Its reference, if that can be read here.
    pub ucr: Option<String>,
    /// Where it stands now; none while the notification is not held.
    pub state: Option<String>,
    /// What else is to be known.
    pub flags: Vec<String>,
    /// Where the goods come from, if that is known.
    pub exporting: Option<MemberCode>,
    /// Where they are meant to go.
    pub importing: Option<MemberCode>,
    /// Codes of the substances.
    pub substances: Vec<String>,
    /// Net grams announced; none if that cannot be read here.
    pub notified_g: Option<u64>,
    /// Net grams that left.
    pub departed_g: Option<u64>,
    /// Net grams that came.
    pub received_g: Option<u64>,
    /// Net grams that nobody can explain.
    pub unexplained_g: Option<u64>,
    /// What is due next.
    pub due: Option<Due>,
    /// The band of risk; none where nobody has looked, as with a node that does not run.
    pub risk: Option<String>,
    /// When its newest record was made.
    pub changed_at: Option<UnixTime>,
}

/// Something that has to happen until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// What: `answer`, `departure`, `arrival`, `stop-answer`.
    pub what: String,
    /// The last day for it; none if it is due at once.
    pub by: Option<Date>,
    /// Whether that day has passed.
    pub passed: bool,
}

/// Consignments, as they were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsignmentPage {
    /// Those of this page.
    pub consignments: Vec<ConsignmentLine>,
    /// How many the filter leaves in, on all pages.
    pub total: u64,
}

/// One consignment with everything that can be read of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsignmentView {
    /// The same as in a list.
    pub line: ConsignmentLine,
    /// What was derived from its records, but for time.
    pub consignment: Json,
    /// Its events in words, in causal order.
    pub timeline: Vec<TimelineEntry>,
    /// What is announced now, as JSON of the record.
    pub announced: Option<Json>,
    /// What left beside what came.
    pub reconciliation: Json,
    /// How much it deserves a second look, and why; none with a node that does not run.
    pub assessment: Option<Json>,
    /// Its alerts and what officers made of them, if there were any.
    pub case: Option<Json>,
    /// What left beside what came, in words: one line for each shipment and substance.
    pub compared: Vec<String>,
}

/// One event in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// When what it tells took place, or else when it was made; as its author says.
    pub at: UnixTime,
    /// When it was made, if that was noticeably later.
    pub logged_at: Option<UnixTime>,
    /// What it says.
    pub words: String,
    /// Whether it changes nothing.
    pub without_effect: bool,
}

/// What building the views again has shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reindexed {
    /// Records that were read.
    pub records: u64,
    /// Consignments that they tell of.
    pub consignments: u64,
    /// The digest over the views as they were kept; none if the node did not run.
    pub before: Option<Digest>,
    /// The digest over the views that were built again.
    pub after: Digest,
}
