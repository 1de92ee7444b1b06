//! Hostile documents: tables, declarations in XML, drafts in JSON.

use shieldwall::encoding::time::UnixTime;
use shieldwall::formats::Batch;
use shieldwall::record::{Context, Strictness};

use super::judge::Judge;
use super::{Case, case, repeated};

pub(super) fn judge(kind: &str) -> Option<Judge> {
    match kind {
        "csv" | "xml" | "json" => Some(document),
        _ => None,
    }
}

/// As an officer hands it in: nothing doubtful passes.
fn document(bytes: &[u8]) -> Result<(), String> {
    let now = UnixTime::from_seconds(1_795_000_000).unwrap();
    let author = Some("GE".parse().unwrap());
    let mut batch = Batch::default();
    batch.add("f", bytes, &Context { strictness: Strictness::Own, author, now, foreign_exports: false });
    if batch.errors.is_empty() {
        assert!(!batch.records.is_empty() || !batch.not_scheduled.is_empty(), "nothing came of it, and nobody is told");
        return Ok(());
    }
    assert!(batch.records.is_empty(), "a record came of it: {:?}", batch.errors);
    Err(batch.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

pub(super) fn good() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("csv", row(&[]).into_bytes()),
        ("xml", declaration("", "", &[]).into_bytes()),
        ("json", draft("", "").into_bytes()),
    ]
}

pub(super) fn cases() -> Vec<(&'static str, Vec<Case>)> {
    vec![("csv", tables()), ("csv", encodings(&row(&[]))), ("xml", xml()), ("json", json())]
}

const COLUMNS: [(&str, &str); 11] = [
    ("ucr", "3GE204567890-1"),
    ("destination", "TR"),
    ("exporter_name", "Sample Nitrogen"),
    ("consignee_name", "Sample Fertiliser"),
    ("substance", "ammonium-nitrate"),
    ("commodity_code", "31023090"),
    ("net_mass", "12.5"),
    ("net_unit", "TNE"),
    ("dispatch_earliest", "2026-11-20"),
    ("dispatch_latest", "2026-11-25"),
    ("container", "CSQU3054383"),
];

/// A table of one row, with some of its cells changed.
fn row(changes: &[(&str, &str)]) -> String {
    let cell = |(column, good): &(&str, &str)| {
        let value = changes.iter().find(|(name, _)| name == column).map_or(*good, |(_, value)| value);
        format!("\"{}\"", value.replace('"', "\"\""))
    };
    let header: Vec<&str> = COLUMNS.iter().map(|(column, _)| *column).collect();
    format!("{}\n{}\n", header.join(";"), COLUMNS.iter().map(cell).collect::<Vec<_>>().join(";"))
}

/// What is no number, for a column that is one.
const NUMBERS: [&str; 34] = [
    "=1+1",
    "+1",
    "-5",
    "-0",
    "1e3",
    "1E3",
    "NaN",
    "Infinity",
    "-Infinity",
    "0x10",
    "1_000",
    "1,000.5",
    "1 000",
    "1'000",
    "12..5",
    "12.",
    ".5",
    "١٢",
    "12.5 t",
    "½",
    "@SUM(A1)",
    "1/2",
    "9999999999999999999",
    "0.0000000000000000001",
    "1000000000000000001",
    "\t12",
    "12\u{a0}500",
    "--1",
    "1.2.3",
    "twelve",
    "12;5",
    "０１２",
    "1\u{200b}2",
    "999999999999999.9",
];

/// What hides in a name, and is not smoothed away in reading a table or XML as white space and decomposed letters are.
fn lasting() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    HIDDEN.iter().filter(|(_, hidden)| !["\u{85}", "\u{2028}", "e\u{301}"].contains(hidden))
}

/// What hides in a name.
const HIDDEN: [(&str, &str); 22] = [
    ("a zero width space", "\u{200b}"),
    ("a zero width joiner", "\u{200d}"),
    ("a right-to-left override", "\u{202e}"),
    ("a left-to-right mark", "\u{200e}"),
    ("a right-to-left isolate", "\u{2067}"),
    ("an Arabic letter mark", "\u{61c}"),
    ("a soft hyphen", "\u{ad}"),
    ("a byte order mark within", "\u{feff}"),
    ("a word joiner", "\u{2060}"),
    ("a Hangul filler", "\u{3164}"),
    ("a Mongolian vowel separator", "\u{180e}"),
    ("a variation selector", "\u{fe0f}"),
    ("a tag character", "\u{e0041}"),
    ("a combining grapheme joiner", "\u{34f}"),
    ("an escape", "\u{1b}[2J"),
    ("a bell", "\u{7}"),
    ("a backspace", "\u{8}"),
    ("a delete", "\u{7f}"),
    ("a next line", "\u{85}"),
    ("a line separator", "\u{2028}"),
    ("an interlinear annotation", "\u{fff9}"),
    ("a decomposed letter", "e\u{301}"),
];

fn tables() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut cell = |column: &str, value: &str, rule: String| cases.push(case(rule, row(&[(column, value)])));
    // White space around a cell is not part of it.
    for number in NUMBERS.iter().filter(|number| !number.starts_with('\t')) {
        cell("net_mass", number, format!("a mass of {number:?}"));
    }
    for unit in ["kg ", "TON", "LBS", "t", "KGM KGM", "=KGM", "MTR", "C62", "kilo", "KG\u{200b}M", "💥", "0"] {
        cell("net_unit", unit, format!("a unit of {unit:?}"));
    }
    for (rule, hidden) in lasting() {
        cell("consignee_name", &format!("Sample{hidden}Fertiliser"), format!("a name with {rule}"));
    }
    for (rule, hidden) in &HIDDEN[..6] {
        cell("ucr", &format!("3GE20456{hidden}7890-1"), format!("a reference with {rule}"));
    }
    for country in ["tr", "TUR", "T", "XX", "ZZ", "T\u{202e}R", "=TR", "Turkey", "90", "ТR", "T R"] {
        cell("destination", country, format!("a country of {country:?}"));
    }
    for day in [
        "2026-13-01",
        "2026-02-30",
        "2026-11-31",
        "20/11/2026",
        "11/20/2026",
        "2026-11",
        "tomorrow",
        "=TODAY()",
        "2026-11-20T10:00:00Z",
        "0000-00-00",
        "99999-01-01",
        "-2026-11-20",
        "2026-1-1",
        "1e9",
        "NaN",
    ] {
        cell("dispatch_earliest", day, format!("a day of {day:?}"));
    }
    for code in ["0", "31", "310", "ABCDEF", "=3102", "3102.30.90.00.00.00.00.00", "-310230", "3102\u{200b}3090"] {
        cell("commodity_code", code, format!("a commodity of {code:?}"));
    }
    for substance in
        ["sugar", "AMMONIUM NITRATE", "=A1", "ammonium\u{2011}nitrate", "ammonium-nitrate ammonium-nitrate", "../urea"]
    {
        cell("substance", substance, format!("a substance of {substance:?}"));
    }
    for container in ["CSQU3054384", "CSQU305438", "csqu3054383x", "=CSQU3054383", "C5QU3054383", "CSQU\u{200b}3054383"]
    {
        cell("container", container, format!("a container of {container:?}"));
    }
    cases.push(case("a window that ends before it begins", row(&[("dispatch_earliest", "2026-11-26")])));
    cases.push(case("no reference", row(&[("ucr", "")])));
    cases.push(case("no destination", row(&[("destination", "")])));
    cases.push(case("no consignee", row(&[("consignee_name", "")])));
    cases.push(case("no mass", row(&[("net_mass", "")])));
    cases.push(case("no unit", row(&[("net_unit", "")])));
    cases.push(case("a mass of zero", row(&[("net_mass", "0")])));
    cases.push(case("neither substance nor commodity", row(&[("substance", ""), ("commodity_code", "")])));
    let good = row(&[]);
    let (header, first) = good.split_once('\n').unwrap();
    let (start, end) = first.split_at(first.find("Sample F").unwrap());
    cases.push(repeated(
        "a name of 100,000 letters",
        &[(header.as_bytes(), 1), (b"\n", 1), (start.as_bytes(), 1), (b"x", 100_000), (end.as_bytes(), 1)],
    ));
    cases.push(repeated(
        "a reference of 100,000 digits",
        &[(header.as_bytes(), 1), (b"\n\"", 1), (b"7", 100_000), (&first.as_bytes()[1..], 1)],
    ));
    cases.push(repeated("1,000 columns", &[(b"ucr;", 1), (b"x;", 1_000), (b"y\n", 1)]));
    cases.push(repeated("one line of 200,000 quotes", &[(b"\"", 200_000)]));
    cases.push(repeated("a row of 10,000 cells", &[(header.as_bytes(), 1), (b"\n", 1), (b"x;", 10_000), (b"\n", 1)]));
    cases.push(case("a column twice", good.replacen("ucr;", "ucr;ucr;", 1)));
    cases.push(case("a column under two names", good.replacen("ucr;", "UCR;Ucr;", 1)));
    for column in ["ucr", "destination", "net_mass", "net_unit"] {
        cases.push(case(format!("no column {column}"), good.replacen(column, "other", 1)));
    }
    cases.push(case("a row longer than the header", good.replacen("CSQU3054383\"", "CSQU3054383\";x;y", 1)));
    cases.push(case("a quote that is not closed", good.replacen("\"TR\"", "\"TR", 1)));
    cases.push(case("a spreadsheet file", b"PK\x03\x04\x14\x00\x06\x00"));
    cases.push(case("an older spreadsheet file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"));
    cases.push(case("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"));
    cases.push(case("a program", b"\x7fELF\x02\x01\x01\x00"));
    cases.push(case("a compressed file", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"));
    cases
}

/// Bytes that are not the text that they pass for.
fn encodings(good: &str) -> Vec<Case> {
    let sixteen = |order: fn(u16) -> [u8; 2]| good.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let mut cases = vec![
        case("no byte", []),
        case("white space alone", " \n\t\r\n"),
        case("a byte order mark alone", "\u{feff}"),
        case("a zero byte", good.replacen("Sample", "Sam\0ple", 1)),
        case("a zero byte at the end", format!("{good}\0")),
        case("16 bits without a mark", sixteen(u16::to_le_bytes)),
        case("16 bits without a mark, the other way round", sixteen(u16::to_be_bytes)),
        case("a mark of 16 bits and an odd byte", b"\xff\xfea"),
        case("a lone surrogate in 16 bits", b"\xfe\xff\xd8\x00\x00a"),
    ];
    for (rule, bytes) in
        [("a lone continuation", &b"\x80"[..]), ("an overlong slash", b"\xc0\xaf"), ("a surrogate", b"\xed\xa0\x80")]
    {
        let at = good.find("TR").unwrap();
        cases.push(case(format!("{rule} in UTF-8"), [&good.as_bytes()[..at], bytes, &good.as_bytes()[at..]].concat()));
    }
    cases
}

/// A declaration of one goods item. `before` stands in front of the root, `inside` in it; changes are `(from, to)`.
fn declaration(before: &str, inside: &str, changes: &[(&str, &str)]) -> String {
    let mut text = format!(
        "{before}<MetaData><ResponsibleCountryCode>GE</ResponsibleCountryCode>{inside}<Declaration><TypeCode>EXA</TypeCode>\
         <Exporter><Name>Sample Nitrogen</Name></Exporter><GoodsShipment><Consignee><Name>Sample Fertiliser</Name></Consignee>\
         <Destination><CountryCode>TR</CountryCode></Destination><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>\
         <Commodity><Description>goods</Description><Classification><ID>31023090</ID></Classification>\
         <GoodsMeasure><NetNetWeightMeasure unitCode='TNE'>12.5</NetNetWeightMeasure></GoodsMeasure></Commodity>\
         </GovernmentAgencyGoodsItem><PreviousDocument><ID>3GE204567890-1</ID><TypeCode>DCR</TypeCode></PreviousDocument>\
         </GoodsShipment></Declaration></MetaData>"
    );
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in the declaration");
        text = text.replacen(from, to, 1);
    }
    text
}

fn xml() -> Vec<Case> {
    let mut cases = Vec::new();
    let good = declaration("", "", &[]);
    let laughs: String =
        (1..10).map(|level| format!("<!ENTITY lol{level} \"{}\">", format!("&lol{};", level - 1).repeat(10))).collect();
    for (rule, before) in [
        ("a document type", "<!DOCTYPE a>".to_owned()),
        ("an entity bomb", format!("<!DOCTYPE a [<!ENTITY lol0 \"lol\">{laughs}]>")),
        ("an entity that reads a file", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>".to_owned()),
        ("an entity that asks a server", "<!DOCTYPE a [<!ENTITY x SYSTEM \"http://192.0.2.1/x\">]>".to_owned()),
        ("a parameter entity", "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://192.0.2.1/x.dtd\"> %x;]>".to_owned()),
        ("a document type elsewhere", "<!DOCTYPE a SYSTEM \"http://192.0.2.1/a.dtd\">".to_owned()),
        ("a public document type", "<!DOCTYPE a PUBLIC \"-//X//Y\" \"x.dtd\">".to_owned()),
        ("text ahead of the root", "text".to_owned()),
        ("another root ahead", "<a/>".to_owned()),
        ("a comment that is not closed", "<!-- ".to_owned()),
        ("a comment within a comment", "<!-- <!-- -->".to_owned()),
        ("an instruction that is not closed", "<?xml-stylesheet ".to_owned()),
        ("an encoding that nobody knows", "<?xml version='1.0' encoding='x-klingon'?>".to_owned()),
        ("an end without a beginning", "</MetaData>".to_owned()),
        ("a section of text ahead of the root", "<![CDATA[x]]>".to_owned()),
    ] {
        cases.push(case(rule, declaration(&before, "", &[])));
    }
    for (rule, inside) in [
        ("an unknown entity", "<Note>&x;</Note>"),
        ("a number of no character", "<Note>&#xFFFFFFFF;</Note>"),
        ("a surrogate by number", "<Note>&#xD800;</Note>"),
        ("zero by number", "<Note>&#0;</Note>"),
        ("an entity that is not closed", "<Note>& </Note>"),
        ("an element that is not closed", "<Note>"),
        ("elements that overlap", "<A><B></A></B>"),
        ("an attribute twice", "<A b='1' b='2'/>"),
        ("an attribute without quotes", "<A b=1/>"),
        ("an attribute without a value", "<A b/>"),
        ("a section that is not closed", "<![CDATA[x"),
        ("a tag that is not closed", "<A "),
        ("an end tag with another name", "<A></a>"),
        ("a response among it", "<Response/>"),
    ] {
        cases.push(case(rule, declaration("", inside, &[])));
    }
    let (start, end) = good.split_at(good.find("<Declaration>").unwrap());
    let bomb = |rule: &str, open: &str, times: usize, close: &str| {
        let parts = [start, open, close, end];
        repeated(
            rule,
            &[
                (parts[0].as_bytes(), 1),
                (parts[1].as_bytes(), times),
                (parts[2].as_bytes(), 1),
                (parts[3].as_bytes(), 1),
            ],
        )
    };
    cases.push(bomb("40 levels", "<a>", 40, ""));
    cases.push(bomb("200,000 levels", "<a>", 200_000, ""));
    cases.push(bomb("600,000 elements", "<a/>", 600_000, ""));
    let attributes: String = (0..80).map(|number| format!(" a{number}=''")).collect();
    cases.push(bomb("80 attributes", &format!("<a{attributes}/>"), 1, ""));
    cases.push(bomb("a name of 1 MB that is not closed", "<", 1, &"n".repeat(3)));
    for mass in NUMBERS.iter().filter(|number| !number.contains(['\t', ';'])).take(26) {
        cases.push(case(format!("a mass of {mass:?}"), declaration("", "", &[(">12.5<", &format!(">{mass}<"))])));
    }
    for unit in ["KG", "TON", "=KGM", "MTR", "C62", "LTR", "kgm ", "X\u{202e}"] {
        cases.push(case(format!("a unit of {unit:?}"), declaration("", "", &[("'TNE'", &format!("'{unit}'"))])));
    }
    for (rule, hidden) in lasting() {
        if !hidden.contains(['\u{1b}', '\u{7}', '\u{8}']) {
            let name = format!("Sample{hidden}Fertiliser");
            cases.push(case(format!("a name with {rule}"), declaration("", "", &[("Sample Fertiliser", &name)])));
        }
    }
    for (rule, from, to) in [
        ("an import", ">EXA<", ">IMA<"),
        ("a country of three letters", "<CountryCode>TR<", "<CountryCode>TUR<"),
        ("a country that is none", "<CountryCode>TR<", "<CountryCode>XX<"),
        ("no destination", "<Destination><CountryCode>TR</CountryCode></Destination>", ""),
        ("no consignee", "<Consignee><Name>Sample Fertiliser</Name></Consignee>", ""),
        ("no exporter", "<Exporter><Name>Sample Nitrogen</Name></Exporter>", ""),
        ("no mass", "<NetNetWeightMeasure unitCode='TNE'>12.5</NetNetWeightMeasure>", ""),
        ("a response at the root", "<MetaData>", "<DeclarationResponse>"),
    ] {
        let mut text = declaration("", "", &[(from, to)]);
        if from == "<MetaData>" {
            text = text.replace("</MetaData>", &to.replace('<', "</"));
        }
        cases.push(case(rule, text));
    }
    for at in [1, 9, 40, 120, 300, 500, good.len() - 1] {
        cases.push(case(format!("cut off at byte {at}"), &good[..at]));
    }
    cases.push(case("twice in a row", format!("{good}{good}")));
    cases.push(case("text behind the root", format!("{good} text")));
    cases.push(case("a zero byte", good.replacen("goods", "go\0ods", 1)));
    cases.push(case("not UTF-8", [&good.as_bytes()[..60], b"\xff", &good.as_bytes()[60..]].concat()));
    cases
}

/// A draft, with something in front of its last member and another mass.
fn draft(more: &str, goods: &str) -> String {
    let goods = if goods.is_empty() { r#""net": {"value": "24.5", "unit": "TNE"}"# } else { goods };
    format!(
        r#"{{"kind": "export-notification", "ucr": "3GE204567890-1", "destination": "TR", "exporter": {{"name": "Sample Nitrogen"}},
 "consignee": {{"name": "Sample Fertiliser"}}, {more} "goods": [{{"line": 1, "substance": "ammonium-nitrate", "hs6": "310230", {goods}}}]}}"#
    )
}

fn json() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rule, more) in [
        ("a member that nobody knows", r#""color": "red","#),
        ("a member in capitals", r#""UCR": "x","#),
        ("a member twice", r#""ucr": "3GE204567890-2","#),
        ("a country twice", r#""destination": "LB","#),
        ("a prototype", r#""__proto__": {"admin": true},"#),
        ("null for a list", r#""to": null,"#),
        ("text for a list", r#""to": "TR","#),
        ("a number for a text", r#""purpose": 5,"#),
        ("a mode of 300", r#""mode": 300,"#),
        ("a negative mode", r#""mode": -1,"#),
        ("a mode with a fraction", r#""mode": 1.5,"#),
        ("a mode of NaN", r#""mode": NaN,"#),
        ("a mode of 1e400", r#""mode": 1e400,"#),
        ("a mode as text", r#""mode": "1","#),
        ("a member code in small letters", r#""to": ["tr"],"#),
        ("a member code of three letters", r#""to": ["TUR"],"#),
        ("a record id with a leading zero", r#""consignment": "GE-01","#),
        ("a record id without a position", r#""consignment": "GE","#),
        ("a record id beyond 2^64", r#""consignment": "GE-18446744073709551616","#),
        ("a record id of log 1", r#""consignment": "GE.1-1","#),
        ("a negative record id", r#""consignment": "GE--1","#),
        ("a time without a zone", r#""happened_at": "2026-11-18T10:26:40","#),
        ("a time of hour 25", r#""happened_at": "2026-11-18T25:00:00Z","#),
        ("a day in place of a time", r#""happened_at": "2026-11-18","#),
        ("a time beyond 9999", r#""happened_at": "+12026-11-18T10:26:40Z","#),
        ("a time before 1970", r#""happened_at": "1969-12-31T23:59:59Z","#),
        ("a time as a number", r#""happened_at": 1795000000,"#),
        ("a list of substances that nobody has", r#""substance_list": "1066-10","#),
        ("substances that are not those of the goods", r#""substances": ["urea"],"#),
        ("a month that is not that of the dispatch", r#""month": "1999-13","#),
        ("a trailing comma", r#""purpose": "x",,"#),
        ("a comment", "/* x */"),
        ("single quotes", "'purpose': 'x',"),
        ("a name without quotes", "purpose: 1,"),
        ("a lone surrogate", r#""purpose": "\ud800","#),
        ("surrogates in the wrong order", r#""purpose": "\udc00\ud800","#),
        ("an escape that is none", r#""purpose": "\x41","#),
        ("a zero by escape", r#""purpose": "a\u0000b","#),
        ("an override by escape", r#""person_details": "a\u202eb","#),
        ("a line break in a text", "\"purpose\": \"a\nb\","),
        ("a tab in a text", "\"purpose\": \"a\tb\","),
        ("Infinity", r#""mode": Infinity,"#),
        ("a number with a plus", r#""mode": +1,"#),
        ("a number with a leading zero", r#""mode": 01,"#),
        ("a number in hexadecimal", r#""mode": 0x1,"#),
        ("true for a text", r#""purpose": true,"#),
        ("an object for a text", r#""purpose": {},"#),
        ("its own export from elsewhere", r#""export_country": "TR","#),
        ("a digest of 63 digits", r#""source_digest": "abc","#),
    ] {
        cases.push(case(rule, draft(more, "")));
    }
    for mass in [
        "-1",
        "0",
        "1.5",
        "1e3",
        "1E400",
        "NaN",
        "\"5\"",
        "null",
        "true",
        "[5]",
        "{}",
        "18446744073709551616",
        "1000000000000001",
        "-0",
        "0.0",
        "1e-9",
        "99999999999999999999999999999999999999",
        "Infinity",
    ] {
        cases.push(case(format!("{mass} grams"), draft("", &format!("\"net_mass_g\": {mass}"))));
    }
    for value in NUMBERS.iter().filter(|number| !number.contains(['"', '\t'])) {
        let goods = format!("\"net\": {{\"value\": \"{value}\", \"unit\": \"TNE\"}}");
        cases.push(case(format!("a quantity of {value:?}"), draft("", &goods)));
    }
    for unit in ["KG", "TON", "", "tne", "MTR", "C62", "=TNE"] {
        let goods = format!("\"net\": {{\"value\": \"24.5\", \"unit\": \"{unit}\"}}");
        cases.push(case(format!("a unit of {unit:?}"), draft("", &goods)));
    }
    for (rule, hidden) in HIDDEN {
        let escaped: String = hidden.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let text = draft("", "").replacen("Sample Fertiliser", &format!("Sample{escaped}Fertiliser"), 1);
        cases.push(case(format!("a name with {rule}"), text));
    }
    let good = draft("", "");
    for at in [1, 2, 20, 60, 150, good.len() - 1] {
        cases.push(case(format!("cut off at byte {at}"), &good[..at]));
    }
    cases.push(case("something behind it", format!("{good} x")));
    cases.push(case("two of them without a list", format!("{good}{good}")));
    cases.push(case("an object of nothing", "{}"));
    cases.push(case("a list of numbers", "[1, 2]"));
    cases.push(case("a list within a list", format!("[[{good}]]")));
    cases.push(case("a list that is not closed", format!("[{good}")));
    cases.push(case("one good and one bad", r#"[{"kind": 5}]"#));
    cases.push(case("a kind that nobody knows", good.replacen("export-notification", "import-permit", 1)));
    cases.push(case("a zero byte", good.replacen("Sample", "Sam\0ple", 1)));
    cases.push(repeated("lists nested 100,000 times", &[(b"[", 100_000)]));
    cases.push(repeated("lists nested 100,000 times and closed", &[(b"[", 100_000), (b"]", 100_000)]));
    cases.push(repeated("objects nested 100,000 times", &[(b"{\"a\":", 100_000), (b"1", 1), (b"}", 100_000)]));
    cases.push(repeated("100,001 drafts", &[(b"[{}", 1), (b",{}", 100_000), (b"]", 1)]));
    let (start, end) = good.split_at(good.find("Sample F").unwrap());
    cases.push(repeated("a name of 1 MB", &[(start.as_bytes(), 1), (b"x", 1 << 20), (end.as_bytes(), 1)]));
    let (start, end) = good.split_at(good.find("24.5").unwrap());
    cases.push(repeated("a number of 100,000 digits", &[(start.as_bytes(), 1), (b"9", 100_000), (end.as_bytes(), 1)]));
    let line = good.split_once("\"goods\": [").unwrap();
    let (first, rest) = line.1.split_once("}]").map(|(first, rest)| (format!("{first}}},"), rest)).unwrap();
    cases.push(repeated(
        "5,000 goods lines by one number",
        &[
            (line.0.as_bytes(), 1),
            (b"\"goods\": [", 1),
            (first.as_bytes(), 4_999),
            (first.trim_end_matches(',').as_bytes(), 1),
            (b"]", 1),
            (rest.as_bytes(), 1),
        ],
    ));
    cases
}
