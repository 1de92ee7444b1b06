//! The alerts of a running node: consignments are looked at when something of them has changed and once a day, and what is raised is on the disk
//! before anybody is told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::{Store, StoreError};
use crate::protocol::view::View;
use crate::record::{Date, PartialRecord, Terms};
use crate::watch::alert::{
    self, Act, Alerts, Case, CaseError, CaseEvent, Digest, Filter, Outcome, Raised, Rule, Severity, Signs, Status,
};
use crate::watch::reconcile::reconcile;
use crate::watch::risk::{Assessment, Band, Contribution, History, Lists, RiskPolicy, Scene, Shown, assess};
use crate::watch::{Dossier, State, Views, standing};

use super::answer::problem;
use super::ask::{AlertAct, AlertFilter, AlertLine, AlertView, AlertWords, Problem, ProblemKind, RaisedLine};
use super::case_file::{CaseFile, CaseFileError};
use super::matcher::Matcher;
use super::views::{Keeper, Watcher, read};

/// Cases in one list at most.
const LIST_MAX: u64 = 10_000;
/// Raised alerts that are remembered for who follows them.
const RECENT_MAX: usize = 1_000;

/// How this country looks at consignments.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// How it weighs what it sees.
    pub policy: RiskPolicy,
    /// What it knows by itself.
    pub lists: Lists,
    /// How many days before the last one its answer is called due.
    pub answer_due_days: u16,
}

impl Default for Outlook {
    fn default() -> Self {
        Self { policy: RiskPolicy::default(), lists: Lists::default(), answer_due_days: 3 }
    }
}

/// The cases, and what it takes to find new ones.
#[derive(Debug)]
pub struct Cases {
    own: MemberCode,
    outlook: Outlook,
    history: History,
    alerts: Alerts,
    file: CaseFile,
    /// Consignments that have to be looked at.
    to_look: BTreeSet<RecordId>,
    /// Warnings that belong to no consignment, and whether we have answered.
    warnings: BTreeMap<RecordId, bool>,
    /// The band of each consignment that was looked at.
    shown: BTreeMap<RecordId, Shown>,
    /// The last day on which all were looked at.
    looked_on: Option<Date>,
    recent: VecDeque<RaisedLine>,
}

/// What an officer wants done with a case.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The case.
    pub case: RecordId,
    /// What.
    pub act: &'a AlertAct,
    /// The officer.
    pub by: &'a str,
    /// A word on it.
    pub note: &'a str,
}

/// Why alerts cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// Their file.
    #[error(transparent)]
    File(#[from] CaseFileError),
    /// The ledger.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cases {
    /// The cases that are kept in a data folder.
    ///
    /// # Errors
    /// [`CaseFileError`] if the file cannot be read or written.
    pub fn open(own: MemberCode, folder: &Path, outlook: Outlook) -> Result<Self, CaseFileError> {
        let (file, kept) = CaseFile::open(folder)?;
        if let Some(aside) = &kept.damaged {
            tracing::error!(file = %aside.display(), "the file of the alerts was damaged and is kept under this name; what followed the damage is forgotten and raised again");
        }
        let (alerts, passed) = Alerts::replay(kept.events);
        if !passed.is_empty() {
            tracing::warn!(
                count = passed.len(),
                "events of alerts that cannot follow what was before them were passed over"
            );
        }
        Ok(Self {
            own,
            outlook,
            history: History::default(),
            alerts,
            file,
            to_look: BTreeSet::new(),
            warnings: BTreeMap::new(),
            shown: BTreeMap::new(),
            looked_on: None,
            recent: VecDeque::new(),
        })
    }

    fn seen(&mut self, dossier: &Dossier<'_>, terms: Option<&Terms>, now: UnixTime) {
        let id = dossier.consignment.id;
        let standing = standing(dossier.consignment, terms, now);
        let contribution = Contribution::of(dossier, &standing, terms, self.own);
        self.to_look.extend(self.history.put(id, contribution, self.outlook.policy.r04.days));
        self.to_look.insert(id);
    }

    /// Whether something is still to be looked at.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.to_look.is_empty()
    }

    /// Looks at consignments until about `records_max` records were read, and on a new day puts all on the list that are not done. What is raised
    /// is on the disk when this returns.
    ///
    /// # Errors
    /// [`CasesError`] if the ledger cannot be read or the alerts not be kept.
    pub fn look<S: Store>(
        &mut self,
        view: &View<'_, S>,
        keeper: &Keeper,
        matcher: &mut Matcher,
        now: UnixTime,
        records_max: usize,
    ) -> Result<Vec<Raised>, CasesError> {
        let views = keeper.views();
        let mut read = |id| keeper.record(view, id);
        let today = Date::of(now).ok();
        if today.is_some() && self.looked_on != today {
            self.looked_on = today;
            let open = views.consignments().values().filter(|consignment| {
                !matches!(consignment.state, Some(State::Closed | State::Cancelled))
                    || self.alerts.show(consignment.id).is_some()
            });
            self.to_look.extend(open.map(|consignment| consignment.id));
            self.to_look.extend(self.warnings.keys());
        }
        let (mut raised, mut left) = (Vec::new(), records_max);
        while left > 0
            && let Some(id) = self.to_look.pop_first()
        {
            let looked = self.look_at(views, &mut read, Some(matcher), id, now, &mut raised)?;
            left = left.saturating_sub(looked.max(1));
        }
        if raised.is_empty() {
            return Ok(raised);
        }
        let events: Vec<CaseEvent> = raised.iter().map(|raised| raised.event.clone()).collect();
        self.file.append(&events)?;
        for one in &raised {
            self.recent.push_back(self.raised_line(one));
            if self.recent.len() > RECENT_MAX {
                self.recent.pop_front();
            }
        }
        Ok(raised)
    }

    /// Looks at one consignment or warning; gives how many records that took.
    fn look_at(
        &mut self,
        views: &Views,
        read: &mut impl FnMut(RecordId) -> Result<Option<PartialRecord>, StoreError>,
        matcher: Option<&mut Matcher>,
        id: RecordId,
        now: UnixTime,
        raised: &mut Vec<Raised>,
    ) -> Result<usize, StoreError> {
        let Some(consignment) = views.get(id) else {
            let answered = self.warnings.get(&id).copied().unwrap_or(true);
            let record = if answered { None } else { read(id)? };
            let cause = record.and_then(|record| alert::of_warning(id, record.declared(), self.own, now));
            if cause.is_some() || self.alerts.show(id).is_some() {
                raised.extend(self.alerts.refresh(id, &cause.into_iter().collect(), now));
            }
            return Ok(1);
        };
        let records = views.records(id, read)?;
        let dossier = Dossier { consignment, records: &records };
        let terms = consignment.policy.and_then(|id| views.policy(id));
        if let Some(matcher) = matcher {
            matcher.derived(&dossier, terms, now);
        }
        let differences = reconcile(&dossier, terms);
        let standing = views.standing(consignment, now);
        let assessment = self.assess(&dossier, views, now);
        let word = self.alerts.word(id);
        let signs = Signs {
            dossier,
            standing: &standing,
            own: self.own,
            now,
            answer_due_days: self.outlook.answer_due_days,
            differences: Some(&differences),
            assessment: Some(&assessment),
            word,
        };
        let causes = alert::causes(&signs);
        self.shown.insert(id, assessment.shown(word));
        if !causes.is_empty() || self.alerts.show(id).is_some() {
            raised.extend(self.alerts.refresh(id, &causes, now));
        }
        Ok(records.len())
    }

    /// What this node thinks of a consignment now.
    #[must_use]
    pub fn assess(&self, dossier: &Dossier<'_>, views: &Views, now: UnixTime) -> Assessment {
        let standing = views.standing(dossier.consignment, now);
        assess(&Scene {
            dossier: *dossier,
            standing: &standing,
            terms: dossier.consignment.policy.and_then(|id| views.policy(id)),
            own: self.own,
            now,
            history: &self.history,
            lists: &self.outlook.lists,
            policy: &self.outlook.policy,
        })
    }

    /// The band of a consignment when it was last looked at.
    #[must_use]
    pub fn band(&self, id: RecordId) -> Option<Band> {
        self.shown.get(&id).map(|shown| shown.band)
    }

    /// How much is open.
    #[must_use]
    pub fn digest(&self, now: UnixTime) -> Digest {
        Digest::of(&self.alerts, now)
    }

    /// The case of a consignment, as JSON.
    #[must_use]
    pub fn case_json(&self, id: RecordId, now: UnixTime) -> Option<serde_json::Value> {
        let case = self.alerts.show(id).filter(|case| case.is_raised())?;
        Some(case.to_json(self.alerts.rates(), now))
    }

    /// What was raised after the alert of this number, as far as it is remembered.
    pub fn since(&self, number: u64) -> Vec<RaisedLine> {
        self.recent.iter().filter(|raised| raised.number > number).cloned().collect()
    }

    /// The cases that a filter leaves in, the most urgent first.
    ///
    /// # Errors
    /// [`ProblemKind::BadRequest`] for a word that there is not.
    pub fn list(&self, views: &Views, filter: &AlertFilter, now: UnixTime) -> Result<Vec<AlertLine>, Problem> {
        let bad = |words: String| problem(ProblemKind::BadRequest, words);
        let known = ["open", "acknowledged", "snoozed", "closed"];
        if let Some(status) = filter.status.iter().find(|status| !known.contains(&status.as_str())) {
            return Err(bad(format!("{status} is no status of a case; there are {}", known.join(" "))));
        }
        let severity = filter.severity.as_ref().map(|word| word.parse::<Severity>()).transpose();
        let rule = filter.rule.as_ref().map(|word| word.parse::<Rule>()).transpose();
        let wanted = Filter {
            status: filter.status.iter().cloned().collect(),
            severity: severity.map_err(|error| bad(error.to_string()))?,
            rule: rule.map_err(|error| bad(error.to_string()))?,
            assigned_to: filter.assigned_to.clone(),
            holding: false,
        };
        let limit = if filter.limit == 0 { LIST_MAX } else { filter.limit.min(LIST_MAX) };
        let cases = self.alerts.list(&wanted, now).into_iter();
        let cases = cases.take(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(cases.map(|case| self.line(views, case, now)).collect())
    }

    /// One case.
    ///
    /// # Errors
    /// [`ProblemKind::NotFound`] if nothing was raised about it; [`ProblemKind::Failure`] if storage failed.
    pub fn show<S: Store>(
        &self,
        view: &View<'_, S>,
        views: &Views,
        id: RecordId,
        now: UnixTime,
    ) -> Result<AlertView, Problem> {
        let case = self.alerts.show(id).filter(|case| case.is_raised());
        let case = case.ok_or_else(|| problem(ProblemKind::NotFound, CaseError::NoCase(id).to_string()))?;
        let assessment = match views.get(id) {
            None => None,
            Some(consignment) => {
                let records = views.records(id, |id| read(view, id))?;
                Some(self.assess(&Dossier { consignment, records: &records }, views, now).to_json())
            }
        };
        Ok(AlertView { line: self.line(views, case, now), case: case.to_json(self.alerts.rates(), now), assessment })
    }

    /// Does what an officer wants done with a case, and keeps it.
    ///
    /// # Errors
    /// [`Problem`] if it may not be done now, or cannot be kept.
    pub fn act<S: Store>(
        &mut self,
        view: &View<'_, S>,
        views: &Views,
        order: Order<'_>,
        now: UnixTime,
    ) -> Result<AlertView, Problem> {
        let Order { case: id, act, by, note } = order;
        let bad = |words: String| problem(ProblemKind::BadRequest, words);
        let note = note.to_owned();
        let act = match act {
            AlertAct::Acknowledge => Act::Acknowledged { note },
            AlertAct::Snooze { until } => Act::Snoozed { until: *until, note },
            AlertAct::Assign { to } => Act::Assigned { to: to.clone() },
            AlertAct::Close { outcome } => {
                let outcome: Outcome = outcome.parse().map_err(|error: alert::BadOutcome| bad(error.to_string()))?;
                Act::Closed { outcome, note }
            }
            AlertAct::Reopen => Act::Reopened { note },
            AlertAct::Override { band } => {
                let band = band.parse().map_err(|error: crate::watch::risk::BadBand| bad(error.to_string()))?;
                let consignment = views.get(id).ok_or_else(|| bad(format!("{id} opened no consignment")))?;
                let records = views.records(id, |id| read(view, id))?;
                let seen = self.assess(&Dossier { consignment, records: &records }, views, now).codes();
                Act::Overridden { band, reason: note, seen }
            }
        };
        let event = CaseEvent { case: id, at: now, by: Some(by.to_owned()), act };
        // First on the disk: an officer who was told that it is done finds it done after a crash too.
        self.alerts.check(&event).map_err(|error| bad(error.to_string()))?;
        let kept = self.file.append(std::slice::from_ref(&event));
        kept.map_err(|error| problem(ProblemKind::Failure, error.to_string()))?;
        self.alerts.apply(event.clone()).map_err(|error| bad(error.to_string()))?;
        let mut raised = Vec::new();
        self.look_at(views, &mut |id| read(view, id), None, id, now, &mut raised)?;
        let events: Vec<CaseEvent> = raised.into_iter().map(|raised| raised.event).collect();
        self.file.append(&events).map_err(|error| problem(ProblemKind::Failure, error.to_string()))?;
        self.show(view, views, id, now).or_else(|problem| match (&event.act, views.get(id)) {
            // A word on the band of a consignment about which nothing was raised.
            (Act::Overridden { .. }, Some(_)) => Ok(self.bare(views, id, now)),
            _ => Err(problem),
        })
    }

    fn bare(&self, views: &Views, id: RecordId, now: UnixTime) -> AlertView {
        let line = self.alerts.show(id).map(|case| self.line(views, case, now));
        let case = self.alerts.show(id).map_or(serde_json::Value::Null, |case| case.to_json(self.alerts.rates(), now));
        let line = line.unwrap_or_else(|| AlertLine {
            case: id,
            ucr: None,
            exporting: None,
            importing: None,
            severity: Severity::Info.name().to_owned(),
            status: "open".to_owned(),
            until: None,
            since: None,
            assigned_to: None,
            alerts: Vec::new(),
        });
        AlertView { line, case, assessment: None }
    }

    fn line(&self, views: &Views, case: &Case, now: UnixTime) -> AlertLine {
        let consignment = views.get(case.id);
        let status = case.status(now);
        let alerts = case.current().map(|((rule, _), alert)| AlertWords {
            rule: rule.name().to_owned(),
            severity: alert.severity.name().to_owned(),
            holds: alert.holds,
            words: if alert.words.is_empty() { rule.about().to_owned() } else { alert.words.clone() },
            rate: self.alerts.rates().of(*rule).to_string(),
        });
        AlertLine {
            case: case.id,
            ucr: consignment.and_then(|consignment| consignment.ucr.clone()),
            exporting: consignment.map_or(Some(case.id.log.member), |consignment| consignment.countries.exporting),
            importing: consignment.and_then(|consignment| consignment.countries.importing),
            severity: case.severity().name().to_owned(),
            status: status.name().to_owned(),
            until: match status {
                Status::Snoozed(until) => Some(until),
                Status::Open | Status::Acknowledged | Status::Closed(_) => None,
            },
            since: case.since(),
            assigned_to: case.assigned_to.clone(),
            alerts: alerts.collect(),
        }
    }

    fn raised_line(&self, raised: &Raised) -> RaisedLine {
        let words = self.alerts.show(raised.case).and_then(|case| {
            let newest =
                case.alerts.iter().filter(|((rule, _), alert)| *rule == raised.rule && alert.raised_at == raised.at);
            newest.map(|(_, alert)| alert.words.clone()).find(|words| !words.is_empty())
        });
        RaisedLine {
            number: raised.number,
            case: raised.case,
            rule: raised.rule.name().to_owned(),
            severity: raised.severity.name().to_owned(),
            at: raised.at,
            words: words.unwrap_or_else(|| raised.rule.about().to_owned()),
        }
    }
}

/// Cases and declarations, told of consignments and warnings at a moment.
#[derive(Debug)]
pub struct At<'a> {
    /// The cases.
    pub cases: &'a mut Cases,
    /// Both sides' declarations.
    pub matcher: &'a mut Matcher,
    /// The time.
    pub now: UnixTime,
}

impl Watcher for At<'_> {
    fn derived(&mut self, dossier: &Dossier<'_>, terms: Option<&Terms>) {
        self.cases.seen(dossier, terms, self.now);
        self.matcher.derived(dossier, terms, self.now);
    }

    fn warned(&mut self, id: RecordId, answered: bool) {
        *self.cases.warnings.entry(id).or_default() |= answered;
        self.cases.to_look.insert(id);
    }
}
