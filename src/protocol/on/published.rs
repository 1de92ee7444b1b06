//! The charter file travels in parts: with many members it is longer than one message.

use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::identity::Published;
use crate::identity::published::FILE_BYTES_MAX;
use crate::ledger::{Store, StoreError};
use crate::protocol::message::{Request, Response};
use crate::protocol::peers::What;
use crate::protocol::{Node, Refusal, Turn, limits};

/// A charter file of which parts have come.
#[derive(Debug)]
pub(in crate::protocol) struct Incoming {
    from: MemberCode,
    size: u64,
    bytes: Vec<u8>,
}

/// Asks a member for its charter file, from the start.
fn ask<S: Store>(node: &mut Node<S>, of: MemberCode) {
    if !node.peers.is_asked(of, What::Published) {
        node.ask(of, What::Published, &Request::Published { from: 0 });
    }
}

/// Asks a member for its charter file, if it says to know something else than what is known here, and has not told all of that
/// already.
pub(super) fn ask_if_news<S: Store>(node: &mut Node<S>, turn: &Turn, of: MemberCode, theirs: Digest) {
    let own = node.published_digest();
    let peer = node.peers.entry(of);
    if theirs == own || peer.told == Some([theirs, own]) {
        return;
    }
    // Who says something else each time does not set the pace.
    if node.peers.entry(of).files.take(limits::FILES_ASKED, turn.now) {
        node.peers.entry(of).asking = Some(theirs);
        ask(node, of);
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
    let taken = node.take_up(turn, news)?;
    let known = node.published_digest();
    let entry = node.peers.entry(from);
    entry.told = entry.asking.map(|asked| [asked, known]);
    // What is left are proofs, or what this node will not take up.
    if entry.asking != Some(known) && !node.peers.is_asked(from, What::Splits) {
        node.ask(from, What::Splits, &Request::Splits);
    }
    match taken {
        Err(_) => Ok(Err(Refusal::Unproved)),
        Ok(taken) => {
            if taken.is_news {
                // What it told of logs that were not known here was passed over.
                node.say_hello(from);
            }
            Ok(Ok(()))
        }
    }
}
