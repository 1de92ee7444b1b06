//! `shieldwall evidence`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::certificate;
use super::context::{Context, unexpected};
use super::files;
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use crate::encoding::hash::sha256;
use crate::encoding::ids::RecordId;
use crate::evidence::{self, Bundle, FILE_BYTES_MAX, FILES_MAX, layout};
use crate::node::ask::{Bytes, Request, Response};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Write the files that prove a record
    Export(ExportArgs),
    /// Check such files, offline, and say in words what they prove
    Verify(VerifyArgs),
    /// Make a page for paper of such files, with all of them attached
    Certificate(CertificateArgs),
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
    /// Leave a compartment (parties) or a field (trade/ucr) of the body out; may be repeated
    #[arg(long, value_name = "NAME")]
    redact: Vec<String>,
    /// Add the sealed compartments with their content keys, so that other tools can open them. Whoever has such a key reads
    /// that compartment; it opens nothing else
    #[arg(long)]
    disclose_keys: bool,
}

/// Checks evidence offline. Every file is derived again from the signed ones and compared.
///
/// Files that were attached to a certificate are taken as `pdfdetach` writes them.
#[derive(clap::Args, Debug)]
pub(super) struct VerifyArgs {
    /// The folder that `evidence export`, `lane export` or `equivocation export` made, or the file equivocation.cbor alone
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The charter that you trust, from another source than the folder
    #[arg(long, value_name = "FILE")]
    charter: PathBuf,
}

/// Makes one page (PDF/A-3, A4) that says what evidence proves, what it does not, and how to check it. All files of the evidence are attached.
///
/// The evidence is checked first, as `evidence verify` does. If a claim fails, no page is made. It shows no more of the record than the evidence
/// opens. The same evidence gives the same bytes.
#[derive(clap::Args, Debug)]
pub(super) struct CertificateArgs {
    /// The folder that `evidence export` or `lane export` made
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The charter that you trust, from another source than the folder
    #[arg(long, value_name = "FILE")]
    charter: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Export(args) => export(context, args),
        Command::Verify(args) => verify(context, &args),
        Command::Certificate(args) => certify(context, &args),
    }
}

/// Whether a folder can be made there.
pub(super) fn is_free(out: &Path) -> Result<(), Failure> {
    if out.symlink_metadata().is_ok() {
        return Err(
            Failure::new(Exit::Failure, format!("{} exists already", out.display())).hint("choose another --out")
        );
    }
    Ok(())
}

/// Writes the files of evidence into a new folder.
pub(super) fn write(out: &Path, evidence: &BTreeMap<String, Bytes>) -> Result<(), Failure> {
    for (name, bytes) in evidence {
        let path = out.join(safe(name)?);
        let folder = path.parent().unwrap_or(out);
        fs::create_dir_all(folder)
            .map_err(|error| Failure::from(error).context(format!("cannot make {}", folder.display())))?;
        files::write_new(&path, &bytes.0)?;
    }
    Ok(())
}

fn export(context: &Context, args: ExportArgs) -> Outcome {
    let ExportArgs { id, out, redact, disclose_keys } = args;
    is_free(&out)?;
    let Response::Evidence(evidence) = context.ask(&Request::Evidence { id, redact, disclose_keys })? else {
        return Err(unexpected());
    };
    write(&out, &evidence)?;
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

fn verify(context: &Context, args: &VerifyArgs) -> Outcome {
    // The proof that something was signed twice is enough alone.
    let bundle = if args.dir.is_file() {
        Bundle::from([(evidence::equivocation::FILE.to_owned(), files::read(&args.dir)?)])
    } else {
        read(&args.dir)?
    };
    let charter = files::read(&args.charter)?;
    let report = evidence::verify(&bundle, &charter);
    context.ui.result(&report.to_json(), report.to_text())?;
    Ok(if report.proved { Exit::Success } else { Exit::Verification })
}

fn certify(context: &Context, args: &CertificateArgs) -> Outcome {
    is_free(&args.out)?;
    let bundle = read(&args.dir)?;
    let charter = files::read(&args.charter)?;
    let (report, summary) = evidence::summarize(&bundle, &charter);
    if report.equivocation.is_some() {
        let why = format!("{} is not about a record: it proves that something was signed twice", args.dir.display());
        return Err(Failure::new(Exit::Usage, why).hint("hand over the folder; `shieldwall evidence verify` checks it"));
    }
    let Some(summary) = summary else {
        context.ui.result(&report.to_json(), report.to_text())?;
        context.ui.warn("no certificate is made of evidence that does not hold");
        return Ok(Exit::Verification);
    };
    let bytes = certificate::make(&summary, &report, &bundle)?;
    files::write_new(&args.out, &bytes)?;
    let (id, digest) = (summary.statement.id, sha256(&bytes));
    let count = counted(bundle.len() as u64, "file");
    let text = format!("{}: a page about {id} with {count} attached, SHA-256 {digest}", args.out.display());
    context
        .ui
        .result(&json!({ "record": id, "certificate": args.out, "files": bundle.len(), "sha256": digest }), text)?;
    Ok(Exit::Success)
}

/// All files of an evidence folder, by their paths inside it. Attachments that lie side by side get their folders back. Anything else
/// than files and folders is refused.
pub(super) fn read(dir: &Path) -> Result<Bundle, Failure> {
    let mut bundle = Bundle::new();
    let mut folders = vec![(dir.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let cannot = |error| Failure::from(error).context(format!("cannot list {}", folder.display()));
        for entry in fs::read_dir(&folder).map_err(cannot)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|_| strange(&entry.path()))?;
            let (kind, name) = (entry.file_type()?, format!("{prefix}{name}"));
            if kind.is_dir() && prefix.matches('/').count() < 3 {
                folders.push((entry.path(), format!("{name}/")));
            } else if kind.is_file() && bundle.len() < FILES_MAX && entry.metadata()?.len() <= FILE_BYTES_MAX as u64 {
                let path = if prefix.is_empty() { layout::from_flat(&name).unwrap_or(name) } else { name };
                if bundle.insert(path, files::read(&entry.path())?).is_some() {
                    return Err(strange(&entry.path()));
                }
            } else {
                return Err(strange(&entry.path()));
            }
        }
    }
    Ok(bundle)
}

fn strange(path: &Path) -> Failure {
    Failure::new(Exit::Verification, format!("{} does not belong into an evidence folder", path.display()))
}
