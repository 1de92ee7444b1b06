//! The second act: the ship that never comes. What was announced leaves, nobody says that it arrived, two nodes notice by themselves, an officer
//! declares it missing, and a third country sees it only when it is let in.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::show::Show;
use super::watch::ask;
use crate::api::ClientError;
use crate::cli::context::unexpected;
use crate::cli::report::{Exit, Failure};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{ConsignmentName, ConsignmentView, ProblemKind, Request, Response, Submitted};
use crate::record::Draft;

/// The reference of the sample that goes missing.
pub(super) const UCR: &str = "3GE204567890-RHOSUS";
/// Between two looks.
const GLANCE: Duration = Duration::from_millis(200);
/// A node has this long to notice what it should.
const PATIENCE: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(10);

/// What became of the consignment, as each country sees it.
#[derive(Debug, Serialize)]
pub(super) struct Ending {
    /// The consignment.
    pub(super) consignment: RecordId,
    /// What each of the three sees of it in the end.
    pub(super) seen: BTreeMap<MemberCode, Seen>,
    /// Whether Lebanon knew of it before it was let in.
    pub(super) known_before_grant: bool,
}

/// How one country sees it.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    /// Where it stands.
    pub(super) state: String,
    /// Net grams that nobody can explain.
    pub(super) unexplained_g: Option<u64>,
    /// The rules of the alerts raised about it.
    pub(super) alerts: Vec<String>,
}

/// Plays it, if the sample is among the records of the first member.
///
/// # Errors
/// If a node refuses what it is asked, or does not notice in time.
pub(super) fn play(show: &mut Show<'_>) -> Result<Option<Ending>, Failure> {
    let (exporting, importing, third) = (member("GE")?, member("MZ")?, member("LB")?);
    let sockets = ["GE", "MZ", "LB"].iter().map(|code| Ok((member(code)?, show.socket(member(code)?)?)));
    let sockets: BTreeMap<MemberCode, &Path> = sockets.collect::<Result<_, Failure>>()?;
    let Some(announced) = look(sockets[&exporting], &ConsignmentName::Ucr(UCR.to_owned()))? else { return Ok(None) };
    let consignment = announced.line.id;
    let name = ConsignmentName::Record(consignment);
    let of_announcement =
        |field: &str| announced.announced.as_ref().map(|draft| draft[field].clone()).unwrap_or_default();

    let departure = say(
        sockets[&exporting],
        json!({
            "kind": "departure", "consignment": consignment, "answers": consignment, "happened_at": "2013-09-27T16:00:00Z",
            "destination": "MZ", "goods": of_announcement("goods"), "itinerary": of_announcement("itinerary"),
            "conveyance": of_announcement("conveyance"), "bill_of_lading": "BTM-BEW-1",
            "mode": 1, "arrival": { "latest": "2013-11-05" },
        }),
    )?;
    show.tell(
        exporting,
        &format!("says that the ship left Batumi on 27 September 2013, due in Beira by 5 November ({departure})"),
    );
    for country in [exporting, importing] {
        wait(sockets[&country], &name, |seen| seen.alerts.iter().any(|rule| rule == "overdue"))?;
        show.tell(country, "notices that the ship is overdue; nobody has told it");
    }
    let inquiry = say(
        sockets[&importing],
        json!({ "kind": "overdue-inquiry", "consignment": consignment, "answers": departure, "to": ["GE", "TR"] }),
    )?;
    show.tell(importing, &format!("asks Georgia and Türkiye where it is ({inquiry})"));
    let missing = say(
        sockets[&importing],
        json!({
            "kind": "missing", "consignment": consignment, "answers": departure, "to": ["GE", "TR"],
            "goods": of_announcement("goods"), "place": { "unlocode": "TRIST" }, "reason": "Never reported at Beira.",
        }),
    )?;
    show.tell(importing, &format!("declares it missing ({missing})"));
    for country in [exporting, importing] {
        wait(sockets[&country], &name, |seen| seen.alerts.iter().any(|rule| rule == "missing"))?;
        show.tell(country, "raises an alert: goods declared missing");
    }
    let known_before_grant = look(sockets[&third], &name)?.is_some();
    show.tell(third, if known_before_grant { "knows of it" } else { "knows nothing of it" });
    for country in [exporting, importing] {
        let grant = say(
            sockets[&country],
            json!({
                "kind": "audience-grant", "consignment": consignment, "new_readers": ["LB"],
                "compartments": ["summary", "transport", "trade"], "reason": "The ship is said to lie at Beirut.",
            }),
        )?;
        show.tell(country, &format!("lets Lebanon read what it said of it ({grant})"));
    }
    wait(sockets[&third], &name, |seen| seen.alerts.iter().any(|rule| rule == "missing"))?;
    show.tell(third, "raises an alert: goods declared missing");
    let seen = sockets.iter().map(|(country, socket)| {
        let view = look(socket, &name)?.ok_or_else(unexpected)?;
        Ok((*country, Seen::of(&view)))
    });
    Ok(Some(Ending { consignment, seen: seen.collect::<Result<_, Failure>>()?, known_before_grant }))
}

impl Seen {
    fn of(view: &ConsignmentView) -> Self {
        let alerts = view.case.iter().flat_map(|case| case["alerts"].as_array()).flatten();
        Self {
            state: view.line.state.clone().unwrap_or_else(|| "unknown".to_owned()),
            unexplained_g: view.line.unexplained_g,
            alerts: alerts.filter_map(|alert| alert["rule"].as_str().map(str::to_owned)).collect(),
        }
    }
}

fn member(code: &str) -> Result<MemberCode, Failure> {
    Ok(code.parse()?)
}

/// Logs one record, as an officer would.
fn say(socket: &Path, json: Json) -> Result<RecordId, Failure> {
    let draft: Draft = serde_json::from_value(json)?;
    // The voyage is of 2013, and what is long past is told leniently, as of documents made elsewhere.
    let request = Request::Submit { drafts: vec![draft], imported: true, skip_bad: false };
    let Response::Submitted(results) = ask(socket, &request, ANSWER)? else { return Err(unexpected()) };
    match results.into_iter().next() {
        Some(Submitted::Logged { id, .. } | Submitted::AlreadyLogged { id }) => Ok(id),
        Some(Submitted::Refused { reasons }) => {
            Err(Failure::new(Exit::Failure, format!("a record was refused: {}", reasons.join("; "))))
        }
        Some(Submitted::LeftOut) | None => Err(unexpected()),
    }
}

/// A consignment at a node; `None` if it knows of none.
fn look(socket: &Path, name: &ConsignmentName) -> Result<Option<ConsignmentView>, Failure> {
    match ask(socket, &Request::ConsignmentShow(name.clone()), ANSWER) {
        Ok(Response::Consignment(view)) => Ok(Some(*view)),
        Ok(_) => Err(unexpected()),
        Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Waits until a node sees the consignment so.
fn wait(socket: &Path, name: &ConsignmentName, wanted: impl Fn(&Seen) -> bool) -> Result<(), Failure> {
    for _ in 0..PATIENCE.as_millis() / GLANCE.as_millis() {
        if look(socket, name)?.is_some_and(|view| wanted(&Seen::of(&view))) {
            return Ok(());
        }
        thread::sleep(GLANCE);
    }
    Err(Failure::new(Exit::Behind, format!("a node did not notice within {} s what it should", PATIENCE.as_secs())))
}
