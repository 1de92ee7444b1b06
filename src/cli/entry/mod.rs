//! What the short forms share: one draft made from flags, shown or logged, and what became of it.
//!
//! A short form decides nothing that the node decides: the draft goes the same way as one of `submit`. Start with [`log`], then
//! [`Known`].

pub(in crate::cli) mod amounts;
pub(in crate::cli) mod carriage;
mod flags;
pub(in crate::cli) mod goods;
mod known;
pub(in crate::cli) mod parcel;
pub(in crate::cli) mod values;
#[cfg(test)]
pub(in crate::cli) mod fixture;

pub(in crate::cli) use known::{Known, Name, content, needed, show};

use serde_json::Value as Json;

use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use super::{record, submit};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{Request, Response, Submitted};
use crate::node::clock;
use crate::node::config::ConfigError;
use crate::record::{self as records, Draft, Strictness};

/// Flags of every short form.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Entry {
    /// Also for these members, such as TR,LB
    #[arg(long, value_name = "MEMBERS", value_delimiter = ',')]
    pub(in crate::cli) to: Vec<MemberCode>,
    /// Show the record as JSON, and log nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

/// Logs one draft made from the flags `A`, or shows what would be logged.
///
/// # Errors
/// If the draft is no record, in words that name the flags.
pub(in crate::cli) fn log<A: clap::Args>(context: &Context, mut draft: Draft, entry: &Entry) -> Outcome {
    // What it answers it follows anyway.
    draft.parents.retain(|parent| Some(*parent) != draft.answers);
    if entry.dry_run {
        return print::<A>(context, draft);
    }
    let result =
        submit::log(context, std::iter::once(draft), false, false)?.into_iter().next().ok_or_else(unexpected)?;
    match &result {
        Submitted::Logged { id, warnings } => {
            warnings.iter().for_each(|warning| context.ui.warn(flags::told::<A>(warning)));
            context.ui.result(&result, id)?;
            effect(context, *id);
            Ok(Exit::Success)
        }
        Submitted::AlreadyLogged { id } => {
            context.ui.say("logged before");
            context.ui.result(&result, id)?;
            Ok(Exit::Success)
        }
        Submitted::Refused { reasons } => Err(refused::<A>(reasons)),
        Submitted::LeftOut => Err(unexpected()),
    }
}

/// Prints the record that the draft makes here and now.
fn print<A: clap::Args>(context: &Context, draft: Draft) -> Outcome {
    let path = context.config_path();
    // Without a config it belongs to nobody.
    let (author, foreign_exports) = match crate::node::config::Config::load(&path, &context.sources()) {
        Ok((config, _)) => (Some(config.member), config.allow_foreign_exporter),
        Err(ConfigError::Unreadable { .. }) if context.global.config.is_none() => (None, false),
        Err(error) => return Err(error.into()),
    };
    let judge = records::Context { strictness: Strictness::Own, author, now: clock::now(), foreign_exports };
    match draft.check(&judge) {
        Ok(checked) => {
            checked.warnings.iter().for_each(|warning| context.ui.warn(flags::told::<A>(&warning.to_string())));
            let json = checked.record.to_json();
            context.ui.result(&json, serde_json::to_string_pretty(&json)?)?;
            Ok(Exit::Success)
        }
        Err(fault) => Err(refused::<A>(&fault.errors.iter().map(ToString::to_string).collect::<Vec<_>>())),
    }
}

fn refused<A: clap::Args>(reasons: &[String]) -> Failure {
    let reasons: Vec<String> = reasons.iter().map(|reason| flags::told::<A>(reason)).collect();
    Failure::new(Exit::Failure, format!("nothing was logged: {}", reasons.join("; ")))
}

/// Says where the consignment of a new record stands, and if the record changes nothing, why.
fn effect(context: &Context, id: RecordId) {
    // The record is in the log; this is news about it, and no part of what was asked for.
    let Ok(Response::Record(record)) = context.ask(&Request::RecordShow { id }) else { return };
    let Some(consignment) = &record.consignment else { return };
    let events = consignment["timeline"].as_array().into_iter().flatten();
    let own = events.filter(|event| event["id"].as_str() == Some(id.to_string().as_str()));
    for reason in own.filter_map(|event| event["illegal"].as_str()) {
        context.ui.warn(format!("{id} is logged, and changes nothing: {reason}"));
    }
    if consignment["state"] != Json::Null {
        context.ui.say(record::standing(consignment));
    }
}
