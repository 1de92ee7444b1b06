//! `shieldwall root restore`.

use std::path::PathBuf;

use serde_json::json;

use super::sheets::{self, SheetsArgs};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::fingerprint;
use crate::identity::SecretKey;
use crate::node::keys::KeyFolder;

/// Puts a root together from its shares, and writes its key file.
///
/// Works on the machine without a network where roots are kept. The key is written only if it is the one whose fingerprint stands on the
/// sheets; a key file that is there is never overwritten.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    sheets: SheetsArgs,
    /// The folder for the key; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Do not encrypt the key: for tests and demos only
    #[arg(long)]
    insecure_dev_keys: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let (read, joined) = sheets::join(context, &args.sheets)?;
    let first = read.first().expect("a key came from sheets");
    let passphrase = if args.insecure_dev_keys { None } else { Some(context.new_passphrase()?) };
    let folder = KeyFolder::create(&args.keys)?;
    folder.write(&first.key, &joined.seed, Context::protection(passphrase.as_ref()))?;
    let public = SecretKey::from_seed(joined.seed.expose()).public();
    let path = folder.path(&first.key);
    let value = json!({
        "member": first.member, "key": first.key.to_string(), "public": public.digest(), "file": path, "wrong": joined.wrong,
    });
    let text = format!("{}: the {} of {}, {}", path.display(), first.key, first.member, fingerprint(&public));
    context.ui.result(&value, text)?;
    Ok(Exit::Success)
}
