//! `shieldwall approval show`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::wanted::Wanted;
use super::{ApprovalRequest, ApprovalView, ask};
use crate::cli::charter::diff::Review;
use crate::cli::charter::{self, newest};
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::{counted, outline};
use crate::encoding::ids::LogId;
use crate::identity::Published;
use crate::node::ask::{CharterRequest, Request, Response};
use crate::record::Draft;

/// Shows what would be done: what a charter changes, or each record in a line. With --verbose every field of the records.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    wanted: Wanted,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let shown = Shown::of(context, &args.wanted)?;
    context.ui.result(&shown.json()?, shown.text(context.global.verbose > 0)?)?;
    Ok(Exit::Success)
}

/// A request with what it asks for.
pub(super) struct Shown {
    pub(super) view: ApprovalView,
    /// The charter that the node goes by, if that is what would change.
    held: Option<Published>,
}

impl Shown {
    pub(super) fn of(context: &Context, wanted: &Wanted) -> Result<Self, Failure> {
        let id = wanted.find(context)?.digest;
        let Response::Approval(view) = ask(context, ApprovalRequest::Show { id })? else { return Err(unexpected()) };
        let is_charter = matches!(view.request.as_deref(), Some(Request::Charter(_)));
        let held = match is_charter.then(|| context.ask(&Request::Charter(CharterRequest::Held))).transpose()? {
            Some(Response::Charter(held)) => Some(Published::decode(&held.file.0)?),
            Some(_) => return Err(unexpected()),
            None => None,
        };
        Ok(Self { view: *view, held })
    }

    /// In words, for somebody who is about to agree.
    pub(super) fn text(&self, every_field: bool) -> Result<String, Failure> {
        let ApprovalView { id, about, asked_by, asked_at, until, .. } = &self.view;
        let mut text = format!("{id}  {about}\nasked for by {asked_by} at {asked_at}\n");
        let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string cannot fail");
        for word in &self.view.agreed {
            line(format!("agreed to by {} at {}", word.by, word.at));
        }
        match &self.view.closed {
            Some(closed) => {
                let by = closed.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                line(format!("{}{by} at {}: {}", self.view.stands, closed.at, closed.note));
            }
            None => {
                let who =
                    if self.view.may.is_empty() { "nobody known here".to_owned() } else { self.view.may.join(", ") };
                let needs = counted(self.view.missing.into(), "more person");
                line(format!("{}: needs {needs} of {who}, until {until}", self.view.stands));
            }
        }
        match self.view.request.as_deref() {
            Some(Request::Charter(CharterRequest::Publish { file, settle })) => {
                line(String::new());
                if *settle {
                    line("two charters of one version were signed, and this one is to stand:".to_owned());
                }
                text += &self.news(&Published::decode(&file.0)?)?;
            }
            Some(Request::Submit { drafts, skip_bad, .. }) => {
                line(String::new());
                for (at, draft) in drafts.iter().enumerate() {
                    line(match every_field {
                        true => outline(&format!("record {}", at + 1), &serde_json::to_value(draft)?),
                        false => format!("{}  {}", at + 1, in_a_line(draft)?),
                    });
                }
                if *skip_bad {
                    line("records that will not do are left out".to_owned());
                }
            }
            Some(_) | None => {}
        }
        Ok(text)
    }

    /// What a charter file would change at the node: the charter, as `charter diff` tells it, and manifests.
    fn news(&self, published: &Published) -> Result<String, Failure> {
        let mut text = String::new();
        let (newest, held) = (charter::newest(published).0, self.held.as_ref());
        if held.is_none_or(|held| charter::newest(held).0.digest() != newest.digest()) {
            text += &Review::of(published)?.text();
        } else {
            text += &format!("version {} of the charter is held already\n", newest.charter().version());
        }
        for (member, manifest) in &published.manifests {
            let before = held.and_then(|held| held.manifests.get(member));
            if before != Some(manifest) {
                let manifest = manifest.manifest();
                let logs: Vec<String> = manifest.logs().map(|(log, entry)| log_in_words(&log, entry.closed)).collect();
                let against = before.map(|before| format!(" in the place of {}", before.manifest().version()));
                text += &format!(
                    "   manifest {} of {member}{}: {}\n",
                    manifest.version(),
                    against.unwrap_or_default(),
                    logs.join(", ")
                );
            }
        }
        Ok(text)
    }

    fn json(&self) -> Result<Value, Failure> {
        let mut value = serde_json::to_value(&self.view)?;
        value["request"] = match self.view.request.as_deref() {
            Some(Request::Charter(CharterRequest::Publish { file, settle })) => {
                let published = Published::decode(&file.0)?;
                let version = newest(&published).0.charter().version();
                json!({ "charter": Review::of(&published)?.json(), "version": version, "settle": settle })
            }
            Some(Request::Submit { drafts, .. }) => json!({ "records": drafts }),
            Some(_) | None => Value::Null,
        };
        Ok(value)
    }
}

fn log_in_words(log: &LogId, closed: Option<u64>) -> String {
    closed.map_or_else(|| format!("{log} open"), |size| format!("{log} closed at {size}"))
}

/// What a draft says, in a line.
fn in_a_line(draft: &Draft) -> Result<String, Failure> {
    let value = serde_json::to_value(draft)?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let mut words: Vec<String> =
        ["kind", "ucr", "consignment", "answers"].iter().filter_map(|name| text(&value[*name])).collect();
    let goods = value["goods"].as_array().into_iter().flatten();
    words.extend(goods.map(|line| {
        let what = text(&line["substance"]).or_else(|| text(&line["description"]));
        let net = (text(&line["net"]["value"]), text(&line["net"]["unit"]));
        let grams = text(&line["net_mass_g"]).map(|grams| format!("{grams} g"));
        let amount = net.0.zip(net.1).map(|(value, unit)| format!("{value} {unit}")).or(grams);
        [what, amount].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }));
    let route = [("from", "export_country"), ("to", "destination")];
    words.extend(route.iter().filter_map(|(word, name)| Some(format!("{word} {}", text(&value[*name])?))));
    if !draft.to.is_empty() {
        words.push(format!("for {}", draft.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")));
    }
    Ok(words.join(", "))
}
