//! The charter file travels in parts: with many members it is longer than one message.

use crate::encoding::ids::MemberCode;
use crate::identity::manifest::ManifestError;
use crate::identity::published::FILE_BYTES_MAX;
use crate::identity::{Federation, FederationError, Published};
use crate::ledger::{Frame, Key, Store, StoreError};
use crate::protocol::message::{Request, Response};
use crate::protocol::peers::What;
use crate::protocol::{Effect, Event, Node, Refusal, Turn, limits};

/// A charter file of which parts have come.
#[derive(Debug)]
pub(in crate::protocol) struct Incoming {
    from: MemberCode,
    size: u64,
    bytes: Vec<u8>,
}

/// Asks a member for its charter file, from the start.
pub(super) fn ask<S: Store>(node: &mut Node<S>, of: MemberCode) {
    if !node.peers.is_asked(of, What::Published) {
        node.ask(of, What::Published, &Request::Published { from: 0 });
    }
}

/// Answers with the part of the file that begins at `from`.
pub(super) fn part<S: Store>(node: &Node<S>, from: u64) -> Response {
    let Ok(file) = node.federation.published().encode() else { return Response::Nothing };
    let start = usize::try_from(from).unwrap_or(usize::MAX);
    let Some(rest) = file.get(start..).filter(|rest| !rest.is_empty()) else { return Response::Nothing };
    let part = rest[..rest.len().min(limits::CHUNK_BYTES_MAX)].to_vec();
    Response::Published { size: file.len() as u64, from, part }
}

/// Takes a part; asks for the next, or takes up the file when it is whole.
pub(super) fn take<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    size: u64,
    start: u64,
    part: &[u8],
) -> Result<Result<(), Refusal>, StoreError> {
    if size > FILE_BYTES_MAX as u64 || part.is_empty() {
        return Ok(Err(Refusal::TooLarge));
    }
    if start == 0 {
        node.peers.incoming = Some(Incoming { from, size, bytes: Vec::new() });
    }
    let fits = |incoming: &Incoming| {
        incoming.from == from
            && incoming.size == size
            && incoming.bytes.len() as u64 == start
            && start + part.len() as u64 <= size
    };
    let Some(mut incoming) = node.peers.incoming.take().filter(fits) else {
        // The file changed at its holder meanwhile, or another member's is on its way: the next comparison asks anew.
        return Ok(Ok(()));
    };
    incoming.bytes.extend(part);
    let held = incoming.bytes.len() as u64;
    if held == size {
        return take_file(node, turn, from, &incoming.bytes);
    }
    node.peers.incoming = Some(incoming);
    node.ask(from, What::Published, &Request::Published { from: held });
    Ok(Ok(()))
}

fn take_file<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    from: MemberCode,
    file: &[u8],
) -> Result<Result<(), Refusal>, StoreError> {
    let Ok(news) = Published::decode(file) else { return Ok(Err(Refusal::Form)) };
    match without_rivals(&node.federation, news) {
        Err(_) => Ok(Err(Refusal::Unproved)),
        Ok(None) => Ok(Ok(())),
        Ok(Some(federation)) => {
            let bytes = federation.published().encode().map_err(|_| StoreError::Damaged {
                what: "the charter file, which cannot be encoded again".to_owned(),
            })?;
            node.store.stage(Frame { key: Key::Published, at: turn.now.time(), bytes })?;
            let version = federation.charter().version();
            node.federation = federation;
            node.author.lanes_settled = None;
            node.out.push_durable(Effect::Members);
            node.out.push_durable(Effect::Event(Event::Members { version }));
            // What it told of logs that were not known here was passed over.
            node.say_hello(from);
            Ok(Ok(()))
        }
    }
}

/// What is newer in `news`. A member that signed two manifests of one version, for two halves, must not keep these from ever
/// telling each other anything again: of such a member each keeps what it holds.
fn without_rivals(federation: &Federation, mut news: Published) -> Result<Option<Federation>, FederationError> {
    loop {
        match federation.with_published(news.clone()) {
            Err(FederationError::Manifest(ManifestError::Rival(rivals))) => {
                let member = rivals.0.manifest().member();
                if news.manifests.remove(&member).is_none() {
                    return Err(ManifestError::Rival(rivals).into());
                }
            }
            done => return done,
        }
    }
}
