//! Which announcement an arrival belongs to that nobody announced.
//!
//! | level | found by | holds |
//! |---|---|---|
//! | 1 | the arrival names the announcement among the records that matter to it | at once |
//! | 2 | UCR and exporting country | at once, if it is one announcement |
//! | 3 | MRN of export, transit or import | at once, if it is one announcement |
//! | 4 | two of container, seal, bill of lading | when an officer confirms it |
//! | 5 | substance, a party, the quantity within 5 %, left at most 120 days before | when an officer confirms it |
//!
//! An arrival that answers a record of a consignment, or names it, is the fold's and needs no link. Keys are put in and taken out one
//! consignment at a time; nothing compares every consignment with every other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::keys::{Keys, PartyKey};
use super::words::shown;
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::record::{Date, closed_debug};

/// Days within which goods arrive after they left.
const WINDOW_DAYS: i32 = 120;
/// Days by which a departure may seem to lie after the arrival: two calendars, two clocks.
const CLOCKS_DAYS: i32 = 2;
/// How many announcements are looked at for one key, and how many are proposed in the end.
const LOOKED_AT_MAX: usize = 1_000;
const PROPOSED_MAX: usize = 8;

/// How an arrival and an announcement were found to belong together. The order is that of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The one names the other.
    Named,
    /// UCR and exporting country.
    Reference,
    /// Movement reference number.
    Movement,
    /// Two of container, seal and bill of lading.
    Carriage,
    /// Substance, party, quantity and time.
    Likeness,
    /// Nothing but an officer's word.
    Officer,
}

/// Whether a link holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// An officer confirmed it.
    Confirmed,
    /// It follows from references.
    Certain,
    /// An officer should look at it.
    Proposed,
    /// An officer said that it does not.
    Rejected,
}

/// What a link that holds says of the arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// It is the arrival of what was announced, recorded apart.
    Arrival,
    /// It came to another country than announced.
    Diversion,
    /// As much had come already.
    Again,
}

/// An arrival that nobody announced and an announcement that it may belong to.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The consignment that the arrival opened.
    pub arrival: RecordId,
    /// The consignment that was announced.
    pub announced: RecordId,
    /// By what they were found to belong together.
    pub level: Level,
    /// Whether it holds.
    pub hold: Hold,
    /// What it says, if it holds.
    pub meaning: Meaning,
    /// The facts.
    pub words: String,
}

/// What an officer decided on a link. It is kept at home, like every judgement on risk, and never sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkDecision {
    /// The consignment that the arrival opened.
    pub arrival: RecordId,
    /// The consignment that was announced.
    pub announced: RecordId,
    /// Whether they belong together.
    pub holds: bool,
    /// Who decided, by the name at home.
    pub officer: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixTime,
}

closed_debug!(Link, LinkDecision);

/// The decisions of the officers: the newest for each pair counts.
#[derive(Clone, Debug, Default)]
pub struct LinkDecisions(BTreeMap<RecordId, BTreeMap<RecordId, LinkDecision>>);

impl LinkDecisions {
    /// Takes in a decision. One that is older than what is known for the pair changes nothing.
    pub fn put(&mut self, decision: LinkDecision) {
        let pairs = self.0.entry(decision.arrival).or_default();
        if pairs.get(&decision.announced).is_none_or(|known| known.at <= decision.at) {
            pairs.insert(decision.announced, decision);
        }
    }

    fn of(&self, arrival: RecordId) -> impl Iterator<Item = &LinkDecision> {
        self.0.get(&arrival).into_iter().flat_map(BTreeMap::values)
    }
}

impl FromIterator<LinkDecision> for LinkDecisions {
    fn from_iter<T: IntoIterator<Item = LinkDecision>>(decisions: T) -> Self {
        let mut all = Self::default();
        decisions.into_iter().for_each(|decision| all.put(decision));
        all
    }
}

/// The keys of all consignments, by key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Links {
    keys: BTreeMap<RecordId, Keys>,
    /// Arrivals that nobody announced.
    arrivals: BTreeSet<RecordId>,
    references: Index<String>,
    movements: Index<String>,
    carriage: Index<(String, String)>,
    /// What is announced and did not come, by substance and party and the day of its departure.
    likeness: BTreeMap<(String, PartyKey), Index<Date>>,
}

closed_debug!(Links);

/// Announced consignments by one sort of key.
type Index<K> = BTreeMap<K, BTreeSet<RecordId>>;

impl Links {
    /// Puts a consignment in, in place of what was known of it.
    pub fn put(&mut self, keys: Keys) {
        self.remove(keys.consignment);
        let id = keys.consignment;
        if keys.is_announced {
            remember(&mut self.references, &keys.references, id);
            remember(&mut self.movements, &keys.movements, id);
            remember(&mut self.carriage, &keys.carriage, id);
            for (key, day) in awaited(&keys) {
                self.likeness.entry(key).or_default().entry(day).or_default().insert(id);
            }
        } else {
            self.arrivals.insert(id);
        }
        self.keys.insert(id, keys);
    }

    /// Takes a consignment out.
    pub fn remove(&mut self, consignment: RecordId) {
        let Some(keys) = self.keys.remove(&consignment) else { return };
        self.arrivals.remove(&consignment);
        if keys.is_announced {
            keys.references.iter().for_each(|key| forget(&mut self.references, key, &consignment));
            keys.movements.iter().for_each(|key| forget(&mut self.movements, key, &consignment));
            keys.carriage.iter().for_each(|key| forget(&mut self.carriage, key, &consignment));
            for (key, day) in awaited(&keys) {
                let Some(days) = self.likeness.get_mut(&key) else { continue };
                forget(days, &day, &consignment);
                if days.is_empty() {
                    self.likeness.remove(&key);
                }
            }
        }
    }

    /// The arrivals that nobody announced.
    pub fn arrivals(&self) -> impl Iterator<Item = RecordId> {
        self.arrivals.iter().copied()
    }

    /// The announcements that an arrival may belong to: those that hold first, then by level.
    #[must_use]
    pub fn of(&self, arrival: RecordId, decisions: &LinkDecisions) -> Vec<Link> {
        let Some(came) = self.keys.get(&arrival).filter(|keys| !keys.is_announced) else { return Vec::new() };
        let mut found: BTreeMap<RecordId, (Level, bool, String)> = BTreeMap::new();
        for (level, certain, announced, words) in self.candidates(came) {
            found.entry(announced).or_insert((level, certain, words));
        }
        for decision in decisions.of(arrival) {
            let known = self.keys.get(&decision.announced).is_some_and(|keys| keys.is_announced);
            if decision.holds && known {
                found.entry(decision.announced).or_insert((Level::Officer, false, "an officer says so".to_owned()));
            }
        }
        let decided = |announced: &RecordId| decisions.of(arrival).find(|decision| decision.announced == *announced);
        let mut links: Vec<Link> = found
            .into_iter()
            .map(|(announced, (level, certain, words))| {
                let hold = match decided(&announced).map(|decision| decision.holds) {
                    Some(true) => Hold::Confirmed,
                    Some(false) => Hold::Rejected,
                    None if certain => Hold::Certain,
                    None => Hold::Proposed,
                };
                Link { arrival, announced, level, hold, meaning: self.meaning(came, &announced), words }
            })
            .collect();
        links.sort_by_key(|link| (link.hold, link.level, link.announced));
        links
    }

    /// The announcement that an arrival belongs to, as far as that is known without doubt or was confirmed.
    #[must_use]
    pub fn held(&self, arrival: RecordId, decisions: &LinkDecisions) -> Option<Link> {
        self.of(arrival, decisions).into_iter().find(|link| link.hold <= Hold::Certain)
    }

    fn meaning(&self, came: &Keys, announced: &RecordId) -> Meaning {
        let announced = self.keys.get(announced);
        if announced.is_some_and(|keys| keys.is_received) {
            Meaning::Again
        } else if announced.is_some_and(|keys| !keys.is_meant_for(came.importing)) {
            Meaning::Diversion
        } else {
            Meaning::Arrival
        }
    }

    /// What is found by each key, the surest first.
    fn candidates(&self, came: &Keys) -> Vec<(Level, bool, RecordId, String)> {
        let mut found = Vec::new();
        for id in came.named.iter().filter(|id| self.keys.get(id).is_some_and(|keys| keys.is_announced)) {
            found.push((Level::Named, true, *id, format!("the arrival names {id}")));
        }
        for ucr in &came.references {
            let ids = self.compatible(came, &self.references, ucr);
            let certain = ids.len() == 1 && came.exporting.is_some();
            let from = came.exporting.map_or_else(String::new, |exporting| format!(" from {exporting}"));
            found.extend(ids.into_iter().map(|id| (Level::Reference, certain, id, format!("UCR {ucr}{from}"))));
        }
        for mrn in &came.movements {
            let ids = self.compatible(came, &self.movements, mrn);
            let certain = ids.len() == 1;
            found.extend(ids.into_iter().map(|id| (Level::Movement, certain, id, format!("MRN {mrn}"))));
        }
        for pair in &came.carriage {
            let ids = self.compatible(came, &self.carriage, pair);
            found.extend(ids.into_iter().map(|id| (Level::Carriage, false, id, format!("{} and {}", pair.0, pair.1))));
        }
        let mut alike = self.alike(came);
        alike.truncate(PROPOSED_MAX);
        found.extend(alike.into_iter().map(|(id, words)| (Level::Likeness, false, id, words)));
        found
    }

    /// What has a key and may come from where the arrival says that it comes from.
    fn compatible<K: Ord>(&self, came: &Keys, index: &Index<K>, key: &K) -> Vec<RecordId> {
        let ids = index.get(key).into_iter().flatten().take(LOOKED_AT_MAX).copied();
        ids.filter(|id| self.keys.get(id).is_some_and(|keys| from_one_country(came, keys))).collect()
    }

    /// What is like the arrival, most alike first: announced, not received, left in time, of the same substance, quantity and a party.
    fn alike(&self, came: &Keys) -> Vec<(RecordId, String)> {
        let Some(day) = came.day else { return Vec::new() };
        let (Some(first), Some(last)) = (day.plus(-WINDOW_DAYS), day.plus(CLOCKS_DAYS)) else { return Vec::new() };
        let mut parties: BTreeMap<(RecordId, &str), BTreeSet<&str>> = BTreeMap::new();
        for (substance, party) in likeness(came) {
            let Some((key, announced)) = self.likeness.get_key_value(&(substance, party)) else { continue };
            let newest_first = announced.range(first..=last).rev().flat_map(|(_, ids)| ids);
            for id in newest_first.take(LOOKED_AT_MAX) {
                parties.entry((*id, key.0.as_str())).or_default().insert(&key.1.0);
            }
        }
        let mut found: Vec<_> = parties
            .into_iter()
            .filter_map(|((id, substance), names)| {
                let keys = self.keys.get(&id).filter(|keys| from_one_country(came, keys))?;
                let (one, other) = same_quantity(&keys.masses, &came.masses, substance)?;
                let words = format!("{substance}, {} and {}, {} of the parties", shown(one), shown(other), names.len());
                Some((std::cmp::Reverse(names.len()), one.abs_diff(other) * 1_000_000 / one.max(1), id, words))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, _, id, words)| (id, words)).collect()
    }
}

/// Whether an arrival may come from where something was announced.
fn from_one_country(came: &Keys, announced: &Keys) -> bool {
    came.exporting.is_none() || came.exporting == announced.exporting
}

/// A mass that left and one that came within five percent.
fn same_quantity(
    left: &BTreeMap<String, BTreeSet<u128>>,
    came: &BTreeMap<String, BTreeSet<u128>>,
    substance: &str,
) -> Option<(u128, u128)> {
    let came = came.get(substance)?;
    let near = |one: u128| {
        let bounds = (one - one / 20)..=(one + one / 20);
        Some((one, *came.range(bounds).next()?))
    };
    left.get(substance)?.iter().find_map(|one| near(*one))
}

/// Every substance with every party.
fn likeness(keys: &Keys) -> Vec<(String, PartyKey)> {
    let substances = keys.masses.iter().filter(|(_, masses)| !masses.is_empty()).map(|(substance, _)| substance);
    substances.flat_map(|substance| keys.parties.iter().map(|party| (substance.clone(), party.clone()))).collect()
}

/// The same with the day of the departure, for what was announced and has not come.
fn awaited(keys: &Keys) -> Vec<((String, PartyKey), Date)> {
    let Some(day) = keys.day.filter(|_| !keys.is_received) else { return Vec::new() };
    likeness(keys).into_iter().map(|key| (key, day)).collect()
}

fn remember<K: Ord + Clone>(index: &mut Index<K>, keys: &BTreeSet<K>, id: RecordId) {
    for key in keys {
        index.entry(key.clone()).or_default().insert(id);
    }
}

fn forget<K: Ord>(index: &mut Index<K>, key: &K, value: &RecordId) {
    if let Some(values) = index.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(key);
        }
    }
}

impl Level {
    /// The name: `reference`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Reference => "reference",
            Self::Movement => "movement",
            Self::Carriage => "carriage",
            Self::Likeness => "likeness",
            Self::Officer => "officer",
        }
    }
}

impl Hold {
    /// The name: `proposed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Certain => "certain",
            Self::Proposed => "proposed",
            Self::Rejected => "rejected",
        }
    }
}

impl Meaning {
    /// The name: `diversion`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::Diversion => "diversion",
            Self::Again => "again",
        }
    }
}

impl Link {
    /// The link as JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "arrival": self.arrival, "announced": self.announced, "level": self.level.name(), "hold": self.hold.name(),
            "meaning": self.meaning.name(), "words": self.words,
        })
    }
}
