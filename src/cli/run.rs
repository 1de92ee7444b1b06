//! `shieldwall run`.

use super::context::Context;
use super::log;
use super::report::{Exit, Failure, Outcome};

/// Runs the node until SIGTERM or Ctrl-C; then it finishes what was begun, and ends.
///
/// The log goes to stderr. A second node on the same data folder is refused.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let config = context.config()?;
    log::start(&config.log, context.ui.color)?;
    Err(Failure::new(Exit::Failure, "the node's loop is not built yet"))
}
