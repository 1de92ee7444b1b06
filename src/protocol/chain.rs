//! Logs grow here, and only here: statements are appended once their owner's checkpoint proves them.

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle::{self, CompactTree};
use crate::ledger::{
    Claim, ForkFault, ForkProof, Frame, FrontierEntry, Key, LogNodes, Root, SignedRoot, Store, StoreError,
};

use super::author::Phase;
use super::effect::{Effect, Event};
use super::input::Now;
use super::message::{Gossip, Request, Response};
use super::peers::{Peers, What};
use super::refusal::Refusal;
use super::state::LogState;
use super::{Node, Turn, limits};

/// What a received checkpoint says about the log as it is held.
enum Standing {
    /// It is of the size held, or of a lesser one, and agrees.
    Held,
    /// It is of a greater size.
    Ahead,
    /// It contradicts what is held.
    Forked,
}

impl<S: Store> Node<S> {
    /// Takes in a checkpoint and the statements below it that came along, if they continue what is held.
    ///
    /// # Errors
    /// The store's, outside; the peer's fault, inside.
    pub(super) fn take_news(
        &mut self,
        turn: &Turn,
        from_peer: MemberCode,
        checkpoint: &SignedRoot,
        from: u64,
        statements: &[Vec<u8>],
    ) -> Result<Result<(), Refusal>, StoreError> {
        let (root, log, size) = match self.checked_checkpoint(turn, checkpoint) {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.standing(turn, checkpoint, &root, log, size)? {
            Standing::Forked => return Ok(Ok(())),
            Standing::Held => {
                self.note_checkpoint(turn, checkpoint, root, log)?;
                return Ok(Ok(()));
            }
            // What it had signed before is pulled from members that hold it.
            Standing::Ahead if !self.federation.is_active(log.member) => return Ok(Err(Refusal::Inactive)),
            Standing::Ahead => {}
        }
        let state = self.logs.entry(log).or_insert_with(LogState::empty);
        let held = state.tree.size();
        let skip = usize::try_from(held.saturating_sub(from)).unwrap_or(usize::MAX);
        let news = statements.get(skip..).unwrap_or_default();
        if from <= held && held + news.len() as u64 == size {
            let (tree, leaves) = extend(&state.tree, news);
            if tree.root() == root.root && self.fits(news) {
                if !self.is_welcome(turn, log) {
                    self.shed.gossip_over_budget += 1;
                    self.heard_of(log, size, from_peer);
                    return Ok(Err(Refusal::OverBudget));
                }
                self.append(turn, log, tree, &leaves, news)?;
                self.note_checkpoint(turn, checkpoint, root, log)?;
                return Ok(Ok(()));
            }
        }
        self.heard_of(log, size, from_peer);
        Ok(Ok(()))
    }

    /// Whether news of this log may be taken from gossip now: only what would be appended counts, so that nobody can use up a
    /// member's share by repeating what it said.
    fn is_welcome(&mut self, turn: &Turn, log: LogId) -> bool {
        log == self.me.log
            || self.is_within_quota(log, turn.now)
                && self.peers.entry(log.member).news.take(limits::NEWS_TAKEN, turn.now)
    }

    /// Takes in a chunk that was asked for.
    ///
    /// # Errors
    /// The store's, outside; the peer's fault, inside.
    pub(super) fn take_chunk(
        &mut self,
        turn: &Turn,
        asked: LogId,
        checkpoint: &SignedRoot,
        from: u64,
        statements: &[Vec<u8>],
        consistency: &[Digest],
    ) -> Result<Result<(), Refusal>, StoreError> {
        let (root, log, size) = match self.checked_checkpoint(turn, checkpoint) {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if log != asked {
            return Ok(Err(Refusal::Unasked));
        }
        if let Standing::Held | Standing::Forked = self.standing(turn, checkpoint, &root, log, size)? {
            return Ok(Ok(()));
        }
        let state = self.logs.entry(log).or_insert_with(LogState::empty);
        let held = state.tree.size();
        if from != held {
            // Gossip was quicker than this answer.
            return Ok(Ok(()));
        }
        let end = held + statements.len() as u64;
        if statements.is_empty() || end > size || statements.len() > limits::CHUNK_STATEMENTS_MAX {
            return Ok(Err(Refusal::Unproved));
        }
        let (tree, leaves) = extend(&state.tree, statements);
        if !merkle::verify_consistency(end, &tree.root(), size, &root.root, consistency) {
            self.challenge(turn, log);
            return Ok(Err(Refusal::Unproved));
        }
        if !self.fits(statements) {
            return Ok(Err(Refusal::TooLarge));
        }
        self.append(turn, log, tree, &leaves, statements)?;
        if end == size {
            self.note_checkpoint(turn, checkpoint, root, log)?;
        } else if let Some(state) = self.logs.get_mut(&log) {
            state.target = state.target.max(size);
        }
        Ok(Ok(()))
    }

    /// Answers a request for statements: as many as fit, with the proof that they are under our newest complete checkpoint.
    pub(super) fn chunk(&self, log: LogId, from: u64) -> Result<Response, StoreError> {
        let Some(state) = self.logs.get(&log) else { return Ok(Response::Nothing) };
        let Some((checkpoint, root)) = &state.complete else { return Ok(Response::Nothing) };
        let Some((_, size)) = root.claim.log_and_size() else { return Ok(Response::Nothing) };
        if from >= size {
            return Ok(Response::Nothing);
        }
        let count = usize::try_from(size - from).unwrap_or(usize::MAX).min(limits::CHUNK_STATEMENTS_MAX);
        let statements = self.store.statements(&log, from, count, limits::CHUNK_BYTES_MAX)?;
        if statements.is_empty() {
            return Ok(Response::Nothing);
        }
        let nodes = LogNodes { store: &self.store, log };
        let consistency = merkle::consistency_proof_of(&nodes, from + statements.len() as u64, size)?;
        Ok(Response::Chunk { checkpoint: checkpoint.clone(), from, statements, consistency })
    }

    /// Asks for what is missing, one request per log at a time, of whoever showed that it has more. The logs of which least is
    /// missing go first, and those of members over their quota wait.
    pub(super) fn advance_pulls(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        let mut wanted: Vec<(u64, LogId, u64)> = self
            .logs
            .iter()
            .filter(|(log, state)| {
                state.is_behind()
                    && state.pulling.is_none()
                    && limits::is_over(state.pull_after, turn.now)
                    && self.is_within_quota(**log, turn.now)
            })
            .map(|(log, state)| (state.target - state.tree.size(), *log, state.tree.size()))
            .collect();
        wanted.sort_unstable();
        for (_, log, from) in wanted {
            let Some(to) = self.whom_to_ask(turn, log) else { break };
            let id = self.ask(to, What::Range(log, from), &Request::Range { log, from });
            if let Some(state) = self.logs.get_mut(&log) {
                state.pulling = Some(id);
            }
        }
        Ok(())
    }

    /// Whoever told of more; if that was in vain, one that has cosigned more, and else anybody.
    fn whom_to_ask(&self, turn: &mut Turn, log: LogId) -> Option<MemberCode> {
        let state = self.logs.get(&log)?;
        let source = state.source.filter(|member| state.misses.is_multiple_of(2) && self.peers.is_connected(*member));
        source.or_else(|| {
            let connected = self.peers.connected();
            let claims = |member: &MemberCode| {
                let frontier = self.peers.by_member.get(member).and_then(|peer| peer.frontier.get(&log));
                state.failed != Some(*member) && frontier.is_some_and(|(size, _)| size > state.tree.size())
            };
            let holders: Vec<MemberCode> = connected.iter().copied().filter(claims).collect();
            Peers::one_of(if holders.is_empty() { &connected } else { &holders }, &mut turn.random)
        })
    }

    /// Somebody holds `size` statements of `log`.
    pub(super) fn heard_of(&mut self, log: LogId, size: u64, from: MemberCode) {
        if self.federation.log_key(&log).is_none() {
            return;
        }
        let state = self.logs.entry(log).or_insert_with(LogState::empty);
        if size > state.tree.size() {
            state.target = state.target.max(size);
            state.source = Some(from).filter(|from| state.failed != Some(*from));
            if log == self.me.log {
                // What it said of it before does not count any more: until it has shown what there is, or denied it, it is asked again.
                self.author.unheard(from);
            }
        }
    }

    /// A peer says to hold `entry`: if that is another history than the one held, it is challenged.
    pub(super) fn hold_against(&mut self, turn: &Turn, entry: &FrontierEntry) -> Result<(), StoreError> {
        let held = self.logs.get(&entry.log).map_or(0, |state| state.tree.size());
        if entry.size <= held {
            let nodes = LogNodes { store: &self.store, log: entry.log };
            if merkle::root_of(&nodes, entry.size)? != entry.root {
                self.challenge(turn, entry.log);
            }
        }
        Ok(())
    }

    /// Statements came that were asked for.
    pub(super) fn progressed(&mut self, log: LogId) {
        if let Some(state) = self.logs.get_mut(&log) {
            (state.misses, state.failed, state.pull_after) = (0, None, Now(0));
        }
    }

    /// Form, federation, key, signature and clock of a checkpoint.
    fn checked_checkpoint(&self, turn: &Turn, checkpoint: &SignedRoot) -> Result<(Root, LogId, u64), Refusal> {
        let root = checkpoint.verify(&self.federation).map_err(|fault| Refusal::of_root(&fault))?;
        let Claim::Checkpoint { log, size, .. } = root.claim else { return Err(Refusal::Form) };
        // What one's own key has signed was signed, whatever this machine's clock says: a log that went on further must be known of.
        if log != self.me.log && root.issued_at.since(turn.now.time()) > limits::CLOCK_AHEAD_S {
            return Err(Refusal::Future);
        }
        Ok((root, log, size))
    }

    /// Whether a checkpoint is good and of the log as it is held.
    ///
    /// # Errors
    /// The store's, outside; the peer's fault, inside.
    pub(super) fn holds_checkpoint(
        &mut self,
        turn: &Turn,
        checkpoint: &SignedRoot,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let (root, log, size) = match self.checked_checkpoint(turn, checkpoint) {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match self.standing(turn, checkpoint, &root, log, size)? {
            Standing::Held => Ok(()),
            Standing::Ahead | Standing::Forked => Err(Refusal::Unproved),
        })
    }

    /// Holds a good checkpoint against the log; two that cannot both be true become a proof.
    fn standing(
        &mut self,
        turn: &Turn,
        checkpoint: &SignedRoot,
        root: &Root,
        log: LogId,
        size: u64,
    ) -> Result<Standing, StoreError> {
        if size > self.logs.get(&log).map_or(0, |state| state.tree.size()) {
            self.end_if_own(log);
        }
        let Some(state) = self.logs.get(&log) else { return Ok(Standing::Ahead) };
        if state.fork.is_some() {
            // Whoever speaks of it may not know yet.
            self.tell_fork(turn, log)?;
            return Ok(Standing::Forked);
        }
        if size > state.tree.size() {
            return Ok(Standing::Ahead);
        }
        let nodes = LogNodes { store: &self.store, log };
        let held_root = merkle::root_of(&nodes, size)?;
        let Some((own, own_root)) = &state.complete else {
            return Ok(if held_root == root.root { Standing::Held } else { Standing::Forked });
        };
        let same_claim = own_root.claim.log_and_size() != root.claim.log_and_size() || own_root.claim == root.claim;
        if held_root == root.root && same_claim {
            return Ok(Standing::Held);
        }
        let Some((_, own_size)) = own_root.claim.log_and_size() else { return Ok(Standing::Held) };
        if own_size < size {
            // The proof needs a checkpoint of ours at or beyond that size; the next one that completes gives it.
            return Ok(Standing::Forked);
        }
        let mut path = merkle::consistency_proof_of(&nodes, size, own_size)?;
        if size < own_size && size.is_power_of_two() {
            path.insert(0, held_root);
        }
        let proof = ForkProof { lesser: checkpoint.clone(), greater: own.clone(), path };
        if proof.verify(&self.federation).is_ok() {
            self.quarantine(turn, log, size, &proof)?;
        }
        Ok(Standing::Forked)
    }

    /// Takes in another's proof that the owner of a log signed two histories.
    pub(super) fn take_fork(&mut self, turn: &Turn, proof: &ForkProof) -> Result<Result<(), Refusal>, StoreError> {
        let (log, size) = match proof.verify(&self.federation) {
            Ok(found) => found,
            Err(ForkFault::Root(fault)) => return Ok(Err(Refusal::of_root(&fault))),
            Err(ForkFault::Form(_) | ForkFault::NoContradiction) => return Ok(Err(Refusal::Form)),
        };
        if self.logs.get(&log).is_none_or(|state| state.fork.is_none()) {
            self.quarantine(turn, log, size, proof)?;
        }
        Ok(Ok(()))
    }

    /// Keeps a proof of equivocation for ever, tells everybody, and accepts nothing more of the log.
    fn quarantine(&mut self, turn: &Turn, log: LogId, size: u64, proof: &ForkProof) -> Result<(), StoreError> {
        self.store.stage(Frame { key: Key::Fork(log, 0), at: turn.now.time(), bytes: proof.encode() })?;
        self.logs.entry(log).or_insert_with(LogState::empty).fork = Some(size);
        self.note_frontier(log);
        // Told once the proof is on the disk: a crash must not leave an accusation that nobody can show.
        self.out.push_durable(Effect::Event(Event::Fork { log, size }));
        if log == self.me.log && !matches!(self.author.phase, Phase::Ended { .. }) {
            self.end_log("two histories of it are signed: its key is in use elsewhere as well");
        }
        self.tell_fork(turn, log)
    }

    /// Sends the proof about a log to everybody, now and then.
    pub(super) fn tell_fork(&mut self, turn: &Turn, log: LogId) -> Result<(), StoreError> {
        let Some(state) = self.logs.get_mut(&log).filter(|state| state.fork.is_some()) else { return Ok(()) };
        if state.fork_told.is_some_and(|at| at <= turn.now && turn.now.since(at) < limits::TELL_FORK_MS) {
            return Ok(());
        }
        let Some(frame) = self.store.get(&Key::Fork(log, 0))? else { return Ok(()) };
        if let Ok(proof) = ForkProof::decode(&frame.bytes) {
            state.fork_told = Some(turn.now);
            self.out.push_durable(Effect::Gossip(Gossip::Fork(proof).encode()));
        }
        Ok(())
    }

    /// A peer answers for a log with another history than the one held: one's own newest checkpoint is told to everybody, so that
    /// whoever holds more of the other history can prove that both were signed.
    fn challenge(&mut self, turn: &Turn, log: LogId) {
        let interval = self.settings.sync_interval_ms;
        let Some(state) = self.logs.get_mut(&log).filter(|state| state.fork.is_none()) else { return };
        let Some((checkpoint, root)) = state.complete.clone() else { return };
        if state.challenged.is_some_and(|at| at <= turn.now && turn.now.since(at) < interval) {
            return;
        }
        state.challenged = Some(turn.now);
        if let Some((_, from)) = root.claim.log_and_size() {
            let news = Gossip::News { checkpoint, from, statements: Vec::new() };
            self.out.push_durable(Effect::Gossip(news.encode()));
        }
    }

    /// A checkpoint under the key of one's own log shows that it was signed further than this disk knows, whether or not its statements come:
    /// another history must not be begun here.
    fn end_if_own(&mut self, log: LogId) {
        if log == self.me.log && !matches!(self.author.phase, Phase::Ended { .. }) {
            self.end_log("peers hold more of it than this disk does, as after the restore of an old backup");
        }
    }

    /// Keeps a checkpoint if it is the newest of those whose statements are all held. One of an unchanged size is kept in memory only:
    /// a sign of life every few minutes for ever is nothing to store.
    fn note_checkpoint(
        &mut self,
        turn: &Turn,
        checkpoint: &SignedRoot,
        root: Root,
        log: LogId,
    ) -> Result<(), StoreError> {
        let state = self.logs.entry(log).or_insert_with(LogState::empty);
        let size_of = |root: &Root| root.claim.log_and_size().map_or(0, |(_, size)| size);
        let (size, held) = (size_of(&root), state.complete.as_ref().map(|(_, held)| (size_of(held), held.issued_at)));
        if held.is_some_and(|held| (size, root.issued_at) <= held) {
            return Ok(());
        }
        let claimed = Now(root.issued_at.seconds().saturating_mul(1000));
        state.complete = Some((checkpoint.clone(), root));
        state.target = state.target.max(size);
        self.claim_time(log, claimed, turn.now);
        if held.is_none_or(|(held, _)| held < size) {
            self.store.stage(Frame { key: Key::Checkpoint(log), at: turn.now.time(), bytes: checkpoint.encode() })?;
            self.out.touch();
        }
        Ok(())
    }

    /// Appends statements that a checkpoint proves.
    pub(super) fn append(
        &mut self,
        turn: &Turn,
        log: LogId,
        tree: CompactTree,
        leaves: &[Digest],
        statements: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let state = self.logs.entry(log).or_insert_with(LogState::empty);
        let first = state.tree.size();
        assert_eq!(first + leaves.len() as u64, tree.size(), "a log grows by the statements that are appended");
        for ((position, bytes), leaf) in (first..).zip(statements).zip(leaves) {
            let id = RecordId { log, position };
            self.store.stage(Frame { key: Key::Statement(id), at: turn.now.time(), bytes: bytes.clone() })?;
            if self.store.node(&log, 0, position)? != *leaf {
                // Nothing of it is on the disk yet, and nothing has been said: after a start it is fetched or signed anew.
                let what = format!("statement {id} changed in the memory of this machine before it was stored");
                return Err(StoreError::Damaged { what });
            }
        }
        state.tree = tree;
        self.count_logged(log, statements, turn.now);
        self.out.touch();
        Ok(())
    }

    /// Whether each statement is within the charter's maximum length: the only reason to refuse a leaf.
    fn fits(&self, statements: &[Vec<u8>]) -> bool {
        let limit = self.federation.parameters().statement_bytes_max;
        statements.iter().all(|statement| statement.len() as u64 <= limit)
    }
}

/// The tree with more leaves, and their hashes.
pub(super) fn extend(tree: &CompactTree, statements: &[Vec<u8>]) -> (CompactTree, Vec<Digest>) {
    let mut tree = tree.clone();
    let leaves: Vec<Digest> = statements.iter().map(|statement| merkle::leaf_hash(statement)).collect();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    (tree, leaves)
}
