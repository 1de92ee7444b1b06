//! `shieldwall policy publish`.

use std::path::{Path, PathBuf};

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry};
use crate::cli::files;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::record::{Date, Draft, Kind, Terms};

/// Publishes how your country answers, reckons and tolerates (G03). Every member reads it; consignments that were announced before keep the
/// policy that they cite. The file is TOML or JSON, either the terms alone or effective_from and terms; docs/import.md has them all.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// First day on which it holds, in place of the file's
    #[arg(long, value_name = "DAY")]
    effective_from: Option<Date>,
    #[command(flatten)]
    entry: Entry,
}

/// What a file may hold.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    kind: Option<Kind>,
    effective_from: Option<Date>,
    terms: Terms,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let text = String::from_utf8(files::read(&args.file)?)
        .map_err(|_| Failure::new(Exit::Failure, format!("{} is no text in UTF-8", args.file.display())))?;
    let draft = draft(&args.file, &text)?;
    let draft = Draft { effective_from: args.effective_from.or(draft.effective_from), ..draft };
    entry::log::<Args>(context, draft, &args.entry)
}

fn draft(file: &Path, text: &str) -> Result<Draft, Failure> {
    let fault = |error: String| {
        Failure::new(Exit::Failure, format!("{} holds no policy: {error}", file.display()))
            .hint("docs/import.md has a policy with every term; effective_from stands before [terms]")
    };
    let value: serde_json::Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| fault(error.to_string()))?
    } else {
        // What TOML writes as a day is text in a record.
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| fault(error.to_string()))?;
        serde_json::to_value(plain(toml::Value::Table(table))).map_err(|error| fault(error.to_string()))?
    };
    let whole = if value.get("terms").is_some() {
        serde_json::from_value(value).map_err(|error| fault(error.to_string()))?
    } else {
        let terms = serde_json::from_value(value).map_err(|error| fault(error.to_string()))?;
        Whole { kind: None, effective_from: None, terms }
    };
    if let Some(other) = whole.kind.filter(|kind| *kind != Kind::Policy) {
        return Err(fault(format!("it is a record of kind {other}")));
    }
    Ok(Draft {
        kind: Some(Kind::Policy),
        effective_from: whole.effective_from,
        terms: Some(whole.terms),
        ..Draft::default()
    })
}

fn plain(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Datetime(day) => toml::Value::String(day.to_string()),
        toml::Value::Array(items) => toml::Value::Array(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => {
            toml::Value::Table(table.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
        toml::Value::String(_) | toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::json;

    fn read(text: &str) -> Result<Draft, String> {
        draft(Path::new("policy.toml"), text).map_err(|failure| failure.text())
    }

    #[test]
    fn a_policy_in_toml_or_json() {
        let expected = r#"{"kind": "policy", "effective_from": "2027-01-01", "terms": {"reply_days": 15, "reply_counting": "working",
            "calendar": {"weekend": ["saturday", "sunday"], "holidays": ["2027-01-07"]},
            "floors": [{"substance": "ammonium-nitrate", "pure_mass_g": 100000}]}}"#;
        let toml = "effective_from = 2027-01-01\n[terms]\nreply_days = 15\nreply_counting = \"working\"\n[terms.calendar]\n\
            weekend = [\"saturday\", \"sunday\"]\nholidays = [2027-01-07]\n[[terms.floors]]\nsubstance = \"ammonium-nitrate\"\n\
            pure_mass_g = 100_000\n";
        assert_eq!(read(toml), Ok(json(expected)));
        assert_eq!(read(expected), Ok(json(expected)));
        assert_eq!(read("reply_days = 15").unwrap().terms.unwrap().reply_days, Some(15));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        assert!(read("reply_days = \"soon\"").unwrap_err().contains("policy.toml holds no policy"));
        assert!(read("[terms]\nreply_days = 15\n[more]\nx = 1").unwrap_err().contains("more"));
        assert!(read(r#"{"kind": "warning", "terms": {}}"#).unwrap_err().contains("kind warning"));
    }
}
