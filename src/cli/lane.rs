//! `shieldwall lane`: what authors have shown of what they address to this node.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::{Context, unexpected};
use super::evidence;
use super::report::{Exit, Outcome};
use super::show::counted;
use super::ui::table;
use crate::encoding::ids::RecordId;
use crate::node::ask::{LaneView, Request, Response};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Whether each author has shown that nothing is missing of what it addressed to this node
    ///
    /// Every checkpoint of a log commits to the list of what its author has addressed to each member since its newest `lanes` statement. Once a
    /// day, and when such lanes end, this node holds what it has against that. "agrees" means that the author has signed just this list.
    List,
    /// Write the files that prove to an outsider what an author addressed to this node, all of it and nothing else
    ///
    /// `shieldwall evidence verify` checks them. Contents are shown with --notified alone.
    Export {
        /// The lanes statement, as `lane list` shows it, such as GE-0
        #[arg(value_name = "LANES")]
        lanes: RecordId,
        /// The folder to make
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Show the kind of each record and the UCR of each notified consignment, so that all can see which were not notified
        #[arg(long)]
        notified: bool,
    },
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::List => list(context),
        Command::Export { lanes, out, notified } => export(context, *lanes, out, *notified),
    }
}

fn export(context: &Context, lanes: RecordId, out: &Path, notified: bool) -> Outcome {
    evidence::is_free(out)?;
    let Response::Evidence(files) = context.ask(&Request::LaneEvidence { lanes, notified })? else {
        return Err(unexpected());
    };
    evidence::write(out, &files)?;
    let names: Vec<&String> = files.keys().collect();
    let text = format!("{}: {} for the lane of {lanes}", out.display(), counted(files.len() as u64, "file"));
    context.ui.result(&json!({ "lanes": lanes, "out": out, "files": names }), text)?;
    Ok(Exit::Success)
}

fn list(context: &Context) -> Outcome {
    let Response::Lanes(lanes) = context.ask(&Request::Lanes)? else { return Err(unexpected()) };
    let text = if lanes.is_empty() {
        "no author has shown anything yet: each is asked once a day".to_owned()
    } else {
        table(["LANES", "HERE", "UP TO", "SIGNED", "STATE"], lanes.iter().map(row))
    };
    context.ui.result(&lanes, text)?;
    let differs = |lane: &LaneView| lane.shown.as_ref().is_some_and(|shown| !shown.agrees);
    Ok(if lanes.iter().any(differs) { Exit::Verification } else { Exit::Success })
}

fn row(lane: &LaneView) -> [String; 5] {
    let agrees = lane.shown.as_ref().map(|shown| shown.agrees);
    let state = match (agrees, &lane.asked) {
        (Some(false), _) => "DIFFERS".to_owned(),
        (_, Some(asked)) => format!("{} here up to {}, asked since {}", asked.count, asked.size, asked.since),
        (Some(true), None) => "agrees".to_owned(),
        (None, None) => "unknown".to_owned(),
    };
    let [count, size, at] = lane.shown.as_ref().map_or_else(<[String; 3]>::default, |shown| {
        [shown.count.to_string(), shown.size.to_string(), shown.checkpoint_at.to_string()]
    });
    [lane.lanes.to_string(), count, size, at, state]
}
