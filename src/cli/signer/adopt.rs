//! `shieldwall signer adopt`.

use serde_json::json;

use super::{hold, settings};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::counted;
use crate::disk::Guard;
use crate::encoding::ids::LogId;
use crate::node::ask::Progress;
use crate::node::keys::{KeyFolder, KeyName};
use crate::node::{open, private, signer};

/// Moves what signs from the stopped node into the folder of its signer: the guards, the key files, and the tree of the newest log, made from the ledger.
///
/// At no time are there two guards of one log. Done again, it goes on where it was, and makes a tree that is missing. Keys of logs in a token stay there.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let config = context.config()?;
    let apart = settings(&config)?;
    let (store, _) = open::store(&config, |done, total| {
        context.ui.progress(&Progress { what: "reading the ledger".to_owned(), done, total: Some(total) });
    })
    .map_err(|error| Failure::from(error).hint("stop the node first: `shieldwall drain`"))?;
    let federation = open::current_federation(&config, &store)?;
    let newest = open::own_log(&config, &federation)?;
    private::create_folder(&apart.folder)?;
    let _lock = hold(apart)?;
    let target = KeyFolder::create(&apart.keys_dir())?;
    let source = KeyFolder::open(&config.keys_dir)?;

    let mut moved = Vec::new();
    for log in (1..=newest.ordinal).map(|ordinal| LogId { ordinal, ..newest }) {
        // The guard first: between the two, nobody can sign.
        let guard = signer::move_guard(&config.data_dir, &apart.folder, log)?;
        let name = KeyName::Log(log);
        let key = source.holds(&name);
        if key {
            private::move_file(&source.path(&name), &target.path(&name))?;
        }
        moved.extend((guard || key).then_some(log));
    }
    if !Guard::exists(&apart.folder, newest) {
        return Err(Failure::new(Exit::Failure, format!("there is no guard of log {newest}, here or at the signer"))
            .hint("a log without its guard is not signed again; the next one is opened: docs/backup.md"));
    }
    let key = federation.log_key(&newest).ok_or_else(crate::cli::context::unexpected)?;
    let read = signer::make_tree(&store, &apart.folder, newest, key, &mut |done, total| {
        context.ui.progress(&Progress { what: "checking the log".to_owned(), done, total: Some(total) });
    })?;
    let logs = super::logs(apart, config.member)?;
    let list = |logs: &[LogId]| logs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let what =
        if moved.is_empty() { "nothing was left to move".to_owned() } else { format!("moved log {}", list(&moved)) };
    let tree = if read == 0 { String::new() } else { format!("; its tree is made of {}", counted(read, "statement")) };
    context.ui.result(
        &json!({ "folder": apart.folder, "moved": moved, "logs": logs, "tree": read }),
        format!("{}: {what}{tree}", apart.folder.display()),
    )?;
    context.ui.say("Next: give the folder to the signer's user, start `shieldwall signer run`, then the node.");
    Ok(Exit::Success)
}
