//! Cosignatures: what this node vouches for towards others, and what others vouch for towards it.
//!
//! Once per interval, if there is news, a node signs the root over the frontier that it has verified and stored: the delivery
//! receipt for every statement below. Per-log cosignatures, which serve courts as receipts, are made on request.

use crate::encoding::cbor::{self, Value};
use crate::encoding::ids::{LogId, MemberCode};
use crate::ledger::{Claim, Frame, Frontier, FrontierEntry, Key, Root, SignedRoot, Store, StoreError};

use super::effect::{Effect, Event, SigningKey};
use super::input::Now;
use super::message::{Gossip, Request, Response};
use super::peers::What;
use super::refusal::Refusal;
use super::{Node, Turn, limits};

/// This node's own cosignatures.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// The frontier that was cosigned last, and when.
    pub last: Option<(Now, Frontier)>,
    /// The newest cosignature itself.
    pub newest: Option<(SignedRoot, Frontier)>,
    /// What is being signed.
    pub signing: std::collections::BTreeMap<u64, Pending>,
}

/// A cosignature that the signer has been asked for.
#[derive(Debug)]
pub(super) enum Pending {
    /// Of the frontier.
    Frontier {
        /// What is signed.
        root: Root,
        /// The list behind it.
        frontier: Frontier,
    },
    /// Of one log, for a member that asked.
    Log {
        /// What is signed.
        root: Root,
        /// The log.
        log: LogId,
        /// The questions that are answered with it.
        answers: Vec<u64>,
    },
}

impl<S: Store> Node<S> {
    /// Asks for a frontier cosignature if there is news and the interval has passed, and keeps others' newest ones.
    pub(super) fn advance_witness(&mut self, turn: &Turn) -> Result<(), StoreError> {
        self.keep_cosignatures(turn, limits::KEEP_COSIGNATURE_MS)?;
        let asked = self.witness.signing.values().any(|pending| matches!(pending, Pending::Frontier { .. }));
        let due = self
            .witness
            .last
            .as_ref()
            .is_none_or(|(at, _)| turn.now.since(*at) >= self.settings.cosign_interval_ms || turn.now < *at);
        if asked || !due {
            return Ok(());
        }
        if self.frontier.is_empty() || self.witness.last.as_ref().is_some_and(|(_, last)| *last == self.frontier) {
            return Ok(());
        }
        let frontier = self.frontier.clone();
        let root = self.own_root(turn, Claim::Frontier { logs: frontier.len() as u64 }, frontier.root());
        let Some(root) = root else { return Ok(()) };
        let message = root.to_be_signed();
        let id = self.out.next_id();
        self.witness.last = Some((turn.now, frontier.clone()));
        self.witness.signing.insert(id, Pending::Frontier { root, frontier });
        // What is cosigned must be on disk: the order leaves after the flush.
        self.out.push_durable(Effect::Sign {
            id,
            with: SigningKey::Witness,
            messages: vec![message],
            guard: Vec::new(),
        });
        Ok(())
    }

    /// Takes a cosignature of one's own from the signer. `false` if the order was not for one.
    pub(super) fn finish_cosignature(
        &mut self,
        turn: &Turn,
        id: u64,
        signature: Option<[u8; 64]>,
    ) -> Result<bool, StoreError> {
        let Some(pending) = self.witness.signing.remove(&id) else { return Ok(false) };
        match (pending, signature) {
            (Pending::Frontier { root, frontier }, Some(signature)) => {
                let cosignature = root.signed(signature);
                let changed = match &self.witness.newest {
                    Some((_, earlier)) => frontier.changed_since(earlier),
                    None => frontier.entries().collect(),
                };
                let me = self.me.member;
                self.store_cosignature(turn, me, &cosignature, &frontier)?;
                let mut news = Gossip::Cosigned { cosignature: cosignature.clone(), changed }.encode();
                if news.len() > limits::GOSSIP_BYTES_MAX {
                    // Too many logs changed at once: who sees that the list does not fit asks for the whole of it.
                    news = Gossip::Cosigned { cosignature: cosignature.clone(), changed: Vec::new() }.encode();
                }
                self.out.push_durable(Effect::Gossip(news));
                self.witness.newest = Some((cosignature, frontier));
                self.check_agreement(me);
            }
            (Pending::Log { root, log, answers }, Some(signature)) => {
                let cosignature = root.signed(signature);
                let size = root.claim.log_and_size().map_or(0, |(_, size)| size);
                for id in answers {
                    self.out.push(Effect::Respond { id, bytes: Response::Cosignature(cosignature.clone()).encode() });
                }
                if let Some(state) = self.logs.get_mut(&log) {
                    state.cosigned = Some((size, cosignature));
                }
            }
            // As if it had been over nothing: it is asked for again, but not before the interval has passed.
            (Pending::Frontier { .. }, None) => self.witness.last = Some((turn.now, Frontier::default())),
            (Pending::Log { answers, .. }, None) => {
                for id in answers {
                    self.out.push(Effect::Respond { id, bytes: Response::Nothing.encode() });
                }
            }
        }
        Ok(true)
    }

    /// Answers a request for a receipt-form cosignature, when the signer has made it or with the last one.
    pub(super) fn cosign_on_request(&mut self, turn: &Turn, question: u64, log: LogId, wanted: u64) {
        let nothing = Effect::Respond { id: question, bytes: Response::Nothing.encode() };
        let Some(state) = self.logs.get_mut(&log) else { return self.out.push(nothing) };
        let (size, root) = (state.audit.tree.size(), state.audit.tree.root());
        if size < wanted.max(1) || state.fork.is_some() {
            return self.out.push(nothing);
        }
        if let Some((_, made)) = state.cosigned.as_ref().filter(|(made, _)| *made == size) {
            let bytes = Response::Cosignature(made.clone()).encode();
            return self.out.push(Effect::Respond { id: question, bytes });
        }
        for pending in self.witness.signing.values_mut() {
            if let Pending::Log { root: pending, answers, .. } = pending
                && pending.claim == (Claim::Cosignature { log, size })
            {
                answers.push(question);
                return;
            }
        }
        state.cosigned_at.retain(|at| turn.now.since(*at) < 60_000);
        if state.cosigned_at.len() >= limits::COSIGN_PER_MINUTE as usize {
            return self.out.push(nothing);
        }
        state.cosigned_at.push(turn.now);
        let Some(root) = self.own_root(turn, Claim::Cosignature { log, size }, root) else {
            return self.out.push(nothing);
        };
        let id = self.out.next_id();
        let message = root.to_be_signed();
        self.witness.signing.insert(id, Pending::Log { root, log, answers: vec![question] });
        self.out.push_durable(Effect::Sign {
            id,
            with: SigningKey::Witness,
            messages: vec![message],
            guard: Vec::new(),
        });
    }

    /// Asks every member within reach for a receipt-form cosignature of every log, and for what it has addressed to this node.
    pub(super) fn collect_receipts(&mut self) {
        self.lanes.hasten();
        let logs: Vec<(LogId, u64)> = self.logs.iter().map(|(log, state)| (*log, state.audit.tree.size())).collect();
        for to in self.peers.connected() {
            for (log, size) in &logs {
                if *size > 0 {
                    self.ask(to, What::Cosign(*log), &Request::Cosign { log: *log, size: *size });
                }
            }
        }
    }

    /// Keeps a receipt-form cosignature that was asked for.
    pub(super) fn take_receipt(
        &mut self,
        turn: &Turn,
        from: MemberCode,
        asked: LogId,
        cosignature: &SignedRoot,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let root = match cosignature.verify(&self.federation) {
            Ok(root) => root,
            Err(fault) => return Ok(Err(Refusal::of_root(&fault))),
        };
        let Claim::Cosignature { log, size } = root.claim else { return Ok(Err(Refusal::Form)) };
        if log != asked || root.by != from {
            return Ok(Err(Refusal::Unasked));
        }
        if !self.agrees_with_log(log, size, &root)? {
            // Larger than what we hold, or of another branch: not a receipt for anything here.
            return Ok(Err(Refusal::Unproved));
        }
        let key = Key::Cosignature(log, from);
        let held = self.store.get(&key)?.and_then(|frame| SignedRoot::decode(&frame.bytes).ok()?.claim().ok());
        if held.and_then(|root| root.claim.log_and_size()).is_some_and(|(_, held)| held >= size) {
            return Ok(Ok(()));
        }
        self.store.stage(Frame { key, at: turn.now.time(), bytes: cosignature.encode() })?;
        self.out.touch();
        Ok(Ok(()))
    }

    /// Takes in another member's frontier cosignature, with the entries that changed since its last; with the whole list, if `asked` names whose
    /// was asked for.
    pub(super) fn take_cosignature(
        &mut self,
        turn: &Turn,
        from_peer: MemberCode,
        cosignature: &SignedRoot,
        changed: &[FrontierEntry],
        asked: Option<MemberCode>,
    ) -> Result<(), Refusal> {
        let whole = asked.is_some();
        let root = cosignature.verify(&self.federation).map_err(|fault| Refusal::of_root(&fault))?;
        let Claim::Frontier { logs } = root.claim else { return Err(Refusal::Form) };
        if asked.is_some_and(|of| of != root.by) {
            return Err(Refusal::Unasked);
        }
        if root.by == self.me.member {
            return Ok(());
        }
        if root.issued_at.since(turn.now.time()) > limits::CLOCK_AHEAD_S {
            return Err(Refusal::Future);
        }
        let by = root.by;
        if !self.federation.is_active(by) {
            return Err(Refusal::Inactive);
        }
        let peer = self.peers.entry(by);
        if peer.cosignature.as_ref().is_some_and(|(_, held)| held.issued_at > root.issued_at) {
            return Ok(());
        }
        // What this node asked for itself is not counted.
        if !whole && !peer.cosignatures.has_any(limits::COSIGNATURES_TAKEN, turn.now) {
            self.shed.gossip_over_budget += 1;
            return Err(Refusal::OverBudget);
        }
        let mut frontier = if whole { Frontier::default() } else { peer.frontier.clone() };
        changed.iter().for_each(|entry| frontier.set(entry.log, entry.size, entry.root));
        if frontier.len() > limits::FRONTIER_LOGS_MAX {
            // Who hands it on may not know what came before it.
            return Err(Refusal::Unproved);
        }
        let fits = frontier.root() == root.root && frontier.len() as u64 == logs;
        // The list is not signed: with one that does not fit, whoever hands it on must not use up its author's share.
        if !whole && (fits || from_peer == by) {
            self.peers.entry(by).cosignatures.take(limits::COSIGNATURES_TAKEN, turn.now);
        }
        if !fits {
            if whole {
                return Err(Refusal::Unproved);
            }
            // We missed one of its earlier ones: ask for the whole list. Where its author is out of reach, whoever handed it on has that.
            let to = if self.peers.is_connected(by) { by } else { from_peer };
            if self.peers.is_connected(to) && !self.peers.is_asked(to, What::Frontier(by)) {
                self.ask(to, What::Frontier(by), &Request::Frontier { of: by });
            }
            return Ok(());
        }
        for entry in frontier.entries() {
            self.heard_of(entry.log, entry.size, by);
        }
        let peer = self.peers.entry(by);
        peer.frontier = frontier;
        peer.cosignature = Some((cosignature.clone(), root));
        peer.to_keep = true;
        let issued_at = peer.cosignature.as_ref().map(|(_, root)| root.issued_at);
        self.note_custody(by, issued_at.unwrap_or_default());
        self.check_agreement(by);
        Ok(())
    }

    /// Writes others' newest frontier cosignatures to disk, each at most once per `interval_ms`.
    pub(super) fn keep_cosignatures(&mut self, turn: &Turn, interval_ms: i64) -> Result<(), StoreError> {
        let due: Vec<MemberCode> = self
            .peers
            .by_member
            .iter()
            .filter(|(_, peer)| peer.to_keep && peer.kept.is_none_or(|at| turn.now.since(at) >= interval_ms))
            .map(|(member, _)| *member)
            .collect();
        for member in due {
            let peer = self.peers.entry(member);
            (peer.kept, peer.to_keep) = (Some(turn.now), false);
            if let Some((cosignature, frontier)) =
                peer.cosignature.as_ref().map(|(signed, _)| (signed.clone(), peer.frontier.clone()))
            {
                self.store_cosignature(turn, member, &cosignature, &frontier)?;
            }
        }
        Ok(())
    }

    fn store_cosignature(
        &mut self,
        turn: &Turn,
        member: MemberCode,
        cosignature: &SignedRoot,
        frontier: &Frontier,
    ) -> Result<(), StoreError> {
        let bytes = encode_cosignature(cosignature, frontier);
        self.store.stage(Frame { key: Key::FrontierCosignature(member), at: turn.now.time(), bytes })?;
        self.out.touch();
        Ok(())
    }

    /// A member's newest frontier cosignature, with what it speaks of.
    pub(super) fn newest_cosignature(&self, member: MemberCode) -> Option<(&SignedRoot, &Frontier)> {
        if member == self.me.member {
            return self.witness.newest.as_ref().map(|(signed, frontier)| (signed, frontier));
        }
        let peer = self.peers.by_member.get(&member)?;
        peer.cosignature.as_ref().map(|(signed, _)| (signed, &peer.frontier))
    }

    /// Tells when a member vouches for the very ledger that this node holds.
    fn check_agreement(&mut self, member: MemberCode) {
        let frontier = self.frontier.root();
        let theirs = self.peers.by_member.get(&member).and_then(|peer| peer.cosignature.as_ref());
        if theirs.is_some_and(|(_, root)| root.root == frontier) {
            self.out.event(Event::Agrees { member, frontier });
        }
    }

    /// Whether a root over `size` statements is the one that this node has.
    fn agrees_with_log(&self, log: LogId, size: u64, root: &Root) -> Result<bool, StoreError> {
        let held = self.logs.get(&log).map_or(0, |state| state.tree.size());
        if size == 0 || size > held {
            return Ok(false);
        }
        let nodes = crate::ledger::LogNodes { store: &self.store, log };
        Ok(crate::encoding::merkle::root_of(&nodes, size)? == root.root)
    }

    /// A root for this node's witness key to sign; `None` while no manifest names one.
    fn own_root(&self, turn: &Turn, claim: Claim, root: crate::encoding::hash::Digest) -> Option<Root> {
        // Others keep the newest: after a clock that was a little ahead, one dated before it would be no news to them. What was dated so
        // far ahead that nobody took it does not count.
        let now = turn.now.time();
        let before = self.witness.newest.as_ref().and_then(|(signed, _)| Some(signed.claim().ok()?.issued_at));
        let issued_at =
            before.filter(|before| before.since(now) <= limits::CLOCK_AHEAD_S).map_or(now, |at| at.max(now));
        Some(Root {
            claim,
            root,
            by: self.me.member,
            kid: self.federation.witness_key(self.me.member)?.kid(),
            issued_at,
            federation: self.federation.id(),
        })
    }
}

/// A frontier cosignature as it is kept: the signature, then the list behind its root.
pub(super) fn encode_cosignature(cosignature: &SignedRoot, frontier: &Frontier) -> Vec<u8> {
    let entries = frontier.entries().map(|entry| entry.to_value()).collect();
    cbor::encode(&Value::Array(vec![cosignature.to_value(), Value::Array(entries)]))
}

/// Reads [`encode_cosignature`].
pub(super) fn decode_cosignature(bytes: &[u8]) -> Option<(SignedRoot, Frontier)> {
    let Value::Array(parts) = cbor::decode(bytes).ok()? else { return None };
    let [cosignature, entries] = <[Value; 2]>::try_from(parts).ok()?;
    let Value::Array(entries) = entries else { return None };
    let entries = entries.into_iter().map(FrontierEntry::from_value).collect::<Result<Vec<_>, _>>().ok()?;
    Some((SignedRoot::from_value(cosignature).ok()?, entries.into_iter().collect()))
}
