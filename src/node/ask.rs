//! What a node can be asked and what it answers: plain data, the same whether it runs or only its data folder is at hand.
//!
//! The running node takes a [`Call`] from a bounded queue; a stopped node's folder answers the requests for which
//! [`Request::only_reads`] holds. The JSON form of these types is what travels over the local socket.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::Anchor;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Date, Draft, Terms};

mod alert;
mod approval;
mod audit;
mod call;
mod charter;
mod consignment;
mod erasure;
mod impact;
mod equivocation;
mod lane;
mod officer;
mod peer;
mod reload;
mod reconcile;
mod stats;
mod status;

pub use alert::{AlertAct, AlertFilter, AlertLine, AlertView, AlertWords, RaisedLine};
pub use approval::{APPROVAL_ID_DIGITS, AgreedView, ApprovalRequest, ApprovalView, ClosedView, approval_id};
pub use audit::AuditView;
pub use call::{ANSWER_QUEUE, Call, Caller, Reply};
pub use charter::{CharterRequest, CharterView, PublishedView, SplitView};
pub use consignment::{
    ConsignmentFilter, ConsignmentLine, ConsignmentName, ConsignmentOrder, ConsignmentPage, ConsignmentView, Due,
    Reindexed, TimelineEntry,
};
pub use equivocation::EquivocationView;
pub use erasure::{
    AnswerView, ERASURE_RECORDS_MAX, ErasedView, ErasureRequest, ErasuresView, HoldView, OrderView, PlanView,
    PlannedView,
};
pub use impact::{ImpactLine, ImpactView};
pub use lane::{AskedLane, LaneView, ShownLane};
pub use officer::OfficerRequest;
pub use peer::{BAN_REASON_MAX, BAN_S_MAX, BanView, PeerRequest, PingView};
pub use reconcile::{Difference, LinkLine, MirrorRow, PairCount, ReconcileFilter, ReconcileView, Suggested};
pub use reload::ReloadView;
pub use stats::{StatsQuestion, StatsView, StatsWanted};
pub use status::{LoadView, ScrubView, StatusView, ToldView, WorkView};

/// Drafts in one [`Request::Submit`] at most: one group commit, well below the bound of a line.
pub const DRAFTS_MAX: usize = 500;

/// What a node can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Log these drafts; answered when they are durable. At most [`DRAFTS_MAX`].
    Submit {
        /// What to log, in this order.
        drafts: Vec<Draft>,
        /// Whether they were taken from documents made elsewhere, and so are judged leniently.
        imported: bool,
        /// Whether the good ones are logged although others are refused.
        skip_bad: bool,
    },
    /// Records, newest first.
    RecordList(RecordFilter),
    /// One record.
    RecordShow {
        /// Which.
        id: RecordId,
    },
    /// What hangs on the statements of a log from a position on.
    LogImpact {
        /// The log.
        log: LogId,
        /// The first position.
        from: u64,
    },
    /// The joint operations that this node knows of.
    OperationList,
    /// One joint operation.
    OperationShow {
        /// Any record of it.
        id: RecordId,
    },
    /// The policies of one member.
    PolicyList {
        /// Whose.
        member: MemberCode,
    },
    /// Consignments.
    ConsignmentList(ConsignmentFilter),
    /// One consignment.
    ConsignmentShow(ConsignmentName),
    /// What is asked of the charter.
    Charter(CharterRequest),
    /// What is asked of requests that need a second person.
    Approval(ApprovalRequest),
    /// What officers ask of alerts and of both sides' declarations, or want done with them.
    Officer(OfficerRequest),
    /// What is asked of erasures and holds, and wanted of bodies that lie here.
    Erasure(ErasureRequest),
    /// What a member has said in its log of its audit log.
    Anchors {
        /// Which member.
        member: MemberCode,
    },
    /// Build the views again from the ledger.
    Reindex,
    /// Figures of many consignments.
    Stats(StatsQuestion),
    /// All logs with sizes, roots and cosignatures.
    Ledger,
    /// What authors have shown of their lanes to this node.
    Lanes,
    /// What is proved to be signed twice.
    Equivocations,
    /// The other members' nodes.
    Peers,
    /// Whether one of them answers, or that it is kept away.
    Peer(PeerRequest),
    /// How the node is.
    Status,
    /// The files that prove a record to an outsider; a running node first asks the members within reach for receipts.
    Evidence {
        /// Which record.
        id: RecordId,
        /// Compartments (`parties`) and fields (`trade/ucr`) to leave out.
        redact: Vec<String>,
        /// Whether the sealed compartments go along with their content keys, so that any COSE tool can open them.
        #[serde(default)]
        disclose_keys: bool,
    },
    /// The files that prove to an outsider what an author has addressed to this node; a running node first asks for receipts, as above.
    LaneEvidence {
        /// The `lanes` statement.
        lanes: RecordId,
        /// Whether kind and consignment of each statement are shown.
        notified: bool,
    },
    /// The files that prove to an outsider that something was signed twice.
    EquivocationEvidence {
        /// What, as [`EquivocationView::what`] names it.
        what: String,
    },
    /// Ask every member within reach for its receipt of every log, and wait for them.
    CollectReceipts,
    /// Read the config again, and go by what can change at once.
    Reload,
    /// Finish what was begun, then end.
    Shutdown,
}

/// Which records are listed. Empty fields leave everything in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordFilter {
    /// Only of this log.
    pub log: Option<LogId>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of the consignment that this record opened.
    pub consignment: Option<RecordId>,
    /// Only those with this reference.
    pub ucr: Option<String>,
    /// Only those that this node may open.
    pub opened: bool,
    /// At most so many; 0 for no bound.
    pub limit: u64,
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// To [`Request::Submit`]: one entry per draft, in their order.
    Submitted(Vec<Submitted>),
    /// To [`Request::RecordList`].
    Records(Vec<RecordLine>),
    /// To [`Request::RecordShow`].
    Record(Box<RecordView>),
    /// To [`Request::LogImpact`].
    Impact(Box<ImpactView>),
    /// To [`Request::OperationList`]: the JSON of the fold.
    Operations(Vec<serde_json::Value>),
    /// To [`Request::OperationShow`].
    Operation(serde_json::Value),
    /// To [`Request::PolicyList`]: the newest first.
    Policies(Vec<PolicyView>),
    /// To [`Request::ConsignmentList`].
    Consignments(ConsignmentPage),
    /// To [`Request::ConsignmentShow`].
    Consignment(Box<ConsignmentView>),
    /// To [`OfficerRequest::AlertList`].
    Alerts(Vec<AlertLine>),
    /// To [`OfficerRequest::AlertShow`] and [`OfficerRequest::AlertAct`].
    Alert(Box<AlertView>),
    /// To [`OfficerRequest::AlertsSince`].
    Raised(Vec<RaisedLine>),
    /// To [`OfficerRequest::Reconcile`].
    Reconciled(Box<ReconcileView>),
    /// To [`OfficerRequest::ReconcileTotals`].
    Mirror(Vec<MirrorRow>),
    /// To [`OfficerRequest::ReconcileLinks`] and [`OfficerRequest::ReconcileDecide`].
    Links(Vec<LinkLine>),
    /// To [`CharterRequest::Held`].
    Charter(Box<CharterView>),
    /// To [`CharterRequest::Publish`].
    Published(PublishedView),
    /// To [`Request::Submit`] and [`CharterRequest::Publish`] where they need a second person: nothing is done yet. To
    /// [`ApprovalRequest::Approve`] where still others are needed.
    Pending(Box<ApprovalView>),
    /// To [`ApprovalRequest::List`]: the newest last.
    Approvals(Vec<ApprovalView>),
    /// To [`ApprovalRequest::Show`] and [`ApprovalRequest::Reject`].
    Approval(Box<ApprovalView>),
    /// To [`ErasureRequest::List`].
    Erasures(Box<ErasuresView>),
    /// To [`ErasureRequest::Plan`].
    ErasurePlan(Box<PlanView>),
    /// To [`Request::Anchors`]: in the order of the records.
    Anchors(Vec<Anchor>),
    /// To [`Request::Reindex`].
    Reindexed(Reindexed),
    /// To [`Request::Stats`].
    Stats(Box<StatsView>),
    /// To [`Request::Ledger`].
    Ledger(LedgerView),
    /// To [`Request::Lanes`]: in the order of the `lanes` statements.
    Lanes(Vec<LaneView>),
    /// To [`Request::Equivocations`].
    Equivocations(Vec<EquivocationView>),
    /// To [`Request::Peers`].
    Peers(Vec<PeerView>),
    /// To [`PeerRequest::Ping`].
    Pinged(PingView),
    /// To [`PeerRequest::Ban`] and [`PeerRequest::Unban`]: who is kept away now.
    Bans(Vec<BanView>),
    /// To [`Request::Reload`].
    Reloaded(ReloadView),
    /// To [`Request::Status`].
    Status(Box<StatusView>),
    /// To [`Request::Evidence`]: the files by their names in the folder.
    Evidence(BTreeMap<String, Bytes>),
    /// To [`Request::CollectReceipts`], [`Request::Shutdown`], and what [`Request::Erasure`] wants done.
    Done,
}

/// What became of one draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Submitted {
    /// It is in the log, durably.
    Logged {
        /// Its id.
        id: RecordId,
        /// What is odd about it.
        warnings: Vec<String>,
    },
    /// The same document line was logged before.
    AlreadyLogged {
        /// As this record.
        id: RecordId,
    },
    /// It is not a record that can be logged.
    Refused {
        /// Why.
        reasons: Vec<String>,
    },
    /// It was left out because another draft was refused.
    LeftOut,
}

/// One line of a list of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// Its id.
    pub id: RecordId,
    /// When its author says it was made.
    pub issued_at: UnixTime,
    /// What this node can see of it.
    pub body: BodyState,
    /// What it says, if this node may read that.
    pub kind: Option<String>,
    /// Where the goods leave from.
    pub export_country: Option<String>,
    /// Where they are meant to go.
    pub destination: Option<String>,
    /// What they are.
    pub substances: Vec<String>,
    /// Their net mass in grams, all lines together.
    pub net_mass_g: Option<u64>,
    /// The consignment's reference.
    pub ucr: Option<String>,
    /// Why the statement has no effect.
    pub flagged: Option<String>,
}

/// What a node can see of a record's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyState {
    /// It is for this node, and open.
    Opened,
    /// It is not for this node.
    Sealed,
    /// It is for this node, and has not come.
    Missing,
    /// It is for this node, and does not open.
    Broken,
    /// It was erased.
    Erased,
    /// It is readable by every member: lanes, closings.
    Public,
}

/// One record in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordView {
    /// What the list shows.
    #[serde(flatten)]
    pub line: RecordLine,
    /// SHA-256 of the statement's bytes.
    pub statement: Digest,
    /// The size class that everybody sees, in bytes.
    pub size_class: u64,
    /// How many tags the statement carries, padding included.
    pub tags: u64,
    /// The opened compartments: fields by name.
    pub content: BTreeMap<String, serde_json::Value>,
    /// Where its consignment stands, as far as this node may know; absent for a record of none, and in a ledger too long to be
    /// read through for one answer.
    pub consignment: Option<serde_json::Value>,
    /// What is announced now, if amendments changed what the notification of the consignment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<serde_json::Value>,
    /// Members whose checkpoint, cosignature or receipt covers it.
    pub covered_by: Vec<MemberCode>,
    /// Those of them other than its author, each with the earliest time at which it is known here to have cosigned a tree with the record in it; of others' records that of its
    /// newest cosignature.
    #[serde(default)]
    pub held_since: BTreeMap<MemberCode, UnixTime>,
    /// Members that have acknowledged that it arrived, as far as this node may read that, each with the time of its first acknowledgement.
    #[serde(default)]
    pub acknowledged_by: BTreeMap<MemberCode, UnixTime>,
    /// When and why its body was erased here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<ErasedView>,
    /// That its body is kept here whatever is ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldView>,
}

/// A policy that a member has published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyView {
    /// Its record.
    pub id: RecordId,
    /// When its author says it was made.
    pub issued_at: UnixTime,
    /// The first day on which it holds; none if it holds since it was made.
    pub effective_from: Option<Date>,
    /// Its terms.
    pub terms: Terms,
}

/// All logs, as one node holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerView {
    /// The digest over all logs; equal at nodes that hold the same.
    pub frontier: Digest,
    /// Members whose cosignature over exactly this frontier is held.
    pub cosigned_by: Vec<MemberCode>,
    /// The logs by name.
    pub logs: Vec<LogView>,
}

impl LedgerView {
    /// Whether the frontier says anything of what is held: not if statements are, and none of them is audited. So it is until the first one is, and
    /// of a data folder whose index was lost until its node has read the segments again.
    #[must_use]
    pub fn frontier_known(&self) -> bool {
        self.logs.iter().all(|log| log.size == 0) || self.logs.iter().any(|log| log.audited > 0)
    }
}

/// One log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// Its name.
    pub log: LogId,
    /// Statements held under a checkpoint of its owner.
    pub size: u64,
    /// The root over those that are audited: [`Self::audited`] of them.
    pub root: Digest,
    /// When the owner signed its newest checkpoint; none for a log without a checkpoint yet.
    pub checkpoint_at: Option<UnixTime>,
    /// Statements whose own signatures are checked.
    pub audited: u64,
    /// Of these, how many are flagged and without effect.
    pub flagged: u64,
    /// Whether it goes on.
    pub state: LogState,
    /// Members whose receipt over it is held, with the size it covers.
    pub receipts: BTreeMap<MemberCode, u64>,
}

/// Whether a log goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogState {
    /// It grows.
    Open,
    /// Its member closed it.
    Closed,
    /// Two histories of it were signed.
    Quarantined,
}

/// Another member's node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// Whose.
    pub member: MemberCode,
    /// The member's name in the charter.
    pub name: String,
    /// Whether it is connected now.
    pub connected: bool,
    /// Where its manifest says it is.
    pub addresses: Vec<String>,
    /// The frontier that it last told.
    pub frontier: Option<Digest>,
    /// Whether that is this node's own.
    pub in_step: bool,
    /// Whether and until when this node's operator keeps it away.
    #[serde(default)]
    pub ban: Option<BanView>,
}

/// Something that happened while a request was worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub what: String,
    /// How far it is.
    pub done: u64,
    /// Out of how many, if that is known.
    pub total: Option<u64>,
}

/// Why a request failed. The texts hold nothing of an opened body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What kind of failure, for the exit code of the command.
    pub kind: ProblemKind,
    /// What happened, in words.
    pub message: String,
}

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// There is no such record or log.
    NotFound,
    /// The request is none that can be carried out.
    BadRequest,
    /// This user may not.
    Denied,
    /// The node does not write at present.
    ReadOnly,
    /// The node's own log is never signed again.
    LogEnded,
    /// The node is at its limit.
    Busy,
    /// The audit log cannot be written, so nothing is done or shown.
    Unaudited,
    /// It took too long.
    Timeout,
    /// A signature, hash or chain does not hold.
    Verification,
    /// Two signed versions of one thing.
    Equivocation,
    /// Our own or the machine's failure.
    Failure,
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// It goes on.
    Progress(Progress),
    /// The last line: it is done.
    Done(Response),
    /// The last line: it failed.
    Failed(Problem),
}

/// Bytes, in JSON as base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Bytes(pub Vec<u8>);

impl Request {
    /// Whether the answer comes from the consignments, or tells of one.
    #[must_use]
    pub fn needs_views(&self) -> bool {
        match self {
            Self::RecordShow { .. }
            | Self::LogImpact { .. }
            | Self::ConsignmentList(_)
            | Self::ConsignmentShow(_)
            | Self::Stats(_)
            | Self::OperationList
            | Self::OperationShow { .. }
            | Self::PolicyList { .. }
            | Self::Erasure(ErasureRequest::List)
            | Self::Anchors { .. } => true,
            Self::RecordList(_)
            | Self::Erasure(_)
            | Self::Reindex
            | Self::Ledger
            | Self::Lanes
            | Self::Status
            | Self::Evidence { .. }
            | Self::LaneEvidence { .. }
            | Self::Equivocations
            | Self::EquivocationEvidence { .. }
            | Self::Submit { .. }
            | Self::Peers
            | Self::Peer(_)
            | Self::Charter(_)
            | Self::Approval(_)
            | Self::Officer(_)
            | Self::CollectReceipts
            | Self::Reload
            | Self::Shutdown => false,
        }
    }

    /// Whether a stopped node's data folder can answer it as well.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        match self {
            Self::RecordList(_)
            | Self::RecordShow { .. }
            | Self::LogImpact { .. }
            | Self::ConsignmentList(_)
            | Self::ConsignmentShow(_)
            | Self::Stats(_)
            | Self::Reindex
            | Self::OperationList
            | Self::OperationShow { .. }
            | Self::PolicyList { .. }
            | Self::Anchors { .. }
            | Self::Ledger
            | Self::Lanes
            | Self::Status
            | Self::Evidence { .. }
            | Self::Equivocations
            | Self::EquivocationEvidence { .. }
            | Self::LaneEvidence { .. } => true,
            Self::Charter(request) => *request == CharterRequest::Held,
            Self::Erasure(request) => matches!(request, ErasureRequest::List | ErasureRequest::Plan { .. }),
            Self::Officer(_) | Self::Approval(_) => false,
            Self::Submit { .. }
            | Self::Peers
            | Self::Peer(_)
            | Self::CollectReceipts
            | Self::Reload
            | Self::Shutdown => false,
        }
    }
}

impl LedgerView {
    /// When each member signed its newest checkpoint, over all its logs; members without one are left out.
    #[must_use]
    pub fn newest_checkpoints(&self) -> BTreeMap<MemberCode, UnixTime> {
        let mut newest = BTreeMap::new();
        for log in &self.logs {
            if let Some(at) = log.checkpoint_at {
                newest.entry(log.log.member).and_modify(|newest| *newest = at.max(*newest)).or_insert(at);
            }
        }
        newest
    }
}

impl TryFrom<String> for Bytes {
    type Error = data_encoding::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        data_encoding::BASE64.decode(text.as_bytes()).map(Self)
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        data_encoding::BASE64.encode(&bytes.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_survive_json() {
        let request =
            Request::Evidence { id: "GE-1".parse().unwrap(), redact: vec!["parties".to_owned()], disclose_keys: true };
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(json, r#"{"evidence":{"id":"GE-1","redact":["parties"],"disclose_keys":true}}"#);
        assert_eq!(serde_json::from_str::<Request>(&json).unwrap(), request);

        let files = BTreeMap::from([("statement.cose".to_owned(), Bytes(vec![0xd2, 0x84]))]);
        let line = Line::Done(Response::Evidence(files));
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(json, r#"{"done":{"evidence":{"statement.cose":"0oQ="}}}"#);
        assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), line);
    }
}
