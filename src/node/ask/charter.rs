//! What is asked of the charter, and what the node knows of it.

use serde::{Deserialize, Serialize};

use super::Bytes;
use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;

/// What is asked of the charter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CharterRequest {
    /// The charter file, as the node holds it.
    Held,
    /// Take this charter file up, and tell everybody; answered when that is durable.
    Publish {
        /// The file.
        file: Bytes,
        /// Whether the operator chooses it where a version was signed twice.
        settle: bool,
    },
}

/// The charter, as a node holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CharterView {
    /// The charter file.
    pub file: Bytes,
    /// Versions that were signed twice.
    pub splits: Vec<SplitView>,
}

/// A version that was signed twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitView {
    /// Whose manifest; none for the charter.
    pub manifest: Option<MemberCode>,
    /// The version.
    pub version: u64,
    /// The digests of what was signed.
    pub rivals: Vec<Digest>,
    /// Which of them this node holds.
    pub held: Option<Digest>,
    /// Whether it is over: the operator has chosen a charter, or the member has signed a later manifest.
    pub settled: bool,
}

/// What a charter file that was published has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedView {
    /// The charter's version now.
    pub version: u64,
    /// Whether anything in the file was news.
    pub is_news: bool,
    /// Connected members, which were told at once.
    pub told: Vec<MemberCode>,
}

impl SplitView {
    /// In words, for an operator.
    #[must_use]
    pub fn text(&self) -> String {
        let rivals = self.rivals.iter().map(Digest::short).collect::<Vec<_>>().join(" and ");
        let held = self.held.map_or("neither".to_owned(), |held| held.short());
        match (&self.manifest, self.settled) {
            (None, false) => format!(
                "two charters of version {} are properly signed, {rivals}; this node holds {held}; no later charter is taken up before \
                 you have chosen: `shieldwall charter publish FILE --settle`",
                self.version
            ),
            (None, true) => format!("two charters of version {} were signed, {rivals}; you chose {held}", self.version),
            (Some(member), false) => format!(
                "{member} has signed two manifests of version {}, {rivals}; this node holds {held}, until {member} signs a later one",
                self.version
            ),
            (Some(member), true) => {
                format!(
                    "{member} has signed two manifests of version {}, {rivals}, and a later one since",
                    self.version
                )
            }
        }
    }
}
