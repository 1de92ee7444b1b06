//! The state machine, driven by inputs and compared by effects.
//!
//! A [`Bench`] is one node with its signer and disk; an [`Owner`] makes the signed log of another member, honest or not.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks out what it compares")]

mod author;
mod budgets;
mod custody;
mod erasure;
mod fetching;
mod governance;
mod grants;
mod heal;
mod hello;
mod hostile;
mod inbox;
mod lanes;
mod memory;
mod messages;
mod pulls;
mod standing;
mod view;
mod witness;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle;
use crate::identity::{Federation, fixture};
use crate::ledger::memory::MemoryStore;
use crate::ledger::{Binds, Claim, Frontier, FrontierEntry, Root, SignedRoot, Statement, Store as _};
use crate::record::{self, Record};

use super::message::{Gossip, Request, Response};
use super::{Effect, Event, Input, Myself, Node, Now, Settings, SigningKey, Verdict};

pub(super) const MEMBERS: [&str; 4] = ["GE", "MZ", "TR", "W1"];

static FEDERATION: LazyLock<Federation> = LazyLock::new(|| fixture::federation(&MEMBERS));

pub(super) fn federation() -> Federation {
    FEDERATION.clone()
}

pub(super) fn code(text: &str) -> MemberCode {
    text.parse().unwrap()
}

pub(super) fn log(text: &str) -> LogId {
    text.parse().unwrap()
}

pub(super) fn id(text: &str) -> RecordId {
    text.parse().unwrap()
}

/// One node, its signer and its disk.
pub(super) struct Bench {
    pub me: MemberCode,
    pub node: Node<MemoryStore>,
    pub now: i64,
    /// What is durable.
    pub disk: MemoryStore,
    questions: u64,
}

impl Bench {
    /// A node of Georgia over an empty store.
    pub(super) fn new() -> Self {
        Self::of("GE", MemoryStore::default(), true)
    }

    /// A node that has waited for its peers in vain and signed its lanes.
    pub(super) fn ready() -> Self {
        let mut bench = Self::new();
        bench.tick(0);
        bench.tick(3_000);
        assert_eq!(bench.node.store().size(&log("GE")), 1, "the lanes are logged");
        bench
    }

    pub(super) fn of(member: &str, disk: MemoryStore, guard_intact: bool) -> Self {
        let me = code(member);
        let seal_keys = (0..2).map(|epoch| (epoch, fixture::seal_key(member, epoch))).collect();
        let myself = Myself { member: me, log: LogId::first(me), seal_keys, guard_intact };
        let node = Node::load(disk.clone(), federation(), myself, Settings::default()).unwrap();
        Self { me, node, now: (fixture::FOUNDED + 100) * 1000, disk, questions: 0 }
    }

    /// The same machine after a crash: what was not durable is lost.
    pub(super) fn restarted(self) -> Self {
        let Self { me, now, disk, .. } = self;
        Self { now, ..Self::of(me.as_str(), disk, true) }
    }

    /// What the core wants done at once, and nothing of it done.
    pub(super) fn feed(&mut self, inputs: Vec<Input>) -> Vec<Effect> {
        self.node.handle(Now(self.now), [7; 32], inputs).unwrap()
    }

    /// Feeds inputs, and flushes, signs and checks until nothing of that is wanted any more; gives all other effects.
    pub(super) fn settle(&mut self, inputs: Vec<Input>) -> Vec<Effect> {
        let (mut inputs, mut told) = (inputs, Vec::new());
        while !inputs.is_empty() {
            let effects = self.feed(std::mem::take(&mut inputs));
            for effect in effects {
                match self.serve(&effect) {
                    Some(input) => inputs.push(input),
                    None => told.push(effect),
                }
            }
        }
        told
    }

    /// The disk, the signer and the checker.
    pub(super) fn serve(&mut self, effect: &Effect) -> Option<Input> {
        match effect {
            Effect::Flush => {
                self.disk = self.node.store().clone();
                Some(Input::Flushed)
            }
            Effect::Sign { id, with, messages, .. } => {
                let purpose = if *with == SigningKey::Witness { "witness" } else { "log" };
                let key = fixture::key(self.me.as_str(), purpose);
                let signatures = messages.iter().map(|message| key.sign(message)).collect();
                Some(Input::Signed { id: *id, signatures })
            }
            Effect::Check { id, checks } => {
                Some(Input::Checked { id: *id, hold: checks.iter().map(|check| check.holds()).collect() })
            }
            _ => None,
        }
    }

    /// Time passes.
    pub(super) fn tick(&mut self, milliseconds: i64) -> Vec<Effect> {
        self.now += milliseconds;
        self.settle(vec![Input::Tick])
    }

    pub(super) fn connect(&mut self, peer: &str) -> Vec<Effect> {
        self.settle(vec![Input::Connected { peer: code(peer) }])
    }

    /// A member comes anew, is greeted, and answers with what it holds; what else was done.
    pub(super) fn greeted(&mut self, peer: &str, frontier: Digest, sizes: &Sizes) -> Vec<Effect> {
        self.settle(vec![Input::Disconnected { peer: code(peer) }]);
        let greeting = greeting(&self.connect(peer), peer).expect("who comes is greeted");
        self.answer(peer, greeting, &hello_of(frontier, sizes))
    }

    /// A gossip message from a member, and the verdict on it.
    pub(super) fn gossip(&mut self, from: &str, bytes: Vec<u8>) -> (Verdict, Vec<Effect>) {
        let effects = self.settle(vec![Input::Gossip { from: code(from), id: 77, bytes }]);
        let verdicts: Vec<Verdict> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Verdict { id: 77, verdict } => Some(*verdict),
                _ => None,
            })
            .collect();
        assert_eq!(verdicts.len(), 1, "every message gets one verdict");
        (verdicts[0], effects)
    }

    /// A member's question, and the answer.
    pub(super) fn ask(&mut self, from: &str, request: &Request) -> Response {
        self.ask_all(from, request).0
    }

    /// As [`Self::ask`], with what else was done.
    pub(super) fn ask_all(&mut self, from: &str, request: &Request) -> (Response, Vec<Effect>) {
        self.questions += 1;
        let question = self.questions;
        let effects = self.settle(vec![Input::Request { from: code(from), id: question, bytes: request.encode() }]);
        let mut answers = effects.iter().filter_map(|effect| match effect {
            Effect::Respond { id, bytes } if *id == question => Some(Response::decode(bytes).unwrap()),
            _ => None,
        });
        let answer = answers.next().expect("every question gets an answer");
        assert!(answers.next().is_none(), "and one only");
        (answer, effects)
    }

    /// A member's answer to a request.
    pub(super) fn answer(&mut self, from: &str, id: u64, response: &Response) -> Vec<Effect> {
        self.settle(vec![Input::Response { from: code(from), id, bytes: response.encode() }])
    }
}

/// What was asked of members.
pub(super) fn requests(effects: &[Effect]) -> Vec<(MemberCode, u64, Request)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Request { to, id, bytes } => Some((*to, *id, Request::decode(bytes).unwrap())),
            _ => None,
        })
        .collect()
}

/// The number of the greeting to a member, if it is greeted.
pub(super) fn greeting(effects: &[Effect], peer: &str) -> Option<u64> {
    let is_greeting = |request: &Request| matches!(request, Request::Hello { .. });
    let found = requests(effects).into_iter().find(|(to, _, request)| *to == code(peer) && is_greeting(request));
    found.map(|(_, number, _)| number)
}

/// The answer to a greeting of a member with the same charter, and this frontier.
pub(super) fn hello_of(frontier: Digest, sizes: &Sizes) -> Response {
    let entries = sizes.iter().map(|(log, (size, root))| FrontierEntry { log: *log, size: *size, root: *root });
    Response::Hello { published: federation().digest(), frontier, entries: entries.collect() }
}

pub(super) fn events(effects: &[Effect]) -> Vec<Event> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Event(event) => Some(event.clone()),
            _ => None,
        })
        .collect()
}

pub(super) fn gossiped(effects: &[Effect]) -> Vec<Gossip> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Gossip(bytes) => Some(Gossip::decode(bytes).unwrap()),
            _ => None,
        })
        .collect()
}

/// An export notification from Georgia.
pub(super) fn notification(destination: &str, number: usize) -> Record {
    record::fixture::notification(destination, number, fixture::at(100))
}

/// Sizes and roots of logs.
pub(super) type Sizes = BTreeMap<LogId, (u64, Digest)>;

/// The owner of a log, with its key: it can sign whatever it likes.
pub(super) struct Owner {
    pub log: LogId,
    pub statements: Vec<Vec<u8>>,
    federation: Federation,
}

impl Owner {
    pub(super) fn new(member: &str) -> Self {
        Self::of(member, federation())
    }

    /// The owner of a log in another federation than the usual one.
    pub(super) fn of(member: &str, federation: Federation) -> Self {
        Self { log: LogId::first(code(member)), statements: Vec::new(), federation }
    }

    /// A log of so many statements; two with another `branch` are two histories.
    pub(super) fn with(member: &str, size: u64, branch: u8) -> Self {
        let mut owner = Self::new(member);
        (0..size).for_each(|_| owner.push(branch));
        owner
    }

    /// Signs one more statement.
    pub(super) fn push(&mut self, branch: u8) {
        let position = self.statements.len() as u64;
        let binds = if position == 0 { Binds::Lanes } else { Binds::Body };
        self.push_statement(binds, 0, Digest([branch; 32]), Vec::new());
    }

    /// The same, so many seconds after the founding.
    pub(super) fn push_at(&mut self, branch: u8, seconds: i64) {
        let binds = if self.statements.is_empty() { Binds::Lanes } else { Binds::Body };
        self.push_dated(binds, 0, Digest([branch; 32]), Vec::new(), seconds);
    }

    pub(super) fn push_statement(&mut self, binds: Binds, lanes: u64, digest: Digest, tags: Vec<[u8; 16]>) {
        self.push_dated(binds, lanes, digest, tags, 1);
    }

    fn push_dated(&mut self, binds: Binds, lanes: u64, digest: Digest, tags: Vec<[u8; 16]>, seconds: i64) {
        let key = self.key();
        let position = self.statements.len() as u64;
        let statement = Statement {
            id: RecordId { log: self.log, position },
            kid: key.public().kid(),
            federation: self.federation.id(),
            issued_at: fixture::at(seconds),
            binds,
            digest,
            lanes,
            tags,
            size_class: 0,
        };
        self.statements.push(statement.signed(key.sign(&statement.to_be_signed())));
    }

    fn key(&self) -> crate::identity::SecretKey {
        fixture::key(self.log.member.as_str(), "log")
    }

    fn leaves(&self) -> Vec<Digest> {
        self.statements.iter().map(|statement| merkle::leaf_hash(statement)).collect()
    }

    /// The checkpoint over the first `size` statements, so many seconds after the founding.
    pub(super) fn checkpoint_at(&self, size: usize, seconds: i64) -> SignedRoot {
        let root = self.root(size, seconds);
        root.signed(self.key().sign(&root.to_be_signed()))
    }

    pub(super) fn checkpoint(&self, size: usize) -> SignedRoot {
        self.checkpoint_at(size, 2)
    }

    pub(super) fn root(&self, size: usize, seconds: i64) -> Root {
        Root {
            claim: Claim::Checkpoint { log: self.log, size: size as u64, commitments: [5; 32] },
            root: merkle::root(&self.leaves()[..size]),
            by: self.log.member,
            kid: self.key().public().kid(),
            issued_at: fixture::at(seconds),
            federation: self.federation.id(),
        }
    }

    /// The news of everything from `from` on.
    pub(super) fn news(&self, from: usize) -> Vec<u8> {
        let checkpoint = self.checkpoint(self.statements.len());
        Gossip::News { checkpoint, from: from as u64, statements: self.statements[from..].to_vec() }.encode()
    }

    /// The chunk `from..to`, proved under the checkpoint of everything.
    pub(super) fn chunk(&self, from: usize, to: usize) -> Response {
        Response::Chunk {
            checkpoint: self.checkpoint(self.statements.len()),
            from: from as u64,
            statements: self.statements[from..to].to_vec(),
            consistency: merkle::consistency_proof(&self.leaves(), to as u64),
        }
    }

    /// A member's frontier cosignature of these sizes and roots.
    pub(super) fn cosigned(by: &str, sizes: &Sizes, seconds: i64) -> Vec<u8> {
        Self::cosigned_since(by, sizes, sizes, seconds)
    }

    /// The same with some of them only, as those that changed.
    pub(super) fn cosigned_since(by: &str, sizes: &Sizes, changed: &Sizes, seconds: i64) -> Vec<u8> {
        let of = |sizes: &Sizes| -> Frontier {
            sizes.iter().map(|(log, (size, root))| FrontierEntry { log: *log, size: *size, root: *root }).collect()
        };
        let frontier = of(sizes);
        let key = fixture::key(by, "witness");
        let root = Root {
            claim: Claim::Frontier { logs: frontier.len() as u64 },
            root: frontier.root(),
            by: code(by),
            kid: key.public().kid(),
            issued_at: fixture::at(seconds),
            federation: federation().id(),
        };
        let cosignature = root.signed(key.sign(&root.to_be_signed()));
        Gossip::Cosigned { cosignature, changed: of(changed).entries().collect() }.encode()
    }
}
