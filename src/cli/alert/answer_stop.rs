//! `shieldwall answer-stop`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name, needed, values};
use crate::cli::report::{Failure, Outcome};
use crate::record::{Declared, Draft, Kind, StopReply};

/// Answers a request to stop, or an objection: the goods are held, have left, or the request is refused.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The stop request or objection, such as MZ-9; or the consignment, if there is one stop request
    #[arg(value_name = "REQUEST")]
    request: Name,
    /// What became of it
    #[arg(value_name = "ANSWER", value_parser = values::word(StopReply::ALL))]
    answer: StopReply,
    /// Why, in words; needed for a refusal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What was done, in words
    #[arg(long, value_name = "TEXT")]
    action_taken: Option<String>,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find(context, &args.request)?;
    entry::log::<Args>(context, draft(args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    if args.answer == StopReply::Refused && args.reason.is_none() {
        return Err(needed("--reason", "a refusal says why"));
    }
    let demand = match known.declared.kind {
        Some(Kind::Objection) => known.named,
        _ => known.the_one(&Kind::StopRequest, "stop request")?,
    };
    let mut to = args.entry.to.clone();
    to.push(demand.log.member);
    Ok(Draft {
        answers: Some(demand),
        to,
        stop_reply: Some(Declared::Valid(args.answer)),
        reason: args.reason.clone(),
        action_taken: args.action_taken.clone(),
        ..known.to_others(Kind::StopAnswer, &args.entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json, notified};

    const STOP: &str =
        r#"{"kind": "E08", "to": ["GE"], "answers": "GE-1", "reason": "unknown buyer", "requested_action": "hold"}"#;

    #[test]
    fn an_answer_goes_to_who_asked() {
        let held: Args = args(&["GE-1", "held", "--action-taken", "Kept at the quay."]);
        let expected = r#"{"kind": "stop-answer", "consignment": "GE-1", "answers": "MZ-1", "parents": ["MZ-1"], "to": ["MZ"], "stop_reply": "held",
            "action_taken": "Kept at the quay."}"#;
        assert_eq!(draft(&held, &after("GE", &[("MZ-1", STOP)])).unwrap(), json(expected));
        assert!(draft(&held, &notified("GE")).unwrap_err().text().contains("no stop request"));
        let refused: Args = args(&["GE-1", "refused"]);
        assert!(draft(&refused, &after("GE", &[("MZ-1", STOP)])).unwrap_err().text().contains("--reason"));
        let objection = r#"{"kind": "E07", "to": ["GE"], "answers": "GE-1", "reason_code": "importer-unknown"}"#;
        let answered = draft(&held, &after("GE", &[("MZ-1", objection)])).unwrap();
        assert_eq!(answered.answers, "MZ-1".parse().ok());
    }
}
