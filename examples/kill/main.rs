//! Kills real nodes with `kill -9`, again and again, and looks whether anything was lost or signed twice.
//!
//! Three nodes of the release build run on loopback. Georgia imports without a pause and every acknowledgement is noted. Each
//! cycle kills one node or several at a moment that the seed chooses, starts them again, and kills some once more while they
//! start; now and then the index of a killed node is deleted or cut short first, so that its rebuilding is interrupted too.
//! After every few cycles the import rests, and all that was ever acknowledged is looked for at all three.
//!
//! ```text
//! cargo build --release --locked --examples --bins
//! target/release/examples/kill --cycles 2000
//! ```

#![allow(clippy::unwrap_used, reason = "a run that cannot go on stops, and says where")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

mod chance;
mod check;
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/loopback/federation.rs"]
mod federation;
mod importer;

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use chance::Chance;
use check::Checker;
use federation::{Federation, Node};
use importer::Importer;

const MEMBERS: [&str; 3] = ["GE", "TR", "MZ"];

/// How long a killed node may take until its socket answers, and the importer until it is acknowledged again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Acknowledged records after which a new federation begins: a node lists 10,000 at most.
const RECORDS: u64 = 9_000;

/// kill -9 of real nodes in a loop.
#[derive(clap::Parser, Debug)]
struct Args {
    /// How many cycles; each kills one node at least
    #[arg(long, default_value_t = 100)]
    cycles: u64,
    /// Chooses whom to kill, and when
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Look for everything after so many cycles
    #[arg(long, default_value_t = 25)]
    every: u64,
    /// Keep the folders of the nodes
    #[arg(long)]
    keep: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
struct Done {
    cycles: u64,
    federations: u64,
    kills: u64,
    kills_of_the_importer: u64,
    kills_during_start: u64,
    indexes_deleted: u64,
    indexes_cut: u64,
    slowest_start_ms: u64,
    acknowledged: u64,
    submitted_again: u64,
    looks: u64,
}

/// The nodes that run, in the order of [`MEMBERS`].
struct Nodes<'a> {
    federation: &'a Federation,
    running: Vec<Option<Node>>,
    done: &'a mut Done,
    chance: Chance,
    /// Whose index was spoilt since the last look.
    harmed: BTreeSet<&'static str>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let begin = Instant::now();
    let bar = bar(args.cycles);
    let mut done = Done::default();
    let mut faults = Vec::new();
    // A list of records has an end, so every now and then all begins anew.
    while done.cycles < args.cycles && faults.is_empty() {
        faults = federation_run(&args, &mut done, &bar);
    }
    bar.finish_and_clear();
    for fault in &faults {
        eprintln!("violation in cycle {}, seed {}: {fault}", done.cycles, args.seed);
    }
    let seconds = begin.elapsed().as_secs();
    if args.json {
        println!("{}", json!({ "seed": args.seed, "seconds": seconds, "violations": faults, "done": done }));
    } else {
        println!("{}", done.summary(&args, seconds, faults.is_empty()));
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Makes a federation and kills its nodes until there are enough cycles, or enough records; gives what is wrong.
fn federation_run(args: &Args, done: &mut Done, bar: &ProgressBar) -> Vec<String> {
    let federation = Federation::of(&MEMBERS);
    let seed = args.seed.wrapping_add(done.federations << 32);
    done.federations += 1;
    let mut nodes = Nodes {
        running: federation.start_all().into_iter().map(Some).collect(),
        federation: &federation,
        done,
        chance: Chance::new(seed),
        harmed: BTreeSet::new(),
    };
    let importer = Importer::start(federation.socket(MEMBERS[0]), seed);
    let mut checker = Checker::default();
    let before = (nodes.done.acknowledged, nodes.done.submitted_again);
    loop {
        let mut faults: Vec<String> = nodes.cycle(&importer).err().into_iter().collect();
        nodes.done.cycles += 1;
        nodes.done.acknowledged = before.0 + importer.count();
        nodes.done.submitted_again = before.1 + importer.repeats();
        let end = nodes.done.cycles == args.cycles || importer.count() > RECORDS;
        if faults.is_empty() && (end || nodes.done.cycles.is_multiple_of(args.every)) {
            importer.rest();
            faults.extend(checker.look(&federation, &importer.acknowledged(), &nodes.harmed));
            nodes.harmed.clear();
            nodes.done.looks += 1;
            importer.go_on();
        }
        faults.extend(importer.faults());
        bar.set_message(format!("{} kills, {} records acknowledged", nodes.done.kills, nodes.done.acknowledged));
        bar.inc(1);
        if end || !faults.is_empty() {
            drop(nodes);
            drop(importer);
            if args.keep || !faults.is_empty() {
                eprintln!("the nodes lie in {}", federation.keep().display());
            }
            return faults;
        }
    }
}

impl Done {
    fn summary(&self, args: &Args, seconds: u64, good: bool) -> String {
        format!(
            "{} cycles in {seconds} s, seed {}, {} federations: {} kills ({} of the importer, {} during a start), {} indexes \
             deleted and {} cut short, slowest start {} ms; {} records acknowledged, {} parts submitted again, all looked for \
             {} times: {}",
            self.cycles,
            args.seed,
            self.federations,
            self.kills,
            self.kills_of_the_importer,
            self.kills_during_start,
            self.indexes_deleted,
            self.indexes_cut,
            self.slowest_start_ms,
            self.acknowledged,
            self.submitted_again,
            self.looks,
            if good { "none lost, none twice, no second history" } else { "NOT as it must be" },
        )
    }
}

impl Nodes<'_> {
    /// Kills at least one node and starts all again.
    fn cycle(&mut self, importer: &Importer) -> Result<(), String> {
        self.wait_for_the_moment(importer)?;
        let victims: &[usize] = match self.chance.below(20) {
            0..12 => &[0],
            12..14 => &[1],
            14..16 => &[2],
            16..18 => &[0, 1],
            18 => &[1, 2],
            _ => &[0, 1, 2],
        };
        for victim in victims {
            self.kill(*victim)?;
        }
        for victim in victims {
            self.harm_the_index(*victim);
            self.start(*victim);
            // Also while it reads the ledger, rebuilds its index, asks its peers: up to three times in a row.
            while self.chance.below(3) == 0 {
                thread::sleep(Duration::from_millis(self.chance.below(200)));
                self.kill(*victim)?;
                self.done.kills_during_start += 1;
                self.harm_the_index(*victim);
                self.start(*victim);
            }
        }
        for victim in victims {
            self.wait_until_up(*victim)?;
        }
        Ok(())
    }

    /// Half of the time in the middle of an import that goes well, else at any moment after the start.
    fn wait_for_the_moment(&mut self, importer: &Importer) -> Result<(), String> {
        if self.chance.below(2) == 0 {
            let (before, begin) = (importer.count(), Instant::now());
            while importer.count() == before {
                if begin.elapsed() > PATIENCE {
                    return Err(format!("nothing was acknowledged within {PATIENCE:?}"));
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
        thread::sleep(Duration::from_micros(self.chance.below(300_000)));
        Ok(())
    }

    fn kill(&mut self, at: usize) -> Result<(), String> {
        let Some(mut node) = self.running[at].take() else { return Ok(()) };
        if let Some(status) = node.ended() {
            return Err(format!("the node of {} ended by itself: {status}", MEMBERS[at]));
        }
        node.kill();
        self.done.kills += 1;
        self.done.kills_of_the_importer += u64::from(at == 0);
        Ok(())
    }

    fn start(&mut self, at: usize) {
        self.running[at] = Some(self.federation.spawn(MEMBERS[at]));
    }

    fn wait_until_up(&mut self, at: usize) -> Result<(), String> {
        let begin = Instant::now();
        while !self.federation.is_up(MEMBERS[at]) {
            let ended = self.running[at].as_mut().and_then(Node::ended);
            if let Some(status) = ended {
                return Err(format!("the node of {} did not start: {status}", MEMBERS[at]));
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("the node of {} was not up within {PATIENCE:?}", MEMBERS[at]));
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.done.slowest_start_ms =
            self.done.slowest_start_ms.max(u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// The index may be lost or spoilt whenever the node is stopped.
    fn harm_the_index(&mut self, at: usize) {
        let index = self.federation.path(MEMBERS[at]).join("data/index");
        match self.chance.below(40) {
            0 => {
                drop(fs::remove_dir_all(&index));
                self.done.indexes_deleted += 1;
            }
            1 => {
                let Ok(file) = fs::OpenOptions::new().write(true).open(index.join("db")) else { return };
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                if length > 0 {
                    drop(file.set_len(self.chance.below(length)));
                    self.done.indexes_cut += 1;
                    self.harmed.insert(MEMBERS[at]);
                }
            }
            _ => {}
        }
    }
}

fn bar(cycles: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} cycles, {msg}, {elapsed}, {eta} left");
    ProgressBar::new(cycles).with_style(style.unwrap())
}
