//! Which version of the program wrote a data folder, and in which form: a text of three lines beside the segments.
//!
//! ```text
//! shieldwall data
//! format 2
//! written by shieldwall 0.1.0
//! ```
//!
//! Segments and guards have a version of their own in their headers, which is what their bytes are read by. This file speaks for the folder
//! as a whole, and names the program: whoever is refused learns which one to use. A folder without it is of format 1. Format 2 has erased
//! frames, which an older program would take for damage.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::files::{Doing as _, FileSystem as _, RealFs};
use super::open::OpenError;
use crate::ledger::StoreError;

/// The form of data folders that this program writes, and the newest that it reads.
pub const FORMAT: u16 = 2;

/// The name of the file.
pub const FILE: &str = "FORMAT";

/// This program, as it names itself.
const PROGRAM: &str = concat!("shieldwall ", env!("CARGO_PKG_VERSION"));
const HEAD: &str = "shieldwall data";
/// The file has some dozens of bytes; of anything longer the beginning is enough.
const LONGEST: usize = 4096;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    format: u16,
    program: String,
}

/// Refuses a folder that a newer version of the program wrote. Nothing is changed.
///
/// # Errors
/// [`OpenError::Newer`]; [`OpenError::Store`] if the file cannot be read.
pub(super) fn check(dir: &Path) -> Result<(), OpenError> {
    match read(dir)? {
        Some(Version { format, program }) if format > FORMAT => {
            Err(OpenError::Newer { dir: dir.to_owned(), found: format, known: FORMAT, program })
        }
        Some(_) | None => Ok(()),
    }
}

/// The same, and then notes that this program writes the folder from now on.
///
/// # Errors
/// As [`check`], and if the file cannot be written.
pub(super) fn check_and_note(dir: &Path) -> Result<(), OpenError> {
    check(dir)?;
    let own = Version { format: FORMAT, program: PROGRAM.to_owned() };
    if read(dir)? != Some(own) {
        note(dir)
            .map_err(|source| StoreError::Io { doing: format!("writing {}", dir.join(FILE).display()), source })?;
    }
    Ok(())
}

/// None if the file is not there, or is none of ours: the segments speak for themselves.
fn read(dir: &Path) -> Result<Option<Version>, OpenError> {
    let path = dir.join(FILE);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.doing("reading", &path)?,
    };
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned();
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Ok(None);
    }
    let format = lines.next().and_then(|line| line.strip_prefix("format ")?.parse().ok());
    let program = lines.next().and_then(|line| line.strip_prefix("written by ")).unwrap_or("another program");
    Ok(format.map(|format| Version { format, program: program.to_owned() }))
}

fn note(dir: &Path) -> io::Result<()> {
    let (path, beside) = (dir.join(FILE), dir.join(format!("{FILE}.new")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(format!("{HEAD}\nformat {FORMAT}\nwritten by {PROGRAM}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    RealFs.sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_says_who_wrote_it_and_a_later_form_is_refused_with_that() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        check_and_note(dir).unwrap();
        let text = fs::read_to_string(dir.join(FILE)).unwrap();
        assert_eq!(text, format!("shieldwall data\nformat {FORMAT}\nwritten by {PROGRAM}\n"));
        // An older program wrote it last: noted anew.
        fs::write(dir.join(FILE), "shieldwall data\nformat 1\nwritten by shieldwall 0.0.9\n").unwrap();
        check_and_note(dir).unwrap();
        assert_eq!(fs::read_to_string(dir.join(FILE)).unwrap(), text);
        let later =
            format!("shieldwall data\nformat {}\nwritten by shieldwall 3.1.4\nwhatever comes then\n", FORMAT + 1);
        fs::write(dir.join(FILE), &later).unwrap();
        let refused = check_and_note(dir).unwrap_err().to_string();
        let (ahead, here) = (format!("shieldwall 3.1.4 in format {}", FORMAT + 1), format!("format {FORMAT}"));
        assert!(refused.contains(&ahead) && refused.contains(&here), "{refused}");
        assert_eq!(fs::read_to_string(dir.join(FILE)).unwrap(), later, "nothing is written");
        for garbled in ["", "something else", "shieldwall data\nformat many\n"] {
            fs::write(dir.join(FILE), garbled).unwrap();
            check_and_note(dir).unwrap();
            assert_eq!(fs::read_to_string(dir.join(FILE)).unwrap(), text, "{garbled:?} says nothing");
        }
    }
}
