//! What the core asks of storage: keyed frames, appended and never changed, and the Merkle nodes over statements.
//!
//! Frames are the truth: whatever cannot be derived is a frame. [`Mark`]s are small derived state; a store may lose all of
//! them, and the node derives them again by auditing its logs from the start. Reads see what was staged; it becomes durable when
//! the world flushes, and only then does the node acknowledge or publish anything that rests on it.

use std::fmt;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::merkle::Nodes;
use crate::encoding::time::UnixTime;

/// Names a frame. The newest frame under a key counts; older ones stay in the segment files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The charter chain with everybody's newest manifests.
    Published,
    /// The statement at a position of a log. Appended in order, never twice.
    Statement(RecordId),
    /// The newest checkpoint of a log.
    Checkpoint(LogId),
    /// The newest receipt-form cosignature of a log by a member.
    Cosignature(LogId, MemberCode),
    /// A member's newest frontier cosignature, with the sizes that it speaks of.
    FrontierCosignature(MemberCode),
    /// A proof of equivocation about a log; the number tells the proofs of one log apart.
    Fork(LogId, u8),
    /// What is about to be signed at a position of one's own log.
    Intent(RecordId),
    /// The head of a record's body.
    Head(RecordId),
    /// A sealed compartment of a record's body, by its index in the head.
    Compartment(RecordId, u8),
    /// All slots of one's own `lanes` statement.
    Lanes(RecordId),
    /// One's own slot of another's `lanes` statement, with its proof.
    Slot(RecordId),
    /// Charters of one version that are all properly signed.
    CharterSplit,
    /// Two manifests of one member and version, both signed by its root.
    ManifestSplit(MemberCode),
    /// What the last checkpoint under a `lanes` statement of one's own commits to: the checkpoint, and a leaf for each slot.
    Commitments(RecordId),
    /// What this node knows of its own lane of another's `lanes` statement: what it holds of it, and how a checkpoint commits to that.
    LaneProof(RecordId),
    /// That the body of a record, or the lanes of a `lanes` statement, was erased here, and why. It is never taken back: staging it takes
    /// away every frame of that body, and none is staged again.
    Erased(RecordId),
    /// That the body of a record is kept here for a court or an inquiry, or is so no more.
    Hold(RecordId),
}

/// The kinds of [`Key`], for listing; the numbers stand in the frames on disk and are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum KeyKind {
    /// [`Key::Published`]
    Published = 1,
    /// [`Key::Statement`]
    Statement = 2,
    /// [`Key::Checkpoint`]
    Checkpoint = 3,
    /// [`Key::Cosignature`]
    Cosignature = 4,
    /// [`Key::FrontierCosignature`]
    FrontierCosignature = 5,
    /// [`Key::Fork`]
    Fork = 6,
    /// [`Key::Intent`]
    Intent = 7,
    /// [`Key::Head`]
    Head = 8,
    /// [`Key::Compartment`]
    Compartment = 9,
    /// [`Key::Lanes`]
    Lanes = 10,
    /// [`Key::Slot`]
    Slot = 11,
    /// [`Key::CharterSplit`]
    CharterSplit = 12,
    /// [`Key::ManifestSplit`]
    ManifestSplit = 13,
    /// [`Key::Commitments`]
    Commitments = 14,
    /// [`Key::LaneProof`]
    LaneProof = 15,
    /// [`Key::Erased`]
    Erased = 16,
    /// [`Key::Hold`]
    Hold = 17,
}

/// Small derived state that a store may lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// How many statements of a log have been audited, counted from its start.
    Audited(LogId),
    /// Why the statement at a position has no effect.
    Flag(RecordId),
    /// A record that is addressed to this node, and how far its body has come.
    Inbox(RecordId),
    /// The record in which a document line of one's own was logged, by the line's digest.
    Source(Digest),
    /// How many audited statements of a log have been searched for what is addressed to this node.
    Scanned(LogId),
    /// A record that grants let this node read, and which grants.
    Granted(RecordId),
    /// The lists of the lanes of one's own `lanes` statement, as far as they were made.
    Lists(RecordId),
    /// What this node holds of its own lane of a `lanes` statement that another has followed, until the author has shown what it committed to.
    Lane(RecordId),
    /// The last of one's own records that a member's cosignature was the first to cover: which members, and when.
    Covered(RecordId),
}

/// The kinds of [`Mark`], for listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum MarkKind {
    /// [`Mark::Audited`]
    Audited = 1,
    /// [`Mark::Flag`]
    Flag = 2,
    /// [`Mark::Inbox`]
    Inbox = 3,
    /// [`Mark::Source`]
    Source = 4,
    /// [`Mark::Scanned`]
    Scanned = 5,
    /// [`Mark::Granted`]
    Granted = 6,
    /// [`Mark::Lists`]
    Lists = 7,
    /// [`Mark::Lane`]
    Lane = 8,
    /// [`Mark::Covered`]
    Covered = 9,
}

/// One frame to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name.
    pub key: Key,
    /// When this node received or made it.
    pub at: UnixTime,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Storage failed. The node stops: it cannot promise anything any more.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused; what was being done, and its error.
    #[error("storage failed while {doing}")]
    Io {
        /// What was being done, with the file's name.
        doing: String,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// What was read is not what was written.
    #[error("stored data is damaged: {what}")]
    Damaged {
        /// What is damaged, and where.
        what: String,
    },
    /// Something that must be there is not.
    #[error("stored data is missing: {what}")]
    Missing {
        /// What is missing.
        what: String,
    },
}

/// What an operator is told of a frame.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published => f.write_str("the charter and manifests"),
            Self::Statement(id) => write!(f, "statement {id}"),
            Self::Checkpoint(log) => write!(f, "the checkpoint of log {log}"),
            Self::Cosignature(log, member) => write!(f, "the receipt of log {log} by {member}"),
            Self::FrontierCosignature(member) => write!(f, "the frontier cosignature of {member}"),
            Self::Fork(log, _) => write!(f, "the proof about log {log}"),
            Self::Intent(id) => write!(f, "the intent of {id}"),
            Self::Head(id) => write!(f, "the body head of {id}"),
            Self::Compartment(id, index) => write!(f, "compartment {index} of {id}"),
            Self::Lanes(id) => write!(f, "the lanes of {id}"),
            Self::Slot(id) => write!(f, "the slot of {id}"),
            Self::CharterSplit => f.write_str("the proof about the charter"),
            Self::ManifestSplit(member) => write!(f, "the proof about the manifest of {member}"),
            Self::Commitments(id) => write!(f, "the commitments to the lanes of {id}"),
            Self::LaneProof(id) => write!(f, "the proof of this node's lane of {id}"),
            Self::Erased(id) => write!(f, "the note that {id} was erased"),
            Self::Hold(id) => write!(f, "the hold on {id}"),
        }
    }
}

/// Keyed frames, Merkle nodes over statements, and marks.
pub trait Store {
    /// Adds a frame. A statement's frame must be the next of its log. With [`Key::Erased`] all frames of that body are gone for every read
    /// from now on, and once the world has flushed no byte of them is left; a body that is erased must not be staged again.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    fn stage(&mut self, frame: Frame) -> Result<(), StoreError>;

    /// The newest frame under `key`.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or the frame is damaged.
    fn get(&self, key: &Key) -> Result<Option<Frame>, StoreError>;

    /// Whether there is a frame under `key`; cheaper than [`Self::get`].
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    fn has(&self, key: &Key) -> Result<bool, StoreError>;

    /// The keys of frames that were found damaged and not replaced since, in order. Such a frame is as good as absent: [`Self::get`] gives
    /// none, and [`Self::statements`] ends before it. Sizes and Merkle nodes are as they were.
    fn damaged(&self) -> Vec<Key>;

    /// Puts a frame in the place of one that is damaged. A statement must have the leaf hash of the one that it replaces.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed, or such a statement is not held.
    fn replace(&mut self, frame: Frame) -> Result<(), StoreError>;

    /// All keys of one kind in order. Not for statements, heads or compartments, which are as many as the ledger is long.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    fn keys(&self, kind: KeyKind) -> Result<Vec<Key>, StoreError>;

    /// The number of statements of `log` that are held.
    fn size(&self, log: &LogId) -> u64;

    /// The logs of which at least one statement is held, in order.
    fn logs(&self) -> Vec<LogId>;

    /// The statements `from ..` of `log`, at most `count` and about `bytes` in all, at least one if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed or a frame is damaged.
    fn statements(&self, log: &LogId, from: u64, count: usize, bytes: usize) -> Result<Vec<Vec<u8>>, StoreError>;

    /// The hash over the statements `index·2^level .. (index+1)·2^level` of `log`, all of which are held.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    fn node(&self, log: &LogId, level: u32, index: u64) -> Result<Digest, StoreError>;

    /// Sets a mark, or removes it.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    fn mark(&mut self, mark: Mark, value: Option<&[u8]>) -> Result<(), StoreError>;

    /// The value of a mark.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    fn marked(&self, mark: &Mark) -> Result<Option<Vec<u8>>, StoreError>;

    /// Marks of one kind from `after` on (exclusive), in order, at most `count`.
    ///
    /// # Errors
    /// [`StoreError`] if storage failed.
    fn marks(&self, kind: MarkKind, after: Option<&Mark>, count: usize) -> Result<Vec<(Mark, Vec<u8>)>, StoreError>;
}

/// The Merkle nodes of one log in a store.
pub struct LogNodes<'a, S: ?Sized> {
    /// Where the nodes are.
    pub store: &'a S,
    /// Whose nodes they are.
    pub log: LogId,
}

impl<S: Store + ?Sized> Nodes for LogNodes<'_, S> {
    type Error = StoreError;

    fn node(&self, level: u32, index: u64) -> Result<Digest, StoreError> {
        self.store.node(&self.log, level, index)
    }
}

impl<S: ?Sized> fmt::Debug for LogNodes<'_, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LogNodes({})", self.log)
    }
}

impl Key {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Published => KeyKind::Published,
            Self::Statement(_) => KeyKind::Statement,
            Self::Checkpoint(_) => KeyKind::Checkpoint,
            Self::Cosignature(..) => KeyKind::Cosignature,
            Self::FrontierCosignature(_) => KeyKind::FrontierCosignature,
            Self::Fork(..) => KeyKind::Fork,
            Self::Intent(_) => KeyKind::Intent,
            Self::Head(_) => KeyKind::Head,
            Self::Compartment(..) => KeyKind::Compartment,
            Self::Lanes(_) => KeyKind::Lanes,
            Self::Slot(_) => KeyKind::Slot,
            Self::CharterSplit => KeyKind::CharterSplit,
            Self::ManifestSplit(_) => KeyKind::ManifestSplit,
            Self::Commitments(_) => KeyKind::Commitments,
            Self::LaneProof(_) => KeyKind::LaneProof,
            Self::Erased(_) => KeyKind::Erased,
            Self::Hold(_) => KeyKind::Hold,
        }
    }

    /// The record of whose body the frame is a part, or the `lanes` statement whose lanes or slot it is; none for what is never erased.
    #[must_use]
    pub fn body_of(&self) -> Option<RecordId> {
        match self {
            Self::Head(id) | Self::Compartment(id, _) | Self::Lanes(id) | Self::Slot(id) => Some(*id),
            Self::Published
            | Self::Statement(_)
            | Self::Checkpoint(_)
            | Self::Cosignature(..)
            | Self::FrontierCosignature(_)
            | Self::Fork(..)
            | Self::Intent(_)
            | Self::CharterSplit
            | Self::ManifestSplit(_)
            | Self::Commitments(_)
            | Self::LaneProof(_)
            | Self::Erased(_)
            | Self::Hold(_) => None,
        }
    }

    /// Whether the frame belongs with the bodies, in whose segments frames are blanked when they are erased.
    #[must_use]
    pub fn is_body(&self) -> bool {
        self.body_of().is_some()
    }

    /// The key as bytes that sort as keys do: kind, then member, ordinal and position, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind() as u8];
        match self {
            Self::Published | Self::CharterSplit => {}
            Self::Statement(id)
            | Self::Intent(id)
            | Self::Head(id)
            | Self::Lanes(id)
            | Self::Slot(id)
            | Self::Commitments(id)
            | Self::LaneProof(id)
            | Self::Erased(id)
            | Self::Hold(id) => put_record(&mut bytes, id),
            Self::Checkpoint(log) => put_log(&mut bytes, log),
            Self::Cosignature(log, member) => {
                put_log(&mut bytes, log);
                bytes.extend(member.as_str().bytes());
            }
            Self::FrontierCosignature(member) | Self::ManifestSplit(member) => bytes.extend(member.as_str().bytes()),
            Self::Fork(log, number) => {
                put_log(&mut bytes, log);
                bytes.push(*number);
            }
            Self::Compartment(id, index) => {
                put_record(&mut bytes, id);
                bytes.push(*index);
            }
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, mut rest) = bytes.split_first()?;
        let rest = &mut rest;
        let key = match KeyKind::from_number(*kind)? {
            KeyKind::Published => Self::Published,
            KeyKind::Statement => Self::Statement(take_record(rest)?),
            KeyKind::Checkpoint => Self::Checkpoint(take_log(rest)?),
            KeyKind::Cosignature => Self::Cosignature(take_log(rest)?, take_member(rest)?),
            KeyKind::FrontierCosignature => Self::FrontierCosignature(take_member(rest)?),
            KeyKind::Fork => Self::Fork(take_log(rest)?, take::<1>(rest)?[0]),
            KeyKind::Intent => Self::Intent(take_record(rest)?),
            KeyKind::Head => Self::Head(take_record(rest)?),
            KeyKind::Compartment => Self::Compartment(take_record(rest)?, take::<1>(rest)?[0]),
            KeyKind::Lanes => Self::Lanes(take_record(rest)?),
            KeyKind::Slot => Self::Slot(take_record(rest)?),
            KeyKind::CharterSplit => Self::CharterSplit,
            KeyKind::ManifestSplit => Self::ManifestSplit(take_member(rest)?),
            KeyKind::Commitments => Self::Commitments(take_record(rest)?),
            KeyKind::LaneProof => Self::LaneProof(take_record(rest)?),
            KeyKind::Erased => Self::Erased(take_record(rest)?),
            KeyKind::Hold => Self::Hold(take_record(rest)?),
        };
        rest.is_empty().then_some(key)
    }
}

impl KeyKind {
    /// One more than the greatest number of a kind.
    pub const END: u8 = Self::Hold as u8 + 1;

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::Published,
            Self::Statement,
            Self::Checkpoint,
            Self::Cosignature,
            Self::FrontierCosignature,
            Self::Fork,
            Self::Intent,
            Self::Head,
            Self::Compartment,
            Self::Lanes,
            Self::Slot,
            Self::CharterSplit,
            Self::ManifestSplit,
            Self::Commitments,
            Self::LaneProof,
            Self::Erased,
            Self::Hold,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == number)
    }
}

impl Mark {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> MarkKind {
        match self {
            Self::Audited(_) => MarkKind::Audited,
            Self::Flag(_) => MarkKind::Flag,
            Self::Inbox(_) => MarkKind::Inbox,
            Self::Source(_) => MarkKind::Source,
            Self::Scanned(_) => MarkKind::Scanned,
            Self::Granted(_) => MarkKind::Granted,
            Self::Lists(_) => MarkKind::Lists,
            Self::Lane(_) => MarkKind::Lane,
            Self::Covered(_) => MarkKind::Covered,
        }
    }

    /// The mark as bytes that sort as marks do.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind() as u8];
        match self {
            Self::Audited(log) | Self::Scanned(log) => put_log(&mut bytes, log),
            Self::Flag(id)
            | Self::Inbox(id)
            | Self::Granted(id)
            | Self::Lists(id)
            | Self::Lane(id)
            | Self::Covered(id) => {
                put_record(&mut bytes, id);
            }
            Self::Source(digest) => bytes.extend(digest.0),
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, mut rest) = bytes.split_first()?;
        let rest = &mut rest;
        let mark = match kind {
            1 => Self::Audited(take_log(rest)?),
            2 => Self::Flag(take_record(rest)?),
            3 => Self::Inbox(take_record(rest)?),
            4 => Self::Source(Digest(take(rest)?)),
            5 => Self::Scanned(take_log(rest)?),
            6 => Self::Granted(take_record(rest)?),
            7 => Self::Lists(take_record(rest)?),
            8 => Self::Lane(take_record(rest)?),
            9 => Self::Covered(take_record(rest)?),
            _ => return None,
        };
        rest.is_empty().then_some(mark)
    }
}

fn put_log(bytes: &mut Vec<u8>, log: &LogId) {
    bytes.extend(log.member.as_str().bytes());
    bytes.extend(log.ordinal.to_be_bytes());
}

fn put_record(bytes: &mut Vec<u8>, id: &RecordId) {
    put_log(bytes, &id.log);
    bytes.extend(id.position.to_be_bytes());
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

fn take_member(bytes: &mut &[u8]) -> Option<MemberCode> {
    std::str::from_utf8(&take::<2>(bytes)?).ok()?.parse().ok()
}

fn take_log(bytes: &mut &[u8]) -> Option<LogId> {
    let member = take_member(bytes)?;
    let ordinal = u16::from_be_bytes(take(bytes)?);
    (1..=LogId::ORDINAL_MAX).contains(&ordinal).then_some(LogId { member, ordinal })
}

fn take_record(bytes: &mut &[u8]) -> Option<RecordId> {
    Some(RecordId { log: take_log(bytes)?, position: u64::from_be_bytes(take(bytes)?) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_record() -> impl Strategy<Value = RecordId> {
        ("[A-Z][A-Z0-9]", 1..=999_u16, any::<u64>()).prop_map(|(member, ordinal, position)| RecordId {
            log: LogId { member: member.parse().unwrap(), ordinal },
            position,
        })
    }

    fn any_key() -> impl Strategy<Value = Key> {
        (any_record(), any_record(), any::<u8>(), 0..13).prop_map(|(id, other, number, kind)| match kind {
            0 => Key::Published,
            1 => Key::Statement(id),
            2 => Key::Checkpoint(id.log),
            3 => Key::Cosignature(id.log, other.log.member),
            4 => Key::FrontierCosignature(other.log.member),
            5 => Key::Fork(id.log, number),
            6 => Key::Intent(id),
            7 => Key::Head(id),
            8 => Key::Compartment(id, number),
            9 => Key::Lanes(id),
            10 => Key::Commitments(id),
            11 => Key::LaneProof(id),
            _ => Key::Slot(id),
        })
    }

    fn any_mark() -> impl Strategy<Value = Mark> {
        (any_record(), any::<[u8; 32]>(), 0..9).prop_map(|(id, digest, kind)| match kind {
            0 => Mark::Audited(id.log),
            1 => Mark::Flag(id),
            2 => Mark::Inbox(id),
            3 => Mark::Source(Digest(digest)),
            4 => Mark::Scanned(id.log),
            5 => Mark::Lists(id),
            6 => Mark::Lane(id),
            7 => Mark::Covered(id),
            _ => Mark::Granted(id),
        })
    }

    #[test]
    fn what_may_one_day_be_erased_is_kept_with_the_bodies() {
        let id: RecordId = "GE-7".parse().unwrap();
        for key in [Key::Head(id), Key::Compartment(id, 1), Key::Lanes(id), Key::Slot(id)] {
            assert!(key.is_body(), "{key}");
        }
        let proofs =
            [Key::Cosignature(id.log, id.log.member), Key::FrontierCosignature(id.log.member), Key::Fork(id.log, 1)];
        for key in
            [Key::Published, Key::Statement(id), Key::Checkpoint(id.log), Key::Intent(id)].into_iter().chain(proofs)
        {
            assert!(!key.is_body(), "{key}");
        }
    }

    #[test]
    fn an_operator_is_told_which_frame_it_is() {
        let id: RecordId = "GE.2-7".parse().unwrap();
        assert_eq!(Key::Statement(id).to_string(), "statement GE.2-7");
        assert_eq!(Key::Checkpoint(id.log).to_string(), "the checkpoint of log GE.2");
        assert_eq!(Key::Compartment(id, 1).to_string(), "compartment 1 of GE.2-7");
    }

    proptest! {
        #[test]
        fn marks_survive_the_round_trip_and_sort_alike(a in any_mark(), b in any_mark()) {
            prop_assert_eq!(Mark::from_bytes(&a.to_bytes()), Some(a));
            prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
        }

        #[test]
        fn keys_survive_the_round_trip_and_sort_alike(a in any_key(), b in any_key()) {
            prop_assert_eq!(Key::from_bytes(&a.to_bytes()), Some(a));
            prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
        }

        #[test]
        fn strange_bytes_are_no_key(bytes in any::<Vec<u8>>()) {
            if let Some(key) = Key::from_bytes(&bytes) {
                prop_assert_eq!(key.to_bytes(), bytes.clone());
            }
            if let Some(mark) = Mark::from_bytes(&bytes) {
                prop_assert_eq!(mark.to_bytes(), bytes);
            }
        }
    }
}
