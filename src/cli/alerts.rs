//! `shieldwall alerts`.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use super::show::outline;
use super::ui::table;
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::node::ask::{AlertAct, AlertFilter, AlertLine, AlertView, OfficerRequest, Request, Response};
use crate::node::clock;
use crate::watch::alert::Outcome as CaseOutcome;

/// How often somebody who follows asks the node.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// List cases, the most urgent first
    List(ListArgs),
    /// Show one case: its alerts, what officers did, the risk with its reasons
    Show(CaseArgs),
    /// You have seen it
    Ack(NoteArgs),
    /// Put it aside for a while; it comes back by itself, and when something new is raised
    Snooze(SnoozeArgs),
    /// Give it to an officer
    Assign(AssignArgs),
    /// You are done with it
    Close(CloseArgs),
    /// You are not done with it after all
    Reopen(NoteArgs),
    /// Show another band of risk than the score gives, with your reason; the score stays
    Override(OverrideArgs),
    /// Print what is raised from now on, until interrupted
    Follow(FollowArgs),
}

/// Lists the cases that are open. Each is about one consignment, or about a warning that belongs to none.
#[derive(clap::Args, Debug)]
pub(super) struct ListArgs {
    /// Where they stand: open, acknowledged, snoozed, closed
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<String>,
    /// Only this urgent or more: red, amber, info
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Only with an alert of this rule, such as overdue or R04
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Only this officer's
    #[arg(long, value_name = "NAME")]
    assigned_to: Option<String>,
    /// At most so many; 0 for as many as one answer holds
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

#[derive(clap::Args, Debug)]
pub(super) struct CaseArgs {
    /// The consignment, or the record of a warning that belongs to none
    #[arg(value_name = "CASE")]
    case: RecordId,
}

#[derive(clap::Args, Debug)]
pub(super) struct NoteArgs {
    #[command(flatten)]
    case: CaseArgs,
    #[command(flatten)]
    officer: Officer,
    /// A word on it
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(clap::Args, Debug)]
pub(super) struct SnoozeArgs {
    #[command(flatten)]
    case: CaseArgs,
    #[command(flatten)]
    officer: Officer,
    /// For how many days, 90 at most
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=90))]
    days: u16,
    /// A word on it
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(clap::Args, Debug)]
pub(super) struct AssignArgs {
    #[command(flatten)]
    case: CaseArgs,
    #[command(flatten)]
    officer: Officer,
    /// Whose it is to look into; empty for nobody's
    #[arg(long, value_name = "NAME")]
    to: String,
}

#[derive(clap::Args, Debug)]
pub(super) struct CloseArgs {
    #[command(flatten)]
    case: CaseArgs,
    #[command(flatten)]
    officer: Officer,
    /// How it ended: confirmed, irregular, false-alarm, explained
    #[arg(long, value_name = "OUTCOME")]
    outcome: CaseOutcome,
    /// A word on it
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(clap::Args, Debug)]
pub(super) struct OverrideArgs {
    #[command(flatten)]
    case: CaseArgs,
    #[command(flatten)]
    officer: Officer,
    /// The band to show: green, amber, red
    #[arg(long, value_name = "BAND")]
    band: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(clap::Args, Debug)]
pub(super) struct FollowArgs {
    /// Begin with what was raised since the node started
    #[arg(long)]
    all: bool,
}

/// Whose act it is.
#[derive(clap::Args, Debug)]
pub(super) struct Officer {
    /// Your name, as it is kept with the case; without it that of your account
    #[arg(long = "officer", value_name = "NAME")]
    name: Option<String>,
}

impl Officer {
    pub(super) fn name(self) -> Result<String, Failure> {
        self.name
            .or_else(|| std::env::var("USER").ok())
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Failure::new(Exit::Failure, "an act of an officer needs a name").hint("--officer gives it"))
    }
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(args) => list(context, args),
        Command::Show(CaseArgs { case }) => shown(context, OfficerRequest::AlertShow { case }),
        Command::Ack(args) => act(context, args.case.case, AlertAct::Acknowledge, args.officer, args.note),
        Command::Snooze(SnoozeArgs { case, officer, days, note }) => {
            let until = Timestamp::from_second(clock::now().seconds())
                .and_then(|now| now.checked_add(SignedDuration::from_hours(24 * i64::from(days))))
                .ok()
                .and_then(|until| UnixTime::from_seconds(until.as_second()).ok());
            let until =
                until.ok_or_else(|| Failure::new(Exit::Failure, "the clock of this machine is out of range"))?;
            act(context, case.case, AlertAct::Snooze { until }, officer, note)
        }
        Command::Assign(AssignArgs { case, officer, to }) => {
            act(context, case.case, AlertAct::Assign { to }, officer, String::new())
        }
        Command::Close(CloseArgs { case, officer, outcome, note }) => {
            act(context, case.case, AlertAct::Close { outcome: outcome.name().to_owned() }, officer, note)
        }
        Command::Reopen(args) => act(context, args.case.case, AlertAct::Reopen, args.officer, args.note),
        Command::Override(OverrideArgs { case, officer, band, reason }) => {
            act(context, case.case, AlertAct::Override { band }, officer, reason)
        }
        Command::Follow(args) => follow(context, &args),
    }
}

fn list(context: &Context, args: ListArgs) -> Outcome {
    let ListArgs { status, severity, rule, assigned_to, limit } = args;
    let filter = AlertFilter { status, severity, rule, assigned_to, limit };
    let Response::Alerts(cases) = ask(context, OfficerRequest::AlertList(filter))? else { return Err(unexpected()) };
    let head = ["CASE", "SEVERITY", "STATUS", "SINCE", "FROM", "TO", "WHAT", "WHO"];
    context.ui.result(&cases, table(head, cases.iter().map(row)))?;
    Ok(Exit::Success)
}

fn row(line: &AlertLine) -> [String; 8] {
    let member = |member: Option<crate::encoding::ids::MemberCode>| {
        member.map_or_else(|| "unknown".to_owned(), |member| member.to_string())
    };
    let holding: Vec<&str> = line.alerts.iter().filter(|alert| alert.holds).map(|alert| alert.words.as_str()).collect();
    let what = if holding.is_empty() { "what caused it is no more".to_owned() } else { holding.join(" ") };
    let status = line.until.map_or_else(|| line.status.clone(), |until| format!("{} until {until}", line.status));
    [
        line.case.to_string(),
        line.severity.clone(),
        status,
        line.since.map(|at| at.to_string()).unwrap_or_default(),
        member(line.exporting),
        member(line.importing),
        what,
        line.assigned_to.clone().unwrap_or_else(|| "nobody".to_owned()),
    ]
}

fn act(context: &Context, case: RecordId, act: AlertAct, officer: Officer, note: String) -> Outcome {
    shown(context, OfficerRequest::AlertAct { case, act, by: officer.name()?, note })
}

/// Asks the node as an officer.
pub(super) fn ask(context: &Context, request: OfficerRequest) -> Result<Response, Failure> {
    context.ask(&Request::Officer(request))
}

fn shown(context: &Context, request: OfficerRequest) -> Outcome {
    let Response::Alert(view) = ask(context, request)? else { return Err(unexpected()) };
    context.ui.result(&view, text(&view))?;
    Ok(Exit::Success)
}

fn text(view: &AlertView) -> String {
    let line = &view.line;
    let mut text = String::new();
    let mut put = |words: std::fmt::Arguments<'_>| {
        writeln!(text, "{words}").expect("writing to a string cannot fail");
    };
    put(format_args!("{:<12} {}", "case", line.case));
    if let Some(ucr) = &line.ucr {
        put(format_args!("{:<12} {ucr}", "reference"));
    }
    put(format_args!("{:<12} {}", "severity", line.severity));
    let until = line.until.map(|until| format!(" until {until}")).unwrap_or_default();
    put(format_args!("{:<12} {}{until}", "status", line.status));
    put(format_args!("{:<12} {}", "assigned to", line.assigned_to.as_deref().unwrap_or("nobody")));
    for alert in &line.alerts {
        let holds = if alert.holds { "" } else { " (is so no more)" };
        put(format_args!("\n{} {}{holds}: {}", alert.severity, alert.rule, alert.words));
        put(format_args!("  this rule so far: {}", alert.rate));
    }
    if let Some(assessment) = &view.assessment {
        put(format_args!("\n{}", outline("risk", assessment).trim_end()));
    }
    put(format_args!("\nhistory"));
    for event in view.case["history"].as_array().into_iter().flatten() {
        put(format_args!("  {}", happened(event)));
    }
    text
}

/// One event of a case in a line: when, who, what, and the word on it.
fn happened(event: &serde_json::Value) -> String {
    let word = |name: &str| event[name].as_str().unwrap_or_default();
    let by = if word("by").is_empty() { "this node" } else { word("by") };
    let mut line = format!("{}  {by}  {}", word("at"), word("act"));
    for detail in
        ["rule", "severity", "band", "outcome", "until", "to"].map(word).into_iter().filter(|word| !word.is_empty())
    {
        line.push(' ');
        line.push_str(detail);
    }
    for said in ["note", "reason"].map(word).into_iter().filter(|word| !word.is_empty()) {
        line.push_str(": ");
        line.push_str(said);
    }
    line
}

/// Asks the node again and again; a signal ends it.
fn follow(context: &Context, args: &FollowArgs) -> Outcome {
    let mut known = 0;
    let mut first = !args.all;
    loop {
        let Response::Raised(raised) = ask(context, OfficerRequest::AlertsSince { number: known })? else {
            return Err(unexpected());
        };
        for alert in raised {
            known = known.max(alert.number);
            if first {
                continue;
            }
            let words = &alert.words;
            context.ui.result(
                &alert,
                format!("{}  {:<8} {:<8} {:<20} {words}", alert.at, alert.case.to_string(), alert.severity, alert.rule),
            )?;
        }
        first = false;
        std::thread::sleep(FOLLOW_EVERY);
    }
}
