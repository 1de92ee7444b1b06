//! What a trial import shows: for machines as JSON, for people as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Batch, CheckedRecord, ImportError, NotScheduled};
use crate::record::{Declared, Goods, Mass, Party, Place};

/// What would be logged. Serialises to the object that `import --dry-run --json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    files: usize,
    records: Vec<RecordRow>,
    not_scheduled: Vec<NotScheduled>,
    errors: Vec<ErrorRow>,
    /// Files of which nothing could be read; the errors tell which.
    #[serde(skip)]
    refused: usize,
}

/// How a warning about a field that would be good to have ends.
const MISSING: &str = ": missing";

#[derive(Clone, Serialize)]
struct RecordRow {
    file: String,
    kind: String,
    ucr: Option<String>,
    exporter: Option<String>,
    consignee: Option<String>,
    /// Countries and places from first to last, destination included.
    route: Vec<String>,
    goods: Vec<GoodsRow>,
    warnings: Vec<String>,
}

#[derive(Clone, Serialize)]
struct GoodsRow {
    line: Option<u32>,
    substance: Option<String>,
    hs6: Option<String>,
    national_code: Option<String>,
    net_mass_g: Option<Mass>,
    description: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct ErrorRow {
    file: String,
    line: u64,
    column: u64,
    reason: String,
}

impl Report {
    /// The report on a batch.
    pub fn of(batch: &Batch) -> Self {
        let refused = batch.errors.iter().filter(|error| error.reason.is_unreadable()).map(|error| &error.file);
        Self {
            files: batch.files,
            refused: refused.collect::<BTreeSet<_>>().len().min(batch.files),
            records: batch.records.iter().map(RecordRow::of).collect(),
            not_scheduled: batch.not_scheduled.clone(),
            errors: batch.errors.iter().map(ErrorRow::of).collect(),
        }
    }

    /// The report as an officer reads it. Texts of the documents are escaped, so that they cannot move a cursor.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for record in &self.records {
            let name = |party: &Option<String>| party.as_deref().map_or_else(|| "-".to_owned(), plain);
            let route = record.route.join(" > ");
            // Writing to a string cannot fail.
            let _infallible = writeln!(
                text,
                "{}  {}  {}\n    {} -> {}{}",
                plain(&record.file),
                plain(&record.kind),
                record.ucr.as_deref().map_or_else(|| "no reference".to_owned(), plain),
                name(&record.exporter),
                name(&record.consignee),
                if route.is_empty() { String::new() } else { format!("  ({})", plain(&route)) },
            );
            for goods in &record.goods {
                let mass = goods.net_mass_g.map_or_else(|| "no mass".to_owned(), |mass| mass.to_string());
                let substance = goods.substance.as_deref().unwrap_or("unknown substance");
                let code = goods.national_code.as_deref().or(goods.hs6.as_deref()).unwrap_or("-");
                let _infallible = writeln!(
                    text,
                    "    line {}: {} {} ({})",
                    goods.line.unwrap_or(0),
                    mass,
                    plain(substance),
                    plain(code)
                );
            }
            let (absent, doubtful): (Vec<&str>, Vec<&str>) =
                record.warnings.iter().map(String::as_str).partition(|warning| warning.ends_with(MISSING));
            for warning in doubtful {
                let _infallible = writeln!(text, "    warning: {}", plain(warning));
            }
            if !absent.is_empty() {
                let fields: Vec<&str> = absent.iter().map(|warning| warning.trim_end_matches(MISSING)).collect();
                let _infallible = writeln!(text, "    not given: {}", fields.join(", "));
            }
        }
        for NotScheduled { file, line, commodity } in &self.not_scheduled {
            let commodity = if commodity.is_empty() { "no commodity code".to_owned() } else { plain(commodity) };
            let _infallible = writeln!(text, "{}:{line}: not scheduled: {commodity}", plain(file));
        }
        for ErrorRow { file, line, column, reason } in &self.errors {
            let _infallible = writeln!(text, "{}:{line}:{column}: error: {}", plain(file), plain(reason));
        }
        let _infallible = writeln!(
            text,
            "{}, {} read and {} refused: {} to log, {} not scheduled, {}",
            counted(self.files, "file"),
            self.files - self.refused,
            self.refused,
            counted(self.records.len(), "record"),
            counted(self.not_scheduled.len(), "goods line"),
            counted(self.errors.len(), "error"),
        );
        text
    }
}

impl RecordRow {
    fn of(checked: &CheckedRecord) -> Self {
        let declared = checked.record.declared();
        let label = |party: &Option<Party>| party.as_ref().map(|party| party.label().to_owned());
        Self {
            file: checked.file.clone(),
            kind: checked.record.kind().name().to_owned(),
            ucr: declared.ucr.as_ref().map(ToString::to_string),
            exporter: label(&declared.exporter),
            consignee: label(&declared.consignee),
            route: route(checked),
            goods: declared.goods.iter().map(GoodsRow::of).collect(),
            warnings: checked.warnings.clone(),
        }
    }
}

impl GoodsRow {
    fn of(goods: &Goods) -> Self {
        Self {
            line: goods.line,
            substance: goods.substance.clone(),
            hs6: goods.hs6.as_ref().map(ToString::to_string),
            national_code: goods.national_code.clone(),
            net_mass_g: goods.net_mass_g,
            description: goods.description.clone(),
        }
    }
}

impl ErrorRow {
    fn of(error: &ImportError) -> Self {
        Self {
            file: error.file.clone(),
            line: error.position.line,
            column: error.position.column,
            reason: error.reason.to_string(),
        }
    }
}

impl std::fmt::Debug for RecordRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordRow").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// From where the goods leave to where they are meant for, without naming a stop twice in a row.
fn route(checked: &CheckedRecord) -> Vec<String> {
    let declared = checked.record.declared();
    let name = |place: &Place| {
        let unlocode = place.unlocode.as_ref().map(ToString::to_string);
        unlocode.or_else(|| place.country.as_ref().map(ToString::to_string)).or_else(|| place.name.clone())
    };
    let mut stops: Vec<String> = declared.itinerary.iter().filter_map(name).collect();
    let begins_at = |stops: &[String], at: Option<usize>, country: &str| {
        at.and_then(|at| stops.get(at)).is_some_and(|stop| stop.starts_with(country))
    };
    let country = |declared: &Option<Declared<_>>| declared.as_ref().map(ToString::to_string);
    if let Some(country) = country(&declared.export_country).filter(|country| !begins_at(&stops, Some(0), country)) {
        stops.insert(0, country);
    }
    let last = stops.len().checked_sub(1);
    if let Some(country) = country(&declared.destination).filter(|country| !begins_at(&stops, last, country)) {
        stops.push(country);
    }
    stops
}

/// Control characters escaped, everything else as it is.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
