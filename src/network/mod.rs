//! Moves opaque bytes between authorised members; the only place where libp2p is named.
//!
//! It knows nothing of records, statements or charters: the node tells it who the peers are ([`Command::SetPeers`]) and
//! what to send, and gets [`Event`]s. It never decides what a message is worth, never blocks on the node, and never
//! reads from a connection before the peer at its end is known to be one of the peers set.
//!
//! ```text
//!            Command                      ┌───────────── one tokio task ────────────┐
//!   node ──▶ Handle ──▶ bounded channel ─▶│ swarm: the loop     redial: whom to dial │──▶ QUIC, TCP
//!        ◀── Receiver ◀ bounded channel ◀─│ outlet: backlog     outbox, inbox        │◀──
//!            Event                        └─ behaviour: address cap, allow list, ────┘
//!                                            limits, ping, gossip, requests
//! ```
//!
//! Start reading at [`Command`] and [`Event`], then the loop in `swarm.rs`. All bounds, with their reasons, are in
//! [`limits`]; who is let in is decided in `behaviour.rs` and `address_cap.rs`.

mod address_cap;
mod behaviour;
mod bucket;
mod codec;
mod config;
mod counters;
mod error;
mod event;
mod gossip;
mod inbox;
pub mod limits;
mod outbox;
mod outlet;
mod peer_id;
mod redial;
mod swarm;
#[cfg(test)]
mod tests;
mod trace;
mod transport;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use config::{Config, Limits};
pub use counters::Counters;
pub use error::NetworkError;
pub use event::{Command, Event, Peer, RequestFailure, ResponseId, Verdict};
pub use gossip::GossipId;
pub use peer_id::TransportKey;

/// The node's end of the network: takes commands. When the last clone is dropped, the network shuts down.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    tally: Arc<counters::Tally>,
    trace: trace::Trace,
}

impl Handle {
    /// Hands over a command at once, or gives it back if the queue is full or the network has ended.
    ///
    /// # Errors
    /// The command, if it was not taken.
    pub fn try_send(&self, command: Command) -> Result<(), Command> {
        self.commands.try_send(command).map_err(mpsc::error::TrySendError::into_inner)
    }

    /// Hands over a command, waiting for room. Read events meanwhile: with a full backlog of unread events the network
    /// takes no commands.
    ///
    /// # Errors
    /// The command, if the network has ended.
    pub async fn send(&self, command: Command) -> Result<(), Command> {
        self.commands.send(command).await.map_err(|error| error.0)
    }

    /// What has been turned away so far.
    pub fn counters(&self) -> Counters {
        self.tally.read()
    }

    /// If the network has ended by itself: the peer whose bytes it was most likely working on.
    pub fn suspect(&self) -> Option<TransportKey> {
        self.trace.suspect()
    }
}

/// Refuses to go on if the environment variable `SSLKEYLOGFILE` is set: the TLS library would write the secrets of every
/// session to that file. `main` calls this first; [`start`] does so again.
///
/// # Errors
/// [`NetworkError::KeyLog`] if the variable is set, to whatever value.
pub fn refuse_key_log() -> Result<(), NetworkError> {
    match std::env::var_os("SSLKEYLOGFILE") {
        Some(_) => Err(NetworkError::KeyLog),
        None => Ok(()),
    }
}

/// Checks that a multiaddress can be listened at or dialled: an IP address with `udp/…/quic-v1` or `tcp/…`. For a config
/// or a manifest, before it is used.
///
/// # Errors
/// [`NetworkError::BadAddress`] with what is wrong.
pub fn check_address(text: &str) -> Result<(), NetworkError> {
    transport::parse(text).map(|_| ())
}

/// Listens, and starts the one task that owns the network. Nobody may connect before [`Command::SetPeers`]. Must be
/// called inside a tokio runtime. The task ends at [`Command::Shutdown`], or when the handles or the receiver are
/// dropped. If it ends otherwise, libp2p has panicked: start it again, after a wait that grows; nothing but connections
/// is lost.
///
/// # Errors
/// [`NetworkError`] if the environment, the key or an address is no good.
pub fn start(config: &Config) -> Result<(Handle, mpsc::Receiver<Event>, JoinHandle<()>), NetworkError> {
    refuse_key_log()?;
    let trace = trace::Trace::default();
    let swarm = transport::listen(config, &trace)?;
    let (commands, commands_out) = mpsc::channel(limits::COMMAND_QUEUE);
    let (events_in, events) = mpsc::channel(limits::EVENT_QUEUE);
    let tally = Arc::new(counters::Tally::default());
    let task = swarm::Task::new(config, swarm, commands_out, events_in, Arc::clone(&tally), trace.clone());
    Ok((Handle { commands, tally, trace }, events, tokio::spawn(task.run())))
}
