//! Restores, clones and lost disks with real nodes, again and again, and a table of what came of them.
//!
//! Each cycle is a federation of three nodes of the release build on loopback, of which one has an accident: an old backup is put back by hand, a
//! clone is started beside it, its disk is lost, or the whole machine. It ends when the member logs again and all hold one ledger.
//!
//! ```text
//! cargo build --release --locked --examples --bins
//! target/release/examples/drills --cycles 20
//! ```

#![allow(clippy::unwrap_used, reason = "a run that cannot go on stops, and says where")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/loopback/federation.rs"]
mod federation;
#[path = "../../tests/loopback/recover.rs"]
mod recover;

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use clap::Parser as _;
use serde_json::json;

use federation::Federation;
use recover::Recovered;

/// Accidents of real nodes in a loop
#[derive(clap::Parser, Debug)]
struct Args {
    /// How many accidents, the kinds by turns
    #[arg(long, default_value_t = 20)]
    cycles: usize,
    /// Records before a backup, and after it
    #[arg(long, default_value_t = 100)]
    records: usize,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let begun = Instant::now();
    let mut rows = Vec::new();
    for cycle in 0..args.cycles {
        let (name, accident) = recover::ALL[cycle % recover::ALL.len()];
        let records = args.records;
        // In a thread of its own: a violation is a panic, and is counted.
        let ended = thread::spawn(move || accident(&Federation::of(&recover::MEMBERS), records)).join();
        eprintln!(
            "{}/{} {name}: {}",
            cycle + 1,
            args.cycles,
            if ended.is_ok() { "as it must be" } else { "NOT as it must be" }
        );
        rows.push((name, ended.ok()));
    }
    let failed = rows.iter().filter(|(_, ended)| ended.is_none()).count();
    let seconds = begun.elapsed().as_secs();
    if args.json {
        println!(
            "{}",
            json!({ "seconds": seconds, "failed": failed, "cycles": rows.iter().map(value).collect::<Vec<_>>() })
        );
    } else {
        println!(
            "{:<13} {:>10} {:>7} {:>9} {:>12} GOES ON IN",
            "ACCIDENT", "STATEMENTS", "BEHIND", "SECONDS", "OWN OPENED"
        );
        rows.iter().for_each(|row| println!("{}", line(row)));
        println!("{} accidents in {seconds} s: {failed} not as they must be", rows.len());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line((name, ended): &(&str, Option<Recovered>)) -> String {
    match ended {
        Some(Recovered { statements, behind, seconds, log, readable: (opened, of) }) => {
            format!("{name:<13} {statements:>10} {behind:>7} {seconds:>9.1} {:>12} {log}", format!("{opened} of {of}"))
        }
        None => format!("{name:<13} NOT as it must be: see above"),
    }
}

fn value((name, ended): &(&str, Option<Recovered>)) -> serde_json::Value {
    let of = |ended: &Recovered| {
        json!({ "accident": name, "statements": ended.statements, "behind": ended.behind, "seconds": ended.seconds,
                "log": ended.log, "opened": ended.readable.0, "of": ended.readable.1 })
    };
    ended.as_ref().map_or(json!({ "accident": name, "failed": true }), of)
}
