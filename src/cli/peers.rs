//! `shieldwall peers`.

use super::context::{Context, unexpected};
use super::report::{Exit, Outcome};
use super::ui::table;
use crate::node::ask::{PeerView, Request, Response};

/// Shows the other members' nodes: which are connected, and which hold the same ledger.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let answer = context.connect()?.ask(&Request::Peers, |_| {})?;
    let Response::Peers(peers) = answer else { return Err(unexpected()) };
    let head = ["MEMBER", "NAME", "CONNECTED", "FRONTIER", "LEDGER", "ADDRESSES"];
    context.ui.result(&peers, table(head, peers.iter().map(row)))?;
    Ok(Exit::Success)
}

fn row(peer: &PeerView) -> [String; 6] {
    let ledger = match (&peer.frontier, peer.in_step) {
        (None, _) => "",
        (Some(_), true) => "same",
        (Some(_), false) => "differs",
    };
    [
        peer.member.to_string(),
        peer.name.clone(),
        if peer.connected { "yes" } else { "no" }.to_owned(),
        peer.frontier.map(|frontier| frontier.short()).unwrap_or_default(),
        ledger.to_owned(),
        peer.addresses.join(" "),
    ]
}
