//! `shieldwall operation show`.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::members;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::encoding::ids::RecordId;

/// Shows one joint operation: who takes part, and what was said.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The operation: any record of it, such as GE-31
    #[arg(value_name = "OPERATION")]
    operation: RecordId,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let operation = super::ask(context, args.operation)?;
    context.ui.result(&operation, text(&operation))?;
    Ok(Exit::Success)
}

fn text(operation: &Json) -> String {
    let word = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let mut text = String::new();
    let day = |key: &str| word(&operation["period"][key]);
    let closed = operation["closed_by"].as_str().map_or_else(String::new, |id| format!(" by {id}"));
    let rows = [
        ("operation", word(&operation["operation"])),
        ("name", word(&operation["name"])),
        ("state", format!("{}{closed}", word(&operation["state"]))),
        ("opened by", word(&operation["opened_by"])),
        ("days", format!("{}..{}", day("earliest"), day("latest"))),
        ("substances", members(operation, "substances")),
        ("joined", members(operation, "joined")),
        ("asked", members(operation, "invited")),
    ];
    for (label, value) in rows.into_iter().filter(|(_, value)| !value.is_empty() && value != "..") {
        writeln!(text, "{label:<12} {value}").expect("writing to a string cannot fail");
    }
    if operation["opening_held"] == Json::Bool(false) {
        text += "             The opening is not for this node: what is known comes from the invitation.\n";
    }
    for message in operation["messages"].as_array().into_iter().flatten() {
        let (id, at, said) = (word(&message["id"]), word(&message["issued_at"]), word(&message["message"]));
        write!(text, "\n{at}  {id}\n  {}\n", said.replace('\n', "\n  ")).expect("writing to a string cannot fail");
    }
    for entry in operation["timeline"].as_array().into_iter().flatten() {
        if let Some(reason) = entry["illegal"].as_str() {
            write!(text, "\n{} ({}) changes nothing: {reason}\n", word(&entry["id"]), word(&entry["kind"]))
                .expect("writing to a string cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fixture::known;
    use super::*;

    #[test]
    fn an_operation_reads_as_a_page() {
        let mut operation = known("GE").operation;
        operation["timeline"][2]["illegal"] = "the operation was closed".into();
        let expected = "operation    GE-1\nname         Sample Harvest\nstate        OPEN\nopened by    GE\n\
            days         2013-10-01..2013-10-14\nsubstances   ammonium-nitrate\njoined       TR\nasked        MZ TR\n\
            \n2013-09-23T01:33:20Z  TR-2\n  We look at Samsun.\n\
            \nTR-2 (operation-message) changes nothing: the operation was closed\n";
        assert_eq!(text(&operation), expected);
    }
}
