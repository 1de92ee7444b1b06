//! The substances that countries watch: a versioned list, carried as data, because the list moves and records outlive it.

use std::sync::LazyLock;

use serde::Deserialize;

use super::identifier::{Cas, Hs6, UnNumber};

/// The list as shipped. A later version is another file beside it; a record names the version it was written under.
const PGS_2022_1: &str = include_str!("substances.json");

static LISTS: LazyLock<Vec<SubstanceList>> =
    LazyLock::new(|| vec![serde_json::from_str(PGS_2022_1).expect("the shipped list is read by a test")]);

/// One version of the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubstanceList {
    /// The version that records name: `pgs-2022-1`.
    pub version: String,
    /// The title for people.
    pub title: String,
    /// The edition of the Harmonized System that the subheadings are of.
    pub hs_edition: String,
    /// The substances, by code.
    pub substances: Vec<Substance>,
}

/// One substance. Identity only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Substance {
    /// The code that records use: `ammonium-nitrate`.
    pub code: String,
    /// The name for people.
    pub name: String,
    /// Chemical Abstracts Service number.
    pub cas: Cas,
    /// Subheadings it is declared under, the usual one first.
    pub hs6: Vec<Hs6>,
    /// Those of `hs6` that hold other goods as well, so that the commodity code alone is a hint and no proof.
    #[serde(default)]
    pub hs6_shared: Vec<Hs6>,
    /// United Nations numbers, the usual one first; empty if it is not dangerous to carry.
    pub un: Vec<UnNumber>,
    /// Solid or liquid at 20 °C.
    pub state: State,
    /// Whether it is traded in solutions, so that a mass says little without the concentration.
    pub concentration: bool,
}

/// State of matter in trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Measured by mass.
    Solid,
    /// Measured by volume or mass.
    Liquid,
}

impl SubstanceList {
    /// The newest version this program knows.
    pub fn current() -> &'static Self {
        LISTS.last().expect("one list is shipped")
    }

    /// The version that a record names; `None` for one that came after this program, whose codes are then shown as they are.
    pub fn version(version: &str) -> Option<&'static Self> {
        LISTS.iter().find(|list| list.version == version)
    }

    /// The substance with this code.
    pub fn get(&self, code: &str) -> Option<&Substance> {
        self.substances.iter().find(|substance| substance.code == code)
    }

    /// The substance that a commodity code of six or more digits stands for.
    pub fn by_commodity(&self, code: &str) -> Option<&Substance> {
        let hs6 = Hs6::of_national(code).ok()?;
        self.substances.iter().find(|substance| substance.hs6.contains(&hs6))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_shipped_list_is_whole() {
        let list = SubstanceList::current();
        assert_eq!(list.substances.len(), 14);
        let codes: BTreeSet<_> = list.substances.iter().map(|substance| &substance.code).collect();
        assert_eq!(codes.len(), 14, "codes are unique");
        let subheadings: Vec<_> = list.substances.iter().flat_map(|substance| &substance.hs6).collect();
        assert_eq!(
            subheadings.iter().collect::<BTreeSet<_>>().len(),
            subheadings.len(),
            "a subheading names one substance"
        );
        assert!(
            list.substances.iter().all(|substance| substance.hs6_shared.iter().all(|hs6| substance.hs6.contains(hs6)))
        );
    }

    #[test]
    fn a_commodity_code_names_its_substance() {
        let code =
            |commodity| SubstanceList::current().by_commodity(commodity).map(|substance| substance.code.as_str());
        assert_eq!(code("31023090"), Some("ammonium-nitrate"));
        assert_eq!(code("310240"), Some("calcium-ammonium-nitrate"));
        assert_eq!(code("7603200000"), Some("aluminium-powder"));
        assert_eq!(code("46021910"), None);
        assert_eq!(code("3102"), None);
    }

    #[test]
    fn an_unknown_version_is_no_error() {
        assert!(SubstanceList::version("pgs-2030-1").is_none());
        assert!(SubstanceList::version("pgs-2022-1").is_some());
    }
}
