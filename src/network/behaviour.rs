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
use super::trace::{Marker, Trace};

/// Everything that runs on a connection. The order matters: libp2p asks the parts from first to last and stops at the
/// first that denies, and the protocols must not prepare anything for a connection that is denied.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    trace: Marker,
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
    pub(super) fn new(config: &Config, trace: &Trace) -> Result<Self, NetworkError> {
        let frames = Frames::new(config);
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
            trace: Marker(trace.clone()),
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
    match bytes.or_else(|| control_group_memory().map(share)) {
        Some(bytes) => Behaviour::with_max_bytes(usize::try_from(bytes).unwrap_or(usize::MAX)),
        None => Behaviour::with_max_percentage(limits::MEMORY_PERCENT as f64 / 100.0),
    }
}

/// The memory that the control group of this process may have: the least of the group and those around it.
fn control_group_memory() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    control_group_files(&groups)
        .iter()
        // "max" where there is no limit.
        .filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok())
        .min()
}

/// Where the limits of these groups are said to be: `0::/path` in version 2, `7:memory:/path` in version 1.
fn control_group_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (root, name) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|one| one == "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            files.push(format!("{root}{path}/{name}"));
            let Some((parent, _)) = path.rsplit_once('/') else { break };
            path = parent;
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_limit_is_looked_for_in_the_own_group_and_those_around_it() {
        let files = control_group_files("7:memory:/a\n3:cpu,cpuacct:/a\n0::/system.slice/node.service\n");
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/system.slice/node.service/memory.max",
                "/sys/fs/cgroup/system.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        assert_eq!(control_group_files("0::/"), ["/sys/fs/cgroup/memory.max"]);
    }
}
