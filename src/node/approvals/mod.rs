//! Four eyes: what one person asks for is kept, and done once others have agreed to exactly that.
//!
//! A request is named by the SHA-256 of its bytes; who agrees agrees to those bytes, and they alone are carried out. The node decides, not the
//! command: no flag skips it. What a step changes is on the disk before anybody is told, so it survives a restart.
//!
//! `state` decides and touches nothing; `folder` keeps; `person` says who is who. Start with [`Approvals`].

mod folder;
mod person;
mod state;
#[cfg(test)]
mod tests;

use std::path::Path;

use rustix::process::geteuid;

use crate::encoding::hash::{Digest, sha256};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind};

use super::answer::problem;
use super::ask::{
    AgreedView, ApprovalView, Caller, CharterRequest, ClosedView, ErasureRequest, Line, PeerRequest, Problem,
    ProblemKind, Request, Response, Submitted, approval_id,
};
use super::config;

pub use folder::{FOLDER, FolderError, kept_charter};
pub use person::{group_number, user_numbers};

use folder::Folder;
use person::{Directory, Person};
use state::{Agreed, Asked, How, Item, Refusal, Rule, Stands, State, Wish, Word};

/// Names that a view tells of those who may agree.
const NAMES_TOLD: usize = 20;
/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// What waits for a second person, at a running node.
#[derive(Debug)]
pub struct Approvals {
    policy: config::Approvals,
    folder: Option<Folder>,
    state: State,
    /// The user of the node.
    own: u32,
    /// The lists of the system, where a test brings its own.
    directory: Option<Directory>,
    /// What was in force before this start, if that differs.
    before: Option<String>,
}

/// What is to be carried out, now that enough have agreed.
#[derive(Debug)]
pub struct Execution {
    /// Its number.
    pub number: u64,
    /// What was asked, byte for byte what was agreed to.
    pub request: Request,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::Nothing(_) => ProblemKind::NotFound,
            Refusal::Author | Refusal::Twice(_) | Refusal::NotAmong(_) => ProblemKind::Denied,
            Refusal::Over(_) | Refusal::Late | Refusal::Reason => ProblemKind::BadRequest,
            Refusal::Running | Refusal::Full | Refusal::FullOfOne | Refusal::FullOfBytes => ProblemKind::Busy,
        };
        problem(kind, refusal.to_string())
    }
}

impl From<FolderError> for Problem {
    fn from(error: FolderError) -> Self {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        problem(ProblemKind::Failure, format!("{error}{source}"))
    }
}

/// How many of those who may agree this machine knows, if that is too few for anything ever to be agreed to: whoever asks is one of the persons.
#[must_use]
pub fn too_few(policy: &config::Approvals) -> Option<usize> {
    let known = Directory::read().approvers(policy).len();
    let others = usize::try_from(policy.persons).unwrap_or(usize::MAX).saturating_sub(1);
    (policy.is_on() && known < others).then_some(known)
}

impl Approvals {
    /// Opens what is kept in a data folder.
    ///
    /// # Errors
    /// [`FolderError`] if it cannot be read or written, or is open to others.
    pub fn open(data: &Path, policy: config::Approvals, now: UnixTime) -> Result<Self, FolderError> {
        let folder = Folder::open(data, policy.is_on())?;
        let mut state = State::default();
        let mut before = None;
        if let Some(folder) = &folder {
            let (items, anew) = folder.load(now)?;
            for item in &anew {
                tracing::warn!(id = %approval_id(&item.digest), stands = item.word(), "what waited for a second person is over");
                folder.keep(item)?;
            }
            state = State::of(items);
            before = Some(folder.policy().unwrap_or_else(|| config::Approvals::default().text()));
            folder.keep_policy(&policy.text())?;
        }
        let before = before.filter(|before| *before != policy.text());
        if let Some(known) = too_few(&policy) {
            tracing::warn!(
                known,
                persons = policy.persons,
                "too few of those who may agree are known to this machine: what needs them waits in vain"
            );
        }
        Ok(Self { policy, folder, state, own: geteuid().as_raw(), directory: None, before })
    }

    /// What was in force before this start and is now, if that differs.
    #[must_use]
    pub fn change(&self) -> Option<String> {
        self.before.as_ref().map(|before| format!("{}; before: {before}", self.policy.text()))
    }

    /// Whether publishing a charter needs a second person.
    #[must_use]
    pub fn guards_charter(&self) -> bool {
        self.policy.charters
    }

    /// Whether this needs a second person.
    #[must_use]
    pub fn needs(&self, request: &Request) -> bool {
        match request {
            Request::Charter(CharterRequest::Publish { .. }) => self.policy.charters,
            Request::Submit { drafts, .. } => {
                let is_order = |draft: &Draft| draft.kind == Some(Kind::Erasure);
                self.policy.records || self.policy.erasures && drafts.iter().any(is_order)
            }
            // What is released is erased if that was ordered.
            Request::Erasure(ErasureRequest::Forget { .. } | ErasureRequest::Release { .. }) => self.policy.erasures,
            Request::Peer(PeerRequest::Ban { .. }) => self.policy.bans,
            Request::Charter(CharterRequest::Held)
            | Request::RecordList(_)
            | Request::RecordShow { .. }
            | Request::LogImpact { .. }
            | Request::OperationList
            | Request::OperationShow { .. }
            | Request::PolicyList { .. }
            | Request::ConsignmentList(_)
            | Request::ConsignmentShow(_)
            | Request::Approval(_)
            | Request::Erasure(ErasureRequest::List | ErasureRequest::Plan { .. } | ErasureRequest::Hold { .. })
            | Request::Officer(_)
            | Request::Anchors { .. }
            | Request::Reindex
            | Request::Stats(_)
            | Request::Ledger
            | Request::Lanes
            | Request::Equivocations
            | Request::EquivocationEvidence { .. }
            | Request::Peers
            | Request::Peer(PeerRequest::Ping { .. } | PeerRequest::Unban { .. })
            | Request::Status
            | Request::Evidence { .. }
            | Request::LaneEvidence { .. }
            | Request::CollectReceipts
            | Request::Reload
            | Request::Shutdown => false,
        }
    }

    /// Keeps a request until others have agreed: when this returns, it is on the disk. `about` says what it is, and holds nothing of a record.
    ///
    /// # Errors
    /// [`Problem`] if too much waits, nobody knows who asks, or it cannot be kept.
    pub fn ask(
        &mut self,
        request: &Request,
        about: String,
        by: Caller,
        now: UnixTime,
    ) -> Result<ApprovalView, Problem> {
        let by = self.word(by, now)?;
        let bytes = serde_json::to_vec(request).map_err(|error| problem(ProblemKind::Failure, error.to_string()))?;
        let until = UnixTime::from_seconds(now.seconds() + i64::from(self.policy.days) * DAY_S);
        let wish = Wish {
            digest: sha256(&bytes),
            act: act(request),
            about,
            bytes: bytes.len() as u64,
            until: until.unwrap_or(UnixTime::MAX),
        };
        let item = match self.state.ask(wish, by)? {
            Asked::Again(item) => item,
            Asked::New(item) => {
                self.folder()?.keep_request(item.number, &bytes)?;
                self.keep(item.clone())?;
                item
            }
        };
        Ok(self.view(&item))
    }

    /// Somebody agrees. `Ok(Err(_))` has what is to be carried out now; then [`Self::finish`] must follow.
    ///
    /// # Errors
    /// [`Problem`] if this user may not, or it waits no more.
    pub fn agree(
        &mut self,
        id: &Digest,
        by: Caller,
        now: UnixTime,
    ) -> Result<Result<ApprovalView, Execution>, Problem> {
        let by = self.word(by, now)?;
        let directory = self.directory();
        let agreed = self.state.agree(id, by, self.rule(&|person| directory.may(person, &self.policy)))?;
        match agreed {
            Agreed::More(item) => {
                self.keep(item.clone())?;
                Ok(Ok(self.view(&item)))
            }
            Agreed::Enough(item) => {
                // Read again, and compared with what was agreed to.
                let bytes = self.folder()?.request(&item)?;
                let request = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
                let Some(request) = request else {
                    let note = "what was asked is not on the disk any more as it was";
                    self.keep(item.closed(How::Failed, now, note.to_owned()))?;
                    return Err(problem(ProblemKind::Failure, format!("{note}; nothing was done")));
                };
                let number = item.number;
                self.keep(item)?;
                Ok(Err(Execution { number, request }))
            }
        }
    }

    /// Somebody says no, or takes back what they have asked for.
    ///
    /// # Errors
    /// [`Problem`] if this user may not, it waits no more, or there is no reason.
    pub fn reject(&mut self, id: &Digest, reason: &str, by: Caller, now: UnixTime) -> Result<ApprovalView, Problem> {
        let by = self.word(by, now)?;
        let directory = self.directory();
        let may = |person: &Person| directory.may(person, &self.policy);
        let item = self.state.reject(id, by, reason, self.rule(&may))?;
        self.keep(item.clone())?;
        Ok(self.view(&item))
    }

    /// What came of a request that was carried out.
    pub fn finish(&mut self, number: u64, answer: Option<&Line>, now: UnixTime) {
        if let Some(item) = self.state.numbered(number) {
            let (how, note) = outcome(answer);
            let item = item.closed(how, now, note);
            self.close(item);
        }
    }

    /// Drops those whose time is up; gives their names.
    pub fn expire(&mut self, now: UnixTime) -> Vec<String> {
        let late = self.state.late(now);
        let names = late.iter().map(|item| approval_id(&item.digest)).collect();
        late.into_iter().for_each(|item| self.close(item));
        names
    }

    /// Those that wait, and if `all` says so, those that are over; the newest last.
    #[must_use]
    pub fn list(&self, all: bool) -> Vec<ApprovalView> {
        let directory = self.directory();
        self.state.items().filter(|item| all || !item.is_closed()).map(|item| self.view_by(item, &directory)).collect()
    }

    /// One of them, with what it asks for.
    ///
    /// # Errors
    /// [`Problem`] if there is none.
    pub fn show(&self, id: &Digest) -> Result<ApprovalView, Problem> {
        let item = self.state.get(id)?;
        let bytes = if item.is_closed() { None } else { self.folder()?.request(item)? };
        let request = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(ApprovalView { request, ..self.view(item) })
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.state.open().count() as u64
    }

    /// Keeps the charter that the node goes by, if publishing one needs a second person: from then on no other way leads to a later one but
    /// that of the other members.
    ///
    /// # Errors
    /// [`FolderError`] if it cannot be kept.
    pub fn keep_charter(&self, file: &[u8]) -> Result<(), FolderError> {
        match &self.folder {
            Some(folder) if self.policy.charters => folder.keep_charter(file),
            Some(_) | None => Ok(()),
        }
    }

    fn keep(&mut self, item: Item) -> Result<(), FolderError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        folder.keep(&item)?;
        self.state.put(item).into_iter().try_for_each(|number| folder.forget(number))
    }

    /// Keeps that one is over. If that cannot be kept now, the next start finds the same, or that nobody knows: never that it still waits for what
    /// was carried out.
    fn close(&mut self, item: Item) {
        if let Err(error) = self.keep(item.clone()) {
            tracing::error!(error = %Problem::from(error).message, "what became of a request cannot be kept");
            drop(self.state.put(item));
        }
    }

    fn folder(&self) -> Result<&Folder, Problem> {
        self.folder.as_ref().ok_or_else(|| problem(ProblemKind::Failure, "nothing needs a second person here"))
    }

    fn word(&self, by: Caller, at: UnixTime) -> Result<Word, Problem> {
        let nobody = || problem(ProblemKind::Denied, "the system does not tell who asks, so nobody else could agree");
        let by = Person::of(by, self.own).ok_or_else(nobody)?;
        Ok(Word { by, name: self.directory().name(by.uid), at })
    }

    fn directory(&self) -> Directory {
        self.directory.clone().unwrap_or_else(Directory::read)
    }

    fn rule<'a>(&self, may: &'a dyn Fn(&Person) -> bool) -> Rule<'a> {
        Rule { persons: self.policy.persons, may }
    }

    fn view(&self, item: &Item) -> ApprovalView {
        self.view_by(item, &self.directory())
    }

    fn view_by(&self, item: &Item, directory: &Directory) -> ApprovalView {
        let approvers = directory.approvers(&self.policy);
        let free = |uid: &u32| {
            let person = Person { uid: *uid, also: None };
            !item.asked.by.may_be(&person) && !item.agreed.iter().any(|word| word.by.may_be(&person))
        };
        let missing = item.missing(self.rule(&|person| approvers.contains(&person.uid)));
        let agreed = item.agreed.iter().map(|word| AgreedView { by: word.name.clone(), at: word.at });
        let open = !item.is_closed();
        ApprovalView {
            id: approval_id(&item.digest),
            digest: item.digest,
            act: item.act.clone(),
            about: item.about.clone(),
            asked_by: item.asked.name.clone(),
            asked_at: item.asked.at,
            until: item.until,
            persons: self.policy.persons,
            agreed: agreed.collect(),
            missing: if open { missing } else { 0 },
            may: approvers
                .iter()
                .filter(|uid| open && free(uid))
                .take(NAMES_TOLD)
                .map(|uid| directory.name(*uid))
                .collect(),
            stands: item.word().to_owned(),
            closed: match &item.stands {
                Stands::Waiting | Stands::Running => None,
                Stands::Closed { by, at, note, .. } => {
                    let by = by.as_ref().map(|word| word.name.clone());
                    Some(ClosedView { by, at: *at, note: note.clone() })
                }
            },
            request: None,
        }
    }
}

impl Item {
    fn word(&self) -> &'static str {
        match &self.stands {
            Stands::Waiting => "waiting",
            Stands::Running => "running",
            Stands::Closed { how, .. } => how.word(),
        }
    }
}

/// The word of the audit log for a request that needs a second person.
fn act(request: &Request) -> &'static str {
    if let Request::Charter(CharterRequest::Publish { settle, .. }) = request {
        if *settle { "charter-settle" } else { "charter-publish" }
    } else if matches!(request, Request::Peer(_)) {
        "peer-ban"
    } else if let Request::Erasure(request) = request {
        if matches!(request, ErasureRequest::Release { .. }) { "record-release" } else { "record-forget" }
    } else {
        "submit"
    }
}

/// How it ended, and what is told of it: numbers, and the node's own words.
fn outcome(answer: Option<&Line>) -> (How, String) {
    match answer {
        Some(Line::Done(Response::Submitted(all))) => {
            let held = |one: &&Submitted| matches!(one, Submitted::Logged { .. } | Submitted::AlreadyLogged { .. });
            let logged = all.iter().filter(held).count();
            let how = if logged > 0 || all.is_empty() { How::Done } else { How::Failed };
            (how, format!("logged: {logged} of {}", all.len()))
        }
        Some(Line::Done(Response::Published(view))) => (How::Done, format!("charter version {}", view.version)),
        Some(Line::Done(_)) => (How::Done, "carried out".to_owned()),
        Some(Line::Failed(problem)) => (How::Failed, problem.message.clone()),
        Some(Line::Progress(_)) | None => (How::Unknown, "the node ended while it was carried out".to_owned()),
    }
}
