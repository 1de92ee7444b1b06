//! Proof that one version of a charter, or of a manifest, was properly signed twice.

use std::collections::BTreeMap;

use super::charter::{CharterChain, CharterError, SignedCharter};
use super::federation::{Federation, FederationError};
use super::manifest::{ManifestError, SignedManifest};
use crate::encoding::cbor::{self, CborError, Value};
use crate::encoding::hash::{Digest, sha256_of};
use crate::encoding::ids::MemberCode;

/// Different charters of one version that are kept at most: two prove it, and more prove nothing else.
pub const RIVALS_MAX: usize = 4;

/// Different charters of one version, each properly signed. Never fewer than two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterSplit {
    rivals: BTreeMap<Digest, SignedCharter>,
    settled: Option<Digest>,
}

/// Two manifests of one member and version, both signed by its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSplit {
    rivals: BTreeMap<Digest, SignedManifest>,
}

/// All that a node knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splits {
    /// Of the charter: the first that was found and is not settled, or the last that was settled.
    pub charter: Option<CharterSplit>,
    /// Of manifests, the newest by member.
    pub manifests: BTreeMap<MemberCode, ManifestSplit>,
}

/// Why a proof is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Not of its form.
    #[error(transparent)]
    Form(#[from] CborError),
    /// A charter in it does not hold.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// A manifest in it does not hold.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// A manifest in it is not of its form.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What is in it does not contradict itself.
    #[error("a proof of two versions that are not two of one")]
    NoContradiction,
}

impl CharterSplit {
    /// Of what [`CharterError::Rival`] gives: both are checked already.
    #[must_use]
    pub fn new(held: SignedCharter, rival: SignedCharter) -> Self {
        let rivals = [held, rival].into_iter().map(|charter| (charter.digest(), charter)).collect();
        Self { rivals, settled: None }
    }

    /// The version that was signed twice.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.rivals.values().next().map_or(0, |charter| charter.charter().version())
    }

    /// The digests of the charters.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.rivals.keys().copied()
    }

    /// The charters.
    pub fn rivals(&self) -> impl Iterator<Item = &SignedCharter> {
        self.rivals.values()
    }

    /// Which of them the operator of this node has chosen.
    #[must_use]
    pub fn settled(&self) -> Option<Digest> {
        self.settled
    }

    /// Whether this charter is one of them.
    #[must_use]
    pub fn knows(&self, digest: &Digest) -> bool {
        self.rivals.contains_key(digest)
    }

    /// The charter of this digest, if it is one of them.
    #[must_use]
    pub fn rival(&self, digest: &Digest) -> Option<&SignedCharter> {
        self.rivals.get(digest)
    }

    /// The operator has chosen.
    pub fn settle(&mut self, digest: Digest) {
        self.settled = Some(digest);
    }

    /// Takes a further charter of the version in, if there is room; what was settled is open again.
    pub fn add(&mut self, rival: SignedCharter) {
        if self.rivals.len() < RIVALS_MAX && self.rivals.insert(rival.digest(), rival).is_none() {
            self.settled = None;
        }
    }

    /// The proof.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let rivals = self.rivals.values().map(|charter| Value::Bytes(charter.encode())).collect();
        let settled = self.settled.map_or(Value::Bytes(Vec::new()), Value::from);
        cbor::encode(&Value::Array(vec![Value::Array(rivals), settled]))
    }

    /// The proof without what the operator of this node has chosen, for others.
    #[must_use]
    pub fn encode_open(&self) -> Vec<u8> {
        Self { settled: None, ..self.clone() }.encode()
    }

    /// Reads what [`Self::encode`] writes, and checks it against the versions before.
    ///
    /// # Errors
    /// [`SplitError`].
    pub fn verify(bytes: &[u8], chain: &CharterChain) -> Result<Self, SplitError> {
        let (rivals, settled) = parts(bytes)?;
        let rivals = rivals.iter().map(|bytes| SignedCharter::decode(bytes)).collect::<Result<Vec<_>, _>>()?;
        let mut split = Self { rivals: BTreeMap::new(), settled };
        let version = rivals.first().map_or(0, |charter| charter.charter().version());
        for rival in rivals {
            if rival.charter().version() != version {
                return Err(SplitError::NoContradiction);
            }
            chain.check_at(&rival)?;
            split.rivals.insert(rival.digest(), rival);
        }
        if !(2..=RIVALS_MAX).contains(&split.rivals.len())
            || split.settled.is_some_and(|settled| !split.knows(&settled))
        {
            return Err(SplitError::NoContradiction);
        }
        Ok(split)
    }
}

impl ManifestSplit {
    /// Of what [`ManifestError::Rival`] gives: both are checked already.
    #[must_use]
    pub fn new(held: SignedManifest, rival: SignedManifest) -> Self {
        Self { rivals: [held, rival].into_iter().map(|manifest| (manifest.digest(), manifest)).collect() }
    }

    /// Whose.
    #[must_use]
    pub fn member(&self) -> Option<MemberCode> {
        self.rivals.values().next().map(|manifest| manifest.manifest().member())
    }

    /// The version that was signed twice.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.rivals.values().next().map_or(0, |manifest| manifest.manifest().version())
    }

    /// The manifests.
    pub fn rivals(&self) -> impl Iterator<Item = &SignedManifest> {
        self.rivals.values()
    }

    /// The digests of the manifests.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.rivals.keys().copied()
    }

    /// The proof.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let rivals = self.rivals.values().map(|manifest| Value::Bytes(manifest.encode())).collect();
        cbor::encode(&Value::Array(vec![Value::Array(rivals), Value::Bytes(Vec::new())]))
    }

    /// Reads what [`Self::encode`] writes, and checks it under the member's root.
    ///
    /// # Errors
    /// [`SplitError`].
    pub fn verify(bytes: &[u8], federation: &Federation) -> Result<Self, SplitError> {
        let (rivals, settled) = parts(bytes)?;
        let rivals = rivals.iter().map(|bytes| SignedManifest::decode(bytes)).collect::<Result<Vec<_>, _>>()?;
        let [one, other] = <[SignedManifest; 2]>::try_from(rivals).map_err(|_| SplitError::NoContradiction)?;
        let of = |manifest: &SignedManifest| (manifest.manifest().member(), manifest.manifest().version());
        if of(&one) != of(&other) || one.digest() == other.digest() || settled.is_some() {
            return Err(SplitError::NoContradiction);
        }
        federation.check_rival(&one)?;
        federation.check_rival(&other)?;
        Ok(Self::new(one, other))
    }
}

impl Splits {
    /// Whether no later charter is taken up.
    #[must_use]
    pub fn freeze(&self) -> bool {
        self.charter.as_ref().is_some_and(|split| split.settled.is_none())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.charter.is_none() && self.manifests.is_empty()
    }

    /// One digest over what is proved, whatever has been settled: two nodes with the same digest know the same proofs.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let of_charter = self.charter.iter().flat_map(CharterSplit::digests);
        let all: Vec<Digest> = of_charter.chain(self.manifests.values().flat_map(ManifestSplit::digests)).collect();
        sha256_of(&all.iter().map(|digest| &digest.0[..]).collect::<Vec<_>>())
    }
}

/// The signed objects, and which of them was chosen.
fn parts(bytes: &[u8]) -> Result<(Vec<Vec<u8>>, Option<Digest>), CborError> {
    let shape = || CborError::Shape { object: "proof of a split" };
    let Value::Array(items) = cbor::decode(bytes)? else { return Err(shape()) };
    let [rivals, settled] = <[Value; 2]>::try_from(items).map_err(|_| shape())?;
    let Value::Array(rivals) = rivals else { return Err(shape()) };
    let rivals = rivals.iter().map(|item| item.as_bytes().map(<[u8]>::to_vec)).collect::<Option<Vec<_>>>();
    let settled = settled.as_bytes().ok_or_else(shape)?;
    let settled = match settled.len() {
        0 => None,
        _ => Some(Digest(<[u8; 32]>::try_from(settled).map_err(|_| shape())?)),
    };
    Ok((rivals.ok_or_else(shape)?, settled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::fixture::{at, code, federation, signed, signed_manifest};

    const ALL: [&str; 3] = ["GE", "MZ", "TR"];

    fn charter(federation: &Federation, name: &str) -> SignedCharter {
        let mut draft = federation.charter().next_draft(at(50));
        draft.name = name.to_owned();
        signed(draft, federation.id(), &ALL)
    }

    fn manifest(federation: &Federation, seconds: i64) -> SignedManifest {
        signed_manifest(federation.manifest(code("TR")).unwrap().next_draft(at(seconds)), federation.id())
    }

    #[test]
    fn a_proof_is_read_again_and_holds_at_everybody() {
        let federation = federation(&ALL);
        let (one, other) = (charter(&federation, "One"), charter(&federation, "Other"));
        let mut split = CharterSplit::new(one.clone(), other.clone());
        assert_eq!(CharterSplit::verify(&split.encode(), federation.chain()), Ok(split.clone()));
        // Whoever took one of them up can check it as well.
        let next = federation.with_charter(one.clone()).unwrap().unwrap();
        assert_eq!(CharterSplit::verify(&split.encode(), next.chain()), Ok(split.clone()));
        split.settle(one.digest());
        assert_eq!(CharterSplit::verify(&split.encode(), next.chain()), Ok(split));
        let split = ManifestSplit::new(manifest(&federation, 60), manifest(&federation, 70));
        assert_eq!(ManifestSplit::verify(&split.encode(), &federation), Ok(split));
    }

    #[test]
    fn a_proof_tells_what_was_signed_twice() {
        let federation = federation(&ALL);
        let (one, other) = (charter(&federation, "One"), charter(&federation, "Other"));
        let mut split = CharterSplit::new(one.clone(), other.clone());
        assert_eq!((split.version(), split.rivals().count()), (2, 2));
        assert_eq!((split.rival(&one.digest()), split.knows(&other.digest())), (Some(&one), true));
        let third = charter(&federation, "Third").digest();
        assert_eq!((split.rival(&third), split.knows(&third)), (None, false));
        // What an operator has chosen is nobody else's business.
        let open = split.encode();
        split.settle(other.digest());
        assert_ne!(split.encode(), open);
        assert_eq!(split.encode_open(), open);
        let (one, other) = (manifest(&federation, 60), manifest(&federation, 70));
        let split = ManifestSplit::new(one.clone(), other.clone());
        assert_eq!((split.version(), split.member(), split.rivals().count()), (2, Some(code("TR")), 2));
        assert!(split.rivals().any(|rival| *rival == one) && split.rivals().any(|rival| *rival == other));
    }

    #[test]
    fn what_proves_nothing_is_refused() {
        let federation = federation(&ALL);
        let one = charter(&federation, "One");
        let verify = |split: &CharterSplit| CharterSplit::verify(&split.encode(), federation.chain());
        assert_eq!(verify(&CharterSplit::new(one.clone(), one.clone())), Err(SplitError::NoContradiction));
        let mut draft = federation.charter().next_draft(at(50));
        draft.name = "Weak".to_owned();
        let weak = signed(draft, federation.id(), &["GE"]);
        assert!(matches!(verify(&CharterSplit::new(one.clone(), weak)), Err(SplitError::Charter(_))));
        let first = federation.chain().first().clone();
        assert!(verify(&CharterSplit::new(one, first)).is_err());
        let twice = ManifestSplit::new(manifest(&federation, 60), manifest(&federation, 60));
        let refused = |split: &ManifestSplit| ManifestSplit::verify(&split.encode(), &federation);
        assert_eq!(refused(&twice), Err(SplitError::NoContradiction));
        let first = signed_manifest(crate::identity::fixture::manifest("TR"), crate::encoding::ids::FederationId::NONE);
        let versions = ManifestSplit::new(first, manifest(&federation, 60));
        assert_eq!(refused(&versions), Err(SplitError::NoContradiction), "one follows the other");
        // The same one twice, and one that is said to be chosen: no node writes either.
        let bytes = |rivals: [i64; 2], chosen: Vec<u8>| {
            let rivals = rivals.map(|seconds| Value::Bytes(manifest(&federation, seconds).encode()));
            cbor::encode(&Value::Array(vec![Value::Array(rivals.to_vec()), Value::Bytes(chosen)]))
        };
        assert!(ManifestSplit::verify(&bytes([60, 70], Vec::new()), &federation).is_ok());
        for bytes in [bytes([60, 60], Vec::new()), bytes([60, 70], manifest(&federation, 60).digest().0.to_vec())] {
            assert_eq!(ManifestSplit::verify(&bytes, &federation), Err(SplitError::NoContradiction));
        }
        assert!(CharterSplit::verify(&[0x80], federation.chain()).is_err());
    }

    #[test]
    fn a_further_rival_opens_again_what_was_settled() {
        let federation = federation(&ALL);
        let mut split = CharterSplit::new(charter(&federation, "0"), charter(&federation, "1"));
        split.settle(charter(&federation, "0").digest());
        split.add(charter(&federation, "1"));
        assert!(split.settled().is_some(), "that one was known");
        for name in ["2", "3", "4", "5"] {
            split.add(charter(&federation, name));
        }
        assert_eq!((split.digests().count(), split.settled()), (RIVALS_MAX, None));
    }

    proptest::proptest! {
        #[test]
        fn reading_any_bytes_never_panics(bytes: Vec<u8>) {
            let federation = federation(&ALL);
            drop(CharterSplit::verify(&bytes, federation.chain()));
            drop(ManifestSplit::verify(&bytes, &federation));
        }
    }
}
