//! What a disk has lost comes back from the others.

use super::{Link, World};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::{Key, Store as _};
use crate::protocol::Event;
use crate::record;

fn code(text: &str) -> MemberCode {
    text.parse().unwrap()
}

fn id(text: &str) -> RecordId {
    text.parse().unwrap()
}

fn submit(world: &mut World, number: usize, count: usize) {
    let at = UnixTime::from_seconds(1_800_000_000).unwrap();
    let records = (number..number + count).map(|number| record::fixture::notification("TR", number, at)).collect();
    world.submit(code("GE"), number as u64, records);
    world.run(10_000);
}

#[test]
fn lost_frames_of_every_kind_come_back_from_peers_or_memory() {
    let mut world = World::new(5, &["GE", "TR", "LB"], Link { loss: 5, twice: 0, delay_ms: 20 });
    world.run(2_000);
    submit(&mut world, 0, 6);
    let lost = [
        (
            "TR",
            vec![
                Key::Statement(id("GE-0")),
                Key::Statement(id("GE-1")),
                Key::Statement(id("GE-4")),
                Key::Head(id("GE-2")),
                Key::Compartment(id("GE-2"), 0),
                Key::Compartment(id("GE-3"), 0),
                Key::Checkpoint(id("GE-0").log),
                Key::FrontierCosignature(code("LB")),
            ],
        ),
        (
            "GE",
            vec![
                Key::Statement(id("GE-3")),
                Key::Statement(id("TR-1")),
                Key::Head(id("GE-1")),
                Key::Compartment(id("GE-5"), 0),
                Key::Intent(id("GE-2")),
            ],
        ),
    ];
    let mut before = Vec::new();
    for (member, keys) in &lost {
        let member = code(member);
        world.crash(member);
        let mut backup = world.backup(member);
        let disk = backup.durable_mut();
        before.extend(keys.iter().map(|key| (member, *key, disk.get(key).unwrap())));
        keys.iter().for_each(|key| disk.damage(*key));
        assert_eq!(disk.damaged().len(), keys.len(), "{member} holds all of them");
        world.restore(member, &backup);
        world.start(member);
        world.run(60_000);
    }
    // With news there are a newer checkpoint and cosignature than those that were lost.
    submit(&mut world, 10, 2);
    world.run(60_000);
    for (member, key, frame) in before {
        let store = world.node(member).store();
        assert_eq!(store.damaged(), [], "{member}");
        let (held, frame) = (store.get(&key).unwrap().unwrap(), frame.unwrap());
        if !matches!(key, Key::Checkpoint(_) | Key::FrontierCosignature(_)) {
            assert_eq!(held.bytes, frame.bytes, "{member} {key:?}");
        }
        assert!(world.events(member).iter().any(|event| matches!(event, Event::Healed { .. })));
    }
    let roots: Vec<_> =
        world.members().iter().map(|member| world.with_view(*member, |view| view.frontier().unwrap().root())).collect();
    assert!(roots.iter().all(|root| *root == roots[0]));
    let [ge, tr] = ["GE", "TR"].map(|member| world.with_view(code(member), |view| view.totals().unwrap()));
    assert_eq!((ge.outstanding, tr.outstanding, ge.flagged + tr.flagged), (0, 0, 0));
}

#[test]
fn another_statement_than_the_lost_one_is_not_taken() {
    let mut world = World::new(6, &["GE", "TR"], Link { loss: 0, twice: 0, delay_ms: 20 });
    world.run(2_000);
    submit(&mut world, 0, 3);
    world.crash(code("TR"));
    let mut backup = world.backup(code("TR"));
    let disk = backup.durable_mut();
    let key = Key::Statement(id("GE-1"));
    let mut forged = disk.get(&key).unwrap().unwrap();
    disk.damage(key);
    let last = forged.bytes.len() - 1;
    forged.bytes[last] ^= 1;
    assert!(disk.replace(forged).is_err());
    assert_eq!(disk.damaged(), [key]);
    assert_eq!(disk.get(&key).unwrap(), None);
}
