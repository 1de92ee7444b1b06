//! What is on the disk, what only in the page cache, and which faults wait.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::index::IndexState;
use super::{Done, Fault, Kind, Op, SECTOR};

/// Input/output error.
const EIO: i32 = 5;
/// No space left on device.
const ENOSPC: i32 = 28;

/// How an operation goes that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    Well,
    Short,
    Lost,
    Misdirected,
    Rot,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    random: u64,
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    pub(super) names: BTreeMap<PathBuf, u64>,
    /// The names that a loss of power leaves for certain.
    durable_names: BTreeMap<PathBuf, u64>,
    pub(super) room: Option<u64>,
    /// Whether a fault has taken the room.
    filled: bool,
    pub(super) operations: usize,
    pub(super) crashed: bool,
    armed: Vec<Fault>,
    failing: BTreeSet<Op>,
    pub(super) done: Option<Vec<Done>>,
    pub(super) index: IndexState,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Changes since the last sync, in order.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Ruling {
    /// For operations that either happen or do not.
    pub(super) fn plain(self) -> io::Result<()> {
        if self == Self::Well { Ok(()) } else { Err(io::Error::from_raw_os_error(EIO)) }
    }
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: seed,
            inodes: BTreeMap::new(),
            next_inode: 0,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            room: None,
            filled: false,
            operations: 0,
            crashed: false,
            armed: Vec::new(),
            failing: BTreeSet::new(),
            done: None,
            index: IndexState::default(),
        }
    }

    pub(super) fn arm(&mut self, fault: Fault) {
        self.armed.push(fault);
    }

    pub(super) fn disarm(&mut self) {
        self.armed.clear();
        self.failing.clear();
        if std::mem::take(&mut self.filled) {
            self.room = None;
        }
    }

    /// Counts an operation and says how it goes.
    pub(super) fn rule(&mut self, op: Op, path: &Path, offset: u64, length: usize) -> io::Result<Ruling> {
        self.operations += 1;
        let mut struck = None;
        if !self.crashed {
            self.armed.retain_mut(|fault| {
                if fault.op.is_some_and(|waits_for| waits_for != op) {
                    return true;
                }
                if fault.after == 0 {
                    struck.get_or_insert(fault.kind);
                    return false;
                }
                fault.after -= 1;
                true
            });
        }
        if let Some(done) = &mut self.done {
            done.push(Done { op, path: path.to_owned(), offset, length, fault: struck });
        }
        if self.crashed {
            return Err(io::Error::other("the machine has stopped"));
        }
        let failed = || Err(io::Error::from_raw_os_error(EIO));
        if self.failing.contains(&op) {
            return failed();
        }
        match struck {
            None => Ok(Ruling::Well),
            Some(Kind::Error) => failed(),
            Some(Kind::ErrorForever) => {
                self.failing.insert(op);
                failed()
            }
            Some(Kind::NoSpace) => {
                self.room = Some(0);
                self.filled = true;
                Ok(Ruling::Well)
            }
            Some(Kind::Short) => Ok(Ruling::Short),
            Some(Kind::CrashBefore) => {
                self.crashed = true;
                Err(io::Error::other("the machine has stopped"))
            }
            Some(Kind::CrashAfter) => {
                self.crashed = true;
                Ok(Ruling::Well)
            }
            Some(Kind::Lost) => Ok(Ruling::Lost),
            Some(Kind::Misdirected) => Ok(Ruling::Misdirected),
            Some(Kind::Rot) => Ok(Ruling::Rot),
        }
    }

    pub(super) fn salt(&mut self) -> u32 {
        u32::try_from(self.draw() >> 32).expect("32 bits are a u32")
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        if self.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if self.room == Some(0) {
            return Err(io::Error::from_raw_os_error(ENOSPC));
        }
        self.next_inode += 1;
        self.names.insert(path.to_owned(), self.next_inode);
        self.inodes.insert(self.next_inode, Inode::default());
        Ok(self.next_inode)
    }

    pub(super) fn sync_names(&mut self, dir: &Path) {
        self.durable_names.retain(|path, _| path.parent() != Some(dir));
        let names = self.names.iter().filter(|(path, _)| path.parent() == Some(dir));
        self.durable_names.extend(names.map(|(path, inode)| (path.clone(), *inode)));
    }

    pub(super) fn length(&self, inode: u64) -> usize {
        self.inodes.get(&inode).map_or(0, |inode| inode.now.len())
    }

    pub(super) fn read(&mut self, inode: u64, buffer: &mut [u8], offset: u64, ruling: Ruling) -> io::Result<()> {
        let start = place(offset)?;
        let content = self.inodes.get(&inode).map_or(&[][..], |inode| &inode.now);
        let end = start.saturating_add(buffer.len());
        buffer.copy_from_slice(content.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        match ruling {
            Ruling::Short => Err(io::ErrorKind::UnexpectedEof.into()),
            Ruling::Rot => {
                self.spoil(buffer);
                Ok(())
            }
            Ruling::Well | Ruling::Lost | Ruling::Misdirected => ruling.plain(),
        }
    }

    pub(super) fn write(&mut self, inode: u64, bytes: &[u8], offset: u64, ruling: Ruling) -> io::Result<()> {
        let offset = place(offset)?;
        let mut bytes = bytes.to_vec();
        if ruling == Ruling::Short {
            let part = self.below(bytes.len());
            bytes.truncate(part);
        }
        let more = (offset + bytes.len()).saturating_sub(self.length(inode)) as u64;
        let fits = self.room.is_none_or(|room| more <= room);
        if let Some(room) = &mut self.room {
            let over = more.saturating_sub(*room);
            *room = room.saturating_sub(more);
            let over = usize::try_from(over).unwrap_or(usize::MAX);
            bytes.truncate(bytes.len().saturating_sub(over));
        }
        match ruling {
            Ruling::Well | Ruling::Short => self.put(inode, offset, bytes),
            Ruling::Rot => {
                self.spoil(&mut bytes);
                self.put(inode, offset, bytes);
            }
            // The file system takes note of the length whatever the medium makes of the bytes.
            Ruling::Lost => self.lengthen(inode, offset + bytes.len()),
            Ruling::Misdirected => {
                self.lengthen(inode, offset + bytes.len());
                self.stray(inode, offset, &bytes);
            }
        }
        match (fits, ruling) {
            (false, _) => Err(io::Error::from_raw_os_error(ENOSPC)),
            (true, Ruling::Short) => Err(io::Error::from_raw_os_error(EIO)),
            (true, _) => Ok(()),
        }
    }

    pub(super) fn truncate(&mut self, inode: u64, length: u64) -> io::Result<()> {
        let length = place(length)?;
        if let Some(inode) = self.inodes.get_mut(&inode) {
            if let Some(room) = &mut self.room {
                *room = room.saturating_add(inode.now.len().saturating_sub(length) as u64);
            }
            inode.now.resize(length, 0);
            inode.unsynced.push(Change::Length(length));
        }
        Ok(())
    }

    pub(super) fn sync(&mut self, inode: u64) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            let changes = std::mem::take(&mut inode.unsynced);
            changes.into_iter().for_each(|change| change.apply(&mut inode.durable));
            inode.durable.resize(inode.now.len(), 0);
        }
    }

    /// The pages pass for clean from now on; some of them may have reached the disk.
    pub(super) fn fail_sync(&mut self, inode: u64) {
        let mode = self.draw() % 4;
        let Some(mut file) = self.inodes.remove(&inode) else { return };
        let changes = std::mem::take(&mut file.unsynced);
        surviving(changes, &mut file.durable, SECTOR, &mut |_| match mode {
            0 => false,
            1 => true,
            _ => self.draw().is_multiple_of(2),
        });
        self.inodes.insert(inode, file);
    }

    pub(super) fn lose_power(&mut self, piece: usize, survives: &mut dyn FnMut(usize) -> bool) {
        self.crashed = false;
        let mut number = 0;
        let mut survives = |_| {
            number += 1;
            survives(number)
        };
        let mut names = self.durable_names.clone();
        let touched: BTreeSet<PathBuf> = self.names.keys().chain(names.keys()).cloned().collect();
        for path in touched {
            let (now, before) = (self.names.get(&path), names.get(&path));
            if now != before && survives(()) {
                match now {
                    Some(inode) => names.insert(path, *inode),
                    None => names.remove(&path),
                };
            }
        }
        self.durable_names.clone_from(&names);
        self.names = names;
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        self.inodes.retain(|inode, _| named.contains(inode));
        for file in self.inodes.values_mut() {
            let changes = std::mem::take(&mut file.unsynced);
            surviving(changes, &mut file.durable, piece, &mut survives);
            file.now.clone_from(&file.durable);
        }
        self.index.lose_power(&mut || survives(()));
    }

    pub(super) fn content(&self, path: &Path) -> Vec<u8> {
        let inode = self.names.get(path).and_then(|inode| self.inodes.get(inode));
        inode.map(|inode| inode.now.clone()).unwrap_or_default()
    }

    pub(super) fn set_content(&mut self, path: &Path, bytes: &[u8]) {
        let inode = match self.names.get(path) {
            Some(inode) => *inode,
            None => {
                self.next_inode += 1;
                self.next_inode
            }
        };
        self.names.insert(path.to_owned(), inode);
        self.durable_names.insert(path.to_owned(), inode);
        self.inodes.insert(inode, Inode { now: bytes.to_vec(), durable: bytes.to_vec(), unsynced: Vec::new() });
    }

    pub(super) fn delete(&mut self, path: &Path) {
        self.names.remove(path);
        self.durable_names.remove(path);
    }

    fn put(&mut self, inode: u64, offset: usize, bytes: Vec<u8>) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            let change = Change::Write { offset, bytes };
            change.clone().apply(&mut inode.now);
            inode.unsynced.push(change);
        }
    }

    fn lengthen(&mut self, inode: u64, end: usize) {
        if let Some(inode) = self.inodes.get_mut(&inode)
            && inode.now.len() < end
        {
            inode.now.resize(end, 0);
            inode.unsynced.push(Change::Length(end));
        }
    }

    /// Lands a write where it does not belong, at once on the medium.
    fn stray(&mut self, inode: u64, offset: usize, bytes: &[u8]) {
        let others: Vec<u64> = self.inodes.keys().copied().filter(|other| *other != inode).collect();
        let (target, offset) = if others.is_empty() || self.draw().is_multiple_of(2) {
            let length = self.length(inode).max(1);
            (inode, self.below(length))
        } else {
            let other = self.below(others.len());
            (others[other], offset)
        };
        if let Some(file) = self.inodes.get_mut(&target) {
            // It overwrites what is there; no file grows by it.
            for content in [&mut file.now, &mut file.durable] {
                let start = offset.min(content.len());
                let end = (start + bytes.len()).min(content.len());
                content[start..end].copy_from_slice(&bytes[..end - start]);
            }
        }
    }

    /// Flips one bit.
    fn spoil(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            let bit = self.below(bytes.len() * 8);
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        let drawn = self.draw() % bound.max(1) as u64;
        usize::try_from(drawn).expect("it is below a usize")
    }

    /// The next number of splitmix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Change {
    fn apply(self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[offset..end].copy_from_slice(&bytes);
            }
            Self::Length(length) => content.resize(length, 0),
        }
    }
}

/// Applies those pieces of the changes that survive. Pieces end where sectors of the file do.
fn surviving(changes: Vec<Change>, content: &mut Vec<u8>, piece: usize, survives: &mut dyn FnMut(()) -> bool) {
    for change in changes {
        match change {
            Change::Length(_) => {
                if survives(()) {
                    change.apply(content);
                }
            }
            Change::Write { offset, bytes } => {
                let mut start = 0;
                while start < bytes.len() {
                    let end = (start + piece - (offset + start) % piece).min(bytes.len());
                    if survives(()) {
                        Change::Write { offset: offset + start, bytes: bytes[start..end].to_vec() }.apply(content);
                    }
                    start = end;
                }
            }
        }
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(io::Error::other)
}
