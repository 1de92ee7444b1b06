//! What can be read: records, logs, cosignatures. The same for a running node and for the data directory of a stopped one.
//!
//! Nothing here changes anything; everything is answered from the store, the members and this node's seal keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle::{self, CompactTree};
use crate::encoding::time::UnixTime;
use crate::identity::Federation;
use crate::ledger::{
    Binds, Erased, Frontier, Hold, Key, KeyKind, LaneProof, LogNodes, Mark, MarkKind, SignedRoot, Statement, Store,
    StoreError, Why,
};
use crate::record::{Compartment, Content, Kind, PartialRecord};
use crate::seal::{
    BodyHead, CompartmentHead, ContentKey, Grant, LaneKey, LanesBody, Opened, OpenedSlot, SealContext, SealError,
    SlotProof,
};

use super::Myself;
use super::audit::read_audit_mark;
use super::author::OwnLanes;
use super::grant::grants_of_mark;
use super::inbox::{Delivery, kind_of};
use super::kept::Kept;
use super::message::WireBody;
use super::state::ScanState;
use super::witness::decode_cosignature;

/// Reads a store with the keys of its node.
#[derive(Debug)]
pub struct View<'a, S> {
    store: &'a S,
    federation: &'a Federation,
    me: &'a Myself,
    /// Lanes and grants opened so far: a list of records needs the same few again and again.
    kept: Kept,
}

/// What could be opened of a body.
#[derive(Clone, Debug, Default)]
pub struct OpenedBody {
    /// The head, if the body is held.
    pub head: Option<BodyHead>,
    /// The compartments that are for this node, each with its index in the head and its salted fields.
    pub compartments: Vec<(usize, CompartmentHead, Opened)>,
    /// The fields of these without their salts.
    pub content: Content,
    /// Why a compartment that is for this node could not be opened.
    pub fault: Option<SealError>,
}

/// One log, as it is held.
#[derive(Clone, Debug)]
pub struct LogView {
    /// The log.
    pub log: LogId,
    /// Statements held.
    pub size: u64,
    /// Statements whose signatures have been checked.
    pub audited: u64,
    /// The root over the audited statements.
    pub root: Digest,
    /// Size and time of the newest checkpoint.
    pub checkpoint: Option<(u64, UnixTime)>,
    /// The lowest size at which the owner signed two histories.
    pub fork: Option<u64>,
    /// Members whose frontier cosignature covers the whole log as it is held.
    pub cosigned_by: Vec<MemberCode>,
    /// Members whose receipt-form cosignature of this log is held, with its size.
    pub receipts: Vec<(MemberCode, u64)>,
}

/// Why a record above the size at which its log was closed has no effect.
const DISOWNED: &str = "disowned";

/// One record, as it is held.
#[derive(Clone, Debug)]
pub struct RecordView {
    /// Its statement.
    pub statement: Statement,
    /// When this node received it.
    pub received_at: UnixTime,
    /// Whether its signature has been checked.
    pub audited: bool,
    /// Why it has no effect, if it has none.
    pub flaw: Option<String>,
    /// How far its body has come, if it is addressed to this node.
    pub delivery: Option<Delivery>,
    /// What could be opened.
    pub body: OpenedBody,
    /// Why and when its body was erased here, if it was.
    pub erased: Option<(Erased, UnixTime)>,
    /// Whether it is kept here whatever is ordered, and since when.
    pub hold: Option<(Hold, UnixTime)>,
}

/// Totals over everything held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Statements whose signatures have been checked.
    pub verified: u64,
    /// Records that this node can open, its own included.
    pub opened: u64,
    /// Statements whose body is not for this node.
    pub sealed: u64,
    /// Records addressed to this node whose body has not come, or does not open.
    pub outstanding: u64,
    /// Statements that have no effect.
    pub flagged: u64,
}

/// A compartment that is open here: its index in the head, its head, what is in it, and its key.
pub(super) type Part = (usize, CompartmentHead, Opened, ContentKey);

/// What could be opened of a body, with the keys that opened it.
#[derive(Debug)]
pub(super) struct Parts {
    head: BodyHead,
    /// The compartments that say something.
    pub open: Vec<Part>,
    /// The one that holds the keys of a grant.
    keys: Option<Opened>,
    /// Why a compartment that is for this node could not be opened.
    pub fault: Option<SealError>,
}

impl<'a, S: Store> View<'a, S> {
    /// Reads `store`, which is that of `me`, with what `federation` says of the members.
    #[must_use]
    pub fn new(store: &'a S, federation: &'a Federation, me: &'a Myself) -> Self {
        Self { store, federation, me, kept: Kept::default() }
    }

    /// The same, with lanes and grants that were opened before.
    pub(super) fn with_kept(mut self, kept: &Kept) -> Self {
        self.kept = kept.clone();
        self
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &'a S {
        self.store
    }

    /// The members.
    #[must_use]
    pub fn federation(&self) -> &'a Federation {
        self.federation
    }

    /// Whose store it is.
    #[must_use]
    pub fn me(&self) -> &'a Myself {
        self.me
    }

    /// The key of the lane from a log to this node, as the `lanes` statement `id` gives it.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub(super) fn lane(&self, id: RecordId) -> Result<Option<LaneKey>, StoreError> {
        if let Some(lane) = self.kept.lane(&id) {
            return Ok(Some(lane));
        }
        let lane = self.open_lane(id)?;
        if let Some(lane) = &lane {
            self.kept.keep_lane(id, lane);
        }
        Ok(lane)
    }

    /// The place of this node's slot among those of another's `lanes` statement, and their number.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub(super) fn slot_place(&self, id: RecordId) -> Result<Option<(u64, u64)>, StoreError> {
        let frame = self.store.get(&Key::Slot(id))?;
        let proof = frame.and_then(|frame| SlotProof::decode(&frame.bytes).ok());
        Ok(proof.map(|proof| (proof.index, proof.head.slots)))
    }

    /// What can be shown of this node's lane of a `lanes` statement, as it was last compared with what its author committed to.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn lane_proof(&self, lanes: RecordId) -> Result<Option<LaneProof>, StoreError> {
        let frame = self.store.get(&Key::LaneProof(lanes))?;
        Ok(frame.and_then(|frame| LaneProof::decode(&frame.bytes).ok()))
    }

    fn open_lane(&self, id: RecordId) -> Result<Option<LaneKey>, StoreError> {
        if id.log.member == self.me.member {
            return Ok(self.own_lanes(id)?.map(|lanes| lanes.secret.lane_key(self.me.member)));
        }
        let Some(frame) = self.store.get(&Key::Slot(id))? else { return Ok(None) };
        let Ok(proof) = SlotProof::decode(&frame.bytes) else { return Ok(None) };
        let Some(key) = self.me.seal_keys.get(&proof.head.epoch) else { return Ok(None) };
        match proof.slot.open(&self.context(id), key) {
            Ok(OpenedSlot::Lane(lane)) => Ok(Some(lane)),
            Ok(OpenedSlot::Own(_)) | Err(_) => Ok(None),
        }
    }

    /// The lanes of one's own log, out of one's own slot.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or the frame is damaged.
    pub(super) fn own_lanes(&self, id: RecordId) -> Result<Option<OwnLanes>, StoreError> {
        let Some(frame) = self.store.get(&Key::Lanes(id))? else { return Ok(None) };
        let body =
            LanesBody::decode(&frame.bytes).map_err(|_| StoreError::Damaged { what: format!("the lanes of {id}") })?;
        // The lanes of an intent that was never signed may lie where a rebuilt log has others.
        if self.bound_at(id)?.is_some_and(|digest| digest != body.head().digest()) {
            return Ok(None);
        }
        let epoch = body.head().epoch;
        let opened = body
            .slot(self.me.member)
            .zip(self.me.seal_keys.get(&epoch))
            .and_then(|(proof, key)| proof.slot.open(&self.context(id), key).ok());
        let Some(OpenedSlot::Own(secret)) = opened else { return Ok(None) };
        let slots = body.slots().iter().map(|slot| (slot.member(), slot.kid())).collect();
        Ok(Some(OwnLanes { position: id.position, epoch, secret, slots }))
    }

    /// What the statement at a place of one's own log binds, or the intent for it.
    fn bound_at(&self, id: RecordId) -> Result<Option<Digest>, StoreError> {
        if let Some(statement) = self.statement(id)? {
            return Ok(Some(statement.digest));
        }
        let intent = self.store.get(&Key::Intent(id))?;
        Ok(intent.and_then(|frame| Statement::read(&frame.bytes).ok()).map(|(statement, _)| statement.digest))
    }

    /// A body, if all of it is held.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn body(&self, id: RecordId) -> Result<Option<WireBody>, StoreError> {
        let Some(head) = self.body_head(id)? else { return Ok(None) };
        let count = BodyHead::decode(&head)
            .map_err(|_| StoreError::Damaged { what: format!("the body head of {id}") })?
            .compartments()
            .len();
        let mut compartments = Vec::with_capacity(count);
        for index in (0..=u8::MAX).take(count) {
            let Some(frame) = self.store.get(&Key::Compartment(id, index))? else { return Ok(None) };
            compartments.push(frame.bytes);
        }
        Ok(Some(WireBody { head, compartments }))
    }

    /// The head of a body that is held. Where a log was rebuilt from others, the body of an intent that was never signed may lie: it is none.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub(super) fn body_head(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(head) = self.store.get(&Key::Head(id))? else { return Ok(None) };
        Ok((self.bound_at(id)? == Some(sha256(&head.bytes))).then_some(head.bytes))
    }

    /// Whether the head of a body is held that a statement at hand binds.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub(super) fn holds_head_of(&self, statement: &Statement) -> Result<bool, StoreError> {
        let head = self.store.get(&Key::Head(statement.id))?;
        Ok(head.is_some_and(|head| sha256(&head.bytes) == statement.digest))
    }

    /// Opens what is for this node in a body that is held; `None` if it is not held, or neither a lane to this node nor a grant is known.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn open(&self, id: RecordId) -> Result<Option<OpenedBody>, StoreError> {
        Ok(self.parts(id)?.map(OpenedBody::from))
    }

    /// As [`Self::open`], with the lane key at hand.
    pub(super) fn open_with(&self, id: RecordId, lane: Option<&LaneKey>) -> Result<Option<OpenedBody>, StoreError> {
        Ok(self.parts_with(id, lane, true)?.map(OpenedBody::from))
    }

    /// As [`Self::open`], with the keys.
    pub(super) fn parts(&self, id: RecordId) -> Result<Option<Parts>, StoreError> {
        let Some(statement) = self.statement(id)? else { return Ok(None) };
        let lane = self.lane(RecordId { log: id.log, position: statement.lanes })?;
        if lane.is_none() && self.store.marked(&Mark::Granted(id))?.is_none() {
            return Ok(None);
        }
        self.parts_with(id, lane.as_ref(), true)
    }

    /// Opens each compartment by the lane, or else, if they are asked for, by what grants give of the record.
    fn parts_with(&self, id: RecordId, lane: Option<&LaneKey>, by_grants: bool) -> Result<Option<Parts>, StoreError> {
        let Some(body) = self.body(id)? else { return Ok(None) };
        let head =
            BodyHead::decode(&body.head).map_err(|_| StoreError::Damaged { what: format!("the body head of {id}") })?;
        let context = self.context(id);
        let (mut open, mut keys, mut fault) = (Vec::new(), None, None);
        let mut grants = (!by_grants).then(Vec::new);
        for (index, (compartment, bytes)) in head.compartments().iter().zip(&body.compartments).enumerate() {
            let with = |key: ContentKey| Ok((compartment.open_with(&context, bytes, &key)?, key));
            let by_lane = lane.map(|lane| compartment.content_key(&context, bytes, lane).and_then(with));
            let mut opened = by_lane.unwrap_or(Err(SealError::NotAReader));
            if opened.is_err() {
                let grants = match &mut grants {
                    Some(grants) => grants,
                    unread @ None => unread.insert(self.grants_of(id)?),
                };
                for grant in grants.iter() {
                    let key = grant.of(&id).and_then(|granted| granted.keys.get(&compartment.label));
                    let Some(by_grant) = key.map(|key| with(key.clone())) else { continue };
                    if by_grant.is_ok() || matches!(opened, Err(SealError::NotAReader)) {
                        opened = by_grant;
                    }
                    if opened.is_ok() {
                        break;
                    }
                }
            }
            match opened {
                Ok((content, _)) if content.compartment() == Compartment::KEYS.as_str() => {
                    keys.get_or_insert(content);
                }
                Ok((content, key)) => open.push((index, *compartment, content, key)),
                Err(SealError::NotAReader) => {}
                Err(why) => fault = Some(why),
            }
        }
        Ok(Some(Parts { head, open, keys, fault }))
    }

    /// What the grants that are known to be about a record give of it, the newest first.
    pub(super) fn grants_of(&self, id: RecordId) -> Result<Vec<Arc<Grant>>, StoreError> {
        let Some(mark) = self.store.marked(&Mark::Granted(id))? else { return Ok(Vec::new()) };
        let mut grants = Vec::new();
        for grant in grants_of_mark(&mark).into_iter().rev().filter(|grant| grant.log.member == id.log.member) {
            grants.extend(self.grant(grant)?.and_then(Result::ok));
        }
        Ok(grants)
    }

    /// The keys that the record `id` carries, if it is a grant to this node: by its own lane only, so that no grant opens another. An
    /// error if they are there and cannot be read.
    pub(super) fn grant(&self, id: RecordId) -> Result<Option<Result<Arc<Grant>, SealError>>, StoreError> {
        if let Some(grant) = self.kept.grant(&id) {
            return Ok(Some(Ok(grant)));
        }
        let Some(statement) = self.statement(id)? else { return Ok(None) };
        let Some(lane) = self.lane(RecordId { log: id.log, position: statement.lanes })? else { return Ok(None) };
        let Some(mut parts) = self.parts_with(id, Some(&lane), false)? else { return Ok(None) };
        let Some(keys) = parts.keys.take() else { return Ok(None) };
        if kind_of(&OpenedBody::from(parts).content) != Some(Kind::AudienceGrant) {
            return Ok(None);
        }
        Ok(Some(Grant::from_opened(&keys).map(|grant| {
            let grant = Arc::new(grant);
            self.kept.keep_grant(id, &grant);
            grant
        })))
    }

    /// A statement, as it can be read.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or the frame is damaged.
    pub fn statement(&self, id: RecordId) -> Result<Option<Statement>, StoreError> {
        let frame = self.store.get(&Key::Statement(id))?;
        Ok(frame.and_then(|frame| Statement::read(&frame.bytes).ok()).map(|(statement, _)| statement))
    }

    /// A record with everything that is known of it; `None` if no such statement is held, or it cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn record(&self, id: RecordId) -> Result<Option<RecordView>, StoreError> {
        let Some(frame) = self.store.get(&Key::Statement(id))? else { return Ok(None) };
        let Some(statement) = self.statement(id)? else { return Ok(None) };
        let flaw = self.store.marked(&Mark::Flag(id))?.map(|word| String::from_utf8_lossy(&word).into_owned());
        let delivery = self.store.marked(&Mark::Inbox(id))?.map(|bytes| Delivery::from_bytes(&bytes));
        let body = if flaw.is_none() { self.open(id)?.unwrap_or_default() } else { OpenedBody::default() };
        // What its member disowns stays to be read: it was signed, and others may have cosigned it.
        let flaw = flaw.or_else(|| self.is_disowned(id).then(|| DISOWNED.to_owned()));
        let audited = id.position < self.audited(&id.log)?;
        let (erased, hold) = (self.erased(id)?, self.hold(id)?);
        Ok(Some(RecordView { statement, received_at: frame.at, audited, flaw, delivery, body, erased, hold }))
    }

    /// Why and when a body was erased here, if it was.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or the frame is damaged.
    pub fn erased(&self, id: RecordId) -> Result<Option<(Erased, UnixTime)>, StoreError> {
        let Some(frame) = self.store.get(&Key::Erased(id))? else { return Ok(None) };
        let unknown = Erased { why: Why::Unknown, was_reader: false, readers: BTreeSet::new() };
        Ok(Some((Erased::decode(&frame.bytes).unwrap_or(unknown), frame.at)))
    }

    /// The other members that can read a record of one's own: by its tags, and by grants of it. Nobody if it is another member's.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn readers_of(&self, id: RecordId) -> Result<BTreeSet<MemberCode>, StoreError> {
        let mut readers = BTreeSet::new();
        let own = self.statement(id)?.filter(|_| id.log.member == self.me.member);
        let Some(statement) = own else { return Ok(readers) };
        if let Some(lanes) = self.own_lanes(RecordId { log: id.log, position: statement.lanes })? {
            let is_tagged = |member: &&MemberCode| statement.tags.contains(&lanes.secret.lane_key(**member).tag(&id).0);
            readers.extend(lanes.slots.keys().filter(is_tagged));
        }
        for (grant, _) in self.grants_about(id)? {
            if let Some(body) = self.open(grant)? {
                readers.extend(&PartialRecord::from_content(&body.content).declared().new_readers);
            }
        }
        readers.remove(&self.me.member);
        Ok(readers)
    }

    /// The newest grants that are known to be about a record, each with all records that it covers.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn grants_about(&self, id: RecordId) -> Result<Vec<(RecordId, BTreeSet<RecordId>)>, StoreError> {
        let mark = self.store.marked(&Mark::Granted(id))?;
        let mut about = Vec::new();
        for grant in mark.as_deref().map(grants_of_mark).unwrap_or_default() {
            if let Some(Ok(keys)) = self.grant(grant)? {
                about.push((grant, keys.records().map(|(covered, _)| *covered).collect()));
            }
        }
        Ok(about)
    }

    /// Whether a body is kept here whatever is ordered, and since when.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or the frame is damaged.
    pub fn hold(&self, id: RecordId) -> Result<Option<(Hold, UnixTime)>, StoreError> {
        let Some(frame) = self.store.get(&Key::Hold(id))? else { return Ok(None) };
        let hold = Hold::decode(&frame.bytes).map_err(|_| StoreError::Damaged { what: format!("the hold on {id}") })?;
        Ok(hold.is_on.then_some((hold, frame.at)))
    }

    /// Whether its member has closed the log below it: the record has no effect.
    #[must_use]
    pub fn is_disowned(&self, id: RecordId) -> bool {
        let entry = self.federation.manifest(id.log.member).and_then(|manifest| manifest.log(&id.log));
        entry.and_then(|entry| entry.closed).is_some_and(|size| id.position >= size)
    }

    /// Members whose newest frontier cosignature says that they hold a record, with its time.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn held_by(&self, id: RecordId) -> Result<Vec<(MemberCode, UnixTime)>, StoreError> {
        let covers = |frontier: &Frontier| frontier.get(&id.log).is_some_and(|(size, _)| size > id.position);
        Ok(self
            .cosignatures()?
            .into_iter()
            .filter(|(_, _, frontier)| covers(frontier))
            .filter_map(|(member, signed, _)| Some((member, signed.claim().ok()?.issued_at)))
            .collect())
    }

    /// Every log that is held.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn logs(&self) -> Result<Vec<LogView>, StoreError> {
        let cosignatures = self.cosignatures()?;
        let receipts = self.store.keys(KeyKind::Cosignature)?;
        let mut logs = Vec::new();
        for log in self.store.logs() {
            let audited = self.audited(&log)?;
            let root = self.root(log, audited)?;
            let mut held = Vec::new();
            for key in &receipts {
                if let Key::Cosignature(of, member) = key
                    && *of == log
                    && let Some(signed) = self.signed_root(key)?
                    && let Some((_, size)) = signed.claim().ok().and_then(|root| root.claim.log_and_size())
                {
                    held.push((*member, size));
                }
            }
            logs.push(LogView {
                log,
                size: self.store.size(&log),
                audited,
                root,
                checkpoint: self.checkpoint(log)?.and_then(|signed| {
                    let root = signed.claim().ok()?;
                    Some((root.claim.log_and_size()?.1, root.issued_at))
                }),
                fork: self.fork(log)?,
                cosigned_by: cosignatures
                    .iter()
                    .filter(|(_, _, frontier)| frontier.get(&log) == Some((audited, root)))
                    .map(|(member, _, _)| *member)
                    .collect(),
                receipts: held,
            });
        }
        Ok(logs)
    }

    /// What this node has verified and stored of every log that is not quarantined.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn frontier(&self) -> Result<Frontier, StoreError> {
        let mut frontier = Frontier::default();
        for log in self.store.logs() {
            if self.fork(log)?.is_some() {
                continue;
            }
            let audited = self.audited(&log)?;
            frontier.set(log, audited, self.root(log, audited)?);
        }
        Ok(frontier)
    }

    /// The newest frontier cosignature of every member, with the list behind it.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn cosignatures(&self) -> Result<Vec<(MemberCode, SignedRoot, Frontier)>, StoreError> {
        let mut cosignatures = Vec::new();
        for key in self.store.keys(KeyKind::FrontierCosignature)? {
            if let Key::FrontierCosignature(member) = key
                && let Some(frame) = self.store.get(&key)?
                && let Some((signed, frontier)) = decode_cosignature(&frame.bytes)
            {
                cosignatures.push((member, signed, frontier));
            }
        }
        Ok(cosignatures)
    }

    /// The newest checkpoint of a log.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or the frame is damaged.
    pub fn checkpoint(&self, log: LogId) -> Result<Option<SignedRoot>, StoreError> {
        self.signed_root(&Key::Checkpoint(log))
    }

    /// The receipt-form cosignatures of a log.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    pub fn receipts(&self, log: LogId) -> Result<Vec<SignedRoot>, StoreError> {
        let keys = self.store.keys(KeyKind::Cosignature)?;
        let of_log = keys.iter().filter(|key| matches!(key, Key::Cosignature(of, _) if *of == log));
        of_log.filter_map(|key| self.signed_root(key).transpose()).collect()
    }

    /// The proof that a statement is in its log at a size that is held.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn inclusion(&self, id: RecordId, size: u64) -> Result<Option<Vec<Digest>>, StoreError> {
        if id.position >= size || size > self.store.size(&id.log) {
            return Ok(None);
        }
        let nodes = LogNodes { store: self.store, log: id.log };
        merkle::inclusion_proof_of(&nodes, id.position, size).map(Some)
    }

    /// Totals over all logs.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for log in self.store.logs() {
            let scan = self.scan(&log)?;
            totals.verified += self.audited(&log)?;
            totals.sealed += scan.done.saturating_sub(scan.bodiless + scan.mine);
            totals.opened += scan.mine;
        }
        totals.outstanding = self.count_marks(MarkKind::Inbox, |_, value| {
            matches!(Delivery::from_bytes(value), Delivery::Wanted | Delivery::Unreadable)
        })?;
        totals.opened = totals.opened.saturating_sub(totals.outstanding);
        totals.flagged = self.flagged(None)?;
        Ok(totals)
    }

    /// How many statements have no effect, in one log or in all.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn flagged(&self, of: Option<LogId>) -> Result<u64, StoreError> {
        self.count_marks(MarkKind::Flag, |mark, _| of.is_none_or(|log| matches!(mark, Mark::Flag(id) if id.log == log)))
    }

    /// How far a log was searched.
    pub(super) fn scan(&self, log: &LogId) -> Result<ScanState, StoreError> {
        Ok(self
            .store
            .marked(&Mark::Scanned(*log))?
            .map_or_else(ScanState::default, |bytes| ScanState::from_bytes(&bytes)))
    }

    /// How many statements of a log have been audited.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    pub fn audited(&self, log: &LogId) -> Result<u64, StoreError> {
        let mark = self.store.marked(&Mark::Audited(*log))?;
        Ok(mark.map_or(0, |bytes| read_audit_mark(&bytes).0).min(self.store.size(log)))
    }

    /// The lowest size at which a log's owner is proved to have signed two histories.
    pub(super) fn fork(&self, log: LogId) -> Result<Option<u64>, StoreError> {
        let frame = self.store.get(&Key::Fork(log, 0))?;
        let proof = frame.and_then(|frame| crate::ledger::ForkProof::decode(&frame.bytes).ok());
        Ok(proof.and_then(|proof| proof.verify(self.federation).ok()).map(|(_, size)| size))
    }

    fn root(&self, log: LogId, size: u64) -> Result<Digest, StoreError> {
        Ok(CompactTree::load(&LogNodes { store: self.store, log }, size)?.root())
    }

    fn signed_root(&self, key: &Key) -> Result<Option<SignedRoot>, StoreError> {
        let frame = self.store.get(key)?;
        Ok(frame.and_then(|frame| SignedRoot::decode(&frame.bytes).ok()))
    }

    fn context(&self, record: RecordId) -> SealContext {
        SealContext { federation: self.federation.id(), record }
    }

    fn count_marks(&self, kind: MarkKind, mut counts: impl FnMut(&Mark, &[u8]) -> bool) -> Result<u64, StoreError> {
        const PAGE: usize = 1024;
        let (mut count, mut after) = (0, None);
        loop {
            let page = self.store.marks(kind, after.as_ref(), PAGE)?;
            count += page.iter().filter(|(mark, value)| counts(mark, value)).count() as u64;
            match page.last() {
                Some((last, _)) if page.len() == PAGE => after = Some(*last),
                _ => return Ok(count),
            }
        }
    }
}

impl From<Parts> for OpenedBody {
    fn from(parts: Parts) -> Self {
        let mut opened = Self { head: Some(parts.head), fault: parts.fault, ..Self::default() };
        for (index, compartment, content, _) in parts.open {
            // A compartment whose name we would not give is carried, but has no place among the fields.
            if let Ok(name) = content.compartment().parse::<Compartment>() {
                opened.content.insert(name, content.content());
            }
            opened.compartments.push((index, compartment, content));
        }
        opened
    }
}

impl RecordView {
    /// Whether it is a `lanes` statement, which has no body to open.
    #[must_use]
    pub fn is_lanes(&self) -> bool {
        self.statement.binds == Binds::Lanes
    }
}
