//! `shieldwall run`.

use std::io::Read as _;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::context::Context;
use super::journal;
use super::report::{Exit, Failure, Outcome};
use crate::api::Server;
use crate::disk::{DiskStore, Guard, OpenError, Report};
use crate::encoding::ids::{LogId, RecordId};
use crate::identity::{Manifest, SecretKey};
use crate::ledger::{Key, Store as _};
use crate::network;
use crate::node::approvals::Approvals;
use crate::node::ask::{Call, Caller, Request};
use crate::node::audit::{self, Auditor};
use crate::node::cases::Outlook;
use crate::node::clock;
use crate::node::config::{self, Config, RiskPolicyError, load_lists, load_risk_policy};
use crate::node::engine::{self, ReadConfig, Reloading, Setup};
use crate::node::keys::{KeyFolder, KeyName, Seed};
use crate::node::notify::Notifier;
use crate::node::token::Token;
use crate::node::{LogKey, LogSigner, SigningKeys};
use crate::node::{open, private, signer};
use crate::protocol::{Node, Settings};

/// Calls from the socket that may wait for the loop.
const CALLS: usize = 64;

/// Below so many open files an operator is told: connections of 250 members, the segments of a long ledger, commands.
const OPEN_FILES_FEW: u64 = 1024;

/// Tenths of a second that a signer of its own is waited for at the start.
const SIGNER_TRIES: u32 = 30;

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
    let (config, settings) = context.config_with_origins()?;
    let set_log_level = journal::start(&config.log, context.ui.color)?;
    let (node, mut setup) = prepare(context, &config, true)?;
    setup.reloading = Some(Reloading { settings, read: reader(context), set_log_level });
    setup.network.exempt_loopback &= !args.count_loopback;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&config, node, setup, args.stop_on_stdin_end))
}

/// Reads the config again, with the environment and the flags of this process.
fn reader(context: &Context) -> ReadConfig {
    let context = context.clone();
    Box::new(move || context.config_with_origins().map_err(|failure| failure.text()))
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

/// Everything up to the first connection: charter, data folder, keys, core. The key of the own log is opened if the node is to sign and the
/// key is there: a node that was restored has none, and runs without it.
pub(super) fn prepare(context: &Context, config: &Config, signs: bool) -> Result<(Node<DiskStore>, Setup), Failure> {
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
    // A signer that is a process of its own has the guard, and goes by it.
    let apart = config.signer.as_ref().filter(|_| signs);
    let guard_intact = match apart {
        Some(apart) => is_as_long_as_the_guard(apart, &federation, log, &store)?,
        None => Guard::exists(&config.data_dir, log),
    };
    let mut names = open::seal_key_names(&federation, config.member);
    let seal_keys = names.len();
    names.extend([KeyName::Witness(config.member), KeyName::Transport]);
    // A log whose key is a file goes on with it; a token has the keys that were drawn since it is there.
    let filed = KeyFolder::open(&config.keys_dir).is_ok_and(|folder| folder.holds(&KeyName::Log(log)));
    if apart.is_some() && config.hsm.is_some() {
        return Err(Failure::new(
            Exit::Config,
            "a node whose signer is a process of its own has no business with the token",
        )
        .hint("take `[hsm]` out of the node's config, and give the PIN to the signer alone: docs/signer.md"));
    }
    let here = signs && apart.is_none();
    let token = config.hsm.as_ref().filter(|_| here && guard_intact && !filed);
    // A key that should be there, because its guard is, is missed aloud.
    names.extend(Some(KeyName::Log(log)).filter(|_| here && token.is_none() && (guard_intact || filed)));
    let seeds = context.open_keys(config, &names)?;
    let (seal_seeds, rest) = seeds.split_at(seal_keys);
    let [witness, transport, log_seed @ ..] = rest else { return Err(super::context::unexpected()) };
    let from_file = log_seed.first().map(|seed| LogKey::File(Box::new(SecretKey::from_seed(seed.expose()))));
    let log_key = match token {
        Some(token) => Some(LogKey::Token(Box::new(Token::open(token)?.key(KeyName::Log(log))?))),
        None => from_file,
    };
    check_keys(config, &federation, log, log_key.as_ref(), witness, transport)?;
    let log_signer = match apart {
        None => log_key.map(LogSigner::Thread),
        Some(apart) => {
            let key = federation.log_key(&log).copied();
            key.map(|key| LogSigner::Process { socket: apart.socket.clone(), key })
        }
    };
    let me = open::myself(config.member, log, &names[..seal_keys], seal_seeds, guard_intact);
    let addresses = config.listen.iter().map(|address| address.as_str().to_owned()).collect();
    let mut network = network::Config::new(Zeroizing::new(*transport.expose()), federation.id().0.0, addresses);
    network.exempt_loopback = config.insecure_dev_keys;
    network.limits = network::Limits::within(open_files());
    let setup = Setup {
        signing_keys: SigningKeys { log: log_signer, witness: SecretKey::from_seed(witness.expose()) },
        network,
        caps: config.limits.signed,
        data_dir: config.data_dir.clone(),
        foreign_exports: config.allow_foreign_exporter,
        outlook: outlook(config)?,
        notify: None,
        reloading: None,
        approvals: Approvals::open(&config.data_dir, config.approvals.clone(), clock::now())?,
        retention: config.retention.clone(),
        audit: None,
        audit_anchor_s: config.intervals.audit_anchor_s,
    };
    Ok((Node::load(store, federation, me, Settings::from(config.intervals))?, setup))
}

/// Whether this disk has all that a signer of its own has signed. If it is not there to say so, peers are to be heard first, as after any loss.
fn is_as_long_as_the_guard(
    apart: &config::Signer,
    federation: &crate::identity::Federation,
    log: LogId,
    store: &DiskStore,
) -> Result<bool, Failure> {
    let (Some(key), size) = (federation.log_key(&log), store.size(&log)) else { return Ok(false) };
    let Some(known) = signer::known(&apart.socket, log, *key, size, SIGNER_TRIES) else { return Ok(false) };
    let last = known.checked_sub(1).map(|position| RecordId { log, position });
    Ok(known <= size || last.map(|id| store.has(&Key::Intent(id))).transpose()?.unwrap_or(true))
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
    log: LogId,
    log_key: Option<&LogKey>,
    witness: &Seed,
    transport: &Seed,
) -> Result<(), Failure> {
    let public = |seed: &Seed| SecretKey::from_seed(seed.expose()).public();
    let transport = public(transport);
    let own_transports = federation.manifest(config.member).map(Manifest::transports).unwrap_or_default();
    let wrong = [
        (KeyName::Log(log), log_key.is_none_or(|key| federation.log_key(&log) == Some(&key.public()))),
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
    let server = Server::bind(&config.socket, connections, config.socket_group.as_deref())?;
    let mut log = audit::open(&config.data_dir).map_err(|error| Failure::from(error).unaudited())?;
    if let Some(change) = setup.approvals.change() {
        // To do without a second person is to change the config: that is written down where nobody can take it back.
        tracing::warn!(%change, "what needs a second person has changed");
        let act = audit::Act::of_node("approvals-changed", audit::Outcome::Done).note(change);
        log.append(act, clock::now()).map_err(|error| Failure::from(error).unaudited())?;
    }
    let auditor = Auditor::start(log);
    let (asked, asked_taken) = mpsc::channel(CALLS);
    let (calls, calls_taken) = mpsc::channel(CALLS);
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let by_signal = asked.clone();
    if stop_on_stdin_end {
        end_with_stdin(stop.clone());
    }
    let listening = tokio::spawn(async move { server.serve(asked).await });
    let gate = tokio::spawn(audit::gate(asked_taken, auditor.clone(), calls));
    tracing::info!(member = %config.member, socket = %config.socket.display(), "started");
    let notify = Some(Notifier::start(config, config.member)?);
    let engine = engine::run(node, Setup { notify, audit: Some(auditor.clone()), ..setup }, calls_taken, stopped);
    tokio::pin!(engine);
    let ended = loop {
        tokio::select! {
            ended = &mut engine => break ended,
            _ = terminate.recv() => stop.send_replace(true),
            _ = interrupt.recv() => stop.send_replace(true),
            _ = hangup.recv() => {
                // The journal tells what came of it; one that finds no room is sent again.
                let (call, _) = Call::new(Request::Reload, Caller::default());
                by_signal.try_send(call).is_ok()
            }
        };
    };
    listening.abort();
    drop(listening.await);
    drop(gate.await);
    let outcome = if ended.is_ok() { audit::Outcome::Done } else { audit::Outcome::Failed };
    if let Err(error) = auditor.write(audit::Act::of_node("node-ended", outcome)).await {
        tracing::error!(%error, "the end of the node is not in it");
    }
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
