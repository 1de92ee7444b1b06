//! `shieldwall backup list`.

use std::path::PathBuf;

use serde_json::json;

use super::{age, size};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::cli::ui::table;
use crate::node::backup;

/// Lists the backups in a folder, the oldest first, by what they say of themselves. `backup verify` reads one.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The folder of the backups [default: backup_dir of the config]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let dir = match &args.from {
        Some(dir) => dir.clone(),
        None => context.config()?.backup_dir,
    };
    let found = backup::list(&dir)?;
    let values: Vec<_> = found
        .iter()
        .map(|found| match &found.inventory {
            Ok(inventory) => json!({ "name": found.name, "path": found.path, "backup": inventory }),
            Err(error) => json!({ "name": found.name, "path": found.path, "error": error.to_string() }),
        })
        .collect();
    let rows = found.iter().map(|found| match &found.inventory {
        Ok(inventory) => [
            found.name.clone(),
            age(inventory.created_at),
            inventory.statements().to_string(),
            size(inventory.bytes),
            if inventory.keys.is_empty() { "no" } else { "yes" }.to_owned(),
            if inventory.damage.is_empty() { "" } else { "of damaged data" }.to_owned(),
        ],
        Err(error) => [found.name.clone(), "?".into(), "?".into(), "?".into(), "?".into(), error.to_string()],
    });
    let text = if found.is_empty() {
        format!("there is no backup in {}", dir.display())
    } else {
        table(["BACKUP", "AGE", "STATEMENTS", "SIZE", "KEYS", ""], rows)
    };
    context.ui.result(&values, text)?;
    Ok(Exit::Success)
}
