//! `shieldwall consignment list`.

use std::cmp::Reverse;

use super::table::consignments_table;
use crate::cli::context::{Context, unexpected};
use crate::cli::entry::Name;
use crate::cli::export::{ExportArgs, deliver, text};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::{counted, mass};
use crate::cli::ui::table;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{ConsignmentFilter, ConsignmentLine, ConsignmentOrder, ConsignmentPage, Due, Request, Response};

/// Lists consignments, the one changed last first. What this node may not read is shown as unknown.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Only in these states, such as NOTIFIED,OVERDUE
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
    /// Only with this flag, such as ARRIVED_UNANNOUNCED
    #[arg(long, value_name = "FLAG")]
    flag: Option<String>,
    /// Only with this substance
    #[arg(long, value_name = "CODE")]
    substance: Option<String>,
    /// Only with this country: where it comes from, goes to or passes through
    #[arg(long, value_name = "MEMBER")]
    partner: Option<MemberCode>,
    /// Only with this reference
    #[arg(long, value_name = "UCR")]
    ucr: Option<String>,
    /// Only in this band of risk: green, amber, red
    #[arg(long, value_name = "BAND")]
    risk: Option<String>,
    /// Only with a mass that nobody can explain
    #[arg(long)]
    unexplained: bool,
    /// Only those of which something is due within so many days, or was
    #[arg(long, value_name = "DAYS")]
    due: Option<u16>,
    /// In which order
    #[arg(long, value_enum, default_value_t)]
    order: ConsignmentOrder,
    /// Only those after this one, in the same order: the next page
    #[arg(long, value_name = "ID")]
    after: Option<RecordId>,
    /// At most so many; 0 for as many as one answer holds [default: 50; all of them into a file]
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    export: ExportArgs,
}

/// How many are shown if nobody says.
const SHOWN: u64 = 50;

/// Shows one consignment.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct ShowArgs {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    pub(super) consignment: Name,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    if args.export.is_wanted() {
        return export(context, args);
    }
    let page = ask(context, filter(args))?;
    let head = [
        "CONSIGNMENT",
        "STATE",
        "FROM",
        "TO",
        "SUBSTANCES",
        "ANNOUNCED",
        "CAME",
        "UNEXPLAINED",
        "DUE",
        "RISK",
        "FLAGS",
    ];
    context.ui.result(&page, table(head, page.consignments.iter().map(row)))?;
    let shown = page.consignments.len() as u64;
    if shown < page.total {
        context.ui.say(format!("{shown} of {}; --after and --limit show others.", counted(page.total, "consignment")));
    }
    Ok(Exit::Success)
}

/// All of them as a table, unless so many were asked for; as many answers as it takes.
fn export(context: &Context, args: Args) -> Outcome {
    let (limit, order, to) = (args.limit.unwrap_or(0), args.order, args.export.clone());
    to.check(context)?;
    let mut filter = filter(args);
    filter.limit = limit;
    let mut lines: Vec<ConsignmentLine> = Vec::new();
    if limit == 0 {
        // What changes meanwhile would move to another page of any other order.
        filter.order = ConsignmentOrder::Id;
    }
    loop {
        let page = ask(context, filter.clone())?.consignments;
        let Some(last) = page.last() else { break };
        filter.after = Some(last.id);
        lines.extend(page);
        if limit > 0 {
            break;
        }
    }
    match order {
        ConsignmentOrder::Changed => lines.sort_by_key(|line| (Reverse(line.changed_at), line.id)),
        ConsignmentOrder::Due => lines.sort_by_key(|line| {
            let due = line.due.as_ref();
            (due.is_none(), due.and_then(|due| due.by), line.id)
        }),
        ConsignmentOrder::Id => {}
    }
    let table = consignments_table(&lines);
    deliver(context, &table, &to, || text(&table, None, |_| true))
}

fn ask(context: &Context, filter: ConsignmentFilter) -> Result<ConsignmentPage, Failure> {
    let Response::Consignments(page) = context.ask(&Request::ConsignmentList(filter))? else {
        return Err(unexpected());
    };
    Ok(page)
}

fn filter(args: Args) -> ConsignmentFilter {
    let Args { state, flag, substance, partner, ucr, risk, unexplained, due, order, after, limit, export: _ } = args;
    let limit = limit.unwrap_or(SHOWN);
    ConsignmentFilter {
        states: state,
        flag,
        substance,
        partner,
        ucr,
        risk,
        unexplained,
        due_within_days: due,
        order,
        after,
        limit,
    }
}

fn row(line: &ConsignmentLine) -> [String; 11] {
    let member = |member: Option<MemberCode>| member.map_or_else(|| "unknown".to_owned(), |member| member.to_string());
    let grams = |grams: Option<u64>| grams.map_or_else(|| "unknown".to_owned(), mass);
    [
        line.id.to_string(),
        line.state.clone().unwrap_or_else(|| "unknown".to_owned()),
        member(line.exporting),
        member(line.importing),
        line.substances.join(" "),
        grams(line.notified_g),
        grams(line.received_g),
        grams(line.unexplained_g),
        line.due.as_ref().map(due_words).unwrap_or_default(),
        line.risk.clone().unwrap_or_else(|| "unknown".to_owned()),
        line.flags.join(" "),
    ]
}

/// `answer by 2026-11-30`, `arrival late since 2026-11-20`.
pub(super) fn due_words(due: &Due) -> String {
    let what = &due.what;
    match due.by {
        None => format!("{what} now"),
        Some(day) if due.passed => format!("{what} late since {day}"),
        Some(day) => format!("{what} by {day}"),
    }
}
