//! `shieldwall lane`: what authors have shown of what they address to this node.

use super::context::{Context, unexpected};
use super::report::{Exit, Outcome};
use super::ui::table;
use crate::node::ask::{LaneView, Request, Response};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Whether each author has shown that nothing is missing of what it addressed to this node
    ///
    /// Every checkpoint of a log commits to the list of what its author has addressed to each member since its newest `lanes` statement. Once a
    /// day, and when such lanes end, this node holds what it has against that. "agrees" means that the author has signed just this list.
    List,
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::List => list(context),
    }
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
