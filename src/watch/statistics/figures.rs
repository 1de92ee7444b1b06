//! The figures of one cell, and how one consignment's are put into them and taken out again. Whole numbers only, so that nothing is left behind.

use std::collections::BTreeMap;

use crate::encoding::ids::MemberCode;
use crate::record::Date;

/// A mass that is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gram {
    /// Announced, in the present version. In the month of the notification.
    Notified,
    /// Left. In the month of the departure, as the four that follow, which say what became of it.
    Departed,
    /// Of what left in this month: on its way, or believed to be.
    InTransit,
    /// Of what left in this month: received by the importing country, in whatever month, and not seized.
    Delivered,
    /// Of what left in this month: lost, as both sides say or the importing country settled.
    Explained,
    /// Of what left in this month: gone, and nobody says where.
    Unexplained,
    /// Received by the importing country, and not seized. In the month of the import.
    Arrived,
    /// Received, and its use verified. In the month of the verification.
    Verified,
    /// Seized. In the month of the seizure.
    Seized,
}

impl Gram {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Notified,
        Self::Departed,
        Self::InTransit,
        Self::Delivered,
        Self::Explained,
        Self::Unexplained,
        Self::Arrived,
        Self::Verified,
        Self::Seized,
    ];

    /// The name: `in_transit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notified => "notified",
            Self::Departed => "departed",
            Self::InTransit => "in_transit",
            Self::Delivered => "delivered",
            Self::Explained => "explained",
            Self::Unexplained => "unexplained",
            Self::Arrived => "arrived",
            Self::Verified => "verified",
            Self::Seized => "seized",
        }
    }
}

/// Grams of several consignments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// As far as they can be read.
    pub grams: u128,
    /// How many there are that this node cannot read.
    pub unread: u64,
}

impl Sum {
    /// The sum, which is a lower bound if there is something that cannot be read; none if there is only such.
    pub fn known(&self) -> Option<u128> {
        (self.unread == 0 || self.grams > 0).then_some(self.grams)
    }
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// So many.
    pub yes: u64,
    /// Of so many.
    pub of: u64,
    /// And so many of which this node cannot tell.
    pub unknown: u64,
}

impl Tally {
    /// The share in thousandths, rounded half up; none of nothing.
    pub fn permille(&self) -> Option<u32> {
        if self.of == 0 {
            return None;
        }
        let share = (u128::from(self.yes) * 2_000 + u128::from(self.of)) / (u128::from(self.of) * 2);
        u32::try_from(share).ok()
    }

    /// Whether there is something, and nothing of it can be told.
    pub fn is_unknown(&self) -> bool {
        self.of == 0 && self.unknown > 0
    }
}

/// Times in whole hours, each kept with how often it was, so that the median is exact and any of them can be taken out again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(BTreeMap<u32, u64>);

impl Hours {
    /// The one in the middle; of an even number the lower of the two. None of nothing.
    pub fn median(&self) -> Option<u32> {
        let middle = self.count().checked_sub(1)? / 2;
        let mut passed = 0;
        self.0
            .iter()
            .find(|(_, count)| {
                passed += **count;
                passed > middle
            })
            .map(|(hours, _)| *hours)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    pub(super) fn put_one(&mut self, hours: u32) {
        *self.0.entry(hours).or_default() += 1;
    }
}

/// What a country reported, and how much of it late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// Records that say when what they tell took place.
    pub made: u64,
    /// Of these, made more than 48 hours later.
    pub late: u64,
}

/// The figures of some consignments. Those that are counted are counted in the month of the notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Notified.
    pub consignments: u64,
    /// Goods that arrived and that nobody had announced.
    pub unannounced: u64,
    /// Notified and called off.
    pub cancelled: u64,
    /// Notified or unannounced, with a mass that this node cannot read: sums of masses are lower bounds by as many.
    pub unread: u64,
    /// Acknowledged by the importing country, of those notified.
    pub acknowledged: Tally,
    /// Hours from the present version to the importing country's first reply to it.
    pub reply_hours: Hours,
    /// Replies by the last day for one.
    pub(super) in_time: u64,
    /// Replies after that day.
    pub(super) late: u64,
    /// Unanswered, by the last day for an answer.
    pub(super) waiting: BTreeMap<Date, u64>,
    /// Those of which this node does not see the replies.
    pub(super) replies_unknown: u64,
    /// Closed with the consent of both sides, of those not cancelled.
    pub(super) closed: Tally,
    /// Proposed to be closed: closed once this day has passed.
    pub(super) closing: BTreeMap<Date, u64>,
    pub(super) grams: [Sum; Gram::ALL.len()],
    /// What each country reported, in the month of the report.
    pub reports: BTreeMap<MemberCode, Reports>,
}

impl Figures {
    /// The sum of a mass.
    pub fn grams(&self, gram: Gram) -> Sum {
        self.grams[gram as usize]
    }

    /// Answered by the last day for it, of those of which that can be said `today`: they were answered, or the day has passed. An answer that
    /// never comes counts as one that does not come in time.
    pub fn answered(&self, today: Date) -> Tally {
        let missed: u64 = self.waiting.range(..today).map(|(_, count)| count).sum();
        Tally { yes: self.in_time, of: self.in_time + self.late + missed, unknown: self.replies_unknown }
    }

    /// Closed, of those not cancelled. A closure that was proposed holds `today` if its days have passed.
    pub fn closed(&self, today: Date) -> Tally {
        let held: u64 = self.closing.range(..today).map(|(_, count)| count).sum();
        Tally { yes: self.closed.yes + held, ..self.closed }
    }

    /// What all countries together reported.
    pub fn all_reports(&self) -> Reports {
        self.reports
            .values()
            .fold(Reports::default(), |sum, one| Reports { made: sum.made + one.made, late: sum.late + one.late })
    }

    /// Puts others into these.
    pub fn put(&mut self, other: &Self) {
        self.each(other, |ours, theirs| *ours += theirs);
        self.grams.iter_mut().zip(&other.grams).for_each(|(ours, theirs)| ours.grams += theirs.grams);
        put_each(&mut self.reply_hours.0, &other.reply_hours.0);
        put_each(&mut self.waiting, &other.waiting);
        put_each(&mut self.closing, &other.closing);
        for (member, theirs) in &other.reports {
            let ours = self.reports.entry(*member).or_default();
            (ours.made, ours.late) = (ours.made + theirs.made, ours.late + theirs.late);
        }
    }

    /// Takes out what was put in.
    pub(super) fn take(&mut self, other: &Self) {
        self.each(other, |ours, theirs| *ours = less(*ours, theirs));
        self.grams.iter_mut().zip(&other.grams).for_each(|(ours, theirs)| {
            debug_assert!(ours.grams >= theirs.grams, "only what was put in is taken out");
            ours.grams = ours.grams.saturating_sub(theirs.grams);
        });
        take_each(&mut self.reply_hours.0, &other.reply_hours.0);
        take_each(&mut self.waiting, &other.waiting);
        take_each(&mut self.closing, &other.closing);
        for (member, theirs) in &other.reports {
            let ours = self.reports.entry(*member).or_default();
            (ours.made, ours.late) = (less(ours.made, theirs.made), less(ours.late, theirs.late));
        }
        self.reports.retain(|_, reports| *reports != Reports::default());
    }

    /// Every plain count with its like.
    fn each(&mut self, other: &Self, mut with: impl FnMut(&mut u64, u64)) {
        with(&mut self.consignments, other.consignments);
        with(&mut self.unannounced, other.unannounced);
        with(&mut self.cancelled, other.cancelled);
        with(&mut self.unread, other.unread);
        with(&mut self.in_time, other.in_time);
        with(&mut self.late, other.late);
        with(&mut self.replies_unknown, other.replies_unknown);
        for (ours, theirs) in [(&mut self.acknowledged, other.acknowledged), (&mut self.closed, other.closed)] {
            with(&mut ours.yes, theirs.yes);
            with(&mut ours.of, theirs.of);
            with(&mut ours.unknown, theirs.unknown);
        }
        for (ours, theirs) in self.grams.iter_mut().zip(other.grams) {
            with(&mut ours.unread, theirs.unread);
        }
    }
}

fn less(ours: u64, theirs: u64) -> u64 {
    debug_assert!(ours >= theirs, "only what was put in is taken out");
    ours.saturating_sub(theirs)
}

fn put_each<K: Ord + Copy>(ours: &mut BTreeMap<K, u64>, theirs: &BTreeMap<K, u64>) {
    theirs.iter().for_each(|(key, count)| *ours.entry(*key).or_default() += count);
}

fn take_each<K: Ord + Copy>(ours: &mut BTreeMap<K, u64>, theirs: &BTreeMap<K, u64>) {
    for (key, count) in theirs {
        let left = ours.entry(*key).or_default();
        *left = less(*left, *count);
    }
    ours.retain(|_, count| *count > 0);
}
