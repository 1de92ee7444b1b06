//! Answers about joint operations, from the records that this node can read.

use crate::encoding::ids::RecordId;
use crate::ledger::Store;
use crate::node::ask::{OperationView, Problem, ProblemKind};
use crate::protocol::view::View;
use crate::record::PartialRecord;
use crate::watch::{self, Operation};

/// Records of one log that are read for one answer, the newest first: a second's work for a log of the largest member.
const READ_MAX: u64 = 5_000;

/// Every operation that this node knows of, the one with the newest record first.
pub(super) fn list<S: Store>(view: &View<'_, S>) -> Result<Vec<OperationView>, Problem> {
    let (operations, complete) = operations(view)?;
    let mut all: Vec<OperationView> = operations.iter().map(|operation| shown(operation, complete)).collect();
    let newest = |shown: &OperationView| {
        shown.operation["timeline"].as_array().and_then(|all| Some(all.last()?["issued_at"].to_string()))
    };
    all.sort_by_key(|shown| std::cmp::Reverse(newest(shown)));
    Ok(all)
}

/// One operation, by any record of it.
pub(super) fn show<S: Store>(view: &View<'_, S>, id: RecordId) -> Result<OperationView, Problem> {
    let (operations, complete) = operations(view)?;
    let found =
        operations.iter().find(|operation| operation.id == id || operation.timeline.iter().any(|entry| entry.id == id));
    found.map(|operation| shown(operation, complete)).ok_or_else(|| {
        super::problem(ProblemKind::NotFound, format!("{id} belongs to no joint operation that is readable here"))
    })
}

fn shown(operation: &Operation, complete: bool) -> OperationView {
    OperationView { operation: operation.to_json(), complete }
}

/// The operations, and whether every record was read for them.
fn operations<S: Store>(view: &View<'_, S>) -> Result<(Vec<Operation>, bool), Problem> {
    let mut records = Vec::new();
    let mut complete = true;
    for log in view.store().logs() {
        let size = view.store().size(&log);
        complete &= size <= READ_MAX;
        for position in size.saturating_sub(READ_MAX)..size {
            let id = RecordId { log, position };
            let Some(held) = view.record(id)?.filter(|held| held.flaw.is_none()) else { continue };
            let record = PartialRecord::from_content(&held.body.content);
            if record.kind().is_some_and(watch::is_of_operation) {
                records.push((id, record));
            }
        }
    }
    Ok((watch::operations(records).into_values().collect(), complete))
}
