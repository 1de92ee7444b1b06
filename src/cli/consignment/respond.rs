//! `shieldwall consignment respond`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name};
use crate::cli::report::{Failure, Outcome};
use crate::record::{Draft, Kind};

/// Answers the question of another country about an export of one's own.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The question's record, such as MZ-7; or the consignment, if there is one question
    #[arg(value_name = "QUESTION")]
    question: Name,
    /// A response, in words, in the order of the questions; several are given one by one
    #[arg(long = "response", value_name = "TEXT", required = true)]
    responses: Vec<String>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.question)?;
    entry::log::<Args>(context, draft(&args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let question = known.the_one(&Kind::InfoRequest, "question")?;
    let mut draft = known.by_exporter(Kind::InfoResponse, &args.entry);
    // A transit country that asked reads what it asked for.
    let asked_by = question.log.member;
    if draft.destination.as_ref().is_none_or(|country| country.as_str() != asked_by.as_str()) {
        draft.to.push(asked_by);
    }
    Ok(Draft { answers: Some(question), responses: args.responses.clone(), ..draft })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json, notified};

    const QUESTION: &str = r#"{"kind": "E04", "to": ["GE"], "answers": "GE-1", "questions": ["Which mine?"]}"#;

    #[test]
    fn a_response_answers_the_question() {
        let args = args(&["MZ-1", "--response", "The one at Tete."]);
        let expected = r#"{"kind": "info-response", "consignment": "GE-1", "answers": "MZ-1", "parents": ["MZ-1"], "export_country": "GE",
            "destination": "MZ", "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
            "responses": ["The one at Tete."]}"#;
        assert_eq!(draft(&args, &after("GE", &[("MZ-1", QUESTION)])).unwrap(), json(expected));
    }

    #[test]
    fn a_transit_country_reads_the_answer_to_its_question() {
        let args = args(&["GE-1", "--response", "Quay 4."]);
        assert_eq!(draft(&args, &after("GE", &[("TR-1", QUESTION)])).unwrap().to, ["TR".parse().unwrap()]);
    }

    #[test]
    fn which_question_has_to_be_clear() {
        let args: Args = args(&["GE-1", "--response", "The one at Tete."]);
        assert_eq!(draft(&args, &notified("GE")).unwrap_err().text(), "no question about consignment GE-1 is here");
        let two = after(
            "GE",
            &[
                ("MZ-1", QUESTION),
                ("TR-1", QUESTION),
                (
                    "GE-2",
                    r#"{"kind": "E10", "answers": "GE-1",
            "destination": "MZ", "reason": "slip", "changes": [{"path": "/mode", "value": 1}]}"#,
                ),
            ],
        );
        let told = draft(&args, &two).unwrap_err().text();
        assert!(told.contains("MZ-1 and TR-1") && told.contains("name the question itself"), "{told}");
    }
}
