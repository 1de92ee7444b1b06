//! Messages: what is encoded is decoded to the same, and nothing else is decoded.

use proptest::prelude::*;

use super::*;
use crate::ledger::ForkProof;
use crate::protocol::message::WireBody;

fn any_log() -> impl Strategy<Value = LogId> {
    ("[A-Z][A-Z0-9]", 1..=999_u16).prop_map(|(member, ordinal)| LogId { member: member.parse().unwrap(), ordinal })
}

fn any_record() -> impl Strategy<Value = RecordId> {
    (any_log(), any::<u64>()).prop_map(|(log, position)| RecordId { log, position })
}

fn any_digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn any_strings() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5)
}

fn any_body() -> impl Strategy<Value = WireBody> {
    (prop::collection::vec(any::<u8>(), 0..40), any_strings())
        .prop_map(|(head, compartments)| WireBody { head, compartments })
}

fn any_entries() -> impl Strategy<Value = Vec<FrontierEntry>> {
    prop::collection::btree_map(any_log(), (1..=u64::MAX, any_digest()), 0..5)
        .prop_map(|entries| entries.into_iter().map(|(log, (size, root))| FrontierEntry { log, size, root }).collect())
}

/// A signed root, good or not.
fn any_root() -> impl Strategy<Value = SignedRoot> {
    (any_log(), any::<u64>(), any_digest(), any::<[u8; 32]>()).prop_map(|(log, size, root, bytes)| {
        Root {
            claim: Claim::Checkpoint { log, size, commitments: bytes },
            root,
            by: log.member,
            kid: fixture::key("GE", "log").public().kid(),
            issued_at: fixture::at(5),
            federation: federation().id(),
        }
        .signed([7; 64])
    })
}

fn any_gossip() -> impl Strategy<Value = Gossip> {
    let digests = prop::collection::vec(any_digest(), 0..5);
    prop_oneof![
        (any_root(), any::<u64>(), any_strings()).prop_map(|(checkpoint, from, statements)| Gossip::News {
            checkpoint,
            from,
            statements
        }),
        (any_root(), any_entries()).prop_map(|(cosignature, changed)| Gossip::Cosigned { cosignature, changed }),
        (any_root(), any_root(), digests).prop_map(|(lesser, greater, path)| Gossip::Fork(ForkProof {
            lesser,
            greater,
            path
        })),
    ]
}

fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (any_digest(), any_digest()).prop_map(|(published, frontier)| Request::Hello { published, frontier }),
        any::<u64>().prop_map(|from| Request::Published { from }),
        (any_log(), any::<u64>()).prop_map(|(log, from)| Request::Range { log, from }),
        (any_record(), any::<[u8; 32]>()).prop_map(|(id, ticket)| Request::Body { id, ticket }),
        (any_record(), any_body()).prop_map(|(id, body)| Request::Push { id, body }),
        any_record().prop_map(|id| Request::Slot { id }),
        (any_log(), any::<u64>()).prop_map(|(log, size)| Request::Cosign { log, size }),
        any_log().prop_map(|log| log.member).prop_map(|of| Request::Frontier { of }),
        Just(Request::Splits),
        (any_record(), any::<u64>()).prop_map(|(lanes, size)| Request::LanePath { lanes, size }),
    ]
}

fn any_response() -> impl Strategy<Value = Response> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..60);
    let digests = prop::collection::vec(any_digest(), 0..5);
    let path = prop::collection::vec(any_digest(), 0..9);
    prop_oneof![
        (any_digest(), any_digest(), any_entries()).prop_map(|(published, frontier, entries)| Response::Hello {
            published,
            frontier,
            entries
        }),
        (any::<u64>(), any::<u64>(), bytes()).prop_map(|(size, from, part)| Response::Published { size, from, part }),
        (any_root(), any::<u64>(), any_strings(), digests).prop_map(|(checkpoint, from, statements, consistency)| {
            Response::Chunk { checkpoint, from, statements, consistency }
        }),
        any_body().prop_map(Response::Body),
        bytes().prop_map(Response::Slot),
        any_root().prop_map(Response::Cosignature),
        (any_root(), any_entries()).prop_map(|(cosignature, entries)| Response::Frontier { cosignature, entries }),
        (bytes(), any_strings()).prop_map(|(charter, manifests)| Response::Splits { charter, manifests }),
        (any_root(), any::<u64>(), any::<u64>(), path).prop_map(|(checkpoint, index, slots, path)| {
            Response::LanePath { checkpoint, path: crate::seal::LanePath { index, slots, path } }
        }),
        Just(Response::Done),
        Just(Response::Nothing),
    ]
}

/// A node that holds something of its own and of another's, and has asked everything that can be asked.
fn asking() -> Bench {
    let mut bench = Bench::ready();
    bench.gossip("TR", Owner::with("TR", 3, 1).news(0));
    ["MZ", "TR", "W1"].iter().for_each(|peer| drop(bench.connect(peer)));
    bench.settle(vec![Input::CollectReceipts]);
    let sizes = BTreeMap::from([(log("TR"), (9, Digest([9; 32]))), (log("MZ"), (4, Digest([3; 32])))]);
    bench.gossip("W1", Owner::cosigned("W1", &sizes, 50));
    bench
}

/// The ledger part of a store, which nothing unproved may change.
fn ledger(bench: &Bench) -> Vec<(LogId, u64)> {
    let store = bench.node.store();
    store.logs().into_iter().map(|log| (log, store.size(&log))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded_to_the_same(
        gossip in any_gossip(),
        request in any_request(),
        response in any_response(),
    ) {
        prop_assert_eq!(Gossip::decode(&gossip.encode()), Ok(gossip));
        prop_assert_eq!(Request::decode(&request.encode()), Ok(request));
        prop_assert_eq!(Response::decode(&response.encode()), Ok(response));
    }

    #[test]
    fn strange_bytes_are_read_as_what_they_are_written_or_not_at_all(bytes in any::<Vec<u8>>()) {
        if let Ok(gossip) = Gossip::decode(&bytes) {
            prop_assert_eq!(gossip.encode(), bytes.clone());
        }
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert_eq!(request.encode(), bytes.clone());
        }
        if let Ok(response) = Response::decode(&bytes) {
            prop_assert_eq!(response.encode(), bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Whatever peers send without the right signatures, a node goes on, and its logs stay as they are.
    #[test]
    fn nothing_unproved_changes_a_log_or_ends_a_node(
        gossip in prop::collection::vec(any_gossip(), 12),
        requests in prop::collection::vec(any_request(), 24),
        responses in prop::collection::vec(any_response(), 24),
        noise in prop::collection::vec(any::<Vec<u8>>(), 8),
    ) {
        let mut bench = asking();
        let before = ledger(&bench);
        for gossip in gossip {
            bench.gossip("W1", gossip.encode());
        }
        for request in requests {
            bench.ask("W1", &request);
        }
        for (number, response) in (0_u64..).zip(responses) {
            for peer in ["MZ", "TR", "W1"] {
                bench.answer(peer, number, &response);
            }
        }
        for (number, bytes) in (0_u64..).zip(noise) {
            bench.gossip("TR", bytes.clone());
            let inputs = vec![
                Input::Request { from: code("TR"), id: 1_000 + number, bytes: bytes.clone() },
                Input::Response { from: code("TR"), id: number, bytes },
            ];
            bench.settle(inputs);
        }
        bench.tick(60_000);
        prop_assert_eq!(ledger(&bench), before);
        prop_assert_eq!(bench.node.view().totals().unwrap().flagged, 0);
    }
}

#[test]
fn a_frontier_has_no_more_logs_than_there_may_be() {
    let entry = |number: usize| {
        let member = if number < 900 { "AA" } else { "AB" };
        let log = LogId { member: code(member), ordinal: (number % 900) as u16 + 1 };
        FrontierEntry { log, size: 1, root: Digest([1; 32]) }
    };
    for (logs, good) in [(1_000, true), (1_001, false)] {
        let entries = (0..logs).map(entry).collect();
        let bytes = Response::Hello { published: Digest::ZERO, frontier: Digest::ZERO, entries }.encode();
        assert_eq!(Response::decode(&bytes).is_ok(), good, "{logs} logs");
    }
}

#[test]
fn whom_a_question_is_about_is_told_to_logs_and_a_body_has_the_size_of_its_parts() {
    use crate::protocol::message::subject;
    let body = WireBody { head: vec![0; 3], compartments: vec![vec![0; 4], vec![0; 5]] };
    assert_eq!(body.bytes(), 12);
    assert_eq!(subject(&Request::Range { log: log("TR"), from: 1 }), Some(code("TR")));
    assert_eq!(subject(&Request::Push { id: id("MZ-1"), body }), Some(code("MZ")));
    assert_eq!(subject(&Request::Splits), None);
}
