//! Drafts in, records or findings out.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::encoding::cbor::{Value as Cbor, decode, encode};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

const RHOSUS: &str = r#"{
    "kind": "export-notification", "ucr": "3GE204567890-AN2750", "destination": "MZ",
    "exporter": {"name": "Rustavi Test Nitrogen", "country": "GE"},
    "consignee": {"name": "Synthetic Mining Supplies", "country": "MZ"},
    "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"country": "GR"}, {"unlocode": "MZBEW"}],
    "dispatch": {"earliest": "2013-09-23"},
    "goods": [{"substance": "ammonium-nitrate", "national_code": "31023090", "net": {"value": "2750", "unit": "TNE"}}]
}"#;

fn member(code: &str) -> MemberCode {
    code.parse().expect("a member code")
}

fn context(strictness: Strictness) -> Context {
    Context {
        strictness,
        author: Some(member("GE")),
        now: UnixTime::from_seconds(1_379_900_000).expect("in range"),
        foreign_exports: false,
    }
}

fn draft(json: &str) -> Draft {
    serde_json::from_str(json).expect("a draft")
}

fn rhosus(change: impl FnOnce(&mut Draft)) -> Draft {
    let mut draft = draft(RHOSUS);
    change(&mut draft);
    draft
}

fn record(draft: Draft) -> Record {
    draft.check(&context(Strictness::Own)).expect("a sound draft").record
}

#[track_caller]
fn refused(draft: Draft, strictness: Strictness, expected: &[&str]) {
    let errors = draft.check(&context(strictness)).expect_err("a fault").errors;
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected);
}

#[test]
fn the_check_fills_in_what_follows() {
    let record = record(draft(RHOSUS));
    let declared = record.declared();
    assert_eq!(record.kind(), &Kind::ExportNotification);
    assert_eq!(declared.export_country.as_ref().map(Declared::as_str), Some("GE"));
    assert_eq!(declared.goods[0].net_mass_g.map(Mass::grams), Some(2_750_000_000));
    assert_eq!(declared.goods[0].hs6.as_ref().map(Declared::as_str), Some("310230"));
    assert_eq!(declared.goods[0].line, Some(1));
    assert_eq!(declared.substances, ["ammonium-nitrate"]);
    assert_eq!(declared.month.as_deref(), Some("2013-09"));
    assert_eq!(declared.substance_list.as_deref(), Some("pgs-2022-1"));
}

#[test]
fn content_is_exact_in_both_directions() {
    let record = record(draft(RHOSUS));
    let again = Record::from_content(record.content()).expect("whole");
    assert_eq!(again, record);
    assert_eq!(again.content(), record.content());
}

#[test]
fn readers_follow_the_route() {
    let record = record(rhosus(|draft| {
        draft.to = vec![member("W1")];
        draft.reason = Some("bulk".into());
        draft.profile = Some("suspicious".into());
        draft.person_details = Some("master of the vessel".into());
    }));
    let readers = record.readers(member("GE"), []);
    let of = |compartment| {
        readers.get(&compartment).map(|readers| readers.iter().map(|member| member.as_str()).collect::<Vec<_>>())
    };
    assert_eq!(of(Compartment::SUMMARY), Some(vec!["GE", "GR", "MZ", "TR", "W1"]));
    assert_eq!(of(Compartment::TRANSPORT), Some(vec!["GE", "GR", "MZ", "TR", "W1"]));
    assert_eq!(of(Compartment::TRADE), Some(vec!["GE", "MZ", "W1"]));
    assert_eq!(of(Compartment::PARTIES), Some(vec!["GE", "MZ", "W1"]));
    assert_eq!(of(Compartment::INTEL), Some(vec!["GE", "W1"]));
    assert_eq!(of(Compartment::PERSON), Some(vec!["GE"]));
    assert_eq!(of(Compartment::PRICE), None, "a compartment without fields does not exist");
}

#[test]
fn an_answer_goes_to_its_addressees() {
    let answer = record(draft(
        r#"{"kind": "E06", "to": ["GE"], "answers": "GE-1", "consignment": "GE-1", "valid_until": "2026-12-31"}"#,
    ));
    assert_eq!(
        answer.readers(member("MZ"), []).get(&Compartment::SUMMARY),
        Some(&BTreeSet::from([member("GE"), member("MZ")]))
    );
    assert_eq!(answer.to_json()["kind"], "no-objection");
}

#[test]
fn a_node_acknowledges_by_itself() {
    let ids = ["GE-7", "GE-3", "GE-3"].map(|id| id.parse().expect("a record id"));
    let record = record(Draft::delivered(member("GE"), ids.to_vec()));
    assert_eq!(record.to_json()["acknowledges"], serde_json::json!(["GE-3", "GE-7"]));
    assert_eq!(record.readers(member("MZ"), []).len(), 1, "a summary and nothing else");
}

#[test]
fn all_faults_are_told_at_once() {
    refused(
        draft(r#"{"kind": "export-notification", "goods": [{"substance": "flour"}]}"#),
        Strictness::Own,
        &[
            "consignee: missing",
            "destination: missing",
            "exporter: missing",
            "goods/0/net_mass_g: missing",
            "goods/0/substance: \"flour\" is not on the substance list",
            "ucr: missing",
        ],
    );
    refused(draft("{}"), Strictness::Own, &["kind: missing"]);
    refused(
        draft(r#"{"kind": "E12"}"#),
        Strictness::Own,
        &["kind: \"E12\" is not a kind of record that can be submitted"],
    );
}

#[test]
fn a_doubtful_container_is_refused_in_an_own_entry_and_kept_in_a_document() {
    let with_container = || {
        rhosus(|draft| {
            draft.containers = vec![SealedContainer {
                number: Declared::read("CONU1234567"),
                seals: vec![],
                other: OtherMembers::new(),
            }];
        })
    };
    let text = "containers/0/number: \"CONU1234567\": the check digit of the container number is wrong";
    refused(with_container(), Strictness::Own, &[text]);
    let checked = with_container().check(&context(Strictness::Imported)).expect("kept");
    assert!(checked.warnings.iter().any(|finding| finding.to_string() == text));
    assert_eq!(checked.record.declared().containers[0].number.as_str(), "CONU1234567");
    assert!(
        Record::from_content(checked.record.content()).is_ok(),
        "a signed record is never refused for a check digit"
    );
}

#[test]
fn texts_that_deceive_are_refused() {
    let deceiving = rhosus(|draft| {
        if let Some(party) = &mut draft.consignee {
            party.name = Some("Synthetic \u{202e}gniniM".into());
        }
    });
    refused(deceiving, Strictness::Own, &["consignee/name: the text holds the invisible or control character U+202E"]);
    let long = rhosus(|draft| draft.end_use = Some("x".repeat(MAX_FREE_TEXT + 1)));
    refused(long, Strictness::Imported, &["end_use: the text has 8193 characters and at most 8192 are allowed"]);
}

#[test]
fn grams_and_quantity_must_agree() {
    let both = |grams| rhosus(|draft| draft.goods[0].net_mass_g = Mass::from_grams(grams).ok());
    refused(
        both(2_750_000),
        Strictness::Imported,
        &["goods/0/net: 2750000 g were given, but the declared quantity is 2750000000 g"],
    );
    record(both(2_750_000_000));
}

#[test]
fn a_country_notifies_its_own_exports() {
    let foreign = || rhosus(|draft| draft.export_country = Some(Declared::read("GB")));
    refused(
        foreign(),
        Strictness::Imported,
        &["export_country: the goods leave from GB, and only GE's own exports can be notified here"],
    );
    let demonstration = Context { foreign_exports: true, ..context(Strictness::Imported) };
    assert!(foreign().check(&demonstration).is_ok());
    let nobody = Context { author: None, ..context(Strictness::Imported) };
    assert!(foreign().check(&nobody).is_ok());
}

#[test]
fn unknown_fields_are_errors_in_a_draft() {
    assert!(serde_json::from_str::<Draft>(r#"{"kind": "E02", "uccr": "x"}"#).is_err());
    let nested = rhosus(|draft| {
        draft.goods[0].other.insert("net_mas_g".into(), 5.into());
    });
    refused(nested, Strictness::Own, &["goods/0/net_mas_g: not a field of this kind of object"]);
}

#[test]
fn odd_subheadings_and_numbers_are_warnings() {
    let odd = rhosus(|draft| {
        draft.goods[0].national_code = Some("3102400000".into());
        draft.goods[0].cas = Some(Declared::read("67-64-1"));
    });
    let warnings = odd.check(&context(Strictness::Own)).expect("only warnings").warnings;
    let shown: Vec<String> =
        warnings.iter().filter(|finding| finding.field.starts_with("goods")).map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "goods/0/cas: \"67-64-1\" is not a number of ammonium-nitrate",
            "goods/0/hs6: ammonium-nitrate is not usually declared under 310240"
        ]
    );
}

#[test]
fn a_transit_country_sees_what_it_is_given() {
    let record = record(draft(RHOSUS));
    let mut opened = record.content().clone();
    opened.retain(|compartment, _| *compartment == Compartment::SUMMARY || *compartment == Compartment::TRANSPORT);
    let partial = PartialRecord::from_content(&opened);
    assert_eq!(partial.kind(), Some(&Kind::ExportNotification));
    assert_eq!(partial.declared().itinerary.len(), 4);
    assert!(partial.declared().goods.is_empty());
    assert!(!partial.to_json().to_string().contains("Synthetic Mining"));
    assert_eq!(Record::from_content(&opened), Err(ContentError::Missing("ucr")));
    assert_eq!(PartialRecord::from_content(&Content::new()).kind(), None);
}

#[test]
fn unknown_kinds_and_fields_pass_through_untouched() {
    let mut content = record(draft(RHOSUS)).content().clone();
    let summary = content.get_mut(&Compartment::SUMMARY).expect("a summary");
    summary.insert("kind".into(), "E99".into());
    summary.insert("level".into(), Cbor::Bytes(vec![0, 159]));
    let future: Compartment = "future".parse().expect("a name");
    content.entry(future).or_default().insert("tagged".into(), Cbor::Tag(99, Box::new(Cbor::Int(-1))));
    let record = Record::from_content(&content).expect("an unknown kind is no fault");
    assert_eq!(record.kind(), &Kind::Other("E99".into()));
    assert_eq!(record.content(), &content);
    assert_eq!(record.to_json()["other"]["future"]["tagged"]["tag"], 99);

    // A field of a known kind without its form: shown, and the rest can be read.
    content.get_mut(&Compartment::SUMMARY).expect("a summary").insert("kind".into(), "export-notification".into());
    assert_eq!(Record::from_content(&content), Err(ContentError::Form));
    let partial = PartialRecord::from_content(&content);
    assert_eq!(partial.declared().level, None);
    assert_eq!(partial.declared().ucr.as_ref().map(Declared::as_str), Some("3GE204567890-AN2750"));
    assert_eq!(partial.to_json()["level"], "009f");
}

#[test]
fn later_members_of_a_part_are_shown() {
    let mut content = record(draft(RHOSUS)).content().clone();
    let trade = content.get_mut(&Compartment::TRADE).expect("trade");
    let mut map = trade["goods"].as_array().expect("goods")[0].as_map().expect("a line").clone();
    map.insert("isotope", "of a later version");
    trade.insert("goods".into(), Cbor::Array(vec![Cbor::Map(map)]));
    let record = Record::from_content(&content).expect("a later member is no fault");
    assert_eq!(record.declared().goods[0].other["isotope"], "of a later version");
    assert_eq!(record.to_json()["goods"][0]["isotope"], "of a later version");
    assert_eq!(record.to_json()["goods"][0]["net_mass_g"], 2_750_000_000_u64);
}

#[test]
fn nothing_of_a_record_reaches_a_debug_print() {
    let record = record(draft(RHOSUS));
    let printed =
        format!("{record:?} {:?} {:?} {:?}", record.declared(), record.declared().goods, PartialRecord::from(&record));
    for secret in ["Synthetic", "Rustavi", "3GE204567890", "2750"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn an_unknown_version_of_a_list_is_kept_and_shown_as_it_is() {
    let later = || {
        rhosus(|draft| {
            draft.substance_list = Some("pgs-2099-9".into());
            draft.goods[0].substance = Some("novel-precursor".into());
        })
    };
    assert!(later().check(&context(Strictness::Own)).is_err(), "who writes it now means a list that is here");
    let record = later().check(&context(Strictness::Imported)).expect("kept").record;
    let shown = record.to_json();
    assert_eq!(shown["substance_list"], "pgs-2099-9");
    assert_eq!(shown["goods"][0]["substance"], "novel-precursor");
    assert_eq!(Record::from_content(record.content()), Ok(record), "and read by others");
}

fn any_cbor() -> impl Strategy<Value = Cbor> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Cbor::from),
        "\\PC{0,8}".prop_map(Cbor::from),
        any::<bool>().prop_map(Cbor::from),
        Just(Cbor::Null)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Cbor::from),
            prop::collection::btree_map("[a-z_]{1,6}", inner, 0..4).prop_map(|members| {
                let mut map = crate::encoding::cbor::Map::new();
                members.into_iter().for_each(|(name, value)| map.insert(name.as_str(), value));
                Cbor::Map(map)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_content_can_be_shown(
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["kind", "issued_at", "goods", "to", "itinerary", "values", "mode", "dispatch", "x"]).prop_map(str::to_owned),
            any_cbor(), 0..6),
        compartment in prop::sample::select(vec![Compartment::SUMMARY, Compartment::TRANSPORT, Compartment::TRADE]),
    ) {
        let content = Content::from([(compartment, fields)]);
        let partial = PartialRecord::from_content(&content);
        prop_assert_eq!(partial.content(), &content);
        let _view = partial.to_json();
        let _record = Record::from_content(&content);
    }

    /// Whatever subheading stands beside a substance is a finding at most.
    #[test]
    fn a_subheading_that_does_not_fit_never_blocks_a_record(
        hs6 in "(2[5-9]|3[0-8])[0-9]{4}",
        substance in prop::sample::select(vec!["ammonium-nitrate", "urea", "acetone", "hydrogen-peroxide"]),
    ) {
        let draft = rhosus(|draft| {
            draft.goods[0].substance = Some(substance.to_owned());
            draft.goods[0].national_code = None;
            draft.goods[0].hs6 = Some(Declared::read(&hs6));
        });
        let checked = draft.check(&context(Strictness::Own));
        prop_assert!(checked.is_ok(), "{} {}", substance, hs6);
        prop_assert_eq!(&checked.expect("it is").record.to_json()["goods"][0]["hs6"], &hs6);
    }

    #[test]
    fn what_is_declared_survives_the_encoding(line in "[^\u{0}-\u{1f}]{0,40}", grams in 1..MAX_MASS_G, persons in any::<u32>()) {
        let draft = rhosus(|draft| {
            draft.goods[0].net = None;
            draft.goods[0].net_mass_g = Mass::from_grams(grams).ok();
            draft.goods[0].description = Some(line);
            draft.persons = Some(persons);
        });
        if let Ok(checked) = draft.check(&context(Strictness::Imported)) {
            let mut content = checked.record.content().clone();
            for fields in content.values_mut() {
                for value in fields.values_mut() {
                    *value = decode(&encode(value)).expect("own encoding");
                }
            }
            prop_assert_eq!(Record::from_content(&content), Ok(checked.record));
        }
    }
}
