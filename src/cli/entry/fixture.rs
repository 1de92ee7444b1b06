//! Consignments and command lines for the tests of the short forms.

use clap::Parser as _;

use super::Known;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Context, Draft, Kind, PartialRecord, Strictness};
use crate::watch::{Dossier, Records, consignments};

const NOTIFICATION: &str = r#"{"kind": "E02", "ucr": "3GE204567890-AN2750", "destination": "MZ",
    "exporter": {"name": "Rustavi Test Nitrogen"}, "consignee": {"name": "Synthetic Mining Supplies"},
    "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
    "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"}}]}"#;

/// Any arguments as a command line of their own.
#[derive(clap::Parser, Debug)]
#[command(no_binary_name = true)]
struct Line<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

/// Arguments from a command line.
#[track_caller]
pub(in crate::cli) fn args<A: clap::Args>(line: &[&str]) -> A {
    Line::try_parse_from(line).unwrap_or_else(|error| panic!("{error}")).args
}

/// What clap says to a command line that is wrong.
#[track_caller]
pub(in crate::cli) fn usage<A: clap::Args + std::fmt::Debug>(line: &[&str]) -> String {
    Line::<A>::try_parse_from(line).expect_err("a wrong command line").to_string()
}

/// A draft from JSON, as the tests write what they expect.
#[track_caller]
pub(in crate::cli) fn json(text: &str) -> Draft {
    serde_json::from_str(text).expect("a draft")
}

/// A notification from Georgia to Mozambique through Türkiye, as `me` knows it.
#[track_caller]
pub(in crate::cli) fn notified(me: &str) -> Known {
    after(me, &[])
}

/// The consignment of [`notified`] after further records, each an id and its draft, an hour apart. The last is the one it is named by.
#[track_caller]
pub(in crate::cli) fn after(me: &str, further: &[(&str, &str)]) -> Known {
    let all: Vec<(&str, &str)> = [("GE-1", NOTIFICATION)].into_iter().chain(further.iter().copied()).collect();
    let records: Records = all.iter().enumerate().map(|(at, (name, text))| record(name, at, text)).collect();
    let id: RecordId = "GE-1".parse().expect("an id");
    let known = consignments(records.clone());
    let consignment = &known[&id];
    let announced = Dossier { consignment, records: &records }.announced().expect("announced");
    let named: RecordId = all[all.len() - 1].0.parse().expect("an id");
    let declared = records[&named].declared().clone();
    let departures = records
        .iter()
        .filter(|(_, record)| record.kind() == Some(&Kind::Departure))
        .map(|(id, record)| (*id, record.declared().clone()))
        .collect();
    Known { me: code(me), id, named, declared, standing: consignment.to_json(), announced, departures }
}

fn record(name: &str, at: usize, text: &str) -> (RecordId, PartialRecord) {
    let id: RecordId = name.parse().expect("an id");
    let hours = i64::try_from(at).expect("few records");
    let context = Context {
        strictness: Strictness::Own,
        author: Some(id.log.member),
        now: UnixTime::from_seconds(1_379_900_000 + 3_600 * hours).expect("in range"),
        foreign_exports: false,
    };
    (id, PartialRecord::from(&json(text).check(&context).expect("a sound draft").record))
}

fn code(text: &str) -> MemberCode {
    text.parse().expect("a member")
}
