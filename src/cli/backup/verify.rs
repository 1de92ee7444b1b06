//! `shieldwall backup verify`.

use serde_json::json;

use super::{Which, age, progress, size};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::counted;
use crate::node::backup;
use crate::node::clock;

/// Reads every byte of a backup again: digests, frames, and each log against the checkpoint that its owner signed. Nothing is restored, and
/// no passphrase is needed.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let path = args.which.find(context)?;
    let verified = backup::verify(&path, &mut progress(context, "reading the backup"))?;
    let inventory = &verified.inventory;
    let value = json!({
        "path": path, "good": verified.is_good(), "age_s": clock::now().since(inventory.created_at),
        "files": verified.files, "bytes": verified.bytes, "damaged": verified.damaged, "unproved": verified.unproved,
        "backup": inventory,
    });
    let mut lines: Vec<String> = verified.damaged.iter().map(|what| format!("DAMAGED   {what}")).collect();
    lines.extend(verified.unproved.iter().map(|what| format!("UNPROVED  {what}")));
    lines.extend(inventory.damage.iter().map(|what| format!("as it was {what}")));
    let proved: u64 = inventory.logs.iter().map(|log| log.proved).sum();
    lines.push(format!(
        "{}: {}: {} in {}, {proved} of {} proved by their owners' checkpoints, made {} ago",
        path.display(),
        if verified.is_good() { "good" } else { "NOT GOOD" },
        size(verified.bytes),
        counted(verified.files, "file"),
        counted(inventory.statements(), "statement"),
        age(inventory.created_at),
    ));
    context.ui.result(&value, lines.join("\n"))?;
    Ok(match (verified.damaged.is_empty(), verified.unproved.is_empty()) {
        (true, true) => Exit::Success,
        (true, false) => Exit::Verification,
        (false, _) => Exit::Damaged,
    })
}
