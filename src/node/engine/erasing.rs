//! Erasing: what an operator wants of bodies that lie here, and what the terms of the config make due.

use std::collections::VecDeque;
use std::ops::Range;

use tokio::sync::mpsc;

use super::{Engine, finish};
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::{Binds, Key, Store as _, StoreError};
use crate::node::answer;
use crate::node::ask::{ERASURE_RECORDS_MAX, ErasureRequest, Line, ProblemKind, Reply, Request, Response, Submitted};
use crate::node::clock;
use crate::node::config::Retention;
use crate::protocol::{Input, Keeping, Signing};
use crate::record::{Draft, PartialRecord};

/// Between the ends of two passes over the ledger, in seconds: terms are in days.
const PASS_S: i64 = 6 * 3600;
/// Records looked at in one tick, a tenth of a second: a hundred thousand in two minutes.
const RECORDS_LOOKED_AT: usize = 100;
const DAY_S: i64 = 86_400;

/// Which bodies have been here for as long as they may be.
#[derive(Debug, Default)]
pub(super) struct Retaining {
    retention: Retention,
    /// What of this pass is still to be looked at.
    rest: VecDeque<(LogId, Range<u64>)>,
    /// Due records, one's own and others'.
    own: Vec<RecordId>,
    copies: Vec<RecordId>,
    passed_at: Option<UnixTime>,
    answer: Option<mpsc::Receiver<Line>>,
}

impl Retaining {
    pub(super) fn new(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    /// Tells what became of what was due.
    fn hear(&mut self) {
        let Some(Ok(line)) = self.answer.as_mut().map(mpsc::Receiver::try_recv) else { return };
        match &line {
            Line::Progress(_) => return,
            Line::Done(Response::Submitted(all)) if !all.iter().any(|one| matches!(one, Submitted::Logged { .. })) => {
                tracing::warn!(answer = ?line, "what is older than the config lets it be is not erased");
            }
            Line::Failed(problem) => {
                tracing::warn!(%problem, "what is older than the config lets it be is not erased");
            }
            Line::Done(_) => {
                tracing::info!("what is older than the config lets it be is erased, or its erasure is ordered")
            }
        }
        self.answer = None;
    }
}

impl Engine {
    /// Answers what is asked of erasures; gives what the core is told of what is wanted.
    pub(super) fn erasure(&mut self, request: ErasureRequest, reply: Reply) -> Option<Input> {
        let (records, act) = match request {
            ErasureRequest::List | ErasureRequest::Plan { .. } => {
                let ready = self.catch_up();
                let (keeper, cases) = (Some(&self.keeper), Some(&self.cases));
                let request = Request::Erasure(request);
                let answered = |()| answer::answer(&self.node.view(), keeper, cases, &request, clock::now());
                finish(reply, ready.and_then(answered));
                return None;
            }
            ErasureRequest::Hold { records, reference } => (records, Keeping::Hold { reference }),
            ErasureRequest::Release { records } => (records, Keeping::Release),
            ErasureRequest::Forget { records } => (records, Keeping::Forget),
        };
        if records.len() > ERASURE_RECORDS_MAX {
            reply.fail(ProblemKind::BadRequest, format!("at most {ERASURE_RECORDS_MAX} records at a time"));
            return None;
        }
        if let Err(problem) = self.may_log(&[]) {
            reply.fail(problem.kind, problem.message);
            return None;
        }
        Some(self.desk.keep(records, act, reply))
    }

    /// Looks at a little more of the ledger, and has erased what is older than the config lets it be.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub(super) fn retain(&mut self) -> Result<Option<Input>, StoreError> {
        self.retaining.hear();
        let is_idle = self.retaining.retention.is_on() && !self.stopping && self.retaining.answer.is_none();
        if !is_idle || self.keeper.is_behind() || self.node.status().signing != Signing::Ready {
            return Ok(None);
        }
        let now = clock::now();
        self.look_for_due(now)?;
        let passed = self.retaining.rest.is_empty();
        if self.retaining.own.len() >= ERASURE_RECORDS_MAX || passed && !self.retaining.own.is_empty() {
            return Ok(self.order_due());
        }
        if self.retaining.copies.len() >= ERASURE_RECORDS_MAX || passed && !self.retaining.copies.is_empty() {
            let records = std::mem::take(&mut self.retaining.copies);
            let (reply, answer) = Reply::new();
            self.retaining.answer = Some(answer);
            return Ok(Some(self.desk.keep(records, Keeping::Forget, reply)));
        }
        Ok(None)
    }

    fn order_due(&mut self) -> Option<Input> {
        let erases = std::mem::take(&mut self.retaining.own);
        let draft = Draft {
            kind: Some(crate::record::Kind::Erasure),
            erases,
            legal_basis: self.retaining.retention.legal_basis.clone(),
            ..Draft::default()
        };
        let (reply, answer) = Reply::new();
        self.retaining.answer = Some(answer);
        self.desk.submit(vec![draft], false, false, reply)
    }

    fn look_for_due(&mut self, now: UnixTime) -> Result<(), StoreError> {
        if self.retaining.rest.is_empty() {
            let rests = self.retaining.passed_at.is_some_and(|at| at <= now && now.since(at) < PASS_S);
            let waits = !self.retaining.own.is_empty() || !self.retaining.copies.is_empty();
            if rests || waits {
                return Ok(());
            }
            let store = self.node.store();
            self.retaining.rest = store.logs().into_iter().map(|log| (log, 0..store.size(&log))).collect();
            self.retaining.passed_at = Some(now);
        }
        for _ in 0..RECORDS_LOOKED_AT {
            let full = [&self.retaining.own, &self.retaining.copies].iter().any(|due| due.len() >= ERASURE_RECORDS_MAX);
            let Some((log, range)) = self.retaining.rest.front_mut().filter(|_| !full) else { break };
            let log = *log;
            let next = range.next().map(|position| RecordId { log, position });
            if !next.map_or(Ok(false), |id| self.look_at_age(id, now))? {
                // Time never falls along a log: what follows is younger.
                self.retaining.rest.pop_front();
            }
        }
        Ok(())
    }

    /// Notes a record if it is due; whether those behind it may be.
    fn look_at_age(&mut self, id: RecordId, now: UnixTime) -> Result<bool, StoreError> {
        let view = self.node.view();
        let is_own = id.log.member == view.me().member;
        let terms = if is_own { &self.retaining.retention.own } else { &self.retaining.retention.copies };
        let Some(shortest) = terms.shortest() else { return Ok(false) };
        let Some(statement) = view.statement(id)? else { return Ok(true) };
        let age = now.since(statement.issued_at);
        if age < i64::from(shortest) * DAY_S {
            return Ok(false);
        }
        let is_here = statement.binds == Binds::Body && self.node.store().has(&Key::Head(id))?;
        if !is_here || view.hold(id)?.is_some() {
            return Ok(true);
        }
        let kind = view.open(id)?.and_then(|body| PartialRecord::from_content(&body.content).kind().cloned());
        if kind.and_then(|kind| terms.days(&kind)).is_some_and(|days| age >= i64::from(days) * DAY_S) {
            let due = if is_own { &mut self.retaining.own } else { &mut self.retaining.copies };
            due.push(id);
        }
        Ok(true)
    }
}
