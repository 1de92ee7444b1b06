//! Writes realistic consignments with known faults in them: what each country's node would log, and the truth beside it.
//!
//! ```text
//! cargo run --release --no-default-features --features simulate --example generate -- --consignments 50000 --out generated
//! ```
//!
//! `CC.jsonl` has a line for each record of that country, in the order of their times: `{"key": "17/2", "at": …, "answers": "17/0",
//! "draft": {…}}`. `answers` names the key of the record that it answers; whoever logs it puts that one's record id into the draft. `truth.jsonl`
//! has a line for each consignment in which something went wrong.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use shieldwall::encoding::ids::MemberCode;
use shieldwall::encoding::time::UnixTime;
use shieldwall::generate::{Generator, Plan};

/// Makes consignments between some countries, and says what is wrong with them
#[derive(Parser, Debug)]
struct Args {
    /// The folder to write to; made if it is not there
    #[arg(long)]
    out: PathBuf,
    /// How many consignments
    #[arg(long, default_value_t = 1_000)]
    consignments: u32,
    /// How many countries trade, 3 to 24
    #[arg(long, default_value_t = 12)]
    countries: usize,
    /// All chance comes from this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Over how many days they are spread, from the beginning of 2026 on
    #[arg(long, default_value_t = 365)]
    days: u32,
}

fn main() -> ExitCode {
    match write(&Args::parse()) {
        Ok(summary) => {
            println!("{summary:#}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(args: &Args) -> Result<serde_json::Value, Box<dyn Error>> {
    let from = UnixTime::from_seconds(1_767_225_600)?;
    let plan =
        Plan { seed: args.seed, countries: args.countries, consignments: args.consignments, from, days: args.days };
    fs::create_dir_all(&args.out)?;
    let mut records: BTreeMap<MemberCode, Vec<(UnixTime, u32, usize, serde_json::Value)>> = BTreeMap::new();
    let mut truth = BufWriter::new(File::create(args.out.join("truth.jsonl"))?);
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    for life in Generator::new(plan) {
        for (at, event) in life.events.iter().enumerate() {
            let key = |at: usize| format!("{}/{at}", life.number);
            let line =
                json!({ "key": key(at), "at": event.at, "answers": event.answers.map(key), "draft": event.draft });
            records.entry(event.author).or_default().push((event.at, life.number, at, line));
        }
        if let Some(wrong) = &life.truth {
            *causes.entry(wrong.cause.name()).or_default() += 1;
            writeln!(truth, "{}", serde_json::to_string(wrong)?)?;
        }
    }
    truth.flush()?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (country, mut lines) in records {
        lines.sort_by_key(|(when, life, at, _)| (*when, *life, *at));
        let mut file = BufWriter::new(File::create(args.out.join(format!("{country}.jsonl")))?);
        for (.., line) in &lines {
            writeln!(file, "{line}")?;
        }
        file.flush()?;
        counts.insert(country.to_string(), lines.len());
    }
    Ok(json!({ "consignments": args.consignments, "records": counts, "wrong": causes }))
}
