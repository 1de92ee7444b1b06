//! A table as rows of cells, each with its place. Finds out the delimiter and the decimal sign.

use std::collections::BTreeMap;
use std::io::Cursor;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::columns::{self, COLUMNS, Column};
use super::numbers::DecimalSign;
use crate::formats::source::{Source, tidy};
use crate::formats::{ImportError, Position, Reason};

/// The most rows that are read.
const MAX_ROWS: usize = 200_000;
/// The most columns.
const MAX_COLUMNS: usize = 256;

/// A table with a known header line.
pub(super) struct Table<'a> {
    source: &'a Source<'a>,
    delimiter: u8,
    header: Vec<String>,
    /// Where each known column stands.
    places: BTreeMap<&'static str, usize>,
    decimal: DecimalSign,
}

/// The rows of a table that are not empty.
struct Rows<'a> {
    source: &'a Source<'a>,
    reader: Reader<Cursor<&'a [u8]>>,
}

/// One row.
pub(super) struct Line {
    cells: Vec<String>,
    /// Where it begins, in bytes.
    start: usize,
}

impl<'a> Table<'a> {
    /// Reads the header line and looks for what the rest of the table is written in. With it come the rows after the header line.
    pub(super) fn open(
        source: &'a Source<'a>,
    ) -> Result<(Self, impl Iterator<Item = Result<Line, ImportError>>), ImportError> {
        let first = source.text.trim_start().lines().next().unwrap_or_default();
        let known = |delimiter: &u8| {
            first.split(char::from(*delimiter)).filter(|cell| columns::find(cell.trim_matches('"')).is_some()).count()
        };
        let delimiter = [b';', b'\t', b','].into_iter().max_by_key(known).unwrap_or(b',');
        let mut table =
            Self { source, delimiter, header: Vec::new(), places: BTreeMap::new(), decimal: DecimalSign::Point };
        let mut rows = Rows::new(source, delimiter);
        let header = match rows.next() {
            Some(Ok(header)) => header,
            Some(Err(error)) => return Err(error),
            None => return Err(source.error(0, Reason::Empty)),
        };
        if header.cells.len() > MAX_COLUMNS {
            return Err(source.error(header.start, Reason::TooMany { what: "columns", limit: MAX_COLUMNS }));
        }
        for (at, cell) in header.cells.iter().enumerate() {
            let Some(Column { name, .. }) = columns::find(cell) else { continue };
            if table.places.insert(name, at).is_some() {
                let place = table.cell_start(header.start, at);
                return Err(source.error(place, Reason::ColumnTwice((*name).to_owned())));
            }
        }
        if let Some(missing) = COLUMNS.iter().find(|column| column.required && !table.places.contains_key(column.name))
        {
            return Err(source.error(header.start, Reason::NoColumn(missing.name)));
        }
        let columns = header.cells.len();
        table.header = header.cells;
        table.decimal = table.decimal_sign(&mut rows);
        rows.begin_again()?;
        let lines = rows.enumerate().skip(1).take(MAX_ROWS + 1).map(move |(at, row)| {
            let row = row?;
            if at > MAX_ROWS {
                return Err(source.error(row.start, Reason::TooMany { what: "rows", limit: MAX_ROWS }));
            }
            // Spreadsheets leave out or add empty cells at the end of a row.
            let cells = row.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            if cells > columns {
                return Err(source.error(row.start, Reason::RowLength { cells, columns }));
            }
            Ok(row)
        });
        Ok((table, lines))
    }

    /// The header cells that name no column.
    pub(super) fn unknown_columns(&self) -> impl Iterator<Item = String> {
        self.header.iter().filter(|cell| !cell.is_empty() && columns::find(cell).is_none()).cloned()
    }

    /// The cell of a row in a column, if it is not empty.
    pub(super) fn cell<'b>(&self, line: &'b Line, column: &str) -> Option<&'b str> {
        let at = self.places.get(column)?;
        line.cells.get(*at).map(String::as_str).filter(|cell| !cell.is_empty())
    }

    /// An error at a cell.
    pub(super) fn error(&self, line: &Line, column: &str, reason: Reason) -> ImportError {
        let at = self.places.get(column).copied().unwrap_or(0);
        self.source.error(self.cell_start(line.start, at), reason)
    }

    pub(super) fn position(&self, line: &Line) -> Position {
        self.source.position(line.start)
    }

    pub(super) fn file(&self) -> &str {
        self.source.file
    }

    pub(super) fn decimal(&self) -> DecimalSign {
        self.decimal
    }

    /// Where the cell of that number begins in the row that begins at `start`.
    fn cell_start(&self, start: usize, number: usize) -> usize {
        let mut left = number;
        let mut quoted = false;
        for (at, byte) in self.source.text.bytes().enumerate().skip(start) {
            if left == 0 {
                return at;
            }
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => return start,
                byte if byte == self.delimiter && !quoted => left -= 1,
                _ => {}
            }
        }
        start
    }

    /// A comma is the decimal sign if it is one somewhere and a point is nowhere.
    fn decimal_sign(&self, lines: &mut Rows<'_>) -> DecimalSign {
        let numeric = ["net_mass", "gross_mass", "concentration_percent"];
        let mut sign = DecimalSign::Point;
        for line in lines.flatten() {
            for cell in numeric.iter().filter_map(|column| self.cell(&line, column)) {
                if cell.contains('.') {
                    return DecimalSign::Point;
                }
                // In a table with commas between the cells, a comma in a number is more likely to part thousands.
                if cell.contains(',') && self.delimiter != b',' {
                    sign = DecimalSign::Comma;
                }
            }
        }
        sign
    }
}

impl<'a> Rows<'a> {
    fn new(source: &'a Source<'a>, delimiter: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).has_headers(false).flexible(true);
        Self { source, reader: builder.from_reader(Cursor::new(source.text.as_bytes())) }
    }

    fn begin_again(&mut self) -> Result<(), ImportError> {
        self.reader.seek(csv::Position::new()).map_err(|error| self.fault(&error))
    }

    /// Rows of any length are taken and the text is UTF-8, so this is a fault of the reader's own.
    fn fault(&self, error: &csv::Error) -> ImportError {
        self.source.error(0, Reason::Table(error.to_string()))
    }

    /// The reader's position may be that of the line break before.
    fn row_start(&self, row: &StringRecord) -> usize {
        let start = row.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        let rest = self.source.text.get(start..).unwrap_or_default();
        start + (rest.len() - rest.trim_start_matches(['\r', '\n']).len())
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Line, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = StringRecord::new();
        loop {
            match self.reader.read_record(&mut row) {
                Ok(false) => return None,
                Ok(true) => {
                    let cells: Vec<String> = row.iter().map(tidy).collect();
                    if cells.iter().any(|cell| !cell.is_empty()) {
                        return Some(Ok(Line { start: self.row_start(&row), cells }));
                    }
                }
                Err(error) => return Some(Err(self.fault(&error))),
            }
        }
    }
}

impl Line {
    pub(super) fn start(&self) -> usize {
        self.start
    }
}
