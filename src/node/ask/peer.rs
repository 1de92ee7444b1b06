//! What is asked of the other members' nodes, and wanted of the connections to them.

use serde::{Deserialize, Serialize};

use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

/// How long a member may be shut out at most, in seconds: a year. Who is to stay away for good is suspended by the charter.
pub const BAN_S_MAX: u32 = 366 * 86_400;

/// Characters of a ban's reason at most.
pub const BAN_REASON_MAX: usize = 200;

/// What is asked of the other members' nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerRequest {
    /// Ask a member's node for its frontier, and tell how long the answer took.
    Ping {
        /// Which member.
        member: MemberCode,
    },
    /// Keep no connection to a member for a while. Its statements still come, through the others; sealed contents that only the two
    /// exchange wait.
    Ban {
        /// Which member.
        member: MemberCode,
        /// For so many seconds, at most [`BAN_S_MAX`].
        seconds: u32,
        /// Why; at most [`BAN_REASON_MAX`] characters.
        reason: String,
    },
    /// Connect to a member again.
    Unban {
        /// Which member.
        member: MemberCode,
    },
}

/// A member that this node's operator keeps away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanView {
    /// Which member.
    pub member: MemberCode,
    /// Until when.
    pub until: UnixTime,
    /// Why.
    pub reason: String,
}

/// The answer of another member's node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingView {
    /// Whose node.
    pub member: MemberCode,
    /// Microseconds from the question to the answer.
    pub micros: u64,
    /// The frontier that it has cosigned last; none before the first.
    pub frontier: Option<Digest>,
    /// Statements that it holds and this node does not.
    pub ahead: u64,
    /// Statements that this node holds and it does not.
    pub behind: u64,
}
