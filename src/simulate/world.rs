//! The virtual world: time, network, signers and disks of all nodes.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::hash::{Digest, sha256_of};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::identity::Federation;
use crate::ledger::memory::MemoryStore;
use crate::protocol::view::View;
use crate::protocol::{Effect, Event, Input, Node, Now, Outcome, Settings, SigningKey};
use crate::record::Record;

use super::federation::{Keys, federation};

/// What of an input goes into the trace: its bytes, if it has any.
fn trace_of(input: &Input) -> &[u8] {
    match input {
        Input::Gossip { bytes, .. } | Input::Request { bytes, .. } | Input::Response { bytes, .. } => bytes,
        Input::Signed { signatures, .. } => signatures.as_flattened(),
        Input::Tick
        | Input::Connected { .. }
        | Input::Disconnected { .. }
        | Input::Failed { .. }
        | Input::Submit { .. }
        | Input::NotSigned { .. }
        | Input::Checked { .. }
        | Input::Flushed
        | Input::CollectReceipts
        | Input::Room(_)
        | Input::Ending => &[],
    }
}

/// Between two ticks of a node.
const TICK_MS: i64 = 100;

/// How the network treats messages.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Messages lost, in percent. Lost requests fail at their sender.
    pub loss: u32,
    /// The longest delay, in milliseconds.
    pub delay_ms: u32,
}

/// Nodes, and everything around them.
#[derive(Debug)]
pub struct World {
    now: i64,
    random: Randomness,
    link: Link,
    federation: Federation,
    nodes: BTreeMap<MemberCode, Machine>,
    parted: BTreeSet<(MemberCode, MemberCode)>,
    agenda: BTreeMap<(i64, u64), (MemberCode, Input)>,
    sequence: u64,
    /// Requests under way, by the number that the answerer knows them by.
    questions: BTreeMap<u64, Question>,
    trace: Digest,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct Question {
    asker: MemberCode,
    number: u64,
    answerer: MemberCode,
}

/// One member's machine: what survives a crash, and the process that may be running on it.
#[derive(Debug)]
struct Machine {
    keys: Keys,
    /// What is durable.
    disk: MemoryStore,
    /// Positions and digests of what was signed.
    guard: BTreeMap<u64, Digest>,
    node: Option<Node<MemoryStore>>,
    events: Vec<Event>,
    outcomes: BTreeMap<u64, Vec<Outcome>>,
    /// Records that were acknowledged to their submitter.
    acknowledged: BTreeSet<RecordId>,
}

impl World {
    /// Members with empty stores, all connected to each other.
    #[must_use]
    pub fn new(seed: u64, members: &[&str], link: Link) -> Self {
        let codes: Vec<MemberCode> =
            members.iter().map(|code| code.parse().expect("a test names members correctly")).collect();
        let founded = UnixTime::from_seconds(1_800_000_000).expect("a moment in 2027");
        let mut seed_bytes = [0; 32];
        seed_bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let machine = |code: &MemberCode| Machine {
            keys: Keys::of(*code),
            disk: MemoryStore::default(),
            guard: BTreeMap::new(),
            node: None,
            events: Vec::new(),
            outcomes: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
        };
        let mut world = Self {
            now: founded.seconds() * 1000,
            random: Randomness::new(seed_bytes),
            link,
            federation: federation(&codes, founded),
            nodes: codes.iter().map(|code| (*code, machine(code))).collect(),
            parted: BTreeSet::new(),
            agenda: BTreeMap::new(),
            sequence: 0,
            questions: BTreeMap::new(),
            trace: Digest::ZERO,
        };
        codes.iter().for_each(|code| world.start(*code));
        world
    }

    /// Starts a member's node over what its disk holds, and connects it.
    ///
    /// # Panics
    /// If it is running.
    pub fn start(&mut self, code: MemberCode) {
        let federation = self.federation.clone();
        let machine = self.machine(code);
        assert!(machine.node.is_none(), "{code} is running");
        let node = Node::load(machine.disk.clone(), federation, machine.keys.myself(), Settings::default())
            .expect("a store in memory does not fail");
        machine.node = Some(node);
        let jitter = i64::from(self.random.below(100));
        self.schedule(jitter, code, Input::Tick);
        for other in self.members() {
            if other != code && self.machine(other).node.is_some() && !self.is_parted(code, other) {
                self.schedule(1, code, Input::Connected { peer: other });
                self.schedule(1, other, Input::Connected { peer: code });
            }
        }
    }

    /// Ends a member's node at once: what was not durable is lost.
    pub fn crash(&mut self, code: MemberCode) {
        self.machine(code).node = None;
        self.agenda.retain(|_, (member, _)| *member != code);
        let unanswered: Vec<u64> =
            self.questions.iter().filter(|(_, question)| question.answerer == code).map(|(id, _)| *id).collect();
        for id in unanswered {
            if let Some(Question { asker, number, .. }) = self.questions.remove(&id) {
                self.schedule(1, asker, Input::Failed { id: number });
            }
        }
        for other in self.members() {
            if other != code && self.machine(other).node.is_some() {
                self.schedule(1, other, Input::Disconnected { peer: code });
            }
        }
    }

    /// A copy of what a member's disk holds.
    #[must_use]
    pub fn backup(&self, code: MemberCode) -> MemoryStore {
        self.nodes[&code].disk.clone()
    }

    /// Puts a copy in the place of what a member's disk holds. Its guard stays, as it would on the same machine.
    ///
    /// # Panics
    /// If its node is running.
    pub fn restore(&mut self, code: MemberCode, backup: MemoryStore) {
        let machine = self.machine(code);
        assert!(machine.node.is_none(), "{code} is running");
        machine.disk = backup;
    }

    /// Takes from a member's guard what it remembers from a position on, as the snapshot of a whole machine does.
    pub fn rewind_guard(&mut self, code: MemberCode, position: u64) {
        self.machine(code).guard.retain(|held, _| *held < position);
    }

    /// Parts two members, or joins them again.
    pub fn part(&mut self, a: MemberCode, b: MemberCode, parted: bool) {
        let pair = (a.min(b), a.max(b));
        let changed = if parted { self.parted.insert(pair) } else { self.parted.remove(&pair) };
        if !changed || self.machine(a).node.is_none() || self.machine(b).node.is_none() {
            return;
        }
        for (from, to) in [(a, b), (b, a)] {
            let input = if parted { Input::Disconnected { peer: from } } else { Input::Connected { peer: from } };
            self.schedule(1, to, input);
        }
    }

    /// Changes how the network treats messages from now on.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// Hands records to a member's node.
    pub fn submit(&mut self, code: MemberCode, id: u64, records: Vec<Record>) {
        self.schedule(0, code, Input::Submit { id, records });
    }

    /// A member says something to one other alone, in place of gossip to all: what a liar does.
    pub fn whisper(&mut self, from: MemberCode, to: MemberCode, bytes: Vec<u8>) {
        self.schedule(1, to, Input::Gossip { from, id: 0, bytes });
    }

    /// Asks a member's node to collect receipt-form cosignatures.
    pub fn collect_receipts(&mut self, code: MemberCode) {
        self.schedule(0, code, Input::CollectReceipts);
    }

    /// Lets so much virtual time pass.
    pub fn run(&mut self, milliseconds: i64) {
        let end = self.now + milliseconds;
        while let Some(entry) = self.agenda.first_entry() {
            let (at, _) = *entry.key();
            if at > end {
                break;
            }
            let (code, input) = entry.remove();
            self.now = at.max(self.now);
            self.step(code, input);
        }
        self.now = end;
    }

    /// A member's node, for looking.
    ///
    /// # Panics
    /// If it is not running.
    #[must_use]
    pub fn node(&self, code: MemberCode) -> &Node<MemoryStore> {
        self.nodes[&code].node.as_ref().expect("the node is running")
    }

    /// What a member's keys open in what its disk holds.
    pub fn with_view<T>(&self, code: MemberCode, look: impl FnOnce(View<'_, MemoryStore>) -> T) -> T {
        let machine = &self.nodes[&code];
        let me = machine.keys.myself();
        let store = machine.node.as_ref().map_or(&machine.disk, Node::store);
        look(View::new(store, &self.federation, &me))
    }

    /// What a member's node told.
    #[must_use]
    pub fn events(&self, code: MemberCode) -> &[Event] {
        &self.nodes[&code].events
    }

    /// What became of a submission.
    #[must_use]
    pub fn outcomes(&self, code: MemberCode, id: u64) -> Option<&[Outcome]> {
        self.nodes[&code].outcomes.get(&id).map(Vec::as_slice)
    }

    /// Records that a member's node acknowledged to their submitter, ever.
    #[must_use]
    pub fn acknowledged(&self, code: MemberCode) -> &BTreeSet<RecordId> {
        &self.nodes[&code].acknowledged
    }

    /// All members.
    #[must_use]
    pub fn members(&self) -> Vec<MemberCode> {
        self.nodes.keys().copied().collect()
    }

    /// A digest of everything that happened: the same for the same seed.
    #[must_use]
    pub fn trace(&self) -> Digest {
        self.trace
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Now {
        Now(self.now)
    }

    fn machine(&mut self, code: MemberCode) -> &mut Machine {
        self.nodes.get_mut(&code).expect("a test names members of its world")
    }

    fn is_parted(&self, a: MemberCode, b: MemberCode) -> bool {
        self.parted.contains(&(a.min(b), a.max(b)))
    }

    fn schedule(&mut self, delay: i64, code: MemberCode, input: Input) {
        self.sequence += 1;
        self.agenda.insert((self.now + delay, self.sequence), (code, input));
    }

    fn step(&mut self, code: MemberCode, input: Input) {
        if self.nodes[&code].node.is_none() {
            return;
        }
        if matches!(input, Input::Tick) {
            self.schedule(TICK_MS, code, Input::Tick);
        }
        self.trace = sha256_of(&[&self.trace.0, &self.now.to_be_bytes(), code.as_str().as_bytes(), trace_of(&input)]);
        let (now, seed) = (Now(self.now), self.random.array());
        let node = self.machine(code).node.as_mut().expect("the node is running");
        let effects = node.handle(now, seed, vec![input]).expect("a store in memory does not fail");
        effects.into_iter().for_each(|effect| self.perform(code, effect));
    }

    fn perform(&mut self, code: MemberCode, effect: Effect) {
        match effect {
            Effect::Gossip(bytes) => {
                for to in self.members() {
                    if to != code && !self.is_parted(code, to) && !self.is_lost() {
                        let delay = self.delay();
                        self.schedule(delay, to, Input::Gossip { from: code, id: 0, bytes: bytes.clone() });
                    }
                }
            }
            Effect::Verdict { .. } | Effect::Members => {}
            Effect::Request { to, id, bytes } => {
                let delay = self.delay();
                if self.is_parted(code, to) || self.is_lost() || self.nodes[&to].node.is_none() {
                    self.schedule(delay, code, Input::Failed { id });
                } else {
                    self.sequence += 1;
                    let question = self.sequence;
                    self.questions.insert(question, Question { asker: code, number: id, answerer: to });
                    self.schedule(delay, to, Input::Request { from: code, id: question, bytes });
                }
            }
            Effect::Respond { id, bytes } => {
                if let Some(Question { asker, number, .. }) = self.questions.remove(&id) {
                    let delay = self.delay();
                    let lost = self.is_parted(code, asker) || self.is_lost();
                    let input = if lost {
                        Input::Failed { id: number }
                    } else {
                        Input::Response { from: code, id: number, bytes }
                    };
                    self.schedule(delay, asker, input);
                }
            }
            Effect::Sign { id, with, messages, guard } => {
                let input = self.sign(code, id, with, &messages, guard);
                self.schedule(0, code, input);
            }
            Effect::Check { id, checks } => {
                let hold = checks.iter().map(crate::ledger::SignatureCheck::holds).collect();
                self.schedule(0, code, Input::Checked { id, hold });
            }
            Effect::Flush => {
                let machine = self.machine(code);
                if let Some(node) = &machine.node {
                    machine.disk = node.store().clone();
                }
                self.schedule(2, code, Input::Flushed);
            }
            Effect::Submitted { id, outcomes } => {
                let machine = self.machine(code);
                machine.acknowledged.extend(outcomes.iter().filter_map(|outcome| match outcome {
                    Outcome::Logged { id, .. } => Some(*id),
                    Outcome::AlreadyLogged { .. } | Outcome::Refused { .. } => None,
                }));
                machine.outcomes.insert(id, outcomes);
            }
            Effect::Event(event) => self.machine(code).events.push(event),
        }
    }

    /// The signer: its guard is durable before the first signature, and refuses a second history.
    fn sign(
        &mut self,
        code: MemberCode,
        id: u64,
        with: SigningKey,
        messages: &[Vec<u8>],
        guard: Vec<(u64, Digest)>,
    ) -> Input {
        let machine = self.machine(code);
        for (position, digest) in guard {
            let held = machine.guard.entry(position).or_insert(digest);
            if *held != digest {
                return Input::NotSigned { id, reason: format!("position {position} was signed otherwise") };
            }
        }
        let key = match with {
            SigningKey::Log(_) => &machine.keys.log,
            SigningKey::Witness => &machine.keys.witness,
        };
        Input::Signed { id, signatures: messages.iter().map(|message| key.sign(message)).collect() }
    }

    fn is_lost(&mut self) -> bool {
        self.random.below(100) < self.link.loss
    }

    fn delay(&mut self) -> i64 {
        1 + i64::from(self.random.below(self.link.delay_ms.max(1)))
    }
}
