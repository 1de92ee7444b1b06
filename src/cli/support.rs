//! `shieldwall support`: what helps others to find a fault, in a folder of plain text that is read before it is sent.
//!
//! Nothing of a record's content goes in, and no key: the ledger is told by sizes and digests, alerts and consignments by their number alone.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::context::{Context, unexpected};
use super::report::{Exit, Failure, Outcome};
use super::show::counted;
use super::{doctor, metrics};
use crate::node::ask::{LedgerView, Request, Response, StatusView};
use crate::node::config::layers;
use crate::node::{clock, private};

/// Gathers what helps to find a fault into a new folder of text files: version, config, findings, figures, sizes of logs.
///
/// No key, no passphrase, nothing of a record's content and nobody's name is in it: a test searches for them. Read it before you send it. The
/// log of the node is not in it: `journalctl -u shieldwall`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder to make [default: support-MEMBER-TIME, here]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Options whose value says something about people or machines elsewhere.
const PRIVATE: [&str; 6] = ["alerts.", "approvals.users", "approvals.group", "listen", "external", "hsm.token"];

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let (config, settings) = context.config_with_origins()?;
    let now = clock::now();
    let stamp: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("support-{}-{stamp}", config.member)));
    if out.symlink_metadata().is_ok() {
        return Err(Failure::new(Exit::Initialised, format!("{} exists already", out.display())));
    }
    let (findings, said) = doctor::examination(context, &config)?;
    let (status, ledger) = match said {
        Some(said) => said,
        None => from_folder(context)?,
    };
    let figures = metrics::figures(&status, &ledger, now);
    let options = settings.iter().map(|setting| {
        let hidden = PRIVATE.iter().any(|prefix| setting.key.starts_with(prefix)) && setting.value.is_some();
        let value = match &setting.value {
            Some(_) if hidden => "[left out]".to_owned(),
            Some(layers::Value::Text(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "none".to_owned(),
        };
        format!("{} = {value}  # {}\n", setting.key, setting.origin)
    });
    let mut status = serde_json::to_value(&status)?;
    status["listening"] = json!("[left out]");
    let files = [
        ("about.txt", about(context, now.to_string())),
        ("config.txt", options.collect()),
        ("doctor.txt", findings),
        ("ledger.json", pretty(&serde_json::to_value(&ledger)?)?),
        ("metrics.prom", figures),
        ("status.json", pretty(&status)?),
    ];
    private::create_folder(&out)?;
    for (name, text) in &files {
        private::write_new(&out.join(name), text.as_bytes())?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let count = counted(names.len() as u64, "file");
    context.ui.result(&json!({ "folder": out, "files": names }), format!("{}: {count}", out.display()))?;
    context.ui.say("Read them before you send them: tar -c the folder, and encrypt it to whom it is for.");
    Ok(Exit::Success)
}

/// What the data folder of a node that does not run says.
fn from_folder(context: &Context) -> Result<(StatusView, LedgerView), Failure> {
    let Response::Status(status) = context.ask(&Request::Status)? else { return Err(unexpected()) };
    let Response::Ledger(ledger) = context.ask(&Request::Ledger)? else { return Err(unexpected()) };
    Ok((*status, ledger))
}

fn pretty(value: &Value) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn about(context: &Context, now: String) -> String {
    let system = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let os = system("/etc/os-release");
    let os = os.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown").to_owned();
    let kernel = system("/proc/sys/kernel/osrelease");
    let memory = system("/proc/meminfo");
    let memory = memory.lines().next().unwrap_or_default().to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "shieldwall {}\nat {now}\nconfig {}\nsystem {os}, Linux {}, {cores} cores\n{memory}\n",
        env!("CARGO_PKG_VERSION"),
        context.config_path().display(),
        kernel.trim(),
    )
}
