//! Everything that a set of documents holds, checked: what would be logged, what would not, and why.

use super::{Import, ImportError, Imported, NotScheduled, Position, Reason};
use crate::record::{Context, Finding, Record};

/// A record from a document, ready to be logged.
#[derive(Clone, Debug)]
pub struct CheckedRecord {
    /// The document.
    pub file: String,
    /// Where the record begins in it.
    pub position: Position,
    /// The record.
    pub record: Box<Record>,
    /// What is worth a look, in words.
    pub warnings: Vec<String>,
}

/// The outcome for a set of documents.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// How many documents were given.
    pub files: usize,
    /// What would be logged, in the order of the documents.
    pub records: Vec<CheckedRecord>,
    /// Goods that are of no concern.
    pub not_scheduled: Vec<NotScheduled>,
    /// What cannot be logged.
    pub errors: Vec<ImportError>,
}

impl Batch {
    /// Reads one more document and checks its records.
    pub fn add(&mut self, file: &str, bytes: &[u8], context: &Context) {
        self.take(super::read(file, bytes), context);
    }

    /// Checks the records of one more document that was read.
    pub fn take(&mut self, import: Import, context: &Context) {
        self.files += 1;
        let Import { records, not_scheduled, errors } = import;
        self.not_scheduled.extend(not_scheduled);
        self.errors.extend(errors);
        for imported in records {
            match imported.check(context) {
                Ok(record) => self.records.push(record),
                Err(errors) => self.errors.extend(errors),
            }
        }
    }

    /// Notes a document that could not even be read from disk.
    pub fn unreadable(&mut self, file: &str, error: &std::io::Error) {
        self.files += 1;
        self.errors.push(ImportError::new(file, Position::START, Reason::Unreadable(error.to_string())));
    }
}

impl Imported {
    /// Checks the draft and keeps its place.
    ///
    /// # Errors
    /// Every reason why it is no record, each with the place of its goods line if it has one.
    pub fn check(self, context: &Context) -> Result<CheckedRecord, Vec<ImportError>> {
        let Self { file, position, goods_positions, draft, notes } = self;
        let place = |finding: &Finding| {
            let at =
                finding.field.strip_prefix("goods/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
            at.and_then(|at| goods_positions.get(at)).copied().unwrap_or(position)
        };
        match draft.check(context) {
            Ok(checked) => {
                let mut warnings: Vec<String> = notes.iter().map(ToString::to_string).collect();
                warnings.extend(checked.warnings.iter().map(ToString::to_string));
                Ok(CheckedRecord { file, position, record: Box::new(checked.record), warnings })
            }
            Err(refused) => {
                let errors = refused.errors.into_iter();
                Err(errors.map(|finding| ImportError::new(&file, place(&finding), Reason::Check(finding))).collect())
            }
        }
    }
}
