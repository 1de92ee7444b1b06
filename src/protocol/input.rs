//! Everything that can happen to a node.

use crate::encoding::ids::{MemberCode, RecordId};
use crate::record::Record;

/// A moment in milliseconds since 1970 began, by this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Now(pub i64);

/// What an operator decides about a body that lies here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Whatever is ordered, it is kept until it is released.
    Hold {
        /// What the matter is called, such as a file number; at most [`crate::ledger::erased::REFERENCE_MAX`] bytes.
        reference: String,
    },
    /// It is not held any more. What was ordered meanwhile is carried out.
    Release,
    /// One's own copy of another member's record is erased; its author is told.
    Forget,
}

/// One thing that happened. Ids are the world's own numbers; the node gives them back in its effects.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed. Expected several times a second.
    Tick,
    /// An authorised peer of a member can be reached.
    Connected {
        /// The member.
        peer: MemberCode,
    },
    /// No connection to the member is left.
    Disconnected {
        /// The member.
        peer: MemberCode,
    },
    /// A gossip message came; a verdict on it is owed.
    Gossip {
        /// The member that handed it on, not its author.
        from: MemberCode,
        /// The message, for the verdict.
        id: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A member asks; an answer is owed.
    Request {
        /// The member.
        from: MemberCode,
        /// The question, for the answer.
        id: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A member answered a request of ours.
    Response {
        /// The member.
        from: MemberCode,
        /// The request, as in [`super::Effect::Request`].
        id: u64,
        /// The answer's bytes.
        bytes: Vec<u8>,
    },
    /// A request of ours will get no answer.
    Failed {
        /// The request.
        id: u64,
    },
    /// An officer or an import hands in records.
    Submit {
        /// The submission, for [`super::Effect::Submitted`].
        id: u64,
        /// The records, checked.
        records: Vec<Record>,
    },
    /// The operator hands in a charter file.
    Publish {
        /// The operator's order, for [`super::Effect::Published`].
        id: u64,
        /// The file.
        file: Vec<u8>,
        /// Whether the operator chooses it where a version was signed twice.
        settle: bool,
    },
    /// The operator decides about bodies that lie here, on this node alone.
    Keep {
        /// The order, for [`super::Effect::Kept`].
        id: u64,
        /// The records.
        records: Vec<RecordId>,
        /// What is to become of them.
        act: Keeping,
    },
    /// The signer has signed, in the order asked.
    Signed {
        /// The order, as in [`super::Effect::Sign`].
        id: u64,
        /// One signature per message.
        signatures: Vec<[u8; 64]>,
    },
    /// The signer will not sign.
    NotSigned {
        /// The order.
        id: u64,
        /// Why, for the operator.
        reason: String,
    },
    /// Signatures have been checked.
    Checked {
        /// The order, as in [`super::Effect::Check`].
        id: u64,
        /// Whether each holds.
        hold: Vec<bool>,
    },
    /// What was staged when [`super::Effect::Flush`] was given is durable.
    Flushed,
    /// Whether there is room on the disk. There is until this says otherwise. Without it the node answers what it is asked,
    /// finishes what it has begun, and begins and takes in nothing.
    Room(bool),
    /// The operator, or an export, wants every member's receipt-form cosignature of every log.
    CollectReceipts,
    /// The node is about to end: what is only in memory and worth keeping is staged.
    Ending,
}
