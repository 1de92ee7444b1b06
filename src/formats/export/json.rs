//! JSON: one object for the table, one for each row.

use serde_json::{Map, Value as Json, json};

use super::{Cell, Style, Table};

/// A table as JSON. Masses are whole grams and shares thousandths, as numbers; beyond 64 bits as text. An empty cell is null, and `unknown`
/// and `suppressed` are these words.
pub(super) fn write(table: &Table, style: &Style) -> String {
    let keys: Vec<String> = table.columns().iter().map(super::Column::key).collect();
    let row = |row: &Vec<Cell>| keys.iter().cloned().zip(row.iter().map(value)).collect::<Map<_, _>>();
    let rows: Vec<_> = table.rows().iter().map(row).collect();
    let mark = Some(&style.mark).filter(|mark| !mark.is_empty());
    let mut text = json!({ "table": table.name(), "marking": mark, "columns": keys, "rows": rows }).to_string();
    text.push('\n');
    text
}

fn value(cell: &Cell) -> Json {
    match cell {
        Cell::Empty => Json::Null,
        Cell::Count(count) => Json::from(*count),
        Cell::Mass(grams) => u64::try_from(*grams).map_or_else(|_| Json::from(grams.to_string()), Json::from),
        Cell::Share(permille) => Json::from(*permille),
        Cell::Unknown | Cell::Suppressed | Cell::Text(_) | Cell::Day(_) | Cell::Time(_) => Json::from(cell.shown()),
    }
}
