//! A copy of the index beside the data folder: sled writes into whatever it opens.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) path: PathBuf,
}

/// Copies the folder `from` into the folder for temporary files; none if there is nothing.
pub(super) fn copy(from: &Path) -> io::Result<Option<Copy>> {
    let metadata = match fs::symlink_metadata(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    let number = getrandom::u64().map_err(io::Error::other)?;
    let path = std::env::temp_dir().join(format!("shieldwall-fsck-{number:016x}"));
    if metadata.is_dir() {
        private(&path)?;
        let copy = Copy { path };
        fill(from, &copy.path)?;
        return Ok(Some(copy));
    }
    // Something else in its place: sled is to say so.
    let copy = Copy { path };
    fs::write(&copy.path, b"")?;
    Ok(Some(copy))
}

fn fill(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            private(&target)?;
            fill(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

fn private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What stays in the folder for temporary files is of no use to anybody, and no secret.
        drop(fs::remove_dir_all(&self.path).or_else(|_| fs::remove_file(&self.path)));
    }
}
