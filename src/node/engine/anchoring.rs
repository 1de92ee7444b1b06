//! Anchoring the audit log: once an interval, the node logs how many entries it has and the digest of the last.

use tokio::sync::mpsc;

use super::Engine;
use crate::audit::Anchor;
use crate::encoding::time::UnixTime;
use crate::ledger::StoreError;
use crate::node::ask::{AuditView, Line, Reply, Response, Submitted};
use crate::node::audit::Auditor;
use crate::node::clock;
use crate::protocol::{Input, Signing};
use crate::record::{Draft, Kind};

/// Between two tries at least, in seconds: an anchor that was just logged is not known at once, and one that was refused will be again.
const AGAIN_S: i64 = 60;

/// When the audit log was anchored, and when it will be.
#[derive(Debug)]
pub(super) struct Anchoring {
    pub(super) auditor: Auditor,
    interval_s: i64,
    tried_at: Option<UnixTime>,
    answer: Option<mpsc::Receiver<Line>>,
    /// An anchor that the log contradicts, and that was told of.
    accused: Option<Anchor>,
}

impl Anchoring {
    pub(super) fn new(auditor: Auditor, interval_s: u32) -> Self {
        Self { auditor, interval_s: interval_s.into(), tried_at: None, answer: None, accused: None }
    }

    pub(super) fn set_interval(&mut self, interval_s: u32) {
        self.interval_s = interval_s.into();
    }

    /// Tells what became of an anchor that was to be logged.
    fn hear(&mut self) {
        let Some(Ok(line)) = self.answer.as_mut().map(mpsc::Receiver::try_recv) else { return };
        if let Line::Progress(_) = line {
            return;
        }
        self.answer = None;
        if let Line::Done(Response::Submitted(all)) = &line
            && let [Submitted::Logged { id, .. }] = all.as_slice()
        {
            tracing::info!(%id, "the audit log is anchored");
        } else {
            tracing::warn!(answer = ?line, "the audit log is not anchored");
        }
    }

    /// Whether it is time for the next anchor after `last`.
    fn is_due(&self, last: Option<&Anchor>, now: UnixTime) -> bool {
        let since = last.map(|last| last.at).or(self.auditor.began());
        let is_news = last.is_none_or(|last| last.head != self.auditor.head().digest);
        // A clock that was set back does not keep it from its anchors: one at once, and from then on one an interval.
        let is_back = since.is_some_and(|since| now < since);
        let again = if is_back { self.interval_s } else { self.interval_s.min(AGAIN_S) };
        let passed = |since: UnixTime, wait: i64| now.since(since) >= wait || now < since;
        is_news
            && since.is_none_or(|since| passed(since, self.interval_s))
            && self.tried_at.is_none_or(|at| passed(at, again))
    }
}

impl Engine {
    /// Logs an anchor if it is time for one.
    ///
    /// # Errors
    /// [`StoreError`] if the audit log can be written no more: its disk has failed, and so has the node's.
    pub(super) fn anchor(&mut self) -> Result<Option<Input>, StoreError> {
        match self.anchoring.as_ref().and_then(|anchoring| anchoring.auditor.ended()) {
            Some(error) => Err(error),
            None => Ok(self.anchor_if_due()),
        }
    }

    fn anchor_if_due(&mut self) -> Option<Input> {
        let anchoring = self.anchoring.as_mut()?;
        anchoring.hear();
        if self.stopping || self.keeper.progress().is_some() || anchoring.answer.is_some() {
            return None;
        }
        let last = self.keeper.views().anchors(self.node.view().me().member).next_back().copied();
        // Before the next one, so that a log that was altered is not anchored without a word.
        let holds = match &last {
            Some(last) => anchoring.auditor.holds(last)?,
            None => true,
        };
        if let Some(last) = last.filter(|last| !holds && anchoring.accused != Some(*last)) {
            anchoring.accused = Some(last);
            tracing::error!(
                anchor = %last.record, entries = last.entries,
                "the audit log is not the one that was anchored: `shieldwall audit verify`"
            );
        }
        let now = clock::now();
        if !anchoring.is_due(last.as_ref(), now) || self.node.status().signing != Signing::Ready {
            return None;
        }
        anchoring.tried_at = Some(now);
        let head = anchoring.auditor.head();
        let draft = Draft {
            kind: Some(Kind::AuditAnchor),
            audit_entries: Some(head.number),
            audit_head: Some(head.digest),
            ..Draft::default()
        };
        let (reply, answer) = Reply::new();
        anchoring.answer = Some(answer);
        self.desk.submit(vec![draft], false, false, reply)
    }

    /// How the audit log is; none where the node keeps none.
    pub(super) fn audit_view(&self) -> Option<AuditView> {
        let Anchoring { auditor, accused, .. } = self.anchoring.as_ref()?;
        let anchor = self.keeper.views().anchors(self.node.view().me().member).next_back().copied();
        Some(AuditView {
            entries: auditor.head().number,
            anchor,
            // Until it was looked up, nothing speaks against it.
            anchor_holds: accused.is_none() && anchor.is_none_or(|anchor| auditor.holds(&anchor) != Some(false)),
            failed: auditor.failed().map(|error| error.to_string()),
        })
    }
}
