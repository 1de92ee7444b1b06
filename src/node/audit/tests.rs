use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::*;
use crate::audit::{Anchor, Entry, IDS_MAX};
use crate::disk::fault::{Fault, FaultFs, Kind, Op};
use crate::encoding::hash::sha256;
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::node::ask::{
    AlertAct, ApprovalRequest, ApprovalView, BodyState, Bytes, Call, Caller, CharterRequest, ConsignmentFilter,
    ConsignmentName, Line, OfficerRequest, ProblemKind, RecordFilter, RecordLine, Reply, Request, Response, Submitted,
    approval_id,
};

/// A word that stands in what is asked and shown, and may stand nowhere in the log.
const CANARY: &str = "canary-5c1d";

fn id(text: &str) -> RecordId {
    text.parse().unwrap()
}

fn by() -> Caller {
    Caller { uid: Some(990), login_uid: Some(1001), pid: Some(4242) }
}

fn line(id: RecordId, body: BodyState) -> RecordLine {
    RecordLine {
        id,
        issued_at: UnixTime::ZERO,
        body,
        kind: Some(CANARY.to_owned()),
        export_country: None,
        destination: None,
        substances: vec![CANARY.to_owned()],
        net_mass_g: None,
        ucr: Some(CANARY.to_owned()),
        flagged: None,
    }
}

/// Something that waits for a second person.
fn pending() -> ApprovalView {
    let digest = sha256(b"what is asked");
    ApprovalView {
        id: approval_id(&digest),
        digest,
        act: "charter-publish".to_owned(),
        about: CANARY.to_owned(),
        asked_by: CANARY.to_owned(),
        asked_at: UnixTime::ZERO,
        until: UnixTime::MAX,
        persons: 2,
        agreed: Vec::new(),
        missing: 1,
        may: Vec::new(),
        stands: "waiting".to_owned(),
        closed: None,
        request: None,
    }
}

/// What the loop answers here.
fn answer(call: Call, unanswered: &mut Vec<Reply>) {
    let Call { request, reply, .. } = call;
    if let Request::Submit { drafts, .. } = request {
        let logged = |at| Submitted::Logged { id: RecordId::new("GE".parse().unwrap(), at), warnings: Vec::new() };
        let mut all: Vec<Submitted> = (0..drafts.len() as u64).map(logged).collect();
        all.push(Submitted::Refused { reasons: vec![CANARY.to_owned()] });
        reply.done(Response::Submitted(all));
    } else if let Request::RecordList(filter) = request {
        let state = |at| if at % 2 == 0 { BodyState::Opened } else { BodyState::Sealed };
        let lines = (0..filter.limit).map(|at| line(RecordId::new("FR".parse().unwrap(), at), state(at)));
        reply.done(Response::Records(lines.collect()));
    } else if let Request::RecordShow { .. } = request {
        reply.fail(ProblemKind::NotFound, CANARY);
    } else if let Request::ConsignmentShow(_) = request {
        reply.fail(ProblemKind::Busy, CANARY);
    } else if let Request::Charter(CharterRequest::Publish { .. }) = request {
        reply.done(Response::Pending(Box::new(pending())));
    } else if let Request::Approval(ApprovalRequest::Approve { .. }) = request {
        let logged = Submitted::Logged { id: id("GE-7"), warnings: vec![CANARY.to_owned()] };
        reply.done(Response::Submitted(vec![logged]));
    } else if let Request::Approval(ApprovalRequest::Reject { .. }) = request {
        reply.fail(ProblemKind::Denied, CANARY);
    } else if request == Request::Reindex {
        // Who asks goes away before.
        unanswered.push(reply);
    } else {
        reply.done(Response::Done);
    }
}

/// Socket, gate and loop, with the log on a disk that can fail.
struct Bench {
    fs: FaultFs,
    auditor: Auditor,
    asked: mpsc::Sender<Call>,
    /// What reached the loop.
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Bench {
    fn new() -> Self {
        let fs = FaultFs::new(1);
        let auditor = Auditor::start(fs.open_audit_log(1 << 20).unwrap().0);
        let (asked, asked_taken) = mpsc::channel(4);
        let (calls, mut taken) = mpsc::channel::<Call>(4);
        let seen = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(gate(asked_taken, auditor.clone(), calls));
        let by_loop = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut unanswered = Vec::new();
            while let Some(call) = taken.recv().await {
                by_loop.lock().unwrap().push(call.request.clone());
                answer(call, &mut unanswered);
            }
        });
        Self { fs, auditor, asked, seen }
    }

    async fn ask(&self, request: Request) -> Line {
        let (call, mut lines) = Call::new(request, by());
        self.asked.send(call).await.unwrap();
        loop {
            match lines.recv().await.unwrap() {
                Line::Progress(_) => {}
                last @ (Line::Done(_) | Line::Failed(_)) => return last,
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.fs.content(Path::new("/data/audit/000000000001.jsonl"))
    }

    fn entries(&self) -> Vec<Entry> {
        let bytes = self.bytes();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| Entry::read(line).unwrap()).collect()
    }
}

fn submit(drafts: usize) -> Request {
    let draft = crate::record::Draft { remarks: Some(CANARY.to_owned()), ..Default::default() };
    Request::Submit { drafts: vec![draft; drafts], imported: false, skip_bad: true }
}

fn records(limit: u64) -> Request {
    Request::RecordList(RecordFilter { ucr: Some(CANARY.to_owned()), limit, ..RecordFilter::default() })
}

fn kind(line: &Line) -> Option<ProblemKind> {
    match line {
        Line::Failed(problem) => Some(problem.kind),
        Line::Done(_) | Line::Progress(_) => None,
    }
}

#[tokio::test]
async fn what_changes_is_written_before_and_after_and_what_reads_before_it_is_shown() {
    let bench = Bench::new();
    bench.ask(submit(2)).await;
    bench.ask(records(5)).await;
    bench.ask(Request::RecordShow { id: id("TR-7") }).await;
    let told: Vec<_> =
        bench.entries().into_iter().map(|entry| (entry.act, entry.outcome, entry.of, entry.ids, entry.note)).collect();
    let note = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            ("submit".to_owned(), Outcome::Asked, None, vec![], note("drafts: 2")),
            ("submit".to_owned(), Outcome::Done, Some(1), vec![id("GE-0"), id("GE-1")], note("logged: 2 of 3")),
            // What is sealed was not shown.
            ("record-list".to_owned(), Outcome::Done, None, vec![id("FR-0"), id("FR-2"), id("FR-4")], None),
            ("record-show".to_owned(), Outcome::Refused, None, vec![id("TR-7")], note("not found")),
        ]
    );
    for entry in bench.entries() {
        assert_eq!((entry.uid, entry.login_uid, entry.pid), (Some(990), Some(1001), Some(4242)));
    }
    let text = String::from_utf8(bench.bytes()).unwrap();
    assert!(!text.contains(CANARY), "{text}");
}

#[tokio::test]
async fn what_shows_nothing_leaves_no_entry() {
    let bench = Bench::new();
    let quiet = [
        Request::Status,
        Request::Peers,
        Request::Ledger,
        Request::Lanes,
        Request::Equivocations,
        Request::CollectReceipts,
        Request::Charter(CharterRequest::Held),
        Request::Anchors { member: "GE".parse().unwrap() },
        Request::Approval(ApprovalRequest::List { all: true }),
        // There is nothing new, or the node is not ready to tell.
        Request::Officer(OfficerRequest::AlertsSince { number: 3 }),
        Request::ConsignmentShow(ConsignmentName::Ucr(CANARY.to_owned())),
    ];
    for request in quiet {
        bench.ask(request).await;
    }
    assert_eq!(bench.entries(), []);
    assert_eq!(bench.seen.lock().unwrap().len(), 11);
}

#[tokio::test]
async fn long_lists_are_counted() {
    let bench = Bench::new();
    bench.ask(records(1_000)).await;
    let entry = bench.entries().remove(0);
    assert_eq!((entry.ids.len(), entry.more), (IDS_MAX, Some(500 - IDS_MAX as u64)));
}

#[tokio::test]
async fn an_officer_is_named_with_what_was_to_be_done() {
    let bench = Bench::new();
    let (case, by) = (id("GE-1"), "N. Officer".to_owned());
    let note = CANARY.to_owned();
    bench.ask(Request::Officer(OfficerRequest::AlertAct { case, act: AlertAct::Acknowledge, by, note })).await;
    for entry in bench.entries() {
        assert_eq!((entry.act.as_str(), entry.officer.as_deref()), ("alert-acknowledge", Some("N. Officer")));
        assert_eq!(entry.ids, [case]);
    }
    assert_eq!(bench.entries().len(), 2);
    assert!(!String::from_utf8(bench.bytes()).unwrap().contains(CANARY));
}

/// Without a line nothing is done and nothing is shown; what tells of nothing goes on, and so does ending the node.
#[tokio::test]
async fn without_a_line_nothing_is_done_or_shown() {
    for fault in [Fault::on(Op::Write, 0, Kind::ErrorForever), Fault::on(Op::Sync, 0, Kind::ErrorForever)] {
        let bench = Bench::new();
        bench.ask(records(1)).await;
        bench.fs.arm(fault);
        assert_eq!(kind(&bench.ask(submit(1)).await), Some(ProblemKind::Unaudited));
        assert!(bench.auditor.failed().is_some());
        assert!(bench.seen.lock().unwrap().iter().all(|request| !matches!(request, Request::Submit { .. })));
        assert_eq!(kind(&bench.ask(records(1)).await), Some(ProblemKind::Unaudited));
        assert_eq!(kind(&bench.ask(Request::Status).await), None);
        assert_eq!(kind(&bench.ask(Request::Shutdown).await), None);
        assert_eq!(bench.auditor.head().number, 1);
    }
}

#[tokio::test]
async fn with_room_again_it_goes_on() {
    let bench = Bench::new();
    bench.ask(records(1)).await;
    bench.fs.set_free(20);
    assert_eq!(kind(&bench.ask(submit(1)).await), Some(ProblemKind::Unaudited));
    bench.fs.set_free(None);
    assert_eq!(kind(&bench.ask(submit(1)).await), None);
    assert_eq!(bench.auditor.failed(), None);
    let numbers: Vec<u64> = bench.entries().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn who_goes_away_is_written_down_too() {
    let bench = Bench::new();
    let (call, lines) = Call::new(Request::Reindex, by());
    bench.asked.send(call).await.unwrap();
    drop(lines);
    while bench.entries().is_empty() {
        tokio::task::yield_now().await;
    }
    let entry = bench.entries().remove(0);
    assert_eq!((entry.act.as_str(), entry.outcome), ("reindex", Outcome::Failed));
}

#[tokio::test]
async fn an_anchor_is_compared_with_the_entry_that_it_names() {
    let bench = Bench::new();
    for _ in 0..3 {
        bench.ask(records(1)).await;
    }
    let head = bench.entries()[2].previous;
    let anchor = Anchor { record: id("GE-9"), at: UnixTime::ZERO, entries: 2, head };
    let others = [Anchor { head: sha256(b"another"), ..anchor }, Anchor { entries: 9, ..anchor }];
    for (anchor, expected) in [(anchor, true), (others[0], false), (others[1], false)] {
        let holds = loop {
            match bench.auditor.holds(&anchor) {
                Some(holds) => break holds,
                None => tokio::task::yield_now().await,
            }
        };
        assert_eq!(holds, expected, "{anchor:?}");
    }
}

/// A start says so, and what it found; damage begins a new file and is named in its first line.
#[test]
fn a_start_is_the_first_entry() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(folder.path()).unwrap().head().number, 1);
    assert_eq!(open(folder.path()).unwrap().head().number, 2);
    let first = folder.path().join("audit/000000000001.jsonl");
    let text = std::fs::read_to_string(&first).unwrap();
    std::fs::write(&first, text.replace("version", "vesrion")).unwrap();
    assert_eq!(open(folder.path()).unwrap().head().number, 4);
    let next = std::fs::read(folder.path().join("audit/000000000003.jsonl")).unwrap();
    let acts: Vec<(String, Option<String>)> = next
        .split(|byte| *byte == b'\n')
        .filter_map(|line| Entry::read(line).ok())
        .map(|entry| (entry.act, entry.note))
        .collect();
    assert_eq!(acts[0].0, Act::RESUMED);
    assert_eq!(acts[0].1.as_deref(), Some("line 1 of 000000000001.jsonl is not as it was written"));
    assert_eq!(acts[1].0, "node-started");
}

/// A list of consignments by a filter of content names what was shown and not what was looked for.
#[tokio::test]
async fn filters_stay_out_of_the_log() {
    let bench = Bench::new();
    let filter = ConsignmentFilter { ucr: Some(CANARY.to_owned()), ..ConsignmentFilter::default() };
    bench.ask(Request::ConsignmentList(filter)).await;
    let text = String::from_utf8(bench.bytes()).unwrap();
    assert!(text.contains("consignment-list") && !text.contains(CANARY), "{text}");
}

#[tokio::test]
async fn what_waits_and_what_somebody_agreed_to_is_told_by_its_id() {
    let bench = Bench::new();
    let (digest, name) = (pending().digest, format!("approval {}", pending().id));
    bench.ask(Request::Charter(CharterRequest::Publish { file: Bytes(Vec::new()), settle: false })).await;
    bench.ask(Request::Approval(ApprovalRequest::Show { id: digest })).await;
    bench.ask(Request::Approval(ApprovalRequest::Approve { id: digest })).await;
    bench.ask(Request::Approval(ApprovalRequest::Reject { id: digest, reason: CANARY.to_owned() })).await;
    let told: Vec<_> =
        bench.entries().into_iter().map(|entry| (entry.act, entry.outcome, entry.note, entry.ids)).collect();
    let entry =
        |act: &str, outcome, note: Option<String>, ids: &[RecordId]| (act.to_owned(), outcome, note, ids.to_vec());
    assert_eq!(
        told,
        [
            entry("charter-publish", Outcome::Asked, None, &[]),
            entry("charter-publish", Outcome::Waiting, Some(name.clone()), &[]),
            entry("approval-show", Outcome::Done, Some(name.clone()), &[]),
            entry("approval-approve", Outcome::Asked, Some(name.clone()), &[]),
            entry("approval-approve", Outcome::Done, Some(format!("{name}; logged: 1 of 1")), &[id("GE-7")]),
            entry("approval-reject", Outcome::Asked, Some(name.clone()), &[]),
            entry("approval-reject", Outcome::Refused, Some(format!("{name}; this user may not")), &[]),
        ]
    );
    assert!(!String::from_utf8(bench.bytes()).unwrap().contains(CANARY));
}
