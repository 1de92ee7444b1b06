//! Under which keys a party, an address or a reference is found again, however it was typed.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::encoding::hash::sha256_of;
use crate::record::{Draft, Party};

/// What a party, place or reference is known by: a digest of what it says, cut to 16 bytes, so that a hundred thousand take little room.
/// Two with one key are taken for the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of a text as it is.
    pub(super) fn exact(sort: &str, text: &str) -> Self {
        let digest = sha256_of(&[sort.as_bytes(), b":", text.as_bytes()]);
        let mut key = [0; 16];
        key.copy_from_slice(&digest.0[..16]);
        Self(key)
    }

    /// The key of a text however it is typed, `within` a country or scheme. Nothing for one without letters and digits.
    pub(super) fn of(sort: &str, text: &str, within: &str) -> Option<Self> {
        let folded = folded(text);
        (!folded.is_empty()).then(|| Self::exact(sort, &format!("{folded}/{within}")))
    }
}

/// Shows no content: what sealed records say must not reach a log through a debug print.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// A text in lower case, its letters and digits in one form of Unicode, everything else one space.
pub(super) fn folded(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Whether `text`, folded, has these words beside each other.
pub(super) fn says(text: &str, words: &str) -> bool {
    let (text, words) = (format!(" {} ", folded(text)), folded(words));
    !words.is_empty() && text.contains(&format!(" {words} "))
}

/// The keys of a party: each of its identifiers, and its name with its country.
pub(super) fn party(party: &Party) -> BTreeSet<Key> {
    let compact = |text: &str| folded(text).replace(' ', "");
    let ids = party.ids.iter().filter_map(|id| Key::of("id", &compact(&id.value), &compact(&id.scheme)));
    let name = party.name.as_deref().and_then(|name| Key::of("name", name, country(party)));
    ids.chain(name).collect()
}

/// The keys of where a party is: its address and its telephone.
pub(super) fn whereabouts(party: &Party) -> BTreeSet<Key> {
    let address = party.address.as_deref().and_then(|address| Key::of("address", address, country(party)));
    // Not a field of this version; a later one, or another program, may send it.
    let phone = party.other.get("phone").and_then(|phone| phone.as_str()).map(|phone| folded(phone).replace(' ', ""));
    address.into_iter().chain(phone.and_then(|phone| Key::of("phone", &phone, ""))).collect()
}

fn country(party: &Party) -> &str {
    party.country.as_ref().map_or("", |country| country.as_str())
}

/// The part that somebody has in a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sells.
    Exporter,
    /// Receives.
    Consignee,
    /// Buys.
    Importer,
    /// Carries.
    Carrier,
    /// Declares.
    Declarant,
}

impl Role {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exporter => "exporter",
            Self::Consignee => "consignee",
            Self::Importer => "importer",
            Self::Carrier => "carrier",
            Self::Declarant => "declarant",
        }
    }
}

/// The parties that a record names.
pub(super) fn parties(declared: &Draft) -> impl Iterator<Item = (Role, &Party)> {
    let all = [
        (Role::Exporter, &declared.exporter),
        (Role::Consignee, &declared.consignee),
        (Role::Importer, &declared.importer),
        (Role::Carrier, &declared.carrier),
        (Role::Declarant, &declared.declarant),
    ];
    all.into_iter().filter_map(|(role, party)| Some((role, party.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(json: serde_json::Value) -> Party {
        serde_json::from_value(json).expect("a party")
    }

    #[test]
    fn one_party_typed_in_two_ways_has_one_key() {
        let one = party(&of(json!({"name": "Synthetic  Mining, Supplies (Lda.)", "country": "MZ"})));
        let two = party(&of(json!({"name": "SYNTHETIC MINING SUPPLIES LDA", "country": "MZ"})));
        assert_eq!(one, two);
        let elsewhere = party(&of(json!({"name": "SYNTHETIC MINING SUPPLIES LDA", "country": "ZA"})));
        assert!(one.is_disjoint(&elsewhere));
        let by_id = |scheme: &str, value: &str| party(&of(json!({"ids": [{"scheme": scheme, "value": value}]})));
        assert_eq!(by_id("TIN", "400 123-456"), by_id("tin", "400123456"));
        assert!(by_id("TIN", "400123456").is_disjoint(&by_id("EORI", "400123456")));
        assert!(party(&of(json!({"name": " - "}))).is_empty());
    }

    #[test]
    fn names_in_any_script_are_folded() {
        assert_eq!(folded("GÜBRE Sanayi A.Ş."), "gübre sanayi a ş");
        assert_eq!(folded("شركة الأسمدة"), "شركة الأسمدة");
        assert_eq!(folded("Ｆｕｌｌ　Width"), "full width");
    }

    #[test]
    fn words_are_found_whole() {
        assert!(says("Caixa postal 12, P.O. Box 77", "P.O. Box"));
        assert!(!says("Bureau 5", "urea") && !says("anything", ""));
    }

    #[test]
    fn addresses_and_telephones_are_whereabouts() {
        let one = whereabouts(&of(json!({"address": "Rua 1, Beira", "country": "MZ", "phone": "+258 23 1"})));
        let two = whereabouts(&of(json!({"address": "rua 1 beira", "country": "MZ"})));
        assert_eq!((one.len(), one.intersection(&two).count()), (2, 1));
    }
}
