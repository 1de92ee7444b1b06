//! What a simulated machine keeps through a crash, and how its disk fails.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::io;

use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::merkle;
use crate::encoding::random::Randomness;
use crate::ledger::memory::MemoryStore;
use crate::ledger::{Frame, Key, KeyKind, Mark, MarkKind, Store, StoreError};

/// A disk with a store and a signer guard on it. A clone is a backup of both.
pub trait Medium: Clone + Debug {
    /// The store of a running node.
    type Store: Store + Debug;

    /// An empty disk.
    fn new(seed: u64) -> Self;

    /// Starts over what the disk holds.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails, or cannot be believed any more.
    fn open(&mut self) -> Result<Self::Store, StoreError>;

    /// Whether the last start has named frames as lost without knowing their leaves: index and frames were damaged at once, and what
    /// comes after them in a log has to be fetched anew.
    fn has_named_losses(&self) -> bool {
        false
    }

    /// Begins to make durable what is staged now.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails: then the process must end.
    fn begin_flush(&mut self, store: &mut Self::Store) -> Result<(), StoreError>;

    /// What was staged when the flush began is durable when this returns.
    ///
    /// # Errors
    /// As above.
    fn finish_flush(&mut self, store: &mut Self::Store) -> Result<(), StoreError>;

    /// The process ends. With `power` lost as well, what was not flushed survives by chance, in pieces.
    fn end(&mut self, store: Self::Store, power: Option<&mut Randomness>);

    /// What the signer does before it signs: the guard is durable first, and refuses a second digest at a position.
    ///
    /// # Errors
    /// Why it must not sign.
    fn guard(&mut self, log: LogId, frames: &[(u64, Digest)]) -> Result<(), String>;

    /// Takes from the guard what it remembers from a position on, as the snapshot of a whole machine does.
    fn rewind_guard(&mut self, log: LogId, position: u64);

    /// Keeps the guard as it is and takes the rest from a backup, as on one machine.
    fn restore(&mut self, backup: &Self);

    /// Ends what still waits to go wrong.
    fn mend(&mut self);

    /// Does harm.
    fn hurt(&mut self, harm: Harm, random: &mut Randomness);

    /// The statements that the disk has lost, with the leaf hashes that they had.
    fn lost(&self) -> Vec<(RecordId, Digest)>;

    /// Whether the disk has the statement with this leaf hash, whole.
    fn holds(&self, id: RecordId, leaf: &Digest) -> bool;
}

/// The statements that a store names as lost, with their leaf hashes where it has them.
pub(crate) fn lost_in(store: &impl Store) -> Vec<(RecordId, Digest)> {
    let statement = |key: Key| if let Key::Statement(id) = key { Some(id) } else { None };
    let lost = store.damaged().into_iter().filter_map(statement);
    lost.filter_map(|id| Some((id, store.node(&id.log, 0, id.position).ok()?))).collect()
}

/// Whether a store gives the statement with this leaf hash.
pub(crate) fn is_in(store: &impl Store, id: RecordId, leaf: &Digest) -> bool {
    let held = store.get(&Key::Statement(id)).ok().flatten();
    held.is_some_and(|frame| merkle::leaf_hash(&frame.bytes) == *leaf)
}

/// What may happen to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// There is no room for the next flushes, this often.
    Full(u32),
    /// The next fsync fails.
    FailedSync,
    /// The index beside the segments is lost, and the marks with it. Only while no process runs.
    LostIndex,
    /// The whole disk is lost, the guard too. Only while no process runs.
    LostDisk,
    /// Bits of what rests on the disk flip, which its checksum shows. Only while no process runs.
    Rot,
    /// A write went to another place than it should have, which what lies there shows. Only while no process runs.
    Misdirected,
    /// A stored statement changes and no checksum shows it. For planted faults.
    UnseenRot,
    /// A stored statement is gone. For planted faults.
    UnseenHole,
    /// The newest statements of a log are gone. For planted faults.
    UnseenCut,
}

/// The fast medium: frames in memory, of which a crash leaves what was flushed and a part of what was not.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    durable: MemoryStore,
    guard: Signed,
    faults: VecDeque<io::ErrorKind>,
}

/// What a signer guard remembers, in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Signed(BTreeMap<(LogId, u64), Digest>);

impl Signed {
    /// Remembers what is about to be signed; refuses a second digest at a position.
    pub(super) fn allow(&mut self, log: LogId, frames: &[(u64, Digest)]) -> Result<(), String> {
        for (position, digest) in frames {
            if *self.0.entry((log, *position)).or_insert(*digest) != *digest {
                return Err(format!("position {position} was signed otherwise"));
            }
        }
        Ok(())
    }

    /// Forgets a log from a position on.
    pub(super) fn rewind(&mut self, log: LogId, position: u64) {
        self.0.retain(|(held, at), _| *held != log || *at < position);
    }
}

/// The store of [`Memory`]: what is held, and what of it is not durable yet.
#[derive(Debug)]
pub struct Staging {
    live: MemoryStore,
    staged: Vec<Staged>,
    /// How many of these the flush under way covers.
    flushing: usize,
}

/// One change that is not durable yet.
#[derive(Clone, Debug)]
enum Staged {
    Frame(Frame),
    /// A frame that was lost and has come back.
    Replaced(Frame),
    Mark(Mark, Option<Vec<u8>>),
}

impl Memory {
    /// What is on the disk.
    #[must_use]
    pub fn durable(&self) -> &MemoryStore {
        &self.durable
    }

    /// What is on the disk, to be changed behind everybody's back.
    pub fn durable_mut(&mut self) -> &mut MemoryStore {
        &mut self.durable
    }
}

impl Medium for Memory {
    type Store = Staging;

    fn new(_: u64) -> Self {
        Self::default()
    }

    fn open(&mut self) -> Result<Staging, StoreError> {
        Ok(Staging { live: self.durable.clone(), staged: Vec::new(), flushing: 0 })
    }

    fn begin_flush(&mut self, store: &mut Staging) -> Result<(), StoreError> {
        store.flushing = store.staged.len();
        Ok(())
    }

    fn finish_flush(&mut self, store: &mut Staging) -> Result<(), StoreError> {
        if let Some(kind) = self.faults.pop_front() {
            return Err(StoreError::Io { doing: "flushing".to_owned(), source: kind.into() });
        }
        store.staged.drain(..store.flushing).for_each(|staged| apply(&mut self.durable, staged));
        store.flushing = 0;
        Ok(())
    }

    /// As in segment files, a beginning of the statements' family and one of the bodies' family survive, and no marks.
    fn end(&mut self, store: Staging, power: Option<&mut Randomness>) {
        let Some(random) = power else { return };
        let frames = |bodies: bool| {
            store.staged.iter().filter_map(move |staged| match staged {
                Staged::Frame(frame) if frame.key.is_body() == bodies => Some(frame.clone()),
                Staged::Frame(_) | Staged::Replaced(_) | Staged::Mark(..) => None,
            })
        };
        for bodies in [false, true] {
            let count = u32::try_from(frames(bodies).count()).unwrap_or(u32::MAX);
            let survive = random.below(count + 1) as usize;
            frames(bodies).take(survive).for_each(|frame| apply(&mut self.durable, Staged::Frame(frame)));
        }
    }

    fn guard(&mut self, log: LogId, frames: &[(u64, Digest)]) -> Result<(), String> {
        self.guard.allow(log, frames)
    }

    fn rewind_guard(&mut self, log: LogId, position: u64) {
        self.guard.rewind(log, position);
    }

    fn restore(&mut self, backup: &Self) {
        self.durable = backup.durable.clone();
    }

    fn mend(&mut self) {
        self.faults.clear();
    }

    fn hurt(&mut self, harm: Harm, random: &mut Randomness) {
        match harm {
            Harm::Full(times) => self.faults.extend((0..times).map(|_| io::ErrorKind::StorageFull)),
            Harm::FailedSync => self.faults.push_back(io::ErrorKind::Other),
            Harm::LostIndex => self.durable.forget_marks(),
            Harm::LostDisk => *self = Self::default(),
            Harm::Rot | Harm::Misdirected => {
                // Of one's own log a statement may be the only copy: what nobody holds, nobody can heal.
                let own = self.guard.0.keys().next().map(|(log, _)| *log);
                if let Some(key) = self.durable.any_statement(random, own) {
                    self.durable.damage(key);
                }
            }
            Harm::UnseenRot => self.durable.spoil_statement(random, |bytes| bytes[0] ^= 1),
            Harm::UnseenHole => self.durable.lose_statement(random),
            Harm::UnseenCut => self.durable.cut_log(random),
        }
    }

    fn lost(&self) -> Vec<(RecordId, Digest)> {
        lost_in(&self.durable)
    }

    fn holds(&self, id: RecordId, leaf: &Digest) -> bool {
        is_in(&self.durable, id, leaf)
    }
}

fn apply(durable: &mut MemoryStore, staged: Staged) {
    let done = match staged {
        Staged::Frame(frame) => durable.stage(frame),
        Staged::Replaced(frame) => durable.replace(frame),
        Staged::Mark(mark, value) => durable.mark(mark, value.as_deref()),
    };
    done.expect("a store in memory does not fail");
}

impl Store for Staging {
    fn stage(&mut self, frame: Frame) -> Result<(), StoreError> {
        self.staged.push(Staged::Frame(frame.clone()));
        self.live.stage(frame)
    }

    fn get(&self, key: &Key) -> Result<Option<Frame>, StoreError> {
        self.live.get(key)
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        self.live.has(key)
    }

    fn damaged(&self) -> Vec<Key> {
        self.live.damaged()
    }

    fn replace(&mut self, frame: Frame) -> Result<(), StoreError> {
        self.staged.push(Staged::Replaced(frame.clone()));
        self.live.replace(frame)
    }

    fn keys(&self, kind: KeyKind) -> Result<Vec<Key>, StoreError> {
        self.live.keys(kind)
    }

    fn size(&self, log: &LogId) -> u64 {
        self.live.size(log)
    }

    fn logs(&self) -> Vec<LogId> {
        self.live.logs()
    }

    fn statements(&self, log: &LogId, from: u64, count: usize, bytes: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.live.statements(log, from, count, bytes)
    }

    fn node(&self, log: &LogId, level: u32, index: u64) -> Result<Digest, StoreError> {
        self.live.node(log, level, index)
    }

    fn mark(&mut self, mark: Mark, value: Option<&[u8]>) -> Result<(), StoreError> {
        self.staged.push(Staged::Mark(mark, value.map(<[u8]>::to_vec)));
        self.live.mark(mark, value)
    }

    fn marked(&self, mark: &Mark) -> Result<Option<Vec<u8>>, StoreError> {
        self.live.marked(mark)
    }

    fn marks(&self, kind: MarkKind, after: Option<&Mark>, count: usize) -> Result<Vec<(Mark, Vec<u8>)>, StoreError> {
        self.live.marks(kind, after, count)
    }
}
