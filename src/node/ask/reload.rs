//! What became of a config that was read again.

use serde::{Deserialize, Serialize};

/// Which options have changed, and whether they hold already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadView {
    /// Options that hold from now on.
    pub applied: Vec<String>,
    /// Options that hold from the next start on.
    pub restart: Vec<String>,
}
