//! `shieldwall root`: the member's highest key gives way to the one that was announced.

mod adopt;
pub(super) mod keys;
mod rotate;

use super::context::Context;
use super::report::Outcome;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Draw the root after the next, and write what the others need to change this member's root
    Rotate(rotate::Args),
    /// Put the next root in the place of the root, once the charter says so
    Adopt(adopt::Args),
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::Rotate(args) => rotate::run(context, args),
        Command::Adopt(args) => adopt::run(context, args),
    }
}
