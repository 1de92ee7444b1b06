//! Lets three real nodes work for a while without disturbing them, and tells how memory and open files of each grow.
//!
//! ```text
//! cargo build --release --locked --examples --bins
//! target/release/examples/soak --minutes 20
//! ```
//!
//! Georgia imports all the time, Türkiye and Mozambique receive. The slopes are straight lines through the samples of the second half,
//! when caches are warm. Nodes that keep more records need more memory, so the slope is told per 1,000 records as well.

#![allow(clippy::unwrap_used, reason = "a run that cannot go on stops, and says where")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

#[allow(dead_code, reason = "shared with `kill`")]
#[path = "../kill/chance.rs"]
mod chance;
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/loopback/federation.rs"]
mod federation;
#[allow(dead_code, reason = "shared with `kill`, which uses more of it")]
#[path = "../kill/importer.rs"]
mod importer;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};

use federation::Federation;
use importer::Importer;

/// Between two samples.
const EVERY: Duration = Duration::from_secs(2);

/// Memory and open files of nodes at work.
#[derive(clap::Parser, Debug)]
struct Args {
    /// How long
    #[arg(long, default_value_t = 20)]
    minutes: u64,
}

/// One look at one node.
#[derive(Clone, Copy, Debug)]
struct Sample {
    seconds: f64,
    records: f64,
    resident_kib: f64,
    open_files: f64,
}

fn main() {
    let args = Args::parse();
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let mut nodes = federation.start_all();
    let importer = Importer::start(federation.socket("GE"), 1);
    let begin = Instant::now();
    let end = Duration::from_secs(args.minutes * 60);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} s, {msg}, {eta} left").unwrap();
    let bar = ProgressBar::new(end.as_secs()).with_style(style);
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); nodes.len()];
    while begin.elapsed() < end {
        thread::sleep(EVERY);
        for (node, samples) in nodes.iter_mut().zip(&mut samples) {
            assert!(node.ended().is_none(), "a node ended by itself");
            samples.push(sample(node.id(), begin.elapsed().as_secs_f64(), importer.count()));
        }
        bar.set_position(begin.elapsed().as_secs());
        bar.set_message(format!("{} records", importer.count()));
    }
    importer.rest();
    bar.finish_and_clear();
    let ledger = federation.converge();
    println!("{} records in {} s; ledger {}", importer.count(), begin.elapsed().as_secs(), ledger["frontier"]);
    assert!(importer.faults().is_empty(), "{:?}", importer.faults());
    for (member, samples) in federation.members.iter().zip(&samples) {
        let half = &samples[samples.len() / 2..];
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        let per_hour = slope(half, |sample| sample.seconds, |sample| sample.resident_kib) * 3_600.0 / 1_024.0;
        let per_thousand = slope(half, |sample| sample.records, |sample| sample.resident_kib) * 1_000.0;
        let files = slope(half, |sample| sample.seconds, |sample| sample.open_files) * 3_600.0;
        let errors = federation.log(member).lines().filter(|line| line.contains("ERROR")).count();
        println!(
            "{member}: resident {:.1} MiB at first, {:.1} at last; second half {per_hour:+.1} MiB an hour, {per_thousand:+.0} KiB per \
             1,000 records; open files {} at first, {} at last, {files:+.1} an hour; {errors} errors logged",
            first.resident_kib / 1_024.0,
            last.resident_kib / 1_024.0,
            first.open_files,
            last.open_files,
        );
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts far below the precision of a float")]
fn sample(process: u32, seconds: f64, records: u64) -> Sample {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
    let open_files = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    Sample {
        seconds,
        records: records as f64,
        resident_kib: resident.unwrap().parse().unwrap(),
        open_files: open_files as f64,
    }
}

/// The slope of the straight line with the least squares.
#[allow(clippy::cast_precision_loss, reason = "a few thousand samples")]
fn slope(samples: &[Sample], x: impl Fn(&Sample) -> f64, y: impl Fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let up: f64 = samples.iter().map(|sample| (x(sample) - mean_x) * (y(sample) - mean_y)).sum();
    let across: f64 = samples.iter().map(|sample| (x(sample) - mean_x).powi(2)).sum();
    if across == 0.0 { 0.0 } else { up / across }
}
