//! `shieldwall record hold`.

use super::{keep, names};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::encoding::ids::RecordId;
use crate::node::ask::ErasureRequest;

/// Keeps contents on this node whatever is ordered, until they are released: for a court, or an inquiry.
///
/// The author of an order is told that they are held, and not why. What is held in spite of an order is not handed on to any other member.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The records, such as MZ-17
    #[arg(value_name = "ID", required = true)]
    records: Vec<RecordId>,
    /// What the matter is called, such as a file number; it stays on this node
    #[arg(long, value_name = "TEXT")]
    reference: String,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let (records, reference) = (args.records.clone(), args.reference.clone());
    keep(context, ErasureRequest::Hold { records, reference })?;
    context.ui.result(&args.records, format!("held: {}", names(&args.records)))?;
    Ok(Exit::Success)
}
