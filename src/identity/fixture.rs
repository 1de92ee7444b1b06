//! A small federation for unit tests, every key derived from its owner's code.

use std::collections::{BTreeMap, BTreeSet};

use super::charter::{CharterDraft, Member, MemberKind, MemberStatus, SignedCharter};
use super::federation::Federation;
use super::key::SecretKey;
use super::manifest::{LogEntry, ManifestDraft, SignedManifest, TransportEntry};
use super::published::Published;
use super::seal_key::SealSecretKey;
use crate::encoding::hash::sha256_of;
use crate::encoding::ids::{FederationId, MemberCode};
use crate::encoding::time::UnixTime;

/// When the federation is founded.
pub(crate) const FOUNDED: i64 = 1_795_000_000;

/// The member of this code.
pub(crate) fn code(text: &str) -> MemberCode {
    text.parse().expect("a member code")
}

/// The moment so many seconds after the founding.
pub(crate) fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(FOUNDED + seconds).expect("within range")
}

/// The seed of one of a member's keys, such as `root`, `next`, `log`, `witness`, `transport` or `seal 0`.
pub(crate) fn seed(member: &str, purpose: &str) -> [u8; 32] {
    sha256_of(&[b"fixture ", member.as_bytes(), b" ", purpose.as_bytes()]).0
}

/// One of a member's Ed25519 keys.
pub(crate) fn key(member: &str, purpose: &str) -> SecretKey {
    SecretKey::from_seed(&seed(member, purpose))
}

/// A member's seal key of an epoch.
pub(crate) fn seal_key(member: &str, epoch: u32) -> SealSecretKey {
    SealSecretKey::from_seed(&seed(member, &format!("seal {epoch}")))
}

/// A member as the first charter has it: a code of two letters is a country's.
pub(crate) fn member(text: &str) -> Member {
    Member {
        name: format!("Member {text}"),
        kind: if code(text).is_alphabetic() { MemberKind::Country } else { MemberKind::Observer },
        status: MemberStatus::Active,
        root: key(text, "root").public(),
        next_root: key(text, "next").public().digest(),
        custodian: false,
        statements_per_day: None,
    }
}

/// Version 1 of a charter, not signed.
pub(crate) fn charter(members: &[&str]) -> CharterDraft {
    CharterDraft {
        members: members.iter().map(|text| (code(text), member(text))).collect(),
        ..CharterDraft::new("Fixture", at(0))
    }
}

/// A charter signed with the present roots of `signers`.
pub(crate) fn signed(draft: CharterDraft, federation: FederationId, signers: &[&str]) -> SignedCharter {
    let mut charter = SignedCharter::unsigned(draft.check().expect("a good charter"), federation);
    signers.iter().for_each(|signer| charter.sign(code(signer), &key(signer, "root")));
    charter
}

/// Version 1 of a member's manifest.
pub(crate) fn manifest(member: &str) -> ManifestDraft {
    ManifestDraft {
        member: code(member),
        version: 1,
        predecessor: None,
        issued_at: at(0),
        logs: vec![LogEntry { key: key(member, "log").public(), opened: at(0), closed: None }],
        witness: key(member, "witness").public(),
        seal_keys: (0..2).map(|epoch| (epoch, seal_key(member, epoch).public())).collect(),
        transports: vec![TransportEntry {
            key: key(member, "transport").public(),
            addresses: vec!["/ip4/127.0.0.1/udp/4001/quic-v1".to_owned()],
        }],
        custodians: BTreeSet::new(),
    }
}

/// A manifest signed with the member's present root.
pub(crate) fn signed_manifest(draft: ManifestDraft, federation: FederationId) -> SignedManifest {
    let root = key(draft.member.as_str(), "root");
    SignedManifest::sign(draft.check().expect("a good manifest"), federation, &root)
}

/// Charter and manifests of these members, signed by all of its countries.
pub(crate) fn published(members: &[&str]) -> Published {
    published_where(members, |_| {})
}

fn published_where(members: &[&str], change: impl FnOnce(&mut CharterDraft)) -> Published {
    let countries = members.iter().copied().filter(|text| code(text).is_alphabetic()).collect::<Vec<_>>();
    let mut draft = charter(members);
    change(&mut draft);
    let manifests: BTreeMap<_, _> =
        members.iter().map(|text| (code(text), signed_manifest(manifest(text), FederationId::NONE))).collect();
    Published { charters: vec![signed(draft, FederationId::NONE, &countries)], manifests }
}

/// The federation of these members.
pub(crate) fn federation(members: &[&str]) -> Federation {
    published(members).verify().expect("a good federation")
}

/// The same with a charter that differs somewhere.
pub(crate) fn federation_where(members: &[&str], change: impl FnOnce(&mut CharterDraft)) -> Federation {
    published_where(members, change).verify().expect("a good federation")
}
