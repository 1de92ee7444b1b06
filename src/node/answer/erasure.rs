//! Answers about erasures and holds: from what members say in their logs, and from this node's own notes.

use std::collections::BTreeSet;

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::{Erased, Hold, Key, KeyKind, Store, Why};
use crate::node::ask::{AnswerView, ErasedView, ErasuresView, HoldView, OrderView, PlanView, PlannedView, Problem};
use crate::protocol::view::View;
use crate::record::PartialRecord;
use crate::watch::Views;

/// Everything about erasures.
pub(super) fn list<S: Store>(view: &View<'_, S>, views: &Views) -> Result<ErasuresView, Problem> {
    let me = view.me().member;
    let mut all = ErasuresView::default();
    for (id, order) in views.orders().iter().rev() {
        let mut shown = OrderView {
            id: *id,
            at: order.at,
            legal_basis: order.legal_basis.clone(),
            reason: order.reason.clone(),
            records: order.erases.clone(),
            erased_here: 0,
            answers: Default::default(),
            silent: Vec::new(),
        };
        if id.log.member == me {
            for (receipt, told) in views.receipts().iter().filter(|(_, told)| told.order == Some(*id)) {
                let answer: &mut AnswerView = shown.answers.entry(receipt.log.member).or_default();
                answer.receipts.push(*receipt);
                answer.erased.extend(&told.erased);
                answer.held.extend(&told.held);
            }
            // What was held once and is erased now is told in a later receipt.
            shown.answers.values_mut().for_each(|answer| answer.held.retain(|held| !answer.erased.contains(held)));
        }
        let mut silent: BTreeSet<MemberCode> = BTreeSet::new();
        for record in &order.erases {
            let note = view.erased(*record)?;
            shown.erased_here += u64::from(note.is_some());
            let readers = note.map(|(note, _)| note.readers).unwrap_or_default();
            let has_answered = |member: &MemberCode| {
                let answer = shown.answers.get(member);
                answer.is_some_and(|answer| answer.erased.contains(record) || answer.held.contains(record))
            };
            silent.extend(readers.into_iter().filter(|member| !has_answered(member)));
        }
        shown.silent = silent.into_iter().collect();
        all.orders.push(shown);
    }
    all.orders.sort_by_key(|order| std::cmp::Reverse((order.at, order.id)));
    for (receipt, told) in views.receipts().iter().filter(|(_, told)| told.order.is_none()) {
        let own = told.erased.iter().filter(|id| id.log.member == me);
        if receipt.log.member != me {
            all.told_by_others.entry(receipt.log.member).or_default().extend(own);
        }
    }
    for key in view.store().keys(KeyKind::Erased)? {
        let Key::Erased(id) = key else { continue };
        if let Some((note, at)) = view.erased(id)?.filter(|(note, _)| note.why == Why::OwnLaw) {
            all.by_own_law.push(erased(id, &note, at));
        }
    }
    for key in view.store().keys(KeyKind::Hold)? {
        let Key::Hold(id) = key else { continue };
        all.holds.extend(view.hold(id)?.map(|(hold, since)| held(id, &hold, since)));
    }
    Ok(all)
}

/// What an order would do that names these records.
pub(super) fn plan<S: Store>(view: &View<'_, S>, records: &[RecordId]) -> Result<PlanView, Problem> {
    let mut plan = PlanView { records: Vec::new(), grants: Default::default() };
    let named: BTreeSet<RecordId> = records.iter().copied().collect();
    for id in &named {
        let record = view.record(*id)?.ok_or_else(|| super::not_held(view, *id))?;
        let kind = PartialRecord::from_content(&record.body.content).kind().map(|kind| kind.name().to_owned());
        let readers = view.readers_of(*id)?;
        plan.records.push(PlannedView { id: *id, kind, readers, held: record.hold.is_some() });
        for (grant, covered) in view.grants_about(*id)?.into_iter().filter(|(grant, _)| !named.contains(grant)) {
            let others = covered.iter().filter(|covered| !named.contains(covered)).count();
            plan.grants.insert(grant, others as u64);
        }
    }
    Ok(plan)
}

/// What became of a body, for an asker.
pub(super) fn erased(id: RecordId, note: &Erased, at: UnixTime) -> ErasedView {
    let (order, why) = match note.why {
        Why::Ordered(order) => (Some(order), format!("by order of {order}")),
        Why::OwnLaw => (None, "by this member's own decision".to_owned()),
        Why::Unneeded => (None, "with all that it opened".to_owned()),
        Why::Unknown => (None, "why is not known any more".to_owned()),
    };
    ErasedView { id, at, order, why }
}

/// A hold, for an asker.
pub(super) fn held(id: RecordId, hold: &Hold, since: UnixTime) -> HoldView {
    HoldView { id, since, reference: hold.reference.clone(), ordered_by: hold.ordered_by }
}
