//! The checked view of charter and manifests that everybody works with.

use std::collections::{BTreeMap, BTreeSet};

use super::charter::{
    Charter, CharterChain, CharterDraft, CharterError, Member, MemberStatus, Parameters, SignedCharter,
};
use super::key::PublicKey;
use super::manifest::{Manifest, ManifestError, SignedManifest};
use super::published::Published;
use super::seal_key::SealPublicKey;
use crate::encoding::cbor::{self, Value};
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::{FederationId, LogId, MemberCode};
use crate::encoding::time::UnixTime;

/// A federation as its charter and manifests describe it, every signature checked. Never changed in place: news give
/// a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    id: FederationId,
    digest: Digest,
    chain: CharterChain,
    manifests: BTreeMap<MemberCode, SignedManifest>,
}

/// One network identity and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport<'a> {
    /// The member.
    pub member: MemberCode,
    /// Its transport key.
    pub key: &'a PublicKey,
    /// Multiaddresses as text.
    pub addresses: &'a [String],
}

/// Why charter and manifests do not make a federation, or news of it are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FederationError {
    /// A charter is refused.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// A manifest is refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An active member is listed without its manifest.
    #[error("the manifest of {member} is missing")]
    ManifestMissing {
        /// Which member.
        member: MemberCode,
    },
    /// Two members list one key, so that it would not say who speaks.
    #[error("{first} and {second} list the same key")]
    KeyShared {
        /// One of them.
        first: MemberCode,
        /// The other.
        second: MemberCode,
    },
    /// The news are of another federation.
    #[error("charter of another federation, {found}")]
    AnotherFederation {
        /// Which one.
        found: FederationId,
    },
}

impl Federation {
    /// Checks charters and manifests; see [`Published::verify`].
    pub(super) fn verify(published: Published) -> Result<Self, FederationError> {
        let chain = CharterChain::verify(published.charters)?;
        Self::assemble(chain, published.manifests)
    }

    /// Every greeting between two nodes carries the digest, so it is computed once: it encodes and hashes every manifest.
    fn of(chain: CharterChain, manifests: BTreeMap<MemberCode, SignedManifest>) -> Self {
        let digests = manifests.values().map(|manifest| Value::from(manifest.digest())).collect::<Vec<_>>();
        let all = Value::from(vec![Value::from(chain.newest().digest()), Value::from(digests)]);
        Self { id: chain.federation(), digest: sha256(&cbor::encode(&all)), chain, manifests }
    }

    fn assemble(chain: CharterChain, manifests: BTreeMap<MemberCode, SignedManifest>) -> Result<Self, FederationError> {
        check_all(chain.newest().charter(), chain.federation(), &manifests)?;
        Ok(Self::of(chain, manifests))
    }

    /// SHA-256 of the payload of charter version 1.
    #[must_use]
    pub fn id(&self) -> FederationId {
        self.id
    }

    /// The newest charter.
    #[must_use]
    pub fn charter(&self) -> &Charter {
        self.chain.newest().charter()
    }

    /// All versions of the charter.
    #[must_use]
    pub fn chain(&self) -> &CharterChain {
        &self.chain
    }

    /// Limits that hold for all.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        self.charter().parameters()
    }

    /// One member, whatever its status.
    #[must_use]
    pub fn member(&self, code: MemberCode) -> Option<&Member> {
        self.charter().member(code)
    }

    /// The members that take part, countries and observers, in the order of their codes.
    pub fn active_members(&self) -> impl Iterator<Item = (MemberCode, &Member)> {
        self.charter().active_members()
    }

    /// Whether the member takes part.
    #[must_use]
    pub fn is_active(&self, code: MemberCode) -> bool {
        self.member(code).is_some_and(|member| member.status == MemberStatus::Active)
    }

    /// A member's newest manifest.
    #[must_use]
    pub fn manifest(&self, code: MemberCode) -> Option<&Manifest> {
        self.manifests.get(&code).map(SignedManifest::manifest)
    }

    /// All newest manifests with their signatures.
    #[must_use]
    pub fn manifests(&self) -> &BTreeMap<MemberCode, SignedManifest> {
        &self.manifests
    }

    /// All logs of all members, those of suspended and removed members and the closed ones included: history stands.
    pub fn logs(&self) -> impl Iterator<Item = (LogId, &super::manifest::LogEntry)> {
        self.manifests.values().flat_map(|manifest| manifest.manifest().logs())
    }

    /// The key of a log.
    #[must_use]
    pub fn log_key(&self, log: &LogId) -> Option<&PublicKey> {
        self.manifest(log.member)?.log(log).map(|entry| &entry.key)
    }

    /// The key that signs a member's cosignatures.
    #[must_use]
    pub fn witness_key(&self, code: MemberCode) -> Option<&PublicKey> {
        self.manifest(code).map(Manifest::witness)
    }

    /// The key to which lanes for a member are sealed in an epoch.
    #[must_use]
    pub fn seal_key(&self, code: MemberCode, epoch: u32) -> Option<&SealPublicKey> {
        self.manifest(code)?.seal_keys().get(&epoch)
    }

    /// The network identities of all active members.
    pub fn transports(&self) -> impl Iterator<Item = Transport<'_>> {
        self.active_members().filter_map(|(member, _)| Some((member, self.manifest(member)?))).flat_map(
            |(member, manifest)| {
                let entries = manifest.transports().iter();
                entries.map(move |entry| Transport { member, key: &entry.key, addresses: &entry.addresses })
            },
        )
    }

    /// The active member whose network identity this is.
    #[must_use]
    pub fn member_of_transport(&self, key: &[u8; 32]) -> Option<MemberCode> {
        self.transports().find(|transport| transport.key.as_bytes() == key).map(|transport| transport.member)
    }

    /// Statements that a member may log per day.
    #[must_use]
    pub fn statements_per_day(&self, code: MemberCode) -> u64 {
        self.member(code).and_then(|member| member.statements_per_day).unwrap_or(self.parameters().statements_per_day)
    }

    /// The epoch in which a moment lies; times before the federation belong to its first epoch, 0.
    #[must_use]
    pub fn epoch_at(&self, time: UnixTime) -> u32 {
        let seconds = u64::try_from(time.since(self.founded_at())).unwrap_or(0);
        u32::try_from(seconds / self.parameters().epoch_seconds).unwrap_or(u32::MAX)
    }

    /// When an epoch begins.
    #[must_use]
    pub fn epoch_start(&self, epoch: u32) -> UnixTime {
        let seconds = u64::from(epoch).saturating_mul(self.parameters().epoch_seconds);
        self.founded_at().plus(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// The time of charter version 1.
    #[must_use]
    pub fn founded_at(&self) -> UnixTime {
        self.chain.first().charter().issued_at()
    }

    /// One digest over the newest charter and manifests, by their payloads: two nodes with the same digest know the same.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What makes the charter file, and what a peer is sent.
    #[must_use]
    pub fn published(&self) -> Published {
        Published { charters: self.chain.versions().to_vec(), manifests: self.manifests.clone() }
    }

    /// The federation with a newer manifest; `None` if it is the one that is held already.
    ///
    /// # Errors
    /// [`FederationError`]; with [`ManifestError::Rival`] if another manifest of the same version is properly signed.
    pub fn with_manifest(&self, manifest: SignedManifest) -> Result<Option<Self>, FederationError> {
        let member = manifest.manifest().member();
        self.check_manifest(member, &manifest)?;
        if let Some(held) = self.manifests.get(&member)
            && !manifest.follows(held)?
        {
            return Ok(None);
        }
        let mut manifests = self.manifests.clone();
        manifests.insert(member, manifest);
        check_keys_apart(self.charter(), &manifests)?;
        Ok(Some(Self::of(self.chain.clone(), manifests)))
    }

    /// The federation with the next version of its charter; `None` if that is the one that is held already. A version with
    /// new members or new roots needs their manifests as well: [`Self::with_published`].
    ///
    /// # Errors
    /// [`FederationError`]; with [`CharterError::Rival`] if another charter of the same version is properly signed.
    pub fn with_charter(&self, charter: SignedCharter) -> Result<Option<Self>, FederationError> {
        let mut chain = self.chain.clone();
        if !chain.extend(charter)? {
            return Ok(None);
        }
        Self::assemble(chain, self.manifests.clone()).map(Some)
    }

    /// The federation with everything that is newer in `news`; `None` if nothing is. What is older is passed over.
    ///
    /// # Errors
    /// [`FederationError`], also for rivals of what is held.
    pub fn with_published(&self, news: Published) -> Result<Option<Self>, FederationError> {
        self.with_published_after(news, &BTreeSet::new())
    }

    /// The same, where a manifest may also follow one of `rivals`: manifests of the version that is held which the same root has signed.
    ///
    /// # Errors
    /// As [`Self::with_published`].
    pub fn with_published_after(
        &self,
        news: Published,
        rivals: &BTreeSet<Digest>,
    ) -> Result<Option<Self>, FederationError> {
        let found = news.charters.first().map(|first| FederationId(first.digest()));
        if let Some(found) = found.filter(|found| *found != self.id) {
            return Err(FederationError::AnotherFederation { found });
        }
        let mut chain = self.chain.clone();
        let mut changed = false;
        for charter in news.charters {
            match chain.extend(charter) {
                Ok(is_news) => changed |= is_news,
                Err(CharterError::Older { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut manifests = self.manifests.clone();
        for (member, manifest) in news.manifests {
            // A manifest is believed only under the newest root, so an old one of a member that has since changed its root is passed over here too.
            let newest = manifests.get(&member).map_or(0, |held| held.manifest().version());
            if manifest.manifest().version() < newest {
                continue;
            }
            let charter = chain.newest().charter();
            check_manifest(charter, chain.federation(), member, &manifest)?;
            if match manifests.get(&member) {
                Some(held) => manifest.follows_one_of(held, rivals)?,
                None => true,
            } {
                manifests.insert(member, manifest);
                changed = true;
            }
        }
        if !changed {
            return Ok(None);
        }
        Self::assemble(chain, manifests).map(Some)
    }

    /// Whether this manifest, of whatever version, is one of its member's.
    ///
    /// # Errors
    /// [`FederationError`], naming what is wrong.
    pub fn check_rival(&self, manifest: &SignedManifest) -> Result<(), FederationError> {
        self.check_manifest(manifest.manifest().member(), manifest)
    }

    /// The federation with the charters of `news` in place of those that are held, from the version on that is signed twice: the
    /// operator has chosen. Manifests are the newest of both that hold under the charter.
    ///
    /// # Errors
    /// [`FederationError`], also if `news` does not begin as what is held does.
    pub fn settled(&self, news: Published, version: u64) -> Result<Self, FederationError> {
        let chain = CharterChain::verify(news.charters)?;
        for earlier in 1..version {
            if chain.version(earlier).map(SignedCharter::digest)
                != self.chain.version(earlier).map(SignedCharter::digest)
            {
                return Err(FederationError::AnotherFederation { found: chain.federation() });
            }
        }
        let charter = chain.newest().charter();
        let mut manifests = news.manifests;
        for (member, held) in &self.manifests {
            let newer = manifests.get(member).is_none_or(|new| new.manifest().version() < held.manifest().version());
            if newer && check_manifest(charter, chain.federation(), *member, held).is_ok() {
                manifests.insert(*member, held.clone());
            }
        }
        Self::assemble(chain, manifests)
    }

    /// The charter file with `draft` as the version that follows, unsigned, and with these manifests besides those that are held.
    /// Everything is checked but signatures of the charter, so that nobody is asked to sign what could never hold.
    ///
    /// # Errors
    /// [`FederationError`], naming the first thing that is wrong.
    pub fn proposed(
        &self,
        draft: CharterDraft,
        manifests: impl IntoIterator<Item = SignedManifest>,
    ) -> Result<Published, FederationError> {
        let next = SignedCharter::unsigned(draft.check()?, self.id);
        self.chain.could_follow(&next)?;
        let mut published = self.published();
        for manifest in manifests {
            let member = manifest.manifest().member();
            if let Some(held) = published.manifests.get(&member) {
                manifest.follows(held)?;
            }
            published.manifests.insert(member, manifest);
        }
        check_all(next.charter(), self.id, &published.manifests)?;
        published.charters.push(next);
        Ok(published)
    }

    fn check_manifest(&self, member: MemberCode, manifest: &SignedManifest) -> Result<(), FederationError> {
        check_manifest(self.charter(), self.id, member, manifest)
    }
}

/// Every manifest holds under the charter, no active member lacks one, and no key is two members'.
fn check_all(
    charter: &Charter,
    federation: FederationId,
    manifests: &BTreeMap<MemberCode, SignedManifest>,
) -> Result<(), FederationError> {
    for (member, manifest) in manifests {
        check_manifest(charter, federation, *member, manifest)?;
    }
    if let Some((member, _)) = charter.active_members().find(|(member, _)| !manifests.contains_key(member)) {
        return Err(FederationError::ManifestMissing { member });
    }
    check_keys_apart(charter, manifests)
}

/// Every Ed25519 key, roots included, belongs to one member.
fn check_keys_apart(
    charter: &Charter,
    manifests: &BTreeMap<MemberCode, SignedManifest>,
) -> Result<(), FederationError> {
    let mut owners: BTreeMap<&PublicKey, MemberCode> = BTreeMap::new();
    let roots = charter.members().iter().map(|(code, member)| (*code, &member.root));
    let others =
        manifests.iter().flat_map(|(code, manifest)| manifest.manifest().signing_keys().map(|key| (*code, key)));
    for (second, key) in roots.chain(others) {
        if let Some(first) = owners.insert(key, second).filter(|first| *first != second) {
            return Err(FederationError::KeyShared { first, second });
        }
    }
    Ok(())
}

fn check_manifest(
    charter: &Charter,
    federation: FederationId,
    member: MemberCode,
    manifest: &SignedManifest,
) -> Result<(), FederationError> {
    let found = manifest.manifest().member();
    let entry = charter.member(found).filter(|_| found == member).ok_or(ManifestError::NotAMember { member: found })?;
    manifest.verify(&entry.root, federation)?;
    let logs = manifest.manifest().logs().count() as u64;
    if logs > charter.parameters().logs_per_member {
        return Err(ManifestError::Bounds { member, field: "number of logs" }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::fixture::{
        at, code, federation, federation_where, key, manifest, member, published, signed, signed_manifest,
    };
    use crate::identity::manifest::{LogEntry, ManifestDraft};

    const ALL: [&str; 3] = ["GE", "TR", "W1"];

    fn next(federation: &Federation, member: &str) -> ManifestDraft {
        federation.manifest(code(member)).unwrap().next_draft(at(50))
    }

    fn with(federation: &Federation, draft: ManifestDraft) -> Result<Option<Federation>, FederationError> {
        federation.with_manifest(signed_manifest(draft, federation.id()))
    }

    #[test]
    fn keys_are_found_by_what_they_are_for() {
        let federation = federation(&ALL);
        let log = LogId::first(code("TR"));
        assert_eq!(federation.log_key(&log), Some(&key("TR", "log").public()));
        assert_eq!(federation.log_key(&LogId { ordinal: 2, ..log }), None);
        assert_eq!(federation.witness_key(code("W1")), Some(&key("W1", "witness").public()));
        assert!(federation.seal_key(code("GE"), 1).is_some() && federation.seal_key(code("GE"), 2).is_none());
        assert_eq!(federation.transports().count(), 3);
        let transport = key("GE", "transport").public();
        assert_eq!(federation.member_of_transport(transport.as_bytes()), Some(code("GE")));
        assert_eq!(federation.member_of_transport(key("GE", "log").public().as_bytes()), None);
    }

    #[test]
    fn epochs_are_numbered_from_the_founding() {
        let federation = federation(&ALL);
        let day = 86_400;
        for (seconds, epoch) in [(-5, 0), (0, 0), (30 * day - 1, 0), (30 * day, 1), (400 * day, 13)] {
            assert_eq!(federation.epoch_at(at(seconds)), epoch, "{seconds}");
        }
        assert_eq!(federation.epoch_start(0), at(0));
        assert_eq!(federation.epoch_start(2), at(60 * day));
        assert_eq!(federation.epoch_start(u32::MAX), UnixTime::MAX);
    }

    #[test]
    fn manifests_follow_one_another() {
        let federation = federation(&ALL);
        let one = with(&federation, next(&federation, "TR")).unwrap().unwrap();
        assert_ne!(one.digest(), federation.digest());
        assert_eq!(with(&one, next(&federation, "TR")), Ok(None), "known already");
        let rival = ManifestDraft { issued_at: at(51), ..next(&federation, "TR") };
        assert!(matches!(with(&one, rival), Err(FederationError::Manifest(ManifestError::Rival(_)))));
        let older = with(&one, manifest("TR"));
        assert!(matches!(older, Err(FederationError::Manifest(ManifestError::Older { version: 1, newest: 2, .. }))));
        let other = ManifestDraft { predecessor: Some(Digest::ZERO), ..next(&federation, "TR") };
        assert!(matches!(with(&federation, other), Err(FederationError::Manifest(ManifestError::Predecessor { .. }))));
        // A version in between may never have been seen here.
        let later = ManifestDraft { version: 5, predecessor: Some(Digest::ZERO), ..next(&federation, "TR") };
        assert!(with(&federation, later).unwrap().is_some());
    }

    #[test]
    fn logs_stay_and_are_closed_once() {
        let federation = federation(&ALL);
        let mut closed = next(&federation, "TR");
        closed.logs[0].closed = Some(7);
        closed.logs.push(LogEntry { key: key("TR", "log 2").public(), opened: at(50), closed: None });
        let closed = with(&federation, closed).unwrap().unwrap();
        assert_eq!(closed.log_key(&"TR.2".parse().unwrap()), Some(&key("TR", "log 2").public()));

        let mut reopened = next(&closed, "TR");
        reopened.logs[0].closed = None;
        let mut moved = next(&closed, "TR");
        moved.logs[0].closed = Some(8);
        let mut changed = next(&closed, "TR");
        changed.logs[1].key = key("TR", "log 3").public();
        let mut vanished = next(&closed, "TR");
        vanished.logs.pop();
        for draft in [reopened, moved, changed, vanished] {
            let refused = with(&closed, draft);
            assert!(matches!(refused, Err(FederationError::Manifest(ManifestError::LogChanged { .. }))));
        }
    }

    #[test]
    fn no_key_serves_two_purposes_or_two_members() {
        let federation = federation(&ALL);
        let mut twice = next(&federation, "TR");
        twice.transports[0].key = twice.witness;
        assert!(matches!(twice.check(), Err(ManifestError::KeyUsedTwice { .. })));
        let mut root = next(&federation, "TR");
        root.witness = key("TR", "root").public();
        assert!(matches!(with(&federation, root), Err(FederationError::Manifest(ManifestError::KeyUsedTwice { .. }))));
        let mut shared = next(&federation, "TR");
        shared.transports[0].key = key("GE", "transport").public();
        assert!(matches!(with(&federation, shared), Err(FederationError::KeyShared { .. })));
    }

    #[test]
    fn only_the_root_signs_and_for_this_federation() {
        let federation = federation(&ALL);
        let stolen = SignedManifest::sign(next(&federation, "TR").check().unwrap(), federation.id(), &key("TR", "log"));
        assert!(federation.with_manifest(stolen).is_err());
        let other =
            SignedManifest::sign(next(&federation, "TR").check().unwrap(), FederationId::NONE, &key("TR", "root"));
        let error = federation.with_manifest(other).unwrap_err();
        assert!(matches!(error, FederationError::Manifest(ManifestError::Federation { .. })));
        let stranger = federation.with_manifest(signed_manifest(manifest("LB"), FederationId::NONE));
        assert!(matches!(stranger, Err(FederationError::Manifest(ManifestError::NotAMember { .. }))));
    }

    #[test]
    fn a_newcomer_comes_with_its_manifest() {
        let old = federation(&ALL);
        let mut draft = old.charter().next_draft(at(10));
        draft.members.insert(code("MZ"), member("MZ"));
        let charter = signed(draft, old.id(), &["GE", "TR", "MZ"]);
        let alone = old.with_charter(charter.clone());
        assert_eq!(alone, Err(FederationError::ManifestMissing { member: code("MZ") }));

        let mut news = old.published();
        news.charters.push(charter);
        news.manifests.insert(code("MZ"), signed_manifest(manifest("MZ"), FederationId::NONE));
        let new = old.with_published(news.clone()).unwrap().unwrap();
        assert!(new.is_active(code("MZ")));
        assert_eq!(new.id(), old.id());
        assert_eq!(news.clone().verify(), Ok(new.clone()));
        assert_eq!(new.with_published(news), Ok(None));
        assert_eq!(new.with_published(old.published()), Ok(None), "older news are passed over");
        let other = old.with_published(published(&["GE", "TR"]));
        assert!(matches!(other, Err(FederationError::AnotherFederation { .. })));
    }

    #[test]
    fn a_new_root_comes_with_a_manifest_that_it_signed() {
        let old = federation(&ALL);
        let mut draft = old.charter().next_draft(at(10));
        let entry = draft.members.get_mut(&code("TR")).unwrap();
        entry.root = key("TR", "next").public();
        entry.next_root = key("TR", "after").public().digest();
        let mut charter = signed(draft, old.id(), &["GE", "TR"]);
        charter.sign(code("TR"), &key("TR", "next"));
        assert!(old.with_charter(charter.clone()).is_err());

        let mut news = old.published();
        news.charters.push(charter);
        let manifest = SignedManifest::sign(next(&old, "TR").check().unwrap(), old.id(), &key("TR", "next"));
        news.manifests.insert(code("TR"), manifest);
        assert!(old.with_published(news).unwrap().is_some());
    }

    #[test]
    fn limits_are_those_of_the_charter() {
        let federation = federation_where(&ALL, |draft| {
            (draft.parameters.logs_per_member, draft.parameters.tags_max) = (2, 64);
        });
        assert_eq!(federation.parameters().tags_max, 64);
        let with_logs = |count: usize| {
            let mut draft = next(&federation, "TR");
            for number in draft.logs.len()..count {
                let key = key("TR", &format!("log {number}")).public();
                draft.logs.push(LogEntry { key, opened: at(50), closed: None });
            }
            with(&federation, draft)
        };
        let two = with_logs(2).unwrap().unwrap();
        let logs: Vec<String> = two.logs().map(|(log, _)| log.to_string()).collect();
        assert_eq!(logs, ["GE", "TR", "TR.2", "W1"]);
        let expected = ManifestError::Bounds { member: code("TR"), field: "number of logs" };
        assert_eq!(with_logs(3), Err(FederationError::Manifest(expected)));
    }

    #[test]
    fn who_settles_a_split_keeps_the_newest_manifests_of_both_sides() {
        let old = federation(&ALL);
        let version_2 = |name: &str| {
            let mut draft = old.charter().next_draft(at(10));
            draft.name = name.to_owned();
            old.with_charter(signed(draft, old.id(), &["GE", "TR"])).unwrap().unwrap()
        };
        let dated = |seconds| move |draft: ManifestDraft| ManifestDraft { issued_at: at(seconds), ..draft };
        let take = |federation: &Federation, draft| with(federation, draft).unwrap().unwrap();
        // Here TR is further; there GE is; and W1 has signed two of one version.
        let here = take(&version_2("One"), next(&old, "TR"));
        let here = take(&here, dated(60)(next(&old, "W1")));
        let there = take(&version_2("Other"), next(&old, "GE"));
        let there = take(&there, dated(70)(next(&old, "W1")));
        let settled = here.settled(there.published(), 2).unwrap();
        assert_eq!(settled.charter().name(), "Other");
        let versions = ALL.map(|member| settled.manifest(code(member)).unwrap().version());
        assert_eq!(versions, [2, 2, 2]);
        assert_eq!(
            settled.manifests()[&code("W1")],
            there.manifests()[&code("W1")],
            "that of the side that was chosen"
        );
        // What is chosen must begin as what is held does.
        let stranger = federation_where(&ALL, |draft| draft.name = "Stranger".to_owned());
        let refused = here.settled(stranger.published(), 2);
        assert_eq!(refused, Err(FederationError::AnotherFederation { found: stranger.id() }));
    }

    #[test]
    fn a_manifest_that_the_chosen_charter_does_not_bear_is_not_kept() {
        let old = federation(&ALL);
        let mut draft = old.charter().next_draft(at(10));
        let entry = draft.members.get_mut(&code("TR")).unwrap();
        (entry.root, entry.next_root) = (key("TR", "next").public(), key("TR", "after").public().digest());
        let mut charter = signed(draft, old.id(), &["GE", "TR"]);
        charter.sign(code("TR"), &key("TR", "next"));
        let mut chosen = old.published();
        chosen.charters.push(charter);
        let manifest = SignedManifest::sign(next(&old, "TR").check().unwrap(), old.id(), &key("TR", "next"));
        chosen.manifests.insert(code("TR"), manifest.clone());
        // Here the old root has signed two more.
        let here = with(&old, next(&old, "TR")).unwrap().unwrap();
        let here = with(&here, next(&here, "TR")).unwrap().unwrap();
        assert_eq!(here.manifest(code("TR")).unwrap().version(), 3);
        let settled = here.settled(chosen, 2).unwrap();
        assert_eq!(settled.manifests()[&code("TR")], manifest);
    }
}
