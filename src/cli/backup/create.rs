//! `shieldwall backup create`.

use std::path::PathBuf;

use serde_json::json;

use super::{progress, size};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::counted;
use crate::node::backup::{self, Wanted};
use crate::node::clock;

/// Copies what only this node has, while it works or not: the ledger with the bodies that it may read, what officers did, the config, the
/// charter, and the keys that open, cosign and connect, encrypted as they lie there.
///
/// Never in it: the key of a log, the signer guard, roots, the passphrase, passwords. What is restored cannot sign the log that it comes from;
/// it goes on in the member's next log. The backup is there under its name once all of it is on the disk.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The folder of the backups, best on another disk [default: backup_dir of the config]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Leave the keys out: they are kept elsewhere
    #[arg(long)]
    without_keys: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    let to = args.to.clone().unwrap_or_else(|| config.backup_dir.clone());
    let config_file = context.config_path();
    let wanted = Wanted { config_file: &config_file, to: &to, keys: !args.without_keys, now: clock::now() };
    let made = backup::create(&config, wanted, &mut progress(context, "copying the ledger"))?;
    let inventory = &made.inventory;
    let text = format!(
        "{}: {} in {}, {}",
        made.path.display(),
        counted(inventory.statements(), "statement"),
        counted(inventory.logs.len() as u64, "log"),
        size(inventory.bytes)
    );
    context.ui.result(&json!({ "path": made.path, "backup": inventory }), text)?;
    if inventory.damage.is_empty() {
        return Ok(Exit::Success);
    }
    for damage in &inventory.damage {
        context.ui.warn(format!("it was damaged before it was copied: {damage}"));
    }
    context.ui.say("Peers give statements back while the node runs; `shieldwall status` and `fsck` tell more.");
    Ok(Exit::Damaged)
}
