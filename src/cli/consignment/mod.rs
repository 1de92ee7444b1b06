//! `shieldwall consignment`: the everyday records of a consignment from a few flags. One file each, one line here.
//!
//! Each makes one draft, with what the node knows of the consignment already filled in, and logs it as `submit` does.

mod ask;
mod cancel;
mod respond;

use super::context::Context;
use super::report::Outcome;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Ask the exporting country something before you answer (E04)
    Ask(ask::Args),
    /// Answer a question about your own export (E05)
    Respond(respond::Args),
    /// Call it off before anything has left (E11)
    Cancel(cancel::Args),
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Ask(args) => ask::run(context, args),
        Command::Respond(args) => respond::run(context, args),
        Command::Cancel(args) => cancel::run(context, args),
    }
}
