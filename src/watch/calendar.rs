//! The arithmetic of a policy: days for an answer, working days, grace until goods are overdue. No clock, and days in UTC.

use std::collections::BTreeSet;

use crate::record::{Counting, Date, MAX_TERM_DAYS, Terms, Weekday};

/// How many free days in a row a calendar may have before it is not believed: what is beyond counts as worked.
const FREE_MAX: u32 = 366;
/// Days by which a question puts the answer off, if the policy does not say.
const EXTENSION_DAYS: u16 = 10;
/// Days that a voyage takes, if nobody says.
const VOYAGE_DAYS: u16 = 45;
/// Days after which a proposed closure holds, if the policy does not say.
const CLOSURE_DAYS: u16 = 30;

/// Which days a country works.
#[derive(Clone, Debug, Default)]
pub struct WorkingDays {
    weekend: BTreeSet<Weekday>,
    holidays: BTreeSet<Date>,
}

impl WorkingDays {
    /// The calendar of a policy. Without one every day is worked; so it is with one that leaves no day of the week.
    pub fn of(terms: &Terms) -> Self {
        let Some(calendar) = &terms.calendar else { return Self::default() };
        let mut weekend: BTreeSet<Weekday> = calendar.weekend.iter().filter_map(|day| day.valid().copied()).collect();
        if weekend.len() == Weekday::ALL.len() {
            weekend.clear();
        }
        Self { weekend, holidays: calendar.holidays.iter().copied().collect() }
    }

    /// Whether the country works on this day.
    pub fn is_worked(&self, day: Date) -> bool {
        !self.weekend.contains(&day.weekday()) && !self.holidays.contains(&day)
    }

    /// The `count`th working day after `day`; the day itself is not counted. `None` beyond the calendar's years.
    pub fn after(&self, day: Date, count: u16) -> Option<Date> {
        let mut day = day;
        for _ in 0..count {
            let mut free = 0;
            day = day.plus(1)?;
            while !self.is_worked(day) && free < FREE_MAX {
                free += 1;
                day = day.plus(1)?;
            }
        }
        Some(day)
    }
}

/// The last day for an answer to what was notified on `day`, if the policy gives one. On the next day silence is an answer.
pub fn reply_by(terms: &Terms, day: Date) -> Option<Date> {
    let days = bounded(terms.reply_days?);
    match terms.reply_counting.as_ref().and_then(|counting| counting.valid()) {
        Some(Counting::Calendar) => day.plus(days.into()),
        // Officers work on working days, unless their country says otherwise.
        Some(Counting::Working) | None => WorkingDays::of(terms).after(day, days),
    }
}

/// To which day a question puts the answer off: never earlier, and no further than the policy allows.
pub fn extended(terms: Option<&Terms>, reply_by: Date, asked: Date) -> Date {
    let days = bounded(terms.and_then(|terms| terms.extension_days).unwrap_or(EXTENSION_DAYS));
    let latest = reply_by.plus(days.into()).unwrap_or(reply_by);
    asked.clamp(reply_by, latest)
}

/// Days after the expected arrival until goods are overdue, by the mode of transport.
pub fn grace_days(terms: Option<&Terms>, mode: Option<u8>) -> u16 {
    let stated = terms.iter().flat_map(|terms| &terms.grace).find(|grace| Some(grace.mode) == mode);
    stated.map_or_else(
        || match mode {
            Some(2) => 7,
            Some(3) => 3,
            Some(4) => 2,
            // The sea, several modes, and whatever is not said.
            Some(_) | None => 14,
        },
        |grace| bounded(grace.days),
    )
}

/// The day on which goods are expected at the latest: as was said, or after a usual voyage.
pub fn expected(terms: Option<&Terms>, stated: Option<Date>, departed: Option<Date>) -> Option<Date> {
    let voyage = bounded(terms.and_then(|terms| terms.voyage_days).unwrap_or(VOYAGE_DAYS));
    stated.or_else(|| departed?.plus(voyage.into()))
}

/// Days after which a closure that one side proposed holds, if nobody disputes it.
pub fn closure_days(terms: Option<&Terms>) -> u16 {
    bounded(terms.and_then(|terms| terms.closure_days).unwrap_or(CLOSURE_DAYS))
}

/// A policy of somebody else may say anything.
fn bounded(days: u16) -> u16 {
    days.min(MAX_TERM_DAYS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn terms(json: serde_json::Value) -> Terms {
        serde_json::from_value(json).expect("terms")
    }

    #[test]
    fn working_days_pass_over_weekends_and_holidays() {
        let european = terms(
            json!({"reply_days": 5, "calendar": {"weekend": ["saturday", "sunday"], "holidays": ["2026-12-25"]}}),
        );
        // From Wednesday the 23rd: the 24th, 28th, 29th, 30th, 31st.
        assert_eq!(reply_by(&european, day("2026-12-23")), Some(day("2026-12-31")));
        let gulf = terms(json!({"reply_days": 1, "calendar": {"weekend": ["friday", "saturday"]}}));
        assert_eq!(reply_by(&gulf, day("2026-12-24")), Some(day("2026-12-27")));
        let rotterdam =
            terms(json!({"reply_days": 30, "reply_counting": "calendar", "calendar": {"weekend": ["sunday"]}}));
        assert_eq!(reply_by(&rotterdam, day("2026-12-01")), Some(day("2026-12-31")));
        assert_eq!(reply_by(&terms(json!({})), day("2026-12-01")), None, "no term, no deadline");
    }

    #[test]
    fn grace_is_by_mode() {
        let days = |terms, modes: [u8; 5]| modes.map(|mode| grace_days(terms, Some(mode)));
        assert_eq!(days(None, [1, 2, 3, 4, 6]), [14, 7, 3, 2, 14]);
        let short = terms(json!({"grace": [{"mode": 1, "days": 5}]}));
        assert_eq!(days(Some(&short), [1, 2, 3, 4, 6]), [5, 7, 3, 2, 14]);
        assert_eq!(grace_days(None, None), 14);
    }

    #[test]
    fn a_question_puts_the_answer_off_within_bounds() {
        let asked = |until: &str| extended(None, day("2026-12-10"), day(until)).to_string();
        assert_eq!(
            [asked("2026-12-15"), asked("2027-12-15"), asked("2026-12-01")],
            ["2026-12-15", "2026-12-20", "2026-12-10"]
        );
    }

    fn calendars() -> impl Strategy<Value = Terms> {
        let weekend = prop::collection::vec(prop::sample::select(Weekday::ALL), 0..8);
        let holidays = prop::collection::vec(0_i32..400, 0..30);
        (weekend, holidays, 1_u16..400).prop_map(|(weekend, holidays, days)| {
            let first = day("2026-01-01");
            terms(json!({
                "reply_days": days,
                "calendar": {
                    "weekend": weekend.iter().map(Weekday::as_str).collect::<Vec<_>>(),
                    "holidays": holidays.iter().filter_map(|days| first.plus(*days)).map(String::from).collect::<Vec<_>>(),
                },
            }))
        })
    }

    proptest! {
        #[test]
        fn a_deadline_is_a_working_day_with_so_many_before_it(terms in calendars(), start in 0_i32..400) {
            let start = day("2026-01-01").plus(start).expect("in range");
            let end = reply_by(&terms, start).expect("in range");
            let calendar = WorkingDays::of(&terms);
            prop_assert!(calendar.is_worked(end));
            let worked = (1..).map_while(|days| start.plus(days).filter(|day| *day <= end)).filter(|day| calendar.is_worked(*day));
            prop_assert_eq!(worked.count(), usize::from(terms.reply_days.expect("stated").min(MAX_TERM_DAYS)));
        }

        #[test]
        fn later_notifications_are_due_no_earlier(terms in calendars(), start in 0_i32..400) {
            let start = day("2026-01-01").plus(start).expect("in range");
            prop_assert!(reply_by(&terms, start) <= reply_by(&terms, start.plus(1).expect("in range")));
        }

        #[test]
        fn any_extension_is_within_the_policy(days in 0_u16..400, asked in -400_i32..800) {
            let terms = Terms { extension_days: Some(days), ..Terms::default() };
            let by = day("2026-06-01");
            let put_off = extended(Some(&terms), by, by.plus(asked).expect("in range"));
            prop_assert!(by <= put_off && put_off <= by.plus(days.into()).expect("in range"));
        }
    }
}
