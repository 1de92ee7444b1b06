//! What officers ask, and how long the answer takes.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use shieldwall::api::{Client, ClientError};
use shieldwall::encoding::ids::RecordId;
use shieldwall::node::ask::{
    AlertFilter, ConsignmentFilter, ConsignmentLine, ConsignmentName, ConsignmentOrder, OfficerRequest, Problem,
    ProblemKind, ReconcileFilter, Request, Response, StatsQuestion, StatsWanted,
};
use shieldwall::watch::statistics::{Dimension, Query};

use super::DESK;
use super::federation::Federation;

/// How long any one answer may take.
const ANSWER: Duration = Duration::from_secs(1_800);
/// How often a question is asked, to tell the middle.
const TIMES: usize = 5;

/// As many consignments are listed at once.
const LISTED: usize = 10_000;

/// One question with its times.
pub(super) struct Asked {
    name: &'static str,
    times: Vec<Duration>,
    what: String,
}

impl Asked {
    fn middle(&self) -> Duration {
        self.times[self.times.len() / 2]
    }

    fn slowest(&self) -> Duration {
        self.times[self.times.len() - 1]
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        json!({ "question": self.name, "median_ms": ms(self.middle()), "slowest_ms": ms(self.slowest()), "answer": self.what })
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        write!(f, "{:<34} {:>9.1} ms {:>9.1} ms  {}", self.name, ms(self.middle()), ms(self.slowest()), self.what)
    }
}

/// Asks one node.
pub(super) fn ask(federation: &Federation, member: &str, request: &Request) -> Result<Response, ClientError> {
    Client::connect(&federation.socket(member), Some(ANSWER))?.ask(request, |_| {})
}

/// Asks until the node has read everything; gives how long that took, and how many consignments there are.
pub(super) fn when_caught_up(federation: &Federation) -> (Duration, u64) {
    let begin = Instant::now();
    let filter = ConsignmentFilter { limit: 1, ..ConsignmentFilter::default() };
    loop {
        match ask(federation, DESK, &Request::ConsignmentList(filter.clone())) {
            Ok(Response::Consignments(page)) => return (begin.elapsed(), page.total),
            Err(ClientError::Problem(Problem { kind: ProblemKind::Busy, .. })) => {}
            other => panic!("the consignments are not listed: {other:?}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Every question.
pub(super) fn questions(federation: &Federation) -> Vec<Asked> {
    let none = ConsignmentFilter { limit: 100, ..ConsignmentFilter::default() };
    let by_id = ConsignmentFilter { order: ConsignmentOrder::Id, limit: 0, ..ConsignmentFilter::default() };
    let after = last(federation, &by_id);
    let list = |filter: ConsignmentFilter| Request::ConsignmentList(filter);
    let reconcile = |filter| Request::Officer(OfficerRequest::Reconcile(filter));
    let partner = "TR".parse().ok();
    let figures = Query { by: [Dimension::Substance, Dimension::Partner, Dimension::Month].into(), ..Query::default() };
    let questions = [
        ("consignments: first 100", list(none.clone())),
        ("consignments: as many as listed", list(ConsignmentFilter::default())),
        ("consignments: overdue", list(ConsignmentFilter { states: vec!["OVERDUE".to_owned()], ..none.clone() })),
        (
            "consignments: of a substance",
            list(ConsignmentFilter { substance: Some("acetone".to_owned()), ..none.clone() }),
        ),
        ("consignments: with TR", list(ConsignmentFilter { partner, ..none.clone() })),
        (
            "consignments: due in 7 days",
            list(ConsignmentFilter { due_within_days: Some(7), order: ConsignmentOrder::Due, ..none.clone() }),
        ),
        ("consignments: red", list(ConsignmentFilter { risk: Some("red".to_owned()), ..none.clone() })),
        ("consignments: last page by id", list(ConsignmentFilter { after: Some(after.0), ..by_id })),
        ("consignments: by reference", list(ConsignmentFilter { ucr: after.1.clone(), ..none })),
        ("one consignment", Request::ConsignmentShow(ConsignmentName::Record(after.0))),
        ("reconcile: first 100", reconcile(ReconcileFilter { limit: 100, ..ReconcileFilter::default() })),
        ("reconcile: as many as listed", reconcile(ReconcileFilter::default())),
        ("reconcile: totals", Request::Officer(OfficerRequest::ReconcileTotals { month: None, partner: None })),
        ("reconcile: links", Request::Officer(OfficerRequest::ReconcileLinks)),
        (
            "stats: substance, partner, month",
            Request::Stats(StatsQuestion { wanted: StatsWanted::Figures, query: figures }),
        ),
        (
            "alerts: first 100",
            Request::Officer(OfficerRequest::AlertList(AlertFilter { limit: 100, ..AlertFilter::default() })),
        ),
    ];
    let mut asked: Vec<Asked> =
        questions.iter().map(|(name, request)| time(federation, name, request, TIMES)).collect();
    asked.push(time(federation, "reindex", &Request::Reindex, 1));
    asked
}

/// The consignment after which the last page begins, with its reference; of a single page its last one.
fn last(federation: &Federation, filter: &ConsignmentFilter) -> (RecordId, Option<String>) {
    let mut filter = filter.clone();
    let mut before: Option<ConsignmentLine> = None;
    loop {
        let answer = ask(federation, DESK, &Request::ConsignmentList(filter.clone())).unwrap();
        let Response::Consignments(page) = answer else { panic!("not consignments: {answer:?}") };
        let is_last = page.consignments.len() < LISTED;
        let end = page.consignments.into_iter().next_back();
        if is_last {
            let line = before.or(end).unwrap();
            return (line.id, line.ucr);
        }
        before = end;
        filter.after = before.as_ref().map(|line| line.id);
    }
}

fn time(federation: &Federation, name: &'static str, request: &Request, times: usize) -> Asked {
    let mut taken = Vec::new();
    let mut what = String::new();
    for _ in 0..times {
        let begin = Instant::now();
        let answer = ask(federation, DESK, request).unwrap();
        taken.push(begin.elapsed());
        what = told(&answer);
    }
    taken.sort();
    Asked { name, times: taken, what }
}

/// What an answer comes to.
#[allow(clippy::wildcard_enum_match_arm, reason = "only what is asked is answered")]
fn told(answer: &Response) -> String {
    match answer {
        Response::Consignments(page) => format!("{} of {}", page.consignments.len(), page.total),
        Response::Consignment(view) => format!("{} records", view.timeline.len()),
        Response::Reconciled(view) => {
            format!("{} of {}, {} pairs", view.differences.len(), view.total, view.pairs.len())
        }
        Response::Mirror(rows) => format!("{} cells", rows.len()),
        Response::Links(links) => format!("{} links", links.len()),
        Response::Stats(view) => format!("{} rows", view.rows.rows().len()),
        Response::Alerts(cases) => format!("{} cases", cases.len()),
        Response::Reindexed(again) => {
            assert_eq!(again.before, Some(again.after), "the views built again are those that were kept");
            format!("{} records, {} consignments, the digests agree", again.records, again.consignments)
        }
        other => panic!("not asked for: {other:?}"),
    }
}
