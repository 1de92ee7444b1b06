//! One record of Georgia's in a federation of five, with everything that a node of Mozambique's would hold about it.
#![expect(clippy::unwrap_used, reason = "what cannot be built fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use shieldwall::encoding::cbor::Value;
use shieldwall::encoding::hash::{Digest, sha256};
use shieldwall::encoding::ids::{FederationId, LogId, MemberCode, RecordId};
use shieldwall::encoding::merkle;
use shieldwall::encoding::random::Randomness;
use shieldwall::encoding::time::UnixTime;
use shieldwall::evidence::{FrontierCosignature, Inclusion, Material, OpenedCompartment};
use shieldwall::identity::{
    CharterDraft, Federation, LogEntry, ManifestDraft, Member, MemberKind, MemberStatus, Published, SealSecretKey,
    SecretKey, SignedCharter, SignedManifest,
};
use shieldwall::ledger::{Binds, Claim, Frontier, FrontierEntry, Root, SignedRoot, Statement};
use shieldwall::seal::{CompartmentDraft, LaneSecret, LanesBody, SealContext, SealedBody, seal_body, tags};

const MEMBERS: [&str; 5] = ["GE", "LB", "MZ", "TR", "W1"];
const AUTHOR: &str = "GE";
/// Statements in the author's log: the lanes, the record, and some more.
const LOG_SIZE: u64 = 7;

/// The federation, the author's log and the record's body.
pub(crate) struct World {
    pub(crate) federation: Federation,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) lanes: LanesBody,
    pub(crate) body: SealedBody,
    lane_secret: LaneSecret,
}

pub(crate) fn code(text: &str) -> MemberCode {
    text.parse().unwrap()
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(1_795_000_000 + seconds).unwrap()
}

pub(crate) fn key(member: &str, purpose: &str) -> SecretKey {
    SecretKey::from_seed(&sha256(format!("{member} {purpose}").as_bytes()).0)
}

pub(crate) fn seal_key(member: &str) -> SealSecretKey {
    SealSecretKey::from_seed(&sha256(format!("{member} seal").as_bytes()).0)
}

fn member(text: &str) -> Member {
    Member {
        name: format!("Customs of {text}"),
        kind: if code(text).is_alphabetic() { MemberKind::Country } else { MemberKind::Observer },
        status: MemberStatus::Active,
        root: key(text, "root").public(),
        next_root: key(text, "next").public().digest(),
        custodian: false,
        statements_per_day: None,
    }
}

pub(crate) fn manifest(text: &str) -> ManifestDraft {
    ManifestDraft {
        member: code(text),
        version: 1,
        predecessor: None,
        issued_at: at(0),
        logs: vec![LogEntry { key: key(text, "log").public(), opened: at(0), closed: None }],
        witness: key(text, "witness").public(),
        // They are slow to read, and evidence asks for none: one stands for all.
        seal_keys: if text == "TR" { [(0, seal_key(text).public())].into() } else { BTreeMap::new() },
        transports: Vec::new(),
        custodians: BTreeSet::new(),
    }
}

pub(crate) fn sign_manifest(draft: ManifestDraft, federation: FederationId) -> SignedManifest {
    let root = key(draft.member.as_str(), "root");
    SignedManifest::sign(draft.check().unwrap(), federation, &root)
}

/// Version 1 of the charter of a federation with this name, with all manifests.
pub(crate) fn published(name: &str) -> Published {
    let members = MEMBERS.iter().map(|text| (code(text), member(text))).collect();
    let draft = CharterDraft { members, ..CharterDraft::new(name, at(0)) };
    let mut charter = SignedCharter::unsigned(draft.check().unwrap(), FederationId::NONE);
    ["GE", "LB", "MZ", "TR"].iter().for_each(|signer| charter.sign(code(signer), &key(signer, "root")));
    let manifests =
        MEMBERS.iter().map(|text| (code(text), sign_manifest(manifest(text), FederationId::NONE))).collect();
    Published { charters: vec![charter], manifests }
}

/// The next version of the charter, with another name, signed by `signers`.
pub(crate) fn next_charter(federation: &Federation, signers: &[&str]) -> SignedCharter {
    let draft = CharterDraft { name: "Renamed".to_owned(), ..federation.charter().next_draft(at(500)) };
    let mut charter = SignedCharter::unsigned(draft.check().unwrap(), federation.id());
    signers.iter().for_each(|signer| charter.sign(code(signer), &key(signer, "root")));
    charter
}

impl World {
    pub(crate) fn new() -> Self {
        Self::named("Wall")
    }

    /// The same members, keys and record in a federation of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self::saying(name, "blasting", &[])
    }

    /// As [`Self::named`], with another use of the goods and more fields in the same compartment.
    pub(crate) fn saying(name: &str, end_use: &str, more: &[(&str, Value)]) -> Self {
        let federation = published(name).verify().unwrap();
        let mut random = Randomness::new([7; 32]);
        let log = LogId::first(code(AUTHOR));
        let context = |position| SealContext { federation: federation.id(), record: RecordId::new(log, position) };
        let lane_secret = LaneSecret::from_bytes([1; 32]);
        let keys: BTreeMap<_, _> = MEMBERS.iter().map(|text| (code(text), seal_key(text).public())).collect();
        let recipients = keys.iter().map(|(member, key)| (*member, key)).collect();
        let lanes = LanesBody::seal(&context(0), 0, &lane_secret, &recipients, &mut random).unwrap();
        let body = body(&context(1), &lane_secret, &mut random, end_use, more);
        let mut leaves = Vec::new();
        for position in 0..LOG_SIZE {
            let (binds, digest, size_class) = match position {
                0 => (Binds::Lanes, lanes.head().digest(), 0),
                1 => (Binds::Body, body.head.digest(), body.size_class),
                other => (Binds::Body, sha256(&other.to_be_bytes()), 0),
            };
            let readers = [code("TR"), code("MZ")];
            let record = RecordId::new(log, position);
            let statement = Statement {
                id: record,
                kid: key(AUTHOR, "log").public().kid(),
                federation: federation.id(),
                issued_at: at(100 + i64::try_from(position).unwrap()),
                binds,
                digest,
                lanes: 0,
                tags: tags(readers.map(|reader| lane_secret.lane_key(reader).tag(&record)), &mut random)
                    .into_iter()
                    .map(|tag| tag.0)
                    .collect(),
                size_class,
            };
            leaves.push(statement.signed(key(AUTHOR, "log").sign(&statement.to_be_signed())));
        }
        Self { federation, leaves, lanes, body, lane_secret }
    }

    /// What Mozambique holds about the statement at `position`.
    pub(crate) fn material(&self, position: u64) -> Material {
        let id = RecordId::new(LogId::first(code(AUTHOR)), position);
        let opened = if position == 1 { self.opened(id) } else { Vec::new() };
        Material {
            id,
            statement: self.leaves[position as usize].clone(),
            federation: self.federation.clone(),
            checkpoint: self.inclusion(position, AUTHOR, LOG_SIZE, 120),
            cosignatures: vec![
                self.inclusion(position, "TR", 5, 125),
                self.inclusion(position, "TR", LOG_SIZE, 130),
                self.inclusion(position, "W1", LOG_SIZE, 135),
                self.inclusion(position, "MZ", 2, 110),
            ],
            frontiers: vec![self.frontier(position, "LB", 3, 111), self.frontier(position, "TR", LOG_SIZE, 140)],
            head: match position {
                0 => Some(self.lanes.head().encode()),
                1 => Some(self.body.head.encode()),
                _ => None,
            },
            opened,
            lane: None,
        }
    }

    fn opened(&self, id: RecordId) -> Vec<OpenedCompartment> {
        let context = SealContext { federation: self.federation.id(), record: id };
        let lane = self.lane_secret.lane_key(code("MZ"));
        let compartments = self.body.head.compartments().iter().zip(&self.body.compartments);
        compartments
            .map(|(head, sealed)| OpenedCompartment {
                label: head.label,
                content: head.open(&context, sealed, &lane).unwrap(),
                sealed: Some((sealed.clone(), head.content_key(&context, sealed, &lane).unwrap())),
            })
            .collect()
    }

    fn hashes(&self, size: u64) -> Vec<Digest> {
        self.leaves[..size as usize].iter().map(|leaf| merkle::leaf_hash(leaf)).collect()
    }

    pub(crate) fn inclusion(&self, position: u64, by: &str, size: u64, time: i64) -> Inclusion {
        let hashes = self.hashes(size);
        let log = LogId::first(code(AUTHOR));
        let (claim, purpose) = if by == AUTHOR {
            (Claim::Checkpoint { log, size, commitments: [5; 32] }, "log")
        } else {
            (Claim::Cosignature { log, size }, "witness")
        };
        let root = self.sign(claim, merkle::root(&hashes), by, purpose, time);
        Inclusion { root, path: path(&hashes, position) }
    }

    pub(crate) fn frontier(&self, position: u64, by: &str, size: u64, time: i64) -> FrontierCosignature {
        let hashes = self.hashes(size);
        let entries: Vec<FrontierEntry> = MEMBERS
            .iter()
            .map(|text| {
                let root = if *text == AUTHOR { merkle::root(&hashes) } else { sha256(text.as_bytes()) };
                FrontierEntry { log: LogId::first(code(text)), size: if *text == AUTHOR { size } else { 9 }, root }
            })
            .collect();
        let root = entries.iter().copied().collect::<Frontier>().root();
        let root = self.sign(Claim::Frontier { logs: entries.len() as u64 }, root, by, "witness", time);
        FrontierCosignature { root, entries, path: path(&hashes, position) }
    }

    fn sign(&self, claim: Claim, root: Digest, by: &str, purpose: &str, time: i64) -> SignedRoot {
        let secret = key(by, purpose);
        let kid = secret.public().kid();
        let root = Root { claim, root, by: code(by), kid, issued_at: at(time), federation: self.federation.id() };
        root.signed(secret.sign(&root.to_be_signed()))
    }
}

/// The inclusion path, or none for a tree that ends before the statement.
fn path(hashes: &[Digest], position: u64) -> Vec<Digest> {
    if position < hashes.len() as u64 { merkle::inclusion_proof(hashes, position) } else { Vec::new() }
}

fn body(
    context: &SealContext,
    secret: &LaneSecret,
    random: &mut Randomness,
    end_use: &str,
    more: &[(&str, Value)],
) -> SealedBody {
    let fields = |entries: &[(&str, Value)]| -> BTreeMap<String, Value> {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let summary = fields(&[
        ("kind", Value::from("N01")),
        ("issued_at", Value::from("2026-11-18T10:26:40Z")),
        ("export_country", Value::from("GE")),
        ("destination", Value::from("MZ")),
        ("month", Value::from("2026-11")),
    ]);
    let mut trade = fields(&[("ucr", Value::from("5GE12345678-1")), ("end_use", Value::from(end_use))]);
    trade.extend(fields(more));
    let parties = fields(&[("consignee", Value::from("Fábrica de Explosivos de Moçambique"))]);
    let lanes: BTreeMap<&str, _> = ["GE", "TR", "MZ"].map(|text| (text, secret.lane_key(code(text)))).into();
    let pair = || vec![&lanes["GE"], &lanes["MZ"]];
    let drafts = [
        CompartmentDraft { name: "summary", fields: &summary, readers: lanes.values().collect() },
        CompartmentDraft { name: "trade", fields: &trade, readers: pair() },
        CompartmentDraft { name: "parties", fields: &parties, readers: pair() },
    ];
    seal_body(context, &drafts, random).unwrap()
}
