//! `shieldwall log close` and `shieldwall log open`: a new version of the manifest that changes the logs and nothing else.

use crate::cli::context::Context;
use crate::cli::manifest::{Destination, NextLog, log_key, sign_logs};
use crate::cli::report::Outcome;
use crate::encoding::ids::LogId;
use crate::identity::PublicKey;

/// Closes this member's newest log where its own statements end. Those above are kept, shown as disowned, and count for nothing at any node.
///
/// For a key that somebody else had. `log impact` shows first what would be touched. The member's root signs, so it must be in the keys
/// folder; `--next-log` opens the log that follows in the same version.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct CloseArgs {
    /// How many statements stay good: the position of the first that does not
    #[arg(long, value_name = "SIZE")]
    at: u64,
    /// Open the next log as well
    #[arg(long)]
    next_log: bool,
    /// The next log and its public key, if a signer of its own has drawn it
    #[arg(long, value_name = "LOG:KEY", requires = "next_log", value_parser = log_key)]
    key: Option<(LogId, PublicKey)>,
    #[command(flatten)]
    destination: Destination,
}

/// Draws the key of this member's next log and opens it; the log before it is signed no more.
///
/// To change the key from time to time, or after its disk was lost. The member's root signs, so it must be in the keys folder.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct OpenArgs {
    /// The log and its public key, if a signer of its own has drawn it: `shieldwall signer draw`
    #[arg(long, value_name = "LOG:KEY", value_parser = log_key)]
    key: Option<(LogId, PublicKey)>,
    #[command(flatten)]
    destination: Destination,
}

pub(super) fn close(context: &Context, args: CloseArgs) -> Outcome {
    sign_logs(context, args.destination, Some(args.at), args.next_log.then_some(NextLog { key: args.key }))
}

pub(super) fn open(context: &Context, args: OpenArgs) -> Outcome {
    sign_logs(context, args.destination, None, Some(NextLog { key: args.key }))
}
