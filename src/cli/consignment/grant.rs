//! `shieldwall consignment grant`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::ids::MemberCode;
use crate::record::{Compartment, Draft, Kind};

/// Lets another member read what your own country has said of a consignment. This cannot be undone: who has read has read.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// Members that may read, such as LB,TR
    #[arg(long = "reader", value_name = "MEMBERS", value_delimiter = ',', required = true)]
    readers: Vec<MemberCode>,
    /// What they may read, such as summary,transport,trade; parties, price, intel and person are the others
    #[arg(long = "compartment", value_name = "NAMES", value_delimiter = ',', required = true)]
    compartments: Vec<Compartment>,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    if !args.entry.dry_run {
        confirm(context, &args, &known)?;
    }
    entry::log::<Args>(context, draft(&args, &known), &args.entry)
}

fn confirm(context: &Context, args: &Args, known: &Known) -> Result<(), Failure> {
    let readers: Vec<&str> = args.readers.iter().map(MemberCode::as_str).collect();
    let compartments: Vec<&str> = args.compartments.iter().map(Compartment::as_str).collect();
    let (readers, compartments) = (readers.join(" and "), compartments.join(", "));
    let what = format!("{readers} will read {compartments} of what {} has said of {}", known.me, known.id);
    context.confirm_by_typing(&format!("{what}. This cannot be undone: who has read has read."), known.id)
}

fn draft(args: &Args, known: &Known) -> Draft {
    Draft {
        answers: None,
        new_readers: args.readers.clone(),
        compartments: args.compartments.iter().map(|name| name.as_str().to_owned()).collect(),
        reason: Some(args.reason.clone()),
        ..known.to_others(Kind::AudienceGrant, &args.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::context::Global;
    use crate::cli::entry::fixture::{args, json, notified, usage};

    #[test]
    fn a_grant_names_readers_and_compartments() {
        let args =
            args(&["GE-1", "--reader", "LB", "--compartment", "summary,transport", "--reason", "The ship lies there."]);
        let expected = r#"{"kind": "audience-grant", "consignment": "GE-1", "to": ["MZ"], "new_readers": ["LB"],
            "compartments": ["summary", "transport"], "reason": "The ship lies there."}"#;
        assert_eq!(draft(&args, &notified("GE")), json(expected));
        assert!(usage::<Args>(&["GE-1", "--reader", "LB", "--reason", "x"]).contains("--compartment"));
    }

    #[test]
    fn what_cannot_be_undone_is_not_done_unasked() {
        let line = ["GE-1", "--reader", "LB,TR", "--compartment", "trade", "--reason", "x"];
        let asked = |global: Global| confirm(&Context::new(global), &args(&line), &notified("GE"));
        let told = asked(Global { no_input: true, ..Global::default() }).unwrap_err().text();
        assert!(
            told.contains("LB and TR will read trade of what GE has said of GE-1. This cannot be undone"),
            "{told}"
        );
        assert!(told.contains("--yes"), "{told}");
        assert!(asked(Global { yes: true, ..Global::default() }).is_ok());
    }
}
