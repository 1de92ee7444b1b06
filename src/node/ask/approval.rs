//! What is asked of requests that need a second person, and what the node says of them.

use serde::{Deserialize, Serialize};

use super::Request;
use crate::encoding::hash::Digest;
use crate::encoding::time::UnixTime;

/// Hexadecimal digits of a digest that name a request: nobody can make two requests that share them.
pub const APPROVAL_ID_DIGITS: usize = 32;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalRequest {
    /// Which requests wait.
    List {
        /// Also those that are over.
        all: bool,
    },
    /// One request, with what it asks for.
    Show {
        /// The digest of what it asks for.
        id: Digest,
    },
    /// The asker agrees to exactly this; answered as the request itself, if nobody else is needed.
    Approve {
        /// The digest of what it asks for.
        id: Digest,
    },
    /// The asker does not agree, or takes back what it has asked for.
    Reject {
        /// The digest of what it asks for.
        id: Digest,
        /// Why.
        reason: String,
    },
}

/// A request that needs a second person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalView {
    /// Its name: the first [`APPROVAL_ID_DIGITS`] digits of the digest.
    pub id: String,
    /// SHA-256 of exactly what is asked.
    pub digest: Digest,
    /// The word that the audit log has for it.
    pub act: String,
    /// What it is, in words that hold nothing of a record.
    pub about: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: UnixTime,
    /// When it is dropped.
    pub until: UnixTime,
    /// How many persons it takes, who asks included.
    pub persons: u32,
    /// Who has agreed.
    pub agreed: Vec<AgreedView>,
    /// How many must still agree; 0 once it is over.
    pub missing: u32,
    /// Who may, of those that the system knows.
    pub may: Vec<String>,
    /// `waiting`, `running`, or how it ended: `done`, `failed`, `rejected`, `withdrawn`, `expired`, `unknown`.
    pub stands: String,
    /// How it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedView>,
    /// What it asks for; only where one request is shown that is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<Request>>,
}

/// Who has agreed, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreedView {
    /// Who.
    pub by: String,
    /// When.
    pub at: UnixTime,
}

/// How a request came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedView {
    /// Who ended it; none where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    pub at: UnixTime,
    /// What came of it, or why.
    pub note: String,
}

/// The name of a request.
#[must_use]
pub fn approval_id(digest: &Digest) -> String {
    digest.to_string().chars().take(APPROVAL_ID_DIGITS).collect()
}
