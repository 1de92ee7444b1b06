//! How much is signed at most: so many statements a minute and a day. What is more waits; nothing is lost and nothing refused.
//!
//! Whatever makes a node log without end (a loop at a bridge, an intruder at the socket) is held up at the key, where an operator sees it before every
//! member has it for ever.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::encoding::ids::LogId;
use crate::node::private::{self, PrivateError};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The file's name in the data folder.
fn file(log: LogId) -> String {
    format!("signed-today-{log}.json")
}

/// Statements that are signed at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// In a minute.
    pub per_minute: u32,
    /// In a day of UTC.
    pub per_day: u32,
}

/// What was signed lately.
#[derive(Debug)]
pub(super) struct Pace {
    caps: Caps,
    path: PathBuf,
    day: Day,
    /// When the minute began, and what was signed in it.
    minute: (i64, u64),
}

/// A day, and how long the log was when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Day {
    number: i64,
    size: u64,
}

impl Pace {
    /// Goes on with the day that the file tells of. Without one, or with one that cannot be read, the day begins now: a cap is no proof.
    pub(super) fn open(data_dir: &Path, log: LogId, caps: Caps, now_ms: i64, size: u64) -> Self {
        let path = data_dir.join(file(log));
        let told = private::read(&path).ok().and_then(|text| serde_json::from_str::<Day>(&text).ok());
        let day = told.filter(|day| day.size <= size).unwrap_or(Day { number: i64::MIN, size });
        Self { caps, path, day, minute: (now_ms, 0) }
    }

    /// Whether `new` statements may be signed now, of a log of `size`; if not, at what time to ask again.
    ///
    /// # Errors
    /// [`PrivateError`] if a new day cannot be written down.
    pub(super) fn admit(&mut self, now_ms: i64, size: u64, new: u64) -> Result<Result<(), i64>, PrivateError> {
        if new == 0 {
            return Ok(Ok(()));
        }
        let number = now_ms.div_euclid(DAY_MS);
        // A clock that is set back does not give the day twice.
        if number > self.day.number {
            let day = Day { number, size };
            private::replace(&self.path, serde_json::to_string(&day).unwrap_or_default().as_bytes())?;
            self.day = day;
        }
        let (began, signed) = self.minute;
        if now_ms < began || now_ms - began >= MINUTE_MS {
            self.minute = (now_ms, 0);
        } else if signed > 0 && signed + new > u64::from(self.caps.per_minute) {
            return Ok(Err(began + MINUTE_MS));
        }
        let today = size.saturating_sub(self.day.size);
        if today > 0 && today + new > u64::from(self.caps.per_day) {
            return Ok(Err((self.day.number + 1) * DAY_MS));
        }
        self.minute.1 += new;
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 20_000 * DAY_MS + 5 * MINUTE_MS;

    fn log() -> LogId {
        "GE".parse().unwrap()
    }

    fn pace(dir: &Path, size: u64) -> Pace {
        Pace::open(dir, log(), Caps { per_minute: 100, per_day: 250 }, NOW, size)
    }

    #[test]
    fn so_many_a_minute_and_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let mut pace = pace(dir.path(), 1_000);
        let mut size = 1_000;
        let mut signed = |pace: &mut Pace, now: i64, new: u64| {
            let admitted = pace.admit(now, size, new).unwrap();
            size += if admitted.is_ok() { new } else { 0 };
            admitted
        };
        assert_eq!(signed(&mut pace, NOW, 60), Ok(()));
        assert_eq!(signed(&mut pace, NOW + 1, 40), Ok(()));
        assert_eq!(signed(&mut pace, NOW + 2, 1), Err(NOW + MINUTE_MS));
        // A checkpoint is no statement.
        assert_eq!(signed(&mut pace, NOW + 2, 0), Ok(()));
        assert_eq!(signed(&mut pace, NOW + MINUTE_MS, 100), Ok(()));
        assert_eq!(signed(&mut pace, NOW + 2 * MINUTE_MS, 50), Ok(()));
        let tomorrow = 20_001 * DAY_MS;
        assert_eq!(signed(&mut pace, NOW + 3 * MINUTE_MS, 1), Err(tomorrow));
        assert_eq!(signed(&mut pace, tomorrow - 1, 1), Err(tomorrow));
        assert_eq!(signed(&mut pace, tomorrow, 100), Ok(()));
    }

    #[test]
    fn a_restart_and_a_clock_set_back_give_no_second_day() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(pace(dir.path(), 0).admit(NOW, 0, 90).unwrap(), Ok(()));
        let mut again = pace(dir.path(), 240);
        assert_eq!(again.admit(NOW, 240, 11).unwrap(), Err(20_001 * DAY_MS));
        assert_eq!(again.admit(NOW - 3 * DAY_MS, 240, 11).unwrap(), Err(20_001 * DAY_MS));
        assert_eq!(again.admit(NOW, 240, 10).unwrap(), Ok(()));
    }

    #[test]
    fn a_group_above_a_cap_goes_alone_and_a_spoilt_file_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        private::write_new(&dir.path().join(file(log())), b"{").unwrap();
        let mut pace = pace(dir.path(), 9);
        assert_eq!(pace.admit(NOW, 9, 500).unwrap(), Ok(()));
        assert_eq!(pace.admit(NOW + 1, 509, 1).unwrap(), Err(NOW + MINUTE_MS));
    }
}
