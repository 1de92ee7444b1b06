//! Why something is not signed: for ever, or not now.

use crate::disk::GuardRefusal;

/// Why something is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It must not be: somebody asks for what was never to be asked for. Whoever asks must not go on.
    Refused(String),
    /// It cannot be, with this disk or this token. It may be asked for again when that is mended.
    Failed(String),
}

impl From<GuardRefusal> for Fault {
    fn from(refusal: GuardRefusal) -> Self {
        match &refusal {
            GuardRefusal::Conflict { .. } | GuardRefusal::Gap { .. } => Self::Refused(refusal.to_string()),
            GuardRefusal::Moved { .. }
            | GuardRefusal::Damaged { .. }
            | GuardRefusal::OtherVersion { .. }
            | GuardRefusal::Storage(_) => Self::Failed(format!("{:#}", anyhow::Error::from(refusal))),
        }
    }
}
