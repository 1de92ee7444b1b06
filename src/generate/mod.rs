//! Realistic consignments, with what went wrong in them known: for tests of detection, for load, and for demonstrations.
//!
//! A [`Generator`] gives one [`Life`] after the other: the records that the countries of one consignment make, in the order of their times,
//! and the [`Truth`] of what was done to it. The same plan gives the same lives. Companies, references and numbers are invented; substances,
//! subheadings, UN numbers, units, package types, ports and modes are those of trade.
//!
//! The error model: of a hundred consignments five are reported by one side only (half of them by the importing country), three have the
//! quantity received in a wrong unit, two go in several shipments; of a thousand five are diverted and one loses goods to thieves; now and then
//! somebody stays below a threshold many times in place of once above it. Every scale is a little off: the received mass has a normal error of 0.3 %.
//!
//! It draws from its seed alone: no clock, no file, no floating point. Start with [`Generator`], then `life.rs`; `tables.rs` has what trade looks like.

mod goods;
mod life;
mod tables;
#[cfg(test)]
mod tests;
mod truth;

use crate::encoding::ids::MemberCode;
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::record::Draft;

pub use truth::{Cause, Truth};

/// The most countries that take part: those of which the generator knows a port.
pub const COUNTRIES_MAX: usize = tables::COUNTRIES.len();

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All chance comes from it.
    pub seed: u64,
    /// How many countries trade, from 3 to [`COUNTRIES_MAX`].
    pub countries: usize,
    /// How many consignments.
    pub consignments: u32,
    /// When the first of them is notified.
    pub from: UnixTime,
    /// Over how many days they are spread.
    pub days: u32,
}

/// One consignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its number, from 0.
    pub number: u32,
    /// What is recorded of it, in the order of its times.
    pub events: Vec<Event>,
    /// What went wrong, if anything did.
    pub truth: Option<Truth>,
}

/// One record of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose node logs it.
    pub author: MemberCode,
    /// When.
    pub at: UnixTime,
    /// Which of the life's events it answers: whoever logs it puts that one's record id into the draft.
    pub answers: Option<usize>,
    /// What it says.
    pub draft: Draft,
}

/// Makes consignments.
#[derive(Debug)]
pub struct Generator {
    plan: Plan,
    random: Randomness,
    countries: Vec<tables::Trader>,
    next: u32,
    structuring: Option<life::Row>,
}

impl Generator {
    /// Begins. The number of countries is brought into its bounds.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut seed = [0x67; 32];
        seed[..8].copy_from_slice(&plan.seed.to_be_bytes());
        let countries = tables::traders(plan.countries.clamp(3, COUNTRIES_MAX));
        Self { plan, random: Randomness::new(seed), countries, next: 0, structuring: None }
    }

    /// The quantities above which buyers are asked questions: grams of the pure substance, by its code. Countries publish theirs, so
    /// that whoever looks for those who stay below them may know them.
    pub fn thresholds() -> impl Iterator<Item = (&'static str, u64)> {
        tables::LOTS.iter().map(|(_, lot)| (lot.substance, lot.threshold * 1_000))
    }

    /// The countries that trade.
    pub fn countries(&self) -> impl Iterator<Item = MemberCode> {
        self.countries.iter().map(|trader| trader.code)
    }
}

impl Iterator for Generator {
    type Item = Life;

    fn next(&mut self) -> Option<Life> {
        if self.next >= self.plan.consignments {
            return None;
        }
        let number = self.next;
        self.next += 1;
        Some(self.live(number))
    }
}
