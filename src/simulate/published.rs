//! A charter file that is longer than one message.

use std::collections::BTreeMap;

use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::identity::{Federation, SignedManifest};
use crate::ledger::memory::MemoryStore;
use crate::protocol::{Effect, Input, Node, Now, Settings, limits};

use super::federation::{Keys, federation};

#[test]
fn a_long_charter_file_comes_in_parts() {
    // As many members as a charter may have: with their seal keys, about 1.1 MB.
    let members: Vec<MemberCode> = ('A'..='Z')
        .flat_map(|first| ('A'..='J').map(move |second| format!("{first}{second}").parse().unwrap()))
        .take(250)
        .collect();
    let founded = UnixTime::from_seconds(1_800_000_000).unwrap();
    let old = federation(&members, founded);
    let new = with_a_newer_manifest(&old, members[7], founded.plus(60));
    let size = new.published().encode().unwrap().len();
    assert!(size > limits::CHUNK_BYTES_MAX, "{size} bytes are no more than one part");

    let node = |member: MemberCode, federation: &Federation| {
        let me = Keys::of(member).myself();
        Node::load(MemoryStore::default(), federation.clone(), me, Settings::default()).unwrap()
    };
    let (holder, asker) = (members[0], members[1]);
    let mut nodes = BTreeMap::from([(holder, node(holder, &new)), (asker, node(asker, &old))]);
    let now = Now((founded.seconds() + 100) * 1000);
    let mut agenda = vec![(asker, Input::Connected { peer: holder })];
    let mut numbers = BTreeMap::new();
    while let Some((member, input)) = agenda.pop() {
        let other = if member == holder { asker } else { holder };
        for effect in nodes.get_mut(&member).unwrap().handle(now, [7; 32], vec![input]).unwrap() {
            match effect {
                Effect::Request { id, bytes, .. } => {
                    let question = numbers.len() as u64;
                    numbers.insert(question, id);
                    agenda.push((other, Input::Request { from: member, id: question, bytes }));
                }
                Effect::Respond { id, bytes } => {
                    agenda.push((other, Input::Response { from: member, id: numbers[&id], bytes }));
                }
                Effect::Flush => agenda.push((member, Input::Flushed)),
                Effect::Gossip(_)
                | Effect::Verdict { .. }
                | Effect::Sign { .. }
                | Effect::Check { .. }
                | Effect::Submitted { .. }
                | Effect::Members
                | Effect::Published { .. }
                | Effect::Kept { .. }
                | Effect::Event(_) => {}
            }
        }
    }
    assert_eq!(nodes[&asker].federation().digest(), new.digest());
    assert_eq!(nodes[&asker].federation().manifest(members[7]).unwrap().version(), 2);
    assert!(nodes[&asker].federation().is_active(members[0]));
}

fn with_a_newer_manifest(federation: &Federation, member: MemberCode, at: UnixTime) -> Federation {
    let mut draft = federation.manifest(member).unwrap().next_draft(at);
    draft.transports[0].addresses = vec!["/ip4/192.0.2.7/udp/4310/quic-v1".to_owned()];
    let signed = SignedManifest::sign(draft.check().unwrap(), federation.id(), &Keys::of(member).root);
    federation.with_manifest(signed).unwrap().expect("it is newer")
}
