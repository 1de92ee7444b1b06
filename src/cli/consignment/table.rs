//! A list of consignments as a table that leaves the node. The band of risk stays: it is for this country's own screens.

use crate::encoding::ids::MemberCode;
use crate::formats::export::{Cell, Column, Holds, Table};
use crate::node::ask::ConsignmentLine;

/// One row for each consignment. Masses are net, of all its substances together; one that this node cannot read is unknown.
pub(in crate::cli) fn consignments_table<'a>(lines: impl IntoIterator<Item = &'a ConsignmentLine>) -> Table {
    let columns = [
        ("consignment", Holds::Text),
        ("ucr", Holds::Text),
        ("state", Holds::Text),
        ("flags", Holds::Text),
        ("exporting", Holds::Text),
        ("importing", Holds::Text),
        ("substances", Holds::Text),
        ("notified", Holds::Mass),
        ("departed", Holds::Mass),
        ("received", Holds::Mass),
        ("unexplained", Holds::Mass),
        ("due", Holds::Text),
        ("due_by", Holds::Day),
        ("due_passed", Holds::Text),
        ("changed_at", Holds::Time),
    ];
    let mut table = Table::new("consignments", columns.map(|(name, holds)| Column::new(name, holds)).into());
    lines.into_iter().for_each(|line| table.push(row(line)));
    table
}

fn row(line: &ConsignmentLine) -> Vec<Cell> {
    let known = |text: Option<&String>| text.map_or(Cell::Unknown, |text| Cell::text(text.as_str()));
    let member = |member: Option<MemberCode>| member.map_or(Cell::Unknown, |member| Cell::text(member.as_str()));
    let mass = |grams: Option<u64>| grams.map_or(Cell::Unknown, |grams| Cell::Mass(grams.into()));
    let due = line.due.as_ref();
    vec![
        Cell::text(line.id.to_string()),
        known(line.ucr.as_ref()),
        known(line.state.as_ref()),
        Cell::text(line.flags.join(" ")),
        member(line.exporting),
        member(line.importing),
        Cell::text(line.substances.join(" ")),
        mass(line.notified_g),
        mass(line.departed_g),
        mass(line.received_g),
        mass(line.unexplained_g),
        due.map_or(Cell::Empty, |due| Cell::text(due.what.as_str())),
        due.and_then(|due| due.by).map_or(Cell::Empty, Cell::Day),
        due.map_or(Cell::Empty, |due| Cell::text(if due.passed { "yes" } else { "no" })),
        line.changed_at.map_or(Cell::Empty, Cell::Time),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::export::{Format, Style, write};

    #[test]
    fn what_cannot_be_read_is_unknown_and_what_others_wrote_is_text() {
        let line = ConsignmentLine {
            id: "GE-1".parse().unwrap(),
            ucr: Some("=HYPERLINK(1)".to_owned()),
            state: None,
            flags: vec!["SEIZED".to_owned(), "WARNED".to_owned()],
            exporting: "GE".parse().ok(),
            importing: None,
            substances: vec!["urea".to_owned()],
            notified_g: Some(24_000_500),
            departed_g: None,
            received_g: Some(0),
            unexplained_g: None,
            due: None,
            risk: None,
            changed_at: None,
        };
        let style = Style { mark: String::new(), european: true };
        let text = String::from_utf8(write(&consignments_table([&line]), Format::Csv, &style).unwrap()).unwrap();
        let rows: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
        assert_eq!(
            rows,
            [
                "consignment;ucr;state;flags;exporting;importing;substances;notified_kg;departed_kg;received_kg;unexplained_kg;due;\
                 due_by;due_passed;changed_at",
                "GE-1;'=HYPERLINK(1);unknown;SEIZED WARNED;GE;unknown;urea;24000,500;unknown;0,000;unknown;;;;"
            ]
        );
    }
}
