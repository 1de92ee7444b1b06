//! An officer's desk at a large ledger: logs generated consignments at three real nodes, and tells how long each question takes at one of them.
//!
//! ```text
//! cargo build --release --locked --bins --example desk
//! target/release/examples/desk --consignments 100000
//! ```
//!
//! The lives of [`shieldwall::generate`] are logged through the sockets, each record at the node of its author, in waves: the first records of
//! many lives, then the second ones. When the nodes are in step and one of them has read everything, it is asked what officers ask.

#![allow(clippy::unwrap_used, reason = "a run that cannot go on stops, and says where")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints what it found")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

mod ask;
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/loopback/federation.rs"]
mod federation;
mod fill;

use std::thread;
use std::time::{Duration, Instant};

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use shieldwall::node::ask::{Request, Response, StatusView};

use federation::{Federation, Node};

/// The first three countries of the generator: with so few, every one of them is a real node.
const MEMBERS: [&str; 3] = ["GE", "TR", "LB"];
/// Whose desk it is.
const DESK: &str = "GE";

/// How long an officer's questions take.
#[derive(clap::Parser, Debug)]
struct Args {
    /// How many consignments in which the desk has a part
    #[arg(long, default_value_t = 10_000)]
    consignments: u32,
    /// All chance comes from this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For machines
    #[arg(long)]
    json: bool,
}

fn main() {
    let args = Args::parse();
    let federation = Federation::of(&MEMBERS);
    let mut nodes = federation.start_all();
    let begin = Instant::now();
    let bar = ProgressBar::new(u64::from(args.consignments));
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} consignments, {msg}, {eta} left").unwrap());
    let records = fill::fill(&federation, &args, &bar);
    bar.finish_and_clear();
    let logged = begin.elapsed();
    eprintln!("{records} records logged in {:.0} s", logged.as_secs_f64());
    wait_until_in_step(&federation, &mut nodes);
    let in_step = begin.elapsed();
    eprintln!("in step after {:.0} s", in_step.as_secs_f64());
    let (first, _) = ask::when_caught_up(&federation);
    let peaks: Vec<_> = nodes.iter().map(|node| federation::peak_mib(node.id())).collect();
    let questions = ask::questions(&federation);
    let at = MEMBERS.iter().position(|member| *member == DESK).unwrap();
    let after_questions = federation::peak_mib(nodes[at].id());
    drop(nodes.remove(at));
    let started = Instant::now();
    let node = federation.start(DESK);
    let answers = started.elapsed();
    let (_, consignments) = ask::when_caught_up(&federation);
    let caught_up = started.elapsed();
    let after_restart = federation::peak_mib(node.id());
    if args.json {
        let questions: Vec<_> = questions.iter().map(ask::Asked::to_json).collect();
        let all = json!({
            "seed": args.seed, "consignments": consignments, "records": records,
            "logged_s": logged.as_secs_f64(), "in_step_s": in_step.as_secs_f64(), "first_answer_s": first.as_secs_f64(),
            "peak_mib": peaks, "peak_after_questions_mib": after_questions, "questions": questions,
            "restart": {
                "answers_s": answers.as_secs_f64(), "caught_up_s": caught_up.as_secs_f64(), "peak_mib": after_restart,
            },
        });
        println!("{all:#}");
        return;
    }
    let mib = |peak: Option<u64>| peak.map_or_else(|| "unknown".to_owned(), |mib| format!("{mib} MiB"));
    println!("{records} records, {consignments} consignments known at {DESK}");
    #[allow(clippy::cast_precision_loss, reason = "counts far below the precision of a float")]
    let rate = records as f64 / logged.as_secs_f64();
    println!(
        "logged in {:.1} s, {rate:.0} a second; in step {:.1} s later",
        logged.as_secs_f64(),
        (in_step - logged).as_secs_f64()
    );
    println!("consignments up to date {:.1} s after that", first.as_secs_f64());
    for (member, peak) in MEMBERS.iter().zip(&peaks) {
        println!("peak memory of {member}: {}", mib(*peak));
    }
    questions.iter().for_each(|asked| println!("{asked}"));
    println!("peak memory of {DESK} after the questions: {}", mib(after_questions));
    println!(
        "restart: the socket answers after {:.1} s, the consignments are up to date after {:.1} s; peak memory {}",
        answers.as_secs_f64(),
        caught_up.as_secs_f64(),
        mib(after_restart)
    );
}

/// Waits until every node holds the same, has checked all of it and has every body that is for it.
fn wait_until_in_step(federation: &Federation, nodes: &mut [Node]) {
    loop {
        assert!(nodes.iter_mut().all(|node| node.ended().is_none()), "a node ended by itself");
        let all: Vec<StatusView> = MEMBERS.iter().map(|member| status(federation, member)).collect();
        let is_whole = |status: &StatusView| {
            status.frontier == all[0].frontier
                && status.statements == status.statements_verified
                && status.bodies_missing == 0
                && status.waiting == 0
        };
        if all.iter().all(is_whole) {
            return;
        }
        thread::sleep(Duration::from_millis(500));
    }
}

fn status(federation: &Federation, member: &str) -> StatusView {
    let answer = ask::ask(federation, member, &Request::Status).unwrap();
    let Response::Status(status) = answer else { panic!("not a status: {answer:?}") };
    *status
}
