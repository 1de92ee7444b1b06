//! One member is cut off for weeks while the others log, and comes back: how long until its ledger is theirs and everything addressed
//! to it is open, and how many bytes pass its links meanwhile, in relation to those that it missed.
//!
//! Time is what the rounds of questions and answers take at the delay of the network: the bandwidth of links and the speed of
//! machines are not modelled. Bytes are those of whole messages, as the core hands them to the transport.

use std::collections::BTreeSet;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::{Key, MarkKind, Store, StoreError};
use crate::protocol::{Event, Outcome, Settings};
use crate::record::fixture::notification_from;

use super::network::Traffic;
use super::steady::Steady;
use super::world::FOUNDED;
use super::{Link, World};

/// A network in good order.
const LINK: Link = Link { loss: 0, twice: 0, delay_ms: 50 };
/// Records submitted at once: the largest group that is signed as one.
const GROUP: usize = 256;
/// How often is looked whether it has all, in milliseconds.
const LOOK_MS: i64 = 10;
/// How long the members may take to agree, in milliseconds, before it is given up.
const PATIENCE_MS: i64 = 6 * 3_600_000;
/// Statements read at once.
const PAGE: usize = 4096;

/// What is to happen.
#[derive(Clone, Debug)]
pub struct Absence {
    /// From which everything comes that is left to chance.
    pub seed: u64,
    /// Those who log, in turn.
    pub authors: Vec<MemberCode>,
    /// Those who only listen.
    pub listeners: Vec<MemberCode>,
    /// Who is cut off.
    pub away: MemberCode,
    /// For how long, in milliseconds.
    pub lasts_ms: i64,
    /// Records logged by the others meanwhile, spread evenly.
    pub records: usize,
    /// One in so many of them is addressed to who is away, the others to another author; 0: none.
    pub addressed_every: usize,
    /// The rhythm of all nodes.
    pub settings: Settings,
    /// The longest time between two ticks of a node to which nothing happens, in milliseconds.
    pub idle_tick_ms: i64,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Records are logged while one is away.
    Away,
    /// It is back, and fetches what it missed.
    Back,
    /// What it holds is compared with what the others do.
    Compared,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Return {
    /// Records logged while it was away.
    pub logged: usize,
    /// Of these, addressed to it.
    pub addressed: usize,
    /// Statements that it missed, those that are no records among them.
    pub statements: u64,
    /// Their bytes.
    pub statement_bytes: u64,
    /// Bytes of the bodies that are addressed to it.
    pub body_bytes: u64,
    /// From the end of the partition until it holds and has verified all of these statements, in milliseconds.
    pub held_ms: Option<i64>,
    /// Until it has opened all bodies that are addressed to it.
    pub opened_ms: Option<i64>,
    /// Until these are acknowledged, and every member has everybody's cosignature over the very ledger that it holds.
    pub agreed_ms: Option<i64>,
    /// What passed its links from the end of the partition until then: to it, and from it.
    pub traffic: (Traffic, Traffic),
    /// What is not as it must be: nothing, if all is well.
    pub faults: Vec<String>,
    /// Inputs that all nodes took.
    pub steps: u64,
    /// The digest of everything that happened.
    pub trace: Digest,
}

impl Return {
    /// The bytes that it missed.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.statement_bytes + self.body_bytes
    }

    /// The bytes that passed its links for a thousand that it missed.
    #[must_use]
    pub fn per_mille(&self) -> u64 {
        self.traffic.0.plus(&self.traffic.1).bytes() * 1000 / self.missed().max(1)
    }
}

/// Lets it happen. `progress` is told how many records were logged, fetched or compared.
#[must_use]
pub fn run(plan: &Absence, progress: &mut dyn FnMut(Stage, u64)) -> Return {
    let mut trial = Trial::new(plan);
    trial.begin();
    let before = trial.sizes();
    trial.log_records(progress);
    trial.note_outcomes();
    let missed = trial.sizes();
    let back = trial.come_back(&missed, progress);
    let (statements, statement_bytes) = trial.compare(&before, &missed, progress);
    let body_bytes = trial.addressed.iter().map(|id| trial.body_bytes(*id)).sum();
    Return {
        logged: trial.logged,
        addressed: trial.addressed.len(),
        statements,
        statement_bytes,
        body_bytes,
        held_ms: back.held_ms,
        opened_ms: back.opened_ms,
        agreed_ms: back.agreed_ms,
        traffic: back.traffic,
        faults: trial.faults,
        steps: trial.world.steps(),
        trace: trial.world.trace(),
    }
}

struct Trial<'a> {
    plan: &'a Absence,
    world: World<Steady>,
    /// Who submitted what for whom.
    submissions: Vec<(MemberCode, Vec<MemberCode>)>,
    logged: usize,
    addressed: BTreeSet<RecordId>,
    faults: Vec<String>,
}

/// How it came back.
#[derive(Default)]
struct Back {
    held_ms: Option<i64>,
    opened_ms: Option<i64>,
    agreed_ms: Option<i64>,
    traffic: (Traffic, Traffic),
}

impl<'a> Trial<'a> {
    fn new(plan: &'a Absence) -> Self {
        let members: Vec<MemberCode> = plan.authors.iter().chain(&plan.listeners).copied().chain([plan.away]).collect();
        let mut world = World::prepare(plan.seed, &members, LINK, plan.settings);
        world.set_idle_tick(plan.idle_tick_ms);
        members.iter().for_each(|member| world.start(*member));
        Self { plan, world, submissions: Vec::new(), logged: 0, addressed: BTreeSet::new(), faults: Vec::new() }
    }

    /// Everybody has met everybody and has lanes to everybody, and then one is cut off.
    fn begin(&mut self) {
        let begun = self.world.now().0;
        while !self.agree() && self.world.now().0 - begun < PATIENCE_MS {
            self.world.run(1_000);
        }
        if !self.agree() {
            self.faults.push("the members did not agree at the start".to_owned());
        }
        self.part(true);
    }

    fn part(&mut self, parted: bool) {
        for other in self.plan.authors.iter().chain(&self.plan.listeners) {
            self.world.part(self.plan.away, *other, parted);
        }
    }

    fn log_records(&mut self, progress: &mut dyn FnMut(Stage, u64)) {
        let begun = self.world.now().0;
        let groups = self.plan.records.div_ceil(GROUP);
        let at = |group: usize| {
            let part = i128::from(self.plan.lasts_ms) * group as i128 / groups.max(1) as i128;
            begun + i64::try_from(part).unwrap_or(i64::MAX)
        };
        let moments: Vec<i64> = (0..groups).map(at).collect();
        for (group, at) in moments.into_iter().enumerate() {
            self.world.run_until(at);
            let numbers = group * GROUP..((group + 1) * GROUP).min(self.plan.records);
            progress(Stage::Away, numbers.start as u64);
            self.submit(group, numbers);
        }
        self.world.run_until(begun + self.plan.lasts_ms);
        progress(Stage::Away, self.plan.records as u64);
    }

    fn submit(&mut self, group: usize, numbers: std::ops::Range<usize>) {
        let authors = &self.plan.authors;
        let (author, other) = (authors[group % authors.len()], authors[(group + 1) % authors.len()]);
        let every = self.plan.addressed_every;
        let is_addressed = |number: usize| every > 0 && number.is_multiple_of(every);
        let destinations: Vec<MemberCode> =
            numbers.clone().map(|number| if is_addressed(number) { self.plan.away } else { other }).collect();
        let at = UnixTime::from_seconds(FOUNDED).expect("a moment in 2027");
        let records = numbers
            .zip(&destinations)
            .map(|(number, destination)| notification_from(author, destination.as_str(), number, at))
            .collect();
        self.world.submit(author, group as u64, records);
        self.submissions.push((author, destinations));
    }

    fn note_outcomes(&mut self) {
        for (group, (author, destinations)) in (0..).zip(std::mem::take(&mut self.submissions)) {
            let outcomes = self.world.outcomes(author, group).unwrap_or_default();
            for (outcome, destination) in outcomes.iter().zip(destinations) {
                let Outcome::Logged { id, .. } = outcome else { continue };
                self.logged += 1;
                if destination == self.plan.away {
                    self.addressed.insert(*id);
                }
            }
        }
        if self.logged != self.plan.records {
            self.faults.push(format!("{} of {} records were logged", self.logged, self.plan.records));
        }
    }

    /// How much each author has logged.
    fn sizes(&self) -> Vec<(LogId, u64)> {
        let logs = self.plan.authors.iter().chain(&self.plan.listeners).map(|member| LogId::first(*member));
        logs.map(|log| (log, self.world.node(log.member).store().size(&log))).collect()
    }

    fn come_back(&mut self, missed: &[(LogId, u64)], progress: &mut dyn FnMut(Stage, u64)) -> Back {
        let away = self.plan.away;
        let earlier = self.world.traffic_of(away);
        let mut told = self.world.events(away).len();
        let mut to_open = self.addressed.clone();
        let healed = self.world.now().0;
        self.part(false);
        let mut back = Back::default();
        while back.agreed_ms.is_none() && self.world.now().0 - healed < PATIENCE_MS {
            self.world.run(LOOK_MS);
            let elapsed = self.world.now().0 - healed;
            if back.held_ms.is_none() && self.verified(missed) {
                back.held_ms = Some(elapsed);
            }
            for event in &self.world.events(away)[told..] {
                if let Event::Opened { id, .. } = event {
                    to_open.remove(id);
                }
            }
            told = self.world.events(away).len();
            if back.opened_ms.is_none() && back.held_ms.is_some() && to_open.is_empty() {
                back.opened_ms = Some(elapsed);
            }
            if back.opened_ms.is_some() && self.agree() && self.has_acknowledged() {
                back.agreed_ms = Some(elapsed);
            }
            let held = missed.iter().map(|(log, _)| self.world.node(away).store().size(log)).sum();
            progress(Stage::Back, held);
        }
        if back.agreed_ms.is_none() {
            self.faults.push(format!("no agreement after {PATIENCE_MS} ms; {} bodies were not opened", to_open.len()));
        }
        let now = self.world.traffic_of(away);
        back.traffic = (now.0.since(&earlier.0), now.1.since(&earlier.1));
        back
    }

    /// Whether who was away vouches for so much of each log.
    fn verified(&self, sizes: &[(LogId, u64)]) -> bool {
        self.world.with_view(self.plan.away, |view| {
            sizes.iter().all(|(log, size)| view.audited(log).is_ok_and(|audited| audited >= *size))
        })
    }

    /// Whether nothing is left to be acknowledged or fetched by who was away.
    fn has_acknowledged(&self) -> bool {
        let marks = self.world.node(self.plan.away).store().marks(MarkKind::Inbox, None, 1);
        marks.is_ok_and(|marks| marks.is_empty())
    }

    /// Whether all members hold the same, and each has everybody's cosignature over it.
    fn agree(&self) -> bool {
        let members = self.world.members();
        members.iter().all(|member| {
            let status = self.world.node(*member).status();
            status.agreeing == members.len() && status.waiting == 0 && status.unaudited == 0
        })
    }

    /// Compares what who was away holds with what the authors do, statement for statement; gives the number of statements that it missed,
    /// and their bytes.
    fn compare(
        &mut self,
        before: &[(LogId, u64)],
        missed: &[(LogId, u64)],
        progress: &mut dyn FnMut(Stage, u64),
    ) -> (u64, u64) {
        let roots: BTreeSet<Digest> = self
            .world
            .members()
            .into_iter()
            .filter_map(|member| self.world.with_view(member, |view| view.frontier().ok().map(|all| all.root())))
            .collect();
        if roots.len() != 1 {
            self.faults.push(format!("{} different frontiers at the end", roots.len()));
        }
        let (mut count, mut bytes) = (0, 0);
        for ((log, from), (_, to)) in before.iter().zip(missed) {
            let mut at = *from;
            while at < *to {
                let page = usize::try_from(to - at).unwrap_or(usize::MAX).min(PAGE);
                let read = |member: MemberCode| -> Result<Vec<Vec<u8>>, StoreError> {
                    self.world.node(member).store().statements(log, at, page, usize::MAX)
                };
                let (theirs, held) = (read(log.member).unwrap_or_default(), read(self.plan.away).unwrap_or_default());
                if theirs.len() != page || theirs != held {
                    self.faults.push(format!("log {log} is not the same from statement {at} on"));
                    break;
                }
                at += page as u64;
                count += page as u64;
                bytes += theirs.iter().map(Vec::len).sum::<usize>() as u64;
                progress(Stage::Compared, count);
            }
        }
        match self.world.with_view(self.plan.away, |view| view.totals()) {
            Ok(totals) if totals.flagged + totals.outstanding == 0 => {}
            totals => self.faults.push(format!("not all is in order: {totals:?}")),
        }
        let missing = self.addressed.iter().filter(|id| self.body_bytes(**id) == 0).count();
        if missing > 0 {
            self.faults.push(format!("{missing} bodies are not held"));
        }
        (count, bytes)
    }

    /// The size of a body that who was away holds; 0 if it does not hold it.
    fn body_bytes(&self, id: RecordId) -> u64 {
        let store = self.world.node(self.plan.away).store();
        let size = |key: Key| store.get(&key).ok().flatten().map(|frame| frame.bytes.len() as u64);
        let Some(head) = size(Key::Head(id)) else { return 0 };
        head + (0..=u8::MAX).map_while(|index| size(Key::Compartment(id, index))).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(codes: &[&str]) -> Vec<MemberCode> {
        codes.iter().map(|code| code.parse().unwrap()).collect()
    }

    fn absence(records: usize, addressed_every: usize) -> Absence {
        Absence {
            seed: 1,
            authors: codes(&["GE", "TR"]),
            listeners: codes(&["W1"]),
            away: "MZ".parse().unwrap(),
            lasts_ms: 60 * 86_400_000,
            records,
            addressed_every,
            // Nothing is left of the rhythm that could bring what the return itself does not.
            settings: Settings { heartbeat_ms: 72 * 3_600_000, sync_interval_ms: 6 * 3_600_000, ..Settings::default() },
            idle_tick_ms: 3_600_000,
        }
    }

    #[test]
    fn who_was_away_for_60_days_fetches_what_it_missed_and_little_else() {
        let outcome = run(&absence(2_000, 10), &mut |_, _| {});
        assert_eq!(outcome.faults, Vec::<String>::new(), "{outcome:?}");
        assert_eq!((outcome.logged, outcome.addressed), (2_000, 200));
        assert!(outcome.per_mille() <= 1_200, "{} of 1000: {outcome:?}", outcome.per_mille());
        assert!(outcome.agreed_ms.is_some_and(|ms| ms < 60_000), "{outcome:?}");
    }

    #[test]
    fn the_same_absence_twice_is_the_same() {
        let [one, two] = [(); 2].map(|()| run(&absence(40, 4), &mut |_, _| {}));
        assert_eq!((one.faults, one.traffic, one.trace), (two.faults, two.traffic, two.trace));
    }
}
