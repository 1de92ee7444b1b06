//! What a consignment can be found by: references, what carries it, and whom and what it is about.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::{MemberCode, RecordId};
use crate::record::{Date, Draft, Kind, Party, closed_debug};
use crate::watch::balance::amounts;
use crate::watch::dossier::Dossier;

/// How many keys of one sort are kept of a consignment: a record of many containers is found by the first of them.
const KEYS_MAX: usize = 1_000;

/// What a consignment can be found by. Made of its records whenever they change, and small enough to be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The consignment.
    pub consignment: RecordId,
    /// Whether it was announced. If not, it is an arrival that looks for its announcement.
    pub is_announced: bool,
    /// The exporting country, if that is known.
    pub exporting: Option<MemberCode>,
    /// The importing country.
    pub importing: Option<MemberCode>,
    /// Countries that goods were diverted to, as a party said.
    pub(super) diverted_to: BTreeSet<MemberCode>,
    /// Whether goods were imported under it already.
    pub is_received: bool,
    /// Records that its first record names as known to its author.
    pub(super) named: BTreeSet<RecordId>,
    /// Unique consignment references.
    pub(super) references: BTreeSet<String>,
    /// Movement reference numbers of the export, the transit and the import.
    pub(super) movements: BTreeSet<String>,
    /// What carries it: two of container, seal and bill of lading.
    pub(super) carriage: BTreeSet<(String, String)>,
    /// Parties by normalised name and country.
    pub(super) parties: BTreeSet<PartyKey>,
    /// Net grams by substance: of all that left, was announced or came, and of each shipment.
    pub(super) masses: BTreeMap<String, BTreeSet<u128>>,
    /// When it leaves; of an arrival, when it came.
    pub(super) day: Option<Date>,
}

closed_debug!(Keys);

/// A party by its normalised name and its country.
pub(super) type PartyKey = (String, String);

impl Keys {
    /// The keys of a consignment; none while the record that opened it is not held.
    #[must_use]
    pub fn of(dossier: &Dossier<'_>) -> Option<Self> {
        let consignment = dossier.consignment;
        let opening = dossier.declared(consignment.id).filter(|_| consignment.state.is_some())?;
        let is_announced = opening.kind == Some(Kind::ExportNotification);
        let mut keys = Self {
            consignment: consignment.id,
            is_announced,
            exporting: consignment.countries.exporting,
            importing: consignment.countries.importing,
            diverted_to: consignment.countries.diverted_to.clone(),
            is_received: consignment.shipments.iter().any(|shipment| !shipment.imports.is_empty()),
            named: opening.parents.iter().copied().collect(),
            references: BTreeSet::new(),
            movements: BTreeSet::new(),
            carriage: BTreeSet::new(),
            parties: BTreeSet::new(),
            masses: BTreeMap::new(),
            day: None,
        };
        let counting = consignment.timeline.iter().filter(|event| event.illegal.is_none());
        for record in counting.filter_map(|event| dossier.declared(event.id)) {
            keys.read(record);
        }
        if is_announced {
            // An amendment may have named others since.
            dossier.announced().iter().for_each(|announced| keys.read(announced));
        }
        keys.weigh(dossier);
        keys.day = keys.day_of(dossier, opening);
        Some(keys)
    }

    /// Whether goods that come to a country come to where they were sent.
    pub(super) fn is_meant_for(&self, country: Option<MemberCode>) -> bool {
        self.importing == country || country.is_some_and(|country| self.diverted_to.contains(&country))
    }

    fn read(&mut self, record: &Draft) {
        let bounded = |set: &BTreeSet<String>| set.len() < KEYS_MAX;
        if let Some(ucr) = record.ucr.as_ref().filter(|_| bounded(&self.references)) {
            self.references.insert(plain(ucr.as_str()));
        }
        if let Some(mrn) = record.mrn.as_ref().filter(|_| bounded(&self.movements)) {
            self.movements.insert(plain(mrn.as_str()));
        }
        for pair in carriage(record) {
            if self.carriage.len() < KEYS_MAX {
                self.carriage.insert(pair);
            }
        }
        let sides = [
            (&record.exporter, self.exporting),
            (&record.consignee, self.importing),
            (&record.importer, self.importing),
        ];
        for (party, side) in sides {
            if self.parties.len() < KEYS_MAX {
                self.parties.extend(party.as_ref().and_then(|party| party_key(party, side)));
            }
        }
    }

    /// Grams by substance: those that came for an arrival, else those that left, else those announced.
    fn weigh(&mut self, dossier: &Dossier<'_>) {
        for (substance, masses) in &dossier.consignment.masses {
            let known = [masses.departed, masses.received, masses.notified].into_iter().find(|grams| *grams > 0);
            self.masses.entry(substance.clone()).or_default().extend(known.map(u128::from));
        }
        for (_, departure) in dossier.events(&Kind::Departure) {
            for (substance, amount) in amounts(&departure.goods) {
                let masses = self.masses.entry(substance).or_default();
                if amount.net > 0 && masses.len() < KEYS_MAX {
                    masses.insert(amount.net);
                }
            }
        }
    }

    fn day_of(&self, dossier: &Dossier<'_>, opening: &Draft) -> Option<Date> {
        let happened = |record: &Draft| record.happened_at.or(record.issued_at).and_then(|at| Date::of(at).ok());
        if !self.is_announced {
            return happened(opening);
        }
        let left = dossier.consignment.shipments.iter().filter_map(|shipment| shipment.departed_at).min();
        let planned = || dossier.announced().and_then(|announced| announced.dispatch?.first());
        left.and_then(|at| Date::of(at).ok()).or_else(planned).or_else(|| happened(opening))
    }
}

/// Two of container, seal and bill of lading, in every combination that a record names.
fn carriage(record: &Draft) -> BTreeSet<(String, String)> {
    let bill = record.bill_of_lading.as_deref().map(plain).filter(|bill| !bill.is_empty());
    let mut pairs = BTreeSet::new();
    let seal = |seal: &String| format!("seal {}", plain(seal));
    for container in record.containers.iter().take(KEYS_MAX) {
        let number = format!("container {}", plain(container.number.as_str()));
        pairs.extend(container.seals.iter().map(|name| (number.clone(), seal(name))));
        pairs.extend(bill.iter().map(|bill| (number.clone(), format!("bill of lading {bill}"))));
    }
    let seals = record.containers.iter().flat_map(|container| &container.seals).chain(&record.seals);
    for name in seals.take(KEYS_MAX) {
        pairs.extend(bill.iter().map(|bill| (seal(name), format!("bill of lading {bill}"))));
    }
    pairs
}

/// A number as everybody writes it: without spaces, in capitals.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// Forms of companies, which are written or left out.
const FORMS: [&str; 32] = [
    "ab",
    "ag",
    "as",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "doo",
    "fze",
    "gmbh",
    "inc",
    "jsc",
    "kg",
    "lda",
    "limited",
    "llc",
    "llp",
    "ltd",
    "ltda",
    "nv",
    "ojsc",
    "ooo",
    "oy",
    "plc",
    "pte",
    "pvt",
    "sa",
    "sarl",
    "sas",
    "spa",
    "srl",
];

/// A party by its name, without marks, case and the form of the company, and its country; `side` if it names none.
fn party_key(party: &Party, side: Option<MemberCode>) -> Option<PartyKey> {
    let name = party.name.as_deref()?.to_lowercase().replace('.', "");
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.clone().filter(|word| !FORMS.contains(word)).collect();
    let name = if name.is_empty() { words.collect() } else { name };
    let country =
        party.country.as_ref().map(|country| plain(country.as_str())).or_else(|| side.map(|side| side.to_string()));
    (!name.is_empty()).then(|| (name, country.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_what_is_written_or_left_out() {
        let key = |name: &str| {
            party_key(&Party { name: Some(name.to_owned()), ..Party::default() }, "GE".parse().ok()).map(|key| key.0)
        };
        let plain = key("Rustavi Test Nitrogen");
        for name in ["RUSTAVI TEST NITROGEN, Ltd.", "Rustavi-Test Nitrogen LLC", " rustavi  test nitrogen S.A. "] {
            assert_eq!(key(name), plain, "{name}");
        }
        assert_ne!(key("Rustavi Test Nitrates"), plain);
        assert_eq!(key("Азот ООО"), key("азот ооо"));
        assert_eq!(key("S.A."), Some("sa".to_owned()), "a name of nothing but a form is a name");
        assert_eq!((key(""), key(" - ")), (None, None));
    }

    #[test]
    fn two_of_container_seal_and_bill() {
        let draft: Draft = serde_json::from_value(serde_json::json!({
            "bill_of_lading": "bl 7", "containers": [{"number": "CSQU3054383", "seals": ["s1"]}], "seals": ["S9"],
        }))
        .expect("a draft");
        let pairs: Vec<String> = carriage(&draft).into_iter().map(|(one, other)| format!("{one} + {other}")).collect();
        assert_eq!(
            pairs,
            [
                "container CSQU3054383 + bill of lading BL7",
                "container CSQU3054383 + seal S1",
                "seal S1 + bill of lading BL7",
                "seal S9 + bill of lading BL7",
            ]
        );
    }
}
