//! `shieldwall drain`.

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::context::{Context, duration, unexpected};
use super::report::{Exit, Failure, Outcome};
use crate::node::ask::{Request, Response};

/// Ends the running node in order: it takes nothing new, finishes what was begun, writes it to the disk, leaves the others, and ends.
///
/// What was acknowledged before is on the disk anyway, also if the node is killed. Ends with 0 once the node has gone, with 124 if it has not
/// in time; then it is still ending. SIGTERM does the same.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// How long to wait for its end
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    deadline: Duration,
}

/// Between two looks whether it is gone.
const LOOK: Duration = Duration::from_millis(50);

#[allow(clippy::disallowed_methods, reason = "a command that waits for another process has a limit")]
pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    let begun = Instant::now();
    let mut node = context.connect()?;
    let Response::Done = node.ask(&Request::Shutdown, |_| {})? else { return Err(unexpected()) };
    drop(node);
    context.ui.say("The node takes nothing new, and finishes what was begun.");
    // Its socket closes first, its lock on the data folder last.
    while UnixStream::connect(&config.socket).is_ok() || crate::disk::is_locked(&config.data_dir) {
        if begun.elapsed() > args.deadline {
            return Err(Failure::new(Exit::Timeout, format!("the node has not ended within {:?}", args.deadline))
                .hint("it goes on ending: what was acknowledged is on the disk; journalctl -u shieldwall"));
        }
        thread::sleep(LOOK);
    }
    let seconds = begun.elapsed().as_secs_f64();
    context.ui.result(&json!({ "ended": true, "seconds": seconds }), format!("ended after {seconds:.1} s"))?;
    Ok(Exit::Success)
}
