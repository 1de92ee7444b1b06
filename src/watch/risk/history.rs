//! What this node remembers of all consignments, so that one can be held against the others.
//!
//! Kept up by one consignment's [`Contribution`] at a time: putting one in takes its former one out. No step takes longer because
//! the history is long; where many amounts are looked at, the newest [`SAMPLE_MAX`] are. The same contributions give the same
//! history in whatever order they were put in. It stays in memory and on the disk of the node, and is derived from the records.

use std::collections::{BTreeMap, BTreeSet};

use super::closed_debug;
use super::contribution::{Contribution, Quantity, Trouble};
use super::party::Key;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;

/// The most amounts or prices that one comparison looks at: the newest.
pub const SAMPLE_MAX: usize = 512;
/// The most consignments that are named to be assessed again because another one changed.
pub const AFFECTED_MAX: usize = 256;

const DAY_S: i64 = 86_400;

/// Amounts in the order of their time.
type Amounts = BTreeMap<(UnixTime, RecordId), Quantity>;

/// What this node remembers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct History {
    contributions: BTreeMap<RecordId, Contribution>,
    /// By receiver, address or telephone, and substance.
    received: BTreeMap<(Key, Key), Amounts>,
    /// By country pair and substance.
    traded: BTreeMap<(MemberCode, MemberCode, Key), Amounts>,
    /// Consignments that came to a good end, by receiver, by exporter and receiver, and by carrier.
    receivers: BTreeMap<Key, BTreeSet<RecordId>>,
    pairs: BTreeMap<(Key, Key), BTreeSet<RecordId>>,
    carriers: BTreeMap<Key, BTreeSet<RecordId>>,
    closed_well: BTreeSet<RecordId>,
    /// Goods under way, by container, seal or bill.
    references: BTreeMap<Key, BTreeSet<RecordId>>,
    /// Own prices by subheading, year and currency.
    prices: BTreeMap<Key, BTreeMap<(UnixTime, RecordId, usize), u64>>,
    troubles: BTreeMap<(Trouble, Key), BTreeSet<RecordId>>,
    /// Consignments that something may still happen to, by party.
    open: BTreeMap<Key, BTreeSet<RecordId>>,
    /// By country pair: how many were compared, and how many of them differ.
    compared: BTreeMap<(MemberCode, MemberCode), (u64, u64)>,
}

closed_debug!(History);

impl History {
    /// Takes in what a consignment contributes now, in place of what it did before. Gives the open ones whose score this may have
    /// changed: of the same receiver within `days`, with the same container, seal or bill, or of a party that trouble has come to.
    pub fn put(&mut self, id: RecordId, contribution: Contribution, days: u32) -> BTreeSet<RecordId> {
        let former = self.contributions.get(&id);
        if former == Some(&contribution) {
            return BTreeSet::new();
        }
        let trouble = former
            .is_none_or(|former| former.troubles != contribution.troubles || former.parties != contribution.parties)
            && !contribution.troubles.is_empty();
        self.remove(id);
        self.enter(id, &contribution, true);
        let affected = self.affected(id, &contribution, trouble, i64::from(days) * DAY_S);
        self.contributions.insert(id, contribution);
        affected
    }

    /// Forgets a consignment.
    pub fn remove(&mut self, id: RecordId) {
        if let Some(former) = self.contributions.remove(&id) {
            self.enter(id, &former, false);
        }
    }

    /// How many consignments are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contributions.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contributions.is_empty()
    }

    /// Puts a contribution into every index, or takes it out.
    fn enter(&mut self, id: RecordId, contribution: &Contribution, put: bool) {
        let Contribution { at, pair, receivers, whereabouts, exporters, carriers, parties, .. } = contribution;
        let at = (*at, id);
        for (substance, quantity) in &contribution.announced {
            for key in receivers.iter().chain(whereabouts) {
                keep(&mut self.received, (*key, *substance), at, *quantity, put);
            }
            if let Some((from, to)) = *pair {
                keep(&mut self.traded, (from, to, *substance), at, *quantity, put);
            }
        }
        if contribution.closed_well {
            mark(&mut self.receivers, receivers.iter().copied(), id, put);
            let pairs = exporters.iter().flat_map(|from| receivers.iter().map(|to| (*from, *to)));
            mark(&mut self.pairs, pairs, id, put);
            mark(&mut self.carriers, carriers.iter().copied(), id, put);
            let _known = if put { self.closed_well.insert(id) } else { self.closed_well.remove(&id) };
        }
        mark(&mut self.references, contribution.references.iter().copied(), id, put);
        for (number, (key, per_tonne)) in contribution.prices.iter().enumerate() {
            keep(&mut self.prices, *key, (at.0, id, number), *per_tonne, put);
        }
        let of = |trouble: &Trouble| parties.iter().map(|party| (*trouble, *party)).collect::<Vec<_>>();
        mark(&mut self.troubles, contribution.troubles.iter().flat_map(of), id, put);
        if contribution.open {
            mark(&mut self.open, parties.iter().copied(), id, put);
        }
        if let (Some(pair), Some(differs)) = (*pair, contribution.differs) {
            let (compared, differing) = self.compared.entry(pair).or_default();
            if put {
                *compared += 1;
                *differing += u64::from(differs);
            } else {
                *compared -= 1;
                *differing -= u64::from(differs);
            }
            if *compared == 0 {
                self.compared.remove(&pair);
            }
        }
    }

    fn affected(&self, id: RecordId, changed: &Contribution, trouble: bool, window_s: i64) -> BTreeSet<RecordId> {
        let neighbours = changed.announced.keys().flat_map(|substance| {
            let keys = changed.receivers.iter().chain(&changed.whereabouts);
            keys.flat_map(|key| self.near(*key, *substance, (changed.at, id), window_s)).map(|((_, id), _)| id)
        });
        let sharing = changed.references.iter().filter_map(|key| self.references.get(key)).flatten().copied();
        let parties = changed.parties.iter().filter(|_| trouble).filter_map(|key| self.open.get(key));
        let all = neighbours.chain(sharing).chain(parties.flatten().copied());
        all.filter(|other| *other != id).take(AFFECTED_MAX).collect()
    }

    /// What a receiver was sent of a substance within so many seconds of a moment, before or after: the nearest.
    pub(super) fn near(
        &self,
        key: Key,
        substance: Key,
        at: (UnixTime, RecordId),
        window_s: i64,
    ) -> impl Iterator<Item = ((UnixTime, RecordId), Quantity)> {
        let amounts = self.received.get(&(key, substance));
        let before = amounts.into_iter().flat_map(move |amounts| amounts.range(..at).rev().take(SAMPLE_MAX / 2));
        let after = amounts.into_iter().flat_map(move |amounts| amounts.range(at..).take(SAMPLE_MAX / 2));
        let near = move |time: UnixTime| time.since(at.0).abs() <= window_s;
        before.chain(after).filter(move |((time, _), _)| near(*time)).map(|(at, quantity)| (*at, *quantity))
    }

    /// What a receiver, under any of its keys, was sent of a substance before another consignment: the newest.
    pub(super) fn received_before(
        &self,
        keys: &BTreeSet<Key>,
        substance: Key,
        since: UnixTime,
        before: (UnixTime, RecordId),
    ) -> Vec<Quantity> {
        let mut found = Amounts::new();
        for key in keys {
            let amounts = self.received.get(&(*key, substance));
            found.extend(amounts.into_iter().flat_map(|amounts| newest(amounts, since, before)));
        }
        found.into_values().rev().take(SAMPLE_MAX).collect()
    }

    /// What one country was sent by another of a substance before another consignment: the newest.
    pub(super) fn traded_before(
        &self,
        pair: (MemberCode, MemberCode),
        substance: Key,
        since: UnixTime,
        before: (UnixTime, RecordId),
    ) -> Vec<Quantity> {
        let amounts = self.traded.get(&(pair.0, pair.1, substance));
        amounts.into_iter().flat_map(|amounts| newest(amounts, since, before)).map(|(_, quantity)| quantity).collect()
    }

    /// Whether a consignment other than this one came to a good end, so that there are known parties at all.
    pub(super) fn knows_any(&self, but: RecordId) -> bool {
        another(Some(&self.closed_well), but).is_some()
    }

    pub(super) fn knows_receiver(&self, keys: &BTreeSet<Key>, but: RecordId) -> bool {
        keys.iter().any(|key| another(self.receivers.get(key), but).is_some())
    }

    pub(super) fn knows_pair(&self, exporters: &BTreeSet<Key>, receivers: &BTreeSet<Key>, but: RecordId) -> bool {
        exporters.iter().any(|from| receivers.iter().any(|to| another(self.pairs.get(&(*from, *to)), but).is_some()))
    }

    pub(super) fn knows_carrier(&self, keys: &BTreeSet<Key>, but: RecordId) -> bool {
        keys.iter().any(|key| another(self.carriers.get(key), but).is_some())
    }

    /// Another consignment under way with this container, seal or bill.
    pub(super) fn shares(&self, reference: &Key, but: RecordId) -> Option<RecordId> {
        another(self.references.get(reference), but)
    }

    /// Another consignment of one of these parties that this happened to.
    pub(super) fn trouble(&self, trouble: Trouble, parties: &BTreeSet<Key>, but: RecordId) -> Option<RecordId> {
        parties.iter().find_map(|party| another(self.troubles.get(&(trouble, *party)), but))
    }

    /// Own prices, those of this consignment left out: the newest.
    pub(super) fn prices(&self, key: Key, but: RecordId) -> Vec<u64> {
        let others = self.prices.get(&key).into_iter().flatten().rev().filter(|((_, id, _), _)| *id != but);
        others.map(|(_, price)| *price).take(SAMPLE_MAX).collect()
    }

    /// How many consignments of a pair were compared, and how many of them differ; this one left out.
    pub(super) fn disagreements(&self, pair: (MemberCode, MemberCode), but: RecordId) -> (u64, u64) {
        let (compared, differing) = self.compared.get(&pair).copied().unwrap_or_default();
        let own = self.contributions.get(&but).filter(|own| own.pair == Some(pair)).and_then(|own| own.differs);
        let own = own.map_or((0, 0), |differs| (1, u64::from(differs)));
        (compared - own.0, differing - own.1)
    }
}

/// The amounts from a time on and before a consignment, the newest first.
fn newest(
    amounts: &Amounts,
    since: UnixTime,
    before: (UnixTime, RecordId),
) -> impl Iterator<Item = ((UnixTime, RecordId), Quantity)> {
    let earlier = amounts.range(..before).rev().take_while(move |((at, _), _)| *at >= since);
    earlier.map(|(at, quantity)| (*at, *quantity)).take(SAMPLE_MAX)
}

fn another(ids: Option<&BTreeSet<RecordId>>, but: RecordId) -> Option<RecordId> {
    ids.into_iter().flatten().copied().find(|id| *id != but)
}

/// Puts `id` under each of the keys, or takes it from there.
fn mark<K: Ord>(index: &mut BTreeMap<K, BTreeSet<RecordId>>, keys: impl Iterator<Item = K>, id: RecordId, put: bool) {
    for key in keys {
        if put {
            index.entry(key).or_default().insert(id);
        } else if let Some(ids) = index.get_mut(&key) {
            ids.remove(&id);
            if ids.is_empty() {
                index.remove(&key);
            }
        }
    }
}

/// Puts what `at` brings under `key`, or takes it from there.
fn keep<K: Ord, A: Ord, V>(index: &mut BTreeMap<K, BTreeMap<A, V>>, key: K, at: A, value: V, put: bool) {
    if put {
        index.entry(key).or_default().insert(at, value);
    } else if let Some(held) = index.get_mut(&key) {
        held.remove(&at);
        if held.is_empty() {
            index.remove(&key);
        }
    }
}
