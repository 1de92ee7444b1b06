//! `shieldwall operation invite`.

use super::Known;
use crate::cli::context::Context;
use crate::cli::entry::{self, Entry};
use crate::cli::report::Outcome;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::record::{Draft, Kind};

/// Asks further members to take part. They read what is said from now on, and not what was said before.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The operation: any record of it, such as GE-31
    #[arg(value_name = "OPERATION")]
    operation: RecordId,
    /// Members that are asked, such as LB,AM
    #[arg(value_name = "MEMBERS", value_delimiter = ',', required = true)]
    members: Vec<MemberCode>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find(context, args.operation)?;
    entry::log::<Args>(context, draft(args, &known), &args.entry)
}

fn draft(args: &Args, known: &Known) -> Draft {
    Draft {
        members: args.members.clone(),
        operation_name: known.operation["name"].as_str().map(str::to_owned),
        ..known.draft(Kind::OperationInvitation, &args.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::known;
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn an_invitation_tells_who_is_in_it_already() {
        let args = args(&["GE-1", "LB,AM"]);
        let expected = r#"{"kind": "operation-invitation", "operation": "GE-1", "operation_name": "Sample Harvest",
            "members": ["LB", "AM"], "to": ["MZ", "TR"], "parents": ["TR-2"]}"#;
        assert_eq!(draft(&args, &known("GE")), json(expected));
    }
}
