//! The charter: who the members are, how many of them must agree, and what limits hold for all.
//!
//! ```text
//! CharterDraft ─check─▶ Charter ─signatures─▶ SignedCharter ─follows the version before─▶ CharterChain
//! ```
//! A charter never says who is right, only who has a voice; and it cannot replace a member's key without that member.
//!
//! Start with [`CharterDraft`], then read [`CharterChain`] for the rule by which charters change.

mod chain;
mod change;
mod codec;
mod error;
mod signed;

pub use chain::CharterChain;
pub use change::{Change, Weight, changes};
pub use error::{CharterError, MemberFault};
pub use signed::SignedCharter;

use std::collections::{BTreeMap, BTreeSet};

use super::key::PublicKey;
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::{FederationId, MemberCode};
use crate::encoding::time::UnixTime;

/// Members in one charter, those removed included.
pub const MEMBERS_MAX: usize = 250;
/// Bytes in the name of a federation or member.
pub const NAME_BYTES_MAX: usize = 128;

/// A checked charter. Made from a [`CharterDraft`] or from signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charter(CharterDraft);

/// What goes into a charter, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterDraft {
    /// 1 for the first, then counted up by one.
    pub version: u64,
    /// SHA-256 of the payload of the version before; none in version 1.
    pub predecessor: Option<Digest>,
    /// The federation's name, for people.
    pub name: String,
    /// When this version was drawn up. Epochs are counted from that of version 1.
    pub issued_at: UnixTime,
    /// How many of the active countries must sign.
    pub quorum: Quorum,
    /// Limits that hold for all.
    pub parameters: Parameters,
    /// The members; those removed stay listed, so that no code is used twice.
    pub members: BTreeMap<MemberCode, Member>,
}

/// One member of the federation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, for people.
    pub name: String,
    /// Country or observer.
    pub kind: MemberKind,
    /// Whether it takes part.
    pub status: MemberStatus,
    /// The key that signs its manifests and its vote on charters.
    pub root: PublicKey,
    /// SHA-256 of the root that will follow, so that whoever steals the present one cannot replace it.
    pub next_root: Digest,
    /// Whether others may name it as custodian of their bodies.
    pub custodian: bool,
    /// Its own daily number of statements, where it differs from [`Parameters::statements_per_day`].
    pub statements_per_day: Option<u64>,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberKind {
    /// A country: logs exports and has a vote.
    Country,
    /// An organisation: verifies and cosigns, and has no vote.
    Observer,
}

/// Whether a member takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberStatus {
    /// Takes part.
    Active,
    /// Its history stands; for the time being it neither connects nor votes.
    Suspended,
    /// Its history stands; it has left for good.
    Removed,
}

/// More than `numerator / denominator` of the active countries must sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// At least half of the denominator, so that two quorums always share a country.
    pub numerator: u64,
    /// At most 100.
    pub denominator: u64,
}

/// Limits that hold for all members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Bytes in a statement.
    pub statement_bytes_max: u64,
    /// Bytes in a body, all compartments together; 512·2ⁿ.
    pub body_bytes_max: u64,
    /// Tags in a statement, the random ones included; a power of two.
    pub tags_max: u64,
    /// Logs of a member, the closed ones included.
    pub logs_per_member: u64,
    /// Statements of a member per day; beyond, peers delay.
    pub statements_per_day: u64,
    /// Length of an epoch in seconds.
    pub epoch_seconds: u64,
}

impl Default for Quorum {
    /// More than two thirds.
    fn default() -> Self {
        Self { numerator: 2, denominator: 3 }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            statement_bytes_max: 4096,
            body_bytes_max: 1 << 20,
            tags_max: 128,
            logs_per_member: 64,
            statements_per_day: 1_000_000,
            epoch_seconds: 30 * 24 * 60 * 60,
        }
    }
}

impl Quorum {
    /// Whether `signed` of `countries` are enough.
    #[must_use]
    pub fn is_met(self, signed: u64, countries: u64) -> bool {
        signed * self.denominator > countries * self.numerator
    }

    /// The least number of countries that is enough.
    #[must_use]
    pub fn needed(self, countries: u64) -> u64 {
        countries * self.numerator / self.denominator + 1
    }
}

impl CharterDraft {
    /// A first version without members.
    #[must_use]
    pub fn new(name: &str, issued_at: UnixTime) -> Self {
        Self {
            version: 1,
            predecessor: None,
            name: name.to_owned(),
            issued_at,
            quorum: Quorum::default(),
            parameters: Parameters::default(),
            members: BTreeMap::new(),
        }
    }

    /// Checks everything that can be checked in one version by itself.
    ///
    /// # Errors
    /// [`CharterError`], naming the first value that is out of bounds.
    pub fn check(self) -> Result<Charter, CharterError> {
        let bounds = |field, good: bool| if good { Ok(()) } else { Err(CharterError::Bounds { field }) };
        bounds("version", self.version >= 1 && self.version < 1 << 32)?;
        bounds("predecessor", self.predecessor.is_some() == (self.version > 1))?;
        bounds("name", is_name(&self.name))?;
        let Quorum { numerator, denominator } = self.quorum;
        bounds("quorum", numerator < denominator && denominator <= 100 && 2 * numerator >= denominator)?;
        self.parameters.check()?;
        bounds("members", self.members.len() <= MEMBERS_MAX)?;
        let mut roots = BTreeSet::new();
        for (code, member) in &self.members {
            let fault = |fault| CharterError::Member { member: *code, fault };
            bounds("name of a member", is_name(&member.name))?;
            bounds(
                "statements per day",
                member.statements_per_day.is_none_or(|count| (1..=STATEMENTS_PER_DAY_MAX).contains(&count)),
            )?;
            if member.kind == MemberKind::Country && !code.is_alphabetic() {
                return Err(fault(MemberFault::Code));
            }
            if member.root.digest() == member.next_root {
                return Err(fault(MemberFault::NextRootIsRoot));
            }
            if !roots.insert(member.root) {
                return Err(fault(MemberFault::RootReused));
            }
        }
        let charter = Charter(self);
        bounds("number of active countries", charter.active_countries().next().is_some())?;
        Ok(charter)
    }
}

/// No member can mean to exceed this.
const STATEMENTS_PER_DAY_MAX: u64 = 1 << 40;

impl Parameters {
    fn check(&self) -> Result<(), CharterError> {
        let bounds = |field, good: bool| if good { Ok(()) } else { Err(CharterError::Bounds { field }) };
        bounds("largest statement", (1024..=16_384).contains(&self.statement_bytes_max))?;
        let body = self.body_bytes_max;
        bounds("largest body", body.is_power_of_two() && (4096..=1 << 24).contains(&body))?;
        bounds("tags", self.tags_max.is_power_of_two() && (4..=512).contains(&self.tags_max))?;
        bounds("logs per member", (1..=999).contains(&self.logs_per_member))?;
        bounds("statements per day", (1..=STATEMENTS_PER_DAY_MAX).contains(&self.statements_per_day))?;
        bounds("length of epochs", (60..=366 * 86_400).contains(&self.epoch_seconds))
    }
}

impl Charter {
    /// The version, from 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// SHA-256 of the payload of the version before.
    #[must_use]
    pub fn predecessor(&self) -> Option<Digest> {
        self.0.predecessor
    }

    /// The federation's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// When this version was drawn up.
    #[must_use]
    pub fn issued_at(&self) -> UnixTime {
        self.0.issued_at
    }

    /// How many of the active countries must sign.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        self.0.quorum
    }

    /// Limits that hold for all.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.0.parameters
    }

    /// All members, those suspended and removed included.
    #[must_use]
    pub fn members(&self) -> &BTreeMap<MemberCode, Member> {
        &self.0.members
    }

    /// One member.
    #[must_use]
    pub fn member(&self, code: MemberCode) -> Option<&Member> {
        self.0.members.get(&code)
    }

    /// The members that take part, countries and observers.
    pub fn active_members(&self) -> impl Iterator<Item = (MemberCode, &Member)> {
        self.0
            .members
            .iter()
            .filter(|(_, member)| member.status == MemberStatus::Active)
            .map(|(code, member)| (*code, member))
    }

    /// The members that have a vote.
    pub fn active_countries(&self) -> impl Iterator<Item = (MemberCode, &Member)> {
        self.active_members().filter(|(_, member)| member.kind == MemberKind::Country)
    }

    /// A draft of the version that follows, as yet without changes.
    #[must_use]
    pub fn next_draft(&self, issued_at: UnixTime) -> CharterDraft {
        CharterDraft { version: self.0.version + 1, predecessor: Some(self.digest()), issued_at, ..self.0.clone() }
    }

    /// SHA-256 of the payload: what the next version names as its predecessor, and for version 1 the federation id.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&self.encode())
    }

    /// What a charter of this version is bound to: nothing in version 1, which makes the federation.
    #[must_use]
    fn binds(&self, federation: FederationId) -> FederationId {
        if self.version() == 1 { FederationId::NONE } else { federation }
    }
}

impl MemberKind {
    /// The word in signed bytes and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Observer => "observer",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Country, Self::Observer].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl MemberStatus {
    /// The word in signed bytes and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Removed].into_iter().find(|status| status.as_str() == name)
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control) && name.trim() == name
}
