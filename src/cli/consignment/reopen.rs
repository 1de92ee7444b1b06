//! `shieldwall consignment reopen`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name};
use crate::cli::report::Outcome;
use crate::record::{Draft, Kind};

/// Opens a consignment again that was closed or cancelled.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// Why, in words; for the addressees alone
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known), &args.entry)
}

fn draft(args: &Args, known: &Known) -> Draft {
    Draft { reason: Some(args.reason.clone()), ..known.to_others(Kind::Reopening, &args.entry) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn a_reopening_tells_the_other_side_why() {
        let args = args(&["GE-1", "--reason", "The stock is not there."]);
        let expected = r#"{"kind": "reopening", "consignment": "GE-1", "answers": "GE-1", "to": ["MZ"],
            "reason": "The stock is not there."}"#;
        assert_eq!(draft(&args, &notified("GE")), json(expected));
    }
}
