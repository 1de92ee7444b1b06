//! What the node asks of the network, and what the network tells the node.

use std::fmt;
use std::str::FromStr;

use super::{GossipId, NetworkError, TransportKey, check_address};

/// A peer that may connect, and where it can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its transport key.
    pub key: TransportKey,
    /// Its multiaddresses; empty for a member that only dials. Those that cannot be used are skipped with a log line.
    pub addresses: Vec<String>,
}

/// Reads an address with the PeerId that answers there, as an operator is given it by another member:
/// `/ip4/192.0.2.1/udp/4433/quic-v1/p2p/12D3Koo…`.
impl FromStr for Peer {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let Some((address, key)) = text.split_once("/p2p/") else {
            return Err(NetworkError::BadAddress {
                address: text.to_owned(),
                reason: "it names no /p2p/ peer id".into(),
            });
        };
        check_address(address)?;
        Ok(Peer { key: key.parse()?, addresses: vec![address.to_owned()] })
    }
}

/// What the node asks of the network.
pub enum Command {
    /// These peers, and no others, may be connected: others are cut at once, these are dialled until they are reached.
    SetPeers(Vec<Peer>),
    /// Gossip these bytes to all peers; at most [`limits::GOSSIP_BYTES`](super::limits::GOSSIP_BYTES).
    Publish(Vec<u8>),
    /// What became of a gossip message. Only accepted ones are passed on. Every message wants exactly one verdict.
    Verdict {
        /// The message.
        message: GossipId,
        /// What became of it.
        verdict: Verdict,
    },
    /// Ask a peer. Answered by exactly one [`Event::Response`] or [`Event::RequestFailed`] with the same id.
    Request {
        /// Whom to ask.
        to: TransportKey,
        /// Chosen by the node; comes back with the answer.
        id: u64,
        /// The question, at most [`limits::FRAME_BYTES`](super::limits::FRAME_BYTES).
        bytes: Vec<u8>,
    },
    /// Answer a peer's request. Without effect if the peer no longer waits.
    Respond {
        /// The request.
        id: ResponseId,
        /// The answer, at most [`limits::FRAME_BYTES`](super::limits::FRAME_BYTES).
        bytes: Vec<u8>,
    },
    /// Leave a peer's request without an answer: it sees the stream closed.
    Decline(ResponseId),
    /// Cut the connections to a peer. It may connect again, and is dialled again after a wait.
    Disconnect(TransportKey),
    /// Close all connections and end the task.
    Shutdown,
}

/// What the network tells the node.
#[derive(PartialEq, Eq)]
pub enum Event {
    /// This node can be reached at this multiaddress.
    Listening(String),
    /// A peer is connected; told once, for the first of its connections.
    Connected {
        /// The peer.
        peer: TransportKey,
        /// The multiaddress at its end.
        address: String,
        /// Whether this node dialled.
        outbound: bool,
    },
    /// A peer has no connection left.
    Disconnected {
        /// The peer.
        peer: TransportKey,
    },
    /// A gossip message that wants a [`Verdict`].
    Gossip {
        /// Who passed it on; not who wrote it.
        from: TransportKey,
        /// Its name in the verdict.
        id: GossipId,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// A peer's request that wants a [`Command::Respond`] or [`Command::Decline`].
    Request {
        /// Who asks.
        from: TransportKey,
        /// Its name in the answer.
        id: ResponseId,
        /// The question.
        bytes: Vec<u8>,
    },
    /// The answer to a request of this node.
    Response {
        /// Who answers.
        from: TransportKey,
        /// The id of the request.
        id: u64,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// A request of this node will not be answered. The peer may have received it all the same.
    RequestFailed {
        /// Who was asked.
        to: TransportKey,
        /// The id of the request.
        id: u64,
        /// Why.
        reason: RequestFailure,
    },
    /// A connection was denied and closed before it was read. Told at a bounded rate.
    Refused {
        /// The multiaddress at the other end.
        address: String,
        /// Why.
        reason: String,
    },
    /// A peer could not be reached; it is dialled again after a wait.
    DialFailed {
        /// The peer.
        peer: TransportKey,
        /// Why.
        reason: String,
    },
}

/// What became of a gossip message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Good: pass it on.
    Accept,
    /// Do not pass it on, and blame nobody: a duplicate, an unknown author, any fault of this node.
    Ignore,
    /// Do not pass it on, and blame the peer: it could have seen that the message is bad.
    Reject,
}

/// Names a request of a peer, until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResponseId(pub(super) u64);

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFailure {
    /// The peer is not connected.
    #[error("the peer is not connected")]
    NotConnected,
    /// The request is longer than a frame may be.
    #[error("the request is too long")]
    TooLong,
    /// Too many requests wait already.
    #[error("too many requests are waiting")]
    Busy,
    /// No answer came in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection was lost.
    #[error("the connection was lost")]
    ConnectionLost,
    /// The peer does not speak the protocol of this federation.
    #[error("the peer does not speak this protocol")]
    Unsupported,
    /// The peer closed the stream without an answer, or the answer was no good frame.
    #[error("the peer did not answer: {0}")]
    NoAnswer(String),
}

/// Shows lengths, never contents.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::SetPeers(peers) => write!(f, "SetPeers({})", peers.len()),
            Command::Publish(bytes) => write!(f, "Publish({} bytes)", bytes.len()),
            Command::Verdict { verdict, .. } => write!(f, "Verdict({verdict:?})"),
            Command::Request { to, id, bytes } => write!(f, "Request({to}, {id}, {} bytes)", bytes.len()),
            Command::Respond { id, bytes } => write!(f, "Respond({}, {} bytes)", id.0, bytes.len()),
            Command::Decline(id) => write!(f, "Decline({})", id.0),
            Command::Disconnect(peer) => write!(f, "Disconnect({peer})"),
            Command::Shutdown => f.write_str("Shutdown"),
        }
    }
}

/// Shows lengths, never contents.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Listening(address) => write!(f, "Listening({address})"),
            Event::Connected { peer, address, outbound } => {
                write!(f, "Connected({peer}, {address}, {})", if *outbound { "outbound" } else { "inbound" })
            }
            Event::Disconnected { peer } => write!(f, "Disconnected({peer})"),
            Event::Gossip { from, bytes, .. } => write!(f, "Gossip({from}, {} bytes)", bytes.len()),
            Event::Request { from, id, bytes } => write!(f, "Request({from}, {}, {} bytes)", id.0, bytes.len()),
            Event::Response { from, id, bytes } => write!(f, "Response({from}, {id}, {} bytes)", bytes.len()),
            Event::RequestFailed { to, id, reason } => write!(f, "RequestFailed({to}, {id}, {reason})"),
            Event::Refused { address, reason } => write!(f, "Refused({address}, {reason})"),
            Event::DialFailed { peer, reason } => write!(f, "DialFailed({peer}, {reason})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_read_from_its_address() {
        let key = TransportKey::of_secret(&[1; 32]);
        let peer: Peer = format!("/ip4/192.0.2.1/tcp/4433/p2p/{key}").parse().unwrap();
        assert_eq!(peer, Peer { key, addresses: vec!["/ip4/192.0.2.1/tcp/4433".into()] });
        for bad in ["/ip4/192.0.2.1/tcp/4433".to_owned(), format!("/p2p/{key}"), "/ip4/192.0.2.1/tcp/1/p2p/x".into()] {
            assert!(bad.parse::<Peer>().is_err(), "{bad}");
        }
    }

    #[test]
    fn contents_are_never_shown() {
        let event = Event::Response { from: TransportKey([1; 32]), id: 1, bytes: b"price".to_vec() };
        let command = Command::Publish(b"price".to_vec());
        assert!(!format!("{event:?}{command:?}").contains("112"));
        assert_eq!(format!("{command:?}"), "Publish(5 bytes)");
    }
}
