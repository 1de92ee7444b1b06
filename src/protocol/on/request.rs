//! A member asks. Every question gets an answer, if only that there is nothing.

use crate::encoding::ids::MemberCode;
use crate::ledger::{Key, Store, StoreError};
use crate::protocol::message::{Request, Response};
use crate::protocol::peers::Peer;
use crate::protocol::{Effect, Event, Node, Refusal, Turn, limits};
use crate::seal::LanesBody;

/// Answers a question, now or when its asker's budget of work allows: who asks for too much is answered late, and others are not.
pub(super) fn request<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    id: u64,
    bytes: Vec<u8>,
) -> Result<(), StoreError> {
    let peer = node.peers.entry(from);
    peer.work.pass(limits::WORK, turn.now);
    if peer.waiting.is_empty() && peer.work.has_any(limits::WORK, turn.now) {
        return answer(node, turn, from, id, &bytes);
    }
    if peer.waiting.len() < limits::QUESTIONS_WAITING_PER_PEER {
        peer.waiting.push_back((id, bytes));
        node.shed.questions_delayed += 1;
    } else {
        node.shed.questions_refused += 1;
        node.out.push(Effect::Respond { id, bytes: Response::Nothing.encode() });
    }
    Ok(())
}

/// Answers the questions that waited, as far as the budgets of their askers have grown.
pub(in crate::protocol) fn answer_late<S: Store>(node: &mut Node<S>, turn: &Turn) -> Result<(), StoreError> {
    let waiting = |(member, peer): (&MemberCode, &Peer)| (!peer.waiting.is_empty()).then_some(*member);
    for from in node.peers.by_member.iter().filter_map(waiting).collect::<Vec<_>>() {
        loop {
            let peer = node.peers.entry(from);
            peer.work.pass(limits::WORK, turn.now);
            if !peer.work.has_any(limits::WORK, turn.now) {
                break;
            }
            let Some((id, bytes)) = peer.waiting.pop_front() else { break };
            answer(node, turn, from, id, &bytes)?;
        }
    }
    Ok(())
}

/// Counts the work of so many bytes against the budget of the asker.
fn charge<S: Store>(node: &mut Node<S>, from: MemberCode, bytes: usize) {
    let work = limits::WORK_PER_KIB * (bytes as u64 / 1024);
    node.peers.entry(from).work.spend(limits::WORK, work);
}

fn answer<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    id: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    node.peers.entry(from).work.spend(limits::WORK, limits::WORK_PER_QUESTION);
    charge(node, from, bytes.len());
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
        Request::Published { from: start } => super::published::part(node, start),
        Request::Range { log, from: start } => {
            let bytes = node.chunk(log, start)?.encode();
            charge(node, from, bytes.len());
            // What others hold of one's own log and one's own disk does not would end it after a crash.
            node.out.push_settled(Effect::Respond { id, bytes });
            return Ok(());
        }
        Request::Body { id, ticket } => node.serve_body(id, ticket)?,
        Request::Slot { id } => slot(node, from, id)?,
        Request::Frontier { of } => match node.newest_cosignature(of) {
            Some((cosignature, frontier)) => {
                Response::Frontier { cosignature: cosignature.clone(), entries: frontier.entries().collect() }
            }
            None => Response::Nothing,
        },
        Request::Splits => node.splits_for_peer(),
        Request::LanePath { lanes, size } => {
            let response = node.lane_path(from, lanes, size)?;
            // What others hold of one's own log must be on one's own disk, as above.
            let bytes = response.encode();
            node.out.push_settled(Effect::Respond { id, bytes });
            return Ok(());
        }
        Request::Push { .. } if !node.room => Response::Nothing,
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
    let bytes = response.encode();
    charge(node, from, bytes.len());
    node.out.push(Effect::Respond { id, bytes });
    Ok(())
}

fn hello<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    published: crate::encoding::hash::Digest,
    theirs: crate::encoding::hash::Digest,
) -> Result<Response, StoreError> {
    let work = limits::WORK_PER_LOG * node.logs.len() as u64;
    node.peers.entry(from).work.spend(limits::WORK, work);
    let frontier = &node.frontier;
    let root = frontier.root();
    let entries = if root == theirs { Vec::new() } else { frontier.entries().collect() };
    if root != theirs || published != node.published_digest() {
        // A new charter counts at once: who is suspended must be cut within seconds.
        super::published::ask_if_news(node, turn, from, published);
        // They have something that we do not have, or the other way round; only asking tells.
        node.greet_back(turn, from, [published, theirs]);
        for log in node.logs.keys().copied().collect::<Vec<_>>() {
            node.tell_fork(turn, log)?;
        }
    }
    Ok(Response::Hello { published: node.published_digest(), frontier: root, entries })
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
