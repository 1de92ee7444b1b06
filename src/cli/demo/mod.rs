//! `shieldwall demo`: a federation of five real nodes on this machine, each a process of its own.
//!
//! Everything happens as it does at real members: keys are drawn and a charter signed ([`stage`]), `shieldwall run` is
//! started five times ([`process`]), declarations are submitted over Georgia's socket ([`declarations`]), and what is shown
//! is what each node answers when it is asked ([`watch`]). Nothing is decided here that a node decides.
//!
//! Start with [`run`]; the order of events is in [`show`], what happens when a ship does not come in [`missing`], how it is judged in [`scene`], how it looks in [`page`].

mod declarations;
mod interrupt;
mod missing;
mod page;
mod process;
mod scene;
mod show;
mod stage;
mod watch;

use std::path::PathBuf;

use super::context::Context;
use super::report::{Exit, Failure, Outcome};
use interrupt::Interrupt;
use process::Processes;
use show::Show;
use stage::Stage;
use watch::Stopwatch;

/// Starts Georgia, Türkiye, Lebanon, Mozambique and an observer organisation as five nodes on this machine, logs sample
/// declarations at Georgia, and shows who signed, who verified and who could open what. Then one ship does not arrive.
///
/// Runs until Ctrl-C, which stops all five. Ends with 22 if the ledgers did not become equal in time, with 20 if a
/// signature did not hold, with 21 if two histories of a log were signed.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// End when all ledgers are equal and every member has every other's receipts; 0 only if everything verified
    #[arg(long)]
    once: bool,
    /// Keep the data here, one folder per member
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Log these declarations at Georgia in place of the samples
    #[arg(long, value_name = "FILE", num_args = 1..)]
    import: Vec<PathBuf>,
    /// Scale the samples up to so many records
    #[arg(long, value_name = "N", conflicts_with = "import", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    records: Option<u64>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let time = Stopwatch::start();
    let interrupt = Interrupt::watch()?;
    // Read first: a bad document is told before anything is made.
    let drafts = declarations::gather(context, args)?;
    let stage = Stage::build(args)?;
    let ui = &context.ui;
    ui.say(format!("Five nodes on this machine, in {}", stage.dir.display()));
    stage.introduction().iter().for_each(|line| ui.say(line));

    let processes = Processes::start(&stage).inspect_err(|_| stage.remove())?;
    let mut show = Show::new(ui, &stage, processes, time, &interrupt);
    let outcome = show.play(drafts, !args.import.is_empty()).and_then(|scene| {
        if args.once {
            show.stop()?;
            page::print(ui, &stage, &scene)?;
        } else {
            page::print(ui, &stage, &scene)?;
            page::invite(ui, &stage);
            show.go_on();
            show.stop()?;
        }
        Ok(scene.exit())
    });
    match &outcome {
        Ok(Exit::Success) => stage.remove(),
        Err(failure) if failure.exit() == Exit::Interrupted => stage.remove(),
        Ok(_) | Err(_) => ui.say(format!("Data and logs are left in {}", stage.dir.display())),
    }
    outcome
}

/// Ctrl-C before the show was over.
fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted")
}
