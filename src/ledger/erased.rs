//! What a node keeps of a body that it has erased, and of one that it must not: notes of its own, in frames beside the statements.
//!
//! Deterministic CBOR, a map with integer keys; docs/disk.md has the fields.

use std::collections::BTreeSet;

use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::ids::{MemberCode, RecordId};

/// The longest reference of a hold, in bytes: a file number, not the file.
pub const REFERENCE_MAX: usize = 200;
/// More readers than these a note does not have: a charter has no more members.
const READERS_MAX: usize = 1024;

/// Why a body is not here any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its author ordered it, with this record.
    Ordered(RecordId),
    /// This member's own law asked for it: its own copy of another member's record.
    OwnLaw,
    /// Lanes: everything that they opened here is erased.
    Unneeded,
    /// The note of why was lost with a disk.
    Unknown,
}

/// That a body was erased here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Why.
    pub why: Why,
    /// Whether it was one that this member could read.
    pub was_reader: bool,
    /// Of a member's own record: the other members that could read it, who are to answer.
    pub readers: BTreeSet<MemberCode>,
}

/// That a body is kept whatever is ordered, or is so no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whether it holds.
    pub is_on: bool,
    /// What the officer calls the matter, such as a file number.
    pub reference: String,
    /// The order that it keeps from being carried out, if one has come.
    pub ordered_by: Option<RecordId>,
}

impl Erased {
    /// The note as it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (word, order) = match self.why {
            Why::Ordered(order) => (1, Some(order)),
            Why::OwnLaw => (2, None),
            Why::Unneeded => (3, None),
            Why::Unknown => (0, None),
        };
        let map = Map::new().with(1, word).with(3, self.was_reader);
        let map = match order {
            Some(order) => map.with(2, order.to_string()),
            None => map,
        };
        let readers: Vec<Value> = self.readers.iter().map(|member| Value::from(member.as_str())).collect();
        cbor::encode(&Value::Map(if readers.is_empty() { map } else { map.with(4, readers) }))
    }

    /// Reads what [`Self::encode`] writes.
    ///
    /// # Errors
    /// [`CborError`] if it is not of that form.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "note of an erasure")?;
        let why = match fields.u64(1)? {
            0 => Why::Unknown,
            1 => Why::Ordered(fields.parse(2)?),
            2 => Why::OwnLaw,
            3 => Why::Unneeded,
            _ => return Err(fields.bad(1)),
        };
        let was_reader = fields.bool(3)?;
        let listed = if fields.has(4) { Some(fields.items(4)?) } else { None };
        let readers =
            listed.map_or(Some(BTreeSet::new()), |listed| readers_of(&listed)).ok_or_else(|| fields.bad(4))?;
        fields.end()?;
        Ok(Self { why, was_reader, readers })
    }
}

/// The members of a list that is in order, each once, and no longer than a charter's. One that names nobody is left out of a note, not
/// empty: so each note has one encoding.
fn readers_of(listed: &[Value]) -> Option<BTreeSet<MemberCode>> {
    let members: Vec<MemberCode> = listed.iter().map(|item| item.as_text()?.parse().ok()).collect::<Option<_>>()?;
    let is_good = (1..=READERS_MAX).contains(&members.len()) && members.is_sorted_by(|a, b| a < b);
    is_good.then(|| members.into_iter().collect())
}

impl Hold {
    /// The hold as it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let map = Map::new().with(1, self.is_on).with(2, self.reference.as_str());
        cbor::encode(&Value::Map(match self.ordered_by {
            Some(order) => map.with(3, order.to_string()),
            None => map,
        }))
    }

    /// Reads what [`Self::encode`] writes.
    ///
    /// # Errors
    /// [`CborError`] if it is not of that form.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "hold")?;
        let hold = Self {
            is_on: fields.bool(1)?,
            reference: fields.text(2)?,
            ordered_by: if fields.has(3) { Some(fields.parse(3)?) } else { None },
        };
        if hold.reference.len() > REFERENCE_MAX {
            return Err(fields.bad(2));
        }
        fields.end()?;
        Ok(hold)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_why() -> impl Strategy<Value = Why> {
        (0..4, any::<u64>()).prop_map(|(why, position)| match why {
            0 => Why::Unknown,
            1 => Why::Ordered(RecordId { log: "GE.2".parse().unwrap(), position }),
            2 => Why::OwnLaw,
            _ => Why::Unneeded,
        })
    }

    proptest! {
        #[test]
        fn notes_survive_the_round_trip(why in any_why(), was_reader: bool, readers in prop::collection::btree_set("[A-Z][A-Z0-9]", 0..9), is_on: bool, reference in "[ -~]{0,200}") {
            let readers = readers.iter().map(|member| member.parse().unwrap()).collect();
            let note = Erased { why, was_reader, readers };
            prop_assert_eq!(Erased::decode(&note.encode()), Ok(note));
            let ordered_by = if let Why::Ordered(order) = why { Some(order) } else { None };
            let hold = Hold { is_on, reference, ordered_by };
            prop_assert_eq!(Hold::decode(&hold.encode()), Ok(hold));
        }

        #[test]
        fn reading_any_bytes_never_panics(bytes: Vec<u8>) {
            drop(Erased::decode(&bytes));
            drop(Hold::decode(&bytes));
        }
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let note = Map::new().with(1, 1).with(2, "GE-7").with(3, true);
        assert!(Erased::decode(&cbor::encode(&Value::Map(note.clone()))).is_ok());
        let members = |names: &[&str]| names.iter().map(|name| Value::from(*name)).collect::<Vec<_>>();
        for bad in [
            note.clone().with(1, 4),
            note.clone().with(1, 2),
            note.clone().with(2, "GE-07"),
            note.clone().with(4, members(&["TR", "MZ"])),
            note.clone().with(4, members(&["Türkiye"])),
            note.clone().with(4, members(&[])),
            note.clone().with(5, 1),
        ] {
            assert!(Erased::decode(&cbor::encode(&Value::Map(bad.clone()))).is_err(), "{bad:?}");
        }
        let long = Map::new().with(1, true).with(2, "x".repeat(REFERENCE_MAX + 1));
        assert!(Hold::decode(&cbor::encode(&Value::Map(long))).is_err());
    }
}
