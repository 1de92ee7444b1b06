//! What records are made of: parties, places, goods, means of transport.
//!
//! Each part keeps the members it does not know (`other`), so that a record of a later version is shown whole; on own
//! entry an unknown member is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::declared::Declared;
use super::identifier::{Cas, Container, Country, Hs6, ImoNumber, UnNumber, Unlocode};
use super::quantity::{Mass, Money, Ppm, Quantity};
use crate::encoding::hash::Digest;

/// Members of a part that this version does not know.
pub type OtherMembers = BTreeMap<String, serde_json::Value>;

/// A person or company with a part in the trade.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Name in its own script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Registered identifiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<PartyId>,
    /// Address in one line, without the country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Country of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Declared<Country>>,
    /// Line of business, by a national code or in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

impl Party {
    /// Whether there is a name or an identifier, without which a party is nobody.
    pub fn is_identified(&self) -> bool {
        self.name.as_ref().is_some_and(|name| !name.trim().is_empty())
            || self.ids.iter().any(|id| !id.value.trim().is_empty())
    }

    /// What to call it: the name, or the first identifier.
    pub fn label(&self) -> &str {
        self.name.as_deref().or_else(|| self.ids.first().map(|id| id.value.as_str())).unwrap_or_default()
    }
}

/// An identifier of a party with its scheme.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyId {
    /// `EORI`, `TIN`, `LEI`, `AEO`, or a national register.
    pub scheme: String,
    /// The identifier, verbatim.
    pub value: String,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// A place: by UN/LOCODE, else a country with a name.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// UN/LOCODE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlocode: Option<Declared<Unlocode>>,
    /// Country, if the UN/LOCODE does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Declared<Country>>,
    /// Customs office code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// Name in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

impl Place {
    /// A country and nothing more precise.
    pub fn in_country(country: Declared<Country>) -> Self {
        Self { country: Some(country), ..Self::default() }
    }

    /// Its name, or else what stands for it.
    pub fn shown(&self) -> String {
        let code = self.unlocode.as_ref().map(|code| code.as_str().to_owned());
        let country = || self.country.as_ref().map(|country| country.as_str().to_owned());
        let named = code.or_else(|| self.name.clone()).or_else(|| self.office.clone()).or_else(country);
        named.unwrap_or_else(|| "unknown".to_owned())
    }

    /// The country that it lies in, if it tells.
    pub fn country(&self) -> Option<Country> {
        let stated = self.country.as_ref().and_then(|country| country.valid().cloned());
        stated.or_else(|| self.unlocode.as_ref().and_then(Declared::valid).and_then(Unlocode::country))
    }
}

/// One line of goods.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// Number of the line in its document, from 1. Given out at the check if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Code in the substance list that the record names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substance: Option<String>,
    /// CAS number, if declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cas: Option<Declared<Cas>>,
    /// HS subheading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hs6: Option<Declared<Hs6>>,
    /// National commodity code, 6 to 10 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national_code: Option<String>,
    /// The nomenclature of the national code: `CN-2026`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nomenclature: Option<String>,
    /// UN number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub un_number: Option<Declared<UnNumber>>,
    /// Description in the words of the declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Concentration of the substance by weight, in parts per million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concentration_ppm: Option<Ppm>,
    /// Density in grams per litre, for goods declared by volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density_g_per_l: Option<u32>,
    /// Net amount as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Quantity>,
    /// Net mass in grams; computed from `net` at the check if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_mass_g: Option<Mass>,
    /// Gross amount as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross: Option<Quantity>,
    /// Gross mass in grams; computed from `gross` at the check if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_mass_g: Option<Mass>,
    /// Packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Packages>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// The value of one line of goods. Apart from the goods, because prices have readers of their own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The line of goods it belongs to; none for the whole record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// How much.
    pub amount: Money,
}

/// Packages of one type.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages {
    /// UN/ECE Recommendation 21 code: `BG` bag, `43` super-bulk bag, `DR` drum.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many.
    pub count: u64,
    /// Shipping marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<String>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// A container with its seals.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedContainer {
    /// Container number.
    pub number: Declared<Container>,
    /// Seal numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seals: Vec<String>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// A ship, truck, train or aircraft.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conveyance {
    /// Name, registration or flight number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// IMO number of a ship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imo: Option<Declared<ImoNumber>>,
    /// Flag or country of registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<Declared<Country>>,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// Which of the partial shipments of one notification: the second of eleven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// Number of this shipment, from 1.
    pub number: u32,
    /// How many there will be.
    pub of: u32,
}

/// A document that is kept outside, known by its digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What to call it.
    pub name: String,
    /// SHA-256 of the document.
    pub digest: Digest,
    /// Members of a later version.
    #[serde(flatten)]
    pub other: OtherMembers,
}

/// One change of an amendment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// JSON pointer (RFC 6901) into the amended record: `/goods/0/net_mass_g`.
    pub path: String,
    /// The new value; none removes the field.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub value: serde_json::Value,
}

/// Shows no content: what a sealed record says must not reach a log through a debug print.
macro_rules! closed_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), " { .. }"))
            }
        }
    )*};
}

pub(crate) use closed_debug;

closed_debug!(Party, PartyId, Place, Goods, Value, Packages, SealedContainer, Conveyance, Attachment, Change);
