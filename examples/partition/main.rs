//! A partition with real processes: each node in a network namespace of its own, all at one bridge, one of them cut off.
//!
//! While Mozambique is cut off, Georgia and Türkiye log records. Then the cable is plugged in again, and what is measured is how
//! long Mozambique takes until its ledger is theirs, and how many bytes pass its cable meanwhile, in relation to those it missed.
//!
//! Needs root and `ip` (Debian: iproute2); without them it says so and ends well. What it makes it takes away again.
//!
//! ```text
//! cargo build --release --locked --examples --bins
//! target/release/examples/partition --records 20000
//! ```

#![allow(clippy::unwrap_used, reason = "a run that cannot go on stops, and says where")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/loopback/federation.rs"]
mod federation;
#[allow(dead_code, reason = "shared with the floods, which use more of it")]
#[path = "../flood/measure.rs"]
mod measure;
mod wires;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser as _;
use indicatif::ProgressBar;
use serde_json::json;
use shieldwall::api::Client;
use shieldwall::disk::DiskStore;
use shieldwall::encoding::ids::LogId;
use shieldwall::ledger::{Key, KeyKind, Store as _};
use shieldwall::node::ask::{LedgerView, Request, Response};

use federation::{program, success};
use wires::Wires;

const MEMBERS: [&str; 3] = ["GE", "TR", "MZ"];
/// Who is cut off.
const AWAY: &str = "MZ";
/// The bytes that may pass, in relation to those that were missed.
const RATIO: f64 = 1.2;
/// How long converging may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(900);

/// Cuts a real node off, and measures how it comes back.
#[derive(clap::Parser, Debug)]
struct Args {
    /// Records logged while it is away
    #[arg(long, default_value_t = 20_000)]
    records: usize,
    /// One in so many of them is addressed to the one who is away; 0: none
    #[arg(long, default_value_t = 0)]
    addressed_every: usize,
    /// Only this transport: quic or tcp
    #[arg(long)]
    transport: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The federation's folder and its running nodes. Dropped, they are killed.
struct Nodes {
    dir: tempfile::TempDir,
    running: Vec<Child>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let wires = match Wires::lay(&MEMBERS) {
        Ok(wires) => wires,
        Err(missing) => {
            println!("not run: {missing}");
            return ExitCode::SUCCESS;
        }
    };
    let mut nodes = Nodes::set_up(&args);
    MEMBERS.iter().for_each(|member| nodes.start(&wires, member));
    let bar = ProgressBar::new(args.records as u64);
    nodes.converge(Duration::from_secs(120));
    let before: Vec<(LogId, u64)> = nodes.ledger("GE").logs.iter().map(|log| (log.log, log.size)).collect();
    wires.cut(AWAY);
    nodes.log_records(&args, &bar);
    // So long that all connections are given up.
    thread::sleep(Duration::from_secs(30));
    let (start, unread) = (wires.bytes(AWAY), wires.unread(AWAY));
    wires.mend(AWAY);
    let healed = Instant::now();
    let mut connected = None;
    let mut held_all = None;
    let goal = nodes.ledger("GE").logs.iter().map(|log| log.size).sum::<u64>();
    while healed.elapsed() < PATIENCE {
        let status = nodes.status(AWAY);
        if connected.is_none() && status.peers_connected > 0 {
            connected = Some(healed.elapsed());
        }
        if held_all.is_none() && status.statements >= goal {
            held_all = Some(healed.elapsed());
        }
        if held_all.is_some() && status.bodies_missing == 0 && nodes.is_converged() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let converged = healed.elapsed();
    let (end, unread) = (wires.bytes(AWAY), wires.unread(AWAY) - unread);
    bar.finish_and_clear();
    let (to, from) = (end.0 - start.0, end.1 - start.1);
    let after = nodes.ledger(AWAY);
    drop(std::mem::take(&mut nodes.running).into_iter().map(stop).collect::<Vec<_>>());
    let missed = missed(&nodes.dir.path().join(AWAY).join("data"), &before, &after);
    let ratio = (to + from) as f64 / missed.max(1) as f64;
    let is_good = converged < PATIENCE && ratio <= RATIO;
    let seconds = |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64());
    if args.json {
        println!(
            "{}",
            json!({
                "records": args.records, "missed_bytes": missed, "bytes_to": to, "bytes_from": from, "ratio": ratio,
                "unread_datagrams": unread,
                "connected_s": seconds(connected), "held_s": seconds(held_all),
                "converged_s": converged.as_secs_f64(), "held": is_good,
            })
        );
    } else {
        println!(
            "{} records missed, {missed} bytes: connected after {:.1} s, all statements after {:.1} s, converged after {:.1} s; \
             {to} bytes to {AWAY}, {from} from it: {ratio:.3} of what it missed; {unread} datagrams were not read in time",
            args.records,
            seconds(connected),
            seconds(held_all),
            converged.as_secs_f64(),
        );
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Nodes {
    fn set_up(args: &Args) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for member in MEMBERS {
            let address = wires::address(&MEMBERS, member);
            let quic = format!("/ip4/{address}/udp/4433/quic-v1");
            let tcp = format!("/ip4/{address}/tcp/4433");
            let mut init = program();
            init.args(["init", member, "--insecure-dev-keys", "--charter", "../charter.cose", "--dir"])
                .arg(path(member));
            for address in [quic, tcp] {
                if args.transport.as_ref().is_none_or(|transport| address.contains(transport.as_str())) {
                    init.args(["--listen", &address]);
                }
            }
            success(&mut init);
        }
        let charter = path("charter.cose");
        let manifests: Vec<PathBuf> =
            MEMBERS.iter().map(|member| path(member).join(format!("manifest-{member}.cose"))).collect();
        success(program().args(["charter", "create", "--name", "Partition", "--out"]).arg(&charter).args(manifests));
        for member in MEMBERS {
            let config = path(member).join("shieldwall.toml");
            success(program().arg("--config").arg(config).args(["charter", "sign", "--no-input"]).arg(&charter));
        }
        Self { dir, running: Vec::new() }
    }

    fn start(&mut self, wires: &Wires, member: &str) {
        let folder = self.dir.path().join(member);
        let log = OpenOptions::new().create(true).append(true).open(folder.join("node.log")).unwrap();
        let mut command = wires.inside(member, &federation::path_of_program());
        command.arg("--config").arg(folder.join("shieldwall.toml")).args(["run", "--stop-on-stdin-end"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.running.push(child);
        let socket = self.socket(member);
        federation::wait_for(member, || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    }

    fn socket(&self, member: &str) -> PathBuf {
        self.dir.path().join(member).join("data/shieldwall.sock")
    }

    fn ask(&self, member: &str, request: &Request) -> Response {
        Client::connect(&self.socket(member), Some(PATIENCE)).unwrap().ask(request, |_| {}).unwrap()
    }

    fn ledger(&self, member: &str) -> LedgerView {
        let Response::Ledger(ledger) = self.ask(member, &Request::Ledger) else { panic!("a ledger") };
        ledger
    }

    fn status(&self, member: &str) -> shieldwall::node::ask::StatusView {
        let Response::Status(status) = self.ask(member, &Request::Status) else { panic!("a status") };
        *status
    }

    /// Whether all hold the same, and everybody has said so.
    fn is_converged(&self) -> bool {
        let ledgers: Vec<LedgerView> = MEMBERS.iter().map(|member| self.ledger(member)).collect();
        ledgers.iter().all(|one| one.frontier == ledgers[0].frontier && one.cosigned_by.len() == MEMBERS.len())
    }

    fn converge(&self, within: Duration) {
        let begun = Instant::now();
        while !self.is_converged() {
            assert!(begun.elapsed() < within, "not within {within:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Georgia and Türkiye log for each other, and now and then for the one who is away.
    fn log_records(&self, args: &Args, bar: &ProgressBar) {
        const PART: usize = 250;
        let mut clients = ["GE", "TR"].map(|member| Client::connect(&self.socket(member), Some(PATIENCE)).unwrap());
        for start in (0..args.records).step_by(PART) {
            let part = PART.min(args.records - start);
            let author = (start / PART) % 2;
            let (from, to) = if author == 0 { ("GE", "TR") } else { ("TR", "GE") };
            // None at all where `addressed_every` is 0.
            let addressed_before = |number: usize| number.checked_div(args.addressed_every).unwrap_or(0);
            let to_away = addressed_before(start + part) - addressed_before(start);
            let mut drafts = measure::drafts(from, to, start..start + part - to_away);
            drafts.extend(measure::drafts(from, AWAY, start + part - to_away..start + part));
            measure::submit(&mut clients[author], drafts);
            bar.inc(part as u64);
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        std::mem::take(&mut self.running).into_iter().for_each(stop);
    }
}

/// Ends a node as its parent's end would, and waits for it.
fn stop(mut child: Child) {
    drop(child.stdin.take());
    drop(child.wait());
}

/// The bytes of statements and bodies that the store holds beyond these sizes, without its own frames.
fn missed(data: &Path, before: &[(LogId, u64)], after: &LedgerView) -> u64 {
    let (store, _) = DiskStore::open(data, 0, &mut |_, _| {}).unwrap();
    let held = |log: &LogId| before.iter().find(|(known, _)| known == log).map_or(0, |(_, size)| *size);
    let mut bytes = 0;
    for log in after.logs.iter().map(|view| view.log).filter(|log| log.member.to_string() != AWAY) {
        let mut from = held(&log);
        while from < store.size(&log) {
            let statements = store.statements(&log, from, 4096, 1 << 20).unwrap();
            from += statements.len() as u64;
            bytes += statements.iter().map(Vec::len).sum::<usize>() as u64;
        }
    }
    for kind in [KeyKind::Head, KeyKind::Compartment] {
        for key in store.keys(kind).unwrap() {
            let (Key::Head(id) | Key::Compartment(id, _)) = &key else { continue };
            if id.log.member.to_string() != AWAY && id.position >= held(&id.log) {
                bytes += store.get(&key).unwrap().map_or(0, |frame| frame.bytes.len() as u64);
            }
        }
    }
    bytes
}
