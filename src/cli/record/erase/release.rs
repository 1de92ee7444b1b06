//! `shieldwall record release`.

use super::{keep, names};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::encoding::ids::RecordId;
use crate::node::ask::ErasureRequest;

/// Holds contents no more. What was ordered erased meanwhile is erased at once.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The records, such as MZ-17
    #[arg(value_name = "ID", required = true)]
    records: Vec<RecordId>,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    context.confirm(&format!(
        "Hold {} no more? What was ordered erased meanwhile is erased at once",
        names(&args.records)
    ))?;
    keep(context, ErasureRequest::Release { records: args.records.clone() })?;
    context.ui.result(&args.records, format!("held no more: {}", names(&args.records)))?;
    Ok(Exit::Success)
}
