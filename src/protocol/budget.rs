//! Budgets: how much of a node's work one member may have, so that nobody's flood is paid for by the others.
//!
//! Whoever is over its budget is *delayed*, never cut short: a leaf is never skipped and a question never lost. What is counted is
//! shown in `status`.

use crate::encoding::ids::{LogId, MemberCode};
use crate::ledger::{Statement, Store};

use super::input::Now;
use super::{Node, limits};

/// So many units per period, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// Units that are earned in one period.
    pub units: u64,
    /// The period, in milliseconds.
    pub period_ms: i64,
    /// Units that can be saved.
    pub burst: u64,
}

/// What is left of a budget. A new one is full, whatever the clock shows: it has been saving since time began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// In units times milliseconds of the period, so that whole numbers count parts of a unit. Negative if overdrawn.
    balance: i64,
    /// The moment of that balance.
    at: Now,
}

/// What was put off or turned away since the start, and what is being put off now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shed {
    /// Gossip of a log or member that said more than its share; its content is fetched later.
    pub gossip_over_budget: u64,
    /// Questions of peers that were answered late, because the peer had asked for too much work.
    pub questions_delayed: u64,
    /// Questions that were answered with nothing, because too many of that peer waited.
    pub questions_refused: u64,
    /// Bodies that came before their statement and were let go for want of room; they are fetched later.
    pub bodies_dropped: u64,
    /// Members whose logs are fetched more slowly now, because they are over the charter's statements per day.
    pub over_quota: Vec<MemberCode>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { balance: 0, at: Now(i64::MIN) }
    }
}

impl Budget {
    /// Whether anything is left at this moment. A clock that was set back neither fills nor empties it.
    pub(super) fn has_any(&self, rate: Rate, now: Now) -> bool {
        self.balance_at(rate, now) > 0
    }

    /// Time passes.
    pub(super) fn pass(&mut self, rate: Rate, now: Now) {
        (self.balance, self.at) = (self.balance_at(rate, now), now);
    }

    /// Takes units, also those that are not there: they must be earned before the next.
    pub(super) fn spend(&mut self, rate: Rate, units: u64) {
        let cost = i64::try_from(units).unwrap_or(i64::MAX).saturating_mul(rate.period_ms);
        self.balance = self.balance.saturating_sub(cost);
    }

    /// Takes a unit now, if there is one.
    pub(super) fn take(&mut self, rate: Rate, now: Now) -> bool {
        self.pass(rate, now);
        let left = self.balance > 0;
        if left {
            self.spend(rate, 1);
        }
        left
    }

    fn balance_at(&self, rate: Rate, now: Now) -> i64 {
        let cap = i64::try_from(rate.burst).unwrap_or(i64::MAX).saturating_mul(rate.period_ms);
        let earned = now.since(self.at).saturating_mul(i64::try_from(rate.units).unwrap_or(i64::MAX));
        self.balance.saturating_add(earned).min(cap)
    }
}

impl<S: Store> Node<S> {
    /// Whether more of this log may be fetched now. One's own may always: what peers hold of it must be known before it is signed.
    pub(super) fn is_within_quota(&self, log: LogId, now: Now) -> bool {
        log == self.me.log
            || self.peers.by_member.get(&log.member).is_none_or(|peer| peer.quota.has_any(self.quota(log.member), now))
    }

    /// Counts statements that a member has logged against its quota. What it earns is counted by the times that its statements and
    /// checkpoints claim, up to now: so years of honest history are fetched at full speed, and who writes a year's worth in an hour
    /// is delayed. To date statements back gains nothing beyond the last checkpoint that was seen.
    pub(super) fn count_logged(&mut self, log: LogId, statements: &[Vec<u8>], now: Now) {
        let claim = |bytes: Option<&Vec<u8>>| {
            let statement = bytes.and_then(|bytes| Statement::read(bytes).ok());
            statement.map_or(Now(0), |(statement, _)| Now(statement.issued_at.seconds().saturating_mul(1000)))
        };
        self.claim_time(log, claim(statements.first()), now);
        let rate = self.quota(log.member);
        self.peers.entry(log.member).quota.spend(rate, statements.len() as u64);
        // What they took time for, they have earned.
        self.claim_time(log, claim(statements.last()), now);
    }

    /// A member's log has come to this moment, as it says.
    pub(super) fn claim_time(&mut self, log: LogId, claimed: Now, now: Now) {
        let rate = self.quota(log.member);
        let quota = &mut self.peers.entry(log.member).quota;
        let claimed = claimed.min(now);
        if claimed > quota.at {
            quota.pass(rate, claimed);
        }
    }

    /// What was put off or turned away.
    #[must_use]
    pub fn shed(&self, now: Now) -> Shed {
        let over = |(member, peer): (&MemberCode, &super::peers::Peer)| {
            (!peer.quota.has_any(self.quota(*member), now)).then_some(*member)
        };
        Shed { over_quota: self.peers.by_member.iter().filter_map(over).collect(), ..self.shed.clone() }
    }

    fn quota(&self, member: MemberCode) -> Rate {
        let units = self.federation.statements_per_day(member);
        Rate { units, period_ms: limits::DAY_MS, burst: units }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { units: 10, period_ms: 1000, burst: 3 };

    #[test]
    fn a_burst_then_the_rate() {
        let mut budget = Budget::default();
        let mut at = |ms: i64| budget.take(RATE, Now(1_000_000 + ms));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert!(at(100));
        assert!(!at(100));
        // A clock that is set back fills nothing, and is no reason to wait until it is right again.
        assert!(!at(-500_000));
        assert!(at(-499_900));
    }

    #[test]
    fn a_new_one_is_full_even_on_a_machine_that_has_lost_the_time() {
        for now in [i64::MIN + 3_000, -1_000_000, -1, 0, 1, 1_796_000_000_000] {
            let mut budget = Budget::default();
            let mut take = || budget.take(RATE, Now(now));
            assert_eq!([take(), take(), take(), take()], [true, true, true, false], "{now}");
        }
    }

    #[test]
    fn what_is_overdrawn_is_earned_before_the_next() {
        let mut budget = Budget::default();
        budget.pass(RATE, Now(1_000));
        budget.spend(RATE, 23);
        assert!(!budget.has_any(RATE, Now(3_000)));
        assert!(budget.has_any(RATE, Now(3_001)));
    }

    #[test]
    fn no_number_overflows() {
        let rate = Rate { units: u64::MAX, period_ms: i64::MAX, burst: u64::MAX };
        let mut budget = Budget::default();
        budget.pass(rate, Now(i64::MAX));
        budget.spend(rate, u64::MAX);
        budget.spend(rate, u64::MAX);
        assert!(!budget.has_any(Rate { units: 0, ..rate }, Now(i64::MAX)));
    }
}
