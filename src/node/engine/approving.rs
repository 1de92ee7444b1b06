//! What needs a second person: put off, agreed to, carried out.

use tokio::sync::mpsc;

use super::{Engine, finish};
use crate::encoding::hash::Digest;
use crate::identity::charter::CharterError;
use crate::identity::{FederationError, ManifestSplit, Published};
use crate::node::approvals::Execution;
use crate::node::ask::{
    ApprovalRequest, Call, Caller, CharterRequest, ErasureRequest, Line, PeerRequest, Problem, ProblemKind,
    PublishedView, Reply, Request, Response,
};
use crate::node::audit::{Act, Outcome};
use crate::node::{clock, desk};
use crate::protocol::{Input, NotTakenUp};
use crate::record::Draft;

/// Something to which all who are needed have agreed, and who waits for what comes of it.
#[derive(Debug)]
pub(super) struct Running {
    number: u64,
    answer: mpsc::Receiver<Line>,
    reply: Reply,
}

impl Engine {
    /// Keeps a request that needs a second person, unless it is plain already that nothing can come of it.
    pub(super) fn put_off(&mut self, call: Call) {
        let Call { request, by, reply } = call;
        let about = if let Request::Charter(CharterRequest::Publish { file, settle }) = &request {
            self.look_at_charter(&file.0, *settle)
        } else if let Request::Submit { drafts, imported, skip_bad } = &request {
            self.look_at_drafts(drafts, *imported, *skip_bad)
        } else if let Request::Peer(PeerRequest::Ban { member, seconds, reason }) = &request {
            // The reason is the operator's own and no record's: who agrees sees what for.
            self.may_ban(*member, *seconds, reason)
                .map(|()| Err(format!("no connection to {member} for {seconds} s: {reason}")))
        } else if let Request::Erasure(ErasureRequest::Forget { records } | ErasureRequest::Release { records }) =
            &request
        {
            let names = records.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let what = if matches!(request, Request::Erasure(ErasureRequest::Release { .. })) {
                "held no more"
            } else {
                "erased here"
            };
            Ok(Err(format!("{what}: {names}")))
        } else {
            // Nothing else needs a second person.
            Err(Problem { kind: ProblemKind::Failure, message: "this cannot wait for a second person".to_owned() })
        };
        let answer = about.and_then(|about| match about {
            Ok(response) => Ok(response),
            Err(about) => Ok(Response::Pending(Box::new(self.approvals.ask(&request, about, by, clock::now())?))),
        });
        finish(reply, answer);
    }

    /// What a charter file is, in words; or what is answered at once, because it holds nothing new.
    fn look_at_charter(&self, file: &[u8], settle: bool) -> Result<Result<Response, String>, Problem> {
        let refused = |error: NotTakenUp| Problem { kind: desk::kind(&error), message: error.to_string() };
        let news = Published::decode(file).map_err(|error| refused(NotTakenUp::Form(error.to_string())))?;
        let newest = news.charters.last().map_or(0, |charter| charter.charter().version());
        if settle {
            return Ok(Err(format!("charter version {newest}, chosen where two were signed")));
        }
        let federation = self.node.federation();
        let held = federation.charter().version();
        let splits = crate::protocol::splits(self.node.store(), federation);
        let rivals = splits.manifests.values().flat_map(ManifestSplit::digests).collect();
        let signed: Vec<String> = (news.manifests.values())
            .filter(|signed| federation.manifests().get(&signed.manifest().member()) != Some(signed))
            .map(|signed| format!("manifest {} of {}", signed.manifest().version(), signed.manifest().member()))
            .collect();
        match federation.with_published_after(news, &rivals) {
            // What contradicts what is held is proof, and kept as such when it is carried out.
            Ok(Some(_)) | Err(FederationError::Charter(CharterError::Rival(_))) => {}
            Ok(None) if newest < held => return Err(refused(NotTakenUp::Older { version: newest, newest: held })),
            Ok(None) => {
                let nothing = PublishedView { version: held, is_news: false, told: Vec::new() };
                return Ok(Ok(Response::Published(nothing)));
            }
            Err(error) => return Err(refused(error.into())),
        }
        let charter = (newest != held).then(|| format!("charter version {newest}"));
        let parts: Vec<String> = charter.into_iter().chain(signed).collect();
        Ok(Err(if parts.is_empty() { format!("charter version {newest}") } else { parts.join(", ") }))
    }

    /// How many drafts there are, in words; or what is answered at once, because none would be logged.
    fn look_at_drafts(
        &self,
        drafts: &[Draft],
        imported: bool,
        skip_bad: bool,
    ) -> Result<Result<Response, String>, Problem> {
        self.may_log(drafts)?;
        if let Some(refused) = self.desk.refuses(drafts, imported, skip_bad)? {
            return Ok(Ok(Response::Submitted(refused)));
        }
        let imported = if imported { ", imported" } else { "" };
        Ok(Err(if drafts.len() == 1 {
            format!("1 record{imported}")
        } else {
            format!("{} records{imported}", drafts.len())
        }))
    }

    /// Answers what is asked of requests that need a second person; gives what the core is told when one is carried out.
    pub(super) fn approval(&mut self, request: &ApprovalRequest, by: Caller, reply: Reply) -> Option<Input> {
        let now = clock::now();
        let answer = match request {
            ApprovalRequest::List { all } => Ok(Response::Approvals(self.approvals.list(*all))),
            ApprovalRequest::Show { id } => self.approvals.show(id).map(|view| Response::Approval(Box::new(view))),
            ApprovalRequest::Reject { id, reason } => {
                self.approvals.reject(id, reason, by, now).map(|view| Response::Approval(Box::new(view)))
            }
            ApprovalRequest::Approve { id } => match self.agree(id, by) {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(execution)) => return self.execute(execution, reply),
                Err(problem) => Err(problem),
            },
        };
        finish(reply, answer);
        None
    }

    fn agree(&mut self, id: &Digest, by: Caller) -> Result<Result<Response, Execution>, Problem> {
        if self.stopping {
            let message = "the node is ending; agree again when it runs".to_owned();
            return Err(Problem { kind: ProblemKind::Busy, message });
        }
        // What passes by itself, such as a full disk, does not use up what was agreed to.
        if let Some(request) = self.approvals.show(id)?.request
            && let Request::Submit { drafts, .. } = *request
        {
            self.may_log(&drafts)?;
        }
        let agreed = self.approvals.agree(id, by, clock::now())?;
        Ok(agreed.map(|view| Response::Pending(Box::new(view))))
    }

    fn execute(&mut self, execution: Execution, reply: Reply) -> Option<Input> {
        let Execution { number, request } = execution;
        let (back, answer) = Reply::new();
        self.running.push(Running { number, answer, reply });
        self.carry_out(request, back)
    }

    /// Hands on what came of what was carried out, once that is kept.
    pub(super) fn hear_running(&mut self) {
        if std::mem::take(&mut self.charter_changed) {
            self.keep_charter();
        }
        let mut still = Vec::new();
        for mut one in std::mem::take(&mut self.running) {
            let last = loop {
                match one.answer.try_recv() {
                    Ok(progress @ Line::Progress(_)) => one.reply.hand_on(progress),
                    Ok(last @ (Line::Done(_) | Line::Failed(_))) => break Some(last),
                    // A call that is dropped is answered as well.
                    Err(_) => break None,
                }
            };
            let Some(last) = last else {
                still.push(one);
                continue;
            };
            self.approvals.finish(one.number, Some(&last), clock::now());
            one.reply.hand_on(last);
        }
        self.running = still;
    }

    /// Keeps the charter that the node goes by, where publishing one needs a second person.
    fn keep_charter(&self) {
        if !self.approvals.guards_charter() {
            return;
        }
        let kept = self.node.federation().published().encode().map(|file| self.approvals.keep_charter(&file));
        if let Ok(Err(error)) = kept {
            tracing::error!(error = %Problem::from(error).message, "the charter that the node goes by cannot be kept");
        }
    }

    /// Drops what nobody agreed to in time, and writes that into the audit log.
    pub(super) fn expire_approvals(&mut self) {
        for id in self.approvals.expire(clock::now()) {
            tracing::info!(%id, "nobody agreed to this in time; it is dropped");
            let Some(auditor) = self.anchoring.as_ref().map(|anchoring| anchoring.auditor.clone()) else { continue };
            let act = Act::of_node("approval-expired", Outcome::Done).note(format!("approval {id}"));
            drop(tokio::spawn(async move {
                // A log that cannot be written refuses what is asked, and says so by itself.
                drop(auditor.write(act).await);
            }));
        }
    }
}
