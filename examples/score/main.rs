//! Makes consignments with known faults in them, looks for the faults in the records alone, and says what was found.
//!
//! ```text
//! cargo run --release --no-default-features --features simulate --example score -- --consignments 50000
//! ```
//!
//! Every life is turned into records as its countries would log them, folded, compared and looked at at the end of the horizon, as the exporting
//! country would see it, which reads all of them. What was done to it ([`shieldwall::generate::Truth`]) is looked at for the score alone.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

mod detect;
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use shieldwall::encoding::time::UnixTime;
use shieldwall::generate::{Generator, Plan};

use detect::Detector;

/// Scores what is found in generated records against what was done to them
#[derive(Parser, Debug)]
struct Args {
    /// How many consignments
    #[arg(long, default_value_t = 50_000)]
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
    /// How many days after the last notification it is looked
    #[arg(long, default_value_t = 150)]
    after: u32,
    /// For machines
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match score(&args) {
        Ok(table) if args.json => {
            println!("{:#}", table.to_json());
            ExitCode::SUCCESS
        }
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn score(args: &Args) -> Result<table::Table, Box<dyn Error>> {
    let from = UnixTime::from_seconds(1_767_225_600)?;
    let plan =
        Plan { seed: args.seed, countries: args.countries, consignments: args.consignments, from, days: args.days };
    let horizon = from.plus(i64::from(args.days + args.after) * 86_400);
    let mut detector = Detector::new(horizon);
    let mut truths = Vec::new();
    for life in Generator::new(plan.clone()) {
        let came =
            life.events.iter().any(|event| event.draft.kind == Some(shieldwall::record::Kind::ImportConfirmation));
        truths.push((life.truth.as_ref().map(|truth| truth.cause), came));
        detector.look_at(&life)?;
    }
    detector.begin_again();
    for life in Generator::new(plan) {
        detector.look_again(&life)?;
    }
    Ok(table::Table::of(&truths, detector.finish()))
}
