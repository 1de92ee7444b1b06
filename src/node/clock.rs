//! The clock and the randomness of the operating system: the only places where they are read.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::encoding::time::UnixTime;

/// What the machine's clock says, in milliseconds since 1970 began. A clock before 1970 is taken for 1970.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What the machine's clock says, in whole seconds. A clock before 1970 or beyond 9999 is taken for 1970.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).ok().and_then(|seconds| UnixTime::from_seconds(seconds).ok()).unwrap_or_default()
}
