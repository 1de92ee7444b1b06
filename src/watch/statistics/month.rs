//! Months, years and pairs of countries: what figures are kept by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::encoding::ids::MemberCode;
use crate::record::Date;

/// A month: `2026-10`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(u16);

/// A month or a whole year: what figures are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Span {
    /// One month.
    Month(Month),
    /// The twelve months of a year.
    Year(u16),
}

/// A text that is neither a month nor a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a month is written like 2026-10, a year like 2026")]
pub struct NoMonth;

/// From which country to which. One that is not known here is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Where goods leave.
    pub exporting: Option<MemberCode>,
    /// Where they are meant to go.
    pub importing: Option<MemberCode>,
}

/// The pairs that figures are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Partner {
    /// All to or from a country.
    Country(MemberCode),
    /// From the first to the second.
    Pair(MemberCode, MemberCode),
}

/// A text that is neither a country nor a pair of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a partner is written like TR, or like GE-TR for what goes from GE to TR")]
pub struct NoPartner;

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Option<Self> {
        day.month().parse().ok()
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.0 / 12
    }
}

impl FromStr for Month {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        let (year, month) = text.split_once('-').ok_or(NoMonth)?;
        let (year, month) = (number(year, 4)?, number(month, 2)?);
        // A year below 5000 keeps the count of months within 16 bits.
        if year >= 5_000 || !(1..=12).contains(&month) {
            return Err(NoMonth);
        }
        Ok(Self(year * 12 + month - 1))
    }
}

impl FromStr for Span {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        text.parse().map(Self::Month).or_else(|_| number(text, 4).map(Self::Year))
    }
}

impl Span {
    /// Whether a month is in it.
    pub fn holds(self, month: Month) -> bool {
        match self {
            Self::Month(one) => one == month,
            Self::Year(year) => month.year() == year,
        }
    }
}

impl FromStr for Partner {
    type Err = NoPartner;

    fn from_str(text: &str) -> Result<Self, NoPartner> {
        let country = |text: &str| text.parse().map_err(|_| NoPartner);
        match text.split_once('-') {
            Some((from, to)) => Ok(Self::Pair(country(from)?, country(to)?)),
            None => country(text).map(Self::Country),
        }
    }
}

impl Partner {
    /// Whether a pair is meant.
    pub fn holds(self, pair: Pair) -> bool {
        match self {
            Self::Country(country) => [pair.exporting, pair.importing].contains(&Some(country)),
            Self::Pair(from, to) => (pair.exporting, pair.importing) == (Some(from), Some(to)),
        }
    }
}

fn number(text: &str, digits: usize) -> Result<u16, NoMonth> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NoMonth);
    }
    text.parse().map_err(|_| NoMonth)
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.0 % 12 + 1)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month(month) => write!(f, "{month}"),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

impl fmt::Display for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country(country) => f.write_str(country.as_str()),
            Self::Pair(from, to) => write!(f, "{}-{}", from.as_str(), to.as_str()),
        }
    }
}

/// The text form in JSON.
macro_rules! as_text {
    ($($name:ident, $error:ident);*) => {$(
        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )*};
}

as_text!(Span, NoMonth; Partner, NoPartner);
