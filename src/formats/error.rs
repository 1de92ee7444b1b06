//! Why a place of a document is refused, and what was assumed where it is not.

use std::fmt;

use super::Position;
use crate::record::{Finding, Malformed, QuantityError};

/// A refusal with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// The document.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// Why.
    pub reason: Reason,
}

impl ImportError {
    pub(super) fn new(file: &str, position: Position, reason: Reason) -> Self {
        Self { file: file.to_owned(), position, reason }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.position.line, self.position.column, self.reason)
    }
}

/// Why something in a document is refused.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Above [`super::MAX_DOCUMENT`].
    #[error("the document has {bytes} bytes and at most {} are read", super::MAX_DOCUMENT)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Nothing in it.
    #[error("the document is empty")]
    Empty,
    /// An Excel or OpenDocument file.
    #[error("this is a spreadsheet file; save it as CSV (UTF-8)")]
    Spreadsheet,
    /// Bytes that are no text.
    #[error("not a text in {encoding}")]
    NotText {
        /// The encoding that was tried.
        encoding: &'static str,
    },
    /// An encoding nobody knows.
    #[error("the encoding {0:?} is not known")]
    UnknownEncoding(String),
    /// Not well-formed XML.
    #[error("not well-formed XML: {0}")]
    Xml(String),
    /// A comment runs into the next one: its end was forgotten.
    #[error(
        "not well-formed XML: the comment that begins at line {line}, column {column} is not closed before this \"--\""
    )]
    UnclosedComment {
        /// Line where it begins.
        line: u64,
        /// Column where it begins.
        column: u64,
    },
    /// A document type declaration or an entity: the doors through which XML reads files and eats memory.
    #[error("document types and entities are not read")]
    Doctype,
    /// Elements within elements without end.
    #[error("elements are nested deeper than {0}")]
    TooDeep(usize),
    /// More of something than is read.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// An answer of a customs system.
    #[error("this is a response ({0}), not a declaration")]
    Response(String),
    /// XML of another kind.
    #[error("the root element is {0:?}: not a declaration of the WCO Data Model")]
    NotADeclaration(String),
    /// A declaration that is none for export.
    #[error("declaration type {0:?} is not an export")]
    NotAnExport(String),
    /// Not JSON, or not the JSON of a draft.
    #[error("{0}")]
    Json(String),
    /// A header line without a needed column.
    #[error("the header line has no column {0}")]
    NoColumn(&'static str),
    /// The same column twice.
    #[error("column {0} is there twice")]
    ColumnTwice(String),
    /// Not a table.
    #[error("not a table: {0}")]
    Table(String),
    /// More cells than the header.
    #[error("the row has {cells} cells and the header {columns}")]
    RowLength {
        /// Cells of the row.
        cells: usize,
        /// Cells of the header.
        columns: usize,
    },
    /// A quantity that is none.
    #[error("{field} {value:?}: {why}")]
    Quantity {
        /// Which.
        field: &'static str,
        /// As declared.
        value: String,
        /// Why not.
        why: QuantityError,
    },
    /// An amount in a table without its unit.
    #[error("{0} has no unit: a kilogram taken for a tonne is the commonest error of all, so none is assumed")]
    NoUnit(&'static str),
    /// A scheduled line that does not say how much.
    #[error("goods line {line} ({substance}) has no net mass")]
    NoMass {
        /// Number of the goods line.
        line: u32,
        /// Code of the substance.
        substance: String,
    },
    /// A number that is none.
    #[error("{field} {value:?} is not {wanted}")]
    Cell {
        /// The column or element.
        field: &'static str,
        /// As declared.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// An identifier without which nothing can be decided.
    #[error("{field} {value:?}: {why}")]
    Identifier {
        /// The column or element.
        field: &'static str,
        /// As declared.
        value: String,
        /// Why not.
        why: Malformed,
    },
    /// A row that names neither substance nor commodity.
    #[error("neither substance nor commodity_code")]
    NoCommodity,
    /// A finding of the record's own check.
    #[error("{0}")]
    Check(Finding),
    /// The file system gave nothing.
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

impl Reason {
    /// Whether nothing at all of the document could be read. A response is read, and is no declaration.
    pub fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. }
                | Self::Empty
                | Self::Spreadsheet
                | Self::NotText { .. }
                | Self::UnknownEncoding(_)
                | Self::Xml(_)
                | Self::UnclosedComment { .. }
                | Self::Doctype
                | Self::TooDeep(_)
                | Self::Unreadable(_)
        )
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reason(..)")
    }
}

/// What was assumed in reading a document, for a warning.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum Note {
    /// Read as Windows-1252.
    #[error("the document is not UTF-8 and was read as Windows-1252")]
    Windows1252,
    /// A column that nothing is made of.
    #[error("column {0:?} is not known and was not read")]
    UnknownColumn(String),
    /// A number like 2.750, which other countries read as two thousand.
    #[error("{field} {value:?} was read with {} as decimal sign", if *.comma { "a comma" } else { "a point" })]
    ThreeDecimals {
        /// The column.
        field: &'static str,
        /// As declared.
        value: String,
        /// Whether a comma is the decimal sign.
        comma: bool,
    },
    /// An identifier kept as it is.
    #[error("{field} {value:?} could not be read and was left out")]
    LeftOut {
        /// The element.
        field: &'static str,
        /// As declared.
        value: String,
    },
    /// No country of export in the declaration.
    #[error("no country of export is declared; {0} is assumed, where the declaration was lodged")]
    ExportCountryAssumed(String),
    /// The substance is known by its commodity code alone, and that holds other goods too.
    #[error("subheading {hs6} holds other goods as well; {substance} is assumed")]
    SubstanceAssumed {
        /// The subheading.
        hs6: String,
        /// Code of the substance.
        substance: String,
    },
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note(..)")
    }
}
