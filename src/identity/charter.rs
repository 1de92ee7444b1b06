//! The charter: who the members are, how many of them must agree, and what limits hold for all.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{KeyError, PublicKey};
use super::profile::ProfileError;
use super::signed_charter::SignedCharter;
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::{Digest, Kid, sha256};
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

/// Why a charter is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CharterError {
    /// Not the CBOR of a charter.
    #[error(transparent)]
    Form(#[from] CborError),
    /// Not signed in the profile of a charter.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A value is out of its bounds.
    #[error("{field} of the charter is out of bounds")]
    Bounds {
        /// Which value.
        field: &'static str,
    },
    /// A root key is not acceptable.
    #[error("root key of {member}")]
    Key {
        /// Whose key.
        member: MemberCode,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A member's entry contradicts itself, another member's or that of the version before.
    #[error("member {member}: {fault}")]
    Member {
        /// Which member.
        member: MemberCode,
        /// What is wrong.
        fault: MemberFault,
    },
    /// A signature is by nobody who may sign, stands twice or out of order, or does not verify.
    #[error("signature of {signer} with key {kid} is not acceptable")]
    Signature {
        /// Who is said to have signed.
        signer: MemberCode,
        /// With which key.
        kid: Kid,
    },
    /// Too few of the active countries have signed.
    #[error("charter version {version} is signed by {signed} of {countries} active countries of version {of_version}")]
    Quorum {
        /// The version signed.
        version: u64,
        /// The version whose countries are counted.
        of_version: u64,
        /// How many have signed.
        signed: u64,
        /// How many there are.
        countries: u64,
    },
    /// Bound to another federation than the one at hand, or a first version bound to any.
    #[error("charter version {version} belongs to another federation")]
    Federation {
        /// The version.
        version: u64,
    },
    /// Not the version that follows, or it names another predecessor.
    #[error("charter version {version} does not follow version {newest}")]
    NotNext {
        /// The version at hand.
        version: u64,
        /// The newest version known.
        newest: u64,
    },
    /// An older version than the newest known.
    #[error("charter version {version} is older than version {newest}")]
    Older {
        /// The version at hand.
        version: u64,
        /// The newest version known.
        newest: u64,
    },
    /// Drawn up before the version that it follows.
    #[error("charter version {version} is dated before its predecessor")]
    Time {
        /// The version at hand.
        version: u64,
    },
    /// The length of epochs, which numbers them, was changed.
    #[error("the length of epochs cannot change")]
    EpochLength,
    /// Two charters of one version, both properly signed: proof of a split, to be kept.
    #[error("two different charters of version {} are properly signed", .0.0.charter().version())]
    Rival(Box<(SignedCharter, SignedCharter)>),
}

/// What is wrong with a member's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberFault {
    /// A country's code is two letters.
    #[error("the code of a country is two letters")]
    Code,
    /// The next root must be another key.
    #[error("the next root is the present one")]
    NextRootIsRoot,
    /// Each root belongs to one member and is used once.
    #[error("its root was used before or by another member")]
    RootReused,
    /// Entries are never deleted.
    #[error("missing; a member that leaves stays listed as removed")]
    Missing,
    /// A removed member does not come back; its code is spent.
    #[error("removed for good")]
    Returned,
    /// Countries and observers do not turn into each other.
    #[error("changed between country and observer")]
    KindChanged,
    /// The new root is not the one announced.
    #[error("its new root is not the one announced")]
    RootNotAnnounced,
    /// The new root has not signed.
    #[error("its new root has not signed")]
    RootNotSigned,
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
    pub(super) fn binds(&self, federation: FederationId) -> FederationId {
        if self.version() == 1 { FederationId::NONE } else { federation }
    }

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let draft = &self.0;
        let members: Map = draft
            .members
            .iter()
            .map(|(code, member)| (Value::from(*code), Value::from(encode_member(member))))
            .collect();
        let mut map = Map::new()
            .with(field::VERSION, draft.version)
            .with(field::NAME, draft.name.as_str())
            .with(field::ISSUED_AT, draft.issued_at)
            .with(field::QUORUM, vec![Value::from(draft.quorum.numerator), Value::from(draft.quorum.denominator)])
            .with(field::PARAMETERS, encode_parameters(&draft.parameters))
            .with(field::MEMBERS, members);
        if let Some(predecessor) = draft.predecessor {
            map.insert(field::PREDECESSOR, predecessor);
        }
        cbor::encode(&Value::Map(map))
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// [`CharterError`] if the bytes are not the one encoding of a charter that passes [`CharterDraft::check`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CharterError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "charter")?;
        let version = fields.u64(field::VERSION)?;
        let predecessor =
            if fields.has(field::PREDECESSOR) { Some(Digest(fields.array(field::PREDECESSOR)?)) } else { None };
        let name = fields.text(field::NAME)?;
        let issued_at =
            UnixTime::from_seconds(fields.i64(field::ISSUED_AT)?).map_err(|_| fields.bad(field::ISSUED_AT))?;
        let quorum = match fields.items(field::QUORUM)?.as_slice() {
            [numerator, denominator] => numerator
                .as_u64()
                .zip(denominator.as_u64())
                .map(|(numerator, denominator)| Quorum { numerator, denominator }),
            _ => None,
        }
        .ok_or_else(|| fields.bad(field::QUORUM))?;
        if quorum.denominator > 100 || quorum.numerator > 100 {
            return Err(fields.bad(field::QUORUM).into());
        }
        let parameters = decode_parameters(fields.map(field::PARAMETERS)?)?;
        let listed = fields.map(field::MEMBERS)?;
        if listed.len() > MEMBERS_MAX {
            return Err(CharterError::Bounds { field: "members" });
        }
        let mut members = BTreeMap::new();
        for (code, entry) in listed {
            let code: MemberCode =
                code.as_text().and_then(|text| text.parse().ok()).ok_or_else(|| fields.bad(field::MEMBERS))?;
            members.insert(code, decode_member(code, entry)?);
        }
        fields.end()?;
        CharterDraft { version, predecessor, name, issued_at, quorum, parameters, members }.check()
    }
}

/// Keys of the payload's maps.
mod field {
    pub(super) const VERSION: i64 = 1;
    pub(super) const PREDECESSOR: i64 = 2;
    pub(super) const NAME: i64 = 3;
    pub(super) const ISSUED_AT: i64 = 4;
    pub(super) const QUORUM: i64 = 5;
    pub(super) const PARAMETERS: i64 = 6;
    pub(super) const MEMBERS: i64 = 7;

    pub(super) mod member {
        pub(in super::super) const NAME: i64 = 1;
        pub(in super::super) const KIND: i64 = 2;
        pub(in super::super) const STATUS: i64 = 3;
        pub(in super::super) const ROOT: i64 = 4;
        pub(in super::super) const NEXT_ROOT: i64 = 5;
        pub(in super::super) const CUSTODIAN: i64 = 6;
        pub(in super::super) const STATEMENTS_PER_DAY: i64 = 7;
    }

    pub(super) mod parameter {
        pub(in super::super) const STATEMENT_BYTES_MAX: i64 = 1;
        pub(in super::super) const BODY_BYTES_MAX: i64 = 2;
        pub(in super::super) const TAGS_MAX: i64 = 3;
        pub(in super::super) const LOGS_PER_MEMBER: i64 = 4;
        pub(in super::super) const STATEMENTS_PER_DAY: i64 = 5;
        pub(in super::super) const EPOCH_SECONDS: i64 = 6;
    }
}

fn encode_member(member: &Member) -> Map {
    let mut map = Map::new()
        .with(field::member::NAME, member.name.as_str())
        .with(field::member::KIND, member.kind.as_str())
        .with(field::member::STATUS, member.status.as_str())
        .with(field::member::ROOT, &member.root)
        .with(field::member::NEXT_ROOT, member.next_root)
        .with(field::member::CUSTODIAN, member.custodian);
    if let Some(count) = member.statements_per_day {
        map.insert(field::member::STATEMENTS_PER_DAY, count);
    }
    map
}

fn decode_member(code: MemberCode, entry: Value) -> Result<Member, CharterError> {
    let mut fields = Fields::of(entry, "charter member")?;
    let name = fields.text(field::member::NAME)?;
    let kind = MemberKind::named(&fields.text(field::member::KIND)?).ok_or_else(|| fields.bad(field::member::KIND))?;
    let status =
        MemberStatus::named(&fields.text(field::member::STATUS)?).ok_or_else(|| fields.bad(field::member::STATUS))?;
    let root = PublicKey::from_bytes(&fields.array(field::member::ROOT)?)
        .map_err(|source| CharterError::Key { member: code, source })?;
    let next_root = Digest(fields.array(field::member::NEXT_ROOT)?);
    let custodian = fields.bool(field::member::CUSTODIAN)?;
    let statements_per_day = if fields.has(field::member::STATEMENTS_PER_DAY) {
        Some(fields.u64(field::member::STATEMENTS_PER_DAY)?)
    } else {
        None
    };
    fields.end()?;
    Ok(Member { name, kind, status, root, next_root, custodian, statements_per_day })
}

fn encode_parameters(parameters: &Parameters) -> Map {
    Map::new()
        .with(field::parameter::STATEMENT_BYTES_MAX, parameters.statement_bytes_max)
        .with(field::parameter::BODY_BYTES_MAX, parameters.body_bytes_max)
        .with(field::parameter::TAGS_MAX, parameters.tags_max)
        .with(field::parameter::LOGS_PER_MEMBER, parameters.logs_per_member)
        .with(field::parameter::STATEMENTS_PER_DAY, parameters.statements_per_day)
        .with(field::parameter::EPOCH_SECONDS, parameters.epoch_seconds)
}

fn decode_parameters(map: Map) -> Result<Parameters, CborError> {
    let mut fields = Fields::of_map(map, "charter parameters");
    let parameters = Parameters {
        statement_bytes_max: fields.u64(field::parameter::STATEMENT_BYTES_MAX)?,
        body_bytes_max: fields.u64(field::parameter::BODY_BYTES_MAX)?,
        tags_max: fields.u64(field::parameter::TAGS_MAX)?,
        logs_per_member: fields.u64(field::parameter::LOGS_PER_MEMBER)?,
        statements_per_day: fields.u64(field::parameter::STATEMENTS_PER_DAY)?,
        epoch_seconds: fields.u64(field::parameter::EPOCH_SECONDS)?,
    };
    fields.end()?;
    Ok(parameters)
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
