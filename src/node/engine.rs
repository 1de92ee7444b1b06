//! The loop of a running node: events become inputs, effects are carried out, and nothing is decided here.
//!
//! One task owns the core. Disk flushes, signatures and signature checks run beside it and come back as inputs, so that while a
//! flush is under way the next group gathers. A failure of storage ends the node at once, without another acknowledgement.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::disk::{DiskStore, Flushed, GuardRefusal};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::ledger::{SignatureCheck, Store as _, StoreError};
use crate::network::{self, Command, Handle, NetworkError};
use crate::protocol::{Effect, Event, Input, Node, Now};
use crate::record::{Draft, Kind};
use crate::watch::alert::Raised;
use crate::watch::reconcile::LinkDecision;

use anchoring::Anchoring;
use approving::Running;
use erasing::Retaining;
use peering::Peering;
pub use reloading::{ReadConfig, Reloading, SetLogLevel};

use super::answer;
use super::approvals::Approvals;
use super::ask::{Call, CharterRequest, OfficerRequest, Problem, ProblemKind, Reply, Request, Response};
use super::audit::Auditor;
use super::bans::{Bans, BansError};
use super::case_file::CaseFileError;
use super::cases::{self, At, Cases, CasesError, Outlook};
use super::clock;
use super::config::Retention;
use super::desk::Desk;
use super::links::{self, Links};
use super::matcher::{Matcher, MatcherError};
use super::notify;
use super::signer::{self, Caps, Condition, Order, SigningKeys};
use super::supervisor::{Health, Supervisor};
use super::views::Keeper;

mod anchoring;
mod approving;
mod erasing;
mod peering;
mod reindexing;
mod reloading;
mod report;

/// Inputs taken together: one flush and one frontier for all of them.
const INPUTS_MAX: usize = 256;
/// Between two ticks.
const TICK: Duration = Duration::from_millis(100);
/// Read again at each tick while a scrub is under way: 2.5 MB a second, so that nothing else waits for it.
const SCRUB_BYTES: usize = 256 << 10;
/// Records read at each tick to bring the consignments up to date: a tick is a tenth of a second, and this is about half of it.
const RECORDS_READ: usize = 200;
/// The same while bodies are fetched. More of them are about to change the same consignments, each of which is read anew then: what comes
/// first is taken in first.
const RECORDS_READ_FETCHING: usize = 60;
/// Records read at once while nothing else is to be done: some milliseconds, so that what comes meanwhile does not wait.
const RECORDS_READ_IDLE: usize = 50;
/// So much may be read before a question is answered, a second or two; beyond, the asker comes again.
const RECORDS_READ_TO_ANSWER: usize = 10_000;
/// Of consignments that are still to be looked at for alerts, so many records are read before a question is answered: a tenth of a second.
/// Officers do not wait for the rest, which is looked at when there is time.
const RECORDS_LOOKED_AT_TO_ANSWER: usize = 500;
/// Between the ends of two scrubs.
const SCRUB_INTERVAL_MS: i64 = 24 * 3_600_000;
/// How long an ending node waits for its connections to close.
const NETWORK_STOP: Duration = Duration::from_secs(2);
/// How long an ending node waits for what is being signed and flushed.
const DRAIN: Duration = Duration::from_secs(10);

/// What a node needs to run, besides the core.
#[derive(Debug)]
pub struct Setup {
    /// The keys that sign.
    pub signing_keys: SigningKeys,
    /// The network's own configuration.
    pub network: network::Config,
    /// How many statements are signed at most.
    pub caps: Caps,
    /// The data folder, where the guard is.
    pub data_dir: std::path::PathBuf,
    /// Whether goods may leave from another country than the member's: for demonstrations.
    pub foreign_exports: bool,
    /// How this country looks at consignments.
    pub outlook: Outlook,
    /// How alerts leave the node, if they do.
    pub notify: Option<notify::Handle>,
    /// How the config is read again.
    pub reloading: Option<Reloading>,
    /// What waits for a second person.
    pub approvals: Approvals,
    /// Who writes the audit log, if one is kept.
    pub audit: Option<Auditor>,
    /// Seconds between its anchors.
    pub audit_anchor_s: u32,
    /// How long bodies are kept.
    pub retention: Retention,
}

/// Why a node ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Storage failed: nothing can be promised any more.
    #[error("storage failed; the node stops rather than promise what it cannot keep")]
    Store(#[from] StoreError),
    /// The guard does not allow to sign.
    #[error("the signer cannot start")]
    Guard(#[from] GuardRefusal),
    /// The file of the alerts cannot be used.
    #[error("the alerts cannot be kept")]
    Alerts(#[from] CaseFileError),
    /// The file of the decisions on links cannot be used.
    #[error("decisions on links cannot be kept")]
    Links(#[from] MatcherError),
    /// The file of members that are kept away cannot be used.
    #[error("who is kept away cannot be known")]
    Bans(#[from] BansError),
    /// The network cannot be started.
    #[error("the network cannot start")]
    Network(#[from] NetworkError),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness: {0}")]
    Randomness(String),
}

/// Runs a node until `stop` says so, or it fails.
///
/// # Errors
/// [`EngineError`].
pub async fn run(
    node: Node<DiskStore>,
    setup: Setup,
    mut calls: mpsc::Receiver<Call>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), EngineError> {
    let (internal, mut answers) = mpsc::channel(INPUTS_MAX);
    let (flushes, mut flushed) = mpsc::channel::<Flushed>(1);
    let member = node.view().me().member;
    let log = node.view().me().log;
    let size = node.store().size(&log);
    let signer = signer::start(&setup.data_dir, log, size, setup.signing_keys, setup.caps, internal.clone())?;
    let mut network = Supervisor::start(setup.network)?;
    let mut engine = Engine {
        keeper: Keeper::new(&node.view()),
        cases: Cases::open(member, &setup.data_dir, setup.outlook)?,
        matcher: Matcher::open(&setup.data_dir)?,
        notify: setup.notify,
        reloading: setup.reloading,
        approvals: setup.approvals,
        running: Vec::new(),
        anchoring: setup.audit.map(|auditor| Anchoring::new(auditor, setup.audit_anchor_s)),
        retaining: Retaining::new(setup.retention),
        desk: Desk::new(member, setup.foreign_exports),
        links: Links::default(),
        peering: Peering::new(Bans::open(&setup.data_dir)?),
        started_at: clock::now(),
        node,
        signer: signer.orders,
        condition: signer.condition,
        orders: VecDeque::new(),
        internal,
        flushes,
        network: network.handle().clone(),
        health: network.health(),
        has_room: true,
        stopping: false,
        scrubbed_at: None,
        again: None,
        admit_again: false,
        charter_changed: true,
    };
    engine.admit_members();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut end: Option<tokio::time::Instant> = None;
    loop {
        let mut inputs = Vec::new();
        tokio::select! {
            biased;
            _ = stop.changed(), if !engine.stopping => engine.stopping = true,
            Some(job) = flushed.recv() => {
                engine.node.store_mut().finish_flush(job)?;
                inputs.push(Input::Flushed);
            }
            Some(input) = answers.recv() => inputs.push(input),
            // Before what peers send, so that no flood of theirs keeps time from passing or an officer from being heard.
            _ = tick.tick() => {
                if engine.admit_again {
                    engine.admit_members();
                }
                engine.expire_bans()?;
                engine.scrub()?;
                engine.watch(if engine.node.is_fetching() { RECORDS_READ_FETCHING } else { RECORDS_READ })?;
                engine.expire_approvals();
                inputs.extend(engine.anchor()?);
                inputs.extend(engine.retain()?);
                inputs.extend(engine.room()?.into_iter().chain([Input::Tick]));
            }
            Some(call) = calls.recv() => {
                engine.health = network.health();
                inputs.extend(engine.take(call));
            }
            event = network.next() => match event {
                Some(event) => inputs.extend(engine.hear(event)),
                None => inputs.extend(engine.links.reset()),
            },
            // Last of all: when nothing waits.
            () = tokio::task::yield_now(), if engine.is_behind() && !engine.node.is_fetching() => {
                engine.watch(RECORDS_READ_IDLE)?;
                continue;
            }
        }
        while inputs.len() < INPUTS_MAX {
            let Some(event) = network.try_next() else { break };
            inputs.extend(engine.hear(event));
        }
        if network.revive() {
            engine.network = network.handle().clone();
            engine.health = network.health();
            engine.admit_members();
        }
        while inputs.len() < INPUTS_MAX {
            let Ok(input) = answers.try_recv() else { break };
            inputs.push(input);
        }
        engine.step(inputs)?;
        if engine.stopping {
            if end.is_none() {
                engine.step(vec![Input::Ending])?;
            }
            let end = *end.get_or_insert_with(|| tokio::time::Instant::now() + DRAIN);
            if engine.is_drained() || tokio::time::Instant::now() >= end {
                engine.finish(&mut flushed).await?;
                network.stop(NETWORK_STOP).await;
                tracing::info!("ended");
                return Ok(());
            }
        }
    }
}

struct Engine {
    node: Node<DiskStore>,
    keeper: Keeper,
    cases: Cases,
    notify: Option<notify::Handle>,
    reloading: Option<Reloading>,
    anchoring: Option<Anchoring>,
    approvals: Approvals,
    /// What was agreed to and is being carried out.
    running: Vec<Running>,
    retaining: Retaining,
    matcher: Matcher,
    desk: Desk,
    links: Links,
    peering: Peering,
    started_at: UnixTime,
    signer: std::sync::mpsc::SyncSender<Order>,
    /// How the signer is.
    condition: Arc<Condition>,
    orders: VecDeque<Order>,
    internal: mpsc::Sender<Input>,
    flushes: mpsc::Sender<Flushed>,
    network: Handle,
    health: Health,
    /// Whether there was room on the disk when last looked.
    has_room: bool,
    stopping: bool,
    /// When the store was last read through.
    scrubbed_at: Option<Now>,
    /// Views that are being built again, and who waits for them.
    again: Option<(Reply, Keeper)>,
    /// Whether the network has not been told yet who may connect.
    admit_again: bool,
    /// Whether charter or manifests have changed since they were last kept.
    charter_changed: bool,
}

impl From<CasesError> for EngineError {
    fn from(error: CasesError) -> Self {
        match error {
            CasesError::File(error) => Self::Alerts(error),
            CasesError::Store(error) => Self::Store(error),
        }
    }
}

impl Engine {
    /// Feeds the core, and carries out what it wants until it wants nothing that can be answered at once.
    fn step(&mut self, mut inputs: Vec<Input>) -> Result<(), EngineError> {
        inputs.extend(self.hand_on_orders());
        while !inputs.is_empty() {
            let mut seed = Zeroizing::new([0_u8; 32]);
            getrandom::fill(seed.as_mut_slice()).map_err(|error| EngineError::Randomness(error.to_string()))?;
            let now = Now(clock::now_ms());
            let effects = self.node.handle(now, *seed, std::mem::take(&mut inputs))?;
            for effect in effects {
                inputs.extend(self.perform(effect));
            }
        }
        self.hear_running();
        if !self.desk.is_collecting() {
            return Ok(());
        }
        let outstanding = self.node.status().receipts_asked;
        for (reply, then) in self.desk.collected(outstanding) {
            match then {
                None => reply.done(Response::Done),
                Some(request) => finish(reply, answer::answer(&self.node.view(), None, None, &request, clock::now())),
            }
        }
        Ok(())
    }

    /// Carries out one effect; gives what can be told of it at once.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Gossip(bytes) => links::send(&self.network, Command::Publish(bytes)),
            Effect::Verdict { id, verdict } => self.links.verdict(&self.network, id, verdict),
            Effect::Request { to, id, bytes } => return self.links.request(&self.network, to, id, bytes),
            Effect::Respond { id, bytes } => self.links.respond(&self.network, id, bytes),
            Effect::Sign { id, with, messages, guard } => {
                self.orders.push_back(Order { id, with, messages, guard });
                return self.hand_on_orders();
            }
            Effect::Check { id, checks } => check(id, checks, self.internal.clone()),
            Effect::Flush => return self.flush(),
            Effect::Submitted { id, outcomes } => self.desk.submitted(id, outcomes),
            Effect::Kept { id, outcome } => self.desk.kept(id, &outcome),
            Effect::Published { id, outcome } => self.desk.published(id, outcome),
            Effect::Members => self.admit_members(),
            Effect::Event(event) => {
                self.note(&event);
                if let Event::Members { .. } = event {
                    self.charter_changed = true;
                }
            }
        }
        None
    }

    fn note(&mut self, event: &Event) {
        let again = self.again.as_mut().map(|(_, again)| again);
        for keeper in [Some(&mut self.keeper), again].into_iter().flatten() {
            keeper.note(event);
            if let Event::Members { changed, .. } = event {
                keeper.read_again(&self.node.view(), changed);
            }
        }
        report::tell(event);
    }

    /// Gives the signer what it has room for; the rest waits. The core has one order per log under way at most.
    fn hand_on_orders(&mut self) -> Option<Input> {
        while let Some(order) = self.orders.pop_front() {
            match self.signer.try_send(order) {
                Ok(()) => {}
                Err(std::sync::mpsc::TrySendError::Full(order)) => {
                    self.orders.push_front(order);
                    break;
                }
                Err(std::sync::mpsc::TrySendError::Disconnected(order)) => {
                    return Some(Input::NotSigned { id: order.id, reason: "the signer has ended".to_owned() });
                }
            }
        }
        None
    }

    /// Reads a little more of what is on the disk, to find rot while peers still have the data.
    fn scrub(&mut self) -> Result<(), EngineError> {
        let now = Now(clock::now_ms());
        let rests = self.scrubbed_at.is_some_and(|at| at <= now && now.since(at) < SCRUB_INTERVAL_MS);
        if !rests && !self.stopping {
            let known = self.node.store().damaged().len();
            if self.node.store_mut().scrub(SCRUB_BYTES)? {
                self.scrubbed_at = Some(now);
            }
            for (key, place) in self.node.store().damage().into_iter().skip(known) {
                tracing::error!(?key, %place, "the scrub found damage");
            }
        }
        Ok(())
    }

    /// Whether something is still to be read or looked at.
    fn is_behind(&self) -> bool {
        !self.stopping && (self.keeper.is_behind() || self.cases.is_behind() || self.again.is_some())
    }

    /// Reads a little more of what is held, and derives consignments of which something is new.
    fn watch(&mut self, records: usize) -> Result<(), EngineError> {
        if self.stopping {
            return Ok(());
        }
        let now = clock::now();
        let view = self.node.view();
        if self.keeper.is_behind()
            && self.keeper.work(&view, records, &mut At { cases: &mut self.cases, matcher: &mut self.matcher, now })?
        {
            let consignments = self.keeper.views().consignments().len();
            tracing::info!(consignments, "the consignments are up to date");
        }
        if !self.keeper.is_behind() {
            let raised = self.cases.look(&view, &self.keeper, &mut self.matcher, now, records)?;
            self.raised(&raised);
            if let Some(notify) = self.notify.as_ref().filter(|notify| notify.digest_due(now)) {
                notify.digest(&self.cases.digest(now));
            }
            self.build_again(records)?;
        }
        Ok(())
    }

    /// Brings the consignments up to date before they are asked for, unless the node is still reading what it holds.
    fn catch_up(&mut self) -> Result<(), Problem> {
        if let Some((done, total)) = self.keeper.progress() {
            let message =
                format!("the node has read {done} of {total} records since its start; ask again when it has read all");
            return Err(Problem { kind: ProblemKind::Busy, message });
        }
        let pending = self.keeper.pending();
        if pending > RECORDS_READ_TO_ANSWER {
            let message = format!("the node still takes in {pending} new records; ask again in some seconds");
            return Err(Problem { kind: ProblemKind::Busy, message });
        }
        let now = clock::now();
        let view = self.node.view();
        self.keeper.work(&view, usize::MAX, &mut At { cases: &mut self.cases, matcher: &mut self.matcher, now })?;
        // On a new day every open consignment is looked at: those for which there is no time now follow when there is.
        let raised = self.cases.look(&view, &self.keeper, &mut self.matcher, now, RECORDS_LOOKED_AT_TO_ANSWER);
        let raised = raised.map_err(|error| Problem { kind: ProblemKind::Failure, message: error.to_string() })?;
        self.raised(&raised);
        Ok(())
    }

    /// Tells of what was raised, without what it is about.
    fn raised(&self, raised: &[Raised]) {
        for one in raised {
            tracing::info!(number = one.number, severity = one.severity.name(), "an alert was raised");
        }
        if let Some(notify) = self.notify.as_ref().filter(|_| !raised.is_empty()) {
            notify.raised(raised);
        }
    }

    /// Answers what officers ask of alerts and differences, or want done with them.
    fn officers(&mut self, request: &OfficerRequest) -> Result<Response, Problem> {
        self.catch_up()?;
        let (view, views, now) = (self.node.view(), self.keeper.views(), clock::now());
        match request {
            OfficerRequest::AlertList(filter) => Ok(Response::Alerts(self.cases.list(views, filter, now)?)),
            OfficerRequest::AlertShow { case } => {
                Ok(Response::Alert(Box::new(self.cases.show(&view, views, *case, now)?)))
            }
            OfficerRequest::AlertAct { case, act, by, note } => {
                let order = cases::Order { case: *case, act, by, note };
                Ok(Response::Alert(Box::new(self.cases.act(&view, views, order, now)?)))
            }
            OfficerRequest::AlertsSince { number } => Ok(Response::Raised(self.cases.since(*number))),
            OfficerRequest::Reconcile(filter) => Ok(Response::Reconciled(Box::new(self.matcher.list(views, filter)?))),
            OfficerRequest::ReconcileTotals { month, partner } => {
                Ok(Response::Mirror(self.matcher.totals(month.as_deref(), *partner)))
            }
            OfficerRequest::ReconcileLinks => Ok(Response::Links(self.matcher.links())),
            OfficerRequest::ReconcileDecide { arrival, announced, holds, by, reason } => {
                let (officer, reason) = (by.clone(), reason.clone());
                let decision =
                    LinkDecision { arrival: *arrival, announced: *announced, holds: *holds, officer, reason, at: now };
                Ok(Response::Links(self.matcher.decide(views, decision)?))
            }
        }
    }

    /// Begins a flush beside the loop. If nothing was staged after all, everything is durable already.
    fn flush(&mut self) -> Option<Input> {
        let Some(job) = self.node.store_mut().begin_flush() else { return Some(Input::Flushed) };
        let flushes = self.flushes.clone();
        drop(spawn_blocking(move || {
            // The receiver is gone only when the node has ended already.
            drop(flushes.blocking_send(job.run()));
        }));
        None
    }

    /// What the core is told of an event of the network.
    fn hear(&mut self, event: network::Event) -> Option<Input> {
        let event = self.pong(event)?;
        self.links.input(event)
    }

    /// Tells the network who may connect. Tried again at the next tick if it is too busy: who was suspended must be cut.
    fn admit_members(&mut self) {
        let own = self.node.view().me().member;
        let away = |member: MemberCode| self.peering.bans.contains(member);
        let command = self.links.set_members(self.node.federation(), own, &self.health.barred, &away);
        self.admit_again = self.network.try_send(command).is_err();
    }

    /// What the core is told of the room on the disk, if that has changed.
    fn room(&mut self) -> Result<Option<Input>, StoreError> {
        let has_room = self.node.store().writable()?;
        if has_room == self.has_room {
            return Ok(None);
        }
        self.has_room = has_room;
        if has_room {
            tracing::info!("there is room on the disk again");
        } else {
            tracing::warn!("too little free space; nothing is logged or taken in until there is more");
        }
        Ok(Some(Input::Room(has_room)))
    }

    /// Whether these drafts may be logged now, as far as the node itself is concerned.
    fn may_log(&self, drafts: &[Draft]) -> Result<(), Problem> {
        let no = |kind, message: String| Err(Problem { kind, message });
        if drafts.iter().any(|draft| draft.kind == Some(Kind::AuditAnchor)) {
            let message = "a node says by itself what its audit log comes to (G07)";
            return no(ProblemKind::BadRequest, message.to_owned());
        }
        if drafts.iter().any(|draft| draft.kind == Some(Kind::ErasureReceipt)) {
            let message = "a node says by itself what it has erased (G09)";
            return no(ProblemKind::BadRequest, message.to_owned());
        }
        if self.stopping {
            return no(ProblemKind::Busy, "the node is ending; submit again when it runs".to_owned());
        }
        if let Some(reason) = self.unsigned() {
            return no(ProblemKind::LogEnded, reason);
        }
        if !self.node.store().writable()? {
            let message = "too little free space; nothing is logged until there is more";
            return no(ProblemKind::ReadOnly, message.to_owned());
        }
        Ok(())
    }

    /// Takes a call; gives what the core is told of it.
    fn take(&mut self, call: Call) -> Option<Input> {
        if self.approvals.needs(&call.request) {
            self.put_off(call);
            return None;
        }
        let Call { request, reply, by } = call;
        if let Request::Approval(request) = request {
            self.approval(&request, by, reply)
        } else {
            self.carry_out(request, reply)
        }
    }

    /// Carries out a request that needs nobody else, or to which all who are needed have agreed; gives what the core is told of it.
    fn carry_out(&mut self, request: Request, reply: Reply) -> Option<Input> {
        match request {
            Request::Submit { drafts, imported, skip_bad } => match self.may_log(&drafts) {
                Ok(()) => self.desk.submit(drafts, imported, skip_bad, reply),
                Err(Problem { kind, message }) => {
                    reply.fail(kind, message);
                    None
                }
            },
            Request::Approval(_) => {
                reply.fail(ProblemKind::BadRequest, "nobody agrees to somebody's agreeing");
                None
            }
            Request::Erasure(request) => self.erasure(request, reply),
            Request::CollectReceipts => Some(self.desk.collect(reply, None)),
            Request::Evidence { .. } | Request::LaneEvidence { .. } => Some(self.desk.collect(reply, Some(request))),
            Request::Peers => {
                reply.done(Response::Peers(self.peers()));
                None
            }
            Request::Peer(request) => {
                self.peering(request, reply);
                None
            }
            Request::Status => {
                finish(reply, self.status());
                None
            }
            Request::Reload => {
                let answer = self.reload();
                finish(reply, answer);
                None
            }
            Request::Shutdown => {
                self.stopping = true;
                reply.done(Response::Done);
                None
            }
            Request::Ledger => {
                let mut answer = answer::answer(&self.node.view(), None, None, &request, clock::now());
                if let Ok(Response::Ledger(ledger)) = &mut answer {
                    ledger.cosigned_by = self.agreeing();
                }
                finish(reply, answer);
                None
            }
            Request::Charter(CharterRequest::Publish { file, settle }) => {
                Some(self.desk.publish(file.0, settle, reply))
            }
            Request::RecordList(_)
            | Request::Lanes
            | Request::Equivocations
            | Request::EquivocationEvidence { .. }
            | Request::Charter(CharterRequest::Held) => {
                finish(reply, answer::answer(&self.node.view(), None, None, &request, clock::now()));
                None
            }
            Request::RecordShow { .. }
            | Request::LogImpact { .. }
            | Request::ConsignmentList(_)
            | Request::ConsignmentShow(_)
            | Request::Stats(_)
            | Request::OperationList
            | Request::OperationShow { .. }
            | Request::PolicyList { .. }
            | Request::Anchors { .. } => {
                let ready = self.catch_up();
                let (keeper, cases) = (Some(&self.keeper), Some(&self.cases));
                let answered = |()| answer::answer(&self.node.view(), keeper, cases, &request, clock::now());
                finish(reply, ready.and_then(answered));
                None
            }
            Request::Reindex => {
                self.reindex(reply);
                None
            }
            Request::Officer(request) => {
                finish(reply, self.officers(&request));
                None
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.desk.is_idle() && self.running.is_empty() && !self.node.store().is_staged()
    }

    /// Ends: what is staged is brought to disk, connections are closed.
    async fn finish(mut self, flushed: &mut mpsc::Receiver<Flushed>) -> Result<(), EngineError> {
        // A flush may be under way beside the loop.
        if let Ok(Some(job)) = tokio::time::timeout(Duration::from_millis(500), flushed.recv()).await {
            self.node.store_mut().finish_flush(job)?;
        }
        self.node.store_mut().flush()?;
        if let Some(notify) = self.notify.take() {
            notify.stop().await;
        }
        Ok(())
    }
}

/// Checks signatures on all cores, beside the loop.
fn check(id: u64, checks: Vec<SignatureCheck>, answers: mpsc::Sender<Input>) {
    drop(spawn_blocking(move || {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = checks.len().div_ceil(threads).max(16);
        let hold: Vec<bool> = std::thread::scope(|scope| {
            let parts: Vec<_> = checks
                .chunks(share)
                .map(|part| scope.spawn(move || part.iter().map(SignatureCheck::holds).collect::<Vec<_>>()))
                .collect();
            parts.into_iter().flat_map(|part| part.join().expect("checking a signature does not panic")).collect()
        });
        // The receiver is gone only when the node has ended already.
        drop(answers.blocking_send(Input::Checked { id, hold }));
    }));
}

fn finish(reply: super::ask::Reply, answer: Result<Response, Problem>) {
    match answer {
        Ok(response) => reply.done(response),
        Err(Problem { kind, message }) => reply.fail(kind, message),
    }
}
