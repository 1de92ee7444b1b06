//! `shieldwall operation post`.

use super::Known;
use crate::cli::context::Context;
use crate::cli::entry::{self, Entry};
use crate::cli::report::Outcome;
use crate::encoding::ids::RecordId;
use crate::record::{Draft, Kind};

/// Says something to everybody who was asked to take part.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The operation: any record of it, such as GE-31
    #[arg(value_name = "OPERATION")]
    operation: RecordId,
    /// What is said
    #[arg(value_name = "MESSAGE")]
    message: String,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find(context, args.operation)?;
    entry::log::<Args>(context, draft(args, &known), &args.entry)
}

fn draft(args: &Args, known: &Known) -> Draft {
    Draft { message: Some(args.message.clone()), ..known.draft(Kind::OperationMessage, &args.entry) }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::known;
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn a_message_goes_to_everybody_in_it() {
        let args = args(&["TR-2", "Two trucks left Poti."]);
        let expected = r#"{"kind": "operation-message", "operation": "GE-1", "message": "Two trucks left Poti.",
            "to": ["MZ", "TR"], "parents": ["TR-2"]}"#;
        assert_eq!(draft(&args, &known("GE")), json(expected));
    }
}
