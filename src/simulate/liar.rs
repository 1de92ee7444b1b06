//! Dishonest members: what their programs do beside or in place of what an honest one does.
//!
//! A liar has its own keys and nobody else's. It runs the honest program, so that it is believed; what leaves it is tampered
//! with here, and now and then it makes mischief of its own.

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle;
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::ledger::{Binds, Claim, Root, Statement, Store as _};
use crate::protocol::Effect;
use crate::protocol::message::{Gossip, Response};

use super::World;
use super::medium::Medium;

/// What a dishonest member does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deceit {
    /// Says things in others' names, and changes what others said.
    Forge,
    /// Says again what was said long ago.
    Replay,
    /// Signs two histories and tells each half of the members another.
    Fork,
    /// Answers that it has nothing, and tells its news to one half only.
    Withhold,
    /// Sends more than anybody can use.
    Flood,
    /// Answers with charter and manifests of long ago.
    Stale,
    /// Dates what it signs far ahead.
    Future,
    /// Answers with changed bytes.
    Garble,
}

impl Deceit {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Forge, Self::Replay, Self::Fork, Self::Withhold, Self::Flood, Self::Stale, Self::Future, Self::Garble];
}

/// The dishonest part of a member's machine.
#[derive(Debug, Default)]
pub(super) struct Liar {
    deceit: Option<Deceit>,
    /// Gossip that it has sent itself or heard.
    heard: Vec<Vec<u8>>,
    /// The first answer of its charter file.
    old_charter: Option<Vec<u8>>,
}

/// Messages that a liar remembers.
const HEARD_MAX: usize = 64;
/// Messages of one flood: above any bound on how many somebody may send at once.
const FLOOD: u32 = 200;

impl Liar {
    pub(super) fn begin(&mut self, deceit: Deceit) {
        self.deceit = Some(deceit);
    }

    pub(super) fn is(&self, deceit: Deceit) -> bool {
        self.deceit == Some(deceit)
    }

    fn hear(&mut self, bytes: &[u8]) {
        if self.heard.len() < HEARD_MAX {
            self.heard.push(bytes.to_vec());
        }
    }

    fn remembers(&self, random: &mut Randomness) -> Option<Vec<u8>> {
        let count = u32::try_from(self.heard.len()).ok()?;
        self.heard.get(random.below(count) as usize).cloned()
    }
}

impl<M: Medium> World<M> {
    /// What becomes of a member's effect if it is a liar.
    pub(super) fn tampered(&mut self, code: MemberCode, effect: Effect) -> Effect {
        if self.machines[&code].liar.deceit.is_none() {
            return effect;
        }
        let chance = self.random.below(2) == 0;
        let mut random = Randomness::new(self.random.array());
        let liar = &mut self.machine(code).liar;
        match effect {
            Effect::Gossip(bytes) => {
                liar.hear(&bytes);
                Effect::Gossip(bytes)
            }
            Effect::Respond { id, .. } if liar.is(Deceit::Withhold) && chance => {
                Effect::Respond { id, bytes: Response::Nothing.encode() }
            }
            Effect::Respond { id, bytes } if liar.is(Deceit::Garble) && chance => {
                Effect::Respond { id, bytes: garbled(bytes, &mut random) }
            }
            Effect::Request { to, id, bytes } if liar.is(Deceit::Garble) && chance => {
                Effect::Request { to, id, bytes: garbled(bytes, &mut random) }
            }
            Effect::Respond { id, bytes } if liar.is(Deceit::Stale) => {
                if matches!(Response::decode(&bytes), Ok(Response::Published { from: 0, .. })) {
                    let old = liar.old_charter.get_or_insert(bytes).clone();
                    return Effect::Respond { id, bytes: old };
                }
                Effect::Respond { id, bytes }
            }
            Effect::Respond { .. }
            | Effect::Request { .. }
            | Effect::Verdict { .. }
            | Effect::Sign { .. }
            | Effect::Check { .. }
            | Effect::Flush
            | Effect::Submitted { .. }
            | Effect::Members
            | Effect::Published { .. }
            | Effect::Kept { .. }
            | Effect::Event(_) => effect,
        }
    }

    /// Lets a liar do what it is there for.
    pub fn make_mischief(&mut self, code: MemberCode) {
        let Some(deceit) = self.machines[&code].liar.deceit else { return };
        let mut random = Randomness::new(self.random.array());
        let others: Vec<MemberCode> = self.members().into_iter().filter(|member| *member != code).collect();
        let remembered = self.machines[&code].liar.remembers(&mut random);
        match deceit {
            Deceit::Forge => {
                for to in &others {
                    if let Some(bytes) = remembered.clone() {
                        self.whisper(code, *to, garbled(bytes, &mut random));
                    }
                    let victim = others[random.below(u32::try_from(others.len()).unwrap_or(1)) as usize];
                    let forged = self.history(code, victim, 1, 0);
                    self.whisper(code, *to, forged);
                }
            }
            Deceit::Replay => {
                for to in &others {
                    if let Some(bytes) = self.machines[&code].liar.remembers(&mut random) {
                        self.whisper(code, *to, bytes);
                    }
                }
            }
            Deceit::Fork => {
                let branch = 1 + u8::try_from(random.below(200)).unwrap_or(0);
                let rival = self.history(code, code, branch, 0);
                let half = random.below(2) as usize;
                for (number, to) in others.iter().enumerate() {
                    if number % 2 == half {
                        self.whisper(code, *to, rival.clone());
                    }
                }
            }
            Deceit::Flood => {
                for number in 0..FLOOD {
                    let to = others[number as usize % others.len()];
                    let length = 1 + random.below(400) as usize;
                    let mut bytes = vec![0; length];
                    random.fill(&mut bytes);
                    self.whisper(code, to, bytes.clone());
                    if number.is_multiple_of(8) {
                        self.pester(code, to, bytes);
                    }
                }
            }
            Deceit::Future => {
                let ahead = self.history(code, code, 0, 86_400);
                for to in &others {
                    self.whisper(code, *to, ahead.clone());
                }
            }
            Deceit::Withhold | Deceit::Stale | Deceit::Garble => {}
        }
    }

    /// Gossip that tells a history of `owner`'s log, signed with the keys of `liar`: what the liar holds of it, the newest
    /// statement replaced (unless `branch` is 0), the checkpoint dated `ahead_s` seconds ahead.
    fn history(&self, liar: MemberCode, owner: MemberCode, branch: u8, ahead_s: i64) -> Vec<u8> {
        let machine = &self.machines[&liar];
        let log = LogId::first(owner);
        let (kid, federation) = (machine.keys.log.public().kid(), self.federation.id());
        let now = UnixTime::ZERO.plus(self.now.div_euclid(1000));
        let mut statements = match &machine.node {
            Some(node) => node.store().statements(&log, 0, usize::MAX, usize::MAX).unwrap_or_default(),
            None => Vec::new(),
        };
        if branch > 0 {
            statements.pop();
            let position = statements.len() as u64;
            let statement = Statement {
                id: RecordId { log, position },
                kid,
                federation,
                issued_at: now,
                binds: if position == 0 { Binds::Lanes } else { Binds::Body },
                digest: Digest([branch; 32]),
                lanes: 0,
                tags: Vec::new(),
                size_class: 0,
            };
            statements.push(statement.signed(machine.keys.log.sign(&statement.to_be_signed())));
        }
        let leaves: Vec<Digest> = statements.iter().map(|statement| merkle::leaf_hash(statement)).collect();
        let root = Root {
            claim: Claim::Checkpoint { log, size: leaves.len() as u64, commitments: [0; 32] },
            root: merkle::root(&leaves),
            by: owner,
            kid,
            issued_at: now.plus(ahead_s),
            federation,
        };
        let checkpoint = root.signed(machine.keys.log.sign(&root.to_be_signed()));
        let newest = statements.len().saturating_sub(4);
        Gossip::News { checkpoint, from: newest as u64, statements: statements.split_off(newest) }.encode()
    }
}

/// Bytes with some bits flipped, or cut short.
fn garbled(mut bytes: Vec<u8>, random: &mut Randomness) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if random.below(8) == 0 {
        bytes.truncate(random.below(length) as usize);
        return bytes;
    }
    for _ in 0..=random.below(4) {
        let at = random.below(length) as usize;
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}
