//! `shieldwall drill`.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::backup::{Which, age, progress, size};
use super::context::Context;
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use crate::node::ask::{LedgerView, Request, Response};
use crate::node::backup::{self, Rehearsed, Scratch};
use crate::node::clock;
use crate::node::config::Config;
use crate::node::keys::Passphrase;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Put a backup back into a scratch folder, and tell time and loss
    Restore(Args),
}

/// Puts a backup back into a scratch folder, opens it as a node would, proves every log, opens the newest own records, and compares it with the
/// node. Tells how long that took and what would be lost. The node and its folders are not touched; nothing is signed.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Where the scratch folder is made; it is removed in the end [default: the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// What would be lost if the node were lost now.
#[derive(Debug, serde::Serialize)]
struct Loss {
    /// Statements of this member's own that the backup does not have.
    own: u64,
    /// Statements of others: they come back from them.
    others: u64,
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    let Command::Restore(args) = command;
    let config = context.config()?;
    let path = args.which.find(context)?;
    let passphrase = passphrase(context, &config)?;
    let scratch = Scratch::new(&args.scratch.clone().unwrap_or_else(std::env::temp_dir))?;
    let begun = now();
    let rehearsed =
        backup::rehearse(&path, &scratch.of(&config), passphrase.as_ref(), &mut progress(context, "rehearsing"))?;
    let seconds = begun.elapsed().as_secs_f64();
    drop(scratch);

    let mut faults = rehearsed.faults.clone();
    let loss = match context.ask(&Request::Ledger) {
        Ok(Response::Ledger(ledger)) => Some(compare(&config, &rehearsed, &ledger, &mut faults)),
        // Without the node there is nothing to compare with, and the rehearsal counts all the same.
        Ok(_) | Err(_) => None,
    };
    let made = rehearsed.inventory.created_at;
    let value = json!({
        "backup": path, "pass": faults.is_empty(), "faults": faults, "restore_s": seconds,
        "age_s": clock::now().since(made), "loss": loss, "statements": rehearsed.inventory.statements(), "bytes": rehearsed.bytes,
        "opened": rehearsed.opened.map(|(opened, _)| opened), "tried": rehearsed.opened.map(|(_, tried)| tried),
    });
    let proved: u64 = rehearsed.logs.iter().map(|log| log.proved).sum();
    let mut lines = vec![
        format!("backup    {}", path.display()),
        format!(
            "restored  {} in {seconds:.1} s: {}, {proved} proved by their owners' checkpoints",
            size(rehearsed.bytes),
            counted(rehearsed.inventory.statements(), "statement"),
        ),
        match rehearsed.opened {
            Some((opened, tried)) => {
                format!("opened    {opened} of the newest {} with the keys of the backup", counted(tried, "own record"))
            }
            None => "opened    not tried: no keys in the backup, or no passphrase at hand".to_owned(),
        },
        match &loss {
            Some(Loss { own, others }) => format!(
                "loss      the last {}: {} of {} with what is in them, and {} of others, who have them",
                age(made),
                counted(*own, "record"),
                config.member,
                counted(*others, "statement"),
            ),
            None => format!("loss      the last {}; no node to compare with", age(made)),
        },
    ];
    lines.extend(faults.iter().map(|fault| format!("FAULT     {fault}")));
    lines.push(if faults.is_empty() { "PASS" } else { "FAIL" }.to_owned());
    context.ui.result(&value, lines.join("\n"))?;
    Ok(if faults.is_empty() { Exit::Success } else { Exit::Damaged })
}

/// The passphrase if a file has it; nobody is asked, so that a timer can run this.
fn passphrase(context: &Context, config: &Config) -> Result<Option<Passphrase>, Failure> {
    let file = context.global.passphrase_file.as_deref().or(config.passphrase_file.as_deref());
    Ok(file.map(Passphrase::from_file).transpose()?)
}

/// What the node has beyond the backup. What the backup has beyond the node, or has otherwise, is a fault.
fn compare(config: &Config, rehearsed: &Rehearsed, ledger: &LedgerView, faults: &mut Vec<String>) -> Loss {
    let mut loss = Loss { own: 0, others: 0 };
    for held in &ledger.logs {
        let saved = rehearsed.logs.iter().find(|log| log.log == held.log);
        let more = held.size.saturating_sub(saved.map_or(0, |log| log.size));
        *(if held.log.member == config.member { &mut loss.own } else { &mut loss.others }) += more;
        if saved.is_some_and(|log| log.size == held.size && held.audited == held.size && log.root != held.root) {
            faults.push(format!("log {} is another one in the backup than at the node", held.log));
        }
    }
    for saved in &rehearsed.logs {
        let held = ledger.logs.iter().find(|held| held.log == saved.log).map_or(0, |held| held.size);
        if held < saved.size {
            let (log, size) = (saved.log, saved.size);
            faults.push(format!(
                "the backup has {size} statements of log {log}, and the node {held}: is it the newer one?"
            ));
        }
    }
    loss
}

#[allow(clippy::disallowed_methods, reason = "how long it takes is what is told")]
fn now() -> Instant {
    Instant::now()
}
