//! The rule by which one version of a charter follows another.

use std::collections::BTreeSet;

use super::{Charter, CharterError, MemberFault, MemberStatus, SignedCharter};
use crate::encoding::ids::FederationId;
use crate::identity::key::PublicKey;

/// All versions of a federation's charter, each rightly following the one before. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterChain {
    versions: Vec<SignedCharter>,
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
        let (version, newest) = (next.charter().version(), self.newest().charter().version());
        let Some(held) = self.version(version) else {
            self.check_next(self.newest(), &next)?;
            self.versions.push(next);
            return Ok(true);
        };
        if held.charter() != next.charter() {
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

    /// Whether `next` would be the next version once enough have signed it: everything is checked but signatures.
    ///
    /// # Errors
    /// [`CharterError`], naming the first thing that no signature could mend.
    pub fn could_follow(&self, next: &SignedCharter) -> Result<(), CharterError> {
        self.check_content(self.newest().charter(), next)
    }

    /// Whether `charter` is properly signed and rightly follows the version before it, which must be in the chain.
    ///
    /// # Errors
    /// [`CharterError`], naming the first thing that is wrong.
    pub fn check_at(&self, charter: &SignedCharter) -> Result<(), CharterError> {
        let version = charter.charter().version();
        match version.checked_sub(1).and_then(|before| self.version(before)) {
            Some(before) => self.check_next(before, charter),
            None => Err(CharterError::NotNext { version, newest: self.newest().charter().version() }),
        }
    }

    fn check_next(&self, before: &SignedCharter, next: &SignedCharter) -> Result<(), CharterError> {
        let (old, new) = (before.charter(), next.charter());
        self.check_content(old, next)?;
        check_new_roots_signed(old, next)?;
        next.check_signatures(Some(old))?;
        next.check_quorum(old)?;
        next.check_quorum(new)
    }

    fn check_content(&self, old: &Charter, next: &SignedCharter) -> Result<(), CharterError> {
        let new = next.charter();
        let version = new.version();
        if next.federation() != self.federation() {
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
        self.check_members(old, new)
    }

    fn check_members(&self, old: &Charter, new: &Charter) -> Result<(), CharterError> {
        let spent: BTreeSet<&PublicKey> = self
            .versions
            .iter()
            .filter(|version| version.charter().version() <= old.version())
            .flat_map(|version| version.charter().members().values().map(|member| &member.root))
            .collect();
        for (code, was) in old.members() {
            let fault = |fault| Err(CharterError::Member { member: *code, fault });
            let Some(is) = new.member(*code) else { return fault(MemberFault::Missing) };
            if was.kind != is.kind {
                return fault(MemberFault::KindChanged);
            }
            if was.status == MemberStatus::Removed && is.status != MemberStatus::Removed {
                return fault(MemberFault::Returned);
            }
            if was.root != is.root && is.root.digest() != was.next_root {
                return fault(MemberFault::RootNotAnnounced);
            }
            // Else a quorum could announce a key of its own for a member, and then change its root to that.
            if was.root == is.root && was.next_root != is.next_root {
                return fault(MemberFault::NextRootChanged);
            }
        }
        for (code, is) in new.members() {
            let kept = old.member(*code).is_some_and(|was| was.root == is.root);
            if !kept && spent.contains(&is.root) {
                return Err(CharterError::Member { member: *code, fault: MemberFault::RootReused });
            }
        }
        Ok(())
    }
}

/// A new root has signed: the member itself agrees, with a key that was announced before.
fn check_new_roots_signed(old: &Charter, next: &SignedCharter) -> Result<(), CharterError> {
    for (code, was) in old.members() {
        let new = next.charter().member(*code).filter(|is| is.root != was.root);
        if new.is_some_and(|is| !next.is_signed_by(*code, &is.root)) {
            return Err(CharterError::Member { member: *code, fault: MemberFault::RootNotSigned });
        }
    }
    Ok(())
}

fn check_first(first: &SignedCharter) -> Result<(), CharterError> {
    let version = first.charter().version();
    if version != 1 {
        return Err(CharterError::NotNext { version, newest: 0 });
    }
    if first.federation() != FederationId::NONE {
        return Err(CharterError::Federation { version });
    }
    first.check_signatures(None)?;
    first.check_quorum(first.charter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::ids::MemberCode;
    use crate::identity::charter::CharterDraft;
    use crate::identity::fixture::{at, charter, code, key, member, signed};
    use crate::identity::{MemberKind, Quorum, SecretKey};

    const ALL: [&str; 3] = ["GE", "MZ", "TR"];

    fn chain() -> CharterChain {
        CharterChain::verify(vec![signed(charter(&["GE", "MZ", "TR", "W1"]), FederationId::NONE, &ALL)]).unwrap()
    }

    fn codes(texts: &[&str]) -> Vec<MemberCode> {
        texts.iter().map(|text| code(text)).collect()
    }

    fn next(chain: &CharterChain) -> CharterDraft {
        chain.newest().charter().next_draft(at(100))
    }

    fn refused(draft: CharterDraft, signers: &[&str]) -> CharterError {
        let mut chain = chain();
        chain.extend(signed(draft, chain.federation(), signers)).unwrap_err()
    }

    #[test]
    fn a_first_version_needs_more_than_two_thirds_of_its_countries() {
        let two = signed(charter(&ALL), FederationId::NONE, &["GE", "TR"]);
        let expected =
            CharterError::Quorum { version: 1, of_version: 1, signed: 2, countries: 3, missing: vec![code("MZ")] };
        assert_eq!(CharterChain::verify(vec![two]), Err(expected));
        // An observer's signature is good, but no vote.
        let observer = signed(charter(&["GE", "TR", "W1"]), FederationId::NONE, &["GE", "W1"]);
        assert!(matches!(CharterChain::verify(vec![observer]), Err(CharterError::Quorum { signed: 1, .. })));
    }

    #[test]
    fn quorums_are_counted_exactly() {
        for (countries, needed) in [(1, 1), (2, 2), (3, 3), (4, 3), (6, 5), (7, 5), (250, 167)] {
            assert_eq!(Quorum::default().needed(countries), needed);
            assert!(Quorum::default().is_met(needed, countries));
            assert!(!Quorum::default().is_met(needed - 1, countries));
        }
    }

    #[test]
    fn the_next_version_needs_both_quorums() {
        let mut chain = chain();
        let mut draft = next(&chain);
        for newcomer in ["LB", "AZ"] {
            draft.members.insert(code(newcomer), member(newcomer));
        }
        // Three of three before, but three of five now.
        let expected =
            CharterError::Quorum { version: 2, of_version: 2, signed: 3, countries: 5, missing: codes(&["AZ", "LB"]) };
        assert_eq!(chain.extend(signed(draft.clone(), chain.federation(), &ALL)), Err(expected));
        // Four of five now, but two of three before.
        let expected =
            CharterError::Quorum { version: 2, of_version: 1, signed: 2, countries: 3, missing: codes(&["MZ"]) };
        let newcomers = ["GE", "TR", "LB", "AZ"];
        assert_eq!(chain.extend(signed(draft.clone(), chain.federation(), &newcomers)), Err(expected));
        let all = ["GE", "MZ", "TR", "LB"];
        assert_eq!(chain.extend(signed(draft.clone(), chain.federation(), &all)), Ok(true));
        assert_eq!(chain.extend(signed(draft, chain.federation(), &all)), Ok(false), "known already");
        let again = CharterChain::verify(chain.versions().to_vec()).unwrap();
        assert_eq!(again, chain);
    }

    #[test]
    fn versions_follow_one_another() {
        let chain = chain();
        let good = next(&chain);
        let skipped = CharterDraft { version: 3, ..good.clone() };
        assert!(matches!(refused(skipped, &ALL), CharterError::NotNext { version: 3, newest: 1 }));
        let other = CharterDraft { predecessor: Some(crate::encoding::hash::Digest::ZERO), ..good.clone() };
        assert!(matches!(refused(other, &ALL), CharterError::NotNext { .. }));
        let earlier = CharterDraft { issued_at: at(-1), ..good.clone() };
        assert!(matches!(refused(earlier, &ALL), CharterError::Time { version: 2 }));
        let mut epochs = good;
        epochs.parameters.epoch_seconds += 1;
        assert!(matches!(refused(epochs, &ALL), CharterError::EpochLength));
    }

    #[test]
    fn two_charters_of_one_version_are_proof_of_a_split() {
        let mut chain = chain();
        let (one, mut other) = (next(&chain), next(&chain));
        other.name = "Another".to_owned();
        assert_eq!(chain.extend(signed(one.clone(), chain.federation(), &ALL)), Ok(true));
        // Without a quorum it proves nothing.
        let weak = signed(other.clone(), chain.federation(), &["GE"]);
        assert!(matches!(chain.extend(weak), Err(CharterError::Quorum { .. })));
        let rival = signed(other, chain.federation(), &ALL);
        let expected = CharterError::Rival(Box::new((signed(one, chain.federation(), &ALL), rival.clone())));
        assert_eq!(chain.extend(rival), Err(expected));
        let first = chain.first().clone();
        assert_eq!(chain.extend(first), Err(CharterError::Older { version: 1, newest: 2 }));
    }

    #[test]
    fn members_stay_listed_and_keep_what_they_are() {
        let draft = || next(&chain());
        let fault = |draft| {
            let error = refused(draft, &ALL);
            if let CharterError::Member { fault, .. } = error { fault } else { panic!("{error}") }
        };
        let mut missing = draft();
        missing.members.remove(&code("W1"));
        assert_eq!(fault(missing), MemberFault::Missing);
        let mut changed = draft();
        changed.members.get_mut(&code("TR")).unwrap().kind = MemberKind::Observer;
        assert_eq!(fault(changed), MemberFault::KindChanged);
        let mut stolen = draft();
        stolen.members.get_mut(&code("TR")).unwrap().root = key("TR", "stolen").public();
        assert_eq!(fault(stolen), MemberFault::RootNotAnnounced);

        let mut chain = chain();
        let mut removed = next(&chain);
        removed.members.get_mut(&code("TR")).unwrap().status = MemberStatus::Removed;
        chain.extend(signed(removed, chain.federation(), &ALL)).unwrap();
        let returned = CharterDraft { members: charter(&["GE", "MZ", "TR", "W1"]).members, ..next(&chain) };
        let error = chain.extend(signed(returned, chain.federation(), &ALL)).unwrap_err();
        assert!(matches!(error, CharterError::Member { fault: MemberFault::Returned, .. }));
    }

    #[test]
    fn a_root_changes_only_to_the_announced_one_which_signs() {
        let mut chain = chain();
        let mut draft = next(&chain);
        let member = draft.members.get_mut(&code("TR")).unwrap();
        member.root = key("TR", "next").public();
        member.next_root = key("TR", "after").public().digest();
        let mut charter = signed(draft, chain.federation(), &ALL);
        let error = chain.extend(charter.clone()).unwrap_err();
        assert!(matches!(error, CharterError::Member { fault: MemberFault::RootNotSigned, .. }));
        charter.sign(code("TR"), &key("TR", "next"));
        assert_eq!(chain.extend(charter), Ok(true));
        // The root that was replaced is spent: MZ announces it, with its own root change, and cannot change to it.
        let changed = |chain: &CharterChain, root: &SecretKey, next: &SecretKey| {
            let mut draft = super::tests::next(chain);
            let member = draft.members.get_mut(&code("MZ")).unwrap();
            (member.root, member.next_root) = (root.public(), next.public().digest());
            let mut charter = signed(draft, chain.federation(), &["GE"]);
            charter.sign(code("TR"), &key("TR", "next"));
            charter.sign(code("MZ"), root);
            charter
        };
        let announced = changed(&chain, &key("MZ", "next"), &key("TR", "root"));
        assert_eq!(chain.extend(announced), Ok(true));
        let error = chain.extend(changed(&chain, &key("TR", "root"), &key("MZ", "after"))).unwrap_err();
        assert!(matches!(error, CharterError::Member { fault: MemberFault::RootReused, .. }));
    }

    #[test]
    fn the_others_cannot_announce_a_root_for_a_member() {
        let chain = chain();
        let mut draft = next(&chain);
        draft.members.get_mut(&code("TR")).unwrap().next_root = key("GE", "of its own").public().digest();
        let error = refused(draft, &ALL);
        assert!(matches!(error, CharterError::Member { fault: MemberFault::NextRootChanged, .. }));
    }

    #[test]
    fn what_could_follow_is_told_before_anybody_has_signed() {
        let chain = chain();
        let unsigned = |draft: CharterDraft| SignedCharter::unsigned(draft.check().unwrap(), chain.federation());
        assert_eq!(chain.could_follow(&unsigned(next(&chain))), Ok(()));
        let mut stolen = next(&chain);
        stolen.members.get_mut(&code("TR")).unwrap().root = key("TR", "stolen").public();
        assert!(chain.could_follow(&unsigned(stolen)).is_err());
        let skipped = CharterDraft { version: 3, ..next(&chain) };
        assert!(chain.could_follow(&unsigned(skipped)).is_err());
    }

    #[test]
    fn copies_that_were_signed_apart_are_put_together() {
        let mut chain = chain();
        let by = |signers: &[&str]| signed(next(&chain), chain.federation(), signers);
        let old = chain.newest().charter().clone();
        let (mut one, other) = (by(&["GE"]), by(&["MZ", "TR"]));
        one.merge(&other, Some(&old)).unwrap();
        assert_eq!(one, by(&ALL));
        let stranger = {
            let mut charter = by(&["MZ"]);
            charter.sign(code("LB"), &key("LB", "root"));
            charter
        };
        assert!(matches!(one.merge(&stranger, Some(&old)), Err(CharterError::Signature { .. })));
        let another = signed(CharterDraft { name: "Another".to_owned(), ..next(&chain) }, chain.federation(), &ALL);
        assert!(matches!(one.merge(&another, Some(&old)), Err(CharterError::NotNext { .. })));
        assert_eq!(chain.extend(one), Ok(true));
    }

    #[test]
    fn a_member_that_lost_its_root_votes_with_the_announced_one() {
        let mut chain = chain();
        let mut draft = next(&chain);
        let member = draft.members.get_mut(&code("TR")).unwrap();
        member.root = key("TR", "next").public();
        member.next_root = key("TR", "after").public().digest();
        let mut charter = signed(draft, chain.federation(), &["GE", "MZ"]);
        charter.sign(code("TR"), &key("TR", "next"));
        assert_eq!(chain.extend(charter), Ok(true));
    }

    #[test]
    fn a_signature_by_a_stranger_or_for_another_federation_is_refused() {
        let mut charter = signed(charter(&ALL), FederationId::NONE, &ALL);
        charter.sign(code("LB"), &key("LB", "root"));
        let error = CharterChain::verify(vec![charter]).unwrap_err();
        assert!(matches!(error, CharterError::Signature { signer, .. } if signer == code("LB")));
        let other = FederationId(crate::encoding::hash::Digest([7; 32]));
        let mut chain = chain();
        let error = chain.extend(signed(next(&chain), other, &ALL)).unwrap_err();
        assert!(matches!(error, CharterError::Federation { version: 2 }));
    }
}
