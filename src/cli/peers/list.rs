//! `shieldwall peers list`.

use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Outcome};
use crate::cli::ui::table;
use crate::node::ask::{PeerView, Request, Response};

pub(super) fn run(context: &Context) -> Outcome {
    let answer = context.connect()?.ask(&Request::Peers, |_| {})?;
    let Response::Peers(peers) = answer else { return Err(unexpected()) };
    let head = ["MEMBER", "NAME", "CONNECTED", "FRONTIER", "LEDGER", "ADDRESSES"];
    context.ui.result(&peers, table(head, peers.iter().map(row)))?;
    for ban in peers.iter().filter_map(|peer| peer.ban.as_ref()) {
        context.ui.say(format!("{} is kept away until {}: {}", ban.member, ban.until, ban.reason));
    }
    Ok(Exit::Success)
}

fn row(peer: &PeerView) -> [String; 6] {
    let ledger = match (&peer.frontier, peer.in_step) {
        (None, _) => "",
        (Some(_), true) => "same",
        (Some(_), false) => "differs",
    };
    let connected = match (peer.connected, &peer.ban) {
        (true, _) => "yes",
        (false, None) => "no",
        (false, Some(_)) => "kept away",
    };
    [
        peer.member.to_string(),
        peer.name.clone(),
        connected.to_owned(),
        peer.frontier.map(|frontier| frontier.short()).unwrap_or_default(),
        ledger.to_owned(),
        peer.addresses.join(" "),
    ]
}
