//! The clock, network, signers and disks of all nodes.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::hash::{Digest, sha256_of};
use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::identity::Federation;
use crate::ledger::SignedTree;
use crate::ledger::examine::{self, Asked};
use crate::protocol::view::View;
use crate::protocol::{Effect, Event, Input, Node, Now, Outcome, Settings, Signing, SigningKey, Verdict};
use crate::record::Record;

use super::federation::federation;
use super::liar::Deceit;
use super::machine::{Machine, Pace};
use super::medium::{Medium, Memory};
use super::network::{Carried, Link, Network, Traffic};
use super::plant::Plant;
use super::watchman::Watchman;

/// A node that may not sign yet ticks at least this often.
const STARTING_MS: i64 = 20_000;

/// When every simulated federation is founded: a moment in 2027.
pub const FOUNDED: i64 = 1_800_000_000;

/// Nodes, and everything around them.
#[derive(Debug)]
pub struct World<M: Medium = Memory> {
    pub(super) now: i64,
    pub(super) random: Randomness,
    pub(super) settings: Settings,
    pub(super) federation: Federation,
    pub(super) machines: BTreeMap<MemberCode, Machine<M>>,
    pub(super) network: Network,
    pub(super) watchman: Watchman,
    /// A fault put in on purpose, to see that it is found.
    pub(super) plant: Option<Plant>,
    agenda: BTreeMap<(i64, u64), (MemberCode, Due)>,
    sequence: u64,
    /// The longest time between two ticks of a node to which nothing happens.
    idle_tick_ms: i64,
    trace: Digest,
    steps: u64,
}

/// What is due for a member.
#[derive(Debug)]
enum Due {
    Input(Input),
    /// The flush under way comes to its end.
    Flush,
}

impl World {
    /// Members with empty disks of the fast kind, all connected to each other.
    #[must_use]
    pub fn new(seed: u64, members: &[&str], link: Link) -> Self {
        let codes: Vec<MemberCode> =
            members.iter().map(|code| code.parse().expect("a test names members correctly")).collect();
        let mut world = Self::prepare(seed, &codes, link, Settings::default());
        codes.iter().for_each(|code| world.start(*code));
        world
    }
}

impl<M: Medium> World<M> {
    /// Members with empty disks. None runs yet.
    #[must_use]
    pub fn prepare(seed: u64, members: &[MemberCode], link: Link, settings: Settings) -> Self {
        let founded = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027");
        Self::prepare_at(founded, seed, members, link, settings)
    }

    /// The same, of a federation that is founded at another time than [`FOUNDED`].
    #[must_use]
    pub fn prepare_at(founded: UnixTime, seed: u64, members: &[MemberCode], link: Link, settings: Settings) -> Self {
        let mut seed_bytes = [0; 32];
        seed_bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let federation = federation(members, founded);
        let machine = |(number, code): (u64, &MemberCode)| {
            (*code, Machine::new(*code, M::new(seed.wrapping_add(number)), federation.clone()))
        };
        Self {
            now: founded.seconds() * 1000,
            random: Randomness::new(seed_bytes),
            settings,
            machines: (0..).zip(members).map(machine).collect(),
            federation,
            network: Network::new(link),
            watchman: Watchman::default(),
            plant: None,
            agenda: BTreeMap::new(),
            sequence: 0,
            idle_tick_ms: Pace::BUSY_MS,
            trace: Digest::ZERO,
            steps: 0,
        }
    }

    /// Lets nodes to which nothing happens tick ever more seldom, down to once in so many milliseconds: weeks pass quickly then.
    pub fn set_idle_tick(&mut self, milliseconds: i64) {
        self.idle_tick_ms = milliseconds.max(Pace::BUSY_MS);
    }

    /// Lets a node that was idle tick soon, and often again until it is idle once more.
    #[cfg(test)]
    pub(super) fn wake(&mut self, code: MemberCode) {
        self.machine(code).pace.wake();
        self.tick_in(code, Pace::BUSY_MS);
    }

    /// Puts a fault in on purpose.
    pub fn set_plant(&mut self, plant: Option<Plant>) {
        self.plant = plant;
    }

    /// Makes a member dishonest.
    pub fn set_deceit(&mut self, code: MemberCode, deceit: Deceit) {
        self.machine(code).liar.begin(deceit);
        self.watchman.distrust(code);
    }

    /// Starts a member's node over what its disk holds, and connects it. A disk that cannot be believed keeps it from running.
    ///
    /// # Panics
    /// If it is running.
    pub fn start(&mut self, code: MemberCode) {
        let settings = self.settings;
        let machine = self.machine(code);
        assert!(machine.node.is_none(), "{code} is running");
        let me = machine.myself();
        let federation = machine.federation.clone();
        let opened = machine.medium.open().and_then(|store| Node::load(store, federation, me, settings));
        match opened {
            Ok(node) => {
                machine.node = Some(node);
                if machine.medium.has_named_losses() {
                    self.watchman.excuse(code);
                }
            }
            Err(error) => {
                machine.faults.push(error.to_string());
                return;
            }
        }
        self.check_start(code);
        let jitter = i64::from(self.random.below(100));
        self.tick_in(code, jitter);
        for other in self.members() {
            if other != code && self.is_running(other) {
                for (one, two) in [(code, other), (other, code)] {
                    if !self.network.is_apart(one, two) {
                        self.schedule(1, one, Input::Connected { peer: two });
                    }
                }
            }
        }
    }

    /// Ends a member's node at once, as `kill -9` does: what was not flushed is lost.
    pub fn crash(&mut self, code: MemberCode) {
        self.end(code, false);
    }

    /// Ends a member's node together with the power of its machine: the disk may have kept parts of what was not flushed.
    pub fn lose_power(&mut self, code: MemberCode) {
        self.end(code, true);
    }

    fn end(&mut self, code: MemberCode, power: bool) {
        let mut random = Randomness::new(self.random.array());
        let machine = self.machine(code);
        machine.flushing = false;
        if let Some(node) = machine.node.take() {
            machine.medium.end(node.into_store(), power.then_some(&mut random));
        }
        self.agenda.retain(|_, (member, _)| *member != code);
        for (asker, number) in self.network.forget_answers_of(code) {
            self.schedule(1, asker, Input::Failed { id: number });
        }
        for other in self.members() {
            if other != code && self.is_running(other) {
                self.schedule(1, other, Input::Disconnected { peer: code });
            }
        }
    }

    /// Stops a member's node in good order and starts it again: nothing that its store tells may have changed.
    pub fn restart(&mut self, code: MemberCode) {
        if !self.is_running(code) {
            return;
        }
        self.step(code, Due::Input(Input::Ending));
        // At most two: one under way, and one that covers what `Ending` staged.
        for _ in 0..2 {
            if self.machines[&code].flushing {
                self.step(code, Due::Flush);
            }
        }
        let before = self.export(code);
        self.crash(code);
        self.plant_while_down(code, true);
        self.start(code);
        if let (Some(before), Some(after)) = (before, self.export(code)) {
            self.watchman.check_restart(self.now, code, &before, &after);
        }
    }

    /// What a member's node would show, in a form that can be compared; `None` while it is not running.
    #[must_use]
    pub fn export(&self, code: MemberCode) -> Option<super::export::Export> {
        super::export::Export::of(&self.machines.get(&code)?.node.as_ref()?.view()).ok()
    }

    /// A copy of what a member's disk holds.
    #[must_use]
    pub fn backup(&self, code: MemberCode) -> M {
        self.machines[&code].medium.clone()
    }

    /// Puts a copy in the place of what a member's disk holds. Its guard stays, as it would on the same machine.
    ///
    /// # Panics
    /// If its node is running.
    pub fn restore(&mut self, code: MemberCode, backup: &M) {
        let machine = self.machine(code);
        assert!(machine.node.is_none(), "{code} is running");
        machine.medium.restore(backup);
        self.watchman.forgive(code);
    }

    /// Takes from a member's guard what it remembers from a position on, as the snapshot of a whole machine does.
    pub fn rewind_guard(&mut self, code: MemberCode, position: u64) {
        self.machine(code).medium.rewind_guard(LogId::first(code), position);
    }

    /// Gives an operator's newer charter file to a member. It is read at the next start.
    pub fn give_federation(&mut self, code: MemberCode, federation: Federation) {
        self.machine(code).federation = federation;
    }

    /// Sets a member's clock ahead of the true time, or behind it.
    pub fn set_clock(&mut self, code: MemberCode, ahead_ms: i64) {
        self.machine(code).clock_ahead_ms = ahead_ms;
        self.watchman.clocks_jumped |= ahead_ms != 0;
    }

    /// Parts two members, or joins them again.
    pub fn part(&mut self, a: MemberCode, b: MemberCode, parted: bool) {
        for (from, to) in [(a, b), (b, a)] {
            if self.network.part(from, to, parted) && self.is_running(a) && self.is_running(b) {
                let input = if parted { Input::Disconnected { peer: from } } else { Input::Connected { peer: from } };
                self.schedule(1, to, input);
            }
        }
    }

    /// Loses everything from one member to another, while both think that they are connected; or mends that.
    pub fn mute(&mut self, from: MemberCode, to: MemberCode, muted: bool) {
        self.network.mute(from, to, muted);
    }

    /// Changes how the network treats messages from now on.
    pub fn set_link(&mut self, link: Link) {
        self.network.link = link;
    }

    /// What has come to a member from all others, and what from it to them.
    #[must_use]
    pub fn traffic_of(&self, code: MemberCode) -> (Traffic, Traffic) {
        self.network.traffic_of(code)
    }

    /// Hands records to a member's node.
    pub fn submit(&mut self, code: MemberCode, id: u64, records: Vec<Record>) {
        self.machine(code).submitted.insert(id, records.clone());
        self.schedule(0, code, Input::Submit { id, records });
    }

    /// Hands a charter file to a member's node.
    pub fn publish(&mut self, code: MemberCode, file: Vec<u8>) {
        self.schedule(0, code, Input::Publish { id: 1, file, settle: false });
    }

    /// A member says something to one other alone, in place of gossip to all: what a liar does.
    pub fn whisper(&mut self, from: MemberCode, to: MemberCode, bytes: Vec<u8>) {
        let id = self.network.whispered();
        self.schedule(1, to, Input::Gossip { from, id, bytes });
    }

    /// A member asks another something that its program would not ask.
    pub fn pester(&mut self, from: MemberCode, to: MemberCode, bytes: Vec<u8>) {
        if !self.is_running(to) {
            // It would never be asked, and would owe the answer for ever.
            return;
        }
        let question = self.network.ask(from, u64::MAX, to);
        self.schedule(1, to, Input::Request { from, id: question, bytes });
    }

    /// Asks a member's node to collect receipt-form cosignatures.
    pub fn collect_receipts(&mut self, code: MemberCode) {
        self.schedule(0, code, Input::CollectReceipts);
    }

    /// Lets so much virtual time pass.
    pub fn run(&mut self, milliseconds: i64) {
        self.run_until(self.now + milliseconds);
    }

    /// Lets virtual time pass until `end`, in milliseconds since 1970 began.
    pub fn run_until(&mut self, end: i64) {
        while let Some(entry) = self.agenda.first_entry() {
            let (at, _) = *entry.key();
            if at > end || self.watchman.violation().is_some() {
                break;
            }
            let (code, due) = entry.remove();
            self.now = at.max(self.now);
            self.step(code, due);
        }
        self.now = self.now.max(end);
    }

    /// A member's node, for looking.
    ///
    /// # Panics
    /// If it is not running.
    #[must_use]
    pub fn node(&self, code: MemberCode) -> &Node<M::Store> {
        self.machines[&code].node.as_ref().expect("the node is running")
    }

    /// Whether a member's node is running.
    #[must_use]
    pub fn is_running(&self, code: MemberCode) -> bool {
        self.machines.get(&code).is_some_and(|machine| machine.node.is_some())
    }

    /// What a member's keys open in what its running node holds.
    ///
    /// # Panics
    /// If it is not running.
    pub fn with_view<T>(&self, code: MemberCode, look: impl FnOnce(View<'_, M::Store>) -> T) -> T {
        look(self.node(code).view())
    }

    /// What a member's node told.
    #[must_use]
    pub fn events(&self, code: MemberCode) -> &[Event] {
        &self.machines[&code].events
    }

    /// What became of a submission.
    #[must_use]
    pub fn outcomes(&self, code: MemberCode, id: u64) -> Option<&[Outcome]> {
        self.machines[&code].outcomes.get(&id).map(Vec::as_slice)
    }

    /// Records that a member's node acknowledged to their submitter, ever.
    #[must_use]
    pub fn acknowledged(&self, code: MemberCode) -> BTreeSet<crate::encoding::ids::RecordId> {
        self.watchman.acknowledged(code)
    }

    /// All members.
    #[must_use]
    pub fn members(&self) -> Vec<MemberCode> {
        self.machines.keys().copied().collect()
    }

    /// A digest of everything that happened: the same for the same seed.
    #[must_use]
    pub fn trace(&self) -> Digest {
        self.trace
    }

    /// How many inputs nodes have taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Now {
        Now(self.now)
    }

    pub(super) fn machine(&mut self, code: MemberCode) -> &mut Machine<M> {
        self.machines.get_mut(&code).expect("a test names members of its world")
    }

    pub(super) fn schedule(&mut self, delay: i64, code: MemberCode, input: Input) {
        self.put(delay, code, Due::Input(input));
    }

    fn put(&mut self, delay: i64, code: MemberCode, due: Due) {
        self.sequence += 1;
        self.agenda.insert((self.now + delay, self.sequence), (code, due));
    }

    fn tick_in(&mut self, code: MemberCode, delay: i64) {
        let at = self.now + delay;
        self.machine(code).pace.tick_at = at;
        self.schedule(delay, code, Input::Tick);
    }

    fn step(&mut self, code: MemberCode, due: Due) {
        let now = self.now;
        let Some(machine) = self.machines.get_mut(&code).filter(|machine| machine.node.is_some()) else { return };
        let input = match due {
            Due::Input(Input::Tick) if machine.pace.tick_at != now => return,
            Due::Input(input) => input,
            Due::Flush => {
                machine.flushing = false;
                let node = machine.node.as_mut().expect("the node is running");
                // The planted fault says that it is durable, and does nothing.
                let empty = self.plant == Some(Plant::EmptyFlush);
                let finished = if empty { Ok(()) } else { machine.medium.finish_flush(node.store_mut()) };
                if let Err(error) = finished {
                    return self.stop(code, &error.to_string());
                }
                self.watchman.flushed(code);
                Input::Flushed
            }
        };
        if self.is_kept_from(code, &input) {
            return;
        }
        let is_tick = matches!(input, Input::Tick);
        self.steps += 1;
        self.trace = sha256_of(&[&self.trace.0, &now.to_be_bytes(), code.as_str().as_bytes(), trace_of(&input)]);
        let seed = self.random.array();
        let idle_tick_ms = self.idle_tick_ms;
        let machine = self.machine(code);
        let clock = Now(now + machine.clock_ahead_ms);
        let node = machine.node.as_mut().expect("the node is running");
        let effects = match node.handle(clock, seed, vec![input]) {
            Ok(effects) => effects,
            Err(error) => return self.stop(code, &error.to_string()),
        };
        let busy = effects.iter().any(is_progress);
        // What it waits for before its first signature it asks for again and again.
        let longest = if node.signing() == Signing::Starting { idle_tick_ms.min(STARTING_MS) } else { idle_tick_ms };
        let wait = machine.pace.next(is_tick, busy, longest);
        if let Some(wait) = wait.filter(|wait| is_tick || machine.pace.tick_at > now + wait) {
            self.tick_in(code, wait);
        }
        for effect in effects {
            self.perform(code, effect);
        }
        self.check_step(code);
    }

    /// A node that cannot promise anything any more has ended itself.
    fn stop(&mut self, code: MemberCode, why: &str) {
        self.machine(code).faults.push(why.to_owned());
        self.end(code, true);
    }

    fn perform(&mut self, code: MemberCode, effect: Effect) {
        if !self.is_running(code) {
            return;
        }
        if self.vanishes(code, &effect) {
            return;
        }
        let effect = self.tampered(code, effect);
        match effect {
            Effect::Gossip(bytes) => self.spread(code, &bytes),
            Effect::Verdict { id, verdict } => self.judge(code, id, verdict),
            Effect::Members | Effect::Published { .. } | Effect::Kept { .. } => {}
            Effect::Request { to, id, bytes } => {
                let delay = self.delay();
                if self.loses(code, to) || self.loses_body(&bytes) || !self.is_running(to) {
                    self.schedule(delay, code, Input::Failed { id });
                } else {
                    let question = self.network.ask(code, id, to);
                    self.network.carry(code, to, Carried::Request, bytes.len());
                    self.schedule(delay, to, Input::Request { from: code, id: question, bytes });
                }
            }
            Effect::Respond { id, bytes } => {
                if let Some((asker, number)) = self.network.answered(id) {
                    let delay = self.delay();
                    let input = if self.loses(code, asker) || self.loses_body(&bytes) {
                        Input::Failed { id: number }
                    } else {
                        self.network.carry(code, asker, Carried::Response, bytes.len());
                        let bytes = self.change_path(bytes);
                        Input::Response { from: code, id: number, bytes }
                    };
                    if self.doubles() {
                        let again = self.delay();
                        self.schedule(again, asker, input.clone());
                    }
                    self.schedule(delay, asker, input);
                }
            }
            Effect::Sign { id, with, messages, guard } => {
                let input = self.sign(code, id, with, &messages, &guard);
                self.schedule(0, code, input);
            }
            Effect::Check { id, checks } => {
                let ahead = self.machine(code).clock_ahead_ms != 0;
                let wrong = self.plant == Some(Plant::ClockDecides) && ahead;
                let hold = checks.iter().map(|check| !wrong && check.holds()).collect();
                self.schedule(0, code, Input::Checked { id, hold });
            }
            Effect::Flush => {
                let machine = self.machine(code);
                machine.flushing = true;
                let node = machine.node.as_mut().expect("it runs, as was checked");
                match machine.medium.begin_flush(node.store_mut()) {
                    Ok(()) => {
                        self.note_flush(code);
                        self.put(2, code, Due::Flush);
                    }
                    Err(error) => self.stop(code, &error.to_string()),
                }
            }
            Effect::Submitted { id, outcomes } => {
                self.note_outcomes(code, id, &outcomes);
                self.machine(code).outcomes.insert(id, outcomes);
            }
            Effect::Event(event) => {
                if !self.is_of_erased_lanes(&event) {
                    self.watchman.told(self.now, code, &event);
                }
                self.machine(code).events.push(event);
            }
        }
    }

    /// Gossip goes to everybody whom it can reach; those in whom it arrives hand it on to those whom it did not.
    fn spread(&mut self, code: MemberCode, bytes: &[u8]) {
        let bytes = self.change_on_the_way(code, bytes);
        let message = self.network.publish(code, &bytes);
        for to in self.members() {
            if to != code {
                self.pass(message, code, to, &bytes);
            }
        }
    }

    fn pass(&mut self, message: u64, from: MemberCode, to: MemberCode, bytes: &[u8]) {
        if self.loses(from, to) || !self.is_running(to) {
            return;
        }
        self.network.reached(message, to);
        let copies = 1 + u32::from(self.doubles());
        for _ in 0..copies {
            let delay = self.delay();
            self.network.carry(from, to, Carried::Gossip, bytes.len());
            self.schedule(delay, to, Input::Gossip { from, id: message, bytes: bytes.to_vec() });
        }
    }

    fn judge(&mut self, code: MemberCode, message: u64, verdict: Verdict) {
        let Some(known) = self.network.message(message) else { return };
        match verdict {
            Verdict::Accept => {
                let (bytes, missed): (Vec<u8>, Vec<MemberCode>) = {
                    let missed = self.machines.keys().filter(|member| !known.reached.contains(member));
                    (known.bytes.clone(), missed.copied().collect())
                };
                for to in missed {
                    self.pass(message, code, to, &bytes);
                }
            }
            Verdict::Ignore => {}
            Verdict::Reject => {
                let origin = known.origin;
                self.watchman.rejected(self.now, code, origin);
            }
        }
    }

    /// The signer: its guard is durable before the first signature, and refuses a second history.
    fn sign(
        &mut self,
        code: MemberCode,
        id: u64,
        with: SigningKey,
        messages: &[Vec<u8>],
        guard: &[(u64, Digest)],
    ) -> Input {
        let unguarded = self.plant == Some(Plant::NoGuard);
        let by_the_tree = self.plant.is_none() && self.watchman.trusts(code) && !self.watchman.has_forgiven(code);
        let machine = self.machine(code);
        if let SigningKey::Log(log) = with
            && !unguarded
        {
            if machine.guard_lost {
                return Input::NotSigned { id, reason: format!("the guard of log {log} is not on this machine") };
            }
            if let Err(reason) = machine.medium.guard(log, guard) {
                return Input::NotSigned { id, reason };
            }
        }
        let other;
        let key = match with {
            SigningKey::Log(log) if log.ordinal == 1 => &machine.keys.log,
            SigningKey::Log(log) => {
                other = machine.keys.log_key(log);
                &other
            }
            SigningKey::Witness => &machine.keys.witness,
        };
        let signatures: Vec<[u8; 64]> = messages.iter().map(|message| key.sign(message)).collect();
        if let SigningKey::Log(log) = with
            && by_the_tree
            && let Err(reason) = goes_by_the_tree(
                machine.signed.entry(log).or_default(),
                &examine::for_log(log, key.public().kid(), u64::MAX, messages, guard),
                &signatures,
            )
        {
            let what = format!("a signer that goes by the tree of {log} would refuse: {reason}");
            self.watchman.accuse("I8", self.now, code, what);
        }
        Input::Signed { id, signatures }
    }

    fn loses(&mut self, from: MemberCode, to: MemberCode) -> bool {
        self.network.is_apart(from, to)
            || self.network.is_muted(from, to)
            || self.random.below(100) < self.network.link.loss
    }

    fn doubles(&mut self) -> bool {
        self.network.link.twice > 0 && self.random.below(100) < self.network.link.twice
    }

    fn delay(&mut self) -> i64 {
        1 + i64::from(self.random.below(self.network.link.delay_ms.max(1)))
    }
}

/// What a signer that is a process of its own does beyond its guard: an honest node never asks it for what it would refuse.
fn goes_by_the_tree(
    signed: &mut SignedTree,
    asked: &Result<Asked, String>,
    signatures: &[[u8; 64]],
) -> Result<(), String> {
    let told = |error: crate::ledger::NotSigned| error.to_string();
    match asked {
        Err(reason) => Err(reason.clone()),
        Ok(Asked::Statements(all)) => all
            .iter()
            .zip(signatures)
            .try_for_each(|(statement, signature)| signed.grow(statement, signature).map_err(told)),
        Ok(Asked::Checkpoints(all)) => all.iter().try_for_each(|root| signed.claim(root).map_err(told)),
    }
}

/// Whether a node gets on: then it is soon asked again what there is to do. Questions alone may be asked in vain for weeks.
fn is_progress(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Gossip(_)
            | Effect::Sign { .. }
            | Effect::Flush
            | Effect::Submitted { .. }
            | Effect::Members
            | Effect::Published { .. }
    )
}

/// What of an input goes into the trace: its bytes, if it has any.
fn trace_of(input: &Input) -> &[u8] {
    match input {
        Input::Gossip { bytes, .. } | Input::Request { bytes, .. } | Input::Response { bytes, .. } => bytes,
        Input::Signed { signatures, .. } => signatures.as_flattened(),
        Input::Publish { file, .. } => file,
        Input::Tick
        | Input::Connected { .. }
        | Input::Disconnected { .. }
        | Input::Failed { .. }
        | Input::Submit { .. }
        | Input::Keep { .. }
        | Input::NotSigned { .. }
        | Input::Checked { .. }
        | Input::Flushed
        | Input::CollectReceipts
        | Input::Room(_)
        | Input::Ending => &[],
    }
}
