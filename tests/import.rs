//! Import through the library's own door: the samples that the project ships, and real declarations where they are.

use shieldwall::encoding::ids::MemberCode;
use shieldwall::encoding::time::UnixTime;
use shieldwall::formats::{Batch, Reason, Report};
use shieldwall::record::{Compartment, Context, Mass, Party, Record, Strictness};

fn context() -> Context {
    Context { strictness: Strictness::Imported, author: None, now: UnixTime::ZERO, foreign_exports: false }
}

/// The declarations that the demonstration imports: each must give what its table tells, with nothing refused.
#[test]
fn the_samples_of_the_demonstration_are_sound() {
    const SAMPLES: [(&str, &[u8]); 5] = [
        ("rhosus-2013.xml", include_bytes!("../src/cli/demo/samples/rhosus-2013.xml")),
        ("fertiliser-to-samsun.xml", include_bytes!("../src/cli/demo/samples/fertiliser-to-samsun.xml")),
        (
            "calcium-ammonium-nitrate-to-beirut.xml",
            include_bytes!("../src/cli/demo/samples/calcium-ammonium-nitrate-to-beirut.xml"),
        ),
        ("two-consignees-in-beirut.xml", include_bytes!("../src/cli/demo/samples/two-consignees-in-beirut.xml")),
        ("chemicals-november-2026.csv", include_bytes!("../src/cli/demo/samples/chemicals-november-2026.csv")),
    ];
    let georgia = "GE".parse().expect("a member code");
    let mut batch = Batch::default();
    for (name, bytes) in SAMPLES {
        batch.add(name, bytes, &Context { author: Some(georgia), ..context() });
    }
    assert_eq!(batch.errors.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    let shown: Vec<String> = batch.records.iter().map(|checked| sample_row(&checked.record, georgia)).collect();
    assert_eq!(
        shown,
        [
            "Fábrica Exemplo de Explosivos de Moçambique, Lda | 2750 t ammonium-nitrate | 2013-09 | GE MZ TR | GE MZ",
            "Karadeniz Örnek Gübre Sanayi A.Ş. | 17 t urea, 7 t ammonium-nitrate | 2026-11 | GE TR | GE TR",
            "شركة المثال للأسمدة الزراعية | 50 t calcium-ammonium-nitrate | 2026-11 | GE LB TR | GE LB",
            "Bekaa Sample Greenhouses SAL | 4 t potassium-nitrate | 2026-11 | GE LB TR | GE LB",
            "Cedar Sample Paints SARL | 600 kg aluminium-powder | 2026-11 | GE LB TR | GE LB",
            "Marmara Örnek Tekstil A.Ş. | 21.6 t hydrogen-peroxide | 2026-11 | GE TR | GE TR",
            "Tripoli Sample Coatings SAL | 9.492 t acetone | 2026-11 | GE LB TR | GE LB",
            "Zambézia Exemplo Agroquímica, SA | 48 t sodium-nitrate, 22.5 t urea | 2026-11 | GE MZ TR | GE MZ",
            "Anadolu Örnek Madencilik Ltd. Şti. | 3.4 t nitric-acid | 2026-11 | GE TR | GE TR",
        ]
    );
    assert_eq!(batch.not_scheduled.len(), 2);
}

/// Consignee, substances with masses, month, and who reads summary and trade.
fn sample_row(record: &Record, author: MemberCode) -> String {
    let declared = record.declared();
    let goods = declared.goods.iter().map(|goods| {
        let mass = goods.net_mass_g.map(|mass| mass.to_string()).unwrap_or_default();
        format!("{mass} {}", goods.substance.as_deref().unwrap_or_default())
    });
    let readers = record.readers(author, []);
    let codes = |compartment| readers[&compartment].iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    format!(
        "{} | {} | {} | {} | {}",
        declared.consignee.as_ref().map(Party::label).unwrap_or_default(),
        goods.collect::<Vec<_>>().join(", "),
        declared.month.as_deref().unwrap_or_default(),
        codes(Compartment::SUMMARY),
        codes(Compartment::TRADE),
    )
}

/// The sample declarations of a national system, which are not part of the project: 17 declarations, a response, and two
/// with a comment that is not closed.
#[test]
fn real_declarations_when_they_are_there() {
    let Some(folder) = std::env::var_os("SHIELDWALL_DATA").map(|data| std::path::Path::new(&data).join("wco-dm"))
    else {
        return;
    };
    let mut batch = Batch::default();
    for entry in std::fs::read_dir(&folder).expect("the folder of declarations") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).expect("a declaration");
        batch.add(&name, &bytes, &context());
        scheduled_copy(&name, &bytes);
    }
    batch.errors.sort_by(|one, other| one.file.cmp(&other.file));
    let errors: Vec<String> = batch.errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(
        errors[0].starts_with("TT_EX002a.xml:72:6: not well-formed XML: the comment that begins at line 65"),
        "{errors:#?}"
    );
    assert!(
        errors[1].starts_with("TT_EX022a_Declaration1_(Step1).xml:52:6: not well-formed XML: the comment"),
        "{errors:#?}"
    );
    assert!(errors[2].contains("this is a response (DeclarationFullResponse), not a declaration"), "{errors:#?}");
    assert_eq!((batch.files, batch.records.len(), batch.not_scheduled.len()), (20, 0, 18));
    let text = Report::of(&batch).text();
    assert!(text.contains("20 files, 18 read and 2 refused: 0 records to log, 18 goods lines not scheduled"), "{text}");
}

/// A copy of a declaration whose first commodity code is changed to that of ammonium nitrate.
fn scheduled_copy(name: &str, bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).expect("the samples are UTF-8");
    let Some(at) = text.find("<IdentificationTypeCode>TSP<").and_then(|at| text[..at].rfind("</ID>")) else { return };
    let changed = format!("{}31023090{}", &text[..at - 8], &text[at..]);
    let mut batch = Batch::default();
    batch.add(name, changed.as_bytes(), &context());
    if batch.errors.iter().any(|error| error.reason.to_string().contains("not closed")) {
        return;
    }
    if !text.contains("<NetNetWeightMeasure") {
        assert!(batch.errors.iter().all(|error| matches!(error.reason, Reason::NoMass { .. })), "{name}");
        assert_eq!((batch.records.len(), batch.errors.len()), (0, 1), "{name}");
        return;
    }
    assert!(batch.errors.is_empty(), "{name}: {:?}", batch.errors.iter().map(ToString::to_string).collect::<Vec<_>>());
    let record = &batch.records[0].record;
    let declared = record.declared();
    assert_eq!(declared.substances, ["ammonium-nitrate"], "{name}");
    let grams = declared.goods[0].net_mass_g.map(Mass::grams).expect("a mass");
    let element = text
        .split("<NetNetWeightMeasure")
        .nth(1)
        .and_then(|rest| rest.split(['>', '<']).nth(1))
        .expect("a declared mass");
    assert_eq!(Ok(grams), element.parse::<u64>().map(|kilograms| kilograms * 1_000), "{name}");
    assert!(text.contains(declared.ucr.as_ref().expect("a reference").as_str()), "{name}");
    assert!(declared.exporter.as_ref().is_some_and(Party::is_identified), "{name}");
    assert!(declared.consignee.as_ref().is_some_and(|party| party.name.is_some()), "{name}");
    assert!(declared.destination.is_some() && declared.point_of_exit.is_some(), "{name}");
    assert_eq!(declared.itinerary.len(), text.matches("<RoutingCountryCode>").count(), "{name}");
}

/// The examples of the documentation are read as it says.
#[test]
fn the_documentation_tells_the_truth() {
    let documentation = include_str!("../docs/import.md");
    let blocks = |language: &str| -> Vec<&str> {
        let fence = format!("```{language}\n");
        documentation.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
    };
    let georgia = Context { author: "GE".parse().ok(), ..context() };
    let mut batch = Batch::default();
    let drafts = blocks("json").into_iter().filter(|block| block.contains("\"kind\"") && !block.contains("\"files\""));
    drafts.chain(blocks("csv")).for_each(|example| batch.add("import.md", example.as_bytes(), &georgia));
    assert_eq!(batch.errors.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    let kinds: Vec<&str> = batch.records.iter().map(|checked| checked.record.kind().name()).collect();
    assert_eq!(kinds, ["export-notification", "no-objection", "import-confirmation", "policy", "export-notification"]);

    // The report that is printed there has the members of a report, in their order.
    let printed = blocks("json").into_iter().find(|block| block.contains("\"files\"")).expect("a report");
    let printed: serde_json::Value = serde_json::from_str(printed).expect("JSON");
    let report = serde_json::to_value(Report::of(&batch)).expect("a report");
    let members =
        |value: &serde_json::Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    assert_eq!(members(&printed), members(&report));
    assert_eq!(members(&printed["records"][0]), members(&report["records"][0]));
    assert_eq!(members(&printed["records"][0]["goods"][0]), members(&report["records"][0]["goods"][0]));
}
