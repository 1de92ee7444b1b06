//! `shieldwall restore`.

use std::fs;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::context::Context;
use super::report::{Exit, Failure, Outcome};
use super::show::{counted, groups};
use super::{files, join, recovery, run};
use crate::encoding::hash::Digest;
use crate::identity::Federation;
use crate::network::Peer;
use crate::node::ask::Progress;
use crate::node::config::Config;
use crate::node::open;
use crate::node::rebuild::{self, Rebuilt};

/// Rebuilds the ledger of a node that lost its disk from the other members, who hold all of it.
///
/// Needed are the config, the keys but those of logs, and the charter, or its digest and the address of one node as for `join`. It ends when
/// several members have cosigned the very ledger that is here: all logs, statement by statement. Nothing is signed but cosignatures. What
/// others sealed for this member comes back as well; the bodies of its own records and what its officers did come from a backup only, which may be put
/// back first (`backup restore`).
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// From the other members' nodes
    #[arg(long, required = true)]
    from_peers: bool,
    /// The federation's digest, where the charter is lost as well
    #[arg(long, value_name = "DIGEST", requires = "address")]
    charter: Option<Digest>,
    /// The address of a member's node that gives the charter
    #[arg(long, value_name = "MULTIADDR", requires = "charter")]
    address: Option<Peer>,
    /// How many members must hold the same ledger [default: 3, or all others if there are fewer]
    #[arg(long, value_name = "MEMBERS")]
    agree: Option<usize>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    refuse_what_signs(&config)?;
    if !config.charter.exists() {
        let (Some(charter), Some(address)) = (args.charter, &args.address) else {
            return Err(Failure::new(Exit::Config, format!("there is no {}", config.charter.display()))
                .hint("--charter DIGEST --address MULTIADDR fetch it from a member; `charter verify` shows the digest at every member"));
        };
        let federation = join::fetch(context, &config, charter, address)?;
        files::write_new(&config.charter, &federation.published().encode()?)?;
    }
    let federation = open::federation(&config.charter)?;
    let needed = args.agree.unwrap_or_else(|| others(&config, &federation).min(rebuild::AGREE));
    super::journal::start_for_command(&config.log, context.global.verbose, context.ui.color)?;
    let (node, setup) = run::prepare(context, &config, false)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let begun = crate::node::clock::now_ms();
    let rebuilt = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let limit = context.global.timeout;
        tokio::spawn(async move {
            tokio::select! {
                () = limited(limit) => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            stop.send_replace(true);
        });
        rebuild::rebuild(node, setup, needed, stopped, |news| tell(context, news)).await
    })?;
    let seconds = (crate::node::clock::now_ms() - begun) / 1000;
    report(context, &config, &rebuilt, seconds)
}

/// A folder with a guard is that of a node that may sign: nothing is rebuilt into it.
fn refuse_what_signs(config: &Config) -> Result<(), Failure> {
    let guard = config.data_dir.join("guard");
    let guards = fs::read_dir(&guard).map(|entries| entries.flatten().count()).unwrap_or(0);
    if guards == 0 {
        return Ok(());
    }
    let message =
        format!("{} has a signer guard: it is the folder of a node that has not lost its disk", guard.display());
    Err(Failure::new(Exit::Initialised, message)
        .hint("`shieldwall run` fetches what it lacks by itself; choose another data_dir to rebuild beside it"))
}

fn others(config: &Config, federation: &Federation) -> usize {
    federation.active_members().filter(|(member, _)| *member != config.member).count()
}

async fn limited(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

fn tell(context: &Context, news: &Rebuilt) {
    let connected = news.status.peers_connected;
    let what = format!(
        "{} from {}, {} of {} agree",
        counted(news.status.statements, "statement"),
        counted(connected, "member"),
        news.agreed.len(),
        news.needed
    );
    context.ui.progress(&Progress { what, done: news.status.statements_verified, total: None });
}

fn report(context: &Context, config: &Config, rebuilt: &Rebuilt, seconds: i64) -> Outcome {
    let Rebuilt { agreed, needed, equal, ledger, status } = rebuilt;
    let own: u64 = ledger.logs.iter().filter(|log| log.log.member == config.member).map(|log| log.size).sum();
    let value = json!({
        "equal": equal, "agreed": agreed, "needed": needed, "frontier": ledger.frontier, "logs": ledger.logs,
        "statements": status.statements, "verified": status.statements_verified, "own_statements": own,
        "bodies_opened": status.bodies_opened, "bodies_missing": status.bodies_missing, "seconds": seconds,
    });
    let names = agreed.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let text = [
        format!(
            "ledger    {} in {}, all checked, in {seconds} s",
            counted(status.statements, "statement"),
            counted(ledger.logs.len() as u64, "log")
        ),
        match equal {
            true => format!("equal     to that of {names}: {}", groups(&ledger.frontier)),
            false => format!(
                "NOT YET   {} of {needed} members agree{}",
                agreed.len(),
                if names.is_empty() { String::new() } else { format!(": {names}") }
            ),
        },
        format!("bodies    {} opened, {} not here yet", status.bodies_opened, status.bodies_missing),
    ];
    context.ui.result(&value, text.join("\n"))?;
    if !equal {
        context.ui.say("What came is kept: the same command goes on with it, and so does `shieldwall run`.");
        return Ok(Exit::Behind);
    }
    if own > 0 {
        context.ui.say(format!(
            "Of the {} of {} the statements are back. Their bodies were on this disk; readers give back those for which a backup holds the lanes.",
            counted(own, "record"),
            config.member
        ));
    }
    context.ui.say(recovery::next_log("this node logs nothing: its guard was on the disk that is lost"));
    Ok(Exit::Success)
}
