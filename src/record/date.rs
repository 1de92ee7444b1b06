//! Calendar days, and the span in which something is expected.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::Weekday;
use crate::encoding::time::UnixTime;

/// A day in the Gregorian calendar, as ISO 8601: `2013-09-23`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(jiff::civil::Date);

/// A text that is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a day of the form 2013-09-23")]
pub struct NotADay;

impl Date {
    /// The day of `time` in UTC.
    ///
    /// # Errors
    /// If the time lies outside the years that the calendar knows.
    pub fn of(time: UnixTime) -> Result<Self, NotADay> {
        let timestamp = jiff::Timestamp::from_second(time.seconds()).map_err(|_| NotADay)?;
        Ok(Self(jiff::tz::Offset::UTC.to_datetime(timestamp).date()))
    }

    /// The month: `2013-09`.
    pub fn month(self) -> String {
        format!("{:04}-{:02}", self.0.year(), self.0.month())
    }

    /// The day so many days later, or earlier if negative; `None` beyond the years that the calendar knows.
    pub fn plus(self, days: i32) -> Option<Self> {
        self.0.checked_add(jiff::Span::new().try_days(days).ok()?).ok().map(Self)
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        match self.0.weekday() {
            jiff::civil::Weekday::Monday => Weekday::Monday,
            jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
            jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
            jiff::civil::Weekday::Thursday => Weekday::Thursday,
            jiff::civil::Weekday::Friday => Weekday::Friday,
            jiff::civil::Weekday::Saturday => Weekday::Saturday,
            jiff::civil::Weekday::Sunday => Weekday::Sunday,
        }
    }

    /// The first second of the day, in UTC.
    pub fn start(self) -> Option<UnixTime> {
        let timestamp = jiff::tz::Offset::UTC.to_timestamp(self.0.to_datetime(jiff::civil::Time::midnight())).ok()?;
        UnixTime::from_seconds(timestamp.as_second()).ok()
    }
}

impl FromStr for Date {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        // The calendar library reads more forms than this one.
        let form = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        if !form {
            return Err(NotADay);
        }
        text.parse().map(Self).map_err(|_| NotADay)
    }
}

impl TryFrom<String> for Date {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Date(..)")
    }
}

/// The days between which something is expected, both included. One of them may be open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Not before this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest: Option<Date>,
    /// Not after this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Date>,
}

impl Window {
    /// Whether it says anything, and nothing impossible.
    pub fn is_sound(&self) -> bool {
        match (self.earliest, self.latest) {
            (Some(earliest), Some(latest)) => earliest <= latest,
            (earliest, latest) => earliest.is_some() || latest.is_some(),
        }
    }

    /// A day inside it, the earlier one if both ends are known.
    pub fn first(&self) -> Option<Date> {
        self.earliest.or(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_one_form() {
        assert_eq!("2013-09-23".parse::<Date>().expect("a day").to_string(), "2013-09-23");
        for text in ["2013-9-23", "20130923", "2013-02-30", "2013-09-23T00:00", "", "23/09/2013", "+002013-09-23"] {
            assert_eq!(text.parse::<Date>(), Err(NotADay), "{text}");
        }
    }

    #[test]
    fn a_day_and_its_first_second() {
        let day: Date = "2013-09-23".parse().expect("a day");
        let start = day.start().expect("in range");
        assert_eq!(start.to_string(), "2013-09-23T00:00:00Z");
        assert_eq!(Date::of(start), Ok(day));
        assert_eq!(day.month(), "2013-09");
        assert_eq!(
            (day.weekday(), day.plus(8).map(|day| day.to_string())),
            (Weekday::Monday, Some("2013-10-01".into()))
        );
        assert_eq!(day.plus(i32::MAX), None);
    }
}
