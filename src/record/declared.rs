//! A value as a document declares it: in its checked form if it passes, else its text, unchanged.

use std::fmt;
use std::str::FromStr;

use super::identifier::Malformed;

/// What somebody declared for an identifier.
///
/// Real documents are dirty: a quarter of the movement reference numbers and most container numbers in official sample
/// declarations fail their check digits. Such a value is evidence and stays as it was written; what reads it can tell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Declared<T> {
    /// It passed the check of its type.
    Valid(T),
    /// It did not; the text is verbatim.
    Doubtful(String),
}

impl<T: FromStr<Err = Malformed> + AsRef<str>> Declared<T> {
    /// Reads `text`, which cannot fail.
    pub fn read(text: impl Into<String>) -> Self {
        let text = text.into();
        text.parse().map_or(Self::Doubtful(text), Self::Valid)
    }

    /// The text, valid or not.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Valid(value) => value.as_ref(),
            Self::Doubtful(text) => text,
        }
    }

    /// The checked value, if it is one.
    pub fn valid(&self) -> Option<&T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Doubtful(_) => None,
        }
    }

    /// What is wrong with it, if anything is.
    pub fn fault(&self) -> Option<Malformed> {
        match self {
            Self::Valid(_) => None,
            Self::Doubtful(text) => text.parse::<T>().err(),
        }
    }
}

impl<T> From<T> for Declared<T> {
    fn from(value: T) -> Self {
        Self::Valid(value)
    }
}

impl<T: FromStr<Err = Malformed> + AsRef<str>> fmt::Display for Declared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T> fmt::Debug for Declared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid(_) => "Valid(..)",
            Self::Doubtful(_) => "Doubtful(..)",
        })
    }
}

impl<T: FromStr<Err = Malformed> + AsRef<str>> serde::Serialize for Declared<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, T: FromStr<Err = Malformed> + AsRef<str>> serde::Deserialize<'de> for Declared<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::identifier::Container;
    use super::*;

    #[test]
    fn a_wrong_check_digit_is_kept_and_known() {
        let declared = Declared::<Container>::read("CONU1234567");
        assert_eq!(declared.as_str(), "CONU1234567");
        assert_eq!(declared.fault(), Some(Malformed::CheckDigit("container number")));
        assert!(Declared::<Container>::read("CSQU3054383").valid().is_some());
    }
}
