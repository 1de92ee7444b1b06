//! `shieldwall root drill`.

use std::path::PathBuf;

use serde_json::json;

use super::sheets::{self, SheetsArgs};
use crate::cli::charter;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::fingerprint;
use crate::identity::SecretKey;
use crate::node::keys::KeyName;

/// Tries whether shares give a root, and writes nothing.
///
/// With a charter it is also seen whether that root is the one that the charter names. With more shares than are needed, those that are
/// wrong are named. Ends with 20 if the root cannot be had from them, or is another.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    sheets: SheetsArgs,
    /// The charter that names the root
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let (read, joined) = sheets::join(context, &args.sheets)?;
    let first = read.first().expect("a key came from sheets");
    let public = SecretKey::from_seed(joined.seed.expose()).public();
    let charter = args.charter.as_ref().map(|path| in_charter(path, first.member, first.key, &public)).transpose()?;
    let pass = joined.wrong.is_empty() && charter.as_ref().is_none_or(|(_, fits)| *fits);
    let value = json!({
        "pass": pass, "member": first.member, "key": first.key.to_string(), "public": public.digest(),
        "tried": read.len(), "needed": first.needed, "wrong": joined.wrong,
        "charter_version": charter.map(|(version, _)| version), "in_charter": charter.map(|(_, fits)| fits),
    });
    let mut text = format!(
        "{} {} of {}: {} of {} shares tried, {} are needed\n",
        first.key,
        fingerprint(&public),
        first.member,
        read.len(),
        first.of,
        first.needed
    );
    if let Some((version, fits)) = charter {
        let word = if fits { "names it" } else { "names ANOTHER" };
        text.push_str(&format!("charter version {version} {word}\n"));
    }
    text.push_str(if pass { "PASS" } else { "FAIL" });
    context.ui.result(&value, text)?;
    Ok(if pass { Exit::Success } else { Exit::Verification })
}

/// The version of a charter, and whether it names this key as that root of the member.
fn in_charter(
    path: &std::path::Path,
    member: crate::encoding::ids::MemberCode,
    key: KeyName,
    public: &crate::identity::PublicKey,
) -> Result<(u64, bool), Failure> {
    let federation = charter::read(path)?.verify()?;
    let missing = || Failure::new(Exit::Verification, format!("{member} is not in {}", path.display()));
    let entry = federation.member(member).ok_or_else(missing)?;
    let fits = match key {
        KeyName::Root => entry.root == *public,
        // The root after the next is announced only when it is the next.
        KeyName::NextRoot
        | KeyName::LaterRoot
        | KeyName::Log(_)
        | KeyName::Witness(_)
        | KeyName::Transport
        | KeyName::Seal(_) => entry.next_root == public.digest(),
    };
    Ok((federation.charter().version(), fits))
}
