//! `shieldwall audit show`.

use std::path::PathBuf;

use super::source::{Source, name_of};
use crate::audit::Link;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::show::outline;

/// Shows one entry with everything in it, and where it stands.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The number of the entry
    #[arg(value_name = "N")]
    number: u64,
    /// Files of an audit log, or folders of them [default: the folder audit in data_dir]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let mut found = None;
    Source::of(context, &args.paths)?.each(|line| {
        if Link::read(line.bytes).is_ok_and(|link| link.number == args.number) {
            let value: serde_json::Value = serde_json::from_slice(line.bytes)?;
            found = Some((name_of(line.file), value));
        }
        Ok::<(), Failure>(())
    })?;
    let Some((file, value)) = found else {
        return Err(Failure::new(Exit::Failure, format!("there is no entry {} here that can be read", args.number))
            .hint("`shieldwall audit verify` tells which are missing or damaged"));
    };
    context.ui.result(&value, outline(&file, &value))?;
    Ok(Exit::Success)
}
