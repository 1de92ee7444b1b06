//! A record as fields in compartments: what the sealed body holds.
//!
//! A compartment is a part of the body with its own readers. Every field has one, and the signed form of a field is the
//! CBOR of its JSON: text, whole numbers, arrays, maps. Fields and compartments that this version does not know are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;

use super::kind::Kind;
use crate::encoding::cbor::{Map, Value};

/// The fields of a record by compartment and name.
pub type Content = BTreeMap<Compartment, BTreeMap<String, Value>>;

/// The name of a compartment: 1 to 32 of `a-z 0-9 -`, a letter first. The set is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compartment(Cow<'static, str>);

/// A text that is no name of a compartment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a compartment is named by 1 to 32 of a-z 0-9 and -, a letter first")]
pub struct BadCompartment;

impl Compartment {
    /// What every reader needs: kind, times, pair, substances, month, and what it answers.
    pub const SUMMARY: Self = Self(Cow::Borrowed("summary"));
    /// What a transit country needs as well: means, route, containers, customs reference.
    pub const TRANSPORT: Self = Self(Cow::Borrowed("transport"));
    /// What the pair needs: goods, quantities, references, conditions.
    pub const TRADE: Self = Self(Cow::Borrowed("trade"));
    /// Who is involved.
    pub const PARTIES: Self = Self(Cow::Borrowed("parties"));
    /// Values.
    pub const PRICE: Self = Self(Cow::Borrowed("price"));
    /// Suspicion: for the addressees alone.
    pub const INTEL: Self = Self(Cow::Borrowed("intel"));
    /// Persons: for the author alone.
    pub const PERSON: Self = Self(Cow::Borrowed("person"));
    /// The keys that a grant gives. No part of what a record says: `protocol` puts it into the body and takes it out.
    pub const KEYS: Self = Self(Cow::Borrowed("keys"));

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Compartment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Compartment {
    type Err = BadCompartment;

    fn from_str(text: &str) -> Result<Self, BadCompartment> {
        let form = (1..=32).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if form { Ok(Self(Cow::Owned(text.to_owned()))) } else { Err(BadCompartment) }
    }
}

/// The compartment of a field in records of `kind`; `None` for a field that this version does not know.
pub fn compartment_of(kind: &Kind, field: &str) -> Option<Compartment> {
    Some(match field {
        "kind" | "issued_at" | "happened_at" | "consignment" | "answers" | "acknowledges" | "level" | "parents"
        | "to" | "export_country" | "destination" | "new_destination" | "diversion" | "decision" | "operation"
        | "new_readers" | "compartments" | "substance_list" | "substances" | "month" | "terms" | "list_id"
        | "list_version" | "effective_from" | "content_digest" | "audit_entries" | "audit_head" | "erases"
        | "erased" | "held" => Compartment::SUMMARY,
        "mode" | "conveyance" | "former_conveyance" | "carrier" | "itinerary" | "point_of_exit" | "point_of_entry"
        | "loading" | "unloading" | "place" | "last_seen_at" | "dispatch" | "arrival" | "containers" | "seals"
        | "seals_intact" | "mrn" | "bill_of_lading" | "shipment" | "condition" => Compartment::TRANSPORT,
        "ucr" | "lrn" | "goods" | "end_use" | "licences" | "reply_by" | "extend_reply_by" | "questions"
        | "responses" | "attachments" | "policies" | "pen_online_ref" | "conditions" | "max_net_mass_g"
        | "valid_until" | "import_permit" | "consignee_status" | "reason_code" | "legal_basis" | "urgency"
        | "requested_action" | "stop_reply" | "release" | "cause" | "settles" | "verification" | "method"
        | "remaining_stock_g" | "closing_state" | "changes" | "control_type" | "result" | "office" | "remarks"
        | "source_digest" => Compartment::TRADE,
        "exporter" | "consignee" | "importer" | "declarant" => Compartment::PARTIES,
        "values" => Compartment::PRICE,
        "reason" if !kind.is_confidential() => Compartment::TRADE,
        "reason" | "subject" | "profile" | "detection_method" | "concealment" | "persons" | "action_taken"
        | "incident" | "detected_at" | "reported_at" | "operation_name" | "period" | "members" | "templates"
        | "message" => Compartment::INTEL,
        "person_details" => Compartment::PERSON,
        _ => return None,
    })
}

/// The CBOR of a JSON value. `None` if it holds a number with a fraction, which is never signed.
pub(super) fn cbor_of(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            let whole = number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from));
            Value::Int(whole?)
        }
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(cbor_of).collect::<Option<_>>()?),
        Json::Object(members) => {
            let mut map = Map::new();
            for (name, value) in members {
                map.insert(name.as_str(), cbor_of(value)?);
            }
            Value::Map(map)
        }
    })
}

/// The JSON that [`cbor_of`] makes this value from. `None` if no JSON does: then the field is not of this version's making.
pub(super) fn plain_json_of(value: &Value) -> Option<Json> {
    let json = json_of(value);
    (cbor_of(&json).as_ref() == Some(value)).then_some(json)
}

/// A JSON view of any CBOR value: bytes as hexadecimal, numbers beyond 64 bits as text, tags as an object.
pub(super) fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => u64::try_from(*number)
            .map(Json::from)
            .or_else(|_| i64::try_from(*number).map(Json::from))
            .unwrap_or_else(|_| Json::String(number.to_string())),
        Value::Text(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => Json::String(data_encoding::HEXLOWER.encode(bytes)),
        Value::Array(items) => Json::Array(items.iter().map(json_of).collect()),
        Value::Map(map) => Json::Object(map.iter().map(|(name, value)| (member_name(name), json_of(value))).collect()),
        Value::Tag(tag, value) => serde_json::json!({ "tag": tag, "value": json_of(value) }),
    }
}

fn member_name(name: &Value) -> String {
    name.as_text().map_or_else(|| json_of(name).to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::draft::Draft;
    use super::*;

    #[test]
    fn every_field_of_a_draft_has_a_compartment() {
        // The error for a field that does not exist lists those that do.
        let listing = serde_json::from_str::<Draft>(r#"{"no_such_field":1}"#).expect_err("no such field").to_string();
        let fields: Vec<&str> = listing.split('`').skip(3).step_by(2).collect();
        assert!(fields.len() > 60, "{listing}");
        for field in fields {
            assert!(compartment_of(&Kind::ExportNotification, field).is_some(), "{field}");
        }
        assert_eq!(compartment_of(&Kind::Warning, "no_such_field"), None);
    }

    #[test]
    fn suspicion_stays_with_its_addressees() {
        assert_eq!(compartment_of(&Kind::Objection, "reason"), Some(Compartment::INTEL));
        assert_eq!(compartment_of(&Kind::Cancellation, "reason"), Some(Compartment::TRADE));
    }

    #[test]
    fn json_and_back() {
        let json = serde_json::json!({"a": [1, -2, "x", true, null], "b": {"c": 18_446_744_073_709_551_615_u64}});
        assert_eq!(json_of(&cbor_of(&json).expect("no fractions")), json);
        assert_eq!(cbor_of(&serde_json::json!({"a": 1.5})), None);
    }

    #[test]
    fn names_of_compartments() {
        assert!("summary".parse::<Compartment>().is_ok());
        for text in ["", "Summary", "1a", "a b", "a/../b", &"a".repeat(33)] {
            assert!(text.parse::<Compartment>().is_err(), "{text}");
        }
    }
}
