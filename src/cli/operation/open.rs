//! `shieldwall operation open`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, values};
use crate::cli::report::Outcome;
use crate::encoding::ids::MemberCode;
use crate::record::{Draft, Kind, Window};

/// Begins a joint operation. Those who are asked can join; nobody else reads of it.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Its days, such as 2026-12-01..2026-12-14
    #[arg(long, value_name = "DAYS", value_parser = values::window)]
    period: Window,
    /// Members that are asked to take part, such as TR,MZ
    #[arg(long = "member", value_name = "MEMBERS", value_delimiter = ',', required = true)]
    members: Vec<MemberCode>,
    /// Substances that it is about, such as ammonium-nitrate,urea
    #[arg(long = "substance", value_name = "CODES", value_delimiter = ',')]
    substances: Vec<String>,
    /// Templates that it uses
    #[arg(long = "template", value_name = "TEXT")]
    templates: Vec<String>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    entry::log::<Args>(context, draft(args), &args.entry)
}

fn draft(args: &Args) -> Draft {
    let mut substances = args.substances.clone();
    substances.sort();
    substances.dedup();
    Draft {
        kind: Some(Kind::OperationOpening),
        to: args.entry.to.clone(),
        members: args.members.clone(),
        operation_name: Some(args.name.clone()),
        period: Some(args.period),
        substances,
        templates: args.templates.clone(),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, usage};

    #[test]
    fn an_opening_names_members_and_days() {
        let args = args(&[
            "Sample Harvest",
            "--period",
            "2013-10-01..2013-10-14",
            "--member",
            "TR,MZ",
            "--substance",
            "urea,acetone",
        ]);
        let expected = r#"{"kind": "operation-opening", "operation_name": "Sample Harvest", "members": ["TR", "MZ"],
            "period": {"earliest": "2013-10-01", "latest": "2013-10-14"}, "substances": ["acetone", "urea"]}"#;
        assert_eq!(draft(&args), json(expected));
        assert!(usage::<Args>(&["Sample Harvest", "--member", "TR"]).contains("--period"));
    }
}
