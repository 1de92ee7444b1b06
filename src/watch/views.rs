//! The consignments of a node, kept up to date record by record.
//!
//! What a record touches is derived again from the records of that consignment alone, so one more record never costs work over the
//! whole ledger. Nothing here is stored: it can be dropped and built again from the same records, to the same bytes, in any order.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::{Standing, standing};
use super::consignment::Consignment;
use super::dossier::{Dossier, Records};
use super::erasure::{Order, Receipt, order, receipt};
use super::fold::{course, published_terms};
use super::membership::Membership;
use super::operation::is_of_operation;
use super::state::Flag;
use super::statistics::{Contribution, Statistics};
use crate::audit::Anchor;
use crate::encoding::hash::{Digest, sha256_over};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Kind, PartialRecord, Terms};

/// The consignments that a node knows of.
#[derive(Default)]
pub struct Views {
    membership: Membership,
    policies: BTreeMap<RecordId, Terms>,
    /// The consignments whose records cite a policy, whether it is held or not.
    citing: BTreeMap<RecordId, BTreeSet<RecordId>>,
    /// The records of joint operations.
    operations: BTreeSet<RecordId>,
    /// What members say of their audit logs.
    anchors: BTreeMap<RecordId, Anchor>,
    /// Orders to erase, and what readers say of bodies.
    orders: BTreeMap<RecordId, Order>,
    receipts: BTreeMap<RecordId, Receipt>,
    consignments: BTreeMap<RecordId, Consignment>,
    /// Those that have to be derived again.
    stale: BTreeSet<RecordId>,
    /// Consignments by their reference; more than one if somebody used a reference twice.
    by_ucr: BTreeMap<String, BTreeSet<RecordId>>,
    /// Figures, and for whose node they are kept; none are kept for nobody.
    figures: Option<(MemberCode, Statistics)>,
}

impl Views {
    /// Views with figures as a member's node can tell them.
    #[must_use]
    pub fn counting_for(member: MemberCode) -> Self {
        Self { figures: Some((member, Statistics::default())), ..Self::default() }
    }

    /// The figures, if they are kept: of the same consignments as [`Self::consignments`].
    #[must_use]
    pub fn statistics(&self) -> Option<&Statistics> {
        self.figures.as_ref().map(|(_, figures)| figures)
    }

    /// Takes a record in. What it touches is stale until [`Self::refresh`]. To take it again does no harm: more of it may be readable now.
    pub fn take(&mut self, id: RecordId, record: &PartialRecord) {
        self.stale.extend(self.membership.take(id, record.declared()));
        if let Some(terms) = published_terms(record) {
            self.policies.insert(id, terms.clone());
            self.stale.extend(self.citing.get(&id).into_iter().flatten());
        }
        if record.kind().is_some_and(is_of_operation) {
            self.operations.insert(id);
        }
        if let Some(anchor) = anchor(id, record) {
            self.anchors.insert(id, anchor);
        }
        self.orders.extend(order(record).map(|order| (id, order)));
        self.receipts.extend(receipt(record).map(|receipt| (id, receipt)));
    }

    /// Forgets a record that has no effect after all.
    pub fn remove(&mut self, id: RecordId) {
        self.stale.extend(self.membership.remove(id));
        self.operations.remove(&id);
        self.anchors.remove(&id);
        self.orders.remove(&id);
        self.receipts.remove(&id);
        if self.policies.remove(&id).is_some() {
            self.stale.extend(self.citing.get(&id).into_iter().flatten());
        }
    }

    /// How many consignments have to be derived again.
    #[must_use]
    pub fn stale(&self) -> usize {
        self.stale.len()
    }

    /// Derives stale consignments again, in the order of their ids, until `records_max` records were read. `read` gives a record as far as
    /// it can be read now; `seen` is shown every consignment that was derived, with the terms that it cites. Gives how many records were read.
    ///
    /// # Errors
    /// What `read` fails with; the consignment at hand stays stale.
    pub fn refresh<E>(
        &mut self,
        records_max: usize,
        mut read: impl FnMut(RecordId) -> Result<Option<PartialRecord>, E>,
        mut seen: impl FnMut(&Dossier<'_>, Option<&Terms>),
    ) -> Result<usize, E> {
        let mut done = 0;
        while done < records_max
            && let Some(id) = self.stale.first().copied()
        {
            let records = self.records(id, &mut read)?;
            done += records.len().max(1);
            self.derive(id, &records);
            self.stale.remove(&id);
            if let Some(consignment) = self.consignments.get(&id) {
                let terms = consignment.policy.and_then(|policy| self.policies.get(&policy));
                seen(&Dossier { consignment, records: &records }, terms);
            }
        }
        Ok(done)
    }

    /// The records of a consignment, as far as they can be read.
    ///
    /// # Errors
    /// What `read` fails with.
    pub fn records<E>(
        &self,
        consignment: RecordId,
        mut read: impl FnMut(RecordId) -> Result<Option<PartialRecord>, E>,
    ) -> Result<Records, E> {
        let mut records = Records::new();
        for id in self.membership.records(consignment) {
            if let Some(record) = read(id)? {
                records.insert(id, record);
            }
        }
        Ok(records)
    }

    /// Every consignment, by the id of the record that opened it.
    #[must_use]
    pub fn consignments(&self) -> &BTreeMap<RecordId, Consignment> {
        &self.consignments
    }

    /// One consignment.
    #[must_use]
    pub fn get(&self, id: RecordId) -> Option<&Consignment> {
        self.consignments.get(&id)
    }

    /// The consignments of a reference: one, unless it was used twice.
    pub fn by_ucr(&self, ucr: &str) -> impl Iterator<Item = RecordId> {
        self.by_ucr.get(ucr).into_iter().flatten().copied()
    }

    /// The consignments that a record is about.
    #[must_use]
    pub fn consignments_of(&self, record: RecordId) -> BTreeSet<RecordId> {
        self.membership.consignments_of(record)
    }

    /// The policies that are held, by their records.
    pub fn policies(&self) -> impl Iterator<Item = RecordId> {
        self.policies.keys().copied()
    }

    /// The records of joint operations.
    pub fn operation_records(&self) -> impl Iterator<Item = RecordId> {
        self.operations.iter().copied()
    }

    /// What a member says of its audit log, in the order of its records.
    pub fn anchors(&self, member: MemberCode) -> impl DoubleEndedIterator<Item = &Anchor> {
        self.anchors.values().filter(move |anchor| anchor.record.log.member == member)
    }

    /// The orders to erase that this node knows of.
    #[must_use]
    pub fn orders(&self) -> &BTreeMap<RecordId, Order> {
        &self.orders
    }

    /// What readers say of bodies that were to be erased, as far as this node may read it.
    #[must_use]
    pub fn receipts(&self) -> &BTreeMap<RecordId, Receipt> {
        &self.receipts
    }

    /// The terms of a policy, if it is held.
    #[must_use]
    pub fn policy(&self, id: RecordId) -> Option<&Terms> {
        self.policies.get(&id)
    }

    /// The flags of a consignment that this node can stand behind: see [`Consignment::flags_known_to`].
    pub fn flags(&self, consignment: &Consignment) -> impl Iterator<Item = Flag> {
        consignment.flags_known_to(self.figures.as_ref().map(|(member, _)| *member))
    }

    /// Where a consignment stands at `now`, by the policy that it cites.
    #[must_use]
    pub fn standing(&self, consignment: &Consignment, now: UnixTime) -> Standing {
        standing(consignment, consignment.policy.and_then(|id| self.policy(id)), now)
    }

    /// The SHA-256 over everything here, as JSON lines: equal on two nodes, or before and after it was built again, if and only if it says the
    /// same.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256_over(self.consignments.values().map(|consignment| format!("{}\n", consignment.to_json())))
    }

    fn derive(&mut self, id: RecordId, records: &Records) {
        let of_it = records.iter().map(|(id, record)| (*id, record)).collect();
        let consignment = course(id, &of_it, &self.membership, &self.policies, |_| false);
        self.forget(id);
        if let Some((me, figures)) = &mut self.figures {
            let terms = consignment.policy.and_then(|policy| self.policies.get(&policy));
            figures.put(id, Contribution::of(&Dossier { consignment: &consignment, records }, terms, *me));
        }
        if consignment.timeline.is_empty() {
            return;
        }
        if let Some(ucr) = &consignment.ucr {
            self.by_ucr.entry(ucr.clone()).or_default().insert(id);
        }
        for policy in &consignment.policies {
            self.citing.entry(*policy).or_default().insert(id);
        }
        self.consignments.insert(id, consignment);
    }

    fn forget(&mut self, id: RecordId) {
        let Some(before) = self.consignments.remove(&id) else { return };
        let ucr = before.ucr.as_ref().and_then(|ucr| Some((ucr, self.by_ucr.get_mut(ucr)?)));
        if let Some((ucr, ids)) = ucr {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_ucr.remove(ucr);
            }
        }
        for policy in &before.policies {
            if let Some(ids) = self.citing.get_mut(policy) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.citing.remove(policy);
                }
            }
        }
    }
}

/// What a record says of its author's audit log, if it is an anchor.
fn anchor(record: RecordId, content: &PartialRecord) -> Option<Anchor> {
    let declared = content.declared();
    let (at, entries, head) = (declared.issued_at?, declared.audit_entries?, declared.audit_head?);
    (content.kind() == Some(&Kind::AuditAnchor)).then_some(Anchor { record, at, entries, head })
}

/// Shows no content.
impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Views").field("consignments", &self.consignments.len()).finish_non_exhaustive()
    }
}
