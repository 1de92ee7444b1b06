//! Reading a stopped node: the same questions, answered from its data folder.

use super::context::Context;
use super::report::{Exit, Failure};
use crate::api::ClientError;
use crate::disk::OpenError;
use crate::node::answer;
use crate::node::ask::{Progress, Request, Response};
use crate::node::clock;
use crate::node::config::Config;
use crate::node::open;
use crate::protocol::view::View;

/// Answers `request` from the data folder of a node that does not run. Keys are asked for only where a body may have to be
/// opened.
///
/// # Errors
/// If the folder is not there, in use, or does not hold what is asked for.
pub(super) fn answer(context: &Context, config: &Config, request: &Request) -> Result<Response, Failure> {
    debug_assert!(request.only_reads());
    if !config.data_dir.join("segments").exists() {
        return Err(Failure::new(Exit::NotRunning, format!("no node answers on {}", config.socket.display()))
            .hint("`shieldwall run` starts the node"));
    }
    let opened = open::store(config, |done, total| {
        let what = "reading the ledger".to_owned();
        context.ui.progress(&Progress { what, done, total: Some(total) });
    });
    let (store, report) = match opened {
        Err(OpenError::Locked { dir }) => {
            let message = format!("{} is in use, but no node answers on {}", dir.display(), config.socket.display());
            return Err(Failure::new(Exit::Locked, message).hint("the node may be starting or ending: try again"));
        }
        opened => opened?,
    };
    report.damage.iter().for_each(|damage| {
        context.ui.warn(format!("{} is damaged at byte {}: {}", damage.file, damage.offset, damage.what));
    });
    let federation = open::current_federation(config, &store)?;
    let log = open::own_log(config, &federation)?;
    let names = match request {
        Request::RecordList(_)
        | Request::RecordShow { .. }
        | Request::LogImpact { .. }
        | Request::Stats(_)
        | Request::OperationList
        | Request::OperationShow { .. }
        | Request::PolicyList { .. }
        | Request::Anchors { .. }
        | Request::ConsignmentList(_)
        | Request::ConsignmentShow(_)
        | Request::Reindex
        | Request::Erasure(_)
        | Request::LaneEvidence { .. }
        | Request::Evidence { .. } => open::seal_key_names(&federation, config.member),
        Request::Ledger
        | Request::Lanes
        | Request::Equivocations
        | Request::EquivocationEvidence { .. }
        | Request::Status
        | Request::Peers
        | Request::Peer(_)
        | Request::Charter(_)
        | Request::Officer(_)
        | Request::Approval(_)
        | Request::Submit { .. }
        | Request::CollectReceipts
        | Request::Reload
        | Request::Shutdown => Vec::new(),
    };
    let seeds = if names.is_empty() { Vec::new() } else { context.open_keys(config, &names)? };
    let me = open::myself(config.member, log, &names, &seeds, false);
    answer::answer(&View::new(&store, &federation, &me), None, None, request, clock::now())
        .map_err(|problem| Failure::from(ClientError::Problem(problem)))
}
