//! Answers about what is proved to be signed twice.

use super::{handed_out, problem};
use crate::evidence::export_equivocation;
use crate::ledger::Store;
use crate::node::ask::{EquivocationView, Problem, ProblemKind, Response};
use crate::protocol::view::View;

/// All proofs that are kept.
pub(super) fn list<S: Store>(view: &View<'_, S>) -> Result<Vec<EquivocationView>, Problem> {
    let all = view.equivocations()?.into_iter().map(|kept| EquivocationView {
        what: kept.what.name(),
        member: kept.what.member(),
        sentence: kept.what.to_string(),
        since: kept.since,
    });
    Ok(all.collect())
}

/// The files that prove one of them to an outsider.
pub(super) fn evidence<S: Store>(view: &View<'_, S>, what: &str) -> Result<Response, Problem> {
    let kept = view.equivocations()?.into_iter().find(|kept| kept.what.name() == what);
    let Some(kept) = kept else {
        let why = format!("no proof about {what} is kept here; `shieldwall equivocation list` says about what");
        return Err(problem(ProblemKind::NotFound, why));
    };
    handed_out(export_equivocation(&kept.proof, view.federation()))
}
