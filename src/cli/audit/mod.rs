//! `shieldwall audit`: commands that read the audit log. They read its files, whether the node runs or not.

mod anchors;
mod export;
mod list;
mod show;
mod source;
mod verify;

use super::context::Context;
use super::report::Outcome;

pub(super) use source::Source;
pub(super) use verify::words;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// List entries, the newest last
    List(list::Args),
    /// Show one entry
    Show(show::Args),
    /// Find the first line that is not as it was written
    Verify(verify::Args),
    /// Print entries as they are in the files, a JSON object a line: for a collector
    Export(export::Args),
    /// What a member has said in its log of its audit log
    Anchors(anchors::Args),
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::List(args) => list::run(context, args),
        Command::Show(args) => show::run(context, args),
        Command::Verify(args) => verify::run(context, args),
        Command::Export(args) => export::run(context, args),
        Command::Anchors(args) => anchors::run(context, args),
    }
}
