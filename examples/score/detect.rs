//! What the records show. Knows nothing of what was done to them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use shieldwall::encoding::ids::{LogId, MemberCode, RecordId};
use shieldwall::encoding::time::UnixTime;
use shieldwall::generate::{Generator, Life};
use shieldwall::record::{Context, PartialRecord, Strictness};
use shieldwall::watch::reconcile::{Cause, Keys, LinkDecisions, Links, Meaning, Mirror, Outcome, Share, reconcile};
use shieldwall::watch::risk::{Code, Contribution, History, Lists, RiskPolicy, Scene, Threshold, assess};
use shieldwall::watch::{Band, Consignment, Dossier, Flag, Lateness, Records, consignments, standing};

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
    /// A shipment is overdue, and it came nowhere else.
    Missing,
    /// A difference of units.
    Units,
    /// Goods came to another country than announced.
    Diversion,
    /// Goods came that nobody announced.
    Unannounced,
    /// Less came than left, by more than scales explain.
    Loss,
    /// Several consignments to one consignee that each stay just below a threshold.
    Structuring,
    /// A red difference that is none of these.
    Other,
}

impl Finding {
    /// The name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Units => "units",
            Self::Diversion => "diversion",
            Self::Unannounced => "unannounced",
            Self::Loss => "loss",
            Self::Structuring => "structuring",
            Self::Other => "other difference",
        }
    }
}

/// What is known of one life in the end.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// What was found.
    pub(crate) findings: BTreeSet<Finding>,
    /// Where its consignments stand, for the list of what is missed.
    pub(crate) stands: BTreeSet<String>,
    /// Red for the floor alone: a large lot, and scales that differ as they do.
    pub(crate) is_floor_alone: bool,
}

/// Everything in the end.
pub(crate) struct Result {
    /// By the number of the life.
    pub(crate) lives: Vec<Seen>,
    /// Cells of the monthly totals, by outcome.
    pub(crate) cells: BTreeMap<Outcome, u64>,
    /// Records looked at.
    pub(crate) records: u64,
    /// Arrivals for which nothing but a likeness was found.
    pub(crate) proposed: u64,
}

/// Looks at one life after the other.
pub(crate) struct Detector {
    horizon: UnixTime,
    /// The next position of each log.
    positions: BTreeMap<MemberCode, u64>,
    lives: Vec<Seen>,
    /// Which life a consignment is of: for the score.
    life_of: BTreeMap<RecordId, usize>,
    links: Links,
    mirror: Mirror,
    history: History,
    policy: RiskPolicy,
    records: u64,
}

impl Detector {
    pub(crate) fn new(horizon: UnixTime) -> Self {
        Self {
            horizon,
            positions: BTreeMap::new(),
            lives: Vec::new(),
            life_of: BTreeMap::new(),
            links: Links::default(),
            mirror: Mirror::default(),
            history: History::default(),
            policy: policy(),
            records: 0,
        }
    }

    /// Logs the records of a life and looks at the consignments that they tell of.
    pub(crate) fn look_at(&mut self, life: &Life) -> std::result::Result<(), Box<dyn Error>> {
        let records = self.log(life)?;
        self.records += u64::try_from(records.len())?;
        let mut seen = Seen::default();
        for consignment in consignments(records.clone()).values() {
            self.life_of.insert(consignment.id, self.lives.len());
            self.look_into(&Dossier { consignment, records: &records }, &mut seen);
        }
        self.lives.push(seen);
        Ok(())
    }

    fn log(&mut self, life: &Life) -> std::result::Result<Records, Box<dyn Error>> {
        let mut ids = Vec::new();
        let mut records = Records::new();
        for event in life.events.iter().filter(|event| event.at <= self.horizon) {
            let position = self.positions.entry(event.author).or_default();
            let id = RecordId::new(LogId::first(event.author), *position);
            *position += 1;
            let mut draft = event.draft.clone();
            draft.answers = event.answers.and_then(|answered| ids.get(answered).copied());
            let context = Context {
                strictness: Strictness::Own,
                author: Some(event.author),
                now: event.at,
                foreign_exports: false,
            };
            let checked = draft.check(&context).map_err(|refused| format!("life {}: {refused}", life.number))?;
            records.insert(id, PartialRecord::from(&checked.record));
            ids.push(id);
        }
        Ok(records)
    }

    fn look_into(&mut self, dossier: &Dossier<'_>, seen: &mut Seen) {
        let consignment = dossier.consignment;
        // Nobody cites a policy here, so the usual terms hold.
        let stands = standing(consignment, None, self.horizon);
        if stands.shipments.iter().any(|late| matches!(late, Lateness::Overdue(_))) {
            seen.findings.insert(Finding::Missing);
        }
        let compared = reconcile(dossier, None);
        for (line, suggestion) in compared.suggestions().filter(|(line, _)| line.band() == Band::Red) {
            let finding = match suggestion.cause {
                Cause::Units => Some(Finding::Units),
                Cause::Loss | Cause::NotLoaded => Some(Finding::Loss),
                Cause::Concentration | Cause::Typo | Cause::Split | Cause::Unexplained => Some(Finding::Other),
                Cause::Weighing => None,
            };
            seen.is_floor_alone |= finding.is_none();
            seen.findings.extend(finding);
            seen.stands.insert(format!("{} {}", line.band(), suggestion.cause.name()));
        }
        seen.stands.insert(told(consignment, stands.state.map(shieldwall::watch::State::name)));
        if let Some(own) = consignment.countries.importing {
            self.history.put(consignment.id, Contribution::of(dossier, &stands, None, own), 0);
        }
        self.mirror.put(consignment.id, Share::of(dossier, &stands.shipments));
        if let Some(keys) = Keys::of(dossier) {
            self.links.put(keys);
        }
    }

    /// Begins at the first life again, for what only the others show.
    pub(crate) fn begin_again(&mut self) {
        self.positions.clear();
    }

    /// Looks at a life once more, now that all others are known. They come in the same order as before.
    pub(crate) fn look_again(&mut self, life: &Life) -> std::result::Result<(), Box<dyn Error>> {
        let records = self.log(life)?;
        for consignment in consignments(records.clone()).values() {
            let Some(own) = consignment.countries.importing else { continue };
            let scene = Scene {
                dossier: Dossier { consignment, records: &records },
                standing: &standing(consignment, None, self.horizon),
                terms: None,
                own,
                now: self.horizon,
                history: &self.history,
                lists: &Lists::default(),
                policy: &self.policy,
            };
            if assess(&scene).codes().contains(&Code::R04) {
                let at = self.life_of.get(&consignment.id).copied().unwrap_or_default();
                self.lives[at].findings.insert(Finding::Structuring);
            }
        }
        Ok(())
    }

    /// Looks for the announcements of what nobody announced, now that all are known.
    pub(crate) fn finish(mut self) -> Result {
        let decisions = LinkDecisions::default();
        let mut proposed = 0;
        for arrival in self.links.arrivals().collect::<Vec<_>>() {
            let links = self.links.of(arrival, &decisions);
            let held = self.links.held(arrival, &decisions);
            let at = |id: &RecordId| self.life_of.get(id).copied().unwrap_or_default();
            match held.as_ref().map(|link| (link.meaning, at(&link.announced))) {
                Some((Meaning::Diversion, announced)) => {
                    self.lives[announced].findings.remove(&Finding::Missing);
                    self.lives[announced].findings.insert(Finding::Diversion);
                }
                Some((Meaning::Arrival | Meaning::Again, announced)) => {
                    self.lives[announced].findings.remove(&Finding::Missing);
                }
                None => {
                    proposed += u64::from(!links.is_empty());
                    let own = at(&arrival);
                    self.lives[own].findings.insert(Finding::Unannounced);
                }
            }
        }
        let mut cells: BTreeMap<Outcome, u64> = BTreeMap::new();
        for (_, row) in self.mirror.rows() {
            *cells.entry(row.outcome()).or_default() += 1;
        }
        Result { lives: self.lives, cells, records: self.records, proposed }
    }
}

/// The usual policy with the thresholds of the countries.
fn policy() -> RiskPolicy {
    let mut policy = RiskPolicy::default();
    for (substance, grams) in Generator::thresholds() {
        let threshold = Threshold { pure_mass_g: Some(grams), volume_ml: None };
        policy.r04.thresholds.insert(substance.to_owned(), threshold);
    }
    policy
}

/// State and flags.
fn told(consignment: &Consignment, state: Option<&'static str>) -> String {
    let flags: Vec<&str> = consignment.flags.iter().map(|flag: &Flag| flag.name()).collect();
    format!("{} {}", state.unwrap_or("not held"), flags.join(" ")).trim().to_owned()
}
