//! `shieldwall root adopt`.

use std::path::PathBuf;

use super::keys::{self, Roots};
use crate::cli::charter;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::fingerprint;
use crate::node::keys::KeyName;

/// Puts the next root in the place of the root, once a complete charter says that it is the root.
///
/// The root that was is kept as spent-root-….pem; no charter will ever name it again. Done twice, it changes nothing.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The charter that changed the root [default: the config's]
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    #[command(flatten)]
    roots: keys::RootsArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let path = charter::file_or_config(context, args.charter.as_ref())?;
    let federation = charter::read(&path)?.verify()?;
    let roots = Roots::open(context, &args.roots)?;
    let member = roots.member;
    let missing = || Failure::new(Exit::Usage, format!("{member} is not in {}", path.display()));
    let entry = federation.member(member).ok_or_else(missing)?;
    roots.check(entry)?;
    let is_in_place = |name, digest| roots.key(name).is_some_and(|key| key.public().digest() == digest);
    let done = is_in_place(KeyName::Root, entry.root.digest()) && !is_in_place(KeyName::LaterRoot, entry.next_root);
    let before = federation.chain().versions().iter().rev().filter_map(|version| version.charter().member(member));
    let before = before.map(|member| member.root).find(|root| *root != entry.root);
    let root = fingerprint(&entry.root);
    let value = serde_json::json!({ "member": member, "root": entry.root.digest(), "changed": !done });
    match before.filter(|_| !done) {
        Some(before) => {
            roots.folder.advance_root(&before.kid().to_string())?;
            context.ui.result(&value, format!("the root of {member} is now {root}"))?;
        }
        None => context.ui.result(&value, format!("the root of {member} is {root}, and in its place already"))?,
    }
    Ok(Exit::Success)
}
