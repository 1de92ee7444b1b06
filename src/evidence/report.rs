//! What a verification comes to: claims, each proved, failed or not made.

use serde_json::{Value as Json, json};

use super::equivocation::SignedTwice;
use crate::encoding::ids::RecordId;

/// One thing that evidence may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// By which it is told apart, such as `statement` or `receipt TR`.
    pub name: String,
    /// What is claimed, in words for people.
    pub sentence: String,
    /// Whether it holds.
    pub outcome: Outcome,
}

/// Whether a claim holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Checked and found good.
    Proved,
    /// Checked and found bad, with the reason: the evidence is refused.
    Failed(String),
    /// The evidence does not show it, one way or the other.
    NotClaimed,
}

/// The outcome of [`super::verify()`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The record, if the evidence names one that can be read.
    pub record: Option<RecordId>,
    /// What was signed twice, if the evidence is about that and proves it.
    pub equivocation: Option<SignedTwice>,
    /// All claims in the order of their reading.
    pub claims: Vec<Claim>,
    /// Whether no claim failed.
    pub proved: bool,
}

/// Claims on their way into a report.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims(Vec<Claim>);

impl Report {
    pub(super) fn new(record: Option<RecordId>, claims: Claims) -> Self {
        let proved = record.is_some() && !claims.any_failed();
        Self { record, equivocation: None, claims: claims.0, proved }
    }

    pub(super) fn of_equivocation(what: Option<SignedTwice>, claims: Claims) -> Self {
        let proved = what.is_some() && !claims.any_failed();
        Self { record: None, equivocation: what.filter(|_| proved), claims: claims.0, proved }
    }

    /// The claims that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| matches!(claim.outcome, Outcome::Failed(_)))
    }

    /// For people: a verdict, then one line per claim.
    #[must_use]
    pub fn to_text(&self) -> String {
        let record = match (&self.equivocation, self.record) {
            (Some(what), _) => what.to_string(),
            (None, Some(id)) => id.to_string(),
            (None, None) => "the evidence".to_owned(),
        };
        let verdict = if self.proved { "PROVED" } else { "REFUSED" };
        let mut text = format!("{record}: {verdict}\n");
        for claim in &self.claims {
            let Claim { name, sentence, outcome } = claim;
            let (mark, reason) = match outcome {
                Outcome::Proved => ("proved     ", String::new()),
                Outcome::Failed(reason) => ("FAILED     ", format!("\n{:13}because: {reason}", "")),
                Outcome::NotClaimed => ("not claimed", String::new()),
            };
            text.push_str(&format!("{mark}  {name}: {sentence}{reason}\n"));
        }
        text
    }

    /// For programs: `{"record","proved","claims":[{"name","outcome","sentence","reason"?}],"equivocation"?}`; an outcome is `proved`, `failed` or
    /// `not_claimed`; of what was signed twice `{"what","member","sentence"}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let claims = self.claims.iter().map(Claim::to_json).collect::<Vec<_>>();
        let record = self.record.map(|id| id.to_string());
        let mut json = json!({ "record": record, "proved": self.proved, "claims": claims });
        if let (Some(what), Some(members)) = (self.equivocation, json.as_object_mut()) {
            members.insert("equivocation".to_owned(), what.to_json());
        }
        json
    }
}

impl Claim {
    fn to_json(&self) -> Json {
        let outcome = match &self.outcome {
            Outcome::Proved => "proved",
            Outcome::Failed(_) => "failed",
            Outcome::NotClaimed => "not_claimed",
        };
        let mut json = json!({ "name": self.name, "outcome": outcome, "sentence": self.sentence });
        if let (Outcome::Failed(reason), Some(members)) = (&self.outcome, json.as_object_mut()) {
            members.insert("reason".to_owned(), reason.as_str().into());
        }
        json
    }
}

impl Claims {
    pub(super) fn proved(&mut self, name: impl Into<String>, sentence: impl Into<String>) {
        self.push(name, sentence, Outcome::Proved);
    }

    pub(super) fn failed(&mut self, name: impl Into<String>, sentence: impl Into<String>, reason: impl ToString) {
        self.push(name, sentence, Outcome::Failed(reason.to_string()));
    }

    pub(super) fn not_claimed(&mut self, name: impl Into<String>, sentence: impl Into<String>) {
        self.push(name, sentence, Outcome::NotClaimed);
    }

    /// Takes back what was proved under `name`, as it does not hold for this verifier.
    pub(super) fn withdraw(&mut self, name: &str, why: &str) {
        for claim in self.0.iter_mut().filter(|claim| claim.name == name && claim.outcome == Outcome::Proved) {
            claim.outcome = Outcome::NotClaimed;
            claim.sentence = format!("{} Not counted: {why}", claim.sentence);
        }
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(super) fn any_failed(&self) -> bool {
        self.first_failure().is_some()
    }

    pub(super) fn first_failure(&self) -> Option<(&str, &str)> {
        self.0.iter().find_map(|claim| match &claim.outcome {
            Outcome::Failed(reason) => Some((claim.name.as_str(), reason.as_str())),
            Outcome::Proved | Outcome::NotClaimed => None,
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Claim> {
        self.0.iter()
    }

    fn push(&mut self, name: impl Into<String>, sentence: impl Into<String>, outcome: Outcome) {
        self.0.push(Claim { name: name.into(), sentence: sentence.into(), outcome });
    }
}
