//! The officer's desk of a simulated member: what its node can read, what that means, and what it raises. No other node is asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::{Store, StoreError};
use crate::protocol::view::View;
use crate::record::{PartialRecord, Terms};
pub(super) use crate::watch::alert::Alerts as Cases;
use crate::watch::alert::{self, Cause, Signs};
use crate::watch::reconcile::reconcile;
use crate::watch::risk::{Contribution, History, Lists, RiskPolicy, Scene, assess};
use crate::watch::{Dossier, Records, Standing, Views, standing};

/// Days before the last one from which an own answer is called due, as in a node without settings.
const ANSWER_DUE_DAYS: u16 = 3;

/// What a member's node makes of all that it can read, at one moment.
pub(super) struct Desk {
    own: MemberCode,
    now: UnixTime,
    pub(super) views: Views,
    records: BTreeMap<RecordId, Records>,
    causes: BTreeMap<RecordId, BTreeSet<Cause>>,
}

impl Desk {
    /// Reads everything that the node holds and looks at every consignment, with the default policy of risk and no lists of its own.
    pub(super) fn of<S: Store>(view: &View<'_, S>, now: UnixTime) -> Result<Self, StoreError> {
        let own = view.me().member;
        let (mut views, mut warnings) = (Views::counting_for(own), Records::new());
        for log in view.store().logs() {
            for position in 0..view.store().size(&log) {
                let id = RecordId { log, position };
                if let Some(record) = read(view, id)? {
                    views.take(id, &record);
                    warnings.insert(id, record);
                }
            }
        }
        let (mut history, mut dossiers) = (History::default(), BTreeMap::new());
        let policy = RiskPolicy::default();
        views.refresh(
            usize::MAX,
            |id| read(view, id),
            |dossier, terms| {
                let standing = standing(dossier.consignment, terms, now);
                let id = dossier.consignment.id;
                history.put(id, Contribution::of(dossier, &standing, terms, own), policy.r04.days);
                dossiers.insert(id, dossier.records.clone());
            },
        )?;
        let mut desk = Self { own, now, views, records: dossiers, causes: BTreeMap::new() };
        let ids: Vec<RecordId> = desk.views.consignments().keys().copied().collect();
        for id in ids {
            let causes = desk.with_dossier(id, |dossier, terms, standing| {
                let scene = Scene {
                    dossier: *dossier,
                    standing,
                    terms,
                    own,
                    now,
                    history: &history,
                    lists: &Lists::default(),
                    policy: &policy,
                };
                let assessment = Some(&assess(&scene));
                let answer_due_days = ANSWER_DUE_DAYS;
                let differences = Some(&reconcile(dossier, terms));
                let (dossier, word) = (*dossier, None);
                alert::causes(&Signs { dossier, standing, own, now, answer_due_days, differences, assessment, word })
            });
            desk.causes.insert(id, causes);
        }
        warnings.retain(|id, _| desk.views.consignments_of(*id).is_empty());
        for (id, record) in warnings {
            let cause = alert::of_warning(id, record.declared(), own, now);
            desk.causes.entry(id).or_default().extend(cause);
        }
        Ok(desk)
    }

    /// Shows a consignment with the records that are readable here, the terms that it cites and where it stands.
    pub(super) fn with_dossier<T>(
        &self,
        id: RecordId,
        look: impl FnOnce(&Dossier<'_>, Option<&Terms>, &Standing) -> T,
    ) -> T {
        let consignment = self.views.get(id).unwrap_or_else(|| panic!("{} knows of no consignment {id}", self.own));
        let terms = consignment.policy.and_then(|policy| self.views.policy(policy));
        let standing = self.views.standing(consignment, self.now);
        look(&Dossier { consignment, records: &self.records[&id] }, terms, &standing)
    }

    /// What holds now of a consignment, or of a warning that belongs to none: each rule with its severity, as `overdue red`.
    pub(super) fn alerts(&self, id: RecordId) -> BTreeSet<String> {
        self.causes.get(&id).into_iter().flatten().map(|cause| format!("{} {}", cause.rule, cause.severity)).collect()
    }

    /// Raises what was not raised before; gives it as `GE-1 overdue red`.
    pub(super) fn raise(&self, cases: &mut Cases) -> Vec<String> {
        let raised = self.causes.iter().flat_map(|(id, causes)| cases.refresh(*id, causes, self.now));
        raised.map(|raised| format!("{} {} {}", raised.case, raised.rule, raised.severity)).collect()
    }
}

/// A record as far as this node can read it; `None` if it cannot, or has no effect.
fn read<S: Store>(view: &View<'_, S>, id: RecordId) -> Result<Option<PartialRecord>, StoreError> {
    let sound = view.record(id)?.filter(|record| record.flaw.is_none() && !record.body.content.is_empty());
    let partial = sound.map(|record| PartialRecord::from_content(&record.body.content));
    Ok(partial.filter(|record| record.kind().is_some()))
}
