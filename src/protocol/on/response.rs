//! A member answered, or never will.

use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::ledger::{FrontierEntry, Store, StoreError};
use crate::protocol::message::{Request, Response};
use crate::protocol::peers::{Asked, What};
use crate::protocol::{Effect, Event, Node, Now, Refusal, Turn, limits};

use super::published;

pub(super) fn response<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    id: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let Some(asked) = node.peers.requests.get(&id).copied().filter(|asked| asked.to == from) else { return Ok(()) };
    release(node, id);
    let Ok(response) = Response::decode(bytes) else {
        retry(node, turn, asked);
        node.out.event(Event::Refused { peer: from, refusal: Refusal::Form });
        return Ok(());
    };
    let taken = match (asked.what, response) {
        (What::Hello, Response::Hello { published, frontier, entries }) => {
            compare(node, turn, from, published, &entries)?;
            node.ask_for_cosignature(from, frontier);
            Ok(())
        }
        (What::Published, Response::Published { size, from: start, part }) => {
            published::take(node, turn, from, size, start, &part)?
        }
        (What::Range(log, asked_from), Response::Chunk { checkpoint, from, statements, consistency }) => {
            let taken = node.take_chunk(turn, log, &checkpoint, from, &statements, &consistency)?;
            let brought = node.logs.get(&log).is_some_and(|state| state.tree.size() > asked_from);
            // An answer without anything new must not be asked for again at once, and for ever.
            if brought {
                node.progressed(log)
            } else {
                retry(node, turn, asked)
            }
            taken
        }
        (What::LostRange(log, _), Response::Chunk { from, statements, .. }) => {
            node.take_lost_statements(turn, log, from, &statements)?
        }
        (What::LostBody(record), Response::Body(body)) => node.take_lost_body(turn, record, &body)?,
        (What::Body(record), Response::Body(body)) => node.take_body(turn, record, &body)?,
        (What::Slot(record), Response::Slot(slot)) => node.take_slot(turn, record, &slot)?,
        (What::Slot(record), Response::Nothing) => {
            node.no_slot(record);
            Ok(())
        }
        (What::Cosign(log), Response::Cosignature(cosignature)) => node.take_receipt(turn, from, log, &cosignature)?,
        (What::Frontier(of), Response::Frontier { cosignature, entries }) => {
            node.take_cosignature(turn, from, &cosignature, &entries, Some(of))
        }
        (What::Splits, Response::Splits { charter, manifests }) => node.take_splits(turn, &charter, &manifests)?,
        (What::LanePath(lanes), Response::LanePath { checkpoint, path }) => {
            node.take_lane_path(turn, lanes, checkpoint, path)?
        }
        (What::Push, Response::Done) => Ok(()),
        (_, Response::Nothing) => {
            retry(node, turn, asked);
            Ok(())
        }
        _ => Err(Refusal::Unasked),
    };
    if let Err(refusal) = taken {
        retry(node, turn, asked);
        node.out.event(Event::Refused { peer: from, refusal });
    }
    Ok(())
}

pub(super) fn failed<S: Store>(node: &mut Node<S>, turn: &Turn, id: u64) {
    if let Some(asked) = release(node, id) {
        match asked.what {
            What::Range(log, _) => {
                if let Some(state) = node.logs.get_mut(&log) {
                    state.unanswered(turn.now);
                }
                if log == node.me.log {
                    // What it holds of this node's own log is not known: it is asked again.
                    node.author.unheard(asked.to);
                }
            }
            What::Hello => {
                node.author.unheard(asked.to);
                node.peers.entry(asked.to).greeted = None;
                let soon = turn.now.0.saturating_sub(node.settings.sync_interval_ms - limits::RETRY_MS);
                node.peers.compared = Some(Now(soon));
            }
            What::Published
            | What::LostRange(..)
            | What::LostBody(_)
            | What::Body(_)
            | What::Push
            | What::Slot(_)
            | What::Cosign(_)
            | What::Frontier(_)
            | What::Splits
            | What::LanePath(_) => {
                retry(node, turn, asked);
            }
        }
    }
}

/// Ends a request.
fn release<S: Store>(node: &mut Node<S>, id: u64) -> Option<Asked> {
    let asked = node.peers.requests.remove(&id)?;
    match asked.what {
        What::Range(log, _) => {
            if let Some(state) = node.logs.get_mut(&log).filter(|state| state.pulling == Some(id)) {
                state.pulling = None;
            }
        }
        What::Body(_) => {
            let peer = node.peers.entry(asked.to);
            peer.body_requests = peer.body_requests.saturating_sub(1);
        }
        What::Hello
        | What::Published
        | What::LostRange(..)
        | What::LostBody(_)
        | What::Push
        | What::Slot(_)
        | What::Cosign(_)
        | What::Frontier(_)
        | What::Splits
        | What::LanePath(_) => {}
    }
    Some(asked)
}

/// What was asked for did not come: it may be asked for again, of somebody else.
fn retry<S: Store>(node: &mut Node<S>, turn: &Turn, asked: Asked) {
    match asked.what {
        What::Range(log, _) => {
            if let Some(state) = node.logs.get_mut(&log) {
                // Whoever told of more does not give it. The next comparison or gossip names another.
                state.missed(turn.now, asked.to);
            }
            if log == node.me.log {
                // A claim to hold more of our own log, which came to nothing.
                node.author.heard(asked.to);
            }
        }
        What::Body(record) => node.release_body(record),
        What::Slot(record) => node.release_slot(record),
        What::LanePath(lanes) => node.no_lane_path(turn, lanes),
        What::Hello
        | What::Published
        | What::LostRange(..)
        | What::LostBody(_)
        | What::Push
        | What::Cosign(_)
        | What::Frontier(_)
        | What::Splits => {}
    }
}

/// What a peer holds beyond what is held here is fetched; its charter, if it is another.
fn compare<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    published: Digest,
    entries: &[FrontierEntry],
) -> Result<(), StoreError> {
    published::ask_if_news(node, turn, from, published);
    for entry in entries {
        node.heard_of(entry.log, entry.size, from);
        node.hold_against(turn, entry)?;
    }
    let own = node.me.log;
    let own_size = node.logs.get(&own).map_or(0, |state| state.tree.size());
    let ahead = entries.iter().any(|entry| entry.log == own && entry.size > own_size);
    if !ahead {
        node.author.heard(from);
    }
    // If it is ahead, the statements are fetched as any log's are. They come under a checkpoint of this log's own key, which shows that it was
    // signed further than this disk knows, and it is ended.
    Ok(())
}

impl<S: Store> Node<S> {
    /// Asks for a member's frontier cosignature if the one held is not over the frontier that it says to hold: gossip that was lost
    /// on the way is not said again.
    fn ask_for_cosignature(&mut self, of: MemberCode, frontier: Digest) {
        let held = self.peers.by_member.get(&of).and_then(|peer| peer.cosignature.as_ref());
        if !self.peers.is_asked(of, What::Frontier(of)) && held.is_none_or(|(_, root)| root.root != frontier) {
            self.ask(of, What::Frontier(of), &Request::Frontier { of });
        }
    }

    /// Asks a member now.
    pub(in crate::protocol) fn ask(&mut self, to: MemberCode, what: What, request: &Request) -> u64 {
        let (id, effect) = self.prepare(to, what, request);
        self.out.push(effect);
        id
    }

    /// Asks a member when what is staged is durable.
    pub(in crate::protocol) fn ask_durable(&mut self, to: MemberCode, what: What, request: &Request) {
        let (_, effect) = self.prepare(to, what, request);
        self.out.push_durable(effect);
    }

    fn prepare(&mut self, to: MemberCode, what: What, request: &Request) -> (u64, Effect) {
        let id = self.out.next_id();
        self.peers.requests.insert(id, Asked { to, what, since: None });
        (id, Effect::Request { to, id, bytes: request.encode() })
    }
}
