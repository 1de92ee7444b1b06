//! What the network is told when it starts.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use super::limits;

/// How to start the network.
pub struct Config {
    /// The secret half of this node's transport key (Ed25519 seed, RFC 8032 §5.1.5). It signs nothing but handshakes.
    pub transport_secret: Zeroizing<[u8; 32]>,
    /// Multiaddresses to listen on: `/ip4/0.0.0.0/udp/4433/quic-v1`, `/ip4/0.0.0.0/tcp/4433`. May be empty: such a node
    /// only dials.
    pub listen: Vec<String>,
    /// The federation id; it names the gossip topic and the sync protocol, so that two federations never mix.
    pub federation: [u8; 32],
    /// Bounds that an operator or a test may change.
    pub limits: Limits,
    /// Whether loopback addresses are exempt from the counts per address. For the demo and for tests, where every member
    /// has the same address.
    pub exempt_loopback: bool,
    /// A request with these bytes makes the network panic: to see that the node survives it. Not in a release.
    #[cfg(any(test, feature = "simulate"))]
    pub trip_wire: Option<&'static [u8]>,
}

impl Config {
    /// A configuration with the default limits, for a node that listens on `listen`.
    pub fn new(transport_secret: Zeroizing<[u8; 32]>, federation: [u8; 32], listen: Vec<String>) -> Self {
        Config {
            transport_secret,
            listen,
            federation,
            limits: Limits::default(),
            exempt_loopback: false,
            #[cfg(any(test, feature = "simulate"))]
            trip_wire: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("limits", &self.limits)
            .field("exempt_loopback", &self.exempt_loopback)
            .finish_non_exhaustive()
    }
}

/// Bounds that an operator or a test may change; the defaults and their reasons are in [`limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Inbound connections in handshake.
    pub pending_inbound: u32,
    /// Of these, places kept for the addresses of peers.
    pub pending_reserved: u32,
    /// Outbound connections in handshake.
    pub pending_outbound: u32,
    /// Inbound connections in handshake from one address (one /64 in IPv6).
    pub pending_per_address: u32,
    /// Inbound connections in handshake from one /24 (one /48 in IPv6).
    pub pending_per_subnet: u32,
    /// Largest request or response, in bytes.
    pub frame_bytes: usize,
    /// From the first packet to an authenticated connection.
    pub connection_timeout: Duration,
    /// From asking to the last byte of the answer.
    pub request_timeout: Duration,
    /// Between two pings.
    pub ping_interval: Duration,
    /// Resident memory of this process, in bytes, above which no new connection is made. `None`: 60 % of what the
    /// control group allows, else of the machine.
    pub memory_bytes: Option<u64>,
}

impl Limits {
    /// The default limits for a process that may have so many files open. Connections in handshake get a quarter of them at most: members,
    /// segments and commands need the rest.
    #[must_use]
    pub fn within(open_files: u64) -> Self {
        let share = u32::try_from(open_files / 4).unwrap_or(u32::MAX).max(4);
        let pending_inbound = limits::PENDING_INBOUND.min(share);
        Limits {
            pending_inbound,
            pending_reserved: limits::PENDING_RESERVED.min(pending_inbound / 4),
            pending_outbound: limits::PENDING_OUTBOUND.min(share),
            ..Limits::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            pending_inbound: limits::PENDING_INBOUND,
            pending_reserved: limits::PENDING_RESERVED,
            pending_outbound: limits::PENDING_OUTBOUND,
            pending_per_address: limits::PENDING_PER_ADDRESS,
            pending_per_subnet: limits::PENDING_PER_SUBNET,
            frame_bytes: limits::FRAME_BYTES,
            connection_timeout: limits::CONNECTION_TIMEOUT,
            request_timeout: limits::REQUEST_TIMEOUT,
            ping_interval: limits::PING_INTERVAL,
            memory_bytes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_open_few_files_takes_few_connections() {
        assert_eq!(Limits::within(65_536), Limits::default());
        assert_eq!(Limits::within(1_024), Limits::default());
        let few = Limits::within(64);
        assert_eq!((few.pending_inbound, few.pending_reserved, few.pending_outbound), (16, 4, 16));
    }
}
