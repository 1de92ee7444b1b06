//! Answers about what authors have shown of their lanes to this node.

use super::{exported, no_material};
use crate::encoding::ids::RecordId;
use crate::evidence::ExportOptions;
use crate::ledger::{LaneProof, Store};
use crate::node::ask::{AskedLane, LaneView, Problem, Response, ShownLane};
use crate::protocol::LaneStanding;
use crate::protocol::view::View;

/// All lanes of which something was shown or is asked for.
pub(super) fn list<S: Store>(view: &View<'_, S>) -> Result<Vec<LaneView>, Problem> {
    let lanes = view.lanes()?.into_iter().map(|LaneStanding { lanes, proof, asked }| LaneView {
        lanes,
        shown: proof.as_ref().and_then(|proof| shown(view, proof)),
        asked: asked.map(|at| AskedLane { size: at.size, count: at.count, since: at.since }),
    });
    Ok(lanes.collect())
}

fn shown<S: Store>(view: &View<'_, S>, proof: &LaneProof) -> Option<ShownLane> {
    let claim = proof.checkpoint.claim().ok()?;
    let (_, size) = claim.claim.log_and_size()?;
    let agrees = proof.verify(view.federation()).is_ok();
    Some(ShownLane { size, count: proof.opening.count, checkpoint_at: claim.issued_at, agrees })
}

/// The files that prove to an outsider what an author has addressed to this node under some lanes.
pub(super) fn evidence<S: Store>(view: &View<'_, S>, lanes: RecordId, notified: bool) -> Result<Response, Problem> {
    let material = view.lane_material(lanes, notified).map_err(|error| no_material(view, error))?;
    exported(&material, &ExportOptions::default())
}
