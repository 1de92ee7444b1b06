//! `shieldwall doctor`: numbered findings, each with the command that mends it.
//!
//! [`facts`] gathers; the checks in [`standing`], [`running`] and [`keeping`] look at the facts and nothing else.

mod facts;
mod finding;
mod keeping;
mod running;
mod standing;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::json;

use super::context::Context;
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use crate::node::ask::{LedgerView, StatusView};
use crate::node::config::Config;
use facts::{Facts, Running};
use finding::{Check, Finding, Level};

/// Looks for what is wrong with the node and what will be, and says how to mend it.
///
/// Each finding has a number that stays the same; docs/doctor.md has a section for each. Ends with 40 if there are warnings only, with 41 if
/// something is wrong now. Changes nothing, and needs no passphrase.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// One line and the exit codes of monitoring plugins: 0 well, 1 warning, 2 wrong, 3 unknown
    #[arg(long)]
    nagios: bool,
}

const CONFIG: Check = Check { id: "D001", title: "the config is valid" };

/// Checks that need only what lies on the disk.
const HERE: [fn(&Facts) -> Finding; 9] = [
    standing::keys,
    standing::encrypted,
    standing::roots,
    standing::charter,
    standing::log,
    standing::sealed,
    running::runs,
    keeping::space,
    keeping::backup,
];

/// What a check makes of a running node.
type Look = fn(&Facts, &Running) -> Finding;

/// Checks that a running node answers.
const ASKED: [(Check, Look); 14] = [
    (running::SIGNS, running::signs),
    (running::PEERS, running::peers),
    (running::NETWORK, running::network),
    (running::CLOCK, running::clock),
    (running::FRESH, running::fresh),
    (running::TOLD, running::told),
    (running::AGREED, running::agreed),
    (keeping::AUDITED, keeping::audited),
    (keeping::HISTORIES, keeping::histories),
    (keeping::VERSIONS, keeping::versions),
    (keeping::BODIES, keeping::bodies),
    (keeping::LANES, keeping::lanes),
    (keeping::DAMAGE, keeping::damage),
    (keeping::AUDIT, keeping::audit),
];

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let findings = match context.config() {
        Ok(config) => examine(&Facts::gather(context, &config)?),
        Err(failure) if failure.exit() == Exit::Config || failure.exit() == Exit::Initialised => {
            vec![CONFIG.fail(
                failure.text().lines().next().unwrap_or_default(),
                "shieldwall config check; shieldwall config example",
            )]
        }
        Err(failure) => return Err(failure),
    };
    let [warn, fail, unknown] = [Level::Warn, Level::Fail, Level::Unknown].map(|level| count(&findings, level));
    let summary = summary(&findings);
    if args.nagios {
        let word = if fail > 0 {
            "CRITICAL"
        } else if warn > 0 {
            "WARNING"
        } else {
            "OK"
        };
        let worst = findings.iter().max_by_key(|finding| finding.level);
        let worst = worst.filter(|worst| worst.level != Level::Pass);
        let worst = worst.map_or_else(String::new, |worst| format!("; {} {}", worst.id, worst.text));
        context
            .ui
            .result(&json!({ "state": word, "summary": summary }), format!("SHIELDWALL {word} - {summary}{worst}"))?;
        // The codes of monitoring plugins, whatever they mean elsewhere.
        return Ok(if fail > 0 {
            Exit::Usage
        } else if warn > 0 {
            Exit::Failure
        } else {
            Exit::Success
        });
    }
    context.ui.result(
        &json!({ "findings": findings, "warn": warn, "fail": fail, "unknown": unknown }),
        text(&findings, &summary),
    )?;
    Ok(if fail > 0 {
        Exit::Findings
    } else if warn > 0 {
        Exit::Warnings
    } else {
        Exit::Success
    })
}

/// All findings as text, for who looks into a fault from afar; and what a running node said of itself and its ledger.
///
/// # Errors
/// If the running node breaks off.
pub(super) fn examination(
    context: &Context,
    config: &Config,
) -> Result<(String, Option<(StatusView, LedgerView)>), Failure> {
    let facts = Facts::gather(context, config)?;
    let findings = examine(&facts);
    let said = facts.node.ok().map(|running| (running.status, running.ledger));
    Ok((text(&findings, &summary(&findings)) + "\n", said))
}

fn summary(findings: &[Finding]) -> String {
    let unknown = match count(findings, Level::Unknown) {
        0 => String::new(),
        unknown => format!(", {unknown} unknown"),
    };
    format!(
        "{}: {} pass, {} warn, {} fail{unknown}",
        counted(findings.len() as u64, "check"),
        count(findings, Level::Pass),
        count(findings, Level::Warn),
        count(findings, Level::Fail)
    )
}

fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

/// All findings, by number.
fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![CONFIG.pass_with(facts.config_path.display().to_string())];
    findings.extend(HERE.iter().map(|check| check(facts)));
    findings.extend(ASKED.iter().map(|(check, look)| match &facts.node {
        Ok(node) => look(facts, node),
        Err(_) => check.unknown(running::NOT_RUNNING),
    }));
    findings.sort_by_key(|finding| finding.id);
    findings
}

fn text(findings: &[Finding], summary: &str) -> String {
    let mut text = String::new();
    for Finding { id, level, text: what, fix } in findings {
        writeln!(text, "{} {id} {what}", level.word()).expect("writing to a string cannot fail");
        if let Some(fix) = fix {
            writeln!(text, "          fix: {fix}").expect("writing to a string cannot fail");
        }
    }
    text + summary
}
