//! `shieldwall consignment decide`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::Outcome;
use crate::record::{Decision, Declared, Draft, Kind};

/// Records the exporting country's own decision on whether the goods may leave.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// What was decided
    #[arg(value_name = "DECISION", value_parser = values::word(Decision::ALL))]
    decision: Decision,
    /// The law that it rests on
    #[arg(long, value_name = "TEXT")]
    legal_basis: String,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known), &args.entry)
}

fn draft(args: &Args, known: &Known) -> Draft {
    Draft {
        decision: Some(Declared::Valid(args.decision)),
        legal_basis: Some(args.legal_basis.clone()),
        ..known.by_exporter(Kind::ExportDecision, &args.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified, usage};

    #[test]
    fn a_decision_rests_on_a_law() {
        let args = args(&["GE-1", "released-without-reply", "--legal-basis", "Export Control Act, 14"]);
        let expected = r#"{"kind": "export-decision", "consignment": "GE-1", "answers": "GE-1", "export_country": "GE",
            "destination": "MZ", "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
            "decision": "released-without-reply", "legal_basis": "Export Control Act, 14"}"#;
        assert_eq!(draft(&args, &notified("GE")), json(expected));
        assert!(usage::<Args>(&["GE-1", "released"]).contains("--legal-basis"));
    }
}
