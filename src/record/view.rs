//! A checked record, and what of a record a reader with some of its compartments can see.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map as JsonMap, Value as Json};

use super::content::{Compartment, Content, compartment_of, json_of, plain_json_of};
use super::draft::Draft;
use super::kind::Kind;
use super::parts::Place;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

/// A record that passed its check, or that another member signed and that is whole.
///
/// Made by [`Draft::check`] and [`Record::from_content`] only. Its content is kept as it is, with every field that this
/// version does not know.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    kind: Kind,
    issued_at: UnixTime,
    declared: Draft,
    content: Content,
}

/// Why opened content is not a whole record. Names fields and never shows what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// A field that every record has, or that records of this kind have, is not there: the reader may lack its compartment.
    #[error("the record lacks the field {0}")]
    Missing(&'static str),
    /// A known field does not have its form.
    #[error("a field of the record has not the form of its kind")]
    Form,
}

/// What is there of a record. Never fails: fields that cannot be read are shown raw, and those not there are not there.
#[derive(Clone, PartialEq, Eq)]
pub struct PartialRecord {
    declared: Draft,
    /// Known fields of a known kind that do not have their form.
    unreadable: BTreeSet<String>,
    content: Content,
}

impl Record {
    /// A record from fields that were checked.
    pub(super) fn checked(kind: Kind, issued_at: UnixTime, declared: Draft, content: Content) -> Self {
        Self { kind, issued_at, declared, content }
    }

    /// The record that opened content holds, if all compartments that its kind needs are there.
    ///
    /// Identifiers are not judged: a signed record is never refused for a wrong check digit.
    ///
    /// # Errors
    /// If a field is missing or does not have its form. [`PartialRecord::from_content`] shows such content too.
    pub fn from_content(content: &Content) -> Result<Self, ContentError> {
        let partial = PartialRecord::from_content(content);
        let kind = partial.declared.kind.clone().ok_or(ContentError::Missing("kind"))?;
        let issued_at = partial.declared.issued_at.ok_or(ContentError::Missing("issued_at"))?;
        // A kind of a later version may use a name for something else.
        if kind.is_known() && !partial.unreadable.is_empty() {
            return Err(ContentError::Form);
        }
        for field in kind.required() {
            let there = compartment_of(&kind, field)
                .and_then(|compartment| content.get(&compartment))
                .is_some_and(|fields| fields.contains_key(*field));
            if !there {
                return Err(ContentError::Missing(field));
            }
        }
        Ok(Self { kind, issued_at, declared: partial.declared, content: partial.content })
    }

    /// What the record says.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// When it was made.
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// The fields that this version knows, in their types.
    pub fn declared(&self) -> &Draft {
        &self.declared
    }

    /// All fields by compartment: what is sealed.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Who may read each compartment of the record, if `author` signs it and the federation has these `members`.
    ///
    /// The author reads everything. The destination, and the new one of a diversion, read all but suspicion and persons; countries
    /// that the goods pass through read what every reader needs and the transport. Those whom the record is addressed to read all
    /// but persons: the members in `to`, those asked to join an operation, the new readers of a grant, and everybody for a
    /// policy or code list. Whether a country named here is a member at all is for the charter to say.
    pub fn readers(
        &self,
        author: MemberCode,
        members: impl IntoIterator<Item = MemberCode>,
    ) -> BTreeMap<Compartment, BTreeSet<MemberCode>> {
        let declared = &self.declared;
        let mut addressees: BTreeSet<MemberCode> =
            [&declared.to, &declared.members, &declared.new_readers].into_iter().flatten().copied().collect();
        if self.kind.is_for_all_members() {
            addressees.extend(members);
        }
        let destinations: BTreeSet<MemberCode> = [&declared.destination, &declared.new_destination]
            .into_iter()
            .flatten()
            .filter_map(|country| country.as_str().parse().ok())
            .collect();
        let transit = self.transit();
        self.content
            .keys()
            .map(|compartment| {
                let mut readers = BTreeSet::from([author]);
                if *compartment != Compartment::PERSON {
                    readers.extend(&addressees);
                    if *compartment != Compartment::INTEL {
                        readers.extend(&destinations);
                    }
                }
                if *compartment == Compartment::SUMMARY || *compartment == Compartment::TRANSPORT {
                    readers.extend(&transit);
                }
                (compartment.clone(), readers)
            })
            .collect()
    }

    /// The countries of the itinerary that are neither first nor last in the trade: they see summary and transport.
    pub fn transit(&self) -> BTreeSet<MemberCode> {
        let ends: Vec<&str> = [&self.declared.export_country, &self.declared.destination]
            .into_iter()
            .flatten()
            .map(|country| country.as_str())
            .collect();
        let countries = self.declared.itinerary.iter().filter_map(Place::country);
        countries
            .filter(|country| !ends.contains(&country.as_str()))
            .filter_map(|country| country.as_str().parse().ok())
            .collect()
    }

    /// The record as JSON: each field under its name, masses in grams. Unknown fields are under `other`, by compartment.
    pub fn to_json(&self) -> Json {
        json_view(&self.kind, &self.content)
    }
}

impl PartialRecord {
    /// What is there of a record, whichever compartments a reader has.
    pub fn from_content(content: &Content) -> Self {
        let kind = kind_of(content);
        let mut known = JsonMap::new();
        let mut unreadable = BTreeSet::new();
        for (name, value) in known_fields(&kind, content) {
            match plain_json_of(value) {
                Some(json) => drop(known.insert(name.clone(), json)),
                None => drop(unreadable.insert(name.clone())),
            }
        }
        let declared = serde_json::from_value(Json::Object(known.clone())).unwrap_or_else(|_| {
            let (declared, faulty) = readable_part(known);
            unreadable.extend(faulty);
            declared
        });
        Self { declared, unreadable, content: content.clone() }
    }

    /// The fields that are there, in their types.
    pub fn declared(&self) -> &Draft {
        &self.declared
    }

    /// What the record says, if its summary is there.
    pub fn kind(&self) -> Option<&Kind> {
        self.declared.kind.as_ref()
    }

    /// The compartments that are there.
    pub fn compartments(&self) -> impl Iterator<Item = &Compartment> {
        self.content.keys()
    }

    /// All fields that are there, by compartment.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// As [`Record::to_json`], for the fields that are there.
    pub fn to_json(&self) -> Json {
        json_view(&kind_of(&self.content), &self.content)
    }
}

impl From<&Record> for PartialRecord {
    fn from(record: &Record) -> Self {
        Self { declared: record.declared.clone(), unreadable: BTreeSet::new(), content: record.content.clone() }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for PartialRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartialRecord").field("kind", &self.declared.kind).finish_non_exhaustive()
    }
}

fn kind_of(content: &Content) -> Kind {
    let text =
        content.get(&Compartment::SUMMARY).and_then(|summary| summary.get("kind")).and_then(|kind| kind.as_text());
    Kind::read(text.unwrap_or_default())
}

/// The fields that stand in the compartment where this version expects them.
fn known_fields<'a>(
    kind: &'a Kind,
    content: &'a Content,
) -> impl Iterator<Item = (&'a String, &'a crate::encoding::cbor::Value)> {
    content.iter().flat_map(move |(compartment, fields)| {
        fields.iter().filter(move |(name, _)| compartment_of(kind, name).as_ref() == Some(compartment))
    })
}

/// Reads each field alone and keeps those that can be read.
fn readable_part(known: JsonMap<String, Json>) -> (Draft, BTreeSet<String>) {
    let alone = |name: &String, value: &Json| {
        serde_json::from_value::<Draft>(Json::Object(JsonMap::from_iter([(name.clone(), value.clone())]))).is_ok()
    };
    let (readable, unreadable): (JsonMap<_, _>, JsonMap<_, _>) =
        known.into_iter().partition(|(name, value)| alone(name, value));
    let draft = serde_json::from_value(Json::Object(readable)).unwrap_or_default();
    (draft, unreadable.into_iter().map(|(name, _)| name).collect())
}

fn json_view(kind: &Kind, content: &Content) -> Json {
    let mut view = JsonMap::new();
    let mut other = JsonMap::new();
    for (compartment, fields) in content {
        for (name, value) in fields {
            if compartment_of(kind, name).as_ref() == Some(compartment) {
                view.insert(name.clone(), json_of(value));
            } else if let Json::Object(members) =
                other.entry(compartment.as_str()).or_insert_with(|| Json::Object(JsonMap::new()))
            {
                members.insert(name.clone(), json_of(value));
            }
        }
    }
    if !other.is_empty() {
        view.insert("other".to_owned(), Json::Object(other));
    }
    Json::Object(view)
}
