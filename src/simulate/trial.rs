//! One seed, from its plan to a verdict.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::identity::SignedManifest;
use crate::ledger::Store as _;
use crate::protocol::Settings;
use crate::record::fixture::{erasure_from, grant_from, notification_from};

use super::federation::Keys;
use super::medium::{Harm, Medium};
use super::plan::{Action, Plan};
use super::plant::Plant;
use super::world::{FOUNDED, World};
use super::{Link, Violation};

/// A network in good order.
const GOOD: Link = Link { loss: 0, twice: 0, delay_ms: 50 };
/// From the end of the trouble until everything must be in order again: a dozen comparisons, and the retries of the slowest.
const REPAIR_MS: i64 = 36 * 3_600_000;
/// The rhythm of weeks: the same rules as in production, fewer signs of life and comparisons.
const SETTINGS: Settings = Settings {
    cosign_interval_ms: 1_000,
    heartbeat_ms: 72 * 3_600_000,
    sync_interval_ms: 3 * 3_600_000,
    acknowledge_after_ms: 1_000,
    lane_proof_interval_ms: 2 * 24 * 3_600_000,
};
/// The longest time without a tick, when nothing happens.
const IDLE_TICK_MS: i64 = 3_600_000;

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Members, and how many of them were dishonest.
    pub members: usize,
    /// Dishonest members.
    pub liars: usize,
    /// Virtual time that passed, in milliseconds.
    pub virtual_ms: i64,
    /// Inputs that nodes have taken.
    pub steps: u64,
    /// Comparisons that were made.
    pub checks: u64,
    /// Records acknowledged to submitters.
    pub acknowledged: usize,
    /// What happened, by kind, and how often.
    pub happened: BTreeMap<&'static str, u64>,
    /// The digest of everything that happened.
    pub trace: Digest,
    /// The invariant that did not hold, if one did not.
    pub violation: Option<Violation>,
}

/// Runs what `seed` stands for on media of the kind `M`, with a fault put in on purpose or without.
#[must_use]
pub fn run<M: Medium>(seed: u64, plant: Option<Plant>) -> Outcome {
    run_plan::<M>(&Plan::new(seed, plant), plant)
}

/// Runs a plan.
#[must_use]
pub fn run_plan<M: Medium>(plan: &Plan, plant: Option<Plant>) -> Outcome {
    #[cfg(feature = "simulate")]
    crate::identity::known::remember(!plan.checks_all_signatures);
    let mut trial = Trial::<M>::new(plan, plant);
    for (at, action) in &plan.timeline {
        trial.run_until(*at);
        if trial.world.violation().is_some() {
            break;
        }
        trial.act(action);
    }
    trial.run_until(plan.ends);
    trial.heal();
    trial.run_until(plan.ends + REPAIR_MS);
    trial.note_readers();
    if trial.world.violation().is_none() {
        trial.world.check_everything();
    }
    trial.outcome()
}

struct Trial<'a, M: Medium> {
    plan: &'a Plan,
    world: World<M>,
    /// Who is to be started when.
    starts: BTreeSet<(i64, MemberCode)>,
    backups: BTreeMap<MemberCode, (M, u64)>,
    submissions: Vec<(MemberCode, u64, Vec<MemberCode>)>,
    /// Grants: who, in which submission, what, to whom.
    grants: Vec<(MemberCode, u64, RecordId, MemberCode)>,
    /// Orders to erase: who, in which submission, what.
    orders: Vec<(MemberCode, u64, RecordId)>,
    happened: BTreeMap<&'static str, u64>,
}

impl<'a, M: Medium> Trial<'a, M> {
    fn new(plan: &'a Plan, plant: Option<Plant>) -> Self {
        let mut world = World::prepare(plan.seed, &plan.members, plan.link, SETTINGS);
        world.set_idle_tick(IDLE_TICK_MS);
        world.set_plant(plant);
        world.watch();
        for (liar, deceit) in &plan.liars {
            world.set_deceit(*liar, *deceit);
        }
        plan.members.iter().for_each(|member| world.start(*member));
        Self {
            plan,
            world,
            starts: BTreeSet::new(),
            backups: BTreeMap::new(),
            submissions: Vec::new(),
            grants: Vec::new(),
            orders: Vec::new(),
            happened: BTreeMap::new(),
        }
    }

    /// Lets time pass up to `at` after the start, and starts those whose time has come.
    fn run_until(&mut self, at: i64) {
        while let Some((when, member)) = self.starts.first().copied() {
            if when > at {
                break;
            }
            self.starts.pop_first();
            self.world.run_until(FOUNDED * 1000 + when);
            self.start(member);
        }
        self.world.run_until(FOUNDED * 1000 + at);
    }

    fn elapsed(&self) -> i64 {
        self.world.now().0 - FOUNDED * 1000
    }

    fn note(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    fn start(&mut self, member: MemberCode) {
        if !self.world.is_running(member) {
            self.world.start(member);
        }
    }

    /// Whether a member's log may be taken back in time: everybody is in reach and knows all of it, so that whoever is asked can warn.
    fn is_known_to_all(&self, member: MemberCode) -> bool {
        let log = LogId::first(member);
        let size = |of: MemberCode| self.world.node(of).store().size(&log);
        self.plan.members.iter().all(|other| {
            self.world.is_running(*other)
                && (self.plan.is_liar(*other) || size(*other) == size(member))
                && self.world.can_reach(member, *other)
        }) && self.plan.liars.is_empty()
            && self.world.node(member).status().waiting == 0
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Submit { member, destinations, first } => self.submit(*member, destinations, *first),
            Action::Grant { member, reader } => self.grant(*member, *reader),
            Action::Erase(member) => self.erase(*member),
            Action::Crash { member, power, down_ms, harm } => {
                if !self.world.is_running(*member) {
                    return;
                }
                self.note(if *power { "power losses" } else { "kills" });
                if *power {
                    self.world.lose_power(*member)
                } else {
                    self.world.crash(*member)
                }
                if let Some(harm) = harm
                    && self.world.harm(*member, *harm)
                {
                    self.note(named(*harm));
                }
                self.world.plant_while_down(*member, false);
                self.starts.insert((self.elapsed() + down_ms, *member));
            }
            Action::Restart(member) => {
                self.note("restarts");
                self.world.restart(*member);
            }
            Action::Fail(member, harm) => {
                if self.world.harm(*member, *harm) {
                    self.note(named(*harm));
                }
                // Whenever it strikes, somebody looks after the machine a while later.
                self.starts.insert((self.elapsed() + 3_600_000, *member));
            }
            Action::Part { group, parted } => {
                self.note("partitions");
                for one in group {
                    for other in self.plan.members.iter().filter(|other| !group.contains(other)) {
                        self.world.part(*one, *other, *parted);
                    }
                }
            }
            Action::Mute { from, to, muted } => {
                self.note("one-way partitions");
                self.world.mute(*from, *to, *muted);
            }
            Action::Link(link) => {
                self.note("bad networks");
                self.world.set_link(*link);
            }
            Action::Clock(member, ahead_ms) => {
                self.note("clock jumps");
                self.world.set_clock(*member, *ahead_ms);
            }
            Action::Backup(member) => {
                let size = self.log_size(*member);
                self.backups.insert(*member, (self.world.backup(*member), size));
            }
            Action::Restore(member) => self.restore(*member, false),
            Action::RestoreMachine(member) => self.restore(*member, true),
            Action::LoseDisk(member) => {
                if self.world.is_running(*member)
                    && self.is_known_to_all(*member)
                    && self.world.leaves_a_copy(*member, &M::new(0))
                {
                    self.note("disks lost");
                    self.world.crash(*member);
                    self.world.lose_disk(*member);
                    self.start(*member);
                }
            }
            Action::Manifest(member) => self.new_manifest(*member),
            Action::Mischief(member) => {
                self.note("mischief");
                self.world.make_mischief(*member);
            }
        }
    }

    fn submit(&mut self, member: MemberCode, destinations: &[MemberCode], first: usize) {
        if !self.world.is_running(member) {
            return;
        }
        self.note("submissions");
        let now = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027");
        let other = |named: MemberCode| {
            let stranger = |other: &&MemberCode| **other != named && **other != member;
            self.plan.members.iter().find(stranger).copied().unwrap_or(named)
        };
        let records = (first..)
            .zip(destinations)
            .map(|(number, named)| {
                let destination = self.world.destination_of(*named, other(*named));
                notification_from(member, destination.as_str(), number, now)
            })
            .collect();
        let id = self.submissions.len() as u64;
        self.world.submit(member, id, records);
        self.submissions.push((member, id, destinations.to_vec()));
    }

    /// Grants the consignment that a member announced first.
    fn grant(&mut self, member: MemberCode, reader: MemberCode) {
        let first = self.world.acknowledged(member).first().copied();
        let Some(consignment) = first.filter(|_| member != reader && self.world.is_running(member)) else { return };
        self.note("grants");
        let now = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027");
        let id = self.submissions.len() as u64;
        self.world.note_grant(consignment, reader);
        self.world.submit(member, id, vec![grant_from(member, consignment, reader, now)]);
        self.submissions.push((member, id, vec![reader]));
        self.grants.push((member, id, consignment, reader));
    }

    /// Orders the erasure of the record that a member has logged last and has not ordered erased.
    fn erase(&mut self, member: MemberCode) {
        let acknowledged = self.world.acknowledged(member);
        let is_ordered = |id: &RecordId| self.orders.iter().any(|(_, _, of)| of == id);
        let last =
            acknowledged.iter().rev().find(|id| !is_ordered(id) && self.world.is_erasable(member, **id)).copied();
        let Some(erased) = last.filter(|_| self.world.is_running(member)) else { return };
        self.note("erasures");
        let now = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027");
        let id = self.submissions.len() as u64;
        self.world.submit(member, id, vec![erasure_from(member, erased, now)]);
        self.submissions.push((member, id, Vec::new()));
        self.orders.push((member, id, erased));
    }

    fn restore(&mut self, member: MemberCode, whole_machine: bool) {
        let Some((backup, size)) = self.backups.get(&member).cloned() else { return };
        let may = matches!(self.world.plant(), Some(Plant::NoGuard | Plant::NoEcho))
            || self.world.is_running(member)
                && (!whole_machine || self.is_known_to_all(member))
                && self.world.leaves_a_copy(member, &backup);
        if !may {
            return;
        }
        self.note(if whole_machine { "snapshots restored" } else { "backups restored" });
        self.world.crash(member);
        self.world.restore(member, &backup);
        if whole_machine {
            self.world.rewind_guard(member, size);
        }
        self.start(member);
    }

    fn log_size(&self, member: MemberCode) -> u64 {
        if self.world.is_running(member) { self.world.node(member).store().size(&LogId::first(member)) } else { 0 }
    }

    fn new_manifest(&mut self, member: MemberCode) {
        if !self.world.is_running(member) {
            return;
        }
        let federation = self.world.node(member).federation().clone();
        let at = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027").plus(self.elapsed() / 1000);
        let Some(mut draft) = federation.manifest(member).map(|manifest| manifest.next_draft(at)) else { return };
        draft.transports[0].addresses = vec![format!("/ip4/192.0.2.{}/udp/4310/quic-v1", 1 + self.elapsed() % 250)];
        let Ok(manifest) = draft.check() else { return };
        let signed = SignedManifest::sign(manifest, federation.id(), &Keys::of(member).root);
        if let Ok(Some(newer)) = federation.with_manifest(signed) {
            self.note("manifests");
            self.world.give_federation(member, newer);
            self.world.crash(member);
            self.start(member);
        }
    }

    /// The trouble is over: everybody runs, can reach everybody, and knows the time.
    fn heal(&mut self) {
        self.starts.clear();
        self.world.set_link(GOOD);
        self.world.mend_network();
        for member in &self.plan.members {
            self.world.set_clock(*member, 0);
            self.world.mend_disk(*member);
            self.start(*member);
        }
    }

    fn note_readers(&mut self) {
        for (member, id, destinations) in std::mem::take(&mut self.submissions) {
            self.world.note_readers(member, id, &destinations);
        }
        for (member, id, consignment, reader) in std::mem::take(&mut self.grants) {
            self.world.note_granted(member, id, consignment, reader);
        }
        for (member, id, erased) in std::mem::take(&mut self.orders) {
            self.world.note_order(member, id, erased);
        }
    }

    fn outcome(self) -> Outcome {
        let acknowledged = self.plan.members.iter().map(|member| self.world.acknowledged(*member).len()).sum();
        Outcome {
            seed: self.plan.seed,
            members: self.plan.members.len(),
            liars: self.plan.liars.len(),
            virtual_ms: self.elapsed(),
            steps: self.world.steps(),
            checks: self.world.checks(),
            acknowledged,
            happened: self.happened,
            trace: self.world.trace(),
            violation: self.world.violation().cloned(),
        }
    }
}

impl<M: Medium> World<M> {
    fn can_reach(&self, one: MemberCode, other: MemberCode) -> bool {
        [(one, other), (other, one)]
            .iter()
            .all(|(from, to)| !self.network.is_apart(*from, *to) && !self.network.is_muted(*from, *to))
    }

    fn plant(&self) -> Option<Plant> {
        self.plant
    }

    /// Does harm to a member's disk. Rot that takes the last copy of a statement is not done: then there is none.
    pub fn harm(&mut self, code: MemberCode, harm: Harm) -> bool {
        let mut random = Randomness::new(self.random.array());
        let rots = matches!(harm, Harm::Rot | Harm::Misdirected);
        let before = rots.then(|| self.backup(code));
        self.machine(code).medium.hurt(harm, &mut random);
        let Some(before) = before.filter(|_| !self.leaves_a_copy(code, &self.machines[&code].medium)) else {
            return true;
        };
        self.machine(code).medium = before;
        false
    }

    /// Whether every statement that an honest member's disk has lost is whole on another one, with `disk` in the place of a
    /// member's. A log whose author has gone back to a backup may have one copy left, and what nobody holds, nobody can heal.
    pub(super) fn leaves_a_copy(&self, code: MemberCode, disk: &M) -> bool {
        let honest = self.machines.iter().filter(|(member, _)| self.watchman.trusts(**member));
        let disks: Vec<&M> =
            honest.map(|(member, machine)| if *member == code { disk } else { &machine.medium }).collect();
        let lost: BTreeSet<(RecordId, Digest)> = disks.iter().flat_map(|disk| disk.lost()).collect();
        lost.iter().all(|(id, leaf)| disks.iter().any(|disk| disk.holds(*id, leaf)))
    }

    /// Puts an empty disk in the place of a member's.
    pub fn lose_disk(&mut self, code: MemberCode) {
        self.harm(code, Harm::LostDisk);
        self.machine(code).guard_lost = true;
        self.watchman.forgive(code);
    }

    fn mend_disk(&mut self, code: MemberCode) {
        self.machine(code).medium.mend();
    }

    fn mend_network(&mut self) {
        self.network.unmute_all();
        let members = self.members();
        for one in &members {
            for other in members.iter().filter(|other| *other > one) {
                self.part(*one, *other, false);
            }
        }
    }
}

fn named(harm: Harm) -> &'static str {
    match harm {
        Harm::Full(_) => "full disks",
        Harm::FailedSync => "failed fsyncs",
        Harm::LostIndex => "indexes lost",
        Harm::LostDisk => "disks lost",
        Harm::Rot => "bit rot",
        Harm::Misdirected => "misdirected writes",
        Harm::UnseenRot | Harm::UnseenHole | Harm::UnseenCut => "planted",
    }
}
