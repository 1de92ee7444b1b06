//! CSV as RFC 4180 describes it, safe to open in a spreadsheet.

use csv::{Terminator, WriterBuilder};

use super::{Cell, Style, Table, looks_like_formula};

/// The heading of the column that carries the classification.
const MARKING: &str = "marking";

/// Writes a table. With a mark the last column holds it in every row: a CSV has no pages.
pub(super) fn write(table: &Table, style: &Style) -> Result<Vec<u8>, csv::Error> {
    let bom: &[u8] = if style.european { b"\xef\xbb\xbf" } else { b"" };
    let delimiter = if style.european { b';' } else { b',' };
    let mut writer = WriterBuilder::new().delimiter(delimiter).terminator(Terminator::CRLF).from_writer(bom.to_vec());
    let marked = !style.mark.is_empty();
    let heading = table.columns().iter().map(super::Column::heading);
    writer.write_record(heading.chain(marked.then(|| MARKING.to_owned())))?;
    let mark = safe(&style.mark);
    for row in table.rows() {
        let cells = row.iter().map(|cell| written(cell, style.european));
        writer.write_record(cells.chain(marked.then(|| mark.clone())))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn written(cell: &Cell, decimal_comma: bool) -> String {
    if let Cell::Text(words) = cell {
        safe(words)
    } else if decimal_comma && cell.has_decimals() {
        cell.shown().replace('.', ",")
    } else {
        cell.shown()
    }
}

/// A text that no spreadsheet takes for a formula: an apostrophe in front makes it a text.
fn safe(text: &str) -> String {
    if looks_like_formula(text) { format!("'{text}") } else { text.to_owned() }
}
