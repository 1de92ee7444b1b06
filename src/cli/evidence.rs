//! `shieldwall evidence`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::{Context, unexpected};
use super::files;
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use crate::encoding::ids::RecordId;
use crate::node::ask::{Request, Response};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Write the files that prove a record
    Export(ExportArgs),
    /// Check such files, offline, and say in words what they prove
    Verify(VerifyArgs),
}

/// Writes everything that an outsider needs to check a record offline: the statement, receipts of the members, their
/// keys, the charter, and the opened body where this node may open it.
///
/// A running node first asks the members within reach for their receipts.
#[derive(clap::Args, Debug)]
pub(super) struct ExportArgs {
    /// The record, such as GE-1042
    id: RecordId,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Leave a compartment of the body out; may be repeated
    #[arg(long, value_name = "COMPARTMENT")]
    redact: Vec<String>,
}

/// Checks evidence offline. Every file is derived again from the signed ones and compared.
#[derive(clap::Args, Debug)]
pub(super) struct VerifyArgs {
    /// The folder that `evidence export` made
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The charter that you trust, from another source than the folder
    #[arg(long, value_name = "FILE")]
    charter: PathBuf,
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Export(args) => export(context, args),
        Command::Verify(args) => verify(context, &args),
    }
}

fn export(context: &Context, args: ExportArgs) -> Outcome {
    let ExportArgs { id, out, redact } = args;
    if out.symlink_metadata().is_ok() {
        return Err(
            Failure::new(Exit::Failure, format!("{} exists already", out.display())).hint("choose another --out")
        );
    }
    let Response::Evidence(evidence) = context.ask(&Request::Evidence { id, redact })? else {
        return Err(unexpected());
    };
    for (name, bytes) in &evidence {
        let path = out.join(safe(name)?);
        let folder = path.parent().unwrap_or(&out);
        fs::create_dir_all(folder)
            .map_err(|error| Failure::from(error).context(format!("cannot make {}", folder.display())))?;
        files::write_new(&path, &bytes.0)?;
    }
    let names: Vec<&String> = evidence.keys().collect();
    let text = format!("{}: {} for {id}", out.display(), counted(evidence.len() as u64, "file"));
    context.ui.result(&json!({ "record": id, "dir": out, "files": names }), text)?;
    context.ui.say(format!("Check it with: shieldwall evidence verify {} --charter FILE", out.display()));
    Ok(Exit::Success)
}

/// A name within the folder: the node is ours, and still gets no way out of it.
fn safe(name: &str) -> Result<&Path, Failure> {
    let plain = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if plain { Ok(Path::new(name)) } else { Err(unexpected()) }
}

fn verify(_context: &Context, args: &VerifyArgs) -> Outcome {
    let VerifyArgs { dir, charter } = args;
    Err(Failure::new(Exit::Failure, format!("cannot check {} against {} yet", dir.display(), charter.display())))
}
