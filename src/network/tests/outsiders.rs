//! Who is not a peer, or was one.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::*;
use crate::network::{NetworkError, RequestFailure, refuse_key_log};

async fn outsider_is_cut(listen: &str) {
    let mut member = Node::start(1, &[]).await;
    let mut victim = Node::start(2, &[listen]).await;
    let mut outsider = Node::start(3, &[]).await;
    victim.set_peers(&[member.dialer()]);
    member.set_peers(&[victim.peer()]);
    member.until_connected(victim.key).await;

    // The outsider is valid in every respect, knows the federation and the address, and believes it is welcome.
    outsider.set_peers(&[victim.peer()]);
    let refusal = victim
        .until("a refusal", |event| {
            let Event::Refused { reason, .. } = event else { return None };
            Some(reason)
        })
        .await;
    assert!(refusal.contains("allow list"), "{refusal}");
    for n in 0..20 {
        outsider.ask(&victim, n, b"charter?".to_vec());
        outsider.tell(Command::Publish(format!("outsider {n}").into_bytes()));
        victim.tell(Command::Publish(format!("secret {n}").into_bytes()));
        member.tell(Command::Publish(format!("secret too {n}").into_bytes()));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for event in outsider.events_for(Duration::from_millis(500)).await {
        // It can see that its connection is closed, and not one byte of any protocol.
        assert!(
            matches!(
                event,
                Event::Connected { .. }
                    | Event::Disconnected { .. }
                    | Event::RequestFailed { .. }
                    | Event::DialFailed { .. }
            ),
            "the outsider got {event:?}"
        );
    }
    let events = victim.events_for(Duration::from_millis(100)).await;
    for event in &events {
        if let Event::Gossip { from, bytes, .. } = event {
            assert_eq!(*from, member.key);
            assert!(bytes.starts_with(b"secret too"));
        } else if let Event::Connected { peer, .. } = event {
            assert_eq!(*peer, member.key);
        } else {
            assert!(matches!(event, Event::Refused { .. }), "the victim got {event:?}");
        }
    }
    assert!(events.iter().any(|event| matches!(event, Event::Gossip { .. })), "the member was heard all the time");
}

#[tokio::test]
async fn an_outsider_is_cut_over_quic() {
    outsider_is_cut(QUIC).await;
}

#[tokio::test]
async fn an_outsider_is_cut_over_tcp() {
    outsider_is_cut(TCP).await;
}

#[tokio::test]
async fn a_peer_that_is_removed_is_cut() {
    let (mut a, mut b) = pair(&[QUIC]).await;
    let begun = Instant::now();
    b.set_peers(&[]);
    b.until_disconnected(a.key).await;
    a.until_disconnected(b.key).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    a.ask(&b, 1, b"still there?".to_vec());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let heard = b.events_for(Duration::from_millis(700)).await;
    assert!(heard.iter().all(|event| matches!(event, Event::Refused { .. })), "{heard:?}");
    // And it is welcome again when it is a peer again.
    b.set_peers(&[a.dialer()]);
    b.until_connected(a.key).await;
}

#[tokio::test]
async fn idle_sockets_do_not_keep_a_member_out() {
    // Sixty-four places and 200 sockets that never say a word.
    let mut config = config(2, &[TCP]);
    config.exempt_loopback = false;
    config.limits.pending_inbound = 64;
    config.limits.pending_reserved = 16;
    let mut victim = Node::with(config).await;
    let port: u16 = victim.addresses[0].rsplit('/').next().unwrap().parse().unwrap();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(connect_from([127, 0, 0, 3], port).await);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;

    let mut member = Node::start(1, &[]).await;
    victim.set_peers(&[member.dialer()]);
    assert!(victim.handle.counters().connections_refused() >= 190, "{:?}", victim.handle.counters());
    let begun = Instant::now();
    member.set_peers(&[victim.peer()]);
    member.until_connected(victim.key).await;
    victim.until_connected(member.key).await;
    // A handshake in a place that must first time out would take five seconds.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    eprintln!("connected beside 200 idle sockets in {:?}", begun.elapsed());
}

async fn connect_from(address: [u8; 4], port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(Ipv4Addr::from(address).into(), 0)).unwrap();
    socket.connect(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).await.unwrap()
}

#[test]
fn a_key_log_is_refused() {
    if std::env::var_os("SSLKEYLOGFILE").is_some() {
        assert!(matches!(refuse_key_log(), Err(NetworkError::KeyLog)));
        assert!(matches!(start(&config(1, &[])), Err(NetworkError::KeyLog)));
        return;
    }
    refuse_key_log().unwrap();
    // This test again, in a process that has the variable.
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "network::tests::outsiders::a_key_log_is_refused"])
        .env("SSLKEYLOGFILE", "/nonexistent")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn bad_addresses_are_refused_at_the_start() {
    for bad in ["nonsense", "/dns4/example.org/tcp/1", "/ip4/127.0.0.1/tcp/1/ws"] {
        assert!(matches!(start(&config(1, &[bad])), Err(NetworkError::BadAddress { .. })), "{bad}");
    }
    // 192.0.2.1 is no address of this machine.
    assert!(matches!(start(&config(1, &["/ip4/192.0.2.1/tcp/1"])), Err(NetworkError::Listen { .. })));
}

#[tokio::test]
async fn an_address_where_somebody_else_answers_is_no_peer() {
    let mut a = Node::start(1, &[]).await;
    let mut b = Node::start(2, &[QUIC]).await;
    b.set_peers(&[a.dialer()]);
    let expected = TransportKey::of_secret(&[3; 32]);
    a.set_peers(&[Peer { key: expected, addresses: b.addresses.clone() }]);
    let reason = a
        .until("a failed dial", |event| {
            let Event::DialFailed { peer, reason } = event else { return None };
            assert_eq!(peer, expected);
            Some(reason)
        })
        .await;
    assert!(reason.contains("peer ID"), "{reason}");
    let events = b.events_for(Duration::from_millis(100)).await;
    assert!(!events.iter().any(|event| matches!(event, Event::Request { .. } | Event::Gossip { .. })), "{events:?}");
}

#[tokio::test]
async fn a_member_of_another_federation_shares_no_protocol() {
    let mut a = Node::with(Config { federation: [43; 32], ..config(1, &[]) }).await;
    let mut b = Node::start(2, &[TCP]).await;
    b.set_peers(&[a.dialer()]);
    a.set_peers(&[b.peer()]);
    a.until_connected(b.key).await;
    a.ask(&b, 1, b"?".to_vec());
    let reason = a
        .until("a failure", |event| {
            let Event::RequestFailed { reason, .. } = event else { return None };
            Some(reason)
        })
        .await;
    assert_eq!(reason, RequestFailure::Unsupported);
    a.tell(Command::Publish(b"wrong topic".to_vec()));
    let events = b.events_for(Duration::from_millis(200)).await;
    assert!(matches!(events.as_slice(), [Event::Connected { .. }]), "{events:?}");
}
