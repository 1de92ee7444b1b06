//! Floods real nodes, and measures what an honest member notices of it.
//!
//! Georgia and Türkiye are honest: two processes of the release build on loopback, with the exemption of loopback from the counts
//! per address switched off. The attacker is another process, at 127.0.0.2 and with the lowest priority: as an outsider with idle
//! sockets or garbage packets, or as the member Mozambique with garbage gossip and questions, or with more valid records than the
//! charter allows. All of it shares this machine's cores, and what the attacker itself costs is printed.
//!
//! ```text
//! cargo build --release --locked --examples --bins
//! target/release/examples/flood
//! ```

#![allow(clippy::unwrap_used, reason = "a run that cannot go on stops, and says where")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

mod attack;
mod measure;
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/loopback/federation.rs"]
mod federation;

use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser as _;
use serde_json::{Value, json};

use attack::Kind;
use federation::Federation;
use measure::{Host, Latencies};

/// Floods real nodes on loopback.
#[derive(clap::Parser, Debug)]
struct Args {
    /// Seconds of each measurement of records
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Idle sockets
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// Garbage messages a second
    #[arg(long, default_value_t = 50_000)]
    rate: u64,
    /// Only these floods: idle, packets, gossip, questions, budget, bulk
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Be the attacker
    #[arg(long, hide = true)]
    attack: Option<Kind>,
    /// The folder of the federation, for the attacker
    #[arg(long, hide = true)]
    folder: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    measure::raise_open_files();
    let args = Args::parse();
    if let (Some(kind), Some(folder)) = (args.attack, &args.folder) {
        attack::run(kind, folder, &args);
        return ExitCode::SUCCESS;
    }
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let ge = Host::start(&federation, "GE");
    let tr = Host::start(&federation, "TR");
    federation::wait_for("two members", || {
        federation.json("GE", &["status"]).is_some_and(|status| status["peers_connected"] == 1)
    });
    let mut rows = Vec::new();
    let quiet = Latencies::measure(&federation, args.seconds);
    rows.push(row("quiet", &quiet, &quiet, None, [&ge, &tr], 0.0));
    let connect_quiet = measure::connect_times(&federation, 10);
    rows.push(json!({ "flood": "quiet", "connect_ms": connect_quiet.view() }));
    for kind in [Kind::Idle, Kind::Packets, Kind::Gossip, Kind::Questions, Kind::Budget, Kind::Bulk] {
        if !args.only.is_empty() && !args.only.contains(&kind.name().to_owned()) {
            continue;
        }
        // The last one needs a node of its member.
        let member = matches!(kind, Kind::Budget | Kind::Bulk).then(|| Host::start(&federation, "MZ"));
        let before = ge.cpu() + tr.cpu();
        let mut attacker = start(kind, &federation, &args);
        // Until it is at full strength.
        std::thread::sleep(Duration::from_secs(3));
        if kind == Kind::Idle {
            let times = measure::connect_times(&federation, 20);
            rows.push(json!({ "flood": kind.name(), "connect_ms": times.view(), "held": times.max() <= 1_000.0 }));
        }
        let latencies = Latencies::measure(&federation, args.seconds);
        let cpu = (ge.cpu() + tr.cpu() - before) / (args.seconds as f64 + 3.0);
        let cost = measure::cpu_of(attacker.id()).unwrap_or(0.0) / (args.seconds as f64 + 3.0);
        // It ends when its input does, and says what it did.
        drop(attacker.stdin.take());
        let said = attacker.wait_with_output().unwrap();
        let said: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
        rows.push(row(kind.name(), &latencies, &quiet, Some((said, cost)), [&ge, &tr], cpu));
        drop(member);
        std::thread::sleep(Duration::from_secs(2));
    }
    let shed = federation.json("GE", &["status"]).unwrap_or_default()["load"].clone();
    let held = rows.iter().all(|row| row["held"] != false);
    if args.json {
        println!("{}", json!({ "rows": rows, "load_of_ge": shed, "held": held }));
    } else {
        for row in &rows {
            println!("{}", line(row));
        }
        println!("shed by GE: {shed}");
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts the attacker with the lowest priority: what it takes of the cores it takes from nobody who wants them.
fn start(kind: Kind, federation: &Federation, args: &Args) -> Child {
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(own).args(["--attack", kind.name(), "--folder"]).arg(federation.path(""));
    command.args(["--sockets", &args.sockets.to_string(), "--rate", &args.rate.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn row(
    flood: &str,
    latencies: &Latencies,
    quiet: &Latencies,
    attacker: Option<(Value, f64)>,
    hosts: [&Host; 2],
    cpu: f64,
) -> Value {
    let peak = hosts.iter().map(|host| host.peak_mib()).max().unwrap_or(0);
    let ratio = latencies.at(0.99) / quiet.at(0.99);
    let (said, cost) = attacker.unwrap_or_default();
    json!({
        "flood": flood, "records": latencies.view(), "p99_ratio": ratio, "peak_mib": peak, "attacker": said,
        "cores_of_attacker": cost, "cores_of_nodes": cpu, "held": ratio <= 2.0 && peak <= 512,
    })
}

fn line(row: &Value) -> String {
    let ms = |value: &Value| value.as_f64().map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"));
    let flood = row["flood"].as_str().unwrap_or_default();
    if row["connect_ms"].is_object() {
        let times = &row["connect_ms"];
        return format!("{flood:<10} a member connects in p50 {} ms, max {} ms", ms(&times["p50"]), ms(&times["max"]));
    }
    let (times, ratio) = (&row["records"], row["p99_ratio"].as_f64().unwrap_or(0.0));
    format!(
        "{flood:<10} record at the peer: p50 {} ms, p99 {} ms ({ratio:.2} of quiet), max {} ms; peak {} MiB; cores: nodes {}, attacker {}; {}",
        ms(&times["p50"]),
        ms(&times["p99"]),
        ms(&times["max"]),
        row["peak_mib"],
        ms(&row["cores_of_nodes"]),
        ms(&row["cores_of_attacker"]),
        row["attacker"],
    )
}
