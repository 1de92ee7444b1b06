//! The transports: QUIC, then TCP with TLS 1.3, then TCP with Noise.
//!
//! QUIC and TLS agree on keys with X25519MLKEM768, so that what is recorded today stays closed; Noise does not, and is
//! there for peers that can do nothing else. No names are resolved, nobody is discovered, nothing is relayed.

use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, quic, tcp, tls, yamux};

use super::behaviour::Behaviour;
use super::error::causes;
use super::trace::Trace;
use super::{Config, NetworkError, limits, peer_id};

/// Builds the swarm and starts to listen. Must be called inside a tokio runtime.
pub(super) fn listen(config: &Config, trace: &Trace) -> Result<Swarm<Behaviour>, NetworkError> {
    let mut swarm = build(config, trace)?;
    for text in &config.listen {
        let address = parse(text)?;
        swarm
            .listen_on(address)
            .map_err(|error| NetworkError::Listen { address: text.clone(), reason: causes(&error) })?;
    }
    Ok(swarm)
}

/// Reads a multiaddress and refuses those that no transport here can use.
pub(super) fn parse(text: &str) -> Result<Multiaddr, NetworkError> {
    use libp2p::multiaddr::Protocol;
    let bad = |reason: &str| NetworkError::BadAddress { address: text.to_owned(), reason: reason.to_owned() };
    let address: Multiaddr = text.parse().map_err(|error: libp2p::multiaddr::Error| bad(&error.to_string()))?;
    let parts: Vec<_> = address.iter().collect();
    match parts.as_slice() {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)]
        | [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(_), Protocol::QuicV1] => Ok(address),
        [Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_), ..] => {
            Err(bad("names are not resolved; give the IP address"))
        }
        _ => Err(bad("it must be /ip4/…/udp/…/quic-v1, /ip4/…/tcp/… or the same with /ip6")),
    }
}

fn build(config: &Config, trace: &Trace) -> Result<Swarm<Behaviour>, NetworkError> {
    let behaviour = Behaviour::new(config, trace)?;
    let swarm = SwarmBuilder::with_existing_identity(peer_id::keypair(&config.transport_secret)?)
        .with_tokio()
        .with_tcp(tcp::Config::new(), (tls::Config::new, noise::Config::new), multiplexer)
        .map_err(|error| NetworkError::Setup { part: "TCP", reason: error.to_string() })?
        .with_quic_config(quic_config)
        .with_behaviour(|_| behaviour)
        .unwrap_or_else(|never| match never {})
        .with_swarm_config(|_| {
            libp2p::swarm::Config::with_executor(trace.executor())
                .with_idle_connection_timeout(limits::IDLE_TIMEOUT)
                .with_max_negotiating_inbound_streams(limits::NEGOTIATING_STREAMS)
                // All addresses of a peer are tried, QUIC first, the others a moment later.
                .with_smart_dial()
        })
        .with_connection_timeout(config.limits.connection_timeout)
        .build();
    Ok(swarm)
}

fn multiplexer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(limits::STREAMS as usize);
    config
}

fn quic_config(mut config: quic::Config) -> quic::Config {
    config.handshake_timeout = limits::CONNECTION_TIMEOUT;
    config.max_concurrent_stream_limit = limits::STREAMS;
    config.max_stream_data = limits::QUIC_STREAM_BYTES;
    config.max_connection_data = limits::QUIC_CONNECTION_BYTES;
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_used_are_taken() {
        for good in ["/ip4/192.0.2.1/udp/4433/quic-v1", "/ip4/192.0.2.1/tcp/4433", "/ip6/2001:db8::1/tcp/1"] {
            parse(good).unwrap();
        }
        for bad in ["", "192.0.2.1:4433", "/dns4/example.org/tcp/4433", "/ip4/192.0.2.1", "/ip4/192.0.2.1/tcp/1/ws"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
