//! `shieldwall audit verify`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::anchors;
use super::source::{Line, Source, name_of, read_to_end};
use crate::audit::{Anchor, Fault, Flaw, Link, Report, Standing, Verifier};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::counted;
use crate::encoding::ids::RecordId;

/// Checks every line of an audit log and names the first that was altered, taken out, put in or moved; then compares with what the node has
/// said of it in its own log, which every other member's node holds as well.
///
/// Ends with 20 if something is not as it was written, with 22 if the beginning is not here (--from says that it need not be), and with 3 if all
/// lines hold but the anchors could not be read (--chain-only leaves them out). Works without a running node.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Files of an audit log, or folders of them, archived ones included [default: the folder audit in data_dir]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Anchors from elsewhere: what `audit anchors --of MEMBER --json` printed at another member's node
    #[arg(long, value_name = "FILE", conflicts_with = "chain_only")]
    anchors: Option<PathBuf>,
    /// Compare with no anchors
    #[arg(long)]
    chain_only: bool,
    /// Check from this entry on
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
    /// Compare with anchors from this record on: with a disk that was lost, so was what those before it counted
    #[arg(long, value_name = "ID")]
    since: Option<RecordId>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let source = Source::of(context, &args.paths)?;
    let (anchors, unread) = match anchors(context, args) {
        Ok(anchors) => (anchors, None),
        Err(failure) => (Vec::new(), Some(failure.text())),
    };
    let anchors = anchors.into_iter().filter(|anchor| args.since.is_none_or(|since| anchor.record >= since));
    let mut checked = Checked::new(Verifier::new(anchors.collect()), args.from);
    source.each(|line| {
        checked.take(line);
        Ok::<(), Failure>(())
    })?;
    let report = checked.verifier.finish();
    let is_begun = report.first.is_none_or(|first| first <= args.from);
    context.ui.result(&to_json(&report, unread.as_deref()), to_text(&report, &source, args, unread.as_deref()))?;
    Ok(match (report.is_whole(), is_begun, unread) {
        (false, _, _) => Exit::Verification,
        (true, false, _) => Exit::Behind,
        (true, true, Some(_)) => Exit::Partial,
        (true, true, None) => Exit::Success,
    })
}

/// What is wrong, in words.
pub(in crate::cli) fn words(fault: &Fault) -> String {
    let entry = fault.entry;
    let over = |anchor: &Anchor| format!("{} of {} over {} entries", anchor.record, anchor.at, anchor.entries);
    match &fault.flaw {
        Flaw::Altered(error) => format!("entry {entry} is not as it was written: {error}"),
        Flaw::Replaced => format!("entry {entry} is not the one that the entry behind it was written after"),
        Flaw::Missing { last } if *last == entry => format!("entry {entry} is missing"),
        Flaw::Missing { last } => format!("entries {entry} to {last} are missing"),
        Flaw::OutOfPlace { expected } => format!("entry {entry} stands where entry {expected} should"),
        Flaw::Resumed => format!("entry {entry} says that the node found the log damaged and began again"),
        Flaw::NoBeginning => "entry 1 was written after another one".to_owned(),
        Flaw::NotAsAnchored(anchor) => {
            format!(
                "between entry {entry} and entry {} something was altered: {} does not hold",
                anchor.entries,
                over(anchor)
            )
        }
        Flaw::CutOff(anchor) => format!("entry {entry} and what follows are cut off: the anchor is {}", over(anchor)),
    }
}

/// Lines on their way to the check.
struct Checked {
    verifier: Verifier,
    from: u64,
    file: Option<PathBuf>,
}

impl Checked {
    fn new(verifier: Verifier, from: u64) -> Self {
        Self { verifier, from, file: None }
    }

    fn take(&mut self, line: Line<'_>) {
        if self.file.as_deref() != Some(line.file) {
            self.verifier.file(name_of(line.file));
            self.file = Some(line.file.to_owned());
        }
        // Once it has begun, everything counts.
        if self.from > 1 {
            match Link::read(line.bytes) {
                Ok(link) if link.number >= self.from => self.from = 1,
                Ok(_) | Err(_) => return self.verifier.pass(),
            }
        }
        if line.is_ended { self.verifier.line(line.bytes) } else { self.verifier.rest(line.bytes) }
    }
}

fn anchors(context: &Context, args: &Args) -> Result<Vec<Anchor>, Failure> {
    if args.chain_only {
        return Ok(Vec::new());
    }
    let Some(file) = &args.anchors else { return anchors::of(context, context.config()?.member) };
    let anchors = serde_json::from_slice(&read_to_end(file)?);
    anchors.map_err(|error| Failure::from(error).context(format!("{} holds no anchors", file.display())))
}

fn to_text(report: &Report, source: &Source, args: &Args, unread: Option<&str>) -> String {
    let mut lines: Vec<String> = report
        .faults
        .iter()
        .map(|fault| match &fault.place {
            Some(place) => format!("{}, line {}: {}", place.file, place.line, words(fault)),
            None => words(fault),
        })
        .collect();
    if report.more > 0 {
        lines.push(format!("and {} more", report.more));
    }
    if let Some(torn) = &report.torn {
        lines.push(format!("{}, line {}: not whole: it is being written, or a crash tore it", torn.file, torn.line));
    }
    if let Some(first) = report.first.filter(|first| *first > args.from) {
        lines.push(format!(
            "entries {} to {} are not here: check them together with the others, or say --from {first}",
            args.from,
            first - 1
        ));
    }
    if let Some(why) = unread {
        lines.push(format!("not compared with anchors: {why}"));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let files = counted(source.len() as u64, "file");
    let read = match (report.first, report.last) {
        (Some(first), Some(last)) => format!("entries {first} to {last} in {files}"),
        _ => format!("no entry in {files}"),
    };
    let anchors = report.anchors.iter().filter(|(_, standing)| *standing != Standing::Before).count() as u64;
    let found = if report.is_whole() { "whole".to_owned() } else { "NOT AS IT WAS WRITTEN".to_owned() };
    lines.push(format!("{found}: read {read}, {}", counted(anchors, "anchor")));
    match (&report.holds_to, report.last) {
        (Some(anchor), Some(last)) => {
            let newer = match last.saturating_sub(anchor.entries) {
                0 => "nothing is newer".to_owned(),
                1 => "1 entry is newer".to_owned(),
                newer => format!("{newer} entries are newer"),
            };
            let Anchor { record, at, entries, .. } = anchor;
            lines.push(format!("every entry to {entries} is as {record} of {at} anchored it; {newer}"));
        }
        (Some(_), None) => {}
        (None, _) if report.anchors.is_empty() => lines.push("there is no anchor to compare with".to_owned()),
        (None, _) => lines.push("no anchor lies before what is wrong".to_owned()),
    }
    lines.join("\n")
}

fn to_json(report: &Report, unread: Option<&str>) -> Value {
    let fault = |fault: &Fault| {
        let place = fault.place.as_ref();
        json!({
            "file": place.map(|place| &place.file),
            "line": place.map(|place| place.line),
            "entry": fault.entry,
            "what": words(fault),
        })
    };
    let anchor = |(anchor, standing): &(Anchor, Standing)| json!({"anchor": anchor, "standing": standing});
    json!({
        "whole": report.is_whole(),
        "first": report.first,
        "last": report.last,
        "head": report.head,
        "lines": report.lines,
        "faults": report.faults.iter().map(fault).collect::<Vec<_>>(),
        "more_faults": report.more,
        "torn": report.torn,
        "anchors": report.anchors.iter().map(anchor).collect::<Vec<_>>(),
        "holds_to": report.holds_to,
        "not_compared": unread,
    })
}
