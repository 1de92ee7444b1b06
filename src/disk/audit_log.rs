//! The files of the audit log: lines that are on the disk when an append returns, in files of a bounded size, none of which is ever changed.
//!
//! ```text
//! audit/000000000001.jsonl   lines 1 … 41,200: whole, may be moved to an archive
//! audit/000000041201.jsonl   lines 41,201 …: the newest, to which is appended
//! ```
//!
//! A file is named by the number of its first line. One line is written and synced at a time. So what a crash can leave behind the last
//! whole line is one line without its end, or one in which sectors were never written and are zero: it was never acknowledged, and is cut
//! off. Anything else is damage: the files stay as they are, and the log goes on in a new one whose first line says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Access, Doing as _, File, FileSystem, RealFs};
use crate::audit::{Act, Entry, LINE_MAX, Link};
use crate::encoding::hash::Digest;
use crate::encoding::time::UnixTime;
use crate::ledger::StoreError;

/// The folder in the data directory.
pub const FOLDER: &str = "audit";
/// Bytes of a file at most: some 40,000 lines, read in a moment when the node starts.
const ROLL: u64 = 16 << 20;
/// Room that is kept for the next lines, some thousands: on a disk that somebody else has filled, a node goes on answering for a while.
const RESERVE: u64 = 1 << 20;
/// Digits in the name of a file.
const DIGITS: usize = 12;
/// What every name ends with.
const ENDING: &str = ".jsonl";

/// The audit log of a node. The data directory must be locked by whoever has it.
#[derive(Debug)]
pub struct AuditLog {
    fs: Arc<dyn FileSystem>,
    folder: PathBuf,
    roll: u64,
    /// The file that is appended to, and how long it is; none before the first line of a file.
    file: Option<(PathBuf, Arc<dyn File>, u64)>,
    head: Head,
    began: Option<UnixTime>,
    /// To where in the newest file room is kept, as far as this process knows.
    reserved: u64,
    failed: bool,
}

/// The last line: its number, 0 for none, and its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its digest.
    pub digest: Digest,
}

/// What was found when the log was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// All lines of the newest file are whole.
    Whole,
    /// So many bytes behind the last whole line were never acknowledged, and are cut off.
    Torn {
        /// The file.
        file: String,
        /// How many.
        bytes: u64,
    },
    /// A line is not as it was written. The next one begins a new file, and has to be of the act [`Act::RESUMED`].
    Damaged {
        /// The file.
        file: String,
        /// The line; the first is 1.
        line: u64,
    },
}

/// An open file and its bytes.
type Content = (Arc<dyn File>, Vec<u8>);

/// What the bytes of a file are.
struct Examined {
    /// The last line that can be believed, and where it begins.
    last: Option<(Link, u64)>,
    /// Where it ends; 0 without one.
    end: u64,
    /// Lines, without one that is torn.
    lines: u64,
    /// The first line that is not as it was written.
    damaged: Option<u64>,
}

impl AuditLog {
    /// Opens the log in the data directory `dir`. What was never acknowledged is cut off its end.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read, or not be written.
    pub fn open(dir: &Path) -> Result<(Self, Found), StoreError> {
        Self::open_on(Arc::new(RealFs), dir, ROLL)
    }

    pub(super) fn open_on(fs: Arc<dyn FileSystem>, dir: &Path, roll: u64) -> Result<(Self, Found), StoreError> {
        let folder = dir.join(FOLDER);
        fs.create_dir(&folder).doing("creating", &folder)?;
        fs.sync_dir(dir).doing("syncing", dir)?;
        let head = Head { number: 0, digest: Digest::ZERO };
        let mut log = Self { fs, folder, roll, file: None, head, began: None, reserved: 0, failed: false };
        let found = log.find_end()?;
        log.began = log.find_beginning()?;
        log.reserve();
        Ok((log, found))
    }

    /// The last line.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Whether nothing can be added any more: what is on the disk is not known, and only a new start shows.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// When the first line at hand was written; none without a line.
    #[must_use]
    pub fn began(&self) -> Option<UnixTime> {
        self.began
    }

    /// Adds an entry: when this returns, it is on the disk. Gives its number.
    ///
    /// # Errors
    /// [`StoreError`]; then it is not in the log, as far as this process can tell. After a failed sync nothing is added any more.
    pub fn append(&mut self, act: Act, at: UnixTime) -> Result<u64, StoreError> {
        if self.failed {
            let source =
                std::io::Error::other("a sync of it failed before; only a new start shows what is on the disk");
            return Err(StoreError::Io { doing: format!("using {}", self.folder.display()), source });
        }
        let number = self.head.number + 1;
        let (line, digest) = act.at(number, at, self.head.digest).line();
        debug_assert!(line.len() <= LINE_MAX);
        let is_full = |end: u64| end > 0 && end + line.len() as u64 > self.roll;
        if self.file.as_ref().is_none_or(|(_, _, end)| is_full(*end)) {
            self.begin_file(number)?;
        }
        let (path, file, end) = self.file.as_mut().expect("a file was begun above");
        if let Err(error) = file.write_at(&line, *end).doing("writing", path) {
            // With nothing of it left, the next line may go there: the disk was full, and has room again. Else nobody knows what is there.
            self.failed = file.truncate(*end).and_then(|()| file.sync()).is_err();
            return Err(error);
        }
        if let Err(error) = file.sync().doing("syncing", path) {
            self.failed = true;
            // Else the page cache might show, after a restart, a line that the disk will never have. If this fails too, the error before
            // it is the one to tell.
            drop(file.truncate(*end));
            return Err(error);
        }
        *end += line.len() as u64;
        self.began.get_or_insert(at);
        self.head = Head { number, digest };
        self.reserve();
        Ok(number)
    }

    /// Keeps room for more lines. It is a help, not a promise: not every file system has it.
    fn reserve(&mut self) {
        if let Some((_, file, end)) = &self.file
            && *end + RESERVE / 2 > self.reserved
        {
            drop(file.reserve(*end, RESERVE));
            self.reserved = *end + RESERVE;
        }
    }

    /// The digest of the entry of this number, if it is at hand and whole.
    ///
    /// # Errors
    /// [`StoreError`] if its file cannot be read.
    pub fn digest(&self, number: u64) -> Result<Option<Digest>, StoreError> {
        if number == self.head.number {
            return Ok(Some(self.head.digest));
        }
        let names = names(&*self.fs, &self.folder).doing("listing", &self.folder)?;
        let Some(name) = names.iter().rfind(|name| first_of(name).is_some_and(|first| first <= number)) else {
            return Ok(None);
        };
        let bytes = self.read(&self.folder.join(name))?.map_or_else(Vec::new, |(_, bytes)| bytes);
        let links = bytes.split(|byte| *byte == b'\n').filter_map(|line| Link::read(line).ok());
        Ok(links.filter(|link| link.number == number).map(|link| link.digest).next_back())
    }

    /// Looks at the newest file, and at the ones before while there is no line in it.
    fn find_end(&mut self) -> Result<Found, StoreError> {
        let names = names(&*self.fs, &self.folder).doing("listing", &self.folder)?;
        let mut found = Found::Whole;
        for name in names.iter().rev() {
            let path = self.folder.join(name);
            let Some((file, bytes)) = self.read(&path)? else { continue };
            let examined = examine(&bytes);
            let first = first_of(name).unwrap_or(1);
            let last = examined.last.as_ref().map(|(link, _)| link.number);
            if let Some(line) = examined.damaged {
                // A line that nobody has to reckon with: it is not in doubt which numbers were used.
                let number = last.unwrap_or(0).max(first.saturating_add(examined.lines) - 1);
                let digest = examined.last.map_or(Digest::ZERO, |(link, _)| link.digest);
                self.head = Head { number, digest };
                self.file = None;
                return Ok(Found::Damaged { file: name.clone(), line });
            }
            let torn = bytes.len() as u64 - examined.end;
            if torn > 0 {
                file.truncate(examined.end).doing("cutting", &path)?;
                file.sync().doing("syncing", &path)?;
                found = Found::Torn { file: name.clone(), bytes: torn };
            }
            // An empty file is the one that is written to next: a crash came between its making and its first line.
            if self.file.is_none() {
                self.file = Some((path.clone(), Arc::clone(&file), examined.end));
            }
            if let Some((link, begin)) = examined.last {
                self.head = Head { number: link.number, digest: link.digest };
                // Its process may have been killed before the sync, or the sync have failed: then its pages only seem to be on the disk.
                let line = usize::try_from(begin).ok().and_then(|begin| bytes.get(begin..)).unwrap_or_default();
                let line = line.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
                file.write_at(line, begin).doing("writing", &path)?;
                file.sync().doing("syncing", &path)?;
                break;
            }
        }
        // A name that does not fit to what is to be written there would be taken for a gap.
        let next = self.folder.join(name_of(self.head.number + 1));
        if let Some((path, _, 0)) = &self.file
            && *path != next
        {
            self.fs.remove(path).doing("removing", path)?;
            self.fs.sync_dir(&self.folder).doing("syncing", &self.folder)?;
            self.file = None;
        }
        Ok(found)
    }

    fn find_beginning(&self) -> Result<Option<UnixTime>, StoreError> {
        let names = names(&*self.fs, &self.folder).doing("listing", &self.folder)?;
        let Some(path) = names.first().map(|name| self.folder.join(name)) else { return Ok(None) };
        let Some(file) = self.fs.open(&path, Access::Read).doing("opening", &path)? else { return Ok(None) };
        let length = file.length().doing("reading", &path)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(LINE_MAX).min(LINE_MAX)];
        file.read_at(&mut bytes, 0).doing("reading", &path)?;
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Ok(Entry::read(line).ok().map(|entry| entry.at))
    }

    fn begin_file(&mut self, first: u64) -> Result<(), StoreError> {
        let path = self.folder.join(name_of(first));
        let file = match self.fs.open(&path, Access::Write).doing("opening", &path)? {
            // Made before, and then the first line could not be written.
            Some(file) if file.length().doing("reading", &path)? == 0 => file,
            Some(_) => {
                let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
                return Err(StoreError::Io { doing: format!("creating {}", path.display()), source });
            }
            None => self.fs.create(&path).doing("creating", &path)?,
        };
        self.fs.sync_dir(&self.folder).doing("syncing", &self.folder)?;
        self.file = Some((path, file, 0));
        self.reserved = 0;
        self.reserve();
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Option<Content>, StoreError> {
        let Some(file) = self.fs.open(path, Access::Write).doing("opening", path)? else { return Ok(None) };
        let length = file.length().doing("reading", path)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_at(&mut bytes, 0).doing("reading", path)?;
        Ok(Some((file, bytes)))
    }
}

/// The names of the files of an audit log in a folder, in their order; other names are passed over. None if the folder is not there.
///
/// # Errors
/// What the file system says.
pub fn files(folder: &Path) -> std::io::Result<Vec<String>> {
    names(&RealFs, folder)
}

fn names(fs: &dyn FileSystem, folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = fs.list(folder)?;
    names.retain(|name| first_of(name).is_some());
    names.sort();
    Ok(names)
}

fn name_of(first: u64) -> String {
    format!("{first:0DIGITS$}{ENDING}")
}

/// The number of the first line of a file, by its name.
fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(ENDING)?;
    let is_number = digits.len() >= DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Whether the last line may be one that was being written. One that is whole but for its last byte was whole.
fn is_torn(text: &[u8], is_ended: bool) -> bool {
    let but_for_its_end = text.split_last().is_some_and(|(_, text)| Link::read(text).is_ok());
    text.contains(&0) || !is_ended && !but_for_its_end
}

/// Tells whole lines from a torn end and from damage.
fn examine(bytes: &[u8]) -> Examined {
    let mut examined = Examined { last: None, end: 0, lines: 0, damaged: None };
    let mut begin = 0_u64;
    let mut rest = bytes;
    while !rest.is_empty() {
        let ended = rest.iter().position(|byte| *byte == b'\n');
        let length = ended.map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(length);
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        examined.lines += 1;
        let fits = |link: &Link| match &examined.last {
            Some((last, _)) => last.number + 1 == link.number && (last.digest == link.previous || link.resumes),
            None => true,
        };
        match Link::read(text) {
            Ok(link) if ended.is_some() => {
                if !fits(&link) {
                    examined.damaged.get_or_insert(examined.lines);
                }
                examined.last = Some((link, begin));
                examined.end = begin + length as u64;
            }
            // One line at a time is written: this is the one, if nothing follows and it was not written whole.
            Ok(_) | Err(_) if after.is_empty() && is_torn(text, ended.is_some()) => examined.lines -= 1,
            Ok(_) | Err(_) => {
                examined.damaged.get_or_insert(examined.lines);
            }
        }
        begin += length as u64;
        rest = after;
    }
    // An end that is torn lies behind whole lines only.
    if examined.damaged.is_some() {
        examined.end = bytes.len() as u64;
    }
    examined
}
