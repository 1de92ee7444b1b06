//! The operator's commands: one file each, one line here.
//!
//! A command parses, calls one function of the modules above, and prints. Results go to stdout, talk to stderr; `--json`
//! is for machines. Nothing is decided here that the node would have to decide, and only here is anything printed.
//!
//! Start with [`main`]; [`context`] is what every command has at hand, [`report`] how it ends.

mod alert;
mod alerts;
mod approval;
mod audit;
mod backup;
mod certificate;
mod charter;
mod config;
mod consignment;
pub mod context;
mod demo;
mod doctor;
mod drain;
mod drill;
mod entry;
mod evidence;
mod export;
mod files;
#[cfg(test)]
mod fixture;
mod fsck;
mod import;
mod init;
mod join;
mod journal;
mod equivocation;
mod lane;
mod ledger;
mod log;
mod manifest;
mod manual;
mod metrics;
mod offline;
mod operation;
mod peers;
mod policy;
mod qr;
mod reconcile;
mod record;
mod recovery;
mod reindex;
pub mod report;
mod restore;
mod root;
mod run;
mod show;
mod signer;
mod stats;
mod status;
mod submit;
mod support;
pub mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use context::{Context, Global};
use report::{Exit, Outcome};

/// The node that each country runs to share its precursor-chemical exports with the countries that need to know.
#[derive(Parser, Debug)]
#[command(name = "shieldwall", version, max_term_width = 100, propagate_version = true)]
#[command(after_help = "Exit codes: docs/exit-codes.md. Options of the node: shieldwall config example.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a member's keys, first manifest and config
    Init(init::Args),
    /// Who the members are, and how that changes
    #[command(subcommand)]
    Charter(charter::Command),
    /// This member's highest key: draw it, keep it on paper, change it
    #[command(subcommand)]
    Root(root::Command),
    /// This member's keys, logs and addresses, as the others know them
    #[command(subcommand)]
    Manifest(manifest::Command),
    /// A member's logs: open the next one, close one, see what that touches
    #[command(subcommand)]
    Log(log::Command),
    /// Check the config, or show it with where each value comes from
    #[command(subcommand)]
    Config(config::Command),
    /// Fetch the charter with its digest and one address
    Join(join::Args),
    /// Run the node
    Run(run::Args),
    /// The keys of this member's logs in a process of its own
    #[command(subcommand)]
    Signer(signer::Command),
    /// End the running node in order
    Drain(drain::Args),
    /// Look for what is wrong or will be, and say what mends it
    Doctor(doctor::Args),
    /// Gather what helps others to find a fault, without anything secret
    Support(support::Args),
    /// Log the scheduled goods of customs declarations (WCO XML, CSV, JSON)
    Import(import::Args),
    /// Log records written as JSON
    Submit(submit::Args),
    /// Consignments: announce them, answer, tell where they are
    #[command(subcommand)]
    Consignment(consignment::Command),
    /// Ask where overdue goods are (A01)
    Inquire(alert::inquire::Args),
    /// Declare goods missing (A02)
    Missing(Box<alert::missing::Args>),
    /// Ask other members to control something (A03)
    Warn(alert::warn::Args),
    /// Tell who warned what was done and found (A04)
    Feedback(alert::feedback::Args),
    /// Ask to stop a consignment (E08)
    Stop(alert::stop::Args),
    /// Answer a request to stop (A05)
    AnswerStop(alert::answer_stop::Args),
    /// Report goods that were seized (A06)
    Seizure(Box<alert::seizure::Args>),
    /// Report a theft, disappearance, diversion or suspicious transaction (A07)
    Incident(Box<alert::incident::Args>),
    /// Take an alert of your own back (A08)
    Withdraw(alert::withdraw::Args),
    /// Joint operations: open, join and close them, talk in them
    #[command(subcommand)]
    Operation(operation::Command),
    /// How a country answers, reckons and tolerates
    #[command(subcommand)]
    Policy(policy::Command),
    /// List records, or show one
    #[command(subcommand)]
    Record(record::Command),
    /// What to look at: cases, and what officers make of them
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// What came beside what left: differences, totals, arrivals that nobody announced
    #[command(subcommand)]
    Reconcile(reconcile::Command),
    /// What waits for a second person: look at it, agree, or not
    Approval(approval::Args),
    /// Who did and read what on this node
    #[command(subcommand)]
    Audit(audit::Command),
    /// Build the consignments again from the ledger
    Reindex(reindex::Args),
    /// Figures: how much, how fast, how late
    Stats(stats::Args),
    /// All logs: sizes, roots, cosignatures
    Ledger(ledger::Args),
    /// Whether all is here that others have addressed to this node
    #[command(subcommand)]
    Lane(lane::Command),
    /// What is proved to be signed twice: logs, charters, manifests
    #[command(subcommand)]
    Equivocation(equivocation::Command),
    /// The other members' nodes
    Peers(peers::Args),
    /// Whether the node is well
    Status(status::Args),
    /// The node's figures, for Prometheus
    Metrics(metrics::Args),
    /// A script for the shell that completes commands and options
    Completions(manual::CompletionsArgs),
    /// Write a manual page for each command
    Man(manual::ManArgs),
    /// Prove a record to an outsider
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// Check the files of a stopped node, and say what heals what is damaged
    Fsck(fsck::Args),
    /// What only this node has: back it up, check that, put it back
    #[command(subcommand)]
    Backup(backup::Command),
    /// Rebuild the ledger of a node that lost its disk from the other members
    Restore(restore::Args),
    /// Rehearse what nobody wants to do for the first time in earnest
    #[command(subcommand)]
    Drill(drill::Command),
    /// A federation of five nodes on this machine
    Demo(demo::Args),
}

/// Runs the program: the environment is made safe, the command line parsed, the command run, its end reported.
#[must_use]
pub fn main() -> ExitCode {
    if let Err(error) = crate::network::refuse_key_log() {
        return end(&ui::Ui::default(), Err(error.into()));
    }
    // What is in memory are keys: a core file would hold them.
    forbid_core_dumps();
    let cli = Cli::parse();
    let context = Context::new(cli.global);
    let outcome = dispatch(&context, cli.command);
    end(&context.ui, outcome)
}

fn dispatch(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Charter(command) => charter::run(context, command),
        Command::Root(command) => root::run(context, &command),
        Command::Manifest(command) => manifest::run(context, command),
        Command::Log(command) => log::run(context, command),
        Command::Config(command) => config::run(context, &command),
        Command::Join(args) => join::run(context, &args),
        Command::Run(args) => run::run(context, &args),
        Command::Signer(command) => signer::run(context, &command),
        Command::Drain(args) => drain::run(context, &args),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Support(args) => support::run(context, &args),
        Command::Import(args) => import::run(context, &args),
        Command::Submit(args) => submit::run(context, &args),
        Command::Consignment(command) => consignment::run(context, command),
        Command::Inquire(args) => alert::inquire::run(context, &args),
        Command::Missing(args) => alert::missing::run(context, &args),
        Command::Warn(args) => alert::warn::run(context, &args),
        Command::Feedback(args) => alert::feedback::run(context, &args),
        Command::Stop(args) => alert::stop::run(context, &args),
        Command::AnswerStop(args) => alert::answer_stop::run(context, &args),
        Command::Seizure(args) => alert::seizure::run(context, &args),
        Command::Incident(args) => alert::incident::run(context, &args),
        Command::Withdraw(args) => alert::withdraw::run(context, &args),
        Command::Operation(command) => operation::run(context, command),
        Command::Policy(command) => policy::run(context, &command),
        Command::Record(command) => record::run(context, command),
        Command::Alerts(command) => alerts::run(context, command),
        Command::Reconcile(command) => reconcile::run(context, command),
        Command::Approval(args) => approval::run(context, args),
        Command::Audit(command) => audit::run(context, &command),
        Command::Reindex(args) => reindex::run(context, &args),
        Command::Stats(args) => stats::run(context, args),
        Command::Ledger(args) => ledger::run(context, &args),
        Command::Lane(command) => lane::run(context, &command),
        Command::Equivocation(command) => equivocation::run(context, &command),
        Command::Peers(args) => peers::run(context, &args),
        Command::Status(args) => status::run(context, &args),
        Command::Metrics(args) => metrics::run(context, &args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::pages(context, &args),
        Command::Evidence(command) => evidence::run(context, command),
        Command::Fsck(args) => fsck::run(context, &args),
        Command::Backup(command) => backup::run(context, &command),
        Command::Restore(args) => restore::run(context, &args),
        Command::Drill(command) => drill::run(context, &command),
        Command::Demo(args) => demo::run(context, &args),
    }
}

fn end(ui: &ui::Ui, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_broken_pipe() => Exit::Success.into(),
        Err(failure) if failure.exit() == Exit::Pending => {
            ui.notice(&failure.text());
            failure.exit().into()
        }
        Err(failure) => {
            ui.error(&failure.text());
            failure.exit().into()
        }
    }
}

fn forbid_core_dumps() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // A kernel that refuses this refuses nothing that we could mend.
        set_dumpable_behavior(DumpableBehavior::NotDumpable).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
