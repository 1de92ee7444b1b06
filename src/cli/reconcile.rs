//! `shieldwall reconcile`.

use std::collections::BTreeSet;

use super::alerts;
use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use super::ui::{aligned, table};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{Difference, LinkLine, OfficerRequest, PairCount, ReconcileFilter, ReconcileView, Response};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Where what came is not what left, and what that may come from
    List(ListArgs),
    /// How much of each pair's trade agrees: matched in percent, and how many wait
    Matrix(PairArgs),
    /// Both sides' totals by month, pair and subheading: a hint where single consignments say nothing
    Totals(PairArgs),
    /// Arrivals that nobody announced, and the announcements that they may belong to
    Links,
    /// Such an arrival belongs to an announcement
    Confirm(DecideArgs),
    /// It does not
    Reject(DecideArgs),
}

#[derive(clap::Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pair: PairArgs,
    /// Only in this band or a worse one: green, amber, red
    #[arg(long, value_name = "BAND")]
    band: Option<String>,
    /// Only with this suggested cause, such as units
    #[arg(long, value_name = "CAUSE")]
    cause: Option<String>,
    /// At most so many; 0 for as many as one answer holds
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

#[derive(clap::Args, Debug)]
pub(super) struct PairArgs {
    /// Only of the month in which goods left, such as 2026-10
    #[arg(long, value_name = "MONTH")]
    month: Option<String>,
    /// Only with this country
    #[arg(long, value_name = "MEMBER")]
    partner: Option<MemberCode>,
}

/// Keeps an officer's decision, at home: it is never sent.
#[derive(clap::Args, Debug)]
pub(super) struct DecideArgs {
    /// The arrival that nobody announced
    #[arg(value_name = "ARRIVAL")]
    arrival: RecordId,
    /// The notification
    #[arg(value_name = "ANNOUNCEMENT")]
    announced: RecordId,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    officer: super::alerts::Officer,
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(ListArgs { pair, band, cause, limit }) => {
            list(context, ReconcileFilter { month: pair.month, partner: pair.partner, band, cause, limit })
        }
        Command::Matrix(PairArgs { month, partner }) => matrix(context, month, partner),
        Command::Totals(PairArgs { month, partner }) => totals(context, month, partner),
        Command::Links => {
            let Response::Links(lines) = alerts::ask(context, OfficerRequest::ReconcileLinks)? else {
                return Err(unexpected());
            };
            links(context, &lines)
        }
        Command::Confirm(args) => decide(context, args, true),
        Command::Reject(args) => decide(context, args, false),
    }
}

fn ask(context: &Context, filter: ReconcileFilter) -> Result<ReconcileView, Failure> {
    let Response::Reconciled(view) = alerts::ask(context, OfficerRequest::Reconcile(filter))? else {
        return Err(unexpected());
    };
    Ok(*view)
}

fn list(context: &Context, filter: ReconcileFilter) -> Outcome {
    let view = ask(context, filter)?;
    let head = ["CONSIGNMENT", "FROM", "TO", "STATE", "BAND", "CAUSE", "WHAT"];
    context.ui.result(&view, table(head, view.differences.iter().map(row)))?;
    let sum = |of: fn(&PairCount) -> u64| view.pairs.iter().map(of).sum::<u64>();
    let (matched, open, differing) = (sum(|pair| pair.matched), sum(|pair| pair.open), sum(|pair| pair.differing));
    context.ui.say(format!(
        "{}: {matched} matched, {open} open, {differing} differ.",
        counted(matched + open + differing, "consignment")
    ));
    let shown = view.differences.len() as u64;
    if shown < view.total {
        context.ui.say(format!("{shown} of {} differences; --limit shows more.", view.total));
    }
    Ok(Exit::Success)
}

fn row(difference: &Difference) -> [String; 7] {
    let causes: BTreeSet<&str> = difference.suggested.iter().map(|suggested| suggested.cause.as_str()).collect();
    let words: Vec<&str> = difference.suggested.iter().map(|suggested| suggested.words.as_str()).collect();
    [
        difference.consignment.to_string(),
        member(difference.exporting),
        member(difference.importing),
        difference.state.clone().unwrap_or_else(|| "unknown".to_owned()),
        difference.band.clone(),
        causes.into_iter().collect::<Vec<_>>().join(" "),
        words.join("; "),
    ]
}

fn member(member: Option<MemberCode>) -> String {
    member.map_or_else(|| "unknown".to_owned(), |member| member.to_string())
}

fn matrix(context: &Context, month: Option<String>, partner: Option<MemberCode>) -> Outcome {
    let view = ask(context, ReconcileFilter { month, partner, limit: 1, ..ReconcileFilter::default() })?;
    let columns: BTreeSet<Option<MemberCode>> = view.pairs.iter().map(|pair| pair.importing).collect();
    let rows: BTreeSet<Option<MemberCode>> = view.pairs.iter().map(|pair| pair.exporting).collect();
    let head: Vec<String> =
        std::iter::once("FROM / TO".to_owned()).chain(columns.iter().copied().map(member)).collect();
    let lines = rows.iter().map(|exporting| {
        let cells = columns.iter().map(|importing| {
            let pair = view.pairs.iter().find(|pair| pair.exporting == *exporting && pair.importing == *importing);
            pair.map_or_else(|| "-".to_owned(), cell)
        });
        std::iter::once(member(*exporting)).chain(cells).collect::<Vec<_>>()
    });
    let all: Vec<Vec<String>> = std::iter::once(head).chain(lines).collect();
    context.ui.result(&view.pairs, aligned(&all, |_| false))?;
    context.ui.say("Matched in percent of what both sides declared / how many wait for one of them.");
    Ok(Exit::Success)
}

fn cell(pair: &PairCount) -> String {
    let share = (pair.matched * 100).checked_div(pair.matched + pair.differing);
    format!("{} / {}", share.map_or_else(|| "unknown".to_owned(), |share| format!("{share} %")), pair.open)
}

fn totals(context: &Context, month: Option<String>, partner: Option<MemberCode>) -> Outcome {
    let Response::Mirror(rows) = alerts::ask(context, OfficerRequest::ReconcileTotals { month, partner })? else {
        return Err(unexpected());
    };
    let lines = rows.iter().map(|row| {
        [row.month.clone(), member(row.exporting), member(row.importing), row.hs6.clone(), row.words.clone()]
    });
    context.ui.result(&rows, table(["MONTH", "FROM", "TO", "HS6", "WHAT"], lines))?;
    Ok(Exit::Success)
}

fn links(context: &Context, lines: &[LinkLine]) -> Outcome {
    let rows = lines.iter().map(|link| {
        [
            link.arrival.to_string(),
            link.announced.to_string(),
            link.hold.clone(),
            link.meaning.clone(),
            link.level.clone(),
            link.words.clone(),
        ]
    });
    context.ui.result(&lines, table(["ARRIVAL", "ANNOUNCED AS", "HOLDS", "MEANS", "FOUND BY", "WHAT"], rows))?;
    Ok(Exit::Success)
}

fn decide(context: &Context, args: DecideArgs, holds: bool) -> Outcome {
    let DecideArgs { arrival, announced, reason, officer } = args;
    let by = officer.name()?;
    let request = OfficerRequest::ReconcileDecide { arrival, announced, holds, by, reason };
    let Response::Links(lines) = alerts::ask(context, request)? else { return Err(unexpected()) };
    links(context, &lines)
}
