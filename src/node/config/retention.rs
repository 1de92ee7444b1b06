//! How long bodies are kept, by kind of record. By default for ever.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::layers::Layers;
use crate::record::Kind;

/// The shortest time, in days: nothing goes while its consignment is on its way and its readers have not even acknowledged it.
pub const DAYS_MIN: u32 = 30;
/// The longest, in days: a century.
pub const DAYS_MAX: u32 = 36_525;

/// How long bodies are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of this member's own records: then their erasure is ordered.
    pub own: Terms,
    /// Of copies of other members' records: then they are erased here.
    pub copies: Terms,
    /// The law that the node's own orders name.
    pub legal_basis: Option<String>,
}

/// Days by kind of record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    kinds: BTreeMap<Kind, u32>,
    /// For all kinds that are not named.
    others: Option<u32>,
}

/// One term, as it is written: `export-notification:3650`, or `*:3650` for all kinds that are not named.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    kind: Option<Kind>,
    days: u32,
}

/// Why a text is no term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum BadTerm {
    #[error("a term is written like export-notification:3650, or *:3650 for all other kinds")]
    Form,
    #[error("there is no such kind of record")]
    Kind,
    #[error("orders to erase, and receipts of them, are kept for ever")]
    Stays,
    #[error("a term has {DAYS_MIN} to {DAYS_MAX} days")]
    Days,
}

impl FromStr for Term {
    type Err = BadTerm;

    fn from_str(text: &str) -> Result<Self, BadTerm> {
        let (kind, days) = text.split_once(':').ok_or(BadTerm::Form)?;
        let kind = if kind == "*" { None } else { Some(Kind::read(kind)) };
        match &kind {
            Some(kind) if !kind.is_known() => return Err(BadTerm::Kind),
            Some(kind) if !kind.can_be_erased() => return Err(BadTerm::Stays),
            Some(_) | None => {}
        }
        let days = days.parse().map_err(|_| BadTerm::Form)?;
        if (DAYS_MIN..=DAYS_MAX).contains(&days) { Ok(Self { kind, days }) } else { Err(BadTerm::Days) }
    }
}

impl Retention {
    /// Whether anything is ever erased by it.
    #[must_use]
    pub fn is_on(&self) -> bool {
        [&self.own, &self.copies].iter().any(|terms| terms.shortest().is_some())
    }
}

impl Terms {
    /// For how many days a record of this kind is kept; `None` for ever.
    #[must_use]
    pub fn days(&self, kind: &Kind) -> Option<u32> {
        self.kinds.get(kind).copied().or(self.others.filter(|_| kind.can_be_erased()))
    }

    /// The shortest of all terms.
    #[must_use]
    pub fn shortest(&self) -> Option<u32> {
        self.kinds.values().copied().chain(self.others).min()
    }

    fn of(terms: Vec<Term>) -> Option<Self> {
        let mut all = Self::default();
        for Term { kind, days } in terms {
            let before = match kind {
                Some(kind) => all.kinds.insert(kind, days),
                None => all.others.replace(days),
            };
            if before.is_some() {
                return None;
            }
        }
        Some(all)
    }
}

pub(super) fn check(layers: &mut Layers<'_>) -> Option<Retention> {
    let mut terms = |key: &'static str| {
        let terms = Terms::of(layers.parsed_list::<Term>(key)?);
        if terms.is_none() {
            layers.fault(key, "names a kind twice".to_owned());
        }
        terms
    };
    let (own, copies) = (terms("retention.own"), terms("retention.copies"));
    let legal_basis = layers.text("retention.legal_basis");
    let retention = Retention { own: own?, copies: copies?, legal_basis };
    if retention.own.shortest().is_some() && retention.legal_basis.is_none() {
        let missing = "needs `retention.legal_basis`: every order names the law that it rests on";
        layers.fault("retention.own", missing.to_owned());
    }
    Some(retention)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(texts: &[&str]) -> Option<Terms> {
        Terms::of(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn terms_are_by_kind_and_one_is_for_all_others() {
        let all = terms(&["export-notification:3650", "G05:400", "*:7300"]).unwrap();
        assert_eq!(all.days(&Kind::ExportNotification), Some(3650));
        assert_eq!(all.days(&Kind::AudienceGrant), Some(400));
        assert_eq!(all.days(&Kind::Warning), Some(7300));
        assert_eq!((all.days(&Kind::Erasure), all.days(&Kind::ErasureReceipt)), (None, None));
        assert_eq!(all.shortest(), Some(400));
        assert_eq!(terms(&[]).unwrap().days(&Kind::Warning), None);
        assert_eq!(terms(&["G05:400", "audience-grant:500"]), None, "one kind twice");
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for (text, error) in [
            ("warning", BadTerm::Form),
            ("warning:ten", BadTerm::Form),
            ("warnings:400", BadTerm::Kind),
            ("erasure:400", BadTerm::Stays),
            ("G09:400", BadTerm::Stays),
            ("warning:29", BadTerm::Days),
            ("*:36526", BadTerm::Days),
        ] {
            assert_eq!(text.parse::<Term>(), Err(error), "{text}");
        }
    }
}
