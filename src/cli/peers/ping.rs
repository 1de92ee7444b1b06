//! `shieldwall peers ping`.

use std::thread;
use std::time::Duration;

use super::Which;
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Outcome};
use crate::cli::show::counted;
use crate::node::ask::{PeerRequest, PingView, Request, Response};

/// Asks a member's node for its frontier, and tells how long the answer took and how far the two ledgers are apart.
///
/// The question goes the way of all questions: it is answered by the other node's loop, not by its kernel. What the other says of its
/// ledger is shown as it is said.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// How often to ask, a second apart
    #[arg(long, short, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
}

/// Between two questions.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let mut node = context.connect()?;
    let mut answers = Vec::new();
    for number in 0..args.count {
        if number > 0 {
            thread::sleep(PAUSE);
        }
        let request = Request::Peer(PeerRequest::Ping { member: args.which.member });
        let Response::Pinged(answer) = node.ask(&request, |_| {})? else { return Err(unexpected()) };
        if !context.global.json {
            context.ui.line(&text(&answer))?;
        }
        answers.push(answer);
    }
    if context.global.json {
        context.ui.result(&answers, "")?;
    }
    Ok(Exit::Success)
}

fn text(answer: &PingView) -> String {
    let PingView { member, micros, frontier, ahead, behind } = answer;
    let ledger = match (frontier, ahead, behind) {
        (None, ..) => "has cosigned nothing yet".to_owned(),
        (Some(_), 0, 0) => "holds the same".to_owned(),
        (Some(_), ahead, 0) => format!("holds {} more", counted(*ahead, "statement")),
        (Some(_), 0, behind) => format!("lacks {}", counted(*behind, "statement")),
        (Some(_), ahead, behind) => format!("holds {} more and lacks {behind}", counted(*ahead, "statement")),
    };
    format!("{member}  {}.{:03} ms  {ledger}", micros / 1000, micros % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hash::sha256;

    #[test]
    fn an_answer_says_how_far_the_ledgers_are_apart() {
        let said = |frontier: bool, ahead, behind| {
            let frontier = frontier.then(|| sha256(b"x"));
            text(&PingView { member: "TR".parse().unwrap(), micros: 12_034, frontier, ahead, behind })
        };
        assert_eq!(said(true, 0, 0), "TR  12.034 ms  holds the same");
        assert_eq!(said(true, 1, 0), "TR  12.034 ms  holds 1 statement more");
        assert_eq!(said(true, 0, 2), "TR  12.034 ms  lacks 2 statements");
        assert_eq!(said(true, 3, 2), "TR  12.034 ms  holds 3 statements more and lacks 2");
        assert_eq!(said(false, 0, 9), "TR  12.034 ms  has cosigned nothing yet");
    }
}
