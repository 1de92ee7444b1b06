//! Why something from a peer is refused, and what gossip is told about it: decided here and nowhere else.

use crate::ledger::RootFault;

use super::effect::Verdict;

/// A fault in what a peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a message of the protocol. The peer could have seen that.
    #[error("not a message of this protocol")]
    Form,
    /// A signature that does not verify. The peer could have seen that.
    #[error("a signature that does not verify")]
    Signature,
    /// Made for another federation. The peer could have seen that.
    #[error("a message of another federation")]
    Federation,
    /// About a log or member that is not known here. Our charter or manifests may be old.
    #[error("a log or member that is not known here")]
    Unknown,
    /// By a member that is suspended or has left. Others may not know yet.
    #[error("a message of a member that takes no part")]
    Inactive,
    /// Dated too far ahead. Our clock may be slow.
    #[error("a message from the future")]
    Future,
    /// A proof that does not lead from what is held to what is signed.
    #[error("statements that the checkpoint does not prove")]
    Unproved,
    /// An answer to another question than the one asked.
    #[error("an answer to something else")]
    Unasked,
    /// A body that is not the one that the statement binds.
    #[error("a body other than the one signed")]
    Body,
    /// More than the charter or the protocol allows.
    #[error("more than is allowed")]
    TooLarge,
    /// More at once than its author's share. It is fetched later; whoever passed it on may not know.
    #[error("more at once than its author's share")]
    OverBudget,
    /// There is no room on the disk. It is fetched when there is again; the peer is not to blame.
    #[error("no room on this node's disk")]
    NoRoom,
}

impl Refusal {
    /// Why a signed root is refused.
    #[must_use]
    pub(super) fn of_root(fault: &RootFault) -> Self {
        match fault {
            RootFault::Form(_) => Self::Form,
            RootFault::Unknown => Self::Unknown,
            RootFault::Federation => Self::Federation,
            RootFault::Signature => Self::Signature,
        }
    }

    /// What gossip is told: `Reject` only for what the sender itself could have checked without knowing more than we do.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Form | Self::Signature | Self::Federation | Self::TooLarge => Verdict::Reject,
            Self::Unknown
            | Self::Inactive
            | Self::Future
            | Self::Unproved
            | Self::Unasked
            | Self::Body
            | Self::OverBudget
            | Self::NoRoom => Verdict::Ignore,
        }
    }
}
