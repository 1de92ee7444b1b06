//! The attackers. Each does one thing until its standard input ends, within bounds of time and number, and says what it did.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use shieldwall::api::Client;
use shieldwall::network::{Command, Event};

use super::{Args, measure};

/// No attack lasts longer, whatever becomes of who started it.
const LONGEST: Duration = Duration::from_secs(180);
/// Ten times the charter's default of a million statements a day.
const OVER_BUDGET_PER_SECOND: usize = 116;

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// Holds sockets and says nothing, and opens new ones for those that were closed.
    Idle,
    /// Sends packets that look like the beginning of a QUIC connection, and bytes over TCP.
    Packets,
    /// As a member: gossips garbage.
    Gossip,
    /// As a member: asks garbage and tiny questions.
    Questions,
    /// As a member: logs ten times what the charter allows.
    Budget,
    /// As a member: logs as fast as its own node can.
    Bulk,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Packets => "packets",
            Self::Gossip => "gossip",
            Self::Questions => "questions",
            Self::Budget => "budget",
            Self::Bulk => "bulk",
        }
    }
}

/// Attacks until standard input ends.
pub(super) fn run(kind: Kind, folder: &Path, args: &Args) {
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    thread::spawn(move || {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        end.store(true, Ordering::SeqCst);
    });
    let begun = Instant::now();
    let goes_on = move || !ended.load(Ordering::SeqCst) && begun.elapsed() < LONGEST;
    let did = match kind {
        Kind::Idle => idle(port_of(folder), args.sockets, goes_on),
        Kind::Packets => packets(port_of(folder), args.rate, goes_on),
        Kind::Gossip | Kind::Questions => as_member(kind, folder, args.rate, goes_on),
        Kind::Budget => records(folder, Some(OVER_BUDGET_PER_SECOND), goes_on),
        Kind::Bulk => records(folder, None, goes_on),
    };
    println!("{}", json!({ "did": did, "seconds": begun.elapsed().as_secs_f64() }));
}

fn port_of(folder: &Path) -> u16 {
    let config = std::fs::read_to_string(folder.join("GE/shieldwall.toml")).unwrap();
    let at = config.split("/tcp/").nth(1).unwrap();
    at.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// From another address than the members': all of it is one outsider.
const FROM: [u8; 4] = [127, 0, 0, 2];

fn idle(port: u16, count: usize, goes_on: impl Fn() -> bool) -> serde_json::Value {
    let (mut sockets, mut opened, mut failed) = (std::collections::VecDeque::new(), 0_u64, 0_u64);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    while goes_on() {
        let socket = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().ok()?;
            socket.bind(SocketAddr::from((FROM, 0))).ok()?;
            let connect = socket.connect(SocketAddr::from(([127, 0, 0, 1], port)));
            tokio::time::timeout(Duration::from_millis(500), connect).await.ok()?.ok()
        });
        match socket {
            Some(socket) => {
                opened += 1;
                sockets.push_back(socket);
            }
            None => failed += 1,
        }
        // When all are open, it goes on with new ones for the oldest, a thousand a second.
        if sockets.len() >= count {
            sockets.pop_front();
            thread::sleep(Duration::from_millis(1));
        }
    }
    json!({ "held": sockets.len(), "opened": opened, "failed": failed })
}

fn packets(port: u16, rate: u64, goes_on: impl Fn() -> bool) -> serde_json::Value {
    let socket = UdpSocket::bind(SocketAddr::from((FROM, 0))).unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    let mut packet = vec![0_u8; 1200];
    let (mut sent, mut refused, mut streams) = (0_u64, 0_u64, 0_u64);
    paced(rate, &goes_on, |number| {
        getrandom::fill(&mut packet[..64]).unwrap();
        if number % 2 == 0 {
            // A long header, version 1, Initial: the node must try to open it.
            packet[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]);
        }
        match socket.send(&packet) {
            Ok(_) => sent += 1,
            Err(_) => refused += 1,
        }
        if number % 500 == 0
            && let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port))
        {
            drop(std::io::Write::write_all(&mut stream, &packet));
            streams += 1;
        }
    });
    json!({ "packets": sent, "packets_not_sent": refused, "streams_of_garbage": streams })
}

fn as_member(kind: Kind, folder: &Path, rate: u64, goes_on: impl Fn() -> bool) -> serde_json::Value {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (handle, mut events, georgia) = runtime.block_on(async { measure::network_of(folder, "MZ", "/tcp/") });
    let counts = Arc::new([const { std::sync::atomic::AtomicU64::new(0) }; 3]);
    let seen = Arc::clone(&counts);
    runtime.spawn(async move {
        while let Some(event) = events.recv().await {
            let at = match event {
                Event::Connected { .. } => 0,
                Event::Response { .. } => 1,
                Event::RequestFailed { .. } => 2,
                Event::Listening(_)
                | Event::Disconnected { .. }
                | Event::Gossip { .. }
                | Event::Request { .. }
                | Event::Refused { .. }
                | Event::DialFailed { .. } => continue,
            };
            seen[at].fetch_add(1, Ordering::Relaxed);
        }
    });
    thread::sleep(Duration::from_secs(1));
    let (mut said, mut full) = (0_u64, 0_u64);
    paced(rate, &goes_on, |number| {
        let mut bytes = vec![0_u8; 200];
        getrandom::fill(&mut bytes).unwrap();
        let command = match kind {
            Kind::Gossip => Command::Publish(bytes),
            // By turns no question at all, and the smallest one that makes the node look something up.
            _ if number % 2 == 0 => Command::Request { to: georgia, id: number, bytes },
            Kind::Idle | Kind::Packets | Kind::Questions | Kind::Budget | Kind::Bulk => {
                Command::Request { to: georgia, id: number, bytes: question() }
            }
        };
        match handle.try_send(command) {
            Ok(()) => said += 1,
            Err(_) => full += 1,
        }
    });
    let [connected, answered, failed] = [0, 1, 2].map(|at| counts[at].load(Ordering::Relaxed));
    json!({ "said": said, "own_queue_full": full, "connected": connected, "answered": answered, "failed": failed })
}

fn question() -> Vec<u8> {
    shieldwall::protocol::message::Request::Range { log: "GE".parse().unwrap(), from: 1 }.encode()
}

fn records(folder: &Path, per_second: Option<usize>, goes_on: impl Fn() -> bool) -> serde_json::Value {
    let mut node = Client::connect(&folder.join("MZ/data/shieldwall.sock"), None).unwrap();
    let begun = Instant::now();
    // Another hundred thousand numbers for every second of the day, so that a second run has other ones.
    let first = usize::try_from(shieldwall::node::clock::now().seconds() % 9_000).unwrap() * 1_000;
    let mut logged = 0;
    while goes_on() {
        let part = if per_second.is_some() { 12 } else { 250 };
        let drafts = measure::drafts("MZ", "TR", first + logged..first + logged + part);
        measure::submit(&mut node, drafts);
        logged += part;
        if let Some(per_second) = per_second {
            let due = Duration::from_secs_f64(logged as f64 / per_second as f64);
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    json!({ "logged": logged, "per_second": logged as f64 / begun.elapsed().as_secs_f64() })
}

/// Does something so many times a second, as far as the machine can.
fn paced(rate: u64, goes_on: &impl Fn() -> bool, mut act: impl FnMut(u64)) {
    let (begun, mut done) = (Instant::now(), 0_u64);
    while goes_on() {
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
        // What it is behind by more than a tenth of a second it does not make up for.
        done = done.max(due.saturating_sub(rate / 10));
        while done < due {
            act(done);
            done += 1;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
