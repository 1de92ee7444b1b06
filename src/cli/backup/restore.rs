//! `shieldwall backup restore`.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Which, age, progress, size};
use crate::cli::context::Context;
use crate::cli::files;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::counted;
use crate::node::backup::{self, CONFIG};

/// Puts a backup back: the data where the config says, into a folder that must be empty; keys, charter and config where there are none.
///
/// There is no key of a log and no guard in a backup, so what is restored signs nothing: the node runs, fetches from the others what came since,
/// shows everything, and cosigns. It logs again in its member's next log, which the root opens.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config_file = context.config_path();
    let is_there = config_file.exists();
    let path = args.which.find(context).map_err(|failure| {
        if is_there {
            failure
        } else {
            failure.hint("without a config, name the backup by its path, or --from its folder")
        }
    })?;
    if !is_there {
        put_config_back(&path, &config_file)?;
    }
    let config = context.config()?;
    let restored = backup::restore(&path, &config, &mut progress(context, "restoring"))?;
    let inventory = &restored.inventory;
    let value = json!({
        "from": path, "data_dir": config.data_dir, "files": restored.files, "bytes": restored.bytes, "kept": restored.kept,
        "config_restored": !is_there, "backup": inventory,
    });
    let text = format!(
        "{}: {} in {} from a backup of {} ago",
        config.data_dir.display(),
        counted(inventory.statements(), "statement"),
        size(restored.bytes),
        age(inventory.created_at)
    );
    context.ui.result(&value, text)?;
    if !is_there {
        context.ui.say(format!("{} was put back as well", config_file.display()));
    }
    for kept in &restored.kept {
        context.ui.say(format!("{} was there, and stays", kept.display()));
    }
    if inventory.keys.is_empty() {
        context.ui.say(format!("There are no keys in it: put them back into {}.", config.keys_dir.display()));
    }
    context
        .ui
        .say(super::super::recovery::next_log("this node signs nothing: no backup holds what its log was signed with"));
    Ok(Exit::Success)
}

/// The config went with the machine: that of the backup takes its place.
fn put_config_back(backup: &Path, to: &Path) -> Result<(), Failure> {
    let text = files::read(&backup.join(CONFIG))?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    files::write_new(to, &text)
}
