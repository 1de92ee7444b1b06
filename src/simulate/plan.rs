//! What a seed stands for: members, liars, and a timeline of work and trouble.

use std::collections::BTreeSet;

use crate::encoding::ids::MemberCode;
use crate::encoding::random::Randomness;

use super::liar::Deceit;
use super::medium::Harm;
use super::network::Link;
use super::plant::Plant;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The trouble lasts so many days at least.
pub const DAYS: i64 = 30;

/// The largest federation that is simulated.
pub const MEMBERS_MAX: u32 = 60;

/// Members by their codes: records name countries that exist.
const COUNTRIES: &str = "GE TR LB MZ FR DE AT BE BG HR CY CZ DK EE FI GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE NO IS CH GB US \
                         CA MX BR AR CL PE CO UY PY IN PK BD LK NP TH VN MY ID PH JP KR AU NZ ZA";

/// A clock may be so far ahead without its signatures being put aside by others.
const AHEAD_MS_MAX: i64 = 14 * 60 * SECOND;

/// What happens with one seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Who the members are.
    pub members: Vec<MemberCode>,
    /// Who of them is dishonest, and how.
    pub liars: Vec<(MemberCode, Deceit)>,
    /// How the network is when nothing special happens.
    pub link: Link,
    /// What happens when, in milliseconds from the start, in order.
    pub timeline: Vec<(i64, Action)>,
    /// When the trouble ends.
    pub ends: i64,
    /// Whether every signature is checked, also those that this very thread has made.
    pub checks_all_signatures: bool,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Records are submitted to a member's node.
    Submit {
        /// Whose.
        member: MemberCode,
        /// For whom each of them is.
        destinations: Vec<MemberCode>,
        /// Their numbers; the same number again is the same document line.
        first: usize,
    },
    /// What a member has logged in its first record is granted to another.
    Grant {
        /// Whose it is.
        member: MemberCode,
        /// To whom.
        reader: MemberCode,
    },
    /// A member orders that the record be erased which it has logged last.
    Erase(MemberCode),
    /// A member's process is killed, with the power of its machine or without; it is started again after so long.
    Crash {
        /// Whose.
        member: MemberCode,
        /// Whether the power goes too.
        power: bool,
        /// Until it is started again, in milliseconds.
        down_ms: i64,
        /// What else happens to the disk meanwhile.
        harm: Option<Harm>,
    },
    /// A node is stopped in good order and started again.
    Restart(MemberCode),
    /// Its disk fails the next time it is needed.
    Fail(MemberCode, Harm),
    /// Two groups cannot reach each other, or can again.
    Part {
        /// One of the groups; the other is everybody else.
        group: BTreeSet<MemberCode>,
        /// Whether they are parted.
        parted: bool,
    },
    /// Nothing gets from one member to another, in this direction alone; or does again.
    Mute {
        /// From whom.
        from: MemberCode,
        /// To whom.
        to: MemberCode,
        /// Whether it is so.
        muted: bool,
    },
    /// The network gets worse, or better.
    Link(Link),
    /// A member's clock is set so far from the true time, in milliseconds.
    Clock(MemberCode, i64),
    /// A backup of a member's disk is made.
    Backup(MemberCode),
    /// It is put back, in the place of a disk that was newer. The guard stays.
    Restore(MemberCode),
    /// The whole machine goes back to the backup, its guard as well.
    RestoreMachine(MemberCode),
    /// The whole disk is lost, and an empty one put in its place.
    LoseDisk(MemberCode),
    /// A member's root signs a newer manifest, and its operator restarts its node with it.
    Manifest(MemberCode),
    /// A liar does something of its own.
    Mischief(MemberCode),
}

impl Plan {
    /// What `seed` stands for. A planted fault gets what it needs to show.
    #[must_use]
    pub fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut seed_bytes = [0x50; 32];
        seed_bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut dice = Dice(Randomness::new(seed_bytes));
        let members = dice.members();
        let liars = dice.liars(&members, plant);
        let ends = DAYS * DAY + dice.within(DAY);
        let link = Link {
            loss: dice.one_of(&[0, 0, 1, 5, 20]),
            twice: dice.one_of(&[0, 0, 2, 10]),
            delay_ms: dice.one_of(&[20, 100, 500, 3_000]),
        };
        let mut plan = Self {
            seed,
            members,
            liars,
            link,
            timeline: Vec::new(),
            ends,
            checks_all_signatures: seed.is_multiple_of(100),
        };
        plan.work(&mut dice);
        plan.trouble(&mut dice);
        if let Some(plant @ (Plant::NoGuard | Plant::NoEcho)) = plant {
            plan.restore_in_the_dark(plant == Plant::NoEcho);
        }
        plan.grants(&mut dice);
        plan.erasures(&mut dice);
        // What would happen after the end of the trouble does not.
        plan.timeline.retain(|(at, _)| *at < ends);
        plan.timeline.sort_by_key(|(at, _)| *at);
        plan
    }

    /// Whether a member is dishonest.
    #[must_use]
    pub fn is_liar(&self, member: MemberCode) -> bool {
        self.liars.iter().any(|(liar, _)| *liar == member)
    }

    fn at(&mut self, when: i64, action: Action) {
        self.timeline.push((when, action));
    }

    /// Submissions, some of a line that was submitted before.
    fn work(&mut self, dice: &mut Dice) {
        let count = 4 + dice.below(10);
        let mut next = 0;
        for _ in 0..count {
            let member = dice.one_of(&self.members);
            let others: Vec<MemberCode> = self.members.iter().copied().filter(|other| *other != member).collect();
            let many = if dice.once_in(12) { 1 + dice.below(60) } else { 1 + dice.below(4) };
            let destinations: Vec<MemberCode> = (0..many).map(|_| dice.one_of(&others)).collect();
            let when = dice.within(self.ends);
            let submit = Action::Submit { member, destinations, first: next };
            if dice.once_in(4) {
                self.at(when + 1 + dice.within(10 * SECOND), submit.clone());
            }
            self.at(when, submit);
            next += many as usize;
        }
    }

    /// Drawn after all else, so that everything else is as it is without them.
    fn grants(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(4) {
            let (member, reader) = (dice.one_of(&self.members), dice.one_of(&self.members));
            let when = dice.within(self.ends);
            self.at(when, Action::Grant { member, reader });
        }
    }

    /// Drawn last, for the same reason. Some come in the middle of trouble, and so are some of the receipts.
    fn erasures(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(5) {
            let member = dice.one_of(&self.members);
            let when = dice.within(self.ends);
            self.at(when, Action::Erase(member));
        }
    }

    fn trouble(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(8) {
            self.crash(dice);
        }
        for _ in 0..dice.below(3) {
            self.partition(dice);
        }
        for _ in 0..dice.below(3) {
            let (from, to) = (dice.one_of(&self.members), dice.one_of(&self.members));
            let (when, until) = dice.stretch(self.ends, 10 * DAY);
            self.at(when, Action::Mute { from, to, muted: true });
            self.at(until, Action::Mute { from, to, muted: false });
        }
        if dice.once_in(2) {
            let (when, until) = dice.stretch(self.ends, 3 * DAY);
            let bad = Link { loss: 10 + dice.below(60), twice: dice.below(20), delay_ms: 1 + dice.below(20_000) };
            self.at(when, Action::Link(bad));
            self.at(until, Action::Link(self.link));
        }
        for _ in 0..dice.below(3) {
            let member = dice.one_of(&self.members);
            let (when, until) = dice.stretch(self.ends, 5 * DAY);
            let back = [1 + dice.within(10 * SECOND), dice.within(HOUR), dice.within(1_000 * DAY)];
            let jump = if dice.once_in(2) { dice.within(AHEAD_MS_MAX) } else { -dice.one_of(&back) };
            self.at(when, Action::Clock(member, jump));
            self.at(until, Action::Clock(member, 0));
        }
        for _ in 0..dice.below(3) {
            let member = dice.one_of(&self.members);
            let when = dice.within(self.ends);
            self.at(when, Action::Restart(member));
        }
        if dice.once_in(3) {
            let member = dice.one_of(&self.members);
            let when = dice.within(self.ends);
            self.at(when, Action::Manifest(member));
        }
        self.restores(dice);
        for (liar, _) in self.liars.clone() {
            for _ in 0..3 + dice.below(8) {
                let when = dice.within(self.ends);
                self.at(when, Action::Mischief(liar));
            }
        }
    }

    /// Crashes like company: most come shortly after something was submitted.
    fn crash(&mut self, dice: &mut Dice) {
        let submissions: Vec<(i64, MemberCode)> = self
            .timeline
            .iter()
            .filter_map(
                |(at, action)| if let Action::Submit { member, .. } = action { Some((*at, *member)) } else { None },
            )
            .collect();
        let (when, member) = if dice.once_in(3) || submissions.is_empty() {
            (dice.within(self.ends), dice.one_of(&self.members))
        } else {
            let (at, author) = dice.one_of(&submissions);
            let member = if dice.once_in(3) { dice.one_of(&self.members) } else { author };
            (at + dice.within(4 * SECOND), member)
        };
        let harm = [None, None, None, Some(Harm::LostIndex), Some(Harm::Rot), Some(Harm::Misdirected)];
        let harm = dice.one_of(&harm);
        let down_ms = if dice.once_in(4) { dice.within(7 * DAY) } else { 1 + dice.within(60 * SECOND) };
        let power = dice.once_in(2);
        self.at(when, Action::Crash { member, power, down_ms, harm });
        if dice.once_in(3) {
            // Another crash while it recovers.
            let again = when + down_ms + dice.within(2 * SECOND);
            self.at(
                again,
                Action::Crash { member, power: dice.once_in(2), down_ms: 1 + dice.within(10 * SECOND), harm: None },
            );
        }
        if dice.once_in(4) {
            let (at, member) = (dice.within(self.ends), dice.one_of(&self.members));
            let fault = if dice.once_in(2) { Harm::FailedSync } else { Harm::Full(1 + dice.below(3)) };
            self.at(at, Action::Fail(member, fault));
        }
    }

    /// Minutes or weeks, one member or half of them.
    fn partition(&mut self, dice: &mut Dice) {
        let longest = dice.one_of(&[HOUR, DAY, 25 * DAY]);
        let (when, until) = dice.stretch(self.ends, longest);
        let size = if dice.once_in(2) { 1 } else { 1 + dice.below(u32::try_from(self.members.len()).unwrap_or(2) - 1) };
        let group: BTreeSet<MemberCode> = (0..size).map(|_| dice.one_of(&self.members)).collect();
        self.at(when, Action::Part { group: group.clone(), parted: true });
        self.at(until, Action::Part { group, parted: false });
    }

    /// Disks that go back in time, or are lost. At most one in a run: each takes a member's word away.
    fn restores(&mut self, dice: &mut Dice) {
        if !dice.once_in(4) {
            return;
        }
        let member = dice.one_of(&self.members);
        let when = self.ends / 2 + dice.within(self.ends / 3);
        match dice.below(3) {
            0 => {
                let before = dice.within(when);
                self.at(before, Action::Backup(member));
                self.at(when, Action::Restore(member));
            }
            1 => {
                let before = dice.within(when);
                self.at(before, Action::Backup(member));
                self.at(when, Action::RestoreMachine(member));
            }
            _ => self.at(when, Action::LoseDisk(member)),
        }
    }

    /// For the planted faults of a signer that nothing guards, or nobody warns: a restored machine that meets the others again once it has
    /// signed.
    fn restore_in_the_dark(&mut self, whole_machine: bool) {
        let Some(member) = self.members.iter().copied().find(|member| !self.is_liar(*member)) else { return };
        let others: Vec<MemberCode> = self.members.iter().copied().filter(|other| *other != member).collect();
        let group = BTreeSet::from([member]);
        let submit = |first| Action::Submit { member, destinations: vec![others[0]], first };
        let day = |number: i64| number * DAY + 7;
        self.timeline.retain(|(_, action)| matches!(action, Action::Mischief(_)));
        self.at(day(1), submit(9_001));
        self.at(day(2), Action::Backup(member));
        self.at(day(3), submit(9_002));
        self.at(day(4), Action::Part { group: group.clone(), parted: true });
        let restore = if whole_machine { Action::RestoreMachine(member) } else { Action::Restore(member) };
        self.at(day(5), restore);
        self.at(day(6), submit(9_003));
        self.at(day(7), Action::Part { group, parted: false });
    }
}

/// Choices out of one seed.
struct Dice(Randomness);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.below(bound)
    }

    /// Once in so many times.
    fn once_in(&mut self, times: u32) -> bool {
        self.0.once_in(times)
    }

    fn within(&mut self, milliseconds: i64) -> i64 {
        let parts = u32::MAX;
        i64::try_from(i128::from(milliseconds) * i128::from(self.below(parts)) / i128::from(parts)).unwrap_or(0)
    }

    /// A beginning, and an end at most `longest` later; both before `ends`.
    fn stretch(&mut self, ends: i64, longest: i64) -> (i64, i64) {
        let begin = self.within(ends);
        let end = begin + self.within(longest).max(1);
        (begin, end.min(ends))
    }

    fn one_of<T: Clone>(&mut self, from: &[T]) -> T {
        self.0.one_of(from).clone()
    }

    /// Mostly a handful, now and then dozens.
    fn members(&mut self) -> Vec<MemberCode> {
        let count = match self.below(1_000) {
            0 => 21 + self.below(MEMBERS_MAX - 20),
            1..=10 => 10 + self.below(11),
            11..=100 => 6 + self.below(4),
            _ => 3 + self.below(3),
        };
        COUNTRIES.split(' ').take(count as usize).map(|code| code.parse().expect("a member code")).collect()
    }

    /// A third of all runs have liars: fewer than a third of the members, so that a quorum is honest.
    fn liars(&mut self, members: &[MemberCode], plant: Option<Plant>) -> Vec<(MemberCode, Deceit)> {
        let most = (members.len() - 1) / 3;
        let wanted = if plant == Some(Plant::ProofWithheld) {
            vec![Deceit::Fork]
        } else if most > 0 && self.once_in(2) || members.len() == 3 && self.once_in(4) {
            (0..1 + self.below(u32::try_from(most.min(4)).unwrap_or(1).max(1)))
                .map(|_| self.one_of(&Deceit::ALL))
                .collect()
        } else {
            Vec::new()
        };
        let mut chosen: Vec<(MemberCode, Deceit)> = Vec::new();
        for deceit in wanted {
            let member = self.one_of(members);
            if chosen.iter().all(|(taken, _)| *taken != member) {
                chosen.push((member, deceit));
            }
        }
        chosen
    }
}
