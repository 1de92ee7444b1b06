//! `shieldwall operation join`.

use super::Known;
use crate::cli::context::Context;
use crate::cli::entry::{self, Entry};
use crate::cli::report::Outcome;
use crate::encoding::ids::RecordId;
use crate::record::Kind;

/// Takes part in an operation to which your country was asked.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The operation: any record of it, such as GE-31
    #[arg(value_name = "OPERATION")]
    operation: RecordId,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find(context, args.operation)?;
    entry::log::<Args>(context, known.draft(Kind::OperationJoining, &args.entry), &args.entry)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::known;
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn joining_is_told_to_the_others() {
        let args: Args = args(&["GE-1"]);
        let expected = r#"{"kind": "operation-joining", "operation": "GE-1", "to": ["GE", "TR"], "parents": ["TR-2"]}"#;
        assert_eq!(known("MZ").draft(Kind::OperationJoining, &args.entry), json(expected));
    }
}
