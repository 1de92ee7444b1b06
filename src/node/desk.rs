//! The desk: calls from the local socket that need the running node, and what is still owed to their askers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::encoding::ids::{MemberCode, RecordId};
use crate::identity::{CharterError, FederationError};
use crate::protocol::{Extent, Input, Keeping, NotKept, NotTakenUp, Outcome, TakenUp};
use crate::record::{Checked, Context, Draft, Record, Strictness};

use super::ask::{DRAFTS_MAX, Problem, ProblemKind, Progress, PublishedView, Reply, Request, Response, Submitted};
use super::clock;

/// How long an asker waits for receipts of members that do not answer.
const RECEIPTS_WITHIN: Duration = Duration::from_secs(5);

/// Askers who wait.
#[derive(Debug)]
pub(super) struct Desk {
    member: MemberCode,
    foreign_exports: bool,
    next: u64,
    submissions: BTreeMap<u64, Submission>,
    publications: BTreeMap<u64, Reply>,
    keepings: BTreeMap<u64, Reply>,
    collecting: Vec<Collecting>,
}

#[derive(Debug)]
struct Submission {
    reply: Reply,
    /// One entry per draft; those that were handed to the core are open.
    results: Vec<Option<Submitted>>,
    /// Warnings of the open ones.
    warnings: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Collecting {
    reply: Reply,
    until: Instant,
    /// What is answered when the receipts are here: evidence, or just that it is done.
    then: Option<Request>,
}

/// What becomes of drafts.
struct Judged {
    /// Those that may be logged.
    records: Vec<Record>,
    /// One entry per draft; those that may be logged are open.
    results: Vec<Option<Submitted>>,
    /// Warnings of the open ones.
    warnings: Vec<Vec<String>>,
}

impl Desk {
    pub(super) fn new(member: MemberCode, foreign_exports: bool) -> Self {
        Self {
            member,
            foreign_exports,
            next: 0,
            submissions: BTreeMap::new(),
            publications: BTreeMap::new(),
            keepings: BTreeMap::new(),
            collecting: Vec::new(),
        }
    }

    /// Checks drafts, and hands on those that may be logged.
    pub(super) fn submit(&mut self, drafts: Vec<Draft>, imported: bool, skip_bad: bool, reply: Reply) -> Option<Input> {
        if drafts.len() > DRAFTS_MAX {
            reply.fail(ProblemKind::BadRequest, format!("at most {DRAFTS_MAX} records at a time"));
            return None;
        }
        let Judged { records, results, warnings } = self.judge(drafts, imported, skip_bad);
        if records.is_empty() {
            reply.done(Response::Submitted(results.into_iter().flatten().collect()));
            return None;
        }
        self.next += 1;
        self.submissions.insert(self.next, Submission { reply, results, warnings });
        Some(Input::Submit { id: self.next, records })
    }

    /// What is answered to drafts of which none would be logged; `None` if some would be.
    ///
    /// # Errors
    /// [`Problem`] if there are too many.
    pub(super) fn refuses(
        &self,
        drafts: &[Draft],
        imported: bool,
        skip_bad: bool,
    ) -> Result<Option<Vec<Submitted>>, Problem> {
        if drafts.len() > DRAFTS_MAX {
            let message = format!("at most {DRAFTS_MAX} records at a time");
            return Err(Problem { kind: ProblemKind::BadRequest, message });
        }
        let Judged { records, results, .. } = self.judge(drafts.to_vec(), imported, skip_bad);
        Ok(records.is_empty().then(|| results.into_iter().flatten().collect()))
    }

    fn judge(&self, drafts: Vec<Draft>, imported: bool, skip_bad: bool) -> Judged {
        let context = Context {
            strictness: if imported { Strictness::Imported } else { Strictness::Own },
            author: Some(self.member),
            now: clock::now(),
            foreign_exports: self.foreign_exports,
        };
        let checked: Vec<_> = drafts.into_iter().map(|draft| draft.check(&context)).collect();
        let stop = !skip_bad && checked.iter().any(Result::is_err);
        let mut judged = Judged { records: Vec::new(), results: Vec::new(), warnings: Vec::new() };
        for draft in checked {
            match draft {
                Err(refused) => {
                    let reasons = refused.errors.iter().map(ToString::to_string).collect();
                    judged.results.push(Some(Submitted::Refused { reasons }));
                }
                Ok(_) if stop => judged.results.push(Some(Submitted::LeftOut)),
                Ok(Checked { record, warnings: found }) => {
                    judged.results.push(None);
                    judged.warnings.push(found.iter().map(ToString::to_string).collect());
                    judged.records.push(record);
                }
            }
        }
        judged
    }

    /// Answers a submission.
    pub(super) fn submitted(&mut self, id: u64, outcomes: Vec<Outcome>) {
        let Some(Submission { reply, mut results, warnings }) = self.submissions.remove(&id) else { return };
        let open = results.iter_mut().filter(|result| result.is_none());
        for (result, (outcome, mut warnings)) in open.zip(outcomes.into_iter().zip(warnings)) {
            *result = Some(match outcome {
                Outcome::Logged { id, outside, granted } => {
                    warnings.extend(granted.iter().flat_map(of_a_grant));
                    warnings.extend(outside.iter().map(|country| {
                        format!("{country} is not an active member of the charter and cannot read this record")
                    }));
                    Submitted::Logged { id, warnings }
                }
                Outcome::AlreadyLogged { id } => Submitted::AlreadyLogged { id },
                Outcome::Refused { reason } => Submitted::Refused { reasons: vec![reason.to_string()] },
            });
        }
        reply.done(Response::Submitted(results.into_iter().flatten().collect()));
    }

    /// Hands a charter file on.
    pub(super) fn publish(&mut self, file: Vec<u8>, settle: bool, reply: Reply) -> Input {
        self.next += 1;
        self.publications.insert(self.next, reply);
        Input::Publish { id: self.next, file, settle }
    }

    /// Answers a publication.
    pub(super) fn published(&mut self, id: u64, outcome: Result<TakenUp, NotTakenUp>) {
        let Some(reply) = self.publications.remove(&id) else { return };
        match outcome {
            Ok(TakenUp { version, is_news, told }) => {
                reply.done(Response::Published(PublishedView { version, is_news, told }));
            }
            Err(error) => reply.fail(kind(&error), error.to_string()),
        }
    }

    /// Hands on what is decided about bodies that lie here.
    pub(super) fn keep(&mut self, records: Vec<RecordId>, act: Keeping, reply: Reply) -> Input {
        self.next += 1;
        self.keepings.insert(self.next, reply);
        Input::Keep { id: self.next, records, act }
    }

    /// Answers what was decided.
    pub(super) fn kept(&mut self, id: u64, outcome: &Result<(), NotKept>) {
        let Some(reply) = self.keepings.remove(&id) else { return };
        match outcome {
            Ok(()) => reply.done(Response::Done),
            Err(error) => reply.fail(ProblemKind::BadRequest, error.to_string()),
        }
    }

    /// Waits for receipts, and then answers `then`, if there is something.
    pub(super) fn collect(&mut self, reply: Reply, then: Option<Request>) -> Input {
        reply.progress(Progress { what: "asking members for receipts".to_owned(), done: 0, total: None });
        self.collecting.push(Collecting { reply, until: now() + RECEIPTS_WITHIN, then });
        Input::CollectReceipts
    }

    /// Askers whose waiting is over: no receipt is outstanding, or it has taken too long.
    pub(super) fn collected(&mut self, outstanding: usize) -> Vec<(Reply, Option<Request>)> {
        let now = now();
        let over = |waiting: &mut Collecting| outstanding == 0 || now >= waiting.until;
        self.collecting.extract_if(.., over).map(|waiting| (waiting.reply, waiting.then)).collect()
    }

    /// Whether anybody waits for receipts.
    pub(super) fn is_collecting(&self) -> bool {
        !self.collecting.is_empty()
    }

    /// Whether anybody waits for a submission.
    pub(super) fn is_idle(&self) -> bool {
        self.submissions.is_empty() && self.publications.is_empty() && self.keepings.is_empty()
    }
}

/// What kind of failure it is that a charter file is not taken up.
pub(super) fn kind(error: &NotTakenUp) -> ProblemKind {
    match error {
        NotTakenUp::Refused(FederationError::Charter(CharterError::Rival(_))) | NotTakenUp::Frozen { .. } => {
            ProblemKind::Equivocation
        }
        NotTakenUp::Refused(_) | NotTakenUp::Form(_) | NotTakenUp::Older { .. } => ProblemKind::Verification,
        NotTakenUp::NothingToSettle => ProblemKind::BadRequest,
    }
}

/// What whoever has granted something is told.
fn of_a_grant(extent: &Extent) -> Vec<String> {
    let names = extent.readers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let Extent { records, parts, unread, .. } = extent;
    let what = if *records == 1 { "1 record".to_owned() } else { format!("{records} records") };
    let mut told = vec![format!("{names} can read {what} of the consignment from now on; this cannot be undone")];
    if *parts > 1 {
        told.push(format!("the keys are in {parts} records of the log, one after the other"));
    }
    if *unread > 0 {
        told.push(format!(
            "{unread} records of this member cannot be read here and are not granted; some may be of the consignment"
        ));
    }
    told
}

#[allow(clippy::disallowed_methods, reason = "how long an asker waits is a matter of the world")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_grants_is_told_that_it_cannot_be_undone() {
        let readers = vec!["LB".parse().unwrap(), "W1".parse().unwrap()];
        let one = Extent { readers: readers.clone(), records: 1, parts: 1, unread: 0 };
        assert_eq!(
            of_a_grant(&one),
            ["LB, W1 can read 1 record of the consignment from now on; this cannot be undone"]
        );
        let many = of_a_grant(&Extent { readers, records: 600, parts: 3, unread: 2 });
        assert!(
            many[0].contains("600 records") && many[1].contains("3 records of the log") && many[2].starts_with("2 ")
        );
    }
}
