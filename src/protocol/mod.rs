//! The node as a state machine: `handle(now, seed, inputs) → effects`, and no other way in or out.
//!
//! ```text
//!  submit ─▶ author: intent ─flush─▶ guard, sign ─▶ statement ─▶ checkpoint ─flush─▶ gossip, push, answer
//!  gossip, chunk ─▶ chain: prove, append ─▶ audit: check signatures ─▶ inbox: find, fetch, open ─▶ acknowledge
//!                                                └▶ witness: cosign the frontier ─▶ gossip
//! ```
//!
//! No sockets, files, clock, randomness or `async`: time and a seed are arguments, signing and checking are effects answered by
//! inputs, and what rests on stored data leaves only after `Flushed`. A peer's fault is a value ([`Refusal`]); the store's fault is
//! an error that ends the node; our own bug is an assertion.
//!
//! Start with [`Input`] and [`Effect`], then `on/`, where each input has its file, then the parts that they
//! drive: `author`, `chain`, `audit`, `inbox`, `lanes`, `witness`.

mod audit;
mod author;
mod budget;
mod chain;
mod custody;
mod effect;
mod erasure;
mod governance;
mod grant;
mod heal;
mod inbox;
mod input;
mod kept;
mod lanes;
pub mod limits;
mod load;
mod material;
pub mod message;
mod on;
mod outbox;
mod peers;
mod refusal;
mod slots;
mod state;
mod status;
#[cfg(test)]
mod tests;
pub mod view;
mod witness;

use std::collections::BTreeMap;

use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::identity::{Federation, SealSecretKey, Splits};
use crate::ledger::{Frontier, Store, StoreError};

pub use budget::Shed;
pub use effect::{Effect, Event, Extent, NotTakenUp, Outcome, Refused, SigningKey, TakenUp, Verdict};
pub use erasure::NotKept;
pub use governance::splits;
pub use inbox::Delivery;
pub use input::{Input, Keeping, Now};
pub use lanes::{LaneAt, LaneStanding};
pub use load::current_federation;
pub use material::NoMaterial;
pub use refusal::Refusal;
pub use status::{NodeStatus, PeerStatus, Signing};

use author::Author;
use custody::Custody;
use erasure::Erasing;
use heal::Heal;
use inbox::Inbox;
use kept::Kept;
use lanes::Lanes;
use outbox::Outbox;
use peers::Peers;
use state::LogState;
use witness::Witness;

/// Who a node is, and the keys by which it opens lanes. Keys that sign are not here: signing is an effect.
#[derive(Debug)]
pub struct Myself {
    /// The member.
    pub member: MemberCode,
    /// The log that the node signs.
    pub log: LogId,
    /// The seal keys by epoch.
    pub seal_keys: BTreeMap<u32, SealSecretKey>,
    /// Whether the signer guard of this log is in place on this machine. Without it, and without a peer that tells the log's size,
    /// nothing is signed.
    pub guard_intact: bool,
}

/// What an operator can set about the protocol's rhythm; all in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Between two frontier cosignatures.
    pub cosign_interval_ms: i64,
    /// Between two checkpoints of the same size.
    pub heartbeat_ms: i64,
    /// Between two comparisons with a peer.
    pub sync_interval_ms: i64,
    /// From the first opened body to the acknowledgement of all that were opened since.
    pub acknowledge_after_ms: i64,
    /// Between two times that an author is asked to show that nothing is missing in its lane to this node.
    pub lane_proof_interval_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cosign_interval_ms: 1_000,
            heartbeat_ms: 600_000,
            sync_interval_ms: 10_000,
            acknowledge_after_ms: 1_000,
            lane_proof_interval_ms: limits::DAY_MS,
        }
    }
}

/// One member's node.
#[derive(Debug)]
pub struct Node<S> {
    me: Myself,
    settings: Settings,
    federation: Federation,
    /// Versions of charter and manifests that were signed twice.
    splits: Splits,
    store: S,
    logs: BTreeMap<LogId, LogState>,
    /// What is verified and stored of every log that is not quarantined.
    frontier: Frontier,
    kept: Kept,
    author: Author,
    inbox: Inbox,
    lanes: Lanes,
    custody: Custody,
    witness: Witness,
    peers: Peers,
    /// Whether there is room on the disk.
    room: bool,
    /// What was put off or turned away, for `status`.
    shed: Shed,
    heal: Heal,
    erasing: Erasing,
    out: Outbox,
}

/// What one call of [`Node::handle`] is given besides its inputs.
#[derive(Debug)]
struct Turn {
    now: Now,
    random: Randomness,
}

impl<S: Store> Node<S> {
    /// Takes in what happened and gives what is to be done.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed. The node must not be used after that: it cannot promise anything any more.
    pub fn handle(&mut self, now: Now, seed: [u8; 32], inputs: Vec<Input>) -> Result<Vec<Effect>, StoreError> {
        let mut turn = Turn { now, random: Randomness::new(seed) };
        for input in inputs {
            on::dispatch(self, &mut turn, input)?;
        }
        on::answer_late(self, &turn)?;
        if self.room {
            self.advance_heal(&mut turn)?;
            self.advance_audit()?;
            self.advance_inbox(&turn)?;
            self.advance_lanes(&turn)?;
        }
        self.advance_author(&mut turn)?;
        if self.room {
            self.advance_pulls(&mut turn)?;
            self.advance_witness(&turn)?;
            self.advance_custody()?;
        }
        Ok(self.out.take())
    }

    /// The store, for reading.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The store, for the world to make durable what was staged. Nothing else may be changed in it.
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Ends the node; its store is left.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// The members, as this node knows them.
    #[must_use]
    pub fn federation(&self) -> &Federation {
        &self.federation
    }
}

impl Now {
    /// The moment in whole seconds, within the range of what is signed.
    #[must_use]
    pub fn time(self) -> UnixTime {
        UnixTime::ZERO.plus(self.0.div_euclid(1000))
    }

    /// Milliseconds since an earlier moment; never negative, so that a clock that was set back starts intervals anew.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}
