//! Gossip came: judge it by form and signature alone, then take from it what is new.

use crate::encoding::ids::MemberCode;
use crate::ledger::{Store, StoreError};
use crate::protocol::message::Gossip;
use crate::protocol::{Effect, Event, Node, Refusal, Turn, Verdict, limits};

pub(super) fn gossip<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    id: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let taken = if bytes.len() > limits::GOSSIP_BYTES_MAX {
        Err(Refusal::TooLarge)
    } else {
        match Gossip::decode(bytes) {
            Err(_) => Err(Refusal::Form),
            Ok(Gossip::News { checkpoint, from: first, statements }) => {
                node.take_news(turn, from, &checkpoint, first, &statements)?
            }
            Ok(Gossip::Cosigned { cosignature, changed }) => {
                node.take_cosignature(turn, from, &cosignature, &changed, None)
            }
            Ok(Gossip::Fork(proof)) => node.take_fork(turn, &proof)?,
        }
    };
    conclude(node, from, id, taken);
    Ok(())
}

/// There is no room for what it may bring.
pub(super) fn turn_away<S>(node: &mut Node<S>, from: MemberCode, id: u64) {
    conclude(node, from, id, Err(Refusal::NoRoom));
}

fn conclude<S>(node: &mut Node<S>, from: MemberCode, id: u64, taken: Result<(), Refusal>) {
    let verdict = taken.map_or_else(Refusal::verdict, |()| Verdict::Accept);
    node.out.push(Effect::Verdict { id, verdict });
    if let Err(refusal) = taken {
        node.out.event(Event::Refused { peer: from, refusal });
    }
}
