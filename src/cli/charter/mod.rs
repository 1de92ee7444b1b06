//! `shieldwall charter`: who the members are, and how that changes. A file goes from place to place and gathers signatures.

mod add_member;
mod create;
mod show;
mod sign;
mod verify;

use std::path::{Path, PathBuf};

use super::context::Context;
use super::files;
use super::report::{Failure, Outcome};
use crate::encoding::ids::{FederationId, MemberCode};

use crate::identity::{Application, Charter, CharterChain, Member, Published, SignedCharter};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Draw up the first version from the manifests that `init` made
    Create(create::Args),
    /// Draw up the next version, with one member more
    AddMember(add_member::Args),
    /// Sign the newest version with this member's root
    Sign(sign::Args),
    /// Show what a charter says and who has signed it
    Show(show::Args),
    /// Check a charter: signatures, quorum, every version, every manifest
    Verify(verify::Args),
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Create(args) => create::run(context, args),
        Command::AddMember(args) => add_member::run(context, &args),
        Command::Sign(args) => sign::run(context, &args),
        Command::Show(args) => show::run(context, &args),
        Command::Verify(args) => verify::run(context, &args),
    }
}

/// The file that is named, or the config's.
fn file_or_config(context: &Context, file: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    file.map_or_else(|| Ok(context.config()?.charter), |file| Ok(file.clone()))
}

fn read(path: &Path) -> Result<Published, Failure> {
    let published = Published::decode(&files::read(path)?).map_err(Failure::from);
    published.map_err(|failure| failure.context(format!("{} is no charter", path.display())))
}

fn read_application(path: &Path) -> Result<Application, Failure> {
    let application = Application::decode(&files::read(path)?).map_err(Failure::from);
    application.map_err(|failure| failure.context(format!("{} is no first manifest of a member", path.display())))
}

/// The newest version, which may lack signatures still, and those before it. A file holds one at least.
fn newest(published: &Published) -> (&SignedCharter, &[SignedCharter]) {
    published.charters.split_last().expect("a charter file that was read holds a charter")
}

/// The federation that the earlier versions found; none before the first is complete.
fn founded(earlier: &[SignedCharter]) -> Result<FederationId, Failure> {
    if earlier.is_empty() {
        return Ok(FederationId::NONE);
    }
    Ok(CharterChain::verify(earlier.to_vec())?.federation())
}

/// Which countries' signatures the newest version has, and how many each quorum asks for.
struct Tally {
    signed: Vec<MemberCode>,
    missing: Vec<MemberCode>,
    needed: u64,
    complete: bool,
}

impl Tally {
    fn of(published: &Published) -> Self {
        let (newest, earlier) = newest(published);
        let electorates = [Some(newest.charter()), earlier.last().map(SignedCharter::charter)];
        let of = |charter: &Charter| {
            let (signed, missing): (Vec<_>, Vec<_>) =
                charter.active_countries().partition(|(code, member)| newest.is_signed_by(*code, &member.root));
            let codes = |list: Vec<(_, _)>| list.into_iter().map(|(code, _): (_, &Member)| code).collect();
            (codes(signed), codes(missing))
        };
        let (signed, missing): (Vec<_>, Vec<_>) = of(newest.charter());
        let needed = newest.charter().quorum().needed(newest.charter().active_countries().count() as u64);
        let complete = electorates.into_iter().flatten().all(|charter| {
            let (signed, missing): (Vec<_>, Vec<_>) = of(charter);
            charter.quorum().is_met(signed.len() as u64, (signed.len() + missing.len()) as u64)
        });
        Self { signed, missing, needed, complete }
    }

    fn text(&self) -> String {
        let codes = |list: &[MemberCode]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let signed = if self.signed.is_empty() { "nobody".to_owned() } else { codes(&self.signed) };
        let rest = match (self.complete, self.missing.is_empty()) {
            (true, _) => "complete".to_owned(),
            (false, true) => "not complete: the version before asks for more".to_owned(),
            (false, false) => format!("{} needed, still missing: {}", self.needed, codes(&self.missing)),
        };
        format!("signed by {signed}; {rest}")
    }
}
