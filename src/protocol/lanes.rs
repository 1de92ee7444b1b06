//! What each author has addressed to this node, held against what its checkpoints commit to.
//!
//! Searched statements are gone through once more for one's own tag, lane by lane. What was found is one's own leaf; the author is asked for
//! the way from there to its newest checkpoint once a day, and to the last one under lanes that have ended. A way that leads elsewhere shows
//! that the author tells others another list than it sent here. [`LaneProof`] is what can be shown of it.

use std::collections::BTreeMap;

use crate::encoding::cbor::{self, Fields, Map, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::merkle;
use crate::encoding::time::UnixTime;
use crate::ledger::{
    Binds, Claim, Frame, Key, KeyKind, LaneFault, LaneProof, Mark, MarkKind, SignedRoot, Statement, Store, StoreError,
};
use crate::seal::{LaneKey, LaneList, LaneOpening, LanePath};

use super::effect::{Effect, Event};
use super::input::Now;
use super::message::Request;
use super::peers::What;
use super::refusal::Refusal;
use super::view::View;
use super::{Node, Turn, limits};

/// Marks read at once.
const MARKS: usize = 1024;

/// The part of a node that holds what it was told against what authors have signed.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// How far each log was gone through.
    walks: BTreeMap<LogId, Walk>,
    /// Paths to be asked for, by the `lanes` statement.
    wanted: BTreeMap<RecordId, Wanted>,
}

/// One log, as far as it was gone through.
#[derive(Debug)]
struct Walk {
    /// The log's statements before this position were gone through.
    done: u64,
    /// The newest lane.
    lane: Option<OwnLane>,
    /// Not to be asked about before this.
    again: Now,
}

/// One's own lane under the newest `lanes` statement of a log.
#[derive(Debug)]
struct OwnLane {
    position: u64,
    /// Its key, once it was needed.
    key: Option<LaneKey>,
    list: LaneList,
    /// The size up to which its author has shown it; `None` until that was looked up.
    shown: Option<u64>,
}

/// A path to be asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    lane: LaneAt,
    /// Whether the lanes have ended, so that no later checkpoint does as well.
    ended: bool,
    at: Now,
    tries: u32,
    asked: bool,
}

/// What is held of a lane at one size of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneAt {
    /// The number of statements of the log.
    pub size: u64,
    /// How many of them the lane has.
    pub count: u64,
    /// The root over these.
    pub root: Digest,
    /// Since when the author has been asked for the way to its checkpoint.
    pub since: UnixTime,
}

impl Lanes {
    /// What can be shown is asked for now, and not a day after the last time.
    pub(super) fn hasten(&mut self) {
        self.walks.values_mut().for_each(|walk| walk.again = Now(0));
        self.wanted.values_mut().for_each(|wanted| wanted.at = Now(0));
    }
}

/// What is known of a lane to this node.
#[derive(Clone, Debug)]
pub struct LaneStanding {
    /// The `lanes` statement.
    pub lanes: RecordId,
    /// What its author has shown last.
    pub proof: Option<LaneProof>,
    /// What its author is asked to show, of lanes that have ended.
    pub asked: Option<LaneAt>,
}

impl LaneStanding {
    /// Whether what its author has shown last leads elsewhere than from what is held. Its signature was checked when it came.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.proof.as_ref().is_some_and(|proof| {
            let committed = match proof.checkpoint.claim().map(|root| root.claim) {
                Ok(Claim::Checkpoint { commitments, .. }) => Some(commitments),
                Ok(Claim::Cosignature { .. } | Claim::Frontier { .. }) | Err(_) => None,
            };
            proof.path.leads_to(&proof.opening) != committed
        })
    }
}

impl LaneAt {
    fn new(size: u64, list: &LaneList, since: UnixTime) -> Self {
        let LaneOpening { count, root, .. } = list.opening(crate::seal::Blind([0; 32]));
        Self { size, count, root, since }
    }

    fn opening(&self, lanes: RecordId, key: &LaneKey) -> LaneOpening {
        LaneOpening { blind: key.blind(lanes.log, self.size), count: self.count, root: self.root }
    }

    /// As a mark.
    fn to_bytes(self) -> Vec<u8> {
        let map = Map::new().with(1, self.size).with(2, self.count).with(3, self.root).with(4, self.since.seconds());
        cbor::encode(&Value::Map(map))
    }

    /// From a mark.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(cbor::decode(bytes).ok()?, "mark of a lane").ok()?;
        let (size, count) = (fields.u64(1).ok()?, fields.u64(2).ok()?);
        let (root, since) = (Digest(fields.array(3).ok()?), UnixTime::from_seconds(fields.i64(4).ok()?).ok()?);
        fields.end().ok()?;
        Some(Self { size, count, root, since })
    }
}

impl Wanted {
    fn new(lane: LaneAt, ended: bool) -> Self {
        Self { lane, ended, at: Now(0), tries: 0, asked: false }
    }
}

impl<S: Store> Node<S> {
    /// What was still to be asked for, and where each log's newest lane begins.
    pub(super) fn load_lanes(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.store.marks(MarkKind::Lane, after.as_ref(), MARKS)?;
            for (mark, value) in &page {
                if let (Mark::Lane(lanes), Some(lane)) = (mark, LaneAt::from_bytes(value)) {
                    self.lanes.wanted.insert(*lanes, Wanted::new(lane, true));
                }
            }
            after = page.last().map(|(mark, _)| *mark);
            if page.len() < MARKS {
                break;
            }
        }
        for log in self.logs.keys().copied().filter(|log| log.member != self.me.member).collect::<Vec<_>>() {
            let searched = self.logs.get(&log).map_or(0, |state| state.scan.done);
            let last = searched.checked_sub(1).map(|position| self.view().statement(RecordId { log, position }));
            // Of what cannot be read now, nothing is shown until the author has new lanes.
            let done = last.transpose()?.flatten().map_or(searched, |statement| statement.lanes.min(searched));
            self.lanes.walks.insert(log, Walk { done, lane: None, again: Now(0) });
        }
        Ok(())
    }

    /// Goes through what was searched, and asks authors for what is due.
    pub(super) fn advance_lanes(&mut self, turn: &Turn) -> Result<(), StoreError> {
        for log in self.logs.keys().copied().filter(|log| log.member != self.me.member).collect::<Vec<_>>() {
            self.walk(turn, log)?;
            self.want_newest(turn, log)?;
        }
        let is_due = |wanted: &Wanted| !wanted.asked && limits::is_over_of(wanted.at, turn.now, limits::DAY_MS);
        let due = self
            .lanes
            .wanted
            .iter_mut()
            .filter(|(lanes, wanted)| is_due(wanted) && self.peers.is_connected(lanes.log.member));
        let due: Vec<(RecordId, u64)> = due
            .map(|(lanes, wanted)| {
                wanted.asked = true;
                (*lanes, wanted.lane.size)
            })
            .collect();
        for (lanes, size) in due {
            self.ask(lanes.log.member, What::LanePath(lanes), &Request::LanePath { lanes, size });
        }
        Ok(())
    }

    /// Goes through the searched statements of a log that were not gone through.
    fn walk(&mut self, turn: &Turn, log: LogId) -> Result<(), StoreError> {
        let searched = self.logs.get(&log).map_or(0, |state| state.scan.done);
        let walk = self.lanes.walks.entry(log).or_insert(Walk { done: 0, lane: None, again: Now(0) });
        let from = walk.done;
        if from >= searched {
            return Ok(());
        }
        let count = usize::try_from(searched - from).unwrap_or(usize::MAX).min(limits::SCAN_BATCH);
        let statements = self.store.statements(&log, from, count, limits::CHUNK_BYTES_MAX)?;
        for (position, bytes) in (from..).zip(statements) {
            if self.store.node(&log, 0, position)? != merkle::leaf_hash(&bytes) {
                // It is not what it was, and will be healed.
                break;
            }
            if let Ok((statement, _)) = Statement::read(&bytes) {
                match statement.binds {
                    Binds::Lanes => self.begin_lane(turn, RecordId { log, position })?,
                    Binds::Body => self.list(&statement, &bytes)?,
                }
            }
            if let Some(walk) = self.lanes.walks.get_mut(&log) {
                walk.done = position + 1;
            }
        }
        Ok(())
    }

    /// New lanes begin; what the old ones have is to be shown by the last checkpoint under them.
    fn begin_lane(&mut self, turn: &Turn, lanes: RecordId) -> Result<(), StoreError> {
        let Some(walk) = self.lanes.walks.get_mut(&lanes.log) else { return Ok(()) };
        let next = OwnLane { position: lanes.position, key: None, list: LaneList::default(), shown: None };
        let Some(ended) = walk.lane.replace(next) else { return Ok(()) };
        walk.again = Now(0);
        let ended_at = RecordId { log: lanes.log, position: ended.position };
        let lane = LaneAt::new(lanes.position, &ended.list, turn.now.time());
        if self.shown(ended_at)? >= lane.size || self.view().lane(ended_at)?.is_none() {
            return Ok(());
        }
        let of_log = RecordId { log: lanes.log, position: 0 }..=RecordId { log: lanes.log, position: u64::MAX };
        let unproved: Vec<RecordId> = self.lanes.wanted.range(of_log).map(|(lanes, _)| *lanes).collect();
        if unproved.len() >= limits::LANES_UNPROVED_MAX
            && let Some(oldest) = unproved.first()
        {
            self.lanes.wanted.remove(oldest);
            self.store.mark(Mark::Lane(*oldest), None)?;
        }
        self.store.mark(Mark::Lane(ended_at), Some(&lane.to_bytes()))?;
        self.lanes.wanted.insert(ended_at, Wanted::new(lane, true));
        Ok(())
    }

    /// Adds a statement to the list of one's own lane, if it is addressed to it.
    fn list(&mut self, statement: &Statement, bytes: &[u8]) -> Result<(), StoreError> {
        let is_of = |lane: &OwnLane| lane.position == statement.lanes;
        let log = statement.id.log;
        let Some(lane) = self.lanes.walks.get(&log).and_then(|walk| walk.lane.as_ref()).filter(|lane| is_of(lane))
        else {
            return Ok(());
        };
        let key = match &lane.key {
            Some(key) => Some(key.clone()),
            // The search came by here, so whatever key there is, it is known.
            None => self.view().lane(RecordId { log, position: lane.position })?,
        };
        let Some(lane) = self.lanes.walks.get_mut(&log).and_then(|walk| walk.lane.as_mut()) else { return Ok(()) };
        if let Some(key) = &key
            && statement.tags.contains(&key.tag(&statement.id).0)
        {
            lane.list.push(merkle::leaf_hash(bytes));
        }
        lane.key = key;
        Ok(())
    }

    /// The size up to which an author has shown a lane; 0 if it has not.
    fn shown(&self, lanes: RecordId) -> Result<u64, StoreError> {
        let proof = self.view().lane_proof(lanes)?;
        let size = proof.and_then(|proof| proof.checkpoint.claim().ok()?.claim.log_and_size());
        Ok(size.map_or(0, |(_, size)| size))
    }

    /// Once a day the newest checkpoint is to show what there is, if all that it is over was gone through.
    fn want_newest(&mut self, turn: &Turn, log: LogId) -> Result<(), StoreError> {
        let Some(walk) = self.lanes.walks.get(&log) else { return Ok(()) };
        let longest = self.settings.lane_proof_interval_ms.max(limits::LANE_PATH_RETRY_MS);
        let waits = !limits::is_over_of(walk.again, turn.now, longest);
        let Some(lane) = walk.lane.as_ref().filter(|_| !waits && self.peers.is_connected(log.member)) else {
            return Ok(());
        };
        let newest = self.logs.get(&log).filter(|state| state.fork.is_none()).and_then(|state| state.complete.as_ref());
        let is_whole = newest.and_then(|(_, root)| root.claim.log_and_size()) == Some((log, walk.done));
        let lanes = RecordId { log, position: lane.position };
        if !is_whole || lane.shown.is_some_and(|shown| shown >= walk.done) || self.lanes.wanted.contains_key(&lanes) {
            return Ok(());
        }
        let at = LaneAt::new(walk.done, &lane.list, turn.now.time());
        let shown = match lane.shown {
            Some(shown) => shown,
            // Without a lane to this node there is nothing to show.
            None if self.view().lane(lanes)?.is_none() => u64::MAX,
            None => self.shown(lanes)?,
        };
        if let Some(lane) = self.lanes.walks.get_mut(&log).and_then(|walk| walk.lane.as_mut()) {
            lane.shown = Some(shown);
        }
        if shown < at.size {
            self.lanes.wanted.insert(lanes, Wanted::new(at, false));
        }
        Ok(())
    }

    fn look_again(&mut self, turn: &Turn, log: LogId, after: i64) {
        if let Some(walk) = self.lanes.walks.get_mut(&log) {
            walk.again = Now(turn.now.0.saturating_add(after));
        }
    }

    /// The author gave no path: of lanes that have ended it is asked for again, later and later; of the newest, with its next checkpoint.
    pub(super) fn no_lane_path(&mut self, turn: &Turn, lanes: RecordId) {
        let Some(wanted) = self.lanes.wanted.get_mut(&lanes) else { return };
        if wanted.ended {
            let wait = (limits::LANE_PATH_RETRY_MS << wanted.tries.min(10)).min(limits::DAY_MS);
            (wanted.asked, wanted.tries) = (false, wanted.tries.saturating_add(1));
            wanted.at = Now(turn.now.0.saturating_add(wait));
        } else {
            self.lanes.wanted.remove(&lanes);
            self.look_again(turn, lanes.log, limits::LANE_PATH_RETRY_MS);
        }
    }

    /// Takes the way from one's own leaf to a checkpoint of the author.
    pub(super) fn take_lane_path(
        &mut self,
        turn: &Turn,
        lanes: RecordId,
        checkpoint: SignedRoot,
        path: LanePath,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let Some(wanted) = self.lanes.wanted.get(&lanes).copied() else { return Ok(Ok(())) };
        let (Some(key), Some((index, slots))) = (self.view().lane(lanes)?, self.view().slot_place(lanes)?) else {
            return Ok(Err(Refusal::Unasked));
        };
        if (path.index, path.slots) != (index, slots) {
            return Ok(Err(Refusal::Unproved));
        }
        if let Err(refusal) = self.is_held(turn, &checkpoint, lanes.log, wanted.lane.size)? {
            return Ok(Err(refusal));
        }
        let proof = LaneProof { lanes, opening: wanted.lane.opening(lanes, &key), checkpoint, path };
        let differs = match proof.verify(&self.federation) {
            Ok(_) => false,
            Err(LaneFault::Differs) => true,
            Err(LaneFault::Root(_) | LaneFault::Checkpoint(_)) => return Ok(Err(Refusal::Unasked)),
        };
        self.store.stage(Frame { key: Key::LaneProof(lanes), at: turn.now.time(), bytes: proof.encode() })?;
        self.out.touch();
        self.lanes.wanted.remove(&lanes);
        if wanted.ended {
            self.store.mark(Mark::Lane(lanes), None)?;
        } else {
            self.look_again(turn, lanes.log, self.settings.lane_proof_interval_ms);
            if let Some(lane) = self.lanes.walks.get_mut(&lanes.log).and_then(|walk| walk.lane.as_mut()) {
                lane.shown = Some(wanted.lane.size);
            }
        }
        if differs {
            let LaneAt { size, count, .. } = wanted.lane;
            self.out.push_durable(Effect::Event(Event::LaneDiffers { lanes, size, count }));
        }
        Ok(Ok(()))
    }

    /// Whether a checkpoint is one of this size of the log as it is held.
    fn is_held(
        &mut self,
        turn: &Turn,
        checkpoint: &SignedRoot,
        log: LogId,
        size: u64,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let claim = checkpoint.claim().map(|root| root.claim);
        if !matches!(claim, Ok(Claim::Checkpoint { log: of, size: at, .. }) if (of, at) == (log, size)) {
            return Ok(Err(Refusal::Unasked));
        }
        self.holds_checkpoint(turn, checkpoint)
    }
}

impl<S: Store> View<'_, S> {
    /// Every lane of which its author has shown something or is asked to.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn lanes(&self) -> Result<Vec<LaneStanding>, StoreError> {
        let mut lanes: BTreeMap<RecordId, (Option<LaneProof>, Option<LaneAt>)> = BTreeMap::new();
        for key in self.store().keys(KeyKind::LaneProof)? {
            if let Key::LaneProof(id) = key {
                lanes.entry(id).or_default().0 = self.lane_proof(id)?;
            }
        }
        let mut after = None;
        loop {
            let page = self.store().marks(MarkKind::Lane, after.as_ref(), MARKS)?;
            for (mark, value) in &page {
                if let Mark::Lane(id) = mark {
                    lanes.entry(*id).or_default().1 = LaneAt::from_bytes(value);
                }
            }
            after = page.last().map(|(mark, _)| *mark);
            if page.len() < MARKS {
                break;
            }
        }
        Ok(lanes.into_iter().map(|(lanes, (proof, asked))| LaneStanding { lanes, proof, asked }).collect())
    }
}
