//! Every operation of the standard workload with every fault, recovery included; prints what was covered.
//!
//!     cargo run --release --features simulate --example sweep -- [--again STRIDE] [--json]
//!
//! `--again STRIDE` adds to every case a second fault at every STRIDE-th operation of the recovery (1: all; default 7; 0: none).

use std::collections::BTreeMap;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use shieldwall::disk::fault::Kind;
use shieldwall::disk::sweep::{Case, Plan, Verdict, kinds};

/// Failures that are shown in full.
const SHOWN: usize = 20;

#[derive(Default)]
struct Tally {
    /// By kind: cases, and how they ended.
    cases: BTreeMap<Kind, BTreeMap<Verdict, u64>>,
    again: u64,
    failures: Vec<String>,
    failed: u64,
    panics: u64,
}

#[allow(clippy::print_stdout, reason = "it is a program")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let again = arguments.iter().skip_while(|argument| *argument != "--again").nth(1);
    let stride: usize = again.and_then(|stride| stride.parse().ok()).unwrap_or(7);
    let plan = Plan::new();
    let bar = ProgressBar::new(plan.operations().len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} operations, {eta} left {msg}") {
        bar.set_style(style);
    }
    std::panic::set_hook(Box::new(|_| {}));
    let mut tally = Tally::default();
    for (operation, done) in plan.operations().iter().enumerate() {
        for kind in kinds(done.op) {
            for end in plan.ends(operation, kind) {
                let case = Case { operation, kind, end, again: None };
                tally.run(&plan, case);
                if stride == 0 {
                    continue;
                }
                let recovery = plan.recovery(case);
                for (number, second) in (operation % stride..recovery).step_by(stride).enumerate() {
                    let kinds = [
                        Kind::Error,
                        Kind::CrashBefore,
                        Kind::CrashAfter,
                        Kind::ErrorForever,
                        Kind::NoSpace,
                        Kind::Short,
                    ];
                    let second = (second, kinds[(operation + number) % kinds.len()]);
                    tally.run(&plan, Case { again: Some(second), ..case });
                }
            }
        }
        bar.set_message(format!("{} failed", tally.failed));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if json {
        println!("{}", tally.json(plan.operations().len()));
    } else {
        tally.print(plan.operations().len());
    }
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Tally {
    fn run(&mut self, plan: &Plan, case: Case) {
        self.again += u64::from(case.again.is_some());
        let result = std::panic::catch_unwind(|| plan.run(case));
        let failure = match result {
            Ok(Ok(verdict)) => {
                *self.cases.entry(case.kind).or_default().entry(verdict).or_default() += 1;
                return;
            }
            Ok(Err(failure)) => failure,
            Err(_) => {
                self.panics += 1;
                "panic".to_owned()
            }
        };
        self.failed += 1;
        if self.failures.len() < SHOWN {
            let done = &plan.operations()[case.operation];
            self.failures.push(format!("{case:?} ({:?} {}): {failure}", done.op, done.path.display()));
        }
    }

    fn total(&self) -> u64 {
        self.cases.values().flat_map(BTreeMap::values).sum::<u64>() + self.failed
    }

    fn json(&self, operations: usize) -> serde_json::Value {
        let cases: BTreeMap<String, BTreeMap<String, u64>> = self
            .cases
            .iter()
            .map(|(kind, verdicts)| {
                (
                    format!("{kind:?}"),
                    verdicts.iter().map(|(verdict, count)| (format!("{verdict:?}"), *count)).collect(),
                )
            })
            .collect();
        serde_json::json!({
            "operations": operations, "cases": self.total(), "with_second_fault": self.again,
            "by_kind": cases, "failed": self.failed, "panics": self.panics, "failures": self.failures,
        })
    }

    #[allow(clippy::print_stdout, reason = "it is a program")]
    fn print(&self, operations: usize) {
        println!(
            "{operations} operations, {} cases, {} of them with a second fault in the recovery",
            self.total(),
            self.again
        );
        println!("{:<14}{:>12}{:>12}{:>12}", "fault", "kept", "named", "disk lied");
        for (kind, verdicts) in &self.cases {
            let count = |verdict| verdicts.get(&verdict).copied().unwrap_or(0);
            let name = format!("{kind:?}");
            println!("{name:<14}{:>12}{:>12}{:>12}", count(Verdict::Kept), count(Verdict::Named), count(Verdict::Lied));
        }
        println!("{} failed, {} of them panics", self.failed, self.panics);
        self.failures.iter().for_each(|failure| println!("  {failure}"));
    }
}
