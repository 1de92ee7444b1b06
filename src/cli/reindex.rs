//! `shieldwall reindex`.

use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use super::show::{counted, groups};
use crate::node::ask::{Request, Response};

/// Builds the consignments again from the ledger, and compares them with those that the node kept up to date. Loses nothing: they are derived.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let Response::Reindexed(built) = context.ask(&Request::Reindex)? else { return Err(unexpected()) };
    let records = counted(built.records, "record");
    let consignments = counted(built.consignments, "consignment");
    context.ui.result(&built, format!("{records} read, {consignments}, digest {}", groups(&built.after)))?;
    match built.before {
        Some(before) if before != built.after => {
            let message = format!("what was kept up to date said something else (digest {})", groups(&before));
            Err(Failure::new(Exit::Failure, message).hint("it is replaced by what was built; please report this"))
        }
        Some(_) | None => Ok(Exit::Success),
    }
}
