//! Answers about the policies that members have published.

use crate::encoding::ids::MemberCode;
use crate::ledger::Store;
use crate::node::ask::{PolicyView, Problem};
use crate::node::views::read;
use crate::protocol::view::View;
use crate::watch::Views;

/// The policies of one member, the newest first.
pub(super) fn list<S: Store>(
    view: &View<'_, S>,
    views: &Views,
    member: MemberCode,
) -> Result<Vec<PolicyView>, Problem> {
    let mut all = Vec::new();
    for id in views.policies().filter(|id| id.log.member == member) {
        let Some(record) = read(view, id)? else { continue };
        let declared = record.declared();
        if let (Some(terms), Some(issued_at)) = (declared.terms.clone(), declared.issued_at) {
            all.push(PolicyView { id, issued_at, effective_from: declared.effective_from, terms });
        }
    }
    // A member's logs follow each other, and so do the records of each.
    all.sort_by_key(|policy| std::cmp::Reverse(policy.id));
    Ok(all)
}
