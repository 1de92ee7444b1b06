//! Since when other members hold one's own records: their frontier cosignatures are receipts, and the first that covers a record is kept.
//!
//! Only the newest cosignature of each member is held as it was signed. Of the earlier ones a mark stays at the last record that they covered: who
//! signed, and when. It is a note of this node's own; what proves it to others is collected with evidence.

use std::collections::BTreeMap;

use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::identity::charter::MEMBERS_MAX;
use crate::ledger::{Mark, MarkKind, Store, StoreError};

use super::Node;
use super::view::View;

/// Marks that are looked at for one record: the cosignatures that follow it closest.
const MARKS_LOOKED_AT: usize = 256;
/// Cosignatures that wait for their marks at most; beyond that the next ones of their members count.
const NEWS_MAX: usize = 4 * MEMBERS_MAX;

/// What is to be noted.
#[derive(Debug, Default)]
pub(super) struct Custody {
    /// Up to where each member has covered one's own logs, as far as that was noted in this run.
    covered: BTreeMap<(LogId, MemberCode), u64>,
    news: Vec<(LogId, u64, MemberCode, UnixTime)>,
}

impl<S: Store> Node<S> {
    /// A member's frontier cosignature was accepted.
    pub(super) fn note_custody(&mut self, by: MemberCode, at: UnixTime) {
        let own = self.me.member;
        let entries = self.peers.entry(by).frontier.entries();
        let own: Vec<(LogId, u64)> = entries
            .filter(|entry| entry.log.member == own && entry.size > 0)
            .map(|entry| (entry.log, entry.size))
            .collect();
        for (log, size) in own {
            let covered = self.custody.covered.entry((log, by)).or_default();
            if size > *covered && self.custody.news.len() < NEWS_MAX {
                *covered = size;
                self.custody.news.push((log, size, by, at));
            }
        }
    }

    /// Writes down what was noted. The first time counts, also after a restart.
    pub(super) fn advance_custody(&mut self) -> Result<(), StoreError> {
        for (log, size, by, at) in std::mem::take(&mut self.custody.news) {
            let mark = Mark::Covered(RecordId { log, position: size - 1 });
            let mut holders = self.store.marked(&mark)?.map_or_else(BTreeMap::new, |bytes| read(&bytes));
            if holders.len() < MEMBERS_MAX && !holders.contains_key(&by) {
                holders.insert(by, at);
                self.store.mark(mark, Some(&written(&holders)))?;
                self.out.touch();
            }
        }
        Ok(())
    }
}

impl<S: Store> View<'_, S> {
    /// Members other than its author that have cosigned a tree with the record in it, each with the earliest time at which it is known here to have done so. Of others' records, and
    /// of one's own from before such times were kept, that is the time of the member's newest cosignature.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn held_since(&self, id: RecordId) -> Result<BTreeMap<MemberCode, UnixTime>, StoreError> {
        let mut since: BTreeMap<MemberCode, UnixTime> = self.held_by(id)?.into_iter().collect();
        since.remove(&id.log.member);
        if id.log.member != self.me().member {
            return Ok(since);
        }
        let before = id.position.checked_sub(1).map(|position| Mark::Covered(RecordId { position, ..id }));
        // Nothing sorts before the first record of a log but what is of another log.
        let page = self.store().marks(MarkKind::Covered, before.as_ref(), MARKS_LOOKED_AT)?;
        for (mark, value) in page {
            let Mark::Covered(covers) = mark else { continue };
            if covers.log != id.log || covers.position < id.position {
                continue;
            }
            for (member, at) in read(&value) {
                let earliest = since.entry(member).or_insert(at);
                *earliest = (*earliest).min(at);
            }
        }
        Ok(since)
    }
}

/// Ten bytes for each: two letters of its code, and seconds.
fn written(holders: &BTreeMap<MemberCode, UnixTime>) -> Vec<u8> {
    holders
        .iter()
        .flat_map(|(member, at)| member.as_str().bytes().chain(at.seconds().to_be_bytes()).collect::<Vec<u8>>())
        .collect()
}

/// What cannot be read counts as not noted.
fn read(bytes: &[u8]) -> BTreeMap<MemberCode, UnixTime> {
    let one = |bytes: &[u8]| {
        let (member, at) = bytes.split_at_checked(2)?;
        let member = std::str::from_utf8(member).ok()?.parse().ok()?;
        let at = UnixTime::from_seconds(i64::from_be_bytes(at.try_into().ok()?)).ok()?;
        Some((member, at))
    };
    bytes.chunks(10).filter_map(one).collect()
}
