//! `shieldwall operation close`.

use super::Known;
use crate::cli::context::Context;
use crate::cli::entry::{self, Entry};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::encoding::ids::RecordId;
use crate::record::{Draft, Kind};

/// Ends an operation that your country opened. What was said can still be read; what is said later changes nothing.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The operation: any record of it, such as GE-31
    #[arg(value_name = "OPERATION")]
    operation: RecordId,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find(context, args.operation)?;
    entry::log::<Args>(context, draft(args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let opener = known.id.log.member;
    if opener != known.me {
        return Err(Failure::new(
            Exit::Failure,
            format!("{} was opened by {opener}, and only {opener} can close it", known.id),
        ));
    }
    Ok(known.draft(Kind::OperationClosing, &args.entry))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::known;
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn who_opened_it_closes_it() {
        let line: Args = args(&["GE-1"]);
        let expected = r#"{"kind": "operation-closing", "operation": "GE-1", "to": ["MZ", "TR"], "parents": ["TR-2"]}"#;
        assert_eq!(draft(&line, &known("GE")).unwrap(), json(expected));
        assert!(draft(&line, &known("TR")).unwrap_err().text().contains("only GE can close it"));
    }
}
