//! Memory that flips bits: what is not what was proved is never stored for good, told or acknowledged.

use super::*;
use crate::ledger::{Key, StoreError};

fn with_flip(id: &str) -> Bench {
    let mut disk = MemoryStore::default();
    disk.flip_when_staged(Key::Statement(super::id(id)));
    Bench::of("GE", disk, true)
}

fn what(ended: Result<Vec<Effect>, StoreError>) -> String {
    match ended {
        Err(StoreError::Damaged { what }) => what,
        other => panic!("the node ends: {other:?}"),
    }
}

#[test]
fn a_statement_that_changes_in_memory_ends_the_node_before_anything_is_told() {
    let owner = Owner::with("TR", 5, 1);
    let mut bench = with_flip("TR-3");
    bench.connect("TR");
    let news = Gossip::News { checkpoint: owner.checkpoint(5), from: 0, statements: owner.statements.clone() };
    let input = Input::Gossip { from: code("TR"), id: 77, bytes: news.encode() };
    let ended = bench.node.handle(Now(bench.now), [7; 32], vec![input]);
    assert!(what(ended).contains("statement TR-3 changed in the memory"));
    assert_eq!(bench.disk.size(&log("TR")), 0, "nothing was made durable");

    // The machine starts again, without that flip.
    bench.disk = MemoryStore::default();
    let mut bench = bench.restarted();
    bench.connect("TR");
    assert_eq!(bench.gossip("TR", news.encode()).0, Verdict::Accept);
    assert_eq!(bench.node.store().statements(&log("TR"), 0, 9, usize::MAX).unwrap(), owner.statements);
    assert_eq!(bench.node.view().totals().unwrap().flagged, 0);
}

#[test]
fn a_statement_of_ones_own_that_changes_after_it_was_signed_is_not_acknowledged() {
    let mut bench = with_flip("GE-0");
    bench.tick(0);
    bench.now += 3_000;
    // The lanes are the first that a node signs.
    let mut inputs = vec![Input::Tick];
    let ended = loop {
        match bench.node.handle(Now(bench.now), [7; 32], std::mem::take(&mut inputs)) {
            Ok(effects) => {
                assert!(events(&effects).iter().all(|event| !matches!(event, Event::Logged { .. })), "{effects:?}");
                inputs = effects.iter().filter_map(|effect| bench.serve(effect)).collect();
                assert!(!inputs.is_empty(), "it goes on until it signs");
            }
            ended => break ended,
        }
    };
    assert!(what(ended).contains("statement GE-0 changed in the memory"));
    assert_eq!(bench.disk.size(&log("GE")), 0);
}
