//! A charter with its members' signatures.

use std::collections::BTreeMap;

use super::{Charter, CharterError, Member};
use crate::encoding::cbor::Map;
use crate::encoding::cose::{Sign, SignSignature};
use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::{FederationId, MemberCode};
use crate::identity::key::{PublicKey, SecretKey};
use crate::identity::profile::{self, ProfileError};

/// A charter and the signatures it has so far (`COSE_Sign`, RFC 9052 §4.1). Whether they suffice is decided by
/// [`CharterChain`](super::CharterChain); those that are there need not even be good when it comes from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCharter {
    charter: Charter,
    federation: FederationId,
    signatures: BTreeMap<(MemberCode, Kid), [u8; 64]>,
}

impl SignedCharter {
    /// A charter that nobody has signed yet. `federation` is the one that exists already; it does not matter for version 1.
    #[must_use]
    pub fn unsigned(charter: Charter, federation: FederationId) -> Self {
        let federation = charter.binds(federation);
        Self { charter, federation, signatures: BTreeMap::new() }
    }

    /// What its signatures bind: the federation, or nothing for version 1.
    pub(super) fn federation(&self) -> FederationId {
        self.federation
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
    pub(in crate::identity) fn to_sign(&self, unprotected: Map) -> Sign {
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
    pub(in crate::identity) fn from_sign(sign: Sign) -> Result<Self, CharterError> {
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

    /// The active countries of `electorate` with whether their signature is there and good. A country that changes its root votes
    /// with the announced one as well, so that a member whose present root is lost is not locked out.
    #[must_use]
    pub fn votes(&self, electorate: &Charter) -> BTreeMap<MemberCode, bool> {
        let voted = |code: MemberCode, member: &Member| {
            let announced =
                self.charter.member(code).map(|new| &new.root).filter(|root| root.digest() == member.next_root);
            self.is_signed_by(code, &member.root) || announced.is_some_and(|root| self.is_signed_by(code, root))
        };
        electorate.active_countries().map(|(code, member)| (code, voted(code, member))).collect()
    }

    /// Takes in the signatures that another copy of the same charter has.
    ///
    /// # Errors
    /// [`CharterError::Signature`] if one is not good, or not by a root of this version or of `before`; [`CharterError::NotNext`] if it
    /// is another charter.
    pub fn merge(&mut self, other: &Self, before: Option<&Charter>) -> Result<(), CharterError> {
        if (&self.charter, self.federation) != (&other.charter, other.federation) {
            let (version, newest) = (other.charter.version(), self.charter.version());
            return Err(CharterError::NotNext { version, newest });
        }
        other.check_signatures(before)?;
        self.signatures.extend(&other.signatures);
        Ok(())
    }

    pub(super) fn check_quorum(&self, electorate: &Charter) -> Result<(), CharterError> {
        let votes = self.votes(electorate);
        let countries = votes.len() as u64;
        let missing: Vec<MemberCode> = votes.into_iter().filter(|(_, voted)| !voted).map(|(code, _)| code).collect();
        let signed = countries - missing.len() as u64;
        if electorate.quorum().is_met(signed, countries) {
            return Ok(());
        }
        let (version, of_version) = (self.charter.version(), electorate.version());
        Err(CharterError::Quorum { version, of_version, signed, countries, missing })
    }

    /// Every signature must be good and by a root of this version or of the one before, so that nothing unchecked is carried along.
    pub(super) fn check_signatures(&self, before: Option<&Charter>) -> Result<(), CharterError> {
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

fn subject_of(charter: &Charter) -> String {
    format!("charter:{}", charter.version())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::fixture::{at, charter, code, key, signed};

    const ALL: [&str; 3] = ["GE", "MZ", "TR"];

    fn first() -> SignedCharter {
        signed(charter(&ALL), FederationId::NONE, &ALL)
    }

    #[test]
    fn a_signature_is_for_one_charter_one_signer_and_one_federation() {
        let (good, root) = (first(), key("GE", "root").public());
        assert!(good.is_signed_by(code("GE"), &root));
        let mut other = charter(&ALL);
        other.name = "Another".to_owned();
        let moved = SignedCharter { charter: other.check().unwrap(), ..good.clone() };
        assert!(!moved.is_signed_by(code("GE"), &root), "another charter");
        let moved = SignedCharter { federation: FederationId(Digest([7; 32])), ..good.clone() };
        assert!(!moved.is_signed_by(code("GE"), &root), "another federation");
        let mut moved = good;
        let signature = moved.signatures[&(code("GE"), root.kid())];
        moved.signatures.insert((code("MZ"), root.kid()), signature);
        assert!(!moved.is_signed_by(code("MZ"), &root), "another signer");
    }

    #[test]
    fn what_is_signed_names_the_kind_and_the_version() {
        let sign = first().to_sign(Map::new());
        assert_eq!(profile::read_charter_header(sign.protected).unwrap().0, "charter:1");
        let next = SignedCharter::unsigned(first().charter.next_draft(at(5)).check().unwrap(), FederationId::NONE);
        assert_eq!(profile::read_charter_header(next.to_sign(Map::new()).protected).unwrap().0, "charter:2");
    }

    #[test]
    fn a_signature_from_elsewhere_is_taken_if_it_is_good() {
        let mut charter = signed(charter(&ALL), FederationId::NONE, &["MZ", "TR"]);
        let (root, kid) = (key("GE", "root"), key("GE", "root").public().kid());
        let signature = root.sign(&charter.to_be_signed(code("GE"), kid));
        let mut flipped = signature;
        flipped[9] ^= 1;
        let refused = charter.add_signature(code("GE"), &root.public(), flipped);
        assert_eq!(refused, Err(CharterError::Signature { signer: code("GE"), kid }));
        assert!(!charter.is_signed_by(code("GE"), &root.public()));
        assert_eq!(charter.add_signature(code("GE"), &root.public(), signature), Ok(()));
        assert_eq!(charter, first());
    }

    #[test]
    fn nothing_unchecked_is_carried_along_beside_a_good_signature() {
        let mut charter = first();
        assert_eq!(charter.check_signatures(None), Ok(()));
        let kid = key("GE", "log").public().kid();
        charter.signatures.insert((code("GE"), kid), [7; 64]);
        assert_eq!(charter.check_signatures(None), Err(CharterError::Signature { signer: code("GE"), kid }));
        // The right key, and no signature of it.
        let mut charter = first();
        let kid = key("GE", "root").public().kid();
        charter.signatures.insert((code("GE"), kid), [7; 64]);
        assert_eq!(charter.check_signatures(None), Err(CharterError::Signature { signer: code("GE"), kid }));
    }
}
