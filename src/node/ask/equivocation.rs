//! What is proved to be signed twice.

use serde::{Deserialize, Serialize};

use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

/// A proof that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EquivocationView {
    /// By which it is exported: `log:GE`, `charter:5`, `manifest:GE`.
    pub what: String,
    /// Whose key signed; none for a charter.
    pub member: Option<MemberCode>,
    /// What it proves, in words.
    pub sentence: String,
    /// Since when it is kept here.
    pub since: UnixTime,
}
