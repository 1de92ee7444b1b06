//! Moments in whole seconds. Reading the clock is not done here: the time is always an argument.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cbor::Value;

/// A moment in whole seconds since 1970-01-01T00:00:00Z, within the years 1970 to 9999; shown as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UnixTime(i64);

/// A number or text that is not such a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written like 2026-11-22T09:14:02Z and lies within the years 1970 to 9999")]
pub struct BadTime;

impl UnixTime {
    /// 9999-12-30T22:00:00Z, the last second that the calendar library can show in every time zone.
    pub const MAX: Self = Self(253_402_207_200);
    /// 1970-01-01T00:00:00Z.
    pub const ZERO: Self = Self(0);

    /// The moment so many seconds after 1970 began.
    ///
    /// # Errors
    /// [`BadTime`] below 0 or beyond [`Self::MAX`].
    pub fn from_seconds(seconds: i64) -> Result<Self, BadTime> {
        if (0..=Self::MAX.0).contains(&seconds) { Ok(Self(seconds)) } else { Err(BadTime) }
    }

    /// Seconds since 1970 began.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later (earlier if negative), kept within the range.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(0, Self::MAX.0))
    }

    /// Seconds from `earlier` to this moment; negative if it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = Timestamp::from_second(self.0).expect("within the range of the calendar by construction");
        write!(formatter, "{timestamp}")
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl FromStr for UnixTime {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        let timestamp: Timestamp = text.parse().map_err(|_| BadTime)?;
        if timestamp.subsec_nanosecond() != 0 {
            return Err(BadTime);
        }
        Self::from_seconds(timestamp.as_second())
    }
}

impl TryFrom<String> for UnixTime {
    type Error = BadTime;

    fn try_from(text: String) -> Result<Self, BadTime> {
        text.parse()
    }
}

impl From<UnixTime> for String {
    fn from(time: UnixTime) -> Self {
        time.to_string()
    }
}

impl From<UnixTime> for Value {
    fn from(time: UnixTime) -> Self {
        Self::from(time.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_and_reads_rfc_3339() {
        let time = UnixTime::from_seconds(1_795_338_842).unwrap();
        assert_eq!(time.to_string(), "2026-11-22T09:14:02Z");
        assert_eq!("2026-11-22T11:14:02+02:00".parse(), Ok(time));
        assert_eq!(UnixTime::MAX.to_string().parse(), Ok(UnixTime::MAX));
        for bad in ["", "2026-11-22", "2026-11-22T09:14:02.5Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(bad.parse::<UnixTime>(), Err(BadTime), "{bad}");
        }
        assert!(UnixTime::from_seconds(-1).is_err());
    }
}
