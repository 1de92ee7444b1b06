//! The names of members, logs and records, as they stand in signed objects and on an officer's screen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::cbor::Value;
use super::hash::Digest;

/// A text that is not the name that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Not `[A-Z][A-Z0-9]`.
    #[error("a member code is a capital letter followed by a capital letter or digit, such as GE or W1")]
    Member,
    /// Not a member code with an ordinal.
    #[error("a log id is a member code, from the second log on with its number, such as FR or FR.2")]
    Log,
    /// Not a log id with a position.
    #[error("a record id is a log id, a hyphen and a position, such as FR-1042 or FR.2-17")]
    Record,
}

/// The code of a member: ISO 3166-1 alpha-2 for a country, letter and digit for an observer organisation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MemberCode([u8; 2]);

/// One log of a member: `FR` is its first, `FR.2` its second. Ordinals are never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LogId {
    /// Whose log it is.
    pub member: MemberCode,
    /// Which of the member's logs: 1 ..= 999.
    pub ordinal: u16,
}

/// The id of a record: the log and the position that its statement has there, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RecordId {
    /// The log that holds the statement.
    pub log: LogId,
    /// The statement's position in it.
    pub position: u64,
}

/// The SHA-256 of the payload of a charter's version 1; bound into everything that is signed after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FederationId(pub Digest);

impl FederationId {
    /// What is bound where no federation exists yet: by version 1 of a charter and by the manifests made before it.
    pub const NONE: Self = Self(Digest::ZERO);
}

impl MemberCode {
    /// The code's two characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a member code is ASCII by construction")
    }

    /// Whether it can be a country's: two letters.
    #[must_use]
    pub fn is_alphabetic(&self) -> bool {
        self.0[1].is_ascii_uppercase()
    }
}

impl LogId {
    /// The highest ordinal.
    pub const ORDINAL_MAX: u16 = 999;

    /// A member's first log.
    #[must_use]
    pub fn first(member: MemberCode) -> Self {
        Self { member, ordinal: 1 }
    }
}

impl RecordId {
    /// The record at `position` of `log`.
    #[must_use]
    pub fn new(log: LogId, position: u64) -> Self {
        Self { log, position }
    }
}

impl FromStr for MemberCode {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        match text.as_bytes() {
            [first, second]
                if first.is_ascii_uppercase() && (second.is_ascii_uppercase() || second.is_ascii_digit()) =>
            {
                Ok(Self([*first, *second]))
            }
            _ => Err(BadId::Member),
        }
    }
}

impl FromStr for LogId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let (member, ordinal) = match text.split_once('.') {
            None => (text, 1),
            Some((member, ordinal)) => {
                let ordinal = canonical_number(ordinal).ok_or(BadId::Log)?;
                if !(2..=u64::from(Self::ORDINAL_MAX)).contains(&ordinal) {
                    return Err(BadId::Log);
                }
                (member, u16::try_from(ordinal).map_err(|_| BadId::Log)?)
            }
        };
        Ok(Self { member: member.parse().map_err(|_| BadId::Log)?, ordinal })
    }
}

impl FromStr for RecordId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let (log, position) = text.split_once('-').ok_or(BadId::Record)?;
        Ok(Self {
            log: log.parse().map_err(|_| BadId::Record)?,
            position: canonical_number(position).ok_or(BadId::Record)?,
        })
    }
}

/// A decimal number in the one way to write it: digits only, no leading zero.
fn canonical_number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl fmt::Display for MemberCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ordinal {
            1 => write!(formatter, "{}", self.member),
            ordinal => write!(formatter, "{}.{ordinal}", self.member),
        }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.log, self.position)
    }
}

impl fmt::Display for FederationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{self}")
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl From<$name> for Value {
            fn from(id: $name) -> Self {
                Self::Text(id.to_string())
            }
        }
    )*};
}
as_text!(MemberCode, LogId, RecordId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_one_way() {
        for text in ["FR-0", "FR-1042", "FR.2-17", "W1.999-18446744073709551615"] {
            assert_eq!(text.parse::<RecordId>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "FR",
            "FR-",
            "FR-01",
            "FR-+1",
            "FR.1-3",
            "FR.02-3",
            "FR.1000-3",
            "fr-1",
            "F-1",
            "FRA-1",
            "1F-1",
            "FR-1 ",
        ] {
            assert_eq!(text.parse::<RecordId>(), Err(BadId::Record), "{text}");
        }
    }
}
