//! A stage for scenarios: the nodes of some members on virtual time that stands at any date. What is said is drafted as an officer would,
//! checked, sealed and signed; what others make of it, each derives from what it can read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::desk::{Cases, Desk};
use super::{Link, Steady, World};
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::identity::Federation;
use crate::protocol::{Event, Outcome, Settings};
use crate::record::{Context, Date, Draft, Strictness, Terms};
use crate::watch::{Consignment, Dossier, Illegal, State};

const LINK: Link = Link { loss: 0, twice: 0, delay_ms: 50 };
/// How long it takes until a record has reached everybody who can be reached.
const MINUTE_MS: i64 = 60_000;

/// The members and their nodes.
pub(super) struct Stage {
    pub(super) world: World<Steady>,
    submissions: u64,
    raised: BTreeMap<MemberCode, Cases>,
}

pub(super) fn code(text: &str) -> MemberCode {
    text.parse().expect("a test names members correctly")
}

fn noon(day: &str) -> UnixTime {
    day.parse::<Date>().expect("a day").start().expect("in range").plus(12 * 3600)
}

impl Stage {
    /// Noon of a day, and all members have met.
    pub(super) fn set(day: &str, members: &[&str]) -> Self {
        let members: Vec<MemberCode> = members.iter().map(|member| code(member)).collect();
        // A quiet rhythm, so that months pass quickly.
        let settings =
            Settings { heartbeat_ms: 72 * 3_600_000, sync_interval_ms: 6 * 3_600_000, ..Settings::default() };
        let mut world = World::prepare_at(noon(day).plus(-3_600), 1, &members, LINK, settings);
        world.set_idle_tick(6 * 3_600_000);
        members.iter().for_each(|member| world.start(*member));
        let mut stage = Self { world, submissions: 0, raised: BTreeMap::new() };
        stage.day(day);
        stage
    }

    /// It becomes noon of this day.
    pub(super) fn day(&mut self, day: &str) {
        let until = noon(day).seconds() * 1000;
        assert!(until >= self.world.now().0, "{day} has passed");
        self.world.run_until(until);
    }

    fn now(&self) -> UnixTime {
        self.world.now().time()
    }

    /// A member's officer says something, and it reaches everybody who can be reached.
    pub(super) fn says(&mut self, by: &str, json: Json) -> RecordId {
        match self.tries(by, json) {
            Outcome::Logged { id, .. } => id,
            Outcome::Refused { reason } => panic!("{by}: {reason}"),
            Outcome::AlreadyLogged { id } => panic!("{by}: this is {id}"),
        }
    }

    /// The same, whatever the node answers.
    pub(super) fn tries(&mut self, by: &str, json: Json) -> Outcome {
        let draft: Draft = serde_json::from_value(json).expect("a draft");
        let author = Some(code(by));
        let context = Context { strictness: Strictness::Own, author, now: self.now(), foreign_exports: false };
        let checked = draft.check(&context).unwrap_or_else(|refused| panic!("{by}: {}", refused.errors[0]));
        self.submissions += 1;
        self.world.submit(code(by), self.submissions, vec![checked.record]);
        self.world.wake(code(by));
        self.world.run(MINUTE_MS);
        let outcomes = self.world.outcomes(code(by), self.submissions).unwrap_or_else(|| panic!("{by} has no answer"));
        outcomes.first().expect("one record was submitted").clone()
    }

    /// Nothing passes between a member and the others.
    pub(super) fn cut(&mut self, member: &str) {
        self.part(member, true);
    }

    /// What a member and the others missed of each other is exchanged.
    pub(super) fn join(&mut self, member: &str) {
        self.part(member, false);
        self.world.run(MINUTE_MS);
    }

    fn part(&mut self, member: &str, parted: bool) {
        for other in self.world.members().into_iter().filter(|other| *other != code(member)) {
            self.world.part(code(member), other, parted);
        }
    }

    /// A member's node stands still.
    pub(super) fn stop(&mut self, member: &str) {
        self.world.crash(code(member));
    }

    /// It runs again, and fetches what it missed.
    pub(super) fn start(&mut self, member: &str) {
        self.world.start(code(member));
        self.world.run(MINUTE_MS);
    }

    /// A member's operator puts a newer charter file in place, and restarts the node; others fetch it from there.
    pub(super) fn publish(&mut self, member: &str, federation: Federation) {
        self.stop(member);
        self.world.give_federation(code(member), federation);
        self.start(member);
    }

    /// The members whose nodes hold proof that the owner of this log signed two histories.
    pub(super) fn holding_proof(&self, log: LogId) -> Vec<MemberCode> {
        let proves = |member: &MemberCode| {
            let told = self
                .world
                .events(*member)
                .iter()
                .any(|event| matches!(event, Event::Fork { log: of, .. } if *of == log));
            let logs = self.world.with_view(*member, |view| view.logs()).expect("storage in memory does not fail");
            told && logs.iter().any(|view| view.log == log && view.fork.is_some())
        };
        self.world.members().into_iter().filter(proves).collect()
    }

    /// All these members hold the same ledger, a log with two histories left out.
    #[track_caller]
    pub(super) fn hold_the_same(&self, members: &[&str]) {
        let root = |member: &&str| {
            let frontier = self.world.with_view(code(member), |view| view.frontier());
            frontier.expect("storage in memory does not fail").root()
        };
        let roots: BTreeSet<Digest> = members.iter().map(root).collect();
        assert_eq!(roots.len(), 1, "{members:?} hold different ledgers");
    }

    /// What a member's node makes of all that it can read.
    pub(super) fn desk(&self, member: &str) -> Desk {
        let desk = self.world.with_view(code(member), |view| Desk::of(&view, self.now()));
        desk.expect("storage in memory does not fail")
    }

    /// Whether a member knows of a consignment.
    pub(super) fn knows(&self, member: &str, id: RecordId) -> bool {
        self.desk(member).views.get(id).is_some()
    }

    /// What a member knows of a consignment.
    pub(super) fn consignment(&self, member: &str, id: RecordId) -> Consignment {
        self.desk(member).with_dossier(id, |dossier, _, _| dossier.consignment.clone())
    }

    /// Shows a consignment as a member can read it.
    pub(super) fn look<T>(
        &self,
        member: &str,
        id: RecordId,
        look: impl FnOnce(&Dossier<'_>, Option<&Terms>) -> T,
    ) -> T {
        self.desk(member).with_dossier(id, |dossier, terms, _| look(dossier, terms))
    }

    /// Where a consignment stands now, as a member knows it.
    pub(super) fn state(&self, member: &str, id: RecordId) -> State {
        self.desk(member).with_dossier(id, |_, _, standing| standing.state).expect("the notification is held")
    }

    /// Where it would stand on another day if nothing more were said.
    pub(super) fn state_on(&self, member: &str, id: RecordId, day: &str) -> State {
        let desk = self.desk(member);
        let consignment = desk.views.get(id).expect("the consignment is known");
        desk.views.standing(consignment, noon(day)).state.expect("the notification is held")
    }

    /// The flags that a member sees, by name.
    pub(super) fn flags(&self, member: &str, id: RecordId) -> Vec<&'static str> {
        let desk = self.desk(member);
        let consignment = desk.views.get(id).expect("the consignment is known");
        desk.views.flags(consignment).map(crate::watch::Flag::name).collect()
    }

    /// Why a record changes nothing, as a member sees it.
    pub(super) fn why(&self, member: &str, id: RecordId, record: RecordId) -> Option<Illegal> {
        let consignment = self.consignment(member, id);
        let event = consignment.timeline.iter().find(|event| event.id == record);
        event.unwrap_or_else(|| panic!("{member} does not know of {record}")).illegal
    }

    /// The net grams of a substance that nobody explains, as a member sees them.
    pub(super) fn unexplained(&self, member: &str, id: RecordId, substance: &str) -> u128 {
        self.consignment(member, id).balance[substance].net.unexplained
    }

    /// What a member's node raises about a consignment now.
    pub(super) fn alerts(&self, member: &str, id: RecordId) -> BTreeSet<String> {
        self.desk(member).alerts(id)
    }

    /// What a member's node raises that it had not raised when it was last asked.
    pub(super) fn raises(&mut self, member: &str) -> Vec<String> {
        let desk = self.desk(member);
        desk.raise(self.raised.entry(code(member)).or_default())
    }

    /// These members say the same of a consignment, byte for byte. `but_receipts`: the acknowledgements that nodes make by themselves are left
    /// out, because each goes to the author of what it acknowledges alone.
    #[track_caller]
    pub(super) fn agree(&self, members: &[&str], id: RecordId, but_receipts: bool) {
        let told: Vec<String> =
            members.iter().map(|member| told(&self.consignment(member, id), but_receipts)).collect();
        told.iter().zip(members).for_each(|(one, member)| assert_eq!(*one, told[0], "{member} and {}", members[0]));
    }
}

fn told(consignment: &Consignment, but_receipts: bool) -> String {
    let mut json = consignment.to_json();
    if but_receipts {
        json["acknowledged_by"] = Json::Null;
        let events = json["timeline"].as_array_mut().expect("a timeline");
        events.retain(|event| event["kind"] != "acknowledgement");
    }
    json.to_string()
}
