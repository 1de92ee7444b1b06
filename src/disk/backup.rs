//! A copy of the segments of a folder that may be in use, and reading such a copy.
//!
//! Segments only grow, so nobody has to stop for it: what is whole in them is copied, up to the end of the last whole frame. The statements
//! come first and the bodies after them, because what a statement signs is on the disk before it is signed: the copy has a body for each own
//! statement in it. Index and guard are left out: the one is rebuilt, the other would let a copy sign.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use super::files::{Access, Doing as _, FileSystem as _, RealFs};
use super::open::{self, Damage, IndexKind, OpenError, Report};
use super::segment::{self, Family, HEADER, Header, Segments};
use super::store::{DiskStore, Mode};
use super::version;
use crate::encoding::hash::{Digest, sha256};

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// The segments: names relative to the folder, lengths in bytes, digests.
    pub files: Vec<(String, u64, Digest)>,
    /// What is not as it was written, and was copied as it is.
    pub damage: Vec<Damage>,
}

/// Copies the segments of the data folder `from` into the empty folder `to`, each on the disk when this returns. `from` may be in use
/// by a node. `progress` is told bytes copied and bytes to copy.
///
/// # Errors
/// [`OpenError::Absent`] if there are no segments, [`OpenError::OtherVersion`] and [`OpenError::Newer`] if another version of the program
/// wrote them, [`OpenError::Store`] if something cannot be read or written.
pub fn copy(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied, OpenError> {
    version::check(from)?;
    let target = to.join("segments");
    DirBuilder::new().mode(0o700).create(&target).doing("creating", &target)?;
    let mut copied = Copied::default();
    let (mut done, total) = (0, size(from)?);
    for family in Family::ALL {
        let segments = Segments::new(Arc::new(RealFs), from, family, Access::Read);
        let mut report = Report::default();
        let numbers = open::present(&segments, Access::Read, &mut report)?;
        copied.damage.extend(report.damage);
        for number in &numbers {
            let bytes = whole(&segments, *number, numbers.last() == Some(number), &mut copied.damage)?;
            let path = to.join(segments.name(*number));
            write(&path, &bytes).doing("writing", &path)?;
            done += bytes.len() as u64;
            progress(done.min(total), total.max(done));
            copied.files.push((segments.name(*number), bytes.len() as u64, sha256(&bytes)));
        }
    }
    RealFs.sync_dir(&target).doing("syncing", &target)?;
    if copied.files.is_empty() {
        return Err(OpenError::Absent { dir: from.to_owned() });
    }
    Ok(copied)
}

/// Bytes in the segments of a data folder, as far as they go now.
///
/// # Errors
/// [`OpenError::Store`] if the folder cannot be read.
pub fn size(dir: &Path) -> Result<u64, OpenError> {
    let folder = dir.join("segments");
    let mut total = 0;
    for name in RealFs.list(&folder).doing("listing", &folder)? {
        let path = folder.join(name);
        total += fs::metadata(&path).doing("reading", &path)?.len();
    }
    Ok(total)
}

/// Opens what [`copy`] has made, without changing anything and without a lock: the segments are read into an index in memory. There are no
/// marks.
///
/// # Errors
/// As [`DiskStore::open_read_only`].
pub fn open(dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(DiskStore, Report), OpenError> {
    version::check(dir)?;
    open::open(Arc::new(RealFs), dir, Mode::ReadOnly, IndexKind::Memory, segment::ROLL, progress)
}

/// The bytes of a segment up to the end of its last whole frame. What is damaged before that stays as it is, and is noted.
fn whole(segments: &Segments, number: u32, is_last: bool, damage: &mut Vec<Damage>) -> Result<Vec<u8>, OpenError> {
    let path = segments.path(number);
    match segments.inspect(number)?.1 {
        Header::OtherVersion(found) => return Err(OpenError::OtherVersion { file: segments.name(number), found }),
        Header::Damaged => {
            let what = "the header and its copy are damaged".to_owned();
            damage.push(Damage { file: segments.name(number), offset: 0, what });
            return Ok(fs::read(&path).doing("reading", &path)?);
        }
        Header::Good { .. } => {}
    }
    let (frames, context) = open::stretch(segments, number, HEADER)?;
    let mut bytes = segments.read(super::frame::Place { segment: number, offset: 0 }, HEADER)?.0;
    bytes.extend_from_slice(&frames);
    let found = super::frame::scan(&frames, context, HEADER);
    // The node may be in the middle of writing a group.
    let cut = if is_last { open::torn(&found, Default::default(), number) } else { None };
    let end = cut.map_or(bytes.len(), |cut| cut as usize);
    bytes.truncate(end);
    for hole in found.holes.iter().filter(|hole| (hole.start as usize) < end) {
        let what = format!("{} bytes are no whole frame", hole.end - hole.start);
        damage.push(Damage { file: segments.name(number), offset: hole.start.into(), what });
    }
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
