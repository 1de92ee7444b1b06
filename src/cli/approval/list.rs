//! `shieldwall approval list`.

use super::all;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Outcome};
use crate::cli::ui::table;
use crate::node::ask::ApprovalView;

/// Lists what waits for a second person, the newest last.
#[derive(clap::Args, Debug, Default)]
pub(super) struct Args {
    /// Also what is over, and how it ended
    #[arg(long)]
    all: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let views = all(context, args.all)?;
    let head = ["ID", "ASKED", "BY", "WHAT", "STANDS", "NEEDS"];
    let text = if views.is_empty() {
        "nothing waits for a second person".to_owned()
    } else {
        table(head, views.iter().map(row))
    };
    context.ui.result(&views, text)?;
    Ok(Exit::Success)
}

fn row(view: &ApprovalView) -> [String; 6] {
    let needs = match view.missing {
        0 => String::new(),
        missing => {
            format!("{missing} of {}", if view.may.is_empty() { "nobody".to_owned() } else { view.may.join(" ") })
        }
    };
    let stands = match &view.closed {
        None => view.stands.clone(),
        Some(closed) => match &closed.by {
            Some(by) => format!("{} by {by}", view.stands),
            None => view.stands.clone(),
        },
    };
    [view.id.clone(), view.asked_at.to_string(), view.asked_by.clone(), view.about.clone(), stands, needs]
}
