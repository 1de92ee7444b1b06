//! The score: what was done against what was found.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value as Json, json};
use shieldwall::generate::Cause;

use crate::detect::{Finding, Result, Seen};

/// One cause with how well it is found.
struct Row {
    name: &'static str,
    /// Lives in which it was done.
    done: u64,
    /// Of them, those in which it was found.
    found: u64,
    /// Lives in which it was found.
    claimed: u64,
    /// Of them, those in which it was done.
    right: u64,
    /// What those stand at in which it was not found, with their numbers.
    missed: BTreeMap<String, Vec<usize>>,
    /// What was done, and where it stands, where it was found and not done.
    wrong: BTreeMap<String, Vec<usize>>,
}

/// The whole score.
pub(crate) struct Table {
    lives: u64,
    records: u64,
    rows: Vec<Row>,
    /// Split consignments of which something was found: there is nothing to be found.
    split: (u64, u64),
    /// Lives in which nothing was done, and those of them in which something was found.
    sound: (u64, u64),
    /// Lives that are red for the floor alone.
    floor_alone: u64,
    proposed: u64,
    cells: Vec<(String, u64)>,
}

/// What was done to a life, and whether anything came.
type Truth = (Option<Cause>, bool);

/// Whether a truth is what a finding says.
fn is_it(finding: Finding, (cause, came): Truth) -> bool {
    match finding {
        // What thieves took altogether is missing, whoever has it.
        Finding::Missing => cause == Some(Cause::NotReportedByImporter) || (cause == Some(Cause::Stolen) && !came),
        Finding::Units => cause == Some(Cause::UnitSlip),
        Finding::Diversion => cause == Some(Cause::Diverted),
        Finding::Unannounced => cause == Some(Cause::NotReportedByExporter),
        Finding::Loss => cause == Some(Cause::Stolen) && came,
        Finding::Structuring => cause == Some(Cause::Structuring),
        Finding::Other => false,
    }
}

fn row(finding: Finding, lives: &[(Truth, Seen)]) -> Row {
    let mut row = Row {
        name: finding.name(),
        done: 0,
        found: 0,
        claimed: 0,
        right: 0,
        missed: BTreeMap::new(),
        wrong: BTreeMap::new(),
    };
    for (number, (truth, seen)) in lives.iter().enumerate() {
        let (done, claimed) = (is_it(finding, *truth), seen.findings.contains(&finding));
        row.done += u64::from(done);
        row.claimed += u64::from(claimed);
        row.found += u64::from(done && claimed);
        row.right += u64::from(done && claimed);
        let stands = seen.stands.iter().cloned().collect::<Vec<_>>().join("; ");
        if done && !claimed {
            let found: Vec<&str> = seen.findings.iter().map(|finding| finding.name()).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            row.missed.entry(format!("found {found}: {stands}")).or_default().push(number);
        } else if claimed && !done {
            let cause = truth.0.map_or("nothing wrong", Cause::name);
            row.wrong.entry(format!("{cause}: {stands}")).or_default().push(number);
        }
    }
    row
}

impl Table {
    pub(crate) fn of(truths: &[Truth], result: Result) -> Self {
        let lives: Vec<(Truth, Seen)> = truths.iter().copied().zip(result.lives).collect();
        let findings = [
            Finding::Missing,
            Finding::Units,
            Finding::Diversion,
            Finding::Unannounced,
            Finding::Loss,
            Finding::Structuring,
            Finding::Other,
        ];
        let count = |of: &dyn Fn(&Truth) -> bool| {
            let those: Vec<&(Truth, Seen)> = lives.iter().filter(|(truth, _)| of(truth)).collect();
            let alarmed = those.iter().filter(|(_, seen)| !seen.findings.is_empty()).count();
            (those.len() as u64, alarmed as u64)
        };
        Self {
            lives: lives.len() as u64,
            records: result.records,
            rows: findings.iter().map(|finding| row(*finding, &lives)).collect(),
            split: count(&|(cause, _)| *cause == Some(Cause::Split)),
            sound: count(&|(cause, _)| cause.is_none()),
            floor_alone: lives.iter().filter(|(_, seen)| seen.is_floor_alone && seen.findings.is_empty()).count()
                as u64,
            proposed: result.proposed,
            cells: result.cells.into_iter().map(|(outcome, count)| (outcome.words(), count)).collect(),
        }
    }

    pub(crate) fn to_json(&self) -> Json {
        let row = |row: &Row| {
            json!({
                "finding": row.name, "done": row.done, "found": row.found, "claimed": row.claimed, "right": row.right,
                "recall": share(row.found, row.done), "precision": share(row.right, row.claimed),
                "missed": row.missed, "wrong": row.wrong,
            })
        };
        json!({
            "consignments": self.lives, "records": self.records, "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "split": { "done": self.split.0, "alarmed": self.split.1 },
            "nothing_wrong": { "done": self.sound.0, "alarmed": self.sound.1 },
            "red_for_the_floor_alone": self.floor_alone, "proposed_by_likeness": self.proposed,
            "cells": self.cells.iter().map(|(name, count)| (name.clone(), Json::from(*count))).collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// A share with four digits: `0.9987`; `-` of nothing.
fn share(part: u64, whole: u64) -> String {
    match (part * 10_000).checked_div(whole) {
        None => "-".to_owned(),
        Some(share) => format!("{}.{:04}", share / 10_000, share % 10_000),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} consignments, {} records", self.lives, self.records)?;
        writeln!(f)?;
        writeln!(f, "| finding | done | found | recall | claimed | right | precision |")?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let (recall, precision) = (share(row.found, row.done), share(row.right, row.claimed));
            writeln!(
                f,
                "| {} | {} | {} | {recall} | {} | {} | {precision} |",
                row.name, row.done, row.found, row.claimed, row.right
            )?;
        }
        writeln!(f)?;
        writeln!(f, "several shipments, as announced: {}, of which {} raise an alarm", self.split.0, self.split.1)?;
        writeln!(f, "nothing wrong: {}, of which {} raise an alarm", self.sound.0, self.sound.1)?;
        writeln!(f, "red for the floor alone, within what scales differ by: {}", self.floor_alone)?;
        writeln!(f, "unannounced, and like an announcement: {}", self.proposed)?;
        let cells: Vec<String> = self.cells.iter().map(|(name, count)| format!("{count} {name}")).collect();
        writeln!(f, "monthly totals: {}", cells.join(", "))?;
        for row in &self.rows {
            for (title, list) in [("missed", &row.missed), ("wrongly found", &row.wrong)] {
                if list.is_empty() {
                    continue;
                }
                writeln!(f, "\n{title}: {}", row.name)?;
                let mut sorted: Vec<_> = list.iter().collect();
                sorted.sort_by_key(|(why, numbers)| (std::cmp::Reverse(numbers.len()), (*why).clone()));
                for (why, numbers) in sorted.iter().take(12) {
                    let some: Vec<String> = numbers.iter().take(4).map(ToString::to_string).collect();
                    writeln!(f, "  {:>6}  {why} (such as {})", numbers.len(), some.join(", "))?;
                }
                if sorted.len() > 12 {
                    let rest: usize = sorted.iter().skip(12).map(|(_, numbers)| numbers.len()).sum();
                    writeln!(f, "  {rest:>6}  others")?;
                }
            }
        }
        Ok(())
    }
}
