//! A newcomer's first question: the charter file, asked of one node whose address and PeerId it was given, and nothing else.
//!
//! Nothing that comes is believed before it is verified against the federation's id, which is the digest of the charter's first
//! version. What is taken is bounded: one file of at most 8 MiB, and the caller bounds the time.

use tokio::sync::mpsc;

use crate::encoding::ids::FederationId;
use crate::identity::published::{FILE_BYTES_MAX, PublishedError};
use crate::identity::{Federation, FederationError, Published};
use crate::network::{self, Command, Event, Handle, NetworkError, Peer, RequestFailure, Verdict};
use crate::protocol::message::{Request, Response};

/// Times that the node may close the connection before it is believed that it does not admit this one.
const CLOSINGS: u64 = 3;
/// Questions asked at most: parts of a file have 1 MiB, and it may change at its holder meanwhile.
const QUESTIONS: u64 = 64;

/// Why no charter was fetched.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The network cannot be started.
    #[error("the network cannot start")]
    Network(#[from] NetworkError),
    /// The network ended.
    #[error("the network ended by itself")]
    Ended,
    /// The node does not admit this one.
    #[error(
        "{0} closes the connection: the charter that admits this member has not reached it yet, or names another transport key"
    )]
    NotAdmitted(String),
    /// The node speaks for another federation.
    #[error("{0} does not speak for federation {1}")]
    OtherProtocol(String, FederationId),
    /// The node does not give what it should.
    #[error("{0} does not give its charter file: {1}")]
    Answer(String, &'static str),
    /// What came is no charter file.
    #[error("what came is no charter file")]
    Form(#[from] PublishedError),
    /// What came does not hold.
    #[error("the charter that came does not hold")]
    Refused(#[from] FederationError),
    /// What came is of another federation.
    #[error("the charter that came is of federation {found}, not of {wanted}")]
    AnotherFederation {
        /// Of which.
        found: FederationId,
        /// Of which it should be.
        wanted: FederationId,
    },
}

/// Fetches the charter file of the federation `wanted` from `peer`, and verifies it.
///
/// # Errors
/// [`JoinError`].
pub async fn fetch(config: &network::Config, peer: Peer, wanted: FederationId) -> Result<Federation, JoinError> {
    let (handle, mut events, _task) = network::start(config)?;
    let file = file(&handle, &mut events, peer, wanted).await;
    drop(handle.send(Command::Shutdown).await);
    let federation = Published::decode(&file?)?.verify()?;
    if federation.id() != wanted {
        return Err(JoinError::AnotherFederation { found: federation.id(), wanted });
    }
    Ok(federation)
}

async fn file(
    handle: &Handle,
    events: &mut mpsc::Receiver<Event>,
    peer: Peer,
    wanted: FederationId,
) -> Result<Vec<u8>, JoinError> {
    let (key, name) = (peer.key, peer.key.to_string());
    let send = async |command| handle.send(command).await.map_err(|_| JoinError::Ended);
    let ask = async |from: usize, id: u64| {
        let bytes = Request::Published { from: from as u64 }.encode();
        send(Command::Request { to: key, id, bytes }).await
    };
    send(Command::SetPeers(vec![peer])).await?;
    let (mut file, mut asked, mut closed): (Vec<u8>, u64, u64) = (Vec::new(), 0, 0);
    loop {
        let event = events.recv().await.ok_or(JoinError::Ended)?;
        match event {
            Event::Connected { .. } => {
                file.clear();
                asked += 1;
                ask(0, asked).await?;
            }
            Event::Disconnected { .. } => {
                closed += 1;
                if closed >= CLOSINGS {
                    return Err(JoinError::NotAdmitted(name));
                }
            }
            Event::Response { id, bytes, .. } if id == asked => {
                let Ok(Response::Published { size, from, part }) = Response::decode(&bytes) else {
                    return Err(JoinError::Answer(name, "it answers with something else"));
                };
                if size > FILE_BYTES_MAX as u64 || part.is_empty() {
                    return Err(JoinError::Answer(name, "the file is too large, or a part of it empty"));
                }
                let follows = from == file.len() as u64 && from + part.len() as u64 <= size;
                // A file that has changed meanwhile is begun again.
                if follows {
                    file.extend(part)
                } else {
                    file.clear()
                }
                if follows && file.len() as u64 == size {
                    return Ok(file);
                }
                asked += 1;
                if asked > QUESTIONS {
                    return Err(JoinError::Answer(name, "it does not come to an end"));
                }
                ask(file.len(), asked).await?;
            }
            Event::RequestFailed { id, reason: RequestFailure::Unsupported, .. } if id == asked => {
                return Err(JoinError::OtherProtocol(name, wanted));
            }
            // With the connection it begins again.
            Event::RequestFailed { id, reason, .. } if id == asked => {
                tracing::warn!(peer = %name, %reason, "a question failed; trying again");
                send(Command::Disconnect(key)).await?;
            }
            // This node has nothing to tell yet.
            Event::Request { id, .. } => send(Command::Decline(id)).await?,
            Event::Gossip { id, .. } => send(Command::Verdict { message: id, verdict: Verdict::Ignore }).await?,
            Event::DialFailed { reason, .. } => {
                tracing::warn!(peer = %name, %reason, "could not connect; trying again")
            }
            Event::Response { .. } | Event::RequestFailed { .. } | Event::Listening(_) | Event::Refused { .. } => {}
        }
    }
}
