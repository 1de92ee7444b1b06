//! What there is to raise an alert about: derived from the state of a consignment, its clocks and its risk. Nothing is kept here.

use std::collections::BTreeSet;
use std::fmt;

use super::rule::{Rule, Severity};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Date, Declared, DiversionKind, Draft, Kind, Urgency, Verification};
use crate::watch::reconcile::Reconciliation;
use crate::watch::risk::{Assessment, Band, Override};
use crate::watch::{Dossier, Event, Flag, Lateness, Shipment, Standing, State};

/// Hours to answer a request to stop, where the exporting country's policy does not say.
const STOP_HOURS: u16 = 24;

/// What tells two causes of one rule apart: a record, a shipment, a day, a band. Empty where there can be only one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub(super) String);

impl Mark {
    /// The mark as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A reason for an alert. The same cause derived again is the same: it is raised once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The rule.
    pub rule: Rule,
    /// Which of its causes.
    pub mark: Mark,
    /// How urgent.
    pub severity: Severity,
    /// What it is, in a sentence for this country's officers.
    pub words: String,
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cause").field("rule", &self.rule).field("severity", &self.severity).finish_non_exhaustive()
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark(..)")
    }
}

impl Cause {
    fn new(rule: Rule, mark: impl ToString, severity: Severity, words: impl Into<String>) -> Self {
        Self { rule, mark: Mark(mark.to_string()), severity, words: words.into() }
    }
}

/// What causes are derived from.
#[derive(Clone, Copy, Debug)]
pub struct Signs<'a> {
    /// The consignment with its records.
    pub dossier: Dossier<'a>,
    /// Where it stands at the time.
    pub standing: &'a Standing,
    /// Whose node this is.
    pub own: MemberCode,
    /// The time.
    pub now: UnixTime,
    /// How many days before the last one our answer is called due.
    pub answer_due_days: u16,
    /// What left beside what came, if that was compared. Without it every difference is taken for the worst.
    pub differences: Option<&'a Reconciliation>,
    /// What this node thinks of it, if it was assessed.
    pub assessment: Option<&'a Assessment>,
    /// An officer's newest word on the band.
    pub word: Option<&'a Override>,
}

/// Every cause that a consignment gives now.
#[must_use]
pub fn causes(signs: &Signs<'_>) -> BTreeSet<Cause> {
    let mut causes = BTreeSet::new();
    causes.extend(of_flags(signs));
    causes.extend(of_shipments(signs));
    causes.extend(of_records(signs));
    causes.extend(of_dues(signs));
    causes.extend(of_clocks(signs));
    causes.extend(of_risk(signs));
    causes
}

/// The cause that a warning gives which belongs to no consignment. Its case is that of the record itself.
#[must_use]
pub fn of_warning(id: RecordId, declared: &Draft, own: MemberCode, now: UnixTime) -> Option<Cause> {
    let addressed = declared.kind == Some(Kind::Warning) && declared.to.contains(&own) && id.log.member != own;
    let today = Date::of(now).ok();
    let holds = declared.valid_until.zip(today).is_none_or(|(last, today)| today <= last);
    (addressed && holds).then(|| {
        let pressing = matches!(
            declared.urgency.as_ref().and_then(|urgency| urgency.valid()),
            Some(Urgency::Urgent | Urgency::Immediate)
        );
        let severity = if pressing { Severity::Red } else { Severity::Amber };
        let asked = declared.requested_action.as_ref().map_or("look into it", |action| action.as_str());
        Cause::new(Rule::Warned, id, severity, format!("{} warns us and asks to {asked} ({id}).", id.log.member))
    })
}

/// The cause that a body gives which we may read and nobody gives out. Its case is that of the record.
#[must_use]
pub fn of_withheld(id: RecordId) -> Cause {
    let words = format!("The body of {id} is for us, and no node gives it out.");
    Cause::new(Rule::BodyWithheld, id, Severity::Amber, words)
}

/// Flags that hold for the whole consignment and, once raised, stay.
fn of_flags(signs: &Signs<'_>) -> impl Iterator<Item = Cause> {
    let all = [
        (
            Flag::OverShipped,
            Rule::OverShipped,
            Severity::Red,
            "More left than was announced, or than a consent allows.",
        ),
        (
            Flag::UnclearedDeparture,
            Rule::UnclearedDeparture,
            Severity::Red,
            "Goods left without the consent of the importing country, or against an objection.",
        ),
        (Flag::Disputed, Rule::Disputed, Severity::Amber, "The two countries explain a difference, and not alike."),
    ];
    let flags: BTreeSet<Flag> = signs.dossier.consignment.flags_known_to(Some(signs.own)).collect();
    let raised = all.into_iter().filter(move |(flag, ..)| flags.contains(flag));
    raised.map(|(_, rule, severity, words)| Cause::new(rule, "", severity, words))
}

/// The name of a shipment for people, and its mark: that of its number, else of its departure.
fn named(shipment: &Shipment) -> (String, String) {
    match (shipment.number, shipment.departure) {
        (Some(number), _) => {
            (format!("Shipment {} of {}", number.number, number.of), format!("shipment {}", number.number))
        }
        (None, Some(departure)) => ("A shipment".to_owned(), departure.to_string()),
        (None, None) => ("A shipment".to_owned(), String::new()),
    }
}

fn of_shipments<'a>(signs: &'a Signs<'a>) -> impl Iterator<Item = Cause> + 'a {
    let shipments = &signs.dossier.consignment.shipments;
    shipments.iter().enumerate().flat_map(move |(at, shipment)| {
        let (name, mark) = named(shipment);
        let came = !shipment.arrivals.is_empty() || !shipment.imports.is_empty();
        let unannounced = (shipment.departure.is_none() && came).then(|| {
            let words = format!("{name} arrived, and no departure is known.");
            Cause::new(Rule::ArrivedUnannounced, &mark, Severity::Red, words)
        });
        let discrepant = (shipment.state == State::Discrepant).then(|| {
            let (severity, why) = difference(signs, at);
            let words = format!("{name} is not what left, beyond what the importing country bears with{why}.");
            Cause::new(Rule::Discrepant, &mark, severity, words)
        });
        let overdue = match signs.standing.shipments.get(at) {
            Some(Lateness::Overdue(due)) => {
                let words = format!("{name} should have been here by {due}.");
                // A new day of arrival is a new expectation.
                Some(Cause::new(Rule::Overdue, format!("{mark} {due}"), Severity::Red, words))
            }
            Some(Lateness::Arrived | Lateness::Unknown | Lateness::Expected(_) | Lateness::Due(_)) | None => None,
        };
        [unannounced, discrepant, overdue].into_iter().flatten()
    })
}

/// How urgent a difference is, and what it may come from. What scales alone explain is kilograms all the same, and waits for the digest.
fn difference(signs: &Signs<'_>, at: usize) -> (Severity, String) {
    let compared = signs.differences.and_then(|differences| differences.shipments.get(at));
    let Some(compared) = compared else { return (Severity::Red, String::new()) };
    let differing = compared.lines.iter().filter(|line| line.band() > Band::Green);
    let suggestions = differing.filter_map(|line| line.suggestion.as_ref());
    let severity = if compared.is_weighing() { Severity::Amber } else { Severity::Red };
    let words: Vec<&str> = suggestions.map(|suggestion| suggestion.words.as_str()).collect();
    (severity, if words.is_empty() { String::new() } else { format!(": {}", words.join("; ")) })
}

/// What members said that somebody should know of.
fn of_records(signs: &Signs<'_>) -> Vec<Cause> {
    let dossier = &signs.dossier;
    let consignment = dossier.consignment;
    // What we said ourselves is no news to us.
    let news = |id: RecordId, severity: Severity| if id.log.member == signs.own { Severity::Info } else { severity };
    let mut causes = Vec::new();
    let mut tell = |rule: Rule, event: &Event, severity: Severity, what: &str| {
        let id = event.id;
        causes.push(Cause::new(rule, id, severity, format!("{} {what} ({id}).", id.log.member)));
    };
    for (event, _) in dossier.events(&Kind::Missing) {
        let shipment = event.shipment.and_then(|at| consignment.shipments.get(at));
        if shipment.is_none_or(|shipment| shipment.state == State::Missing) {
            tell(Rule::Missing, event, Severity::Red, "declares goods missing");
        }
    }
    for (event, _) in dossier.events(&Kind::Incident) {
        tell(Rule::Incident, event, news(event.id, Severity::Red), "reports an incident");
    }
    for (event, _) in dossier.events(&Kind::Seizure) {
        tell(Rule::Seized, event, news(event.id, Severity::Red), "has seized goods");
    }
    for (event, _) in dossier.events(&Kind::StopRequest) {
        tell(Rule::StopRequested, event, news(event.id, Severity::Amber), "asks to stop the consignment");
    }
    for (event, declared) in dossier.events(&Kind::Diversion) {
        let meant = declared.diversion == Some(Declared::Valid(DiversionKind::Authorised));
        let severity = if meant { Severity::Info } else { Severity::Red };
        tell(Rule::Diverted, event, news(event.id, severity), "tells that goods go to another country");
    }
    for (event, declared) in dossier.events(&Kind::EndUseVerification) {
        if declared.verification == Some(Declared::Valid(Verification::Diverted)) {
            tell(Rule::Diverted, event, Severity::Red, "found that goods were diverted from their use");
        }
    }
    if consignment.flags.contains(&Flag::Objected) {
        for (event, _) in dossier.events(&Kind::Objection) {
            tell(Rule::Objected, event, news(event.id, Severity::Red), "objects to goods that have left");
        }
    }
    let answered: BTreeSet<RecordId> = dossier
        .events(&Kind::Feedback)
        .filter(|(event, _)| event.id.log.member == signs.own)
        .filter_map(|(_, declared)| declared.answers)
        .collect();
    let warnings = dossier.events(&Kind::Warning).filter(|(event, _)| !answered.contains(&event.id));
    causes.extend(warnings.filter_map(|(event, declared)| of_warning(event.id, declared, signs.own, signs.now)));
    causes
}

/// What waits for somebody: red if it waits for us, or for too long.
fn of_dues(signs: &Signs<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (id, kind) in &signs.dossier.consignment.due {
        let by = id.log.member;
        if *kind == Kind::Incident {
            let severity = if by == signs.own { Severity::Red } else { Severity::Amber };
            let words = format!("{by} found misuse, and nobody has reported an incident ({id}).");
            causes.push(Cause::new(Rule::IncidentReportDue, id, severity, words));
            continue;
        }
        let exporting = signs.dossier.consignment.countries.exporting;
        let declared = signs.dossier.declared(*id);
        let asked = declared.is_some_and(|declared| declared.to.contains(&signs.own));
        let ours = (asked || exporting == Some(signs.own)) && by != signs.own;
        let whose = if ours { "our" } else { "an" };
        let words = format!("The demand of {by} to stop goods waits for {whose} answer ({id}).");
        let severity = if ours { Severity::Red } else { Severity::Amber };
        causes.push(Cause::new(Rule::StopAnswerDue, id, severity, words));
        let hours = exporting.and_then(|member| stop_hours(signs, member)).unwrap_or(STOP_HOURS);
        let made = declared.and_then(|declared| declared.issued_at);
        if made.is_some_and(|made| signs.now.since(made) > i64::from(hours) * 3_600) {
            let words =
                format!("The demand of {by} to stop goods has had no answer for more than {hours} hours ({id}).");
            causes.push(Cause::new(Rule::StopAnswerLate, id, Severity::Red, words));
        }
    }
    causes
}

/// The hours in which a country answers a request to stop, by the policy of it that the notification cites, if that is here.
fn stop_hours(signs: &Signs<'_>, member: MemberCode) -> Option<u16> {
    let cited = &signs.dossier.notification()?.policies;
    let own = cited.iter().filter(|id| id.log.member == member).max()?;
    signs.dossier.declared(*own)?.terms.as_ref()?.stop_hours
}

fn of_clocks(signs: &Signs<'_>) -> Option<Cause> {
    let consignment = signs.dossier.consignment;
    let today = Date::of(signs.now).ok()?;
    let reply_by = consignment.reply_by?;
    let mark = format!("{} {reply_by}", consignment.version);
    let importing = consignment.countries.importing == Some(signs.own);
    match signs.standing.state? {
        State::NoReply => {
            let who = if importing { "We have" } else { "The importing country has" };
            Some(Cause::new(Rule::NoReply, mark, Severity::Amber, format!("{who} not answered by {reply_by}.")))
        }
        State::Notified | State::Query if importing => {
            let soon = today.plus(signs.answer_due_days.into()).is_none_or(|day| day >= reply_by);
            let words = format!("Our answer is due by {reply_by}.");
            soon.then(|| Cause::new(Rule::AnswerDue, mark, Severity::Amber, words))
        }
        State::Notified
        | State::Query
        | State::Cleared
        | State::Objected
        | State::Decided
        | State::Expired
        | State::Cancelled
        | State::Departed
        | State::InTransit
        | State::Overdue
        | State::Missing
        | State::Incident
        | State::Found
        | State::Arrived
        | State::Imported
        | State::Discrepant
        | State::Reconciled
        | State::EndUsePending
        | State::Closed => None,
    }
}

/// One cause for each indicator that applies, while the band that is shown is amber or red; each once for each of the two.
fn of_risk(signs: &Signs<'_>) -> Vec<Cause> {
    let Some(assessment) = signs.assessment else { return Vec::new() };
    let band = assessment.shown(signs.word).band;
    let severity = match band {
        Band::Green => return Vec::new(),
        Band::Amber => Severity::Amber,
        Band::Red => Severity::Red,
    };
    let of = |hit: &crate::watch::risk::Hit| Cause::new(Rule::Risk(hit.code), band, severity, hit.words.clone());
    assessment.hits.iter().map(of).collect()
}
