//! Everything that nodes say to each other, and a proof of equivocation.

use serde_json::{Map, Value as Json, json};
use shieldwall::encoding::hash::{Digest, sha256};
use shieldwall::encoding::ids::LogId;
use shieldwall::encoding::merkle;
use shieldwall::ledger::{Claim, ForkProof, FrontierEntry, Root, SignedRoot};
use shieldwall::protocol::message::{Gossip, Request, Response, WireBody};
use shieldwall::seal::LanePath;

use super::{check, code, founded, hex, key};

#[test]
fn gossip_requests_responses_and_fork_proof() {
    let log = LogId::first(code("GE"));
    let id = "GE-1".parse().unwrap();
    let digest = |text: &str| sha256(text.as_bytes());
    let entries = vec![
        FrontierEntry { log, size: 2, root: digest("root of GE") },
        FrontierEntry { log: "TR.2".parse().unwrap(), size: 7, root: digest("root of TR.2") },
    ];
    let checkpoint =
        signed(Claim::Checkpoint { log, size: 2, commitments: [6; 32] }, digest("root of GE"), "GE", "log");
    let other = signed(Claim::Checkpoint { log, size: 2, commitments: [6; 32] }, digest("another root"), "GE", "log");
    let cosignature = signed(Claim::Cosignature { log, size: 2 }, digest("root of GE"), "TR", "witness");
    let frontier = signed(Claim::Frontier { logs: 2 }, digest("root of all"), "TR", "witness");
    let body = WireBody { head: vec![0xa0], compartments: vec![vec![1, 2, 3], Vec::new()] };
    let statements = vec![b"statement 0".to_vec(), b"statement 1".to_vec()];
    let fork = ForkProof { lesser: checkpoint.clone(), greater: other, path: Vec::new() };

    let gossip = [
        ("news", Gossip::News { checkpoint: checkpoint.clone(), from: 0, statements: statements.clone() }),
        ("cosigned", Gossip::Cosigned { cosignature: frontier.clone(), changed: entries.clone() }),
        ("fork", Gossip::Fork(fork.clone())),
    ];
    let requests = [
        ("hello", Request::Hello { published: digest("published"), frontier: digest("root of all") }),
        ("published", Request::Published { from: 1_048_576 }),
        ("range", Request::Range { log, from: 2 }),
        ("body", Request::Body { id, ticket: [7; 32] }),
        ("push", Request::Push { id, body: body.clone() }),
        ("slot", Request::Slot { id: "GE-0".parse().unwrap() }),
        ("cosign", Request::Cosign { log, size: 2 }),
        ("frontier", Request::Frontier { of: "GE".parse().unwrap() }),
        ("splits", Request::Splits),
        ("lane-path", Request::LanePath { lanes: "GE-0".parse().unwrap(), size: 2 }),
    ];
    let responses = [
        (
            "hello",
            Response::Hello {
                published: digest("published"),
                frontier: digest("root of all"),
                entries: entries.clone(),
            },
        ),
        ("published", Response::Published { size: 1_048_588, from: 1_048_576, part: b"charter file".to_vec() }),
        (
            "chunk",
            Response::Chunk {
                checkpoint: checkpoint.clone(),
                from: 0,
                statements,
                consistency: vec![merkle::empty_root()],
            },
        ),
        ("body", Response::Body(body)),
        ("slot", Response::Slot(b"slot proof".to_vec())),
        ("cosignature", Response::Cosignature(cosignature)),
        ("frontier", Response::Frontier { cosignature: frontier, entries }),
        ("splits", Response::Splits { charter: vec![0x82], manifests: vec![vec![1, 2], vec![3]] }),
        (
            "lane-path",
            Response::LanePath {
                checkpoint: checkpoint.clone(),
                path: LanePath { index: 1, slots: 3, path: vec![digest("sibling"), digest("above")] },
            },
        ),
        ("done", Response::Done),
        ("nothing", Response::Nothing),
    ];
    for (name, message) in &gossip {
        assert_eq!(Gossip::decode(&message.encode()).as_ref(), Ok(message), "{name}");
    }
    for (name, message) in &requests {
        assert_eq!(Request::decode(&message.encode()).as_ref(), Ok(message), "{name}");
    }
    for (name, message) in &responses {
        assert_eq!(Response::decode(&message.encode()).as_ref(), Ok(message), "{name}");
    }
    assert_eq!(ForkProof::decode(&fork.encode()).unwrap(), fork);

    check(
        "messages.json",
        &json!({
            "gossip": named(gossip.iter().map(|(name, message)| (*name, message.encode()))),
            "requests": named(requests.iter().map(|(name, message)| (*name, message.encode()))),
            "responses": named(responses.iter().map(|(name, message)| (*name, message.encode()))),
            "fork_proof": hex(fork.encode()),
        }),
    );
}

fn named<'a>(messages: impl Iterator<Item = (&'a str, Vec<u8>)>) -> Map<String, Json> {
    messages.map(|(name, bytes)| (name.to_owned(), hex(bytes))).collect()
}

fn signed(claim: Claim, root: Digest, by: &str, purpose: &str) -> SignedRoot {
    let key = key(by, purpose);
    let root = Root {
        claim,
        root,
        by: code(by),
        kid: key.public().kid(),
        issued_at: founded(),
        federation: shieldwall::encoding::ids::FederationId(sha256(b"federation")),
    };
    root.signed(key.sign(&root.to_be_signed()))
}
