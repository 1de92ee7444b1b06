//! The part of a bundle about a lane: what an author has addressed to one member, all of it and nothing else.
//!
//! ```text
//! lane.cbor = { 1: proof of the lane, 2: the lanes statement, 3: its path under the proof's checkpoint, 4: the member's slot,
//!               5: path of the record, which is the last statement under that checkpoint, 6: [* statement] / null,
//!               7: [* notified] / null }
//! notified  = [ head, [* field proof] ]                       one for each statement of 6
//! ```
//! The bundle's record is the last statement under the checkpoint: it says which lanes are the newest there, and whoever signed that it was held
//! signed that no less of the log was.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Facts;
use super::report::Claims;
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::{Digest, sha256};
use crate::encoding::ids::MemberCode;
use crate::encoding::merkle;
use crate::encoding::time::UnixTime;
use crate::ledger::statement::Unverified;
use crate::ledger::{Binds, Claim, LaneProof, Root, Statement};
use crate::record::{Content, Kind, PartialRecord};
use crate::seal::{BodyHead, FieldProof, LaneList, SlotProof};

/// Everything that a member can show of one of its lanes. Nothing in it needs to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneEvidence {
    /// What the author committed to, and the way to it.
    pub proof: LaneProof,
    /// The `lanes` statement.
    pub lanes: Vec<u8>,
    /// Its inclusion path at the size of the proof's checkpoint.
    pub lanes_path: Vec<Digest>,
    /// The member's slot among those of the `lanes` statement, as `SlotProof::encode` gives it.
    pub slot: Vec<u8>,
    /// Inclusion path of the bundle's record at that size.
    pub last_path: Vec<Digest>,
    /// The statements of the lane, in their order; none if there are too many for a file.
    pub statements: Option<Vec<Vec<u8>>>,
    /// What each of them notifies, if that is to be shown.
    pub notified: Option<Vec<Notified>>,
}

/// What a statement of a lane says of itself: its kind and, if it announces a consignment, which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notified {
    /// The head of its body; empty if it is not here.
    pub head: Vec<u8>,
    /// The fields shown.
    pub fields: Vec<FieldProof>,
}

/// The fields that say what a statement notifies.
pub const NOTIFIED_FIELDS: [&str; 2] = ["kind", "ucr"];

impl LaneEvidence {
    pub(super) fn encode(&self) -> Vec<u8> {
        let path = |hashes: &[Digest]| Value::from(hashes.iter().map(Value::from).collect::<Vec<_>>());
        let bytes =
            |items: &[Vec<u8>]| Value::from(items.iter().map(|item| Value::from(item.as_slice())).collect::<Vec<_>>());
        let mut map = Map::new()
            .with(1, self.proof.encode().as_slice())
            .with(2, self.lanes.as_slice())
            .with(3, path(&self.lanes_path))
            .with(4, self.slot.as_slice())
            .with(5, path(&self.last_path));
        let one = |one: &Notified| {
            let fields: Vec<Vec<u8>> = one.fields.iter().map(FieldProof::encode).collect();
            Value::from(vec![one.head.as_slice().into(), bytes(&fields)])
        };
        map.insert(6, self.statements.as_deref().map_or(Value::Null, bytes));
        let notified = self.notified.as_ref().map(|all| Value::from(all.iter().map(one).collect::<Vec<_>>()));
        map.insert(7, notified.unwrap_or(Value::Null));
        cbor::encode(&Value::Map(map))
    }

    /// Reads what [`Self::encode`] wrote. Nothing is verified.
    ///
    /// # Errors
    /// What it is not, in words.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        Self::read(bytes).map_err(|error| error.to_string())
    }

    fn read(bytes: &[u8]) -> Result<Self, CborError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "evidence about a lane")?;
        let proof = LaneProof::decode(&fields.bytes(1)?)?;
        let (lanes, slot) = (fields.bytes(2)?, fields.bytes(4)?);
        let lanes_path = digests(fields.items(3)?).ok_or_else(|| fields.bad(3))?;
        let last_path = digests(fields.items(5)?).ok_or_else(|| fields.bad(5))?;
        let (sixth, seventh) = (fields.value(6)?, fields.value(7)?);
        let all = |items: &[Value]| items.iter().map(notified).collect::<Option<_>>();
        let statements = if sixth == Value::Null {
            None
        } else {
            Some(sixth.as_array().and_then(byte_strings).ok_or_else(|| fields.bad(6))?)
        };
        let notified = if seventh == Value::Null {
            None
        } else {
            Some(seventh.as_array().and_then(all).ok_or_else(|| fields.bad(7))?)
        };
        fields.end()?;
        Ok(Self { proof, lanes, lanes_path, slot, last_path, statements, notified })
    }
}

/// Checks what a lane shows, beside everything that is shown of the record.
pub(super) fn check(lane: &LaneEvidence, leaf: &[u8], facts: &Facts, claims: &mut Claims) {
    let Some((checkpoint, size)) = check_checkpoint(lane, facts, claims) else { return };
    let Some(lanes) = check_lanes(lane, leaf, facts, &checkpoint, size, claims) else { return };
    let Some(member) = check_slot(lane, &lanes, claims) else { return };
    let (author, count) = (facts.statement.id.log.member, lane.proof.opening.count);
    claims.proved(
        "lane",
        format!(
            "By its checkpoint over {size} statements of the log {}, dated {}, {author} signed that it had addressed {count} \
             statements to {member} since {}, and which.",
            lanes.id.log, checkpoint.issued_at, lanes.id
        ),
    );
    match &lane.statements {
        Some(statements) => {
            if let Some(listed) = check_list(lane, statements, &lanes, size, facts, claims) {
                check_notified(lane, &listed, member, claims);
            }
        }
        None => {
            claims.not_claimed("list", format!("Which these {count} statements are: they are not part of this folder."))
        }
    }
    sum_up(facts, member, size, claims);
}

const LANE: &str = "The author committed to the list of what it addressed to the member.";

fn check_checkpoint(lane: &LaneEvidence, facts: &Facts, claims: &mut Claims) -> Option<(Root, u64)> {
    let root = match lane.proof.verify(&facts.federation) {
        Ok(root) => root,
        Err(fault) => {
            claims.failed("lane", LANE, fault);
            return None;
        }
    };
    let Claim::Checkpoint { log, size, .. } = root.claim else { return None };
    let last = facts.statement.id;
    if log != last.log || size != last.position + 1 {
        claims.failed("lane", LANE, format!("{last} is not the last of the {size} statements of {log}"));
        return None;
    }
    Some((root, size))
}

fn check_lanes(
    lane: &LaneEvidence,
    leaf: &[u8],
    facts: &Facts,
    checkpoint: &Root,
    size: u64,
    claims: &mut Claims,
) -> Option<Statement> {
    const SENTENCE: &str = "The lanes are the newest under the checkpoint.";
    let mut fail = |why: &str| {
        claims.failed("lanes", SENTENCE, why);
        None
    };
    let id = lane.proof.lanes;
    let Some(statement) = signed(&lane.lanes, facts) else {
        return fail("the lanes statement is not signed by the log");
    };
    if statement.id != id || statement.binds != Binds::Lanes {
        return fail("it is another statement, or one without lanes");
    }
    let holds = |leaf: &[u8], position: u64, path: &[Digest]| {
        merkle::verify_inclusion(&merkle::leaf_hash(leaf), position, size, path, &checkpoint.root)
    };
    if !holds(&lane.lanes, id.position, &lane.lanes_path) || !holds(leaf, size - 1, &lane.last_path) {
        return fail("it, or the record, is not under the checkpoint");
    }
    if facts.statement.lanes != id.position {
        return fail("the record names other lanes");
    }
    claims.proved(
        "lanes",
        format!("{id} begins the newest lanes under the checkpoint: {} names them.", facts.statement.id),
    );
    Some(statement)
}

fn check_slot(lane: &LaneEvidence, lanes: &Statement, claims: &mut Claims) -> Option<MemberCode> {
    const SENTENCE: &str = "The lane is the member's.";
    let slot = match SlotProof::decode(&lane.slot).and_then(|slot| slot.verify(&lanes.digest).map(|()| slot)) {
        Ok(slot) => slot,
        Err(error) => {
            claims.failed("slot", SENTENCE, error);
            return None;
        }
    };
    let path = &lane.proof.path;
    if (slot.index, slot.head.slots) != (path.index, path.slots) {
        claims.failed("slot", SENTENCE, "the path begins at the slot of another member");
        return None;
    }
    let member = slot.slot.member();
    claims.proved("slot", format!("Slot {} of {} of {} is that of {member}.", slot.index + 1, path.slots, lanes.id));
    Some(member)
}

fn check_list(
    lane: &LaneEvidence,
    statements: &[Vec<u8>],
    lanes: &Statement,
    size: u64,
    facts: &Facts,
    claims: &mut Claims,
) -> Option<Vec<Statement>> {
    const SENTENCE: &str = "The statements of the lane are here, all of them and in their order.";
    let mut list = LaneList::default();
    let mut read: Vec<Statement> = Vec::with_capacity(statements.len());
    for bytes in statements {
        let Some(statement) = signed(bytes, facts) else {
            claims.failed(
                "list",
                SENTENCE,
                format!("statement {} of the list is not signed by the log", read.len() + 1),
            );
            return None;
        };
        let follows = read.last().is_none_or(|before| before.id.position < statement.id.position);
        if !follows || statement.lanes != lanes.id.position || statement.id.position >= size {
            claims.failed("list", SENTENCE, format!("{} is not in its place, or not under these lanes", statement.id));
            return None;
        }
        list.push(merkle::leaf_hash(bytes));
        read.push(statement);
    }
    if list.opening(lane.proof.opening.blind) != lane.proof.opening {
        let count = lane.proof.opening.count;
        claims.failed("list", SENTENCE, format!("these {} are not the {count} that were committed to", read.len()));
        return None;
    }
    let ends = read.first().zip(read.last()).map(|(first, last)| format!(", from {} to {}", first.id, last.id));
    claims.proved("list", format!("All {} statements of the lane are here{}.", read.len(), ends.unwrap_or_default()));
    Some(read)
}

/// What the statements notify, by the one or two fields of each that are shown.
fn check_notified(lane: &LaneEvidence, statements: &[Statement], member: MemberCode, claims: &mut Claims) {
    const SENTENCE: &str = "The consignments that the statements of the lane announce are those shown.";
    let Some(notified) = &lane.notified else { return };
    if notified.len() != statements.len() {
        return claims.failed(
            "notified",
            SENTENCE,
            format!("{} entries for {} statements", notified.len(), statements.len()),
        );
    }
    let (mut announced, mut unknown, mut others) = (BTreeSet::new(), 0_u64, 0_u64);
    for (one, statement) in notified.iter().zip(statements) {
        let content = match shown(one, statement) {
            Ok(content) => content,
            Err(why) => return claims.failed("notified", SENTENCE, format!("{}: {why}", statement.id)),
        };
        let record = PartialRecord::from_content(&content);
        match (record.kind(), record.declared().ucr.as_ref()) {
            (Some(Kind::ExportNotification), Some(ucr)) => {
                announced.insert(ucr.to_string());
            }
            (Some(kind), _) if *kind != Kind::ExportNotification => others += 1,
            _ => unknown += 1,
        }
    }
    let names = announced.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { "none".to_owned() } else { names };
    claims.proved(
        "notified",
        format!(
            "In this lane {} consignments were notified to {member}, by their UCR: {names}. {others} statements are of another kind, \
             {unknown} do not show what they notify.",
            announced.len()
        ),
    );
    if unknown > 0 {
        claims.not_claimed(
            "unknown",
            format!("What {unknown} statements of the lane notify: each may be about any consignment."),
        );
    } else {
        claims.proved("not notified", "No other consignment was notified to it in this lane.");
    }
}

/// The fields that an entry shows of its statement's body.
fn shown(one: &Notified, statement: &Statement) -> Result<Content, String> {
    let mut content = Content::new();
    if one.head.is_empty() {
        return if one.fields.is_empty() { Ok(content) } else { Err("fields without a head".to_owned()) };
    }
    if sha256(&one.head) != statement.digest {
        return Err("the head is another than the statement binds".to_owned());
    }
    let head = BodyHead::decode(&one.head).map_err(|error| error.to_string())?;
    for proof in &one.fields {
        let is_bound = head.compartments().iter().any(|compartment| proof.verify(&compartment.fields_root).is_ok());
        if !is_bound {
            return Err(format!("the field {:?} is not bound by the head", proof.field.name));
        }
        let compartment = proof.compartment.parse().map_err(|_| "a compartment without a name".to_owned())?;
        content.entry(compartment).or_default().insert(proof.field.name.clone(), proof.field.value.clone());
    }
    Ok(content)
}

/// Until when nothing else had been addressed to the member, as far as others knew.
fn sum_up(facts: &Facts, member: MemberCode, size: u64, claims: &mut Claims) {
    let of_receipts =
        facts.receipts.values().map(|root| (root.by, root.claim.log_and_size().map_or(0, |(_, at)| at), root));
    let of_frontiers = facts.cosignatures.values().map(|(root, entry)| (root.by, entry.size, root));
    let author = facts.statement.id.log.member;
    // The member whose lane it is, is no witness of what it says itself.
    let exact = of_receipts.chain(of_frontiers).filter(|(by, at, _)| *by != author && *by != member && *at == size);
    let mut latest: BTreeMap<MemberCode, UnixTime> = BTreeMap::new();
    for (by, _, root) in exact {
        let date = latest.entry(by).or_insert(root.issued_at);
        *date = (*date).max(root.issued_at);
    }
    let dates: Vec<String> = latest.iter().map(|(by, date)| format!("{by} on {date}")).collect();
    if dates.is_empty() {
        claims.not_claimed(
            "until",
            format!("Until when this was all: no other member's signature here is over just these {size} statements."),
        );
    } else {
        claims.proved(
            "until",
            format!(
                "Other members signed that they held just these {size} statements of the log: {}. What came later was not known to \
                 them then.",
                dates.join(", ")
            ),
        );
    }
    claims.not_claimed(
        "outside",
        format!("That {author} told {member} nothing outside this log, or under other lanes than these, or to another member only."),
    );
}

/// A statement that the record's log has signed.
fn signed(bytes: &[u8], facts: &Facts) -> Option<Statement> {
    let (statement, _) = Statement::read(bytes).ok()?;
    let log = facts.statement.id.log;
    let key = facts.federation.log_key(&log)?;
    let read = Unverified::read(bytes, statement.id, facts.federation.id(), key, UnixTime::ZERO);
    (statement.id.log == log && read.and_then(Unverified::verify).is_ok()).then_some(statement)
}

fn digests(items: Vec<Value>) -> Option<Vec<Digest>> {
    const PATH_MAX: usize = 64;
    (items.len() <= PATH_MAX).then_some(())?;
    items.iter().map(|item| item.as_bytes()?.try_into().ok().map(Digest)).collect()
}

fn byte_strings(items: &[Value]) -> Option<Vec<Vec<u8>>> {
    items.iter().map(|item| item.as_bytes().map(<[u8]>::to_vec)).collect()
}

fn notified(item: &Value) -> Option<Notified> {
    let [head, fields] = item.as_array()? else { return None };
    let fields = byte_strings(fields.as_array()?)?;
    Some(Notified {
        head: head.as_bytes()?.to_vec(),
        fields: fields.iter().map(|field| FieldProof::decode(field).ok()).collect::<Option<_>>()?,
    })
}
