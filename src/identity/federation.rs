//! The checked view of charter and manifests that everybody works with.

use std::collections::BTreeMap;

use super::charter::{Charter, CharterError, Member, MemberStatus, Parameters};
use super::key::PublicKey;
use super::manifest::{Manifest, ManifestError, SignedManifest};
use super::published::Published;
use super::seal_key::SealPublicKey;
use super::signed_charter::{CharterChain, SignedCharter};
use crate::encoding::cbor::{self, Value};
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::{FederationId, LogId, MemberCode};
use crate::encoding::time::UnixTime;

/// A federation as its charter and manifests describe it, every signature checked. Never changed in place: news give
/// a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    id: FederationId,
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

    fn assemble(chain: CharterChain, manifests: BTreeMap<MemberCode, SignedManifest>) -> Result<Self, FederationError> {
        let federation = Self { id: chain.federation(), chain, manifests };
        for (member, manifest) in &federation.manifests {
            federation.check_manifest(*member, manifest)?;
        }
        for (member, _) in federation.charter().active_members() {
            if !federation.manifests.contains_key(&member) {
                return Err(FederationError::ManifestMissing { member });
            }
        }
        federation.check_keys_apart()?;
        Ok(federation)
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
        let manifests = self.manifests.values().map(|manifest| Value::from(manifest.digest())).collect::<Vec<_>>();
        sha256(&cbor::encode(&Value::from(vec![Value::from(self.chain.newest().digest()), Value::from(manifests)])))
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
        let news = Self { id: self.id, chain: self.chain.clone(), manifests };
        news.check_keys_apart()?;
        Ok(Some(news))
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
                Some(held) => manifest.follows(held)?,
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

    fn check_manifest(&self, member: MemberCode, manifest: &SignedManifest) -> Result<(), FederationError> {
        check_manifest(self.charter(), self.id, member, manifest)
    }

    /// Every Ed25519 key, roots included, belongs to one member.
    fn check_keys_apart(&self) -> Result<(), FederationError> {
        let mut owners: BTreeMap<&PublicKey, MemberCode> = BTreeMap::new();
        let roots = self.charter().members().iter().map(|(code, member)| (*code, &member.root));
        let others = self
            .manifests
            .iter()
            .flat_map(|(code, manifest)| manifest.manifest().signing_keys().map(|key| (*code, key)));
        for (second, key) in roots.chain(others) {
            if let Some(first) = owners.insert(key, second).filter(|first| *first != second) {
                return Err(FederationError::KeyShared { first, second });
            }
        }
        Ok(())
    }
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
