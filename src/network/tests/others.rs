//! Peers that run other software, or ours in a way it never would.

use futures::StreamExt;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{Multiaddr, SwarmBuilder, noise, ping, tcp, yamux};

use super::*;
use crate::network::limits::CONNECTIONS_PER_PEER;
use crate::network::peer_id;

/// A bare swarm with the transport key of node `n`, that knows TCP with Noise and pings, and nothing else.
fn bare(n: u8) -> Swarm<ping::Behaviour> {
    SwarmBuilder::with_existing_identity(peer_id::keypair(&Zeroizing::new([n; 32])).unwrap())
        .with_tokio()
        .with_tcp(tcp::Config::new(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| ping::Behaviour::default())
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build()
}

fn dial(swarm: &mut Swarm<ping::Behaviour>, node: &Node) {
    let address: Multiaddr = node.addresses[0].parse().unwrap();
    let options = DialOpts::peer_id(peer_id::peer_id(&node.key))
        .condition(PeerCondition::Always)
        .addresses(vec![address])
        .allocate_new_port()
        .build();
    swarm.dial(options).unwrap();
}

#[tokio::test]
async fn a_peer_with_noise_alone_gets_in_and_of_many_connections_the_newest_stay() {
    let mut node = Node::start(2, &[TCP]).await;
    let peer = TransportKey::of_secret(&[1; 32]);
    node.set_peers(&[Peer { key: peer, addresses: Vec::new() }]);
    let mut swarm = bare(1);
    let (mut opened, mut last) = (0, None);
    let run = async {
        dial(&mut swarm, &node);
        loop {
            let event = swarm.select_next_some().await;
            if let SwarmEvent::ConnectionEstablished { connection_id, .. } = event {
                opened += 1;
                last = Some(connection_id);
                if opened <= CONNECTIONS_PER_PEER {
                    dial(&mut swarm, &node);
                }
            } else if let SwarmEvent::ConnectionClosed { connection_id, num_established, .. } = event {
                assert_ne!(Some(connection_id), last);
                assert_eq!(num_established as usize, CONNECTIONS_PER_PEER);
                if opened == 6 {
                    break;
                }
                dial(&mut swarm, &node);
            }
        }
    };
    timeout(PATIENCE, run).await.unwrap();
    assert_eq!(opened, 6);
    // The node hears of one peer that is connected, and never that it went.
    let more = timeout(Duration::from_millis(300), async {
        loop {
            swarm.select_next_some().await;
        }
    });
    assert!(more.await.is_err());
    let events = node.events_for(Duration::from_millis(100)).await;
    assert!(matches!(events.as_slice(), [Event::Connected { peer: it, .. }] if *it == peer), "{events:?}");
}

#[tokio::test]
async fn an_outsider_that_keeps_trying_is_reported_now_and_then() {
    let mut node = Node::start(2, &[TCP]).await;
    let mut swarm = bare(9);
    for _ in 0..30 {
        dial(&mut swarm, &node);
        let closed = async {
            loop {
                let event = swarm.select_next_some().await;
                if matches!(event, SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. }) {
                    return;
                }
            }
        };
        timeout(PATIENCE, closed).await.unwrap();
    }
    assert_eq!(node.handle.counters().connections_refused(), 30);
    let reported = node.events_for(Duration::from_millis(100)).await.len();
    assert!((10..25).contains(&reported), "{reported}");
}
