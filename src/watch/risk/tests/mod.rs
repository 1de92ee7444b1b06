//! Records in, reasons out. Everything is synthetic.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::*;
use crate::record::{Context, Kind, PartialRecord, Strictness};
use crate::watch::{Consignment, Records, consignments, standing};

mod course;
mod goods;
mod history;
mod parties;
mod quantity;
mod route;
mod shown;

/// What members said, and what Mozambique's node makes of it.
pub(in crate::watch) struct World {
    pub(in crate::watch) records: Records,
    pub(in crate::watch) lists: Lists,
    pub(in crate::watch) policy: RiskPolicy,
    pub(in crate::watch) own: MemberCode,
}

pub(in crate::watch) fn id(name: &str) -> RecordId {
    name.parse().expect("a record id")
}

pub(in crate::watch) fn member(code: &str) -> MemberCode {
    code.parse().expect("a member code")
}

pub(in crate::watch) fn noon(day: &str) -> UnixTime {
    day.parse::<Date>().expect("a day").start().expect("in range").plus(12 * 3_600)
}

/// A notification that no indicator has anything against, as soon as it is known what is usual.
pub(in crate::watch) fn plain() -> Json {
    json!({
        "ucr": "3GE204567890-1", "destination": "MZ", "mode": 1,
        "exporter": {"name": "Rustavi Test Nitrogen", "country": "GE"},
        "consignee": {"name": "Synthetic Mining Supplies", "country": "MZ", "address": "Rua Um 1, Beira", "sector": "mining"},
        "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
        "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "100", "unit": "TNE"},
            "packages": [{"type": "BG", "count": 4000}]}],
    })
}

pub(in crate::watch) fn with(mut json: Json, changes: Json) -> Json {
    for (name, value) in changes.as_object().expect("an object") {
        json[name] = value.clone();
    }
    json
}

impl World {
    pub(in crate::watch) fn new() -> Self {
        let lists = json!({
            "high_risk_countries": ["SY"], "end_users": [], "watch": [],
            "places": {
                "GEBUS": {"functions": "1-345---", "position": {"latitude": 2499, "longitude": 2498}},
                "TRIST": {"functions": "12345---", "position": {"latitude": 2461, "longitude": 1738}},
                "MZBEW": {"functions": "1--45---", "position": {"latitude": -1190, "longitude": 2090}},
            },
        });
        let lists = serde_json::from_value(lists).expect("lists");
        Self { records: Records::new(), lists, policy: RiskPolicy::default(), own: member("MZ") }
    }

    /// A member says something at noon of a day; gives the id of the record.
    pub(in crate::watch) fn say(&mut self, by: &str, day: &str, kind: &str, json: Json) -> String {
        let mut json = json;
        json["kind"] = kind.into();
        if json.get("destination").is_none() && ["E09", "E10", "E11", "E13"].contains(&kind) {
            json["destination"] = "MZ".into();
        }
        if json.get("to").is_none() && json.get("destination").is_none() {
            json["to"] = json!([if by == "GE" { "MZ" } else { "GE" }]);
        }
        let draft: Draft = serde_json::from_value(json).expect("a draft");
        let context = Context {
            strictness: Strictness::Imported,
            author: by.parse().ok(),
            now: noon(day),
            foreign_exports: false,
        };
        let checked = draft.check(&context).unwrap_or_else(|refused| panic!("{by} {kind}: {}", refused.errors[0]));
        self.keep(by, PartialRecord::from(&checked.record))
    }

    fn keep(&mut self, by: &str, record: PartialRecord) -> String {
        let said = self.records.keys().filter(|id| id.log.member == member(by)).count();
        let name = format!("{by}-{}", said + 1);
        self.records.insert(id(&name), record);
        name
    }

    /// Notified, cleared and left, so that it is on its way on that day.
    pub(in crate::watch) fn left(&mut self, day: &str, notification: Json, departure: Json) -> (String, String) {
        let goods = notification["goods"].clone();
        let notified = self.say("GE", day, "E02", notification);
        let reply = self.say("MZ", day, "E06", json!({"answers": notified}));
        let departure = with(json!({"answers": reply, "consignment": notified, "goods": goods}), departure);
        let left = self.say("GE", day, "E13", departure);
        (notified, left)
    }

    /// A consignment that came to a good end.
    pub(in crate::watch) fn closed(&mut self, day: &str, notification: Json, departure: Json) -> String {
        let goods = notification["goods"].clone();
        let (notified, left) = self.left(day, notification, departure);
        let import = self.say("MZ", day, "E19", json!({"answers": left, "consignment": notified, "goods": goods}));
        let closing = json!({"answers": import, "consignment": notified, "closing_state": "reconciled"});
        let proposed = self.say("MZ", day, "E22", closing.clone());
        self.say("GE", day, "E22", with(closing, json!({"answers": proposed})));
        notified
    }

    pub(in crate::watch) fn consignments(&self) -> BTreeMap<RecordId, Consignment> {
        consignments(self.records.clone())
    }

    fn history(&self, day: &str) -> History {
        let mut history = History::default();
        for (id, consignment) in &self.consignments() {
            let dossier = Dossier { consignment, records: &self.records };
            let terms = self.terms(consignment);
            let standing = standing(consignment, terms, noon(day));
            history.put(*id, Contribution::of(&dossier, &standing, terms, self.own), 30);
        }
        history
    }

    pub(in crate::watch) fn terms(&self, consignment: &Consignment) -> Option<&Terms> {
        self.records.get(&consignment.policy?)?.declared().terms.as_ref()
    }

    pub(in crate::watch) fn assess(&self, name: &str, day: &str) -> Assessment {
        let all = self.consignments();
        let consignment = &all[&id(name)];
        let terms = self.terms(consignment);
        assess(&Scene {
            dossier: Dossier { consignment, records: &self.records },
            standing: &standing(consignment, terms, noon(day)),
            terms,
            own: self.own,
            now: noon(day),
            history: &self.history(day),
            lists: &self.lists,
            policy: &self.policy,
        })
    }

    fn give(&mut self, list: &str, json: Json) {
        let mut given = json!({});
        given[list] = json;
        let given: Lists = serde_json::from_value(given).expect("lists");
        self.lists = given;
    }
}

fn hit(assessment: &Assessment, code: Code) -> Option<&Hit> {
    assessment.hits.iter().find(|hit| hit.code == code)
}

/// Whether an indicator applies, does not, or cannot be told: with the words, or with what is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Hit(String),
    Clear,
    Unknown(String),
}

fn found(world: &World, name: &str, day: &str, code: Code) -> Found {
    let assessment = world.assess(name, day);
    let unknown = assessment.unknown.iter().find(|unknown| unknown.code == code);
    match (hit(&assessment, code), unknown) {
        (Some(hit), None) => {
            assert!(!hit.facts.is_empty(), "{code} says what it rests on");
            Found::Hit(hit.words.clone())
        }
        (None, Some(unknown)) => Found::Unknown(unknown.wants.join(", ")),
        (None, None) => Found::Clear,
        (Some(_), Some(_)) => panic!("{code} applies and is unknown"),
    }
}

#[track_caller]
fn check(world: &World, name: &str, day: &str, code: Code, words: Option<&str>) {
    let expected = words.map_or(Found::Clear, |words| Found::Hit(words.to_owned()));
    assert_eq!(found(world, name, day, code), expected);
}

fn fact(assessment: &Assessment, code: Code, name: &str) -> Option<String> {
    let hit = hit(assessment, code)?;
    hit.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.clone())
}

#[test]
fn an_ordinary_consignment_is_green_and_says_what_it_does_not_know() {
    let mut world = World::new();
    for day in ["2026-01-05", "2026-02-05", "2026-03-05", "2026-04-05", "2026-05-05"] {
        world.closed(day, plain(), json!({"bill_of_lading": day, "carrier": {"name": "Test Line"}}));
    }
    let licensed = json!([{"party": {"name": "Synthetic Mining Supplies", "country": "MZ"},
        "licences": [{"substance": "ammonium-nitrate"}]}]);
    let mut lists = json!({"high_risk_countries": [], "watch": []});
    lists["end_users"] = licensed;
    world.lists = serde_json::from_value(lists).expect("lists");
    let notified = world.say("GE", "2026-06-05", "E02", plain());
    let assessment = world.assess(&notified, "2026-06-06");
    assert!(assessment.hits.is_empty(), "{}", assessment.to_json());
    assert_eq!((assessment.score, assessment.band), (0, Band::Green));
    let unknown: Vec<&str> = assessment.unknown.iter().map(|unknown| unknown.code.name()).collect();
    assert_eq!(unknown, ["R04", "R06", "R09", "R16", "R19"]);
}

#[test]
fn without_the_notification_everything_is_unknown() {
    let mut world = World::new();
    let stop =
        json!({"to": ["MZ"], "consignment": "GE-1", "answers": "GE-1", "reason": "x", "requested_action": "hold"});
    world.say("TR", "2026-01-05", "E08", stop);
    let assessment = world.assess("GE-1", "2026-01-06");
    assert_eq!((assessment.score, assessment.hits.len(), assessment.unknown.len()), (0, 0, 21));
}

#[test]
fn what_is_switched_off_is_neither_hit_nor_unknown() {
    let mut world = World::new();
    let odd = json!({"goods": [{"substance": "urea", "hs6": "310210", "cas": "6484-52-2",
        "net": {"value": "1", "unit": "TNE"}}]});
    let notified = world.say("GE", "2026-01-05", "E02", with(plain(), odd));
    assert!(hit(&world.assess(&notified, "2026-01-06"), Code::R05).is_some());
    world.policy.r05.on = false;
    check(&world, &notified, "2026-01-06", Code::R05, None);
    world.policy.r05 = settings::R05 { points: 1, ..settings::R05::default() };
    let assessment = world.assess(&notified, "2026-01-06");
    assert_eq!(hit(&assessment, Code::R05).map(|hit| hit.points), Some(1));
}
