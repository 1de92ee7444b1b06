//! Statistics as tables. `docs/statistics.md` defines the figures.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, Column, Holds, Table};
use crate::encoding::ids::MemberCode;
use crate::record::Date;
use crate::watch::statistics::{
    Aggregate, AggregateRow, Among, Dimension, Figures, Gram, Group, Pair, Published, Reports, Tally,
};

/// One row for each group, with every figure as it is `today`.
pub fn statistics_table(rows: &BTreeMap<Group, Figures>, by: &BTreeSet<Dimension>, today: Date) -> Table {
    let mut columns = group_columns(by);
    let counts = ["consignments", "unannounced", "cancelled", "unread"];
    columns.extend(counts.map(|name| Column::new(name, Holds::Count)));
    columns.extend(Gram::ALL.map(|gram| Column::new(gram.name(), Holds::Mass)));
    columns.extend([
        Column::new("acknowledged", Holds::Share),
        Column::new("replies", Holds::Count),
        Column::new("reply", Holds::Hours),
        Column::new("answered", Holds::Share),
        Column::new("closed", Holds::Share),
        Column::new("reports", Holds::Count),
        Column::new("late_reports", Holds::Count),
    ]);
    let mut table = Table::new("statistics", columns);
    for (group, figures) in rows {
        let counts = [figures.consignments, figures.unannounced, figures.cancelled, figures.unread];
        let mass = |gram| figures.grams(gram).known().map_or(Cell::Unknown, Cell::Mass);
        let answered = figures.answered(today);
        let replies = figures.reply_hours.count();
        let unseen = answered.is_unknown() && replies == 0;
        let of_replies = |cell: Cell| if unseen { Cell::Unknown } else { cell };
        let reports = figures.all_reports();
        let mut row = group_cells(group, by);
        row.extend(counts.map(Cell::Count));
        row.extend(Gram::ALL.map(mass));
        row.extend([
            share(figures.acknowledged),
            of_replies(Cell::Count(replies)),
            of_replies(hours(figures.reply_hours.median())),
            share(answered),
            share(figures.closed(today)),
            Cell::Count(reports.made),
            Cell::Count(reports.late),
        ]);
        table.push(row);
    }
    table
}

/// Who reported how much, and how much of it late: one row for each author of each group.
pub fn reports_table(rows: &BTreeMap<Group, Figures>, by: &BTreeSet<Dimension>) -> Table {
    let mut columns = group_columns(by);
    columns.extend([
        Column::new("author", Holds::Text),
        Column::new("reports", Holds::Count),
        Column::new("late_reports", Holds::Count),
        Column::new("late", Holds::Share),
    ]);
    let mut table = Table::new("reports", columns);
    for (group, figures) in rows {
        for (author, reports) in &figures.reports {
            let mut row = group_cells(group, by);
            row.extend(author_cells(*author, *reports));
            table.push(row);
        }
    }
    table
}

fn author_cells(author: MemberCode, reports: Reports) -> [Cell; 4] {
    let late = Tally { yes: reports.late, of: reports.made, unknown: 0 };
    [Cell::text(author.as_str()), Cell::Count(reports.made), Cell::Count(reports.late), share(late)]
}

/// What observers get.
pub fn aggregate_table(aggregate: &Aggregate) -> Table {
    let words = ["month", "substance", "exporting", "importing"];
    let mut columns: Vec<Column> = words.map(|name| Column::new(name, Holds::Text)).into();
    columns.extend(["lines", "unread"].map(|name| Column::new(name, Holds::Count)));
    columns.extend(Aggregate::MASSES.map(|gram| Column::new(gram.name(), Holds::Mass)));
    columns.extend([
        Column::new("acknowledged", Holds::Count),
        Column::new("replies", Holds::Count),
        Column::new("replies_in_time", Holds::Count),
        Column::new("reply", Holds::Hours),
        Column::new("closed", Holds::Count),
    ]);
    let mut table = Table::new("aggregate", columns);
    aggregate.rows.iter().for_each(|row| table.push(aggregate_cells(row)));
    table
}

fn aggregate_cells(row: &AggregateRow) -> Vec<Cell> {
    let [exporting, importing] = match &row.pair {
        Among::All => ["all", "all"].map(Cell::text),
        Among::Others => ["others", "others"].map(Cell::text),
        Among::One(pair) => pair_cells(*pair),
    };
    let substance = match &row.substance {
        Among::All => Cell::text("all"),
        Among::Others => Cell::text("others"),
        Among::One(substance) => Cell::text(substance.as_str()),
    };
    let count = |count: Option<u64>| count.map_or(Cell::Suppressed, Cell::Count);
    let mass = |mass| match mass {
        Published::Grams(grams) => Cell::Mass(grams),
        Published::Unknown => Cell::Unknown,
        Published::Suppressed => Cell::Suppressed,
    };
    let median = if row.replied.is_none() { Cell::Suppressed } else { hours(row.reply_hours) };
    let mut cells = vec![Cell::text(row.month.to_string()), substance, exporting, importing];
    cells.extend([Cell::Count(row.lines), Cell::Count(row.unread)]);
    cells.extend(row.masses.map(mass));
    cells.extend([count(row.acknowledged), count(row.replied), count(row.in_time), median, count(row.closed)]);
    cells
}

fn group_columns(by: &BTreeSet<Dimension>) -> Vec<Column> {
    let names = |dimension: &Dimension| match dimension {
        Dimension::Substance => vec!["substance"],
        Dimension::Partner => vec!["exporting", "importing"],
        Dimension::Month => vec!["month"],
        Dimension::Year => vec!["year"],
    };
    by.iter().flat_map(names).map(|name| Column::new(name, Holds::Text)).collect()
}

fn group_cells(group: &Group, by: &BTreeSet<Dimension>) -> Vec<Cell> {
    let cells = |dimension: &Dimension| match dimension {
        Dimension::Substance => vec![Cell::text(group.substance.clone().unwrap_or_default())],
        Dimension::Partner => pair_cells(group.pair.unwrap_or_default()).into(),
        Dimension::Month => vec![Cell::text(group.month.map(|month| month.to_string()).unwrap_or_default())],
        Dimension::Year => vec![Cell::text(group.year.map(|year| year.to_string()).unwrap_or_default())],
    };
    by.iter().flat_map(cells).collect()
}

fn pair_cells(pair: Pair) -> [Cell; 2] {
    [pair.exporting, pair.importing].map(|country| country.map_or(Cell::Unknown, |code| Cell::text(code.as_str())))
}

fn hours(hours: Option<u32>) -> Cell {
    hours.map_or(Cell::Empty, |hours| Cell::Count(hours.into()))
}

/// A share of nothing is an empty cell.
fn share(tally: Tally) -> Cell {
    if tally.is_unknown() { Cell::Unknown } else { tally.permille().map_or(Cell::Empty, Cell::Share) }
}
