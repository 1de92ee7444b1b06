//! `shieldwall equivocation`: what was signed twice.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use super::ui::table;
use super::{evidence, files};
use crate::evidence::layout::Place;
use crate::evidence::{self as proofs, Bundle, Equivocation};
use crate::identity::Published;
use crate::node::ask::{Bytes, EquivocationView, Request, Response};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// What this node can prove to be signed twice: logs, charters, manifests
    ///
    /// Each proof is kept for ever, whatever is settled later, and told to every member.
    List,
    /// Write the files that prove one of them to an outsider
    ///
    /// `shieldwall evidence verify` checks them. One file of them, equivocation.cbor, is enough for whoever has a charter file with manifests.
    Export {
        /// What was signed twice, as `equivocation list` shows it, such as log:GE
        what: String,
        /// The folder to make
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Make such files of two evidence folders that hold different statements under one id
    ///
    /// Needs no node: whoever was given the two can do it. The charter says whose the key is.
    Between {
        /// A folder that `evidence export` made
        #[arg(value_name = "DIR")]
        one: PathBuf,
        /// Another one, about the same record
        #[arg(value_name = "DIR")]
        other: PathBuf,
        /// The charter file that you trust, with manifests
        #[arg(long, value_name = "FILE")]
        charter: PathBuf,
        /// The folder to make
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::List => list(context),
        Command::Export { what, out } => export(context, what, out),
        Command::Between { one, other, charter, out } => between(context, [one, other], charter, out),
    }
}

fn list(context: &Context) -> Outcome {
    let Response::Equivocations(all) = context.ask(&Request::Equivocations)? else { return Err(unexpected()) };
    let text = if all.is_empty() {
        "nothing is known to be signed twice".to_owned()
    } else {
        table(["WHAT", "SINCE", "PROVED"], all.iter().map(row))
    };
    context.ui.result(&all, text)?;
    Ok(if all.is_empty() { Exit::Success } else { Exit::Equivocation })
}

fn row(kept: &EquivocationView) -> [String; 3] {
    [kept.what.clone(), kept.since.to_string(), kept.sentence.clone()]
}

fn export(context: &Context, what: &str, out: &Path) -> Outcome {
    evidence::is_free(out)?;
    let Response::Evidence(files) = context.ask(&Request::EquivocationEvidence { what: what.to_owned() })? else {
        return Err(unexpected());
    };
    evidence::write(out, &files)?;
    let names: Vec<&String> = files.keys().collect();
    let text = format!("{}: {} about {what}", out.display(), counted(files.len() as u64, "file"));
    context.ui.result(&json!({ "what": what, "dir": out, "files": names }), text)?;
    context.ui.say(format!("Check it with: shieldwall evidence verify {} --charter FILE", out.display()));
    Ok(Exit::Success)
}

fn between(context: &Context, dirs: [&PathBuf; 2], charter: &Path, out: &Path) -> Outcome {
    evidence::is_free(out)?;
    let bundles = [evidence::read(dirs[0])?, evidence::read(dirs[1])?];
    let [one, other] = [statement(&bundles[0], dirs[0])?, statement(&bundles[1], dirs[1])?];
    let federation = Published::decode(&files::read(charter)?)
        .map_err(|error| error.to_string())
        .and_then(|published| published.verify().map_err(|error| error.to_string()))
        .map_err(|error| Failure::new(Exit::Verification, format!("{}: {error}", charter.display())))?;
    let proof = Equivocation::Statements([one, other]);
    let bundle = proofs::export_equivocation(&proof, &federation)
        .map_err(|error| Failure::new(Exit::Verification, format!("the two prove nothing: {error}")))?;
    let files: std::collections::BTreeMap<String, Bytes> =
        bundle.into_iter().map(|(name, bytes)| (name, Bytes(bytes))).collect();
    evidence::write(out, &files)?;
    let what = proof.proves(&federation).map(|what| what.to_string()).unwrap_or_default();
    let names: Vec<&String> = files.keys().collect();
    let text = format!("{}: {}, which prove {what}", out.display(), counted(files.len() as u64, "file"));
    context.ui.result(&json!({ "what": what, "dir": out, "files": names }), text)?;
    Ok(Exit::Success)
}

fn statement(bundle: &Bundle, dir: &Path) -> Result<Vec<u8>, Failure> {
    let name = Place::Statement.to_string();
    let missing = || Failure::new(Exit::Verification, format!("{} holds no {name}", dir.display()));
    bundle.get(&name).cloned().ok_or_else(missing)
}
