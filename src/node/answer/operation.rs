//! Answers about joint operations, from the records that this node can read.

use serde_json::Value as Json;

use crate::encoding::ids::RecordId;
use crate::ledger::Store;
use crate::node::ask::{Problem, ProblemKind};
use crate::node::views::read;
use crate::protocol::view::View;
use crate::watch::{self, Operation, Views};

/// Every operation that this node knows of, the one with the newest record first.
pub(super) fn list<S: Store>(view: &View<'_, S>, views: &Views) -> Result<Vec<Json>, Problem> {
    let mut all = operations(view, views)?;
    all.sort_by_key(|operation| std::cmp::Reverse(operation.timeline.iter().map(|entry| entry.issued_at).max()));
    Ok(all.iter().map(Operation::to_json).collect())
}

/// One operation, by any record of it.
pub(super) fn show<S: Store>(view: &View<'_, S>, views: &Views, id: RecordId) -> Result<Json, Problem> {
    let all = operations(view, views)?;
    let found = all.iter().find(|known| known.id == id || known.timeline.iter().any(|entry| entry.id == id));
    let none = || format!("{id} belongs to no joint operation that is readable here");
    found.map(Operation::to_json).ok_or_else(|| super::problem(ProblemKind::NotFound, none()))
}

fn operations<S: Store>(view: &View<'_, S>, views: &Views) -> Result<Vec<Operation>, Problem> {
    let mut records = watch::Records::new();
    for id in views.operation_records() {
        records.extend(read(view, id)?.map(|record| (id, record)));
    }
    Ok(watch::operations(records).into_values().collect())
}
