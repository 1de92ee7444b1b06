//! `shieldwall signer`: the keys of this member's logs in a process of its own.

mod adopt;
mod draw;
mod run;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;

use super::context::Context;
use super::report::{Exit, Failure, Outcome};
use crate::disk::open::lock;
use crate::encoding::ids::{LogId, MemberCode};
use crate::node::config::{self, Config};
use crate::node::private;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Move the keys and guards of this member's logs from the stopped node to the signer
    Adopt(adopt::Args),
    /// Draw the key of this member's next log where the signer has it
    Draw(draw::Args),
    /// Run the signer
    Run(run::Args),
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::Adopt(args) => adopt::run(context, args),
        Command::Draw(args) => draw::run(context, args),
        Command::Run(args) => run::run(context, args),
    }
}

/// What the config says of the signer.
fn settings(config: &Config) -> Result<&config::Signer, Failure> {
    config.signer.as_ref().ok_or_else(|| {
        Failure::new(Exit::Config, "the config names no signer")
            .hint("`signer.socket` and `signer.folder` name where it answers and what it keeps: docs/signer.md")
    })
}

/// Takes the lock of the signer's folder, which must be private.
fn hold(signer: &config::Signer) -> Result<File, Failure> {
    private::check_folder(&signer.folder)?;
    Ok(lock(&signer.folder)?)
}

/// The logs of the member of which the signer has a guard or a key file, oldest first.
fn logs(signer: &config::Signer, member: MemberCode) -> Result<Vec<LogId>, Failure> {
    let mut logs = BTreeSet::new();
    for (folder, before, after) in [(signer.folder.join("guard"), "", ".guard"), (signer.keys_dir(), "log-", ".pem")] {
        let names = match std::fs::read_dir(folder) {
            Ok(names) => names,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        for name in names {
            let name = name?.file_name().to_string_lossy().into_owned();
            let log = name.strip_prefix(before).and_then(|name| name.strip_suffix(after)?.parse::<LogId>().ok());
            logs.extend(log.filter(|log| log.member == member));
        }
    }
    Ok(logs.into_iter().collect())
}
