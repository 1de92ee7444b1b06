//! `shieldwall audit export`.

use std::path::PathBuf;

use super::source::{Line, Source, name_of};
use crate::audit::Link;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};

/// Prints entries byte for byte as they are in the files, a JSON object a line, for a collector (SIEM).
///
/// A line that is not as it was written is left out, with a warning; the command then ends with 3. With --follow it goes on until interrupted:
/// a copy that left the machine in time is what an administrator cannot alter.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Files of an audit log, or folders of them [default: the folder audit in data_dir]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// From this entry on: the one after the last that the collector has
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
    /// Go on with what is written from now on, until interrupted
    #[arg(long, short)]
    follow: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let source = Source::of(context, &args.paths)?;
    let mut left_out = false;
    let mut print = |line: Line<'_>| {
        match Link::read(line.bytes) {
            Ok(link) if link.number >= args.from => context.ui.line(&String::from_utf8_lossy(line.bytes))?,
            Ok(_) => {}
            Err(error) if line.is_ended => {
                left_out = true;
                context.ui.warn(format!("left a line of {} out: {error}", name_of(line.file)));
            }
            // It is being written.
            Err(_) => {}
        }
        Ok::<(), Failure>(())
    };
    if args.follow {
        source.follow(&mut print)?
    } else {
        source.each(&mut print)?
    }
    Ok(if left_out { Exit::Partial } else { Exit::Success })
}
