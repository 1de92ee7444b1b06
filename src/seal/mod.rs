//! Who may read: lanes, tickets and tags, and the sealed compartments of a record's body.
//!
//! ```text
//!  LaneSecret (log, epoch) ─▶ LaneKey (member) ─┬▶ Ticket ─▶ Tag           finding and fetching one's records
//!       │ sealed in Slots of a lanes statement  ├▶ wrap key, recipient     opening a compartment
//!       │                                       └▶ Blind                   showing that nothing of a lane is missing
//! ```
//! Records cost symmetric work only; public keys are used once per epoch, for the slots. Nothing here decides who should
//! read what, knows what a field means, or keeps a key on disk; and nothing from an opened body or a secret key shows
//! in `Debug` or an error.
//!
//! Start with [`lane`] for the keys, [`slot`] for how they reach their readers, [`body`] for what they open.

pub mod body;
pub mod commitment;
pub mod compartment;
pub mod fields;
pub mod grant;
pub mod head;
pub mod lane;
mod padding;
#[cfg(any(test, feature = "simulate"))]
pub mod probe;
pub mod slot;

pub use body::{CompartmentDraft, SealedBody, seal_body};
pub use commitment::{Blind, Commitments, LaneList, LaneOpening, LanePath};
pub use compartment::{ContentKey, external_aad};
pub use fields::{Field, FieldProof, Opened};
pub use grant::{Grant, Granted};
pub use head::{BODY_HEAD_TYPE, BodyHead, CompartmentHead, CompartmentLabel, LANES_HEAD_TYPE, size_class};
pub use lane::{LaneKey, LaneSecret, Tag, Ticket, tags, tags_are_well_formed};
pub use slot::{LanesBody, LanesHead, OpenedSlot, Slot, SlotProof};

use crate::encoding::cbor::{CborError, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::{FederationId, MemberCode, RecordId};

/// Where something is sealed: it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealContext {
    /// The federation.
    pub federation: FederationId,
    /// The record, or the `lanes` statement for a slot.
    pub record: RecordId,
}

/// Why something cannot be sealed, or what was sealed is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not the CBOR of what it should be.
    #[error(transparent)]
    Form(#[from] CborError),
    /// A number or size is out of its bounds.
    #[error("{what} is out of bounds")]
    Bounds {
        /// Which one.
        what: &'static str,
    },
    /// Two compartments of one name, for one reader.
    #[error("two compartments have the same name")]
    TwoOfOneName,
    /// Not what the statement signs.
    #[error("{what} is not the one that was signed")]
    NotTheSigned {
        /// What it is.
        what: &'static str,
    },
    /// The lane key is of nobody who may read this compartment.
    #[error("not among the readers of this compartment")]
    NotAReader,
    /// The key does not open it: it was changed, or sealed for another record.
    #[error("the compartment does not open")]
    DoesNotOpen,
    /// A slot does not open with the seal key of its member.
    #[error("the lane slot of {member} does not open")]
    SlotDoesNotOpen {
        /// Whose slot it is.
        member: MemberCode,
    },
}

/// Digests out of an array's items, at most as many as a tree is high.
fn digests(items: Vec<Value>) -> Option<Vec<Digest>> {
    const PATH_MAX: usize = 64;
    if items.len() > PATH_MAX {
        return None;
    }
    items.iter().map(|item| item.as_bytes()?.try_into().ok().map(Digest)).collect()
}
