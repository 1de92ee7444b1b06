//! `shieldwall consignment amend`.

use serde_json::Value as Json;

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name, amounts};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::record::{Change, Date, Draft, Kind};
use crate::watch;

/// Changes what was announced. A change of goods, parties, destination or route voids the consents that were given; after the departure
/// only the transport can be changed.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// A field with its new value, such as goods/0/net='2500 t', end_use=Mining or arrival/latest=2026-12-20; what is not plain text is
    /// written as JSON
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = change)]
    changes: Vec<Change>,
    /// A field that falls away
    #[arg(long = "unset", value_name = "PATH", value_parser = removal)]
    removals: Vec<Change>,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Day by which an answer to the new version is asked for
    #[arg(long, value_name = "DAY")]
    reply_by: Option<Date>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let departed = !known.parcels().is_empty();
    let mut changes = Vec::new();
    let mut announced = known.announced.clone();
    for change in args.changes.iter().chain(&args.removals) {
        let fits = |change: &Change| watch::amended(&announced, std::slice::from_ref(change), departed);
        // A text that looks like a number or word of JSON may be meant as text.
        let text = change.value.as_str().map_or_else(|| change.value.to_string(), str::to_owned);
        let as_text = Change { path: change.path.clone(), value: Json::String(text) };
        let (change, changed) = match (fits(change), fits(&as_text)) {
            (Some(changed), _) => (change.clone(), changed),
            (None, Some(changed)) if !change.value.is_null() => (as_text, changed),
            (None, _) => return Err(unfit(change, departed)),
        };
        changes.push(change);
        announced = changed;
    }
    if changes.is_empty() {
        return Err(entry::needed("--set", "name a field and its new value, such as --set goods/0/net='2500 t'"));
    }
    Ok(Draft {
        changes,
        reason: Some(args.reason.clone()),
        reply_by: args.reply_by,
        ..known.by_exporter(Kind::Amendment, &args.entry)
    })
}

fn unfit(change: &Change, departed: bool) -> Failure {
    let failure = Failure::new(Exit::Failure, format!("{}: no such field can be changed to that", change.path));
    failure.hint(if departed {
        "goods have left: only what is about the transport can still be changed; `record show` shows the fields as they are"
    } else {
        "`record show` shows the fields as they are; docs/import.md has the forms of their values"
    })
}

fn change(text: &str) -> Result<Change, String> {
    let (path, value) = text.split_once('=').ok_or_else(|| "write it like end_use=Mining".to_owned())?;
    let path = pointer(path)?;
    let is_amount = ["/net", "/gross"].iter().any(|end| path.starts_with("/goods/") && path.ends_with(end));
    let value = if is_amount && !value.starts_with('{') {
        serde_json::to_value(amounts::quantity(value)?).map_err(|error| error.to_string())?
    } else {
        serde_json::from_str(value).unwrap_or_else(|_| Json::String(value.to_owned()))
    };
    Ok(Change { path, value })
}

fn removal(text: &str) -> Result<Change, String> {
    Ok(Change { path: pointer(text)?, value: Json::Null })
}

fn pointer(text: &str) -> Result<String, String> {
    let path = text.trim().trim_start_matches('/');
    if path.is_empty() {
        Err("a field is named like end_use or goods/0/net".to_owned())
    } else {
        Ok(format!("/{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json, notified};

    #[test]
    fn changes_in_words() {
        let args = args(&[
            "GE-1",
            "--set",
            "goods/0/net=2500 t",
            "--set",
            "/ucr=7",
            "--set",
            "mode=1",
            "--set",
            r#"arrival={"latest": "2013-11-30"}"#,
            "--unset",
            "itinerary/1",
            "--reason",
            "sold less",
            "--reply-by",
            "2013-10-20",
        ]);
        let expected = r#"{"kind": "amendment", "consignment": "GE-1", "answers": "GE-1", "export_country": "GE", "destination": "MZ",
            "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
            "reason": "sold less", "reply_by": "2013-10-20", "changes": [
            {"path": "/goods/0/net", "value": {"value": "2500", "unit": "TNE"}}, {"path": "/ucr", "value": "7"},
            {"path": "/mode", "value": 1}, {"path": "/arrival", "value": {"latest": "2013-11-30"}}, {"path": "/itinerary/1"}]}"#;
        assert_eq!(draft(&args, &notified("GE")).unwrap(), json(expected));
    }

    #[test]
    fn what_cannot_be_changed_is_refused_before_it_is_signed() {
        let told = |line: &[&str], known: &Known| draft(&args(line), known).unwrap_err().text();
        let known = notified("GE");
        assert!(told(&["GE-1", "--set", "no_such_field=1", "--reason", "x"], &known).contains("/no_such_field"));
        assert!(told(&["GE-1", "--set", "mode=ship", "--reason", "x"], &known).contains("/mode"));
        assert!(told(&["GE-1", "--reason", "x"], &known).contains("--set"));
        let departure = r#"{"kind": "E13", "destination": "MZ", "answers": "GE-1", "goods": [
            {"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"}}]}"#;
        let left = after("GE", &[("GE-2", departure)]);
        assert!(told(&["GE-1", "--set", "goods/0/net=2500 t", "--reason", "x"], &left).contains("goods have left"));
    }
}
