//! `shieldwall root backup`.

use std::path::PathBuf;

use serde_json::json;

use super::keys::{self, Roots};
use super::sheets::WhichRoot;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::counted;
use crate::node::keys::{Seed, share};
use crate::node::private;

/// Divides a root into shares on paper: any few of them give it again, fewer give nothing.
///
/// Writes one text file for each share. Print them, or write them off by hand, give each to another person, destroy the files, and try
/// them with `root drill`. A share needs no passphrase: whoever has enough of them has the key.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// How many shares, 2 to 16
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    shares: u8,
    /// How many of them are needed, 2 at least
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    needed: u8,
    /// Which key
    #[arg(long, value_name = "KEY", default_value = "root")]
    key: WhichRoot,
    /// The folder for the sheets; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    roots: keys::RootsArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let roots = Roots::open(context, &args.roots)?;
    let name = args.key.name();
    let missing = || Failure::new(Exit::Initialised, format!("{} is not here", roots.folder.path(&name).display()));
    let key = roots.key(name).ok_or_else(missing)?;
    let seed = Seed::new(*key.seed());
    let sheets = share::split(roots.member, name, &seed, args.shares, args.needed)
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    private::create_folder(&args.out)?;
    let mut files = Vec::with_capacity(sheets.len());
    for sheet in &sheets {
        let path = args.out.join(sheet.file_name());
        private::write_new(&path, sheet.text()?.as_bytes())?;
        files.push(path);
    }
    let value = json!({
        "member": roots.member, "key": name.to_string(), "public": key.public().digest(),
        "shares": args.shares, "needed": args.needed, "files": files,
    });
    let text = format!(
        "{}: {} of the {name} of {}, {} of them are needed",
        args.out.display(),
        counted(args.shares.into(), "share"),
        roots.member,
        args.needed
    );
    context.ui.result(&value, text)?;
    context.ui.say(
        "Next: print the sheets, give each to another person, destroy the files, and try them: shieldwall root drill.",
    );
    Ok(Exit::Success)
}
