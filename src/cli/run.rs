//! `shieldwall run`.

use std::io::Read as _;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::context::Context;
use super::log;
use super::report::{Exit, Failure, Outcome};
use crate::api::Server;
use crate::disk::{DiskStore, Guard, OpenError, Report};
use crate::identity::{Manifest, SecretKey};
use crate::network;
use crate::node::SigningKeys;
use crate::node::cases::Outlook;
use crate::node::config::{Config, RiskPolicyError, load_lists, load_risk_policy};
use crate::node::engine::{self, Setup};
use crate::node::keys::{KeyName, Seed};
use crate::node::notify::Notifier;
use crate::node::{open, private};
use crate::protocol::{Node, Settings};

/// Calls from the socket that may wait for the loop.
const CALLS: usize = 64;

/// Below so many open files an operator is told: connections of 250 members, the segments of a long ledger, commands.
const OPEN_FILES_FEW: u64 = 1024;

/// Runs the node until SIGTERM or Ctrl-C; then it finishes what was begun, and ends.
///
/// The log goes to stderr. A second node on the same data folder is refused.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// End when standard input ends: for a parent that must not leave the node behind
    #[arg(long, hide = true)]
    stop_on_stdin_end: bool,
    /// Count connections from this machine as those from anywhere, although the keys are for development: to measure floods
    #[arg(long, hide = true)]
    count_loopback: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    log::start(&config.log, context.ui.color)?;
    let (node, mut setup) = prepare(context, &config)?;
    setup.network.exempt_loopback &= !args.count_loopback;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&config, node, setup, args.stop_on_stdin_end))
}

/// Raises the number of files that this process may have open as far as the system allows, and gives it.
fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let files = if raised.is_ok() { limit.maximum } else { limit.current }.unwrap_or(u64::MAX);
    if files < OPEN_FILES_FEW {
        tracing::warn!(
            files,
            "few files may be open at once: fewer connections are taken, and a long ledger needs more"
        );
    }
    files
}

/// Everything up to the first connection: charter, data folder, keys, core.
fn prepare(context: &Context, config: &Config) -> Result<(Node<DiskStore>, Setup), Failure> {
    if !config.data_dir.exists() {
        // `init` has made it; whoever lost it gets another, which is for the node alone as well.
        if let Some(parent) = config.data_dir.parent() {
            std::fs::create_dir_all(parent)?;
        }
        private::create_folder(&config.data_dir)?;
    }
    let (store, report) = open_store(context, config)?;
    for cut in &report.cut {
        tracing::warn!(file = %cut.file, offset = cut.offset, bytes = cut.bytes, "cut a torn end off; it was never acknowledged");
    }
    for damage in &report.damage {
        tracing::error!(file = %damage.file, offset = damage.offset, what = %damage.what, "data are damaged");
    }
    if let Some(reason) = &report.rebuilt {
        tracing::warn!(%reason, "rebuilt the index");
    }
    let federation = open::current_federation(config, &store)?;
    let log = open::own_log(config, &federation)?;
    let guard_intact = Guard::exists(&config.data_dir, log);
    let mut names = open::seal_key_names(&federation, config.member);
    let seal_keys = names.len();
    names.extend([KeyName::Log(log), KeyName::Witness(config.member), KeyName::Transport]);
    let seeds = context.open_keys(config, &names)?;
    let (seal_seeds, rest) = seeds.split_at(seal_keys);
    let [log_seed, witness, transport] = rest else { return Err(super::context::unexpected()) };
    check_keys(config, &federation, log, log_seed, witness, transport)?;
    let me = open::myself(config.member, log, &names[..seal_keys], seal_seeds, guard_intact);
    let addresses = config.listen.iter().map(|address| address.as_str().to_owned()).collect();
    let mut network = network::Config::new(Zeroizing::new(*transport.expose()), federation.id().0.0, addresses);
    network.exempt_loopback = config.insecure_dev_keys;
    network.limits = network::Limits::within(open_files());
    let setup = Setup {
        signing_keys: SigningKeys {
            log: SecretKey::from_seed(log_seed.expose()),
            witness: SecretKey::from_seed(witness.expose()),
        },
        network,
        data_dir: config.data_dir.clone(),
        foreign_exports: config.allow_foreign_exporter,
        outlook: outlook(config)?,
        notify: None,
    };
    Ok((Node::load(store, federation, me, Settings::from(config.intervals))?, setup))
}

/// How this country looks at consignments: its risk policy and its lists, as far as there are any.
fn outlook(config: &Config) -> Result<Outlook, RiskPolicyError> {
    let watch = &config.watch;
    Ok(Outlook {
        policy: watch.risk_policy.as_deref().map(load_risk_policy).transpose()?.unwrap_or_default(),
        lists: watch.lists.as_deref().map(load_lists).transpose()?.unwrap_or_default(),
        answer_due_days: watch.answer_due_days,
    })
}

/// Opens the data folder. A command that reads a stopped node holds it for a moment, so one that is in use is tried again for a while.
fn open_store(context: &Context, config: &Config) -> Result<(DiskStore, Report), OpenError> {
    const TRIES: u32 = 30;
    let mut tries = 0;
    loop {
        let opened = open::store(config, |done, total| {
            let what = "reading the ledger".to_owned();
            context.ui.progress(&crate::node::ask::Progress { what, done, total: Some(total) });
        });
        tries += 1;
        match opened {
            Err(OpenError::Locked { .. }) if tries < TRIES => std::thread::sleep(Duration::from_millis(100)),
            opened => return opened,
        }
    }
}

/// The keys in the folder must be those of the manifest: with others, everything this node says would be refused.
fn check_keys(
    config: &Config,
    federation: &crate::identity::Federation,
    log: crate::encoding::ids::LogId,
    log_seed: &Seed,
    witness: &Seed,
    transport: &Seed,
) -> Result<(), Failure> {
    let public = |seed: &Seed| SecretKey::from_seed(seed.expose()).public();
    let transport = public(transport);
    let own_transports = federation.manifest(config.member).map(Manifest::transports).unwrap_or_default();
    let wrong = [
        (KeyName::Log(log), federation.log_key(&log) == Some(&public(log_seed))),
        (KeyName::Witness(config.member), federation.witness_key(config.member) == Some(&public(witness))),
        // A suspended member's node runs as well.
        (KeyName::Transport, own_transports.iter().any(|entry| entry.key == transport)),
    ];
    match wrong.iter().find(|(_, fits)| !fits) {
        None => Ok(()),
        Some((name, _)) => Err(Failure::new(
            Exit::Config,
            format!("{} is not the key that the manifest of {} names", name.file_name(), config.member),
        )
        .hint("the charter's file holds the newest manifest of every member: compare with `shieldwall charter show`")),
    }
}

async fn serve(config: &Config, node: Node<DiskStore>, setup: Setup, stop_on_stdin_end: bool) -> Outcome {
    let connections = usize::try_from(config.limits.api_connections).unwrap_or(1);
    let server = Server::bind(&config.socket, connections)?;
    let (calls, calls_taken) = mpsc::channel(CALLS);
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    if stop_on_stdin_end {
        end_with_stdin(stop.clone());
    }
    let listening = tokio::spawn(async move { server.serve(calls).await });
    tracing::info!(member = %config.member, socket = %config.socket.display(), "started");
    let notify = Some(Notifier::start(config, config.member)?);
    let engine = engine::run(node, Setup { notify, ..setup }, calls_taken, stopped);
    tokio::pin!(engine);
    let ended = loop {
        tokio::select! {
            ended = &mut engine => break ended,
            _ = terminate.recv() => stop.send_replace(true),
            _ = interrupt.recv() => stop.send_replace(true),
        };
    };
    listening.abort();
    drop(listening.await);
    ended?;
    Ok(Exit::Success)
}

/// Watches standard input from a thread of its own: reading it cannot be cancelled.
fn end_with_stdin(stop: watch::Sender<bool>) {
    let watch = move || {
        let mut rest = [0; 64];
        while std::io::stdin().lock().read(&mut rest).is_ok_and(|bytes| bytes > 0) {}
        stop.send_replace(true);
    };
    drop(std::thread::spawn(watch));
}
