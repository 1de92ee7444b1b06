//! A member asks. Every question gets an answer, if only that there is nothing.

use crate::encoding::ids::MemberCode;
use crate::ledger::{Key, Store, StoreError};
use crate::protocol::message::{Request, Response};
use crate::protocol::{Effect, Event, Node, Refusal, Turn};
use crate::seal::LanesBody;

pub(super) fn request<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    id: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    // The connection was admitted earlier; the charter may have changed since.
    if !node.federation.is_active(from) {
        node.out.push(Effect::Respond { id, bytes: Response::Nothing.encode() });
        return Ok(());
    }
    let Ok(request) = Request::decode(bytes) else {
        node.out.event(Event::Refused { peer: from, refusal: Refusal::Form });
        node.out.push(Effect::Respond { id, bytes: Response::Nothing.encode() });
        return Ok(());
    };
    let response = match request {
        Request::Hello { published, frontier } => hello(node, turn, from, published, frontier)?,
        Request::Published { from } => super::published::part(node, from),
        Request::Range { log, from } => {
            let bytes = node.chunk(log, from)?.encode();
            // What others hold of one's own log and one's own disk does not would end it after a crash.
            node.out.push_settled(Effect::Respond { id, bytes });
            return Ok(());
        }
        Request::Body { id, ticket } => node.serve_body(id, ticket)?,
        Request::Slot { id } => slot(node, from, id)?,
        Request::Frontier => match &node.witness.newest {
            Some((cosignature, frontier)) => {
                Response::Frontier { cosignature: cosignature.clone(), entries: frontier.entries().collect() }
            }
            None => Response::Nothing,
        },
        Request::Push { id: record, body } => {
            if let Err(refusal) = node.take_push(turn, from, record, body)? {
                node.out.event(Event::Refused { peer: from, refusal });
            }
            node.out.push_durable(Effect::Respond { id, bytes: Response::Done.encode() });
            return Ok(());
        }
        Request::Cosign { log, size } => {
            node.cosign_on_request(turn, id, log, size);
            return Ok(());
        }
    };
    // What is served may be staged only; a reader that verifies it loses nothing if we forget it.
    node.out.push(Effect::Respond { id, bytes: response.encode() });
    Ok(())
}

fn hello<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    published: crate::encoding::hash::Digest,
    theirs: crate::encoding::hash::Digest,
) -> Result<Response, StoreError> {
    let frontier = node.frontier();
    let root = frontier.root();
    let entries = if root == theirs { Vec::new() } else { frontier.entries().collect() };
    if root != theirs || published != node.federation.digest() {
        // They have something that we do not have, or the other way round; only asking tells.
        node.greet_back(turn, from, [published, theirs]);
        for log in node.logs.keys().copied().collect::<Vec<_>>() {
            node.tell_fork(turn, log)?;
        }
    }
    Ok(Response::Hello { published: node.federation.digest(), frontier: root, entries })
}

/// A member's own slot, from the author, whichever of its logs it is in; nobody else has it.
fn slot<S: Store>(
    node: &Node<S>,
    from: MemberCode,
    id: crate::encoding::ids::RecordId,
) -> Result<Response, StoreError> {
    let Some(frame) = node.store.get(&Key::Lanes(id))? else { return Ok(Response::Nothing) };
    let proof = LanesBody::decode(&frame.bytes).ok().and_then(|body| body.slot(from));
    Ok(proof.map_or(Response::Nothing, |proof| Response::Slot(proof.encode())))
}
