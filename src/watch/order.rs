//! One order for a set of records, the same wherever it is computed.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;
use crate::record::{Draft, PartialRecord};

/// The records in causal order: none before a record that it names, nor before an earlier one of its own log. Where that leaves a
/// choice, the one issued first goes first, then the one with the lower id.
///
/// Records that name each other in a circle, which only lies can make, are begun at the one issued first. Records without a
/// readable kind and time are left out.
pub(super) fn causal(records: &BTreeMap<RecordId, &PartialRecord>) -> Vec<RecordId> {
    let times: BTreeMap<RecordId, UnixTime> = records
        .iter()
        .filter(|(_, record)| record.kind().is_some())
        .filter_map(|(id, record)| Some((*id, record.declared().issued_at?)))
        .collect();
    let mut blocked: BTreeMap<RecordId, usize> = BTreeMap::new();
    let mut followers: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
    let mut previous: Option<RecordId> = None;
    for id in times.keys() {
        let mut before: BTreeSet<RecordId> =
            named_by(records[id].declared()).filter(|named| times.contains_key(named) && named.log != id.log).collect();
        // A log's own order is proved, and needs no naming. Ids are in the order of logs and positions.
        before.extend(previous.filter(|previous| previous.log == id.log));
        previous = Some(*id);
        blocked.insert(*id, before.len());
        before.into_iter().for_each(|parent| followers.entry(parent).or_default().push(*id));
    }
    let mut waiting: BTreeSet<(UnixTime, RecordId)> = times.iter().map(|(id, time)| (*time, *id)).collect();
    let mut ready: BTreeSet<(UnixTime, RecordId)> =
        waiting.iter().filter(|(_, id)| blocked[id] == 0).copied().collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(next) = ready.pop_first().or_else(|| waiting.first().copied()) {
        waiting.remove(&next);
        order.push(next.1);
        for follower in followers.remove(&next.1).unwrap_or_default() {
            if let Some(count) = blocked.get_mut(&follower) {
                *count -= 1;
                let key = (times[&follower], follower);
                // Part of a circle may have been taken already.
                if *count == 0 && waiting.contains(&key) {
                    ready.insert(key);
                }
            }
        }
    }
    order
}

/// The records that one names.
fn named_by(declared: &Draft) -> impl Iterator<Item = RecordId> {
    let single = [declared.consignment, declared.answers, declared.operation].into_iter().flatten();
    single.chain(declared.parents.iter().copied()).chain(declared.acknowledges.iter().copied())
}
