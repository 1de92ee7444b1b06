//! Peers are found, kept, and found again.

use super::*;

#[tokio::test]
async fn quic_goes_before_tcp() {
    let mut listener = Node::start(2, &[TCP, QUIC]).await;
    let mut dialer = Node::start(1, &[]).await;
    listener.set_peers(&[dialer.dialer()]);
    listener.addresses.sort();
    dialer.set_peers(&[listener.peer()]);
    let address = dialer.until_connected(listener.key).await;
    assert!(address.contains("/quic-v1"), "{address}");
    listener.until_connected(dialer.key).await;
}

#[tokio::test]
async fn both_may_dial_and_each_is_connected_once() {
    let mut a = Node::start(1, &[QUIC, TCP]).await;
    let mut b = Node::start(2, &[QUIC, TCP]).await;
    a.set_peers(&[b.peer()]);
    b.set_peers(&[a.peer()]);
    a.until_connected(b.key).await;
    b.until_connected(a.key).await;
    for node in [&mut a, &mut b] {
        let more = node.events_for(Duration::from_millis(800)).await;
        assert!(more.is_empty(), "{more:?}");
    }
}

/// The listener goes, in good order or not, and comes back at the same address.
async fn comes_back(listen: &str, in_good_order: bool) {
    let (mut a, b) = pair(&[listen]).await;
    let (key, address) = (b.key, b.addresses[0].clone());
    if in_good_order {
        b.shut_down().await;
        a.until_disconnected(key).await;
    } else {
        b.task.abort();
        assert!(b.task.await.unwrap_err().is_cancelled());
    }
    let mut b = again_at(address).await;
    b.set_peers(&[a.dialer()]);
    a.until_connected(key).await;
    b.until_connected(a.key).await;
}

/// In one process, the socket is free a moment after the network has ended, when QUIC has said good-bye.
async fn again_at(address: String) -> Node {
    let config = config(2, &[&address]);
    for _ in 0..200 {
        match start(&config) {
            Ok((handle, events, task)) => {
                return Node { key: TransportKey::of_secret(&[2; 32]), addresses: vec![address], handle, events, task };
            }
            Err(error) => assert!(error.to_string().contains("in use"), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{address} is still in use");
}

#[tokio::test]
async fn a_peer_that_restarts_is_found_again_over_quic() {
    comes_back(QUIC, true).await;
}

#[tokio::test]
async fn a_peer_that_restarts_is_found_again_over_tcp() {
    comes_back(TCP, true).await;
}

#[tokio::test]
async fn a_peer_that_crashed_is_found_again_over_quic() {
    comes_back(QUIC, false).await;
}

#[tokio::test]
async fn a_peer_that_appears_later_is_found() {
    let mut a = Node::start(1, &[]).await;
    let probe = Node::start(2, &[TCP]).await;
    let (peer, address) = (probe.peer(), probe.addresses[0].clone());
    probe.shut_down().await;
    a.set_peers(&[peer]);
    a.until("a failed dial", |event| matches!(event, Event::DialFailed { .. }).then_some(())).await;
    let mut b = again_at(address).await;
    b.set_peers(&[a.dialer()]);
    a.until_connected(b.key).await;
    b.until_connected(a.key).await;
}

#[tokio::test]
async fn whoever_is_disconnected_comes_back() {
    let (mut a, mut b) = pair(&[QUIC]).await;
    b.tell(Command::Disconnect(a.key));
    b.until_disconnected(a.key).await;
    b.until_connected(a.key).await;
    a.until_disconnected(b.key).await;
    a.until_connected(b.key).await;
}

#[tokio::test]
async fn the_network_ends_when_the_node_does() {
    let Node { handle, events, task, .. } = Node::start(1, &[QUIC]).await;
    drop(events);
    timeout(PATIENCE, task).await.unwrap().unwrap();
    assert!(handle.try_send(Command::Publish(Vec::new())).is_err());
    let Node { handle, events: _events, task, .. } = Node::start(1, &[QUIC]).await;
    drop(handle);
    timeout(PATIENCE, task).await.unwrap().unwrap();
}
