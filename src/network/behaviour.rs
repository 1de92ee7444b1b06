//! The protocols of a node, and what admits or denies a connection.

use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, allow_block_list, connection_limits, memory_connection_limits, ping};

use data_encoding::HEXLOWER;

use super::NetworkError;
use super::address_cap::AddressCap;
use super::codec::Frames;
use super::config::{Config, Limits};
use super::gossip::{self, Gossip};
use super::limits;

/// Everything that runs on a connection. The order matters: libp2p asks the parts from first to last and stops at the
/// first that denies, and the protocols must not prepare anything for a connection that is denied.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) address_cap: AddressCap,
    pub(super) allowed: allow_block_list::Behaviour<allow_block_list::AllowedPeers>,
    pub(super) limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    ping: ping::Behaviour,
    pub(super) gossip: Gossip,
    /// Requests to us. Apart from `client`, so that a peer's requests can never take the streams of ours.
    pub(super) server: request_response::Behaviour<Frames>,
    /// Requests of ours.
    pub(super) client: request_response::Behaviour<Frames>,
}

impl Behaviour {
    pub(super) fn new(config: &Config) -> Result<Self, NetworkError> {
        let frames = Frames { limit: config.limits.frame_bytes };
        let requests = |support, streams| {
            let options = request_response::Config::default()
                .with_request_timeout(config.limits.request_timeout)
                .with_max_concurrent_streams(streams);
            request_response::Behaviour::with_codec(
                frames.clone(),
                [(sync_protocol(&config.federation), support)],
                options,
            )
        };
        let ping = ping::Config::new().with_interval(config.limits.ping_interval).with_timeout(limits::PING_TIMEOUT);
        Ok(Behaviour {
            address_cap: AddressCap::new(&config.limits, config.exempt_loopback),
            allowed: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(connection_limits(&config.limits, 0)),
            memory: memory_limit(config.limits.memory_bytes),
            ping: ping::Behaviour::new(ping),
            gossip: gossip::behaviour(&config.federation)?,
            server: requests(ProtocolSupport::Inbound, limits::SERVED_PER_PEER),
            client: requests(ProtocolSupport::Outbound, limits::IN_FLIGHT_PER_PEER),
        })
    }
}

/// The limits for so many peers. Inbound and outbound have places of their own, so that inbound connections can never
/// keep this node from dialling the members that it chooses.
pub(super) fn connection_limits(limits: &Limits, peers: usize) -> connection_limits::ConnectionLimits {
    let peers = u32::try_from(peers).unwrap_or(u32::MAX / 8);
    // Two for every peer, and room for those that replace a dead one.
    let each_way = peers.saturating_mul(2).saturating_add(8);
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.pending_inbound))
        .with_max_pending_outgoing(Some(limits.pending_outbound))
        .with_max_established_incoming(Some(each_way))
        .with_max_established_outgoing(Some(each_way))
        .with_max_established(Some(each_way.saturating_mul(2)))
        .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER_AT_MOST))
}

/// `/shieldwall/sync/1/` and the first 16 digits of the federation id: enough to tell federations apart.
fn sync_protocol(federation: &[u8; 32]) -> StreamProtocol {
    let name = format!("/shieldwall/sync/1/{}", HEXLOWER.encode(&federation[..8]));
    StreamProtocol::try_from_owned(name).expect("the name starts with a slash")
}

fn memory_limit(bytes: Option<u64>) -> memory_connection_limits::Behaviour {
    use memory_connection_limits::Behaviour;
    let share = |bytes: u64| bytes / 100 * limits::MEMORY_PERCENT;
    // Control groups version 2; "max" where there is no limit.
    let control_group = || std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok()?.trim().parse().ok();
    match bytes.or_else(|| control_group().map(share)) {
        Some(bytes) => Behaviour::with_max_bytes(usize::try_from(bytes).unwrap_or(usize::MAX)),
        None => Behaviour::with_max_percentage(limits::MEMORY_PERCENT as f64 / 100.0),
    }
}
