//! Who decides about the inputs of a kind: the same doors through which they come in production.

use std::error::Error;
use std::sync::LazyLock;

use shieldwall::encoding::ids::{FederationId, MemberCode, RecordId};
use shieldwall::encoding::merkle;
use shieldwall::encoding::time::UnixTime;
use shieldwall::evidence::verify;
use shieldwall::identity::{Application, PublicKey, Published, SignedCharter, SignedManifest};
use shieldwall::ledger::{Claim, ForkProof, Receipt, SignedRoot, Unverified};
use shieldwall::protocol::message::{Gossip, Request, Response};
use shieldwall::seal::{FieldProof, Grant, LanesBody, SealContext, SealedBody, SlotProof, probe};

use crate::evidence_fixture as world;
use crate::evidence_fixture::World;

/// Says why not.
pub(super) type Judge = fn(&[u8]) -> Result<(), String>;

pub(super) static WORLD: LazyLock<World> = LazyLock::new(World::new);

const JUDGES: &[(&str, Judge)] = &[
    ("statement", statement),
    ("checkpoint", checkpoint),
    ("cosignature", cosignature),
    ("frontier", frontier),
    ("receipt", receipt),
    ("fork", fork),
    ("body", body),
    ("compartment", compartment),
    ("fields", fields),
    ("field-proof", field_proof),
    ("grant", grant),
    ("lanes", lanes),
    ("slot", slot),
    ("charter", charter),
    ("manifest", manifest),
    ("published", published),
    ("application", application),
    ("key", key),
    ("evidence", evidence),
    ("gossip", gossip),
    ("request", request),
    ("response", response),
    ("heard", super::messages::heard),
];

/// The judge of a kind; none if it is not built here.
pub(super) fn of(kind: &str) -> Option<Judge> {
    let core = JUDGES.iter().find(|(known, _)| *known == kind).map(|(_, judge)| *judge);
    #[cfg(feature = "node")]
    let core = core.or_else(|| super::documents::judge(kind)).or_else(|| super::settings::judge(kind));
    core
}

/// Whether there is such a kind in a full build.
pub(super) fn is_known(kind: &str) -> bool {
    of(kind).is_some() || ["csv", "xml", "json", "config", "guard", "api"].contains(&kind)
}

/// An error with all its sources, each once.
pub(super) fn told(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    text
}

fn code(text: &str) -> MemberCode {
    text.parse().unwrap()
}

pub(super) fn first() -> RecordId {
    "GE-1".parse().unwrap()
}

pub(super) fn context() -> SealContext {
    SealContext { federation: WORLD.federation.id(), record: first() }
}

/// A leaf at its place: right behind the lanes.
fn statement(bytes: &[u8]) -> Result<(), String> {
    let key = world::key("GE", "log").public();
    let not_before = UnixTime::from_seconds(1_795_000_100).unwrap();
    let read = Unverified::read(bytes, first(), WORLD.federation.id(), &key, not_before).map_err(told)?;
    read.verify().map(|_| ()).map_err(told)
}

fn root(bytes: &[u8]) -> Result<shieldwall::ledger::Root, String> {
    SignedRoot::decode(bytes).map_err(told)?.verify(&WORLD.federation).map_err(told)
}

fn checkpoint(bytes: &[u8]) -> Result<(), String> {
    match root(bytes)?.claim {
        Claim::Checkpoint { .. } => Ok(()),
        Claim::Cosignature { .. } | Claim::Frontier { .. } => Err("not a checkpoint".to_owned()),
    }
}

fn cosignature(bytes: &[u8]) -> Result<(), String> {
    match root(bytes)?.claim {
        Claim::Cosignature { .. } => Ok(()),
        Claim::Checkpoint { .. } | Claim::Frontier { .. } => Err("not a cosignature".to_owned()),
    }
}

fn frontier(bytes: &[u8]) -> Result<(), String> {
    match root(bytes)?.claim {
        Claim::Frontier { .. } => Ok(()),
        Claim::Checkpoint { .. } | Claim::Cosignature { .. } => Err("not a frontier".to_owned()),
    }
}

fn receipt(bytes: &[u8]) -> Result<(), String> {
    let receipt = Receipt::decode(bytes).map_err(told)?;
    let signed = receipt.signed_root(&WORLD.leaves[1]).map_err(told)?;
    signed.verify(&WORLD.federation).map(|_| ()).map_err(told)
}

fn fork(bytes: &[u8]) -> Result<(), String> {
    ForkProof::decode(bytes).map_err(told)?.verify(&WORLD.federation).map(|_| ()).map_err(told)
}

fn body(bytes: &[u8]) -> Result<(), String> {
    let body = SealedBody::decode(bytes).map_err(told)?;
    // What a reader does with a body: is it the one that the statement binds?
    if body.head.digest() == WORLD.body.head.digest() {
        Ok(())
    } else {
        Err("another body than the signed one".to_owned())
    }
}

fn compartment(bytes: &[u8]) -> Result<(), String> {
    probe::recode_compartment(bytes).map(|_| ()).map_err(told)
}

fn fields(bytes: &[u8]) -> Result<(), String> {
    probe::read_plaintext(bytes).map(|_| ()).map_err(told)
}

fn grant(bytes: &[u8]) -> Result<(), String> {
    let (opened, _) = probe::read_plaintext(bytes).map_err(told)?;
    Grant::from_opened(&opened).map(|_| ()).map_err(told)
}

fn field_proof(bytes: &[u8]) -> Result<(), String> {
    let proof = FieldProof::decode(bytes).map_err(told)?;
    let roots = WORLD.body.head.compartments().iter().map(|head| head.fields_root);
    let verdicts: Vec<_> = roots.map(|root| proof.verify(&root)).collect();
    if verdicts.iter().any(Result::is_ok) { Ok(()) } else { verdicts[0].clone().map_err(told) }
}

fn lanes(bytes: &[u8]) -> Result<(), String> {
    let lanes = LanesBody::decode(bytes).map_err(told)?;
    if lanes.head().digest() == WORLD.lanes.head().digest() {
        Ok(())
    } else {
        Err("other lanes than the signed ones".to_owned())
    }
}

fn slot(bytes: &[u8]) -> Result<(), String> {
    let proof = SlotProof::decode(bytes).map_err(told)?;
    proof.verify(&WORLD.lanes.head().digest()).map_err(told)?;
    let context = SealContext { record: "GE-0".parse().unwrap(), ..context() };
    proof.slot.open(&context, &world::seal_key("TR")).map(|_| ()).map_err(told)
}

fn charter(bytes: &[u8]) -> Result<(), String> {
    let charter = SignedCharter::decode(bytes).map_err(told)?;
    let manifests = WORLD.federation.published().manifests;
    let federation = Published { charters: vec![charter], manifests }.verify().map_err(told)?;
    if federation.id() == WORLD.federation.id() { Ok(()) } else { Err("another federation".to_owned()) }
}

fn manifest(bytes: &[u8]) -> Result<(), String> {
    let manifest = SignedManifest::decode(bytes).map_err(told)?;
    if manifest.manifest().member() != code("GE") {
        return Err("the manifest of another member".to_owned());
    }
    manifest.verify(&world::key("GE", "root").public(), FederationId::NONE).map_err(told)
}

fn published(bytes: &[u8]) -> Result<(), String> {
    let federation = Published::decode(bytes).map_err(told)?.verify().map_err(told)?;
    if federation.id() == WORLD.federation.id() { Ok(()) } else { Err("another federation".to_owned()) }
}

fn application(bytes: &[u8]) -> Result<(), String> {
    Application::decode(bytes).map(|_| ()).map_err(told)
}

fn key(bytes: &[u8]) -> Result<(), String> {
    let bytes: &[u8; 32] = bytes.try_into().map_err(|_| "not 32 bytes".to_owned())?;
    PublicKey::from_bytes(bytes).map(|_| ()).map_err(told)
}

/// An edit of the good folder, as the fuzzer's target of that name has it: a path, a line end, then the file's new bytes.
fn evidence(bytes: &[u8]) -> Result<(), String> {
    let (mut bundle, trusted) = super::objects::folder();
    if !bytes.is_empty() {
        let at = bytes.iter().position(|byte| *byte == b'\n').ok_or("no path")?;
        let path = String::from_utf8_lossy(&bytes[..at]).into_owned();
        match &bytes[at + 1..] {
            b"removed" => drop(bundle.remove(&path)),
            new => drop(bundle.insert(path, new.to_vec())),
        }
    }
    let report = verify(&bundle, &trusted);
    if report.proved {
        return Ok(());
    }
    let failed = report.failures().next().ok_or("refused without a reason")?;
    match &failed.outcome {
        shieldwall::evidence::Outcome::Failed(reason) => Err(format!("{}: {reason}", failed.name)),
        shieldwall::evidence::Outcome::Proved | shieldwall::evidence::Outcome::NotClaimed => Err(failed.name.clone()),
    }
}

fn gossip(bytes: &[u8]) -> Result<(), String> {
    Gossip::decode(bytes).map(|_| ()).map_err(told)
}

fn request(bytes: &[u8]) -> Result<(), String> {
    Request::decode(bytes).map(|_| ()).map_err(told)
}

fn response(bytes: &[u8]) -> Result<(), String> {
    Response::decode(bytes).map(|_| ()).map_err(told)
}

/// The root over the first leaves of the record's log.
pub(super) fn log_root(size: usize) -> shieldwall::encoding::hash::Digest {
    merkle::root(&WORLD.leaves[..size].iter().map(|leaf| merkle::leaf_hash(leaf)).collect::<Vec<_>>())
}
