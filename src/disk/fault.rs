//! Files in memory that can lose power, tear writes, and refuse to sync: for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::files::{Access, File, FileSystem};

/// A file system in memory. Clones show the same files.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultFs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    files: Mutex<BTreeMap<PathBuf, Arc<Memory>>>,
    /// The names that a loss of power leaves.
    durable_names: Mutex<BTreeSet<PathBuf>>,
    fail_syncs: AtomicBool,
    /// Operations that change something, counted; and the one from which on all of them fail, as after a crash.
    operations: AtomicUsize,
    crash_at: Mutex<Option<usize>>,
    salts: AtomicU32,
    free: Mutex<Option<u64>>,
}

#[derive(Debug)]
struct Memory {
    shared: std::sync::Weak<Shared>,
    content: Mutex<Content>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Writes since the last sync.
    unsynced: Vec<(usize, Vec<u8>)>,
}

impl FaultFs {
    /// Forgets everything that was not synced.
    pub(crate) fn lose_power(&self) {
        self.lose_power_keeping(|_| false);
    }

    /// Forgets what was not synced, but for those 16-byte pieces of unsynced writes that `survives` says, given
    /// a running number: a disk may write them in any order.
    pub(crate) fn lose_power_keeping(&self, mut survives: impl FnMut(usize) -> bool) {
        *self.0.crash_at.lock().unwrap() = None;
        let names = self.0.durable_names.lock().unwrap();
        let mut files = self.files();
        files.retain(|path, _| names.contains(path));
        let mut piece = 0;
        for file in files.values() {
            let mut content = file.content.lock().unwrap();
            let mut now = content.durable.clone();
            for (offset, bytes) in std::mem::take(&mut content.unsynced) {
                for (number, bytes) in bytes.chunks(16).enumerate() {
                    piece += 1;
                    if survives(piece) {
                        put(&mut now, offset + number * 16, bytes);
                    }
                }
            }
            content.now.clone_from(&now);
            content.durable = now;
        }
    }

    pub(crate) fn fail_syncs(&self, fail: bool) {
        self.0.fail_syncs.store(fail, Ordering::Relaxed);
    }

    /// Lets so many more changes through; all after that fail, until the power is lost.
    pub(crate) fn crash_after(&self, operations: usize) {
        *self.0.crash_at.lock().unwrap() = Some(self.operations() + operations);
    }

    pub(crate) fn operations(&self) -> usize {
        self.0.operations.load(Ordering::Relaxed)
    }

    pub(crate) fn set_free(&self, bytes: u64) {
        *self.0.free.lock().unwrap() = Some(bytes);
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.files().keys().cloned().collect()
    }

    pub(crate) fn content(&self, path: &Path) -> Vec<u8> {
        self.files()[path].content.lock().unwrap().now.clone()
    }

    pub(crate) fn set_content(&self, path: &Path, bytes: &[u8]) {
        let content = Content { now: bytes.to_vec(), durable: bytes.to_vec(), unsynced: Vec::new() };
        *self.files()[path].content.lock().unwrap() = content;
    }

    /// A file system with the same content that goes its own way.
    pub(crate) fn fork(&self) -> Self {
        let copy = Self::default();
        for (path, file) in &*self.files() {
            let content = Mutex::new(file.content.lock().unwrap().clone());
            copy.files().insert(path.clone(), Arc::new(Memory { shared: Arc::downgrade(&copy.0), content }));
        }
        copy.0.durable_names.lock().unwrap().clone_from(&self.0.durable_names.lock().unwrap());
        copy.0.salts.store(1_000 + self.0.salts.load(Ordering::Relaxed), Ordering::Relaxed);
        copy
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Arc<Memory>>> {
        self.0.files.lock().unwrap()
    }
}

impl Shared {
    fn change(&self) -> io::Result<()> {
        let number = self.operations.fetch_add(1, Ordering::Relaxed);
        match *self.crash_at.lock().unwrap() {
            Some(at) if number >= at => Err(io::Error::other("the machine has crashed")),
            _ => Ok(()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.change()?;
        if self.fail_syncs.load(Ordering::Relaxed) { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }
}

impl FileSystem for FaultFs {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.0.change()?;
        let file = Arc::new(Memory { shared: Arc::downgrade(&self.0), content: Mutex::default() });
        if self.files().contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.files().insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn open(&self, path: &Path, _: Access) -> io::Result<Option<Arc<dyn File>>> {
        Ok(self.files().get(path).map(|file| Arc::clone(file) as Arc<dyn File>))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let names = self.files().keys().filter(|path| path.parent() == Some(dir)).cloned().collect::<Vec<_>>();
        Ok(names.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.change()?;
        self.files().remove(path);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.sync()?;
        let mut names = self.0.durable_names.lock().unwrap();
        names.retain(|path| path.parent() != Some(dir));
        names.extend(self.files().keys().filter(|path| path.parent() == Some(dir)).cloned());
        Ok(())
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.free.lock().unwrap().unwrap_or(u64::MAX))
    }

    fn salt(&self) -> io::Result<u32> {
        Ok(self.0.salts.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9))
    }

    fn is_parallel(&self) -> bool {
        false
    }
}

impl Memory {
    fn shared(&self) -> Arc<Shared> {
        self.shared.upgrade().expect("the file system outlives its files")
    }
}

impl File for Memory {
    fn length(&self) -> io::Result<u64> {
        Ok(self.content.lock().unwrap().now.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let content = self.content.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let bytes = content.now.get(start..start + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.shared().change()?;
        let mut content = self.content.lock().unwrap();
        let offset = usize::try_from(offset).unwrap();
        put(&mut content.now, offset, bytes);
        content.unsynced.push((offset, bytes.to_vec()));
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.shared().change()?;
        let mut content = self.content.lock().unwrap();
        let length = usize::try_from(length).unwrap();
        content.now.truncate(length);
        for (offset, bytes) in &mut content.unsynced {
            bytes.truncate(length.saturating_sub(*offset));
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut content = self.content.lock().unwrap();
        let unsynced = std::mem::take(&mut content.unsynced);
        // As on Linux, pages whose write-back failed pass for clean from then on.
        self.shared().sync()?;
        for (offset, bytes) in unsynced {
            put(&mut content.durable, offset, &bytes);
        }
        let length = content.now.len();
        content.durable.resize(length, 0);
        Ok(())
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}
