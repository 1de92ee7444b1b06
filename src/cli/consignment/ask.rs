//! `shieldwall consignment ask`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name};
use crate::cli::report::Outcome;
use crate::record::{Date, Draft, Kind};

/// Asks the exporting country something before answering. The first question of the importing country may put the answer off.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// A question, in words; several are given one by one
    #[arg(long = "question", value_name = "TEXT", required = true)]
    questions: Vec<String>,
    /// The day to which the answer is put off, such as 2026-12-18
    #[arg(long, value_name = "DAY")]
    extend_to: Option<Date>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known), &args.entry)
}

fn draft(args: &Args, known: &Known) -> Draft {
    Draft {
        questions: args.questions.clone(),
        extend_reply_by: args.extend_to,
        ..known.to_others(Kind::InfoRequest, &args.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified, usage};

    #[test]
    fn a_question_goes_to_the_exporting_country() {
        let args = args(&["GE-1", "--question", "Which mine?", "--question", "By when?", "--extend-to", "2013-10-20"]);
        let expected = r#"{"kind": "info-request", "consignment": "GE-1", "answers": "GE-1", "to": ["GE"],
            "questions": ["Which mine?", "By when?"], "extend_reply_by": "2013-10-20"}"#;
        assert_eq!(draft(&args, &notified("MZ")), json(expected));
    }

    #[test]
    fn a_transit_country_asks_both_ends_and_whom_it_names() {
        let args = args(&["GE-1", "--question", "Which quay?", "--to", "LB,GE"]);
        let expected = r#"{"kind": "info-request", "consignment": "GE-1", "answers": "GE-1", "to": ["GE", "LB", "MZ"],
            "questions": ["Which quay?"]}"#;
        assert_eq!(draft(&args, &notified("TR")), json(expected));
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        let told = usage::<Args>(&["GE-1", "--question", "Which mine?", "--extend-to", "20.10.2013"]);
        assert!(told.contains("--extend-to") && told.contains("2013-09-23"), "{told}");
    }
}
