//! A token bucket: so many at once, so many per second.

use std::time::Duration;

/// What one thing costs, so that whole numbers can count parts of it.
const ONE: u64 = 1_000_000;

/// A token bucket. Time is given, as the duration since some fixed moment.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    per_second: u64,
    burst: u64,
    millionths: u64,
    filled: Duration,
}

impl Bucket {
    pub(super) fn new(per_second: u64, burst: u64, now: Duration) -> Self {
        Bucket { per_second, burst, millionths: burst.saturating_mul(ONE), filled: now }
    }

    /// Takes one token, if there is one.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let elapsed = u64::try_from(now.saturating_sub(self.filled).as_micros()).unwrap_or(u64::MAX);
        self.filled = self.filled.max(now);
        // Tokens per second are millionths of a token per microsecond.
        self.millionths =
            self.millionths.saturating_add(elapsed.saturating_mul(self.per_second)).min(self.burst.saturating_mul(ONE));
        match self.millionths.checked_sub(ONE) {
            Some(left) => {
                self.millionths = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::new(10, 3, Duration::ZERO);
        let mut at = |ms| bucket.take(Duration::from_millis(ms));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert!(!at(99));
        assert!(at(100));
        assert!(!at(100));
        // Time that goes back fills nothing and breaks nothing.
        assert!(!at(50));
        assert_eq!([at(10_000), at(10_000), at(10_000), at(10_000)], [true, true, true, false]);
    }
}
