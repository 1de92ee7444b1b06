//! What a grant gives a new reader of old records: for each a ticket, and the keys of some of its compartments.
//!
//! It travels as a compartment of its own, `keys`, in the body of the grant: one field per record, named by the record's id, with
//! the value `[ticket, [[label, content key], …]]`. Whether a ticket or key is any good is told by the record that it is for.

use std::collections::BTreeMap;

use super::SealError;
use super::compartment::ContentKey;
use super::fields::{FIELDS_MAX, Opened};
use super::head::{COMPARTMENTS_MAX, CompartmentLabel};
use super::lane::Ticket;
use crate::encoding::cbor::{CborError, Value};
use crate::encoding::ids::RecordId;

/// The name of the compartment that a grant's keys are in.
pub const KEYS: &str = "keys";

/// What a grant gives, by record.
#[derive(Clone, Debug, Default)]
pub struct Grant(BTreeMap<RecordId, Granted>);

/// What a grant gives of one record.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Shown to whoever holds the body.
    pub ticket: Ticket,
    /// The keys of the granted compartments.
    pub keys: BTreeMap<CompartmentLabel, ContentKey>,
}

impl Grant {
    /// Adds a record.
    pub fn insert(&mut self, id: RecordId, granted: Granted) {
        self.0.insert(id, granted);
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = (&RecordId, &Granted)> {
        self.0.iter()
    }

    /// What it gives of a record.
    #[must_use]
    pub fn of(&self, id: &RecordId) -> Option<&Granted> {
        self.0.get(id)
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields of the compartment.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<String, Value> {
        self.0.iter().map(|(id, granted)| (id.to_string(), granted.to_value())).collect()
    }

    /// Reads the opened compartment.
    ///
    /// # Errors
    /// [`SealError`] if it is another compartment, or not of that form. Nothing of the content shows in it.
    pub fn from_opened(opened: &Opened) -> Result<Self, SealError> {
        const SHAPE: CborError = CborError::Shape { object: "grant" };
        if opened.compartment() != KEYS || opened.fields().len() > FIELDS_MAX {
            return Err(SHAPE.into());
        }
        let entry = |field: &super::Field| {
            let id: RecordId = field.name.parse().ok()?;
            (id.to_string() == field.name).then_some((id, Granted::from_value(&field.value)?))
        };
        let entries: Option<BTreeMap<_, _>> = opened.fields().iter().map(entry).collect();
        Ok(Self(entries.ok_or(SHAPE)?))
    }
}

impl Granted {
    fn to_value(&self) -> Value {
        let keys =
            self.keys.iter().map(|(label, key)| Value::from(vec![Value::from(label.0), Value::from(*key.as_bytes())]));
        Value::from(vec![Value::from(*self.ticket.as_bytes()), Value::from(keys.collect::<Vec<_>>())])
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::Array(parts) = value else { return None };
        let [ticket, Value::Array(listed)] = parts.as_slice() else { return None };
        if listed.is_empty() || listed.len() > COMPARTMENTS_MAX {
            return None;
        }
        let mut keys: BTreeMap<CompartmentLabel, ContentKey> = BTreeMap::new();
        for item in listed {
            let Value::Array(pair) = item else { return None };
            let [label, key] = pair.as_slice() else { return None };
            let label = CompartmentLabel(label.as_bytes()?.try_into().ok()?);
            if keys.last_key_value().is_some_and(|(last, _)| *last >= label) {
                return None;
            }
            keys.insert(label, ContentKey::from_bytes(key.as_bytes()?.try_into().ok()?));
        }
        Some(Self { ticket: Ticket::from_bytes(ticket.as_bytes()?.try_into().ok()?), keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::random::Randomness;

    fn grant(records: usize, compartments: u8) -> Grant {
        let mut grant = Grant::default();
        for record in 0..records {
            let keys = (0..compartments)
                .map(|label| (CompartmentLabel([label; 16]), ContentKey::from_bytes([label ^ 0xff; 32])))
                .collect();
            let granted = Granted { ticket: Ticket::from_bytes([3; 32]), keys };
            grant.insert(format!("GE.2-{record}").parse().unwrap(), granted);
        }
        grant
    }

    fn opened(compartment: &str, fields: &BTreeMap<String, Value>) -> Opened {
        Opened::salted(compartment, fields, &mut Randomness::new([7; 32])).unwrap()
    }

    #[test]
    fn a_grant_survives_the_round_trip() {
        for grant in [grant(1, 1), grant(3, 16), grant(FIELDS_MAX, 7)] {
            let again = Grant::from_opened(&opened(KEYS, &grant.fields())).unwrap();
            assert_eq!(again.fields(), grant.fields());
            assert_eq!((again.len(), again.is_empty()), (grant.len(), false));
        }
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        let good = grant(2, 2).fields();
        assert!(Grant::from_opened(&opened("trade", &good)).is_err());
        let ticket = || Value::from([3; 32]);
        let pair = |label: u8| Value::from(vec![Value::from([label; 16]), Value::from([9; 32])]);
        let many: Vec<Value> = (0..17).map(pair).collect();
        let bad = [
            ("GE-01", Value::from(vec![ticket(), Value::from(vec![pair(1)])])),
            ("kind", Value::from(vec![ticket(), Value::from(vec![pair(1)])])),
            ("GE-1", Value::from("text")),
            ("GE-1", ticket()),
            ("GE-1", Value::from(vec![ticket()])),
            ("GE-1", Value::from(vec![ticket(), Value::Array(Vec::new())])),
            ("GE-1", Value::from(vec![ticket(), Value::from(many)])),
            ("GE-1", Value::from(vec![ticket(), Value::from(vec![pair(2), pair(1)])])),
            ("GE-1", Value::from(vec![ticket(), Value::from(vec![pair(1), pair(1)])])),
            ("GE-1", Value::from(vec![ticket(), Value::from(vec![Value::from(vec![Value::from([1; 16])])])])),
            ("GE-1", Value::from(vec![Value::from([3; 31]), Value::from(vec![pair(1)])])),
            ("GE-1", Value::from(vec![ticket(), Value::from(vec![pair(1)]), ticket()])),
        ];
        for (name, value) in bad {
            let mut fields = good.clone();
            fields.insert(name.to_owned(), value);
            assert!(Grant::from_opened(&opened(KEYS, &fields)).is_err(), "{name}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let shown = format!("{:?}", grant(1, 1));
        assert!(shown.contains("GE.2-0") && shown.contains("[redacted]"), "{shown}");
        assert!(!shown.contains("255") && !shown.contains("ff"), "{shown}");
    }
}
