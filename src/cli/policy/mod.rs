//! `shieldwall policy`: how a country answers, reckons and tolerates, for all members to read.

mod publish;

use serde_json::json;

use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use super::show::outline;
use crate::encoding::ids::MemberCode;
use crate::node::ask::{PolicyView, Request, Response};
use crate::node::clock;
use crate::record::Date;

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
    let Some(policy) = in_force(context, member)? else {
        return Err(Failure::new(Exit::Failure, format!("no policy of {member} holds today, or none is here"))
            .hint("`shieldwall record list --kind policy` lists all; what no policy says has the default"));
    };
    let from = policy.effective_from.map_or_else(String::new, |day| format!(", since {day}"));
    let terms = serde_json::to_value(&policy.terms)?;
    let text = format!("{}, the policy of {member}{from}\n\n{}", policy.id, outline("terms", &terms));
    context.ui.result(
        &json!({ "id": policy.id, "member": member, "effective_from": policy.effective_from, "terms": terms }),
        text,
    )?;
    Ok(Exit::Success)
}

/// The policy of a member that holds today: the newest whose first day has come.
///
/// # Errors
/// If the node cannot be asked.
pub(super) fn in_force(context: &Context, member: MemberCode) -> Result<Option<PolicyView>, Failure> {
    let Response::Policies(all) = context.ask(&Request::PolicyList { member })? else { return Err(unexpected()) };
    Ok(newest(all, Date::of(clock::now()).ok()))
}

fn newest(all: Vec<PolicyView>, today: Option<Date>) -> Option<PolicyView> {
    all.into_iter().find(|policy| policy.effective_from.is_none_or(|first| Some(first) <= today))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::time::UnixTime;
    use crate::record::Terms;

    #[test]
    fn the_policy_of_today_is_the_newest_that_has_begun() {
        let policy = |id: &str, first: Option<&str>| PolicyView {
            id: id.parse().unwrap(),
            issued_at: UnixTime::ZERO,
            effective_from: first.map(|day| day.parse().unwrap()),
            terms: Terms::default(),
        };
        let all = || vec![policy("MZ-9", Some("2027-01-01")), policy("MZ-5", Some("2026-06-01")), policy("MZ-1", None)];
        let on = |day: &str| newest(all(), day.parse().ok()).map(|policy| policy.id.to_string());
        assert_eq!(on("2026-12-31").as_deref(), Some("MZ-5"));
        assert_eq!(on("2027-01-01").as_deref(), Some("MZ-9"));
        assert_eq!(on("2026-01-01").as_deref(), Some("MZ-1"));
        assert!(newest(Vec::new(), None).is_none());
    }
}
