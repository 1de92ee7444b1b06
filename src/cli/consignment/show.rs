//! `shieldwall consignment show`.

use std::fmt::Write as _;

use super::list::{ShowArgs, due_words};
use crate::cli::context::{Context, unexpected};
use crate::cli::entry::Name;
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::mass;
use crate::node::ask::{ConsignmentName, ConsignmentView, Request, Response, TimelineEntry};

pub(super) fn run(context: &Context, args: &ShowArgs) -> Outcome {
    let name = match &args.consignment {
        Name::Record(id) => ConsignmentName::Record(*id),
        Name::Ucr(ucr) => ConsignmentName::Ucr(ucr.clone()),
    };
    let Response::Consignment(view) = context.ask(&Request::ConsignmentShow(name))? else { return Err(unexpected()) };
    context.ui.result(&view, text(&view))?;
    Ok(Exit::Success)
}

fn text(view: &ConsignmentView) -> String {
    let line = &view.line;
    let unknown = || "unknown".to_owned();
    let member = |member: &Option<_>| member.as_ref().map_or_else(unknown, ToString::to_string);
    let grams = |grams: Option<u64>| grams.map_or_else(unknown, mass);
    let mut text = String::new();
    let rows = [
        ("consignment", Some(line.id.to_string())),
        ("reference", Some(line.ucr.clone().unwrap_or_else(unknown))),
        ("state", Some(line.state.clone().unwrap_or_else(unknown))),
        ("flags", (!line.flags.is_empty()).then(|| line.flags.join(" "))),
        ("route", Some(format!("{} to {}", member(&line.exporting), member(&line.importing)))),
        ("substances", (!line.substances.is_empty()).then(|| line.substances.join(" "))),
        ("due", line.due.as_ref().map(due_words)),
        ("announced", Some(grams(line.notified_g))),
        ("left", Some(grams(line.departed_g))),
        ("came", Some(grams(line.received_g))),
        ("unexplained", Some(grams(line.unexplained_g))),
    ];
    for (label, value) in rows.into_iter().filter_map(|(label, value)| Some((label, value?))) {
        put(&mut text, format_args!("{label:<12} {value}"));
    }
    if let Some(assessment) = &view.assessment {
        put(&mut text, format_args!("{:<12} {}", "risk", risk(assessment)));
        for hit in assessment["hits"].as_array().into_iter().flatten() {
            let (code, words) = (&hit["code"], &hit["words"]);
            let (code, words) = (code.as_str().unwrap_or_default(), words.as_str().unwrap_or_default());
            put(&mut text, format_args!("{:<12} {code} ({} points): {words}", "", hit["points"]));
        }
    }
    for alert in view.case.iter().flat_map(|case| case["alerts"].as_array()).flatten() {
        let (rule, words) = (&alert["rule"], &alert["words"]);
        let (rule, words) = (rule.as_str().unwrap_or_default(), words.as_str().unwrap_or_default());
        put(&mut text, format_args!("{:<12} {rule}: {words}", "alert"));
    }
    put(&mut text, format_args!("\nTimeline"));
    for entry in &view.timeline {
        put(&mut text, format_args!("  {}", event(entry)));
    }
    if !view.compared.is_empty() {
        put(&mut text, format_args!("\nWhat left beside what came"));
        view.compared.iter().for_each(|line| put(&mut text, format_args!("  {line}")));
    }
    text
}

/// `amber, 30 points`.
fn risk(assessment: &serde_json::Value) -> String {
    format!("{}, {} points", assessment["band"].as_str().unwrap_or("unknown"), assessment["score"])
}

fn event(entry: &TimelineEntry) -> String {
    let mut line = format!("{}  {:<8} {}", entry.at, entry.id.to_string(), entry.words);
    if let Some(logged) = entry.logged_at {
        write!(line, " (logged {logged})").expect("writing to a string cannot fail");
    }
    line
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to a string cannot fail");
}
