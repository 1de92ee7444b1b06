//! What observers get tells of no small group, by whatever arithmetic.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::aggregate::{FIGURES, Line, Node, is_large, tells_of_enough, tree};
use super::contribution::{Closing, Posting, Reply};
use super::*;
use crate::record::Date;

/// Exporter, consignee, route, substances, and what was seized and what is unexplained of it, in kilograms.
type Trade = (u64, u64, usize, Vec<usize>, u64, u64);

const SUBSTANCES: [&str; 3] = ["acetone", "ammonium-nitrate", "urea"];
const PAIRS: [(&str, &str); 3] = [("GE", "TR"), ("GE", "MZ"), ("LB", "GE")];

fn month() -> Month {
    "2026-10".parse().expect("a month")
}

fn today() -> Date {
    "2026-12-01".parse().expect("a day")
}

fn contribution((exporter, consignee, pair, substances, seized, unexplained): &Trade) -> Contribution {
    let (exporting, importing) = PAIRS[*pair];
    let substances: BTreeSet<String> = substances.iter().map(|at| SUBSTANCES[*at].to_owned()).collect();
    let masses = [(Gram::Notified, 25_000), (Gram::Seized, *seized), (Gram::Unexplained, *unexplained)];
    let posting = |substance: &String| {
        masses.map(|(gram, kilograms)| Posting {
            substance: substance.clone(),
            month: month(),
            gram,
            grams: u128::from(kilograms) * 1_000,
            unread: false,
        })
    };
    Contribution {
        pair: Pair { exporting: exporting.parse().ok(), importing: importing.parse().ok() },
        month: month(),
        masses: substances.iter().flat_map(posting).filter(|posting| posting.grams > 0).collect(),
        substances,
        is_ours: true,
        unannounced: false,
        cancelled: false,
        acknowledged: exporter % 2 == 0,
        reply: Reply::Given { hours: 30, in_time: Some(consignee % 3 == 0) },
        closing: if seized % 2 == 0 { Closing::Closed } else { Closing::Open },
        reports: Vec::new(),
        traders: [vec![*exporter], vec![*consignee]],
    }
}

fn statistics(trades: &[Trade]) -> Statistics {
    let mut statistics = Statistics::default();
    for (at, trade) in trades.iter().enumerate() {
        let log = "GE".parse().expect("a log");
        statistics.put(RecordId { log, position: at as u64 }, Some(contribution(trade)));
    }
    statistics
}

#[test]
fn small_groups_stand_with_others() {
    // Five exporters of urea to Türkiye; one of acetone; two of ammonium nitrate, one of them to Mozambique.
    let mut trades: Vec<Trade> = (1..=5).map(|trader| (trader, trader + 10, 0, vec![2], 0, 0)).collect();
    trades.extend([(6, 16, 0, vec![0], 0, 0), (7, 17, 0, vec![1], 0, 0), (8, 18, 1, vec![1], 0, 0)]);
    let table = statistics(&trades).aggregate(None, Rule::default(), today());
    let rows: Vec<_> = table.rows.iter().map(|row| (row.substance.clone(), row.pair.clone(), row.lines)).collect();
    let urea = Among::One("urea".to_owned());
    let to_turkey = Among::One(Pair { exporting: "GE".parse().ok(), importing: "TR".parse().ok() });
    assert_eq!(
        rows,
        [
            (Among::All, Among::All, 8),
            (urea.clone(), Among::All, 5),
            (urea, to_turkey, 5),
            (Among::Others, Among::All, 3)
        ]
    );
    assert!(table.rows.iter().all(|row| row.masses[0] == Published::Grams(u128::from(row.lines) * 25_000_000)));
    let two = statistics(&trades[..2]).aggregate(None, Rule::default(), today());
    assert_eq!((two.rows.len(), two.months_withheld), (0, BTreeSet::from([month()])));
}

#[test]
fn a_sum_does_not_tell_what_a_row_hides() {
    // Ten of urea and ten of acetone; goods of three consignments were seized, two of urea and one of acetone.
    let seized = |trader: u64| if [1, 2, 11].contains(&trader) { 100 } else { 0 };
    let trades: Vec<Trade> =
        (1..=20).map(|trader| (trader, trader, 0, vec![if trader > 10 { 0 } else { 2 }], seized(trader), 0)).collect();
    let table = statistics(&trades).aggregate(None, Rule::default(), today());
    let seized: Vec<Published> = table.rows.iter().map(|row| row.masses[4]).collect();
    assert_eq!(seized[0], Published::Grams(300_000));
    assert_eq!(seized[1..], [Published::Suppressed; 4], "with one of them shown the other would be known");
    assert!(table.rows.iter().all(|row| row.masses[5] == Published::Grams(0)), "nobody is nobody");
}

#[test]
fn one_trader_under_two_names_is_one() {
    let mut trades: Vec<Trade> = (1..=3).map(|trader| (trader, trader, 0, vec![2], 0, 0)).collect();
    assert_eq!(statistics(&trades).aggregate(None, Rule::default(), today()).rows.len(), 3);
    trades[1].0 = 1;
    assert!(statistics(&trades).aggregate(None, Rule::default(), today()).rows.is_empty(), "two exporters");
    let mut joined = statistics(&(1..=3).map(|trader| (trader, trader, 0, vec![2], 0, 0)).collect::<Vec<Trade>>());
    let mut other = contribution(&(9, 9, 0, vec![2], 0, 0));
    other.traders[0] = vec![1, 2];
    joined.put("GE-50".parse().expect("an id"), Some(other));
    let table = joined.aggregate(None, Rule::default(), today());
    assert!(table.rows.is_empty(), "four consignments of two exporters: the first two share a name with the last");
}

fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let few = || prop_oneof![3 => Just(0_u64), 1 => 1_u64..5];
    let trade = (1_u64..7, 1_u64..7, 0..PAIRS.len(), prop::collection::vec(0..SUBSTANCES.len(), 1..3), few(), few());
    prop::collection::vec(trade, 0..40)
}

const PRIME: u128 = (1 << 61) - 1;

fn power(base: u128, mut exponent: u128) -> u128 {
    let (mut result, mut base) = (1, base % PRIME);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        exponent /= 2;
    }
    result
}

/// Takes from a vector what the others, each with a leading place, can make of it.
fn reduce(vector: &mut [u128], basis: &[(usize, Vec<u128>)]) {
    for (lead, row) in basis {
        let factor = vector[*lead];
        if factor > 0 {
            vector.iter_mut().zip(row).for_each(|(ours, theirs)| *ours = (*ours + (PRIME - factor) * theirs) % PRIME);
        }
    }
}

/// A basis of everything that can be worked out by adding and subtracting.
fn basis(rows: impl IntoIterator<Item = Vec<u128>>) -> Vec<(usize, Vec<u128>)> {
    let mut basis: Vec<(usize, Vec<u128>)> = Vec::new();
    for mut row in rows {
        reduce(&mut row, &basis);
        if let Some(lead) = row.iter().position(|value| *value > 0) {
            let inverse = power(row[lead], PRIME - 2);
            row.iter_mut().for_each(|value| *value = *value * inverse % PRIME);
            basis.push((lead, row));
        }
    }
    basis
}

fn flat<'a, 'b>(node: &'b Node<'a>) -> Vec<&'b Node<'a>> {
    [node].into_iter().chain(node.below.iter().flat_map(flat)).collect()
}

fn with<'a>(lines: &[Line<'a>], figure: usize) -> Vec<Line<'a>> {
    lines.iter().filter(|line| line.values[figure] > 0).cloned().collect()
}

/// Which consignment and which substance: what a line is known by.
fn places<'a>(lines: &[Line<'a>], all: &[Line<'a>]) -> Vec<u128> {
    let is = |one: &Line<'a>, other: &Line<'a>| one.number == other.number && one.substance == other.substance;
    all.iter().map(|line| u128::from(lines.iter().any(|one| is(one, line)))).collect()
}

proptest! {
    /// Every row is large enough, and what is not cannot be worked out from all that is shown: no sum or difference of shown rows is a
    /// small group, be it a consignment, a cell or a row that was left out.
    #[test]
    fn nothing_small_can_be_worked_out(trades in trades()) {
        let rule = Rule::default();
        let contributions: Vec<Contribution> = trades.iter().map(contribution).collect();
        let Some(root) = tree(contributions.iter(), rule, today()) else {
            return Ok(());
        };
        let nodes = flat(&root);
        prop_assert!(nodes.iter().all(|node| is_large(&node.lines, rule)));
        // What should stay hidden: each line, and each cell and row as they would be without the rule.
        let cell = |substance: Option<usize>, pair: Option<usize>| -> Vec<Line<'_>> {
            let pair = pair.map(|at| contribution(&(1, 1, at, vec![], 0, 0)).pair);
            root.lines.iter().filter(|line| {
                substance.is_none_or(|at| line.substance == SUBSTANCES[at]) && pair.is_none_or(|pair| line.pair() == pair)
            }).cloned().collect()
        };
        let mut groups: Vec<Vec<Line<'_>>> = root.lines.iter().map(|line| vec![line.clone()]).collect();
        for substance in [None, Some(0), Some(1), Some(2)] {
            groups.extend([None, Some(0), Some(1), Some(2)].map(|pair| cell(substance, pair)));
        }
        let counted = basis(nodes.iter().map(|node| places(&node.lines, &root.lines)));
        for group in groups.iter().filter(|group| !group.is_empty() && !is_large(group, rule)) {
            let mut target = places(group, &root.lines);
            reduce(&mut target, &counted);
            prop_assert!(target.iter().any(|value| *value > 0), "the number of a small group can be worked out");
        }
        for figure in 0..FIGURES {
            // Who reads it may even know which consignments have none.
            let all = with(&root.lines, figure);
            let shown = nodes.iter().filter(|node| node.shown[figure]);
            prop_assert!(shown.clone().all(|node| tells_of_enough(&node.lines, figure, rule)));
            let known = basis(shown.map(|node| places(&with(&node.lines, figure), &all)));
            for group in &groups {
                let group = with(group, figure);
                if group.is_empty() || tells_of_enough(&group, figure, rule) {
                    continue;
                }
                let mut target = places(&group, &all);
                reduce(&mut target, &known);
                prop_assert!(target.iter().any(|value| *value > 0), "figure {} of a small group can be worked out", figure);
            }
        }
    }

    /// The rows below one that is shown make it up, so that nothing is lost either.
    #[test]
    fn rows_add_up_to_the_row_above(trades in trades()) {
        let contributions: Vec<Contribution> = trades.iter().map(contribution).collect();
        if let Some(root) = tree(contributions.iter(), Rule::default(), today()) {
            for node in flat(&root).into_iter().filter(|node| !node.below.is_empty()) {
                for figure in 0..FIGURES {
                    prop_assert_eq!(node.sum(figure), node.below.iter().map(|below| below.sum(figure)).sum::<u128>());
                }
            }
        }
    }
}
