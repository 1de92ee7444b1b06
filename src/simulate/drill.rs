//! Drills: a machine is put back to an old backup, moved, cloned, or loses its disk; its log must get no second history, its ledger must come
//! back, and its member must log again in its next log.
//!
//! ```text
//! work ─▶ backup ─▶ more work, known to all ─▶ the accident ─▶ officers go on as if nothing had happened ─▶ the next log ─▶ everything
//! ```
//!
//! What is checked: the invariants at each step, and at the end all of them, the frontiers of all members; and what a drill adds: D1, the
//! member logs again; D2, every record that was acknowledged before the accident is at every member; D3, those of its own that a backup
//! holds the lanes for open again at the member.

use std::fmt;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::identity::{LogEntry, SignedManifest};
use crate::ledger::Store as _;
use crate::protocol::{Outcome, Settings, Signing};
use crate::record::fixture::notification_from;

use super::Link;
use super::federation::Keys;
use super::medium::{Harm, Medium};
use super::plant::Plant;
use super::watchman::Violation;
use super::world::{FOUNDED, World};

const MINUTE: i64 = 60_000;
const MEMBERS: [&str; 6] = ["GE", "TR", "LB", "MZ", "FR", "DE"];
const GOOD: Link = Link { loss: 0, twice: 0, delay_ms: 50 };
/// As in production, with fewer signs of life.
const SETTINGS: Settings = Settings {
    cosign_interval_ms: 1_000,
    heartbeat_ms: 6 * 60 * MINUTE,
    sync_interval_ms: MINUTE,
    acknowledge_after_ms: 1_000,
    lane_proof_interval_ms: 60 * MINUTE,
};
/// Longer than a node waits for peers that do not answer.
const SILENCE: i64 = 12 * MINUTE;

/// What happens to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accident {
    /// Its data go back to a backup; the guard stays.
    OldBackup,
    /// A backup is put back onto another machine: there is no guard.
    NewMachine,
    /// The whole machine goes back to a snapshot, its guard as well.
    Snapshot,
    /// A clone of the whole machine, as it was at the backup, runs in its place for a while; then the machine itself again.
    Clone,
    /// Its disk is lost.
    LostDisk,
}

impl Accident {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::OldBackup, Self::NewMachine, Self::Snapshot, Self::Clone, Self::LostDisk];

    /// Whether the machine signs nothing afterwards even if nobody is within reach: its guard is intact, or gone.
    fn is_safe_alone(self) -> bool {
        matches!(self, Self::OldBackup | Self::NewMachine | Self::LostDisk)
    }
}

impl fmt::Display for Accident {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OldBackup => "old backup",
            Self::NewMachine => "new machine",
            Self::Snapshot => "snapshot",
            Self::Clone => "clone",
            Self::LostDisk => "lost disk",
        })
    }
}

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct Drilled {
    /// The seed.
    pub seed: u64,
    /// What happened.
    pub accident: Accident,
    /// Members.
    pub members: usize,
    /// Statements by which the machine was behind when it started again.
    pub behind: u64,
    /// Whether nobody was within reach then.
    pub alone: bool,
    /// Records of officers that were refused, or not answered before the node was stopped.
    pub not_logged: u64,
    /// Whether the member had to open its next log.
    pub next_log: bool,
    /// Records acknowledged in all.
    pub acknowledged: usize,
    /// Inputs that nodes have taken.
    pub steps: u64,
    /// Virtual time that passed, in milliseconds.
    pub virtual_ms: i64,
    /// The digest of everything that happened.
    pub trace: Digest,
    /// What did not hold, if something did not.
    pub violation: Option<Violation>,
}

struct Drill<M: Medium> {
    world: World<M>,
    dice: Randomness,
    members: Vec<MemberCode>,
    /// Whose machine it is.
    member: MemberCode,
    submitted: u64,
    /// Submissions to the machine after the accident.
    late: Vec<u64>,
}

/// Runs the drill of `seed` on media of the kind `M`, with a fault put in on purpose or without.
#[must_use]
pub fn run<M: Medium>(seed: u64, plant: Option<Plant>) -> Drilled {
    #[cfg(feature = "simulate")]
    crate::identity::known::remember(!seed.is_multiple_of(100));
    let mut seed_bytes = [0x64; 32];
    seed_bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let mut dice = Randomness::new(seed_bytes);
    // By turns, so that a few seeds have all of them.
    let accident = Accident::ALL[usize::try_from(seed % Accident::ALL.len() as u64).unwrap_or(0)];
    let count = 3 + dice.below(4) as usize;
    let members: Vec<MemberCode> = MEMBERS[..count].iter().map(|code| code.parse().expect("a member code")).collect();
    let member = *dice.one_of(&members);
    let mut world = World::<M>::prepare(seed, &members, GOOD, SETTINGS);
    world.set_idle_tick(MINUTE);
    world.set_plant(plant);
    world.watch();
    members.iter().for_each(|member| world.start(*member));
    let drill = Drill { world, dice, members, member, submitted: 0, late: Vec::new() };
    drill.run(seed, accident, plant)
}

impl<M: Medium> Drill<M> {
    fn run(mut self, seed: u64, accident: Accident, plant: Option<Plant>) -> Drilled {
        self.world.run(5 * MINUTE);
        self.work(3);
        let backup = self.world.backup(self.member);
        let saved = self.size(self.member);
        self.work(5);
        if self.dice.once_in(3) {
            self.world.crash(self.member);
            self.world.start(self.member);
        }
        self.wait_until_known_to_all();
        let behind = self.size(self.member) - saved;
        let before = self.world.acknowledged(self.member);

        // A planted fault strikes where nothing else holds.
        let dark = matches!(plant, Some(Plant::NoGuard | Plant::NoEcho));
        let alone = dark || accident.is_safe_alone() && self.dice.once_in(3);
        self.set_link();
        self.reach(!alone);
        let original = self.strike(accident, &backup, saved);
        self.world.start(self.member);
        self.officers_go_on();
        self.reach(true);
        self.world.run(SILENCE);
        if let Some(original) = original {
            self.stop();
            self.world.put_machine_back(self.member, original);
            self.world.start(self.member);
            self.officers_go_on();
        }
        if accident.is_safe_alone() && self.dice.once_in(2) {
            // Started once more, with what it has fetched on its disk, and nobody there.
            self.reach(false);
            self.stop();
            self.world.start(self.member);
            self.officers_go_on();
            self.reach(true);
            self.world.run(2 * MINUTE);
        }
        self.world.set_link(GOOD);
        self.world.run(SILENCE);
        let next_log = self.has_ended();
        if next_log {
            self.open_next_log();
        }
        self.log_again(next_log);
        self.world.run(30 * MINUTE);
        self.check(&before, accident);
        let not_logged = self.late.iter().filter(|id| !self.is_logged(**id)).count() as u64;
        Drilled {
            seed,
            accident,
            members: self.members.len(),
            behind,
            alone,
            not_logged,
            next_log,
            acknowledged: self.members.iter().map(|member| self.world.acknowledged(*member).len()).sum(),
            steps: self.world.steps(),
            virtual_ms: self.world.now().0 - FOUNDED * 1000,
            trace: self.world.trace(),
            violation: self.world.violation().cloned(),
        }
    }

    /// Everybody logs some records, a few minutes apart.
    fn work(&mut self, most: u32) {
        for member in self.members.clone() {
            for _ in 0..self.dice.below(most + 1) {
                self.submit(member);
                let pause = i64::from(self.dice.below(90_000));
                self.world.run(pause);
            }
        }
        self.world.run(2 * MINUTE);
    }

    fn submit(&mut self, member: MemberCode) -> u64 {
        self.submitted += 1;
        let other = self.members.iter().copied().find(|other| *other != member).expect("there are three at least");
        let now = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027");
        let number = usize::try_from(self.submitted).unwrap_or(usize::MAX);
        if self.world.is_running(member) {
            self.world.submit(member, self.submitted, vec![notification_from(member, other.as_str(), number, now)]);
        }
        self.submitted
    }

    /// At once, while the node asks its peers, and once it must have its answer.
    fn officers_go_on(&mut self) {
        for wait in [0, 20_000, 2 * MINUTE, SILENCE] {
            self.world.run(wait);
            let id = self.submit(self.member);
            self.late.push(id);
        }
        self.world.run(SILENCE);
    }

    fn size(&self, of: MemberCode) -> u64 {
        let log = LogId::first(self.member);
        if self.world.is_running(of) { self.world.node(of).store().size(&log) } else { 0 }
    }

    /// Who is asked must be able to warn: what nobody else holds, nobody can tell.
    fn wait_until_known_to_all(&mut self) {
        for _ in 0..60 {
            self.world.run(MINUTE);
            let size = self.size(self.member);
            if self.members.iter().all(|other| self.size(*other) == size)
                && self.world.node(self.member).status().waiting == 0
            {
                return;
            }
        }
    }

    fn set_link(&mut self) {
        let link = Link {
            loss: *self.dice.one_of(&[0, 0, 5, 20, 40]),
            twice: *self.dice.one_of(&[0, 0, 5]),
            delay_ms: *self.dice.one_of(&[20, 500, 3_000]),
        };
        self.world.set_link(link);
    }

    /// Whether the machine and all others reach each other.
    fn reach(&mut self, reach: bool) {
        for other in self.members.clone().into_iter().filter(|other| *other != self.member) {
            self.world.part(self.member, other, !reach);
        }
    }

    fn stop(&mut self) {
        if self.world.is_running(self.member) {
            self.world.crash(self.member);
        }
    }

    /// The accident; gives the machine that a clone stands in for.
    fn strike(&mut self, accident: Accident, backup: &M, saved: u64) -> Option<M> {
        let member = self.member;
        self.stop();
        match accident {
            Accident::OldBackup => self.world.restore(member, backup),
            Accident::NewMachine => {
                self.world.restore(member, backup);
                self.world.lose_guard(member);
            }
            Accident::Snapshot => {
                self.world.restore(member, backup);
                self.world.rewind_guard(member, saved);
            }
            Accident::Clone => {
                let original = self.world.backup(member);
                self.world.put_machine_back(member, backup.clone());
                return Some(original);
            }
            Accident::LostDisk => {
                self.world.harm(member, Harm::LostDisk);
                self.world.lose_guard(member);
            }
        }
        None
    }

    fn has_ended(&self) -> bool {
        let machine = &self.world.machines[&self.member];
        let ended = |node: &crate::protocol::Node<M::Store>| matches!(node.status().signing, Signing::Ended(_));
        machine.guard_lost || machine.node.as_ref().is_none_or(ended)
    }

    /// The root signs a manifest with the member's next log, and the operator restarts the node with it.
    fn open_next_log(&mut self) {
        let member = self.member;
        if !self.world.is_running(member) {
            return;
        }
        let federation = self.world.node(member).federation().clone();
        let keys = Keys::of(member);
        let log = LogId { member, ordinal: 2 };
        let Some(mut draft) = federation.manifest(member).map(|held| held.next_draft(self.world.now().time())) else {
            return;
        };
        draft.logs.push(LogEntry { key: keys.log_key(log).public(), opened: draft.issued_at, closed: None });
        let manifest = draft.check().expect("a simulated manifest is within bounds");
        let signed = SignedManifest::sign(manifest, federation.id(), &keys.root);
        if let Ok(Some(newer)) = federation.with_manifest(signed) {
            self.world.federation = newer.clone();
            self.world.give_federation(member, newer);
            self.world.sign_from_now_on(member, log);
            self.stop();
            self.world.start(member);
            self.world.run(SILENCE);
        }
    }

    /// D1: the member logs again, in the log that it should.
    fn log_again(&mut self, next_log: bool) {
        let id = self.submit(self.member);
        self.world.run(5 * MINUTE);
        let ordinal = if next_log { 2 } else { 1 };
        let outcomes = self.world.outcomes(self.member, id).unwrap_or_default();
        let logged = |outcome: &Outcome| matches!(outcome, Outcome::Logged { id, .. } if id.log.ordinal == ordinal);
        if !outcomes.iter().any(logged) {
            self.accuse("D1", format!("does not log again, in log {ordinal}: {outcomes:?}"));
        }
    }

    fn is_logged(&self, id: u64) -> bool {
        let outcomes = self.world.outcomes(self.member, id).unwrap_or_default();
        outcomes.iter().any(|outcome| matches!(outcome, Outcome::Logged { .. }))
    }

    fn check(&mut self, before: &std::collections::BTreeSet<crate::encoding::ids::RecordId>, accident: Accident) {
        if self.world.violation().is_some() {
            return;
        }
        self.world.check_everything();
        for id in before {
            for holder in self.members.clone() {
                let held = self.world.with_view(holder, |view| view.record(*id).ok().flatten());
                if held.is_none_or(|record| !record.audited || record.flaw.is_some()) {
                    self.accuse("D2", format!("{id} was acknowledged before the accident and is not at {holder}"));
                }
            }
            let opens = self.world.with_view(self.member, |view| view.open(*id).ok().flatten());
            if accident != Accident::LostDisk && opens.is_none_or(|body| body.content.is_empty()) {
                self.accuse("D3", format!("{id} does not open again at its own author"));
            }
        }
    }

    fn accuse(&mut self, invariant: &'static str, what: String) {
        let now = self.world.now().0;
        self.world.watchman.accuse(invariant, now, self.member, what);
    }
}

impl<M: Medium> World<M> {
    /// Puts a whole machine in the place of a member's, with its guard.
    fn put_machine_back(&mut self, code: MemberCode, medium: M) {
        self.machine(code).medium = medium;
        self.watchman.forgive(code);
    }

    /// Takes the guard away, as on a machine onto which a backup was put.
    fn lose_guard(&mut self, code: MemberCode) {
        self.machine(code).guard_lost = true;
        self.watchman.forgive(code);
    }

    /// From its next start on a member's node signs this log, whose guard was begun where its key was drawn.
    fn sign_from_now_on(&mut self, code: MemberCode, log: LogId) {
        let machine = self.machine(code);
        machine.log = log;
        machine.guard_lost = false;
    }
}
