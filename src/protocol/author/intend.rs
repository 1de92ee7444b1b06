//! What is about to be signed: lanes, and records sealed for their readers. It goes to disk before the order to sign leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::hash::{Digest, Kid, sha256};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::identity::SealPublicKey;
use crate::ledger::{Binds, Frame, Key, Statement, Store, StoreError};
use crate::protocol::effect::{Effect, Extent, Outcome, Refused, SigningKey};
use crate::protocol::erasure::settled_by;
use crate::protocol::message::WireBody;
use crate::protocol::{Node, Turn, limits};
use crate::record::{Compartment, Kind, Record};
use crate::seal::{self, CompartmentDraft, Grant, LaneKey, LaneSecret, LanesBody, SealContext, SealedBody};

use super::{Group, Origin, OwnLanes, Phase, Queued};

impl<S: Store> Node<S> {
    /// Intents beyond the log's size: what a crash interrupted. They are signed as they stand, up to the first of which not everything
    /// came to the disk: that one was never signed, because an order to sign leaves after the flush only.
    pub(super) fn intents_found(&self) -> Result<Group, StoreError> {
        let mut group = Group::default();
        let mut position = self.logs.get(&self.me.log).map_or(0, |state| state.tree.size());
        while group.statements.len() < limits::GROUP_RECORDS_MAX {
            let id = RecordId { log: self.me.log, position };
            let Some(frame) = self.store.get(&Key::Intent(id))? else { break };
            let (statement, _) = Statement::read(&frame.bytes)
                .map_err(|_| StoreError::Damaged { what: format!("the intent to sign {id}") })?;
            let is_whole = match statement.binds {
                Binds::Body => self.held_body(id)?.is_some_and(|body| sha256(&body.head) == statement.digest),
                Binds::Lanes => self.view().own_lanes(id)?.is_some(),
            };
            // One that is older than what was signed meanwhile stood behind one that was not whole: it would be flagged for its time.
            if !is_whole || statement.issued_at < self.author.last_time {
                break;
            }
            group.statements.push(statement);
            group.origins.push(Origin::Node);
            position += 1;
        }
        Ok(group)
    }

    /// Takes up the lanes of an interrupted `lanes` statement, so that its checkpoint comes out the same.
    pub(super) fn reload_lanes(&mut self, group: &Group) -> Result<(), StoreError> {
        if let Some(lanes) = group.statements.iter().rev().find(|statement| statement.binds == Binds::Lanes) {
            self.author.lanes = self.view().own_lanes(lanes.id)?;
        }
        Ok(())
    }

    /// Whether a `lanes` statement is due: at the start of an epoch, and when members or their seal keys changed.
    pub(super) fn lanes_are_due(&mut self, turn: &Turn) -> bool {
        let epoch = self.federation.epoch_at(turn.now.time());
        if self.author.lanes_settled == Some(epoch) {
            return false;
        }
        let wanted = self.lane_recipients(epoch);
        if !wanted.contains_key(&self.me.member) {
            return false;
        }
        let wanted: BTreeMap<MemberCode, Kid> = wanted.iter().map(|(member, key)| (*member, key.kid())).collect();
        let is_due = self.author.lanes.as_ref().is_none_or(|lanes| lanes.epoch != epoch || lanes.slots != wanted);
        // The digests of so many keys are not taken again at every turn.
        self.author.lanes_settled = (!is_due).then_some(epoch);
        is_due
    }

    pub(super) fn lane_recipients(&self, epoch: u32) -> BTreeMap<MemberCode, &SealPublicKey> {
        self.federation
            .active_members()
            .filter_map(|(member, _)| Some((member, self.federation.seal_key(member, epoch)?)))
            .collect()
    }

    pub(super) fn intend_lanes(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        self.close_lanes(turn)?;
        let epoch = self.federation.epoch_at(turn.now.time());
        let id = self.next_record(0);
        let context = SealContext { federation: self.federation.id(), record: id };
        let secret = LaneSecret::generate(&mut turn.random);
        let recipients = self.lane_recipients(epoch);
        let slots = recipients.iter().map(|(member, key)| (*member, key.kid())).collect();
        let body = LanesBody::seal(&context, epoch, &secret, &recipients, &mut turn.random)
            .expect("a charter bounds its members, and this node is one of them");
        let bytes = body.encode();
        let statement = Statement {
            binds: Binds::Lanes,
            digest: body.head().digest(),
            lanes: id.position,
            tags: Vec::new(),
            size_class: seal::size_class(bytes.len() as u64),
            ..self.blank(turn, id)
        };
        self.store.stage(Frame { key: Key::Lanes(id), at: turn.now.time(), bytes })?;
        self.author.lanes = Some(OwnLanes { position: id.position, epoch, secret, slots });
        self.intend(turn, Group { statements: vec![statement], origins: vec![Origin::Node] })
    }

    pub(super) fn intend_records(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        let mut group = Group::default();
        while self.author.lanes.is_some() && group.statements.len() < limits::GROUP_RECORDS_MAX {
            let Some(queued) = self.next_to_sign(group.statements.is_empty())? else { break };
            self.add_to_group(turn, &mut group, queued, None)?;
        }
        if group.statements.is_empty() {
            return Ok(());
        }
        self.intend(turn, group)
    }

    /// The next record of the queue that is to be signed in a group. A grant covers what was signed before it: it is gathered when no
    /// group is open, and signed alone.
    fn next_to_sign(&mut self, group_is_empty: bool) -> Result<Option<Queued>, StoreError> {
        while let Some(queued) = self.author.queue.pop_front() {
            // Its line may have been learnt while it waited.
            if let Some(id) = self.logged_before(&queued.record)? {
                self.give_up(&queued, Outcome::AlreadyLogged { id });
                continue;
            }
            if *queued.record.kind() != Kind::AudienceGrant {
                return Ok(Some(queued));
            }
            if !group_is_empty || self.author.gathering.is_some() {
                self.author.queue.push_front(queued);
                return Ok(None);
            }
            self.begin_gathering(queued)?;
        }
        Ok(None)
    }

    /// A record that was queued is not signed.
    pub(super) fn give_up(&mut self, queued: &Queued, outcome: Outcome) {
        self.settle(queued.submission, queued.index, outcome);
        let source = queued.record.declared().source_digest;
        self.author.under_way.retain(|digest| Some(*digest) != source);
    }

    /// Seals a record, with the keys that it grants, and adds it to the group that is to be signed, or says why not. `false` if it was not
    /// added.
    pub(super) fn add_to_group(
        &mut self,
        turn: &mut Turn,
        group: &mut Group,
        queued: Queued,
        grant: Option<(&Grant, Extent)>,
    ) -> Result<bool, StoreError> {
        let Some(lanes) = &self.author.lanes else { return Ok(false) };
        let (position, secret) = (lanes.position, lanes.secret.clone());
        let (keys, granted) = grant.unzip();
        let id = self.next_record(group.statements.len() as u64);
        let (body, tags, readers, outside) = self.seal_record(turn, id, &secret, &queued.record, keys);
        let size = body.head.compartments().iter().map(|compartment| compartment.length).sum::<u64>();
        let limit = self.body_limit();
        if size > limit {
            self.give_up(&queued, Outcome::Refused { reason: Refused::TooLarge { size, limit } });
            return Ok(false);
        }
        let statement = Statement {
            binds: Binds::Body,
            digest: body.head.digest(),
            lanes: position,
            tags,
            size_class: body.size_class,
            ..self.blank(turn, id)
        };
        let (bytes, limit) = (statement.signed([0; 64]).len() as u64, self.federation.parameters().statement_bytes_max);
        if bytes > limit {
            let reason = Refused::TooManyReaders { readers: readers.len() };
            self.give_up(&queued, Outcome::Refused { reason });
            return Ok(false);
        }
        self.stage_body(turn.now.time(), id, &WireBody { head: body.head.encode(), compartments: body.compartments })?;
        let pushes = readers.into_iter().filter(|member| *member != self.me.member).collect();
        group.origins.push(Origin::Record {
            submission: queued.submission,
            index: queued.index,
            outside,
            granted,
            source: queued.record.declared().source_digest,
            settles: settled_by(queued.record.declared()),
            covers: keys.map(|keys| keys.records().map(|(id, _)| *id).collect()).unwrap_or_default(),
            is_order: *queued.record.kind() == Kind::Erasure,
            pushes,
        });
        group.statements.push(statement);
        Ok(true)
    }

    /// What a sealed body may have: it travels in one message, whatever the charter allows.
    pub(super) fn body_limit(&self) -> u64 {
        self.federation.parameters().body_bytes_max.min(limits::CHUNK_BYTES_MAX as u64)
    }

    /// Seals a record for its readers among the active members, and what it grants for its new readers alone; gives tags, readers, and the
    /// readers that are no members.
    pub(super) fn seal_record(
        &self,
        turn: &mut Turn,
        id: RecordId,
        secret: &LaneSecret,
        record: &Record,
        grant: Option<&Grant>,
    ) -> (SealedBody, Vec<[u8; 16]>, BTreeSet<MemberCode>, Vec<String>) {
        let members = self.federation.active_members().map(|(member, _)| member);
        let mut content = record.content().clone();
        let mut by_compartment = record.readers(self.me.member, members);
        if let Some(grant) = grant {
            content.insert(Compartment::KEYS, grant.fields());
            let new_readers = record.declared().new_readers.iter().copied().chain([self.me.member]);
            by_compartment.insert(Compartment::KEYS, new_readers.collect());
        }
        let named: BTreeSet<MemberCode> = by_compartment.values().flatten().copied().collect();
        let (readers, outside): (BTreeSet<MemberCode>, BTreeSet<MemberCode>) =
            named.into_iter().partition(|member| *member == self.me.member || self.federation.is_active(*member));
        let lanes: BTreeMap<MemberCode, LaneKey> =
            readers.iter().map(|member| (*member, secret.lane_key(*member))).collect();
        let drafts: Vec<CompartmentDraft<'_>> = content
            .iter()
            .map(|(compartment, fields)| CompartmentDraft {
                name: compartment.as_str(),
                fields,
                readers: by_compartment
                    .get(compartment)
                    .into_iter()
                    .flatten()
                    .filter_map(|member| lanes.get(member))
                    .collect(),
            })
            .collect();
        let context = SealContext { federation: self.federation.id(), record: id };
        let body = seal::seal_body(&context, &drafts, &mut turn.random)
            .expect("a checked record is within the bounds of a body");
        let tags = seal::tags(lanes.values().map(|lane| lane.tag(&id)), &mut turn.random);
        let tags = tags.into_iter().map(|tag| tag.0).collect();
        (body, tags, readers, outside.iter().map(ToString::to_string).collect())
    }

    /// Puts intents on disk and orders their signatures for when they are there.
    pub(super) fn intend(&mut self, turn: &Turn, group: Group) -> Result<(), StoreError> {
        for statement in &group.statements {
            // A statement without a signature: zeros stand in its place until the signer has answered.
            let bytes = statement.signed([0; 64]);
            self.store.stage(Frame { key: Key::Intent(statement.id), at: turn.now.time(), bytes })?;
        }
        self.order_statements(group);
        Ok(())
    }

    pub(super) fn order_statements(&mut self, group: Group) {
        let order = self.out.next_id();
        let messages: Vec<Vec<u8>> = group.statements.iter().map(Statement::to_be_signed).collect();
        let guard = group
            .statements
            .iter()
            .zip(&messages)
            .map(|(statement, message)| (statement.id.position, sha256(message)))
            .collect();
        if let Some(last) = group.statements.last() {
            self.author.last_time = self.author.last_time.max(last.issued_at);
        }
        self.author.phase = Phase::Signing { order, group };
        let with = SigningKey::Log(self.me.log);
        self.out.push_durable(Effect::Sign { id: order, with, messages, guard });
    }

    /// The id of the statement `ahead` places after the end of the log.
    pub(super) fn next_record(&self, ahead: u64) -> RecordId {
        let size = self.logs.get(&self.me.log).map_or(0, |state| state.tree.size());
        RecordId { log: self.me.log, position: size + ahead }
    }

    /// A statement's fields that are the same for every kind.
    pub(super) fn blank(&self, turn: &Turn, id: RecordId) -> Statement {
        let key = self.federation.log_key(&self.me.log).expect("only a log with a key is signed");
        Statement {
            id,
            kid: key.kid(),
            federation: self.federation.id(),
            issued_at: turn.now.time().max(self.author.last_time),
            binds: Binds::Body,
            digest: Digest::ZERO,
            lanes: 0,
            tags: Vec::new(),
            size_class: 0,
        }
    }
}
