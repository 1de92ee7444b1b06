//! `shieldwall root`: the member's highest key: drawn, kept in shares on paper, and changed to the one that was announced.

mod adopt;
mod backup;
mod create;
mod drill;
pub(super) mod keys;
mod restore;
mod rotate;
mod sheets;

use super::context::Context;
use super::report::Outcome;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Draw a root and a next root, on a machine without a network
    Create(create::Args),
    /// Divide a root into shares on paper
    Backup(backup::Args),
    /// Put a root together from its shares
    Restore(restore::Args),
    /// Try whether shares give the root, and write nothing
    Drill(drill::Args),
    /// Draw the root after the next, and write what the others need to change this member's root
    Rotate(rotate::Args),
    /// Put the next root in the place of the root, once the charter says so
    Adopt(adopt::Args),
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::Create(args) => create::run(context, args),
        Command::Backup(args) => backup::run(context, args),
        Command::Restore(args) => restore::run(context, args),
        Command::Drill(args) => drill::run(context, args),
        Command::Rotate(args) => rotate::run(context, args),
        Command::Adopt(args) => adopt::run(context, args),
    }
}
