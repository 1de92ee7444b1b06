//! `shieldwall record erase` and its like: what is to become of the contents of records.

pub(super) mod forget;
pub(super) mod hold;
pub(super) mod list;
pub(super) mod release;

use std::fmt::Write as _;

use crate::cli::approval;
use crate::cli::context::{Context, unexpected};
use crate::cli::entry::{self, Entry};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::counted;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{
    BodyState, ERASURE_RECORDS_MAX, ErasureRequest, PlanView, RecordFilter, RecordLine, Request, Response,
};
use crate::record::{Date, Draft, Kind};

/// Orders that the contents of records of your own country be erased at every member, here first. This cannot be undone.
///
/// The statements, all proofs, and evidence that was handed out stay. Every reader erases its copy and says so in a receipt, or says that its law
/// makes it keep it; `record erasures` shows who has not answered. Backups that were made before, and what readers have copied, are beyond it.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The records, such as GE-1042
    #[arg(value_name = "ID", required_unless_present = "before")]
    records: Vec<RecordId>,
    /// In their place: all contents of your own that are here and were made before this day, such as 2016-11-27, at most 500
    #[arg(long, value_name = "DAY", conflicts_with = "records")]
    before: Option<Date>,
    /// With --before: only records of this kind, such as export-notification
    #[arg(long, value_name = "KIND", requires = "before")]
    kind: Option<String>,
    /// The law that it rests on; every member reads it
    #[arg(long, value_name = "TEXT")]
    legal_basis: String,
    /// Why, in words that name nothing of what is to be erased; every member reads it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Show what would be ordered, and order nothing
    #[arg(long)]
    dry_run: bool,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let records = match args.before {
        Some(day) => before(context, day, args.kind.as_deref())?,
        None => args.records.clone(),
    };
    if records.is_empty() {
        return Err(Failure::new(Exit::Failure, "there is nothing of your own to erase that was made before that day"));
    }
    let request = Request::Erasure(ErasureRequest::Plan { records: records.clone() });
    let Response::ErasurePlan(plan) = context.ask(&request)? else { return Err(unexpected()) };
    if args.dry_run {
        context.ui.result(&plan, planned(&plan))?;
        return Ok(Exit::Success);
    }
    context.ui.say(planned(&plan).trim_end());
    let what = counted(plan.records.len() as u64, "record");
    let consequence = format!("The contents of {what} will be erased at every member. This cannot be undone.");
    context.confirm_by_typing(&consequence, "erase")?;
    let draft = Draft {
        kind: Some(Kind::Erasure),
        erases: records,
        legal_basis: Some(args.legal_basis.clone()),
        reason: args.reason.clone(),
        ..Draft::default()
    };
    entry::log::<Args>(context, draft, &Entry::default())
}

/// One's own records before a day whose contents are here and can be erased, the oldest first.
fn before(context: &Context, day: Date, kind: Option<&str>) -> Result<Vec<RecordId>, Failure> {
    let me = context.config()?.member;
    let Response::Ledger(ledger) = context.ask(&Request::Ledger)? else { return Err(unexpected()) };
    let mut found = Vec::new();
    for log in ledger.logs.iter().map(|log| log.log).filter(|log| log.member == me) {
        let filter =
            RecordFilter { log: Some(log), kind: kind.map(str::to_owned), opened: true, ..RecordFilter::default() };
        let Response::Records(lines) = context.ask(&Request::RecordList(filter))? else { return Err(unexpected()) };
        found.extend(lines.into_iter().filter(|line| is_due(line, day)).map(|line| line.id));
    }
    found.sort_unstable();
    found.truncate(ERASURE_RECORDS_MAX);
    Ok(found)
}

fn is_due(line: &RecordLine, day: Date) -> bool {
    let can_be = line.kind.as_deref().is_some_and(|kind| Kind::read(kind).can_be_erased());
    line.body == BodyState::Opened && can_be && Date::of(line.issued_at).is_ok_and(|made| made < day)
}

/// What an order would do, in words.
fn planned(plan: &PlanView) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string cannot fail");
    for record in &plan.records {
        let kind = record.kind.as_deref().unwrap_or("sealed");
        let readers = record.readers.iter().map(MemberCode::as_str).collect::<Vec<_>>().join(" ");
        let readers = if readers.is_empty() { "no other reader".to_owned() } else { format!("read by {readers}") };
        let held = if record.held { "; held here, so it stays here until it is released" } else { "" };
        line(format!("{}  {kind}, {readers}{held}", record.id));
    }
    for (grant, others) in &plan.grants {
        line(match others {
            0 => format!("{grant} grants nothing else: name it as well, or its sealed keys stay"),
            _ => format!(
                "{grant} has the keys in it sealed, with those of {} that stay: name it as well, and grant them anew",
                counted(*others, "record")
            ),
        });
    }
    text
}

/// Has something done with bodies that lie on this node.
fn keep(context: &Context, request: ErasureRequest) -> Result<(), Failure> {
    let answer = context.connect()?.ask(&Request::Erasure(request), |_| {})?;
    if let Response::Pending(view) = answer {
        return Err(approval::pending(context, &[*view])?);
    }
    if answer == Response::Done { Ok(()) } else { Err(unexpected()) }
}

/// `GE-1 GE-7`.
fn names(records: &[RecordId]) -> String {
    records.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, usage};
    use crate::node::ask::PlannedView;

    #[test]
    fn a_plan_says_who_reads_and_which_keys_stay() {
        let plan = PlanView {
            records: vec![
                PlannedView {
                    id: "GE-1".parse().unwrap(),
                    kind: Some("export-notification".to_owned()),
                    readers: ["MZ", "TR"].map(|member| member.parse().unwrap()).into(),
                    held: false,
                },
                PlannedView { id: "GE-4".parse().unwrap(), kind: None, readers: [].into(), held: true },
            ],
            grants: [("GE-5".parse().unwrap(), 0), ("GE-6".parse().unwrap(), 2)].into(),
        };
        let expected = "GE-1  export-notification, read by MZ TR\n\
            GE-4  sealed, no other reader; held here, so it stays here until it is released\n\
            GE-5 grants nothing else: name it as well, or its sealed keys stay\n\
            GE-6 has the keys in it sealed, with those of 2 records that stay: name it as well, and grant them anew\n";
        assert_eq!(planned(&plan), expected);
    }

    #[test]
    fn records_are_named_or_chosen_by_their_day() {
        let both = usage::<Args>(&["GE-1", "--before", "2016-01-01", "--legal-basis", "x"]);
        assert!(both.contains("--before"), "{both}");
        assert!(usage::<Args>(&["--legal-basis", "x"]).contains("ID"));
        assert!(usage::<Args>(&["GE-1"]).contains("--legal-basis"));
        let named: Args = args(&["GE-1", "GE-7", "--legal-basis", "Order 7"]);
        assert_eq!(names(&named.records), "GE-1 GE-7");
    }
}
