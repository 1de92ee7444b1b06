//! `shieldwall demo`: a federation of five real nodes on this machine, each a process of its own.

use std::path::PathBuf;

use super::context::Context;
use super::report::{Exit, Failure, Outcome};

/// Starts Georgia, Türkiye, Lebanon, Mozambique and an observer organisation as five nodes on this machine, logs sample
/// declarations at them, and shows who signed, who verified and who could open what.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// End when all ledgers are equal and every member has every other's receipts; 0 only if everything verified
    #[arg(long)]
    once: bool,
    /// Keep the data here, one folder per member
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Log these declarations at Georgia in place of the samples
    #[arg(long, value_name = "FILE", num_args = 1..)]
    import: Vec<PathBuf>,
    /// Scale the samples up to so many records
    #[arg(long, value_name = "N")]
    records: Option<u64>,
}

pub(super) fn run(_context: &Context, args: &Args) -> Outcome {
    Err(Failure::new(Exit::Failure, format!("not yet: {args:?}")))
}
