//! Rebuilding a ledger from peers: a node that signs nothing runs until its ledger was the very same as theirs.
//!
//! A member agrees at the moment at which its newest cosignature is over exactly the frontier that this node holds: the sizes and roots of
//! all logs. Others go on logging meanwhile, so they need not agree at the same moment; each must have agreed once. One alone may
//! be behind itself, so several are waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::disk::DiskStore;
use crate::encoding::ids::MemberCode;
use crate::protocol::Node;

use super::ask::{Call, Caller, LedgerView, Line, PeerView, Problem, Request, Response, StatusView};
use super::engine::{self, EngineError, Setup};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// So many looks without another body mean that no more come: a question for one takes a second at most when its holder is in reach.
const QUIET_LOOKS: u32 = 25;
/// Members that must have agreed, if there are so many others.
pub const AGREE: usize = 3;

/// How far it is.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// Who has held the very same ledger at some moment.
    pub agreed: BTreeSet<MemberCode>,
    /// How many must.
    pub needed: usize,
    /// Whether that is so.
    pub equal: bool,
    /// The logs as they are now.
    pub ledger: LedgerView,
    /// How the node does now.
    pub status: StatusView,
}

/// Why nothing was rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The node ended by itself.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The node does not answer.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The node ended before it was asked to.
    #[error("the node has ended")]
    Ended,
}

/// Runs `node` until `needed` others, and all who are connected then, have held the same ledger, and no more bodies come; or until `stop`
/// says so. `news` is told how far it is, at each look.
///
/// # Errors
/// [`RebuildError`].
pub async fn rebuild(
    node: Node<DiskStore>,
    setup: Setup,
    needed: usize,
    mut stop: watch::Receiver<bool>,
    mut news: impl FnMut(&Rebuilt),
) -> Result<Rebuilt, RebuildError> {
    let (calls, taken) = mpsc::channel(4);
    let (end, ended) = watch::channel(false);
    let engine = tokio::spawn(engine::run(node, setup, taken, ended));
    let mut agreed = BTreeSet::new();
    let (mut missing, mut quiet) = (u64::MAX, 0);
    let rebuilt = loop {
        let looked = look(&calls, needed, &mut agreed).await;
        let rebuilt = match looked {
            Ok(rebuilt) => rebuilt,
            Err(error) if !engine.is_finished() => return Err(error),
            // What ended it says more.
            Err(error) => {
                let ended = engine.await.map_err(|_| RebuildError::Ended)?;
                return ended.map_err(RebuildError::Engine).and(Err(error));
            }
        };
        news(&rebuilt);
        let still = rebuilt.status.bodies_missing;
        quiet = if still < missing { 0 } else { quiet + 1 };
        missing = missing.min(still);
        if *stop.borrow() || rebuilt.equal && (still == 0 || quiet >= QUIET_LOOKS) {
            break rebuilt;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
    };
    end.send_replace(true);
    engine.await.map_err(|_| RebuildError::Ended)??;
    Ok(rebuilt)
}

async fn look(
    calls: &mpsc::Sender<Call>,
    needed: usize,
    agreed: &mut BTreeSet<MemberCode>,
) -> Result<Rebuilt, RebuildError> {
    let Response::Status(status) = ask(calls, Request::Status).await? else { return Err(RebuildError::Ended) };
    let Response::Peers(peers) = ask(calls, Request::Peers).await? else { return Err(RebuildError::Ended) };
    let Response::Ledger(ledger) = ask(calls, Request::Ledger).await? else { return Err(RebuildError::Ended) };
    // Held and checked, all of it.
    if status.unaudited == 0 {
        agreed.extend(ledger.cosigned_by.iter().copied().filter(|member| *member != status.member));
    }
    let connected = |peer: &&PeerView| peer.connected;
    let all = peers.iter().filter(connected).all(|peer| agreed.contains(&peer.member));
    let equal = all && agreed.len() >= needed.max(1) && status.unaudited == 0;
    Ok(Rebuilt { agreed: agreed.clone(), needed, equal, ledger, status: *status })
}

async fn ask(calls: &mpsc::Sender<Call>, request: Request) -> Result<Response, RebuildError> {
    let (call, mut lines) = Call::new(request, Caller::default());
    calls.send(call).await.map_err(|_| RebuildError::Ended)?;
    loop {
        match lines.recv().await {
            Some(Line::Progress(_)) => {}
            Some(Line::Done(response)) => return Ok(response),
            Some(Line::Failed(problem)) => return Err(problem.into()),
            None => return Err(RebuildError::Ended),
        }
    }
}
