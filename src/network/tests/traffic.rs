//! Requests, answers and gossip between peers.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::*;
use crate::network::limits::{EVENT_QUEUE, FRAME_BYTES, GOSSIP_BYTES};
use crate::network::{GossipId, RequestFailure, ResponseId, Verdict};

async fn next_request(node: &mut Node) -> (TransportKey, ResponseId, Vec<u8>) {
    node.until("a request", |event| {
        let Event::Request { from, id, bytes } = event else { return None };
        Some((from, id, bytes))
    })
    .await
}

async fn next_answer(node: &mut Node) -> (u64, Result<Vec<u8>, RequestFailure>) {
    node.until("an answer", |event| {
        if let Event::Response { id, bytes, .. } = event {
            Some((id, Ok(bytes)))
        } else if let Event::RequestFailed { id, reason, .. } = event {
            Some((id, Err(reason)))
        } else {
            None
        }
    })
    .await
}

async fn next_gossip(node: &mut Node) -> (TransportKey, GossipId, Vec<u8>) {
    node.until("gossip", |event| {
        let Event::Gossip { from, id, bytes } = event else { return None };
        Some((from, id, bytes))
    })
    .await
}

/// Gossips until it arrives: a peer is heard of a moment after it is connected.
async fn gossip(from: &Node, to: &mut Node, bytes: &[u8]) -> (TransportKey, GossipId, Vec<u8>) {
    for attempt in 0..100_u8 {
        let mut bytes = bytes.to_vec();
        bytes[0] = attempt;
        from.tell(Command::Publish(bytes));
        if let Ok(gossip) = timeout(Duration::from_millis(100), next_gossip(to)).await {
            return gossip;
        }
    }
    panic!("no gossip arrived");
}

async fn exchange(listen: &str) {
    let (mut a, mut b) = pair(&[listen]).await;
    let (question, answer) = (vec![1; FRAME_BYTES], vec![2; FRAME_BYTES]);
    a.ask(&b, 7, question.clone());
    let (from, id, bytes) = next_request(&mut b).await;
    assert_eq!(from, a.key);
    assert!(bytes == question);
    b.tell(Command::Respond { id, bytes: answer.clone() });
    assert!(next_answer(&mut a).await == (7, Ok(answer)));
    // The other way, on the same connection.
    b.ask(&a, 8, Vec::new());
    let (from, id, bytes) = next_request(&mut a).await;
    assert_eq!((from, bytes), (b.key, Vec::new()));
    a.tell(Command::Respond { id, bytes: b"yes".to_vec() });
    assert_eq!(next_answer(&mut b).await, (8, Ok(b"yes".to_vec())));

    let (from, _, bytes) = gossip(&a, &mut b, &[5; GOSSIP_BYTES]).await;
    assert_eq!(from, a.key);
    assert!(bytes.len() == GOSSIP_BYTES && bytes[1..].iter().all(|byte| *byte == 5));
    gossip(&b, &mut a, b"?and back").await;
    a.shut_down().await;
    b.until_disconnected(TransportKey::of_secret(&[1; 32])).await;
}

#[tokio::test]
async fn members_exchange_over_quic() {
    exchange(QUIC).await;
}

#[tokio::test]
async fn members_exchange_over_tcp() {
    exchange(TCP).await;
}

#[tokio::test]
async fn only_what_is_accepted_is_passed_on() {
    let mut relay = Node::start(2, &[QUIC]).await;
    let author = Node::start(1, &[]).await;
    let mut reader = Node::start(3, &[]).await;
    relay.set_peers(&[author.dialer(), reader.dialer()]);
    author.set_peers(&[relay.peer()]);
    reader.set_peers(&[relay.peer()]);
    reader.until_connected(relay.key).await;
    for verdict in [Verdict::Ignore, Verdict::Reject] {
        let (_, message, _) = gossip(&author, &mut relay, &[b'-', verdict as u8]).await;
        relay.tell(Command::Verdict { message, verdict });
    }
    // Until the relay has put the reader into its mesh.
    let arrived = async {
        loop {
            let (from, message, bytes) = gossip(&author, &mut relay, b"?good").await;
            assert_eq!(from, author.key);
            relay.tell(Command::Verdict { message, verdict: Verdict::Accept });
            if let Ok((from, _, passed)) = timeout(Duration::from_millis(100), next_gossip(&mut reader)).await {
                assert_eq!((from, &passed[1..]), (relay.key, &bytes[1..]));
                return;
            }
        }
    };
    timeout(PATIENCE, arrived).await.unwrap();
}

#[tokio::test]
async fn a_federation_hears_every_message_once() {
    let mut nodes = Vec::new();
    for n in 1..=5 {
        nodes.push(Node::start(n, &[QUIC]).await);
    }
    let peers: Vec<_> = nodes.iter().map(Node::peer).collect();
    for node in &nodes {
        node.set_peers(&peers);
    }
    for (n, node) in nodes.iter_mut().enumerate() {
        let mut missing: BTreeSet<_> = (0..5).filter(|other| *other != n).map(|other| peers[other].key).collect();
        while !missing.is_empty() {
            let connected = node.until("all", |event| {
                let Event::Connected { peer, .. } = event else { return None };
                Some(peer)
            });
            assert!(missing.remove(&connected.await), "connected twice");
        }
    }
    // Everyone hears of everyone's topic; then each speaks.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for (n, node) in nodes.iter().enumerate() {
        node.tell(Command::Publish(vec![n as u8]));
    }
    let mut heard = vec![Vec::new(); 5];
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        for (node, heard) in nodes.iter_mut().zip(&mut heard) {
            if let Ok((_, message, bytes)) = timeout(Duration::from_millis(10), next_gossip(node)).await {
                node.tell(Command::Verdict { message, verdict: Verdict::Accept });
                heard.push(bytes[0]);
            }
        }
    }
    for (n, heard) in heard.iter_mut().enumerate() {
        heard.sort_unstable();
        assert_eq!(*heard, (0..5).filter(|other| *other != n as u8).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn oversize_is_refused_on_both_sides() {
    let mut narrow = config(2, &[TCP]);
    narrow.limits.frame_bytes = 64 * 1024;
    let mut narrow = Node::with(narrow).await;
    let mut wide = Node::start(1, &[]).await;
    narrow.set_peers(&[wide.dialer()]);
    wide.set_peers(&[narrow.peer()]);
    wide.until_connected(narrow.key).await;

    wide.ask(&narrow, 1, vec![0; FRAME_BYTES + 1]);
    assert_eq!(next_answer(&mut wide).await, (1, Err(RequestFailure::TooLong)));
    wide.ask(&narrow, 2, vec![0; 64 * 1024 + 1]);
    assert!(matches!(next_answer(&mut wide).await, (2, Err(RequestFailure::NoAnswer(_)))));
    // Neither has lost the connection, and the first thing the narrow one is asked is what it may be asked.
    wide.ask(&narrow, 3, vec![3; 64 * 1024]);
    let (_, id, bytes) = next_request(&mut narrow).await;
    assert!(bytes == vec![3; 64 * 1024]);
    narrow.tell(Command::Decline(id));
    assert!(matches!(next_answer(&mut wide).await, (3, Err(RequestFailure::NoAnswer(_)))));

    let stranger = TransportKey::of_secret(&[9; 32]);
    wide.tell(Command::Request { to: stranger, id: 4, bytes: Vec::new() });
    assert_eq!(next_answer(&mut wide).await, (4, Err(RequestFailure::NotConnected)));
}

#[tokio::test]
async fn bulk_is_bounded_by_what_is_in_flight_and_all_of_it_arrives() {
    const CHUNKS: u64 = 16;
    let (mut a, mut b) = pair(&[QUIC]).await;
    let begun = Instant::now();
    for id in 0..CHUNKS {
        a.ask(&b, id, vec![0; 64]);
    }
    let serve = tokio::spawn(async move {
        for _ in 0..CHUNKS {
            let (_, id, _) = next_request(&mut b).await;
            b.tell(Command::Respond { id, bytes: vec![7; 1024 * 1024] });
        }
        b
    });
    let mut answered = BTreeSet::new();
    for _ in 0..CHUNKS {
        let (id, answer) = next_answer(&mut a).await;
        assert_eq!(answer.unwrap().len(), 1024 * 1024);
        answered.insert(id);
    }
    assert_eq!(answered.len() as u64, CHUNKS);
    eprintln!("{CHUNKS} MiB in {:?}", begun.elapsed());
    drop(serve.await.unwrap());
}

#[tokio::test]
async fn a_node_that_does_not_read_loses_gossip_and_nothing_else() {
    let (mut a, mut b) = pair(&[TCP]).await;
    gossip(&a, &mut b, b"?").await;
    for n in 0..EVENT_QUEUE as u32 + 200 {
        a.tell(Command::Publish(n.to_be_bytes().to_vec()));
        if n % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    // Its queue is full: a request is closed at once, and not left to wait.
    loop {
        a.ask(&b, 1, Vec::new());
        match timeout(Duration::from_millis(50), next_answer(&mut a)).await {
            Ok((1, Err(RequestFailure::NoAnswer(_)))) => break,
            Ok(other) => panic!("{other:?}"),
            // It was taken while there was still room.
            Err(_) => {}
        }
    }
    let counters = b.handle.counters();
    assert!(
        counters.gossip_over_rate + counters.gossip_not_kept_up > 0
            && counters.requests_not_kept_up + counters.requests_no_room > 0,
        "{counters:?}"
    );
    // What must not be lost comes after the gossip.
    let key = a.key;
    b.ask(&a, 5, Vec::new());
    let (_, id, _) = next_request(&mut a).await;
    a.tell(Command::Respond { id, bytes: b"late".to_vec() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    a.shut_down().await;
    assert_eq!(next_answer(&mut b).await, (5, Ok(b"late".to_vec())));
    b.until_disconnected(key).await;
}
