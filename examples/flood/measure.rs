//! What an honest member notices: how soon it connects, how soon its records are at its peer, what the nodes need.

use std::fs::OpenOptions;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shieldwall::api::Client;
use shieldwall::formats::Batch;
use shieldwall::network::{self, Command, Config, Event, Peer, TransportKey};
use shieldwall::node::ask::{Request, Response, Submitted};
use shieldwall::node::keys::{Access, KeyFolder, KeyName};
use shieldwall::record::{Context, Draft, Strictness};

use super::federation::{self, Federation};

/// Between two records of the honest member.
const PACE: Duration = Duration::from_millis(40);
/// Between two looks at the peer.
const LOOK: Duration = Duration::from_micros(500);
/// How long anything may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node that counts loopback like any other address.
pub(super) struct Host {
    child: Child,
}

impl Host {
    pub(super) fn start(federation: &Federation, member: &'static str) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(federation.path(member).join("node.log")).unwrap();
        let child = federation
            .command(member)
            .args(["run", "--stop-on-stdin-end", "--count-loopback"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        federation::wait_for(member, || federation.is_up(member));
        federation::wait_for("the first signature", || {
            federation.json(member, &["status"]).is_some_and(|status| status["read_only"].is_null())
        });
        Self { child }
    }

    /// The most memory that it ever had.
    pub(super) fn peak_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
    }

    /// Seconds of a core that it has used.
    pub(super) fn cpu(&self) -> f64 {
        cpu_of(self.child.id()).unwrap_or(0.0)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Seconds of a core that a process has used.
pub(super) fn cpu_of(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
    // Linux tells users of hundredths of a second, whatever its own clock does.
    Some(ticks as f64 / 100.0)
}

/// As many open files as the system allows.
pub(super) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).ok();
}

/// Times in milliseconds, sorted.
pub(super) struct Latencies(Vec<f64>);

impl Latencies {
    /// Georgia logs a record every few milliseconds; the time from handing it in until Türkiye holds it under its checkpoint.
    pub(super) fn measure(federation: &Federation, seconds: u64) -> Self {
        let mut author = Client::connect(&federation.socket("GE"), None).unwrap();
        let mut peer = Client::connect(&federation.socket("TR"), None).unwrap();
        let (tell, told) = mpsc::channel::<(u64, Instant)>();
        let look = thread::spawn(move || {
            let mut times = Vec::new();
            while let Ok((position, begun)) = told.recv() {
                while held(&mut peer) <= position && begun.elapsed() < PATIENCE {
                    thread::sleep(LOOK);
                }
                times.push(begun.elapsed().as_secs_f64() * 1000.0);
            }
            times
        });
        let (start, mut number) = (Instant::now(), held(&mut author) as usize);
        while start.elapsed() < Duration::from_secs(seconds) {
            let drafts = drafts("GE", "TR", number..number + 1);
            number += 1;
            let begun = Instant::now();
            for id in submit(&mut author, drafts) {
                let position = id.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap();
                tell.send((position, begun)).unwrap();
            }
            thread::sleep(PACE.saturating_sub(begun.elapsed()));
        }
        drop(tell);
        Self::of(look.join().unwrap())
    }

    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    pub(super) fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    pub(super) fn max(&self) -> f64 {
        self.at(1.0)
    }

    pub(super) fn view(&self) -> Value {
        json!({ "count": self.0.len(), "p50": self.at(0.5), "p99": self.at(0.99), "max": self.max() })
    }
}

/// How many statements of Georgia's log a node holds.
fn held(node: &mut Client) -> u64 {
    let Response::Ledger(ledger) = node.ask(&Request::Ledger, |_| {}).unwrap() else { panic!("a ledger") };
    let georgia = "GE".parse().unwrap();
    ledger.logs.iter().find(|view| view.log == georgia).map_or(0, |view| view.size)
}

/// Logs drafts; gives the ids.
pub(super) fn submit(node: &mut Client, drafts: Vec<Draft>) -> Vec<String> {
    let request = Request::Submit { drafts, imported: true, skip_bad: false };
    let Response::Submitted(results) = node.ask(&request, |_| {}).unwrap() else { panic!("an answer") };
    let logged = |result: Submitted| match result {
        Submitted::Logged { id, .. } => Some(id.to_string()),
        Submitted::AlreadyLogged { .. } => None,
        refused @ (Submitted::Refused { .. } | Submitted::LeftOut) => panic!("refused: {refused:?}"),
    };
    results.into_iter().filter_map(logged).collect()
}

/// Export declarations of a country with these numbers.
pub(super) fn drafts(from: &str, to: &str, numbers: std::ops::Range<usize>) -> Vec<Draft> {
    let head =
        "ucr,export_country,destination,exporter_name,consignee_name,commodity_code,description,net_mass,net_unit";
    let rows = numbers.map(|number| {
        let mass = 1_000 + number;
        format!("6{from}420000333-F{number:07},{from},{to},Sample Chemicals,Consignee {number},310230,Ammonium nitrate,{mass},KGM")
    });
    let table: String = std::iter::once(head.to_owned()).chain(rows).map(|row| row + "\n").collect();
    let judge = Context {
        strictness: Strictness::Imported,
        author: from.parse().ok(),
        now: shieldwall::node::clock::now(),
        foreign_exports: false,
    };
    let mut batch = Batch::default();
    batch.add("declarations.csv", table.as_bytes(), &judge);
    assert!(batch.errors.is_empty(), "the table is sound: {:?}", batch.errors);
    batch.records.iter().map(|checked| checked.record.declared().clone()).collect()
}

/// The network of a member, with its own transport key, and Georgia as its only peer at one of its addresses.
pub(super) fn network_of(
    folder: &std::path::Path,
    member: &str,
    transport: &str,
) -> (network::Handle, tokio::sync::mpsc::Receiver<Event>, TransportKey) {
    let published = std::fs::read(folder.join("charter.cose")).unwrap();
    let federation = shieldwall::identity::Published::decode(&published).unwrap().verify().unwrap();
    let keys = KeyFolder::open(&folder.join(member).join("keys")).unwrap();
    let seed = keys.read(&KeyName::Transport, Access { passphrase: None, allow_unprotected: true }).unwrap();
    let config = Config::new(zeroize::Zeroizing::new(*seed.expose()), federation.id().0.0, Vec::new());
    let (handle, events, _) = network::start(&config).unwrap();
    let georgia = "GE".parse().unwrap();
    let entry = federation.transports().find(|transport| transport.member == georgia).unwrap();
    let addresses = entry.addresses.iter().filter(|address| address.contains(transport)).cloned().collect();
    let peer = Peer { key: TransportKey(*entry.key.as_bytes()), addresses };
    let key = peer.key;
    handle.try_send(Command::SetPeers(vec![peer])).unwrap();
    (handle, events, key)
}

/// How long an honest member takes from its first packet to an admitted connection, by turns over TCP and QUIC.
pub(super) fn connect_times(federation: &Federation, times: usize) -> Latencies {
    let folder = federation.path("");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let one = |transport| {
        runtime.block_on(async {
            let begun = Instant::now();
            let (handle, mut events, _) = network_of(&folder, "MZ", transport);
            let connected = async {
                while let Some(event) = events.recv().await {
                    if matches!(event, Event::Connected { .. }) {
                        return;
                    }
                }
            };
            drop(tokio::time::timeout(PATIENCE, connected).await);
            let took = begun.elapsed().as_secs_f64() * 1000.0;
            drop(handle.try_send(Command::Shutdown));
            // Until the node has seen it go.
            tokio::time::sleep(Duration::from_millis(700)).await;
            took
        })
    };
    Latencies::of((0..times).map(|time| one(if time % 2 == 0 { "/tcp/" } else { "/quic-v1" })).collect())
}
