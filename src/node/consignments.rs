//! Answers about consignments, from the views that a node keeps of them.

use std::cmp::Reverse;

use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::ledger::Store;
use crate::protocol::view::View;
use crate::record::{Date, Kind};
use crate::watch::{self, Consignment, Dossier, Lateness, Standing, State, Views};

use super::answer::problem;
use super::ask::{
    ConsignmentFilter, ConsignmentLine, ConsignmentName, ConsignmentOrder, ConsignmentPage, ConsignmentView, Due,
    Problem, ProblemKind, Reindexed, TimelineEntry,
};
use super::cases::Cases;
use super::views::{Keeper, read};

/// Consignments in one list at most; a filter or the next page shows others.
const LIST_MAX: u64 = 10_000;
/// An event that was logged this many seconds after it happened shows both times.
const NOTICEABLY_LATER_S: i64 = 3600;

/// The consignments that a filter leaves in, a page of them.
///
/// # Errors
/// [`ProblemKind::BadRequest`] for a name of a state or flag that there is not.
pub fn list(
    views: &Views,
    cases: Option<&Cases>,
    filter: &ConsignmentFilter,
    now: UnixTime,
) -> Result<ConsignmentPage, Problem> {
    check(filter)?;
    let today = Date::of(now).ok();
    let within = |due: Option<&Due>, days: u16| {
        let last = today.and_then(|day| day.plus(days.into()));
        due.is_some_and(|due| due.passed || due.by.is_none() || due.by <= last)
    };
    let needs_standing =
        !filter.states.is_empty() || filter.due_within_days.is_some() || filter.order == ConsignmentOrder::Due;
    // Only what is asked for is worked out of every consignment; a line only of those on the page.
    let place = |consignment: &Consignment| {
        let band = || cases.and_then(|cases| cases.band(consignment.id)).map(watch::risk::Band::name);
        let wanted = concerns(views, consignment, filter)
            && filter.risk.as_ref().is_none_or(|risk| band() == Some(risk))
            && (!filter.unexplained || unexplained(consignment).is_some_and(|grams| grams > 0));
        if !wanted {
            return None;
        }
        let standing = needs_standing.then(|| views.standing(consignment, now));
        let due = standing.as_ref().and_then(|standing| due(consignment, standing, now));
        let state = standing.and_then(|standing| standing.state).map_or("unknown", State::name);
        let wanted = (filter.states.is_empty() || filter.states.iter().any(|wanted| wanted == state))
            && filter.due_within_days.is_none_or(|days| within(due.as_ref(), days));
        let changed = match filter.order {
            ConsignmentOrder::Changed => changed_at(consignment),
            ConsignmentOrder::Due | ConsignmentOrder::Id => None,
        };
        let due = match filter.order {
            ConsignmentOrder::Due => (due.is_none(), due.and_then(|due| due.by)),
            ConsignmentOrder::Changed | ConsignmentOrder::Id => (false, None),
        };
        wanted.then_some((Reverse(changed), due, consignment.id))
    };
    let mut places: Vec<_> = match &filter.ucr {
        Some(ucr) => views.by_ucr(ucr).filter_map(|id| views.get(id)).filter_map(place).collect(),
        None => views.consignments().values().filter_map(place).collect(),
    };
    places.sort_unstable();
    let total = places.len() as u64;
    let start = match filter.after {
        None => 0,
        Some(after) => places.iter().position(|(.., id)| *id == after).map_or(places.len(), |at| at + 1),
    };
    let limit = if filter.limit == 0 { LIST_MAX } else { filter.limit.min(LIST_MAX) };
    let page = places.into_iter().skip(start).take(usize::try_from(limit).unwrap_or(usize::MAX));
    let page = page.filter_map(|(.., id)| Some(line(views, cases, views.get(id)?, now)));
    Ok(ConsignmentPage { consignments: page.collect(), total })
}

/// One consignment with what its records say.
///
/// # Errors
/// [`ProblemKind::NotFound`] if there is none of that name, or more than one; [`ProblemKind::Failure`] if storage failed.
pub fn show<S: Store>(
    view: &View<'_, S>,
    views: &Views,
    cases: Option<&Cases>,
    name: &ConsignmentName,
    now: UnixTime,
) -> Result<ConsignmentView, Problem> {
    let id = find(views, name)?;
    let not_found = || problem(ProblemKind::NotFound, format!("{id} opened no consignment that is known here"));
    let consignment = views.get(id).ok_or_else(not_found)?;
    let records = views.records(id, |id| read(view, id))?;
    let dossier = Dossier { consignment, records: &records };
    let terms = consignment.policy.and_then(|policy| views.policy(policy));
    let reconciliation = watch::reconcile::reconcile(&dossier, terms);
    let timeline = consignment.timeline.iter().filter_map(|event| {
        let happened = event.happened_at.unwrap_or(event.issued_at);
        let later = event.issued_at.since(happened) >= NOTICEABLY_LATER_S;
        Some(TimelineEntry {
            id: event.id,
            kind: event.kind.name().to_owned(),
            at: happened,
            logged_at: Some(event.issued_at).filter(|_| later),
            words: watch::words(event, dossier.declared(event.id)?),
            without_effect: event.illegal.is_some() || event.withdrawn_by.is_some(),
        })
    });
    Ok(ConsignmentView {
        line: line(views, cases, consignment, now),
        assessment: cases.map(|cases| cases.assess(&dossier, views, now).to_json()),
        case: cases.and_then(|cases| cases.case_json(id, now)),
        consignment: consignment.to_json(),
        timeline: timeline.collect(),
        announced: dossier.announced().and_then(|announced| serde_json::to_value(announced).ok()),
        reconciliation: reconciliation.to_json(),
        compared: reconciliation.shipments.iter().flat_map(compared).collect(),
    })
}

/// The consignment of a name.
fn find(views: &Views, name: &ConsignmentName) -> Result<RecordId, Problem> {
    let ids: Vec<RecordId> = match name {
        ConsignmentName::Record(id) if views.get(*id).is_some() => vec![*id],
        ConsignmentName::Record(id) => views.consignments_of(*id).into_iter().collect(),
        ConsignmentName::Ucr(ucr) => views.by_ucr(ucr).collect(),
    };
    let called = match name {
        ConsignmentName::Record(id) => id.to_string(),
        ConsignmentName::Ucr(ucr) => ucr.clone(),
    };
    match ids.as_slice() {
        [id] => Ok(*id),
        [] => Err(problem(ProblemKind::NotFound, format!("no consignment {called} is known here"))),
        [..] => {
            let all: Vec<String> = ids.iter().take(10).map(ToString::to_string).collect();
            let message = format!("{called} is about {} consignments; name one of them: {}", ids.len(), all.join(" "));
            Err(problem(ProblemKind::NotFound, message))
        }
    }
}

/// What comes of building the views again, beside those that were kept.
pub fn reindexed(kept: Option<&Views>, again: &Keeper) -> Reindexed {
    Reindexed {
        records: again.records_read(),
        consignments: again.views().consignments().len() as u64,
        before: kept.map(Views::digest),
        after: again.views().digest(),
    }
}

/// The line of one consignment.
pub fn line(views: &Views, cases: Option<&Cases>, consignment: &Consignment, now: UnixTime) -> ConsignmentLine {
    let standing = views.standing(consignment, now);
    let masses = || consignment.masses.values();
    // Who may not read the goods has no masses at all, which is not the same as none of them.
    let known = |grams: fn(&watch::Masses) -> u64| {
        (!consignment.masses.is_empty()).then(|| masses().map(grams).fold(0, u64::saturating_add))
    };
    ConsignmentLine {
        id: consignment.id,
        ucr: consignment.ucr.clone(),
        state: standing.state.map(|state| state.name().to_owned()),
        flags: views.flags(consignment).map(|flag| flag.name().to_owned()).collect(),
        exporting: consignment.countries.exporting,
        importing: consignment.countries.importing,
        substances: consignment.substances.iter().cloned().collect(),
        notified_g: known(|mass| mass.notified),
        departed_g: known(|mass| mass.departed),
        received_g: known(|mass| mass.received),
        unexplained_g: unexplained(consignment),
        due: due(consignment, &standing, now),
        risk: cases.and_then(|cases| cases.band(consignment.id)).map(|band| band.name().to_owned()),
        changed_at: changed_at(consignment),
    }
}

/// The grams that nobody can explain; none where no mass is known.
fn unexplained(consignment: &Consignment) -> Option<u64> {
    let grams = |balance: &watch::Balance| u64::try_from(balance.net.unexplained).unwrap_or(u64::MAX);
    let balances = &consignment.balance;
    (!balances.is_empty()).then(|| balances.values().map(grams).fold(0, u64::saturating_add))
}

/// When the newest record of it was made.
fn changed_at(consignment: &Consignment) -> Option<UnixTime> {
    consignment.timeline.iter().map(|event| event.issued_at).max()
}

/// What has to happen next, and until when.
fn due(consignment: &Consignment, standing: &Standing, now: UnixTime) -> Option<Due> {
    let today = Date::of(now).ok()?;
    let until = |what: &str, by: Date| Due { what: what.to_owned(), by: Some(by), passed: by < today };
    if consignment.due.values().any(|kind| *kind == Kind::StopAnswer) {
        return Some(Due { what: Kind::StopAnswer.name().to_owned(), by: None, passed: false });
    }
    let state = standing.state?;
    if matches!(state, State::Notified | State::Query | State::NoReply) {
        return consignment.reply_by.map(|day| until("answer", day));
    }
    if matches!(state, State::Cleared | State::Expired) {
        return consignment.valid_until.map(|day| until("departure", day));
    }
    let arrivals = standing.shipments.iter().filter_map(|late| match late {
        Lateness::Expected(day) | Lateness::Due(day) | Lateness::Overdue(day) => Some(*day),
        Lateness::Arrived | Lateness::Unknown => None,
    });
    arrivals.min().map(|day| until("arrival", day))
}

fn concerns(views: &Views, consignment: &Consignment, filter: &ConsignmentFilter) -> bool {
    let countries = &consignment.countries;
    let is_partner = |member| {
        countries.exporting == Some(member)
            || countries.importing == Some(member)
            || countries.transit.contains(&member)
            || countries.diverted_to.contains(&member)
    };
    filter.partner.is_none_or(is_partner)
        && filter.substance.as_ref().is_none_or(|substance| consignment.substances.contains(substance))
        && filter.flag.as_ref().is_none_or(|flag| views.flags(consignment).any(|held| held.name() == flag))
}

fn check(filter: &ConsignmentFilter) -> Result<(), Problem> {
    let bad = |what: &str, name: &str, all: Vec<&str>| {
        problem(ProblemKind::BadRequest, format!("{name} is no {what}; there are {}", all.join(" ")))
    };
    let states = || State::ALL.iter().map(|state| state.name());
    if let Some(name) = filter.states.iter().find(|name| *name != "unknown" && !states().any(|state| state == *name)) {
        return Err(bad("state", name, states().collect()));
    }
    let bands = || watch::risk::Band::ALL.iter().map(|band| band.name());
    if let Some(name) = filter.risk.iter().find(|name| !bands().any(|band| band == *name)) {
        return Err(bad("band of risk", name, bands().collect()));
    }
    let flags = || watch::Flag::ALL.iter().map(|flag| flag.name());
    if let Some(name) = filter.flag.iter().find(|name| !flags().any(|flag| flag == *name)) {
        return Err(bad("flag", name, flags().collect()));
    }
    Ok(())
}

/// The lines of one shipment: what left beside what came, and what the difference may come from.
fn compared(shipment: &watch::reconcile::Compared) -> Vec<String> {
    let number = shipment.number.map(|number| format!("{} of {}: ", number.number, number.of)).unwrap_or_default();
    let side = |declaration: Option<&watch::reconcile::Declaration>| {
        declaration.map_or_else(|| "unknown".to_owned(), watch::reconcile::Declaration::words)
    };
    let line = |line: &watch::reconcile::Line| {
        let (left, came) = (side(line.shipped.as_ref()), side(line.received.as_ref()));
        let mut text = format!("{number}{} left {left}, came {came}: {}", line.substance, line.band().name());
        for part in line.suggestion.iter().map(|suggestion| &suggestion.words).chain(&line.notes) {
            text.push_str("; ");
            text.push_str(part);
        }
        text
    };
    shipment.lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;
    use crate::record::{Context, Draft, PartialRecord, Strictness};

    const NOW: &str = "2026-11-20T12:00:00Z";

    /// Views of two consignments: one that waits for an answer, one that is overdue.
    fn views() -> Views {
        let announced = |ucr: &str, substance: &str, to: &str| {
            format!(
                r#"{{"kind": "E02", "ucr": "{ucr}", "destination": "{to}", "exporter": {{"name": "A"}}, "consignee": {{"name": "B"}},
                "reply_by": "2026-11-25", "arrival": {{"latest": "2026-10-20"}}, "mode": 3, "issued_at": "2026-10-01T00:00:00Z",
                "goods": [{{"substance": "{substance}", "net_mass_g": 30000}}]}}"#
            )
        };
        let left = r#"{"kind": "E13", "answers": "GE-2", "consignment": "GE-2", "destination": "TR", "issued_at": "2026-10-05T00:00:00Z",
            "goods": [{"substance": "urea", "net_mass_g": 29000}]}"#;
        let records: BTreeMap<RecordId, PartialRecord> = [
            ("GE-1", announced("6GE204567890-1", "acetone", "MZ")),
            ("GE-2", announced("6GE204567890-2", "urea", "TR")),
            ("GE-3", left.to_owned()),
        ]
        .into_iter()
        .map(|(id, json)| (id.parse().unwrap(), partial(id, &json)))
        .collect();
        let mut views = Views::default();
        records.iter().for_each(|(id, record)| views.take(*id, record));
        views.refresh(usize::MAX, |id| Ok::<_, Infallible>(records.get(&id).cloned()), |_, _| {}).unwrap();
        views
    }

    fn partial(id: &str, json: &str) -> PartialRecord {
        let draft: Draft = serde_json::from_str(json).unwrap();
        let id: RecordId = id.parse().unwrap();
        let context = Context {
            strictness: Strictness::Imported,
            author: Some(id.log.member),
            now: NOW.parse().unwrap(),
            foreign_exports: true,
        };
        PartialRecord::from(&draft.check(&context).unwrap().record)
    }

    fn listed(filter: &ConsignmentFilter) -> Vec<String> {
        let page = list(&views(), None, filter, NOW.parse().unwrap()).unwrap();
        page.consignments.iter().map(|line| line.id.to_string()).collect()
    }

    #[test]
    fn a_line_tells_what_is_due() {
        let page = list(&views(), None, &ConsignmentFilter::default(), NOW.parse().unwrap()).unwrap();
        let due: Vec<_> = page
            .consignments
            .iter()
            .map(|line| {
                let due = line.due.clone().unwrap();
                (line.state.clone().unwrap(), due.what, due.by.unwrap().to_string(), due.passed)
            })
            .collect();
        assert_eq!(
            due,
            [
                ("OVERDUE".to_owned(), "arrival".to_owned(), "2026-10-23".to_owned(), true),
                ("NOTIFIED".to_owned(), "answer".to_owned(), "2026-11-25".to_owned(), false),
            ]
        );
    }

    #[test]
    fn a_filter_leaves_in_what_it_names() {
        let all = ConsignmentFilter::default();
        assert_eq!(listed(&all), ["GE-2", "GE-1"]);
        assert_eq!(listed(&ConsignmentFilter { order: ConsignmentOrder::Id, ..all.clone() }), ["GE-1", "GE-2"]);
        assert_eq!(listed(&ConsignmentFilter { states: vec!["OVERDUE".into()], ..all.clone() }), ["GE-2"]);
        assert_eq!(listed(&ConsignmentFilter { substance: Some("acetone".into()), ..all.clone() }), ["GE-1"]);
        assert_eq!(listed(&ConsignmentFilter { partner: "MZ".parse().ok(), ..all.clone() }), ["GE-1"]);
        assert_eq!(listed(&ConsignmentFilter { ucr: Some("6GE204567890-2".into()), ..all.clone() }), ["GE-2"]);
        assert_eq!(listed(&ConsignmentFilter { due_within_days: Some(0), ..all.clone() }), ["GE-2"]);
        assert_eq!(listed(&ConsignmentFilter { due_within_days: Some(5), ..all.clone() }), ["GE-2", "GE-1"]);
        assert_eq!(listed(&ConsignmentFilter { flag: Some("UNCLEARED_DEPARTURE".into()), ..all.clone() }), ["GE-2"]);
        assert_eq!(listed(&ConsignmentFilter { unexplained: true, ..all.clone() }), [""; 0]);
        assert_eq!(listed(&ConsignmentFilter { limit: 1, ..all.clone() }), ["GE-2"]);
        assert_eq!(listed(&ConsignmentFilter { after: "GE-2".parse().ok(), ..all }), ["GE-1"]);
    }

    #[test]
    fn a_name_that_there_is_not_is_refused_with_those_that_there_are() {
        let filter = ConsignmentFilter { states: vec!["LATE".into()], ..ConsignmentFilter::default() };
        let refused = list(&views(), None, &filter, NOW.parse().unwrap()).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::BadRequest);
        assert!(refused.message.starts_with("LATE is no state; there are NOTIFIED QUERY"), "{}", refused.message);
    }

    #[test]
    fn a_consignment_is_found_by_any_record_and_by_its_reference() {
        let views = views();
        let find = |name| find(&views, &name).map(|id| id.to_string()).map_err(|problem| problem.kind);
        assert_eq!(find(ConsignmentName::Record("GE-3".parse().unwrap())), Ok("GE-2".to_owned()));
        assert_eq!(find(ConsignmentName::Ucr("6GE204567890-1".into())), Ok("GE-1".to_owned()));
        assert_eq!(find(ConsignmentName::Ucr("x".into())), Err(ProblemKind::NotFound));
    }
}
