//! `shieldwall consignment cancel`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name};
use crate::cli::report::Outcome;
use crate::record::{Draft, Kind};

/// Calls a consignment off, which its exporting country can do until something has left.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// Why, in words
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
    Draft { reason: Some(args.reason.clone()), ..known.by_exporter(Kind::Cancellation, &args.entry) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn a_cancellation_answers_the_present_version() {
        let args = args(&["GE-1", "--reason", "the buyer went away"]);
        let expected = r#"{"kind": "cancellation", "consignment": "GE-1", "answers": "GE-1", "export_country": "GE",
            "destination": "MZ", "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
            "reason": "the buyer went away"}"#;
        assert_eq!(draft(&args, &notified("GE")), json(expected));
    }
}
