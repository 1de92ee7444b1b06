//! `shieldwall withdraw`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, content, show};
use crate::cli::report::Outcome;
use crate::encoding::ids::RecordId;
use crate::record::{Draft, Kind};

/// Takes an alert of one's own back. It stays in the log, and is marked; everybody who read it is told.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The alert, such as GE-12
    #[arg(value_name = "RECORD")]
    record: RecordId,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let alert = content(&show(context, args.record)?);
    entry::log::<Args>(context, draft(args, &alert), &args.entry)
}

fn draft(args: &Args, alert: &Draft) -> Draft {
    let mut to = alert.to.clone();
    to.extend(&args.entry.to);
    Draft {
        kind: Some(Kind::Withdrawal),
        to,
        answers: Some(args.record),
        consignment: alert.consignment,
        reason: Some(args.reason.clone()),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn whoever_was_warned_is_told() {
        let alert = json(r#"{"kind": "warning", "consignment": "GE-1", "to": ["LB", "MZ"], "subject": "The RHOSUS"}"#);
        let args = args(&["GE-12", "--reason", "Another ship of that name."]);
        let expected = r#"{"kind": "withdrawal", "consignment": "GE-1", "answers": "GE-12", "to": ["LB", "MZ"],
            "reason": "Another ship of that name."}"#;
        assert_eq!(draft(&args, &alert), json(expected));
    }
}
