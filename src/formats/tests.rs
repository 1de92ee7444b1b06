//! Documents in, drafts or refusals out.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::encoding::time::UnixTime;
use crate::record::{Context, Strictness};

fn context() -> Context {
    Context { strictness: Strictness::Imported, author: None, now: UnixTime::ZERO, foreign_exports: false }
}

fn batch(file: &str, bytes: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.add(file, bytes, &context());
    batch
}

fn report(text: &str) -> Json {
    serde_json::to_value(Report::of(&batch("f", text.as_bytes()))).expect("a report has a JSON form")
}

/// The errors of a document, one per line.
fn errors(text: &str) -> Vec<String> {
    batch("f", text.as_bytes()).errors.iter().map(ToString::to_string).collect()
}

/// A small declaration with these goods items.
fn declaration(items: &str) -> String {
    format!(
        "<MetaData><ResponsibleCountryCode>GE</ResponsibleCountryCode><Declaration><TypeCode>EXA</TypeCode>\
         <Exporter><ID>GE204567890</ID></Exporter>\n<GoodsShipment><Consignee><Name>Synthetic Farm Supplies</Name></Consignee>\
         <Destination><CountryCode>TR</CountryCode></Destination>\n{items}\
         <PreviousDocument><ID>3GE204567890-1</ID><TypeCode>DCR</TypeCode></PreviousDocument></GoodsShipment></Declaration></MetaData>"
    )
}

fn item(number: u32, codes: &[&str], measure: &str) -> String {
    let codes: String = codes.iter().map(|code| format!("<Classification><ID>{code}</ID></Classification>")).collect();
    format!(
        "<GovernmentAgencyGoodsItem><SequenceNumeric>{number}</SequenceNumeric><Commodity><Description>goods</Description>{codes}\
         <GoodsMeasure>{measure}</GoodsMeasure></Commodity></GovernmentAgencyGoodsItem>\n"
    )
}

const NET: &str = "<NetNetWeightMeasure>25000</NetNetWeightMeasure>";

#[test]
fn scheduled_lines_become_one_notification() {
    let goods = [
        item(1, &["31021010"], "<NetNetWeightMeasure unitCode='TNE'>12.5</NetNetWeightMeasure>"),
        item(2, &["46021910"], NET),
        item(3, &["310230", "90"], NET),
        item(4, &[], NET),
    ];
    let report = report(&declaration(&goods.concat()));
    assert_eq!(report["files"], 1);
    assert_eq!(report["errors"], json!([]));
    assert_eq!(
        report["not_scheduled"],
        json!([{"file": "f", "line": 4, "commodity": "46021910"}, {"file": "f", "line": 6, "commodity": ""}])
    );
    let record = &report["records"][0];
    assert_eq!(record["kind"], "export-notification");
    assert_eq!(record["ucr"], "3GE204567890-1");
    assert_eq!(record["exporter"], "GE204567890");
    assert_eq!(record["consignee"], "Synthetic Farm Supplies");
    assert_eq!(record["route"], json!(["GE", "TR"]));
    assert_eq!(
        record["goods"],
        json!([
            {"line": 1, "substance": "urea", "hs6": "310210", "national_code": "31021010", "net_mass_g": 12_500_000, "description": "goods"},
            {"line": 3, "substance": "ammonium-nitrate", "hs6": "310230", "national_code": "31023090", "net_mass_g": 25_000_000, "description": "goods"},
        ])
    );
    let warnings = record["warnings"].to_string();
    assert!(warnings.contains("GE is assumed") && warnings.contains("importer: missing"), "{warnings}");
}

#[test]
fn a_scheduled_line_needs_a_mass() {
    let faults = [
        (item(7, &["31023090"], ""), "f:3:1: goods line 7 (ammonium-nitrate) has no net mass"),
        (
            item(1, &["31023090"], "<NetNetWeightMeasure unitCode='XXX'>5</NetNetWeightMeasure>"),
            "f:3:171: net mass \"5 XXX\": not one of the units that can be converted",
        ),
        (
            item(1, &["31023090"], "<NetNetWeightMeasure>0.00</NetNetWeightMeasure>"),
            "f:3:1: goods/0/net_mass_g: a mass of zero",
        ),
        (item(1, &["31023090"], "<NetNetWeightMeasure>5,5</NetNetWeightMeasure>"), "not a decimal number"),
    ];
    for (item, reason) in faults {
        let errors = errors(&declaration(&item));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(reason), "{errors:?}");
    }
    // The other line alone would tell less than what leaves the country.
    let batch = batch("f", declaration(&(item(1, &["31023090"], NET) + &item(2, &["31021010"], ""))).as_bytes());
    assert_eq!((batch.records.len(), batch.errors.len()), (0, 1));
}

#[test]
fn each_consignee_gets_a_notification() {
    let mine = "<Consignee><Name>Another Synthetic Farm</Name></Consignee></GovernmentAgencyGoodsItem>";
    let other = item(2, &["31021010"], NET).replace("</GovernmentAgencyGoodsItem>", mine);
    let text = declaration(&(item(1, &["31023090"], NET) + &other));
    let report = report(&text);
    let consignees: Vec<&Json> =
        report["records"].as_array().expect("records").iter().map(|record| &record["consignee"]).collect();
    assert_eq!(consignees, ["Synthetic Farm Supplies", "Another Synthetic Farm"]);
    let both = batch("f", text.as_bytes());
    assert_ne!(both.records[0].record.declared().source_digest, both.records[1].record.declared().source_digest);
    // An error at one of them leaves the other alone.
    let faulty = text.replacen(NET, "", 1);
    let one = batch("f", faulty.as_bytes());
    assert_eq!((one.records.len(), one.errors.len()), (1, 1));
}

#[test]
fn other_documents_are_named() {
    assert_eq!(
        errors("<p:DeclarationFullResponse xmlns:p='x'/>"),
        ["f:1:1: this is a response (DeclarationFullResponse), not a declaration"]
    );
    assert_eq!(
        errors("<MetaData><Response/></MetaData>"),
        ["f:1:11: this is a response (Response), not a declaration"]
    );
    assert_eq!(errors("<html/>"), ["f:1:1: the root element is \"html\": not a declaration of the WCO Data Model"]);
    assert_eq!(
        errors("<Declaration><TypeCode>IMA</TypeCode></Declaration>"),
        ["f:1:1: declaration type \"IMA\" is not an export"]
    );
    assert_eq!(errors("PK\u{3}\u{4}"), ["f:1:1: this is a spreadsheet file; save it as CSV (UTF-8)"]);
    assert_eq!(errors(" \n"), ["f:1:1: the document is empty"]);
    assert_eq!(errors("anything"), ["f:1:1: the header line has no column ucr"]);
}

#[test]
fn a_table_gives_goods_lines_of_notifications() {
    let table = "UCR;destination;Exporter name;consignee_name;commodity_code;net_mass;net_unit;value;container;seal;colour\r\n\
        3GE1-A;TR;Azoti;Tarla Ltd;3102.30.90;12,5;tne;1200,50 EUR;CSQU3054383;S1;red\r\n\
        \r\n\
        3GE1-B;LB;Azoti;Haql;46021910;1;KGM;;;;\r\n\
        3GE1-A;TR;Azoti;Tarla Ltd;31021010;300;KGM;;CSQU3054383;S2\r\n";
    let batch = batch("f.csv", table.as_bytes());
    let report = serde_json::to_value(Report::of(&batch)).expect("a report");
    assert_eq!(report["errors"], json!([]));
    assert_eq!(report["not_scheduled"], json!([{"file": "f.csv", "line": 4, "commodity": "46021910"}]));
    assert_eq!(report["records"].as_array().map(Vec::len), Some(1));
    let masses: Vec<&Json> =
        report["records"][0]["goods"].as_array().expect("goods").iter().map(|goods| &goods["net_mass_g"]).collect();
    assert_eq!(masses, [12_500_000, 300_000]);
    assert!(report["records"][0]["warnings"].to_string().contains("column \\\"colour\\\" is not known"));
    let declared = batch.records[0].record.declared();
    assert_eq!(declared.containers.len(), 1);
    assert_eq!(declared.containers[0].seals, ["S1", "S2"]);
    assert_eq!((declared.values[0].line, declared.values[0].amount.minor), (Some(1), 120_050));
}

#[test]
fn every_bad_row_is_told_with_its_place() {
    let table = "ucr,destination,exporter_name,consignee_name,commodity_code,net_mass,net_unit,dispatch_earliest\n\
        A,TR,Azoti,Tarla,31023090,5,,\n\
        B,TR,Azoti,Tarla,31023090,\"2,750\",TNE,\n\
        C,TR,Azoti,Tarla,,5,KGM,\n\
        D,TR,\"A, \"\"B\"\"\",Tarla,31023090,5,KGM,23/09/2013\n\
        E,TR,Azoti,Tarla,31023090,,,\n\
        F,TR,Azoti,Tarla,31023090,5,KGM,,,extra\n\
        G,TR,Azoti,,31023090,5,KGM,\n\
        H,TR,Azoti,Tarla,31023090,2.750,TNE,\n";
    let batch = batch("f", table.as_bytes());
    let errors: Vec<String> = batch.errors.iter().map(ToString::to_string).collect();
    let expected = [
        "f:2:29: net_mass has no unit",
        "f:3:27: net_mass \"2,750\": not a decimal",
        "f:4:18: neither substance nor commodity_code",
        "f:5:38: dispatch_earliest \"23/09/2013\" is not a day",
        "f:6:27: goods line 1 (ammonium-nitrate) has no net mass",
        "f:7:1: the row has 10 cells and the header 8",
        "f:8:1: consignee: missing",
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(batch.records.len(), 1);
    assert!(
        batch.records[0]
            .warnings
            .iter()
            .any(|warning| warning.contains("\"2.750\" was read with a point as decimal sign"))
    );
}

#[test]
fn older_encodings_are_read_with_a_warning() {
    let table = b"ucr\tdestination\texporter_name\tconsignee_name\tsubstance\tnet_mass\tnet_unit\nA\tMZ\tAzoti\tF\xe1brica\turea\t5\tTNE\n";
    let batch = batch("f", table);
    assert_eq!(batch.records[0].record.declared().consignee.as_ref().map(crate::record::Party::label), Some("Fábrica"));
    assert!(batch.records[0].warnings.iter().any(|warning| warning.contains("Windows-1252")));
}

#[test]
fn a_document_line_has_one_digest_however_it_is_laid_out() {
    let digest = |table: &str| batch("f", table.as_bytes()).records[0].record.declared().source_digest;
    let one = "ucr,destination,exporter_name,consignee_name,substance,net_mass,net_unit\nA,MZ,Azoti,Mina,urea,5,TNE\n";
    let other =
        "destination;ucr;exporter_name;consignee_name;substance;net_unit;net_mass\r\nMZ;A;Azoti;Mina;urea;TNE;5\r\n";
    assert_eq!(digest(one), digest(other));
    assert_ne!(digest(one), digest(&one.replace(",5,", ",6,")));
}

#[test]
fn the_text_report_cannot_be_tampered_with() {
    let table = "ucr,destination,exporter_name,consignee_name,substance,net_mass,net_unit\nA,MZ,Az\u{1b}[2Joti,Mina,urea,5,TNE\n";
    let text = Report::of(&batch("f", table.as_bytes())).text();
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(text.contains("line 1: 5 t urea (-)"), "{text}");
    assert!(
        text.ends_with("1 file, 1 read and 0 refused: 1 record to log, 0 goods lines not scheduled, 0 errors\n"),
        "{text}"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _import = read("f", &bytes);
    }

    #[test]
    fn no_text_makes_a_reader_panic(start in "(<|\\{|\\[|ucr;destination;net_mass;net_unit\n|)", text in "[<>!\\-&;#x\\[\\]{}\",:.a-z0-9 é\n\r\t]{0,200}") {
        let _batch = batch("f", format!("{start}{text}").as_bytes());
    }

    #[test]
    fn no_cell_makes_the_table_panic(cells in prop::collection::vec("[0-9a-zA-Z.,;\" é\u{0}-]{0,12}", 8)) {
        let table = format!("ucr;destination;net_mass;net_unit;commodity_code;value;packages;itinerary\n{}\n", cells.join(";"));
        let _batch = batch("f", table.as_bytes());
    }

    #[test]
    fn no_damage_to_a_declaration_makes_the_reader_panic(at in 0..900_usize, with in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = declaration(&item(1, &["31023090"], NET)).into_bytes();
        let at = at.min(bytes.len() - 1);
        bytes[at] = with;
        if cut {
            bytes.truncate(at);
        }
        let _batch = batch("f", &bytes);
    }
}
