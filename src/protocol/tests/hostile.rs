//! Gossip that is wrong: the verdict tells apart what a sender could have known from what nobody is to blame for.

use super::*;
use crate::ledger::Key;
use crate::protocol::Refusal;

/// The verdict on a message, and why it was refused.
fn verdict(bench: &mut Bench, bytes: Vec<u8>) -> (Verdict, Option<Refusal>) {
    let (verdict, effects) = bench.gossip("MZ", bytes);
    let refusal = events(&effects).into_iter().find_map(|event| match event {
        Event::Refused { peer, refusal } => {
            assert_eq!(peer, code("MZ"));
            Some(refusal)
        }
        _ => None,
    });
    (verdict, refusal)
}

fn news(root: Root, signer: &str, owner: &Owner) -> Vec<u8> {
    let checkpoint = root.signed(fixture::key(signer, "log").sign(&root.to_be_signed()));
    Gossip::News { checkpoint, from: 0, statements: owner.statements.clone() }.encode()
}

#[test]
fn every_fault_of_gossip_has_its_verdict() {
    let mut bench = Bench::new();
    let owner = Owner::with("TR", 3, 1);
    let root = owner.root(3, 2);
    let foreign = Owner::new("TR").root(0, 2);
    let cases = [
        (b"noise".to_vec(), Verdict::Reject, Refusal::Form),
        (vec![0; super::super::limits::GOSSIP_BYTES_MAX + 1], Verdict::Reject, Refusal::TooLarge),
        (news(root.clone(), "MZ", &owner), Verdict::Reject, Refusal::Signature),
        (
            news(Root { federation: crate::encoding::ids::FederationId::NONE, ..root.clone() }, "TR", &owner),
            Verdict::Reject,
            Refusal::Federation,
        ),
        (news(owner.root(3, 100 + 15 * 60 + 1), "TR", &owner), Verdict::Ignore, Refusal::Future),
        (
            news(
                Root {
                    claim: Claim::Checkpoint { log: log("FR"), size: 3, commitments: [5; 32] },
                    by: code("FR"),
                    ..foreign
                },
                "TR",
                &owner,
            ),
            Verdict::Ignore,
            Refusal::Unknown,
        ),
    ];
    for (bytes, expected, refusal) in cases {
        assert_eq!(verdict(&mut bench, bytes), (expected, Some(refusal)), "{refusal}");
        assert!(bench.node.store().logs().is_empty());
    }
    // What came too early is good once it is due.
    let early = news(owner.root(3, 100 + 15 * 60 + 1), "TR", &owner);
    bench.now += 1_000;
    assert_eq!(verdict(&mut bench, early), (Verdict::Accept, None));
    assert_eq!(bench.node.store().size(&log("TR")), 3);
}

#[test]
fn good_gossip_is_accepted_whether_or_not_it_is_news() {
    let mut bench = Bench::new();
    let owner = Owner::with("TR", 6, 1);
    for from in [4, 0, 0, 5] {
        assert_eq!(verdict(&mut bench, owner.news(from)), (Verdict::Accept, None));
    }
    assert_eq!(bench.node.store().size(&log("TR")), 6);
    // Statements that lead to another root are worth nothing, but the checkpoint is good.
    let more = Owner::with("TR", 8, 1);
    let wrong = Gossip::News { checkpoint: more.checkpoint(8), from: 6, statements: vec![vec![1], vec![2]] };
    assert_eq!(verdict(&mut bench, wrong.encode()), (Verdict::Accept, None));
    assert_eq!(bench.node.store().size(&log("TR")), 6);
}

#[test]
fn a_frontier_larger_than_any_federation_is_refused() {
    let mut bench = Bench::new();
    let mut sizes: BTreeMap<LogId, (u64, Digest)> = BTreeMap::new();
    for round in 1..=6 {
        let more = (1..=200)
            .map(|number| (LogId { member: code(&format!("Z{round}")), ordinal: number }, (1, Digest([1; 32]))));
        let changed: BTreeMap<_, _> = more.collect();
        sizes.extend(changed.clone());
        let frontier = Owner::cosigned_since("TR", &sizes, &changed, 3 + round);
        let expected = if sizes.len() > 1_000 { Verdict::Ignore } else { Verdict::Accept };
        let (told, effects) = bench.gossip("TR", frontier);
        assert_eq!(told, expected, "{} logs", sizes.len());
        assert!(requests(&effects).is_empty());
    }
    assert!(bench.node.store().logs().is_empty(), "logs that nobody knows are not begun");
}

#[test]
fn a_fork_stops_its_log_and_no_other() {
    let mut bench = Bench::new();
    let (one, other) = (Owner::with("TR", 5, 1), Owner::with("TR", 4, 2));
    verdict(&mut bench, one.news(0));
    let (told, effects) = bench.gossip("MZ", other.news(0));
    assert_eq!(told, Verdict::Accept);
    assert!(events(&effects).contains(&Event::Fork { log: log("TR"), size: 4 }));
    let [Gossip::Fork(proof)] = &gossiped(&effects)[..] else { panic!("the proof is sent to all: {effects:?}") };
    assert_eq!(proof.verify(bench.node.federation()), Ok((log("TR"), 4)));
    assert!(bench.disk.get(&Key::Fork(log("TR"), 0)).unwrap().is_some());
    // Nothing more of that log, before and after a restart; all else goes on.
    let mut bench = bench.restarted();
    verdict(&mut bench, Owner::with("TR", 7, 1).news(0));
    verdict(&mut bench, Owner::with("MZ", 2, 1).news(0));
    assert_eq!((bench.node.store().size(&log("TR")), bench.node.store().size(&log("MZ"))), (5, 2));
    let entries: Vec<LogId> = bench.node.view().frontier().unwrap().entries().map(|entry| entry.log).collect();
    assert_eq!(entries, [log("MZ")]);
    // The proof convinces who holds nothing of the log, and a made-up one convinces nobody.
    let mut another = Bench::new();
    let honest = crate::ledger::ForkProof { greater: proof.lesser.clone(), ..proof.clone() };
    assert_eq!(verdict(&mut another, Gossip::Fork(honest).encode()).0, Verdict::Reject);
    assert_eq!(verdict(&mut another, Gossip::Fork(proof.clone()).encode()), (Verdict::Accept, None));
    verdict(&mut another, one.news(0));
    assert_eq!(another.node.store().size(&log("TR")), 0);
}
