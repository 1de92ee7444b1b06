//! `shieldwall record forget`.

use super::{keep, names};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::counted;
use crate::encoding::ids::RecordId;
use crate::node::ask::ErasureRequest;

/// Erases this node's copies of other members' records, because your own law asks for it. This cannot be undone; their authors are told.
///
/// Other members keep theirs. Records of your own are erased with `record erase`.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The records, such as MZ-17
    #[arg(value_name = "ID", required = true)]
    records: Vec<RecordId>,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let what = counted(args.records.len() as u64, "record");
    let consequence = format!("The contents of {what} will be erased on this node. This cannot be undone.");
    context.confirm_by_typing(&consequence, "forget")?;
    keep(context, ErasureRequest::Forget { records: args.records.clone() })?;
    context.ui.result(&args.records, format!("erased here: {}", names(&args.records)))?;
    Ok(Exit::Success)
}
