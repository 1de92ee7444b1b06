//! `shieldwall stats`.

use super::context::{Context, unexpected};
use super::export::{self, ExportArgs};
use super::report::{Exit, Failure, Outcome};
use super::ui::{aligned, bar};
use crate::formats::export::{Cell, Holds, Table};
use crate::node::ask::{Request, Response, StatsQuestion, StatsView, StatsWanted};
use crate::watch::statistics::{Dimension, Partner, Query, Span};

/// Figures of many consignments: how many, how many kilograms were announced, left, arrived, were seized or are gone, how fast replies came,
/// how late reports were. What this node cannot read is unknown. Each figure is defined in docs/statistics.md.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// One row for each of what: substance, partner, month, year
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    by: Vec<By>,
    /// Only of a month or year, such as 2026-10 or 2026
    #[arg(long, value_name = "MONTH")]
    month: Option<Span>,
    /// Only of this substance
    #[arg(long, value_name = "CODE")]
    substance: Option<String>,
    /// Only with this country, such as TR, or from one to another, such as GE-TR
    #[arg(long, value_name = "PARTNER")]
    partner: Option<Partner>,
    /// Who reported how much, and how much of it late
    #[arg(long, conflicts_with = "aggregate")]
    reports: bool,
    /// The table for observers: no group of fewer than three consignments, exporters or consignees, nor what would tell one
    #[arg(long, conflicts_with_all = ["by", "substance", "partner"])]
    aggregate: bool,
    /// Bars of a figure in place of the table, such as departed
    #[arg(long, value_name = "FIGURE", conflicts_with_all = ["format", "output"])]
    chart: Option<String>,
    /// Every figure; files have them all
    #[arg(long, short)]
    all: bool,
    #[command(flatten)]
    export: ExportArgs,
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Substance,
    Partner,
    Month,
    Year,
}

/// What fits a terminal.
const SHORT: [&str; 16] = [
    "substance",
    "exporting",
    "importing",
    "month",
    "year",
    "consignments",
    "unread",
    "notified",
    "departed",
    "arrived",
    "seized",
    "unexplained",
    "reply",
    "answered",
    "lines",
    "late_reports",
];
/// The longest bar, in characters.
const BAR: u32 = 40;

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    args.export.check(context)?;
    let by = args.by.iter().map(|by| match by {
        By::Substance => Dimension::Substance,
        By::Partner => Dimension::Partner,
        By::Month => Dimension::Month,
        By::Year => Dimension::Year,
    });
    let query = Query { by: by.collect(), substance: args.substance, partner: args.partner, span: args.month };
    let wanted = match (args.reports, args.aggregate) {
        (_, true) => StatsWanted::Aggregate,
        (true, false) => StatsWanted::Reports,
        (false, false) => StatsWanted::Figures,
    };
    let question = StatsQuestion { wanted, query };
    let Response::Stats(stats) = context.ask(&Request::Stats(question))? else { return Err(unexpected()) };
    if !stats.withheld.is_empty() {
        context.ui.say(format!("Too little to tell of: {}.", stats.withheld.join(" ")));
    }
    if stats.rows.rows().is_empty() {
        context.ui.say("Nothing that this node can read is to be counted there.");
    }
    if let Some(figure) = args.chart {
        context.ui.line(&super::ui::plain(&chart(&stats.rows, &figure)?))?;
        return Ok(Exit::Success);
    }
    let shown = |name: &str| args.all || wanted == StatsWanted::Reports || SHORT.contains(&name);
    export::deliver(context, &stats.rows, &args.export, || text(&stats, shown))
}

fn text(stats: &StatsView, shown: impl Fn(&str) -> bool) -> String {
    let grouped = stats.rows.columns().len() > stats.total.columns().len() && stats.rows.rows().len() > 1;
    export::text(&stats.rows, Some(&stats.total).filter(|_| grouped), shown)
}

/// A bar for each row, as long as its figure.
fn chart(table: &Table, figure: &str) -> Result<String, Failure> {
    let columns = table.columns();
    let is_number = |at: usize| matches!(columns[at].holds, Holds::Mass | Holds::Count | Holds::Hours | Holds::Share);
    let at = (0..columns.len()).find(|at| columns[*at].name == figure && is_number(*at)).ok_or_else(|| {
        let names: Vec<&str> =
            (0..columns.len()).filter(|at| is_number(*at)).map(|at| columns[at].name.as_str()).collect();
        Failure::new(Exit::Usage, format!("there is no figure {figure}"))
            .hint(format!("the figures are {}", names.join(" ")))
    })?;
    let number = |cell: &Cell| match cell {
        Cell::Count(count) => u128::from(*count),
        Cell::Mass(grams) => *grams,
        Cell::Share(permille) => u128::from(*permille),
        Cell::Empty | Cell::Unknown | Cell::Suppressed | Cell::Text(_) | Cell::Day(_) | Cell::Time(_) => 0,
    };
    let whole = match columns[at].holds {
        Holds::Share => 1_000,
        Holds::Text | Holds::Count | Holds::Hours | Holds::Mass | Holds::Day | Holds::Time => {
            table.rows().iter().filter_map(|row| row.get(at)).map(number).max().unwrap_or(0)
        }
    };
    let labels = columns.iter().take_while(|column| column.holds == Holds::Text).count();
    let line = |row: &Vec<Cell>| {
        let mut cells: Vec<String> = row.iter().take(labels).map(Cell::shown).collect();
        let cell = row.get(at).cloned().unwrap_or(Cell::Empty);
        cells.extend([export::shown(&cell), bar(number(&cell), whole, BAR)]);
        cells
    };
    let mut head: Vec<String> = columns.iter().take(labels).map(|column| column.heading().to_uppercase()).collect();
    head.push(columns[at].heading().to_uppercase().replace('_', " "));
    let rows: Vec<Vec<String>> = [head].into_iter().chain(table.rows().iter().map(line)).collect();
    Ok(aligned(&rows, |column| column == labels))
}
