//! Answers to what only reads, from a view of the store: the same for a running node and for a stopped one's folder.

mod erasure;
mod impact;
mod equivocation;
mod lane;
mod operation;
mod policy;
mod stats;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::encoding::hash::sha256;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::evidence::{self, ExportOptions};
use crate::identity::{MemberStatus, SignedCharter, SignedManifest};
use crate::ledger::{Key, Store, StoreError};
use crate::protocol;
use crate::protocol::view::{OpenedBody, RecordView as Held, View};
use crate::protocol::{Delivery, LaneStanding, NoMaterial};
use crate::record::{Kind, Mass, PartialRecord};
use crate::watch::{self, Dossier, Views};

use super::ask::{
    BodyState, Bytes, CharterRequest, CharterView, ErasureRequest, LedgerView, LogState, LogView, Problem, ProblemKind,
    RecordFilter, RecordLine, RecordView, Request, Response, SplitView, StatusView,
};
use super::cases::Cases;
use super::consignments;
use super::views::{self, Keeper};

/// Records in one list at most; a filter or a smaller limit shows others.
const LIST_MAX: u64 = 10_000;
/// Answers a request that only reads. `keeper` has the views of a running node, `cases` its alerts; without views they are built for those requests that need them.
///
/// # Errors
/// [`Problem`], in words for the asker.
pub fn answer<S: Store>(
    view: &View<'_, S>,
    keeper: Option<&Keeper>,
    cases: Option<&Cases>,
    request: &Request,
    now: UnixTime,
) -> Result<Response, Problem> {
    let built = if keeper.is_none() && request.needs_views() { Some(Keeper::read(view)?) } else { None };
    let keeper = keeper.or(built.as_ref());
    let views = || keeper.map(Keeper::views).ok_or_else(|| problem(ProblemKind::Failure, "there are no views"));
    match request {
        Request::RecordList(filter) => Ok(Response::Records(list(view, filter)?)),
        Request::OperationList => Ok(Response::Operations(operation::list(view, views()?)?)),
        Request::OperationShow { id } => Ok(Response::Operation(operation::show(view, views()?, *id)?)),
        Request::Anchors { member } => Ok(Response::Anchors(views()?.anchors(*member).copied().collect())),
        Request::Erasure(ErasureRequest::List) => Ok(Response::Erasures(Box::new(erasure::list(view, views()?)?))),
        Request::Erasure(ErasureRequest::Plan { records }) => {
            Ok(Response::ErasurePlan(Box::new(erasure::plan(view, records)?)))
        }
        Request::PolicyList { member } => Ok(Response::Policies(policy::list(view, views()?, *member)?)),
        Request::RecordShow { id } => Ok(Response::Record(Box::new(show(view, views()?, *id, now)?))),
        Request::LogImpact { log, from } => {
            Ok(Response::Impact(Box::new(impact::impact(view, views()?, *log, *from, now)?)))
        }
        Request::ConsignmentList(filter) => {
            Ok(Response::Consignments(consignments::list(views()?, cases, filter, now)?))
        }
        Request::ConsignmentShow(name) => {
            Ok(Response::Consignment(Box::new(consignments::show(view, views()?, cases, name, now)?)))
        }
        Request::Reindex => Ok(Response::Reindexed(consignments::reindexed(None, &Keeper::read(view)?))),
        Request::Stats(question) => Ok(Response::Stats(Box::new(stats::stats(views()?, question, now)?))),
        Request::Ledger => Ok(Response::Ledger(ledger(view)?)),
        Request::Lanes => Ok(Response::Lanes(lane::list(view)?)),
        Request::Equivocations => Ok(Response::Equivocations(equivocation::list(view)?)),
        Request::EquivocationEvidence { what } => equivocation::evidence(view, what),
        Request::Status => Ok(Response::Status(Box::new(status(view)?))),
        Request::LaneEvidence { lanes, notified } => lane::evidence(view, *lanes, *notified),
        Request::Evidence { id, redact, disclose_keys } => evidence_of(view, *id, redact, *disclose_keys),
        Request::Charter(CharterRequest::Held) => charter(view),
        Request::Charter(CharterRequest::Publish { .. }) | Request::Officer(_) | Request::Approval(_) => {
            Err(problem(ProblemKind::BadRequest, "this needs the running node"))
        }
        Request::Submit { .. }
        | Request::Erasure(_)
        | Request::Peers
        | Request::Peer(_)
        | Request::CollectReceipts
        | Request::Reload
        | Request::Shutdown => Err(problem(ProblemKind::BadRequest, "this needs the running node")),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let message = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        problem(ProblemKind::Failure, message)
    }
}

pub(super) fn problem(kind: ProblemKind, message: impl Into<String>) -> Problem {
    Problem { kind, message: message.into() }
}

/// A statement that is asked for and not there, with what is there.
fn not_held<S: Store>(view: &View<'_, S>, id: RecordId) -> Problem {
    let here = match view.store().size(&id.log).checked_sub(1) {
        Some(position) => format!("the last of the log {} is {}", id.log, RecordId { log: id.log, position }),
        None => format!("nothing of the log {} is; `shieldwall ledger` shows the logs", id.log),
    };
    problem(ProblemKind::NotFound, format!("no statement {id} is held here: {here}"))
}

/// Newest first, over all logs by the time that their authors claim.
fn list<S: Store>(view: &View<'_, S>, filter: &RecordFilter) -> Result<Vec<RecordLine>, Problem> {
    let limit = if filter.limit == 0 { LIST_MAX } else { filter.limit.min(LIST_MAX) };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let logs = match filter.log {
        Some(log) => vec![log],
        None => view.store().logs(),
    };
    let mut heads: BTreeMap<LogId, Held> = BTreeMap::new();
    for log in logs {
        heads.extend(before(view, log, view.store().size(&log))?.map(|record| (log, record)));
    }
    let mut lines = Vec::new();
    while lines.len() < limit {
        let newest = heads.iter().max_by_key(|(log, record)| (record.statement.issued_at, std::cmp::Reverse(**log)));
        let Some(log) = newest.map(|(log, _)| *log) else { break };
        let Some(record) = heads.remove(&log) else { break };
        heads.extend(before(view, log, record.statement.id.position)?.map(|record| (log, record)));
        let declared = PartialRecord::from_content(&record.body.content);
        let line = line(view, &record, &declared);
        let consignment = declared.declared().consignment;
        let wanted = filter.kind.as_ref().is_none_or(|kind| line.kind.as_ref() == Some(kind))
            && filter.consignment.is_none_or(|id| line.id == id || consignment == Some(id))
            && filter.ucr.as_ref().is_none_or(|ucr| line.ucr.as_ref() == Some(ucr))
            && (!filter.opened || line.body == BodyState::Opened);
        if wanted {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The newest readable record of a log before a position.
fn before<S: Store>(view: &View<'_, S>, log: LogId, end: u64) -> Result<Option<Held>, StoreError> {
    for position in (0..end).rev() {
        if let Some(record) = view.record(RecordId { log, position })? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

fn line<S: Store>(view: &View<'_, S>, record: &Held, partial: &PartialRecord) -> RecordLine {
    let declared = partial.declared();
    let masses: Option<u64> =
        declared.goods.iter().try_fold(0_u64, |sum, line| sum.checked_add(line.net_mass_g.map_or(0, Mass::grams)));
    RecordLine {
        id: record.statement.id,
        issued_at: record.statement.issued_at,
        body: body_state(view, record),
        kind: partial.kind().map(|kind| kind.name().to_owned()),
        export_country: declared.export_country.as_ref().map(|country| country.as_str().to_owned()),
        destination: declared.destination.as_ref().map(|country| country.as_str().to_owned()),
        substances: declared.substances.clone(),
        net_mass_g: masses.filter(|_| !declared.goods.is_empty()),
        ucr: declared.ucr.as_ref().map(|ucr| ucr.as_str().to_owned()),
        flagged: record.flaw.clone(),
    }
}

fn body_state<S: Store>(view: &View<'_, S>, record: &Held) -> BodyState {
    let own = record.statement.id.log.member == view.me().member;
    match (&record.body, record.delivery) {
        _ if record.is_lanes() => BodyState::Public,
        _ if record.erased.is_some() => BodyState::Erased,
        (OpenedBody { fault: Some(_), .. }, _) | (_, Some(Delivery::Unreadable)) => BodyState::Broken,
        (body, _) if !body.content.is_empty() => BodyState::Opened,
        (_, Some(_)) => BodyState::Missing,
        (_, None) if own => BodyState::Missing,
        (_, None) => BodyState::Sealed,
    }
}

fn show<S: Store>(view: &View<'_, S>, views: &Views, id: RecordId, now: UnixTime) -> Result<RecordView, Problem> {
    let record = view.record(id)?.ok_or_else(|| not_held(view, id))?;
    let bytes = view.store().get(&Key::Statement(id))?.ok_or_else(|| not_held(view, id))?.bytes;
    let partial = PartialRecord::from_content(&record.body.content);
    let mut content: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    if let serde_json::Value::Object(fields) = partial.to_json() {
        content.extend(fields);
    }
    let About { consignment, announced, acknowledged_by } = about(view, views, id, now)?;
    Ok(RecordView {
        line: line(view, &record, &partial),
        statement: sha256(&bytes),
        size_class: 512_u64 << record.statement.size_class.min(40),
        tags: record.statement.tags.len() as u64,
        content,
        consignment,
        announced,
        covered_by: view.held_by(id)?.into_iter().map(|(member, _)| member).collect(),
        held_since: view.held_since(id)?,
        acknowledged_by,
        erased: record.erased.as_ref().map(|(note, at)| erasure::erased(id, note, *at)),
        hold: record.hold.as_ref().map(|(hold, since)| erasure::held(id, hold, *since)),
    })
}

/// What the consignment of a record tells of it.
#[derive(Default)]
struct About {
    /// Where the consignment stands.
    consignment: Option<serde_json::Value>,
    /// What is announced now, if that was amended.
    announced: Option<serde_json::Value>,
    /// Who has acknowledged the record, and when first.
    acknowledged_by: BTreeMap<MemberCode, UnixTime>,
}

/// Nothing of a record that is about no consignment, or about several.
fn about<S: Store>(view: &View<'_, S>, views: &Views, id: RecordId, now: UnixTime) -> Result<About, Problem> {
    let of: Vec<RecordId> = views.consignments_of(id).into_iter().collect();
    let [of] = of.as_slice() else { return Ok(About::default()) };
    let Some(consignment) = views.get(*of) else { return Ok(About::default()) };
    let records = views.records(*of, |id| views::read(view, id))?;
    let dossier = Dossier { consignment, records: &records };
    let amended = dossier.events(&Kind::Amendment).next().is_some();
    let announced = dossier.announced().filter(|_| amended);
    let mut acknowledged_by: BTreeMap<MemberCode, UnixTime> = BTreeMap::new();
    for (event, _) in dossier.events(&Kind::Acknowledgement).filter(|(_, said)| said.acknowledges.contains(&id)) {
        let earliest = acknowledged_by.entry(event.id.log.member).or_insert(event.issued_at);
        *earliest = (*earliest).min(event.issued_at);
    }
    let mut json = consignment.to_json();
    json["standing"] = views.standing(consignment, now).state.map(watch::State::name).into();
    Ok(About {
        consignment: Some(json),
        announced: announced.and_then(|announced| serde_json::to_value(announced).ok()),
        acknowledged_by,
    })
}

fn ledger<S: Store>(view: &View<'_, S>) -> Result<LedgerView, Problem> {
    let frontier = view.frontier()?.root();
    let cosignatures = view.cosignatures()?;
    let mut logs = Vec::new();
    for log in view.logs()? {
        let closed = view
            .federation()
            .manifest(log.log.member)
            .and_then(|manifest| manifest.log(&log.log))
            .is_some_and(|entry| entry.closed.is_some());
        logs.push(LogView {
            log: log.log,
            size: log.size,
            root: log.root,
            checkpoint_at: log.checkpoint.map(|(_, at)| at),
            audited: log.audited,
            flagged: view.flagged(Some(log.log))?,
            state: match log.fork {
                Some(_) => LogState::Quarantined,
                None if closed => LogState::Closed,
                None => LogState::Open,
            },
            receipts: log.receipts.into_iter().collect(),
        });
    }
    let over = cosignatures.iter().filter(|(_, signed, _)| signed.root() == frontier);
    Ok(LedgerView { frontier, cosigned_by: over.map(|(member, _, _)| *member).collect(), logs })
}

/// The part of the status that the store tells; the running node adds the rest.
pub fn status<S: Store>(view: &View<'_, S>) -> Result<StatusView, Problem> {
    let ledger = ledger(view)?;
    let totals = view.totals()?;
    let (me, federation) = (view.me(), view.federation());
    Ok(StatusView {
        member: me.member,
        name: federation.member(me.member).map(|member| member.name.clone()).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        running: false,
        started_at: None,
        federation: federation.id(),
        charter_version: federation.charter().version(),
        members: federation.active_members().count() as u64,
        listening: Vec::new(),
        log: me.log,
        frontier: ledger.frontier,
        cosigned_by: ledger.cosigned_by,
        statements: ledger.logs.iter().map(|log| log.size).sum(),
        statements_verified: totals.verified.saturating_sub(totals.flagged),
        statements_flagged: totals.flagged,
        bodies_opened: totals.opened,
        bodies_sealed: totals.sealed,
        bodies_missing: totals.outstanding,
        lanes_differing: view.lanes()?.into_iter().filter(LaneStanding::differs).map(|lane| lane.lanes).collect(),
        peers_connected: 0,
        equivocations: ledger.logs.iter().filter(|log| log.state == LogState::Quarantined).map(|log| log.log).collect(),
        splits: splits(view),
        standing: federation.member(me.member).filter(|member| member.status != MemberStatus::Active).map(|member| {
            format!(
                "{} is {} by version {} of the charter",
                me.member,
                member.status.as_str(),
                federation.charter().version()
            )
        }),
        bans: Vec::new(),
        read_only: None,
        next_log: false,
        signer_away_since: None,
        load: None,
        scrub: None,
        work: None,
        audit: None,
        waiting: 0,
        approvals: 0,
        unaudited: ledger.logs.iter().map(|log| log.size - log.audited).sum(),
    })
}

/// Versions that were signed twice, as far as the store knows.
fn splits<S: Store>(view: &View<'_, S>) -> Vec<SplitView> {
    let (federation, splits) = (view.federation(), protocol::splits(view.store(), view.federation()));
    let charter = splits.charter.map(|split| {
        let held = federation.chain().version(split.version()).map(SignedCharter::digest);
        let rivals = split.digests().collect();
        SplitView { manifest: None, version: split.version(), rivals, held, settled: split.settled().is_some() }
    });
    let manifests = splits.manifests.into_iter().map(|(member, split)| {
        let newest = federation.manifests().get(&member);
        let held = newest.map(SignedManifest::digest).filter(|held| split.digests().any(|digest| digest == *held));
        let settled = newest.is_some_and(|newest| newest.manifest().version() > split.version());
        SplitView { manifest: Some(member), version: split.version(), rivals: split.digests().collect(), held, settled }
    });
    charter.into_iter().chain(manifests).collect()
}

/// The charter file, as the node holds it.
fn charter<S: Store>(view: &View<'_, S>) -> Result<Response, Problem> {
    let file = view.federation().published().encode();
    let file = file.map_err(|error| problem(ProblemKind::Failure, error.to_string()))?;
    Ok(Response::Charter(Box::new(CharterView { file: Bytes(file), splits: splits(view) })))
}

fn evidence_of<S: Store>(
    view: &View<'_, S>,
    id: RecordId,
    redact: &[String],
    disclose_keys: bool,
) -> Result<Response, Problem> {
    let material = view.material(id).map_err(|error| no_material(view, error))?;
    let options = ExportOptions { redact: redact.iter().cloned().collect::<BTreeSet<_>>(), disclose_keys };
    exported(&material, &options)
}

fn no_material<S: Store>(view: &View<'_, S>, error: NoMaterial) -> Problem {
    match error {
        NoMaterial::Store(error) => Problem::from(error),
        NoMaterial::NoStatement(id) => not_held(view, id),
        NoMaterial::NoCheckpoint(_) | NoMaterial::NoLane(_) => problem(ProblemKind::NotFound, error.to_string()),
    }
}

fn exported(material: &evidence::Material, options: &ExportOptions) -> Result<Response, Problem> {
    handed_out(evidence::export(material, options))
}

fn handed_out(made: Result<evidence::Bundle, evidence::ExportError>) -> Result<Response, Problem> {
    let bundle = made.map_err(|error| problem(ProblemKind::Verification, error.to_string()))?;
    Ok(Response::Evidence(bundle.into_iter().map(|(name, bytes)| (name, Bytes(bytes))).collect()))
}
