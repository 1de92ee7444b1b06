//! Every bound of the network, with the reason for each number.
//!
//! They are sized for at most 250 members and a low rate of records. What an operator may need to change is copied
//! into [`Limits`](super::Limits); the rest is fixed here.

use std::time::Duration;

// --- Bytes ---------------------------------------------------------------------------------------------------------

/// Largest gossip payload, in bytes: a checkpoint and its newest statements. What is larger is pulled.
pub const GOSSIP_BYTES: usize = 16 * 1024;

/// Largest gossip frame on the wire, in bytes: the payload, the topic name (under 100 bytes) and the framing.
pub const GOSSIP_FRAME_BYTES: usize = GOSSIP_BYTES + 1024;

/// Largest request or response, in bytes: a sync chunk of 1 MiB and room for its proofs and headers.
pub const FRAME_BYTES: usize = 1024 * 1024 + 64 * 1024;

/// What is allocated for a frame before its bytes arrive, so that a length prefix alone costs us nothing.
pub const FRAME_FIRST_BYTES: usize = 64 * 1024;

/// Requests waiting for a free place, in bytes over all peers: beyond it, new ones fail at once.
pub const WAITING_BYTES: usize = 64 * 1024 * 1024;

// --- Queues --------------------------------------------------------------------------------------------------------

/// Commands on the way to the network task.
pub const COMMAND_QUEUE: usize = 1024;

/// Events on the way to the node. Full of gossip it holds 16 MiB; requests are bounded by [`SERVED_TOTAL`].
pub const EVENT_QUEUE: usize = 1024;

/// Undelivered events that must not be lost. When so many wait, commands are no longer read.
pub const BACKLOG: usize = 1024;

/// Gossip frames waiting on one connection; at 17 KiB each, 8 MiB for a peer that does not read.
pub const GOSSIP_QUEUE: usize = 512;

// --- Requests ------------------------------------------------------------------------------------------------------

/// Requests on their way to one peer. Four hide a round trip of 100 ms at 40 MiB/s; more only fills queues.
pub const IN_FLIGHT_PER_PEER: usize = 4;

/// Requests on their way to all peers: bounds the memory that their answers can need to 68 MiB.
pub const IN_FLIGHT_TOTAL: usize = 64;

/// Requests waiting for one peer, beyond those in flight.
pub const WAITING_PER_PEER: usize = 256;

/// Requests of one peer that we serve at the same time. Twice what an honest peer sends, because it counts a request as
/// done when the answer has arrived, and we only when the stream is closed.
pub const SERVED_PER_PEER: usize = 2 * IN_FLIGHT_PER_PEER;

/// Requests that we serve at the same time for all peers: 68 MiB at most.
pub const SERVED_TOTAL: usize = 64;

/// The least that must pass on a stream on which a frame is under way, in bytes per second: who is slower than this is no line but
/// a trick to hold a place.
pub const PROGRESS_BYTES_PER_SECOND: u64 = 1024;

/// How long nothing need pass, at first: a round trip over a bad line, and more.
pub const PROGRESS_GRACE: Duration = Duration::from_secs(5);

/// From asking to the last byte of the answer: 1 MiB at 300 kbit/s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

// --- Rates, per peer -----------------------------------------------------------------------------------------------

/// Gossip messages per second from one peer. 250 members cosign once a second or less; a mesh peer may relay them all.
pub const GOSSIP_PER_SECOND: u64 = 500;

/// Gossip messages that one peer may send at once, as after a partition.
pub const GOSSIP_BURST: u64 = 2_000;

/// Requests per second from one peer. Far above bulk sync (100 chunks of 1 MiB fill a 1 Gbit/s line) and body pushes (at
/// most 2,000 appends per second): sync is bounded by the requests in flight, this stops only floods of tiny ones.
pub const REQUESTS_PER_SECOND: u64 = 5_000;

/// Requests that one peer may send at once.
pub const REQUEST_BURST: u64 = 10_000;

/// Reports of refused outsiders per second: an outsider must not be able to fill the journal.
pub const REFUSALS_PER_SECOND: u64 = 1;

/// Reports of refused outsiders at once.
pub const REFUSAL_BURST: u64 = 10;

// --- Connections ---------------------------------------------------------------------------------------------------

/// Inbound connections in handshake.
pub const PENDING_INBOUND: u32 = 256;

/// Of these, places kept for addresses that the charter names, so that outsiders can never take all.
pub const PENDING_RESERVED: u32 = 64;

/// Outbound connections in handshake. Counted apart from inbound ones, so that nobody can keep us from dialling.
pub const PENDING_OUTBOUND: u32 = 32;

/// Inbound connections in handshake from one address (one /64 in IPv6). With 200 idle sockets from one address and no
/// such bound, members were kept out for ten seconds; with it they connect within milliseconds.
pub const PENDING_PER_ADDRESS: u32 = 8;

/// The same for one /24 (one /48 in IPv6).
pub const PENDING_PER_SUBNET: u32 = 32;

/// Connections kept to one peer. Both sides may dial at the same moment; the newest two stay.
pub const CONNECTIONS_PER_PEER: usize = 2;

/// Connections to one peer before the oldest is cut. Two more than are kept, so that a peer that was restarted is let in
/// while its dead connections are still being noticed.
pub const CONNECTIONS_PER_PEER_AT_MOST: u32 = CONNECTIONS_PER_PEER as u32 + 2;

/// From the first packet to an authenticated, multiplexed connection.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection without open streams is kept. Whoever is connected is a member and answers pings; cutting an
/// idle member would only make both sides dial again.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Between two pings; a ping that fails ends the connection.
pub const PING_INTERVAL: Duration = Duration::from_secs(15);

/// How long a ping may take.
pub const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Inbound streams of one connection that are still negotiating their protocol.
pub const NEGOTIATING_STREAMS: usize = 32;

/// Streams of one connection: pings, two for gossip, and the requests in both directions.
pub const STREAMS: u32 = 32;

/// QUIC: unread bytes on one stream, that is one chunk.
pub const QUIC_STREAM_BYTES: u32 = 1024 * 1024;

/// QUIC: unread bytes on one connection, that is the requests in flight.
pub const QUIC_CONNECTION_BYTES: u32 = 4 * 1024 * 1024;

/// Share of the memory that this process may have, in per cent, above which no new connection is made.
pub const MEMORY_PERCENT: u64 = 60;

// --- Dialling again ------------------------------------------------------------------------------------------------

/// First wait before a peer is dialled again.
pub const REDIAL_FIRST: Duration = Duration::from_millis(500);

/// Longest wait before a peer is dialled again: a member that returns is back within half a minute.
pub const REDIAL_LONGEST: Duration = Duration::from_secs(30);

/// A connection that lasted so long was good, and the wait starts small again. One that is cut at once (the peer does not
/// know us yet) does not reset it, else both sides would dial twice a second for ever.
pub const REDIAL_STABLE: Duration = Duration::from_secs(10);

/// Of two members that learn of each other at the same time, the one with the larger key waits so long before it
/// dials, so that there is one connection and not two.
pub const DIAL_COURTESY: Duration = Duration::from_millis(250);

/// How long the task waits at shutdown for its connections to close.
pub const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);
