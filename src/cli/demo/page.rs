//! The last page: who could open what, the table of the nodes, and the same as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::missing::Ending;
use super::scene::{Scene, Shown};
use super::stage::Stage;
use super::watch::Snapshot;
use crate::cli::report::Failure;
use crate::cli::ui::Ui;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode};
use crate::node::ask::BodyState;
use crate::record::Mass;

/// What `--json` prints.
#[derive(Serialize)]
struct Page<'a> {
    converged: bool,
    seconds: serde_json::Number,
    nodes: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'a Ending>,
}

/// One node in [`Page`].
#[derive(Serialize)]
struct Row {
    member: MemberCode,
    frontier: Digest,
    logs: BTreeMap<LogId, u64>,
    statements_verified: u64,
    bodies_opened: u64,
    bodies_sealed: u64,
    cosignatures: usize,
}

/// Prints the result: a page for people, or one object.
///
/// # Errors
/// If stdout cannot be written.
pub(super) fn print(ui: &Ui, stage: &Stage, scene: &Scene) -> Result<(), Failure> {
    scene.lacking.iter().for_each(|what| ui.warn(what));
    ui.say("");
    let page = Page {
        converged: scene.has_converged(),
        seconds: seconds(scene.milliseconds),
        nodes: scene.nodes.iter().map(Row::of).collect(),
        missing: scene.ending.as_ref(),
    };
    ui.result(&page, text(stage, scene))
}

/// What a visitor can do while the nodes run.
pub(super) fn invite(ui: &Ui, stage: &Stage) {
    let dir = stage.dir.display();
    ui.say(format!(
        "\nThe nodes go on running; Ctrl-C stops them. In another terminal:\n  \
         shieldwall --config {dir}/MZ/shieldwall.toml record list\n  \
         shieldwall --config {dir}/LB/shieldwall.toml record show GE-1\n  \
         shieldwall --config {dir}/TR/shieldwall.toml evidence export GE-1 --out evidence\n  \
         shieldwall evidence verify evidence --charter {dir}/charter.cose"
    ));
}

impl Row {
    fn of(node: &Snapshot) -> Self {
        Self {
            member: node.member,
            frontier: node.ledger.frontier,
            logs: node.ledger.logs.iter().map(|log| (log.log, log.size)).collect(),
            statements_verified: node.status.statements_verified,
            bodies_opened: node.status.bodies_opened,
            bodies_sealed: node.status.bodies_sealed,
            cosignatures: node.ledger.cosigned_by.len(),
        }
    }
}

fn text(stage: &Stage, scene: &Scene) -> String {
    let mut text = String::new();
    if !scene.records.is_empty() {
        let table = readers(stage, &scene.records);
        writeln!(text, "{table}\n").expect("writing to a string cannot fail");
    }
    if let Some(ending) = &scene.ending {
        writeln!(text, "{}\n", missing(ending)).expect("writing to a string cannot fail");
    }
    writeln!(text, "{}\n", nodes(stage, scene)).expect("writing to a string cannot fail");
    let seconds = seconds(scene.milliseconds);
    text += &match (scene.frontier(), scene.has_converged()) {
        (Some(frontier), true) => format!(
            "All {} ledgers are equal, frontier {}: every statement verified, every cosignature and receipt held. {seconds} s.",
            scene.nodes.len(),
            frontier.short()
        ),
        (Some(frontier), false) => {
            format!("The ledgers are equal, frontier {}, but something is lacking. {seconds} s.", frontier.short())
        }
        (None, _) => format!("THE LEDGERS DIFFER after {seconds} s."),
    };
    text
}

/// The ship that did not come, as each country sees it.
fn missing(ending: &Ending) -> String {
    let mut table = plain();
    table.set_header([ending.consignment.to_string(), "STATE".into(), "UNEXPLAINED".into(), "ALERTS".into()]);
    for (country, seen) in &ending.seen {
        let mass = seen.unexplained_g.and_then(|grams| Mass::from_grams(grams).ok()).map(|mass| mass.to_string());
        let cells = [seen.state.clone(), mass.unwrap_or_else(|| "unknown".to_owned()), seen.alerts.join(", ")];
        table.add_row([country.to_string()].into_iter().chain(cells));
    }
    align_right(&mut table, &[2]);
    table.trim_fmt()
}

/// The imported records and who could open their bodies.
fn readers(stage: &Stage, records: &[Shown]) -> String {
    let members: Vec<MemberCode> = stage.members.iter().map(|member| member.code).collect();
    let mut table = plain();
    let head = ["RECORD", "GOODS", "NET MASS", "ROUTE"].map(str::to_owned).into_iter();
    table.set_header(head.chain(members.iter().map(ToString::to_string)));
    for Shown { line, seen } in records {
        let mass = line.net_mass_g.and_then(|grams| Mass::from_grams(grams).ok()).map(|mass| mass.to_string());
        let end = |country: &Option<String>| country.clone().unwrap_or_else(|| "?".to_owned());
        let cells = [
            line.id.to_string(),
            line.substances.join(", "),
            mass.unwrap_or_default(),
            format!("{} > {}", end(&line.export_country), end(&line.destination)),
        ];
        let states = members.iter().map(|member| {
            let own = (*member == line.id.log.member).then_some(line.body);
            state(own.or_else(|| seen.get(member).copied())).to_owned()
        });
        table.add_row(cells.into_iter().chain(states));
    }
    align_right(&mut table, &[2]);
    table.trim_fmt()
}

/// What a node can see of a body, in one word.
fn state(body: Option<BodyState>) -> &'static str {
    match body {
        Some(BodyState::Opened) => "opened",
        Some(BodyState::Sealed) => "sealed",
        Some(BodyState::Missing) => "MISSING",
        Some(BodyState::Broken) => "BROKEN",
        Some(BodyState::Erased) => "erased",
        Some(BodyState::Public) => "public",
        None => "?",
    }
}

/// One row for each node.
fn nodes(stage: &Stage, scene: &Scene) -> String {
    let logs: Vec<LogId> = stage.members.iter().map(|member| LogId::first(member.code)).collect();
    let mut table = plain();
    let head = ["NODE".to_owned(), String::new()].into_iter().chain(logs.iter().map(ToString::to_string));
    let tail = ["VERIFIED", "OPENED", "SEALED", "COSIGNED", "RECEIPTS", "FRONTIER"].map(str::to_owned);
    table.set_header(head.chain(tail));
    for node in &scene.nodes {
        let name = stage.members.iter().find(|member| member.code == node.member).map_or("", |member| member.name);
        let sizes = logs.iter().map(|log| {
            let view = node.ledger.logs.iter().find(|view| view.log == *log);
            view.map_or_else(|| "-".to_owned(), |view| view.size.to_string())
        });
        let status = &node.status;
        let receipts: usize =
            node.ledger.logs.iter().map(|view| view.receipts.values().filter(|size| **size == view.size).count()).sum();
        let cells = [
            format!("{} of {}", status.statements_verified, status.statements),
            status.bodies_opened.to_string(),
            status.bodies_sealed.to_string(),
            format!("{} of {}", node.ledger.cosigned_by.len(), status.members),
            receipts.to_string(),
            node.ledger.frontier.short(),
        ];
        table.add_row([node.member.to_string(), name.to_owned()].into_iter().chain(sizes).chain(cells));
    }
    let numbers: Vec<usize> = (2..2 + logs.len() + 5).collect();
    align_right(&mut table, &numbers);
    table.trim_fmt()
}

/// A table without lines, two blanks between columns.
fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if columns.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Seconds with three decimals.
fn seconds(milliseconds: u128) -> serde_json::Number {
    let text = format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000);
    serde_json::from_str(&text).expect("digits with a point are a number in JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_a_decimal_number() {
        assert_eq!(serde_json::to_string(&seconds(7_250)).unwrap(), "7.25");
        assert_eq!(serde_json::to_string(&seconds(61_007)).unwrap(), "61.007");
    }
}
