//! What officers did with alerts, and which were raised: an append-only file, each event on the disk before anybody is told.
//!
//! ```text
//! file  = magic, frame*
//! frame = length u32 BE, CRC-32C of the event u32 BE, event (deterministic CBOR)
//! ```
//!
//! It is this country's own and on this node alone, so no peer can heal it. A frame that a crash cut off is dropped, because nobody was told
//! of it. Any other damage moves the file aside, under a name that says so, and what could be read goes on in a new one: an
//! alert that is forgotten is raised again, which is better than a node that does not start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::watch::alert::CaseEvent;

/// The name of the file in the data folder.
pub const FILE: &str = "cases.log";
const MAGIC: &[u8; 8] = b"SWCASES1";
/// An event has notes of some kilobytes; anything longer is damage.
const EVENT_MAX: usize = 64 << 10;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct CaseFileError {
    /// What was tried.
    action: &'static str,
    /// The file.
    path: PathBuf,
    /// Why it failed.
    source: io::Error,
}

/// The open file.
#[derive(Debug)]
pub struct CaseFile {
    path: PathBuf,
    file: File,
}

/// What was read at the start.
#[derive(Debug, Default)]
pub struct Kept {
    /// The events, in order.
    pub events: Vec<CaseEvent>,
    /// Where the damaged file was put, if it was damaged.
    pub damaged: Option<PathBuf>,
}

impl CaseFile {
    /// Opens the file in a data folder, or makes it.
    ///
    /// # Errors
    /// [`CaseFileError`] if the file cannot be read or written.
    pub fn open(folder: &Path) -> Result<(Self, Kept), CaseFileError> {
        let path = folder.join(FILE);
        let failed = |action, source| CaseFileError { action, path: path.clone(), source };
        let bytes = bytes_of(&path)?;
        let (events, end) = read(&bytes);
        let mut kept = Kept { events, damaged: None };
        let whole = match end {
            End::Whole => !bytes.is_empty(),
            End::CutOff(length) => {
                let file = OpenOptions::new().write(true).open(&path).map_err(|error| failed("open", error))?;
                file.set_len(length as u64).and_then(|()| file.sync_all()).map_err(|error| failed("cut", error))?;
                length > 0
            }
            End::Damaged(_) => {
                let aside = free_name(&path);
                fs::rename(&path, &aside).map_err(|error| failed("put aside", error))?;
                kept.damaged = Some(aside);
                false
            }
        };
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let mut file = Self { file: file.map_err(|error| failed("open", error))?, path: path.clone() };
        if !whole {
            file.write(MAGIC.to_vec(), &kept.events)?;
            let folder = File::open(folder).and_then(|folder| folder.sync_all());
            folder.map_err(|error| failed("sync the folder of", error))?;
        }
        Ok((file, kept))
    }

    /// Keeps events: when this returns they are on the disk.
    ///
    /// # Errors
    /// [`CaseFileError`] if they may not be.
    pub fn append(&mut self, events: &[CaseEvent]) -> Result<(), CaseFileError> {
        if events.is_empty() { Ok(()) } else { self.write(Vec::new(), events) }
    }

    fn write(&mut self, mut bytes: Vec<u8>, events: &[CaseEvent]) -> Result<(), CaseFileError> {
        for event in events {
            let event = event.encode();
            // An event's texts are bounded where it is made, far below what the length can say.
            let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(crc32c::crc32c(&event).to_be_bytes());
            bytes.extend(event);
        }
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(|source| CaseFileError { action: "write", path: self.path.clone(), source })
    }
}

/// Looks at the file in a data folder and changes nothing: the byte from which on it is damaged. `None` if it is whole or not there; what a
/// crash cut off is no damage.
///
/// # Errors
/// [`CaseFileError`] if it cannot be read.
pub fn damaged_at(folder: &Path) -> Result<Option<u64>, CaseFileError> {
    Ok(match read(&bytes_of(&folder.join(FILE))?).1 {
        End::Damaged(offset) => Some(offset as u64),
        End::Whole | End::CutOff(_) => None,
    })
}

/// What is in the file; nothing if it is not there.
fn bytes_of(path: &Path) -> Result<Vec<u8>, CaseFileError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|source| CaseFileError { action: "read", path: path.to_owned(), source }),
    }
}

/// How the file ends.
enum End {
    Whole,
    /// In the middle of a frame that begins there.
    CutOff(usize),
    /// From there on.
    Damaged(usize),
}

fn read(bytes: &[u8]) -> (Vec<CaseEvent>, End) {
    let mut events = Vec::new();
    if bytes.is_empty() {
        return (events, End::Whole);
    }
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        return (events, if MAGIC.starts_with(bytes) { End::CutOff(0) } else { End::Damaged(0) });
    };
    while !rest.is_empty() {
        let Some((event, after)) = frame(rest) else {
            // Nothing sound follows what a crash cut off.
            let followed = (1..rest.len()).filter_map(|at| rest.get(at..)).any(|rest| frame(rest).is_some());
            let offset = bytes.len() - rest.len();
            let end = if followed { End::Damaged(offset) } else { End::CutOff(offset) };
            return (events, end);
        };
        events.push(event);
        rest = after;
    }
    (events, End::Whole)
}

/// The event of the frame that bytes begin with, and what follows; `None` if it is not sound.
fn frame(bytes: &[u8]) -> Option<(CaseEvent, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let (checksum, rest) = rest.split_at_checked(4)?;
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_be_bytes).ok();
    let length = usize::try_from(number(length)?).ok().filter(|length| *length <= EVENT_MAX)?;
    let (event, rest) = rest.split_at_checked(length)?;
    (crc32c::crc32c(event) == number(checksum)?).then_some(())?;
    Some((CaseEvent::decode(event).ok()?, rest))
}

/// A name beside `path` that is not taken.
fn free_name(path: &Path) -> PathBuf {
    let name = |number: u32| path.with_extension(format!("log.damaged-{number}"));
    (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::alert::Act;

    fn event(case: &str) -> CaseEvent {
        CaseEvent {
            case: case.parse().unwrap(),
            at: "2026-11-20T12:00:00Z".parse().unwrap(),
            by: Some("N. Officer".to_owned()),
            act: Act::Acknowledged { note: "seen".to_owned() },
        }
    }

    fn reopened(folder: &Path) -> Kept {
        CaseFile::open(folder).unwrap().1
    }

    #[test]
    fn what_was_appended_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, kept) = CaseFile::open(folder.path()).unwrap();
        assert!(kept.events.is_empty());
        file.append(&[event("GE-1"), event("GE-2")]).unwrap();
        file.append(&[event("GE-3")]).unwrap();
        let kept = reopened(folder.path());
        assert_eq!(kept.events, [event("GE-1"), event("GE-2"), event("GE-3")]);
        assert_eq!(kept.damaged, None);
    }

    /// Wherever a crash cuts the file, all that was written before is there, and the file goes on.
    #[test]
    fn a_frame_that_was_cut_off_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, _) = CaseFile::open(folder.path()).unwrap();
        file.append(&[event("GE-1")]).unwrap();
        let path = folder.path().join(FILE);
        let before = fs::read(&path).unwrap().len();
        file.append(&[event("GE-2")]).unwrap();
        let bytes = fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            fs::write(&path, &bytes[..end]).unwrap();
            let (mut file, kept) = CaseFile::open(folder.path()).unwrap();
            assert_eq!(kept.events.len(), usize::from(end >= before), "cut at {end}");
            assert_eq!(kept.damaged, None, "cut at {end}");
            file.append(&[event("GE-9")]).unwrap();
            assert_eq!(reopened(folder.path()).events.last(), Some(&event("GE-9")), "cut at {end}");
        }
    }

    /// A flipped bit anywhere loses at most what stands from there on, and the damaged file is kept.
    #[test]
    fn a_damaged_file_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, _) = CaseFile::open(folder.path()).unwrap();
        file.append(&[event("GE-1"), event("GE-2"), event("GE-3")]).unwrap();
        let path = folder.path().join(FILE);
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            fs::write(folder.path().join(FILE), &bytes).unwrap();
            let seen = damaged_at(folder.path()).unwrap();
            assert!(seen.is_none_or(|seen| seen <= at as u64), "byte {at}");
            let kept = reopened(folder.path());
            assert!(kept.events.len() < 3, "byte {at}");
            let sound = [event("GE-1"), event("GE-2"), event("GE-3")];
            assert_eq!(kept.events, sound[..kept.events.len()], "byte {at}");
            // Damage in the last event cannot be told from a write that was cut off.
            assert_eq!(kept.damaged.is_some(), kept.events.len() < 2, "byte {at}");
            assert_eq!(seen.is_some(), kept.damaged.is_some(), "looking says what opening does: byte {at}");
            assert_eq!(damaged_at(folder.path()).unwrap(), None, "what goes on is whole: byte {at}");
            if let Some(aside) = &kept.damaged {
                assert_eq!(fs::read(aside).unwrap(), bytes, "byte {at}");
            }
            assert_eq!(reopened(folder.path()).events, kept.events, "byte {at}");
        }
    }
}
