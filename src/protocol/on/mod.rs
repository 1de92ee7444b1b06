//! One file per input. This one only dispatches.

mod connected;
mod gossip;
mod publish;
pub(super) mod published;
mod request;
mod response;
mod signed;

use crate::ledger::{Store, StoreError};

use super::{Input, Node, Turn};

pub(super) use request::answer_late;

pub(super) fn dispatch<S: Store>(node: &mut Node<S>, turn: &mut Turn, input: Input) -> Result<(), StoreError> {
    match input {
        Input::Tick => connected::tick(node, turn),
        Input::Connected { peer } => connected::connected(node, peer),
        Input::Disconnected { peer } => connected::disconnected(node, peer),
        Input::Gossip { from, id, .. } if !node.room => gossip::turn_away(node, from, id),
        Input::Response { id, .. } if !node.room => response::failed(node, turn, id),
        Input::Gossip { from, id, bytes } => gossip::gossip(node, turn, from, id, &bytes)?,
        Input::Request { from, id, bytes } => request::request(node, turn, from, id, bytes)?,
        Input::Response { from, id, bytes } => response::response(node, turn, from, id, &bytes)?,
        Input::Failed { id } => response::failed(node, turn, id),
        Input::Publish { id, file, settle } => publish::publish(node, turn, id, &file, settle)?,
        Input::Submit { id, records } => node.submit(id, records)?,
        Input::Keep { id, records, act } => node.keep(turn, id, &records, &act)?,
        Input::Signed { id, signatures } => signed::signed(node, turn, id, &signatures)?,
        Input::NotSigned { id, reason } => signed::not_signed(node, turn, id, &reason)?,
        Input::Checked { id, hold } => node.finish_audit(id, hold)?,
        Input::Room(room) => node.room = room,
        Input::Flushed => node.out.flushed(),
        Input::CollectReceipts => {
            node.keep_cosignatures(turn, 0)?;
            node.collect_receipts();
        }
        Input::Ending => node.keep_cosignatures(turn, 0)?,
    }
    Ok(())
}
