//! Documents made elsewhere: from their bytes to [`Draft`]s, each with the place it came from. And tables that leave the node.
//!
//! ```text
//! bytes ──detect──▶ XML (WCO Data Model) │ CSV │ JSON ──▶ Import ──check──▶ Batch ──▶ Report
//! Table ──export──▶ CSV │ XLSX │ JSON │ Parquet
//! ```
//!
//! Reading a document never fails as a whole: what is wrong is reported with file, line, column and reason beside what is
//! right, and the caller decides whether one bad line stops everything. Sizes, depths and counts are bounded. Nothing
//! here opens a file, prints, or talks to a node; no entity, formula or link in a document is ever followed.
//!
//! Start reading at [`read`], then `wco.rs` for the one format that matters most; [`export`] is the way out.

mod batch;
mod csv;
mod error;
pub mod export;
mod json;
mod report;
mod source;
mod wco;
mod xml;

#[cfg(test)]
mod tests;

pub use batch::{Batch, CheckedRecord};
pub use csv::{COLUMNS, Column};
pub use error::{ImportError, Note, Reason};
pub use report::Report;
pub use source::Position;

use crate::record::Draft;

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 32 << 20;

/// A draft with the place it came from.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The document, by the name the caller gave it.
    pub file: String,
    /// Where the record begins in it.
    pub position: Position,
    /// Where each of its goods lines begins.
    pub goods_positions: Vec<Position>,
    /// The record, not yet checked. In a box of its own, which is given back as soon as it is checked: a document may hold a hundred thousand.
    pub draft: Box<Draft>,
    /// What was assumed in reading.
    pub notes: Vec<Note>,
}

/// A line of goods that is not on the substance list, so that nothing is notified.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NotScheduled {
    /// The document.
    pub file: String,
    /// Line in the document, from 1.
    pub line: u64,
    /// Commodity code as declared; empty if the line has none.
    pub commodity: String,
}

/// What a document holds.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// Records to be.
    pub records: Vec<Imported>,
    /// Goods that are of no concern.
    pub not_scheduled: Vec<NotScheduled>,
    /// What could not be read.
    pub errors: Vec<ImportError>,
}

impl Import {
    fn refused(file: &str, position: Position, reason: Reason) -> Self {
        Self { errors: vec![ImportError::new(file, position, reason)], ..Self::default() }
    }
}

/// Reads a document of any known format, told apart by its content. `file` is its name in what is reported.
pub fn read(file: &str, bytes: &[u8]) -> Import {
    let start = Position::START;
    if bytes.len() > MAX_DOCUMENT {
        return Import::refused(file, start, Reason::TooLarge { bytes: bytes.len() });
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Import::refused(file, start, Reason::Spreadsheet);
    }
    let text = match source::decode(bytes) {
        Ok(text) => text,
        Err((position, reason)) => return Import::refused(file, position, reason),
    };
    let source = source::Source::new(file, &text);
    let mut import = match text.text.trim_start().chars().next() {
        None => return Import::refused(file, start, Reason::Empty),
        Some('<') => wco::read(&source),
        Some('{' | '[') => json::read(&source),
        Some(_) => csv::read(&source),
    };
    if text.is_windows_1252 {
        import.records.iter_mut().for_each(|record| record.notes.push(Note::Windows1252));
    }
    import
}
