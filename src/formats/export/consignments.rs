//! A list of consignments as a table.

use super::{Cell, Column, Holds, Table};
use crate::watch::{Consignment, State, Sums};

/// One row for each consignment, with the state that it has now ([`crate::watch::standing`]). Masses of all its substances together; one that
/// this node cannot read is unknown.
pub fn consignments_table<'a>(rows: impl IntoIterator<Item = (&'a Consignment, Option<State>)>) -> Table {
    let columns = [
        ("consignment", Holds::Text),
        ("state", Holds::Text),
        ("flags", Holds::Text),
        ("exporting", Holds::Text),
        ("importing", Holds::Text),
        ("transit", Holds::Text),
        ("substances", Holds::Text),
        ("notified", Holds::Mass),
        ("in_transit", Holds::Mass),
        ("received", Holds::Mass),
        ("seized", Holds::Mass),
        ("unexplained", Holds::Mass),
        ("reply_by", Holds::Day),
        ("valid_until", Holds::Day),
        ("shipments", Holds::Count),
        ("departed_at", Holds::Time),
        ("expected", Holds::Day),
        ("imported_at", Holds::Time),
        ("records", Holds::Count),
    ];
    let mut table = Table::new("consignments", columns.map(|(name, holds)| Column::new(name, holds)).into());
    rows.into_iter().for_each(|(consignment, state)| table.push(row(consignment, state)));
    table
}

fn row(consignment: &Consignment, state: Option<State>) -> Vec<Cell> {
    let countries = &consignment.countries;
    let shipments = &consignment.shipments;
    vec![
        Cell::text(consignment.id.to_string()),
        state.map_or(Cell::Unknown, |state| Cell::text(state.name())),
        words(consignment.flags.iter().map(|flag| flag.name())),
        countries.exporting.map_or(Cell::Unknown, |member| Cell::text(member.as_str())),
        countries.importing.map_or(Cell::Unknown, |member| Cell::text(member.as_str())),
        words(countries.transit.iter().map(|member| member.as_str())),
        words(consignment.substances.iter().map(String::as_str)),
        mass(consignment, |sums| sums.notified),
        mass(consignment, |sums| sums.in_transit),
        mass(consignment, |sums| sums.received),
        mass(consignment, |sums| sums.seized),
        mass(consignment, |sums| sums.unexplained),
        consignment.reply_by.map_or(Cell::Empty, Cell::Day),
        consignment.valid_until.map_or(Cell::Empty, Cell::Day),
        Cell::Count(shipments.len() as u64),
        shipments.iter().filter_map(|shipment| shipment.departed_at).min().map_or(Cell::Empty, Cell::Time),
        shipments.iter().filter_map(|shipment| shipment.expected).max().map_or(Cell::Empty, Cell::Day),
        shipments.iter().filter_map(|shipment| shipment.imported_at).max().map_or(Cell::Empty, Cell::Time),
        Cell::Count(consignment.timeline.len() as u64),
    ]
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> Cell {
    Cell::text(words.collect::<Vec<_>>().join(" "))
}

/// Without the goods there is no balance, and nothing is known of any gram.
fn mass(consignment: &Consignment, of: fn(&Sums) -> u128) -> Cell {
    if consignment.balance.is_empty() {
        return Cell::Unknown;
    }
    Cell::Mass(consignment.balance.values().map(|balance| of(&balance.net)).sum())
}
