//! `shieldwall charter`: who the members are, and how that changes. A file goes from place to place and gathers signatures.

mod add_member;
mod create;
pub(super) mod diff;
mod export;
mod merge;
mod propose;
pub(super) mod publish;
mod show;
mod sign;
mod verify;

use std::path::{Path, PathBuf};

use super::context::{Context, unexpected};
use super::files;
use super::report::{Exit, Failure, Outcome};
use crate::encoding::ids::MemberCode;
use crate::identity::{Application, Charter, Published, SignedCharter};
use crate::node::ask::{CharterRequest, Request, Response, SplitView};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Draw up the first version from the manifests that `init` made
    Create(create::Args),
    /// Draw up the next version: members, roots, quorum, limits
    Propose(Box<propose::Args>),
    /// Draw up the next version, with one member more
    AddMember(add_member::Args),
    /// Show what the newest version changes, the gravest first
    Diff(diff::Args),
    /// Put copies together that were signed in several places
    Merge(merge::Args),
    /// Sign the newest version with this member's root
    Sign(sign::Args),
    /// Hand a complete charter to the running node, which tells the others
    Publish(publish::Args),
    /// Write the charter as the node holds it
    Export(export::Args),
    /// Show what a charter says and who has signed it
    Show(show::Args),
    /// Check a charter: signatures, quorum, every version, every manifest
    Verify(verify::Args),
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Create(args) => create::run(context, args),
        Command::Propose(args) => propose::run(context, &args),
        Command::AddMember(args) => add_member::run(context, &args),
        Command::Diff(args) => diff::run(context, &args),
        Command::Merge(args) => merge::run(context, &args),
        Command::Sign(args) => sign::run(context, &args),
        Command::Publish(args) => publish::run(context, &args),
        Command::Export(args) => export::run(context, &args),
        Command::Show(args) => show::run(context, &args),
        Command::Verify(args) => verify::run(context, &args),
    }
}

/// The file that is named, or the config's.
pub(super) fn file_or_config(context: &Context, file: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    file.map_or_else(|| Ok(context.config()?.charter), |file| Ok(file.clone()))
}

/// A charter, where it was found, and what is wrong with it.
pub(super) struct Present {
    published: Published,
    origin: String,
    splits: Vec<SplitView>,
}

/// The charter in the file that is named; else the one that the node holds, whether it runs or not; else, of a node that has never
/// run, the config's.
fn present(context: &Context, file: Option<&PathBuf>) -> Result<Present, Failure> {
    let of_file =
        |path: &Path| Ok(Present { published: read(path)?, origin: path.display().to_string(), splits: Vec::new() });
    if let Some(path) = file {
        return of_file(path);
    }
    match context.ask(&Request::Charter(CharterRequest::Held)) {
        Ok(Response::Charter(view)) => {
            let published = Published::decode(&view.file.0)?;
            Ok(Present { published, origin: "the node's charter".to_owned(), splits: view.splits })
        }
        Ok(_) => Err(unexpected()),
        Err(failure) if failure.exit() == Exit::NotRunning => of_file(&context.config()?.charter),
        Err(failure) => Err(failure),
    }
}

pub(super) fn read(path: &Path) -> Result<Published, Failure> {
    let published = Published::decode(&files::read(path)?).map_err(Failure::from);
    published.map_err(|failure| failure.context(format!("{} is no charter", path.display())))
}

fn read_application(path: &Path) -> Result<Application, Failure> {
    let application = Application::decode(&files::read(path)?).map_err(Failure::from);
    application.map_err(|failure| failure.context(format!("{} is no manifest that a member brings", path.display())))
}

/// The newest version, which may lack signatures still, and those before it. A file holds one at least.
pub(super) fn newest(published: &Published) -> (&SignedCharter, &[SignedCharter]) {
    published.charters.split_last().expect("a charter file that was read holds a charter")
}

/// Which countries' signatures the newest version has, and how many each quorum asks for.
#[derive(Debug)]
struct Tally {
    signed: Vec<MemberCode>,
    missing: Vec<MemberCode>,
    needed: u64,
    complete: bool,
}

impl Tally {
    fn of(published: &Published) -> Self {
        let (newest, earlier) = newest(published);
        let (own, before) = (newest.charter(), earlier.last().map(SignedCharter::charter));
        let met = |electorate: &Charter| {
            let votes = newest.votes(electorate);
            electorate.quorum().is_met(votes.values().filter(|voted| **voted).count() as u64, votes.len() as u64)
        };
        let votes = newest.votes(own);
        let of = |wanted: bool| votes.iter().filter(|(_, voted)| **voted == wanted).map(|(code, _)| *code).collect();
        Self {
            signed: of(true),
            missing: of(false),
            needed: own.quorum().needed(votes.len() as u64),
            complete: [Some(own), before].into_iter().flatten().all(met),
        }
    }

    fn text(&self) -> String {
        let codes = |list: &[MemberCode]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let signed = if self.signed.is_empty() { "nobody".to_owned() } else { codes(&self.signed) };
        let enough = self.signed.len() as u64 >= self.needed;
        let rest = match (self.complete, enough) {
            (true, _) => "complete".to_owned(),
            (false, true) => "not complete: the countries of the version before must sign as well".to_owned(),
            (false, false) => format!("{} needed, still missing: {}", self.needed, codes(&self.missing)),
        };
        format!("signed by {signed}; {rest}")
    }
}
