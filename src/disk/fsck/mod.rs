//! The check of a stopped node's folder: every byte is read, nothing is changed, and every fault is named with what heals it.
//!
//! It goes over the files as a start does, and over the frames that count as the scrub does, with their code. One segment is in memory
//! at a time, and of what lies between faults only how far each log reaches; so the length of the history does not matter.
//!
//! 1. The index: read from a copy, because sled writes when it opens. If its sum is right, each frame that it points to is examined.
//! 2. The segments: headers, frames, and what is no frame.
//! 3. Only if something was found: the segments once more, for other frames under the keys concerned.
//! 4. The guards.
//!
//! Start with [`check`].

mod copy;
mod walk;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::files::{FileSystem, RealFs};
use super::guard::{self, GuardRefusal};
use super::open::{self, IndexKind, OpenError};
use super::version;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode};
use crate::ledger::{Key, StoreError};

pub(super) use walk::Walk;

/// Faults that are listed; more are only counted. So many are not rot but a failing disk.
pub const FAULTS_MAX: usize = 10_000;

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is not as it was written, in the order of the files.
    pub faults: Vec<Fault>,
    /// Faults beyond [`FAULTS_MAX`].
    pub more: u64,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// Segments read.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whole frames in them.
    pub frames: u64,
    /// Frames that the index points to, if it was believed.
    pub indexed: Option<u64>,
    /// Guards that were read, with the statements that each knows of.
    pub guards: Vec<(LogId, u64)>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, relative to the data directory.
    pub file: String,
    /// Where in it.
    pub offset: u64,
    /// How many bytes; 0 if that is not known.
    pub bytes: u64,
    /// The frame that lay there, if that is known.
    pub frame: Option<Key>,
    /// Whether that is sure. If not, it is what the damaged frame says of itself.
    pub is_sure: bool,
    /// What is wrong.
    pub what: String,
    /// What heals it.
    pub heals: Heals,
    /// The same in words, with what to do if something has to be done.
    pub advice: String,
    /// Whether nothing is missing by it.
    pub is_harmless: bool,
}

/// What heals a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heals {
    /// A peer that holds what was lost gives it back once the node runs.
    Peer,
    /// The node itself, once it runs.
    Itself,
    /// Nobody needs what was lost.
    Unneeded,
    /// Nothing: somebody has to decide.
    Nothing,
}

impl Heals {
    /// The word for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Itself => "itself",
            Self::Unneeded => "unneeded",
            Self::Nothing => "nothing",
        }
    }
}

impl fmt::Display for Heals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Checked {
    /// Whether nothing is missing and nothing has to be healed. There may be harmless faults.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.more == 0 && self.faults.iter().all(|fault| fault.is_harmless)
    }

    /// Adds a fault to the list, or to the number of those that are not listed.
    pub fn add(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }
}

/// Checks the data folder `dir` of a node that does not run, and changes nothing in it. `own` is the log that the node signs, whose guard has
/// to be there. `progress` is told bytes read and bytes to read.
///
/// # Errors
/// [`OpenError::Locked`] if the node runs, [`OpenError::Absent`] if there is no store, [`OpenError::OtherVersion`] or [`OpenError::Newer`] if another version
/// of the program wrote it, [`OpenError::Store`] if the folder cannot be read at all.
pub fn check(dir: &Path, own: Option<LogId>, progress: &mut dyn FnMut(u64, u64)) -> Result<Checked, OpenError> {
    let lock = match open::lock_shared(dir) {
        // A folder that was put back without it: a node that runs has made it.
        Err(OpenError::Absent { .. }) if dir.join("segments").is_dir() => None,
        locked => Some(locked?),
    };
    version::check(dir)?;
    let copied = copy::copy(&dir.join("index"));
    let kind = match &copied {
        Ok(Some(copy)) => IndexKind::Sled(copy.path.clone()),
        Ok(None) | Err(_) => IndexKind::Memory,
    };
    let mut checked = check_with(Arc::new(RealFs), dir, &kind, own, &guard::binding_of(dir)?, progress)?;
    if let Err(error) = &copied {
        checked
            .unchecked
            .push(format!("the index: it cannot be copied to {}: {error}", std::env::temp_dir().display()));
    }
    drop((lock, copied));
    Ok(checked)
}

/// The same over any files, with an index that may be opened, and so written to.
pub(super) fn check_with(
    fs: Arc<dyn FileSystem>,
    dir: &Path,
    kind: &IndexKind,
    own: Option<LogId>,
    binding: &Digest,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Checked, OpenError> {
    let mut walk = Walk::new(&fs, dir, progress)?;
    walk.index(kind);
    walk.segments()?;
    let mut checked = walk.classify();
    guards(fs.as_ref(), dir, own, binding, &walk, &mut checked)?;
    checked.faults.sort_by(|a, b| (&a.file, a.offset).cmp(&(&b.file, b.offset)));
    Ok(checked)
}

/// Checks the guard of every log that has one, and that the own log has one.
fn guards(
    fs: &dyn FileSystem,
    dir: &Path,
    own: Option<LogId>,
    binding: &Digest,
    walk: &Walk<'_>,
    checked: &mut Checked,
) -> Result<(), OpenError> {
    let folder = dir.join("guard");
    let names =
        fs.list(&folder).map_err(|source| StoreError::Io { doing: format!("listing {}", folder.display()), source });
    let found = names?.into_iter().filter_map(|name| name.strip_suffix(".guard")?.parse::<LogId>().ok());
    let mut logs: Vec<LogId> = found.chain(own).collect();
    logs.sort_unstable();
    logs.dedup();
    for log in logs {
        let held = walk.size(&log);
        match guard::inspect(fs, dir, log, binding) {
            Ok(Some(guard)) => {
                checked.guards.push((log, guard.frames));
                let end = guard::offset(guard.frames);
                if guard.torn > 0 {
                    let what = "a crash tore the end; nothing was signed on it";
                    let advice = "the next start cuts it off";
                    checked.add(of_guard(log, (end, guard.torn), what, Heals::Itself, advice, true));
                }
                if guard.frames < held {
                    let what = format!("it ends before its log, which has {held} statements");
                    checked.add(of_guard(log, (end, 0), &what, Heals::Nothing, END_THE_LOG, false));
                }
            }
            Ok(None) if held > 0 => {
                checked.add(of_guard(log, (0, 0), "it is missing", Heals::Nothing, END_THE_LOG, false));
            }
            Ok(None) => {}
            Err(GuardRefusal::OtherVersion { found, .. }) => {
                return Err(OpenError::OtherVersion { file: guard::name(log), found });
            }
            Err(GuardRefusal::Damaged { offset, what, .. }) => {
                let bytes = guard::bytes_at(offset);
                checked.add(of_guard(log, (offset, bytes), what, Heals::Nothing, END_THE_LOG, false));
            }
            Err(GuardRefusal::Moved { .. }) => {
                let what = "it belongs to another machine or directory";
                checked.add(of_guard(log, (0, 0), what, Heals::Nothing, END_THE_LOG, false));
            }
            Err(GuardRefusal::Storage(StoreError::Io { source, .. })) => {
                let what = format!("it cannot be read: {source}");
                checked.add(of_guard(log, (0, 0), &what, Heals::Nothing, END_THE_LOG, false));
            }
            Err(refusal @ (GuardRefusal::Conflict { .. } | GuardRefusal::Gap { .. } | GuardRefusal::Storage(_))) => {
                checked.add(of_guard(log, (0, 0), &refusal.to_string(), Heals::Nothing, END_THE_LOG, false));
            }
        }
    }
    Ok(())
}

const END_THE_LOG: &str = "nothing: never sign this log again. The node goes on reading; open the member's next log, with a new log key, in \
    a new manifest";

fn of_guard(
    log: LogId,
    (offset, bytes): (u64, u64),
    what: &str,
    heals: Heals,
    advice: &str,
    is_harmless: bool,
) -> Fault {
    let (file, what, advice) = (guard::name(log), what.to_owned(), advice.to_owned());
    Fault { file, offset, bytes, frame: None, is_sure: true, what, heals, advice, is_harmless }
}

/// What heals a frame that counts and is lost; `src/protocol/heal.rs` does it. `is_signed` says of an intent whether its statement is held.
fn healing(key: &Key, is_signed: bool) -> (Heals, &'static str) {
    match key {
        Key::Statement(_) => (Heals::Peer, "a peer that holds it gives it back once the node runs"),
        Key::Head(_) | Key::Compartment(..) => {
            (Heals::Peer, "a reader of the record that holds it gives it back once the node runs")
        }
        Key::Slot(_) => (Heals::Peer, "its author gives it back once the node runs"),
        Key::Published => (Heals::Itself, "the node writes it anew from the charter's file and what peers tell"),
        Key::Checkpoint(_) | Key::FrontierCosignature(_) => {
            (Heals::Itself, "the node writes it anew with the next that its signer tells")
        }
        Key::Cosignature(..) => (
            Heals::Itself,
            "the node signs its own anew, and collects those of others with the next export of evidence",
        ),
        Key::Intent(_) if is_signed => (Heals::Itself, "the node writes it anew: the statement is signed and held"),
        Key::Intent(_) => (
            Heals::Nothing,
            "nothing: if the guard knows of it, the log cannot go on; then open the member's next log in a new manifest",
        ),
        Key::Lanes(_) => (
            Heals::Nothing,
            "nothing: nobody else has them. The node makes new lanes; a reader that lacks its slot of these cannot be given it any more",
        ),
        Key::CharterSplit | Key::ManifestSplit(_) => {
            (Heals::Itself, "the node takes the proof from other members again, or writes it anew")
        }
        Key::LaneProof(_) => (
            Heals::Nothing,
            "nothing, if these lanes have ended; else the node asks the author for the proof of its next checkpoint within a day",
        ),
        Key::Commitments(_) => (
            Heals::Nothing,
            "nothing: a reader that has not asked for its path yet cannot show that its list is whole under these lanes",
        ),
        Key::Erased(_) => (Heals::Itself, "the node writes it anew, without the reason; the body stays erased"),
        Key::Hold(_) => (Heals::Itself, "the node goes on holding, and writes it anew, without the reference"),
        Key::Fork(..) => (Heals::Nothing, "nothing: it is not asked for; other members hold the proof as well"),
    }
}

/// What a frame is about, for machines.
#[must_use]
pub fn parts(key: &Key) -> (&'static str, Option<LogId>, Option<u64>, Option<MemberCode>) {
    match key {
        Key::Published => ("published", None, None, None),
        Key::Statement(id) => ("statement", Some(id.log), Some(id.position), None),
        Key::Checkpoint(log) => ("checkpoint", Some(*log), None, None),
        Key::Cosignature(log, member) => ("cosignature", Some(*log), None, Some(*member)),
        Key::FrontierCosignature(member) => ("frontier cosignature", None, None, Some(*member)),
        Key::Fork(log, _) => ("proof of equivocation", Some(*log), None, None),
        Key::Intent(id) => ("intent", Some(id.log), Some(id.position), None),
        Key::Head(id) => ("head", Some(id.log), Some(id.position), None),
        Key::Compartment(id, _) => ("compartment", Some(id.log), Some(id.position), None),
        Key::Lanes(id) => ("lanes", Some(id.log), Some(id.position), None),
        Key::Slot(id) => ("slot", Some(id.log), Some(id.position), None),
        Key::Erased(id) => ("note of an erasure", Some(id.log), Some(id.position), None),
        Key::Hold(id) => ("hold", Some(id.log), Some(id.position), None),
        Key::CharterSplit => ("proof about the charter", None, None, None),
        Key::ManifestSplit(member) => ("proof about a manifest", None, None, Some(*member)),
        Key::Commitments(id) => ("commitments", Some(id.log), Some(id.position), None),
        Key::LaneProof(id) => ("proof of a lane", Some(id.log), Some(id.position), None),
    }
}
