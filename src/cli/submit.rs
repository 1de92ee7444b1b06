//! `shieldwall submit`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::approval;
use super::context::{Context, unexpected};
use super::files;
use super::report::{Exit, Failure, Outcome};
use crate::node::ask::{DRAFTS_MAX, Progress, Request, Response, Submitted};
use crate::record::Draft;

/// Logs records written as JSON: one object, a list of them, or one a line.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Log the good ones although others are refused
    #[arg(long)]
    skip_bad: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let drafts = read(&args.file)?;
    let results = log(context, drafts.into_iter(), false, args.skip_bad)?;
    tell(context, &results)
}

/// Hands drafts to the running node, a bounded number at a time, and gives what became of each.
///
/// # Errors
/// What the node says; with 15 if it keeps them until a second person has agreed.
pub(super) fn log(
    context: &Context,
    mut drafts: impl ExactSizeIterator<Item = Draft>,
    imported: bool,
    skip_bad: bool,
) -> Result<Vec<Submitted>, Failure> {
    let mut node = context.connect()?;
    let total = drafts.len() as u64;
    let (mut results, mut waiting) = (Vec::with_capacity(drafts.len()), Vec::new());
    while drafts.len() > 0 {
        // One part at a time: a whole import may be a hundred thousand records.
        let part = drafts.by_ref().take(DRAFTS_MAX).collect();
        let request = Request::Submit { drafts: part, imported, skip_bad };
        let answer = node.ask(&request, |news| context.ui.progress(&news))?;
        if let Response::Pending(view) = answer {
            waiting.push(*view);
            continue;
        }
        let Response::Submitted(part) = answer else { return Err(unexpected()) };
        let refused = part.iter().any(|result| matches!(result, Submitted::Refused { .. }));
        results.extend(part);
        context.ui.progress(&Progress { what: "logged".to_owned(), done: results.len() as u64, total: Some(total) });
        if refused && !skip_bad {
            break;
        }
    }
    if waiting.is_empty() { Ok(results) } else { Err(approval::pending(context, &waiting)?) }
}

/// Prints what became of each draft.
pub(super) fn tell(context: &Context, results: &[Submitted]) -> Outcome {
    let mut lines = Vec::new();
    let (mut logged, mut refused) = (0, 0);
    for (at, result) in results.iter().enumerate() {
        match result {
            Submitted::Logged { id, warnings } => {
                logged += 1;
                lines.push(id.to_string());
                warnings.iter().for_each(|warning| context.ui.warn(format!("{id}: {warning}")));
            }
            Submitted::AlreadyLogged { id } => context.ui.say(format!("logged before as {id}")),
            Submitted::Refused { reasons } => {
                refused += 1;
                context.ui.warn(format!("record {}: {}", at + 1, reasons.join("; ")));
            }
            Submitted::LeftOut => {}
        }
    }
    context.ui.result(&results, lines.join("\n"))?;
    match (logged, refused) {
        (_, 0) => Ok(Exit::Success),
        (0, _) => Err(Failure::new(Exit::Failure, "nothing was logged").hint("--skip-bad logs the good ones")),
        _ => Ok(Exit::Partial),
    }
}

fn read(path: &Path) -> Result<Vec<Draft>, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    } else {
        files::read(path)?
    };
    let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let drafts = match start {
        Some(b'[') => serde_json::from_slice(&bytes),
        _ => serde_json::Deserializer::from_slice(&bytes).into_iter().collect(),
    };
    drafts.map_err(|error| {
        let fault = Draft::json_fault(&error);
        Failure::new(Exit::Failure, format!("{} holds no records: {fault}", path.display()))
    })
}
