//! A dishonest member as a process of its own beside the honest nodes: the real core over real sockets, with its member's real keys, and a signer that
//! signs whatever it is given. What it says can be changed on its way out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shieldwall::disk::DiskStore;
use shieldwall::encoding::hash::Digest;
use shieldwall::encoding::ids::{LogId, MemberCode, RecordId};
use shieldwall::encoding::merkle;
use shieldwall::encoding::time::UnixTime;
use shieldwall::identity::{Published, SecretKey};
use shieldwall::ledger::{Binds, Claim, Root, Statement, Store as _};
use shieldwall::network::{self, Command, Event, Peer, ResponseId, TransportKey};
use shieldwall::node::clock;
use shieldwall::node::keys::{Access, KeyFolder, KeyName, Seed};
use shieldwall::node::open;
use shieldwall::protocol::message::{Gossip, Request, Response, WireBody};
use shieldwall::protocol::{Effect, Input, Node, Now, Settings, SigningKey, Verdict};
use shieldwall::record::Record;
use tokio::sync::mpsc;

use super::super::federation::Federation;

/// Orders that wait at most: a test gives one at a time.
const ORDERS: usize = 8;

/// What a liar does to what it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// It has no body to give.
    pub(super) withheld: bool,
    /// The bodies that it gives have changed bytes.
    pub(super) garbled: bool,
    /// Charter and manifests are those of long ago.
    pub(super) stale: bool,
}

/// A liar at work. Dropped, it leaves.
pub(super) struct Liar {
    orders: mpsc::Sender<Order>,
    answers: Arc<Mutex<Answers>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Makes messages of what the core holds.
type Speech = Box<dyn FnOnce(&Core) -> Vec<Vec<u8>> + Send>;

enum Order {
    /// Logs records.
    Submit(Vec<Record>),
    /// Gossips something that its core would not say.
    Say(Speech),
}

/// The core, which believes that it is honest.
pub(super) struct Core {
    node: Node<DiskStore>,
    keys: Keys,
    /// All that it has gossiped or heard.
    pub(super) heard: Vec<Vec<u8>>,
    gossip: BTreeMap<u64, network::GossipId>,
    questions: BTreeMap<u64, ResponseId>,
    numbers: u64,
}

struct Keys {
    member: MemberCode,
    log: SecretKey,
    witness: SecretKey,
}

impl Liar {
    /// Takes the place of a member's node.
    pub(super) fn start(federation: &Federation, member: &str) -> Self {
        let code: MemberCode = member.parse().unwrap();
        let published = std::fs::read(federation.path("charter.cose")).unwrap();
        let members = Published::decode(&published).unwrap().verify().unwrap();
        let folder = KeyFolder::open(&federation.path(member).join("keys")).unwrap();
        let read = |name: &KeyName| folder.read(name, Access { passphrase: None, allow_unprotected: true }).unwrap();
        let secret = |name: &KeyName| SecretKey::from_seed(read(name).expose());
        let log = LogId::first(code);
        let keys = Keys { member: code, log: secret(&KeyName::Log(log)), witness: secret(&KeyName::Witness(code)) };
        let transport = zeroize::Zeroizing::new(*read(&KeyName::Transport).expose());
        let names = open::seal_key_names(&members, code);
        let seeds: Vec<Seed> = names.iter().map(read).collect();
        let settings = Settings { cosign_interval_ms: 300, sync_interval_ms: 1_000, ..Settings::default() };
        let dir = federation.path(member).join("data");
        std::fs::create_dir_all(&dir).unwrap();
        let (store, _) = DiskStore::open(&dir, 0, &mut |_, _| {}).unwrap();
        let myself = open::myself(code, log, &names, &seeds, true);
        let core = Core {
            node: Node::load(store, members.clone(), myself, settings).unwrap(),
            keys,
            heard: Vec::new(),
            gossip: BTreeMap::new(),
            questions: BTreeMap::new(),
            numbers: 0,
        };
        let peers = members
            .transports()
            .filter(|entry| entry.member != code)
            .map(|entry| (entry.member, (TransportKey(*entry.key.as_bytes()), entry.addresses.to_vec())))
            .collect();
        let (orders, wanted) = mpsc::channel(ORDERS);
        let answers = Arc::new(Mutex::new(Answers::default()));
        let machine = Machine { core, peers, answers: Arc::clone(&answers), published };
        let federation = members.id().0.0;
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(machine.run(transport, federation, wanted));
        });
        Self { orders, answers, thread: Some(thread) }
    }

    pub(super) fn submit(&self, records: Vec<Record>) {
        self.orders.try_send(Order::Submit(records)).unwrap();
    }

    /// Gossips what is made of what the core holds.
    pub(super) fn say(&self, what: impl FnOnce(&Core) -> Vec<Vec<u8>> + Send + 'static) {
        self.orders.try_send(Order::Say(Box::new(what))).unwrap();
    }

    pub(super) fn answer(&self, how: Answers) {
        *self.answers.lock().unwrap() = how;
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        // The channel closes, and the machine ends.
        let (orders, _) = mpsc::channel(ORDERS);
        self.orders = orders;
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Machine {
    core: Core,
    peers: BTreeMap<MemberCode, (TransportKey, Vec<String>)>,
    answers: Arc<Mutex<Answers>>,
    /// The charter file of the beginning.
    published: Vec<u8>,
}

impl Machine {
    async fn run(
        mut self,
        transport: zeroize::Zeroizing<[u8; 32]>,
        federation: [u8; 32],
        mut orders: mpsc::Receiver<Order>,
    ) {
        let mut config = network::Config::new(transport, federation, Vec::new());
        config.exempt_loopback = true;
        let (handle, mut events, _) = network::start(&config).unwrap();
        let peers = self.peers.values().map(|(key, addresses)| Peer { key: *key, addresses: addresses.clone() });
        handle.try_send(Command::SetPeers(peers.collect())).unwrap();
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            let input = tokio::select! {
                _ = tick.tick() => Input::Tick,
                event = events.recv() => match event.map(|event| self.input(event)) {
                    Some(Some(input)) => input,
                    Some(None) => continue,
                    None => return,
                },
                order = orders.recv() => match order {
                    Some(Order::Submit(records)) => Input::Submit { id: self.core.number(), records },
                    Some(Order::Say(what)) => {
                        for bytes in what(&self.core) {
                            handle.try_send(Command::Publish(bytes)).unwrap();
                        }
                        continue;
                    }
                    None => return,
                },
            };
            self.feed(&handle, input);
        }
    }

    fn member(&self, peer: &TransportKey) -> Option<MemberCode> {
        self.peers.iter().find(|(_, (key, _))| key == peer).map(|(member, _)| *member)
    }

    fn input(&mut self, event: Event) -> Option<Input> {
        match event {
            Event::Connected { peer, .. } => self.member(&peer).map(|peer| Input::Connected { peer }),
            Event::Disconnected { peer } => self.member(&peer).map(|peer| Input::Disconnected { peer }),
            Event::Gossip { from, id, bytes } => {
                let (from, number) = (self.member(&from)?, self.core.number());
                self.core.heard.push(bytes.clone());
                self.core.gossip.insert(number, id);
                Some(Input::Gossip { from, id: number, bytes })
            }
            Event::Request { from, id, bytes } => {
                let (from, number) = (self.member(&from)?, self.core.number());
                self.core.questions.insert(number, id);
                Some(Input::Request { from, id: number, bytes })
            }
            Event::Response { from, id, bytes } => Some(Input::Response { from: self.member(&from)?, id, bytes }),
            Event::RequestFailed { id, .. } => Some(Input::Failed { id }),
            Event::Listening(_) | Event::Refused { .. } | Event::DialFailed { .. } => None,
        }
    }

    fn feed(&mut self, handle: &network::Handle, input: Input) {
        let mut inputs = vec![input];
        while !inputs.is_empty() {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).unwrap();
            let now = Now(clock::now_ms());
            let effects = self.core.node.handle(now, seed, std::mem::take(&mut inputs)).unwrap();
            inputs.extend(effects.into_iter().filter_map(|effect| self.serve(handle, effect)));
        }
    }

    fn serve(&mut self, handle: &network::Handle, effect: Effect) -> Option<Input> {
        let answers = *self.answers.lock().unwrap();
        let core = &mut self.core;
        let command = match effect {
            Effect::Gossip(bytes) => {
                core.heard.push(bytes.clone());
                Some(Command::Publish(bytes))
            }
            Effect::Verdict { id, verdict } => core.gossip.remove(&id).map(|message| Command::Verdict {
                message,
                verdict: match verdict {
                    Verdict::Accept => network::Verdict::Accept,
                    Verdict::Ignore | Verdict::Reject => network::Verdict::Ignore,
                },
            }),
            Effect::Request { to, id, bytes } => {
                let to = self.peers[&to].0;
                let Some(bytes) = pushed(bytes, answers) else { return Some(Input::Failed { id }) };
                Some(Command::Request { to, id, bytes })
            }
            Effect::Respond { id, bytes } => {
                let bytes = tampered(bytes, answers, &self.published);
                core.questions.remove(&id).map(|id| Command::Respond { id, bytes })
            }
            Effect::Sign { id, with, messages, .. } => {
                let key = if with == SigningKey::Witness { &core.keys.witness } else { &core.keys.log };
                return Some(Input::Signed {
                    id,
                    signatures: messages.iter().map(|message| key.sign(message)).collect(),
                });
            }
            Effect::Check { id, checks } => {
                return Some(Input::Checked { id, hold: checks.iter().map(|check| check.holds()).collect() });
            }
            Effect::Flush => {
                core.node.store_mut().flush().unwrap();
                return Some(Input::Flushed);
            }
            Effect::Submitted { .. }
            | Effect::Published { .. }
            | Effect::Kept { .. }
            | Effect::Members
            | Effect::Event(_) => None,
        };
        if let Some(command) = command {
            drop(handle.try_send(command));
        }
        None
    }
}

/// A question on its way out; a body that is handed over may not be.
fn pushed(bytes: Vec<u8>, how: Answers) -> Option<Vec<u8>> {
    match Request::decode(&bytes) {
        Ok(Request::Push { .. }) if how.withheld => None,
        Ok(Request::Push { id, body }) if how.garbled => Some(Request::Push { id, body: garbled(body) }.encode()),
        _ => Some(bytes),
    }
}

fn garbled(body: WireBody) -> WireBody {
    let mut compartments = body.compartments;
    compartments.iter_mut().for_each(|bytes| bytes[0] ^= 1);
    WireBody { compartments, ..body }
}

fn tampered(bytes: Vec<u8>, how: Answers, published: &[u8]) -> Vec<u8> {
    match Response::decode(&bytes) {
        Ok(Response::Body(_)) if how.withheld => Response::Nothing.encode(),
        Ok(Response::Body(body)) if how.garbled => Response::Body(garbled(body)).encode(),
        Ok(Response::Hello { frontier, entries, .. }) if how.stale => {
            let federation = Published::decode(published).unwrap().verify().unwrap();
            Response::Hello { published: federation.digest(), frontier, entries }.encode()
        }
        Ok(Response::Published { .. }) if how.stale => {
            Response::Published { size: published.len() as u64, from: 0, part: published.to_vec() }.encode()
        }
        _ => bytes,
    }
}

impl Core {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Its log as it stands, or its first `keep` statements and another one with this digest and these tags, under a checkpoint that is dated so
    /// many seconds ahead: what its core never signed.
    pub(super) fn history(&self, other: Option<(usize, u8, Vec<[u8; 16]>)>, ahead_s: i64) -> Vec<u8> {
        let log = LogId::first(self.keys.member);
        let mut statements = self.node.store().statements(&log, 0, usize::MAX, usize::MAX).unwrap();
        let (key, federation) = (&self.keys.log, self.node.federation().id());
        let (kid, now): (_, UnixTime) = (key.public().kid(), clock::now());
        if let Some((keep, digest, tags)) = other {
            statements.truncate(keep);
            let statement = Statement {
                id: RecordId { log, position: statements.len() as u64 },
                kid,
                federation,
                issued_at: now,
                binds: Binds::Body,
                digest: Digest([digest; 32]),
                lanes: 0,
                tags,
                size_class: 0,
            };
            statements.push(statement.signed(key.sign(&statement.to_be_signed())));
        }
        let leaves: Vec<Digest> = statements.iter().map(|statement| merkle::leaf_hash(statement)).collect();
        let root = Root {
            claim: Claim::Checkpoint { log, size: leaves.len() as u64, commitments: [0; 32] },
            root: merkle::root(&leaves),
            by: self.keys.member,
            kid,
            issued_at: now.plus(ahead_s),
            federation,
        };
        let checkpoint = root.signed(key.sign(&root.to_be_signed()));
        let from = statements.len().saturating_sub(2);
        Gossip::News { checkpoint, from: from as u64, statements: statements.split_off(from) }.encode()
    }

    /// How many statements of its own log it holds.
    pub(super) fn size(&self) -> usize {
        usize::try_from(self.node.store().size(&LogId::first(self.keys.member))).unwrap()
    }

    /// The tags of a statement that it holds.
    pub(super) fn tags_of(&self, id: RecordId) -> Vec<[u8; 16]> {
        self.node.view().statement(id).unwrap().map(|statement| statement.tags).unwrap_or_default()
    }
}
