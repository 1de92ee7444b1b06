//! A member is cut off for 60 virtual days while the others log, and comes back: how long that takes, and how many bytes.
//!
//! ```text
//! cargo run --release --no-default-features --features simulate --example heal -- --records 1000000
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
#![allow(clippy::disallowed_methods, reason = "the report says how long it took")]

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use shieldwall::encoding::ids::MemberCode;
use shieldwall::protocol::Settings;
use shieldwall::simulate::Traffic;
use shieldwall::simulate::absence::{self, Absence, Return, Stage};

/// The bytes that may pass for a thousand that were missed.
const GOAL: u64 = 1200;
const DAY_MS: i64 = 86_400_000;

/// Cuts a simulated member off for weeks, lets the others log, and measures how it comes back
#[derive(Parser, Debug)]
struct Args {
    /// Records logged while it is away
    #[arg(long, default_value_t = 20_000)]
    records: usize,
    /// One in so many of them is addressed to the one who is away; 0: none
    #[arg(long, default_value_t = 10)]
    addressed_every: usize,
    /// Virtual days that it is away
    #[arg(long, default_value_t = 60)]
    days: i64,
    /// Those who log
    #[arg(long, default_values = ["GE", "TR", "LB"])]
    author: Vec<MemberCode>,
    /// Those who only listen
    #[arg(long, default_values = ["W1"])]
    listener: Vec<MemberCode>,
    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let settings = Settings::default();
    let plan = Absence {
        seed: args.seed,
        authors: args.author.clone(),
        listeners: args.listener.clone(),
        away: "MZ".parse().expect("a member code"),
        lasts_ms: args.days * DAY_MS,
        records: args.records,
        addressed_every: args.addressed_every,
        settings,
        idle_tick_ms: settings.sync_interval_ms,
    };
    let begun = Instant::now();
    let mut came_back = None;
    let bar = progress(args.records as u64);
    let outcome = absence::run(&plan, &mut |stage, done| {
        if stage == Stage::Back {
            came_back.get_or_insert_with(|| begun.elapsed());
        }
        bar.set_message(match stage {
            Stage::Away => "logged",
            Stage::Back => "fetched",
            Stage::Compared => "compared",
        });
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64();
    let away_seconds = came_back.map_or(seconds, |at| at.as_secs_f64());
    report(&args, &outcome, away_seconds, seconds);
    let is_good = outcome.faults.is_empty() && outcome.per_mille() <= GOAL;
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(args: &Args, outcome: &Return, away_seconds: f64, seconds: f64) {
    let ratio = outcome.per_mille() as f64 / 1000.0;
    let (to, from) = &outcome.traffic;
    let peak = peak_mib();
    if args.json {
        let traffic = |traffic: &Traffic| {
            json!({ "messages": traffic.messages, "gossip": traffic.gossip, "requests": traffic.requests,
                    "responses": traffic.responses, "bytes": traffic.bytes() })
        };
        let report = json!({
            "records": outcome.logged, "days": args.days, "addressed": outcome.addressed,
            "members": args.author.len() + args.listener.len() + 1,
            "statements": outcome.statements, "statement_bytes": outcome.statement_bytes, "body_bytes": outcome.body_bytes,
            "to": traffic(to), "from": traffic(from), "ratio": ratio,
            "held_ms": outcome.held_ms, "opened_ms": outcome.opened_ms, "agreed_ms": outcome.agreed_ms,
            "faults": outcome.faults, "inputs": outcome.steps, "trace": outcome.trace.to_string(),
            "real_seconds_away": away_seconds, "real_seconds": seconds, "peak_mib": peak,
        });
        println!("{report:#}");
        return;
    }
    let virtual_seconds =
        |ms: Option<i64>| ms.map_or_else(|| "never".to_owned(), |ms| format!("after {:.2} s", ms as f64 / 1000.0));
    println!(
        "{} records in {} virtual days, {} addressed to who was away; missed: {} statements of {} bytes, bodies of {} bytes",
        outcome.logged, args.days, outcome.addressed, outcome.statements, outcome.statement_bytes, outcome.body_bytes
    );
    println!(
        "virtual time: all statements verified {}, all bodies opened {}, all members agree {}",
        virtual_seconds(outcome.held_ms),
        virtual_seconds(outcome.opened_ms),
        virtual_seconds(outcome.agreed_ms)
    );
    for (whither, traffic) in [("to it", to), ("from it", from)] {
        println!(
            "{whither}: {} bytes in {} messages: gossip {}, requests {}, responses {}",
            traffic.bytes(),
            traffic.messages,
            traffic.gossip,
            traffic.requests,
            traffic.responses
        );
    }
    println!("{ratio:.3} of what it missed");
    println!(
        "{away_seconds:.1} s of real time for the logging, {:.1} s for the rest; {} inputs; at most {} MiB of memory",
        seconds - away_seconds,
        outcome.steps,
        peak.map_or_else(|| "?".to_owned(), |peak| peak.to_string())
    );
    for fault in &outcome.faults {
        println!("FAULT {fault}");
    }
}

/// The most memory that this process has had, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn progress(records: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {per_sec}, {eta} left");
    ProgressBar::new(records).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
