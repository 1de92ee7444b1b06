//! `shieldwall feedback`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, content, show, values};
use crate::cli::report::Outcome;
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::record::{ControlResult, ControlType, Declared, Draft, Kind};

/// Tells who warned, or asked for a stop, what was done and what was found.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The warning or stop request, such as GE-12
    #[arg(value_name = "RECORD")]
    record: RecordId,
    /// What was found
    #[arg(value_name = "RESULT", value_parser = values::word(ControlResult::ALL))]
    result: ControlResult,
    /// How it was looked for
    #[arg(long, value_name = "WORD", value_parser = values::word(ControlType::ALL))]
    control: Option<ControlType>,
    /// When
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<UnixTime>,
    /// What was done, in words; for the addressees alone
    #[arg(long, value_name = "TEXT")]
    action_taken: Option<String>,
    /// The customs office that acted
    #[arg(long, value_name = "TEXT")]
    office: Option<String>,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let answered = content(&show(context, args.record)?);
    entry::log::<Args>(context, draft(args, &answered), &args.entry)
}

fn draft(args: &Args, answered: &Draft) -> Draft {
    let mut to = args.entry.to.clone();
    to.push(args.record.log.member);
    Draft {
        kind: Some(Kind::Feedback),
        to,
        answers: Some(args.record),
        consignment: answered.consignment,
        result: Some(Declared::Valid(args.result)),
        control_type: args.control.map(Declared::Valid),
        happened_at: args.at,
        action_taken: args.action_taken.clone(),
        office: args.office.clone(),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn feedback_goes_to_who_warned() {
        let args = args(&[
            "MZ-4",
            "no-result",
            "--control",
            "x-ray",
            "--at",
            "2013-10-02",
            "--action-taken",
            "Two containers.",
        ]);
        let warning = json(r#"{"kind": "warning", "consignment": "GE-1", "to": ["GE"], "subject": "The RHOSUS"}"#);
        let expected = r#"{"kind": "feedback", "to": ["MZ"], "answers": "MZ-4", "consignment": "GE-1", "result": "no-result",
            "control_type": "x-ray", "happened_at": "2013-10-02T00:00:00Z", "action_taken": "Two containers."}"#;
        assert_eq!(draft(&args, &warning), json(expected));
    }
}
