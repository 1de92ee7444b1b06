//! A charter with its members' signatures, and the rule by which one version follows another.

use std::collections::{BTreeMap, BTreeSet};

use super::charter::{Charter, CharterError, MemberFault, MemberStatus};
use super::key::{PublicKey, SecretKey};
use super::profile::{self, ProfileError};
use crate::encoding::cbor::Map;
use crate::encoding::cose::{Sign, SignSignature};
use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::{FederationId, MemberCode};

/// A charter and the signatures it has so far (`COSE_Sign`, RFC 9052 §4.1). Whether they suffice is decided by
/// [`CharterChain`]; those that are there need not even be good when it comes from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCharter {
    charter: Charter,
    federation: FederationId,
    signatures: BTreeMap<(MemberCode, Kid), [u8; 64]>,
}

/// All versions of a federation's charter, each rightly following the one before. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterChain {
    versions: Vec<SignedCharter>,
}

impl SignedCharter {
    /// A charter that nobody has signed yet. `federation` is the one that exists already; it does not matter for version 1.
    #[must_use]
    pub fn unsigned(charter: Charter, federation: FederationId) -> Self {
        let federation = charter.binds(federation);
        Self { charter, federation, signatures: BTreeMap::new() }
    }

    /// The charter.
    #[must_use]
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// SHA-256 of the payload.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.charter.digest()
    }

    /// Who is said to have signed, with which key.
    pub fn signers(&self) -> impl Iterator<Item = (MemberCode, Kid)> {
        self.signatures.keys().copied()
    }

    /// What `signer` has to sign with the key of this id.
    #[must_use]
    pub fn to_be_signed(&self, signer: MemberCode, kid: Kid) -> Vec<u8> {
        Sign::to_be_signed(&self.header(), &profile::charter_signer_header(signer, kid), &self.charter.encode())
    }

    /// Takes a signature in, which must be good.
    ///
    /// # Errors
    /// [`CharterError::Signature`] if it does not verify.
    pub fn add_signature(
        &mut self,
        signer: MemberCode,
        key: &PublicKey,
        signature: [u8; 64],
    ) -> Result<(), CharterError> {
        let kid = key.kid();
        key.verify(&self.to_be_signed(signer, kid), &signature).map_err(|_| CharterError::Signature { signer, kid })?;
        self.signatures.insert((signer, kid), signature);
        Ok(())
    }

    /// Signs with a key at hand: for `init`, the offline ceremony and tests.
    pub fn sign(&mut self, signer: MemberCode, key: &SecretKey) {
        let kid = key.public().kid();
        let signature = key.sign(&self.to_be_signed(signer, kid));
        self.signatures.insert((signer, kid), signature);
    }

    /// Whether `signer` has signed with `key`, rightly.
    #[must_use]
    pub fn is_signed_by(&self, signer: MemberCode, key: &PublicKey) -> bool {
        let kid = key.kid();
        self.signatures
            .get(&(signer, kid))
            .is_some_and(|signature| key.verify(&self.to_be_signed(signer, kid), signature).is_ok())
    }

    /// The tagged `COSE_Sign`, with `unprotected` as its unprotected header.
    pub(super) fn to_sign(&self, unprotected: Map) -> Sign {
        Sign {
            protected: self.header(),
            unprotected,
            payload: self.charter.encode(),
            signatures: self
                .signatures
                .iter()
                .map(|((signer, kid), signature)| SignSignature {
                    protected: profile::charter_signer_header(*signer, *kid),
                    signature: *signature,
                })
                .collect(),
        }
    }

    /// Reads a `COSE_Sign`, whose unprotected header is the caller's matter.
    pub(super) fn from_sign(sign: Sign) -> Result<Self, CharterError> {
        let (subject, issued_at, federation) = profile::read_charter_header(sign.protected)?;
        let charter = Charter::decode(&sign.payload)?;
        if subject != subject_of(&charter) {
            return Err(CharterError::Bounds { field: "subject" });
        }
        if issued_at != charter.issued_at() {
            return Err(CharterError::Bounds { field: "time" });
        }
        let mut signatures = BTreeMap::new();
        for entry in sign.signatures {
            let (signer, kid) = profile::read_charter_signer_header(entry.protected)?;
            if signatures.last_key_value().is_some_and(|(last, _)| *last >= (signer, kid)) {
                return Err(CharterError::Signature { signer, kid });
            }
            signatures.insert((signer, kid), entry.signature);
        }
        Ok(Self { charter, federation, signatures })
    }

    /// The charter by itself, without earlier versions and manifests: tag 98, empty unprotected header.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_sign(Map::new()).encode()
    }

    /// Reads what [`Self::encode`] writes. Signatures are not checked.
    ///
    /// # Errors
    /// [`CharterError`] if the bytes are not in the profile of a charter.
    pub fn decode(bytes: &[u8]) -> Result<Self, CharterError> {
        let sign = Sign::decode(bytes)?;
        if !sign.unprotected.is_empty() {
            return Err(ProfileError::Unprotected.into());
        }
        Self::from_sign(sign)
    }

    fn header(&self) -> Map {
        profile::charter_header(&subject_of(&self.charter), self.charter.issued_at(), self.federation)
    }

    /// The countries of `electorate` whose signature is there and good. A country that changes its root votes with the
    /// announced one as well, so that a member whose present root is lost is not locked out.
    fn votes(&self, electorate: &Charter) -> u64 {
        let voted = electorate.active_countries().filter(|(code, member)| {
            let announced =
                self.charter.member(*code).map(|new| &new.root).filter(|root| root.digest() == member.next_root);
            self.is_signed_by(*code, &member.root) || announced.is_some_and(|root| self.is_signed_by(*code, root))
        });
        voted.count() as u64
    }

    fn check_quorum(&self, electorate: &Charter) -> Result<(), CharterError> {
        let countries = electorate.active_countries().count() as u64;
        let signed = self.votes(electorate);
        if electorate.quorum().is_met(signed, countries) {
            return Ok(());
        }
        let (version, of_version) = (self.charter.version(), electorate.version());
        Err(CharterError::Quorum { version, of_version, signed, countries })
    }

    /// Every signature must be good and by a root of this version or of the one before, so that nothing unchecked is carried along.
    fn check_signatures(&self, before: Option<&Charter>) -> Result<(), CharterError> {
        for (signer, kid) in self.signers() {
            let roots =
                [Some(&self.charter), before].into_iter().flatten().filter_map(|charter| charter.member(signer));
            if !roots.into_iter().any(|member| member.root.kid() == kid && self.is_signed_by(signer, &member.root)) {
                return Err(CharterError::Signature { signer, kid });
            }
        }
        Ok(())
    }
}

impl CharterChain {
    /// Checks all versions, from the first on.
    ///
    /// # Errors
    /// [`CharterError`], naming the first thing that is wrong.
    pub fn verify(versions: Vec<SignedCharter>) -> Result<Self, CharterError> {
        let mut versions = versions.into_iter();
        let first = versions.next().ok_or(CharterError::Bounds { field: "number of versions" })?;
        check_first(&first)?;
        let mut chain = Self { versions: vec![first] };
        for version in versions {
            chain.check_next(chain.newest(), &version)?;
            chain.versions.push(version);
        }
        Ok(chain)
    }

    /// Takes the next version in. Says whether it is news: the newest version once more, whoever signed that copy, is not.
    ///
    /// # Errors
    /// [`CharterError::Rival`] with both charters if another one of the same version is properly signed,
    /// [`CharterError::Older`] for one that was replaced, any other [`CharterError`] if it is not rightly the next.
    pub fn extend(&mut self, next: SignedCharter) -> Result<bool, CharterError> {
        let (version, newest) = (next.charter.version(), self.newest().charter.version());
        let Some(held) = self.version(version) else {
            self.check_next(self.newest(), &next)?;
            self.versions.push(next);
            return Ok(true);
        };
        if held.charter != next.charter {
            match version.checked_sub(1).and_then(|before| self.version(before)) {
                Some(before) => self.check_next(before, &next)?,
                // Another first version is another federation, not a rival.
                None => return Err(CharterError::Federation { version }),
            }
            return Err(CharterError::Rival(Box::new((held.clone(), next))));
        }
        if version < newest { Err(CharterError::Older { version, newest }) } else { Ok(false) }
    }

    /// The newest version.
    #[must_use]
    pub fn newest(&self) -> &SignedCharter {
        self.versions.last().expect("a chain has at least its first version")
    }

    /// Version 1.
    #[must_use]
    pub fn first(&self) -> &SignedCharter {
        self.versions.first().expect("a chain has at least its first version")
    }

    /// One version.
    #[must_use]
    pub fn version(&self, version: u64) -> Option<&SignedCharter> {
        self.versions.get(usize::try_from(version.checked_sub(1)?).ok()?)
    }

    /// All versions, the first first.
    #[must_use]
    pub fn versions(&self) -> &[SignedCharter] {
        &self.versions
    }

    /// SHA-256 of the payload of version 1.
    #[must_use]
    pub fn federation(&self) -> FederationId {
        FederationId(self.first().digest())
    }

    fn check_next(&self, before: &SignedCharter, next: &SignedCharter) -> Result<(), CharterError> {
        let (old, new) = (&before.charter, &next.charter);
        let version = new.version();
        if next.federation != self.federation() {
            return Err(CharterError::Federation { version });
        }
        if version != old.version() + 1 || new.predecessor() != Some(old.digest()) {
            return Err(CharterError::NotNext { version, newest: old.version() });
        }
        if new.issued_at() < old.issued_at() {
            return Err(CharterError::Time { version });
        }
        if new.parameters().epoch_seconds != old.parameters().epoch_seconds {
            return Err(CharterError::EpochLength);
        }
        self.check_members(old, next)?;
        next.check_signatures(Some(old))?;
        next.check_quorum(old)?;
        next.check_quorum(new)
    }

    fn check_members(&self, old: &Charter, next: &SignedCharter) -> Result<(), CharterError> {
        let spent: BTreeSet<&PublicKey> = self
            .versions
            .iter()
            .filter(|version| version.charter.version() <= old.version())
            .flat_map(|version| version.charter.members().values().map(|member| &member.root))
            .collect();
        for (code, was) in old.members() {
            let fault = |fault| Err(CharterError::Member { member: *code, fault });
            let Some(is) = next.charter.member(*code) else { return fault(MemberFault::Missing) };
            if was.kind != is.kind {
                return fault(MemberFault::KindChanged);
            }
            if was.status == MemberStatus::Removed && is.status != MemberStatus::Removed {
                return fault(MemberFault::Returned);
            }
            if was.root != is.root {
                if is.root.digest() != was.next_root {
                    return fault(MemberFault::RootNotAnnounced);
                }
                if !next.is_signed_by(*code, &is.root) {
                    return fault(MemberFault::RootNotSigned);
                }
            }
        }
        for (code, is) in next.charter.members() {
            let kept = old.member(*code).is_some_and(|was| was.root == is.root);
            if !kept && spent.contains(&is.root) {
                return Err(CharterError::Member { member: *code, fault: MemberFault::RootReused });
            }
        }
        Ok(())
    }
}

fn check_first(first: &SignedCharter) -> Result<(), CharterError> {
    let version = first.charter.version();
    if version != 1 {
        return Err(CharterError::NotNext { version, newest: 0 });
    }
    if first.federation != FederationId::NONE {
        return Err(CharterError::Federation { version });
    }
    first.check_signatures(None)?;
    first.check_quorum(&first.charter)
}

fn subject_of(charter: &Charter) -> String {
    format!("charter:{}", charter.version())
}
