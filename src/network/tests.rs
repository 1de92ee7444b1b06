//! Real sockets on the loopback interface: who gets in, what arrives, what happens when somebody misbehaves or leaves.

mod others;
mod outsiders;
mod peers;
mod traffic;

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Command, Config, Event, Handle, Peer, TransportKey, start};

const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const TCP: &str = "/ip4/127.0.0.1/tcp/0";

/// How long anything may take before the test fails. Long, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A network with its channels.
struct Node {
    key: TransportKey,
    addresses: Vec<String>,
    handle: Handle,
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
}

impl Node {
    /// Starts a network that listens at these addresses.
    async fn start(n: u8, listen: &[&str]) -> Node {
        Node::with(config(n, listen)).await
    }

    async fn with(config: Config) -> Node {
        let expected = config.listen.len();
        let (handle, events, task) = start(&config).unwrap();
        let key = TransportKey::of_secret(&config.transport_secret);
        let mut node = Node { key, addresses: Vec::new(), handle, events, task };
        for _ in 0..expected {
            let address = node
                .until("an address", |event| {
                    let Event::Listening(address) = event else { return None };
                    Some(address)
                })
                .await;
            node.addresses.push(address);
        }
        node
    }

    /// This node as a peer of others, with the addresses it listens at.
    fn peer(&self) -> Peer {
        Peer { key: self.key, addresses: self.addresses.clone() }
    }

    /// This node as a peer of others that only dials.
    fn dialer(&self) -> Peer {
        Peer { key: self.key, addresses: Vec::new() }
    }

    fn tell(&self, command: Command) {
        self.handle.try_send(command).unwrap();
    }

    fn set_peers(&self, peers: &[Peer]) {
        self.tell(Command::SetPeers(peers.to_vec()));
    }

    fn ask(&self, to: &Node, id: u64, bytes: Vec<u8>) {
        self.tell(Command::Request { to: to.key, id, bytes });
    }

    /// Reads events until one is what the test waits for; the others are dropped.
    async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the network has ended");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    async fn until_connected(&mut self, to: TransportKey) -> String {
        self.until("a connection", |event| {
            let Event::Connected { peer, address, .. } = event else { return None };
            (peer == to).then_some(address)
        })
        .await
    }

    async fn until_disconnected(&mut self, from: TransportKey) {
        self.until("a disconnection", |event| (event == Event::Disconnected { peer: from }).then_some(())).await;
    }

    /// The events of so long a time.
    async fn events_for(&mut self, time: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        let collect = async {
            while let Some(event) = self.events.recv().await {
                events.push(event);
            }
        };
        timeout(time, collect).await.ok();
        events
    }

    async fn shut_down(self) {
        self.tell(Command::Shutdown);
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

fn config(n: u8, listen: &[&str]) -> Config {
    let listen = listen.iter().map(|address| (*address).to_owned()).collect();
    Config { exempt_loopback: true, ..Config::new(Zeroizing::new([n; 32]), [42; 32], listen) }
}

/// Two connected nodes; the first dials the second, which listens at `listen`.
async fn pair(listen: &[&str]) -> (Node, Node) {
    let mut dialer = Node::start(1, &[]).await;
    let mut listener = Node::start(2, listen).await;
    listener.set_peers(&[dialer.dialer()]);
    dialer.set_peers(&[listener.peer()]);
    dialer.until_connected(listener.key).await;
    listener.until_connected(dialer.key).await;
    (dialer, listener)
}
