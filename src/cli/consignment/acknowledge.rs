//! `shieldwall consignment acknowledge`.

use std::collections::BTreeSet;

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::record::{Declared, Draft, Kind, Level};

/// Tells the author of records that an officer has opened them. That they were delivered, the node says by itself.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The records, all of one country
    #[arg(value_name = "RECORD", required = true)]
    records: Vec<RecordId>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    entry::log::<Args>(context, draft(&args)?, &args.entry)
}

fn draft(args: &Args) -> Result<Draft, Failure> {
    let authors: BTreeSet<MemberCode> = args.records.iter().map(|id| id.log.member).collect();
    if authors.len() > 1 {
        let names: Vec<&str> = authors.iter().map(MemberCode::as_str).collect();
        return Err(Failure::new(Exit::Usage, format!("these are records of {}", names.join(" and ")))
            .hint("acknowledge each country's records for themselves: nobody reads what another country wrote"));
    }
    let mut to: BTreeSet<MemberCode> = authors;
    to.extend(&args.entry.to);
    Ok(Draft {
        kind: Some(Kind::Acknowledgement),
        level: Some(Declared::Valid(Level::Opened)),
        acknowledges: args.records.clone(),
        to: to.into_iter().collect(),
        ..Draft::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn records_of_one_country_are_acknowledged_together() {
        let both: Args = args(&["GE-1", "GE-4"]);
        let expected =
            r#"{"kind": "acknowledgement", "level": "opened", "acknowledges": ["GE-1", "GE-4"], "to": ["GE"]}"#;
        assert_eq!(draft(&both).unwrap(), json(expected));
        let mixed: Args = args(&["GE-1", "TR-4"]);
        assert!(draft(&mixed).unwrap_err().text().contains("GE and TR"));
    }
}
