//! `shieldwall operation`: joint operations, in which some members work together for some weeks.

mod close;
mod invite;
mod join;
mod list;
mod open;
mod post;
mod show;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::context::{Context, unexpected};
use super::entry::Entry;
use super::report::{Failure, Outcome};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{Request, Response};
use crate::record::{Draft, Kind, MAX_PARENTS};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Begin one, and ask members to take part (J01)
    Open(open::Args),
    /// Ask further members to take part (J02)
    Invite(invite::Args),
    /// Say something to those who take part (J03)
    Post(post::Args),
    /// Take part (J04)
    Join(join::Args),
    /// End it; what was said can still be read (J05)
    Close(close::Args),
    /// List those that this node knows of
    List(list::Args),
    /// Show one: who takes part, and what was said
    Show(show::Args),
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Open(args) => open::run(context, &args),
        Command::Invite(args) => invite::run(context, &args),
        Command::Post(args) => post::run(context, &args),
        Command::Join(args) => join::run(context, &args),
        Command::Close(args) => close::run(context, &args),
        Command::List(args) => list::run(context, &args),
        Command::Show(args) => show::run(context, &args),
    }
}

/// An operation, as far as this node knows it.
#[derive(Clone, Debug)]
struct Known {
    me: MemberCode,
    id: RecordId,
    operation: Json,
}

impl Known {
    fn find(context: &Context, id: RecordId) -> Result<Self, Failure> {
        let me = context.config()?.member;
        let operation = ask(context, id)?;
        let id = operation["operation"].as_str().and_then(|id| id.parse().ok()).ok_or_else(unexpected)?;
        Ok(Self { me, id, operation })
    }

    /// A draft for everybody who opened it or was asked. It names the newest record of each member that is known here, so that it
    /// comes after them wherever it is read.
    fn draft(&self, kind: Kind, entry: &Entry) -> Draft {
        let opener = self.operation["opened_by"].as_str().and_then(|member| member.parse().ok());
        let invited = self.operation["invited"].as_array().into_iter().flatten();
        let mut to: Vec<MemberCode> =
            invited.filter_map(|member| member.as_str()?.parse().ok()).chain(opener).collect();
        to.extend(&entry.to);
        to.sort();
        to.dedup();
        to.retain(|member| *member != self.me);
        Draft { kind: Some(kind), operation: Some(self.id), to, parents: self.newest(), ..Draft::default() }
    }

    fn newest(&self) -> Vec<RecordId> {
        let timeline = self.operation["timeline"].as_array().into_iter().flatten();
        let ids = timeline.filter_map(|entry| entry["id"].as_str()?.parse::<RecordId>().ok());
        let mut newest: BTreeMap<MemberCode, RecordId> = BTreeMap::new();
        // One's own log has its order anyway.
        for id in ids.filter(|id| id.log.member != self.me && *id != self.id) {
            newest.insert(id.log.member, id);
        }
        newest.into_values().take(MAX_PARENTS).collect()
    }
}

fn ask(context: &Context, id: RecordId) -> Result<Json, Failure> {
    let Response::Operation(operation) = context.ask(&Request::OperationShow { id })? else { return Err(unexpected()) };
    Ok(operation)
}

/// Members in one line.
fn members(operation: &Json, key: &str) -> String {
    let list = operation[key].as_array().into_iter().flatten();
    list.filter_map(Json::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod fixture {
    use super::*;
    use crate::encoding::time::UnixTime;
    use crate::record::{Context, PartialRecord, Strictness};

    /// An operation that Georgia opened and that Türkiye has joined, as `me` knows it.
    pub(super) fn known(me: &str) -> Known {
        let opening = r#"{"kind": "J01", "members": ["TR", "MZ"], "operation_name": "Sample Harvest",
            "period": {"earliest": "2013-10-01", "latest": "2013-10-14"}, "substances": ["ammonium-nitrate"]}"#;
        let joining = r#"{"kind": "J04", "to": ["GE", "MZ"], "operation": "GE-1"}"#;
        let message = r#"{"kind": "J03", "to": ["GE", "MZ"], "operation": "GE-1", "message": "We look at Samsun."}"#;
        let records = [("GE-1", opening), ("TR-1", joining), ("TR-2", message)].map(|(name, text)| {
            let id: RecordId = name.parse().expect("an id");
            let now = UnixTime::from_seconds(1_379_900_000).expect("in range");
            let author = Some(id.log.member);
            let context = Context { strictness: Strictness::Own, author, now, foreign_exports: false };
            let draft: Draft = serde_json::from_str(text).expect("a draft");
            (id, PartialRecord::from(&draft.check(&context).expect("a sound draft").record))
        });
        let (id, operation) = crate::watch::operations(records).pop_first().expect("an operation");
        Known { me: me.parse().expect("a member"), id, operation: operation.to_json() }
    }
}
