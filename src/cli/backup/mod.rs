//! `shieldwall backup`: what only this node has, copied, checked, put back.

mod create;
mod list;
mod restore;
mod verify;

use std::path::{Path, PathBuf};

use super::context::Context;
use super::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::node::ask::Progress;
use crate::node::backup;
use crate::node::clock;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Make a backup, while the node works or not
    Create(create::Args),
    /// The backups that there are
    List(list::Args),
    /// Read a backup again, and check all of it
    Verify(verify::Args),
    /// Put a backup back where nothing is
    Restore(restore::Args),
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::Create(args) => create::run(context, args),
        Command::List(args) => list::run(context, args),
        Command::Verify(args) => verify::run(context, args),
        Command::Restore(args) => restore::run(context, args),
    }
}

/// Where a backup is looked for, and which.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Which {
    /// The backup: its name, its path, or `latest`
    #[arg(default_value = backup::LATEST, value_name = "BACKUP")]
    name: String,
    /// The folder of the backups [default: backup_dir of the config]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

impl Which {
    /// Where it is. Without a config, only a path or --from can tell.
    pub(super) fn find(&self, context: &Context) -> Result<PathBuf, Failure> {
        let path = Path::new(&self.name);
        if self.from.is_none() && path.join(backup::INVENTORY).is_file() {
            return Ok(path.to_owned());
        }
        let dir = match &self.from {
            Some(dir) => dir.clone(),
            None => context.config()?.backup_dir,
        };
        Ok(backup::find(&dir, &self.name)?)
    }
}

/// How long ago, in the largest unit that says enough.
pub(super) fn age(at: UnixTime) -> String {
    let seconds = clock::now().since(at).max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Bytes, in the largest unit that says enough.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        10_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

/// Tells on the terminal how far it is.
pub(super) fn progress<'a>(context: &'a Context, what: &'a str) -> impl FnMut(u64, u64) + 'a {
    move |done, total| context.ui.progress(&Progress { what: what.to_owned(), done, total: Some(total) })
}
