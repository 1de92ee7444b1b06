//! How many connections may be in handshake from one address.
//!
//! A handshake that never ends holds a place until it times out. Without a bound per address, one machine with 200 idle
//! sockets keeps every member out; libp2p's own limits count only the total.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::ListenFailure;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::Limits;

/// The behaviour that denies inbound connections over the bound.
#[derive(Debug)]
pub(super) struct AddressCap {
    counts: Counts,
    pending: BTreeMap<ConnectionId, IpAddr>,
}

impl AddressCap {
    pub(super) fn new(limits: &Limits, exempt_loopback: bool) -> Self {
        let counts = Counts {
            total: limits.pending_inbound,
            reserved: limits.pending_reserved,
            per_address: limits.pending_per_address,
            per_subnet: limits.pending_per_subnet,
            exempt_loopback,
            known: BTreeSet::new(),
            strangers: 0,
            addresses: BTreeMap::new(),
            subnets: BTreeMap::new(),
        };
        AddressCap { counts, pending: BTreeMap::new() }
    }

    /// The addresses of peers; a share of the places is kept for them.
    pub(super) fn set_known<'a>(&mut self, addresses: impl Iterator<Item = &'a Multiaddr>) {
        let known = addresses.filter_map(ip).map(address_of).collect();
        // Who is counted as a stranger may change: count again.
        self.counts.known = known;
        self.counts.strangers = 0;
        for ip in self.pending.values() {
            self.counts.strangers += u32::from(!self.counts.known.contains(&address_of(*ip)));
        }
    }

    fn release(&mut self, connection: ConnectionId) {
        if let Some(ip) = self.pending.remove(&connection) {
            self.counts.release(ip);
        }
    }
}

/// Too many connections in handshake from one address, from its neighbourhood, or from strangers altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMany {
    Address,
    Subnet,
    Strangers,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TooMany::Address => "too many connections in handshake from this address",
            TooMany::Subnet => "too many connections in handshake from this subnet",
            TooMany::Strangers => "too many connections in handshake from unknown addresses",
        })
    }
}

impl std::error::Error for TooMany {}

/// The counting, apart from libp2p.
#[derive(Debug)]
struct Counts {
    total: u32,
    reserved: u32,
    per_address: u32,
    per_subnet: u32,
    exempt_loopback: bool,
    known: BTreeSet<IpAddr>,
    strangers: u32,
    addresses: BTreeMap<IpAddr, u32>,
    subnets: BTreeMap<IpAddr, u32>,
}

impl Counts {
    fn admit(&mut self, ip: IpAddr) -> Result<(), TooMany> {
        let (address, subnet) = (address_of(ip), subnet_of(ip));
        let exempt = self.exempt_loopback && address.is_loopback();
        let count = |counts: &BTreeMap<IpAddr, u32>, key| counts.get(key).copied().unwrap_or(0);
        if !exempt && count(&self.addresses, &address) >= self.per_address {
            return Err(TooMany::Address);
        }
        if !exempt && count(&self.subnets, &subnet) >= self.per_subnet {
            return Err(TooMany::Subnet);
        }
        let known = self.known.contains(&address);
        if !known && self.strangers >= self.total.saturating_sub(self.reserved) {
            return Err(TooMany::Strangers);
        }
        self.strangers += u32::from(!known);
        *self.addresses.entry(address).or_default() += 1;
        *self.subnets.entry(subnet).or_default() += 1;
        Ok(())
    }

    fn release(&mut self, ip: IpAddr) {
        let (address, subnet) = (address_of(ip), subnet_of(ip));
        if !self.known.contains(&address) {
            self.strangers = self.strangers.saturating_sub(1);
        }
        for (counts, key) in [(&mut self.addresses, address), (&mut self.subnets, subnet)] {
            if let Some(count) = counts.get_mut(&key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    counts.remove(&key);
                }
            }
        }
    }
}

/// What counts as one address: in IPv6 a /64, which every single host can use in full.
fn address_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) if ip.is_loopback() => IpAddr::V6(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

/// A /24 in IPv4, a /48 in IPv6.
fn subnet_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 80))),
    }
}

fn ip(address: &Multiaddr) -> Option<IpAddr> {
    let first = address.iter().next()?;
    if let Protocol::Ip4(ip) = first {
        Some(IpAddr::V4(ip))
    } else if let Protocol::Ip6(ip) = first {
        Some(IpAddr::V6(ip))
    } else {
        None
    }
}

impl NetworkBehaviour for AddressCap {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        // Every transport in use has an address of this form; without one there is nothing to count.
        let Some(ip) = ip(remote) else { return Ok(()) };
        self.counts.admit(ip).map_err(ConnectionDenied::new)?;
        self.pending.insert(connection, ip);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.release(connection);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _connection: ConnectionId,
        _peer: PeerId,
        _address: &Multiaddr,
        _role: Endpoint,
        _port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if let FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) = event {
            self.release(connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(exempt_loopback: bool) -> AddressCap {
        AddressCap::new(&Limits::default(), exempt_loopback)
    }

    fn admitted(counts: &mut Counts, addresses: impl Iterator<Item = String>) -> usize {
        addresses.filter(|ip| counts.admit(ip.parse().unwrap()).is_ok()).count()
    }

    #[test]
    fn one_address_gets_eight_places_and_its_subnet_thirty_two() {
        let mut counts = cap(false).counts;
        assert_eq!(admitted(&mut counts, (0..200).map(|_| "192.0.2.7".into())), 8);
        assert_eq!(counts.admit("192.0.2.7".parse().unwrap()), Err(TooMany::Address));
        assert_eq!(admitted(&mut counts, (8..250).map(|n| format!("192.0.2.{n}"))), 24);
        assert_eq!(counts.admit("192.0.2.251".parse().unwrap()), Err(TooMany::Subnet));
        // An IPv4 address in IPv6 clothes is the same address.
        assert_eq!(counts.admit("::ffff:192.0.2.7".parse().unwrap()), Err(TooMany::Address));
        assert!(counts.admit("198.51.100.1".parse().unwrap()).is_ok());
        // A place that is given back can be taken again.
        counts.release("192.0.2.7".parse().unwrap());
        assert!(counts.admit("192.0.2.7".parse().unwrap()).is_ok());
    }

    #[test]
    fn a_host_with_a_whole_ipv6_network_counts_as_one() {
        let mut counts = cap(false).counts;
        assert_eq!(admitted(&mut counts, (0..200).map(|n| format!("2001:db8:1:1::{n:x}"))), 8);
        assert_eq!(admitted(&mut counts, (2..200).map(|n| format!("2001:db8:1:{n:x}::1"))), 24);
    }

    #[test]
    fn strangers_cannot_take_the_places_of_peers() {
        let mut cap = cap(false);
        cap.set_known(["/ip4/203.0.113.5/udp/4433/quic-v1".parse().unwrap()].iter());
        let everywhere = (0..250).map(|n| format!("10.0.{n}.1"));
        assert_eq!(admitted(&mut cap.counts, everywhere), 192);
        assert_eq!(cap.counts.admit("10.9.9.9".parse().unwrap()), Err(TooMany::Strangers));
        assert!(cap.counts.admit("203.0.113.5".parse().unwrap()).is_ok());
    }

    #[test]
    fn loopback_is_exempt_when_so_configured() {
        let loopback = || (0..100).map(|_| "127.0.0.1".to_owned());
        assert_eq!(admitted(&mut cap(true).counts, loopback()), 100);
        assert_eq!(admitted(&mut cap(false).counts, loopback()), 8);
    }

    #[test]
    fn nothing_is_left_when_all_are_released() {
        let mut counts = cap(false).counts;
        for _ in 0..8 {
            counts.admit("192.0.2.7".parse().unwrap()).unwrap();
        }
        for _ in 0..8 {
            counts.release("192.0.2.7".parse().unwrap());
        }
        assert!(counts.addresses.is_empty() && counts.subnets.is_empty() && counts.strangers == 0);
    }
}
