//! `shieldwall log`: a member's logs, each with a key of its own for its whole life.

mod change;
mod impact;

use super::context::Context;
use super::report::Outcome;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// What hangs on the statements of a log from a position on: look before you close
    Impact(impact::Args),
    /// Close this member's newest log at a size: statements above it are disowned
    Close(change::CloseArgs),
    /// Draw the key of this member's next log and open it
    Open(change::OpenArgs),
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Impact(args) => impact::run(context, &args),
        Command::Close(args) => change::close(context, args),
        Command::Open(args) => change::open(context, args),
    }
}
