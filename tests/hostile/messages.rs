//! Hostile messages: their form, and what a node that hears them makes of them.

use shieldwall::encoding::cbor::{self, Value};
use shieldwall::encoding::hash::Digest;
use shieldwall::encoding::ids::{FederationId, LogId};
use shieldwall::ledger::memory::MemoryStore;
use shieldwall::ledger::{Claim, ForkProof, Frontier, FrontierEntry, Root, SignedRoot, Store as _};
use shieldwall::protocol::message::{Gossip, Request, Response, WireBody};
use shieldwall::protocol::{Effect, Event, Input, Myself, Node, Now, Settings, limits};

use super::bytes::faults;
use super::judge::{WORLD, log_root};
use super::{Case, case, repeated};
use crate::evidence_fixture as world;

/// What the node's clock says, in seconds.
const NOW: i64 = 1_795_001_000;

/// What a node of Mozambique's, that holds nothing yet, makes of a gossip message from Türkiye.
pub(super) fn heard(bytes: &[u8]) -> Result<(), String> {
    let me = Myself {
        member: world::code("MZ"),
        log: LogId::first(world::code("MZ")),
        seal_keys: [(0, world::seal_key("MZ"))].into(),
        guard_intact: true,
    };
    let mut node = Node::load(MemoryStore::default(), WORLD.federation.clone(), me, Settings::default()).unwrap();
    let input = Input::Gossip { from: world::code("TR"), id: 1, bytes: bytes.to_vec() };
    let effects = node.handle(Now(NOW * 1000), [7; 32], vec![input]).unwrap();
    let (mut verdicts, mut refusals) = (Vec::new(), Vec::new());
    for effect in effects {
        match effect {
            Effect::Verdict { id: 1, verdict } => verdicts.push(verdict),
            Effect::Event(Event::Refused { refusal, .. }) => refusals.push(refusal),
            Effect::Gossip(_)
            | Effect::Verdict { .. }
            | Effect::Request { .. }
            | Effect::Respond { .. }
            | Effect::Sign { .. }
            | Effect::Check { .. }
            | Effect::Flush
            | Effect::Submitted { .. }
            | Effect::Published { .. }
            | Effect::Kept { .. }
            | Effect::Members
            | Effect::Event(_) => {}
        }
    }
    assert_eq!(verdicts.len(), 1, "every message gets one verdict");
    match refusals.as_slice() {
        [] => Ok(()),
        [refusal, ..] => {
            assert!(node.store().logs().is_empty(), "something of it was kept");
            Err(format!("{:?}: {refusal}", verdicts[0]))
        }
    }
}

fn log() -> LogId {
    "GE".parse().unwrap()
}

fn root(claim: Claim, root: Digest, by: &str, purpose: &str, seconds: i64, federation: FederationId) -> SignedRoot {
    let key = world::key(by, purpose);
    let issued_at = shieldwall::encoding::time::UnixTime::from_seconds(seconds).unwrap();
    let root = Root { claim, root, by: world::code(by), kid: key.public().kid(), issued_at, federation };
    root.signed(key.sign(&root.to_be_signed()))
}

fn checkpoint() -> SignedRoot {
    let claim = Claim::Checkpoint { log: log(), size: 7, commitments: [5; 32] };
    root(claim, log_root(7), "GE", "log", NOW, WORLD.federation.id())
}

fn entries() -> Vec<FrontierEntry> {
    vec![
        FrontierEntry { log: log(), size: 7, root: log_root(7) },
        FrontierEntry { log: "TR".parse().unwrap(), size: 2, root: Digest([2; 32]) },
    ]
}

fn frontier(seconds: i64) -> SignedRoot {
    let over = entries().into_iter().collect::<Frontier>().root();
    root(Claim::Frontier { logs: 2 }, over, "TR", "witness", seconds, WORLD.federation.id())
}

fn news() -> Vec<u8> {
    Gossip::News { checkpoint: checkpoint(), from: 0, statements: WORLD.leaves.clone() }.encode()
}

fn body() -> WireBody {
    WireBody { head: vec![0xa0], compartments: vec![vec![1, 2, 3], Vec::new()] }
}

fn cosigned() -> Vec<u8> {
    Gossip::Cosigned { cosignature: frontier(NOW), changed: entries() }.encode()
}

/// A short form of news for faults of form: the bytes of statements are opaque to it.
fn short_news() -> Vec<u8> {
    Gossip::News { checkpoint: checkpoint(), from: 0, statements: vec![vec![1], vec![2]] }.encode()
}

fn requests() -> Vec<Request> {
    let id = "GE-1".parse().unwrap();
    vec![
        Request::Hello { published: Digest([1; 32]), frontier: Digest([2; 32]) },
        Request::Range { log: log(), from: 2 },
        Request::Body { id, ticket: [7; 32] },
        Request::Push { id, body: body() },
        Request::Published { from: 9 },
        Request::Slot { id },
        Request::Cosign { log: log(), size: 2 },
        Request::Frontier { of: "GE".parse().unwrap() },
    ]
}

fn responses() -> Vec<Response> {
    vec![
        Response::Hello { published: Digest([1; 32]), frontier: Digest([2; 32]), entries: entries() },
        Response::Chunk {
            checkpoint: checkpoint(),
            from: 0,
            statements: vec![vec![1]],
            consistency: vec![Digest([1; 32])],
        },
        Response::Published { size: 10, from: 0, part: vec![1, 2] },
        Response::Body(body()),
        Response::Frontier { cosignature: frontier(NOW), entries: entries() },
        Response::Done,
    ]
}

pub(super) fn good() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gossip", cosigned()),
        ("request", requests()[0].encode()),
        ("response", responses()[0].encode()),
        ("heard", news()),
        ("heard", cosigned()),
    ]
}

pub(super) fn cases() -> Vec<(&'static str, Vec<Case>)> {
    let mut request: Vec<Case> = requests()[..4].iter().flat_map(|request| faults(&request.encode())).collect();
    request.extend(requests().iter().flat_map(|request| parts("request", &request.encode())));
    let mut response: Vec<Case> =
        [&responses()[0], &responses()[3]].iter().flat_map(|response| faults(&response.encode())).collect();
    response.extend(responses().iter().flat_map(|response| parts("response", &response.encode())));
    let mut gossip = faults(&short_news());
    gossip.extend(faults(&cosigned()));
    gossip.extend([short_news(), cosigned()].iter().flat_map(|bytes| parts("gossip", bytes)));
    gossip.extend(frontiers());
    vec![("gossip", gossip), ("request", request), ("response", response), ("heard", hearsay())]
}

/// A message is an array: each of its parts missing, of another type, or one too many; numbers that are none of a message.
fn parts(what: &str, bytes: &[u8]) -> Vec<Case> {
    let value = cbor::decode(bytes).unwrap();
    let items = value.as_array().unwrap();
    let number = items[0].as_u64().unwrap();
    let made = |items: Vec<Value>| cbor::encode(&Value::from(items));
    let mut cases = Vec::new();
    for at in 1..items.len() {
        let mut without = items.to_vec();
        without.remove(at);
        cases.push(case(format!("{what} {number} without part {at}"), made(without)));
        let mut other = items.to_vec();
        other[at] = Value::from(true);
        cases.push(case(format!("{what} {number} with part {at} of another type"), made(other)));
    }
    cases.push(case(format!("{what} {number} with a part too many"), made([items, &[Value::Null]].concat())));
    for other in [0, 12, 99, u64::MAX] {
        let mut items = items.to_vec();
        items[0] = Value::from(other);
        cases.push(case(format!("{what} by number {other}"), made(items)));
    }
    cases
}

/// Lists of logs that are no frontier.
fn frontiers() -> Vec<Case> {
    let of = |entries: Vec<FrontierEntry>| Gossip::Cosigned { cosignature: frontier(NOW), changed: entries }.encode();
    let [one, two] = <[FrontierEntry; 2]>::try_from(entries()).unwrap();
    let many = (0..=limits::FRONTIER_LOGS_MAX)
        .map(|number| {
            let code = format!(
                "{}{}",
                char::from(b'A' + (number / 36) as u8 % 26),
                ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'][number % 10]
            );
            FrontierEntry { log: format!("{code}.{}", 2 + number % 900).parse().unwrap(), size: 1, root: Digest::ZERO }
        })
        .collect::<Vec<_>>();
    let entry = cbor::encode(&many[0].to_value());
    let empty = of(Vec::new());
    // In place of the empty list at the end: a list of 1001 entries.
    let (head, _) = empty.split_at(empty.len() - 1);
    vec![
        case("logs out of order", of(vec![two, one])),
        case("a log twice", of(vec![one, one])),
        case("a log of size 0", of(vec![FrontierEntry { size: 0, ..one }])),
        repeated("more logs than there can be", &[(head, 1), (&[0x99, 0x03, 0xe9], 1), (&entry, 1001)]),
    ]
}

/// Well-formed, and wrong all the same.
fn hearsay() -> Vec<Case> {
    let id = WORLD.federation.id();
    let other = FederationId(Digest([7; 32]));
    let claim = |log: &str, size| Claim::Checkpoint { log: log.parse().unwrap(), size, commitments: [5; 32] };
    let say = |checkpoint: SignedRoot| Gossip::News { checkpoint, from: 0, statements: Vec::new() }.encode();
    let ahead = limits::CLOCK_AHEAD_S + 1;
    let cosign =
        |cosignature: SignedRoot, changed: Vec<FrontierEntry>| Gossip::Cosigned { cosignature, changed }.encode();
    let forged = |signed: &SignedRoot| {
        let object = shieldwall::encoding::cose::Sign1 { signature: [0; 64], ..signed.object().clone() };
        SignedRoot::new(object, signed.root())
    };
    let over = entries().into_iter().collect::<Frontier>().root();
    let by = |member: &str, purpose: &str, federation| {
        root(Claim::Frontier { logs: 2 }, over, member, purpose, NOW, federation)
    };
    let fork = |lesser: &SignedRoot, greater: &SignedRoot| {
        Gossip::Fork(ForkProof { lesser: lesser.clone(), greater: greater.clone(), path: Vec::new() }).encode()
    };
    let rival = root(claim("GE", 7), Digest([8; 32]), "GE", "log", NOW, id);
    let long = news();
    vec![
        case("noise", b"noise"),
        case("no byte", []),
        case("a request in place of gossip", requests()[0].encode()),
        repeated("longer than gossip may be", &[(&long[..40], 1), (&[0], limits::GOSSIP_BYTES_MAX)]),
        case("a checkpoint with a signature of zeros", say(forged(&checkpoint()))),
        case(
            "a checkpoint signed with the witness key",
            say(root(claim("GE", 7), log_root(7), "GE", "witness", NOW, id)),
        ),
        case("a checkpoint signed by a stranger", say(root(claim("GE", 7), log_root(7), "GE", "stranger", NOW, id))),
        case("a checkpoint of another federation", say(root(claim("GE", 7), log_root(7), "GE", "log", NOW, other))),
        case("a checkpoint of a log that is not known", say(root(claim("GE.2", 7), log_root(7), "GE", "log", NOW, id))),
        case(
            "a checkpoint of a member that is not known",
            say(root(claim("FR", 7), log_root(7), "FR", "log", NOW, id)),
        ),
        case("a checkpoint from the future", say(root(claim("GE", 7), log_root(7), "GE", "log", NOW + ahead, id))),
        case(
            "a checkpoint from the year 9999",
            say(root(claim("GE", 7), log_root(7), "GE", "log", 250_000_000_000, id)),
        ),
        case("a cosignature in place of a checkpoint", say(by("TR", "witness", id))),
        case("a frontier with a signature of zeros", cosign(forged(&frontier(NOW)), entries())),
        case("a frontier signed with the log key", cosign(by("TR", "log", id), entries())),
        case("a frontier of another federation", cosign(by("TR", "witness", other), entries())),
        case("a frontier of a member that is not known", cosign(by("FR", "witness", id), entries())),
        case("a frontier from the future", cosign(frontier(NOW + ahead), entries())),
        case("a checkpoint in place of a frontier", cosign(checkpoint(), entries())),
        case("an accusation with one checkpoint twice", fork(&checkpoint(), &checkpoint())),
        case("an accusation with a forged checkpoint", fork(&checkpoint(), &forged(&rival))),
        case(
            "an accusation in another federation",
            fork(&checkpoint(), &root(claim("GE", 7), Digest([8; 32]), "GE", "log", NOW, other)),
        ),
        case(
            "an accusation of a member that is not known",
            fork(
                &root(claim("FR", 7), log_root(7), "FR", "log", NOW, id),
                &root(claim("FR", 7), Digest([8; 32]), "FR", "log", NOW, id),
            ),
        ),
        case("an accusation with a cosignature", fork(&checkpoint(), &by("TR", "witness", id))),
    ]
}
