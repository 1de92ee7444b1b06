//! `shieldwall stop`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::Outcome;
use crate::record::{Declared, Draft, Kind, RequestedAction, Urgency};

/// Asks to stop a consignment. The exporting country, or a country on the way that is named with --to, has to answer.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// What is asked for
    #[arg(long, value_name = "WORD", value_parser = values::word(RequestedAction::ALL))]
    action: RequestedAction,
    /// Why, in words; for the addressees alone
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// How soon
    #[arg(long, value_name = "WORD", value_parser = values::word(Urgency::ALL))]
    urgency: Option<Urgency>,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(args, &known), &args.entry)
}

fn draft(args: &Args, known: &Known) -> Draft {
    Draft {
        requested_action: Some(Declared::Valid(args.action)),
        reason: Some(args.reason.clone()),
        urgency: args.urgency.map(Declared::Valid),
        ..known.to_others(Kind::StopRequest, &args.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified, usage};

    #[test]
    fn a_stop_request_says_what_to_do_and_why() {
        let args = args(&[
            "GE-1",
            "--action",
            "hold",
            "--reason",
            "The buyer is unknown.",
            "--urgency",
            "immediate",
            "--to",
            "TR",
        ]);
        let expected = r#"{"kind": "stop-request", "consignment": "GE-1", "answers": "GE-1", "to": ["GE", "TR"],
            "requested_action": "hold", "reason": "The buyer is unknown.", "urgency": "immediate"}"#;
        assert_eq!(draft(&args, &notified("MZ")), json(expected));
        assert!(usage::<Args>(&["GE-1", "--action", "hold"]).contains("--reason"));
    }
}
