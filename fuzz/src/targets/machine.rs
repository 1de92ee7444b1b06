//! The state machine: three nodes, and a program of bytes that says what happens to them.
//!
//! Messages are those that the nodes themselves send, delivered late, twice, out of order, changed or not at all; besides,
//! strange bytes, jumps of the clock, answers to what was never asked, and crashes. Signer, checker and disk keep their
//! contracts, as the world does: they answer what was asked, once, whenever they like.
//!
//! What must hold, whatever happens: no panic; one verdict for each gossip message; one answer for each question; no message
//! longer than its bound; no position signed twice with two contents; no log shorter than it was.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks out what it looks at")]
#![allow(clippy::print_stderr, reason = "a fuzzer talks to stderr")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use shieldwall::encoding::hash::Digest;
use shieldwall::encoding::ids::{LogId, MemberCode};
use shieldwall::encoding::time::UnixTime;
use shieldwall::identity::{Federation, SealSecretKey};
use shieldwall::ledger::Store as _;
use shieldwall::ledger::memory::MemoryStore;
use shieldwall::protocol::message::{Request, Response};
use shieldwall::protocol::{Effect, Input, Myself, Node, Now, Settings, SigningKey, limits};
use shieldwall::record::{Context, Draft, Record, Strictness};
use shieldwall::simulate::federation::{Keys, federation};

use super::{remember_signatures, silent};

/// Two countries and an observer.
const MEMBERS: [&str; 3] = ["GE", "TR", "W1"];
/// When the federation is founded, in seconds.
const FOUNDED: i64 = 1_800_000_000;
/// Steps of one program.
const STEPS_MAX: usize = 160;
/// Inputs under way at most; then the oldest are delivered.
const POOL_MAX: usize = 400;
/// The latest moment that a clock jumps to, in milliseconds: 30 years before the numbers end. At their end time would stand still, and what
/// waits for a moment would be due at once, again and again, or never.
const CLOCK_MAX: i64 = i64::MAX - 30 * 365 * 86_400_000;
/// Effects of one call: what a tick may ask of every peer, log and body, with room. A flood would pass it at once.
const EFFECTS_MAX: usize = 256;

/// Inputs that a node got, over all runs of this process: what a run does depends on its length, so this is the figure that says how much was tried.
static INPUTS: AtomicU64 = AtomicU64::new(0);
/// After so many of them a line says so.
const INPUTS_TOLD: u64 = 1_000_000;

static START: LazyLock<Start> = LazyLock::new(Start::new);

/// What all runs begin with: made once, since it takes many signatures.
struct Start {
    federation: Federation,
    keys: Vec<Keys>,
    records: Vec<Record>,
    /// The stores after a quiet beginning, in which every node signed its lanes and one record each.
    stores: Vec<MemoryStore>,
    guards: Vec<BTreeMap<u64, Digest>>,
    now: i64,
}

impl Start {
    fn new() -> Self {
        let codes: Vec<MemberCode> = MEMBERS.iter().map(|code| code.parse().expect("a member code")).collect();
        let founded = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027");
        let mut start = Self {
            federation: federation(&codes, founded),
            keys: codes.iter().map(|code| Keys::of(*code)).collect(),
            records: (0..6).map(record).collect(),
            stores: vec![MemoryStore::default(); MEMBERS.len()],
            guards: vec![BTreeMap::new(); MEMBERS.len()],
            now: (FOUNDED + 100) * 1000,
        };
        let mut run = Run::new(&start);
        for member in 0..MEMBERS.len() {
            run.connect_all(member);
        }
        for round in 0..120 {
            if round == 60 {
                run.submit(0, 0);
            }
            run.tick(100);
            run.settle();
        }
        let grown = run.machines.iter().map(|machine| machine.node.store().size(&LogId::first(machine.member())));
        assert!(grown.clone().all(|size| size > 0), "the beginning comes to nothing: {:?}", grown.collect::<Vec<_>>());
        let (stores, guards, now) = (
            run.machines.iter().map(|machine| machine.disk.clone()).collect(),
            run.machines.iter().map(|machine| machine.guard.clone()).collect(),
            run.now,
        );
        (start.stores, start.guards, start.now) = (stores, guards, now);
        start
    }

    fn myself(&self, member: usize) -> Myself {
        let keys = &self.keys[member];
        // One epoch's key is enough here, and each takes its time to make.
        let seal_keys = keys.seal.iter().take(1).map(|(epoch, seed)| (*epoch, SealSecretKey::from_seed(seed)));
        Myself {
            member: keys.member,
            log: LogId::first(keys.member),
            seal_keys: seal_keys.collect(),
            guard_intact: true,
        }
    }
}

fn record(number: usize) -> Record {
    let destination = if number.is_multiple_of(2) { "TR" } else { "GE" };
    let text = format!(
        r#"{{"kind": "export-notification", "export_country": "GE", "destination": "{destination}", "ucr": "7GE123456789-{number}",
            "exporter": {{"name": "QZ7CANARY Exports", "country": "GE"}}, "consignee": {{"name": "QZ7CANARY Farm", "country": "{destination}"}},
            "source_digest": "{number:064x}",
            "goods": [{{"line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "net_mass_g": 25000000}}]}}"#
    );
    let draft: Draft = serde_json::from_str(&text).expect("a draft in JSON");
    let now = UnixTime::from_seconds(FOUNDED + 100).expect("a moment in 2027");
    let context = Context { strictness: Strictness::Imported, author: None, now, foreign_exports: true };
    draft.check(&context).expect("a good record").record
}

/// One member's machine.
struct Machine {
    node: Node<MemoryStore>,
    /// What is durable.
    disk: MemoryStore,
    /// What was staged at each flush that is not told of yet.
    flushing: Vec<MemoryStore>,
    guard: BTreeMap<u64, Digest>,
    /// Gossip messages without a verdict.
    verdicts: BTreeSet<u64>,
    /// Questions without an answer.
    answers: BTreeSet<u64>,
    /// The node's own questions that are still to be answered or to fail.
    asked: BTreeSet<u64>,
    code: MemberCode,
    /// Started over after a crash: what the earlier process was to get does not reach it.
    life: u32,
    sizes: BTreeMap<LogId, u64>,
}

impl Machine {
    fn member(&self) -> MemberCode {
        self.code
    }
}

/// What is on its way to a node.
#[derive(Clone)]
struct Due {
    to: usize,
    life: u32,
    input: Input,
    /// Whether it tells of a flush: then the oldest that is not told of yet is durable.
    flush: bool,
}

struct Run<'a> {
    start: &'a Start,
    machines: Vec<Machine>,
    pool: Vec<Due>,
    /// The world's own numbers for gossip and questions.
    numbers: u64,
    /// Questions under way: by the world's number, who asked under which own number, in which life.
    questions: BTreeMap<u64, (usize, u64, u32)>,
    now: i64,
    seed: u8,
}

impl<'a> Run<'a> {
    fn new(start: &'a Start) -> Self {
        let machines = (0..MEMBERS.len())
            .map(|member| {
                let disk = start.stores[member].clone();
                let node =
                    Node::load(disk.clone(), start.federation.clone(), start.myself(member), Settings::default());
                Machine {
                    node: node.expect("a store in memory does not fail"),
                    disk,
                    flushing: Vec::new(),
                    guard: start.guards[member].clone(),
                    verdicts: BTreeSet::new(),
                    answers: BTreeSet::new(),
                    asked: BTreeSet::new(),
                    code: start.keys[member].member,
                    life: 0,
                    sizes: BTreeMap::new(),
                }
            })
            .collect();
        Self { start, machines, pool: Vec::new(), numbers: 0, questions: BTreeMap::new(), now: start.now, seed: 0 }
    }

    fn connect_all(&mut self, member: usize) {
        for other in 0..MEMBERS.len() {
            if other != member {
                let peer = self.machines[other].code;
                self.handle(member, vec![Input::Connected { peer }]);
            }
        }
    }

    fn submit(&mut self, member: usize, number: usize) {
        let record = self.start.records[number % self.start.records.len()].clone();
        self.numbers += 1;
        let id = self.numbers;
        self.handle(member, vec![Input::Submit { id, records: vec![record] }]);
    }

    fn tick(&mut self, milliseconds: i64) {
        self.now = self.now.saturating_add(milliseconds);
        for member in 0..MEMBERS.len() {
            self.handle(member, vec![Input::Tick]);
        }
    }

    /// Delivers everything that is under way, in order.
    fn settle(&mut self) {
        let mut left = 4_000;
        while !self.pool.is_empty() && left > 0 {
            self.deliver(0);
            left -= 1;
        }
        assert!(left > 0, "the nodes talk without end");
    }

    fn deliver(&mut self, at: usize) {
        let due = self.pool.remove(at);
        self.take(due);
    }

    fn take(&mut self, due: Due) {
        let machine = &mut self.machines[due.to];
        if due.life != machine.life {
            // The process that it was for is gone.
            if let Input::Request { id, .. } = due.input {
                self.fail(id);
            }
            return;
        }
        if due.flush && !machine.flushing.is_empty() {
            machine.disk = machine.flushing.remove(0);
        }
        match &due.input {
            Input::Gossip { id, .. } => {
                machine.verdicts.insert(*id);
            }
            Input::Request { id, .. } => {
                machine.answers.insert(*id);
            }
            Input::Response { id, .. } | Input::Failed { id } => {
                machine.asked.remove(id);
            }
            _ => {}
        }
        self.handle(due.to, vec![due.input]);
    }

    /// A question will get no answer.
    fn fail(&mut self, question: u64) {
        if let Some((asker, id, life)) = self.questions.remove(&question) {
            self.push(asker, life, Input::Failed { id }, false);
        }
    }

    fn push(&mut self, to: usize, life: u32, input: Input, flush: bool) {
        self.pool.push(Due { to, life, input, flush });
    }

    fn handle(&mut self, member: usize, inputs: Vec<Input>) {
        self.seed = self.seed.wrapping_add(1);
        let mut seed = [self.seed; 32];
        seed[0] = u8::try_from(member).unwrap_or(0);
        seed[1..9].copy_from_slice(&self.now.to_be_bytes());
        for _ in &inputs {
            let count = INPUTS.fetch_add(1, Ordering::Relaxed) + 1;
            if count.is_multiple_of(INPUTS_TOLD) {
                eprintln!("machine: {count} inputs to nodes");
            }
        }
        let machine = &mut self.machines[member];
        let effects = machine.node.handle(Now(self.now), seed, inputs).expect("a store in memory does not fail");
        assert!(effects.len() <= EFFECTS_MAX, "{} effects at once", effects.len());
        for log in machine.node.store().logs() {
            let size = machine.node.store().size(&log);
            let before = machine.sizes.insert(log, size).unwrap_or(0);
            assert!(before <= size, "log {log} went from {before} to {size}");
        }
        for effect in effects {
            self.perform(member, effect);
        }
        while self.pool.len() > POOL_MAX {
            self.deliver(0);
        }
    }

    fn perform(&mut self, member: usize, effect: Effect) {
        silent(&effect_without_bytes(&effect));
        let (code, life) = (self.machines[member].code, self.machines[member].life);
        match effect {
            Effect::Gossip(bytes) => {
                assert!(bytes.len() <= limits::GOSSIP_BYTES_MAX);
                for to in (0..MEMBERS.len()).filter(|to| *to != member) {
                    self.numbers += 1;
                    let input = Input::Gossip { from: code, id: self.numbers, bytes: bytes.clone() };
                    self.push(to, self.machines[to].life, input, false);
                }
            }
            Effect::Verdict { id, .. } => {
                assert!(self.machines[member].verdicts.remove(&id), "a second verdict, or one on nothing");
            }
            Effect::Request { to, id, bytes } => {
                assert!(bytes.len() <= limits::MESSAGE_BYTES_MAX);
                assert!(Request::decode(&bytes).is_ok(), "a node sends what it would not read");
                assert!(self.machines[member].asked.insert(id), "a number is used for two questions");
                self.numbers += 1;
                let question = self.numbers;
                self.questions.insert(question, (member, id, life));
                match self.machines.iter().position(|machine| machine.code == to) {
                    Some(to) => {
                        let input = Input::Request { from: code, id: question, bytes };
                        self.push(to, self.machines[to].life, input, false);
                    }
                    None => self.fail(question),
                }
            }
            Effect::Respond { id, bytes } => {
                assert!(bytes.len() <= limits::MESSAGE_BYTES_MAX);
                assert!(Response::decode(&bytes).is_ok(), "a node sends what it would not read");
                assert!(self.machines[member].answers.remove(&id), "a second answer, or one to nothing");
                if let Some((asker, number, life)) = self.questions.remove(&id) {
                    let input = Input::Response { from: code, id: number, bytes };
                    self.push(asker, life, input, false);
                }
            }
            Effect::Sign { id, with, messages, guard } => {
                for (position, digest) in guard {
                    let held = self.machines[member].guard.entry(position).or_insert(digest);
                    assert_eq!(*held, digest, "position {position} would be signed with two contents");
                }
                let keys = &self.start.keys[member];
                let key = match with {
                    SigningKey::Log(_) => &keys.log,
                    SigningKey::Witness => &keys.witness,
                };
                let signatures = messages.iter().map(|message| key.sign(message)).collect();
                self.push(member, life, Input::Signed { id, signatures }, false);
            }
            Effect::Check { id, checks } => {
                let hold = checks.iter().map(|check| check.holds()).collect();
                self.push(member, life, Input::Checked { id, hold }, false);
            }
            Effect::Flush => {
                let staged = self.machines[member].node.store().clone();
                self.machines[member].flushing.push(staged);
                self.push(member, life, Input::Flushed, true);
            }
            Effect::Submitted { outcomes, .. } => silent(&outcomes),
            Effect::Event(event) => silent(&event.to_string()),
            Effect::Members | Effect::Published { .. } | Effect::Kept { .. } => {}
        }
    }

    fn crash(&mut self, member: usize, kept: bool) {
        let start = self.start;
        let machine = &mut self.machines[member];
        if kept && let Some(staged) = machine.flushing.pop() {
            // The write reached the disk, and nobody was told.
            machine.disk = staged;
        }
        machine.flushing.clear();
        machine.life += 1;
        machine.verdicts.clear();
        machine.asked.clear();
        machine.sizes.clear();
        let unanswered = std::mem::take(&mut machine.answers);
        let node =
            Node::load(machine.disk.clone(), start.federation.clone(), start.myself(member), Settings::default());
        machine.node = node.expect("a store in memory does not fail");
        unanswered.into_iter().for_each(|question| self.fail(question));
        self.connect_all(member);
    }

    /// Whatever was owed has been given.
    fn finish(&mut self) {
        for _ in 0..3 {
            self.settle();
            self.tick(100);
        }
        self.settle();
        for machine in &self.machines {
            assert!(machine.verdicts.is_empty(), "a gossip message got no verdict");
            assert!(machine.answers.is_empty(), "a question got no answer");
        }
    }
}

/// What of an effect is shown to an operator.
fn effect_without_bytes(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Event(event) => Some(format!("{event:?} {event}")),
        Effect::Submitted { outcomes, .. } => Some(format!("{outcomes:?}")),
        _ => None,
    }
}

/// The program's bytes, one after the other; zero when they are used up.
struct Program<'a>(&'a [u8]);

impl Program<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    fn part(&mut self) -> Vec<u8> {
        let length = usize::from(self.byte()).min(self.0.len());
        let (part, rest) = self.0.split_at(length);
        self.0 = rest;
        part.to_vec()
    }
}

/// Changes the bytes of a message.
fn change(program: &mut Program<'_>, bytes: &mut Vec<u8>) {
    for _ in 0..=program.below(3) {
        let at = (program.below(256) * 256 + program.below(256)) % bytes.len().max(1);
        match program.below(5) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << program.below(8);
                }
            }
            1 => bytes.truncate(at),
            2 => {
                let part = program.part();
                bytes.splice(at..at, part);
            }
            3 => {
                let end = (at + program.below(40)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            _ => {
                let value = program.byte();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
        }
    }
}

/// Runs a program.
pub fn machine(bytes: &[u8]) {
    remember_signatures();
    let mut program = Program(bytes);
    let mut run = Run::new(&START);
    let connected = program.byte();
    for member in 0..MEMBERS.len() {
        if connected & (1 << member) == 0 {
            run.connect_all(member);
        }
    }
    for _ in 0..STEPS_MAX {
        if program.0.is_empty() {
            break;
        }
        step(&mut run, &mut program);
    }
    run.finish();
}

fn step(run: &mut Run<'_>, program: &mut Program<'_>) {
    match program.below(16) {
        0..=2 => {
            for _ in 0..=program.below(8) {
                if !run.pool.is_empty() {
                    run.deliver(0);
                }
            }
        }
        3 => {
            if !run.pool.is_empty() {
                let at = program.below(run.pool.len());
                run.deliver(at);
            }
        }
        4 | 5 => changed(run, program),
        6 => lost(run, program),
        7 => twice(run, program),
        8 => run.tick([100, 100, 1_000, 5_000][program.below(4)]),
        9 => {
            let jump = [-86_400_000, 86_400_000, -1, i64::MAX / 4, i64::MIN / 4, 3_600_000];
            let (now, at) = (run.now, program.below(jump.len()));
            run.now = now.saturating_add(jump[at]).min(CLOCK_MAX);
            run.tick(0);
            if program.below(2) == 0 {
                run.now = now;
            }
        }
        10 => strange(run, program),
        11 => {
            let (member, other) = (program.below(3), program.below(3));
            let peer = run.machines[other].code;
            let input = if program.below(2) == 0 { Input::Connected { peer } } else { Input::Disconnected { peer } };
            run.handle(member, vec![input]);
        }
        12 => {
            let (member, number) = (program.below(2), program.below(6));
            run.submit(member, number);
        }
        13 => unasked(run, program),
        14 => {
            let (member, kept) = (program.below(3), program.below(2) == 0);
            run.crash(member, kept);
        }
        _ => {
            let member = program.below(3);
            let input = if program.below(3) == 0 { Input::Ending } else { Input::CollectReceipts };
            run.handle(member, vec![input]);
        }
    }
}

/// A message arrives that is not as it was sent.
fn changed(run: &mut Run<'_>, program: &mut Program<'_>) {
    if run.pool.is_empty() {
        return;
    }
    let at = program.below(run.pool.len());
    let mut due = run.pool.remove(at);
    let others: Vec<MemberCode> = run.machines.iter().map(|machine| machine.code).collect();
    if let Input::Gossip { from, bytes, .. }
    | Input::Request { from, bytes, .. }
    | Input::Response { from, bytes, .. } = &mut due.input
    {
        if program.below(4) == 0 {
            // It says to come from another member; transport would not let it, but the core must not mind.
            *from = others[program.below(3)];
        }
        change(program, bytes);
    }
    run.take(due);
}

/// A message does not arrive. Its sender is told so if it is a question or an answer.
fn lost(run: &mut Run<'_>, program: &mut Program<'_>) {
    if run.pool.is_empty() {
        return;
    }
    let at = program.below(run.pool.len());
    let due = run.pool.remove(at);
    match due.input {
        Input::Gossip { .. } => {}
        Input::Request { id, .. } => run.fail(id),
        Input::Response { id, .. } => run.take(Due { input: Input::Failed { id }, ..due }),
        _ => run.pool.push(due),
    }
}

/// A message of a peer arrives twice; the second time under a number of its own, as transport gives it.
fn twice(run: &mut Run<'_>, program: &mut Program<'_>) {
    if run.pool.is_empty() {
        return;
    }
    let at = program.below(run.pool.len());
    let mut copy = run.pool[at].clone();
    run.numbers += 1;
    match &mut copy.input {
        Input::Gossip { id, .. } | Input::Request { id, .. } => *id = run.numbers,
        Input::Response { .. } => {}
        _ => return,
    }
    run.take(copy);
}

/// Bytes that no node has sent.
fn strange(run: &mut Run<'_>, program: &mut Program<'_>) {
    let (to, from) = (program.below(3), program.below(4));
    // One of them comes from nobody that is a member.
    let from = run.machines.get(from).map_or_else(|| "ZZ".parse().expect("a member code"), |machine| machine.code);
    let kind = program.below(3);
    let bytes = program.part();
    run.numbers += 1;
    let id = run.numbers;
    let life = run.machines[to].life;
    let input = match kind {
        0 => Input::Gossip { from, id, bytes },
        1 => Input::Request { from, id, bytes },
        _ => {
            // An answer to one of its questions, if there is any.
            let asked: Vec<u64> = run.machines[to].asked.iter().copied().collect();
            let id = asked.get(program.below(asked.len())).copied().unwrap_or(id);
            Input::Response { from, id, bytes }
        }
    };
    run.take(Due { to, life, input, flush: false });
}

/// Answers to what was never asked: old ones, of an earlier life, or of nobody.
fn unasked(run: &mut Run<'_>, program: &mut Program<'_>) {
    let member = program.below(3);
    let id = u64::MAX - program.below(4) as u64;
    let input = match program.below(4) {
        0 => Input::Signed { id, signatures: vec![[program.byte(); 64]; program.below(3)] },
        1 => Input::NotSigned { id, reason: "the signer does not know".to_owned() },
        2 => Input::Checked { id, hold: vec![true; program.below(3)] },
        _ => Input::Failed { id },
    };
    run.handle(member, vec![input]);
}
