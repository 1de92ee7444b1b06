//! `shieldwall log impact`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::counted;
use crate::cli::ui::table;
use crate::encoding::ids::{LogId, MemberCode};
use crate::node::ask::{BodyState, ImpactLine, ImpactView, Request, Response};

/// Shows which records lie in a log from a position on, who can read them, and which consignments they are about.
///
/// Nothing is changed. What a record says to others only, and which of another member's readers it has, cannot be told here.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The log, such as GE or GE.2
    log: LogId,
    /// The first position: the size at which the log would be closed
    #[arg(long, value_name = "POSITION")]
    from: u64,
    /// List every record too
    #[arg(long)]
    records: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let request = Request::LogImpact { log: args.log, from: args.from };
    let Response::Impact(impact) = context.ask(&request)? else { return Err(unexpected()) };
    context.ui.result(&impact, text(&impact, args.records))?;
    Ok(Exit::Success)
}

fn text(impact: &ImpactView, with_records: bool) -> String {
    let ImpactView { log, from, size, .. } = impact;
    let mut text = match size.checked_sub(*from).filter(|count| *count > 0) {
        None => return format!("{log} ends at {size}: nothing lies from there on"),
        Some(count) => format!("{log} from {from} on: {}", counted(count, "statement")),
    };
    let public = impact.records.iter().filter(|line| line.body == BodyState::Public).count();
    let said = impact.records.len() - public;
    let _written = write!(text, ", of them {}", counted(said as u64, "record"));
    if impact.left_out > 0 {
        let _written =
            write!(text, " among the first {}; {} were not looked at", impact.records.len(), impact.left_out);
    }
    let mut row = |label: &str, value: String| {
        let _written = write!(text, "\n{label:<13} {value}");
    };
    row("kinds", kinds(impact));
    if impact.sealed > 0 {
        row("unknown", format!("{}: for others, or not here yet", counted(impact.sealed, "record")));
    }
    row("read by", counts(&impact.readers));
    let holders: Vec<String> = impact.holders.iter().map(ToString::to_string).collect();
    row("held by", if holders.is_empty() { "nobody who has said so".to_owned() } else { holders.join(" ") });
    row("consignments", impact.consignments.len().to_string());
    if !impact.consignments.is_empty() {
        let head = ["CONSIGNMENT", "UCR", "STATE", "WITH", "RECORDS"];
        text = format!("{text}\n\n{}", table(head, impact.consignments.iter().map(of_consignment)));
    }
    if with_records {
        let head = ["ID", "MADE", "KIND", "TO"];
        let rows = impact.records.iter().map(|line| {
            let kind = line
                .kind
                .clone()
                .unwrap_or_else(|| if line.body == BodyState::Public { "lanes" } else { "sealed" }.to_owned());
            [line.id.to_string(), line.issued_at.to_string(), kind, line.destination.clone().unwrap_or_default()]
        });
        text = format!("{text}\n\n{}", table(head, rows));
    }
    text
}

/// `2 departure, 1 export-notification`.
fn kinds(impact: &ImpactView) -> String {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for kind in impact.records.iter().filter_map(|line| line.kind.as_deref()) {
        *kinds.entry(kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if kinds.is_empty() { "none that can be read here".to_owned() } else { kinds.join(", ") }
}

/// `LB 2, MZ 1`.
fn counts(readers: &BTreeMap<MemberCode, u64>) -> String {
    let readers: Vec<String> = readers.iter().map(|(member, count)| format!("{member} {count}")).collect();
    if readers.is_empty() { "nobody else, as far as can be told here".to_owned() } else { readers.join(", ") }
}

fn of_consignment(line: &ImpactLine) -> [String; 5] {
    let countries: Vec<String> = line.countries.iter().map(ToString::to_string).collect();
    let records: Vec<String> = line.records.iter().map(ToString::to_string).collect();
    [
        line.id.to_string(),
        line.ucr.clone().unwrap_or_default(),
        line.state.clone().unwrap_or_else(|| "not known here".to_owned()),
        countries.join(" "),
        records.join(" "),
    ]
}
