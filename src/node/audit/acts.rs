//! What an entry says of a request and of its answer: a word, ids, counts, and nothing that was opened.

use crate::audit::{Act, Outcome};
use crate::encoding::ids::RecordId;
use crate::node::ask::{
    AlertAct, ApprovalRequest, BodyState, Caller, CharterRequest, ConsignmentName, ErasureRequest, Line,
    OfficerRequest, PeerRequest, ProblemKind, RecordLine, Request, Response, StatsWanted, Submitted, approval_id,
};

/// What is written down of a request before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    act: &'static str,
    /// Whether it changes something, so that it is written down before.
    pub(super) changes: bool,
    ids: Vec<RecordId>,
    officer: Option<String>,
    note: Option<String>,
}

/// What an answer adds: what was done or shown.
#[derive(Debug, Default)]
struct Shown {
    ids: Vec<RecordId>,
    more: u64,
    note: Option<String>,
    /// Whether nothing is done yet.
    waits: bool,
}

impl Asked {
    /// `None` for what tells of nothing that was opened and changes nothing: a collector asks for it every few seconds.
    pub(super) fn of(request: &Request) -> Option<Self> {
        Some(match request {
            Request::Submit { drafts, imported, .. } => {
                let how = if *imported { "imported " } else { "" };
                Self::change("submit").note(format!("{how}drafts: {}", drafts.len()))
            }
            Request::RecordList(_) => Self::read("record-list"),
            Request::RecordShow { id } => Self::read("record-show").about(&[*id]),
            Request::LogImpact { log, from } => Self::read("log-impact").about(&[RecordId::new(*log, *from)]),
            Request::OperationList => Self::read("operation-list"),
            Request::OperationShow { id } => Self::read("operation-show").about(&[*id]),
            Request::PolicyList { member } => Self::read("policy-show").note(format!("of {member}")),
            Request::ConsignmentList(_) => Self::read("consignment-list"),
            Request::ConsignmentShow(ConsignmentName::Record(id)) => Self::read("consignment-show").about(&[*id]),
            // The reference stands in sealed bodies.
            Request::ConsignmentShow(ConsignmentName::Ucr(_)) => {
                Self::read("consignment-show").note("by its reference")
            }
            Request::Charter(CharterRequest::Publish { settle, .. }) => {
                Self::change(if *settle { "charter-settle" } else { "charter-publish" })
            }
            Request::Approval(request) => return Self::of_approval(request),
            Request::Erasure(request) => Self::of_erasure(request),
            Request::Officer(request) => Self::of_officer(request),
            Request::Reindex => Self::read("reindex"),
            Request::Stats(question) => Self::read(match question.wanted {
                StatsWanted::Figures => "stats-figures",
                StatsWanted::Reports => "stats-reports",
                StatsWanted::Aggregate => "stats-aggregate",
            }),
            Request::Evidence { id, redact, disclose_keys } => {
                let keys = if *disclose_keys { "with content keys" } else { "without content keys" };
                let parts =
                    if redact.is_empty() { String::new() } else { format!(", {} parts left out", redact.len()) };
                Self::read("evidence-export").about(&[*id]).note(format!("{keys}{parts}"))
            }
            Request::LaneEvidence { lanes, notified } => {
                let shown = if *notified { "with kinds and consignments" } else { "without contents" };
                Self::read("lane-export").about(&[*lanes]).note(shown)
            }
            Request::Peer(PeerRequest::Ban { member, seconds, .. }) => {
                Self::change("peer-ban").note(format!("{member} for {seconds} s"))
            }
            Request::Peer(PeerRequest::Unban { member }) => Self::change("peer-unban").note(member.as_str()),
            Request::Reload => Self::change("config-reload"),
            Request::Shutdown => Self::change("node-stop"),
            Request::Charter(CharterRequest::Held)
            | Request::Anchors { .. }
            | Request::Ledger
            | Request::Lanes
            | Request::Equivocations
            | Request::EquivocationEvidence { .. }
            | Request::Peers
            | Request::Peer(PeerRequest::Ping { .. })
            | Request::Status
            | Request::CollectReceipts => return None,
        })
    }

    /// Which request is agreed to stands in the note; a reason is free text, and stays with the request. What waits is told without what it holds.
    fn of_approval(request: &ApprovalRequest) -> Option<Self> {
        let (act, id) = match request {
            ApprovalRequest::List { .. } => return None,
            ApprovalRequest::Show { id } => (Self::read("approval-show"), id),
            ApprovalRequest::Approve { id } => (Self::change("approval-approve"), id),
            ApprovalRequest::Reject { id, .. } => (Self::change("approval-reject"), id),
        };
        Some(act.note(format!("approval {}", approval_id(id))))
    }

    /// The reference of a hold is free text, and stays with the hold.
    fn of_erasure(request: &ErasureRequest) -> Self {
        match request {
            ErasureRequest::List => Self::read("erasure-list"),
            ErasureRequest::Plan { records } => Self::read("erasure-plan").about(records),
            ErasureRequest::Hold { records, .. } => Self::change("record-hold").about(records),
            ErasureRequest::Release { records } => Self::change("record-release").about(records),
            ErasureRequest::Forget { records } => Self::change("record-forget").about(records),
        }
    }

    fn of_officer(request: &OfficerRequest) -> Self {
        match request {
            OfficerRequest::AlertList(_) => Self::read("alert-list"),
            OfficerRequest::AlertShow { case } => Self::read("alert-show").about(&[*case]),
            OfficerRequest::AlertAct { case, act, by, .. } => Self::change(match act {
                AlertAct::Acknowledge => "alert-acknowledge",
                AlertAct::Snooze { .. } => "alert-snooze",
                AlertAct::Assign { .. } => "alert-assign",
                AlertAct::Close { .. } => "alert-close",
                AlertAct::Reopen => "alert-reopen",
                AlertAct::Override { .. } => "alert-override",
            })
            .about(&[*case])
            .by(by),
            OfficerRequest::AlertsSince { .. } => Self::read("alert-follow"),
            OfficerRequest::Reconcile(_) => Self::read("reconcile-list"),
            OfficerRequest::ReconcileTotals { .. } => Self::read("reconcile-totals"),
            OfficerRequest::ReconcileLinks => Self::read("reconcile-links"),
            OfficerRequest::ReconcileDecide { arrival, announced, holds, by, .. } => {
                Self::change(if *holds { "reconcile-confirm" } else { "reconcile-reject" })
                    .about(&[*arrival, *announced])
                    .by(by)
            }
        }
    }

    fn read(act: &'static str) -> Self {
        Self { act, changes: false, ids: Vec::new(), officer: None, note: None }
    }

    fn change(act: &'static str) -> Self {
        Self { changes: true, ..Self::read(act) }
    }

    fn about(mut self, ids: &[RecordId]) -> Self {
        self.ids = ids.to_vec();
        self
    }

    fn by(mut self, officer: &str) -> Self {
        self.officer = Some(officer.to_owned()).filter(|officer| !officer.is_empty());
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The entry before it is carried out.
    pub(super) fn before(&self, by: Caller) -> Act {
        let Caller { uid, login_uid, pid } = by;
        let (ids, officer, note) = (self.ids.clone(), self.officer.clone(), self.note.clone());
        Act { uid, login_uid, pid, ids, officer, note, ..Act::of_node(self.act, Outcome::Asked) }
    }

    /// What came of it, with the name of the request that was agreed to before it.
    fn with_approval(&self, what: Option<String>) -> Option<String> {
        let approval = self.note.as_ref().filter(|_| self.act.starts_with("approval-"));
        match (approval, what) {
            (Some(approval), Some(what)) if what != *approval => Some(format!("{approval}; {what}")),
            (_, what) => what,
        }
    }

    /// The entry of what came of it; none for what told nothing. `of` is the entry before, `last` the last line of the answer, if there is one.
    pub(super) fn after(&self, by: Caller, of: Option<u64>, last: Option<&Line>) -> Option<Act> {
        let act = Act { of, ..self.before(by) };
        Some(match last {
            Some(Line::Done(response)) => {
                let shown = shown(response);
                if self.act == "alert-follow" && shown.ids.is_empty() {
                    return None;
                }
                // What was to be changed says more than what is shown after it.
                let named = shown.ids.is_empty() || self.changes && !act.ids.is_empty();
                let ids = if named { act.ids } else { shown.ids };
                let outcome = if shown.waits { Outcome::Waiting } else { Outcome::Done };
                let note = self.with_approval(shown.note).or(act.note);
                Act { outcome, ids, more: shown.more, note, ..act }
            }
            Some(Line::Failed(problem)) => {
                let (outcome, why) = match problem.kind {
                    ProblemKind::NotFound => (Outcome::Refused, "not found"),
                    ProblemKind::BadRequest => (Outcome::Refused, "cannot be carried out"),
                    ProblemKind::Denied => (Outcome::Refused, "this user may not"),
                    ProblemKind::ReadOnly => (Outcome::Refused, "nothing is written at present"),
                    ProblemKind::LogEnded => (Outcome::Refused, "the log is never signed again"),
                    // Nothing was read; who asks again is written down then.
                    ProblemKind::Busy if !self.changes => return None,
                    ProblemKind::Busy => (Outcome::Refused, "busy"),
                    ProblemKind::Unaudited => (Outcome::Refused, "the audit log cannot be written"),
                    ProblemKind::Verification => (Outcome::Refused, "does not verify"),
                    ProblemKind::Equivocation => (Outcome::Refused, "contradicts what was signed"),
                    ProblemKind::Timeout => (Outcome::Failed, "took too long"),
                    ProblemKind::Failure => (Outcome::Failed, "failed"),
                };
                let why = self.with_approval(Some(why.to_owned())).unwrap_or_default();
                Act { outcome, ..act }.note(why)
            }
            Some(Line::Progress(_)) | None => {
                Act { outcome: Outcome::Failed, ..act }.note("nobody waited for the answer")
            }
        })
    }
}

/// What an answer has shown or done.
fn shown(response: &Response) -> Shown {
    match response {
        Response::Submitted(all) => {
            let logged = |one: &Submitted| match one {
                Submitted::Logged { id, .. } => Some(*id),
                Submitted::AlreadyLogged { .. } | Submitted::Refused { .. } | Submitted::LeftOut => None,
            };
            let ids: Vec<RecordId> = all.iter().filter_map(logged).collect();
            let note = format!("logged: {} of {}", ids.len(), all.len());
            Shown { ids, note: Some(note), ..Shown::default() }
        }
        // What is sealed for others shows nothing.
        Response::Records(lines) => Shown::opened(lines),
        Response::Record(view) => Shown::of([view.line.id]),
        Response::Impact(view) => Shown::opened(&view.records),
        Response::Operations(all) => Shown { more: all.len() as u64, ..Shown::default() },
        Response::Policies(all) => Shown::of(all.iter().map(|policy| policy.id)),
        Response::Consignments(page) => Shown::of(page.consignments.iter().map(|line| line.id)),
        Response::Consignment(view) => Shown::of([view.line.id]),
        Response::Alerts(lines) => Shown::of(lines.iter().map(|line| line.case)),
        Response::Alert(view) => Shown::of([view.line.case]),
        Response::Raised(lines) => Shown::of(lines.iter().map(|line| line.case)),
        Response::Reconciled(view) => Shown::of(view.differences.iter().map(|difference| difference.consignment)),
        Response::Links(lines) => Shown::of(lines.iter().map(|line| line.arrival)),
        Response::Published(view) => Shown { note: Some(format!("version {}", view.version)), ..Shown::default() },
        Response::Pending(view) => {
            Shown { note: Some(format!("approval {}", view.id)), waits: true, ..Shown::default() }
        }
        Response::Approval(view) => Shown { note: Some(format!("approval {}", view.id)), ..Shown::default() },
        Response::Approvals(_)
        | Response::Operation(_)
        | Response::Mirror(_)
        | Response::Charter(_)
        | Response::Anchors(_)
        | Response::Erasures(_)
        | Response::ErasurePlan(_)
        | Response::Reindexed(_)
        | Response::Stats(_)
        | Response::Ledger(_)
        | Response::Lanes(_)
        | Response::Equivocations(_)
        | Response::Peers(_)
        | Response::Pinged(_)
        | Response::Bans(_)
        | Response::Reloaded(_)
        | Response::Status(_)
        | Response::Evidence(_)
        | Response::Done => Shown::default(),
    }
}

impl Shown {
    fn opened(lines: &[RecordLine]) -> Self {
        Self::of(lines.iter().filter(|line| line.body == BodyState::Opened).map(|line| line.id))
    }

    fn of(ids: impl IntoIterator<Item = RecordId>) -> Self {
        Self { ids: ids.into_iter().collect(), ..Self::default() }
    }
}
