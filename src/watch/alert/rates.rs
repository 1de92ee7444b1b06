//! How often a rule was worth its alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::event::Outcome;
use super::rule::Rule;

/// How the closed cases of one rule ended. Shown as `3 of 12 irregular`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Cases by outcome, in the order of [`Outcome::ALL`].
    counts: [u64; 4],
}

impl Rate {
    /// How many cases ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.counts.get(outcome as usize).copied().unwrap_or(0)
    }

    /// How many cases ended.
    #[must_use]
    pub fn closed(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of irregular ones in percent, rounded down; none before the first closure.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        (self.count(Outcome::Irregular) * 100).checked_div(self.closed())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.percent() {
            None => f.write_str("no case closed yet"),
            Some(percent) => {
                write!(f, "{} of {} irregular ({percent} %)", self.count(Outcome::Irregular), self.closed())
            }
        }
    }
}

/// The rate of every rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates(BTreeMap<Rule, Rate>);

impl Rates {
    /// The rate of one rule.
    #[must_use]
    pub fn of(&self, rule: Rule) -> Rate {
        self.0.get(&rule).copied().unwrap_or_default()
    }

    /// Counts a closure for each of the rules, or takes it back.
    pub(super) fn count(&mut self, rules: &BTreeSet<Rule>, outcome: Outcome, closed: bool) {
        for rule in rules {
            let rate = self.0.entry(*rule).or_default();
            if let Some(count) = rate.counts.get_mut(outcome as usize) {
                *count = if closed { *count + 1 } else { count.saturating_sub(1) };
            }
            if rate.closed() == 0 {
                self.0.remove(rule);
            }
        }
    }
}
