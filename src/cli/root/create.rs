//! `shieldwall root create`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::fingerprint;
use crate::identity::SecretKey;
use crate::node::keys::{KeyFolder, KeyName, Seed};

/// Draws a member's root and its next root, on a machine that never has a network.
///
/// `init --roots DIR` makes the rest of a member's keys on the machine of its node, and signs the first manifest with this root, which
/// stays where it is. Nothing is ever overwritten.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The folder for the two keys; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Do not encrypt the keys: for tests and demos only
    #[arg(long)]
    insecure_dev_keys: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let passphrase = if args.insecure_dev_keys { None } else { Some(context.new_passphrase()?) };
    let folder = KeyFolder::create(&args.keys)?;
    let drawn = [(KeyName::Root, Seed::random()?), (KeyName::NextRoot, Seed::random()?)];
    folder.write_all(&drawn, Context::protection(passphrase.as_ref()))?;
    let [root, next] = drawn.map(|(_, seed)| SecretKey::from_seed(seed.expose()).public());
    let value = json!({ "keys": args.keys, "root": root.digest(), "next_root": next.digest() });
    context.ui.result(&value, format!("root       {}\nnext root  {}", fingerprint(&root), fingerprint(&next)))?;
    context.ui.say("Next: shieldwall init MEMBER --roots DIR; and shieldwall root backup, for each of the two keys.");
    Ok(Exit::Success)
}
