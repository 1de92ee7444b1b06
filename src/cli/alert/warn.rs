//! `shieldwall warn`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::record::{Date, Declared, Draft, Kind, RequestedAction, Urgency};

/// Asks other members to control something: a consignment, or a person, firm, ship or route in words.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// What it is about, in one line
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// What they are asked to do
    #[arg(long, value_name = "WORD", value_parser = values::word(RequestedAction::ALL))]
    action: RequestedAction,
    /// How soon
    #[arg(long, value_name = "WORD", value_parser = values::word(Urgency::ALL))]
    urgency: Option<Urgency>,
    /// Last day on which it holds
    #[arg(long, value_name = "DAY")]
    valid_until: Option<Date>,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What the shipments look like that are to be controlled
    #[arg(long, value_name = "TEXT")]
    profile: Option<String>,
    /// The consignment, if it is about one: any record of it, or its UCR
    #[arg(long, value_name = "CONSIGNMENT")]
    consignment: Option<Name>,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let known = super::known(context, args.consignment.as_ref())?;
    entry::log::<Args>(context, draft(args, known.as_ref())?, &args.entry)
}

fn draft(args: &Args, known: Option<&Known>) -> Result<Draft, Failure> {
    Ok(Draft {
        subject: Some(args.subject.clone()),
        requested_action: Some(Declared::Valid(args.action)),
        urgency: args.urgency.map(Declared::Valid),
        valid_until: args.valid_until,
        reason: args.reason.clone(),
        profile: args.profile.clone(),
        ..super::draft(Kind::Warning, known, &args.entry)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn a_warning_is_free_or_about_a_consignment() {
        let line = ["The RHOSUS", "--action", "inspect", "--urgency", "urgent", "--reason", "Its papers differ."];
        let free: Args = args(&[line.as_slice(), &["--to", "TR,LB"]].concat());
        let expected = r#"{"kind": "warning", "to": ["TR", "LB"], "subject": "The RHOSUS", "requested_action": "inspect",
            "urgency": "urgent", "reason": "Its papers differ."}"#;
        assert_eq!(draft(&free, None).unwrap(), json(expected));
        let about: Args = args(&[line.as_slice(), &["--consignment", "GE-1", "--to", "LB"]].concat());
        let drafted = draft(&about, Some(&notified("GE"))).unwrap();
        assert_eq!((drafted.consignment, drafted.to.len(), drafted.answers), ("GE-1".parse().ok(), 2, None));
        assert!(draft(&args(&line), None).unwrap_err().text().contains("--to TR,LB"));
    }
}
