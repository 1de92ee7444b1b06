//! `shieldwall operation list`.

use serde_json::Value as Json;

use super::members;
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Outcome};
use crate::cli::ui::table;
use crate::node::ask::{Request, Response};

/// Lists the joint operations that this node knows of, the one with the newest record first.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Only those that are open
    #[arg(long)]
    open: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let Response::Operations(all) = context.ask(&Request::OperationList)? else { return Err(unexpected()) };
    let shown: Vec<Json> = all.into_iter().filter(|operation| !args.open || operation["state"] == "OPEN").collect();
    let head = ["ID", "STATE", "NAME", "DAYS", "JOINED", "ASKED", "MESSAGES"];
    context.ui.result(&shown, table(head, shown.iter().map(row)))?;
    Ok(Exit::Success)
}

fn row(operation: &Json) -> [String; 7] {
    let text = |key: &str| operation[key].as_str().unwrap_or_default().to_owned();
    let day = |key: &str| operation["period"][key].as_str().unwrap_or_default().to_owned();
    let days = format!("{}..{}", day("earliest"), day("latest"));
    let days = if days == ".." { String::new() } else { days };
    let messages = operation["messages"].as_array().map_or(0, Vec::len).to_string();
    [
        text("operation"),
        text("state"),
        text("name"),
        days,
        members(operation, "joined"),
        members(operation, "invited"),
        messages,
    ]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::known;
    use super::*;

    #[test]
    fn one_operation_is_one_line() {
        let expected = ["GE-1", "OPEN", "Sample Harvest", "2013-10-01..2013-10-14", "TR", "MZ TR", "1"];
        assert_eq!(row(&known("GE").operation), expected);
    }
}
