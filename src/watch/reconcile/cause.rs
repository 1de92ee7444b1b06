//! What a difference may come from, in words with the facts. A suggestion and no verdict: it makes no difference smaller.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::compare::Sides;
use super::declaration::Declaration;
use super::words::{percent, shown};
use crate::record::{Cause as Noted, Draft, closed_debug};
use crate::watch::balance::{Amount, Packed};
use crate::watch::tolerance::{Band, Judgement, ppm, pure_loss};

/// What a difference may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A number with the name of another unit, or a thousand times too much or too little.
    Units,
    /// The same mass of a stronger or weaker solution.
    Concentration,
    /// Digits swapped, wrong, or one too many.
    Typo,
    /// What is missing here came with another shipment.
    Split,
    /// The seals were whole: it was never loaded.
    NotLoaded,
    /// No more than two scales differ by.
    Weighing,
    /// Less came than left.
    Loss,
    /// None of these.
    Unexplained,
}

impl Cause {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 8] = [
        Self::Units,
        Self::Concentration,
        Self::Typo,
        Self::Split,
        Self::NotLoaded,
        Self::Weighing,
        Self::Loss,
        Self::Unexplained,
    ];

    /// The name: `not-loaded`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::Concentration => "concentration",
            Self::Typo => "typo",
            Self::Split => "split",
            Self::NotLoaded => "not-loaded",
            Self::Weighing => "weighing",
            Self::Loss => "loss",
            Self::Unexplained => "unexplained",
        }
    }

    /// The word for a discrepancy note, where there is one. What became of a loss is for an officer to say.
    #[must_use]
    pub fn noted(self) -> Option<Noted> {
        match self {
            Self::Units => Some(Noted::Units),
            Self::Concentration => Some(Noted::Concentration),
            Self::Typo => Some(Noted::Typo),
            Self::Split => Some(Noted::Split),
            Self::NotLoaded => Some(Noted::NotLoaded),
            Self::Weighing | Self::Loss | Self::Unexplained => None,
        }
    }
}

/// A cause with the facts that speak for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The cause.
    pub cause: Cause,
    /// The facts.
    pub words: String,
}

closed_debug!(Suggestion);

impl Suggestion {
    pub(super) fn to_json(&self) -> Json {
        json!({ "cause": self.cause.name(), "words": self.words })
    }
}

/// A difference with what is known around it.
pub(super) struct Case<'a> {
    pub(super) all: &'a [Sides<'a>],
    pub(super) at: usize,
    pub(super) substance: &'a str,
    pub(super) left: Amount,
    pub(super) came: Amount,
    pub(super) judged: Judgement,
}

/// The first cause that the facts speak for.
pub(super) fn suggest(case: &Case<'_>) -> Suggestion {
    let tried = [units, concentration, swapped_digits, split, not_loaded, weighing, wrong_digit, loss];
    let found = tried.iter().find_map(|cause| cause(case));
    let (cause, words) = found.unwrap_or_else(|| (Cause::Unexplained, unexplained(case)));
    Suggestion { cause, words }
}

type Found = Option<(Cause, String)>;

impl Case<'_> {
    fn shipped(&self) -> Option<&Declaration> {
        self.all[self.at].left.get(self.substance)
    }

    fn received(&self) -> Option<&Declaration> {
        self.all[self.at].came.get(self.substance)
    }

    fn declared(&self) -> Option<(&Declaration, &Declaration)> {
        self.shipped().zip(self.received())
    }

    fn is_less(&self) -> bool {
        self.came.net < self.left.net
    }
}

/// Whether two numbers are the same but for what scales differ by.
fn alike(one: u128, other: u128) -> bool {
    one > 0 && one.abs_diff(other) * 100 <= one * 3
}

fn units(case: &Case<'_>) -> Found {
    let (shipped, received) = case.declared()?;
    let (left, came) = (case.left.net, case.came.net);
    if case.judged.net < Band::Red || left == 0 || came == 0 {
        return None;
    }
    let said = format!("{} left and {} came", shipped.words(), received.words());
    if let (Some((number, unit)), Some((other, its))) = (&shipped.number, &received.number)
        && unit != its
        && alike(*number, *other)
    {
        return Some((Cause::Units, format!("{said}: the numbers are alike and the units are not")));
    }
    let (less, more) = (left.min(came), left.max(came));
    let times = [1_000, 1_000_000].into_iter().find(|times| alike(less * times, more))?;
    Some((Cause::Units, format!("{said}: {} and {}, {times} times apart", shown(left), shown(came))))
}

fn concentration(case: &Case<'_>) -> Found {
    let (strong, weak) = (ppm(case.left)?, ppm(case.came)?);
    let band = case.judged.concentration?;
    let same_pure = alike(case.left.pure, case.came.pure);
    if band == Band::Green || (case.judged.net == Band::Red && !same_pure) {
        return None;
    }
    let whole = 1_000_000;
    let said = format!("{} at departure and {} at import", percent(strong, whole), percent(weak, whole));
    let words = if case.judged.net == Band::Red {
        format!("{said}, of another mass: as much of the pure substance, {}", shown(case.left.pure))
    } else {
        let (less, more) = (case.came.pure.min(case.left.pure), case.came.pure.max(case.left.pure));
        let direction = if case.came.pure < case.left.pure { "less" } else { "more" };
        format!("{said}, of about the same mass: {} {direction} of the pure substance", shown(more - less))
    };
    Some((Cause::Concentration, words))
}

/// The digits of both numbers, if they are in one unit and one has at least three.
fn digits(case: &Case<'_>) -> Option<(String, String)> {
    let (shipped, received) = case.declared()?;
    let ((one, unit), (other, its)) = (shipped.number.as_ref()?, received.number.as_ref()?);
    let (mut one, mut other) = (*one, *other);
    while one % 10 == 0 && other % 10 == 0 && one.max(other) > 0 {
        (one, other) = (one / 10, other / 10);
    }
    let texts = (one.to_string(), other.to_string());
    (unit == its && texts.0.len().max(texts.1.len()) >= 3).then_some(texts)
}

fn swapped_digits(case: &Case<'_>) -> Found {
    let (one, other) = digits(case)?;
    let apart: Vec<usize> = differing(&one, &other)?;
    let [first, second] = apart[..] else { return None };
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let swapped = second == first + 1 && one[first] == other[second] && one[second] == other[first];
    swapped.then(|| (Cause::Typo, format!("{}: two digits are swapped", numbers(case))))
}

fn wrong_digit(case: &Case<'_>) -> Found {
    let (one, other) = digits(case)?;
    if differing(&one, &other).is_some_and(|apart| apart.len() == 1) {
        return Some((Cause::Typo, format!("{}: one digit differs", numbers(case))));
    }
    let (short, long) = if one.len() < other.len() { (&one, &other) } else { (&other, &one) };
    let dropped = |at: usize| long.bytes().enumerate().filter(move |(other, _)| *other != at).map(|(_, digit)| digit);
    let fits = long.len() == short.len() + 1 && (0..long.len()).any(|at| dropped(at).eq(short.bytes()));
    fits.then(|| (Cause::Typo, format!("{}: one has a digit that the other lacks", numbers(case))))
}

/// The places at which two texts of one length differ.
fn differing(one: &str, other: &str) -> Option<Vec<usize>> {
    let same_length = one.len() == other.len();
    same_length.then(|| {
        (0..).zip(one.bytes().zip(other.bytes())).filter(|(_, (one, other))| one != other).map(|(at, _)| at).collect()
    })
}

fn numbers(case: &Case<'_>) -> String {
    let words = |side: Option<&Declaration>| side.map_or_else(|| "nothing".to_owned(), Declaration::words);
    format!("{} left and {} came", words(case.shipped()), words(case.received()))
}

fn split(case: &Case<'_>) -> Found {
    let net = |side: Option<&Declaration>| side.map_or(0, |side| side.amount.net);
    let left = |sides: &Sides<'_>| net(sides.left.get(case.substance));
    let came = |sides: &Sides<'_>| net(sides.came.get(case.substance));
    if case.judged.net < Band::Red {
        return None;
    }
    let sides = &case.all[case.at];
    let told: Vec<&Sides<'_>> = case.all.iter().filter(|sides| sides.is_told()).collect();
    let (all_left, all_came): (u128, u128) =
        (told.iter().map(|sides| left(sides)).sum(), told.iter().map(|sides| came(sides)).sum());
    if told.len() > 1 && close(all_left, all_came) {
        let words =
            format!("of {} shipments together {} left and {} came", told.len(), shown(all_left), shown(all_came));
        return Some((Cause::Split, words));
    }
    let waiting: u128 = case.all.iter().filter(|other| other.came.is_empty()).map(left).sum();
    if waiting > 0 && close(case.left.net + waiting, case.came.net) {
        let words =
            format!("{} came, as much as left with the shipments of which no import is known", shown(case.came.net));
        return Some((Cause::Split, words));
    }
    let part = sides.imports.iter().find_map(|import| import.shipment).filter(|part| part.of > 1)?;
    let whole = sides.departure.is_some_and(|departure| departure.shipment.is_none());
    let words = format!("the import is number {} of {}, and one shipment left", part.number, part.of);
    (whole && case.is_less()).then_some((Cause::Split, words))
}

/// Within what scales differ by.
fn close(one: u128, other: u128) -> bool {
    one > 0 && one.abs_diff(other) * 100 <= one
}

fn not_loaded(case: &Case<'_>) -> Found {
    let sides = &case.all[case.at];
    if !case.is_less() || case.judged.net < Band::Red && case.judged.packages != Some(Band::Red) {
        return None;
    }
    if sides.coming.iter().any(|record| record.seals_intact == Some(false)) {
        return None;
    }
    let before: BTreeSet<&str> = sides.departure.iter().copied().flat_map(seals).collect();
    let after: BTreeSet<&str> = sides.coming.iter().copied().flat_map(seals).collect();
    let whole = sides.coming.iter().any(|record| record.seals_intact == Some(true));
    let same = !before.is_empty() && before == after;
    if !same && !whole {
        return None;
    }
    let seals = if same {
        format!("the seals of the departure came: {}", join(&before))
    } else {
        "the seals were whole".to_owned()
    };
    Some((Cause::NotLoaded, format!("{}, and {seals}: what is missing was not loaded", less(case))))
}

fn seals(record: &Draft) -> impl Iterator<Item = &str> {
    let of_containers = record.containers.iter().flat_map(|container| &container.seals);
    record.seals.iter().chain(of_containers).map(|seal| seal.trim())
}

fn join(seals: &BTreeSet<&str>) -> String {
    seals.iter().copied().collect::<Vec<_>>().join(" ")
}

fn weighing(case: &Case<'_>) -> Found {
    if case.judged.net == Band::Red || case.judged.packages.is_some_and(|packages| packages > Band::Green) {
        return None;
    }
    let difference = case.left.net.abs_diff(case.came.net);
    let share = percent(difference, case.left.net);
    let floor = if case.judged.floor == Band::Red {
        format!("; it is {} of the pure substance", shown(pure_loss(case.left, case.came)))
    } else {
        String::new()
    };
    let direction = if case.is_less() { "less" } else { "more" };
    Some((Cause::Weighing, format!("{} {direction}, {share}: two scales may differ by that{floor}", shown(difference))))
}

fn loss(case: &Case<'_>) -> Found {
    let packages = case.judged.packages == Some(Band::Red);
    (case.is_less() || packages).then(|| (Cause::Loss, less(case)))
}

/// How much less came.
fn less(case: &Case<'_>) -> String {
    let lost = case.left.net.saturating_sub(case.came.net);
    let mut words =
        format!("{} of {} less came than left, {}", shown(lost), shown(case.left.net), percent(lost, case.left.net));
    if let (Packed::Counted(_, left), Packed::Counted(_, came), Some(Band::Red)) =
        (case.left.packed, case.came.packed, case.judged.packages)
    {
        words.push_str(&format!("; {} of {left} packages fewer", left.saturating_sub(came)));
    }
    words
}

fn unexplained(case: &Case<'_>) -> String {
    let more = case.came.net.saturating_sub(case.left.net);
    if more > 0 {
        format!("{} more came than the {} that left", shown(more), shown(case.left.net))
    } else {
        format!("{}; {} packages left and {} came", numbers(case), count(case.left.packed), count(case.came.packed))
    }
}

fn count(packed: Packed) -> String {
    if let Packed::Counted(_, count) = packed { count.to_string() } else { "no".to_owned() }
}
