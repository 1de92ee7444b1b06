//! Tables that leave the node: typed columns and cells, and writers that keep them what they are.
//!
//! ```text
//! Table ──▶ CSV │ XLSX │ JSON │ Parquet (feature `parquet`)
//! ```
//!
//! A text that somebody else wrote stays a text wherever it is opened: no writer lets a spreadsheet take it for a formula. What this node
//! cannot read is the word `unknown`, never a zero and never an empty cell. Masses are whole grams in JSON and Parquet, and kilograms with
//! three decimals, which is the same number, where people read. Nothing here opens a file or reads a clock.
//!
//! Start reading at [`Table`], then [`write()`].

mod csv;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod statistics;
mod xlsx;

#[cfg(test)]
mod tests;

pub use statistics::{aggregate_table, reports_table, statistics_table};

use serde::{Deserialize, Serialize};

use crate::encoding::time::UnixTime;
use crate::record::Date;

/// What is written over every page and beside every row, if nobody says otherwise.
pub const MARK: &str = "LIMITED / customs use only";

/// A table with typed columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    name: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, without a unit.
    pub name: String,
    /// What its cells hold.
    pub holds: Holds,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Words.
    Text,
    /// A whole number, of what the name of the column says.
    Count,
    /// Whole hours.
    Hours,
    /// A mass.
    Mass,
    /// A share of a whole.
    Share,
    /// A day.
    Day,
    /// A moment.
    Time,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// There is nothing to say.
    Empty,
    /// There is something, and this node cannot read it.
    Unknown,
    /// There is something, and it would tell of too few.
    Suppressed,
    /// Words, perhaps of somebody else.
    Text(String),
    /// A whole number: a count, or hours.
    Count(u64),
    /// Grams.
    Mass(u128),
    /// Thousandths of a whole.
    Share(u32),
    /// A day.
    Day(Date),
    /// A moment.
    Time(UnixTime),
}

/// A form in which a table can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, RFC 4180.
    Csv,
    /// A spreadsheet of Excel 2007 and later.
    Xlsx,
    /// JSON.
    Json,
    /// Apache Parquet; not in a program that was built without the feature `parquet`.
    Parquet,
}

/// How a table is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// The classification: in the header and footer of each printed page, and beside each row of CSV. Empty for none.
    pub mark: String,
    /// CSV as spreadsheets of most of Europe read it: semicolons, decimal commas, a byte order mark.
    pub european: bool,
}

/// Why a table cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Spreadsheets end at some row and text at some length; a CSV does not.
    #[error("a spreadsheet cannot hold this table")]
    Spreadsheet(#[source] rust_xlsxwriter::XlsxError),
    /// Writing into memory does not fail in other ways.
    #[error("the table cannot be written as CSV")]
    Csv(#[source] ::csv::Error),
    /// Parquet files.
    #[cfg(feature = "parquet")]
    #[error("the table cannot be written as Parquet")]
    Parquet(#[source] ::parquet::errors::ParquetError),
    /// The program was built without it.
    #[error("this program was built without the feature parquet")]
    NoParquet,
}

impl Default for Style {
    fn default() -> Self {
        Self { mark: MARK.to_owned(), european: false }
    }
}

impl Table {
    /// A table without rows.
    pub fn new(name: &str, columns: Vec<Column>) -> Self {
        Self { name: name.to_owned(), columns, rows: Vec::new() }
    }

    /// Adds a row. What is missing at its end is empty, and what is too much is left out.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len(), "one cell for each column of {}", self.name);
        row.resize(self.columns.len(), Cell::Empty);
        self.rows.push(row);
    }

    /// What it is a table of; the name of the sheet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows, each with one cell for each column.
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }
}

impl Column {
    /// A column of that name.
    pub fn new(name: &str, holds: Holds) -> Self {
        Self { name: name.to_owned(), holds }
    }

    /// The heading where people read: the name with the unit, such as `departed_kg`.
    pub fn heading(&self) -> String {
        let unit = match self.holds {
            Holds::Mass => "_kg",
            Holds::Share => "_percent",
            Holds::Hours => "_hours",
            Holds::Text | Holds::Count | Holds::Day | Holds::Time => "",
        };
        format!("{}{unit}", self.name)
    }

    /// The heading where machines read: the name with the unit of the whole number, such as `departed_g`.
    pub fn key(&self) -> String {
        match self.holds {
            Holds::Mass => format!("{}_g", self.name),
            Holds::Share => format!("{}_permille", self.name),
            Holds::Text | Holds::Count | Holds::Hours | Holds::Day | Holds::Time => self.heading(),
        }
    }
}

impl Cell {
    /// Words, or an empty cell if there are none.
    pub fn text(words: impl Into<String>) -> Self {
        let words = words.into();
        if words.is_empty() { Self::Empty } else { Self::Text(words) }
    }

    /// As people read it; numbers with a decimal point.
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Unknown => "unknown".to_owned(),
            Self::Suppressed => "suppressed".to_owned(),
            Self::Text(words) => words.clone(),
            Self::Count(count) => count.to_string(),
            Self::Mass(grams) => format!("{}.{:03}", grams / 1_000, grams % 1_000),
            Self::Share(permille) => format!("{}.{}", permille / 10, permille % 10),
            Self::Day(day) => day.to_string(),
            Self::Time(time) => time.to_string(),
        }
    }

    /// Whether it is a number with decimals where people read.
    fn has_decimals(&self) -> bool {
        matches!(self, Self::Mass(_) | Self::Share(_))
    }
}

/// Writes a table.
///
/// # Errors
/// [`ExportError`], if the format cannot hold it or is not built in.
pub fn write(table: &Table, format: Format, style: &Style) -> Result<Vec<u8>, ExportError> {
    match format {
        Format::Csv => csv::write(table, style).map_err(ExportError::Csv),
        Format::Xlsx => xlsx::write(table, style).map_err(ExportError::Spreadsheet),
        Format::Json => Ok(json::write(table, style).into_bytes()),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::write(table, style).map_err(ExportError::Parquet),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(ExportError::NoParquet),
    }
}

/// Whether a spreadsheet might take a text for a formula. Blanks before it, and the wide forms of the signs, make no difference to some.
fn looks_like_formula(text: &str) -> bool {
    let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    text.starts_with(signs) || text.trim_start_matches(odd).starts_with(signs)
}
