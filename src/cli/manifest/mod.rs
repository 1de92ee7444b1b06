//! `shieldwall manifest`: this member's keys, logs and addresses, as the others know them.

mod show;
mod sign;

use std::path::Path;

pub(super) use sign::{Destination, NextLog, log_key, sign_logs};

use super::context::Context;
use super::files;
use super::report::{Failure, Outcome};
use crate::identity::{Federation, Published};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Show a manifest: a file that `init` made, or a member's newest in a charter
    Show(show::Args),
    /// Draw up the next version of this member's manifest, sign it, and put it into the charter file
    Sign(Box<sign::Args>),
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Show(args) => show::run(context, &args),
        Command::Sign(args) => sign::run(context, &args),
    }
}

fn federation(path: &Path, bytes: &[u8]) -> Result<Federation, Failure> {
    let verified = Published::decode(bytes).map_err(Failure::from).and_then(|file| Ok(file.verify()?));
    verified.map_err(|failure| failure.context(format!("{} is no complete charter", path.display())))
}
