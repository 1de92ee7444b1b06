//! What observers get: figures of groups that are large enough, and no way to work out those that are not.
//!
//! ```text
//! month ─┬─ substance ─┬─ pair of countries
//!        │             └─ all other pairs of this substance together
//!        └─ all other substances together
//! ```
//!
//! A group that is too small is shown with others of its kind, never alone; if these are too few together, the smallest that could be shown
//! alone joins them. So every row that is shown is large enough, rows of one level have nothing in common, and each row above is the sum of
//! those below. Whatever is added or subtracted is a sum of such rows: nothing smaller can be worked out. A mass of which too few
//! consignments have any is suppressed by the same rule, with the smallest of the others where the sum above would tell it.
//!
//! Each month stands alone and no row is over months, so that a table of one month and one of a year say the same.
//! All figures are of the consignments that were notified in the month, and of lines: a consignment of two substances is two.

use std::collections::{BTreeMap, BTreeSet};

use super::Statistics;
use super::contribution::{Closing, Contribution, Reply};
use super::figures::{Gram, Hours};
use super::month::{Month, Pair, Span};
use crate::record::Date;

/// What is large enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Consignments in a group at least.
    pub consignments: usize,
    /// Different traders at each end at least: exporters, and consignees.
    pub parties: usize,
}

impl Default for Rule {
    fn default() -> Self {
        Self { consignments: 3, parties: 3 }
    }
}

/// What a row is of, of all those on its level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Among<T> {
    /// All of them.
    All,
    /// This one.
    One(T),
    /// Those that are not shown alone, together.
    Others,
}

/// One row for observers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateRow {
    /// The month of the notifications.
    pub month: Month,
    /// The substance.
    pub substance: Among<String>,
    /// The pair of countries.
    pub pair: Among<Pair>,
    /// Lines: consignments, each as often as it has substances.
    pub lines: u64,
    /// Of these, lines with a mass that cannot be read: sums are lower bounds by as many.
    pub unread: u64,
    /// In the order of [`Aggregate::MASSES`].
    pub masses: [Published; Aggregate::MASSES.len()],
    /// Lines that the importing country acknowledged.
    pub acknowledged: Option<u64>,
    /// Lines that it replied to.
    pub replied: Option<u64>,
    /// Of these, by the last day for it.
    pub in_time: Option<u64>,
    /// The median of hours until its reply.
    pub reply_hours: Option<u32>,
    /// Lines that are closed.
    pub closed: Option<u64>,
}

/// A mass in a row for observers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// So many grams.
    Grams(u128),
    /// There is some, and this node cannot read it.
    Unknown,
    /// Too few have any, or another row would tell.
    Suppressed,
}

/// The table for observers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aggregate {
    /// Its rows: by month, and below each row what it is the sum of.
    pub rows: Vec<AggregateRow>,
    /// Months of which nothing can be shown.
    pub months_withheld: BTreeSet<Month>,
}

/// A consignment with one of its substances.
#[derive(Clone)]
pub(super) struct Line<'a> {
    /// Which consignment.
    pub(super) number: usize,
    contribution: &'a Contribution,
    #[cfg(test)]
    pub(super) substance: String,
    /// Exporter and consignee.
    pub(super) traders: [u64; 2],
    /// Masses that cannot be read.
    unread: [bool; Aggregate::MASSES.len()],
    /// What is added up: the masses of [`Aggregate::MASSES`], then the counts.
    pub(super) values: [u128; FIGURES],
}

/// A row of the tree with the lines that it is made of.
pub(super) struct Node<'a> {
    pub(super) substance: Among<String>,
    pub(super) pair: Among<Pair>,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) below: Vec<Node<'a>>,
    /// For each figure whether it is shown.
    pub(super) shown: [bool; FIGURES],
}

/// What is counted, after the masses.
const COUNTS: usize = 4;
pub(super) const FIGURES: usize = Aggregate::MASSES.len() + COUNTS;

impl Aggregate {
    /// The masses in each row. In this table all of them are of the consignments notified in the month, whenever it happened.
    pub const MASSES: [Gram; 6] =
        [Gram::Notified, Gram::Departed, Gram::Arrived, Gram::Verified, Gram::Seized, Gram::Unexplained];
}

impl Statistics {
    /// The table for observers, of the consignments that this node's country exports or imports.
    pub fn aggregate(&self, span: Option<Span>, rule: Rule, today: Date) -> Aggregate {
        let mut aggregate = Aggregate::default();
        let months = self.by_month.iter().filter(|(month, _)| span.is_none_or(|span| span.holds(**month)));
        for (month, ids) in months {
            let contributions = ids.iter().filter_map(|id| self.contributions.get(id));
            match tree(contributions.filter(|contribution| contribution.is_ours), rule, today) {
                Some(root) => rows(&root, *month, &mut aggregate.rows),
                None => drop(aggregate.months_withheld.insert(*month)),
            }
        }
        aggregate
    }
}

/// The rows of one month; none if it is too small as a whole.
pub(super) fn tree<'a>(
    contributions: impl Iterator<Item = &'a Contribution>,
    rule: Rule,
    today: Date,
) -> Option<Node<'a>> {
    let contributions: Vec<&Contribution> = contributions.collect();
    let mut known = Traders::default();
    contributions.iter().flat_map(|contribution| &contribution.traders).for_each(|marks| known.meet(marks));
    let mut by_substance: BTreeMap<String, BTreeMap<Pair, Vec<Line<'a>>>> = BTreeMap::new();
    for (number, contribution) in contributions.into_iter().enumerate() {
        for substance in &contribution.substances {
            let pairs = by_substance.entry(substance.clone()).or_default();
            let lines = pairs.entry(contribution.pair).or_default();
            lines.push(Line::of(number, contribution, substance, &known, today));
        }
    }
    let substances = by_substance.into_iter().map(|(substance, pairs)| {
        let pairs = pairs
            .into_iter()
            .map(|(pair, lines)| Node::new(Among::One(substance.clone()), Among::One(pair), lines, Vec::new()));
        Node::of(
            Among::One(substance.clone()),
            Among::All,
            pooled(pairs.collect(), rule, |node| {
                Node::new(Among::One(substance.clone()), Among::Others, node, Vec::new())
            }),
        )
    });
    let others = |lines| Node::new(Among::Others, Among::All, lines, Vec::new());
    let mut root = Node::of(Among::All, Among::All, pooled(substances.collect(), rule, others));
    if !is_large(&root.lines, rule) {
        return None;
    }
    for figure in 0..FIGURES {
        // A count of lines, or a mass of nobody, is as much as the rows themselves tell.
        root.shown[figure] = tells_of_enough(&root.lines, figure, rule);
        suppress(&mut root, figure, rule);
    }
    Some(root)
}

/// The nodes that are large enough, and the rest together. Without the small ones, if even all together are too small: the row above
/// stands for them.
fn pooled<'a>(
    nodes: Vec<Node<'a>>,
    rule: Rule,
    others: impl Fn(Vec<Line<'a>>) -> Node<'a>,
) -> (Vec<Node<'a>>, Vec<Line<'a>>) {
    let all: Vec<Line<'a>> = nodes.iter().flat_map(|node| node.lines.iter().cloned()).collect();
    let (mut alone, small): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|node| is_large(&node.lines, rule));
    let mut rest: Vec<Line<'a>> = small.into_iter().flat_map(|node| node.lines).collect();
    while !rest.is_empty() && !is_large(&rest, rule) {
        let smallest = (0..alone.len()).min_by_key(|at| alone[*at].lines.len());
        let Some(smallest) = smallest else { return (Vec::new(), all) };
        rest.extend(alone.remove(smallest).lines);
    }
    if alone.is_empty() {
        return (Vec::new(), all);
    }
    if !rest.is_empty() {
        alone.push(others(rest));
    }
    (alone, all)
}

/// Whether a group is large enough to be shown: enough consignments, and enough traders at each end.
pub(super) fn is_large(lines: &[Line<'_>], rule: Rule) -> bool {
    let consignments: BTreeSet<usize> = lines.iter().map(|line| line.number).collect();
    let traders = |end: usize| lines.iter().map(|line| line.traders[end]).collect::<BTreeSet<u64>>().len();
    consignments.len() >= rule.consignments && (0..2).all(|end| traders(end) >= rule.parties)
}

/// Which names and identifiers are of one trader, by what all consignments of the month say: those that ever stand together.
#[derive(Default)]
struct Traders(BTreeMap<u64, u64>);

impl Traders {
    fn meet(&mut self, marks: &[u64]) {
        let Some(first) = marks.first().map(|mark| self.find(*mark)) else { return };
        for mark in marks {
            let other = self.find(*mark);
            self.0.insert(*mark, first);
            self.0.insert(other, first);
        }
    }

    /// One of its marks, the same for all of them.
    fn find(&self, mark: u64) -> u64 {
        let mut mark = mark;
        while let Some(next) = self.0.get(&mark).filter(|next| **next != mark) {
            mark = *next;
        }
        mark
    }

    /// All without a name or an identifier may be the same.
    fn of(&self, marks: &[u64]) -> u64 {
        marks.first().map_or(0, |mark| self.find(*mark))
    }
}

/// Whether a sum tells of nobody, or of enough.
pub(super) fn tells_of_enough(lines: &[Line<'_>], figure: usize, rule: Rule) -> bool {
    let with: Vec<Line<'_>> = lines.iter().filter(|line| line.values[figure] > 0).cloned().collect();
    with.is_empty() || is_large(&with, rule)
}

/// Decides for the rows below one that is shown which of them show a figure.
fn suppress(node: &mut Node<'_>, figure: usize, rule: Rule) {
    if !node.shown[figure] {
        node.below.iter_mut().for_each(|below| hide(below, figure));
        return;
    }
    let count = |node: &Node<'_>| node.lines.iter().filter(|line| line.values[figure] > 0).count();
    let mut hidden: BTreeSet<usize> =
        (0..node.below.len()).filter(|at| !tells_of_enough(&node.below[*at].lines, figure, rule)).collect();
    loop {
        let rest: Vec<Line<'_>> = hidden.iter().flat_map(|at| node.below[*at].lines.iter().cloned()).collect();
        if tells_of_enough(&rest, figure, rule) {
            break;
        }
        // Rows without any would hide nothing.
        let others = (0..node.below.len()).filter(|at| !hidden.contains(at) && count(&node.below[*at]) > 0);
        let Some(smallest) = others.min_by_key(|at| count(&node.below[*at])) else { break };
        hidden.insert(smallest);
    }
    for (at, below) in node.below.iter_mut().enumerate() {
        if hidden.contains(&at) {
            hide(below, figure);
        } else {
            suppress(below, figure, rule);
        }
    }
}

fn hide(node: &mut Node<'_>, figure: usize) {
    node.shown[figure] = false;
    node.below.iter_mut().for_each(|below| hide(below, figure));
}

impl<'a> Line<'a> {
    fn of(number: usize, contribution: &'a Contribution, substance: &str, known: &Traders, today: Date) -> Self {
        let traders = contribution.traders.each_ref().map(|marks| known.of(marks));
        let (mut values, mut unread) = (counts(contribution, today), [false; Aggregate::MASSES.len()]);
        for posting in contribution.masses.iter().filter(|posting| posting.substance == substance) {
            if let Some(at) = Aggregate::MASSES.iter().position(|gram| *gram == posting.gram) {
                values[at] += posting.grams;
                unread[at] |= posting.unread;
            }
        }
        Self {
            number,
            contribution,
            #[cfg(test)]
            substance: substance.to_owned(),
            traders,
            unread,
            values,
        }
    }

    #[cfg(test)]
    pub(super) fn pair(&self) -> Pair {
        self.contribution.pair
    }
}

/// The counts, with nothing yet for the masses.
fn counts(contribution: &Contribution, today: Date) -> [u128; FIGURES] {
    let mut values = [0; FIGURES];
    let (replied, in_time) = match contribution.reply {
        Reply::Given { in_time, .. } => (true, in_time == Some(true)),
        Reply::NotAsked | Reply::Unknown | Reply::Awaited(_) => (false, false),
    };
    let closed = match contribution.closing {
        Closing::Closed => true,
        Closing::After(day) => day < today,
        Closing::Never | Closing::Unknown | Closing::Open => false,
    };
    let counts: [bool; COUNTS] = [contribution.acknowledged, replied, in_time, closed];
    for (value, holds) in values.iter_mut().skip(Aggregate::MASSES.len()).zip(counts) {
        *value = u128::from(holds);
    }
    values
}

impl<'a> Node<'a> {
    fn new(substance: Among<String>, pair: Among<Pair>, lines: Vec<Line<'a>>, below: Vec<Self>) -> Self {
        Self { substance, pair, lines, below, shown: [true; FIGURES] }
    }

    fn of(substance: Among<String>, pair: Among<Pair>, (below, lines): (Vec<Self>, Vec<Line<'a>>)) -> Self {
        Self::new(substance, pair, lines, below)
    }

    pub(super) fn sum(&self, figure: usize) -> u128 {
        self.lines.iter().map(|line| line.values[figure]).sum()
    }
}

fn rows(node: &Node<'_>, month: Month, into: &mut Vec<AggregateRow>) {
    let value = |figure: usize| node.shown[figure].then(|| node.sum(figure));
    let count = |at: usize| value(Aggregate::MASSES.len() + at).and_then(|count| u64::try_from(count).ok());
    let mut hours = Hours::default();
    for line in &node.lines {
        if let Reply::Given { hours: one, .. } = line.contribution.reply {
            hours.put_one(one);
        }
    }
    let mass = |at: usize| {
        let unread = node.lines.iter().any(|line| line.unread[at]);
        match value(at) {
            None => Published::Suppressed,
            Some(0) if unread => Published::Unknown,
            Some(grams) => Published::Grams(grams),
        }
    };
    into.push(AggregateRow {
        month,
        substance: node.substance.clone(),
        pair: node.pair.clone(),
        lines: node.lines.len() as u64,
        unread: node.lines.iter().filter(|line| line.unread.contains(&true)).count() as u64,
        masses: std::array::from_fn(mass),
        acknowledged: count(0),
        replied: count(1),
        in_time: count(2),
        reply_hours: hours.median().filter(|_| count(1).is_some()),
        closed: count(3),
    });
    node.below.iter().for_each(|below| rows(below, month, into));
}
