//! A grant of one's own: the records that it covers are gathered from one's own logs, and their keys sealed for the new readers.
//!
//! There is no index of what belongs to a consignment: grants are rare, and one's own logs are read for them from about the day on
//! which the consignment was opened, a batch at a time, while other records are signed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::ledger::{Binds, Key, Store, StoreError};
use crate::protocol::effect::{Extent, Outcome, Refused};
use crate::protocol::view::OpenedBody;
use crate::protocol::{Node, Turn, limits};
use crate::record::{Compartment, Draft, Kind, PartialRecord};
use crate::seal::{Grant, Granted};

use super::{Group, Queued};

/// How many records are gone through at most to tell which consignment one belongs to. Honest chains have three.
const CHAIN_MAX: usize = 32;
/// Bytes of a covered record besides its keys, and of one key, at most: with salt, names and heads.
const BYTES_PER_RECORD: u64 = 128;
const BYTES_PER_KEY: u64 = 64;

/// A grant for which one's own logs are being read.
#[derive(Debug)]
pub(in crate::protocol) struct Gathering {
    queued: Queued,
    consignment: RecordId,
    compartments: BTreeSet<String>,
    readers: Vec<MemberCode>,
    /// What is still to be read.
    rest: VecDeque<(LogId, Range<u64>)>,
    found: Grant,
    /// Records that could not be read.
    unread: u64,
}

#[cfg(test)]
impl Gathering {
    /// A grant of anything, as a dishonest member makes it.
    pub(in crate::protocol) fn of_anything(record: crate::record::Record, found: Grant) -> Self {
        let consignment = record.declared().consignment.expect("a grant names its consignment");
        let readers = record.declared().new_readers.clone();
        let (compartments, rest) = (BTreeSet::new(), VecDeque::new());
        Self { queued: Queued::internal(record), consignment, compartments, readers, rest, found, unread: 0 }
    }
}

impl<S: Store> Node<S> {
    /// Begins to gather what a grant covers: what is in one's own logs now.
    pub(super) fn begin_gathering(&mut self, queued: Queued) -> Result<(), StoreError> {
        let declared = queued.record.declared();
        let me = self.me.member;
        let is_reader = |member: &&MemberCode| **member != me && self.federation.is_active(**member);
        let readers: Vec<MemberCode> = declared.new_readers.iter().filter(is_reader).copied().collect();
        if readers.is_empty() {
            let named = declared.new_readers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            self.give_up(&queued, Outcome::Refused { reason: Refused::NoNewReader { named } });
            return Ok(());
        }
        let Some(named) = declared.consignment else { return Ok(()) };
        let consignment = self.consignment_of(named)?.unwrap_or(named);
        let compartments = declared.compartments.iter().filter(|name| *name != Compartment::KEYS.as_str());
        let compartments = compartments.cloned().collect();
        let mut rest = VecDeque::new();
        for (log, state) in self.logs.iter().filter(|(log, _)| log.member == me) {
            let size = state.tree.size();
            rest.push_back((*log, self.first_since(*log, size, consignment)?..size));
        }
        let found = Grant::default();
        self.author.gathering = Some(Gathering { queued, consignment, compartments, readers, rest, found, unread: 0 });
        Ok(())
    }

    /// Where in one's own log the records that can be of a consignment begin. Time never falls along it.
    fn first_since(&self, log: LogId, size: u64, consignment: RecordId) -> Result<u64, StoreError> {
        if consignment.log == log {
            return Ok(consignment.position.min(size));
        }
        let Some(statement) = self.view().statement(consignment)? else { return Ok(0) };
        let received = self.store.get(&Key::Statement(consignment))?.map_or(statement.issued_at, |frame| frame.at);
        let since = statement.issued_at.min(received).plus(-limits::GRANT_MARGIN_S);
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            // One that the disk has lost says nothing: all before it are read.
            let Some(statement) = self.view().statement(RecordId { log, position: middle })? else {
                high = middle;
                continue;
            };
            if statement.issued_at < since { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Reads on for the grant that is being gathered.
    pub(super) fn gather(&mut self) -> Result<(), StoreError> {
        let Some(mut gathering) = self.author.gathering.take() else { return Ok(()) };
        for _ in 0..limits::GRANT_BATCH {
            let Some((log, positions)) = gathering.rest.front_mut() else { break };
            match positions.next() {
                Some(position) => {
                    let id = RecordId { log: *log, position };
                    self.gather_one(&mut gathering, id)?;
                }
                None => drop(gathering.rest.pop_front()),
            }
        }
        let refused = if gathering.found.len() > limits::GRANT_RECORDS_MAX {
            Some(Refused::TooMuchToGrant { limit: limits::GRANT_RECORDS_MAX })
        } else if gathering.rest.is_empty() && gathering.found.is_empty() {
            Some(Refused::NothingToGrant { consignment: gathering.consignment })
        } else {
            None
        };
        match refused {
            Some(reason) => self.give_up(&gathering.queued, Outcome::Refused { reason }),
            None => self.author.gathering = Some(gathering),
        }
        Ok(())
    }

    fn gather_one(&self, gathering: &mut Gathering, id: RecordId) -> Result<(), StoreError> {
        let view = self.view();
        let Some(statement) = view.statement(id)? else {
            gathering.unread += 1;
            return Ok(());
        };
        if statement.binds != Binds::Body {
            return Ok(());
        }
        let lane = view.lane(RecordId { log: id.log, position: statement.lanes })?;
        let (Some(lane), Some(parts)) = (lane, view.parts(id)?) else {
            gathering.unread += 1;
            return Ok(());
        };
        gathering.unread += u64::from(parts.fault.is_some());
        let keys: BTreeMap<_, _> = parts
            .open
            .iter()
            .filter(|(_, _, content, _)| gathering.compartments.contains(content.compartment()))
            .map(|(_, head, _, key)| (head.label, key.clone()))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let record = PartialRecord::from_content(&OpenedBody::from(parts).content);
        let is_covered = !matches!(record.kind(), Some(Kind::Acknowledgement | Kind::AudienceGrant) | None);
        if is_covered && self.consignment_from(id, record.declared())? == Some(gathering.consignment) {
            gathering.found.insert(id, Granted { ticket: lane.ticket(&id), keys });
        }
        Ok(())
    }

    /// The consignment of a record that can be read, as `watch` has it.
    fn consignment_of(&self, id: RecordId) -> Result<Option<RecordId>, StoreError> {
        let Some(body) = self.view().open(id)? else { return Ok(None) };
        self.consignment_from(id, PartialRecord::from_content(&body.content).declared())
    }

    fn consignment_from(&self, id: RecordId, declared: &Draft) -> Result<Option<RecordId>, StoreError> {
        let (mut id, mut declared) = (id, declared.clone());
        let mut named = None;
        for _ in 0..CHAIN_MAX {
            if declared.opens_consignment() {
                return Ok(Some(id));
            }
            named = declared.consignment.or(named);
            let Some(next) = declared.consignment.or(declared.answers) else { break };
            let Some(body) = self.view().open(next)? else { break };
            declared = PartialRecord::from_content(&body.content).declared().clone();
            id = next;
        }
        Ok(named)
    }

    /// Whether a grant can be signed.
    pub(super) fn has_gathered(&self) -> bool {
        self.author.lanes.is_some() && self.author.gathering.as_ref().is_some_and(|gathering| gathering.rest.is_empty())
    }

    /// Whether a record of the queue can be signed or gathered: a grant waits while another is being gathered.
    pub(super) fn has_records_to_sign(&self) -> bool {
        let waits = |next: &Queued| *next.record.kind() == Kind::AudienceGrant && self.author.gathering.is_some();
        self.author.queue.front().is_some_and(|next| !waits(next))
    }

    /// Puts a grant into as many records as its keys need, and has them signed together.
    pub(super) fn intend_grant(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        let Some(gathering) = self.author.gathering.take() else { return Ok(()) };
        let Gathering { queued, readers, found, unread, .. } = gathering;
        let parts = divided(&found, self.body_limit() / 4);
        let limit = limits::GRANT_RECORDS_MAX;
        if parts.len() > limits::GROUP_RECORDS_MAX {
            self.give_up(&queued, Outcome::Refused { reason: Refused::TooMuchToGrant { limit } });
            return Ok(());
        }
        let extent = Extent { readers, records: found.len() as u64, parts: parts.len() as u64, unread };
        let others: Vec<Queued> = parts.iter().skip(1).map(|_| Queued::internal(queued.record.clone())).collect();
        let mut group = Group::default();
        // All parts are about as large: if the first is not too large, no other is.
        for (part, queued) in parts.iter().zip(std::iter::once(queued).chain(others)) {
            if !self.add_to_group(turn, &mut group, queued, Some((part, extent.clone())))? {
                break;
            }
        }
        if group.statements.is_empty() {
            return Ok(());
        }
        self.intend(turn, group)
    }
}

/// The parts of a grant: so many records, and about so many bytes, in each.
fn divided(grant: &Grant, bytes_max: u64) -> Vec<Grant> {
    let mut parts: Vec<Grant> = Vec::new();
    let mut bytes = 0;
    for (id, granted) in grant.records() {
        let more = BYTES_PER_RECORD + BYTES_PER_KEY * granted.keys.len() as u64;
        bytes += more;
        match parts.last_mut() {
            Some(part) if part.len() < limits::GRANT_PART_MAX && bytes <= bytes_max => {
                part.insert(*id, granted.clone())
            }
            Some(_) | None => {
                let mut part = Grant::default();
                part.insert(*id, granted.clone());
                parts.push(part);
                bytes = more;
            }
        }
    }
    parts
}
