//! `shieldwall ledger`.

use super::context::{Context, unexpected};
use super::report::{Exit, Outcome};
use super::ui::table;
use crate::node::ask::{LedgerView, LogState, LogView, Request, Response};

/// Shows every log that this node holds: its size and root, how far it is audited, whose receipts are held.
///
/// Nodes that hold the same show the same frontier.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let Response::Ledger(ledger) = context.ask(&Request::Ledger)? else { return Err(unexpected()) };
    context.ui.result(&ledger, text(&ledger))?;
    let quarantined = ledger.logs.iter().any(|log| log.state == LogState::Quarantined);
    Ok(if quarantined { Exit::Equivocation } else { Exit::Success })
}

fn text(ledger: &LedgerView) -> String {
    let head = ["LOG", "SIZE", "ROOT", "SIGNED", "AUDITED", "FLAGGED", "STATE", "RECEIPTS"];
    let by = ledger.cosigned_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let by = if by.is_empty() { "nobody yet".to_owned() } else { by };
    format!("{}\n\nfrontier {}, cosigned by {by}", table(head, ledger.logs.iter().map(row)), ledger.frontier)
}

fn row(log: &LogView) -> [String; 8] {
    let receipts = log.receipts.iter().map(|(member, size)| format!("{member}:{size}")).collect::<Vec<_>>();
    let state = match log.state {
        LogState::Open => "open",
        LogState::Closed => "closed",
        LogState::Quarantined => "TWO HISTORIES",
    };
    [
        log.log.to_string(),
        log.size.to_string(),
        log.root.short(),
        log.checkpoint_at.map(|time| time.to_string()).unwrap_or_default(),
        log.audited.to_string(),
        log.flagged.to_string(),
        state.to_owned(),
        receipts.join(" "),
    ]
}
