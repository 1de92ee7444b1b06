//! Everything that a node asks of the world.

use std::fmt;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::identity::FederationError;
use crate::ledger::{SignatureCheck, Why};

/// One thing to be done. Whatever rests on stored data is given only after the data is durable.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a message to all members.
    Gossip(Vec<u8>),
    /// Tell gossip what to do with a message that came.
    Verdict {
        /// The message.
        id: u64,
        /// What to do.
        verdict: Verdict,
    },
    /// Ask a member. Exactly one `Response` or `Failed` with this id must follow.
    Request {
        /// The member.
        to: MemberCode,
        /// The node's number for it.
        id: u64,
        /// The question.
        bytes: Vec<u8>,
    },
    /// Answer a member's question.
    Respond {
        /// The question.
        id: u64,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// Sign messages, in order. `Signed` or `NotSigned` with this id must follow.
    Sign {
        /// The node's number for it.
        id: u64,
        /// The key.
        with: SigningKey,
        /// What to sign.
        messages: Vec<Vec<u8>>,
        /// For statements: position and SHA-256 of each message, which the guard must have on disk before the first signature
        /// is made, and must refuse if it has another digest at a position.
        guard: Vec<(u64, Digest)>,
    },
    /// Check signatures. `Checked` with this id must follow.
    Check {
        /// The node's number for it.
        id: u64,
        /// The signatures.
        checks: Vec<SignatureCheck>,
    },
    /// Make durable what was staged until now. `Flushed` must follow, unless storage fails, which ends the node.
    Flush,
    /// A submission is done.
    Submitted {
        /// The submission.
        id: u64,
        /// What became of each record, in order.
        outcomes: Vec<Outcome>,
    },
    /// A charter file that the operator handed in is dealt with.
    Published {
        /// The order.
        id: u64,
        /// What became of it.
        outcome: Result<TakenUp, NotTakenUp>,
    },
    /// What the operator decided about bodies is done, or not.
    Kept {
        /// The order.
        id: u64,
        /// What became of it. If it is refused, nothing was done with any of the records.
        outcome: Result<(), super::NotKept>,
    },
    /// The charter or a manifest changed: connect and admit accordingly.
    Members,
    /// Something worth showing or logging.
    Event(Event),
}

/// What gossip does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good: pass it on.
    Accept,
    /// Not to be passed on, but nobody's fault.
    Ignore,
    /// The sender could have known that it is bad.
    Reject,
}

/// A key that the signer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// The key of one of this member's logs.
    Log(LogId),
    /// The key that signs cosignatures.
    Witness,
}

/// What became of a submitted record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log, durable and signed.
    Logged {
        /// Its id.
        id: RecordId,
        /// Countries named as readers that are not active members of the charter.
        outside: Vec<String>,
        /// What a grant covers; none for other records.
        granted: Option<Extent>,
    },
    /// The same document line was logged before, in this record.
    AlreadyLogged {
        /// The earlier record.
        id: RecordId,
    },
    /// It is not in the log.
    Refused {
        /// Why, and what to do.
        reason: Refused,
    },
}

/// What a grant covers. It cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The new readers.
    pub readers: Vec<MemberCode>,
    /// How many records they can now read.
    pub records: u64,
    /// In how many records of one's own log, one after the other, the keys are.
    pub parts: u64,
    /// Records of one's own that could not be read, and may have to be granted too.
    pub unread: u64,
}

/// Why a submission is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The node will not sign for this log again.
    #[error("this log is not signed any more: {0}; open the member's next log in a new manifest")]
    LogEnded(String),
    /// The member is suspended or has left.
    #[error("{member} is {standing} by version {version} of the charter: nothing is logged until it is readmitted")]
    Inactive {
        /// The member.
        member: MemberCode,
        /// `suspended` or `removed`.
        standing: &'static str,
        /// The charter's version.
        version: u64,
    },
    /// Too much is waiting.
    #[error("too many records are waiting to be signed; submit them again in a moment")]
    Busy,
    /// The body is larger than the charter allows.
    #[error("the sealed body has {size} bytes, the charter allows {limit}")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The charter's limit.
        limit: u64,
    },
    /// A statement with a tag for each of so many readers is longer than the charter allows.
    #[error("the record has {readers} readers: more than fit into a statement; address it to fewer in several records")]
    TooManyReaders {
        /// How many, the author included.
        readers: usize,
    },
    /// No record that it could cover.
    #[error(
        "there is nothing to grant: of consignment {consignment} this member has logged no record that has one of these compartments; \
         a member grants what it has logged itself, after it was logged"
    )]
    NothingToGrant {
        /// The consignment.
        consignment: RecordId,
    },
    /// Nobody to whom anything could be granted.
    #[error("none of the new readers is another active member of the charter: {named}")]
    NoNewReader {
        /// Who was named.
        named: String,
    },
    /// More records than a grant covers.
    #[error(
        "more than {limit} records would be granted at once; grant fewer compartments, or speak with the new reader"
    )]
    TooMuchToGrant {
        /// How many a grant covers.
        limit: usize,
    },
    /// An order to erase what cannot be erased by it.
    #[error("{id} cannot be erased by this order: {why}")]
    NotErasable {
        /// The record.
        id: RecordId,
        /// Why.
        why: &'static str,
    },
    /// An order that names too many records.
    #[error("an order names at most {limit} records; give several")]
    TooManyToErase {
        /// How many.
        limit: usize,
    },
    /// The same document line is on its way into the log.
    #[error("the same document line is being logged already")]
    UnderWay,
    /// The signer refused.
    #[error("the signer refused: {0}")]
    Signer(String),
}

/// What a charter file that was handed in has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenUp {
    /// The charter's version now.
    pub version: u64,
    /// Whether anything in the file was news.
    pub is_news: bool,
    /// Members that can be reached, which were told at once.
    pub told: Vec<MemberCode>,
}

/// Why a charter file that was handed in is not taken up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTakenUp {
    /// Not a charter file.
    #[error("not a charter file: {0}")]
    Form(String),
    /// It does not hold, or does not follow what is held.
    #[error(transparent)]
    Refused(#[from] FederationError),
    /// It is older than what is held, and has no news.
    #[error("charter version {version} is older than version {newest}, which this node holds")]
    Older {
        /// Of the file.
        version: u64,
        /// Held.
        newest: u64,
    },
    /// A version was signed twice, and no later one is taken up.
    #[error(
        "two charters of version {version} are properly signed: membership is frozen until the operator has chosen one of them"
    )]
    Frozen {
        /// The version.
        version: u64,
    },
    /// Nothing to choose.
    #[error("nothing is to be settled: no two charters of one version are known here of which this file has one")]
    NothingToSettle,
}

/// Something that happened in the node, for its operator. Never says what is in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Records of one's own were signed and are durable.
    Logged {
        /// The first of them.
        first: RecordId,
        /// How many.
        count: u64,
    },
    /// Statements of a log were verified.
    Verified {
        /// The log.
        log: LogId,
        /// How many are verified now.
        size: u64,
    },
    /// A statement has no effect.
    Flagged {
        /// The statement.
        id: RecordId,
        /// Why, in a word.
        flaw: String,
    },
    /// A body addressed to this node was opened.
    Opened {
        /// The record.
        id: RecordId,
        /// How many compartments could be opened.
        compartments: usize,
    },
    /// A body addressed to this node is here, but does not open as it should.
    NotOpened {
        /// The record.
        id: RecordId,
        /// Why, without anything from the body.
        reason: String,
    },
    /// A grant gives what its author cannot grant, or cannot be read.
    NotGranted {
        /// The grant.
        id: RecordId,
        /// Why, without anything from the body.
        reason: String,
    },
    /// What an author gave for the way to its checkpoint leads elsewhere from what it has addressed to this node.
    LaneDiffers {
        /// The `lanes` statement of the lane.
        lanes: RecordId,
        /// The number of statements of the log under the checkpoint.
        size: u64,
        /// How many of them are addressed to this node.
        count: u64,
    },
    /// A body is not here any more; durable.
    Erased {
        /// The record.
        id: RecordId,
        /// Why.
        why: Why,
    },
    /// An order to erase names what its author cannot have erased.
    NotErased {
        /// The order.
        id: RecordId,
        /// Why, without anything from a body.
        reason: String,
    },
    /// What the disk had lost is on it again.
    Healed {
        /// What it is.
        what: String,
    },
    /// A member cosigned the very frontier that this node holds.
    Agrees {
        /// The member.
        member: MemberCode,
        /// The frontier's root.
        frontier: Digest,
    },
    /// The owner of a log signed two histories.
    Fork {
        /// The log.
        log: LogId,
        /// The lowest size at which they differ, as far as is known.
        size: u64,
    },
    /// This node's own log will not be signed again.
    LogEnded {
        /// The log.
        log: LogId,
        /// Why.
        reason: String,
    },
    /// This node's own log may be signed: peers were asked, or none is in reach and the guard is intact.
    Ready {
        /// The log.
        log: LogId,
        /// Its size.
        size: u64,
    },
    /// A peer sent what it should not have.
    Refused {
        /// The peer.
        peer: MemberCode,
        /// What was wrong.
        refusal: super::Refusal,
    },
    /// The charter or a manifest changed.
    Members {
        /// The charter's version.
        version: u64,
        /// Members whose standing it changed.
        changed: Vec<MemberCode>,
    },
    /// One version of the charter, or of a member's manifest, was properly signed twice.
    Split {
        /// Whose manifest; `None` for the charter.
        manifest: Option<MemberCode>,
        /// The version.
        version: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logged { first, count: 1 } => write!(formatter, "logged {first}"),
            Self::Logged { first, count } => write!(formatter, "logged {count} records from {first} on"),
            Self::Verified { log, size } => write!(formatter, "verified log {log} up to {size}"),
            Self::Flagged { id, flaw } => write!(formatter, "flagged {id}: {flaw}"),
            Self::Opened { id, compartments } => write!(formatter, "opened {id} ({compartments} compartments)"),
            Self::NotOpened { id, reason } => write!(formatter, "could not open {id}: {reason}"),
            Self::NotGranted { id, reason } => write!(formatter, "did not take up all that {id} grants: {reason}"),
            Self::LaneDiffers { lanes, size, count } => write!(
                formatter,
                "{} does not show that its checkpoint over {size} statements of log {} commits to the {count} that are addressed to \
                 this node since {lanes}: it may show others another list",
                lanes.log.member, lanes.log
            ),
            Self::Erased { id, why: Why::Ordered(order) } => write!(formatter, "erased {id}, by order {order}"),
            Self::Erased { id, why: Why::OwnLaw } => write!(formatter, "erased {id}, by this member's own decision"),
            Self::Erased { id, why: Why::Unneeded } => {
                write!(formatter, "erased the lanes of {id}: all that they opened here is erased")
            }
            Self::Erased { id, why: Why::Unknown } => write!(formatter, "erased {id}"),
            Self::NotErased { id, reason } => write!(formatter, "did not carry out all of {id}: {reason}"),
            Self::Healed { what } => write!(formatter, "healed {what}, which the disk had lost"),
            Self::Agrees { member, frontier } => {
                write!(formatter, "{member} holds the same ledger ({})", frontier.short())
            }
            Self::Fork { log, size } => write!(formatter, "log {log} has two signed histories from size {size} on"),
            Self::LogEnded { log, reason } => write!(formatter, "log {log} will not be signed again: {reason}"),
            Self::Ready { log, size } => write!(formatter, "ready to sign log {log} at size {size}"),
            Self::Refused { peer, refusal } => write!(formatter, "refused from {peer}: {refusal}"),
            Self::Members { version, changed } => {
                write!(formatter, "charter or manifests changed, charter version {version}")?;
                changed.iter().try_for_each(|member| write!(formatter, ", {member}"))
            }
            Self::Split { manifest: None, version } => write!(
                formatter,
                "two charters of version {version} are properly signed: both are kept, and no later one is taken up before an operator has chosen"
            ),
            Self::Split { manifest: Some(member), version } => {
                write!(formatter, "{member} has signed two manifests of version {version}: both are kept")
            }
        }
    }
}
