//! `shieldwall record`.

mod custody;
pub(super) mod erase;

use std::fmt::Write as _;

use custody::{Judged, since};

use super::context::{Context, unexpected};
use super::report::{Exit, Outcome};
use super::show::{counted, mass, outline};
use super::ui::table;
use crate::encoding::ids::{LogId, RecordId};
use crate::node::ask::{BodyState, RecordFilter, RecordLine, RecordView, Request, Response};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// List records, newest first
    List(ListArgs),
    /// Show one record: what this node may read of it, and who vouches for it
    Show {
        /// The record, such as GE-1042
        id: RecordId,
    },
    /// Order that contents of your own records be erased everywhere (G08)
    Erase(erase::Args),
    /// Erase this node's copies of other members' records
    Forget(erase::forget::Args),
    /// Keep contents here whatever is ordered
    Hold(erase::hold::Args),
    /// Hold contents no more
    Release(erase::release::Args),
    /// Show what was ordered erased, who has answered, who has not, and what is held
    Erasures,
}

/// Lists records, newest first. Bodies that are not for this node stay sealed; their statements are listed all the same.
#[derive(clap::Args, Debug)]
pub(super) struct ListArgs {
    /// Only of this log, such as GE or GE.2
    #[arg(long)]
    log: Option<LogId>,
    /// Only of this kind, such as export-notification
    #[arg(long)]
    kind: Option<String>,
    /// Only of the consignment that this record opened
    #[arg(long, value_name = "ID")]
    consignment: Option<RecordId>,
    /// Only those with this unique consignment reference
    #[arg(long, value_name = "TEXT")]
    ucr: Option<String>,
    /// Only those that this node may open
    #[arg(long)]
    opened: bool,
    /// At most so many; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(args) => list(context, args),
        Command::Show { id } => show(context, id),
        Command::Erase(args) => erase::run(context, &args),
        Command::Forget(args) => erase::forget::run(context, &args),
        Command::Hold(args) => erase::hold::run(context, &args),
        Command::Release(args) => erase::release::run(context, &args),
        Command::Erasures => erase::list::run(context),
    }
}

fn list(context: &Context, args: ListArgs) -> Outcome {
    let ListArgs { log, kind, consignment, ucr, opened, limit } = args;
    let filter = RecordFilter { log, kind, consignment, ucr, opened, limit };
    let Response::Records(records) = context.ask(&Request::RecordList(filter))? else { return Err(unexpected()) };
    let head = ["ID", "MADE", "BODY", "KIND", "FROM", "TO", "SUBSTANCES", "NET MASS", "UCR"];
    context.ui.result(&records, table(head, records.iter().map(row)))?;
    if limit > 0 && records.len() as u64 == limit {
        context.ui.say(format!("The newest {}; --limit 0 lists all.", counted(limit, "record")));
    }
    Ok(Exit::Success)
}

fn row(line: &RecordLine) -> [String; 9] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let kind = match &line.flagged {
        Some(reason) => format!("without effect: {reason}"),
        None => text(&line.kind),
    };
    [
        line.id.to_string(),
        line.issued_at.to_string(),
        body(line.body).to_owned(),
        kind,
        text(&line.export_country),
        text(&line.destination),
        line.substances.join(" "),
        line.net_mass_g.map(mass).unwrap_or_default(),
        text(&line.ucr),
    ]
}

fn show(context: &Context, id: RecordId) -> Outcome {
    let Response::Record(record) = context.ask(&Request::RecordShow { id })? else { return Err(unexpected()) };
    let config = context.config()?;
    let custody = (id.log.member == config.member).then(|| Judged::of(&record, &config.custody));
    let mut json = serde_json::to_value(&record).map_err(|_| unexpected())?;
    if let (Some(judged), Some(members)) = (&custody, json.as_object_mut()) {
        members.insert("custody".to_owned(), judged.to_json());
    }
    context.ui.result(&json, text(&record, custody.as_ref()))?;
    Ok(Exit::Success)
}

fn text(record: &RecordView, custody: Option<&Judged>) -> String {
    let mut text = String::new();
    let line = &record.line;
    let rows = [
        ("record", Some(line.id.to_string())),
        ("made", Some(line.issued_at.to_string())),
        ("statement", Some(record.statement.to_string())),
        ("size class", Some(format!("{} bytes, {} tags", record.size_class, record.tags))),
        ("body", Some(body(line.body).to_owned())),
        ("consignment", record.consignment.as_ref().map(standing)),
        ("custody", custody.map(ToString::to_string)),
        ("held by", since(&record.held_since)),
        ("arrived at", since(&record.acknowledged_by)),
        ("no effect", line.flagged.clone()),
        ("erased", record.erased.as_ref().map(|erased| format!("on {}, {}", erased.at, erased.why))),
        ("held here", record.hold.as_ref().map(erase::list::held)),
    ];
    for (label, value) in rows.into_iter().filter_map(|(label, value)| Some((label, value?))) {
        writeln!(text, "{label:<12} {value}").expect("writing to a string cannot fail");
    }
    for (field, value) in &record.content {
        write!(text, "\n{}", outline(field, value)).expect("writing to a string cannot fail");
    }
    text
}

/// A consignment in one line: which, where it stands, and what else is to be known.
pub(super) fn standing(consignment: &serde_json::Value) -> String {
    let text = |key: &str| consignment[key].as_str().unwrap_or("unknown").to_owned();
    let words = |key: &str| {
        let list = consignment[key].as_array().into_iter().flatten();
        list.filter_map(serde_json::Value::as_str).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let mut line = format!("{} {}", text("consignment"), text("state"));
    if !words("flags").is_empty() {
        line = format!("{line}, {}", words("flags").join(" "));
    }
    if !words("acknowledged_by").is_empty() {
        line = format!("{line}, acknowledged by {}", words("acknowledged_by").join(" "));
    }
    line
}

fn body(state: BodyState) -> &'static str {
    match state {
        BodyState::Opened => "opened",
        BodyState::Sealed => "sealed",
        BodyState::Missing => "not here yet",
        BodyState::Broken => "does not open",
        BodyState::Erased => "erased",
        BodyState::Public => "public",
    }
}
