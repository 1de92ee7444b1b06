//! Charter and manifests: what is newer is taken up and told to everybody; two of one version become a proof that is kept.
//!
//! Two charters of one version freeze membership: no later charter is taken up before the operator has chosen one of them. Two manifests
//! of one member freeze that manifest, until its root signs a later one. Data flow on in both cases. `docs/decisions/0026-two-charters.md`.

use std::collections::BTreeSet;

use crate::encoding::cbor::{self, Value};
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::MemberCode;
use crate::identity::charter::CharterError;
use crate::identity::manifest::ManifestError;
use crate::identity::{
    CharterSplit, Federation, FederationError, ManifestSplit, Published, SignedCharter, SignedManifest, Splits,
};
use crate::ledger::{Frame, Key, KeyKind, Store, StoreError};

use super::effect::{Effect, Event, NotTakenUp, TakenUp};
use super::message::Response;
use super::refusal::Refusal;
use super::{Node, Turn, limits};

/// What a charter file has changed.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Whether something in it was news.
    pub is_news: bool,
    /// A charter in it that contradicts the one that is held.
    pub rival: Option<Box<(SignedCharter, SignedCharter)>>,
}

impl<S: Store> Node<S> {
    /// What was found when the charter file was held against the store is kept from now on, as if a peer had told it.
    pub(super) fn keep_what_was_found(&mut self) -> Result<(), StoreError> {
        let at = self.federation.charter().issued_at();
        if let Some(split) = &self.splits.charter
            && !self.store.has(&Key::CharterSplit)?
        {
            self.store.stage(Frame { key: Key::CharterSplit, at, bytes: split.encode() })?;
            self.out.push_durable(Effect::Event(Event::Split { manifest: None, version: split.version() }));
        }
        for (member, split) in &self.splits.manifests {
            if !self.store.has(&Key::ManifestSplit(*member))? {
                self.store.stage(Frame { key: Key::ManifestSplit(*member), at, bytes: split.encode() })?;
                let manifest = Some(*member);
                self.out.push_durable(Effect::Event(Event::Split { manifest, version: split.version() }));
            }
        }
        Ok(())
    }

    /// What is compared with peers: charter, manifests, and what is proved about them.
    pub(super) fn published_digest(&self) -> Digest {
        let federation = self.federation.digest();
        if self.splits.is_empty() {
            return federation;
        }
        sha256(&cbor::encode(&Value::Array(vec![federation.into(), self.splits.digest().into()])))
    }

    /// Takes up what is newer in `news`, and keeps what contradicts what is held as proof.
    ///
    /// # Errors
    /// The store's, outside; what is wrong with `news`, inside.
    pub(super) fn take_up(
        &mut self,
        turn: &Turn,
        mut news: Published,
    ) -> Result<Result<Taken, FederationError>, StoreError> {
        let mut taken = Taken::default();
        if self.splits.freeze() {
            let newest = self.federation.charter().version();
            news.charters.retain(|charter| charter.charter().version() <= newest);
        }
        loop {
            let rivals: BTreeSet<Digest> = self.splits.manifests.values().flat_map(ManifestSplit::digests).collect();
            match self.federation.with_published_after(news.clone(), &rivals) {
                Ok(None) => return Ok(Ok(taken)),
                Ok(Some(federation)) => {
                    taken.is_news = true;
                    self.adopt(turn, federation)?;
                    return Ok(Ok(taken));
                }
                Err(FederationError::Charter(CharterError::Rival(rivals))) => {
                    self.note_charters(turn, &rivals)?;
                    // What follows the other charter is not taken up, but data flow on: manifests are.
                    news.charters.clear();
                    let holds = |manifest: &SignedManifest| self.federation.check_rival(manifest).is_ok();
                    news.manifests.retain(|_, manifest| holds(manifest));
                    taken.rival = Some(rivals);
                }
                // A member that signed two manifests of one version, for two halves, must not keep these from ever telling each other
                // anything again: of such a member each keeps what it holds.
                Err(FederationError::Manifest(ManifestError::Rival(rivals))) => {
                    let member = rivals.0.manifest().member();
                    if news.manifests.remove(&member).is_none() {
                        return Ok(Err(ManifestError::Rival(rivals).into()));
                    }
                    self.note_manifests(turn, ManifestSplit::new(rivals.0, rivals.1))?;
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// The operator has chosen one of the charters of a version that was signed twice: it, and what follows it, stand in the place of
    /// what is held.
    ///
    /// # Errors
    /// The store's, outside; why nothing changes, inside.
    pub(super) fn choose(&mut self, turn: &Turn, news: Published) -> Result<Result<TakenUp, NotTakenUp>, StoreError> {
        let Some(mut split) = self.splits.charter.clone().filter(|split| split.settled().is_none()) else {
            return Ok(Err(NotTakenUp::NothingToSettle));
        };
        let version = split.version();
        let chosen = news.charters.iter().find(|charter| charter.charter().version() == version);
        let Some(chosen) = chosen.map(SignedCharter::digest).filter(|chosen| split.knows(chosen)) else {
            return Ok(Err(NotTakenUp::NothingToSettle));
        };
        let federation = match self.federation.settled(news, version) {
            Ok(federation) => federation,
            Err(error) => return Ok(Err(error.into())),
        };
        // What is held may go further on the same side already.
        let held = self.federation.chain().version(version).map(SignedCharter::digest);
        let is_further = held == Some(chosen) && federation.charter().version() < self.federation.charter().version();
        split.settle(chosen);
        self.store.stage(Frame { key: Key::CharterSplit, at: turn.now.time(), bytes: split.encode() })?;
        self.splits.charter = Some(split);
        if !is_further {
            self.adopt(turn, federation)?;
        }
        self.out.touch();
        Ok(Ok(self.taken_up(true)))
    }

    /// What the operator is told.
    pub(super) fn taken_up(&self, is_news: bool) -> TakenUp {
        TakenUp { version: self.federation.charter().version(), is_news, told: self.peers.connected() }
    }

    /// From now on this is the federation. It is told to everybody once it is durable.
    fn adopt(&mut self, turn: &Turn, federation: Federation) -> Result<(), StoreError> {
        let bytes = federation
            .published()
            .encode()
            .map_err(|_| StoreError::Damaged { what: "the charter file, which cannot be encoded again".to_owned() })?;
        self.store.stage(Frame { key: Key::Published, at: turn.now.time(), bytes })?;
        let changed = changed(&self.federation, &federation);
        let version = federation.charter().version();
        self.federation = federation;
        self.author.lanes_settled = None;
        for (member, peer) in &mut self.peers.by_member {
            // Its connections are cut; nothing is asked of it any more, and its questions are not answered.
            if !self.federation.is_active(*member) {
                peer.connected = false;
                peer.waiting.clear();
            }
        }
        self.out.push_durable(Effect::Members);
        self.out.push_durable(Effect::Event(Event::Members { version, changed }));
        self.tell_everybody();
        Ok(())
    }

    /// Greets everybody, who will ask for what they do not know: within seconds, and not at the next comparison.
    fn tell_everybody(&mut self) {
        self.out.touch();
        for member in self.peers.connected() {
            if self.federation.is_active(member) {
                self.say_hello_durable(member);
            }
        }
    }

    fn note_charters(&mut self, turn: &Turn, rivals: &(SignedCharter, SignedCharter)) -> Result<(), StoreError> {
        let (held, rival) = rivals;
        let split = match &self.splits.charter {
            Some(split) if split.knows(&rival.digest()) => return Ok(()),
            Some(split) if split.version() == rival.charter().version() => {
                let mut split = split.clone();
                split.add(rival.clone());
                split
            }
            // The first that is not settled counts: it froze everything.
            Some(split) if split.settled().is_none() => return Ok(()),
            Some(_) | None => CharterSplit::new(held.clone(), rival.clone()),
        };
        self.keep_charters(turn, split)
    }

    fn keep_charters(&mut self, turn: &Turn, split: CharterSplit) -> Result<(), StoreError> {
        if self.splits.charter.as_ref() == Some(&split) {
            return Ok(());
        }
        self.store.stage(Frame { key: Key::CharterSplit, at: turn.now.time(), bytes: split.encode() })?;
        let version = split.version();
        self.splits.charter = Some(split);
        self.out.push_durable(Effect::Event(Event::Split { manifest: None, version }));
        self.tell_everybody();
        Ok(())
    }

    fn note_manifests(&mut self, turn: &Turn, split: ManifestSplit) -> Result<(), StoreError> {
        let Some(member) = split.member() else { return Ok(()) };
        let version = split.version();
        if self.splits.manifests.get(&member).is_some_and(|held| held.version() >= version) {
            return Ok(());
        }
        self.store.stage(Frame { key: Key::ManifestSplit(member), at: turn.now.time(), bytes: split.encode() })?;
        self.splits.manifests.insert(member, split);
        self.out.push_durable(Effect::Event(Event::Split { manifest: Some(member), version }));
        self.tell_everybody();
        Ok(())
    }

    /// The proofs, for a peer: as many as fit.
    pub(super) fn splits_for_peer(&self) -> Response {
        if self.splits.is_empty() {
            return Response::Nothing;
        }
        let charter = self.splits.charter.as_ref().map(CharterSplit::encode_open).unwrap_or_default();
        let mut left = limits::CHUNK_BYTES_MAX.saturating_sub(charter.len());
        let mut manifests = Vec::new();
        for split in self.splits.manifests.values() {
            let bytes = split.encode();
            if bytes.len() <= left {
                left -= bytes.len();
                manifests.push(bytes);
            }
        }
        Response::Splits { charter, manifests }
    }

    /// Takes proofs from a peer. Those that do not hold are passed over: they may be about a charter that is not known here.
    pub(super) fn take_splits(
        &mut self,
        turn: &Turn,
        charter: &[u8],
        manifests: &[Vec<u8>],
    ) -> Result<Result<(), Refusal>, StoreError> {
        let mut good = true;
        if !charter.is_empty() {
            match CharterSplit::verify(charter, self.federation.chain()) {
                Ok(split) => self.merge_charters(turn, split)?,
                Err(_) => good = false,
            }
        }
        for bytes in manifests {
            match ManifestSplit::verify(bytes, &self.federation) {
                Ok(split) => self.note_manifests(turn, split)?,
                Err(_) => good = false,
            }
        }
        Ok(if good { Ok(()) } else { Err(Refusal::Unproved) })
    }

    fn merge_charters(&mut self, turn: &Turn, theirs: CharterSplit) -> Result<(), StoreError> {
        let merged = match &self.splits.charter {
            Some(own) if own.version() == theirs.version() => {
                let mut own = own.clone();
                theirs.digests().filter_map(|digest| theirs.rival(&digest)).for_each(|rival| own.add(rival.clone()));
                own
            }
            // An older one, long settled, or one that does not matter before this one is settled.
            Some(own) if own.settled().is_none() || own.version() > theirs.version() => return Ok(()),
            Some(_) | None => theirs,
        };
        self.keep_charters(turn, merged)
    }
}

/// Members whose status, root or logs differ.
fn changed(before: &Federation, after: &Federation) -> Vec<MemberCode> {
    let logs = |federation: &Federation, member| {
        federation.manifest(member).map(|manifest| manifest.logs().map(|(_, entry)| entry.clone()).collect::<Vec<_>>())
    };
    let differs = |code: MemberCode| {
        let (was, is) = (before.member(code), after.member(code));
        was.map(|was| (was.status, was.root)) != is.map(|is| (is.status, is.root))
            || logs(before, code) != logs(after, code)
    };
    after.charter().members().keys().copied().filter(|code| differs(*code)).collect()
}

/// The proofs that a store has, about a federation that was loaded from it.
#[must_use]
pub fn splits<S: Store>(store: &S, federation: &Federation) -> Splits {
    let mut splits = Splits::default();
    let frame = |key: Key| store.get(&key).ok().flatten();
    splits.charter =
        frame(Key::CharterSplit).and_then(|frame| CharterSplit::verify(&frame.bytes, federation.chain()).ok());
    for key in store.keys(KeyKind::ManifestSplit).unwrap_or_default() {
        if let Key::ManifestSplit(member) = key
            && let Some(split) = frame(key).and_then(|frame| ManifestSplit::verify(&frame.bytes, federation).ok())
        {
            splits.manifests.insert(member, split);
        }
    }
    splits
}

/// What a node holds when it starts: `file` is what the operator's charter file gives, the store has what came since. Where they
/// contradict each other, what was held counts, and the contradiction is found again.
pub(super) fn load<S: Store>(store: &S, file: Federation) -> Result<(Federation, Splits), StoreError> {
    let stored = store.get(&Key::Published)?;
    let stored = stored.and_then(|frame| Published::decode(&frame.bytes).ok()?.verify().ok());
    let Some(stored) = stored.filter(|stored| stored.id() == file.id()) else { return Ok((file, Splits::default())) };
    let mut splits = splits(store, &stored);
    let mut news = file.published();
    if splits.freeze() {
        let newest = stored.charter().version();
        news.charters.retain(|charter| charter.charter().version() <= newest);
    }
    let rivals: BTreeSet<Digest> = splits.manifests.values().flat_map(ManifestSplit::digests).collect();
    let federation = match stored.with_published_after(news, &rivals) {
        Ok(Some(newer)) => newer,
        Ok(None) => stored,
        Err(FederationError::Charter(CharterError::Rival(pair))) => {
            if !splits.charter.as_ref().is_some_and(|split| split.knows(&pair.1.digest())) {
                splits.charter = Some(CharterSplit::new(pair.0, pair.1));
            }
            stored
        }
        Err(FederationError::Manifest(ManifestError::Rival(pair))) => {
            let split = ManifestSplit::new(pair.0, pair.1);
            if let Some(member) = split.member() {
                splits.manifests.entry(member).or_insert(split);
            }
            stored
        }
        Err(_) => stored,
    };
    Ok((federation, splits))
}
