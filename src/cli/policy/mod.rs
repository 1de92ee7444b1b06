//! `shieldwall policy`: how a country answers, reckons and tolerates, for all members to read.

mod publish;

use serde_json::json;

use super::context::{Context, unexpected};
use super::entry::{content, show};
use super::report::{Exit, Failure, Outcome};
use super::show::outline;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{RecordFilter, Request, Response};
use crate::node::clock;
use crate::record::{Date, Draft, Kind};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Publish your own (G03)
    Publish(publish::Args),
    /// Show the policy of a member that holds today, by default your own
    Show {
        /// The member, such as MZ
        #[arg(value_name = "MEMBER")]
        member: Option<MemberCode>,
    },
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::Publish(args) => publish::run(context, args),
        Command::Show { member } => show_policy(context, *member),
    }
}

fn show_policy(context: &Context, member: Option<MemberCode>) -> Outcome {
    let member = match member {
        Some(member) => member,
        None => context.config()?.member,
    };
    let Some((id, policy)) = in_force(context, member)? else {
        return Err(Failure::new(Exit::Failure, format!("no policy of {member} holds today, or none is here"))
            .hint("`shieldwall record list --kind policy` lists all; what no policy says has the default"));
    };
    let from = policy.effective_from.map_or_else(String::new, |day| format!(", since {day}"));
    let terms = serde_json::to_value(&policy.terms)?;
    let text = format!("{id}, the policy of {member}{from}\n\n{}", outline("terms", &terms));
    context.ui.result(
        &json!({ "id": id, "member": member, "effective_from": policy.effective_from, "terms": terms }),
        text,
    )?;
    Ok(Exit::Success)
}

/// The newest policies of one member that are looked through for the one that holds today.
const POLICIES_MAX: u64 = 20;

/// The policy of a member that holds today: the newest whose first day has come.
///
/// # Errors
/// If the node cannot be asked.
pub(super) fn in_force(context: &Context, member: MemberCode) -> Result<Option<(RecordId, Draft)>, Failure> {
    let Response::Ledger(ledger) = context.ask(&Request::Ledger)? else { return Err(unexpected()) };
    let logs = ledger.logs.into_iter().map(|log| log.log).filter(|log| log.member == member);
    let mut found = Vec::new();
    for log in logs {
        let kind = Some(Kind::Policy.name().to_owned());
        let filter = RecordFilter { log: Some(log), kind, limit: POLICIES_MAX, ..RecordFilter::default() };
        let Response::Records(lines) = context.ask(&Request::RecordList(filter))? else { return Err(unexpected()) };
        found.extend(lines);
    }
    found.sort_by_key(|line| std::cmp::Reverse((line.issued_at, line.id)));
    let today = Date::of(clock::now()).ok();
    for line in found.iter().filter(|line| line.flagged.is_none()) {
        let policy = content(&show(context, line.id)?);
        if policy.terms.is_some() && policy.effective_from.is_none_or(|first| Some(first) <= today) {
            return Ok(Some((line.id, policy)));
        }
    }
    Ok(None)
}
