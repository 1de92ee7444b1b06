//! A spreadsheet with one sheet: text as text, numbers as numbers.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{Cell, Column, Holds, Style, Table, looks_like_formula};

/// Widths of columns, in characters.
const WIDTHS: std::ops::RangeInclusive<usize> = 9..=50;
/// The longest header or footer of a page, in characters.
const MARK_MAX: usize = 200;
/// Numbers up to this are exact in a spreadsheet, which keeps 15 digits.
const EXACT: u128 = 999_999_999_999_999;
/// A4.
const PAPER: u8 = 9;

/// Writes a table.
pub(super) fn write(table: &Table, style: &Style) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(table.name())?;
    page(sheet, style)?;
    let formats = Formats::new();
    for (at, column) in (0..).zip(table.columns()) {
        let heading = column.heading();
        sheet.write_string_with_format(0, at, &heading, &formats.heading)?;
        sheet.set_column_width(at, width(table, usize::from(at), &heading))?;
    }
    for (at, row) in (1..).zip(table.rows()) {
        for ((place, cell), column) in (0..).zip(row).zip(table.columns()) {
            put(sheet, (at, place), cell, column, &formats)?;
        }
    }
    let last = u16::try_from(table.columns().len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.autofilter(0, 0, u32::try_from(table.rows().len()).unwrap_or(u32::MAX), last)?;
    workbook.save_to_buffer()
}

/// How a page is printed: across, as wide as the table, with the heading and the mark on every page.
fn page(sheet: &mut Worksheet, style: &Style) -> Result<(), XlsxError> {
    sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
    sheet.set_landscape().set_paper_size(PAPER).set_print_fit_to_pages(1, 0);
    // An ampersand begins a code there.
    let mark: String = style.mark.chars().take(MARK_MAX / 2).collect::<String>().replace('&', "&&");
    if !mark.is_empty() {
        sheet.set_header(format!("&C{mark}"));
    }
    sheet.set_footer(format!("&L&A&C{mark}&R&P / &N"));
    Ok(())
}

struct Formats {
    heading: Format,
    text: Format,
    /// For what looks like a formula: it stays a text also where somebody edits the cell.
    quoted: Format,
    count: Format,
    mass: Format,
    share: Format,
    day: Format,
    time: Format,
}

impl Formats {
    fn new() -> Self {
        let number = |form: &str| Format::new().set_num_format(form);
        Self {
            heading: Format::new().set_bold(),
            text: number("@"),
            quoted: number("@").set_quote_prefix(),
            count: number("#,##0"),
            mass: number("#,##0.000"),
            share: number("0.0"),
            day: number("yyyy-mm-dd"),
            time: number("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

fn put(
    sheet: &mut Worksheet,
    (row, place): (u32, u16),
    cell: &Cell,
    column: &Column,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Count(count) if u128::from(*count) <= EXACT => {
            sheet.write_number_with_format(row, place, *count as f64, &formats.count)?;
        }
        Cell::Mass(grams) if *grams <= EXACT => {
            sheet.write_number_with_format(row, place, *grams as f64 / 1_000.0, &formats.mass)?;
        }
        Cell::Share(permille) => {
            sheet.write_number_with_format(row, place, f64::from(*permille) / 10.0, &formats.share)?;
        }
        Cell::Day(day) => {
            let day = ExcelDateTime::parse_from_str(&day.to_string())?;
            sheet.write_datetime_with_format(row, place, &day, &formats.day)?;
        }
        Cell::Time(time) => {
            let time = ExcelDateTime::from_timestamp(time.seconds())?;
            sheet.write_datetime_with_format(row, place, &time, &formats.time)?;
        }
        Cell::Unknown | Cell::Suppressed | Cell::Text(_) | Cell::Count(_) | Cell::Mass(_) => {
            let text = cell.shown();
            let foreign = column.holds == Holds::Text && looks_like_formula(&text);
            let format = if foreign { &formats.quoted } else { &formats.text };
            sheet.write_string_with_format(row, place, &text, format)?;
        }
    }
    Ok(())
}

/// As wide as the longest of the first rows; reading all of a long table would only make it slow.
fn width(table: &Table, at: usize, heading: &str) -> f64 {
    let shown = table.rows().iter().take(500).filter_map(|row| row.get(at)).map(|cell| cell.shown().chars().count());
    let longest = shown.chain([heading.chars().count() + 2]).max().unwrap_or(0);
    u32::try_from(longest.clamp(*WIDTHS.start(), *WIDTHS.end())).map_or(20.0, f64::from)
}
