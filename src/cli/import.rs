//! `shieldwall import`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Context;
use super::files;
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use super::submit;
use crate::encoding::ids::RecordId;
use crate::formats::{Batch, MAX_DOCUMENT, Report};
use crate::node::ask::Submitted;
use crate::node::clock;
use crate::node::config::ConfigError;
use crate::record::{self, Strictness};

/// Files of one folder at most: what all documents hold is gathered before the first record is logged.
const DOCUMENTS_MAX: usize = 10_000;

/// Reads customs declarations and logs their scheduled goods as export notifications.
///
/// WCO Data Model XML, CSV and JSON are told apart by their content. Goods that are not on the substance list are counted
/// and named. By default one bad row stops everything and nothing is logged. A line that was logged before is skipped, so
/// an interrupted import can simply be run again.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The documents, or folders of documents
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show what would be logged; needs no node
    #[arg(long)]
    dry_run: bool,
    /// Log the good rows although others are bad
    #[arg(long)]
    skip_bad: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let batch = read(&args.files, &judge(context, args)?)?;
    if args.dry_run {
        let report = Report::of(&batch);
        context.ui.result(&report, report.text())?;
        return Ok(if batch.errors.is_empty() { Exit::Success } else { Exit::Partial });
    }
    if !batch.errors.is_empty() {
        batch.errors.iter().for_each(|error| context.ui.warn(error));
        if !args.skip_bad {
            let found = counted(batch.errors.len() as u64, "bad row");
            return Err(Failure::new(Exit::Failure, format!("{found}: nothing was logged"))
                .hint("--skip-bad logs the good ones; --dry-run shows what would be logged"));
        }
    }
    let results = log(context, &batch, args.skip_bad)?;
    tell(context, &batch, &results)
}

/// How the rows are judged. A trial run without a config belongs to nobody, so any country may be the exporter.
fn judge(context: &Context, args: &Args) -> Result<record::Context, Failure> {
    let path = context.config_path();
    let (author, foreign_exports) = match crate::node::config::Config::load(&path, &context.sources()) {
        Ok((config, _)) => (Some(config.member), config.allow_foreign_exporter),
        Err(ConfigError::Unreadable { .. }) if args.dry_run && context.global.config.is_none() => (None, false),
        Err(error) => return Err(error.into()),
    };
    Ok(record::Context { strictness: Strictness::Imported, author, now: clock::now(), foreign_exports })
}

/// Reads the documents at `paths`, and those in the folders among them.
pub(super) fn read(paths: &[PathBuf], judge: &record::Context) -> Result<Batch, Failure> {
    let mut batch = Batch::default();
    for path in documents(paths)? {
        let name = path.display().to_string();
        match files::read_plain(&path, MAX_DOCUMENT) {
            Ok(bytes) => batch.add(&name, &bytes, judge),
            Err(error) => batch.unreadable(&name, &error),
        }
    }
    Ok(batch)
}

/// The files that are named, and those in the folders that are named, in the order of their names.
fn documents(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        if path.is_dir() {
            documents.extend(list(path)?);
        } else {
            documents.push(path.clone());
        }
    }
    Ok(documents)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| Failure::from(error).context(format!("cannot list {}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        // Whatever else is no document is told as such when it is read: nothing is passed over in silence but folders.
        let path = entry?.path();
        if !path.is_dir() {
            paths.push(path);
        }
        if paths.len() > DOCUMENTS_MAX {
            let told = format!("{} holds more than {DOCUMENTS_MAX} files", folder.display());
            return Err(Failure::new(Exit::Failure, told).hint("import them in parts"));
        }
    }
    paths.sort();
    Ok(paths)
}

fn log(context: &Context, batch: &Batch, skip_bad: bool) -> Result<Vec<Submitted>, Failure> {
    let drafts = batch.records.iter().map(|checked| checked.record.declared().clone());
    if drafts.len() == 0 { Ok(Vec::new()) } else { submit::log(context, drafts, true, skip_bad) }
}

fn tell(context: &Context, batch: &Batch, results: &[Submitted]) -> Outcome {
    let mut logged: Vec<RecordId> = Vec::new();
    let mut before: Vec<RecordId> = Vec::new();
    let mut refused = Vec::new();
    for (checked, result) in batch.records.iter().zip(results) {
        let place = format!("{}:{}:{}", checked.file, checked.position.line, checked.position.column);
        match result {
            Submitted::Logged { id, warnings } => {
                if !warnings.is_empty() {
                    context.ui.warn(format!("{place}: {id}: {}", warnings.join("; ")));
                }
                logged.push(*id);
            }
            Submitted::AlreadyLogged { id } => before.push(*id),
            Submitted::Refused { reasons } => {
                context.ui.warn(format!("{place}: {}", reasons.join("; ")));
                refused.push(json!({ "file": checked.file, "line": checked.position.line, "reasons": reasons }));
            }
            Submitted::LeftOut => {}
        }
    }
    let value = json!({
        "files": batch.files, "logged": logged, "already_logged": before, "refused": refused,
        "not_scheduled": batch.not_scheduled.len(), "errors": batch.errors.len(),
    });
    let mut text =
        format!("{}: {} logged", counted(batch.files as u64, "file"), counted(logged.len() as u64, "record"));
    if let (Some(first), Some(last)) = (logged.first(), logged.last()) {
        text += &format!(" ({first} to {last})");
    }
    let rest = [
        (before.len(), "logged before"),
        (batch.not_scheduled.len(), "not scheduled"),
        (refused.len() + batch.errors.len(), "refused"),
    ];
    rest.iter().filter(|(count, _)| *count > 0).for_each(|(count, what)| text += &format!(", {count} {what}"));
    context.ui.result(&value, text)?;
    match (refused.is_empty() && batch.errors.is_empty(), logged.is_empty() && before.is_empty()) {
        (true, _) => Ok(Exit::Success),
        (false, true) => Err(Failure::new(Exit::Failure, "nothing was logged")),
        (false, false) => Ok(Exit::Partial),
    }
}
