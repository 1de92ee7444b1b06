//! A federation with keys from seeds.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::hash::sha256;
use crate::encoding::ids::{FederationId, LogId, MemberCode};
use crate::encoding::time::UnixTime;
use crate::identity::{
    CharterDraft, Federation, LogEntry, ManifestDraft, Member, MemberKind, MemberStatus, Published, SealSecretKey,
    SecretKey, SignedCharter, SignedManifest, TransportEntry,
};
use crate::protocol::Myself;

/// All secrets of one simulated member.
#[derive(Debug)]
pub struct Keys {
    /// The member.
    pub member: MemberCode,
    /// Signs charter and manifest.
    pub root: SecretKey,
    /// Signs the log.
    pub log: SecretKey,
    /// Signs cosignatures.
    pub witness: SecretKey,
    /// Is the member's address.
    pub transport: SecretKey,
    /// Opens lanes, by epoch.
    pub seal: BTreeMap<u32, [u8; 32]>,
}

impl Keys {
    /// The keys of a member, always the same.
    #[must_use]
    pub fn of(member: MemberCode) -> Self {
        let seed = |purpose: &str| sha256(format!("simulated {member} {purpose}").as_bytes()).0;
        let key = |purpose: &str| SecretKey::from_seed(&seed(purpose));
        Self {
            member,
            root: key("root"),
            log: key("log"),
            witness: key("witness"),
            transport: key("transport"),
            seal: (0..3).map(|epoch| (epoch, seed(&format!("seal {epoch}")))).collect(),
        }
    }

    /// The key of one of its logs.
    #[must_use]
    pub fn log_key(&self, log: LogId) -> SecretKey {
        let purpose = if log.ordinal == 1 { "log".to_owned() } else { format!("log {}", log.ordinal) };
        SecretKey::from_seed(&sha256(format!("simulated {} {purpose}", self.member).as_bytes()).0)
    }

    /// What the node of this member is told about itself.
    #[must_use]
    pub fn myself(&self) -> Myself {
        Myself {
            member: self.member,
            log: LogId::first(self.member),
            seal_keys: self.seal.iter().map(|(epoch, seed)| (*epoch, SealSecretKey::from_seed(seed))).collect(),
            guard_intact: true,
        }
    }

    fn manifest(&self, at: UnixTime) -> SignedManifest {
        let draft = ManifestDraft {
            member: self.member,
            version: 1,
            predecessor: None,
            issued_at: at,
            logs: vec![LogEntry { key: self.log.public(), opened: at, closed: None }],
            witness: self.witness.public(),
            seal_keys: self.myself().seal_keys.iter().map(|(epoch, key)| (*epoch, key.public())).collect(),
            transports: vec![TransportEntry { key: self.transport.public(), addresses: Vec::new() }],
            custodians: BTreeSet::new(),
        };
        let manifest = draft.check().expect("a simulated manifest is within bounds");
        SignedManifest::sign(manifest, FederationId::NONE, &self.root)
    }
}

/// A federation of these members, founded at `at`; codes with a digit are observers.
#[must_use]
pub fn federation(members: &[MemberCode], at: UnixTime) -> Federation {
    let keys: Vec<Keys> = members.iter().map(|member| Keys::of(*member)).collect();
    let mut draft = CharterDraft::new("Simulated", at);
    draft.members = keys
        .iter()
        .map(|keys| {
            let next_root = sha256(format!("simulated {} next root", keys.member).as_bytes());
            let member = Member {
                name: format!("Member {}", keys.member),
                kind: if keys.member.is_alphabetic() { MemberKind::Country } else { MemberKind::Observer },
                status: MemberStatus::Active,
                root: keys.root.public(),
                next_root,
                custodian: false,
                statements_per_day: None,
            };
            (keys.member, member)
        })
        .collect();
    let charter = draft.check().expect("a simulated charter is within bounds");
    let mut charter = SignedCharter::unsigned(charter, FederationId::NONE);
    keys.iter().for_each(|keys| charter.sign(keys.member, &keys.root));
    let manifests = keys.iter().map(|keys| (keys.member, keys.manifest(at))).collect();
    Published { charters: vec![charter], manifests }.verify().expect("a simulated federation signs what it should")
}
