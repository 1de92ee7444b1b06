//! What a country knows by itself and tells nobody: its risk list, its register of end users, its watch list, its ports.
//!
//! Given in by the node, from files of the country. Nothing of it is compiled in, and nothing of it leaves the node.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::closed_debug;
use super::number::Position;
use super::party::{self, Key};
use crate::record::{Country, Date, Party, Unlocode};

/// The lists as they are written. One that is not there makes the indicators that need it unknown, and never clear.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GivenLists {
    /// Countries that goods should not pass through unwatched.
    pub high_risk_countries: Option<BTreeSet<Country>>,
    /// Ports and other places by UN/LOCODE.
    pub places: Option<BTreeMap<Unlocode, KnownPlace>>,
    /// Who is registered as an end user in this country.
    pub end_users: Option<Vec<EndUser>>,
    /// Parties to watch.
    pub watch: Option<Vec<Watched>>,
    /// In which months this country takes in a substance for its fields: 1 to 12.
    pub seasons: Option<BTreeMap<String, BTreeSet<u8>>>,
}

/// What the UN/LOCODE list says of a place.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KnownPlace {
    /// The functions as the list writes them: `1-345---`. 1 is a port, 2 rail, 3 road, 4 an airport.
    pub functions: Option<String>,
    /// Where it lies.
    pub position: Option<Position>,
}

/// A registered end user.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndUser {
    /// Who it is.
    pub party: Party,
    /// What it may receive.
    pub licences: Vec<Licence>,
}

/// A licence for one substance.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// Code of the substance.
    pub substance: String,
    /// The last day; none if it has no end.
    #[serde(default)]
    pub until: Option<Date>,
}

/// A party to watch.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watched {
    /// Who it is.
    pub party: Party,
    /// Why, in words.
    pub reason: String,
}

/// The lists as they are looked into: by key, so that no look takes longer because a list is long.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "GivenLists")]
pub struct Lists {
    pub(super) high_risk_countries: Option<BTreeSet<Country>>,
    pub(super) places: Option<BTreeMap<Unlocode, KnownPlace>>,
    /// The last day of each licence of each registered end user; none for one without an end.
    end_users: Option<BTreeMap<Key, BTreeMap<String, Option<Date>>>>,
    watch: Option<BTreeMap<Key, String>>,
    pub(super) seasons: Option<BTreeMap<String, BTreeSet<u8>>>,
}

/// Whether somebody may receive a substance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Registration {
    NotRegistered,
    NotForThis,
    EndedOn(Date),
    Holds,
}

impl From<GivenLists> for Lists {
    fn from(given: GivenLists) -> Self {
        let end_users = given.end_users.map(|users| {
            let mut by_key: BTreeMap<Key, BTreeMap<String, Option<Date>>> = BTreeMap::new();
            for user in users {
                for key in party::party(&user.party) {
                    let held = by_key.entry(key).or_default();
                    for licence in &user.licences {
                        let longest = held.entry(licence.substance.clone()).or_insert(licence.until);
                        *longest = longest.zip(licence.until).map(|(one, other)| one.max(other));
                    }
                }
            }
            by_key
        });
        let watch = given.watch.map(|watched| {
            let keys = |watched: Watched| {
                party::party(&watched.party).into_iter().map(move |key| (key, watched.reason.clone()))
            };
            watched.into_iter().flat_map(keys).collect()
        });
        let (high_risk_countries, places, seasons) = (given.high_risk_countries, given.places, given.seasons);
        Self { high_risk_countries, places, end_users, watch, seasons }
    }
}

impl Lists {
    /// Whether a party may receive a substance on a day; `None` without a register.
    pub(super) fn licence(&self, keys: &BTreeSet<Key>, substance: &str, today: Date) -> Option<Registration> {
        let users = self.end_users.as_ref()?;
        let mut best = Registration::NotRegistered;
        for held in keys.iter().filter_map(|key| users.get(key)) {
            match held.get(substance) {
                None if best == Registration::NotRegistered => best = Registration::NotForThis,
                Some(Some(last)) if *last < today => best = Registration::EndedOn(*last),
                None => {}
                Some(Some(_) | None) => return Some(Registration::Holds),
            }
        }
        Some(best)
    }

    /// Why a party is watched, if it is; `None` without a list.
    pub(super) fn watched(&self, keys: &BTreeSet<Key>) -> Option<Option<&str>> {
        let watch = self.watch.as_ref()?;
        Some(keys.iter().find_map(|key| watch.get(key)).map(String::as_str))
    }
}

impl KnownPlace {
    /// Whether ships call there; `None` if the list does not say.
    pub(super) fn is_port(&self) -> Option<bool> {
        self.functions.as_ref().map(|functions| functions.starts_with('1'))
    }
}

// A watch list must not reach a log through a debug print.
closed_debug!(GivenLists, Lists, KnownPlace, EndUser, Licence, Watched);
