//! What an assessment says, and what an officer makes of it.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::{Value as Json, json};

use super::closed_debug;
use super::code::Code;
use super::policy::{Bands, RiskPolicy};
use crate::encoding::time::UnixTime;
use crate::watch::Band;

/// A text that is no band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a band is green, amber or red")]
pub struct BadBand;

impl FromStr for Band {
    type Err = BadBand;

    fn from_str(text: &str) -> Result<Self, BadBand> {
        [Self::Green, Self::Amber, Self::Red].into_iter().find(|band| band.name() == text).ok_or(BadBand)
    }
}

/// The band of a score.
pub(super) fn band_of(score: u32, bands: Bands) -> Band {
    if score >= bands.red {
        Band::Red
    } else if score >= bands.amber {
        Band::Amber
    } else {
        Band::Green
    }
}

/// Something that an indicator rests on.
#[derive(Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// What was found.
    pub value: String,
}

/// An indicator that applies.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub code: Code,
    /// What it counts.
    pub points: u32,
    /// Why, in one or more sentences.
    pub words: String,
    /// What that rests on.
    pub facts: Vec<Fact>,
}

/// An indicator that cannot be told.
#[derive(Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Which.
    pub code: Code,
    /// What is not there.
    pub wants: Vec<String>,
}

/// What a node thinks of a consignment. For its own officers: there is no form of it that could be sent to another member.
#[derive(Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The sum of the hits' points.
    pub score: u32,
    /// The band of the score.
    pub band: Band,
    /// The indicators that apply, in order.
    pub hits: Vec<Hit>,
    /// Those that cannot be told.
    pub unknown: Vec<Unknown>,
    /// The edition of the policy that it was reckoned by.
    pub policy: String,
}

/// An officer's word on the band. It is kept, and never changed: a later one stands beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct Override {
    /// The band to show.
    pub band: Band,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: UnixTime,
    /// The hits that the officer saw. When another indicator applies later, the word does not cover it.
    pub seen: BTreeSet<Code>,
}

/// What is shown of an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The score, which no officer changes.
    pub score: u32,
    /// The band to show.
    pub band: Band,
    /// Whether an officer's word made it so.
    pub overridden: bool,
}

closed_debug!(Fact, Hit, Unknown, Assessment, Override);

impl Assessment {
    pub(super) fn new(policy: &RiskPolicy) -> Self {
        let band = band_of(0, policy.bands);
        Self { score: 0, band, hits: Vec::new(), unknown: Vec::new(), policy: policy.version.clone() }
    }

    pub(super) fn take(&mut self, look: Look) {
        let Look { code, points, words, facts, wants } = look;
        if !words.is_empty() {
            self.score = self.score.saturating_add(points);
            self.hits.push(Hit { code, points, words: words.join(" "), facts });
        } else if !wants.is_empty() {
            self.unknown.push(Unknown { code, wants: wants.into_iter().collect() });
        }
    }

    /// The codes of the hits.
    #[must_use]
    pub fn codes(&self) -> BTreeSet<Code> {
        self.hits.iter().map(|hit| hit.code).collect()
    }

    /// What is shown, with an officer's newest word on it. The word holds as long as nothing applies that its author did not see; a band
    /// that was raised by hand stays.
    #[must_use]
    pub fn shown(&self, word: Option<&Override>) -> Shown {
        let covers = |word: &&Override| word.band >= self.band || self.codes().is_subset(&word.seen);
        let word = word.filter(covers);
        Shown {
            score: self.score,
            band: word.map_or(self.band, |word| word.band),
            overridden: word.is_some_and(|word| word.band != self.band),
        }
    }

    /// As JSON, for this country's own screens.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let facts = |hit: &Hit| {
            let all = hit.facts.iter().map(|fact| json!({ "name": fact.name, "value": fact.value }));
            all.collect::<Vec<Json>>()
        };
        let hits = self.hits.iter().map(|hit| {
            json!({
                "code": hit.code.name(), "about": hit.code.about(), "points": hit.points, "words": hit.words,
                "facts": facts(hit),
            })
        });
        let unknown = self.unknown.iter().map(
            |unknown| json!({ "code": unknown.code.name(), "about": unknown.code.about(), "wants": unknown.wants }),
        );
        json!({
            "score": self.score,
            "band": self.band.name(),
            "hits": hits.collect::<Vec<Json>>(),
            "unknown": unknown.collect::<Vec<Json>>(),
            "policy": self.policy,
        })
    }
}

/// What one indicator finds.
pub(super) struct Look {
    code: Code,
    points: u32,
    words: Vec<String>,
    facts: Vec<Fact>,
    wants: BTreeSet<String>,
}

impl Look {
    pub(super) fn new(code: Code, points: u32) -> Self {
        Self { code, points, words: Vec::new(), facts: Vec::new(), wants: BTreeSet::new() }
    }

    /// It applies: why, in a whole sentence.
    pub(super) fn hit(&mut self, words: impl Into<String>) -> &mut Self {
        let words = words.into();
        if !self.words.contains(&words) {
            self.words.push(words);
        }
        self
    }

    /// What a hit rests on.
    pub(super) fn fact(&mut self, name: &'static str, value: impl ToString) -> &mut Self {
        let fact = Fact { name, value: value.to_string() };
        if !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
        self
    }

    /// It cannot be told without this.
    pub(super) fn wants(&mut self, what: impl Into<String>) {
        self.wants.insert(what.into());
    }

    pub(super) fn count(&mut self, points: u32) {
        self.points = points;
    }
}
