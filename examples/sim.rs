//! Runs many seeds of the simulator, and says what came of them.
//!
//! ```text
//! cargo run --release --no-default-features --features simulate --example sim -- --seeds 1000
//! cargo run --release --no-default-features --features simulate --example sim -- --seed 42
//! cargo run --release --no-default-features --features simulate --example sim -- --drills --seeds 1000
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
#![allow(clippy::disallowed_methods, reason = "the report says how long it took")]

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
#[cfg(feature = "node")]
use shieldwall::disk::simulated::Disk;
use shieldwall::simulate::drill::{self, Accident, Drilled};
use shieldwall::simulate::medium::Memory;
use shieldwall::simulate::plan::Plan;
use shieldwall::simulate::plant::Plant;
use shieldwall::simulate::trial::{self, Outcome};

/// Simulates federations through 30 days of trouble each, one per seed, and checks the invariants
#[derive(Parser, Debug)]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One seed alone, with its plan
    #[arg(long)]
    seed: Option<u64>,
    /// Run each seed twice and compare the traces
    #[arg(long)]
    twice: bool,
    /// Put in each fault that must be found, and say after how many seeds it was
    #[arg(long)]
    plants: bool,
    /// Restores, clones and lost disks in place of a month of trouble
    #[arg(long)]
    drills: bool,
    /// Keep this fault in while running the seeds
    #[arg(long)]
    plant: Option<String>,
    /// Threads; as many as there are cores if it is not said
    #[arg(long)]
    threads: Option<usize>,
    /// Disks with the node's real segment files, over a file system that fails, in place of stores in memory
    #[cfg(feature = "node")]
    #[arg(long)]
    files: bool,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

/// What all seeds together came to.
#[derive(Debug, Default)]
struct Totals {
    seeds: u64,
    with_liars: u64,
    members: u64,
    largest: usize,
    virtual_ms: i64,
    steps: u64,
    checks: u64,
    acknowledged: u64,
    happened: BTreeMap<&'static str, u64>,
    differing: Vec<u64>,
    violations: Vec<(u64, String)>,
}

impl Totals {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.with_liars += u64::from(outcome.liars > 0);
        self.members += outcome.members as u64;
        self.largest = self.largest.max(outcome.members);
        self.virtual_ms += outcome.virtual_ms;
        self.steps += outcome.steps;
        self.checks += outcome.checks;
        self.acknowledged += outcome.acknowledged as u64;
        for (what, times) in &outcome.happened {
            *self.happened.entry(what).or_default() += times;
        }
        if let Some(violation) = &outcome.violation {
            self.violations.push((outcome.seed, violation.to_string()));
        }
    }
}

impl Args {
    fn disks(&self) -> Disks {
        #[cfg(feature = "node")]
        if self.files {
            return Disks { run: trial::run_plan::<Disk>, drill: drill::run::<Disk>, replay: " --files" };
        }
        Disks { run: trial::run_plan::<Memory>, drill: drill::run::<Memory>, replay: "" }
    }
}

/// What the simulated machines have for a disk.
#[derive(Clone, Copy)]
struct Disks {
    run: fn(&Plan, Option<Plant>) -> Outcome,
    drill: fn(u64, Option<Plant>) -> Drilled,
    /// What a command that replays a seed says of them.
    replay: &'static str,
}

impl Disks {
    fn run(self, seed: u64, plant: Option<Plant>) -> Outcome {
        (self.run)(&Plan::new(seed, plant), plant)
    }

    fn drill(self, seed: u64, plant: Option<Plant>) -> Drilled {
        (self.drill)(seed, plant)
    }

    fn command(self, seed: u64, plant: Option<Plant>) -> String {
        let features = if self.replay.is_empty() { "--no-default-features " } else { "" };
        let plant = plant.map_or_else(String::new, |plant| format!(" --plant {plant}"));
        let files = self.replay;
        format!("cargo run --release {features}--features simulate --example sim -- --seed {seed}{files}{plant}")
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.plants && !args.drills {
        return plants();
    }
    let plant = match args.plant.as_deref().map(named) {
        Some(None) => {
            eprintln!("no such fault; there are: {:?}", Plant::ALL);
            return ExitCode::from(2);
        }
        Some(plant) => plant,
        None => None,
    };
    match args.seed {
        _ if args.drills && args.plants => drill_plants(),
        Some(seed) if args.drills => {
            let drilled = args.disks().drill(seed, plant);
            println!("{drilled:#?}");
            if drilled.violation.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        None if args.drills => drills(&args, plant),
        Some(seed) => one(&args, seed, plant),
        None => many(&args, plant),
    }
}

/// Many drills, and what came of them by what happened to the machine.
fn drills(args: &Args, plant: Option<Plant>) -> ExitCode {
    let disks = args.disks();
    let all: Vec<Drilled> = each_seed(args, |seed| disks.drill(seed, plant));
    let of = |accident: Accident| all.iter().filter(move |drilled| drilled.accident == accident);
    let found: Vec<&Drilled> = all.iter().filter(|drilled| drilled.violation.is_some()).collect();
    let rows: Vec<_> = Accident::ALL
        .into_iter()
        .map(|accident| {
            let count = |holds: fn(&Drilled) -> bool| of(accident).filter(|drilled| holds(drilled)).count();
            json!({
                "accident": accident.to_string(),
                "seeds": of(accident).count(),
                "behind": count(|drilled| drilled.behind > 0),
                "alone": count(|drilled| drilled.alone),
                "not_logged": of(accident).map(|drilled| drilled.not_logged).sum::<u64>(),
                "next_log": count(|drilled| drilled.next_log),
                "violations": count(|drilled| drilled.violation.is_some()),
            })
        })
        .collect();
    let acknowledged: usize = all.iter().map(|drilled| drilled.acknowledged).sum();
    let second =
        found.iter().filter(|drilled| drilled.violation.as_ref().is_some_and(|broken| broken.invariant == "I8"));
    let (second, violations) = (second.count(), found.len());
    if args.json {
        let told = |drilled: &&Drilled| json!({ "seed": drilled.seed, "what": drilled.violation.as_ref().map(ToString::to_string) });
        println!(
            "{:#}",
            json!({ "seeds": all.len(), "from": args.from, "acknowledged": acknowledged, "second_histories": second,
                    "accidents": rows, "violations": found.iter().map(told).collect::<Vec<_>>() })
        );
    } else {
        println!(
            "{:<12} {:>6} {:>7} {:>6} {:>11} {:>9} {:>10}",
            "ACCIDENT", "SEEDS", "BEHIND", "ALONE", "NOT LOGGED", "NEXT LOG", "VIOLATIONS"
        );
        for row in &rows {
            let text = row["accident"].as_str().unwrap_or_default();
            let [seeds, behind, alone, not, next, violations] =
                ["seeds", "behind", "alone", "not_logged", "next_log", "violations"]
                    .map(|field| row[field].to_string());
            println!("{text:<12} {seeds:>6} {behind:>7} {alone:>6} {not:>11} {next:>9} {violations:>10}");
        }
        println!(
            "{} drills, {acknowledged} records acknowledged: {second} second histories, {violations} violations",
            all.len()
        );
    }
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Signers without guard, and machines that nobody can warn: the drills must find both, as second histories.
fn drill_plants() -> ExitCode {
    let mut missed = false;
    for plant in [Plant::NoGuard, Plant::NoEcho] {
        let found = (0..100).find_map(|seed| Some((seed, drill::run::<Memory>(seed, Some(plant)).violation?)));
        match &found {
            Some((seed, violation)) => println!("{plant:<10} found with seed {seed}: {violation}"),
            None => println!("{plant:<10} not found"),
        }
        missed |= found.is_none_or(|(_, violation)| violation.invariant != plant.invariant());
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs something for each seed, on all threads; what came of them in the order of the seeds.
fn each_seed<T: Send>(args: &Args, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let bar = progress(args.seeds);
    let next = AtomicU64::new(args.from);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= args.from + args.seeds {
                        break;
                    }
                    let outcome = work(seed);
                    done.lock().expect("no thread has failed").push((seed, outcome));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().expect("no thread has failed");
    done.sort_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

fn one(args: &Args, seed: u64, plant: Option<Plant>) -> ExitCode {
    let plan = Plan::new(seed, plant);
    println!("{plan:#?}");
    let outcome = (args.disks().run)(&plan, plant);
    println!("{outcome:#?}");
    match outcome.violation {
        Some(violation) => {
            println!("VIOLATION {violation}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

fn many(args: &Args, plant: Option<Plant>) -> ExitCode {
    let disks = args.disks();
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let bar = progress(args.seeds);
    let next = AtomicU64::new(args.from);
    let end = args.from + args.seeds;
    let totals = Mutex::new(Totals::default());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let outcome = disks.run(seed, plant);
                    let differs = args.twice && disks.run(seed, plant).trace != outcome.trace;
                    let mut totals = totals.lock().expect("no thread has failed");
                    totals.add(&outcome);
                    if differs {
                        totals.differing.push(seed);
                    }
                    if let Some(violation) = &outcome.violation {
                        bar.suspend(|| eprintln!("seed {seed}: {violation}\n  replay: {}", disks.command(seed, plant)));
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let totals = totals.into_inner().expect("no thread has failed");
    report(args, &totals, begun.elapsed().as_secs_f64(), threads);
    if totals.violations.is_empty() && totals.differing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(args: &Args, totals: &Totals, seconds: f64, threads: usize) {
    let virtual_seconds = totals.virtual_ms as f64 / 1000.0;
    let ratio = virtual_seconds / (seconds * threads as f64 / (1.0 + f64::from(u8::from(args.twice))));
    if args.json {
        let report = json!({
            "seeds": totals.seeds,
            "from": args.from,
            "with_liars": totals.with_liars,
            "node_years": totals.members as f64 / totals.seeds.max(1) as f64 * virtual_seconds / 31_557_600.0,
            "largest_federation": totals.largest,
            "virtual_days": virtual_seconds / 86_400.0,
            "seconds": seconds,
            "threads": threads,
            "virtual_to_real_per_core": ratio,
            "inputs": totals.steps,
            "checks": totals.checks,
            "records_acknowledged": totals.acknowledged,
            "happened": totals.happened,
            "run_twice": args.twice,
            "traces_differ": totals.differing,
            "violations": totals.violations.iter().map(|(seed, what)| json!({ "seed": seed, "what": what })).collect::<Vec<_>>(),
        });
        println!("{report:#}");
        return;
    }
    println!(
        "{} seeds from {} on, {} of them with dishonest members, up to {} members",
        totals.seeds, args.from, totals.with_liars, totals.largest
    );
    println!(
        "{:.0} virtual days in {seconds:.1} s on {threads} threads: {ratio:.0} times real time per core",
        virtual_seconds / 86_400.0
    );
    println!("{} inputs, {} checks, {} records acknowledged", totals.steps, totals.checks, totals.acknowledged);
    for (what, times) in &totals.happened {
        println!("  {times:>9} {what}");
    }
    if args.twice {
        println!("{} traces differ between two runs", totals.differing.len());
    }
    println!("{} violations", totals.violations.len());
    for (seed, what) in totals.violations.iter().take(20) {
        println!("  seed {seed}: {what}\n    {}", args.disks().command(*seed, None));
    }
}

/// Puts in each fault in turn: the simulator must find it, as what it is.
fn plants() -> ExitCode {
    /// Seeds tried before a fault counts as not found.
    const TRIES: u64 = 500;
    let mut missed = 0;
    println!("{:<16} {:<9} {:<9} AFTER", "FAULT", "BREAKS", "FOUND AS");
    for plant in Plant::ALL {
        let found = (0..TRIES).find_map(|seed| {
            // What a machine has lost of its own log breaks another promise than what it has lost of others'.
            let violation = trial::run::<Memory>(seed, Some(plant)).violation?;
            (plant != Plant::OldState || violation.invariant == plant.invariant()).then_some((seed, violation))
        });
        let name = plant.to_string();
        match found {
            Some((seed, violation)) => {
                println!("{name:<16} {:<9} {:<9} seed {seed}: {violation}", plant.invariant(), violation.invariant);
                missed += u32::from(violation.invariant != plant.invariant());
            }
            None => {
                println!("{name:<16} {:<9} -         not found in {TRIES} seeds", plant.invariant());
                missed += 1;
            }
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn named(name: &str) -> Option<Plant> {
    Plant::ALL.into_iter().find(|plant| plant.to_string().eq_ignore_ascii_case(name))
}

fn progress(seeds: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} seeds, {per_sec}, {eta} left");
    ProgressBar::new(seeds).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
