//! What was written is read back: by another library, by our own reader, and by a strict parser.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use proptest::prelude::*;

use super::*;
use crate::formats;

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn plain() -> Style {
    Style { mark: String::new(), european: false }
}

fn sample() -> Table {
    let columns = [
        ("what", Holds::Text),
        ("how_many", Holds::Count),
        ("departed", Holds::Mass),
        ("answered", Holds::Share),
        ("median", Holds::Hours),
        ("on", Holds::Day),
        ("at", Holds::Time),
    ];
    let mut table = Table::new("sample", columns.map(|(name, holds)| Column::new(name, holds)).into());
    let at = UnixTime::from_seconds(1_384_905_600).expect("a time");
    table.push(vec![
        Cell::text("Rhosus; \"2,750 t\"\nBatumi–Beira"),
        Cell::Count(1),
        Cell::Mass(2_750_000_001),
        Cell::Share(985),
        Cell::Count(30),
        Cell::Day(day("2013-09-23")),
        Cell::Time(at),
    ]);
    table.push(vec![
        Cell::text("=1+2"),
        Cell::Unknown,
        Cell::Unknown,
        Cell::Suppressed,
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
    ]);
    table
}

fn csv_rows(bytes: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(bytes);
    reader.records().map(|row| row.expect("well-formed").iter().map(ToOwned::to_owned).collect()).collect()
}

fn sheet(bytes: Vec<u8>) -> (Vec<Vec<Data>>, usize) {
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a spreadsheet");
    let name = workbook.sheet_names().first().expect("a sheet").clone();
    let formulas = workbook.worksheet_formula(&name).expect("readable").used_cells().count();
    let rows = workbook.worksheet_range(&name).expect("readable");
    (rows.rows().map(<[Data]>::to_vec).collect(), formulas)
}

#[test]
fn csv_is_what_the_standard_and_the_officers_read() {
    let rows = csv_rows(&write(&sample(), Format::Csv, &plain()).expect("written"), b',');
    assert_eq!(
        rows[0],
        ["what", "how_many", "departed_kg", "answered_percent", "median_hours", "on", "at"],
        "units stand in the heading"
    );
    let first = ["Rhosus; \"2,750 t\"\nBatumi–Beira", "1", "2750000.001", "98.5", "30", "2013-09-23"];
    assert_eq!(rows[1][..6], first);
    assert_eq!(rows[1][6], "2013-11-20T00:00:00Z");
    assert_eq!(rows[2], ["'=1+2", "unknown", "unknown", "suppressed", "", "", ""]);

    let style = Style { mark: "-LIMITED".to_owned(), european: true };
    let bytes = write(&sample(), Format::Csv, &style).expect("written");
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").expect("a byte order mark");
    let rows = csv_rows(text, b';');
    assert_eq!((rows[1][2].as_str(), rows[1][3].as_str()), ("2750000,001", "98,5"));
    assert_eq!(rows[0][7], "marking");
    assert_eq!(rows[2][7], "'-LIMITED", "the mark is a text too");
}

#[test]
fn a_spreadsheet_keeps_numbers_as_numbers_and_text_as_text() {
    let (rows, formulas) = sheet(write(&sample(), Format::Xlsx, &Style::default()).expect("written"));
    assert_eq!(formulas, 0);
    assert_eq!(rows[0][2], Data::String("departed_kg".to_owned()));
    assert_eq!(rows[1][0], Data::String("Rhosus; \"2,750 t\"\nBatumi–Beira".to_owned()));
    assert_eq!(rows[1][1..5], [Data::Float(1.0), Data::Float(2_750_000.001), Data::Float(98.5), Data::Float(30.0)]);
    let Data::DateTime(on) = rows[1][5] else { panic!("a day: {:?}", rows[1][5]) };
    assert_eq!(on.to_ymd_hms_milli(), (2013, 9, 23, 0, 0, 0, 0));
    let Data::DateTime(at) = rows[1][6] else { panic!("a time: {:?}", rows[1][6]) };
    assert_eq!(at.to_ymd_hms_milli(), (2013, 11, 20, 0, 0, 0, 0));
    assert_eq!(rows[2][0], Data::String("=1+2".to_owned()), "no apostrophe is needed where cells have types");
    assert_eq!(rows[2][2], Data::String("unknown".to_owned()));
}

#[test]
fn a_mass_beyond_what_spreadsheets_count_is_written_in_full() {
    let mut table = Table::new("sample", vec![Column::new("departed", Holds::Mass)]);
    table.push(vec![Cell::Mass(u128::MAX)]);
    let (rows, _) = sheet(write(&table, Format::Xlsx, &plain()).expect("written"));
    let shown = "340282366920938463463374607431768211.455";
    assert_eq!(rows[1][0], Data::String(shown.to_owned()));
    let json: serde_json::Value =
        serde_json::from_slice(&write(&table, Format::Json, &plain()).expect("written")).expect("JSON");
    assert_eq!(json["rows"][0]["departed_g"], u128::MAX.to_string());
}

#[test]
fn the_mark_is_on_every_printed_page() {
    let bytes =
        write(&sample(), Format::Xlsx, &Style { mark: "R&D only".to_owned(), european: false }).expect("written");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip file");
    let mut xml = String::new();
    let mut file = zip.by_name("xl/worksheets/sheet1.xml").expect("the sheet");
    std::io::Read::read_to_string(&mut file, &mut xml).expect("text");
    assert!(xml.contains("<oddHeader>&amp;CR&amp;&amp;D only</oddHeader>"), "{xml}");
    assert!(xml.contains("state=\"frozen\"") && xml.contains("<autoFilter ref=\"A1:G3\""), "{xml}");
}

#[test]
fn json_has_whole_numbers_and_says_what_is_unknown() {
    let text = write(&sample(), Format::Json, &Style::default()).expect("written");
    let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(json["marking"], MARK);
    let rows = &json["rows"];
    assert_eq!((&rows[0]["departed_g"], &rows[0]["answered_permille"]), (&2_750_000_001_u64.into(), &985.into()));
    assert_eq!((&rows[1]["departed_g"], &rows[1]["median_hours"]), (&"unknown".into(), &serde_json::Value::Null));
    assert_eq!(rows[1]["what"], "=1+2", "JSON is for machines, which calculate nothing");
}

/// The table that our own import reads, as an office would write it.
#[test]
fn our_own_reader_reads_what_we_write() {
    let names = ["ucr", "destination", "exporter_name", "consignee_name", "substance", "net_unit", "remarks"];
    let mut columns: Vec<Column> = names.map(|name| Column::new(name, Holds::Text)).into();
    columns.push(Column::new("net_mass", Holds::Text));
    let mut table = Table::new("sample", columns);
    let cells =
        ["4GE1", "TR", "Rustavi \"Azot\"", "Samsun; Gübre", "ammonium-nitrate", "KGM", "=cmd|'/C calc'!A0", "25000,5"];
    table.push(cells.map(Cell::text).into());
    let bytes = write(&table, Format::Csv, &Style { european: true, ..plain() }).expect("written");
    let import = formats::read("sample.csv", &bytes);
    assert!(import.errors.is_empty(), "{:?}", import.errors);
    let draft = &import.records.first().expect("one record").draft;
    let name = |party: &Option<crate::record::Party>| party.as_ref().and_then(|party| party.name.clone());
    assert_eq!(name(&draft.exporter).as_deref(), Some("Rustavi \"Azot\""));
    assert_eq!(name(&draft.consignee).as_deref(), Some("Samsun; Gübre"));
    assert_eq!(draft.goods[0].net.as_ref().map(|net| net.value.as_str()), Some("25000.5"));
    assert_eq!(draft.remarks.as_deref(), Some("'=cmd|'/C calc'!A0"));
}

/// What programs have been made to run by opening a table.
const HOSTILE: [&str; 14] = [
    "=1+1",
    "+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =HYPERLINK(\"http://example.com\")",
    "\u{a0}=1+1",
    "\u{feff}=1+1",
    "\u{ff1d}1+1",
    "=\"a\",\"b\";=1+1",
    "\";=1+1\r\n=2+2",
    "'=1+1\u{0}",
];

#[test]
fn hostile_text_is_a_text_in_csv() {
    for (text, european) in HOSTILE.iter().flat_map(|text| [(text, false), (text, true)]) {
        let mut table = Table::new("sample", vec![Column::new("what", Holds::Text), Column::new("more", Holds::Text)]);
        table.push(vec![Cell::text(*text), Cell::text("end")]);
        let bytes = write(&table, Format::Csv, &Style { european, ..plain() }).expect("written");
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let rows = csv_rows(bytes, if european { b';' } else { b',' });
        assert_eq!(rows.len(), 2, "{text:?} began a row");
        assert_eq!(rows[1].len(), 2, "{text:?} began a cell");
        assert!(!looks_like_formula(&rows[1][0]), "{text:?}");
        assert_eq!(rows[1][0].trim_start_matches('\''), text.trim_start_matches('\''), "nothing else is changed");
    }
}

#[test]
fn hostile_text_is_a_text_in_a_spreadsheet() {
    let mut table = Table::new("sample", vec![Column::new("what", Holds::Text)]);
    HOSTILE.iter().for_each(|text| table.push(vec![Cell::text(*text)]));
    let (rows, formulas) = sheet(write(&table, Format::Xlsx, &plain()).expect("written"));
    assert_eq!(formulas, 0);
    for (row, text) in rows.iter().skip(1).zip(HOSTILE) {
        assert!(matches!(row[0], Data::String(_)), "{text:?}: {:?}", row[0]);
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_comes_back_with_its_types() {
    use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
    use ::parquet::record::Field;

    let mut file = tempfile::tempfile().expect("a file");
    let bytes = write(&sample(), Format::Parquet, &Style::default()).expect("written");
    std::io::Write::write_all(&mut file, &bytes).expect("written");
    let reader = SerializedFileReader::new(file).expect("a Parquet file");
    let metadata = reader.metadata().file_metadata();
    let marking = metadata.key_value_metadata().and_then(|pairs| pairs.first()).and_then(|pair| pair.value.clone());
    assert_eq!((metadata.num_rows(), marking.as_deref()), (2, Some(MARK)));
    let rows: Vec<Vec<(String, Field)>> = reader
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row").get_column_iter().map(|(name, field)| (name.clone(), field.clone())).collect())
        .collect();
    let field = |row: usize, name: &str| rows[row].iter().find(|(key, _)| key == name).expect("a column").1.clone();
    assert_eq!(field(0, "departed_g"), Field::Long(2_750_000_001));
    assert_eq!(field(0, "answered_permille"), Field::Int(985));
    assert_eq!(field(0, "on"), Field::Date(15_971), "days from 1970 to 2013-09-23");
    assert_eq!(field(0, "at"), Field::TimestampMicros(1_384_905_600_000_000));
    assert_eq!(field(1, "what"), Field::Str("=1+2".to_owned()));
    assert_eq!([field(1, "departed_g"), field(1, "answered_permille")], [Field::Null, Field::Null], "never a zero");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_program_without_parquet_says_so() {
    let error = write(&sample(), Format::Parquet, &plain()).expect_err("not built in");
    assert!(error.to_string().contains("without the feature parquet"));
}

proptest! {
    #[test]
    fn any_text_comes_back_from_csv(text in any::<String>(), european in any::<bool>()) {
        prop_assume!(!text.is_empty());
        let mut table = Table::new("sample", vec![Column::new("what", Holds::Text), Column::new("end", Holds::Text)]);
        table.push(vec![Cell::text(text.as_str()), Cell::text("end")]);
        let bytes = write(&table, Format::Csv, &Style { european, ..plain() }).expect("written");
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let rows = csv_rows(bytes, if european { b';' } else { b',' });
        prop_assert!(!looks_like_formula(&rows[1][0]));
        let back = if looks_like_formula(&text) { rows[1][0].strip_prefix('\'').unwrap_or_default() } else { &rows[1][0] };
        prop_assert_eq!(back, text);
    }

    #[test]
    fn any_mass_comes_back_from_a_spreadsheet(grams in 0_u128..1_000_000_000_000_000) {
        let mut table = Table::new("sample", vec![Column::new("departed", Holds::Mass)]);
        table.push(vec![Cell::Mass(grams)]);
        let (rows, _) = sheet(write(&table, Format::Xlsx, &plain()).expect("written"));
        let Data::Float(kilograms) = rows[1][0] else { panic!("a number") };
        prop_assert_eq!(format!("{kilograms:.3}"), Cell::Mass(grams).shown());
    }
}
